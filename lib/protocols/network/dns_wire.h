/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire format that DNS, mDNS and LLMNR share: header, names with compression, questions,
 * resource records; its schema, and the reader of whole messages.
 *
 *   0  2  id
 *   2  2  QR 1 | opcode 4 | AA TC RD | RA Z AD CD | rcode 4
 *   4  8  counts of questions, answers, authorities, additionals
 *  12     questions:  name, type 2, class 2
 *         records:    name, type 2, class 2, ttl 4, length 2, data
 *
 * A name is labels, each with its length (63 at most) before it, ended by a zero, or by a pointer
 * (the two top bits set) to a name earlier in the message.
 *
 * Specification: RFC 1035, 2136 (updates), 2671/6891 (EDNS), 6762 (mDNS), 4795 (LLMNR).
 */
#ifndef FT_DNS_WIRE_H
#define FT_DNS_WIRE_H

#include <fieldtap/dissector.h>

enum {
    FT_DNS_HEADER = 12,
    FT_DNS_NAME_MAX = 255,  /**< bytes of a name on the wire */
    FT_DNS_LABEL_MAX = 63,  /**< bytes of a label */
    FT_DNS_JUMPS_MAX = 128, /**< pointers followed in one name */
};

enum ft_dns_opcode {
    FT_DNS_QUERY = 0,
    FT_DNS_IQUERY = 1,
    FT_DNS_STATUS = 2,
    FT_DNS_NOTIFY = 4,
    FT_DNS_UPDATE = 5,
    FT_DNS_DSO = 6,
};

enum ft_dns_type {
    FT_DNS_A = 1,
    FT_DNS_NS = 2,
    FT_DNS_MD = 3,
    FT_DNS_MF = 4,
    FT_DNS_CNAME = 5,
    FT_DNS_SOA = 6,
    FT_DNS_MB = 7,
    FT_DNS_MG = 8,
    FT_DNS_MR = 9,
    FT_DNS_NULL = 10,
    FT_DNS_PTR = 12,
    FT_DNS_HINFO = 13,
    FT_DNS_MX = 15,
    FT_DNS_TXT = 16,
    FT_DNS_AFSDB = 18,
    FT_DNS_RT = 21,
    FT_DNS_SIG = 24,
    FT_DNS_KEY = 25,
    FT_DNS_AAAA = 28,
    FT_DNS_LOC = 29,
    FT_DNS_SRV = 33,
    FT_DNS_NAPTR = 35,
    FT_DNS_KX = 36,
    FT_DNS_CERT = 37,
    FT_DNS_DNAME = 39,
    FT_DNS_OPT = 41,
    FT_DNS_DS = 43,
    FT_DNS_SSHFP = 44,
    FT_DNS_RRSIG = 46,
    FT_DNS_NSEC = 47,
    FT_DNS_DNSKEY = 48,
    FT_DNS_NSEC3 = 50,
    FT_DNS_NSEC3PARAM = 51,
    FT_DNS_TLSA = 52,
    FT_DNS_SMIMEA = 53,
    FT_DNS_CDS = 59,
    FT_DNS_CDNSKEY = 60,
    FT_DNS_SVCB = 64,
    FT_DNS_HTTPS = 65,
    FT_DNS_SPF = 99,
    FT_DNS_TKEY = 249,
    FT_DNS_TSIG = 250,
    FT_DNS_IXFR = 251,
    FT_DNS_AXFR = 252,
    FT_DNS_ANY = 255,
    FT_DNS_CAA = 257,
    FT_DNS_PRIVATE = 65399, /* of nobody: iodine uses it */
    FT_DNS_TA = 32768,
    FT_DNS_DLV = 32769,
};

enum ft_dns_class {
    FT_DNS_CLASS_IN = 1,
    FT_DNS_CLASS_NONE = 254,
    FT_DNS_CLASS_ANY = 255,
};

enum ft_dns_flag {
    FT_DNS_QR = 0x8000,
    FT_DNS_AA = 0x0400,
    FT_DNS_TC = 0x0200,
    FT_DNS_RD = 0x0100,
    FT_DNS_RA = 0x0080,
    FT_DNS_Z = 0x0040,
    FT_DNS_AD = 0x0020,
    FT_DNS_CD = 0x0010,
};

/** What is wrong with a name. */
enum ft_dns_name_fault {
    FT_DNS_NAME_OK = 0,
    FT_DNS_NAME_CUT,     /**< ends with the message: the view says whether malformed */
    FT_DNS_NAME_POINTER, /**< a pointer that does not point back, or too many of them */
    FT_DNS_NAME_LABEL,   /**< a label of a kind that does not exist */
    FT_DNS_NAME_LENGTH,  /**< longer than 255 bytes */
};

/** A name as text: labels joined by dots, without the last; dots inside labels as "\.". */
struct ft_dns_name {
    uint16_t length;         /**< of the text */
    uint16_t first_label;    /**< of the text, bytes of the first label */
    uint8_t labels, longest; /**< number of labels, length of the longest */
    uint8_t fault; /**< enum ft_dns_name_fault; the text holds what was read until there */
    char text[2 * FT_DNS_NAME_MAX + 2];
};

/**
 * Read the name at the start of `v`, which lies in `message`, the whole message from its id on.
 * `v` goes behind the name. Each pointer must point in front of where the piece of the name began
 * that it ends, so the walk ends by itself; at most FT_DNS_NAME_MAX bytes are read.
 */
void ft_dns_name_read(const struct ft_view *message, struct ft_view *v, struct ft_dns_name *name);

/** Are `n` characters the same, whatever the case of letters (of ASCII: RFC 4343)? */
bool ft_dns_is_same(const char *a, const char *b, uint32_t n);

/** Do they name the same, whatever the case of letters? */
bool ft_dns_name_is(const struct ft_dns_name *name, const char *text, uint32_t length);

/** Does the name end with `suffix`, which begins with a dot? */
bool ft_dns_name_ends(const struct ft_dns_name *name, const char *suffix);

/** A hash that does not see the case of letters. */
uint64_t ft_dns_name_hash(const struct ft_dns_name *name);

/**
 * The address that a name of reverse look-up stands for ("1.2.0.192.in-addr.arpa"): its bytes in
 * `address`; their number, 4 or 16, or 0 when it is no such name.
 */
uint32_t ft_dns_name_address(const struct ft_dns_name *name, uint8_t address[16]);

/** Does the payload look like a message: a header that can be, and all that it counts? */
bool ft_dns_looks_right(struct ft_view payload);

/** Name tables: types, result codes. */
extern const struct ft_name ft_dns_type_names[], ft_dns_rcode_names[];
extern const struct ft_name ft_dns_class_names[], ft_dns_kind_names[], ft_dns_option_names[];

/* ---- the schema ----------------------------------------------------------------------------- */

/* The keys of EVE's "dns" in its version 2. */
enum ft_dns_field {
    DNS_ROOT = 0,
    DNS_VERSION,
    DNS_TYPE,
    DNS_ID,
    DNS_FLAGS,
    DNS_QR,
    DNS_AA,
    DNS_TC,
    DNS_RD,
    DNS_RA,
    DNS_Z,
    DNS_AD,
    DNS_CD,
    DNS_OPCODE,
    DNS_RCODE,
    DNS_RRNAME,
    DNS_RRTYPE,
    DNS_QUERIES,
    DNS_QUERY_NAME,
    DNS_QUERY_TYPE,
    DNS_QUERY_CLASS,
    DNS_QUERY_UNICAST,
    DNS_ANSWERS,
    DNS_ANSWER_FIRST, /* DNS_RECORD_FIELDS rows each */
    DNS_AUTHORITIES = DNS_ANSWER_FIRST + 21,
    DNS_AUTHORITY_FIRST,
    DNS_ADDITIONALS = DNS_AUTHORITY_FIRST + 21,
    DNS_ADDITIONAL_FIRST,
    DNS_EDNS = DNS_ADDITIONAL_FIRST + 21,
    DNS_EDNS_SIZE,
    DNS_EDNS_VERSION,
    DNS_EDNS_DO,
    DNS_EDNS_OPTIONS,
    DNS_EDNS_OPTION_CODE,
    DNS_EDNS_OPTION_DATA,
    DNS_EDNS_OPTION_TEXT,
    DNS_QUERY_LENGTH,
    DNS_LABEL_LENGTH,
    DNS_LABEL_ENTROPY,
    DNS_TCP,
    DNS_FIELDS,
    DNS_SOFTWARE = DNS_FIELDS, /* DNS alone */
    DNS_UNICAST_FIELDS,
    DNS_SERVICE = DNS_FIELDS, /* mDNS alone, from here on */
    DNS_INSTANCE,
    DNS_HOST,
    DNS_PORT,
    DNS_TXT,
    DNS_GOODBYE,
    MDNS_FIELDS
};

/* The rows of a record, behind its group. */
enum ft_dns_record_field {
    RR_NAME = 0,
    RR_TYPE,
    RR_CLASS,
    RR_FLUSH,
    RR_TTL,
    RR_RDATA,
    RR_BYTES,
    RR_STRINGS,
    RR_SOA,
    RR_SOA_MNAME,
    RR_SOA_RNAME,
    RR_SOA_SERIAL,
    RR_SOA_REFRESH,
    RR_SOA_RETRY,
    RR_SOA_EXPIRE,
    RR_SOA_MINIMUM,
    RR_SRV,
    RR_SRV_PRIORITY,
    RR_SRV_WEIGHT,
    RR_SRV_PORT,
    RR_SRV_NAME,
    DNS_RECORD_FIELDS
};

#define FT_DNS_ROW(name, title, names, parent, type, flags, ...)                                   \
    {                                                                                              \
        name, title, names, parent, FT_TYPE_##type, flags, __VA_ARGS__ + 0                         \
    }

#define FT_DNS_RECORD_ROWS(group, first, key, title)                                               \
    [group] = FT_DNS_ROW(key, title, NULL, 0, GROUP, FT_FIELD_LIST),                               \
    [(first) + RR_NAME] = FT_DNS_ROW("rrname", "Name", NULL, group, STRING, 0),                    \
    [(first) + RR_TYPE] = FT_DNS_ROW("rrtype", "Type", ft_dns_type_names, group, ENUM, 0, 16),     \
    [(first) + RR_CLASS] = FT_DNS_ROW("class", "Class", ft_dns_class_names, group, ENUM, 0, 16),   \
    [(first) + RR_FLUSH] =                                                                         \
        FT_DNS_ROW("cache_flush", "Replaces what caches hold", NULL, group, BOOL, 0),              \
    [(first) + RR_TTL] = FT_DNS_ROW("ttl", "Seconds it may be kept", NULL, group, UINT, 0, 32),    \
    [(first) + RR_RDATA] = FT_DNS_ROW("rdata", "Data", NULL, group, STRING, 0),                    \
    [(first) + RR_BYTES] =                                                                         \
        FT_DNS_ROW("rdata_bytes", "Keys, signatures, digests; data of types that are not read",    \
                   NULL, group, BYTES, 0),                                                         \
    [(first) + RR_STRINGS] =                                                                       \
        FT_DNS_ROW("txt", "Strings of TXT and SPF", NULL, group, STRING, FT_FIELD_LIST),           \
    [(first) + RR_SOA] = FT_DNS_ROW("soa", "Start of authority", NULL, group, GROUP, 0),           \
    [(first) + RR_SOA_MNAME] =                                                                     \
        FT_DNS_ROW("mname", "Primary server", NULL, (first) + RR_SOA, STRING, 0),                  \
    [(first) + RR_SOA_RNAME] =                                                                     \
        FT_DNS_ROW("rname", "Mailbox of who is responsible", NULL, (first) + RR_SOA, STRING, 0),   \
    [(first) + RR_SOA_SERIAL] =                                                                    \
        FT_DNS_ROW("serial", "Serial number", NULL, (first) + RR_SOA, UINT, 0, 32),                \
    [(first) + RR_SOA_REFRESH] =                                                                   \
        FT_DNS_ROW("refresh", "Seconds", NULL, (first) + RR_SOA, UINT, 0, 32),                     \
    [(first) + RR_SOA_RETRY] =                                                                     \
        FT_DNS_ROW("retry", "Seconds", NULL, (first) + RR_SOA, UINT, 0, 32),                       \
    [(first) + RR_SOA_EXPIRE] =                                                                    \
        FT_DNS_ROW("expire", "Seconds", NULL, (first) + RR_SOA, UINT, 0, 32),                      \
    [(first) + RR_SOA_MINIMUM] =                                                                   \
        FT_DNS_ROW("minimum", "Seconds", NULL, (first) + RR_SOA, UINT, 0, 32),                     \
    [(first) + RR_SRV] = FT_DNS_ROW("srv", "Server of a service", NULL, group, GROUP, 0),          \
    [(first) + RR_SRV_PRIORITY] =                                                                  \
        FT_DNS_ROW("priority", "Priority", NULL, (first) + RR_SRV, UINT, 0, 16),                   \
    [(first) + RR_SRV_WEIGHT] =                                                                    \
        FT_DNS_ROW("weight", "Weight", NULL, (first) + RR_SRV, UINT, 0, 16),                       \
    [(first) + RR_SRV_PORT] = FT_DNS_ROW("port", "Port", NULL, (first) + RR_SRV, UINT, 0, 16),     \
    [(first) + RR_SRV_NAME] = FT_DNS_ROW("name", "Host", NULL, (first) + RR_SRV, STRING, 0)

#define FT_DNS_FIELD_ROWS(key, title)                                                              \
    [DNS_ROOT] = FT_DNS_ROW(key, title, NULL, 0, GROUP, 0),                                        \
    [DNS_VERSION] = FT_DNS_ROW("version", "Version of this object's shape", NULL, 0, UINT, 0, 2),  \
    [DNS_TYPE] = FT_DNS_ROW("type", "Query or answer", ft_dns_kind_names, 0, ENUM, 0, 1),          \
    [DNS_ID] = FT_DNS_ROW("id", "Id, repeated by the answer", NULL, 0, UINT, 0, 16),               \
    [DNS_FLAGS] = FT_DNS_ROW("flags", "Flags, hexadecimal", NULL, 0, STRING, 0),                   \
    [DNS_QR] = FT_DNS_ROW("qr", "An answer", NULL, 0, BOOL, 0),                                    \
    [DNS_AA] = FT_DNS_ROW("aa", "From an authority", NULL, 0, BOOL, 0),                            \
    [DNS_TC] = FT_DNS_ROW("tc", "Truncated", NULL, 0, BOOL, 0),                                    \
    [DNS_RD] = FT_DNS_ROW("rd", "Recursion desired", NULL, 0, BOOL, 0),                            \
    [DNS_RA] = FT_DNS_ROW("ra", "Recursion available", NULL, 0, BOOL, 0),                          \
    [DNS_Z] = FT_DNS_ROW("z", "Reserved bit", NULL, 0, BOOL, 0),                                   \
    [DNS_AD] = FT_DNS_ROW("ad", "Authentic data", NULL, 0, BOOL, 0),                               \
    [DNS_CD] = FT_DNS_ROW("cd", "Checking disabled", NULL, 0, BOOL, 0),                            \
    [DNS_OPCODE] = FT_DNS_ROW("opcode", "Operation", NULL, 0, UINT, 0, 8),                         \
    [DNS_RCODE] = FT_DNS_ROW("rcode", "Result", ft_dns_rcode_names, 0, ENUM, 0, 32),               \
    [DNS_RRNAME] = FT_DNS_ROW("rrname", "Name of the first question", NULL, 0, STRING, 0),         \
    [DNS_RRTYPE] =                                                                                 \
        FT_DNS_ROW("rrtype", "Type of the first question", ft_dns_type_names, 0, ENUM, 0, 16),     \
    [DNS_QUERIES] = FT_DNS_ROW("queries", "Questions", NULL, 0, GROUP, FT_FIELD_LIST),             \
    [DNS_QUERY_NAME] = FT_DNS_ROW("rrname", "Name", NULL, DNS_QUERIES, STRING, 0),                 \
    [DNS_QUERY_TYPE] = FT_DNS_ROW("rrtype", "Type", ft_dns_type_names, DNS_QUERIES, ENUM, 0, 16),  \
    [DNS_QUERY_CLASS] =                                                                            \
        FT_DNS_ROW("class", "Class", ft_dns_class_names, DNS_QUERIES, ENUM, 0, 16),                \
    [DNS_QUERY_UNICAST] =                                                                          \
        FT_DNS_ROW("unicast", "mDNS: answer to the asker alone", NULL, DNS_QUERIES, BOOL, 0),      \
    FT_DNS_RECORD_ROWS(DNS_ANSWERS, DNS_ANSWER_FIRST, "answers", "Answers"),                       \
    FT_DNS_RECORD_ROWS(DNS_AUTHORITIES, DNS_AUTHORITY_FIRST, "authorities",                        \
                       "Authorities; the changes of an update"),                                   \
    FT_DNS_RECORD_ROWS(DNS_ADDITIONALS, DNS_ADDITIONAL_FIRST, "additionals",                       \
                       "Additional records"),                                                      \
    [DNS_EDNS] = FT_DNS_ROW("edns", "Extensions (EDNS)", NULL, 0, GROUP, 0),                       \
    [DNS_EDNS_SIZE] = FT_DNS_ROW("size", "Bytes of a datagram that the sender takes", NULL,        \
                                 DNS_EDNS, UINT, 0, 16),                                           \
    [DNS_EDNS_VERSION] = FT_DNS_ROW("version", "Version", NULL, DNS_EDNS, UINT, 0, 8),             \
    [DNS_EDNS_DO] = FT_DNS_ROW("do", "Wants signatures", NULL, DNS_EDNS, BOOL, 0),                 \
    [DNS_EDNS_OPTIONS] = FT_DNS_ROW("opts", "Options", NULL, DNS_EDNS, GROUP, FT_FIELD_LIST),      \
    [DNS_EDNS_OPTION_CODE] =                                                                       \
        FT_DNS_ROW("code", "Option", ft_dns_option_names, DNS_EDNS_OPTIONS, ENUM, 0, 16),          \
    [DNS_EDNS_OPTION_DATA] = FT_DNS_ROW("data", "Content", NULL, DNS_EDNS_OPTIONS, BYTES, 0),      \
    [DNS_EDNS_OPTION_TEXT] =                                                                       \
        FT_DNS_ROW("text", "Content of those that are read", NULL, DNS_EDNS_OPTIONS, STRING, 0),   \
    [DNS_QUERY_LENGTH] =                                                                           \
        FT_DNS_ROW("query_len", "Characters of the first name asked", NULL, 0, UINT, 0, 16),       \
    [DNS_LABEL_LENGTH] = FT_DNS_ROW("label_len", "Its longest label", NULL, 0, UINT, 0, 8),        \
    [DNS_LABEL_ENTROPY] =                                                                          \
        FT_DNS_ROW("label_entropy", "Bits a character of its first label", NULL, 0, FLOAT, 0),     \
    [DNS_TCP] = FT_DNS_ROW("tcp", "Over TCP", NULL, 0, BOOL, 0)

#define FT_DNS_UNICAST_FIELD_ROWS                                                                  \
    [DNS_SOFTWARE] = FT_DNS_ROW("software", "What software asks for such names", NULL, 0, STRING, 0)

#define FT_MDNS_FIELD_ROWS                                                                         \
    [DNS_SERVICE] =                                                                                \
        FT_DNS_ROW("service", "Kinds of service (DNS-SD)", NULL, 0, STRING, FT_FIELD_LIST),        \
    [DNS_INSTANCE] =                                                                               \
        FT_DNS_ROW("instance", "Instances of services", NULL, 0, STRING, FT_FIELD_LIST),           \
    [DNS_HOST] = FT_DNS_ROW("host", "Hosts of services", NULL, 0, STRING, FT_FIELD_LIST),          \
    [DNS_PORT] = FT_DNS_ROW("port", "Ports of services", NULL, 0, UINT, FT_FIELD_LIST, 16),        \
    [DNS_TXT] =                                                                                    \
        FT_DNS_ROW("txt", "Properties of services, key=value", NULL, 0, STRING, FT_FIELD_LIST),    \
    [DNS_GOODBYE] = FT_DNS_ROW("goodbye", "Takes back what it announced", NULL, 0, BOOL, 0)

enum ft_dns_violation {
    FT_DNS_V_Z_BIT = 0,
    FT_DNS_V_POINTER,
    FT_DNS_V_LABEL,
    FT_DNS_V_NAME_LENGTH,
    FT_DNS_V_RDATA,
    FT_DNS_V_OPCODE,
    FT_DNS_V_TRUNCATED_TCP,
    FT_DNS_V_QUESTIONS,
    FT_DNS_V_QUERY_WITH_ANSWERS,
    FT_DNS_V_SHARED, /* DNS and LLMNR have all of these, mDNS those before TRUNCATED_TCP */
    FT_DNS_V_UNSOLICITED = FT_DNS_V_SHARED, /* DNS alone */
    FT_DNS_V_ANSWERS_DIFFER,
    FT_DNS_V_TUNNEL,
    FT_DNS_VIOLATIONS,
    FT_LLMNR_V_WPAD = FT_DNS_V_SHARED,
    FT_LLMNR_VIOLATIONS,
    FT_MDNS_V_WPAD = FT_DNS_V_TRUNCATED_TCP,
    FT_MDNS_V_SOURCE_PORT,
    FT_MDNS_V_OFF_LINK,
    FT_MDNS_VIOLATIONS,
};

#define FT_DNS_VIOLATION(name, title, mitre, severity)                                             \
    {                                                                                              \
        name, title, NULL, "Abnormal Communication Behavior", mitre, FT_SEVERITY_##severity,       \
            FT_ENGINE_PROTOCOL, 0,                                                                 \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define FT_DNS_VIOLATION_ROWS(protocol)                                                            \
    [FT_DNS_V_Z_BIT] = FT_DNS_VIOLATION("reserved_bit", protocol " message with the reserved bit", \
                                        NULL, WARNING),                                            \
    [FT_DNS_V_POINTER] = FT_DNS_VIOLATION(                                                         \
        "pointer", protocol " name with a pointer that does not lead back", "T0814", MINOR),       \
    [FT_DNS_V_LABEL] =                                                                             \
        FT_DNS_VIOLATION("label", protocol " name with a label that cannot be", "T0814", MINOR),   \
    [FT_DNS_V_NAME_LENGTH] =                                                                       \
        FT_DNS_VIOLATION("name_length", protocol " name of over 255 bytes", "T0814", MINOR),       \
    [FT_DNS_V_RDATA] = FT_DNS_VIOLATION(                                                           \
        "rdata", protocol " record whose data do not fit its type", "T0814", MINOR),               \
    [FT_DNS_V_OPCODE] =                                                                            \
        FT_DNS_VIOLATION("opcode", protocol " operation that is not assigned", NULL, WARNING)

#define FT_DNS_SHARED_VIOLATION_ROWS(protocol)                                                     \
    FT_DNS_VIOLATION_ROWS(protocol),                                                               \
        [FT_DNS_V_TRUNCATED_TCP] =                                                                 \
            FT_DNS_VIOLATION("truncated_over_tcp",                                                 \
                             protocol " message marked as truncated over TCP", NULL, WARNING),     \
        [FT_DNS_V_QUESTIONS] = FT_DNS_VIOLATION(                                                   \
            "questions", protocol " message with several questions", "T0814", WARNING),            \
        [FT_DNS_V_QUERY_WITH_ANSWERS] = FT_DNS_VIOLATION(                                          \
            "query_with_answers", protocol " query with answer records", NULL, WARNING)

#define FT_DNS_WPAD_ROW(protocol)                                                                  \
    FT_DNS_VIOLATION("wpad", protocol " answer for the name of the proxy configuration", "T0830",  \
                     MINOR)

/* ---- whole messages ------------------------------------------------------------------------- */

/** Which of the three. */
enum ft_dns_flavour {
    FT_DNS_UNICAST = 0,
    FT_DNS_MULTICAST,
    FT_DNS_LINK_LOCAL,
};

/** Qualifiers of commands beyond the types asked for. */
enum ft_dns_qualifier {
    FT_DNS_PROBE = 0x10000, /**< mDNS: is this name in use? */
    FT_DNS_ANNOUNCEMENT,    /**< mDNS: a response */
    FT_DNS_GOODBYE,         /**< mDNS: a response that takes back */
};

/** Flow state of all three. */
struct ft_dns_flow {
    uint64_t answered;    /**< key of the last answer, 0 = none */
    uint64_t answer_hash; /**< of its bytes behind the header */
    uint64_t query_ns;    /**< time of the last query, 0 = none */
};

/** Read a message: `pdu` begins with its id. */
void ft_dns_read(struct ft_context *ctx, enum ft_dns_flavour flavour, struct ft_view *pdu);

/** Read the message of a stream: its length stands before it. */
void ft_dns_read_stream(struct ft_context *ctx, enum ft_dns_flavour flavour, struct ft_view *pdu);

/** frame() of the flavours that go over TCP. */
struct ft_frame ft_dns_frame(struct ft_context *ctx, struct ft_view stream);

/* ---- what a record's data are: dns_rdata.c -------------------------------------------------- */

/** A record, and where it stands. */
struct ft_dns_record {
    struct ft_dns_name name;
    uint32_t first; /**< its first field: DNS_ANSWER_FIRST ... */
    uint32_t ttl;
    uint16_t type, class_;
    /* what was read of its data */
    struct ft_dns_name target; /**< of types that name a host */
    struct ft_view address;    /**< A, AAAA */
    struct ft_view text;       /**< TXT, HINFO: the strings with their lengths */
    uint16_t port;             /**< SRV */
    bool is_whole;             /**< the data are all here, and are what the type says */
};

/** Read and put the data of a record, which are `rdata` of `message`. */
void ft_dns_rdata_read(struct ft_context *ctx, const struct ft_view *message,
                       struct ft_dns_record *record, struct ft_view rdata);

/** Tell of a fault of a name. */
void ft_dns_name_check(struct ft_context *ctx, const struct ft_dns_name *name,
                       const struct ft_view *at);

/* ---- facts: dns_facts.c --------------------------------------------------------------------- */

/** What a host is by the record that names it. */
enum ft_dns_server {
    FT_DNS_SERVER_DIRECTORY = 0, /**< domain controller */
    FT_DNS_SERVER_TIME,
    FT_DNS_SERVER_OPC,
    FT_DNS_SERVER_NAMES,
};

/** What the records of one message say together. */
struct ft_dns_facts {
    enum ft_dns_flavour flavour;
    bool is_of_sender; /**< mDNS: services and hardware are the sender's */
    uint8_t servers;   /**< remembered */
    /** Hashes of their names, and what they are; all that fit into a datagram of old. */
    uint64_t server[16];
    uint8_t server_kind[16]; /**< enum ft_dns_server */
};

/** State what a record of an answer, an announcement or an update says of hosts. */
void ft_dns_state_record(struct ft_context *ctx, struct ft_dns_facts *facts,
                         const struct ft_dns_record *record);

/** Does the record only say what a host is that others give the address of? */
bool ft_dns_names_server(const struct ft_dns_record *record);

/* ---- software: dns_software.c --------------------------------------------------------------- */

/**
 * Put and state what the name that a query asks for tells of its sender; `is_own`: the query looks
 * like one of the host itself, not of one that asks for others.
 */
void ft_dns_state_software(struct ft_context *ctx, const struct ft_dns_name *name, bool is_own);

/** Is a name asked for as the known tunnels do (dns2tcp, dnscat2, iodine)? */
bool ft_dns_is_tunnel(const struct ft_dns_name *name, uint16_t type);

#endif
