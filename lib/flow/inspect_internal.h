/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of an inspector: shared by who inspects, and who tests rules (inspect_rules.c). */
#ifndef FT_INSPECT_INTERNAL_H
#define FT_INSPECT_INTERNAL_H

#include "evidence/history.h"
#include "flow/inspect.h"

#include <setjmp.h>
#include <signal.h>

/* Combinations of the flags that are counted by combination. */
#define KINDS 32u

/* What few packets come to: kept out of the code that all run through. */
#define COLD __attribute__((noinline, cold))

/** The rules at work, and what they need to know. */
struct ft_rules_in_use {
    const struct ft_ruleset *set; /**< NULL: there are none */
    struct ft_matcher *matcher;
    uint32_t generation;
    uint32_t epoch; /**< of the profiles of flows: goes on with each rule set */
    bool has_payload, has_flow;
    bool has_connection, has_packet;
    bool looks_at_tcp; /**< has_payload or has_packet */
    bool has_joint;    /**< bytes of streams are kept for the next: inspect_tails.c */
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
    const struct ft_packet *packet; /* or the tick */
    struct ft_flow *flow;
    struct ft_flow *ending; /* whose requests are given up */
    enum ft_side side;      /* sender of the bytes being read; not always of the packet */
    enum ft_side packet_side;
    uint64_t event_seq; /* n counts events within (seq, shard) */
    uint32_t event_n;
    uint8_t event_shard;

    struct ft_rules_in_use rules;

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

/** A record to write, with everything that all events have; NULL when it had to be shed. */
struct ft_event *ft_inspect_event_begin(struct ft_inspector *ins, enum ft_event_type type);
void ft_inspect_event_end(struct ft_inspector *ins, struct ft_event *e);
/** Append bytes to a record: their offset, 0 when there is no room. */
uint16_t ft_inspect_event_append(struct ft_event *e, const void *bytes, uint32_t n);

/** The endpoints as seen from `sender`; what only this packet knows is added if it is its own. */
void ft_inspect_event_flow(const struct ft_inspector *ins, struct ft_event *e,
                           const struct ft_flow *flow, enum ft_side sender);

/** A message of the PDU at hand, with its fields. */
void ft_inspect_event_message(struct ft_inspector *ins, struct ft_event *e,
                              const struct ft_message *m);

/** Set the context up for bytes sent by `sender` of `flow`. */
void ft_inspect_prepare(struct ft_inspector *ins, struct ft_flow *flow, enum ft_side sender);

/* ---- rules ---- */

/** What may hold for what the context was prepared for: looked up, or judged. */
void ft_inspect_rules_prepare(struct ft_inspector *ins);

/** Is it known already that no rule holds for such a payload of this flow from `side`? */
bool ft_inspect_rules_spare(struct ft_inspector *ins, const struct ft_flow *flow, enum ft_side side,
                            const uint8_t *bytes, uint32_t length);

/** A flow begins: what was judged of another in its record is forgotten. */
void ft_inspect_rules_new_flow(struct ft_inspector *ins, const struct ft_flow *flow);

/** Test the rules on the messages of the PDU at hand. */
void ft_inspect_rules_messages(struct ft_inspector *ins);

/** On a payload, or the bytes of a PDU; the context has been prepared. */
void ft_inspect_rules_payload(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length);

/** On the end of what came before, `border` bytes, with the beginning of what follows. */
void ft_inspect_rules_joint(struct ft_inspector *ins, const uint8_t *bytes, uint32_t length,
                            uint32_t border);

/** Bytes of a stream in order: rules are tested where they join those before. */
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
