/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of a sink's thread (run.c) have in common. All run on that thread. */
#ifndef FT_SINKS_RUN_H
#define FT_SINKS_RUN_H

#include "output/internal.h"

/** Milliseconds after which a sink that has nothing to do looks around. */
#define FT_SINK_IDLE_MS 500u

/* ---- run_read.c ---- */

/** At its cursor, or at what was acknowledged since. False: s->error says why. */
bool ft_sink_open_reader(struct ft_sink *s);
void ft_sink_close_reader(struct ft_sink *s);

/** Records that wait here, of whatever use they were. */
void ft_sink_free_records(struct ft_sink *s);

/** All through this sequence has arrived. */
void ft_sink_acknowledge(struct ft_sink *s, uint64_t through);

/** Back to what was acknowledged: all behind it is sent again. */
void ft_sink_rewind(struct ft_sink *s);

/** Read what is sent next. False: there was nothing, or somebody wants something. */
bool ft_sink_read_batch(struct ft_sink *s);

/* ---- run_send.c ---- */

/** The kind's open() and send(), with the time noted for who asks how it goes. */
bool ft_sink_call_open(struct ft_sink *s);
struct ft_sink_sent ft_sink_call_send(struct ft_sink *s, struct ft_sink_record *records,
                                      uint32_t count);

/** Send what was read. False: failed; the rest waits, if the kind does not settle. */
bool ft_sink_send_batch(struct ft_sink *s);

/** Acknowledge what landed. False: the connection broke. */
bool ft_sink_look_at_flights(struct ft_sink *s);

/** Close, and say when to try again. */
void ft_sink_has_failed(struct ft_sink *s);

#endif
