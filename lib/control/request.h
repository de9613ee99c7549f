/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request of the control socket: one JSON object on a line, checked against the table of
 * commands. {"command": "flows", "top": 5, "id": 1}; `id` is the asker's and comes back in the
 * answer. What is read here is what anybody who may connect can send: nothing in it is believed.
 */
#ifndef FT_CONTROL_REQUEST_H
#define FT_CONTROL_REQUEST_H

#include "control/command.h"

#include <jansson.h>
#include <stddef.h>

struct ft_control_request {
    enum ft_control_id command;
    const struct ft_control_command *of; /**< its row */
    json_t *object;                      /**< all of it; owned */
    const json_t *id;                    /**< NULL: none; inside object */
};

/**
 * Read a line of `length` bytes, without its newline. False and one sentence when it is no request:
 * then r->id is still there if it could be read, and r has to be freed all the same.
 */
bool ft_control_read(const char *line, size_t length, struct ft_control_request *r, char *error,
                     size_t error_size);
void ft_control_request_free(struct ft_control_request *r);

/** May an argument have this value? False and one sentence when it may not. */
bool ft_control_check(const struct ft_control_argument *a, const json_t *value, char *error,
                      size_t size);

/** An argument, which was checked; `otherwise` when it is not there. */
uint64_t ft_control_number(const struct ft_control_request *r, const char *name,
                           uint64_t otherwise);
const char *ft_control_text(const struct ft_control_request *r, const char *name,
                            const char *otherwise);

/** Would it change the sensor? */
bool ft_control_is_change(const struct ft_control_request *r);

#endif
