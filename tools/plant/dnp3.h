/* SPDX-License-Identifier: BSD-3-Clause */
/* DNP3 over TCP and UDP: encoders and what is normally said. */
#ifndef FT_PLANT_DNP3_H
#define FT_PLANT_DNP3_H

#include "conv.h"

/* Normal operation. */
extern const struct ft_conv_kind ft_dnp3_tcp; /* polls, unsolicited responses, switching */
extern const struct ft_conv_kind ft_dnp3_udp; /* class polls */

enum {
    FT_DNP3_MASTER = 1, /* link address of the SCADA server */
    FT_DNP3_CONFIRM = 0,
    FT_DNP3_READ = 1,
    FT_DNP3_WRITE = 2,
    FT_DNP3_SELECT = 3,
    FT_DNP3_OPERATE = 4,
    FT_DNP3_COLD_RESTART = 13,
    FT_DNP3_ENABLE_UNSOLICITED = 20,
    FT_DNP3_DISABLE_UNSOLICITED = 21,
    FT_DNP3_RESPONSE = 129,
    FT_DNP3_UNSOLICITED = 130,
    FT_DNP3_APP_SINGLE = 0xc0, /* first and final fragment */
    FT_DNP3_APP_CONFIRM = 0x20,
    FT_DNP3_APP_UNSOLICITED = 0x10,
};

/** Who talks to whom on the link layer. */
struct ft_dnp3_link {
    uint16_t master;
    uint16_t outstation;
};

/** Link addresses of a conversation: an outstation's address derives from its IP address. */
struct ft_dnp3_link ft_dnp3_link_of(const struct ft_conv *conv);

/**
 * Cut the application fragment @app into transport segments and link frames with CRCs and append
 * them to @b. @sequence is the first transport sequence number; returns the next one.
 */
uint8_t ft_dnp3_frames(struct ft_buf *b, struct ft_dnp3_link link, bool from_master,
                       uint8_t sequence, const struct ft_buf *app);

#endif
