/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recognition: which protocol is an unknown flow?
 *
 * Most signatures of dissectors say what the first bytes are: they are looked up in a table
 * (match/places.h). The others are Hyperscan databases, one for TCP and one for UDP. The first
 * payloads of flows without a binding are scanned; whoever has a hit is asked by its probe().
 * Tables and databases are made once and read by all workers; each has its own scratch space.
 * Hyperscan's scratch is not re-entrant: hits are collected first and probed afterwards.
 */
#ifndef FT_RECOGNISE_H
#define FT_RECOGNISE_H

#include "dissect/registry.h"

/** Bytes of a payload that are scanned. */
#define FT_RECOGNISE_BYTES 512u

struct ft_recogniser;
struct ft_recogniser_scratch;

/** Version of Hyperscan, then a blank and its date. Static. */
const char *ft_recogniser_version(void);

/** Compile the signatures of a finished registry. NULL and one sentence naming the dissector and
 * its pattern when one does not compile. Takes a fiftieth of a second. */
struct ft_recogniser *ft_recogniser_new(const struct ft_registry *registry, char *error,
                                        size_t error_size);
void ft_recogniser_free(struct ft_recogniser *r);

/** Whose probe() ft_recognise() called last with this scratch space: after a fault, the culprit. */
const struct ft_protocol *ft_recogniser_asked(const struct ft_recogniser_scratch *s);

/** Scratch space for one thread; NULL when memory is short. */
struct ft_recogniser_scratch *ft_recogniser_scratch_new(const struct ft_recogniser *r);
void ft_recogniser_scratch_free(struct ft_recogniser_scratch *s);

/**
 * The protocol of a payload: the first in order of registration whose signature hits and whose
 * probe() says yes. `maybe` (index + 1, 0 = none; may come from an earlier payload of the flow) is
 * asked first, and gets the first that said maybe. Cost: one hs_scan, and a load for each of
 * the first bytes.
 */
const struct ft_protocol *ft_recognise(const struct ft_recogniser *r,
                                       struct ft_recogniser_scratch *s, uint8_t shard,
                                       const struct ft_probe *where, const uint8_t *bytes,
                                       uint32_t length, bool is_cut, uint16_t *maybe);

#endif
