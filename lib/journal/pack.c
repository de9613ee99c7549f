/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packing a closed segment: frames of whole records, each to be unpacked alone.
 *
 * Within a frame each record ends a block of Zstandard's. So what is before damage in a frame can
 * be unpacked, to the last record; a frame of one block would be lost as a whole.
 */
#include "journal/segment.h"

#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A level that leaves literals as they are: an entropy table a block costs more time than all else
 * and in blocks so short gains little. JSON lines are packed to a seventh or an eighth. */
#define LEVEL      (-1)
#define PACKED     FT_JOURNAL_PACKED_MAX
#define PENDING    (1u << 20) /* written at once */
#define WINDOW_LOG 17         /* of FT_JOURNAL_FRAME */

struct packer {
    const struct ft_journal_disk *disk;
    const atomic_bool *stops;
    int fd;
    uint64_t offset;
    uint8_t *out; /* to be written, PENDING and a frame */
    uint32_t out_length;
    uint8_t *head; /* of the frame that is being made */
    struct ft_journal_frame frame;
    ZSTD_CCtx *context;
};

static bool write_out(struct packer *p)
{
    for (uint32_t done = 0; done < p->out_length;) {
        ssize_t n = p->disk->write(p->fd, p->out + done, p->out_length - done, (off_t)p->offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = ENOSPC;
            return false;
        }
        done += (uint32_t)n;
        p->offset += (uint64_t)n;
    }
    p->out_length = 0;
    return true;
}

static uint8_t *skippable(struct packer *p, uint32_t size)
{
    uint8_t *to = p->out + p->out_length + FT_JOURNAL_SKIPPABLE;
    ft_journal_put_skippable(to - FT_JOURNAL_SKIPPABLE, size);
    p->out_length += FT_JOURNAL_SKIPPABLE + size;
    return to;
}

/* Into the frame that is being made, which is behind its head. */
static bool pack(struct packer *p, const void *data, size_t size, ZSTD_EndDirective end)
{
    ZSTD_inBuffer in = {data, size, 0};
    ZSTD_outBuffer out = {p->out + p->out_length, PACKED, p->frame.packed};
    if (ZSTD_compressStream2(p->context, &out, &in, end) != 0) {
        errno = ENOMEM;
        return false;
    }
    p->frame.packed = (uint32_t)out.pos;
    return true;
}

static bool end_frame(struct packer *p)
{
    if (!p->frame.count)
        return true;
    if (!pack(p, NULL, 0, ZSTD_e_end))
        return false;
    p->frame.packed_crc = ft_crc32c(p->out + p->out_length, p->frame.packed);
    ft_journal_put_frame(p->head, &p->frame);
    p->out_length += p->frame.packed;
    memset(&p->frame, 0, sizeof(p->frame));
    if (atomic_load(p->stops)) {
        errno = ECANCELED;
        return false;
    }
    return p->out_length < PENDING || write_out(p);
}

static bool put_record(struct packer *p, const struct ft_segment_record *r)
{
    uint32_t length = FT_JOURNAL_RECORD_HEAD + r->head.length;
    if (!p->frame.count++) {
        p->head = skippable(p, FT_JOURNAL_FRAME_HEAD);
        p->frame.first_sequence = r->head.sequence;
    }
    p->frame.plain += length;
    if (r->head.sequence > p->frame.last_sequence)
        p->frame.last_sequence = r->head.sequence;
    return pack(p, r->raw, length, ZSTD_e_flush) &&
           (p->frame.plain < FT_JOURNAL_FRAME || end_frame(p));
}

/* 1 done, 0 damaged, -1 errno */
static int pack_into(struct packer *p, struct ft_segment *s)
{
    struct ft_segment_record r;
    uint64_t bytes = FT_JOURNAL_HEADER;
    ft_journal_put_header(skippable(p, FT_JOURNAL_HEADER), &s->header);
    while (ft_segment_next(s, &r)) {
        if (!put_record(p, &r))
            return -1;
        bytes += FT_JOURNAL_RECORD_HEAD + r.head.length;
    }
    if (s->error) {
        errno = s->error;
        return -1;
    }
    if (s->damaged || !s->has_footer || s->footer.data_bytes != bytes)
        return 0;
    if (!end_frame(p))
        return -1;
    ft_journal_put_footer(skippable(p, FT_JOURNAL_FOOTER), &s->footer);
    return write_out(p) && p->disk->sync(p->fd) == 0 ? 1 : -1;
}

static bool open_packer(struct packer *p, int folder, const char *name, mode_t mode)
{
    p->out = malloc(PENDING + PACKED + 4 * FT_JOURNAL_HEADER);
    p->context = ZSTD_createCCtx();
    if (!p->out || !p->context) {
        errno = ENOMEM;
        return false;
    }
    ZSTD_CCtx_setParameter(p->context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(p->context, ZSTD_c_windowLog, WINDOW_LOG);
    ZSTD_CCtx_setParameter(p->context, ZSTD_c_checksumFlag, 1);
    p->fd =
        p->disk->open(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    return p->fd >= 0;
}

int ft_segment_pack(struct ft_segment *s, int folder, const char *name, mode_t mode,
                    const struct ft_journal_disk *disk, const atomic_bool *stops, uint64_t *size)
{
    struct packer p = {.disk = disk, .stops = stops, .fd = -1};
    char made[80];
    int result = -1;
    snprintf(made, sizeof(made), "%s.new", name);
    if (!ft_segment_open(s, folder, name))
        return -1;
    if (!s->has_header || s->is_packed)
        result = 0;
    else if (open_packer(&p, folder, made, mode))
        result = pack_into(&p, s);
    int reason = errno;
    if (p.fd >= 0) {
        close(p.fd);
        if (result == 1 && (renameat(folder, made, folder, name) < 0 || disk->sync(folder) < 0)) {
            reason = errno;
            result = -1;
        }
        if (result != 1)
            unlinkat(folder, made, 0);
    }
    *size = p.offset;
    ZSTD_freeCCtx(p.context);
    free(p.out);
    ft_segment_close(s);
    errno = reason;
    return result;
}
