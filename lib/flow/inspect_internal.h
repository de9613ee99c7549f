/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of an inspector: shared by all files that inspect. What runs for each packet and is
 * needed by several of them stands here, so that it can be inlined.
 */
#ifndef FT_INSPECT_INTERNAL_H
#define FT_INSPECT_INTERNAL_H

#include "base/hash.h"
#include "evidence/history.h"
#include "flow/inspect.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>

/* Combinations of the flags that are counted by combination. */
#define KINDS 32u

/* What few packets come to: kept out of the code that all run through. */
#define COLD __attribute__((noinline, cold))

#define SECOND_NS 1000000000ull

#define ALTERNATE_STACK 65536u

/** The rules at work, and what they need to know. */
struct ft_rules_in_use {
    const struct ft_ruleset *set; /**< NULL: there are none */
    struct ft_matcher *matcher;
    uint32_t generation;
    uint32_t epoch; /**< of the profiles of flows: goes on with each rule set */
    /* What the matcher uses at present: of this flow as this side sends; NULL: of none. */
    const struct ft_flow *of_flow;
    enum ft_side of_side;
    const uint8_t *profiles; /**< ft_match_profiles() */
    bool has_payload, has_flow;
    bool has_connection, has_packet;
    bool looks_at_tcp; /**< has_payload or has_packet */
    bool has_joint;    /**< bytes of streams are kept for the next: inspect_tails.c */
    const struct ft_protocol *unknown; /**< see ft_ruleset_unknown() */
};

/** Segments in which rules held, of those that were tested last: in a PDU of several they would
 * hold again. */
#define FT_SEGMENT_HITS 256u

struct ft_segment_hit {
    uint64_t flow; /**< as struct ft_owner.flow */
    uint32_t rule, generation;
    uint32_t seq; /**< of the last byte of what was found, or the first of the segment */
    uint32_t side;
};

struct ft_inspector {
    struct ft_shards *shards;
    struct ft_protocol *const *protocols; /* of the registry */
    struct ft_ring *ring;
    ft_inspect_wait_fn *wait;
    void *wait_user;
    struct ft_recogniser_scratch *scratch;
    struct ft_ledger ledger;
    struct ft_history *history; /* NULL: packets are not kept */
    uint64_t kinds[KINDS];      /* packets by their KIND_FLAGS, for the books */

    /* the packet being inspected */
    const struct ft_packet *packet;      /* or the tick */
    uint64_t held_number, held_stamp_ns; /* of what waited in a stream and is read now; or 0 */
    struct ft_flow *flow;
    struct ft_flow *ending; /* whose requests are given up */
    enum ft_side side;      /* sender of the bytes being read; not always of the packet */
    enum ft_side packet_side;
    uint64_t event_seq; /* n counts events within (seq, shard) */
    uint32_t event_n;
    uint8_t event_shard;

    struct ft_rules_in_use rules;
    struct ft_segment_hit segment_hits[FT_SEGMENT_HITS];
    const struct ft_framer_call *framer_call; /* at work on a stream; NULL: none */

    /* the guard around dissectors */
    volatile sig_atomic_t is_guarded;
    volatile sig_atomic_t fault_signal;
    _Atomic uint64_t call_serial;
    _Atomic uint64_t overrun_serial; /* the call that the watchdog wants to end */
    uint64_t watch_serial, watch_cpu_ns;
    sigjmp_buf escape;
    void *alternate_stack;
    stack_t former_stack;

    struct ft_call call;
};

/* The packet that brought what is being read, and its time stamp. */
static inline uint64_t ft_inspect_number(const struct ft_inspector *ins)
{
    return ins->held_number ? ins->held_number : ins->packet->number;
}

static inline uint64_t ft_inspect_stamp(const struct ft_inspector *ins)
{
    return ins->held_number ? ins->held_stamp_ns : ins->packet->stamp_ns;
}

/* ---- flows ---- */

/* NULL: not known (yet). */
static inline const struct ft_protocol *ft_inspect_protocol(const struct ft_inspector *ins,
                                                            const struct ft_flow *flow)
{
    return flow->protocol ? ins->protocols[flow->protocol - 1] : NULL;
}

static inline uint8_t ft_inspect_direction(const struct ft_flow *flow, enum ft_side sender)
{
    static const uint8_t directions[3][3] = {
        [FT_SIDE_A] = {FT_TO_CLIENT, FT_TO_SERVER, FT_TO_SERVER},
        [FT_SIDE_B] = {FT_TO_SERVER, FT_TO_CLIENT, FT_TO_SERVER},
    };
    return directions[flow->server][sender];
}

/* Names a flow for good, also when another has its record: number of its first packet, record. */
static inline uint64_t ft_inspect_owner(const struct ft_flow *flow)
{
    return flow->first_number << 24 | flow->index;
}

static inline bool ft_inspect_is_icmp(const struct ft_flow *flow)
{
    return flow->key.family != 2 && (flow->key.proto == 1 || flow->key.proto == 58);
}

/* Is there a dissector, and is it switched on? */
static inline bool ft_inspect_reads(const struct ft_protocol *p, uint8_t shard)
{
    return p && !ft_protocol_is_off(p, shard);
}

/* The same for both directions. */
static inline uint64_t ft_inspect_pair_hash(const struct ft_flow *flow)
{
    uint64_t a = ft_hash_mix(flow->key.a.words[0], flow->key.a.words[1]);
    uint64_t b = ft_hash_mix(flow->key.b.words[0], flow->key.b.words[1]);
    return ft_hash_mix(a, ft_hash_mix(b, flow->key.family));
}

static inline struct ft_novelty *ft_inspect_novelty(struct ft_inspector *ins)
{
    return &ins->shards->novelty[ins->packet->shard];
}

/* ---- records: inspect_event.c ---- */

/** A record to write, with everything that all events have; NULL when it had to be shed. */
struct ft_event *ft_inspect_event_begin(struct ft_inspector *ins, enum ft_event_type type);
void ft_inspect_event_end(struct ft_inspector *ins, struct ft_event *e);
/** Append bytes to a record: their offset, 0 when there is no room. */
uint16_t ft_inspect_event_append(struct ft_event *e, const void *bytes, uint32_t n);

static inline void ft_inspect_event_sub(struct ft_event *e, struct ft_event_sub *to,
                                        const struct ft_sub *from)
{
    to->kind = from->kind;
    to->value = from->value;
    if (from->text) {
        to->text = ft_inspect_event_append(e, from->text, from->length);
        to->length = to->text ? from->length : 0;
    }
}

/** The endpoints as seen from `sender`; what only this packet knows is added if it is its own. */
void ft_inspect_event_flow(const struct ft_inspector *ins, struct ft_event *e,
                           const struct ft_flow *flow, enum ft_side sender);

/** A message of the PDU at hand, with its fields. */
void ft_inspect_event_message(struct ft_inspector *ins, struct ft_event *e,
                              const struct ft_message *m);

/** A flow has begun in a tunnel: kept beside its record, for few do. */
void ft_inspect_keep_outer(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                           const struct ft_packet *p);

/* ---- what is told: inspect_tell.c, inspect_fact.c ---- */

/** Two endpoints were seen, or seen to speak a protocol, or to answer a datagram: told once. */
COLD void ft_inspect_tell_talk(struct ft_inspector *ins, struct ft_flow *flow);
void ft_inspect_tell_anomaly(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side,
                             enum ft_anomaly anomaly);
void ft_inspect_tell_health(struct ft_inspector *ins, const struct ft_protocol *p,
                            enum ft_health health, int signal);
COLD void ft_inspect_tell_violation(struct ft_inspector *ins, const struct ft_finding *f);
COLD void ft_inspect_tell_fact(struct ft_inspector *ins, const struct ft_asset_fact *f);

/** All that the PDU at hand has raised. */
COLD void ft_inspect_tell_each(struct ft_inspector *ins);

/** Hooks of struct ft_call: does somebody want the message; what the pair of hosts is called. */
bool ft_inspect_raise(void *user, struct ft_call *call, struct ft_message *m);
uint64_t ft_inspect_name_pair(void *user);

/* ---- dissecting: inspect_dissect.c ---- */

/** Set the context up for bytes sent by `sender` of `flow`. */
void ft_inspect_prepare(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side sender);

/** Read a PDU of `length` bytes, `whole` on the wire, and tell what it comes to. */
void ft_inspect_dissect(struct ft_inspector *ins, const struct ft_protocol *p, const uint8_t *pdu,
                        uint32_t length, uint32_t whole, bool is_truncated);

/** A flow speaks what its port or its content promised: the first PDU is here. */
COLD void ft_inspect_confirm(struct ft_inspector *ins, struct ft_flow *flow,
                             const struct ft_protocol *p);

/** A violation that the engine finds itself. */
void ft_inspect_tell_protocol_violation(struct ft_inspector *ins, const struct ft_protocol *p,
                                        uint32_t violation);

/* ---- recognition: inspect_recognise.c ---- */

/* Payloads of a flow that are given to recognition before it counts as unknown. */
#define RECOGNISE_TRIES 4u

/* Seconds of packet time after which an unknown flow is looked at again. */
#define UNKNOWN_SECONDS 60u

/*
 * Sessions last for months: what was not recognised once gets another chance each minute. On a
 * bound port with foreign content the protocol of the port is looked for all the time.
 */
static inline bool ft_inspect_is_given_up(const struct ft_inspector *ins, struct ft_flow *flow)
{
    if ((flow->flags & (FT_FLOW_UNKNOWN | FT_FLOW_UNEXPECTED)) != FT_FLOW_UNKNOWN)
        return false;
    uint32_t now = (uint32_t)(ins->packet->time_ns / SECOND_NS);
    if (now - flow->unknown_since_s < UNKNOWN_SECONDS || now < flow->unknown_since_s)
        return true;
    flow->flags &= (uint8_t)~FT_FLOW_UNKNOWN;
    flow->tries = RECOGNISE_TRIES - 1;
    return false;
}

/** The flow is of this protocol from now on. */
COLD void ft_inspect_assign(struct ft_flow *flow, const struct ft_protocol *p);

/** Nobody knows what the flow speaks. */
void ft_inspect_give_up(const struct ft_inspector *ins, struct ft_flow *flow);

/** Find out what an unknown flow speaks, by its first payloads. True when it is known now. */
COLD bool ft_inspect_recognise(struct ft_inspector *ins, struct ft_flow *flow, const uint8_t *bytes,
                               uint32_t length, bool is_cut);

/** The bytes are not what the port promises, as far as can be read. */
COLD void ft_inspect_tell_foreign(struct ft_inspector *ins, struct ft_flow *flow,
                                  const struct ft_protocol *p);

/* ---- streams: inspect_stream.c ---- */

extern const struct ft_stream_ops ft_inspect_stream_ops;

/** Both directions begin anew; what the framers kept is booked. */
void ft_inspect_reset_framers(struct ft_inspector *ins, struct ft_flow *flow);

/* ---- ends: inspect_end.c, inspect_requests.c ---- */

/** What is called for each flow that ends. */
void ft_inspect_flow_end(void *user, struct ft_flow *flow, enum ft_flow_end why);

/** Hook of struct ft_call: a request stands in the slot of the flow at hand. */
void ft_inspect_watch_slot(void *user, struct ft_request_slot *slot);

/** Nothing of the flow that waits is answered any more. */
void ft_inspect_give_up_requests(struct ft_inspector *ins, struct ft_flow *flow);

/** Requests of the shard that nobody answered, and peers that fell silent. */
void ft_inspect_tick_requests(struct ft_inspector *ins, uint8_t shard, uint64_t now);

/* ---- the guard: inspect_guard.c ---- */

/* From here to ft_inspect_guard_end() a fault on this thread abandons the call. */
static inline void ft_inspect_guard_begin(struct ft_inspector *ins, const struct ft_protocol *p)
{
    ins->call.protocol = p;
    atomic_store_explicit(&ins->call_serial,
                          atomic_load_explicit(&ins->call_serial, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    ins->is_guarded = 1;
}

static inline void ft_inspect_guard_end(struct ft_inspector *ins)
{
    ins->is_guarded = 0;
    atomic_signal_fence(memory_order_seq_cst);
}

/** A dissector was abandoned while reading `p` (NULL: at a tick): it is disabled, the rest goes on.
 */
void ft_inspect_after_fault(struct ft_inspector *ins, struct ft_packet *p);

/* ---- rules ---- */

/** What may hold for what the context was prepared for: looked up, or judged. */
void ft_inspect_rules_prepare(struct ft_inspector *ins);

/** Is it known already that no rule holds for such a payload of this flow from `side`? */
bool ft_inspect_rules_spare(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                            const uint8_t *bytes, uint32_t length);

/** A flow begins: what was judged of another in its record is forgotten. */
void ft_inspect_rules_new_flow(struct ft_inspector *ins, struct ft_flow *flow);

/** Test the rules on the messages of the PDU at hand. */
void ft_inspect_rules_messages(struct ft_inspector *ins);

/** On a payload, or the bytes of a PDU; the context has been prepared. */
void ft_inspect_rules_payload(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length);

/** On a payload that no dissector reads, as a message of ft_inspector.rules.unknown. */
void ft_inspect_rules_unknown(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length);
/** May any rule be about payloads of the flow, as such or as such messages? It was prepared. */
bool ft_inspect_rules_want_bytes(struct ft_inspector *ins);

/** On the end of what came before, `border` bytes, with the beginning of what follows. */
void ft_inspect_rules_joint(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length,
                            uint32_t border);

/** Bytes of a stream in order: rules are tested where they join those before. It was prepared. */
void ft_inspect_tail(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side sender,
                     const uint8_t *bytes, uint32_t length);
/** Nothing is kept of any flow of the shard. */
void ft_inspect_tails_forget(struct ft_inspector *ins, uint8_t shard);
/** What follows does not join what was there. */
void ft_inspect_tail_gap(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side sender);

/** On a flow whose first packet of a direction this is. */
void ft_inspect_rules_flow(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side);

/** On a packet by itself, if its headers are anything that rules are tested on. */
void ft_inspect_rules_packet(struct ft_inspector *ins, struct ft_flow *flow);

/** On a flow of which it is known now how `client`'s attempt to connect came out. */
void ft_inspect_rules_connection(struct ft_inspector *ins, struct ft_flow *flow,
                                 enum ft_side client, enum ft_connection outcome);

/** What the first packet of a direction says of the connection: of `side`, which sent it. */
void ft_inspect_first_answer(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side side);
/** A flow ends: was there no answer? */
void ft_inspect_no_answer(struct ft_inspector *ins, struct ft_flow *flow);
/** A value of the packet at hand: for struct ft_subject. `user` is the inspector. */
bool ft_inspect_packet_value(void *user, enum ft_keyword keyword, struct ft_program_value *v);

/** Is a TCP packet one that opens, ends or refuses a connection, or none that a connection has? */
static inline bool ft_inspect_is_control(uint8_t tcp_flags)
{
    const uint8_t looked_at = FT_TCP_FIN | FT_TCP_SYN | FT_TCP_RST | FT_TCP_ACK | FT_TCP_URG;
    return (tcp_flags & looked_at) != FT_TCP_ACK;
}

/** Tell what was counted and not told; go on with flows that are older than the rules. */
void ft_inspect_rules_tick(struct ft_inspector *ins, uint8_t shard);

#endif
