/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the EtherNet/IP dissector with messages made by hand. */
#include "enip_frames.h"

static const struct ft_harness_flow udp = {.id = 2,
                                           .transport = FT_TRANSPORT_UDP,
                                           .protocol = "enip",
                                           .client_port = 50000,
                                           .server_port = 44818};
static const struct ft_harness_flow ring = {
    .id = 4, .transport = FT_TRANSPORT_L2, .protocol = "enip", .server_port = 0x80e1};
static const struct ft_harness_flow csp = {.id = 5,
                                           .transport = FT_TRANSPORT_TCP,
                                           .protocol = "enip",
                                           .client_port = 50001,
                                           .server_port = 2222};

static const struct bytes empty;

/* A Logix CPU in remote run: status 0x3060, revision 20.11. */
static struct bytes identity_item(void)
{
    struct bytes b = {.length = 0}, item;

    put16(&b, 1);
    put(&b, (uint8_t[]){0, 2, 0xaf, 0x12, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0}, 16);
    put(&b, (uint8_t[]){1, 0, 0x0e, 0, 0x5c, 0, 20, 11, 0x60, 0x30}, 10);
    put32(&b, 0xc0ffee01);
    put(&b,
        "\x09"
        "1756-L75 ",
        10);
    put(&b, "\x03", 1);
    item = BYTES(1, 0, 0x0c, 0);
    put16(&item, b.length);
    return join(item, b);
}

static struct bytes get_attribute(void)
{
    return BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x07);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void test_sessions(void **state)
{
    (void)state;
    const char *s = ask(encapsulate(0x65, 0, 0, 7, BYTES(1, 0, 0, 0)));
    assert_has(s, "\"command\":\"register_session\",\"code\":101");
    assert_has(s, "\"class\":\"session\",\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(s, "\"register_session\":{\"protocol_version\":1,\"options\":0}");
    s = say(encapsulate(0x65, SESSION, 0, 7, BYTES(1, 0, 0, 0)));
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"session\":285344000");
    s = ask(unconnected(8, get_attribute()));
    assert_has(s, "\"command\":\"send_rr_data\"");
    assert_has(s, "\"sender_context\":\"0800000000000000\"");
    assert_has(s, "\"cpf_items\":[{\"type\":\"null_address\",\"type_code\":0,\"length\":0},"
                  "{\"type\":\"unconnected_data\",\"type_code\":178,\"length\":8}]");
    assert_int_equal(count_of(s, "{\"message\""), 2);
    assert_has_not(s, "violation");
    s = ask(encapsulate(0x66, SESSION, 0, 0, empty));
    assert_has(s, "\"command\":\"unregister_session\"");
    assert_has(s, "\"kind\":\"request\"");
    s = ask(encapsulate(0x00, 0, 0, 0, BYTES(1, 2, 3)));
    assert_has(s, "\"command\":\"nop\"");
    assert_has(s, "\"kind\":\"data\"");
}

static void test_direction_is_told_by_content(void **state)
{
    (void)state;
    /* fed the wrong way round: the capture began in the middle */
    const char *s = feed_to(&tcp, FT_TO_CLIENT, unconnected(1, get_attribute()));
    assert_has(s, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has_not(s, "\"direction\":\"to_client\"");
    s = feed_to(&tcp, FT_TO_SERVER, unconnected(1, BYTES(0x8e, 0, 0, 0, 1, 0)));
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has_not(s, "\"direction\":\"to_server\"");
}

static void test_list_identity(void **state)
{
    (void)state;
    const char *s = feed_to(&udp, FT_TO_SERVER, encapsulate(0x63, 0, 0, 0, empty));
    assert_has(s, "\"command\":\"list_identity\"");
    assert_has(s, "\"class\":\"diagnostic\",\"kind\":\"request\"");
    s = feed_to(&udp, FT_TO_CLIENT, encapsulate(0x63, 0, 0, 0, identity_item()));
    assert_has(s, "\"paired\":true");
    assert_has(s, "\"identity\":{\"protocol_version\":1,"
                  "\"vendor_id\":\"Rockwell Automation/Allen-Bradley\",\"vendor_id_code\":1");
    assert_has(s, "\"device_type\":\"Programmable Logic Controller\",\"device_type_code\":14");
    assert_has(s, "\"product_code\":92,\"revision\":\"20.11\",\"status\":12384");
    assert_has(s, "\"serial\":3237998081,\"product_name\":\"1756-L75\"");
    assert_has(s, "\"key_switch\":\"remote_run\",\"logix_family\":\"5570\",\"logix_fw_major\":20");
    assert_has(s, "\"state\":3");
    assert_has(s, "\"port\":44818,\"address\":\"10.1.2.3\"");
    assert_has(s, FACT("vendor", "Rockwell Automation"));
    assert_has(s, FACT("model", "1756-L75"));
    assert_has(s, FACT("firmware", "20.11"));
    assert_has(s, FACT("serial", "c0ffee01"));
    assert_has(s, FACT("role", "plc"));
    assert_has(s, FACT("mode", "remote_run"));
    assert_has(s, FACT("protection", "key switch remote"));
    assert_has_not(s, "violation");
}

static void test_list_services(void **state)
{
    struct bytes b = BYTES(1, 0, 0, 1, 20, 0, 1, 0, 0x20, 0x01);

    (void)state;
    put(&b, "Communications\0\0", 16);
    const char *s = feed_to(&udp, FT_TO_CLIENT, encapsulate(0x04, 0, 0, 0, b));
    assert_has(s, "\"list_services\":{\"protocol_version\":1,"
                  "\"capabilities\":[\"cip_over_tcp\",\"cip_over_udp\"],\"capabilities_code\":288,"
                  "\"service_name\":\"Communications\"}");
    assert_has_not(s, "violation");
    s = feed_to(&udp, FT_TO_SERVER, encapsulate(0x64, 0, 0, 0, empty));
    assert_has(s, "\"command\":\"list_interfaces\"");
}

static void test_io(void **state)
{
    (void)state;
    const char *s = feed_to(&udp_io, FT_TO_SERVER, io_packet(0x01020304, 77, 5, BYTES(9, 8, 7)));
    assert_has(s, "\"command\":\"io_data\",\"code\":65536");
    assert_has(s, "\"class\":\"data\",\"kind\":\"data\"");
    assert_has(s, "\"io\":{\"conn_id\":16909060,\"encap_seq\":77,\"size\":5}");
    assert_has(s, "\"code\":131072");
    assert_has(s, "\"io\":{\"conn_id\":16909060,\"class1_seq\":5,\"size\":3,\"data\":\"090807\"}");
    assert_has_not(s, "violation");
}

static void test_ring(void **state)
{
    static const struct bytes beacon = {
        {2, 1, 1, 1, 192, 168, 1, 5, 0, 0, 1, 2, 1, 10, 0, 0, 1, 0x90, 0, 0, 7, 0xa8}, 22};
    struct bytes broken = beacon;

    (void)state;
    const char *s = feed_to(&ring, FT_DIRECTION_NONE, beacon);
    assert_has(s, "\"command\":\"ring_beacon\",\"code\":131073");
    assert_has(s, "\"source_ip\":\"192.168.1.5\",\"sequence\":258,\"ring_state\":\"normal\"");
    assert_has(s, "\"precedence\":10,\"beacon_interval_us\":400,\"beacon_timeout_us\":1960");
    assert_has_not(s, "violation");
    broken.data[12] = 2;
    assert_has(feed_to(&ring, FT_DIRECTION_NONE, broken), VIOLATION("ring_fault"));
    s = feed_to(&ring, FT_DIRECTION_NONE, BYTES(2, 1, 7, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0));
    assert_has(s, "\"command\":\"ring_sign_on\"");
    s = feed_to(&ring, FT_DIRECTION_NONE, BYTES(2, 1, 0x33, 1, 0, 0, 0, 0, 0, 0, 0, 1));
    assert_has(s, "\"code\":131123");
}

static struct bytes csp_message(uint16_t command, uint32_t status, struct bytes body)
{
    struct bytes b = BYTES((uint8_t)(command >> 8), (uint8_t)command, 0, (uint8_t)body.length, 0, 0,
                           0, 9, 0, 0, (uint8_t)(status >> 8), (uint8_t)status);

    put(&b, (uint8_t[]){0, 4, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 16);
    return join(b, body);
}

static void test_csp(void **state)
{
    (void)state;
    const char *s = feed_to(&csp, FT_TO_SERVER, csp_message(0x0101, 0, empty));
    assert_has(s, "\"command\":\"csp_connect\"");
    assert_has(s, "\"csp\":{\"command\":\"connect\",\"command_code\":257}");
    s = feed_to(&csp, FT_TO_CLIENT, csp_message(0x0201, 0, empty));
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    s = feed_to(&csp, FT_TO_SERVER,
                csp_message(0x0107, 0, BYTES(0, 5, 0, 0, 0x06, 0, 0x34, 0x12, 0x03)));
    assert_has(s, "\"command\":\"pccc_diagnostic_status\",\"code\":67075");
    assert_has(s, "\"tns\":4660");
    s = feed_to(&csp, FT_TO_CLIENT,
                csp_message(0x0207, 0,
                            BYTES(5, 0, 0, 0, 0x46, 0, 0x34, 0x12, 0x06, 0xee, 0x31, 0x5b, 0x21,
                                  '5', '/', '0', '4', ' ', ' ', ' ', ' ', ' ', ' ', ' ', 0, 0)));
    assert_has(s, "\"command\":\"pccc_diagnostic_status\"");
    assert_has(s, "\"catalog\":\"5/04\"");
    assert_has(s, FACT("model", "5/04"));
    s = feed_to(&csp, FT_TO_CLIENT, csp_message(0x0207, 0x0101, empty));
    assert_has(s, VIOLATION("csp_failed"));
}

/* ---- violations ---------------------------------------------------------------------------- */

static void test_failed_command(void **state)
{
    (void)state;
    register_session();
    ask(encapsulate(0x6f, SESSION, 0, 3, empty));
    const char *s = say(encapsulate(0x6f, SESSION, 0x64, 3, empty));
    assert_has(s, VIOLATION("command_failed"));
    assert_has(s, "\"offset\":8,\"length\":4");
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"status\":\"Invalid session handle\",\"status_code\":100");
    s = say(encapsulate(0x63, 0, 0, 0, identity_item()));
    assert_has_not(s, VIOLATION("command_failed"));
}

static void test_header_violations(void **state)
{
    struct bytes b = encapsulate(0x63, 0, 0, 0, empty);

    (void)state;
    b.data[20] = 1;
    const char *s = ask(b);
    assert_has(s, VIOLATION("options_set"));
    assert_has(s, "\"offset\":20,\"length\":4");
    assert_has(s, "\"options\":1");

    s = ask(encapsulate(0x42, 0, 0, 0, empty));
    assert_has(s, VIOLATION("unknown_command"));
    assert_has(s, "\"code\":66");

    b = unconnected(1, get_attribute());
    b.data[8] = 1;
    s = ask(b);
    assert_has(s, VIOLATION("status_in_request"));
    assert_has(s, "\"kind\":\"request\"");
    assert_has_not(ask(unconnected(1, get_attribute())), VIOLATION("status_in_request"));

    assert_has(ask(encapsulate(0xc8, 0, 0, 0, empty)), VIOLATION("dtls_on_tcp"));
    s = feed_to(&udp, FT_TO_SERVER, encapsulate(0xc8, 0, 0, 0, empty));
    assert_has_not(s, VIOLATION("dtls_on_tcp"));
}

static void test_length_limit(void **state)
{
    static struct bytes header = {{0x00, 0, 0xe8, 0xff}, 24};
    static uint8_t filler[65512];

    (void)state;
    ft_harness_feed(h, &tcp, FT_TO_SERVER, now, header.data, header.length);
    const char *s = ft_harness_feed(h, &tcp, FT_TO_SERVER, now, filler, sizeof(filler));
    assert_has(s, VIOLATION("length_limit"));
    header.data[2] = 0xe7;
    ft_harness_feed(h, &tcp, FT_TO_SERVER, now, header.data, header.length);
    s = ft_harness_feed(h, &tcp, FT_TO_SERVER, now, filler, sizeof(filler) - 1);
    assert_has(s, "\"command\":\"nop\"");
    assert_has_not(s, "violation");
}

static void test_session_violations(void **state)
{
    struct bytes b = unconnected(1, get_attribute());

    (void)state;
    assert_has(ask(b), VIOLATION("not_registered"));
    assert_has_not(ask(b), VIOLATION("not_registered")); /* once is enough */
    register_session();
    assert_has_not(ask(b), "violation");
    b.data[4] ^= 1;
    assert_has(ask(b), VIOLATION("unknown_session"));
}

static void test_item_violations(void **state)
{
    struct bytes b = unconnected(1, get_attribute());

    (void)state;
    register_session();
    b.data[30] = 1; /* one item */
    const char *s = ask(b);
    assert_has(s, VIOLATION("item_count"));
    s = ask(encapsulate(0x6f, SESSION, 0, 1, BYTES(0, 0, 0, 0, 0, 0, 0, 0)));
    assert_has(s, VIOLATION("item_count"));
    b = unconnected(1, get_attribute());
    b.data[36] = 0xb3; /* not unconnected data */
    s = ask(b);
    assert_has(s, VIOLATION("item_type"));
    assert_int_equal(count_of(s, "{\"message\""), 1);
    b = unconnected(1, get_attribute());
    b.data[38] = 200; /* the item is longer than the message */
    s = ask(b);
    assert_has(s, VIOLATION("malformed"));
    /* socket addresses beside the data of a Forward Open are no violation */
    b = BYTES(0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0xb2, 0, 6, 0, 0x8e, 0, 0, 0, 1, 0, 0x01, 0x80,
              16, 0, 0, 2, 8, 0xae, 239, 192, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    s = say(encapsulate(0x6f, SESSION, 0, 1, b));
    assert_has_not(s, "violation");
    assert_has(s, "\"item\":\"socket_address_t2o\",\"item_code\":32769,\"port\":2222,"
                  "\"address\":\"239.192.1.2\"");
}

static void test_foreign_interface(void **state)
{
    struct bytes b = unconnected(1, get_attribute());

    (void)state;
    register_session();
    b.data[24] = 5;
    const char *s = ask(b);
    assert_has(s, "\"interface_handle\":5");
    assert_has_not(s, "\"protocol\":\"cip\"");
}

/* ---- framing ------------------------------------------------------------------------------- */

static void test_one_byte_segments(void **state)
{
    struct bytes b =
        join(encapsulate(0x65, 0, 0, 7, BYTES(1, 0, 0, 0)), unconnected(9, get_attribute()));
    int messages = 0;

    (void)state;
    for (uint32_t i = 0; i < b.length; i++)
        messages +=
            count_of(ft_harness_feed(h, &tcp, FT_TO_SERVER, now, b.data + i, 1), "{\"message\"");
    assert_int_equal(messages, 3);
    /* and both in one */
    const char *s = ft_harness_feed(h, &tcp, FT_TO_SERVER, now, b.data, b.length);
    assert_int_equal(count_of(s, "{\"message\""), 3);
    assert_has_not(s, "violation");
}

static void test_resync(void **state)
{
    struct bytes b = BYTES('G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1', 13,
                           10, 'H', 'o', 's', 't', ':', ' ', 'x', 13, 10, 13, 10);

    (void)state;
    register_session();
    assert_has(ask(b), VIOLATION("unexpected_content"));
    const char *s = ask(unconnected(9, get_attribute()));
    s = strstr(s, "send_rr_data") ? s : ask(unconnected(9, get_attribute()));
    assert_has(s, "\"command\":\"send_rr_data\"");
}

static void test_truncation(void **state)
{
    const struct bytes whole[] = {encapsulate(0x63, 0, 0, 0, identity_item()),
                                  unconnected(1, get_attribute()),
                                  io_packet(1, 2, 3, BYTES(1, 2, 3, 4))};

    (void)state;
    for (uint32_t w = 0; w < 3; w++) {
        const struct ft_harness_flow *flow = w == 2 ? &udp_io : &udp;
        for (uint32_t n = 1; n < whole[w].length; n++) {
            const char *s = ft_harness_feed_cut(h, flow, FT_TO_CLIENT, now, whole[w].data, n);
            assert_has_not(s, VIOLATION("malformed"));
            assert_has_not(s, VIOLATION("item_type"));
            if (w < 2 || n >= 6) {
                s = ft_harness_feed(h, flow, FT_TO_CLIENT, now, whole[w].data, n);
                assert_has(s, VIOLATION("malformed"));
            }
        }
        assert_has_not(feed_to(flow, FT_TO_CLIENT, whole[w]), VIOLATION("malformed"));
    }
}

static void test_hostile_counts(void **state)
{
    struct bytes b = unconnected(1, get_attribute());

    (void)state;
    b.data[30] = 0xff;
    b.data[31] = 0xff;
    const char *s = ask(b);
    assert_has(s, VIOLATION("malformed"));
    assert_has(s, VIOLATION("item_count"));
    s = feed_to(&udp, FT_TO_CLIENT, encapsulate(0x63, 0, 0, 0, BYTES(0xff, 0xff, 0x0c, 0)));
    assert_has(s, VIOLATION("malformed"));
}

static void test_probe(void **state)
{
    struct bytes b = encapsulate(0x65, 0, 0, 7, BYTES(1, 0, 0, 0));

    (void)state;
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, b.length), FT_YES);
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, 10), FT_MAYBE);
    b.data[20] = 1;
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, b.length), FT_NO);
    b = encapsulate(0x00, 0, 0, 0, empty);
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, b.length), FT_MAYBE);
    /* without data it is believed on ports that are bound */
    b = encapsulate(0x63, 0, 0, 0, empty);
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, b.length), FT_MAYBE);
    const struct ft_probe bound = {
        .size = sizeof(bound), .transport = FT_TRANSPORT_TCP, .is_bound = true};
    assert_int_equal(ft_dissector_enip.probe(&bound, ft_view_make(b.data, b.length, false)),
                     FT_YES);
    b = encapsulate(0x42, 0, 0, 0, empty);
    assert_int_equal(ft_harness_probe(h, &tcp, FT_TO_SERVER, b.data, b.length), FT_NO);
    b = io_packet(1, 2, 3, BYTES(1));
    assert_int_equal(ft_harness_probe(h, &udp_io, FT_TO_SERVER, b.data, b.length), FT_YES);
    assert_int_equal(ft_harness_probe(h, &udp, FT_TO_SERVER, b.data + 1, b.length - 1), FT_NO);
    b = csp_message(0x0101, 0, empty);
    assert_int_equal(ft_harness_probe(h, &csp, FT_TO_SERVER, b.data, b.length), FT_YES);
}

static void test_garbage(void **state)
{
    const struct bytes seeds[] = {
        encapsulate(0x63, 0, 0, 0, identity_item()), unconnected(1, get_attribute()),
        io_packet(1, 2, 3, BYTES(1, 2, 3, 4)), encapsulate(0x65, 0, 0, 7, BYTES(1, 0, 0, 0))};

    (void)state;
    feed_garbage(seeds, 4, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direction_is_told_by_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_services, setup, teardown),
        cmocka_unit_test_setup_teardown(test_io, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ring, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_command, setup, teardown),
        cmocka_unit_test_setup_teardown(test_header_violations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_session_violations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_item_violations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_interface, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_byte_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
    };
    return cmocka_run_group_tests_name("enip", tests, NULL, NULL);
}
