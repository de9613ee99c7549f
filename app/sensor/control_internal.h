/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server of the control socket (control.c) and its answers (control_answers.h) share. */
#ifndef CONTROL_INTERNAL_H
#define CONTROL_INTERNAL_H

#include "control/request.h"
#include "figures.h"

#define CONTROL_ERROR_MAX 16384u

enum control_level {
    CONTROL_LEVEL_ERROR = 0,
    CONTROL_LEVEL_WARNING,
    CONTROL_LEVEL_NOTICE,
    CONTROL_LEVEL_INFO,
    CONTROL_LEVEL_DEBUG,
};

/** A request that is being answered. */
struct control_job {
    struct ft_control_request request;
    uint64_t began_ns; /**< CLOCK_MONOTONIC */
    uint32_t step;     /**< 0 at first; the answer's own */
    uint64_t number;   /**< likewise */
    json_t *result;    /**< to be filled in */
    char error[CONTROL_ERROR_MAX];
};

enum control_outcome {
    CONTROL_DONE = 0,
    CONTROL_WAITS,   /**< ask again soon */
    CONTROL_REFUSED, /**< `error` says why */
};

struct control {
    struct sensor *sensor;
    char path[108];
    int listener;
    pthread_t thread;
    bool has_thread;
    _Atomic bool is_ending;
    _Atomic int level;       /**< enum control_level */
    const void *flows_owner; /**< job that the scan of flows is for; NULL: it is free */
    const void *assets_owner;
    const void *filter_owner;
    struct figures figures;
    pthread_mutex_t filter_lock;
    char filter[4097];
};

/** Do the next step of an answer. */
enum control_outcome control_answer(struct control *c, struct control_job *job);

/** A job ends, answered or not: what it owned is free. */
void control_job_end(struct control *c, struct control_job *job);

/** How long an answer may take before it is given up, in nanoseconds. */
uint64_t control_patience(const struct control_job *job);

#endif
