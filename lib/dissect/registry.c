/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry: checking, numbering and joining dissectors. */
#include "dissect/registry.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No table of a real protocol comes near these: a count beyond is a struct gone wrong. */
#define MAX_COMMANDS   65536u
#define MAX_CARRIERS   4096u
#define MAX_SIGNATURES 4096u

static const char *const class_names[FT_CLASS_COUNT] = {
    "unknown", "firmware", "program", "mode", "config",     "admin",   "operate", "write",
    "upload",  "file",     "auth",    "read", "diagnostic", "session", "data",    "event",
};
static const char *const kind_names[FT_KIND_COUNT] = {"data", "request", "response", "exception",
                                                      "unsolicited"};
static const char *const direction_names[] = {"none", "to_server", "to_client"};
static const char *const severity_names[] = {"unknown", "critical", "major", "minor", "warning"};
static const char *const engine_names[] = {"protocol_violation", "policy_violation", "malware",
                                           "anomaly", "operational"};
static const char *const fact_names[FT_FACT_COUNT] = {
    "unknown", "vendor", "model",   "firmware", "hardware",   "serial",      "name",      "role",
    "os",      "mode",   "project", "location", "protection", "description", "management"};
static const char *const role_names[FT_ROLE_COUNT] = {
    "unknown",     "plc",       "rtu",     "ied",    "io",     "hmi",    "scada",
    "engineering", "historian", "gateway", "router", "switch", "server", "workstation"};
static const char *const subaddress_names[] = {"none",  "unit",   "link",    "station", "slot",
                                               "route", "device", "network", "name"};

#define NAME_OF(table, value)                                                                      \
    ((unsigned)(value) < sizeof(table) / sizeof((table)[0]) ? (table)[value] : "unknown")

const char *ft_class_name(enum ft_class class_)
{
    return NAME_OF(class_names, class_);
}

const char *ft_kind_name(enum ft_kind kind)
{
    return NAME_OF(kind_names, kind);
}

const char *ft_direction_name(enum ft_direction direction)
{
    return NAME_OF(direction_names, direction);
}

const char *ft_severity_name(enum ft_severity severity)
{
    return NAME_OF(severity_names, severity);
}

const char *ft_engine_name(enum ft_engine engine)
{
    return NAME_OF(engine_names, engine);
}

const char *ft_fact_name(enum ft_fact fact)
{
    return NAME_OF(fact_names, fact);
}

const char *ft_role_name(enum ft_role role)
{
    return NAME_OF(role_names, role);
}

const char *ft_subaddress_name(enum ft_subaddress_kind kind)
{
    return NAME_OF(subaddress_names, kind);
}

static const struct ft_violation common_violations[] = {
    [FT_VIOLATION_MALFORMED - FT_VIOLATION_COMMON] = {.name = "malformed",
                                                      .title = "Malformed message",
                                                      .mitre = "T0814",
                                                      .category = "Illegal commands",
                                                      .severity = FT_SEVERITY_MAJOR},
    [FT_VIOLATION_TRAILING_BYTES -
        FT_VIOLATION_COMMON] = {.name = "trailing_bytes",
                                .title = "Bytes left over behind the message",
                                .category = "Illegal commands",
                                .severity = FT_SEVERITY_WARNING},
    [FT_VIOLATION_NOT_PROTOCOL -
        FT_VIOLATION_COMMON] = {.name = "unexpected_content",
                                .title = "Traffic is not what its port is for",
                                .reference = "A23",
                                .category = "Abnormal Communication Behavior",
                                .mitre = "T0869 T0842",
                                .severity = FT_SEVERITY_MAJOR,
                                .engine = FT_ENGINE_ANOMALY},
    [FT_VIOLATION_TOO_LONG -
        FT_VIOLATION_COMMON] = {.name = "too_long",
                                .title = "Message longer than the protocol allows",
                                .mitre = "T0866",
                                .category = "Illegal commands",
                                .severity = FT_SEVERITY_MAJOR},
};

__attribute__((format(printf, 5, 6))) static bool refuse(char *error, size_t size, const char *name,
                                                         const char *origin, const char *format,
                                                         ...)
{
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (error)
        snprintf(error, size, "%s%sdissector \"%s\": %s", origin ? origin : "", origin ? ": " : "",
                 name ? name : "?", text);
    return false;
}

struct ft_registry *ft_registry_new(void)
{
    return calloc(1, sizeof(struct ft_registry));
}

static void protocol_free(struct ft_protocol *p)
{
    free(p->fields);
    free(p->commands);
    free(p->command_index);
    free(p->violations);
    free(p->carriers);
    free(p->signatures);
    free(p->demand_all);
    free(p->children_any);
    free(p->children);
    free(p);
}

void ft_registry_free(struct ft_registry *r)
{
    for (uint32_t i = 0; r && i < r->count; i++)
        protocol_free(r->protocols[i]);
    free(r);
}

struct ft_protocol *ft_registry_find(const struct ft_registry *r, const char *name)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (strcmp(r->protocols[i]->name, name) == 0)
            return r->protocols[i];
    return NULL;
}

/* Copy a table whose rows may be smaller or larger than ours: missing members are zero. */
static void *copy_rows(const struct ft_table *t, size_t row, uint32_t *count)
{
    *count = t->rows && t->row_size ? t->count : 0;
    uint8_t *to = calloc(*count ? *count : 1, row);
    size_t n = t->row_size < row ? t->row_size : row;
    for (uint32_t i = 0; to && i < *count; i++)
        memcpy(to + i * row, (const uint8_t *)t->rows + (size_t)i * t->row_size, n);
    return to;
}

static bool is_name(const char *name)
{
    if (!name || !*name || strlen(name) > 32)
        return false;
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
            return false;
    return true;
}

/* A protocol's name is a key of its events and their type: these are taken. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {
        "anomaly",   "app_proto", "asset",      "community_id", "dest_ip", "dest_port",
        "direction", "ether",     "event_type", "fieldtap",     "flow",    "flow_id",
        "health",    "host",      "message",    "operation",    "packet",  "pcap_cnt",
        "proto",     "rule",      "src_ip",     "src_port",     "stats",   "tcp",
        "timestamp", "tunnel",    "tx_id",      "udp",          "unknown", "vlan"};
    if (strncmp(name, "alert", 5) == 0)
        return true;
    for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static int compare_commands(const void *a, const void *b)
{
    const struct ft_command *x = a, *y = b;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return x->qualifier < y->qualifier ? -1 : x->qualifier > y->qualifier;
}

/* Has every name a value that the field can have? */
static bool fit_names(const struct ft_field *f)
{
    for (const struct ft_name *n = f->names; n && n->name; n++)
        if (n->value >> (f->bits - 1) > 1)
            return false;
    return true;
}

static const char *check_bits(const struct ft_field *f)
{
    bool is_number = f->type == FT_TYPE_UINT || f->type == FT_TYPE_INT || f->type == FT_TYPE_ENUM ||
                     f->type == FT_TYPE_FLAGS;
    if (f->bits && (!is_number || f->bits > 64))
        return "bits are of numbers, enumerations and flags, at most 64";
    return f->bits && !fit_names(f) ? "a name for a value that has more bits than the field" : NULL;
}

static const char *check_field(const struct ft_protocol *p, uint32_t i)
{
    const struct ft_field *f = &p->fields[i];
    if (i == 0)
        return f->type != FT_TYPE_GROUP || !f->name || strcmp(f->name, p->name) != 0
                   ? "row 0 must be a group with the protocol's name"
                   : NULL;
    if (!is_name(f->name))
        return "name missing, or not lower case, digits and underscores (at most 32)";
    if (f->type < FT_TYPE_GROUP || f->type > FT_TYPE_TIME)
        return "unknown type";
    if (f->parent >= p->field_count || p->fields[f->parent].type != FT_TYPE_GROUP || f->parent == i)
        return "its parent is not a group";
    if ((f->type == FT_TYPE_ENUM || f->type == FT_TYPE_FLAGS) && !f->names)
        return "an enumeration or flags without names";
    return check_bits(f);
}

/* How the fields of a schema whose rows are sound stand to each other. */
static const char *check_place(const struct ft_protocol *p, uint32_t i)
{
    const struct ft_field *f = &p->fields[i];
    uint32_t depth = 0;
    for (uint32_t up = i; up && depth <= FT_MAX_GROUP_DEPTH; depth++)
        up = p->fields[up].parent;
    if (depth > FT_MAX_GROUP_DEPTH)
        return "groups nested too deep or in a circle";
    for (uint32_t j = 1; j < i; j++)
        if (p->fields[j].parent == f->parent && strcmp(p->fields[j].name, f->name) == 0)
            return "another field of its group has the same name";
    return NULL;
}

/* What is wrong with the schema, or NULL. `which` names the field. */
static const char *check_fields(const struct ft_protocol *p, uint32_t *which)
{
    const char *wrong = NULL;
    for (*which = 0; *which < p->field_count; ++*which)
        if ((wrong = check_field(p, *which)))
            return wrong;
    for (*which = 1; *which < p->field_count; ++*which)
        if ((wrong = check_place(p, *which)))
            return wrong;
    return NULL;
}

static const char *check_carrier(const struct ft_carrier *c)
{
    static const uint64_t limits[] = {[FT_CARRIER_TCP] = 65535,         [FT_CARRIER_UDP] = 65535,
                                      [FT_CARRIER_ETHERTYPE] = 65535,   [FT_CARRIER_LLC] = 255,
                                      [FT_CARRIER_SNAP] = 0xffffffffff, [FT_CARRIER_IP] = 255,
                                      [FT_CARRIER_PARENT] = ~0ull};
    if (c->kind < FT_CARRIER_TCP || c->kind > FT_CARRIER_PARENT)
        return "unknown kind";
    if (c->kind == FT_CARRIER_PARENT && !is_name(c->parent))
        return "the parent's name is missing or wrong";
    /* On a stream or in datagrams wherever probe() finds it: no port. */
    if (c->value == FT_ANY_SELECTOR && (c->kind == FT_CARRIER_TCP || c->kind == FT_CARRIER_UDP))
        return NULL;
    if (c->value == FT_ANY_SELECTOR &&
        (c->kind == FT_CARRIER_ETHERTYPE || c->kind == FT_CARRIER_LLC))
        return NULL;
    if (c->value > limits[c->kind] || c->last > limits[c->kind])
        return "value beyond what the carrier has";
    if (c->last && c->last < c->value)
        return "its range ends before it begins";
    return NULL;
}

static bool check_tables(const struct ft_protocol *p, const char *origin, char *error, size_t size)
{
    uint32_t which = 0;
    const char *wrong = check_fields(p, &which);
    if (wrong)
        return refuse(error, size, p->name, origin, "field %u (%s): %s", which,
                      p->fields[which].name ? p->fields[which].name : "no name", wrong);
    for (uint32_t i = 0; i < p->carrier_count; i++)
        if ((wrong = check_carrier(&p->carriers[i])))
            return refuse(error, size, p->name, origin, "carrier %u: %s", i, wrong);
    for (uint32_t i = 0; i < p->signature_count; i++)
        if (!p->signatures[i].pattern || !(p->signatures[i].flags & 3))
            return refuse(error, size, p->name, origin, "signature %u: no pattern or transport", i);
    for (uint32_t i = 0; i < p->command_count; i++) {
        const struct ft_command *c = &p->commands[i];
        if (!is_name(c->name) || c->class_ >= FT_CLASS_COUNT)
            return refuse(error, size, p->name, origin, "command %u (%s): bad name or class",
                          c->code, c->name ? c->name : "no name");
        if (i && compare_commands(c - 1, c) == 0)
            return refuse(error, size, p->name, origin,
                          "command %u qualifier %u (%s) is there twice", c->code, c->qualifier,
                          c->name);
    }
    for (uint32_t i = 0; i < p->violation_count; i++) {
        const struct ft_violation *v = &p->violations[i];
        if (!is_name(v->name) || !v->title || v->severity < FT_SEVERITY_CRITICAL ||
            v->severity > FT_SEVERITY_WARNING || v->engine > FT_ENGINE_OPERATIONAL)
            return refuse(error, size, p->name, origin,
                          "violation %u (%s): bad name, title, severity or engine", i,
                          v->name ? v->name : "no name");
    }
    return true;
}

/* Where a search for (code, qualifier) begins in the index. */
static uint32_t command_place(const struct ft_protocol *p, uint32_t code, uint32_t qualifier)
{
    return (uint32_t)(((uint64_t)code << 32 | qualifier) * 0x9e3779b97f4a7c15ull >> 40) &
           p->index_mask;
}

/* Rows by (code, qualifier), at most half full: a look-up is a place or two, whatever the table. */
static bool index_commands(struct ft_protocol *p)
{
    uint32_t size = 2;
    while (size < 2 * p->command_count)
        size *= 2;
    p->command_index = calloc(size, sizeof(*p->command_index));
    if (!p->command_index)
        return false;
    p->index_mask = size - 1;
    qsort(p->commands, p->command_count, sizeof(*p->commands), compare_commands);
    for (uint32_t i = 0; i < p->command_count; i++) {
        uint32_t at = command_place(p, p->commands[i].code, p->commands[i].qualifier);
        while (p->command_index[at])
            at = (at + 1) & p->index_mask;
        p->command_index[at] = i + 1;
    }
    return true;
}

/* All that nobody else is bound to. */
static void bind_others(struct ft_registry *r, const struct ft_carrier *c, uint8_t me)
{
    if (c->kind == FT_CARRIER_ETHERTYPE && !r->other_ethertype)
        r->other_ethertype = me;
    if (c->kind == FT_CARRIER_LLC && !r->other_llc)
        r->other_llc = me;
}

static void bind_carriers(struct ft_registry *r, const struct ft_protocol *p)
{
    for (uint32_t i = 0; i < p->carrier_count; i++) {
        const struct ft_carrier *c = &p->carriers[i];
        uint64_t last = c->last > c->value ? c->last : c->value;
        uint8_t me = (uint8_t)(p->index + 1);
        if (c->value == FT_ANY_SELECTOR) {
            bind_others(r, c, me);
            continue;
        }
        if (c->kind == FT_CARRIER_SNAP && r->snap_count < sizeof(r->snap) / sizeof(r->snap[0])) {
            r->snap[r->snap_count].id = c->value;
            r->snap[r->snap_count++].protocol = me;
        }
        uint8_t *table = c->kind == FT_CARRIER_TCP         ? r->tcp_port
                         : c->kind == FT_CARRIER_UDP       ? r->udp_port
                         : c->kind == FT_CARRIER_ETHERTYPE ? r->ethertype
                         : c->kind == FT_CARRIER_LLC       ? r->llc_sap
                         : c->kind == FT_CARRIER_IP        ? r->ip_protocol
                                                           : NULL;
        uint64_t limit = c->kind == FT_CARRIER_LLC || c->kind == FT_CARRIER_IP ? 255 : 65535;
        for (uint64_t v = c->value; table && v <= last && v <= limit; v++)
            if (!table[v])
                table[v] = me;
    }
}

/* Everything of the dissector is copied and checked before the registry changes. */
static struct ft_protocol *protocol_new(const struct ft_dissector *given, const char *origin)
{
    struct ft_dissector d = {0};
    memcpy(&d, given, given->size < sizeof(d) ? given->size : sizeof(d));
    struct ft_protocol *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->dissector = given;
    p->name = d.name;
    p->origin = origin;
    p->max_pdu = d.max_pdu ? d.max_pdu : 8192;
    p->flow_state_size = d.flow_state_size;
    p->channel_size = d.channel_size;
    p->flags = d.flags;
    p->fields = copy_rows(&d.fields, sizeof(*p->fields), &p->field_count);
    p->commands = copy_rows(&d.commands, sizeof(*p->commands), &p->command_count);
    p->violations = copy_rows(&d.violations, sizeof(*p->violations), &p->violation_count);
    p->carriers = copy_rows(&d.carried_by, sizeof(*p->carriers), &p->carrier_count);
    p->signatures = copy_rows(&d.signatures, sizeof(*p->signatures), &p->signature_count);
    p->demand_words = (uint16_t)((p->field_count + 63) / 64);
    /* Whole, so that ft_wants() with a number that is no field reads a zero. */
    p->demand_all = calloc(FT_MAX_FIELDS / 64, sizeof(uint64_t));
    if (!p->fields || !p->commands || !p->violations || !p->carriers || !p->signatures ||
        !p->demand_all) {
        protocol_free(p);
        return NULL;
    }
    for (uint32_t i = 0; i < p->field_count; i++) {
        p->demand_all[i / 64] |= 1ull << (i % 64);
        if (!p->fields[i].title)
            p->fields[i].title = p->fields[i].name;
    }
    return p;
}

bool ft_registry_add(struct ft_registry *r, const struct ft_dissector *d, const char *origin,
                     char *error, size_t error_size)
{
    if (d->abi != FT_ABI_VERSION)
        return refuse(error, error_size, d->size >= 16 ? d->name : NULL, origin,
                      "built for interface version %u, this sensor has %u: rebuild it", d->abi,
                      FT_ABI_VERSION);
    if (d->size < offsetof(struct ft_dissector, dissect) + sizeof(d->dissect))
        return refuse(error, error_size, NULL, origin, "its struct is too small (%u bytes)",
                      d->size);
    if (!is_name(d->name) || !d->title || !d->dissect || !d->fields.rows || !d->fields.count ||
        !d->fields.row_size)
        return refuse(error, error_size, d->name, origin,
                      "name (lower case, digits, _), title, fields and dissect() are required");
    if (is_reserved(d->name))
        return refuse(error, error_size, d->name, origin,
                      "that name is a key or type of every event: choose another");
    if (ft_registry_find(r, d->name))
        return refuse(error, error_size, d->name, origin, "a protocol of that name exists already");
    if (r->count == FT_MAX_PROTOCOLS)
        return refuse(error, error_size, d->name, origin, "more than %u protocols",
                      FT_MAX_PROTOCOLS);
    if (d->flow_state_size > FT_MAX_FLOW_STATE || d->channel_size > FT_MAX_CHANNEL_STATE ||
        d->max_pdu > FT_MAX_PDU || d->sync.length > sizeof(d->sync.bytes) ||
        d->fields.count > FT_MAX_FIELDS)
        return refuse(error, error_size, d->name, origin,
                      "beyond a limit: flow state %u, channel %u, PDU %u, fields %u",
                      FT_MAX_FLOW_STATE, FT_MAX_CHANNEL_STATE, FT_MAX_PDU, FT_MAX_FIELDS);
    if (d->commands.count > MAX_COMMANDS || d->violations.count >= FT_VIOLATION_COMMON ||
        d->carried_by.count > MAX_CARRIERS || d->signatures.count > MAX_SIGNATURES)
        return refuse(error, error_size, d->name, origin,
                      "a table is beyond its limit: commands %u, violations %u, carriers %u, "
                      "signatures %u",
                      MAX_COMMANDS, FT_VIOLATION_COMMON - 1u, MAX_CARRIERS, MAX_SIGNATURES);
    struct ft_protocol *p = protocol_new(d, origin);
    if (!p)
        return refuse(error, error_size, d->name, origin, "out of memory");
    if (!index_commands(p)) {
        protocol_free(p);
        return refuse(error, error_size, d->name, origin, "out of memory");
    }
    if (!check_tables(p, origin, error, error_size)) {
        protocol_free(p);
        return false;
    }
    p->index = (uint16_t)r->count;
    r->protocols[r->count++] = p;
    bind_carriers(r, p);
    return true;
}

void ft_registry_unknown(const struct ft_registry *r, const char *name, char *error,
                         size_t error_size)
{
    struct ft_nearest n = ft_nearest_begin(name);
    for (uint32_t i = 0; i < r->count; i++)
        ft_nearest_offer(&n, r->protocols[i]->name);
    if (n.best)
        snprintf(error, error_size, "no protocol is called \"%s\"; did you mean \"%s\"?", name,
                 n.best);
    else
        snprintf(error, error_size, "no protocol is called \"%s\" (--list-protocols shows them)",
                 name);
}

/* Does it lie in segments or datagrams itself, by a port or by its content? */
static bool has_ports(const struct ft_protocol *p)
{
    for (uint32_t i = 0; i < p->carrier_count; i++)
        if (p->carriers[i].kind == FT_CARRIER_TCP || p->carriers[i].kind == FT_CARRIER_UDP)
            return true;
    return p->signature_count != 0;
}

/* The one that carries it, or carries that, and has ports; NULL = none. */
static const struct ft_protocol *carrier_with_ports(const struct ft_registry *r,
                                                    const struct ft_protocol *p)
{
    for (unsigned layer = 0; p && layer < 8; layer++) {
        if (has_ports(p))
            return p;
        p = p->carrier_count && p->carriers[0].parent ? ft_registry_find(r, p->carriers[0].parent)
                                                      : NULL;
    }
    return NULL;
}

bool ft_registry_bind(struct ft_registry *r, enum ft_transport transport, uint16_t port,
                      const char *name, char *error, size_t error_size)
{
    struct ft_protocol *p = ft_registry_find(r, name);
    if (!p) {
        ft_registry_unknown(r, name, error, error_size);
        return false;
    }
    if (!has_ports(p)) {
        const struct ft_protocol *carrier = carrier_with_ports(r, p);
        if (carrier)
            snprintf(error, error_size, "%s has no ports of its own; bind %s, which carries it",
                     name, carrier->dissector->name);
        else
            snprintf(error, error_size, "%s has no ports: neither TCP nor UDP carries it", name);
        return false;
    }
    uint8_t *table = transport == FT_TRANSPORT_TCP ? r->tcp_port : r->udp_port;
    table[port] = (uint8_t)(p->index + 1);
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct ft_child_range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void join(struct ft_registry *r, struct ft_protocol *parent)
{
    uint32_t ranges = 0, any = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass) {
            parent->children = calloc(ranges + 1, sizeof(*parent->children));
            parent->children_any = calloc(any + 1, sizeof(*parent->children_any));
            if (!parent->children || !parent->children_any)
                abort();
        }
        ranges = any = 0;
        for (uint32_t i = 0; i < r->count; i++) {
            const struct ft_protocol *p = r->protocols[i];
            for (uint32_t c = 0; c < p->carrier_count; c++) {
                const struct ft_carrier *by = &p->carriers[c];
                if (by->kind != FT_CARRIER_PARENT || !by->parent ||
                    strcmp(by->parent, parent->name) != 0)
                    continue;
                if (by->value == FT_ANY_SELECTOR) {
                    if (pass)
                        parent->children_any[any] = p->index;
                    any++;
                } else {
                    if (pass)
                        parent->children[ranges] = (struct ft_child_range){
                            by->value, by->last ? by->last : by->value, p->index};
                    ranges++;
                }
            }
        }
    }
    parent->child_count = ranges;
    parent->children_any_count = any;
    qsort(parent->children, ranges, sizeof(*parent->children), compare_ranges);
}

void ft_registry_finish(struct ft_registry *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        join(r, r->protocols[i]);
}

const struct ft_protocol *ft_registry_snap(const struct ft_registry *r, uint64_t snap)
{
    for (uint32_t i = 0; i < r->snap_count; i++)
        if (r->snap[i].id == snap)
            return r->protocols[r->snap[i].protocol - 1];
    return NULL;
}

const struct ft_protocol *ft_registry_child(const struct ft_registry *r,
                                            const struct ft_protocol *parent, uint64_t selector)
{
    uint32_t low = 0, high = parent->child_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (parent->children[middle].last < selector)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < parent->child_count && parent->children[low].first <= selector)
        return r->protocols[parent->children[low].protocol];
    return NULL;
}

static const struct ft_command *command_row(const struct ft_protocol *p, uint32_t code,
                                            uint32_t qualifier)
{
    uint32_t at = command_place(p, code, qualifier), row;
    while ((row = p->command_index[at])) {
        const struct ft_command *c = &p->commands[row - 1];
        if (c->code == code && c->qualifier == qualifier)
            return c;
        at = (at + 1) & p->index_mask;
    }
    return NULL;
}

const struct ft_command *ft_protocol_command(const struct ft_protocol *p, uint32_t code,
                                             uint32_t qualifier)
{
    const struct ft_command *c = command_row(p, code, qualifier);
    return c ? c : command_row(p, code, FT_ANY_QUALIFIER);
}

const struct ft_violation *ft_protocol_violation(const struct ft_protocol *p, uint32_t number)
{
    if (number < p->violation_count)
        return &p->violations[number];
    if (number >= FT_VIOLATION_COMMON && number < FT_VIOLATION_COMMON_END)
        return &common_violations[number - FT_VIOLATION_COMMON];
    return &common_violations[0];
}
