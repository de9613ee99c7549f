/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of rules. */
#include "rules/vocabulary.h"

#include "base/hash.h"
#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 256u

/* Fields that are told of a name that several have; of more none. */
#define DEEPER_MAX 4u

struct keyword {
    const char *name, *title;
    uint8_t type, level;
    bool is_many;
};

/* clang-format off */
static const struct keyword keywords[FT_KEYWORDS] = {
#define FLOW FT_LEVEL_FLOW
#define MESSAGE FT_LEVEL_MESSAGE
#define ASSET FT_LEVEL_ASSET
    [FT_KEYWORD_IP_SRC] = {"ip.src", "IP address of the sender", FT_VALUE_TYPE_ADDRESS, FLOW, false},
    [FT_KEYWORD_IP_DST] = {"ip.dst", "IP address of the receiver", FT_VALUE_TYPE_ADDRESS, FLOW, false},
    [FT_KEYWORD_IP_ADDR] = {"ip.addr", "IP address of either", FT_VALUE_TYPE_ADDRESS, FLOW, true},
    [FT_KEYWORD_ETH_SRC] = {"eth.src", "MAC address of the sender", FT_VALUE_TYPE_MAC, FLOW, false},
    [FT_KEYWORD_ETH_DST] = {"eth.dst", "MAC address of the receiver", FT_VALUE_TYPE_MAC, FLOW, false},
    [FT_KEYWORD_ETH_ADDR] = {"eth.addr", "MAC address of either", FT_VALUE_TYPE_MAC, FLOW, true},
    [FT_KEYWORD_VLAN] = {"vlan", "VLAN id, of each tag", FT_VALUE_TYPE_UINT, FLOW, true},
    [FT_KEYWORD_ETHERTYPE] = {"ethertype", "Ethernet type", FT_VALUE_TYPE_UINT, FLOW, false},
    [FT_KEYWORD_TRANSPORT] = {"transport", "what carries the payload", FT_VALUE_TYPE_ENUM, FLOW, false},
    [FT_KEYWORD_IP_PROTOCOL] = {"ip.protocol", "protocol behind the IP header", FT_VALUE_TYPE_ENUM, FLOW, false},
    [FT_KEYWORD_PORT_SRC] = {"port.src", "port of the sender", FT_VALUE_TYPE_UINT, FLOW, false},
    [FT_KEYWORD_PORT_DST] = {"port.dst", "port of the receiver", FT_VALUE_TYPE_UINT, FLOW, false},
    [FT_KEYWORD_PORT] = {"port", "port of either", FT_VALUE_TYPE_UINT, FLOW, true},
    [FT_KEYWORD_ZONE_SRC] = {"zone.src", "zone of the sender", FT_VALUE_TYPE_ENUM, FLOW, false},
    [FT_KEYWORD_ZONE_DST] = {"zone.dst", "zone of the receiver", FT_VALUE_TYPE_ENUM, FLOW, false},
    [FT_KEYWORD_PURDUE_SRC] = {"purdue.src", "Purdue level of the sender's zone", FT_VALUE_TYPE_FLOAT, FLOW, false},
    [FT_KEYWORD_PURDUE_DST] = {"purdue.dst", "Purdue level of the receiver's zone", FT_VALUE_TYPE_FLOAT, FLOW, false},
    [FT_KEYWORD_VENDOR_SRC] = {"asset.vendor.src", "vendor of the sending device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_VENDOR_DST] = {"asset.vendor.dst", "vendor of the receiving device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_VENDOR] = {"asset.vendor", "vendor of either device", FT_VALUE_TYPE_TEXT, ASSET, true},
    [FT_KEYWORD_MODEL_SRC] = {"asset.model.src", "model of the sending device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_MODEL_DST] = {"asset.model.dst", "model of the receiving device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_MODEL] = {"asset.model", "model of either device", FT_VALUE_TYPE_TEXT, ASSET, true},
    [FT_KEYWORD_TYPE_SRC] = {"asset.type.src", "type of the sending device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_TYPE_DST] = {"asset.type.dst", "type of the receiving device, when known", FT_VALUE_TYPE_TEXT, ASSET, false},
    [FT_KEYWORD_TYPE] = {"asset.type", "type of either device", FT_VALUE_TYPE_TEXT, ASSET, true},
    [FT_KEYWORD_PROTOCOL] = {"protocol", "protocol of the message", FT_VALUE_TYPE_ENUM, MESSAGE, false},
    [FT_KEYWORD_COMMAND] = {"command", "command of the message by name", FT_VALUE_TYPE_COMMAND, MESSAGE, false},
    [FT_KEYWORD_COMMAND_CODE] = {"command.code", "command of the message by number", FT_VALUE_TYPE_UINT, MESSAGE, false},
    [FT_KEYWORD_CLASS] = {"command.class", "what the command does, the same for all protocols", FT_VALUE_TYPE_ENUM, MESSAGE, false},
    [FT_KEYWORD_KIND] = {"kind", "part that the message plays", FT_VALUE_TYPE_ENUM, MESSAGE, false},
    [FT_KEYWORD_DIRECTION] = {"direction", "direction of the message", FT_VALUE_TYPE_ENUM, MESSAGE, false},
    [FT_KEYWORD_RESPONSE_TIME] = {"response_time_us", "microseconds from the request to this response", FT_VALUE_TYPE_UINT, MESSAGE, false},
    [FT_KEYWORD_SUBADDRESS] = {"subaddress", "device behind an address: \"unit 3\", \"slot 0/2\"", FT_VALUE_TYPE_TEXT, MESSAGE, true},
    [FT_KEYWORD_PAYLOAD] = {"payload", "bytes of the PDU, or of the packet's payload", FT_VALUE_TYPE_BYTES, FT_LEVEL_PAYLOAD, false},
    [FT_KEYWORD_PAYLOAD_LENGTH] = {"payload.length", "their number", FT_VALUE_TYPE_UINT, FT_LEVEL_PAYLOAD, false},
    [FT_KEYWORD_CONNECTION] = {"connection", "how an attempt to connect came out, of who made it", FT_VALUE_TYPE_ENUM, FT_LEVEL_CONNECTION, false},
    [FT_KEYWORD_FIRST] = {"flow.first", "is the packet the first of its flow?", FT_VALUE_TYPE_BOOL, FT_LEVEL_PACKET, false},
    [FT_KEYWORD_IP_TTL] = {"ip.ttl", "time to live, or hop limit, of the packet", FT_VALUE_TYPE_UINT, FT_LEVEL_PACKET, false},
    [FT_KEYWORD_IP_ID] = {"ip.id", "identification of the IPv4 packet", FT_VALUE_TYPE_UINT, FT_LEVEL_PACKET, false},
    [FT_KEYWORD_TCP_FLAGS] = {"tcp.flags", "all flags of the packet", FT_VALUE_TYPE_ENUM, FT_LEVEL_PACKET, false},
    [FT_KEYWORD_TCP_WINDOW] = {"tcp.window", "window of the packet, as it stands there", FT_VALUE_TYPE_UINT, FT_LEVEL_PACKET, false},
    [FT_KEYWORD_TCP_OPTIONS] = {"tcp.options", "bytes of the TCP options", FT_VALUE_TYPE_BYTES, FT_LEVEL_PACKET, false},
#undef FLOW
#undef MESSAGE
#undef ASSET
};
/* clang-format on */

static const struct ft_name transports[] = {{FT_TRANSPORT_L2, "ethernet"},
                                            {FT_TRANSPORT_IP, "ip"},
                                            {FT_TRANSPORT_UDP, "udp"},
                                            {FT_TRANSPORT_TCP, "tcp"},
                                            {0, NULL}};

/* Numbers of IANA that a rule is likely to name. */
static const struct ft_name ip_protocols[] = {
    {1, "icmp"},   {2, "igmp"},       {4, "ipv4"},  {6, "tcp"},      {8, "egp"},    {17, "udp"},
    {41, "ipv6"},  {46, "rsvp"},      {47, "gre"},  {50, "esp"},     {51, "ah"},    {58, "icmpv6"},
    {88, "eigrp"}, {89, "ospf"},      {103, "pim"}, {108, "ipcomp"}, {112, "vrrp"}, {115, "l2tp"},
    {132, "sctp"}, {136, "udp_lite"}, {0, NULL}};

/* Each flag, and the sets of them that are seen: the value is all flags of the packet. */
static const struct ft_name tcp_flags[] = {
    {0, "none"},     {1, "fin"},      {2, "syn"},      {4, "rst"},
    {8, "psh"},      {16, "ack"},     {32, "urg"},     {64, "ece"},
    {128, "cwr"},    {3, "syn_fin"},  {17, "fin_ack"}, {18, "syn_ack"},
    {20, "rst_ack"}, {24, "psh_ack"}, {41, "xmas"},    {0, NULL}};

static const struct ft_name connections[] = {{FT_CONNECTION_ACCEPTED, "accepted"},
                                             {FT_CONNECTION_REFUSED, "refused"},
                                             {FT_CONNECTION_UNANSWERED, "unanswered"},
                                             {0, NULL}};

static const struct ft_name kinds[] = {{FT_KIND_DATA, "data"},
                                       {FT_KIND_REQUEST, "request"},
                                       {FT_KIND_RESPONSE, "response"},
                                       {FT_KIND_EXCEPTION, "exception"},
                                       {FT_KIND_UNSOLICITED, "unsolicited"},
                                       {0, NULL}};

static const struct ft_name directions[] = {{FT_DIRECTION_NONE, "none"},
                                            {FT_TO_SERVER, "to_server"},
                                            {FT_TO_CLIENT, "to_client"},
                                            {0, NULL}};

static const struct ft_name classes[] = {{FT_CLASS_UNKNOWN, "unknown"},
                                         {FT_CLASS_FIRMWARE, "firmware"},
                                         {FT_CLASS_PROGRAM, "program"},
                                         {FT_CLASS_MODE, "mode"},
                                         {FT_CLASS_CONFIG, "config"},
                                         {FT_CLASS_ADMIN, "admin"},
                                         {FT_CLASS_OPERATE, "operate"},
                                         {FT_CLASS_WRITE, "write"},
                                         {FT_CLASS_UPLOAD, "upload"},
                                         {FT_CLASS_FILE, "file"},
                                         {FT_CLASS_AUTH, "auth"},
                                         {FT_CLASS_READ, "read"},
                                         {FT_CLASS_DIAGNOSTIC, "diagnostic"},
                                         {FT_CLASS_SESSION, "session"},
                                         {FT_CLASS_DATA, "data"},
                                         {FT_CLASS_EVENT, "event"},
                                         {0, NULL}};

static const struct ft_name roles[] = {{FT_ROLE_PLC, "plc"},
                                       {FT_ROLE_RTU, "rtu"},
                                       {FT_ROLE_IED, "ied"},
                                       {FT_ROLE_IO, "io"},
                                       {FT_ROLE_HMI, "hmi"},
                                       {FT_ROLE_SCADA, "scada"},
                                       {FT_ROLE_ENGINEERING, "engineering"},
                                       {FT_ROLE_HISTORIAN, "historian"},
                                       {FT_ROLE_GATEWAY, "gateway"},
                                       {FT_ROLE_ROUTER, "router"},
                                       {FT_ROLE_SWITCH, "switch"},
                                       {FT_ROLE_SERVER, "server"},
                                       {FT_ROLE_WORKSTATION, "workstation"},
                                       {0, NULL}};

_Static_assert(FT_ROLE_COUNT == FT_ROLE_WORKSTATION + 1, "each role has its name above");
_Static_assert(FT_CLASS_COUNT == FT_CLASS_EVENT + 1, "each class has its name above");
_Static_assert(FT_KIND_COUNT == FT_KIND_UNSOLICITED + 1, "each kind has its name above");

const char *ft_level_name(enum ft_level level)
{
    static const char *const names[] = {"the first packet of a flow in each direction",
                                        "connections",
                                        "packets that open or end connections",
                                        "payloads",
                                        "messages",
                                        "devices"};
    return names[level];
}

const char *ft_keyword_name(enum ft_keyword keyword)
{
    return keyword < FT_KEYWORDS ? keywords[keyword].name : NULL;
}

const char *ft_keyword_title(enum ft_keyword keyword)
{
    return keyword < FT_KEYWORDS ? keywords[keyword].title : NULL;
}

const char *ft_keyword_type_name(enum ft_keyword keyword)
{
    return ft_value_type_name((enum ft_value_type)keywords[keyword].type);
}

const char *ft_value_type_name(enum ft_value_type type)
{
    static const char *const names[] = {"number",      "signed number",  "number with fraction",
                                        "truth value", "name or number", "bits",
                                        "time",        "MAC address",    "command",
                                        "IP address",  "text",           "bytes",
                                        "group"};
    return names[type];
}

/* ---- keys ---- */

uint64_t ft_key_of_float(double value)
{
    uint64_t u;
    value = value == 0 ? 0 : value; /* -0.0 is 0 */
    memcpy(&u, &value, sizeof(u));
    return u >> 63 ? ~u : u | 1ull << 63;
}

uint64_t ft_key_of_address(struct ft_set_address address, unsigned bits)
{
    return ft_hash_mix(address.high, bits < 64 ? address.low >> bits : 0);
}

uint64_t ft_key_of_text(const void *text, size_t length)
{
    return ft_hash_bytes(0, text, length);
}

uint64_t ft_key_of_folded(const void *text, size_t length)
{
    return ft_hash_folded(0, text, length);
}

static double float_of_key(uint64_t key)
{
    uint64_t u = key >> 63 ? key & ~(1ull << 63) : ~key;
    double d;
    memcpy(&d, &u, sizeof(d));
    return d;
}

double ft_key_number(const struct ft_operand *o, uint64_t key)
{
    return o->type == FT_VALUE_TYPE_FLOAT ? float_of_key(key)
           : o->type == FT_VALUE_TYPE_INT ? (double)(int64_t)(key ^ 1ull << 63)
                                          : (double)key;
}

/* The shortest that is read as the same number again. */
static void float_text(double value, char *to, size_t size)
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(to, size, "%.*g", digits, value);
        if (strtod(to, NULL) == value)
            return;
    }
}

void ft_key_text(const struct ft_operand *o, uint64_t key, char *to, size_t size)
{
    switch (o->type) {
    case FT_VALUE_TYPE_INT:
        snprintf(to, size, "%lld", (long long)(key ^ 1ull << 63));
        return;
    case FT_VALUE_TYPE_FLOAT:
        float_text(float_of_key(key), to, size);
        return;
    case FT_VALUE_TYPE_BOOL:
        snprintf(to, size, "%s", key ? "true" : "false");
        return;
    case FT_VALUE_TYPE_MAC:
        snprintf(to, size, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(key >> 40 & 255),
                 (unsigned)(key >> 32 & 255), (unsigned)(key >> 24 & 255),
                 (unsigned)(key >> 16 & 255), (unsigned)(key >> 8 & 255), (unsigned)(key & 255));
        return;
    default:
        for (const struct ft_name *n = o->names; n && n->name; n++)
            if (n->value == key && o->type == FT_VALUE_TYPE_ENUM) {
                snprintf(to, size, "%s", n->name);
                return;
            }
        snprintf(to, size, "%llu", (unsigned long long)key);
    }
}

/* ---- names ---- */

/* The protocol of what nobody reads. */
static bool add_unknown(struct ft_vocabulary *v)
{
    static const struct ft_dissector dissector = {.name = FT_UNKNOWN_PROTOCOL,
                                                  .title = "What no dissector reads"};
    static struct ft_field root[] = {{.name = FT_UNKNOWN_PROTOCOL, .type = FT_TYPE_GROUP}};
    struct ft_registry *copy = malloc(sizeof(*copy));
    if (!copy)
        return false;
    memcpy(copy, v->registry, sizeof(*copy));
    v->registry = v->own = copy;
    if (copy->count == FT_MAX_PROTOCOLS)
        return true;
    v->unknown = calloc(1, sizeof(*v->unknown));
    if (!v->unknown)
        return false;
    v->unknown->dissector = &dissector;
    v->unknown->name = dissector.name;
    v->unknown->flags = FT_DISSECTOR_UNANSWERED;
    v->unknown->index = (uint16_t)copy->count;
    v->unknown->fields = root;
    v->unknown->field_count = 1;
    v->unknown->demand_words = 1;
    copy->protocols[copy->count++] = v->unknown;
    return true;
}

bool ft_vocabulary_open(struct ft_vocabulary *v)
{
    if (!add_unknown(v))
        return false;
    v->protocol_names = calloc(v->registry->count + 1, sizeof(*v->protocol_names));
    v->zone_names = calloc(v->zone_count + 1, sizeof(*v->zone_names));
    v->reach = calloc(v->registry->count + 1, sizeof(*v->reach));
    if (!v->protocol_names || !v->zone_names || !v->reach)
        return false;
    ft_reach_make(v->reach, v->registry);
    for (uint32_t i = 0; i < v->registry->count; i++)
        v->protocol_names[i] = (struct ft_name){i, v->registry->protocols[i]->name};
    for (uint32_t i = 0; i < v->zone_count; i++)
        v->zone_names[i] = (struct ft_name){i, v->zones[i].name};
    return true;
}

void ft_vocabulary_close(struct ft_vocabulary *v)
{
    free(v->protocol_names);
    free(v->zone_names);
    free(v->reach);
    free(v->unknown);
    free(v->own);
    v->unknown = NULL;
    v->registry = v->own = NULL;
    v->protocol_names = v->zone_names = NULL;
    v->reach = NULL;
}

static const struct ft_name *names_of(const struct ft_vocabulary *v, enum ft_keyword keyword)
{
    switch (keyword) {
    case FT_KEYWORD_TRANSPORT:
        return transports;
    case FT_KEYWORD_ZONE_SRC:
    case FT_KEYWORD_ZONE_DST:
        return v->zone_names;
    case FT_KEYWORD_PROTOCOL:
        return v->protocol_names;
    case FT_KEYWORD_CLASS:
        return classes;
    case FT_KEYWORD_IP_PROTOCOL:
        return ip_protocols;
    case FT_KEYWORD_TCP_FLAGS:
        return tcp_flags;
    case FT_KEYWORD_CONNECTION:
        return connections;
    case FT_KEYWORD_KIND:
        return kinds;
    case FT_KEYWORD_DIRECTION:
        return directions;
    case FT_KEYWORD_TYPE_SRC:
    case FT_KEYWORD_TYPE_DST:
    case FT_KEYWORD_TYPE:
        return roles;
    default:
        return NULL;
    }
}

static bool find_keyword(const struct ft_vocabulary *v, const char *name, struct ft_operand *to)
{
    for (unsigned i = 1; i < FT_KEYWORDS; i++) {
        const struct keyword *k = &keywords[i];
        if (strcmp(k->name, name) != 0)
            continue;
        *to = (struct ft_operand){.keyword = (uint8_t)i,
                                  .type = k->type,
                                  .level = k->level,
                                  .is_many = k->is_many,
                                  .names = names_of(v, (enum ft_keyword)i)};
        return true;
    }
    return false;
}

bool ft_field_is_many(const struct ft_protocol *p, uint32_t field)
{
    for (; field; field = p->fields[field].parent)
        if (p->fields[field].flags & FT_FIELD_LIST)
            return true;
    return false;
}

static uint8_t value_type(const struct ft_field *f)
{
    static const uint8_t types[] = {
        [FT_TYPE_GROUP] = FT_VALUE_TYPE_GROUP,  [FT_TYPE_UINT] = FT_VALUE_TYPE_UINT,
        [FT_TYPE_INT] = FT_VALUE_TYPE_INT,      [FT_TYPE_FLOAT] = FT_VALUE_TYPE_FLOAT,
        [FT_TYPE_BOOL] = FT_VALUE_TYPE_BOOL,    [FT_TYPE_ENUM] = FT_VALUE_TYPE_ENUM,
        [FT_TYPE_FLAGS] = FT_VALUE_TYPE_FLAGS,  [FT_TYPE_STRING] = FT_VALUE_TYPE_TEXT,
        [FT_TYPE_BYTES] = FT_VALUE_TYPE_BYTES,  [FT_TYPE_IPV4] = FT_VALUE_TYPE_ADDRESS,
        [FT_TYPE_IPV6] = FT_VALUE_TYPE_ADDRESS, [FT_TYPE_MAC] = FT_VALUE_TYPE_MAC,
        [FT_TYPE_TIME] = FT_VALUE_TYPE_TIME};
    return types[f->type];
}

/* The field of a group by a name that is `length` long; 0 = none. */
static uint32_t field_in(const struct ft_protocol *p, uint32_t group, const char *name,
                         size_t length)
{
    for (uint32_t i = 1; i < p->field_count; i++)
        if (p->fields[i].parent == group && strlen(p->fields[i].name) == length &&
            memcmp(p->fields[i].name, name, length) == 0)
            return i;
    return 0;
}

static bool find_field(const struct ft_protocol *p, const char *whole, const char *rest,
                       struct ft_operand *to, char *error, size_t error_size);

/* With its protocol and the groups around it. */
static void field_name(const struct ft_protocol *p, uint32_t field, char *to, size_t size)
{
    const char *parts[FT_MAX_GROUP_DEPTH + 2];
    uint32_t count = 0;
    for (; field && count < FT_MAX_GROUP_DEPTH + 1; field = p->fields[field].parent)
        parts[count++] = p->fields[field].name;
    size_t used = (size_t)snprintf(to, size, "%s", p->name);
    while (count-- && used < size)
        used += (size_t)snprintf(to + used, size - used, ".%s", parts[count]);
}

/* The fields somewhere in a group that have the name itself, or else that say it and more. */
static bool tell_deeper(const struct ft_protocol *p, uint32_t group, const char *whole,
                        const char *word, char *error, size_t error_size)
{
    uint32_t found[DEEPER_MAX], count = 0;
    for (int is_more = 0; is_more < 2 && !count; is_more++)
        for (uint32_t i = 1; i < p->field_count; i++) {
            const char *name = p->fields[i].name;
            bool is_it = is_more ? ft_nearest_says_more(name, word) : strcmp(name, word) == 0;
            if (!is_it || i == group || (group && !ft_field_is_inside(p, i, group)))
                continue;
            if (count < DEEPER_MAX)
                found[count] = i;
            count++;
        }
    if (!count || count > DEEPER_MAX)
        return false;
    int used = snprintf(error, error_size, "there is no field %s; did you mean", whole);
    for (uint32_t i = 0; i < count && used > 0 && (size_t)used < error_size; i++) {
        char name[3 * WORD_MAX];
        field_name(p, found[i], name, sizeof(name));
        used += snprintf(error + used, error_size - (size_t)used, "%s%s%s",
                         !i              ? " "
                         : i + 1 < count ? ", "
                                         : " or ",
                         name, i + 1 < count ? "" : "?");
    }
    return true;
}

/* The part of a name that no group has, with the one that was probably meant. */
static bool no_field(const struct ft_protocol *p, uint32_t group, const char *name, size_t length,
                     const char *whole, char *error, size_t error_size)
{
    char word[WORD_MAX], meant[3 * WORD_MAX], ignored[8];
    struct ft_operand operand;
    snprintf(word, sizeof(word), "%.*s", (int)length, name);
    struct ft_nearest n = ft_nearest_begin(word);
    for (uint32_t i = 1; i < p->field_count; i++)
        if (p->fields[i].parent == group)
            ft_nearest_offer(&n, p->fields[i].name);
    int before = (int)(name - whole);
    if (!n.best) {
        if (name[length] || !tell_deeper(p, group, whole, word, error, error_size))
            snprintf(error, error_size,
                     "there is no field %s; fieldtap --describe %s lists the fields", whole,
                     p->name);
        return false;
    }
    /* With what followed, if that is right. */
    int used = snprintf(meant, sizeof(meant), "%.*s%s%s", before, whole, n.best, name + length);
    bool is_right =
        name[length] && used < (int)sizeof(meant) &&
        find_field(p, meant, meant + strlen(p->name) + 1, &operand, ignored, sizeof(ignored));
    snprintf(error, error_size, "there is no field %s; did you mean %.*s%s%s?", whole, before,
             whole, n.best, is_right ? name + length : "");
    return false;
}

static bool find_field(const struct ft_protocol *p, const char *whole, const char *rest,
                       struct ft_operand *to, char *error, size_t error_size)
{
    uint32_t field = 0;
    while (*rest) {
        size_t length = strcspn(rest, ".");
        uint32_t found =
            field && p->fields[field].type != FT_TYPE_GROUP ? 0 : field_in(p, field, rest, length);
        if (!found)
            return no_field(p, field, rest, length, whole, error, error_size);
        field = found;
        rest += length + (rest[length] == '.');
        if (!*rest && rest[-1] == '.')
            return no_field(p, field, rest, 0, whole, error, error_size);
    }
    if (!field) {
        snprintf(error, error_size,
                 "%s is a protocol: write \"protocol == %s\", or one of its fields", p->name,
                 p->name);
        return false;
    }
    *to = (struct ft_operand){.type = value_type(&p->fields[field]),
                              .level = FT_LEVEL_MESSAGE,
                              .is_many = ft_field_is_many(p, field),
                              .bits = (uint8_t)p->fields[field].bits,
                              .protocol = p->index,
                              .field = (uint16_t)field,
                              .names = p->fields[field].names};
    return true;
}

static uint8_t tag_bits(const struct ft_tag *t)
{
    bool is_whole = t->type == FT_VALUE_TYPE_UINT || t->type == FT_VALUE_TYPE_INT;
    return is_whole && t->length < sizeof(uint64_t) ? (uint8_t)(t->length * 8) : 0;
}

static bool find_tag(const struct ft_vocabulary *v, const char *name, struct ft_operand *to,
                     char *error, size_t error_size)
{
    for (uint32_t i = 0; i < v->tag_count; i++)
        if (strcmp(v->tags[i].name, name) == 0) {
            *to = (struct ft_operand){.type = v->tags[i].type,
                                      .level = FT_LEVEL_PAYLOAD,
                                      .is_tag = true,
                                      .bits = tag_bits(&v->tags[i]),
                                      .field = (uint16_t)i};
            return true;
        }
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t i = 0; i < v->tag_count; i++)
        ft_nearest_offer(&n, v->tags[i].name);
    if (n.best)
        snprintf(error, error_size, "there is no tag %s; did you mean tag.%s?", name, n.best);
    else
        snprintf(error, error_size, "there is no tag %s; tags[] of the file defines tags", name);
    return false;
}

/* Keywords that begin as a name does: there are not many of one kind. */
static bool tell_kin(const char *name, const char *first, char *error, size_t error_size)
{
    size_t used = (size_t)snprintf(error, error_size, "there is no %s; keywords:", name);
    size_t length = strlen(first), before = used;
    for (unsigned i = 1; i < FT_KEYWORDS && used < error_size; i++) {
        const char *k = keywords[i].name;
        if (strncmp(k, first, length) == 0 && (!k[length] || k[length] == '.'))
            used += (size_t)snprintf(error + used, error_size - used, "%s %s",
                                     used == before ? "" : ",", k);
    }
    return used > before;
}

static bool no_name(const struct ft_vocabulary *v, const char *name, char *error, size_t error_size)
{
    char first[WORD_MAX];
    size_t length = strcspn(name, ".");
    snprintf(first, sizeof(first), "%.*s", (int)length, name);
    struct ft_nearest whole = ft_nearest_begin(name), protocol = ft_nearest_begin(first);
    for (unsigned i = 1; i < FT_KEYWORDS; i++)
        ft_nearest_offer(&whole, keywords[i].name);
    for (uint32_t i = 0; name[length] && i < v->registry->count; i++)
        ft_nearest_offer(&protocol, v->registry->protocols[i]->name);
    if (whole.best)
        snprintf(error, error_size, "there is no %s; did you mean %s?", name, whole.best);
    else if (protocol.best)
        snprintf(error, error_size, "there is no protocol %s; did you mean %s%s?", first,
                 protocol.best, name + length);
    else if (!tell_kin(name, first, error, error_size))
        snprintf(error, error_size,
                 "there is no %s: neither a keyword (doc/rules.md) nor a field PROTOCOL.FIELD "
                 "(fieldtap --describe PROTOCOL)",
                 name);
    return false;
}

bool ft_vocabulary_find(const struct ft_vocabulary *v, const char *name, struct ft_operand *to,
                        char *error, size_t error_size)
{
    char first[WORD_MAX];
    size_t length = strcspn(name, ".");
    if (find_keyword(v, name, to))
        return true;
    if (strncmp(name, "tag.", 4) == 0)
        return find_tag(v, name + 4, to, error, error_size);
    snprintf(first, sizeof(first), "%.*s", (int)length, name);
    const struct ft_protocol *p = ft_registry_find(v->registry, first);
    if (!p)
        return no_name(v, name, error, error_size);
    return find_field(p, name, name + length + (name[length] == '.'), to, error, error_size);
}

bool ft_vocabulary_is_begun(const struct ft_vocabulary *v, const char *word)
{
    char first[WORD_MAX];
    size_t length = strcspn(word, ".");
    if (!word[length] || length >= sizeof(first))
        return false;
    snprintf(first, sizeof(first), "%.*s", (int)length, word);
    for (uint32_t k = 1; k < FT_KEYWORDS; k++)
        if (strncmp(keywords[k].name, word, length + 1) == 0)
            return true;
    return strcmp(first, "tag") == 0 || ft_registry_find(v->registry, first);
}

/* Last address less the first, to compare sizes of networks with. */
static struct ft_set_address span(struct ft_set_address first, struct ft_set_address last)
{
    return (struct ft_set_address){last.high - first.high - (last.low < first.low),
                                   last.low - first.low};
}

const struct ft_zone *ft_vocabulary_zone(const struct ft_vocabulary *v,
                                         struct ft_set_address address)
{
    const struct ft_zone *best = NULL;
    struct ft_set_address least = {UINT64_MAX, UINT64_MAX}, first, last;
    for (uint32_t i = 0; i < v->zone_count; i++) {
        if (!ft_set_address_range(v->zones[i].networks, address, &first, &last))
            continue;
        struct ft_set_address size = span(first, last);
        if (!best || size.high < least.high || (size.high == least.high && size.low < least.low)) {
            best = &v->zones[i];
            least = size;
        }
    }
    return best;
}

const struct ft_named_set *ft_vocabulary_set(const struct ft_vocabulary *v, const char *name,
                                             char *error, size_t error_size)
{
    for (uint32_t i = 0; i < v->set_count; i++)
        if (strcmp(v->sets[i].name, name) == 0)
            return &v->sets[i];
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t i = 0; i < v->set_count; i++)
        ft_nearest_offer(&n, v->sets[i].name);
    if (n.best)
        snprintf(error, error_size, "there is no set $%s; did you mean $%s?", name, n.best);
    else
        snprintf(error, error_size,
                 "there is no set $%s; sets{} of the rule files or of the configuration names sets",
                 name);
    return NULL;
}

static void no_command(const struct ft_vocabulary *v, const char *name, char *error,
                       size_t error_size)
{
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t i = 0; i < v->registry->count; i++) {
        const struct ft_protocol *p = v->registry->protocols[i];
        for (uint32_t row = 0; row < p->command_count; row++)
            ft_nearest_offer(&n, p->commands[row].name);
    }
    if (n.best)
        snprintf(error, error_size, "no protocol has a command %s; did you mean %s?", name, n.best);
    else
        snprintf(error, error_size,
                 "no protocol has a command %s; fieldtap --describe PROTOCOL lists the commands",
                 name);
}

bool ft_vocabulary_command(const struct ft_vocabulary *v, const char *name, struct ft_set *set,
                           char *error, size_t error_size)
{
    bool is_found = false;
    for (uint32_t i = 0; i < v->registry->count; i++) {
        const struct ft_protocol *p = v->registry->protocols[i];
        for (uint32_t row = 0; row < p->command_count; row++) {
            uint64_t number = (uint64_t)i << 32 | (row + 1);
            if (strcmp(p->commands[row].name, name) != 0)
                continue;
            is_found = true;
            if (!ft_set_add_numbers(set, number, number)) {
                snprintf(error, error_size, "out of memory");
                return false;
            }
        }
    }
    if (!is_found)
        no_command(v, name, error, error_size);
    return is_found;
}

char *ft_vocabulary_name(const struct ft_vocabulary *v, const struct ft_operand *o, char *to,
                         size_t size)
{
    if (o->keyword) {
        snprintf(to, size, "%s", keywords[o->keyword].name);
        return to;
    }
    if (o->is_tag) {
        snprintf(to, size, "tag.%s", v->tags[o->field].name);
        return to;
    }
    field_name(v->registry->protocols[o->protocol], o->field, to, size);
    return to;
}
