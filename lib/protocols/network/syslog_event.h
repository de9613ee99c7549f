/* SPDX-License-Identifier: BSD-3-Clause */
/* What a log message tells of, by texts that devices and systems are known to write. */
#ifndef FT_SYSLOG_EVENT_H
#define FT_SYSLOG_EVENT_H

#include <fieldtap/dissector.h>

/** What happened; the numbers are the codes of the commands. */
enum ft_syslog_event {
    FT_SYSLOG_OTHER = 0,
    FT_SYSLOG_CONFIGURATION,
    FT_SYSLOG_LOGIN_FAILED,
    FT_SYSLOG_LOGIN,
    FT_SYSLOG_LINK_DOWN,
    FT_SYSLOG_LINK_UP,
    FT_SYSLOG_FIRMWARE,
    FT_SYSLOG_RESTARTED,
    FT_SYSLOG_POWER,
};

/** What a text tells of; its first 256 bytes are looked at, whatever the case of letters. */
enum ft_syslog_event ft_syslog_event_of(struct ft_view text);

#endif
