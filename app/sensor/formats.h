/* SPDX-License-Identifier: BSD-3-Clause */
/* --list-formats. */
#ifndef FORMATS_H
#define FORMATS_H

/** Print what sinks can send: the tables of lib/forward, columns two blanks apart. The first column
 * says what a line is: key, title, message, source or filter. */
void list_formats(void);

#endif
