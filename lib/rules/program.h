/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A condition compiled: a small program of tests with jumps, run on a message or a packet.
 *
 * Jumps go forward only, and a loop runs over the elements of one group of the message, so a
 * program ends; a budget of steps bounds it for messages with thousands of elements. Nothing is
 * allocated, no function calls itself. A program is checked before it is used, whoever made it.
 */
#ifndef FT_PROGRAM_H
#define FT_PROGRAM_H

#include "dissect/context.h"
#include "rules/content.h"
#include "rules/expression.h"

#define FT_PROGRAM_ACCEPT 0xffffu
#define FT_PROGRAM_REJECT 0xfffeu
#define FT_PROGRAM_STEPS                                                                           \
    16384u /**< values compared in one run; then it is given up, and counted                       \
            */

enum ft_instruction_kind {
    FT_INSTRUCTION_TEST = 0,
    FT_INSTRUCTION_ANY, /**< the instructions after it, up to `end`, for each element */
};

struct ft_instruction {
    uint8_t kind;
    bool is_negated; /**< ANY */
    uint8_t depth;   /**< ANYs around it */
    int8_t binding;  /**< depth of the ANY whose element a field is of, -1 = none */
    int8_t right_binding;
    uint16_t on_true, on_false; /**< next instruction, ACCEPT or REJECT */
    uint16_t end;               /**< ANY: behind its body; ACCEPT in the body: this element holds */
    uint32_t group, pattern;    /**< CONTAINS, MATCHES: which pattern of which group */
    const struct ft_test *test; /**< of the expression; ANY: the group */
};

struct ft_program {
    struct ft_instruction *code;
    uint32_t count;
};

/**
 * All patterns of a rule set, in groups: those that are looked for in the same bytes, the values of
 * one operand. Of payloads there is a group for each `binding` that the caller gives.
 */
struct ft_patterns {
    struct ft_pattern_group {
        struct ft_operand operand;
        uint64_t binding; /**< 0: of values, not of payloads */
        struct ft_pattern *patterns;
        uint32_t count;
        uint32_t *slots; /**< hash table of the patterns: number + 1, 0 = free; half full at most */
        uint32_t slot_count;
        struct ft_content *content; /**< made by ft_patterns_compile() */
        uint64_t fingerprint;
    } * groups;
    uint32_t count;
    uint64_t binding; /**< of the programs that are being made */
    uint32_t least;   /**< bytes of the payloads that these are about, at least */
};

/**
 * Compile what the programs made with it look for in one group; what is the same in `before` (NULL:
 * none) is shared with it. False and a sentence.
 */
bool ft_patterns_compile(struct ft_patterns *p, uint32_t group, const struct ft_patterns *before,
                         char *error, size_t error_size);
void ft_patterns_free(struct ft_patterns *p);

struct ft_program_value;

/** What programs run on: filled in by who calls. All but the fields of messages. */
struct ft_subject {
    const struct ft_call *call; /**< NULL: there is no message */
    const struct ft_message *message;
    const uint8_t *payload; /**< NULL: there is none */
    uint32_t payload_length;
    uint8_t transport;  /**< enum ft_transport */
    uint8_t ip_version; /**< 4, 6; 0 = not IP */
    const uint8_t *src_ip, *dst_ip;
    const uint8_t *src_mac, *dst_mac; /**< NULL: none */
    uint16_t src_port, dst_port;
    bool has_ports;
    uint16_t ethertype;
    uint16_t vlan[4];
    uint8_t vlan_count;
    uint8_t ip_protocol; /**< where ip_version is not 0 */
    uint8_t connection;  /**< enum ft_connection */
    uint64_t number;     /**< of the packet */
    /** The next word that is known of an asset; `index` from 0. False: no more. Core only. */
    bool (*asset)(void *user, enum ft_keyword keyword, uint32_t index, const char **text);
    /** A keyword of the packet at hand, of FT_LEVEL_PACKET; NULL: there is no packet. */
    bool (*packet)(void *user, enum ft_keyword keyword, struct ft_program_value *value);
    void *user;
};

/** A value of an operand in the subject. What it points to is there until the next run. */
struct ft_program_value {
    uint64_t number; /**< as a key */
    struct ft_set_address address;
    const uint8_t *bytes;
    uint32_t length;
    uint32_t at, at_length; /**< bytes of the PDU or payload; at UINT32_MAX: not in it */
    uint32_t node;          /**< of fields: in the arena of the call; 0: not of a field */
};

/** Why a program held: what it found by the test that says most. */
struct ft_evidence {
    const struct ft_operand *operand; /**< NULL: there is none */
    struct ft_program_value value;
    uint8_t rank; /**< bytes of the message before its command, that before addresses */
    const struct ft_instruction *test;
};

/** What a run has, for itself and for who asks why. One per thread. */
struct ft_program_run {
    const struct ft_vocabulary *vocabulary;
    const struct ft_patterns *patterns;
    struct ft_content_scratch *scratch;
    struct ft_group_result *results; /**< by group: what was found in the message at hand */
    uint64_t given_up; /**< runs that ended for want of steps, and expressions likewise */
    uint32_t steps;
    struct ft_evidence evidence;   /**< of the last program that held */
    struct ft_program_value noted; /**< of the test at hand */
    bool has_noted;
    /* The fields of the message, by number: built when the first is asked for. */
    const struct ft_message *indexed;
    uint64_t epoch, index_epoch;
    uint32_t head[FT_MAX_FIELDS], tail[FT_MAX_FIELDS];
    uint64_t stamp[FT_MAX_FIELDS];
    uint32_t chain[FT_MAX_FIELDS + 1];
    struct ft_content_hit *found; /**< of one scan */
    char text[256];               /**< a sub-address */
    char evidence_text[256];      /**< the same, of the evidence */
};

/** Compile the part of an expression under `root`; it must outlive the program. Patterns go to
 * `patterns`. False when memory is short. */
bool ft_program_make(struct ft_program *p, const struct ft_vocabulary *v,
                     const struct ft_expression *e, uint32_t root, struct ft_patterns *patterns);
void ft_program_free(struct ft_program *p);

/** Are all jumps forward and inside, all loops closed, all patterns there? Nothing else may be run.
 */
bool ft_program_is_sound(const struct ft_program *p, const struct ft_patterns *patterns);

/**
 * Does it look for patterns anywhere in payloads, and for nothing that more bytes could undo? Then
 * it may be tested on payloads that were joined.
 */
bool ft_program_is_joinable(const struct ft_program *p);

/** Room for one thread; NULL when memory is short. After ft_patterns_compile(). */
struct ft_program_run *ft_program_run_new(const struct ft_vocabulary *v,
                                          const struct ft_patterns *patterns);
void ft_program_run_free(struct ft_program_run *run);

/** Another message or payload: what was kept of the last is forgotten. */
void ft_program_begin(struct ft_program_run *run);

/**
 * The patterns of a group that are in the subject; valid until the next begin. For who finds rules
 * by them.
 */
const struct ft_content_hit *ft_program_hits(struct ft_program_run *run, const struct ft_subject *s,
                                             uint32_t group, uint32_t *count);

/**
 * What the message at hand must have for a rule to hold: looked at before its program, which lies
 * elsewhere in memory. Nothing where `protocol` is UINT16_MAX.
 */
struct ft_guard {
    uint64_t low, high; /**< keys, both inclusive; of numbers */
    uint16_t protocol, field;
    uint8_t type; /**< enum ft_value_type; no number: the field is there */
    uint8_t zero[3];
};

/** The guard of what stands under `root`. */
struct ft_guard ft_guard_of(const struct ft_expression *e, uint32_t root);

/** False: the program does not hold. Only fields of the message's own protocol are looked at. */
bool ft_guard_passes(const struct ft_guard *g, const struct ft_subject *s);

/** Where ft_program_number() goes on; zeroed: at the first. */
struct ft_number_cursor {
    uint32_t index, node;
    bool is_begun, is_chained;
};

/**
 * The values of an operand in the subject, as keys, one after another. False: no
 * more. For who finds rules by them; addresses without their last `bits`, texts with `bits` as
 * lower() has them.
 */
bool ft_program_number(struct ft_program_run *run, const struct ft_subject *s,
                       const struct ft_operand *o, unsigned bits, struct ft_number_cursor *at,
                       uint64_t *key);

/** The key of a node of the operand's field; false: it has none. As ft_program_number() gives it.
 */
bool ft_program_key_of(const struct ft_operand *o, unsigned bits, const struct ft_node *n,
                       uint64_t *key);

/** Is what a test asks for the same for all that one side of a flow sends? Addresses, ports, zones.
 */
bool ft_test_is_of_flow(const struct ft_test *t);

/**
 * May it hold for anything that is sent as `s` says, in the same flow and direction? Only tests of
 * the flow are made. No says that it never does. Cost: a pass over the program.
 */
bool ft_program_may_hold(const struct ft_program *p, const struct ft_subject *s,
                         struct ft_program_run *run);

/** Has only who sees the packet the values: tags, payloads, headers, how a connection came out? */
bool ft_operand_is_of_packet(const struct ft_operand *o);

/**
 * The value of such an operand in the subject (of the payload its first bytes, in hexadecimal) as
 * text for people: texts as they are, bytes in hexadecimal, all cut to `size`. Returns
 * its bytes; no NUL is written; 0: it has none, or the operand is another. For who tells of a hit:
 * payloads are not in events.
 */
uint32_t ft_program_text(const struct ft_vocabulary *v, const struct ft_subject *s,
                         const struct ft_operand *o, char *to, uint32_t size);

/**
 * A value of a keyword or tag likewise, as it was found. Values of fields are not made text here:
 * secrets are.
 */
uint32_t ft_program_value_text(const struct ft_subject *s, const struct ft_operand *o,
                               const struct ft_program_value *value, char *to, uint32_t size);

/** Does it hold? */
bool ft_program_holds(const struct ft_program *p, const struct ft_subject *s,
                      struct ft_program_run *run);

#endif
