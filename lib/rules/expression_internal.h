/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a condition: what the reader of the tree and the reader of tests share. */
#ifndef FT_EXPRESSION_INTERNAL_H
#define FT_EXPRESSION_INTERNAL_H

#include "rules/expression.h"

enum ft_token_kind {
    FT_TOKEN_NONE = 0,
    FT_TOKEN_END,
    FT_TOKEN_WORD,
    FT_TOKEN_TEXT,
    FT_TOKEN_AND,
    FT_TOKEN_OR,
    FT_TOKEN_NOT,
    FT_TOKEN_ANY,
    FT_TOKEN_IN,
    FT_TOKEN_CONTAINS,
    FT_TOKEN_MATCHES,
    FT_TOKEN_EQUAL,
    FT_TOKEN_UNEQUAL,
    FT_TOKEN_LESS,
    FT_TOKEN_LESS_EQUAL,
    FT_TOKEN_GREATER,
    FT_TOKEN_GREATER_EQUAL,
    FT_TOKEN_OPEN,
    FT_TOKEN_CLOSE,
    FT_TOKEN_OPEN_SET,
    FT_TOKEN_CLOSE_SET,
    FT_TOKEN_COMMA,
    FT_TOKEN_MASK,
    FT_TOKEN_DOLLAR,
};

struct ft_token {
    uint8_t kind;
    uint32_t at, end;
    const char *text; /**< WORD, TEXT: ended by NUL, in the expression's texts */
    uint32_t length;
};

struct ft_reader {
    const struct ft_vocabulary *vocabulary;
    const char *text, *at;
    struct ft_expression *expression;
    ft_expression_error_fn *wrong;
    void *user;
    struct ft_token token;
    uint32_t last_end; /**< where the token before ended */
    uint32_t room, depth, bindings;
    uint32_t scope; /**< node of the innermost `any`, 0 = none */
    bool is_wrong, is_raw;
    bool folds;      /**< texts of the test are made small, see ft_fold() */
    bool takes_bits; /**< there is a mask: names of single bits are values */
};

__attribute__((format(printf, 4, 5))) void ft_reader_wrong(struct ft_reader *r, uint32_t at,
                                                           uint32_t end, const char *format, ...);

/** Is it a character of names and numbers? */
bool ft_reader_is_word(char c);

/** Go to the next token. */
void ft_reader_next(struct ft_reader *r);
/** The same; a text keeps its backslashes but those before a quote. */
void ft_reader_next_raw(struct ft_reader *r);

/** As ft_vocabulary_find(), names of the bound groups first. */
bool ft_reader_find(struct ft_reader *r, const char *name, struct ft_operand *to, char *error,
                    size_t error_size);

/* ---- values; what is wrong was told when they return false or NULL ---- */

static inline bool ft_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** How a value of the operand is written; NULL: by names only. */
const char *ft_reader_example(const struct ft_operand *o);
/** The largest number that there is of an operand that has no signs or fractions. */
uint64_t ft_reader_largest(const struct ft_operand *o);
uint64_t ft_reader_smallest(const struct ft_operand *o);
/**
 * What a written number means: itself, and of one with a fraction also the number of single
 * precision next to it: 21.1 is no such number, but what a device that has these sends for it is.
 * Of a time with microseconds all of that microsecond: eve.json has no more digits.
 */
void ft_reader_written(const struct ft_operand *o, uint64_t key, uint64_t *low, uint64_t *high);
/** The number that a name in a list stands for. Tells nothing. */
bool ft_reader_name_of_value(const struct ft_name *names, const char *text, uint64_t *to);
/** The key of a number in text, which is of token `t`. */
bool ft_reader_key(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                   const char *text, uint64_t *key);
/** The text that a token stands for; of bytes also a word in hexadecimal. */
bool ft_reader_text(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                    const char **text, uint32_t *length);
/** Is a sub-address asked for by its number, not by its text? Then that is what is compared. */
bool ft_reader_is_code(const struct ft_reader *r, const struct ft_operand *o);
void ft_reader_use_code(struct ft_test *test);

/** Of what kind a set for the operand is; one of its own, empty, which is the expression's. */
enum ft_set_kind ft_reader_set_kind(const struct ft_operand *o);
struct ft_set *ft_reader_set_new(struct ft_reader *r, enum ft_set_kind kind);
/** Add the value of a token. */
bool ft_reader_value(struct ft_reader *r, const struct ft_token *t, const struct ft_operand *o,
                     struct ft_set *set);
/** The simplest test that asks whether a value is in a set. */
void ft_reader_use_set(struct ft_test *test, const struct ft_set *set);
/** `in`, from that token on. */
bool ft_reader_in(struct ft_reader *r, struct ft_test *test);
/** True, and told, if not `ok`. */
bool ft_reader_out_of_memory(struct ft_reader *r, bool ok);

/** Read a test from the current token on, to the one behind it. False: it was told what is wrong.
 */
bool ft_reader_test(struct ft_reader *r, struct ft_test *test);

/** Tell of everything in the tree that cannot hold: tests that contradict one another, ... */
void ft_reader_contradictions(struct ft_reader *r);
/** ... and what no message can be: after those, for they are told more exactly. */
void ft_reader_impossible(struct ft_reader *r);

/** Is there a message that the part of a condition under a node may hold for? */
bool ft_expression_is_possible(const struct ft_vocabulary *v, const struct ft_expression *e,
                               const char *text, uint32_t node);
/** Do the children of a node contradict one another, if it is an `and`? Or a test itself? */
bool ft_expression_is_contradictory(const struct ft_vocabulary *v, const struct ft_expression *e,
                                    uint32_t node);

/* ---- two tests on one message ---- */

/** What contradictions are looked for in, and how many values may still be tried for that. */
struct ft_clashes {
    const struct ft_vocabulary *v;
    const struct ft_expression *e;
    uint32_t budget;
};

/** A word that means either side, with those that mean one. */
struct ft_sides {
    uint8_t either, side[2];
};

/** Can two tests that are joined by `and` hold of one message? Where that is not known they can. */
bool ft_tests_can_hold(struct ft_clashes *c, const struct ft_test *a, const struct ft_test *b);
/** Are they about the same values, or the second about the length of the first? */
bool ft_tests_are_beside(const struct ft_test *a, const struct ft_test *b);
/** "x.y == 1 and not x": what stands in a group is not there without it. */
bool ft_test_lacks_group(const struct ft_clashes *c, const struct ft_test *group,
                         const struct ft_test *inside);
/** "a != a", "a < a": what is compared with itself. Of a list two may be meant. */
bool ft_test_is_never_itself(const struct ft_test *t);
/**
 * `not x == 1` beside what asks for a value of x: there is one, and none is 1; so `x != 1`. And
 * `not x != 1` is `x == 1`.
 */
struct ft_test ft_test_without_not(const struct ft_test *t);
/** Of a word that means either side; NULL: it does not. */
const struct ft_sides *ft_sides_of(const struct ft_operand *either);
/** Is `one` of a side of what `either` is of? */
bool ft_test_is_side_of(const struct ft_test *either, const struct ft_test *one);
/**
 * "port.dst == 502 and port != 502", "... and not port == 502": what one side has to be neither may
 * be. The one asks for a value, so there are some.
 */
bool ft_test_excludes_side(const struct ft_test *one, const struct ft_test *either);

/** "not ", or "": what stands before the text of a test or an `any`. */
const char *ft_expression_not(const struct ft_expression_node *n);

/** May there be several values? Of a device too: what is behind an address, and the address. */
static inline bool ft_operand_may_be_many(const struct ft_operand *o)
{
    return o->is_many || o->level == FT_LEVEL_ASSET;
}

/** Does it ask for a number, whole or masked? */
bool ft_test_is_of_number(const struct ft_test *t);
/** Does it hold for the number, if that is the one value that is there? But for `not`. */
bool ft_test_passes(const struct ft_test *t, uint64_t value);
/**
 * Of the values that a test names, is there one for which all others may hold, which are about the
 * same values (or, of the payload, its length) and have no `not`? Where that is not known there is:
 * of lists, named sets, or with too many values for the budget.
 */
bool ft_test_has_value_for(const struct ft_test *t, const struct ft_test *others, uint32_t count,
                           uint32_t *budget);
/** Can a masked number be one that the test asks for? Where that is not known it can. */
bool ft_test_mask_leaves_any(const struct ft_test *t);

/** As ft_expression_read(), also what can never hold: for who wants to see that it does not. */
struct ft_expression *ft_expression_read_unchecked(const struct ft_vocabulary *vocabulary,
                                                   const char *text, ft_expression_error_fn *wrong,
                                                   void *user);

/** Part the tree into what a worker and what the core decides. */
void ft_reader_split(struct ft_reader *r);

#endif
