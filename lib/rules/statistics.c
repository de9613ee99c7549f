/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics of rules. */
#include "rules/statistics.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDS     (FT_RULE_ID_LAST - FT_RULE_ID_BUILT_IN + 1)
#define DAYS    FT_RULE_STATISTICS_DAYS
#define DAY_S   86400u
#define DAY_NS  (DAY_S * 1000000000ull)
#define VERSION 1

/* What the alerting loop writes: words, so that another thread can copy them one by one. */
#define HIT_WORDS (offsetof(struct ft_rule_statistic, run) / sizeof(uint64_t))

_Static_assert(offsetof(struct ft_rule_statistic, run) % sizeof(uint64_t) == 0, "whole words");

struct record {
    uint32_t serial;             /* of `is`: odd while it is being written */
    struct ft_rule_statistic is; /* only what is said of hits: the rest is worked out */
    /* All else is of the thread that writes the file. */
    struct ft_rule_counts before, over, now; /* of earlier runs; of rule sets gone; of this one */
    char *title;                             /* NULL: not known */
    uint32_t id, revision;
    uint64_t deleted_ns, modified_ns;
    bool is_told; /* it is in the file that is being written */
};

struct ft_rule_statistics {
    struct record **records; /* by id - FT_RULE_ID_BUILT_IN; NULL: nothing is known */
};

struct ft_rule_statistics *ft_rule_statistics_new(void)
{
    struct ft_rule_statistics *st = calloc(1, sizeof(*st));
    if (!st)
        return NULL;
    st->records = calloc(IDS, sizeof(struct record *)); /* touched where there are rules only */
    if (st->records)
        return st;
    free(st);
    return NULL;
}

static void forget_all(struct ft_rule_statistics *st)
{
    for (uint32_t i = 0; i < IDS; i++) {
        if (st->records[i])
            free(st->records[i]->title);
        free(st->records[i]);
        st->records[i] = NULL;
    }
}

void ft_rule_statistics_free(struct ft_rule_statistics *st)
{
    if (!st)
        return;
    forget_all(st);
    free(st->records);
    free(st);
}

/* NULL: nothing is known. */
static struct record *known(const struct ft_rule_statistics *st, uint32_t i)
{
    return __atomic_load_n(&st->records[i], __ATOMIC_ACQUIRE);
}

/* NULL: no such id, or no memory. Either thread may be the first to need it. */
static struct record *record_of(struct ft_rule_statistics *st, uint32_t id)
{
    if (id < FT_RULE_ID_BUILT_IN || id > FT_RULE_ID_LAST)
        return NULL;
    struct record *r = known(st, id - FT_RULE_ID_BUILT_IN), *made;
    if (r || !(made = calloc(1, sizeof(*made))))
        return r;
    made->id = id;
    if (__atomic_compare_exchange_n(&st->records[id - FT_RULE_ID_BUILT_IN], &r, made, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    free(made);
    return r;
}

/* ---- hits, from one thread to another ---- */

/* By the thread that counts, which alone writes: what it reads is as it left it. */
static void publish(struct record *r, const struct ft_rule_statistic *s)
{
    uint64_t *to = (uint64_t *)(void *)&r->is;
    const uint64_t *from = (const uint64_t *)(const void *)s;
    uint32_t serial = r->serial;
    __atomic_store_n(&r->serial, serial + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* nobody sees the words before the odd number */
    for (unsigned i = 0; i < HIT_WORDS; i++)
        __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
    __atomic_store_n(&r->serial, serial + 2, __ATOMIC_RELEASE);
}

/* By any thread: as they were at one moment. Between two hits there is time enough. */
static void take(struct ft_rule_statistic *s, const struct record *r)
{
    const uint64_t *from = (const uint64_t *)(const void *)&r->is;
    uint64_t *to = (uint64_t *)(void *)s;
    for (;; sched_yield()) {
        uint32_t serial = __atomic_load_n(&r->serial, __ATOMIC_ACQUIRE);
        for (unsigned i = 0; i < HIT_WORDS; i++)
            to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(serial & 1) && __atomic_load_n(&r->serial, __ATOMIC_RELAXED) == serial)
            return;
    }
}

/* ---- days ---- */

static uint64_t newest_day(const struct ft_rule_statistic *s)
{
    return s->day_count ? s->days[s->day_count - 1].day : 0;
}

/* Forget the days that are too long before the newest. */
static void drop_old(struct ft_rule_statistic *s)
{
    uint64_t old = 0;
    while (s->days[old].day + DAYS <= newest_day(s))
        old++;
    s->day_count -= old;
    memmove(s->days, s->days + old, s->day_count * sizeof(s->days[0]));
}

static void add_day(struct ft_rule_statistic *s, uint64_t day, uint64_t hits)
{
    uint64_t at = s->day_count;
    while (at && s->days[at - 1].day > day)
        at--;
    if (at && s->days[at - 1].day == day) {
        s->days[at - 1].hits += hits;
        return;
    }
    if (day + DAYS <= newest_day(s))
        return;
    if (s->day_count == DAYS) { /* so the new day is the newest, and the first is too old */
        memmove(s->days, s->days + 1, (DAYS - 1) * sizeof(s->days[0]));
        s->day_count--;
        at--;
    }
    memmove(&s->days[at + 1], &s->days[at], (s->day_count - at) * sizeof(s->days[0]));
    s->days[at].day = day;
    s->days[at].hits = hits;
    s->day_count++;
    drop_old(s);
}

/* ---- counting ---- */

void ft_rule_statistics_hit(struct ft_rule_statistics *st, uint32_t id, uint64_t time_ns,
                            uint64_t times)
{
    struct record *r = record_of(st, id);
    if (!r)
        return;
    struct ft_rule_statistic s = r->is;
    s.hits += times;
    s.last_ns = time_ns > s.last_ns ? time_ns : s.last_ns;
    add_day(&s, time_ns / DAY_NS, times);
    publish(r, &s);
}

void ft_rule_statistics_begin(struct ft_rule_statistics *st)
{
    for (uint32_t i = 0; i < IDS; i++) {
        struct record *r = known(st, i);
        if (r)
            memset(&r->now, 0, sizeof(r->now));
    }
}

/* Of a worker that may be at work. */
static uint64_t look(const uint64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void add_counts(struct ft_rule_counts *to, const struct ft_rule_counts *from)
{
    to->evaluations += look(&from->evaluations);
    to->hits += look(&from->hits);
    to->cycles += look(&from->cycles);
    to->timed += look(&from->timed);
    to->lost += look(&from->lost);
}

void ft_rule_statistics_counts(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                               const struct ft_matcher *m, bool is_over)
{
    const struct ft_rule_counts *counts = ft_matcher_counts(m);
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        struct record *r = record_of(st, ft_ruleset_rule(set, i)->id);
        if (r)
            add_counts(is_over ? &r->over : &r->now, &counts[i]);
    }
}

static void copy(struct ft_rule_statistic *to, const struct record *r)
{
    take(to, r);
    to->run = r->over;
    add_counts(&to->run, &r->now);
    to->ever = r->before;
    add_counts(&to->ever, &to->run);
    to->deleted_ns = r->deleted_ns;
}

bool ft_rule_statistics_of(struct ft_rule_statistics *st, uint32_t id, struct ft_rule_statistic *to)
{
    if (id < FT_RULE_ID_BUILT_IN || id > FT_RULE_ID_LAST)
        return false;
    const struct record *r = known(st, id - FT_RULE_ID_BUILT_IN);
    if (r)
        copy(to, r);
    return r != NULL;
}

/* ---- reading ---- */

/* "2026-11-22" */
static bool read_day(const char *text, uint32_t *day)
{
    struct tm t = {0};
    const char *end = strptime(text, "%Y-%m-%d", &t);
    time_t seconds = end && !*end ? timegm(&t) : -1;
    *day = (uint32_t)(seconds / DAY_S);
    return seconds >= 0;
}

/* As ft_json_time() writes it. */
static bool read_time(const char *text, uint64_t *ns)
{
    struct tm t = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &t);
    unsigned us = 0;
    int used = 0;
    time_t seconds = end ? timegm(&t) : -1;
    if (seconds < 0 || sscanf(end, ".%6u+0000%n", &us, &used) != 1 || !used || end[used])
        return false;
    *ns = (uint64_t)seconds * 1000000000u + us * 1000ull;
    return true;
}

static bool read_count(const json_t *value, uint64_t *to)
{
    json_int_t n = json_integer_value(value);
    *to = (uint64_t)n;
    return json_is_integer(value) && n >= 0;
}

static bool read_days(struct ft_rule_statistic *s, json_t *days)
{
    const char *key;
    json_t *value;
    if (!json_is_object(days) || json_object_size(days) > DAYS)
        return false;
    json_object_foreach(days, key, value)
    {
        uint32_t day;
        uint64_t hits;
        if (!read_day(key, &day) || !read_count(value, &hits))
            return false;
        add_day(s, day, hits);
    }
    return true;
}

/* What earlier runs counted; files of former versions do not say it. */
static bool read_counts(const json_t *value, struct ft_rule_counts *to)
{
    return !value || (read_count(json_object_get(value, "hits"), &to->hits) &&
                      read_count(json_object_get(value, "lost"), &to->lost) &&
                      read_count(json_object_get(value, "evaluations"), &to->evaluations) &&
                      read_count(json_object_get(value, "timed"), &to->timed) &&
                      read_count(json_object_get(value, "cycles"), &to->cycles));
}

/* What a rule is called that may not be there any more. */
static bool read_name(const json_t *value, struct record *r)
{
    const json_t *title = json_object_get(value, "title");
    const json_t *deleted = json_object_get(value, "deleted");
    const json_t *revision = json_object_get(value, "revision");
    uint64_t n = 0;
    if ((title && !json_is_string(title)) || (revision && !read_count(revision, &n)) ||
        (deleted &&
         !(json_is_string(deleted) && read_time(json_string_value(deleted), &r->deleted_ns))))
        return false;
    r->revision = (uint32_t)n;
    r->title = title ? strdup(json_string_value(title)) : NULL;
    return r->title || !title;
}

static bool read_rule(struct ft_rule_statistics *st, const json_t *value)
{
    const json_t *last = json_object_get(value, "last_hit");
    uint64_t id;
    if (!read_count(json_object_get(value, "id"), &id) || id > FT_RULE_ID_LAST)
        return false;
    struct record *r = record_of(st, (uint32_t)id);
    return r && !r->is.hits && !r->title && read_name(value, r) &&
           read_counts(json_object_get(value, "ever"), &r->before) &&
           read_count(json_object_get(value, "hits"), &r->is.hits) &&
           (json_is_null(last) ||
            (json_is_string(last) && read_time(json_string_value(last), &r->is.last_ns))) &&
           read_days(&r->is, json_object_get(value, "days"));
}

static bool read_all(struct ft_rule_statistics *st, const json_t *file)
{
    const json_t *rules = json_object_get(file, "rules");
    bool ok =
        json_is_array(rules) && json_integer_value(json_object_get(file, "version")) == VERSION;
    for (size_t i = 0; ok && i < json_array_size(rules); i++)
        ok = read_rule(st, json_array_get(rules, i));
    return ok;
}

/* What cannot be read is kept for who can: it would be written over. */
static void set_aside(const char *path, char *error, size_t error_size)
{
    char aside[PATH_MAX + 16];
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    bool is_kept = rename(path, aside) == 0;
    snprintf(error, error_size, "%s is damaged: the statistics of rules begin anew%s%s", path,
             is_kept ? "; it is now " : "", is_kept ? aside : "");
}

bool ft_rule_statistics_read(struct ft_rule_statistics *st, const char *path, char *error,
                             size_t error_size)
{
    json_error_t where;
    FILE *f = fopen(path, "re");
    if (!f && errno == ENOENT)
        return true;
    if (!f) {
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    json_t *file = json_loadf(f, JSON_REJECT_DUPLICATES, &where);
    fclose(f);
    bool ok = file && read_all(st, file);
    if (!ok)
        forget_all(st);
    json_decref(file);
    if (!ok)
        set_aside(path, error, error_size);
    return ok;
}

/* ---- writing ---- */

static void put(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, json_integer((json_int_t)n));
}

static json_t *days_of(const struct ft_rule_statistic *s)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < s->day_count; i++) {
        char text[32];
        ft_time_text(text, s->days[i].day * DAY_NS);
        text[10] = 0;
        put(o, text, s->days[i].hits);
    }
    return o;
}

static json_t *counts_of(const struct ft_rule_counts *c)
{
    json_t *o = json_object();
    put(o, "hits", c->hits);
    put(o, "lost", c->lost);
    put(o, "evaluations", c->evaluations);
    put(o, "timed", c->timed);
    put(o, "cycles", c->cycles);
    put(o, "cycles_per_evaluation", c->timed ? c->cycles / c->timed : 0);
    return o;
}

static void put_time(json_t *object, const char *key, uint64_t ns)
{
    char text[32];
    ft_time_text(text, ns);
    json_object_set_new(object, key, ns ? json_string(text) : json_null());
}

static json_t *rule_of(const struct record *r)
{
    json_t *o = json_object();
    struct ft_rule_statistic s;
    copy(&s, r);
    put(o, "id", r->id);
    if (r->title) {
        json_object_set_new(o, "title", json_string(r->title));
        put(o, "revision", r->revision);
    }
    if (r->modified_ns && !r->deleted_ns)
        put_time(o, "modified", r->modified_ns);
    if (r->deleted_ns)
        put_time(o, "deleted", r->deleted_ns);
    put(o, "hits", s.hits);
    put_time(o, "last_hit", s.last_ns);
    json_object_set_new(o, "days", days_of(&s));
    json_object_set_new(o, "run", counts_of(&s.run));
    json_object_set_new(o, "ever", counts_of(&s.ever));
    return o;
}

/* Those at work have their titles; those that are not are missed from now on. */
static void take_names(struct ft_rule_statistics *st, const struct ft_ruleset *set, uint64_t now_ns)
{
    struct record *r;
    for (uint32_t i = 0; i < IDS; i++)
        if ((r = known(st, i)) && !r->deleted_ns)
            r->deleted_ns = now_ns;
    for (uint32_t i = 0; set && i < ft_ruleset_count(set); i++) {
        const struct ft_rule *rule = ft_ruleset_rule(set, i);
        if (!(r = record_of(st, rule->id)))
            continue;
        if (!r->title || strcmp(r->title, rule->title) != 0) {
            free(r->title);
            r->title = strdup(rule->title);
        }
        r->revision = rule->revision;
        r->modified_ns = rule->modified_ns;
        r->deleted_ns = 0;
    }
}

static uint64_t today(const struct ft_rule_statistics *st)
{
    uint64_t newest = 0;
    for (uint32_t i = 0; i < IDS; i++) {
        const struct record *r = known(st, i);
        struct ft_rule_statistic s;
        if (!r)
            continue;
        take(&s, r);
        newest = newest_day(&s) > newest ? newest_day(&s) : newest;
    }
    return newest;
}

static bool is_recent(const struct record *r, uint64_t day)
{
    struct ft_rule_statistic s;
    take(&s, r);
    return s.hits && newest_day(&s) + DAYS > day;
}

/* Deleted last is first; of one time in order of id. */
static int by_deletion(const void *a, const void *b)
{
    struct record *const *x = a, *const *y = b;
    if ((*x)->deleted_ns != (*y)->deleted_ns)
        return (*x)->deleted_ns < (*y)->deleted_ns ? 1 : -1;
    return (*x)->id < (*y)->id ? -1 : 1;
}

/* Who is in the file: all at work, and of the others those that still say something. */
static bool choose(struct ft_rule_statistics *st)
{
    struct record **deleted = calloc(IDS, sizeof(struct record *));
    uint64_t day = today(st);
    uint32_t count = 0;
    for (uint32_t i = 0; deleted && i < IDS; i++) {
        struct record *r = known(st, i);
        if (!r)
            continue;
        r->is_told = !r->deleted_ns;
        if (r->deleted_ns && is_recent(r, day))
            deleted[count++] = r;
    }
    if (count)
        qsort(deleted, count, sizeof(struct record *), by_deletion);
    for (uint32_t i = 0; i < count && i < FT_RULE_STATISTICS_DELETED; i++)
        deleted[i]->is_told = true;
    bool ok = deleted != NULL;
    free(deleted);
    return ok;
}

static json_t *all_of(struct ft_rule_statistics *st, uint64_t now_ns)
{
    json_t *file = json_object(), *rules = json_array();
    put(file, "version", VERSION);
    put_time(file, "written", now_ns);
    json_object_set_new(file, "rules", rules);
    for (uint32_t i = 0; i < IDS; i++) {
        struct record *r = known(st, i);
        if (r && r->is_told) {
            json_array_append_new(rules, rule_of(r));
        } else if (r) {
            free(r->title);
            r->title = NULL;
        }
    }
    return file;
}

static bool write_file(const json_t *o, FILE *f)
{
    return json_dumpf(o, f, JSON_INDENT(1)) == 0 && fputc('\n', f) != EOF && fflush(f) == 0 &&
           fsync(fileno(f)) == 0;
}

bool ft_rule_statistics_write(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                              uint64_t now_ns, const char *path, char *error, size_t error_size)
{
    char temporary[4096];
    take_names(st, set, now_ns);
    json_t *o = choose(st) ? all_of(st, now_ns) : NULL;
    errno = o ? 0 : ENOMEM;
    int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *f = o && n > 0 && (size_t)n < sizeof(temporary) ? fopen(temporary, "we") : NULL;
    bool is_written = f && write_file(o, f);
    int why = errno;
    json_decref(o);
    if (f && fclose(f) != 0 && is_written) {
        is_written = false;
        why = errno;
    }
    if (is_written && rename(temporary, path) == 0)
        return true;
    if (is_written)
        why = errno;
    snprintf(error, error_size, "cannot write %s: %s", path, strerror(why ? why : ENAMETOOLONG));
    if (f)
        unlink(temporary);
    return false;
}
