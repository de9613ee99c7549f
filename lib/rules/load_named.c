/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: named sets of values, and tags of payloads. */
#include "rules/load_internal.h"

#include "base/hash.h"
#include "base/nearest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 63u
#define ANCHOR_MAX     255u
#define ETHERTYPE_MIN  0x600u

/* Wrong lines of one file that are told; who gives a file of another kind has a million. */
#define WRONG_LINES 100u

/* ---- names ---- */

/* A name that conditions can be written with. False: it was told. */
static bool check_name(struct ft_loader *l, uint32_t at, const char *what, const char *name)
{
    static const char characters[] =
        "0123456789_-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* from 12: letters */
    size_t n = strlen(name);
    if (n <= NAME_MAX_BYTES && strspn(name, characters) == n && strspn(name, characters + 12))
        return true;
    ft_load_wrong(l, at,
                  "%s \"%s\": a name is a letter, then letters, digits, _ or -, at most %u of them",
                  what, name, NAME_MAX_BYTES);
    return false;
}

/* ---- sets ---- */

struct set_reading {
    uint8_t type; /* enum ft_value_kind */
    bool is_typed;
    const json_t *values;
    uint32_t values_node, file_node;
    const char *file;
    struct ft_set *set;
    const char *name;
};

static const char *const *kind_words(void)
{
    static const char *words[8];
    for (int i = FT_VALUE_IP; i <= FT_VALUE_TEXT; i++)
        words[i] = ft_value_kind_name((enum ft_value_kind)i);
    return words;
}

static void read_type(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct set_reading *s = to;
    int word = ft_load_word(l, ft_load_at(l, node), "type", value, kind_words());
    s->is_typed = word >= 0;
    s->type = (uint8_t)(word >= 0 ? word : 0);
}

static void keep_values(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct set_reading *s = to;
    if (!json_is_array(value)) {
        ft_load_wrong(l, ft_load_at(l, node), "values: expected a list, such as [\"a\", \"b\"]");
        return;
    }
    s->values = value;
    s->values_node = node;
}

static void keep_file(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct set_reading *s = to;
    s->file = json_string_value(value);
    s->file_node = node;
    if (!s->file || !*s->file)
        ft_load_wrong(l, ft_load_at(l, node), "file: expected the name of a file in quotes");
}

static const struct ft_load_key set_keys[] = {
    {.name = "type", .kind = FT_LOAD_OWN, .is_required = true, .own = read_type},
    {.name = "values", .kind = FT_LOAD_OWN, .own = keep_values},
    {.name = "file", .kind = FT_LOAD_OWN, .own = keep_file},
};

static void add_values(struct ft_loader *l, struct set_reading *s)
{
    const struct ft_outline *o = &l->source->outline;
    struct ft_outline_walk w = ft_outline_walk(o, s->values, s->values_node);
    while (ft_outline_next(o, &w)) {
        char number[32], error[256];
        const char *text = json_string_value(w.value);
        if (json_is_integer(w.value) && json_integer_value(w.value) >= 0) {
            snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(w.value));
            text = number;
        }
        if (!text)
            ft_load_wrong(l, ft_load_at(l, w.node), "sets.%s: expected a text in quotes", s->name);
        else if (!ft_set_add_written(s->set, (enum ft_value_kind)s->type, text, strlen(text), error,
                                     sizeof(error)))
            ft_load_wrong(l, ft_load_at(l, w.node), "sets.%s: %s", s->name, error);
    }
}

struct file_reading {
    struct ft_loader *loader;
    const struct set_reading *set;
    const char *path;
    uint64_t wrong;
};

static void wrong_line(void *user, uint32_t line, uint32_t column, const char *text)
{
    struct file_reading *f = user;
    char where[PATH_MAX + 32];
    if (!line) {
        ft_load_wrong(f->loader, ft_load_at(f->loader, f->set->file_node), "sets.%s: %s: %s",
                      f->set->name, f->path, text);
        return;
    }
    if (f->wrong++ >= WRONG_LINES)
        return;
    snprintf(where, sizeof(where), "%s:%u:%u", f->path, line, column);
    ft_load_tell(f->loader, true, where, "%s", text);
}

/* The file of a set stands beside the rule file when its name does not begin with a slash. */
static void add_file(struct ft_loader *l, struct set_reading *s)
{
    const char *slash = strrchr(l->source->path, '/');
    int folder = *s->file == '/' || !slash ? 0 : (int)(slash + 1 - l->source->path);
    char *path = NULL;
    if (asprintf(&path, "%.*s%s", folder, l->source->path, s->file) < 0) {
        l->is_out_of_memory = true;
        return;
    }
    struct file_reading f = {.loader = l, .set = s, .path = path};
    ft_set_read(s->set, (enum ft_value_kind)s->type, path, wrong_line, &f);
    if (f.wrong > WRONG_LINES)
        ft_load_tell(l, true, path, "%llu more wrong lines",
                     (unsigned long long)(f.wrong - WRONG_LINES));
    free(path);
}

static bool is_new_set(struct ft_loader *l, uint32_t node, const char *name)
{
    const struct ft_rule_store *s = l->store;
    char where[PATH_MAX + 32];
    for (uint32_t i = 0; i < s->set_count; i++) {
        if (strcmp(s->sets[i].name, name) != 0)
            continue;
        ft_load_wrong(l, ft_load_at(l, node), "sets.%s: this set is made already: %s", name,
                      i < s->foreign_sets ? "sets of the configuration"
                                          : ft_load_said(&s->sets_said[i], where, sizeof(where)));
        return false;
    }
    return true;
}

static bool keep_set(struct ft_loader *l, uint32_t node, const struct ft_named_set *set)
{
    struct ft_rule_store *s = l->store;
    struct ft_named_set *sets = reallocarray(s->sets, s->set_count + 1, sizeof(*sets));
    if (sets)
        s->sets = sets;
    struct ft_said *said = reallocarray(s->sets_said, s->set_count + 1, sizeof(*said));
    if (said)
        s->sets_said = said;
    if (!sets || !said)
        return false;
    s->sets[s->set_count] = *set;
    s->sets_said[s->set_count++] = ft_load_say(l, node);
    return true;
}

/* A set with errors is kept with what is right: else each rule that names it would be an error. */
static void read_set(struct ft_loader *l, const char *key, const json_t *value, uint32_t node)
{
    char what[NAME_MAX_BYTES + 16];
    uint64_t errors = l->errors;
    if (!check_name(l, ft_load_at(l, node), "set", key) || !is_new_set(l, node, key))
        return;
    const char *name = ft_load_keep(l, strdup(key));
    struct set_reading s = {.name = name};
    snprintf(what, sizeof(what), "sets.%s", name);
    bool ok =
        ft_load_object(l, what, set_keys, sizeof(set_keys) / sizeof(set_keys[0]), value, node, &s);
    if (ok && !s.values && !s.file)
        ft_load_wrong(l, ft_load_at(l, node), "%s needs the key \"values\" or \"file\"", what);
    if (!s.is_typed)
        return;
    s.set = ft_set_new(ft_value_set_kind((enum ft_value_kind)s.type));
    if (s.set && s.values)
        add_values(l, &s);
    if (s.set && s.file && *s.file)
        add_file(l, &s);
    struct ft_named_set named = {.name = name,
                                 .kind = (enum ft_value_kind)s.type,
                                 .set = s.set,
                                 .is_broken = l->errors != errors};
    if (!s.set || !ft_set_close(s.set) || !keep_set(l, node, &named)) {
        ft_set_free(s.set);
        l->is_out_of_memory = true;
    }
}

void ft_load_sets(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const struct ft_outline *o = &l->source->outline;
    (void)to;
    if (!json_is_object(value)) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "sets: expected an object of sets by their names: {\"name\": {...}}");
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(o, value, node);
    while (ft_outline_next(o, &w)) {
        uint64_t errors = l->errors;
        if (w.is_twice)
            ft_load_wrong(l, ft_load_at(l, w.again), "sets has the key \"%s\" twice", w.key);
        else
            read_set(l, w.key, w.value, w.node);
        l->files->broken += l->errors != errors;
    }
}

uint64_t ft_load_set_hash(const struct ft_set *set)
{
    uint64_t hash = ft_set_kind_of(set), low, high, sum = 0;
    struct ft_set_address from, to;
    const char *text;
    size_t length;
    for (uint32_t i = 0; ft_set_numbers_at(set, i, &low, &high); i++)
        hash = ft_hash_mix(ft_hash_mix(hash, low), high);
    for (uint32_t i = 0; ft_set_addresses_at(set, i, &from, &to); i++) {
        hash = ft_hash_mix(ft_hash_mix(hash, from.high), from.low);
        hash = ft_hash_mix(ft_hash_mix(hash, to.high), to.low);
    }
    for (uint32_t i = 0; ft_set_text_at(set, i, &text, &length); i++)
        sum += ft_hash_bytes(1, text, length); /* they come in no order */
    return ft_hash_mix(hash, sum);
}

/* ---- tags ---- */

static const char *const transport_words[] = {"ethernet", "udp", "tcp", NULL};
static const uint8_t transports[] = {FT_TRANSPORT_L2, FT_TRANSPORT_UDP, FT_TRANSPORT_TCP};
static const char *const endian_words[] = {"big", "little", NULL};

static const char *const type_words[] = {"uint8", "uint16", "uint32", "uint64", "int8", "int16",
                                         "int32", "int64",  "float",  "double", "ip",   "ipv6",
                                         "mac",   "text",   "bytes",  NULL};
static const struct tag_type {
    uint8_t type, length; /* 0 bytes: "length" says how many */
} tag_types[] = {
    {FT_VALUE_TYPE_UINT, 1},  {FT_VALUE_TYPE_UINT, 2},    {FT_VALUE_TYPE_UINT, 4},
    {FT_VALUE_TYPE_UINT, 8},  {FT_VALUE_TYPE_INT, 1},     {FT_VALUE_TYPE_INT, 2},
    {FT_VALUE_TYPE_INT, 4},   {FT_VALUE_TYPE_INT, 8},     {FT_VALUE_TYPE_FLOAT, 4},
    {FT_VALUE_TYPE_FLOAT, 8}, {FT_VALUE_TYPE_ADDRESS, 4}, {FT_VALUE_TYPE_ADDRESS, 16},
    {FT_VALUE_TYPE_MAC, 6},   {FT_VALUE_TYPE_TEXT, 0},    {FT_VALUE_TYPE_BYTES, 0},
};
_Static_assert(sizeof(tag_types) / sizeof(tag_types[0]) + 1 ==
                   sizeof(type_words) / sizeof(type_words[0]),
               "each type of a tag has its row");

#define NO_TYPE UINT8_MAX

struct tag_reading {
    const char *name, *anchor;
    uint8_t transport, type, endian;
    uint32_t port, ethertype, length, anchor_length;
    int32_t offset;
    bool has_anchor, is_broken;
    uint32_t name_node;
};

static struct tag_reading *tag_of(void *to)
{
    return to;
}

static void read_name(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const char *name = json_string_value(value);
    tag_of(to)->name_node = node;
    if (!name)
        ft_load_wrong(l, ft_load_at(l, node), "name: expected a text in quotes");
    else if (check_name(l, ft_load_at(l, node), "tag", name))
        tag_of(to)->name = name;
}

static void read_ethertype(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    long long n = json_integer_value(value);
    if (text && strlen(text) > 2 && (text[1] == 'x' || text[1] == 'X'))
        n = strtoll(text, &end, 16);
    if ((!json_is_integer(value) && (!end || *end || *text != '0')) || n < ETHERTYPE_MIN ||
        n > 0xffff)
        ft_load_wrong(
            l, ft_load_at(l, node),
            "ethertype: expected \"0x88b8\" in quotes or a number, from 0x0600 to 0xffff");
    else
        tag_of(to)->ethertype = (uint32_t)n;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Keep the bytes of an anchor. */
static void use_anchor(struct ft_loader *l, uint32_t at, struct tag_reading *t, char *bytes,
                       size_t length)
{
    if (t->has_anchor || !length || length > ANCHOR_MAX)
        ft_load_wrong(l, at,
                      t->has_anchor ? "anchor and anchor_hex: one of both"
                                    : "an anchor has 1 to %u bytes",
                      ANCHOR_MAX);
    t->has_anchor = true;
    t->anchor = ft_load_keep(l, bytes);
    t->anchor_length = (uint32_t)length;
}

/* A text with \xHH and \\. */
static void read_anchor(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const char *text = json_string_value(value), *p = text;
    char *bytes = text ? malloc(strlen(text) + 1) : NULL, *next = bytes;
    if (!text) {
        ft_load_wrong(l, ft_load_at(l, node), "anchor: expected a text in quotes");
        return;
    }
    while (bytes && *p) {
        bool is_hex = p[0] == '\\' && p[1] == 'x' && hex(p[2]) >= 0 && hex(p[3]) >= 0;
        if (is_hex) {
            *next++ = (char)(hex(p[2]) << 4 | hex(p[3]));
            p += 4;
        } else if (p[0] == '\\' && p[1] != '\\') {
            ft_load_wrong(
                l, ft_outline_inside(&l->source->outline, node, (uint32_t)(p - text)),
                "anchor: \\ begins \\xHH (written \"\\\\xHH\" in JSON) or is written twice");
            p++;
        } else {
            p += *p == '\\';
            *next++ = *p++;
        }
    }
    use_anchor(l, ft_load_at(l, node), to, bytes, (size_t)(next - bytes));
}

static void read_anchor_hex(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const char *text = json_string_value(value);
    size_t n = text ? strlen(text) : 0;
    char *bytes = malloc(n / 2 + 1);
    bool ok = text && n % 2 == 0;
    for (size_t i = 0; ok && bytes && i < n; i += 2) {
        ok = hex(text[i]) >= 0 && hex(text[i + 1]) >= 0;
        bytes[i / 2] = (char)(hex(text[i]) << 4 | hex(text[i + 1]));
    }
    if (ok) {
        use_anchor(l, ft_load_at(l, node), to, bytes, n / 2);
        return;
    }
    free(bytes);
    ft_load_wrong(l, ft_load_at(l, node),
                  "anchor_hex: expected pairs of hexadecimal digits, such as \"4c564c\"");
}

#define AT(member) offsetof(struct tag_reading, member)

static const struct ft_load_key tag_keys[] = {
    {.name = "name", .kind = FT_LOAD_OWN, .is_required = true, .own = read_name},
    {"transport", FT_LOAD_WORD, true, 0, 0, AT(transport), transport_words, NULL},
    {"port", FT_LOAD_NUMBER, false, 1, 65535, AT(port), NULL, NULL},
    {.name = "ethertype", .kind = FT_LOAD_OWN, .own = read_ethertype},
    {"offset", FT_LOAD_SIGNED, false, 0, 65535, AT(offset), NULL, NULL},
    {.name = "anchor", .kind = FT_LOAD_OWN, .own = read_anchor},
    {.name = "anchor_hex", .kind = FT_LOAD_OWN, .own = read_anchor_hex},
    {"type", FT_LOAD_WORD, true, 0, 0, AT(type), type_words, NULL},
    {"length", FT_LOAD_NUMBER, false, 1, 65535, AT(length), NULL, NULL},
    {"endian", FT_LOAD_WORD, false, 0, 0, AT(endian), endian_words, NULL},
};

/* What the keys of a tag must be to each other. */
static void check_tag(struct ft_loader *l, uint32_t at, const struct tag_reading *t)
{
    bool is_ethernet = transports[t->transport] == FT_TRANSPORT_L2;
    uint32_t length = tag_types[t->type].length;
    if (is_ethernet && !t->ethertype)
        ft_load_wrong(l, at, "tag %s needs the key \"ethertype\"", t->name);
    if (!is_ethernet && !t->port)
        ft_load_wrong(l, at, "tag %s needs the key \"port\"", t->name);
    if (is_ethernet ? t->port : t->ethertype)
        ft_load_wrong(l, at, "tag %s: over %s there is no %s", t->name,
                      transport_words[t->transport], is_ethernet ? "port" : "ethertype");
    if (!length && !t->length)
        ft_load_wrong(l, at, "tag %s needs the key \"length\": bytes of the %s", t->name,
                      type_words[t->type]);
    if (length && t->length && t->length != length)
        ft_load_wrong(l, at, "tag %s: length: a value of type %s has %u bytes, not %u", t->name,
                      type_words[t->type], length, t->length);
    if (t->offset < 0 && !t->has_anchor)
        ft_load_wrong(l, at,
                      "tag %s: offset: before the start there is nothing; without an anchor "
                      "it is 0 or more",
                      t->name);
}

static bool is_new_tag(struct ft_loader *l, const struct tag_reading *t)
{
    const struct ft_rule_store *s = l->store;
    char where[PATH_MAX + 32];
    for (uint32_t i = 0; i < s->tag_count; i++) {
        if (strcmp(s->tags[i].name, t->name) != 0)
            continue;
        ft_load_wrong(l, ft_load_at(l, t->name_node), "name: this tag is made already: %s",
                      ft_load_said(&s->tags_said[i], where, sizeof(where)));
        return false;
    }
    if (s->tag_count == FT_MAX_TAGS)
        ft_load_wrong(l, ft_load_at(l, t->name_node), "tags: at most %u", FT_MAX_TAGS);
    return s->tag_count < FT_MAX_TAGS;
}

static void keep_tag(struct ft_loader *l, const struct tag_reading *t)
{
    struct ft_rule_store *s = l->store;
    const struct tag_type *type = &tag_types[t->type];
    bool is_ethernet = transports[t->transport] == FT_TRANSPORT_L2;
    if (!s->tags)
        s->tags = calloc(FT_MAX_TAGS, sizeof(*s->tags));
    if (!s->tags_said)
        s->tags_said = calloc(FT_MAX_TAGS, sizeof(*s->tags_said));
    if (!s->tags || !s->tags_said) {
        l->is_out_of_memory = true;
        return;
    }
    s->tags_said[s->tag_count] = ft_load_say(l, t->name_node);
    s->tags[s->tag_count++] =
        (struct ft_tag){.name = t->name,
                        .transport = transports[t->transport],
                        .port = (uint16_t)(is_ethernet ? t->ethertype : t->port),
                        .anchor = t->anchor,
                        .anchor_length = t->anchor_length,
                        .offset = t->offset,
                        .length = type->length ? type->length : t->length,
                        .type = type->type,
                        .is_little = t->endian == 1,
                        .is_broken = t->is_broken};
}

static void read_tag(struct ft_loader *l, const json_t *value, uint32_t node)
{
    struct tag_reading t = {.type = NO_TYPE};
    uint64_t errors = l->errors;
    bool ok = ft_load_object(l, "a tag", tag_keys, sizeof(tag_keys) / sizeof(tag_keys[0]), value,
                             node, &t);
    if (ok)
        check_tag(l, ft_load_at(l, node), &t);
    t.is_broken = l->errors != errors;
    /* A tag with errors is kept: else each rule that names it would be an error, too. */
    if (t.name && t.type != NO_TYPE && is_new_tag(l, &t))
        keep_tag(l, &t);
    l->files->broken += l->errors != errors;
}

void ft_load_tags(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const struct ft_outline *o = &l->source->outline;
    (void)to;
    if (!json_is_array(value)) {
        ft_load_wrong(l, ft_load_at(l, node), "tags: expected a list of tags: [{...}, {...}]");
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(o, value, node);
    while (ft_outline_next(o, &w))
        read_tag(l, w.value, w.node);
}
