/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DNS dissector, dns.c: recognition, and conversations as they are seen. Its parts are tested
 * one by one in test_dns_wire.c, test_dns_message.c, test_dns_rdata.c and test_dns_facts.c.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_dns;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_dns, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dns", FT_TRANSPORT_UDP, 53);
    return 0;
}

static int open_stream(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dns", FT_TRANSPORT_TCP, 53);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* plc.example.com, at offset 12 */
#define NAME    "03 706c63 07 6578616d706c65 03 636f6d 00 "
#define QUERY_A "1234 0100 0001 0000 0000 0000 " NAME "0001 0001"
#define RESPONSE_A                                                                                 \
    "1234 8180 0001 0001 0000 0000 " NAME "0001 0001 c00c 0001 0001 0000003c 0004 c0a80a14"

static void query_and_answer(void **state)
{
    (void)state;
    const char *s = to_server(&f, QUERY_A);
    assert_has(s, "\"command\":\"query\",\"code\":0,\"qualifier\":0,\"class\":\"read\"");
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"type\":\"query\"");
    assert_has(s, "\"id\":4660,\"flags\":\"100\",\"qr\":false");
    assert_has(s, "\"rd\":true");
    assert_has(s, "\"rrname\":\"plc.example.com\",\"rrtype\":\"A\",\"rrtype_code\":1");
    assert_has(s, "\"query_len\":15,\"label_len\":7");
    assert_clean(s);
    s = to_client(&f, RESPONSE_A);
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"answers\":[{\"rrname\":\"plc.example.com\",\"rrtype\":\"A\",\"rrtype_code\":1,"
                  "\"class\":\"IN\",\"class_code\":1,\"ttl\":60,\"rdata\":\"192.168.10.20\"}]");
    assert_has(s, "\"rcode\":\"NOERROR\"");
    assert_has(s, "{\"fact\":{\"of\":\"192.168.10.20\",\"fact\":\"name\","
                  "\"value\":\"plc.example.com\"}}");
    assert_has(s, "\"fact\":\"role\",\"value\":\"server\"");
    assert_clean(s);
}

static void direction_comes_from_the_message(void **state)
{
    (void)state;
    assert_has(to_server(&f, RESPONSE_A), "\"direction\":\"to_client\"");
    assert_has(to_client(&f, QUERY_A), "\"direction\":\"to_server\"");
}

static void errors(void **state)
{
    (void)state;
    const char *s = to_client(&f, "1234 8183 0001 0000 0000 0000 " NAME "0001 0001");
    assert_has(s, "\"rcode\":\"NXDOMAIN\",\"rcode_code\":3");
    assert_has(s, "\"kind\":\"response\"");
    assert_has(to_client(&f, "1234 8182 0001 0000 0000 0000 " NAME "0001 0001"),
               "\"kind\":\"exception\"");
    /* The upper bits of the result are in the OPT record: BADVERS. */
    s = to_client(&f, "1234 8180 0001 0000 0000 0001 " NAME "0001 0001 00 0029 04d0 01008000 0000");
    assert_has(s, "\"rcode\":\"BADVERS\",\"rcode_code\":16");
    assert_has(s, "\"edns\":{\"size\":1232,\"version\":0,\"do\":true}");
    assert_clean(s);
}

static const char *answer(const char *record)
{
    char text[2000];
    snprintf(text, sizeof(text), "1234 8180 0001 0001 0000 0000 " NAME "00ff 0001 %s", record);
    return to_client(&f, text);
}

static void records(void **state)
{
    (void)state;
    const char *s = answer("c00c 001c 0001 0000003c 0010 20010db8000000000000000000000001");
    assert_has(s, "\"rdata\":\"2001:db8::1\"");
    assert_has(s, "\"of\":\"2001:db8::1\"");
    assert_has(answer("c00c 001c 0001 0000003c 0010 00000000000000000000000000000000"),
               "\"rdata\":\"::\"");
    assert_has(answer("c00c 001c 0001 0000003c 0010 20010db8000100020003000400050006"),
               "\"rdata\":\"2001:db8:1:2:3:4:5:6\"");
    assert_has(answer("c00c 0005 0001 0000003c 0006 03 777777 c010"),
               "\"rdata\":\"www.example.com\"");
    assert_has(answer("c00c 000f 0001 0000003c 0009 000a 04 6d61696c c010"),
               "\"rdata\":\"mail.example.com\"");
    s = answer("c00c 0021 0001 0000003c 000d 000a 0014 12c0 04 6f706375 c010");
    assert_has(s, "\"srv\":{\"priority\":10,\"weight\":20,\"port\":4800,"
                  "\"name\":\"opcu.example.com\"}");
    s = answer("c00c 0010 0001 0000003c 0008 03 613d31 03 623d32");
    assert_has(s, "\"txt\":[\"a=1\",\"b=2\"],\"rdata\":\"a=1b=2\"");
    s = answer("c00c 0006 0001 0000003c 001d 02 6e73 c010 01 61 c010 00000001 00000002 00000003 "
               "00000004 00000005");
    assert_has(s, "\"soa\":{\"mname\":\"ns.example.com\",\"rname\":\"a.example.com\",\"serial\":1,"
                  "\"refresh\":2,\"retry\":3,\"expire\":4,\"minimum\":5}");
    assert_clean(s);
    assert_has(answer("c00c 0101 0001 0000003c 0007 00 05 6973737565"), "\"rdata\":\"0 issue \"");
    s = answer("c00c 0041 0001 0000003c 0003 0001 00");
    assert_has(s, "\"rrtype\":\"HTTPS\"");
    assert_has(s, "\"rdata\":\"1 \"");
    assert_clean(s);
    s = answer("c00c 002b 0001 0000003c 0006 1234 08 02 abcd");
    assert_has(s, "\"rdata\":\"4660 8 2\",\"rdata_bytes\":\"abcd\"");
    s = answer("c00c 000a 0001 0000003c 0003 010203");
    assert_has(s, "\"rrtype\":\"NULL\"");
    assert_has(s, "\"rdata_bytes\":\"010203\"");
    assert_clean(s);
}

static void names_of_addresses(void **state)
{
    (void)state;
    const char *s = to_client(
        &f, "0001 8580 0001 0001 0000 0000 "
            "02 3230 02 3130 03 313638 03 313932 07 696e2d61646472 04 61727061 00 000c 0001 "
            "c00c 000c 0001 0000003c 0005 03 706c63 00");
    assert_has(s, "\"rrname\":\"20.10.168.192.in-addr.arpa\"");
    assert_has(s, "{\"fact\":{\"of\":\"192.168.10.20\",\"fact\":\"name\",\"value\":\"plc\"}}");
    /* Too large a number is no address. */
    s = to_client(&f, "0001 8580 0001 0001 0000 0000 "
                      "03 333230 02 3130 03 313638 03 313932 07 696e2d61646472 04 61727061 00 "
                      "000c 0001 c00c 000c 0001 0000003c 0005 03 706c63 00");
    assert_has_not(s, "\"of\"");
}

static void domain_controllers(void **state)
{
    (void)state;
    const char *s =
        to_client(&f, "0001 8580 0001 0001 0000 0001 "
                      "05 5f6c646170 04 5f746370 02 6463 06 5f6d73646373 04 6f742d31 00 0021 0001 "
                      "c00c 0021 0001 0000003c 0010 0000 0064 0185 03 646331 04 6f742d31 00 "
                      "03 646331 04 6f742d31 00 0001 0001 0000003c 0004 0a000001");
    assert_has(s, "\"rrname\":\"_ldap._tcp.dc._msdcs.ot-1\"");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.1\",\"fact\":\"description\","
                  "\"value\":\"domain controller\"}}");
}

static void operations(void **state)
{
    (void)state;
    assert_has(to_server(&f, "0001 0000 0001 0000 0000 0000 " NAME "00fc 0001"),
               "\"command\":\"transfer_zone\"");
    assert_has(to_server(&f, "0001 0000 0001 0000 0000 0000 " NAME "000a 0001"),
               "\"command\":\"query_null\"");
    assert_has(to_server(&f, "0001 2400 0001 0000 0000 0000 " NAME "0006 0001"),
               "\"command\":\"notify\"");
    assert_has(to_server(&f, "0001 1000 0000 0000 0000 0000 "), "\"command\":\"status\"");
    /* An update adds plc.example.com; its zone is example.com. */
    const char *s = to_server(&f, "0001 2800 0001 0000 0001 0000 07 6578616d706c65 03 636f6d 00 "
                                  "0006 0001 03 706c63 c00c 0001 0001 000004b0 0004 0a000002");
    assert_has(s, "\"command\":\"update\",\"code\":5,\"qualifier\":0,\"class\":\"config\"");
    assert_has(s,
               "{\"fact\":{\"of\":\"10.0.0.2\",\"fact\":\"name\",\"value\":\"plc.example.com\"}}");
    assert_clean(s);
    assert_violation(to_server(&f, "0001 3800 0000 0000 0000 0000 "), "opcode");
}

static void pointers(void **state)
{
    (void)state;
    /* To itself, forward, into the header. */
    assert_violation(to_server(&f, "0001 0100 0001 0000 0000 0000 c00c 0001 0001"), "pointer");
    assert_violation(to_server(&f, "0001 0100 0001 0000 0000 0000 01 61 c012 0001 0001"),
                     "pointer");
    assert_violation(to_server(&f, "0001 0100 0001 0000 0000 0000 c004 0001 0001"), "pointer");
    /* A loop of two. */
    assert_violation(answer("01 61 c025 0001 0001 0000003c 0004 0a000001"), "pointer");
    feed_next_flow(&f);
    assert_clean(answer("c010 0001 0001 0000003c 0004 0a000001"));
    assert_violation(to_server(&f, "0001 0100 0001 0000 0000 0000 41 61 00 0001 0001"), "label");
}

static void long_names(void **state)
{
    (void)state;
    char text[2000] = "0001 0100 0001 0000 0000 0000 ";
    /* Three labels of 63, one of 61: 255 bytes, which is allowed. */
    for (unsigned label = 0; label < 4; label++) {
        unsigned length = label < 3 ? 63 : 61;
        snprintf(text + strlen(text), 4, "%02x ", length);
        for (unsigned i = 0; i < length; i++)
            strcat(text, "61");
    }
    size_t end = strlen(text);
    strcat(text, "00 0001 0001");
    const char *s = to_server(&f, text);
    assert_clean(s);
    assert_has(s, "\"query_len\":253,\"label_len\":63");
    assert_has(s, "\"label_entropy\":0");
    text[end] = 0;
    strcat(text, "01 61 00 0001 0001");
    assert_violation(to_server(&f, text), "name_length");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "1234 0140 0001 0000 0000 0000 " NAME "0001 0001"),
                     "reserved_bit");
    assert_violation(
        to_server(&f, "1234 0100 0002 0000 0000 0000 " NAME "0001 0001 c00c 001c 0001"),
        "questions");
    assert_violation(to_server(&f, "1234 0100 0001 0001 0000 0000 " NAME
                                   "0001 0001 c00c 0001 0001 0000003c 0004 0a000001"),
                     "query_with_answers");
    assert_violation(answer("c00c 0001 0001 0000003c 0005 0a00000100"), "rdata");
    assert_violation(answer("c00c 0001 0001 0000003c 0003 0a0000"), "rdata");
    assert_violation(answer("c00c 0001 0001 0000003c 0008 0a000001"), "malformed");
    assert_violation(to_server(&f, QUERY_A "00"), "trailing_bytes");
    assert_violation(to_server(&f, "1234 0100 ffff 0000 0000 0000 " NAME "0001 0001"), "malformed");
}

static void unsolicited(void **state)
{
    (void)state;
    /* Of a flow whose queries are not seen nothing is said. */
    assert_clean(to_client(&f, RESPONSE_A));
    to_server(&f, QUERY_A);
    assert_violation(to_client(&f, "4321 8180 0001 0001 0000 0000 " NAME
                                   "0001 0001 c00c 0001 0001 0000003c 0004 c0a80a15"),
                     "unsolicited");
    assert_clean(to_client(&f, RESPONSE_A));
    assert_clean(to_client(&f, RESPONSE_A)); /* a copy */
    assert_violation(to_client(&f, "1234 8180 0001 0001 0000 0000 " NAME
                                   "0001 0001 c00c 0001 0001 0000003c 0004 c0a80a15"),
                     "answers_differ");
}

static void streams(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0021 " QUERY_A "0021 " QUERY_A);
    assert_int_equal(feed_count(s, "\"command\":\"query\""), 2);
    assert_has(s, "\"tcp\":true");
    s = to_client(&f, "0031 " RESPONSE_A);
    assert_has(s, "\"paired\":true");
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes("0021 " QUERY_A, bytes);
    feed_next_flow(&f);
    for (uint32_t i = 0; i < n; i++)
        s = feed_raw(&f, FT_TO_SERVER, bytes + i, 1);
    assert_has(s, "\"command\":\"query\"");
    feed_next_flow(&f);
    assert_violation(to_server(&f, "0021 1234 0300 0001 0000 0000 0000 " NAME "0001 0001"),
                     "truncated_over_tcp");
    feed_next_flow(&f);
    f.flow.is_midstream = 1;
    assert_has(to_client(&f, "0031 " RESPONSE_A), "\"direction\":\"to_client\"");
}

static void recognition(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    struct ft_harness_flow other = f.flow;
    uint32_t n = feed_bytes(QUERY_A, bytes);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n), FT_YES);
    other.server_port = 5300;
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, bytes, n), FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, bytes, n - 1), FT_NO);
    bytes[n] = 0;
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, bytes, n + 1), FT_NO);
    /* Bytes of an address record in the middle of a stream: a header alone, but for its length. */
    const struct ft_probe tcp = {
        .size = sizeof(tcp), .transport = FT_TRANSPORT_TCP, .is_bound = true};
    n = feed_bytes("0010 2001 0db8 0000 0000 0000 0000 0000 0015 c00c 001c 0001", bytes);
    assert_int_equal(ft_dissector_dns.probe(&tcp, ft_view_make(bytes, n, true)), FT_NO);
    /* and with more records than its length has room for */
    n = feed_bytes("0100 1234 8180 0001 1000 0000 0000 0161 00", bytes);
    assert_int_equal(ft_dissector_dns.probe(&tcp, ft_view_make(bytes, n, true)), FT_YES);
    n = feed_bytes("0100 1234 8180 0002 1000 0000 0000 0161 00", bytes);
    assert_int_equal(ft_dissector_dns.probe(&tcp, ft_view_make(bytes, n, true)), FT_NO);
    n = feed_bytes("4745 5420 2f20 4854 5450 2f31 2e31 0d0a", bytes);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n), FT_NO);
}

static enum ft_verdict probe(uint8_t transport, bool is_bound, const char *hex, bool is_cut)
{
    uint8_t bytes[FEED_MAX];
    struct ft_probe where = {.size = sizeof(where), .transport = transport, .is_bound = is_bound};
    uint32_t n = feed_bytes(hex, bytes);
    return ft_dissector_dns.probe(&where, ft_view_make(bytes, n, is_cut));
}

/* On port 53: a header that can be, as far as it is here. */
static void recognition_of_datagrams(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum ft_verdict whole, cut;
    } cases[] = {
        {"", FT_NO, FT_MAYBE},
        {"0001 0100 0001 0000 0000 00", FT_NO, FT_MAYBE},
        {"0001 18", FT_NO, FT_MAYBE},
        {"0001 1800", FT_NO, FT_NO}, /* operation 3 */
        {"0001 1800 0001 0000 0000 0000 " NAME "0001 0001", FT_NO, FT_NO},
        {"0001 3800 0001 0000 0000 0000 " NAME "0001 0001", FT_NO, FT_NO},
        {"0001 7800 0001 0000 0000 0000 " NAME "0001 0001", FT_NO, FT_NO},
        {"0001 2800 0001 0000 0000 0000 " NAME "0001 0001", FT_YES, FT_YES},
        {"0001 3000 0001 0000 0000 0000 " NAME "0001 0001", FT_YES, FT_YES},
        {"0001 0018 0001 0000 0000 0000 " NAME "0001 0001", FT_YES, FT_YES},
        /* nothing counted: only the header, or DSO */
        {"0001 8181 0000 0000 0000 0000", FT_YES, FT_YES},
        {"0001 8181 0000 0000 0000 0000 00", FT_NO, FT_YES},
        {"0001 3000 0000 0000 0000 0000 0001 0008 00003a98 00003a98", FT_YES, FT_YES},
        {"0001 8181 0000 0001 0000 0000 00", FT_YES, FT_YES},
        {"0001 8181 0000 0000 0001 0000 00", FT_YES, FT_YES},
        {"0001 8181 0000 0000 0000 0001 00", FT_YES, FT_YES},
        {"0001 8181 0001 0000 0000 0000 00", FT_YES, FT_YES},
        /* A strange header needs counts that there is room for: 20 bytes, 4 questions */
        {"0001 0140 0001 0000 0000 0000 00 0001 0001 000000", FT_YES, FT_YES},
        {"0001 0100 0004 0000 0000 0000 00 0001 0001 000000", FT_YES, FT_YES},
        {"0001 0100 0005 0000 0000 0000 00 0001 0001 000000", FT_NO, FT_YES},
        {"0001 0140 0001 0014 0000 0000 00 0001 0001 000000", FT_YES, FT_YES},
        {"0001 0140 0001 0015 0000 0000 00 0001 0001 000000", FT_NO, FT_YES},
        {"0001 0140 0001 0007 0007 0007 00 0001 0001 000000", FT_NO, FT_YES},
        {"0001 0140 0001 0000 0100 0000 00 0001 0001 000000", FT_NO, FT_YES},
        {"0001 0140 0001 0000 0000 0100 00 0001 0001 000000", FT_NO, FT_YES},
        {"0001 0140 0000 0100 0000 0000 00 0001 0001 000000", FT_NO, FT_YES},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(probe(FT_TRANSPORT_UDP, true, cases[i].hex, false), cases[i].whole);
        assert_int_equal(probe(FT_TRANSPORT_UDP, true, cases[i].hex, true), cases[i].cut);
    }
    /* On other ports the whole message is read. */
    assert_int_equal(probe(FT_TRANSPORT_UDP, false, RESPONSE_A, false), FT_YES);
    assert_int_equal(probe(FT_TRANSPORT_UDP, false, "0001 8181 0000 0000 0000 0000", false), FT_NO);
}

/* In a stream what is behind the message may not be here yet, or be another message. */
static void recognition_of_streams(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum ft_verdict bound, elsewhere;
    } cases[] = {
        {"", FT_MAYBE, FT_NO},
        {"00", FT_MAYBE, FT_NO},
        {"0021", FT_MAYBE, FT_NO},
        {"0021 1234", FT_MAYBE, FT_NO},
        {"000c 1234", FT_MAYBE, FT_NO},
        {"000b 1234", FT_NO, FT_NO},
        {"0021 1234 0100 0001 0000 0000 00", FT_MAYBE, FT_NO},
        {"0021 1234 0100 0001 0000 0000 0000", FT_YES, FT_NO},
        {"0021 1234 1800 0001 0000 0000 0000", FT_NO, FT_NO},
        {"0021 " QUERY_A, FT_YES, FT_YES},
        {"0021 " QUERY_A "0021 " QUERY_A, FT_YES, FT_NO},
        {"0020 " QUERY_A, FT_YES, FT_NO},
        {"0022 " QUERY_A, FT_YES, FT_NO},
        /* nothing counted: of the message's own length, whole or begun */
        {"000c 1234 8181 0000 0000 0000 0000", FT_YES, FT_NO},
        {"000d 1234 8181 0000 0000 0000 0000 00", FT_NO, FT_NO},
        {"000d 1234 8181 0000 0000 0000 0000", FT_YES, FT_NO},
        {"000c 1234 8181 0000 0000 0000 0000 0021", FT_YES, FT_NO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(probe(FT_TRANSPORT_TCP, true, cases[i].hex, false), cases[i].bound);
        assert_int_equal(probe(FT_TRANSPORT_TCP, false, cases[i].hex, false), cases[i].elsewhere);
    }
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    feed_truncated(&f, FT_TO_SERVER, QUERY_A);
    feed_truncated(&f, FT_TO_CLIENT, RESPONSE_A);
    feed_mutated(&f, FT_TO_CLIENT, RESPONSE_A, 3000);
    feed_mutated(&f, FT_TO_CLIENT,
                 "0001 8580 0001 0003 0000 0001 " NAME "0021 0001 c00c 0021 0001 0000003c 000d "
                 "000a 0014 12c0 04 6f706375 c010 c00c 0006 0001 0000003c 001d 02 6e73 c010 01 61 "
                 "c010 00000001 00000002 00000003 00000004 00000005 c00c 0010 0001 0000003c 0008 "
                 "03 613d31 03 623d32 00 0029 04d0 00008000 0008 000a 0004 01020304",
                 3000);
}

#define TEST(test)   cmocka_unit_test_setup_teardown(test, open_feed, close_feed)
#define STREAM(test) cmocka_unit_test_setup_teardown(test, open_stream, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(query_and_answer),
        TEST(direction_comes_from_the_message),
        TEST(errors),
        TEST(records),
        TEST(names_of_addresses),
        TEST(domain_controllers),
        TEST(operations),
        TEST(pointers),
        TEST(long_names),
        TEST(violations),
        TEST(unsolicited),
        STREAM(streams),
        TEST(recognition),
        cmocka_unit_test(recognition_of_datagrams),
        cmocka_unit_test(recognition_of_streams),
        TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
