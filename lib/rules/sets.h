/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of values that a condition asks for: `in {a, b, 100..199}`, `in 10.0.0.0/8`, `in $name`.
 *
 * A set is filled by one thread, closed, and then only read, by any number of threads without
 * locks. Everything is kept as ranges, sorted and joined, or (texts) as a hash table, so a look-up
 * is a binary search or one hash whatever the size; a million entries are meant.
 */
#ifndef FT_SETS_H
#define FT_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a set holds; fixed when it is made. */
enum ft_set_kind {
    FT_SET_NUMBERS = 0, /**< ranges of 64-bit numbers: ports, values, MAC addresses (48 bits) */
    FT_SET_ADDRESSES,   /**< ranges of IP addresses */
    FT_SET_TEXTS,       /**< texts or bytes, compared whole */
};

/** An IP address as a number; IPv4 as ::ffff:a.b.c.d, so that both are in one order (::/0 is every
 * address, 0.0.0.0/0 every one of IPv4). */
struct ft_set_address {
    uint64_t high, low; /**< host order */
};

/** From bytes in network order, as packets have them: 4 or 16. */
struct ft_set_address ft_set_address_of(const uint8_t *bytes, bool is_v6);

struct ft_set;

/** An empty set; NULL when memory is short. */
struct ft_set *ft_set_new(enum ft_set_kind kind);
void ft_set_free(struct ft_set *set);

/** Add from..to, both included. False when memory is short; nothing is added to a closed set, to
 * one of another kind, or when from > to, which is false too. */
bool ft_set_add_numbers(struct ft_set *set, uint64_t from, uint64_t to);
bool ft_set_add_addresses(struct ft_set *set, struct ft_set_address from, struct ft_set_address to);
/** Add a text or bytes; copied, each once. False when memory is short. */
bool ft_set_add_text(struct ft_set *set, const void *text, size_t length);
/** Add it after ft_fold(). */
bool ft_set_add_folded(struct ft_set *set, const void *text, size_t length);

/** No more is added: sort and join. False when memory is short. */
bool ft_set_close(struct ft_set *set);

/* Look-ups, after ft_set_close(): a binary search, or one hash and one comparison. False before,
 * and when asked for another kind. */
bool ft_set_has_number(const struct ft_set *set, uint64_t number);
bool ft_set_has_address(const struct ft_set *set, struct ft_set_address address);
bool ft_set_has_text(const struct ft_set *set, const void *text, size_t length);
/** Is the text, after ft_fold(), in a set of which ft_set_is_folded() is true? */
bool ft_set_has_folded(const struct ft_set *set, const void *text, size_t length);
/** Are there no capital letters in its texts? Cost: a pass over all. */
bool ft_set_is_folded(const struct ft_set *set);

/** The (joined) range that an address lies in; false: in none. */
bool ft_set_address_range(const struct ft_set *set, struct ft_set_address address,
                          struct ft_set_address *from, struct ft_set_address *to);

enum ft_set_kind ft_set_kind_of(const struct ft_set *set);

/** Single values that the set is made of, after ft_set_close(): UINT64_MAX for more than can be
 * counted. */
uint64_t ft_set_size(const struct ft_set *set);

/**
 * Ranges of a closed set one after another, in order; `index` from 0. False when there is none (any
 * more), or of another kind. For who asks whether two sets meet, and for indexes by single values.
 */
bool ft_set_numbers_at(const struct ft_set *set, uint32_t index, uint64_t *from, uint64_t *to);
bool ft_set_addresses_at(const struct ft_set *set, uint32_t index, struct ft_set_address *from,
                         struct ft_set_address *to);
/** Texts in no order. The pointer lives as long as the set. */
bool ft_set_text_at(const struct ft_set *set, uint32_t index, const char **text, size_t *length);

/* ---- values as people write them ---- */

/** Entries that one file may hold. */
#define FT_SET_FILE_ENTRIES 1000000u

/** What the entries of a named set are. */
enum ft_value_kind {
    FT_VALUE_IP =
        0,         /**< "10.0.0.1", "10.0.0.0/8", "10.0.0.1..10.0.0.9", "168430090", "fe80::/10" */
    FT_VALUE_MAC,  /**< "00:0e:8c:01:02:03", "00-0e-...", "000e.8c01.0203", decimal; "00:0e:8c/24"
                        or "00:0e:8c" = all with that prefix (whole groups, at most /48); ranges by
                        ".." */
    FT_VALUE_PORT, /**< "502", "100..199" */
    FT_VALUE_NUMBER, /**< decimal or 0x, "100..199" */
    FT_VALUE_TEXT,   /**< as it stands; of a line of a file without blanks around it */
};

/**
 * Read one entry and add it to a set of the kind that belongs to `kind` (ft_set_new(
 * ft_value_set_kind(kind))). Blanks around it and around ".." do not count, but for texts. Bits
 * behind a prefix do not count either: 10.1.2.3/8 is 10.0.0.0/8. False and one sentence that says
 * what would be right in `error`, 256 bytes of which are enough for any.
 */
bool ft_set_add_written(struct ft_set *set, enum ft_value_kind kind, const char *text,
                        size_t length, char *error, size_t error_size);

enum ft_set_kind ft_value_set_kind(enum ft_value_kind kind);

/** "ip", "mac", "port", "number", "text" and back; false when there is no such kind. */
const char *ft_value_kind_name(enum ft_value_kind kind);
/**
 * Called for each wrong line of a file; `line` and `column` (characters of UTF-8) from 1, 0 when
 * the file as a whole is meant. `text` is one sentence; it lives as long as the call.
 */
typedef void ft_set_error_fn(void *user, uint32_t line, uint32_t column, const char *text);

/**
 * Add the entries of a file: one a line; blank lines and what follows a # (at the start of a line,
 * or behind a blank) are passed over; CR LF and a byte order mark too. At most a million entries
 * and 256 MiB. Every wrong line is told. False when anything was wrong; what was right has been
 * added.
 */
bool ft_set_read(struct ft_set *set, enum ft_value_kind kind, const char *path,
                 ft_set_error_fn *wrong, void *user);

#endif
