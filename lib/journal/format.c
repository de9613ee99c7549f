/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of the journal's files, written and read; and the names of what is in them. */
#include "journal/format.h"

#include "base/crc32c.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* First bytes. A record begins with bytes that no text has. */
#define MAGIC_HEADER   0x484a5446u /* FTJH */
#define MAGIC_FOOTER   0x454a5446u /* FTJE */
#define MAGIC_FRAME    0x464a5446u /* FTJF */
#define MAGIC_SAVED    0x534a5446u /* FTJS */
#define MAGIC_POSITION 0x434a5446u /* FTJC */
#define MAGIC_RECORD   0xf71eu
#define MAGIC_SKIP     0x184d2a5du

static const struct {
    const char *name;
    enum ft_journal_class class;
} types[FT_JOURNAL_TYPES] = {
    [0] = {"unknown", FT_JOURNAL_TRANSACTION},
    [FT_JOURNAL_TYPE_ALERT] = {"alert", FT_JOURNAL_ALERT},
    [FT_JOURNAL_TYPE_HEALTH] = {"health", FT_JOURNAL_ALERT},
    [FT_JOURNAL_TYPE_ANOMALY] = {"anomaly", FT_JOURNAL_INVENTORY},
    [FT_JOURNAL_TYPE_ASSET] = {"asset", FT_JOURNAL_INVENTORY},
    [FT_JOURNAL_TYPE_OPERATION] = {"operation", FT_JOURNAL_INVENTORY},
    [FT_JOURNAL_TYPE_RULE] = {"rule", FT_JOURNAL_INVENTORY},
    [FT_JOURNAL_TYPE_FLOW] = {"flow", FT_JOURNAL_FLOW},
    [FT_JOURNAL_TYPE_STATS] = {"stats", FT_JOURNAL_FLOW},
    [FT_JOURNAL_TYPE_TRANSACTION] = {"transaction", FT_JOURNAL_TRANSACTION},
    [FT_JOURNAL_TYPE_MESSAGE] = {"message", FT_JOURNAL_TRANSACTION},
};

static const char *const classes[FT_JOURNAL_CLASSES] = {"alert", "inventory", "flow",
                                                        "transaction"};

enum ft_journal_type ft_journal_type_of(const char *event_type)
{
    for (unsigned i = 1; i < FT_JOURNAL_TYPES; i++)
        if (!strcmp(types[i].name, event_type))
            return (enum ft_journal_type)i;
    return FT_JOURNAL_TYPE_TRANSACTION;
}

enum ft_journal_class ft_journal_class_of(enum ft_journal_type type)
{
    return types[(unsigned)type < FT_JOURNAL_TYPES ? type : 0].class;
}

const char *ft_journal_class_name(enum ft_journal_class c)
{
    return (unsigned)c < FT_JOURNAL_CLASSES ? classes[c] : "unknown";
}

const char *ft_journal_gap_name(enum ft_journal_gap gap)
{
    static const char *const names[] = {"given_up", "removed", "damaged", "missing"};
    return (unsigned)gap < 4 ? names[gap] : "unknown";
}

/* ---- numbers ---- */

static void put_u16(uint8_t *to, uint16_t x)
{
    x = htole16(x);
    memcpy(to, &x, 2);
}

static void put_u32(uint8_t *to, uint32_t x)
{
    x = htole32(x);
    memcpy(to, &x, 4);
}

static void put_u64(uint8_t *to, uint64_t x)
{
    x = htole64(x);
    memcpy(to, &x, 8);
}

static uint16_t get_u16(const uint8_t *from)
{
    uint16_t x;
    memcpy(&x, from, 2);
    return le16toh(x);
}

static uint32_t get_u32(const uint8_t *from)
{
    uint32_t x;
    memcpy(&x, from, 4);
    return le32toh(x);
}

static uint64_t get_u64(const uint8_t *from)
{
    uint64_t x;
    memcpy(&x, from, 8);
    return le64toh(x);
}

/* The last four bytes of all structures are a checksum of the others. */
static void seal(uint8_t *to, uint32_t size)
{
    put_u32(to + size - 4, ft_crc32c(to, size - 4));
}

static bool is_sealed(const uint8_t *from, uint32_t size)
{
    return get_u32(from + size - 4) == ft_crc32c(from, size - 4);
}

/* Half of all numbers: nothing counts so far, and sums of them do not wrap. */
#define NUMBER_MAX (UINT64_MAX >> 1)

static bool are_numbers(uint64_t a, uint64_t b)
{
    return a <= NUMBER_MAX && b <= NUMBER_MAX;
}

/* ---- structures ---- */

void ft_journal_put_header(uint8_t *to, const struct ft_journal_header *h)
{
    memset(to, 0, FT_JOURNAL_HEADER);
    put_u32(to, MAGIC_HEADER);
    put_u16(to + 4, FT_JOURNAL_VERSION);
    to[6] = (uint8_t)h->class;
    put_u64(to + 8, h->first_sequence);
    put_u64(to + 16, h->first_number);
    put_u64(to + 24, h->created_ns);
    memcpy(to + 32, h->previous, FT_JOURNAL_HASH);
    memcpy(to + 64, h->sensor, FT_JOURNAL_NAME_SIZE);
    seal(to, FT_JOURNAL_HEADER);
}

bool ft_journal_get_header(const uint8_t *from, struct ft_journal_header *h)
{
    if (get_u32(from) != MAGIC_HEADER || get_u16(from + 4) != FT_JOURNAL_VERSION ||
        from[6] >= FT_JOURNAL_CLASSES || !is_sealed(from, FT_JOURNAL_HEADER))
        return false;
    h->class = (enum ft_journal_class)from[6];
    h->first_sequence = get_u64(from + 8);
    h->first_number = get_u64(from + 16);
    h->created_ns = get_u64(from + 24);
    memcpy(h->previous, from + 32, FT_JOURNAL_HASH);
    memcpy(h->sensor, from + 64, FT_JOURNAL_NAME_SIZE);
    h->sensor[FT_JOURNAL_NAME_SIZE - 1] = 0;
    return are_numbers(h->first_sequence, h->first_number);
}

void ft_journal_put_record(uint8_t *to, const struct ft_journal_record *r)
{
    put_u16(to, MAGIC_RECORD);
    to[2] = r->type;
    to[3] = r->severity;
    put_u32(to + 4, r->length);
    put_u64(to + 8, r->sequence);
    put_u64(to + 16, r->number);
    put_u64(to + 24, r->time_ns);
    put_u32(to + 32, ft_crc32c(to + FT_JOURNAL_RECORD_HEAD, r->length));
    seal(to, FT_JOURNAL_RECORD_HEAD);
}

bool ft_journal_get_record(const uint8_t *from, struct ft_journal_record *r)
{
    if (get_u16(from) != MAGIC_RECORD || get_u32(from + 4) > FT_JOURNAL_RECORD_MAX ||
        !is_sealed(from, FT_JOURNAL_RECORD_HEAD))
        return false;
    r->type = from[2];
    r->severity = from[3];
    r->length = get_u32(from + 4);
    r->sequence = get_u64(from + 8);
    r->number = get_u64(from + 16);
    r->time_ns = get_u64(from + 24);
    r->bytes_crc = get_u32(from + 32);
    return are_numbers(r->sequence, r->number);
}

void ft_journal_put_footer(uint8_t *to, const struct ft_journal_footer *f)
{
    memset(to, 0, FT_JOURNAL_FOOTER);
    put_u32(to, MAGIC_FOOTER);
    put_u64(to + 8, f->count);
    put_u64(to + 16, f->last_sequence);
    put_u64(to + 24, f->last_number);
    put_u64(to + 32, f->closed_ns);
    put_u64(to + 40, f->data_bytes);
    memcpy(to + 48, f->hash, FT_JOURNAL_HASH);
    seal(to, FT_JOURNAL_FOOTER);
}

bool ft_journal_get_footer(const uint8_t *from, struct ft_journal_footer *f)
{
    if (get_u32(from) != MAGIC_FOOTER || !is_sealed(from, FT_JOURNAL_FOOTER))
        return false;
    f->count = get_u64(from + 8);
    f->last_sequence = get_u64(from + 16);
    f->last_number = get_u64(from + 24);
    f->closed_ns = get_u64(from + 32);
    f->data_bytes = get_u64(from + 40);
    memcpy(f->hash, from + 48, FT_JOURNAL_HASH);
    return are_numbers(f->last_sequence, f->last_number);
}

void ft_journal_put_skippable(uint8_t *to, uint32_t size)
{
    put_u32(to, MAGIC_SKIP);
    put_u32(to + 4, size);
}

bool ft_journal_is_skippable(const uint8_t *from, uint32_t size)
{
    return get_u32(from) == MAGIC_SKIP && get_u32(from + 4) == size;
}

void ft_journal_put_frame(uint8_t *to, const struct ft_journal_frame *f)
{
    memset(to, 0, FT_JOURNAL_FRAME_HEAD);
    put_u32(to, MAGIC_FRAME);
    put_u32(to + 4, f->packed);
    put_u32(to + 8, f->plain);
    put_u32(to + 12, f->count);
    put_u64(to + 16, f->first_sequence);
    put_u64(to + 24, f->last_sequence);
    put_u32(to + 32, f->packed_crc);
    seal(to, FT_JOURNAL_FRAME_HEAD);
}

bool ft_journal_get_frame(const uint8_t *from, struct ft_journal_frame *f)
{
    if (get_u32(from) != MAGIC_FRAME || !is_sealed(from, FT_JOURNAL_FRAME_HEAD))
        return false;
    f->packed = get_u32(from + 4);
    f->plain = get_u32(from + 8);
    f->count = get_u32(from + 12);
    f->first_sequence = get_u64(from + 16);
    f->last_sequence = get_u64(from + 24);
    f->packed_crc = get_u32(from + 32);
    return true;
}

void ft_journal_put_saved(uint8_t *to, const struct ft_journal_saved *s)
{
    memset(to, 0, FT_JOURNAL_SAVED);
    put_u32(to, MAGIC_SAVED);
    put_u16(to + 4, FT_JOURNAL_VERSION);
    to[6] = s->is_clean;
    put_u64(to + 8, s->reserved_through);
    put_u64(to + 16, s->next_sequence);
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++) {
        put_u64(to + 24 + 40 * i, s->series[i].next_number);
        memcpy(to + 32 + 40 * i, s->series[i].hash, FT_JOURNAL_HASH);
    }
    seal(to, FT_JOURNAL_SAVED);
}

bool ft_journal_get_saved(const uint8_t *from, struct ft_journal_saved *s)
{
    if (get_u32(from) != MAGIC_SAVED || get_u16(from + 4) != FT_JOURNAL_VERSION ||
        !is_sealed(from, FT_JOURNAL_SAVED))
        return false;
    s->is_clean = from[6];
    s->reserved_through = get_u64(from + 8);
    s->next_sequence = get_u64(from + 16);
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++) {
        s->series[i].next_number = get_u64(from + 24 + 40 * i);
        memcpy(s->series[i].hash, from + 32 + 40 * i, FT_JOURNAL_HASH);
        if (!are_numbers(s->series[i].next_number, 0))
            return false;
    }
    return are_numbers(s->reserved_through, s->next_sequence);
}

void ft_journal_put_position(uint8_t *to, const struct ft_journal_position *p)
{
    memset(to, 0, FT_JOURNAL_POSITION);
    put_u32(to, MAGIC_POSITION);
    put_u16(to + 4, FT_JOURNAL_VERSION);
    put_u64(to + 8, p->generation);
    put_u64(to + 16, p->sequence);
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++)
        put_u64(to + 24 + 8 * i, p->numbers[i]);
    seal(to, FT_JOURNAL_POSITION);
}

bool ft_journal_get_position(const uint8_t *from, struct ft_journal_position *p)
{
    if (get_u32(from) != MAGIC_POSITION || get_u16(from + 4) != FT_JOURNAL_VERSION ||
        !is_sealed(from, FT_JOURNAL_POSITION))
        return false;
    p->generation = get_u64(from + 8);
    p->sequence = get_u64(from + 16);
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++)
        p->numbers[i] = get_u64(from + 24 + 8 * i);
    return are_numbers(p->sequence, 0);
}

/* ---- names of files ---- */

void ft_journal_segment_name(char name[64], enum ft_journal_class c, uint64_t first_sequence)
{
    snprintf(name, 64, "%s-%016llx.ftj", classes[c], (unsigned long long)first_sequence);
}

static bool get_hex(const char *text, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (!at)
            return false;
        *value = *value << 4 | (uint64_t)(at - digits);
    }
    return true;
}

bool ft_journal_parse_name(const char *name, enum ft_journal_class *c, uint64_t *first_sequence,
                           bool *is_left)
{
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++) {
        size_t n = strlen(classes[i]);
        if (strncmp(name, classes[i], n) || name[n] != '-' ||
            !get_hex(name + n + 1, first_sequence))
            continue;
        *c = (enum ft_journal_class)i;
        if (is_left)
            *is_left = !strcmp(name + n + 17, ".ftj.new");
        return !strcmp(name + n + 17, ".ftj") || (is_left && *is_left);
    }
    return false;
}
