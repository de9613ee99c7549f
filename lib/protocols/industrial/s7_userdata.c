/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S7comm userdata: groups of functions for programming, test, cyclic reading, blocks, diagnosis,
 * alarms, passwords, clocks. Answers may come in parts, each fetched by a request of its own.
 */
#include "s7.h"

/* Types of userdata. The NC types are those of numerical controls. */
enum userdata_type {
    UD_PUSH = 0,
    UD_NC_PUSH = 3,
    UD_REQUEST = 4,
    UD_NC_REQUEST = 7,
    UD_RESPONSE = 8,
    UD_NC_RESPONSE = 11,
};

enum programmer_function {
    PROGRAMMER_VARIABLE_STATUS = 0x02,
    PROGRAMMER_MODIFY = 0x08,
    PROGRAMMER_FORCE = 0x09,
    PROGRAMMER_MEMORY_RESET = 0x0c,
};

enum cyclic_function {
    CYCLIC_READ = 0x01,
    CYCLIC_UNSUBSCRIBE = 0x04,
    CYCLIC_CHANGE = 0x05,
    CYCLIC_CHANGE_MODIFY = 0x07,
};

enum block_function {
    BLOCK_LIST = 0x01,
    BLOCK_LIST_TYPE = 0x02,
    BLOCK_INFO = 0x03,
};

enum time_function {
    TIME_READ = 0x01,
    TIME_SET = 0x02,
    TIME_READ_2 = 0x03,
    TIME_SET_2 = 0x04,
};

#define SECURITY_PASSWORD  0x01
#define TEST_PARAMETERS    20u /* bytes of the parameters of a test job: ten numbers */
#define NS_PER_MILLISECOND 1000000ull

/* The parameters of userdata. */
struct userdata {
    uint8_t method;
    uint8_t type;
    uint8_t group;
    uint8_t subfunction;
    uint8_t sequence;
    uint8_t unit; /* data unit reference, 0 = not in parts */
    uint8_t is_last;
    uint16_t error;
};

static bool is_request(const struct userdata *ud)
{
    return ud->type == UD_REQUEST || ud->type == UD_NC_REQUEST;
}

static bool is_response(const struct userdata *ud)
{
    return ud->type == UD_RESPONSE || ud->type == UD_NC_RESPONSE;
}

static struct userdata read_parameters(struct ft_view *v)
{
    struct userdata ud = {.is_last = 1};
    ft_skip(v, 4);
    ud.method = ft_u8(v);
    uint8_t type = ft_u8(v);
    ud.type = type >> 4;
    ud.group = type & 15;
    ud.subfunction = ft_u8(v);
    ud.sequence = ft_u8(v);
    if (v->len >= 4) {
        ud.unit = ft_u8(v);
        ud.is_last = ft_u8(v) == 0;
        ud.error = ft_u16be(v);
    }
    return ud;
}

/* ---- clocks -------------------------------------------------------------------------------- */

static uint32_t from_bcd(uint8_t b)
{
    return (uint32_t)(b >> 4) * 10 + (b & 15);
}

/* Days since 1970 of a date of the years 1970 to 2099. */
static uint64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    uint64_t days = (uint64_t)(year - 1970) * 365 + (year - 1969) / 4 + before[month - 1] + day - 1;
    return days + (month > 2 && year % 4 == 0);
}

uint64_t s7_read_clock(struct ft_view *v)
{
    uint32_t year = from_bcd(ft_u8(v));
    uint32_t month = from_bcd(ft_u8(v));
    uint32_t day = from_bcd(ft_u8(v));
    uint32_t hour = from_bcd(ft_u8(v));
    uint32_t minute = from_bcd(ft_u8(v));
    uint32_t second = from_bcd(ft_u8(v));
    uint16_t rest = ft_u16be(v);
    uint32_t milliseconds = from_bcd((uint8_t)(rest >> 8)) * 10 + (uint32_t)(rest >> 4 & 15);

    v->last_len = ft_view_ok(v) ? 8 : 0;
    if (!ft_view_ok(v) || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 59)
        return 0;
    year += year < 90 ? 2000 : 1900;
    uint64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return (seconds * 1000 + milliseconds) * NS_PER_MILLISECOND;
}

static void put_clock(struct ft_context *ctx, uint32_t field, struct ft_view *v)
{
    uint64_t time = s7_read_clock(v);
    if (time)
        ft_put_uint(ctx, field, time, v);
}

static void read_time(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v)
{
    bool is_set = ud->subfunction == TIME_SET || ud->subfunction == TIME_SET_2;
    if (is_request(ud) != is_set || v->len < 10)
        return;
    ft_skip(v, 2);
    put_clock(ctx, S7_F_TIME, v);
}

/* ---- mode and events ----------------------------------------------------------------------- */

static void read_mode(struct ft_context *ctx, const struct userdata *ud, const struct ft_view *at)
{
    static const uint8_t modes[] = {
        [0x00] = S7_MODE_STOP,          [0x01] = S7_MODE_WARM_RESTART,
        [0x02] = S7_MODE_RUN,           [0x03] = S7_MODE_HOT_RESTART,
        [0x04] = S7_MODE_HOLD,          [0x06] = S7_MODE_COLD_RESTART,
        [0x09] = S7_MODE_RUN_REDUNDANT, [0x0b] = S7_MODE_LINK_UP,
        [0x0c] = S7_MODE_UPDATE,
    };
    if (ud->subfunction < sizeof(modes) && modes[ud->subfunction])
        s7_put_mode(ctx, modes[ud->subfunction], at);
}

void s7_read_event(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, S7_F_EVENTS);
    ft_put_uint(ctx, S7_F_EVENT_ID, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_EVENT_PRIORITY, ft_u8(v), v);
    ft_put_uint(ctx, S7_F_EVENT_OB, ft_u8(v), v);
    ft_skip(v, 2);
    ft_put_uint(ctx, S7_F_EVENT_INFO1, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_EVENT_INFO2, ft_u32be(v), v);
    put_clock(ctx, S7_F_EVENT_TIME, v);
    ft_group_end(ctx, S7_F_EVENTS);
}

/* ---- programmer functions ------------------------------------------------------------------ */

/* An address of a test job: area and size in one byte, repetition or bit, data block, byte. */
static struct s7_kept_item read_test_address(struct ft_view *v)
{
    static const uint8_t areas[8] = {S7_AREA_M, S7_AREA_I,     S7_AREA_Q,       S7_AREA_P,
                                     0,         S7_AREA_TIMER, S7_AREA_COUNTER, S7_AREA_DB};
    static const uint8_t sizes[4] = {S7_BIT, S7_BYTE, S7_WORD, S7_DWORD};
    struct s7_kept_item item = {0};
    uint8_t place = ft_u8(v);
    uint8_t repetition = ft_u8(v);
    uint32_t address;

    item.area = areas[place >> 4 & 7];
    item.db = ft_u16be(v);
    address = ft_u16be(v);
    if (item.area == S7_AREA_TIMER || item.area == S7_AREA_COUNTER) {
        item.type = S7_WORD;
    } else {
        item.type = sizes[place & 3];
        address = address << 3 | (item.type == S7_BIT ? repetition & 7u : 0);
    }
    item.elements = item.type == S7_BIT ? 1 : repetition;
    item.address_high = (uint8_t)(address >> 16);
    item.address_low = (uint16_t)address;
    return item;
}

static void read_test_items(struct ft_context *ctx, struct ft_view *v, bool has_values)
{
    uint32_t count = ft_u16be(v);
    struct ft_view values = *v;
    ft_put_uint(ctx, S7_F_ITEM_COUNT, count, v);
    uint32_t n = ft_count(v, count, 6);
    if (has_values)
        ft_skip(&values, n * 6);
    for (uint32_t i = 0; i < n && ft_view_ok(v); i++) {
        struct s7_kept_item item = read_test_address(v);
        ft_group_begin(ctx, S7_F_ITEMS);
        s7_put_item(ctx, &item, v);
        if (has_values && ft_view_ok(&values))
            s7_read_value(ctx, &values, i + 1 == count, false, &item);
        ft_group_end(ctx, S7_F_ITEMS);
    }
}

static void read_programmer(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v)
{
    if (!is_request(ud) || v->len < 4)
        return;
    uint16_t parameter_length = ft_u16be(v);
    uint16_t data_length = ft_u16be(v);
    struct ft_view parameters = ft_sub(v, parameter_length);
    struct ft_view data = ft_sub(v, data_length);
    if (parameter_length == TEST_PARAMETERS) {
        ft_skip(&parameters, TEST_PARAMETERS - 2);
        ft_put_uint(ctx, S7_F_TRIGGER, ft_u16be(&parameters), &parameters);
    }
    if (data.len < 2)
        return;
    if (ud->subfunction == PROGRAMMER_VARIABLE_STATUS)
        read_test_items(ctx, &data, false);
    else if (ud->subfunction == PROGRAMMER_MODIFY || ud->subfunction == PROGRAMMER_FORCE)
        read_test_items(ctx, &data, true);
}

/* ---- cyclic reading ------------------------------------------------------------------------ */

static void read_cyclic(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v)
{
    static const uint32_t bases[] = {100, 1000, 10000};
    struct s7_kept kept = {0};

    if (ud->subfunction == CYCLIC_UNSUBSCRIBE) {
        if (is_request(ud) && v->len >= 2) {
            ft_skip(v, 1);
            ft_put_uint(ctx, S7_F_JOB_ID, ft_u8(v), v);
        }
        return;
    }
    if (ud->subfunction != CYCLIC_READ && ud->subfunction != CYCLIC_CHANGE &&
        ud->subfunction != CYCLIC_CHANGE_MODIFY)
        return;
    if (v->len < 2)
        return;
    uint32_t count = ft_u16be(v);
    ft_put_uint(ctx, S7_F_ITEM_COUNT, count, v);
    if (!is_request(ud)) {
        ft_put_uint(ctx, S7_F_JOB_ID, ud->sequence, NULL);
        s7_read_results(ctx, v, count, NULL);
        return;
    }
    uint8_t base = ft_u8(v);
    uint8_t factor = ft_u8(v);
    if (base < 3)
        ft_put_uint(ctx, S7_F_INTERVAL, bases[base] * factor, v);
    s7_read_items(ctx, v, count, &kept, NULL);
}

/* ---- blocks -------------------------------------------------------------------------------- */

static void list_blocks(struct ft_context *ctx, struct ft_view *v, bool is_of_type)
{
    while (v->len >= 4) {
        ft_group_begin(ctx, S7_F_BLOCKS);
        if (is_of_type) {
            ft_put_uint(ctx, S7_F_BLOCKS_NUMBER, ft_u16be(v), v);
            ft_skip(v, 1);
            ft_put_uint(ctx, S7_F_BLOCKS_LANGUAGE, ft_u8(v), v);
        } else {
            ft_put_uint(ctx, S7_F_BLOCKS_TYPE, ft_u16be(v), v);
            ft_put_uint(ctx, S7_F_BLOCKS_COUNT, ft_u16be(v), v);
        }
        ft_group_end(ctx, S7_F_BLOCKS);
    }
}

static void read_block_function(struct ft_context *ctx, const struct userdata *ud,
                                struct ft_view *v)
{
    if (is_request(ud)) {
        if (ud->subfunction == BLOCK_LIST_TYPE && v->len >= 2)
            ft_put_uint(ctx, S7_F_BLOCK_TYPE, ft_u16be(v), v);
        if (ud->subfunction == BLOCK_INFO && v->len >= 8) {
            s7_read_block_id(ctx, v, NULL);
            ft_put_uint(ctx, S7_F_BLOCK_DESTINATION, ft_u8(v), v);
        }
        return;
    }
    if (ud->subfunction == BLOCK_LIST || ud->subfunction == BLOCK_LIST_TYPE)
        list_blocks(ctx, v, ud->subfunction == BLOCK_LIST_TYPE);
    else if (ud->subfunction == BLOCK_INFO)
        s7_read_block_info(ctx, v);
}

/* ---- alarms -------------------------------------------------------------------------------- */

/* Values that go with an alarm: as data items. */
static void skip_alarm_values(struct ft_view *v, uint32_t count)
{
    uint32_t n = ft_count(v, count, 4);
    for (uint32_t i = 0; i < n && v->len; i++) {
        ft_skip(v, 1);
        uint8_t type = ft_u8(v);
        uint32_t length = ft_u16be(v);
        if (type >= S7_DATA_BIT && type <= S7_DATA_INT)
            length = (length + 7) / 8;
        ft_skip(v, length);
        if (length & 1 && v->len)
            ft_skip(v, 1);
    }
}

static void read_alarm_query(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 1);
    uint8_t kind = ft_u8(v);
    ft_put_uint(ctx, S7_F_ALARM_QUERY, kind, v);
    ft_skip(v, 1);
    uint32_t value = ft_u32be(v);
    if (kind == 1)
        ft_put_uint(ctx, S7_F_ALARM_TYPE, value, v);
}

static void read_alarm(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 1);
    struct ft_view object = ft_sub_u8(v);
    uint8_t syntax = ft_u8(&object);
    uint8_t values = 0;

    if (syntax == S7_ALARM_QUERY) {
        read_alarm_query(ctx, &object);
        return;
    }
    ft_group_begin(ctx, S7_F_ALARMS);
    ft_put_uint(ctx, S7_F_ALARM_SYNTAX, syntax, &object);
    values = ft_u8(&object);
    ft_put_uint(ctx, S7_F_ALARM_EVENT_ID, ft_u32be(&object), &object);
    if (syntax == S7_ALARM_IND && object.len >= 4) {
        ft_skip(&object, 1);
        ft_put_uint(ctx, S7_F_ALARM_STATE, ft_u8(&object), &object);
    }
    if ((syntax == S7_ALARM_IND || syntax == S7_ALARM_ACK) && object.len >= 2) {
        ft_put_uint(ctx, S7_F_ALARM_ACK_GOING, ft_u8(&object), &object);
        ft_put_uint(ctx, S7_F_ALARM_ACK_COMING, ft_u8(&object), &object);
    }
    ft_group_end(ctx, S7_F_ALARMS);
    if (syntax == S7_ALARM_IND || syntax == S7_NOTIFY_IND)
        skip_alarm_values(v, values);
}

/* A clock (only in indications), a function, a count, the objects. */
static void read_alarms(struct ft_context *ctx, struct ft_view *v)
{
    if (ft_peek_u8(v, 2) != 0x12 && ft_peek_u8(v, 10) == 0x12)
        put_clock(ctx, S7_F_TIME, v);
    if (ft_peek_u8(v, 2) != 0x12)
        return;
    ft_skip(v, 1);
    uint32_t count = ft_u8(v);
    ft_put_uint(ctx, S7_F_ALARM_COUNT, count, v);
    uint32_t n = ft_count(v, count, 3);
    for (uint32_t i = 0; i < n && v->len >= 3 && ft_peek_u8(v, 0) == 0x12; i++)
        read_alarm(ctx, v);
}

/* ---- CPU functions ------------------------------------------------------------------------- */

static void read_message_service(struct ft_context *ctx, struct ft_view *v)
{
    if (v->len < 10)
        return;
    ft_put_uint(ctx, S7_F_EVENTS_WANTED, ft_u8(v), v);
    ft_skip(v, 1);
    ft_put_string(ctx, S7_F_USER, ft_sub(v, 8));
}

static void read_szl_request(struct ft_context *ctx, struct ft_view *v, struct s7_kept *kept)
{
    if (v->len < 4)
        return;
    kept->szl.id = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SZL_ID, kept->szl.id, v);
    kept->szl.index = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SZL_INDEX, kept->szl.index, v);
}

static void read_cpu(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v,
                     struct s7_kept *kept)
{
    switch (ud->subfunction) {
    case S7_CPU_READ_SZL:
        if (is_request(ud))
            read_szl_request(ctx, v, kept);
        else if (v->len >= 8)
            s7_read_szl(ctx, v);
        break;
    case S7_CPU_MESSAGES:
        if (is_request(ud))
            read_message_service(ctx, v);
        break;
    case S7_CPU_DIAGNOSTIC:
        if (v->len >= 20)
            s7_read_event(ctx, v);
        break;
    default:
        if (!is_response(ud))
            read_alarms(ctx, v);
        break;
    }
}

static void read_security(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v)
{
    if (!is_request(ud) || ud->subfunction != SECURITY_PASSWORD || !v->len)
        return;
    ft_put_bool(ctx, S7_F_PASSWORD_SEEN, true, v);
    ft_put_bytes(ctx, S7_F_PASSWORD, ft_rest(v));
}

/* BSEND: the identification by which the receiving block finds its data. */
static void read_block_send(struct ft_context *ctx, struct ft_view *v)
{
    struct s7_kept kept = {0};
    if (ft_peek_u8(v, 0) == 0x12)
        s7_read_items(ctx, v, 1, &kept, NULL);
}

static void read_function(struct ft_context *ctx, const struct userdata *ud, struct ft_view *v,
                          struct s7_kept *kept)
{
    switch (ud->group) {
    case S7_GROUP_PROGRAMMER:
        read_programmer(ctx, ud, v);
        break;
    case S7_GROUP_CYCLIC:
        read_cyclic(ctx, ud, v);
        break;
    case S7_GROUP_BLOCK:
        read_block_function(ctx, ud, v);
        break;
    case S7_GROUP_CPU:
        read_cpu(ctx, ud, v, kept);
        break;
    case S7_GROUP_SECURITY:
        read_security(ctx, ud, v);
        break;
    case S7_GROUP_PBC:
        read_block_send(ctx, v);
        break;
    case S7_GROUP_TIME:
        read_time(ctx, ud, v);
        break;
    default:
        break;
    }
}

/* ---- the PDU ------------------------------------------------------------------------------- */

/*
 * Requests come from the client, all else from the controller. Two exceptions: with BSEND both
 * sides may begin, and the data of a program for a numerical control is pushed by either side.
 */
static void direct(struct ft_context *ctx, const struct userdata *ud)
{
    if (ud->group == S7_GROUP_PBC || ud->type == UD_NC_PUSH)
        return;
    ft_set_direction(ctx, is_request(ud) ? FT_TO_SERVER : FT_TO_CLIENT);
}

static enum ft_kind kind_of(const struct userdata *ud)
{
    if (is_request(ud))
        return FT_KIND_REQUEST;
    if (is_response(ud))
        return ud->error ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE;
    return FT_KIND_UNSOLICITED;
}

/* Put what read_parameters() read, once it is known what is wanted. */
static void put_parameters(struct ft_context *ctx, const struct userdata *ud, struct ft_view v)
{
    ft_skip(&v, 4);
    ft_put_uint(ctx, S7_F_UD_METHOD, ft_u8(&v), &v);
    ft_skip(&v, 1);
    ft_put_uint(ctx, S7_F_UD_TYPE, ud->type, &v);
    ft_put_uint(ctx, S7_F_UD_GROUP, ud->group, &v);
    ft_put_uint(ctx, S7_F_UD_SUBFUNCTION, ft_u8(&v), &v);
    ft_put_uint(ctx, S7_F_UD_SEQUENCE, ft_u8(&v), &v);
    if (ud->unit || !ud->is_last) {
        ft_put_uint(ctx, S7_F_UD_UNIT, ud->unit, NULL);
        ft_put_bool(ctx, S7_F_UD_IS_LAST, ud->is_last, NULL);
    }
    if (ud->error) {
        ft_skip(&v, 2);
        ft_put_uint(ctx, S7_F_ERROR, ft_u16be(&v), &v);
        s7_judge_error(ctx, ud->error, &v);
    }
}

/* True when `part` is all of it, or was the last part: then *whole is all of it. */
static bool complete(struct ft_context *ctx, const struct userdata *ud, struct ft_view part,
                     struct ft_view *whole)
{
    struct s7_flow *flow = ctx->flow_state;
    uint64_t bit = 1ull << (ud->unit & 63);
    uint64_t *open = &flow->open_units[ud->unit >> 6];

    if (is_request(ud) || (!ud->unit && ud->is_last)) {
        *whole = part;
        return true;
    }
    uint32_t flags =
        (*open & bit ? 0 : FT_REASSEMBLY_FIRST) | (ud->is_last ? FT_REASSEMBLY_LAST : 0);
    *open = ud->is_last ? *open & ~bit : *open | bit;
    return ft_reassemble(ctx, S7_KEY_USERDATA | ud->unit, part, flags, whole) == FT_REASSEMBLY_DONE;
}

static void read_data(struct ft_context *ctx, const struct userdata *ud, struct ft_view *data,
                      struct s7_kept *kept)
{
    struct ft_view whole = ft_view_empty();
    if (data->len < 4)
        return;
    uint8_t result = ft_u8(data);
    if (!is_request(ud))
        ft_put_uint(ctx, S7_F_UD_RESULT, result, data);
    ft_skip(data, 1);
    ft_skip(data, 2);
    ft_put_uint(ctx, S7_F_UD_LENGTH, data->len, NULL);
    if (complete(ctx, ud, ft_rest(data), &whole) && whole.len)
        read_function(ctx, ud, &whole, kept);
}

void s7_read_userdata(struct ft_context *ctx, const struct s7_header *header,
                      struct ft_view *parameters, struct ft_view *data)
{
    struct s7_kept kept = {0};
    struct ft_view start = *parameters;
    struct userdata ud = read_parameters(parameters);
    const struct s7_kept *asked = NULL;

    ft_set_kind(ctx, kind_of(&ud));
    direct(ctx, &ud);
    if (is_response(&ud))
        asked = ft_response(ctx, FT_SCOPE_FLOW, s7_pair_key(header));
    ft_command(ctx, S7_CODE_USERDATA | ud.group, ud.subfunction);
    if (ud.type == UD_PUSH && (ud.group == S7_GROUP_PROGRAMMER || ud.group == S7_GROUP_CYCLIC))
        ft_set_class(ctx, FT_CLASS_DATA);

    s7_put_header(ctx, header);
    put_parameters(ctx, &ud, start);
    if (is_request(&ud) && ud.group == S7_GROUP_PROGRAMMER &&
        ud.subfunction == PROGRAMMER_MEMORY_RESET)
        ft_violation(ctx, S7_V_RESET, parameters);
    if (ud.group == S7_GROUP_MODE)
        read_mode(ctx, &ud, parameters);
    if (asked && ud.group == S7_GROUP_CPU && ud.subfunction == S7_CPU_READ_SZL && ud.error &&
        asked->szl.id) {
        ft_put_uint(ctx, S7_F_SZL_ID, asked->szl.id, NULL);
        ft_put_uint(ctx, S7_F_SZL_INDEX, asked->szl.index, NULL);
    }
    read_data(ctx, &ud, data, &kept);
    if (is_request(&ud))
        ft_request(ctx, FT_SCOPE_FLOW, s7_pair_key(header), &kept, sizeof(kept));
}
