/* SPDX-License-Identifier: BSD-3-Clause */
/* Community ID against the published vectors of the specification's baseline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "output/community_id.h"

static const struct {
    const char *src, *dst;
    uint16_t src_port, dst_port;
    uint8_t proto;
    const char *id;
} vectors[] = {
    {"128.232.110.120", "66.35.250.204", 34855, 80, 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"192.168.1.52", "8.8.8.8", 54585, 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {"192.168.0.89", "192.168.0.1", 8, 0, 1, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {"fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, 58, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
    {"10.1.12.1", "10.1.12.2", 0, 0, 46, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
    {"192.168.170.8", "192.168.170.56", 7, 7, 132, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
};

static struct ft_community_tuple tuple_of(size_t i, bool is_swapped)
{
    struct ft_community_tuple t = {.proto = vectors[i].proto};
    t.is_ipv6 = strchr(vectors[i].src, ':') != NULL;
    inet_pton(t.is_ipv6 ? AF_INET6 : AF_INET, is_swapped ? vectors[i].dst : vectors[i].src, t.src);
    inet_pton(t.is_ipv6 ? AF_INET6 : AF_INET, is_swapped ? vectors[i].src : vectors[i].dst, t.dst);
    t.src_port = is_swapped ? vectors[i].dst_port : vectors[i].src_port;
    t.dst_port = is_swapped ? vectors[i].src_port : vectors[i].dst_port;
    return t;
}

static void test_vectors(void **state)
{
    (void)state;
    struct ft_community_id *c = ft_community_id_new();
    for (int pass = 0; pass < 2; pass++) /* computed, then from the cache */
        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
            struct ft_community_tuple t = tuple_of(i, false);
            assert_string_equal(ft_community_id(c, &t), vectors[i].id);
        }
    ft_community_id_free(c);
}

static void test_both_directions_are_one(void **state)
{
    (void)state;
    struct ft_community_id *c = ft_community_id_new();
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct ft_community_tuple t = tuple_of(i, true);
        if (t.proto == 1) { /* the answer of an echo request is type 0 */
            t.src_port = 0;
            t.dst_port = 0;
        } else if (t.proto == 58) { /* of a router solicitation: 134 */
            t.src_port = 134;
            t.dst_port = 0;
        }
        assert_string_equal(ft_community_id(c, &t), vectors[i].id);
    }
    ft_community_id_free(c);
}

static void test_one_way_icmp_keeps_its_direction(void **state)
{
    (void)state;
    struct ft_community_id *c = ft_community_id_new();
    char there[FT_COMMUNITY_ID_SIZE];
    struct ft_community_tuple t = tuple_of(2, false);
    t.src_port = 3; /* unreachable */
    t.dst_port = 1;
    strcpy(there, ft_community_id(c, &t));
    struct ft_community_tuple back = tuple_of(2, true);
    back.src_port = 3;
    back.dst_port = 1;
    assert_string_not_equal(ft_community_id(c, &back), there);
    ft_community_id_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_both_directions_are_one),
        cmocka_unit_test(test_one_way_icmp_keeps_its_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
