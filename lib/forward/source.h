/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a format's key gets its value: the small language of the tables in tables.c.
 *
 *   alert.signature       a path in the event
 *   @message              something made of the event or known of the sensor, see
 * ft_source_computed() a b                   the first of them that is there =Some text the text
 * itself
 *
 * One thread, no allocation.
 */
#ifndef FT_SOURCE_H
#define FT_SOURCE_H

#include "forward/event.h"

/** What bodies say of the sensor. Strings are not owned; NULL or "" = not known. */
struct ft_forward_sensor {
    const char *name;    /**< NULL: `host` of the event */
    const char *version; /**< of fieldtap */
    const char *address; /**< of its management interface */
    const char *zone;    /**< part of the site that it stands in */
    const char *site;    /**< NULL: `fieldtap.site` of the event */
};

/** A value as text; strings of JSON may have NULs. */
struct ft_source_value {
    const char *text;
    uint32_t length;
};

#define FT_SOURCE_ROOM 4096u /**< what is put together is cut here */

/**
 * The value at a source. Numbers become decimal, lists their elements with ", " between. False when
 * there is none, or nothing in it. The text lies in the event, in the sensor's names or in `room`.
 */
bool ft_source_value(const struct ft_forward_sensor *sensor, const struct ft_forward_event *event,
                     const char *source, char room[FT_SOURCE_ROOM], struct ft_source_value *value);

/** Name and meaning of the i-th computed source, "@title"; NULL behind the last. For the reference.
 */
const char *ft_source_computed(uint32_t i, const char **meaning);

/** How titles and messages are put together: template of a type's title or message, for the
 * reference. */
const char *ft_source_title_template(enum ft_forward_type type);
const char *ft_source_message_template(enum ft_forward_type type);

#endif
