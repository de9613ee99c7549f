/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time zones: how far local time is ahead of UTC, from the files of the time zone database (TZif,
 * RFC 8536).
 *
 * The C library knows one zone at a time, that of the environment. Here every change from 1970
 * until nanoseconds end (2554) is worked out when a zone is made, so that a look-up is a binary
 * search.
 */
#include "base/time_zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fieldtap/view.h>

#include "base/nearest.h"
#include "base/time_rule.h"

#define DATABASE   "/usr/share/zoneinfo"
#define FILE_MAX   (256u << 10) /* the greatest of the database has 4 KiB */
#define NAME_SIZE  64u
#define LAST_YEAR  2554        /* 2^64 ns after 1970 */
#define OFFSET_MAX (14 * 3600) /* Kiritimati; what is written by hand */

/* From a moment on, local time is `offset_s` ahead. */
struct change {
    int64_t at_s;
    int32_t offset_s;
};

struct ft_time_zone {
    uint32_t count; /* at least one, which is before all times */
    struct change changes[];
};

int32_t ft_time_zone_offset(const struct ft_time_zone *zone, uint64_t time_ns)
{
    int64_t time_s = (int64_t)(time_ns / 1000000000u);
    const struct change *at = zone->changes;
    for (uint32_t left = zone->count; left > 1; left -= left / 2)
        at += at[left / 2].at_s <= time_s ? left / 2 : 0;
    return at->offset_s;
}

void ft_time_zone_free(struct ft_time_zone *zone)
{
    free(zone);
}

static struct ft_time_zone *zone_with_room(uint32_t changes, int32_t offset_s)
{
    struct ft_time_zone *zone = malloc(sizeof(*zone) + changes * sizeof(zone->changes[0]));
    if (!zone)
        return NULL;
    zone->count = 1;
    zone->changes[0] = (struct change){.at_s = INT64_MIN, .offset_s = offset_s};
    return zone;
}

/* Changes come in order. What changes only the name of local time is left out; of two at the same
 * moment (a rule whose daylight saving time never ends) the second counts. */
static void add_change(struct ft_time_zone *zone, int64_t at_s, int32_t offset_s)
{
    if (zone->count > 1 && zone->changes[zone->count - 1].at_s == at_s)
        zone->count--;
    if (zone->changes[zone->count - 1].offset_s != offset_s)
        zone->changes[zone->count++] = (struct change){.at_s = at_s, .offset_s = offset_s};
}

/* ---- the file ---- */

/* The parts of a data block, RFC 8536 section 3.2. */
struct block {
    uint32_t utc_flags, standard_flags, leaps, times, types, characters; /* counts, section 3.1 */
    struct ft_view time, type_of_time, type;
};

/* Read a header and the block behind it; `wide`: bytes of a time, 4 or 8. */
static bool read_block(struct ft_view *v, uint32_t wide, struct block *b)
{
    const uint8_t *head = ft_view_take(v, 5);
    if (!head || memcmp(head, "TZif", 4) || head[4] < '2') /* version 1 ends in the year 2038 */
        return false;
    ft_skip(v, 15);
    b->utc_flags = ft_u32be(v);
    b->standard_flags = ft_u32be(v);
    b->leaps = ft_u32be(v);
    b->times = ft_u32be(v);
    b->types = ft_u32be(v);
    b->characters = ft_u32be(v);
    if (b->utc_flags > FILE_MAX || b->standard_flags > FILE_MAX || b->leaps > FILE_MAX ||
        b->times > FILE_MAX || b->types > 256 || b->characters > FILE_MAX)
        return false;
    b->time = ft_view_make(ft_view_take(v, b->times * wide), b->times * wide, false);
    b->type_of_time = ft_view_make(ft_view_take(v, b->times), b->times, false);
    b->type = ft_view_make(ft_view_take(v, b->types * 6), b->types * 6, false);
    ft_skip(v, b->characters + b->leaps * (wide + 4) + b->standard_flags + b->utc_flags);
    return ft_view_ok(v);
}

/* The rule at the end, section 3.3: a line of its own. None is right, too: nothing changes then. */
static bool read_footer(struct ft_view *v, struct ft_time_rule *rule, bool *has_rule)
{
    *has_rule = false;
    if (ft_u8(v) != '\n' || !ft_view_ok(v))
        return false;
    const char *text = (const char *)v->data, *end = memchr(text, '\n', v->len);
    if (!end)
        return false;
    *has_rule = end > text;
    return !*has_rule || ft_time_rule_parse(rule, text, (size_t)(end - text));
}

static bool read_offsets(struct block *b, int32_t offsets[256])
{
    for (uint32_t i = 0; i < b->types; i++) {
        offsets[i] = (int32_t)ft_u32be(&b->type);
        ft_skip(&b->type, 2);
        if (offsets[i] <= -25 * 3600 || offsets[i] >= 26 * 3600) /* section 3.2 */
            return false;
    }
    return b->types != 0;
}

static bool add_written_changes(struct ft_time_zone *zone, struct block *b, const int32_t *offsets,
                                int64_t *last)
{
    *last = INT64_MIN;
    for (uint32_t i = 0; i < b->times; i++) {
        int64_t at = (int64_t)ft_u64be(&b->time);
        uint8_t type = ft_u8(&b->type_of_time);
        if (type >= b->types || (i && at <= *last))
            return false;
        add_change(zone, at, offsets[type]);
        *last = at;
    }
    return true;
}

/* Changes by the rule, behind the last that is written. */
static void add_ruled_changes(struct ft_time_zone *zone, const struct ft_time_rule *rule,
                              int64_t last)
{
    if (!rule->has_saving)
        return; /* what is written ended with it */
    /* From the year before 1970, so that what it ends with holds on the first of January. */
    for (int32_t year = 1969; year <= LAST_YEAR; year++) {
        struct change start = {ft_time_rule_at(&rule->start, year, rule->standard_s),
                               rule->saving_s};
        struct change end = {ft_time_rule_at(&rule->end, year, rule->saving_s), rule->standard_s};
        bool is_south = end.at_s < start.at_s;
        struct change changes[] = {is_south ? end : start, is_south ? start : end};
        for (uint32_t i = 0; i < 2; i++)
            if (changes[i].at_s > last)
                add_change(zone, changes[i].at_s, changes[i].offset_s);
    }
}

struct ft_time_zone *ft_time_zone_read(const void *bytes, size_t length)
{
    struct block b;
    struct ft_time_rule rule;
    int32_t offsets[256];
    int64_t last;
    bool has_rule;
    struct ft_view v = ft_view_make(bytes, length > FILE_MAX ? 0 : (uint32_t)length, false);
    /* Leap seconds are counted by the zones "right/...", but not by the time of packets. */
    if (!read_block(&v, 4, &b) || !read_block(&v, 8, &b) || b.leaps ||
        !read_footer(&v, &rule, &has_rule) || !read_offsets(&b, offsets))
        return NULL;
    struct ft_time_zone *zone =
        zone_with_room(b.times + 2 * (LAST_YEAR - 1969 + 1) + 1, offsets[0]);
    if (!zone || !add_written_changes(zone, &b, offsets, &last)) {
        free(zone);
        return NULL;
    }
    if (has_rule)
        add_ruled_changes(zone, &rule, last);
    struct ft_time_zone *fitted =
        realloc(zone, sizeof(*zone) + zone->count * sizeof(zone->changes[0]));
    return fitted ? fitted : zone;
}

/* ---- names ---- */

static bool two_digits(const char **text, int32_t *number)
{
    const char *t = *text;
    if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
        return false;
    *number = (t[0] - '0') * 10 + t[1] - '0';
    *text = t + 2;
    return true;
}

/* "+05:45", "-0330", "+01" */
static bool read_offset(const char *text, int32_t *offset_s)
{
    int32_t hours, minutes = 0;
    bool is_negative = *text++ == '-';
    if (!two_digits(&text, &hours))
        return false;
    if (*text) {
        text += *text == ':';
        if (!two_digits(&text, &minutes))
            return false;
    }
    *offset_s = (hours * 3600 + minutes * 60) * (is_negative ? -1 : 1);
    return !*text && minutes < 60 && abs(*offset_s) <= OFFSET_MAX;
}

/* No dot: neither "../" nor a file that is no zone. */
static bool is_name(const char *name)
{
    static const char LETTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t length = strlen(name);
    return length && length < NAME_SIZE && strspn(name, LETTERS) == length && name[0] != '/';
}

/* The name that was meant, by the list of all that the database has: lines "Z name ..." of zones
 * and "L zone name" of further names. Who gives only the city is understood. */
static bool find_nearest(const char *name, char found[NAME_SIZE])
{
    char *line = NULL, known[NAME_SIZE];
    size_t size = 0;
    struct ft_nearest nearest = ft_nearest_begin(name);
    FILE *list = fopen(DATABASE "/tzdata.zi", "re");
    *found = 0;
    while (list && getline(&line, &size, list) > 0) {
        if (sscanf(line, "Z %63s", known) != 1 && sscanf(line, "L %*s %63s", known) != 1)
            continue;
        const char *city = strrchr(known, '/');
        nearest.best = NULL;
        ft_nearest_offer(&nearest, known);
        if (city)
            ft_nearest_offer(&nearest, city + 1);
        if (nearest.best)
            memcpy(found, known, sizeof(known));
    }
    free(line);
    if (list)
        fclose(list);
    return *found;
}

static struct ft_time_zone *load(const char *name)
{
    char path[sizeof(DATABASE) + NAME_SIZE];
    struct ft_time_zone *zone = NULL;
    struct stat about;
    snprintf(path, sizeof(path), DATABASE "/%s", name);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return NULL;
    if (!fstat(file, &about) && S_ISREG(about.st_mode) && about.st_size <= FILE_MAX) {
        size_t size = (size_t)about.st_size;
        void *bytes = malloc(size + 1);
        if (bytes && read(file, bytes, size) == about.st_size)
            zone = ft_time_zone_read(bytes, size);
        free(bytes);
    }
    close(file);
    return zone;
}

struct ft_time_zone *ft_time_zone_new(const char *name, char *error, size_t error_size)
{
    int32_t offset_s = 0;
    char nearest[NAME_SIZE];
    struct ft_time_zone *zone = NULL;
    bool is_offset = *name == '+' || *name == '-';
    if (is_offset && !read_offset(name, &offset_s)) {
        snprintf(error, error_size,
                 "an offset from UTC is written as +01:00, from -14:00 to +14:00");
    } else if (is_offset || !strcmp(name, "UTC")) {
        if (!(zone = zone_with_room(1, offset_s)))
            snprintf(error, error_size, "memory is short");
    } else if (!is_name(name)) {
        snprintf(error, error_size, "a time zone is written as Europe/Berlin, UTC or +01:00");
    } else if (!(zone = load(name))) {
        if (access(DATABASE, R_OK))
            snprintf(error, error_size,
                     "this system has no time zones in " DATABASE
                     " (package tzdata); UTC and +01:00 can be used");
        else if (find_nearest(name, nearest) && strcmp(name, nearest))
            snprintf(error, error_size, "no time zone is named \"%s\"; did you mean \"%s\"?", name,
                     nearest);
        else
            snprintf(error, error_size,
                     "no time zone is named \"%s\"; written as Europe/Berlin, UTC or +01:00", name);
    }
    return zone;
}
