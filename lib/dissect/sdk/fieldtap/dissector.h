/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dissector interface: what a protocol is to fieldtap.
 *
 * A dissector is one struct ft_dissector and one function, dissect(). The struct says everything
 * that is static: names, what carries the protocol, the fields it can produce, its commands with
 * their classes, what can be wrong. The function reads one PDU through a view and puts what it
 * finds into a message tree. The engine does the rest: segments, reassembly, request/response
 * pairing, state, novelty, rules, logging, counting, and keeping a faulty dissector from doing
 * harm.
 *
 * Rules for a dissector
 *  - no global or static variables that change, no locks, no allocation, no I/O;
 *  - payload is read through struct ft_view only; every loop over a wire count goes through
 *    ft_count(), every recursion is bounded;
 *  - state lives in ctx->flow_state and in channels, both zeroed by the engine and bounded;
 *  - call ft_subaddress() before ft_command(), and ft_command() before the fields: what the engine
 *    decides there (is this operation new, is its class an alert) sets which fields are wanted.
 *
 * Threads: all functions here are called from within probe(), frame() and dissect() only, on the
 * thread that called those. Errors: none of them fails in a way that a dissector must handle; what
 * does not fit (arena full, table full) is counted by the engine.
 * Ownership: nothing that is handed over must outlive the call; the engine copies what it keeps.
 *
 * ABI: structs begin with their size and grow at the end, enums only grow, rows of tables carry
 * their row size. A plugin exports one symbol, see FT_PLUGIN().
 */
#ifndef FIELDTAP_DISSECTOR_H
#define FIELDTAP_DISSECTOR_H

#include <fieldtap/view.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this interface. The engine loads plugins of the same version only. */
#define FT_ABI_VERSION 1u

/* ---- limits (part of the ABI) -------------------------------------------------------------- */

#define FT_MAX_FIELDS        4096u  /**< fields in one message tree; more are dropped and counted */
#define FT_MAX_ARENA         65536u /**< bytes of composed text in one message tree */
#define FT_MAX_GROUP_DEPTH   16u    /**< nested groups */
#define FT_MAX_MESSAGES      64u    /**< messages in one PDU: layers plus embedded operations */
#define FT_MAX_LAYERS        12u    /**< protocols on top of each other */
#define FT_MAX_FLOW_STATE    64u    /**< bytes of ctx->flow_state */
#define FT_MAX_CHANNEL_STATE 192u   /**< bytes of one channel */
#define FT_MAX_PAIR_KEEP     64u    /**< bytes kept with a request for its response */
#define FT_MAX_REASSEMBLY    65536u /**< bytes of one ft_reassemble() result */
#define FT_MAX_PDU           65536u /**< upper bound of ft_dissector.max_pdu */

/* ---- classes, kinds, directions ------------------------------------------------------------ */

/**
 * What a command does to a plant, the same for every protocol. When several apply, the most
 * dangerous does; the order of danger is the order below, FT_CLASS_UNKNOWN last.
 */
enum ft_class {
    FT_CLASS_UNKNOWN = 0,
    FT_CLASS_FIRMWARE,   /**< firmware into the device */
    FT_CLASS_PROGRAM,    /**< logic or hardware configuration into the device */
    FT_CLASS_MODE,       /**< start, stop, restart, reset, key switch of a controller */
    FT_CLASS_CONFIG,     /**< settings: addresses, time, parameters of communication */
    FT_CLASS_ADMIN,      /**< accounts, reservations, maintenance */
    FT_CLASS_OPERATE,    /**< a command to the process: select, operate, set point, trip */
    FT_CLASS_WRITE,      /**< values into memory, registers, tags */
    FT_CLASS_UPLOAD,     /**< logic out of the device */
    FT_CLASS_FILE,       /**< file transfer that is none of the above */
    FT_CLASS_AUTH,       /**< authentication */
    FT_CLASS_READ,       /**< values out */
    FT_CLASS_DIAGNOSTIC, /**< identity, status, counters, echo */
    FT_CLASS_SESSION,    /**< connect, negotiate, keep alive, disconnect */
    FT_CLASS_DATA,       /**< cyclic data, reports */
    FT_CLASS_EVENT,      /**< events and alarms raised by the device */
    FT_CLASS_COUNT
};

/** The part a message plays. */
enum ft_kind {
    FT_KIND_DATA = 0,
    FT_KIND_REQUEST,
    FT_KIND_RESPONSE,
    FT_KIND_EXCEPTION, /**< a response that refuses */
    FT_KIND_UNSOLICITED,
    FT_KIND_COUNT
};

/** Direction of a PDU relative to the server of its flow. */
enum ft_direction {
    FT_DIRECTION_NONE = 0, /**< multicast, or not known */
    FT_TO_SERVER,
    FT_TO_CLIENT,
};

/** How the engine came to the direction it hints at. */
enum ft_confidence {
    FT_CONFIDENCE_GUESS = 0, /**< lower port is the server */
    FT_CONFIDENCE_PORT,      /**< one side uses a port bound to the protocol */
    FT_CONFIDENCE_HANDSHAKE, /**< a TCP SYN was seen */
    FT_CONFIDENCE_DISSECTOR, /**< a dissector said so before, by ft_set_direction() */
};

/** What a PDU came in. */
enum ft_transport {
    FT_TRANSPORT_L2 = 1, /**< Ethernet type, LLC or SNAP */
    FT_TRANSPORT_IP,     /**< IP protocol */
    FT_TRANSPORT_UDP,
    FT_TRANSPORT_TCP,
};

/* ---- static description -------------------------------------------------------------------- */

/** A table in the struct of a dissector; the row size makes rows able to grow. */
struct ft_table {
    const void *rows;
    uint32_t count;
    uint32_t row_size;
};

/** FT_TABLE(array): the initialiser of a struct ft_table. */
#define FT_TABLE(array)                                                                            \
    {                                                                                              \
        (array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0])                            \
    }

/** Name of one value of an enumeration, or of one bit mask of a flag field. Ends with name NULL. */
struct ft_name {
    uint64_t value;
    const char *name; /**< lower_snake_case or as the specification spells it */
};

enum ft_type {
    FT_TYPE_GROUP = 1, /**< an object: fields inside; list: one element per ft_group_begin() */
    FT_TYPE_UINT,
    FT_TYPE_INT,
    FT_TYPE_FLOAT,
    FT_TYPE_BOOL,
    FT_TYPE_ENUM,   /**< unsigned with names: JSON "x": name and "x_code": number */
    FT_TYPE_FLAGS,  /**< unsigned with bit names: JSON "x": [names] and "x_code": number */
    FT_TYPE_STRING, /**< text; invalid UTF-8 is escaped on output */
    FT_TYPE_BYTES,  /**< JSON: lower-case hex */
    FT_TYPE_IPV4,   /**< unsigned, host order on put */
    FT_TYPE_IPV6,   /**< 16 bytes */
    FT_TYPE_MAC,    /**< 6 bytes */
    FT_TYPE_TIME,   /**< nanoseconds since 1970 UTC */
};

enum ft_field_flag {
    FT_FIELD_LIST = 1,   /**< may be put several times in its group: a JSON array */
    FT_FIELD_SECRET = 2, /**< password, key, community: printed as length and salted hash */
};

/**
 * One field of the schema. The index in the table is the field's number. Row 0 is the root group
 * of the protocol, its name the protocol's; all others name the group they are in.
 * Cost of a put that nobody wants: one test.
 */
struct ft_field {
    const char *name;  /**< lower_snake_case, unique within its group */
    const char *title; /**< one line for the reference */
    const struct ft_name *names;
    uint16_t parent; /**< index of a group before or after, 0 = root */
    uint8_t type;    /**< enum ft_type */
    uint8_t flags;   /**< enum ft_field_flag */
    /**
     * UINT, INT, ENUM, FLAGS: bits that its values have at most, at the place where they are read
     * (an INT with its sign); 0 = not known, up to 64. Rules that ask for more are refused.
     */
    uint32_t bits;
};

#define FT_ANY_QUALIFIER UINT32_MAX

/** One command: (code, qualifier) -> name and class. Exact qualifier is preferred to any. */
struct ft_command {
    uint32_t code;
    uint32_t qualifier; /**< FT_ANY_QUALIFIER: whatever the qualifier */
    const char *name;   /**< lower_snake_case */
    uint8_t class_;     /**< enum ft_class */
    uint8_t reserved[7];
    const char *mitre; /**< ATT&CK for ICS techniques, space separated, or NULL: the class's */
};

enum ft_severity {
    FT_SEVERITY_CRITICAL = 1,
    FT_SEVERITY_MAJOR = 2,
    FT_SEVERITY_MINOR = 3,
    FT_SEVERITY_WARNING = 4,
};

/** Which detection engine an alert belongs to. */
enum ft_engine {
    FT_ENGINE_PROTOCOL = 0, /**< protocol violation */
    FT_ENGINE_POLICY,
    FT_ENGINE_MALWARE,
    FT_ENGINE_ANOMALY,
    FT_ENGINE_OPERATIONAL,
};

/** Is a violation an alert by default, or an anomaly event only? */
enum ft_alerting {
    FT_ALERT_NEVER = 0,
    FT_ALERT_EACH,     /**< one for each command and sub-address between two hosts */
    FT_ALERT_BY_VALUE, /**< one for each value of the evidence between two hosts: error codes, which
                          many commands are answered with */
};

/** Something that can be wrong with, or worth telling of, a message. */
struct ft_violation {
    const char *name;      /**< lower_snake_case; with the protocol's name the event's key */
    const char *title;     /**< one line for people */
    const char *reference; /**< id of the feature list, e.g. "V7", or NULL */
    const char *category;  /**< alert group, e.g. "Illegal commands"; NULL = by engine */
    const char *mitre;     /**< ATT&CK for ICS techniques, space separated, or NULL */
    uint8_t severity;      /**< enum ft_severity */
    uint8_t engine;        /**< enum ft_engine */
    uint8_t is_alert;      /**< enum ft_alerting */
    uint8_t reserved[5];
};

/** Violations that every protocol has, raised by the engine or by ft_violation(). */
enum ft_common_violation {
    FT_VIOLATION_COMMON = 0x8000, /**< numbers below are rows of the dissector's table */
    FT_VIOLATION_MALFORMED = FT_VIOLATION_COMMON, /**< a length inside the PDU does not fit */
    FT_VIOLATION_TRAILING_BYTES,                  /**< bytes left over after the PDU was read */
    FT_VIOLATION_NOT_PROTOCOL,                    /**< other content on a flow of this protocol */
    FT_VIOLATION_TOO_LONG,                        /**< PDU longer than the protocol allows */
    FT_VIOLATION_COMMON_END
};

enum ft_carrier_kind {
    FT_CARRIER_TCP = 1,   /**< value..last: TCP port */
    FT_CARRIER_UDP,       /**< value..last: UDP port */
    FT_CARRIER_ETHERTYPE, /**< value..last */
    FT_CARRIER_LLC,       /**< DSAP */
    FT_CARRIER_SNAP,      /**< OUI << 16 | PID */
    FT_CARRIER_IP,        /**< IP protocol */
    FT_CARRIER_PARENT,    /**< inside protocol `parent`, under selector value..last */
};

#define FT_ANY_SELECTOR UINT64_MAX

enum ft_carrier_flag {
    /** A port that is in general use for other things too: other content there is no violation. */
    FT_CARRIER_SHARED = 1,
};

/** One thing that carries the protocol. */
struct ft_carrier {
    uint32_t kind;  /**< enum ft_carrier_kind */
    uint32_t flags; /**< enum ft_carrier_flag */
    /**
     * First port, type, selector. FT_ANY_SELECTOR: found by probe(); as ETHERTYPE or LLC: all that
     * nobody else is bound to. As LLC the PDU then begins with the 802.2 header, SNAP included.
     */
    uint64_t value;
    uint64_t last;      /**< last of the range; 0 = value only */
    const char *parent; /**< FT_CARRIER_PARENT: name of the parent protocol */
};

enum ft_signature_flag {
    FT_SIGNATURE_TCP = 1,
    FT_SIGNATURE_UDP = 2,
};

/**
 * A pattern for the recognition database, matched against the first payloads of unknown flows.
 * Perl syntax as Hyperscan takes it, dot matches all; anchored at the start by a leading ^. It
 * should hold a literal of four bytes or more, or be anchored. A hit is confirmed by probe().
 */
struct ft_signature {
    const char *pattern;
    uint32_t flags; /**< enum ft_signature_flag */
    uint32_t reserved;
};

/** Bytes to look for when a stream must be found again after a gap. */
struct ft_sync {
    uint8_t bytes[8];
    uint8_t length; /**< 0: no literal; only starts of segments are tried */
    uint8_t offset; /**< where in the PDU the literal stands */
    uint8_t reserved[6];
};

enum ft_verdict {
    FT_NO = 0,
    FT_MAYBE, /**< looks like it, but too little to say: ask again with the next PDU */
    FT_YES,
};

/** Where a payload was found, for probe(). */
struct ft_probe {
    uint32_t size;
    uint8_t transport;    /**< enum ft_transport of the flow */
    uint8_t is_bound;     /**< a port of the flow is bound to this protocol */
    uint8_t is_to_server; /**< the engine's guess */
    uint8_t reserved;
    uint16_t src_port, dst_port;
};

enum ft_frame_kind {
    FT_FRAME_NOT_MINE = 0, /**< this stream is not (or no longer) this protocol */
    FT_FRAME_PDU,       /**< `length` bytes from the start are one PDU (they may not be here yet) */
    FT_FRAME_NEED,      /**< ask again when `length` bytes are here */
    FT_FRAME_DELIMITER, /**< no delimiter begins in the first `length` bytes: ask again with more,
                             and then ctx->scanned is `length` */
    FT_FRAME_SKIP,      /**< skip `length` bytes that are no PDU (filler, body), counted */
    FT_FRAME_UNTIL_CLOSE, /**< all that follows is one unit without a length: skipped, counted */
    FT_FRAME_OPAQUE,      /**< the rest of the flow is encrypted: counted so, not looked at */
    FT_FRAME_SWITCH,      /**< from here the stream is protocol `protocol`; NULL: whatever its
                             content says (a tunnel was opened) */
};

/** What frame() answers. */
struct ft_frame {
    uint32_t kind;
    uint32_t length;
    const char *protocol;
};

static inline struct ft_frame ft_frame(enum ft_frame_kind kind, uint32_t length)
{
    struct ft_frame f = {.kind = kind, .length = length};
    return f;
}

/* ---- context ------------------------------------------------------------------------------- */

/** The whole of what a dissector knows about where its PDU came from. Read only. */
struct ft_context {
    uint32_t size;
    uint8_t transport;    /**< enum ft_transport of the flow */
    uint8_t direction;    /**< enum ft_direction: a hint until ft_set_direction() */
    uint8_t confidence;   /**< enum ft_confidence of that hint */
    uint8_t is_truncated; /**< the PDU was longer than max_pdu, or cut: its view ends early */
    uint16_t src_port, dst_port; /**< host order; 0 without ports */
    uint32_t pdu_length;         /**< bytes of the whole PDU on the wire, even when truncated; in
                                    a layer above the first: those handed over */
    uint64_t time_ns;            /**< packet time, nanoseconds since 1970 UTC */
    const uint64_t *demand; /**< bit per field of the dissector being called: somebody wants it */
    void
        *flow_state; /**< flow_state_size bytes of this protocol in this flow, zeroed; NULL: none */
    uint64_t selector; /**< under which selector the parent handed over; 0 at the top */
    uint8_t src_mac[6], dst_mac[6]; /**< zeros without Ethernet */
    uint16_t vlan;                  /**< innermost VLAN id, 0 = none */
    uint16_t ethertype;             /**< of the innermost frame; LLC: DSAP << 8 | SSAP */
    uint8_t priority;               /**< PCP of that VLAN tag */
    uint8_t is_midstream;           /**< TCP: the start of this flow was not seen */
    uint8_t ttl;                    /**< TTL or hop limit of the packet; 0: not IP, or not known */
    uint8_t ip_version;             /**< 4 or 6; 0: not IP */
    uint32_t scanned; /**< in frame(): the `length` of its last answer FT_FRAME_DELIMITER, when
                           `stream` is those bytes and more; else 0. Search from here on, or a
                           line in segments of one byte is read as often as it has bytes. */
    /** Addresses of the packet, network order: 4 bytes, 16 with ip_version 6; NULL: not IP. */
    const uint8_t *src_ip, *dst_ip;
    uint8_t lan; /**< FT_TRANSPORT_L2 in a PRP network: 10 = LAN A, 11 = LAN B; 0: not known */
};

/**
 * True if anybody wants the field. Guards loops whose only purpose are fields. After ft_command()
 * it speaks of messages of that command; what is kept for another message is asked for before it.
 */
static inline bool ft_wants(const struct ft_context *ctx, uint32_t field)
{
    return ctx->demand[field >> 6] >> (field & 63) & 1;
}

/* ---- the dissector ------------------------------------------------------------------------- */

/** A protocol. Everything but dissect, name, title and fields may be zero. */
struct ft_dissector {
    uint32_t size;              /**< sizeof(struct ft_dissector) */
    uint32_t abi;               /**< FT_ABI_VERSION */
    const char *name;           /**< the one name everywhere: lower case, digits, underscore */
    const char *title;          /**< for people */
    const char *specification;  /**< where the protocol is written down */
    struct ft_table carried_by; /**< struct ft_carrier */
    struct ft_table signatures; /**< struct ft_signature */
    struct ft_table fields;     /**< struct ft_field */
    struct ft_table commands;   /**< struct ft_command */
    struct ft_table violations; /**< struct ft_violation */
    struct ft_sync sync;
    uint32_t max_pdu;         /**< bytes of a PDU that dissect() gets at most; 0 = 8192 */
    uint32_t flow_state_size; /**< at most FT_MAX_FLOW_STATE */
    uint32_t channel_size;    /**< at most FT_MAX_CHANNEL_STATE */
    uint32_t flags;           /**< enum ft_dissector_flag */

    /** Is this payload (the first of a flow, or after a gap) mine? Reads only, no state. */
    enum ft_verdict (*probe)(const struct ft_probe *where, struct ft_view payload);

    /**
     * Streams only: where does the PDU at the start of `stream` end? `stream` holds at least one
     * byte and all that is here; ctx->direction and ctx->flow_state may be used.
     */
    struct ft_frame (*frame)(struct ft_context *ctx, struct ft_view stream);

    /**
     * Read one PDU. When `pdu` is malformed afterwards the engine raises FT_VIOLATION_MALFORMED.
     */
    void (*dissect)(struct ft_context *ctx, struct ft_view *pdu);
};

enum ft_dissector_flag {
    FT_DISSECTOR_OT = 1, /**< industrial: its flows are never evicted by others */
    FT_DISSECTOR_TRANSPORT =
        2, /**< a layer that only carries (TPKT, COTP): no operations of its own */
    FT_DISSECTOR_CYCLIC = 4, /**< its data messages repeat for ever: not logged one by one */
    FT_DISSECTOR_OWN_CLASSES =
        8, /**< it calls ft_set_class(): a message may have a class that its command has not in the
                table. Of built-in dissectors without it rules are refused that ask for another */
    FT_DISSECTOR_UNANSWERED = 16, /**< neither it nor what it carries calls ft_response(), which is
                                     of both: rules that ask for a response time are refused */
};

/** In a plugin: makes the dissector (or each of several, ended by NULL) known to the engine. */
#define FT_PLUGIN(...)                                                                             \
    __attribute__((visibility("default"))) const struct ft_plugin ft_plugin;                       \
    __attribute__((visibility("default"))) const struct ft_plugin ft_plugin = {                    \
        .size = sizeof(struct ft_plugin), .abi = FT_ABI_VERSION, .dissectors = {__VA_ARGS__}}

/** What a plugin exports under the symbol `ft_plugin`. */
struct ft_plugin {
    uint32_t size;
    uint32_t abi;
    const struct ft_dissector *dissectors[8]; /**< ended by NULL */
};

/* ---- the message tree: fields -------------------------------------------------------------- */

/*
 * The functions behind the inline tests; not called directly. A view is handed to them in parts: if
 * its address went to a function, the compiler would have to keep it in memory instead of
 * registers. `at` is the address behind the evidence, `at_length` the bytes of it.
 */
void ft_node_uint(struct ft_context *ctx, uint32_t field, uint64_t value, const uint8_t *at,
                  uint32_t at_length);
void ft_node_int(struct ft_context *ctx, uint32_t field, int64_t value, const uint8_t *at,
                 uint32_t at_length);
void ft_node_float(struct ft_context *ctx, uint32_t field, double value, const uint8_t *at,
                   uint32_t at_length);
void ft_node_bytes(struct ft_context *ctx, uint32_t field, const uint8_t *data, uint32_t length);
void ft_node_text(struct ft_context *ctx, uint32_t field, const char *text, uint32_t length,
                  const uint8_t *at, uint32_t at_length);
void ft_node_utf16(struct ft_context *ctx, uint32_t field, const uint8_t *data, uint32_t length,
                   bool is_be);
void ft_node_group(struct ft_context *ctx, uint32_t field);
void ft_node_group_end(struct ft_context *ctx, uint32_t field);

/* The evidence of a view, in parts. */
static inline const uint8_t *ft_evidence_end(const struct ft_view *at)
{
    return at ? at->data : NULL;
}

static inline uint32_t ft_evidence_length(const struct ft_view *at)
{
    return at ? at->last_len : 0;
}

/* What could not be read has no value: a view that has failed gives zeros, which nobody sent. */
static inline bool ft_is_read(const struct ft_view *at)
{
    return !at || ft_view_ok(at);
}

/**
 * Put an unsigned number (UINT, ENUM, FLAGS, BOOL, IPV4, TIME). `at` is the view it was read from
 * right before: its last read is the evidence; NULL for a computed value. Nothing is put when that
 * read failed: a PDU that is too short has the fields that are in it.
 */
static inline void ft_put_uint(struct ft_context *ctx, uint32_t field, uint64_t value,
                               const struct ft_view *at)
{
    if (ft_wants(ctx, field) && ft_is_read(at))
        ft_node_uint(ctx, field, value, ft_evidence_end(at), ft_evidence_length(at));
}

/** Put a signed number (INT). */
static inline void ft_put_int(struct ft_context *ctx, uint32_t field, int64_t value,
                              const struct ft_view *at)
{
    if (ft_wants(ctx, field) && ft_is_read(at))
        ft_node_int(ctx, field, value, ft_evidence_end(at), ft_evidence_length(at));
}

/** Put a number of type FLOAT. Not-a-number and infinities become JSON null. */
static inline void ft_put_float(struct ft_context *ctx, uint32_t field, double value,
                                const struct ft_view *at)
{
    if (ft_wants(ctx, field) && ft_is_read(at))
        ft_node_float(ctx, field, value, ft_evidence_end(at), ft_evidence_length(at));
}

/** Put a truth value (BOOL). */
static inline void ft_put_bool(struct ft_context *ctx, uint32_t field, bool value,
                               const struct ft_view *at)
{
    if (ft_wants(ctx, field) && ft_is_read(at))
        ft_node_uint(ctx, field, value, ft_evidence_end(at), ft_evidence_length(at));
}

/**
 * Put what the view holds (BYTES, STRING, IPV6, MAC) with its own evidence: a reference into the
 * PDU or a reassembled unit; bytes from elsewhere are copied into the arena. Nothing is put of a
 * view that was empty when a read failed.
 */
static inline void ft_put_bytes(struct ft_context *ctx, uint32_t field, struct ft_view value)
{
    if (ft_wants(ctx, field) && (value.len || ft_view_ok(&value)))
        ft_node_bytes(ctx, field, value.data, value.len);
}

/** As ft_put_bytes() for text, without trailing NUL bytes and blanks. */
static inline void ft_put_string(struct ft_context *ctx, uint32_t field, struct ft_view value)
{
    if (ft_wants(ctx, field) && (value.len || ft_view_ok(&value))) {
        while (value.len && (value.data[value.len - 1] == 0 || value.data[value.len - 1] == ' '))
            value.len--;
        ft_node_bytes(ctx, field, value.data, value.len);
    }
}

/** Put composed text (STRING); it is copied into the arena. */
static inline void ft_put_text(struct ft_context *ctx, uint32_t field, const char *text,
                               uint32_t length, const struct ft_view *at)
{
    if (ft_wants(ctx, field) && ft_is_read(at))
        ft_node_text(ctx, field, text, length, ft_evidence_end(at), ft_evidence_length(at));
}

/** Put UTF-16 text (STRING), converted into the arena. */
static inline void ft_put_utf16le(struct ft_context *ctx, uint32_t field, struct ft_view value)
{
    if (ft_wants(ctx, field))
        ft_node_utf16(ctx, field, value.data, value.len, false);
}

static inline void ft_put_utf16be(struct ft_context *ctx, uint32_t field, struct ft_view value)
{
    if (ft_wants(ctx, field))
        ft_node_utf16(ctx, field, value.data, value.len, true);
}

/**
 * Open a group; the fields of the group are put until ft_group_end() with the same field. Groups
 * are wanted when anything in them is. A list group gets one element per call. Where a field stands
 * is said by the schema: a put into a group that is not open opens it, a put outside closes it.
 */
static inline void ft_group_begin(struct ft_context *ctx, uint32_t field)
{
    if (ft_wants(ctx, field))
        ft_node_group(ctx, field);
}

static inline void ft_group_end(struct ft_context *ctx, uint32_t field)
{
    if (ft_wants(ctx, field))
        ft_node_group_end(ctx, field);
}

/* ---- the message --------------------------------------------------------------------------- */

/** Kinds of address behind an IP or MAC address: a device behind a gateway. */
enum ft_subaddress_kind {
    FT_SUB_NONE = 0,
    FT_SUB_UNIT,    /**< Modbus unit id, serial slave */
    FT_SUB_LINK,    /**< DNP3, IEC 101 link address */
    FT_SUB_STATION, /**< IEC 104 common address, station number */
    FT_SUB_SLOT,    /**< rack << 8 | slot */
    FT_SUB_ROUTE,   /**< CIP route, text "port/link port/link" */
    FT_SUB_DEVICE,  /**< BACnet device instance */
    FT_SUB_NETWORK, /**< network << 48 | address */
    FT_SUB_NAME,    /**< text: logical device, GOOSE control block, publisher id */
};

/** Of whom something is said. */
enum ft_party {
    FT_SENDER = 0,
    FT_RECEIVER,
    FT_CLIENT, /**< by the direction of the message */
    FT_SERVER,
};

/**
 * The kind of the current message. Default: FT_KIND_DATA. Of an FT_KIND_EXCEPTION all fields are
 * wanted from then on, so that what is told of it has them: say so before putting them.
 */
void ft_set_kind(struct ft_context *ctx, enum ft_kind kind);

/** Correct the direction of the current message, and of the flow's hint for what follows. */
void ft_set_direction(struct ft_context *ctx, enum ft_direction direction);

/** Name the address behind the party's address: it becomes a nested asset. Before ft_command(). */
void ft_subaddress(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                   uint64_t value);

/** As ft_subaddress() for kinds that are text; copied, at most 128 bytes. */
void ft_subaddress_text(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                        const char *text, uint32_t length);

/**
 * Name the command of the current message; kind, direction and sub-addresses are known by now.
 * Codes that the table does not have are commands too (class unknown, name "code_<n>").
 */
void ft_command(struct ft_context *ctx, uint32_t code, uint32_t qualifier);

/** Override the class that the command's row gives (DNP3 file open for writing, CIP by object). */
void ft_set_class(struct ft_context *ctx, enum ft_class class_);

/**
 * Begin a message inside the current one: an operation embedded in this PDU (each service of a CIP
 * Multiple Service). Same protocol; direction, kind and sub-addresses are inherited. False when
 * FT_MAX_MESSAGES is reached: then the operation is read without a message of its own, and
 * ft_message_end() must not be called.
 */
bool ft_message_begin(struct ft_context *ctx);
void ft_message_end(struct ft_context *ctx);

/* Behind the functions that hand over to children; not called directly. */
bool ft_child_bytes(struct ft_context *ctx, uint64_t selector, const uint8_t *data, uint32_t length,
                    bool is_cut);
bool ft_child_named_bytes(struct ft_context *ctx, const char *name, const uint8_t *data,
                          uint32_t length, bool is_cut);
bool ft_child_probe_bytes(struct ft_context *ctx, uint64_t key, const uint8_t *data,
                          uint32_t length, bool is_cut);

/**
 * Hand the payload to the protocol carried under `selector` (a function code, a class, a UUID's
 * hash). The child gets its own message. False: nobody has that selector, or FT_MAX_LAYERS.
 */
static inline bool ft_child(struct ft_context *ctx, uint64_t selector, struct ft_view payload)
{
    return ft_child_bytes(ctx, selector, payload.data, payload.len, payload.is_cut);
}

/** Hand the payload to a protocol by name. False: no such protocol. */
static inline bool ft_child_named(struct ft_context *ctx, const char *name, struct ft_view payload)
{
    return ft_child_named_bytes(ctx, name, payload.data, payload.len, payload.is_cut);
}

/**
 * Hand the payload to whichever child without a fixed selector recognises it; the choice is kept
 * for (flow, this protocol, key), so that later payloads that no probe recognises go there too.
 */
static inline bool ft_child_probe(struct ft_context *ctx, uint64_t key, struct ft_view payload)
{
    return ft_child_probe_bytes(ctx, key, payload.data, payload.len, payload.is_cut);
}

/* Behind ft_violation(); not called directly. */
void ft_violation_at(struct ft_context *ctx, uint32_t violation, const uint8_t *at,
                     uint32_t at_length);

/** Report a violation, with the last read of `at` (may be NULL) as evidence. Row or common number.
 */
static inline void ft_violation(struct ft_context *ctx, uint32_t violation,
                                const struct ft_view *at)
{
    ft_violation_at(ctx, violation, ft_evidence_end(at), ft_evidence_length(at));
}

/** FT_VIOLATION_TRAILING_BYTES when anything is left in the view. */
static inline void ft_expect_end(struct ft_context *ctx, const struct ft_view *v)
{
    if (v->len && v->error == FT_VIEW_OK)
        ft_violation(ctx, FT_VIOLATION_TRAILING_BYTES, v);
}

/* ---- state --------------------------------------------------------------------------------- */

/** Who shares a channel, a pairing or a reassembly. */
enum ft_scope {
    FT_SCOPE_FLOW = 0,  /**< this flow */
    FT_SCOPE_HOST_PAIR, /**< the two addresses, whatever the ports and connections */
};

/**
 * State of this protocol under (scope, key): channel_size zeroed bytes the first time, the same
 * bytes later. Both directions share it; put the direction into the key where they must not. NULL
 * when the shard's table is full (counted). Valid until dissect() returns. Expires after an hour
 * without use, or with its flow.
 */
void *ft_channel(struct ft_context *ctx, enum ft_scope scope, uint64_t key);

/** As ft_channel(), but NULL when there is none yet. */
void *ft_channel_find(struct ft_context *ctx, enum ft_scope scope, uint64_t key);

/** Forget a channel. */
void ft_channel_close(struct ft_context *ctx, enum ft_scope scope, uint64_t key);

/**
 * Raise `violation` (a row) for the channel (scope, key) if it is not told again within
 * `milliseconds`: silence. 0 disarms. Fires once, at a tick (a second of packet time).
 */
void ft_expect_within(struct ft_context *ctx, enum ft_scope scope, uint64_t key,
                      uint32_t milliseconds, uint32_t violation);

/** Seconds of packet time that an expected flow is waited for. */
#define FT_EXPECTED_SECONDS 60u

/**
 * Expect a flow between the two hosts of this one: what uses `port` on either side over `transport`
 * within FT_EXPECTED_SECONDS, and is not plainly the protocol that the port is bound to, is
 * `protocol`. Its flow state begins with the `size` bytes at `keep` (at most FT_MAX_FLOW_STATE and
 * the flow_state_size of that protocol). Told again for the same port, the last counts. A flow
 * whose first payload was seen before is not changed.
 */
void ft_expect_flow(struct ft_context *ctx, enum ft_transport transport, uint16_t port,
                    const char *protocol, const void *keep, uint32_t size);

/**
 * Remember the current message, a request, under (scope, key) with up to FT_MAX_PAIR_KEEP bytes
 * for its response. Several may wait under one key: first in, first out.
 */
void ft_request(struct ft_context *ctx, enum ft_scope scope, uint64_t key, const void *keep,
                uint32_t size);

/**
 * The current message answers the request under (scope, key): returns the FT_MAX_PAIR_KEEP bytes
 * kept with it (zero padded; valid until dissect() returns) and gives the message its response
 * time; NULL when there is none: the capture began later, or the packet is reordered. Only
 * requests of the other direction are found. The messages that carry it count as answered, too.
 */
const void *ft_response(struct ft_context *ctx, enum ft_scope scope, uint64_t key);

enum ft_reassembly_flag {
    FT_REASSEMBLY_FIRST = 1, /**< begins a unit; what was collected before is dropped */
    FT_REASSEMBLY_LAST = 2,  /**< ends it */
};

enum ft_reassembly_result {
    FT_REASSEMBLY_MORE = 0, /**< collected */
    FT_REASSEMBLY_DONE,     /**< *whole is the unit, valid until dissect() returns */
    FT_REASSEMBLY_NO_START, /**< a middle part without a beginning: capture began later */
    FT_REASSEMBLY_REPLACED, /**< FIRST while another unit was open: that one was dropped; with LAST
                             *whole is the new unit, else it is being collected */
    FT_REASSEMBLY_FULL,     /**< longer than FT_MAX_REASSEMBLY, or no buffer: dropped */
};

/**
 * Collect parts of a unit (COTP TSDU, DNP3 fragment) per (flow, direction, protocol, key). A unit
 * that comes in one part (FIRST | LAST) is returned without a copy.
 */
enum ft_reassembly_result ft_reassemble(struct ft_context *ctx, uint64_t key, struct ft_view part,
                                        uint32_t flags, struct ft_view *whole);

/* ---- asset facts --------------------------------------------------------------------------- */

enum ft_fact {
    FT_FACT_VENDOR = 1,
    FT_FACT_MODEL,    /**< product, order number */
    FT_FACT_FIRMWARE, /**< version as the vendor writes it */
    FT_FACT_HARDWARE, /**< hardware revision */
    FT_FACT_SERIAL,
    FT_FACT_NAME, /**< name given by its owner */
    FT_FACT_ROLE, /**< enum ft_role as number */
    FT_FACT_OS,
    FT_FACT_MODE,    /**< run, stop, program, remote_run ... */
    FT_FACT_PROJECT, /**< program or project name */
    FT_FACT_LOCATION,
    FT_FACT_PROTECTION, /**< protection level, key switch */
    FT_FACT_DESCRIPTION,
    FT_FACT_MANAGEMENT, /**< address for its management, as the device tells it: text */
    FT_FACT_COUNT
};

enum ft_role {
    FT_ROLE_UNKNOWN = 0,
    FT_ROLE_PLC,
    FT_ROLE_RTU,
    FT_ROLE_IED,
    FT_ROLE_IO, /**< remote I/O, drive, field device */
    FT_ROLE_HMI,
    FT_ROLE_SCADA,       /**< master, front end, OPC client */
    FT_ROLE_ENGINEERING, /**< engineering station, programming device */
    FT_ROLE_HISTORIAN,
    FT_ROLE_GATEWAY,
    FT_ROLE_ROUTER,
    FT_ROLE_SWITCH,
    FT_ROLE_SERVER,
    FT_ROLE_WORKSTATION,
    FT_ROLE_COUNT
};

/**
 * State a fact about a party: the device behind the sub-address set for that party if there is
 * one, else the party itself. Text is copied by the engine when it is new; told once.
 */
void ft_asset(struct ft_context *ctx, enum ft_party who, enum ft_fact fact, struct ft_view text);
void ft_asset_text(struct ft_context *ctx, enum ft_party who, enum ft_fact fact, const char *text);
void ft_asset_role(struct ft_context *ctx, enum ft_party who, enum ft_role role);

/** As ft_asset_text() about another device: the one behind sub-address (kind, value) of the party.
 */
void ft_asset_behind(struct ft_context *ctx, enum ft_party who, enum ft_subaddress_kind kind,
                     uint64_t value, enum ft_fact fact, const char *text);

/**
 * State that the IPv4 (4 bytes) or IPv6 (16 bytes) address and the MAC address (6 bytes) are one
 * device (ARP, neighbour discovery, DHCP). Views of another size are ignored.
 */
void ft_asset_address(struct ft_context *ctx, struct ft_view ip, struct ft_view mac);

/**
 * As ft_asset_address() by the authority that gives addresses out (a DHCP server's ACK): the
 * address may be another device's than before without anything being wrong.
 */
void ft_asset_lease(struct ft_context *ctx, struct ft_view ip, struct ft_view mac);

/**
 * As ft_asset_address() by a device about itself, of the address by which it is managed (LLDP): its
 * own card may have another MAC address. Believed where nobody stated anything else of either, and
 * taken back without a word when somebody does.
 */
void ft_asset_management(struct ft_context *ctx, struct ft_view ip, struct ft_view mac);

/**
 * State that a MAC address (`port`, 6 bytes) is that of a port of the device with the MAC address
 * `device` (LLDP: the chassis): what is known under it is the device's from now on. Ignored where
 * another size is given, or an IP address was stated to have the port's.
 */
void ft_asset_port(struct ft_context *ctx, struct ft_view device, struct ft_view port);

/**
 * As ft_asset() about the device that has an address: IPv4 (4 bytes), IPv6 (16) or MAC (6); views
 * of another size are ignored. For what one host says of another: names in DNS answers, of clients
 * in DHCP. Who knows a MAC address has it from the device; what is said of an IP address is
 * hearsay, makes no asset, and is kept (bounded) until the device is heard itself.
 */
void ft_asset_of(struct ft_context *ctx, struct ft_view address, enum ft_fact fact,
                 struct ft_view text);

/* ---- what only the alerting core can join -------------------------------------------------- */

/*
 * A dissector sees one pair of hosts at a time. What goes over many of them (who else has this
 * name? how many were asked?) it tells the alerting core, which sees all, in the order of packets.
 */

/** What a message of address resolution says. */
enum ft_resolution {
    FT_RESOLUTION_QUESTION = 1, /**< I have `ip`; who has `target`? */
    FT_RESOLUTION_ANSWER,       /**< to the receiver of this frame: I have `ip` */
    FT_RESOLUTION_ANNOUNCEMENT, /**< to everybody: I have `ip` */
    FT_RESOLUTION_PROBE,        /**< is `target` free? `ip` is not used */
};

/**
 * Tell a message of address resolution (ARP, neighbour discovery), at each of them: the core learns
 * who has which address, as from ft_asset_address(), and finds scans, floods, answers that nobody
 * asked for, and addresses that two devices claim. `mac`, 6 bytes, is the sender as the message
 * names it; `ip` and `target` are 4 or 16 bytes. Views of another size are ignored.
 */
void ft_resolution(struct ft_context *ctx, enum ft_resolution what, struct ft_view mac,
                   struct ft_view ip, struct ft_view target);

/** No row of the violations. */
#define FT_NO_VIOLATION UINT32_MAX

/**
 * State that `holder` (a MAC address, a hash), and nobody else, has `key` (a hash of a name) for
 * the next `milliseconds`. When another holder is stated for the key meanwhile, the core raises the
 * violation `contested` for the message that states it; `replaced` when it is stated later. To be
 * called when the key is first seen, and then every few seconds, not with every message.
 */
void ft_claim(struct ft_context *ctx, uint64_t key, uint64_t holder, uint32_t milliseconds,
              uint32_t contested, uint32_t replaced);

#ifdef __cplusplus
}
#endif
#endif
