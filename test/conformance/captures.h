/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures in memory, with the times that the sensor's reader would give their packets. */
#ifndef FT_TEST_CAPTURES_H
#define FT_TEST_CAPTURES_H

#include "capture/set.h"
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUMP (3600 * SECOND)

struct frame {
    const uint8_t *data;
    uint64_t time_ns, number;
    uint32_t caplen, wirelen;
    uint16_t linktype;
};

struct capture {
    struct frame *frames;
    uint32_t count, size;
};

static inline void capture_add(struct capture *c, struct frame f)
{
    if (c->count == c->size) {
        c->size = c->size ? c->size * 2 : 4096;
        c->frames = must(realloc(c->frames, c->size * sizeof(*c->frames)));
    }
    c->frames[c->count++] = f;
}

/*
 * Time as the sensor's reader has it: what is later or earlier by more than an hour is a clock that
 * was set. Otherwise the years of some captures, read a thousand times, overflow it, and a tick for
 * each second of them would take as long.
 */
static inline uint64_t sensor_clock(const struct capture *c, uint64_t stamp_ns, uint64_t *offset)
{
    uint64_t now = stamp_ns + *offset;
    uint64_t clock = c->count ? c->frames[c->count - 1].time_ns : now;
    if (now > clock + JUMP || now + JUMP < clock) {
        *offset = clock - stamp_ns;
        now = clock;
    }
    return now;
}

/* The first `most` packets of a capture. */
static inline bool capture_load(struct capture *c, const char *path, uint32_t most)
{
    uint64_t offset = 0;
    char error[512];
    struct ft_capture_record record;
    struct ft_capture_set *set = ft_capture_set_open(&path, 1, NULL, error, sizeof(error));
    *c = (struct capture){0};
    if (!set) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    while (c->count < most && ft_capture_set_next(set, &record) == 1) {
        /* An exact copy: a sanitizer then sees each byte read behind it. */
        uint8_t *copy = must(malloc(record.caplen ? record.caplen : 1));
        memcpy(copy, record.data, record.caplen);
        capture_add(c, (struct frame){.data = copy,
                                      .time_ns = sensor_clock(c, record.time_ns, &offset),
                                      .number = c->count + 1,
                                      .caplen = record.caplen,
                                      .wirelen = record.wirelen,
                                      .linktype = record.linktype});
    }
    ft_capture_set_close(set);
    return true;
}

/* For drain(): what is told is not looked at. */
static inline bool forget_events(struct run *r)
{
    while (ft_ring_peek(&r->engine->ring))
        ft_ring_release(&r->engine->ring);
    return true;
}

/* A frame as packet `number` of that time, which the clock has come to. */
static inline void play_at(struct run *r, const struct frame *f, uint64_t time_ns, uint64_t number)
{
    r->number = number;
    r->packets[r->waiting] = (struct ft_packet){.seq = ++r->seq,
                                                .number = number,
                                                .time_ns = time_ns,
                                                .stamp_ns = time_ns,
                                                .data = f->data,
                                                .caplen = f->caplen,
                                                .wirelen = f->wirelen,
                                                .linktype = f->linktype};
    decode(r);
    if (++r->waiting == BURST)
        flush(r);
}

/* Time goes on to that of a frame; packets that wait are then sent, their buffers are free. */
static inline uint64_t advance_to(struct run *r, const struct frame *f)
{
    uint64_t time_ns = f->time_ns + r->shift;
    if (time_ns > r->clock)
        r->clock = time_ns;
    tick_if_due(r);
    return time_ns;
}

/* All of a capture, and its end. */
static inline void play(struct run *r, const struct capture *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        play_at(r, &c->frames[i], advance_to(r, &c->frames[i]), c->frames[i].number);
    flush(r);
    struct ft_packet end = {
        .seq = ++r->seq, .number = r->number, .time_ns = r->clock, .flags = FT_PACKET_END};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++) {
        ft_inspect_end(r->inspector, &end, (uint8_t)shard);
        drain(r);
    }
}

static inline void capture_free(struct capture *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free((void *)(uintptr_t)c->frames[i].data);
    free(c->frames);
}

#endif
