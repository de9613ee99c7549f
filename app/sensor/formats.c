/* SPDX-License-Identifier: BSD-3-Clause */
/* --list-formats: the tables of what sinks send, for the reference. */
#include "formats.h"

#include "forward/body.h"
#include "forward/sink_filter.h"

#include <stdio.h>
#include <string.h>

/* "alert, anomaly": the types from `first` on that have the same table. */
static void types_of(enum ft_forward_table_format format, enum ft_dialect dialect, int first,
                     char *to, size_t size)
{
    const struct ft_forward_table *table =
        ft_forward_table(format, dialect, (enum ft_forward_type)first);
    size_t used = 0;
    for (int type = first; type < FT_FORWARD_TYPES && used < size; type++)
        if (!memcmp(table, ft_forward_table(format, dialect, (enum ft_forward_type)type),
                    sizeof(*table)))
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "",
                                     ft_forward_type_name((enum ft_forward_type)type));
}

static bool is_first(enum ft_forward_table_format format, enum ft_dialect dialect, int type)
{
    const struct ft_forward_table *table =
        ft_forward_table(format, dialect, (enum ft_forward_type)type);
    for (int before = 0; before < type; before++)
        if (!memcmp(table, ft_forward_table(format, dialect, (enum ft_forward_type)before),
                    sizeof(*table)))
            return false;
    return true;
}

static void print_row(const char *format, const char *types, const struct ft_row *row)
{
    char key[128], source[256];
    if (row->label)
        snprintf(key, sizeof(key), "%s (%sLabel=%s)", row->key, row->key, row->label);
    else
        snprintf(key, sizeof(key), "%s", row->key);
    if (*row->source == '=')
        snprintf(source, sizeof(source), "\"%s\"", row->source + 1);
    else
        snprintf(source, sizeof(source), "%s", *row->source ? row->source : "@message, others");
    printf("key  %s  %s  %s  %s  %s  %s\n", format, types, key, source, ft_row_as_meaning(row->as),
           row->missing ? row->missing : "left out");
}

static void print_header(const char *format, const char *types,
                         const struct ft_forward_table *table)
{
    const struct ft_forward_table_header *h = table->header;
    const struct ft_row rows[] = {
        {"vendor", h->vendor, FT_ROW_TEXT, "empty", NULL},
        {"product", h->product, FT_ROW_TEXT, "empty", NULL},
        {"version", h->version, FT_ROW_TEXT, "empty", NULL},
        {"event id", h->id, FT_ROW_TEXT, "empty", NULL},
        {"name", h->name, FT_ROW_TEXT, "empty", NULL},
        {"severity", "@severity", FT_ROW_SEVERITY_NUMBER, "0", NULL},
    };
    uint32_t count = h->name ? 6 : 4;
    for (uint32_t i = 0; i < count; i++) {
        char key[32];
        struct ft_row row = rows[i];
        snprintf(key, sizeof(key), "header: %s", row.key);
        row.key = key;
        print_row(format, types, &row);
    }
}

static void print_table(enum ft_forward_table_format format, enum ft_dialect dialect, int type)
{
    const struct ft_forward_table *table =
        ft_forward_table(format, dialect, (enum ft_forward_type)type);
    const char *name = ft_forward_table_format_name(format);
    char types[256], shown[320];
    types_of(format, dialect, type, types, sizeof(types));
    snprintf(shown, sizeof(shown), "%s%s", types,
             !table->header || type            ? ""
             : dialect == FT_DIALECT_INCUMBENT ? " (defender)"
                                               : " (standard)");
    if (table->header)
        print_header(name, shown, table);
    for (uint32_t p = 0; p < FT_FORWARD_TABLE_PARTS; p++)
        for (uint32_t i = 0; i < table->parts[p].count; i++)
            print_row(name, shown, &table->parts[p].rows[i]);
}

static void print_tables(enum ft_forward_table_format format)
{
    bool has_dialects = format == FT_FORWARD_TABLE_CEF || format == FT_FORWARD_TABLE_LEEF;
    if (has_dialects)
        print_table(format, FT_DIALECT_INCUMBENT, FT_FORWARD_ALERT);
    for (int type = 0; type < FT_FORWARD_TYPES; type++)
        if (is_first(format, FT_DIALECT_STANDARD, type))
            print_table(format, FT_DIALECT_STANDARD, type);
}

void list_formats(void)
{
    const struct ft_rows *details = ft_forward_table_details();
    const char *name, *meaning;
    for (int format = 0; format < FT_FORWARD_TABLE_FORMATS; format++)
        print_tables((enum ft_forward_table_format)format);
    for (uint32_t i = 0; i < details->count; i++)
        print_row("information", "all", &details->rows[i]);
    for (int type = 0; type < FT_FORWARD_TYPES; type++)
        printf("title  %s  %s\nmessage  %s  %s\n", ft_forward_type_name((enum ft_forward_type)type),
               ft_source_title_template((enum ft_forward_type)type),
               ft_forward_type_name((enum ft_forward_type)type),
               ft_source_message_template((enum ft_forward_type)type));
    for (uint32_t i = 0; (name = ft_source_computed(i, &meaning)); i++)
        printf("source  %s  %s\n", name, meaning);
    ft_sink_filter_describe("filter", stdout);
}
