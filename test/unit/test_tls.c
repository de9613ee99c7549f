/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLS dissector, tls.c, with handshakes made by hand and certificates made by openssl: hellos
 * (tls_hello.c), what cipher suites are called and worth (tls_ciphers.c), JA3 and JA4
 * (tls_fingerprint.c).
 */
#include "put_bytes.h"

extern const struct ft_dissector ft_dissector_tls;

#define SECOND  1000000000ull
#define IN_2020 (1577836800 * SECOND)
#define IN_2027 (1798761600 * SECOND)
#define IN_2028 (1830297600 * SECOND)

/* clang-format off */
/* Self-signed, P-256: C=DE, O=Siemens AG, CN=plc-1, serialNumber=S C-X4U421302009; until 2036. */
static const uint8_t self_signed[] = {
    0x30, 0x82, 0x02, 0x13, 0x30, 0x82, 0x01, 0xb9, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02,
    0x03, 0x0a, 0x1b, 0x2c, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04,
    0x03, 0x02, 0x30, 0x4d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13,
    0x02, 0x44, 0x45, 0x31, 0x13, 0x30, 0x11, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0a,
    0x53, 0x69, 0x65, 0x6d, 0x65, 0x6e, 0x73, 0x20, 0x41, 0x47, 0x31, 0x0e, 0x30, 0x0c,
    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x05, 0x70, 0x6c, 0x63, 0x2d, 0x31, 0x31, 0x19,
    0x30, 0x17, 0x06, 0x03, 0x55, 0x04, 0x05, 0x13, 0x10, 0x53, 0x20, 0x43, 0x2d, 0x58,
    0x34, 0x55, 0x34, 0x32, 0x31, 0x33, 0x30, 0x32, 0x30, 0x30, 0x39, 0x30, 0x1e, 0x17,
    0x0d, 0x32, 0x36, 0x31, 0x31, 0x32, 0x32, 0x30, 0x32, 0x35, 0x39, 0x31, 0x37, 0x5a,
    0x17, 0x0d, 0x33, 0x36, 0x31, 0x31, 0x31, 0x39, 0x30, 0x32, 0x35, 0x39, 0x31, 0x37,
    0x5a, 0x30, 0x4d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02,
    0x44, 0x45, 0x31, 0x13, 0x30, 0x11, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x0a, 0x53,
    0x69, 0x65, 0x6d, 0x65, 0x6e, 0x73, 0x20, 0x41, 0x47, 0x31, 0x0e, 0x30, 0x0c, 0x06,
    0x03, 0x55, 0x04, 0x03, 0x0c, 0x05, 0x70, 0x6c, 0x63, 0x2d, 0x31, 0x31, 0x19, 0x30,
    0x17, 0x06, 0x03, 0x55, 0x04, 0x05, 0x13, 0x10, 0x53, 0x20, 0x43, 0x2d, 0x58, 0x34,
    0x55, 0x34, 0x32, 0x31, 0x33, 0x30, 0x32, 0x30, 0x30, 0x39, 0x30, 0x59, 0x30, 0x13,
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x5a, 0x66, 0xf5, 0x14, 0x9c,
    0x6f, 0xdc, 0xa9, 0xe4, 0x25, 0x69, 0x3e, 0x00, 0x01, 0x83, 0xf9, 0x76, 0x52, 0xcb,
    0xf6, 0x4c, 0x15, 0xc3, 0x66, 0xa0, 0x77, 0x5d, 0x53, 0xe8, 0x8f, 0x53, 0xb9, 0x9e,
    0x9b, 0x76, 0x73, 0xc2, 0x39, 0x73, 0xf6, 0xa6, 0xc4, 0xa3, 0x7a, 0x66, 0x6b, 0x87,
    0xff, 0x20, 0xd9, 0xcd, 0x52, 0x6a, 0xff, 0xbc, 0x2e, 0x28, 0x3e, 0xba, 0x31, 0x58,
    0xb2, 0x76, 0x98, 0xa3, 0x81, 0x87, 0x30, 0x81, 0x84, 0x30, 0x1d, 0x06, 0x03, 0x55,
    0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0x7b, 0x16, 0xcb, 0xec, 0x56, 0x30, 0x11, 0xe9,
    0x61, 0xdc, 0x8d, 0x72, 0x58, 0x2f, 0x4e, 0xa1, 0xd1, 0x34, 0xe4, 0x37, 0x30, 0x1f,
    0x06, 0x03, 0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14, 0x7b, 0x16, 0xcb,
    0xec, 0x56, 0x30, 0x11, 0xe9, 0x61, 0xdc, 0x8d, 0x72, 0x58, 0x2f, 0x4e, 0xa1, 0xd1,
    0x34, 0xe4, 0x37, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04,
    0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x30, 0x24, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04,
    0x1d, 0x30, 0x1b, 0x82, 0x13, 0x70, 0x6c, 0x63, 0x2d, 0x31, 0x2e, 0x70, 0x6c, 0x61,
    0x6e, 0x74, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x87, 0x04, 0x0a, 0x00,
    0x00, 0x07, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x04, 0x04, 0x03, 0x02, 0x03,
    0x88, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03,
    0x48, 0x00, 0x30, 0x45, 0x02, 0x21, 0x00, 0x86, 0x91, 0x24, 0xbc, 0x3a, 0xd4, 0x87,
    0xdc, 0x51, 0x92, 0x99, 0x87, 0x03, 0x30, 0x72, 0x72, 0x2a, 0x4b, 0x7a, 0x56, 0x81,
    0x8f, 0x7f, 0x80, 0x39, 0x35, 0x3f, 0x37, 0x7b, 0x92, 0x33, 0x74, 0x02, 0x20, 0x06,
    0xa8, 0x3b, 0xa7, 0x8a, 0x41, 0x5e, 0x30, 0x64, 0xaa, 0xd9, 0x33, 0x82, 0x77, 0x2f,
    0x45, 0xb4, 0x96, 0x08, 0x0e, 0xde, 0xe5, 0xa1, 0x6d, 0x4c, 0xbc, 0x20, 0xb1, 0xfe,
    0x5d, 0xec, 0x92,
};

/* Signed by "Plant CA" with SHA-1, RSA of 1024 bits: O=Kiln GmbH, CN=hmi; until 2027-11-22. */
static const uint8_t weak[] = {
    0x30, 0x82, 0x01, 0xa5, 0x30, 0x82, 0x01, 0x0e, 0x02, 0x02, 0x00, 0xff, 0x30, 0x0d,
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00, 0x30,
    0x13, 0x31, 0x11, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x08, 0x50, 0x6c,
    0x61, 0x6e, 0x74, 0x20, 0x43, 0x41, 0x30, 0x1e, 0x17, 0x0d, 0x32, 0x36, 0x31, 0x31,
    0x32, 0x32, 0x30, 0x32, 0x35, 0x39, 0x31, 0x38, 0x5a, 0x17, 0x0d, 0x32, 0x37, 0x31,
    0x31, 0x32, 0x32, 0x30, 0x32, 0x35, 0x39, 0x31, 0x38, 0x5a, 0x30, 0x22, 0x31, 0x12,
    0x30, 0x10, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x09, 0x4b, 0x69, 0x6c, 0x6e, 0x20,
    0x47, 0x6d, 0x62, 0x48, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
    0x03, 0x68, 0x6d, 0x69, 0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81,
    0x89, 0x02, 0x81, 0x81, 0x00, 0xbd, 0x27, 0xe1, 0xda, 0x49, 0xae, 0x98, 0x09, 0x4b,
    0xaa, 0x7a, 0x2e, 0xa3, 0xf2, 0x7a, 0x7c, 0x9d, 0x5f, 0xad, 0x23, 0x80, 0x88, 0x5a,
    0xb8, 0x20, 0xae, 0x9b, 0x16, 0x4c, 0x94, 0x1a, 0x8e, 0x76, 0x5b, 0x72, 0x05, 0x4c,
    0xca, 0x79, 0x37, 0xea, 0x52, 0xfd, 0xd9, 0x0e, 0x4c, 0x3f, 0x92, 0xf1, 0xa7, 0xa3,
    0x82, 0xba, 0xb9, 0xb0, 0x5d, 0x4c, 0x38, 0x22, 0xa4, 0x9e, 0x23, 0xec, 0x06, 0x39,
    0x09, 0x46, 0xec, 0xf5, 0x5e, 0x19, 0xe8, 0x59, 0xf9, 0x0c, 0x8b, 0x1a, 0xf1, 0x51,
    0xce, 0x6a, 0xa0, 0x23, 0x98, 0x61, 0x6a, 0xe1, 0x45, 0xe4, 0x61, 0xd3, 0xc0, 0xd9,
    0x97, 0x45, 0x55, 0xb9, 0x13, 0xf5, 0x8e, 0xf4, 0xc7, 0x6f, 0xcf, 0xef, 0xb6, 0xd6,
    0x31, 0x2d, 0xfe, 0xdc, 0x74, 0xa0, 0x0c, 0x50, 0x86, 0xba, 0xf2, 0x40, 0x7f, 0x39,
    0xa8, 0x44, 0x03, 0x5e, 0xd2, 0x69, 0x6b, 0x02, 0x03, 0x01, 0x00, 0x01, 0x30, 0x0d,
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00, 0x03,
    0x81, 0x81, 0x00, 0x19, 0xa9, 0xa6, 0x9a, 0xcd, 0x75, 0xe7, 0x5d, 0xf6, 0x0f, 0x63,
    0x6e, 0x49, 0xec, 0x3d, 0xfd, 0x8b, 0xf6, 0xde, 0xd9, 0x2d, 0x9d, 0x28, 0xba, 0x8a,
    0xfb, 0xc5, 0x59, 0x0b, 0xa5, 0x9d, 0xf6, 0xbc, 0x34, 0x51, 0xbf, 0x5f, 0xcc, 0x04,
    0xc6, 0x11, 0x61, 0x59, 0x5a, 0xfb, 0x73, 0xda, 0xf1, 0x39, 0x68, 0x0b, 0xe8, 0xa4,
    0x9a, 0xd1, 0x5b, 0x4a, 0xff, 0x41, 0x80, 0x0c, 0xd5, 0x25, 0x12, 0xe4, 0x72, 0x7c,
    0x3a, 0xa4, 0xe6, 0x93, 0x11, 0xc8, 0x7f, 0x99, 0xbd, 0xa9, 0xde, 0x32, 0xb2, 0xee,
    0x12, 0xdb, 0x09, 0xb4, 0x1c, 0x56, 0xd9, 0x99, 0x06, 0x84, 0xc9, 0xed, 0x35, 0x6d,
    0xbd, 0xf2, 0x8a, 0xbf, 0xbe, 0xb0, 0x4c, 0xf2, 0x42, 0x4d, 0x77, 0xcf, 0x9b, 0xc6,
    0x53, 0x55, 0xf7, 0x8a, 0x27, 0x20, 0xe9, 0x47, 0x03, 0x54, 0xd1, 0x44, 0x69, 0x45,
    0xce, 0xfa, 0xf9, 0x57, 0x58,
};
/* clang-format on */

static struct feed f;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_tls, NULL};
    (void)state;
    feed_open(&f, all, "tls", FT_TRANSPORT_TCP, 443);
    f.time_ns = IN_2027;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* ---- making records ------------------------------------------------------------------------ */

static void put_number(struct bytes *b, uint32_t value, unsigned size)
{
    for (unsigned i = size; i > 0; i--) {
        uint8_t byte = (uint8_t)(value >> 8 * (i - 1));
        put(b, &byte, 1);
    }
}

/* A block with its length in so many bytes before it. */
static void put_block(struct bytes *b, const struct bytes *in, unsigned size)
{
    put_number(b, in->length, size);
    put(b, in->data, in->length);
}

static void put_extension(struct bytes *b, uint32_t type, const char *hex)
{
    struct bytes in = {.length = 0};
    in.length = feed_bytes(hex, in.data);
    put_number(b, type, 2);
    put_block(b, &in, 2);
}

static struct bytes hex(const char *text)
{
    struct bytes b = {.length = 0};
    b.length = feed_bytes(text, b.data);
    return b;
}

static struct bytes handshake(uint8_t type, const struct bytes *body)
{
    struct bytes b = {.length = 0};
    put_number(&b, type, 1);
    put_block(&b, body, 3);
    return b;
}

static void add_record(struct bytes *to, uint8_t type, uint16_t version, const struct bytes *body)
{
    put_number(to, type, 1);
    put_number(to, version, 2);
    put_block(to, body, 2);
}

/* What a test says of a hello; zeros are the usual. */
struct hello {
    uint16_t version;
    const char *random_end, *session, *ciphers, *cookie;
    uint8_t compression;
    const struct bytes *extensions;
};

static const char RANDOM[] = "000102030405060708090a0b0c0d0e0f1011121314151617";

static struct bytes hello_of(uint8_t type, const struct hello *h)
{
    struct bytes b = {.length = 0}, in;
    put_number(&b, h->version ? h->version : 0x0303, 2);
    in = hex(RANDOM);
    put(&b, in.data, 24);
    in = hex(h->random_end ? h->random_end : "18191a1b1c1d1e1f");
    put(&b, in.data, 8);
    in = hex(h->session ? h->session : "");
    put_block(&b, &in, 1);
    if (h->cookie) {
        in = hex(h->cookie);
        put_block(&b, &in, 1);
    }
    in = hex(h->ciphers ? h->ciphers : "c02f");
    if (type == 1) {
        put_block(&b, &in, 2);
        put_number(&b, 0x0100, 2);
    } else {
        put(&b, in.data, 2);
        put_number(&b, h->compression, 1);
    }
    if (h->extensions)
        put_block(&b, h->extensions, 2);
    return handshake(type, &b);
}

static struct bytes record_of(uint8_t type, const struct bytes *body)
{
    struct bytes b = {.length = 0};
    add_record(&b, type, 0x0303, body);
    return b;
}

static const char *feed_to(enum ft_direction direction, const struct bytes *b)
{
    return feed_raw(&f, direction, b->data, b->length);
}

static const char *say(enum ft_direction direction, uint8_t type, const struct bytes *body)
{
    struct bytes b = record_of(type, body);
    return feed_to(direction, &b);
}

static const char *client(const struct hello *h)
{
    struct bytes b = hello_of(1, h);
    return say(FT_TO_SERVER, 22, &b);
}

static const char *server(const struct hello *h)
{
    struct bytes b = hello_of(2, h);
    return say(FT_TO_CLIENT, 22, &b);
}

static struct bytes certificate_of(const uint8_t *der, uint32_t length)
{
    struct bytes one = {.length = 0}, list = {.length = 0}, body = {.length = 0};
    put(&one, der, length);
    put_block(&list, &one, 3);
    put_block(&body, &list, 3);
    return handshake(11, &body);
}

/* "server name plc-1" and the like. */
static const char SNI[] = "0008 00 0005 706c632d31";
static const char VERSIONS_13[] = "04 0304 0303";

/* ---- fingerprints -------------------------------------------------------------------------- */

/* The two examples that the method was published with. */
static void test_ja3_published(void **state)
{
    (void)state;
    struct bytes e = {.length = 0};
    put_extension(&e, 0, SNI);
    put_extension(&e, 10, "0006 0017 0018 0019");
    put_extension(&e, 11, "01 00");
    const char *text = client(
        &(struct hello){.version = 0x0301,
                        .ciphers = "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004",
                        .extensions = &e});
    assert_has(text, "\"string\":\"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,"
                     "23-24-25,0\"");
    assert_has(text, "\"hash\":\"ada70206e40642a3e4461f35503241d5\"");

    feed_next_flow(&f);
    text = client(&(struct hello){
        .version = 0x0301, .ciphers = "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063"});
    assert_has(text, "\"string\":\"769,4-5-10-9-100-98-3-6-19-18-99,,,\"");
    assert_has(text, "\"hash\":\"de350869b8c85de67a350c8d186f11e6\"");
}

/* The example of JA4's description, with GREASE values, which change nothing, in all lists. */
static struct bytes ja4_extensions(const char *alpn)
{
    struct bytes e = {.length = 0};
    put_extension(&e, 0x3a3a, "");
    put_extension(&e, 0x001b, "");
    put_extension(&e, 0, SNI);
    put_extension(&e, 0x0033, "");
    put_extension(&e, 0x0010, alpn);
    put_extension(&e, 0x4469, "");
    put_extension(&e, 0x0017, "");
    put_extension(&e, 0x002d, "");
    put_extension(&e, 0x000d, "0012 0403 0804 0401 0503 0805 0501 0806 0601 4a4a");
    put_extension(&e, 0x0005, "");
    put_extension(&e, 0x0023, "");
    put_extension(&e, 0x0012, "");
    put_extension(&e, 0x002b, "08 fafa 0304 0303 0302");
    put_extension(&e, 0xff01, "00");
    put_extension(&e, 0x000b, "01 00");
    put_extension(&e, 0x000a, "0008 baba 001d 0017 0018");
    put_extension(&e, 0x0015, "0000");
    return e;
}

static const char JA4_CIPHERS[] =
    "dada 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c "
    "009d 002f 0035";

static void test_ja4_published(void **state)
{
    (void)state;
    struct bytes e = ja4_extensions("000c 02 6832 08 687474702f312e31");
    const char *text = client(&(struct hello){.ciphers = JA4_CIPHERS, .extensions = &e});
    assert_has(text, "\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\"");
    assert_has(text, "\"ja4_raw\":\"t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,"
                     "c02c,c02f,c030,cca8,cca9_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,"
                     "002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601\"");
    assert_has(text, "\"offered_version\":\"TLS 1.3\"");
    assert_has(text, "\"client_alpns\":[\"h2\",\"http/1.1\"]");
}

/* First and last hexadecimal digit when a character of the ALPN is odd. */
static void test_ja4_alpn(void **state)
{
    static const char *const alpns[][2] = {
        {"0004 03 bbcccd", "t13d1516bd_8daaf6152771_e5627efa2ab1"},
        {"0009 08 687474702f312e31", "t13d1516h1_8daaf6152771_e5627efa2ab1"},
        {"0002 01 61", "t13d1516aa_8daaf6152771_e5627efa2ab1"},
        {"0000", "t13d151600_8daaf6152771_e5627efa2ab1"},
    };
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct bytes e = ja4_extensions(alpns[i][0]);
        feed_next_flow(&f);
        assert_has(client(&(struct hello){.ciphers = JA4_CIPHERS, .extensions = &e}), alpns[i][1]);
    }
    feed_next_flow(&f);
    assert_has(client(&(struct hello){.version = 0x0302}), "\"ja4\":\"t11i010000_");
    assert_has(client(&(struct hello){.version = 0x0302}), "_000000000000\"");
}

/* ---- handshakes ---------------------------------------------------------------------------- */

static void test_tls_13(void **state)
{
    (void)state;
    struct bytes e = {.length = 0}, s = {.length = 0};
    put_extension(&e, 0, SNI);
    put_extension(&e, 43, VERSIONS_13);
    const char *text = client(&(struct hello){.ciphers = "1301 1302", .extensions = &e});
    assert_has(text, "\"command\":\"client_hello\"");
    assert_has(text, "\"kind\":\"request\"");
    assert_has(text, "\"class\":\"session\"");
    assert_has(text, "\"sni\":\"plc-1\"");
    assert_has(text, "\"ciphers\":[4865,4866]");
    assert_has(text, "\"exts\":[0,43]");

    put_extension(&s, 43, "0304");
    put_extension(&s, 51, "");
    text = server(&(struct hello){.ciphers = "1301", .extensions = &s});
    assert_has(text, "\"kind\":\"response\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"version\":\"TLS 1.3\"");
    assert_has(text, "\"cipher\":\"TLS_AES_128_GCM_SHA256\"");
    assert_has(text, "\"sni\":\"plc-1\"");
    assert_has(text, "\"ja3s\":{\"hash\":\"");
    assert_has(text, "\"string\":\"771,4865,43-51\"");
    assert_has(text, "\"ja4\":\"t13d0202");
    assert_has_not(text, "session_resumed");
    assert_clean(text);

    /* What follows is opaque, whatever it looks like. */
    assert_has(to_client(&f, "140303000101"), "change_cipher_spec");
    assert_string_equal(to_client(&f, "1703030005 0102030405 160303000401000000"), "");
    assert_string_equal(to_client(&f, "160303000401000000"), "");
}

static const char *handshake_12(const uint8_t *der, uint32_t length, const struct hello *h)
{
    struct bytes all = {.length = 0}, part = hello_of(2, h);
    feed_next_flow(&f);
    client(&(struct hello){.ciphers = "c02f 009c 0005"});
    put(&all, part.data, part.length);
    part = certificate_of(der, length);
    put(&all, part.data, part.length);
    put(&all, "\x0e\0\0\0", 4);
    return say(FT_TO_CLIENT, 22, &all);
}

static void test_tls_12(void **state)
{
    (void)state;
    const char *text = handshake_12(self_signed, sizeof(self_signed), &(struct hello){0});
    assert_int_equal(feed_count(text, "{\"message\""), 3);
    assert_has(text, "\"command\":\"server_hello\"");
    assert_has(text, "\"command\":\"server_hello_done\"");
    assert_has(text, "\"command\":\"certificate\"");
    assert_has(text, "\"kind\":\"response\"");
    assert_has(text, "\"version\":\"TLS 1.2\"");
    assert_has(text, "\"ja3\":{\"hash\":\"");
    assert_has(text, "\"subject\":\"C=DE, O=Siemens AG, CN=plc-1, serialNumber=S C-X4U421302009\"");
    assert_has(text, "\"issuerdn\":\"C=DE, O=Siemens AG,");
    assert_has(text, "\"serial\":\"0A:1B:2C\"");
    assert_has(text, "\"fingerprint\":\"00:ec:23:67:fb:6c:01:37:6e:6c:3d:7b:c0:44:98:b9:33:cd:df:"
                     "68\"");
    assert_has(text, "\"sha256\":"
                     "\"39c2c2cefe606ec422f5cda9c9b732927bf1ed753604849bf3220849f151c2be\"");
    assert_has(text, "\"notbefore\":\"2026-11-22T02:59:17\"");
    assert_has(text, "\"notafter\":\"2036-11-19T02:59:17\"");
    assert_has(text, "\"subjectaltname\":[\"plc-1.plant.example\",\"10.0.0.7\"]");
    assert_has(text, "\"self_signed\":true");
    assert_has(text, "\"key_algorithm\":\"ec\"");
    assert_has(text, "\"key_bits\":256");
    assert_has(text, "\"signature_algorithm\":\"ecdsa-with-SHA256\"");
    assert_has(text, "\"key_usage\":[\"digital_signature\",\"key_agreement\"]");
    assert_has(text, "\"chain_length\":1");
    assert_has(text, "\"fact\":\"name\",\"value\":\"plc-1\"");
    assert_has(text, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has(text, "\"fact\":\"serial\",\"value\":\"S C-X4U421302009\"");
    assert_violation(text, "certificate_self_signed");
    assert_int_equal(feed_count(text, "{\"violation\""), 1);

    /* The client's keys change, and all of it is opaque. */
    text = to_server(&f, "1603030006 10000002 abcd 140303000101 1603030010 "
                         "000102030405060708090a0b0c0d0e0f");
    assert_has(text, "\"command\":\"client_key_exchange\"");
    assert_has(text, "\"command\":\"change_cipher_spec\"");
    assert_int_equal(feed_count(text, "{\"message\""), 2);
    assert_clean(text);
}

static void test_client_certificate(void **state)
{
    (void)state;
    handshake_12(self_signed, sizeof(self_signed), &(struct hello){0});
    struct bytes b = certificate_of(weak, sizeof(weak));
    const char *text = say(FT_TO_SERVER, 22, &b);
    assert_has(text,
               "\"client\":{\"subject\":\"O=Kiln GmbH, CN=hmi\",\"issuerdn\":\"CN=Plant CA\"");
    assert_has_not(text, "\"fact\"");
    b = hex("0b000003 000000");
    assert_clean(say(FT_TO_SERVER, 22, &b));
}

static void test_certificates_judged(void **state)
{
    (void)state;
    const char *text = handshake_12(weak, sizeof(weak), &(struct hello){0});
    assert_violation(text, "certificate_weak_key");
    assert_violation(text, "certificate_weak_signature");
    assert_int_equal(feed_count(text, "{\"violation\""), 2);
    assert_has(text, "\"key_bits\":1024");
    assert_has(text, "\"signature_algorithm\":\"sha1WithRSAEncryption\"");
    assert_has(text, "\"serial\":\"00:FF\"");
    assert_has_not(text, "\"fact\":\"vendor\"");

    f.time_ns = IN_2028;
    text = handshake_12(weak, sizeof(weak), &(struct hello){0});
    assert_violation(text, "certificate_expired");
    f.time_ns = IN_2020;
    text = handshake_12(weak, sizeof(weak), &(struct hello){0});
    assert_violation(text, "certificate_not_yet_valid");
    assert_no_violation(text, "certificate_expired");
    text = handshake_12((const uint8_t *)"nonsense", 8, &(struct hello){0});
    assert_violation(text, "certificate");
}

/* One record a byte, one byte a segment: the messages are the same. */
static void test_split(void **state)
{
    (void)state;
    struct bytes e = {.length = 0}, hello, all = {.length = 0};
    put_extension(&e, 0, SNI);
    hello = hello_of(1, &(struct hello){.extensions = &e});
    for (uint32_t i = 0; i < hello.length; i++) {
        struct bytes one = {.length = 0};
        put(&one, hello.data + i, 1);
        add_record(&all, 22, 0x0301, &one);
    }
    for (unsigned at = 0; at < all.length; at++) {
        const char *text = feed_raw(&f, FT_TO_SERVER, all.data + at, 1);
        assert_clean(text);
        if (at == all.length - 1)
            assert_has(text, "\"sni\":\"plc-1\"");
        else
            assert_has_not(text, "client_hello");
    }
    struct bytes certificate = certificate_of(self_signed, sizeof(self_signed));
    for (uint32_t cut = 1; cut < certificate.length; cut += 11) {
        struct bytes two = {.length = 0}, part = {.length = 0};
        put(&part, certificate.data, cut);
        add_record(&two, 22, 0x0303, &part);
        part.length = 0;
        put(&part, certificate.data + cut, certificate.length - cut);
        add_record(&two, 22, 0x0303, &part);
        feed_next_flow(&f);
        assert_has(feed_to(FT_TO_CLIENT, &two), "\"serial\":\"0A:1B:2C\"");
    }
}

static void test_resumed(void **state)
{
    (void)state;
    client(&(struct hello){.session = "0102030405060708"});
    const char *text = server(&(struct hello){.session = "0102030405060708"});
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"session_resumed\":true");
    feed_next_flow(&f);
    client(&(struct hello){.session = "0102030405060708"});
    text = server(&(struct hello){.session = "0102030405060709"});
    assert_has(text, "\"paired\":false");
    assert_has_not(text, "session_resumed");
    /* By a ticket, without a session id: no certificate, and the keys change. */
    text = to_client(&f, "140303000101");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"session_resumed\":true");
}

static void test_hello_retry(void **state)
{
    (void)state;
    struct bytes e = {.length = 0}, s = {.length = 0}, b = {.length = 0}, in;
    put_extension(&e, 43, VERSIONS_13);
    put_extension(&s, 43, "0304");
    client(&(struct hello){.extensions = &e});
    put_number(&b, 0x0303, 2);
    in = hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 00 1301 00");
    put(&b, in.data, in.length);
    put_block(&b, &s, 2);
    b = handshake(2, &b);
    const char *text = say(FT_TO_CLIENT, 22, &b);
    assert_has(text, "\"hello_retry\":true");
    assert_has(text, "\"paired\":false");
    to_client(&f, "140303000101");
    to_server(&f, "140303000101");
    assert_has(client(&(struct hello){.extensions = &e}), "\"command\":\"client_hello\"");
    text = server(&(struct hello){.ciphers = "1301", .extensions = &s});
    assert_has(text, "\"paired\":true");
    assert_has_not(ft_harness_tick(f.harness, f.time_ns + 100 * SECOND), "unanswered");
}

static void test_alerts(void **state)
{
    (void)state;
    client(&(struct hello){0});
    const char *text = to_client(&f, "1503030002 0228");
    assert_has(text, "\"command\":\"fatal_alert\"");
    assert_has(text, "\"kind\":\"exception\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"alert_level\":\"fatal\"");
    assert_has(text, "\"alert_description\":\"handshake_failure\"");
    text = to_server(&f, "1503030002 0100");
    assert_has(text, "\"command\":\"alert\"");
    assert_has(text, "\"alert_description\":\"close_notify\"");
    assert_has(text, "\"kind\":\"data\"");
}

/* ---- violations ---------------------------------------------------------------------------- */

static void test_versions_and_ciphers(void **state)
{
    (void)state;
    client(&(struct hello){.version = 0x0301});
    assert_violation(server(&(struct hello){.version = 0x0301}), "old_version");
    feed_next_flow(&f);
    client(&(struct hello){.version = 0x0302});
    const char *text = server(&(struct hello){.version = 0x0303});
    assert_violation(text, "version_not_offered");
    assert_no_violation(text, "old_version");

    static const char *const weak_ciphers[] = {"0005", "000a", "0001", "0003", "0018", "c011"};
    for (unsigned i = 0; i < 6; i++) {
        feed_next_flow(&f);
        assert_violation(server(&(struct hello){.ciphers = weak_ciphers[i]}), "weak_cipher");
    }
    feed_next_flow(&f);
    assert_clean(server(&(struct hello){.ciphers = "009c"}));
    feed_next_flow(&f);
    assert_violation(server(&(struct hello){.compression = 1}), "compression");
}

static void test_downgrade(void **state)
{
    (void)state;
    struct bytes e = {.length = 0};
    put_extension(&e, 43, VERSIONS_13);
    client(&(struct hello){.extensions = &e});
    assert_violation(server(&(struct hello){.random_end = "444f574e47524401"}), "downgrade");
    /* A client that offers no more than it gets is not cheated. */
    feed_next_flow(&f);
    client(&(struct hello){0});
    assert_clean(server(&(struct hello){.random_end = "444f574e47524401"}));
    feed_next_flow(&f);
    client(&(struct hello){0});
    assert_violation(server(&(struct hello){.version = 0x0302, .random_end = "444f574e47524400"}),
                     "downgrade");
}

static void test_change_order(void **state)
{
    (void)state;
    client(&(struct hello){0});
    server(&(struct hello){0});
    assert_violation(to_server(&f, "140303000101"), "change_cipher_spec_order");
    feed_next_flow(&f);
    client(&(struct hello){0});
    server(&(struct hello){0});
    assert_clean(to_server(&f, "1603030006 10000002 abcd 140303000101"));
}

static void test_heartbleed(void **state)
{
    (void)state;
    const char *text = to_server(&f, "1803030003 01 4000");
    assert_violation(text, "heartbleed_request");
    assert_has(text, "\"heartbeat_length\":16384");
    assert_violation(to_client(&f, "1803030008 02 4000 0102030405"), "heartbleed_response");
    feed_next_flow(&f);
    assert_clean(to_server(&f, "1803030015 01 0002 abcd 000102030405060708090a0b0c0d0e0f"));
    assert_clean(to_client(&f, "1803030015 02 0002 abcd 000102030405060708090a0b0c0d0e0f"));
}

static void test_lengths(void **state)
{
    (void)state;
    struct bytes e = {.length = 0};
    put_extension(&e, 0, "0008 00 0009 706c632d31");
    assert_violation(client(&(struct hello){.extensions = &e}), "server_name");
    assert_violation(to_server(&f, "1603030004 0b ffffff"), "handshake_length");

    uint8_t *record = calloc(1, 5 + 20000);
    memcpy(record, "\x16\x03\x03\x4e\x20", 5);
    assert_violation(feed_raw(&f, FT_TO_SERVER, record, 5 + 20000), "record_length");
    free(record);

    feed_next_flow(&f);
    struct bytes cut = hello_of(1, &(struct hello){0});
    cut.data[3] -= 4; /* the message is shorter than what is in it */
    cut.length -= 4;
    assert_violation(say(FT_TO_SERVER, 22, &cut), "malformed");
}

/* ---- DTLS, SSL 2 --------------------------------------------------------------------------- */

static void put_fragment(struct bytes *to, const struct bytes *message, uint32_t from, uint32_t n)
{
    struct bytes body = {.length = 0};
    put(&body, message->data, 4);
    put_number(&body, 1, 2);
    put_number(&body, from, 3);
    put_number(&body, n, 3);
    put(&body, message->data + 4 + from, n);
    put_number(to, 0x16fefd, 3);
    put_number(to, 0, 4);
    put_number(to, 0, 4);
    put_block(to, &body, 2);
}

static void test_dtls(void **state)
{
    (void)state;
    struct bytes e = {.length = 0}, whole = {.length = 0};
    f.flow.transport = FT_TRANSPORT_UDP;
    put_extension(&e, 0, SNI);
    struct bytes message =
        hello_of(1, &(struct hello){.version = 0xfefd, .cookie = "", .extensions = &e});
    put_fragment(&whole, &message, 0, message.length - 4);
    const char *text = feed_to(FT_TO_SERVER, &whole);
    assert_has(text, "\"sni\":\"plc-1\"");
    assert_has(text, "\"offered_version\":\"DTLS 1.2\"");
    assert_has(text, "\"ja4\":\"dd2d0101");
    assert_has(text, "\"epoch\":0");
    assert_clean(text);

    /* In three fragments, in one datagram or in three. */
    struct bytes a = {.length = 0}, b = {.length = 0}, c = {.length = 0};
    uint32_t size = message.length - 4;
    put_fragment(&a, &message, 0, 10);
    put_fragment(&b, &message, 10, 20);
    put_fragment(&c, &message, 30, size - 30);
    feed_next_flow(&f);
    feed_to(FT_TO_SERVER, &a);
    feed_to(FT_TO_SERVER, &b);
    assert_has(feed_to(FT_TO_SERVER, &c), "\"sni\":\"plc-1\"");
    feed_next_flow(&f);
    put(&a, b.data, b.length);
    put(&a, c.data, c.length);
    assert_has(feed_to(FT_TO_SERVER, &a), "\"sni\":\"plc-1\"");
    /* One is missing. */
    feed_next_flow(&f);
    feed_to(FT_TO_SERVER, &b);
    text = feed_to(FT_TO_SERVER, &c);
    assert_has_not(text, "client_hello");
    assert_clean(text);

    /* Another epoch is encrypted; STUN on the same flow is not DTLS. */
    text = to_server(&f, "16fefd 0001 000000000000 0004 01000000");
    assert_has_not(text, "client_hello");
    assert_clean(text);
    assert_clean(to_server(&f, "0001 0000 2112a442 000102030405060708090a0b"));
}

static void test_ssl2(void **state)
{
    (void)state;
    const char *text = to_server(&f, "801f 01 0002 0006 0000 0010 010080 020080 "
                                     "000102030405060708090a0b0c0d0e0f");
    assert_has(text, "\"command\":\"client_hello\"");
    assert_has(text, "\"offered_version\":\"SSLv2\"");
    assert_has(text, "\"ciphers\":[65664,131200]");
    text = to_client(&f, "801e 04 00 01 0002 0000 0003 0010 010080 "
                         "000102030405060708090a0b0c0d0e0f");
    assert_has(text, "\"version\":\"SSLv2\"");
    assert_has(text, "\"paired\":true");
    assert_violation(text, "old_version");
    assert_string_equal(to_server(&f, "8003 020304"), "");
    /* A client that speaks TLS, too, in the form of old. */
    feed_next_flow(&f);
    assert_has(to_server(&f, "801c 01 0303 0003 0000 0010 00002f "
                             "000102030405060708090a0b0c0d0e0f"),
               "\"offered_version\":\"TLS 1.2\"");
    assert_has(server(&(struct hello){.session = "01", .ciphers = "002f"}),
               "\"version\":\"TLS 1.2\"");
}

/* ---- recognition, robustness --------------------------------------------------------------- */

static enum ft_verdict probe(const char *text)
{
    struct bytes b = hex(text);
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, b.data, b.length);
}

static void test_probe(void **state)
{
    (void)state;
    struct bytes b = hello_of(1, &(struct hello){0}), r = record_of(22, &b);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, r.data, r.length), FT_YES);
    assert_int_equal(probe("1703030003 010203"), FT_YES);
    assert_int_equal(probe("1703030003 010203 1703"), FT_YES);
    assert_int_equal(probe("1703030003 010203 4744"), FT_NO);
    assert_int_equal(probe("1603"), FT_MAYBE);
    assert_int_equal(probe("474554202f20"), FT_NO);
    assert_int_equal(probe("1605030003 010203"), FT_NO);
    assert_int_equal(probe("14030300020101"), FT_NO);
    assert_int_equal(probe("801f 01 0002 0006 0000 0010 010080"), FT_YES);
    assert_int_equal(probe("801f 01 0002 0007 0000 0010 010080"), FT_NO);
}

static void test_midstream(void **state)
{
    (void)state;
    f.flow.is_midstream = true;
    assert_string_equal(to_client(&f, "0102030405060708"), "");
    assert_string_equal(to_client(&f, "1703030003 010203 1703030003 010203"), "");
    /* One direction alone. */
    feed_next_flow(&f);
    const char *text = server(&(struct hello){0});
    assert_has(text, "\"version\":\"TLS 1.2\"");
    assert_has(text, "\"paired\":false");
    assert_clean(text);
    /* A hello from the side that was taken for the server. */
    feed_next_flow(&f);
    struct bytes b = hello_of(1, &(struct hello){0}), r = record_of(22, &b);
    text = feed_to(FT_TO_CLIENT, &r);
    assert_has(text, "\"direction\":\"to_server\"");
}

static void test_hostile(void **state)
{
    static char text[2 * FEED_MAX];
    (void)state;
    struct bytes e = ja4_extensions("000c 02 6832 08 687474702f312e31"), all = {.length = 0};
    struct bytes part = hello_of(1, &(struct hello){.ciphers = JA4_CIPHERS, .extensions = &e});
    add_record(&all, 22, 0x0301, &part);
    part = hello_of(2, &(struct hello){0});
    add_record(&all, 22, 0x0303, &part);
    part = certificate_of(self_signed, sizeof(self_signed));
    add_record(&all, 22, 0x0303, &part);
    for (uint32_t i = 0; i < all.length; i++)
        snprintf(text + 2 * i, 3, "%02x", all.data[i]);
    for (unsigned transport = FT_TRANSPORT_L2; transport <= FT_TRANSPORT_TCP; transport++) {
        f.flow.transport = (uint8_t)transport;
        feed_next_flow(&f);
        feed_mutated(&f, FT_TO_CLIENT, text, 3000);
    }
    /* Empty handshake messages as many as a record holds: not more messages than there may be. */
    feed_next_flow(&f);
    struct bytes many = {.length = 0};
    for (unsigned i = 0; i < 1000; i++)
        put(&many, "\x0e\0\0\0", 4);
    f.flow.transport = FT_TRANSPORT_TCP;
    assert_true(feed_count(say(FT_TO_CLIENT, 22, &many), "{\"message\"") <= FT_MAX_MESSAGES);
    /* Records are whole or are not read: what a snap length cuts is no fault. */
    f.flow.transport = FT_TRANSPORT_L2;
    feed_next_flow(&f);
    text[2 * 300] = 0;
    feed_truncated(&f, FT_TO_SERVER, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ja3_published, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ja4_published, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ja4_alpn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_13, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_12, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificates_judged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_split, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hello_retry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alerts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions_and_ciphers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_downgrade, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heartbleed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dtls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ssl2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_midstream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
