/* SPDX-License-Identifier: BSD-3-Clause */
/* The section `journal` of the configuration. */
#include "config/journal.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

enum kind {
    LONG,
    NUMBER,
    FOLDER,
    SYNC
};

/* A key of the section, or of a class. */
struct key {
    const char *name;
    enum kind kind;
    uint64_t low, high;
    size_t offset; /* in struct ft_config_journal; of keys of classes in one of `classes` */
    bool may_be_zero;
    const char *values, *title;
};

#define AT(member)       offsetof(struct ft_config_journal, member)
#define OF_CLASS(member) (AT(classes[0].member) - AT(classes[0]))

/* A class has eight segments of the longest lines at least, the total as much for each class. */
/* clang-format off */
static const struct key keys[] = {
    {"folder", FOLDER, 1, 4000, AT(folder), false, "text of 1 to 4000",
     "where the journal is kept; made if it is not there; for one sensor alone"},
    {"total_bytes", LONG, 16 * MIB, 1024 * 1024 * GIB, AT(total_bytes), true, "0, or 16777216 to 1125899906842624",
     "of all its files; beyond, the oldest of the least important goes; 0: the sum of the classes"},
    {"segment_bytes", NUMBER, 256 << 10, GIB, AT(segment_bytes), false, "262144 to 1073741824",
     "of one file before the next is begun and it is compressed"},
    {"memory_bytes", LONG, 4 * MIB, 16 * GIB, AT(memory_bytes), false, "4194304 to 17179869184",
     "of memory for what the disk does not take; then the least important is given up"},
};
static const struct key class_keys[] = {
    {"max_bytes", LONG, 4 * MIB, 1024 * 1024 * GIB, OF_CLASS(max_bytes), false, "4194304 to 1125899906842624",
     "of files of the class"},
    {"max_days", NUMBER, 1, 36500, OF_CLASS(max_days), false, "1 to 36500",
     "days that a file of the class is kept"},
    {"sync", SYNC, 1, 60000, OF_CLASS(sync_ms), false, "1 to 60000 or \"every\"",
     "milliseconds within which lines are on disk for sure; outputs get what is; \"every\": each at "
     "once"},
};
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const classes[FT_CONFIG_JOURNAL_CLASSES] = {"alert", "inventory", "flow",
                                                               "transaction"};

struct reading {
    ft_config_wrong_fn *wrong;
    void *user;
    struct ft_step path[4];
    uint32_t steps;
};

void ft_config_journal_init(struct ft_config_journal *journal)
{
    *journal = (struct ft_config_journal){
        .folder = FT_CONFIG_JOURNAL_FOLDER,
        .memory_bytes = 32 * MIB,
        .segment_bytes = 16 * MIB,
        .classes = {{256 * MIB, 90, 0, true},
                    {256 * MIB, 90, 200, false},
                    {512 * MIB, 30, 1000, false},
                    {1024 * MIB, 7, 1000, false}},
    };
}

/* "journal.classes.alert.sync: " and a sentence. */
__attribute__((format(printf, 2, 3))) static void wrong(struct reading *r, const char *format, ...)
{
    char text[512];
    size_t used = 0;
    va_list ap;
    for (uint32_t i = 0; i < r->steps && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "." : "",
                                 r->path[i].key);
    if (used < sizeof(text))
        used += (size_t)snprintf(text + used, sizeof(text) - used, ": ");
    va_start(ap, format);
    if (used < sizeof(text))
        vsnprintf(text + used, sizeof(text) - used, format, ap);
    va_end(ap);
    r->wrong(r->user, r->path, r->steps, text);
}

/* A key that is none; `offered` are those that there are. */
static void unknown(struct reading *r, const struct ft_nearest *offered)
{
    char text[512], prefix[64] = "";
    for (uint32_t i = 0; i + 1 < r->steps; i++) {
        strncat(prefix, r->path[i].key, sizeof(prefix) - strlen(prefix) - 1);
        strncat(prefix, ".", sizeof(prefix) - strlen(prefix) - 1);
    }
    const char *name = r->path[r->steps - 1].key;
    if (offered->best)
        snprintf(text, sizeof(text), "unknown key \"%s%s\"; did you mean \"%s\"?", prefix, name,
                 offered->best);
    else
        snprintf(text, sizeof(text), "unknown key \"%s%s\"; doc/configuration.md lists the keys",
                 prefix, name);
    r->wrong(r->user, r->path, r->steps, text);
}

static void set_number(struct reading *r, const struct key *k, const json_t *value, char *to)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 ||
        (!(n == 0 && k->may_be_zero) && ((uint64_t)n < k->low || (uint64_t)n > k->high)))
        wrong(r, "expected %sa whole number from %llu to %llu",
              k->kind == SYNC  ? "\"every\" or "
              : k->may_be_zero ? "0 or "
                               : "",
              (unsigned long long)k->low, (unsigned long long)k->high);
    else if (k->kind == LONG)
        *(uint64_t *)(void *)to = (uint64_t)n;
    else
        *(uint32_t *)(void *)to = (uint32_t)n;
}

static void set(struct reading *r, const struct key *k, const json_t *value, char *base)
{
    char *to = base + k->offset;
    size_t length = json_string_length(value);
    if (k->kind == FOLDER) {
        if (!json_is_string(value) || length < k->low || length > k->high)
            wrong(r, "expected a text of %llu to %llu characters", (unsigned long long)k->low,
                  (unsigned long long)k->high);
        else
            *(const char **)(void *)to = json_string_value(value);
        return;
    }
    if (k->kind == SYNC) {
        bool is_every = json_is_string(value) && strcmp(json_string_value(value), "every") == 0;
        *(bool *)(void *)(base + OF_CLASS(sync_every)) = is_every;
        if (is_every)
            return;
    }
    set_number(r, k, value, to);
}

/* The members of the section or of a class that are keys of `list`; false: the name is none. */
static bool set_one_of(struct reading *r, const struct key *list, uint32_t count, const char *name,
                       const json_t *value, char *base)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0) {
            set(r, &list[i], value, base);
            return true;
        }
    return false;
}

static bool is_object(struct reading *r, const json_t *value)
{
    if (!json_is_object(value))
        wrong(r, "expected an object {...}");
    return json_is_object(value);
}

static void read_class(struct reading *r, const json_t *value, char *base)
{
    const char *name;
    json_t *inner;
    if (!is_object(r, value))
        return;
    r->steps = 4;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        r->path[3].key = name;
        if (set_one_of(r, class_keys, COUNT(class_keys), name, inner, base))
            continue;
        struct ft_nearest n = ft_nearest_begin(name);
        for (unsigned i = 0; i < COUNT(class_keys); i++)
            ft_nearest_offer(&n, class_keys[i].name);
        unknown(r, &n);
    }
}

static void read_classes(struct reading *r, struct ft_config_journal *journal, const json_t *value)
{
    const char *name;
    json_t *inner;
    if (!is_object(r, value))
        return;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        struct ft_nearest n = ft_nearest_begin(name);
        unsigned c = 0;
        while (c < FT_CONFIG_JOURNAL_CLASSES && strcmp(classes[c], name) != 0)
            ft_nearest_offer(&n, classes[c++]);
        r->steps = 3;
        r->path[2].key = name;
        if (c < FT_CONFIG_JOURNAL_CLASSES)
            read_class(r, inner, (char *)&journal->classes[c]);
        else
            unknown(r, &n);
    }
}

void ft_config_journal_read(struct ft_config_journal *journal, const json_t *section,
                            ft_config_wrong_fn *wrong_fn, void *user)
{
    struct reading r = {.wrong = wrong_fn, .user = user, .path = {{"journal", 0}}, .steps = 1};
    const char *name;
    json_t *value;
    journal->is_given = true;
    if (!is_object(&r, section))
        return;
    json_object_foreach((json_t *)(uintptr_t)section, name, value)
    {
        r.steps = 2;
        r.path[1].key = name;
        if (strcmp(name, "classes") == 0) {
            read_classes(&r, journal, value);
        } else if (!set_one_of(&r, keys, COUNT(keys), name, value, (char *)journal)) {
            struct ft_nearest n = ft_nearest_begin(name);
            for (unsigned i = 0; i < COUNT(keys); i++)
                ft_nearest_offer(&n, keys[i].name);
            ft_nearest_offer(&n, "classes");
            unknown(&r, &n);
        }
    }
}

/* ---- reference ---- */

static void describe(FILE *to, const char *prefix, const struct key *k, const char *base)
{
    const char *at = base + k->offset;
    char name[96];
    snprintf(name, sizeof(name), "%s.%s", prefix, k->name);
    fprintf(to, "%-24s  %-20s  %s  (default ", name, k->values, k->title);
    if (k->kind == FOLDER)
        fprintf(to, "\"%s\"", *(const char *const *)(const void *)at);
    else if (k->kind == SYNC && *(const bool *)(const void *)(base + OF_CLASS(sync_every)))
        fputs("\"every\"", to);
    else if (k->kind == LONG)
        fprintf(to, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
    else
        fprintf(to, "%u", *(const uint32_t *)(const void *)at);
    fputs(")\n", to);
}

void ft_config_journal_describe(FILE *to)
{
    struct ft_config_journal journal;
    char prefix[64];
    ft_config_journal_init(&journal);
    for (unsigned i = 0; i < COUNT(keys); i++)
        describe(to, "journal", &keys[i], (const char *)&journal);
    for (unsigned c = 0; c < FT_CONFIG_JOURNAL_CLASSES; c++) {
        snprintf(prefix, sizeof(prefix), "journal.classes.%s", classes[c]);
        for (unsigned i = 0; i < COUNT(class_keys); i++)
            describe(to, prefix, &class_keys[i], (const char *)&journal.classes[c]);
    }
}
