/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers of the control socket: what changes the sensor, filter, log level, capture, its end; and
 * the packets of an alert.
 */
#include "control_answers.h"

#include "evidence/name.h"

#include <errno.h>
#include <rte_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const control_levels[] = {"error", "warning", "notice", "info", "debug"};

void control_put_filter(struct control *c, json_t *o)
{
    pthread_mutex_lock(&c->filter_lock);
    put_text(o, "filter", c->filter);
    pthread_mutex_unlock(&c->filter_lock);
}

static enum control_outcome set_filter(struct control *c, struct control_job *job, const char *text)
{
    struct control_points *points = &c->sensor->points;
    char error[512];
    if (!c->sensor->is_live)
        return refuse(job, "the filter of a run on captures is its --filter: it cannot be changed");
    if (!own(&c->filter_owner, job))
        return CONTROL_WAITS;
    if (job->step == 0) {
        struct ft_filter *filter = *text ? ft_filter_new(text, error, sizeof(error)) : NULL;
        char *copy = strdup(text);
        if (*text && !filter) {
            free(copy);
            snprintf(job->error, sizeof(job->error), "%s", error);
            return CONTROL_REFUSED;
        }
        ft_filter_free(filter);
        job->step = 1;
        atomic_store(&points->filter_result, CONTROL_FILTER_PENDING);
        free(atomic_exchange(&points->filter_wish, copy));
    }
    int result = atomic_load_explicit(&points->filter_result, memory_order_acquire);
    if (result == CONTROL_FILTER_PENDING)
        return CONTROL_WAITS;
    control_put_filter(c, job->result);
    return result == CONTROL_FILTER_TAKEN ? CONTROL_DONE : refuse(job, "out of memory");
}

enum control_outcome control_filter(struct control *c, struct control_job *job)
{
    const char *text = ft_control_text(&job->request, "expression", NULL);
    if (text)
        return set_filter(c, job, text);
    control_put_filter(c, job->result);
    return CONTROL_DONE;
}

enum control_outcome control_log_level(struct control *c, struct control_job *job)
{
    static const uint32_t of_dpdk[] = {RTE_LOG_ERR, RTE_LOG_ERR, RTE_LOG_ERR, RTE_LOG_INFO,
                                       RTE_LOG_DEBUG};
    const char *wish = ft_control_text(&job->request, "level", NULL);
    for (int i = 0; wish && i <= CONTROL_LEVEL_DEBUG; i++) {
        if (strcmp(control_levels[i], wish) != 0)
            continue;
        atomic_store(&c->level, i);
        rte_log_set_global_level(of_dpdk[i]);
    }
    put_text(job->result, "level", control_levels[atomic_load(&c->level)]);
    return CONTROL_DONE;
}

static enum control_outcome capture(struct control *c, struct control_job *job, bool is_held)
{
    struct sensor *s = c->sensor;
    if (atomic_load(&s->is_read) || atomic_load(&s->stop))
        return refuse(job, "the sensor is ending: nothing is captured any more");
    atomic_store(&s->points.is_held, is_held);
    if (atomic_load_explicit(&s->points.is_holding, memory_order_acquire) != is_held)
        return CONTROL_WAITS;
    put_text(job->result, "state", is_held ? "held" : s->is_live ? "capturing" : "reading");
    if (!is_held)
        return CONTROL_DONE;
    put_text(job->result, "note",
             s->is_polled ? "the ports are closed, and what their queues still had is lost; a NIC "
                            "stays with its driver, hugepages stay taken"
             : s->is_live
                 ? "the sockets stay open and take nothing: what arrives is not counted; the "
                   "interfaces stay promiscuous, and the memory stays taken"
                 : "reading pauses; time does not go on");
    return CONTROL_DONE;
}

enum control_outcome control_capture_stop(struct control *c, struct control_job *job)
{
    return capture(c, job, true);
}

enum control_outcome control_capture_start(struct control *c, struct control_job *job)
{
    return capture(c, job, false);
}

enum control_outcome control_pcap(struct control *c, struct control_job *job)
{
    const char *id = ft_control_text(&job->request, "alert", "");
    char folder[4096], name[256];
    struct stat st;
    if (!c->sensor->evidence.wishes || !evidence_folder(c->sensor->options, folder, sizeof(folder)))
        return refuse(job, "packet evidence is off: this sensor keeps no packets");
    int fd = ft_evidence_open(folder, id);
    if (fd < 0 || fstat(fd, &st) < 0 || !ft_evidence_file_name(id, name, sizeof(name))) {
        int reason = errno;
        if (fd >= 0)
            close(fd);
        return refuse(job,
                      reason == EINVAL ? "this is no alert_id"
                      : reason == ENOENT
                          ? "there are no packets of this alert: not yet, not any more, or they "
                            "were never wanted"
                          : strerror(reason));
    }
    close(fd);
    json_object_set_new(job->result, "file", json_sprintf("%s/%s", folder, name));
    put(job->result, "bytes", (uint64_t)st.st_size);
    return CONTROL_DONE;
}

enum control_outcome control_shut_down(struct control *c, struct control_job *job)
{
    atomic_store(&c->sensor->stop, true); /* the alerting loop wakes the reader */
    put_text(job->result, "state", "ending");
    return CONTROL_DONE;
}
