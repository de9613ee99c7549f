/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The formats as data: which key gets its value where, and how it is written. The writers (body.c,
 * webhook.c) and the reference (doc/forwarding-formats.md) are made of these tables alone.
 */
#ifndef FT_FORWARD_TABLES_H
#define FT_FORWARD_TABLES_H

#include "forward/event.h"

/** How a value is written. */
enum ft_row_as {
    FT_ROW_TEXT = 0,
    FT_ROW_SEVERITY,        /**< critical -> Critical */
    FT_ROW_SEVERITY_NUMBER, /**< critical 10, major 8, minor 4, warning 1, none 0 */
    FT_ROW_ENGINE,          /**< policy_violation -> Policy Violation */
    FT_ROW_TIME,            /**< Jan 31 2026 10:20:30, in the time zone of the sink */
    FT_ROW_MILLISECONDS,    /**< since 1970 UTC */
    FT_ROW_IPV4,            /**< left out when it is none */
    FT_ROW_IPV6,            /**< likewise */
    FT_ROW_FIRST,           /**< of a list the first */
    FT_ROW_LIST,            /**< JSON: an array of texts */
    FT_ROW_BOOL,            /**< JSON: true or false */
    FT_ROW_DETAILS,         /**< JSON: {"description": ..., "information": [...]} */
};

struct ft_row {
    const char *key;
    const char *source; /**< see source.h */
    enum ft_row_as as;
    const char *missing; /**< what stands there without a value; NULL: the key is left out */
    const char *label;   /**< CEF, custom fields: a second key <key>Label with this text */
};

/** Rows that several tables share, and the first fields of CEF and LEEF. */
struct ft_rows {
    const struct ft_row *rows;
    uint32_t count;
};

#define FT_FORWARD_TABLE_PARTS 4u

enum ft_forward_table_format {
    FT_FORWARD_TABLE_TEXT = 0,
    FT_FORWARD_TABLE_OBJECT,
    FT_FORWARD_TABLE_CEF,
    FT_FORWARD_TABLE_LEEF,
    FT_FORWARD_TABLE_WEBHOOK, /**< an object for each alert, as the incumbent's console sends it */
    FT_FORWARD_TABLE_WEBHOOK_EXTENDED, /**< with more of it */
    FT_FORWARD_TABLE_FORMATS,          /**< their number */
};

/** Whose keys alerts have in CEF and LEEF. */
enum ft_dialect {
    FT_DIALECT_INCUMBENT = 0, /**< those of Microsoft Defender for IoT: SOC parsers go on working */
    FT_DIALECT_STANDARD,      /**< those of the formats' own dictionaries */
};

/** Sources of the fields in front of the pairs, CEF's names; LEEF has no name and severity. */
struct ft_forward_table_header {
    const char *vendor, *product, *version, *id, *name;
};

struct ft_forward_table {
    const struct ft_forward_table_header *header; /**< CEF and LEEF */
    struct ft_rows parts[FT_FORWARD_TABLE_PARTS];
};

/** The table of an event type in a format. */
const struct ft_forward_table *ft_forward_table(enum ft_forward_table_format format,
                                                enum ft_dialect dialect, enum ft_forward_type type);

/** "text", "object", "cef", ...; NULL behind the last. */
const char *ft_forward_table_format_name(enum ft_forward_table_format format);

/** What `information` of FT_ROW_DETAILS lists: "<key>: <value>". */
const struct ft_rows *ft_forward_table_details(void);

#endif
