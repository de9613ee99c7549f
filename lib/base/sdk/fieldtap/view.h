/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The view: the only way to read bytes from the network.
 *
 * A view is a window {data, len} on bytes that somebody else owns. Every read checks, advances and
 * returns the value; a read past the end returns zero and makes the view's error stick, so a
 * dissector reads a whole header line by line and asks ft_view_ok() once. The error tells apart
 *
 *   FT_VIEW_CUT        the sensor does not have the bytes (snap length, lost segment, a PDU longer
 *                      than the dissector's max_pdu): nobody did anything wrong, and
 *   FT_VIEW_MALFORMED  the sender promised bytes that are not there: a protocol violation.
 *
 * A view also remembers where its last read began; the put functions of <fieldtap/dissector.h> take
 * that range as the evidence of a field.
 *
 * Threads: a view is a plain value, used by one thread. Nothing here allocates. Cost: one compare
 * and one add a read. These inline functions are part of the plugin ABI and never change meaning.
 */
#ifndef FIELDTAP_VIEW_H
#define FIELDTAP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ft_view_error {
    FT_VIEW_OK = 0,
    FT_VIEW_CUT = 1,
    FT_VIEW_MALFORMED = 2,
};

/** A window on bytes. Members may be read; they are changed only by the functions below. */
struct ft_view {
    const uint8_t *data; /**< next byte to read; never NULL, not even for an empty view */
    uint32_t len;        /**< bytes left */
    uint32_t last_len; /**< bytes taken by the last successful read: data - last_len is its start */
    uint8_t error;     /**< enum ft_view_error, sticky */
    uint8_t is_cut;    /**< the bytes after the end exist on the wire, but not here */
    uint8_t reserved[6];
};

/** Make a view of `len` bytes at `data`. `is_cut`: more bytes were on the wire than are here. */
static inline struct ft_view ft_view_make(const void *data, uint32_t len, bool is_cut)
{
    static const uint8_t nothing[1] = {0};
    struct ft_view v = {
        .data = data ? (const uint8_t *)data : nothing, .len = data ? len : 0, .is_cut = is_cut};
    return v;
}

/** An empty view without an error. */
static inline struct ft_view ft_view_empty(void)
{
    return ft_view_make(NULL, 0, false);
}

/** True as long as no read failed. */
static inline bool ft_view_ok(const struct ft_view *v)
{
    return v->error == FT_VIEW_OK;
}

/** True after a read that failed because the sender's own lengths do not fit. */
static inline bool ft_view_is_malformed(const struct ft_view *v)
{
    return v->error == FT_VIEW_MALFORMED;
}

/** True when nothing is left to read (also after an error). */
static inline bool ft_view_at_end(const struct ft_view *v)
{
    return v->len == 0;
}

/** Make the error stick, as a failed read does. Later reads return zeros. */
static inline void ft_view_fail(struct ft_view *v)
{
    if (v->error == FT_VIEW_OK)
        v->error = v->is_cut ? FT_VIEW_CUT : FT_VIEW_MALFORMED;
    v->data += v->len;
    v->len = 0;
    v->last_len = 0;
}

/** Take n bytes: their address, or NULL (and the sticky error) when fewer are left. */
static inline const uint8_t *ft_view_take(struct ft_view *v, uint32_t n)
{
    if (__builtin_expect(v->len < n, 0)) {
        ft_view_fail(v);
        return NULL;
    }
    const uint8_t *p = v->data;
    v->data += n;
    v->len -= n;
    v->last_len = n;
    return p;
}

/** Skip n bytes; false (and the sticky error) when fewer are left. */
static inline bool ft_skip(struct ft_view *v, uint32_t n)
{
    return ft_view_take(v, n) != NULL;
}

/** Read an unsigned byte. */
static inline uint8_t ft_u8(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 1);
    return p ? p[0] : 0;
}

/** Read u16, u24, u32, u48, u64, big-endian (network order). */
static inline uint16_t ft_u16be(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 2);
    return p ? (uint16_t)((uint16_t)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t ft_u24be(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t ft_u32be(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 4);
    if (!p)
        return 0;
    uint32_t x;
    memcpy(&x, p, 4);
    return __builtin_bswap32(x);
}

static inline uint64_t ft_u64be(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 8);
    if (!p)
        return 0;
    uint64_t x;
    memcpy(&x, p, 8);
    return __builtin_bswap64(x);
}

static inline uint64_t ft_u48be(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 6);
    uint64_t x = 0;
    for (unsigned i = 0; p && i < 6; i++)
        x = x << 8 | p[i];
    return x;
}

/** Read u16, u24, u32, u48, u64, little-endian. */
static inline uint16_t ft_u16le(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 2);
    return p ? (uint16_t)((uint16_t)p[1] << 8 | p[0]) : 0;
}

static inline uint32_t ft_u24le(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 3);
    return p ? (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint32_t ft_u32le(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 4);
    uint32_t x = 0;
    if (p)
        memcpy(&x, p, 4);
    return x;
}

static inline uint64_t ft_u48le(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 6);
    uint64_t x = 0;
    for (unsigned i = 6; p && i > 0; i--)
        x = x << 8 | p[i - 1];
    return x;
}

static inline uint64_t ft_u64le(struct ft_view *v)
{
    const uint8_t *p = ft_view_take(v, 8);
    uint64_t x = 0;
    if (p)
        memcpy(&x, p, 8);
    return x;
}

/** Read an unsigned integer of n (0..8) bytes; more than 8 is malformed. */
static inline uint64_t ft_uint_be(struct ft_view *v, uint32_t n)
{
    const uint8_t *p = n <= 8 ? ft_view_take(v, n) : NULL;
    uint64_t x = 0;
    if (n > 8)
        ft_view_fail(v);
    for (uint32_t i = 0; p && i < n; i++)
        x = x << 8 | p[i];
    return x;
}

static inline uint64_t ft_uint_le(struct ft_view *v, uint32_t n)
{
    const uint8_t *p = n <= 8 ? ft_view_take(v, n) : NULL;
    uint64_t x = 0;
    if (n > 8)
        ft_view_fail(v);
    for (uint32_t i = n; p && i > 0; i--)
        x = x << 8 | p[i - 1];
    return x;
}

/** Read IEEE 754 binary32 and binary64. */
static inline float ft_f32be(struct ft_view *v)
{
    uint32_t x = ft_u32be(v);
    float f;
    memcpy(&f, &x, 4);
    return f;
}

static inline float ft_f32le(struct ft_view *v)
{
    uint32_t x = ft_u32le(v);
    float f;
    memcpy(&f, &x, 4);
    return f;
}

static inline double ft_f64be(struct ft_view *v)
{
    uint64_t x = ft_u64be(v);
    double f;
    memcpy(&f, &x, 8);
    return f;
}

static inline double ft_f64le(struct ft_view *v)
{
    uint64_t x = ft_u64le(v);
    double f;
    memcpy(&f, &x, 8);
    return f;
}

/** The byte `at` bytes ahead without taking it: 0..255, or -1 past the end (no error is set). */
static inline int ft_peek_u8(const struct ft_view *v, uint32_t at)
{
    return at < v->len ? v->data[at] : -1;
}

/** The big- or little-endian u16 `at` bytes ahead without taking it, or -1 past the end. */
static inline int32_t ft_peek_u16be(const struct ft_view *v, uint32_t at)
{
    return v->len >= 2 && at <= v->len - 2 ? v->data[at] << 8 | v->data[at + 1] : -1;
}

static inline int32_t ft_peek_u16le(const struct ft_view *v, uint32_t at)
{
    return v->len >= 2 && at <= v->len - 2 ? v->data[at + 1] << 8 | v->data[at] : -1;
}

/** The u32 `at` bytes ahead without taking it, or -1 past the end. */
static inline int64_t ft_peek_u32be(const struct ft_view *v, uint32_t at)
{
    if (v->len < 4 || at > v->len - 4)
        return -1;
    uint32_t x;
    memcpy(&x, v->data + at, 4);
    return (int64_t)__builtin_bswap32(x);
}

static inline int64_t ft_peek_u32le(const struct ft_view *v, uint32_t at)
{
    if (v->len < 4 || at > v->len - 4)
        return -1;
    uint32_t x;
    memcpy(&x, v->data + at, 4);
    return (int64_t)x;
}

/** Offset of the first `byte` at or behind offset `from`, or -1. Moves nothing, fails nothing. */
static inline int64_t ft_find_u8(const struct ft_view *v, uint8_t byte, uint32_t from)
{
    const uint8_t *hit;
    if (from >= v->len)
        return -1;
    hit = (const uint8_t *)memchr(v->data + from, byte, v->len - from);
    return hit ? hit - v->data : -1;
}

/** True when the bytes ahead begin with the `n` bytes at `with`; nothing is taken. */
static inline bool ft_view_starts(const struct ft_view *v, const void *with, uint32_t n)
{
    return v->len >= n && memcmp(v->data, with, n) == 0;
}

/**
 * Take the next n bytes as a view of their own. When fewer are left the parent fails, and the
 * sub-view holds what is there: cut if the parent was cut, else malformed at its first read past
 * the end. A sub-view of a view that has failed has failed in the same way. Reading the sub-view
 * never changes the parent.
 */
static inline struct ft_view ft_sub(struct ft_view *v, uint32_t n)
{
    struct ft_view s = {.data = v->data, .len = n, .error = v->error, .is_cut = false};
    if (__builtin_expect(v->len < n, 0)) {
        s.len = v->len;
        s.is_cut = v->is_cut;
        s.last_len = 0;
        ft_view_fail(v);
        return s;
    }
    v->data += n;
    v->len -= n;
    v->last_len = n;
    return s;
}

/** Take everything that is left as a view (it inherits is_cut). */
static inline struct ft_view ft_rest(struct ft_view *v)
{
    struct ft_view s = *v;
    s.last_len = 0;
    v->last_len = v->len;
    v->data += v->len;
    v->len = 0;
    return s;
}

/** Take a block whose length stands before it as u8 or u16. */
static inline struct ft_view ft_sub_u8(struct ft_view *v)
{
    return ft_sub(v, ft_u8(v));
}

static inline struct ft_view ft_sub_u16be(struct ft_view *v)
{
    return ft_sub(v, ft_u16be(v));
}

static inline struct ft_view ft_sub_u16le(struct ft_view *v)
{
    return ft_sub(v, ft_u16le(v));
}

/**
 * Bound a count that the wire gave by what can be there: returns n when n elements of at least
 * `min_size` bytes (1 at least) fit into the bytes left, else the number that fits, and the view's
 * error sticks at the read past the end that the caller's loop then makes. Every loop over a wire
 * count goes through this, so a hostile count costs no more than the packet's own size.
 */
static inline uint32_t ft_count(const struct ft_view *v, uint64_t n, uint32_t min_size)
{
    uint32_t fits = v->len / (min_size ? min_size : 1);
    return n <= fits ? (uint32_t)n : fits + 1;
}

/** The bits [low, low + width) of x, bit 0 being the least significant. */
static inline uint32_t ft_bits(uint32_t x, unsigned low, unsigned width)
{
    return x >> low & (width >= 32 ? 0xffffffffu : (1u << width) - 1);
}

/**
 * Read a base-128 integer, most significant group first (bit 7 = more). More than 64 bits or ten
 * bytes are malformed.
 */
static inline uint64_t ft_varint_be(struct ft_view *v)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 10 && !(x >> 57); i++) {
        uint8_t b = ft_u8(v);
        if (!ft_view_ok(v))
            return 0;
        x = x << 7 | (b & 0x7f);
        if (!(b & 0x80)) {
            v->last_len = i + 1;
            return x;
        }
    }
    ft_view_fail(v);
    return 0;
}

/** As ft_varint_be(), least significant group first (LEB128). */
static inline uint64_t ft_varint_le(struct ft_view *v)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < 10; i++) {
        uint8_t b = ft_u8(v);
        if (!ft_view_ok(v))
            return 0;
        if (i == 9 && b > 1)
            break;
        x |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            v->last_len = i + 1;
            return x;
        }
    }
    ft_view_fail(v);
    return 0;
}

#ifdef __cplusplus
}
#endif
#endif
