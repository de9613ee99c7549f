/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text of DNS data: dns_text.c, called directly. Base 32 from RFC 4648 (10), times from RFC 4034
 * (3.2, 3.3) and against the C library, day by day.
 */
#include "feed.h"

#include "protocols/network/dns_text.h"

#include <time.h>

static void assert_text(const struct ft_dns_text *t, const char *text)
{
    if (t->length != strlen(text) || memcmp(t->text, text, t->length) != 0)
        fail_msg("\"%.*s\", not \"%s\"", (int)t->length, t->text, text);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        uint32_t seconds;
        const char *text;
    } cases[] = {
        {0, "19700101000000"},
        {1079901602, "20040321204002"},
        /* leap years: each fourth, each 400th, but no hundredth */
        {951782399, "20000228235959"},
        {951782400, "20000229000000"},
        {951868800, "20000301000000"},
        {1078099199, "20040229235959"},
        {1109635200, "20050301000000"},
        {4107542399, "21000228235959"},
        {4107542400, "21000301000000"},
        {UINT32_MAX, "21060207062815"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ft_dns_text t = {.length = 0};
        ft_dns_text_time(&t, cases[i].seconds);
        assert_text(&t, cases[i].text);
    }
}

/* Each day that 32 bits reach, at another time of it. */
static void days(void **state)
{
    (void)state;
    for (uint32_t day = 0; day <= UINT32_MAX / 86400; day++) {
        uint32_t seconds = day * 86400 + (day < UINT32_MAX / 86400 ? day * 37 % 86400 : 0);
        time_t time = (time_t)seconds;
        struct ft_dns_text t = {.length = 0};
        char expected[32];
        struct tm tm;
        gmtime_r(&time, &tm);
        strftime(expected, sizeof(expected), "%Y%m%d%H%M%S", &tm);
        ft_dns_text_time(&t, seconds);
        assert_text(&t, expected);
    }
}

static void base32(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "co"},
        {"fo", "cpng"},
        {"foo", "cpnmu"},
        {"foob", "cpnmuog"},
        {"fooba", "cpnmuoj1"},
        {"foobar", "cpnmuoj1e8"},
        {"\xff\xff\xff\xff\xff", "vvvvvvvv"},
        {"\xff", "vs"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ft_dns_text t = {.length = 0};
        ft_dns_text_base32(
            &t, ft_view_make((const uint8_t *)cases[i][0], (uint32_t)strlen(cases[i][0]), false));
        assert_text(&t, cases[i][1]);
    }
}

/* Texts are put apart, but nothing stands before the first. */
static void gaps(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x0f, 0xa9}, address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    struct ft_dns_text t = {.length = 0};
    ft_dns_text_number(&t, UINT64_MAX);
    ft_dns_text_hex(&t, ft_view_make(bytes, 2, false));
    ft_dns_text_hex(&t, ft_view_empty());
    ft_dns_text_base32(&t, ft_view_make(bytes, 1, false));
    ft_dns_text_type(&t, 1);
    ft_dns_text_type(&t, 65280);
    ft_dns_text_result(&t, 16);
    ft_dns_text_result(&t, 3841);
    ft_dns_text_address(&t, ft_view_make(address, 4, false));
    ft_dns_text_address(&t, ft_view_make(address, 16, false));
    ft_dns_text_address(&t, ft_view_make(address, 5, false));
    assert_text(&t, "18446744073709551615 0fa9 - 1s A TYPE65280 BADSIG 3841 32.1.13.184 "
                    "2001:db8::1");
}

/* What does not fit is left out. */
static void room(void **state)
{
    (void)state;
    struct ft_dns_text t = {.length = sizeof(t.text) - 3};
    memset(t.text, 'x', sizeof(t.text));
    assert_false(ft_dns_text_is_full(&t));
    ft_dns_text_add(&t, "ab", 2);
    assert_false(ft_dns_text_is_full(&t));
    ft_dns_text_add(&t, "cd", 2);
    assert_true(ft_dns_text_is_full(&t));
    ft_dns_text_add(&t, "e", 1);
    assert_int_equal(t.length, sizeof(t.text));
    assert_memory_equal(t.text + sizeof(t.text) - 4, "xabc", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times), cmocka_unit_test(days), cmocka_unit_test(base32),
        cmocka_unit_test(gaps),  cmocka_unit_test(room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
