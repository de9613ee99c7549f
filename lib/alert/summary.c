/* SPDX-License-Identifier: BSD-3-Clause */
/* The summary for people. */
#include "alert/summary.h"

#include "dissect/context.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS    9u
#define CELL_WIDTH 56u
#define CELL_SIZE  (4 * CELL_WIDTH + 8)
#define LINE_WIDTH 120u /* a table is not wider */
#define SUB_WIDTH  20u  /* a nested identity in the column of addresses, which are not cut */
#define DAY_NS     (UINT64_C(86400) * 1000000000)
#define CUT_LEAST  10u /* and no column cut to less */

/* ---- text ---- */

/* The character at p: its bytes, 0 when it is not UTF-8. */
static uint32_t decode(const uint8_t *p, uint32_t *bytes)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t n = p[0] < 0x80       ? 1
                 : p[0] >> 5 == 6  ? 2
                 : p[0] >> 4 == 14 ? 3
                 : p[0] >> 3 == 30 ? 4
                                   : 0;
    uint32_t c = n < 2 ? p[0] : p[0] & (0x7fu >> n);
    *bytes = 0;
    for (uint32_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (!n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *bytes = n;
    return c;
}

/* Characters that move the cursor or turn the direction of what follows. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           c == 0x61c;
}

static uint32_t columns_of(uint32_t c)
{
    if ((c >= 0x300 && c < 0x370) || (c >= 0x1ab0 && c < 0x1b00) || (c >= 0x20d0 && c < 0x2100) ||
        (c >= 0xfe00 && c < 0xfe10))
        return 0; /* combining marks */
    bool is_wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) ||
                   (c >= 0xac00 && c < 0xd7a4) || (c >= 0xf900 && c < 0xfb00) ||
                   (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
                   (c >= 0x1f300 && c < 0x1fb00) || (c >= 0x20000 && c < 0x3fffe);
    return is_wide ? 2 : 1;
}

/* One character of `from` as it is shown, in `shown`; steps over it. Returns its columns. */
static uint32_t show(const char **from, char shown[8], uint32_t *length)
{
    uint32_t bytes, c = decode((const uint8_t *)*from, &bytes);
    if (!bytes) {
        *length = (uint32_t)snprintf(shown, 8, "\\x%02x", (uint8_t) * *from);
        *from += 1;
        return *length;
    }
    memcpy(shown, *from, bytes);
    *length = bytes;
    *from += bytes;
    if (is_control(c)) {
        shown[0] = '?';
        *length = 1;
        return 1;
    }
    return columns_of(c);
}

uint32_t ft_summary_text(const char *from, char *to, size_t size, uint32_t width)
{
    uint32_t used = 0, cut_columns = 0;
    size_t n = 0, cut = 0;
    while (*from) {
        char shown[8];
        uint32_t length, columns = show(&from, shown, &length);
        if (used + columns > width || n + length + 4 > size) {
            memcpy(to + cut, "\u2026", 4);
            return cut_columns + 1;
        }
        memcpy(to + n, shown, length);
        n += length;
        used += columns;
        if (used < width) {
            cut = n;
            cut_columns = used;
        }
    }
    to[n] = 0;
    return used;
}

/* ---- tables ---- */

struct table {
    const char *const *heads;
    uint32_t columns, count, size;
    uint32_t may_cut;   /* bit per column: text, of which the beginning will do */
    uint32_t cut_first; /* likewise, to be cut before others are */
    uint32_t widths[COLUMNS];
    struct cell {
        char text[CELL_SIZE];
        uint32_t columns;
    } * cells;
};

static void table_begin(struct table *t, const char *const *heads, uint32_t columns,
                        uint32_t may_cut)
{
    *t = (struct table){.heads = heads, .columns = columns, .may_cut = may_cut};
}

/* A new row with empty cells; NULL when memory is short. */
static struct cell *table_row(struct table *t)
{
    if (t->count == t->size) {
        uint32_t size = t->size ? t->size * 2 : 64;
        struct cell *cells = realloc(t->cells, (size_t)size * t->columns * sizeof(*cells));
        if (!cells)
            return NULL;
        t->cells = cells;
        t->size = size;
    }
    struct cell *row = t->cells + (size_t)t->count++ * t->columns;
    memset(row, 0, t->columns * sizeof(*row));
    return row;
}

static void set(struct table *t, struct cell *row, uint32_t column, const char *text)
{
    struct cell *c = &row[column];
    c->columns = ft_summary_text(text ? text : "", c->text, sizeof(c->text), CELL_WIDTH);
    if (c->columns > t->widths[column])
        t->widths[column] = c->columns;
}

static void print_row(FILE *to, const struct table *t, const struct cell *row)
{
    char cut[CELL_SIZE];
    uint32_t owed = 0; /* blanks, written only when something follows */
    fputs(" ", to);
    for (uint32_t i = 0; i < t->columns; i++) {
        if (!t->widths[i])
            continue; /* nobody has it */
        uint32_t width = t->widths[i];
        const char *text = row ? row[i].text : t->heads[i];
        uint32_t used = row ? row[i].columns : (uint32_t)strlen(text);
        if (used > width) {
            used = ft_summary_text(text, cut, sizeof(cut), width);
            text = cut;
        }
        if (used)
            fprintf(to, "%*s%s", (int)owed + 1, "", text);
        owed = used ? width - used + 1 : owed + width + 2;
    }
    fputc('\n', to);
}

/* The widest column that may be cut; t->columns when there is none. */
static uint32_t widest(const struct table *t, uint32_t may_cut)
{
    uint32_t found = t->columns;
    for (uint32_t i = 0; i < t->columns; i++)
        if (may_cut & 1u << i && t->widths[i] > CUT_LEAST &&
            (found == t->columns || t->widths[i] > t->widths[found]))
            found = i;
    return found;
}

/* Final widths: room for the heads, then the widest columns are cut until a line is short enough.
 */
static void fit(struct table *t)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < t->columns; i++) {
        uint32_t head = (uint32_t)strlen(t->heads[i]);
        if (t->widths[i] && t->widths[i] < head)
            t->widths[i] = head;
        total += t->widths[i] ? t->widths[i] + 2 : 0;
    }
    for (uint32_t i; total > LINE_WIDTH && ((i = widest(t, t->cut_first)) < t->columns ||
                                            (i = widest(t, t->may_cut)) < t->columns);
         total--)
        t->widths[i]--;
}

static void table_print(FILE *to, struct table *t, const char *title, uint64_t more)
{
    fit(t);
    fprintf(to, "%s\n", title);
    if (t->count)
        print_row(to, t, NULL);
    else
        fputs("  none\n", to);
    for (uint32_t i = 0; i < t->count; i++)
        print_row(to, t, t->cells + (size_t)i * t->columns);
    if (more)
        fprintf(to, "  and %llu more\n", (unsigned long long)more);
    fputc('\n', to);
    free(t->cells);
}

static void number(char text[32], uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
}

/* Append to text that may already be full. */
static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* ---- assets ---- */

enum {
    ASSET_ADDRESS,
    ASSET_MAC,
    ASSET_NAME,
    ASSET_VENDOR,
    ASSET_MODEL,
    ASSET_FIRMWARE,
    ASSET_ROLE,
    ASSET_BEHIND
};

static void asset_row(struct table *t, const struct ft_core *core, const struct ft_asset *a)
{
    struct cell *row = table_row(t);
    char sub[200], text[200] = "  ";
    if (!row)
        return;
    if (a->parent) {
        ft_asset_sub_text(a, sub, sizeof(sub));
        ft_summary_text(sub, text + 2, sizeof(text) - 2, SUB_WIDTH);
    } else {
        ft_address_text(&a->address, text);
    }
    set(t, row, ASSET_ADDRESS, text);
    const uint8_t *mac = ft_asset_mac_address(a);
    if (mac && a->address.family != 2) {
        struct ft_address m = {.family = 2};
        memcpy(m.ip.bytes, mac, 6);
        ft_address_text(&m, text);
        set(t, row, ASSET_MAC, text);
    }
    set(t, row, ASSET_NAME, ft_asset_fact(a, FT_FACT_NAME));
    set(t, row, ASSET_VENDOR, ft_asset_vendor(ft_core_inventory(core), a));
    set(t, row, ASSET_MODEL, ft_asset_fact(a, FT_FACT_MODEL));
    set(t, row, ASSET_FIRMWARE, ft_asset_fact(a, FT_FACT_FIRMWARE));
    if (ft_asset_role_of(a) != FT_ROLE_UNKNOWN)
        set(t, row, ASSET_ROLE, ft_role_name(ft_asset_role_of(a)));
}

/* Nested identities: those of which something is known have a row, the others are named in a cell.
 */
static void nested_rows(struct table *t, const struct ft_core *core, const struct ft_asset *a)
{
    struct ft_asset **children = ft_asset_children_sorted(a);
    uint32_t parent = t->count - 1, named = 0;
    char text[400] = "";
    for (uint32_t i = 0; children && i < a->child_count; i++) {
        char sub[160];
        if (children[i]->values) {
            asset_row(t, core, children[i]);
            continue;
        }
        ft_asset_sub_text(children[i], sub, sizeof(sub));
        if (named < 4)
            append(text, sizeof(text), "%s%s", named ? ", " : "", sub);
        named++;
    }
    if (named > 4)
        append(text, sizeof(text), " +%u", named - 4);
    set(t, t->cells + (size_t)parent * t->columns, ASSET_BEHIND, text);
    free(children);
}

/* Whom the plant's computers talk to in the Internet. What controls, or is controlled, belongs to
 * the plant whatever its address, for many plants number their devices as they like; so does who
 * states its MAC address, which is done within a network only. */
static bool is_elsewhere(const struct ft_asset *a)
{
    const uint32_t elsewhere = 1u << FT_ROLE_UNKNOWN | 1u << FT_ROLE_SERVER |
                               1u << FT_ROLE_WORKSTATION | 1u << FT_ROLE_ROUTER;
    return ft_address_is_external(&a->address) && !a->mac_is_strong &&
           elsewhere >> ft_asset_role_of(a) & 1;
}

static void print_assets(FILE *to, const struct ft_core *core, uint32_t rows)
{
    static const char *const heads[] = {"ADDRESS", "MAC",      "NAME", "VENDOR",
                                        "MODEL",   "FIRMWARE", "ROLE", "BEHIND IT"};
    const struct ft_inventory *inv = ft_core_inventory(core);
    struct ft_asset **all = ft_inventory_sorted(inv);
    uint32_t found = all ? ft_inventory_count(inv) : 0, count = 0;
    for (uint32_t i = 0; i < found; i++)
        if (!is_elsewhere(all[i]))
            all[count++] = all[i];
    uint32_t shown = count < rows ? count : rows;
    struct table t;
    char title[80], n[32];
    table_begin(&t, heads, 8, ~(1u << ASSET_ADDRESS | 1u << ASSET_MAC));
    t.cut_first = 1u << ASSET_NAME | 1u << ASSET_BEHIND;
    for (uint32_t i = 0; i < shown; i++) {
        uint32_t before = t.count;
        asset_row(&t, core, all[i]);
        if (t.count > before)
            nested_rows(&t, core, all[i]);
    }
    number(n, count);
    snprintf(title, sizeof(title), "Assets (%s)", n);
    table_print(to, &t, title, count - shown);
    if (found > count)
        fprintf(to, "  Left out: %u with addresses of the Internet (\"external\" in the JSON)\n\n",
                found - count);
    free(all);
}

/* ---- conversations ---- */

/* A conversation, between assets: a MAC address that belongs to an IP address is shown as that. */
struct talk {
    struct ft_address client, server;
    const struct ft_conversation *conversation;
};

static void resolve(const struct ft_inventory *inv, struct ft_address *address)
{
    const struct ft_asset *a = address->family == 2 ? ft_inventory_find(inv, address) : NULL;
    if (a)
        *address = a->address;
}

static const struct ft_protocol *protocol_of(const struct ft_core *core, uint16_t protocol)
{
    return protocol ? ft_core_registry(core)->protocols[protocol - 1] : NULL;
}

static int compare_talks(const void *a, const void *b)
{
    const struct talk *x = a, *y = b;
    int order = ft_address_compare(&x->client, &y->client);
    if (!order)
        order = ft_address_compare(&x->server, &y->server);
    return order ? order : (int)x->conversation->protocol - (int)y->conversation->protocol;
}

/* "read 3, write 1": the operations seen, by class. */
static void classes_text(const struct ft_conversation *c, char *text, size_t size)
{
    bool is_first = true;
    for (unsigned i = 0; i < FT_CLASS_COUNT; i++)
        if (c->by_class[i]) {
            append(text, size, "%s%s %u", is_first ? "" : ", ", ft_class_name((enum ft_class)i),
                   c->by_class[i]);
            is_first = false;
        }
}

static void talk_row(struct table *t, const struct ft_core *core, const struct talk *pair,
                     uint32_t n)
{
    struct cell *row = table_row(t);
    char text[64], operations[400] = "", protocols[200] = "";
    uint64_t packets = 0;
    if (!row)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const struct ft_conversation *c = pair[i].conversation;
        const struct ft_protocol *p = protocol_of(core, c->protocol);
        packets += c->packets;
        if (!p || (p->flags & FT_DISSECTOR_TRANSPORT && n > 1))
            continue;
        append(protocols, sizeof(protocols), "%s%s", *protocols ? ", " : "", p->name);
        if (c->operations) {
            append(operations, sizeof(operations), "%s", *operations ? "; " : "");
            classes_text(c, operations, sizeof(operations));
        }
    }
    ft_address_text(&pair->client, text);
    set(t, row, 0, text);
    set(t, row, 1, pair->conversation->is_mutual ? "<->" : "->");
    ft_address_text(&pair->server, text);
    set(t, row, 2, text);
    set(t, row, 3, *protocols ? protocols : "not recognised");
    set(t, row, 4, *operations || !*protocols ? operations : "none understood");
    number(text, packets);
    set(t, row, 5, packets ? text : "");
}

/* What a pair speaks: 0 an industrial protocol, 1 another over IP, 2 only housekeeping below IP. */
static unsigned rank(const struct ft_core *core, const struct talk *pair, uint32_t n)
{
    unsigned best = 2;
    for (uint32_t i = 0; i < n; i++) {
        const struct ft_conversation *c = pair[i].conversation;
        const struct ft_protocol *p = protocol_of(core, c->protocol);
        if (p && p->flags & FT_DISSECTOR_OT)
            return 0;
        if (c->client.family != 2)
            best = 1;
    }
    return best;
}

static struct talk *make_talks(const struct ft_core *core, uint32_t *count)
{
    const struct ft_conversation **all = ft_conversations_sorted(ft_core_conversations(core));
    uint32_t n = all ? ft_conversations_count(ft_core_conversations(core)) : 0;
    struct talk *talks = n ? calloc(n, sizeof(*talks)) : NULL;
    *count = talks ? n : 0;
    for (uint32_t i = 0; i < *count; i++) {
        talks[i].client = all[i]->client;
        talks[i].server = all[i]->server;
        talks[i].conversation = all[i];
        resolve(ft_core_inventory(core), &talks[i].client);
        resolve(ft_core_inventory(core), &talks[i].server);
    }
    if (*count)
        qsort(talks, n, sizeof(*talks), compare_talks);
    free(all);
    return talks;
}

static void print_conversations(FILE *to, const struct ft_core *core, uint32_t rows)
{
    static const char *const heads[] = {"CLIENT",   "",           "SERVER",
                                        "PROTOCOL", "OPERATIONS", "PACKETS"};
    uint32_t count, pairs = 0, housekeeping = 0;
    struct talk *talks = make_talks(core, &count);
    struct table t;
    char title[160], n[32];
    table_begin(&t, heads, 6, 1u << 3 | 1u << 4);
    for (unsigned wanted = 0; wanted < 3; wanted++)
        for (uint32_t i = 0, next; i < count; i = next) {
            for (next = i + 1; next < count &&
                               !ft_address_compare(&talks[i].client, &talks[next].client) &&
                               !ft_address_compare(&talks[i].server, &talks[next].server);)
                next++;
            if (rank(core, talks + i, next - i) != wanted)
                continue;
            if (wanted == 2)
                housekeeping++;
            else if (pairs++ < rows)
                talk_row(&t, core, talks + i, next - i);
        }
    number(n, pairs);
    snprintf(
        title, sizeof(title),
        "Who talks to whom (%s)\n  Operations: how many different ones of each class were seen", n);
    table_print(to, &t, title, pairs > rows ? pairs - rows : 0);
    if (housekeeping)
        fprintf(to, "  Left out: %u pairs that only resolve addresses or keep the network\n\n",
                housekeeping);
    free(talks);
}

/* ---- alerts ---- */

/* Alerts of one kind between two devices, in one row: the first of them, and what was done. */
struct alert_group {
    const struct ft_core_alert *first;
    uint64_t count;
    uint32_t commands;
    char text[100];
};

static bool is_same_group(const struct ft_core_alert *a, const struct ft_core_alert *b)
{
    return a->finding == b->finding && a->protocol == b->protocol &&
           ((!ft_address_compare(&a->source, &b->source) &&
             !ft_address_compare(&a->destination, &b->destination)) ||
            (!ft_address_compare(&a->source, &b->destination) &&
             !ft_address_compare(&a->destination, &b->source)));
}

static void add_command(struct alert_group *g, const char *name)
{
    const char *at = strstr(g->text, name);
    size_t n = strlen(name);
    if (at && (at == g->text || at[-1] == ' ') && (!at[n] || at[n] == ','))
        return;
    if (g->commands++ < 3)
        append(g->text, sizeof(g->text), "%s%s", *g->text ? ", " : "", name);
    else if (g->commands == 4)
        append(g->text, sizeof(g->text), ", ...");
}

static void add_commands(const struct ft_core *core, struct alert_group *g,
                         const struct ft_core_alert *a)
{
    char scratch[32];
    for (uint32_t i = 0; i < a->commands.count; i++)
        add_command(g, ft_command_name(protocol_of(core, a->protocol), a->commands.rows[i].code,
                                       a->commands.rows[i].qualifier, scratch));
}

static void alert_row(struct table *t, const struct ft_core *core, const struct alert_group *g,
                      bool has_date)
{
    const struct ft_core_alert *a = g->first;
    struct cell *row = table_row(t);
    char text[64];
    if (!row)
        return;
    ft_time_text(text, a->time_ns);
    text[10] = ' ';
    text[19] = 0;
    set(t, row, 0, has_date ? text : text + 11);
    set(t, row, 1, ft_severity_name((enum ft_severity)a->finding->severity));
    set(t, row, 2, a->finding->title);
    if (a->protocol)
        set(t, row, 3, protocol_of(core, a->protocol)->name);
    set(t, row, 4, g->text);
    ft_address_text(&a->source, text);
    set(t, row, 5, text);
    set(t, row, 6, "->");
    ft_address_text(&a->destination, text);
    set(t, row, 7, text);
    number(text, g->count);
    set(t, row, 8, text);
}

/* The worst first, then the earliest. Those of equal time stand in the list in their order. */
static int compare_alerts(const void *a, const void *b)
{
    const struct ft_core_alert *x = *(const struct ft_core_alert *const *)a,
                               *y = *(const struct ft_core_alert *const *)b;
    if (x->finding->severity != y->finding->severity)
        return x->finding->severity < y->finding->severity ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Fold the alerts into at most `rows` groups; *over: those that belong to further ones. */
static uint32_t group_alerts(const struct ft_core *core, struct alert_group *groups, uint32_t rows,
                             uint64_t *over)
{
    uint32_t count, n = 0;
    const struct ft_core_alert *all = ft_core_alerts(core, &count, over);
    const struct ft_core_alert **sorted = calloc(count ? count : 1, sizeof(*sorted));
    for (uint32_t i = 0; sorted && i < count; i++)
        sorted[i] = &all[i];
    if (sorted)
        qsort(sorted, count, sizeof(*sorted), compare_alerts);
    for (uint32_t i = 0; sorted && i < count; i++) {
        uint32_t g = 0;
        while (g < n && !is_same_group(groups[g].first, sorted[i]))
            g++;
        if (g == rows) {
            *over += 1;
            continue;
        }
        if (g == n)
            groups[n++] = (struct alert_group){.first = sorted[i]};
        groups[g].count += sorted[i]->count;
        add_commands(core, &groups[g], sorted[i]);
    }
    free(sorted);
    return n;
}

static void print_alerts(FILE *to, const struct ft_core *core, uint32_t rows)
{
    static const char *const heads[] = {"TIME (UTC)", "SEVERITY",    "ALERT",
                                        "PROTOCOL",   "COMMAND",     "SOURCE",
                                        "",           "DESTINATION", "COUNT"};
    struct alert_group *groups = calloc(rows, sizeof(*groups));
    uint64_t over = 0;
    uint32_t n = groups ? group_alerts(core, groups, rows, &over) : 0;
    struct table t;
    char title[120], text[32], day[64] = "";
    bool has_date = false; /* one that all have is said once: titles need the room */
    for (uint32_t i = 1; i < n; i++)
        has_date |= groups[i].first->time_ns / DAY_NS != groups[0].first->time_ns / DAY_NS;
    table_begin(&t, heads, 9, 1u << 4); /* titles are what one reads it for */
    for (uint32_t i = 0; i < n; i++)
        alert_row(&t, core, &groups[i], has_date);
    if (n && !has_date)
        ft_time_text(day, groups[0].first->time_ns);
    number(text, n);
    snprintf(title, sizeof(title), "Alerts (%s%s)%s%.10s", text, over ? " shown" : "",
             *day ? "\n  of " : "", day);
    table_print(to, &t, title, over);
    free(groups);
}

/* ---- anomalies ---- */

static int compare_anomalies(const void *a, const void *b)
{
    const struct ft_core_anomaly *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->finding->key, y->finding->key);
}

/* One line: what was malformed or against its protocol, the most frequent first. */
static void print_anomalies(FILE *to, const struct ft_core *core)
{
    uint32_t count, shown = 0;
    const struct ft_core_anomaly *all = ft_core_anomalies(core, &count);
    struct ft_core_anomaly *sorted = count ? malloc(count * sizeof(*sorted)) : NULL;
    uint64_t sum = 0;
    char line[LINE_WIDTH + 1] = "", n[32];
    if (!sorted)
        return;
    memcpy(sorted, all, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_anomalies);
    for (uint32_t i = 0; i < count; i++)
        sum += sorted[i].count;
    number(n, sum);
    append(line, sizeof(line), "%s %s: ", n, sum == 1 ? "anomaly" : "anomalies");
    for (; shown < count; shown++) {
        char item[128];
        number(n, sorted[shown].count);
        snprintf(item, sizeof(item), "%s%s %s", shown ? ", " : "", sorted[shown].finding->key, n);
        if (strlen(line) + strlen(item) + sizeof(", and 65535 more kinds") > sizeof(line))
            break;
        append(line, sizeof(line), "%s", item);
    }
    if (shown < count)
        append(line, sizeof(line), ", and %u more kinds", count - shown);
    fprintf(to, "%s\n\n", line);
    free(sorted);
}

/* ---- the books ---- */

static void print_ledger(FILE *to, const struct ft_ledger *l)
{
    char text[32];
    number(text, l->received);
    fprintf(to, "Ledger: %s packets received =", text);
    const char *join = " ";
    for (unsigned i = FT_BUCKET_ANALYSED; i < FT_BUCKET_COUNT; i++) {
        if (!l->packets[i])
            continue;
        number(text, l->packets[i]);
        fprintf(to, "%s%s %s", join, text, ft_bucket_name((enum ft_bucket)i));
        join = " + ";
    }
    fprintf(to, "%s; the books %s\n", l->received ? "" : " 0",
            ft_ledger_is_balanced(l) ? "are balanced" : "DO NOT BALANCE");
}

/* What the switch in front of the sensor does, if anything. */
static void print_mirror(FILE *to, const struct ft_core *core)
{
    char text[512];
    for (unsigned i = 0; ft_core_mirror_line(core, i, text, sizeof(text)); i++)
        fprintf(to, "Mirror: %s\n", text);
}

void ft_summary_print(FILE *to, const struct ft_core *core, const struct ft_ledger *ledger,
                      uint32_t rows)
{
    rows = rows ? rows : 200;
    print_assets(to, core, rows);
    print_conversations(to, core, rows);
    print_alerts(to, core, rows);
    print_anomalies(to, core);
    print_ledger(to, ledger);
    print_mirror(to, core);
}
