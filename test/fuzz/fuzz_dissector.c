/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of one dissector with all others around it: built once per protocol, whose name is
 * FT_FUZZ_NAME.
 *
 * The input is a list of steps, each of four bytes and what they announce:
 *   byte 0  bits 0-1  direction: 0 to the server, 1 to the client, 2 none
 *           bit 2     the bytes are cut by the snap length; a stream then has a gap
 *           bits 3-5  flow
 *           bit 6     the flow was first seen in its middle
 *           bit 7     before this step time goes on by byte 1 in units of 4 s, else of 1 ms
 *   byte 1  time, see there; at the end of the second a tick is given
 *   byte 2  bits 0-3  length of the bytes, upper bits; bits 4-7: how the protocol is reached
 *   byte 3  length, lower bits
 * How it is reached: 0 is the protocol by itself; the others go through its parents, in the order
 * of its carriers. Everything that is said must be JSON lines.
 */
#include "dissect/registry.h"
#include "protocols/protocols.h"

#include <fieldtap/harness.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS    8u
#define WAYS_MAX 16u

/* JSON knows no largest number, jansson does. */
#define FLAGS (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A protocol that bytes are given to, and in what. */
struct way {
    const char *protocol;
    uint8_t transport;
    uint16_t port;
};

static struct way ways[WAYS_MAX];
static uint32_t way_count;

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s\n", what, text);
    abort();
}

static const struct ft_dissector *find(const char *name)
{
    for (const struct ft_dissector *const *d = ft_protocols; *d; d++)
        if (strcmp((*d)->name, name) == 0)
            return *d;
    return NULL;
}

static void add_way(const struct ft_dissector *d, uint8_t transport, uint64_t port)
{
    for (uint32_t i = 0; i < way_count; i++)
        if (strcmp(ways[i].protocol, d->name) == 0 && ways[i].transport == transport)
            return;
    if (way_count < WAYS_MAX)
        ways[way_count++] = (struct way){d->name, transport, (uint16_t)port};
}

/* The ways into a protocol: by its own carriers, then by those of what carries it. */
static void collect_ways(const struct ft_dissector *d, unsigned depth)
{
    static const uint8_t transports[] = {[FT_CARRIER_TCP] = FT_TRANSPORT_TCP,
                                         [FT_CARRIER_UDP] = FT_TRANSPORT_UDP,
                                         [FT_CARRIER_ETHERTYPE] = FT_TRANSPORT_L2,
                                         [FT_CARRIER_LLC] = FT_TRANSPORT_L2,
                                         [FT_CARRIER_SNAP] = FT_TRANSPORT_L2,
                                         [FT_CARRIER_IP] = FT_TRANSPORT_IP,
                                         [FT_CARRIER_PARENT] = 0};
    const struct ft_carrier *carriers = d->carried_by.rows;
    if (depth == FT_MAX_LAYERS)
        return;
    for (uint32_t i = 0; i < d->carried_by.count; i++)
        if (carriers[i].kind != FT_CARRIER_PARENT)
            add_way(d, transports[carriers[i].kind], carriers[i].value);
    for (uint32_t i = 0; i < d->carried_by.count; i++) {
        const struct ft_dissector *parent =
            carriers[i].kind == FT_CARRIER_PARENT ? find(carriers[i].parent) : NULL;
        if (parent)
            collect_ways(parent, depth + 1);
    }
}

static struct ft_harness *prepare(void)
{
    char error[256];
    const struct ft_dissector *d = find(FT_FUZZ_NAME);
    if (!d)
        fail("no such protocol", FT_FUZZ_NAME);
    add_way(d, FT_TRANSPORT_UDP, 1);
    if (d->frame)
        add_way(d, FT_TRANSPORT_TCP, 1);
    collect_ways(d, 0);

    struct ft_harness *h = ft_harness_new(ft_protocols, error, sizeof(error));
    if (!h)
        fail("no harness", error);
    return h;
}

static void check_lines(const char *text)
{
    json_error_t error;
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        json_t *line = json_loadb(text, (size_t)(end - text), FLAGS, &error);
        if (!json_is_object(line)) {
            fprintf(stderr, "%.*s\n", (int)(end - text), text);
            fail("not JSON", error.text);
        }
        const char *wrong = json_string_value(json_object_get(line, "error"));
        if (wrong && strstr(wrong, " bits"))
            fail("the schema is not true", wrong);
        json_decref(line);
    }
    if (*text)
        fail("a line without end", text);
}

static void step(struct ft_harness *h, const uint8_t head[4], const uint8_t *bytes, uint32_t length,
                 uint64_t *time_ns)
{
    const struct way *way = &ways[(head[2] >> 4) % way_count];
    uint32_t way_number = (uint32_t)(way - ways);
    struct ft_harness_flow flow = {.id = way_number * FLOWS + (head[0] >> 3 & 7),
                                   .transport = way->transport,
                                   .protocol = way->protocol,
                                   .client_port = 40000,
                                   .server_port = way->port,
                                   .client_mac = {2, 0, 0, 0, 0, 1},
                                   .server_mac = {2, 0, 0, 0, 0, 2},
                                   .is_midstream = head[0] >> 6 & 1,
                                   .ttl = 255,
                                   .client_ip = {0xfe, 0x80, [15] = 1},
                                   .server_ip = {0xfe, 0x80, [15] = 2}};
    /* ICMPv6 is the one IP protocol of version 6 only. */
    if (way->transport == FT_TRANSPORT_IP)
        flow.ip_version = way->port == 58 ? 6 : 4;
    static const enum ft_direction directions[] = {FT_TO_SERVER, FT_TO_CLIENT, FT_DIRECTION_NONE,
                                                   FT_TO_SERVER};
    enum ft_direction direction = directions[head[0] & 3];
    uint64_t second = *time_ns / 1000000000u;

    *time_ns += head[1] * (head[0] & 0x80 ? 4000000000ull : 1000000ull);
    if (*time_ns / 1000000000u != second)
        check_lines(ft_harness_tick(h, *time_ns));
    ft_harness_probe(h, &flow, direction, bytes, length);
    check_lines(head[0] & 4 ? ft_harness_feed_cut(h, &flow, direction, *time_ns, bytes, length)
                            : ft_harness_feed(h, &flow, direction, *time_ns, bytes, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ft_harness *h;
    uint64_t time_ns = 1700000000000000000ull;

    if (!h)
        h = prepare();
    else if (!ft_harness_forget(h))
        fail("no memory", "state of flows");
    while (size >= 4) {
        const uint8_t *head = data;
        uint32_t length = (uint32_t)(head[2] & 15) << 8 | head[3];
        data += 4;
        size -= 4;
        length = length < size ? length : (uint32_t)size;
        uint8_t *bytes = malloc(length ? length : 1);
        memcpy(bytes, data, length);
        step(h, head, bytes, length, &time_ns);
        free(bytes);
        data += length;
        size -= length;
    }
    check_lines(ft_harness_tick(h, time_ns + 7200000000000ull));
    return 0;
}
