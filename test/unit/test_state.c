/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of a shard's state: look-up, eviction, expiry, deadlines, buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/state.h"

#define ENTRIES 8
#define SECOND  1000000000ull
#define FLOW    77
#define PROTO   3

static struct ft_state s;
static struct {
    uint64_t key;
    uint8_t kind;
} told[64];
static unsigned told_count;

static int setup(void **state)
{
    (void)state;
    told_count = 0;
    bool ok = ft_state_init(&s, ENTRIES, 3, 2);
    ft_state_begin(&s);
    return ok ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_state_free(&s);
    return 0;
}

static void tell(void *user, const struct ft_entry *e)
{
    (void)user;
    told[told_count].key = e->key;
    told[told_count++].kind = e->kind;
}

static const struct ft_state_ops ops = {.unanswered = tell, .silent = tell};

static struct ft_entry *add(enum ft_entry_kind kind, uint64_t key, uint64_t time_ns)
{
    return ft_state_add(&s, FLOW, PROTO, kind, key, FLOW, time_ns);
}

static struct ft_entry *find(enum ft_entry_kind kind, uint64_t key)
{
    return ft_state_find(&s, FLOW, PROTO, kind, key);
}

/* The PDU that used what was added so far is over. */
static void next_pdu(void)
{
    ft_state_begin(&s);
}

static void test_found_by_all_of_its_key(void **state)
{
    (void)state;
    struct ft_entry *e = add(FT_ENTRY_CHANNEL, 5, SECOND);
    assert_ptr_equal(find(FT_ENTRY_CHANNEL, 5), e);
    assert_null(find(FT_ENTRY_CHANNEL, 6));
    assert_null(find(FT_ENTRY_CHILD, 5));
    assert_null(ft_state_find(&s, FLOW + 1, PROTO, FT_ENTRY_CHANNEL, 5));
    assert_null(ft_state_find(&s, FLOW, PROTO + 1, FT_ENTRY_CHANNEL, 5));
    ft_state_remove(&s, e);
    assert_null(find(FT_ENTRY_CHANNEL, 5));
    assert_int_equal(s.entries.used, 0);
}

static void test_content_is_zeroed_each_time(void **state)
{
    (void)state;
    static const uint8_t zeros[FT_MAX_CHANNEL_STATE];
    for (unsigned round = 0; round < 2 * ENTRIES; round++) {
        struct ft_entry *e = add(round % 2 ? FT_ENTRY_CHANNEL : FT_ENTRY_FLOW_STATE, 1, SECOND);
        assert_memory_equal(e->data, zeros, sizeof(zeros));
        memset(e->data, 0xff, sizeof(e->data));
        ft_state_remove(&s, e);
    }
}

static void test_one_key_first_in_first_out(void **state)
{
    (void)state;
    struct ft_entry *e[3];
    for (unsigned i = 0; i < 3; i++)
        e[i] = add(FT_ENTRY_REQUEST, 9, SECOND + i);
    for (unsigned i = 0; i < 3; i++) {
        assert_ptr_equal(find(FT_ENTRY_REQUEST, 9), e[i]);
        ft_state_remove(&s, e[i]);
    }
    assert_null(find(FT_ENTRY_REQUEST, 9));
}

static void test_one_key_holds_so_many_requests(void **state)
{
    (void)state;
    ft_state_free(&s);
    assert_true(ft_state_init(&s, 64, 1, 1));
    for (uint64_t i = 0; i < FT_REQUESTS_PER_KEY + 5; i++)
        add(FT_ENTRY_REQUEST, 7, i + 1);
    assert_int_equal(s.entries.used, FT_REQUESTS_PER_KEY);
    assert_int_equal(s.stats.requests_displaced, 5);
    assert_int_equal(s.stats.unanswered, 0);
    assert_int_equal(find(FT_ENTRY_REQUEST, 7)->time_ns, 6);
}

/* However many others wait, older and younger ones: each is told, oldest first. */
static void test_requests_of_a_flow_are_told_when_it_ends(void **state)
{
    (void)state;
    ft_state_free(&s);
    assert_true(ft_state_init(&s, 2048, 1, 1));
    for (uint64_t i = 0; i < 20; i++) {
        ft_state_add(&s, 1, 0, FT_ENTRY_REQUEST, i, 11, i + 1);
        ft_state_add(&s, 3, 0, FT_ENTRY_REQUEST, i, 22, i + 1); /* under another owner */
    }
    for (uint64_t i = 0; i < 1000; i++)
        ft_state_add(&s, 1000 + i, 0, FT_ENTRY_REQUEST, i, 1000 + i, 50);
    ft_state_remove(&s, ft_state_find(&s, 1, 0, FT_ENTRY_REQUEST, 19)); /* its youngest */
    ft_state_remove(&s, ft_state_find(&s, 1, 0, FT_ENTRY_REQUEST, 7));
    ft_state_end_flow(&s, 11, &ops, NULL);
    assert_int_equal(told_count, 18);
    assert_int_equal(told[0].key, 0);
    assert_int_equal(told[7].key, 8);
    assert_int_equal(told[17].key, 18);
    assert_int_equal(s.stats.unanswered, 18);
    assert_int_equal(s.entries.used, 1020);
    ft_state_end_flow(&s, 11, &ops, NULL);
    assert_int_equal(told_count, 18);
    ft_state_end_flow(&s, 22, &ops, NULL);
    assert_int_equal(told_count, 38);
    assert_int_equal(s.count[FT_ENTRY_REQUEST], 1000);
}

/* Nothing is kept for a flow that has ended; what is of a pair of hosts is for the next one. */
static void test_the_end_of_a_flow_frees_its_state(void **state)
{
    (void)state;
    const enum ft_entry_kind kinds[] = {FT_ENTRY_CHANNEL, FT_ENTRY_FLOW_STATE, FT_ENTRY_CHILD,
                                        FT_ENTRY_REASSEMBLY};
    for (unsigned i = 0; i < 4; i++)
        ft_state_add(&s, 11, PROTO, kinds[i], i, 11, SECOND);
    ft_state_find(&s, 11, PROTO, FT_ENTRY_CHANNEL, 0)->deadline_ns = 2 * SECOND;
    s.deadlines++;
    ft_state_find(&s, 11, PROTO, FT_ENTRY_REASSEMBLY, 3)->reassembly.buffer =
        ft_buffer_get(&s.pools, 100);
    ft_state_add(&s, 99, PROTO, FT_ENTRY_CHANNEL, 0, 11, SECOND); /* of the pair */
    ft_state_add(&s, 12, PROTO, FT_ENTRY_CHANNEL, 0, 12, SECOND);
    ft_state_add(&s, 99, PROTO, FT_ENTRY_REQUEST, 0, 11, SECOND);
    ft_state_end_flow(&s, 11, &ops, NULL);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].kind, FT_ENTRY_REQUEST);
    assert_int_equal(s.entries.used, 2);
    assert_int_equal(s.pools.small.used, 0);
    assert_int_equal(s.deadlines, 0);
    assert_non_null(ft_state_find(&s, 99, PROTO, FT_ENTRY_CHANNEL, 0));
    ft_state_end_flow(&s, 12, &ops, NULL);
    assert_int_equal(s.entries.used, 1);
}

/* What makes room is not told but counted, as what it is. */
static void test_evicted_requests_are_counted(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ENTRIES + 3; i++)
        add(FT_ENTRY_REQUEST, i, i + 1);
    assert_int_equal(s.stats.requests_evicted, 3);
    assert_int_equal(s.stats.evicted, 3);
    add(FT_ENTRY_CHANNEL, 1, 20);
    assert_int_equal(s.stats.requests_evicted, 4);
    ft_state_end_flow(&s, FLOW, &ops, NULL);
    assert_int_equal(told_count, ENTRIES - 1);
    assert_int_equal(told[0].key, 4);
    for (uint64_t i = 0; i < ENTRIES; i++) /* all in use by one PDU */
        add(FT_ENTRY_CHANNEL, i, 30);
    assert_null(add(FT_ENTRY_REQUEST, 1, 31));
    assert_int_equal(s.stats.requests_refused, 1);
    assert_int_equal(s.stats.unanswered, ENTRIES - 1);
}

static void test_oldest_is_evicted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++)
        add(FT_ENTRY_CHANNEL, i, SECOND + i);
    next_pdu();
    ft_state_touch(&s, find(FT_ENTRY_CHANNEL, 0), 2 * SECOND);
    assert_non_null(add(FT_ENTRY_CHANNEL, 100, 3 * SECOND));
    assert_non_null(find(FT_ENTRY_CHANNEL, 0));
    assert_null(find(FT_ENTRY_CHANNEL, 1));
    assert_non_null(find(FT_ENTRY_CHANNEL, 2));
    assert_int_equal(s.stats.evicted, 1);
    assert_int_equal(s.entries.used, ENTRIES);
}

/* A flood of one kind takes from itself, not from the few of another. */
static void test_largest_kind_gives(void **state)
{
    (void)state;
    add(FT_ENTRY_CHANNEL, 1, SECOND);
    add(FT_ENTRY_FLOW_STATE, 2, SECOND);
    for (unsigned i = 0; i < 50; i++) {
        next_pdu();
        assert_non_null(add(FT_ENTRY_REQUEST, i, 2 * SECOND + i));
    }
    assert_non_null(find(FT_ENTRY_CHANNEL, 1));
    assert_non_null(find(FT_ENTRY_FLOW_STATE, 2));
    assert_null(find(FT_ENTRY_REQUEST, 50 - ENTRIES + 1));
    assert_non_null(find(FT_ENTRY_REQUEST, 50 - ENTRIES + 2));
    /* and a new kind finds room at the flood's expense */
    next_pdu();
    assert_non_null(add(FT_ENTRY_CHILD, 7, 3 * SECOND));
    assert_null(find(FT_ENTRY_REQUEST, 50 - ENTRIES + 2));
}

/* What a dissector holds the address of stays while its PDU is read. */
static void test_held_entries_stay(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRIES - 1; i++)
        assert_non_null(add(FT_ENTRY_CHANNEL, i, SECOND));
    assert_non_null(add(FT_ENTRY_REQUEST, 1, SECOND));
    assert_non_null(add(FT_ENTRY_CHANNEL, 100, SECOND));
    assert_null(find(FT_ENTRY_REQUEST, 1));
    assert_null(add(FT_ENTRY_CHANNEL, 101, SECOND));
    assert_null(add(FT_ENTRY_REASSEMBLY, 1, SECOND));
    assert_int_equal(s.stats.refused, 2);
    for (unsigned i = 0; i < ENTRIES - 1; i++)
        assert_non_null(find(FT_ENTRY_CHANNEL, i));
    next_pdu();
    assert_non_null(add(FT_ENTRY_REASSEMBLY, 1, SECOND));
    assert_null(find(FT_ENTRY_CHANNEL, 0));
}

/* The flow state of a layer that was not touched, only used, may be the oldest: still held. */
static void test_used_flow_state_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++)
        add(FT_ENTRY_FLOW_STATE, i, SECOND);
    next_pdu();
    find(FT_ENTRY_FLOW_STATE, 0)->used_by = s.serial;
    assert_non_null(add(FT_ENTRY_CHANNEL, 1, SECOND));
    assert_non_null(find(FT_ENTRY_FLOW_STATE, 0));
    assert_null(find(FT_ENTRY_FLOW_STATE, 1));
}

static void test_expiry(void **state)
{
    (void)state;
    add(FT_ENTRY_REQUEST, 1, 1 * SECOND);
    add(FT_ENTRY_REQUEST, 2, 2 * SECOND);
    add(FT_ENTRY_CHANNEL, 3, 1 * SECOND);
    add(FT_ENTRY_CHILD, 4, 1 * SECOND);
    struct ft_entry *part = add(FT_ENTRY_REASSEMBLY, 5, 1 * SECOND);
    part->reassembly.buffer = ft_buffer_get(&s.pools, 100);
    assert_int_equal(s.pools.small.used, 1);

    ft_state_tick(&s, (1 + FT_REQUEST_SECONDS) * SECOND, &ops, NULL);
    assert_int_equal(told_count, 0);
    ft_state_tick(&s, (1 + FT_REQUEST_SECONDS) * SECOND + 1, &ops, NULL);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].key, 1);
    assert_int_equal(told[0].kind, FT_ENTRY_REQUEST);
    ft_state_tick(&s, (2 + FT_REQUEST_SECONDS) * SECOND + 1, &ops, NULL);
    assert_int_equal(told_count, 2);
    assert_int_equal(s.stats.unanswered, 2);

    assert_non_null(find(FT_ENTRY_REASSEMBLY, 5));
    ft_state_tick(&s, (1 + FT_REASSEMBLY_SECONDS) * SECOND + 1, &ops, NULL);
    assert_null(find(FT_ENTRY_REASSEMBLY, 5));
    assert_int_equal(s.pools.small.used, 0);

    ft_state_touch(&s, find(FT_ENTRY_CHANNEL, 3), 100 * SECOND);
    ft_state_tick(&s, (1 + FT_CHANNEL_SECONDS) * SECOND + 1, &ops, NULL);
    assert_non_null(find(FT_ENTRY_CHANNEL, 3));
    assert_null(find(FT_ENTRY_CHILD, 4));
    ft_state_tick(&s, (100 + FT_CHANNEL_SECONDS) * SECOND + 1, &ops, NULL);
    assert_int_equal(s.entries.used, 0);
    assert_int_equal(told_count, 2);
    assert_int_equal(s.stats.expired, 3);
}

static void arm(struct ft_entry *e, uint64_t deadline_ns)
{
    s.deadlines += !e->deadline_ns;
    e->deadline_ns = deadline_ns;
}

static void test_deadlines_fire_once(void **state)
{
    (void)state;
    arm(add(FT_ENTRY_CHANNEL, 1, SECOND), 3 * SECOND);
    add(FT_ENTRY_CHANNEL, 2, SECOND);
    arm(add(FT_ENTRY_CHANNEL, 3, SECOND), 2 * SECOND);
    ft_state_tick(&s, 2 * SECOND, &ops, NULL);
    assert_int_equal(told_count, 0);
    ft_state_tick(&s, 4 * SECOND, &ops, NULL);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0].key, 1);
    assert_int_equal(told[1].key, 3);
    assert_int_equal(s.deadlines, 0);
    ft_state_tick(&s, 9 * SECOND, &ops, NULL);
    assert_int_equal(told_count, 2);
    /* removing an armed channel disarms it */
    arm(find(FT_ENTRY_CHANNEL, 1), 20 * SECOND);
    ft_state_remove(&s, find(FT_ENTRY_CHANNEL, 1));
    assert_int_equal(s.deadlines, 0);
    ft_state_tick(&s, 30 * SECOND, &ops, NULL);
    assert_int_equal(told_count, 2);
}

static void test_gap_drops_one_direction_of_one_flow(void **state)
{
    (void)state;
    for (unsigned flow = 1; flow <= 2; flow++) {
        for (uint8_t direction = FT_TO_SERVER; direction <= FT_TO_CLIENT; direction++) {
            struct ft_entry *e =
                ft_state_add(&s, flow, PROTO, FT_ENTRY_REASSEMBLY, direction, flow, SECOND);
            e->from = direction;
            e->reassembly.buffer = ft_buffer_get(&s.pools, 10);
        }
    }
    assert_int_equal(s.pools.small.used + s.pools.large.used, 4);
    ft_state_gap(&s, 1, FT_TO_CLIENT);
    assert_int_equal(s.count[FT_ENTRY_REASSEMBLY], 3);
    assert_null(ft_state_find(&s, 1, PROTO, FT_ENTRY_REASSEMBLY, FT_TO_CLIENT));
    assert_int_equal(s.pools.small.used + s.pools.large.used, 3);
}

static void test_buffers_of_two_sizes(void **state)
{
    (void)state;
    struct ft_framer_pools *p = &s.pools;
    uint32_t small = ft_buffer_get(p, FT_BUFFER_SMALL_SIZE);
    uint32_t large = ft_buffer_get(p, FT_BUFFER_SMALL_SIZE + 1);
    assert_int_equal(ft_buffer_size(small), FT_BUFFER_SMALL_SIZE);
    assert_int_equal(ft_buffer_size(large), FT_MAX_PDU);
    memset(ft_buffer_at(p, small), 1, FT_BUFFER_SMALL_SIZE);
    memset(ft_buffer_at(p, large), 2, FT_MAX_PDU);
    assert_int_equal(ft_buffer_at(p, small)[FT_BUFFER_SMALL_SIZE - 1], 1);
    assert_int_equal(ft_buffer_get(p, FT_MAX_PDU + 1), 0);
    /* small ones come from the large pool when theirs is empty */
    assert_int_equal(ft_buffer_size(ft_buffer_get(p, 1)), FT_BUFFER_SMALL_SIZE);
    assert_int_equal(ft_buffer_size(ft_buffer_get(p, 1)), FT_BUFFER_SMALL_SIZE);
    uint32_t last = ft_buffer_get(p, 1);
    assert_int_equal(ft_buffer_size(last), FT_MAX_PDU);
    assert_int_equal(ft_buffer_get(p, 1), 0);
    ft_buffer_put(p, last);
    ft_buffer_put(p, large);
    ft_buffer_put(p, small);
    ft_buffer_put(p, 0);
    assert_int_equal(p->small.used, 2);
    assert_int_equal(p->large.used, 0);
}

/* Against a plain model: random calls, then every list, chain and counter must agree. */
static void check_lists(void)
{
    uint32_t total = 0;
    for (unsigned kind = 0; kind < FT_ENTRY_KINDS; kind++) {
        uint32_t n = 0, before = 0;
        for (uint32_t at = s.oldest[kind]; at; n++) {
            const struct ft_entry *e = ft_pool_at(&s.entries, at);
            assert_int_equal(e->kind, kind);
            assert_int_equal(e->older, before);
            assert_non_null(
                ft_state_find(&s, e->owner, e->protocol, (enum ft_entry_kind)kind, e->key));
            before = at;
            at = e->newer;
        }
        assert_int_equal(s.newest[kind], before);
        assert_int_equal(s.count[kind], n);
        total += n;
    }
    assert_int_equal(s.entries.used, total);
}

static void test_random_calls(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (unsigned i = 0; i < 20000; i++) {
        x = x * 1664525u + 1013904223u;
        enum ft_entry_kind kind = (enum ft_entry_kind)((x >> 8) % FT_ENTRY_KINDS);
        uint64_t key = (x >> 16) % 12, now = SECOND + i * (SECOND / 50);
        struct ft_entry *e = find(kind, key);
        switch ((x >> 28) % 5) {
        case 0:
        case 1:
            if (!e)
                add(kind, key, now);
            break;
        case 2:
            if (e)
                ft_state_touch(&s, e, now);
            break;
        case 3:
            if (e)
                ft_state_remove(&s, e);
            break;
        default:
            next_pdu();
            if (i % 16 == 0)
                ft_state_tick(&s, now, &ops, NULL);
            told_count = 0;
        }
        if (i % 8 == 0)
            check_lists();
    }
    assert_true(s.stats.evicted > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_by_all_of_its_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_content_is_zeroed_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_key_first_in_first_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_key_holds_so_many_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_requests_of_a_flow_are_told_when_it_ends, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_end_of_a_flow_frees_its_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_evicted_requests_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_oldest_is_evicted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_kind_gives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_entries_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_used_flow_state_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deadlines_fire_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap_drops_one_direction_of_one_flow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_buffers_of_two_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_calls, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
