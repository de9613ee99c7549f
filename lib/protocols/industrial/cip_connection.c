/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CIP connections (CIP Volume 1, 3-5): Forward Open and Forward Close, and the data of class 0 and
 * 1 connections.
 *
 * The state of a connection belongs to the two hosts, not to the flow: it is opened over TCP and
 * its I/O data flows over UDP. The request is kept under the triad (serial, vendor, originator)
 * that names it; the response tells the two connection ids, under which its messages are found.
 */
#include <stdio.h>

#include "cip.h"

/* Software of Rockwell on a PC, whatever its product. */
#define VENDOR_ROCKWELL_SOFTWARE 77u

#define KEY_O2T   (1ull << 40)
#define KEY_T2O   (2ull << 40)
#define KEY_IO    (4ull << 40)
#define KEY_TRIAD (1ull << 62)

/* Sizes beyond this fit in no encapsulation (65511) or in no 9 bits. */
#define MAX_LARGE_SIZE 65511u

/* Packets in run before an idle one counts: a header that is not there looks idle by chance. */
#define MIN_RUN_PACKETS 100u

/* Encapsulation sequence numbers that may be missing or late without being somebody else's. */
#define MAX_SEQUENCE_STEP 256

/* After such a silence a device may have restarted and count anew. */
#define SEQUENCE_NS 1000000000ull

static uint64_t key_of(uint32_t id, enum ft_cip_connection_role role)
{
    return (role == FT_CIP_ROLE_O2T ? KEY_O2T : KEY_T2O) | id;
}

static uint64_t triad_key(const struct ft_cip_connection *c)
{
    uint64_t hash = ((uint64_t)c->originator << 32 | (uint32_t)c->vendor << 16 | c->serial) *
                    0x9e3779b97f4a7c15ull;

    return KEY_TRIAD | hash >> 2;
}

struct ft_cip_connection *ft_cip_connection_find(struct ft_context *ctx, uint32_t id,
                                                 enum ft_cip_connection_role role)
{
    return ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, key_of(id, role));
}

/* ---- Forward Open -------------------------------------------------------------------------- */

/* The network connection parameters of one direction. */
struct parameters {
    uint32_t size;
    uint8_t type, priority;
};

static struct parameters read_parameters(struct ft_view *v, bool is_large)
{
    uint32_t word = is_large ? ft_u32le(v) : ft_u16le(v);
    uint32_t flags = is_large ? word >> 16 : word;

    return (struct parameters){.size = word & (is_large ? 0xffff : 0x1ff),
                               .type = (uint8_t)ft_bits(flags, 13, 2),
                               .priority = (uint8_t)ft_bits(flags, 10, 2)};
}

static void check_parameters(struct ft_context *ctx, const struct parameters *p, uint32_t rpi,
                             const struct ft_view *at)
{
    if (p->type == 0)
        return; /* a null connection carries nothing */
    if (p->size > MAX_LARGE_SIZE)
        ft_violation(ctx, CIP_CONNECTION_TOO_LARGE, at);
    if (rpi == 0)
        ft_violation(ctx, CIP_RPI_ZERO, at);
}

static void read_triad(struct ft_context *ctx, struct ft_cip_connection *c, struct ft_view *v)
{
    c->serial = ft_u16le(v);
    ft_put_uint(ctx, CIP_CONNECTION_SERIAL, c->serial, v);
    c->vendor = ft_u16le(v);
    ft_put_uint(ctx, CIP_CONNECTION_VENDOR, c->vendor, v);
    c->originator = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_ORIGINATOR, c->originator, v);
}

/* RPI and parameters of both directions; returns true when both are null connections. */
static bool read_directions(struct ft_context *ctx, struct ft_cip_connection *c, bool is_large,
                            struct ft_view *v)
{
    c->o2t_rpi = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_RPI, c->o2t_rpi, v);
    struct parameters o2t = read_parameters(v, is_large);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_SIZE, o2t.size, v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_TYPE, o2t.type, v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_PRIORITY, o2t.priority, v);
    struct ft_view o2t_at = *v;

    c->t2o_rpi = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_RPI, c->t2o_rpi, v);
    struct parameters t2o = read_parameters(v, is_large);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_SIZE, t2o.size, v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_TYPE, t2o.type, v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_PRIORITY, t2o.priority, v);
    if (!ft_view_ok(v))
        return false;

    check_parameters(ctx, &o2t, c->o2t_rpi, &o2t_at);
    check_parameters(ctx, &t2o, c->t2o_rpi, v);
    return o2t.type == 0 && t2o.type == 0;
}

static void put_transport(struct ft_context *ctx, const struct ft_cip_connection *c,
                          const struct ft_view *at)
{
    ft_put_uint(ctx, CIP_CONNECTION_CLASS, c->transport & 0x0f, at);
    ft_put_uint(ctx, CIP_CONNECTION_TRIGGER, c->transport >> 4 & 7, at);
    ft_put_bool(ctx, CIP_CONNECTION_IS_SERVER, c->transport >> 7, at);
}

/* The path leads to the application; the ports on the way are the route of all that follows. */
static void take_path(struct ft_cip_connection *c, const struct ft_cip_path *path, char *tag,
                      uint32_t *tag_length)
{
    char route[FT_CIP_TEXT_SIZE];
    uint32_t length = ft_cip_path_route(path, route);

    c->class_id = path->parts & FT_CIP_HAS_CLASS ? path->class_id : 0;
    c->instance = path->instance;
    c->route_length = 0;
    if (length <= sizeof(c->route)) {
        c->route_length = (uint8_t)length;
        memcpy(c->route, route, length);
    }
    *tag_length = ft_cip_path_tag(path, tag);
    c->tag_length = (uint8_t)(*tag_length < sizeof(c->tag) ? *tag_length : sizeof(c->tag));
    memcpy(c->tag, tag, c->tag_length);
}

static void put_application(struct ft_context *ctx, const struct ft_cip_path *path,
                            const struct ft_cip_connection *c)
{
    if (path->parts & FT_CIP_HAS_CLASS) {
        ft_put_uint(ctx, CIP_CONNECTION_APPLICATION, c->class_id, NULL);
        ft_put_uint(ctx, CIP_CONNECTION_INSTANCE, c->instance, NULL);
    }
    if (c->tag_length)
        ft_put_text(ctx, CIP_CONNECTION_TAG, c->tag, c->tag_length, NULL);
}

/*
 * Who opens connections is a controller or a PC. Its serial number is not taken for a fact: behind
 * a communication module it is that of another device.
 */
static void state_originator(struct ft_context *ctx, uint16_t vendor)
{
    char text[48];
    const char *name = ft_cip_name(ft_cip_vendor_names, vendor);

    if (vendor == VENDOR_ROCKWELL_SOFTWARE) {
        ft_asset_role(ctx, FT_CLIENT, FT_ROLE_WORKSTATION);
    } else if (name) {
        snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "/"), name);
        ft_asset_text(ctx, FT_CLIENT, FT_FACT_VENDOR, text);
    }
}

/* Remember the request under its triad. A null connection only asks; it is not opened. */
static void remember(struct ft_context *ctx, const struct ft_cip_connection *c, bool is_null,
                     const struct ft_view *at)
{
    uint64_t key = triad_key(c);
    const struct ft_cip_connection *old = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, key);

    if (is_null)
        return;
    if (old && old->is_open)
        ft_violation(ctx, CIP_DUPLICATE_CONNECTION, at);
    struct ft_cip_connection *kept = ft_channel(ctx, FT_SCOPE_HOST_PAIR, key);
    if (!kept)
        return;
    *kept = *c;
    kept->is_known = 1;
    kept->role = FT_CIP_ROLE_TRIAD;
}

static void read_open_request(struct ft_context *ctx, bool is_large, struct ft_view *v)
{
    struct ft_cip_connection c = {0};
    struct ft_cip_path path;
    char tag[FT_CIP_TEXT_SIZE], route[FT_CIP_TEXT_SIZE];
    uint32_t tag_length;

    uint8_t tick = ft_u8(v) & 0x0f;
    uint32_t ticks = ft_u8(v);
    ft_put_uint(ctx, CIP_TIMEOUT, (uint64_t)ticks << tick, v);
    ft_group_begin(ctx, CIP_CONNECTION);
    c.o2t_id = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_ID, c.o2t_id, v);
    c.t2o_id = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_ID, c.t2o_id, v);
    read_triad(ctx, &c, v);
    struct ft_view triad_at = *v;
    uint8_t multiplier = ft_u8(v);
    ft_put_uint(ctx, CIP_CONNECTION_MULTIPLIER, 4ull << (multiplier & 7), v);
    ft_skip(v, 3);
    bool is_null = read_directions(ctx, &c, is_large, v);
    c.transport = ft_u8(v);
    put_transport(ctx, &c, v);
    ft_put_bool(ctx, CIP_CONNECTION_IS_LARGE, is_large, NULL);

    uint32_t words = ft_u8(v);
    ft_cip_path_read(ft_sub(v, words * 2), &path);
    take_path(&c, &path, tag, &tag_length);
    put_application(ctx, &path, &c);
    ft_group_end(ctx, CIP_CONNECTION);
    ft_cip_path_put(ctx, &path, tag, tag_length);
    uint32_t route_length = ft_cip_path_route(&path, route);
    if (route_length)
        ft_put_text(ctx, CIP_ROUTE, route, route_length, v);
    if (path.parts & FT_CIP_HAS_RESERVED)
        ft_violation(ctx, CIP_RESERVED_SEGMENT, v);
    if (!ft_view_ok(v) || path.is_malformed)
        return;
    remember(ctx, &c, is_null, &triad_at);
    state_originator(ctx, c.vendor);
}

/* Make the state of one direction from what the request and the response said. */
static void open_direction(struct ft_context *ctx, const struct ft_cip_connection *c, uint32_t id,
                           enum ft_cip_connection_role role)
{
    struct ft_cip_connection *direction = ft_channel(ctx, FT_SCOPE_HOST_PAIR, key_of(id, role));

    if (!direction)
        return;
    *direction = *c;
    direction->role = (uint8_t)role;
}

static void read_open_response(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_cip_connection c = {0};

    ft_group_begin(ctx, CIP_CONNECTION);
    uint32_t o2t_id = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_ID, o2t_id, v);
    uint32_t t2o_id = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_ID, t2o_id, v);
    read_triad(ctx, &c, v);
    c.o2t_rpi = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_O2T_RPI, c.o2t_rpi, v);
    c.t2o_rpi = ft_u32le(v);
    ft_put_uint(ctx, CIP_CONNECTION_T2O_RPI, c.t2o_rpi, v);
    ft_group_end(ctx, CIP_CONNECTION);
    uint32_t words = ft_u8(v);
    ft_skip(v, 1);
    if (words)
        ft_put_bytes(ctx, CIP_DATA, ft_sub(v, words * 2));
    if (!ft_view_ok(v))
        return;

    struct ft_cip_connection *triad = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, triad_key(&c));
    struct ft_cip_connection opened = triad ? *triad : c;
    opened.o2t_id = o2t_id;
    opened.t2o_id = t2o_id;
    opened.o2t_rpi = c.o2t_rpi;
    opened.t2o_rpi = c.t2o_rpi;
    opened.is_open = 1;
    if (triad)
        *triad = opened;
    open_direction(ctx, &opened, o2t_id, FT_CIP_ROLE_O2T);
    open_direction(ctx, &opened, t2o_id, FT_CIP_ROLE_T2O);
}

/* ---- Forward Close ------------------------------------------------------------------------- */

static void forget(struct ft_context *ctx, const struct ft_cip_connection *c)
{
    uint64_t key = triad_key(c);
    const struct ft_cip_connection *old = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, key);

    if (!old)
        return;
    if (old->is_open) {
        uint32_t o2t_id = old->o2t_id, t2o_id = old->t2o_id;
        ft_channel_close(ctx, FT_SCOPE_HOST_PAIR, key_of(o2t_id, FT_CIP_ROLE_O2T));
        ft_channel_close(ctx, FT_SCOPE_HOST_PAIR, key_of(t2o_id, FT_CIP_ROLE_T2O));
    }
    ft_channel_close(ctx, FT_SCOPE_HOST_PAIR, key);
}

static void read_close_request(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_cip_connection c = {0};
    struct ft_cip_path path;
    char tag[FT_CIP_TEXT_SIZE];

    uint8_t tick = ft_u8(v) & 0x0f;
    uint32_t ticks = ft_u8(v);
    ft_put_uint(ctx, CIP_TIMEOUT, (uint64_t)ticks << tick, v);
    ft_group_begin(ctx, CIP_CONNECTION);
    read_triad(ctx, &c, v);
    ft_group_end(ctx, CIP_CONNECTION);
    uint32_t words = ft_u8(v);
    ft_skip(v, 1);
    ft_cip_path_read(ft_sub(v, words * 2), &path);
    uint32_t tag_length = ft_cip_path_tag(&path, tag);
    ft_cip_path_put(ctx, &path, tag, tag_length);
    if (path.parts & FT_CIP_HAS_RESERVED)
        ft_violation(ctx, CIP_RESERVED_SEGMENT, v);
}

static void read_close_response(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_cip_connection c = {0};

    ft_group_begin(ctx, CIP_CONNECTION);
    read_triad(ctx, &c, v);
    ft_group_end(ctx, CIP_CONNECTION);
    uint32_t words = ft_u8(v);
    ft_skip(v, 1);
    if (words)
        ft_put_bytes(ctx, CIP_DATA, ft_sub(v, words * 2));
    if (ft_view_ok(v))
        forget(ctx, &c);
}

/* A refusal repeats the triad, unless a router on the way refused. */
static void read_refusal(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v)
{
    struct ft_cip_connection c = {0};

    if (m->service == FT_CIP_UNCONNECTED_SEND) {
        if (v->len) {
            uint8_t words = ft_u8(v);
            ft_put_uint(ctx, CIP_REMAINING_PATH, words, v);
        }
        return;
    }
    if (v->len < 9)
        return;
    ft_group_begin(ctx, CIP_CONNECTION);
    read_triad(ctx, &c, v);
    ft_group_end(ctx, CIP_CONNECTION);
    uint8_t words = ft_u8(v);
    ft_put_uint(ctx, CIP_REMAINING_PATH, words, v);

    const struct ft_cip_connection *old = ft_channel_find(ctx, FT_SCOPE_HOST_PAIR, triad_key(&c));
    if (m->service != FT_CIP_FORWARD_CLOSE && old && !old->is_open)
        ft_channel_close(ctx, FT_SCOPE_HOST_PAIR, triad_key(&c));
}

void ft_cip_connection_service(struct ft_context *ctx, const struct ft_cip_message *m,
                               struct ft_view *v)
{
    bool is_open = m->service == FT_CIP_FORWARD_OPEN || m->service == FT_CIP_LARGE_FORWARD_OPEN;

    if (!is_open && m->service != FT_CIP_FORWARD_CLOSE && m->service != FT_CIP_UNCONNECTED_SEND) {
        ft_cip_data_read(ctx, m, v);
        return;
    }
    if (m->is_response && m->status != 0)
        read_refusal(ctx, m, v);
    else if (is_open && m->is_response)
        read_open_response(ctx, v);
    else if (is_open)
        read_open_request(ctx, m->service == FT_CIP_LARGE_FORWARD_OPEN, v);
    else if (m->service == FT_CIP_FORWARD_CLOSE && m->is_response)
        read_close_response(ctx, v);
    else if (m->service == FT_CIP_FORWARD_CLOSE)
        read_close_request(ctx, v);
}

/* ---- I/O ----------------------------------------------------------------------------------- */

/* Join the I/O of an id with its Forward Open, once. */
static void resolve(struct ft_context *ctx, struct ft_cip_connection *io, uint32_t id)
{
    const struct ft_cip_connection *o2t = ft_cip_connection_find(ctx, id, FT_CIP_ROLE_O2T);
    const struct ft_cip_connection *t2o =
        o2t ? NULL : ft_cip_connection_find(ctx, id, FT_CIP_ROLE_T2O);
    const struct ft_cip_connection *c = o2t ? o2t : t2o;

    if (!c)
        return;
    *io = *c;
    io->is_resolved = 1;
    io->is_started = 0;
}

static void follow_sequence(struct ft_context *ctx, struct ft_cip_connection *io, uint16_t sequence,
                            const struct ft_view *at)
{
    int step = (int16_t)(uint16_t)(sequence - io->sequence);

    if (io->is_started && (step > MAX_SEQUENCE_STEP || step < -MAX_SEQUENCE_STEP) &&
        ctx->time_ns - io->time_ns < SEQUENCE_NS)
        ft_violation(ctx, CIP_IO_JUMP, at);
    io->sequence = sequence;
    io->time_ns = ctx->time_ns;
    io->is_started = 1;
}

/*
 * Outputs may begin with a header of 32 bits, run or idle; whether they do is not on the wire. They
 * are taken to as long as every packet begins with a word that could be one.
 */
static void follow_run(struct ft_context *ctx, struct ft_cip_connection *io, struct ft_view *v)
{
    int64_t word = ft_peek_u32le(v, 0);

    if (io->role != FT_CIP_ROLE_O2T || io->is_header_out || word < 0)
        return;
    if (word > 1) {
        io->is_header_out = 1;
        return;
    }
    ft_skip(v, 4);
    ft_put_bool(ctx, CIP_IO_RUN, (uint64_t)word, v);
    if (word == 0 && io->run && io->run_count >= MIN_RUN_PACKETS)
        ft_violation(ctx, CIP_IO_IDLE, v);
    io->run_count = word ? io->run_count + (io->run_count < UINT32_MAX) : 0;
    io->run = (uint8_t)word;
}

static void put_connection(struct ft_context *ctx, const struct ft_cip_connection *io)
{
    if (io->class_id) {
        ft_put_uint(ctx, CIP_CLASS_NAME, io->class_id, NULL);
        ft_put_uint(ctx, CIP_INSTANCE, io->instance, NULL);
    }
    if (io->tag_length)
        ft_put_text(ctx, CIP_TAG, io->tag, io->tag_length, NULL);
    if (io->route_length)
        ft_put_text(ctx, CIP_ROUTE, io->route, io->route_length, NULL);
}

void ft_cip_io_read(struct ft_context *ctx, struct ft_view *v)
{
    uint32_t id = (uint32_t)(ctx->selector >> 16);
    struct ft_cip_connection *io = ft_channel(ctx, FT_SCOPE_FLOW, KEY_IO | id);

    if (io && !io->is_resolved)
        resolve(ctx, io, id);
    if (io && io->is_resolved) {
        enum ft_direction direction = io->role == FT_CIP_ROLE_O2T ? FT_TO_SERVER : FT_TO_CLIENT;
        if (ctx->direction != direction)
            ft_set_direction(ctx, direction);
        if (io->route_length)
            ft_subaddress_text(ctx, FT_SERVER, FT_SUB_ROUTE, io->route, io->route_length);
    }
    ft_set_kind(ctx, FT_KIND_DATA);
    ft_command(ctx, FT_CIP_IO_CODE, io && io->class_id ? io->class_id : FT_ANY_QUALIFIER);

    ft_group_begin(ctx, CIP_IO);
    ft_put_uint(ctx, CIP_IO_CONNECTION_ID, id, NULL);
    /* Class 0 has no sequence count; it is taken to be there when the Forward Open was not seen. */
    if (!io || !io->is_known || io->transport & 0x0f) {
        uint16_t sequence = ft_u16le(v);
        ft_put_uint(ctx, CIP_IO_SEQUENCE, sequence, v);
    }
    if (io) {
        follow_sequence(ctx, io, (uint16_t)ctx->selector, v);
        follow_run(ctx, io, v);
    }
    struct ft_view data = ft_rest(v);
    ft_put_uint(ctx, CIP_IO_SIZE, data.len, NULL);
    ft_put_bytes(ctx, CIP_IO_DATA, data);
    if (io && io->is_resolved)
        ft_put_uint(ctx, CIP_IO_RPI, io->role == FT_CIP_ROLE_O2T ? io->o2t_rpi : io->t2o_rpi, NULL);
    ft_group_end(ctx, CIP_IO);
    if (io && io->is_resolved)
        put_connection(ctx, io);
}
