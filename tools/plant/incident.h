/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripted incident: an unknown laptop appears, looks round and attacks every device. */
#ifndef FT_PLANT_INCIDENT_H
#define FT_PLANT_INCIDENT_H

#include "conv.h"

enum {
    FT_INCIDENT_PACKETS = 760, /* that the script sends and provokes, a few more than counted */
};

struct ft_incident {
    struct ft_actor actor;
    size_t step;
    uint64_t percent; /* of the script's own time, for runs too short for it */
};

/** Begin now. The script takes 40 s; it is hurried so that it fits into nine tenths of @left ns. */
void ft_incident_start(struct ft_plant *plant, struct ft_incident *incident, uint64_t left);

/* What the laptop says; each closes its connection at the end. */
extern const struct ft_conv_kind ft_attack_modbus_sweep;     /* FC 43/14 to units 1 to 20 */
extern const struct ft_conv_kind ft_attack_modbus_writes;    /* FC 5, 6, 16 */
extern const struct ft_conv_kind ft_attack_umas;             /* stop, transfer a program, start */
extern const struct ft_conv_kind ft_attack_modbus_malformed; /* protocol id, byte count */
extern const struct ft_conv_kind ft_attack_s7;               /* STOP, download, activate, start */
extern const struct ft_conv_kind ft_attack_s7_malformed;     /* lengths that do not add up */
extern const struct ft_conv_kind ft_attack_logix;            /* mode change, firmware, reset */
extern const struct ft_conv_kind ft_attack_enip_malformed;   /* item longer than the message */
extern const struct ft_conv_kind ft_attack_dnp3;             /* cold restart */
extern const struct ft_conv_kind ft_attack_dnp3_malformed;   /* wrong CRC */

#endif
