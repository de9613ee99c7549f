/* SPDX-License-Identifier: BSD-3-Clause */
/* TFTP: requests, transfers on ports of their own, options, classes, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_tftp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_tftp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "tftp", FT_TRANSPORT_UDP, 69);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* From here on messages are of the flow between the client's port and one of the server's. */
static void go_to_port(uint16_t port)
{
    feed_next_flow(&f);
    f.flow.server_port = port;
}

/* A message of text: the operation, then strings of which each ends with a zero. */
static const char *request(unsigned operation, const char *file, const char *mode,
                           const char *options, uint32_t options_length)
{
    uint8_t bytes[FEED_MAX] = {0, (uint8_t)operation};
    uint32_t n = 2;
    n += (uint32_t)snprintf((char *)bytes + n, 200, "%s", file) + 1;
    n += (uint32_t)snprintf((char *)bytes + n, 200, "%s", mode) + 1;
    memcpy(bytes + n, options, options_length);
    return feed_raw(&f, FT_TO_SERVER, bytes, n + options_length);
}

static const char *data(enum ft_direction direction, uint16_t block, const char *begin,
                        uint32_t length)
{
    uint8_t bytes[FEED_MAX] = {0, 3, (uint8_t)(block >> 8), (uint8_t)block};
    memset(bytes + 4, 'x', length);
    memcpy(bytes + 4, begin, strlen(begin) < length ? strlen(begin) : length);
    return feed_raw(&f, direction, bytes, length + 4);
}

static void reading(void **state)
{
    (void)state;
    const char *s = request(1, "rfc1350.txt", "octet", "", 0);
    assert_has(s, "\"command\":\"read\",\"code\":1");
    assert_has(s, "\"class\":\"file\",\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"packet\":\"read\",\"packet_code\":1,\"file\":\"rfc1350.txt\","
                  "\"mode\":\"octet\"");
    assert_clean(s);
    go_to_port(3445);
    s = data(FT_TO_CLIENT, 1, "", 512);
    assert_has(s, "\"command\":\"data\"");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"file\":\"rfc1350.txt\",\"block\":1,\"size\":512");
    assert_has(s, "\"fact\":\"role\",\"value\":\"server\"");
    assert_clean(s);
    s = to_server(&f, "0004 0001");
    assert_has(s, "\"packet\":\"ack\"");
    assert_has(s, "\"direction\":\"to_server\"");
    assert_clean(data(FT_TO_CLIENT, 1, "", 512)); /* sent again */
    s = data(FT_TO_CLIENT, 2, "", 88);
    assert_has(s, "\"size\":88,\"bytes\":600,\"duration\":0.00");
    assert_clean(s);
}

/* Whatever the engine takes for the direction. */
static void direction_comes_from_the_request(void **state)
{
    (void)state;
    request(2, "cfg.txt", "netascii", "", 0);
    go_to_port(3445);
    assert_has(data(FT_TO_SERVER, 1, "", 10), "\"direction\":\"to_server\"");
    assert_has(to_client(&f, "0004 0001"), "\"direction\":\"to_client\"");
}

static void options(void **state)
{
    (void)state;
    const char *s = request(1, "a", "OCTET", "blksize\0001024\0tsize\0000\0windowsize\0004\0", 34);
    assert_has(s, "\"opts\":[{\"name\":\"blksize\",\"value\":\"1024\"},{\"name\":\"tsize\","
                  "\"value\":\"0\"},{\"name\":\"windowsize\",\"value\":\"4\"}]");
    assert_clean(s);
    go_to_port(3445);
    s = to_client(&f, "0006 626c6b73697a65 00 31303234 00 77696e646f7773697a65 00 34 00");
    assert_has(s, "\"command\":\"oack\"");
    assert_has(s, "\"paired\":true");
    assert_has_not(data(FT_TO_CLIENT, 1, "", 1024), "\"bytes\"");
    assert_has_not(data(FT_TO_CLIENT, 2, "", 1024), "\"bytes\"");
    assert_clean(data(FT_TO_CLIENT, 1, "", 1024)); /* the window again */
    assert_has(data(FT_TO_CLIENT, 3, "", 0), "\"bytes\":2048");
}

static void errors(void **state)
{
    (void)state;
    request(1, "missing", "octet", "", 0);
    go_to_port(3445);
    const char *s = to_client(&f, "0005 0001 6e6f 00");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"err\":\"file_not_found\",\"err_code\":1,\"message\":\"no\"");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
}

static void classes(void **state)
{
    (void)state;
    assert_has(request(2, "plc_v21.bin", "octet", "", 0), "\"class\":\"firmware\"");
    assert_has(request(1, "plc_v21.bin", "octet", "", 0), "\"class\":\"file\"");
    assert_has(request(2, "log.txt", "octet", "", 0), "\"class\":\"file\"");
    assert_has(request(2, "plc_v21.bin", "octet", "", 0), "\"command\":\"write_firmware\"");
    assert_has(request(1, "sw1-confg", "octet", "", 0), "\"command\":\"read_configuration\"");
    assert_has(request(2, "startup-config", "octet", "", 0), "\"command\":\"write_configuration\"");
    assert_has(request(1, "plc_v21.bin", "octet", "", 0), "\"command\":\"read\"");
    assert_violation(request(1, "/etc/passwd", "octet", "", 0), "path");
    assert_violation(request(1, "C:\\boot.ini", "octet", "", 0), "path");
    assert_no_violation(request(1, "/tftpboot/a", "octet", "", 0), "path");
    assert_no_violation(request(1, "etc/a:b", "octet", "", 0), "path");
    assert_has(request(1, "SEP001122334455.cnf.xml", "octet", "", 0),
               "\"fact\":\"vendor\",\"value\":\"Cisco\"");
}

static void violations(void **state)
{
    (void)state;
    assert_violation(request(1, "a", "binary", "", 0), "mode");
    assert_violation(to_server(&f, "0001 61 00 6f63746574"), "termination");
    assert_violation(request(1, "a", "octet", "blksize\0", 8), "termination");
    assert_violation(request(1, "a", "octet", "blksize\0007\0", 10), "option");
    assert_clean(request(1, "a", "octet", "blksize\0008\0", 10));
    assert_violation(request(1, "a", "octet", "timeout\000256\0", 12), "option");
    assert_violation(request(1, "../etc/passwd", "octet", "", 0), "path");
    assert_violation(request(1, "a\\..\\b", "octet", "", 0), "path");
    assert_clean(request(1, "/boot/a..b", "octet", "", 0));
    assert_violation(request(1, "startup-config", "octet", "", 0), "configuration");
    assert_violation(to_server(&f, "0007 0000"), "operation");
    request(1, "update", "octet", "", 0);
    go_to_port(3445);
    assert_violation(data(FT_TO_CLIENT, 1, "MZ", 512), "executable");
    assert_violation(data(FT_TO_CLIENT, 9, "", 512), "block");
    go_to_port(3446);
    assert_violation(data(FT_TO_CLIENT, 10, "", 512), "port");
}

static void blocks_go_round(void **state)
{
    (void)state;
    request(1, "big", "octet", "", 0);
    go_to_port(3445);
    const char *s = "";
    for (uint32_t block = 1; block <= 65537; block++) {
        s = data(FT_TO_CLIENT, (uint16_t)block, "", 512);
        if (strstr(s, "{\"violation\""))
            fail_msg("block %u: %s", block, s);
    }
    assert_has(data(FT_TO_CLIENT, 2, "", 1), "\"bytes\":33554945");
}

static void recognition(void **state)
{
    (void)state;
    static const uint8_t read[] = "\0\1a\0octet";
    static const uint8_t acknowledge[] = {0, 4, 0, 1};
    struct ft_harness_flow other = f.flow;
    other.server_port = 6900;
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, read, sizeof(read)), FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &other, FT_TO_SERVER, acknowledge, 4), FT_NO);
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    const char *hex = "0001 61 00 6f63746574 00 626c6b73697a65 00 31303234 00";
    feed_truncated(&f, FT_TO_SERVER, hex);
    feed_mutated(&f, FT_TO_SERVER, hex, 3000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reading),
        TEST(direction_comes_from_the_request),
        TEST(options),
        TEST(errors),
        TEST(classes),
        TEST(violations),
        TEST(blocks_go_round),
        TEST(recognition),
        TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
