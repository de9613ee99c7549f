/* SPDX-License-Identifier: BSD-3-Clause */
/* What the file with the packets of an alert is called. */
#ifndef FT_EVIDENCE_NAME_H
#define FT_EVIDENCE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define FT_EVIDENCE_SUFFIX ".pcapng"

/**
 * The name for an alert's id (its event_uid) into `name`: the id with a `_` for everything but
 * letters, digits, `-`, `_`, and a dot that is not the first; and ".pcapng". False when it does not
 * fit or the id is empty.
 */
static inline bool ft_evidence_file_name(const char *id, char *name, size_t size)
{
    size_t n = strlen(id);
    if (!n || n + sizeof(FT_EVIDENCE_SUFFIX) > size)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = id[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && i);
        name[i] = is_plain ? c : '_';
    }
    memcpy(name + n, FT_EVIDENCE_SUFFIX, sizeof(FT_EVIDENCE_SUFFIX));
    return true;
}

#endif
