/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sink says of an event: its body, without any header of a transport. Pure functions: the
 * same event and settings give the same bytes.
 *
 *   json    the line of the journal, as it is
 *   text    "key: value, key: value", as the incumbent's syslog text messages
 *   object  a flat JSON object, as its object messages
 *   cef     ArcSight Common Event Format, version 0
 *   leef    QRadar Log Event Extended Format, 1.0 or 2.0
 *
 * Which keys there are is data: tables.h; doc/forwarding-formats.md lists them.
 *
 * Bodies never have line ends or control characters, are UTF-8 whatever is in the event, and are
 * never longer than asked: first long values are cut (they end with "..."), then whole pairs are
 * left out, and a mark at the end says so. Times are in the zone of the sink; numbers of
 * milliseconds and the line of the journal, which has its offset, are not.
 *
 * One thread, no allocation (json that has to be shortened excepted).
 */
#ifndef FT_BODY_H
#define FT_BODY_H

#include "base/json.h"
#include "forward/event.h"
#include "forward/local_time.h"
#include "forward/source.h"
#include "forward/tables.h"

enum ft_body_format {
    FT_BODY_JSON = 0,
    FT_BODY_TEXT,
    FT_BODY_OBJECT,
    FT_BODY_CEF,
    FT_BODY_LEEF,
    FT_BODY_LEEF2,
};

/** "json", "text", "object", "cef", "leef", "leef2"; NULL behind the last. */
const char *ft_body_format_name(enum ft_body_format format);

/** "defender", "standard"; NULL behind the last. */
const char *ft_dialect_name(enum ft_dialect dialect);

/** Room that any body has, if shortened: what every receiver of syslog takes (RFC 5424, 6.1). */
#define FT_BODY_SIZE_MIN 480u

/** How a sink writes. Zeroed: json, UTC. Nothing is owned. */
struct ft_body {
    enum ft_body_format format;
    enum ft_dialect dialect;         /**< of alerts in CEF and LEEF */
    char delimiter;                  /**< between pairs of leef2: one of ft_body_is_delimiter();
                                          0 = a tab, which leef always has */
    const struct ft_time_zone *zone; /**< NULL = UTC */
    struct ft_forward_sensor sensor;
};

/** May this stand between the pairs of LEEF 2.0? A tab, or ASCII punctuation that means nothing
 * else there. */
bool ft_body_is_delimiter(char c);

/**
 * Write a body of at most `size` bytes, no NUL behind it. Returns its length; 0 when there is no
 * such thing: the event was not parsed, or is no JSON object (json needs neither, and sends the
 * line as it is if it fits), or `size` is below FT_BODY_SIZE_MIN.
 */
uint32_t ft_body_write(const struct ft_body *body, const struct ft_forward_event *event, char *to,
                       uint32_t size);

/** The table of a format as one JSON object. False: some members did not fit and are left out. */
bool ft_body_object(const struct ft_body *body, const struct ft_forward_event *event,
                    enum ft_forward_table_format format, struct ft_json *j);

/** How values of a row look, for the reference: "Jan 31 2026 10:20:30" and the like. */
const char *ft_row_as_meaning(enum ft_row_as as);

#endif
