/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Modbus PDU (MODBUS Application Protocol V1.1b3, section 6), shared by TCP, RTU and ASCII.
 *
 * For each function one C function reads the request and one the response. A response does not
 * repeat the address: what is needed of the request is kept with it.
 */
#include "modbus_pdu.h"

enum {
    ADDRESS_SPACE = 65536,
    COILS_READ = 2000,
    REGISTERS_READ = 125,
    COILS_WRITTEN = 1968,
    REGISTERS_WRITTEN = 123,
    REGISTERS_EXCHANGED = 121, /* written by function 23 */
    FIFO_REGISTERS = 31,
    FILE_REFERENCE = 6,
    UNANSWERED_BEFORE = 8, /* requests that are passed over to find the one that a response fits */
};

/* Functions with sub-functions, and some of those. */
enum {
    DIAGNOSTICS = 8,
    LISTEN_ONLY = 4,
    MEI = 43,
    MEI_CANOPEN = 13,
    MEI_DEVICE_ID = 14,
};

/* What a request leaves for its response; at most FT_MAX_PAIR_KEEP bytes. */
struct ft_modbus_request {
    uint16_t address;  /* read, or the only one */
    uint16_t quantity; /* or value, or AND mask */
    uint16_t write_address;
    uint16_t write_quantity; /* or OR mask */
    uint16_t sub;
    bool is_set; /* the rest of the structure is known */
};

_Static_assert(sizeof(struct ft_modbus_request) <= FT_MAX_PAIR_KEEP, "kept with a request");

/* A PDU while it is read. */
struct reading {
    struct ft_context *ctx;
    struct ft_modbus_message *m;
    struct ft_view *pdu;           /* after the function code */
    struct ft_modbus_request keep; /* of a request */
};

typedef void read_fn(struct reading *r);

/* ---- before the fields ---------------------------------------------------------------------- */

/* Sub-function or MEI type; `at`: where the function code stands. */
static uint16_t sub_of(const struct ft_view *adu, uint32_t at)
{
    int32_t sub = -1;
    switch (ft_peek_u8(adu, at)) {
    case DIAGNOSTICS:
        sub = ft_peek_u16be(adu, at + 1);
        break;
    case MEI:
        sub = ft_peek_u8(adu, at + 1);
        break;
    }
    return sub < 0 ? 0 : (uint16_t)sub;
}

/* Could the PDU at `at` be the answer to that request? */
static bool is_answer(const struct ft_modbus_request *asked, const struct ft_view *adu, uint32_t at)
{
    int function = ft_peek_u8(adu, at);
    int count = ft_peek_u8(adu, at + 1);
    int32_t address = ft_peek_u16be(adu, at + 1);
    int32_t value = ft_peek_u16be(adu, at + 3);

    if (!asked->is_set || function & (int)FT_MODBUS_EXCEPTION_BIT)
        return true;
    switch (function) {
    case 1:
    case 2:
        return count == (asked->quantity + 7) / 8;
    case 3:
    case 4:
    case 23:
        return count == 2 * asked->quantity;
    case 5:
    case 6:
        return address == asked->address && value == asked->quantity;
    case 15:
    case 16:
        return address == asked->write_address && value == asked->write_quantity;
    case 22:
        return address == asked->address && value == asked->quantity &&
               ft_peek_u16be(adu, at + 5) == asked->write_quantity;
    case DIAGNOSTICS:
    case MEI:
        return sub_of(adu, at) == asked->sub;
    default:
        return true;
    }
}

/*
 * Masters that give every request the same transaction id, and serial lines, which have none, leave
 * unanswered requests in the queue before the one that this response is for: pass over them. When
 * none fits, the first is the one that was answered wrongly.
 */
static void find_request(struct ft_context *ctx, struct ft_modbus_message *m,
                         const struct ft_view *adu, uint32_t at)
{
    const struct ft_modbus_request *first = NULL;

    for (unsigned i = 0; i < UNANSWERED_BEFORE; i++) {
        const struct ft_modbus_request *asked = ft_response(ctx, FT_SCOPE_FLOW, m->key);
        if (!asked)
            break;
        if (is_answer(asked, adu, at)) {
            m->asked = asked;
            return;
        }
        first = first ? first : asked;
    }
    m->asked = first;
    m->is_mismatch = first != NULL;
}

/* Roles belong to the devices themselves, so they are told before the unit is named. */
static void tell_roles(struct ft_context *ctx, const struct ft_modbus_message *m, bool is_unit,
                       int exception)
{
    struct ft_modbus_flow *flow = m->flow;

    if (m->is_request) {
        if (!flow->has_master)
            ft_asset_role(ctx, FT_CLIENT, FT_ROLE_SCADA);
        flow->has_master = 1;
        return;
    }
    bool is_gateway = exception == 10 || exception == 11;
    if (exception < 0 && is_unit) {
        is_gateway = flow->has_unit && flow->first_unit != m->unit;
        flow->first_unit = flow->has_unit ? flow->first_unit : m->unit;
        flow->has_unit = 1;
    }
    if (is_gateway && !flow->is_gateway) {
        ft_asset_role(ctx, FT_SERVER, FT_ROLE_GATEWAY);
        flow->is_gateway = 1;
    }
}

static enum ft_kind kind_of(const struct ft_modbus_message *m)
{
    if (m->is_request)
        return FT_KIND_REQUEST;
    return m->function & FT_MODBUS_EXCEPTION_BIT ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE;
}

void ft_modbus_begin(struct ft_context *ctx, struct ft_modbus_message *m, const struct ft_view *adu,
                     uint32_t at)
{
    int function = ft_peek_u8(adu, at);
    bool is_unit = m->unit != 0 && m->unit != 255;

    m->function = function < 0 ? 0 : (uint8_t)function;
    m->sub = sub_of(adu, at);
    m->asked = NULL;
    m->is_mismatch = false;
    bool is_exception = m->function & FT_MODBUS_EXCEPTION_BIT;
    ft_set_kind(ctx, kind_of(m));
    tell_roles(ctx, m, is_unit, is_exception ? ft_peek_u8(adu, at + 1) : -1);
    ft_subaddress(ctx, FT_SERVER, is_unit ? FT_SUB_UNIT : FT_SUB_NONE, is_unit ? m->unit : 0);
    if (!m->is_request)
        find_request(ctx, m, adu, at);
    if (m->asked && is_exception)
        m->sub = m->asked->sub;
    if (function >= 0)
        ft_command(ctx, m->function & ~FT_MODBUS_EXCEPTION_BIT, m->sub);
}

/* ---- the functions -------------------------------------------------------------------------- */

static void put_coils(struct reading *r, struct ft_view bits, uint32_t quantity)
{
    if (!ft_wants(r->ctx, FT_MODBUS_COILS))
        return;
    quantity = quantity < bits.len * 8 ? quantity : bits.len * 8;
    uint8_t byte = 0;
    for (uint32_t i = 0; i < quantity; i++) {
        byte = i % 8 ? (uint8_t)(byte >> 1) : ft_u8(&bits);
        ft_put_bool(r->ctx, FT_MODBUS_COILS, byte & 1, &bits);
    }
}

static void put_registers(struct reading *r, struct ft_view values)
{
    if (!ft_wants(r->ctx, FT_MODBUS_REGISTERS))
        return;
    while (values.len >= 2) {
        uint16_t value = ft_u16be(&values);
        ft_put_uint(r->ctx, FT_MODBUS_REGISTERS, value, &values);
    }
}

static void check_quantity(struct reading *r, uint32_t quantity, uint32_t limit)
{
    if (quantity == 0 || quantity > limit)
        ft_violation(r->ctx, FT_MODBUS_V_QUANTITY, r->pdu);
}

static void check_range(struct reading *r, uint32_t address, uint32_t quantity)
{
    if (address + quantity > ADDRESS_SPACE)
        ft_violation(r->ctx, FT_MODBUS_V_ADDRESS_RANGE, r->pdu);
}

static void put_read_range(struct reading *r, uint32_t limit)
{
    ft_group_begin(r->ctx, FT_MODBUS_READ);
    r->keep.address = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_READ_ADDRESS, r->keep.address, r->pdu);
    r->keep.quantity = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_READ_QUANTITY, r->keep.quantity, r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_READ);

    if (ft_view_ok(r->pdu)) {
        check_quantity(r, r->keep.quantity, limit);
        check_range(r, r->keep.address, r->keep.quantity);
    }
}

static void read_bits_request(struct reading *r)
{
    put_read_range(r, COILS_READ);
}

static void read_registers_request(struct reading *r)
{
    put_read_range(r, REGISTERS_READ);
}

/*
 * The answer repeats what was asked, because it does not say it itself. `size`: bits of a value, 1
 * or 16. Values nobody wants are only skipped.
 */
static void put_read_values(struct reading *r, uint32_t size)
{
    struct ft_context *ctx = r->ctx;
    const struct ft_modbus_request *asked = r->m->asked;
    bool is_known = asked && asked->is_set;

    ft_group_begin(ctx, FT_MODBUS_READ);
    if (is_known) {
        ft_put_uint(ctx, FT_MODBUS_READ_ADDRESS, asked->address, NULL);
        ft_put_uint(ctx, FT_MODBUS_READ_QUANTITY, asked->quantity, NULL);
    }
    uint8_t count = ft_u8(r->pdu);
    ft_put_uint(ctx, FT_MODBUS_READ_BYTE_COUNT, count, r->pdu);
    if (ft_view_ok(r->pdu) && (count == 0 || count * 8u % size))
        ft_violation(ctx, FT_MODBUS_V_BYTE_COUNT, r->pdu);
    if (!ft_wants(ctx, FT_MODBUS_READ_DATA) && !ft_wants(ctx, FT_MODBUS_COILS) &&
        !ft_wants(ctx, FT_MODBUS_REGISTERS)) {
        ft_skip(r->pdu, count);
        ft_group_end(ctx, FT_MODBUS_READ);
        return;
    }
    struct ft_view values = ft_sub(r->pdu, count);
    ft_put_bytes(ctx, FT_MODBUS_READ_DATA, values);
    ft_group_end(ctx, FT_MODBUS_READ);
    if (size == 1)
        put_coils(r, values, is_known ? asked->quantity : UINT32_MAX);
    else
        put_registers(r, values);
}

static void read_bits_response(struct reading *r)
{
    put_read_values(r, 1);
}

static void read_registers_response(struct reading *r)
{
    put_read_values(r, 16);
}

/* Functions 5 and 6; the answer is an echo. */
static void write_single(struct reading *r)
{
    bool is_coil = r->m->function == 5;

    ft_group_begin(r->ctx, FT_MODBUS_WRITE);
    r->keep.address = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_ADDRESS, r->keep.address, r->pdu);
    struct ft_view data = ft_sub(r->pdu, 2);
    ft_put_bytes(r->ctx, FT_MODBUS_WRITE_DATA, data);
    ft_group_end(r->ctx, FT_MODBUS_WRITE);

    r->keep.quantity = ft_u16be(&data);
    if (!ft_view_ok(r->pdu))
        return;
    if (!is_coil) {
        ft_put_uint(r->ctx, FT_MODBUS_REGISTERS, r->keep.quantity, &data);
        return;
    }
    ft_put_bool(r->ctx, FT_MODBUS_COILS, r->keep.quantity == 0xFF00, &data);
    if (r->keep.quantity != 0xFF00 && r->keep.quantity != 0)
        ft_violation(r->ctx, FT_MODBUS_V_COIL_VALUE, &data);
}

/* The part that the requests of 15, 16 and 23 share; `size`: bits of one value, 1 or 16. */
static void put_write_values(struct reading *r, uint32_t limit, uint32_t size)
{
    ft_group_begin(r->ctx, FT_MODBUS_WRITE);
    r->keep.write_address = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_ADDRESS, r->keep.write_address, r->pdu);
    r->keep.write_quantity = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_QUANTITY, r->keep.write_quantity, r->pdu);
    if (ft_view_ok(r->pdu)) {
        check_quantity(r, r->keep.write_quantity, limit);
        check_range(r, r->keep.write_address, r->keep.write_quantity);
    }
    uint8_t count = ft_u8(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_BYTE_COUNT, count, r->pdu);
    if (ft_view_ok(r->pdu) && count != (r->keep.write_quantity * size + 7) / 8)
        ft_violation(r->ctx, FT_MODBUS_V_BYTE_COUNT, r->pdu);
    struct ft_view values = ft_sub(r->pdu, count);
    ft_put_bytes(r->ctx, FT_MODBUS_WRITE_DATA, values);
    ft_group_end(r->ctx, FT_MODBUS_WRITE);

    if (size == 1)
        put_coils(r, values, r->keep.write_quantity);
    else
        put_registers(r, values);
}

static void write_multiple_request(struct reading *r)
{
    if (r->m->function == 15)
        put_write_values(r, COILS_WRITTEN, 1);
    else
        put_write_values(r, REGISTERS_WRITTEN, 16);
}

static void write_multiple_response(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_WRITE);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_ADDRESS, ft_u16be(r->pdu), r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_QUANTITY, ft_u16be(r->pdu), r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_WRITE);
}

static void exchange_request(struct reading *r)
{
    put_read_range(r, REGISTERS_READ);
    put_write_values(r, REGISTERS_EXCHANGED, 16);
}

static void mask_write(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_WRITE);
    r->keep.address = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_ADDRESS, r->keep.address, r->pdu);
    r->keep.quantity = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_AND_MASK, r->keep.quantity, r->pdu);
    r->keep.write_quantity = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_WRITE_OR_MASK, r->keep.write_quantity, r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_WRITE);
}

static void nothing(struct reading *r)
{
    (void)r;
}

static void exception_status_response(struct reading *r)
{
    ft_put_uint(r->ctx, FT_MODBUS_EXCEPTION_STATUS, ft_u8(r->pdu), r->pdu);
}

static bool is_diagnostic(uint16_t sub)
{
    return sub <= 4 || (sub >= 10 && sub <= 21);
}

static void diagnostics(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_DIAGNOSTIC);
    uint16_t sub = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DIAGNOSTIC_RAW, sub, r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DIAGNOSTIC_CODE, sub, r->pdu);
    if (ft_view_ok(r->pdu) && !is_diagnostic(sub))
        ft_violation(r->ctx, FT_MODBUS_V_SUBFUNCTION, r->pdu);
    ft_put_bytes(r->ctx, FT_MODBUS_DIAGNOSTIC_DATA, ft_rest(r->pdu));
    ft_group_end(r->ctx, FT_MODBUS_DIAGNOSTIC);
}

static void comm_counter_response(struct reading *r)
{
    ft_put_uint(r->ctx, FT_MODBUS_COMM_STATUS, ft_u16be(r->pdu), r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_EVENT_COUNT, ft_u16be(r->pdu), r->pdu);
}

static void comm_log_response(struct reading *r)
{
    struct ft_view v = ft_sub_u8(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_COMM_STATUS, ft_u16be(&v), &v);
    ft_put_uint(r->ctx, FT_MODBUS_EVENT_COUNT, ft_u16be(&v), &v);
    ft_put_uint(r->ctx, FT_MODBUS_MESSAGE_COUNT, ft_u16be(&v), &v);
    if (!ft_view_ok(&v) && ft_view_ok(r->pdu))
        ft_violation(r->ctx, FT_MODBUS_V_BYTE_COUNT, r->pdu);
    ft_put_bytes(r->ctx, FT_MODBUS_EVENTS, ft_rest(&v));
}

/* The longest run of printable ASCII, at least four characters, blanks around it left out. */
static struct ft_view longest_text(struct ft_view v)
{
    struct ft_view best = ft_view_empty();
    const uint8_t *start = v.data;

    for (bool more = true; more;) {
        const uint8_t *here = v.data;
        more = v.len > 0;
        uint8_t byte = more ? ft_u8(&v) : 0;
        if (byte >= 0x20 && byte < 0x7F)
            continue;
        uint32_t length = (uint32_t)(here - start);
        if (length >= 4 && length > best.len)
            best = ft_view_make(start, length, false);
        start = v.data;
    }
    while (best.len && best.data[0] == ' ')
        ft_skip(&best, 1);
    return best;
}

/*
 * Function 17: the id is the vendor's own; most send one byte of id and then the run indicator.
 * Only that layout is taken for an indicator.
 */
static void server_id_response(struct reading *r)
{
    struct ft_view v = ft_sub_u8(r->pdu);
    struct ft_view text = longest_text(v);
    int run = ft_peek_u8(&v, 1);

    ft_group_begin(r->ctx, FT_MODBUS_SERVER_ID);
    ft_put_bytes(r->ctx, FT_MODBUS_SERVER_ID_DATA, v);
    if (text.len)
        ft_put_string(r->ctx, FT_MODBUS_SERVER_ID_TEXT, text);
    if (run == 0x00 || run == 0xFF)
        ft_put_uint(r->ctx, FT_MODBUS_SERVER_ID_RUN, (uint64_t)run, NULL);
    ft_group_end(r->ctx, FT_MODBUS_SERVER_ID);

    if (!ft_view_ok(r->pdu))
        return;
    if (text.len)
        ft_asset(r->ctx, FT_SERVER, FT_FACT_DESCRIPTION, text);
    if (run == 0x00 || run == 0xFF)
        ft_asset_text(r->ctx, FT_SERVER, FT_FACT_MODE, run ? "run" : "stop");
}

static void put_reference_type(struct reading *r, struct ft_view *v)
{
    uint8_t type = ft_u8(v);
    ft_put_uint(r->ctx, FT_MODBUS_RECORD_TYPE, type, v);
    if (ft_view_ok(v) && type != FILE_REFERENCE)
        ft_violation(r->ctx, FT_MODBUS_V_REFERENCE_TYPE, v);
}

/* Type, file, record and length of one record; returns the length in registers. */
static uint16_t put_record(struct reading *r, struct ft_view *v)
{
    put_reference_type(r, v);
    ft_put_uint(r->ctx, FT_MODBUS_RECORD_FILE, ft_u16be(v), v);
    ft_put_uint(r->ctx, FT_MODBUS_RECORD_NUMBER, ft_u16be(v), v);
    uint16_t length = ft_u16be(v);
    ft_put_uint(r->ctx, FT_MODBUS_RECORD_LENGTH, length, v);
    return length;
}

/* Sub-requests fill the byte count exactly: what is left over makes the count wrong. */
static void check_records(struct reading *r, const struct ft_view *v)
{
    if (!ft_view_ok(v) && ft_view_ok(r->pdu))
        ft_violation(r->ctx, FT_MODBUS_V_BYTE_COUNT, r->pdu);
}

static void file_read_request(struct reading *r)
{
    struct ft_view v = ft_sub_u8(r->pdu);

    while (v.len) {
        ft_group_begin(r->ctx, FT_MODBUS_RECORDS);
        put_record(r, &v);
        ft_group_end(r->ctx, FT_MODBUS_RECORDS);
    }
    check_records(r, &v);
}

static void file_read_response(struct reading *r)
{
    struct ft_view v = ft_sub_u8(r->pdu);

    while (v.len) {
        struct ft_view record = ft_sub_u8(&v);
        ft_group_begin(r->ctx, FT_MODBUS_RECORDS);
        put_reference_type(r, &record);
        ft_put_uint(r->ctx, FT_MODBUS_RECORD_LENGTH, record.len / 2, NULL);
        ft_put_bytes(r->ctx, FT_MODBUS_RECORD_DATA, record);
        ft_group_end(r->ctx, FT_MODBUS_RECORDS);
    }
    check_records(r, &v);
}

static void file_write(struct reading *r)
{
    struct ft_view v = ft_sub_u8(r->pdu);

    while (v.len) {
        ft_group_begin(r->ctx, FT_MODBUS_RECORDS);
        uint16_t length = put_record(r, &v);
        ft_put_bytes(r->ctx, FT_MODBUS_RECORD_DATA, ft_sub(&v, 2u * length));
        ft_group_end(r->ctx, FT_MODBUS_RECORDS);
    }
    check_records(r, &v);
}

static void fifo_request(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_READ);
    r->keep.address = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_READ_ADDRESS, r->keep.address, r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_READ);
}

static void fifo_response(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_READ);
    if (r->m->asked && r->m->asked->is_set)
        ft_put_uint(r->ctx, FT_MODBUS_READ_ADDRESS, r->m->asked->address, NULL);
    uint16_t bytes = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_READ_BYTE_COUNT, bytes, r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_READ);

    uint16_t count = ft_u16be(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_FIFO_COUNT, count, r->pdu);
    if (!ft_view_ok(r->pdu))
        return;
    if (count > FIFO_REGISTERS)
        ft_violation(r->ctx, FT_MODBUS_V_QUANTITY, r->pdu);
    if (bytes != 2u + 2u * count)
        ft_violation(r->ctx, FT_MODBUS_V_BYTE_COUNT, r->pdu);
    put_registers(r, ft_sub(r->pdu, 2u * count));
}

/* ---- device identification ------------------------------------------------------------------ */

static void put_object(struct reading *r, uint8_t id, struct ft_view value)
{
    static const uint8_t fields[] = {
        FT_MODBUS_DEVICE_VENDOR,   FT_MODBUS_DEVICE_PRODUCT_CODE, FT_MODBUS_DEVICE_REVISION,
        FT_MODBUS_DEVICE_URL,      FT_MODBUS_DEVICE_PRODUCT_NAME, FT_MODBUS_DEVICE_MODEL,
        FT_MODBUS_DEVICE_USER_APP,
    };
    if (id < sizeof(fields)) {
        ft_put_string(r->ctx, fields[id], value);
        return;
    }
    ft_group_begin(r->ctx, FT_MODBUS_DEVICE_OBJECTS);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_OBJECTS_ID, id, NULL);
    ft_put_bytes(r->ctx, FT_MODBUS_DEVICE_OBJECTS_VALUE, value);
    ft_group_end(r->ctx, FT_MODBUS_DEVICE_OBJECTS);
}

/* Model is the product code: it is in every answer, product and model name are optional. */
static void tell_object(struct reading *r, uint8_t id, struct ft_view value)
{
    static const uint8_t facts[] = {
        FT_FACT_VENDOR, FT_FACT_MODEL, FT_FACT_FIRMWARE, 0, FT_FACT_DESCRIPTION, 0, FT_FACT_NAME};
    if (id < sizeof(facts) && facts[id] && value.len)
        ft_asset(r->ctx, FT_SERVER, (enum ft_fact)facts[id], value);
}

static void device_id_request(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_DEVICE);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_READ_CODE, ft_u8(r->pdu), r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_OBJECT_ID, ft_u8(r->pdu), r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_DEVICE);
}

static void device_id_response(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_DEVICE);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_READ_CODE, ft_u8(r->pdu), r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_CONFORMITY, ft_u8(r->pdu), r->pdu);
    ft_put_bool(r->ctx, FT_MODBUS_DEVICE_MORE, ft_u8(r->pdu) != 0, r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_NEXT, ft_u8(r->pdu), r->pdu);
    uint8_t count = ft_u8(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_DEVICE_COUNT, count, r->pdu);

    for (uint32_t n = ft_count(r->pdu, count, 2); n; n--) {
        uint8_t id = ft_u8(r->pdu);
        struct ft_view value = ft_sub_u8(r->pdu);
        if (!ft_view_ok(r->pdu))
            break;
        put_object(r, id, value);
        tell_object(r, id, value);
    }
    ft_group_end(r->ctx, FT_MODBUS_DEVICE);
}

static void encapsulated(struct reading *r)
{
    ft_group_begin(r->ctx, FT_MODBUS_MEI);
    uint8_t mei = ft_u8(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_MEI_RAW, mei, r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_MEI_CODE, mei, r->pdu);
    if (ft_view_ok(r->pdu) && mei != MEI_CANOPEN && mei != MEI_DEVICE_ID)
        ft_violation(r->ctx, FT_MODBUS_V_SUBFUNCTION, r->pdu);
    struct ft_view data = *r->pdu;
    ft_put_bytes(r->ctx, FT_MODBUS_MEI_DATA, ft_rest(&data));
    ft_group_end(r->ctx, FT_MODBUS_MEI);

    if (mei != MEI_DEVICE_ID)
        ft_rest(r->pdu);
    else if (r->m->is_request)
        device_id_request(r);
    else
        device_id_response(r);
}

/* ---- the PDU -------------------------------------------------------------------------------- */

/* Who reads a request and a response; nobody: functions without a layout that is known. */
static const struct {
    read_fn *request, *response;
} readers[128] = {
    [1] = {read_bits_request, read_bits_response},
    [2] = {read_bits_request, read_bits_response},
    [3] = {read_registers_request, read_registers_response},
    [4] = {read_registers_request, read_registers_response},
    [5] = {write_single, write_single},
    [6] = {write_single, write_single},
    [7] = {nothing, exception_status_response},
    [8] = {diagnostics, diagnostics},
    [11] = {nothing, comm_counter_response},
    [12] = {nothing, comm_log_response},
    [15] = {write_multiple_request, write_multiple_response},
    [16] = {write_multiple_request, write_multiple_response},
    [17] = {nothing, server_id_response},
    [20] = {file_read_request, file_read_response},
    [21] = {file_write, file_write},
    [22] = {mask_write, mask_write},
    [23] = {exchange_request, read_registers_response},
    [24] = {fifo_request, fifo_response},
    [MEI] = {encapsulated, encapsulated},
};

static void read_exception(struct reading *r)
{
    static const uint8_t refusals[] = {
        [1] = FT_MODBUS_V_ILLEGAL_FUNCTION,
        [2] = FT_MODBUS_V_ILLEGAL_ADDRESS,
        [3] = FT_MODBUS_V_ILLEGAL_VALUE,
        [4] = FT_MODBUS_V_SERVER_FAILURE,
    };
    ft_group_begin(r->ctx, FT_MODBUS_EXCEPTION);
    uint8_t code = ft_u8(r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_EXCEPTION_RAW, code, r->pdu);
    ft_put_uint(r->ctx, FT_MODBUS_EXCEPTION_CODE, code, r->pdu);
    ft_group_end(r->ctx, FT_MODBUS_EXCEPTION);
    if (!ft_view_ok(r->pdu))
        return;
    if (r->m->is_request) {
        ft_violation(r->ctx, FT_MODBUS_V_EXCEPTION_FROM_MASTER, r->pdu);
        return;
    }
    ft_violation(r->ctx, FT_MODBUS_V_EXCEPTION, r->pdu);
    if (code >= 1 && code <= 4)
        ft_violation(r->ctx, refusals[code], r->pdu);
    else if (code == 0 || code == 9 || code > 11)
        ft_violation(r->ctx, FT_MODBUS_V_UNKNOWN_EXCEPTION, r->pdu);
}

/* Reserved functions that are known: their class is an alert, and says what is wrong with them. */
static bool is_alert_by_class(uint8_t function)
{
    switch (function) {
    case 9:   /* program 484 */
    case 13:  /* program controller */
    case 18:  /* program 884 */
    case 19:  /* reset communication link */
    case 40:  /* program Concept */
    case 125: /* firmware replacement */
    case 126: /* program Modicon */
        return true;
    default:
        return false;
    }
}

/* Functions without a layout here: a child protocol's, or bytes. */
static void read_opaque(struct reading *r)
{
    bool is_told = r->m->function == FT_MODBUS_UMAS || is_alert_by_class(r->m->function);

    if (!is_told && !r->m->asked && ft_modbus_category(r->m->function) == FT_MODBUS_RESERVED)
        ft_violation(r->ctx, FT_MODBUS_V_RESERVED_FUNCTION, r->pdu);
    if (r->m->function == 0)
        ft_violation(r->ctx, FT_MODBUS_V_FUNCTION_ZERO, r->pdu);
    struct ft_view data = ft_rest(r->pdu);
    if (data.len) {
        ft_put_bytes(r->ctx, FT_MODBUS_DATA, data);
        ft_child(r->ctx, r->m->child_selector, data);
    }
}

static void put_function(struct reading *r)
{
    struct ft_context *ctx = r->ctx;
    uint8_t function = ft_u8(r->pdu);
    uint8_t code = function & (uint8_t)~FT_MODBUS_EXCEPTION_BIT;

    ft_put_bool(ctx, FT_MODBUS_IS_RESPONSE, !r->m->is_request, NULL);
    ft_put_uint(ctx, FT_MODBUS_FUNCTION_RAW, function, r->pdu);
    ft_put_uint(ctx, FT_MODBUS_FUNCTION_CODE, code, r->pdu);
    if (ft_wants(ctx, FT_MODBUS_ACCESS_TYPE) && ft_modbus_access(code))
        ft_put_uint(ctx, FT_MODBUS_ACCESS_TYPE, ft_modbus_access(code), r->pdu);
    if (ft_wants(ctx, FT_MODBUS_CATEGORY))
        ft_put_uint(ctx, FT_MODBUS_CATEGORY, ft_modbus_category(code), r->pdu);
}

static bool is_answered(const struct ft_modbus_message *m)
{
    return !m->is_broadcast && !(m->function == DIAGNOSTICS && m->sub == LISTEN_ONLY) &&
           !(m->function & FT_MODBUS_EXCEPTION_BIT);
}

static void remember(struct reading *r)
{
    r->keep.sub = r->m->sub;
    r->keep.is_set = ft_view_ok(r->pdu);
    r->m->flow->requests++;
    ft_request(r->ctx, FT_SCOPE_FLOW, r->m->key, &r->keep, sizeof(r->keep));
}

/*
 * Somebody who was not asked. Only a flow seen from its start, with both directions, can tell, and
 * one response more than requests may be a capture that swapped two packets.
 */
static void check_asked(struct reading *r)
{
    struct ft_modbus_flow *flow = r->m->flow;

    flow->responses++;
    if (!r->m->asked && flow->requests && flow->responses > flow->requests + 1 &&
        r->ctx->transport == FT_TRANSPORT_TCP && !r->ctx->is_midstream)
        ft_violation(r->ctx, FT_MODBUS_V_RESPONSE_UNASKED, NULL);
}

void ft_modbus_read(struct ft_context *ctx, struct ft_modbus_message *m, struct ft_view *pdu)
{
    struct reading r = {.ctx = ctx, .m = m, .pdu = pdu};
    uint8_t code = m->function & (uint8_t)~FT_MODBUS_EXCEPTION_BIT;
    read_fn *read = m->is_request ? readers[code].request : readers[code].response;

    if (!pdu->len) {
        ft_view_fail(pdu);
        return;
    }
    put_function(&r);
    if (m->is_mismatch)
        ft_violation(ctx, FT_MODBUS_V_RESPONSE_MISMATCH, pdu);
    if (m->function & FT_MODBUS_EXCEPTION_BIT) {
        if (!m->is_request && m->function == (FT_MODBUS_UMAS | FT_MODBUS_EXCEPTION_BIT))
            ft_child(ctx, m->child_selector, *pdu);
        read_exception(&r);
    } else if (read) {
        read(&r);
    } else {
        read_opaque(&r);
    }
    ft_expect_end(ctx, pdu);

    if (!m->is_request)
        check_asked(&r);
    else if (is_answered(m))
        remember(&r);
}
