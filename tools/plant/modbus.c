/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Modbus: MODBUS Application Protocol V1.1b3, Messaging on TCP/IP V1.0b, Serial Line V1.02.
 *
 * Polling is a fixed list of reads that goes round; every so many polls one of the writes comes
 * instead, as when an operator changes a set point.
 */
#include "modbus.h"

enum {
    FC_READ_COILS = 1,
    FC_READ_DISCRETE = 2,
    FC_READ_HOLDING = 3,
    FC_READ_INPUT = 4,
    FC_WRITE_COIL = 5,
    FC_WRITE_REGISTER = 6,
    FC_WRITE_COILS = 15,
    FC_WRITE_REGISTERS = 16,
    FC_MASK_WRITE = 22,
    FC_READ_WRITE = 23,
    FC_MEI = 0x2b,
    MEI_DEVICE_IDENTIFICATION = 0x0e,
    EXCEPTION = 0x80,
    EXCEPTION_ILLEGAL_ADDRESS = 2,
    EXCEPTION_TARGET_SILENT = 11,
    SILENT_UNIT = 17,     /* polled behind the gateway, never there */
    DELETED_TAG = 0x7000, /* an address that the PLC does not know */
};

struct modbus_item {
    uint8_t function;
    uint16_t address;
    uint16_t count;
};

struct modbus_plan {
    const struct modbus_item *reads;
    const struct modbus_item *writes;
    uint8_t n_reads;
    uint8_t n_writes;
    uint8_t write_every; /* polls; 0 = never */
    const uint8_t *units;
    uint8_t n_units;
    bool is_rtu;
};

size_t ft_modbus_begin(struct ft_buf *b, uint16_t transaction, uint8_t unit)
{
    size_t at = b->len;

    ft_buf_be16(b, transaction);
    ft_buf_be16(b, 0);
    ft_buf_be16(b, 0);
    ft_buf_u8(b, unit);
    return at;
}

void ft_modbus_end(struct ft_buf *b, size_t at)
{
    ft_store_be16(b->data + at + 4, (uint16_t)(b->len - at - 6));
}

/* Append the CRC-16 of serial lines over all of @b. */
static void put_rtu_crc(struct ft_buf *b)
{
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < b->len; i++) {
        crc ^= b->data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    ft_buf_le16(b, crc);
}

void ft_modbus_request(struct ft_buf *b, uint8_t function, uint16_t address, uint16_t value)
{
    ft_buf_u8(b, function);
    ft_buf_be16(b, address);
    ft_buf_be16(b, value);
}

static void put_registers(struct ft_buf *b, uint64_t key, uint16_t address, uint16_t count,
                          uint64_t now)
{
    ft_buf_u8(b, 2u * count);
    for (uint16_t i = 0; i < count; i++)
        ft_buf_be16(b, ft_process_value(key << 16 | (uint16_t)(address + i), now));
}

static void put_bits(struct ft_buf *b, uint64_t key, uint16_t address, uint16_t count, uint64_t now)
{
    unsigned n = (count + 7u) / 8;

    ft_buf_u8(b, n);
    for (unsigned byte = 0; byte < n; byte++) {
        unsigned bits = 0;

        for (unsigned i = byte * 8; i < count && i < byte * 8 + 8; i++)
            bits |= (unsigned)ft_process_bit(key << 16 | (uint16_t)(address + i), now) << (i % 8);
        ft_buf_u8(b, bits);
    }
}

void ft_modbus_write_registers(struct ft_buf *b, uint16_t address, uint16_t count, uint64_t key,
                               uint64_t now)
{
    ft_modbus_request(b, FC_WRITE_REGISTERS, address, count);
    put_registers(b, key, address, count, now);
}

static void put_write_request(struct ft_buf *b, const struct modbus_item *item, uint64_t key,
                              uint64_t now)
{
    uint16_t value = ft_process_value(key, now);

    switch (item->function) {
    case FC_WRITE_COIL:
        ft_modbus_request(b, item->function, item->address, (value & 1) != 0 ? 0xff00 : 0);
        break;
    case FC_WRITE_REGISTER:
        ft_modbus_request(b, item->function, item->address, value);
        break;
    case FC_WRITE_COILS:
        ft_modbus_request(b, item->function, item->address, item->count);
        put_bits(b, key, item->address, item->count, now);
        break;
    case FC_WRITE_REGISTERS:
        ft_modbus_write_registers(b, item->address, item->count, key, now);
        break;
    case FC_MASK_WRITE:
        ft_modbus_request(b, item->function, item->address, 0xfff0);
        ft_buf_be16(b, value & 0xf);
        break;
    default: /* FC_READ_WRITE: reads what stands before the written block */
        ft_modbus_request(b, FC_READ_WRITE, item->address, item->count);
        ft_buf_be16(b, item->address + item->count);
        ft_buf_be16(b, item->count);
        put_registers(b, key, item->address, item->count, now);
        break;
    }
}

static void put_request(struct ft_buf *b, const struct modbus_item *item, uint64_t key,
                        uint64_t now)
{
    if (item->function <= FC_READ_INPUT)
        ft_modbus_request(b, item->function, item->address, item->count);
    else
        put_write_request(b, item, key, now);
}

/* @now of a write answer must be that of its request, because single writes are echoed. */
static void put_answer(struct ft_buf *b, const struct modbus_item *item, uint64_t key, uint64_t now)
{
    switch (item->function) {
    case FC_READ_COILS:
    case FC_READ_DISCRETE:
        ft_buf_u8(b, item->function);
        put_bits(b, key, item->address, item->count, now);
        break;
    case FC_READ_HOLDING:
    case FC_READ_INPUT:
    case FC_READ_WRITE:
        ft_buf_u8(b, item->function);
        put_registers(b, key, item->address, item->count, now);
        break;
    case FC_WRITE_COILS:
    case FC_WRITE_REGISTERS:
        ft_modbus_request(b, item->function, item->address, item->count);
        break;
    default:
        put_write_request(b, item, key, now);
        break;
    }
}

static void put_exception(struct ft_buf *b, uint8_t function, uint8_t code)
{
    ft_buf_u8(b, EXCEPTION | function);
    ft_buf_u8(b, code);
}

static const struct modbus_item *choose_item(const struct modbus_plan *plan, uint32_t poll)
{
    if (plan->write_every > 0 && poll % plan->write_every == plan->write_every - 1u)
        return &plan->writes[poll / plan->write_every % plan->n_writes];
    return &plan->reads[poll / plan->n_units % plan->n_reads];
}

/* One unit of the gateway's list does not exist on the bus: the gateway says so. */
static bool is_silent_unit(const struct modbus_plan *plan, uint8_t unit)
{
    return plan->n_units > 1 && unit == SILENT_UNIT;
}

static void talk_poll(struct ft_conv *conv, struct ft_turn *turn)
{
    const struct modbus_plan *plan = conv->kind->plan;
    const struct modbus_item *item = choose_item(plan, turn->pair);
    uint8_t unit = plan->units[turn->pair % plan->n_units];
    uint64_t key = (uint64_t)conv->server->ip << 8 | unit;
    struct ft_buf *b = turn->out;
    size_t at = 0;

    if (!turn->is_answer)
        conv->memo32 = (uint32_t)((turn->plant->now - turn->plant->start) / FT_MS);

    uint64_t now = turn->plant->start + conv->memo32 * FT_MS;

    if (plan->is_rtu)
        ft_buf_u8(b, unit);
    else
        at = ft_modbus_begin(b, (uint16_t)(turn->pair + 1), unit);
    if (!turn->is_answer)
        put_request(b, item, key, now);
    else if (is_silent_unit(plan, unit))
        put_exception(b, item->function, EXCEPTION_TARGET_SILENT);
    else if (item->address == DELETED_TAG)
        put_exception(b, item->function, EXCEPTION_ILLEGAL_ADDRESS);
    else
        put_answer(b, item, key, now);
    if (plan->is_rtu)
        put_rtu_crc(b);
    else
        ft_modbus_end(b, at);
}

static const uint8_t own_unit[] = {255};
static const uint8_t gateway_poll_units[] = {1, 2, 3, 5, SILENT_UNIT};
static const uint8_t serial_units[] = {1, 2, 10};
const uint8_t ft_modbus_gateway_units[4] = {1, 2, 3, 5};

static const struct modbus_item scada_reads[] = {
    {FC_READ_HOLDING, 0, 40},   {FC_READ_COILS, 0, 24},      {FC_READ_INPUT, 100, 20},
    {FC_READ_DISCRETE, 10, 37}, {FC_READ_HOLDING, 400, 125}, {FC_READ_HOLDING, 0, 40},
};
static const struct modbus_item scada_writes[] = {
    {FC_WRITE_REGISTERS, 200, 4},      {FC_WRITE_COIL, 3, 1},    {FC_WRITE_REGISTER, 210, 1},
    {FC_READ_WRITE, 220, 6},           {FC_WRITE_COILS, 32, 10}, {FC_MASK_WRITE, 230, 1},
    {FC_READ_HOLDING, DELETED_TAG, 2},
};
static const struct modbus_item hmi_reads[] = {{FC_READ_HOLDING, 0, 16}, {FC_READ_COILS, 0, 16}};
static const struct modbus_item historian_reads[] = {{FC_READ_INPUT, 100, 20}};
static const struct modbus_item meter_reads[] = {{FC_READ_INPUT, 0, 12}, {FC_READ_HOLDING, 40, 6}};
static const struct modbus_item drive_writes[] = {{FC_WRITE_REGISTER, 40, 1}};

static const struct modbus_plan scada_plan = {
    .reads = scada_reads,
    .n_reads = 6,
    .writes = scada_writes,
    .n_writes = 7,
    .write_every = 25,
    .units = own_unit,
    .n_units = 1,
};
static const struct modbus_plan hmi_plan = {
    .reads = hmi_reads, .n_reads = 2, .units = own_unit, .n_units = 1};
static const struct modbus_plan historian_plan = {
    .reads = historian_reads, .n_reads = 1, .units = own_unit, .n_units = 1};
static const struct modbus_plan gateway_plan = {
    .reads = meter_reads, .n_reads = 2, .units = gateway_poll_units, .n_units = 5};
static const struct modbus_plan serial_plan = {
    .reads = meter_reads,
    .n_reads = 2,
    .writes = drive_writes,
    .n_writes = 1,
    .write_every = 16,
    .units = serial_units,
    .n_units = 3,
    .is_rtu = true,
};

const struct ft_conv_kind ft_modbus_scada = {
    .talk = talk_poll, .port = 502, .latency_us = 4000, .plan = &scada_plan};
const struct ft_conv_kind ft_modbus_hmi = {
    .talk = talk_poll, .port = 502, .latency_us = 3000, .plan = &hmi_plan};
const struct ft_conv_kind ft_modbus_historian = {
    .talk = talk_poll, .port = 502, .latency_us = 3500, .plan = &historian_plan};
const struct ft_conv_kind ft_modbus_gateway = {
    .talk = talk_poll, .port = 502, .latency_us = 35000, .plan = &gateway_plan};
const struct ft_conv_kind ft_modbus_serial = {
    .talk = talk_poll, .port = 4001, .latency_us = 22000, .plan = &serial_plan};

void ft_modbus_identify_request(struct ft_buf *b, uint8_t code)
{
    ft_buf_u8(b, FC_MEI);
    ft_buf_u8(b, MEI_DEVICE_IDENTIFICATION);
    ft_buf_u8(b, code);
    ft_buf_u8(b, 0);
}

void ft_modbus_identify_answer(struct ft_buf *b, uint8_t code, const char *product,
                               const char *revision)
{
    const char *objects[] = {"Schneider Electric", product, revision,    "www.example.com",
                             "Modicon example",    product, "WATERWORKS"};
    unsigned n = code == 1 ? 3 : 7;

    ft_buf_u8(b, FC_MEI);
    ft_buf_u8(b, MEI_DEVICE_IDENTIFICATION);
    ft_buf_u8(b, code);
    ft_buf_u8(b, 0x82); /* conformity: regular, stream and individual access */
    ft_buf_u8(b, 0);    /* nothing more follows */
    ft_buf_u8(b, 0);
    ft_buf_u8(b, n);
    for (unsigned i = 0; i < n; i++) {
        ft_buf_u8(b, i);
        ft_buf_str8(b, objects[i]);
    }
}

static void talk_identify(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t codes[] = {1, 2};
    size_t n_codes = sizeof(codes);

    if (turn->pair >= n_codes) {
        ft_umas_identify_talk(conv, turn, turn->pair - (uint32_t)n_codes);
        return;
    }
    size_t at = ft_modbus_begin(turn->out, (uint16_t)turn->pair, 255);

    if (turn->is_answer)
        ft_modbus_identify_answer(turn->out, codes[turn->pair], "BMX P34 2020X", "V02.70");
    else
        ft_modbus_identify_request(turn->out, codes[turn->pair]);
    ft_modbus_end(turn->out, at);
}

const struct ft_conv_kind ft_modbus_identify = {
    .talk = talk_identify, .port = 502, .latency_us = 5000};
