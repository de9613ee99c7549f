/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Repeated findings: the first of a kind is told at once, those that follow are counted. A finding
 * is over when it did not come for a window's time; what comes later is told as new. While it goes
 * on, how often it came is told after 1, 2, 4, 8, ... windows and when it is over: a fault that
 * lasts for weeks makes a line now and then, not one every ten minutes.
 *
 * Bounded: when the table is nearly full, findings that are new are counted under their title
 * alone, so that a flood of addresses can neither fill the disk nor hide a title. One thread.
 */
#ifndef FT_WINDOW_H
#define FT_WINDOW_H

#include "inventory/inventory.h"
#include "output/eve.h"

#define FT_WINDOW_NS (600ull * 1000000000ull)

/** What makes two findings the same. Zeroed first: compared as bytes. */
struct ft_window_key {
    struct ft_address client, server;
    uint64_t sub[2];
    uint32_t code, qualifier;
    const struct ft_eve_finding *finding;
    uint16_t protocol;
    uint8_t sub_kind[2];
};

struct ft_window {
    struct ft_window_key key;
    uint64_t since_ns; /**< begin of the present window, sensor clock */
    uint32_t windows;  /**< that have passed */
    uint64_t told;     /**< count in the last line about it */
    uint64_t before;   /**< count when the present window began */
    struct ft_eve_life life;
    struct ft_event *event; /**< the last, without its tree, for further lines */
    char *message;          /**< of the first: what life.message points to, or NULL */
    uint32_t user;          /**< the core's: number of the alert in its list */
};

struct ft_windows;

/** At most `max` open windows; `key` of the hash table. */
struct ft_windows *ft_windows_new(uint32_t max, const uint64_t key[2]);
void ft_windows_free(struct ft_windows *w);

/**
 * Count a finding that came `times`. The window it belongs to, *is_new when it was opened by this:
 * the finding is to be told. NULL when not even its title has room: counted by
 * ft_windows_refused().
 */
struct ft_window *ft_windows_count(struct ft_windows *w, const struct ft_window_key *key,
                                   const struct ft_event *event, uint64_t times, bool *is_new);

/** Keep a text of `length` bytes with the first line of a window, for the further ones. Without
 * memory they have none. */
void ft_window_keep(struct ft_window *window, const char *message, uint32_t length);

/**
 * Let windows end that began at least FT_WINDOW_NS before `clock_ns`, or all with UINT64_MAX. The
 * next finding of which a further line is to be written: it stays valid until the next call.
 * NULL = none. To be called until then.
 */
const struct ft_window *ft_windows_end(struct ft_windows *w, uint64_t clock_ns);

/** Call `fn` with the finding of each open window. */
void ft_windows_each(const struct ft_windows *w,
                     void (*fn)(void *user, const struct ft_eve_finding *finding), void *user);

uint64_t ft_windows_refused(const struct ft_windows *w);

#endif
