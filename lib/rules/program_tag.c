/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: values of tags, which are at a place in payloads of a port. */
#include "rules/program_internal.h"

#include <math.h>
#include <string.h>

static uint64_t key_of_tag(const struct ft_tag *tag, const uint8_t *bytes)
{
    uint64_t u = ft_value_number_at(bytes, tag->length, tag->is_little);
    uint32_t bits = tag->length * 8;
    float f;
    double d;
    if (tag->type == FT_VALUE_TYPE_INT)
        return ft_key_of_int((int64_t)(u << (64 - bits)) >> (64 - bits));
    if (tag->type != FT_VALUE_TYPE_FLOAT)
        return u;
    if (tag->length == 4) {
        uint32_t half = (uint32_t)u;
        memcpy(&f, &half, 4);
        d = (double)f;
    } else {
        memcpy(&d, &u, 8);
    }
    return ft_key_of_float(d);
}

/* Where the tag's value begins in the payload; UINT32_MAX: it has none. */
static uint32_t tag_place(const struct ft_tag *tag, const struct ft_subject *s)
{
    int64_t at = tag->offset;
    if (tag->anchor) {
        const uint8_t *found = s->payload_length ? memmem(s->payload, s->payload_length,
                                                          tag->anchor, tag->anchor_length)
                                                 : NULL;
        if (!found)
            return UINT32_MAX;
        at += found - s->payload + (int64_t)tag->anchor_length;
    }
    return at < 0 || at + tag->length > s->payload_length ? UINT32_MAX : (uint32_t)at;
}

bool ft_tag_is_of(const struct ft_tag *tag, const struct ft_subject *s)
{
    if (s->transport != tag->transport)
        return false;
    return tag->transport == FT_TRANSPORT_L2 ? s->ethertype == tag->port
                                             : s->src_port == tag->port || s->dst_port == tag->port;
}

bool ft_value_of_tag(const struct ft_tag *tag, const struct ft_subject *s,
                     struct ft_program_value *v)
{
    uint32_t at = s->payload && ft_tag_is_of(tag, s) ? tag_place(tag, s) : UINT32_MAX;
    if (at == UINT32_MAX)
        return false;
    v->bytes = s->payload + at;
    v->length = tag->length;
    v->at = at;
    v->at_length = tag->length;
    if (tag->type == FT_VALUE_TYPE_ADDRESS)
        v->address = ft_set_address_of(v->bytes, tag->length == 16);
    else if (tag->type == FT_VALUE_TYPE_MAC)
        v->number = ft_value_number_at(v->bytes, 6, false);
    else if (tag->type != FT_VALUE_TYPE_TEXT && tag->type != FT_VALUE_TYPE_BYTES)
        v->number = key_of_tag(tag, v->bytes);
    /* What is not a number is compared with nothing. */
    return tag->type != FT_VALUE_TYPE_FLOAT || (v->number > ft_key_of_float(-HUGE_VAL) - 1 &&
                                                v->number < ft_key_of_float(HUGE_VAL) + 1);
}
