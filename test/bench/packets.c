/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in memory for the benchmark: from captures, from the generator, made up. */
#include "packets.h"

#include "capture/set.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BEGIN_NS  1700000000000000000ull
#define GAP_NS    200ull /* five million packets a second */
#define ARENA_MAX (16ull << 30)

static bool start(struct bench_list *list, uint32_t most)
{
    *list = (struct bench_list){.size = most, .arena_size = ARENA_MAX};
    list->arena = mmap(NULL, ARENA_MAX, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    list->packets = calloc(most, sizeof(*list->packets));
    return list->arena != MAP_FAILED && list->packets;
}

void bench_free(struct bench_list *list)
{
    if (list->arena)
        munmap(list->arena, list->arena_size);
    free(list->packets);
    *list = (struct bench_list){0};
}

static bool add(struct bench_list *list, const uint8_t *bytes, uint32_t length, uint64_t time_ns,
                uint16_t linktype)
{
    uint64_t at = (list->arena_used + 63) & ~63ull;
    if (list->count == list->size || at + length > list->arena_size)
        return false;
    memcpy(list->arena + at, bytes, length);
    list->packets[list->count++] = (struct bench_packet){at, time_ns, length, linktype};
    list->arena_used = at + length;
    return true;
}

bool bench_load(struct bench_list *list, const char *const *sources, uint32_t count, uint32_t most)
{
    char error[512];
    struct ft_capture_record r;
    struct ft_capture_set *set = ft_capture_set_open(sources, count, NULL, error, sizeof(error));
    if (!set) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    bool ok = start(list, most);
    while (ok && ft_capture_set_next(set, &r) == 1)
        if (!add(list, r.data, r.caplen, r.time_ns, r.linktype))
            break;
    ft_capture_set_close(set);
    return ok && list->count;
}

bool bench_generate(struct bench_list *list, uint32_t flows, uint32_t packets)
{
    char self[PATH_MAX - 64] = "", file[64], command[PATH_MAX + 256];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    snprintf(file, sizeof(file), "/tmp/fieldtap-bench-%d.pcap", (int)getpid());
    snprintf(command, sizeof(command),
             "'%s/../../tools/plant/fieldtap-plant' -o %s --flows %u --packets %u --seconds 100000 "
             "--incident no",
             n > 0 ? dirname(self) : ".", file, flows, packets);
    const char *source = file;
    bool ok = system(command) == 0 && bench_load(list, &source, 1, packets);
    unlink(file);
    for (uint32_t i = 0; ok && i < list->count; i++)
        list->packets[i].time_ns = BEGIN_NS + i * GAP_NS;
    return ok;
}

bool bench_smallest(struct bench_list *list, uint32_t flows, uint32_t packets)
{
    static const uint8_t request[] = {0, 0, 0, 0, 0, 6, 1, 3, 0, 7, 0, 1};
    static const uint8_t response[] = {0, 0, 0, 0, 0, 5, 1, 3, 2, 0, 42};
    if (!start(list, packets))
        return false;
    for (uint32_t i = 0; i < packets; i++) {
        /* Bursts of requests, then their responses: as many polls in flight as a master has. */
        uint32_t flow = i / 64 * 32 % flows + i % 32;
        bool is_response = i % 64 >= 32;
        uint8_t f[60] = {2, 0, 0,    0, 0, 1,  2, 0, 0, 0, 0,  2,
                         8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17};
        uint8_t addresses[8] = {10, 1, (uint8_t)(flow >> 8),  (uint8_t)flow,
                                10, 2, (uint8_t)(flow >> 16), 1};
        memcpy(f + 26, addresses + (is_response ? 4 : 0), 4);
        memcpy(f + 30, addresses + (is_response ? 0 : 4), 4);
        f[is_response ? 36 : 34] = 0xc0;
        f[is_response ? 34 : 36] = 1;
        f[is_response ? 35 : 37] = 0xf6;
        f[39] = is_response ? 8 + sizeof(response) : 8 + sizeof(request);
        f[17] = (uint8_t)(20 + f[39]);
        memcpy(f + 42, is_response ? response : request,
               is_response ? sizeof(response) : sizeof(request));
        f[42] = (uint8_t)(i >> 14);
        f[43] = (uint8_t)(i >> 6);
        if (!add(list, f, sizeof(f), BEGIN_NS + i * GAP_NS, 1))
            return false;
    }
    return true;
}

/* Move IPv4 addresses behind Ethernet and up to two tags to another host range. */
static void readdress(uint8_t *f, uint32_t length, uint32_t copy)
{
    uint32_t at = 12;
    while (at + 6 < length && f[at] == 0x81 && f[at + 1] == 0)
        at += 4;
    f[2] ^= (uint8_t)(copy >> 8);
    f[3] ^= (uint8_t)copy;
    f[8] ^= (uint8_t)(copy >> 8);
    f[9] ^= (uint8_t)copy;
    if (at + 22 > length || f[at] != 8 || f[at + 1] != 0)
        return;
    f[at + 2 + 13] ^= (uint8_t)copy;
    f[at + 2 + 12] ^= (uint8_t)(copy >> 8);
    f[at + 2 + 17] ^= (uint8_t)copy;
    f[at + 2 + 16] ^= (uint8_t)(copy >> 8);
}

bool bench_multiply(struct bench_list *to, const struct bench_list *from, uint32_t copies)
{
    if (!start(to, from->count * copies))
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct bench_packet *p = &from->packets[i];
        for (uint32_t c = 0; c < copies; c++) {
            if (!add(to, from->arena + p->offset, p->length, BEGIN_NS + to->count * GAP_NS,
                     p->linktype))
                return false;
            if (p->linktype == 1 && p->length >= 34)
                readdress(to->arena + to->packets[to->count - 1].offset, p->length, c);
        }
    }
    return true;
}

bool bench_tunnel(struct bench_list *to, const struct bench_list *from)
{
    if (!start(to, from->count))
        return false;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct bench_packet *p = &from->packets[i];
        uint8_t f[50 + 2048] = {2, 0, 0,    0, 9, 1, 2, 0, 0, 0, 9,  2,
                                8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17};
        uint32_t total = 36 + p->length;
        if (p->linktype != 1 || p->length > 2048)
            continue;
        f[16] = (uint8_t)(total >> 8);
        f[17] = (uint8_t)total;
        memcpy(f + 26, (uint8_t[]){172, 16, 0, (uint8_t)(i & 7), 172, 16, 1, (uint8_t)(i & 7)}, 8);
        memcpy(f + 34, (uint8_t[]){0xc0, (uint8_t)i, 0x12, 0xb5}, 4);
        f[38] = (uint8_t)((total - 20) >> 8);
        f[39] = (uint8_t)(total - 20);
        f[42] = 8; /* a network identifier is there */
        f[48] = 7;
        memcpy(f + 50, from->arena + p->offset, p->length);
        if (!add(to, f, 50 + p->length, p->time_ns, 1))
            return false;
    }
    return true;
}
