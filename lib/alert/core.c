/* SPDX-License-Identifier: BSD-3-Clause */
/* The alerting core: from events to assets, alerts and lines. */
#include "alert/core.h"

#include "alert/catalogue.h"
#include "alert/core_internal.h"
#include "alert/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that a sender has alone: publishers of GOOSE and the like; a large station has thousands.
 */
#define MAX_CLAIMS 65536u

/* ---- lines ---- */

bool ft_core_line(struct ft_core *core, struct ft_json *j)
{
    if (core->is_nowhere) { /* but alerts are told apart by their numbers, and their packets are */
        ft_eve_set_next_uid(core->eve, ft_eve_next_uid(core->eve) + 1);
        return false;
    }
    char *room = ft_output_reserve(core->out);
    if (room)
        *j = ft_json_make(room, FT_OUTPUT_LINE_MAX);
    return room != NULL;
}

void ft_core_commit(struct ft_core *core, const struct ft_json *j, bool is_whole)
{
    if (is_whole)
        ft_output_commit(core->out, j->length, ft_eve_line(core->eve));
    else
        ft_output_lose(core->out);
    uint64_t next = ft_output_next(core->out);
    if (next)
        ft_eve_set_next_uid(core->eve, next);
}

void ft_core_health(struct ft_core *core, const char *name, enum ft_severity severity,
                    const char *text)
{
    struct ft_event event = core->last;
    event.type = 0;
    event.protocol = 0;
    ft_core_health_of(core, &event, name, severity, text);
}

void ft_core_health_at(struct ft_core *core, const char *name, enum ft_severity severity,
                       const char *text, uint64_t time_ns)
{
    struct ft_event event = {.time_ns = time_ns};
    ft_core_health_of(core, &event, name, severity, text);
}

void ft_core_health_port(struct ft_core *core, uint32_t port, const char *name,
                         enum ft_severity severity, const char *text, uint64_t time_ns)
{
    struct ft_event event = {
        .type = FT_EVENT_HEALTH, .time_ns = time_ns, .health.port = (uint16_t)(port + 1)};
    ft_core_health_of(core, &event, name, severity, text);
}

void ft_core_health_of(struct ft_core *core, const struct ft_event *event, const char *name,
                       enum ft_severity severity, const char *text)
{
    struct ft_json j;
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_health(core->eve, event, name, severity, text, &j));
}

/* ---- assets ---- */

static void put_changes(struct ft_json *j, struct ft_asset *a, uint8_t changes)
{
    ft_json_key(j, "changes");
    ft_json_array(j);
    if (changes & FT_ASSET_NEW)
        ft_json_string(j, "new");
    for (unsigned i = 0; i < a->changed_facts_n; i++)
        ft_json_string(j, ft_fact_name((enum ft_fact)a->changed_facts[i]));
    if (changes & FT_ASSET_FACT && !a->changed_facts_n)
        ft_json_string(j, "facts");
    if (changes & FT_ASSET_ROLE)
        ft_json_string(j, "role");
    if (changes & FT_ASSET_MAC)
        ft_json_string(j, "mac");
    if (changes & FT_ASSET_VLAN)
        ft_json_string(j, "vlans");
    if (changes & FT_ASSET_MERGED)
        ft_json_string(j, "merged");
    if (changes & FT_ASSET_MOVED)
        ft_json_string(j, "moved");
    ft_json_array_end(j);
}

/* Tell the assets that the last packet made or changed. */
static void tell_assets(struct ft_core *core)
{
    struct ft_asset *a;
    uint8_t changes;
    while ((a = ft_inventory_take_changed(core->inventory, &changes))) {
        struct ft_json j;
        if (ft_core_line(core, &j)) {
            ft_eve_begin(core->eve, &core->last, "asset", &j);
            ft_json_key(&j, "asset");
            ft_json_object(&j);
            put_changes(&j, a, changes);
            ft_asset_json(core->inventory, a, false, &j);
            ft_json_object_end(&j);
            ft_core_commit(core, &j, ft_eve_end(core->eve, &j));
        }
    }
}

/* ---- alerts and anomalies ---- */

static void set_address(struct ft_address *to, const struct ft_address *from)
{
    to->ip = from->ip; /* member by member: the gap behind `family` stays zero */
    to->family = from->family;
}

static void window_key(struct ft_window_key *key, const struct ft_event *e,
                       const struct ft_eve_finding *finding)
{
    bool swap = e->packet.server_side == 0;
    struct ft_address client = ft_event_address(e, swap ? FT_RECEIVER : FT_SENDER);
    struct ft_address server = ft_event_address(e, swap ? FT_SENDER : FT_RECEIVER);
    memset(key, 0, sizeof(*key));
    set_address(&key->client, &client);
    set_address(&key->server, &server);
    key->finding = finding;
    /* What a flow carries may become known while a rule on its packets holds again and again. */
    key->protocol = e->type == FT_EVENT_RULE && !ft_event_is_of_rule(e) ? 0 : e->protocol;
    const struct ft_event_sub *sub[2] = {0};
    if (e->type == FT_EVENT_ALERT || e->type == FT_EVENT_VIOLATION || ft_event_is_of_rule(e)) {
        sub[0] = &e->message.sub[0];
        sub[1] = &e->message.sub[1];
        key->code = e->message.code;
        key->qualifier = e->message.qualifier;
    } else if (e->type == FT_EVENT_FACT) {
        sub[0] = &e->fact.sub;
    }
    for (unsigned i = 0; i < 2 && sub[i]; i++) {
        key->sub[i] = sub[i]->value;
        key->sub_kind[i] = sub[i]->kind;
    }
}

/* The same for a violation that is told by the value of its evidence, whatever the command. */
static void fold_by_value(struct ft_window_key *key, const struct ft_event *e)
{
    memset(key->sub_kind, 0, sizeof(key->sub_kind));
    key->sub[0] = e->message.value;
    key->sub[1] = 0;
    key->code = key->qualifier = 0;
}

/* Keep an alert for the summary: its number in the list from 1, 0 when the list is full. */
static uint32_t keep_alert(struct ft_core *core, const struct ft_event *e,
                           const struct ft_eve_finding *finding, uint64_t times)
{
    if (core->alert_count == core->alert_size && core->alert_size < core->config.max_alerts) {
        uint32_t size = core->alert_size ? core->alert_size * 2 : 64;
        size = size < core->config.max_alerts ? size : core->config.max_alerts;
        struct ft_core_alert *bigger = realloc(core->alert_list, size * sizeof(*bigger));
        if (bigger) {
            core->alert_list = bigger;
            core->alert_size = size;
        }
    }
    if (core->alert_count == core->alert_size) {
        core->alerts_not_kept++;
        return 0;
    }
    struct ft_core_alert *a = &core->alert_list[core->alert_count++];
    *a = (struct ft_core_alert){.time_ns = e->time_ns,
                                .count = times,
                                .finding = finding,
                                .source = ft_event_address(e, FT_SENDER),
                                .destination = ft_event_address(e, FT_RECEIVER),
                                .protocol = e->protocol};
    return core->alert_count;
}

void ft_core_write_alert(struct ft_core *core, const struct ft_event *e,
                         const struct ft_eve_finding *finding, const struct ft_eve_life *life,
                         const struct ft_eve_change *change)
{
    struct ft_eve_finding complete = *finding;
    struct ft_eve_device devices[2];
    struct ft_json j;
    ft_core_name_devices(core, e, devices);
    complete.devices = devices;
    if (!complete.remediation)
        complete.remediation = ft_catalogue_remediation(finding->category);
    core->counts.alerts++;
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_alert(core->eve, e, &complete, life, change, &j));
}

/* What is found about an address, whoever claims it; or about a sender, whoever it told. */
static void fold_by_address(struct ft_window_key *key, const struct ft_event *e, bool is_of_address)
{
    memset(&key->server, 0, sizeof(key->server));
    memset(&key->client, 0, sizeof(key->client));
    if (is_of_address) {
        key->server.ip = e->resolution.ip;
        key->server.family = e->resolution.family;
    } else {
        memcpy(key->client.ip.bytes, e->resolution.mac, 6);
        key->client.family = 2;
    }
}

/* Who has a name: whichever of the two speaks. */
static void fold_by_name(struct ft_window_key *key)
{
    memset(&key->server, 0, sizeof(key->server));
    memset(&key->client, 0, sizeof(key->client));
    key->code = key->qualifier = 0;
}

/*
 * Is it told for the class of the command? A download is dozens of commands, and stands for one
 * deed; a violation that is told for what it is differs by the command.
 */
static bool is_of_class(const struct ft_core *core, const struct ft_event *e,
                        const struct ft_eve_finding *finding)
{
    return e->type == FT_EVENT_ALERT ||
           (e->type == FT_EVENT_VIOLATION &&
            finding != ft_catalogue_violation(core->catalogue, e->protocol, e->message.violation));
}

/* Add the command to those that the alert lists, once by its name. */
static void note_command(const struct ft_core *core, struct ft_window *w, const struct ft_event *e)
{
    struct ft_eve_commands *to = &w->life.commands;
    char name_scratch[32], scratch[32];
    if ((e->type != FT_EVENT_ALERT && e->type != FT_EVENT_VIOLATION && e->type != FT_EVENT_RULE) ||
        !e->protocol || !e->message.has_command)
        return;
    const struct ft_protocol *p = core->registry->protocols[e->protocol - 1];
    const char *name = ft_command_name(p, e->message.code, e->message.qualifier, name_scratch);
    for (uint32_t i = 0; i < to->count; i++)
        if (!strcmp(name, ft_command_name(p, to->rows[i].code, to->rows[i].qualifier, scratch)))
            return;
    if (to->count == FT_EVE_COMMANDS) {
        to->has_more = true;
        return;
    }
    to->rows[to->count].code = e->message.code;
    to->rows[to->count++].qualifier = e->message.qualifier;
}

static bool is_by_value(const struct ft_core *core, const struct ft_event *e)
{
    if (e->type != FT_EVENT_VIOLATION)
        return false;
    const struct ft_protocol *p = core->registry->protocols[e->protocol - 1];
    return ft_protocol_violation(p, e->message.violation)->is_alert == FT_ALERT_BY_VALUE;
}

/* A line is going to be its first: are packets kept for it? */
static void ask_for_packets(const struct ft_core *core, struct ft_window *w,
                            const struct ft_event *e)
{
    struct ft_core_wish wish = {.event = e, .finding = w->key.finding, .now_seq = core->last.seq};
    if (!core->config.wants_packets || !e->packet.record)
        return;
    ft_eve_uid_text(core->eve, w->life.id, wish.id);
    w->life.has_packets = core->config.wants_packets(core->config.wants_user, &wish);
}

/* Count it in the window of its key, and in the list. */
static struct ft_window *count_alert(struct ft_core *core, const struct ft_event *e,
                                     const struct ft_window_key *key, uint64_t times, bool *is_new)
{
    struct ft_window *w = ft_windows_count(core->alerts, key, e, times, is_new);
    if (!w)
        return NULL;
    note_command(core, w, e);
    if (*is_new) {
        w->life.id = ft_eve_next_uid(core->eve);
        w->user = keep_alert(core, e, key->finding, times);
        ask_for_packets(core, w, e);
    } else if (w->user) {
        core->alert_list[w->user - 1].count += times;
    }
    if (w->user)
        core->alert_list[w->user - 1].commands = w->life.commands;
    return w;
}

/* Only those that the rule counts by make a difference. */
static void fold(struct ft_window_key *key, const struct ft_event *e, enum ft_core_fold fold)
{
    struct ft_address sender = ft_event_address(e, FT_SENDER);
    struct ft_address receiver = ft_event_address(e, FT_RECEIVER);
    if (fold == FT_CORE_FOLD_NONE)
        return;
    key->code = key->qualifier = 0;
    key->protocol = 0;
    memset(&key->client, 0, sizeof(key->client));
    key->sub[0] = key->sub_kind[0] = 0;
    if (fold == FT_CORE_FOLD_SERVER)
        return;
    memset(&key->server, 0, sizeof(key->server));
    key->sub[1] = key->sub_kind[1] = 0;
    if (fold != FT_CORE_FOLD_RECEIVER)
        set_address(&key->client, &sender);
    if (fold == FT_CORE_FOLD_SERVICE)
        key->code = e->packet.dst_port;
    else if (fold != FT_CORE_FOLD_SENDER)
        set_address(&key->server, &receiver);
}

/* The first was before what is told now. */
static void note_first(struct ft_core *core, struct ft_window *w, const struct ft_core_count *count)
{
    w->life.first_ns = count->first_ns;
    if (w->user)
        core->alert_list[w->user - 1].time_ns = count->first_ns;
}

struct ft_window *ft_core_count_alert(struct ft_core *core, const struct ft_core_count *count,
                                      bool *is_new)
{
    struct ft_window_key key;
    window_key(&key, count->event, count->finding);
    fold(&key, count->event, count->fold);
    struct ft_window *w = count_alert(core, count->event, &key, count->times, is_new);
    if (w && *is_new)
        note_first(core, w, count);
    return w;
}

static void alert(struct ft_core *core, const struct ft_event *e,
                  const struct ft_eve_finding *finding, const struct ft_eve_change *change)
{
    struct ft_window_key key;
    bool is_new;
    window_key(&key, e, finding);
    if (is_of_class(core, e, finding))
        key.code = key.qualifier = 0;
    if (is_by_value(core, e))
        fold_by_value(&key, e);
    if (e == &core->raised.event)
        fold_by_name(&key);
    if (e->type == FT_EVENT_RESOLUTION)
        fold_by_address(&key, e,
                        change && finding != ft_catalogue_neighbours(FT_NEIGHBOURS_TAKEOVER));
    struct ft_window *w = count_alert(core, e, &key, 1, &is_new);
    if (w && is_new)
        ft_core_write_alert(core, e, finding, &w->life, change);
}

/* ---- events of rules ---- */

struct ft_window *ft_core_count_rule(struct ft_core *core, const struct ft_core_count *count,
                                     bool *is_new)
{
    struct ft_window_key key;
    window_key(&key, count->event, count->finding);
    fold(&key, count->event, count->fold);
    struct ft_window *w =
        ft_windows_count(core->rule_events, &key, count->event, count->times, is_new);
    if (w && *is_new) {
        w->life.id = ft_eve_next_uid(core->eve);
        w->life.first_ns = count->first_ns;
        ask_for_packets(core, w, count->event);
    }
    return w;
}

void ft_core_write_rule(struct ft_core *core, const struct ft_event *e,
                        const struct ft_eve_finding *finding, const struct ft_eve_life *life)
{
    struct ft_json j;
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_rule(core->eve, e, finding, life, &j));
}

/* ---- anomalies ---- */

static void write_anomaly(struct ft_core *core, const struct ft_event *e,
                          const struct ft_eve_finding *finding, const struct ft_eve_life *life)
{
    const char *type = "applayer", *layer = NULL, *name;
    bool is_alert;
    struct ft_json j;
    if (e->type == FT_EVENT_VIOLATION) {
        name = strchr(finding->key, '.') + 1;
        layer = e->message.violation == FT_VIOLATION_NOT_PROTOCOL ? "proto_detect" : "proto_parser";
    } else {
        name = ft_anomaly_name((enum ft_anomaly)e->anomaly);
        ft_catalogue_anomaly((enum ft_anomaly)e->anomaly, &type, &is_alert);
    }
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j,
                       ft_eve_anomaly(core->eve, e, finding, life, type, name, layer, &j));
}

/* Count for the summary; without memory it is not counted there. */
static void tally(struct ft_core *core, const struct ft_eve_finding *finding)
{
    uint32_t i = 0;
    while (i < core->tally_count && core->tallies[i].finding != finding)
        i++;
    if (i == core->tally_size) {
        uint32_t size = core->tally_size ? core->tally_size * 2 : 64;
        void *grown = reallocarray(core->tallies, size, sizeof(*core->tallies));
        if (!grown)
            return;
        core->tallies = grown;
        core->tally_size = size;
    }
    if (i == core->tally_count)
        core->tallies[core->tally_count++] = (struct ft_core_anomaly){finding, 0};
    core->tallies[i].count++;
}

static void anomaly(struct ft_core *core, const struct ft_event *e,
                    const struct ft_eve_finding *finding)
{
    struct ft_window_key key;
    bool is_new;
    tally(core, finding);
    window_key(&key, e, finding);
    struct ft_window *w = ft_windows_count(core->anomalies, &key, e, 1, &is_new);
    if (!w || !is_new)
        return;
    w->life.id = ft_eve_next_uid(core->eve);
    write_anomaly(core, e, finding, &w->life);
}

/* Tell what repeated in windows that began long enough ago; UINT64_MAX: in all. */
static void end_windows(struct ft_core *core, uint64_t clock_ns)
{
    const struct ft_window *w;
    while ((w = ft_windows_end(core->alerts, clock_ns))) {
        struct ft_eve_life life = w->life;
        life.is_update = true;
        ft_core_write_alert(core, w->event, w->key.finding, &life, NULL);
    }
    while ((w = ft_windows_end(core->rule_events, clock_ns))) {
        struct ft_eve_life life = w->life;
        life.is_update = true;
        ft_core_write_rule(core, w->event, w->key.finding, &life);
    }
    while ((w = ft_windows_end(core->anomalies, clock_ns))) {
        struct ft_eve_life life = w->life;
        life.is_update = true;
        write_anomaly(core, w->event, w->key.finding, &life);
    }
}

/*
 * A command of a class that is an alert, and a violation that says the same with a better title,
 * are one alert. The violation comes first, see lib/flow/inspect_tell.c.
 */
static const struct ft_eve_finding *take_title(struct ft_core *core, const struct ft_event *e)
{
    const struct ft_event_message *m = &e->message;
    if (!m->has_command || m->index >= 64 || !ft_event_is_order(m->kind, m->is_paired))
        return NULL;
    if (core->titled.seq != e->seq || core->titled.shard != e->shard)
        core->titled.messages = 0;
    const struct ft_eve_finding *finding =
        ft_catalogue_titled(core->catalogue, e->protocol, m->violation, (enum ft_class)m->class_);
    if (!finding || core->titled.messages >> m->index & 1)
        return NULL;
    core->titled.seq = e->seq;
    core->titled.shard = e->shard;
    core->titled.messages |= 1ull << m->index;
    return finding;
}

static bool was_titled(struct ft_core *core, const struct ft_event *e)
{
    uint64_t bit = e->message.index < 64 ? 1ull << e->message.index : 0;
    bool was =
        core->titled.seq == e->seq && core->titled.shard == e->shard && core->titled.messages & bit;
    if (was)
        core->titled.messages &= ~bit; /* further PDUs of the packet number theirs anew */
    return was;
}

static void on_class(struct ft_core *core, const struct ft_event *e)
{
    const struct ft_eve_finding *finding = ft_catalogue_class((enum ft_class)e->message.class_);
    if (finding && !was_titled(core, e))
        alert(core, e, finding, NULL);
}

static void on_violation(struct ft_core *core, const struct ft_event *e,
                         const struct ft_eve_change *change)
{
    const struct ft_eve_finding *finding =
        ft_catalogue_violation(core->catalogue, e->protocol, e->message.violation);
    if (!finding)
        return;
    const struct ft_protocol *p = core->registry->protocols[e->protocol - 1];
    core->counts.errors[e->protocol - 1]++;
    anomaly(core, e, finding);
    if (!ft_protocol_violation(p, e->message.violation)->is_alert)
        return;
    const struct ft_eve_finding *titled = take_title(core, e);
    alert(core, e, titled ? titled : finding, change);
}

static void on_anomaly(struct ft_core *core, const struct ft_event *e)
{
    const char *type;
    bool is_alert = false;
    const struct ft_eve_finding *finding =
        ft_catalogue_anomaly((enum ft_anomaly)e->anomaly, &type, &is_alert);
    if (!finding)
        return;
    anomaly(core, e, finding);
    if (is_alert)
        alert(core, e, finding, NULL);
}

/* ---- changes of assets ---- */

/* How far a controller is from running undisturbed; -1 = a mode that says nothing of it. */
static int mode_rank(const char *mode)
{
    if (strstr(mode, "prog"))
        return 3;
    if (strstr(mode, "stop") || strstr(mode, "halt"))
        return 2;
    if (strstr(mode, "remote"))
        return 1;
    return strstr(mode, "run") ? 0 : -1;
}

static void on_asset_changed(void *user, const struct ft_event *event, const struct ft_asset *asset,
                             enum ft_fact fact, const char *before, const char *after)
{
    struct ft_core *core = user;
    const struct ft_eve_finding *finding = NULL;
    bool is_mac = (unsigned)fact == FT_INVENTORY_MAC;
    if (is_mac)
        finding = ft_catalogue_address_moved();
    if (fact == FT_FACT_FIRMWARE)
        finding = ft_catalogue_firmware_changed();
    if (fact == FT_FACT_MODE && mode_rank(before) >= 0 && mode_rank(after) > mode_rank(before))
        finding = ft_catalogue_mode_changed();
    if (!finding)
        return;
    struct ft_eve_change change = {
        .fact = is_mac ? "mac" : ft_fact_name(fact), .before = before, .after = after};
    char sub[160];
    ft_address_text(&asset->address, change.asset);
    if (asset->parent) {
        size_t n = strlen(change.asset);
        ft_asset_sub_text(asset, sub, sizeof(sub));
        snprintf(change.asset + n, sizeof(change.asset) - n, "/%s", sub);
    }
    alert(core, event, finding, &change);
}

static void mac_text(char text[64], const uint8_t mac[6])
{
    struct ft_address address = {.family = 2};
    memcpy(address.ip.bytes, mac, 6);
    ft_address_text(&address, text);
}

static void on_neighbours(void *user, enum ft_neighbours_finding finding,
                          const struct ft_event *event, const struct ft_neighbours_change *change)
{
    struct ft_core *core = user;
    struct ft_eve_change told = {.fact = "mac"};
    const struct ft_eve_finding *what = ft_catalogue_neighbours(finding);
    char before[64], after[64];
    if (!change) {
        alert(core, event, what, NULL);
        return;
    }
    struct ft_address address = {.ip = change->ip, .family = change->family};
    if (finding == FT_NEIGHBOURS_MOVED && (ft_inventory_is_router(core->inventory, &address) ||
                                           ft_neighbours_is_virtual_router(change->before)))
        what = ft_catalogue_gateway_moved();
    ft_address_text(&address, told.asset);
    mac_text(before, change->before);
    mac_text(after, change->after);
    told.before = before;
    told.after = after;
    alert(core, event, what, &told);
}

static void on_resolution(struct ft_core *core, const struct ft_event *e)
{
    if (ft_neighbours_event(core->neighbours, e))
        ft_inventory_resolution(core->inventory, e);
}

static void on_fact(struct ft_core *core, const struct ft_event *e)
{
    const uint8_t *bytes = (const uint8_t *)e + e->fact.text;
    union ft_ip ip = {0};
    if (!e->fact.is_lease || (e->fact.length != 10 && e->fact.length != 22))
        return;
    memcpy(ip.bytes, bytes, e->fact.length - 6u);
    ft_neighbours_assigned(core->neighbours, &ip, e->fact.length == 10 ? 4 : 6,
                           bytes + e->fact.length - 6, e->clock_ns);
}

static void on_claim(struct ft_core *core, const struct ft_event *e)
{
    uint8_t mac[6];
    char before[64], after[64];
    uint32_t violation = ft_claims_event(core->claims, e, mac);
    if (violation == FT_NO_VIOLATION || e->size > sizeof(core->raised))
        return;
    memcpy(&core->raised, e, e->size);
    struct ft_event *raised = &core->raised.event;
    raised->type = FT_EVENT_VIOLATION;
    raised->message.violation = violation;
    raised->message.count = 1;
    raised->message.at = UINT32_MAX;
    struct ft_eve_change change = {.fact = "mac", .before = before, .after = after};
    const struct ft_event_sub *sub = &e->message.sub[0];
    mac_text(before, mac);
    mac_text(after, e->packet.src_mac);
    ft_sub_text(sub->kind, sub->value, sub->text ? (const char *)e + sub->text : NULL, sub->length,
                change.asset, sizeof(change.asset));
    on_violation(core, raised, strcmp(before, after) != 0 ? &change : NULL);
}

/* ---- events ---- */

static void on_talk(struct ft_core *core, const struct ft_event *e)
{
    struct ft_conversation *c = ft_conversation_of(core->conversations, e);
    if (c && e->time_ns > c->last_ns)
        c->last_ns = e->time_ns;
}

static void on_operation(struct ft_core *core, const struct ft_event *e)
{
    struct ft_json j;
    if (!ft_conversation_operation(core->conversations, e))
        return;
    core->counts.operations++;
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_operation(core->eve, e, &j));
}

static void on_message(struct ft_core *core, const struct ft_event *e)
{
    struct ft_json j;
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_message(core->eve, e, &j));
}

static void on_flow(struct ft_core *core, const struct ft_event *e)
{
    struct ft_conversation *c = ft_conversation_of(core->conversations, e);
    struct ft_json j;
    if (c) {
        c->flows++;
        c->packets += e->flow.packets[0] + e->flow.packets[1];
        c->bytes += e->flow.bytes[0] + e->flow.bytes[1];
        if (e->flow.first_ns < c->first_ns)
            c->first_ns = e->flow.first_ns;
        if (e->flow.last_ns > c->last_ns)
            c->last_ns = e->flow.last_ns;
    }
    if (e->protocol) {
        core->counts.flows[e->protocol - 1]++;
        core->counts.messages[e->protocol - 1] += e->flow.messages;
    } else {
        core->counts.flows_failed++;
    }
    if (ft_core_line(core, &j))
        ft_core_commit(core, &j, ft_eve_flow(core->eve, e, &j));
}

static void on_health(struct ft_core *core, const struct ft_event *e)
{
    static const struct {
        const char *name, *text;
        enum ft_severity severity;
    } rows[FT_HEALTH_COUNT] = {
        [FT_HEALTH_DISSECTOR_FAULT] = {"dissector_fault",
                                       "A dissector crashed and was switched off: its protocol is "
                                       "not analysed any more",
                                       FT_SEVERITY_MAJOR},
        [FT_HEALTH_DISSECTOR_OVERRUN] = {"dissector_overrun",
                                         "A dissector took too long and was switched off: its "
                                         "protocol is not analysed any more",
                                         FT_SEVERITY_MAJOR},
        [FT_HEALTH_TIME_BACKWARDS] = {"time_jump",
                                      "Packet time ran backwards or jumped over an hour",
                                      FT_SEVERITY_WARNING},
        [FT_HEALTH_LEDGER] = {"ledger", "The books of packets or bytes do not close",
                              FT_SEVERITY_MAJOR},
        [FT_HEALTH_INTERFACE_UP] = {"interface_up", "The interface is there and has a link",
                                    FT_SEVERITY_WARNING},
        [FT_HEALTH_INTERFACE_DOWN] = {"interface_down",
                                      "The interface has no link or is switched off: nothing is "
                                      "received from it",
                                      FT_SEVERITY_MAJOR},
        [FT_HEALTH_INTERFACE_MISSING] =
            {"interface_missing", "The interface does not exist: nothing is received from it",
             FT_SEVERITY_MAJOR},
        [FT_HEALTH_NOT_SPREAD] = {"packets_not_spread",
                                  "The NIC puts packets on other queues than it was told to: "
                                  "workers hand them over, which costs time",
                                  FT_SEVERITY_WARNING},
        [FT_HEALTH_FILTER_CHANGED] = {"filter_changed",
                                      "The capture filter was changed while the sensor runs",
                                      FT_SEVERITY_WARNING},
        [FT_HEALTH_FILTER_REFUSED] = {"filter_refused",
                                      "Another capture filter was asked for and refused: it stays "
                                      "as it was; standard error says why",
                                      FT_SEVERITY_MINOR},
    };
    struct ft_json j;
    if (e->health.health < FT_HEALTH_COUNT && ft_core_line(core, &j))
        ft_core_commit(core, &j,
                       ft_eve_health(core->eve, e, rows[e->health.health].name,
                                     rows[e->health.health].severity, rows[e->health.health].text,
                                     &j));
}

/* What a later line that belongs to no event of its own says of time and packet. */
static void remember(struct ft_core *core, const struct ft_event *e)
{
    core->last.seq = e->seq;
    core->last.time_ns = e->time_ns;
    core->last.clock_ns = e->clock_ns;
    core->last.number = e->number;
    if (!core->first_ns)
        core->first_ns = e->time_ns;
}

void ft_core_event(struct ft_core *core, const struct ft_event *event)
{
    if (event->seq != core->last.seq)
        tell_assets(core);
    if (event->type == FT_EVENT_TICK) {
        ft_core_tick(core, event->clock_ns, event->seq);
        return;
    }
    if (event->type >= FT_EVENT_TYPES || event->protocol > core->registry->count)
        return;
    remember(core, event);
    ft_inventory_event(core->inventory, event);
    switch (event->type) {
    case FT_EVENT_TALK:
        on_talk(core, event);
        break;
    case FT_EVENT_OPERATION:
        on_operation(core, event);
        break;
    case FT_EVENT_ALERT:
        on_class(core, event);
        break;
    case FT_EVENT_VIOLATION:
        on_violation(core, event, NULL);
        break;
    case FT_EVENT_FACT:
        on_fact(core, event);
        break;
    case FT_EVENT_RESOLUTION:
        on_resolution(core, event);
        break;
    case FT_EVENT_CLAIM:
        on_claim(core, event);
        break;
    case FT_EVENT_RULE:
        ft_rule_desk_event(core, event);
        break;
    case FT_EVENT_ANOMALY:
        on_anomaly(core, event);
        break;
    case FT_EVENT_MESSAGE:
    case FT_EVENT_TRANSACTION:
    case FT_EVENT_UNANSWERED:
        on_message(core, event);
        break;
    case FT_EVENT_FLOW:
        on_flow(core, event);
        break;
    case FT_EVENT_HEALTH:
        on_health(core, event);
        break;
    default:
        break;
    }
}

/* A table that is full is told once. */
static void tell_full(struct ft_core *core)
{
    const struct {
        uint64_t refused;
        const char *text;
    } tables[] = {
        {ft_inventory_refused(core->inventory),
         "The inventory is full: further devices are not listed (max_assets)"},
        {ft_conversations_refused(core->conversations),
         "The table of conversations is full: further ones are not told (max_conversations, "
         "max_operations)"},
        {ft_windows_refused(core->alerts),
         "Too many different alerts at once: some were only counted (max_windows)"},
        {ft_windows_refused(core->anomalies),
         "Too many different anomalies at once: some were only counted (max_windows)"},
        {ft_windows_refused(core->rule_events),
         "Too many different events of rules at once: some were only counted (max_windows)"},
        {ft_rule_desk_is_full(core->rules),
         "Thresholds of rules count for too many at once: some began anew (max_thresholds)"},
    };
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (tables[i].refused && !(core->told_full >> i & 1)) {
            core->told_full |= 1u << i;
            ft_core_health(core, "table_full", FT_SEVERITY_MINOR, tables[i].text);
        }
}

void ft_core_tick(struct ft_core *core, uint64_t clock_ns, uint64_t seq)
{
    tell_assets(core);
    core->last.seq = seq;
    ft_neighbours_tick(core->neighbours, clock_ns);
    end_windows(core, clock_ns);
    tell_full(core);
}

void ft_core_finish(struct ft_core *core)
{
    tell_assets(core);
    ft_neighbours_tick(core->neighbours, UINT64_MAX);
    end_windows(core, UINT64_MAX);
    tell_full(core);
}

/* ---- making and reading ---- */

static void fill_in_defaults(struct ft_core_config *config)
{
    config->max_conversations = config->max_conversations ? config->max_conversations : 200000;
    config->max_operations = config->max_operations ? config->max_operations : 1000000;
    config->max_windows = config->max_windows ? config->max_windows : 16384;
    config->max_alerts = config->max_alerts ? config->max_alerts : 10000;
    config->max_thresholds = config->max_thresholds ? config->max_thresholds : 16384;
}

struct ft_core *ft_core_new(const struct ft_core_config *config, const struct ft_registry *registry,
                            struct ft_output *out, char *error, size_t error_size)
{
    struct ft_core *core = calloc(1, sizeof(*core));
    if (!core) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    core->config = *config;
    fill_in_defaults(&core->config);
    core->registry = registry;
    core->out = out;
    core->is_nowhere = ft_output_is_nowhere(out);
    uint64_t next = ft_output_next(out);
    if (!next)
        next = ft_eve_uid_after(ft_output_last_line(out));
    if (next < config->first_number)
        next = config->first_number;
    core->eve = ft_eve_new(&(struct ft_eve_config){.sensor = config->sensor,
                                                   .site = config->site,
                                                   .log_secrets = config->log_secrets,
                                                   .arkime_addresses = config->arkime_addresses,
                                                   .salt = {config->salt[0], config->salt[1]},
                                                   .first_uid = next,
                                                   .interfaces = config->interfaces,
                                                   .interface_count = config->interface_count,
                                                   .ports = config->ports,
                                                   .port_count = config->port_count},
                           registry);
    core->inventory =
        ft_inventory_new(&(struct ft_inventory_config){.max_assets = config->max_assets,
                                                       .key = {config->salt[0], config->salt[1]},
                                                       .oui = config->oui,
                                                       .changed = on_asset_changed,
                                                       .user = core},
                         registry);
    core->conversations = ft_conversations_new(core->config.max_conversations,
                                               core->config.max_operations, config->salt);
    core->catalogue = ft_catalogue_new(registry);
    core->alerts = ft_windows_new(core->config.max_windows, config->salt);
    core->anomalies = ft_windows_new(core->config.max_windows, config->salt);
    core->rule_events = ft_windows_new(core->config.max_windows, config->salt);
    core->rules = ft_rule_desk_new(core->config.max_thresholds, config->salt);
    core->neighbours = ft_neighbours_new(config->salt, on_neighbours, core);
    core->claims = ft_claims_new(MAX_CLAIMS, config->salt);
    core->losses = calloc(config->port_count + 1u, sizeof(core->losses[0]));
    if (core->neighbours && core->claims && core->eve && core->inventory && core->conversations &&
        core->catalogue && core->alerts && core->anomalies && core->rule_events && core->rules &&
        core->losses)
        return core;
    ft_core_free(core);
    snprintf(error, error_size, "out of memory");
    return NULL;
}

void ft_core_free(struct ft_core *core)
{
    if (!core)
        return;
    ft_eve_free(core->eve);
    ft_inventory_free(core->inventory);
    ft_conversations_free(core->conversations);
    ft_catalogue_free(core->catalogue);
    ft_neighbours_free(core->neighbours);
    ft_claims_free(core->claims);
    ft_windows_free(core->alerts);
    ft_windows_free(core->anomalies);
    ft_windows_free(core->rule_events);
    ft_rule_desk_free(core->rules);
    free(core->alert_list);
    free(core->tallies);
    free(core->losses);
    free(core);
}

const struct ft_registry *ft_core_registry(const struct ft_core *core)
{
    return core->registry;
}

const struct ft_inventory *ft_core_inventory(const struct ft_core *core)
{
    return core->inventory;
}

const struct ft_conversations *ft_core_conversations(const struct ft_core *core)
{
    return core->conversations;
}

const struct ft_core_alert *ft_core_alerts(const struct ft_core *core, uint32_t *count,
                                           uint64_t *more)
{
    *count = core->alert_count;
    *more = core->alerts_not_kept;
    return core->alert_list;
}

const struct ft_core_anomaly *ft_core_anomalies(const struct ft_core *core, uint32_t *count)
{
    *count = core->tally_count;
    return core->tallies;
}
