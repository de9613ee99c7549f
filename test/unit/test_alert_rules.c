/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of rules in the alerting core: schedule, devices, thresholds, messages, windows, rule sets
 * one after another, events of the timeline. */
#include "alert_core.h"

#include <pthread.h>

#include "alert/summary.h"
#include "alert/threshold.h"
#include "rules/ruleset.h"

static char rules_path[128];
static struct ft_ruleset *sets[8];
static uint32_t generation;
static struct ft_zone zones[1];

static int begin(void **state)
{
    (void)state;
    make_folder();
    snprintf(rules_path, sizeof(rules_path), "%s/rules.json", directory);
    struct ft_set *cell = ft_set_new(FT_SET_ADDRESSES);
    assert_true(ft_set_add_written(cell, FT_VALUE_IP, "10.0.0.2/32", 11, error, sizeof(error)));
    assert_true(ft_set_close(cell));
    zones[0] = (struct ft_zone){.name = "cell", .purdue = 1.5, .networks = cell};
    open_core();
    return 0;
}

/* Begin again with other options. */
static void reopen_core(void)
{
    close_core();
    unlink(path);
    open_core();
}

static int end(void **state)
{
    (void)state;
    if (core)
        close_core();
    for (unsigned i = 0; i < 8; i++) {
        ft_ruleset_free(sets[i]);
        sets[i] = NULL;
    }
    generation = 0;
    ft_set_free(zones[0].networks);
    unlink(rules_path);
    return remove_folder();
}

static void say(void *user, bool is_error, const char *line)
{
    (void)user;
    if (is_error)
        fail_msg("%s", line);
}

/** The core gets these rules, with the next generation. */
static void use_rules(const char *rules, bool is_built_in)
{
    const char *paths[] = {rules_path};
    struct ft_rule_environment environment = {
        .registry = registry, .zones = zones, .zone_count = 1};
    bool is_sound;
    environment.built_in = is_built_in ? rules_path : NULL;
    FILE *f = fopen(rules_path, "w");
    fprintf(f, "{\"rules\": [%s]}", rules);
    fclose(f);
    struct ft_rule_files *files = ft_rule_files_read(paths, 1, &environment, say, NULL, &is_sound);
    assert_true(files && is_sound);
    unsigned at = generation % 8;
    ft_ruleset_free(sets[at]);
    sets[at] = ft_ruleset_new(files, NULL, error, sizeof(error));
    if (!sets[at])
        fail_msg("%s", error);
    ft_core_rules(core, sets[at], ++generation);
}

static void use(const char *rules)
{
    use_rules(rules, false);
}

#define RULE(more)                                                                                 \
    "{\"id\": 9200001, \"title\": \"Somebody writes\", \"when\": \"command == write\"" more "}"

/** One rule of the least keys and more; its title can be in `more`. */
static void use_one(const char *more)
{
    static char text[8192];
    snprintf(text, sizeof(text), RULE("%s"), more);
    use(text);
}

/** Rule `rule` of the newest set held for a write from `src` to `dst`, so many times. */
static struct record *hit(uint64_t number, uint32_t rule, uint32_t src, uint32_t dst,
                          uint32_t times)
{
    with_command(make(&r, FT_EVENT_RULE, PROTOCOL_POLL, number, src, dst), POLL_WRITE);
    r.event.message.rule = rule;
    r.event.message.generation = generation;
    r.event.message.count = times;
    r.event.message.at = UINT32_MAX;
    return &r;
}

static size_t count(const char *type)
{
    size_t n = 0;
    read_lines();
    while (line(type, n))
        n++;
    return n;
}

/** A counter of the member "rules" of statistics that are written now. */
static json_int_t counter(const char *name)
{
    struct ft_ledger ledger = {.received = 1, .rule_hits = 70, .rule_hits_untold = 7};
    struct ft_core_totals totals = {.ledger = &ledger, .stamp_ns = START};
    char where[64];
    ft_core_stats(core, &totals);
    snprintf(where, sizeof(where), "stats.rules.%s", name);
    json_t *v = at(line("stats", count("stats") - 1), where);
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

/* ---- alerts ---- */

static void test_an_alert_says_all_that_its_rule_does(void **state)
{
    (void)state;
    use("{\"id\": 9200042, \"revision\": 3, \"title\": \"Setpoint changed\", "
        "\"message\": \"{ip.src} wrote {poll.address} with {command}\", "
        "\"severity\": \"major\", \"category\": \"Programming\", \"engine\": \"operational\", "
        "\"mitre\": [\"T0836\", \"T0855\"], \"remediation\": \"Ask the shift.\", "
        "\"reference\": \"SOP 7\", \"when\": \"poll.address == 40001\"}");
    hit(5, 0, CLIENT, PLC, 3);
    r.event.message.at = 2;
    r.event.message.at_length = 2;
    put_number(&r, POLL_ADDRESS, 40001, 2, 2);
    give(with_evidence(&r, POLL_ADDRESS, 40001, NULL, 0, ""));
    assert_int_equal(count("alert"), 1);
    json_t *a = line("alert", 0);
    assert_number(a, "alert.signature_id", 9200042);
    assert_number(a, "alert.gid", 1);
    assert_number(a, "alert.rev", 3);
    assert_text(a, "alert.signature", "Setpoint changed");
    assert_text(a, "alert.category", "Programming");
    assert_number(a, "alert.severity", 2);
    assert_text(a, "alert.source.ip", "10.0.0.1");
    assert_text(a, "alert.metadata.mitre_technique_id.1", "T0855");
    assert_text(a, "message.command", "write");
    assert_text(a, "direction", "to_server");
    assert_number(a, "poll.address", 40001);
    assert_text(a, "fieldtap.engine", "operational");
    assert_text(a, "fieldtap.severity", "major");
    assert_text(a, "fieldtap.title", "rule.9200042");
    assert_text(a, "fieldtap.mitre.0", "T0836");
    assert_text(a, "fieldtap.remediation", "Ask the shift.");
    assert_text(a, "fieldtap.reference", "SOP 7");
    assert_text(a, "fieldtap.message", "10.0.0.1 wrote 40001 with write");
    assert_number(a, "fieldtap.rule.id", 9200042);
    assert_number(a, "fieldtap.rule.revision", 3);
    assert_true(json_is_false(at(a, "fieldtap.rule.built_in")));
    assert_text(a, "fieldtap.rule.file", rules_path);
    assert_text(a, "fieldtap.remark", FT_EVE_REMARK);
    assert_text(a, "fieldtap.evidence.field", "address");
    assert_text(a, "fieldtap.evidence.value", "40001");
    assert_null(at(a, "fieldtap.evidence.element"));
    assert_number(a, "fieldtap.evidence.offset", 2);
    assert_number(a, "fieldtap.evidence.length", 2);
    assert_number(a, "fieldtap.evidence.packet", 5);
    assert_text(a, "fieldtap.state", "new");
    assert_number(a, "fieldtap.count", 3);
    assert_text(a, "fieldtap.alert_id", json_string_value(at(a, "fieldtap.event_uid")));
    assert_text(a, "fieldtap.commands.0", "write");
}

static void test_what_a_rule_does_not_say_has_defaults(void **state)
{
    (void)state;
    use_rules("{\"id\": 9150001, \"title\": \"Stopped\", \"category\": \"Restart/Stop "
              "Commands\", \"when\": \"command == stop\"}",
              true);
    give(hit(1, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    json_t *a = line("alert", 0);
    assert_number(a, "alert.rev", 1);
    assert_number(a, "alert.severity", 3);
    assert_text(a, "fieldtap.engine", "policy_violation");
    assert_text(a, "fieldtap.message", "Stopped");
    assert_true(json_is_true(at(a, "fieldtap.rule.built_in")));
    assert_null(at(a, "fieldtap.remark"));
    assert_null(at(a, "fieldtap.mitre"));
    /* What the catalogue says for all alerts of the group. */
    assert_text(a, "fieldtap.remediation",
                "Check with the operators that this was intended, and that the process is in a "
                "safe state.");
}

static void test_a_hit_without_a_message(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"Odd bytes\", \"when\": \"payload contains \\\"evil\\\"\", "
        "\"message\": \"{ip.dst} {port.dst} {transport} {protocol}\"}");
    make(&r, FT_EVENT_RULE, 0, 1, CLIENT, PLC);
    r.event.message.generation = generation;
    r.event.message.count = 1;
    r.event.message.at = 7;
    r.event.message.at_length = 4;
    give(&r);
    assert_int_equal(count("alert"), 1);
    json_t *a = line("alert", 0);
    assert_null(at(a, "message"));
    assert_text(a, "direction", "to_server");
    assert_null(at(a, "app_proto"));
    assert_null(at(a, "alert.source"));
    assert_text(a, "fieldtap.message", "10.0.0.2 502 tcp unknown");
    assert_number(a, "fieldtap.evidence.offset", 7);
    assert_number(a, "fieldtap.evidence.length", 4);
    assert_null(at(a, "fieldtap.evidence.field"));
    assert_null(at(a, "fieldtap.evidence.value"));
}

/* Before anything is sent in it nobody knows what a flow carries. */
static void test_a_flow_of_no_known_protocol(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"New\", \"when\": \"port.dst == 502\", "
        "\"message\": \"{ip.dst} {direction} {protocol}\"}");
    make(&r, FT_EVENT_RULE, 0, 1, CLIENT, PLC);
    r.event.message.generation = generation;
    r.event.message.count = 1;
    r.event.message.at = UINT32_MAX;
    give(&r);
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "fieldtap.message", "10.0.0.2 to_server ?");
}

/* ---- windows ---- */

static void test_repeats_are_counted_by_their_number(void **state)
{
    (void)state;
    use_one(", \"message\": \"value {poll.address}\"");
    hit(1, 0, CLIENT, PLC, 1);
    put_number(&r, POLL_ADDRESS, 1, 0, 2);
    give(&r);
    give(hit(2, 0, CLIENT, PLC, 500));
    give(hit(3, 0, STATION, PLC, 1)); /* another client: another alert */
    assert_int_equal(count("alert"), 2);
    ft_core_tick(core, START + 700 * S, 800);
    assert_int_equal(count("alert"), 3);
    json_t *a = line("alert", 2);
    assert_text(a, "fieldtap.state", "updated");
    assert_number(a, "fieldtap.count", 501);
    assert_text(a, "fieldtap.alert_id",
                json_string_value(at(line("alert", 0), "fieldtap.event_uid")));
    assert_text(a, "fieldtap.message", "value 1");
    assert_number(a, "pcap_cnt", 2);
    uint32_t kept;
    uint64_t more;
    const struct ft_core_alert *list = ft_core_alerts(core, &kept, &more);
    assert_int_equal(kept, 2);
    assert_int_equal(list[0].count, 501);
    assert_int_equal(list[1].count, 1);
}

/* What waited in a stream is told later than what came behind it. */
static void test_first_and_last_of_stamps_that_go_back(void **state)
{
    (void)state;
    use_one("");
    give(hit(50, 0, CLIENT, PLC, 1));
    give(hit(47, 0, CLIENT, PLC, 1));
    ft_core_tick(core, START + 700 * S, 800);
    assert_int_equal(count("alert"), 2);
    json_t *a = line("alert", 1);
    assert_text(a, "fieldtap.first_seen", "2023-11-14T22:14:07.000000+0000");
    assert_text(a, "fieldtap.last_seen", "2023-11-14T22:14:10.000000+0000");
}

static void test_a_first_event_of_many_is_no_update(void **state)
{
    (void)state;
    use_one("");
    give(hit(1, 0, CLIENT, PLC, 1000));
    ft_core_finish(core);
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "fieldtap.count", 1000);
}

static void test_the_summary_has_titles(void **state)
{
    char text[16384] = "";
    struct ft_ledger ledger = {0};
    (void)state;
    use_one("");
    give(hit(1, 0, CLIENT, PLC, 1));
    FILE *f = fmemopen(text, sizeof(text), "w");
    ft_summary_print(f, core, &ledger, 0);
    fclose(f);
    assert_non_null(strstr(text, "Somebody writes"));
}

/* ---- events of the timeline ---- */

static void test_an_event_is_no_alert(void **state)
{
    (void)state;
    use_one(", \"action\": \"event\", \"message\": \"by {ip.src}\"");
    give(hit(1, 0, CLIENT, PLC, 2));
    give(hit(2, 0, CLIENT, PLC, 3));
    assert_int_equal(count("alert"), 0);
    assert_int_equal(count("rule"), 1);
    json_t *e = line("rule", 0);
    assert_number(e, "rule.signature_id", 9200001);
    assert_number(e, "rule.rev", 1);
    assert_text(e, "rule.signature", "Somebody writes");
    assert_text(e, "rule.category", "Custom");
    assert_number(e, "rule.severity", 3);
    assert_null(at(e, "alert"));
    assert_text(e, "fieldtap.message", "by 10.0.0.1");
    assert_number(e, "fieldtap.rule.id", 9200001);
    assert_text(e, "fieldtap.event_id", json_string_value(at(e, "fieldtap.event_uid")));
    assert_null(at(e, "fieldtap.alert_id"));
    assert_text(e, "message.command", "write");
    ft_core_finish(core);
    assert_int_equal(count("rule"), 2);
    assert_text(line("rule", 1), "fieldtap.state", "updated");
    assert_number(line("rule", 1), "fieldtap.count", 5);
    uint32_t kept;
    uint64_t more;
    ft_core_alerts(core, &kept, &more);
    assert_int_equal(kept, 0);
}

/* ---- schedules ---- */

/* Monday 2023-11-20, 00:00 UTC. */
#define MONDAY (1700438400ull * S)

static void hit_at(uint64_t time_ns, uint32_t src)
{
    static uint64_t number = 1;
    hit(number++, 0, src, PLC, 1);
    r.event.time_ns = r.event.clock_ns = time_ns;
    give(&r);
}

static void test_a_schedule_is_half_open(void **state)
{
    (void)state;
    use_one(", \"schedule\": {\"at\": [\"mon 08:00-17:00\"]}");
    hit_at(MONDAY + 8 * 60 * MINUTE - 1, CLIENT);
    hit_at(MONDAY + 17 * 60 * MINUTE, CLIENT);
    hit_at(MONDAY + 32 * 60 * MINUTE, CLIENT); /* Tuesday */
    assert_int_equal(count("alert"), 0);
    assert_int_equal(counter("out_of_schedule"), 3);
    hit_at(MONDAY + 8 * 60 * MINUTE, CLIENT);
    hit_at(MONDAY + 17 * 60 * MINUTE - 1, STATION);
    assert_int_equal(count("alert"), 2);
    assert_int_equal(counter("out_of_schedule"), 3);
}

static void test_a_schedule_goes_by_the_time_stamp(void **state)
{
    (void)state;
    use_one(", \"schedule\": {\"at\": [\"mon 08:00-17:00\"], \"time_zone\": \"+01:00\"}");
    hit(1, 0, CLIENT, PLC, 1);
    r.event.time_ns = MONDAY + 7 * 60 * MINUTE; /* 08:00 there */
    r.event.clock_ns = MONDAY;                  /* a clock that jumped */
    give(&r);
    assert_int_equal(count("alert"), 1);
}

/* ---- devices ---- */

static void test_conditions_on_devices(void **state)
{
    (void)state;
    use_one(", \"message\": \"{asset.model.dst} of {asset.vendor.dst}, {asset.type.src}\"");
    use("{\"id\": 9200001, \"title\": \"a\", \"message\": \"{asset.model.dst} at {asset.vendor}\", "
        "\"when\": \"command == write and asset.model.dst == \\\"M340\\\"\"},"
        "{\"id\": 9200002, \"title\": \"b\", "
        "\"when\": \"command == write and not asset.model.dst == \\\"M340\\\"\"},"
        "{\"id\": 9200003, \"title\": \"c\", "
        "\"when\": \"command == write and asset.model.dst != \\\"M340\\\"\"}");
    /* Nothing is known of it: only `not` holds. */
    for (uint32_t rule = 0; rule < 3; rule++)
        give(hit(1, rule, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "alert.signature", "b");
    assert_int_equal(counter("other_assets"), 2);
    give(make_fact(&r, 2, PLC, FT_FACT_MODEL, "M340"));
    for (uint32_t rule = 0; rule < 3; rule++)
        give(hit(3, rule, STATION, PLC, 1));
    assert_int_equal(count("alert"), 2);
    assert_text(line("alert", 1), "alert.signature", "a");
    assert_text(line("alert", 1), "fieldtap.message", "M340 at ?");
    give(make_fact(&r, 4, STATION, FT_FACT_MODEL, "TSX"));
    give(hit(5, 2, PLC, STATION, 1));
    assert_int_equal(count("alert"), 3);
    assert_text(line("alert", 2), "alert.signature", "c");
}

static void test_the_device_behind_the_address(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"message\": \"{asset.model.dst}\", "
        "\"when\": \"command == write and asset.model.dst == \\\"Drive\\\"\"}");
    make_fact(&r, 1, PLC, FT_FACT_MODEL, "Drive");
    r.event.fact.sub = (struct ft_event_sub){.kind = FT_SUB_UNIT, .value = 3};
    give(&r);
    give(make_fact(&r, 1, PLC, FT_FACT_MODEL, "Gateway"));
    give(with_unit(hit(2, 0, CLIENT, PLC, 1), 1, 4));
    assert_int_equal(count("alert"), 0);
    give(with_unit(hit(3, 0, CLIENT, PLC, 1), 1, 3));
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "fieldtap.message", "Drive");
}

static void test_types_are_those_of_the_inventory(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"message\": \"{asset.type.dst} {asset.type}\", "
        "\"when\": \"command == write and asset.type.dst == \\\"plc\\\"\"}");
    give(hit(1, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 0);
    give(make_fact(&r, 2, PLC, FT_FACT_ROLE, ft_role_name(FT_ROLE_PLC)));
    give(hit(3, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "fieldtap.message", "plc plc");
}

/* ---- thresholds ---- */

static struct record *to_port(struct record *to, uint16_t port)
{
    to->event.packet.dst_port = port;
    return to;
}

/* How a key differs: alerts of each kind of threshold. */
static void test_limits_by_whom(void **state)
{
    static const struct {
        const char *by;
        unsigned alerts; /* of four hits: 1>2, 1>3, 3>2, 1>2 */
    } cases[] = {{"source", 2}, {"destination", 2}, {"pair", 3}, {"asset", 2}};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char more[200];
        reopen_core();
        snprintf(more, sizeof(more),
                 ", \"threshold\": {\"limit\": 1, \"seconds\": 60, \"by\": \"%s\"}", cases[i].by);
        use_one(more);
        give(hit(1, 0, CLIENT, PLC, 1));
        give(hit(2, 0, CLIENT, STATION, 1));
        give(hit(3, 0, STATION, PLC, 1));
        give(hit(4, 0, CLIENT, PLC, 1));
        if (count("alert") != cases[i].alerts)
            fail_msg("by %s: %zu alerts", cases[i].by, count("alert"));
        assert_int_equal(counter("held_back"), 4 - cases[i].alerts);
        assert_int_equal(counter("thresholds"), cases[i].alerts);
    }
}

static void test_at_least_by_whom(void **state)
{
    static const struct {
        const char *by;
        bool is_reached[4]; /* after 1>2, 1>3, 3>2, 1>2, two needed */
    } cases[] = {{"source", {false, true, true, true}},
                 {"destination", {false, false, true, true}},
                 {"pair", {false, false, false, true}},
                 {"asset", {false, false, true, true}},
                 {"service", {false, true, true, true}}};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        char more[200];
        reopen_core();
        snprintf(more, sizeof(more),
                 ", \"threshold\": {\"at_least\": 2, \"seconds\": 60, \"by\": \"%s\"}",
                 cases[i].by);
        use_one(more);
        uint32_t pairs[4][2] = {{CLIENT, PLC}, {CLIENT, STATION}, {STATION, PLC}, {CLIENT, PLC}};
        for (unsigned k = 0; k < 4; k++) {
            give(hit(k + 1, 0, pairs[k][0], pairs[k][1], 1));
            if ((count("alert") > 0) != cases[i].is_reached[k])
                fail_msg("by %s, hit %u", cases[i].by, k);
        }
    }
}

static void test_an_asset_is_the_server_whoever_sends(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 2, \"seconds\": 60, \"by\": \"asset\"}");
    give(with_unit(hit(1, 0, CLIENT, PLC, 1), 1, 1));
    give(with_unit(hit(2, 0, STATION, PLC, 1), 1, 2)); /* another device behind it */
    assert_int_equal(count("alert"), 0);
    hit(3, 0, PLC, CLIENT, 1);
    r.event.packet.server_side = 0;
    give(with_unit(&r, 1, 1));
    assert_int_equal(count("alert"), 1);
}

static void test_a_limit_takes_part_of_a_number(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"limit\": 10, \"seconds\": 60}");
    give(hit(1, 0, CLIENT, PLC, 7));
    give(hit(2, 0, CLIENT, PLC, 7));
    give(hit(3, 0, CLIENT, PLC, 7));
    assert_int_equal(counter("held_back"), 11);
    assert_int_equal(counter("told"), 10);
    give(hit(61, 0, CLIENT, PLC, 8)); /* the first seven are 60 s old */
    assert_int_equal(counter("told"), 17);
    ft_core_finish(core);
    count("alert");
    assert_number(line("alert", 1), "fieldtap.count", 17);
}

static void test_at_least_counts_the_last_seconds(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 3, \"seconds\": 10}");
    give(hit(0, 0, CLIENT, PLC, 1));
    give(hit(5, 0, CLIENT, PLC, 1));
    give(hit(10, 0, CLIENT, PLC, 1)); /* the first is 10 s old */
    assert_int_equal(count("alert"), 0);
    give(hit(14, 0, CLIENT, PLC, 1)); /* 5, 10, 14 */
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "fieldtap.count", 3);
    assert_int_equal(counter("held_back"), 1);
    /* As long as that is so each further one is told, in the same alert; then no more. */
    for (uint64_t i = 15; i < 24; i++) {
        give(hit(i, 0, CLIENT, PLC, 1));
        assert_int_equal(counter("told"), i - 11);
    }
    give(hit(40, 0, CLIENT, PLC, 2));
    assert_int_equal(counter("told"), 12);
    assert_int_equal(counter("held_back"), 3);
    assert_int_equal(count("alert"), 1);
    ft_core_finish(core);
    count("alert");
    assert_number(line("alert", 1), "fieldtap.count", 12);
}

static void test_alerts_begin_with_the_first_hit(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 3, \"seconds\": 100}");
    for (uint64_t i = 0; i < 3; i++)
        give(hit(10 * i, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    assert_text(line("alert", 0), "fieldtap.first_seen", "2023-11-14T22:13:20.000000+0000");
    assert_text(line("alert", 0), "fieldtap.last_seen", "2023-11-14T22:13:40.000000+0000");
}

/* Of one source it is one alert, whatever it did to whom. */
static void test_one_alert_for_whom_is_counted(void **state)
{
    static const struct {
        const char *by;
        unsigned alerts; /* of 1>2, 1>3, 3>2, twice each, and other commands */
    } cases[] = {{"source", 2}, {"destination", 2}, {"pair", 3}, {"asset", 2}, {"service", 2}};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        char more[200];
        reopen_core();
        snprintf(more, sizeof(more),
                 ", \"threshold\": {\"at_least\": 2, \"seconds\": 60, \"by\": \"%s\"}",
                 cases[i].by);
        use_one(more);
        uint32_t pairs[3][2] = {{CLIENT, PLC}, {CLIENT, STATION}, {STATION, PLC}};
        for (unsigned k = 0; k < 6; k++) {
            hit(k + 1, 0, pairs[k % 3][0], pairs[k % 3][1], 1);
            r.event.message.code = k < 3 ? POLL_WRITE : POLL_STOP;
            give(&r);
        }
        if (count("alert") != cases[i].alerts)
            fail_msg("by %s: %zu alerts", cases[i].by, count("alert"));
        assert_int_equal(counter("told"), 6);
    }
}

/* Two of each port that one sends to, whoever has it; nothing comes of one alone. */
static void test_a_service_is_a_port(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 2, \"seconds\": 60, \"by\": \"service\"}");
    give(to_port(hit(1, 0, CLIENT, PLC, 1), 502));
    give(to_port(hit(2, 0, CLIENT, STATION, 1), 102));
    give(to_port(hit(3, 0, STATION, PLC, 1), 502));
    assert_int_equal(count("alert"), 0);
    give(to_port(hit(4, 0, CLIENT, STATION, 1), 502));
    assert_int_equal(count("alert"), 1);
    give(to_port(hit(5, 0, CLIENT, PLC, 1), 102));
    assert_int_equal(count("alert"), 2);
    assert_int_equal(counter("told"), 4);
}

/* The record of a hit gets values, as a worker tells them. */
static struct record *with_values(struct record *to, const uint64_t *values, uint32_t number)
{
    struct ft_event_more more = {.value_count = number};
    to->event.size = (to->event.size + 7) & ~7u;
    to->event.message.more = to->event.size;
    more.values = to->event.size + (uint32_t)sizeof(more);
    memcpy(to->bytes + to->event.size, &more, sizeof(more));
    memcpy(to->bytes + more.values, values, number * sizeof(values[0]));
    to->event.size = more.values + number * (uint32_t)sizeof(values[0]);
    return to;
}

static void test_different_values_are_counted(void **state)
{
    static const uint64_t few[] = {1, 2, 3}, more[] = {3, 2, 4, 5};
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 5, \"seconds\": 60, \"distinct\": \"port.dst\"}");
    give(with_values(hit(1, 0, CLIENT, PLC, 100), few, 3));
    give(with_values(hit(2, 0, CLIENT, PLC, 100), few, 3));
    give(with_values(hit(3, 0, STATION, PLC, 2), more, 4));
    give(hit(4, 0, CLIENT, PLC, 50)); /* without any */
    assert_int_equal(count("alert"), 0);
    assert_int_equal(counter("threshold_values"), 7);
    give(with_values(hit(61, 0, CLIENT, PLC, 4), more, 4)); /* 1 was seen last at 2 */
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "fieldtap.count", 154);
    assert_text(line("alert", 0), "src_ip", "10.0.0.1");
    assert_int_equal(counter("held_back"), 102);
}

/* A rule that counts only after another one: of the same two, not too long ago. */
static void test_one_after_another(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"Fails\", \"when\": \"command == read\"}, "
        "{\"id\": 9200002, \"title\": \"Succeeds\", \"when\": \"command == write\", "
        "\"after\": {\"rule\": 9200001, \"at_least\": 3, \"seconds\": 100}}");
    give(hit(1, 1, CLIENT, PLC, 1)); /* without a failure */
    give(hit(2, 0, CLIENT, PLC, 2));
    give(hit(3, 1, CLIENT, PLC, 1)); /* too few */
    give(hit(4, 0, STATION, PLC, 5));
    give(hit(5, 1, CLIENT, PLC, 1)); /* of another */
    assert_int_equal(count("alert"), 2);
    assert_int_equal(counter("held_back"), 3);
    give(hit(6, 0, CLIENT, PLC, 1));
    give(hit(7, 1, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 3);
    assert_text(line("alert", 2), "alert.signature", "Succeeds");
    assert_number(line("alert", 2), "fieldtap.count", 1);
    give(hit(102, 1, CLIENT, PLC, 1)); /* two of the three are 100 s old */
    assert_int_equal(counter("held_back"), 4);
}

static void test_at_least_counts_what_repeats(void **state)
{
    (void)state;
    use_one(", \"message\": \"value {poll.address}\", "
            "\"threshold\": {\"at_least\": 100, \"seconds\": 10}");
    hit(1, 0, CLIENT, PLC, 1);
    put_number(&r, POLL_ADDRESS, 77, 0, 2);
    give(&r);
    assert_int_equal(count("alert"), 0);
    give(hit(2, 0, CLIENT, PLC, 99)); /* told again: without its fields */
    assert_int_equal(count("alert"), 1);
    assert_number(line("alert", 0), "fieldtap.count", 100);
    assert_text(line("alert", 0), "fieldtap.message", "value 77");
}

static void test_thresholds_outlive_rule_sets(void **state)
{
    (void)state;
    use_one(", \"threshold\": {\"at_least\": 2, \"seconds\": 60}");
    give(hit(1, 0, CLIENT, PLC, 1));
    use_one(", \"threshold\": {\"at_least\": 2, \"seconds\": 60}");
    give(hit(2, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    /* Another rule under the same number begins anew. */
    use_one(", \"revision\": 2, \"threshold\": {\"at_least\": 2, \"seconds\": 60}");
    give(hit(3, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
}

static void test_the_table_of_thresholds_is_bounded(void **state)
{
    (void)state;
    config.max_thresholds = 3;
    reopen_core();
    use_one(", \"threshold\": {\"limit\": 1, \"seconds\": 3600}");
    for (uint32_t i = 0; i < 3; i++)
        give(hit(i, 0, CLIENT + i, PLC, 1));
    give(hit(4, 0, CLIENT, PLC, 1));     /* the first is used: the second is the oldest now */
    give(hit(5, 0, CLIENT + 9, PLC, 1)); /* takes its place */
    assert_int_equal(counter("thresholds"), 3);
    assert_int_equal(counter("thresholds_evicted"), 1);
    assert_int_equal(counter("told"), 4);
    give(hit(6, 0, CLIENT, PLC, 1));
    assert_int_equal(counter("told"), 4);
    give(hit(7, 0, CLIENT + 1, PLC, 1)); /* forgotten: it counts anew */
    assert_int_equal(counter("told"), 5);
    ft_core_tick(core, START + 10 * S, 20);
    assert_true(count("health") > 0);
}

/* How many of `times` hits are told now. */
static uint64_t pass(struct ft_thresholds *t, const struct ft_threshold *how,
                     const struct ft_threshold_key *whom, uint64_t now, uint64_t times)
{
    const struct ft_threshold_hits hits = {.clock_ns = now, .time_ns = now, .times = times};
    return ft_thresholds_pass(t, how, whom, &hits).times;
}

/* Likewise, with one value. */
static struct ft_threshold_told pass_value(struct ft_thresholds *t, const struct ft_threshold *how,
                                           const struct ft_threshold_key *whom, uint64_t now,
                                           uint64_t value)
{
    const struct ft_threshold_hits hits = {
        .clock_ns = now, .time_ns = now + 7, .times = 1, .values = &value, .value_count = 1};
    return ft_thresholds_pass(t, how, whom, &hits);
}

/* Many sources of one rule do not make others forget. */
static void test_a_rule_has_half_of_the_table(void **state)
{
    static const uint64_t key[2] = {1, 2};
    struct ft_threshold limit = {.kind = FT_THRESHOLD_LIMIT, .count = 1, .seconds = 1000};
    struct ft_thresholds *t = ft_thresholds_new(8, key);
    struct ft_threshold_key whom;
    (void)state;
    memset(&whom, 0, sizeof(whom));
    for (uint64_t rule = 1; rule <= 3; rule++) {
        whom.rule = rule;
        assert_int_equal(pass(t, &limit, &whom, START, 1), 1);
    }
    whom.rule = 4;
    for (uint64_t i = 1; i < 1000; i++) {
        whom.sub = i;
        assert_int_equal(pass(t, &limit, &whom, START + i, 1), 1);
    }
    assert_int_equal(ft_thresholds_count(t), 8);
    assert_int_equal(ft_thresholds_evicted(t), 994);
    whom.sub = 0;
    for (uint64_t rule = 1; rule <= 3; rule++) { /* not forgotten */
        whom.rule = rule;
        assert_int_equal(pass(t, &limit, &whom, START + S, 1), 0);
    }
    /* Many rules: shares come and go with their keys. */
    for (uint64_t rule = 10; rule < 500; rule++) {
        whom.rule = rule;
        for (whom.sub = 0; whom.sub < rule % 7; whom.sub++)
            pass(t, &limit, &whom, START + S + rule, 1);
        assert_int_equal(ft_thresholds_count(t), 8);
    }
    whom.rule = 2;
    whom.sub = 0;
    assert_int_equal(pass(t, &limit, &whom, START + 2 * S, 1), 1);
    ft_thresholds_free(t);
}

/* A hit in a list of all. */
struct listed {
    uint64_t at, value, times, told;
};

/* What a threshold should tell of the last hit of a list; `told` of all is kept up to date. */
static uint64_t expected_of(struct listed *all, uint32_t last, const struct ft_threshold *how)
{
    uint64_t in_span = 0, untold = 0, values = 0, span = how->seconds * S;
    for (uint32_t i = 0; i <= last; i++) {
        if (all[last].at - all[i].at >= span)
            continue;
        bool is_new = true;
        for (uint32_t k = 0; k < i && is_new; k++)
            is_new = all[k].value != all[i].value || all[last].at - all[k].at >= span;
        in_span += how->kind == FT_THRESHOLD_LIMIT ? all[i].told : all[i].times;
        untold += all[i].times - all[i].told;
        values += is_new;
    }
    if (how->kind == FT_THRESHOLD_LIMIT) {
        uint64_t room = in_span < how->count ? how->count - in_span : 0;
        return all[last].told = all[last].times < room ? all[last].times : room;
    }
    if ((how->kind == FT_THRESHOLD_DISTINCT ? values : in_span) < how->count)
        return 0;
    for (uint32_t i = 0; i <= last; i++)
        if (all[last].at - all[i].at < span)
            all[i].told = all[i].times;
    return untold;
}

/* Against a list of all hits: nothing is told too often, nothing too late. */
static void test_thresholds_against_a_list(void **state)
{
    static const uint64_t key[2] = {1, 2};
    static struct listed all[400];
    (void)state;
    for (unsigned kind = FT_THRESHOLD_LIMIT; kind <= FT_THRESHOLD_DISTINCT; kind++)
        for (uint64_t seed = 1; seed < 60; seed++) {
            struct ft_thresholds *t = ft_thresholds_new(4, key);
            struct ft_threshold how = {
                .kind = (uint8_t)kind, .count = 1 + seed % 20, .seconds = 1 + seed % 7};
            struct ft_threshold_key whom;
            uint64_t now = START, random = seed, told = 0;
            memset(&whom, 0, sizeof(whom));
            for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                /* At most 32 hits of different times in the span: those are told apart. */
                now += how.seconds * S / 31 + (random >> 33) % (how.seconds * S / (1 + seed % 9));
                all[i] = (struct listed){
                    .at = now, .value = (random >> 50) % 25, .times = 1 + (random >> 20) % 3};
                uint64_t expected = expected_of(all, i, &how);
                const struct ft_threshold_hits hits = {.clock_ns = now,
                                                       .time_ns = now,
                                                       .times = all[i].times,
                                                       .values = &all[i].value,
                                                       .value_count = 1};
                told += expected;
                assert_int_equal(ft_thresholds_pass(t, &how, &whom, &hits).times, expected);
            }
            assert_true(told > 0 || how.count > 8);
            ft_thresholds_free(t);
        }
}

/* The first of what is told is told, not the last. */
static void test_thresholds_know_the_first(void **state)
{
    static const uint64_t key[2] = {1, 2};
    struct ft_thresholds *t = ft_thresholds_new(4, key);
    struct ft_threshold how = {.kind = FT_THRESHOLD_DISTINCT, .count = 3, .seconds = 10};
    struct ft_threshold_key whom;
    (void)state;
    memset(&whom, 0, sizeof(whom));
    pass_value(t, &how, &whom, START, 1);
    pass_value(t, &how, &whom, START + 4 * S, 2);
    assert_int_equal(pass_value(t, &how, &whom, START + 9 * S, 2).times, 0);
    struct ft_threshold_told told = pass_value(t, &how, &whom, START + 11 * S, 3); /* 2, 3 */
    assert_int_equal(told.times, 0);
    told = pass_value(t, &how, &whom, START + 12 * S, 4);
    assert_int_equal(told.times, 4);
    assert_int_equal(told.first_ns, START + 4 * S + 7);
    told = pass_value(t, &how, &whom, START + 13 * S, 4);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.first_ns, START + 13 * S + 7);
    ft_thresholds_free(t);
}

/* A capture of another time follows: no time passes on the sensor clock, but other time it is. */
static void test_thresholds_and_jumps(void **state)
{
    static const uint64_t key[2] = {1, 2};
    static const int64_t jumps[] = {-3600, -7200, 3600, 7200, 86400, -16};
    (void)state;
    for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct ft_thresholds *t = ft_thresholds_new(4, key);
        struct ft_threshold least = {.kind = FT_THRESHOLD_AT_LEAST, .count = 3, .seconds = 5};
        struct ft_threshold limit = {.kind = FT_THRESHOLD_LIMIT, .count = 1, .seconds = 5};
        struct ft_threshold values = {.kind = FT_THRESHOLD_DISTINCT, .count = 3, .seconds = 5};
        uint64_t other = START + (uint64_t)(jumps[i] * (int64_t)S), value = 1;
        struct ft_threshold_hits hits = {
            .clock_ns = START, .time_ns = START, .times = 2, .values = &value, .value_count = 1};
        struct ft_threshold_key whom[4];
        memset(whom, 0, sizeof(whom));
        for (unsigned k = 0; k < 4; k++)
            whom[k].rule = k + 1;
        ft_thresholds_pass(t, &least, &whom[0], &hits);
        assert_int_equal(ft_thresholds_pass(t, &limit, &whom[1], &hits).times, 1);
        ft_thresholds_pass(t, &values, &whom[2], &hits);
        value = 2;
        ft_thresholds_pass(t, &values, &whom[2], &hits);
        ft_thresholds_note(t, &whom[3], &hits, 5);
        assert_int_equal(ft_thresholds_came(t, &whom[3], START, START + S, 5), 2);
        /* The clock may stand still, or (by less than an hour) seem to go back. */
        hits.time_ns = other;
        hits.clock_ns = START - (jumps[i] < 0 && jumps[i] >= -3600 ? (uint64_t)-jumps[i] * S : 0);
        hits.times = 1;
        value = 3;
        assert_int_equal(ft_thresholds_came(t, &whom[3], hits.clock_ns, other, 5), 0);
        assert_int_equal(ft_thresholds_pass(t, &least, &whom[0], &hits).times, 0);
        assert_int_equal(ft_thresholds_pass(t, &limit, &whom[1], &hits).times, 1);
        assert_int_equal(ft_thresholds_pass(t, &values, &whom[2], &hits).times, 0);
        assert_int_equal(ft_thresholds_values(t), 1);
        /* On it goes with what came since. */
        hits.time_ns += S;
        hits.clock_ns += S;
        hits.times = 2;
        struct ft_threshold_told told = ft_thresholds_pass(t, &least, &whom[0], &hits);
        assert_int_equal(told.times, 3);
        assert_int_equal(told.first_ns, other);
        assert_int_equal(ft_thresholds_pass(t, &limit, &whom[1], &hits).times, 0);
        ft_thresholds_free(t);
    }
}

/* Packets that are a little out of order are of the same time. */
static void test_thresholds_out_of_order(void **state)
{
    static const uint64_t key[2] = {1, 2};
    struct ft_thresholds *t = ft_thresholds_new(4, key);
    struct ft_threshold limit = {.kind = FT_THRESHOLD_LIMIT, .count = 1, .seconds = 5};
    struct ft_threshold_key whom;
    (void)state;
    memset(&whom, 0, sizeof(whom));
    assert_int_equal(pass(t, &limit, &whom, START + 20 * S, 1), 1);
    assert_int_equal(pass(t, &limit, &whom, START + 6 * S, 1), 0);
    assert_int_equal(pass(t, &limit, &whom, START + 24 * S, 1), 0);
    assert_int_equal(pass(t, &limit, &whom, START + 25 * S, 1), 1);
    ft_thresholds_free(t);
}

/* Values have a bound over all keys: who was used longest ago forgets them. */
static void test_values_are_bounded(void **state)
{
    static const uint64_t key[2] = {1, 2};
    enum {
        KEYS = 4800,
        VALUES = 250
    };
    struct ft_thresholds *t = ft_thresholds_new(2 * KEYS, key);
    struct ft_threshold how = {.kind = FT_THRESHOLD_DISTINCT, .count = VALUES, .seconds = 86400};
    struct ft_threshold_key whom;
    (void)state;
    memset(&whom, 0, sizeof(whom));
    for (whom.sub = 0; whom.sub < KEYS; whom.sub++)
        for (uint64_t i = 0; i < VALUES; i++) {
            uint64_t told = pass_value(t, &how, &whom, START + whom.sub, i).times;
            assert_int_equal(told, i + 1 == VALUES ? VALUES : 0);
        }
    assert_in_range(ft_thresholds_values(t), FT_THRESHOLD_VALUES - VALUES, FT_THRESHOLD_VALUES);
    uint64_t more = KEYS - FT_THRESHOLD_VALUES / VALUES;
    assert_in_range(ft_thresholds_evicted(t), more, more + 8);
    whom.sub = 0; /* of the first key nothing is left, of the last all */
    assert_int_equal(pass_value(t, &how, &whom, START + KEYS, 0).times, 0);
    whom.sub = KEYS - 1;
    assert_int_equal(pass_value(t, &how, &whom, START + KEYS, 0).times, 1);
    ft_thresholds_free(t);
}

/* More times than are told apart: never more than the limit, never forgotten early. */
static void test_many_hits_in_a_threshold(void **state)
{
    static const uint64_t key[2] = {1, 2};
    struct ft_threshold limit = {.kind = FT_THRESHOLD_LIMIT, .count = 100, .seconds = 10};
    struct ft_threshold least = {.kind = FT_THRESHOLD_AT_LEAST, .count = 900, .seconds = 10};
    struct ft_threshold_key whom;
    (void)state;
    memset(&whom, 0, sizeof(whom));
    struct ft_thresholds *t = ft_thresholds_new(4, key);
    uint64_t told = 0, at[1000] = {0};
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t now = START + i * 10 * S / 1000; /* 1,000 in the span */
        uint64_t n = pass(t, &limit, &whom, now, 1);
        told += n;
        told -= i >= 1000 ? at[i % 1000] : 0;
        at[i % 1000] = n;
        assert_true(told <= 100);
    }
    whom.rule = 1;
    for (uint64_t i = 0; i < 900; i++)
        assert_int_equal(pass(t, &least, &whom, START + i * 10 * S / 1000, 1), i == 899 ? 900 : 0);
    ft_thresholds_free(t);
}

/* ---- messages ---- */

static void test_messages_have_fields(void **state)
{
    (void)state;
    use_one(
        ", \"message\": \"{{a} {poll.mode} {poll.point.index} {poll.text} {poll.key} "
        "{title} {id} {zone.src}>{zone.dst} {purdue.dst} {vlan} {eth.src} {port} "
        "{command.class} {command.code} {direction} {subaddress} {response_time_us} {ip.addr}\"");
    hit(1, 0, CLIENT, PLC, 1);
    with_unit(&r, 1, 3);
    r.event.packet.vlan[0] = 7;
    r.event.packet.vlan[1] = 8;
    r.event.packet.vlan_count = 2;
    put_number(&r, POLL_MODE, 2, 0, 1);
    for (uint64_t i = 0; i < 10; i++) {
        put_group(&r, POLL_POINT, false);
        put_number(&r, POLL_INDEX, i, 10 + (uint32_t)i, 1);
        put_group(&r, POLL_POINT, true);
    }
    put_text(&r, POLL_TEXT, "a\"b\xff", 40);
    put_text(&r, POLL_KEY, "hunter2", 50);
    give(&r);
    assert_int_equal(count("alert"), 1);
    const char *m = json_string_value(at(line("alert", 0), "fieldtap.message"));
    const char *before = "{a} stop 0, 1, 2, 3, 4, 5, 6, 7, ... a\"b\\xff (secret of 7 bytes, hash ";
    const char *behind = ") Somebody writes 9200001 ?>cell 1.5 7, 8 00:0e:8c:00:00:01 40000, 502 "
                         "write 2 to_server unit 3 ? 10.0.0.1, 10.0.0.2";
    assert_non_null(m);
    assert_int_equal(strncmp(m, before, strlen(before)), 0);
    assert_string_equal(m + strlen(before) + 16, behind);
    assert_null(strstr(m, "hunter2"));
}

/* Behind the record what carries the message, and values of its payload. */
static struct record *with_more(const char *tpkt_key, uint8_t part, const char *text)
{
    struct ft_event_more more = {0};
    struct node n = {.field = POLL_TEXT,
                     .type = FT_TYPE_STRING,
                     .length = (uint32_t)strlen(tpkt_key),
                     .at = 1,
                     .at_length = 3};
    uint8_t tree[64] = {0}, texts[64];
    struct ft_event_carrier carrier[2] = {{.protocol = PROTOCOL_TPKT}, {.protocol = PROTOCOL_POLL}};
    memcpy(tree, &n, sizeof(n));
    memcpy(tree + sizeof(n), tpkt_key, n.length);
    carrier[1].length = (uint32_t)sizeof(n) + ((n.length + 3) & ~3u);
    r.event.message.more = append(&r, &more, sizeof(more));
    more.carriers = append(&r, &carrier[0], sizeof(carrier[0]));
    append(&r, &carrier[1], sizeof(carrier[1]));
    append(&r, tree, carrier[1].length);
    more.carriers_length = 2 * sizeof(carrier[0]) + carrier[1].length;
    texts[0] = part;
    texts[1] = (uint8_t)strlen(text);
    memcpy(texts + 2, text, texts[1]);
    more.texts = append(&r, texts, 2u + texts[1]);
    more.texts_length = 2u + texts[1];
    memcpy(r.bytes + r.event.message.more, &more, sizeof(more));
    return &r;
}

static void test_fields_of_what_carries_a_message(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"when\": \"protocol in {goose, poll}\", "
        "\"message\": \"{poll.text} {payload.length} {payload} {poll.address}\"}");
    make(&r, FT_EVENT_RULE, PROTOCOL_GOOSE, 1, CLIENT, PLC);
    r.event.message.generation = generation;
    r.event.message.kind = FT_KIND_REQUEST;
    r.event.message.index = 2;
    r.event.message.parent = 1;
    r.event.message.at = 1;
    r.event.message.at_length = 3;
    give(with_more("abc", 1, "77"));
    give(&r);
    assert_int_equal(count("alert"), 1);
    json_t *a = line("alert", 0);
    assert_text(a, "fieldtap.message", "abc 77 ? ?");
    ft_core_finish(core); /* the record behind an update has none of it */
    assert_int_equal(count("alert"), 2);
    assert_text(line("alert", 1), "fieldtap.message", "abc 77 ? ?");
    assert_number(line("alert", 1), "fieldtap.evidence.offset", 1);
}

static json_t *evidence_of(struct record *record)
{
    give(record);
    return at(line("alert", count("alert") - 1), "fieldtap.evidence");
}

static void test_evidence_of_fields(void **state)
{
    char text[300], expected[300];
    (void)state;
    use_one("");
    /* Which point of the message it was. */
    json_t *e = evidence_of(
        with_evidence(hit(1, 0, CLIENT, PLC, 1), POLL_INDEX, 7, NULL, 0, "point[3].index"));
    assert_text(e, "field", "point.index");
    assert_text(e, "element", "point[3].index");
    assert_text(e, "value", "7");
    assert_number(e, "packet", 1);
    assert_null(at(e, "offset")); /* it was worked out */
    e = evidence_of(with_evidence(hit(2, 0, CLIENT + 10, PLC, 1), POLL_MODE, 2, NULL, 0, ""));
    assert_text(e, "value", "stop");
    /* Of what carries the message: with the name of its protocol. */
    hit(3, 0, CLIENT + 11, PLC, 1);
    r.event.protocol = PROTOCOL_GOOSE;
    e = evidence_of(with_evidence(&r, POLL_INDEX, 7, NULL, 0, "point[0].index"));
    assert_text(e, "field", "poll.point.index");
    assert_text(e, "element", "poll.point[0].index");
    /* Bytes that are no text are escaped; what is too long is cut, at a character. */
    e = evidence_of(
        with_evidence(hit(4, 0, CLIENT + 12, PLC, 1), POLL_TEXT, 0, "a\"\n\xff", 0, ""));
    assert_text(e, "value", "a\"\n\\xff");
    memset(text, 'x', 255);
    strcpy(text + 255, "\xe2");
    memset(expected, 'x', 255);
    strcpy(expected + 255, "...");
    e = evidence_of(with_evidence(hit(5, 0, CLIENT + 13, PLC, 1), POLL_TEXT, 0, text, 900, ""));
    assert_text(e, "value", expected);
    /* A secret that is not here as a whole has no hash. */
    text[255] = 0;
    e = evidence_of(with_evidence(hit(6, 0, CLIENT + 14, PLC, 1), POLL_KEY, 0, text, 900, ""));
    assert_text(e, "value", "(secret of 900 bytes)");
}

static void test_evidence_of_words(void **state)
{
    (void)state;
    use_one("");
    hit(1, 0, CLIENT, PLC, 1);
    r.event.message.at = 7;
    r.event.message.at_length = 2;
    json_t *e = evidence_of(with_word(&r, "tag.level", "513"));
    assert_text(e, "field", "tag.level");
    assert_text(e, "value", "513");
    assert_number(e, "offset", 7);
    assert_number(e, "length", 2);
    assert_null(at(e, "element"));
}

/* A condition on devices alone: nobody but the core knows why it held. */
static void test_evidence_of_devices(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"when\": \"asset.model.dst == \\\"M340\\\"\"},"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"asset.model.dst contains \\\"34\\\"\"}");
    give(make_fact(&r, 1, PLC, FT_FACT_MODEL, "M340"));
    for (uint32_t rule = 0; rule < 2; rule++) {
        make(&r, FT_EVENT_RULE, 0, 2 + rule, CLIENT, PLC);
        r.event.message.generation = generation;
        r.event.message.rule = rule;
        r.event.message.count = 1;
        r.event.message.at = UINT32_MAX;
        json_t *e = evidence_of(&r);
        assert_text(e, "field", "asset.model.dst");
        assert_text(e, "value", "M340");
        assert_number(e, "packet", 2 + rule);
        assert_null(at(e, "offset"));
    }
    /* Where a worker found a reason it stays. */
    use("{\"id\": 9200003, \"title\": \"c\", "
        "\"when\": \"command == write and asset.model.dst == \\\"M340\\\"\"}");
    json_t *e = evidence_of(with_word(hit(5, 0, CLIENT, PLC, 1), "command", "write"));
    assert_text(e, "field", "command");
}

static void test_updates_have_the_evidence_of_the_last(void **state)
{
    (void)state;
    use_one("");
    give(with_evidence(hit(1, 0, CLIENT, PLC, 1), POLL_INDEX, 1, NULL, 0, "point[0].index"));
    give(with_evidence(hit(2, 0, CLIENT, PLC, 1), POLL_INDEX, 2, NULL, 0, "point[5].index"));
    ft_core_finish(core);
    assert_int_equal(count("alert"), 2);
    assert_text(line("alert", 1), "fieldtap.evidence.element", "point[5].index");
    assert_text(line("alert", 1), "fieldtap.evidence.value", "2");
    assert_number(line("alert", 1), "fieldtap.evidence.packet", 2);
}

static void test_damaged_evidence_is_left_out(void **state)
{
    (void)state;
    use_one("");
    for (unsigned i = 0; i < 3; i++) {
        struct ft_event_more more;
        hit(i + 1, 0, CLIENT + i, PLC, 1);
        with_evidence(&r, POLL_TEXT, 0, "abc", 0, "point");
        memcpy(&more, r.bytes + r.event.message.more, sizeof(more));
        more.evidence_length -= i; /* the last byte of the value; so many of the record */
        if (i == 2)
            more.evidence_length = sizeof(struct ft_event_evidence) - 1;
        memcpy(r.bytes + r.event.message.more, &more, sizeof(more));
        assert_int_equal(at(evidence_of(&r), "value") != NULL, i == 0);
    }
}

static void test_secrets_are_clear_when_wanted(void **state)
{
    (void)state;
    config.log_secrets = true;
    reopen_core();
    use_one(", \"message\": \"{poll.key}\"");
    hit(1, 0, CLIENT, PLC, 1);
    put_text(&r, POLL_KEY, "hunter2", 50);
    r.event.message.at = 50;
    r.event.message.at_length = 7;
    give(with_evidence(&r, POLL_KEY, 0, "hunter2", 0, ""));
    count("alert");
    assert_text(line("alert", 0), "fieldtap.message", "hunter2");
    assert_text(line("alert", 0), "fieldtap.evidence.value", "hunter2");
}

static void test_secrets_are_no_evidence(void **state)
{
    (void)state;
    use_one("");
    hit(1, 0, CLIENT, PLC, 1);
    put_text(&r, POLL_KEY, "hunter2", 50);
    r.event.message.at = 50;
    r.event.message.at_length = 7;
    give(with_evidence(&r, POLL_KEY, 0, "hunter2", 0, ""));
    count("alert");
    char *all = json_dumps(line("alert", 0), 0);
    assert_null(strstr(all, "hunter2"));
    free(all);
    assert_text(line("alert", 0), "fieldtap.evidence.field", "key");
}

static void test_what_is_missing_is_a_question_mark(void **state)
{
    (void)state;
    use_one(", \"message\": \"{poll.address},{asset.vendor.src},{vlan},{subaddress},{payload}\"");
    hit(1, 0, CLIENT, PLC, 1);
    r.event.packet.has_mac = false;
    give(&r);
    count("alert");
    assert_text(line("alert", 0), "fieldtap.message", "?,?,?,?,?");
}

static void test_long_messages_end_at_a_character(void **state)
{
    char more[4000] = ", \"message\": \"";
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        strcat(more, "{poll.text}");
    strcat(more, "\"");
    use_one(more);
    hit(1, 0, CLIENT, PLC, 1);
    put_text(&r, POLL_TEXT,
             "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
             "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
             "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
             0);
    give(&r);
    count("alert");
    const char *m = json_string_value(at(line("alert", 0), "fieldtap.message"));
    assert_null(strstr(m, "\\x"));
    assert_true(strlen(m) > 2040 && strlen(m) <= 2048 && strlen(m) % 3 == 0);
}

/* ---- rule sets one after another ---- */

static void test_two_generations_are_known(void **state)
{
    (void)state;
    use_one(", \"revision\": 1");
    struct record first = *hit(1, 0, CLIENT, PLC, 1);
    use_one(", \"revision\": 2");
    struct record second = *hit(2, 0, STATION, PLC, 1);
    give(&first);
    give(&second);
    assert_int_equal(count("alert"), 2);
    assert_number(line("alert", 0), "alert.rev", 1);
    assert_number(line("alert", 1), "alert.rev", 2);
    use_one(", \"revision\": 3");
    give(&first);
    assert_int_equal(counter("unknown_generation"), 1);
    give(&second);
    assert_int_equal(counter("unknown_generation"), 1);
    hit(9, 5, CLIENT, PLC, 4); /* no such rule */
    give(&r);
    assert_int_equal(counter("unknown_generation"), 5);
    ft_core_rules(core, NULL, ++generation);
    give(hit(10, 0, CLIENT, PLC, 1));
    assert_int_equal(counter("unknown_generation"), 6);
}

static void test_alerts_outlive_their_rules(void **state)
{
    (void)state;
    use_one(", \"remediation\": \"Look.\"");
    give(hit(1, 0, CLIENT, PLC, 1));
    give(hit(2, 0, CLIENT, PLC, 1));
    for (unsigned i = 0; i < 9; i++) { /* the first set is freed on the way */
        use("{\"id\": 9200002, \"title\": \"another\", \"when\": \"command == read\"}");
    }
    ft_core_finish(core);
    assert_int_equal(count("alert"), 2);
    assert_text(line("alert", 1), "alert.signature", "Somebody writes");
    assert_text(line("alert", 1), "fieldtap.remediation", "Look.");
    assert_text(line("alert", 1), "fieldtap.message", "Somebody writes");
    uint32_t kept;
    uint64_t more;
    assert_string_equal(ft_core_alerts(core, &kept, &more)[0].finding->title, "Somebody writes");
}

static void test_the_same_rule_is_the_same_alert(void **state)
{
    (void)state;
    use_one("");
    give(hit(1, 0, CLIENT, PLC, 1));
    use_one("");
    give(hit(2, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 1);
    use_one(", \"severity\": \"critical\"");
    give(hit(3, 0, CLIENT, PLC, 1));
    assert_int_equal(count("alert"), 2);
}

/* What alerts of a rule say goes when nobody asks for it any more; thresholds of a rule that stays
 * go on, however many sets come in between. */
static void test_rules_of_no_use_are_forgotten(void **state)
{
    static char rules[2048];
    (void)state;
    config.max_alerts = 1;
    reopen_core();
    for (uint64_t i = 0; i < 100; i++) {
        snprintf(rules, sizeof(rules),
                 "{\"id\": 9200001, \"title\": \"Title %u\", \"when\": \"command == write\", "
                 "\"message\": \"{ip.src}\"}, {\"id\": 9200002, \"title\": \"Seldom\", \"when\": "
                 "\"command == read\", \"threshold\": {\"limit\": 1, \"seconds\": 100000}}",
                 (unsigned)i);
        use(rules);
        give(hit(1000 * i, 0, CLIENT, PLC, 1));
        if (i % 50 == 0)
            give(hit(1000 * i + 1, 1, CLIENT, PLC, 1));
        ft_core_tick(core, START + (1000 * i + 700) * S, 1000 * i + 2); /* windows close */
    }
    assert_int_equal(count("alert"), 101);
    for (unsigned i = 0; i < 100; i++) {
        char title[32];
        snprintf(title, sizeof(title), "Title %u", i);
        assert_text(line("alert", i ? i + 1 : 0), "alert.signature", title);
    }
    /* Of the sets of now and before, that of the list, and the other rule. */
    assert_int_equal(counter("kept"), 4);
    assert_int_equal(counter("forgotten"), 97);
    uint32_t kept;
    uint64_t more;
    assert_string_equal(ft_core_alerts(core, &kept, &more)[0].finding->title, "Title 0");
}

/* An alert that is open says what it did, whatever rules came since. */
static void test_open_alerts_are_not_forgotten(void **state)
{
    (void)state;
    config.max_alerts = 1;
    reopen_core();
    use_one("");
    give(hit(1, 0, CLIENT, PLC, 1));
    give(hit(2, 0, STATION, PLC, 1)); /* not in the list */
    give(hit(3, 0, STATION, PLC, 1));
    for (unsigned i = 0; i < 5; i++)
        use("{\"id\": 9200002, \"title\": \"another\", \"when\": \"command == read\"}");
    ft_core_finish(core);
    assert_int_equal(count("alert"), 3);
    assert_text(line("alert", 2), "alert.signature", "Somebody writes");
}

static void write_stats(struct ft_ledger *ledger)
{
    struct ft_core_totals totals = {.ledger = ledger, .stamp_ns = START};
    ledger->received = 1;
    ft_core_stats(core, &totals);
}

static void test_lost_hits_are_told(void **state)
{
    struct ft_ledger ledger = {.rule_hits = 10, .rule_hits_told = 10};
    (void)state;
    write_stats(&ledger);
    assert_int_equal(count("health"), 0);
    ledger.rule_hits_untold = 5;
    ledger.rule_hits_shed = 3;
    write_stats(&ledger);
    assert_int_equal(count("health"), 1);
    assert_text(line("health", 0), "health.event", "rule_hits_lost");
    const char *text = json_string_value(at(line("health", 0), "health.text"));
    assert_non_null(strstr(text, "8 hits, 5 of them more than 1,024"));
    ledger.rule_hits_shed = 4; /* it goes on: known */
    write_stats(&ledger);
    assert_int_equal(count("health"), 1);
    write_stats(&ledger); /* it is over, and begins again */
    ledger.rule_hits_shed = 5;
    write_stats(&ledger);
    assert_int_equal(count("health"), 2);
    json_t *s = line("stats", count("stats") - 1);
    assert_number(s, "stats.rules.hits", 10);
    assert_number(s, "stats.rules.hits_told", 10);
    assert_number(s, "stats.rules.hits_untold", 5);
    assert_number(s, "stats.rules.hits_shed", 5);
}

/* Each hit becomes something, and the workers' sum is the core's. */
static void test_hits_balance(void **state)
{
    struct ft_ledger ledger = {.rule_hits = 19, .rule_hits_told = 6, .rule_hits_repeated = 13};
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"when\": \"command == write\", "
        "\"threshold\": {\"at_least\": 5, \"seconds\": 60}},"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"command == write and asset.model == "
        "\\\"X\\\"\"}, {\"id\": 9200003, \"title\": \"c\", \"when\": \"command == write\", "
        "\"threshold\": {\"limit\": 2, \"seconds\": 60}}");
    give(hit(1, 0, CLIENT, PLC, 3));
    give(hit(2, 1, CLIENT, PLC, 3));
    give(hit(3, 2, CLIENT, PLC, 4));
    give(hit(4, 0, CLIENT, PLC, 6));
    give(hit(5, 0, CLIENT, PLC, 1));
    assert_false(ft_core_rules_balance(core, &ledger)); /* two are still missing */
    give(hit(6, 7, CLIENT, PLC, 2));                    /* no such rule */
    assert_true(ft_core_rules_balance(core, &ledger));
    ledger.rule_hits_waiting = 1;
    assert_false(ft_core_rules_balance(core, &ledger));
}

static void test_counters(void **state)
{
    (void)state;
    assert_int_equal(counter("active"), 0);
    use_one("");
    give(hit(1, 0, CLIENT, PLC, 3));
    assert_int_equal(counter("active"), 1);
    assert_int_equal(counter("hits"), 70);
    assert_int_equal(counter("hits_untold"), 7);
    assert_int_equal(counter("hits_received"), 3);
    assert_int_equal(counter("told"), 3);
}

/* ---- statistics of each rule ---- */

static struct ft_rule_statistic statistic(uint32_t id)
{
    struct ft_rule_statistic s = {0};
    ft_rule_statistics_of(ft_core_rule_statistics(core), id, &s);
    return s;
}

static void test_hits_are_counted_by_day(void **state)
{
    (void)state;
    use("{\"id\": 9200001, \"title\": \"a\", \"when\": \"command == write\", "
        "\"threshold\": {\"limit\": 1, \"seconds\": 60}},"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"command == write\", "
        "\"schedule\": {\"at\": [\"tue\"]}}");
    struct ft_rule_statistic s = statistic(9200001);
    assert_int_equal(s.hits, 0);
    hit_at(MONDAY, CLIENT);
    hit_at(MONDAY + 1440 * MINUTE - 1,
           CLIENT); /* the threshold holds it back: a hit all the same */
    hit_at(MONDAY + 1440 * MINUTE, CLIENT);
    s = statistic(9200001);
    assert_int_equal(s.hits, 3);
    assert_int_equal(s.last_ns, MONDAY + 1440 * MINUTE);
    assert_int_equal(s.day_count, 2);
    assert_int_equal(s.days[0].day, MONDAY / (86400 * S));
    assert_int_equal(s.days[0].hits, 2);
    assert_int_equal(s.days[1].hits, 1);
    hit(1, 1, CLIENT, PLC, 1);
    r.event.time_ns = MONDAY; /* not its day */
    give(&r);
    assert_int_equal(statistic(9200002).hits, 0);
}

static void test_thirty_days_are_kept(void **state)
{
    struct ft_rule_statistics *st = ft_rule_statistics_new();
    struct ft_rule_statistic s;
    const uint64_t day = 1440 * MINUTE;
    (void)state;
    for (uint64_t i = 0; i < 40; i++)
        ft_rule_statistics_hit(st, 9150000, MONDAY + i * day, i + 1);
    assert_true(ft_rule_statistics_of(st, 9150000, &s));
    assert_int_equal(s.day_count, 30);
    assert_int_equal(s.days[0].hits, 11);
    assert_int_equal(s.days[29].hits, 40);
    assert_int_equal(s.hits, 820);
    ft_rule_statistics_hit(st, 9150000, MONDAY + 9 * day, 5);  /* too old */
    ft_rule_statistics_hit(st, 9150000, MONDAY + 10 * day, 5); /* just not */
    ft_rule_statistics_of(st, 9150000, &s);
    assert_int_equal(s.days[0].hits, 16);
    assert_int_equal(s.last_ns, MONDAY + 39 * day);
    ft_rule_statistics_hit(st, 9150000, MONDAY + 68 * day, 1);
    ft_rule_statistics_of(st, 9150000, &s);
    assert_int_equal(s.day_count, 2); /* the last of those, and this one */
    assert_int_equal(s.days[0].hits, 40);
    /* Days that come late find their place. */
    ft_rule_statistics_hit(st, 9150000, MONDAY + 50 * day, 7);
    ft_rule_statistics_of(st, 9150000, &s);
    assert_int_equal(s.day_count, 3);
    assert_int_equal(s.days[1].hits, 7);
    assert_false(ft_rule_statistics_of(st, 9150001, &s));
    ft_rule_statistics_hit(st, 1, MONDAY, 1); /* no id of rules */
    assert_false(ft_rule_statistics_of(st, 1, &s));
    ft_rule_statistics_free(st);
}

static void test_statistics_survive(void **state)
{
    char file[160];
    struct ft_rule_statistic s, before;
    (void)state;
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    use("{\"id\": 9200001, \"title\": \"a\", \"when\": \"command == write\"},"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"command == write\"}");
    hit_at(MONDAY + 123456789000, CLIENT);
    hit_at(MONDAY + 2880 * MINUTE, CLIENT);
    struct ft_rule_statistics *st = ft_core_rule_statistics(core);
    ft_rule_statistics_hit(st, 9200007, MONDAY, 3);                      /* at work no more */
    ft_rule_statistics_hit(st, 9200008, MONDAY - 40 * 1440 * MINUTE, 3); /* for long */
    before = statistic(9200001);
    assert_true(ft_rule_statistics_write(st, sets[0], MONDAY, file, error, sizeof(error)));

    struct ft_rule_statistics *next = ft_rule_statistics_new();
    assert_true(ft_rule_statistics_read(next, file, error, sizeof(error)));
    assert_true(ft_rule_statistics_of(next, 9200001, &s));
    assert_memory_equal(&s, &before, sizeof(s));
    assert_true(ft_rule_statistics_of(next, 9200002, &s)); /* never hit, and there */
    assert_int_equal(s.hits + s.last_ns + s.day_count, 0);
    assert_true(ft_rule_statistics_of(next, 9200007, &s));
    assert_int_equal(s.hits, 3);
    assert_false(ft_rule_statistics_of(next, 9200008, &s));
    ft_rule_statistics_free(next);

    json_t *all = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(at(all, "rules")), 3);
    assert_text(all, "rules.0.title", "a");
    assert_text(all, "rules.0.last_hit", "2023-11-22T00:00:00.000000+0000");
    assert_number(all, "rules.0.days.2023-11-20", 1);
    assert_true(json_is_null(at(all, "rules.1.last_hit")));
    assert_number(all, "rules.1.run.evaluations", 0);
    json_decref(all);
    unlink(file);
}

static void test_damaged_statistics_begin_anew(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"version\": 2, \"rules\": []}",
        "{\"version\": 1, \"rules\": {}}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 1, \"hits\": 1, \"last_hit\": null, \"days\": {}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"hits\": -1, \"last_hit\": null, "
        "\"days\": {}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"hits\": 1, \"last_hit\": \"today\", "
        "\"days\": {}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"hits\": 1, \"last_hit\": null, "
        "\"days\": {\"2023-13-01\": 1}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"hits\": 1, \"last_hit\": null, "
        "\"days\": {\"2023-11-20\": \"1\"}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200002, \"hits\": 1, \"last_hit\": null, "
        "\"days\": {}}, 7]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"title\": 1, \"hits\": 1, "
        "\"last_hit\": null, \"days\": {}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"deleted\": \"now\", \"hits\": 1, "
        "\"last_hit\": null, \"days\": {}}]}",
        "{\"version\": 1, \"rules\": [{\"id\": 9200001, \"ever\": {\"hits\": 1}, \"hits\": 1, "
        "\"last_hit\": null, \"days\": {}}]}",
    };
    char file[160], aside[180];
    struct ft_rule_statistic s;
    (void)state;
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    snprintf(aside, sizeof(aside), "%s.damaged", file);
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ft_rule_statistics *st = ft_rule_statistics_new();
        FILE *f = fopen(file, "w");
        fputs(texts[i], f);
        fclose(f);
        if (ft_rule_statistics_read(st, file, error, sizeof(error)))
            fail_msg("taken: %s", texts[i]);
        assert_non_null(strstr(error, "is damaged"));
        assert_true(strcmp(strstr(error, "it is now ") + 10, aside) == 0);
        assert_int_equal(unlink(aside), 0);
        assert_false(ft_rule_statistics_of(st, 9200001, &s));
        assert_false(ft_rule_statistics_of(st, 9200002, &s));
        ft_rule_statistics_hit(st, 9200001, MONDAY, 1);
        assert_true(ft_rule_statistics_write(st, NULL, MONDAY, file, error, sizeof(error)));
        assert_true(ft_rule_statistics_read(st, "/nonexistent/x", error, sizeof(error)));
        ft_rule_statistics_free(st);
    }
    unlink(file);
    struct ft_rule_statistics *st = ft_rule_statistics_new();
    assert_false(
        ft_rule_statistics_write(st, NULL, MONDAY, "/nonexistent/x", error, sizeof(error)));
    assert_non_null(strstr(error, "/nonexistent/x"));
    ft_rule_statistics_free(st);
}

/* The member "rules" of what is written now. */
static json_t *written(struct ft_rule_statistics *st, const struct ft_ruleset *set, uint64_t now_ns)
{
    char file[160];
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    if (!ft_rule_statistics_write(st, set, now_ns, file, error, sizeof(error)))
        fail_msg("%s", error);
    json_t *all = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    json_t *rules = json_incref(at(all, "rules"));
    json_decref(all);
    return rules;
}

static void test_deleted_rules_keep_their_titles(void **state)
{
    struct ft_rule_statistics *st = ft_core_rule_statistics(core);
    char file[160];
    (void)state;
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    use("{\"id\": 9200001, \"revision\": 4, \"title\": \"a\", \"when\": \"command == write\"},"
        "{\"id\": 9200002, \"title\": \"b\", \"when\": \"command == write\"}");
    hit_at(MONDAY, CLIENT);
    json_t *rules = written(st, sets[0], MONDAY + S);
    assert_int_equal(json_array_size(rules), 2);
    assert_number(rules, "0.revision", 4);
    assert_null(at(rules, "0.deleted"));
    json_decref(rules);
    /* Both go; the second never held, so there is nothing to say of it. */
    use("{\"id\": 9200003, \"title\": \"c\", \"when\": \"command == write\"}");
    for (uint64_t i = 2; i < 4; i++) { /* when it was missed first stays */
        rules = written(st, sets[1], MONDAY + i * S);
        assert_int_equal(json_array_size(rules), 2);
        assert_number(rules, "0.id", 9200001);
        assert_text(rules, "0.title", "a");
        assert_number(rules, "0.revision", 4);
        assert_text(rules, "0.deleted", "2023-11-20T00:00:02.000000+0000");
        assert_text(rules, "1.title", "c");
        json_decref(rules);
    }
    /* After a restart too; and it comes back under another title. */
    struct ft_rule_statistics *next = ft_rule_statistics_new();
    assert_true(ft_rule_statistics_read(next, file, error, sizeof(error)));
    rules = written(next, sets[1], MONDAY + 9 * S);
    assert_text(rules, "0.title", "a");
    assert_text(rules, "0.deleted", "2023-11-20T00:00:02.000000+0000");
    json_decref(rules);
    use("{\"id\": 9200001, \"revision\": 5, \"title\": \"z\", \"when\": \"command == read\"}");
    rules = written(next, sets[2], MONDAY + 10 * S);
    assert_int_equal(json_array_size(rules), 1);
    assert_text(rules, "0.title", "z");
    assert_number(rules, "0.revision", 5);
    assert_number(rules, "0.hits", 1);
    assert_null(at(rules, "0.deleted"));
    json_decref(rules);
    ft_rule_statistics_free(next);
    unlink(file);
}

static void test_deleted_rules_are_bounded(void **state)
{
    struct ft_rule_statistics *st = ft_rule_statistics_new();
    char file[160];
    (void)state;
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    for (uint32_t i = 0; i < 5000; i++)
        ft_rule_statistics_hit(st, 9200000 + i, MONDAY, 1);
    json_decref(written(st, NULL, MONDAY));
    ft_rule_statistics_hit(st, 9299999, MONDAY, 1); /* the last id, deleted last */
    json_t *rules = written(st, NULL, MONDAY + S);
    assert_int_equal(json_array_size(rules), FT_RULE_STATISTICS_DELETED);
    assert_number(rules, "0.id", 9200000);
    assert_number(rules, "4094.id", 9204094);
    assert_number(rules, "4095.id", 9299999);
    json_decref(rules);
    ft_rule_statistics_free(st);
    unlink(file);
}

static void *write_on(void *arg)
{
    char file[160];
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    for (unsigned i = 0; i < 20; i++)
        if (!ft_rule_statistics_write(arg, NULL, MONDAY, file, error, sizeof(error)))
            return error;
    return NULL;
}

/* Hits are counted while the file is written: what is read is of one moment. */
static void test_the_file_is_written_aside(void **state)
{
    struct ft_rule_statistics *st = ft_rule_statistics_new();
    struct ft_rule_statistic s;
    pthread_t thread;
    char file[160];
    void *failed;
    (void)state;
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    assert_int_equal(pthread_create(&thread, NULL, write_on, st), 0);
    for (uint32_t i = 0; i < 200000; i++) {
        uint64_t day = i / 10000 * 1440 * MINUTE;
        ft_rule_statistics_hit(st, 9200000 + i % 50, MONDAY + day, 3);
    }
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    json_t *rules = written(st, NULL, MONDAY);
    assert_int_equal(json_array_size(rules), 50);
    json_decref(rules);
    for (uint32_t i = 0; i < 50; i++) {
        assert_true(ft_rule_statistics_of(st, 9200000 + i, &s));
        assert_int_equal(s.hits, 12000);
        assert_int_equal(s.day_count, 20);
        for (uint64_t d = 0; d < 20; d++)
            assert_int_equal(s.days[d].hits, 600);
    }
    ft_rule_statistics_free(st);
    unlink(file);
}

static void never(void *user, uint32_t rule, const struct ft_program_run *run)
{
    (void)user;
    (void)rule;
    (void)run;
}

static void test_what_workers_count_is_added_up(void **state)
{
    const uint8_t address[4] = {10, 0, 0, 1};
    struct ft_subject subject = {.transport = FT_TRANSPORT_TCP,
                                 .ip_version = 4,
                                 .src_ip = address,
                                 .dst_ip = address,
                                 .src_port = 1,
                                 .dst_port = 502,
                                 .has_ports = true};
    (void)state;
    use("{\"id\": 9200005, \"title\": \"a\", \"when\": \"port == 502\"}");
    struct ft_rule_statistics *st = ft_core_rule_statistics(core);
    struct ft_matcher *m[2] = {ft_matcher_new(sets[0]), ft_matcher_new(sets[0])};
    for (unsigned i = 0; i < 5; i++) {
        subject.number = i;
        ft_match_flow(m[i % 2], &subject, never, NULL);
    }
    ft_rule_statistics_counts(st, sets[0], m[0], true);
    for (unsigned i = 0; i < 2; i++) { /* told twice: now is now */
        ft_rule_statistics_begin(st);
        ft_rule_statistics_counts(st, sets[0], m[1], false);
        struct ft_rule_statistic s = statistic(9200005);
        assert_int_equal(s.run.hits, 5);
        assert_int_equal(s.run.evaluations, 5);
        assert_int_equal(s.run.timed, 2); /* the first of each */
        assert_int_equal(s.hits, 0);      /* the core was told of none */
        assert_int_equal(s.ever.evaluations, 5);
    }
    /* The next run begins at none, and goes on with all. */
    json_t *rules = written(st, sets[0], MONDAY);
    assert_number(rules, "0.ever.evaluations", 5);
    assert_number(rules, "0.ever.timed", 2);
    json_decref(rules);
    char file[160];
    snprintf(file, sizeof(file), "%s/statistics.json", directory);
    struct ft_rule_statistics *next = ft_rule_statistics_new();
    assert_true(ft_rule_statistics_read(next, file, error, sizeof(error)));
    ft_rule_statistics_counts(next, sets[0], m[1], false);
    struct ft_rule_statistic then;
    ft_rule_statistics_of(next, 9200005, &then);
    assert_int_equal(then.run.evaluations, 2);
    assert_int_equal(then.ever.evaluations, 7);
    assert_int_equal(then.ever.hits, 7);
    ft_rule_statistics_free(next);
    unlink(file);
    ft_matcher_free(m[0]);
    ft_matcher_free(m[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_alert_says_all_that_its_rule_does),
        TEST(test_what_a_rule_does_not_say_has_defaults),
        TEST(test_a_hit_without_a_message),
        TEST(test_a_flow_of_no_known_protocol),
        TEST(test_repeats_are_counted_by_their_number),
        TEST(test_first_and_last_of_stamps_that_go_back),
        TEST(test_a_first_event_of_many_is_no_update),
        TEST(test_the_summary_has_titles),
        TEST(test_an_event_is_no_alert),
        TEST(test_a_schedule_is_half_open),
        TEST(test_a_schedule_goes_by_the_time_stamp),
        TEST(test_conditions_on_devices),
        TEST(test_the_device_behind_the_address),
        TEST(test_types_are_those_of_the_inventory),
        TEST(test_limits_by_whom),
        TEST(test_at_least_by_whom),
        TEST(test_an_asset_is_the_server_whoever_sends),
        TEST(test_a_limit_takes_part_of_a_number),
        TEST(test_at_least_counts_the_last_seconds),
        TEST(test_one_after_another),
        TEST(test_at_least_counts_what_repeats),
        TEST(test_alerts_begin_with_the_first_hit),
        TEST(test_one_alert_for_whom_is_counted),
        TEST(test_a_service_is_a_port),
        TEST(test_different_values_are_counted),
        TEST(test_thresholds_know_the_first),
        TEST(test_thresholds_and_jumps),
        TEST(test_thresholds_out_of_order),
        TEST(test_values_are_bounded),
        TEST(test_thresholds_outlive_rule_sets),
        TEST(test_the_table_of_thresholds_is_bounded),
        TEST(test_a_rule_has_half_of_the_table),
        TEST(test_thresholds_against_a_list),
        TEST(test_many_hits_in_a_threshold),
        TEST(test_messages_have_fields),
        TEST(test_fields_of_what_carries_a_message),
        TEST(test_evidence_of_fields),
        TEST(test_evidence_of_words),
        TEST(test_evidence_of_devices),
        TEST(test_updates_have_the_evidence_of_the_last),
        TEST(test_damaged_evidence_is_left_out),
        TEST(test_secrets_are_clear_when_wanted),
        TEST(test_secrets_are_no_evidence),
        TEST(test_what_is_missing_is_a_question_mark),
        TEST(test_long_messages_end_at_a_character),
        TEST(test_two_generations_are_known),
        TEST(test_alerts_outlive_their_rules),
        TEST(test_the_same_rule_is_the_same_alert),
        TEST(test_rules_of_no_use_are_forgotten),
        TEST(test_open_alerts_are_not_forgotten),
        TEST(test_lost_hits_are_told),
        TEST(test_hits_balance),
        TEST(test_counters),
        TEST(test_hits_are_counted_by_day),
        TEST(test_thirty_days_are_kept),
        TEST(test_statistics_survive),
        TEST(test_damaged_statistics_begin_anew),
        TEST(test_deleted_rules_keep_their_titles),
        TEST(test_deleted_rules_are_bounded),
        TEST(test_the_file_is_written_aside),
        TEST(test_what_workers_count_is_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
