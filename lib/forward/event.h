/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An event on its way to a sink: a line of the journal (doc/output.md), and what sinks ask of it
 * whatever their format.
 *
 * Most events never leave by most sinks, and those of format json leave as they are. So a line is
 * skimmed first (ft_forward_event_skim(): some instructions a byte, no allocation), which is all
 * that filters and json need; then those that pass are parsed once (ft_forward_event_parse():
 * jansson, 200 instructions a byte) for the sinks that take them apart.
 *
 * Belongs to one thread. The line stays where it is as long as the event is used.
 */
#ifndef FT_FORWARD_EVENT_H
#define FT_FORWARD_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What sinks tell apart; the event type of a transaction is the name of its protocol. */
enum ft_forward_type {
    FT_FORWARD_ALERT = 0,
    FT_FORWARD_ANOMALY,
    FT_FORWARD_ASSET,
    FT_FORWARD_FLOW,
    FT_FORWARD_HEALTH,
    FT_FORWARD_MESSAGE,
    FT_FORWARD_OPERATION,
    FT_FORWARD_RULE,
    FT_FORWARD_STATS,
    FT_FORWARD_TRANSACTION,
    FT_FORWARD_TYPES, /**< their number */
};

/** "alert", "anomaly", ...; NULL behind the last. */
const char *ft_forward_type_name(enum ft_forward_type type);

/** The five engines by number (enum ft_engine): "policy_violation" as events have it, "Policy
 * Violation" as receivers do; NULL behind the last. */
const char *ft_forward_engine_name(uint32_t engine);
const char *ft_forward_engine_title(uint32_t engine);

/** The four severities, 1 = critical (enum ft_severity): "critical" and "Critical"; NULL for
 * others.
 */
const char *ft_forward_severity_name(uint32_t severity);
const char *ft_forward_severity_title(uint32_t severity);

#define FT_FORWARD_NO_ENGINE UINT32_MAX

/** A text in the line, or in what was parsed; length 0 = it is not there. */
struct ft_forward_word {
    const char *text;
    uint32_t length;
};

struct ft_forward_event {
    const char *line; /**< not owned, without the line end */
    uint32_t length;
    bool is_event;                    /**< the line is a JSON object, as far as it was read */
    json_t *root;                     /**< owned; NULL: not parsed */
    struct ft_forward_word type_name; /**< event_type */
    struct ft_forward_word uid;       /**< event_uid */
    struct ft_forward_word protocol;  /**< app_proto; of a health event its own */
    enum ft_forward_type type;
    uint64_t time_ns;      /**< `timestamp`; 0 = none that can be read */
    uint32_t severity;     /**< 1 critical .. 4 warning; 0 = it has none */
    uint32_t engine;       /**< enum ft_engine; those of health are operational */
    bool is_update;        /**< a further line about an alert, an anomaly or an event of a rule */
    bool is_turned;        /**< parsed: `alert.source` is who received the packet, dest_ip */
    bool source_is_server; /**< parsed: src is the server */
};

/**
 * Begin with a line: all members but those that say parsed. It is parsed where one of these words
 * has escapes (event_uid of a sensor with a quote in its name). False when it is no object: then
 * nothing but `line` and `length` is set. Values that nobody asks for are passed over unchecked.
 */
bool ft_forward_event_skim(struct ft_forward_event *event, const char *line, size_t length);

/** Parse what was begun, once. False when it is no JSON. */
bool ft_forward_event_parse(struct ft_forward_event *event);

/** Parse a line that was not skimmed, of any JSON. False when it is no object: then only `line` and
 * `length` are set. */
bool ft_forward_event_read(struct ft_forward_event *event, const char *line, size_t length);

void ft_forward_event_free(struct ft_forward_event *event);

/** Parsed: what is at a path such as "alert.source.ip"; NULL when nothing is. */
const json_t *ft_forward_at(const struct ft_forward_event *event, const char *path);

/** Parsed: the text at a path; NULL when it is none. */
const char *ft_forward_text(const struct ft_forward_event *event, const char *path);

#endif
