/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules in the alerting core: from a hit to an alert, or to an event of the timeline. */
#include "alert/rules.h"

#include "alert/core_internal.h"
#include "alert/rule_scene.h"
#include "alert/threshold.h"
#include "base/hash.h"
#include "base/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rules whose alerts are kept. Those of two rule sets, of windows and of the list are fewer. */
#define KEPT_MAX (4u * FT_RULES_MAX)

/* What the alerts of a rule say, for as long as there are any. */
struct kept {
    struct ft_eve_finding finding; /* the first: found by it again; its strings are in `texts` */
    struct ft_eve_rule rule;
    uint64_t fingerprint;
    uint64_t serial; /* of those that were ever made: never given again */
    bool is_used;    /* found while those of no use are looked for */
    char texts[];
};

/* A rule set in use. */
struct of_set {
    const struct ft_ruleset *set; /* NULL: none */
    uint32_t generation;
    struct kept **kept;         /* by index of the rule; NULL: not hit yet */
    struct ft_program_run *run; /* NULL: no rule needs it, or no memory */
};

struct ft_rule_desk {
    struct of_set sets[2]; /* the newest first */
    struct kept **kept;    /* all, number - 1 */
    uint32_t kept_count, kept_size;
    uint64_t serial;
    uint64_t lost_before; /* hits, as of the last statistics */
    bool is_losing;
    struct ft_index index;
    uint64_t key[2];
    struct ft_thresholds *thresholds;
    struct ft_rule_statistics *statistics;
    struct {
        uint64_t hits;         /* that came from workers */
        uint64_t told;         /* of them, in alerts and events */
        uint64_t out_of_time;  /* the schedule said no */
        uint64_t other_assets; /* the conditions on devices did */
        uint64_t held_back;    /* the threshold did, or does so far */
        uint64_t unknown;      /* of a generation that is not known (any more) */
        uint64_t refused;      /* no room for what the alert says */
        uint64_t forgotten;    /* rules: what their alerts would say */
    } counts;
};

struct ft_rule_desk *ft_rule_desk_new(uint32_t max, const uint64_t key[2])
{
    struct ft_rule_desk *desk = calloc(1, sizeof(*desk));
    if (!desk)
        return NULL;
    memcpy(desk->key, key, sizeof(desk->key));
    desk->thresholds = ft_thresholds_new(max, key);
    desk->statistics = ft_rule_statistics_new();
    if (desk->thresholds && desk->statistics)
        return desk;
    ft_rule_desk_free(desk);
    return NULL;
}

static void set_done(struct of_set *s)
{
    free(s->kept);
    ft_program_run_free(s->run);
    memset(s, 0, sizeof(*s));
}

void ft_rule_desk_free(struct ft_rule_desk *desk)
{
    if (!desk)
        return;
    for (unsigned i = 0; i < 2; i++)
        set_done(&desk->sets[i]);
    for (uint32_t i = 0; i < desk->kept_count; i++)
        free(desk->kept[i]);
    free(desk->kept);
    ft_index_free(&desk->index);
    ft_thresholds_free(desk->thresholds);
    ft_rule_statistics_free(desk->statistics);
    free(desk);
}

/* ---- rule sets ---- */

static bool has_core_program(const struct ft_ruleset *set)
{
    for (uint32_t i = 0; i < ft_ruleset_count(set); i++)
        if (ft_ruleset_core_program(set, i))
            return true;
    return false;
}

static struct of_set *set_of(struct ft_rule_desk *desk, const struct ft_event *e)
{
    for (unsigned i = 0; i < 2; i++)
        if (desk->sets[i].set && desk->sets[i].generation == e->message.generation &&
            e->message.rule < ft_ruleset_count(desk->sets[i].set))
            return &desk->sets[i];
    return NULL;
}

/* ---- what alerts say ---- */

static uint64_t hash_of(uint64_t fingerprint, uint32_t id)
{
    return ft_hash_mix(fingerprint, id);
}

static bool is_same(const struct kept *k, const struct ft_rule *r)
{
    const char *file = r->file ? r->file : "";
    return k->rule.id == r->id && k->fingerprint == r->fingerprint &&
           !strcmp(k->rule.file ? k->rule.file : "", file);
}

static struct kept *find(const struct ft_rule_desk *desk, const struct ft_rule *r)
{
    uint32_t number;
    struct ft_index_walk w = ft_index_walk(&desk->index, hash_of(r->fingerprint, r->id));
    while ((number = ft_index_next(&desk->index, &w)))
        if (is_same(desk->kept[number - 1], r))
            return desk->kept[number - 1];
    return NULL;
}

/* Copy a string to the texts; NULL stays NULL. */
static const char *copy(char **to, const char *from)
{
    if (!from)
        return NULL;
    const char *at = *to;
    *to = stpcpy(*to, from) + 1;
    return at;
}

static size_t room_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static struct kept *make(const struct ft_rule *r)
{
    char key[32];
    snprintf(key, sizeof(key), "rule.%u", r->id);
    struct kept *k =
        calloc(1, sizeof(*k) + room_of(key) + room_of(r->title) + room_of(r->category) +
                      room_of(r->mitre) + room_of(r->reference) + room_of(r->remediation) +
                      room_of(r->file));
    if (!k)
        return NULL;
    char *to = k->texts;
    k->fingerprint = r->fingerprint;
    k->finding = (struct ft_eve_finding){.sid = r->id,
                                         .severity = r->severity,
                                         .engine = r->engine,
                                         .key = copy(&to, key),
                                         .title = copy(&to, r->title),
                                         .category = copy(&to, r->category),
                                         .mitre = copy(&to, r->mitre),
                                         .reference = copy(&to, r->reference),
                                         .remediation = copy(&to, r->remediation),
                                         .rule = &k->rule};
    k->rule = (struct ft_eve_rule){.id = r->id,
                                   .revision = r->revision,
                                   .is_built_in = r->is_built_in,
                                   .wants_packets = r->evidence,
                                   .file = copy(&to, r->file)};
    return k;
}

static bool has_room(struct ft_rule_desk *desk)
{
    if (desk->kept_count == desk->kept_size && desk->kept_size < KEPT_MAX) {
        uint32_t size = desk->kept_size ? desk->kept_size * 2 : 64;
        struct kept **bigger = reallocarray(desk->kept, size, sizeof(*bigger));
        if (!bigger)
            return false;
        desk->kept = bigger;
        desk->kept_size = size;
    }
    return desk->kept_count < desk->kept_size && ft_index_reserve(&desk->index);
}

/* What alerts of the rule say: the same for the same rule, whatever set it is in. */
static struct kept *kept_of(struct ft_rule_desk *desk, struct of_set *s, uint32_t rule)
{
    const struct ft_rule *r = ft_ruleset_rule(s->set, rule);
    if (!s->kept[rule])
        s->kept[rule] = find(desk, r);
    if (s->kept[rule] || !has_room(desk))
        return s->kept[rule];
    struct kept *k = make(r);
    if (!k)
        return NULL;
    desk->kept[desk->kept_count++] = k;
    k->serial = ++desk->serial;
    ft_index_add(&desk->index, hash_of(r->fingerprint, r->id), desk->kept_count);
    s->kept[rule] = k;
    return k;
}

/* ---- a new rule set ---- */

static void note_finding(void *user, const struct ft_eve_finding *finding)
{
    (void)user;
    if (finding->rule)
        ((struct kept *)(uintptr_t)finding)->is_used = true;
}

/* Who may still be asked for: rules at work, and alerts that were told. */
static void note_used(struct ft_core *core)
{
    struct ft_rule_desk *desk = core->rules;
    for (uint32_t i = 0; i < desk->kept_count; i++)
        desk->kept[i]->is_used = false;
    for (unsigned n = 0; n < 2; n++)
        for (uint32_t i = 0; desk->sets[n].set && i < ft_ruleset_count(desk->sets[n].set); i++)
            if (desk->sets[n].kept[i])
                desk->sets[n].kept[i]->is_used = true;
    ft_windows_each(core->alerts, note_finding, NULL);
    ft_windows_each(core->rule_events, note_finding, NULL);
    for (uint32_t i = 0; i < core->alert_count; i++)
        note_finding(NULL, core->alert_list[i].finding);
}

/* Those that remain move together; without memory for the index some are not found again, and made
 * anew. */
static void forget_unused(struct ft_core *core)
{
    struct ft_rule_desk *desk = core->rules;
    uint32_t count = 0;
    note_used(core);
    ft_index_free(&desk->index);
    memset(&desk->index, 0, sizeof(desk->index));
    for (uint32_t i = 0; i < desk->kept_count; i++) {
        struct kept *k = desk->kept[i];
        if (!k->is_used) {
            free(k);
            desk->counts.forgotten++;
            continue;
        }
        desk->kept[count++] = k;
        if (ft_index_reserve(&desk->index))
            ft_index_add(&desk->index, hash_of(k->fingerprint, k->rule.id), count);
    }
    desk->kept_count = count;
}

void ft_core_rules(struct ft_core *core, const struct ft_ruleset *set, uint32_t generation)
{
    struct ft_rule_desk *desk = core->rules;
    set_done(&desk->sets[1]);
    desk->sets[1] = desk->sets[0];
    struct of_set *s = &desk->sets[0];
    *s = (struct of_set){.set = set, .generation = generation};
    if (set && !(s->kept = calloc(ft_ruleset_count(set) + 1, sizeof(struct kept *))))
        s->set = NULL; /* its events are of an unknown generation, and counted as such */
    else if (set && has_core_program(set))
        s->run = ft_program_run_new(ft_ruleset_vocabulary(set), ft_ruleset_patterns(set));
    /* What is the same goes on, thresholds too, however long nothing hits it. */
    for (uint32_t i = 0; s->set && desk->kept_count && i < ft_ruleset_count(set); i++)
        s->kept[i] = find(desk, ft_ruleset_rule(set, i));
    forget_unused(core);
}

/* ---- whether it is told ---- */

/* A hit on its way. */
struct hit {
    struct ft_core *core;
    const struct ft_event *came;  /* as it came */
    const struct ft_event *event; /* as it is told */
    uint64_t times;
    const struct of_set *set;
    const struct ft_rule *rule;
    const struct kept *kept;
    struct ft_rule_scene scene;
};

/* A copy of a rule event. */
struct record {
    union {
        struct ft_event event;
        uint8_t bytes[sizeof(struct ft_event) + FT_EVENT_KEPT];
    };
};

/* What is known of a device, as the reason of a hit that has no other: in a copy of the event. */
static void note_device(struct hit *hit, struct record *to)
{
    const struct ft_evidence *why = &hit->set->run->evidence;
    struct ft_event_more more = {0};
    char name[FT_EVIDENCE_NAME];
    ft_event_more(hit->event, &more);
    if (more.evidence_length || hit->event->message.tree_length || !why->operand ||
        why->operand->level != FT_LEVEL_ASSET || !why->value.bytes)
        return;
    struct ft_event_evidence e = {.length = why->value.length};
    ft_vocabulary_name(hit->scene.vocabulary, why->operand, name, sizeof(name));
    e.name = (uint8_t)strlen(name);
    e.value = (uint16_t)(e.length < FT_EVIDENCE_VALUE ? e.length : FT_EVIDENCE_VALUE);
    to->event = *hit->event;
    to->event.message.sub[0].text = to->event.message.sub[1].text = 0;
    to->event.message.sub[0].length = to->event.message.sub[1].length = 0;
    to->event.message.more = sizeof(to->event);
    more.carriers_length = more.texts_length = more.value_count = 0;
    more.evidence = (uint32_t)(sizeof(to->event) + sizeof(more));
    more.evidence_length = (uint32_t)sizeof(e) + e.name + e.value;
    memcpy(to->bytes + to->event.message.more, &more, sizeof(more));
    memcpy(to->bytes + more.evidence, &e, sizeof(e));
    memcpy(to->bytes + more.evidence + sizeof(e), name, e.name);
    memcpy(to->bytes + more.evidence + sizeof(e) + e.name, why->value.bytes, e.value);
    to->event.size = (more.evidence + more.evidence_length + 7) & ~7u;
    hit->event = hit->scene.event = &to->event;
}

static bool is_of_devices(struct hit *hit, struct record *room)
{
    const struct ft_program *p = ft_ruleset_core_program(hit->set->set, hit->event->message.rule);
    struct ft_subject subject;
    if (!p)
        return true;
    if (!hit->set->run)
        return false;
    ft_rule_subject(&hit->scene, &subject);
    ft_program_begin(hit->set->run);
    if (!ft_program_holds(p, &subject, hit->set->run))
        return false;
    note_device(hit, room);
    return true;
}

/* The device that is asked, or told something: with what is behind its address. */
static void key_of_asset(struct ft_threshold_key *key, const struct hit *hit)
{
    const struct ft_event *e = hit->event;
    struct ft_address address =
        ft_event_address(e, e->packet.server_side == 0 ? FT_SENDER : FT_RECEIVER);
    const struct ft_asset *a = ft_inventory_find(hit->core->inventory, &address);
    const struct ft_address *known = a ? &a->address : &address;
    key->a.ip = known->ip;
    key->a.family = known->family;
    key->sub = e->message.sub[1].value;
    key->sub_kind = e->message.sub[1].kind;
}

static void key_of(struct ft_threshold_key *key, const struct hit *hit, uint8_t by, uint64_t serial)
{
    struct ft_address src = ft_event_address(hit->event, FT_SENDER);
    struct ft_address dst = ft_event_address(hit->event, FT_RECEIVER);
    memset(key, 0, sizeof(*key));
    key->rule = serial;
    if (by == FT_BY_ASSET)
        key_of_asset(key, hit);
    if (by == FT_BY_SOURCE || by == FT_BY_PAIR || by == FT_BY_SERVICE) {
        key->a.ip = src.ip; /* member by member: the gap behind `family` stays zero */
        key->a.family = src.family;
    }
    if (by == FT_BY_DESTINATION || by == FT_BY_PAIR) {
        key->b.ip = dst.ip;
        key->b.family = dst.family;
    }
    if (by == FT_BY_SERVICE)
        key->sub = hit->event->packet.dst_port;
}

/* What is told again for its number comes without fields, and without what only the worker has. */
static bool has_values(const struct ft_event *e)
{
    struct ft_event_more more;
    return e->message.tree_length || (ft_event_more(e, &more) && more.texts_length);
}

/* The message of a hit; without its values what was said with them. */
static uint32_t message_of(const struct hit *hit, const char *before, char *to, uint32_t size)
{
    if (!before || has_values(hit->came))
        return ft_rule_message(&hit->scene, hit->rule, to, size);
    uint32_t n = (uint32_t)strlen(before);
    n = n < size ? n : size;
    memcpy(to, before, n);
    return n;
}

/* Keep the message of a hit that is held back, for when it is told. */
static void keep_message(const struct hit *hit, char **before)
{
    char text[FT_RULE_MESSAGE_MAX];
    if (!before || !hit->rule->part_count || !has_values(hit->came))
        return;
    uint32_t n = ft_rule_message(&hit->scene, hit->rule, text, sizeof(text));
    free(*before);
    *before = strndup(text, n);
}

/* ---- one after another ---- */

/* What is counted for a rule that is after another, beside what its threshold counts. */
#define OF_AFTER (1ull << 63)

/* Others count only after this. */
static void note_for_others(const struct hit *hit, struct ft_rule_desk *desk, struct of_set *s)
{
    const struct ft_threshold_hits hits = {
        .clock_ns = hit->event->clock_ns, .time_ns = hit->event->time_ns, .times = hit->times};
    struct ft_threshold_key key;
    for (uint32_t i = hit->rule->awaited_by; i; i = ft_ruleset_rule(s->set, i - 1)->after.next) {
        const struct ft_after *after = &ft_ruleset_rule(s->set, i - 1)->after;
        const struct kept *other = kept_of(desk, s, i - 1);
        if (!other)
            continue;
        key_of(&key, hit, after->by, other->serial | OF_AFTER);
        ft_thresholds_note(desk->thresholds, &key, &hits, after->seconds);
    }
}

/* Held the other rule before, if there is one? */
static bool is_after(const struct hit *hit, struct ft_rule_desk *desk)
{
    const struct ft_after *after = &hit->rule->after;
    struct ft_threshold_key key;
    if (!after->rule)
        return true;
    key_of(&key, hit, after->by, hit->kept->serial | OF_AFTER);
    return ft_thresholds_came(desk->thresholds, &key, hit->event->clock_ns, hit->event->time_ns,
                              after->seconds) >= after->count;
}

/* ---- thresholds ---- */

/* The values of a hit that are counted, aligned. */
static uint32_t values_of(const struct ft_event *e, uint64_t to[FT_EVENT_VALUES])
{
    struct ft_event_more more;
    if (!ft_event_more(e, &more))
        return 0;
    uint32_t count = more.value_count < FT_EVENT_VALUES ? more.value_count : FT_EVENT_VALUES;
    memcpy(to, (const uint8_t *)e + more.values, count * sizeof(to[0]));
    return count;
}

/* How many hits are to be told now, and what of them. */
static struct ft_threshold_told pass(struct hit *hit, struct ft_rule_desk *desk)
{
    const struct ft_threshold *how = &hit->rule->threshold;
    struct ft_threshold_key key;
    uint64_t values[FT_EVENT_VALUES];
    struct ft_threshold_hits hits = {.clock_ns = hit->event->clock_ns,
                                     .time_ns = hit->event->time_ns,
                                     .times = hit->times,
                                     .values = values};
    if (how->kind == FT_THRESHOLD_NONE)
        return (struct ft_threshold_told){.times = hit->times, .first_ns = hits.time_ns};
    if (how->kind == FT_THRESHOLD_DISTINCT)
        hits.value_count = values_of(hit->came, values);
    key_of(&key, hit, how->by, hit->kept->serial);
    struct ft_threshold_told told = ft_thresholds_pass(desk->thresholds, how, &key, &hits);
    desk->counts.held_back += hit->times;
    desk->counts.held_back -= told.times; /* also of what came before */
    return told;
}

/* What was counted together is one alert: by whom it is told from others. */
static enum ft_core_fold fold_of(const struct ft_threshold *how)
{
    static const uint8_t folds[] = {[FT_BY_SOURCE] = FT_CORE_FOLD_SENDER,
                                    [FT_BY_DESTINATION] = FT_CORE_FOLD_RECEIVER,
                                    [FT_BY_PAIR] = FT_CORE_FOLD_PAIR,
                                    [FT_BY_ASSET] = FT_CORE_FOLD_SERVER,
                                    [FT_BY_SERVICE] = FT_CORE_FOLD_SERVICE};
    bool is_counted = how->kind == FT_THRESHOLD_AT_LEAST || how->kind == FT_THRESHOLD_DISTINCT;
    return is_counted ? (enum ft_core_fold)folds[how->by] : FT_CORE_FOLD_NONE;
}

static void tell(struct hit *hit, const struct ft_threshold_told *told)
{
    struct ft_core *core = hit->core;
    bool is_alert = hit->rule->action == FT_RULE_ALERT, is_new;
    const char *before = told->message ? *told->message : NULL;
    char text[FT_RULE_MESSAGE_MAX];
    const struct ft_core_count count = {.event = hit->event,
                                        .finding = &hit->kept->finding,
                                        .times = told->times,
                                        .first_ns = told->first_ns,
                                        .fold = fold_of(&hit->rule->threshold)};
    struct ft_window *w = is_alert ? ft_core_count_alert(core, &count, &is_new)
                                   : ft_core_count_rule(core, &count, &is_new);
    if (!w || !is_new)
        return;
    ft_window_keep(w, text, message_of(hit, before, text, sizeof(text)));
    if (is_alert)
        ft_core_write_alert(core, hit->event, &hit->kept->finding, &w->life, NULL);
    else
        ft_core_write_rule(core, hit->event, &hit->kept->finding, &w->life);
}

void ft_rule_desk_event(struct ft_core *core, const struct ft_event *e)
{
    struct ft_rule_desk *desk = core->rules;
    struct of_set *s = set_of(desk, e);
    uint64_t times = e->message.count ? e->message.count : 1;
    const struct ft_tree_options options = {.log_secrets = core->config.log_secrets,
                                            .salt = {core->config.salt[0], core->config.salt[1]}};
    struct hit hit = {.core = core, .came = e, .event = e, .times = times, .set = s};
    struct record room;
    desk->counts.hits += times;
    if (!s) {
        desk->counts.unknown += times;
        return;
    }
    hit.rule = ft_ruleset_rule(s->set, e->message.rule);
    hit.scene = (struct ft_rule_scene){.event = e,
                                       .registry = core->registry,
                                       .vocabulary = ft_ruleset_vocabulary(s->set),
                                       .inventory = core->inventory,
                                       .options = &options};
    if (!ft_schedule_holds(&hit.rule->schedule, e->time_ns)) {
        desk->counts.out_of_time += times;
        return;
    }
    if (!is_of_devices(&hit, &room)) {
        desk->counts.other_assets += times;
        return;
    }
    ft_rule_statistics_hit(desk->statistics, hit.rule->id, e->time_ns, times);
    hit.kept = kept_of(desk, s, e->message.rule);
    if (!hit.kept) {
        desk->counts.refused += times;
        return;
    }
    note_for_others(&hit, desk, s);
    if (!is_after(&hit, desk)) {
        desk->counts.held_back += times;
        return;
    }
    struct ft_threshold_told told = pass(&hit, desk);
    desk->counts.told += told.times;
    if (told.times)
        tell(&hit, &told);
    else
        keep_message(&hit, told.message);
}

/* ---- statistics ---- */

struct ft_rule_statistics *ft_core_rule_statistics(const struct ft_core *core)
{
    return core->rules->statistics;
}

bool ft_core_rules_balance(const struct ft_core *core, const struct ft_ledger *ledger)
{
    const struct ft_rule_desk *desk = core->rules;
    uint64_t ended = desk->counts.told + desk->counts.out_of_time + desk->counts.other_assets +
                     desk->counts.held_back + desk->counts.unknown + desk->counts.refused;
    return desk->counts.hits == ended && ledger->rule_hits_waiting == 0 &&
           desk->counts.hits == ledger->rule_hits_told + ledger->rule_hits_repeated;
}

void ft_rule_desk_watch(struct ft_core *core, const struct ft_ledger *ledger)
{
    struct ft_rule_desk *desk = core->rules;
    uint64_t lost = ledger->rule_hits_untold + ledger->rule_hits_shed;
    bool is_losing = lost > desk->lost_before;
    char text[320];
    if (is_losing && !desk->is_losing) {
        snprintf(text, sizeof(text),
                 "Rules held more often than could be told: %llu hits, %llu of them more than "
                 "1,024 different ones in a second and shard, %llu as the event ring was full. "
                 "Thresholds do not know of them; rules.json says of which rules they are.",
                 (unsigned long long)lost, (unsigned long long)ledger->rule_hits_untold,
                 (unsigned long long)ledger->rule_hits_shed);
        ft_core_health(core, "rule_hits_lost", FT_SEVERITY_MINOR, text);
    }
    desk->is_losing = is_losing;
    desk->lost_before = lost;
}

void ft_rule_desk_stats(const struct ft_core *core, const struct ft_ledger *ledger,
                        struct ft_json *j)
{
    const struct ft_rule_desk *desk = core->rules;
    ft_json_key(j, "rules");
    ft_json_object(j);
    ft_json_put_uint(j, "active", desk->sets[0].set ? ft_ruleset_count(desk->sets[0].set) : 0);
    ft_json_put_uint(j, "hits", ledger->rule_hits);
    ft_json_put_uint(j, "hits_told", ledger->rule_hits_told);
    ft_json_put_uint(j, "hits_repeated", ledger->rule_hits_repeated);
    ft_json_put_uint(j, "hits_waiting", ledger->rule_hits_waiting);
    ft_json_put_uint(j, "hits_untold", ledger->rule_hits_untold);
    ft_json_put_uint(j, "hits_shed", ledger->rule_hits_shed);
    ft_json_put_uint(j, "values_shed", ledger->rule_values_shed);
    ft_json_put_uint(j, "hits_received", desk->counts.hits);
    ft_json_put_uint(j, "told", desk->counts.told);
    ft_json_put_uint(j, "out_of_schedule", desk->counts.out_of_time);
    ft_json_put_uint(j, "other_assets", desk->counts.other_assets);
    ft_json_put_uint(j, "held_back", desk->counts.held_back);
    ft_json_put_uint(j, "unknown_generation", desk->counts.unknown);
    ft_json_put_uint(j, "refused", desk->counts.refused);
    ft_json_put_uint(j, "kept", desk->kept_count);
    ft_json_put_uint(j, "forgotten", desk->counts.forgotten);
    ft_json_put_uint(j, "thresholds", ft_thresholds_count(desk->thresholds));
    ft_json_put_uint(j, "threshold_values", ft_thresholds_values(desk->thresholds));
    ft_json_put_uint(j, "thresholds_evicted", ft_thresholds_evicted(desk->thresholds));
    ft_json_put_uint(j, "events_refused", ft_windows_refused(core->rule_events));
    ft_json_object_end(j);
}

bool ft_rule_desk_is_full(const struct ft_rule_desk *desk)
{
    return ft_thresholds_evicted(desk->thresholds) || desk->counts.refused;
}
