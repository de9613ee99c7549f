/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which events a sink wants: the object `filter` of a sink in the configuration,
 *
 *   {"severity": "major", "engines": ["malware"], "protocols": ["modbus"], "types": ["alert"],
 *    "updates": false}
 *
 * each key where it is wanted. An event passes when it passes all of them; an event that has no
 * severity, no engine or no protocol does not pass a key that asks for one.
 *
 * Made by one thread, then read by any.
 */
#ifndef FT_SINK_FILTER_H
#define FT_SINK_FILTER_H

#include "base/locate.h"
#include "forward/event.h"

#include <stdio.h>

#define FT_SINK_FILTER_PROTOCOLS 128u
#define FT_SINK_FILTER_NAME      32u

/** Zeroed: everything passes. */
struct ft_sink_filter {
    uint32_t severity; /**< the least that passes, 1 critical .. 4 warning; 0 = any, or none */
    uint32_t engines;  /**< a bit for each enum ft_engine; 0 = any, or none */
    uint32_t types;    /**< a bit for each enum ft_forward_type; 0 = any */
    bool leaves_out_updates; /**< only first lines about an alert, an anomaly, an event of a rule */
    uint32_t protocol_count; /**< 0 = any, or none */
    char protocols[FT_SINK_FILTER_PROTOCOLS][FT_SINK_FILTER_NAME];
};

/** What a filter is read with. */
struct ft_sink_filter_reading {
    const char *prefix;           /**< in front of keys in errors: "outputs[0].filter" */
    const char *const *protocols; /**< valid names, ended by NULL; NULL = any word is taken */
    /** One error: where it is below the filter, and a sentence. `path` lives during the call. */
    void (*wrong)(void *user, const struct ft_step *path, uint32_t steps, const char *text);
    void *user;
};

/** Read a filter over a zeroed one. False when anything is wrong; all of it is told. */
bool ft_sink_filter_read(struct ft_sink_filter *filter, const json_t *object,
                         const struct ft_sink_filter_reading *reading);

/** The event need not be parsed. Some nanoseconds; of protocols a comparison each. */
bool ft_sink_filter_passes(const struct ft_sink_filter *filter,
                           const struct ft_forward_event *event);

/** Print every key: name, values, meaning, default; columns two blanks apart, as
 * ft_config_describe(). */
void ft_sink_filter_describe(const char *prefix, FILE *to);

#endif
