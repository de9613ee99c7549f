/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mDNS and LLMNR dissectors, mdns.c and llmnr.c: what they have beyond DNS. What the three
 * share is tested in test_dns_message.c and test_dns_facts.c.
 */
#include "feed.h"

extern const struct ft_dissector ft_dissector_mdns, ft_dissector_llmnr;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_mdns, &ft_dissector_llmnr,
                                                        NULL};

static struct feed f;

static int open_mdns(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "mdns", FT_TRANSPORT_UDP, 5353);
    f.flow.client_port = 5353;
    return 0;
}

static int open_llmnr(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "llmnr", FT_TRANSPORT_UDP, 5355);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* _ipp._tcp.local */
#define IPP "04 5f697070 04 5f746370 05 6c6f63616c 00 "
/* cam.local */
#define CAM "03 63616d 05 6c6f63616c 00 "

static void queries(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0000 0000 0002 0000 0000 0000 " IPP "000c 8001 c00c 000c 0001");
    assert_has(s, "\"protocol\":\"mdns\",\"command\":\"query\"");
    assert_has(s, "\"queries\":[{\"rrname\":\"_ipp._tcp.local\",\"rrtype\":\"PTR\","
                  "\"rrtype_code\":12,\"class\":\"IN\",\"class_code\":1,\"unicast\":true},");
    assert_clean(s);
    /* What is known already is in the answer section. */
    assert_clean(to_server(&f, "0000 0000 0001 0001 0000 0000 " IPP "000c 0001 "
                               "c00c 000c 0001 00000e10 0004 01 61 c00c"));
    s = to_server(&f, "0000 0000 0001 0000 0001 0000 " CAM "00ff 0001 "
                      "c00c 0001 0001 00000078 0004 0a000009");
    assert_has(s, "\"command\":\"probe\",\"code\":0,\"qualifier\":65536,\"class\":\"config\"");
    assert_has_not(s, "\"fact\"");
}

static void announcements(void **state)
{
    (void)state;
    const char *s =
        to_server(&f, "0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009");
    assert_has(s, "\"command\":\"response\"");
    assert_has(s, "\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    assert_has(s, "\"class\":\"IN\",\"class_code\":1,\"cache_flush\":true,\"ttl\":120,"
                  "\"rdata\":\"10.0.0.9\"");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.9\",\"fact\":\"name\",\"value\":\"cam.local\"}}");
    assert_has(s, "\"goodbye\":false");
    assert_clean(s);
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000000 0004 0a000009");
    assert_has(s, "\"command\":\"goodbye\",\"code\":0,\"qualifier\":65538,\"class\":\"admin\"");
    assert_has_not(s, "\"fact\"");
}

static void services(void **state)
{
    (void)state;
    /* PTR to P1._ipp._tcp.local, its SRV and TXT. */
    const char *s =
        to_server(&f, "0000 8400 0000 0003 0000 0000 " IPP "000c 0001 00001194 0005 02 5031 c00c "
                      "c027 0021 8001 00000078 000c 0000 0000 0277 03 63616d c016 "
                      "c027 0010 8001 00001194 002e 09 7478747665 72733d31 "
                      "0e 7573625f4d46473d5369656d656e "
                      "0e 7573625f4d444c3d4b5450343030 05 74793d4142");
    assert_has(s, "\"instance\":[\"P1._ipp._tcp.local\"]");
    assert_has(s, "\"service\":[\"_ipp._tcp.local\"]");
    assert_has(s, "\"host\":[\"cam.local\"],\"port\":[631]");
    assert_has(s, "\"usb_MDL=KTP400\"");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Siemen\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"KTP400\"");
    assert_has_not(s, "\"value\":\"AB\"");
    assert_clean(s);
    s = to_server(&f, "0000 8400 0000 0001 0000 0000 " CAM "000d 8001 00000078 000a 03 41524d 05 "
                      "4c494e5558");
    assert_has(s, "\"fact\":\"os\",\"value\":\"LINUX\"");
}

static void mdns_violations(void **state)
{
    (void)state;
    /* wpad.local */
    assert_violation(to_server(&f, "0000 8400 0000 0001 0000 0000 04 77706164 05 6c6f63616c 00 "
                                   "0001 8001 00000078 0004 0a000009"),
                     "wpad");
    f.flow.client_port = 40000;
    assert_violation(
        to_server(&f, "0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009"),
        "source_port");
    assert_violation(to_server(&f, "0000 8400 0000 0001 0000 0000 c00c "
                                   "0001 8001 00000078 0004 0a000009"),
                     "pointer");
}

#define HMI "03 686d69 00 "

static void link_local(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0102 0000 0001 0000 0000 0000 " HMI "0001 0001");
    assert_has(s, "\"protocol\":\"llmnr\",\"command\":\"query\"");
    assert_clean(s);
    s = to_client(&f, "0102 8000 0001 0001 0000 0000 " HMI "0001 0001 " HMI
                      "0001 0001 0000001e 0004 0a000003");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.3\",\"fact\":\"name\",\"value\":\"hmi\"}}");
    assert_clean(s);
    assert_violation(to_client(&f, "0102 8000 0001 0001 0000 0000 04 57504144 00 0001 0001 c00c "
                                   "0001 0001 0000001e 0004 0a000003"),
                     "wpad");
    f.flow.transport = FT_TRANSPORT_TCP;
    feed_next_flow(&f);
    assert_has(to_server(&f, "0015 0102 0000 0001 0000 0000 0000 " HMI "0001 0001"),
               "\"rrname\":\"hmi\"");
}

static enum ft_verdict probe(const struct ft_dissector *d, uint8_t transport, const char *hex,
                             bool is_cut)
{
    uint8_t bytes[FEED_MAX];
    struct ft_probe where = {.size = sizeof(where), .transport = transport, .is_bound = true};
    struct ft_view payload = ft_view_make(bytes, feed_bytes(hex, bytes), is_cut);
    where.is_bound = false; /* they are on their ports, and nowhere else */
    assert_int_equal(d->probe(&where, payload), FT_NO);
    where.is_bound = true;
    return d->probe(&where, payload);
}

static void recognition(void **state)
{
    (void)state;
    static const char header[] = "0102 0000 0001 0000 0000 0000", part[] = "0102 0000 0001 00";

    assert_int_equal(probe(&ft_dissector_mdns, FT_TRANSPORT_UDP, header, false), FT_YES);
    assert_int_equal(probe(&ft_dissector_mdns, FT_TRANSPORT_UDP, part, false), FT_NO);
    assert_int_equal(probe(&ft_dissector_mdns, FT_TRANSPORT_UDP, part, true), FT_YES);
    assert_int_equal(probe(&ft_dissector_llmnr, FT_TRANSPORT_UDP, header, false), FT_YES);
    assert_int_equal(probe(&ft_dissector_llmnr, FT_TRANSPORT_UDP, part, false), FT_NO);
    assert_int_equal(probe(&ft_dissector_llmnr, FT_TRANSPORT_UDP, part, true), FT_MAYBE);
    /* Over TCP the length stands in front: of a header at least. */
    assert_int_equal(probe(&ft_dissector_llmnr, FT_TRANSPORT_TCP, header, false), FT_MAYBE);
    assert_int_equal(
        probe(&ft_dissector_llmnr, FT_TRANSPORT_TCP, "000c 0102 0000 0001 0000 0000 0000", false),
        FT_YES);
    assert_int_equal(
        probe(&ft_dissector_llmnr, FT_TRANSPORT_TCP, "000b 0102 0000 0001 0000 0000 0000", false),
        FT_NO);
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    const char *hex = "0000 8400 0000 0002 0000 0000 " IPP "000c 0001 00001194 0005 02 5031 c00c "
                      "c027 0010 8001 00001194 0006 05 74793d4142";
    feed_truncated(&f, FT_TO_SERVER, hex);
    feed_mutated(&f, FT_TO_SERVER, hex, 3000);
}

#define MDNS(test)  cmocka_unit_test_setup_teardown(test, open_mdns, close_feed)
#define LLMNR(test) cmocka_unit_test_setup_teardown(test, open_llmnr, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MDNS(queries),
        MDNS(announcements),
        MDNS(services),
        MDNS(mdns_violations),
        LLMNR(link_local),
        MDNS(truncated_and_mutated),
        cmocka_unit_test(recognition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
