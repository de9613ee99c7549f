/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kilnlink: the protocol of kiln controllers, as a plugin. An invented protocol, the example of
 * doc/writing-a-dissector.md.
 *
 *   0  4  magic     "KLN2"
 *   4  2  length    bytes of the body, at most 1016
 *   6  1  flags     1 from the controller, 2 refused, 4 report
 *   7  1  zone      0 the controller itself, 1..32 a zone of the kiln
 *   8  2  sequence  repeated by the answer
 *  10  2  command
 *  12     body
 *      2  checksum  CRC-16/MODBUS of all before it
 *
 * Specification: README.md in this folder.
 */
#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

enum {
    HEADER = 12,
    PREFIX = 6, /* magic and length: enough to know where the frame ends */
    TRAILER = 2,
    BODY_MAX = 1016,
    ZONE_MAX = 32,
    SET_POINT_MAX = 14000, /* tenths of a degree */
    REPORTS = 0,           /* key of the channel that waits for reports */
    REPORTS_MISSED = 3,    /* reports that may be late before it is said */
};

enum flag {
    FROM_CONTROLLER = 1,
    REFUSED = 2,
    REPORT = 4,
};

enum command {
    IDENTIFY = 0x0001,
    KEEP_ALIVE = 0x0002,
    READ_TEMPERATURE = 0x0010,
    REPORTED = 0x0011,
    WRITE_SET_POINT = 0x0020,
    LOAD_RECIPE = 0x0030,
    SAVE_RECIPE = 0x0031,
    HALT = 0x0040,
    LOG_IN = 0x0050,
    WRITE_FIRMWARE = 0x0070,
};

enum field {
    ROOT = 0,
    ZONE,
    SEQUENCE,
    REASON,
    VENDOR,
    MODEL,
    FIRMWARE,
    SERIAL,
    ZONES,
    ASKED,
    INTERVAL,
    READING,
    READING_ZONE,
    READING_TEMPERATURE,
    READING_SET_POINT,
    READING_STATE,
    SET_POINT,
    RAMP,
    RECIPE,
    RECIPE_NUMBER,
    RECIPE_NAME,
    STEP,
    STEP_MINUTES,
    STEP_TARGET,
    STEP_FLAGS,
    HOW,
    USER,
    PASSWORD,
    OFFSET,
    BLOCK,
};

enum violation {
    V_CHECKSUM = 0,
    V_FLAGS,
    V_ZONE,
    V_SET_POINT,
    V_NOT_LOGGED_IN,
    V_REPORTS_STOPPED,
};

/* What is known of one connection. */
struct flow {
    uint8_t is_logged_in;
};

/* What the answer needs to know of its request. */
struct kept {
    int16_t set_point;
};

struct header {
    uint16_t length, sequence, command;
    uint8_t flags, zone;
};

/* clang-format off */
static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 7741},
    {.kind = FT_CARRIER_UDP, .value = 7741},
};

static const struct ft_signature signatures[] = {
    {"^KLN2", FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
};

static const struct ft_name reasons[] = {
    {1, "unknown_command"}, {2, "no_such_zone"}, {3, "not_logged_in"}, {4, "busy"},
    {5, "out_of_range"}, {0, NULL},
};

static const struct ft_name states[] = {
    {0, "idle"}, {1, "heating"}, {2, "holding"}, {3, "cooling"}, {4, "fault"}, {0, NULL},
};

static const struct ft_name step_flags[] = {
    {1, "fan"}, {2, "damper_open"}, {4, "wait_for_operator"}, {0, NULL},
};

static const struct ft_name hows[] = {
    {0, "cool_down"}, {1, "burners_off"}, {2, "restart"}, {0, NULL},
};

static const struct ft_field fields[] = {
    [ROOT] = {"kilnlink", "Kilnlink", NULL, 0, FT_TYPE_GROUP, 0, 0},
    [ZONE] = {"zone", "Zone that the frame is about, 0 = the controller", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    [SEQUENCE] = {"sequence", "Joins request and answer", NULL, ROOT, FT_TYPE_UINT, 0, 16},
    [REASON] = {"reason", "Why a request was refused", reasons, ROOT, FT_TYPE_ENUM, 0, 8},
    [VENDOR] = {"vendor", "Vendor of the controller", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [MODEL] = {"model", "Model of the controller", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [FIRMWARE] = {"firmware", "Firmware version", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [SERIAL] = {"serial", "Serial number", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [ZONES] = {"zones", "Zones that the kiln has", NULL, ROOT, FT_TYPE_UINT, 0, 8},
    [ASKED] = {"asked", "Zones whose temperature is asked for", NULL, ROOT, FT_TYPE_UINT, FT_FIELD_LIST, 8},
    [INTERVAL] = {"interval", "Seconds between reports", NULL, ROOT, FT_TYPE_UINT, 0, 0},
    [READING] = {"reading", "What a zone is doing", NULL, ROOT, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [READING_ZONE] = {"zone", "Zone", NULL, READING, FT_TYPE_UINT, 0, 8},
    [READING_TEMPERATURE] = {"temperature", "Degrees Celsius", NULL, READING, FT_TYPE_FLOAT, 0, 0},
    [READING_SET_POINT] = {"set_point", "Degrees Celsius that it goes for", NULL, READING, FT_TYPE_FLOAT, 0, 0},
    [READING_STATE] = {"state", "State", states, READING, FT_TYPE_ENUM, 0, 8},
    [SET_POINT] = {"set_point", "New set point in degrees Celsius", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    [RAMP] = {"ramp", "Degrees a minute on the way to it", NULL, ROOT, FT_TYPE_FLOAT, 0, 0},
    [RECIPE] = {"recipe", "A firing program", NULL, ROOT, FT_TYPE_GROUP, 0, 0},
    [RECIPE_NUMBER] = {"number", "Its place in the controller", NULL, RECIPE, FT_TYPE_UINT, 0, 16},
    [RECIPE_NAME] = {"name", "Its name", NULL, RECIPE, FT_TYPE_STRING, 0, 0},
    [STEP] = {"step", "One step of it", NULL, RECIPE, FT_TYPE_GROUP, FT_FIELD_LIST, 0},
    [STEP_MINUTES] = {"minutes", "Duration", NULL, STEP, FT_TYPE_UINT, 0, 16},
    [STEP_TARGET] = {"target", "Degrees Celsius at its end", NULL, STEP, FT_TYPE_FLOAT, 0, 0},
    [STEP_FLAGS] = {"flags", "What else happens", step_flags, STEP, FT_TYPE_FLAGS, 0, 8},
    [HOW] = {"how", "How to halt", hows, ROOT, FT_TYPE_ENUM, 0, 8},
    [USER] = {"user", "Who logs in", NULL, ROOT, FT_TYPE_STRING, 0, 0},
    [PASSWORD] = {"password", "Password", NULL, ROOT, FT_TYPE_STRING, FT_FIELD_SECRET, 0},
    [OFFSET] = {"offset", "Where in the firmware the block goes", NULL, ROOT, FT_TYPE_UINT, 0, 32},
    [BLOCK] = {"block", "Bytes of the firmware", NULL, ROOT, FT_TYPE_BYTES, 0, 0},
};

#define COMMAND(code, name, class) {code, FT_ANY_QUALIFIER, name, FT_CLASS_##class, {0}, NULL}

static const struct ft_command commands[] = {
    COMMAND(IDENTIFY, "identify", DIAGNOSTIC),
    COMMAND(KEEP_ALIVE, "keep_alive", SESSION),
    COMMAND(READ_TEMPERATURE, "read_temperature", READ),
    COMMAND(REPORTED, "report", DATA),
    COMMAND(WRITE_SET_POINT, "write_set_point", OPERATE),
    COMMAND(LOAD_RECIPE, "load_recipe", PROGRAM),
    COMMAND(SAVE_RECIPE, "save_recipe", UPLOAD),
    COMMAND(HALT, "halt", MODE),
    COMMAND(LOG_IN, "log_in", AUTH),
    COMMAND(WRITE_FIRMWARE, "write_firmware", FIRMWARE),
};

static const struct ft_violation violations[] = {
    [V_CHECKSUM] = {.name = "checksum", .title = "Kilnlink frame with a wrong checksum",
                    .mitre = "T0856", .severity = FT_SEVERITY_MINOR, .is_alert = 1},
    [V_FLAGS] = {.name = "flags", .title = "Kilnlink frame with flags that mean nothing",
                 .severity = FT_SEVERITY_WARNING},
    [V_ZONE] = {.name = "zone", .title = "Kilnlink frame for a zone that no kiln has",
                .mitre = "T0856", .severity = FT_SEVERITY_MINOR},
    [V_SET_POINT] = {.name = "set_point", .title = "Set point beyond what a kiln stands",
                     .mitre = "T0836", .severity = FT_SEVERITY_CRITICAL,
                     .engine = FT_ENGINE_POLICY, .is_alert = 1},
    [V_NOT_LOGGED_IN] = {.name = "not_logged_in", .title = "Kiln commanded without logging in",
                         .mitre = "T0855", .severity = FT_SEVERITY_MAJOR,
                         .engine = FT_ENGINE_POLICY, .is_alert = 1},
    [V_REPORTS_STOPPED] = {.name = "reports_stopped", .title = "Kiln controller stopped reporting",
                           .mitre = "T0815", .severity = FT_SEVERITY_MAJOR,
                           .engine = FT_ENGINE_OPERATIONAL, .is_alert = 1},
};
/* clang-format on */

/* ---- finding frames ------------------------------------------------------------------------ */

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    uint32_t n = payload.len < 4 ? payload.len : 4;
    if (!ft_view_starts(&payload, "KLN2", n))
        return FT_NO;
    if (payload.len < HEADER)
        return FT_MAYBE;
    return ft_peek_u16be(&payload, 4) <= BODY_MAX ? FT_YES : FT_NO;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    (void)ctx;
    uint32_t n = stream.len < 4 ? stream.len : 4;
    if (!ft_view_starts(&stream, "KLN2", n))
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    int32_t length = ft_peek_u16be(&stream, 4);
    if (length < 0)
        return ft_frame(FT_FRAME_NEED, PREFIX);
    if (length > BODY_MAX)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_PDU, HEADER + (uint32_t)length + TRAILER);
}

/* ---- bodies -------------------------------------------------------------------------------- */

/* A temperature on the wire, in degrees. */
static double degrees(int16_t tenths)
{
    return tenths / 10.0;
}

static void read_identity(struct ft_context *ctx, struct ft_view *body)
{
    static const struct {
        uint8_t field, fact;
    } facts[] = {{VENDOR, FT_FACT_VENDOR},
                 {MODEL, FT_FACT_MODEL},
                 {FIRMWARE, FT_FACT_FIRMWARE},
                 {SERIAL, FT_FACT_SERIAL}};
    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        struct ft_view text = ft_sub_u8(body);
        if (!ft_view_ok(body))
            return;
        ft_put_string(ctx, facts[i].field, text);
        ft_asset(ctx, FT_SERVER, (enum ft_fact)facts[i].fact, text);
    }
    ft_put_uint(ctx, ZONES, ft_u8(body), body);
    ft_asset_role(ctx, FT_SERVER, FT_ROLE_PLC);
}

static void read_asked(struct ft_context *ctx, struct ft_view *body)
{
    uint32_t count = ft_u8(body);
    count = ft_count(body, count, 1);
    for (uint32_t i = 0; i < count; i++)
        ft_put_uint(ctx, ASKED, ft_u8(body), body);
}

static void read_readings(struct ft_context *ctx, struct ft_view *body)
{
    uint32_t count = ft_u8(body);
    count = ft_count(body, count, 6);
    for (uint32_t i = 0; i < count; i++) {
        ft_group_begin(ctx, READING);
        ft_put_uint(ctx, READING_ZONE, ft_u8(body), body);
        ft_put_float(ctx, READING_TEMPERATURE, degrees((int16_t)ft_u16be(body)), body);
        ft_put_float(ctx, READING_SET_POINT, degrees((int16_t)ft_u16be(body)), body);
        ft_put_uint(ctx, READING_STATE, ft_u8(body), body);
        ft_group_end(ctx, READING);
    }
}

/* Reports come by themselves: that they stop is told, by the engine, when it is time. */
static void read_report(struct ft_context *ctx, struct ft_view *body)
{
    uint32_t interval = ft_u16be(body);
    ft_put_uint(ctx, INTERVAL, interval, body);
    if (ft_channel(ctx, FT_SCOPE_FLOW, REPORTS))
        ft_expect_within(ctx, FT_SCOPE_FLOW, REPORTS, REPORTS_MISSED * interval * 1000,
                         V_REPORTS_STOPPED);
    read_readings(ctx, body);
}

static int16_t read_set_point(struct ft_context *ctx, struct ft_view *body)
{
    int16_t set_point = (int16_t)ft_u16be(body);
    ft_put_float(ctx, SET_POINT, degrees(set_point), body);
    if (set_point > SET_POINT_MAX)
        ft_violation(ctx, V_SET_POINT, body);
    ft_put_float(ctx, RAMP, ft_u16be(body) / 10.0, body);
    return set_point;
}

static void read_recipe(struct ft_context *ctx, struct ft_view *body)
{
    ft_group_begin(ctx, RECIPE);
    ft_put_uint(ctx, RECIPE_NUMBER, ft_u16be(body), body);
    ft_put_string(ctx, RECIPE_NAME, ft_sub_u8(body));
    uint32_t count = ft_u8(body);
    count = ft_count(body, count, 5);
    for (uint32_t i = 0; i < count; i++) {
        ft_group_begin(ctx, STEP);
        ft_put_uint(ctx, STEP_MINUTES, ft_u16be(body), body);
        int16_t target = (int16_t)ft_u16be(body);
        ft_put_float(ctx, STEP_TARGET, degrees(target), body);
        if (target > SET_POINT_MAX)
            ft_violation(ctx, V_SET_POINT, body);
        ft_put_uint(ctx, STEP_FLAGS, ft_u8(body), body);
        ft_group_end(ctx, STEP);
    }
    ft_group_end(ctx, RECIPE);
}

/* ---- messages ------------------------------------------------------------------------------ */

static bool needs_login(uint16_t command)
{
    return command == WRITE_SET_POINT || command == LOAD_RECIPE || command == HALT ||
           command == WRITE_FIRMWARE;
}

static void read_request(struct ft_context *ctx, const struct header *h, struct ft_view *body)
{
    const struct flow *flow = ctx->flow_state;
    struct kept kept = {0};
    /* Of a connection that was there before the sensor nobody knows who logged in. */
    if (needs_login(h->command) && !flow->is_logged_in && !ctx->is_midstream)
        ft_violation(ctx, V_NOT_LOGGED_IN, NULL);
    switch (h->command) {
    case READ_TEMPERATURE:
        read_asked(ctx, body);
        break;
    case WRITE_SET_POINT:
        kept.set_point = read_set_point(ctx, body);
        break;
    case LOAD_RECIPE:
        read_recipe(ctx, body);
        break;
    case SAVE_RECIPE:
        ft_put_uint(ctx, RECIPE_NUMBER, ft_u16be(body), body);
        break;
    case HALT:
        ft_put_uint(ctx, HOW, ft_u8(body), body);
        break;
    case LOG_IN:
        ft_put_string(ctx, USER, ft_sub_u8(body));
        ft_put_string(ctx, PASSWORD, ft_sub_u8(body));
        break;
    case WRITE_FIRMWARE:
        ft_put_uint(ctx, OFFSET, ft_u32be(body), body);
        ft_put_bytes(ctx, BLOCK, ft_rest(body));
        break;
    case IDENTIFY:
    case KEEP_ALIVE:
        break;
    default:
        ft_rest(body); /* a command of a later version */
        break;
    }
    ft_request(ctx, FT_SCOPE_FLOW, h->sequence, &kept, sizeof(kept));
}

static void read_answer(struct ft_context *ctx, const struct header *h, struct ft_view *body)
{
    const struct kept *kept = ft_response(ctx, FT_SCOPE_FLOW, h->sequence);
    struct flow *flow = ctx->flow_state;
    if (h->flags & REFUSED) {
        ft_put_uint(ctx, REASON, ft_u8(body), body);
        return;
    }
    switch (h->command) {
    case IDENTIFY:
        read_identity(ctx, body);
        break;
    case READ_TEMPERATURE:
        read_readings(ctx, body);
        break;
    case WRITE_SET_POINT:
        if (kept)
            ft_put_float(ctx, SET_POINT, degrees(kept->set_point), NULL);
        break;
    case SAVE_RECIPE:
        read_recipe(ctx, body);
        break;
    case LOG_IN:
        flow->is_logged_in = 1;
        break;
    case KEEP_ALIVE:
    case LOAD_RECIPE:
    case HALT:
    case WRITE_FIRMWARE:
        break;
    default:
        ft_rest(body);
        break;
    }
}

/* Who speaks, about what: said before anything else is. */
static void begin_message(struct ft_context *ctx, const struct header *h)
{
    bool is_answer = h->flags & FROM_CONTROLLER;
    ft_set_direction(ctx, is_answer ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, h->flags & REPORT    ? FT_KIND_UNSOLICITED
                     : h->flags & REFUSED ? FT_KIND_EXCEPTION
                     : is_answer          ? FT_KIND_RESPONSE
                                          : FT_KIND_REQUEST);
    if (h->zone)
        ft_subaddress(ctx, FT_SERVER, FT_SUB_UNIT, h->zone);
    ft_command(ctx, h->command, FT_ANY_QUALIFIER);
}

static bool are_flags_sound(uint8_t flags)
{
    return flags == 0 || flags == FROM_CONTROLLER || flags == (FROM_CONTROLLER | REFUSED) ||
           flags == (FROM_CONTROLLER | REPORT);
}

static void read_body(struct ft_context *ctx, const struct header *h, struct ft_view *body)
{
    if (h->flags & REPORT)
        read_report(ctx, body);
    else if (h->flags & FROM_CONTROLLER)
        read_answer(ctx, h, body);
    else
        read_request(ctx, h, body);
    if (ft_view_is_malformed(body))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, body);
    else
        ft_expect_end(ctx, body);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    const uint8_t *start = pdu->data;
    struct header h;
    /* In datagrams nobody has looked yet. */
    if (!ft_view_starts(pdu, "KLN2", 4) && pdu->len >= 4) {
        ft_violation(ctx, FT_VIOLATION_NOT_PROTOCOL, NULL);
        return;
    }
    ft_skip(pdu, 4);
    h.length = ft_u16be(pdu);
    h.flags = ft_u8(pdu);
    h.zone = ft_u8(pdu);
    h.sequence = ft_u16be(pdu);
    h.command = ft_u16be(pdu);
    if (!ft_view_ok(pdu))
        return;

    begin_message(ctx, &h);
    ft_put_uint(ctx, ZONE, h.zone, NULL);
    ft_put_uint(ctx, SEQUENCE, h.sequence, NULL);
    if (!are_flags_sound(h.flags))
        ft_violation(ctx, V_FLAGS, NULL);
    if (h.zone > ZONE_MAX)
        ft_violation(ctx, V_ZONE, NULL);

    struct ft_view body = ft_sub(pdu, h.length);
    read_body(ctx, &h, &body);
    uint16_t checksum = ft_u16be(pdu);
    if (ft_view_ok(pdu) && checksum != ft_crc16_modbus(start, HEADER + (uint32_t)h.length))
        ft_violation(ctx, V_CHECKSUM, pdu);
    ft_expect_end(ctx, pdu);
}

static const struct ft_dissector kilnlink = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "kilnlink",
    .title = "Kilnlink kiln controllers",
    .specification = "plugins/kilnlink/README.md",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .sync = {.bytes = "KLN2", .length = 4},
    .max_pdu = HEADER + BODY_MAX + TRAILER,
    .flow_state_size = sizeof(struct flow),
    .flags = FT_DISSECTOR_OT,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};

FT_PLUGIN(&kilnlink);
