/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of a running sensor: read at start, read again on SIGHUP.
 *
 * A thread of its own reads and compiles, and writes rules.json, so that nothing waits for it. What
 * is ready is put where all look (sensor.rules); each worker takes it over at the beginning of a
 * turn, and tells by rte_rcu_qsbr when it can have no use of the old one any more. A rule set with
 * errors is told, and changes nothing.
 */
#ifndef RULES_H
#define RULES_H

#include "options.h"
#include "rules/ruleset.h"

#include <rte_rcu_qsbr.h>
#include <semaphore.h>

struct ft_rule_statistics;
struct sensor;
struct worker;

/** A rule set in use, with what each worker needs for it. */
struct rules {
    struct ft_ruleset *set;
    uint32_t generation;  /**< from 1 */
    struct rules *before; /**< those that they took the place of, while the core may need them */
    uint32_t matcher_count;
    struct ft_matcher *matchers[];
};

/** What the thread is asked for; bits. */
enum rules_wish {
    RULES_WISH_RELOAD = 1,
    RULES_WISH_STATISTICS = 2, /**< that rules.json is written */
};

/** What a sensor has for its rules. */
struct rules_state {
    _Atomic(struct rules *) now; /**< NULL: there are none */
    _Atomic uint32_t taken;      /**< generation that the core knows */
    _Atomic uint64_t ticks;      /**< that the core has handled, with all that was told before */
    _Atomic bool is_refused;     /**< others were asked for, and could not be taken */
    _Atomic bool is_unwritten;   /**< rules.json could not be written; not told yet */
    _Atomic bool is_ending;
    _Atomic bool is_making; /**< the thread reads and compiles, and changes nothing */
    struct rte_rcu_qsbr *quiescent;
    _Atomic uint32_t wishes;       /**< enum rules_wish */
    sem_t wanted;                  /**< posted for each */
    _Atomic uint32_t begun, ended; /**< reloads */
    _Atomic bool was_taken;        /**< by the one that ended last */
    bool cannot_write;             /**< the last rules.json; of the thread */
    pthread_t thread;
    bool has_thread;
};

/** Read the rules that the options name. False when one is wrong: told, exit code 2. */
bool rules_start(struct sensor *s);

/** Begin to wait for reloads; live. */
bool rules_begin(struct sensor *s);

/** From a signal handler too: read them again, or what else is wished. Never waits; what the thread
 * is asked for again before it comes to it is one. Nothing without the thread. */
void rules_want(struct sensor *s, enum rules_wish wish);

/** No more reloads; before the workers end. One that is still being compiled, which may take
 * seconds, comes to nothing, and is not waited for. */
void rules_end(struct sensor *s);
/** Wait until the thread has ended; before anything that compiling needs is freed. */
void rules_join(struct sensor *s);
void rules_free(struct sensor *s);

/** At the beginning and the end of a worker's loop, on its thread. */
void rules_enter(struct worker *w);
void rules_leave(struct worker *w);

/** At the beginning of a turn: take over what is new. Cost: some loads. */
void rules_turn(struct worker *w);

/** By the alerting loop: have the core take over what is new; and that it has handled a tick. */
void rules_tell_core(struct sensor *s);
void rules_tick(struct sensor *s);

/** By those who watch: the rules at work, NULL = none; valid until they look away, which they do
 * soon, whatever this returned. */
const struct rules *rules_look(struct sensor *s);
void rules_look_away(struct sensor *s);

/** Statistics as of now, while no other thread uses them: until the end is told; soon. */
struct ft_rule_statistics *rules_statistics(struct sensor *s, const struct rules *r);
void rules_statistics_end(void);

/** What was said of the rules since the last reload began. */
void rules_said(char *text, size_t size);

/** --check-rules and --explain: print, return the exit code. */
int rules_check(const struct sensor *s);
int rules_explain(struct sensor *s);

/** --list-keywords: what conditions can ask about besides fields. */
void rules_list_keywords(void);

#endif
