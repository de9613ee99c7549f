/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a segment file, whatever became of it. */
#include "journal/segment.h"

#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the longest record, and for the longest frame that is made. */
#define WINDOW (256u << 10)
_Static_assert(FT_JOURNAL_PACKED_MAX + 64 < WINDOW, "a frame fits the window");

#define PAGE 4096u /* read on its own where more cannot be read */

#define FRAME_START (FT_JOURNAL_SKIPPABLE + FT_JOURNAL_FRAME_HEAD)

bool ft_segment_init(struct ft_segment *s)
{
    memset(s, 0, sizeof(*s));
    s->fd = -1;
    s->read = pread;
    s->window = malloc(WINDOW);
    s->plain = malloc(FT_JOURNAL_FRAME_MAX);
    s->unpacker = ZSTD_createDCtx();
    s->digest = EVP_MD_CTX_new();
    return s->window && s->plain && s->unpacker && s->digest;
}

void ft_segment_free(struct ft_segment *s)
{
    ft_segment_close(s);
    free(s->window);
    free(s->plain);
    ZSTD_freeDCtx(s->unpacker);
    EVP_MD_CTX_free(s->digest);
}

void ft_segment_close(struct ft_segment *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* Read all of `size` bytes, or to the end of the file. */
static ssize_t read_at(const struct ft_segment *s, uint8_t *to, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = s->read(s->fd, to + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* What can be read of `size` bytes, page by page: some of it may be on a bad sector. */
static ssize_t read_before_fault(const struct ft_segment *s, uint8_t *to, size_t size,
                                 uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        size_t page = PAGE - (offset + done) % PAGE;
        ssize_t n = read_at(s, to + done, page < size - done ? page : size - done, offset + done);
        if (n <= 0)
            return done ? (ssize_t)done : n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* Fill the window from `at` on, `left` bytes before the limit; false with s->error. */
static bool fill_window(struct ft_segment *s, uint64_t at, uint32_t want, uint64_t left)
{
    size_t size = left < WINDOW ? (size_t)left : WINDOW;
    ssize_t n = read_at(s, s->window, size, at);
    s->window_offset = at;
    s->window_length = n < 0 ? 0 : (uint32_t)n;
    if (n >= 0 && (uint64_t)n < size) /* the file is shorter than it was said to be */
        s->limit = at + (uint64_t)n;
    if (n >= 0)
        return true;
    n = read_before_fault(s, s->window, want, at);
    s->window_length = n < 0 ? 0 : (uint32_t)n;
    if (n < 0)
        s->error = errno;
    return n >= 0;
}

/* Bytes from `at` on, up to `want` or the limit; their number in *have. They are fewer before a
 * place that cannot be read. */
static const uint8_t *look(struct ft_segment *s, uint64_t at, uint32_t want, uint32_t *have)
{
    uint64_t left = at < s->limit ? s->limit - at : 0;
    uint64_t end = s->window_offset + s->window_length;
    if (want > left)
        want = (uint32_t)left;
    if (want && (at < s->window_offset || at + want > end)) {
        fill_window(s, at, want, left);
        if (want > s->window_length)
            want = s->window_length;
    }
    *have = want;
    return s->window + (at - s->window_offset);
}

/* Too little was seen at `at`, because what is behind it cannot be read. */
static bool is_fault(struct ft_segment *s, uint64_t at, uint32_t have, uint32_t wanted)
{
    if (have < wanted && at + have < s->limit && !s->error)
        s->error = EIO;
    return s->error;
}

static void skip_damage(struct ft_segment *s, uint64_t bytes)
{
    if (!s->damaged)
        s->damaged_at = s->at;
    s->damaged += bytes;
    s->at += bytes;
}

/* ---- opening ---- */

/* Neither header is right: packed, if a frame's head is near. */
static bool looks_packed(struct ft_segment *s)
{
    struct ft_journal_frame frame;
    uint32_t have;
    const uint8_t *p = look(s, 0, FT_JOURNAL_FRAME_MAX + FRAME_START, &have);
    for (uint32_t i = 0; i + FRAME_START <= have; i++)
        if (ft_journal_is_skippable(p + i, FT_JOURNAL_FRAME_HEAD) &&
            ft_journal_get_frame(p + i + FT_JOURNAL_SKIPPABLE, &frame))
            return true;
    return have >= FT_JOURNAL_SKIPPABLE && ft_journal_is_skippable(p, FT_JOURNAL_HEADER);
}

static void begin(struct ft_segment *s)
{
    uint32_t have, start = 0;
    const uint8_t *p = look(s, 0, FT_JOURNAL_SKIPPABLE + FT_JOURNAL_HEADER, &have);
    s->is_packed = false;
    s->has_header = have >= FT_JOURNAL_HEADER && ft_journal_get_header(p, &s->header);
    if (!s->has_header && have == FT_JOURNAL_SKIPPABLE + FT_JOURNAL_HEADER &&
        ft_journal_get_header(p + FT_JOURNAL_SKIPPABLE, &s->header)) {
        s->has_header = s->is_packed = true;
        start = FT_JOURNAL_SKIPPABLE;
    }
    if (s->has_header) {
        s->at = start + FT_JOURNAL_HEADER;
        EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL);
        EVP_DigestUpdate(s->digest, p + start, FT_JOURNAL_HEADER);
    } else {
        s->is_packed = looks_packed(s);
        s->at = 0;
    }
    s->whole_end = s->at;
}

bool ft_segment_open(struct ft_segment *s, int folder, const char *name)
{
    struct stat st;
    ft_segment_close(s);
    s->fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (s->fd < 0)
        return false;
    if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        ft_segment_close(s);
        errno = EINVAL;
        return false;
    }
    s->limit = (uint64_t)st.st_size;
    s->window_length = 0;
    s->window_offset = 0;
    s->plain_length = s->plain_at = 0;
    s->rest = s->last_sequence = 0;
    s->has_footer = s->hashes = false;
    s->damaged = s->skip_through = 0;
    s->error = 0;
    begin(s);
    return true;
}

bool ft_segment_read_footer(struct ft_segment *s, struct ft_journal_footer *footer)
{
    uint8_t bytes[FT_JOURNAL_FOOTER];
    return s->limit >= FT_JOURNAL_FOOTER &&
           read_at(s, bytes, sizeof(bytes), s->limit - sizeof(bytes)) == sizeof(bytes) &&
           ft_journal_get_footer(bytes, footer);
}

/* ---- plain ---- */

/* Bytes to pass over to the next one with which a record or a footer may begin. */
static uint32_t to_next(const uint8_t *p, uint32_t have, uint8_t first, uint8_t second)
{
    uint32_t n = 1;
    while (n < have && p[n] != first && p[n] != second)
        n++;
    return n;
}

static bool next_plain(struct ft_segment *s, struct ft_segment_record *r)
{
    for (;;) {
        uint32_t have, length;
        const uint8_t *p = look(s, s->at, FT_JOURNAL_RECORD_ROOM, &have);
        if (!have || is_fault(s, s->at, have, FT_JOURNAL_FOOTER))
            return false;
        if (have >= FT_JOURNAL_RECORD_HEAD && ft_journal_get_record(p, &r->head)) {
            length = FT_JOURNAL_RECORD_HEAD + r->head.length;
            if (is_fault(s, s->at, have, length))
                return false;
            if (length > have) { /* the end of the file is inside it */
                skip_damage(s, have);
                return false;
            }
            if (r->head.bytes_crc == ft_crc32c(p + FT_JOURNAL_RECORD_HEAD, r->head.length)) {
                r->raw = p;
                s->at += length;
                s->whole_end = s->at;
                return true;
            }
            skip_damage(s, length);
        } else if (have >= FT_JOURNAL_FOOTER && ft_journal_get_footer(p, &s->footer)) {
            s->has_footer = true;
            return false;
        } else {
            skip_damage(s, to_next(p, have, 0x1e, 'F'));
        }
    }
}

/* ---- packed ---- */

/* As much of a damaged frame as Zstandard gives: byte by byte, since of a call that fails nothing
 * is given, not even the blocks before the wrong one. */
static void unpack_before_damage(struct ft_segment *s, const uint8_t *p, uint32_t have,
                                 uint64_t whole)
{
    ZSTD_inBuffer in = {p, 0, 0};
    ZSTD_outBuffer out = {s->plain, FT_JOURNAL_FRAME_MAX, 0};
    size_t good = 0, n = 1;
    ZSTD_DCtx_reset(s->unpacker, ZSTD_reset_session_only);
    while (n && !ZSTD_isError(n) && in.size < have) {
        in.size++;
        n = ZSTD_decompressStream(s->unpacker, &out, &in);
        if (!ZSTD_isError(n) && out.pos > s->plain_length) {
            s->plain_length = (uint32_t)out.pos;
            good = in.pos;
        }
    }
    s->at += FRAME_START + good;
    s->rest = whole - FRAME_START - good;
    if (s->rest > s->limit - s->at)
        s->rest = s->limit - s->at;
}

/* False when it cannot be read. */
static bool unpack(struct ft_segment *s, const struct ft_journal_frame *frame)
{
    uint32_t have;
    uint64_t whole = FRAME_START + frame->packed;
    const uint8_t *p = look(s, s->at + FRAME_START, frame->packed, &have);
    if (is_fault(s, s->at + FRAME_START, have, frame->packed))
        return false;
    s->plain_at = s->plain_length = 0;
    size_t n = 0;
    if (have == frame->packed && ft_crc32c(p, frame->packed) == frame->packed_crc)
        n = ZSTD_decompressDCtx(s->unpacker, s->plain, FT_JOURNAL_FRAME_MAX, p, frame->packed);
    if (ZSTD_isError(n) || !n || n != frame->plain) {
        unpack_before_damage(s, p, have, whole);
        return true;
    }
    s->plain_length = (uint32_t)n;
    s->at += whole;
    if (s->hashes)
        EVP_DigestUpdate(s->digest, s->plain, n);
    return true;
}

/* Unpack the next frame that is wanted, as far as it is whole; false at the end. */
static bool next_frame(struct ft_segment *s)
{
    for (;;) {
        struct ft_journal_frame frame;
        uint32_t have;
        const uint8_t *p = look(s, s->at, FT_JOURNAL_SKIPPABLE + FT_JOURNAL_FOOTER, &have);
        if (!have || is_fault(s, s->at, have, FT_JOURNAL_SKIPPABLE + FT_JOURNAL_FOOTER))
            return false;
        if (have >= FRAME_START && ft_journal_is_skippable(p, FT_JOURNAL_FRAME_HEAD) &&
            ft_journal_get_frame(p + FT_JOURNAL_SKIPPABLE, &frame) && frame.packed < WINDOW - 64 &&
            frame.plain <= FT_JOURNAL_FRAME_MAX) {
            if (!s->skip_through || frame.last_sequence > s->skip_through || s->hashes)
                return unpack(s, &frame);
            s->at += FRAME_START + frame.packed;
        } else if (have == FT_JOURNAL_SKIPPABLE + FT_JOURNAL_FOOTER &&
                   ft_journal_is_skippable(p, FT_JOURNAL_FOOTER) &&
                   ft_journal_get_footer(p + FT_JOURNAL_SKIPPABLE, &s->footer)) {
            s->has_footer = true;
            return false;
        } else {
            skip_damage(s, to_next(p, have, 0x5d, 0x5d));
        }
    }
}

/* Over what is wrong in an unpacked frame: to where a record may begin. */
static void skip_plain(struct ft_segment *s, uint32_t bytes)
{
    if (!s->damaged)
        s->damaged_at = s->at;
    s->damaged += bytes;
    s->plain_at += bytes;
}

static bool next_packed(struct ft_segment *s, struct ft_segment_record *r)
{
    for (;;) {
        uint32_t left = s->plain_length - s->plain_at, length;
        const uint8_t *p = s->plain + s->plain_at;
        if (left >= FT_JOURNAL_RECORD_HEAD && ft_journal_get_record(p, &r->head) &&
            (length = FT_JOURNAL_RECORD_HEAD + r->head.length) <= left) {
            /* Behind damage an earlier record may come again, as what is unpacked was copied. */
            if (r->head.sequence > s->last_sequence &&
                r->head.bytes_crc == ft_crc32c(p + FT_JOURNAL_RECORD_HEAD, r->head.length)) {
                r->raw = p;
                s->last_sequence = r->head.sequence;
                s->plain_at += length;
                return true;
            }
            skip_plain(s, length);
        } else if (left) {
            skip_plain(s, to_next(p, left, 0x1e, 0x1e));
        } else {
            if (s->rest)
                skip_damage(s, s->rest);
            s->rest = 0;
            if (!next_frame(s))
                return false;
        }
    }
}

void ft_segment_pass_fault(struct ft_segment *s, bool passes)
{
    uint64_t left = s->at < s->limit ? s->limit - s->at : 0, page = PAGE - s->at % PAGE;
    s->error = 0;
    s->window_length = 0;
    if (passes)
        skip_damage(s, left < page ? left : page);
}

bool ft_segment_next(struct ft_segment *s, struct ft_segment_record *r)
{
    if (s->has_footer || s->error)
        return false;
    return s->is_packed ? next_packed(s, r) : next_plain(s, r);
}

/* ---- hashes ---- */

static bool hash_file(struct ft_segment *s, uint64_t data_bytes)
{
    EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL);
    s->window_length = 0; /* used for this */
    for (uint64_t at = 0; at < data_bytes;) {
        uint64_t left = data_bytes - at;
        ssize_t n = read_at(s, s->window, left < WINDOW ? (size_t)left : WINDOW, at);
        if (n <= 0)
            return false;
        EVP_DigestUpdate(s->digest, s->window, (size_t)n);
        at += (uint64_t)n;
    }
    return true;
}

bool ft_segment_hash(struct ft_segment *s, uint64_t data_bytes, uint8_t hash[FT_JOURNAL_HASH])
{
    if (s->is_packed ? !s->has_header || !s->hashes : !hash_file(s, data_bytes))
        return false;
    return EVP_DigestFinal_ex(s->digest, hash, NULL) == 1;
}
