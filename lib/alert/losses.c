/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the sensor itself lost, by interface: dropped by the kernel or the NIC because nobody took
 * it in time, or shed because the worker it belongs to was too busy. Told in health events when it
 * begins and when it has ended; the numbers are in all statistics.
 */
#include "alert/core_internal.h"

#include <stdio.h>
#include <string.h>

/*
 * It begins when between two statistics so many of 10,000 packets were lost, and so many: a few at
 * the start are no reason to look for a faster machine. It has ended when there is a tenth of that.
 * Two levels, or a loss on the edge would be told again and again.
 */
#define BEGINS_PER_10000 10u
#define BEGINS_LEAST     10u
#define ENDED_PER_10000  1u

/* Since statistics began. What nobody knows counts as nothing. */
static struct ft_core_loss loss_of(const struct ft_core_port *p)
{
    struct ft_core_loss l = {.shed = p->shed};
    l.dropped = p->knows_drops ? p->dropped : 0;
    /* Of a port of DPDK both are one number. */
    l.missed = p->knows_nic && !p->is_polled ? p->nic_missed : 0;
    l.packets = (p->knows_drops ? p->arrived : p->received) + l.missed;
    return l;
}

static uint64_t sum(const struct ft_core_loss *l)
{
    return l->dropped + l->missed + l->shed;
}

static struct ft_core_loss since(const struct ft_core_loss *now, const struct ft_core_loss *before)
{
    struct ft_core_loss l = {.packets = now->packets - before->packets,
                             .dropped = now->dropped - before->dropped,
                             .missed = now->missed - before->missed,
                             .shed = now->shed - before->shed};
    /* What is shed now may have come before the last statistics. */
    l.packets = l.packets < sum(&l) ? sum(&l) : l.packets;
    return l;
}

/* One place where packets were lost, and what helps; behind those before it. */
static void add_place(char *places, char *advice, size_t size, uint64_t n, const char *place,
                      const char *remedy)
{
    size_t used = strlen(places);
    if (!n)
        return;
    snprintf(places + used, size - used, "%s%llu %s", used ? "; " : "", (unsigned long long)n,
             place);
    used = strlen(advice);
    snprintf(advice + used, size - used, "%s%s", used ? "; " : "What helps: ", remedy);
}

static void describe(const struct ft_core_port *p, const struct ft_core_loss *l, char *text,
                     size_t size)
{
    char places[384] = "", advice[384] = "";
    if (p->is_polled)
        add_place(places, advice, sizeof(places), l->dropped,
                  "dropped by the NIC or its driver, whose queues were full",
                  "more workers that poll them, on CPUs of their own; larger capture.descriptors");
    else
        add_place(places, advice, sizeof(places), l->dropped,
                  "dropped by the kernel, whose ring was full",
                  "a larger capture.ring, a filter, or a faster core");
    add_place(places, advice, sizeof(places), l->missed,
              "lost in the NIC, which the kernel did not empty in time",
              "a longer receive ring (ethtool -G) and more cores for its interrupts");
    add_place(places, advice, sizeof(places), l->shed,
              "shed by the sensor, whose rings to busy workers were full",
              "more workers (-w, cores.workers), or a filter");
    double share = 100.0 * (double)sum(l) / (double)l->packets;
    snprintf(text, size, "The sensor lost %llu of %llu packets of %s (%.*f %%): %s%s. %s",
             (unsigned long long)sum(l), (unsigned long long)l->packets, p->name, share < 10, share,
             places,
             p->knows_drops ? "" : "; what was dropped before that the driver does not tell",
             advice);
}

static void watch_port(struct ft_core *core, const struct ft_core_totals *totals, uint32_t i,
                       const struct ft_core_loss *l)
{
    struct ft_event now = {.type = FT_EVENT_HEALTH,
                           .time_ns = totals->stamp_ns,
                           .number = totals->number,
                           .health.port = (uint16_t)(i + 1)};
    const struct ft_core_port *p = &totals->ports[i];
    bool *is_losing = &core->losses[i].is_losing;
    uint64_t lost = sum(l);
    char text[1024];
    if (!*is_losing && lost >= BEGINS_LEAST && lost * 10000 >= l->packets * BEGINS_PER_10000) {
        *is_losing = true;
        describe(p, l, text, sizeof(text));
        ft_core_health_of(core, &now, "packets_lost", FT_SEVERITY_MAJOR, text);
    } else if (*is_losing && l->packets && lost * 10000 < l->packets * ENDED_PER_10000) {
        *is_losing = false;
        snprintf(text, sizeof(text),
                 "The sensor takes the packets of %s again (lost: %llu of %llu)", p->name,
                 (unsigned long long)lost, (unsigned long long)l->packets);
        ft_core_health_of(core, &now, "packets_lost_ended", FT_SEVERITY_WARNING, text);
    }
}

bool ft_core_losses_watch(struct ft_core *core, const struct ft_core_totals *totals)
{
    bool has_lost = false;
    for (uint32_t i = 0; i < totals->port_count && i < core->config.port_count; i++) {
        struct ft_core_loss now = loss_of(&totals->ports[i]);
        struct ft_core_loss l = since(&now, &core->losses[i].before);
        core->losses[i].before = now;
        has_lost |= sum(&l) > 0;
        watch_port(core, totals, i, &l);
    }
    return has_lost;
}
