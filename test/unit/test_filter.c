/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of capture filters: tags, link types, what is no filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/filter.h"

#define ETHERNET 1
#define RAW      101
#define SLL      113

/* UDP from 10.0.0.1:1000 to 10.0.0.2:port behind `tags` tags; its length. */
static uint32_t udp(uint8_t *frame, unsigned tags, uint16_t port)
{
    static const uint8_t ip[] = {0x45, 0, 0,  28, 0, 0, 0, 0,    64, 17, 0, 0, 10, 0,
                                 0,    1, 10, 0,  0, 2, 3, 0xe8, 0,  0,  0, 8, 0,  0};
    uint32_t n = 12;
    memset(frame, 2, 12);
    for (unsigned i = 0; i < tags; i++, n += 4)
        memcpy(frame + n, "\x81\x00\x00\x07", 4);
    memcpy(frame + n, "\x08\x00", 2);
    memcpy(frame + n + 2, ip, sizeof(ip));
    frame[n + 2 + 22] = (uint8_t)(port >> 8);
    frame[n + 2 + 23] = (uint8_t)port;
    return n + 2 + (uint32_t)sizeof(ip);
}

static bool passes(struct ft_filter *f, const uint8_t *data, uint32_t length, uint16_t linktype)
{
    struct ft_capture_record record = {
        .data = data, .caplen = length, .wirelen = length, .linktype = linktype};
    return ft_filter_passes(f, &record);
}

static struct ft_filter *make(const char *expression)
{
    char error[512] = "";
    struct ft_filter *f = ft_filter_new(expression, error, sizeof(error));
    if (!f)
        fail_msg("%s", error);
    return f;
}

static void tags_do_not_matter(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502 or udp port 503");
    for (unsigned tags = 0; tags <= 4; tags++) { /* up to three are looked behind */
        uint32_t n = udp(frame, tags, 502);
        assert_true(passes(f, frame, n, ETHERNET) == (tags < 4));
        n = udp(frame, tags, 503);
        assert_true(passes(f, frame, n, ETHERNET) == (tags < 4));
        n = udp(frame, tags, 504);
        assert_false(passes(f, frame, n, ETHERNET));
    }
    ft_filter_free(f);
}

static void a_tag_can_be_asked_for(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("vlan 7 and udp");
    assert_false(passes(f, frame, udp(frame, 0, 502), ETHERNET));
    assert_true(passes(f, frame, udp(frame, 1, 502), ETHERNET));
    assert_false(passes(f, frame, udp(frame, 2, 502), ETHERNET));
    ft_filter_free(f);
    f = make("not vlan");
    assert_true(passes(f, frame, udp(frame, 0, 502), ETHERNET));
    assert_false(passes(f, frame, udp(frame, 1, 502), ETHERNET));
    ft_filter_free(f);
}

/* What tcpdump gets wrong for people: behind a tag nothing is port 22, so all of it would pass. */
static void tags_do_not_matter_for_what_is_not(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("not port 22");
    for (unsigned tags = 0; tags <= 3; tags++) {
        assert_false(passes(f, frame, udp(frame, tags, 22), ETHERNET));
        assert_true(passes(f, frame, udp(frame, tags, 23), ETHERNET));
    }
    ft_filter_free(f);
}

static void other_link_types(void **state)
{
    uint8_t frame[128], cooked[128] = {0, 0, 0, 1};
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 0, 502);
    assert_true(passes(f, frame, n, ETHERNET));
    assert_true(passes(f, frame + 14, n - 14, RAW));
    cooked[14] = 8;
    memcpy(cooked + 16, frame + 14, n - 14);
    assert_true(passes(f, cooked, n + 2, SLL));
    assert_false(passes(f, frame, n, RAW));
    assert_null(ft_filter_remark(f));
    ft_filter_free(f);
}

static void a_type_without_meaning_is_told(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("ether host 02:02:02:02:02:02");
    uint32_t n = udp(frame, 0, 502);
    assert_true(passes(f, frame, n, ETHERNET));
    assert_null(ft_filter_remark(f));
    assert_false(passes(f, frame + 14, n - 14, RAW));
    assert_non_null(strstr(ft_filter_remark(f), "link type 101"));
    assert_true(passes(f, frame, n, ETHERNET));
    ft_filter_free(f);
}

static void many_link_types(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 0, 502);
    for (unsigned type = 0; type < 65536; type += 7)
        if (type != ETHERNET)
            passes(f, frame, n, (uint16_t)type);
    assert_true(passes(f, frame, n, ETHERNET));
    ft_filter_free(f);
}

static void what_is_cut_is_no_match(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 1, 502);
    for (uint32_t length = 0; length < n - 4; length++)
        assert_true(!passes(f, frame, length, ETHERNET) || length >= n - 4 - 4);
    ft_filter_free(f);
}

static void what_is_no_filter(void **state)
{
    static const char *const wrong[] = {"udp prot 502", "port",        "(udp",
                                        "udp)",         "1 or) or (2", "\x80"};
    char error[512];
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        *error = 0;
        assert_null(ft_filter_new(wrong[i], error, sizeof(error)));
        assert_non_null(strstr(error, "is no filter"));
    }
    ft_filter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_do_not_matter),
        cmocka_unit_test(a_tag_can_be_asked_for),
        cmocka_unit_test(tags_do_not_matter_for_what_is_not),
        cmocka_unit_test(other_link_types),
        cmocka_unit_test(a_type_without_meaning_is_told),
        cmocka_unit_test(many_link_types),
        cmocka_unit_test(what_is_cut_is_no_match),
        cmocka_unit_test(what_is_no_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
