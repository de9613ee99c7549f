/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of hits of rules on their way to the alerting core: whatever finds no room, each hit is
 * told by an event, told as a number, or counted as lost, of its rule too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/inspect.h"
#include "frames.h"
#include "rules/ruleset.h"

#define S         1000000000ull
#define CLIENT    0x0a000001u
#define SERVER    0x0a000002u
#define RULES_MAX 2000u

/* ---- a worker with rules ---- */

static struct worker {
    struct ft_registry *registry;
    struct ft_recogniser *recogniser;
    struct ft_shards *shards;
    struct ft_ring ring;
    struct ft_inspector *inspector;
    struct ft_ledger *ledger;
    struct ft_ruleset *set[2];
    struct ft_matcher *matcher[2];
    uint32_t rules, generation;
    uint64_t seq, time_ns;
    uint64_t told[RULES_MAX]; /* hits of each rule that came out of the ring */
    uint64_t events, with_evidence;
    uint64_t values, values_max; /* that were told with hits; in one event */
    const char *more;            /* of each rule: further keys */
} w;

static void say(void *user, bool is_error, const char *line)
{
    (void)user;
    if (is_error)
        fail_msg("%s", line);
}

/* Rules that differ, and hold for each payload with "evil" in it. */
static struct ft_ruleset *make_rules(uint32_t count)
{
    char path[] = "/tmp/ft_rule_hits_XXXXXX.json", error[1000];
    const char *paths[] = {path};
    struct ft_rule_environment environment = {.registry = w.registry};
    bool is_sound;
    FILE *f = fdopen(mkstemps(path, 5), "w");
    fprintf(f, "{\"rules\": [");
    for (uint32_t i = 0; i < count; i++)
        fprintf(f,
                "%s{\"id\": %u, \"title\": \"Rule %u\", \"when\": \"payload contains \\\"evil\\\" "
                "and payload.length != %u\"%s}",
                i ? "," : "", FT_RULE_ID_CUSTOM + i, i, 10000 + i, w.more);
    fprintf(f, "]}");
    fclose(f);
    struct ft_rule_files *files = ft_rule_files_read(paths, 1, &environment, say, NULL, &is_sound);
    unlink(path);
    assert_true(files && is_sound);
    struct ft_ruleset *set = ft_ruleset_new(files, NULL, error, sizeof(error));
    if (!set)
        fail_msg("%s", error);
    return set;
}

static void use_rules(uint32_t count)
{
    bool owned[FT_SHARDS];
    memset(owned, true, sizeof(owned));
    uint32_t at = w.generation++;
    w.rules = count;
    w.set[at] = make_rules(count);
    w.matcher[at] = ft_matcher_new(w.set[at]);
    assert_non_null(w.matcher[at]);
    ft_inspector_use_rules(w.inspector, w.set[at], w.matcher[at], w.generation, owned);
}

static void open_worker_with(uint64_t ring, uint32_t rules, const char *more)
{
    struct ft_shards_config config;
    char error[256];
    w = (struct worker){.registry = ft_registry_new(), .time_ns = 1700000000 * S, .more = more};
    ft_registry_finish(w.registry);
    w.recogniser = ft_recogniser_new(w.registry, error, sizeof(error));
    ft_shards_config_init(&config);
    config.flow.flows_per_shard = 64;
    config.entries_per_shard = 64;
    w.shards = ft_shards_new(w.registry, w.recogniser, &config, error, sizeof(error));
    assert_non_null(w.shards);
    assert_true(ft_ring_init(&w.ring, ring));
    w.inspector = ft_inspector_new(w.shards, &w.ring, NULL, NULL);
    assert_non_null(w.inspector);
    w.ledger = ft_inspector_ledger(w.inspector);
    use_rules(rules);
}

static void open_worker(uint64_t ring, uint32_t rules)
{
    open_worker_with(ring, rules, "");
}

static void close_worker(void)
{
    ft_inspector_free(w.inspector);
    for (unsigned i = 0; i < 2; i++) {
        ft_matcher_free(w.matcher[i]);
        ft_ruleset_free(w.set[i]);
    }
    ft_ring_free(&w.ring);
    ft_shards_free(w.shards);
    ft_recogniser_free(w.recogniser);
    ft_registry_free(w.registry);
}

/* What the alerting core would do. */
static void drain(void)
{
    const struct ft_event *e;
    while ((e = ft_ring_peek(&w.ring))) {
        struct ft_event_more more;
        if (e->type == FT_EVENT_RULE) {
            assert_true(e->message.rule < w.rules && e->message.count > 0);
            assert_in_range(e->message.generation, 1, w.generation);
            w.told[e->message.rule] += e->message.count;
            w.events++;
            if (ft_event_more(e, &more)) {
                w.values += more.value_count;
                w.values_max = more.value_count > w.values_max ? more.value_count : w.values_max;
            }
            w.with_evidence += ft_event_more(e, &more) && more.evidence_length > 0;
        }
        ft_ring_release(&w.ring);
    }
}

static void send_to(uint32_t source, uint32_t destination, uint16_t port)
{
    static struct frame frame;
    struct ft_decode_config config;
    ft_decode_config_init(&config);
    udp_frame(&frame, source, 40000, destination, port, "is evil", 7);
    struct ft_packet p = packet_of(&frame, ++w.seq);
    p.time_ns = p.stamp_ns = w.time_ns;
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODED);
    struct ft_packet *burst[] = {&p};
    ft_inspect_burst(w.inspector, burst, 1);
    packet_free(&p);
}

static void send(uint32_t source)
{
    send_to(source, SERVER, 4000);
}

static void tick(uint32_t flags)
{
    struct ft_packet p = {
        .seq = ++w.seq, .time_ns = w.time_ns, .stamp_ns = w.time_ns, .flags = flags};
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        if (flags & FT_PACKET_END)
            ft_inspect_end(w.inspector, &p, (uint8_t)shard);
        else
            ft_inspect_tick(w.inspector, &p, (uint8_t)shard);
}

static struct ft_ledger books(void)
{
    static struct ft_books all;
    bool owned[FT_SHARDS];
    memset(owned, true, sizeof(owned));
    ft_inspect_books(w.inspector, owned, &all);
    return all.ledger;
}

static uint64_t told_of_all(void)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < w.rules; i++)
        all += w.told[i];
    return all;
}

/* Nothing is missing: in the sums, and of each rule. */
static void check(uint64_t hits)
{
    struct ft_ledger l = books();
    const struct ft_rule_counts *counts = ft_matcher_counts(w.matcher[w.generation - 1]);
    uint64_t lost = 0;
    drain();
    assert_int_equal(l.rule_hits, hits);
    assert_true(ft_ledger_is_balanced(&l));
    assert_int_equal(l.rule_hits_told + l.rule_hits_repeated, told_of_all());
    for (uint32_t i = 0; i < w.rules; i++) {
        lost += counts[i].lost;
        if (w.generation == 1 && !l.rule_hits_waiting)
            assert_int_equal(counts[i].hits, w.told[i] + counts[i].lost);
    }
    if (w.generation == 1)
        assert_int_equal(lost, l.rule_hits_untold + l.rule_hits_shed);
}

/* ---- tests ---- */

static void test_with_room(void **state)
{
    (void)state;
    open_worker(1u << 20, 3);
    for (uint32_t i = 0; i < 100; i++)
        send(CLIENT);
    struct ft_ledger l = books();
    assert_int_equal(l.rule_hits_told, 3);
    assert_int_equal(l.rule_hits_waiting, 297);
    check(300);
    tick(0);
    check(300);
    assert_int_equal(told_of_all(), 300);
    assert_int_equal(w.events, 6);
    assert_int_equal(w.with_evidence, 6); /* what is told as a number says why as well */
    close_worker();
}

/* A ring that is full for a second delays, and loses nothing. */
static void test_a_full_ring(void **state)
{
    (void)state;
    open_worker(1, 1);
    for (uint32_t i = 0; i < 200; i++) /* another pair each */
        send(CLIENT + 16 + i);
    assert_true(books().rule_hits_waiting > 100); /* the ring of some 30 KiB is full */
    for (uint32_t i = 0; i < 5000; i++)
        send(CLIENT);
    assert_int_equal(books().rule_hits_shed, 0);
    for (uint32_t i = 0; i < 20; i++) { /* the core is slow, but it is there */
        drain();
        tick(0);
        check(5200);
    }
    assert_int_equal(books().rule_hits_waiting, 0);
    assert_int_equal(books().rule_hits_shed, 0);
    assert_int_equal(told_of_all(), 5200);
    assert_int_equal(w.with_evidence, w.events);
    close_worker();
}

/* One that stays full loses: by number, and of its rule. */
static void test_a_ring_that_stays_full(void **state)
{
    (void)state;
    open_worker(1, 300);
    for (uint32_t i = 0; i < 4; i++) { /* more rules than places: some are put out */
        send(CLIENT);
        w.time_ns += S;
        tick(0);
    }
    struct ft_ledger l = books();
    assert_int_equal(l.rule_hits, 1200);
    assert_true(l.rule_hits_shed > 0);
    assert_true(l.rule_hits_waiting > 0);
    assert_true(ft_ledger_is_balanced(&l));
    tick(FT_PACKET_END);
    assert_int_equal(books().rule_hits_waiting, 0);
    assert_true(books().rule_hits_shed > l.rule_hits_shed);
    check(1200);
    close_worker();
}

/* More different ones in a second than are told. */
static void test_too_many_in_a_second(void **state)
{
    (void)state;
    open_worker(4u << 20, 1100);
    for (uint32_t i = 0; i < 10; i++)
        send(CLIENT);
    struct ft_ledger l = books();
    assert_int_equal(l.rule_hits_told, 1024);
    assert_true(l.rule_hits_untold >= 76);
    assert_true(l.rule_hits_waiting > 0); /* of those that were told: their number is known */
    check(11000);
    w.time_ns += S;
    tick(0);
    send(CLIENT); /* another second */
    check(12100);
    assert_int_equal(books().rule_hits_told, 2048);
    assert_int_equal(books().rule_hits_shed, 0);
    close_worker();
}

/* Those that wait when the rules are read again are told, or lost, as what they were. */
static void test_a_reload_in_between(void **state)
{
    (void)state;
    open_worker(1, 200);
    send(CLIENT);
    assert_true(books().rule_hits_waiting > 100);
    use_rules(200);
    send(CLIENT);
    uint64_t lost = books().rule_hits_shed;
    for (uint32_t i = 0; i < 20; i++) {
        drain();
        tick(0);
    }
    tick(FT_PACKET_END);
    check(400);
    assert_int_equal(books().rule_hits_waiting, 0);
    assert_int_equal(books().rule_hits_shed, lost);
    assert_int_equal(told_of_all(), 400 - lost);
    close_worker();
}

/* ---- values that are counted ---- */

#define DISTINCT(at_least, of, by)                                                                 \
    ", \"threshold\": {\"at_least\": " #at_least ", \"seconds\": 10, \"distinct\": \"" of          \
    "\", \"by\": \"" by "\"}"

/* A scan of many ports is a few events, which hold its ports: each once in a second. */
static void test_values_of_a_pair(void **state)
{
    (void)state;
    open_worker_with(1u << 20, 1, DISTINCT(20, "port.dst", "pair"));
    for (uint32_t i = 0; i < 300; i++)
        send_to(CLIENT, SERVER, (uint16_t)(1000 + i % 30));
    check(300);
    assert_int_equal(w.events, 1);
    tick(0);
    check(300);
    assert_int_equal(w.events, 2);
    assert_int_equal(w.values, 30);
    w.time_ns += S;
    send_to(CLIENT, SERVER, 1000); /* the same may come again in another second */
    tick(0);
    check(301);
    assert_int_equal(w.values, 31);
    close_worker();
}

/* Many hosts are values as well: an event for each shard, not for each of them. */
static void test_values_of_a_source(void **state)
{
    (void)state;
    open_worker_with(4u << 20, 1, DISTINCT(20, "ip.dst", "source"));
    for (uint32_t i = 0; i < 2560; i++)
        send_to(CLIENT, SERVER + i, 4000);
    tick(0);
    check(2560);
    assert_int_equal(w.values, 2560);
    assert_in_range(w.events, FT_SHARDS, 2 * FT_SHARDS);
    close_worker();
}

/* Of each port that it sends to. */
static void test_values_of_a_service(void **state)
{
    (void)state;
    open_worker_with(4u << 20, 1, DISTINCT(20, "ip.dst", "service"));
    for (uint32_t i = 0; i < 200; i++)
        send_to(CLIENT, SERVER + i % 10, (uint16_t)(5000 + i % 4));
    tick(0);
    check(200);
    assert_int_equal(w.values, 20); /* ten hosts, of each the ports that are odd, or even */
    close_worker();
}

/* More than the threshold asks for is not told, whatever the flood. */
static void test_a_flood_of_values(void **state)
{
    (void)state;
    open_worker_with(4u << 20, 1, DISTINCT(100, "port.dst", "source"));
    for (uint32_t i = 0; i < 50000; i++)
        send_to(CLIENT, SERVER, (uint16_t)i);
    tick(0);
    check(50000);
    assert_in_range(w.values, 100, 600);
    assert_in_range(w.events, 2, 12);
    assert_int_equal(w.values_max, FT_EVENT_VALUES);
    assert_int_equal(books().rule_values_shed, 0);
    close_worker();
}

/* A ring that is full loses values, by number; the hits are not lost. */
static void test_values_and_a_full_ring(void **state)
{
    (void)state;
    open_worker_with(1, 1, DISTINCT(1000, "port.dst", "pair"));
    for (uint32_t i = 0; i < 200; i++)
        send_to(CLIENT + 16 + i, SERVER, 4000);
    for (uint32_t i = 0; i < 1000; i++)
        send_to(CLIENT, SERVER, (uint16_t)i);
    assert_true(books().rule_values_shed > 0);
    for (uint32_t i = 0; i < 20; i++) {
        drain();
        tick(0);
    }
    check(1200);
    assert_int_equal(books().rule_hits_shed, 0);
    assert_int_equal(w.values + books().rule_values_shed, 1200);
    close_worker();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_room),
        cmocka_unit_test(test_a_full_ring),
        cmocka_unit_test(test_a_ring_that_stays_full),
        cmocka_unit_test(test_too_many_in_a_second),
        cmocka_unit_test(test_a_reload_in_between),
        cmocka_unit_test(test_values_of_a_pair),
        cmocka_unit_test(test_values_of_a_source),
        cmocka_unit_test(test_values_of_a_service),
        cmocka_unit_test(test_a_flood_of_values),
        cmocka_unit_test(test_values_and_a_full_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
