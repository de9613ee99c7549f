/* SPDX-License-Identifier: BSD-3-Clause */
/* The incident on DNP3: the laptop pretends to be the master and restarts an outstation. */
#include "dnp3.h"
#include "incident.h"

static void put_header(struct ft_buf *app, uint8_t sequence, uint8_t function)
{
    ft_buf_u8(app, FT_DNP3_APP_SINGLE | sequence);
    ft_buf_u8(app, function);
}

static void ask_restart(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(app, 16);
    put_header(&app, 3, FT_DNP3_COLD_RESTART);
    ft_dnp3_frames(turn->out, ft_dnp3_link_of(conv), true, 5, &app);
}

/* "I shall be back in 2 s" (g52v2); from then on the outstation indicates its restart. */
static void answer_restart(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t delay[] = {52, 2, 0x07, 1, 0xd0, 0x07};

    FT_BUF_LOCAL(app, 16);
    put_header(&app, 3, FT_DNP3_RESPONSE);
    ft_buf_be16(&app, 0);
    ft_buf_bytes(&app, delay, sizeof(delay));
    ft_dnp3_frames(turn->out, ft_dnp3_link_of(conv), false, 9, &app);
    turn->plant->restarted = conv->server;
}

static void talk_attack(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {{ask_restart, answer_restart}};

    ft_conv_play(conv, turn, script, 1, turn->pair);
}

/* A right request but for one bit of its last CRC. */
static void ask_bad_crc(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t class_0[] = {60, 1, 0x06};

    FT_BUF_LOCAL(app, 16);
    put_header(&app, 4, FT_DNP3_READ);
    ft_buf_bytes(&app, class_0, sizeof(class_0));
    ft_dnp3_frames(turn->out, ft_dnp3_link_of(conv), true, 6, &app);
    turn->out->data[turn->out->len - 1] ^= 0x10;
}

static void talk_malformed(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {{ask_bad_crc, NULL}};

    ft_conv_play(conv, turn, script, 1, turn->pair);
}

const struct ft_conv_kind ft_attack_dnp3 = {.talk = talk_attack, .port = 20000, .latency_us = 9000};
const struct ft_conv_kind ft_attack_dnp3_malformed = {
    .talk = talk_malformed, .port = 20000, .latency_us = 9000};
