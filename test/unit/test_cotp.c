/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the COTP dissector with TPDUs made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/harness.h>

#define SECOND 1000000000ull

extern const struct ft_dissector ft_dissector_tpkt, ft_dissector_cotp;

/* A transport user that takes what begins with 'T', and says how long it was. */
static const struct ft_field user_fields[] = {
    {.name = "user", .title = "User", .type = FT_TYPE_GROUP},
    {.name = "length", .title = "Length", .type = FT_TYPE_UINT},
};
static const struct ft_carrier user_carriers[] = {
    {.kind = FT_CARRIER_PARENT, .value = FT_ANY_SELECTOR, .parent = "cotp"},
};

static enum ft_verdict user_probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    int first = ft_peek_u8(&payload, 0);
    return first == 'T' || first == 'C' || first == 0x32 ? FT_YES : FT_NO;
}

static void user_dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    ft_command(ctx, 1, 0);
    ft_put_uint(ctx, 1, pdu->len, NULL);
    ft_rest(pdu);
}

static const struct ft_dissector user = {.size = sizeof(user),
                                         .abi = FT_ABI_VERSION,
                                         .name = "user",
                                         .title = "User",
                                         .specification = "none",
                                         .carried_by = FT_TABLE(user_carriers),
                                         .fields = FT_TABLE(user_fields),
                                         .probe = user_probe,
                                         .dissect = user_dissect};

static struct ft_harness_flow flow;
static struct ft_harness *h;
static uint64_t now;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_tpkt, &ft_dissector_cotp, &user, NULL};
    char error[256] = "";
    (void)state;
    now = SECOND;
    flow = (struct ft_harness_flow){.id = 1,
                                    .transport = FT_TRANSPORT_TCP,
                                    .protocol = "tpkt",
                                    .client_port = 50000,
                                    .server_port = 102};
    h = ft_harness_new(all, error, sizeof(error));
    if (!h)
        fprintf(stderr, "%s\n", error);
    return h ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_harness_free(h);
    return 0;
}

/* Feed one TPDU in a TPKT. */
static const char *feed(enum ft_direction direction, const uint8_t *tpdu, uint32_t length)
{
    static uint8_t packet[UINT16_MAX];
    packet[0] = 3;
    packet[1] = 0;
    packet[2] = (uint8_t)((length + 4) >> 8);
    packet[3] = (uint8_t)(length + 4);
    memcpy(packet + 4, tpdu, length);
    now += SECOND / 100;
    return ft_harness_feed(h, &flow, direction, now, packet, length + 4);
}

#define ASK(...)                                                                                   \
    feed(FT_TO_SERVER, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))
#define SAY(...)                                                                                   \
    feed(FT_TO_CLIENT, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

/* Connect to a two-byte TSAP, class 0, TPDUs of 2^size bytes. */
#define CONNECT(kind, place)                                                                       \
    ASK(17, 0xe0, 0, 0, 0, 5, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, (kind), (place))
#define CONFIRM(size) SAY(17, 0xd0, 0, 5, 0, 9, 0, 0xc0, 1, (size), 0xc1, 2, 1, 0, 0xc2, 2, 1, 2)

#define assert_has(text, what)                                                                     \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (!strstr(text_, (what)))                                                                \
            fail_msg("no %s in\n%s", (what), text_);                                               \
    } while (0)
#define assert_has_not(text, what)                                                                 \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        if (strstr(text_, (what)))                                                                 \
            fail_msg("%s in\n%s", (what), text_);                                                  \
    } while (0)

static void test_connect(void **state)
{
    (void)state;
    const char *out = CONNECT(1, 0x22);
    assert_has(out, "\"command\":\"connect_request\",\"code\":14");
    assert_has(out, "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(out, "\"src_ref\":5");
    assert_has(out, "\"tpdu_size\":1024");
    assert_has(out, "\"calling_tsap\":\"0100\",\"called_tsap\":\"0122\"");
    assert_has(out, "\"connection\":\"pg\"");
    assert_has(out, "\"rack\":1,\"slot\":2");
    assert_has_not(out, "server_sub");
    out = CONFIRM(10);
    assert_has(out, "\"command\":\"connect_confirm\",\"code\":13");
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has_not(out, "violation");
}

static void test_confirm_of_another_reference(void **state)
{
    (void)state;
    CONNECT(1, 2);
    const char *out = SAY(6, 0xd0, 0x18, 0x01, 0, 4, 0);
    assert_has(out, "\"paired\":false");
    assert_has_not(out, "violation");
}

static void test_text_tsap(void **state)
{
    (void)state;
    const char *out = ASK(14, 0xe0, 0, 0, 0, 5, 0, 0xc2, 6, 'S', 'I', 'M', 'A', 'T', 'I');
    assert_has(out, "\"called_name\":\"SIMATI\"");
    assert_has_not(out, "\"slot\"");
    out = ASK(12, 0xe0, 0, 0, 0, 5, 0, 0xc1, 4, 'S', 1, 'M', 'A');
    assert_has_not(out, "calling_name");
}

static void test_data(void **state)
{
    (void)state;
    CONNECT(2, 3);
    CONFIRM(10);
    const char *out = ASK(2, 0xf0, 0x80, 'T', 'x');
    assert_has(out, "\"command\":\"data\",\"code\":15");
    assert_has(out, "\"is_last\":true,\"tsdu_length\":2");
    assert_has(out, "\"protocol\":\"user\"");
    assert_has_not(out, "server_sub"); /* not S7: the selector says nothing of a slot */
    assert_has_not(out, "\"fact\"");
}

static void test_s7_slot_and_role(void **state)
{
    (void)state;
    CONNECT(2, 0x23);
    CONFIRM(10);
    const char *out = ASK(2, 0xf0, 0x80, 0x32, 1);
    assert_has(out, "{\"message\":{\"protocol\":\"user\",\"command\":\"code_1\",\"code\":1,"
                    "\"qualifier\":0,\"class\":\"unknown\",\"kind\":\"data\",\"direction\":"
                    "\"to_server\",\"paired\":false,\"server_sub\":\"slot 1/3\"}");
    assert_has(out, "\"fact\":{\"party\":\"sender\",\"fact\":\"role\",\"value\":\"hmi\"}");
    assert_has_not(ASK(2, 0xf0, 0x80, 0x32, 1), "\"fact\"");
    assert_has(SAY(2, 0xf0, 0x80, 0x32, 1), "\"server_sub\":\"slot 1/3\"");

    flow.id = 2;
    CONNECT(1, 2);
    CONFIRM(10);
    assert_has(ASK(2, 0xf0, 0x80, 0x32, 1), "\"value\":\"engineering\"");
    flow.id = 3;
    CONNECT(0x10, 2);
    CONFIRM(10);
    out = ASK(2, 0xf0, 0x80, 0x32, 1);
    assert_has_not(out, "server_sub");
    assert_has_not(out, "\"fact\"");
}

static void test_reassembly(void **state)
{
    (void)state;
    CONNECT(1, 2);
    CONFIRM(10);
    assert_has_not(ASK(2, 0xf0, 0, 'T', 'a', 'b'), "\"protocol\":\"user\"");
    assert_has(SAY(2, 0xf0, 0x80, 'T'), "\"user\":{\"length\":1}"); /* the other direction */
    assert_has_not(ASK(2, 0xf0, 0, 'c'), "\"protocol\":\"user\"");
    assert_has(ASK(2, 0xf0, 0x80, 'd', 'e'), "\"user\":{\"length\":6}");
    assert_has(ASK(2, 0xf0, 0x80, 'T', 'e'), "\"user\":{\"length\":2}");
    /* An empty part with no mark, as engineering tools send it; long after it the next unit. */
    assert_has_not(ASK(2, 0xf0, 0), "\"protocol\":\"user\"");
    now += 1000 * SECOND;
    ft_harness_tick(h, now);
    assert_has(ASK(2, 0xf0, 0x80, 'T', 'e'), "\"user\":{\"length\":2}");
}

static void test_remembers_child(void **state)
{
    (void)state;
    CONNECT(1, 2);
    CONFIRM(10);
    assert_has_not(ASK(2, 0xf0, 0x80, 'x'), "\"protocol\":\"user\"");
    assert_has(ASK(2, 0xf0, 0x80, 'T'), "\"protocol\":\"user\"");
    assert_has(ASK(2, 0xf0, 0x80, 'x'), "\"protocol\":\"user\"");
}

static void test_endless(void **state)
{
    static uint8_t part[30003] = {2, 0xf0, 0, 'T'};
    uint32_t told = 0;
    (void)state;
    CONNECT(1, 2);
    SAY(6, 0xd0, 0, 5, 0, 9, 0);
    for (unsigned i = 0; i < 6; i++)
        told += strstr(feed(FT_TO_SERVER, part, sizeof(part)), "tsdu_too_long") != NULL;
    assert_int_equal(told, 1);
    /* After the end mark a new one is fine. */
    assert_has_not(ASK(2, 0xf0, 0x80, 'T'), "tsdu_too_long");
    assert_has(ASK(2, 0xf0, 0x80, 'T'), "\"user\":{\"length\":1}");
}

static void test_without_connection(void **state)
{
    (void)state;
    assert_has(ASK(2, 0xf0, 0x80, 'T'), "data_without_connection");
    flow.id = 2;
    CONNECT(1, 2);
    assert_has_not(ASK(2, 0xf0, 0x80, 'T'), "data_without_connection");
    assert_has(SAY(2, 0xf0, 0x80, 'T'), "data_without_connection");
    CONFIRM(10);
    assert_has_not(SAY(2, 0xf0, 0x80, 'T'), "data_without_connection");
}

static void test_midstream(void **state)
{
    static const uint8_t two[] = {3, 0, 0, 8, 2, 0xf0, 0x80, 'T', 3, 0, 0, 8, 2, 0xf0, 0x80, 'T'};
    (void)state;
    flow.is_midstream = 1;
    const char *out = ft_harness_feed(h, &flow, FT_TO_CLIENT, now, two, sizeof(two));
    assert_has(out, "\"protocol\":\"user\"");
    assert_has_not(out, "violation");
}

static void test_one_direction(void **state)
{
    (void)state;
    CONNECT(1, 2);
    assert_has_not(ASK(2, 0xf0, 0x80, 'T'), "violation");
    flow.id = 2;
    CONFIRM(10);
    const char *out = SAY(2, 0xf0, 0x80, 0x32);
    assert_has_not(out, "violation");
    assert_has(out, "\"server_sub\":\"slot 0/2\"");
}

static void test_repeated_request(void **state)
{
    (void)state;
    assert_has_not(CONNECT(1, 2), "repeated_connect_request");
    CONFIRM(10);
    assert_has(CONNECT(1, 2), "repeated_connect_request");
    /* After a refusal it is the next try. */
    flow.id = 2;
    CONNECT(1, 2);
    SAY(6, 0x80, 0, 5, 0, 0, 1);
    assert_has_not(CONNECT(1, 3), "repeated_connect_request");
}

static void test_tpdu_size(void **state)
{
    static uint8_t tpdu[130] = {2, 0xf0, 0x80, 'T'};
    (void)state;
    CONNECT(1, 2);
    CONFIRM(7);
    assert_has_not(feed(FT_TO_SERVER, tpdu, 128), "violation");
    assert_has(feed(FT_TO_SERVER, tpdu, 129), "\"name\":\"tpdu_size\"");
}

static void test_class_raised(void **state)
{
    (void)state;
    CONNECT(1, 2);
    assert_has(SAY(6, 0xd0, 0, 5, 0, 9, 0x20), "class_raised");
    flow.id = 2;
    ASK(6, 0xe0, 0, 0, 0, 5, 0x40);
    assert_has_not(SAY(6, 0xd0, 0, 5, 0, 9, 0x20), "class_raised");
}

static void test_class_0_header(void **state)
{
    (void)state;
    CONNECT(1, 2);
    CONFIRM(10);
    assert_has(ASK(4, 0xf0, 0, 1, 0x80, 'T'), "class_0_header");
    flow.id = 2;
    ASK(6, 0xe0, 0, 0, 0, 5, 0x20);
    SAY(6, 0xd0, 0, 5, 0, 9, 0x20);
    assert_has_not(ASK(4, 0xf0, 0, 1, 0x80, 'T'), "violation");
}

static void test_guessing(void **state)
{
    uint32_t told = 0;
    (void)state;
    for (uint8_t slot = 0; slot < 6; slot++) {
        flow.id = slot + 10;
        CONNECT(1, slot);
        CONNECT(1, slot);
        const char *out = SAY(6, 0x80, 0, 5, 0, 0, 2);
        assert_has(out, "\"kind\":\"exception\",\"direction\":\"to_client\",\"paired\":true");
        assert_has(out, "\"reason\":\"session_not_attached\"");
        if (strstr(out, "tsap_guessing")) {
            told++;
            assert_int_equal(slot, 3);
        }
    }
    assert_int_equal(told, 1);
}

static void test_no_guessing(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 8; i++) {
        flow.id = i + 10;
        CONNECT(1, 2); /* always the same */
        assert_has_not(SAY(6, 0x80, 0, 5, 0, 0, 2), "tsap_guessing");
        flow.id = i + 30;
        CONNECT(1, i); /* for another reason */
        assert_has_not(SAY(6, 0x80, 0, 5, 0, 0, 128), "tsap_guessing");
    }
}

static void test_disconnect(void **state)
{
    (void)state;
    CONNECT(1, 2);
    CONFIRM(10);
    const char *out = ASK(6, 0x80, 0, 9, 0, 5, 128);
    assert_has(out, "\"command\":\"disconnect_request\"");
    assert_has(out, "\"kind\":\"request\"");
    assert_has(out, "\"reason\":\"normal\"");
    out = SAY(5, 0xc0, 0, 5, 0, 9);
    assert_has(out, "\"command\":\"disconnect_confirm\"");
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
}

static void test_error(void **state)
{
    (void)state;
    const char *out = SAY(8, 0x70, 0, 5, 3, 0xc1, 2, 0xaa, 0xbb);
    assert_has(out, "\"command\":\"error\",\"code\":7");
    assert_has(out, "\"kind\":\"exception\"");
    assert_has(out, "\"cause\":\"invalid_parameter_value\"");
    assert_has(out, "\"rejected\":\"aabb\"");
}

static void test_unknown_type(void **state)
{
    (void)state;
    const char *out = ASK(2, 0x30, 0, 1);
    assert_has(out, "\"code\":3");
    assert_has(out, "unknown_type");
}

static void test_lengths(void **state)
{
    (void)state;
    assert_has(ASK(0, 0xf0, 0x80), "length_indicator");
    assert_has(ASK(9, 0xf0, 0x80), "length_indicator");
    assert_has(ASK(4, 0xe0, 0, 0, 0), "length_indicator");
    assert_has(ASK(10, 0xe0, 0, 0, 0, 5, 0, 0xc2, 9, 1, 2), "\"name\":\"parameter\"");
    flow.id = 2;
    assert_has_not(ASK(10, 0xe0, 0, 0, 0, 5, 0, 0xc2, 2, 1, 2), "\"name\":\"parameter\"");
}

static void test_rdp(void **state)
{
    (void)state;
    const char *out = ASK(13, 0xe0, 0, 0, 0, 0, 0, 'C', 'o', 'o', 'k', 'i', 'e', ':');
    assert_has(out, "\"user\":{\"length\":7}");
    assert_has_not(out, "violation");
}

/* Class 4 on a datagram network: numbers, repetitions, several TPDUs in a packet. */
static const char *datagram(const uint8_t *bytes, uint32_t length)
{
    static const struct ft_harness_flow l2 = {
        .id = 40, .transport = FT_TRANSPORT_IP, .protocol = "cotp"};
    now += SECOND / 100;
    return ft_harness_feed(h, &l2, FT_TO_SERVER, now, bytes, length);
}

#define DATAGRAM(...) datagram((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void test_class_4(void **state)
{
    (void)state;
    assert_has_not(DATAGRAM(4, 0xf0, 0, 1, 0, 'T', 'a'), "\"protocol\":\"user\"");
    assert_has_not(DATAGRAM(4, 0xf0, 0, 1, 0, 'T', 'a'), "\"protocol\":\"user\""); /* repeated */
    assert_has(DATAGRAM(4, 0xf0, 0, 1, 0x81, 'b'), "\"user\":{\"length\":3}");
    /* Another connection has numbers of its own; extended numbers and a checksum. */
    assert_has(DATAGRAM(11, 0xf0, 0, 2, 0x80, 0, 0, 7, 0xc3, 2, 1, 2, 'T'),
               "\"user\":{\"length\":1}");
    /* A hole: what was collected goes. */
    assert_has_not(DATAGRAM(4, 0xf0, 0, 1, 2, 'T', 'a'), "\"protocol\":\"user\"");
    assert_has(DATAGRAM(4, 0xf0, 0, 1, 0x84, 'T'), "\"user\":{\"length\":1}");

    const char *out = DATAGRAM(4, 0x65, 0, 1, 3, 4, 0xf0, 0, 1, 0x85, 'T');
    assert_has(out, "\"command\":\"acknowledgement\",\"code\":6");
    assert_has(out, "\"credit\":5");
    assert_has(out, "\"command\":\"data\"");
    assert_has(out, "\"protocol\":\"user\"");
    assert_has(DATAGRAM(4, 0x10, 0, 1, 0x80, 'T'), "\"command\":\"expedited_data\"");
    assert_has(DATAGRAM(4, 0x20, 0, 1, 1), "\"command\":\"expedited_acknowledgement\"");
    assert_has(DATAGRAM(4, 0x53, 0, 1, 1), "\"command\":\"reject\"");
    assert_has(DATAGRAM(9, 0x60, 0, 1, 0, 0, 0, 9, 0, 7), "\"number\":9,\"credit\":7");
    assert_has(DATAGRAM(5, 0x40, 0xc1, 2, 1, 2, 'T'), "\"command\":\"unit_data\"");
}

static void test_truncation(void **state)
{
    static const uint8_t connect[] = {17, 0xe0, 0, 0, 0, 5,    0, 0xc0, 1,
                                      10, 0xc1, 2, 1, 0, 0xc2, 2, 1,    2};
    (void)state;
    for (uint32_t n = 1; n < sizeof(connect); n++) {
        flow.id = n;
        feed(FT_TO_SERVER, connect, n);
    }
    /* Cut by the sensor: nobody did anything wrong. */
    static const struct ft_harness_flow ip = {
        .id = 60, .transport = FT_TRANSPORT_IP, .protocol = "cotp"};
    for (uint32_t n = 1; n < sizeof(connect); n++)
        assert_has_not(ft_harness_feed_cut(h, &ip, FT_TO_SERVER, now, connect, n), "violation");
}

static void test_noise(void **state)
{
    uint32_t seed = 1;
    uint8_t noise[64];
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t length = 1 + i % sizeof(noise);
        for (uint32_t k = 0; k < length; k++) {
            seed = seed * 1664525 + 1013904223;
            noise[k] = (uint8_t)(seed >> 24);
        }
        if (i & 1)
            noise[0] = (uint8_t)(length > 1 ? (length - 1) & 15 : 0);
        feed(i & 2 ? FT_TO_CLIENT : FT_TO_SERVER, noise, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_confirm_of_another_reference, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_tsap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_s7_slot_and_role, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reassembly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remembers_child, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_midstream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_direction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeated_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tpdu_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_class_raised, setup, teardown),
        cmocka_unit_test_setup_teardown(test_class_0_header, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guessing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_guessing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disconnect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_type, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rdp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_class_4, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
    };
    return cmocka_run_group_tests_name("cotp", tests, NULL, NULL);
}
