/* SPDX-License-Identifier: BSD-3-Clause */
/* Unit test of the kilnlink dissector: frames made by hand, through the SDK's harness. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fieldtap/harness.h>
#include <fieldtap/wire.h>

#define SECOND 1000000000ull

extern const struct ft_plugin ft_plugin;

static const struct ft_harness_flow tcp = {
    .id = 1, .transport = FT_TRANSPORT_TCP, .protocol = "kilnlink", .server_port = 7741};
static const struct ft_harness_flow udp = {
    .id = 2, .transport = FT_TRANSPORT_UDP, .protocol = "kilnlink", .server_port = 7741};

static struct ft_harness *h;
static struct ft_harness_flow flow;
static uint64_t now;
static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* `text` must hold `part`; with a `!` before it, it must not. */
static void expect(int line, const char *text, const char *part)
{
    bool is_there = strstr(text, part + (part[0] == '!')) != NULL;
    if (is_there == (part[0] == '!')) {
        fprintf(stderr, "%s:%d: expected %s in\n%s\n", __FILE__, line, part, text);
        failures++;
    }
}

#define EXPECT(text, part) expect(__LINE__, text, part)

/* A frame with its checksum; returns its length. */
static uint32_t frame(uint8_t *to, uint8_t flags, uint8_t zone, uint16_t sequence, uint16_t command,
                      const void *body, uint32_t length)
{
    const uint8_t header[12] = {'K',
                                'L',
                                'N',
                                '2',
                                (uint8_t)(length >> 8),
                                (uint8_t)length,
                                flags,
                                zone,
                                (uint8_t)(sequence >> 8),
                                (uint8_t)sequence,
                                (uint8_t)(command >> 8),
                                (uint8_t)command};
    memcpy(to, header, 12);
    if (length)
        memcpy(to + 12, body, length);
    uint16_t crc = ft_crc16_modbus(to, 12 + length);
    to[12 + length] = (uint8_t)(crc >> 8);
    to[13 + length] = (uint8_t)crc;
    return 14 + length;
}

static const char *give(const uint8_t *bytes, uint32_t n, bool from_controller)
{
    return ft_harness_feed(h, &flow, from_controller ? FT_TO_CLIENT : FT_TO_SERVER, now, bytes, n);
}

/* Make a frame and give it, to the side that its flags say. */
static const char *say(uint8_t flags, uint8_t zone, uint16_t sequence, uint16_t command,
                       const void *body, uint32_t length)
{
    uint8_t bytes[1100];
    now += SECOND / 100;
    return give(bytes, frame(bytes, flags, zone, sequence, command, body, length), flags & 1);
}

#define SAY(flags, zone, sequence, command, text)                                                  \
    say(flags, zone, sequence, command, text, sizeof(text) - 1)

static void restart(const struct ft_harness_flow *with)
{
    char error[256];
    ft_harness_free(h);
    h = ft_harness_new(ft_plugin.dissectors, error, sizeof(error));
    if (!h) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    flow = *with;
    now = 1700000000 * SECOND;
}

#define IDENTITY "\4Acme\5KC-32\0013\7A-00017\10"

static void test_identify(void)
{
    restart(&udp);
    const char *text = SAY(0, 0, 7, 0x0001, "");
    EXPECT(text,
           "\"command\":\"identify\",\"code\":1,\"class\":\"diagnostic\",\"kind\":\"request\"");
    text = SAY(1, 0, 7, 0x0001, IDENTITY);
    EXPECT(text, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    EXPECT(text,
           "\"vendor\":\"Acme\",\"model\":\"KC-32\",\"firmware\":\"3\",\"serial\":\"A-00017\","
           "\"zones\":8");
    EXPECT(text, "{\"fact\":{\"party\":\"sender\",\"fact\":\"vendor\",\"value\":\"Acme\"}}");
    EXPECT(text, "\"fact\":\"role\",\"value\":\"plc\"");
    EXPECT(text, "!violation");
}

static void test_temperatures(void)
{
    restart(&tcp);
    const char *text = SAY(0, 0, 1, 0x0010, "\2\1\4");
    EXPECT(text, "\"command\":\"read_temperature\"");
    EXPECT(text, "\"asked\":[1,4]");
    text = SAY(1, 0, 1, 0x0010, "\2\1\x2e\xe0\x30\xd4\1\4\xff\x9c\0\0\0");
    EXPECT(text, "\"reading\":[{\"zone\":1,\"temperature\":1200,\"set_point\":1250,"
                 "\"state\":\"heating\",\"state_code\":1},{\"zone\":4,\"temperature\":-10,"
                 "\"set_point\":0,\"state\":\"idle\",\"state_code\":0}]");
    EXPECT(text, "!violation");
}

static void test_set_point_of_a_zone(void)
{
    restart(&tcp);
    const char *text = SAY(0, 0, 1, 0x0050, "\3bob\6secret");
    EXPECT(text, "\"user\":\"bob\",\"password\":{\"length\":6,\"hash\":\"");
    EXPECT(text, "!secret\"");
    SAY(1, 0, 1, 0x0050, "");
    text = SAY(0, 4, 2, 0x0020, "\x30\xd4\0\x32");
    EXPECT(text, "\"command\":\"write_set_point\",\"code\":32,\"class\":\"operate\"");
    EXPECT(text, "\"server_sub\":\"unit 4\"");
    EXPECT(text, "\"set_point\":1250,\"ramp\":5");
    EXPECT(text, "!violation");
    /* the answer has no body: what was set comes from the request */
    text = SAY(1, 4, 2, 0x0020, "");
    EXPECT(text, "\"paired\":true");
    EXPECT(text, "\"set_point\":1250");
    text = SAY(1, 4, 2, 0x0020, "");
    EXPECT(text, "\"paired\":false");
    EXPECT(text, "!set_point\":");
    /* 1,400.0 degrees are fine, a tenth more is not */
    EXPECT(SAY(0, 4, 3, 0x0020, "\x36\xb0\0\1"), "!violation");
    EXPECT(SAY(0, 4, 4, 0x0020, "\x36\xb1\0\1"),
           "{\"violation\":{\"protocol\":\"kilnlink\",\"name\":\"set_point\",\"offset\":12,"
           "\"length\":2}}");
}

#define RECIPE "\0\7\5glaze\2\0\x3c\x27\x10\1\0\x1e\x30\xd4\6"

static void test_recipes(void)
{
    restart(&tcp);
    const char *text = SAY(0, 0, 1, 0x0030, RECIPE);
    EXPECT(text, "\"class\":\"program\"");
    EXPECT(text, "\"recipe\":{\"number\":7,\"name\":\"glaze\",\"step\":[{\"minutes\":60,"
                 "\"target\":1000,\"flags\":[\"fan\"],\"flags_code\":1},{\"minutes\":30,"
                 "\"target\":1250,\"flags\":[\"damper_open\",\"wait_for_operator\"],"
                 "\"flags_code\":6}]}");
    text = SAY(0, 0, 2, 0x0031, "\0\7");
    EXPECT(text, "\"class\":\"upload\"");
    EXPECT(text, "\"recipe\":{\"number\":7}");
    EXPECT(SAY(1, 0, 2, 0x0031, RECIPE), "\"name\":\"glaze\"");
}

static void test_halt_and_firmware(void)
{
    restart(&tcp);
    const char *text = SAY(0, 0, 1, 0x0040, "\2");
    EXPECT(text, "\"class\":\"mode\"");
    EXPECT(text, "\"how\":\"restart\",\"how_code\":2");
    text = SAY(0, 0, 2, 0x0070, "\0\0\1\0abc");
    EXPECT(text, "\"class\":\"firmware\"");
    EXPECT(text, "\"offset\":256,\"block\":\"616263\"");
    text = SAY(3, 0, 2, 0x0070, "\3");
    EXPECT(text, "\"kind\":\"exception\"");
    EXPECT(text, "\"reason\":\"not_logged_in\",\"reason_code\":3");
    EXPECT(SAY(0, 0, 9, 0x1234, "what"), "\"command\":\"code_4660\",\"code\":4660");
    EXPECT(SAY(0, 0, 9, 0x1234, "what"), "!violation");
    EXPECT(SAY(0, 0, 10, 0x0002, ""), "\"class\":\"session\"");
}

static void test_login_is_missed(void)
{
    restart(&tcp);
    EXPECT(SAY(0, 0, 1, 0x0040, "\0"), "\"name\":\"not_logged_in\"");
    EXPECT(SAY(0, 0, 2, 0x0010, "\1\1"), "!violation");
    SAY(0, 0, 3, 0x0050, "\3bob\0");
    EXPECT(SAY(0, 0, 4, 0x0040, "\0"), "\"name\":\"not_logged_in\"");
    SAY(3, 0, 3, 0x0050, "\3");
    EXPECT(SAY(0, 0, 5, 0x0040, "\0"), "\"name\":\"not_logged_in\"");
    SAY(0, 0, 6, 0x0050, "\3bob\3yes");
    SAY(1, 0, 6, 0x0050, "");
    EXPECT(SAY(0, 0, 7, 0x0040, "\0"), "!violation");
    /* a connection that was there before us may have been logged in */
    flow.id++;
    flow.is_midstream = true;
    EXPECT(SAY(0, 0, 1, 0x0040, "\0"), "!violation");
}

#define ONE_READING "\0\5\1\1\0\0\0\0\4"

static void test_reports_stop(void)
{
    restart(&tcp);
    const char *text = SAY(5, 0, 1, 0x0011, ONE_READING);
    EXPECT(text, "\"kind\":\"unsolicited\"");
    EXPECT(text, "\"interval\":5,\"reading\":[{\"zone\":1,");
    EXPECT(text, "\"state\":\"fault\"");
    now += 14 * SECOND;
    EXPECT(ft_harness_tick(h, now), "!violation");
    SAY(5, 0, 2, 0x0011, ONE_READING);
    now += 14 * SECOND;
    EXPECT(ft_harness_tick(h, now), "!violation");
    now += 2 * SECOND;
    EXPECT(ft_harness_tick(h, now), "\"name\":\"reports_stopped\"");
    now += 60 * SECOND;
    EXPECT(ft_harness_tick(h, now), "!reports_stopped");
}

static void test_violations_and_their_near_misses(void)
{
    uint8_t bytes[1100];
    restart(&tcp);
    EXPECT(SAY(0, 32, 1, 0x0002, ""), "!violation");
    EXPECT(SAY(0, 33, 1, 0x0002, ""), "\"name\":\"zone\"");
    EXPECT(SAY(8, 1, 1, 0x0002, ""), "\"name\":\"flags\"");
    EXPECT(SAY(2, 1, 1, 0x0002, ""), "\"name\":\"flags\"");
    EXPECT(SAY(0, 1, 1, 0x0002, "x"), "\"name\":\"trailing_bytes\"");
    EXPECT(SAY(0, 1, 1, 0x0010, "\3\1\2"), "\"name\":\"malformed\"");
    EXPECT(SAY(0, 1, 1, 0x0010, "\xff\1\2"), "\"name\":\"malformed\"");
    uint32_t n = frame(bytes, 0, 1, 1, 0x0002, "", 0);
    bytes[n - 1] ^= 1;
    EXPECT(give(bytes, n, false),
           "{\"violation\":{\"protocol\":\"kilnlink\",\"name\":\"checksum\",\"offset\":12,"
           "\"length\":2}}");
    flow = udp;
    EXPECT(give((const uint8_t *)"HELLO KILN", 10, false), "\"name\":\"unexpected_content\"");
    n = frame(bytes, 0, 0, 1, 0x0001, "", 0);
    EXPECT(give(bytes, n, false), "!violation");
    bytes[n] = 0;
    EXPECT(give(bytes, n + 1, false), "\"name\":\"trailing_bytes\"");
}

/* A datagram that ends anywhere: malformed when it was sent so, nothing when we cut it. */
static void test_every_truncation(void)
{
    uint8_t bytes[1100];
    uint32_t n = frame(bytes, 1, 0, 7, 0x0001, IDENTITY, sizeof(IDENTITY) - 1);
    restart(&udp);
    for (uint32_t cut = 0; cut < n; cut++) {
        EXPECT(give(bytes, cut, true), "\"name\":\"malformed\"");
        EXPECT(ft_harness_feed_cut(h, &flow, FT_TO_CLIENT, now, bytes, cut), "!violation");
    }
    EXPECT(give(bytes, n, true), "!violation");
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;
    while ((text = strstr(text, part))) {
        n++;
        text++;
    }
    return n;
}

/* Two frames in a stream, in every two segments, byte by byte, and found again after a gap. */
static void test_streams(void)
{
    uint8_t bytes[1100];
    uint32_t first = frame(bytes, 0, 0, 1, 0x0030, RECIPE, sizeof(RECIPE) - 1);
    uint32_t n = first + frame(bytes + first, 0, 0, 2, 0x0002, "", 0);
    for (uint32_t cut = 0; cut <= n; cut++) {
        restart(&tcp);
        unsigned seen = count(give(bytes, cut, false), "{\"message\"");
        seen += count(give(bytes + cut, n - cut, false), "{\"message\"");
        CHECK(seen == 2);
    }
    restart(&tcp);
    unsigned seen = 0;
    for (uint32_t i = 0; i < n; i++)
        seen += count(give(bytes + i, 1, false), "{\"message\"");
    CHECK(seen == 2);

    restart(&tcp);
    ft_harness_feed_cut(h, &flow, FT_TO_SERVER, now, bytes, 9);
    const char *text = give(bytes + 10, n - 10, false);
    EXPECT(text, "\"command\":\"keep_alive\"");
    EXPECT(text, "!violation");

    restart(&tcp);
    flow.is_midstream = true;
    text = give(bytes + first - 5, n - first + 5, false);
    EXPECT(text, "\"command\":\"keep_alive\"");
    EXPECT(text, "!violation");

    restart(&tcp);
    EXPECT(give((const uint8_t *)"GET / HTTP/1.1\r\n", 16, false), "unexpected_content");
}

static void test_probe(void)
{
    uint8_t bytes[1100];
    uint32_t n = frame(bytes, 0, 0, 1, 0x0001, "", 0);
    restart(&tcp);
    CHECK(ft_harness_probe(h, &tcp, FT_TO_SERVER, bytes, n) == FT_YES);
    CHECK(ft_harness_probe(h, &tcp, FT_TO_SERVER, bytes, 11) == FT_MAYBE);
    CHECK(ft_harness_probe(h, &tcp, FT_TO_SERVER, bytes, 2) == FT_MAYBE);
    CHECK(ft_harness_probe(h, &tcp, FT_TO_SERVER, "KLN1", 4) == FT_NO);
    bytes[4] = 4;
    CHECK(ft_harness_probe(h, &tcp, FT_TO_SERVER, bytes, n) == FT_NO);
}

/* Anything at all: it must come back. Run it under a sanitizer. */
static void test_garbage(void)
{
    static const uint16_t codes[] = {1, 2, 0x10, 0x11, 0x20, 0x30, 0x31, 0x40, 0x50, 0x70, 0x99};
    uint8_t body[64], bytes[128];
    uint32_t x = 1;
    restart(&udp);
    for (unsigned i = 0; i < 20000; i++) {
        for (unsigned k = 0; k < sizeof(body); k++) {
            x = x * 1664525u + 1013904223u;
            body[k] = (uint8_t)(x >> (x >> 30 ? 24 : 29));
        }
        flow = x & 1 ? tcp : udp;
        flow.is_midstream = true;
        uint32_t n = frame(bytes, (uint8_t)(body[0] & 7), body[1], 1,
                           codes[x % (sizeof(codes) / sizeof(codes[0]))], body, (x >> 8) % 64);
        if (x & 2)
            bytes[(x >> 16) % n] ^= (uint8_t)(x >> 24);
        give(bytes, n, x & 4);
    }
}

int main(void)
{
    test_identify();
    test_temperatures();
    test_set_point_of_a_zone();
    test_recipes();
    test_halt_and_firmware();
    test_login_is_missed();
    test_reports_stop();
    test_violations_and_their_near_misses();
    test_every_truncation();
    test_streams();
    test_probe();
    test_garbage();
    ft_harness_free(h);
    if (failures)
        fprintf(stderr, "%d checks failed\n", failures);
    return failures ? 1 : 0;
}
