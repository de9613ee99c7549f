/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames built header by header, for the tests of lib/packet. Headers with a length stay open until
 * frame_end(), which fills in lengths and checksums from the inside out.
 */
#ifndef FT_TEST_FRAMES_H
#define FT_TEST_FRAMES_H

#include "packet/checksum.h"
#include "packet/packet.h"

#include <stdlib.h>
#include <string.h>

enum open_kind {
    OPEN_IPV4,
    OPEN_IPV6,
    OPEN_UDP,
    OPEN_TCP,
    OPEN_ICMP,
    OPEN_ICMPV6,
    OPEN_PPPOE,
};

struct frame {
    uint8_t bytes[70000];
    uint32_t len;
    unsigned open_count;
    struct {
        enum open_kind kind;
        uint32_t at;
    } open[32];
};

static inline void put(struct frame *f, const void *bytes, uint32_t n)
{
    memcpy(f->bytes + f->len, bytes, n);
    f->len += n;
}

static inline void put8(struct frame *f, unsigned x)
{
    f->bytes[f->len++] = (uint8_t)x;
}

static inline void put16(struct frame *f, unsigned x)
{
    put8(f, x >> 8);
    put8(f, x);
}

static inline void put32(struct frame *f, uint32_t x)
{
    put16(f, x >> 16);
    put16(f, x & 0xffff);
}

static inline void put_zeros(struct frame *f, uint32_t n)
{
    memset(f->bytes + f->len, 0, n);
    f->len += n;
}

/* Bytes that differ from their neighbours. */
static inline void put_data(struct frame *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        put8(f, 0xa0 + i * 7);
}

static inline void frame_begin(struct frame *f)
{
    f->len = 0;
    f->open_count = 0;
}

static inline void open_header(struct frame *f, enum open_kind kind)
{
    f->open[f->open_count].kind = kind;
    f->open[f->open_count++].at = f->len;
}

/* ---- headers ------------------------------------------------------------------------------- */

static inline void ethernet(struct frame *f, unsigned type)
{
    put(f, "\x02\x00\x00\x00\x00\x0b", 6);
    put(f, "\x02\x00\x00\x00\x00\x0a", 6);
    put16(f, type);
}

/* The TCI and the next type, behind a type that announces them. */
static inline void vlan(struct frame *f, unsigned priority, unsigned vid, unsigned type)
{
    put16(f, priority << 13 | vid);
    put16(f, type);
}

static inline void open_ipv4_between(struct frame *f, unsigned proto, uint32_t src, uint32_t dst)
{
    open_header(f, OPEN_IPV4);
    put16(f, 0x4500);
    put16(f, 0);
    put16(f, 0x1234);
    put16(f, 0x4000);
    put8(f, 64);
    put8(f, proto);
    put16(f, 0);
    put32(f, src);
    put32(f, dst);
}

static inline void open_ipv4(struct frame *f, unsigned proto)
{
    open_ipv4_between(f, proto, 0x0a000001, 0x0a000002);
}

static inline void open_ipv6(struct frame *f, unsigned next)
{
    open_header(f, OPEN_IPV6);
    put32(f, 0x60000000);
    put16(f, 0);
    put8(f, next);
    put8(f, 63);
    put(f, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    put(f, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
}

static inline void open_udp(struct frame *f, unsigned src_port, unsigned dst_port)
{
    open_header(f, OPEN_UDP);
    put16(f, src_port);
    put16(f, dst_port);
    put32(f, 0);
}

static inline void open_tcp(struct frame *f, unsigned src_port, unsigned dst_port)
{
    open_header(f, OPEN_TCP);
    put16(f, src_port);
    put16(f, dst_port);
    put32(f, 0x01020304);
    put32(f, 0x05060708);
    put16(f, 0x5018);
    put16(f, 0x2000);
    put32(f, 0);
}

static inline void open_icmp(struct frame *f, enum open_kind kind, unsigned type, unsigned code)
{
    open_header(f, kind);
    put8(f, type);
    put8(f, code);
    put16(f, 0);
    put32(f, 0x00010002);
}

static inline void open_pppoe(struct frame *f)
{
    open_header(f, OPEN_PPPOE);
    put16(f, 0x1100);
    put16(f, 0x0001);
    put16(f, 0);
}

/* ---- lengths and checksums ----------------------------------------------------------------- */

static inline void set16(uint8_t *to, uint32_t x)
{
    to[0] = (uint8_t)(x >> 8);
    to[1] = (uint8_t)x;
}

static inline void set_checksum(uint8_t *to, uint64_t sum)
{
    uint16_t checksum = ft_checksum_finish(sum);

    memcpy(to, &checksum, 2);
}

/* The pseudo-header of the innermost IP header opened before header i. */
static inline uint64_t pseudo(const struct frame *f, unsigned i, unsigned proto, uint32_t length)
{
    uint8_t tail[4] = {0, (uint8_t)proto, (uint8_t)(length >> 8), (uint8_t)length};
    uint64_t sum = ft_checksum_add(0, tail, 4);

    while (i-- > 0) {
        const uint8_t *header = f->bytes + f->open[i].at;

        if (f->open[i].kind == OPEN_IPV4)
            return ft_checksum_add(sum, header + 12, 8);
        if (f->open[i].kind == OPEN_IPV6)
            return ft_checksum_add(sum, header + 8, 32);
    }
    return sum;
}

static inline void close_header(struct frame *f, unsigned i)
{
    uint8_t *header = f->bytes + f->open[i].at;
    uint32_t length = f->len - f->open[i].at;

    switch (f->open[i].kind) {
    case OPEN_IPV4:
        set16(header + 2, length);
        set_checksum(header + 10, ft_checksum_add(0, header, (header[0] & 15u) * 4));
        break;
    case OPEN_IPV6:
        set16(header + 4, length - 40);
        break;
    case OPEN_UDP:
        set16(header + 4, length);
        set_checksum(header + 6, ft_checksum_add(pseudo(f, i, 17, length), header, length));
        break;
    case OPEN_TCP:
        set_checksum(header + 16, ft_checksum_add(pseudo(f, i, 6, length), header, length));
        break;
    case OPEN_ICMP:
        set_checksum(header + 2, ft_checksum_add(0, header, length));
        break;
    case OPEN_ICMPV6:
        set_checksum(header + 2, ft_checksum_add(pseudo(f, i, 58, length), header, length));
        break;
    case OPEN_PPPOE:
        set16(header + 4, length - 6);
        break;
    }
}

static inline void frame_end(struct frame *f)
{
    while (f->open_count)
        close_header(f, --f->open_count);
}

/* A datagram over IPv4 from its first byte; frame_end() is for the caller, who may add to it. */
static inline void udp_frame(struct frame *f, uint32_t src, unsigned src_port, uint32_t dst,
                             unsigned dst_port, const void *bytes, uint32_t n)
{
    frame_begin(f);
    ethernet(f, 0x0800);
    open_ipv4_between(f, 17, src, dst);
    open_udp(f, src_port, dst_port);
    put(f, bytes, n);
}

/* ---- decoding ------------------------------------------------------------------------------ */

/* A packet on an exact-size copy of the bytes, so that a sanitizer sees any read past the end. Its
 * members are garbage but for what a source sets. The copy is the caller's to free. */
static inline struct ft_packet packet_on(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen,
                                         unsigned linktype)
{
    struct ft_packet p;
    uint8_t *copy = malloc(caplen ? caplen : 1);

    memset(&p, 0xa5, sizeof(p));
    memcpy(copy, bytes, caplen);
    p.data = copy;
    p.caplen = caplen;
    p.wirelen = wirelen;
    p.linktype = (uint16_t)linktype;
    p.flags = 0;
    p.seq = p.number = 7;
    p.time_ns = 1000000000;
    p.stamp_ns = 1000000001;
    p.interface = 3;
    return p;
}

/* What is in the frame, whose headers are closed. The packet is the seq-th. */
static inline struct ft_packet packet_of(struct frame *f, uint64_t seq)
{
    frame_end(f);
    struct ft_packet p = packet_on(f->bytes, f->len, f->len, FT_LINKTYPE_ETHERNET);
    p.seq = p.number = seq;
    return p;
}

static inline void packet_free(struct ft_packet *p)
{
    free((void *)(uintptr_t)p->data);
}

#endif
