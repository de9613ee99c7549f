/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of numbers, addresses and texts: filled, closed, then only read. */
#include "rules/sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/index.h"

/* A number of either kind. Ranges are gathered, sorted and joined in this one width; only what
 * look-ups read is kept apart by kind. */
typedef unsigned __int128 wide;

struct range {
    wide from, to;
};

/* Closed ranges, in order. Where they begin and where they end are apart, since a search reads only
 * the first: twice as much of it stays in the cache. */
struct table {
    void *firsts, *lasts; /* uint32_t, uint64_t or wide */
    uint32_t count;
};

#define IPV4_BLOCKS 65536u
#define IPV4_MANY   16384u /* ranges whose table is no smaller than one of all blocks */

/* A text in the store; its first byte may move until the set is closed. */
struct text {
    size_t offset, length;
};

struct ft_set {
    enum ft_set_kind kind;
    bool is_closed;

    struct range *ranges; /* as they were added; gone when closed */
    size_t range_room;
    uint32_t count; /* of ranges, or of texts */

    /* Closed. Ranges within IPv4 are a table of their own, a quarter as large: in a list of a
     * million addresses what a look-up costs is the cache that the table does not fit in. */
    struct table whole, ipv4;
    uint32_t *ipv4_from;  /* where in it each /16 begins, and its end; NULL when it is small */
    uint32_t before_ipv4; /* ranges of `whole` that are less than those of `ipv4` */
    uint64_t size;

    struct text *texts;
    size_t text_room;
    char *store;
    size_t stored, store_room;
    struct ft_index index; /* of texts, by ft_hash_bytes() */
};

static struct ft_set_address ipv4_of(uint32_t address)
{
    return (struct ft_set_address){0, 0xffffull << 32 | address};
}

struct ft_set_address ft_set_address_of(const uint8_t *bytes, bool is_v6)
{
    uint64_t words[2];
    if (!is_v6)
        return ipv4_of((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                       (uint32_t)bytes[2] << 8 | bytes[3]);
    memcpy(words, bytes, sizeof(words));
    return (struct ft_set_address){__builtin_bswap64(words[0]), __builtin_bswap64(words[1])};
}

struct ft_set *ft_set_new(enum ft_set_kind kind)
{
    struct ft_set *set = calloc(1, sizeof(*set));
    if (set)
        set->kind = kind;
    return set;
}

static void free_table(struct table *t)
{
    free(t->firsts);
    free(t->lasts);
    *t = (struct table){.count = 0};
}

void ft_set_free(struct ft_set *set)
{
    if (!set)
        return;
    free(set->ranges);
    free_table(&set->whole);
    free_table(&set->ipv4);
    free(set->ipv4_from);
    free(set->texts);
    free(set->store);
    ft_index_free(&set->index);
    free(set);
}

/* Make room for `wanted` elements of an array that doubles. */
static bool grow(void **array, size_t *room, size_t wanted, size_t element)
{
    size_t to = *room ? *room : 16;
    if (wanted <= *room)
        return true;
    while (to < wanted)
        if (__builtin_mul_overflow(to, 2, &to))
            return false;
    void *grown = reallocarray(*array, to, element);
    if (!grown)
        return false;
    *array = grown;
    *room = to;
    return true;
}

static wide wide_of(struct ft_set_address a)
{
    return (wide)a.high << 64 | a.low;
}

static struct ft_set_address address_of(wide a)
{
    return (struct ft_set_address){(uint64_t)(a >> 64), (uint64_t)a};
}

static bool add_range(struct ft_set *set, enum ft_set_kind kind, wide from, wide to)
{
    if (set->kind != kind || set->is_closed || from > to || set->count == UINT32_MAX)
        return false;
    void *ranges = set->ranges;
    if (!grow(&ranges, &set->range_room, (size_t)set->count + 1, sizeof(*set->ranges)))
        return false;
    set->ranges = ranges;
    set->ranges[set->count++] = (struct range){from, to};
    return true;
}

bool ft_set_add_numbers(struct ft_set *set, uint64_t from, uint64_t to)
{
    return add_range(set, FT_SET_NUMBERS, from, to);
}

bool ft_set_add_addresses(struct ft_set *set, struct ft_set_address from, struct ft_set_address to)
{
    return add_range(set, FT_SET_ADDRESSES, wide_of(from), wide_of(to));
}

static bool is_equal_folded(const char *folded, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)folded[i] != ft_fold(text[i]))
            return false;
    return true;
}

/* The number of a text from 1, 0 = not in the set. */
static uint32_t find_text(const struct ft_set *set, uint64_t hash, const void *text, size_t length)
{
    struct ft_index_walk walk = ft_index_walk(&set->index, hash);
    uint32_t entry;
    while ((entry = ft_index_next(&set->index, &walk))) {
        const struct text *t = &set->texts[entry - 1];
        if (t->length == length && (!length || !memcmp(set->store + t->offset, text, length)))
            break;
    }
    return entry;
}

bool ft_set_add_text(struct ft_set *set, const void *text, size_t length)
{
    if (set->kind != FT_SET_TEXTS || set->is_closed || set->count == UINT32_MAX ||
        length > SIZE_MAX - 1 - set->stored)
        return false;
    uint64_t hash = ft_hash_bytes(0, length ? text : "", length);
    if (find_text(set, hash, text, length))
        return true;

    /* One byte more than is stored, so that an empty text has an address too. */
    void *texts = set->texts, *store = set->store;
    bool has_room = grow(&texts, &set->text_room, (size_t)set->count + 1, sizeof(*set->texts));
    set->texts = texts;
    has_room = has_room && grow(&store, &set->store_room, set->stored + length + 1, 1);
    set->store = store;
    if (!has_room || !ft_index_reserve(&set->index))
        return false;

    if (length)
        memcpy(set->store + set->stored, text, length);
    set->texts[set->count++] = (struct text){set->stored, length};
    set->stored += length;
    ft_index_add(&set->index, hash, set->count);
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static bool is_sorted(const struct range *ranges, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (ranges[i - 1].from > ranges[i].from)
            return false;
    return true;
}

/* Join sorted ranges that overlap or touch; returns how many are left. */
static uint32_t join(struct range *ranges, uint32_t count)
{
    uint32_t last = 0;
    if (!count)
        return 0;
    for (uint32_t i = 1; i < count; i++) {
        struct range *r = &ranges[last];
        /* from - 1 does not wrap: a range that begins at 0 is met by the first comparison. */
        if (ranges[i].from <= r->to || ranges[i].from - 1 == r->to)
            r->to = ranges[i].to > r->to ? ranges[i].to : r->to;
        else
            ranges[++last] = ranges[i];
    }
    return last + 1;
}

static uint64_t size_of(const struct range *ranges, uint32_t count)
{
    wide size = 0;
    for (uint32_t i = 0; i < count; i++) {
        wide more = ranges[i].to - ranges[i].from;
        if (more >= UINT64_MAX || size + more + 1 >= UINT64_MAX)
            return UINT64_MAX;
        size += more + 1;
    }
    return (uint64_t)size;
}

/* Bytes of a key in the table of all but IPv4. */
static unsigned width_of(const struct ft_set *set)
{
    return set->kind == FT_SET_ADDRESSES ? sizeof(wide) : sizeof(uint64_t);
}

static bool is_ipv4(wide address)
{
    return address >> 32 == 0xffff;
}

static bool new_table(struct table *t, uint32_t count, unsigned width)
{
    t->firsts = calloc(count + 1ull, width);
    t->lasts = calloc(count + 1ull, width);
    return t->firsts && t->lasts;
}

static void append(struct table *t, const struct range *r, unsigned width)
{
    size_t at = (size_t)t->count++ * width; /* the low bytes of a number come first */
    memcpy((char *)t->firsts + at, &r->from, width);
    memcpy((char *)t->lasts + at, &r->to, width);
}

/* Of many IPv4 addresses: where each /16 begins. A look-up then is at one place in this table and
 * at one in the other, where halving the whole would be at ten that no cache holds. */
static bool lay_out_ipv4(struct ft_set *set)
{
    const uint32_t *firsts = set->ipv4.firsts;
    if (set->ipv4.count < IPV4_MANY)
        return true;
    set->ipv4_from = malloc((IPV4_BLOCKS + 1) * sizeof(*set->ipv4_from));
    if (!set->ipv4_from)
        return false;
    for (uint32_t block = 0, i = 0; block <= IPV4_BLOCKS; block++) {
        while (i < set->ipv4.count && firsts[i] >> 16 < block)
            i++;
        set->ipv4_from[block] = i;
    }
    return true;
}

/* Lay out what look-ups read. */
static bool lay_out(struct ft_set *set)
{
    uint32_t ipv4 = 0;
    for (uint32_t i = 0; i < set->count && set->kind == FT_SET_ADDRESSES; i++)
        ipv4 += is_ipv4(set->ranges[i].from) && is_ipv4(set->ranges[i].to);
    if (!new_table(&set->whole, set->count - ipv4, width_of(set)) ||
        !new_table(&set->ipv4, ipv4, sizeof(uint32_t)))
        return false;
    set->before_ipv4 = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct range *r = &set->ranges[i];
        if (ipv4 && is_ipv4(r->from) && is_ipv4(r->to)) {
            append(&set->ipv4, r, sizeof(uint32_t));
        } else {
            append(&set->whole, r, width_of(set));
            set->before_ipv4 += !set->ipv4.count;
        }
    }
    return lay_out_ipv4(set);
}

bool ft_set_close(struct ft_set *set)
{
    if (set->is_closed)
        return true;
    if (set->kind == FT_SET_TEXTS) {
        set->size = set->count;
        set->is_closed = true;
        return true;
    }
    if (!is_sorted(set->ranges, set->count))
        qsort(set->ranges, set->count, sizeof(*set->ranges), compare_ranges);
    set->count = join(set->ranges, set->count);
    set->size = size_of(set->ranges, set->count);
    if (!lay_out(set)) {
        free_table(&set->whole);
        free_table(&set->ipv4);
        return false;
    }
    free(set->ranges);
    set->ranges = NULL;
    set->is_closed = true;
    return true;
}

static inline wide key_at(const void *keys, uint32_t i, unsigned width)
{
    if (width == sizeof(uint32_t))
        return ((const uint32_t *)keys)[i];
    return width == sizeof(wide) ? ((const wide *)keys)[i] : ((const uint64_t *)keys)[i];
}

/* Of the ranges from..to, both included, the one that a key lies in. In line, so that the width is
 * known when it is compiled. */
__attribute__((always_inline)) static inline bool find(const struct table *t, uint32_t from,
                                                       uint32_t to, wide key, unsigned width,
                                                       uint32_t *found)
{
    /* Halved without a branch: which way it goes cannot be predicted. */
    for (uint32_t left = to - from + 1; left > 1; left -= left / 2)
        from += key_at(t->firsts, from + left / 2, width) <= key ? left / 2 : 0;
    *found = from;
    return key_at(t->firsts, from, width) <= key && key <= key_at(t->lasts, from, width);
}

static inline bool find_ipv4(const struct ft_set *set, uint32_t address, uint32_t *found)
{
    uint32_t from = 0, to = set->ipv4.count - 1;
    if (!set->ipv4.count)
        return false;
    if (set->ipv4_from) {
        /* The last range before the block may reach into it. */
        from = set->ipv4_from[address >> 16];
        from -= from != 0;
        to = set->ipv4_from[(address >> 16) + 1];
        to -= to != 0;
    }
    return find(&set->ipv4, from, to, address, sizeof(address), found);
}

bool ft_set_has_number(const struct ft_set *set, uint64_t number)
{
    uint32_t at;
    return set->kind == FT_SET_NUMBERS && set->whole.count &&
           find(&set->whole, 0, set->whole.count - 1, number, sizeof(number), &at);
}

/* Where in the order of all ranges one is that an address lies in. */
static inline bool find_address(const struct ft_set *set, wide address, uint32_t *found)
{
    uint32_t at;
    if (set->kind != FT_SET_ADDRESSES)
        return false;
    if (is_ipv4(address) && find_ipv4(set, (uint32_t)address, &at)) {
        *found = set->before_ipv4 + at;
        return true;
    }
    if (!set->whole.count ||
        !find(&set->whole, 0, set->whole.count - 1, address, sizeof(wide), &at))
        return false;
    *found = at + (at >= set->before_ipv4 ? set->ipv4.count : 0);
    return true;
}

bool ft_set_has_address(const struct ft_set *set, struct ft_set_address address)
{
    uint32_t at;
    return find_address(set, wide_of(address), &at);
}

bool ft_set_address_range(const struct ft_set *set, struct ft_set_address address,
                          struct ft_set_address *from, struct ft_set_address *to)
{
    uint32_t at;
    return find_address(set, wide_of(address), &at) && ft_set_addresses_at(set, at, from, to);
}

bool ft_set_has_text(const struct ft_set *set, const void *text, size_t length)
{
    if (set->kind != FT_SET_TEXTS || !set->is_closed)
        return false;
    return find_text(set, ft_hash_bytes(0, length ? text : "", length), text, length) != 0;
}

bool ft_set_has_folded(const struct ft_set *set, const void *text, size_t length)
{
    if (set->kind != FT_SET_TEXTS || !set->is_closed)
        return false;
    struct ft_index_walk walk =
        ft_index_walk(&set->index, ft_hash_folded(0, length ? text : "", length));
    uint32_t entry;
    while ((entry = ft_index_next(&set->index, &walk))) {
        const struct text *t = &set->texts[entry - 1];
        if (t->length == length && is_equal_folded(set->store + t->offset, text, length))
            return true;
    }
    return false;
}

bool ft_set_is_folded(const struct ft_set *set)
{
    for (size_t i = 0; i < set->stored; i++)
        if (ft_fold((uint8_t)set->store[i]) != (uint8_t)set->store[i])
            return false;
    return true;
}

bool ft_set_add_folded(struct ft_set *set, const void *text, size_t length)
{
    char *small = malloc(length + 1);
    for (size_t i = 0; small && i < length; i++)
        small[i] = (char)ft_fold(((const uint8_t *)text)[i]);
    bool is_added = small && ft_set_add_text(set, small, length);
    free(small);
    return is_added;
}

enum ft_set_kind ft_set_kind_of(const struct ft_set *set)
{
    return set->kind;
}

uint64_t ft_set_size(const struct ft_set *set)
{
    return set->size;
}

bool ft_set_numbers_at(const struct ft_set *set, uint32_t index, uint64_t *from, uint64_t *to)
{
    if (set->kind != FT_SET_NUMBERS || !set->is_closed || index >= set->count)
        return false;
    *from = (uint64_t)key_at(set->whole.firsts, index, sizeof(*from));
    *to = (uint64_t)key_at(set->whole.lasts, index, sizeof(*to));
    return true;
}

bool ft_set_addresses_at(const struct ft_set *set, uint32_t index, struct ft_set_address *from,
                         struct ft_set_address *to)
{
    if (set->kind != FT_SET_ADDRESSES || !set->is_closed || index >= set->count)
        return false;
    uint32_t at = index - set->before_ipv4;
    if (index >= set->before_ipv4 && at < set->ipv4.count) {
        *from = ipv4_of((uint32_t)key_at(set->ipv4.firsts, at, sizeof(uint32_t)));
        *to = ipv4_of((uint32_t)key_at(set->ipv4.lasts, at, sizeof(uint32_t)));
        return true;
    }
    at = index - (index >= set->before_ipv4 ? set->ipv4.count : 0);
    *from = address_of(key_at(set->whole.firsts, at, sizeof(wide)));
    *to = address_of(key_at(set->whole.lasts, at, sizeof(wide)));
    return true;
}

bool ft_set_text_at(const struct ft_set *set, uint32_t index, const char **text, size_t *length)
{
    if (set->kind != FT_SET_TEXTS || !set->is_closed || index >= set->count)
        return false;
    *text = set->store + set->texts[index].offset;
    *length = set->texts[index].length;
    return true;
}
