/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of the violations of built-in protocols. Append only; see sids.h. */
#include "alert/sids.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

static const struct ft_sid sids[] = {
    {9101000, "modbus", "malformed"},
};

const struct ft_sid *ft_sids(uint32_t *count)
{
    *count = sizeof(sids) / sizeof(sids[0]);
    return sids;
}

static uint32_t hashed(const char *protocol, const char *violation, uint32_t first, uint32_t count)
{
    static const uint64_t key[2]; /* part of the scheme: never changes */
    char text[256];
    int n = snprintf(text, sizeof(text), "%s.%s", protocol, violation);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    return first + (uint32_t)(ft_siphash(key, text, length) % count);
}

uint32_t ft_sid_of_violation(const struct ft_protocol *protocol, uint32_t violation)
{
    const char *name = ft_protocol_violation(protocol, violation)->name;
    if (violation >= FT_VIOLATION_COMMON)
        return FT_SID_COMMON + violation - FT_VIOLATION_COMMON;
    if (protocol->origin)
        return hashed(protocol->name, name, FT_SID_PLUGIN, FT_SID_PLUGIN_COUNT);
    for (size_t i = 0; i < sizeof(sids) / sizeof(sids[0]); i++)
        if (!strcmp(sids[i].violation, name) && !strcmp(sids[i].protocol, protocol->name))
            return sids[i].sid;
    return hashed(protocol->name, name, FT_SID_HASHED, FT_SID_HASHED_COUNT);
}
