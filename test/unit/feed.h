/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feeding hexadecimal text to a dissector and looking at what it says. For unit tests: a failure is
 * a failed cmocka assertion.
 */
#ifndef FT_TEST_FEED_H
#define FT_TEST_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/harness.h>

#define FEED_MAX 4096u

/** What a test works with: a harness and the flow that is fed. */
struct feed {
    struct ft_harness *harness;
    struct ft_harness_flow flow;
    uint64_t time_ns;
};

/** Bytes of hexadecimal text; blanks between bytes are skipped. Returns their number. */
static inline uint32_t feed_bytes(const char *hex, uint8_t bytes[FEED_MAX])
{
    uint32_t n = 0;
    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        assert_true(n < FEED_MAX);
        bytes[n++] = (uint8_t)byte;
        hex += 2;
    }
    return n;
}

/** Begin with a new harness; `transport` is enum ft_transport. */
static inline void feed_open(struct feed *f, const struct ft_dissector *const *dissectors,
                             const char *protocol, uint8_t transport, uint16_t server_port)
{
    char error[256];
    *f = (struct feed){.time_ns = 1000000000};
    f->harness = ft_harness_new(dissectors, error, sizeof(error));
    if (!f->harness)
        fail_msg("%s", error);
    f->flow = (struct ft_harness_flow){.id = 1,
                                       .transport = transport,
                                       .protocol = protocol,
                                       .client_port = 40000,
                                       .server_port = server_port};
}

static inline void feed_close(struct feed *f)
{
    ft_harness_free(f->harness);
}

/** Forget the flow: what follows is of another. */
static inline void feed_next_flow(struct feed *f)
{
    f->flow.id++;
}

static inline const char *feed_raw(struct feed *f, enum ft_direction direction,
                                   const uint8_t *bytes, uint32_t n)
{
    f->time_ns += 1000000;
    return ft_harness_feed(f->harness, &f->flow, direction, f->time_ns, bytes, n);
}

/** Feed text of one direction. The answer is the harness's, valid until the next call. */
static inline const char *feed_hex(struct feed *f, enum ft_direction direction, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return feed_raw(f, direction, bytes, n);
}

static inline const char *to_server(struct feed *f, const char *hex)
{
    return feed_hex(f, FT_TO_SERVER, hex);
}

static inline const char *to_client(struct feed *f, const char *hex)
{
    return feed_hex(f, FT_TO_CLIENT, hex);
}

/** How often `part` is in `text`. */
static inline unsigned feed_count(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (!strstr(text_, (part)))                                                                \
            fail_msg("no %s in:\n%s", (part), text_);                                              \
    } while (0)

#define assert_has_not(text, part)                                                                 \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (strstr(text_, (part)))                                                                 \
            fail_msg("%s in:\n%s", (part), text_);                                                 \
    } while (0)

/** The violation `name` was told, and was not. */
#define assert_violation(text, name)    assert_has(text, "\"name\":\"" name "\"")
#define assert_no_violation(text, name) assert_has_not(text, "\"name\":\"" name "\"")
#define assert_clean(text)              assert_has_not(text, "{\"violation\"")

/**
 * Cut what `hex` says after every byte, as sent and as captured: the first may be malformed, the
 * second never is. Each try is a flow of its own, whose transport is not a stream.
 */
static inline void feed_truncated(struct feed *f, enum ft_direction direction, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    for (uint32_t i = 0; i < n; i++) {
        feed_raw(f, direction, bytes, i);
        const char *cut =
            ft_harness_feed_cut(f->harness, &f->flow, direction, ++f->time_ns, bytes, i);
        assert_no_violation(cut, "malformed");
    }
}

/** Random changes of what `hex` says, the same in every run: nothing may break. */
static inline void feed_mutated(struct feed *f, enum ft_direction direction, const char *hex,
                                unsigned rounds)
{
    uint8_t bytes[FEED_MAX], changed[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes), seed = 0x2545F491u;
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(changed, bytes, n);
        for (unsigned change = 0; change <= i % 4; change++) {
            seed = seed * 1664525u + 1013904223u;
            changed[(seed >> 8) % n] = (uint8_t)(seed >> 24);
        }
        seed = seed * 1664525u + 1013904223u;
        feed_raw(f, direction, changed, 1 + (seed >> 8) % n);
    }
}

/**
 * Pieces of `sample` in both directions and many flows, each with up to four bytes changed; the
 * same in every run: nothing may break.
 */
static inline void feed_garbage(struct feed *f, const void *sample, uint32_t size)
{
    uint8_t changed[FEED_MAX];
    uint32_t seed = 1;
    assert_true(size <= FEED_MAX);
    for (unsigned i = 0; i < 4000; i++) {
        memcpy(changed, sample, size);
        for (unsigned change = 0; change <= i % 4; change++) {
            seed = seed * 1664525u + 1013904223u;
            changed[(seed >> 8) % size] = (uint8_t)(seed >> 24);
        }
        if (i % 7 == 0)
            f->flow.id = 1 + (f->flow.id + 1) % 50;
        feed_raw(f, i & 1 ? FT_TO_SERVER : FT_TO_CLIENT, changed, 1 + (seed >> 8) % size);
    }
}

#endif
