/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the DNP3 dissector with frames made by hand. */
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
#include <fieldtap/wire.h>

#define MASTER     3
#define OUTSTATION 4
#define REQUEST    0xc4 /* DIR, PRM, unconfirmed user data */
#define RESPONSE   0x44
#define SECOND     1000000000ull

extern const struct ft_dissector ft_dissector_dnp3;

static const struct ft_harness_flow tcp = {.id = 1,
                                           .transport = FT_TRANSPORT_TCP,
                                           .protocol = "dnp3",
                                           .client_port = 50000,
                                           .server_port = 20000};
static const struct ft_harness_flow udp = {.id = 2,
                                           .transport = FT_TRANSPORT_UDP,
                                           .protocol = "dnp3",
                                           .client_port = 50000,
                                           .server_port = 20000};

static struct ft_harness *h;
static uint64_t now;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_dnp3, NULL};
    char error[256] = "";

    (void)state;
    now = 1700000000 * SECOND;
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

/* ---- making frames ------------------------------------------------------------------------- */

static uint32_t put_crc(uint8_t *out, uint32_t n, uint32_t from)
{
    uint16_t crc = ft_crc16_dnp(out + from, n - from);

    out[n] = (uint8_t)crc;
    out[n + 1] = (uint8_t)(crc >> 8);
    return n + 2;
}

static uint32_t make_frame(uint8_t *out, uint8_t control, uint16_t dst, uint16_t src,
                           const uint8_t *user, uint32_t length)
{
    const uint8_t header[] = {0x05,
                              0x64,
                              (uint8_t)(5 + length),
                              control,
                              (uint8_t)dst,
                              (uint8_t)(dst >> 8),
                              (uint8_t)src,
                              (uint8_t)(src >> 8)};
    uint32_t n = 8;

    memcpy(out, header, 8);
    n = put_crc(out, n, 0);
    for (uint32_t i = 0; i < length; i += 16) {
        uint32_t size = length - i < 16 ? length - i : 16;

        memcpy(out + n, user + i, size);
        n = put_crc(out, n + size, n);
    }
    return n;
}

struct bytes {
    uint8_t data[4096];
    uint32_t length;
};

static struct bytes frame_of(uint8_t control, uint16_t dst, uint16_t src, const uint8_t *user,
                             uint32_t length)
{
    struct bytes b;

    b.length = make_frame(b.data, control, dst, src, user, length);
    return b;
}

#define LINK(control, dst, src) frame_of(control, dst, src, NULL, 0)
#define FRAME(control, dst, src, ...)                                                              \
    frame_of(control, dst, src, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))
/* A request and a response in one segment: transport octet, application octets. */
#define ASK(...) FRAME(REQUEST, OUTSTATION, MASTER, 0xc0, __VA_ARGS__)
#define SAY(...) FRAME(RESPONSE, MASTER, OUTSTATION, 0xc0, __VA_ARGS__)

static const char *feed_to(const struct ft_harness_flow *flow, struct bytes b)
{
    now += SECOND / 100;
    return ft_harness_feed(h, flow, b.data[3] & 0x80 ? FT_TO_SERVER : FT_TO_CLIENT, now, b.data,
                           b.length);
}

static const char *feed(struct bytes b)
{
    return feed_to(&tcp, b);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("%s in\n%s", part, text);
}

static unsigned times(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part))) {
        n++;
        text++;
    }
    return n;
}

static void assert_clean(const char *text)
{
    assert_lacks(text, "\"violation\"");
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_read_and_response(void **state)
{
    (void)state;
    const char *t = feed(ASK(0xc5, 1, 60, 2, 6, 60, 3, 6, 60, 4, 6));

    assert_has(t, "\"command\":\"read_class_data\",\"code\":1,\"qualifier\":60,\"class\":\"read\","
                  "\"kind\":\"request\",\"direction\":\"to_server\"");
    assert_has(t, "\"client_sub\":");
    assert_has(t, "\"src\":3,\"dst\":4");
    assert_has(t, "\"type\":\"request\"");
    assert_has(t, "\"control\":{\"dir\":true,\"pri\":true,\"fcb\":false,\"fcv\":false,"
                  "\"function_code\":4");
    assert_has(t, "\"function\":\"read\",\"function_code\":1");
    assert_has(t, "{\"group\":60,\"variation\":3,\"qualifier\":6,\"prefix_code\":0,"
                  "\"range_code\":6}");
    assert_has(t, "\"complete\":true");
    assert_clean(t);
    assert_has(t, "\"value\":\"scada\"");

    t = feed(
        SAY(0xc5, 129, 0x00, 0x00, 30, 1, 0, 7, 8, 0x01, 0x9c, 0xff, 0xff, 0xff, 0x21, 0, 1, 0, 0));
    assert_has(t, "\"code\":129");
    assert_has(t, "\"paired\":true");
    assert_has(t, "\"request_function\":\"read\"");
    assert_has(t, "\"start\":7,\"stop\":8,\"count\":2");
    assert_has(t, "\"index\":7");
    assert_has(t, "-100");
    assert_has(t, "\"flags\":[\"online\",\"over_range\"]");
    assert_clean(t);
}

static void test_all_point_formats(void **state)
{
    (void)state;
    const char *t = feed(SAY(0xc0, 129, 0, 0, 1, 1, 0, 10, 12, 0x05, /* bits */
                             3, 1, 0, 0, 1, 0x0e,                    /* double bits: 2, 3 */
                             2, 1, 0x17, 1, 9, 0x81,                 /* binary event */
                             4, 1, 0x17, 1, 9, 0x81));

    assert_has(t, "{\"index\":10,\"state\":1},{\"index\":11,\"state\":0},{\"index\":12,"
                  "\"state\":1}]");
    assert_has(t, "{\"index\":0,\"state\":2},{\"index\":1,\"state\":3}]");
    assert_has(t, "\"index\":9,\"flags\":[\"online\"],\"flags_code\":1,\"state\":1");
    assert_has(t, "\"flags\":[\"online\"],\"flags_code\":1,\"state\":2");
    assert_clean(t);

    t = feed(SAY(0xc0, 129, 0, 0, 51, 1, 7, 1, 0xe8, 3, 0, 0, 0, 0, /* 1000 ms */
                 2, 3, 0x28, 1, 0, 0x34, 0x12, 0x01, 5, 0));
    assert_has(t, "\"index\":4660");
    assert_has(t, "\"relative_ms\":5");
    assert_has(t, "1970-01-01T00:00:01.005");
    assert_clean(t);

    t = feed(SAY(0xc0, 129, 0, 0, 20, 1, 7, 1, 0x21, 5, 0, 0, 0, 22, 6, 7, 1, 0x41, 6, 0, 1, 0, 0,
                 0, 0, 0, 30, 4, 7, 1, 0xfe, 0xff, 30, 6, 7, 1, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f));
    assert_has(t, "\"flags\":[\"online\",\"rollover\"]");
    assert_has(t, "\"flags\":[\"online\",\"discontinuity\"]");
    assert_has(t, "\"value\":-2");
    assert_has(t, "\"value\":1.5");
    assert_clean(t);

    t = feed(SAY(0xc0, 129, 0, 0, 43, 1, 7, 1, 4, 9, 0, 0, 0, 13, 1, 7, 1, 0x82, 52, 1, 7, 1, 2, 0,
                 52, 2, 7, 1, 3, 0, 81, 1, 7, 1, 50, 2, 1));
    assert_has(t, "\"status\":\"not_supported\"");
    assert_has(t, "\"status\":\"no_select\"");
    assert_has(t, "\"delay_ms\":2000");
    assert_has(t, "\"delay_ms\":3");
    assert_has(t, "\"fill_percent\":50,\"buffer_group\":2,\"buffer_variation\":1");
    assert_clean(t);

    t = feed(SAY(0xc0, 129, 0, 0, 110, 3, 7, 1, 'a', 'b', 'c', 101, 1, 7, 1, 0x34, 0x12, 121, 1, 7,
                 1, 1, 2, 0, 7, 0, 0, 0, 50, 4, 7, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2));
    assert_has(t, "\"text\":\"abc\"");
    assert_has(t, "\"octets\":\"3412\"");
    assert_has(t, "\"association\":2");
    assert_has(t, "\"interval\":5,\"interval_units\":\"seconds\"");
    assert_clean(t);
}

#define CROB(code) 12, 1, 0x28, 1, 0, 5, 0, code, 1, 100, 0, 0, 0, 200, 0, 0, 0, 0

static void test_select_and_operate(void **state)
{
    (void)state;
    const char *t = feed(ASK(0xc1, 3, CROB(0x81)));

    assert_has(t, "\"command\":\"select\",\"code\":3,\"qualifier\":0,\"class\":\"operate\"");
    assert_has(t, "\"op_type\":1,\"operation\":\"pulse_on\",\"operation_code\":1,\"qu\":0,\"cr\":0,"
                  "\"tcc\":2,\"trip_close\":\"trip\",\"trip_close_code\":2,\"count\":1,"
                  "\"ontime\":100,\"offtime\":200");
    assert_clean(t);
    t = feed(SAY(0xc1, 129, 0, 0, CROB(0x81)));
    assert_has(t, "\"request_function\":\"select\"");
    assert_has(t, "\"status\":\"success\"");
    assert_clean(feed(ASK(0xc2, 4, CROB(0x81))));
    assert_clean(feed(ASK(0xc2, 4, CROB(0x81)))); /* repeated */
    assert_clean(feed(ASK(0xc3, 3, CROB(0x81))));
    assert_has(feed(ASK(0xc4, 4, CROB(0x41))), "operate_without_select");
    assert_clean(feed(ASK(0xc5, 3, CROB(0x81))));
    assert_has(feed(ASK(0xc7, 4, CROB(0x81))), "operate_without_select");
    assert_clean(feed(ASK(0xc8, 1, 60, 1, 6)));
    assert_has(feed(ASK(0xc9, 4, CROB(0x81))), "operate_without_select");
    assert_clean(feed(ASK(0xca, 5, 41, 2, 0x28, 1, 0, 1, 0, 10, 0, 0)));
    assert_has(feed(ASK(0xcb, 5, CROB(0x05))), "control_code");
    assert_has(feed(ASK(0xcc, 5, CROB(0xc1))), "control_code");
}

static void test_operate_first_is_not_judged(void **state)
{
    (void)state;
    assert_clean(feed(ASK(0xc2, 4, CROB(0x81))));
}

static void test_writes_have_their_class(void **state)
{
    (void)state;
    assert_has(feed(ASK(0xc0, 2, 50, 1, 7, 1, 0, 0, 0, 0, 0, 0)),
               "\"command\":\"write_time\",\"code\":2,\"qualifier\":50,\"class\":\"config\"");
    assert_has(feed(ASK(0xc0, 2, 80, 1, 0, 7, 7, 0)), "\"class\":\"config\"");
    assert_has(feed(ASK(0xc0, 2, 34, 1, 0, 0, 0, 5, 0)), "\"command\":\"write_deadband\"");
    assert_has(feed(ASK(0xc0, 2, 110, 1, 7, 1, 'x')), "\"class\":\"write\"");
    assert_has(feed(ASK(0xc0, 2)), "\"command\":\"write\",\"code\":2,\"qualifier\":255");
    assert_has(feed(ASK(0xc0, 13)), "\"class\":\"mode\"");
    assert_has(feed(ASK(0xc0, 18)), "\"class\":\"mode\"");
    assert_has(feed(ASK(0xc0, 21, 60, 2, 6)), "\"command\":\"disable_unsolicited\"");
    assert_has(feed(ASK(0xc0, 22, 60, 1, 6, 1, 0, 0x28, 1, 0, 7, 0)), "\"index\":7");
    assert_has(feed(ASK(0xc0, 11, 50, 2, 7, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 20, 0, 6)),
               "\"complete\":true");
}

#define FILE_OPEN(mode)                                                                            \
    25, 70, 3, 0x5b, 1, 30, 0, 26, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0, 0, 10, 0, 0, 0,    \
        mode, 0, 0, 4, 9, 0, 'a', '.', 'b', 'c'

static void test_files(void **state)
{
    (void)state;
    const char *t = feed(ASK(0xc0, FILE_OPEN(1)));

    assert_has(t, "\"command\":\"open_file_read\",\"code\":25,\"qualifier\":1,\"class\":\"file\"");
    assert_has(t, "\"mode\":\"read\"");
    assert_has(t, "\"max_block\":1024,\"request_id\":9,\"name\":\"a.bc\"");
    assert_clean(t);
    /* Written and deleted files have titles of their own; the class alone says "download". */
    for (uint8_t mode = 2; mode <= 3; mode++) {
        t = feed(ASK(0xc0, FILE_OPEN(mode)));
        assert_has(t, "\"class\":\"program\"");
        assert_has(t, "file_write");
    }
    t = feed(ASK(0xc0, 2, 70, 5, 0x5b, 1, 10, 0, 1, 0, 0, 0, 2, 0, 0, 0x80, 7, 7));
    assert_has(t, "\"block\":2,\"last\":true,\"data_length\":2");
    assert_has(t, "file_write");
    assert_lacks(t, "file_delete");
    t = feed(ASK(0xc0, 1, 70, 5, 0x5b, 1, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0));
    assert_has(t, "\"command\":\"read_file\"");
    assert_clean(t);
    assert_has(
        feed(SAY(0xc0, 129, 0, 0, 70, 4, 0x5b, 1, 13, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 4, 9, 0, 3)),
        "\"status\":\"not_found\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 70, 6, 0x5b, 1, 9, 0, 1, 0, 0, 0, 5, 0, 0, 0, 16)),
               "\"status\":\"not_opened\"");
    t = feed(ASK(0xc0, 27, 70, 8, 0x5b, 1, 3, 0, 'a', '/', 'b'));
    assert_has(t, "\"name\":\"a/b\"");
    assert_has(t, "file_delete");
    assert_lacks(t, "file_write");
    t = feed(SAY(0xc0, 129, 0, 0, 70, 7, 0x5b, 1, 22, 0, 20, 0, 2, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0,
                 0, 0, 0, 0, 1, 0, 'l', 's'));
    assert_has(t, "\"type\":\"file\"");
    assert_clean(t);

    t = feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 17, 0, 12, 0, 2, 0, 14, 0, 3, 0, 0, 0, 0, 0, 'm', 'e',
                 'k', 'e', 'y'));
    assert_has(t, "\"user\":\"me\"");
    assert_has(t, "cleartext_password");
    assert_lacks(t, "\"key\"");
    /* A name that points out of its object. */
    assert_has(feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 12, 0, 12, 0, 2, 0, 14, 0, 3, 0, 0, 0, 0, 0)),
               "object_data");
}

static void test_attributes_name_the_device(void **state)
{
    (void)state;
    const char *t = feed(SAY(0xc0, 129, 0, 0, 0, 252, 0, 0, 0, 1, 4, 'A', 'c', 'm', 'e', 0, 242, 0,
                             0, 0, 1, 3, '1', '.', '2', 0, 240, 0, 0, 0, 2, 2, 0, 8));

    assert_has(t, "\"attribute\":\"manufacturer\",\"attribute_code\":252,\"text\":\"Acme\"");
    assert_has(t, "\"value\":2048");
    assert_has(t, "\"fact\":\"vendor\",\"value\":\"Acme\"");
    assert_has(t, "\"fact\":\"firmware\",\"value\":\"1.2\"");
    assert_clean(t);
    assert_has(feed(ASK(0xc0, 1, 0, 254, 0, 0, 0)), "\"command\":\"read_attributes\"");
    assert_clean(feed(SAY(0xc0, 129, 0, 0, 0, 197, 0, 0, 0, 1, 1, '1')));
    assert_clean(feed(SAY(0xc0, 129, 0, 0, 0, 197, 0, 0, 0, 1, 1, '1')));
    assert_has(feed(SAY(0xc0, 129, 0, 0, 0, 197, 0, 0, 0, 1, 1, '2')), "config_changed");
}

static void test_authentication(void **state)
{
    (void)state;
    const char *t =
        feed(SAY(0xc0, 131, 0, 0, 120, 1, 0x5b, 1, 12, 0, 7, 0, 0, 0, 1, 0, 4, 1, 9, 8, 7, 6));

    assert_has(t, "\"class\":\"auth\"");
    assert_has(t, "\"sequence\":7,\"user\":1,\"mac_algorithm\":\"hmac_sha256_16\"");
    assert_has(t, "\"challenge\":\"09080706\"");
    assert_clean(t);
    t = feed(
        SAY(0xc0, 131, 0, 0, 120, 7, 0x5b, 1, 15, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    assert_has(t, "\"error\":\"authentication_failed\"");
    assert_has(t, "authentication_error");
    t = feed(SAY(0xc0, 131, 0, 0, 120, 5, 0x5b, 1, 13, 0, 7, 0, 0, 0, 1, 0, 1, 4, 4, 2, 0, 9, 8));
    assert_has(t, "\"key_status\":\"auth_fail\"");
    assert_has(t, "authentication_error");
    t = feed(SAY(0xc0, 131, 0, 0, 120, 5, 0x5b, 1, 13, 0, 7, 0, 0, 0, 1, 0, 1, 1, 4, 2, 0, 9, 8));
    assert_clean(t);
    t = feed(ASK(0xc0, 32, 120, 10, 0x5b, 1, 18, 0, 3, 1, 1, 0, 0, 0, 1, 0, 9, 0, 2, 0, 0, 0, 0, 0,
                 'u', 's'));
    assert_has(t, "\"command\":\"user_status_change\"");
    assert_has(t, "\"operation\":\"add\"");
    assert_has(t, "\"role\":\"operator\"");
    assert_has(t, "{\"violation\":{\"protocol\":\"dnp3\",\"name\":\"user_status_change\"");
    /* Aggressive mode: a write with its authentication around it. */
    t = feed(ASK(0xc0, 2, 120, 3, 7, 1, 1, 0, 0, 0, 1, 0, 50, 1, 7, 1, 0, 0, 0, 0, 0, 0, 120, 9,
                 0x5b, 1, 2, 0, 1, 2));
    assert_has(t, "\"command\":\"write_time\"");
    assert_has(t, "\"mac\":\"0102\"");
    assert_clean(t);
    assert_clean(feed(ASK(0xc0, 13, 120, 3, 7, 1, 1, 0, 0, 0, 1, 0)));
    assert_has(feed(ASK(0xc0, 13, 60, 1, 6)), "unexpected_objects");
}

/*
 * ---- the files behind dnp3.c, at what the tests above leave out --------------------------------
 *
 * dnp3_auth.c (group 120), dnp3_objects.c (points and attributes), dnp3_files.c (group 70).
 */

/* One object of a group whose size stands before it, in a response. */
static const char *say_object(uint8_t group, uint8_t variation, const void *data, uint32_t n)
{
    uint8_t user[300] = {0xc0, 0xc0, 129, 0, 0, group, variation, 0x5b, 1, (uint8_t)n, 0};
    struct bytes b;
    memcpy(user + 11, data, n);
    b = frame_of(RESPONSE, MASTER, OUTSTATION, user, 11 + n);
    return feed(b);
}

#define OBJECT(group, variation, ...)                                                              \
    say_object(group, variation, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

/* dnp3_auth.c: every variation, with what it holds; secrets are not told. */
static void test_every_authentication_object(void **state)
{
    (void)state;
    const char *t = OBJECT(120, 2, 7, 0, 0, 0, 1, 0, 0xaa, 0xbb);
    assert_has(t, "\"sequence\":7,\"user\":1,\"mac\":\"aabb\"");
    assert_clean(t);
    for (uint8_t variation = 6; variation <= 13; variation += variation == 6 ? 6 : 1) {
        t = OBJECT(120, variation, 8, 0, 0, 0, 2, 0, 0xde, 0xad);
        assert_has(t, "\"auth\":{\"sequence\":8,\"user\":2}");
        assert_lacks(t, "dead");
        assert_clean(t);
    }
    t = feed(ASK(0xc0, 32, 120, 4, 7, 1, 3, 0));
    assert_has(t, "\"auth\":{\"user\":3}");
    assert_clean(t);
    t = OBJECT(120, 4, 9, 0);
    assert_has(t, "\"auth\":{\"user\":9}");
    t = OBJECT(120, 11, 3, 2, 0, 4, 0, 'm', 'e', 1, 2, 3, 4);
    assert_has(t, "\"auth\":{\"method\":3,\"name\":\"me\",\"challenge\":\"01020304\"}");
    assert_clean(t);
    t = OBJECT(120, 15, 1, 2, 3);
    assert_has(t, "\"mac\":\"010203\"");
    t = OBJECT(120, 8, 1, 2, 3);
    assert_has(t, "\"auth\":{}");
    assert_clean(t);
    assert_has(OBJECT(120, 14, 1, 2, 3), "\"auth\":{}");
    /* the error object has a text behind its time */
    t = OBJECT(120, 7, 7, 0, 0, 0, 1, 0, 2, 0, 7, 0xe8, 3, 0, 0, 0, 0, 'n', 'o');
    assert_has(t, "\"association\":2,\"error\":\"authorization_failed\"");
    assert_has(t, "1970-01-01T00:00:01");
    assert_has(t, "\"text\":\"no\"");
}

/* dnp3_auth.c: unknown variations, and each one cut off after every byte. */
static void test_broken_authentication_objects(void **state)
{
    static const uint8_t user_change[] = {3, 1, 1, 0, 0, 0, 1, 0, 9, 0, 2, 0, 0, 0, 0, 0, 'u', 's'};
    static const uint8_t shortest[16] = {
        [1] = 8,  [2] = 6,   [3] = 6,   [4] = 2,  [5] = 11, [6] = 6,
        [7] = 15, [10] = 18, [11] = 11, [12] = 6, [13] = 6};
    static const uint8_t update[] = {3, 2, 0, 4, 0, 'm', 'e', 1, 2, 3, 4};
    (void)state;
    for (uint8_t variation = 0; variation < 32; variation++) {
        for (uint32_t n = 0; n < 20; n++) {
            uint8_t data[20] = {0};
            memcpy(data, variation == 11 ? update : user_change,
                   variation == 11 ? sizeof(update) : sizeof(user_change));
            if (variation == 5)
                data[9] = data[10] = 0; /* the length of the challenge */
            const char *t = say_object(120, variation, data, n);
            bool is_known = variation >= 1 && variation <= 15;
            if (!is_known)
                assert_has(t, "\"name\":\"unknown_object\"");
            else if (n < shortest[variation])
                assert_has(t, "\"name\":\"object_data\"");
            else
                assert_lacks(t, "\"name\":\"object_data\"");
        }
    }
    /* nobody was added by half an object */
    assert_lacks(say_object(120, 10, user_change, 17), "user_status_change\"");
    assert_has(say_object(120, 10, user_change, 18), "user_status_change\"");
}

/* dnp3_objects.c: each attribute that is a fact; none of a master's, none that is no text. */
static void test_every_attribute_that_is_a_fact(void **state)
{
    static const struct {
        uint8_t variation;
        const char *fact;
    } facts[] = {{242, "firmware"}, {243, "hardware"}, {245, "location"}, {196, "project"},
                 {247, "name"},     {248, "serial"},   {250, "model"},    {252, "vendor"},
                 {246, NULL},       {1, NULL}};
    char want[64];
    (void)state;
    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        uint8_t variation = facts[i].variation;
        const char *t = feed(SAY(0xc0, 129, 0, 0, 0, variation, 0, 0, 0, 1, 2, 'a', 'b'));
        snprintf(want, sizeof(want), "\"fact\":\"%s\",\"value\":\"ab\"",
                 facts[i].fact ? facts[i].fact : "");
        assert_has(t, "\"text\":\"ab\"");
        if (facts[i].fact)
            assert_has(t, want);
        else
            assert_lacks(t, "\"value\":\"ab\"");
        assert_lacks(feed(SAY(0xc0, 129, 0, 0, 0, variation, 0, 0, 0, 5, 2, 'a', 'b')),
                     "\"fact\":\"vendor\"");
        t = feed(ASK(0xc0, 2, 0, variation, 0, 0, 0, 1, 2, 'a', 'b'));
        assert_has(t, "\"text\":\"ab\"");
        assert_lacks(t, "\"value\":\"ab\"");
        /* with its size before it, it is the same */
        assert_has(OBJECT(0, variation, 1, 2, 'a', 'b'), "\"text\":\"ab\"");
    }
}

/* dnp3_objects.c: values of every type, in the sizes that there are and others. */
static void test_every_attribute_type(void **state)
{
    (void)state;
    assert_has(OBJECT(0, 216, 2, 1, 200), "\"value\":200");
    assert_has(OBJECT(0, 216, 2, 0), "\"value\":0");
    assert_has(OBJECT(0, 216, 3, 1, 200), "\"value\":-56");
    assert_has(OBJECT(0, 216, 3, 2, 0, 0x80), "\"value\":-32768");
    assert_has(OBJECT(0, 216, 3, 4, 0xff, 0xff, 0xff, 0xff), "\"value\":-1");
    assert_has(OBJECT(0, 216, 4, 4, 0, 0, 0xc0, 0x3f), "\"value\":1.5");
    assert_has(OBJECT(0, 216, 4, 8, 0, 0, 0, 0, 0, 0, 0xf8, 0xbf), "\"value\":-1.5");
    assert_has(OBJECT(0, 216, 5, 2, 0xab, 0xcd), "\"octets\":\"abcd\"");
    assert_has(OBJECT(0, 216, 6, 1, 0x81), "\"octets\":\"81\"");
    assert_has(OBJECT(0, 216, 7, 6, 0xe8, 3, 0, 0, 0, 0), "1970-01-01T00:00:01");
    assert_has(OBJECT(0, 255, 254, 2, 240, 1), "\"octets\":\"f001\"");
    for (uint8_t type = 0; type < 16; type++) {
        for (uint8_t size = 0; size < 24; size++) {
            uint8_t data[26] = {type, size};
            assert_clean(say_object(0, 216, data, 2u + size));
            if (size)
                say_object(0, 216, data, 1u + size);
        }
    }
    /* an extended list is longer by 256 than its length says */
    uint8_t list[240] = {255, 2};
    assert_lacks(say_object(0, 216, list, 200), "\"octets\"");
}

/* dnp3_objects.c: floats, names of points with a prefix, strings, all of a group in a response. */
static void test_points_of_rare_kinds(void **state)
{
    (void)state;
    const char *t = feed(SAY(0xc0, 129, 0, 0, 30, 5, 7, 1, 1, 0, 0, 0xc0, 0x3f));
    assert_has(t, "\"value\":1.5");
    assert_clean(t);
    t = feed(SAY(0xc0, 129, 0, 0, 60, 2, 0x17, 2, 3, 4));
    assert_has(t, "\"index\":3");
    assert_has(t, "\"index\":4");
    assert_clean(t);
    t = feed(SAY(0xc0, 129, 0, 0, 30, 1, 6));
    assert_has(t, "\"name\":\"qualifier\"");
    t = feed(SAY(0xc0, 129, 0, 0, 110, 2, 0x17, 2, 1, 'a', 'b', 7, 'c', 'd'));
    assert_has(t, "\"index\":1,\"text\":\"ab\"");
    assert_has(t, "\"index\":7,\"text\":\"cd\"");
    assert_clean(t);
    assert_has(feed(SAY(0xc0, 129, 0, 0, 110, 2, 0x17, 2, 1, 'a', 'b', 7, 'c')), "object_data");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 110, 2, 0x17, 255, 1, 'a', 'b')), "object_data");
    /* an event with a relative time, but no common time before it: no time is made up */
    t = feed(SAY(0xc0, 129, 0, 0, 2, 3, 0x17, 1, 9, 0x01, 5, 0));
    assert_has(t, "\"relative_ms\":5");
    assert_lacks(t, "\"time\":");
    /* fewer points than the range says: those that are here are told */
    t = feed(SAY(0xc0, 129, 0, 0, 30, 4, 0, 0, 3, 1, 0, 2, 0, 3));
    assert_has(t, "\"index\":1,\"value\":2");
    assert_lacks(t, "\"index\":2,");
    assert_has(t, "object_data");
    t = feed(SAY(0xc0, 129, 0, 0, 30, 4, 0, 0, 3));
    assert_lacks(t, "\"index\":0,");
    assert_has(t, "object_data");
}

/* dnp3_files.c: texts behind a status; names that point past the end, by one and by far. */
static void test_file_objects_at_their_edges(void **state)
{
    (void)state;
    const char *t = OBJECT(70, 4, 1, 0, 0, 0, 5, 0, 0, 0, 0, 4, 9, 0, 3, 'g', 'o', 'n', 'e');
    assert_has(t, "\"status\":\"not_found\"");
    assert_has(t, "\"text\":\"gone\"");
    assert_clean(t);
    t = feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 14, 0, 12, 0, 2, 0, 14, 0, 0, 0, 0, 0, 0, 0, 'm', 'e'));
    assert_has(t, "\"user\":\"me\"");
    assert_clean(t);
    t = feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4));
    assert_lacks(t, "\"user\"");
    assert_clean(t);
    t = feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 14, 0, 12, 0, 3, 0, 14, 0, 0, 0, 0, 0, 0, 0, 'm', 'e'));
    assert_has(t, "object_data");
    t = feed(ASK(0xc0, 29, 70, 2, 0x5b, 1, 14, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
                 0, 0, 0, 'm', 'e'));
    assert_has(t, "object_data");
    assert_lacks(t, "cleartext_password");
    for (uint8_t variation = 0; variation < 12; variation++)
        for (uint32_t n = 0; n < 30; n++) {
            static const uint8_t zeros[30];
            t = say_object(70, variation, zeros, n);
            if (variation < 2 || variation > 8)
                assert_has(t, "\"name\":\"unknown_object\"");
        }
}

static void test_indications(void **state)
{
    (void)state;
    const char *t = feed(SAY(0xc0, 129, 0x90, 0x00));

    assert_has(t, "\"indicators\":[");
    assert_has(t, "\"device_restart\"");
    assert_has(t, "\"need_time\"");
    assert_has(t, "\"name\":\"device_restart\"");
    assert_has(t, "\"kind\":\"response\"");
    assert_clean(feed(SAY(0xc0, 129, 0x80, 0x00)));
    assert_clean(feed(SAY(0xc0, 129, 0x0e, 0x00)));
    assert_has(feed(SAY(0xc0, 129, 0x80, 0x00)), "device_restart");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x01)), "function_not_supported");
    t = feed(SAY(0xc0, 129, 0x00, 0x01));
    assert_has(t, "function_not_supported");
    assert_has(t, "\"kind\":\"exception\"");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x02)), "\"name\":\"object_unknown\"");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x04)), "\"name\":\"parameter_error\"");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x08)), "\"name\":\"event_buffer_overflow\"");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x20)), "\"name\":\"config_corrupt\"");
    assert_has(feed(SAY(0xc0, 129, 0x00, 0x40)), "\"name\":\"reserved_indication\"");
    assert_has(feed(SAY(0xc0, 129, 0x40, 0x00)), "\"name\":\"device_trouble\"");
}

/* A master that connects for each poll: a restart is told once, not for each connection. */
static void test_indications_outlive_connections(void **state)
{
    struct ft_harness_flow next = tcp;

    (void)state;
    next.id = 7;
    assert_has(feed(SAY(0xc0, 129, 0x80, 0x00)), "\"name\":\"device_restart\"");
    assert_clean(feed_to(&next, SAY(0xc0, 129, 0x80, 0x00)));
    assert_clean(feed_to(&next, SAY(0xc0, 129, 0x00, 0x00)));
    next.id = 8;
    assert_has(feed_to(&next, SAY(0xc0, 129, 0x80, 0x00)), "\"name\":\"device_restart\"");
}

static void test_functions_of_the_wrong_side(void **state)
{
    (void)state;
    assert_has(feed(ASK(0xc0, 129, 0, 0)), "illegal_operation");
    assert_has(feed(SAY(0xc0, 1, 60, 1, 6)), "illegal_operation");
    assert_clean(feed(SAY(0xc0, 0)));
    assert_has(feed(ASK(0xc0, 40)), "reserved_function");
    assert_has(feed(ASK(0xc0, 40)), "\"command\":\"code_40\"");
    assert_has(feed(SAY(0xc0, 140)), "reserved_function");
    assert_has(feed(ASK(0xe0, 1, 60, 1, 6)), "master_confirm");
    assert_clean(feed(SAY(0xe0, 129, 0, 0)));
    assert_has(feed(ASK(0xc0, 15)), "\"name\":\"initialize_data\"");
    assert_has(feed(ASK(0xc0, 19)), "\"name\":\"save_configuration\"");
    assert_has(feed(ASK(0xd0, 1, 60, 1, 6)), "unsolicited_bit");
    assert_has(feed(SAY(0xc0, 130, 0, 0)), "unsolicited_bit");
    assert_clean(feed(SAY(0xf0, 130, 0, 0)));
    assert_clean(feed(ASK(0xd0, 0)));
    assert_has(feed(ASK(0xce, 31)), "activate_configuration");
    assert_has(feed(SAY(0xce, 129, 0, 0)), "config_changed");
}

static void test_broadcast(void **state)
{
    (void)state;
    const char *t = feed(FRAME(REQUEST, 0xffff, MASTER, 0xc0, 0xc0, 13));

    assert_has(t, "broadcast_command");
    assert_has(t, "\"broadcast\":true");
    assert_lacks(t, "server_sub");
    assert_clean(feed(FRAME(REQUEST, 0xfffd, MASTER, 0xc0, 0xc0, 8, 20, 0, 6)));
    assert_has(feed(FRAME(REQUEST, 0xfff5, MASTER, 0xc0, 0xc0, 1)), "reserved_address");
    assert_has(feed(FRAME(REQUEST, 1, 0xffff, 0xc0, 0xc0, 1)), "reserved_address");
    assert_clean(feed(FRAME(REQUEST, 0xfffc, MASTER, 0xc0, 0xc0, 1, 60, 1, 6)));
}

static void test_bad_objects(void **state)
{
    (void)state;
    const char *t = feed(SAY(0xc0, 129, 0, 0, 30, 1, 0, 9, 3));

    assert_has(t, "\"name\":\"range\"");
    assert_has(t, "outstation_format");
    assert_has(t, "\"complete\":false");
    t = feed(ASK(0xc0, 1, 30, 1, 0, 9, 3));
    assert_has(t, "\"name\":\"range\"");
    assert_lacks(t, "outstation_format");
    assert_clean(feed(ASK(0xc0, 1, 30, 1, 0, 3, 3)));

    assert_has(feed(ASK(0xc0, 1, 30, 1, 0x0a)), "\"name\":\"qualifier\"");
    assert_has(feed(ASK(0xc0, 1, 30, 1, 0x86)), "\"name\":\"qualifier\"");
    assert_has(feed(ASK(0xc0, 1, 30, 1, 0x70, 1, 1)), "\"name\":\"qualifier\"");
    assert_has(feed(ASK(0xc0, 1, 30, 1, 0x0b, 1)), "\"name\":\"qualifier\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 30, 1, 6)), "\"name\":\"qualifier\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 1, 1, 0x17, 1, 1, 1)), "\"name\":\"qualifier\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 99, 1, 7, 1, 1, 1)), "\"name\":\"unknown_object\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 70, 9, 0x5b, 1, 1, 0, 1)), "\"name\":\"unknown_object\"");
    assert_has(feed(SAY(0xc0, 129, 0, 0, 30, 1, 0, 0)), "\"name\":\"object_data\"");
    /* One point is there, ten were promised. */
    t = feed(SAY(0xc0, 129, 0, 0, 30, 1, 7, 10, 1, 5, 0, 0, 0));
    assert_has(t, "\"name\":\"object_data\"");
    assert_int_equal(times(t, "\"index\""), 1);
    /* Counts of four thousand million cost nothing. */
    t = feed(SAY(0xc0, 129, 0, 0, 30, 1, 9, 0xff, 0xff, 0xff, 0xff, 1));
    assert_has(t, "\"name\":\"object_data\"");
    t = feed(SAY(0xc0, 129, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1));
    assert_has(t, "\"name\":\"object_data\"");
    t = feed(SAY(0xc0, 129, 0, 0, 110, 200, 9, 0xff, 0xff, 0xff, 0xff, 1));
    assert_has(t, "\"name\":\"object_data\"");
    t = feed(ASK(0xc0, 1, 30, 1, 0x39, 0xff, 0xff, 0xff, 0xff, 1));
    assert_has(t, "\"name\":\"object_data\"");
    assert_clean(feed(ASK(0xc0, 1, 1, 1, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)));
}

static void test_link_messages(void **state)
{
    (void)state;
    const char *t = feed(LINK(0xc9, OUTSTATION, MASTER));

    assert_has(t, "\"command\":\"request_link_status\",\"code\":265,\"qualifier\":1,"
                  "\"class\":\"diagnostic\",\"kind\":\"request\"");
    assert_has(t, "\"type\":\"link\"");
    assert_has(t, "\"function_name\":\"request_link_status\"");
    assert_clean(t);
    t = feed(LINK(0x0b, MASTER, OUTSTATION));
    assert_has(t, "\"command\":\"link_status\",\"code\":267,\"qualifier\":0");
    assert_has(t, "\"paired\":true");
    assert_clean(t);
    assert_clean(feed(LINK(0xc0, OUTSTATION, MASTER)));
    assert_clean(feed(LINK(0xf2, OUTSTATION, MASTER)));
    assert_has(feed(LINK(0x0f, MASTER, OUTSTATION)), "\"kind\":\"exception\"");

    assert_has(feed(LINK(0xc7, OUTSTATION, MASTER)), "link_function");
    assert_has(feed(LINK(0x02, MASTER, OUTSTATION)), "link_function");
    assert_has(feed(LINK(0xd9, OUTSTATION, MASTER)), "link_fcv");
    assert_has(feed(LINK(0xc2, OUTSTATION, MASTER)), "link_fcv");
    assert_has(feed(LINK(0xc4, OUTSTATION, MASTER)), "link_user_data");
    assert_has(feed(FRAME(0xc9, OUTSTATION, MASTER, 1)), "link_user_data");
    assert_has(feed(FRAME(0xc3, OUTSTATION, MASTER, 0xc0, 0xc0, 23)), "link_fcv");
    assert_clean(feed(FRAME(0xd3, OUTSTATION, MASTER, 0xc0, 0xc0, 23)));
    assert_has(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0xc0, 0xc0)), "application_short");
    assert_has(feed(FRAME(RESPONSE, MASTER, OUTSTATION, 0xc0, 0xc0, 129, 0)), "application_short");
}

static void test_checksums(void **state)
{
    (void)state;
    struct bytes b = ASK(0xc0, 13);

    assert_clean(feed(b));
    b.data[b.length - 1] ^= 1;

    const char *t = feed(b);

    assert_has(t, "block_crc");
    assert_has(t, "\"crc_ok\":false");
    assert_lacks(t, "cold_restart");

    b = ASK(0xc0, 13);
    b.data[8] ^= 1;
    t = feed(b);
    assert_has(t, "header_crc");
    assert_lacks(t, "\"src\"");
    /* The stream goes on behind it. */
    t = feed(ASK(0xc0, 13));
    assert_has(t, "\"command\":\"cold_restart\"");
    assert_clean(t);

    struct bytes c = LINK(0xc9, OUTSTATION, MASTER);

    c.data[2] = 4;
    put_crc(c.data, 8, 0);
    assert_has(feed(c), "link_length");
    assert_clean(feed(ASK(0xc0, 13)));
}

/* A broken header must not hide the frame behind it, however long it says it is. */
static void test_broken_header_hides_nothing(void **state)
{
    (void)state;
    struct bytes b = LINK(REQUEST, OUTSTATION, MASTER), good = ASK(0xc0, 13);

    b.data[2] = 255;
    memcpy(b.data + b.length, good.data, good.length);
    b.length += good.length;

    for (int is_udp = 0; is_udp < 2; is_udp++) {
        const char *t = feed_to(is_udp ? &udp : &tcp, b);

        assert_has(t, "header_crc");
        assert_has(t, "cold_restart");
    }
}

static void test_noise_between_frames(void **state)
{
    (void)state;
    struct bytes b = ASK(0xc0, 13), n = {.length = 5, .data = {1, 2, 3, 0x80, 5}};

    memcpy(n.data + n.length, b.data + 0, b.length);
    n.length += b.length;
    assert_clean(feed(b));

    const char *t = feed(n);

    assert_int_equal(times(t, "unexpected_content"), 1);
    assert_has(t, "cold_restart");
    t = feed_to(&udp, n);
    assert_int_equal(times(t, "unexpected_content"), 1);
    assert_has(t, "cold_restart");
}

static void test_segments(void **state)
{
    (void)state;
    uint8_t app[600] = {0xc0, 129, 0, 0, 30, 2, 1, 0, 0, 195, 0}; /* 196 points of 3 octets */
    uint32_t length = 11 + 196 * 3, at = 0;
    unsigned sequence = 62;

    for (unsigned part = 0; at < length; part++) {
        uint8_t user[250];
        uint32_t n = length - at < 249 ? length - at : 249;

        user[0] = (uint8_t)(sequence++ % 64 | (at == 0 ? 0x40 : 0) | (at + n == length ? 0x80 : 0));
        memcpy(user + 1, app + at, n);
        at += n;

        const char *t = feed(frame_of(RESPONSE, MASTER, OUTSTATION, user, n + 1));

        assert_clean(t);
        assert_has(t, at == length ? "\"code\":129" : "\"code\":260");
        if (at == length) {
            assert_has(t, "\"index\":195");
            assert_has(t, "\"complete\":true");
        } else {
            assert_has(t, "\"type\":\"segment\"");
        }
    }
}

static void test_segment_order(void **state)
{
    (void)state;
    /* The middle without its beginning: seen from there on, nobody's fault. */
    const char *t = feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x85, 1, 2, 3));

    assert_has(t, "\"code\":260");
    assert_clean(t);
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x41, 0xc0, 1)));
    assert_has(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x83, 60, 1, 6)), "transport_sequence");
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x41, 0xc0, 1)));
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x02, 60, 2, 6)));
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x02, 60, 2, 6))); /* repeated */
    t = feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x83, 60, 1, 6));
    assert_int_equal(times(t, "\"group\":60"), 2);
    assert_clean(t);
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x41, 0xc0, 1)));
    t = feed(ASK(0xc0, 23));
    assert_has(t, "transport_restart");
    assert_has(t, "delay_measurement");
    /* Both directions at once. */
    assert_clean(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x41, 0xc0, 1)));
    assert_clean(feed(FRAME(RESPONSE, MASTER, OUTSTATION, 0x47, 0xc0, 129)));
    assert_has(feed(FRAME(REQUEST, OUTSTATION, MASTER, 0x82, 60, 2, 6)), "\"code\":1,");
    assert_has(feed(FRAME(RESPONSE, MASTER, OUTSTATION, 0x88, 0, 0)), "\"code\":129");
}

/* A concentrator speaks to many outstations over one connection: each has its own order. */
static void test_stations_share_a_flow(void **state)
{
    (void)state;
    for (uint16_t station = 0; station < 3; station++)
        assert_clean(feed(
            FRAME(REQUEST, (uint16_t)(OUTSTATION + station), MASTER, 0x41 + station, 0xc0, 1)));
    for (uint16_t station = 0; station < 3; station++) {
        const char *t = feed(
            FRAME(REQUEST, (uint16_t)(OUTSTATION + station), MASTER, 0x82 + station, 60, 2, 6));
        assert_clean(t);
        assert_has(t, "\"code\":1,");
    }
}

static void test_one_byte_segments(void **state)
{
    (void)state;
    struct bytes b = ASK(0xc0, 13),
                 r = SAY(0xc0, 129, 0, 0, 30, 1, 0, 7, 8, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0);
    char all[16384] = "";

    memcpy(b.data + b.length, r.data, r.length);
    b.length += r.length;
    for (uint32_t i = 0; i < b.length; i++)
        strcat(all, ft_harness_feed(h, &tcp, FT_TO_SERVER, now, b.data + i, 1));
    assert_has(all, "\"code\":13");
    assert_has(all, "\"code\":129");
    assert_has(all, "\"value\":2");
    assert_clean(all);
}

static void test_datagram_of_several_frames(void **state)
{
    (void)state;
    struct bytes b = ASK(0xc0, 13), c = LINK(0xc9, OUTSTATION, MASTER);

    memcpy(b.data + b.length, c.data, c.length);
    b.length += c.length;

    const char *t = feed_to(&udp, b);

    assert_int_equal(times(t, "\"message\""), 2);
    assert_has(t, "\"code\":13");
    assert_has(t, "\"code\":265");
    assert_clean(t);
}

/* An outstation that calls its master: the bit DIR tells the server, not who connected. */
static void test_direction_by_content(void **state)
{
    (void)state;
    struct bytes b = SAY(0xf0, 130, 0, 0);
    const char *t = ft_harness_feed(h, &tcp, FT_TO_SERVER, now, b.data, b.length);

    assert_has(t, "\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    assert_has(t, "\"class\":\"event\"");
}

static void test_truncation(void **state)
{
    (void)state;
    struct bytes b =
        SAY(0xc0, 129, 0, 0, 30, 1, 0, 7, 8, 1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 2, 0, 9, 9, 0x81);

    for (uint32_t n = 0; n < b.length; n++) {
        assert_clean(ft_harness_feed_cut(h, &udp, FT_TO_CLIENT, now, b.data, n));
        if (n)
            assert_has(ft_harness_feed(h, &udp, FT_TO_CLIENT, now, b.data, n), "\"violation\"");
    }
    /* With the first block there is enough to name the message. */
    assert_has(ft_harness_feed_cut(h, &udp, FT_TO_CLIENT, now, b.data, 28), "\"code\":129");
}

static void test_probe(void **state)
{
    (void)state;
    struct ft_harness_flow other = tcp;
    struct bytes b = ASK(0xc0, 13);

    other.server_port = 2001;
    assert_int_equal(ft_harness_probe(h, &other, FT_TO_SERVER, b.data, b.length), FT_YES);
    assert_int_equal(ft_harness_probe(h, &other, FT_TO_SERVER, b.data, 5), FT_MAYBE);
    b.data[9] ^= 1;
    assert_int_equal(ft_harness_probe(h, &other, FT_TO_SERVER, b.data, b.length), FT_NO);
    assert_int_equal(ft_harness_probe(h, &other, FT_TO_SERVER, "GET / HTTP/1.1", 14), FT_NO);
}

/* Random changes, with right checksums half of the time so that they get to the objects. */
static void test_garbage(void **state)
{
    (void)state;
    uint32_t x = 7;

    for (unsigned round = 0; round < 3000; round++) {
        uint8_t user[250] = {0xc0, 0xc0, 129, 0, 0, 70, 3,   0x5b, 1, 26, 0, 120,
                             7,    0x5b, 1,   9, 0, 0,  252, 0,    0, 0,  1, 5,
                             'a',  30,   1,   7, 3, 12, 1,   0x28, 1, 0};
        uint32_t length = 8 + round % 60;

        for (unsigned i = 0; i < 6; i++) {
            x = x * 1664525u + 1013904223u;
            user[1 + (x >> 8) % length] = (uint8_t)(x >> 24);
        }

        struct bytes b = frame_of(x & 0x100 ? REQUEST : RESPONSE, MASTER, OUTSTATION, user, length);

        if (round & 1)
            b.data[(x >> 12) % b.length] ^= (uint8_t)(x >> 20);
        assert_non_null(feed_to(round & 2 ? &udp : &tcp, b));
    }
    assert_has(feed_to(&udp, ASK(0xc0, 13)), "cold_restart");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read_and_response),
        TEST(test_all_point_formats),
        TEST(test_select_and_operate),
        TEST(test_operate_first_is_not_judged),
        TEST(test_writes_have_their_class),
        TEST(test_files),
        TEST(test_attributes_name_the_device),
        TEST(test_authentication),
        TEST(test_every_authentication_object),
        TEST(test_broken_authentication_objects),
        TEST(test_every_attribute_that_is_a_fact),
        TEST(test_every_attribute_type),
        TEST(test_points_of_rare_kinds),
        TEST(test_file_objects_at_their_edges),
        TEST(test_indications),
        TEST(test_indications_outlive_connections),
        TEST(test_functions_of_the_wrong_side),
        TEST(test_broadcast),
        TEST(test_bad_objects),
        TEST(test_link_messages),
        TEST(test_checksums),
        TEST(test_broken_header_hides_nothing),
        TEST(test_noise_between_frames),
        TEST(test_segments),
        TEST(test_segment_order),
        TEST(test_stations_share_a_flow),
        TEST(test_one_byte_segments),
        TEST(test_datagram_of_several_frames),
        TEST(test_direction_by_content),
        TEST(test_truncation),
        TEST(test_probe),
        TEST(test_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
