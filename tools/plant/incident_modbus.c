/* SPDX-License-Identifier: BSD-3-Clause */
/* The incident on Modbus: sweep of units, unauthorised writes, UMAS program change, wrong PDUs. */
#include "incident.h"
#include "modbus.h"

enum {
    SWEEP_UNITS = 20,
    EXCEPTION_GATEWAY_SILENT = 11,
    UMAS_RESERVE = 0x10,
    UMAS_RELEASE = 0x11,
    UMAS_BEGIN_TRANSFER = 0x30,
    UMAS_TRANSFER = 0x31,
    UMAS_END_TRANSFER = 0x32,
    UMAS_START = 0x40,
    UMAS_STOP = 0x41,
    UMAS_BLOCK = 200, /* octets of program in one packet */
    UMAS_KEY = 0x5c,
};

static bool answers(uint8_t unit)
{
    for (size_t i = 0; i < sizeof(ft_modbus_gateway_units); i++) {
        if (ft_modbus_gateway_units[i] == unit)
            return true;
    }
    return false;
}

static void talk_sweep(struct ft_conv *conv, struct ft_turn *turn)
{
    uint8_t unit = (uint8_t)(turn->pair + 1);
    size_t at = ft_modbus_begin(turn->out, (uint16_t)turn->pair, unit);

    (void)conv;
    if (!turn->is_answer) {
        ft_modbus_identify_request(turn->out, 1);
    } else if (answers(unit)) {
        ft_modbus_identify_answer(turn->out, 1, "PM-5560X", "V03.1.0");
    } else {
        ft_buf_u8(turn->out, 0x2b | 0x80);
        ft_buf_u8(turn->out, EXCEPTION_GATEWAY_SILENT);
    }
    ft_modbus_end(turn->out, at);
    turn->is_last = turn->is_answer && turn->pair == SWEEP_UNITS - 1;
}

static void talk_writes(struct ft_conv *conv, struct ft_turn *turn)
{
    enum {
        N_WRITES = 12
    };
    uint16_t address = (uint16_t)(turn->pair * 3);
    size_t at = ft_modbus_begin(turn->out, (uint16_t)turn->pair, 255);

    switch (turn->pair % 3) {
    case 0: /* open every valve */
        ft_modbus_request(turn->out, 5, address, 0xff00);
        break;
    case 1: /* set points to their limit */
        ft_modbus_request(turn->out, 6, address, 27648);
        break;
    default:
        if (turn->is_answer)
            ft_modbus_request(turn->out, 16, address, 10);
        else
            ft_modbus_write_registers(turn->out, address, 10, conv->client->ip, turn->plant->now);
        break;
    }
    ft_modbus_end(turn->out, at);
    turn->is_last = turn->is_answer && turn->pair == N_WRITES - 1;
}

static void answer_ok(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, FT_UMAS_OK);
}

static void ask_reserve(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, UMAS_RESERVE);
    ft_buf_le32(turn->out, 0x00004c43);
    ft_buf_str8(turn->out, "LAPTOP-7Q2X");
}

static void answer_reserve(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, 0, FT_UMAS_OK);
    ft_buf_u8(turn->out, UMAS_KEY); /* the session key from now on */
}

static void ask_stop(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_STOP);
    ft_buf_be16(turn->out, 0xff00);
}

static void ask_begin(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_BEGIN_TRANSFER);
    ft_buf_be16(turn->out, 0x0001);
}

static void answer_begin(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, FT_UMAS_OK);
    ft_buf_le16(turn->out, UMAS_BLOCK);
}

static void ask_transfer(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_TRANSFER);
    ft_buf_be16(turn->out, 0x0001);
    ft_buf_le16(turn->out, turn->pair); /* block number: transfer follows three other pairs */
    ft_buf_le16(turn->out, UMAS_BLOCK);
    if (turn->pair == 3)
        ft_buf_bytes(turn->out, "\0\0APX", 6);
    ft_buf_fill(turn->out, 0x5a, turn->pair == 3 ? UMAS_BLOCK - 6 : UMAS_BLOCK);
}

static void ask_end(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_END_TRANSFER);
    ft_buf_be16(turn->out, 0x0001);
    ft_buf_le16(turn->out, 4);
}

static void ask_start(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_START);
    ft_buf_be16(turn->out, 0xff00);
}

static void ask_release(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_umas_pdu(turn->out, UMAS_KEY, UMAS_RELEASE);
}

static void talk_umas(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {
        {ask_reserve, answer_reserve}, {ask_stop, answer_ok},     {ask_begin, answer_begin},
        {ask_transfer, answer_ok},     {ask_transfer, answer_ok}, {ask_transfer, answer_ok},
        {ask_transfer, answer_ok},     {ask_end, answer_ok},      {ask_start, answer_ok},
        {ask_release, answer_ok},
    };
    size_t at = ft_modbus_begin(turn->out, (uint16_t)turn->pair, 0);

    ft_conv_play(conv, turn, script, sizeof(script) / sizeof(script[0]), turn->pair);
    ft_modbus_end(turn->out, at);
}

/* Protocol id 0x1234: not Modbus. The PLC does not answer. */
static void ask_protocol_id(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_modbus_begin(turn->out, 1, 255);

    (void)conv;
    ft_modbus_request(turn->out, 3, 0, 10);
    ft_modbus_end(turn->out, at);
    ft_store_be16(turn->out->data + at + 2, 0x1234);
}

/* Write of ten registers whose byte count says four. */
static void ask_byte_count(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_modbus_begin(turn->out, 2, 255);

    ft_modbus_write_registers(turn->out, 0, 10, conv->client->ip, turn->plant->now);
    turn->out->data[at + 12] = 4;
    ft_modbus_end(turn->out, at);
}

static void answer_byte_count(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_modbus_begin(turn->out, 2, 255);

    (void)conv;
    ft_buf_u8(turn->out, 0x90);
    ft_buf_u8(turn->out, 3); /* illegal data value */
    ft_modbus_end(turn->out, at);
}

static void talk_malformed(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {{ask_protocol_id, NULL},
                                                {ask_byte_count, answer_byte_count}};

    ft_conv_play(conv, turn, script, sizeof(script) / sizeof(script[0]), turn->pair);
}

const struct ft_conv_kind ft_attack_modbus_sweep = {
    .talk = talk_sweep, .port = 502, .latency_us = 25000};
const struct ft_conv_kind ft_attack_modbus_writes = {
    .talk = talk_writes, .port = 502, .latency_us = 4000};
const struct ft_conv_kind ft_attack_umas = {.talk = talk_umas, .port = 502, .latency_us = 6000};
const struct ft_conv_kind ft_attack_modbus_malformed = {
    .talk = talk_malformed, .port = 502, .latency_us = 5000};
