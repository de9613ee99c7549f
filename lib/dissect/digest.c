/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MD5, SHA-1 and SHA-256. Contract: <fieldtap/wire.h>.
 *
 * Done by libcrypto's plain functions on contexts of the caller's, not by its EVP interface: a call
 * of a dissector may be abandoned at any instruction, so nothing in it may hold a lock or be in the
 * middle of an allocation, which EVP does. libcrypto 3 keeps them, but calls them deprecated.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fieldtap/wire.h>

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <string.h>

union context {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

_Static_assert(sizeof(union context) <= sizeof(((struct ft_digest *)0)->state), "digest state");

static union context *context_of(struct ft_digest *d)
{
    return (union context *)(void *)d->state;
}

void ft_digest_begin(struct ft_digest *d, enum ft_digest_kind kind)
{
    d->kind = kind;
    d->reserved = 0;
    if (kind == FT_MD5)
        MD5_Init(&context_of(d)->md5);
    else if (kind == FT_SHA1)
        SHA1_Init(&context_of(d)->sha1);
    else
        SHA256_Init(&context_of(d)->sha256);
}

void ft_digest_add(struct ft_digest *d, const void *data, uint32_t n)
{
    if (d->kind == FT_MD5)
        MD5_Update(&context_of(d)->md5, data, n);
    else if (d->kind == FT_SHA1)
        SHA1_Update(&context_of(d)->sha1, data, n);
    else
        SHA256_Update(&context_of(d)->sha256, data, n);
}

uint32_t ft_digest_end(struct ft_digest *d, uint8_t out[FT_DIGEST_MAX])
{
    if (d->kind == FT_MD5) {
        MD5_Final(out, &context_of(d)->md5);
        return MD5_DIGEST_LENGTH;
    }
    if (d->kind == FT_SHA1) {
        SHA1_Final(out, &context_of(d)->sha1);
        return SHA_DIGEST_LENGTH;
    }
    SHA256_Final(out, &context_of(d)->sha256);
    return SHA256_DIGEST_LENGTH;
}

void ft_hex(char *text, const uint8_t *bytes, uint32_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (uint32_t i = 0; i < n; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = 0;
}
