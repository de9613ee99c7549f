/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hellos of TLS taken apart (tls_hello.c) and their fingerprints (tls_fingerprint.c), called
 * directly: what a hello has and has not, drafts of TLS 1.3, lists that end within a value, limits.
 */
#include "feed.h"

#include "protocols/it/tls.h"

#define RANDOM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f " /* 32 bytes */

/* What reading gives; the bytes are there until the next. */
struct result {
    struct tls_hello hello;
    uint32_t left;
    uint8_t error;
    bool is_read;
};

static struct result read_hello(const char *hex, bool is_client, bool is_datagram)
{
    static uint8_t bytes[FEED_MAX];
    struct ft_view body = ft_view_make(bytes, feed_bytes(hex, bytes), false);
    struct result r = {.hello = {.is_client = is_client, .is_datagram = is_datagram}};
    r.is_read = ft_tls_read_hello(&body, &r.hello);
    r.left = body.len;
    r.error = body.error;
    return r;
}

/* A ClientHello of one cipher with these extensions. */
static struct result client(const char *extensions)
{
    char hex[1024];
    uint8_t bytes[FEED_MAX];
    snprintf(hex, sizeof(hex), "0303 " RANDOM "00 0002 1301 01 00 %04x %s",
             feed_bytes(extensions, bytes), extensions);
    return read_hello(hex, true, false);
}

enum has {
    SNI = 1,
    GROUPS = 2,
    FORMATS = 4,
    SIGNATURES = 8,
    ALPN = 16,
    VERSIONS = 32,
    PSK = 64,
    ECH = 128,
};

static unsigned has(const struct tls_hello *h)
{
    return h->has_sni * SNI | h->has_groups * GROUPS | h->has_formats * FORMATS |
           h->has_signatures * SIGNATURES | h->has_alpn * ALPN | h->has_versions * VERSIONS |
           h->has_psk * PSK | h->has_ech * ECH;
}

/* Each extension says what it says, and nothing else. */
static void extensions(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        unsigned has;
    } cases[] = {
        {"0000 0008 0006 00 0003 706c63", SNI},
        {"000a 0004 0002 001d", GROUPS},
        {"000b 0002 01 00", FORMATS},
        {"000d 0004 0002 0403", SIGNATURES},
        {"0010 0005 0003 02 6832", ALPN},
        {"002b 0003 02 0304", VERSIONS},
        {"0029 0002 0000", PSK},
        {"fe0d 0001 00", ECH},
        {"0017 0000", 0},
        {"0029 0000 fe0d 0000 000b 0002 01 02", PSK | ECH | FORMATS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result r = client(cases[i].hex);
        assert_true(r.is_read && r.hello.has_extensions);
        assert_int_equal(r.error, FT_VIEW_OK);
        assert_int_equal(has(&r.hello), cases[i].has);
        assert_int_equal(r.hello.formats.len, cases[i].has & FORMATS ? 1 : 0);
        assert_int_equal(r.hello.groups.len, cases[i].has & GROUPS ? 2 : 0);
        assert_int_equal(r.hello.signatures.len, cases[i].has & SIGNATURES ? 2 : 0);
        assert_int_equal(r.hello.sni.len, cases[i].has & SNI ? 3 : 0);
    }
    assert_false(read_hello("0303 " RANDOM "00 0002 1301 01 00", true, false).hello.has_extensions);
}

/* The cookie is a client's over datagrams. */
static void datagrams(void **state)
{
    (void)state;
    struct result r = read_hello("fefd " RANDOM "00 03 aabbcc 0002 1301 01 00", true, true);
    assert_true(r.is_read && r.hello.is_dtls);
    assert_int_equal(r.hello.ciphers.len, 2);
    assert_int_equal(r.left, 0);
    assert_true(read_hello("feff " RANDOM "00 1301 00", false, true).hello.is_dtls);
    assert_false(read_hello("0303 " RANDOM "00 1301 00", false, false).hello.is_dtls);
    assert_false(read_hello("7f1c " RANDOM "1301", false, false).hello.is_dtls);
    assert_false(read_hello("ff00 " RANDOM "00 1301 00", false, false).hello.is_dtls);
}

/* Drafts of TLS 1.3 had neither session id nor compression in the ServerHello. */
static void drafts(void **state)
{
    (void)state;
    struct result r = read_hello("7f1c " RANDOM "1302 0004 002b 0000", false, false);
    assert_true(r.is_read && r.hello.has_extensions && r.hello.has_versions);
    assert_int_equal(r.hello.version, 0x7f1c);
    assert_int_equal(r.hello.cipher, 0x1302);
    assert_int_equal(r.hello.compression, 0);
    assert_int_equal(r.hello.session_id.len, 0);
    assert_int_equal(r.left, 0);

    r = read_hello("0303 " RANDOM "02 aabb 1302 01", false, false);
    assert_true(r.is_read && !r.hello.has_extensions);
    assert_int_equal(r.hello.cipher, 0x1302);
    assert_int_equal(r.hello.compression, 1);
    assert_int_equal(r.hello.session_id.len, 2);

    /* a client of a draft */
    r = read_hello("7f1c " RANDOM "02 aabb 0002 1301 01 00", true, false);
    assert_true(r.is_read);
    assert_int_equal(r.hello.session_id.len, 2);
    assert_int_equal(r.hello.ciphers.len, 2);
    assert_int_equal(r.left, 0);
}

/* A hello may end anywhere: without its extensions it is none. */
static void cut(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes("0303 " RANDOM "01 aa 1301 00", bytes);
    for (uint32_t i = 0; i <= n; i++) {
        struct ft_view body = ft_view_make(bytes, i, false);
        struct tls_hello h = {.is_client = false};
        assert_int_equal(ft_tls_read_hello(&body, &h), i == n);
    }
    /* the second extension is cut: what was before it counts */
    struct result r = client("0029 0000 000b 0002 01");
    assert_true(r.is_read && r.hello.has_psk && !r.hello.has_formats);
    assert_int_not_equal(r.error, FT_VIEW_OK);
}

static void versions(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint16_t offered;
    } cases[] = {
        {"002b 0005 04 0303 0304", 0x0304}, {"002b 0005 04 0304 0303", 0x0304},
        {"002b 0005 04 fafa 0303", 0x0303}, /* GREASE */
        {"002b 0004 03 0304 7f", 0x0304},   /* a byte is left */
        {"002b 0002 01 03", 0x0303},        /* it is all there is: the old place counts */
        {"002b 0005 04 fefd fefc", 0xfefc},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(client(cases[i].hex).hello.offered, cases[i].offered);
    struct result r = read_hello("0303 " RANDOM "00 1301 00 0006 002b 0002 0304", false, false);
    assert_int_equal(r.hello.offered, 0x0304);
}

/* ---- fingerprints ---- */

static struct ft_view view_of(const char *hex, uint8_t bytes[FEED_MAX])
{
    return ft_view_make(bytes, feed_bytes(hex, bytes), false);
}

/* `count` values of two bytes, each `size` bytes from the next: 4 for extensions. */
static struct ft_view many(uint32_t count, uint32_t size, uint8_t bytes[FEED_MAX])
{
    memset(bytes, 0, FEED_MAX);
    for (uint32_t i = 0; i < count; i++) {
        bytes[i * size] = (uint8_t)(0x40 + i / 256);
        bytes[i * size + 1] = (uint8_t)i;
    }
    return ft_view_make(bytes, count * size, false);
}

/* Values and extensions that are cut are none. */
static void cut_lists(void **state)
{
    (void)state;
    uint8_t bytes[5][FEED_MAX];
    struct tls_hello h = {.is_client = true,
                          .version = 0x0303,
                          .offered = 0x0303,
                          .ciphers = view_of("1301 1302 13", bytes[0]),
                          .extensions = view_of("0017 0000 ff01 0001 00 00 0b00", bytes[1]),
                          .groups = view_of("001d 00", bytes[2]),
                          .formats = view_of("00 01", bytes[3]),
                          .alpn = ft_view_empty(),
                          .signatures = view_of("0403 04", bytes[4])};
    uint8_t hash[16];
    char text[TLS_JA3_TEXT_MAX], ja4[TLS_JA4_LENGTH + 1], raw[TLS_JA4_RAW_MAX];
    uint32_t length;
    ft_tls_ja3(&h, hash, text, &length);
    text[length] = 0;
    assert_string_equal(text, "771,4865-4866,23-65281,29,0-1");
    assert_true(ft_tls_ja4(&h, ja4, raw, &length));
    raw[length] = 0;
    assert_string_equal(raw, "t12i020200_1301,1302_0017,ff01_0403");
}

/* 340 numbers of five digits, and one of one digit or two: 2048 bytes of text, or one more. */
static void ja3_room(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX], whole[16], alone[16];
    char text[TLS_JA3_TEXT_MAX + 1] = {0};
    uint32_t length = 1;
    struct tls_hello h = {.is_client = true, .version = 0x0303, .ciphers = many(341, 2, bytes)};
    text[TLS_JA3_TEXT_MAX] = '!';
    bytes[680] = 0;
    bytes[681] = 9;
    ft_tls_ja3(&h, whole, text, &length);
    assert_int_equal(length, TLS_JA3_TEXT_MAX);
    assert_memory_equal(text + length - 5, "-9,,,", 5);
    bytes[681] = 10;
    ft_tls_ja3(&h, whole, text, &length);
    assert_int_equal(length, 0);
    assert_int_equal(text[TLS_JA3_TEXT_MAX], '!');
    ft_tls_ja3(&h, alone, NULL, NULL); /* the digest is of all that there is */
    assert_memory_equal(whole, alone, sizeof(whole));
}

static void ja4_limits(void **state)
{
    (void)state;
    enum {
        MOST = 512
    };
    static uint8_t lists[3][FEED_MAX];
    char ja4[TLS_JA4_LENGTH + 1], raw[TLS_JA4_RAW_MAX];
    uint32_t length;
    for (unsigned which = 0; which < 4; which++) { /* the list that has one too many */
        struct tls_hello h = {.is_client = true,
                              .offered = 0x0303,
                              .ciphers = many(MOST + (which == 1), 2, lists[0]),
                              .extensions = many(MOST + (which == 2), 4, lists[1]),
                              .signatures = many(MOST + (which == 3), 2, lists[2])};
        assert_int_equal(ft_tls_ja4(&h, ja4, raw, &length), which == 0);
        if (which == 0)
            assert_int_equal(length, 10 + 3 * (1 + MOST * 5 - 1));
    }
    /* more than 99 are 99 */
    static const char *const counts[][2] = {{"t12i980000_", "t12i009800_"},
                                            {"t12i990000_", "t12i009900_"},
                                            {"t12i990000_", "t12i009900_"}};
    for (uint32_t n = 98; n <= 100; n++) {
        struct tls_hello h = {.offered = 0x0303, .ciphers = many(n, 2, lists[0])};
        assert_true(ft_tls_ja4(&h, ja4, NULL, NULL));
        assert_memory_equal(ja4, counts[n - 98][0], 11);
        h = (struct tls_hello){.offered = 0x0303, .extensions = many(n, 4, lists[0])};
        assert_true(ft_tls_ja4(&h, ja4, NULL, NULL));
        assert_memory_equal(ja4, counts[n - 98][1], 11);
    }
}

/* First and last character of the ALPN, where both are letters or digits. */
static void ja4_alpn(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"02 3039", "09"}, {"02 415a", "AZ"}, {"02 617a", "az"}, {"02 302f", "3f"},
        {"02 303a", "3a"}, {"02 4041", "41"}, {"02 415b", "4b"}, {"02 6061", "61"},
        {"02 617b", "6b"}, {"01 68", "hh"},   {"00", "00"},      {"03 6832", "00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[FEED_MAX];
        char ja4[TLS_JA4_LENGTH + 1], expected[12];
        struct tls_hello h = {.offered = 0x0304, .alpn = view_of(cases[i][0], bytes)};
        assert_true(ft_tls_ja4(&h, ja4, NULL, NULL));
        snprintf(expected, sizeof(expected), "t13i0000%s_", cases[i][1]);
        assert_memory_equal(ja4, expected, 11);
    }
}

static void ja4_versions(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        const char *text;
    } cases[] = {
        {0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"},
        {0x0300, "s3"}, {0x0200, "s2"}, {0x0002, "s2"}, {0xfeff, "d1"},
        {0xfefd, "d2"}, {0xfefc, "d3"}, {0x0305, "00"}, {0x7f1c, "00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char ja4[TLS_JA4_LENGTH + 1];
        struct tls_hello h = {.offered = cases[i].version, .is_datagram = true, .has_sni = true};
        assert_true(ft_tls_ja4(&h, ja4, NULL, NULL));
        assert_int_equal(ja4[0], 'd');
        assert_memory_equal(ja4 + 1, cases[i].text, 2);
        assert_string_equal(ja4 + 3, "d000000_000000000000_000000000000");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions),   cmocka_unit_test(datagrams),  cmocka_unit_test(drafts),
        cmocka_unit_test(cut),          cmocka_unit_test(versions),   cmocka_unit_test(cut_lists),
        cmocka_unit_test(ja3_room),     cmocka_unit_test(ja4_limits), cmocka_unit_test(ja4_alpn),
        cmocka_unit_test(ja4_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
