/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * X.509 certificates as far as a sensor looks at them: who it is, until when, how strong. Nothing
 * is verified: a passive sensor does not know whom the plant trusts.
 */
#ifndef FT_X509_H
#define FT_X509_H

#include <fieldtap/wire.h>

enum ft_x509_key {
    FT_X509_KEY_UNKNOWN = 0,
    FT_X509_KEY_RSA,
    FT_X509_KEY_DSA,
    FT_X509_KEY_EC,
    FT_X509_KEY_ED25519,
    FT_X509_KEY_ED448,
    FT_X509_KEY_ML_DSA,
};

/** Bits of an attribute type that names are asked for: the last arc under 2.5.4. */
enum ft_x509_attribute {
    FT_X509_COMMON_NAME = 3,
    FT_X509_SERIAL_NUMBER = 5,
    FT_X509_ORGANIZATION = 10,
};

/** A certificate; all views are into what was read. */
struct ft_x509 {
    struct ft_view serial;          /**< content of the INTEGER */
    struct ft_view signature;       /**< OID of the algorithm that it is signed with */
    struct ft_view issuer, subject; /**< content of the names */
    struct ft_view alternative;     /**< content of subjectAltName, empty without */
    int64_t not_before, not_after;  /**< seconds since 1970 UTC */
    uint32_t key_bits;              /**< 0 = not known */
    uint16_t key_usage;             /**< bit i = bit i of keyUsage (RFC 5280, 4.2.1.3) */
    uint8_t key;                    /**< enum ft_x509_key */
    bool has_validity, is_ca;
    bool is_self_issued; /**< issuer and subject are the same name */
};

/** Bytes of text that names and times take at most. */
#define FT_X509_NAME_MAX 512u
#define FT_X509_TIME_MAX 24u

/** Read a certificate in DER (RFC 5280, 4.1). False when it is none. About a thousand cycles. */
bool ft_x509_read(struct ft_view der, struct ft_x509 *certificate);

/** "C=DE, O=Example, CN=plc1": the name's attributes in their order. Returns the length. */
uint32_t ft_x509_name_text(struct ft_view name, char text[FT_X509_NAME_MAX]);

/** The value of the first attribute of that type, as text; the length, 0 = has none. */
uint32_t ft_x509_name_part(struct ft_view name, enum ft_x509_attribute attribute,
                           char text[FT_X509_NAME_MAX]);

/** "2026-11-22T02:30:00". Returns the length. */
uint32_t ft_x509_time_text(int64_t seconds, char text[FT_X509_TIME_MAX]);

/** The signature algorithm's name, NULL = not known. */
const char *ft_x509_signature_name(const struct ft_x509 *certificate);

/** Can the signature be forged (MD2, MD4, MD5, SHA-1), or the key be broken by known means? */
bool ft_x509_has_weak_signature(const struct ft_x509 *certificate);
bool ft_x509_has_weak_key(const struct ft_x509 *certificate);

#endif
