/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rules_differential: compiled rule sets beside rules judged plainly, over captures.
 *
 * Each capture goes through the whole inspection three times: to see what is in it, and to make
 * random rules of that; with these rules compiled, and only the fields that they demand; and with
 * all fields, each rule judged by its tree (test/unit/rules_naive.h) where the inspector asks for
 * hits. The hits must be the same ones: rule, packet, message.
 *
 *   rules_differential [--seed N] [--rules N] [--few N] [--frames N] CAPTURE...
 *
 * reads the first `frames` frames of each capture, with a set of `rules` rules and `few` small
 * ones, with which next to no field is demanded. One line a capture; exit status 1 when something
 * differs. The functions that find hits are taken over by the linker (--wrap).
 */
#include "base/hash.h"
#include "captures.h"
#include "flow/inspect_internal.h"
#include "packet/defrag.h"
#include "protocols/protocols.h"
#include "replay.h"
#include "rules_naive.h"
#include "rules_random.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 5u /* differences of a capture */
#define FEW   8u /* rules of the small sets, of which each tells what it demands */

/* A rule that held: on what. */
struct hit {
    uint64_t number, what; /* packet; hash of the message, or of the ends */
    uint32_t rule, message;
};

struct hits {
    struct hit *items;
    uint32_t count, size;
};

enum way {
    WAY_SEE = 0,
    WAY_COMPILED,
    WAY_NAIVE,
};

/* What the functions that are taken over work on. */
static struct judge {
    enum way way;
    struct rules_random random;
    const struct ft_ruleset *set;
    struct hits hits[3];         /* by enum way */
    struct hits left_out;        /* packets in which limits were met */
    uint8_t *levels;             /* by rule */
    bool *held[FT_MAX_MESSAGES]; /* of the PDU, by message, by rule */
    uint64_t evaluations, messages;
    uint32_t refusals; /* that were wrong */
    uint32_t widths;   /* fields with more bits than their schema says */
    ft_hit_fn *hit;
    void *user;
    const struct ft_subject *subject;
} judge;

static void add(struct hits *to, struct hit hit)
{
    if (to->count == to->size) {
        to->size = to->size ? to->size * 2 : 1024;
        to->items = must(realloc(to->items, to->size * sizeof(*to->items)));
    }
    to->items[to->count++] = hit;
}

/* ---- where the inspector asks for hits ---- */

bool __real_ft_match_is_wanted(const struct ft_matcher *m, const struct ft_message *message);
uint64_t __real_ft_match_wanted(const struct ft_matcher *m, const struct ft_call *call);
void __real_ft_match_message(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user);
void __real_ft_match_payload(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user);
void __real_ft_match_flow(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                          void *user);
void __real_ft_match_packet(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                            void *user);
void __real_ft_match_connection(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                                void *user);
bool __real_ft_match_may_hold(const struct ft_matcher *m, const uint8_t *bytes, uint32_t length);
bool __wrap_ft_match_is_wanted(const struct ft_matcher *m, const struct ft_message *message);
uint64_t __wrap_ft_match_wanted(const struct ft_matcher *m, const struct ft_call *call);
bool __wrap_ft_match_may_hold(const struct ft_matcher *m, const uint8_t *bytes, uint32_t length);
void __wrap_ft_match_message(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user);
void __wrap_ft_match_payload(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user);
void __wrap_ft_match_flow(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                          void *user);
void __wrap_ft_match_packet(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                            void *user);
void __wrap_ft_match_connection(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                                void *user);

/* The same in both runs: nothing of it is an address in memory. */
static uint64_t hash_of(const struct ft_subject *s)
{
    uint64_t h = ft_hash_mix((uint64_t)s->src_port << 16 | s->dst_port, s->ethertype);
    uint32_t length = s->ip_version == 6 ? 16 : s->ip_version == 4 ? 4 : 0;
    if (length)
        h = ft_hash_mix(ft_hash_bytes(h, s->src_ip, length), ft_hash_bytes(1, s->dst_ip, length));
    else if (s->src_mac && s->dst_mac)
        h = ft_hash_mix(ft_hash_bytes(h, s->src_mac, 6), ft_hash_bytes(1, s->dst_mac, 6));
    if (s->message)
        h = ft_hash_bytes(h, s->payload, s->payload_length);
    return h;
}

static struct hit hit_of(const struct ft_subject *s, uint32_t rule)
{
    return (struct hit){.number = s->number,
                        .what = hash_of(s),
                        .rule = rule,
                        .message =
                            s->message ? (uint32_t)(s->message - s->call->messages) : UINT32_MAX};
}

static void leave_out(const struct ft_subject *s)
{
    add(&judge.left_out, (struct hit){.number = s->number});
}

static void on_hit(void *user, uint32_t rule, const struct ft_program_run *run)
{
    (void)user;
    add(&judge.hits[WAY_COMPILED], hit_of(judge.subject, rule));
    judge.hit(judge.user, rule, run);
}

typedef void match_fn(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit, void *user);

static void run_compiled(match_fn *match, struct ft_matcher *m, const struct ft_subject *s,
                         ft_hit_fn *hit, void *user)
{
    uint64_t given_up = ft_matcher_given_up(m);
    judge.hit = hit;
    judge.user = user;
    judge.subject = s;
    match(m, s, on_hit, NULL);
    if (ft_matcher_given_up(m) != given_up)
        leave_out(s);
}

/* What is refused, as no message can fulfil it, is fulfilled by none. */
static void expect_none(const struct ft_subject *s)
{
    const struct rules_random_never *n = rules_random_holds(&judge.random, s);
    if (!n)
        return;
    printf("packet %llu: refused, and holds: %s\n", (unsigned long long)s->number, n->text);
    judge.refusals++;
}

/* Values that a field cannot have are refused: none has them. */
static void check_widths(const struct ft_subject *s)
{
    for (uint32_t n = s->message->first; n; n = s->call->nodes[n].next) {
        const struct ft_node *node = &s->call->nodes[n];
        const struct ft_field *f = &s->message->protocol->fields[node->field];
        if (node->type == FT_NODE_END || !f->bits || ft_field_fits(f, node->u))
            continue;
        printf("packet %llu: %s.%s is %llu, and has %u bits\n", (unsigned long long)s->number,
               s->message->protocol->name, f->name, (unsigned long long)node->u, f->bits);
        judge.widths++;
    }
}

static bool holds(uint32_t rule, const struct ft_subject *s)
{
    const struct ft_expression *e = ft_ruleset_rule(judge.set, rule)->expression;
    judge.evaluations++;
    return rules_naive_holds(ft_ruleset_vocabulary(judge.set), e, e->worker, s);
}

static void judge_message(const struct ft_subject *s)
{
    uint32_t at = (uint32_t)(s->message - s->call->messages);
    for (uint32_t i = 0; i < ft_ruleset_count(judge.set); i++) {
        bool is_first = true;
        judge.held[at][i] = judge.levels[i] == FT_LEVEL_MESSAGE && holds(i, s);
        for (uint32_t up = s->message->parent; up != 0xff; up = s->call->messages[up].parent)
            is_first &= !judge.held[up][i];
        if (judge.held[at][i] && is_first)
            add(&judge.hits[WAY_NAIVE], hit_of(s, i));
    }
}

static void judge_other(const struct ft_subject *s, uint8_t level)
{
    for (uint32_t i = 0; i < ft_ruleset_count(judge.set); i++)
        if (judge.levels[i] == level && holds(i, s))
            add(&judge.hits[WAY_NAIVE], hit_of(s, i));
    expect_none(s);
}

bool __wrap_ft_match_is_wanted(const struct ft_matcher *m, const struct ft_message *message)
{
    return judge.way != WAY_COMPILED || __real_ft_match_is_wanted(m, message);
}

uint64_t __wrap_ft_match_wanted(const struct ft_matcher *m, const struct ft_call *call)
{
    uint64_t all = (2ull << (call->message_count - 1)) - 1;
    return judge.way == WAY_COMPILED ? __real_ft_match_wanted(m, call)
           : call->message_count     ? all
                                     : 0;
}

bool __wrap_ft_match_may_hold(const struct ft_matcher *m, const uint8_t *bytes, uint32_t length)
{
    return judge.way != WAY_COMPILED || __real_ft_match_may_hold(m, bytes, length);
}

void __wrap_ft_match_message(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user)
{
    if (judge.way == WAY_COMPILED) {
        run_compiled(__real_ft_match_message, m, s, hit, user);
        return;
    }
    if (s->call->dropped) /* more fields than a tree can have */
        leave_out(s);
    if (judge.way == WAY_SEE) {
        check_widths(s);
        rules_random_see(&judge.random, s);
        return;
    }
    judge.messages++;
    judge_message(s);
    expect_none(s);
}

void __wrap_ft_match_payload(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                             void *user)
{
    if (judge.way == WAY_COMPILED)
        run_compiled(__real_ft_match_payload, m, s, hit, user);
    else if (judge.way == WAY_SEE && s->number % 8 == 0)
        rules_random_see(&judge.random, s);
    else if (judge.way == WAY_NAIVE)
        judge_other(s, FT_LEVEL_PAYLOAD);
}

void __wrap_ft_match_flow(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                          void *user)
{
    if (judge.way == WAY_COMPILED)
        run_compiled(__real_ft_match_flow, m, s, hit, user);
    else if (judge.way == WAY_NAIVE)
        judge_other(s, FT_LEVEL_FLOW);
}

void __wrap_ft_match_packet(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                            void *user)
{
    if (judge.way == WAY_COMPILED)
        run_compiled(__real_ft_match_packet, m, s, hit, user);
    else if (judge.way == WAY_NAIVE)
        judge_other(s, FT_LEVEL_PACKET);
}

void __wrap_ft_match_connection(struct ft_matcher *m, const struct ft_subject *s, ft_hit_fn *hit,
                                void *user)
{
    if (judge.way == WAY_COMPILED)
        run_compiled(__real_ft_match_connection, m, s, hit, user);
    else if (judge.way == WAY_NAIVE)
        judge_other(s, FT_LEVEL_CONNECTION);
}

/* ---- a run ---- */

static bool drain(void *user)
{
    return forget_events(user);
}

static void inspect(struct engine *engine, const struct capture *c, const struct ft_ruleset *set,
                    enum way way)
{
    static bool owned[FT_SHARDS];
    struct run *r = run_new(engine, false);
    struct ft_matcher *m = must(ft_matcher_new(set));
    memset(owned, true, sizeof(owned));
    judge.way = way;
    judge.set = set;
    ft_inspector_use_rules(r->inspector, set, m, 1, owned);
    r->inspector->call.wants_all = way != WAY_COMPILED;
    play(r, c);
    run_free(r);
    ft_matcher_free(m);
}

/* ---- judging ---- */

static int compare(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->message != y->message)
        return x->message < y->message ? -1 : 1;
    return (x->what > y->what) - (x->what < y->what);
}

/* In order; what is not of a message once. */
static void sort(struct hits *h)
{
    uint32_t count = 0;
    if (h->count)
        qsort(h->items, h->count, sizeof(*h->items), compare);
    for (uint32_t i = 0; i < h->count; i++)
        if (!i || h->items[i].message != UINT32_MAX ||
            compare(&h->items[i], &h->items[count - 1]) != 0)
            h->items[count++] = h->items[i];
    h->count = count;
}

static bool is_left_out(uint64_t number)
{
    for (uint32_t i = 0; i < judge.left_out.count; i++)
        if (judge.left_out.items[i].number == number)
            return true;
    return false;
}

static void tell(const char *name, const struct hit *h, const char *who)
{
    printf("%s: packet %llu, message %d: only the %s judge says that it holds:\n  %s\n", name,
           (unsigned long long)h->number, (int)h->message, who,
           ft_ruleset_rule(judge.set, h->rule)->when);
    ft_ruleset_explain(judge.set, h->rule, stdout);
}

/* What only one of them has. */
static uint32_t differences(const char *name)
{
    const struct hits *a = &judge.hits[WAY_COMPILED], *b = &judge.hits[WAY_NAIVE];
    uint32_t i = 0, k = 0, found = 0;
    while (i < a->count || k < b->count) {
        int order = i == a->count ? 1 : k == b->count ? -1 : compare(&a->items[i], &b->items[k]);
        const struct hit *h = order <= 0 ? &a->items[i] : &b->items[k];
        i += order <= 0;
        k += order >= 0;
        if (!order || is_left_out(h->number))
            continue;
        if (found++ < SHOWN)
            tell(name, h, order < 0 ? "compiled" : "naive");
    }
    return found;
}

static void prepare(const struct ft_ruleset *set)
{
    uint32_t rules = ft_ruleset_count(set);
    judge.levels = must(realloc(judge.levels, rules + 1));
    for (uint32_t i = 0; i < FT_MAX_MESSAGES; i++)
        judge.held[i] = must(realloc(judge.held[i], rules + 1));
    for (uint32_t i = 0; i < rules; i++) {
        const struct ft_expression *e = ft_ruleset_rule(set, i)->expression;
        judge.levels[i] = rules_naive_level(e, e->worker);
    }
}

/* Rules that make the inspector ask for everything. */
static struct ft_ruleset *everything(struct rules_random *random)
{
    static const char *const all[] = {"not vlan == 4095", "not payload.length == 0",
                                      "not kind == data or kind == data"};
    return must(rules_random_set_of(random, all, 3, NULL));
}

struct plan {
    uint64_t seed;
    uint32_t rules, few, frames;
};

/* What a capture has come to. */
struct sums {
    uint32_t rules, hits, left_out, found;
};

static void judge_set(struct engine *engine, const struct capture *c, const char *name,
                      uint32_t rules, struct sums *sums)
{
    struct ft_ruleset *set = must(rules_random_set(&judge.random, rules));
    judge.hits[WAY_COMPILED].count = judge.hits[WAY_NAIVE].count = 0;
    judge.left_out.count = 0;
    prepare(set);
    inspect(engine, c, set, WAY_COMPILED);
    inspect(engine, c, set, WAY_NAIVE);
    sort(&judge.hits[WAY_COMPILED]);
    sort(&judge.hits[WAY_NAIVE]);
    sums->found += differences(name);
    sums->rules += ft_ruleset_count(set);
    sums->hits += judge.hits[WAY_NAIVE].count;
    sums->left_out += judge.left_out.count;
    rules_naive_forget();
    ft_ruleset_free(set);
}

static bool judge_capture(struct engine *engine, const char *path, const struct plan *plan)
{
    struct capture c;
    struct sums sums = {0};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    uint64_t seed = ft_hash_bytes(plan->seed, name, strlen(name));
    if (!capture_load(&c, path, plan->frames) ||
        !rules_random_open(&judge.random, engine->registry, seed))
        return false;
    judge.evaluations = judge.messages = judge.refusals = judge.widths = 0;
    struct ft_ruleset *all = everything(&judge.random);
    inspect(engine, &c, all, WAY_SEE);
    ft_ruleset_free(all);
    judge_set(engine, &c, name, plan->rules, &sums);
    for (uint32_t i = 0; i < plan->few; i++)
        judge_set(engine, &c, name, FEW, &sums);
    printf("     %u refused parts, %u of them wrongly\n", judge.random.never_count, judge.refusals);
    printf("%s %s: %u packets, %llu messages, %u rules, %llu evaluations, %u hits, %u left out: "
           "%u differences\n",
           sums.found || judge.refusals || judge.widths ? "FAIL" : "ok  ", name, c.count,
           (unsigned long long)judge.messages, sums.rules, (unsigned long long)judge.evaluations,
           sums.hits, sums.left_out, sums.found);
    rules_random_close(&judge.random);
    capture_free(&c);
    return !sums.found && !judge.refusals && !judge.widths;
}

static void forget(struct engine *e)
{
    for (unsigned i = 0; i < 3; i++)
        free(judge.hits[i].items);
    for (unsigned i = 0; i < FT_MAX_MESSAGES; i++)
        free(judge.held[i]);
    free(judge.left_out.items);
    free(judge.levels);
    ft_ring_free(&e->ring);
    ft_recogniser_free(e->recogniser);
    ft_registry_free(e->registry);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"few", required_argument, NULL, 'w'},
                                            {"frames", required_argument, NULL, 'f'},
                                            {0}};
    static struct engine engine;
    struct plan plan = {.seed = 1, .rules = 500, .few = 4, .frames = 2000};
    int c, failed = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint32_t n = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        if (c == 's')
            plan.seed = n;
        else if (c == 'r' && n)
            plan.rules = n;
        else if (c == 'w')
            plan.few = n;
        else if (c == 'f' && n)
            plan.frames = n;
        else
            return 2;
    }
    if (!engine_make(&engine))
        return 1;
    for (int i = optind; i < argc; i++)
        failed += !judge_capture(&engine, argv[i], &plan);
    forget(&engine);
    return failed != 0;
}
