/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files that run sinks have in common; no kind needs it. */
#ifndef FT_SINKS_INTERNAL_H
#define FT_SINKS_INTERNAL_H

#include "output/sink.h"

#define FT_SINKS_NOTICES 64u

/** Bytes of records that are sent together, at most. */
#define FT_SINK_ROOM (512u << 10)

struct ft_sinks {
    const struct ft_sinks_options *options;
    struct ft_sink *sinks;
    uint32_t count;
    json_t *outputs; /**< texts of the settings lie in it */
    bool is_started;
    pthread_mutex_t lock; /**< notices */
    struct ft_sink_notice notices[FT_SINKS_NOTICES];
    uint32_t notice_count;
};

/** Read the i-th of outputs[] into a zeroed sink. False when anything is wrong. */
struct ft_sink_reading {
    struct ft_sinks *sinks;
    const char *file, *text;
    char *error;
    size_t size, used;
    bool is_wrong;
    uint32_t index;   /**< in outputs[] */
    const char *part; /**< "filter", below which the path is; or NULL */
};

void ft_sink_read(struct ft_sink_reading *reading, struct ft_sink *sink, const json_t *object);

/** Tell sinks that would get in each other's way, behind reading all of them. */
void ft_sinks_compare(struct ft_sink_reading *reading);

/** Free what ft_sink_read() made. */
void ft_sink_clear(struct ft_sink *sink);

/** The thread of a sink. */
void *ft_sink_run(void *sink);

/** Change state and statistics. */
void ft_sink_set_state(struct ft_sink *sink, enum ft_sink_state state);
/** Count a failure, with sink->error. */
void ft_sink_note_failure(struct ft_sink *sink);
/** How far it came, for who asks. Its thread. */
void ft_sink_note_progress(struct ft_sink *sink);
/** stats.lag as it is now. With its lock held. */
void ft_sink_set_lag(struct ft_sink *sink);

/** Milliseconds in one call of a kind after which a sink that is up counts as down. */
#define FT_SINK_HANGING_MS 5000u

#endif
