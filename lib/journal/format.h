/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of the journal's files, all little endian; doc/journal.md says the same in prose.
 *
 * A segment is named <class>-<first sequence, 16 hex digits>.ftj. While it is written it is plain:
 *
 *     header   128 bytes
 *     records  40 bytes of head and then the bytes, one after the other
 *     footer   88 bytes, once it is closed
 *
 * Closed segments are packed: a file of the Zstandard format (RFC 8878), whose skippable frames
 * hold what is ours, so that "zstd -dc < FILE" gives the records:
 *
 *     skippable frame  header
 *     skippable frame  frame head, 48 bytes   }  for each about 64 KiB of records,
 *     Zstandard frame  whole records          }  with a checksum of its own
 *     skippable frame  footer
 *
 * The hash in the footer is SHA-256 of header and records, the same for plain and packed; the next
 * segment's header has it as `previous`.
 *
 * A record's head has a checksum of its own: where only the bytes behind it are damaged, the length
 * is still good and the next record is found at once. Where a head is damaged, the next one is
 * looked for byte by byte.
 *
 * `ft_journal_get_*` return false when the bytes are not what they should be. Any thread.
 */
#ifndef FT_JOURNAL_FORMAT_H
#define FT_JOURNAL_FORMAT_H

#include "journal/journal.h"

#define FT_JOURNAL_VERSION     1u
#define FT_JOURNAL_HEADER      128u
#define FT_JOURNAL_RECORD_HEAD 40u
#define FT_JOURNAL_FOOTER      88u
#define FT_JOURNAL_FRAME_HEAD  48u
#define FT_JOURNAL_SKIPPABLE   8u /**< bytes before what a skippable frame holds */
#define FT_JOURNAL_HASH        32u
#define FT_JOURNAL_RECORD_ROOM (FT_JOURNAL_RECORD_HEAD + FT_JOURNAL_RECORD_MAX)

/** A packed frame holds records until they are so long: at most this and one record. */
#define FT_JOURNAL_FRAME     (128u << 10)
#define FT_JOURNAL_FRAME_MAX (FT_JOURNAL_FRAME + FT_JOURNAL_RECORD_ROOM)

/** And packed: a block a record, of three bytes more when it cannot be packed, and what is around
 * them. */
#define FT_JOURNAL_PACKED_MAX                                                                      \
    (FT_JOURNAL_FRAME_MAX + 3 * (FT_JOURNAL_FRAME_MAX / FT_JOURNAL_RECORD_HEAD) + 32)

struct ft_journal_header {
    enum ft_journal_class class;
    uint64_t first_sequence, first_number;
    uint64_t created_ns;
    uint8_t previous[FT_JOURNAL_HASH]; /**< zeros: the first of its series */
    char sensor[FT_JOURNAL_NAME_SIZE];
};

struct ft_journal_record {
    uint8_t type, severity;
    uint32_t length; /**< of the bytes behind the head */
    uint64_t sequence, number, time_ns;
    uint32_t bytes_crc;
};

struct ft_journal_footer {
    uint64_t count, last_sequence, last_number;
    uint64_t closed_ns;
    uint64_t data_bytes; /**< of header and records, plain */
    uint8_t hash[FT_JOURNAL_HASH];
};

struct ft_journal_frame {
    uint32_t packed, plain; /**< bytes of the Zstandard frame, and of what is in it */
    uint32_t count;
    uint32_t packed_crc;
    uint64_t first_sequence, last_sequence;
};

/** What must survive and is in no segment: one file, replaced as a whole. */
struct ft_journal_saved {
    bool is_clean;             /**< the journal was closed: next_sequence is exact */
    uint64_t reserved_through; /**< no sequence above it is on disk */
    uint64_t next_sequence;
    struct {
        uint64_t next_number;
        uint8_t hash[FT_JOURNAL_HASH]; /**< of the last segment closed */
    } series[FT_JOURNAL_CLASSES];
};
#define FT_JOURNAL_SAVED 192u

/** One generation of a cursor; a file has two of them, each in a sector of its own. */
struct ft_journal_position {
    uint64_t generation;
    uint64_t sequence;                    /**< acknowledged */
    uint64_t numbers[FT_JOURNAL_CLASSES]; /**< expected next; 0 = unknown */
};
#define FT_JOURNAL_POSITION 64u
#define FT_JOURNAL_SECTOR   512u

void ft_journal_put_header(uint8_t *to, const struct ft_journal_header *h);
bool ft_journal_get_header(const uint8_t *from, struct ft_journal_header *h);

/** `to` has the record's bytes behind the head already. */
void ft_journal_put_record(uint8_t *to, const struct ft_journal_record *r);
/** Checks the head only. */
bool ft_journal_get_record(const uint8_t *from, struct ft_journal_record *r);

void ft_journal_put_footer(uint8_t *to, const struct ft_journal_footer *f);
bool ft_journal_get_footer(const uint8_t *from, struct ft_journal_footer *f);

/** With the skippable frame's own eight bytes, as put_skippable. */
void ft_journal_put_frame(uint8_t *to, const struct ft_journal_frame *f);
bool ft_journal_get_frame(const uint8_t *from, struct ft_journal_frame *f);
void ft_journal_put_skippable(uint8_t *to, uint32_t size);
bool ft_journal_is_skippable(const uint8_t *from, uint32_t size);

void ft_journal_put_saved(uint8_t *to, const struct ft_journal_saved *s);
bool ft_journal_get_saved(const uint8_t *from, struct ft_journal_saved *s);

void ft_journal_put_position(uint8_t *to, const struct ft_journal_position *p);
bool ft_journal_get_position(const uint8_t *from, struct ft_journal_position *p);

/** "alert-00000000000004d2.ftj"; 64 bytes are enough. */
void ft_journal_segment_name(char name[64], enum ft_journal_class c, uint64_t first_sequence);
/** False when a file is no segment. `is_left` (may be NULL): it is one that was being packed. */
bool ft_journal_parse_name(const char *name, enum ft_journal_class *c, uint64_t *first_sequence,
                           bool *is_left);

static inline bool ft_journal_is_zero(const uint8_t hash[FT_JOURNAL_HASH])
{
    for (unsigned i = 0; i < FT_JOURNAL_HASH; i++)
        if (hash[i])
            return false;
    return true;
}

#endif
