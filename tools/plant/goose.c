/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GOOSE, IEC 61850-8-1: APPID, length, reserved words, then one BER coded goosePdu. A change of
 * state is sent at once and repeated after 4, 8, 16 ... ms until the quiet interval is reached.
 */
#include "goose.h"

enum {
    TAG_PDU = 0x61,
    TAG_BOOLEAN = 0x83,
    TAG_BIT_STRING = 0x84,
    TAG_INTEGER = 0x85,
    N_ENTRIES = 4,
    APDU_MAX = 512,
    CONF_REV = 3,
};

static const uint64_t FIRST_GAP = 4 * FT_MS;
static const uint64_t QUIET_GAP = 1000 * FT_MS;

const struct ft_goose_block ft_goose_bay1 = {
    .reference = "BAY1Q01LD0/LLN0$GO$gcbTrip",
    .data_set = "BAY1Q01LD0/LLN0$dsTrip",
    .id = "BAY1_TRIP",
    .app_id = 0x0001,
    .vlan = 4 << 13 | 10,
    .group = 1,
};
const struct ft_goose_block ft_goose_bay2 = {
    .reference = "BAY2F650LD0/LLN0$GO$gcbInterlock",
    .data_set = "BAY2F650LD0/LLN0$dsInterlock",
    .id = "BAY2_INTERLOCK",
    .app_id = 0x0002,
    .vlan = 4 << 13 | 10,
    .group = 2,
};

static void put_string(struct ft_buf *b, uint8_t tag, const char *s)
{
    ft_buf_u8(b, tag);
    ft_buf_str8(b, s);
}

/* Shortest two's complement of a number that is never negative. */
static void put_unsigned(struct ft_buf *b, uint8_t tag, uint32_t v)
{
    uint8_t octets[5] = {0, (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    unsigned skip = 0;

    while (skip < 4 && octets[skip] == 0 && (octets[skip + 1] & 0x80) == 0)
        skip++;
    ft_buf_u8(b, tag);
    ft_buf_u8(b, 5 - skip);
    ft_buf_bytes(b, octets + skip, 5 - skip);
}

static void put_boolean(struct ft_buf *b, uint8_t tag, bool v)
{
    ft_buf_u8(b, tag);
    ft_buf_u8(b, 1);
    ft_buf_u8(b, v);
}

/* UtcTime: seconds, 24 bits of fraction, quality (10 bits accuracy, clock in step). */
static void put_time(struct ft_buf *b, uint8_t tag, uint64_t ns)
{
    uint32_t fraction = (uint32_t)(((ns % FT_S) << 24) / FT_S);

    ft_buf_u8(b, tag);
    ft_buf_u8(b, 8);
    ft_buf_be32(b, (uint32_t)(ns / FT_S));
    ft_buf_be32(b, fraction << 8 | 0x0a);
}

static void put_data(struct ft_buf *b, const struct ft_goose *goose)
{
    FT_BUF_LOCAL(data, 64);

    put_boolean(&data, TAG_BOOLEAN, goose->position == 1);                 /* trip */
    ft_buf_bytes(&data, (const uint8_t[]){TAG_BIT_STRING, 3, 3, 0, 0}, 5); /* its quality */
    ft_buf_bytes(&data, (const uint8_t[]){TAG_BIT_STRING, 2, 6}, 3);       /* double point */
    ft_buf_u8(&data, (unsigned)goose->position << 6);
    put_unsigned(&data, TAG_INTEGER, goose->state_number * 3);
    ft_buf_u8(b, 0xab);
    ft_buf_u8(b, (unsigned)data.len);
    ft_buf_append(b, &data);
}

static void put_fields(struct ft_buf *b, const struct ft_goose *goose)
{
    put_string(b, 0x80, goose->block->reference);
    put_unsigned(b, 0x81, 2000);
    put_string(b, 0x82, goose->block->data_set);
    put_string(b, 0x83, goose->block->id);
    put_time(b, 0x84, goose->changed_at);
    put_unsigned(b, 0x85, goose->state_number);
    put_unsigned(b, 0x86, goose->sequence_number);
    put_boolean(b, 0x87, false);
    put_unsigned(b, 0x88, CONF_REV);
    put_boolean(b, 0x89, false);
    put_unsigned(b, 0x8a, N_ENTRIES);
    put_data(b, goose);
}

void ft_goose_send(struct ft_plant *plant, const struct ft_goose *goose, const uint8_t mac[6],
                   uint64_t delay, uint16_t extra_length)
{
    uint8_t group[6] = {0x01, 0x0c, 0xcd, 0x01, 0x00, goose->block->group};

    FT_BUF_LOCAL(fields, APDU_MAX);
    FT_BUF_LOCAL(b, APDU_MAX + 16);
    put_fields(&fields, goose);
    ft_buf_be16(&b, goose->block->app_id);
    ft_buf_be16(&b, 0);
    ft_buf_be32(&b, 0);
    ft_buf_u8(&b, TAG_PDU);
    if (fields.len >= 128)
        ft_buf_u8(&b, 0x81);
    ft_buf_u8(&b, (unsigned)fields.len);
    ft_buf_append(&b, &fields);
    ft_store_be16(b.data + 2, (uint16_t)(b.len + extra_length));
    ft_frame_vlan(plant, delay, mac, group, goose->block->vlan, FT_ETHERTYPE_GOOSE, b.data, b.len);
}

static void change_state(struct ft_plant *plant, struct ft_goose *goose)
{
    goose->position = goose->position == 1 ? 2 : 1;
    goose->changed_at = plant->now;
    goose->next_change = plant->now + 8 * FT_S + ft_rng_below(&goose->rng, 15 * FT_S);
    goose->gap = FIRST_GAP;
    goose->state_number++;
    goose->sequence_number = 0;
}

static uint64_t publish(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_goose *goose = (struct ft_goose *)actor;

    if (plant->now >= goose->next_change)
        change_state(plant, goose);
    else
        goose->sequence_number++;
    ft_goose_send(plant, goose, goose->ied->mac, 0, 0);

    uint64_t wait = goose->gap;

    if (goose->gap < QUIET_GAP)
        goose->gap = goose->gap * 2 < QUIET_GAP ? goose->gap * 2 : QUIET_GAP;
    if (plant->now + wait > goose->next_change)
        return goose->next_change - plant->now;
    return wait;
}

void ft_goose_start(struct ft_plant *plant, struct ft_goose *goose,
                    const struct ft_goose_block *block, const struct ft_host *ied, uint64_t delay)
{
    *goose = (struct ft_goose){
        .actor.act = publish,
        .block = block,
        .ied = ied,
        .rng = ft_rng_hash(plant->seed ^ block->app_id),
        .changed_at = plant->now - 500 * FT_S,
        .gap = QUIET_GAP,
        .state_number = 17,
        .sequence_number = 499,
        .position = 2,
    };
    goose->next_change = plant->now + 5 * FT_S + ft_rng_below(&goose->rng, 10 * FT_S);
    ft_plant_add(plant, delay, &goose->actor);
}
