/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of the control socket: sinks, and test events for them. */
#include "control_answers.h"

#include "base/clock_ns.h"

#define MS 1000000ull

/* A sink that was asked to send a test event is waited for so long. */
#define SINK_TEST_NS (30000 * MS)

static json_t *sink_of(const struct ft_sink_stats *st)
{
    json_t *o = json_object();
    put_text(o, "name", st->name);
    put_text(o, "type", st->kind);
    put_text(o, "target", st->target);
    put_text(o, "state", ft_sink_state_name(st->state));
    put_real(o, "since", (double)(st->since_ns / MS) / 1e3);
    put(o, "sent", st->sent);
    put(o, "bytes", st->bytes);
    put(o, "lag", st->lag);
    put(o, "filtered", st->filtered);
    put(o, "refused", st->refused);
    put(o, "missed", st->missed);
    put(o, "skipped", st->refused + st->missed);
    put(o, "failed", st->failed);
    put(o, "readers", st->readers);
    put(o, "dropped", st->dropped);
    if (st->last_error_ns)
        put_text(o, "error", st->last_error);
    return o;
}

enum control_outcome control_sinks(struct control *c, struct control_job *job)
{
    const struct outputs *outputs = &c->sensor->outputs;
    json_t *list = json_array();
    struct ft_sink_stats st;
    for (uint32_t i = 0; outputs->is_running && ft_sinks_stats(outputs->sinks, i, &st); i++)
        json_array_append_new(list, sink_of(&st));
    json_object_set_new(job->result, "sinks", list);
    return CONTROL_DONE;
}

enum control_outcome control_sink_test(struct control *c, struct control_job *job)
{
    const struct outputs *outputs = &c->sensor->outputs;
    const char *name = ft_control_text(&job->request, "name", "");
    char text[512];
    bool is_ok;
    if (!outputs->is_running || !ft_sinks_count(outputs->sinks))
        return refuse(job, "this sensor has no sinks: outputs[] of the configuration names them");
    if (job->step == 0) {
        job->step = 1;
        job->number = ft_sinks_test_begin(outputs->sinks, name, text, sizeof(text));
        if (!job->number)
            return refuse(job, text);
    }
    if (!ft_sinks_test_is_over(outputs->sinks, name, job->number, &is_ok, text, sizeof(text)))
        return ft_clock_ns(CLOCK_MONOTONIC) - job->began_ns < SINK_TEST_NS ? CONTROL_WAITS
                                                                           : refuse(job, text);
    if (!is_ok)
        return refuse(job, text);
    put_text(job->result, "said", text);
    return CONTROL_DONE;
}
