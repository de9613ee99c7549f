/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file. */
#include "config/config.h"

#include "base/locate.h"
#include "base/nearest.h"
#include "base/say.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (16u << 20)

#define WORDS 4u /* that a key may have for values */

enum kind {
    TEXT,
    NUMBER, /* uint32_t */
    LONG,   /* uint64_t */
    TRUTH,
    CHOICE, /* bool: the second of two words */
    WORD,   /* uint32_t: which of three or four words */
    CPU,    /* uint32_t, FT_CONFIG_NO_CPU unless given */
    CPUS,   /* the number of workers, or the list of their CPUs */
};

/* Every key that exists: section.key, what it must be, where it goes. */
struct key {
    const char *section, *name;
    enum kind kind;
    uint64_t low, high;
    size_t offset;
    const char *words[WORDS];
    const char *title; /* one line for the reference */
};

#define AT(member) offsetof(struct ft_config, member)

/* clang-format off */
static const struct key keys[] = {
    {"sensor", "name", TEXT, 1, 63, AT(sensor_name), {0},
     "name of this sensor, in every event"},
    {"sensor", "site", TEXT, 0, 255, AT(sensor_site), {0},
     "where it stands, in every event when not empty"},
    {"sensor", "address", TEXT, 0, 63, AT(sensor_address), {0},
     "address of its management interface, for outputs that tell it"},
    {"sensor", "zone", TEXT, 0, 255, AT(sensor_zone), {0},
     "part of the site that it stands in, for outputs that tell it"},
    {"flow", "max_flows", NUMBER, 128, 8388480, AT(max_flows), {0},
     "flows kept at a time; the oldest that is not industrial makes room"},
    {"flow", "tcp_new_s", NUMBER, 1, 86400, AT(tcp_new_s), {0},
     "seconds after which a TCP flow ends that was never answered"},
    {"flow", "tcp_established_s", NUMBER, 1, 864000, AT(tcp_established_s), {0},
     "seconds of silence that end a TCP flow"},
    {"flow", "tcp_ot_s", NUMBER, 1, 864000, AT(tcp_ot_s), {0},
     "the same for industrial protocols, which may be silent for long"},
    {"flow", "tcp_closed_s", NUMBER, 1, 86400, AT(tcp_closed_s), {0},
     "seconds a closed TCP flow is kept for what comes late"},
    {"flow", "udp_s", NUMBER, 1, 86400, AT(udp_s), {0},
     "seconds of silence that end a UDP flow"},
    {"flow", "udp_ot_s", NUMBER, 1, 86400, AT(udp_ot_s), {0},
     "the same for industrial protocols"},
    {"flow", "other_s", NUMBER, 1, 86400, AT(other_s), {0},
     "seconds of silence that end any other flow"},
    {"stats", "interval", LONG, 0, 86400, AT(stats_interval), {0},
     "seconds of packet time between stats events; 0: only at the end"},
    {"alerts", "built_in_rules", CHOICE, 0, 0, AT(leaves_out_built_in), {"on", "off"},
     "the rules that fieldtap brings: worms, attacks, scans; doc/rules.md"},
    {"output", "log_secrets", TRUTH, 0, 0, AT(log_secrets), {0},
     "write passwords and keys as they are, not as length and salted hash"},
    {"output", "arkime_addresses", TRUTH, 0, 0, AT(arkime_addresses), {0},
     "give events without IP the address 0.0.0.0, for readers that demand one"},
    {"decode", "checksum", CHOICE, 0, 0, AT(checksum_drop), {"accept", "drop"},
     "what becomes of packets with a wrong checksum; they are counted"},
    {"decode", "vlan_in_flow_key", TRUTH, 0, 0, AT(vlan_in_flow_key), {0},
     "same addresses in different VLANs are different flows"},
    {"decode", "duplicates", WORD, 0, 0, AT(duplicates), {"live", "drop", "keep"},
     "packets that a mirror delivers twice: left out live, always, or never; they are counted"},
    {"decode", "duplicate_window_us", NUMBER, 1, 2000, AT(duplicate_window_us), {0},
     "microseconds within which the same packet is a copy"},
    {"evidence", "enabled", WORD, 0, 0, AT(evidence), {"live", "on", "off"},
     "the packets around alerts are kept, a pcapng file each: live, always, or never; doc/evidence.md"},
    {"evidence", "folder", TEXT, 0, 4000, AT(evidence_folder), {0},
     "where they are kept; empty: in the folder evidence of the state folder, or beside eve.json"},
    {"evidence", "minimum_severity", WORD, 0, 0, AT(evidence_severity),
     {"critical", "major", "minor", "warning"},
     "alerts below it have no packets kept, but those of rules that want them"},
    {"evidence", "memory", NUMBER, 4, 65536, AT(evidence_memory), {0},
     "MiB for the last packets of all flows, from before an alert"},
    {"evidence", "snap_length", NUMBER, 64, 262144, AT(evidence_snap_length), {0},
     "bytes of a packet that are kept"},
    {"evidence", "before_seconds", NUMBER, 0, 3600, AT(evidence_before_s), {0},
     "packets of the flow from so long before the alert"},
    {"evidence", "after_seconds", NUMBER, 0, 3600, AT(evidence_after_s), {0},
     "and for so long after it"},
    {"evidence", "packets", NUMBER, 2, 100000, AT(evidence_packets), {0},
     "packets of an alert, half of them from before it"},
    {"evidence", "bytes_per_alert", NUMBER, 4096, 67108864, AT(evidence_bytes), {0},
     "bytes of an alert's packets, half of them from before it"},
    {"evidence", "total_bytes", LONG, 65536, 1ull << 50, AT(evidence_total), {0},
     "bytes of all files; the oldest are removed"},
    {"evidence", "max_days", NUMBER, 0, 36500, AT(evidence_days), {0},
     "days that a file is kept; 0: until there is no room"},
    {"capture", "filter", TEXT, 0, 4096, AT(filter), {0},
     "packets that do not match are left out, in tcpdump's words; --filter goes first"},
    {"capture", "ring", NUMBER, 2, 4096, AT(ring), {0},
     "MiB that the kernel may fill before it drops, for each interface of -i"},
    {"capture", "wait", TRUTH, 0, 0, AT(waits), {0},
     "true: an interface (-i) or port (--port) that is not there at start is waited for; false: that "
     "is an error, and the sensor does not start"},
    {"capture", "silence", NUMBER, 0, 86400, AT(silence_s), {0},
     "seconds without any packet after which an interface is told to be silent; 0: never"},
    {"capture", "descriptors", NUMBER, 64, 32768, AT(descriptors), {0},
     "packets that each queue of a port (--port) holds; a NIC may hold fewer"},
    {"control", "socket", TEXT, 0, 107, AT(control_socket), {0},
     "socket for fieldtapctl; none: there is none; empty: /run/fieldtap/control.sock of a live run, "
     "if it can be had"},
    {"control", "mode", TEXT, 3, 4, AT(control_mode), {0},
     "permissions of the socket, octal: who may write to it may steer the sensor"},
    {"control", "group", TEXT, 0, 63, AT(control_group), {0},
     "group of the socket; empty: the sensor's own"},
    {"metrics", "listen", TEXT, 0, 63, AT(metrics_listen), {0},
     "address of this host (127.0.0.1 or ::1) and port where OpenMetrics are read: 127.0.0.1:9469"},
    {"metrics", "file", TEXT, 0, 1023, AT(metrics_file), {0},
     "file that OpenMetrics are written to, every ten seconds"},
    {"metrics", "telemetry", TRUTH, 0, 0, AT(metrics_telemetry), {0},
     "true: live, DPDK's telemetry socket is open, with the counters under /fieldtap"},
    {"cores", "workers", CPUS, 0, 128, AT(workers), {0},
     "worker threads, 0: from the machine; or their CPUs; the option -w goes first"},
    {"cores", "alerting", CPU, 0, 1023, AT(alerting_cpu), {0},
     "CPU of the alerting loop"},
    {"cores", "ring", NUMBER, 0, 262144, AT(ring_packets), {0},
     "packets that may wait for a worker, 256 at least; 0: from the number of workers"},
    {"service", "user", TEXT, 0, 31, AT(user), {0},
     "user that a sensor becomes which root starts, when its ports are open; --user goes first"},
    {"service", "seccomp", WORD, 0, 0, AT(seccomp), {"on", "log", "off"},
     "filter of system calls: what is in no list ends the sensor, is logged by the kernel, or passes"},
    {"service", "core_dumps", TRUTH, 0, 0, AT(core_dumps), {0},
     "a crashed service leaves a core dump, which holds what was seen on the network"},
};
/* clang-format on */

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Texts that are judged when they are used: where to put the place that they have in the file. */
static const struct {
    size_t text, place;
} places[] = {
    {AT(filter), AT(filter_at)},
    {AT(control_mode), AT(control_mode_at)},
    {AT(control_group), AT(control_group_at)},
    {AT(metrics_listen), AT(metrics_listen_at)},
    {AT(sensor_address), AT(sensor_address_at)},
    {AT(user), AT(user_at)},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* Sections that are not made of the keys above. */
static const char *const free_sections[] = {"plugins", "interfaces", "bindings", "ports",
                                            "rules",   "sets",       "zones",    "working_hours",
                                            "journal", "outputs"};

#define FREE_SECTIONS (sizeof(free_sections) / sizeof(free_sections[0]))

struct reading {
    struct ft_config *config;
    const char *file, *text;
    char *error;
    size_t size, used;
    bool is_wrong;
};

void ft_config_init(struct ft_config *config)
{
    *config = (struct ft_config){.sensor_name = "fieldtap",
                                 .sensor_site = "",
                                 .sensor_address = "",
                                 .sensor_zone = "",
                                 .max_flows = 1048576,
                                 .tcp_new_s = 30,
                                 .tcp_established_s = 3600,
                                 .tcp_ot_s = 86400,
                                 .tcp_closed_s = 10,
                                 .udp_s = 60,
                                 .udp_ot_s = 300,
                                 .other_s = 300,
                                 .stats_interval = 60,
                                 .duplicate_window_us = 2000,
                                 .evidence_folder = "",
                                 .evidence_severity = 3,
                                 .evidence_memory = 64,
                                 .evidence_snap_length = 4096,
                                 .evidence_before_s = 30,
                                 .evidence_after_s = 10,
                                 .evidence_packets = 200,
                                 .evidence_bytes = 256u << 10,
                                 .evidence_total = 1ull << 30,
                                 .evidence_days = 90,
                                 .filter = "",
                                 .control_socket = "",
                                 .control_mode = "0660",
                                 .control_group = "",
                                 .metrics_listen = "",
                                 .metrics_file = "",
                                 .user = "",
                                 .ring = 64,
                                 .silence_s = 60,
                                 .descriptors = FT_PORT_DESCRIPTORS,
                                 .alerting_cpu = FT_CONFIG_NO_CPU};
    ft_config_journal_init(&config->journal);
}

void ft_config_free(struct ft_config *config)
{
    json_decref(config->private_);
    config->private_ = NULL;
}

/* Add one line: file:line:column: what is wrong. What is quoted of the file writes no other. */
static void add_line(struct reading *r, unsigned line, unsigned column, const char *text)
{
    char plain[1024], name[1024];
    r->is_wrong = true;
    if (r->used >= r->size)
        return;
    int n = snprintf(r->error + r->used, r->size - r->used, "%s%s:%u:%u: %s", r->used ? "\n" : "",
                     ft_say_plain(name, sizeof(name), r->file), line, column,
                     ft_say_plain(plain, sizeof(plain), text));
    r->used += n > 0 ? (size_t)n : 0;
}

__attribute__((format(printf, 4, 5))) static void wrong(struct reading *r,
                                                        const struct ft_step *path, uint32_t steps,
                                                        const char *format, ...)
{
    struct ft_place place = ft_locate(r->text, path, steps);
    char line[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    add_line(r, place.line, place.column, line);
}

/* The valid word nearest to a wrong one. `section` NULL: names of sections. */
static const char *nearest(const char *name, const char *section)
{
    struct ft_nearest n = ft_nearest_begin(name);
    for (unsigned i = 0; i < KEYS; i++)
        if (!section || strcmp(keys[i].section, section) == 0)
            ft_nearest_offer(&n, section ? keys[i].name : keys[i].section);
    for (unsigned i = 0; !section && i < FREE_SECTIONS; i++)
        ft_nearest_offer(&n, free_sections[i]);
    return n.best;
}

static const struct key *find_key(const char *section, const char *name)
{
    for (unsigned i = 0; i < KEYS; i++)
        if (strcmp(keys[i].section, section) == 0 && (!name || strcmp(keys[i].name, name) == 0))
            return &keys[i];
    return NULL;
}

static void unknown(struct reading *r, const struct ft_step *path, uint32_t steps)
{
    const char *section = steps == 2 ? path[0].key : NULL, *name = path[steps - 1].key;
    const char *better = nearest(name, section);
    char full[160];
    snprintf(full, sizeof(full), "%s%s%s", section ? section : "", section ? "." : "", name);
    if (better)
        wrong(r, path, steps, "unknown key \"%s\"; did you mean \"%s\"?", full, better);
    else
        wrong(r, path, steps, "unknown key \"%s\"; doc/configuration.md lists the keys", full);
}

static void set_number(struct reading *r, const struct key *k, const json_t *value,
                       const struct ft_step *path)
{
    json_int_t n = json_integer_value(value);
    char *to = (char *)r->config + k->offset;
    if (!json_is_integer(value) || n < 0 || (uint64_t)n < k->low || (uint64_t)n > k->high) {
        wrong(r, path, 2, "%s.%s: expected a whole number from %llu to %llu", k->section, k->name,
              (unsigned long long)k->low, (unsigned long long)k->high);
        return;
    }
    if (k->kind == LONG)
        *(uint64_t *)(void *)to = (uint64_t)n;
    else
        *(uint32_t *)(void *)to = (uint32_t)n;
}

static void set_text(struct reading *r, const struct key *k, const json_t *value,
                     const struct ft_step *path)
{
    size_t n = json_string_length(value);
    if (!json_is_string(value) || n < k->low || n > k->high)
        wrong(r, path, 2, "%s.%s: expected a text of %llu to %llu characters", k->section, k->name,
              (unsigned long long)k->low, (unsigned long long)k->high);
    else
        *(const char **)(void *)((char *)r->config + k->offset) = json_string_value(value);
}

static void keep_place(struct reading *r, const struct key *k, const struct ft_step *path)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (places[i].text == k->offset)
            *(struct ft_place *)(void *)((char *)r->config + places[i].place) =
                ft_locate(r->text, path, 2);
}

/* A list of different CPUs, one for each worker; or their number. */
static void set_cpus(struct reading *r, const struct key *k, const json_t *value,
                     const struct ft_step *path)
{
    struct ft_config *c = r->config;
    struct ft_step inner[3] = {path[0], path[1], {NULL, 0}};
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        set_number(r, k, value, path);
        return;
    }
    if (count < 1 || count > FT_CONFIG_CPUS) {
        wrong(r, path, 2, "cores.workers: expected a number, or 1 to %u CPUs", FT_CONFIG_CPUS);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(value, i);
        json_int_t cpu = json_integer_value(one);
        bool is_new = json_is_integer(one) && cpu >= 0 && cpu <= 1023;
        for (size_t before = 0; is_new && before < i; before++)
            is_new = c->worker_cpus[before] != (uint32_t)cpu;
        inner[2].index = (uint32_t)i;
        if (!is_new)
            wrong(r, inner, 3, "cores.workers[%zu]: expected a CPU from 0 to 1023, each once", i);
        c->worker_cpus[i] = (uint32_t)cpu;
    }
    c->workers = c->worker_cpu_count = (uint32_t)count;
}

/* The words that a key may be: "a", "b" or "c". */
static void list_words(const struct key *k, char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < WORDS && k->words[i] && used < size; i++) {
        bool is_last = i + 1 == WORDS || !k->words[i + 1];
        int n = snprintf(text + used, size - used, "%s\"%s\"",
                         !i        ? ""
                         : is_last ? " or "
                                   : ", ",
                         k->words[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* One of some words. */
static void set_word(struct reading *r, const struct key *k, const json_t *value,
                     const struct ft_step *path)
{
    const char *text = json_string_value(value);
    uint32_t *to = (uint32_t *)(void *)((char *)r->config + k->offset);
    char words[160];
    for (uint32_t i = 0; text && i < WORDS && k->words[i]; i++)
        if (strcmp(text, k->words[i]) == 0) {
            *to = i;
            return;
        }
    list_words(k, words, sizeof(words));
    wrong(r, path, 2, "%s.%s: expected %s", k->section, k->name, words);
}

static void set(struct reading *r, const struct key *k, const json_t *value,
                const struct ft_step *path)
{
    bool *truth = (bool *)((char *)r->config + k->offset);
    const char *text = json_string_value(value);
    switch (k->kind) {
    case NUMBER:
    case LONG:
    case CPU:
        set_number(r, k, value, path);
        return;
    case CPUS:
        set_cpus(r, k, value, path);
        return;
    case TEXT:
        set_text(r, k, value, path);
        keep_place(r, k, path);
        return;
    case TRUTH:
        if (!json_is_boolean(value))
            wrong(r, path, 2, "%s.%s: expected true or false", k->section, k->name);
        *truth = json_is_true(value);
        return;
    case CHOICE:
        if (!text || (strcmp(text, k->words[0]) != 0 && strcmp(text, k->words[1]) != 0))
            wrong(r, path, 2, "%s.%s: expected \"%s\" or \"%s\"", k->section, k->name, k->words[0],
                  k->words[1]);
        else
            *truth = strcmp(text, k->words[1]) == 0;
        return;
    case WORD:
        set_word(r, k, value, path);
        return;
    }
}

/* A list of texts: plugins, ports. */
static void read_list(struct reading *r, const char *name, const json_t *list, const char *what,
                      const char **to, uint32_t *count, uint32_t max)
{
    struct ft_step path[2] = {{name, 0}, {NULL, 0}};
    size_t i;
    json_t *value;
    if (!json_is_array(list)) {
        wrong(r, path, 1, "%s: expected a list, such as [\"%s\"]", name, what);
        return;
    }
    json_array_foreach((json_t *)(uintptr_t)list, i, value)
    {
        path[1].index = (uint32_t)i;
        if (!json_is_string(value))
            wrong(r, path, 2, "%s[%zu]: expected a text, such as \"%s\"", name, i, what);
        else if (*count == max)
            wrong(r, path, 2, "%s: at most %u", name, max);
        else
            to[(*count)++] = json_string_value(value);
    }
}

static void read_plugins(struct reading *r, const json_t *list)
{
    struct ft_step path[2] = {{"plugins", 0}, {NULL, 0}};
    read_list(r, "plugins", list, "/usr/lib/x.so", r->config->plugins, &r->config->plugin_count,
              FT_CONFIG_PLUGINS);
    for (; path[1].index < r->config->plugin_count; path[1].index++)
        r->config->plugins_at[path[1].index] = ft_locate(r->text, path, 2);
}

static void read_rules(struct reading *r, const json_t *list)
{
    read_list(r, "rules", list, "/etc/fieldtap/rules", r->config->rules, &r->config->rule_count,
              FT_CONFIG_RULES);
}

static void read_ports(struct reading *r, const json_t *list)
{
    read_list(r, "ports", list, "0000:3b:00.0", r->config->ports, &r->config->port_count,
              FT_CONFIG_PORTS);
}

static void read_interfaces(struct reading *r, const json_t *list)
{
    read_list(r, "interfaces", list, "eth1", r->config->interfaces, &r->config->interface_count,
              FT_CONFIG_PORTS);
}

static bool read_port(const char *text, bool *is_udp, uint16_t *port)
{
    char *end;
    if (strncmp(text, "tcp/", 4) != 0 && strncmp(text, "udp/", 4) != 0)
        return false;
    unsigned long n = strtoul(text + 4, &end, 10);
    *is_udp = text[0] == 'u';
    *port = (uint16_t)n;
    return text[4] >= '0' && text[4] <= '9' && !*end && n >= 1 && n <= 65535;
}

/* Who was given a port; NULL = nobody. */
static const struct ft_config_binding *binding_of(const struct ft_config *c, bool is_udp,
                                                  uint16_t port)
{
    for (uint32_t i = 0; i < c->binding_count; i++)
        if (c->bindings[i].is_udp == is_udp && c->bindings[i].port == port)
            return &c->bindings[i];
    return NULL;
}

/* bindings: {"modbus": ["tcp/1502", "udp/1502"]} */
static void read_binding(struct reading *r, const char *protocol, const json_t *list)
{
    struct ft_step path[3] = {{"bindings", 0}, {protocol, 0}, {NULL, 0}};
    size_t i;
    json_t *value;
    if (!json_is_array(list)) {
        wrong(r, path, 2, "bindings.%s: expected a list of ports, such as [\"tcp/1502\"]",
              protocol);
        return;
    }
    json_array_foreach((json_t *)(uintptr_t)list, i, value)
    {
        struct ft_config_binding b = {.protocol = protocol};
        path[2].index = (uint32_t)i;
        if (!json_is_string(value) || !read_port(json_string_value(value), &b.is_udp, &b.port)) {
            wrong(r, path, 3,
                  "bindings.%s[%zu]: expected \"tcp/PORT\" or \"udp/PORT\", PORT from "
                  "1 to 65535",
                  protocol, i);
            continue;
        }
        struct ft_place place = ft_locate(r->text, path, 3);
        b.line = place.line;
        b.column = place.column;
        const struct ft_config_binding *other = binding_of(r->config, b.is_udp, b.port);
        if (other && strcmp(other->protocol, protocol) != 0)
            wrong(r, path, 3, "bindings.%s[%zu]: %s/%u is bound to %s already", protocol, i,
                  b.is_udp ? "udp" : "tcp", b.port, other->protocol);
        else if (r->config->binding_count == FT_CONFIG_BINDINGS)
            wrong(r, path, 3, "bindings: at most %u", FT_CONFIG_BINDINGS);
        else
            r->config->bindings[r->config->binding_count++] = b;
    }
}

/* Read with the rules, which use them: lib/rules/load_environment.c; outputs by the sinks:
 * drivers/output/settings.c. */
static bool is_read_elsewhere(const char *name)
{
    return strcmp(name, "sets") == 0 || strcmp(name, "zones") == 0 ||
           strcmp(name, "working_hours") == 0 || strcmp(name, "outputs") == 0;
}

static void wrong_in(void *user, const struct ft_step *path, uint32_t steps, const char *text)
{
    wrong(user, path, steps, "%s", text);
}

static void read_section(struct reading *r, const char *name, json_t *value)
{
    struct ft_step path[2] = {{name, 0}, {NULL, 0}};
    const char *key;
    json_t *inner;
    if (strcmp(name, "plugins") == 0) {
        read_plugins(r, value);
        return;
    }
    if (strcmp(name, "ports") == 0) {
        read_ports(r, value);
        return;
    }
    if (strcmp(name, "interfaces") == 0) {
        read_interfaces(r, value);
        return;
    }
    if (strcmp(name, "rules") == 0) {
        read_rules(r, value);
        return;
    }
    if (strcmp(name, "journal") == 0) {
        ft_config_journal_read(&r->config->journal, value, wrong_in, r);
        return;
    }
    if (strcmp(name, "outputs") == 0) {
        r->config->has_outputs = json_array_size(value) > 0;
        if (!json_is_array(value))
            wrong(r, path, 1, "outputs: expected a list of sinks [{...}, ...]; it may be empty");
    }
    if (is_read_elsewhere(name))
        return;
    bool is_bindings = strcmp(name, "bindings") == 0;
    if (!is_bindings && !find_key(name, NULL)) {
        unknown(r, path, 1);
        return;
    }
    if (!json_is_object(value)) {
        wrong(r, path, 1, "%s: expected an object {...}", name);
        return;
    }
    json_object_foreach(value, key, inner)
    {
        path[1].key = key;
        const struct key *k = is_bindings ? NULL : find_key(name, key);
        if (is_bindings)
            read_binding(r, key, inner);
        else if (k)
            set(r, k, inner, path);
        else
            unknown(r, path, 2);
    }
}

/* The whole file as text of *length bytes; NULL after saying why not. */
static char *slurp(const char *file, size_t *length, char *error, size_t error_size)
{
    FILE *f = fopen(file, "rb");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_MAX + 1, f) : 0;
    bool ok = text && !ferror(f) && n <= FILE_MAX;
    if (!ok)
        snprintf(error, error_size, "%s: %s", file,
                 n > FILE_MAX ? "larger than 16 MiB, which no configuration is" : strerror(errno));
    if (f)
        fclose(f);
    if (!ok) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    *length = n;
    return text;
}

/* Bytes of the byte order mark that some editors put before UTF-8. */
static size_t mark_length(const char *text)
{
    return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static void not_json(struct reading *r, const json_error_t *where)
{
    char text[sizeof(where->text) + 32];
    snprintf(text, sizeof(text), "cannot be read as JSON: %s", where->text);
    add_line(r, (unsigned)where->line, where->column > 0 ? (unsigned)where->column : 1, text);
}

bool ft_config_read(struct ft_config *config, const char *file, char *error, size_t error_size)
{
    size_t length;
    char *text = slurp(file, &length, error, error_size);
    json_error_t where;
    if (!text)
        return false;
    struct reading r = {.config = config,
                        .file = file,
                        .text = text + mark_length(text),
                        .error = error,
                        .size = error_size};
    length -= mark_length(text);
    bool is_text = !memchr(r.text, 0, length);
    json_t *root = is_text ? json_loadb(r.text, length, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (!is_text) {
        struct ft_place place = ft_locate_end(r.text);
        add_line(&r, place.line, place.column, FT_LOCATE_NUL);
    } else if (!root) {
        not_json(&r, &where);
        if (json_error_code(&where) == json_error_duplicate_key)
            root = json_loadb(r.text, length, 0, &where); /* for whatever else is wrong */
    }
    if (!root) {
        r.is_wrong = true;
    } else if (!json_is_object(root)) {
        wrong(&r, NULL, 0, "expected an object {...} with the sections of doc/configuration.md");
    } else {
        const char *name;
        json_t *value;
        json_object_foreach(root, name, value)
        {
            read_section(&r, name, value);
        }
    }
    config->private_ = root;
    free(text);
    return !r.is_wrong;
}

/* The value that a key has when nobody gives one. */
static void print_default(FILE *to, const struct key *k, const struct ft_config *config)
{
    const char *at = (const char *)config + k->offset;
    switch (k->kind) {
    case TEXT:
        fprintf(to, "\"%s\"", *(const char *const *)(const void *)at);
        return;
    case NUMBER:
    case CPUS:
        fprintf(to, "%u", *(const uint32_t *)(const void *)at);
        return;
    case CPU:
        fputs("any", to);
        return;
    case LONG:
        fprintf(to, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
        return;
    case TRUTH:
        fputs(*(const bool *)(const void *)at ? "true" : "false", to);
        return;
    case CHOICE:
        fprintf(to, "\"%s\"", k->words[*(const bool *)(const void *)at]);
        return;
    case WORD:
        fprintf(to, "\"%s\"", k->words[*(const uint32_t *)(const void *)at]);
        return;
    }
}

static void print_values(const struct key *k, char *text, size_t size)
{
    unsigned long long low = k->low, high = k->high;
    if (k->kind == TRUTH)
        snprintf(text, size, "true or false");
    else if (k->kind == CHOICE)
        snprintf(text, size, "\"%s\" or \"%s\"", k->words[0], k->words[1]);
    else if (k->kind == WORD)
        list_words(k, text, size);
    else if (k->kind == TEXT)
        snprintf(text, size, "text of %llu to %llu", low, high);
    else if (k->kind == CPUS)
        snprintf(text, size, "%llu to %llu or [...]", low, high);
    else
        snprintf(text, size, "%llu to %llu", low, high);
}

void ft_config_describe(FILE *to)
{
    struct ft_config config;
    ft_config_init(&config);
    for (unsigned i = 0; i < KEYS; i++) {
        char name[64], values[64];
        snprintf(name, sizeof(name), "%s.%s", keys[i].section, keys[i].name);
        print_values(&keys[i], values, sizeof(values));
        fprintf(to, "%-24s  %-20s  %s  (default ", name, values, keys[i].title);
        print_default(to, &keys[i], &config);
        fputs(")\n", to);
    }
    ft_config_journal_describe(to);
    fprintf(to, "%-24s  %-20s  %s  (default [])\n", "plugins", "list of files",
            "dissector plugins to load");
    fprintf(
        to, "%-24s  %-20s  %s  (default [])\n", "ports", "list of devices",
        "ports of DPDK to listen to, such as \"0000:3b:00.0\", unless -r, -i or --port is given");
    fprintf(to, "%-24s  %-20s  %s  (default [])\n", "interfaces", "list of names",
            "interfaces to listen to, such as \"eth1\", of a TAP \"eth1,eth2\", unless -r, -i or "
            "--port is given");
    fprintf(to, "%-24s  %-20s  %s  (default [])\n", "rules", "list of files",
            "files of rules, and folders whose *.json are; beside --rules");
    fprintf(to, "%-24s  %-20s  %s  (default {})\n", "sets.NAME", "set of values",
            "a set that rules ask for as $NAME: doc/rules.md");
    fprintf(to, "%-24s  %-20s  %s  (default [])\n", "zones", "list of zones",
            "name, networks and Purdue level of each, for zone.src, purdue.dst and the like");
    fprintf(to, "%-24s  %-20s  %s  (default none)\n", "working_hours", "schedule",
            "{\"at\": [\"mon-fri 08:00-17:00\"], \"time_zone\": \"Europe/Berlin\"}, for rules");
    fprintf(to, "%-24s  %-20s  %s  (default [])\n", "bindings.PROTOCOL", "list of ports",
            "ports of a protocol beside its own, such as \"tcp/1502\"");
}
