/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rule event says, for the alerting core: the message of a rule made text, and the subject
 * on which conditions about devices are tested.
 */
#ifndef FT_RULE_SCENE_H
#define FT_RULE_SCENE_H

#include "inventory/inventory.h"
#include "rules/ruleset.h"

/** Longest message of an alert, bytes; longer ones are cut at a character. */
#define FT_RULE_MESSAGE_MAX 2048u

/** A rule event and where its words come from. */
struct ft_rule_scene {
    const struct ft_event *event;
    const struct ft_registry *registry;
    const struct ft_vocabulary *vocabulary; /**< of the event's rule set */
    const struct ft_inventory *inventory;
    const struct ft_tree_options *options; /**< how secrets are written */
};

/**
 * The subject of conditions on devices and addresses; it points into the scene and its event. What
 * is known of a device is known of the one behind the address, if the message names one, and of
 * the address itself.
 */
void ft_rule_subject(const struct ft_rule_scene *scene, struct ft_subject *to);

/**
 * Write the rule's message, with the values of the event in the place of {names}, to `to`: at most
 * `size` bytes, no NUL; returns how many. "?" stands for what the event does not have. Cost: some
 * microseconds.
 */
uint32_t ft_rule_message(const struct ft_rule_scene *scene, const struct ft_rule *rule, char *to,
                         uint32_t size);

#endif
