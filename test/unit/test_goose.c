/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the GOOSE dissector with PDUs made by hand. */
#include <inttypes.h>
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

extern const struct ft_dissector ft_dissector_goose;

static const struct ft_harness_flow frames = {.id = 1,
                                              .transport = FT_TRANSPORT_L2,
                                              .protocol = "goose",
                                              .client_mac = {0, 0xa0, 0xf4, 1, 2, 3},
                                              .server_mac = {1, 0x0c, 0xcd, 1, 0, 1}};
static const struct ft_harness_flow routed = {.id = 2,
                                              .transport = FT_TRANSPORT_UDP,
                                              .protocol = "goose",
                                              .client_port = 40000,
                                              .server_port = 102};

static struct ft_harness *h;
static uint64_t now;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_goose, NULL};
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

/* ---- making PDUs --------------------------------------------------------------------------- */

struct bytes {
    uint8_t data[2048];
    uint32_t length;
};

static void put(struct bytes *b, const void *data, uint32_t length)
{
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

static void put_tlv(struct bytes *b, uint8_t tag, const void *data, uint32_t length)
{
    const uint8_t head[] = {tag, 0x82, (uint8_t)(length >> 8), (uint8_t)length};

    put(b, head, 4);
    put(b, data, length);
}

static void put_number(struct bytes *b, uint8_t tag, uint32_t value)
{
    const uint8_t octets[] = {0, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 8), (uint8_t)value};

    put_tlv(b, tag, octets, 5);
}

/* What a test changes of a message; zero means the usual. */
struct message {
    uint32_t st_num, sq_num, conf_rev, entries, time_to_live;
    uint32_t seconds; /* of t */
    uint8_t value;    /* of the boolean */
    bool simulation, nds_com;
    uint16_t appid, flags;
    uint32_t without; /* element not put, 1-based */
    uint8_t extra;    /* tag of an element put at the end */
    const char *go_id, *dat_set;
    const uint8_t *more_data;
    uint32_t more_length;
    int length_error;
    uint8_t outer;
};

static struct bytes apdu_of(const struct message *m)
{
    struct bytes in = {0}, out = {0}, data = {0};
    const uint8_t boolean[] = {0x83, 1, m->value}, bits[] = {0x84, 3, 3, 0, 0};
    uint32_t seconds = 1700000000 + m->seconds;
    const uint8_t t[] = {(uint8_t)(seconds >> 24),
                         (uint8_t)(seconds >> 16),
                         (uint8_t)(seconds >> 8),
                         (uint8_t)seconds,
                         0x80,
                         0,
                         0,
                         0x2a};
    const char *go_id = m->go_id ? m->go_id : "trip";
    const char *dat_set = m->dat_set ? m->dat_set : "IED1LD0/LLN0$ds1";
    const uint8_t yes = 1, no = 0;

    put(&data, boolean, 3);
    put(&data, bits, 5);
    if (m->more_length)
        put(&data, m->more_data, m->more_length);

    if (m->without != 1)
        put_tlv(&in, 0x80, "IED1LD0/LLN0$GO$gcb1", 20);
    put_number(&in, 0x81, m->time_to_live ? m->time_to_live : 2000);
    put_tlv(&in, 0x82, dat_set, (uint32_t)strlen(dat_set));
    if (m->without != 4)
        put_tlv(&in, 0x83, go_id, (uint32_t)strlen(go_id));
    put_tlv(&in, 0x84, t, 8);
    if (m->without != 6)
        put_number(&in, 0x85, m->st_num);
    put_number(&in, 0x86, m->sq_num);
    put_tlv(&in, 0x87, m->simulation ? &yes : &no, 1);
    put_number(&in, 0x88, m->conf_rev ? m->conf_rev : 1);
    put_tlv(&in, 0x89, m->nds_com ? &yes : &no, 1);
    put_number(&in, 0x8a, m->entries ? m->entries : 2);
    if (m->without != 12)
        put_tlv(&in, 0xab, data.data, data.length);
    if (m->extra)
        put_tlv(&in, m->extra, "x", 1);
    put_tlv(&out, m->outer ? m->outer : 0x61, in.data, in.length);
    return out;
}

static struct bytes frame_of(struct message m)
{
    struct bytes apdu = apdu_of(&m), out = {0};
    uint32_t length = 8 + apdu.length + (uint32_t)m.length_error;
    const uint8_t head[] = {(uint8_t)(m.appid >> 8),
                            (uint8_t)m.appid,
                            (uint8_t)(length >> 8),
                            (uint8_t)length,
                            (uint8_t)(m.flags >> 8),
                            (uint8_t)m.flags,
                            0,
                            0};

    put(&out, head, 8);
    put(&out, apdu.data, apdu.length);
    return out;
}

static const char *feed_bytes(const struct ft_harness_flow *flow, struct bytes b)
{
    now += SECOND / 100;
    return ft_harness_feed(h, flow, FT_TO_SERVER, now, b.data, b.length);
}

#define FEED(...) feed_bytes(&frames, frame_of((struct message){__VA_ARGS__}))

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

static void assert_clean(const char *text)
{
    assert_lacks(text, "\"violation\"");
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_fields(void **state)
{
    (void)state;
    const char *t = FEED(.st_num = 5, .sq_num = 0, .appid = 0x3001, .value = 1);

    assert_has(t, "\"command\":\"state_change\",\"code\":1,\"qualifier\":0,\"class\":\"event\","
                  "\"kind\":\"data\"");
    assert_has(t, "name IED1LD0/LLN0$GO$gcb1");
    assert_has(t, "\"appid\":12289");
    assert_has(t, "\"gocb_ref\":\"IED1LD0/LLN0$GO$gcb1\",\"time_allowed_to_live\":2000,"
                  "\"dat_set\":\"IED1LD0/LLN0$ds1\",\"go_id\":\"trip\"");
    assert_has(t, "2023-11-14T22:13:20.500000");
    assert_has(t, "\"t_quality\":[\"clock_not_synchronized\"]");
    assert_has(t, "\"t_accuracy_bits\":10");
    assert_has(t, "\"st_num\":5,\"sq_num\":0,\"simulation\":false,\"conf_rev\":1,\"nds_com\":false,"
                  "\"num_dat_set_entries\":2,\"state_change\":true");
    assert_has(t, "{\"type\":\"boolean\",\"type_code\":131,\"boolean\":true}");
    assert_has(t, "\"unused_bits\":3,\"bits\":\"0000\"");
    assert_has(t, "\"fact\":\"name\",\"value\":\"IED1LD0\"");
    assert_has(t, "\"fact\":\"role\",\"value\":\"ied\"");
    assert_clean(t);

    t = FEED(.st_num = 5, .sq_num = 1, .appid = 0x3001, .value = 1);
    assert_has(t, "\"command\":\"retransmission\",\"code\":2,\"qualifier\":0,\"class\":\"data\"");
    assert_lacks(t, "\"fact\"");
    assert_clean(t);
}

static void test_all_data_types(void **state)
{
    (void)state;
    const uint8_t more[] = {0xa2, 17,   0x85, 1,    0xfe, 0x86, 1, 7,    0xa2, 9, 0x87, 5,
                            8,    0x3f, 0xc0, 0,    0,    0x83, 0, 0x89, 1,    9, 0x8a, 2,
                            'o',  'k',  0x91, 8,    0,    0,    0, 1,    0,    0, 0,    0,
                            0x87, 9,    11,   0x3f, 0xf8, 0,    0, 0,    0,    0, 0};
    const char *t = FEED(.st_num = 1, .more_data = more, .more_length = sizeof(more), .entries = 7);

    assert_has(t, "{\"type\":\"structure\",\"type_code\":162,\"count\":3}");
    assert_has(t, "\"depth\":1,\"integer\":-2");
    assert_has(t, "\"depth\":1,\"unsigned\":7");
    assert_has(t, "\"depth\":2,\"float\":1.5");
    assert_has(t, "{\"type\":\"octet_string\",\"type_code\":137,\"octets\":\"09\"}");
    assert_has(t, "\"text\":\"ok\"");
    assert_has(t, "\"time\":\"1970-01-01T00:00:01");
    assert_has(t, "{\"type\":\"float\",\"type_code\":135,\"float\":1.5}");
    assert_lacks(t, "\"name\":\"entries\"");
    assert_lacks(t, "\"name\":\"data\"");
}

/* Structures without end: read as deep as the bound, not further. */
static void test_deep_structures(void **state)
{
    (void)state;
    uint8_t more[200];

    for (unsigned i = 0; i < 100; i++) {
        more[2 * i] = 0xa2;
        more[2 * i + 1] = (uint8_t)(0x7f - 0);
    }
    assert_has(FEED(.st_num = 1, .more_data = more, .more_length = sizeof(more), .entries = 3),
               "\"violation\"");
    for (unsigned i = 0; i < 60; i++) {
        more[2 * i] = 0xa2;
        more[2 * i + 1] = (uint8_t)(2 * (59 - i));
    }

    const char *t =
        FEED(.st_num = 1, .sq_num = 1, .more_data = more, .more_length = 120, .entries = 3);

    assert_has(t, "\"depth\":7");
    assert_lacks(t, "\"depth\":8");
}

static void test_numbers(void **state)
{
    (void)state;
    assert_clean(FEED(.st_num = 5, .sq_num = 7));
    assert_clean(FEED(.st_num = 5, .sq_num = 8));
    assert_clean(FEED(.st_num = 5, .sq_num = 8)); /* the same frame twice */
    assert_has(FEED(.st_num = 5, .sq_num = 10), "sq_num_jump");
    assert_has(FEED(.st_num = 5, .sq_num = 3), "sq_num_back");
    assert_clean(FEED(.st_num = 6, .sq_num = 0, .seconds = 1, .value = 1));
    assert_has(FEED(.st_num = 6, .sq_num = 1, .seconds = 1, .value = 0), "data_changed");
    assert_clean(FEED(.st_num = 6, .sq_num = 2, .seconds = 2, .value = 1));
    assert_has(FEED(.st_num = 8, .sq_num = 0, .seconds = 3), "st_num_jump");
    assert_has(FEED(.st_num = 7, .sq_num = 0, .seconds = 4), "st_num_back");
    assert_has(FEED(.st_num = 8, .sq_num = 0, .seconds = 1), "time_back");
    assert_has(FEED(.st_num = 0xfffffff0, .sq_num = 0, .seconds = 5), "st_num_high");
    assert_clean(FEED(.st_num = 0xfffffff1, .sq_num = 0, .seconds = 6));
    assert_has(FEED(.st_num = 1, .sq_num = 0, .seconds = 6), "publisher_restart");
}

/* A new state begins at 0, or at 1 when its first message was lost; never later. */
static void test_new_state_begins_at_its_begin(void **state)
{
    (void)state;
    assert_clean(FEED(.st_num = 5, .sq_num = 7));
    assert_clean(FEED(.st_num = 6, .sq_num = 1, .seconds = 1));
    assert_has(FEED(.st_num = 7, .sq_num = 2, .seconds = 2), "sq_num_jump");
    assert_clean(FEED(.st_num = 8, .sq_num = 0, .seconds = 3));
}

static void test_wraps_and_restart(void **state)
{
    (void)state;
    assert_clean(FEED(.st_num = 5, .sq_num = 0xffffffff));
    assert_clean(FEED(.st_num = 5, .sq_num = 1));
    assert_has(FEED(.st_num = 1, .sq_num = 1, .seconds = 9), "publisher_restart");
    assert_has(FEED(.st_num = 5, .sq_num = 0, .seconds = 9), "st_num_jump");
    assert_has(FEED(.st_num = 1, .sq_num = 0, .seconds = 3), "st_num_back");
}

static void test_settings(void **state)
{
    (void)state;
    assert_clean(FEED(.st_num = 1));
    assert_has(FEED(.st_num = 1, .sq_num = 1, .conf_rev = 2), "settings_changed");
    assert_clean(FEED(.st_num = 1, .sq_num = 2, .conf_rev = 2));
    assert_has(FEED(.st_num = 1, .sq_num = 3, .conf_rev = 2, .go_id = "other"), "settings_changed");
    assert_has(FEED(.st_num = 1, .sq_num = 4, .conf_rev = 2, .go_id = "other", .dat_set = "x"),
               "dat_set_changed");
    assert_has(
        FEED(.st_num = 1, .sq_num = 5, .conf_rev = 2, .go_id = "other", .dat_set = "x", .appid = 9),
        "settings_changed");
}

/* The number of entries of a data set changes with the data set, or somebody changed it. */
static void test_entries(void **state)
{
    const uint8_t more[] = {0x83, 1, 1};

    (void)state;
    assert_clean(FEED(.st_num = 1));
    const char *t =
        FEED(.st_num = 2, .seconds = 1, .entries = 3, .more_data = more, .more_length = 3);
    assert_has(t, "dat_set_changed");
    assert_lacks(t, "settings_changed");
    assert_clean(FEED(.st_num = 2, .sq_num = 1, .seconds = 1, .entries = 3, .more_data = more,
                      .more_length = 3));
}

static void test_flags(void **state)
{
    (void)state;
    assert_has(FEED(.st_num = 1, .simulation = true), "\"name\":\"simulation\"");
    assert_clean(FEED(.st_num = 1, .sq_num = 1, .simulation = true));
    assert_clean(FEED(.st_num = 1, .sq_num = 2));

    const char *t = FEED(.st_num = 1, .sq_num = 3, .flags = 0x8000);

    assert_has(t, "\"simulated\":true");
    assert_has(t, "\"name\":\"simulation\"");
    assert_has(FEED(.st_num = 1, .sq_num = 4, .nds_com = true), "needs_commissioning");
    assert_clean(FEED(.st_num = 1, .sq_num = 5, .nds_com = true));
}

static void test_form(void **state)
{
    (void)state;
    assert_has(FEED(.st_num = 1, .appid = 0x4000), "\"name\":\"appid\"");
    assert_lacks(FEED(.st_num = 1, .appid = 0x8001), "\"name\":\"appid\"");
    assert_has(FEED(.st_num = 1, .flags = 0x1000), "reserved_bits");
    assert_has(FEED(.st_num = 1, .sq_num = 1, .flags = 0x0010), "\"security_length\":16");
    assert_has(FEED(.st_num = 1, .length_error = -1), "malformed");
    assert_has(FEED(.st_num = 1, .length_error = 1), "malformed");

    struct bytes short_length = frame_of((struct message){.st_num = 1});

    short_length.data[2] = 0;
    short_length.data[3] = 7;
    assert_has(feed_bytes(&frames, short_length), "\"name\":\"length\"");
    assert_has(FEED(.st_num = 1, .outer = 0x62), "unexpected_pdu");
    assert_has(FEED(.st_num = 1, .without = 1), "element_missing");
    assert_has(FEED(.st_num = 1, .without = 6), "element_missing");
    assert_has(FEED(.st_num = 1, .without = 12), "element_missing");
    assert_lacks(FEED(.st_num = 1, .without = 4), "element_missing");
    assert_has(FEED(.st_num = 1, .extra = 0x83), "element_order");
    assert_has(FEED(.st_num = 1, .extra = 0x8f), "element_unknown");
    assert_lacks(FEED(.st_num = 1, .extra = 0x8c), "element");
    assert_has(FEED(.st_num = 1, .entries = 3), "\"name\":\"entries\"");

    struct bytes b = frame_of((struct message){.st_num = 2, .seconds = 1});

    feed_bytes(&frames, b);
    put(&b, "\0\0\0\0", 4); /* padding */
    assert_clean(feed_bytes(&frames, b));
}

static void test_dead_on_arrival(void **state)
{
    (void)state;
    struct bytes b = frame_of((struct message){.st_num = 1});

    memset(b.data + 8 + 4 + 24 + 4, 0, 5); /* content of the second element */
    assert_has(feed_bytes(&frames, b), "\"name\":\"time_allowed_to_live\"");
}

static void test_silence(void **state)
{
    (void)state;
    FEED(.st_num = 1, .time_to_live = 2000);
    assert_clean(ft_harness_tick(h, now + 1 * SECOND));
    FEED(.st_num = 1, .sq_num = 1, .time_to_live = 2000);
    assert_clean(ft_harness_tick(h, now + 2 * SECOND - SECOND / 10));
    assert_has(ft_harness_tick(h, now + 4 * SECOND), "silence");
    assert_clean(ft_harness_tick(h, now + 9 * SECOND));
}

/* The n-th statement of a claim in what the harness wrote: key, holder and time. */
static bool claim_of(const char *text, unsigned n, uint64_t claim[3])
{
    while (n-- && text) {
        text = strstr(text, "{\"claim\":");
        text = text && n ? text + 1 : text;
    }
    return text && sscanf(text,
                          "{\"claim\":{\"key\":%" SCNu64 ",\"holder\":%" SCNu64
                          ",\"milliseconds\":%" SCNu64,
                          &claim[0], &claim[1], &claim[2]) == 3;
}

/* Who publishes is told the core at first, every ten seconds, and for another APPID. */
static void test_claims(void **state)
{
    (void)state;
    struct ft_harness_flow other = frames;
    uint64_t first[3], group[3], again[3], second[3];
    const char *text = FEED(.st_num = 1, .time_to_live = 2000);
    assert_true(claim_of(text, 1, first) && claim_of(text, 2, group));
    assert_int_equal(first[1], 0x00a0f4010203);
    assert_int_equal(first[2], 12000);
    assert_int_equal(group[1], 0x010ccd010001);
    assert_false(claim_of(FEED(.st_num = 1, .sq_num = 1), 1, again));
    now += 10 * SECOND;
    assert_true(claim_of(FEED(.st_num = 1, .sq_num = 2, .time_to_live = 2000), 1, again));
    assert_memory_equal(again, first, sizeof(first));
    assert_true(claim_of(FEED(.st_num = 1, .sq_num = 3, .appid = 5), 1, again));
    assert_int_not_equal(again[0], first[0]);
    /* Somebody else: the same key, another holder. */
    other.id = 9;
    other.client_mac[5] = 0x66;
    text = feed_bytes(&other, frame_of((struct message){.st_num = 1, .time_to_live = 2000}));
    assert_true(claim_of(text, 1, second));
    assert_int_equal(second[0], first[0]);
    assert_int_equal(second[1], 0x00a0f4010266);
    /* To another group it is another stream, but of the same sender. */
    other = frames;
    other.id = 10;
    other.server_mac[5] = 0x77;
    text = feed_bytes(&other, frame_of((struct message){.st_num = 1, .time_to_live = 2000}));
    assert_true(claim_of(text, 1, second));
    assert_int_not_equal(second[0], first[0]);
    assert_true(claim_of(text, 2, second));
    assert_int_equal(second[0], group[0]);
    assert_int_not_equal(second[1], group[1]);
    /* A test set that says that it is one claims nothing. */
    other.id = 11;
    text = feed_bytes(&other, frame_of((struct message){.st_num = 1, .simulation = true}));
    assert_false(claim_of(text, 1, second));
}

static void test_management(void **state)
{
    (void)state;
    const uint8_t request[] = {0,   1,   0,    31,  0,    0,  0,    0, 0x60, 21,  0x80,
                               1,   9,   0xa1, 16,  0xa1, 14, 0x80, 7, 'L',  'D', '0',
                               '$', 'g', 'c',  'b', 0xa1, 3,  2,    1, 4};
    const uint8_t response[] = {0,    1,  0,    37,  0,    0, 0,    0,   0x60, 27,  0x80, 1,    9,
                                0xa2, 22, 0xa1, 20,  0x80, 2, 'g',  'c', 0x81, 1,   3,    0xa2, 11,
                                0x80, 2,  'd',  's', 0xa1, 5, 0x1a, 3,   'r',  'e', 'f'};
    const uint8_t refusal[] = {0, 1,    0, 24,   0, 0,    0, 0,   0x60, 14,   0x80, 1,
                               9, 0xa2, 9, 0xa1, 7, 0x80, 2, 'g', 'c',  0x83, 1,    1};
    struct bytes b = {0};

    put(&b, request, sizeof(request));

    const char *t = feed_bytes(&frames, b);

    assert_has(t, "\"command\":\"get_go_reference\",\"code\":17,\"qualifier\":0,\"class\":\"read\","
                  "\"kind\":\"request\"");
    assert_has(t, "\"state_id\":9,\"ident\":\"LD0$gcb\",\"offsets\":[4]");
    assert_clean(t);
    t = ft_harness_feed(h, &frames, FT_TO_CLIENT, now, response, sizeof(response));
    assert_has(t, "\"kind\":\"response\"");
    assert_has(t, "\"conf_rev\":3,\"dat_set\":\"ds\",\"references\":[\"ref\"]");
    assert_has(t, "\"paired\":true");
    assert_clean(t);
    t = ft_harness_feed(h, &frames, FT_TO_CLIENT, now, refusal, sizeof(refusal));
    assert_has(t, "\"kind\":\"exception\"");
    assert_has(t, "\"error\":\"unknown_control_block\"");
}

static struct bytes session_of(struct message m, uint8_t tag)
{
    struct bytes apdu = apdu_of(&m), out = {0};
    uint32_t payload = 6 + apdu.length;
    const uint8_t head[] = {1,
                            0x40,
                            0xa1,
                            24,
                            0x80,
                            22,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            8,
                            0,
                            1,
                            0,
                            0,
                            0,
                            2,
                            0,
                            3,
                            0,
                            0,
                            0,
                            4,
                            0,
                            0,
                            0,
                            (uint8_t)(payload >> 8),
                            (uint8_t)payload};
    const uint8_t item[] = {
        tag, m.simulation, 0x10, 1, (uint8_t)(apdu.length >> 8), (uint8_t)apdu.length};

    put(&out, head, sizeof(head));
    put(&out, item, 6);
    put(&out, apdu.data, apdu.length);
    return out;
}

static void test_routable(void **state)
{
    (void)state;
    struct bytes b = session_of((struct message){.st_num = 4, .sq_num = 2}, 0x81);
    const char *t = feed_bytes(&routed, b);

    assert_has(t, "\"command\":\"retransmission\"");
    assert_has(t, "\"appid\":4097");
    assert_has(t, "\"spdu\":\"goose\",\"spdu_code\":161,\"spdu_number\":8,\"version\":1,"
                  "\"key_time\":2,\"next_key\":3,\"key_id\":4");
    assert_clean(t);
    t = feed_bytes(&routed, session_of((struct message){.st_num = 4}, 0x82));
    assert_has(t, "\"command\":\"routed\"");
    t = feed_bytes(&routed, session_of((struct message){.st_num = 4}, 0x33));
    assert_has(t, "\"command\":\"routed\"");
    assert_clean(t);
    assert_int_equal(ft_harness_probe(h, &routed, FT_TO_SERVER, b.data, b.length), FT_YES);
    b.data[2] = 0xa9;
    assert_int_equal(ft_harness_probe(h, &routed, FT_TO_SERVER, b.data, b.length), FT_NO);
}

static void test_truncation(void **state)
{
    (void)state;
    struct bytes b = frame_of((struct message){.st_num = 1});

    for (uint32_t n = 0; n < b.length; n++) {
        assert_clean(ft_harness_feed_cut(h, &frames, FT_TO_SERVER, now, b.data, n));
        if (n)
            assert_has(ft_harness_feed(h, &frames, FT_TO_SERVER, now, b.data, n), "\"violation\"");
    }
    b = session_of((struct message){.st_num = 1}, 0x81);
    for (uint32_t n = 1; n < b.length; n++) {
        assert_clean(ft_harness_feed_cut(h, &routed, FT_TO_SERVER, now, b.data, n));
        assert_has(ft_harness_feed(h, &routed, FT_TO_SERVER, now, b.data, n), "\"violation\"");
    }
}

static void test_garbage(void **state)
{
    (void)state;
    uint32_t x = 11;

    for (unsigned round = 0; round < 3000; round++) {
        struct bytes b = round & 1 ? session_of((struct message){.st_num = 3}, 0x81)
                                   : frame_of((struct message){.st_num = 3});

        for (unsigned i = 0; i < 1 + round % 8; i++) {
            x = x * 1664525u + 1013904223u;
            b.data[(x >> 8) % b.length] = (uint8_t)(x >> 24);
        }
        assert_non_null(feed_bytes(round & 1 ? &routed : &frames, b));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fields),
        TEST(test_all_data_types),
        TEST(test_deep_structures),
        TEST(test_numbers),
        TEST(test_wraps_and_restart),
        TEST(test_settings),
        TEST(test_entries),
        TEST(test_new_state_begins_at_its_begin),
        TEST(test_flags),
        TEST(test_form),
        TEST(test_dead_on_arrival),
        TEST(test_silence),
        TEST(test_claims),
        TEST(test_management),
        TEST(test_routable),
        TEST(test_truncation),
        TEST(test_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
