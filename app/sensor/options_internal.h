/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files that read the command line and the configuration have in common. */
#ifndef OPTIONS_INTERNAL_H
#define OPTIONS_INTERNAL_H

#include "base/say.h"
#include "options.h"

#include <stddef.h>

/** Say what is wrong; false. */
#define wrong(...) ft_say("fieldtap", __VA_ARGS__)

/** Take what the options of the command line say; false: said what is wrong. */
bool options_take_line(struct options *o, int argc, char **argv);

/** One more of what may be given several times. `option` is for the message. */
bool options_append(const char *option, const char **list, uint32_t *count, const char *text);

/** An interface, or two of them with a comma between: `ports`. */
bool options_take_link(struct options *o, const char *option, const char *text, unsigned ports);

/** A port of DPDK. */
bool options_take_device(struct options *o, const char *option, const char *device);

/** Does it fit together and this machine? */
bool options_check(const struct options *o);

#endif
