/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encodings that several protocols share: BER/DER, checksums, digests. Plain functions on views,
 * without state of their own; any thread.
 */
#ifndef FIELDTAP_WIRE_H
#define FIELDTAP_WIRE_H

#include <fieldtap/view.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One BER element (ITU-T X.690, 8.1). */
struct ft_ber {
    uint32_t tag;        /**< first identifier octet, and for high tag numbers the number << 8 */
    bool is_constructed; /**< bit 6 of the identifier octet */
    struct ft_view value;
};

/**
 * Read the next element: definite lengths of up to four octets, high tag numbers of up to three.
 * False at the end and when it is malformed (then the view's error sticks); a value that the view
 * ends within holds what is there of it. The last read of `v` is the value: the evidence of a put.
 */
bool ft_ber_next(struct ft_view *v, struct ft_ber *element);

/**
 * The content of an INTEGER, at most 8 octets and redundant leading ones; 0 when it is empty or
 * does not fit.
 */
int64_t ft_ber_int(struct ft_view value);
uint64_t ft_ber_uint(struct ft_view value);

/**
 * Dotted text of the content of an OBJECT IDENTIFIER (X.690, 8.19), with a NUL: returns its length.
 * 0 when it is empty, longer than `size`, has more than 128 sub-identifiers or one beyond 32 bits.
 */
uint32_t ft_oid_text(char *text, uint32_t size, struct ft_view oid);

/** CRC-16/DNP (IEEE 1815, reflected 0xA6BC, inverted) of n bytes at data. About 2 cycles a byte. */
uint16_t ft_crc16_dnp(const uint8_t *data, uint32_t n);

/** CRC-16/MODBUS (reflected 0xA001, initial 0xFFFF) of n bytes at data. About 2 cycles a byte. */
uint16_t ft_crc16_modbus(const uint8_t *data, uint32_t n);

/** Digests by which public lists name software and certificates; none of them protects anything. */
enum ft_digest_kind {
    FT_MD5 = 1, /**< RFC 1321: 16 bytes */
    FT_SHA1,    /**< FIPS 180-4: 20 bytes */
    FT_SHA256,  /**< FIPS 180-4: 32 bytes */
};

#define FT_DIGEST_MAX 32u /**< bytes of the longest digest */

/** A digest being computed: a plain value, opaque; nothing is to be freed. */
struct ft_digest {
    uint32_t kind; /**< enum ft_digest_kind */
    uint32_t reserved;
    uint64_t state[16];
};

/** Begin a digest. */
void ft_digest_begin(struct ft_digest *d, enum ft_digest_kind kind);

/** Add n bytes. About 4 (MD5, SHA-1) to 10 cycles a byte: for handshakes, not for every message. */
void ft_digest_add(struct ft_digest *d, const void *data, uint32_t n);

/** End it: the digest is written to `out`; returns its bytes. `d` may be begun again. */
uint32_t ft_digest_end(struct ft_digest *d, uint8_t out[FT_DIGEST_MAX]);

/** Lower-case hexadecimal text of n bytes, 2 n characters and a NUL. */
void ft_hex(char *text, const uint8_t *bytes, uint32_t n);

#ifdef __cplusplus
}
#endif
#endif
