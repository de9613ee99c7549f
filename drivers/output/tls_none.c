/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without OpenSSL's TLS. */
#include "output/connection.h"

bool ft_tls_is_built(void)
{
    return false;
}

struct ft_tls *ft_tls_open(struct ft_sink *sink, int fd, const char *host,
                           const struct ft_tls_settings *settings, uint32_t timeout_ms)
{
    (void)fd;
    (void)host;
    (void)settings;
    (void)timeout_ms;
    ft_sink_fail(sink, "this fieldtap was built without TLS");
    return NULL;
}

bool ft_tls_write(struct ft_sink *sink, struct ft_tls *tls, const void *bytes, uint32_t length,
                  uint32_t timeout_ms)
{
    (void)sink;
    (void)tls;
    (void)bytes;
    (void)length;
    (void)timeout_ms;
    return false;
}

bool ft_tls_look(struct ft_sink *sink, struct ft_tls *tls)
{
    (void)sink;
    (void)tls;
    return false;
}

uint64_t ft_tls_written(const struct ft_tls *tls)
{
    (void)tls;
    return 0;
}

void ft_tls_close(struct ft_tls *tls)
{
    (void)tls;
}
