/* SPDX-License-Identifier: BSD-3-Clause */
/* Which kinds of sinks there are. */
#include "output/kinds.h"

const struct ft_sink_kind *ft_sink_kind(uint32_t i)
{
    static const struct ft_sink_kind *const kinds[] = {
        &ft_sink_file,   &ft_sink_unix_stream, &ft_sink_unix_datagram,
        &ft_sink_syslog, &ft_sink_webhook,
    };
    return i < sizeof(kinds) / sizeof(kinds[0]) ? kinds[i] : NULL;
}
