/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of capture filters: tags, link types, what is no filter. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/filter.h"

#include <pcap/pcap.h>

#define ETHERNET 1
#define RAW      101
#define SLL      113
#define SLL2     276

static bool is_long;

/* UDP from 10.0.0.1:1000 to 10.0.0.2:port behind `tags` tags; its length. */
static uint32_t udp(uint8_t *frame, unsigned tags, uint16_t port)
{
    static const uint8_t ip[] = {0x45, 0, 0,  28, 0, 0, 0, 0,    64, 17, 0, 0, 10, 0,
                                 0,    1, 10, 0,  0, 2, 3, 0xe8, 0,  0,  0, 8, 0,  0};
    uint32_t n = 12;
    memset(frame, 2, 12);
    for (unsigned i = 0; i < tags; i++, n += 4)
        memcpy(frame + n, "\x81\x00\x00\x07", 4);
    memcpy(frame + n, "\x08\x00", 2);
    memcpy(frame + n + 2, ip, sizeof(ip));
    frame[n + 2 + 22] = (uint8_t)(port >> 8);
    frame[n + 2 + 23] = (uint8_t)port;
    return n + 2 + (uint32_t)sizeof(ip);
}

static bool passes(struct ft_filter *f, const uint8_t *data, uint32_t length, uint16_t linktype)
{
    struct ft_capture_record record = {
        .data = data, .caplen = length, .wirelen = length, .linktype = linktype};
    return ft_filter_passes(f, &record);
}

static struct ft_filter *make(const char *expression)
{
    char error[512] = "";
    struct ft_filter *f = ft_filter_new(expression, error, sizeof(error));
    if (!f)
        fail_msg("%s", error);
    return f;
}

static void tags_do_not_matter(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502 or udp port 503");
    for (unsigned tags = 0; tags <= 16; tags++) {
        uint32_t n = udp(frame, tags, 502);
        assert_true(passes(f, frame, n, ETHERNET));
        n = udp(frame, tags, 503);
        assert_true(passes(f, frame, n, ETHERNET));
        n = udp(frame, tags, 504);
        assert_false(passes(f, frame, n, ETHERNET));
    }
    ft_filter_free(f);
}

static void a_tag_can_be_asked_for(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("vlan 7 and udp");
    assert_false(passes(f, frame, udp(frame, 0, 502), ETHERNET));
    assert_true(passes(f, frame, udp(frame, 1, 502), ETHERNET));
    assert_false(passes(f, frame, udp(frame, 2, 502), ETHERNET));
    ft_filter_free(f);
    f = make("not vlan");
    assert_true(passes(f, frame, udp(frame, 0, 502), ETHERNET));
    assert_false(passes(f, frame, udp(frame, 1, 502), ETHERNET));
    ft_filter_free(f);
}

/* What tcpdump gets wrong for people: behind a tag nothing is port 22, so all of it would pass. */
static void tags_do_not_matter_for_what_is_not(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("not port 22");
    for (unsigned tags = 0; tags <= 3; tags++) {
        assert_false(passes(f, frame, udp(frame, tags, 22), ETHERNET));
        assert_true(passes(f, frame, udp(frame, tags, 23), ETHERNET));
    }
    ft_filter_free(f);
}

static void other_link_types(void **state)
{
    uint8_t frame[128], cooked[128] = {0, 0, 0, 1};
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 0, 502);
    assert_true(passes(f, frame, n, ETHERNET));
    assert_true(passes(f, frame + 14, n - 14, RAW));
    cooked[14] = 8;
    memcpy(cooked + 16, frame + 14, n - 14);
    assert_true(passes(f, cooked, n + 2, SLL));
    assert_false(passes(f, frame, n, RAW));
    assert_null(ft_filter_remark(f));
    ft_filter_free(f);
}

static void a_type_without_meaning_is_told(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("ether host 02:02:02:02:02:02");
    uint32_t n = udp(frame, 0, 502);
    assert_true(passes(f, frame, n, ETHERNET));
    assert_null(ft_filter_remark(f));
    assert_false(passes(f, frame + 14, n - 14, RAW));
    assert_non_null(strstr(ft_filter_remark(f), "link type 101"));
    assert_true(passes(f, frame, n, ETHERNET));
    ft_filter_free(f);
}

static void many_link_types(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 0, 502);
    for (unsigned type = 0; type < 65536; type += 7)
        if (type != ETHERNET)
            passes(f, frame, n, (uint16_t)type);
    assert_true(passes(f, frame, n, ETHERNET));
    ft_filter_free(f);
}

static void what_is_cut_is_no_match(void **state)
{
    uint8_t frame[128];
    (void)state;
    struct ft_filter *f = make("udp port 502");
    uint32_t n = udp(frame, 1, 502);
    for (uint32_t length = 0; length < n - 4; length++)
        assert_true(!passes(f, frame, length, ETHERNET) || length >= n - 4 - 4);
    ft_filter_free(f);
}

static void what_is_no_filter(void **state)
{
    static const char *const wrong[] = {"udp prot 502", "port",        "(udp",
                                        "udp)",         "1 or) or (2", "\x80"};
    char error[512];
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        *error = 0;
        assert_null(ft_filter_new(wrong[i], error, sizeof(error)));
        assert_non_null(strstr(error, "is no filter"));
    }
    ft_filter_free(NULL);
}

/* Cooked captures have tags, too: behind the header, whose type is the first tag's. */
static void tags_in_cooked_captures(void **state)
{
    static const uint16_t types[] = {SLL, SLL2};
    uint8_t frame[128], cooked[160];
    (void)state;
    struct ft_filter *f = make("udp port 502");
    for (unsigned tags = 0; tags <= 3; tags++)
        for (unsigned i = 0; i < 2; i++) {
            uint32_t n = udp(frame, tags, 502), header = i ? 20 : 16;
            memset(cooked, 0, sizeof(cooked));
            memcpy(cooked + (i ? 0 : 14), frame + 12, 2);
            memcpy(cooked + header, frame + 14, n - 14);
            assert_true(passes(f, cooked, header + n - 14, types[i]));
            for (uint32_t cut = 0; cut < header + 4 * tags; cut++)
                assert_false(passes(f, cooked, cut, types[i]));
            udp(frame, tags, 503);
            memcpy(cooked + header, frame + 14, n - 14);
            assert_false(passes(f, cooked, header + n - 14, types[i]));
        }
    ft_filter_free(f);
}

/* ---- every packet of every capture ---- */

/* What tcpdump's own interpreter says of a packet; `expression` compiled for its link type. */
struct oracle {
    const char *expression;
    struct ft_filter *filter;
    struct bpf_program code;
};

static const char *const expressions[] = {
    "tcp port 502 or tcp port 102 or udp port 47808",
    "not port 22",
    "arp or icmp",
    "host 192.168.1.1 or net 10.0.0.0/8",
    "ip6 and udp",
    "ether proto 0x88b8 or ether proto 0x8892",
    "ether multicast",
    "ether[12:2] = 0x0800",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "ip[6:2] & 0x3fff != 0",
    "less 80",
    "len > 100 and ip[8] < 65",
    "src portrange 1-1023",
    "vlan",
    "vlan and tcp",
};

#define EXPRESSIONS (sizeof(expressions) / sizeof(expressions[0]))

static struct oracle oracles[EXPRESSIONS];
static uint64_t compared, passed, tagged_seen;

/* An Ethernet frame without its tags, written in another way than the filter does. */
static uint32_t strip(const uint8_t *from, uint32_t n, uint8_t *to)
{
    uint32_t kept = 0;
    bool in_tags = true;
    for (uint32_t i = 0; i < n;) {
        unsigned type = i >= 12 && i + 1 < n ? from[i] * 256u + from[i + 1] : 0;
        in_tags &= i < 12 || type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200 ||
                   type == 0x9300;
        if (i >= 12 && in_tags && i + 4 <= n)
            i += 4;
        else
            to[kept++] = from[i++];
    }
    return kept;
}

static void compare(const struct oracle *o, const struct ft_capture_record *record)
{
    static uint8_t bare[FT_CAPTURE_RECORD_MAX], tagged[FT_CAPTURE_RECORD_MAX + 12];
    bool says_vlan = strstr(o->expression, "vlan");
    uint32_t n = strip(record->data, record->caplen, bare), cut = record->caplen - n;
    const uint8_t *seen = says_vlan ? record->data : bare;
    uint32_t length = says_vlan ? record->caplen : n;
    bool wanted =
        bpf_filter(o->code.bf_insns, seen, record->wirelen - (record->caplen - length), length);
    assert_true(ft_filter_passes(o->filter, record) == wanted);
    compared++;
    passed += wanted;
    tagged_seen += cut > 0;
    if (says_vlan || n < 14)
        return;
    for (uint32_t tags = 1; tags <= 3; tags++) { /* the same with tags */
        memcpy(tagged, bare, 12);
        for (uint32_t i = 0; i < tags; i++)
            memcpy(tagged + 12 + 4 * i, i ? "\x81\x00\x00\x0a" : "\x88\xa8\x20\x14", 4);
        memcpy(tagged + 12 + 4 * tags, bare + 12, n - 12);
        struct ft_capture_record with = {.data = tagged,
                                         .caplen = n + 4 * tags,
                                         .wirelen = record->wirelen - cut + 4 * tags,
                                         .linktype = ETHERNET};
        assert_true(ft_filter_passes(o->filter, &with) == wanted);
    }
}

static void compare_capture(const char *path)
{
    char error[1024];
    struct ft_capture_record record;
    struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
    for (unsigned n = 0; file && ft_capture_file_next(file, &record) == 1 && (is_long || n < 200);
         n++)
        for (unsigned i = 0; i < EXPRESSIONS && record.linktype == ETHERNET; i++)
            compare(&oracles[i], &record);
    if (file)
        ft_capture_file_close(file);
}

/* Of captures beside the checkout every 16th, its first packets; FT_LONG=yes: all of all. */
static int visit(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    static unsigned n;
    (void)walk;
    if (kind == FTW_F && S_ISREG(status->st_mode) && strstr(path, "cap") &&
        (is_long || n++ % 16 == 0))
        compare_capture(path);
    return 0;
}

static void as_tcpdump_on_every_capture(void **state)
{
    (void)state;
    is_long = getenv("FT_LONG") && strcmp(getenv("FT_LONG"), "yes") == 0;
    for (unsigned i = 0; i < EXPRESSIONS; i++) {
        pcap_t *dead = pcap_open_dead(DLT_EN10MB, 262144);
        oracles[i].expression = expressions[i];
        oracles[i].filter = make(expressions[i]);
        assert_int_equal(
            pcap_compile(dead, &oracles[i].code, expressions[i], 1, PCAP_NETMASK_UNKNOWN), 0);
        pcap_close(dead);
    }
    const char *folder = getenv("FT_CAPTURES");
    if (folder || nftw(FT_SOURCE_ROOT "/../shared/captures", visit, 16, FTW_PHYS) < 0)
        nftw(folder ? folder : FT_SOURCE_ROOT "/../../shared/captures", visit, 16, FTW_PHYS);
    for (unsigned i = 0; i < EXPRESSIONS; i++) {
        pcap_freecode(&oracles[i].code);
        ft_filter_free(oracles[i].filter);
    }
    if (!compared)
        skip();
    print_message("%llu packets and expressions compared, %llu passed, %llu with tags\n",
                  (unsigned long long)compared, (unsigned long long)passed,
                  (unsigned long long)tagged_seen);
    assert_true(passed > compared / 100 && tagged_seen > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_do_not_matter),
        cmocka_unit_test(a_tag_can_be_asked_for),
        cmocka_unit_test(tags_do_not_matter_for_what_is_not),
        cmocka_unit_test(other_link_types),
        cmocka_unit_test(a_type_without_meaning_is_told),
        cmocka_unit_test(many_link_types),
        cmocka_unit_test(what_is_cut_is_no_match),
        cmocka_unit_test(what_is_no_filter),
        cmocka_unit_test(tags_in_cooked_captures),
        cmocka_unit_test(as_tcpdump_on_every_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
