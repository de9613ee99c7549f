/* SPDX-License-Identifier: BSD-3-Clause */
/* NTP: time, pairing, control and private modes, facts, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_ntp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_ntp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "ntp", FT_TRANSPORT_UDP, 123);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

#define ZERO   "0000000000000000 "
#define SENT   "e94cd1da80000000 " /* 2024-01-13 09:09:46.5 */
#define TIME_2 "e94cd1db00000000 "
#define TIME_3 "e94cd1db40000000 "

#define CLIENT        "23 00 06 ec 00000000 00000000 00000000 " ZERO ZERO ZERO SENT
#define SERVER_OF(id) "24 01 06 ec 00000100 00008000 " id " " TIME_2 SENT TIME_2 TIME_3
#define SERVER        SERVER_OF("47505300")

static void question_and_answer(void **state)
{
    (void)state;
    const char *s = to_server(&f, CLIENT);
    assert_has(s, "\"command\":\"time\",\"code\":3");
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"mode\":\"client\",\"mode_code\":3");
    assert_has(s, "\"version\":4");
    assert_has(s, "\"poll\":6,\"precision\":-20");
    assert_has_not(s, "\"org_time\"");
    assert_has(s, "\"xmt_time\":\"2024-01-13T09:09:46.500000");
    assert_clean(s);
    s = to_client(&f, SERVER);
    assert_has(s, "\"command\":\"time_response\"");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"stratum\":1");
    assert_has(s, "\"root_delay\":0.00390625,\"root_dispersion\":0.5");
    assert_has(s, "\"refid\":\"GPS\"");
    assert_has(s, "\"offset_est\":");
    assert_has(s, "\"fact\":\"role\",\"value\":\"server\"");
    assert_has(s, "\"fact\":\"description\",\"value\":\"stratum 1 clock, GPS\"");
    assert_clean(s);
    s = to_client(&f, "24 02 06 ec 00000100 00008000 0a000001 " TIME_2 SENT TIME_2 TIME_3);
    assert_has(s, "\"refid\":\"10.0.0.1\"");
    assert_clean(s); /* a copy, but for the rest */
}

static void other_modes(void **state)
{
    (void)state;
    assert_has(to_client(&f, "25 02 06 ec 00000100 00008000 0a000001 " TIME_2 ZERO ZERO TIME_3),
               "\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    assert_has(to_server(&f, "21 02 06 ec 00000100 00008000 0a000001 " TIME_2 SENT TIME_2 TIME_3),
               "\"command\":\"symmetric_active\"");
    assert_has(to_server(&f, "22 02 06 ec 00000100 00008000 0a000001 " TIME_2 SENT TIME_2 TIME_3),
               "\"command\":\"symmetric_passive\"");
}

#define SECOND_NS 1000000000ull

/* An answer that takes so long, in tenths of a second, to come after the one before it. */
static const char *later(unsigned tenths, const char *answer)
{
    f.time_ns += tenths * SECOND_NS / 10;
    return to_client(&f, answer);
}

/* The same time as before, though time goes on; back again is another jump. */
static void jumps(void **state)
{
    (void)state;
    assert_clean(to_client(&f, SERVER));
    assert_clean(later(99, SERVER));
    assert_clean(later(99, SERVER));
    assert_violation(later(101, SERVER), "time_jump");
    assert_clean(later(0, SERVER));
    /* 16 seconds ahead at once; broadcasts, too */
    assert_violation(to_client(&f, "24 01 06 ec 00000100 00008000 47505300 " TIME_2 SENT TIME_2
                                   "e94cd1eb40000000"),
                     "time_jump");
    assert_violation(later(0, "25 01 06 ec 00000100 00008000 47505300 " TIME_2 ZERO ZERO TIME_3),
                     "time_jump");
    /* Clocks that are not set, or say nothing: alarm, stratum 0 and 16, no time */
    static const char *const others[] = {
        "e4 01 06 ec 00000100 00008000 47505300 " TIME_2 SENT TIME_2 TIME_3,
        "24 00 06 ec 00000100 00008000 52415445 " TIME_2 SENT TIME_2 TIME_3,
        "24 10 06 ec 00000100 00008000 0a000001 " TIME_2 SENT TIME_2 TIME_3,
        "24 01 06 ec 00000100 00008000 47505300 " TIME_2 SENT TIME_2 ZERO,
    };
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_no_violation(later(300, others[i]), "time_jump");
    assert_violation(later(0, SERVER), "time_jump");
    /* Each of both hosts has a clock of its own; another connection of them is the same server. */
    assert_clean(to_server(&f, "25 01 06 ec 00000100 00008000 47505300 " TIME_2 ZERO ZERO TIME_3));
    feed_next_flow(&f);
    assert_violation(later(101, SERVER), "time_jump");
}

static void tails(void **state)
{
    (void)state;
    const char *s = to_server(&f, CLIENT "00000005 00112233445566778899aabbccddeeff");
    assert_has(s, "\"keyid\":5,\"digest\":\"00112233445566778899aabbccddeeff\"");
    assert_clean(s);
    s = to_server(&f, CLIENT "0104 001c 000102030405060708090a0b0c0d0e0f1011121314151617");
    assert_has(s, "\"extensions\":[{\"type\":260,\"length\":28}]");
    assert_clean(s);
    assert_clean(to_server(&f, CLIENT "00000000"));
    assert_violation(to_server(&f, CLIENT "0104 0003 0001020304050607"
                                          "08090a0b0c0d0e0f101112131415161718"),
                     "extension");
}

static void control(void **state)
{
    (void)state;
    const char *s = to_server(&f, "16 02 0001 0000 0000 0000 0000");
    assert_has(s, "\"command\":\"read_variables\",\"code\":6,\"qualifier\":2");
    assert_has(s, "\"class\":\"diagnostic\",\"kind\":\"request\"");
    /* version="ntpd 4.2",system="Li",x=1 */
    s = to_client(&f,
                  "16 82 0001 0615 0000 0000 0022 "
                  "76657273696f6e3d226e74706420342e32222c 73797374656d3d224c69222c 783d31 0000");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"vars\":[{\"name\":\"version\",\"value\":\"ntpd 4.2\"},"
                  "{\"name\":\"system\",\"value\":\"Li\"},{\"name\":\"x\",\"value\":\"1\"}]");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"ntpd 4.2\"");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Li\"");
    assert_clean(s);
    s = to_server(&f, "16 08 0002 0000 0000 0000 0003 613d31 00");
    assert_has(s, "\"command\":\"configure\"");
    assert_has(s, "\"class\":\"config\"");
    assert_has(to_client(&f, "16 c8 0002 0000 0000 0000 0000"), "\"kind\":\"exception\"");
    assert_violation(to_client(&f, "16 82 0001 0615 0000 0000 0022 76657273"), "malformed");
}

static void private(void **state)
{
    (void)state;
    const char *s = to_server(&f, "17 00 03 2a 0000 0000");
    assert_has(s, "\"command\":\"monitor_list_1\",\"code\":7,\"qualifier\":42");
    assert_has(s, "\"implementation\":\"xntpd\"");
    assert_has(s, "\"request\":\"monitor_list_1\"");
    s = to_client(&f, "d7 00 03 2a 0001 0008 0001020304050607");
    assert_has(s, "\"more\":true");
    assert_has(s, "\"items\":1,\"item_size\":8");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    assert_has(to_client(&f, "97 00 03 2a 4000 0000"), "\"error\":\"no_data\"");
    assert_violation(to_client(&f, "97 00 03 2a 0002 0008 0001020304050607"), "malformed");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "3b 00 06 ec 00000000 00000000 00000000 " ZERO ZERO ZERO SENT),
                     "version");
    feed_next_flow(&f);
    assert_clean(to_client(&f, SERVER)); /* nothing is known of requests */
    feed_next_flow(&f);
    to_server(&f, CLIENT);
    assert_violation(
        to_client(&f, "24 01 06 ec 00000100 00008000 47505300 " TIME_2 TIME_2 TIME_2 TIME_3),
        "origin");
    assert_clean(to_client(&f, SERVER));
    assert_violation(
        to_client(&f, "24 01 06 ec 00000100 00008000 47505300 " TIME_2 SENT TIME_2 ZERO),
        "transmit_time");
    assert_violation(to_client(&f, SERVER_OF("01020304")), "reference_id");
    assert_violation(
        to_client(&f, "24 11 06 ec 00000100 00008000 0a000001 " TIME_2 SENT TIME_2 TIME_3),
        "stratum");
    const char *s =
        to_client(&f, "e4 00 06 ec 00000100 00008000 52415445 " TIME_2 SENT TIME_2 TIME_3);
    assert_violation(s, "refused");
    assert_has(s, "\"kod\":\"RATE\"");
    assert_no_violation(s, "stratum");
}

static void recognition(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    struct ft_harness_flow other = f.flow;
    other.server_port = 12300;
    uint32_t n = feed_bytes(SERVER, bytes);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_CLIENT, bytes, n), FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_CLIENT, bytes, 20), FT_NO);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_CLIENT, bytes, n), FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_CLIENT, bytes, n - 1), FT_NO);
    n = feed_bytes(CLIENT, bytes);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, bytes, n), FT_MAYBE);
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    feed_truncated(&f, FT_TO_CLIENT, SERVER "00000005 00112233445566778899aabbccddeeff");
    feed_mutated(&f, FT_TO_CLIENT, SERVER "00000005 00112233445566778899aabbccddeeff", 2000);
    feed_mutated(&f, FT_TO_CLIENT,
                 "16 82 0001 0615 0000 0000 0022 "
                 "76657273696f6e3d226e74706420342e32222c 73797374656d3d224c69222c 783d31 0000",
                 2000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(question_and_answer),
        TEST(other_modes),
        TEST(tails),
        TEST(jumps),
        TEST(control),
        TEST(private),
        TEST(violations),
        TEST(recognition),
        TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
