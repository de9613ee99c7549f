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

/** Read a test from the current token on, to the one behind it. False: it was told what is wrong.
 */
bool ft_reader_test(struct ft_reader *r, struct ft_test *test);

/** Tell of everything in the tree that cannot hold: tests that contradict one another, ... */
void ft_reader_contradictions(struct ft_reader *r);
/** ... and what no message can be: after those, for they are told more exactly. */
void ft_reader_impossible(struct ft_reader *r);

/** Is there a message that the part of a condition under a node may hold for? */
bool ft_expression_is_possible(const struct ft_vocabulary *v, const struct ft_expression *e,
                               uint32_t node);

/** As ft_expression_read(), also what can never hold: for who wants to see that it does not. */
struct ft_expression *ft_expression_read_unchecked(const struct ft_vocabulary *vocabulary,
                                                   const char *text, ft_expression_error_fn *wrong,
                                                   void *user);

/** Part the tree into what a worker and what the core decides. */
void ft_reader_split(struct ft_reader *r);

#endif
