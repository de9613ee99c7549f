/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run: the books, and what is written when all has been read. */
#include "run_internal.h"

#include "alert/summary.h"

#include <stdio.h>
#include <string.h>

static void say_remarks(struct sensor *s)
{
    const char *remark;
    while (s->capture && (remark = ft_capture_set_remark(s->capture)))
        fail(remark);
    if (s->filter && (remark = ft_filter_remark(s->filter)))
        fail(remark);
}

/* Books that do not close are a fault of the sensor: told in every way there is. */
static bool check_books(struct sensor *s)
{
    if (s->options->miscounts)
        s->books.ledger.received++;
    if (books_balance(s))
        return true;
    ft_core_health(s->core, "books_do_not_balance", FT_SEVERITY_MAJOR,
                   "Packets, stream bytes or events are not all accounted for: see stats.json.");
    return fail("the books do not balance: packets, stream bytes or events are not all accounted "
                "for; this is a fault of fieldtap, please report it");
}

/* The end of the summary of a live run. */
static void print_ports(const struct sensor *s)
{
    for (uint32_t i = 0; i < s->options->port_count; i++) {
        struct ft_core_port p = port_figures(s, i);
        printf("%s (%s): %llu packets received, %llu shed by the sensor, ", p.name, p.state,
               (unsigned long long)p.received, (unsigned long long)p.shed);
        if (p.knows_drops)
            printf("%llu dropped by the %s\n", (unsigned long long)p.dropped,
                   s->is_polled ? "NIC" : "kernel");
        else
            printf("drops of the %s unknown\n", s->is_polled ? "NIC" : "kernel");
    }
}

/* What a run leaves besides the events: files beside eve.json, or tables for people. */
static bool write_results(struct sensor *s)
{
    const char *dir = s->options->log_dir;
    char path[4096], error[512] = "";
    if (!dir) {
        ft_summary_print(stdout, s->core, &s->books.ledger, 0);
        print_ports(s);
        return true;
    }
    if (strcmp(dir, "-") == 0)
        return true;
    snprintf(path, sizeof(path), "%s/assets.json", dir);
    bool has_assets =
        ft_inventory_write(ft_core_inventory(s->core), path, error, sizeof(error)) || fail(error);
    bool has_rules = rule_stats_write(s, error, sizeof(error)) || fail(error);
    return (stats_write(s, dir, error, sizeof(error)) || fail(error)) && has_assets && has_rules;
}

/* Close the books, write what is written at the end. Returns the exit code. */
int run_finish(struct sensor *s)
{
    char error[512] = "";
    bool is_fine = check_books(s);
    ft_core_finish(s->core);
    bool is_written = ft_output_close(s->output, &s->written, error, sizeof(error));
    s->output = NULL;
    is_fine &= is_written || s->outputs.is_used || fail(error);
    is_fine &= outputs_close(s); /* what the journal did not take is told there */
    is_fine &= write_results(s);
    say_remarks(s);
    is_fine &= !s->capture || !ft_capture_set_is_incomplete(s->capture);
    if (s->capture && atomic_load(&s->stop))
        fprintf(stderr, "fieldtap: stopped by a signal after %llu packets\n",
                (unsigned long long)s->packets_read);
    return is_fine ? 0 : 1;
}
