/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the SSH dissector with packets made by hand. */
#include "put_bytes.h"

extern const struct ft_dissector ft_dissector_ssh;

static struct feed f;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_ssh, NULL};
    (void)state;
    feed_open(&f, all, "ssh", FT_TRANSPORT_TCP, 22);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* ---- making packets ------------------------------------------------------------------------ */

static void put_u32(struct bytes *b, uint32_t value)
{
    const uint8_t octets[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    put(b, octets, 4);
}

static void put_string(struct bytes *b, const char *text)
{
    put_u32(b, (uint32_t)strlen(text));
    put(b, text, (uint32_t)strlen(text));
}

/* length4 padding1 payload padding */
static struct bytes packet_of(const struct bytes *payload)
{
    struct bytes b = {.length = 0};
    uint8_t padding = (uint8_t)(8 - (payload->length + 5) % 8);
    static const uint8_t zeros[16];
    padding = (uint8_t)(padding < 4 ? padding + 8 : padding);
    put_u32(&b, payload->length + padding + 1);
    put(&b, &padding, 1);
    put(&b, payload->data, payload->length);
    put(&b, zeros, padding);
    return b;
}

static const char *feed_to(enum ft_direction direction, const struct bytes *b)
{
    return feed_raw(&f, direction, b->data, b->length);
}

static const char *say(enum ft_direction direction, const struct bytes *payload)
{
    struct bytes b = packet_of(payload);
    return feed_to(direction, &b);
}

static const char *say_line(enum ft_direction direction, const char *line)
{
    return feed_raw(&f, direction, (const uint8_t *)line, (uint32_t)strlen(line));
}

static const char *say_hex(enum ft_direction direction, const char *hex)
{
    struct bytes b = {.length = 0};
    b.length = feed_bytes(hex, b.data);
    return say(direction, &b);
}

/* Lists: kex, host keys, ciphers, MACs, compressions; those of the two directions differ in `back`.
 */
static struct bytes kexinit_of(const char *const lists[5], const char *back)
{
    struct bytes b = {.length = 0};
    put(&b,
        "\x14"
        "0123456789abcdef",
        17);
    put_string(&b, lists[0]);
    put_string(&b, lists[1]);
    put_string(&b, lists[2]);
    put_string(&b, back ? back : lists[2]);
    for (unsigned i = 0; i < 2; i++)
        put_string(&b, lists[3]);
    for (unsigned i = 0; i < 2; i++)
        put_string(&b, lists[4]);
    for (unsigned i = 0; i < 2; i++)
        put_string(&b, "");
    put(&b, "\0\0\0\0\0", 5);
    return b;
}

static const char *const modern[5] = {"curve25519-sha256,diffie-hellman-group1-sha1",
                                      "ssh-ed25519,ssh-rsa", "aes128-ctr,3des-cbc",
                                      "hmac-sha2-256,hmac-md5", "none,zlib@openssh.com"};
static const char *const old[5] = {"diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-md5",
                                   "none"};

static const char *host_key(uint8_t message)
{
    struct bytes b = {.length = 0}, key = {.length = 0};
    put_string(&key, "ssh-ed25519");
    put_string(&key, "0123456789abcdef0123456789abcdef");
    put(&b, &message, 1);
    put_u32(&b, key.length);
    put(&b, key.data, key.length);
    put_string(&b, "f");
    put_string(&b, "signature");
    return say(FT_TO_CLIENT, &b);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_session(void **state)
{
    (void)state;
    const char *text = say_line(FT_TO_CLIENT, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n");
    assert_has(text, "\"command\":\"identification\"");
    assert_has(text, "\"kind\":\"data\"");
    assert_has(text, "\"server\":{\"proto_version\":\"2.0\",\"software_version\":\"OpenSSH_9.2p1\","
                     "\"comments\":\"Debian-2+deb12u3\"}");
    assert_has(text, "\"fact\":\"os\",\"value\":\"Debian Linux\"");
    text = say_line(FT_TO_SERVER, "SSH-2.0-PuTTY_Release_0.78\r\n");
    assert_has(text, "\"kind\":\"request\"");
    assert_has(text, "\"software_version\":\"PuTTY_Release_0.78\"");

    struct bytes b = kexinit_of(modern, "aes256-ctr");
    text = say(FT_TO_SERVER, &b);
    assert_has(text, "\"command\":\"kexinit\"");
    assert_has(text,
               "\"string\":\"curve25519-sha256,diffie-hellman-group1-sha1;aes128-ctr,3des-cbc;"
               "hmac-sha2-256,hmac-md5;none,zlib@openssh.com\"");
    assert_has(text, "\"hash\":\"8437f5eae51121459bcf7667d56611d5\"");
    assert_has(text, "\"ciphers\":[\"aes128-ctr\",\"3des-cbc\"]");
    assert_clean(text);
    text = say(FT_TO_CLIENT, &b);
    assert_has(text, "\"hash\":\"6e2b369ba13d9b27193c974fac464104\"");
    assert_has(text, ";aes256-ctr;");
    assert_has(text, "\"kex\":\"curve25519-sha256\"");
    assert_has(text, "\"hostkey_alg\":\"ssh-ed25519\"");
    assert_has(text, "\"cipher\":\"aes128-ctr\"");
    assert_has(text, "\"mac\":\"hmac-sha2-256\"");
    assert_has(text, "\"compression\":\"none\"");
    assert_clean(text);

    text = say_hex(FT_TO_SERVER, "1e 00000004 00010203");
    assert_has(text, "\"command\":\"kex_init\"");
    text = host_key(31);
    assert_has(text, "\"command\":\"kex_reply\"");
    assert_has(text, "\"kind\":\"response\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"hostkey_sha256\":"
                     "\"af48e301ab47fab3daf7b28c441e321240aad0695c9a463269c5aa9a8ca24f02\"");
    assert_has(text, "\"client\":{\"proto_version\":\"2.0\",\"software_version\":"
                     "\"PuTTY_Release_0.78\",\"hassh\":{\"hash\":"
                     "\"8437f5eae51121459bcf7667d56611d5\"}}");
    assert_has(text, "\"hash\":\"6e2b369ba13d9b27193c974fac464104\"");

    assert_has(say_hex(FT_TO_SERVER, "15"), "\"command\":\"newkeys\"");
    assert_string_equal(to_server(&f, "0102030405060708090a0b0c0d0e0f10"), "");
    assert_string_equal(say_hex(FT_TO_SERVER, "14"), "");
}

static void test_agreed(void **state)
{
    (void)state;
    struct bytes strong = kexinit_of(modern, NULL), weak = kexinit_of(old, NULL);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    say_line(FT_TO_CLIENT, "SSH-2.0-b\r\n");
    /* The server is first: the client's preference still decides. */
    say(FT_TO_CLIENT, &weak);
    const char *text = say(FT_TO_SERVER, &strong);
    assert_violation(text, "weak_algorithm");
    assert_has(text, "\"kex\":\"diffie-hellman-group1-sha1\"");
    assert_has(text, "\"cipher\":\"3des-cbc\"");

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    say(FT_TO_SERVER, &weak);
    assert_violation(say(FT_TO_CLIENT, &strong), "weak_algorithm");

    /* Nothing in common. */
    static const char *const other[5] = {"x", "x", "x", "x", "x"};
    struct bytes none = kexinit_of(other, NULL);
    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    say(FT_TO_SERVER, &strong);
    text = say(FT_TO_CLIENT, &none);
    assert_clean(text);
    assert_has_not(text, "\"cipher\":");
}

static void test_group_exchange(void **state)
{
    (void)state;
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    say_hex(FT_TO_SERVER, "22 00000400 00000800 00002000");
    /* Message 31 is a group here, no host key. */
    const char *text = say_hex(FT_TO_CLIENT, "1f 00000003 00abcd 00000001 02");
    assert_has_not(text, "hostkey_sha256");
    assert_has(text, "\"paired\":false");
    text = host_key(33);
    assert_has(text, "\"command\":\"gex_reply\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "hostkey_sha256");
}

static void test_lines(void **state)
{
    char line[400] = "SSH-2.0-";
    (void)state;
    /* A server may greet first; lines may come byte by byte. */
    assert_clean(say_line(FT_TO_CLIENT, "Welcome to the plant\r\nauthorised only\r\n"));
    const char *server = "SSH-1.99-Cisco-1.25\n";
    for (unsigned i = 0; server[i]; i++) {
        const char *text = feed_raw(&f, FT_TO_CLIENT, (const uint8_t *)server + i, 1);
        if (!server[i + 1]) {
            assert_has(text, "\"proto_version\":\"1.99\"");
            assert_has(text, "\"fact\":\"vendor\",\"value\":\"Cisco\"");
        }
        assert_clean(text);
    }
    memset(line + 8, 'x', 246);
    strcpy(line + 253, "\r\n");
    assert_clean(say_line(FT_TO_SERVER, line)); /* 255 bytes */
    feed_next_flow(&f);
    memset(line + 8, 'x', 248);
    strcpy(line + 254, "\r\n");
    assert_violation(say_line(FT_TO_SERVER, line), "identification");
    feed_next_flow(&f);
    assert_violation(to_server(&f, "5353482d322e302d61006263 0d0a"), "identification");
}

static void test_ssh1(void **state)
{
    (void)state;
    assert_violation(say_line(FT_TO_CLIENT, "SSH-1.5-1.2.27\n"), "version_1");
    assert_violation(say_line(FT_TO_SERVER, "SSH-1.5-OpenSSH_3\n"), "version_1");
    /* cookie 8, server key: bits 4, e, n; host key: bits 4 */
    const char *text = to_client(&f, "0000001d 000000 02 0001020304050607 00000300 0001 01 0008 ff "
                                     "00000400 0001 01 0008 00000000");
    assert_has(text, "\"command\":\"ssh1_public_key\"");
    assert_has(text, "\"paired\":true");
    assert_has(text, "\"hostkey_bits\":1024");
    text = to_server(&f, "0000000c 00000000 03 01 0001020304050607 00000000");
    assert_has(text, "\"command\":\"ssh1_session_key\"");
    assert_string_equal(to_server(&f, "ffffffffffffffffffff"), "");
}

static void test_violations(void **state)
{
    (void)state;
    struct bytes b = kexinit_of(modern, NULL), cut;
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    assert_violation(say_hex(FT_TO_SERVER, "15"), "newkeys_order");

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    assert_clean(say_hex(FT_TO_SERVER, "02 00000000"));
    assert_clean(say(FT_TO_SERVER, &b));
    assert_violation(say_hex(FT_TO_SERVER, "02 00000000"), "extra_message");
    assert_clean(say_hex(FT_TO_SERVER, "15"));

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    assert_violation(say_hex(FT_TO_SERVER, "34"), "client_says_success");
    say_line(FT_TO_CLIENT, "SSH-2.0-b\r\n");
    assert_clean(say_hex(FT_TO_CLIENT, "34"));

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    cut = b;
    cut.data[17] = 0xff;
    assert_violation(say(FT_TO_SERVER, &cut), "name_list");

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    assert_violation(to_server(&f, "0000000c 0b 02 00000000000000000000"), "packet_length");
    assert_violation(to_server(&f, "000088b9 04 02 00000000000000000000"), "packet_length");

    feed_next_flow(&f);
    say_line(FT_TO_SERVER, "SSH-2.0-a\r\n");
    assert_has(say_hex(FT_TO_SERVER, "01 0000000b 00000000 00000000"),
               "\"reason\":\"by_application\"");
    assert_has(say_hex(FT_TO_SERVER, "c8 00"), "\"code\":200");
}

/* Who is who is said by the key exchange when the capture does not tell. */
static void test_direction(void **state)
{
    (void)state;
    f.flow.is_midstream = true;
    struct bytes b = kexinit_of(modern, NULL);
    say(FT_TO_SERVER, &b);
    const char *text = say_hex(FT_TO_CLIENT, "1e 00000004 00010203");
    assert_has(text, "\"direction\":\"to_server\"");
}

static enum ft_verdict probe(const char *text)
{
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, text, (uint32_t)strlen(text));
}

static void test_probe(void **state)
{
    (void)state;
    assert_int_equal(probe("SSH-2.0-x\r\n"), FT_YES);
    assert_int_equal(probe("SSH-1.5-x"), FT_YES);
    assert_int_equal(probe("SSH-"), FT_MAYBE);
    assert_int_equal(probe("SSH-3.0-x"), FT_NO);
    assert_int_equal(probe("GET / HTTP/1.1\r\n"), FT_NO);
}

static void test_hostile(void **state)
{
    static char text[2 * FEED_MAX];
    (void)state;
    struct bytes all = {.length = 0}, b = kexinit_of(modern, NULL);
    put(&all, "SSH-2.0-a\r\n", 11);
    b = packet_of(&b);
    put(&all, b.data, b.length);
    for (uint32_t i = 0; i < all.length; i++)
        snprintf(text + 2 * i, 3, "%02x", all.data[i]);
    feed_mutated(&f, FT_TO_SERVER, text, 3000);
    f.flow.transport = FT_TRANSPORT_L2;
    feed_next_flow(&f);
    feed_mutated(&f, FT_TO_SERVER, text + 22, 3000);
    feed_next_flow(&f);
    feed_truncated(&f, FT_TO_SERVER, text + 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agreed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ssh1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_violations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
