/* SPDX-License-Identifier: BSD-3-Clause */
/* Repeated findings: a ring of windows in the order of their begin, and an index over their keys.
 */
#include "alert/window.h"

#include "base/hash.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

struct ft_windows {
    struct ft_window **ring; /* oldest at `first` */
    uint32_t size;           /* power of two */
    uint32_t max;
    uint64_t first, next; /* running numbers; modulo size their place */
    struct ft_index index;
    uint64_t key[2];
    uint64_t refused;
    struct ft_window *closed;
};

struct ft_windows *ft_windows_new(uint32_t max, const uint64_t key[2])
{
    struct ft_windows *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->max = max;
    for (w->size = 64; w->size < max;)
        w->size *= 2;
    memcpy(w->key, key, sizeof(w->key));
    w->ring = calloc(w->size, sizeof(struct ft_window *));
    if (w->ring)
        return w;
    free(w);
    return NULL;
}

static void window_free(struct ft_window *window)
{
    if (window) {
        free(window->event);
        free(window->message);
    }
    free(window);
}

void ft_windows_free(struct ft_windows *w)
{
    if (!w)
        return;
    for (uint64_t i = w->first; i < w->next; i++)
        window_free(w->ring[i & (w->size - 1)]);
    window_free(w->closed);
    ft_index_free(&w->index);
    free(w->ring);
    free(w);
}

/* A copy of a record without its tree: what further lines about its kind need. */
static struct ft_event *copy_event(const struct ft_event *e)
{
    bool has_subs =
        e->type == FT_EVENT_ALERT || e->type == FT_EVENT_VIOLATION || e->type == FT_EVENT_RULE;
    bool has_more = e->type == FT_EVENT_RULE;
    struct ft_event *copy =
        calloc(1, sizeof(*copy) + (has_subs ? 2 * 256 : 0) + (has_more ? FT_EVENT_KEPT : 0));
    if (!copy)
        return NULL;
    *copy = *e;
    copy->size = sizeof(*copy);
    if (!has_subs)
        return copy;
    copy->message.tree = copy->message.tree_length = 0;
    copy->message.is_tree_cut = false;
    for (unsigned i = 0; i < 2; i++) {
        struct ft_event_sub *sub = &copy->message.sub[i];
        if (!sub->text)
            continue;
        memcpy((char *)copy + copy->size, (const char *)e + sub->text, sub->length);
        sub->text = (uint16_t)copy->size;
        copy->size += sub->length;
    }
    if (has_more)
        ft_event_keep_more(copy, e);
    return copy;
}

static uint64_t hash_of(const struct ft_windows *w, const struct ft_window_key *key)
{
    return ft_siphash(w->key, key, sizeof(*key));
}

static struct ft_window *find(const struct ft_windows *w, const struct ft_window_key *key)
{
    uint32_t entry;
    struct ft_index_walk walk = ft_index_walk(&w->index, hash_of(w, key));
    while ((entry = ft_index_next(&w->index, &walk))) {
        struct ft_window *window = w->ring[entry - 1];
        if (!memcmp(&window->key, key, sizeof(*key)))
            return window;
    }
    return NULL;
}

/* Begin a window behind all others. Room in ring and index was made. */
static void enter(struct ft_windows *w, struct ft_window *window, uint64_t clock_ns)
{
    uint32_t place = (uint32_t)(w->next++ & (w->size - 1));
    window->since_ns = clock_ns;
    w->ring[place] = window;
    ft_index_add(&w->index, hash_of(w, &window->key), place + 1);
}

/* Take the oldest out; NULL when it has not lasted long enough. */
static struct ft_window *leave(struct ft_windows *w, uint64_t clock_ns)
{
    if (w->first == w->next)
        return NULL;
    uint32_t place = (uint32_t)(w->first & (w->size - 1));
    struct ft_window *oldest = w->ring[place];
    if (clock_ns < oldest->since_ns || clock_ns - oldest->since_ns < FT_WINDOW_NS)
        return NULL;
    ft_index_remove(&w->index, hash_of(w, &oldest->key), place + 1);
    w->ring[place] = NULL;
    w->first++;
    return oldest;
}

static struct ft_window *open_window(struct ft_windows *w, const struct ft_window_key *key,
                                     const struct ft_event *event, uint64_t times)
{
    struct ft_window *window = calloc(1, sizeof(*window));
    if (!window || !ft_index_reserve(&w->index) || !(window->event = copy_event(event))) {
        free(window);
        return NULL;
    }
    window->key = *key;
    window->told = window->before = times;
    window->life.first_ns = event->time_ns;
    enter(w, window, event->clock_ns);
    return window;
}

/* Further lines are about the last of its kind; without memory about the one before. */
static void note_last(struct ft_window *window, const struct ft_event *event)
{
    struct ft_event *copy = copy_event(event);
    if (!copy)
        return;
    free(window->event);
    window->event = copy;
}

/* Stamps may go back: what waited in a stream, captures read one after another. */
static void note_time(struct ft_eve_life *life, uint64_t time_ns)
{
    life->first_ns = time_ns < life->first_ns ? time_ns : life->first_ns;
    life->last_ns = time_ns > life->last_ns ? time_ns : life->last_ns;
}

struct ft_window *ft_windows_count(struct ft_windows *w, const struct ft_window_key *key,
                                   const struct ft_event *event, uint64_t times, bool *is_new)
{
    struct ft_window *window = find(w, key);
    uint64_t open = w->next - w->first;
    *is_new = false;
    if (!window && open >= w->max - w->max / 8) {
        /* Nearly full: what is left is for titles. */
        struct ft_window_key title = {.finding = key->finding, .protocol = key->protocol};
        window = find(w, &title);
        if (!window && open < w->max && (window = open_window(w, &title, event, times))) {
            window->life.is_aggregated = true;
            *is_new = true;
        }
    } else if (!window) {
        window = open_window(w, key, event, times);
        *is_new = window != NULL;
    }
    if (!window) {
        w->refused++;
        return NULL;
    }
    if (!*is_new)
        note_last(window, event);
    window->life.count += times;
    note_time(&window->life, event->time_ns);
    return window;
}

void ft_window_keep(struct ft_window *window, const char *message, uint32_t length)
{
    window->message = malloc(length ? length : 1);
    if (!window->message)
        return;
    memcpy(window->message, message, length);
    window->life.message = window->message;
    window->life.message_length = length;
}

/* After so many windows a line is due. */
static bool is_power_of_two(uint32_t n)
{
    return !(n & (n - 1));
}

const struct ft_window *ft_windows_end(struct ft_windows *w, uint64_t clock_ns)
{
    struct ft_window *window;
    window_free(w->closed);
    w->closed = NULL;
    while ((window = leave(w, clock_ns))) {
        bool goes_on = window->life.count > window->before && clock_ns != UINT64_MAX;
        bool is_due =
            window->life.count > window->told && (!goes_on || is_power_of_two(window->windows + 1));
        window->windows++;
        window->before = window->life.count;
        if (is_due)
            window->told = window->life.count;
        if (goes_on)
            enter(w, window, clock_ns);
        else if (is_due)
            w->closed = window;
        else
            window_free(window);
        if (is_due)
            return window;
    }
    return NULL;
}

void ft_windows_each(const struct ft_windows *w,
                     void (*fn)(void *user, const struct ft_eve_finding *finding), void *user)
{
    for (uint64_t i = w->first; i < w->next; i++)
        fn(user, w->ring[i & (w->size - 1)]->key.finding);
}

uint64_t ft_windows_refused(const struct ft_windows *w)
{
    return w->refused;
}
