/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of rules: what a condition can ask about, and what its values are called.
 *
 * Three kinds of names: keywords, which every message or packet has (ip.src, command.class);
 * fields of dissectors by their schema (modbus.address, dnp3.object.point.index); and tags, which
 * the rule files define for payloads without a dissector (tag.level). Made before rules are read,
 * then only read.
 */
#ifndef FT_VOCABULARY_H
#define FT_VOCABULARY_H

#include "dissect/registry.h"
#include "rules/sets.h"

enum ft_keyword {
    FT_KEYWORD_NONE = 0, /**< not a keyword: a field or a tag */
    FT_KEYWORD_IP_SRC,
    FT_KEYWORD_IP_DST,
    FT_KEYWORD_IP_ADDR,
    FT_KEYWORD_ETH_SRC,
    FT_KEYWORD_ETH_DST,
    FT_KEYWORD_ETH_ADDR,
    FT_KEYWORD_VLAN,
    FT_KEYWORD_ETHERTYPE,
    FT_KEYWORD_TRANSPORT,
    FT_KEYWORD_IP_PROTOCOL,
    FT_KEYWORD_PORT_SRC,
    FT_KEYWORD_PORT_DST,
    FT_KEYWORD_PORT,
    FT_KEYWORD_ZONE_SRC,
    FT_KEYWORD_ZONE_DST,
    FT_KEYWORD_PURDUE_SRC,
    FT_KEYWORD_PURDUE_DST,
    FT_KEYWORD_VENDOR_SRC,
    FT_KEYWORD_VENDOR_DST,
    FT_KEYWORD_VENDOR,
    FT_KEYWORD_MODEL_SRC,
    FT_KEYWORD_MODEL_DST,
    FT_KEYWORD_MODEL,
    FT_KEYWORD_TYPE_SRC,
    FT_KEYWORD_TYPE_DST,
    FT_KEYWORD_TYPE,
    FT_KEYWORD_PROTOCOL,
    FT_KEYWORD_COMMAND,
    FT_KEYWORD_COMMAND_CODE,
    FT_KEYWORD_CLASS,
    FT_KEYWORD_KIND,
    FT_KEYWORD_DIRECTION,
    FT_KEYWORD_RESPONSE_TIME,
    FT_KEYWORD_SUBADDRESS,
    FT_KEYWORD_PAYLOAD,
    FT_KEYWORD_PAYLOAD_LENGTH,
    FT_KEYWORD_CONNECTION,
    FT_KEYWORD_FIRST,
    FT_KEYWORD_IP_TTL,
    FT_KEYWORD_IP_ID,
    FT_KEYWORD_TCP_FLAGS,
    FT_KEYWORD_TCP_WINDOW,
    FT_KEYWORD_TCP_OPTIONS,
    FT_KEYWORDS
};

/** How a connection came out: FT_KEYWORD_CONNECTION. */
enum ft_connection {
    FT_CONNECTION_NONE = 0,   /**< not known, or not what is at hand */
    FT_CONNECTION_ACCEPTED,   /**< TCP: SYN was answered with SYN and ACK */
    FT_CONNECTION_REFUSED,    /**< TCP: it was answered with RST */
    FT_CONNECTION_UNANSWERED, /**< TCP, UDP: what was sent to one host was not answered at all */
};

/** From when on, in the life of a packet, the value is known. */
enum ft_level {
    FT_LEVEL_FLOW = 0,   /**< with the first packet of a flow: addresses, ports, zones */
    FT_LEVEL_CONNECTION, /**< once of a connection: how it came out; goes with FLOW only */
    FT_LEVEL_PACKET,     /**< with a packet: its headers */
    FT_LEVEL_PAYLOAD,    /**< with a payload: its bytes, tags */
    FT_LEVEL_MESSAGE,    /**< with a message: protocol, command, fields */
    FT_LEVEL_ASSET,      /**< in the alerting core only: what is known of the devices */
};

/** What values are, and so what they can be compared with. */
enum ft_value_type {
    FT_VALUE_TYPE_UINT = 0,
    FT_VALUE_TYPE_INT,
    FT_VALUE_TYPE_FLOAT,
    FT_VALUE_TYPE_BOOL,
    FT_VALUE_TYPE_ENUM,    /**< a number with names */
    FT_VALUE_TYPE_FLAGS,   /**< a number whose bits have names */
    FT_VALUE_TYPE_TIME,    /**< nanoseconds since 1970 UTC */
    FT_VALUE_TYPE_MAC,     /**< 48 bits as a number */
    FT_VALUE_TYPE_COMMAND, /**< a command of some protocol: protocol index << 32 | row + 1 */
    FT_VALUE_TYPE_ADDRESS, /**< IP */
    FT_VALUE_TYPE_TEXT,
    FT_VALUE_TYPE_BYTES,
    FT_VALUE_TYPE_GROUP, /**< fields inside: can be asked for, and bound by `any` */
};

/** Is it compared as a number? */
static inline bool ft_value_type_is_number(enum ft_value_type type)
{
    return type <= FT_VALUE_TYPE_COMMAND;
}

/** Something that a condition can ask about. */
struct ft_operand {
    uint8_t keyword; /**< enum ft_keyword; NONE: field or tag */
    uint8_t type;    /**< enum ft_value_type */
    uint8_t level;   /**< enum ft_level */
    bool is_many;    /**< a message may have several values of it */
    bool is_tag;
    uint8_t bits;      /**< of its numbers, at most; 0 = 64, or not known */
    uint16_t protocol; /**< field: index in the registry */
    uint16_t field;    /**< field: number; tag: index */
    /** Of values or bits, ends with name NULL; NULL = none. Of a text: all that there are. */
    const struct ft_name *names;
};

/** Are they about the same values? */
static inline bool ft_operand_is_same(const struct ft_operand *a, const struct ft_operand *b)
{
    return a->keyword == b->keyword && a->is_tag == b->is_tag && a->protocol == b->protocol &&
           a->field == b->field;
}

/** A tag: a value at a place in payloads that no dissector reads. */
struct ft_tag {
    const char *name;   /**< without "tag." */
    uint8_t transport;  /**< enum ft_transport: L2 (then `port` is the ethertype), UDP, TCP */
    uint16_t port;      /**< of the source or the destination */
    const char *anchor; /**< bytes after which the value stands; NULL: from the start */
    uint32_t anchor_length;
    int32_t offset;  /**< of the value from the start, or from behind the anchor */
    uint32_t length; /**< bytes */
    uint8_t type;    /**< enum ft_value_type: UINT, INT, FLOAT, TEXT, BYTES, ADDRESS, MAC */
    bool is_little;  /**< byte order of numbers */
    bool is_broken;  /**< its definition has errors, which were told */
};

#define FT_MAX_TAGS 1024u

/** A named set. */
struct ft_named_set {
    const char *name;
    enum ft_value_kind kind;
    struct ft_set *set;
    bool is_broken; /**< its definition has errors, which were told */
};

/** zones[] of the configuration. */
struct ft_zone {
    const char *name;
    double purdue; /**< level, 3.5 too; negative = not said */
    struct ft_set *networks;
};

/** Where messages of a protocol can be. Whatever is not known for sure may be. */
struct ft_reach {
    uint64_t carriers[(FT_MAX_PROTOCOLS + 63) / 64]; /**< itself, and what may carry it; by index */
    uint8_t transports;   /**< 1 << enum ft_transport each, of its flows */
    bool has_own_classes; /**< classes of its messages may differ from those of their commands */
};

struct ft_vocabulary {
    const struct ft_registry *registry;
    const struct ft_tag *tags;
    uint32_t tag_count;
    const struct ft_named_set *sets;
    uint32_t set_count;
    const struct ft_zone *zones;
    uint32_t zone_count;
    /* Made by ft_vocabulary_open(). */
    struct ft_name *protocol_names, *zone_names;
    struct ft_reach *reach; /**< by protocol */
    /**
     * What no dissector reads is a message of a protocol more, FT_UNKNOWN_PROTOCOL: `registry` is a
     * copy then, with it behind the others. NULL: there was no room for it.
     */
    struct ft_protocol *unknown;
    struct ft_registry *own; /**< that copy */
};

/** Name of the protocol that payloads have which no dissector reads: no other may have it. */
#define FT_UNKNOWN_PROTOCOL "unknown"

/** Make what is derived, and `registry` a copy. False when memory is short. */
bool ft_vocabulary_open(struct ft_vocabulary *v);
void ft_vocabulary_close(struct ft_vocabulary *v);

/** Work out where messages of each protocol can be: `reach` is as long as the registry. */
void ft_reach_make(struct ft_reach *reach, const struct ft_registry *registry);

/** Can a message of a protocol have fields of another: its own, or of what may carry it? */
static inline bool ft_reach_has_fields(const struct ft_reach *r, uint16_t of)
{
    return r->carriers[of / 64] >> (of % 64) & 1;
}

/**
 * What a name means. False and one sentence, with the name that was probably meant, when it means
 * nothing.
 */
bool ft_vocabulary_find(const struct ft_vocabulary *v, const char *name, struct ft_operand *to,
                        char *error, size_t error_size);

/** Does a word with a dot begin as names do: with a protocol, "tag", or as a keyword with a dot? */
bool ft_vocabulary_is_begun(const struct ft_vocabulary *v, const char *word);

/** The zone of an address: of those that have it the one with the smallest network; NULL = none.
 * Cost: a binary search in each zone. */
const struct ft_zone *ft_vocabulary_zone(const struct ft_vocabulary *v,
                                         struct ft_set_address address);

/** A set by its name (without the $), NULL and a sentence when there is none. */
const struct ft_named_set *ft_vocabulary_set(const struct ft_vocabulary *v, const char *name,
                                             char *error, size_t error_size);

/**
 * Add all commands of a name to a set of numbers (as FT_VALUE_TYPE_COMMAND). False and a sentence
 * when no protocol has such a command.
 */
bool ft_vocabulary_command(const struct ft_vocabulary *v, const char *name, struct ft_set *set,
                           char *error, size_t error_size);

/** Write the name of an operand: "dnp3.object.point.index". Returns `to`. */
char *ft_vocabulary_name(const struct ft_vocabulary *v, const struct ft_operand *o, char *to,
                         size_t size);

/** What is tested on something of a level, for people: "payloads". */
const char *ft_level_name(enum ft_level level);

/** Title, level and type of a keyword for the reference; NULL: no such keyword. */
const char *ft_keyword_name(enum ft_keyword keyword);
const char *ft_keyword_title(enum ft_keyword keyword);
const char *ft_keyword_type_name(enum ft_keyword keyword);
const char *ft_value_type_name(enum ft_value_type type);

/** Is the group or field, or a group around it, one of a list? */
bool ft_field_is_many(const struct ft_protocol *p, uint32_t field);

/** Is a field the group, or somewhere in it? */
static inline bool ft_field_is_inside(const struct ft_protocol *p, uint32_t field, uint32_t group)
{
    while (field && field != group)
        field = p->fields[field].parent;
    return field == group;
}

/*
 * Numbers of any type as one that is in the same order: so that all comparisons are with ranges of
 * unsigned numbers.
 */
static inline uint64_t ft_key_of_int(int64_t value)
{
    return (uint64_t)value ^ 1ull << 63;
}

uint64_t ft_key_of_float(double value);

/** A hash of the network of an address, without its last bits (64 at most): to find by, not in any
 * order. */
uint64_t ft_key_of_address(struct ft_set_address address, unsigned bits);

/** A hash too. */
uint64_t ft_key_of_text(const void *text, size_t length);
/** The same of a text after ft_fold(). */
uint64_t ft_key_of_folded(const void *text, size_t length);

/** The number behind a key, as near as a double comes. */
double ft_key_number(const struct ft_operand *o, uint64_t key);

/** A value for people, from its key. */
void ft_key_text(const struct ft_operand *o, uint64_t key, char *to, size_t size);

#endif
