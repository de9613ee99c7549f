/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of sinks, a file each. */
#ifndef FT_SINK_KINDS_H
#define FT_SINK_KINDS_H

#include "output/sink.h"

extern const struct ft_sink_kind ft_sink_file;
extern const struct ft_sink_kind ft_sink_unix_stream;
extern const struct ft_sink_kind ft_sink_unix_datagram;
extern const struct ft_sink_kind ft_sink_syslog;
extern const struct ft_sink_kind ft_sink_webhook;

#endif
