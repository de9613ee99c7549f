/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: what each option of it asks for, and what is said of those that are wrong. */
#include "options_internal.h"

#include "syscalls.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        return options_append("-r", o->sources, &o->source_count, optarg);
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
        return options_take_device(o, "--port", optarg);
    case 'i':
        o->has_interfaces = true;
        return options_take_link(o, "-i", optarg, 1);
    case OPT_TAP:
        o->has_interfaces = true;
        return options_take_link(o, "--tap", optarg, 2);
    case OPT_MERGE:
        o->merge = true;
        return true;
    case OPT_LOG:
        return take_log(o, optarg);
    case OPT_SECCOMP:
        return take_seccomp(o, optarg);
    case OPT_PLUGIN:
        return options_append("--plugin", o->plugins, &o->plugin_count, optarg);
    case OPT_CHECK_RULES:
        o->action = ACTION_CHECK_RULES;
        return options_append("--check-rules", o->rules, &o->rule_count, optarg);
    case OPT_RULES:
        return options_append("--rules", o->rules, &o->rule_count, optarg);
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

bool options_take_line(struct options *o, int argc, char **argv)
{
    int c;
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":r:i:l:c:w:TVvqh", long_options, NULL)) != -1) {
        if (c == ':' || c == '?')
            return refuse(c, argv[optind - 1]);
        if (!take(o, c))
            return false;
    }
    return optind >= argc ||
           wrong("\"%s\" is no option; captures are read with -r %s", argv[optind], argv[optind]);
}
