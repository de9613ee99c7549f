/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers as tables for people. Much of what is in them comes from the network: names of devices,
 * texts of protocols. Nothing of it reaches the terminal as control characters.
 */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELL    256u
#define COLUMNS 10u

enum format {
    TEXT = 0, /* also numbers as they are */
    BYTES,
    TIME, /* seconds since 1970 */
    LIST, /* texts, joined */
};

struct column {
    const char *heading, *key; /* of two levels: "client.address" */
    enum format format;
    unsigned widest; /* 0: as it comes */
};

/* ---- cells ---- */

/* Without control characters, C1 ones included, and what turns the direction of text. */
static void append_clean(char *to, size_t size, const char *text)
{
    size_t used = strlen(to);
    for (const unsigned char *p = (const unsigned char *)text; *p && used + 1 < size; p++) {
        bool is_control = *p < 32 || *p == 127 || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) ||
                          (*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
                          (*p == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
        to[used++] = is_control ? '?' : (char)*p;
        if (is_control && *p >= 0xc2)
            p += *p == 0xc2 ? 1 : 2;
    }
    /* No half of a character at the end. */
    while (used && used + 1 >= size && ((unsigned char)to[used - 1] & 0xc0) == 0x80)
        used--;
    if (used && used + 2 >= size && (unsigned char)to[used - 1] >= 0xc0)
        used--;
    to[used] = 0;
}

static void bytes_text(double n, char *to, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned u = 0;
    for (; n >= 1024 && u < 5; u++)
        n /= 1024;
    snprintf(to, size, u ? "%.1f %s" : "%.0f %s", n, units[u]);
}

static void time_text(double seconds, char *to, size_t size)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(to, size, "%Y-%m-%d %H:%M:%SZ", &tm))
        snprintf(to, size, "%.0f", seconds);
}

static const json_t *find(const json_t *o, const char *key)
{
    const char *dot = strchr(key, '.');
    char first[64];
    if (!dot)
        return json_object_get(o, key);
    snprintf(first, sizeof(first), "%.*s", (int)(dot - key), key);
    return find(json_object_get(o, first), dot + 1);
}

static void cell(const json_t *value, enum format format, char *to, size_t size)
{
    *to = 0;
    if (format == BYTES && json_is_number(value))
        bytes_text(json_number_value(value), to, size);
    else if (format == TIME && json_is_number(value))
        time_text(json_number_value(value), to, size);
    else if (json_is_string(value))
        append_clean(to, size, json_string_value(value));
    else if (json_is_integer(value))
        snprintf(to, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(to, size, "%.3f", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(to, size, "%s", json_is_true(value) ? "yes" : "no");
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        append_clean(to, size, i ? ", " : "");
        append_clean(to, size, text ? text : "");
    }
}

/* Columns on the screen: bytes that begin a character. */
static unsigned width_of(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* ---- tables ---- */

static bool is_number(const json_t *list, const char *key)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = find(json_array_get(list, i), key);
        if (v && !json_is_null(v))
            return json_is_number(v);
    }
    return false;
}

static void print_row(FILE *to, unsigned count, char (*cells)[CELL], const unsigned *widths,
                      const bool *right)
{
    for (unsigned c = 0; c < count; c++) {
        unsigned gap = widths[c] > width_of(cells[c]) ? widths[c] - width_of(cells[c]) : 0;
        bool is_last = c + 1 == count;
        if (right[c])
            fprintf(to, "%*s%s", (int)gap, "", cells[c]);
        else
            fprintf(to, "%s%*s", cells[c], is_last ? 0 : (int)gap, "");
        fputs(is_last ? "\n" : "  ", to);
    }
}

static void print_table(FILE *to, const json_t *list, const struct column *columns)
{
    char cells[COLUMNS][CELL];
    unsigned widths[COLUMNS], count = 0;
    bool right[COLUMNS];
    for (; count < COLUMNS && columns[count].heading; count++) {
        const struct column *c = &columns[count];
        widths[count] = width_of(c->heading);
        right[count] = c->format != TIME && is_number(list, c->key);
        for (size_t i = 0; i < json_array_size(list); i++) {
            cell(find(json_array_get(list, i), c->key), c->format, cells[0],
                 c->widest ? c->widest : CELL);
            unsigned w = width_of(cells[0]);
            widths[count] = w > widths[count] ? w : widths[count];
        }
    }
    for (unsigned c = 0; c < count; c++)
        snprintf(cells[c], CELL, "%s", columns[c].heading);
    print_row(to, count, cells, widths, right);
    for (size_t i = 0; i < json_array_size(list); i++) {
        for (unsigned c = 0; c < count; c++)
            cell(find(json_array_get(list, i), columns[c].key), columns[c].format, cells[c],
                 columns[c].widest ? columns[c].widest : CELL);
        print_row(to, count, cells, widths, right);
    }
}

/* Names and values, one a line; objects inside are indented. */
static void print_members(FILE *to, const json_t *o, unsigned depth)
{
    const char *key;
    json_t *value;
    char text[4096];
    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        if (json_is_object(value)) {
            fprintf(to, "%*s%s\n", (int)depth * 2, "", key);
            print_members(to, value, depth + 1);
            continue;
        }
        bool is_time =
            strcmp(key, "started") == 0 || strcmp(key, "time") == 0 || strcmp(key, "since") == 0;
        bool is_size = strcmp(key, "memory") == 0 || strcmp(key, "bytes") == 0;
        cell(value, is_time ? TIME : is_size ? BYTES : TEXT, text, sizeof(text));
        if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
            fprintf(to, "%*s%s\n", (int)depth * 2, "", key);
            for (size_t i = 0; i < json_array_size(value); i++) {
                if (i)
                    fputc('\n', to);
                print_members(to, json_array_get(value, i), depth + 1);
            }
        } else if (*text) {
            fprintf(to, "%*s%-*s  %s\n", (int)depth * 2, "", 18, key, text);
        }
    }
}

/* What others compose of several lines: with its line ends. */
static void print_lines(FILE *to, const char *text)
{
    char line[1024];
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        char copy[1024];
        snprintf(copy, sizeof(copy), "%.*s", (int)(n < sizeof(copy) ? n : sizeof(copy) - 1), text);
        line[0] = 0;
        append_clean(line, sizeof(line), copy);
        fprintf(to, "%s\n", line);
        text += n + (text[n] == '\n');
    }
}

static const struct column port_columns[] = {{"PORT", "name", TEXT, 0},
                                             {"STATE", "state", TEXT, 0},
                                             {"PACKETS", "packets", TEXT, 0},
                                             {"BYTES", "bytes", BYTES, 0},
                                             {"DROPPED", "dropped", TEXT, 0},
                                             {"SHED", "shed", TEXT, 0},
                                             {"NIC MISSED", "nic_missed", TEXT, 0},
                                             {"LINK CHANGES", "link_changes", TEXT, 0},
                                             {0}};
static const struct column worker_columns[] = {{"WORKER", "worker", TEXT, 0},
                                               {"PACKETS", "packets", TEXT, 0},
                                               {"BYTES", "bytes", BYTES, 0},
                                               {"MESSAGES", "messages", TEXT, 0},
                                               {"CYCLES/PACKET", "cycles_per_packet", TEXT, 0},
                                               {"WAITING", "input_waiting", TEXT, 0},
                                               {"MOST WAITED", "input_high_water", TEXT, 0},
                                               {"EVENTS MOST", "events_high_water", BYTES, 0},
                                               {"OF", "events_size", BYTES, 0},
                                               {0}};
static const struct column flow_columns[] = {{"CLIENT", "client.address", TEXT, 0},
                                             {"PORT", "client.port", TEXT, 0},
                                             {"SERVER", "server.address", TEXT, 0},
                                             {"PORT", "server.port", TEXT, 0},
                                             {"CARRIED BY", "transport", TEXT, 0},
                                             {"PROTOCOL", "protocol", TEXT, 0},
                                             {"PACKETS", "packets", TEXT, 0},
                                             {"BYTES", "bytes", BYTES, 0},
                                             {"LAST", "last", TIME, 0},
                                             {0}};
static const struct column asset_columns[] = {
    {"ADDRESS", "id", TEXT, 0},        {"MAC", "mac", TEXT, 0},
    {"ROLE", "role", TEXT, 0},         {"VENDOR", "vendor", TEXT, 32},
    {"MODEL", "model", TEXT, 32},      {"NAME", "name", TEXT, 32},
    {"SERVES", "server_of", LIST, 48}, {0}};
static const struct column protocol_columns[] = {
    {"PROTOCOL", "name", TEXT, 0}, {"STATE", "state", TEXT, 0},
    {"FLOWS", "flows", TEXT, 0},   {"PACKETS", "packets", TEXT, 0},
    {"BYTES", "bytes", BYTES, 0},  {"MESSAGES", "messages", TEXT, 0},
    {"TITLE", "title", TEXT, 0},   {0}};
static const struct column rule_columns[] = {{"ID", "id", TEXT, 0},
                                             {"REVISION", "revision", TEXT, 0},
                                             {"SEVERITY", "severity", TEXT, 0},
                                             {"TITLE", "title", TEXT, 60},
                                             {"FILE", "file", TEXT, 0},
                                             {"LINE", "line", TEXT, 0},
                                             {0}};
static const struct column hit_columns[] = {{"ID", "id", TEXT, 0},
                                            {"HITS", "hits", TEXT, 0},
                                            {"LAST", "last", TIME, 0},
                                            {"EVALUATIONS", "evaluations", TEXT, 0},
                                            {"CYCLES EACH", "cycles_per_evaluation", TEXT, 0},
                                            {"TITLE", "title", TEXT, 0},
                                            {0}};
static const struct column sink_columns[] = {
    {"SINK", "name", TEXT, 0}, {"KIND", "type", TEXT, 0},         {"STATE", "state", TEXT, 0},
    {"SENT", "sent", TEXT, 0}, {"FAILED", "failed", TEXT, 0},     {"SKIPPED", "skipped", TEXT, 0},
    {"LAG", "lag", TEXT, 0},   {"LAST ERROR", "error", TEXT, 80}, {0}};

/* How many of how many, and how to get the rest. */
static void print_rest(FILE *to, const json_t *result, const char *list, const char *count)
{
    const json_t *next = json_object_get(result, "next");
    fprintf(to, "%zu of %lld", json_array_size(json_object_get(result, list)),
            (long long)json_integer_value(json_object_get(result, count)));
    if (next)
        fprintf(to, "; the next ones: --after %lld", (long long)json_integer_value(next));
    fputc('\n', to);
}

static void show_books(const json_t *books, FILE *to)
{
    const char *part, *key;
    json_t *object, *value;
    json_object_foreach((json_t *)(uintptr_t)books, part, object)
    {
        double all = json_number_value(json_object_get(object, "received"));
        fprintf(to, "%s\n", part);
        json_object_foreach(object, key, value)
        {
            double n = json_number_value(value);
            fprintf(to, "  %-32s %20.0f", key, n);
            if (all > 0 && strcmp(part, "events") != 0)
                fprintf(to, "  %6.2f %%", 100 * n / all);
            fputc('\n', to);
        }
    }
}

void show(enum ft_control_id command, const json_t *result, FILE *to)
{
    const json_t *assets = json_object_get(result, "assets");
    char text[4200];
    switch (command) {
    case FT_CONTROL_STATS:
        show_live(NULL, result, to);
        return;
    case FT_CONTROL_PORTS:
        print_table(to, json_object_get(result, "ports"), port_columns);
        return;
    case FT_CONTROL_WORKERS:
        print_table(to, json_object_get(result, "workers"), worker_columns);
        return;
    case FT_CONTROL_LEDGER:
        show_books(result, to);
        return;
    case FT_CONTROL_FLOWS:
        print_table(to, json_object_get(result, "flows"), flow_columns);
        print_rest(to, result, "flows", "active");
        return;
    case FT_CONTROL_ASSETS:
        if (json_array_size(assets) == 1 && json_object_get(json_array_get(assets, 0), "facts")) {
            print_members(to, json_array_get(assets, 0), 0);
            return;
        }
        print_table(to, assets, asset_columns);
        print_rest(to, result, "assets", "count");
        return;
    case FT_CONTROL_PROTOCOLS:
        print_table(to, json_object_get(result, "protocols"), protocol_columns);
        return;
    case FT_CONTROL_RULES_LIST:
        print_table(to, json_object_get(result, "rules"), rule_columns);
        print_rest(to, result, "rules", "count");
        return;
    case FT_CONTROL_RULES_STATS:
        print_table(to, json_object_get(result, "rules"), hit_columns);
        print_rest(to, result, "rules", "count");
        return;
    case FT_CONTROL_RULES_EXPLAIN:
        print_lines(to, json_string_value(json_object_get(result, "text")));
        return;
    case FT_CONTROL_RULES_RELOAD:
        print_lines(to, json_string_value(json_object_get(result, "said")));
        return;
    case FT_CONTROL_FILTER:
        cell(json_object_get(result, "filter"), TEXT, text, sizeof(text));
        fprintf(to, "%s\n", *text ? text : "(none: everything passes)");
        return;
    case FT_CONTROL_SINKS:
        print_table(to, json_object_get(result, "sinks"), sink_columns);
        return;
    default:
        print_members(to, result, 0);
    }
}

/* ---- the live screen ---- */

static double value_of(const json_t *o, const char *key)
{
    return json_number_value(find(o, key));
}

/* A counter, and what it grew by in a second. */
static void show_counter(FILE *to, const json_t *before, const json_t *now, const char *title,
                         const char *key)
{
    double seconds = value_of(now, "uptime") - value_of(before, "uptime");
    fprintf(to, "  %-14s %20.0f", title, value_of(now, key));
    if (before && seconds > 0)
        fprintf(to, "  %14.1f /s", (value_of(now, key) - value_of(before, key)) / seconds);
    fputc('\n', to);
}

/* Of a sensor that keeps packets of alerts. */
static void show_evidence(FILE *to, const json_t *now)
{
    char size[32];
    if (!json_is_object(json_object_get(now, "evidence")))
        return;
    bytes_text(value_of(now, "evidence.files_bytes"), size, sizeof(size));
    fprintf(to, "  %-14s %20.0f  written; %.0f dropped, %.0f files of %s\n", "evidence",
            value_of(now, "evidence.written"), value_of(now, "evidence.dropped"),
            value_of(now, "evidence.files"), size);
}

void show_live(const json_t *before, const json_t *now, FILE *to)
{
    static const struct {
        const char *title, *key;
    } counters[] = {{"packets", "packets"},
                    {"bytes", "bytes"},
                    {"dropped", "dropped"},
                    {"messages", "messages"},
                    {"events", "events"},
                    {"rule hits", "rule_hits"},
                    {"alerts", "alerts"},
                    {"devices", "assets"},
                    {"flows made", "flows.created"},
                    {"flows refused", "flows.refused"}};
    const json_t *ports = json_object_get(now, "ports");
    char text[64], memory[32];
    unsigned long up = (unsigned long)value_of(now, "uptime");
    time_text(value_of(now, "time"), text, sizeof(text));
    bytes_text(value_of(now, "memory"), memory, sizeof(memory));
    fprintf(to, "%s  %s, up %lu d %02lu:%02lu:%02lu, %s of memory\n\n", text,
            json_string_value(json_object_get(now, "state")), up / 86400, up / 3600 % 24,
            up / 60 % 60, up % 60, memory);
    for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        show_counter(to, before, now, counters[i].title, counters[i].key);
    fprintf(to, "  %-14s %20.0f  of %.0f\n", "flows", value_of(now, "flows.active"),
            value_of(now, "flows.capacity"));
    show_evidence(to, now);
    fputc('\n', to);
    if (json_array_size(ports)) {
        print_table(to, ports, port_columns);
        fputc('\n', to);
    }
    print_table(to, json_object_get(now, "workers"), worker_columns);
    fputc('\n', to);
}
