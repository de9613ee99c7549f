/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of sets as people write them, one by one and in files. */
#include "rules/sets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAC_MAX    0xffffffffffffull
#define FILE_MAX   (256u << 20) /* a million entries of 256 bytes */
#define ERROR_SIZE 256u

/* One entry being read. What is wrong is told once, by who finds it, with its place. */
struct entry {
    enum ft_value_kind kind;
    const char *at; /* where in it something is wrong */
    char *error;
    size_t error_size;
};

/* A piece of an entry. */
struct piece {
    const char *text;
    size_t length;
};

/* All values from the least to the greatest that a piece stands for. */
struct span {
    struct ft_set_address from, to; /* numbers: only low */
};

static const char *const KIND_NAMES[] = {
    [FT_VALUE_IP] = "ip",         [FT_VALUE_MAC] = "mac",   [FT_VALUE_PORT] = "port",
    [FT_VALUE_NUMBER] = "number", [FT_VALUE_TEXT] = "text",
};

#define KINDS (sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]))

const char *ft_value_kind_name(enum ft_value_kind kind)
{
    return KIND_NAMES[kind];
}

enum ft_set_kind ft_value_set_kind(enum ft_value_kind kind)
{
    switch (kind) {
    case FT_VALUE_IP:
        return FT_SET_ADDRESSES;
    case FT_VALUE_TEXT:
        return FT_SET_TEXTS;
    default:
        return FT_SET_NUMBERS;
    }
}

/* ---- what is wrong ---- */

/* A piece for people: what a terminal might take for something else is written as \xNN, and what
 * is long is cut. */
static const char *shown(char out[64], struct piece p)
{
    size_t n = 0;
    for (size_t i = 0; i < p.length; i++) {
        uint8_t c = (uint8_t)p.text[i];
        if (n > 50) {
            n += (size_t)snprintf(out + n, 64 - n, "...");
            break;
        }
        n += (size_t)snprintf(out + n, 64 - n, c < 0x20 || c > 0x7e ? "\\x%02x" : "%c", c);
    }
    out[n] = 0;
    return out;
}

__attribute__((format(printf, 3, 4))) static bool wrong(struct entry *e, const char *at,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e->error, e->error_size, format, arguments);
    va_end(arguments);
    e->at = at;
    return false;
}

static bool wrong_address(struct entry *e, struct piece p)
{
    char text[64];
    return wrong(e, p.text,
                 "\"%s\" is no IP address; written as 10.0.0.1, 10.0.0.0/8, 10.0.0.1..10.0.0.9, "
                 "fe80::/10 or a decimal number up to 4294967295",
                 shown(text, p));
}

static bool wrong_mac(struct entry *e, struct piece p)
{
    char text[64];
    return wrong(e, p.text,
                 "\"%s\" is no MAC address; written as 00:0e:8c:01:02:03, 00-0e-8c-01-02-03, "
                 "000e.8c01.0203, a decimal number, or 00:0e:8c for all that begin so",
                 shown(text, p));
}

/* ---- pieces ---- */

static bool is_all_digits(struct piece p)
{
    for (size_t i = 0; i < p.length; i++)
        if (p.text[i] < '0' || p.text[i] > '9')
            return false;
    return p.length != 0;
}

static struct piece trimmed(struct piece p)
{
    for (; p.length && strchr(" \t", p.text[0]) && p.text[0]; p.text++)
        p.length--;
    while (p.length && (p.text[p.length - 1] == ' ' || p.text[p.length - 1] == '\t'))
        p.length--;
    return p;
}

/* Cut a piece in two at a separator; false when it is not there. */
static bool cut(struct piece whole, const char *separator, struct piece *before,
                struct piece *after)
{
    size_t n = strlen(separator);
    const char *at = memmem(whole.text, whole.length, separator, n);
    if (!at)
        return false;
    *before = (struct piece){whole.text, (size_t)(at - whole.text)};
    *after = (struct piece){at + n, whole.length - before->length - n};
    return true;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A number, decimal or 0x; false when it is none or greater than `max`. */
static bool number_of(struct piece p, uint64_t max, uint64_t *number)
{
    unsigned base = 10;
    if (p.length > 2 && p.text[0] == '0' && (p.text[1] | 0x20) == 'x') {
        base = 16;
        p = (struct piece){p.text + 2, p.length - 2};
    }
    *number = 0;
    for (size_t i = 0; i < p.length; i++) {
        int digit = digit_of(p.text[i]);
        if (digit < 0 || (unsigned)digit >= base || __builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, (unsigned)digit, number) || *number > max)
            return false;
    }
    return p.length != 0;
}

/* The /24 of an entry: bits of `width`. */
static bool prefix_of(struct entry *e, struct piece p, unsigned width, unsigned *bits)
{
    uint64_t number;
    char text[64];
    if (!is_all_digits(p) || !number_of(p, width, &number))
        return wrong(e, p.text, "\"/%s\" is no prefix length; here it is /0 to /%u", shown(text, p),
                     width);
    *bits = (unsigned)number;
    return true;
}

/* ---- addresses ---- */

/* One address; `*width`: 32 or 128 bits. */
static bool address_of(struct entry *e, struct piece p, struct ft_set_address *address,
                       unsigned *width)
{
    char text[INET6_ADDRSTRLEN + 1];
    uint8_t bytes[16];
    uint64_t number;
    *width = 32;
    if (is_all_digits(p)) {
        if (!number_of(p, UINT32_MAX, &number))
            return wrong_address(e, p);
        *address = (struct ft_set_address){0, 0xffffull << 32 | number};
        return true;
    }
    if (p.length >= sizeof(text) || memchr(p.text, 0, p.length))
        return wrong_address(e, p);
    memcpy(text, p.text, p.length);
    text[p.length] = 0;
    if (inet_pton(AF_INET, text, bytes) != 1) {
        if (inet_pton(AF_INET6, text, bytes) != 1)
            return wrong_address(e, p);
        *width = 128;
    }
    *address = ft_set_address_of(bytes, *width == 128);
    return true;
}

/* Ones in the last n bits of 64. */
static uint64_t ones(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

static bool address_prefix(struct entry *e, struct piece address, struct piece prefix,
                           struct span *span)
{
    unsigned width, bits;
    if (!address_of(e, address, &span->from, &width) || !prefix_of(e, prefix, width, &bits))
        return false;
    unsigned free_bits = width - bits;
    uint64_t low = ones(free_bits), high = ones(free_bits > 64 ? free_bits - 64 : 0);
    span->to = (struct ft_set_address){span->from.high | high, span->from.low | low};
    span->from.high &= ~high;
    span->from.low &= ~low;
    return true;
}

static bool is_less(struct ft_set_address a, struct ft_set_address b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static bool wrong_order(struct entry *e, struct piece from, struct piece to)
{
    char text[64], other[64];
    return wrong(e, from.text, "the range ends before it begins; written as %s..%s",
                 shown(text, to), shown(other, from));
}

static bool address_range(struct entry *e, struct piece from, struct piece to, struct span *span)
{
    unsigned width, other_width;
    if (!address_of(e, from, &span->from, &width) || !address_of(e, to, &span->to, &other_width))
        return false;
    if (width != other_width)
        return wrong(e, to.text,
                     "a range is of IPv4 or of IPv6 addresses, not from one to the "
                     "other");
    return !is_less(span->to, span->from) || wrong_order(e, from, to);
}

static bool address_single(struct entry *e, struct piece p, struct span *span)
{
    unsigned width;
    bool is_read = address_of(e, p, &span->from, &width);
    span->to = span->from;
    return is_read;
}

/* ---- MAC addresses ---- */

/* Groups of hex digits of one width between separators of one kind, or a decimal number. `*bits`
 * is how many are written: fewer than 48 are the beginning of an address. */
static bool mac_of(struct entry *e, struct piece p, uint64_t *mac, unsigned *bits)
{
    char separator = 0;
    unsigned width = 0, digits = 0;
    *mac = 0;
    *bits = 48;
    if (is_all_digits(p))
        return number_of(p, MAC_MAX, mac) || wrong_mac(e, p);

    for (size_t i = 0; i < p.length; i++) {
        int digit = digit_of(p.text[i]);
        if (digit >= 0 && digits < 12) {
            *mac = *mac << 4 | (unsigned)digit;
            digits++;
            continue;
        }
        if (!separator) {
            separator = p.text[i];
            width = separator == '.' ? 4 : 2;
        }
        /* A separator stands behind a whole group and before the next. */
        if (!strchr(":-.", p.text[i]) || p.text[i] != separator || i % (width + 1) != width ||
            i + 1 == p.length)
            return wrong_mac(e, p);
    }
    if (!separator || p.length % (width + 1) != width)
        return wrong_mac(e, p);
    *bits = digits * 4;
    *mac <<= 48 - *bits;
    return true;
}

static bool mac_prefix(struct entry *e, struct piece address, struct piece prefix,
                       struct span *span)
{
    unsigned written, bits;
    char text[64];
    if (is_all_digits(address))
        return wrong_mac(e, address);
    if (!mac_of(e, address, &span->from.low, &written) || !prefix_of(e, prefix, 48, &bits))
        return false;
    if (bits > written)
        return wrong(e, prefix.text, "/%u is more than the %u bits of \"%s\"", bits, written,
                     shown(text, address));
    span->from.low &= ~ones(48 - bits);
    span->to.low = span->from.low | ones(48 - bits);
    return true;
}

static bool mac_range(struct entry *e, struct piece from, struct piece to, struct span *span)
{
    unsigned bits, to_bits;
    if (!mac_of(e, from, &span->from.low, &bits) || !mac_of(e, to, &span->to.low, &to_bits))
        return false;
    /* Up to a beginning is up to the last address that begins so. */
    span->to.low |= ones(48 - to_bits);
    return span->from.low <= span->to.low || wrong_order(e, from, to);
}

static bool mac_single(struct entry *e, struct piece p, struct span *span)
{
    unsigned bits;
    char text[64];
    bool is_read = mac_of(e, p, &span->from.low, &bits);
    if (is_read && bits != 48 && bits != 24)
        return wrong(e, p.text,
                     "\"%s\" is a MAC address of %u octets; for all that begin so write %s/%u",
                     shown(text, p), bits / 8, text, bits);
    span->to.low = span->from.low | ones(is_read ? 48 - bits : 0);
    return is_read;
}

/* ---- ports and numbers ---- */

static bool plain_of(struct entry *e, struct piece p, uint64_t *number)
{
    bool is_port = e->kind == FT_VALUE_PORT;
    char text[64];
    if (number_of(p, is_port ? UINT16_MAX : UINT64_MAX, number))
        return true;
    if (is_port)
        return wrong(e, p.text, "\"%s\" is no port; written as 502 or 100..199, up to 65535",
                     shown(text, p));
    return wrong(e, p.text,
                 "\"%s\" is no number; written as 502, 0x1f6 or 100..199, up to %" PRIu64,
                 shown(text, p), UINT64_MAX);
}

static bool plain_range(struct entry *e, struct piece from, struct piece to, struct span *span)
{
    if (!plain_of(e, from, &span->from.low) || !plain_of(e, to, &span->to.low))
        return false;
    return span->from.low <= span->to.low || wrong_order(e, from, to);
}

static bool plain_single(struct entry *e, struct piece p, struct span *span)
{
    bool is_read = plain_of(e, p, &span->from.low);
    span->to = span->from;
    return is_read;
}

/* ---- entries ---- */

/* A range that is written as elsewhere. A hyphen is part of no address but of some MACs. */
static bool is_hyphen_wrong(struct entry *e, struct piece whole)
{
    struct piece before, after;
    char text[64], other[64];
    struct span unused = {0};
    struct entry probe = {.kind = e->kind, .error = text, .error_size = sizeof(text)};
    if (e->kind == FT_VALUE_MAC || !cut(whole, "-", &before, &after))
        return false;
    before = trimmed(before);
    after = trimmed(after);
    if (e->kind == FT_VALUE_IP ? !address_range(&probe, before, after, &unused)
                               : !plain_range(&probe, before, after, &unused))
        return false;
    return !wrong(e, whole.text, "a range is written as %s..%s", shown(text, before),
                  shown(other, after));
}

static bool span_of(struct entry *e, struct piece whole, struct span *span)
{
    struct piece before, after;
    if (cut(whole, "..", &before, &after)) {
        before = trimmed(before);
        after = trimmed(after);
        if (memchr(whole.text, '/', whole.length))
            return wrong(e, whole.text,
                         "a range goes from one address to another; prefix lengths "
                         "have no place in it");
        if (e->kind == FT_VALUE_IP)
            return address_range(e, before, after, span);
        return e->kind == FT_VALUE_MAC ? mac_range(e, before, after, span)
                                       : plain_range(e, before, after, span);
    }
    if (is_hyphen_wrong(e, whole))
        return false;
    if (e->kind == FT_VALUE_IP)
        return cut(whole, "/", &before, &after) ? address_prefix(e, before, after, span)
                                                : address_single(e, whole, span);
    if (e->kind == FT_VALUE_MAC)
        return cut(whole, "/", &before, &after) ? mac_prefix(e, before, after, span)
                                                : mac_single(e, whole, span);
    return plain_single(e, whole, span);
}

static bool add_entry(struct ft_set *set, struct entry *e, struct piece whole)
{
    struct span span = {0};
    bool is_added;
    if (ft_set_kind_of(set) != ft_value_set_kind(e->kind))
        return wrong(e, whole.text, "the set does not hold entries of the kind \"%s\"",
                     ft_value_kind_name(e->kind));
    if (e->kind == FT_VALUE_TEXT) {
        is_added = ft_set_add_text(set, whole.text, whole.length);
    } else {
        if (!span_of(e, trimmed(whole), &span))
            return false;
        is_added = e->kind == FT_VALUE_IP ? ft_set_add_addresses(set, span.from, span.to)
                                          : ft_set_add_numbers(set, span.from.low, span.to.low);
    }
    return is_added || wrong(e, whole.text, "memory is short");
}

bool ft_set_add_written(struct ft_set *set, enum ft_value_kind kind, const char *text,
                        size_t length, char *error, size_t error_size)
{
    struct entry e = {.kind = kind, .error = error, .error_size = error_size};
    return add_entry(set, &e, (struct piece){text, length});
}

/* ---- files ---- */

/* A file being read. */
struct reading {
    struct ft_set *set;
    enum ft_value_kind kind;
    ft_set_error_fn *wrong;
    void *user;
    uint32_t line, entries;
    bool is_right;
};

static void tell(struct reading *r, uint32_t line, uint32_t column, const char *text)
{
    r->is_right = false;
    r->wrong(r->user, line, column, text);
}

/* What a line holds besides a comment: a # that begins it or stands behind a blank. */
static struct piece without_comment(struct piece line)
{
    for (size_t i = 0; i < line.length; i++)
        if (line.text[i] == '#' && (!i || line.text[i - 1] == ' ' || line.text[i - 1] == '\t'))
            line.length = i;
    return line;
}

/* Characters of UTF-8 from the start of a line to a place in it, from 1. */
static uint32_t column_of(struct piece line, const char *at)
{
    uint32_t column = 1;
    for (const char *c = line.text; c < at; c++)
        column += ((uint8_t)*c & 0xc0) != 0x80;
    return column;
}

/* False when the rest of the file need not be read. */
static bool read_line(struct reading *r, struct piece line)
{
    char error[ERROR_SIZE];
    struct entry e = {.kind = r->kind, .error = error, .error_size = sizeof(error)};
    r->line++;
    if (line.length && line.text[line.length - 1] == '\r')
        line.length--;
    struct piece entry = trimmed(without_comment(line));
    if (!entry.length)
        return true;
    if (r->entries++ == FT_SET_FILE_ENTRIES) {
        snprintf(error, sizeof(error), "more than %u entries; a file holds at most so many",
                 FT_SET_FILE_ENTRIES);
        tell(r, r->line, column_of(line, entry.text), error);
        return false;
    }
    if (!add_entry(r->set, &e, entry))
        tell(r, r->line, column_of(line, e.at), error);
    return true;
}

static void read_lines(struct reading *r, struct piece all)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (all.length >= 2 && (!memcmp(all.text, "\xff\xfe", 2) || !memcmp(all.text, "\xfe\xff", 2))) {
        tell(r, 0, 0, "the file is UTF-16; what is read is UTF-8");
        return;
    }
    if (all.length >= 3 && !memcmp(all.text, mark, 3))
        all = (struct piece){all.text + 3, all.length - 3};
    while (all.length) {
        const char *end = memchr(all.text, '\n', all.length);
        size_t length = end ? (size_t)(end - all.text) : all.length;
        if (!read_line(r, (struct piece){all.text, length}))
            return;
        length += end != NULL;
        all = (struct piece){all.text + length, all.length - length};
    }
}

/* The whole of a file, to be freed; NULL and a sentence. Not blocking: a pipe that nobody writes
 * to is refused instead of waited for. */
static char *load(const char *path, size_t *length, char error[ERROR_SIZE])
{
    struct stat about;
    char *bytes = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &about)) {
        snprintf(error, ERROR_SIZE, "cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        snprintf(error, ERROR_SIZE, "is no file of entries, one a line");
    } else if (about.st_size > FILE_MAX) {
        snprintf(error, ERROR_SIZE, "is greater than %u MiB", FILE_MAX >> 20);
    } else if (!(bytes = malloc((size_t)about.st_size + 1))) {
        snprintf(error, ERROR_SIZE, "memory is short");
    } else {
        ssize_t got = 1;
        for (*length = 0; got > 0 && *length < (size_t)about.st_size; *length += (size_t)got)
            if ((got = read(file, bytes + *length, (size_t)about.st_size - *length)) < 0)
                break;
        if (got < 0) {
            snprintf(error, ERROR_SIZE, "cannot be read: %s", strerror(errno));
            free(bytes);
            bytes = NULL;
        }
    }
    if (file >= 0)
        close(file);
    return bytes;
}

bool ft_set_read(struct ft_set *set, enum ft_value_kind kind, const char *path,
                 ft_set_error_fn *wrong_line, void *user)
{
    struct reading r = {
        .set = set, .kind = kind, .wrong = wrong_line, .user = user, .is_right = true};
    char error[ERROR_SIZE];
    size_t length = 0;
    char *bytes = load(path, &length, error);
    if (!bytes) {
        tell(&r, 0, 0, error);
        return false;
    }
    read_lines(&r, (struct piece){bytes, length});
    free(bytes);
    return r.is_right;
}
