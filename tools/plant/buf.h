/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded byte builder: every encoder of the simulated plant appends to one of these.
 *
 * An overflow can only come from a wrong encoder, never from user input, so it ends the program
 * instead of giving a truncated message that would look like an attack.
 */
#ifndef FT_PLANT_BUF_H
#define FT_PLANT_BUF_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Bytes under construction. The creator owns @data; @len of @cap octets are filled. */
struct ft_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
};

/** A buffer on the stack of the caller, for a part whose length must be known before its header. */
#define FT_BUF_LOCAL(name, size)                                                                   \
    uint8_t name##_bytes[size];                                                                    \
    struct ft_buf name = {.data = name##_bytes, .len = 0, .cap = (size)}

/** Reserve @n octets at the end and return where they begin. */
static inline uint8_t *ft_buf_grow(struct ft_buf *b, size_t n)
{
    if (n > b->cap - b->len) {
        fprintf(stderr, "fieldtap-plant: internal error: message longer than %zu octets\n", b->cap);
        abort();
    }
    uint8_t *at = b->data + b->len;

    b->len += n;
    return at;
}

static inline void ft_store_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void ft_store_be32(uint8_t *p, uint32_t v)
{
    ft_store_be16(p, (uint16_t)(v >> 16));
    ft_store_be16(p + 2, (uint16_t)v);
}

static inline void ft_store_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void ft_store_le32(uint8_t *p, uint32_t v)
{
    ft_store_le16(p, (uint16_t)v);
    ft_store_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void ft_buf_u8(struct ft_buf *b, unsigned v)
{
    *ft_buf_grow(b, 1) = (uint8_t)v;
}

static inline void ft_buf_be16(struct ft_buf *b, unsigned v)
{
    ft_store_be16(ft_buf_grow(b, 2), (uint16_t)v);
}

static inline void ft_buf_be32(struct ft_buf *b, uint32_t v)
{
    ft_store_be32(ft_buf_grow(b, 4), v);
}

static inline void ft_buf_le16(struct ft_buf *b, unsigned v)
{
    ft_store_le16(ft_buf_grow(b, 2), (uint16_t)v);
}

static inline void ft_buf_le32(struct ft_buf *b, uint32_t v)
{
    ft_store_le32(ft_buf_grow(b, 4), v);
}

/** Milliseconds as DNP3 writes them: 48 bits, little-endian. */
static inline void ft_buf_le48(struct ft_buf *b, uint64_t v)
{
    ft_buf_le32(b, (uint32_t)v);
    ft_buf_le16(b, (unsigned)(v >> 32));
}

static inline void ft_buf_bytes(struct ft_buf *b, const void *data, size_t n)
{
    if (n > 0)
        memcpy(ft_buf_grow(b, n), data, n);
}

/** Append another buffer whole. */
static inline void ft_buf_append(struct ft_buf *b, const struct ft_buf *other)
{
    ft_buf_bytes(b, other->data, other->len);
}

static inline void ft_buf_fill(struct ft_buf *b, uint8_t value, size_t n)
{
    if (n > 0)
        memset(ft_buf_grow(b, n), value, n);
}

/** Append the characters of @s without the NUL. */
static inline void ft_buf_str(struct ft_buf *b, const char *s)
{
    ft_buf_bytes(b, s, strlen(s));
}

/** Append @s with its length in one octet before it. */
static inline void ft_buf_str8(struct ft_buf *b, const char *s)
{
    ft_buf_u8(b, (unsigned)strlen(s));
    ft_buf_str(b, s);
}

/** Append @s cut or padded with @pad to exactly @width octets. */
static inline void ft_buf_padded(struct ft_buf *b, const char *s, size_t width, uint8_t pad)
{
    size_t n = strlen(s) < width ? strlen(s) : width;

    ft_buf_bytes(b, s, n);
    ft_buf_fill(b, pad, width - n);
}

#endif
