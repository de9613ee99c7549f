/* SPDX-License-Identifier: BSD-3-Clause */
/* S7comm over COTP over TPKT: encoders and what is normally said. */
#ifndef FT_PLANT_S7_H
#define FT_PLANT_S7_H

#include "conv.h"

/* Normal operation. */
extern const struct ft_conv_kind ft_s7_hmi;      /* HMI: set-up, then fast reads, some writes */
extern const struct ft_conv_kind ft_s7_scada;    /* SCADA server: slow reads of large blocks */
extern const struct ft_conv_kind ft_s7_identify; /* programming device reads the name plate */

enum ft_s7_rosctr {
    FT_S7_JOB = 1,
    FT_S7_ACK = 2,
    FT_S7_ACK_DATA = 3,
    FT_S7_USERDATA = 7,
};

/** Begin TPKT, COTP DT and S7 header; the parameter follows. Returns the place for the others. */
size_t ft_s7_begin(struct ft_buf *b, enum ft_s7_rosctr rosctr, uint16_t reference);

/** The parameter that began after ft_s7_begin() is complete; the data follows. */
void ft_s7_end_parameter(struct ft_buf *b, size_t at);

/** The PDU is complete: fill in the lengths. */
void ft_s7_end(struct ft_buf *b, size_t at);

/**
 * First two pairs of every connection: COTP connect, S7 setup communication. @pair is 0 or 1;
 * @called is the TSAP (type << 8 | rack << 5 | slot).
 */
void ft_s7_setup_talk(struct ft_turn *turn, uint16_t called, uint32_t pair);

/** A Job or Ack_Data whose parameter is @parameter and that has no data. */
void ft_s7_bare(struct ft_buf *b, enum ft_s7_rosctr rosctr, uint16_t reference,
                const void *parameter, size_t len);

#endif
