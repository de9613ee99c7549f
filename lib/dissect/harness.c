/* SPDX-License-Identifier: BSD-3-Clause */
/* The harness: dissectors without a sensor. */
#include <fieldtap/harness.h>

#include "base/hash.h"
#include "dissect/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FLOWS   64u
#define PAIR        7u /* all flows are between the same two hosts */
#define TEXT_SIZE   (4u << 20)
#define PACKED_SIZE (1u << 20)

struct flow {
    uint32_t id;
    bool is_used;
    const struct ft_protocol *protocol;
    struct ft_framer framer[2];
    uint64_t state[FT_INLINE_STATE / 8];
    struct ft_inline_state state_map;
    uint8_t children[FT_INLINE_CHILDREN];
    bool is_told;   /* a dissector said of the flow which direction is which */
    bool is_turned; /* and it was not as the flow was described */
};

struct ft_harness {
    struct ft_registry *registry;
    struct ft_state state;
    struct ft_stream_bytes bytes;
    struct ft_call call;
    struct flow flows[MAX_FLOWS];
    struct flow *flow;
    enum ft_direction given; /* direction that the caller gave for the bytes */
    uint64_t number;
    uint8_t ip[2][16]; /* of client and server, what the context points to */
    struct ft_json json;
    uint8_t packed[PACKED_SIZE];
    char text[TEXT_SIZE];
};

static bool state_make(struct ft_harness *h)
{
    return ft_state_init(&h->state, 4096, 256, 16);
}

static bool raise_all(void *user, struct ft_call *call, struct ft_message *message)
{
    (void)user;
    (void)call;
    (void)message;
    return true;
}

void ft_harness_free(struct ft_harness *h)
{
    if (!h)
        return;
    ft_state_free(&h->state);
    ft_registry_free(h->registry);
    free(h);
}

struct ft_harness *ft_harness_new(const struct ft_dissector *const *dissectors, char *error,
                                  size_t error_size)
{
    struct ft_harness *h = calloc(1, sizeof(*h));
    if (!h || !(h->registry = ft_registry_new()) || !state_make(h)) {
        snprintf(error, error_size, "out of memory");
        ft_harness_free(h);
        return NULL;
    }
    for (; *dissectors; dissectors++) {
        if (!ft_registry_add(h->registry, *dissectors, NULL, error, error_size)) {
            ft_harness_free(h);
            return NULL;
        }
    }
    ft_registry_finish(h->registry);
    ft_call_init(&h->call, h->registry);
    h->call.state = &h->state;
    h->call.raise = raise_all;
    h->call.wants_all = true;
    return h;
}

bool ft_harness_forget(struct ft_harness *h)
{
    memset(h->flows, 0, sizeof(h->flows));
    memset(&h->bytes, 0, sizeof(h->bytes));
    h->number = 0;
    ft_call_done(&h->call);
    ft_state_free(&h->state);
    return state_make(h);
}

static void line_end(struct ft_harness *h)
{
    if (h->json.length < h->json.size)
        h->json.text[h->json.length++] = '\n';
    h->json.wants_comma = false;
}

static void put_sub(struct ft_json *j, const char *key, const struct ft_sub *s)
{
    char text[192];
    if (!s->kind)
        return;
    ft_sub_text(s->kind, s->value, s->text, s->length, text, sizeof(text));
    ft_json_put_string(j, key, text);
}

static void write_message(struct ft_harness *h, const struct ft_message *m)
{
    static const struct ft_tree_options options = {.salt = {1, 2}};
    struct ft_json *j = &h->json;
    char scratch[32];
    bool is_cut;
    ft_json_object(j);
    ft_json_key(j, "message");
    ft_json_object(j);
    ft_json_put_string(j, "protocol", m->protocol->name);
    if (m->has_command) {
        ft_json_put_string(j, "command",
                           ft_command_name(m->protocol, m->code, m->qualifier, scratch));
        ft_json_put_uint(j, "code", m->code);
        if (m->qualifier != FT_ANY_QUALIFIER)
            ft_json_put_uint(j, "qualifier", m->qualifier);
    }
    ft_json_put_string(j, "class", ft_class_name(m->class_));
    ft_json_put_string(j, "kind", ft_kind_name(m->kind));
    ft_json_put_string(j, "direction", ft_direction_name(m->direction));
    ft_json_put_bool(j, "paired", m->is_paired);
    put_sub(j, "client_sub", &m->sub[0]);
    put_sub(j, "server_sub", &m->sub[1]);
    ft_json_object_end(j);
    ft_json_key(j, m->protocol->name);
    ft_json_object(j);
    uint32_t n = ft_tree_pack(&h->call, m, h->packed, PACKED_SIZE, &is_cut);
    ft_tree_json(m->protocol, h->packed, n, &options, j);
    ft_json_object_end(j);
    ft_json_object_end(j);
    line_end(h);
}

/* What the schema says of its fields has to be true: rules are refused that ask for more. */
static void check_widths(struct ft_harness *h, const struct ft_message *m)
{
    char text[256];
    for (uint32_t n = m->first; n; n = h->call.nodes[n].next) {
        const struct ft_node *node = &h->call.nodes[n];
        const struct ft_field *f = &m->protocol->fields[node->field];
        if (node->type == FT_NODE_END || !f->bits || ft_field_fits(f, node->u))
            continue;
        snprintf(text, sizeof(text), "%s.%s: %llu has more than %u bits", m->protocol->name,
                 f->name, (unsigned long long)node->u, f->bits);
        ft_json_object(&h->json);
        ft_json_put_string(&h->json, "error", text);
        ft_json_object_end(&h->json);
        line_end(h);
    }
}

static void write_finding(struct ft_harness *h, const struct ft_finding *f)
{
    struct ft_json *j = &h->json;
    ft_json_object(j);
    ft_json_key(j, "violation");
    ft_json_object(j);
    ft_json_put_string(j, "protocol", f->protocol->name);
    ft_json_put_string(j, "name", ft_protocol_violation(f->protocol, f->violation)->name);
    if (f->at != UINT32_MAX) {
        ft_json_put_uint(j, "offset", f->at);
        ft_json_put_uint(j, "length", f->at_length);
    }
    ft_json_object_end(j);
    ft_json_object_end(j);
    line_end(h);
}

static void write_resolution(struct ft_json *j, const struct ft_asset_fact *f)
{
    static const char *const names[] = {"", "question", "answer", "announcement", "probe"};
    struct ft_resolution_fact r;
    memcpy(&r, f->text, sizeof(r));
    ft_json_key(j, "resolution");
    ft_json_object(j);
    ft_json_put_string(j, "what", r.what < 5 ? names[r.what] : "");
    ft_json_key(j, "mac");
    ft_json_mac(j, r.mac);
    if (r.what != FT_RESOLUTION_PROBE) {
        ft_json_key(j, "ip");
        ft_json_ip(j, r.ip, r.length == 16);
    }
    ft_json_key(j, "target");
    ft_json_ip(j, r.target, r.length == 16);
}

static void write_claim(struct ft_json *j, const struct ft_asset_fact *f)
{
    struct ft_claim_fact c;
    memcpy(&c, f->text, sizeof(c));
    ft_json_key(j, "claim");
    ft_json_object(j);
    ft_json_put_uint(j, "key", c.key);
    ft_json_put_uint(j, "holder", c.holder);
    ft_json_put_uint(j, "milliseconds", c.milliseconds);
}

static void write_fact(struct ft_harness *h, const struct ft_asset_fact *f)
{
    struct ft_json *j = &h->json;
    ft_json_object(j);
    if (f->kind == FT_FACT_RESOLUTION) {
        write_resolution(j, f);
    } else if (f->kind == FT_FACT_CLAIM) {
        write_claim(j, f);
    } else if (f->kind == FT_FACT_PORT) {
        ft_json_key(j, "port");
        ft_json_object(j);
        ft_json_key(j, "device");
        ft_json_mac(j, (const uint8_t *)f->text);
        ft_json_key(j, "mac");
        ft_json_mac(j, (const uint8_t *)f->text + 6);
    } else if (f->kind != FT_FACT_TEXT) {
        uint32_t ip = f->length - 6u;
        ft_json_key(j, "address");
        ft_json_object(j);
        ft_json_key(j, "ip");
        ft_json_ip(j, (const uint8_t *)f->text, ip == 16);
        ft_json_key(j, "mac");
        ft_json_mac(j, (const uint8_t *)f->text + ip);
        if (f->kind == FT_FACT_LEASE)
            ft_json_put_bool(j, "lease", true);
        if (f->kind == FT_FACT_MANAGED)
            ft_json_put_bool(j, "management", true);
    } else {
        ft_json_key(j, "fact");
        ft_json_object(j);
        if (f->of_length) {
            ft_json_key(j, "of");
            if (f->of_length == 6)
                ft_json_mac(j, f->of);
            else
                ft_json_ip(j, f->of, f->of_length == 16);
        } else {
            ft_json_put_string(j, "party", f->party == FT_SENDER ? "sender" : "receiver");
            put_sub(j, "sub", &f->sub);
        }
        ft_json_put_string(j, "fact", ft_fact_name(f->fact));
        ft_json_key(j, "value");
        ft_json_text(j, f->text, f->length);
    }
    ft_json_object_end(j);
    ft_json_object_end(j);
    line_end(h);
}

static void write_results(struct ft_harness *h)
{
    for (uint32_t i = 0; i < h->call.message_count; i++) {
        write_message(h, &h->call.messages[i]);
        check_widths(h, &h->call.messages[i]);
    }
    for (uint32_t i = 0; i < h->call.finding_count; i++)
        write_finding(h, &h->call.findings[i]);
    for (uint32_t i = 0; i < h->call.fact_count; i++)
        write_fact(h, &h->call.facts[i]);
    ft_call_done(&h->call);
}

/* The PDU in a heap block of exactly its size, so that a sanitizer sees any read beyond it. */
/* What a dissector says of the direction holds for the flow from then on, as in the sensor. */
static void take_direction(struct ft_harness *h)
{
    uint8_t said = h->call.direction_said;
    if (said == FT_DIRECTION_NONE || h->given == FT_DIRECTION_NONE)
        return;
    h->flow->is_told = true;
    h->flow->is_turned = said != h->given;
}

static enum ft_direction direction_of(const struct flow *flow, enum ft_direction given)
{
    if (!flow->is_turned || given == FT_DIRECTION_NONE)
        return given;
    return given == FT_TO_CLIENT ? FT_TO_SERVER : FT_TO_CLIENT;
}

static void dissect(void *user, const uint8_t *pdu, uint32_t length, uint32_t whole, bool truncated)
{
    struct ft_harness *h = user;
    uint8_t *exact = malloc(length ? length : 1);
    if (!exact)
        abort();
    memcpy(exact, pdu, length);
    ft_call_dissect(&h->call, h->flow->protocol, exact, length, whole, truncated);
    take_direction(h);
    write_results(h);
    free(exact);
}

static struct flow *flow_get(struct ft_harness *h, const struct ft_harness_flow *f)
{
    struct flow *found = NULL;
    for (uint32_t i = 0; i < MAX_FLOWS; i++) {
        if (h->flows[i].is_used && h->flows[i].id == f->id)
            return &h->flows[i];
        if (!h->flows[i].is_used && !found)
            found = &h->flows[i];
    }
    if (!found)
        return NULL;
    const struct ft_protocol *p = f->protocol ? ft_registry_find(h->registry, f->protocol) : NULL;
    if (f->protocol && !p)
        return NULL;
    *found = (struct flow){.id = f->id, .is_used = true, .protocol = p};
    return found;
}

/* A flow whose protocol another one told of. */
static bool find_expected(struct ft_harness *h, const struct ft_harness_flow *f, struct flow *flow,
                          uint64_t time_ns)
{
    void *keep;
    uint32_t size;
    h->call.owner.pair = PAIR;
    h->call.pub.transport = f->transport;
    h->call.pub.src_port = f->client_port;
    h->call.pub.dst_port = f->server_port;
    h->call.pub.time_ns = time_ns;
    flow->protocol = ft_call_expected(&h->call, &keep, &size);
    if (flow->protocol)
        memcpy(flow->state, keep, size);
    else
        flow->is_used = false;
    return flow->protocol != NULL;
}

static void use_protocol(struct ft_harness *h, struct flow *flow)
{
    memset(flow->state, 0, sizeof(flow->state));
    memset(flow->children, 0, sizeof(flow->children));
    h->call.pub.flow_state = flow->protocol->flow_state_size ? flow->state : NULL;
    h->call.pub.demand = flow->protocol->demand_all;
}

/* Fill the context as the sensor would. */
static void prepare(struct ft_harness *h, const struct ft_harness_flow *f, struct flow *flow,
                    enum ft_direction direction, uint64_t time_ns)
{
    struct ft_context *ctx = &h->call.pub;
    bool to_client = direction == FT_TO_CLIENT;
    h->flow = flow;
    h->json = ft_json_make(h->text, TEXT_SIZE - 1);
    h->call.owner = (struct ft_owner){ft_hash_mix(f->id, 1), PAIR};
    h->call.number = ++h->number;
    h->call.flow_state = flow->state;
    h->call.state_map = &flow->state_map;
    h->call.children = flow->children;
    ctx->transport = f->transport;
    h->given = direction;
    ctx->direction = (uint8_t)direction_of(flow, direction);
    ctx->confidence = flow->is_told ? FT_CONFIDENCE_DISSECTOR : FT_CONFIDENCE_PORT;
    ctx->src_port = to_client ? f->server_port : f->client_port;
    ctx->dst_port = to_client ? f->client_port : f->server_port;
    memcpy(ctx->src_mac, to_client ? f->server_mac : f->client_mac, 6);
    memcpy(ctx->dst_mac, to_client ? f->client_mac : f->server_mac, 6);
    ctx->time_ns = time_ns;
    ctx->flow_state = flow->protocol->flow_state_size ? flow->state : NULL;
    ctx->demand = flow->protocol->demand_all;
    ctx->ethertype = f->transport == FT_TRANSPORT_L2 ? f->server_port : 0x0800;
    ctx->is_midstream = f->is_midstream;
    ctx->ttl = f->ttl;
    ctx->ip_version = f->ip_version;
    ctx->lan = f->lan;
    memcpy(h->ip[0], f->client_ip, 16);
    memcpy(h->ip[1], f->server_ip, 16);
    ctx->src_ip = f->ip_version ? h->ip[to_client] : NULL;
    ctx->dst_ip = f->ip_version ? h->ip[!to_client] : NULL;
}

static const char *finish(struct ft_harness *h)
{
    h->text[h->json.length] = 0;
    return h->text;
}

static void say_framing(struct ft_harness *h, uint32_t violation)
{
    ft_call_violation(&h->call, h->flow->protocol, violation);
    write_finding(h, &h->call.findings[0]);
}

/* Bytes in order. False when the stream goes over to a protocol that the harness does not have. */
static bool stream(struct ft_harness *h, struct flow *flow, enum ft_direction direction,
                   const uint8_t *bytes, uint32_t length)
{
    struct ft_framer *framer = &flow->framer[direction == FT_TO_CLIENT];
    while (length) {
        struct ft_framer_call call = {.dissector = flow->protocol->dissector,
                                      .context = &h->call.pub,
                                      .pools = &h->state.pools,
                                      .bytes = &h->bytes,
                                      .pdu = dissect,
                                      .user = h};
        bool is_known = true;
        enum ft_framer_result result = ft_framer_data(framer, &call, bytes, length);
        bytes += call.consumed;
        length -= call.consumed;
        if (result == FT_FRAMER_SWITCHED) {
            flow->protocol = call.next ? ft_registry_find(h->registry, call.next) : NULL;
            *framer = (struct ft_framer){0};
            is_known = flow->protocol != NULL;
            if (is_known)
                use_protocol(h, flow);
        } else if (result == FT_FRAMER_NOT_MINE) {
            say_framing(h, FT_VIOLATION_NOT_PROTOCOL);
            framer->mode = FT_FRAMER_RESYNC;
            h->bytes.skipped += call.rest_length + length;
            call.rest_length = length = 0;
        }
        if (is_known && call.rest_length)
            is_known = stream(h, flow, direction, call.rest, call.rest_length);
        ft_framer_rest_done(&h->state.pools);
        if (!is_known)
            return false;
    }
    return true;
}

static const char *feed(struct ft_harness *h, const struct ft_harness_flow *f,
                        enum ft_direction direction, uint64_t time_ns, const void *bytes,
                        uint32_t length, bool is_cut)
{
    struct flow *flow = flow_get(h, f);
    if (!flow)
        return "{\"error\":\"no such protocol, or more than 64 flows\"}\n";
    if (!flow->protocol && !find_expected(h, f, flow, time_ns))
        return "{\"error\":\"nobody expects this flow\"}\n";
    prepare(h, f, flow, direction, time_ns);
    if (f->transport != FT_TRANSPORT_TCP) {
        uint8_t *exact = malloc(length ? length : 1);
        if (!exact)
            abort();
        memcpy(exact, bytes, length);
        ft_call_dissect(&h->call, flow->protocol, exact, length, length, is_cut);
        write_results(h);
        free(exact);
        return finish(h);
    }
    if (!stream(h, flow, direction, bytes, length)) {
        for (unsigned side = 0; side < 2; side++)
            ft_framer_end(&flow->framer[side], &h->state.pools, &h->bytes);
        flow->is_used = false;
        return "{\"error\":\"switch to an unknown protocol\"}\n";
    }
    if (is_cut) {
        struct ft_framer_call call = {.pools = &h->state.pools, .bytes = &h->bytes};
        ft_state_gap(&h->state, h->call.owner.flow, direction);
        ft_framer_gap(&flow->framer[direction == FT_TO_CLIENT], &call, 1);
    }
    return finish(h);
}

const char *ft_harness_feed(struct ft_harness *h, const struct ft_harness_flow *flow,
                            enum ft_direction direction, uint64_t time_ns, const void *bytes,
                            uint32_t length)
{
    return feed(h, flow, direction, time_ns, bytes, length, false);
}

const char *ft_harness_feed_cut(struct ft_harness *h, const struct ft_harness_flow *flow,
                                enum ft_direction direction, uint64_t time_ns, const void *bytes,
                                uint32_t length)
{
    return feed(h, flow, direction, time_ns, bytes, length, true);
}

static void tell_unanswered(void *user, const struct ft_entry *request)
{
    struct ft_harness *h = user;
    const struct ft_protocol *p = h->registry->protocols[request->protocol];
    char scratch[32];
    ft_json_object(&h->json);
    ft_json_key(&h->json, "unanswered");
    ft_json_object(&h->json);
    ft_json_put_string(&h->json, "protocol", p->name);
    ft_json_put_string(
        &h->json, "command",
        ft_command_name(p, request->request.code, request->request.qualifier, scratch));
    ft_json_object_end(&h->json);
    ft_json_object_end(&h->json);
    line_end(h);
}

static void tell_silent(void *user, const struct ft_entry *channel)
{
    struct ft_harness *h = user;
    const struct ft_protocol *p = h->registry->protocols[channel->protocol];
    ft_call_violation(&h->call, p, channel->deadline_violation);
    write_finding(h, &h->call.findings[0]);
}

const char *ft_harness_tick(struct ft_harness *h, uint64_t time_ns)
{
    static const struct ft_state_ops ops = {.unanswered = tell_unanswered, .silent = tell_silent};
    h->json = ft_json_make(h->text, TEXT_SIZE - 1);
    ft_state_tick(&h->state, time_ns, &ops, h);
    return finish(h);
}

enum ft_verdict ft_harness_probe(struct ft_harness *h, const struct ft_harness_flow *f,
                                 enum ft_direction direction, const void *bytes, uint32_t length)
{
    const struct ft_protocol *p = ft_registry_find(h->registry, f->protocol);
    struct ft_probe where = {
        .size = sizeof(where),
        .transport = f->transport,
        .is_to_server = direction != FT_TO_CLIENT,
        .src_port = direction == FT_TO_CLIENT ? f->server_port : f->client_port,
        .dst_port = direction == FT_TO_CLIENT ? f->client_port : f->server_port};
    if (!p || !p->dissector->probe)
        return FT_NO;
    return p->dissector->probe(&where, ft_view_make(bytes, length, false));
}
