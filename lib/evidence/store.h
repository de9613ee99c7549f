/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The folder with the packets of alerts: one pcapng file each, named by the alert.
 *
 * A file is written under another name and renamed when it is whole. The folder is bounded by bytes
 * and by age; the oldest files go first. Files that are no evidence are neither counted nor
 * touched. One thread writes; anybody may read: see ft_evidence_open().
 */
#ifndef FT_EVIDENCE_STORE_H
#define FT_EVIDENCE_STORE_H

#include "evidence/evidence.h"
#include "evidence/name.h"

struct ft_evidence_store_config {
    const char *folder;            /**< made whenever it is not there; its parent is */
    uint64_t total_bytes;          /**< of all files */
    uint32_t max_days;             /**< 0: files are kept for any time */
    const char *hardware;          /**< texts of the section header; NULL: left out */
    const char *os;                /**< likewise */
    const char *application;       /**< likewise */
    const char *const *interfaces; /**< names by number, NULL: of captures */
    uint32_t interface_count;
    uint32_t snap_length; /**< of the history */
};

struct ft_evidence_store;

/**
 * Open the folder for writing, look at what is there and remove what is beyond the bounds. NULL and
 * a sentence when that cannot be. The texts of `config` stay the caller's.
 */
struct ft_evidence_store *ft_evidence_store_open(const struct ft_evidence_store_config *config,
                                                 char *error, size_t error_size);
void ft_evidence_store_close(struct ft_evidence_store *store);

/**
 * Write the file of a wish that is done. Its bytes; 0 and errno when it could not be written: then
 * nothing of it is left. Where a file of its name is already (NAME.pcapng), it is NAME.2.pcapng, or
 * with the next number that is free: a file that is there is never replaced.
 */
uint64_t ft_evidence_store_write(struct ft_evidence_store *store,
                                 const struct ft_evidence_wish *wish);

/** Remove what is too old, or beyond the bound. To be called now and then. */
void ft_evidence_store_tidy(struct ft_evidence_store *store);

/** Files and bytes there are, files that were removed because of a bound, and files that have a
 * number because there was one of their name. Any thread. */
struct ft_evidence_store_stats {
    uint64_t files, bytes, removed, beside;
};
struct ft_evidence_store_stats ft_evidence_store_stats(const struct ft_evidence_store *store);

/**
 * Open the packets of an alert, by its id, for reading. -1 and errno: ENOENT when there are none
 * (not yet, not any more, or never wanted), EINVAL for what is no id. Any thread, any process.
 */
int ft_evidence_open(const char *folder, const char *alert_id);

/**
 * The highest number of an alert of this sensor (SENSOR-NUMBER) that has a file in the folder; 0
 * when none has, or there is no such folder.
 */
uint64_t ft_evidence_last(const char *folder, const char *sensor);

#endif
