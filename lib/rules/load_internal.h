/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading of rule files: what the readers of files, of sets and tags, and of rules share. */
#ifndef FT_LOAD_INTERNAL_H
#define FT_LOAD_INTERNAL_H

#include "rules/outline.h"
#include "rules/rule.h"

#define FT_LOAD_FILE_MAX (64u << 20) /**< bytes of a rule file */

/** One file. What it says is kept, for the strings; text and outline only while it is read. */
struct ft_source {
    char *path, *text;
    json_t *root;
    struct ft_outline outline;
    uint64_t modified_ns;
    bool is_configuration;
    bool is_built_in;    /**< it comes with fieldtap */
    bool is_named;       /**< ... and was asked for all the same */
    const json_t *rules; /**< rules[], read after the sets and tags of all files */
    uint32_t rules_node;
};

/** Where something was said first: for what may be said once. */
struct ft_said {
    const struct ft_source *source; /**< NULL: nowhere */
    struct ft_place place;
};

/** Who has an id. Of a rule that comes with fieldtap also what it says: for one that replaces it.
 */
struct ft_load_id {
    struct ft_said said;
    const json_t *value; /**< NULL: it is replaced by nobody */
    uint32_t node;
};

/** Owned by struct ft_rule_files. */
struct ft_rule_store {
    struct ft_source *sources;
    uint32_t source_count;
    char **strings;
    uint32_t string_count;
    struct ft_zone_entry {
        const char *name;
        struct ft_time_zone *zone;
    } * zones;
    uint32_t zone_count;
    struct ft_named_set *sets; /**< those of the configuration first: they are not owned */
    struct ft_said *sets_said;
    uint64_t *set_hashes;
    bool *sets_told; /**< that they are empty */
    uint32_t set_count, foreign_sets;
    struct ft_zone *areas; /**< zones[] of the configuration */
    uint32_t area_count;
    struct ft_schedule working_hours;
    struct ft_tag *tags;
    struct ft_said *tags_said;
    uint32_t tag_count;
};

struct ft_loader {
    struct ft_rule_files *files;
    struct ft_rule_store *store;
    struct ft_rule_environment environment;
    ft_rule_say_fn *say;
    void *user;
    const struct ft_source *source; /**< the one that is read */
    struct ft_load_id *ids;         /**< by id - FT_RULE_ID_BUILT_IN */
    uint32_t room;                  /**< of files->rules */
    uint64_t errors;
    bool is_out_of_memory;
};

/* ---- what is wrong ---- */

/** Tell of an error at a byte of the file that is read. */
__attribute__((format(printf, 3, 4))) void ft_load_wrong(struct ft_loader *l, uint32_t at,
                                                         const char *format, ...);
/** The same of what stands in another file, or in no place: `where` is "FILE:LINE:COLUMN", "FILE".
 */
__attribute__((format(printf, 4, 5))) void ft_load_tell(struct ft_loader *l, bool is_error,
                                                        const char *where, const char *format, ...);
/** The byte where a node stands. */
uint32_t ft_load_at(const struct ft_loader *l, uint32_t node);
/** "FILE:LINE:COLUMN" of what was said first, in `to`. */
const char *ft_load_said(const struct ft_said *said, char *to, size_t size);
/** It is said here. */
struct ft_said ft_load_say(const struct ft_loader *l, uint32_t node);

/** Keep a string (from malloc) as long as the rules; NULL is out of memory, and told so. */
const char *ft_load_keep(struct ft_loader *l, char *string);

/* ---- objects by their keys ---- */

enum ft_load_kind {
    FT_LOAD_TEXT = 0, /**< const char *, of `low` to `high` bytes */
    FT_LOAD_NUMBER,   /**< uint32_t, from `low` to `high` */
    FT_LOAD_SIGNED,   /**< int32_t, from -`high` to `high` */
    FT_LOAD_TRUTH,    /**< bool */
    FT_LOAD_WORD,     /**< uint8_t: `low` and the number of the word in `words` */
    FT_LOAD_OWN,      /**< a function of its own */
};

struct ft_load_key {
    const char *name;
    uint8_t kind; /**< enum ft_load_kind */
    bool is_required;
    uint32_t low, high;
    size_t offset; /**< of the member of the struct that is filled */
    const char *const *words;
    void (*own)(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
};

/**
 * Fill `to` from an object. `what` is what errors call it: "a rule", "sets.plc". True when it is an
 * object whose keys are right.
 */
bool ft_load_object(struct ft_loader *l, const char *what, const struct ft_load_key *keys,
                    uint32_t key_count, const json_t *value, uint32_t node, void *to);

/** The number of a word in a list that ends with NULL, -1 when told that there is no such word. */
int ft_load_word(struct ft_loader *l, uint32_t at, const char *what, const json_t *value,
                 const char *const *words);

/* ---- parts of a file ---- */

/** sets{} and tags[]. */
void ft_load_sets(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
void ft_load_tags(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
/** A hash of what a set holds. */
uint64_t ft_load_set_hash(const struct ft_set *set);

/** Of a configuration what it says for rules: sets{}, zones[], working_hours. */
void ft_load_environment(struct ft_loader *l);

/** One of rules[]. False: memory is short, or there are too many. */
bool ft_load_rule(struct ft_loader *l, const json_t *value, uint32_t node);

/** What thresholds and "after" count by: enum ft_threshold_by. Ends with NULL. */
extern const char *const ft_load_by_words[];

/** "schedule" and "threshold" of a rule. */
void ft_load_schedule(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
void ft_load_threshold(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
/** "after" of a rule; and, when all were read and sorted, which rules these are. */
void ft_load_after(struct ft_loader *l, const json_t *value, uint32_t node, void *to);
void ft_load_find_after(struct ft_loader *l);
/** Take a rule with an error out again. */
void ft_load_refuse(struct ft_loader *l, uint32_t index);

#endif
