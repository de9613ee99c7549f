/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed bodies, see gzip.h. */
#include "output/gzip.h"

#include <stdlib.h>
#include <zlib.h>

/* JSON lines shrink to a tenth with any level; this one packs some 100 MB/s. */
#define LEVEL 3

#define WINDOW_GZIP (15 + 16) /* the largest window, and gzip's head and tail around it */

struct ft_gzip {
    z_stream stream;
    uint32_t size;
    unsigned char *room;
};

struct ft_gzip *ft_gzip_new(uint32_t max_bytes)
{
    struct ft_gzip *g = calloc(1, sizeof(*g));
    if (!g || deflateInit2(&g->stream, LEVEL, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY)) {
        free(g);
        return NULL;
    }
    g->size = (uint32_t)deflateBound(&g->stream, max_bytes);
    g->room = malloc(g->size);
    if (g->room)
        return g;
    ft_gzip_free(g);
    return NULL;
}

const void *ft_gzip_pack(struct ft_gzip *g, const void *bytes, uint32_t length, uint32_t *packed)
{
    deflateReset(&g->stream);
    g->stream.next_in = (unsigned char *)(uintptr_t)bytes; /* zlib does not write to it */
    g->stream.avail_in = length;
    g->stream.next_out = g->room;
    g->stream.avail_out = g->size;
    if (deflate(&g->stream, Z_FINISH) != Z_STREAM_END)
        return NULL;
    *packed = g->size - g->stream.avail_out;
    return g->room;
}

void ft_gzip_free(struct ft_gzip *g)
{
    if (!g)
        return;
    deflateEnd(&g->stream);
    free(g->room);
    free(g);
}
