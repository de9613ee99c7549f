/* SPDX-License-Identifier: BSD-3-Clause */
/* The IEEE registries of MAC address blocks: "Registry,Assignment,Organization Name,Address". */
#include "inventory/oui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One registry: all its prefixes have the same length, sorted. */
struct registry {
    struct row {
        uint64_t prefix;
        char *name;
    } * rows;
    size_t count, size;
    unsigned digits; /* hex digits of a prefix */
};

struct ft_oui {
    struct registry registries[3]; /* longest prefix first */
};

/* Cut the next CSV field out of a line, in place; quotes are taken off, doubled ones halved. */
static char *next_field(char **line)
{
    char *from = *line, *to = *line, *field = *line;
    if (*from != '"') {
        from += strcspn(from, ",\r\n");
        to = from;
    } else {
        for (from++; *from && !(from[0] == '"' && from[1] != '"'); from++) {
            from += *from == '"';
            *to++ = *from;
        }
        from += *from == '"';
    }
    *line = *from ? from + 1 : from;
    *to = 0;
    return field;
}

static void trim(char *text)
{
    size_t n = strlen(text), blanks = strspn(text, " \t");
    while (n > blanks && strchr(" \t,", text[n - 1])) /* some rows read "Siemens AG," */
        n--;
    memmove(text, text + blanks, n - blanks);
    text[n - blanks] = 0;
}

static void add_line(struct registry *r, char *line)
{
    char *end;
    next_field(&line);
    char *assignment = next_field(&line), *name = next_field(&line);
    uint64_t prefix = strtoull(assignment, &end, 16);
    trim(name);
    if (*end || strlen(assignment) != r->digits || !*name || !strcmp(name, "Private") ||
        !strcmp(name, "IEEE Registration Authority"))
        return;
    if (r->count == r->size) {
        size_t size = r->size ? r->size * 2 : 4096;
        struct row *rows = realloc(r->rows, size * sizeof(*rows));
        if (!rows)
            return;
        r->rows = rows;
        r->size = size;
    }
    char *copy = strdup(name);
    if (copy)
        r->rows[r->count++] = (struct row){prefix, copy};
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    return strcmp(x->name, y->name); /* a few blocks are listed twice: a fixed one is taken */
}

static void load(struct registry *r, const char *directory, const char *name)
{
    char path[4096], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    while (getline(&line, &size, f) > 0)
        add_line(r, line);
    free(line);
    fclose(f);
    if (r->count)
        qsort(r->rows, r->count, sizeof(*r->rows), compare_rows);
}

struct ft_oui *ft_oui_load(const char *directory)
{
    static const char *const files[3] = {"oui36.csv", "mam.csv", "oui.csv"};
    static const unsigned digits[3] = {9, 7, 6};
    struct ft_oui *oui = calloc(1, sizeof(*oui));
    if (!oui)
        return NULL;
    size_t rows = 0;
    for (int i = 0; i < 3; i++) {
        oui->registries[i].digits = digits[i];
        load(&oui->registries[i], directory, files[i]);
        rows += oui->registries[i].count;
    }
    if (rows)
        return oui;
    ft_oui_free(oui);
    return NULL;
}

void ft_oui_free(struct ft_oui *oui)
{
    for (int i = 0; oui && i < 3; i++) {
        for (size_t n = 0; n < oui->registries[i].count; n++)
            free(oui->registries[i].rows[n].name);
        free(oui->registries[i].rows);
    }
    free(oui);
}

static const char *find(const struct registry *r, uint64_t prefix)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->rows[middle].prefix < prefix)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->count && r->rows[low].prefix == prefix ? r->rows[low].name : NULL;
}

const char *ft_oui_vendor(const struct ft_oui *oui, const uint8_t mac[6])
{
    if (!oui || mac[0] & 3) /* a group, or locally administered */
        return NULL;
    uint64_t address = 0;
    for (int i = 0; i < 6; i++)
        address = address << 8 | mac[i];
    for (int i = 0; i < 3; i++) {
        const struct registry *r = &oui->registries[i];
        const char *name = find(r, address >> (48 - 4 * r->digits));
        if (name)
            return name;
    }
    return NULL;
}
