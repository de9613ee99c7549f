/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics of rules. */
#include "rules/statistics.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
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

struct record {
    struct ft_rule_statistic is; /* `run` is worked out when asked for */
    struct ft_rule_counts over, now;
};

struct ft_rule_statistics {
    pthread_mutex_t lock;
    struct record **records; /* by id - FT_RULE_ID_BUILT_IN; NULL: nothing is known */
};

struct ft_rule_statistics *ft_rule_statistics_new(void)
{
    struct ft_rule_statistics *st = calloc(1, sizeof(*st));
    if (!st)
        return NULL;
    st->records = calloc(IDS, sizeof(struct record *)); /* touched where there are rules only */
    if (st->records && pthread_mutex_init(&st->lock, NULL) == 0)
        return st;
    free(st->records);
    free(st);
    return NULL;
}

static void forget_all(struct ft_rule_statistics *st)
{
    for (uint32_t i = 0; i < IDS; i++) {
        free(st->records[i]);
        st->records[i] = NULL;
    }
}

void ft_rule_statistics_free(struct ft_rule_statistics *st)
{
    if (!st)
        return;
    forget_all(st);
    pthread_mutex_destroy(&st->lock);
    free(st->records);
    free(st);
}

/* NULL: no such id, or no memory. */
static struct record *record_of(struct ft_rule_statistics *st, uint32_t id)
{
    if (id < FT_RULE_ID_BUILT_IN || id > FT_RULE_ID_LAST)
        return NULL;
    struct record **at = &st->records[id - FT_RULE_ID_BUILT_IN];
    if (!*at)
        *at = calloc(1, sizeof(**at));
    return *at;
}

/* ---- days ---- */

static uint32_t newest_day(const struct ft_rule_statistic *s)
{
    return s->day_count ? s->days[s->day_count - 1].day : 0;
}

/* Forget the days that are too long before the newest. */
static void drop_old(struct ft_rule_statistic *s)
{
    uint32_t old = 0;
    while (s->days[old].day + DAYS <= newest_day(s))
        old++;
    s->day_count -= old;
    memmove(s->days, s->days + old, s->day_count * sizeof(s->days[0]));
}

static void add_day(struct ft_rule_statistic *s, uint32_t day, uint64_t hits)
{
    uint32_t at = s->day_count;
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
    pthread_mutex_lock(&st->lock);
    struct record *r = record_of(st, id);
    if (r) {
        r->is.hits += times;
        r->is.last_ns = time_ns > r->is.last_ns ? time_ns : r->is.last_ns;
        add_day(&r->is, (uint32_t)(time_ns / DAY_NS), times);
    }
    pthread_mutex_unlock(&st->lock);
}

void ft_rule_statistics_begin(struct ft_rule_statistics *st)
{
    pthread_mutex_lock(&st->lock);
    for (uint32_t i = 0; i < IDS; i++)
        if (st->records[i])
            memset(&st->records[i]->now, 0, sizeof(st->records[i]->now));
    pthread_mutex_unlock(&st->lock);
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
}

void ft_rule_statistics_counts(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                               const struct ft_matcher *m, bool is_over)
{
    const struct ft_rule_counts *counts = ft_matcher_counts(m);
    pthread_mutex_lock(&st->lock);
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        struct record *r = record_of(st, ft_ruleset_rule(set, i)->id);
        if (r)
            add_counts(is_over ? &r->over : &r->now, &counts[i]);
    }
    pthread_mutex_unlock(&st->lock);
}

static void copy(struct ft_rule_statistic *to, const struct record *r)
{
    *to = r->is;
    to->run = r->over;
    add_counts(&to->run, &r->now);
}

bool ft_rule_statistics_of(struct ft_rule_statistics *st, uint32_t id, struct ft_rule_statistic *to)
{
    if (id < FT_RULE_ID_BUILT_IN || id > FT_RULE_ID_LAST)
        return false;
    pthread_mutex_lock(&st->lock);
    const struct record *r = st->records[id - FT_RULE_ID_BUILT_IN];
    if (r)
        copy(to, r);
    pthread_mutex_unlock(&st->lock);
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

static bool read_rule(struct ft_rule_statistics *st, const json_t *value)
{
    const json_t *last = json_object_get(value, "last_hit");
    uint64_t id;
    if (!read_count(json_object_get(value, "id"), &id) || id > FT_RULE_ID_LAST)
        return false;
    struct record *r = record_of(st, (uint32_t)id);
    return r && !r->is.hits && read_count(json_object_get(value, "hits"), &r->is.hits) &&
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
    pthread_mutex_lock(&st->lock);
    bool ok = file && read_all(st, file);
    if (!ok)
        forget_all(st);
    pthread_mutex_unlock(&st->lock);
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

static json_t *run_of(const struct ft_rule_counts *c)
{
    json_t *o = json_object();
    put(o, "hits", c->hits);
    put(o, "evaluations", c->evaluations);
    put(o, "timed", c->timed);
    put(o, "cycles", c->cycles);
    put(o, "cycles_per_evaluation", c->timed ? c->cycles / c->timed : 0);
    return o;
}

static json_t *rule_of(uint32_t id, const char *title, const struct ft_rule_statistic *s)
{
    json_t *o = json_object();
    char text[32];
    put(o, "id", id);
    if (title)
        json_object_set_new(o, "title", json_string(title));
    put(o, "hits", s->hits);
    ft_time_text(text, s->last_ns);
    json_object_set_new(o, "last_hit", s->last_ns ? json_string(text) : json_null());
    json_object_set_new(o, "days", days_of(s));
    json_object_set_new(o, "run", run_of(&s->run));
    return o;
}

/* Titles by id; NULL: not in the set. */
static const char **titles_of(const struct ft_ruleset *set)
{
    const char **titles = calloc(IDS, sizeof(*titles));
    for (uint32_t i = 0; titles && set && i < ft_ruleset_count(set); i++) {
        const struct ft_rule *r = ft_ruleset_rule(set, i);
        titles[r->id - FT_RULE_ID_BUILT_IN] = r->title;
    }
    return titles;
}

static json_t *all_of(struct ft_rule_statistics *st, const char *const *titles)
{
    json_t *file = json_object(), *rules = json_array();
    uint32_t today = 0;
    put(file, "version", VERSION);
    json_object_set_new(file, "rules", rules);
    pthread_mutex_lock(&st->lock);
    for (uint32_t i = 0; i < IDS; i++)
        if (st->records[i] && newest_day(&st->records[i]->is) > today)
            today = newest_day(&st->records[i]->is);
    for (uint32_t i = 0; i < IDS; i++) {
        const struct record *r = st->records[i];
        struct ft_rule_statistic s = {0};
        if (r)
            copy(&s, r);
        if (titles[i] || (s.hits && newest_day(&s) + DAYS > today))
            json_array_append_new(rules, rule_of(i + FT_RULE_ID_BUILT_IN, titles[i], &s));
    }
    pthread_mutex_unlock(&st->lock);
    return file;
}

static bool write_file(const json_t *o, FILE *f)
{
    return json_dumpf(o, f, JSON_INDENT(1)) == 0 && fputc('\n', f) != EOF && fflush(f) == 0 &&
           fsync(fileno(f)) == 0;
}

bool ft_rule_statistics_write(struct ft_rule_statistics *st, const struct ft_ruleset *set,
                              const char *path, char *error, size_t error_size)
{
    char temporary[4096];
    const char **titles = titles_of(set);
    json_t *o = titles ? all_of(st, titles) : NULL;
    free(titles);
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
