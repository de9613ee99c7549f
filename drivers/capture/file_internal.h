/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two formats of the capture reader share: the state of an open file, integers in its byte
 * order, and the ways to end it. Private to drivers/capture.
 */
#ifndef FT_CAPTURE_FILE_INTERNAL_H
#define FT_CAPTURE_FILE_INTERNAL_H

#include "capture/file.h"
#include "capture/source.h"

#include <endian.h>
#include <string.h>

#define FT_NS_PER_SECOND UINT64_C(1000000000)

/* Room for what there is to say about a file. */
#define FT_CAPTURE_REMARK_SIZE 512

/* How the time stamps of an interface become nanoseconds (pcapng if_tsresol, if_tsoffset). */
enum ft_capture_clock_kind {
    FT_CAPTURE_CLOCK_MULTIPLY, /* ticks of 1 ns or longer: times factor */
    FT_CAPTURE_CLOCK_DIVIDE,   /* shorter decimal ticks: divided by factor */
    FT_CAPTURE_CLOCK_BINARY,   /* ticks of 2^-shift seconds */
};

struct ft_capture_clock {
    uint64_t factor;
    int64_t offset_s; /* seconds to be added */
    enum ft_capture_clock_kind kind;
    uint8_t shift;
};

struct ft_capture_source_interface {
    struct ft_capture_interface shown;
    struct ft_capture_clock clock;
};

/* Which of the two lengths of a pcap record comes first: it changed with version 2.3 (see pcap.c).
 */
enum ft_pcap_lengths {
    FT_PCAP_LENGTHS_NORMAL,
    FT_PCAP_LENGTHS_SWAPPED,
    FT_PCAP_LENGTHS_GUESSED,
};

struct ft_capture_file {
    struct ft_source source;
    int (*next)(struct ft_capture_file *file, struct ft_capture_record *record);
    bool is_big_endian;
    bool is_ended;
    int end; /* what next() goes on returning once it has ended */

    uint64_t last_time_ns; /* of the last record with a time stamp */

    /* pcap */
    uint32_t record_header; /* bytes */
    uint32_t fraction_ns;   /* nanoseconds in a unit of the second time field */
    enum ft_pcap_lengths lengths;
    struct ft_capture_record template; /* what is the same in all records of a pcap */

    /* interfaces, each allocated alone so that pointers given out stay good */
    struct ft_capture_source_interface **interfaces;
    uint32_t interface_count;
    uint32_t interface_capacity;
    uint32_t section_first; /* index of the first one of this pcapng section */

    /* damage in the middle that was read past */
    uint64_t left_out;        /* blocks, or stretches between blocks */
    char left_out_first[192]; /* what the first of them was */
    bool is_incomplete; /* not all could be read, for another reason than a torn last record */

    char *path;
    char remark[FT_CAPTURE_REMARK_SIZE]; /* empty: none */
};

static inline uint16_t ft_capture_u16(const struct ft_capture_file *file, const uint8_t *from)
{
    uint16_t value;

    memcpy(&value, from, sizeof(value));
    return file->is_big_endian ? be16toh(value) : le16toh(value);
}

static inline uint32_t ft_capture_u32(const struct ft_capture_file *file, const uint8_t *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof(value));
    return file->is_big_endian ? be32toh(value) : le32toh(value);
}

static inline uint64_t ft_capture_u64(const struct ft_capture_file *file, const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return file->is_big_endian ? be64toh(value) : le64toh(value);
}

/* Bring a link type field into the 16 bits and the one spelling that the record promises. */
uint16_t ft_capture_linktype(uint32_t value);

/*
 * Add an interface with the next index. Returns NULL, with a remark, when there are too many or
 * memory is out. The caller fills it in; strings in it are malloc'ed and freed with the file.
 */
struct ft_capture_source_interface *ft_capture_add_interface(struct ft_capture_file *file);

/* What to do about an errno that opening a file or folder gave. */
const char *ft_capture_advice(int failure);

/* Say something about the file without ending it; the first such sentence stays. */
void ft_capture_note(struct ft_capture_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* End the reading with a sentence: what follows cannot be read. Returns -1. */
int ft_capture_end_damaged(struct ft_capture_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Count something in the middle that could not be read while the reading goes on. The sentence of
 * the first one is kept and becomes part of the remark at the end.
 */
void ft_capture_leave_out(struct ft_capture_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * End the reading because need() gave nothing for the record or block that begins at offset and has
 * size bytes: the clean end of the file where it ends there, else torn, or a read error. A size of
 * 0 leaves out how much of it is there, which is not known after a skip. Returns 0 or -1.
 */
int ft_capture_end_short(struct ft_capture_file *file, uint64_t offset, uint64_t size);

/* ft_capture_file_open() with another upper bound for the buffer in bytes. */
struct ft_capture_file *ft_capture_file_open_window(const char *path, size_t window_max,
                                                    char *error, size_t error_size);

/*
 * Read the header that follows the recognised magic and set up the reading. On failure the remark
 * says what is wrong. The magic itself (first four bytes) has been looked at, not consumed.
 */
bool ft_pcap_open(struct ft_capture_file *file);
bool ft_pcapng_open(struct ft_capture_file *file);

/* Whether the first four bytes are those of a pcap file. */
bool ft_pcap_is_magic(const uint8_t *magic);

/* Whether the first four bytes are those of a pcapng file. */
bool ft_pcapng_is_magic(const uint8_t *magic);

#endif
