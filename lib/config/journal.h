/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The section `journal` of the configuration:
 *
 *   {"folder": "/var/lib/fieldtap/journal", "total_bytes": 0, "segment_bytes": 16777216,
 *    "memory_bytes": 33554432,
 *    "classes": {"alert": {"max_bytes": 268435456, "max_days": 90, "sync": "every"}}}
 *
 * Each key where it is wanted; lib/journal says what they mean.
 */
#ifndef FT_CONFIG_JOURNAL_H
#define FT_CONFIG_JOURNAL_H

#include "base/locate.h"

#include <jansson.h>
#include <stdio.h>

#define FT_CONFIG_JOURNAL_FOLDER  "/var/lib/fieldtap/journal"
#define FT_CONFIG_JOURNAL_CLASSES 4u

struct ft_config_journal {
    bool is_given;         /**< the section is there */
    const char *folder;    /**< FT_CONFIG_JOURNAL_FOLDER unless given */
    uint64_t total_bytes;  /**< of all files; 0 = the sum of the classes */
    uint64_t memory_bytes; /**< for what the disk does not take */
    uint32_t segment_bytes;
    struct {
        uint64_t max_bytes;
        uint32_t max_days;
        uint32_t sync_ms; /**< within which lines are synced; without meaning with sync_every */
        bool sync_every;  /**< each at once */
    } classes[FT_CONFIG_JOURNAL_CLASSES]; /**< alert, inventory, flow, transaction */
};

/** The defaults: those of lib/journal. */
void ft_config_journal_init(struct ft_config_journal *journal);

/** One error: where it is in the file, and a sentence. `path` lives during the call. */
typedef void ft_config_wrong_fn(void *user, const struct ft_step *path, uint32_t steps,
                                const char *text);

/** Read the section over the defaults; strings are those of `section`. All errors are told. */
void ft_config_journal_read(struct ft_config_journal *journal, const json_t *section,
                            ft_config_wrong_fn *wrong, void *user);

/** Print every key: name, values, meaning, default; columns two blanks apart. */
void ft_config_journal_describe(FILE *to);

#endif
