/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events as EVE JSON lines (doc/output.md, doc/eve.schema.json).
 *
 * Every function writes one whole line into a writer of FT_OUTPUT_LINE_MAX bytes. One thread, no
 * allocation; about 0.5 us a line.
 */
#ifndef FT_EVE_H
#define FT_EVE_H

#include "base/json.h"
#include "dissect/context.h"
#include "event/event.h"
#include "event/ledger.h"
#include "output/output.h"

#define FT_EVE_SCHEMA_VERSION 1u
#define FT_EVE_LEAVES         200u  /**< leaf fields of a protocol object; then truncated */
#define FT_EVE_BYTES          6144u /**< no further leaf once a line is so long; then truncated */

/** In each alert and event of a custom rule, word for word. */
#define FT_EVE_REMARK "Raised by a rule of your own organisation"

struct ft_eve_config {
    const char *sensor;    /**< name, in `host` and in every uid */
    const char *site;      /**< NULL = none */
    bool log_secrets;      /**< print passwords, communities, keys as they are */
    bool arkime_addresses; /**< 0.0.0.0 as addresses of layer 2 events: Arkime drops them else */
    uint64_t salt[2];      /**< of the hashes of secrets */
    uint64_t first_uid;    /**< number of the first line */
    const char *const *interfaces; /**< names by interface index for in_iface, NULL offline */
    uint32_t interface_count;
    const char *const *ports; /**< names of live ports by index, for health events */
    uint32_t port_count;
};

struct ft_eve;

/** An encoder; NULL when memory is short or libcrypto has no SHA-1. Strings are copied. */
struct ft_eve *ft_eve_new(const struct ft_eve_config *config, const struct ft_registry *registry);
void ft_eve_free(struct ft_eve *eve);

/** Number that the next line gets in its event_uid. */
uint64_t ft_eve_next_uid(const struct ft_eve *eve);

/** Let it be this one: lines that a journal keeps have the numbers of that. */
void ft_eve_set_next_uid(struct ft_eve *eve, uint64_t uid);

/** What the whole line that was made last is. */
const struct ft_output_line *ft_eve_line(const struct ft_eve *eve);

/** Longest text of an event_uid, with its end. */
#define FT_EVE_UID_MAX 128u

/** The event_uid with a number as plain text, cut if the sensor's name is that long. */
void ft_eve_uid_text(const struct ft_eve *eve, uint64_t number, char text[FT_EVE_UID_MAX]);

/** The number in the event_uid of a line, plus one; 0 when it has none: where to go on after it. */
uint64_t ft_eve_uid_after(const char *line);

/** The rule that an alert comes from. */
struct ft_eve_rule {
    uint32_t id, revision;
    bool is_built_in;   /**< it comes with fieldtap */
    bool wants_packets; /**< the packets are wanted as evidence */
    const char *file;   /**< where it is written; NULL = not said */
};

/** What the inventory knows of a device; NULL = nothing. */
struct ft_eve_device {
    const char *name, *vendor, *os;
};

/** What an alert or an anomaly is about. Strings live as long as the registry or the program. */
struct ft_eve_finding {
    uint32_t sid;                        /**< alerts: signature_id */
    uint8_t severity;                    /**< enum ft_severity */
    uint8_t engine;                      /**< enum ft_engine */
    const char *key;                     /**< "modbus.malformed", "class.program" */
    const char *title;                   /**< one line for people */
    const char *category;                /**< alert group */
    const char *mitre;                   /**< techniques, space separated, or NULL */
    const char *reference;               /**< id of a feature list, or NULL */
    const char *remediation;             /**< alerts: what to do, or NULL */
    const struct ft_eve_rule *rule;      /**< or NULL */
    const struct ft_eve_device *devices; /**< alerts: of the sender and of the receiver, or NULL */
};

#define FT_EVE_COMMANDS 16u /**< commands that an alert lists; further ones are only marked */

/** The commands that an alert stands for, each name once, in the order in which they came. */
struct ft_eve_commands {
    struct {
        uint32_t code, qualifier;
    } rows[FT_EVE_COMMANDS];
    uint8_t count;
    bool has_more; /**< than there is room for */
};

/** The life of an alert, or of an anomaly that repeats. */
struct ft_eve_life {
    uint64_t id;    /**< uid number of the first line about it */
    uint64_t count; /**< times seen */
    uint64_t first_ns, last_ns;
    bool is_update;                  /**< a further line about it */
    bool has_packets;                /**< they are kept, in a file named by `id` */
    bool is_aggregated;              /**< stands for others of this title that found no room */
    struct ft_eve_commands commands; /**< alerts about messages */
    const char *message;             /**< of a rule about the first; not ended by NUL; or NULL */
    uint32_t message_length;
};

/** What changed about an asset, in an alert about that. */
struct ft_eve_change {
    char asset[240]; /**< its id */
    const char *fact, *before, *after;
};

/** `change` may be NULL. All return false when the line did not fit: then nothing of it may be
 * used. */
bool ft_eve_alert(struct ft_eve *eve, const struct ft_event *event,
                  const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                  const struct ft_eve_change *change, struct ft_json *j);

/** A rule held whose action is to tell it in the timeline. As ft_eve_alert(). */
bool ft_eve_rule(struct ft_eve *eve, const struct ft_event *event,
                 const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                 struct ft_json *j);

/** `type`: decode, stream or applayer; `name`: the event; `layer`: NULL, proto_detect or
 * proto_parser. */
bool ft_eve_anomaly(struct ft_eve *eve, const struct ft_event *event,
                    const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                    const char *type, const char *name, const char *layer, struct ft_json *j);

/** MESSAGE, TRANSACTION, UNANSWERED. */
bool ft_eve_message(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j);
bool ft_eve_operation(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j);
bool ft_eve_flow(struct ft_eve *eve, const struct ft_event *event, struct ft_json *j);

/** `text`: one sentence. */
bool ft_eve_health(struct ft_eve *eve, const struct ft_event *event, const char *name,
                   enum ft_severity severity, const char *text, struct ft_json *j);

/**
 * Lines whose middle the caller writes: after ft_eve_begin() the members of the top-level object,
 * then ft_eve_end(). `event` gives time and packet number; its addresses are not written.
 */
void ft_eve_begin(struct ft_eve *eve, const struct ft_event *event, const char *event_type,
                  struct ft_json *j);
bool ft_eve_end(struct ft_eve *eve, struct ft_json *j);

#endif
