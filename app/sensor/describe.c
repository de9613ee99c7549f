/* SPDX-License-Identifier: BSD-3-Clause */
/* --list-protocols and --describe: the dissectors' own tables for people. */
#include "describe.h"

#include <stdio.h>
#include <string.h>

static void carriers(const struct ft_protocol *p, char *text, size_t size)
{
    static const char *const kinds[] = {"", "tcp", "udp", "ethertype", "llc", "snap", "ip", ""};
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < p->carrier_count && used + 48 < size; i++) {
        const struct ft_carrier *c = &p->carriers[i];
        const char *comma = i ? ", " : "";
        int n;
        if (c->kind == FT_CARRIER_PARENT && c->value == FT_ANY_SELECTOR)
            n = snprintf(text + used, size - used, "%s%s", comma, c->parent);
        else if (c->kind == FT_CARRIER_PARENT)
            n = snprintf(text + used, size - used, "%s%s %#llx", comma, c->parent,
                         (unsigned long long)c->value);
        else if (c->kind == FT_CARRIER_TCP || c->kind == FT_CARRIER_UDP)
            n = c->last > c->value
                    ? snprintf(text + used, size - used, "%s%s %llu-%llu", comma, kinds[c->kind],
                               (unsigned long long)c->value, (unsigned long long)c->last)
                    : snprintf(text + used, size - used, "%s%s %llu", comma, kinds[c->kind],
                               (unsigned long long)c->value);
        else
            n = snprintf(text + used, size - used, "%s%s 0x%04llx", comma,
                         c->kind < 7 ? kinds[c->kind] : "", (unsigned long long)c->value);
        used += n > 0 ? (size_t)n : 0;
    }
    if (p->signature_count && used + 16 < size)
        snprintf(text + used, size - used, "%scontent", used ? ", " : "");
}

void list_protocols(const struct ft_registry *r)
{
    char text[256];
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ft_protocol *p = r->protocols[i];
        carriers(p, text, sizeof(text));
        printf("%-16s %-44s %s\n", p->name, p->dissector->title, text);
    }
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {"",     "group", "uint",  "int",    "float",
                                        "bool", "enum",  "flags", "string", "bytes",
                                        "ipv4", "ipv6",  "mac",   "time"};
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
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
    char path[512];
    printf("\nFields\n");
    for (uint32_t i = 1; i < p->field_count; i++) {
        const struct ft_field *f = &p->fields[i];
        print_path(p, i, path, sizeof(path));
        printf("  %-44s %-7s%s%s %s\n", path, type_name(f->type),
               f->flags & FT_FIELD_LIST ? " list" : "", f->flags & FT_FIELD_SECRET ? " secret" : "",
               f->title ? f->title : "");
    }
}

static void describe_commands(const struct ft_protocol *p)
{
    printf("\nCommands\n");
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
    printf("\nViolations\n");
    for (uint32_t i = 0; i < p->violation_count; i++) {
        const struct ft_violation *v = &p->violations[i];
        printf("  %-32s %-8s %-5s %s\n", v->name, ft_severity_name(v->severity),
               v->is_alert ? "alert" : "", v->title);
    }
}

void describe_protocol(const struct ft_protocol *p)
{
    char text[256];
    carriers(p, text, sizeof(text));
    printf("%s: %s\n  carried by  %s\n", p->name, p->dissector->title, text);
    if (p->dissector->specification)
        printf("  written in  %s\n", p->dissector->specification);
    describe_fields(p);
    if (p->command_count)
        describe_commands(p);
    if (p->violation_count)
        describe_violations(p);
}
