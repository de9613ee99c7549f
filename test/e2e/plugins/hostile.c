/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dissectors that do what none may: built once for each fault, as hostile_<fault>.so. Each reads an
 * invented protocol on port 7799, a byte 'H', a length byte and so many bytes, and is well-behaved
 * until such a message begins with '!'.
 */
#include <stdlib.h>
#include <string.h>

#include <fieldtap/dissector.h>

enum fault {
    NULL_WRITE = 1,
    ABORT,
    LOOP,      /* for ever */
    RECURSION, /* until the stack is used up */
    OVERRUN,   /* reads behind its input until there is no memory any more */
    IN_FRAME,  /* the fault is in frame() */
    IN_PROBE,  /* the fault is in probe(), and the signature sends it every unknown flow with '!' */
    LOOP_IN_FRAME,
    IN_STATE, /* hands the engine an address that is none */
};

enum field {
    ROOT = 0,
    TEXT,
};

static const struct ft_field fields[] = {
    {"hostile", "A dissector that goes wrong", NULL, 0, FT_TYPE_GROUP, 0, 0},
    {"text", "Text", NULL, ROOT, FT_TYPE_STRING, 0, 0},
};

static const struct ft_carrier carriers[] = {
    {.kind = FT_CARRIER_TCP, .value = 7799},
    {.kind = FT_CARRIER_UDP, .value = 7799},
};

static const struct ft_signature signatures[] = {
    {"^H.!boom", FT_SIGNATURE_TCP | FT_SIGNATURE_UDP, 0},
};

static int *volatile nowhere;
static volatile unsigned sink;

/* Not a tail call, and not seen through. */
static unsigned __attribute__((noinline)) recurse(unsigned depth)
{
    volatile char frame[512];
    frame[depth % sizeof(frame)] = (char)depth;
    return recurse(depth + 1) + (unsigned)frame[(depth + 1) % sizeof(frame)];
}

static void go_wrong(struct ft_context *ctx, const uint8_t *bytes)
{
    switch (FAULT) {
    case ABORT:
        abort();
    case LOOP:
    case LOOP_IN_FRAME:
        for (;;)
            sink++;
    case RECURSION:
        sink = recurse(0);
        break;
    case OVERRUN:
        for (;;)
            sink += *(const volatile uint8_t *)bytes++;
    case IN_STATE:
        ft_request(ctx, FT_SCOPE_FLOW, 1, (const void *)1, 64);
        break;
    default:
        *nowhere = 1;
    }
}

static bool is_evil(const struct ft_view *v)
{
    return ft_peek_u8(v, 2) == '!';
}

static enum ft_verdict probe(const struct ft_probe *where, struct ft_view payload)
{
    (void)where;
    if (FAULT == IN_PROBE && is_evil(&payload))
        go_wrong(NULL, payload.data);
    return ft_peek_u8(&payload, 0) == 'H' ? FT_YES : FT_NO;
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    if (ft_peek_u8(&stream, 0) != 'H')
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (stream.len < 3)
        return ft_frame(FT_FRAME_NEED, 3);
    if ((FAULT == IN_FRAME || FAULT == LOOP_IN_FRAME) && is_evil(&stream))
        go_wrong(ctx, stream.data);
    return ft_frame(FT_FRAME_PDU, 2 + (uint32_t)ft_peek_u8(&stream, 1));
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    bool evil = is_evil(pdu);
    ft_skip(pdu, 1);
    struct ft_view text = ft_sub_u8(pdu);
    struct ft_view whole;
    ft_command(ctx, 1, 0);
    ft_put_string(ctx, TEXT, text);
    /* something of everything is open when it goes wrong */
    void *channel = ft_channel(ctx, FT_SCOPE_FLOW, 1);
    ft_reassemble(ctx, 1, text, FT_REASSEMBLY_FIRST, &whole);
    ft_request(ctx, FT_SCOPE_FLOW, 1, NULL, 0);
    if (channel && evil && FAULT != IN_FRAME && FAULT != LOOP_IN_FRAME && FAULT != IN_PROBE)
        go_wrong(ctx, text.data);
}

static const struct ft_dissector hostile = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "hostile",
    .title = "A dissector that goes wrong",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .channel_size = 8,
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};

FT_PLUGIN(&hostile);
