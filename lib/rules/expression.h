/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conditions of rules: from text to a checked tree.
 *
 *   condition  = and-term { "or" and-term }
 *   and-term   = factor { "and" factor }
 *   factor     = "not" factor | "(" condition ")" | "any" GROUP "(" condition ")" | test
 *   test       = name [ "&" MASK ] [ OPERATOR value ] | name [ "not" ] "in" set
 *              | name "contains" TEXT | name "matches" TEXT
 *   name       = NAME | "lower" "(" NAME ")"
 *   OPERATOR   = "==" | "!=" | "<" | "<=" | ">" | ">="
 *   value      = NUMBER | NAME OF A VALUE | ADDRESS | TEXT | NAME (another field)
 *   set        = "{" item { "," item } "}" | "$" NAME | ADDRESS "/" LENGTH | FROM ".." TO
 *
 * && || ! may be written for the words. lower(NAME) is NAME, but capital letters and small ones are
 * the same, in the values that it is compared with, too. A test on something that a message does
 * not have is false, whatever the operator; `not` before it makes it true. Where a message has
 * several values of a field a test holds if it holds for one of them; != and `not in` hold if none
 * of them is equal. Inside `any GROUP (...)` names of that group mean one element of it, the same
 * in all tests.
 *
 * The tree has no `not` any more: it stands in the tests. Everything is resolved: names are
 * operands, values are keys. What can never hold is an error.
 */
#ifndef FT_EXPRESSION_H
#define FT_EXPRESSION_H

#include "rules/vocabulary.h"

#define FT_EXPRESSION_TEXT_MAX 16384u /**< bytes of a condition */
#define FT_EXPRESSION_DEPTH    32u    /**< parentheses */
#define FT_EXPRESSION_TESTS    1024u  /**< tests in one condition */
#define FT_EXPRESSION_BINDINGS 4u     /**< `any` inside `any` */

enum ft_expression_kind {
    FT_EXPRESSION_AND = 0, /**< of two children or more */
    FT_EXPRESSION_OR,
    FT_EXPRESSION_ANY, /**< one child, for each element of the group `test.left` */
    FT_EXPRESSION_TEST,
};

enum ft_test_kind {
    FT_TEST_EXISTS = 0, /**< there is a value */
    FT_TEST_RANGE,      /**< number in low..high */
    FT_TEST_NUMBERS,    /**< number in `set` */
    FT_TEST_MASK,       /**< number & mask is not 0 */
    FT_TEST_ADDRESS,    /**< address in address_low..address_high */
    FT_TEST_ADDRESSES,  /**< address in `set` */
    FT_TEST_TEXT,       /**< the text, whole */
    FT_TEST_TEXTS,      /**< a text of `set` */
    FT_TEST_CONTAINS,   /**< holds the text */
    FT_TEST_MATCHES,    /**< holds what the expression says */
    FT_TEST_SAME,       /**< compared with `right` by `same` */
};

enum ft_same {
    FT_SAME_EQUAL = 0,
    FT_SAME_LESS,
    FT_SAME_LESS_EQUAL,
    FT_SAME_GREATER,
    FT_SAME_GREATER_EQUAL,
};

/** One test. It holds if a value passes; with is_none if there are values, and none passes. */
struct ft_test {
    uint8_t kind;      /**< enum ft_test_kind */
    uint8_t same;      /**< enum ft_same */
    bool is_none;      /**< != and `not in` */
    bool is_negated;   /**< then the contrary of all that */
    bool has_mask;     /**< numbers are masked before the comparison */
    bool ignores_case; /**< lower(): of ASCII letters; texts of the test are in small ones */
    bool is_code;      /**< subaddress: the number, not the text */
    bool is_named;     /**< values of a named set are among those: others after the next reload */
    struct ft_operand left, right;
    uint64_t mask;
    uint64_t low, high; /**< keys: see ft_key_of_int(), ft_key_of_float() */
    struct ft_set_address address_low, address_high;
    const struct ft_set *set; /**< the expression's own, or a named one */
    const char *text;         /**< not ended by NUL */
    uint32_t length;
};

struct ft_expression_node {
    uint8_t kind;         /**< enum ft_expression_kind */
    bool is_negated;      /**< ANY: no element, or none for which it holds */
    uint32_t child, next; /**< first child, next brother; 0 = none */
    uint32_t at, end;     /**< bytes of the text */
    uint32_t scope;       /**< node of the innermost ANY around it, 0 = none */
    struct ft_test test;  /**< ANY: only `left`, the group */
};

struct ft_expression {
    struct ft_expression_node *nodes; /**< 0 is not used */
    uint32_t root, count;             /**< root: of all, before it is parted into the two below */
    uint32_t worker; /**< what a worker decides: all but tests on assets; 0 = nothing */
    uint32_t core;   /**< joined to it by `and`: what only the alerting core can; 0 = nothing */
    uint32_t test_count;
    bool is_broken;       /**< it names a set or tag whose definition has errors */
    struct ft_set **sets; /**< own ones */
    uint32_t set_count;
    char *texts; /**< own ones, one after another */
    uint32_t texts_used;
};

/** Told of each error: which bytes of the text, and one sentence. */
typedef void ft_expression_error_fn(void *user, uint32_t at, uint32_t end, const char *text);

/**
 * Read a condition. NULL when anything is wrong, and every error was told. Named sets must live as
 * long as the expression. One thread; allocates.
 */
struct ft_expression *ft_expression_read(const struct ft_vocabulary *vocabulary, const char *text,
                                         ft_expression_error_fn *wrong, void *user);
void ft_expression_free(struct ft_expression *e);

/** A test as text, in one fixed way of writing: for --explain. Returns `to`. */
char *ft_test_text(const struct ft_vocabulary *v, const struct ft_test *test, char *to,
                   size_t size);

/** The ranges of values that a test asks for, in order, however it is written; false: no more. */
bool ft_test_numbers_at(const struct ft_test *t, uint32_t index, uint64_t *low, uint64_t *high);
bool ft_test_addresses_at(const struct ft_test *t, uint32_t index, struct ft_set_address *low,
                          struct ft_set_address *high);

/** Does a node stand right under another? */
bool ft_expression_is_child(const struct ft_expression *e, uint32_t parent, uint32_t node);

/** Is a value one that the test asks for? */
bool ft_test_has_number(const struct ft_test *test, uint64_t key);
bool ft_test_has_address(const struct ft_test *test, struct ft_set_address address);

#endif
