/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading packets from one capture file: pcap (microsecond, nanosecond and Kuznetzov's "modified"
 * variant) and pcapng, both byte orders, from a path, a pipe or memory. Several sources in a row or
 * merged by time stamp are what capture/set.h adds.
 *
 * Own code and not libpcap, which refuses a pcapng whose interfaces differ in link type or snapshot
 * length, and which cannot say where a damaged file went wrong.
 *
 * Formats: draft-ietf-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng; older name
 * draft-tuexen-opsawg-pcapng). Every length in the file is bounded before it is used; a file can
 * make the reader leave parts out but neither crash it nor make it allocate more than
 * FT_CAPTURE_INTERFACES_MAX interfaces and a window of one mebibyte. Damage in the middle of a
 * pcapng costs the block it is in, since the beginning of the next one can be recognised; a pcap
 * has nothing to recognise a record by and ends there.
 *
 * Thread: any, one at a time per file. No DPDK, no global state.
 */
#ifndef FT_CAPTURE_FILE_H
#define FT_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record with more bytes marks a damaged file. The value is libpcap's MAXIMUM_SNAPLEN: no tool
 * writes longer ones for a network. */
#define FT_CAPTURE_RECORD_MAX (256 * 1024)

/* Interfaces in one pcapng file; one more ends the reading. */
#define FT_CAPTURE_INTERFACES_MAX 65536

/* Given where the file names a link type that does not fit 16 bits, thus none that exists. */
#define FT_CAPTURE_LINKTYPE_UNKNOWN 0xffff

/* One captured packet. */
struct ft_capture_record {
    uint64_t
        time_ns; /* since 1970-01-01 UTC, saturated; untimed: that of the record before, or 0 */
    const uint8_t *data; /* the packet; valid until the next call on this file or set */
    uint32_t caplen;     /* bytes at data, at most FT_CAPTURE_RECORD_MAX */
    uint32_t wirelen;    /* bytes the packet had on the wire, at least caplen */
    uint32_t interface;  /* index for ft_capture_file_interface() or ft_capture_set_interface() */
    uint16_t
        linktype; /* LINKTYPE_ value of the tcpdump registry; BSD's DLT_RAW (12, 14) given as 101 */
    uint8_t
        fcs_len;   /* bytes of frame check sequence at the end of the whole packet; 0 if not said */
    bool is_timed; /* false for pcapng Simple Packet Blocks, which carry no time stamp */
    bool is_nic_time;      /* live: stamped by the interface */
    bool is_kernel_time;   /* live: stamped by the kernel */
    bool is_checksum_open; /* live: the checksum of layer 4 has not been computed yet */
};

/* Where packets were captured: the one of a pcap file, or an Interface Description Block. */
struct ft_capture_interface {
    const char *file;        /* path as given, "-" for standard input */
    const char *name;        /* if_name, cut at 255 bytes, bytes as in the file; NULL if not said */
    const char *description; /* if_description, likewise */
    uint32_t snaplen;        /* greatest length captured; 0: not limited */
    uint16_t linktype;       /* as in struct ft_capture_record */
    uint8_t fcs_len;         /* likewise */
};

struct ft_capture_file;

/*
 * Open a capture and read its header, so that what is no capture is said now.
 *
 * path: a file, a FIFO, or "-" for standard input (from where it stands). Blocks until the header
 * of a pipe has arrived. error: receives one sentence that begins with the path and says what is
 * there and what would be right, when NULL is returned.
 *
 * Returns NULL if the file cannot be opened or read, is a directory, is empty, is compressed or is
 * another kind of file. A header without packets is a capture. Free with ft_capture_file_close().
 */
struct ft_capture_file *ft_capture_file_open(const char *path, char *error, size_t error_size);

/*
 * The same over size bytes of memory, which the caller keeps unchanged until the close. Records
 * point into it. name stands for the path in messages.
 */
struct ft_capture_file *ft_capture_file_open_memory(const void *data, size_t size, const char *name,
                                                    char *error, size_t error_size);

/*
 * Read the next record.
 *
 * Returns 1 with *record filled in; 0 at the end of the file; -1 at its end when there is something
 * to say about it, see ft_capture_file_remark(): the last record is torn, blocks were left out, the
 * file is damaged from some byte on, reading failed, or oddities were tolerated. All whole records
 * before that point have been delivered. After 0 or -1 it returns the same again until
 * ft_capture_file_rewind().
 *
 * On a pipe it blocks until a record is there; a signal whose handler was installed without
 * SA_RESTART ends the reading with a remark. Cost: a few nanoseconds and the copy out of the page
 * cache; one system call per mebibyte; no allocation per record.
 */
int ft_capture_file_next(struct ft_capture_file *file, struct ft_capture_record *record);

/*
 * What there is to say about the file, a sentence without the path, e.g. "last record torn at byte
 * 5120 (100 of 1530 bytes are there): processed up to it"; NULL if nothing. Owned by the file,
 * overwritten by the next call on it.
 */
const char *ft_capture_file_remark(const struct ft_capture_file *file);

/*
 * Whether something before the end could not be read, because of damage or because reading failed.
 * A torn last record is none, as a capture that was stopped has one; nor is a signal. Known once
 * ft_capture_file_next() has returned 0 or -1.
 */
bool ft_capture_file_is_incomplete(const struct ft_capture_file *file);

/* How many blocks, or stretches between blocks, were left out of the middle so far. */
uint64_t ft_capture_file_left_out(const struct ft_capture_file *file);

/* Bytes of the capture when it was opened; 0 if not known (a pipe). */
uint64_t ft_capture_file_size(const struct ft_capture_file *file);

/* Bytes read so far, never more than a known size. */
uint64_t ft_capture_file_position(const struct ft_capture_file *file);

/* The path as it was given. Owned by the file. */
/* Interfaces known so far: 1 for pcap; for pcapng it grows while the file is read. */
uint32_t ft_capture_file_interfaces(const struct ft_capture_file *file);

/*
 * An interface by index, counted over all sections of the file; NULL if not known (yet). Owned by
 * the file, valid until rewind or close.
 */
const struct ft_capture_interface *ft_capture_file_interface(const struct ft_capture_file *file,
                                                             uint32_t index);

/* Whether ft_capture_file_rewind() can work: not on a pipe. */
bool ft_capture_file_is_seekable(const struct ft_capture_file *file);

/*
 * Go back to the first record; remarks and interfaces are forgotten and read again. Returns false
 * if the file is a pipe or its header is no longer there; the remark says why.
 */
bool ft_capture_file_rewind(struct ft_capture_file *file);

/* Close and free; NULL is allowed. */
void ft_capture_file_close(struct ft_capture_file *file);

#endif
