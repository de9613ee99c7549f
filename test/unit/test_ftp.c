/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of the FTP dissectors: lines, replies of several lines, pairing, logins, data connections.
 */
#include "text_feed.h"

extern const struct ft_dissector ft_dissector_ftp, ft_dissector_ftp_data;
static const struct ft_dissector *const all[] = {&ft_dissector_ftp, &ft_dissector_ftp_data, NULL};

static int setup(void **state)
{
    (void)state;
    feed_open(&f, all, "ftp", FT_TRANSPORT_TCP, 21);
    f.flow.ip_version = 4;
    memcpy(f.flow.client_ip, (uint8_t[]){10, 0, 0, 1}, 4);
    memcpy(f.flow.server_ip, (uint8_t[]){10, 0, 0, 2}, 4);
    return 0;
}

#define MESSAGE "{\"message\""

static void test_commands_and_replies(void **state)
{
    (void)state;
    const char *out = server("220 VxWorks (5.4.2) FTP server ready\r\n");
    assert_has(out, "\"command\":\"greeting\"");
    assert_has(out, "\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    assert_has(out, "\"banner\":\"VxWorks (5.4.2) FTP server ready\"");
    assert_has(out, "\"fact\":\"os\",\"value\":\"VxWorks\"");
    assert_has(out, "\"fact\":\"description\",\"value\":\"VxWorks (5.4.2) FTP server ready\"");
    assert_clean(out);
    out = client("cwd /ata0\r\n");
    assert_has(out, "\"command\":\"cwd\"");
    assert_has(out, "\"class\":\"read\",\"kind\":\"request\"");
    assert_has(out, "\"command\":\"cwd\",\"command_data\":\"/ata0\",\"file\":\"/ata0\"");
    out = server("250 Changed\r\n");
    assert_has(out, "\"kind\":\"response\"");
    assert_has(out, "\"paired\":true");
    assert_has(out, "\"command\":\"CWD\",\"command_data\":\"/"
                    "ata0\",\"reply_received\":\"yes\",\"completion_code\":[\"250\"],"
                    "\"reply\":[\"Changed\"]");
    client("SYST\r\n");
    out = server("215 UNIX Type: L8\r\n");
    assert_has(out, "\"syst\":\"UNIX Type: L8\"");
    client("DELE x\r\n");
    assert_has(server("550 No\r\n"), "\"kind\":\"exception\"");
    assert_violation(client("BREW coffee\r\n"), "unknown_verb");
}

static void test_replies_of_several_lines(void **state)
{
    (void)state;
    static const char feat[] =
        "211-Features:\r\n MDTM\r\n 211 is a number\r\n211-more\r\n UTF8\r\n211 End\r\n";
    client("FEAT\r\n");
    const char *out = server(feat);
    assert_int_equal(feed_count(out, MESSAGE), 1);
    assert_has(out, "\"feature\":[\"MDTM\",\"211 is a number\",\"UTF8\"]");
    assert_has(out, "\"paired\":true");
    client("FEAT\r\n");
    unsigned messages = 0;
    for (const char *at = feat; *at; at++) {
        out = feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)at, 1);
        messages += feed_count(out, MESSAGE);
    }
    assert_int_equal(messages, 1);
    assert_has(out, "\"feature\":[\"MDTM\",\"211 is a number\",\"UTF8\"]");
    assert_int_equal(feed_count(server("200 a\r\n200 b\r\n"), MESSAGE), 2);
}

static void test_one_direction_and_midstream(void **state)
{
    (void)state;
    f.flow.is_midstream = 1;
    assert_string_equal(server("of a reply\r\n"), "");
    const char *out = server("226 Done\r\n");
    assert_has(out, "\"command\":\"reply\"");
    assert_has(out, "\"paired\":false");
    assert_clean(out);
    f.flow.id++;
    assert_has(client("RETR a.txt\r\n"), "\"command\":\"retr\"");
    assert_int_equal(feed_count(client("TYPE I\r\nPASV\r\nRETR b\r\n"), MESSAGE), 3);
}

static void test_direction_is_corrected(void **state)
{
    (void)state;
    assert_has(client("220 FTP\r\n"), "\"direction\":\"to_client\"");
}

static void test_logins(void **state)
{
    (void)state;
    const char *out = client("USER joe\r\nPASS s3cret\r\n");
    assert_has(out, "\"user\":\"joe\"");
    assert_has(out, "\"password\":{\"length\":6");
    assert_violation(out, "credential_clear_text");
    assert_no_violation(out, "default_login");
    assert_has_not(out, "s3cret");
    assert_clean(server("331 Password\r\n"));
    out = server("530 Login incorrect\r\n");
    assert_violation(out, "login_failed");
    assert_has(out, "\"command\":\"PASS\"");
    assert_has_not(out, "s3cret");
    client("CWD /x\r\n");
    assert_clean(server("530 Not logged in\r\n"));
    assert_violation(client("USER admin\r\nPASS 1234\r\n"), "default_login");
    out = client("USER anonymous\r\nPASS me@example\r\n");
    assert_violation(out, "anonymous_login");
    assert_no_violation(out, "credential_clear_text");
    assert_violation(client("USER sysdiag\r\n"), "hard_coded_account");
    assert_violation(client("USER joe:)\r\n"), "backdoor_user");
    assert_violation(client("USER :)joe\r\n"), "backdoor_user");
    assert_clean(client("USER joe: )\r\n"));
    assert_clean(client("USER system\r\n"));
}

static void test_tls(void **state)
{
    (void)state;
    server("220 FTP\r\n");
    assert_has(client("AUTH TLS\r\n"), "\"auth\":\"TLS\"");
    assert_has(server("234 Go\r\n"), "\"command\":\"AUTH\"");
    assert_string_equal(client("\x16\x03\x01\r\nUSER joe\r\n"), "");
    assert_string_equal(server("\x16\x03\x01\r\n220 x\r\n"), "");
    f.flow.id++;
    client("AUTH GSSAPI\r\n");
    assert_clean(server("334 Continue\r\n"));
    assert_has_not(client("ADAT dG9rZW4=\r\n"), "dG9rZW4=");
    assert_has(server("335 ADAT=YQ==\r\n"), "\"command\":\"ADAT\"");
}

/* The flow that a data connection is fed into. */
static const char *data(uint32_t id, uint16_t client_port, uint16_t server_port,
                        enum ft_direction direction, const char *bytes)
{
    struct ft_harness_flow flow = f.flow;
    flow.id = id;
    flow.protocol = NULL;
    flow.client_port = client_port;
    flow.server_port = server_port;
    return ft_harness_feed(f.harness, &flow, direction, ++f.time_ns, bytes,
                           (uint32_t)strlen(bytes));
}

static void test_data_connections(void **state)
{
    (void)state;
    assert_has(data(90, 50000, 7 * 256 + 8, FT_TO_CLIENT, "x"), "nobody expects");
    client("PASV\r\n");
    const char *out = server("227 Entering Passive Mode (10,0,0,2,7,8)\r\n");
    assert_has(out, "\"mode\":\"passive\",\"mode_code\":2,\"dynamic_port\":1800");
    assert_has(out, "\"data_ip\":\"10.0.0.2\"");
    assert_clean(out);
    client("RETR /fw/cpu.txt\r\n");
    out = data(91, 50000, 1800, FT_TO_CLIENT, "%PDF-1.4");
    assert_has(out, "\"protocol\":\"ftp_data\",\"command\":\"retrieve\"");
    assert_has(
        out, "\"ftp_data\":{\"filename\":\"/fw/cpu.txt\",\"command\":\"RETR\",\"magic\":\"PDF\"}");
    assert_string_equal(data(91, 50000, 1800, FT_TO_CLIENT, "the rest"), "");
    client("EPSV\r\n");
    assert_has(server("229 Extended (|||1801|)\r\n"), "\"dynamic_port\":1801");
    client("LIST\r\n");
    out = data(92, 50001, 1801, FT_TO_CLIENT, "drwx");
    assert_has(out, "\"command\":\"listing\"");
    assert_has_not(out, "filename");
    assert_has(client("PORT 10,0,0,1,7,10\r\n"), "\"mode\":\"active\"");
    client("STOR a.exe\r\n");
    out = data(93, 1802, 20, FT_TO_SERVER, "MZ.");
    assert_has(out, "\"command\":\"store\"");
    assert_violation(out, "executable");
    assert_has(client("EPRT |2|2001:db8::1|1803|\r\n"), "\"data_address\":\"2001:db8::1\"");
    assert_has(data(94, 1803, 20, FT_TO_SERVER, "x"), "\"command\":\"transfer\"");
}

/* Ports and addresses that cannot be: no connection is expected. */
static void test_data_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "EPRT |1|10.0.0.1|0|\r\n",
        "EPRT |1|10.0.0.1|65536|\r\n",
        "EPRT |1|10.0.0.1||\r\n",
        "EPRT |1|10.0.0.1|5x|\r\n",
        "EPRT\r\n",
        "EPRT |\r\n",
        "PORT 10,0,0,1,7\r\n",
        "PORT 10,0,0,256,7,8\r\n",
        "PORT 10,0,0,1,7,\r\n",
        "PORT 10,0,0,1a,7,8\r\n",
        "PORT 1000,0,0,1,7,8\r\n",
        "PORT\r\n",
        "EPRT |1|10.0.0.1|99999999999|\r\n",
    };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_has_not(client(wrong[i]), "dynamic_port");
    assert_has(client("EPRT |1|10.0.0.1|65535|\r\n"), "\"dynamic_port\":65535");
    assert_has(client("EPRT !1!10.0.0.1!2000!\r\n"), "\"dynamic_port\":2000");
    client("PASV\r\n");
    assert_has(server("227 Passive 10,0,0,2,255,255\r\n"), "\"dynamic_port\":65535");
    client("EPSV\r\n");
    assert_has_not(server("229 Extended (|||65536|)\r\n"), "dynamic_port");
}

static void test_protected_data(void **state)
{
    (void)state;
    client("PROT P\r\nPASV\r\n");
    server("200 ok\r\n227 (10,0,0,2,7,8)\r\n");
    client("RETR a\r\n");
    assert_string_equal(data(95, 50000, 1800, FT_TO_CLIENT, "\x16\x03\x01"), "");
}

static void test_files(void **state)
{
    (void)state;
    assert_has(client("STOR notes.bin\r\n"), "\"class\":\"write\"");
    assert_has(client("STOR cpu.upg\r\n"), "\"class\":\"firmware\"");
    assert_has(client("STOR cpu.upg\r\n"), "\"command\":\"stor_firmware\"");
    assert_has(client("APPE cpu.upg\r\n"), "\"command\":\"appe_firmware\"");
    assert_has(client("APPE plant.ACD\r\n"), "\"command\":\"appe_program\"");
    assert_has(client("RETR cpu.upg\r\n"), "\"command\":\"retr\"");
    assert_has(client("RETR plant.ACD\r\n"), "\"command\":\"retr_program\"");
    assert_has(client("STOR plant.ACD\r\n"), "\"command\":\"stor_program\"");
    assert_has(client("STOR plant.ACD\r\n"), "\"class\":\"program\"");
    assert_has(client("RETR plant.ACD\r\n"), "\"class\":\"upload\"");
    assert_has(client("RETR cpu.upg\r\n"), "\"class\":\"read\"");
    f.flow.id++;
    server("220 VxWorks FTP\r\n");
    assert_has(client("STOR kernel.bin\r\n"), "\"class\":\"firmware\"");
}

/* What is wrong, and beside it what is not. */
static void test_violations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wrong, *right;
    } cases[] = {
        {"bounce", "PORT 10,0,0,9,7,8\r\n", "PORT 10,0,0,1,7,8\r\n"},
        {"bounce", "PORT 10,0,0,1,0,25\r\n", "PORT 10,0,0,1,4,0\r\n"},
        {"bounce", "EPRT |1|10.0.0.1|23|\r\n", "EPRT |1|10.0.0.1|2300|\r\n"},
        {"traversal", "RETR ../../etc/passwd\r\n", "CWD ..\r\n"},
        {"format_string", "CWD %n%n\r\n", "CWD 100%\r\n"},
        {"server_exploit", "SITE CPFR /etc/passwd\r\n", "SITE CHMOD 644 a\r\n"},
        {"server_exploit", "HELP ACIDBITCHEZ\r\n", "HELP\r\n"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "\"name\":\"%s\"", cases[i].name);
        feed_next_flow(&f);
        assert_has(client(cases[i].wrong), name);
        feed_next_flow(&f);
        assert_clean(client(cases[i].right));
    }
    assert_violation(client("RE?R a\r\n"), "bad_verb");
    feed_next_flow(&f);
    server("220 FTP\r\n");
    assert_violation(server("200 What?\r\n"), "early_reply");
    feed_next_flow(&f);
    server("220 FTP\r\n");
    assert_clean(server("421 Timeout\r\n"));
    client("NOOP\r\n");
    assert_violation(server("ok\r\n"), "bad_reply");
    assert_violation(server("2x0 ok\r\n"), "bad_reply");
    assert_violation(server("2:0 ok\r\n"), "bad_reply");
    assert_violation(server("2/0 ok\r\n"), "bad_reply");
    assert_violation(server("099 ok\r\n"), "bad_reply");
    assert_violation(server("700 ok\r\n"), "bad_reply");
    assert_no_violation(server("699 ok\r\n"), "bad_reply");
}

static void test_long_lines(void **state)
{
    (void)state;
    static char text[10000];
    memset(text, 'a', sizeof(text));
    memcpy(text, "CWD ", 4);
    memcpy(text + 1022, "\r\n", 3);
    assert_clean(client(text));
    memset(text, 'a', sizeof(text));
    memcpy(text, "CWD ", 4);
    memcpy(text + 1023, "\r\n", 3);
    assert_violation(client(text), "long_line");
    memset(text, 'a', sizeof(text));
    memcpy(text, "CWD ", 4);
    memcpy(text + 9000, "\r\nNOOP\r\n", 9);
    const char *out = client(text);
    assert_int_equal(feed_count(out, MESSAGE), 2);
    assert_violation(out, "long_line");
    memcpy(text, "200 ", 4);
    memcpy(text + 9000, "\r\n200 ok\r\n", 11);
    assert_int_equal(feed_count(server(text), MESSAGE), 2);
}

static void test_telnet_before_abort(void **state)
{
    (void)state;
    client("NOOP\r\n");
    assert_has(client("\xff\xf4\xff\xf2"
                      "ABOR\r\n"),
               "\"command\":\"abor\"");
}

static enum ft_verdict probe(const char *text)
{
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, text, (uint32_t)strlen(text));
}

static void test_probe(void **state)
{
    (void)state;
    assert_int_equal(probe("220 x FTP server\r\n"), FT_YES);
    assert_int_equal(probe("220 x ESMTP ready\r\n"), FT_NO);
    assert_int_equal(probe("220 hello\r\n"), FT_MAYBE);
    assert_int_equal(probe("331 Password\r\n"), FT_YES);
    assert_int_equal(probe("331\r\n"), FT_YES);
    assert_int_equal(probe("331-Password\r\n"), FT_YES);
    assert_int_equal(probe("331xPassword\r\n"), FT_NO);
    assert_int_equal(probe("3310 Password\r\n"), FT_NO);
    assert_int_equal(probe("USER joe\r\n"), FT_MAYBE);
    assert_int_equal(probe("USER a b c :d\r\n"), FT_NO);
    assert_int_equal(probe("+OK POP3\r\n"), FT_NO);
    assert_int_equal(probe("GET / HTTP/1.0\r\n"), FT_NO);
    assert_int_equal(probe("PASV\r\n"), FT_YES);
}

static void test_garbage(void **state)
{
    (void)state;
    static const char sample[] =
        "220-a\r\n220 b\r\nUSER joe\r\nPASS x\r\nPORT 1,2,3,4,5,6\r\nEPRT |1|a|5|\r\n"
        "229 (|||500|)\r\n227 (1,2,3,4,5,6)\r\n";
    feed_garbage(&f, sample, sizeof(sample));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commands_and_replies),
        TEST(test_replies_of_several_lines),
        TEST(test_one_direction_and_midstream),
        TEST(test_direction_is_corrected),
        TEST(test_logins),
        TEST(test_tls),
        TEST(test_data_connections),
        TEST(test_data_refused),
        TEST(test_protected_data),
        TEST(test_files),
        TEST(test_violations),
        TEST(test_long_lines),
        TEST(test_telnet_before_abort),
        TEST(test_probe),
        TEST(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
