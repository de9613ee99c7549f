/* SPDX-License-Identifier: BSD-3-Clause */
/* conversation.c: who talks to whom; which operations are new between them; bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/conversation.h"
#include "records.h"

static struct record r;
static struct ft_conversations *all;

static void open_with(uint32_t max, uint32_t max_operations)
{
    const uint64_t key[2] = {1, 2};
    all = ft_conversations_new(max, max_operations, key);
    assert_non_null(all);
}

static int setup(void **state)
{
    (void)state;
    open_with(1000, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ft_conversations_free(all);
    return 0;
}

static uint32_t address_of(const struct ft_address *a)
{
    return __builtin_bswap32(a->ip.v4);
}

/* Client and server are those of the event, whoever sent it. */
static void test_sides(void **state)
{
    (void)state;
    struct ft_conversation *c =
        ft_conversation_of(all, &make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 5, CLIENT, PLC)->event);
    assert_int_equal(address_of(&c->client), CLIENT);
    assert_int_equal(address_of(&c->server), PLC);
    assert_int_equal(c->protocol, PROTOCOL_POLL);
    assert_false(c->is_mutual);
    assert_true(c->first_ns == START + 5 * S && c->last_ns == c->first_ns);
    make_reply(&r, FT_EVENT_TALK, PROTOCOL_POLL, 9, PLC, CLIENT);
    assert_ptr_equal(ft_conversation_of(all, &r.event), c);
    assert_true(c->first_ns == START + 5 * S);
    assert_int_equal(ft_conversations_count(all), 1);
}

/* Another client, server or protocol is another conversation, and so is the other way. */
static void test_different(void **state)
{
    static const struct {
        uint32_t client, server;
        uint16_t protocol;
    } pairs[] = {
        {CLIENT, PLC, PROTOCOL_POLL},     {STATION, PLC, PROTOCOL_POLL},
        {CLIENT, STATION, PROTOCOL_POLL}, {CLIENT, PLC, PROTOCOL_GOOSE},
        {CLIENT, PLC, PROTOCOL_NONE},     {PLC, CLIENT, PROTOCOL_POLL},
    };
    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 6; i++) {
            make(&r, FT_EVENT_TALK, pairs[i].protocol, 1, pairs[i].client, pairs[i].server);
            assert_non_null(ft_conversation_of(all, &r.event));
            assert_int_equal(ft_conversations_count(all), round ? 6 : i + 1);
        }
    assert_int_equal(ft_conversations_refused(all), 0);
}

static struct ft_conversation *mutual(uint32_t src, uint32_t dst)
{
    make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, src, dst);
    r.event.packet.server_side = 2;
    return ft_conversation_of(all, &r.event);
}

/* Among equals both ways are one conversation, the lower address first. */
static void test_equals(void **state)
{
    (void)state;
    struct ft_conversation *c = mutual(PLC, CLIENT);
    assert_true(c->is_mutual);
    assert_int_equal(address_of(&c->client), CLIENT);
    assert_int_equal(address_of(&c->server), PLC);
    assert_ptr_equal(mutual(CLIENT, PLC), c);
    assert_int_equal(ft_conversations_count(all), 1);
}

/* A group is never who asks, by its address, its frame's, or as the decoder says. */
static void test_groups(void **state)
{
    (void)state;
    struct ft_conversation *c = mutual(0xe0000001, CLIENT); /* 224.0.0.1 says something */
    assert_int_equal(address_of(&c->client), CLIENT);
    c = mutual(STATION, 0xe0000001);
    assert_int_equal(address_of(&c->client), STATION);

    make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, PLC, CLIENT);
    r.event.packet.server_side = 2;
    r.event.packet.is_multicast = true;
    c = ft_conversation_of(all, &r.event);
    assert_int_equal(address_of(&c->client), PLC);

    make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, STATION, CLIENT);
    r.event.packet.server_side = 2;
    r.event.packet.dst_mac[0] = 1;
    c = ft_conversation_of(all, &r.event);
    assert_int_equal(address_of(&c->client), STATION);
    /* locally administered is no group; and without MAC addresses the bytes mean nothing */
    make(&r, FT_EVENT_TALK, PROTOCOL_GOOSE, 1, STATION, CLIENT);
    r.event.packet.server_side = 2;
    r.event.packet.dst_mac[0] = 2;
    c = ft_conversation_of(all, &r.event);
    assert_int_equal(address_of(&c->client), CLIENT);
    make(&r, FT_EVENT_TALK, PROTOCOL_TPKT, 1, STATION, CLIENT);
    r.event.packet.server_side = 2;
    r.event.packet.dst_mac[0] = 1;
    r.event.packet.has_mac = false;
    c = ft_conversation_of(all, &r.event);
    assert_int_equal(address_of(&c->client), CLIENT);
}

static bool operation(uint32_t command, uint64_t unit)
{
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), command);
    if (unit)
        with_unit(&r, 1, unit);
    return ft_conversation_operation(all, &r.event);
}

/* An operation is new by code, qualifier, device behind either side; counted by class. */
static void test_operations(void **state)
{
    (void)state;
    assert_true(operation(POLL_READ, 0));
    assert_false(operation(POLL_READ, 0));
    assert_true(operation(POLL_WRITE, 0));
    assert_true(operation(POLL_READ, 4));
    assert_true(operation(POLL_READ, 5));
    assert_false(operation(POLL_READ, 4));
    with_unit(with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ),
              0, 4);
    assert_true(ft_conversation_operation(all, &r.event));
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, CLIENT, PLC), POLL_READ);
    r.event.message.qualifier = 7;
    assert_true(ft_conversation_operation(all, &r.event));
    with_command(make(&r, FT_EVENT_OPERATION, PROTOCOL_POLL, 1, STATION, PLC), POLL_READ);
    assert_true(ft_conversation_operation(all, &r.event)); /* of another client */

    const struct ft_conversation *c =
        ft_conversation_of(all, &make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, CLIENT, PLC)->event);
    assert_int_equal(c->operations, 6);
    assert_int_equal(c->by_class[FT_CLASS_READ], 5);
    assert_int_equal(c->by_class[FT_CLASS_WRITE], 1);
    assert_int_equal(ft_conversations_count(all), 2);
}

/* What finds no room is refused and counted; what has a place goes on. */
static void test_bounds(void **state)
{
    (void)state;
    ft_conversations_free(all);
    open_with(100, 150);
    for (uint32_t i = 0; i < 100; i++) {
        make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, CLIENT + i, PLC);
        assert_non_null(ft_conversation_of(all, &r.event));
    }
    make(&r, FT_EVENT_TALK, PROTOCOL_POLL, 1, CLIENT + 100, PLC);
    assert_null(ft_conversation_of(all, &r.event));
    assert_false(ft_conversation_operation(all, &r.event));
    assert_int_equal(ft_conversations_refused(all), 2);
    assert_int_equal(ft_conversations_count(all), 100);
    for (uint32_t i = 0; i < 150; i++)
        assert_true(operation(POLL_READ, i + 1));
    assert_false(operation(POLL_READ, 151));
    assert_int_equal(ft_conversations_refused(all), 3);
    assert_false(operation(POLL_READ, 150));
    assert_int_equal(ft_conversations_refused(all), 3); /* it is known */
}

static void test_sorted(void **state)
{
    static const struct {
        uint32_t client, server;
        uint16_t protocol;
    } made[] = {
        {STATION, PLC, 1},
        {CLIENT, STATION, 1},
        {CLIENT, PLC, 2},
        {CLIENT, PLC, 0},
    };
    (void)state;
    assert_null(ft_conversations_sorted(all));
    for (uint32_t i = 0; i < 4; i++)
        ft_conversation_of(
            all,
            &make(&r, FT_EVENT_TALK, made[i].protocol, 1, made[i].client, made[i].server)->event);
    const struct ft_conversation **sorted = ft_conversations_sorted(all);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(address_of(&sorted[i]->client), made[3 - i].client);
        assert_int_equal(address_of(&sorted[i]->server), made[3 - i].server);
        assert_int_equal(sorted[i]->protocol, made[3 - i].protocol);
    }
    free(sorted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sides),      TEST(test_different), TEST(test_equals), TEST(test_groups),
        TEST(test_operations), TEST(test_bounds),    TEST(test_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
