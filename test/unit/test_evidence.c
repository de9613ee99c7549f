/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets around alerts: the history, wishes, pcapng, the folder. */
#include "evidence/evidence.h"
#include "evidence/pcapng.h"
#include "evidence/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#define SECOND 1000000000ull

static uint8_t bytes[70000];

/* Packet `seq` of `length` bytes, one a millisecond; its bytes depend on seq. */
static struct ft_packet packet(uint64_t seq, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(seq * 7 + i);
    return (struct ft_packet){.seq = seq,
                              .number = seq,
                              .time_ns = seq * 1000000,
                              .stamp_ns = 5 * SECOND + seq,
                              .data = bytes,
                              .caplen = length,
                              .wirelen = length + 1,
                              .linktype = FT_LINKTYPE_ETHERNET,
                              .interface = 3,
                              .shard = 9};
}

static void assert_record(const struct ft_history_record *r, uint64_t seq, uint32_t captured)
{
    assert_non_null(r);
    assert_int_equal(r->seq, seq);
    assert_int_equal(r->captured, captured);
    assert_int_equal(r->size % 64, 0);
    for (uint32_t i = 0; i < captured; i++)
        assert_int_equal(((const uint8_t *)(r + 1))[i], (uint8_t)(seq * 7 + i));
}

/* ---- the history ---- */

static const int flow_a = 1, flow_b = 2; /* their addresses name them */

static void test_history_keeps(void **state)
{
    struct ft_history *h = ft_history_new(4u << 20, 1514, 0);
    struct ft_history_place place;
    bool is_lost = false;
    static const uint32_t lengths[] = {0, 1, 63, 64, 65, 128, 1514, 1515, 65535};
    place = ft_history_begin(h, 9, 1);
    assert_null(ft_history_next(h, 9, &place, &is_lost));
    for (unsigned i = 0; i < 9; i++) {
        struct ft_packet p = packet(i + 1, lengths[i]);
        ft_history_keep(h, &p, &flow_a, i == 0);
    }
    place = ft_history_begin(h, 9, 9);
    for (unsigned i = 0; i < 9; i++) {
        const struct ft_history_record *r = ft_history_next(h, 9, &place, &is_lost);
        assert_record(r, i + 1, lengths[i] < 1514 ? lengths[i] : 1514);
        assert_int_equal(r->length, lengths[i] + 1);
        assert_int_equal(r->flow, ft_history_flow(&flow_a));
        assert_int_equal(r->is_first, i == 0);
        assert_int_equal(r->interface, 3);
    }
    assert_null(ft_history_next(h, 9, &place, &is_lost));
    assert_false(is_lost);
    /* Another shard has nothing of it. */
    assert_int_equal(ft_history_oldest(h, 8), 0);
    ft_history_free(h);
    (void)state;
}

/* Far more than fits: the newest are there, whole and in order; positions say what is gone. */
static void test_history_wraps(void **state)
{
    struct ft_history *h = ft_history_new(4u << 20, 4000, 0);
    struct ft_history_place first = {0, 0}, place;
    bool is_lost = false;
    unsigned n = 0;
    assert_int_equal(h->segment_size, 4096);
    for (uint64_t seq = 1; seq <= 3000; seq++) {
        struct ft_packet p = packet(seq, (uint32_t)(seq * 2654435761u % 5000));
        ft_history_keep(h, &p, &flow_a, false);
        if (seq == 1)
            first = (struct ft_history_place){1, 0};
    }
    assert_null(ft_history_at(h, 9, first));
    const struct ft_history_record *r = ft_history_next(h, 9, &first, &is_lost);
    assert_true(is_lost);
    place = ft_history_begin(h, 9, UINT64_MAX);
    uint64_t seq = r->seq;
    is_lost = false;
    while ((r = ft_history_next(h, 9, &place, &is_lost))) {
        assert_record(r, seq, r->captured);
        struct ft_history_place at = {place.serial, place.offset - r->size};
        assert_ptr_equal(ft_history_at(h, 9, at), r);
        seq++;
        n++;
    }
    assert_false(is_lost);
    assert_int_equal(seq, 3001);
    assert_true(n >= FT_HISTORY_SEGMENTS);
    ft_history_free(h);
    (void)state;
}

/* As of an older packet the history begins earlier, if it is still there. */
static void test_history_as_of(void **state)
{
    struct ft_history *h = ft_history_new(4u << 20, 4000, 64);
    assert_true(h->segment_count >= FT_HISTORY_SEGMENTS + 64);
    for (uint64_t seq = 1; seq <= 30; seq++) {
        struct ft_packet p = packet(seq, 4000); /* a segment each */
        ft_history_keep(h, &p, &flow_a, false);
    }
    assert_int_equal(ft_history_begin(h, 9, 30).serial, 30 - FT_HISTORY_SEGMENTS + 1);
    assert_int_equal(ft_history_begin(h, 9, 20).serial, 20 - FT_HISTORY_SEGMENTS + 1);
    assert_int_equal(ft_history_begin(h, 9, 3).serial, 1);
    ft_history_free(h);
    (void)state;
}

/* Sizes that nobody should ask for still keep something. */
static void test_history_sizes(void **state)
{
    static const struct {
        uint64_t memory;
        uint32_t snap, burst;
    } rows[] = {{0, 0, 0}, {1, UINT32_MAX, 64}, {4u << 20, 262144, 64}, {1u << 20, 64, 1}};
    for (unsigned i = 0; i < 4; i++) {
        struct ft_history *h = ft_history_new(rows[i].memory, rows[i].snap, rows[i].burst);
        assert_non_null(h);
        for (uint64_t seq = 1; seq <= 200; seq++) {
            struct ft_packet p = packet(seq, 65535);
            ft_history_keep(h, &p, &flow_a, false);
        }
        bool is_lost = false;
        struct ft_history_place place = ft_history_begin(h, 9, 200);
        const struct ft_history_record *r = ft_history_next(h, 9, &place, &is_lost);
        assert_record(r, r->seq, h->snap_length);
        ft_history_free(h);
    }
    (void)state;
}

/* ---- wishes ---- */

static struct ft_evidence *make(struct ft_evidence_config *config)
{
    char error[256];
    struct ft_evidence *e = ft_evidence_new(config, 2, error, sizeof(error));
    assert_non_null(e);
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_evidence_own(e, (uint8_t)shard, shard % 2, -1);
    return e;
}

static struct ft_evidence_config live(void)
{
    struct ft_evidence_config config;
    ft_evidence_config_init(&config);
    config.is_live = true;
    return config;
}

static void keep(struct ft_evidence *e, uint64_t from, uint64_t to, const void *flow)
{
    for (uint64_t seq = from; seq <= to; seq++) {
        struct ft_packet p = packet(seq, 100);
        ft_history_keep(ft_evidence_history(e), &p, flow, false);
    }
}

static struct ft_evidence_request request(uint64_t seq, const void *flow)
{
    return (struct ft_evidence_request){.id = "line3-40",
                                        .title = "A title",
                                        .key = "a.key",
                                        .shard = 9,
                                        .flow = ft_history_flow(flow),
                                        .seq = seq,
                                        .number = seq,
                                        .now_seq = seq,
                                        .time_ns = seq * 1000000};
}

static bool wish(struct ft_evidence *e, uint64_t seq, const void *flow)
{
    struct ft_evidence_request q = request(seq, flow);
    return ft_evidence_wish(e, &q);
}

static const struct ft_history_record *record(const struct ft_evidence_wish *w, uint32_t n)
{
    uint32_t at = 0;
    for (; n; n--)
        at += ((const struct ft_history_record *)(const void *)(w->records + at))->size;
    return (const void *)(w->records + at);
}

static void assert_balance(const struct ft_evidence *e, uint64_t wanted)
{
    struct ft_evidence_stats s = ft_evidence_stats(e);
    uint64_t sum = s.written + s.pending;
    for (unsigned i = 0; i < FT_EVIDENCE_DROPS; i++)
        sum += s.dropped[i];
    assert_int_equal(s.wanted, wanted);
    assert_int_equal(sum, wanted);
}

/* What was taken is given back, so that all is freed. */
static void end(struct ft_evidence *e, struct ft_evidence_wish *w)
{
    for (struct ft_evidence_wish *next; w; w = next) {
        next = w->next;
        ft_evidence_release(e, w, 0, FT_EVIDENCE_DISK);
    }
    ft_evidence_free(e);
}

static void test_wish_before_and_after(void **state)
{
    struct ft_evidence_config config = live();
    config.before_ns = 20 * 1000000; /* 20 packets */
    config.after_ns = 10 * 1000000;
    struct ft_evidence *e = make(&config);
    for (uint64_t seq = 1; seq <= 100; seq++)
        keep(e, seq, seq, seq % 2 ? &flow_a : &flow_b);
    assert_true(wish(e, 99, &flow_a));
    ft_evidence_turn(e, 1, 100 * 1000000);
    assert_null(ft_evidence_take(e));
    for (uint64_t seq = 101; seq <= 120; seq++)
        keep(e, seq, seq, seq % 2 ? &flow_a : &flow_b);
    ft_evidence_turn(e, 0, 0); /* not its shard */
    assert_null(ft_evidence_take(e));
    ft_evidence_turn(e, 1, 120 * 1000000);
    struct ft_evidence_wish *w = ft_evidence_take(e);
    assert_non_null(w);
    assert_int_equal(w->packets, 11 + 5); /* 79, 81 .. 99; 101 .. 109 */
    assert_int_equal(w->trigger, 10);
    assert_false(w->is_lost);
    for (uint32_t i = 0; i < w->packets; i++)
        assert_record(record(w, i), 79 + 2 * i, 100);
    assert_balance(e, 1);
    ft_evidence_release(e, w, 1234, FT_EVIDENCE_DISK);
    assert_balance(e, 1);
    assert_int_equal(ft_evidence_stats(e).written, 1);
    assert_int_equal(ft_evidence_stats(e).bytes, 1234);
    ft_evidence_free(e);
    (void)state;
}

/* Live, a quiet flow ends with the clock; without a tick it waits. */
static void test_wish_ends_by_the_clock(void **state)
{
    struct ft_evidence_config config = live();
    struct ft_evidence *e = make(&config);
    keep(e, 1, 3, &flow_a);
    assert_true(wish(e, 3, &flow_a));
    ft_evidence_turn(e, 1, config.after_ns);
    assert_null(ft_evidence_take(e));
    ft_evidence_turn(e, 1, config.after_ns + SECOND);
    struct ft_evidence_wish *w = ft_evidence_take(e);
    assert_non_null(w);
    assert_int_equal(w->packets, 3);
    ft_evidence_release(e, w, 0, FT_EVIDENCE_DISK);
    assert_balance(e, 1);
    assert_int_equal(ft_evidence_stats(e).dropped[FT_EVIDENCE_DISK], 1);
    ft_evidence_free(e);
    (void)state;
}

static void test_wish_bounds(void **state)
{
    struct ft_evidence_config config = live();
    config.packets = 10;
    config.bytes = 1;
    config.snap_length = 1000;
    struct ft_evidence *e = make(&config);
    keep(e, 1, 50, &flow_a);
    assert_true(wish(e, 40, &flow_a));
    assert_true(wish(e, 50, &flow_a));
    ft_evidence_finish(e);
    struct ft_evidence_wish *w = ft_evidence_take(e), *second = w->next;
    assert_non_null(second);
    /* One packet of the greatest length fits; here that is six, half of it before. */
    assert_true(w->used <= 64 + 1000 + 64);
    assert_int_equal(record(w, 0)->seq, 39);
    assert_int_equal(w->trigger, 1);
    assert_int_equal(w->packets, 5);
    assert_int_equal(record(second, 1)->seq, 50);
    assert_int_equal(second->packets, 2);
    end(e, w);
    config.bytes = 1 << 20;
    e = make(&config);
    keep(e, 1, 50, &flow_a);
    assert_true(wish(e, 40, &flow_a));
    ft_evidence_finish(e);
    w = ft_evidence_take(e);
    assert_int_equal(w->packets, 10);
    assert_int_equal(record(w, 0)->seq, 36);
    assert_int_equal(w->trigger, 4);
    end(e, w);
    (void)state;
}

/* A record of the flow table was another flow's before, and is another's later. */
static void test_wish_is_of_one_flow(void **state)
{
    struct ft_evidence_config config = live();
    struct ft_evidence *e = make(&config);
    keep(e, 1, 10, &flow_a);
    for (uint64_t seq = 11; seq <= 31; seq += 10) {
        struct ft_packet p = packet(seq, 100);
        ft_history_keep(ft_evidence_history(e), &p, &flow_a, true);
        keep(e, seq + 1, seq + 9, &flow_a);
    }
    assert_true(wish(e, 25, &flow_a));
    ft_evidence_turn(e, 1, 0);
    struct ft_evidence_wish *w = ft_evidence_take(e);
    assert_non_null(w); /* the next flow has ended it */
    assert_int_equal(w->packets, 10);
    assert_int_equal(record(w, 0)->seq, 21);
    assert_int_equal(w->trigger, 4);
    end(e, w);
    (void)state;
}

/* A trigger that is no packet, and a flow of which there is none. */
static void test_wish_without_packets(void **state)
{
    struct ft_evidence_config config = live();
    struct ft_evidence *e = make(&config);
    assert_true(wish(e, 7, &flow_a)); /* nothing was ever kept */
    keep(e, 1, 10, &flow_a);
    assert_true(wish(e, 11, &flow_a)); /* a tick */
    assert_true(wish(e, 10, &flow_b));
    ft_evidence_finish(e);
    struct ft_evidence_wish *w = ft_evidence_take(e), *next;
    unsigned with = 0, without = 0;
    for (; w; w = next) {
        next = w->next;
        assert_true(!w->packets || w->trigger == UINT32_MAX || w->request.seq == 7);
        with += w->packets != 0;
        without += !w->packets;
        ft_evidence_release(e, w, w->packets, FT_EVIDENCE_NO_PACKET);
    }
    assert_int_equal(with, 2);
    assert_int_equal(without, 1);
    assert_int_equal(ft_evidence_stats(e).dropped[FT_EVIDENCE_NO_PACKET], 1);
    assert_int_equal(ft_evidence_stats(e).without, 1);
    assert_balance(e, 3);
    ft_evidence_free(e);
    (void)state;
}

/* Live nobody waits: what was overwritten is missing, and that is known. */
static void test_wish_overtaken(void **state)
{
    struct ft_evidence_config config = live();
    config.memory = 4u << 20;
    config.packets = 1000;
    config.bytes = 1u << 20;
    struct ft_evidence *e = make(&config);
    keep(e, 1, 100, &flow_a);
    assert_true(wish(e, 100, &flow_a));
    ft_evidence_turn(e, 1, 0); /* takes 16 of them */
    keep(e, 101, 400, &flow_a);
    ft_evidence_finish(e);
    struct ft_evidence_wish *w = ft_evidence_take(e);
    assert_true(w->is_lost);
    assert_true(w->packets > 16 && w->packets < 400);
    uint64_t before = 0;
    for (uint32_t i = 0; i < w->packets; i++) {
        assert_true(record(w, i)->seq > before);
        before = record(w, i)->seq;
        assert_record(record(w, i), before, 100);
    }
    end(e, w);
    (void)state;
}

static void test_too_many_wishes(void **state)
{
    struct ft_evidence_config config = live();
    config.bytes = 4u << 20; /* 16 at a time */
    struct ft_evidence *e = make(&config);
    keep(e, 1, 10, &flow_a);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(wish(e, 10, &flow_a), i < 16);
    assert_int_equal(ft_evidence_stats(e).dropped[FT_EVIDENCE_BUSY], 4);
    assert_balance(e, 20);
    ft_evidence_finish(e);
    struct ft_evidence_wish *w = ft_evidence_take(e), *next;
    for (; w; w = next) {
        next = w->next;
        ft_evidence_release(e, w, 1, FT_EVIDENCE_DISK);
    }
    assert_true(wish(e, 10, &flow_a)); /* there is room again */
    assert_balance(e, 21);
    assert_int_equal(ft_evidence_stats(e).pending, 1);
    ft_evidence_free(e);
    (void)state;
}

/* On captures nothing is overwritten that the core may ask for: however late it asks. */
static void test_captures_wait(void **state)
{
    struct ft_evidence_config config;
    ft_evidence_config_init(&config);
    config.memory = 4u << 20;
    config.packets = 1000;
    config.bytes = 1u << 20;
    uint32_t packets[2], first[2];
    for (unsigned run = 0; run < 2; run++) {
        struct ft_evidence *e = make(&config);
        for (uint64_t seq = 1; seq <= 5000; seq++) {
            /* The core is at once where the worker is, or as far behind as it may be. */
            uint64_t told = run == 0 || seq < 65 ? seq - 1 : seq - 64;
            ft_evidence_through(e, told);
            if (told == 4000)
                assert_true(wish(e, 4000, &flow_a));
            keep(e, seq, seq, &flow_a);
            ft_evidence_turn(e, 1, 0);
        }
        ft_evidence_finish(e);
        struct ft_evidence_wish *w = ft_evidence_take(e);
        assert_non_null(w);
        assert_false(w->is_lost);
        assert_int_equal(record(w, w->trigger)->seq, 4000);
        packets[run] = w->packets;
        first[run] = (uint32_t)record(w, 0)->seq;
        end(e, w);
    }
    assert_int_equal(packets[0], packets[1]);
    assert_int_equal(first[0], first[1]);
    (void)state;
}

/* ---- files ---- */

static char folder[] = "/tmp/ft-evidence-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ft-evidence-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "chmod -R u+w %s; rm -rf %s", folder, folder);
    return system(command);
}

static struct ft_evidence_store *open_store(uint64_t total, uint32_t days)
{
    static const char *const names[] = {"eth0", "eth1", "eth2", "line 3"};
    struct ft_evidence_store_config config = {.folder = folder,
                                              .total_bytes = total,
                                              .max_days = days,
                                              .hardware = "a machine",
                                              .os = "an OS",
                                              .application = "fieldtap test",
                                              .interfaces = names,
                                              .interface_count = 4,
                                              .snap_length = 4096};
    char error[512];
    struct ft_evidence_store *s = ft_evidence_store_open(&config, error, sizeof(error));
    if (!s)
        print_error("%s\n", error);
    return s;
}

/* Write the packets 1 to 20 around 15, of two link types. */
static uint64_t write_alert(struct ft_evidence_store *s, const char *id)
{
    struct ft_evidence_config config = live();
    struct ft_evidence *e = make(&config);
    struct ft_evidence_request q = request(15, &flow_a);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        struct ft_packet p = packet(seq, (uint32_t)(60 + seq));
        p.linktype = seq < 18 ? FT_LINKTYPE_ETHERNET : FT_LINKTYPE_LINUX_SLL;
        ft_history_keep(ft_evidence_history(e), &p, &flow_a, seq == 1);
    }
    snprintf(q.id, sizeof(q.id), "%s", id);
    assert_true(ft_evidence_wish(e, &q));
    ft_evidence_finish(e);
    struct ft_evidence_wish *w = ft_evidence_take(e);
    assert_int_equal(w->packets, 20);
    uint64_t n = ft_evidence_store_write(s, w);
    int why = errno;
    end(e, w);
    errno = why;
    return n;
}

/* What a command prints. */
static void output_of(const char *command, char *text, size_t size)
{
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, size - 1, f);
    text[n] = 0;
    pclose(f);
}

static void test_file_is_read_by_tshark(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 0);
    char command[512], text[8192];
    assert_non_null(s);
    assert_true(write_alert(s, "line3-40") > 0);
    if (system("tshark --version > /dev/null 2>&1") != 0) {
        ft_evidence_store_close(s);
        skip();
    }
    snprintf(command, sizeof(command),
             "tshark -r %s/line3-40.pcapng -Y frame.comment -T fields -e frame.number "
             "-e frame.time_epoch -e frame.comment -e frame.interface_name 2>/dev/null",
             folder);
    output_of(command, text, sizeof(text));
    assert_string_equal(text,
                        "15\t5.000000015\talert line3-40: A title (a.key), packet 15\tline 3\n");
    snprintf(command, sizeof(command),
             "tshark -r %s/line3-40.pcapng -T fields -e frame.len -e frame.cap_len "
             "-e frame.encap_type 2>/dev/null | tr '\\n' ' '",
             folder);
    output_of(command, text, sizeof(text));
    assert_non_null(strstr(text, "62\t61\t1 63\t62\t1 "));
    assert_non_null(strstr(text, "81\t80\t25 ")); /* SLL in Wireshark's own count */
    snprintf(command, sizeof(command), "capinfos %s/line3-40.pcapng 2>&1", folder);
    output_of(command, text, sizeof(text));
    assert_non_null(strstr(text, "a machine"));
    assert_non_null(strstr(text, "an OS"));
    assert_non_null(strstr(text, "fieldtap test"));
    assert_non_null(strstr(text, "nanoseconds (9)"));
    ft_evidence_store_close(s);
    (void)state;
}

static unsigned files(void)
{
    char command[128], text[64];
    snprintf(command, sizeof(command), "ls %s/*.pcapng 2>/dev/null | wc -l", folder);
    output_of(command, text, sizeof(text));
    return (unsigned)atoi(text);
}

static void test_oldest_makes_room(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 0);
    char id[32];
    uint64_t one = write_alert(s, "x-0");
    ft_evidence_store_close(s);
    s = open_store(one * 5 + 100, 0); /* counts what is there */
    assert_int_equal(ft_evidence_store_stats(s).files, 1);
    for (unsigned i = 1; i < 10; i++) {
        snprintf(id, sizeof(id), "x-%u", i);
        assert_int_equal(write_alert(s, id), one);
        assert_true(ft_evidence_store_stats(s).bytes <= one * 5 + 100);
    }
    assert_int_equal(files(), 5);
    assert_int_equal(ft_evidence_store_stats(s).files, 5);
    assert_int_equal(ft_evidence_store_stats(s).removed, 5);
    assert_int_equal(write_alert(s, "x-7"), one); /* replaced */
    assert_int_equal(files(), 5);
    assert_int_equal(ft_evidence_store_stats(s).bytes, 5 * one);
    int fd = ft_evidence_open(folder, "x-4");
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ENOENT);
    fd = ft_evidence_open(folder, "x-9");
    assert_true(fd >= 0);
    close(fd);
    ft_evidence_store_close(s);
    /* Less room than before: what is too much goes at once, and nothing else. */
    char other[128];
    snprintf(other, sizeof(other), "%s/notes.txt", folder);
    fclose(fopen(other, "w"));
    s = open_store(2 * one, 0);
    assert_int_equal(files(), 2);
    assert_int_equal(access(other, F_OK), 0);
    ft_evidence_store_close(s);
    s = open_store(10, 0); /* none fits */
    assert_int_equal(write_alert(s, "x-1"), 0);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(files(), 0);
    ft_evidence_store_close(s);
    (void)state;
}

static void test_age(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 2);
    char path[128];
    write_alert(s, "x-1");
    write_alert(s, "x-2");
    ft_evidence_store_close(s);
    struct utimbuf old = {time(NULL) - 3 * 86400, time(NULL) - 3 * 86400};
    snprintf(path, sizeof(path), "%s/x-2.pcapng", folder);
    utime(path, &old);
    s = open_store(1u << 20, 0);
    assert_int_equal(files(), 2);
    ft_evidence_store_close(s);
    s = open_store(1u << 20, 2);
    assert_int_equal(files(), 1);
    assert_int_equal(access(path, F_OK), -1);
    ft_evidence_store_close(s);
    (void)state;
}

static void test_names(void **state)
{
    char name[64];
    assert_true(ft_evidence_file_name("line3-40", name, sizeof(name)));
    assert_string_equal(name, "line3-40.pcapng");
    assert_true(ft_evidence_file_name("../etc/x y\xc3\xa4", name, sizeof(name)));
    assert_string_equal(name, "_._etc_x_y__.pcapng");
    assert_false(ft_evidence_file_name("", name, sizeof(name)));
    assert_false(ft_evidence_file_name("0123456789012345678901234567890123456789012345678901234567",
                                       name, sizeof(name)));
    assert_int_equal(ft_evidence_open(folder, ""), -1);
    assert_int_equal(errno, EINVAL);
    (void)state;
}

/* A file that is there stays as it is, whoever made it; names tell the highest number. */
static void test_nothing_is_replaced(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 0);
    char path[160], text[64], command[256];
    FILE *f;
    static const char *const names[] = {"x-7.pcapng",
                                        "x-7.2.pcapng",
                                        "x-9",
                                        "x-10.pcap",
                                        "y-11.pcapng",
                                        "x-y-12.pcapng",
                                        "x-0x13.pcapng",
                                        "x-9999999999999999999.pcapng",
                                        ".x-14.pcapng",
                                        "x-.pcapng",
                                        "x-15 old.pcapng",
                                        "x_z-16.pcapng"};
    (void)state;
    assert_int_equal(ft_evidence_last(folder, "x"), 0);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "theirs %u", i);
        fclose(f);
    }
    assert_int_equal(ft_evidence_last(folder, "x"), 7);
    assert_int_equal(ft_evidence_last(folder, "x/z"), 16);
    assert_int_equal(ft_evidence_last("/nonexistent", "x"), 0);
    assert_true(write_alert(s, "x-7") > 0);
    assert_true(write_alert(s, "x-8") > 0);
    assert_int_equal(ft_evidence_last(folder, "x"), 8);
    assert_int_equal(ft_evidence_store_stats(s).beside, 1);
    assert_int_equal(ft_evidence_store_stats(s).files, 2);
    snprintf(command, sizeof(command),
             "cat %s/x-7.pcapng %s/x-7.2.pcapng; cmp %s/x-7.3.pcapng %s/x-8.pcapng | wc -l", folder,
             folder, folder, folder);
    output_of(command, text, sizeof(text));
    assert_string_equal(text, "theirs 0theirs 11\n"); /* the comments differ */
    ft_evidence_store_close(s);
}

/* What stands in the way of writing is an error, and leaves nothing. */
static void test_cannot_write(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 0);
    char path[128], command[128], text[64];
    snprintf(path, sizeof(path), "%s/.evidence.tmp", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(write_alert(s, "x-1"), 0);
    assert_int_equal(rmdir(path), 0);
    snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
    output_of(command, text, sizeof(text));
    assert_int_equal(atoi(text), 0);
    assert_true(write_alert(s, "x-1") > 0);
    ft_evidence_store_close(s);
    struct ft_evidence_store_config config = {.folder = "/proc/no/such"};
    char error[512];
    assert_null(ft_evidence_store_open(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "/proc/no/such"));
    (void)state;
}

static void test_folder_removed(void **state)
{
    struct ft_evidence_store *s = open_store(1u << 20, 0);
    char aside[128], command[300];
    uint64_t one = write_alert(s, "x-1");
    assert_true(one > 0 && write_alert(s, "x-2") == one);
    remove_folder(NULL);
    assert_int_equal(write_alert(s, "x-3"), one);
    assert_int_equal(files(), 1);
    assert_int_equal(ft_evidence_store_stats(s).files, 1);
    assert_int_equal(ft_evidence_store_stats(s).bytes, one);
    assert_int_equal(ft_evidence_store_stats(s).removed, 0);
    /* Moved away and back, which is as a disk mounted over it: what is there then counts. */
    snprintf(aside, sizeof(aside), "%s.aside", folder);
    assert_int_equal(rename(folder, aside), 0);
    assert_true(write_alert(s, "x-4") == one && write_alert(s, "x-5") == one);
    assert_int_equal(ft_evidence_store_stats(s).files, 2);
    remove_folder(NULL);
    assert_int_equal(rename(aside, folder), 0);
    assert_int_equal(write_alert(s, "x-6"), one);
    assert_int_equal(files(), 2);
    assert_int_equal(ft_evidence_store_stats(s).files, 2);
    assert_int_equal(ft_evidence_store_stats(s).bytes, 2 * one);
    /* Where it cannot be made each alert tries again. */
    remove_folder(NULL);
    fclose(fopen(folder, "w"));
    assert_int_equal(write_alert(s, "x-7"), 0);
    assert_int_equal(errno, ENOENT);
    snprintf(command, sizeof(command), "rm %s", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(write_alert(s, "x-7"), one);
    assert_int_equal(files(), 1);
    ft_evidence_store_close(s);
    (void)state;
}

/* Blocks that do not fit are left out whole. */
static void test_pcapng_room(void **state)
{
    uint8_t room[400];
    size_t whole = 0;
    for (size_t size = sizeof(room) + 1; size-- > 0;) {
        struct ft_pcapng to = {.bytes = room, .size = size};
        memset(room, 0xee, sizeof(room));
        ft_pcapng_section(&to, "a", "bb", NULL, "comment");
        ft_pcapng_interface(&to, 1, 0, NULL);
        ft_pcapng_packet(&to, &(struct ft_pcapng_packet){
                                  .captured = 61, .length = 99, .data = bytes, .comment = "c"});
        size_t at = 0;
        while (at < to.used) { /* lengths at both ends agree */
            uint32_t n, again;
            memcpy(&n, room + at + 4, 4);
            assert_true(n >= 12 && n % 4 == 0 && n <= to.used - at);
            memcpy(&again, room + at + n - 4, 4);
            assert_int_equal(n, again);
            at += n;
        }
        for (size_t i = size; i < sizeof(room); i++)
            assert_int_equal(room[i], 0xee);
        whole = size == sizeof(room) ? to.used : whole;
        assert_int_equal(to.is_full, size < whole);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_keeps),
        cmocka_unit_test(test_history_wraps),
        cmocka_unit_test(test_history_as_of),
        cmocka_unit_test(test_history_sizes),
        cmocka_unit_test(test_wish_before_and_after),
        cmocka_unit_test(test_wish_ends_by_the_clock),
        cmocka_unit_test(test_wish_bounds),
        cmocka_unit_test(test_wish_is_of_one_flow),
        cmocka_unit_test(test_wish_without_packets),
        cmocka_unit_test(test_wish_overtaken),
        cmocka_unit_test(test_too_many_wishes),
        cmocka_unit_test(test_captures_wait),
        cmocka_unit_test_setup_teardown(test_file_is_read_by_tshark, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_oldest_makes_room, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_age, make_folder, remove_folder),
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_nothing_is_replaced, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_cannot_write, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_folder_removed, make_folder, remove_folder),
        cmocka_unit_test(test_pcapng_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
