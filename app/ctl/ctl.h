/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of fieldtapctl share. */
#ifndef CTL_H
#define CTL_H

#include "control/command.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1, /**< the sensor answered that it cannot */
    CTL_USAGE = 2,
    CTL_UNREACHABLE = 3,
};

/** Print the answer to a command for people. */
void show(enum ft_control_id command, const json_t *result, FILE *to);

/** The live screen: what happened between two answers to "stats"; `before` NULL: the first. */
void show_live(const json_t *before, const json_t *now, FILE *to);

void print_help(FILE *to);

#endif
