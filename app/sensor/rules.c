/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of a running sensor. */
#include "notify.h"
#include "sensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_MAX 16384u

/* Changes of rules told one by one after a reload. */
#define CHANGES_TOLD 100u

/* What was said of the rules since the last reload began, for who asked for it by the control
 * socket: of the thread that reads rules, under a lock that nobody holds for long. */
static struct {
    pthread_mutex_t lock;
    size_t used;
    char text[ERROR_MAX];
} said = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Those who look are the control thread and that of the metrics, and have one place among the
 * readers of rules. */
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;

/* Statistics are one thread's at a time: that of the rules, or that of the control socket. */
static pthread_mutex_t statistics = PTHREAD_MUTEX_INITIALIZER;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    vfprintf(stderr, format, again);
    va_end(again);
    pthread_mutex_lock(&said.lock);
    size_t room = sizeof(said.text) - said.used;
    int n = vsnprintf(said.text + said.used, room, format, ap);
    said.used += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    pthread_mutex_unlock(&said.lock);
    va_end(ap);
}

static void forget_said(void)
{
    pthread_mutex_lock(&said.lock);
    said.used = 0;
    said.text[0] = 0;
    pthread_mutex_unlock(&said.lock);
}

void rules_said(char *text, size_t size)
{
    pthread_mutex_lock(&said.lock);
    snprintf(text, size, "%s", said.text);
    pthread_mutex_unlock(&said.lock);
}

static void say(void *user, bool is_error, const char *line)
{
    (void)user;
    tell("%s%s\n", line, is_error ? "" : " (a remark)");
}

/* What was read: refused are also sets, tags and files with errors of their own. */
struct reading {
    uint32_t accepted, refused;
    bool is_out_of_memory;
};

/* Compile those that are right even if others are wrong: so that all errors are told at once. */
static struct ft_ruleset *compile(struct ft_rule_files *files, const struct ft_ruleset *before,
                                  struct reading *r)
{
    char *error = malloc(ERROR_MAX);
    struct ft_ruleset *set = error ? ft_ruleset_new(files, before, error, ERROR_MAX) : NULL;
    if (!error) {
        ft_rule_files_free(files);
        r->is_out_of_memory = true;
    } else if (!set) {
        tell("%s\n", error);
        for (const char *line = error; line; line = strchr(line + 1, '\n')) {
            r->refused++;
            r->accepted -= r->accepted > 0;
        }
    }
    free(error);
    return set;
}

/* Rules that cost every packet something are named: one may be meant, a hundred are not. */
static void name_costly(const struct ft_ruleset *set)
{
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++) {
        enum ft_rule_cost cost = ft_ruleset_cost(set, i);
        const struct ft_rule *r = ft_ruleset_rule(set, i);
        if (cost == FT_RULE_COST_EVERY_PAYLOAD && !r->is_built_in)
            fprintf(stderr,
                    "%s:%u:%u: rule %u searches every payload: name a port or a protocol if it can "
                    "(a remark)\n",
                    r->file, r->place.line, r->place.column, r->id);
    }
}

/* Read and compile; NULL after everything that is wrong was told. */
static struct ft_ruleset *read_rules(const struct sensor *s, const struct ft_ruleset *before,
                                     struct reading *r)
{
    const struct options *o = s->options;
    struct ft_rule_environment environment = {
        .registry = s->registry, .configuration = o->config_file, .built_in = o->built_in_rules};
    bool is_sound = false;
    struct ft_rule_files *files =
        ft_rule_files_read(o->rules, o->rule_count, &environment, say, NULL, &is_sound);
    *r = (struct reading){.is_out_of_memory = !files};
    struct ft_ruleset *set = NULL;
    if (files) {
        r->accepted = files->count + files->disabled - files->brought;
        r->refused = files->refused + files->broken;
        set = compile(files, before, r);
    }
    if (set && o->action == ACTION_CHECK_RULES) /* even if others are wrong */
        name_costly(set);
    if (r->is_out_of_memory)
        tell("fieldtap: out of memory for the rules\n");
    if (is_sound)
        return set;
    ft_ruleset_free(set);
    return NULL;
}

static void rules_release(struct rules *r)
{
    if (!r)
        return;
    for (uint32_t w = 0; w < r->matcher_count; w++)
        ft_matcher_free(r->matchers[w]);
    ft_ruleset_free(r->set);
    free(r);
}

/* Rules ready for all workers; NULL after it was told what is wrong. */
static struct rules *make(const struct sensor *s, const struct rules *before)
{
    struct reading ignored;
    struct ft_ruleset *set = read_rules(s, before ? before->set : NULL, &ignored);
    struct rules *r = set ? calloc(1, sizeof(*r) + s->worker_count * sizeof(r->matchers[0])) : NULL;
    if (!r) {
        ft_ruleset_free(set);
        return NULL;
    }
    r->set = set;
    r->generation = before ? before->generation + 1 : 1;
    for (; r->matcher_count < s->worker_count; r->matcher_count++) {
        r->matchers[r->matcher_count] = ft_matcher_new(set);
        if (r->matchers[r->matcher_count])
            continue;
        tell("fieldtap: out of memory for the rules\n");
        rules_release(r);
        return NULL;
    }
    return r;
}

/* What a configuration says for rules is wrong also where there are none. */
static bool is_sound_without_rules(const struct sensor *s)
{
    struct reading ignored;
    struct ft_ruleset *set = s->options->config_file ? read_rules(s, NULL, &ignored) : NULL;
    ft_ruleset_free(set);
    return set || !s->options->config_file;
}

bool rules_start(struct sensor *s)
{
    if (!s->options->rule_count && !s->options->built_in_rules)
        return is_sound_without_rules(s);
    uint32_t readers = s->worker_count + 1; /* the control thread looks at them too */
    size_t size = rte_rcu_qsbr_get_memsize(readers);
    s->rules.quiescent = aligned_alloc(RTE_CACHE_LINE_SIZE, (size + 63) & ~(size_t)63);
    if (!s->rules.quiescent || rte_rcu_qsbr_init(s->rules.quiescent, readers) != 0) {
        fprintf(stderr, "fieldtap: out of memory for the rules\n");
        return false;
    }
    struct rules *r = make(s, NULL);
    atomic_store(&s->rules.now, r);
    return r != NULL;
}

/* ---- workers ---- */

void rules_enter(struct worker *w)
{
    struct rules_state *state = &w->sensor->rules;
    if (!state->quiescent)
        return;
    rte_rcu_qsbr_thread_register(state->quiescent, w->index);
    rte_rcu_qsbr_thread_online(state->quiescent, w->index);
    rules_turn(w);
}

void rules_leave(struct worker *w)
{
    struct rules_state *state = &w->sensor->rules;
    if (!state->quiescent)
        return;
    rte_rcu_qsbr_thread_offline(state->quiescent, w->index);
    rte_rcu_qsbr_thread_unregister(state->quiescent, w->index);
}

static __attribute__((noinline, cold)) void take_over(struct worker *w, struct rules *r)
{
    w->rules = r;
    ft_inspector_use_rules(w->inspector, r->set, r->matchers[w->index], r->generation, w->owns);
}

void rules_turn(struct worker *w)
{
    struct rules_state *state = &w->sensor->rules;
    if (!state->quiescent)
        return;
    struct rules *r = atomic_load_explicit(&state->now, memory_order_acquire);
    if (__builtin_expect(r != w->rules, 0))
        take_over(w, r);
    rte_rcu_qsbr_quiescent(state->quiescent, w->index);
}

/* ---- the control thread ---- */

const struct rules *rules_look(struct sensor *s)
{
    struct rules_state *state = &s->rules;
    if (!state->quiescent)
        return NULL;
    pthread_mutex_lock(&looking);
    rte_rcu_qsbr_thread_register(state->quiescent, s->worker_count);
    rte_rcu_qsbr_thread_online(state->quiescent, s->worker_count);
    return atomic_load_explicit(&state->now, memory_order_acquire);
}

void rules_look_away(struct sensor *s)
{
    struct rules_state *state = &s->rules;
    if (!state->quiescent)
        return;
    rte_rcu_qsbr_thread_offline(state->quiescent, s->worker_count);
    rte_rcu_qsbr_thread_unregister(state->quiescent, s->worker_count);
    pthread_mutex_unlock(&looking);
}

struct ft_rule_statistics *rules_statistics(struct sensor *s, const struct rules *r)
{
    struct ft_rule_statistics *st = ft_core_rule_statistics(s->core);
    pthread_mutex_lock(&statistics);
    ft_rule_statistics_begin(st);
    rule_stats_add(s, r, false);
    return st;
}

void rules_statistics_end(void)
{
    pthread_mutex_unlock(&statistics);
}

/* ---- the alerting loop ---- */

/* One rule that is new, another one or no more. Those behind the first hundred are a number. */
static void tell_change(struct sensor *s, const struct ft_rule *rule, const char *event,
                        const char *what, uint32_t *count)
{
    char text[512];
    if ((*count)++ >= CHANGES_TOLD)
        return;
    snprintf(text, sizeof(text), "Rule %u (revision %u, \"%s\") %s.", rule->id, rule->revision,
             rule->title, what);
    ft_core_health(s->core, event, FT_SEVERITY_WARNING, text);
}

/* Both in order of id. Returns how many differ. */
static uint32_t tell_changes(struct sensor *s, const struct ft_ruleset *old,
                             const struct ft_ruleset *new)
{
    uint32_t i = 0, j = 0, count = 0, olds = ft_ruleset_count(old), news = ft_ruleset_count(new);
    while (i < olds || j < news) {
        const struct ft_rule *a = i < olds ? ft_ruleset_rule(old, i) : NULL;
        const struct ft_rule *b = j < news ? ft_ruleset_rule(new, j) : NULL;
        if (!a || (b && b->id < a->id)) {
            tell_change(s, b, "rule_created", "is at work now", &count);
            j++;
        } else if (!b || a->id < b->id) {
            tell_change(s, a, "rule_deleted", "is deleted or disabled", &count);
            i++;
        } else {
            if (a->fingerprint != b->fingerprint)
                tell_change(s, b, "rule_edited", "says something else now", &count);
            i++;
            j++;
        }
    }
    return count;
}

/* Take a flag down. Asked for each hit: a load, most often. */
static bool was_set(_Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_relaxed) &&
           atomic_exchange_explicit(flag, false, memory_order_relaxed);
}

void rules_tell_core(struct sensor *s)
{
    struct rules_state *state = &s->rules;
    struct rules *r = atomic_load_explicit(&state->now, memory_order_acquire);
    char text[160];
    if (was_set(&state->is_unwritten))
        ft_core_health(s->core, "rule_statistics_unwritten", FT_SEVERITY_MINOR,
                       "rules.json could not be written: standard error says why. It is tried "
                       "again with each statistics.");
    if (was_set(&state->is_refused))
        ft_core_health(s->core, "rules_refused", FT_SEVERITY_MINOR,
                       "The rules could not be read again: those before stay. Standard error says "
                       "what is wrong.");
    if (!r || r->generation == atomic_load_explicit(&state->taken, memory_order_relaxed))
        return;
    ft_core_rules(s->core, r->set, r->generation);
    atomic_store_explicit(&state->taken, r->generation, memory_order_release);
    if (r->generation == 1)
        return;
    uint32_t changes = tell_changes(s, r->before->set, r->set);
    snprintf(text, sizeof(text), "The rules were read again: %u are at work, %u changed.",
             ft_ruleset_count(r->set), changes);
    ft_core_health(s->core, "rules_changed", FT_SEVERITY_WARNING, text);
}

/* ---- reloads ---- */

static bool is_ending(const struct rules_state *state)
{
    return atomic_load_explicit(&state->is_ending, memory_order_acquire);
}

/* Until the core knows a generation; it looks at each tick. */
static void wait_for(const struct rules_state *state, uint32_t generation)
{
    while (atomic_load_explicit(&state->taken, memory_order_acquire) != generation &&
           !is_ending(state))
        usleep(1000);
}

void rules_tick(struct sensor *s)
{
    rules_tell_core(s);
    atomic_fetch_add_explicit(&s->rules.ticks, 1, memory_order_release);
}

/* What workers have counted of the rules before they tell at a tick; all have by the second. */
static void wait_for_ticks(const struct rules_state *state)
{
    uint64_t begin = atomic_load_explicit(&state->ticks, memory_order_acquire);
    while (atomic_load_explicit(&state->ticks, memory_order_acquire) < begin + 2 &&
           !is_ending(state))
        usleep(1000);
}

/* rules_end() does not wait for it. Both set theirs and then look at the other's, so not both go
 * on.
 */
static struct rules *make_unless_ending(struct sensor *s, const struct rules *before)
{
    struct rules_state *state = &s->rules;
    atomic_store(&state->is_making, true);
    struct rules *r = atomic_load(&state->is_ending) ? NULL : make(s, before);
    atomic_store(&state->is_making, false);
    if (!r || !atomic_load(&state->is_ending))
        return r;
    rules_release(r);
    return NULL;
}

static void reload(struct sensor *s)
{
    struct rules_state *state = &s->rules;
    uint32_t begun = atomic_fetch_add(&state->begun, 1) + 1;
    forget_said();
    struct rules *old = atomic_load(&state->now), *r = make_unless_ending(s, old);
    if (is_ending(state) && !r)
        return;
    if (!r) {
        tell("fieldtap: the rules stay as they are\n");
        atomic_store_explicit(&state->is_refused, true, memory_order_relaxed);
        atomic_store_explicit(&state->was_taken, false, memory_order_relaxed);
        atomic_store_explicit(&state->ended, begun, memory_order_release);
        return;
    }
    wait_for(state, old->generation);
    r->before = old;
    atomic_store_explicit(&state->now, r, memory_order_release);
    rte_rcu_qsbr_synchronize(state->quiescent, RTE_QSBR_THRID_INVALID);
    pthread_mutex_lock(&statistics);
    rule_stats_add(s, old, true);
    pthread_mutex_unlock(&statistics);
    wait_for(state, r->generation);
    tell("fieldtap: %u rules are at work now\n", ft_ruleset_count(r->set));
    atomic_store_explicit(&state->was_taken, true, memory_order_relaxed);
    atomic_store_explicit(&state->ended, begun, memory_order_release);
    wait_for_ticks(state);
    if (is_ending(state))
        return; /* the core may still look into any of them */
    rules_release(old->before);
    old->before = NULL;
}

/* rules.json as of now. What cannot be written is said once, until it can be again. */
static void write_statistics(struct sensor *s)
{
    struct rules_state *state = &s->rules;
    char error[4096 + 128];
    pthread_mutex_lock(&statistics);
    bool is_written = rule_stats_write(s, error, sizeof(error));
    pthread_mutex_unlock(&statistics);
    if (!is_written && !state->cannot_write) {
        fprintf(stderr, "fieldtap: %s\n", error);
        atomic_store_explicit(&state->is_unwritten, true, memory_order_relaxed);
    }
    state->cannot_write = !is_written;
}

static void *rules_main(void *arg)
{
    struct sensor *s = arg;
    for (;;) {
        while (sem_wait(&s->rules.wanted) != 0) {}
        while (sem_trywait(&s->rules.wanted) == 0) {} /* several wishes are one */
        if (is_ending(&s->rules))
            return NULL; /* the last rules.json is written when nobody counts any more */
        uint32_t wishes = atomic_exchange(&s->rules.wishes, 0);
        if (wishes & RULES_WISH_RELOAD) {
            notify_reload();
            reload(s);
            notify_reloaded();
        }
        if (wishes && !is_ending(&s->rules))
            write_statistics(s);
    }
}

bool rules_begin(struct sensor *s)
{
    if (!s->rules.quiescent || !s->is_live)
        return true;
    sem_init(&s->rules.wanted, 0, 0);
    if (pthread_create(&s->rules.thread, NULL, rules_main, s) != 0)
        return false;
    pthread_setname_np(s->rules.thread, "rules");
    s->rules.has_thread = true;
    return true;
}

void rules_want(struct sensor *s, enum rules_wish wish)
{
    if (!s->rules.has_thread)
        return;
    atomic_fetch_or(&s->rules.wishes, (uint32_t)wish);
    sem_post(&s->rules.wanted);
}

void rules_end(struct sensor *s)
{
    if (!s->rules.has_thread)
        return;
    atomic_store(&s->rules.is_ending, true);
    sem_post(&s->rules.wanted);
    if (!atomic_load(&s->rules.is_making))
        rules_join(s);
}

void rules_join(struct sensor *s)
{
    if (!s->rules.has_thread)
        return;
    pthread_join(s->rules.thread, NULL);
    s->rules.has_thread = false;
}

void rules_free(struct sensor *s)
{
    struct rules *r = atomic_load(&s->rules.now), *before;
    for (; r; r = before) {
        before = r->before;
        rules_release(r);
    }
    free(s->rules.quiescent);
}

/* ---- answers ---- */

int rules_check(const struct sensor *s)
{
    struct reading r;
    struct ft_ruleset *set = read_rules(s, NULL, &r);
    ft_ruleset_free(set);
    if (r.is_out_of_memory)
        return 1;
    printf("rules: %u accepted, %u refused\n", r.accepted, r.refused);
    return set ? 0 : 2;
}

int rules_explain(struct sensor *s)
{
    struct reading ignored;
    struct ft_ruleset *set = read_rules(s, NULL, &ignored);
    bool is_found = false;
    if (!set)
        return 2;
    for (uint32_t i = 0; i < ft_ruleset_count(set) && !is_found; i++) {
        is_found = ft_ruleset_rule(set, i)->id == s->options->explain;
        if (is_found)
            ft_ruleset_explain(set, i, stdout);
    }
    if (!is_found)
        fprintf(stderr, "fieldtap: --explain %u: no rule that is enabled has this id\n",
                s->options->explain);
    ft_ruleset_free(set);
    return is_found ? 0 : 2;
}

void rules_list_keywords(void)
{
    for (unsigned k = 1; k < FT_KEYWORDS; k++)
        printf("%-18s  %-20s  %s\n", ft_keyword_name((enum ft_keyword)k),
               ft_keyword_type_name((enum ft_keyword)k), ft_keyword_title((enum ft_keyword)k));
}
