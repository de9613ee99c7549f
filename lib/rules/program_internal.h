/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of programs: shared by what makes and what runs them. A call between these files is
 * one for a value or a test; what is done more often is in the file that does it.
 */
#ifndef FT_PROGRAM_INTERNAL_H
#define FT_PROGRAM_INTERNAL_H

#include "rules/program.h"

/** Different patterns of one group found in one message; further ones are not seen. */
#define FT_HITS_MAX 1024u

/** What was found of one group in the message at hand. */
struct ft_group_result {
    uint64_t epoch;
    uint32_t count;
    struct ft_content_hit *hits; /**< room for all, FT_HITS_MAX at most; by pattern, each once */
    uint32_t *nodes;             /**< in which node of the message; 0: not in a field */
};

/** Where the next value of an operand is. */
struct ft_value_cursor {
    uint32_t index;  /**< keywords: values given out */
    uint32_t node;   /**< fields: next node */
    uint32_t last;   /**< fields: behind the element they are of; 0 = none */
    bool is_chained; /**< by number, not by message */
};

/** An element that a loop is at: nodes between `first` and `last`. */
struct ft_element {
    uint32_t first, last;
};

/** The place of a pattern in its group, where it may be already; false when memory is short. */
bool ft_patterns_add(struct ft_patterns *p, const struct ft_test *t, uint32_t *group,
                     uint32_t *pattern);

/* ---- values ---- */

/** A number of up to 8 bytes. */
static inline uint64_t ft_value_number_at(const uint8_t *bytes, uint32_t length, bool is_little)
{
    uint64_t u = 0;
    for (uint32_t i = 0; i < length; i++)
        u = u << 8 | bytes[is_little ? length - 1 - i : i];
    return u;
}

/** The first node of a field from `n` on; 0: none. */
static inline uint32_t ft_field_next(const struct ft_call *call, uint32_t n, uint16_t field)
{
    while (n && (call->nodes[n].field != field || call->nodes[n].type == FT_NODE_END))
        n = call->nodes[n].next;
    return n;
}

struct ft_value_cursor ft_field_first(struct ft_program_run *run, const struct ft_subject *s,
                                      const struct ft_operand *o, const struct ft_element *element);

/** Before the first value of an operand, of fields only those in an element (NULL: in any). */
static inline struct ft_value_cursor ft_value_first(struct ft_program_run *run,
                                                    const struct ft_subject *s,
                                                    const struct ft_operand *o,
                                                    const struct ft_element *element)
{
    return o->keyword || o->is_tag ? (struct ft_value_cursor){0}
                                   : ft_field_first(run, s, o, element);
}

/** The next value, and a step of the run; false: no more. `is_code`: sub-addresses as numbers. */
bool ft_value_next(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_operand *o, bool is_code, struct ft_value_cursor *c,
                   struct ft_program_value *v);

/** False: the node has no value of the operand's type. */
bool ft_value_of_node(const struct ft_operand *o, const struct ft_node *n,
                      struct ft_program_value *v);

/** Is the subject of the tag's port or ethertype? */
bool ft_tag_is_of(const struct ft_tag *tag, const struct ft_subject *s);
bool ft_value_of_tag(const struct ft_tag *tag, const struct ft_subject *s,
                     struct ft_program_value *v);

/* ---- tests ---- */

/** A value that may be why a test holds. */
static inline void ft_program_note(struct ft_program_run *run, const struct ft_program_value *v)
{
    run->noted = *v;
    run->has_noted = true;
}

/** Does a test hold? If so, what it noted may become the evidence. `elements`: by binding. */
bool ft_test_holds(struct ft_program_run *run, const struct ft_subject *s,
                   const struct ft_instruction *i, const struct ft_element *elements);

/** The same of CONTAINS and MATCHES, before negation; where it was is noted. */
bool ft_test_pattern(struct ft_program_run *run, const struct ft_subject *s,
                     const struct ft_instruction *i, const struct ft_element *elements);

#endif
