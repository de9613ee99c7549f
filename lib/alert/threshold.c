/* SPDX-License-Identifier: BSD-3-Clause */
/* Thresholds of rules: a table of keys in the order of their last use, and an index over them. */
#include "alert/threshold.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull

/* Stamps may come out of order by as much as workers are apart; more is a clock set back. */
#define BACK_NS (10 * SECOND_NS)

/* Hits of one time. */
struct hits {
    uint64_t clock_ns, count;
    uint64_t time_ns; /* stamp of the first */
};

/* A value, and when it was seen last. */
struct value {
    uint64_t value, clock_ns;
};

/* Keys in the order of their last use: all of them, those of one rule, those with values. */
enum order {
    OF_ALL,
    OF_RULE,
    OF_VALUES,
    ORDERS
};

/* Numbers of entries, 0 = none. */
struct line {
    uint32_t oldest, newest;
};

struct entry {
    struct ft_threshold_key key;
    struct {
        uint32_t older, newer;
    } links[ORDERS];
    uint32_t share; /* of its rule: number */
    uint32_t used;
    uint64_t told;    /* of the hits, the first so many; not of LIMIT, whose hits are all told */
    uint64_t last_ns; /* stamp, the latest of the hits */
    char *message;
    struct value *values; /* DISTINCT: in any order */
    uint32_t value_count, value_room;
    struct hits hits[FT_THRESHOLD_HITS]; /* in the order of time */
};

/* What a rule has of the table. */
struct share {
    uint64_t rule;
    uint32_t count; /* 0: the next one that is free is next_free */
    uint32_t next_free;
    struct line line;
};

struct ft_thresholds {
    struct entry **entries; /* number - 1 */
    uint32_t max, count;
    struct line line, with_values;
    struct ft_index index;
    struct share *shares; /* number - 1; as many as there are keys at most */
    uint32_t share_count, free_share;
    struct ft_index rules; /* of shares */
    uint64_t key[2];
    uint64_t evicted;
    uint32_t values, value_room; /* of all keys: that are kept, and that there is room for */
};

struct ft_thresholds *ft_thresholds_new(uint32_t max, const uint64_t key[2])
{
    struct ft_thresholds *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->max = max;
    memcpy(t->key, key, sizeof(t->key));
    t->entries = calloc(max, sizeof(struct entry *));
    t->shares = calloc(max, sizeof(*t->shares));
    if (t->entries && t->shares)
        return t;
    ft_thresholds_free(t);
    return NULL;
}

void ft_thresholds_free(struct ft_thresholds *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->entries[i]->message);
        free(t->entries[i]->values);
        free(t->entries[i]);
    }
    free(t->entries);
    free(t->shares);
    ft_index_free(&t->index);
    ft_index_free(&t->rules);
    free(t);
}

/* ---- the table ---- */

static struct entry *at(const struct ft_thresholds *t, uint32_t number)
{
    return number ? t->entries[number - 1] : NULL;
}

static uint64_t hash_of(const struct ft_thresholds *t, const struct ft_threshold_key *key)
{
    return ft_siphash(t->key, key, sizeof(*key));
}

static void line_remove(struct ft_thresholds *t, struct line *l, enum order order, uint32_t number)
{
    struct entry *e = at(t, number);
    uint32_t older = e->links[order].older, newer = e->links[order].newer;
    *(older ? &at(t, older)->links[order].newer : &l->oldest) = newer;
    *(newer ? &at(t, newer)->links[order].older : &l->newest) = older;
}

static void line_append(struct ft_thresholds *t, struct line *l, enum order order, uint32_t number)
{
    struct entry *e = at(t, number);
    e->links[order].older = l->newest;
    e->links[order].newer = 0;
    *(l->newest ? &at(t, l->newest)->links[order].newer : &l->oldest) = number;
    l->newest = number;
}

static void unlink_entry(struct ft_thresholds *t, uint32_t number)
{
    if (at(t, number)->value_room)
        line_remove(t, &t->with_values, OF_VALUES, number);
    line_remove(t, &t->line, OF_ALL, number);
    line_remove(t, &t->shares[at(t, number)->share - 1].line, OF_RULE, number);
}

static void link_newest(struct ft_thresholds *t, uint32_t number)
{
    if (at(t, number)->value_room)
        line_append(t, &t->with_values, OF_VALUES, number);
    line_append(t, &t->line, OF_ALL, number);
    line_append(t, &t->shares[at(t, number)->share - 1].line, OF_RULE, number);
}

/* ---- shares of rules ---- */

static uint64_t hash_of_rule(const struct ft_thresholds *t, uint64_t rule)
{
    return ft_siphash(t->key, &rule, sizeof(rule));
}

/* The number of a rule's share, made if there is none; 0: no memory. */
static uint32_t share_of(struct ft_thresholds *t, uint64_t rule)
{
    uint64_t hash = hash_of_rule(t, rule);
    uint32_t number;
    struct ft_index_walk w = ft_index_walk(&t->rules, hash);
    while ((number = ft_index_next(&t->rules, &w)))
        if (t->shares[number - 1].rule == rule)
            return number;
    if (!ft_index_reserve(&t->rules))
        return 0;
    number = t->free_share;
    if (number)
        t->free_share = t->shares[number - 1].next_free;
    else
        number = ++t->share_count;
    t->shares[number - 1] = (struct share){.rule = rule};
    ft_index_add(&t->rules, hash, number);
    return number;
}

/* A key less, or none after all: a share of nothing is free. */
static void share_release(struct ft_thresholds *t, uint32_t number)
{
    struct share *share = &t->shares[number - 1];
    if (share->count)
        return;
    ft_index_remove(&t->rules, hash_of_rule(t, share->rule), number);
    share->next_free = t->free_share;
    t->free_share = number;
}

/* ---- keys ---- */

/* The number of a key's entry, 0 = none. */
static uint32_t find(const struct ft_thresholds *t, const struct ft_threshold_key *key)
{
    uint32_t number;
    struct ft_index_walk w = ft_index_walk(&t->index, hash_of(t, key));
    while ((number = ft_index_next(&t->index, &w)))
        if (!memcmp(&at(t, number)->key, key, sizeof(*key)))
            return number;
    return 0;
}

/*
 * Whose place a new key of the rule takes: that of who was used longest ago. A rule that has half
 * of the table already gives one of its own: so many sources that one rule counts cannot make
 * others forget what they count.
 */
static uint32_t victim_of(const struct ft_thresholds *t, const struct share *share)
{
    return share->count >= (t->max + 1) / 2 ? share->line.oldest : t->line.oldest;
}

static void forget_values(struct ft_thresholds *t, struct entry *e)
{
    t->values -= e->value_count;
    t->value_room -= e->value_room;
    free(e->values);
    e->values = NULL;
    e->value_count = e->value_room = 0;
}

/* An entry without a key, for this share; 0: no memory. */
static uint32_t take_room(struct ft_thresholds *t, uint32_t share)
{
    if (t->count < t->max) {
        struct entry *e = calloc(1, sizeof(*e));
        if (!e)
            return 0;
        t->entries[t->count] = e;
        return ++t->count;
    }
    uint32_t number = victim_of(t, &t->shares[share - 1]);
    struct entry *e = at(t, number);
    uint32_t former = e->share;
    unlink_entry(t, number);
    ft_index_remove(&t->index, hash_of(t, &e->key), number);
    t->shares[former - 1].count--;
    if (former != share)
        share_release(t, former);
    t->evicted++;
    free(e->message);
    forget_values(t, e);
    memset(e, 0, sizeof(*e));
    return number;
}

static uint32_t add_entry(struct ft_thresholds *t, const struct ft_threshold_key *key)
{
    uint32_t share = ft_index_reserve(&t->index) ? share_of(t, key->rule) : 0;
    uint32_t number = share ? take_room(t, share) : 0;
    if (!number) {
        if (share)
            share_release(t, share);
        return 0;
    }
    at(t, number)->key = *key;
    at(t, number)->share = share;
    t->shares[share - 1].count++;
    ft_index_add(&t->index, hash_of(t, key), number);
    return number;
}

static struct entry *entry_of(struct ft_thresholds *t, const struct ft_threshold_key *key)
{
    uint32_t number = find(t, key);
    if (number)
        unlink_entry(t, number);
    else if (!(number = add_entry(t, key)))
        return NULL;
    link_newest(t, number);
    return at(t, number);
}

/* ---- counting ---- */

/* Clocks of merged events may go back a little: that is age 0. */
static bool is_old(uint64_t seen_ns, uint64_t clock_ns, uint64_t span_ns)
{
    return clock_ns > seen_ns && clock_ns - seen_ns >= span_ns;
}

/* Forget what is `span_ns` old. */
static void expire(struct entry *e, uint64_t clock_ns, uint64_t span_ns)
{
    uint32_t old = 0;
    for (; old < e->used && is_old(e->hits[old].clock_ns, clock_ns, span_ns); old++)
        e->told -= e->told < e->hits[old].count ? e->told : e->hits[old].count;
    e->used -= old;
    memmove(e->hits, e->hits + old, e->used * sizeof(e->hits[0]));
}

/*
 * The sensor clock takes up jumps of the stamps: where a capture follows that is of another time,
 * or a clock was set, no time passes on it. But then what came before is not of the last seconds.
 */
static bool is_jump(const struct entry *e, uint64_t time_ns, uint64_t span_ns)
{
    return time_ns < e->last_ns ? e->last_ns - time_ns >= span_ns + BACK_NS
                                : time_ns - e->last_ns >= span_ns;
}

/* What there is to count with from now on. */
static void begin_hits(struct ft_thresholds *t, struct entry *e,
                       const struct ft_threshold_hits *hits, uint64_t span_ns)
{
    expire(e, hits->clock_ns, span_ns);
    bool is_anew = is_jump(e, hits->time_ns, span_ns);
    if (is_anew) {
        e->used = 0;
        e->told = 0;
        t->values -= e->value_count;
        e->value_count = 0;
    }
    if (is_anew || hits->time_ns > e->last_ns)
        e->last_ns = hits->time_ns;
}

/* Two that follow one another closest become one of the later's time: none is forgotten early. */
static void join_closest(struct entry *e)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i + 1 < e->used; i++)
        if (e->hits[i + 1].clock_ns - e->hits[i].clock_ns <
            e->hits[best + 1].clock_ns - e->hits[best].clock_ns)
            best = i;
    e->hits[best + 1].count += e->hits[best].count;
    e->hits[best + 1].time_ns = e->hits[best].time_ns;
    e->used--;
    memmove(&e->hits[best], &e->hits[best + 1], (e->used - best) * sizeof(e->hits[0]));
}

static void add(struct entry *e, const struct ft_threshold_hits *hits, uint64_t times)
{
    struct hits *last = e->used ? &e->hits[e->used - 1] : NULL;
    if (last && last->clock_ns >= hits->clock_ns) {
        last->count += times;
        return;
    }
    if (e->used == FT_THRESHOLD_HITS)
        join_closest(e);
    e->hits[e->used++] = (struct hits){hits->clock_ns, times, hits->time_ns};
}

static uint64_t sum(const struct entry *e)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < e->used; i++)
        all += e->hits[i].count;
    return all;
}

static uint64_t limit(struct entry *e, const struct ft_threshold *how,
                      const struct ft_threshold_hits *hits)
{
    uint64_t told = sum(e), room = told < how->count ? how->count - told : 0;
    uint64_t times = hits->times < room ? hits->times : room;
    if (times)
        add(e, hits, times);
    return times;
}

/* ---- values ---- */

static void expire_values(struct ft_thresholds *t, struct entry *e, uint64_t clock_ns,
                          uint64_t span_ns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->value_count; i++)
        if (!is_old(e->values[i].clock_ns, clock_ns, span_ns))
            e->values[kept++] = e->values[i];
    t->values -= e->value_count - kept;
    e->value_count = kept;
}

/* Room for more values of the key used last; those of keys that were used longest ago go first. */
static bool grow_values(struct ft_thresholds *t, struct entry *e, uint32_t most)
{
    uint32_t room = e->value_room ? e->value_room * 2 : 4;
    room = room < most ? room : most;
    uint32_t more = room - e->value_room;
    uint32_t n;
    while (t->value_room + more > FT_THRESHOLD_VALUES && (n = t->with_values.oldest) &&
           at(t, n) != e) {
        t->evicted += at(t, n)->value_count > 0;
        line_remove(t, &t->with_values, OF_VALUES, n);
        forget_values(t, at(t, n));
    }
    struct value *grown = reallocarray(e->values, room, sizeof(*grown));
    if (!grown)
        return false;
    if (!e->value_room)
        line_append(t, &t->with_values, OF_VALUES, t->line.newest);
    e->values = grown;
    e->value_room = room;
    t->value_room += more;
    return true;
}

/* `most` are enough to know whether there are as many: of more the one seen longest ago goes. */
static void add_value(struct ft_thresholds *t, struct entry *e, uint64_t value, uint64_t clock_ns,
                      uint32_t most)
{
    uint32_t oldest = 0, i = 0;
    for (; i < e->value_count && e->values[i].value != value; i++)
        if (e->values[i].clock_ns < e->values[oldest].clock_ns)
            oldest = i;
    if (i == e->value_count && i == most)
        i = oldest;
    else if (i == e->value_count && i == e->value_room && !grow_values(t, e, most))
        return;
    t->values += i == e->value_count;
    e->value_count += i == e->value_count;
    e->values[i] = (struct value){value, clock_ns};
}

/* ---- telling ---- */

/* Stamp of the first of the hits that were not told; there are some. */
static uint64_t first_untold(const struct entry *e)
{
    uint64_t told = e->told;
    uint32_t i = 0;
    for (; i + 1 < e->used && told >= e->hits[i].count; i++)
        told -= e->hits[i].count;
    return e->hits[i].time_ns;
}

static bool is_reached(const struct entry *e, const struct ft_threshold *how, uint64_t all)
{
    return (how->kind == FT_THRESHOLD_DISTINCT ? e->value_count : all) >= how->count;
}

static uint64_t at_least(struct ft_thresholds *t, struct entry *e, const struct ft_threshold *how,
                         const struct ft_threshold_hits *hits, uint64_t *first_ns)
{
    add(e, hits, hits->times);
    if (how->kind == FT_THRESHOLD_DISTINCT) {
        expire_values(t, e, hits->clock_ns, how->seconds * SECOND_NS);
        for (uint32_t i = 0; i < hits->value_count; i++)
            add_value(t, e, hits->values[i], hits->clock_ns, how->count);
    }
    uint64_t all = sum(e), untold = all - e->told;
    if (!is_reached(e, how, all) || !untold)
        return 0;
    *first_ns = first_untold(e);
    e->told = all;
    return untold;
}

struct ft_threshold_told ft_thresholds_pass(struct ft_thresholds *t, const struct ft_threshold *how,
                                            const struct ft_threshold_key *key,
                                            const struct ft_threshold_hits *hits)
{
    struct ft_threshold_told told = {.times = hits->times, .first_ns = hits->time_ns};
    struct entry *e = entry_of(t, key);
    if (!e)
        return told;
    told.message = &e->message;
    begin_hits(t, e, hits, how->seconds * SECOND_NS);
    told.times = how->kind == FT_THRESHOLD_LIMIT ? limit(e, how, hits)
                                                 : at_least(t, e, how, hits, &told.first_ns);
    return told;
}

void ft_thresholds_note(struct ft_thresholds *t, const struct ft_threshold_key *key,
                        const struct ft_threshold_hits *hits, uint32_t seconds)
{
    struct entry *e = entry_of(t, key);
    if (!e)
        return;
    begin_hits(t, e, hits, seconds * SECOND_NS);
    add(e, hits, hits->times);
}

uint64_t ft_thresholds_came(struct ft_thresholds *t, const struct ft_threshold_key *key,
                            uint64_t clock_ns, uint64_t time_ns, uint32_t seconds)
{
    struct entry *e = at(t, find(t, key));
    if (!e || is_jump(e, time_ns, seconds * SECOND_NS))
        return 0;
    expire(e, clock_ns, seconds * SECOND_NS);
    uint64_t all = 0;
    for (uint32_t i = 0; i < e->used && e->hits[i].clock_ns <= clock_ns; i++)
        all += e->hits[i].count;
    return all;
}

uint32_t ft_thresholds_values(const struct ft_thresholds *t)
{
    return t->values;
}

uint32_t ft_thresholds_count(const struct ft_thresholds *t)
{
    return t->count;
}

uint64_t ft_thresholds_evicted(const struct ft_thresholds *t)
{
    return t->evicted;
}
