/* SPDX-License-Identifier: BSD-3-Clause */
/* The answers of the control socket: which function answers which command, and how it ends. */
#include "control_answers.h"

#define MS 1000000ull

enum control_outcome control_answer(struct control *c, struct control_job *job)
{
    static enum control_outcome (*const answers[FT_CONTROL_COMMANDS])(struct control *,
                                                                      struct control_job *) = {
        [FT_CONTROL_STATUS] = control_status,
        [FT_CONTROL_STATS] = control_stats,
        [FT_CONTROL_PORTS] = control_ports,
        [FT_CONTROL_WORKERS] = control_workers,
        [FT_CONTROL_LEDGER] = control_ledger,
        [FT_CONTROL_FLOWS] = control_flows,
        [FT_CONTROL_ASSETS] = control_assets,
        [FT_CONTROL_PROTOCOLS] = control_protocols,
        [FT_CONTROL_RULES_LIST] = control_rules_list,
        [FT_CONTROL_RULES_STATS] = control_rules_stats,
        [FT_CONTROL_RULES_EXPLAIN] = control_rules_explain_one,
        [FT_CONTROL_RULES_RELOAD] = control_rules_reload,
        [FT_CONTROL_SINKS] = control_sinks,
        [FT_CONTROL_SINK_TEST] = control_sink_test,
        [FT_CONTROL_FILTER] = control_filter,
        [FT_CONTROL_LOG_LEVEL] = control_log_level,
        [FT_CONTROL_CAPTURE_STOP] = control_capture_stop,
        [FT_CONTROL_CAPTURE_START] = control_capture_start,
        [FT_CONTROL_PCAP] = control_pcap,
        [FT_CONTROL_SHUTDOWN] = control_shut_down,
    };
    return answers[job->request.command](c, job);
}

void control_job_end(struct control *c, struct control_job *job)
{
    const void **owners[] = {&c->flows_owner, &c->assets_owner, &c->filter_owner};
    for (unsigned i = 0; i < 3; i++)
        if (*owners[i] == job)
            *owners[i] = NULL;
    ft_control_request_free(&job->request);
    json_decref(job->result);
    job->result = NULL;
}

uint64_t control_patience(const struct control_job *job)
{
    if (job->request.command == FT_CONTROL_SINK_TEST) /* it says itself what was waited for */
        return 40000 * MS;
    /* Ten thousand rules take seconds to compile. */
    return job->request.command == FT_CONTROL_RULES_RELOAD ? 120000 * MS : 10000 * MS;
}
