/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files that read outputs[] of the configuration have in common. */
#ifndef FT_SINKS_SETTINGS_H
#define FT_SINKS_SETTINGS_H

#include "output/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/** A table of keys, and what they are written to. */
struct ft_sink_table {
    const struct ft_sink_key *keys;
    uint32_t count;
    void *state;
};

#define FT_SINK_TABLES 4u

/** Keys that all sinks have, those with a body, those that settle; in this order, without state. */
extern const struct ft_sink_table ft_sink_common_tables[3];

/** The tables that a kind has, for this sink. Returns their number. */
uint32_t ft_sink_tables(const struct ft_sink_kind *kind, struct ft_sink *s,
                        struct ft_sink_table tables[FT_SINK_TABLES]);

/** Read the value of a key into `state`, or tell what is wrong with it. */
void ft_sink_read_value(struct ft_sink_reading *r, const struct ft_sink_key *k, const json_t *value,
                        void *state);

/** "a", "b" or "c": names(0) and so on, up to NULL. */
void ft_sink_list_names(const char *(*names)(uint32_t), char *to, size_t size);

/** Tell what is wrong at a place of the file. */
void ft_sink_add_error(struct ft_sink_reading *r, const struct ft_step *path, uint32_t steps,
                       const char *text);

#endif
