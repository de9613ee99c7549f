/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalogue of what the core finds: titles, severities, alert groups, techniques, and what to
 * do. Static; made once per registry for the violations of its protocols.
 */
#ifndef FT_CATALOGUE_H
#define FT_CATALOGUE_H

#include "alert/neighbours.h"
#include "output/eve.h"

struct ft_catalogue;

/** NULL when memory is short. */
struct ft_catalogue *ft_catalogue_new(const struct ft_registry *registry);
void ft_catalogue_free(struct ft_catalogue *c);

/** A command of this class was seen; NULL: the class is no alert. */
const struct ft_eve_finding *ft_catalogue_class(enum ft_class class_);

/** A violation of a protocol; NULL when its number is none. Its sid is looked up the first time. */
const struct ft_eve_finding *ft_catalogue_violation(const struct ft_catalogue *c, uint16_t protocol,
                                                    uint32_t violation);

/**
 * What is told of a command of class `class_` whose message has violation `violation`, when both
 * say the same (they are of one category and the violation is an alert): the violation's number and
 * title, the higher severity, techniques and references of both. NULL when they do not, or without
 * memory.
 */
const struct ft_eve_finding *ft_catalogue_titled(struct ft_catalogue *c, uint16_t protocol,
                                                 uint32_t violation, enum ft_class class_);

/** Below the protocols; NULL when unknown. *type is the EVE anomaly type, *is_alert: an alert too.
 */
const struct ft_eve_finding *ft_catalogue_anomaly(enum ft_anomaly anomaly, const char **type,
                                                  bool *is_alert);

/** "fragment_overlap", ... */
const char *ft_anomaly_name(enum ft_anomaly anomaly);

const struct ft_eve_finding *ft_catalogue_firmware_changed(void);

/** ARP or the like said that an address belongs to another MAC address than it said before. */
const struct ft_eve_finding *ft_catalogue_address_moved(void);

/** The same of the address of a router. */
const struct ft_eve_finding *ft_catalogue_gateway_moved(void);

const struct ft_eve_finding *ft_catalogue_neighbours(enum ft_neighbours_finding finding);
const struct ft_eve_finding *ft_catalogue_mode_changed(void);

/** What to do about alerts of a group; NULL = nothing general. */
const char *ft_catalogue_remediation(const char *category);

#endif
