/* SPDX-License-Identifier: BSD-3-Clause */
/* A dissector that takes a millisecond for each message on UDP port 7798: so a worker can be kept
 * too busy for what arrives, on any machine. */
#include <time.h>

#include <fieldtap/dissector.h>

enum field {
    ROOT = 0,
};

static const struct ft_field fields[] = {
    {"slow", "A dissector that takes its time", NULL, 0, FT_TYPE_GROUP, 0, 0},
};

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_UDP, .value = 7798},
};

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    return ft_peek_u8(&payload, 0) == 'S' ? FT_YES : FT_NO;
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ft_skip(pdu, pdu->len);
    ft_command(ctx, 1, 0);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000000000ll + now.tv_nsec - begin.tv_nsec < 1000000);
}

static const struct ft_dissector slow = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "slow",
    .title = "A dissector that takes its time",
    .carried_by = FT_TABLE(carriers),
    .fields = FT_TABLE(fields),
    .probe = probe,
    .dissect = dissect,
};

FT_PLUGIN(&slow);
