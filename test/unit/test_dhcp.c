/* SPDX-License-Identifier: BSD-3-Clause */
/* DHCP and BOOTP: messages, options in all places, leases, facts, violations. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_dhcp;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_dhcp, NULL};

static struct feed f;

static int open_feed(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "dhcp", FT_TRANSPORT_UDP, 67);
    f.flow.client_port = 68;
    f.flow.ip_version = 4;
    memcpy(f.flow.client_mac, (uint8_t[]){0x00, 0x80, 0xf4, 1, 2, 3}, 6);
    memset(f.flow.server_mac, 0xff, 6);
    memset(f.flow.server_ip, 0xff, 4);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

#define COOKIE "63825363 "

/* What the fixed part of a message says beside op and options. */
struct message {
    const char *op, *client_ip, *your_ip, *relay_ip, *mac, *file;
};

static const char *hex_of(const struct message *m, const char *options, char text[FEED_MAX])
{
    char file[300] = "";
    snprintf(text, FEED_MAX, "%s 01 06 00 11223344 0000 0000 %s %s 00000000 %s %s",
             m->op ? m->op : "01", m->client_ip ? m->client_ip : "00000000",
             m->your_ip ? m->your_ip : "00000000", m->relay_ip ? m->relay_ip : "00000000",
             m->mac ? m->mac : "0080f4010203");
    for (unsigned i = 0; i < 10 + 64; i++)
        strcat(text, "00");
    snprintf(file, sizeof(file), "%s", m->file ? m->file : "");
    while (strlen(file) < 256)
        strcat(file, "00");
    strcat(text, file);
    strcat(text, options);
    return text;
}

static const char *say(struct message m, const char *options)
{
    char text[FEED_MAX];
    bool is_reply = m.op && !strcmp(m.op, "02");
    return feed_hex(&f, is_reply ? FT_TO_CLIENT : FT_TO_SERVER, hex_of(&m, options, text));
}

static void discover(void **state)
{
    (void)state;
    const char *s =
        say((struct message){0}, COOKIE "35 01 01 0c 04 504c4337 3c 08 4d53465420352e30 "
                                        "37 0e 01 03 06 0f 1f 21 2b 2c 2e 2f 77 79 f9 fc "
                                        "3d 07 01 0080f4010203 32 04 0a000014 39 02 05dc ff");
    assert_has(s, "\"command\":\"discover\",\"code\":1");
    assert_has(s, "\"class\":\"config\",\"kind\":\"request\"");
    assert_has(s, "\"type\":\"request\",\"type_code\":1,\"id\":287454020");
    assert_has(s, "\"client_mac\":\"00:80:f4:01:02:03\"");
    assert_has(s, "\"dhcp_type\":\"discover\"");
    assert_has(s, "\"requested_ip\":\"10.0.0.20\"");
    assert_has(s, "\"hostname\":\"PLC7\"");
    assert_has(s, "\"vendor_class_identifier\":\"MSFT 5.0\"");
    assert_has(s, "\"client_id\":\"00:80:f4:01:02:03\"");
    assert_has(s, "\"prl\":\"1,3,6,15,31,33,43,44,46,47,119,121,249,252\"");
    assert_has(s, "\"params\":[\"subnet_mask\",\"router\",\"dns_server\"");
    assert_has(s, "\"max_size\":1500");
    assert_has(s, "{\"fact\":{\"of\":\"00:80:f4:01:02:03\",\"fact\":\"name\",\"value\":\"PLC7\"}}");
    assert_has(s, "\"fact\":\"os\",\"value\":\"Windows 10\"");
    assert_has_not(s, "\"value\":\"Windows\"}");
    assert_has_not(s, "{\"address\"");
    assert_clean(s);
}

static void acknowledge(void **state)
{
    (void)state;
    const char *s = say((struct message){.op = "02", .your_ip = "0a000014"}, COOKIE
                        "35 01 05 36 04 0a000001 33 04 00000e10 01 04 ffffff00 03 04 0a0000fe "
                        "06 08 0a000001 0a000002 79 08 18 c0a801 0a0000fd ff");
    assert_has(s, "\"command\":\"ack\"");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\"");
    assert_has(s, "\"assigned_ip\":\"10.0.0.20\"");
    assert_has(s, "\"server_id\":\"10.0.0.1\",\"lease_time\":3600,\"subnet_mask\":"
                  "\"255.255.255.0\",\"routers\":[\"10.0.0.254\"],\"dns_servers\":[\"10.0.0.1\","
                  "\"10.0.0.2\"]");
    assert_has(s, "\"routes\":[\"192.168.1.0/24 10.0.0.253\"]");
    assert_has(s, "{\"address\":{\"ip\":\"10.0.0.20\",\"mac\":\"00:80:f4:01:02:03\","
                  "\"lease\":true}}");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.254\",\"fact\":\"role\",\"value\":\"router\"}}");
    assert_has(s, "{\"fact\":{\"of\":\"10.0.0.1\",\"fact\":\"role\",\"value\":\"server\"}}");
    assert_clean(s);
    /* An offer is not taken yet. */
    s = say((struct message){.op = "02", .your_ip = "0a000014"},
            COOKIE "35 01 02 36 04 0a000001 ff");
    assert_has(s, "\"command\":\"offer\"");
    assert_has_not(s, "{\"address\"");
    assert_has(say((struct message){.op = "02"}, COOKIE "35 01 06 38 02 6e6f ff"),
               "\"kind\":\"exception\"");
}

static void renewal(void **state)
{
    (void)state;
    memset(f.flow.server_mac, 2, 6);
    memcpy(f.flow.server_ip, (uint8_t[]){10, 0, 0, 1}, 4);
    const char *s = say((struct message){.client_ip = "0a000014"}, COOKIE "35 01 03 ff");
    assert_has(s, "{\"address\":{\"ip\":\"10.0.0.20\",\"mac\":\"00:80:f4:01:02:03\"}}");
    s = say((struct message){.op = "02", .your_ip = "0a000014"}, COOKIE "35 01 05 ff");
    assert_has(s, "\"paired\":true");
}

static void relayed(void **state)
{
    (void)state;
    const char *s = say((struct message){.relay_ip = "0a000afe", .mac = "0080f4010209"},
                        COOKIE "35 01 01 52 0a 01 03 666532 02 03 737731 ff");
    assert_has(s, "\"relay_ip\":\"10.0.10.254\"");
    assert_has(s, "\"relay\":{\"circuit\":\"fe2\",\"remote\":\"sw1\"}");
    assert_has(s, "\"fact\":\"location\",\"value\":\"circuit fe2, remote sw1\"");
    assert_clean(s);
}

static void bootp(void **state)
{
    (void)state;
    const char *s = say((struct message){.mac = "0000bc3eebe4", .file = "61622e62696e"}, "");
    assert_has(s, "\"command\":\"bootp_request\",\"code\":0,\"qualifier\":1");
    assert_has(s, "\"bootfile\":\"ab.bin\"");
    assert_has(s, "\"value\":\"BOOTP client\"");
    assert_has(say((struct message){.op = "02", .your_ip = "0a000014"}, ""), "\"lease\":true");
}

static void options_in_pieces(void **state)
{
    (void)state;
    /* A name in three options, one in the file field. */
    const char *s = say((struct message){.file = "0c0143ff"},
                        COOKIE "35 01 01 34 01 01 0c 01 41 00 0c 01 42 ff");
    assert_has(s, "\"hostname\":\"ABC\"");
    assert_has_not(s, "\"bootfile\"");
    assert_clean(s);
    s = say((struct message){0}, COOKIE "35 01 01 51 0a 04 00 00 02 6877 03 636f6d ff");
    assert_has(s, "\"fqdn\":\"hw.com\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"hw.com\"");
}

static void violations(void **state)
{
    (void)state;
    char text[FEED_MAX];
    assert_violation(say((struct message){0}, COOKIE "35 01 01 0c 20 41"), "option");
    assert_violation(say((struct message){0}, COOKIE "32 04 0a000014 ff"), "no_type");
    assert_clean(say((struct message){0}, COOKIE "0c 02 4142 ff"));
    assert_violation(say((struct message){0}, COOKIE "35 01 05 ff"), "type");
    assert_violation(say((struct message){.op = "02"}, COOKIE "35 01 01 ff"), "type");
    assert_violation(
        say((struct message){.op = "02"}, COOKIE "35 01 02 36 04 0a000001 36 04 0a000002 ff"),
        "several_servers");
    assert_violation(say((struct message){.mac = "0080f4010204"}, COOKIE "35 01 01 ff"),
                     "frame_sender");
    assert_violation(say((struct message){0}, COOKIE "35 01 01 0c 08 28292b7b3a3b7d3b ff"),
                     "shell_command");
    const char *out =
        say((struct message){.op = "02"}, COOKIE "35 01 05 0f 08 28297b3a3b7d3b78 ff");
    assert_violation(out, "shell_function");
    assert_no_violation(out, "shell_command");
    assert_violation(say((struct message){.op = "02"}, COOKIE "35 01 05 0f 04 2829207b ff"),
                     "shell_function");
    assert_clean(say((struct message){.op = "02"}, COOKIE "35 01 05 0f 04 2829287b ff"));
    assert_violation(say((struct message){.op = "02"}, COOKIE "35 01 05 fc 04 61606260 ff"),
                     "shell_command");
    const struct message m = {0};
    hex_of(&m, COOKIE "35 01 01 ff", text);
    memcpy(text + 6, "11", 2);
    assert_violation(to_server(&f, text), "hardware_length");
}

/* Three DISCOVERs over five seconds, and none of the offers taken. */
static void no_address(void **state)
{
    (void)state;
    assert_clean(say((struct message){0}, COOKIE "35 01 01 ff"));
    f.time_ns += 4000000000;
    assert_clean(say((struct message){0}, COOKIE "35 01 01 ff"));
    f.time_ns += 8000000000;
    assert_clean(
        say((struct message){.mac = "0080f4010209", .relay_ip = "0a000001"}, COOKIE "35 01 01 ff"));
    assert_violation(say((struct message){0}, COOKIE "35 01 01 ff"), "no_address");
    assert_clean(say((struct message){0}, COOKIE "35 01 01 ff")); /* told once */
    assert_clean(say((struct message){0}, COOKIE "35 01 03 ff"));
    f.time_ns += 8000000000;
    assert_clean(say((struct message){0}, COOKIE "35 01 01 ff"));
}

static void truncated_and_mutated(void **state)
{
    (void)state;
    char text[FEED_MAX];
    const struct message m = {.file = "0c0143ff"};
    hex_of(&m,
           COOKIE "35 01 01 34 01 03 0c 04 504c4337 3c 08 4d53465420352e30 52 0a 01 03 666532 "
                  "02 03 737731 79 08 18 c0a801 0a0000fd 51 0a 04 00 00 02 6877 03 636f6d ff",
           text);
    feed_truncated(&f, FT_TO_SERVER, text);
    feed_mutated(&f, FT_TO_SERVER, text, 3000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_feed, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(discover),   TEST(acknowledge), TEST(renewal),
        TEST(relayed),    TEST(bootp),       TEST(options_in_pieces),
        TEST(violations), TEST(no_address),  TEST(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
