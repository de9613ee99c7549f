/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets in memory for the benchmark. All but loaded captures are 200 ns apart, as at the rates
 * that are measured: what is done once a second weighs as little as it does then.
 */
#ifndef BENCH_PACKETS_H
#define BENCH_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

/** One packet: its bytes lie in the arena of its list. */
struct bench_packet {
    uint64_t offset; /**< in the arena */
    uint64_t time_ns;
    uint32_t length;
    uint16_t linktype;
};

struct bench_list {
    uint8_t *arena;
    uint64_t arena_used, arena_size;
    struct bench_packet *packets;
    uint32_t count, size;
};

/** Load captures (files or folders). False after saying why not. */
bool bench_load(struct bench_list *list, const char *const *sources, uint32_t count, uint32_t most);

/** Run the plant generator beside this program for so many flows and packets, and load that. */
bool bench_generate(struct bench_list *list, uint32_t flows, uint32_t packets);

/** Frames of 64 bytes (60 without FCS): Modbus reads over UDP and their responses, every packet a
 * message. */
bool bench_smallest(struct bench_list *list, uint32_t flows, uint32_t packets);

/** Repeat a list `copies` times with other addresses, packet by packet in turn. */
bool bench_multiply(struct bench_list *to, const struct bench_list *from, uint32_t copies);

/** The same packets, each carried in VXLAN (outer IPv4 and UDP) between two of eight tunnel ends.
 */
bool bench_tunnel(struct bench_list *to, const struct bench_list *from);

void bench_free(struct bench_list *list);

#endif
