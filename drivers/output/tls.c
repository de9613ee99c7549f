/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS 1.2 and 1.3 towards a receiver (RFC 5425 for syslog), by OpenSSL. The certificate of the
 * receiver must be signed by an authority of `ca_file` and have the name or address that was
 * connected to.
 */
#include "output/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ft_tls {
    SSL_CTX *context;
    SSL *ssl;
    bool is_broken;
};

bool ft_tls_is_built(void)
{
    return true;
}

/* What OpenSSL says first is the cause. */
static const char *reason(void)
{
    unsigned long error = ERR_get_error();
    const char *text = error ? ERR_reason_error_string(error) : NULL;
    ERR_clear_error();
    return text ? text : errno ? strerror(errno) : "the connection was closed";
}

/* Of a key that is encrypted: a service has nobody to ask, and OpenSSL would ask the terminal. */
static int refuse_password(char *to, int size, int is_writing, void *user)
{
    (void)to;
    (void)size;
    (void)is_writing;
    (void)user;
    return -1;
}

static bool load_certificates(struct ft_sink *sink, SSL_CTX *context,
                              const struct ft_tls_settings *settings)
{
    char ca[1200], own[1200], key[1200];
    if (settings->ca_file && (!ft_sink_path(sink, settings->ca_file, ca, sizeof(ca)) ||
                              SSL_CTX_load_verify_locations(context, ca, NULL) != 1))
        return ft_sink_fail(sink, "%s: no certificates of authorities in it: %s", settings->ca_file,
                            reason());
    if (!settings->ca_file && SSL_CTX_set_default_verify_paths(context) != 1)
        return ft_sink_fail(sink, "the system has no authorities: %s", reason());
    if (!settings->certificate)
        return true;
    const char *key_file = settings->key ? settings->key : settings->certificate;
    if (!ft_sink_path(sink, settings->certificate, own, sizeof(own)) ||
        SSL_CTX_use_certificate_chain_file(context, own) != 1)
        return ft_sink_fail(sink, "%s: no certificate in it: %s", settings->certificate, reason());
    if (!ft_sink_path(sink, key_file, key, sizeof(key)) ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return ft_sink_fail(sink, "%s: no key of %s in it: %s", key_file, settings->certificate,
                            reason());
    return true;
}

/* Whom the certificate must name. No certificate has the interface of fe80::1%eth0. */
static bool expect_name(SSL *ssl, const char *name)
{
    unsigned char bytes[16];
    char address[INET6_ADDRSTRLEN] = "";
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(name, "%"), name);
    if (inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, address) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, name) == 1 &&
           X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

/* Wait for what OpenSSL needs. 1 = go on, 0 = the time is over, -1 = broken. */
static int wait_for(struct ft_sink *sink, const struct ft_tls *tls, int result, uint32_t timeout_ms)
{
    int why = SSL_get_error(tls->ssl, result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return -1;
    short events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return ft_sink_wait(sink, SSL_get_fd(tls->ssl), events, timeout_ms) == 1;
}

static bool shake_hands(struct ft_sink *sink, struct ft_tls *tls, const char *host,
                        uint32_t timeout_ms)
{
    int n, wait = 1;
    errno = 0;
    while (wait > 0 && (n = SSL_connect(tls->ssl)) != 1)
        wait = wait_for(sink, tls, n, timeout_ms);
    if (wait > 0)
        return true;
    long wrong = SSL_get_verify_result(tls->ssl);
    tls->is_broken = true;
    if (!wait)
        return ft_sink_fail(sink, "%s: no TLS within %u ms", host, timeout_ms);
    if (wrong != X509_V_OK)
        return ft_sink_fail(sink, "%s: its certificate is refused: %s", host,
                            X509_verify_cert_error_string(wrong));
    return ft_sink_fail(sink, "%s: no TLS: %s", host, reason());
}

static bool prepare(struct ft_sink *sink, struct ft_tls *tls, int fd, const char *host,
                    const struct ft_tls_settings *settings)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        return ft_sink_fail(sink, "no TLS: %s", reason());
    SSL_CTX_set_default_passwd_cb(tls->context, refuse_password);
    if (!load_certificates(sink, tls->context, settings))
        return false;
    SSL_CTX_set_verify(tls->context, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1 ||
        !expect_name(tls->ssl, settings->server_name ? settings->server_name : host))
        return ft_sink_fail(sink, "no TLS: %s", reason());
    return true;
}

struct ft_tls *ft_tls_open(struct ft_sink *sink, int fd, const char *host,
                           const struct ft_tls_settings *settings, uint32_t timeout_ms)
{
    struct ft_tls *tls = calloc(1, sizeof(*tls));
    ERR_clear_error();
    if (tls && prepare(sink, tls, fd, host, settings) && shake_hands(sink, tls, host, timeout_ms))
        return tls;
    if (!tls)
        ft_sink_fail(sink, "out of memory");
    else
        ft_tls_close(tls);
    return NULL;
}

bool ft_tls_write(struct ft_sink *sink, struct ft_tls *tls, const void *bytes, uint32_t length,
                  uint32_t timeout_ms)
{
    const char *from = bytes;
    for (uint32_t done = 0; done < length;) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_write(tls->ssl, from + done, (int)(length - done));
        if (n > 0) {
            done += (uint32_t)n;
            continue;
        }
        int wait = wait_for(sink, tls, n, timeout_ms);
        tls->is_broken = wait < 0;
        if (!wait)
            return ft_sink_fail(sink, "the receiver takes nothing since %u ms", timeout_ms);
        if (wait < 0)
            return ft_sink_fail(sink, "the receiver broke the connection: %s", reason());
    }
    return true;
}

bool ft_tls_look(struct ft_sink *sink, struct ft_tls *tls)
{
    char ignored[4096];
    int n = 1;
    ERR_clear_error();
    errno = 0;
    for (unsigned i = 0; n > 0 && i < FT_CONNECTION_READS; i++)
        n = SSL_read(tls->ssl, ignored, sizeof(ignored));
    if (n > 0)
        return true;
    int why = SSL_get_error(tls->ssl, n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return true;
    tls->is_broken = why != SSL_ERROR_ZERO_RETURN;
    return ft_sink_fail(sink, "the receiver closed the connection: %s", reason());
}

uint64_t ft_tls_written(const struct ft_tls *tls)
{
    return BIO_number_written(SSL_get_wbio(tls->ssl));
}

void ft_tls_close(struct ft_tls *tls)
{
    if (tls->ssl && !tls->is_broken)
        SSL_shutdown(tls->ssl);
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    ERR_clear_error();
    free(tls);
}
