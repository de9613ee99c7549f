/* SPDX-License-Identifier: BSD-3-Clause */
/* --list-protocols and --describe. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "dissect/registry.h"

/** Print a line for each protocol: name, title, what carries it. */
void list_protocols(const struct ft_registry *r);

/** Print everything static about a protocol. */
void describe_protocol(const struct ft_protocol *p);

/** Print what a field or a keyword of rules is, and the names of its values. False and a sentence
 * when there is no such word. */
bool describe_word(const struct ft_registry *r, const char *word, char *error, size_t size);

#endif
