/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the shared encodings: BER elements and integers, CRC-16/DNP and CRC-16/MODBUS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fieldtap/wire.h>

#define VIEW(...)                                                                                  \
    ft_view_make((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), false)

static void test_ber_short_and_long_lengths(void **state)
{
    (void)state;
    struct ft_view v = VIEW(0x80, 0x02, 'a', 'b', 0xa1, 0x81, 0x01, 7, 0x04, 0x84, 0, 0, 0, 1, 9);
    struct ft_ber e;

    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(e.tag, 0x80);
    assert_false(e.is_constructed);
    assert_int_equal(e.value.len, 2);
    assert_memory_equal(e.value.data, "ab", 2);
    assert_int_equal(v.last_len, 2);

    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(e.tag, 0xa1);
    assert_true(e.is_constructed);
    assert_int_equal(ft_ber_uint(e.value), 7);

    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(ft_ber_uint(e.value), 9);

    assert_false(ft_ber_next(&v, &e));
    assert_true(ft_view_ok(&v));
}

static void test_ber_high_tags(void **state)
{
    (void)state;
    struct ft_view v = VIEW(0x7f, 0x21, 0x00, 0x5f, 0x81, 0x48, 0x01, 5, 0x1f, 0xff, 0xff, 0x7f, 0);
    struct ft_ber e;

    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(e.tag, 0x7f | 33u << 8);
    assert_true(e.is_constructed);
    assert_int_equal(e.value.len, 0);
    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(e.tag, 0x5f | 200u << 8);
    assert_true(ft_ber_next(&v, &e));
    assert_int_equal(e.tag, 0x1f | 0x1fffffu << 8);
    assert_true(ft_view_at_end(&v) && ft_view_ok(&v));
}

static void assert_refused(struct ft_view v, enum ft_view_error error)
{
    struct ft_ber e;

    assert_false(ft_ber_next(&v, &e));
    assert_int_equal(v.error, error);
    assert_true(ft_view_at_end(&v));
    assert_false(ft_ber_next(&v, &e));
}

static void test_ber_malformed(void **state)
{
    (void)state;
    assert_refused(VIEW(0x30), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x30, 0x80, 0, 0), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x30, 0x85, 0, 0, 0, 0, 1, 7), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x30, 0x82, 1), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 1), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x1f, 0x80, 0x21, 0), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x1f, 0x81, 0x81, 0x81, 0x01, 0), FT_VIEW_MALFORMED);
    assert_refused(VIEW(0x1f, 0x81), FT_VIEW_MALFORMED);

    const uint8_t cut[] = {0x04, 0x03, 'a', 'b'};
    struct ft_view v = ft_view_make(cut, sizeof(cut), true);
    struct ft_ber e;

    assert_false(ft_ber_next(&v, &e));
    assert_int_equal(v.error, FT_VIEW_CUT);
    assert_int_equal(e.value.len, 2);
    assert_true(e.value.is_cut);
}

static void test_ber_integers(void **state)
{
    (void)state;
    assert_int_equal(ft_ber_int(ft_view_empty()), 0);
    assert_int_equal(ft_ber_int(VIEW(0x7f)), 127);
    assert_int_equal(ft_ber_int(VIEW(0x80)), -128);
    assert_int_equal(ft_ber_int(VIEW(0x00, 0x80)), 128);
    assert_int_equal(ft_ber_int(VIEW(0xff, 0xff, 0xfe)), -2);
    assert_true(ft_ber_int(VIEW(0x80, 0, 0, 0, 0, 0, 0, 0)) == INT64_MIN);
    assert_true(ft_ber_int(VIEW(0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)) ==
                INT64_MAX);
    assert_true(ft_ber_int(VIEW(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd)) == -3);
    assert_int_equal(ft_ber_int(VIEW(0, 0x80, 0, 0, 0, 0, 0, 0, 0)), 0);

    assert_int_equal(ft_ber_uint(ft_view_empty()), 0);
    assert_int_equal(ft_ber_uint(VIEW(0xff)), 255);
    assert_true(ft_ber_uint(VIEW(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)) == UINT64_MAX);
    assert_int_equal(ft_ber_uint(VIEW(1, 0, 0, 0, 0, 0, 0, 0, 0)), 0);
}

/* The definition, bit by bit. */
static uint16_t slow_crc(const uint8_t *data, uint32_t n, uint16_t crc, uint16_t poly)
{
    for (uint32_t i = 0; i < 8 * n; i++) {
        unsigned bit = (crc ^ data[i / 8] >> i % 8) & 1;

        crc = (uint16_t)(crc >> 1 ^ (bit ? poly : 0));
    }
    return crc;
}

static void test_crc_check_values(void **state)
{
    (void)state;
    const uint8_t *check = (const uint8_t *)"123456789";

    assert_int_equal(ft_crc16_dnp(check, 9), 0xea82);
    assert_int_equal(ft_crc16_modbus(check, 9), 0x4b37);
    assert_int_equal(ft_crc16_dnp(check, 0), 0xffff);
    assert_int_equal(ft_crc16_modbus(check, 0), 0xffff);
}

static void test_crc_against_definition(void **state)
{
    (void)state;
    uint8_t data[300];
    uint32_t x = 1;

    for (unsigned i = 0; i < sizeof(data); i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
    for (uint32_t n = 0; n <= sizeof(data); n++) {
        assert_int_equal(ft_crc16_dnp(data, n), (uint16_t)~slow_crc(data, n, 0, 0xa6bc));
        assert_int_equal(ft_crc16_modbus(data, n), slow_crc(data, n, 0xffff, 0xa001));
    }
}

static void test_oid_text(void **state)
{
    (void)state;
    char text[32];
    uint8_t many[129];

    assert_int_equal(ft_oid_text(text, sizeof(text), VIEW(0x2b, 6, 1, 2, 1)), 11);
    assert_string_equal(text, "1.3.6.1.2.1");
    assert_int_equal(ft_oid_text(text, sizeof(text), VIEW(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d)), 14);
    assert_string_equal(text, "1.2.840.113549");
    assert_true(ft_oid_text(text, sizeof(text), VIEW(0x88, 0x37)));
    assert_string_equal(text, "2.999");
    assert_true(ft_oid_text(text, sizeof(text), VIEW(0)));
    assert_string_equal(text, "0.0");
    assert_true(ft_oid_text(text, sizeof(text), VIEW(0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f)));
    assert_string_equal(text, "1.3.4294967295");

    assert_false(ft_oid_text(text, sizeof(text), ft_view_empty()));
    assert_false(ft_oid_text(text, sizeof(text), VIEW(0x2b, 0x86)));
    assert_false(ft_oid_text(text, sizeof(text), VIEW(0x2b, 0x90, 0x80, 0x80, 0x80, 0x00)));
    assert_true(ft_oid_text(text, 8, VIEW(0x2b, 6, 1)));
    assert_false(ft_oid_text(text, 7, VIEW(0x2b, 6, 1)));
    memset(many, 1, sizeof(many));
    char long_text[512];
    assert_true(ft_oid_text(long_text, sizeof(long_text), ft_view_make(many, 128, false)));
    assert_false(ft_oid_text(long_text, sizeof(long_text), ft_view_make(many, 129, false)));
}

/* The vectors of RFC 1321 and FIPS 180-4. */
static void test_digests(void **state)
{
    static const struct {
        enum ft_digest_kind kind;
        const char *text, *digest;
    } vectors[] = {
        {FT_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
        {FT_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {FT_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {FT_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {FT_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {FT_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {FT_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    (void)state;

    for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint32_t length = (uint32_t)strlen(vectors[i].text);

        for (uint32_t cut = 0; cut <= length; cut++) {
            struct ft_digest d;
            uint8_t out[FT_DIGEST_MAX];
            char hex[2 * FT_DIGEST_MAX + 1];

            ft_digest_begin(&d, vectors[i].kind);
            ft_digest_add(&d, vectors[i].text, cut);
            ft_digest_add(&d, vectors[i].text + cut, length - cut);
            ft_hex(hex, out, ft_digest_end(&d, out));
            assert_string_equal(hex, vectors[i].digest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ber_short_and_long_lengths),
        cmocka_unit_test(test_ber_high_tags),
        cmocka_unit_test(test_ber_malformed),
        cmocka_unit_test(test_ber_integers),
        cmocka_unit_test(test_crc_check_values),
        cmocka_unit_test(test_crc_against_definition),
        cmocka_unit_test(test_oid_text),
        cmocka_unit_test(test_digests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
