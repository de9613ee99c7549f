/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies of HTTP requests for webhooks: events in batches.
 *
 *   ndjson    lines of the journal, each with a line feed (application/x-ndjson)
 *   array     the same as one JSON array (application/json)
 *   alert     an object for each event, as the incumbent's console posts alerts
 *   extended  the same with what its "webhook extended" adds
 *
 * The last two are one object a request, without an array around it, where a batch is of one event.
 *
 * One thread; the buffer is the caller's.
 */
#ifndef FT_WEBHOOK_H
#define FT_WEBHOOK_H

#include "forward/body.h"

enum ft_webhook_format {
    FT_WEBHOOK_NDJSON = 0,
    FT_WEBHOOK_ARRAY,
    FT_WEBHOOK_ALERT,
    FT_WEBHOOK_EXTENDED,
};

#define FT_WEBHOOK_SIZE_MIN                                                                        \
    16384u /**< room for any one event of the last two formats, if shortened */

/** "ndjson", "array", "alert", "extended"; NULL behind the last. */
const char *ft_webhook_format_name(enum ft_webhook_format format);

/** Value of the header Content-Type. */
const char *ft_webhook_content_type(enum ft_webhook_format format);

/** A request's body in the making. */
struct ft_webhook {
    enum ft_webhook_format format;
    const struct ft_body *body; /**< sensor and zone */
    bool is_single;             /**< batches of one event */
    char *to;
    uint32_t length, size;
    uint32_t count; /**< events in it */
};

/** Begin one on `size` bytes, FT_WEBHOOK_SIZE_MIN at least, that the caller owns. */
struct ft_webhook ft_webhook_begin(enum ft_webhook_format format, const struct ft_body *body,
                                   bool is_single, char *to, uint32_t size);

enum ft_webhook_added {
    FT_WEBHOOK_ADDED = 0,
    FT_WEBHOOK_FULL,   /**< send this one first; nothing was added */
    FT_WEBHOOK_REFUSED /**< it cannot be sent: no JSON object, or not parsed for the last two */
};

/** Add an event. One that is too long even alone is shortened, as ft_body_write() does. */
enum ft_webhook_added ft_webhook_add(struct ft_webhook *webhook,
                                     const struct ft_forward_event *event);

/** Finish: the length of the body; 0 = there is nothing to send. */
uint32_t ft_webhook_end(struct ft_webhook *webhook);

#endif
