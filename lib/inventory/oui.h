/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vendors by MAC address: the IEEE registries (MA-L, MA-M, MA-S) as Debian's ieee-data ships them.
 *
 * Read once at start, then read only. About 1.5 MiB. Any thread may look up.
 */
#ifndef FT_OUI_H
#define FT_OUI_H

#include <stdint.h>

struct ft_oui;

/** Where Debian's ieee-data puts the registries. */
#define FT_OUI_DIRECTORY "/usr/share/ieee-data"

/**
 * Read oui.csv, mam.csv and oui36.csv of a directory; what is missing is left out. NULL when
 * nothing could be read: then vendors by MAC address are simply not known.
 */
struct ft_oui *ft_oui_load(const char *directory);
void ft_oui_free(struct ft_oui *oui);

/**
 * The vendor of a MAC address, the longest assignment first; NULL when unknown or when the address
 * is locally administered or a group. `oui` may be NULL. Cost: three binary searches.
 */
const char *ft_oui_vendor(const struct ft_oui *oui, const uint8_t mac[6]);

#endif
