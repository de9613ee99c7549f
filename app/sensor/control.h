/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: JSON requests, one a line, answered by a thread of its own.
 *
 * That thread reads counters as they are, and asks the threads that own things for the rest: the
 * reader or the ports thread for counters of ports, filters and a pause, the rules' thread for
 * rules, each worker for its largest flows, the alerting loop for assets. Those look at a word of
 * struct control_points between bursts, and do a bounded piece of what is wished; nobody ever waits
 * for the control thread. Requests and answers: doc/control.md.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"

struct ft_control_request;
struct options;
struct reader_books;
struct sensor;
struct worker;

/** Flows that one worker hands out at most. */
#define CONTROL_FLOWS 1000u

/** Sums of the flows of one protocol; index 0: of unknown ones. */
struct control_protocol {
    uint64_t flows, packets, bytes, messages;
};

struct control_scan; /* one worker's */

/** What became of a filter that was asked for. */
enum control_filter_result {
    CONTROL_FILTER_PENDING = 0,
    CONTROL_FILTER_TAKEN,
    CONTROL_FILTER_REFUSED,
};

/** Wishes, and what owners publish. */
struct control_points {
    _Atomic uint64_t flow_wish;  /**< number of the scan << 2 | order; changed: begin */
    _Atomic uint64_t asset_wish; /**< number of the list; changed: begin */
    _Atomic uint64_t asset_done; /**< number of the list that is ready */
    _Atomic bool is_held;        /**< take no packets */
    _Atomic bool is_holding;     /**< so it is */
    _Atomic uint64_t count_wish; /**< bring counters of ports up to date */
    _Atomic uint64_t count_done;
    char *_Atomic filter_wish;                /**< to be taken by its owner, who frees it */
    _Atomic int filter_result;                /**< enum control_filter_result */
    _Atomic uint64_t assets;                  /**< devices in the inventory */
    _Atomic uint64_t events;                  /**< received by the alerting loop */
    _Atomic uint64_t reader[FT_BUCKET_COUNT]; /**< packets that no worker got */
};

/** Is what options and configuration say of the socket right? False after saying what is not. */
bool control_check(const struct options *o);

/**
 * Open the socket, where one is wished, before privileges are dropped. False and a sentence when
 * the one that was named cannot be had; the default one is passed over then.
 */
bool control_open(struct sensor *s, char *error, size_t error_size);

/** Serve requests from now on, on a thread of its own. */
bool control_begin(struct sensor *s);

/** No more requests; the socket is removed. Before anything is freed. */
void control_end(struct sensor *s);

/** By a worker at the beginning of a turn. Cost: a load. */
void control_worker_turn(struct worker *w);

/** By the alerting loop, between events. */
void control_core_turn(struct sensor *s);

/** By whoever changed the capture filter: what it is now. */
void control_filter_is(struct sensor *s, const char *text);

/* ---- between the parts of the control thread ---- */

/** Make what workers need for scans. */
bool control_scans_make(struct sensor *s);
void control_scans_free(struct sensor *s);

/** Begin a scan of all flows; `by`: 0 bytes, 1 packets, 2 new. */
void control_flows_begin(struct sensor *s, unsigned by);
/** Are all workers through? */
bool control_flows_are_ready(const struct sensor *s);
/** Append the first `top` of all workers to a JSON array; returns how many flows there are. */
struct json_t;
uint64_t control_flows_take(const struct sensor *s, uint32_t top, struct json_t *list);
/** Sums by protocol of the scan that is ready; FT_MAX_PROTOCOLS + 1 of them. */
void control_flows_protocols(const struct sensor *s, struct control_protocol *sums);

/** What of the inventory is wanted. */
struct control_assets {
    uint32_t after, limit;
    char address[64]; /**< "": a list */
};
/** False: the list before is still being made. */
bool control_assets_begin(struct sensor *s, const struct control_assets *wish);
bool control_assets_are_ready(const struct sensor *s);
/** Append them to a JSON array; *next: where to go on, 0 = that was all. */
void control_assets_take(struct sensor *s, struct json_t *list, uint32_t *next);

#endif
