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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ber_short_and_long_lengths),
        cmocka_unit_test(test_ber_high_tags),
        cmocka_unit_test(test_ber_malformed),
        cmocka_unit_test(test_ber_integers),
        cmocka_unit_test(test_crc_check_values),
        cmocka_unit_test(test_crc_against_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
