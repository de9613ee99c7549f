/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only source of chance in the plant: splitmix64 (Steele, Lea, Flood 2014), integers only, so
 * that the same seed gives the same bytes on every machine. Floating point is never used for it.
 */
#ifndef FT_PLANT_RNG_H
#define FT_PLANT_RNG_H

#include <stdint.h>

/** Mix @x well; the same @x always gives the same result. */
static inline uint64_t ft_rng_hash(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/** Next number of the stream whose state is @state. */
static inline uint64_t ft_rng_next(uint64_t *state)
{
    uint64_t value = ft_rng_hash(*state);

    *state += 0x9e3779b97f4a7c15u;
    return value;
}

/** A number in 0..@n - 1; @n must not be 0. */
static inline uint64_t ft_rng_below(uint64_t *state, uint64_t n)
{
    return ft_rng_next(state) % n;
}

/** @value changed by at most @percent either way. */
static inline uint64_t ft_rng_jitter(uint64_t *state, uint64_t value, unsigned percent)
{
    uint64_t span = value * percent / 100;

    return value - span + ft_rng_below(state, 2 * span + 1);
}

#endif
