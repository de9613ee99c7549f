/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The answers of the control socket: the functions of the commands, by what they are about, and
 * what they are written with. All run on the control thread, again and again until they are done.
 */
#ifndef CONTROL_ANSWERS_H
#define CONTROL_ANSWERS_H

#include "control_internal.h"

#include <stdio.h>

/* ---- control_answer_counters.c ---- */
enum control_outcome control_status(struct control *c, struct control_job *job);
enum control_outcome control_stats(struct control *c, struct control_job *job);
enum control_outcome control_ports(struct control *c, struct control_job *job);
enum control_outcome control_workers(struct control *c, struct control_job *job);
enum control_outcome control_ledger(struct control *c, struct control_job *job);

/* ---- control_answer_scans.c ---- */
enum control_outcome control_flows(struct control *c, struct control_job *job);
enum control_outcome control_assets(struct control *c, struct control_job *job);
enum control_outcome control_protocols(struct control *c, struct control_job *job);

/* ---- control_answer_rules.c ---- */
enum control_outcome control_rules_list(struct control *c, struct control_job *job);
enum control_outcome control_rules_stats(struct control *c, struct control_job *job);
enum control_outcome control_rules_explain_one(struct control *c, struct control_job *job);
enum control_outcome control_rules_reload(struct control *c, struct control_job *job);

/* ---- control_answer_sinks.c ---- */
enum control_outcome control_sinks(struct control *c, struct control_job *job);
enum control_outcome control_sink_test(struct control *c, struct control_job *job);

/* ---- control_answer_changes.c ---- */
enum control_outcome control_filter(struct control *c, struct control_job *job);
enum control_outcome control_log_level(struct control *c, struct control_job *job);
enum control_outcome control_capture_stop(struct control *c, struct control_job *job);
enum control_outcome control_capture_start(struct control *c, struct control_job *job);
enum control_outcome control_pcap(struct control *c, struct control_job *job);
enum control_outcome control_shut_down(struct control *c, struct control_job *job);

/** Names of enum control_level. */
extern const char *const control_levels[];

/** The filter that is in force: `filter`, null without. */
void control_put_filter(struct control *c, json_t *o);

/* ---- writing ---- */

static inline void put(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static inline void put_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, text ? json_string(text) : json_null());
}

static inline void put_real(json_t *o, const char *key, double n)
{
    json_object_set_new(o, key, json_real(n));
}

static inline enum control_outcome refuse(struct control_job *job, const char *why)
{
    snprintf(job->error, sizeof(job->error), "%s", why);
    return CONTROL_REFUSED;
}

/* One job at a time may have it. */
static inline bool own(const void **owner, const struct control_job *job)
{
    if (*owner && *owner != job)
        return false;
    *owner = job;
    return true;
}

#endif
