/* SPDX-License-Identifier: BSD-3-Clause */
/* Modbus RTU and ASCII: checksums, framing without lengths, broadcast, recognition. */
#include "feed.h"

#include <fieldtap/wire.h>

extern const struct ft_dissector ft_dissector_modbus_rtu;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_modbus_rtu, NULL};

static struct feed f;

static int open_tcp(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "modbus_rtu", FT_TRANSPORT_TCP, 4001);
    return 0;
}

static int open_udp(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "modbus_rtu", FT_TRANSPORT_UDP, 4001);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* The bytes of `hex`; `*` stands for the CRC over the bytes since the last `*` or `|`. */
static uint32_t with_crc(const char *hex, uint8_t bytes[FEED_MAX])
{
    static uint8_t some[FEED_MAX];
    char part[2 * FEED_MAX];
    uint32_t n = 0;
    while (*hex) {
        size_t length = strcspn(hex, "*|");
        memcpy(part, hex, length);
        part[length] = 0;
        uint32_t got = feed_bytes(part, some);
        uint16_t crc = ft_crc16_modbus(some, got);
        memcpy(bytes + n, some, got);
        n += got;
        if (hex[length] == '*') {
            bytes[n++] = (uint8_t)crc;
            bytes[n++] = (uint8_t)(crc >> 8);
        }
        hex += length + (hex[length] != 0);
    }
    return n;
}

static const char *crc_to(enum ft_direction direction, const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = with_crc(hex, bytes);
    return feed_raw(&f, direction, bytes, n);
}

static const char *text_to(enum ft_direction direction, const char *text)
{
    return feed_raw(&f, direction, (const uint8_t *)text, (uint32_t)strlen(text));
}

static void polls(void **state)
{
    (void)state;
    /* The checksum as printed in the serial line specification's example of this request. */
    const char *s = to_server(&f, "01 03 00 00 00 0A C5 CD");
    assert_has(s, "\"command\":\"read_holding_registers\"");
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"server_sub\":\"unit 1\"");
    assert_has(s, "\"unit_id\":1,\"encapsulation\":\"tcp\"");
    assert_has(s, "\"checksum\":52677,\"is_checksum_ok\":true,\"is_broadcast\":false");
    assert_has(s, "\"read\":{\"address\":0,\"quantity\":10}");
    assert_clean(s);
    s = crc_to(FT_TO_CLIENT, "01 03 14 0000 0001 0002 0003 0004 0005 0006 0007 0008 0009*");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"registers\":[0,1,2,3,4,5,6,7,8,9]");
    assert_has(s, "\"value\":\"gateway\"");
    assert_clean(s);
    crc_to(FT_TO_SERVER, "01 03 f000 0001*");
    s = to_client(&f, "01 83 02 C0 F1");
    assert_has(s, "\"kind\":\"exception\"");
    assert_violation(s, "illegal_data_address");
}

/* The gateway opened the connection: the master is the TCP server. */
static void reversed(void **state)
{
    (void)state;
    const char *s = crc_to(FT_TO_CLIENT, "11 03 0000 0002*");
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    s = crc_to(FT_TO_SERVER, "11 03 04 0001 0002*");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"registers\":[1,2]");
}

static void all_lengths(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"01 01 0000 0008*", "01 01 01 55*"},
        {"01 05 0001 ff00*", "01 05 0001 ff00*"},
        {"01 07*", "01 07 11*"},
        {"01 08 0000 1234*", "01 08 0000 1234*"},
        {"01 0b*", "01 0b 0000 0001*"},
        {"01 0c*", "01 0c 07 0000 0001 0002 20*"},
        {"01 0f 0000 0008 01 55*", "01 0f 0000 0008*"},
        {"01 10 0000 0001 02 0007*", "01 10 0000 0001*"},
        {"01 11*", "01 11 04 41424344*"},
        {"01 14 07 06 0001 0002 0001*", "01 14 04 03 06 0007*"},
        {"01 15 09 06 0001 0002 0001 0007*", "01 15 09 06 0001 0002 0001 0007*"},
        {"01 16 0004 00f2 0025*", "01 16 0004 00f2 0025*"},
        {"01 17 0000 0001 0004 0001 02 0007*", "01 17 02 0009*"},
        {"01 18 0004*", "01 18 0004 0001 0007*"},
        {"01 2b 0e 01 00*", "01 2b 0e 01 01 00 00 01 00 04 41636d65*"},
    };
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *s = crc_to(FT_TO_SERVER, pairs[i][0]);
        assert_has(s, "\"kind\":\"request\"");
        assert_clean(s);
        s = crc_to(FT_TO_CLIENT, pairs[i][1]);
        assert_has(s, "\"kind\":\"response\"");
        assert_has(s, "\"paired\":true");
        assert_clean(s);
    }
}

static void glued_and_split(void **state)
{
    (void)state;
    const char *three = "01 03 0000 000a* 02 04 0000 0001* 03 10 0000 0001 02 0007*";
    uint8_t bytes[FEED_MAX];
    uint32_t n = with_crc(three, bytes);
    assert_int_equal(feed_count(feed_raw(&f, FT_TO_SERVER, bytes, n), "{\"message\""), 3);
    feed_next_flow(&f);
    unsigned messages = 0;
    for (uint32_t i = 0; i < n; i++)
        messages += feed_count(feed_raw(&f, FT_TO_SERVER, bytes + i, 1), "{\"message\"");
    assert_int_equal(messages, 3);
}

static void noise_is_skipped(void **state)
{
    (void)state;
    const char *s = crc_to(FT_TO_SERVER, "01 03 0000 000a* ff fe 00| 02 04 0000 0001*");
    assert_int_equal(feed_count(s, "{\"message\""), 2);
    assert_has(s, "\"command\":\"read_input_registers\"");
    assert_clean(s);
    /* A frame with a damaged byte is passed over, the next one is found. */
    s = crc_to(FT_TO_SERVER, "01 03 0001 000a 1234| 02 04 0000 0001*");
    assert_has(s, "\"command\":\"read_input_registers\"");
    assert_has_not(s, "\"command\":\"read_holding_registers\"");
}

static void other_content(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    for (unsigned i = 0; i < 1200; i++)
        bytes[i] = (uint8_t)(0x40 + i % 0x20);
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    unsigned told = 0;
    for (unsigned i = 0; i < 1200; i += 300)
        told += feed_count(feed_raw(&f, FT_TO_SERVER, bytes + i, 300), "unexpected_content");
    assert_true(told >= 1);
}

static void broadcast(void **state)
{
    (void)state;
    const char *s = crc_to(FT_TO_SERVER, "00 06 0001 0002*");
    assert_has(s, "\"is_broadcast\":true");
    assert_has_not(s, "server_sub");
    assert_violation(s, "broadcast_write");
    assert_no_violation(crc_to(FT_TO_SERVER, "01 06 0001 0002*"), "broadcast_write");
    assert_no_violation(crc_to(FT_TO_SERVER, "00 08 0001 0000*"), "broadcast_write");
    assert_violation(crc_to(FT_TO_SERVER, "f8 06 0001 0002*"), "reserved_address");
    assert_no_violation(crc_to(FT_TO_SERVER, "f7 06 0001 0002*"), "reserved_address");
    /* Nobody answers a broadcast: its request waits for nothing. */
    assert_has_not(ft_harness_tick(f.harness, 3600000000000ull), "\"command\":\"clear");
}

static void ascii(void **state)
{
    (void)state;
    const char *s = text_to(FT_TO_SERVER, ":010300000001FB\r\n");
    assert_has(s, "\"command\":\"read_holding_registers\"");
    assert_has(s, "\"is_ascii\":true");
    assert_has(s, "\"checksum\":251");
    assert_clean(s);
    s = text_to(FT_TO_CLIENT, ":0103020007F3\r\n");
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"read\":{\"address\":0,\"quantity\":1,\"byte_count\":2,\"data\":\"0007\"}");
    assert_has(s, "\"registers\":[7]");
    assert_clean(s);
    s = text_to(FT_TO_SERVER, ":010300000001FC\r\n");
    assert_violation(s, "checksum");
    assert_has(s, "\"is_checksum_ok\":false");
    /* Split over segments, and two in one. */
    assert_has_not(text_to(FT_TO_SERVER, ":01030000"), "message");
    assert_has(text_to(FT_TO_SERVER, "0001FB\r\n"), "\"command\":\"read_holding_registers\"");
    s = text_to(FT_TO_SERVER, ":010300000001FB\r\n:010300000001FB\r\n");
    assert_int_equal(feed_count(s, "{\"message\""), 2);
}

/* RFC 2217: commands are no frames, and a frame's 0xFF comes doubled. */
static void telnet(void **state)
{
    (void)state;
    assert_has_not(to_server(&f, "ff fb 2c ff fd 2c ff fa 2c 01 00 00 25 80 ff f0"), "message");
    uint8_t bytes[FEED_MAX];
    uint32_t n = with_crc("01 05 0001 ff00*", bytes);
    assert_int_equal(n, 8);
    memmove(bytes + 5, bytes + 4, 4);
    const char *s = feed_raw(&f, FT_TO_SERVER, bytes, 9);
    assert_has(s, "\"command\":\"write_single_coil\"");
    assert_has(s, "\"encapsulation\":\"rfc2217\"");
    assert_has(s, "\"coils\":[true]");
    assert_clean(s);
    /* In pieces, with a command between. */
    unsigned messages = 0;
    for (unsigned i = 0; i < 9; i++)
        messages += feed_count(feed_raw(&f, FT_TO_CLIENT, bytes + i, 1), "{\"message\"");
    to_client(&f, "ff f9");
    messages += feed_count(crc_to(FT_TO_CLIENT, "01 06 0001 0002*"), "{\"message\"");
    assert_int_equal(messages, 2);
}

static void datagrams(void **state)
{
    (void)state;
    const char *s = crc_to(FT_TO_SERVER, "01 03 0000 0002* 02 03 0000 0001*");
    assert_has(s, "\"encapsulation\":\"udp\"");
    assert_int_equal(feed_count(s, "{\"message\""), 2);
    assert_has(s, "\"server_sub\":\"unit 1\"");
    assert_has(s, "\"server_sub\":\"unit 2\"");
    assert_clean(s);
    assert_violation(to_server(&f, "01 03 0000 0002 1234"), "checksum");
    s = crc_to(FT_TO_CLIENT, "01 03 04 0001 0002*");
    assert_has(s, "\"paired\":true");
    /* A vendor's function: its length is the datagram's. */
    s = crc_to(FT_TO_SERVER, "01 41 010203*");
    assert_has(s, "\"command\":\"code_65\"");
    assert_clean(s);
    assert_violation(crc_to(FT_TO_SERVER, "00 06 0001 0002* 01 06 0001 0002*"), "broadcast_write");
}

/*
 * What frames of unknown length, damaged ones and bytes between them leave of the framing;
 * lengths and shapes of functions are those of modbus_functions.c.
 */
static void damaged_frames(void **state)
{
    (void)state;
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    /* alone in its segment, of the length that its function has: told with its wrong checksum */
    const char *s = to_server(&f, "01 03 0001 000a 1234");
    assert_has(s, "\"is_checksum_ok\":false");
    assert_has(s, "\"data\":\"01030001000a1234\"");
    assert_violation(s, "checksum");
    /* one that ends early takes the begin of the next for its end, but not the next itself */
    s = to_server(&f, "01 03 0001 000a 12");
    assert_has_not(s, "message");
    s = crc_to(FT_TO_SERVER, "01 04 0000 0001*");
    assert_has(s, "\"command\":\"read_input_registers\"");
    assert_clean(s);
}

/* A function with no length of its own: the checksum over the whole segment tells. */
static void open_ended_functions(void **state)
{
    (void)state;
    assert_has_not(crc_to(FT_TO_SERVER, "01 41 010203*"), "message"); /* nothing known yet */
    feed_next_flow(&f);
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    const char *s = crc_to(FT_TO_SERVER, "01 41 010203*");
    assert_has(s, "\"command\":\"code_65\"");
    assert_clean(s);
    assert_has_not(to_server(&f, "01 41 010203 1234"), "message");
    feed_next_flow(&f);
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    assert_violation(crc_to(FT_TO_SERVER, "f9 41 f10203*"), "reserved_address");
}

/* Noise up to where a line begins, whole or in part; lines that are none. */
static void noise_before_lines(void **state)
{
    (void)state;
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    const char *s = text_to(FT_TO_SERVER, "\x7f\x7f:010300000001FB\r\n");
    assert_int_equal(feed_count(s, "{\"message\""), 1);
    s = text_to(FT_TO_SERVER, ":0103\n:010300000001FB\r\n");
    assert_int_equal(feed_count(s, "{\"message\""), 1);
    s = text_to(FT_TO_SERVER, ":01030000000\r\n:010300000001FB\r\n"); /* an odd number of digits */
    assert_int_equal(feed_count(s, "{\"message\""), 1);
    /* noise and the first half of a frame; then its second half */
    assert_has_not(to_server(&f, "7f 60 03 00 00"), "message");
    uint8_t bytes[FEED_MAX];
    uint32_t n = with_crc("60 03 0000 000a*", bytes);
    s = feed_raw(&f, FT_TO_SERVER, bytes + 4, n - 4);
    assert_int_equal(feed_count(s, "{\"message\""), 1);
    assert_clean(s);
}

/* Commands of telnet cut anywhere, a subnegotiation without end, IAC at the end of a segment. */
static void telnet_in_pieces(void **state)
{
    static const char *const hex =
        "ff fa 2c 01 00 00 25 80 ff f0 ff fb 2c ff f1 01 03 00 00 00 0A C5 CD";
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    (void)state;
    for (uint32_t cut = 1; cut < n; cut++) {
        feed_next_flow(&f);
        unsigned messages = feed_count(feed_raw(&f, FT_TO_SERVER, bytes, cut), "{\"message\"");
        messages += feed_count(feed_raw(&f, FT_TO_SERVER, bytes + cut, n - cut), "{\"message\"");
        assert_int_equal(messages, 1);
    }
    feed_next_flow(&f);
    memset(bytes, 0x20, 400);
    memcpy(bytes, "\xff\xfa\x2c", 3);
    assert_has_not(feed_raw(&f, FT_TO_SERVER, bytes, 400), "message");
    /* a frame whose last byte of checksum is 0xff, which comes doubled */
    for (unsigned i = 0; i < 65536; i++) {
        uint8_t frame[] = {1, 6, (uint8_t)(i >> 8), (uint8_t)i, 0, 1, 0, 0, 0xff};
        uint16_t crc = ft_crc16_modbus(frame, 6);
        frame[6] = (uint8_t)crc;
        frame[7] = (uint8_t)(crc >> 8);
        if (frame[7] != 0xff || frame[6] == 0xff || frame[2] == 0xff || frame[3] == 0xff)
            continue;
        feed_next_flow(&f);
        to_server(&f, "ff fb 2c");
        const char *s = feed_raw(&f, FT_TO_SERVER, frame, 9);
        assert_has(s, "\"command\":\"write_single_register\"");
        assert_clean(s);
        break;
    }
}

/* An exception belongs to who was asked, once it is known who that is. */
static void exceptions_follow_the_roles(void **state)
{
    (void)state;
    crc_to(FT_TO_SERVER, "01 03 0000 000a*");
    assert_has(crc_to(FT_TO_CLIENT, "01 83 02*"),
               "\"kind\":\"exception\",\"direction\":\"to_client\"");
    const char *s = crc_to(FT_TO_SERVER, "01 83 02*");
    assert_has(s, "\"direction\":\"to_server\"");
}

static enum ft_verdict probe(const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = with_crc(hex, bytes);
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n);
}

static void recognition(void **state)
{
    (void)state;
    assert_int_equal(probe("01 03 0000 000a*"), FT_MAYBE);
    assert_int_equal(probe("01 03 0000 000a* 01 04 0000 0001*"), FT_YES);
    assert_int_equal(probe("01 03 0000 000a 1234"), FT_NO);
    assert_int_equal(probe("01 03 0000 000a* 01 30 00 00 00"), FT_NO);
    assert_int_equal(probe("01 03 0000 0002*"), FT_MAYBE);
    assert_int_equal(probe("f9 03 0000 000a*"), FT_NO);
    assert_int_equal(probe("0001 0000 0006 11 01 0013 000a"), FT_NO);
    assert_int_equal(probe(""), FT_NO);
    /* acknowledgements of ROC Plus */
    assert_int_equal(probe("01 02 03 04 11 00*"), FT_NO);
    assert_int_equal(probe("01 02 03 04 11 01*"), FT_MAYBE);
    assert_int_equal(probe("01 05 0001 ff00*"), FT_MAYBE);
    const char *line = ":010300000001FB\r\n:010300000001FB\r\n";
    assert_int_equal(
        ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, line, (uint32_t)strlen(line)), FT_YES);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, line, 17), FT_MAYBE);
    assert_int_equal(ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, ":010300000001FC\r\n", 17),
                     FT_NO);
}

static const char *const samples[] = {
    "01 03 00 00 00 0A C5 CD",
    "01 83 02 C0 F1",
    "3a 30 31 30 33 30 30 30 30 30 30 30 31 46 42 0d 0a",
    "ff fb 2c ff fa 2c 01 00 00 25 80 ff f0 01 03 00 00 00 0A C5 CD 01 05 00 01 ff ff 00 00 00",
};

static void truncated_and_mutated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        feed_truncated(&f, FT_TO_SERVER, samples[i]);
        feed_mutated(&f, FT_TO_SERVER, samples[i], 500);
    }
}

/* Changed bytes under a checksum made good again, so that they reach the reading of the PDU. */
static void mutated_pdus(void **state)
{
    (void)state;
    static const char *const pdus[] = {
        "01 14 0e 06 0004 0001 0002 06 0003 0009 0002", "01 2b 0e 01 01 00 00 01 00 04 41636d65",
        "01 17 0000 0001 0004 0001 02 0007", "01 0c 07 0000 0001 0002 20"};
    uint32_t seed = 7;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t bytes[FEED_MAX];
        uint32_t n = feed_bytes(pdus[i % 4], bytes);
        for (unsigned change = 0; change < 2; change++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[1 + (seed >> 8) % (n - 1)] = (uint8_t)(seed >> 24);
        }
        uint16_t crc = ft_crc16_modbus(bytes, n);
        bytes[n] = (uint8_t)crc;
        bytes[n + 1] = (uint8_t)(crc >> 8);
        feed_raw(&f, i % 8 < 4 ? FT_TO_SERVER : FT_TO_CLIENT, bytes, n + 2);
    }
}

#define TCP(test) cmocka_unit_test_setup_teardown(test, open_tcp, close_feed)
#define UDP(test) cmocka_unit_test_setup_teardown(test, open_udp, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP(polls),
        TCP(reversed),
        TCP(all_lengths),
        TCP(glued_and_split),
        TCP(noise_is_skipped),
        TCP(other_content),
        TCP(broadcast),
        TCP(ascii),
        TCP(telnet),
        TCP(damaged_frames),
        TCP(open_ended_functions),
        TCP(noise_before_lines),
        TCP(telnet_in_pieces),
        TCP(exceptions_follow_the_roles),
        UDP(datagrams),
        TCP(recognition),
        UDP(truncated_and_mutated),
        TCP(truncated_and_mutated),
        UDP(mutated_pdus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
