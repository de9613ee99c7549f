/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One segment file, read record by record: plain or packed, whole or damaged; and packing one.
 * Private to lib/journal. One thread for each struct.
 */
#ifndef FT_JOURNAL_SEGMENT_H
#define FT_JOURNAL_SEGMENT_H

#include "journal/format.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <zstd.h>

struct ft_segment_record {
    struct ft_journal_record head;
    const uint8_t *raw; /**< head and bytes as they are in the file; until the next call */
};

struct ft_segment {
    int fd; /**< -1: none is open */
    bool is_packed;
    bool has_header, has_footer; /**< and they are right; the footer is known at the end only */
    struct ft_journal_header header;
    struct ft_journal_footer footer;
    uint64_t limit;        /**< offset in the file up to which may be read */
    uint64_t whole_end;    /**< plain: offset behind the last whole record, or the header */
    uint64_t damaged;      /**< bytes skipped since the caller last set it to 0 */
    uint64_t damaged_at;   /**< where the first of them was */
    uint64_t skip_through; /**< packed frames that end at or below this sequence are not unpacked */
    bool hashes;           /**< keep a hash of what is unpacked, for ft_segment_hash() */
    int error;             /**< errno of a read that failed: see ft_segment_pass_fault() */

    ssize_t (*read)(int fd, void *data, size_t size, off_t offset); /**< pread(), or a test's */

    /* the reader's own */
    uint64_t at;
    uint8_t *window;
    uint64_t window_offset;
    uint32_t window_length;
    uint8_t *plain;
    uint32_t plain_length, plain_at;
    uint64_t rest;          /* of a frame that is damaged: bytes that could not be unpacked */
    uint64_t last_sequence; /* that was unpacked */
    ZSTD_DCtx *unpacker;
    EVP_MD_CTX *digest;
};

/** False when memory is short. */
bool ft_segment_init(struct ft_segment *s);
void ft_segment_free(struct ft_segment *s);

/** Begin to read; false with errno when it cannot be opened. Any open one is closed before. */
bool ft_segment_open(struct ft_segment *s, int folder, const char *name);
void ft_segment_close(struct ft_segment *s);

/** The next whole record, in order; false at the end, or with `error`. After the limit of an open
 * segment was raised it goes on. */
bool ft_segment_next(struct ft_segment *s, struct ft_segment_record *record);

/** After an error: read the same place again next, or (`passes`) what is behind its 4 KiB. */
void ft_segment_pass_fault(struct ft_segment *s, bool passes);

/** SHA-256 of header and records: of a plain one up to `data_bytes`, read again; of a packed one as
 * far as it was read with `hashes`. */
bool ft_segment_hash(struct ft_segment *s, uint64_t data_bytes, uint8_t hash[FT_JOURNAL_HASH]);

/**
 * The footer of a file of `size` bytes, from its end; sets is_packed by the way. False when there
 * is none.
 */
bool ft_segment_read_footer(struct ft_segment *s, struct ft_journal_footer *footer);

/**
 * Pack the closed plain segment `name` into a new file beside it, sync that, and put it in its
 * place. 1 and the new size; 0: it is damaged and left as it is; -1 with errno: the disk, or
 * ECANCELED as soon as `stops`.
 */
int ft_segment_pack(struct ft_segment *s, int folder, const char *name, mode_t mode,
                    const struct ft_journal_disk *disk, const atomic_bool *stops, uint64_t *size);

#endif
