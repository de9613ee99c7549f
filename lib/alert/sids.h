/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of alerts (EVE signature_id). SIEM rules refer to them: a number is never used again
 * for something else and never changes, so the table only grows at its end.
 *
 *   9,100,000 - 9,100,999  what the core itself finds: classes of commands, changes, anomalies
 *   9,101,000 - 9,149,999  violations of built-in protocols, one row each in sids.c
 *   9,150,000 - 9,159,999  rules that fieldtap brings
 *   9,160,000 - 9,199,999  violations without a row: by a hash of "protocol.name"
 *   9,200,000 - 9,299,999  custom rules
 *   9,300,000 - 9,399,999  violations of plugins: by a hash of "protocol.name"
 */
#ifndef FT_SIDS_H
#define FT_SIDS_H

#include "dissect/registry.h"

enum {
    FT_SID_CLASS_FIRMWARE = 9100001,
    FT_SID_CLASS_PROGRAM = 9100002,
    FT_SID_CLASS_MODE = 9100003,
    FT_SID_CLASS_UPLOAD = 9100004,
    FT_SID_FIRMWARE_CHANGED = 9100010,
    FT_SID_MODE_CHANGED = 9100011,
    FT_SID_ADDRESS_MOVED = 9100012,
    FT_SID_ADDRESS_REASSIGNED = 9100013,
    FT_SID_GATEWAY_MOVED = 9100014,
    FT_SID_ADDRESS_CONTESTED = 9100015,
    FT_SID_ADDRESS_TAKEOVER = 9100016,
    FT_SID_RESOLUTION_SCAN = 9100017,
    FT_SID_RESOLUTION_UNSOLICITED = 9100018,
    FT_SID_RESOLUTION_FLOOD = 9100019,
    FT_SID_RESOLUTION_SLOW_SCAN = 9100020,
    FT_SID_ANOMALY = 9100100, /**< + enum ft_anomaly */
    FT_SID_COMMON = 9100200,  /**< + common violation - FT_VIOLATION_COMMON */
    FT_SID_HASHED = 9160000,
    FT_SID_HASHED_COUNT = 40000,
    FT_SID_PLUGIN = 9300000,
    FT_SID_PLUGIN_COUNT = 100000,
};

struct ft_sid {
    uint32_t sid;
    const char *protocol, *violation;
};

/** All rows, for tests and the reference; *count of them, by sid. */
const struct ft_sid *ft_sids(uint32_t *count);

/** The number of a violation (a row of `protocol` or a common one). Cost: a search by name. */
uint32_t ft_sid_of_violation(const struct ft_protocol *protocol, uint32_t violation);

#endif
