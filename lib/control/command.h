/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of the control socket: one table, from which the sensor checks requests, and
 * fieldtapctl makes its usage, manual page and completion. Read only; any thread.
 */
#ifndef FT_CONTROL_COMMAND_H
#define FT_CONTROL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/** Where the sensor listens, if nobody says. */
#define FT_CONTROL_SOCKET "/run/fieldtap/control.sock"

/** Bytes of the longest request, its newline included. */
#define FT_CONTROL_REQUEST_MAX 65536u

#define FT_CONTROL_ARGUMENTS 4u
#define FT_CONTROL_WORDS     6u

enum ft_control_id {
    FT_CONTROL_STATUS = 0,
    FT_CONTROL_STATS,
    FT_CONTROL_PORTS,
    FT_CONTROL_WORKERS,
    FT_CONTROL_LEDGER,
    FT_CONTROL_FLOWS,
    FT_CONTROL_ASSETS,
    FT_CONTROL_PROTOCOLS,
    FT_CONTROL_RULES_LIST,
    FT_CONTROL_RULES_STATS,
    FT_CONTROL_RULES_EXPLAIN,
    FT_CONTROL_RULES_RELOAD,
    FT_CONTROL_SINKS,
    FT_CONTROL_SINK_TEST,
    FT_CONTROL_FILTER,
    FT_CONTROL_LOG_LEVEL,
    FT_CONTROL_CAPTURE_STOP,
    FT_CONTROL_CAPTURE_START,
    FT_CONTROL_PCAP,
    FT_CONTROL_SHUTDOWN,
    FT_CONTROL_COMMANDS
};

/** Does a command change the sensor? Such ones are written to the log with who asked. */
enum ft_control_effect {
    FT_CONTROL_LOOKS = 0,
    FT_CONTROL_CHANGES,
    FT_CONTROL_CHANGES_IF_GIVEN, /**< it does when its first argument is there */
};

enum ft_control_kind {
    FT_CONTROL_NONE = 0,
    FT_CONTROL_NUMBER, /**< a whole number from low to high */
    FT_CONTROL_TEXT,   /**< low to high bytes */
    FT_CONTROL_WORD,   /**< one of words */
};

/** An argument: a member of the request beside `command`. */
struct ft_control_argument {
    const char *name; /**< NULL behind the last */
    enum ft_control_kind kind;
    bool is_needed;
    bool is_plain; /**< fieldtapctl takes it without its name, in order; else as --name VALUE */
    uint64_t low, high;
    const char *words[FT_CONTROL_WORDS];
    const char *title; /**< for people; its default at the end */
};

struct ft_control_command {
    const char *name; /**< one or two words */
    enum ft_control_effect effect;
    const char *title;
    struct ft_control_argument arguments[FT_CONTROL_ARGUMENTS];
};

/** All, by enum ft_control_id. */
extern const struct ft_control_command ft_control_commands[FT_CONTROL_COMMANDS];

/** The argument of this name; NULL: it has none. */
const struct ft_control_argument *ft_control_argument(const struct ft_control_command *command,
                                                      const char *name);

#endif
