/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cuts: what becomes of a capture that is not whole.
 *
 * Sensors are switched on in the middle of everything, mirrors show one direction, packets are lost
 * and swapped. Each capture is read as it is, and then again many times: begun at other packets,
 * with one direction removed, with segments of one byte, reordered, with one packet in a hundred
 * lost. Between two runs days of packet time pass, so that nothing of the one is left for the
 * other. A run must not crash, its books must close, nothing may be held at its end; it must find
 * messages again where the whole capture has them; and a late begin must not be blamed on the
 * protocol: no violation that the whole capture does not show.
 *
 *   cuts [--seed N] [--first N] [--more N] [--window N] CAPTURE...
 *   cuts --flows CAPTURE...
 *
 * begins at each of the `first` first packets and at `more` others chosen at random, and reads
 * `window` packets from there. One line a capture; exit status 1 when something was wrong.
 *
 * --flows only reads each capture as it is, and prints a line for each flow that was recognised
 * and each violation, with tabs between: capture, "flow" or "violation", protocol, transport, and
 * the address and port of both ends, the protocol that a port is bound to ("-" if none); then the
 * number of messages, or packet and violation.
 */
#include "captures.h"
#include "flow/inspect.h"
#include "packet/defrag.h"
#include "protocols/protocols.h"
#include "replay.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE (3 * 86400 * SECOND) /* longer than anything is kept */

/* Bytes of stream that are sent as segments of one byte: each costs a packet. */
#define BYTEWISE_MAX (1u << 20)

/* Messages of a conversation from which on it must be found again, and how many may be missing. */
#define RESUME_MIN 8u

/* A message or violation found: where, by whom, what. */
struct found {
    uint64_t number;
    uint64_t conversation; /* hash of its ends with ports */
    uint64_t pair;         /* hash of its ends without them */
    uint32_t protocol, what;
    bool is_bound; /* by a port: known from the first byte on, not by content */
};

struct list {
    struct found *items;
    uint32_t count, size;
};

struct outcome {
    struct list messages; /* the outermost of each PDU */
    struct list violations;
    const char *tell; /* NULL, or the name of the capture whose flows are printed */
};

enum way {
    WAY_PLAIN = 0,
    WAY_BYTEWISE
};

static uint64_t random_state;

/* splitmix64: the same numbers everywhere. */
static uint64_t random_next(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* ---- what is found ---- */

static void list_add(struct list *list, struct found item)
{
    if (list->count == list->size) {
        list->size = list->size ? list->size * 2 : 1024;
        list->items = must(realloc(list->items, list->size * sizeof(*list->items)));
    }
    list->items[list->count++] = item;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9ddfea08eb382d69;
    return h ^ (h >> 29);
}

static uint64_t end_hash(const union ft_ip *ip, uint16_t port, const uint8_t mac[6])
{
    uint64_t h = mix(mix(mix(1, ip->words[0]), ip->words[1]), port);
    for (unsigned i = 0; mac && i < 6; i++)
        h = mix(h, mac[i]);
    return h;
}

/* The same for both directions. */
static uint64_t ends_hash(const struct ft_event_packet *p, bool with_ports)
{
    bool is_l2 = p->family == 2;
    uint64_t a = end_hash(&p->src, with_ports ? p->src_port : 0, is_l2 ? p->src_mac : NULL);
    uint64_t b = end_hash(&p->dst, with_ports ? p->dst_port : 0, is_l2 ? p->dst_mac : NULL);
    return mix(a + b, p->proto);
}

/* Index + 1 of the protocol that a port is bound to, 0: none. */
static uint8_t bound_to(const struct ft_registry *registry, const struct ft_event_packet *p)
{
    const uint8_t *table = p->proto == 6 ? registry->tcp_port : registry->udp_port;
    return table[p->dst_port] ? table[p->dst_port] : table[p->src_port];
}

static const struct ft_protocol *protocol_of(const struct engine *engine, uint32_t protocol)
{
    return engine->registry->protocols[protocol - 1];
}

static void print_end(const struct ft_event_packet *p, const union ft_ip *ip, const uint8_t mac[6],
                      uint16_t port)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (p->family == 2)
        printf("\t%02x:%02x:%02x:%02x:%02x:%02x\t%u", mac[0], mac[1], mac[2], mac[3], mac[4],
               mac[5], port);
    else
        printf("\t%s\t%u",
               inet_ntop(p->family == 4 ? AF_INET : AF_INET6, ip->bytes, text, sizeof(text)), port);
}

/* A line for what was recognised, see --flows. */
static void tell(const struct engine *engine, const char *name, const struct ft_event *e)
{
    const struct ft_event_packet *p = &e->packet;
    bool is_flow = e->type == FT_EVENT_FLOW;
    const struct ft_protocol *protocol = e->protocol ? protocol_of(engine, e->protocol) : NULL;
    if (!protocol || (!is_flow && e->type != FT_EVENT_VIOLATION))
        return;
    printf("%s\t%s\t%s\t%s", name, is_flow ? "flow" : "violation", protocol->dissector->name,
           p->family == 2   ? "l2"
           : p->proto == 6  ? "tcp"
           : p->proto == 17 ? "udp"
                            : "ip");
    print_end(p, &p->src, p->src_mac, p->src_port);
    print_end(p, &p->dst, p->dst_mac, p->dst_port);
    uint8_t port = bound_to(engine->registry, p);
    printf("\t%s", port ? protocol_of(engine, port)->dissector->name : "-");
    if (is_flow)
        printf("\t%u\n", e->flow.messages);
    else
        printf("\t%llu\t%s\n", (unsigned long long)e->number,
               ft_protocol_violation(protocol, e->message.violation)->name);
}

static void take(const struct engine *engine, struct outcome *to, const struct ft_event *e)
{
    if (to->tell)
        tell(engine, to->tell, e);
    struct found item = {.number = e->number,
                         .conversation = ends_hash(&e->packet, true),
                         .pair = ends_hash(&e->packet, false),
                         .protocol = e->protocol,
                         .is_bound = bound_to(engine->registry, &e->packet) != 0};
    if (e->type == FT_EVENT_MESSAGE && e->message.parent == 0xff) {
        list_add(&to->messages, item);
    } else if (e->type == FT_EVENT_VIOLATION) {
        item.what = e->message.violation;
        list_add(&to->violations, item);
    }
}

static bool drain(void *user)
{
    struct run *r = user;
    const struct ft_event *e;
    while ((e = ft_ring_peek(&r->engine->ring))) {
        take(r->engine, r->outcome, e);
        ft_ring_release(&r->engine->ring);
    }
    return true;
}

/* ---- a run ---- */

static void send_frame(struct run *r, const struct frame *f)
{
    play_at(r, f, advance_to(r, f), f->number);
}

static void put_u32be(uint8_t *to, uint32_t x)
{
    to[0] = (uint8_t)(x >> 24);
    to[1] = (uint8_t)(x >> 16);
    to[2] = (uint8_t)(x >> 8);
    to[3] = (uint8_t)x;
}

/* The frame of a TCP segment cut down to byte `i` of its payload. */
static uint32_t one_byte(uint8_t *to, const struct ft_packet *p, uint32_t tcp, uint32_t i)
{
    memcpy(to, p->data, p->payload);
    to[p->payload] = p->data[p->payload + i];
    put_u32be(to + tcp + 4, p->tcp_seq + (p->tcp_flags & FT_TCP_SYN ? 1 : 0) + i);
    to[tcp + 13] &= (uint8_t)~FT_TCP_SYN;
    if (i + 1 < p->payload_len)
        to[tcp + 13] &= (uint8_t)~FT_TCP_FIN;
    uint32_t length = p->payload + 1 - p->l3;
    if (p->flags & FT_PACKET_IPV6)
        length -= 40;
    uint8_t *at = to + p->l3 + (p->flags & FT_PACKET_IPV6 ? 4 : 2);
    at[0] = (uint8_t)(length >> 8);
    at[1] = (uint8_t)length;
    return p->payload + 1;
}

/* Send a TCP segment byte by byte; all else as it is. Returns the bytes. */
static uint32_t send_bytewise(struct run *r, const struct frame *f)
{
    struct ft_packet p = {
        .data = f->data, .caplen = f->caplen, .wirelen = f->wirelen, .linktype = f->linktype};
    uint8_t copy[512];
    if (ft_packet_decode(&r->engine->decode, &p) != FT_DECODED || !(p.flags & FT_PACKET_TCP) ||
        p.payload_len < 2 || p.payload_len != p.payload_wirelen || p.payload >= sizeof(copy) ||
        p.flags & (FT_PACKET_TUNNELLED | FT_PACKET_PRP)) {
        send_frame(r, f);
        return 0;
    }
    advance_to(r, f);
    uint32_t tcp = p.l3 + (p.flags & FT_PACKET_IPV6 ? 40 : (p.data[p.l3] & 15u) * 4);
    for (uint32_t i = 0; i < p.payload_len; i++) {
        struct frame byte = *f;
        uint8_t *to = r->engine->jumbo[r->waiting];
        byte.caplen = byte.wirelen = one_byte(to, &p, tcp, i);
        byte.data = to;
        send_frame(r, &byte);
    }
    return p.payload_len;
}

/* End all flows; false when the books do not close. */
static bool end_flows(struct run *r, uint64_t number)
{
    bool owned[FT_SHARDS];
    struct ft_books books;
    struct ft_packet end = {
        .seq = ++r->seq, .number = number, .time_ns = r->clock, .flags = FT_PACKET_END};
    flush(r);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        owned[shard] = true;
        ft_inspect_end(r->inspector, &end, (uint8_t)shard);
        drain(r);
    }
    ft_inspect_books(r->inspector, owned, &books);
    return ft_ledger_is_balanced(&books.ledger) && books.ledger.stream.held == 0 &&
           books.ledger.faults == 0 && books.flows.active == 0;
}

/* Send frames, and end all flows. `bytewise` stops after some bytes: r->number tells where. */
static bool run_frames(struct run *r, const struct frame *frames, uint32_t count, enum way way,
                       struct outcome *outcome)
{
    uint32_t bytes = 0;
    outcome->messages.count = outcome->violations.count = 0;
    r->outcome = outcome;
    if (r->clock && count)
        r->shift = r->clock - frames[0].time_ns; /* may wrap, and does so back */
    for (uint32_t i = 0; i < count && bytes < BYTEWISE_MAX; i++) {
        if (way == WAY_BYTEWISE)
            bytes += send_bytewise(r, &frames[i]);
        else
            send_frame(r, &frames[i]);
    }
    bool ok = end_flows(r, r->number);
    r->clock += PAUSE;
    tick_if_due(r);
    return ok;
}

/* ---- judging ---- */

struct verdicts {
    const char *name;
    uint32_t runs, unbalanced, lost_conversations, false_violations;
    uint64_t expected,
        seen; /* messages of the whole capture in the same packets, and of the runs */
};

static int compare_conversation(const void *a, const void *b)
{
    uint64_t x = ((const struct found *)a)->conversation,
             y = ((const struct found *)b)->conversation;
    return (x > y) - (x < y);
}

/* A copy of what lies between two packets, by conversation. */
static struct list by_conversation(const struct list *from, uint64_t first, uint64_t last)
{
    struct list part = {0};
    for (uint32_t i = 0; i < from->count; i++)
        if (from->items[i].number >= first && from->items[i].number <= last)
            list_add(&part, from->items[i]);
    if (part.count)
        qsort(part.items, part.count, sizeof(*part.items), compare_conversation);
    return part;
}

/* Items of the conversation at `*at`, which moves behind them. */
static uint32_t count_conversation(const struct list *list, uint32_t *at, uint64_t conversation)
{
    uint32_t n = 0;
    while (*at < list->count && list->items[*at].conversation < conversation)
        ++*at;
    for (; *at < list->count && list->items[*at].conversation == conversation; ++*at)
        n++;
    return n;
}

/*
 * Every conversation with messages enough must have some again. `bound`: only those on bound ports;
 * by single bytes no protocol is recognised.
 */
static void judge_messages(struct verdicts *v, const struct outcome *whole,
                           const struct outcome *part, uint64_t first, uint64_t last, bool bound,
                           const char *what)
{
    struct list expected = by_conversation(&whole->messages, first, last);
    struct list seen = by_conversation(&part->messages, first, last);
    uint32_t at = 0, other = 0;
    v->expected += expected.count;
    v->seen += seen.count;
    while (at < expected.count) {
        struct found f = expected.items[at];
        uint32_t n = count_conversation(&expected, &at, f.conversation);
        uint32_t m = count_conversation(&seen, &other, f.conversation);
        if (n < RESUME_MIN || m || (bound && !f.is_bound))
            continue;
        if (v->lost_conversations++ < 3)
            printf("%s: %s from packet %llu on: none of %u messages of protocol %u, packet %llu\n",
                   v->name, what, (unsigned long long)first, n, f.protocol,
                   (unsigned long long)f.number);
    }
    free(expected.items);
    free(seen.items);
}

static const char *violation_name(const struct engine *engine, const struct found *f)
{
    return ft_protocol_violation(protocol_of(engine, f->protocol), f->what)->name;
}

/*
 * Does the whole capture tell the same? What is wrong with a PDU must be told of the same packet,
 * if by another name: of a flow without its begin less is known. A condition of the protocol (rows
 * of its table), and that a flow is something else than its port promises, is told once, when it is
 * first seen, and a PDU that the whole capture refuses may be where the rest is lost: of a capture
 * begun later that is later. What office protocols say of their content
 * (an old version, a certificate) is true of each session alone, and a session that the whole
 * capture gave up, since other bytes came first, may be recognised when those are missing.
 */
static bool is_known(const struct list *known, const struct ft_protocol *protocol,
                     const struct found *f)
{
    if (f->what < FT_VIOLATION_COMMON && !(protocol->flags & FT_DISSECTOR_OT))
        return true;
    bool is_condition = f->what < FT_VIOLATION_COMMON || f->what == FT_VIOLATION_NOT_PROTOCOL;
    for (uint32_t i = 0; i < known->count; i++) {
        const struct found *k = &known->items[i];
        if (k->protocol == f->protocol &&
            (k->number == f->number || (is_condition && k->what == f->what && k->pair == f->pair) ||
             (f->what == FT_VIOLATION_NOT_PROTOCOL && k->conversation == f->conversation)))
            return true;
    }
    return false;
}

static void judge_violations(struct verdicts *v, const struct engine *engine,
                             const struct outcome *whole, const struct outcome *part,
                             uint64_t first, const char *what)
{
    const struct list *known = &whole->violations;
    for (uint32_t i = 0; i < part->violations.count; i++) {
        const struct found *f = &part->violations.items[i];
        if (is_known(known, engine->registry->protocols[f->protocol - 1], f))
            continue;
        if (v->false_violations++ < 3)
            printf("%s: %s from packet %llu on: %s of %s in packet %llu\n", v->name, what,
                   (unsigned long long)first, violation_name(engine, f),
                   engine->registry->protocols[f->protocol - 1]->dissector->name,
                   (unsigned long long)f->number);
    }
}

/* ---- ways to lose ---- */

static void cut_at(struct run *r, const struct capture *c, const struct outcome *whole, uint32_t at,
                   uint32_t window, struct outcome *part, struct verdicts *v)
{
    uint32_t n = c->count - at < window ? c->count - at : window;
    v->runs++;
    v->unbalanced += !run_frames(r, c->frames + at, n, WAY_PLAIN, part);
    uint64_t first = c->frames[at].number, last = c->frames[at + n - 1].number;
    judge_messages(v, whole, part, first, last, false, "begun");
    judge_violations(v, r->engine, whole, part, first, "begun");
}

/* True for what one of the two directions between any two ends sends. */
static bool is_downward(const struct engine *engine, const struct frame *f)
{
    struct ft_packet p = {
        .data = f->data, .caplen = f->caplen, .wirelen = f->wirelen, .linktype = f->linktype};
    if (ft_packet_decode(&engine->decode, &p) == FT_DECODE_FAILED)
        return false;
    int order = memcmp(&p.src, &p.dst, sizeof(p.src));
    if (!order && p.flags & FT_PACKET_ETHERNET && !(p.flags & (FT_PACKET_IPV4 | FT_PACKET_IPV6)))
        order = memcmp(p.src_mac, p.dst_mac, 6);
    return order ? order < 0 : p.src_port < p.dst_port;
}

/* Keep the order inside the frames of one second, swap neighbours here and there. */
static void swap_some(struct frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (random_next() % 10 == 0) {
            struct frame f = frames[i];
            frames[i] = frames[i + 1];
            frames[i + 1] = f;
            i++;
        }
    }
}

static void with_frames(struct run *r, const struct frame *frames, uint32_t count, enum way way,
                        struct outcome *part, struct verdicts *v)
{
    v->runs++;
    v->unbalanced += !run_frames(r, frames, count, way, part);
}

static void damage(struct run *r, const struct capture *c, const struct outcome *whole,
                   struct outcome *part, struct verdicts *v)
{
    struct frame *frames = must(malloc((c->count + 1) * sizeof(*frames)));
    uint64_t last = c->count ? c->frames[c->count - 1].number : 0;
    for (unsigned side = 0; side < 2; side++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < c->count; i++)
            if (is_downward(r->engine, &c->frames[i]) == (side == 1))
                frames[n++] = c->frames[i];
        with_frames(r, frames, n, WAY_PLAIN, part, v);
        judge_violations(v, r->engine, whole, part, 1, "one direction");
    }
    with_frames(r, c->frames, c->count, WAY_BYTEWISE, part, v);
    judge_messages(v, whole, part, 1, r->number, true, "bytes");
    memcpy(frames, c->frames, c->count * sizeof(*frames));
    swap_some(frames, c->count);
    with_frames(r, frames, c->count, WAY_PLAIN, part, v);
    judge_messages(v, whole, part, 1, last, false, "reordered");
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (random_next() % 100)
            frames[n++] = c->frames[i];
    with_frames(r, frames, n, WAY_PLAIN, part, v);
    judge_messages(v, whole, part, 1, last, false, "lost");
    free(frames);
}

struct plan {
    uint32_t first, more, window;
};

static bool judge_capture(struct engine *engine, const char *path, const struct plan *plan)
{
    struct capture c;
    struct outcome whole = {0}, part = {0};
    const char *slash = strrchr(path, '/');
    struct verdicts v = {.name = slash ? slash + 1 : path};
    if (!capture_load(&c, path, UINT32_MAX))
        return false;
    struct run *r = run_new(engine, true);
    v.unbalanced += !run_frames(r, c.frames, c.count, WAY_PLAIN, &whole);
    for (uint32_t at = 0; at < c.count && at < plan->first; at++)
        cut_at(r, &c, &whole, at, plan->window, &part, &v);
    for (uint32_t i = 0; i < plan->more && c.count > plan->first; i++) {
        uint32_t at = plan->first + (uint32_t)(random_next() % (c.count - plan->first));
        cut_at(r, &c, &whole, at, plan->window, &part, &v);
    }
    damage(r, &c, &whole, &part, &v);
    bool ok = !v.unbalanced && !v.lost_conversations && !v.false_violations;
    printf("%s %s: %u packets, %u messages, %u violations; %u runs: %u not balanced, %u "
           "conversations not found again, %u false violations, %.2f %% of messages\n",
           ok ? "ok  " : "FAIL", v.name, c.count, whole.messages.count, whole.violations.count,
           v.runs, v.unbalanced, v.lost_conversations, v.false_violations,
           v.expected ? 100.0 * (double)v.seen / (double)v.expected : 100.0);
    run_free(r);
    capture_free(&c);
    free(whole.messages.items);
    free(whole.violations.items);
    free(part.messages.items);
    free(part.violations.items);
    return ok;
}

static bool tell_capture(struct engine *engine, const char *path)
{
    struct capture c;
    struct outcome whole = {.tell = path};
    if (!capture_load(&c, path, UINT32_MAX))
        return false;
    struct run *r = run_new(engine, true);
    bool ok = run_frames(r, c.frames, c.count, WAY_PLAIN, &whole);
    run_free(r);
    capture_free(&c);
    free(whole.messages.items);
    free(whole.violations.items);
    return ok;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'}, {"first", required_argument, NULL, 'f'},
        {"more", required_argument, NULL, 'm'}, {"window", required_argument, NULL, 'w'},
        {"flows", no_argument, NULL, 't'},      {0}};
    static struct engine engine;
    struct plan plan = {.first = 2000, .more = 1000, .window = 400};
    bool only_flows = false;
    int c, failed = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint32_t n = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        if (c == 's')
            random_state = n;
        else if (c == 'f')
            plan.first = n;
        else if (c == 'm')
            plan.more = n;
        else if (c == 'w' && n)
            plan.window = n;
        else if (c == 't')
            only_flows = true;
        else
            return 2;
    }
    if (!engine_make(&engine))
        return 1;
    for (int i = optind; i < argc; i++)
        failed +=
            !(only_flows ? tell_capture(&engine, argv[i]) : judge_capture(&engine, argv[i], &plan));
    ft_ring_free(&engine.ring);
    ft_recogniser_free(engine.recogniser);
    ft_registry_free(engine.registry);
    return failed != 0;
}
