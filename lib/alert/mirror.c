/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said about the mirror in front of the sensor: how much of what it delivers is copies,
 * what it lost, and whether it delivers one direction only. In statistics, in the summary, and in
 * health events when it is worth somebody's time.
 */
#include "alert/core_internal.h"

#include <stdio.h>
#include <string.h>

/* Places named in statistics and sentences, the largest; the sums are of all. */
#define SHOWN 16u

/* Copies: told once, of so many packets on, if they are so many of a hundred. */
#define COPIES_LEAST   1000u
#define COPIES_PERCENT 5u

/*
 * Loss: begins when of a thousand bytes of TCP in the time between two statistics so many were
 * never seen, in so many holes: a connection or two that went wrong are no loss. It has ended when
 * there is a tenth of that. Two levels, or a loss on the edge would be told again and again.
 */
#define LOSS_PERMILLE       10u
#define LOSS_ENDED_PERMILLE 1u
#define LOSS_HOLES          10u

/* Connections of which one direction comes: told once. */
#define ONE_WAY_LEAST 5u

static const char *link_name(const struct ft_core *core, uint16_t link)
{
    return link < core->config.interface_count ? core->config.interfaces[link] : NULL;
}

/* "eth1 VLAN 10", "VLAN 10", "eth1 untagged". */
static void name_place(const struct ft_core *core, struct ft_mirror_place place, char *text,
                       size_t size)
{
    const char *link = link_name(core, place.link);
    if (place.vlan == FT_MIRROR_UNTAGGED)
        snprintf(text, size, "%s%suntagged", link ? link : "", link ? " " : "");
    else
        snprintf(text, size, "%s%sVLAN %u", link ? link : "", link ? " " : "", place.vlan);
}

/* "eth1:10", "eth1:untagged"; of captures "capture:10". */
static void key_place(const struct ft_core *core, struct ft_mirror_place place, char *text,
                      size_t size)
{
    const char *link = link_name(core, place.link);
    if (place.vlan == FT_MIRROR_UNTAGGED)
        snprintf(text, size, "%s:untagged", link ? link : "capture");
    else
        snprintf(text, size, "%s:%u", link ? link : "capture", place.vlan);
}

static bool is_larger(const struct ft_mirror_row *a, const struct ft_mirror_row *b)
{
    return a->count > b->count; /* of equal ones the one that came first */
}

/* The largest rows of a kind, largest first; how many. */
static uint32_t largest(const struct ft_mirror *m, enum ft_mirror_kind kind,
                        const struct ft_mirror_row *rows[SHOWN])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->used; i++) {
        const struct ft_mirror_row *row = &m->rows[i];
        uint32_t at = n;
        if (row->kind != kind || !row->count)
            continue;
        while (at && is_larger(row, rows[at - 1]))
            at--;
        if (at == SHOWN)
            continue;
        n += n < SHOWN;
        memmove(&rows[at + 1], &rows[at], (n - at - 1) * sizeof(rows[0]));
        rows[at] = row;
    }
    return n;
}

/* ---- statistics ---- */

static void put_rows(struct ft_core *core, struct ft_json *j, const char *key,
                     enum ft_mirror_kind kind)
{
    const struct ft_mirror_row *rows[SHOWN];
    uint32_t n = largest(&core->mirror.now, kind, rows);
    if (!n)
        return;
    ft_json_key(j, key);
    ft_json_object(j);
    for (uint32_t i = 0; i < n; i++) {
        char name[192], copy[96];
        key_place(core, rows[i]->place, name, sizeof(name));
        key_place(core, rows[i]->copy, copy, sizeof(copy));
        size_t used = strlen(name);
        if (kind == FT_MIRROR_COPIES)
            snprintf(name + used, sizeof(name) - used, "+%s", copy);
        ft_json_put_uint(j, name, rows[i]->count);
    }
    ft_json_object_end(j);
}

void ft_core_mirror_stats(struct ft_core *core, struct ft_json *j)
{
    const struct ft_mirror *m = &core->mirror.now;
    uint64_t routed;
    ft_json_key(j, "mirror");
    ft_json_object(j);
    ft_json_put_uint(j, "copies", ft_mirror_sum(m, FT_MIRROR_COPIES, &routed));
    ft_json_put_uint(j, "copies_routed", routed);
    put_rows(core, j, "copies_by_place", FT_MIRROR_COPIES);
    ft_json_put_uint(j, "unseen_bytes", ft_mirror_sum(m, FT_MIRROR_UNSEEN, NULL));
    put_rows(core, j, "unseen_by_place", FT_MIRROR_UNSEEN);
    ft_json_put_uint(j, "one_way", ft_mirror_sum(m, FT_MIRROR_ONE_WAY, NULL));
    put_rows(core, j, "one_way_by_place", FT_MIRROR_ONE_WAY);
    ft_json_object_end(j);
}

/* ---- sentences ---- */

/* "12.3", of a hundred. */
static void percent(uint64_t part, uint64_t whole, char *text, size_t size)
{
    double share = whole ? 100.0 * (double)part / (double)whole : 0;
    snprintf(text, size, share < 10 ? "%.1f" : "%.0f", share);
}

/* "eth1 VLAN 10", "VLAN 10 and VLAN 20", and that there are more. */
static void name_largest(const struct ft_core *core, enum ft_mirror_kind kind, char *text,
                         size_t size)
{
    const struct ft_mirror_row *rows[SHOWN];
    uint32_t n = largest(&core->mirror.now, kind, rows);
    char copy[96];
    *text = 0;
    if (!n)
        return;
    name_place(core, rows[0]->place, text, size);
    name_place(core, rows[0]->copy, copy, sizeof(copy));
    size_t used = strlen(text);
    if (kind == FT_MIRROR_COPIES)
        snprintf(text + used, size - used, " and %s", strcmp(text, copy) == 0 ? "again" : copy);
    used = strlen(text);
    if (n > 1 && used < size)
        snprintf(text + used, size - used, ", and %u other%s", n - 1, n > 2 ? "s" : "");
}

static bool describe_copies(const struct ft_core *core, char *text, size_t size)
{
    uint64_t copies = ft_mirror_sum(&core->mirror.now, FT_MIRROR_COPIES, NULL);
    char share[16], where[256];
    percent(copies, core->mirror.packets, share, sizeof(share));
    name_largest(core, FT_MIRROR_COPIES, where, sizeof(where));
    snprintf(text, size, "%s %% of packets are copies, which were left out (%s)", share, where);
    return copies > 0;
}

static bool describe_loss(const struct ft_core *core, char *text, size_t size)
{
    uint64_t unseen = ft_mirror_sum(&core->mirror.now, FT_MIRROR_UNSEEN, NULL);
    char share[16], where[256];
    percent(unseen, unseen + core->mirror.bytes, share, sizeof(share));
    name_largest(core, FT_MIRROR_UNSEEN, where, sizeof(where));
    snprintf(text, size,
             "%s %% of the bytes of TCP (%llu) were acknowledged and never seen: lost before the "
             "sensor (%s)",
             share, (unsigned long long)unseen, where);
    return unseen > 0;
}

static bool describe_one_way(const struct ft_core *core, char *text, size_t size)
{
    uint64_t n = ft_mirror_sum(&core->mirror.now, FT_MIRROR_ONE_WAY, NULL);
    char where[256];
    name_largest(core, FT_MIRROR_ONE_WAY, where, sizeof(where));
    snprintf(text, size, "of %llu TCP connection%s one direction only is delivered (%s)",
             (unsigned long long)n, n == 1 ? "" : "s", where);
    return n > 0;
}

bool ft_core_mirror_line(const struct ft_core *core, unsigned line, char *text, size_t size)
{
    bool (*const describe[])(const struct ft_core *, char *,
                             size_t) = {describe_copies, describe_loss, describe_one_way};
    for (unsigned i = 0; i < sizeof(describe) / sizeof(describe[0]); i++)
        if (describe[i](core, text, size) && !line--)
            return true;
    return false;
}

/* ---- health ---- */

static void hint(struct ft_core *core, const char *name, const char *text, const char *advice)
{
    char whole[768];
    snprintf(whole, sizeof(whole), "The mirror: %s. %s", text, advice);
    ft_core_health(core, name, FT_SEVERITY_WARNING, whole);
}

static void watch_copies(struct ft_core *core)
{
    uint64_t copies = ft_mirror_sum(&core->mirror.now, FT_MIRROR_COPIES, NULL);
    char text[512];
    if (core->mirror.told_copies || copies < COPIES_LEAST ||
        copies * 100 < core->mirror.packets * COPIES_PERCENT)
        return;
    core->mirror.told_copies = true;
    describe_copies(core, text, sizeof(text));
    hint(
        core, "mirror_copies", text,
        "Each of them takes room that the mirror lacks for others: mirror one direction of a port, "
        "or one VLAN of a routed pair");
}

static void watch_one_way(struct ft_core *core)
{
    char text[512];
    if (core->mirror.told_one_way ||
        ft_mirror_sum(&core->mirror.now, FT_MIRROR_ONE_WAY, NULL) < ONE_WAY_LEAST)
        return;
    core->mirror.told_one_way = true;
    describe_one_way(core, text, sizeof(text));
    hint(core, "mirror_one_way", text,
         "Requests are not paired with responses there, and loss cannot be estimated: mirror both "
         "directions");
}

/* By what came since the statistics before; not when the sensor itself lost packets meanwhile. */
static void watch_loss(struct ft_core *core, bool is_own)
{
    uint64_t all_holes, all = ft_mirror_sum(&core->mirror.now, FT_MIRROR_UNSEEN, &all_holes);
    uint64_t unseen = all - core->mirror.unseen, holes = all_holes - core->mirror.holes;
    uint64_t sent = unseen + core->mirror.bytes - core->mirror.received;
    bool begins = !is_own && holes >= LOSS_HOLES && unseen * 1000 >= sent * LOSS_PERMILLE;
    char text[512];
    core->mirror.unseen = all;
    core->mirror.holes = all_holes;
    core->mirror.received = core->mirror.bytes;
    if (!core->mirror.is_losing && begins) {
        core->mirror.is_losing = true;
        describe_loss(core, text, sizeof(text));
        hint(core, "mirror_loss", text,
             "Its output port is too narrow or its switch too busy: see the switch's counters of "
             "output drops");
    } else if (core->mirror.is_losing && sent && unseen * 1000 < sent * LOSS_ENDED_PERMILLE) {
        core->mirror.is_losing = false;
        ft_core_health(core, "mirror_loss_ended", FT_SEVERITY_WARNING,
                       "The mirror delivers what receivers acknowledge, again");
    }
}

void ft_core_mirror_watch(struct ft_core *core, const struct ft_core_totals *totals, bool is_own)
{
    if (totals->mirror)
        core->mirror.now = *totals->mirror;
    core->mirror.packets = totals->ledger->received;
    core->mirror.bytes = totals->ledger->stream_received;
    watch_copies(core);
    /* What a filter leaves out is not the mirror's doing. */
    if (totals->ledger->packets[FT_BUCKET_FILTERED])
        return;
    watch_loss(core, is_own);
    watch_one_way(core);
}
