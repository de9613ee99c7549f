/* SPDX-License-Identifier: BSD-3-Clause */
/* IEC 61850 GOOSE: a publisher that repeats its state and bursts when the state changes. */
#ifndef FT_PLANT_GOOSE_H
#define FT_PLANT_GOOSE_H

#include "frame.h"

/** What one GOOSE control block publishes; constant. */
struct ft_goose_block {
    const char *reference; /* gocbRef */
    const char *data_set;
    const char *id;
    uint16_t app_id;
    uint16_t vlan; /* priority and VLAN id */
    uint8_t group; /* last octet of the multicast address */
};

/** A publisher; it must stay in place while the plant runs. */
struct ft_goose {
    struct ft_actor actor;
    const struct ft_goose_block *block;
    const struct ft_host *ied;
    uint64_t rng;
    uint64_t changed_at;  /* time of the last change of state */
    uint64_t next_change; /* when the state changes next */
    uint64_t gap;         /* to the next repetition */
    uint32_t state_number;
    uint32_t sequence_number;
    uint8_t position; /* of the breaker: 1 open, 2 closed */
};

extern const struct ft_goose_block ft_goose_bay1;
extern const struct ft_goose_block ft_goose_bay2;

/** Let @goose publish @block for @ied from @delay ns from now on. */
void ft_goose_start(struct ft_plant *plant, struct ft_goose *goose,
                    const struct ft_goose_block *block, const struct ft_host *ied, uint64_t delay);

/**
 * Send the present state of @goose from the address @mac, which another station may have forged.
 * @extra_length is added to the length field (0 in every right frame).
 */
void ft_goose_send(struct ft_plant *plant, const struct ft_goose *goose, const uint8_t mac[6],
                   uint64_t delay, uint16_t extra_length);

#endif
