/* SPDX-License-Identifier: BSD-3-Clause */
/* What kinds check of their settings so that none is taken that can never work. */
#ifndef FT_SINKS_CHECK_H
#define FT_SINKS_CHECK_H

#include "output/connection.h"

/**
 * May it be the name or the address of a host, for getaddrinfo()? False and what is wrong, one
 * sentence. Nobody is asked whether there is such a host.
 */
bool ft_sink_check_host(const char *host, char *why, size_t size);

/**
 * Of files that can be read now: do they hold what they are for, and do certificate and key belong
 * together? Errors by ft_sink_wrong(). Who makes the check may be another than who connects, so
 * what it may not read is left to that one.
 */
void ft_sink_check_certificates(struct ft_sink_reading *reading, const struct ft_sink *sink,
                                const struct ft_tls_settings *files);

#endif
