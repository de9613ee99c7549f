/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The context behind struct ft_context: the arena in which a PDU becomes a message tree.
 *
 * One per worker, used for every PDU in turn: ft_call_dissect() resets it, runs the dissector
 * and leaves the messages, violations and facts in it for the caller to read. Nothing allocates.
 */
#ifndef FT_CONTEXT_H
#define FT_CONTEXT_H

#include "base/hash.h"
#include "base/json.h"
#include "dissect/registry.h"
#include "dissect/state.h"

#define FT_MAX_VIOLATIONS                                                                          \
    32u                  /**< violations of one PDU that are told; further ones are counted        \
                          */
#define FT_MAX_FACTS 64u /**< facts of one PDU */

#define FT_NODE_END 0u /**< type of the node that closes a group */

/** One field that was put. */
struct ft_node {
    uint16_t field;
    uint8_t type;  /**< enum ft_type, FT_NODE_END */
    uint8_t flags; /**< enum ft_field_flag of its field */
    uint32_t next; /**< next node of the same message, 0 = last */
    uint32_t at;   /**< evidence: offset in the PDU, UINT32_MAX = computed or reassembled */
    uint32_t at_length;
    uint32_t length; /**< of bytes */
    union {
        uint64_t u; /**< of a group: which element of its list, from 1; 0: the next one */
        int64_t i;
        double d;
        const uint8_t *bytes;
    };
};

/** A sub-address. */
struct ft_sub {
    uint8_t kind; /**< enum ft_subaddress_kind */
    uint8_t length;
    uint64_t value;   /**< number, or hash of the text */
    const char *text; /**< kinds that are text: in the arena */
};

struct ft_message {
    const struct ft_protocol *protocol;
    const struct ft_command *command; /**< row, NULL = not in the table */
    const struct ft_demand_row *row;  /**< what is wanted of such; of no use without a demand */
    uint32_t code, qualifier;
    uint64_t fields; /**< of its nodes: a bit of 64 each */
    uint8_t kind, direction, class_;
    bool has_command;
    bool is_raised;                    /**< everything is wanted of it: an alert class, or new */
    bool is_new;                       /**< set by the hook: first of its operation */
    bool is_paired;                    /**< a response whose request was found */
    bool is_violated;                  /**< a violation was found in it */
    uint8_t parent;                    /**< index of the enclosing message, 0xff = none */
    uint8_t depth;                     /**< groups open */
    uint16_t lazy_list;                /**< a list whose elements are opened by what is put */
    uint32_t lazy_count;               /**< elements of it that were begun */
    uint16_t open[FT_MAX_GROUP_DEPTH]; /**< their fields */
    struct ft_sub sub[2];              /**< 0 client, 1 server */
    uint32_t first, last;              /**< nodes */
    uint64_t response_ns;              /**< time since the request */
    uint64_t request_number;           /**< its packet */
};

struct ft_finding {
    uint32_t violation;
    uint8_t message;
    uint32_t at, at_length;
    uint32_t count;
    const struct ft_protocol *protocol;
};

enum ft_fact_kind {
    FT_FACT_TEXT = 0,
    FT_FACT_ADDRESS,    /**< text holds IP (4 or 16 bytes) then MAC (6) */
    FT_FACT_LEASE,      /**< as ADDRESS, said by who gives addresses out */
    FT_FACT_MANAGED,    /**< as ADDRESS, said by the device of the address for its management */
    FT_FACT_PORT,       /**< text holds the MAC addresses of a device and of a port of it */
    FT_FACT_RESOLUTION, /**< text holds a struct ft_resolution_fact */
    FT_FACT_CLAIM,      /**< text holds a struct ft_claim_fact */
};

/** A message of address resolution. All bytes are set: compared as they are. */
struct ft_resolution_fact {
    uint8_t what;   /**< enum ft_resolution */
    uint8_t length; /**< of the addresses: 4 or 16 */
    uint8_t mac[6];
    uint8_t ip[16], target[16];
};

struct ft_claim_fact {
    uint64_t key, holder;
    uint32_t milliseconds;
    uint32_t contested, replaced; /**< violations */
    uint32_t zero;
};

struct ft_asset_fact {
    uint8_t kind;  /**< enum ft_fact_kind */
    uint8_t party; /**< enum ft_party */
    uint8_t fact;  /**< enum ft_fact */
    uint8_t message;
    uint16_t length;
    struct ft_sub sub; /**< the device behind the party, kind NONE = the party itself */
    const char *text;
    uint8_t of_length; /**< not 0: about the device with the address `of` instead, IP or MAC */
    uint8_t of[16];
};

/** Bits of ft_field_demand.values. */
#define FT_VALUE_BITS 4096u

/** What is asked of a field that is wanted. */
struct ft_field_demand {
    const uint64_t *values; /**< only numbers and texts whose ft_value_bit() is set; NULL: all */
    bool is_lazy; /**< a group, in no list, that nobody misses when nothing is put into it */
};

/** Fields that are wanted, and what is asked of them. */
struct ft_wanted {
    const uint64_t *fields;              /**< a bit each, FT_MAX_FIELDS / 64 words */
    const struct ft_field_demand *asked; /**< by field; NULL: all values, all groups */
};

/** What somebody wants of the messages of one command. */
struct ft_demand_row {
    struct ft_wanted all;
    struct ft_wanted of_flow; /**< where `flow_wants` says so */
    uint64_t
        gate_fields; /**< only messages with one of them are looked at, FT_FIELD_BIT(); 0: all */
    uint64_t gate_classes; /**< of their classes, a bit each; for who looks */
} __attribute__((aligned(64)));

/** What somebody wants of the messages of one protocol. */
struct ft_demand {
    struct ft_wanted before; /**< of a message whose command is not known yet */
    struct ft_wanted before_of_flow;
    const struct ft_demand_row *rows; /**< by row of the command + 1; 0: not in the table */
} __attribute__((aligned(64)));

/** A text as a value. */
static inline uint64_t ft_text_value(const void *text, uint32_t length)
{
    return ft_hash_bytes(0, text, length);
}

/** The bit of a value among FT_VALUE_BITS. */
static inline uint32_t ft_value_bit(uint64_t value)
{
    return (uint32_t)(value * 0x9e3779b97f4a7c15ull >> 52);
}

/** The bit of a field in ft_message.fields. */
#define FT_FIELD_BIT(field) (1ull << ((field)&63))

/**
 * What is wanted of the messages of one flow in one direction, instead of what is wanted of all: a
 * bit of 64 each for protocols and for commands, so sometimes more than is asked for.
 */
struct ft_flow_wants {
    uint64_t protocols; /**< of which any field is wanted: before the command is known */
    uint64_t whole;     /**< of which fields are wanted of messages with any command */
    uint64_t commands;  /**< of which fields are wanted besides, ft_command_bit() */
};

/** The bit of a protocol, by its index. */
static inline uint64_t ft_protocol_bit(uint16_t protocol)
{
    return 1ull << (protocol & 63);
}

/** The bit of a row of its table of commands, from 1; 0: of commands that are not in it. */
static inline uint64_t ft_command_bit(uint16_t protocol, uint32_t row)
{
    return 1ull << ((protocol * 11u + row) & 63);
}

/** No field, and nobody who looks. */
extern const struct ft_wanted ft_demand_nothing;
extern const struct ft_demand_row ft_demand_row_nothing;

struct ft_call;

/** Asked when a command is named: is everything wanted of this message? Sets is_new. */
typedef bool ft_raise_fn(void *user, struct ft_call *call, struct ft_message *message);

/** The whole context; `pub` is what dissectors see. About 300 KiB. */
struct ft_call {
    struct ft_context pub;
    const struct ft_field_demand *field_demand; /**< of those in pub.demand; NULL: all of each */
    const struct ft_registry *registry;
    /** What is wanted of messages that are not raised, by index of the protocol; NULL: nothing. */
    const struct ft_demand *demand;
    const struct ft_flow_wants *flow_wants; /**< never NULL when there is a demand */
    uint64_t wanted_of_all; /**< protocols of which rows of `demand` are any, ft_protocol_bit() */
    bool wants_all;         /**< every field of every message, for tests */
    struct ft_state *state; /**< of the shard */
    struct ft_owner owner;
    uint8_t shard;
    const struct ft_protocol *protocol; /**< being called */
    const struct ft_protocol *first;    /**< the flow's: layer 0 */
    uint64_t number;                    /**< packet number */
    void *flow_state;                   /**< of the flow's first protocol: FT_INLINE_STATE bytes */
    struct ft_inline_state *state_map;  /**< who else has its state there; NULL: nobody */
    uint8_t *children; /**< FT_INLINE_CHILDREN: ft_child_probe()'s choices + 1, or NULL */
    struct ft_request_slot *slot; /**< of the flow; NULL: all requests go to the table */
    ft_raise_fn *raise;
    /** Called when a request is put into a slot that nobody watches; may be NULL with slot NULL. */
    void (*watch)(void *user, struct ft_request_slot *slot);
    /** Called for owner.pair when that is 0 and wanted: few messages want it. Never returns 0. */
    uint64_t (*name_pair)(void *user);
    void *user;

    const uint8_t *pdu; /**< the PDU as the first protocol got it */
    uint32_t pdu_length;
    uint32_t current; /**< message */
    uint32_t layer;
    uint8_t layer_message[FT_MAX_LAYERS]; /**< the message that each layer began with */
    bool has_raised;                      /**< a message of this PDU is raised */
    uint8_t direction_said; /**< ft_set_direction() was called: the direction of the flow */
    uint32_t node_count, message_count, finding_count, fact_count, arena_used;
    uint32_t release[FT_MAX_LAYERS * 2]; /**< buffers to give back after the PDU */
    uint32_t release_count;
    uint32_t dropped;             /**< fields, findings, facts that did not fit */
    uint32_t unknown_children;    /**< payloads handed to a child that nobody is */
    uint64_t asked, answered;     /**< requests, and those whose response came; of the whole run */
    _Atomic uint32_t is_changing; /**< inside a change of shared state: not to be abandoned now */
    struct ft_message messages[FT_MAX_MESSAGES];
    struct ft_finding findings[FT_MAX_VIOLATIONS];
    struct ft_asset_fact facts[FT_MAX_FACTS];
    struct ft_node nodes[FT_MAX_FIELDS + 1]; /**< 0 is not used */
    char arena[FT_MAX_ARENA];
};

/** The call behind the context a dissector holds. */
static inline struct ft_call *ft_call_of(struct ft_context *ctx)
{
    return (struct ft_call *)(void *)ctx;
}

/** Prepare a call for a worker (once). */
void ft_call_init(struct ft_call *call, const struct ft_registry *registry);

/**
 * Dissect one PDU of `protocol`. The caller has set pub (transport, ports, addresses, time,
 * direction, confidence), state, owner, number, flow_state. Afterwards messages, findings and facts
 * are there until ft_call_done() or the next call.
 */
void ft_call_dissect(struct ft_call *call, const struct ft_protocol *protocol, const uint8_t *pdu,
                     uint32_t length, uint32_t whole_length, bool is_truncated);

/**
 * The protocol that ft_expect_flow() told of for the addresses and ports of `call`, or NULL. *keep
 * are the *size bytes that its flow state begins with, valid until the shard's state is changed.
 */
const struct ft_protocol *ft_call_expected(struct ft_call *call, void **keep, uint32_t *size);

/** Give back the buffers that reassembled units held. */
void ft_call_done(struct ft_call *call);

/** Forget a call that was abandoned half way: no buffer is lost, no result is left. */
void ft_call_abandon(struct ft_call *call);

/** Add a violation from outside a dissector (the framer, the engine). Starts a message if none. */
void ft_call_violation(struct ft_call *call, const struct ft_protocol *protocol,
                       uint32_t violation);

/* ---- trees outside the arena: packed into events, written as JSON ---- */

/** Pack the fields of a message into `to` (at most `size` bytes); returns the bytes used. */
uint32_t ft_tree_pack(const struct ft_call *call, const struct ft_message *message, uint8_t *to,
                      uint32_t size, bool *is_cut);

struct ft_tree_options {
    bool log_secrets;
    uint64_t salt[2]; /**< of the hashes of secrets */
    uint32_t leaves;  /**< at most so many leaf fields, 0 = no limit */
    uint32_t bytes;   /**< no further leaf once the writer holds so many bytes, 0 = no limit */
};

/** Write packed fields as the members of an object that is already open. False when leaves were
 * cut. */
bool ft_tree_json(const struct ft_protocol *protocol, const uint8_t *packed, uint32_t length,
                  const struct ft_tree_options *options, struct ft_json *j);

/** A field of a packed tree, without the groups around it. */
struct ft_tree_value {
    uint16_t field;
    uint8_t type;    /**< enum ft_type: as it was put */
    uint8_t flags;   /**< enum ft_field_flag of its field */
    uint32_t length; /**< of bytes */
    uint32_t at, at_length;
    uint64_t u;           /**< numbers; of INT and FLOAT the bits */
    const uint8_t *bytes; /**< others; in the packed tree */
};

/** The next field that is no group from *offset on, which is 0 at first. False: no more. */
bool ft_tree_next(const uint8_t *packed, uint32_t length, uint32_t *offset,
                  struct ft_tree_value *value);

/**
 * A value as text for people: enumerations and flags by name, addresses and times as everywhere,
 * bytes as hex, texts as they are. Secrets are their length and salted hash unless the options say
 * otherwise. Writes at most `size` bytes, without NUL; returns how many.
 */
uint32_t ft_tree_text(const struct ft_protocol *protocol, const struct ft_tree_value *value,
                      const struct ft_tree_options *options, char *to, uint32_t size);

/**
 * Path of the smallest packed field that the evidence [at, at + at_length) lies in, groups and
 * field joined by dots ("object.point.index"). False, and `to` untouched, when no field has it.
 */
bool ft_tree_path(const struct ft_protocol *protocol, const uint8_t *packed, uint32_t length,
                  uint32_t at, uint32_t at_length, char *to, uint32_t size);

/** Name of a command for people and JSON: the row's, or "code_<n>" written to `scratch`. */
const char *ft_command_name(const struct ft_protocol *protocol, uint32_t code, uint32_t qualifier,
                            char scratch[32]);

/** Text of a sub-address: "unit 3", "slot 0/2", "route 1/0"; empty when none. */
void ft_sub_text(uint8_t kind, uint64_t value, const char *text, uint32_t length, char *to,
                 uint32_t size);

#endif
