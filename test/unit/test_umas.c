/* SPDX-License-Identifier: BSD-3-Clause */
/* UMAS inside Modbus/TCP: requests, responses known by their requests, signed messages. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_modbus, ft_dissector_modbus_rtu, ft_dissector_umas;

static const struct ft_dissector *const dissectors[] = {
    &ft_dissector_modbus, &ft_dissector_modbus_rtu, &ft_dissector_umas, NULL};

static struct feed f;

static int open_tcp(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "modbus", FT_TRANSPORT_TCP, 502);
    return 0;
}

static int open_udp(void **state)
{
    (void)state;
    feed_open(&f, dissectors, "modbus", FT_TRANSPORT_UDP, 502);
    return 0;
}

static int close_feed(void **state)
{
    (void)state;
    feed_close(&f);
    return 0;
}

/* A UMAS message (from the session key on) in its ADU. */
static const char *umas(enum ft_direction direction, uint16_t transaction_id, const char *hex)
{
    uint8_t data[FEED_MAX], bytes[FEED_MAX + 8];
    uint32_t n = feed_bytes(hex, data);
    const uint8_t header[8] = {(uint8_t)(transaction_id >> 8), (uint8_t)transaction_id, 0, 0,
                               (uint8_t)((n + 2) >> 8),        (uint8_t)(n + 2),        0, 0x5A};
    memcpy(bytes, header, sizeof(header));
    memcpy(bytes + 8, data, n);
    return feed_raw(&f, direction, bytes, n + 8);
}

static const char *ask(uint16_t transaction_id, const char *hex)
{
    return umas(FT_TO_SERVER, transaction_id, hex);
}

static const char *answer(uint16_t transaction_id, const char *hex)
{
    return umas(FT_TO_CLIENT, transaction_id, hex);
}

static const char id_answer[] = "00 fe 10ff 5a010100 0100 2003 0000 2700 0900 08000000 0000"
                                " 09 424d585f503334 2031 01 01 01 0000 00001100";

static void identity(void **state)
{
    (void)state;
    const char *s = ask(1, "00 02");
    assert_has(s, "\"protocol\":\"umas\",\"command\":\"read_id\",\"code\":2");
    assert_has(s, "\"class\":\"diagnostic\",\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"command\":\"umas\",\"code\":90");
    assert_clean(s);
    s = answer(1, id_answer);
    assert_has(s, "\"command\":\"read_id\",\"code\":2,\"qualifier\":0,\"class\":\"diagnostic\","
                  "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"firmware\":\"3.20\"");
    assert_has(s, "\"model\":\"BMX_P34 1\"");
    assert_has(s, "\"memory_banks\":[{\"type\":1,\"folio\":1,\"status\":0,\"size\":1114112}]");
    assert_has(s, "\"fact\":\"vendor\",\"value\":\"Schneider Electric\"");
    assert_has(s, "\"fact\":\"model\",\"value\":\"BMX_P34 1\"");
    assert_has(s, "\"fact\":\"firmware\",\"value\":\"3.20\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"plc\"");
    assert_clean(s);
}

static void session(void **state)
{
    (void)state;
    ask(1, "00 01 00");
    const char *s = answer(1, "00 fe fd00 0104 00003200 00000000 04 504c4331");
    assert_has(s, "\"max_frame\":253,\"host_name\":\"PLC1\"");
    assert_has(s, "\"fact\":\"name\",\"value\":\"PLC1\"");
    assert_clean(s);
    s = ask(2, "00 10 434c0000 06 454e472d3031");
    assert_has(s, "\"class\":\"admin\"");
    assert_has(s, "\"reservation_client_name\":\"ENG-01\"");
    assert_has(s, "\"fact\":\"role\",\"value\":\"engineering\"");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"name\",\"value\":\"ENG-01\"}}");
    assert_clean(answer(2, "00 fe 37"));
    assert_clean(ask(3, "37 12"));
    assert_clean(ask(4, "00 04"));
    s = answer(4, "00 fe 02 8a80 02 b0d56f1b 37583d11");
    assert_has(s, "\"reserved\":true,\"block_crcs\":[460314032,289232951]");
    assert_violation(ask(5, "38 12"), "session_key");
    ask(6, "37 11");
    assert_clean(ask(7, "38 12"));
}

static void project(void **state)
{
    (void)state;
    const char *s = ask(1, "00 03 00");
    assert_has(s, "\"qualifier\":0");
    assert_has(s, "\"sub_function\":0");
    s = answer(1, "00 fe 000000000000000000 000000000000000000 0000000000000000"
                  " 02 0c 3b 0c 0e 01 de07 08 00 00 00 08 5075 6d707300 0000");
    assert_has(s, "\"project\":{\"modified\":\"2014-01-14 12:59:12\",\"version\":\"0.0.8\","
                  "\"name\":\"Pumps\"}");
    assert_has(s, "\"fact\":\"project\",\"value\":\"Pumps\"");
    assert_clean(s);
}

static void memory_and_variables(void **state)
{
    (void)state;
    const char *s = ask(1, "00 20 00 1300 0800 0000 0200");
    assert_has(s, "\"class\":\"read\"");
    assert_has(s, "\"range\":0,\"block\":19,\"offset\":8,\"count\":2");
    s = answer(1, "00 fe 00 0200 abcd");
    assert_has(s, "\"block\":19,\"offset\":8,\"range\":0,\"count\":2,\"data\":\"abcd\"");
    assert_clean(s);
    assert_has(ask(2, "01 21 00 1300 0800 0000 0200 1234"), "\"class\":\"write\"");
    s = ask(3, "01 23 78563412 02 02 3100 01 0400 02 1122 11 3200 01 0000 00 0300 aabbcc");
    assert_has(s, "\"command\":\"write_variables\"");
    assert_has(s, "\"variables_crc\":305419896");
    assert_has(
        s, "\"variables\":[{\"size\":2,\"block\":49,\"base\":4,\"offset\":2,\"value\":\"1122\"},"
           "{\"size\":1,\"block\":50,\"base\":0,\"offset\":0,\"count\":3,\"value\":\"aabbcc\"}]");
    assert_clean(s);
    assert_clean(ask(4, "01 22 78563412 ff 02 3100 01 0400 02"));
    s = ask(5, "00 26 02dd 00 00000001 0000 0000");
    assert_has(s, "\"dictionary_record\":\"variable_names\"");
    assert_clean(s);
}

static void transfers(void **state)
{
    (void)state;
    const char *s = ask(1, "01 33 00 01 fb00");
    assert_has(s, "\"class\":\"upload\"");
    assert_has(s, "\"transfer_dir\":\"from_plc\"");
    assert_has(s, "\"transfer_len\":251");
    assert_clean(ask(2, "01 34 00 01 0100"));
    s = answer(2, "01 fe 01 00 0200 4150");
    assert_has(s,
               "\"transfer_block_no\":1,\"last_block\":true,\"transfer_len\":2,\"data\":\"4150\"");
    assert_clean(s);
    assert_clean(ask(3, "01 34 00 01 0100"));
    assert_clean(ask(4, "01 34 00 01 0200"));
    assert_violation(ask(5, "01 34 00 01 0400"), "transfer_gap");
    assert_clean(ask(6, "01 35 00 01 0400"));
    s = ask(7, "01 30 00 01 fb00");
    assert_has(s, "\"class\":\"program\"");
    assert_has(s, "\"transfer_dir\":\"to_plc\"");
    s = ask(8, "01 31 00 01 0100 0200 5050");
    assert_has(s, "\"transfer_block_no\":1,\"transfer_len\":2,\"data\":\"5050\"");
    assert_clean(s);
    assert_violation(ask(9, "01 31 00 01 0200 0900 5050"), "malformed");
}

static void modes(void **state)
{
    (void)state;
    const char *s = ask(1, "00 40 ff00");
    assert_has(s, "\"command\":\"start_plc\"");
    assert_has(s, "\"class\":\"mode\"");
    assert_has(s, "\"start_stop\":\"start\"");
    assert_has(ask(2, "00 41 ff00"), "\"start_stop\":\"stop\"");
    s = ask(3, "01 50 15 00 01 0b");
    assert_has(s, "\"class\":\"read\"");
    assert_has(s, "\"monitor_operation\":\"reset\"");
    assert_has(ask(4, "01 50 15 00 01 21"), "\"class\":\"write\"");
}

static void refusals(void **state)
{
    (void)state;
    ask(1, "00 41 ff00");
    const char *s = answer(1, "00 fd 81 03");
    assert_has(s, "\"command\":\"stop_plc\"");
    assert_has(s, "\"kind\":\"exception\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"status\":\"refused\"");
    assert_has(s, "\"error_code\":\"reservation_held\"");
    assert_clean(s);
    ask(2, "00 41 ff00");
    assert_violation(answer(2, "00 77 00"), "status");
    /* A Modbus exception answers the UMAS request too. */
    ask(3, "00 6e");
    s = to_client(&f, "0003 0000 0003 00 da 01");
    assert_has(s, "\"protocol\":\"umas\",\"command\":\"exchange_nonce\"");
    assert_has(s, "\"exception_code\":1");
    assert_violation(s, "exception");
}

static void pipelined(void **state)
{
    (void)state;
    ask(1, "00 04");
    ask(2, "00 02");
    assert_has(answer(2, id_answer), "\"command\":\"read_id\"");
    assert_has(answer(1, "00 fe 02 8280 00"), "\"command\":\"get_plc_status\"");
    /* One transaction id for all, and a request that nobody answered. */
    ask(0, "00 04");
    ask(0, "00 02");
    assert_has(answer(0, id_answer), "\"command\":\"read_id\"");
}

static void one_direction(void **state)
{
    (void)state;
    const char *s = answer(1, id_answer);
    assert_has(s, "\"protocol\":\"umas\",\"command\":\"answer\",\"code\":254");
    assert_has(s, "\"paired\":false");
    assert_clean(s);
    assert_has(answer(1, "00 fd 81"), "\"command\":\"refusal\"");
}

#define SIGNATURE_HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void signed_messages(void **state)
{
    (void)state;
    const char *s = ask(1, "05 38 01 " SIGNATURE_HEX " 5a 05 40 ff00");
    assert_has(s, "\"command\":\"start_plc\"");
    assert_has(s, "\"class\":\"mode\"");
    assert_has(s, "\"is_signed\":true");
    assert_clean(s);
    s = answer(1, "05 fe 01 " SIGNATURE_HEX " 5a 05 fd 81");
    assert_has(s, "\"command\":\"start_plc\"");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"error_code\":\"reservation_held\"");
    assert_clean(s);
    assert_violation(ask(2, "05 38 01 0011223344 5a 05 40"), "signature");
}

static void long_frames(void **state)
{
    (void)state;
    uint8_t bytes[1024] = {0, 1, 0, 0, 0x03, 0xfa, 0, 0x5A, 0, 0x0A};
    const char *s = feed_raw(&f, FT_TO_SERVER, bytes, sizeof(bytes));
    assert_has(s, "\"command\":\"repeat\"");
    assert_clean(s);
}

static const char *const samples[] = {
    "0001 0000 002d 00 5a 00 fe 10ff 5a010100 0100 2003 0000 2700 0900 08000000 0000"
    " 09 424d585f503334 2031 01 01 01 0000 00001100",
    "0001 0000 000f 00 5a 00 10 434c0000 06 454e472d3031",
    "0001 0000 000d 00 5a 00 20 00 1300 0800 0000 0200",
    "0001 0000 001e 00 5a 01 23 78563412 02 02 3100 01 0400 02 1122 11 3200 01 0000 00 0300 aabbcc",
    "0001 0000 000c 00 5a 01 31 00 01 0100 0200 5050",
    "0001 0000 002a 00 5a 05 38 01 " SIGNATURE_HEX " 5a 05 40 ff00",
};

/* Every function's reading of a response, by an own request before each. */
static void truncated_and_mutated(void **state)
{
    (void)state;
    static const char *const asked[] = {"00 02",    "00 03 00",       "00 04",
                                        "00 01 00", "00 06 06",       "00 10",
                                        "00 20",    "01 34 00010100", "00 38"};
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        feed_truncated(&f, FT_TO_SERVER, samples[i]);
        feed_mutated(&f, FT_TO_SERVER, samples[i], 200);
    }
    for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        for (unsigned round = 0; round < 100; round++) {
            ask(1, asked[i]);
            feed_mutated(&f, FT_TO_CLIENT, samples[0], 1 + round % 2);
        }
    }
}

#define TCP(test) cmocka_unit_test_setup_teardown(test, open_tcp, close_feed)
#define UDP(test) cmocka_unit_test_setup_teardown(test, open_udp, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP(identity),      TCP(session),         TCP(project),     TCP(memory_and_variables),
        TCP(transfers),     TCP(modes),           TCP(refusals),    TCP(pipelined),
        TCP(one_direction), TCP(signed_messages), TCP(long_frames), UDP(truncated_and_mutated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
