/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes a classic pcap file with nanosecond time stamps, link type Ethernet. The file is written
 * little-endian on every machine, so that equal seeds give equal files.
 */
#ifndef FT_PLANT_PCAP_H
#define FT_PLANT_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FT_PCAP_SNAPLEN = 65535,
    FT_PCAP_BUFFER = 1 << 20, /* one write(2) a MiB keeps system calls out of the profile */
};

struct ft_pcap {
    int fd;
    const char *name; /* for messages */
    uint8_t *buffer;
    size_t used;
};

/** Open @path ("-" is standard output) and write the file header. False: errno tells why. */
bool ft_pcap_open(struct ft_pcap *pcap, const char *path);

/**
 * Room for one frame of up to FT_PCAP_SNAPLEN octets. It stays valid until the next call of
 * ft_pcap_room; a frame that is not committed leaves no trace. Ends the program when the file
 * cannot be written.
 */
uint8_t *ft_pcap_room(struct ft_pcap *pcap);

/** Turn the @len octets written to the room into a packet of time @ns since the epoch. */
void ft_pcap_commit(struct ft_pcap *pcap, uint64_t ns, size_t len);

/** Write what is left and close. False: errno tells why. */
bool ft_pcap_close(struct ft_pcap *pcap);

#endif
