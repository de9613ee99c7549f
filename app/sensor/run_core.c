/* SPDX-License-Identifier: BSD-3-Clause */
/* The alerting core of a run, and where what it tells is written. */
#include "run_internal.h"

#include "base/say.h"
#include "output/eve.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A disk that is full when the run begins: better said now than after hours of reading. */
static bool has_room(const char *dir)
{
    struct statvfs disk;
    if (!dir || strcmp(dir, "-") == 0 || statvfs(dir, &disk) < 0 || disk.f_blocks == 0 ||
        (geteuid() == 0 ? disk.f_bfree : disk.f_bavail) > 0)
        return true;
    fprintf(stderr, "fieldtap: the disk of %s is full: free some of it or give another directory\n",
            dir);
    return false;
}

/* A journal takes its place on the disk by itself, and can do without for a while. */
static bool open_output(struct sensor *s)
{
    char error[512];
    if (s->outputs.is_used)
        return outputs_open(s);
    s->output = ft_output_open(s->options->log_dir, error, sizeof(error));
    return s->output ? has_room(s->options->log_dir) : fail(error);
}

/* Lines that no journal numbers go on after those of the file; and after what has packets, which
 * would be another's otherwise when the file was removed. */
static uint64_t first_number(const struct sensor *s)
{
    uint64_t after = s->outputs.is_used ? 0 : evidence_last(s);
    if (after < ft_eve_uid_after(ft_output_last_line(s->output)) || !after)
        return 0;
    ft_say("fieldtap", "numbers go on after %llu: an alert with this number has packets already",
           (unsigned long long)after);
    return after + 1;
}

bool run_make_core(struct sensor *s)
{
    const struct ft_config *c = &s->options->config;
    char error[512];
    struct ft_core_config config = {.sensor = c->sensor_name,
                                    .site = c->sensor_site,
                                    .log_secrets = c->log_secrets,
                                    .arkime_addresses = c->arkime_addresses,
                                    .salt = {0x6669656c64746170ull, 1},
                                    .interfaces = s->options->links,
                                    .interface_count = s->options->link_count,
                                    .ports = s->port_names,
                                    .port_count = s->options->port_count};
    evidence_ask(s, &config);
    /* Nobody who sends to a live sensor may know its hashes; those of captures are the same. */
    if (s->is_live && getrandom(config.salt, sizeof(config.salt), 0) < 0)
        return fail("no random numbers: getrandom failed");
    for (uint32_t i = 0; i < s->options->port_count; i++)
        s->port_names[i] = s->options->ports[i].name;
    if (!open_output(s))
        return false;
    config.first_number = first_number(s);
    s->core = ft_core_new(&config, s->registry, s->output, error, sizeof(error));
    if (!s->core)
        return fail(error);
    rule_stats_read(s);
    return true;
}
