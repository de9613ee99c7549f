/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the core, shared by core.c and stats.c. */
#ifndef FT_CORE_INTERNAL_H
#define FT_CORE_INTERNAL_H

#include "alert/catalogue.h"
#include "alert/claims.h"
#include "alert/core.h"
#include "alert/neighbours.h"
#include "alert/rules.h"
#include "alert/window.h"

/* What a port was offered and lost, from its beginning or between two statistics. */
struct ft_core_loss {
    uint64_t packets; /* those that were lost included */
    uint64_t dropped, missed, shed;
};

struct ft_core {
    struct ft_core_config config;
    const struct ft_registry *registry;
    struct ft_output *out;
    bool is_nowhere;
    struct ft_eve *eve;
    struct ft_inventory *inventory;
    struct ft_conversations *conversations;
    struct ft_catalogue *catalogue;
    struct ft_windows *alerts, *anomalies, *rule_events;
    struct ft_rule_desk *rules;
    struct ft_neighbours *neighbours;
    struct ft_claims *claims;
    union {
        struct ft_event event;
        uint8_t bytes[FT_EVENT_MAX];
    } raised;             /* a CLAIM event that became a VIOLATION */
    struct ft_event last; /* time and packet of the last event, all else zero */
    struct {
        uint64_t seq, messages; /* bit per message of the PDU */
        uint8_t shard;
    } titled; /* commands whose alert was given by a violation, and whose own is yet to come */
    uint64_t first_ns;
    uint32_t told_full; /* bit per table */
    struct {
        struct ft_mirror now; /* as of the last statistics */
        uint64_t packets, bytes;
        uint64_t unseen, holes, received; /* at the statistics before */
        bool is_losing, told_copies, told_one_way;
    } mirror;
    struct {
        struct ft_core_loss before; /* as of the last statistics */
        bool is_losing;
    } * losses; /* config.port_count */
    struct ft_core_alert *alert_list;
    uint32_t alert_count, alert_size;
    uint64_t alerts_not_kept;
    struct ft_core_anomaly *tallies; /* findings are few: as many as dissectors name */
    uint32_t tally_count, tally_size;
    struct {
        uint64_t alerts, operations;
        uint64_t flows[FT_MAX_PROTOCOLS], messages[FT_MAX_PROTOCOLS], errors[FT_MAX_PROTOCOLS];
        uint64_t flows_failed;
    } counts;
};

/** What is known of the sender and the receiver of an event; the texts are the inventory's. */
void ft_core_name_devices(const struct ft_core *core, const struct ft_event *e,
                          struct ft_eve_device to[2]);

/** What makes the hits of a rule one alert. */
enum ft_core_fold {
    FT_CORE_FOLD_NONE = 0, /**< all that makes findings the same, see window.h */
    FT_CORE_FOLD_SENDER,   /**< who sends, whatever it is and to whom */
    FT_CORE_FOLD_RECEIVER,
    FT_CORE_FOLD_PAIR,    /**< who sends and to whom */
    FT_CORE_FOLD_SERVER,  /**< the server, and the device behind its address */
    FT_CORE_FOLD_SERVICE, /**< who sends and to which port */
};

/** Hits of a rule that are told together. */
struct ft_core_count {
    const struct ft_event *event; /**< the last */
    const struct ft_eve_finding *finding;
    uint64_t times;
    uint64_t first_ns; /**< time stamp of the first */
    enum ft_core_fold fold;
};

/**
 * Count an alert: its window, NULL when there is no room. *is_new: it is to be written. For who
 * says more of it than what is found: rules.c.
 */
struct ft_window *ft_core_count_alert(struct ft_core *core, const struct ft_core_count *count,
                                      bool *is_new);
void ft_core_write_alert(struct ft_core *core, const struct ft_event *e,
                         const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                         const struct ft_eve_change *change);

/** The same of a rule whose hits are events of the timeline. */
struct ft_window *ft_core_count_rule(struct ft_core *core, const struct ft_core_count *count,
                                     bool *is_new);
void ft_core_write_rule(struct ft_core *core, const struct ft_event *e,
                        const struct ft_eve_finding *finding, const struct ft_eve_life *life);

/** A writer on room for a line; false when nothing is to be or can be written. */
bool ft_core_line(struct ft_core *core, struct ft_json *j);

/** Write a `health` event with time, packet and, if its type is FT_EVENT_HEALTH, port of `event`.
 */
void ft_core_health_of(struct ft_core *core, const struct ft_event *event, const char *name,
                       enum ft_severity severity, const char *text);

/**
 * Look at what the sensor itself lost: health events. Before the statistics are written. True when
 * anything was lost since the last ones.
 */
bool ft_core_losses_watch(struct ft_core *core, const struct ft_core_totals *totals);

/**
 * Look at what the mirror does: hints and health events, behind ft_core_losses_watch(), which says
 * whether the sensor itself lost packets (`is_own`): from here that looks the same.
 */
void ft_core_mirror_watch(struct ft_core *core, const struct ft_core_totals *totals, bool is_own);

/** The member "mirror" of the statistics. */
void ft_core_mirror_stats(struct ft_core *core, struct ft_json *j);

/** Append the line, or count it as lost when it is not whole. */
void ft_core_commit(struct ft_core *core, const struct ft_json *j, bool is_whole);

#endif
