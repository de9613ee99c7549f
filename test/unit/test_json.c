/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the JSON writer, read back with jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static char text[4096];

static struct ft_json writer(void)
{
    memset(text, 0, sizeof(text));
    return ft_json_make(text, sizeof(text) - 1);
}

static void assert_text(const struct ft_json *j, const char *expected)
{
    assert_false(j->is_full);
    text[j->length] = 0;
    assert_string_equal(text, expected);
}

static void test_structure_and_commas(void **state)
{
    (void)state;
    struct ft_json j = writer();
    ft_json_object(&j);
    ft_json_put_string(&j, "a", "x");
    ft_json_key(&j, "b");
    ft_json_array(&j);
    ft_json_uint(&j, 1);
    ft_json_object(&j);
    ft_json_object_end(&j);
    ft_json_array(&j);
    ft_json_array_end(&j);
    ft_json_null(&j);
    ft_json_array_end(&j);
    ft_json_put_bool(&j, "c", true);
    ft_json_key2(&j, "d", "_code");
    ft_json_bool(&j, false);
    ft_json_key(&j, "e");
    ft_json_raw(&j, "[2,3]", 5);
    ft_json_put_uint(&j, "f", 7);
    ft_json_object_end(&j);
    assert_text(&j, "{\"a\":\"x\",\"b\":[1,{},[],null],\"c\":true,\"d_code\":false,\"e\":[2,3],"
                    "\"f\":7}");
}

static void test_integers(void **state)
{
    (void)state;
    struct ft_json j = writer();
    ft_json_array(&j);
    ft_json_uint(&j, 0);
    ft_json_uint(&j, UINT64_MAX);
    ft_json_int(&j, INT64_MIN);
    ft_json_int(&j, -1);
    ft_json_int(&j, 0);
    ft_json_int(&j, INT64_MAX);
    ft_json_array_end(&j);
    assert_text(&j, "[0,18446744073709551615,-9223372036854775808,-1,0,9223372036854775807]");
}

static void check_double(double value, const char *expected)
{
    struct ft_json j = writer();
    ft_json_double(&j, value);
    assert_text(&j, expected);
}

static void test_doubles_are_shortest(void **state)
{
    (void)state;
    check_double(0, "0");
    check_double(-0.0, "-0");
    check_double(1.5, "1.5");
    check_double(0.1, "0.1");
    check_double((double)0.1f, "0.1");
    check_double((double)1.0000001f, "1.0000001");
    check_double(0.1 + 0.7, "0.7999999999999999");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(123456789.0, "123456789");
    check_double(1e22, "1e+22");
    check_double(NAN, "null");
    check_double(INFINITY, "null");
    check_double(-INFINITY, "null");
    check_double((double)-FLT_MAX, "-3.4028235e+38");
    check_double(DBL_MIN, "2.2250738585072014e-308");
    check_double(DBL_MAX, "1.7976931348623157e+308");
}

static void test_doubles_read_back(void **state)
{
    (void)state;
    uint64_t x = 1;
    for (unsigned i = 0; i < 20000; i++) {
        double value, back;
        float single;
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        memcpy(&value, &x, 8);
        uint32_t upper = (uint32_t)(x >> 32);
        memcpy(&single, &upper, 4);
        if (isfinite(value)) {
            struct ft_json j = writer();
            ft_json_double(&j, value);
            text[j.length] = 0;
            assert_int_equal(sscanf(text, "%lf", &back), 1);
            assert_true(back == value);
        }
        if (isfinite(single)) {
            struct ft_json j = writer();
            ft_json_double(&j, (double)single);
            text[j.length] = 0;
            assert_int_equal(sscanf(text, "%lf", &back), 1);
            assert_true((float)back == single);
            assert_true(j.length <= 15);
        }
    }
}

static void check_string(const char *bytes, uint32_t n, const char *expected)
{
    struct ft_json j = writer();
    ft_json_text(&j, bytes, n);
    assert_text(&j, expected);
    json_error_t error;
    json_t *read = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    assert_non_null(read);
    json_decref(read);
}

static void test_strings(void **state)
{
    (void)state;
    check_string("", 0, "\"\"");
    check_string(NULL, 0, "\"\"");
    check_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    check_string("\b\t\n\v\f\r", 6, "\"\\b\\t\\n\\u000b\\f\\r\"");
    check_string("\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"");
    check_string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
                 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* What is not UTF-8 is escaped byte by byte, whatever follows. */
static void test_invalid_utf8(void **state)
{
    (void)state;
    check_string("\x80", 1, "\"\\\\x80\"");
    check_string("\xc0\xaf", 2, "\"\\\\xc0\\\\xaf\"");
    check_string("\xc3", 1, "\"\\\\xc3\"");
    check_string("\xc3\"", 2, "\"\\\\xc3\\\"\"");
    check_string("\xe0\x80\x80", 3, "\"\\\\xe0\\\\x80\\\\x80\"");
    check_string("\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\"");
    check_string("\xe2\x82z", 3, "\"\\\\xe2\\\\x82z\"");
    check_string("\xf0\x8f\xbf\xbf", 4, "\"\\\\xf0\\\\x8f\\\\xbf\\\\xbf\"");
    check_string("\xf4\x90\x80\x80", 4, "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
    check_string("\xf5\xff", 2, "\"\\\\xf5\\\\xff\"");
}

static void test_every_pair_of_bytes_is_valid_json(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        char bytes[2] = {(char)(pair >> 8), (char)pair};
        struct ft_json j = writer();
        ft_json_text(&j, bytes, 2);
        text[j.length] = 0;
        json_error_t error;
        json_t *read = json_loadb(text, j.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        if (!read)
            fail_msg("%02x %02x: %s", pair >> 8, pair & 0xff, error.text);
        json_decref(read);
    }
}

static void test_addresses_and_bytes(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {0, 0x1b, 0x1b, 0xff, 0xa0, 9};
    static const uint8_t v6[16] = {0xfe, 0x80, [15] = 1};
    struct ft_json j = writer();
    ft_json_array(&j);
    ft_json_mac(&j, mac);
    ft_json_ip(&j, (const uint8_t[]){10, 0, 200, 255}, false);
    ft_json_ip(&j, (const uint8_t[]){0, 0, 0, 0}, false);
    ft_json_ip(&j, v6, true);
    ft_json_hex(&j, mac, 6);
    ft_json_hex(&j, mac, 0);
    ft_json_array_end(&j);
    assert_text(&j, "[\"00:1b:1b:ff:a0:09\",\"10.0.200.255\",\"0.0.0.0\",\"fe80::1\","
                    "\"001b1bffa009\",\"\"]");
}

static void test_times(void **state)
{
    (void)state;
    struct ft_json j = writer();
    ft_json_array(&j);
    ft_json_time(&j, 0);
    ft_json_time(&j, 951782400000000000ull + 86399999999999ull); /* 2000-02-29, last microsecond */
    ft_json_time(&j, 1769854830123456789ull);
    ft_json_time(&j, UINT64_MAX);
    ft_json_array_end(&j);
    assert_text(&j, "[\"1970-01-01T00:00:00.000000+0000\",\"2000-02-29T23:59:59.999999+0000\","
                    "\"2026-01-31T10:20:30.123456+0000\",\"2554-07-21T23:34:33.709551+0000\"]");
}

static void write_all(struct ft_json *j)
{
    ft_json_object(j);
    ft_json_put_string(j, "text", "\xff\n\"plain\"");
    ft_json_key(j, "numbers");
    ft_json_array(j);
    ft_json_uint(j, 123456);
    ft_json_int(j, -5);
    ft_json_double(j, 0.25);
    ft_json_array_end(j);
    ft_json_key(j, "hex");
    ft_json_hex(j, (const uint8_t *)"abc", 3);
    ft_json_object_end(j);
}

/* With one byte less than needed it says so and never writes behind its buffer. */
static void test_full_buffer(void **state)
{
    (void)state;
    struct ft_json whole = writer();
    write_all(&whole);
    assert_false(whole.is_full);
    for (uint32_t size = 0; size < whole.length; size++) {
        memset(text, '#', sizeof(text));
        struct ft_json j = ft_json_make(text, size);
        write_all(&j);
        assert_true(j.is_full);
        assert_true(j.length <= size);
        for (uint32_t i = size; i < sizeof(text); i++)
            assert_int_equal(text[i], '#');
    }
    struct ft_json exact = ft_json_make(text, whole.length);
    write_all(&exact);
    assert_false(exact.is_full);
    assert_int_equal(exact.length, whole.length);
}

/* The text of n bytes by the book, byte by byte; for bytes below 0x80. */
static uint32_t escaped(char *to, const char *from, uint32_t n)
{
    uint32_t used = 0;
    to[used++] = '"';
    for (uint32_t i = 0; i < n; i++) {
        const char *at = strchr("\b\f\n\r\t\"\\", from[i]);
        if (from[i] && at)
            used += (uint32_t)sprintf(to + used, "\\%c", "bfnrt\"\\"[at - "\b\f\n\r\t\"\\"]);
        else if (from[i] < 0x20 || from[i] == 0x7f)
            used += (uint32_t)sprintf(to + used, "\\u%04x", (unsigned)from[i]);
        else
            to[used++] = from[i];
    }
    to[used++] = '"';
    return used;
}

static void check_text(const char *from, uint32_t n)
{
    char expected[600], got[600];
    uint32_t length = escaped(expected + 1, from, n);
    expected[0] = ',';
    for (uint32_t comma = 0; comma < 2; comma++) {
        /* room for all of it and not a byte more, and a byte too little */
        struct ft_json j = ft_json_make(got, length + comma);
        j.wants_comma = comma;
        ft_json_text(&j, from, n);
        assert_false(j.is_full);
        assert_int_equal(j.length, length + comma);
        assert_memory_equal(got, expected + 1 - comma, length + comma);
        j = ft_json_make(got, length + comma - 1);
        j.wants_comma = comma;
        ft_json_text(&j, from, n);
        assert_true(j.is_full);
    }
}

/* Text is looked at eight bytes at a time: each odd byte is found at each place of each length. */
static void test_text_of_every_length(void **state)
{
    (void)state;
    char from[40];
    for (uint32_t n = 0; n <= sizeof(from); n++) {
        for (unsigned c = 0; c < 0x80; c++) {
            memset(from, 'a' + (int)(n % 26), sizeof(from));
            if (!n)
                check_text(from, n);
            for (uint32_t at = 0; at < n; at++) {
                memset(from, 'a' + (int)(at % 26), sizeof(from));
                from[at] = (char)c;
                check_text(from, n);
            }
        }
    }
}

static void check_number(uint64_t value)
{
    char expected[24], got[64];
    uint32_t length = (uint32_t)sprintf(expected, "%llu", (unsigned long long)value);
    assert_int_equal(ft_decimal(got, value) - got, length);
    assert_memory_equal(got, expected, length);
    for (uint32_t room = 0; room < 40; room++) {
        struct ft_json j = ft_json_make(got, room);
        ft_json_uint(&j, value);
        assert_int_equal(j.is_full, room < length);
        if (!j.is_full)
            assert_int_equal(j.length, length);
        if (!j.is_full)
            assert_memory_equal(got, expected, length);
    }
}

static void test_numbers_of_every_length(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 100100; value++)
        check_number(value);
    for (uint64_t power = 100000; power < UINT64_MAX / 10; power *= 10)
        for (uint64_t i = 0; i < 9; i++)
            check_number(power * (1 + i) - i % 3);
    check_number(UINT64_MAX);
    check_number(UINT64_MAX - 1);
    check_number(INT64_MAX);
}

/* Whole numbers take a way of their own, to the same digits. */
static void test_whole_doubles(void **state)
{
    (void)state;
    char expected[64], got[64];
    for (int32_t i = -1000003; i <= 1000003; i++) {
        struct ft_json j = ft_json_make(got, sizeof(got));
        ft_json_double(&j, i);
        int n = sprintf(expected, "%.6g", (double)i);
        if (strtod(expected, NULL) != i)
            n = sprintf(expected, "%.7g", (double)i);
        assert_int_equal(j.length, n);
        assert_memory_equal(got, expected, (size_t)n);
    }
    struct ft_json j = writer();
    ft_json_array(&j);
    ft_json_double(&j, -0.0);
    ft_json_double(&j, 0.0);
    ft_json_double(&j, 999999.5);
    ft_json_double(&j, -1e300);
    ft_json_array_end(&j);
    assert_text(&j, "[-0,0,999999.5,-1e+300]");
}

/* The second of the time before is remembered: going back and forth changes nothing. */
static void test_time_back_and_forth(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {1700000000999999999u, "2023-11-14T22:13:20.999999+0000"},
        {1700000000000000999u, "2023-11-14T22:13:20.000000+0000"},
        {1700000001000001000u, "2023-11-14T22:13:21.000001+0000"},
        {0, "1970-01-01T00:00:00.000000+0000"},
        {1700000001012345678u, "2023-11-14T22:13:21.012345+0000"},
        {UINT64_MAX, "2554-07-21T23:34:33.709551+0000"},
        {951782400000000000u, "2000-02-29T00:00:00.000000+0000"},
    };
    for (unsigned i = 0; i < 7 * 7; i++) {
        char got[32];
        ft_time_text(got, rows[i % 7].ns);
        assert_string_equal(got, rows[i % 7].text);
        ft_time_text(got, rows[i / 7].ns);
        assert_string_equal(got, rows[i / 7].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure_and_commas),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles_are_shortest),
        cmocka_unit_test(test_doubles_read_back),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_every_pair_of_bytes_is_valid_json),
        cmocka_unit_test(test_addresses_and_bytes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_full_buffer),
        cmocka_unit_test(test_text_of_every_length),
        cmocka_unit_test(test_numbers_of_every_length),
        cmocka_unit_test(test_whole_doubles),
        cmocka_unit_test(test_time_back_and_forth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
