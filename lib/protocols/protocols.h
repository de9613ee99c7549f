/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of the dissectors that are built in. */
#ifndef FT_PROTOCOLS_H
#define FT_PROTOCOLS_H

#include <fieldtap/dissector.h>

/** All built-in dissectors in the order of their names, ended by NULL. */
extern const struct ft_dissector *const ft_protocols[];

#endif
