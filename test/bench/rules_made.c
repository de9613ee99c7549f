/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules for the benchmark. */
#include "rules_made.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_ID    9200000u
#define CONTROLLERS 4096u /* of the plant: some 970 of them are polled in the traffic */
#define TAGS        16u

struct writer {
    FILE *to;
    uint64_t random;
    uint32_t count;
    bool has_error;
};

static uint32_t below(struct writer *w, uint32_t n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 16) % n;
}

/* Some text in letters and digits that nobody sends. */
static const char *word(struct writer *w, uint32_t length)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ23456789";
    static char words[4][64];
    static unsigned next;
    char *to = words[next++ % 4];
    for (uint32_t i = 0; i < length; i++)
        to[i] = letters[below(w, sizeof(letters) - 1)];
    to[length] = 0;
    return to;
}

static const char *bytes(struct writer *w, uint32_t length)
{
    static char text[256];
    uint32_t used = 0;
    for (uint32_t i = 0; i < length; i++)
        used += (uint32_t)snprintf(text + used, sizeof(text) - used, "\\\\x%02x", below(w, 256));
    return text;
}

static const char *controller(struct writer *w)
{
    static char text[4][32];
    static unsigned next;
    char *to = text[next++ % 4];
    uint32_t n = 1 + below(w, CONTROLLERS);
    snprintf(to, sizeof(text[0]), "10.64.%u.%u", n >> 8 & 255, n & 255);
    return to;
}

static const char *one_of(struct writer *w, const char *const *words)
{
    uint32_t n = 0;
    while (words[n])
        n++;
    return words[below(w, n)];
}

/* ---- rules ---- */

static __attribute__((format(printf, 2, 3))) void rule(struct writer *w, const char *when, ...)
{
    static const char *const more[] = {
        "",
        "",
        "",
        ", \"severity\": \"major\"",
        ", \"mitre\": [\"T0855\"]",
        ", \"threshold\": {\"limit\": 1, \"seconds\": 60, \"by\": \"source\"}",
        ", \"message\": \"{ip.src} to {ip.dst}\"",
        NULL};
    va_list arguments;
    fprintf(w->to, "%s\n{\"id\": %u, \"title\": \"Rule %u\"%s, \"when\": \"", w->count ? "," : "",
            FIRST_ID + w->count, w->count, one_of(w, more));
    va_start(arguments, when);
    vfprintf(w->to, when, arguments);
    va_end(arguments);
    fputs("\"}", w->to);
    w->count++;
}

/* Who may write to a controller, and who may program it. */
static void write_policy(struct writer *w)
{
    switch (below(w, 3)) {
    case 0:
        rule(w,
             "ip.dst == %s and command.class in {write, operate, config} and not ip.src in "
             "$masters",
             controller(w));
        break;
    case 1:
        rule(w, "ip.dst == %s and command.class == write and ip.src != 10.10.2.10", controller(w));
        break;
    default:
        rule(w,
             "ip.dst == %s and command.class in {program, firmware, mode} and not ip.src in "
             "$engineering",
             controller(w));
    }
}

static void modbus(struct writer *w)
{
    switch (below(w, 6)) {
    case 0:
        rule(w, "ip.src == %s and modbus.registers > %u", controller(w), 65530 + below(w, 5));
        break;
    case 1:
        rule(w, "ip.dst == %s and modbus.write.address in %u..%u", controller(w),
             9000 + below(w, 400), 9400 + below(w, 500));
        break;
    case 2:
        rule(w, "modbus.write.address == %u and modbus.unit_id == %u", 20000 + below(w, 40000),
             below(w, 248));
        break;
    case 3:
        rule(w, "ip.dst == %s and modbus.unit_id == %u and command == write_multiple_registers",
             controller(w), 100 + below(w, 140));
        break;
    case 4:
        rule(w, "ip.dst == %s and protocol == modbus and command.code in {8, 17, 20, 21, 90}",
             controller(w));
        break;
    default:
        rule(w, "modbus.read.address == %u and modbus.read.quantity > %u and ip.dst == %s",
             20000 + below(w, 40000), 60 + below(w, 60), controller(w));
    }
}

static void dnp3(struct writer *w)
{
    switch (below(w, 4)) {
    case 0:
        rule(w, "any dnp3.application.objects (group == 12 and start == %u) and ip.dst == %s",
             below(w, 200), controller(w));
        break;
    case 1:
        rule(w,
             "ip.src == %s and any dnp3.application.objects.points (index == %u and value > "
             "1.%ue12)",
             controller(w), below(w, 300), below(w, 99));
        break;
    case 2:
        rule(w, "dnp3.dst == %u and command in {direct_operate, operate, select}",
             40000 + below(w, 20000));
        break;
    default:
        rule(w, "ip.dst == %s and command in {cold_restart, warm_restart, stop_application}",
             controller(w));
    }
}

static void s7(struct writer *w)
{
    switch (below(w, 4)) {
    case 0:
        rule(w,
             "ip.dst == %s and command == write_var and any s7comm.items (db == %u and "
             "start_byte in %u..%u)",
             controller(w), 600 + below(w, 300), below(w, 40), 60 + below(w, 100));
        break;
    case 1:
        rule(w, "s7comm.items.db == %u", 1000 + below(w, 30000));
        break;
    case 2:
        rule(w, "ip.dst == %s and command in {plc_stop, plc_start, delete_block}", controller(w));
        break;
    default:
        rule(w, "s7comm.block_type in {db, ob} and s7comm.block_number == %u and ip.dst == %s",
             below(w, 500), controller(w));
    }
}

static void cip(struct writer *w)
{
    switch (below(w, 4)) {
    case 0:
        rule(w, "cip.tag == \\\"Line%u.%s\\\" and command.class == write", below(w, 40),
             word(w, 6));
        break;
    case 1:
        rule(w, "ip.dst == %s and cip.tag contains \\\"%s\\\"", controller(w), word(w, 5));
        break;
    case 2:
        rule(w, "ip.dst == %s and cip.instance == %u and cip.attribute == %u", controller(w),
             5000 + below(w, 60000), below(w, 40));
        break;
    default:
        rule(w, "ip.src == %s and cip.values > %u", controller(w), 2147480000u + below(w, 3000));
    }
}

static void goose(struct writer *w)
{
    if (below(w, 2))
        rule(w, "goose.gocb_ref == \\\"BAY%uLD0/LLN0$GO$gcb%02u\\\" and goose.conf_rev != %u",
             10 + below(w, 90), below(w, 20), below(w, 30));
    else
        rule(w, "goose.appid == %u and goose.time_allowed_to_live > %u", 8192 + below(w, 8000),
             1000 + below(w, 5000));
}

static void names(struct writer *w)
{
    switch (below(w, 6)) {
    case 0:
        rule(w, "dns.rrname == \\\"%s.example.net\\\"", word(w, 9));
        break;
    case 1:
        rule(w, "dns.rrname contains \\\"%s\\\"", word(w, 7));
        break;
    case 2:
        rule(w, "http.url contains \\\"/%s/%s\\\"", word(w, 4), word(w, 6));
        break;
    case 3:
        rule(w, "http.http_user_agent contains \\\"%s\\\" and http.status == %u", word(w, 8),
             400 + below(w, 100));
        break;
    case 4:
        rule(w, "tls.sni in {\\\"%s.example.org\\\", \\\"%s.example.org\\\"}", word(w, 6),
             word(w, 6));
        break;
    default:
        rule(w, "tls.ja3.hash == \\\"%08x%08x%08x%08x\\\"", below(w, UINT32_MAX),
             below(w, UINT32_MAX), below(w, UINT32_MAX), below(w, UINT32_MAX));
    }
}

/* Of vendors' services and of worms, as public rules have them: most on few ports. */
static void content(struct writer *w)
{
    static const uint16_t ports[] = {502,  502,  102,  20000, 44818, 44818, 80,    80,    2222,
                                     1911, 4911, 9600, 5094,  20547, 18245, 12397, 12401, 1962,
                                     4000, 5007, 789,  2404,  47808, 34964, 11740, 10001};
    uint16_t port = ports[below(w, sizeof(ports) / sizeof(ports[0]))];
    switch (below(w, 8)) {
    case 0: /* short */
        rule(w, "port == %u and payload contains \\\"%s\\\" and payload.length in %u..%u", port,
             bytes(w, 2 + below(w, 2)), 2000 + below(w, 1000), 4000 + below(w, 1000));
        break;
    case 1:
        rule(w, "port == %u and payload matches \\\"%s[0-9]{2,6}%s\\\"", port, word(w, 5),
             word(w, 4));
        break;
    case 2:
        rule(w, "port.dst == %u and payload contains \\\"%s\\\" and not ip.src in $masters", port,
             bytes(w, 6 + below(w, 10)));
        break;
    default:
        rule(w, "port == %u and payload contains \\\"%s\\\"", port, bytes(w, 4 + below(w, 16)));
    }
}

/* Commands and classes of whoever it is. */
static void anybody(struct writer *w)
{
    static const char *const commands[] = {"plc_stop",
                                           "cold_restart",
                                           "warm_restart",
                                           "force_listen_only",
                                           "restart_communications",
                                           "delete_block",
                                           "write_file",
                                           "program_484",
                                           "save_configuration",
                                           "firmware_replacement",
                                           NULL};
    static const char *const classes[] = {"program", "firmware", "mode", "admin", NULL};
    switch (below(w, 3)) {
    case 0:
        rule(w, "command == %s and not ip.src in 10.%u.0.0/16", one_of(w, commands), below(w, 200));
        break;
    case 1:
        rule(w, "command.class == %s and ip.dst in 10.64.%u.0/24", one_of(w, classes),
             below(w, 64));
        break;
    default:
        if (below(w, 8))
            rule(w,
                 "command.class in {%s, %s} and ip.dst in 10.64.%u.0/22 and not ip.src in "
                 "10.0.0.0/8",
                 one_of(w, classes), one_of(w, classes), below(w, 64) * 4);
        else
            rule(w, "command.class in {%s, %s} and not ip.src in 10.0.0.0/8", one_of(w, classes),
                 one_of(w, classes));
    }
}

/* Who talks at all: cards, pairs, ports. */
static void talkers(struct writer *w)
{
    switch (below(w, 7)) {
    case 0:
        rule(w, "eth.src == 00:0e:8c:%02x:%02x:%02x", below(w, 256), below(w, 256), below(w, 256));
        break;
    case 1:
        rule(w, "eth.dst == 00:80:f4:%02x:%02x:%02x and ip.src == %s", below(w, 256), below(w, 256),
             below(w, 256), controller(w));
        break;
    case 2:
        rule(w, "transport == tcp and port.dst in {21, 22, 23, 80} and ip.dst == %s",
             controller(w));
        break;
    case 3:
        rule(w, "port.dst in %u..%u and ip.dst in 10.64.%u.0/24", 6000 + below(w, 1000),
             7000 + below(w, 1000), below(w, 16));
        break;
    case 4:
        rule(w, "ip.src == %s and ip.dst == %s", controller(w), controller(w));
        break;
    case 5:
        rule(w, "ip.src == %s and not ip.dst in $masters", controller(w));
        break;
    default:
        rule(w, "ip.addr == 10.10.3.%u and ip.addr == %s", below(w, 256), controller(w));
    }
}

static void tag(struct writer *w)
{
    rule(w, "tag.level%u > %u and ip.src == %s", below(w, TAGS), 60000 + below(w, 5000),
         controller(w));
}

static void mixed(struct writer *w)
{
    static const struct {
        uint32_t share; /* of 100 */
        void (*make)(struct writer *w);
    } kinds[] = {{22, write_policy}, {16, modbus},  {8, dnp3},  {8, s7},
                 {8, cip},           {3, goose},    {6, names}, {12, content},
                 {4, anybody},       {11, talkers}, {2, tag}};
    uint32_t at = below(w, 100), i = 0;
    while (at >= kinds[i].share)
        at -= kinds[i++].share;
    kinds[i].make(w);
}

static void any_content(struct writer *w)
{
    if (below(w, 10))
        rule(w, "payload contains \\\"%s\\\"", bytes(w, 6 + below(w, 16)));
    else
        rule(w, "payload matches \\\"%s[a-z]{1,8}%s\\\"", word(w, 6), word(w, 5));
}

static void head(struct writer *w)
{
    fputs("{\"sets\": {\n"
          "\"masters\": {\"type\": \"ip\", \"values\": [\"10.10.1.0/26\", \"10.10.2.0/24\"]},\n"
          "\"engineering\": {\"type\": \"ip\", \"values\": [\"10.10.1.20\", \"10.10.1.21\"]}},\n"
          "\"tags\": [",
          w->to);
    for (uint32_t i = 0; i < TAGS; i++)
        fprintf(w->to,
                "%s\n{\"name\": \"level%u\", \"transport\": \"udp\", \"port\": %u, \"offset\": %u, "
                "\"type\": \"uint16\"}",
                i ? "," : "", i, 9000 + i, i);
    fputs("],\n\"rules\": [", w->to);
}

bool bench_rules_write(const char *path, enum bench_rules kind, uint32_t count)
{
    struct writer w = {.to = fopen(path, "w"), .random = 0x9e3779b97f4a7c15ull};
    if (!w.to)
        return false;
    head(&w);
    while (w.count < count)
        (kind == BENCH_RULES_CONTENT ? any_content : mixed)(&w);
    /* Polled devices one after another: all that ten of thousand say and are told. */
    for (uint32_t i = 0; kind == BENCH_RULES_HITTING && i < 10; i++)
        rule(&w, "ip.addr == 10.64.1.%u and command.class in {read, data}", 10 + i);
    fputs("]}\n", w.to);
    bool ok = !ferror(w.to);
    return fclose(w.to) == 0 && ok;
}
