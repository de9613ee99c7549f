/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as their files say them.
 *
 * A rule file is JSON: {"sets": {...}, "tags": [...], "rules": [...]}; doc/rules.md describes it.
 * All files of a rule set are read together, so that an id is given once and sets and tags of one
 * file can be used in all. Every error is told with file, line and column; a file with an error
 * gives no rule set. One thread; what is read is then only read.
 */
#ifndef FT_RULE_H
#define FT_RULE_H

#include "base/locate.h"
#include "rules/expression.h"
#include "rules/schedule.h"

#define FT_RULE_ID_BUILT_IN 9150000u /**< first id of the rules that fieldtap brings */
#define FT_RULE_ID_CUSTOM   9200000u /**< first id of custom rules */
#define FT_RULE_ID_LAST     9299999u
#define FT_RULES_MAX        65536u

enum ft_rule_action {
    FT_RULE_ALERT = 0,
    FT_RULE_EVENT, /**< told as an event of the timeline, not as an alert */
};

enum ft_threshold_kind {
    FT_THRESHOLD_NONE = 0,
    FT_THRESHOLD_LIMIT,    /**< at most `count` times in `seconds` */
    FT_THRESHOLD_AT_LEAST, /**< only if at least `count` times in `seconds` */
    FT_THRESHOLD_DISTINCT, /**< only if with at least `count` values of `of` in `seconds` */
};

/** Values that a threshold tells apart. */
#define FT_DISTINCT_MAX 1000u

enum ft_threshold_by {
    FT_BY_SOURCE = 0, /**< address of the sender */
    FT_BY_DESTINATION,
    FT_BY_PAIR,
    FT_BY_ASSET,   /**< the device of the server side, or of the receiver */
    FT_BY_SERVICE, /**< address of the sender, and the port that it sends to */
};

struct ft_threshold {
    uint8_t kind; /**< enum ft_threshold_kind */
    uint8_t by;   /**< enum ft_threshold_by */
    uint32_t count, seconds;
    struct ft_operand of; /**< DISTINCT: of what the values are different */
};

/** What must have been before a hit counts: hits of another rule, of the same addresses. */
struct ft_after {
    uint32_t rule; /**< its id; 0: nothing */
    uint8_t by;    /**< enum ft_threshold_by */
    uint32_t count, seconds;
    uint32_t next; /**< index + 1 of another rule that asks for the same, 0 = none */
    struct ft_place place;
};

/** One rule. Strings live as long as the files' struct ft_rule_files. */
struct ft_rule {
    uint32_t id, revision;
    const char *title;
    const char *message;                 /**< text with {field}; NULL: the title */
    const char *category;                /**< alert group; default "Custom" */
    const char *mitre;                   /**< techniques, space separated, or NULL */
    const char *remediation, *reference; /**< or NULL */
    const char *when;
    uint8_t severity;  /**< enum ft_severity; default minor */
    uint8_t engine;    /**< enum ft_engine; default policy */
    uint8_t action;    /**< enum ft_rule_action */
    uint8_t level;     /**< enum ft_level: what the condition is tested on */
    bool evidence;     /**< packets are wanted */
    bool splits_ports; /**< its hits are counted by service, be it for another rule */
    bool is_built_in;  /**< it comes with fieldtap, and no file of the user says anything of it */
    struct ft_schedule schedule;
    struct ft_threshold threshold;
    struct ft_after after;
    uint32_t awaited_by; /**< index + 1 of a rule that counts only after this one, 0 = none */
    struct ft_expression *expression;
    /** Fields of {…} in the message, in order; literal text stands between them. */
    struct ft_operand *parts;
    uint32_t part_count;
    const char *file;
    uint64_t modified_ns;         /**< when that was changed last; 0: not known */
    struct ft_place place;        /**< of the rule */
    struct ft_place when_place;   /**< of the first byte of its condition */
    struct ft_place *test_places; /**< of tests, by node; NULL: none of them looks for a pattern */
    uint64_t fingerprint; /**< of all that it says: the same after a reload, the same rule */
};

/** What the configuration gives to rules. */
struct ft_rule_environment {
    const struct ft_registry *registry;
    const char *configuration; /**< its file: sets{}, zones[], working_hours; NULL = none */
    /**
     * File or folder of the rules that come with fieldtap; NULL: without them. A rule of another
     * file with the id of one of them takes its place: what it does not say stays as it was, and
     * "enabled": false switches it off.
     */
    const char *built_in;
    const struct ft_zone *zones;
    uint32_t zone_count;
    const struct ft_named_set *sets; /**< sets{} of the configuration */
    uint32_t set_count;
    const struct ft_schedule *working_hours; /**< NULL: none are said */
    struct ft_time_zone *time_zone;          /**< of schedules that name none; NULL = UTC */
};

/** All files, read. */
struct ft_rule_files {
    struct ft_rule *rules; /**< enabled ones, in order of id */
    uint32_t count;
    uint32_t disabled; /**< rules with "enabled": false: checked, and left out */
    uint32_t brought;  /**< of those two: that come with fieldtap, and were not asked for by name */
    uint32_t refused;  /**< rules with errors, or that name a set or tag with errors */
    uint32_t broken;   /**< sets, tags and files with errors of their own */
    struct ft_vocabulary vocabulary;
    void *private_;
};

/** Told of each error or warning: "FILE:LINE:COLUMN: sentence". */
typedef void ft_rule_say_fn(void *user, bool is_error, const char *line);

/**
 * Read files, or all *.json of folders in order of their names, after those
 * that come with fieldtap. Every error is told. Returns NULL
 * only without memory; use the result only when `refused` is 0 and `is_sound` says true.
 */
struct ft_rule_files *ft_rule_files_read(const char *const *paths, uint32_t count,
                                         const struct ft_rule_environment *environment,
                                         ft_rule_say_fn *say, void *user, bool *is_sound);
void ft_rule_files_free(struct ft_rule_files *files);

#endif
