/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of certificates and keys: what is in them, as far as who checks may read them. */
#include "output/check.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Those of all authorities of the world are a quarter of a MiB. */
#define FILE_MAX (16 << 20)

/* Nobody is asked for a password; that one was wanted is noted. */
static int refuse_password(char *to, int size, int is_writing, void *is_wanted)
{
    (void)to;
    (void)size;
    (void)is_writing;
    *(bool *)is_wanted = true;
    return -1;
}

/* NULL: who connects has to judge it, such as what may not be read and what is no plain file. */
static BIO *open_file(const struct ft_sink *sink, const char *name, char *path, size_t size)
{
    struct stat st;
    if ((*name != '/' && !sink->options->folder) || !ft_sink_path(sink, name, path, size) ||
        stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        return NULL;
    return BIO_new_file(path, "r");
}

/* As authorities are loaded: all or, when one is damaged, none. */
static void check_authorities(struct ft_sink_reading *r, const struct ft_sink *sink,
                              const char *name)
{
    char path[1200];
    bool is_wanted = false;
    BIO *file = open_file(sink, name, path, sizeof(path));
    STACK_OF(X509_INFO) *all =
        file ? PEM_X509_INFO_read_bio(file, NULL, refuse_password, &is_wanted) : NULL;
    int certificates = 0;
    for (int i = 0; i < sk_X509_INFO_num(all); i++)
        certificates += sk_X509_INFO_value(all, i)->x509 != NULL;
    if (file && !all)
        ft_sink_wrong(r, "ca_file", "%s: a certificate in it is damaged", path);
    else if (file && !certificates)
        ft_sink_wrong(r, "ca_file",
                      "%s: no certificate in it; expected PEM (-----BEGIN CERTIFICATE-----)", path);
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(file);
}

/* NULL: there is none, or who connects has to judge it. */
static X509 *read_certificate(struct ft_sink_reading *r, const struct ft_sink *sink,
                              const char *name)
{
    char path[1200];
    bool is_wanted = false;
    BIO *file = open_file(sink, name, path, sizeof(path));
    X509 *certificate =
        file ? PEM_read_bio_X509_AUX(file, NULL, refuse_password, &is_wanted) : NULL;
    if (file && !certificate)
        ft_sink_wrong(r, "certificate",
                      "%s: no certificate in it; expected PEM (-----BEGIN CERTIFICATE-----)", path);
    BIO_free(file);
    return certificate;
}

static void wrong_key(struct ft_sink_reading *r, const struct ft_tls_settings *files,
                      const char *path, bool is_encrypted)
{
    if (is_encrypted)
        ft_sink_wrong(r, files->key ? "key" : "certificate",
                      "%s: the private key is encrypted, and nobody can be asked for its password; "
                      "expected one that is not, in a file that only the sensor may read",
                      path);
    else if (files->key)
        ft_sink_wrong(r, "key",
                      "%s: no private key in it; expected PEM (-----BEGIN PRIVATE KEY-----)", path);
    else
        ft_sink_wrong(r, "certificate",
                      "%s: no private key in it; when it is in another file, \"key\" names that",
                      path);
}

static EVP_PKEY *read_key(struct ft_sink_reading *r, const struct ft_sink *sink,
                          const struct ft_tls_settings *files)
{
    char path[1200];
    bool is_encrypted = false;
    BIO *file = open_file(sink, files->key ? files->key : files->certificate, path, sizeof(path));
    EVP_PKEY *key =
        file ? PEM_read_bio_PrivateKey(file, NULL, refuse_password, &is_encrypted) : NULL;
    if (file && !key)
        wrong_key(r, files, path, is_encrypted);
    BIO_free(file);
    return key;
}

void ft_sink_check_certificates(struct ft_sink_reading *r, const struct ft_sink *sink,
                                const struct ft_tls_settings *files)
{
    if (files->ca_file)
        check_authorities(r, sink, files->ca_file);
    X509 *certificate = files->certificate ? read_certificate(r, sink, files->certificate) : NULL;
    EVP_PKEY *key = files->certificate ? read_key(r, sink, files) : NULL;
    if (certificate && key && X509_check_private_key(certificate, key) != 1)
        ft_sink_wrong(r, files->key ? "key" : "certificate",
                      "certificate and private key do not belong together");
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
}
