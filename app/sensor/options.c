/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. */
#include "options.h"

#include "capture/ethdev.h"
#include "control.h"
#include "core_map.h"
#include "metrics.h"
#include "outputs.h"
#include "syscalls.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum long_option {
    OPT_MERGE = 1000,
    OPT_TAP,
    OPT_PORT,
    OPT_FILTER,
    OPT_SPEED,
    OPT_LOOP,
    OPT_LOG,
    OPT_PLUGIN,
    OPT_LIST_PROTOCOLS,
    OPT_DESCRIBE,
    OPT_DESCRIBE_CONFIG,
    OPT_PRINT_CORE_MAP,
    OPT_DOCTOR,
    OPT_RULES,
    OPT_CHECK_RULES,
    OPT_EXPLAIN,
    OPT_LIST_KEYWORDS,
    OPT_LIST_FORMATS,
    OPT_CONTROL_SOCKET,
    OPT_USER,
    OPT_SECCOMP,
    OPT_READ_JOURNAL,
};

static const struct option long_options[] = {
    {"read", required_argument, NULL, 'r'},
    {"interface", required_argument, NULL, 'i'},
    {"tap", required_argument, NULL, OPT_TAP},
    {"port", required_argument, NULL, OPT_PORT},
    {"filter", required_argument, NULL, OPT_FILTER},
    {"log-dir", required_argument, NULL, 'l'},
    {"config", required_argument, NULL, 'c'},
    {"workers", required_argument, NULL, 'w'},
    {"merge", no_argument, NULL, OPT_MERGE},
    {"speed", required_argument, NULL, OPT_SPEED},
    {"loop", required_argument, NULL, OPT_LOOP},
    {"log", required_argument, NULL, OPT_LOG},
    {"plugin", required_argument, NULL, OPT_PLUGIN},
    {"rules", required_argument, NULL, OPT_RULES},
    {"control-socket", required_argument, NULL, OPT_CONTROL_SOCKET},
    {"check-rules", required_argument, NULL, OPT_CHECK_RULES},
    {"explain", required_argument, NULL, OPT_EXPLAIN},
    {"list-keywords", no_argument, NULL, OPT_LIST_KEYWORDS},
    {"list-formats", no_argument, NULL, OPT_LIST_FORMATS},
    {"read-journal", required_argument, NULL, OPT_READ_JOURNAL},
    {"list-protocols", no_argument, NULL, OPT_LIST_PROTOCOLS},
    {"describe", required_argument, NULL, OPT_DESCRIBE},
    {"describe-config", no_argument, NULL, OPT_DESCRIBE_CONFIG},
    {"print-core-map", no_argument, NULL, OPT_PRINT_CORE_MAP},
    {"doctor", no_argument, NULL, OPT_DOCTOR},
    {"user", required_argument, NULL, OPT_USER},
    {"seccomp", required_argument, NULL, OPT_SECCOMP},
    {"test", no_argument, NULL, 'T'},
    {"version", no_argument, NULL, 'V'},
    {"verbose", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static const char help_of_use[] =
    "fieldtap: a passive sensor for industrial networks. It reads packets, understands the\n"
    "industrial protocols in them, and tells devices, who does what to whom, and alerts.\n"
    "\n"
    "Usage\n"
    "  fieldtap -r CAPTURE...             print devices, who talks to whom, alerts, the books\n"
    "  fieldtap -r CAPTURE... -l DIR      write them as JSON into DIR instead\n"
    "  fieldtap -i INTERFACE... [-l DIR]  the same live, until SIGINT or SIGTERM\n"
    "  fieldtap -T [-c FILE]              check a configuration and its plugins\n"
    "  fieldtap --list-protocols | --describe NAME | --describe-config | -V | -h\n"
    "\n"
    "Reading\n"
    "  -r, --read FILE|DIR|-   a pcap or pcapng file, all captures of a folder (not of folders in\n"
    "                          it), or standard input; may be repeated: read one after another,\n"
    "                          connections go on from one to the next\n"
    "      --merge             read all of them merged by time stamp, as of two taps\n"
    "      --loop N            read everything N times, time going on (default: once)\n"
    "      --speed X           at X times the speed it was captured, 1 = real time (default: as\n"
    "                          fast as possible)\n"
    "Capturing, as root or with CAP_NET_RAW; nothing is ever sent\n"
    "  -i, --interface NAME    a network interface that gets a copy of the traffic; may be "
    "repeated\n"
    "      --tap A,B           the two interfaces behind a TAP: one link, in order of time\n"
    "      --port DEVICE       a port of DPDK, polled by the workers: the PCI address of a NIC, or "
    "a\n"
    "                          virtual device: \"net_pcap0,iface=eth1\"; may be repeated; also\n"
    "                          ports[] in the configuration; doc/deployment.md\n"
    "Reading or capturing\n"
    "      --filter EXPR       only packets that match, in tcpdump's words: \"not port 22\"; VLAN\n"
    "                          tags do not matter\n"
    "Writing\n"
    "  -l, --log-dir DIR|-     where the JSON goes, see Files; DIR is made if it is not there;\n"
    "                          - writes the events to standard output\n"
    "      --log transactions  also each request with its response, and requests without\n"
    "      --log messages      also each message of each layer; may be given beside the other\n"
    "Running\n"
    "  -c, --config FILE       configuration (JSON); its keys: --describe-config\n"
    "  -w, --workers N         worker threads, 1 to 128 (default: two less than processors, 1 to\n"
    "                          16); the output is the same with any number\n"
    "                          live not more than processors\n"
    "      --plugin FILE.so    load a dissector plugin; may be repeated\n"
    "      --rules FILE|DIR    custom alerts: a file of rules, or all *.json of a folder; may be\n"
    "                          repeated; also rules[] in the configuration; doc/rules.md\n"
    "      --control-socket PATH|none  where fieldtapctl steers and watches this run (default:\n"
    "                          control.socket, live /run/fieldtap/control.sock if it can be had)\n"
    "      --user NAME         become this user when ports are open, for who starts it as root\n"
    "      --seccomp WORD      filter of system calls: on, log (nothing is refused, the kernel "
    "logs\n"
    "                          what would be), off (default: on)\n"
    "  -q, --quiet             no progress on a terminal\n"
    "  -v, --verbose           say what memory is used; twice: what DPDK says too\n"
    "Asking\n"
    "      --list-protocols    each protocol: name, title, what carries it\n"
    "      --describe NAME     its fields, commands with their class, violations with severity; "
    "of\n"
    "                          a field (modbus.exception.code): the names of its values\n"
    "      --describe-config   the keys of the configuration: values, meaning, default\n"
    "      --check-rules FILE|DIR  check rules: each error with its place, then how many are "
    "right\n"
    "      --explain ID        how a rule was compiled, and what it costs; with --rules\n"
    "      --list-keywords     what rules can ask about besides the fields of protocols\n"
    "      --list-formats      what sinks can send: keys of each format, titles, messages\n"
    "      --read-journal DIR  the events that a journal holds, and whether it is whole; exit code "
    "1\n"
    "                          if not\n"
    "      --print-core-map    a proposal which CPU does what, for the configuration\n"
    "      --doctor            what the machine has for live capture, a line each with what to "
    "do;\n"
    "                          exit code 1 if there is something; also with -c, -i, --port\n"
    "  -T, --test              check configuration, CPUs, plugins and bindings, then exit\n"
    "  -V, --version           versions of fieldtap, its plugin interface and its libraries\n"
    "  -h, --help              this help\n";

static const char help_of_results[] =
    "\n"
    "Files\n"
    "  DIR/eve.json     one event a line, in EVE format; appended to, one run at a time\n"
    "  DIR/assets.json  the inventory; written at the end\n"
    "  DIR/stats.json   what became of each packet, byte, request and event; written at the end\n"
    "\n"
    "Signals\n"
    "  SIGINT, SIGTERM, SIGHUP: reading stops, what was read is analysed and written out.\n"
    "  Live, with --rules or -c, SIGHUP reads the rules again instead, and with -c takes over\n"
    "  the capture.filter that the file names then.\n"
    "\n"
    "Exit code\n"
    "  0  everything was read and written; also after a signal\n"
    "  1  a capture, an interface or a port cannot be read, or a capture is damaged before its "
    "last\n"
    "     record (what can be read of it is), not all could be written, or the books do not\n"
    "     balance\n"
    "  2  wrong usage, configuration or plugin: nothing was begun\n"
    "\n"
    "Examples\n"
    "  fieldtap -r plant.pcap\n"
    "  fieldtap -i eth1 -l out\n"
    "  fieldtap --merge -r tap-a.pcap -r tap-b.pcap -l out\n"
    "  tcpdump -i span0 -U -w - | fieldtap -r - -l out\n"
    "  fieldtap -r plant.pcap -l - | jq -c 'select(.event_type == \"alert\")'\n";

void options_help(void)
{
    fputs(help_of_use, stdout);
    fputs(help_of_results, stdout);
}

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("fieldtap: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return false;
}

static bool number(const char *option, const char *text, uint64_t low, uint64_t high, uint32_t *to)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < low || n > high)
        return wrong("%s %s: expected a number from %llu to %llu", option, text,
                     (unsigned long long)low, (unsigned long long)high);
    *to = (uint32_t)n;
    return true;
}

static bool append(const char *option, const char **list, uint32_t *count, const char *text)
{
    if (*count == OPTIONS_MAX)
        return wrong("%s: at most %u of them; put the captures into a folder", option, OPTIONS_MAX);
    list[(*count)++] = text;
    return true;
}

static bool take_log(struct options *o, const char *text)
{
    if (strcmp(text, "messages") == 0)
        o->log_messages = true;
    else if (strcmp(text, "transactions") == 0)
        o->log_transactions = true;
    else
        return wrong("--log %s: expected \"transactions\" or \"messages\"", text);
    return true;
}

static bool take_seccomp(struct options *o, const char *text)
{
    static const char *const words[] = {
        [SYSCALLS_FILTERED] = "on", [SYSCALLS_LOGGED] = "log", [SYSCALLS_FREE] = "off"};
    o->has_seccomp = true;
    for (o->seccomp = 0; o->seccomp < 3; o->seccomp++)
        if (strcmp(text, words[o->seccomp]) == 0)
            return true;
    return wrong("--seccomp %s: expected \"on\", \"log\" or \"off\"", text);
}

static bool take_speed(struct options *o, const char *text)
{
    char *end;
    o->speed = strtod(text, &end);
    if (!*text || *end || !(o->speed > 0) || o->speed > 1e9)
        return wrong("--speed %s: expected a factor greater than 0, such as 1 or 2.5", text);
    return true;
}

/* By name, of --port the device. */
static bool take_port(struct options *o, const char *option, const char *name, size_t length)
{
    if (!length || length >= sizeof(o->ports[0].name))
        return wrong("%s: expected the name of a network interface (ip link lists them)", option);
    if (o->port_count == OPTIONS_PORTS)
        return wrong("%s: at most %u interfaces", option, OPTIONS_PORTS);
    struct options_port *port = &o->ports[o->port_count];
    memcpy(port->name, name, length);
    port->name[length] = 0;
    port->link = (uint16_t)o->link_count;
    for (uint32_t i = 0; i < o->port_count; i++)
        if (strcmp(o->ports[i].name, port->name) == 0)
            return wrong("%s %s: is named twice; its packets would count double", option,
                         port->name);
    o->port_count++;
    return true;
}

/* One link: an interface, or the two of a TAP. */
static bool take_link(struct options *o, const char *option, const char *text, unsigned ports)
{
    const char *comma = strchr(text, ',');
    if (ports == 2 && (!comma || strchr(comma + 1, ',')))
        return wrong("%s %s: expected two interfaces, such as eth1,eth2", option, text);
    if (ports == 2 && (!take_port(o, option, text, (size_t)(comma - text)) ||
                       !take_port(o, option, comma + 1, strlen(comma + 1))))
        return false;
    if (ports == 1 && !take_port(o, option, text, strlen(text)))
        return false;
    o->links[o->link_count++] = text;
    return true;
}

/* A port of DPDK. */
static bool take_device(struct options *o, const char *option, const char *device)
{
    char name[sizeof(o->ports[0].name)];
    struct options_port *port = &o->ports[o->port_count];
    if (!ft_ethdev_name(device, name, sizeof(name)))
        return wrong("%s %s: expected a PCI address or a virtual device with its arguments, such "
                     "as 0000:3b:00.0 or net_pcap0,iface=eth1",
                     option, device);
    if (!take_port(o, option, name, strlen(name)))
        return false;
    port->device = device;
    o->is_polled = true;
    o->links[o->link_count++] = port->name;
    return true;
}

/* Options that say what to do instead of a run; false: it is none of these. */
static bool take_action(struct options *o, int c)
{
    static const struct {
        int option;
        enum options_action action;
    } actions[] = {
        {OPT_LIST_PROTOCOLS, ACTION_LIST_PROTOCOLS},
        {OPT_DESCRIBE, ACTION_DESCRIBE},
        {OPT_DESCRIBE_CONFIG, ACTION_DESCRIBE_CONFIG},
        {OPT_PRINT_CORE_MAP, ACTION_PRINT_CORE_MAP},
        {OPT_DOCTOR, ACTION_DOCTOR},
        {OPT_LIST_KEYWORDS, ACTION_LIST_KEYWORDS},
        {OPT_LIST_FORMATS, ACTION_LIST_FORMATS},
        {OPT_READ_JOURNAL, ACTION_READ_JOURNAL},
        {'T', ACTION_TEST},
        {'V', ACTION_VERSION},
        {'h', ACTION_HELP},
    };
    for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (actions[i].option != c)
            continue;
        o->action = actions[i].action;
        if (c == OPT_DESCRIBE)
            o->describe = optarg;
        if (c == OPT_READ_JOURNAL)
            o->journal = optarg;
        return true;
    }
    return false;
}

/* Options that stand for one thing: a second one would be passed over without a word. */
static bool take_once(struct options *o, int c)
{
    switch (c) {
    case 'l':
        if (o->log_dir)
            return wrong("-l is given twice (%s and %s)", o->log_dir, optarg);
        o->log_dir = optarg;
        return *optarg || wrong("-l: expected a directory, or - for standard output");
    case 'c':
        if (o->config_file)
            return wrong("-c is given twice (%s and %s)", o->config_file, optarg);
        o->config_file = optarg;
        return true;
    case 'w':
        if (o->workers)
            return wrong("-w is given twice (%u and %s)", o->workers, optarg);
        return number("-w", optarg, 1, 128, &o->workers);
    case OPT_FILTER:
        if (o->filter)
            return wrong("--filter is given twice: join them, as in \"(%s) and (%s)\"", o->filter,
                         optarg);
        o->filter = optarg;
        return true;
    case OPT_CONTROL_SOCKET:
        if (o->control_socket)
            return wrong("--control-socket is given twice (%s and %s)", o->control_socket, optarg);
        o->control_socket = optarg;
        return *optarg || wrong("--control-socket: expected a path, or none");
    case OPT_SPEED:
        return o->speed > 0 ? wrong("--speed is given twice") : take_speed(o, optarg);
    case OPT_USER:
        if (o->user)
            return wrong("--user is given twice (%s and %s)", o->user, optarg);
        o->user = optarg;
        return *optarg || wrong("--user: expected the name of a user");
    default: /* OPT_LOOP */
        if (o->has_loop)
            return wrong("--loop is given twice (%u and %s)", o->loops, optarg);
        o->has_loop = true;
        return number("--loop", optarg, 1, 1000000000, &o->loops);
    }
}

static bool take(struct options *o, int c)
{
    switch (c) {
    case 'r':
        if (!*optarg)
            return wrong("-r: expected a capture, a folder of captures, or - for standard input");
        return append("-r", o->sources, &o->source_count, optarg);
    case 'l':
    case 'c':
    case 'w':
    case OPT_FILTER:
    case OPT_SPEED:
    case OPT_LOOP:
    case OPT_CONTROL_SOCKET:
    case OPT_USER:
        return take_once(o, c);
    case OPT_PORT:
        return take_device(o, "--port", optarg);
    case 'i':
        o->has_interfaces = true;
        return take_link(o, "-i", optarg, 1);
    case OPT_TAP:
        o->has_interfaces = true;
        return take_link(o, "--tap", optarg, 2);
    case OPT_MERGE:
        o->merge = true;
        return true;
    case OPT_LOG:
        return take_log(o, optarg);
    case OPT_SECCOMP:
        return take_seccomp(o, optarg);
    case OPT_PLUGIN:
        return append("--plugin", o->plugins, &o->plugin_count, optarg);
    case OPT_CHECK_RULES:
        o->action = ACTION_CHECK_RULES;
        return append("--check-rules", o->rules, &o->rule_count, optarg);
    case OPT_RULES:
        return append("--rules", o->rules, &o->rule_count, optarg);
    case OPT_EXPLAIN:
        o->action = ACTION_EXPLAIN;
        return number("--explain", optarg, 1, UINT32_MAX, &o->explain);
    case 'v':
        o->verbose++;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default:
        return take_action(o, c);
    }
}

/* A long option of which more than one, or none, begins as the argument does. */
static bool refuse_long(const char *argument)
{
    char could[256] = "";
    size_t length = strcspn(argument, "="), used = 0;
    for (const struct option *o = long_options; o->name; o++)
        if (length > 2 && strncmp(o->name, argument + 2, length - 2) == 0 && used < sizeof(could))
            used += (size_t)snprintf(could + used, sizeof(could) - used, "%s--%s",
                                     used ? " or " : "", o->name);
    if (used)
        return wrong("%.*s could be %s: write it out", (int)length, argument, could);
    return wrong("there is no option %.*s; fieldtap --help lists the options", (int)length,
                 argument);
}

/*
 * getopt's own messages take two lines and do not say what to do. What it leaves of an error is
 * optopt: 0 for a long option that it cannot tell, else the value or the letter of the option; and
 * optind, which is behind a long option but not yet behind letters that others follow.
 */
static bool refuse(int c, const char *argument)
{
    const struct option *o = long_options;
    while (o->name && o->val != optopt)
        o++;
    if (c == ':' && argument[1] == '-')
        return wrong("option %s needs an argument; fieldtap --help lists the options", argument);
    if (c == ':')
        return wrong("option -%c needs an argument; fieldtap --help lists the options", optopt);
    if (optopt == 0)
        return refuse_long(argument);
    if (o->name)
        return wrong("%s: option --%s takes no value", argument, o->name);
    if (optopt > ' ' && optopt < 127)
        return wrong("there is no option -%c; fieldtap --help lists the options", optopt);
    return wrong("there is no option -\\x%02x; fieldtap --help lists the options",
                 (unsigned char)optopt);
}

/* A file that cannot be read has no line to point at. */
static bool is_readable(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0)
        return wrong("-c %s: %s: give a file of JSON that this user can read", path,
                     strerror(errno));
    return !S_ISDIR(st.st_mode) || wrong("-c %s: is a directory, expected a file of JSON", path);
}

/* ports[] and interfaces[], unless the command line says what to read. */
static bool take_ports(struct options *o)
{
    bool says = o->source_count || o->port_count;
    for (uint32_t i = 0; !says && i < o->config.port_count; i++)
        if (!take_device(o, "ports", o->config.ports[i]))
            return false;
    for (uint32_t i = 0; !says && i < o->config.interface_count; i++) {
        const char *name = o->config.interfaces[i];
        o->has_interfaces = true;
        if (!take_link(o, "interfaces", name, strchr(name, ',') ? 2 : 1))
            return false;
    }
    return true;
}

/* Beside the program where it was built, or where it was installed; NULL: nowhere. */
static const char *find_built_in_rules(void)
{
    static const char *const places[] = {"rules", "../share/fieldtap/rules"};
    static char path[PATH_MAX + 32];
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[n > 0 ? n : 0] = 0;
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", program, places[i]);
        if (access(path, R_OK | X_OK) == 0)
            return path;
    }
    return NULL;
}

/* Who checks rules asks for his own; but they may replace some of these. */
static void take_built_in_rules(struct options *o)
{
    o->has_own_rules = o->rule_count;
    if (o->config.leaves_out_built_in)
        return;
    o->built_in_rules = find_built_in_rules();
    if (!o->built_in_rules && (o->action == ACTION_RUN || o->action == ACTION_TEST))
        fprintf(stderr, "fieldtap: the rules that it brings are not there (beside the program in "
                        "rules, or in ../share/fieldtap/rules): it runs without them; "
                        "alerts.built_in_rules \"off\" says that this is meant\n");
}

static bool read_config(struct options *o)
{
    static char error[16384]; /* all that is wrong in a file is told at once */
    ft_config_init(&o->config);
    if (o->config_file && !is_readable(o->config_file))
        return false;
    if (o->config_file && !ft_config_read(&o->config, o->config_file, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    for (uint32_t i = 0; i < o->config.plugin_count; i++)
        if (!append("plugins", o->plugins, &o->plugin_count, o->config.plugins[i]))
            return false;
    take_built_in_rules(o);
    for (uint32_t i = 0; i < o->config.rule_count; i++)
        if (!append("rules", o->rules, &o->rule_count, o->config.rules[i]))
            return false;
    if (!take_ports(o))
        return false;
    o->stats_interval = o->config.stats_interval;
    if (!o->control_socket)
        o->control_socket = o->config.control_socket;
    if (!o->filter && *o->config.filter)
        o->filter = o->config.filter;
    return true;
}

static uint32_t cores(void)
{
    cpu_set_t set;
    core_map_cpus(&set);
    return CPU_COUNT(&set) ? (uint32_t)CPU_COUNT(&set) : 1;
}

static bool check_cpu(const char *key, uint32_t cpu)
{
    cpu_set_t set;
    core_map_cpus(&set);
    return (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set)) ||
           wrong("%s: there is no CPU %u for this process (taskset -p $$ tells which)", key, cpu);
}

/* CPUs that exist, each used once; enough of them for the workers. */
static bool check_cores(const struct options *o)
{
    const struct ft_config *c = &o->config;
    bool has_alerting = c->alerting_cpu != FT_CONFIG_NO_CPU;
    if (c->worker_cpu_count && o->workers > c->worker_cpu_count)
        return wrong("-w %u: cores.workers lists %u CPUs", o->workers, c->worker_cpu_count);
    for (uint32_t i = 0; i < c->worker_cpu_count; i++) {
        if (!check_cpu("cores.workers", c->worker_cpus[i]))
            return false;
        if (has_alerting && c->worker_cpus[i] == c->alerting_cpu)
            return wrong("cores: CPU %u is both a worker's and the alerting loop's",
                         c->alerting_cpu);
    }
    return !has_alerting || check_cpu("cores.alerting", c->alerting_cpu);
}

/* Live each worker needs a core. */
static bool check_workers(const struct options *o)
{
    uint32_t workers = o->workers ? o->workers : o->config.workers;
    return !o->port_count || workers <= cores() ||
           wrong("%u workers on %u cores: live they would take time from each other and lose "
                 "packets; -w %u at most",
                 workers, cores(), cores());
}

/* What makes no sense together. */
static bool check_source(const struct options *o)
{
    if ((o->log_messages || o->log_transactions) && !o->log_dir && !outputs_have_journal(o))
        return wrong("--log writes lines, but nowhere: say where with -l DIR, or -l - for standard "
                     "output");
    if (!o->port_count)
        return o->source_count ||
               wrong("nothing to read: name a capture with -r FILE, an interface with -i NAME or a "
                     "port of DPDK with --port DEVICE (see --help)");
    if (o->source_count || (o->has_interfaces && o->is_polled))
        return wrong("%s: either captures or interfaces or ports of DPDK, not several kinds in one "
                     "run",
                     !o->source_count    ? "-i and --port"
                     : o->has_interfaces ? "-r and -i"
                                         : "-r and --port");
    if (o->merge || o->has_loop || o->speed > 0)
        return wrong("%s is for captures; what arrives live (-i, --port) has a time of its own",
                     o->merge      ? "--merge"
                     : o->has_loop ? "--loop"
                                   : "--speed");
    return true;
}

/* Does it fit together and this machine? A check of a configuration need not name a source. */
static bool check(const struct options *o)
{
    bool runs = o->action == ACTION_RUN;
    return (!runs && o->action != ACTION_TEST) ||
           (check_cores(o) && (!runs || check_source(o)) && check_workers(o) && metrics_check(o) &&
            control_check(o));
}

bool options_read(struct options *o, int argc, char **argv)
{
    int c;
    *o = (struct options){.loops = 1};
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":r:i:l:c:w:TVvqh", long_options, NULL)) != -1) {
        if (c == ':' || c == '?')
            return refuse(c, argv[optind - 1]);
        if (!take(o, c))
            return false;
    }
    if (optind < argc)
        return wrong("\"%s\" is no option; captures are read with -r %s", argv[optind],
                     argv[optind]);
    o->miscounts = getenv("FIELDTAP_TEST_MISCOUNT") != NULL;
    o->misleads = getenv("FIELDTAP_TEST_SPREAD") != NULL;
    if (!read_config(o))
        return false;
    return check(o);
}

bool options_have_nic(const struct options *o)
{
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++)
        if (ft_ethdev_is_pci(o->ports[i].name))
            return true;
    return false;
}

void options_free(struct options *o)
{
    ft_config_free(&o->config);
}
