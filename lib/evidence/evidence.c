/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets around an alert. */
#include "evidence/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A turn of a live worker. */
#define TURN_RECORDS 256u
#define TURN_PACKETS 16u

/* Live: memory that wishes may take, and how many there may be. */
#define OPEN_BYTES (64u << 20)
#define OPEN_MIN   16u
#define OPEN_MAX   4096u

/* On captures: wishes that may wait for the writer. */
#define FINISHED_MAX 1024u

struct worker {
    /* From the core, the last one first. */
    _Alignas(64) struct ft_evidence_wish *_Atomic wishes;
    /* Its own. */
    _Alignas(64) struct ft_evidence_wish *open, **last_open;
    struct ft_evidence *evidence;
};

struct ft_evidence {
    struct ft_evidence_config config;
    struct ft_history *history;
    struct worker *workers;
    uint32_t worker_count;
    uint32_t open_max;
    uint8_t owner[FT_SHARDS];
    _Alignas(64) _Atomic uint64_t through;
    /* To the writer, and back to the core. */
    _Alignas(64) struct ft_evidence_wish *_Atomic finished;
    _Atomic uint64_t finished_count;
    _Alignas(64) struct ft_evidence_wish *_Atomic spare;
    struct ft_evidence_wish *own_spare; /* the core's */
    /* What the core counts, then what the writer does. */
    _Atomic uint64_t wanted, busy, memory;
    _Alignas(64) _Atomic uint64_t written, no_packet, disk;
    _Atomic uint64_t incomplete, without, packets, bytes;
};

void ft_evidence_config_init(struct ft_evidence_config *config)
{
    *config = (struct ft_evidence_config){.memory = 64u << 20,
                                          .snap_length = 4096,
                                          .before_ns = 30000000000ull,
                                          .after_ns = 10000000000ull,
                                          .packets = 200,
                                          .bytes = 256u << 10,
                                          .burst = 64};
}

const char *ft_evidence_drop_name(enum ft_evidence_drop why)
{
    static const char *const names[FT_EVIDENCE_DROPS] = {
        [FT_EVIDENCE_BUSY] = "busy",
        [FT_EVIDENCE_MEMORY] = "memory",
        [FT_EVIDENCE_NO_PACKET] = "no_packet",
        [FT_EVIDENCE_DISK] = "disk",
    };
    return names[why];
}

/* ---- lists ---- */

static void push(struct ft_evidence_wish *_Atomic *list, struct ft_evidence_wish *wish)
{
    struct ft_evidence_wish *first = atomic_load_explicit(list, memory_order_relaxed);
    do
        wish->next = first;
    while (!atomic_compare_exchange_weak_explicit(list, &first, wish, memory_order_release,
                                                  memory_order_relaxed));
}

/* All of a list, the one that was pushed first in front. Only taking all at once is safe. */
static struct ft_evidence_wish *take_all(struct ft_evidence_wish *_Atomic *list)
{
    struct ft_evidence_wish *in_order = NULL, *next;
    if (!atomic_load_explicit(list, memory_order_relaxed))
        return NULL;
    struct ft_evidence_wish *w = atomic_exchange_explicit(list, NULL, memory_order_acquire);
    for (; w; w = next) {
        next = w->next;
        w->next = in_order;
        in_order = w;
    }
    return in_order;
}

static void free_list(struct ft_evidence_wish *w)
{
    while (w) {
        struct ft_evidence_wish *next = w->next;
        free(w->records);
        free(w->notes);
        free(w);
        w = next;
    }
}

/* ---- making ---- */

static void make_room(void *user, uint8_t shard, uint64_t serial);

struct ft_evidence *ft_evidence_new(const struct ft_evidence_config *config, uint32_t workers,
                                    char *error, size_t error_size)
{
    struct ft_evidence *e = aligned_alloc(64, (sizeof(*e) + 63) & ~(size_t)63);
    snprintf(error, error_size, "not enough memory for packet evidence: lower evidence.memory");
    if (!e)
        return NULL;
    memset(e, 0, sizeof(*e));
    e->config = *config;
    e->worker_count = workers;
    e->workers = aligned_alloc(64, workers * sizeof(*e->workers));
    e->history =
        ft_history_new(config->memory, config->snap_length, config->is_live ? 0 : config->burst);
    if (!e->workers || !e->history) {
        ft_evidence_free(e);
        return NULL;
    }
    /* One packet always fits. */
    uint32_t least = (uint32_t)sizeof(struct ft_history_record) + e->history->snap_length + 64u;
    e->config.bytes = config->bytes > least ? config->bytes : least;
    e->config.packets = config->packets > 2 ? config->packets : 2;
    uint32_t open = OPEN_BYTES / e->config.bytes;
    e->open_max = open < OPEN_MIN ? OPEN_MIN : open > OPEN_MAX ? OPEN_MAX : open;
    memset(e->workers, 0, workers * sizeof(*e->workers));
    for (uint32_t i = 0; i < workers; i++) {
        e->workers[i].evidence = e;
        e->workers[i].last_open = &e->workers[i].open;
    }
    if (!config->is_live)
        e->history->make_room = make_room;
    return e;
}

void ft_evidence_free(struct ft_evidence *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; e->workers && i < e->worker_count; i++) {
        free_list(e->workers[i].open);
        free_list(atomic_load(&e->workers[i].wishes));
    }
    free_list(atomic_load(&e->finished));
    free_list(atomic_load(&e->spare));
    free_list(e->own_spare);
    ft_history_free(e->history);
    free(e->workers);
    free(e);
}

void ft_evidence_own(struct ft_evidence *e, uint8_t shard, uint32_t worker, int node)
{
    e->owner[shard] = (uint8_t)worker;
    e->history->users[shard] = &e->workers[worker];
    ft_history_place(e->history, shard, node);
}

struct ft_history *ft_evidence_history(struct ft_evidence *e)
{
    return e->history;
}

struct ft_evidence_stats ft_evidence_stats(const struct ft_evidence *e)
{
    struct ft_evidence_stats s = {
        .written = atomic_load(&e->written),
        .dropped = {[FT_EVIDENCE_BUSY] = atomic_load(&e->busy),
                    [FT_EVIDENCE_MEMORY] = atomic_load(&e->memory),
                    [FT_EVIDENCE_NO_PACKET] = atomic_load(&e->no_packet),
                    [FT_EVIDENCE_DISK] = atomic_load(&e->disk)},
        .incomplete = atomic_load(&e->incomplete),
        .without = atomic_load(&e->without),
        .packets = atomic_load(&e->packets),
        .bytes = atomic_load(&e->bytes),
    };
    s.wanted = atomic_load(&e->wanted); /* last: it is never behind the others */
    s.pending = s.wanted - s.written;
    for (unsigned i = 0; i < FT_EVIDENCE_DROPS; i++)
        s.pending -= s.dropped[i];
    return s;
}

/* ---- the core ---- */

/* Wishes that are with workers or the writer; exact enough on the core's thread, which adds them.
 */
static uint64_t open_count(const struct ft_evidence *e)
{
    return ft_evidence_stats(e).pending;
}

static struct ft_evidence_wish *get_wish(struct ft_evidence *e)
{
    struct ft_evidence_wish *w = e->own_spare;
    if (!w)
        w = take_all(&e->spare);
    if (w) {
        e->own_spare = w->next;
        uint8_t *records = w->records;
        struct ft_evidence_note *notes = w->notes;
        *w = (struct ft_evidence_wish){.records = records, .notes = notes};
        return w;
    }
    w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->records = aligned_alloc(64, (e->config.bytes + 63) & ~63u);
    w->notes = malloc(e->config.packets * sizeof(*w->notes));
    if (w->records && w->notes)
        return w;
    free_list(w);
    return NULL;
}

/* Packets of captures may wait until the writer, which waits for nobody, has written. */
static void wait_for_writer(struct ft_evidence *e)
{
    static const struct timespec nap = {.tv_nsec = 200000};
    while (atomic_load_explicit(&e->finished_count, memory_order_acquire) > FINISHED_MAX)
        nanosleep(&nap, NULL);
}

bool ft_evidence_wish(struct ft_evidence *e, const struct ft_evidence_request *request)
{
    bool is_busy = e->config.is_live && open_count(e) >= e->open_max;
    atomic_fetch_add(&e->wanted, 1);
    if (!e->config.is_live)
        wait_for_writer(e);
    struct ft_evidence_wish *w = is_busy ? NULL : get_wish(e);
    if (!w) {
        atomic_fetch_add(is_busy ? &e->busy : &e->memory, 1);
        return false;
    }
    w->request = *request;
    w->trigger = UINT32_MAX;
    push(&e->workers[e->owner[request->shard]].wishes, w);
    return true;
}

void ft_evidence_through(struct ft_evidence *e, uint64_t seq)
{
    atomic_store_explicit(&e->through, seq, memory_order_release);
}

/* ---- the worker ---- */

/* What may still be done in this turn; and until when packets have come. */
struct turn {
    uint32_t records, packets;
    uint64_t now_ns;
    bool is_last;
};

/* One record of the flow more; false: it does not fit. */
static bool copy(const struct ft_evidence *e, struct ft_evidence_wish *w,
                 const struct ft_history_record *r)
{
    if (w->packets == e->config.packets || e->config.bytes - w->used < r->size)
        return false;
    if (r->seq == w->request.seq)
        w->trigger = w->packets;
    memcpy(w->records + w->used, r, r->size);
    w->used += r->size;
    w->packets++;
    return true;
}

/*
 * Note the flow's packets up to the trigger. The record of a flow may have been another's before;
 * then its packets do not count.
 */
static bool look_before(const struct ft_evidence *e, struct ft_evidence_wish *w, struct turn *turn)
{
    const struct ft_evidence_request *q = &w->request;
    for (; turn->records; turn->records--) {
        struct ft_history_place before = w->place;
        const struct ft_history_record *r =
            ft_history_next(e->history, q->shard, &w->place, &w->is_lost);
        if (!r || r->seq > q->seq) {
            if (r)
                w->place = before;
            w->stage = FT_EVIDENCE_COPY;
            return true;
        }
        if (r->flow != q->flow)
            continue;
        if (r->is_first)
            w->noted = 0;
        if (r->seq != q->seq && r->time_ns + e->config.before_ns < q->time_ns)
            continue;
        w->notes[w->noted++ % e->config.packets] =
            (struct ft_evidence_note){{w->place.serial, w->place.offset - r->size}, r->size};
    }
    return false;
}

/* The last ones of those noted that half of the room is enough for, one at least. */
static void choose(const struct ft_evidence *e, struct ft_evidence_wish *w)
{
    uint64_t most = e->config.packets / 2, bytes = 0, n = 0;
    while (n < w->noted && n < most) {
        bytes += w->notes[(w->noted - n - 1) % e->config.packets].size;
        if (n && bytes > e->config.bytes / 2)
            break;
        n++;
    }
    w->next_note = w->noted - n;
}

static bool copy_noted(const struct ft_evidence *e, struct ft_evidence_wish *w, struct turn *turn)
{
    for (; turn->packets && w->next_note < w->noted; turn->packets--) {
        const struct ft_evidence_note *note = &w->notes[w->next_note++ % e->config.packets];
        const struct ft_history_record *r =
            ft_history_at(e->history, w->request.shard, note->place);
        if (r)
            copy(e, w, r);
        else
            w->is_lost = true;
    }
    if (w->next_note < w->noted)
        return false;
    w->stage = FT_EVIDENCE_AFTER;
    return true;
}

static bool copy_after(const struct ft_evidence *e, struct ft_evidence_wish *w, struct turn *turn)
{
    const struct ft_evidence_request *q = &w->request;
    uint64_t until = q->time_ns + e->config.after_ns;
    for (; turn->records && turn->packets; turn->records--) {
        const struct ft_history_record *r =
            ft_history_next(e->history, q->shard, &w->place, &w->is_lost);
        if (!r) {
            if (turn->is_last || (e->config.is_live && turn->now_ns > until))
                w->stage = FT_EVIDENCE_DONE;
            return true;
        }
        if (r->time_ns > until || (r->flow == q->flow && (r->is_first || !copy(e, w, r)))) {
            w->stage = FT_EVIDENCE_DONE;
            return true;
        }
        turn->packets -= r->flow == q->flow;
    }
    return false;
}

/* Go on with one; false: the turn is used up. */
static bool step(const struct ft_evidence *e, struct ft_evidence_wish *w, struct turn *turn)
{
    if (w->stage == FT_EVIDENCE_BEGIN) {
        w->place = ft_history_begin(e->history, w->request.shard, w->request.now_seq);
        w->stage = FT_EVIDENCE_BEFORE;
    }
    if (w->stage == FT_EVIDENCE_BEFORE) {
        if (!look_before(e, w, turn))
            return false;
        choose(e, w);
    }
    if (w->stage == FT_EVIDENCE_COPY && !copy_noted(e, w, turn))
        return false;
    return w->stage == FT_EVIDENCE_DONE || copy_after(e, w, turn);
}

static void take_wishes(struct worker *worker)
{
    struct ft_evidence_wish *new = take_all(&worker->wishes);
    *worker->last_open = new;
    while (*worker->last_open)
        worker->last_open = &(*worker->last_open)->next;
}

static void work(struct worker *worker, struct turn *turn)
{
    struct ft_evidence *e = worker->evidence;
    struct ft_evidence_wish **at = &worker->open, *w;
    take_wishes(worker);
    while ((w = *at) && step(e, w, turn)) {
        if (w->stage != FT_EVIDENCE_DONE) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        if (worker->last_open == &w->next)
            worker->last_open = at;
        atomic_fetch_add_explicit(&e->finished_count, 1, memory_order_release);
        push(&e->finished, w);
    }
}

void ft_evidence_turn(struct ft_evidence *e, uint32_t index, uint64_t now_ns)
{
    struct worker *worker = &e->workers[index];
    struct turn turn = {TURN_RECORDS, TURN_PACKETS, now_ns, false};
    if (!worker->open && !atomic_load_explicit(&worker->wishes, memory_order_relaxed))
        return;
    if (!e->config.is_live)
        turn.records = turn.packets = UINT32_MAX;
    work(worker, &turn);
}

/*
 * Segment `serial` is about to overwrite an old one. The core may still ask for the history as of
 * the first packet behind `through`; for all before that it has asked, and that is copied now. So
 * this waits until that packet is in one of the segments that leave enough. The packets of the
 * burst at hand, of which nobody was told that they are done, are behind it: see segments_ahead().
 */
static void make_room(void *user, uint8_t shard, uint64_t serial)
{
    static const struct timespec nap = {.tv_nsec = 20000};
    struct worker *worker = user;
    struct ft_evidence *e = worker->evidence;
    const struct ft_history *h = e->history;
    if (serial <= h->segment_count)
        return;
    /* It and the FT_HISTORY_SEGMENTS - 1 before it remain. */
    uint64_t least = serial - h->segment_count + FT_HISTORY_SEGMENTS;
    uint64_t seq = h->shards[shard].segments[least % h->segment_count].first_seq;
    while (atomic_load_explicit(&e->through, memory_order_acquire) + 1 < seq)
        nanosleep(&nap, NULL);
    ft_evidence_turn(e, (uint32_t)(worker - e->workers), 0);
}

void ft_evidence_finish(struct ft_evidence *e)
{
    for (uint32_t i = 0; i < e->worker_count; i++) {
        struct turn turn = {UINT32_MAX, UINT32_MAX, UINT64_MAX, true};
        work(&e->workers[i], &turn);
    }
}

/* ---- the writer ---- */

struct ft_evidence_wish *ft_evidence_take(struct ft_evidence *e)
{
    return take_all(&e->finished);
}

void ft_evidence_release(struct ft_evidence *e, struct ft_evidence_wish *w, uint64_t bytes,
                         enum ft_evidence_drop why)
{
    if (bytes) {
        atomic_fetch_add(&e->incomplete, w->is_lost);
        atomic_fetch_add(&e->without, w->trigger == UINT32_MAX);
        atomic_fetch_add(&e->packets, w->packets);
        atomic_fetch_add(&e->bytes, bytes);
        atomic_fetch_add(&e->written, 1);
    } else {
        atomic_fetch_add(why == FT_EVIDENCE_NO_PACKET ? &e->no_packet : &e->disk, 1);
    }
    atomic_fetch_sub_explicit(&e->finished_count, 1, memory_order_release);
    push(&e->spare, w);
}
