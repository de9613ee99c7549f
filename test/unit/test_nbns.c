/* SPDX-License-Identifier: BSD-3-Clause */
/* NetBIOS names: encoding, registration, queries, node status, facts, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_nbns;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_nbns, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    static const uint8_t station[6] = {0x00, 0x0c, 0x29, 0x01, 0x02, 0x03};
    feed_open(&f, dissectors, "nbns", FT_TRANSPORT_UDP, 137);
    f.flow.client_port = 137;
    f.flow.ip_version = 4;
    f.flow.ttl = 128;
    memcpy(f.flow.client_ip, (uint8_t[]){10, 0, 0, 5}, 4);
    memcpy(f.flow.server_ip, (uint8_t[]){10, 0, 0, 6}, 4);
    memcpy(f.flow.server_mac, station, 6);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* A name of 15 characters and its suffix, encoded. */
static const char *encoded(const char *name, unsigned suffix, char text[80])
{
    char padded[32];
    size_t n = 0;
    snprintf(padded, sizeof(padded), "%-15s", name);
    padded[15] = (char)suffix;
    n += (size_t)snprintf(text + n, 80 - n, "20");
    for (unsigned i = 0; i < 16; i++)
        n += (size_t)snprintf(text + n, 80 - n, "%02x%02x", 'A' + ((uint8_t)padded[i] >> 4),
                              'A' + (padded[i] & 15));
    snprintf(text + n, 80 - n, "00 ");
    return text;
}

static const char *say(enum ft_direction direction, const char *header, const char *name,
                       unsigned suffix, const char *rest)
{
    char text[FEED_MAX], one[80];
    snprintf(text, sizeof(text), "%s %s %s", header, encoded(name, suffix, one), rest);
    return feed_hex(&f, direction, text);
}

static void query_and_response(void **state)
{
    (void)state;
    const char *s = say(FT_TO_SERVER, "8001 0100 0001 0000 0000 0000", "HMI1", 0, "0020 0001");
    assert_has(s, "\"command\":\"query\",\"code\":0,\"qualifier\":0,\"class\":\"read\"");
    assert_has(s, "\"name\":\"HMI1\",\"suffix\":\"workstation\",\"suffix_code\":0,\"type\":\"nb\"");
    assert_has_not(s, "\"fact\"");
    assert_clean(s);
    s = say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "HMI1", 0,
            "0020 0001 000493e0 0006 2000 0a000006");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"addr\":[\"10.0.0.6\"]");
    assert_has(s, "\"node_type\":\"p\"");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.6\",\"fact\":\"name\",\"value\":\"HMI1\"}}");
    assert_clean(s);
    s = say(FT_TO_CLIENT, "8002 8583 0000 0001 0000 0000", "HMI2", 0, "0020 0001 00000000 0000");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"rcode\":\"name_error\"");
    assert_has_not(s, "\"fact\"");
}

static void registration(void **state)
{
    (void)state;
    const char *s = say(FT_TO_SERVER, "8003 2910 0001 0000 0000 0001", "HMI1", 0x20,
                        "0020 0001 c00c 0020 0001 000493e0 0006 0000 0a000005");
    assert_has(s, "\"command\":\"registration\",\"code\":5,\"qualifier\":0,\"class\":\"config\"");
    assert_has(s, "\"suffix\":\"file_server\"");
    assert_has(s, "\"broadcast\":true");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.5\",\"fact\":\"name\",\"value\":\"HMI1\"}}");
    assert_clean(s);
    /* The name of a group is nobody's. */
    s = say(FT_TO_SERVER, "8003 2910 0001 0000 0000 0001", "PLANT", 0,
            "0020 0001 c00c 0020 0001 000493e0 0006 8000 0a000005");
    assert_has(s, "\"group\":true");
    assert_has_not(s, "\"fact\"");
    s = say(FT_TO_SERVER, "8004 3000 0001 0000 0000 0001", "HMI1", 0,
            "0020 0001 c00c 0020 0001 00000000 0006 0000 0a000005");
    assert_has(s, "\"command\":\"release\"");
    s = say(FT_TO_CLIENT, "8005 8500 0000 0001 0000 0000", "PLANT", 0x1c,
            "0020 0001 000493e0 000c 8000 0a000007 8000 0a000008");
    assert_has(s, "\"addr\":[\"10.0.0.7\",\"10.0.0.8\"]");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.8\",\"fact\":\"description\","
                  "\"value\":\"domain controller\"}}");
}

/* Two names, then the statistics with the MAC address. */
#define STATUS(mac)                                                                                \
    "0021 0001 00000000 0042 02 "                                                                  \
    "484d4931202020202020202020202020 0400 "                                                       \
    "504c414e542020202020202020202000 8400 " mac " 0000000000000000000000000000000000000000000000"

static void node_status(void **state)
{
    (void)state;
    char wildcard[80], text[FEED_MAX];
    memset(wildcard, 0, sizeof(wildcard));
    strcpy(wildcard, "20 434b");
    for (unsigned i = 0; i < 30; i++)
        strcat(wildcard, "41");
    strcat(wildcard, "00 ");
    snprintf(text, sizeof(text), "8006 0000 0001 0000 0000 0000 %s 0021 0001", wildcard);
    const char *s = to_server(&f, text);
    assert_has(s, "\"command\":\"node_status\",\"code\":0,\"qualifier\":33");
    assert_has(s, "\"name\":\"*\"");
    assert_clean(s);
    snprintf(text, sizeof(text), "8006 8400 0000 0001 0000 0000 %s " STATUS("000c29010203"),
             wildcard);
    s = to_client(&f, text);
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"names\":[{\"name\":\"HMI1\",\"suffix\":\"file_server\"");
    assert_has(s, "\"mac\":\"00:0c:29:01:02:03\"");
    assert_has(s, "\"fact\":\"description\",\"value\":\"workgroup PLANT\"");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Windows\"");
    assert_has(s, "{\"address\":{\"ip\":\"10.0.0.6\",\"mac\":\"00:0c:29:01:02:03\"}}");
    assert_clean(s);
    /* On this link the frame has another address: of another adapter. */
    snprintf(text, sizeof(text), "8007 8400 0000 0001 0000 0000 %s " STATUS("000c29010204"),
             wildcard);
    assert_has_not(to_client(&f, text), "{\"address\"");
    f.flow.ttl = 126;
    assert_has(to_client(&f, text), "\"mac\":\"00:0c:29:01:02:04\"}}");
    snprintf(text, sizeof(text), "8008 8400 0000 0001 0000 0000 %s " STATUS("000000000000"),
             wildcard);
    assert_has(to_client(&f, text), "\"value\":\"Samba\"");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(say(FT_TO_CLIENT, "8001 8500 0000 0001 0000 0000", "WPAD", 0,
                         "0020 0001 000493e0 0006 0000 0a000006"),
                     "wpad");
    assert_clean(say(FT_TO_SERVER, "8001 0110 0001 0000 0000 0000", "WPAD", 0, "0020 0001"));
    assert_violation(say(FT_TO_CLIENT, "8001 ad87 0000 0001 0000 0000", "HMI1", 0,
                         "0020 0001 00000000 0006 0000 0a000006"),
                     "conflict");
    assert_violation(say(FT_TO_SERVER, "8001 1100 0001 0000 0000 0000", "HMI1", 0, "0020 0001"),
                     "opcode");
    assert_violation(
        say(FT_TO_SERVER, "8001 0100 0002 0000 0000 0000", "HMI1", 0, "0020 0001 c00c 0020 0001"),
        "counts");
    assert_violation(to_server(&f, "8001 0100 0001 0000 0000 0000 03 484d49 00 0020 0001"),
                     "encoding");
    assert_violation(to_server(&f, "8001 0100 0001 0000 0000 0000 c00c 0020 0001"), "name");
    assert_violation(say(FT_TO_SERVER, "8001 0100 0001 0000 0000 0000", "HMI1", 0, "0020 0001 00"),
                     "trailing_bytes");
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    char text[FEED_MAX], one[80];
    snprintf(text, sizeof(text), "8006 8400 0000 0001 0000 0000 %s " STATUS("000c29010203"),
             encoded("HMI1", 0, one));
    feed_truncated(&f, FT_TO_CLIENT, text);
    feed_mutated(&f, FT_TO_CLIENT, text, 3000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(query_and_response), TEST(registration),          TEST(node_status),
        TEST(violations),         TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
