/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands. */
#include "control/command.h"

#include <string.h>

/* clang-format off */
const struct ft_control_command ft_control_commands[FT_CONTROL_COMMANDS] = {
    [FT_CONTROL_STATUS] = {"status", FT_CONTROL_LOOKS,
        "what runs, since when, and the figures that tell whether it is well", {{0}}},
    [FT_CONTROL_STATS] = {"stats", FT_CONTROL_LOOKS,
        "counters of the moment; --watch shows them as a live screen", {{0}}},
    [FT_CONTROL_PORTS] = {"ports", FT_CONTROL_LOOKS,
        "interfaces: state, packets, what the kernel or the NIC dropped", {{0}}},
    [FT_CONTROL_WORKERS] = {"workers", FT_CONTROL_LOOKS,
        "worker threads: packets, cycles, how full their rings were", {{0}}},
    [FT_CONTROL_LEDGER] = {"ledger", FT_CONTROL_LOOKS,
        "the books: what became of each packet, stream byte and event", {{0}}},
    [FT_CONTROL_FLOWS] = {"flows", FT_CONTROL_LOOKS,
        "the largest or newest conversations", {
        {"top", FT_CONTROL_NUMBER, false, false, 1, 1000, {0}, "how many (default 20)"},
        {"by", FT_CONTROL_WORD, false, false, 0, 0, {"bytes", "packets", "new"},
         "which ones (default bytes)"}}},
    [FT_CONTROL_ASSETS] = {"assets", FT_CONTROL_LOOKS,
        "the inventory, in the order of discovery; one device with all that is known of it", {
        {"address", FT_CONTROL_TEXT, false, true, 1, 63, {0},
         "IP or MAC address of one device"},
        {"limit", FT_CONTROL_NUMBER, false, false, 1, 1000, {0}, "how many (default 100)"},
        {"after", FT_CONTROL_NUMBER, false, false, 0, UINT32_MAX, {0},
         "go on behind this number, from \"next\" of the answer before (default 0)"}}},
    [FT_CONTROL_PROTOCOLS] = {"protocols", FT_CONTROL_LOOKS,
        "dissectors, and the conversations of each that are there now", {{0}}},
    [FT_CONTROL_RULES_LIST] = {"rules list", FT_CONTROL_LOOKS,
        "rules that are at work", {
        {"limit", FT_CONTROL_NUMBER, false, false, 1, 10000, {0}, "how many (default 1000)"},
        {"after", FT_CONTROL_NUMBER, false, false, 0, UINT32_MAX, {0},
         "rules with a greater id than this (default 0)"}}},
    [FT_CONTROL_RULES_STATS] = {"rules stats", FT_CONTROL_LOOKS,
        "hits and cost of rules, most hits first", {
        {"top", FT_CONTROL_NUMBER, false, false, 1, 10000, {0}, "how many (default 20)"}}},
    [FT_CONTROL_RULES_EXPLAIN] = {"rules explain", FT_CONTROL_LOOKS,
        "how a rule was compiled, and what it costs", {
        {"rule", FT_CONTROL_NUMBER, true, true, 1, UINT32_MAX, {0}, "id of the rule"}}},
    [FT_CONTROL_RULES_RELOAD] = {"rules reload", FT_CONTROL_CHANGES,
        "read the rules again; those with errors change nothing, and the answer says where", {{0}}},
    [FT_CONTROL_SINKS] = {"sinks", FT_CONTROL_LOOKS,
        "outputs: how far behind they are, what they sent and what failed", {{0}}},
    [FT_CONTROL_SINK_TEST] = {"sink test", FT_CONTROL_CHANGES,
        "send one test event to a sink", {
        {"name", FT_CONTROL_TEXT, true, true, 1, 63, {0}, "name of the sink"}}},
    [FT_CONTROL_FILTER] = {"filter", FT_CONTROL_CHANGES_IF_GIVEN,
        "show the capture filter; with an expression: use that one from now on", {
        {"expression", FT_CONTROL_TEXT, false, true, 0, 4096, {0},
         "in tcpdump's words; \"\" lets everything pass"}}},
    [FT_CONTROL_LOG_LEVEL] = {"log level", FT_CONTROL_CHANGES_IF_GIVEN,
        "show how much is written to the log; with a level: change it", {
        {"level", FT_CONTROL_WORD, false, true, 0, 0,
         {"error", "warning", "notice", "info", "debug"},
         "info also writes requests that only look; debug also all that DPDK says"}}},
    [FT_CONTROL_CAPTURE_STOP] = {"capture stop", FT_CONTROL_CHANGES,
        "take no more packets until \"capture start\"", {{0}}},
    [FT_CONTROL_CAPTURE_START] = {"capture start", FT_CONTROL_CHANGES,
        "take packets again", {{0}}},
    [FT_CONTROL_PCAP] = {"pcap", FT_CONTROL_LOOKS,
        "the file with the packets around an alert", {
        {"alert", FT_CONTROL_TEXT, true, true, 1, 127, {0}, "alert_id of the alert"}}},
    [FT_CONTROL_SHUTDOWN] = {"shutdown", FT_CONTROL_CHANGES,
        "end in order: what was read is analysed and written, then the sensor exits", {{0}}},
};
/* clang-format on */

const struct ft_control_argument *ft_control_argument(const struct ft_control_command *command,
                                                      const char *name)
{
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && command->arguments[i].name; i++)
        if (strcmp(command->arguments[i].name, name) == 0)
            return &command->arguments[i];
    return NULL;
}
