/* SPDX-License-Identifier: BSD-3-Clause */
/* --list-protocols and --describe: the dissectors' own tables for people. */
#include "describe.h"

#include "rules/vocabulary.h"

#include <stdio.h>
#include <string.h>

/* One carrier as text; with selectors only where somebody wants to read them. */
static int carrier(const struct ft_carrier *c, bool is_full, char *to, size_t size)
{
    static const char *const kinds[] = {"", "tcp", "udp", "ethertype", "llc", "snap", "ip", ""};
    unsigned long long first = c->value, last = c->last;
    const char *kind = c->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[c->kind] : "";
    if (c->kind == FT_CARRIER_PARENT && (!is_full || c->value == FT_ANY_SELECTOR))
        return snprintf(to, size, "%s", c->parent);
    if (c->kind == FT_CARRIER_PARENT)
        return snprintf(to, size, "%s %#llx", c->parent, first);
    if (c->value == FT_ANY_SELECTOR)
        return snprintf(to, size, "any %s port", kind);
    if (c->kind != FT_CARRIER_TCP && c->kind != FT_CARRIER_UDP)
        return snprintf(to, size, "%s 0x%04llx", kind, first);
    if (last > first)
        return snprintf(to, size, "%s %llu-%llu", kind, first, last);
    return snprintf(to, size, "%s %llu", kind, first);
}

/* What carries a protocol, each once, in the order of the table. */
static void carriers(const struct ft_protocol *p, bool is_full, char *text, size_t size)
{
    char one[64], before[64] = "";
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < p->carrier_count && used + sizeof(one) + 16 < size; i++) {
        int n = carrier(&p->carriers[i], is_full, one, sizeof(one));
        if (n <= 0 || strcmp(one, before) == 0)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", one);
        memcpy(before, one, sizeof(one));
    }
    if (p->signature_count)
        snprintf(text + used, size - used, "%sby content", used ? ", " : "");
}

void list_protocols(const struct ft_registry *r)
{
    char text[1024];
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ft_protocol *p = r->protocols[i];
        carriers(p, false, text, sizeof(text));
        printf("%-16s  %-44s  %s\n", p->name, p->dissector->title, text);
    }
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {"",     "group", "uint",  "int",    "float",
                                        "bool", "enum",  "flags", "string", "bytes",
                                        "ipv4", "ipv6",  "mac",   "time"};
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

/* "uint:16", where it is known that there are no more bits. */
static const char *type_text(const struct ft_field *f, char *to, size_t size)
{
    snprintf(to, size, f->bits ? "%s:%u" : "%s", type_name(f->type), f->bits);
    return to;
}

static void print_path(const struct ft_protocol *p, uint32_t field, char *to, size_t size)
{
    if (field == 0) {
        snprintf(to, size, "%s", p->name);
        return;
    }
    print_path(p, p->fields[field].parent, to, size);
    size_t used = strlen(to);
    snprintf(to + used, size - used, ".%s", p->fields[field].name);
}

static void describe_fields(const struct ft_protocol *p)
{
    char path[512], type[32];
    printf("\nFields\n  %-44s %-8s %s\n", "FIELD", "TYPE", "MEANING");
    for (uint32_t i = 1; i < p->field_count; i++) {
        const struct ft_field *f = &p->fields[i];
        print_path(p, i, path, sizeof(path));
        printf("  %-44s %-8s%s%s %s\n", path, type_text(f, type, sizeof(type)),
               f->flags & FT_FIELD_LIST ? " list" : "", f->flags & FT_FIELD_SECRET ? " secret" : "",
               f->title ? f->title : "");
    }
}

static void describe_commands(const struct ft_protocol *p)
{
    printf("\nCommands\n  %-12s %-40s %-10s %s\n", "CODE", "COMMAND", "CLASS", "ATT&CK");
    for (uint32_t i = 0; i < p->command_count; i++) {
        const struct ft_command *c = &p->commands[i];
        char code[32];
        if (c->qualifier == FT_ANY_QUALIFIER)
            snprintf(code, sizeof(code), "%u", c->code);
        else
            snprintf(code, sizeof(code), "%u/%u", c->code, c->qualifier);
        printf("  %-12s %-40s %-10s %s\n", code, c->name, ft_class_name(c->class_),
               c->mitre ? c->mitre : "");
    }
}

static void describe_violations(const struct ft_protocol *p)
{
    printf("\nViolations\n  %-32s %-8s %-5s %s\n", "VIOLATION", "SEVERITY", "ALERT", "MEANING");
    for (uint32_t i = 0; i < p->violation_count; i++) {
        const struct ft_violation *v = &p->violations[i];
        printf("  %-32s %-8s %-5s %s\n", v->name, ft_severity_name(v->severity),
               v->is_alert ? "alert" : "", v->title);
    }
}

void describe_protocol(const struct ft_protocol *p)
{
    char text[1024];
    carriers(p, true, text, sizeof(text));
    printf("%s: %s\n  carried by  %s\n", p->name, p->dissector->title, text);
    if (p->dissector->specification)
        printf("  written in  %s\n", p->dissector->specification);
    describe_fields(p);
    if (p->command_count)
        describe_commands(p);
    if (p->violation_count)
        describe_violations(p);
}

static const char *title_of(const struct ft_registry *r, const struct ft_operand *o)
{
    const char *title = o->keyword ? ft_keyword_title((enum ft_keyword)o->keyword)
                                   : r->protocols[o->protocol]->fields[o->field].title;
    return title ? title : "";
}

bool describe_word(const struct ft_registry *r, const char *word, char *error, size_t size)
{
    struct ft_vocabulary v = {.registry = r};
    struct ft_operand o;
    bool ok = ft_vocabulary_open(&v) && ft_vocabulary_find(&v, word, &o, error, size);
    if (ok) {
        printf("%s: %s\n  is    %s%s\n", word, title_of(r, &o),
               ft_value_type_name((enum ft_value_type)o.type),
               o.is_many ? "; there may be many" : "");
        if (o.names && o.names->name)
            printf("\nValues\n  %-12s NAME\n", "NUMBER");
        for (const struct ft_name *n = o.names; n && n->name; n++)
            printf("  %-12llu %s\n", (unsigned long long)n->value, n->name);
    }
    ft_vocabulary_close(&v);
    return ok;
}
