/* SPDX-License-Identifier: BSD-3-Clause */
/* Modbus/TCP: every function in both directions, every violation and its near miss, framing. */
#include "feed.h"

extern const struct ft_dissector ft_dissector_modbus;

static const struct ft_dissector *const dissectors[] = {&ft_dissector_modbus, NULL};

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

/* ---- functions ---- */

static void reads_bits(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0006 11 01 0013 000a");
    assert_has(s, "\"command\":\"read_coils\",\"code\":1");
    assert_has(s, "\"class\":\"read\",\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"server_sub\":\"unit 17\"");
    assert_has(s, "\"transaction_id\":1,\"protocol_id\":0,\"length\":6,\"unit_id\":17");
    assert_has(s, "\"function_code\":\"RdCoils\"");
    assert_has(s, "\"access_type\":\"READ | COILS\"");
    assert_has(s, "\"category\":\"PUBLIC_ASSIGNED\"");
    assert_has(s, "\"read\":{\"address\":19,\"quantity\":10}");
    assert_clean(s);

    s = to_client(&f, "0001 0000 0005 11 01 02 cd01");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"read\":{\"address\":19,\"quantity\":10,\"byte_count\":2,\"data\":\"cd01\"}");
    assert_has(s, "\"coils\":[true,false,true,true,false,false,true,true,true,false]");
    assert_clean(s);

    assert_has(to_server(&f, "0002 0000 0006 11 02 0000 07d0"), "read_discrete_inputs");
    assert_clean(to_server(&f, "0003 0000 0006 11 02 0000 07d0"));
}

static void reads_registers(void **state)
{
    (void)state;
    assert_has(to_server(&f, "0001 0000 0006 ff 03 006b 0003"),
               "\"command\":\"read_holding_registers\"");
    const char *s = to_client(&f, "0001 0000 0009 ff 03 06 022b 0000 0064");
    assert_has(s, "\"registers\":[555,0,100]");
    assert_has(s, "\"read\":{\"address\":107,\"quantity\":3,\"byte_count\":6");
    assert_has_not(s, "server_sub");
    assert_clean(s);
    assert_has(to_server(&f, "0002 0000 0006 00 04 0008 0001"),
               "\"command\":\"read_input_registers\"");
    s = to_client(&f, "0002 0000 0005 00 04 02 000a");
    assert_has(s, "\"registers\":[10]");
    assert_clean(s);
}

static void writes_one(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0006 01 05 00ac ff00");
    assert_has(s, "\"command\":\"write_single_coil\"");
    assert_has(s, "\"class\":\"write\"");
    assert_has(s, "\"write\":{\"address\":172,\"data\":\"ff00\"},\"coils\":[true]");
    assert_clean(s);
    s = to_client(&f, "0001 0000 0006 01 05 00ac ff00");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
    s = to_server(&f, "0002 0000 0006 01 06 0001 0003");
    assert_has(s, "\"write\":{\"address\":1,\"data\":\"0003\"},\"registers\":[3]");
    assert_clean(to_client(&f, "0002 0000 0006 01 06 0001 0003"));
}

static void writes_many(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0009 01 0f 0013 000a 02 cd01");
    assert_has(s, "\"command\":\"write_multiple_coils\"");
    assert_has(s, "\"write\":{\"address\":19,\"quantity\":10,\"byte_count\":2,\"data\":\"cd01\"}");
    assert_has(s, "\"coils\":[true,false,true,true,false,false,true,true,true,false]");
    assert_clean(s);
    s = to_client(&f, "0001 0000 0006 01 0f 0013 000a");
    assert_has(s, "\"write\":{\"address\":19,\"quantity\":10}");
    assert_clean(s);
    s = to_server(&f, "0002 0000 000b 01 10 0001 0002 04 000a 0102");
    assert_has(s, "\"command\":\"write_multiple_registers\"");
    assert_has(s, "\"registers\":[10,258]");
    assert_clean(s);
    assert_clean(to_client(&f, "0002 0000 0006 01 10 0001 0002"));
}

static void serial_diagnostics(void **state)
{
    (void)state;
    assert_has(to_server(&f, "0001 0000 0002 01 07"), "\"command\":\"read_exception_status\"");
    assert_has(to_client(&f, "0001 0000 0003 01 07 6d"), "\"exception_status\":109");
    assert_has(to_server(&f, "0002 0000 0002 01 0b"), "\"command\":\"get_comm_event_counter\"");
    assert_has(to_client(&f, "0002 0000 0006 01 0b ffff 0108"),
               "\"comm_status\":65535,\"event_count\":264");
    assert_has(to_server(&f, "0003 0000 0002 01 0c"), "\"command\":\"get_comm_event_log\"");
    const char *s = to_client(&f, "0003 0000 000b 01 0c 08 0000 0108 0121 2000");
    assert_has(s, "\"event_count\":264,\"message_count\":289,\"events\":\"2000\"");
    assert_clean(s);
}

static void diagnostic_subfunctions(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0006 01 08 0000 a537");
    assert_has(s, "\"command\":\"return_query_data\",\"code\":8,\"qualifier\":0");
    assert_has(s, "\"diagnostic\":{\"raw\":0,\"code\":\"RetQueryData\"");
    assert_clean(s);
    assert_has(
        to_server(&f, "0002 0000 0006 01 08 0001 ff00"),
        "\"command\":\"restart_communications\",\"code\":8,\"qualifier\":1,\"class\":\"mode\"");
    assert_has(to_server(&f, "0003 0000 0006 01 08 0004 0000"),
               "\"command\":\"force_listen_only\",\"code\":8,\"qualifier\":4,\"class\":\"mode\"");
    assert_has(to_server(&f, "0004 0000 0006 01 08 000a 0000"), "\"class\":\"admin\"");
    s = to_server(&f, "0005 0000 0006 01 08 0005 0000");
    assert_has(s, "\"command\":\"diagnostics\"");
    assert_violation(s, "reserved_subfunction");
    s = to_client(&f, "0001 0000 0006 01 08 0000 a537");
    assert_has(s, "\"paired\":true");
    assert_clean(s);
}

static void server_id(void **state)
{
    (void)state;
    to_server(&f, "0001 0000 0002 05 11");
    const char *s = to_client(&f, "0001 0000 000d 05 11 0a 01 ff 204d65746572 2031");
    assert_has(s, "\"server_id\":{\"data\":\"01ff204d657465722031\"");
    assert_has(s, "\"text\":\"Meter 1\",\"run_indicator\":\"on\"");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"sub\":\"unit 5\",\"fact\":\"description\","
                  "\"value\":\"Meter 1\"}}");
    assert_has(s, "\"fact\":\"mode\",\"value\":\"run\"");
    assert_clean(s);
}

static void file_records(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0011 01 14 0e 06 0004 0001 0002 06 0003 0009 0002");
    assert_has(s, "\"records\":[{\"reference_type\":6,\"file\":4,\"record\":1,\"length\":2},"
                  "{\"reference_type\":6,\"file\":3,\"record\":9,\"length\":2}]");
    assert_clean(s);
    s = to_client(&f, "0001 0000 000f 01 14 0c 05 06 0dfe 0020 05 06 33cd 0040");
    assert_has(s, "\"data\":\"0dfe0020\"");
    assert_has(s, "\"data\":\"33cd0040\"");
    assert_clean(s);
    s = to_server(&f, "0002 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d");
    assert_has(s, "\"command\":\"write_file_record\"");
    assert_has(s, "\"record\":7,\"length\":3,\"data\":\"06af04be100d\"");
    assert_clean(s);
    assert_violation(to_server(&f, "0003 0000 000a 01 14 07 07 0004 0001 0002"), "reference_type");
    assert_violation(to_server(&f, "0004 0000 000b 01 14 08 06 0004 0001 0002 06"), "byte_count");
    assert_violation(to_server(&f, "0005 0000 0010 01 15 0d 06 0004 0007 0004 06af 04be 100d"),
                     "byte_count");
}

static void mask_exchange_fifo(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0008 01 16 0004 00f2 0025");
    assert_has(s, "\"write\":{\"address\":4,\"and_mask\":242,\"or_mask\":37}");
    assert_clean(s);
    assert_clean(to_client(&f, "0001 0000 0008 01 16 0004 00f2 0025"));

    s = to_server(&f, "0002 0000 0011 01 17 0003 0002 000e 0003 06 00ff 00ff 00ff");
    assert_has(s,
               "\"read\":{\"address\":3,\"quantity\":2},\"write\":{\"address\":14,\"quantity\":3");
    assert_has(s, "\"registers\":[255,255,255]");
    assert_clean(s);
    s = to_client(&f, "0002 0000 0007 01 17 04 00fe 0acd");
    assert_has(s, "\"read\":{\"address\":3,\"quantity\":2,\"byte_count\":4");
    assert_clean(s);

    s = to_server(&f, "0003 0000 0004 01 18 04de");
    assert_has(s, "\"read\":{\"address\":1246}");
    s = to_client(&f, "0003 0000 000a 01 18 0006 0002 01b8 1284");
    assert_has(s, "\"fifo_count\":2,\"registers\":[440,4740]");
    assert_clean(s);
    assert_violation(to_client(&f, "0004 0000 000a 01 18 0006 0003 01b8 1284"), "byte_count");
}

static void device_identification(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0005 ff 2b 0e 01 00");
    assert_has(s, "\"command\":\"read_device_identification\",\"code\":43,\"qualifier\":14");
    assert_has(s, "\"device_id\":{\"read_code\":\"basic\"");
    assert_clean(s);
    s = to_client(&f, "0001 0000 001d ff 2b 0e 01 01 00 00 03 00 04 41636d65"
                      " 01 05 4d2d313030 02 03 312e37 80 01 aa");
    assert_violation(s, "trailing_bytes");
    feed_next_flow(&f);
    to_server(&f, "0001 0000 0005 ff 2b 0e 01 00");
    s = to_client(&f, "0001 0000 001d ff 2b 0e 01 01 ff 05 04 00 04 41636d65"
                      " 01 05 4d2d313030 02 03 312e37 80 01 aa");
    assert_clean(s);
    assert_has(s, "\"conformity\":\"basic_stream\"");
    assert_has(s, "\"more_follows\":true,\"next_object_id\":5,\"object_count\":4");
    assert_has(s, "\"vendor\":\"Acme\",\"product_code\":\"M-100\",\"revision\":\"1.7\"");
    assert_has(s, "\"objects\":[{\"id\":128,\"value\":\"aa\"}]");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"vendor\",\"value\":\"Acme\"}}");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"model\",\"value\":\"M-100\"}}");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"firmware\",\"value\":\"1.7\"}}");
    /* A count that promises more objects than there are. */
    s = to_client(&f, "0002 0000 000e ff 2b 0e 01 01 00 00 ff 00 04 41636d65");
    assert_violation(s, "malformed");
    s = to_server(&f, "0003 0000 0005 ff 2b 0d 01 00");
    assert_has(s, "\"command\":\"canopen_general_reference\"");
    assert_has(s, "\"mei\":{\"raw\":13,\"code\":\"CANOpenGenRefReqResp\"");
    assert_clean(s);
    assert_violation(to_server(&f, "0004 0000 0005 ff 2b 0f 01 00"), "reserved_subfunction");
}

static void other_functions(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0004 01 41 1234");
    assert_has(s, "\"command\":\"code_65\",\"code\":65");
    assert_has(s, "\"class\":\"unknown\"");
    assert_has(s, "\"category\":\"USER_DEFINED\"");
    assert_has(s, "\"data\":\"1234\"");
    assert_clean(s);
    s = to_server(&f, "0002 0000 0004 01 7e 1234");
    assert_has(s, "\"command\":\"program_modicon\"");
    assert_has(s, "\"class\":\"program\"");
    assert_clean(s); /* the alert of the class says it */
    s = to_server(&f, "0003 0000 0004 01 7d 1234");
    assert_has(s, "\"class\":\"firmware\"");
    assert_clean(s);
    assert_clean(to_server(&f, "0003 0000 0004 01 09 1234"));
    assert_clean(to_server(&f, "0003 0000 0004 01 13 1234"));
    assert_violation(to_server(&f, "0003 0000 0004 01 7f 1234"), "reserved_function");
    assert_violation(to_server(&f, "0003 0000 0004 01 0a 1234"), "reserved_function");
    s = to_server(&f, "0004 0000 0002 01 00");
    assert_violation(s, "function_zero");
    assert_clean(to_server(&f, "0005 0000 0004 01 32 1234"));
}

/* ---- exceptions ---- */

static void exceptions(void **state)
{
    (void)state;
    to_server(&f, "0001 0000 0006 01 03 ffff 0001");
    const char *s = to_client(&f, "0001 0000 0003 01 83 02");
    assert_has(s, "\"command\":\"read_holding_registers\"");
    assert_has(s, "\"kind\":\"exception\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"function_raw\":131,\"function_code\":\"RdHoldRegs\"");
    assert_has(s, "\"exception\":{\"raw\":2,\"code\":\"IllegalDataAddr\"");
    assert_violation(s, "exception");
    assert_violation(s, "illegal_data_address");
    assert_violation(to_client(&f, "0002 0000 0003 01 83 01"), "illegal_function");
    assert_violation(to_client(&f, "0003 0000 0003 01 83 03"), "illegal_data_value");
    assert_violation(to_client(&f, "0004 0000 0003 01 83 04"), "server_failure");
    assert_violation(to_client(&f, "0005 0000 0003 01 83 0c"), "unknown_exception_code");
    s = to_client(&f, "0006 0000 0003 01 83 06");
    assert_violation(s, "exception");
    assert_no_violation(s, "unknown_exception_code");
    /* The sub-function of an exception is that of its request. */
    to_server(&f, "0007 0000 0006 01 08 0002 0000");
    assert_has(to_client(&f, "0007 0000 0003 01 88 01"),
               "\"command\":\"return_diagnostic_register\"");
}

static void exception_from_master(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0003 01 81 01");
    assert_violation(s, "exception_from_master");
    assert_no_violation(s, "exception");
    assert_has(s, "\"kind\":\"request\"");
}

/* ---- what can be wrong ---- */

static void limits(void **state)
{
    (void)state;
    assert_clean(to_server(&f, "0001 0000 0006 01 01 0000 07d0"));
    assert_violation(to_server(&f, "0002 0000 0006 01 01 0000 07d1"), "quantity");
    assert_violation(to_server(&f, "0003 0000 0006 01 03 0000 0000"), "quantity");
    assert_clean(to_server(&f, "0004 0000 0006 01 03 0000 007d"));
    assert_violation(to_server(&f, "0005 0000 0006 01 03 0000 007e"), "quantity");
    assert_clean(to_server(&f, "0006 0000 0006 01 03 fffe 0002"));
    assert_violation(to_server(&f, "0007 0000 0006 01 03 ffff 0002"), "address_range");
    assert_violation(to_server(&f, "0008 0000 0006 01 05 0001 ff01"), "coil_value");
    assert_clean(to_server(&f, "0009 0000 0006 01 05 0001 0000"));
    assert_violation(to_server(&f, "000a 0000 0009 01 10 0001 0002 02 000a"), "byte_count");
    assert_violation(to_server(&f, "000b 0000 000b 01 10 0001 0002 05 000a 0102"), "malformed");
    assert_violation(to_client(&f, "000c 0000 0006 01 03 03 000000"), "byte_count");
    assert_violation(to_server(&f, "000d 0000 0007 01 03 0000 0001 00"), "trailing_bytes");
    assert_violation(to_server(&f, "000e 0000 0005 01 03 0000 00"), "malformed");
}

static void responses_that_do_not_fit(void **state)
{
    (void)state;
    to_server(&f, "0001 0000 0006 01 03 0000 0002");
    assert_violation(to_client(&f, "0001 0000 0005 01 03 02 0000"), "response_mismatch");
    to_server(&f, "0002 0000 0006 01 06 0001 0003");
    assert_violation(to_client(&f, "0002 0000 0006 01 06 0001 0004"), "response_mismatch");
    to_server(&f, "0003 0000 000b 01 10 0001 0002 04 000a 0102");
    assert_violation(to_client(&f, "0003 0000 0006 01 10 0001 0003"), "response_mismatch");
}

/* A master with one transaction id for everything; the first request was never answered. */
static void unanswered_before(void **state)
{
    (void)state;
    to_server(&f, "0000 0000 0006 01 03 0000 0002");
    to_server(&f, "0000 0000 0006 01 03 0064 0001");
    const char *s = to_client(&f, "0000 0000 0005 01 03 02 0007");
    assert_has(s, "\"read\":{\"address\":100,\"quantity\":1");
    assert_clean(s);
}

static void response_unasked(void **state)
{
    (void)state;
    /* Nothing of the client's direction is seen: a capture of one direction. */
    for (int i = 0; i < 4; i++)
        assert_clean(to_client(&f, "0001 0000 0005 01 03 02 0007"));
    feed_next_flow(&f);
    to_server(&f, "0001 0000 0006 01 03 0000 0001");
    assert_clean(to_client(&f, "0001 0000 0005 01 03 02 0007"));
    assert_clean(to_client(&f, "0001 0000 0005 01 03 02 0007"));
    assert_violation(to_client(&f, "0001 0000 0005 01 03 02 0007"), "response_unasked");
}

static void headers(void **state)
{
    (void)state;
    /* Not believed on a flow that has shown nothing yet. */
    assert_violation(to_server(&f, "0001 0001 0006 01 03 0000 0001"), "unexpected_content");
    feed_next_flow(&f);
    assert_clean(to_server(&f, "0001 0000 0006 01 03 0000 0001"));
    const char *s = to_server(&f, "0002 0001 0006 01 03 0000 0001");
    assert_violation(s, "protocol_id");
    assert_has(s, "\"protocol_id\":1");
    assert_violation(to_server(&f, "0003 0000 0001 01"), "length");
    assert_clean(to_server(&f, "0004 0000 0006 01 03 0000 0001"));
    /* A hostile length does not swallow the next ADU. */
    assert_violation(to_server(&f, "0005 0000 ffff 01 03 0000 0001"), "unexpected_content");
    assert_has(to_server(&f, "0006 0000 0006 01 03 0000 0001"), "\"transaction_id\":6");
}

/* ---- streams ---- */

static void pipelined_and_split(void **state)
{
    (void)state;
    const char *two = "0001 0000 0006 01 03 0000 0001 0002 0000 0006 01 04 0000 0001";
    const char *s = to_server(&f, two);
    assert_int_equal(feed_count(s, "\"kind\":\"request\""), 2);

    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(two, bytes);
    feed_next_flow(&f);
    unsigned messages = 0;
    for (uint32_t i = 0; i < n; i++) {
        s = feed_raw(&f, FT_TO_SERVER, bytes + i, 1);
        messages += feed_count(s, "{\"message\"");
        assert_clean(s);
    }
    assert_int_equal(messages, 2);
}

static void responses_out_of_order(void **state)
{
    (void)state;
    to_server(&f, "0001 0000 0006 01 03 0000 0001 0002 0000 0006 01 03 0010 0001");
    assert_has(to_client(&f, "0002 0000 0005 01 03 02 0007"), "\"address\":16");
    assert_has(to_client(&f, "0001 0000 0005 01 03 02 0007"), "\"address\":0");
}

static void foreign_content(void **state)
{
    (void)state;
    assert_violation(to_server(&f, "16030100 4f010000 4b0301"), "unexpected_content");
    feed_next_flow(&f);
    assert_violation(to_server(&f, "47455420 2f204854 54502f31"), "unexpected_content");
}

static void gap_and_resync(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes("0001 0000 0006 01 03 0000", bytes);
    const char *s = ft_harness_feed_cut(f.harness, &f.flow, FT_TO_SERVER, 5, bytes, n);
    assert_clean(s);
    s = to_server(&f, "7f 33 44 55 66 77");
    assert_clean(s);
    assert_has(to_server(&f, "0003 0000 0006 01 03 0000 0001"), "\"transaction_id\":3");
}

/* ---- roles, datagrams, recognition ---- */

static void roles(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0006 01 03 0000 0001");
    assert_has(s, "{\"fact\":{\"party\":\"sender\",\"fact\":\"role\",\"value\":\"scada\"}}");
    assert_has_not(to_client(&f, "0001 0000 0005 01 03 02 0007"), "gateway");
    assert_has_not(to_server(&f, "0002 0000 0006 02 03 0000 0001"), "scada");
    assert_has(to_client(&f, "0002 0000 0005 02 03 02 0007"),
               "{\"fact\":{\"party\":\"sender\",\"fact\":\"role\",\"value\":\"gateway\"}}");
    feed_next_flow(&f);
    assert_has(to_client(&f, "0002 0000 0003 02 83 0b"), "\"value\":\"gateway\"");
}

static void datagrams(void **state)
{
    (void)state;
    const char *s = to_server(&f, "0001 0000 0006 11 01 0013 000a");
    assert_has(s, "\"command\":\"read_coils\"");
    assert_clean(s);
    assert_has(to_client(&f, "0001 0000 0005 11 01 02 cd01"), "\"paired\":true");
    assert_violation(to_server(&f, "0001 0000 0006 11 01 0013 000a 00"), "trailing_bytes");
    assert_violation(to_server(&f, "0001 0000 0008 11 01 0013 000a"), "malformed");
    assert_violation(to_server(&f, "0001 0002 0006 11 01 0013 000a"), "protocol_id");
    assert_violation(to_server(&f, "0001 0000 0001 11"), "length");
}

static const char *const samples[] = {
    "0001 0000 0006 11 01 0013 000a",
    "0002 0000 0009 01 0f 0013 000a 02 cd01",
    "0003 0000 000b 01 10 0001 0002 04 000a 0102",
    "0004 0000 0011 01 14 0e 06 0004 0001 0002 06 0003 0009 0002",
    "0005 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d",
    "0006 0000 0011 01 17 0003 0002 000e 0003 06 00ff 00ff 00ff",
    "0007 0000 000b 01 0c 08 0000 0108 0121 2000",
    "0008 0000 000d 05 11 0a 01 ff 204d65746572 2031",
    "0009 0000 000a 01 18 0006 0002 01b8 1284",
    "000a 0000 001d ff 2b 0e 01 01 ff 05 04 00 04 41636d65 01 05 4d2d313030 02 03 312e37 80 01 aa",
    "000b 0000 0003 01 83 02",
    "000c 0000 0005 11 01 02 cd01",
};

static void truncated_and_mutated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        for (unsigned d = FT_TO_SERVER; d <= FT_TO_CLIENT; d++) {
            feed_truncated(&f, (enum ft_direction)d, samples[i]);
            feed_mutated(&f, (enum ft_direction)d, samples[i], 200);
        }
    }
}

static void mutated_stream(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        f.flow.id = i;
        feed_mutated(&f, i % 2 ? FT_TO_SERVER : FT_TO_CLIENT, samples[i], 200);
    }
}

/*
 * ---- the files behind modbus.c -----------------------------------------------------------------
 *
 * modbus_functions.c (lengths, shapes) and modbus_pdu.c (contents), where nothing but the PDU tells
 * who is asking.
 */
static const char *undirected(const char *hex)
{
    return feed_hex(&f, FT_DIRECTION_NONE, hex);
}

static void direction_from_the_pdu(void **state)
{
    (void)state;
    f.flow.server_port = 5000;
    static const struct {
        const char *hex, *direction;
    } pdus[] = {{"0001 0000 0006 11 01 0013 000a", "to_server"},
                {"0001 0000 0005 11 01 02 cd01", "to_client"},
                {"0001 0000 0006 11 03 0013 0001", "to_server"},
                {"0001 0000 0005 11 03 02 0001", "to_client"},
                {"0001 0000 0003 11 83 02", "to_client"},
                {"0001 0000 000b 01 10 0001 0002 04 000a 0102", "to_server"},
                {"0001 0000 0006 01 10 0001 0002", "to_client"},
                {"0001 0000 000d 01 17 0000 0001 0004 0001 02 0007", "to_server"},
                {"0001 0000 0005 01 17 02 0009", "to_client"},
                {"0001 0000 0005 01 2b 0e 01 00", "to_server"},
                {"0001 0000 0002 01 11", "to_server"},
                {"0001 0000 0004 01 5a 00 02", "to_server"},
                {"0001 0000 0004 01 5a 00 fe", "to_client"},
                {"0001 0000 0004 01 5a 00 fd", "to_client"},
                /* of one length in both directions, or of no known one: nobody can tell */
                {"0001 0000 0006 01 05 00ac ff00", NULL},
                {"0001 0000 0006 01 08 0000 a537", NULL},
                {"0001 0000 0008 01 08 0000 a537 1234", NULL},
                {"0001 0000 0006 01 2b 0d 01 02 03", NULL},
                {"0001 0000 0003 01 41 01", NULL},
                {"0001 0000 0003 01 5a 00", NULL},
                /* quantities that no device could answer */
                {"0001 0000 0006 11 01 0013 0000", NULL},
                {"0001 0000 0006 11 01 0013 07d1", NULL},
                {"0001 0000 0006 11 03 0013 007e", NULL}};
    char want[64];
    for (unsigned i = 0; i < sizeof(pdus) / sizeof(pdus[0]); i++) {
        feed_next_flow(&f);
        const char *s = undirected(pdus[i].hex);
        assert_has(s, "{\"message\"");
        const char *direction = pdus[i].direction ? pdus[i].direction : "none";
        snprintf(want, sizeof(want), "\"direction\":\"%s\"", direction);
        if (!strstr(s, want))
            fail_msg("%s: no %s in %s", pdus[i].hex, want, s);
    }
}

/* Every function code with every short length, in both directions: no function reads outside. */
static void every_function_at_every_length(void **state)
{
    (void)state;
    for (unsigned function = 0; function < 256; function++) {
        for (uint8_t n = 1; n < 24; n++) {
            uint8_t adu[30] = {0, (uint8_t)function, 0, 0,
                               0, (uint8_t)(n + 1),  1, (uint8_t)function};
            for (unsigned side = 0; side < 2; side++) {
                adu[8] = (uint8_t)(n > 1 ? n - 2 : 0); /* often a byte count */
                const char *s = feed_raw(&f, side ? FT_TO_CLIENT : FT_TO_SERVER, adu, 7u + n);
                assert_has(s, "{\"message\"");
            }
        }
    }
}

static enum ft_verdict probe(const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return ft_harness_probe(f.harness, &f.flow, FT_TO_SERVER, bytes, n);
}

static void recognition(void **state)
{
    (void)state;
    assert_int_equal(probe("0001 0000 0006 11 01 0013 000a"), FT_MAYBE);
    assert_int_equal(probe("0001 0000 0006 11 01 0013 000a 0002 0000 0006 11 03 0013 000a"),
                     FT_YES);
    assert_int_equal(probe("0001 0000 0006 11 01 0013 000a 00"), FT_NO);
    assert_int_equal(probe("0001 0000 0007 11 01 0013 000a 00"), FT_NO);
    assert_int_equal(probe("0001 0100 0006 11 01 0013 000a"), FT_NO);
    assert_int_equal(probe("0001 0000 0006 11 01 0013 0000"), FT_NO);
    assert_int_equal(probe("0001 0000 0004 11 30 0013"), FT_NO);
    /* Modbus RTU: unit 1, two registers from 0; with a CRC that is not right a request 11. */
    assert_int_equal(probe("01 03 0000 0002 c4 0b"), FT_NO);
    assert_int_equal(probe("01 03 0000 0002 c5 0b"), FT_MAYBE);
    assert_int_equal(probe("00"), FT_NO);
    assert_int_equal(probe(""), FT_NO);
    assert_int_equal(probe("0000 0000 0000 00 00 0000 0000"), FT_NO);
}

#define TCP(test) cmocka_unit_test_setup_teardown(test, open_tcp, close_feed)
#define UDP(test) cmocka_unit_test_setup_teardown(test, open_udp, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP(reads_bits),
        TCP(reads_registers),
        TCP(writes_one),
        TCP(writes_many),
        TCP(serial_diagnostics),
        TCP(diagnostic_subfunctions),
        TCP(server_id),
        TCP(file_records),
        TCP(mask_exchange_fifo),
        TCP(device_identification),
        TCP(other_functions),
        TCP(exceptions),
        TCP(exception_from_master),
        TCP(limits),
        TCP(responses_that_do_not_fit),
        TCP(unanswered_before),
        TCP(response_unasked),
        TCP(headers),
        TCP(pipelined_and_split),
        TCP(responses_out_of_order),
        TCP(foreign_content),
        TCP(gap_and_resync),
        TCP(roles),
        UDP(datagrams),
        UDP(direction_from_the_pdu),
        UDP(every_function_at_every_length),
        UDP(truncated_and_mutated),
        TCP(mutated_stream),
        TCP(recognition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
