/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers tell the alerting core: records written in place into a byte ring.
 *
 * A record is one struct ft_event and, behind it, the variable parts that its members point to by
 * offset. Records of one worker come in the order of (seq, shard, n); the core merges the rings by
 * that key, which makes its output independent of the number of workers.
 */
#ifndef FT_EVENT_H
#define FT_EVENT_H

#include "packet/packet.h"

#include <fieldtap/dissector.h>

/** A record is at most this long. */
#define FT_EVENT_MAX 8192u

enum ft_event_type {
    FT_EVENT_TALK = 1,    /**< two endpoints were first seen together, or with this protocol */
    FT_EVENT_FACT,        /**< something about an asset */
    FT_EVENT_OPERATION,   /**< first (client, server, sub-addresses, command) */
    FT_EVENT_ALERT,       /**< a command of a class that is an alert, or a rule hit */
    FT_EVENT_VIOLATION,   /**< found by a dissector or by the engine for a protocol */
    FT_EVENT_ANOMALY,     /**< found below the protocols: decode, stream */
    FT_EVENT_MESSAGE,     /**< --log messages */
    FT_EVENT_TRANSACTION, /**< --log transactions */
    FT_EVENT_UNANSWERED,  /**< a request without response, --log transactions */
    FT_EVENT_FLOW,        /**< a flow ended */
    FT_EVENT_HEALTH,      /**< the sensor about itself */
    FT_EVENT_LEDGER,      /**< a worker's books at a tick: a struct ft_ledger behind the record */
    FT_EVENT_TICK,        /**< from the reader: a second of packet time has passed */
    FT_EVENT_RESOLUTION,  /**< ARP and the like: each message, the same one once a second */
    FT_EVENT_CLAIM,       /**< a message whose sender states to have something alone */
    FT_EVENT_RULE,        /**< a rule held; has_command false and parent 0xff: not for a message */
    FT_EVENT_TYPES
};

/** Which events may be shed when a ring is fuller than three quarters (live only). */
static inline bool ft_event_is_best_effort(enum ft_event_type type)
{
    return type >= FT_EVENT_MESSAGE && type <= FT_EVENT_FLOW;
}

/**
 * Does a message order what its command says? Requests do, and what is sent unasked; a response
 * stands for the request that nobody saw. A refusal orders nothing.
 */
static inline bool ft_event_is_order(uint8_t kind, bool is_paired)
{
    return kind != FT_KIND_EXCEPTION && (kind != FT_KIND_RESPONSE || !is_paired);
}

/** Below the protocols. */
enum ft_anomaly {
    FT_ANOMALY_FRAGMENT_OVERLAP = 0,
    FT_ANOMALY_STREAM_OVERLAP,
    FT_ANOMALY_DATA_AFTER_CLOSE,
    FT_ANOMALY_PORT_ZERO,
    FT_ANOMALY_LAND,          /**< source and destination are the same */
    FT_ANOMALY_MAC_GROUP,     /**< a group address sends */
    FT_ANOMALY_MAC_SAME,      /**< a frame from a station to itself */
    FT_ANOMALY_VLAN_RESERVED, /**< VLAN id 4095 */
    FT_ANOMALY_COUNT
};

/** About the sensor itself. */
enum ft_health {
    FT_HEALTH_DISSECTOR_FAULT = 0, /**< abandoned by a signal */
    FT_HEALTH_DISSECTOR_OVERRUN,   /**< abandoned: took too long */
    FT_HEALTH_TIME_BACKWARDS,      /**< packet time ran backwards, or jumped over an hour */
    FT_HEALTH_LEDGER,              /**< the books do not close */
    FT_HEALTH_INTERFACE_UP,        /**< a live port is there and has a link, again */
    FT_HEALTH_INTERFACE_DOWN,      /**< it has no link, or was switched off */
    FT_HEALTH_INTERFACE_MISSING,   /**< it does not exist (any more) */
    FT_HEALTH_NOT_SPREAD,          /**< its NIC puts packets on other queues than it was told to */
    FT_HEALTH_FILTER_CHANGED,      /**< the capture filter is another one now */
    FT_HEALTH_FILTER_REFUSED,      /**< another one was asked for, and could not be taken */
    FT_HEALTH_COUNT
};

/** A sub-address in an event; its text, if any, lies in the record. */
struct ft_event_sub {
    uint64_t value;
    uint16_t text; /**< offset from the record, 0 = none */
    uint8_t length;
    uint8_t kind; /**< enum ft_subaddress_kind */
};

/** The packet an event comes from. src and dst are sender and receiver of that packet. */
struct ft_event_packet {
    uint64_t flow_id;
    union ft_ip src, dst;
    uint16_t src_port, dst_port;
    uint8_t src_mac[6], dst_mac[6];
    uint16_t ethertype;
    uint16_t interface;
    uint16_t vlan[FT_PACKET_VLANS];
    uint8_t vlan_count;
    uint8_t proto;        /**< IP protocol, 0 when not IP */
    uint8_t family;       /**< 4, 6, or 2 for layer 2 */
    uint8_t server_side;  /**< 0: src is the server, 1: dst is, 2: neither */
    uint8_t is_multicast; /**< dst is a group or broadcast address */
    uint8_t has_mac;
    uint8_t has_loss;      /**< bytes of this flow were never seen */
    uint8_t confidence;    /**< enum ft_confidence of server_side */
    uint8_t stamp;         /**< enum ft_stamp of the packet's time stamp */
    struct ft_outer outer; /**< tunnel NONE: not tunnelled */
    uint64_t record;       /**< ft_history_flow() of the flow's record; 0: of no flow */
};

/** Members of MESSAGE, TRANSACTION, UNANSWERED, OPERATION, ALERT, VIOLATION, CLAIM, RULE. */
struct ft_event_message {
    uint32_t code, qualifier;
    uint8_t kind, direction, class_;
    uint8_t has_command;
    uint8_t is_paired;
    uint8_t is_tree_cut;
    uint8_t index;              /**< of the message in its PDU */
    uint8_t parent;             /**< index of the enclosing message, 0xff = none */
    struct ft_event_sub sub[2]; /**< client, server */
    uint64_t response_ns, request_number;
    uint32_t violation;         /**< VIOLATION */
    uint32_t rule, generation;  /**< RULE: its index in which rule set */
    uint32_t count;             /**< VIOLATION: times in this PDU; RULE: since it was told last */
    uint32_t at, at_length;     /**< VIOLATION, RULE: bytes of the PDU; UINT32_MAX = not in it */
    uint64_t value;             /**< VIOLATION: those as a number, big endian; more than 8: 0 */
    uint32_t tree, tree_length; /**< packed fields: offset from the record */
    union {
        uint32_t claim; /**< CLAIM: a struct ft_claim_fact: offset from the record */
        uint32_t more;  /**< RULE: a struct ft_event_more likewise, 0 = none */
    };
};

/** RULE: what is told beside the message and its fields. Offsets from the record. */
struct ft_event_more {
    /** Fields of the messages that carry this one, the nearest first: a struct ft_event_carrier
     * each, and the packed fields behind it. */
    uint32_t carriers, carriers_length;
    /** Why the rule held: a struct ft_event_evidence; length 0: nothing is known. */
    uint32_t evidence, evidence_length;
    /** What only the worker has: for each a byte with the number of the part of the rule's message,
     * one with the length, and the text. */
    uint32_t texts, texts_length;
    /** Of a rule that counts different values: so many, 64 bits each, a hash or the value. */
    uint32_t values, value_count;
    /** The flow up to here, by src and dst of the event's packet part. */
    uint64_t packets[2], bytes[2], first_ns;
    uint64_t is_unknown; /**< it had payload, and no protocol was recognised */
    uint64_t number; /**< packet that evidence and place are of; the event may be a later one's */
};

/** Values that one event tells at most. */
#define FT_EVENT_VALUES 64u

#define FT_EVIDENCE_NAME  160u /**< bytes */
#define FT_EVIDENCE_VALUE 256u /**< bytes; longer values are cut */

/**
 * The value for which a rule held. Where it stands is in the message (`at`). It stands for itself,
 * so that it can be told when the message's fields and the rule set are gone.
 */
struct ft_event_evidence {
    uint16_t protocol; /**< of a field: index + 1; 0: a keyword or a tag, its value is text */
    uint16_t field;    /**< number of the field */
    uint8_t type;      /**< enum ft_type: as it was put */
    uint8_t flags;     /**< enum ft_field_flag of its field */
    uint8_t name;      /**< bytes behind this record: the name of keyword or tag, or which element
                          of the message the field is ("point[2].index") if it is one of a list */
    uint8_t reserved;
    uint16_t value; /**< bytes behind the name */
    uint16_t zero;
    uint32_t length; /**< of the value, uncut */
    uint64_t u;      /**< of fields that are numbers */
};

#define FT_EVIDENCE_MAX                                                                            \
    ((sizeof(struct ft_event_evidence) + FT_EVIDENCE_NAME + FT_EVIDENCE_VALUE + 7) & ~(size_t)7)

struct ft_event_carrier {
    uint32_t protocol; /**< index in the registry + 1 */
    uint32_t length;   /**< of the packed fields, a multiple of 4 */
};

struct ft_event_fact {
    uint8_t is_address;    /**< text holds IP (4 or 16 bytes) or MAC (6), and MAC (6): one device */
    uint8_t is_lease;      /**< is_address, said by who gives addresses out */
    uint8_t is_management; /**< is_address, of the address by which the device is managed */
    uint8_t party;         /**< FT_SENDER, FT_RECEIVER */
    uint8_t fact;          /**< enum ft_fact */
    uint16_t text, length; /**< offset from the record */
    struct ft_event_sub sub;
    uint8_t of_family; /**< 0: about the party; 4, 6, 2 (MAC): about the device with address `of` */
    union ft_ip of;
};

struct ft_event_flow {
    uint64_t packets[2], bytes[2]; /**< by src and dst of the event's packet part */
    uint64_t first_ns, last_ns;
    uint8_t tcp_flags[2];
    uint8_t state, reason; /**< enum ft_flow_state, enum ft_flow_end */
    uint8_t alerted;
    uint8_t is_unknown; /**< had payload, and no protocol was recognised */
    uint8_t is_encrypted;
    uint32_t messages;
};

struct ft_event_health {
    uint8_t health; /**< enum ft_health */
    uint16_t port;  /**< index + 1 of the live port that it is about, 0 = none */
    int32_t signal;
};

struct ft_event_resolution {
    uint8_t what;   /**< enum ft_resolution */
    uint8_t family; /**< 4 or 6 */
    uint8_t mac[6]; /**< the sender, as the message names it */
    union ft_ip ip, target;
    uint32_t count;  /**< messages like this, with those not told since the last one was */
    uint32_t untold; /**< other messages of the shard that were not told for their number */
};

struct ft_event {
    uint32_t size; /**< of the record with all parts, a multiple of 8 */
    uint8_t type;  /**< enum ft_event_type */
    uint8_t shard;
    uint16_t protocol; /**< index in the registry + 1, 0 = none */
    uint64_t seq;      /**< order of the packet or tick */
    uint32_t n;        /**< order within (seq, shard) */
    uint32_t anomaly;  /**< ANOMALY: enum ft_anomaly */
    uint64_t time_ns;  /**< time stamp of the packet, for people */
    uint64_t clock_ns; /**< sensor clock, for what has to last */
    uint64_t number;   /**< pcap_cnt */
    struct ft_event_packet packet;
    union {
        struct ft_event_message message;
        struct ft_event_fact fact;
        struct ft_event_flow flow;
        struct ft_event_health health;
        struct ft_event_resolution resolution;
    };
};

/** What a rule event tells beside its message; false: nothing. */
static inline bool ft_event_more(const struct ft_event *e, struct ft_event_more *more)
{
    if (e->type != FT_EVENT_RULE || !e->message.more)
        return false;
    __builtin_memcpy(more, (const uint8_t *)e + e->message.more, sizeof(*more));
    return true;
}

/** A walk over the packed fields of an event: its own, then those of what carries it. Zeroed: at
 * the first. */
struct ft_event_trees {
    const uint8_t *tree;
    uint32_t length;
    uint16_t protocol; /**< index in the registry + 1 */
    bool is_carrier;
    bool is_begun;
    uint32_t next;
};

static inline bool ft_event_trees_next(const struct ft_event *e, struct ft_event_trees *walk)
{
    const uint8_t *base = (const uint8_t *)e;
    struct ft_event_more more;
    struct ft_event_carrier carrier;
    if (!walk->is_begun) {
        walk->is_begun = true;
        walk->tree = base + e->message.tree;
        walk->length = e->message.tree_length;
        walk->protocol = e->protocol;
        return true;
    }
    if (!ft_event_more(e, &more) || walk->next >= more.carriers_length)
        return false;
    __builtin_memcpy(&carrier, base + more.carriers + walk->next, sizeof(carrier));
    walk->tree = base + more.carriers + walk->next + sizeof(carrier);
    walk->length = carrier.length;
    walk->protocol = (uint16_t)carrier.protocol;
    walk->is_carrier = true;
    walk->next += (uint32_t)sizeof(carrier) + carrier.length;
    return true;
}

/** Bytes that ft_event_keep_more() may need. */
#define FT_EVENT_KEPT (sizeof(struct ft_event_more) + FT_EVIDENCE_MAX)

/** Append flow and evidence of `from` to a copy of its record, and nothing else that it points to.
 */
static inline void ft_event_keep_more(struct ft_event *to, const struct ft_event *from)
{
    struct ft_event_more more;
    to->message.more = 0;
    if (!ft_event_more(from, &more))
        return;
    const uint8_t *evidence = (const uint8_t *)from + more.evidence;
    more.carriers_length = more.texts_length = more.value_count = 0;
    to->message.more = to->size;
    more.evidence = to->size + (uint32_t)sizeof(more);
    __builtin_memcpy((uint8_t *)to + to->message.more, &more, sizeof(more));
    __builtin_memcpy((uint8_t *)to + more.evidence, evidence, more.evidence_length);
    to->size = (more.evidence + more.evidence_length + 7) & ~7u;
}

/** Did a rule hold for a message, and not for a payload or a flow? */
static inline bool ft_event_is_of_rule(const struct ft_event *e)
{
    const struct ft_event_message *m = &e->message;
    return e->type == FT_EVENT_RULE && (m->has_command || m->parent != 0xff || m->tree || m->kind ||
                                        m->direction || m->sub[0].kind || m->sub[1].kind);
}

#endif
