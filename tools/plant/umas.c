/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UMAS, the engineering protocol of Modicon PLCs inside Modbus function 90; as published in
 * "The secrets of Schneider Electric's UMAS protocol" (Kaspersky ICS CERT, 2022). Everything after
 * the function code is little-endian.
 */
#include "modbus.h"

enum {
    FC_UMAS = 0x5a,
    UMAS_INIT = 0x01,
    UMAS_READ_ID = 0x02,
    UMAS_READ_PROJECT = 0x03,
    UMAS_PLC_STATUS = 0x04,
    UMAS_REPEAT = 0x0a,
};

void ft_umas_pdu(struct ft_buf *b, uint8_t key, uint8_t function)
{
    ft_buf_u8(b, FC_UMAS);
    ft_buf_u8(b, key);
    ft_buf_u8(b, function);
}

static void ask_id(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_READ_ID);
}

static void answer_id(struct ft_conv *conv, struct ft_turn *turn)
{
    struct ft_buf *b = turn->out;

    (void)conv;
    ft_umas_pdu(b, 0, FT_UMAS_OK);
    ft_buf_le16(b, 0x0001);     /* range */
    ft_buf_le32(b, 0x0103e6f0); /* ident */
    ft_buf_le16(b, 0x0406);     /* model */
    ft_buf_le16(b, 0x0270);     /* firmware 2.70 */
    ft_buf_le16(b, 3);          /* patch */
    ft_buf_le16(b, 0x0012);     /* internal version */
    ft_buf_le16(b, 0x0008);     /* hardware version */
    ft_buf_le32(b, 0);          /* crash code */
    ft_buf_le16(b, 0);
    ft_buf_str8(b, "BMX P34 2020X");
    ft_buf_u8(b, 1); /* memory banks */
    ft_buf_u8(b, 1);
    ft_buf_u8(b, 0);
    ft_buf_le16(b, 0);
    ft_buf_le32(b, 4096 * 1024);
}

static void ask_init(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_INIT);
    ft_buf_u8(turn->out, 0);
}

static void answer_init(struct ft_conv *conv, struct ft_turn *turn)
{
    struct ft_buf *b = turn->out;

    (void)conv;
    ft_umas_pdu(b, 0, FT_UMAS_OK);
    ft_buf_le16(b, 253); /* largest frame */
    ft_buf_le16(b, 0x0270);
    ft_buf_le32(b, 0);
    ft_buf_le32(b, 0);
    ft_buf_str8(b, "PUMPS-PLC1");
}

static void ask_repeat(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_REPEAT);
    ft_buf_u8(turn->out, 0);
    ft_buf_fill(turn->out, 'T', 240);
}

static void answer_repeat(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, FT_UMAS_OK);
    ft_buf_u8(turn->out, 0);
    ft_buf_fill(turn->out, 'T', 240);
}

static void ask_project(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_READ_PROJECT);
    ft_buf_u8(turn->out, 0);
}

static void answer_project(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t modified[] = {12, 30, 9, 17, 6}; /* s, min, h, day, month */
    static const uint8_t revision[] = {8, 0, 0, 0};       /* 0.0.8 */
    struct ft_buf *b = turn->out;

    (void)conv;
    ft_umas_pdu(b, 0, FT_UMAS_OK);
    ft_buf_fill(b, 0, 27);
    ft_buf_bytes(b, modified, sizeof(modified));
    ft_buf_le16(b, 2024);
    ft_buf_bytes(b, revision, sizeof(revision));
    ft_buf_u8(b, sizeof("WATERWORKS"));
    ft_buf_bytes(b, "WATERWORKS", sizeof("WATERWORKS"));
}

static void ask_status(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_PLC_STATUS);
}

static void answer_status(struct ft_conv *conv, struct ft_turn *turn)
{
    struct ft_buf *b = turn->out;

    (void)conv;
    ft_umas_pdu(b, 0, FT_UMAS_OK);
    ft_buf_u8(b, 1);
    ft_buf_le16(b, 0x0182); /* 0x08 would mean: reserved */
    ft_buf_u8(b, 4);
    for (uint32_t i = 0; i < 4; i++)
        ft_buf_le32(b, 0x5a10c0de + i * 0x01010101);
}

static const struct ft_exchange identify_script[] = {
    {ask_id, answer_id},           {ask_init, answer_init},     {ask_repeat, answer_repeat},
    {ask_project, answer_project}, {ask_status, answer_status},
};

void ft_umas_identify_talk(struct ft_conv *conv, struct ft_turn *turn, uint32_t pair)
{
    size_t n = sizeof(identify_script) / sizeof(identify_script[0]);
    size_t at = ft_modbus_begin(turn->out, (uint16_t)turn->pair, 0);

    ft_conv_play(conv, turn, identify_script, n, pair);
    ft_modbus_end(turn->out, at);
}
