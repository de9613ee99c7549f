/* SPDX-License-Identifier: BSD-3-Clause */
/* Making EtherNet/IP and CIP messages by hand, for the tests of both dissectors. */
#ifndef FT_TEST_ENIP_FRAMES_H
#define FT_TEST_ENIP_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/harness.h>

#define SECOND  1000000000ull
#define SESSION 0x11020100u

struct bytes {
    uint8_t data[8192];
    uint32_t length;
};

#define BYTES(...) bytes_of((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static inline struct bytes bytes_of(const void *data, uint32_t length)
{
    struct bytes b = {.length = length};

    memcpy(b.data, data, length);
    return b;
}

static inline void put(struct bytes *b, const void *data, uint32_t length)
{
    assert_true(b->length + length <= sizeof(b->data));
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

static inline void put16(struct bytes *b, uint32_t x)
{
    put(b, (uint8_t[]){(uint8_t)x, (uint8_t)(x >> 8)}, 2);
}

static inline void put32(struct bytes *b, uint32_t x)
{
    put16(b, x & 0xffff);
    put16(b, x >> 16);
}

static inline struct bytes join(struct bytes a, struct bytes b)
{
    put(&a, b.data, b.length);
    return a;
}

/* A whole encapsulation message. */
static inline struct bytes encapsulate(uint16_t command, uint32_t session, uint32_t status,
                                       uint8_t context, struct bytes body)
{
    struct bytes b = {.length = 0};

    put16(&b, command);
    put16(&b, body.length);
    put32(&b, session);
    put32(&b, status);
    put(&b, (uint8_t[]){context, 0, 0, 0, 0, 0, 0, 0}, 8);
    put32(&b, 0);
    return join(b, body);
}

/* CIP in SendRRData. */
static inline struct bytes unconnected(uint8_t context, struct bytes cip)
{
    struct bytes b = {.length = 0};

    put32(&b, 0);
    put16(&b, 5);
    put16(&b, 2);
    put32(&b, 0x00000000);
    put16(&b, 0x00b2);
    put16(&b, cip.length);
    return encapsulate(0x6f, SESSION, 0, context, join(b, cip));
}

/* CIP in SendUnitData. */
static inline struct bytes connected(uint32_t id, uint16_t sequence, struct bytes cip)
{
    struct bytes b = {.length = 0};

    put32(&b, 0);
    put16(&b, 0);
    put16(&b, 2);
    put16(&b, 0x00a1);
    put16(&b, 4);
    put32(&b, id);
    put16(&b, 0x00b1);
    put16(&b, cip.length + 2);
    put16(&b, sequence);
    return encapsulate(0x70, SESSION, 0, 0, join(b, cip));
}

/* A datagram of UDP 2222. */
static inline struct bytes io_packet(uint32_t id, uint32_t sequence, uint16_t class1,
                                     struct bytes data)
{
    struct bytes b = {.length = 0};

    put16(&b, 2);
    put16(&b, 0x8002);
    put16(&b, 8);
    put32(&b, id);
    put32(&b, sequence);
    put16(&b, 0x00b1);
    put16(&b, data.length + 2);
    put16(&b, class1);
    return join(b, data);
}

/* How often a text stands in another. */
static inline int count_of(const char *text, const char *what)
{
    int n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

#define assert_has(text, what)                                                                     \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (!strstr(text_, what))                                                                  \
            fail_msg("no %s in\n%s", what, text_);                                                 \
    } while (0)
#define assert_has_not(text, what)                                                                 \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (strstr(text_, what))                                                                   \
            fail_msg("%s in\n%s", what, text_);                                                    \
    } while (0)

#define VIOLATION(name)   "\"name\":\"" name "\""
#define FACT(fact, value) "\"fact\":\"" fact "\",\"value\":\"" value "\""

extern const struct ft_dissector ft_dissector_enip;
extern const struct ft_dissector ft_dissector_cip;

static const struct ft_harness_flow tcp = {.id = 1,
                                           .transport = FT_TRANSPORT_TCP,
                                           .protocol = "enip",
                                           .client_port = 50000,
                                           .server_port = 44818};
static const struct ft_harness_flow udp_io = {.id = 3,
                                              .transport = FT_TRANSPORT_UDP,
                                              .protocol = "enip",
                                              .client_port = 2222,
                                              .server_port = 2222};

static struct ft_harness *h;
static uint64_t now;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_cip, &ft_dissector_enip, NULL};
    char error[256] = "";

    (void)state;
    now = 1700000000 * SECOND;
    h = ft_harness_new(all, error, sizeof(error));
    if (!h)
        fprintf(stderr, "%s\n", error);
    return h ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_harness_free(h);
    return 0;
}

static inline const char *feed_to(const struct ft_harness_flow *flow, enum ft_direction direction,
                                  struct bytes b)
{
    now += SECOND / 100;
    return ft_harness_feed(h, flow, direction, now, b.data, b.length);
}

/* Request and response on the TCP flow. */
static inline const char *ask(struct bytes b)
{
    return feed_to(&tcp, FT_TO_SERVER, b);
}

static inline const char *say(struct bytes b)
{
    return feed_to(&tcp, FT_TO_CLIENT, b);
}

/* Open the session, so that no test sees that it is missing. */
static inline void register_session(void)
{
    ask(encapsulate(0x65, 0, 0, 1, BYTES(1, 0, 0, 0)));
    say(encapsulate(0x65, SESSION, 0, 1, BYTES(1, 0, 0, 0)));
}

/* Bytes at random, then messages changed at random: nothing may crash, hang or read outside. */
static inline void feed_garbage(const struct bytes *seeds, uint32_t count, uint32_t rounds)
{
    uint64_t x = 0x243f6a8885a308d3ull;

    for (uint32_t i = 0; i < rounds; i++) {
        struct bytes b = seeds[i % count];
        struct ft_harness_flow flow = i & 1 ? udp_io : tcp;
        flow.id = 10 + i % 50;
        if (i % 3 == 0)
            flow.server_port = 44818;
        for (uint32_t k = 0; k < 1 + i % 5; k++) {
            x = x * 6364136223846793005ull + 1442695040888963407ull;
            b.data[(x >> 33) % b.length] = (uint8_t)(x >> 24);
        }
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        if (x >> 62 == 0)
            b.length = 1 + (uint32_t)((x >> 33) % b.length);
        ft_harness_feed(h, &flow, i & 4 ? FT_TO_CLIENT : FT_TO_SERVER, now += 1000000, b.data,
                        b.length);
    }
}

#endif
