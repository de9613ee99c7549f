/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of HTTP requests for webhooks. */
#include "forward/webhook.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *ft_webhook_format_name(enum ft_webhook_format format)
{
    static const char *const names[] = {"ndjson", "array", "alert", "extended"};
    return format < COUNT(names) ? names[format] : NULL;
}

const char *ft_webhook_content_type(enum ft_webhook_format format)
{
    return format == FT_WEBHOOK_NDJSON ? "application/x-ndjson" : "application/json";
}

struct ft_webhook ft_webhook_begin(enum ft_webhook_format format, const struct ft_body *body,
                                   bool is_single, char *to, uint32_t size)
{
    return (struct ft_webhook){
        .format = format, .body = body, .is_single = is_single, .to = to, .size = size};
}

static bool is_array(const struct ft_webhook *w)
{
    return w->format != FT_WEBHOOK_NDJSON && (w->format == FT_WEBHOOK_ARRAY || !w->is_single);
}

/* Write an event into `room` bytes; *is_whole: nothing of it was left out. */
static uint32_t write_event(const struct ft_webhook *w, const struct ft_forward_event *event,
                            char *to, uint32_t room, bool *is_whole)
{
    if (w->format == FT_WEBHOOK_ALERT || w->format == FT_WEBHOOK_EXTENDED) {
        struct ft_json j = ft_json_make(to, room);
        *is_whole =
            ft_body_object(w->body, event,
                           w->format == FT_WEBHOOK_ALERT ? FT_FORWARD_TABLE_WEBHOOK
                                                         : FT_FORWARD_TABLE_WEBHOOK_EXTENDED,
                           &j);
        return j.length;
    }
    struct ft_body line = {.format = FT_BODY_JSON};
    *is_whole = event->length <= room;
    return ft_body_write(&line, event, to, room);
}

enum ft_webhook_added ft_webhook_add(struct ft_webhook *w, const struct ft_forward_event *event)
{
    bool is_whole = false;
    /* What stands before an event, and behind the last: "[" or ",", "]" or a line feed. */
    uint32_t before = is_array(w), used = w->length + before + 1, n = 0;
    if (w->format <= FT_WEBHOOK_ARRAY ? !event->is_event : !event->root)
        return FT_WEBHOOK_REFUSED;
    if (w->count && w->is_single)
        return FT_WEBHOOK_FULL;
    if (used < w->size)
        n = write_event(w, event, w->to + w->length + before, w->size - used, &is_whole);
    if (w->count && (!n || !is_whole))
        return FT_WEBHOOK_FULL;
    if (!n)
        return FT_WEBHOOK_REFUSED;
    if (before)
        w->to[w->length] = w->count ? ',' : '[';
    w->length += before + n;
    if (w->format == FT_WEBHOOK_NDJSON)
        w->to[w->length++] = '\n';
    w->count++;
    return FT_WEBHOOK_ADDED;
}

uint32_t ft_webhook_end(struct ft_webhook *w)
{
    if (w->count && is_array(w))
        w->to[w->length++] = ']';
    return w->length;
}
