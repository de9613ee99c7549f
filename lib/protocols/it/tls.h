/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS: what the parts of its dissector share. tls.c cuts records and handshake messages,
 * tls_hello.c reads hellos, tls_fingerprint.c makes JA3 and JA4 of them, tls_certificate.c tells of
 * certificates.
 */
#ifndef FT_TLS_H
#define FT_TLS_H

#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

enum {
    TLS_SSL_2 = 0x0002,
    TLS_SSL_3 = 0x0300,
    TLS_1_0 = 0x0301,
    TLS_1_1 = 0x0302,
    TLS_1_2 = 0x0303,
    TLS_1_3 = 0x0304,
    DTLS_1_0 = 0xfeff,
    DTLS_1_2 = 0xfefd,
    DTLS_1_3 = 0xfefc,
};

/** Fields. Where EVE's tls object has a key for it, its name and type are EVE's. */
enum tls_field {
    TLS_ROOT,
    TLS_CONTENT_TYPE,
    TLS_RECORD_VERSION,
    TLS_EPOCH,
    TLS_HANDSHAKE_TYPE,
    TLS_VERSION,
    TLS_OFFERED_VERSION,
    TLS_SNI,
    TLS_CLIENT_ALPNS,
    TLS_SERVER_ALPNS,
    TLS_RESUMED,
    TLS_SESSION_ID,
    TLS_CIPHER,
    TLS_COMPRESSION,
    TLS_RETRY,
    TLS_ECH,
    TLS_JA3,
    TLS_JA3_HASH,
    TLS_JA3_STRING,
    TLS_JA3S,
    TLS_JA3S_HASH,
    TLS_JA3S_STRING,
    TLS_JA4,
    TLS_JA4_RAW,
    TLS_CLIENT_HANDSHAKE,
    TLS_CLIENT_CIPHERS,
    TLS_CLIENT_EXTENSIONS,
    TLS_CLIENT_SIGNATURES,
    TLS_CLIENT_GROUPS,
    TLS_CLIENT_VERSIONS,
    TLS_SERVER_HANDSHAKE,
    TLS_SERVER_CIPHER,
    TLS_SERVER_EXTENSIONS,
    /* The certificate of the server, in the root; then that of the client, in a group. */
    TLS_SERVER_CERTIFICATE,
    TLS_CERTIFICATE_FIELDS = 14,
    TLS_CLIENT_GROUP = TLS_SERVER_CERTIFICATE + TLS_CERTIFICATE_FIELDS,
    TLS_CLIENT_CERTIFICATE,
    TLS_ALERT_LEVEL = TLS_CLIENT_CERTIFICATE + TLS_CERTIFICATE_FIELDS,
    TLS_ALERT_DESCRIPTION,
    TLS_HEARTBEAT_TYPE,
    TLS_HEARTBEAT_LENGTH,
    TLS_FIELDS,
};

/** Fields of a certificate, from TLS_SERVER_CERTIFICATE or TLS_CLIENT_CERTIFICATE on. */
enum tls_certificate_field {
    TLS_C_SUBJECT,
    TLS_C_ISSUER,
    TLS_C_SERIAL,
    TLS_C_FINGERPRINT,
    TLS_C_SHA256,
    TLS_C_NOT_BEFORE,
    TLS_C_NOT_AFTER,
    TLS_C_ALTERNATIVE,
    TLS_C_SELF_SIGNED,
    TLS_C_KEY,
    TLS_C_KEY_BITS,
    TLS_C_SIGNATURE,
    TLS_C_KEY_USAGE,
    TLS_C_CHAIN,
};

enum tls_violation {
    TLS_V_RECORD_LENGTH,
    TLS_V_HANDSHAKE_LENGTH,
    TLS_V_SNI,
    TLS_V_CCS_ORDER,
    TLS_V_HEARTBLEED,
    TLS_V_HEARTBLEED_LEAK,
    TLS_V_DOWNGRADE,
    TLS_V_VERSION_NOT_OFFERED,
    TLS_V_OLD_VERSION,
    TLS_V_WEAK_CIPHER,
    TLS_V_COMPRESSION,
    TLS_V_CERTIFICATE,
    TLS_V_EXPIRED,
    TLS_V_NOT_YET_VALID,
    TLS_V_SELF_SIGNED,
    TLS_V_WEAK_KEY,
    TLS_V_WEAK_SIGNATURE,
    TLS_VIOLATIONS,
};

/** A hello of either side, taken apart; all views are into the message. */
struct tls_hello {
    uint16_t version; /**< the one in the old place */
    uint16_t offered; /**< client: the highest offered; server: the one chosen */
    uint16_t cipher;  /**< server: the one chosen */
    uint8_t compression;
    bool is_client, is_dtls, is_datagram;
    bool has_extensions, has_sni, has_alpn, has_versions, has_groups, has_formats, has_signatures;
    bool has_ech, is_sni_broken;
    bool has_psk; /**< server: it goes on with a session of before */
    struct ft_view random, session_id, ciphers, extensions;
    struct ft_view sni;        /**< the name */
    struct ft_view alpn;       /**< list of {length1, name} */
    struct ft_view versions;   /**< client: list of versions */
    struct ft_view groups;     /**< list of groups */
    struct ft_view formats;    /**< list of point formats */
    struct ft_view signatures; /**< list of signature algorithms */
};

/** TLS 1.3 and the drafts of it that were in use. */
static inline bool ft_tls_is_13(uint16_t version)
{
    return version == TLS_1_3 || version >> 8 == 0x7f || version == DTLS_1_3;
}

/** Is the value one that senders put in to keep others tolerant (RFC 8701)? */
static inline bool ft_tls_is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/** Is version `a` newer than `b`? DTLS counts down. */
static inline bool ft_tls_is_newer(uint16_t a, uint16_t b)
{
    bool is_dtls = a >> 8 == 0xfe;

    return b == 0 || (is_dtls ? a < b : a > b);
}

/** Take a ClientHello or ServerHello apart; false when it ends early. */
bool ft_tls_read_hello(struct ft_view *body, struct tls_hello *hello);

#define TLS_JA3_TEXT_MAX 2048u
#define TLS_JA4_LENGTH   36u
#define TLS_JA4_RAW_MAX  8192u

/** Text of JA3 or JA3S and its MD5. `text` may be NULL; *length is 0 when it does not fit. */
void ft_tls_ja3(const struct tls_hello *hello, uint8_t hash[16], char *text, uint32_t *length);

/**
 * JA4 of a ClientHello: TLS_JA4_LENGTH characters; `raw` (may be NULL) gets the lists that it is
 * made of, *raw_length is 0 when they do not fit. False for a hello with more than 512 ciphers,
 * extensions or signature algorithms.
 */
bool ft_tls_ja4(const struct tls_hello *hello, char ja4[TLS_JA4_LENGTH + 1], char *raw,
                uint32_t *raw_length);

/**
 * Read a Certificate message (TLS 1.2 and older), or the one certificate of SSL 2. `field` is the
 * first of the 14 fields: TLS_SERVER_CERTIFICATE or TLS_CLIENT_CERTIFICATE. Of a server's
 * certificate facts are told.
 */
void ft_tls_certificates(struct ft_context *ctx, struct ft_view *body, uint32_t field);
void ft_tls_one_certificate(struct ft_context *ctx, struct ft_view der, uint32_t field,
                            const struct ft_view *at);

/** By the IANA registry, ended by a NULL name. */
extern const struct ft_name ft_tls_ciphers[];

/** No encryption, broken encryption or no authentication. */
bool ft_tls_is_weak_cipher(uint16_t cipher);

#endif
