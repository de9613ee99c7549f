/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to a receiver: UDP, TCP, or TLS over TCP. Of one sink, in its thread. */
#ifndef FT_CONNECTION_H
#define FT_CONNECTION_H

#include "output/sink.h"

enum ft_transport {
    FT_TRANSPORT_UDP = 0,
    FT_TRANSPORT_TCP,
    FT_TRANSPORT_TLS,
};

/** How to know the receiver, and to be known by it. */
struct ft_tls_settings {
    const char *ca_file;     /**< certificates of authorities, PEM; NULL: those of the system */
    const char *server_name; /**< that the certificate must have; NULL: the host */
    const char *certificate; /**< of the sensor, PEM, chain behind it; NULL: none */
    const char *key;         /**< of it; NULL: in the same file */
    bool verify;             /**< false: whoever answers is believed */
};

struct ft_tls;

/** Reads at a time of what a receiver says. */
#define FT_CONNECTION_READS 16u

/** Zeroed but for fd -1: closed. */
struct ft_connection {
    enum ft_transport transport;
    const char *host;
    uint32_t port, timeout_ms;
    struct ft_tls_settings tls;
    int fd;
    struct ft_tls *session;
    uint64_t written;
    uint64_t taken, taken_ms; /**< what the peer had taken when it last took anything, and when */
    bool has_all;             /**< nothing waited for it when it was last looked at */
};

/** "udp", "tcp", "tls"; NULL behind the last. */
const char *ft_transport_name(uint32_t i);

/** All addresses of the host are tried in turn. False and sink->error; then close it, too. */
bool ft_connection_open(struct ft_sink *sink, struct ft_connection *connection);

/** Write all of it; of UDP it is one datagram. False and sink->error. */
bool ft_connection_write(struct ft_sink *sink, struct ft_connection *connection, const void *bytes,
                         uint32_t length);

/**
 * As check() of a kind. What the receiver says is read, some of it at a time, and ignored. A peer
 * that takes nothing of what was written for `timeout_ms` is gone, too.
 */
bool ft_connection_check(struct ft_sink *sink, struct ft_connection *connection, uint64_t *written,
                         uint64_t *taken);

void ft_connection_close(struct ft_connection *connection);

/* ---- TLS: tls.c, or tls_none.c in a build without OpenSSL ---- */

bool ft_tls_is_built(void);
/** Shake hands on a connected socket that does not block. NULL and sink->error. */
struct ft_tls *ft_tls_open(struct ft_sink *sink, int fd, const char *host,
                           const struct ft_tls_settings *settings, uint32_t timeout_ms);
bool ft_tls_write(struct ft_sink *sink, struct ft_tls *tls, const void *bytes, uint32_t length,
                  uint32_t timeout_ms);
/** Read what is there and drop it; false and sink->error when the peer is gone. */
bool ft_tls_look(struct ft_sink *sink, struct ft_tls *tls);
/** Bytes given to the socket, those of TLS included. */
uint64_t ft_tls_written(const struct ft_tls *tls);
void ft_tls_close(struct ft_tls *tls);

#endif
