/* SPDX-License-Identifier: BSD-3-Clause */
/* --help of fieldtapctl, from the table of commands. */
#include "ctl.h"

#include <string.h>

#define COLUMN 30

static const char head[] =
    "fieldtapctl: steers and watches a running fieldtap over its control socket.\n"
    "\n"
    "Usage\n"
    "  fieldtapctl [OPTION...] COMMAND [ARGUMENT...]\n"
    "\n"
    "Options\n"
    "  -s, --socket PATH           socket of the sensor (default: $FIELDTAP_CONTROL, else\n"
    "                              " FT_CONTROL_SOCKET ")\n"
    "  -j, --json                  print the answer as JSON, for programs\n"
    "  -t, --timeout SECONDS       how long to wait for an answer, 1 to 3600 (default 130)\n"
    "  -w, --watch                 stats: again and again, as a live screen, until interrupted\n"
    "      --interval SECONDS      of --watch, 0.2 to 3600 (default 1)\n"
    "      --count N               of --watch: end after N screens\n"
    "  -V, --version               version\n"
    "  -h, --help                  this help\n"
    "\n"
    "Commands\n";

static const char tail[] = "\n"
                           "Exit code\n"
                           "  0  done\n"
                           "  1  the sensor refused; standard error says why\n"
                           "  2  wrong usage\n"
                           "  3  the sensor cannot be reached\n"
                           "\n"
                           "Examples\n"
                           "  fieldtapctl stats --watch\n"
                           "  fieldtapctl flows --by packets --top 5\n"
                           "  fieldtapctl rules reload\n"
                           "  fieldtapctl filter \"not port 22\"\n"
                           "  fieldtapctl --json assets | jq -r '.assets[].ip'\n";

/* "assets [ADDRESS]" */
static size_t write_usage(const struct ft_control_command *c, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s", c->name);
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && c->arguments[i].name; i++) {
        const struct ft_control_argument *a = &c->arguments[i];
        char name[32];
        size_t k = 0;
        for (; a->name[k] && k + 1 < sizeof(name); k++)
            name[k] = (char)(a->name[k] >= 'a' && a->name[k] <= 'z' ? a->name[k] - 32 : a->name[k]);
        name[k] = 0;
        if (a->is_plain)
            n += (size_t)snprintf(text + n, size - n, a->is_needed ? " %s" : " [%s]", name);
    }
    return n;
}

static void print_argument(FILE *to, const struct ft_control_argument *a)
{
    char left[64];
    int n = snprintf(left, sizeof(left), a->is_plain ? "    %s" : "    --%s ", a->name);
    if (!a->is_plain)
        n += snprintf(left + n, sizeof(left) - (size_t)n, "%s",
                      a->kind == FT_CONTROL_NUMBER ? "N" : "WORD");
    fprintf(to, "  %-*s", COLUMN - 2, left);
    for (unsigned i = 0; i < FT_CONTROL_WORDS && a->words[i]; i++)
        fprintf(to, "%s%s", i ? ", " : "", a->words[i]);
    fprintf(to, "%s%s\n", a->words[0] ? ": " : "", a->title);
}

void print_help(FILE *to)
{
    char text[128];
    fputs(head, to);
    for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++) {
        const struct ft_control_command *c = &ft_control_commands[i];
        write_usage(c, text, sizeof(text));
        fprintf(to, "  %-*s%s\n", COLUMN - 2, text, c->title);
        for (unsigned k = 0; k < FT_CONTROL_ARGUMENTS && c->arguments[k].name; k++)
            print_argument(to, &c->arguments[k]);
    }
    fputs(tail, to);
}
