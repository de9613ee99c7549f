/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of inspection: TCP segments, datagrams and frames go through decoder, flow table,
 * streams, framer, dissectors and the ring of events, as in a worker.
 *
 * The input is 8 flows of three bytes each, and then steps of eight bytes and what they announce.
 *   flow    byte 0   bit 7: bytes 1-2 are the server's port (or the ethertype); else they count in
 *                    the list of all to which a protocol is bound
 *   step    byte 0   bits 0-2 flow; bit 3 by the server; bits 4-6 kind, see enum step_kind; bit 7
 *                    the other side's bytes are acknowledged
 *           byte 1   TCP flags
 *           byte 2   signed: how far from the next byte in order the first one is, scaled by
 *           byte 3   bits 0-1 that scale; bits 2-4 size of segments; bits 5-6 their order; bit 7
 *                    the bytes are sent with all bits inverted (as by somebody else)
 *           byte 4   time before it: bits 0-6, in seconds when bit 7 is set, else milliseconds
 *           byte 5-6 bits 0-11 bytes that follow; bits 12-15 filler behind them, in 512 bytes
 *           byte 7   bytes that the snap length leaves of a segment that it cuts; of frames: counts
 *                    in the list of what else a protocol is bound to, 0: the flow's ethertype
 *
 * Two sensors read it, one packet by packet, one in bursts: they must tell the same. After each
 * burst the books of both must balance, at the end nothing may be held, no flow, block or buffer in
 * use, and no memory more than before. Days later nothing may be remembered.
 */
#include "../unit/frames.h"
#include "dissect/registry.h"
#include "flow/inspect.h"
#include "protocols/protocols.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the address sanitizer, when there is one. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

#define FLOWS       8u
#define BURST       32u
#define SECOND      1000000000ull
#define PAUSE       (3 * 86400 * SECOND) /* longer than anything is remembered */
#define PACKETS_MAX 500u                 /* of one input */

enum step_kind {
    STEP_TCP = 0,    /* segments; what is sent in order moves the next byte on */
    STEP_TCP_JUMP,   /* the next byte moves on even when a hole is left */
    STEP_TCP_BEHIND, /* the bytes end where the next byte is: a retransmission */
    STEP_TCP_CUT,    /* by the snap length */
    STEP_UDP,
    STEP_ETHERNET, /* to the flow's ethertype, or another carrier */
    STEP_FRAME,    /* the bytes are a whole frame */
    STEP_TICK,
};

struct flow {
    uint16_t port;
    uint32_t next[2]; /* sequence numbers, by side */
};

struct sensor {
    struct ft_shards *shards;
    struct ft_ring ring;
    struct ft_inspector *inspector;
    uint32_t burst;
    uint64_t waits;
    uint64_t told; /* hash of all events */
    uint64_t events[FT_EVENT_TYPES];
    struct ft_event last;
    struct ft_packet packets[BURST];
    struct ft_packet *pointers[BURST];
    uint32_t waiting;
    uint64_t received;
};

static struct ft_registry *registry;
static struct ft_recogniser *recogniser;
static struct ft_decode_config decoding;
static uint16_t ports[4096]; /* and ethertypes, to which a protocol is bound */
static uint32_t port_count;
static struct ft_carrier others[256]; /* IP protocols, and what LLC and SNAP have */
static uint32_t other_count;

static struct sensor sensors[2];
static struct flow flows[FLOWS];
static struct frame frame;
static bool is_shard_used[FT_SHARDS];
static uint64_t seq, number, clock_ns = 1700000000 * SECOND;
static uint32_t sent; /* packets of this input */

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* ---- what is told ---- */

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9ddfea08eb382d69;
    return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, const struct ft_event *e, uint32_t at, uint32_t length)
{
    expect(length == 0 || (at >= sizeof(*e) && at <= e->size && length <= e->size - at),
           "parts of an event lie in its record");
    for (uint32_t i = 0; i < length; i++)
        h = mix(h, ((const uint8_t *)e)[at + i]);
    return h;
}

static uint64_t mix_sub(uint64_t h, const struct ft_event *e, const struct ft_event_sub *sub)
{
    h = mix(mix(h, sub->value), sub->kind);
    return sub->text ? mix_bytes(h, e, sub->text, sub->length) : h;
}

static uint64_t mix_message(uint64_t h, const struct ft_event *e)
{
    const struct ft_event_message *m = &e->message;
    h = mix(mix(h, (uint64_t)m->code << 32 | m->qualifier), (uint64_t)m->kind << 8 | m->class_);
    h = mix(mix(h, (uint64_t)m->direction << 8 | m->is_paired), m->response_ns);
    h = mix(mix(h, m->request_number), (uint64_t)m->index << 8 | m->parent);
    h = mix_sub(mix_sub(h, e, &m->sub[0]), e, &m->sub[1]);
    return mix_bytes(h, e, m->tree, m->tree_length);
}

static uint64_t event_hash(uint64_t h, const struct ft_event *e)
{
    h = mix(mix(h, (uint64_t)e->type << 32 | e->protocol), e->seq << 8 | e->shard);
    h = mix(mix(mix(h, e->n), e->number), e->time_ns);
    h = mix(mix(h, e->packet.flow_id), e->packet.server_side);
    switch (e->type) {
    case FT_EVENT_OPERATION:
    case FT_EVENT_ALERT:
    case FT_EVENT_VIOLATION:
    case FT_EVENT_MESSAGE:
    case FT_EVENT_TRANSACTION:
    case FT_EVENT_UNANSWERED:
        return mix_message(h, e);
    case FT_EVENT_FACT:
        h = mix_sub(mix(h, (uint64_t)e->fact.fact << 8 | e->fact.party), e, &e->fact.sub);
        return mix_bytes(h, e, e->fact.text, e->fact.length);
    case FT_EVENT_ANOMALY:
        return mix(h, e->anomaly);
    case FT_EVENT_FLOW:
        h = mix(mix(h, e->flow.packets[0]), e->flow.packets[1]);
        return mix(mix(h, e->flow.messages), e->flow.reason);
    default:
        return h;
    }
}

/* Events come in order of (seq, shard, n), none of them twice. */
static bool is_behind(const struct ft_event *e, const struct ft_event *last)
{
    if (e->seq != last->seq)
        return e->seq > last->seq;
    if (e->shard != last->shard)
        return e->shard > last->shard;
    return e->n > last->n;
}

static bool drain(void *user)
{
    struct sensor *s = user;
    const struct ft_event *e;
    while ((e = ft_ring_peek(&s->ring))) {
        expect(e->type > 0 && e->type < FT_EVENT_TYPES, "the type of an event");
        expect(e->size >= sizeof(*e) && e->size <= FT_EVENT_MAX, "the size of an event");
        expect(is_behind(e, &s->last), "the order of events");
        s->last = *e;
        s->events[e->type]++;
        s->told = event_hash(s->told, e);
        ft_ring_release(&s->ring);
    }
    return true;
}

/* ---- the sensors ---- */

static void list_ports(void)
{
    static bool is_listed[65536];
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++) {
        const struct ft_carrier *rows = (*d)->carried_by.rows;
        for (uint32_t i = 0; i < (*d)->carried_by.count; i++) {
            uint64_t value = rows[i].value;
            if (rows[i].kind > FT_CARRIER_ETHERTYPE || value > 0xffff || is_listed[value])
                continue;
            is_listed[value] = true;
            expect(port_count < sizeof(ports) / sizeof(ports[0]), "room for all ports");
            ports[port_count++] = (uint16_t)value;
        }
    }
}

static void list_others(void)
{
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++) {
        const struct ft_carrier *rows = (*d)->carried_by.rows;
        for (uint32_t i = 0; i < (*d)->carried_by.count; i++) {
            if (rows[i].kind < FT_CARRIER_LLC || rows[i].kind > FT_CARRIER_IP)
                continue;
            expect(other_count < sizeof(others) / sizeof(others[0]), "room for all carriers");
            others[other_count++] = rows[i];
        }
    }
}

/* Small enough that what is short in a large plant is short here too. */
static void sensor_open(struct sensor *s, uint32_t burst)
{
    struct ft_shards_config config;
    char error[256] = "";
    ft_shards_config_init(&config);
    config.flow.flows_per_shard = 32;
    config.flow.segments_per_shard = 24;
    config.flow.held_bytes_max = 32768;
    config.flow.held_count_max = 12;
    config.entries_per_shard = 48;
    config.small_buffers = 6;
    config.large_buffers = 2;
    config.novelty_buckets = 64;
    config.log_messages = config.log_transactions = true;
    s->burst = burst;
    s->shards = ft_shards_new(registry, recogniser, &config, error, sizeof(error));
    expect(s->shards && ft_ring_init(&s->ring, 1u << 17), error);
    s->inspector = ft_inspector_new(s->shards, &s->ring, drain, s);
    expect(s->inspector, "an inspector");
    for (unsigned i = 0; i < BURST; i++)
        s->pointers[i] = &s->packets[i];
}

static void prepare(void)
{
    char error[256] = "";
    registry = ft_registry_new();
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        expect(ft_registry_add(registry, *d, NULL, error, sizeof(error)), error);
    ft_registry_finish(registry);
    recogniser = ft_recogniser_new(registry, error, sizeof(error));
    expect(recogniser, error);
    ft_decode_config_init(&decoding);
    list_ports();
    list_others();
    sensor_open(&sensors[0], 1);
    sensor_open(&sensors[1], BURST);
}

static void check_books(struct sensor *s)
{
    const struct ft_ledger *l = ft_inspector_ledger(s->inspector);
    drain(s);
    expect(ft_ledger_is_balanced(l), "packets and bytes of streams are all booked");
    expect(l->received == s->received, "what was given was received");
    for (unsigned i = 0; i < FT_EVENT_TYPES; i++)
        expect(l->events[i] == s->events[i] && !l->events_shed[i], "all events came out");
}

static void flush(struct sensor *s)
{
    ft_inspect_burst(s->inspector, s->pointers, s->waiting);
    for (uint32_t i = 0; i < s->waiting; i++) {
        expect(s->packets[i].bucket > FT_BUCKET_NONE && s->packets[i].bucket < FT_BUCKET_COUNT,
               "each packet has a bucket");
        packet_free(&s->packets[i]);
    }
    s->received += s->waiting;
    s->waiting = 0;
    check_books(s);
}

static void send_packet(struct sensor *s, uint32_t caplen)
{
    struct ft_packet *p = &s->packets[s->waiting];
    *p = packet_on(frame.bytes, caplen, frame.len, FT_LINKTYPE_ETHERNET);
    p->seq = seq;
    p->number = number;
    p->time_ns = p->stamp_ns = clock_ns;
    p->interface = 0;
    if (ft_packet_decode(&decoding, p) == FT_DECODE_FRAGMENT)
        p->bucket = FT_BUCKET_FRAGMENT_HELD;
    is_shard_used[p->shard] = true;
    if (++s->waiting == s->burst)
        flush(s);
}

static void send_frame(uint32_t caplen)
{
    if (sent++ >= PACKETS_MAX)
        return;
    frame_end(&frame);
    seq++;
    number++;
    caplen = caplen < frame.len ? caplen : frame.len;
    for (unsigned i = 0; i < 2; i++)
        send_packet(&sensors[i], caplen);
}

static void tick_all(uint32_t flags)
{
    struct ft_packet tick = {
        .seq = ++seq, .number = number, .time_ns = clock_ns, .stamp_ns = clock_ns, .flags = flags};
    for (unsigned i = 0; i < 2; i++) {
        flush(&sensors[i]);
        for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
            if (!is_shard_used[shard])
                continue;
            if (flags & FT_PACKET_END)
                ft_inspect_end(sensors[i].inspector, &tick, (uint8_t)shard);
            else
                ft_inspect_tick(sensors[i].inspector, &tick, (uint8_t)shard);
        }
        check_books(&sensors[i]);
    }
}

static void pass_time(uint64_t ns)
{
    uint64_t second = clock_ns / SECOND;
    clock_ns += ns;
    if (clock_ns / SECOND != second)
        tick_all(FT_PACKET_TICK);
}

/* ---- packets ---- */

static void open_network(uint8_t step, unsigned proto)
{
    unsigned flow = step & 7;
    bool is_server = step & 8;
    frame_begin(&frame);
    ethernet(&frame, flow == 7 ? 0x86dd : 0x0800);
    if (flow == 7) { /* the header is that of one direction: exchange the ends */
        open_ipv6(&frame, proto);
        frame.bytes[14 + 23] = is_server ? 2 : 1;
        frame.bytes[14 + 39] = is_server ? 1 : 2;
        return;
    }
    uint32_t client = 0x0a000001 + flow / 5, server = 0x0a000101;
    open_ipv4_between(&frame, proto, is_server ? server : client, is_server ? client : server);
}

static void open_ports(uint8_t step, void (*open)(struct frame *, unsigned, unsigned))
{
    unsigned client = 40000 + (step & 7), server = flows[step & 7].port;
    open(&frame, step & 8 ? server : client, step & 8 ? client : server);
}

static void set32(uint8_t *to, uint32_t x)
{
    set16(to, x >> 16);
    set16(to + 2, x);
}

static void send_segment(const uint8_t head[8], uint32_t at, const uint8_t *bytes, uint32_t n)
{
    const struct flow *flow = &flows[head[0] & 7];
    unsigned side = head[0] >> 3 & 1;
    open_network(head[0], 6);
    uint32_t tcp = frame.len;
    open_ports(head[0], open_tcp);
    set32(frame.bytes + tcp + 4, at);
    set32(frame.bytes + tcp + 8, flow->next[!side] - (head[0] & 0x80 ? 0 : 1000));
    frame.bytes[tcp + 13] = head[1];
    put(&frame, bytes, n);
    bool is_cut = (head[0] >> 4 & 7) == STEP_TCP_CUT;
    send_frame(is_cut ? frame.len - n + (head[7] < n ? head[7] : n) : UINT32_MAX);
}

/* Which piece is sent i-th. */
static uint32_t piece_of(uint32_t i, uint32_t pieces, unsigned order)
{
    uint32_t odd = pieces / 2;
    if (order == 1)
        return pieces - 1 - i;
    if (order == 2) /* the second, fourth ... then the first, third */
        return i < odd ? 2 * i + 1 : 2 * (i - odd);
    return i;
}

static void send_tcp(const uint8_t head[8], const uint8_t *bytes, uint32_t n)
{
    static const uint16_t sizes[] = {0xffff, 1, 2, 3, 7, 64, 536, 1460};
    static const uint32_t scales[] = {1, 64, 4096, 1u << 20};
    enum step_kind kind = (enum step_kind)(head[0] >> 4 & 7);
    uint32_t *next = &flows[head[0] & 7].next[head[0] >> 3 & 1];
    uint32_t ahead = (uint32_t)(int32_t)(int8_t)head[2] * scales[head[3] & 3];
    uint32_t at = *next + ahead - (kind == STEP_TCP_BEHIND ? n : 0);
    uint32_t piece = sizes[head[3] >> 2 & 7], pieces = n ? (n + piece - 1) / piece : 1;
    unsigned order = head[3] >> 5 & 3;
    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t begin = piece_of(i, pieces, order) * piece;
        if (order == 3 && i == pieces / 2 && pieces > 1)
            continue; /* lost */
        send_segment(head, at + begin, bytes + begin, piece < n - begin ? piece : n - begin);
    }
    if (kind == STEP_TCP_JUMP || (kind != STEP_TCP_BEHIND && ahead == 0))
        *next = at + n + ((head[1] & (FT_TCP_SYN | FT_TCP_FIN)) != 0);
}

/* ICMP has the checksum that is right for what follows. */
static void send_ip(uint8_t flow, unsigned proto, const uint8_t *bytes, uint32_t n)
{
    open_network(flow, proto);
    if (n >= 8 && (proto == 1 || proto == 58)) {
        uint32_t at = frame.len;
        open_icmp(&frame, proto == 1 ? OPEN_ICMP : OPEN_ICMPV6, bytes[0], bytes[1]);
        memcpy(frame.bytes + at + 4, bytes + 4, 4);
        bytes += 8;
        n -= 8;
    }
    put(&frame, bytes, n);
    send_frame(UINT32_MAX);
}

/* Behind the header of IEEE 802.2, with that of SNAP where there is one. */
static void send_llc(const struct ft_carrier *to, const uint8_t *bytes, uint32_t n)
{
    bool is_snap = to->kind == FT_CARRIER_SNAP;
    uint32_t sap = is_snap ? 0xaa : to->value == FT_ANY_SELECTOR ? 0xf0 : (uint32_t)to->value;
    frame_begin(&frame);
    ethernet(&frame, n + (is_snap ? 8 : 3));
    put16(&frame, sap << 8 | sap);
    put8(&frame, 3);
    if (is_snap) {
        put8(&frame, (unsigned)(to->value >> 32));
        put32(&frame, (uint32_t)to->value);
    }
    put(&frame, bytes, n);
    send_frame(UINT32_MAX);
}

static void send_other(const uint8_t head[8], const uint8_t *bytes, uint32_t n)
{
    const struct ft_carrier *to = &others[(head[7] - 1u) % other_count];
    n = n < 1480 ? n : 1480;
    if (to->kind == FT_CARRIER_IP)
        send_ip(head[0] & 15, (unsigned)to->value, bytes, n);
    else
        send_llc(to, bytes, n);
}

static void step(const uint8_t head[8], const uint8_t *bytes, uint32_t n)
{
    pass_time((head[4] & 0x7f) * (head[4] & 0x80 ? SECOND : SECOND / 1000));
    switch ((enum step_kind)(head[0] >> 4 & 7)) {
    case STEP_UDP:
        n = n < 1480 ? n : 1480;
        open_network(head[0], 17);
        open_ports(head[0], open_udp);
        put(&frame, bytes, n);
        send_frame(UINT32_MAX);
        return;
    case STEP_ETHERNET:
        if (head[7]) {
            send_other(head, bytes, n);
            return;
        }
        frame_begin(&frame);
        ethernet(&frame, flows[head[0] & 7].port);
        put(&frame, bytes, n);
        send_frame(UINT32_MAX);
        return;
    case STEP_FRAME:
        frame_begin(&frame);
        put(&frame, bytes, n);
        send_frame(UINT32_MAX);
        return;
    case STEP_TICK:
        pass_time(SECOND);
        return;
    default:
        send_tcp(head, bytes, n);
    }
}

/* ---- an input ---- */

static const uint8_t *begin_flows(const uint8_t *data)
{
    for (unsigned i = 0; i < FLOWS; i++, data += 3) {
        uint32_t value = (uint32_t)data[1] << 8 | data[2];
        flows[i].port = data[0] & 0x80 ? (uint16_t)value : ports[value % port_count];
        /* one of them wraps around soon */
        flows[i].next[0] = i == 1 ? UINT32_MAX - 20 : 1000000;
        flows[i].next[1] = 2000000;
    }
    return data;
}

static void check_at_rest(const struct sensor *s)
{
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        const struct ft_state *state = &s->shards->state[shard];
        const struct ft_framer_pools *pools = &state->pools;
        expect(pools->small.used + pools->large.used <= state->count[FT_ENTRY_REASSEMBLY],
               "buffers are in use only by what is put together across flows");
        expect(!pools->lent && !pools->rest, "no buffer is lent");
        expect(ft_flow_segments(s->shards->flows, (uint8_t)shard)->used == 0, "no block is in use");
        expect(ft_flow_stats(s->shards->flows, (uint8_t)shard).active == 0, "no flow is left");
    }
    expect(ft_inspector_ledger(s->inspector)->stream.held == 0, "nothing is held");
}

static void forget_all(void)
{
    for (unsigned i = 0; i < 8; i++)
        pass_time(PAUSE / 8);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
            const struct ft_state *state = &sensors[i].shards->state[shard];
            expect(state->entries.used == 0, "nothing is remembered");
            expect(state->pools.small.used + state->pools.large.used == 0, "no buffer is in use");
        }
    }
    memset(is_shard_used, 0, sizeof(is_shard_used));
}

static void run_input(const uint8_t *data, size_t size)
{
    static uint8_t bytes[0xfff + 15 * 512];
    const uint8_t *end = data + size;
    sent = 0;
    data = begin_flows(data);
    while (end - data >= 8) {
        const uint8_t *head = data;
        uint32_t n = (uint32_t)(head[5] & 15) << 8 | head[6], filler = (head[5] >> 4) * 512u;
        data += 8;
        n = n < (size_t)(end - data) ? n : (uint32_t)(end - data);
        memcpy(bytes, data, n);
        memset(bytes + n, 'f', filler);
        for (uint32_t i = 0; head[3] & 0x80 && i < n; i++)
            bytes[i] = (uint8_t)~bytes[i];
        data += n;
        step(head, bytes, n + filler);
    }
    tick_all(FT_PACKET_END);
    for (unsigned i = 0; i < 2; i++)
        check_at_rest(&sensors[i]);
    forget_all();
    expect(sensors[0].told == sensors[1].told, "bursts change nothing of what is told");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t before = 0;
    if (!registry)
        prepare();
    if (size < 3 * FLOWS)
        return 0;
    if (__sanitizer_get_current_allocated_bytes)
        before = __sanitizer_get_current_allocated_bytes();
    run_input(data, size);
    if (__sanitizer_get_current_allocated_bytes)
        expect(__sanitizer_get_current_allocated_bytes() == before, "no memory is kept");
    return 0;
}
