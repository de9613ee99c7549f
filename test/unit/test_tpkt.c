/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the TPKT dissector: framing, recognition, resynchronisation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/harness.h>

#define SECOND 1000000000ull
#define TPKT   "\"message\":{\"protocol\":\"tpkt\""
#define COTP   "\"message\":{\"protocol\":\"cotp\""

extern const struct ft_dissector ft_dissector_tpkt, ft_dissector_cotp;

static const struct ft_harness_flow flow = {.id = 1,
                                            .transport = FT_TRANSPORT_TCP,
                                            .protocol = "tpkt",
                                            .client_port = 50000,
                                            .server_port = 102};
static struct ft_harness *h;
static uint64_t now;

/* A data TPDU with three bytes. */
static const uint8_t data_pdu[] = {3, 0, 0, 10, 2, 0xf0, 0x80, 'a', 'b', 'c'};

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_tpkt, &ft_dissector_cotp, NULL};
    char error[256] = "";
    (void)state;
    now = SECOND;
    h = ft_harness_new(all, error, sizeof(error));
    return h ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_harness_free(h);
    return 0;
}

static const char *feed(const void *bytes, uint32_t length)
{
    now += SECOND / 100;
    return ft_harness_feed(h, &flow, FT_TO_SERVER, now, bytes, length);
}

static uint32_t count(const char *text, const char *what)
{
    uint32_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void test_one_packet(void **state)
{
    (void)state;
    const char *out = feed(data_pdu, sizeof(data_pdu));
    assert_int_equal(count(out, TPKT), 1);
    assert_int_equal(count(out, COTP), 1);
    assert_non_null(strstr(out, "\"version\":3"));
    assert_non_null(strstr(out, "\"length\":10"));
    assert_null(strstr(out, "\"violation\":{\"protocol\":\"tpkt\""));
}

static void test_many_in_one_segment(void **state)
{
    uint8_t many[5 * sizeof(data_pdu)];
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        memcpy(many + i * sizeof(data_pdu), data_pdu, sizeof(data_pdu));
    assert_int_equal(count(feed(many, sizeof(many)), COTP), 5);
}

static void test_one_byte_segments(void **state)
{
    (void)state;
    for (uint32_t i = 0; i + 1 < sizeof(data_pdu); i++)
        assert_string_equal(feed(data_pdu + i, 1), "");
    assert_int_equal(count(feed(data_pdu + 9, 1), COTP), 1);
}

static void test_header_alone(void **state)
{
    (void)state;
    assert_string_equal(feed(data_pdu, 4), "");
    assert_int_equal(count(feed(data_pdu + 4, 6), COTP), 1);
}

static void test_reserved(void **state)
{
    uint8_t pdu[sizeof(data_pdu)];
    (void)state;
    memcpy(pdu, data_pdu, sizeof(pdu));
    pdu[1] = 7;
    const char *out = feed(pdu, sizeof(pdu));
    assert_non_null(strstr(out, "\"name\":\"reserved_not_zero\""));
    assert_non_null(strstr(out, "\"reserved\":7"));
    assert_non_null(strstr(out, COTP));
}

static void test_too_short(void **state)
{
    static const uint8_t six[] = {3, 0, 0, 6, 1, 0xf0};
    static const uint8_t seven[] = {3, 0, 0, 7, 2, 0xf0, 0x80};
    (void)state;
    const char *out = feed(six, sizeof(six));
    assert_non_null(strstr(out, "\"name\":\"too_short\""));
    assert_null(strstr(out, COTP));
    assert_null(strstr(feed(seven, sizeof(seven)), "too_short"));
}

static void test_bad_version(void **state)
{
    static const uint8_t other[] = {4, 0, 0, 10, 2, 0xf0, 0x80, 1, 2, 3};
    uint8_t two[2 * sizeof(data_pdu)];
    (void)state;
    assert_non_null(strstr(feed(other, sizeof(other)), "\"name\":\"unexpected_content\""));

    /* Two packets in a row are believed again. */
    memcpy(two, data_pdu, sizeof(data_pdu));
    memcpy(two + sizeof(data_pdu), data_pdu, sizeof(data_pdu));
    assert_true(count(feed(two, sizeof(two)), COTP) >= 1);
    assert_int_equal(count(feed(data_pdu, sizeof(data_pdu)), COTP), 1);
}

static void test_tls(void **state)
{
    static const uint8_t record[] = {0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5};
    struct ft_harness_flow desktop = flow;
    (void)state;
    desktop.id = 3;
    desktop.server_port = 3389;
    ft_harness_feed(h, &desktop, FT_TO_SERVER, now, data_pdu, sizeof(data_pdu));
    for (uint32_t i = 0; i < sizeof(record); i++)
        assert_string_equal(ft_harness_feed(h, &desktop, FT_TO_SERVER, now, record + i, 1), "");
    feed(data_pdu, sizeof(data_pdu));
    assert_non_null(strstr(feed(record, sizeof(record)), "\"name\":\"unexpected_content\""));
}

/* Remote desktop has packets of its own between TPKTs; on port 102 they are foreign. */
static void test_fast_path(void **state)
{
    static const uint8_t bytes[] = {0x44, 4, 1, 2,  0x00, 0x80, 5,    1,   2, /* two, then */
                                    3,    0, 0, 10, 2,    0xf0, 0x80, 'a', 'b', 'c'};
    static const uint8_t none[] = {0x44, 2, 1, 2};
    struct ft_harness_flow desktop = flow;
    const char *out = "";
    (void)state;
    desktop.id = 4;
    desktop.server_port = 3389;
    ft_harness_feed(h, &desktop, FT_TO_SERVER, now, data_pdu, sizeof(data_pdu));
    out = ft_harness_feed(h, &desktop, FT_TO_SERVER, now, bytes, sizeof(bytes));
    assert_int_equal(count(out, COTP), 1);
    assert_null(strstr(out, "unexpected_content"));
    for (uint32_t i = 0; i + 1 < sizeof(bytes); i++)
        assert_string_equal(ft_harness_feed(h, &desktop, FT_TO_SERVER, now, bytes + i, 1), "");
    out = ft_harness_feed(h, &desktop, FT_TO_SERVER, now, bytes + sizeof(bytes) - 1, 1);
    assert_int_equal(count(out, COTP), 1);
    out = ft_harness_feed(h, &desktop, FT_TO_SERVER, now, none, sizeof(none));
    assert_non_null(strstr(out, "\"name\":\"unexpected_content\""));
    feed(data_pdu, sizeof(data_pdu));
    assert_non_null(strstr(feed(bytes, 4), "\"name\":\"unexpected_content\""));
}

static void test_longest(void **state)
{
    static uint8_t longest[UINT16_MAX] = {3, 0, 0xff, 0xff, 2, 0xf0, 0x80};
    (void)state;
    const char *out = feed(longest, sizeof(longest));
    assert_non_null(strstr(out, "\"length\":65535"));
    assert_non_null(strstr(out, "\"tsdu_length\":65528"));
}

static enum ft_verdict probe(const void *bytes, uint32_t length)
{
    static const struct ft_harness_flow unbound = {.id = 2,
                                                   .transport = FT_TRANSPORT_TCP,
                                                   .protocol = "tpkt",
                                                   .client_port = 50000,
                                                   .server_port = 3000};
    return ft_harness_probe(h, &unbound, FT_TO_SERVER, bytes, length);
}

static void test_probe(void **state)
{
    uint8_t pdu[sizeof(data_pdu)];
    (void)state;
    assert_int_equal(probe(data_pdu, sizeof(data_pdu)), FT_YES);
    assert_int_equal(probe(data_pdu, 4), FT_MAYBE);
    assert_int_equal(probe(data_pdu, 8), FT_YES);
    for (unsigned i = 0; i < 6; i++) {
        memcpy(pdu, data_pdu, sizeof(pdu));
        pdu[i] = i == 3 ? 6 : 0x31;
        if (i != 2)
            assert_int_equal(probe(pdu, sizeof(pdu)), FT_NO);
    }
    /* Another packet or the end has to follow. */
    uint8_t more[sizeof(data_pdu) + 1];
    memcpy(more, data_pdu, sizeof(data_pdu));
    more[10] = 9;
    assert_int_equal(probe(more, sizeof(more)), FT_NO);
    more[10] = 3;
    assert_int_equal(probe(more, sizeof(more)), FT_YES);
}

static enum ft_verdict probe_tpdu(uint8_t indicator, uint8_t code, uint8_t third, uint8_t length)
{
    uint8_t pdu[64] = {3, 0, 0, length, indicator, code, third};
    return probe(pdu, length);
}

/* Every code with a header that fits, without, and with data where the TPDU carries none. */
static void test_probe_knows_the_tpdus(void **state)
{
    static const struct {
        uint8_t code, indicator, credit, has_data;
    } tpdus[] = {{0xf0, 4, 0, 1}, {0xe0, 6, 1, 1}, {0xd0, 6, 1, 1}, {0x80, 6, 0, 1},
                 {0x10, 4, 0, 1}, {0xc0, 5, 0, 0}, {0x70, 4, 0, 0}, {0x20, 4, 0, 0},
                 {0x60, 4, 1, 0}, {0x50, 4, 1, 0}};
    (void)state;
    for (unsigned i = 0; i < sizeof(tpdus) / sizeof(tpdus[0]); i++) {
        uint8_t code = tpdus[i].code, indicator = tpdus[i].indicator, length = indicator + 5;
        assert_int_equal(probe_tpdu(indicator, code, 1, length), FT_YES);
        assert_int_equal(probe_tpdu(indicator - 1, code, 1, length - 1), FT_NO);
        assert_int_equal(probe_tpdu(indicator, code | 4, 1, length),
                         tpdus[i].credit ? FT_YES : FT_NO);
        assert_int_equal(probe_tpdu(indicator, code, 1, length + 3),
                         tpdus[i].has_data ? FT_YES : FT_NO);
        assert_int_equal(probe_tpdu(indicator, code, 1, length - 1), FT_NO);
    }
    for (unsigned code = 0; code < 256; code += 16)
        if (code == 0 || code == 0x30 || code == 0x40 || code == 0x90 || code == 0xa0 ||
            code == 0xb0)
            assert_int_equal(probe_tpdu(9, (uint8_t)code, 0, 14), FT_NO);
    /* class 0: the end mark, and no number */
    assert_int_equal(probe_tpdu(2, 0xf0, 0x00, 20), FT_YES);
    assert_int_equal(probe_tpdu(2, 0xf0, 0x81, 20), FT_NO);
    assert_int_equal(probe_tpdu(255, 0xf0, 0x80, 20), FT_NO);
}

static enum ft_verdict probe_bound(const uint8_t *bytes, uint32_t length)
{
    const struct ft_probe where = {.size = sizeof(where),
                                   .transport = FT_TRANSPORT_TCP,
                                   .is_bound = true,
                                   .src_port = 50000,
                                   .dst_port = 102};
    return ft_dissector_tpkt.probe(&where, ft_view_make(bytes, length, false));
}

/* On the bound port, a reserved byte that is not zero: in a segment of its own only. */
static void test_probe_reserved(void **state)
{
    uint8_t pdu[2 * sizeof(data_pdu)];
    (void)state;
    memcpy(pdu, data_pdu, sizeof(data_pdu));
    memcpy(pdu + sizeof(data_pdu), data_pdu, sizeof(data_pdu));
    pdu[1] = 7;
    assert_int_equal(probe_bound(pdu, 10), FT_YES);
    assert_int_equal(probe_bound(pdu, 9), FT_NO);
    assert_int_equal(probe_bound(pdu, 20), FT_NO);
    pdu[1] = 0;
    pdu[11] = 7;
    assert_int_equal(probe_bound(pdu, 20), FT_NO);
    assert_int_equal(probe_bound(pdu, 11), FT_YES);
}

/*
 * The sensor is switched on in the middle of a list whose records hold what looks like packets,
 * each of which seems to end where another begins. None is one; the true packet behind it is found.
 */
static void test_begun_inside_data(void **state)
{
    static const uint8_t record[] = {0x84, 3, 3,    0,    0,    0x58, 8,    0x5c, 0x60, 0xe0, 0xc1,
                                     0xd7, 9, 0x60, 0x3f, 0xa2, 0x12, 0x83, 1,    0,    0x84, 3};
    uint8_t list[20 * sizeof(record)];
    struct ft_harness_flow late = flow;
    (void)state;
    assert_int_equal(4 * sizeof(record), 0x58);
    for (unsigned i = 0; i < 20; i++)
        memcpy(list + i * sizeof(record), record, sizeof(record));
    late.id = 9;
    late.is_midstream = true;
    for (unsigned at = 0; at < sizeof(record); at++) {
        late.id++;
        assert_string_equal(ft_harness_feed(h, &late, FT_TO_CLIENT, ++now, list + at, 400), "");
        const char *out =
            ft_harness_feed(h, &late, FT_TO_CLIENT, ++now, data_pdu, sizeof(data_pdu));
        assert_int_equal(count(out, COTP), 1);
        assert_null(strstr(out, "{\"violation\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_in_one_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_byte_segments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_header_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reserved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_short, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fast_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe_knows_the_tpdus, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe_reserved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_begun_inside_data, setup, teardown),
    };
    return cmocka_run_group_tests_name("tpkt", tests, NULL, NULL);
}
