/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of syslog: a header in front of a body, and a frame around both. Pure functions.
 *
 *   RFC 5424   <PRI>1 TIME HOST APP PROCID MSGID [STRUCTURED-DATA] BODY
 *   RFC 3164   <PRI>TIME HOST APP: BODY; CEF and LEEF stand behind HOST, as their receivers want it
 *
 * One thread, no allocation (see body.h).
 */
#ifndef FT_SYSLOG_MESSAGE_H
#define FT_SYSLOG_MESSAGE_H

#include "forward/body.h"

enum ft_syslog_standard {
    FT_SYSLOG_RFC5424 = 0,
    FT_SYSLOG_RFC3164,
};

enum ft_syslog_frame {
    FT_SYSLOG_DATAGRAM = 0, /**< UDP, RFC 5426: the message alone */
    FT_SYSLOG_OCTETS,       /**< TCP and TLS, RFC 6587 section 3.4.1, RFC 5425: its length, a blank,
                                 the message */
    FT_SYSLOG_LINE,         /**< TCP, RFC 6587 section 3.4.2: the message, a line feed */
};

#define FT_SYSLOG_USER  1u /**< facility of user programs */
#define FT_SYSLOG_ALERT 1u /**< severity: action must be taken immediately */
/** Severity by that of the event: critical 1, major 3, minor 4, warning 5, none 6. */
#define FT_SYSLOG_BY_EVENT 255u

#define FT_SYSLOG_SIZE_MIN 1024u  /**< room that any message has */
#define FT_SYSLOG_UDP_MAX  65507u /**< what one datagram over IPv4 can have */

/** How a sink writes. Nothing is owned; texts that are NULL or empty are written "-". */
struct ft_syslog {
    enum ft_syslog_standard standard;
    enum ft_syslog_frame frame;
    uint8_t facility;     /**< 0..23 */
    uint8_t severity;     /**< 0..7 or FT_SYSLOG_BY_EVENT. The incumbent's is FT_SYSLOG_ALERT */
    const char *hostname; /**< at most 255 characters of it are written; those that may not stand
                               there become '_' */
    const char *app_name; /**< 48, likewise; RFC 3164: 32 */
    const char *procid;   /**< 128, likewise */
    bool has_mark; /**< RFC 5424: U+FEFF before a body that is not ASCII only. Section 6.4 wants
                        it; many receivers take it for a part of the body */
    bool has_data; /**< structured data: `origin`, and with `enterprise` the event's */
    uint32_t enterprise; /**< private enterprise number of whoever runs the sensor (RFC 5424 section
                              7.2.2), in fieldtap@NUMBER; 0 = none */
    struct ft_body body; /**< its zone is that of the header's time, too */
};

/** "rfc5424", "rfc3164"; NULL behind the last. */
const char *ft_syslog_standard_name(enum ft_syslog_standard standard);

/** "kern", "user", ..., "local7" by number; NULL behind the last. */
const char *ft_syslog_facility_name(uint32_t facility);

/** The severity that stands for one of an event in FT_SYSLOG_BY_EVENT. */
uint8_t ft_syslog_severity(uint32_t severity);

/**
 * Write a message with its frame. `time_ns`: of the header, when it is sent or was seen, as the
 * caller likes. `max`: bytes of the message without its frame; the body is shortened to fit.
 * Returns the length of all; 0 when the event has no such body or there is less room than
 * FT_SYSLOG_SIZE_MIN (in `max` or, with a frame of up to 12 bytes, in `size`).
 */
uint32_t ft_syslog_write(const struct ft_syslog *syslog, const struct ft_forward_event *event,
                         uint64_t time_ns, uint32_t max, char *to, uint32_t size);

#endif
