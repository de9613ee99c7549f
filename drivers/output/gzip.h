/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of requests, packed (gzip, RFC 1952). Of one sink, in its thread. */
#ifndef FT_GZIP_H
#define FT_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct ft_gzip;

/** For bodies of at most `max_bytes`; some 270 KB beside room for the result. NULL: no memory. */
struct ft_gzip *ft_gzip_new(uint32_t max_bytes);

/** Pack all of it; valid until the next call. NULL: it cannot be (more than `max_bytes`). */
const void *ft_gzip_pack(struct ft_gzip *g, const void *bytes, uint32_t length, uint32_t *packed);

/** NULL is fine. */
void ft_gzip_free(struct ft_gzip *g);

#endif
