/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: one rule. */
#include "rules/load_internal.h"

#include "base/hash.h"
#include "rules/ruleset_making.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MAX     255u
#define TEXT_MAX      4096u
#define MITRE_MAX     32u
#define FIELD_MAX     255u  /* bytes of a name in {} */
#define MESSAGE_MAX   1024u /* bytes of a message */
#define MESSAGE_PARTS 64u

struct rule_reading {
    struct ft_rule rule;
    bool is_enabled;
    bool is_broken; /* it names what has errors, which were told there */
    bool is_base;   /* what is read is the rule that this one replaces */
    const char *message;
    uint32_t when_node, message_node, threshold_node;
    const struct ft_source *when_source, *message_source, *threshold_source; /* where they stand */
};

static struct rule_reading *reading_of(void *to)
{
    return to;
}

/* ---- keys ---- */

static void read_id(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    json_int_t id = json_integer_value(value);
    char where[PATH_MAX + 32];
    if (!json_is_integer(value) || id < FT_RULE_ID_BUILT_IN || id > FT_RULE_ID_LAST) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "id: expected a whole number from %u to %u (from %u: rules that come with "
                      "fieldtap)",
                      FT_RULE_ID_CUSTOM, FT_RULE_ID_LAST, FT_RULE_ID_BUILT_IN);
        return;
    }
    struct ft_load_id *of = &l->ids[id - FT_RULE_ID_BUILT_IN];
    reading_of(to)->rule.id = (uint32_t)id;
    if (reading_of(to)->is_base)
        return;
    if (of->said.source && !of->value) {
        ft_load_wrong(l, ft_load_at(l, node), "id: %u is the id of another rule: %s", (uint32_t)id,
                      ft_load_said(&of->said, where, sizeof(where)));
        return;
    }
    *of = (struct ft_load_id){.said = ft_load_say(l, node)};
}

static bool is_digits(const char *text, size_t count)
{
    return strspn(text, "0123456789") >= count;
}

/* T0855 or T1021.002 */
static bool is_technique(const char *t)
{
    size_t n = strlen(t);
    return (n == 5 || n == 9) && t[0] == 'T' && is_digits(t + 1, 4) &&
           (n == 5 || (t[5] == '.' && is_digits(t + 6, 3)));
}

static void read_mitre(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    const struct ft_outline *o = &l->source->outline;
    char all[MITRE_MAX * 10] = "";
    size_t used = 0;
    reading_of(to)->rule.mitre = NULL;
    if (!json_is_array(value) || json_array_size(value) > MITRE_MAX) {
        ft_load_wrong(l, ft_load_at(l, node),
                      "mitre: expected a list of at most %u techniques, such as [\"T0855\"]",
                      MITRE_MAX);
        return;
    }
    struct ft_outline_walk w = ft_outline_walk(o, value, node);
    while (ft_outline_next(o, &w)) {
        const char *t = json_string_value(w.value);
        if (!t || !is_technique(t))
            ft_load_wrong(l, ft_load_at(l, w.node),
                          "mitre: expected a technique in quotes, such as \"T0855\" or "
                          "\"T1021.002\"");
        else
            used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", used ? " " : "", t);
    }
    if (used)
        reading_of(to)->rule.mitre = ft_load_keep(l, strdup(all));
}

static void keep_when(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    reading_of(to)->rule.when = json_string_value(value);
    reading_of(to)->when_node = node;
    reading_of(to)->when_source = l->source;
    if (!json_is_string(value))
        ft_load_wrong(l, ft_load_at(l, node),
                      "when: expected a condition in quotes, such as \"command.class == write\"");
}

static void keep_message(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    size_t n = json_string_length(value);
    reading_of(to)->message_node = node;
    reading_of(to)->message_source = l->source;
    if (!json_is_string(value) || !n || n > MESSAGE_MAX)
        ft_load_wrong(l, ft_load_at(l, node), "message: expected a text of 1 to %u bytes",
                      MESSAGE_MAX);
    else
        reading_of(to)->message = json_string_value(value);
}

static void read_threshold(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    reading_of(to)->threshold_node = node;
    reading_of(to)->threshold_source = l->source;
    ft_load_threshold(l, value, node, &reading_of(to)->rule.threshold);
}

static const char *const severities[] = {"critical", "major", "minor", "warning", NULL};
static const char *const engines[] = {
    "protocol_violation", "policy_violation", "malware", "anomaly", "operational", NULL};
static const char *const actions[] = {"alert", "event", NULL};

#define AT(member)   offsetof(struct rule_reading, member)
#define RULE(member) offsetof(struct rule_reading, rule.member)

/* clang-format off */
static const struct ft_load_key keys[] = {
    {"id", FT_LOAD_OWN, true, 0, 0, 0, NULL, read_id},
    {"title", FT_LOAD_TEXT, true, 1, TITLE_MAX, RULE(title), NULL, NULL},
    {"message", FT_LOAD_OWN, false, 0, 0, 0, NULL, keep_message},
    {"severity", FT_LOAD_WORD, false, FT_SEVERITY_CRITICAL, 0, RULE(severity), severities, NULL},
    {"category", FT_LOAD_TEXT, false, 1, TITLE_MAX, RULE(category), NULL, NULL},
    {"engine", FT_LOAD_WORD, false, FT_ENGINE_PROTOCOL, 0, RULE(engine), engines, NULL},
    {"mitre", FT_LOAD_OWN, false, 0, 0, 0, NULL, read_mitre},
    {"when", FT_LOAD_OWN, true, 0, 0, 0, NULL, keep_when},
    {"schedule", FT_LOAD_OWN, false, 0, 0, RULE(schedule), NULL, ft_load_schedule},
    {"threshold", FT_LOAD_OWN, false, 0, 0, 0, NULL, read_threshold},
    {"after", FT_LOAD_OWN, false, 0, 0, RULE(after), NULL, ft_load_after},
    {"action", FT_LOAD_WORD, false, FT_RULE_ALERT, 0, RULE(action), actions, NULL},
    {"evidence", FT_LOAD_TRUTH, false, 0, 0, RULE(evidence), NULL, NULL},
    {"enabled", FT_LOAD_TRUTH, false, 0, 0, AT(is_enabled), NULL, NULL},
    {"revision", FT_LOAD_NUMBER, false, 0, UINT32_MAX, RULE(revision), NULL, NULL},
    {"remediation", FT_LOAD_TEXT, false, 1, TEXT_MAX, RULE(remediation), NULL, NULL},
    {"reference", FT_LOAD_TEXT, false, 1, TEXT_MAX, RULE(reference), NULL, NULL},
};
/* clang-format on */

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* ---- the condition ---- */

struct condition {
    struct ft_loader *loader;
    uint32_t node;
};

static void wrong_condition(void *user, uint32_t at, uint32_t end, const char *text)
{
    struct condition *c = user;
    (void)end;
    ft_load_wrong(c->loader, ft_outline_inside(&c->loader->source->outline, c->node, at),
                  "when: %s", text);
}

/* Does a test choose among devices, protocols or contents? Else nearly everything passes it. */
static bool is_choice(const struct ft_operand *o)
{
    switch (o->keyword) {
    case FT_KEYWORD_ETHERTYPE:
    case FT_KEYWORD_TRANSPORT:
    case FT_KEYWORD_KIND:
    case FT_KEYWORD_DIRECTION:
    case FT_KEYWORD_RESPONSE_TIME:
    case FT_KEYWORD_PAYLOAD_LENGTH:
        return false;
    default:
        return true;
    }
}

static void warn_of_everything(struct ft_loader *l, const struct rule_reading *r)
{
    const struct ft_expression *e = r->rule.expression;
    char where[PATH_MAX + 32];
    for (uint32_t i = 1; i < e->count; i++)
        if (e->nodes[i].kind != FT_EXPRESSION_TEST || is_choice(&e->nodes[i].test.left))
            if (e->nodes[i].kind == FT_EXPRESSION_TEST || e->nodes[i].kind == FT_EXPRESSION_ANY)
                return;
    struct ft_said here = ft_load_say(l, r->when_node);
    ft_load_tell(l, false, ft_load_said(&here, where, sizeof(where)),
                 "when: asks for no protocol, command, address, port or content: rule %u may fire "
                 "on every message",
                 r->rule.id);
}

/* The next $NAME of a condition, outside of texts: where it stands; NULL: none before `end`. */
static const char *next_named_set(const char *at, const char *end)
{
    bool is_text = false;
    for (; at < end; at++) {
        if (is_text && *at == '\\')
            at++;
        else if (*at == '"')
            is_text = !is_text;
        else if (*at == '$' && !is_text)
            return at;
    }
    return NULL;
}

/* What is not in a set that has nothing in it: each set is told once. */
static void tell_empty_set(struct ft_loader *l, const struct rule_reading *r,
                           const struct ft_expression_node *n, const char *dollar)
{
    const struct ft_vocabulary *v = &l->files->vocabulary;
    const struct ft_outline *o = &l->source->outline;
    uint32_t at = (uint32_t)(dollar - r->rule.when);
    char name[256], ignored[512], where[PATH_MAX + 32];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(dollar + 1, " \t\r\n,}()&|"), dollar + 1);
    const struct ft_named_set *set = ft_vocabulary_set(v, name, ignored, sizeof(ignored));
    if (!set || set->is_broken || ft_set_size(set->set) || l->store->sets_told[set - v->sets])
        return;
    l->store->sets_told[set - v->sets] = true;
    struct ft_said here = {l->source, ft_outline_place(o, ft_outline_inside(o, r->when_node, at))};
    bool is_alone = !n->test.set || !ft_set_size(n->test.set);
    const char *means = !is_alone ? ""
                        : n->test.is_none == n->test.is_negated
                            ? ": until it has some this never holds"
                            : ": until it has some this holds of any";
    ft_load_tell(l, false, ft_load_said(&here, where, sizeof(where)),
                 "when: the set $%s has no values%s", name, means);
}

static void tell_empty_sets(struct ft_loader *l, const struct rule_reading *r)
{
    const struct ft_expression *e = r->rule.expression;
    for (uint32_t i = 1; i < e->count; i++) {
        const struct ft_expression_node *n = &e->nodes[i];
        const char *at = r->rule.when + n->at, *end = r->rule.when + n->end;
        if (n->kind != FT_EXPRESSION_TEST || !n->test.is_named)
            continue;
        while ((at = next_named_set(at, end)))
            tell_empty_set(l, r, n, at++);
    }
}

/* Patterns may be found wrong later on, together with those of other rules. */
static void keep_places(struct ft_loader *l, struct rule_reading *r)
{
    const struct ft_outline *o = &l->source->outline;
    const struct ft_expression *e = r->rule.expression;
    for (uint32_t i = 1; i < e->count; i++) {
        const struct ft_expression_node *n = &e->nodes[i];
        if (n->kind != FT_EXPRESSION_TEST ||
            (n->test.kind != FT_TEST_CONTAINS && n->test.kind != FT_TEST_MATCHES))
            continue;
        if (!r->rule.test_places)
            r->rule.test_places = calloc(e->count, sizeof(*r->rule.test_places));
        if (!r->rule.test_places) {
            l->is_out_of_memory = true;
            return;
        }
        r->rule.test_places[i] = ft_outline_place(o, ft_outline_inside(o, r->when_node, n->at));
    }
}

static void read_condition(struct ft_loader *l, struct rule_reading *r)
{
    struct condition c = {.loader = l, .node = r->when_node};
    if (!r->rule.when)
        return;
    l->source = r->when_source;
    r->rule.expression =
        ft_expression_read(&l->files->vocabulary, r->rule.when, wrong_condition, &c);
    const struct ft_outline *o = &l->source->outline;
    r->rule.when_place = ft_outline_place(o, ft_outline_inside(o, r->when_node, 0));
    if (!r->rule.expression)
        return;
    const struct ft_expression *e = r->rule.expression;
    r->rule.level = e->worker ? ft_rule_level(e, e->worker) : FT_LEVEL_FLOW;
    r->is_broken = e->is_broken;
    keep_places(l, r);
    warn_of_everything(l, r);
    if (r->is_enabled)
        tell_empty_sets(l, r);
}

/* ---- what is counted ---- */

/* What no dissector reads has a protocol, a direction and a kind, and nothing else of a message. */
static bool is_of_unknown(const struct ft_operand *o)
{
    return o->level != FT_LEVEL_MESSAGE || o->keyword == FT_KEYWORD_PROTOCOL ||
           o->keyword == FT_KEYWORD_DIRECTION || o->keyword == FT_KEYWORD_KIND;
}

/* Has a message that the condition may hold for such a value, of its own or of a carrier? */
static bool has_value(const struct ft_vocabulary *v, const struct ft_expression *e,
                      const struct ft_operand *o)
{
    if (is_of_unknown(o))
        return true;
    for (uint32_t p = 0; p < v->registry->count; p++)
        if (v->registry->protocols[p] != v->unknown && ft_rule_is_home(v, e, p) &&
            (o->keyword || ft_reach_has_fields(&v->reach[p], o->protocol)))
            return true;
    return false;
}

static uint64_t count_from(uint64_t low, uint64_t high)
{
    return high - low == UINT64_MAX ? UINT64_MAX : high - low + 1;
}

/* How many values of the operand does a test leave? UINT64_MAX: more than can be told. */
static uint64_t values_left(const struct ft_test *t, const struct ft_operand *o)
{
    if (!ft_operand_is_same(&t->left, o) || o->is_many || t->is_none || t->is_negated ||
        t->is_named || t->has_mask || t->is_code || t->ignores_case)
        return UINT64_MAX;
    switch (t->kind) {
    case FT_TEST_TEXT:
        return 1;
    case FT_TEST_RANGE:
        return count_from(t->low, t->high);
    case FT_TEST_ADDRESS:
        return t->address_low.high != t->address_high.high
                   ? UINT64_MAX
                   : count_from(t->address_low.low, t->address_high.low);
    case FT_TEST_NUMBERS:
    case FT_TEST_ADDRESSES:
    case FT_TEST_TEXTS:
        return ft_set_size(t->set);
    default:
        return UINT64_MAX;
    }
}

/* The same of a condition: of the tests that all have to hold. */
static uint64_t condition_leaves(const struct ft_expression *e, const struct ft_operand *o)
{
    const struct ft_expression_node *root = &e->nodes[e->worker];
    if (root->kind == FT_EXPRESSION_TEST)
        return values_left(&root->test, o);
    uint64_t least = UINT64_MAX, left;
    for (uint32_t i = root->kind == FT_EXPRESSION_AND ? root->child : 0; i; i = e->nodes[i].next)
        if (e->nodes[i].kind == FT_EXPRESSION_TEST &&
            (left = values_left(&e->nodes[i].test, o)) < least)
            least = left;
    return least;
}

/* Of what the condition is not tested on there are no values to count, and of what it asks for only
 * these. */
static void check_threshold(struct ft_loader *l, const struct rule_reading *r)
{
    const struct ft_operand *o = &r->rule.threshold.of;
    const struct ft_expression *e = r->rule.expression;
    const struct ft_vocabulary *v = &l->files->vocabulary;
    uint64_t left;
    char name[256];
    if (r->rule.threshold.kind != FT_THRESHOLD_DISTINCT || !e)
        return;
    l->source = r->threshold_source;
    ft_vocabulary_name(v, o, name, sizeof(name));
    enum ft_level level = (enum ft_level)r->rule.level;
    if (o->level > level || (o->level == FT_LEVEL_CONNECTION && level != FT_LEVEL_CONNECTION))
        ft_load_wrong(l, ft_load_at(l, r->threshold_node),
                      "threshold: distinct: %s is of %s, and the condition is tested on %s", name,
                      ft_level_name((enum ft_level)o->level), ft_level_name(level));
    else if (!has_value(v, e, o))
        ft_load_wrong(l, ft_load_at(l, r->threshold_node),
                      "threshold: distinct: what the condition asks for never has %s", name);
    else if (e->worker && (left = condition_leaves(e, o)) < r->rule.threshold.count)
        ft_load_wrong(l, ft_load_at(l, r->threshold_node),
                      "threshold: distinct: the condition leaves %llu value%s of %s, and at_least "
                      "asks for %u",
                      (unsigned long long)left, left == 1 ? "" : "s", name,
                      r->rule.threshold.count);
}

/* ---- the message ---- */

struct message {
    struct ft_loader *loader;
    struct rule_reading *reading;
    char *text; /* with what is known already in its place */
    size_t used;
};

__attribute__((format(printf, 3, 4))) static void wrong_message(struct message *m, const char *at,
                                                                const char *format, ...)
{
    const struct rule_reading *r = m->reading;
    char text[768];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    ft_load_wrong(m->loader,
                  ft_outline_inside(&m->loader->source->outline, r->message_node,
                                    (uint32_t)(at - r->message)),
                  "message: %s", text);
}

static void put(struct message *m, const char *text, size_t length)
{
    memcpy(m->text + m->used, text, length);
    m->used += length;
}

/* {title} and {id} never change: they are put in here. */
static bool put_known(struct message *m, const char *name)
{
    const struct ft_rule *rule = &m->reading->rule;
    if (strcmp(name, "id") == 0) {
        m->used += (size_t)sprintf(m->text + m->used, "%u", rule->id);
        return true;
    }
    if (strcmp(name, "title") != 0)
        return false;
    for (const char *p = rule->title ? rule->title : ""; *p; p++)
        put(m, *p == '{' ? "{{" : p, *p == '{' ? 2 : 1);
    return true;
}

/* Is it known of what a condition is tested on? Of a flow and its packets its own direction and,
 * perhaps, its protocol. */
static bool is_known_of(const struct ft_operand *o, uint8_t level)
{
    switch ((enum ft_level)o->level) {
    case FT_LEVEL_CONNECTION:
        return level == FT_LEVEL_CONNECTION;
    case FT_LEVEL_PACKET:
        return level != FT_LEVEL_CONNECTION;
    case FT_LEVEL_PAYLOAD:
        return level >= FT_LEVEL_PAYLOAD;
    case FT_LEVEL_MESSAGE:
        return level >= FT_LEVEL_MESSAGE || o->keyword == FT_KEYWORD_PROTOCOL ||
               o->keyword == FT_KEYWORD_DIRECTION;
    default:
        return true;
    }
}

static void add_part(struct message *m, const char *at, const char *name)
{
    struct ft_rule *rule = &m->reading->rule;
    const struct ft_expression *e = rule->expression;
    struct ft_operand operand;
    char error[768];
    if (!ft_vocabulary_find(&m->loader->files->vocabulary, name, &operand, error, sizeof(error))) {
        wrong_message(m, at, "%s", error);
    } else if (operand.type == FT_VALUE_TYPE_GROUP) {
        wrong_message(m, at, "%s is a group: name a field in it", name);
    } else if (e && !is_known_of(&operand, rule->level)) {
        wrong_message(m, at, "%s is of %s, and the condition is tested on %s: it would always be ?",
                      name, ft_level_name((enum ft_level)operand.level),
                      ft_level_name((enum ft_level)rule->level));
    } else if (e && !has_value(&m->loader->files->vocabulary, e, &operand)) {
        wrong_message(m, at, "what the condition asks for never has %s: it would always be ?",
                      name);
    } else if (rule->part_count == MESSAGE_PARTS) {
        wrong_message(m, at, "more than %u values in one message", MESSAGE_PARTS);
    } else {
        rule->parts[rule->part_count++] = operand;
        m->reading->is_broken |=
            operand.is_tag && m->loader->files->vocabulary.tags[operand.field].is_broken;
        m->used += (size_t)sprintf(m->text + m->used, "{%s}", name);
    }
}

/* A {name}. Returns behind it. */
static const char *read_braces(struct message *m, const char *open)
{
    char name[FIELD_MAX + 1];
    size_t length = strcspn(open + 1, "{}");
    if (open[1 + length] != '}') {
        wrong_message(m, open, "{ without }; a brace is written {{");
        return open + 1 + length;
    }
    if (!length || length > FIELD_MAX) {
        wrong_message(m, open, "in {} stands the name of a value, such as {ip.src}");
    } else {
        snprintf(name, sizeof(name), "%.*s", (int)length, open + 1);
        if (!put_known(m, name))
            add_part(m, open + 1, name);
    }
    return open + length + 2;
}

static void read_message(struct ft_loader *l, struct rule_reading *r)
{
    if (!r->message)
        return;
    l->source = r->message_source;
    /* Each {title} of 7 bytes becomes twice as many bytes as the title has at most. */
    size_t room = strlen(r->message) * (2 * TITLE_MAX + 7) / 7 + 32;
    struct message m = {.loader = l, .reading = r, .text = malloc(room)};
    r->rule.parts = calloc(MESSAGE_PARTS, sizeof(*r->rule.parts));
    if (!m.text || !r->rule.parts) {
        free(m.text);
        l->is_out_of_memory = true;
        return;
    }
    for (const char *p = r->message; *p;) {
        if (p[0] == '{' && p[1] == '{') {
            put(&m, p, 2);
            p += 2;
        } else if (p[0] == '}' && p[1] == '}') {
            put(&m, p, 1);
            p += 2;
        } else if (*p == '{') {
            p = read_braces(&m, p);
        } else {
            put(&m, p++, 1);
        }
    }
    m.text[m.used] = 0;
    char *exact = strdup(m.text);
    free(m.text);
    r->rule.message = ft_load_keep(l, exact);
    struct ft_operand *parts = realloc(r->rule.parts, (r->rule.part_count + 1) * sizeof(*parts));
    r->rule.parts = parts ? parts : r->rule.parts;
}

/* ---- the fingerprint ---- */

/* Of a named set it is worked out once: it may have a million entries. */
static uint64_t set_hash(struct ft_rule_store *s, const struct ft_set *set)
{
    for (uint32_t i = 0; i < s->set_count; i++) {
        if (s->sets[i].set != set)
            continue;
        if (!s->set_hashes[i])
            s->set_hashes[i] = ft_load_set_hash(set) | 1;
        return s->set_hashes[i];
    }
    return ft_load_set_hash(set);
}

/* Of all zones: which of them an address is in depends on all. */
static uint64_t zones_hash(const struct ft_rule_store *s, uint64_t hash)
{
    for (uint32_t i = 0; i < s->area_count; i++) {
        const struct ft_zone *z = &s->areas[i];
        hash = ft_hash_bytes(hash, z->name, strlen(z->name));
        hash = ft_hash_bytes(hash, &z->purdue, sizeof(z->purdue));
        hash = ft_hash_mix(hash, ft_load_set_hash(z->networks));
    }
    return hash;
}

static uint64_t operand_hash(const struct ft_rule_store *s, const struct ft_operand *o,
                             uint64_t hash)
{
    if (o->keyword >= FT_KEYWORD_ZONE_SRC && o->keyword <= FT_KEYWORD_PURDUE_DST)
        return zones_hash(s, hash);
    if (!o->is_tag)
        return hash;
    const struct ft_tag *t = &s->tags[o->field];
    const uint64_t all[] = {t->transport, t->port, (uint64_t)t->offset,
                            t->length,    t->type, t->is_little};
    hash = ft_hash_bytes(hash, all, sizeof(all));
    return ft_hash_bytes(hash, t->anchor ? t->anchor : "", t->anchor_length);
}

static uint64_t schedule_hash(const struct ft_schedule *s, uint64_t hash)
{
    for (uint32_t i = 0; i < s->range_count; i++) {
        const uint64_t range[] = {s->ranges[i].from_s, s->ranges[i].to_s, s->ranges[i].days};
        hash = ft_hash_bytes(hash, range, sizeof(range));
    }
    return ft_hash_mix(hash, s->is_outside);
}

/* What the rule says, and what stands behind the names in it. */
static uint64_t fingerprint(struct ft_loader *l, const json_t *value, const struct ft_rule *rule)
{
    struct ft_rule_store *s = l->store;
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT);
    if (!text) {
        l->is_out_of_memory = true;
        return 0;
    }
    uint64_t hash = ft_hash_bytes(0, text, strlen(text));
    free(text);
    for (uint32_t i = 1; i < rule->expression->count; i++) {
        const struct ft_expression_node *n = &rule->expression->nodes[i];
        hash = operand_hash(s, &n->test.left, hash);
        hash = operand_hash(s, &n->test.right, hash);
        if (n->test.set)
            hash = ft_hash_mix(hash, set_hash(s, n->test.set));
    }
    for (uint32_t i = 0; i < rule->part_count; i++)
        hash = operand_hash(s, &rule->parts[i], hash);
    hash = operand_hash(s, &rule->threshold.of, hash);
    return schedule_hash(&rule->schedule, hash);
}

/* ---- one rule ---- */

static struct ft_rule *room_for_rule(struct ft_loader *l)
{
    struct ft_rule_files *f = l->files;
    if (f->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 64;
        struct ft_rule *grown = reallocarray(f->rules, room, sizeof(*grown));
        if (!grown) {
            l->is_out_of_memory = true;
            return NULL;
        }
        f->rules = grown;
        l->room = room;
    }
    return &f->rules[f->count++];
}

static void drop(struct ft_rule *rule)
{
    ft_expression_free(rule->expression);
    free(rule->test_places);
    free(rule->parts);
}

/* ---- rules in the place of those that come with fieldtap ---- */

/* The place of an id that belongs to fieldtap, in a file that is the user's; NULL: it is another.
 */
static struct ft_load_id *replaced_by(struct ft_loader *l, const json_t *value)
{
    const json_t *id = json_object_get(value, "id");
    json_int_t n = json_integer_value(id);
    bool is_foreign = json_is_integer(id) && n >= FT_RULE_ID_BUILT_IN && n < FT_RULE_ID_CUSTOM;
    return is_foreign && !l->source->is_built_in ? &l->ids[n - FT_RULE_ID_BUILT_IN] : NULL;
}

/* What the rule says that is replaced: all that its successor does not say. */
static void read_base(struct ft_loader *l, const struct ft_load_id *base, struct rule_reading *r)
{
    const struct ft_source *source = l->source;
    l->source = base->said.source;
    r->is_base = true;
    ft_load_object(l, "a rule", keys, KEY_COUNT, base->value, base->node, r);
    r->is_base = false;
    l->source = source;
}

/* The rule itself goes. */
static void take_out(struct ft_rule_files *f, const struct ft_load_id *base, uint32_t id)
{
    uint32_t i = 0;
    while (i < f->count && f->rules[i].id != id)
        i++;
    f->brought -= !base->said.source->is_named;
    if (i == f->count) {
        f->disabled--;
        return;
    }
    drop(&f->rules[i]);
    memmove(&f->rules[i], &f->rules[i + 1], (--f->count - i) * sizeof(f->rules[0]));
}

/* Whoever edits a file should see what becomes of the rules that he did not write. */
static void tell_of_replacing(struct ft_loader *l, const struct rule_reading *r,
                              const struct ft_load_id *base, const json_t *value)
{
    char where[PATH_MAX + 32];
    ft_load_said(&l->ids[r->rule.id - FT_RULE_ID_BUILT_IN].said, where, sizeof(where));
    if (!base->value)
        ft_load_tell(l, false, where,
                     "id: no rule that comes with fieldtap has the id %u: nothing is %s",
                     r->rule.id,
                     r->is_enabled ? "replaced; ids of your own begin at 9200000" : "switched off");
    else if (!json_equal(base->value, value))
        ft_load_tell(l, false, where, "id: %s rule %u, \"%s\", that comes with fieldtap",
                     r->is_enabled ? "this replaces" : "this switches off", r->rule.id,
                     json_string_value(json_object_get(base->value, "title")));
}

/* Both as one, for the fingerprint. */
static json_t *joined(const json_t *base, const json_t *value)
{
    json_t *both = json_copy((json_t *)(uintptr_t)base);
    if (both && json_object_update(both, (json_t *)(uintptr_t)value) == 0)
        return both;
    json_decref(both);
    return NULL;
}

/* Of a rule that replaces another, or only switches it off, no key is needed. */
static void read_keys(struct ft_loader *l, const json_t *value, uint32_t node, bool is_part,
                      struct rule_reading *r)
{
    struct ft_load_key own[KEY_COUNT];
    memcpy(own, keys, sizeof(own));
    for (uint32_t i = 0; is_part && i < KEY_COUNT; i++)
        own[i].is_required = false;
    ft_load_object(l, "a rule", own, KEY_COUNT, value, node, r);
}

/* ---- one rule ---- */

/* What was read is a rule of the set, or a disabled one; or none. */
static void add_rule(struct ft_loader *l, struct rule_reading *r, const json_t *value)
{
    bool is_brought = l->source->is_built_in && !l->source->is_named;
    r->rule.fingerprint = r->is_enabled ? fingerprint(l, value, &r->rule) : 0;
    struct ft_rule *to = r->is_enabled ? room_for_rule(l) : NULL;
    l->files->disabled += !r->is_enabled;
    l->files->brought += is_brought;
    if (to)
        *to = r->rule;
    else
        drop(&r->rule);
}

void ft_load_refuse(struct ft_loader *l, uint32_t index)
{
    struct ft_rule_files *f = l->files;
    drop(&f->rules[index]);
    f->count--;
    f->refused++;
    memmove(&f->rules[index], &f->rules[index + 1], (f->count - index) * sizeof(f->rules[0]));
}

bool ft_load_rule(struct ft_loader *l, const json_t *value, uint32_t node)
{
    const struct ft_source *source = l->source;
    struct rule_reading r = {.is_enabled = true,
                             .rule = {.revision = 1,
                                      .category = "Custom",
                                      .severity = FT_SEVERITY_MINOR,
                                      .engine = FT_ENGINE_POLICY,
                                      .is_built_in = source->is_built_in,
                                      .modified_ns = source->modified_ns,
                                      .file = source->path}};
    uint64_t errors = l->errors;
    if (l->files->count + l->files->disabled + l->files->refused >= FT_RULES_MAX) {
        ft_load_wrong(l, ft_load_at(l, node), "rules: more than %u rules", FT_RULES_MAX);
        return false;
    }
    const struct ft_load_id *of = replaced_by(l, value);
    struct ft_load_id base = of ? *of : (struct ft_load_id){0};
    bool is_off = of && json_is_false(json_object_get(value, "enabled"));
    if (base.value)
        read_base(l, &base, &r);
    read_keys(l, value, node, base.value || is_off, &r);
    if (of && (base.value || !base.said.source))
        tell_of_replacing(l, &r, &base, value);
    read_condition(l, &r);
    check_threshold(l, &r);
    read_message(l, &r);
    l->source = source;
    r.rule.place = ft_outline_place(&source->outline, ft_load_at(l, node));
    if (errors != l->errors || r.is_broken || l->is_out_of_memory) {
        l->files->refused++;
        drop(&r.rule);
        return !l->is_out_of_memory;
    }
    if (source->is_built_in && r.rule.id < FT_RULE_ID_CUSTOM) {
        l->ids[r.rule.id - FT_RULE_ID_BUILT_IN].value = value;
        l->ids[r.rule.id - FT_RULE_ID_BUILT_IN].node = node;
    }
    json_t *both = base.value ? joined(base.value, value) : NULL;
    if (base.value)
        take_out(l->files, &base, r.rule.id);
    if (base.value && !both)
        l->is_out_of_memory = true;
    add_rule(l, &r, both ? both : value);
    json_decref(both);
    return !l->is_out_of_memory;
}
