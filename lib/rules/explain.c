/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets: how a rule was compiled, for people. */
#include "rules/ruleset_internal.h"

static void explain_places(const struct ft_ruleset *set, const struct ft_compiled *c, FILE *to)
{
    const struct ft_registry *registry = set->files->vocabulary.registry;
    static const char *const levels[] = {"the first packet of a flow in each direction",
                                         "each connection, when it is known how it came out",
                                         "each packet that opens or ends a connection",
                                         "each payload", "each message"};
    fprintf(to, "  tested on   %s", levels[c->level]);
    if (c->level == FT_LEVEL_MESSAGE && c->is_anywhere)
        fprintf(to, " of any protocol");
    for (uint32_t p = 0, n = 0;
         c->level == FT_LEVEL_MESSAGE && !c->is_anywhere && p < registry->count; p++)
        if (ft_protocols_has(&c->homes, (uint16_t)p))
            fprintf(to, "%s%s", n++ ? ", " : " of ", registry->protocols[p]->name);
    fputc('\n', to);
}

static bool has_rule(const struct ft_list *l, uint32_t rule)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i] == rule)
            return true;
    return false;
}

/* Does it name commands or classes, so that messages of others do not find it? */
static bool names_commands(const struct ft_compiled *c)
{
    for (uint32_t i = 0; i < c->program.count; i++) {
        uint8_t keyword = c->program.code[i].test->left.keyword;
        if (keyword == FT_KEYWORD_COMMAND || keyword == FT_KEYWORD_COMMAND_CODE ||
            keyword == FT_KEYWORD_CLASS)
            return true;
    }
    return false;
}

/* No value and no pattern finds it. */
static void explain_linear(const struct ft_compiled *c, FILE *to)
{
    bool is_message = c->level == FT_LEVEL_MESSAGE;
    const char *by = !is_message || (c->is_anywhere && !names_commands(c))
                         ? "nothing: it is tested each time"
                     : c->is_anywhere    ? "its command or class"
                     : names_commands(c) ? "its protocol and command"
                                         : "its protocol";
    fprintf(to, "  found by    %s%s\n", by,
            c->is_of_flow ? ", in flows that its addresses and ports allow" : "");
}

/* The values and patterns that the rule is found by. */
static void explain_way(const struct ft_ruleset *set, uint32_t index, FILE *to)
{
    const struct ft_vocabulary *v = &set->files->vocabulary;
    char name[256], value[64];
    uint32_t shown = 0;
    if (set->compiled[index].is_linear) {
        explain_linear(&set->compiled[index], to);
        return;
    }
    for (uint32_t i = 0; i < set->key_size; i++) {
        const struct ft_key *k = &set->keys[i];
        if (!has_rule(&k->rules, index))
            continue;
        const struct ft_operand *o = &set->keyed[k->operand].operand;
        ft_vocabulary_name(v, o, name, sizeof(name));
        ft_key_text(o, k->value, value, sizeof(value));
        bool is_hash = o->type == FT_VALUE_TYPE_ADDRESS || o->type == FT_VALUE_TYPE_TEXT ||
                       o->type == FT_VALUE_TYPE_BYTES;
        bool is_text = is_hash && o->type != FT_VALUE_TYPE_ADDRESS;
        bool is_lower = is_text && set->keyed[k->operand].bits;
        fprintf(to, "%s%s%s%s%s%s", shown++ ? ", " : "  found by    ", is_lower ? "lower(" : "",
                name, is_lower ? ")" : "", is_hash ? "" : " == ", is_hash ? "" : value);
    }
    for (uint32_t g = 0; g < set->patterns.count; g++)
        for (uint32_t p = 0; p < set->patterns.groups[g].count; p++) {
            if (!has_rule(&set->pattern_rules[set->first_pattern[g] + p], index))
                continue;
            static const char *const means[] = {"direct", "Hyperscan", "PCRE2"};
            ft_vocabulary_name(v, &set->patterns.groups[g].operand, name, sizeof(name));
            fprintf(to, "%sa pattern in %s (%s)", shown++ ? ", " : "  found by    ", name,
                    means[ft_content_means(set->patterns.groups[g].content, p)]);
        }
    fputc('\n', to);
}

static void explain_jump(uint16_t at, FILE *to)
{
    if (at == FT_PROGRAM_ACCEPT)
        fputs("holds", to);
    else if (at == FT_PROGRAM_REJECT)
        fputs("does not", to);
    else
        fprintf(to, "%u", at);
}

static void explain_program(const struct ft_ruleset *set, const struct ft_program *p,
                            const char *title, FILE *to)
{
    char text[1024];
    for (uint32_t i = 0; i < p->count; i++) {
        const struct ft_instruction *c = &p->code[i];
        ft_test_text(&set->files->vocabulary, c->test, text, sizeof(text));
        fprintf(to, "  %-11s %2u  %*s%s%s", i ? "" : title, i, c->depth * 2, "",
                c->kind == FT_INSTRUCTION_ANY ? (c->is_negated ? "not any " : "any ") : "", text);
        fputs("  -> ", to);
        explain_jump(c->on_true, to);
        fputs(", else ", to);
        explain_jump(c->on_false, to);
        fputc('\n', to);
    }
}

void ft_ruleset_explain(const struct ft_ruleset *set, uint32_t index, FILE *to)
{
    const struct ft_compiled *c = &set->compiled[index];
    fprintf(to, "rule %u: %s\n  written at  %s:%u:%u\n  when        %s\n", c->rule->id,
            c->rule->title, c->rule->file, c->rule->place.line, c->rule->place.column,
            c->rule->when);
    explain_places(set, c, to);
    explain_way(set, index, to);
    enum ft_rule_cost cost = ft_ruleset_cost(set, index);
    bool is_every_flow = cost == FT_RULE_COST_EVERY_MESSAGE && c->level < FT_LEVEL_PAYLOAD;
    fprintf(to, "  costs       %s\n", is_every_flow ? "every flow" : ft_rule_cost_name(cost));
    explain_program(set, &c->program, "tests", to);
    explain_program(set, &c->core, "then, of the devices", to);
    if (c->rule->after.rule)
        fprintf(to, "  counts      after %u hit%s of rule %u in %u s\n", c->rule->after.count,
                c->rule->after.count == 1 ? "" : "s", c->rule->after.rule, c->rule->after.seconds);
}
