/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slow protocols: between the two ends of a link, at most ten frames a second. The first byte says
 * which; lengths of TLVs count their two bytes of header.
 *
 *   1  LACP    version (1); actor, partner (20 each), collector (16), terminator
 *   2  marker  version (1); marker or response (16), terminator
 *   3  OAM     flags (2), code (1), then by code
 *   10 others  OUI (3); of ITU-T 0019a7 0001: messages on the quality of clocks
 *
 * Specification: IEEE 802.1AX (6.4), 802.3 (57, 57A), ITU-T G.8264 (11).
 */
#include "ethernet.h"

enum {
    LACP = 1,
    MARKER = 2,
    OAM = 3,
    ORGANISATION = 10,
    MAC_LENGTH = 6,
    TLV_HEADER = 2,
    TLV_ACTOR = 1,
    TLV_PARTNER = 2,
    TLV_COLLECTOR = 3,
    SIDE_LENGTH = 20,
    COLLECTOR_LENGTH = 16,
    DISTRIBUTING = 0x20,
    OAM_INFORMATION = 0,
    OAM_EVENTS = 1,
    OAM_VARIABLE_REQUEST = 2,
    OAM_VARIABLE_RESPONSE = 3,
    OAM_LOOPBACK = 4,
    OAM_LINK_FAULT = 0x01,
    OAM_DYING_GASP = 0x02,
    OAM_CRITICAL = 0x04,
    OAM_ENABLE = 1,
    OUI_ITU = 0x0019a7,
    ITU_ESMC = 1,
};

static bool is_station(struct ft_view mac)
{
    uint64_t number = ft_u48be(&mac);
    return number && !(number >> 40 & 1);
}

/* ---- link aggregation ----------------------------------------------------------------------- */

/* One end of the link, as whoever sends knows it. */
struct side {
    struct ft_view system;
    uint16_t port;
    uint8_t state;
};

/* `group` is the actor or the partner, whose members stand in the same order. */
static void read_side(struct ft_context *ctx, uint32_t group, struct side *side, struct ft_view *v)
{
    const uint32_t to = group - ETHER_LACP_ACTOR;
    ft_group_begin(ctx, group);
    ft_put_uint(ctx, to + ETHER_LACP_ACTOR_SYSTEM_PRIORITY, ft_u16be(v), v);
    side->system = ft_sub(v, MAC_LENGTH);
    ft_put_bytes(ctx, to + ETHER_LACP_ACTOR_SYSTEM, side->system);
    ft_put_uint(ctx, to + ETHER_LACP_ACTOR_KEY, ft_u16be(v), v);
    ft_put_uint(ctx, to + ETHER_LACP_ACTOR_PORT_PRIORITY, ft_u16be(v), v);
    side->port = ft_u16be(v);
    ft_put_uint(ctx, to + ETHER_LACP_ACTOR_PORT, side->port, v);
    side->state = ft_u8(v);
    ft_put_uint(ctx, to + ETHER_LACP_ACTOR_STATE, side->state, v);
    ft_group_end(ctx, group);
}

static bool is_lacp_length(uint8_t type, uint8_t length)
{
    if (type == TLV_ACTOR || type == TLV_PARTNER)
        return length == SIDE_LENGTH;
    return type != TLV_COLLECTOR || length == COLLECTOR_LENGTH;
}

static void check_aggregation(struct ft_context *ctx, const struct side *actor,
                              const struct side *partner)
{
    struct ft_ethernet_flow *flow = ctx->flow_state;
    struct ft_view system = actor->system;
    bool was_distributing = flow->lacp_state & DISTRIBUTING;

    ft_skip(&system, MAC_LENGTH); /* the evidence */
    if (!is_station(actor->system))
        ft_violation(ctx, ETHER_V_LACP_SYSTEM, &system);
    else if (ft_view_starts(&partner->system, actor->system.data, MAC_LENGTH))
        ft_violation(ctx, ETHER_V_LACP_LOOP, &system);
    if (was_distributing && !(actor->state & DISTRIBUTING))
        ft_violation(ctx, ETHER_V_LACP_LOST, NULL);
    flow->lacp_state = actor->state;
}

static void read_lacp(struct ft_context *ctx, struct ft_view *v)
{
    struct side actor = {.system = ft_view_empty()}, partner = actor;

    ft_put_uint(ctx, ETHER_LACP_VERSION, ft_u8(v), v);
    while (v->len) {
        uint8_t type = ft_u8(v), length = ft_u8(v);
        if (!type || !ft_view_ok(v))
            break;
        if (length < TLV_HEADER || !is_lacp_length(type, length)) {
            ft_violation(ctx, ETHER_V_LACP_LENGTH, v);
            return;
        }
        struct ft_view value = ft_sub(v, length - TLV_HEADER);
        if (type == TLV_ACTOR)
            read_side(ctx, ETHER_LACP_ACTOR, &actor, &value);
        else if (type == TLV_PARTNER)
            read_side(ctx, ETHER_LACP_PARTNER, &partner, &value);
        else if (type == TLV_COLLECTOR)
            ft_put_uint(ctx, ETHER_LACP_DELAY, ft_u16be(&value), &value);
    }
    if (ft_view_ok(v) && actor.system.len)
        check_aggregation(ctx, &actor, &partner);
}

/* Both ways go to the same group address: who answers is another flow than who asked. */
static void read_marker(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, ETHER_MARKER_VERSION, ft_u8(v), v);
    ft_put_uint(ctx, ETHER_MARKER_TYPE, ft_u8(v), v);
    ft_skip(v, 1);
    ft_put_uint(ctx, ETHER_MARKER_PORT, ft_u16be(v), v);
    ft_put_bytes(ctx, ETHER_MARKER_SYSTEM, ft_sub(v, MAC_LENGTH));
    ft_put_uint(ctx, ETHER_MARKER_TRANSACTION, ft_u32be(v), v);
}

/* ---- OAM ------------------------------------------------------------------------------------ */

static void read_oam_side(struct ft_context *ctx, uint32_t group, struct ft_view *v)
{
    const uint32_t to = group - ETHER_OAM_LOCAL;
    ft_group_begin(ctx, group);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_VERSION, ft_u8(v), v);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_REVISION, ft_u16be(v), v);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_STATE, ft_u8(v), v);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_CONFIGURATION, ft_u8(v), v);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_MAX_PDU, ft_u16be(v) & 0x7ffu, v);
    ft_put_uint(ctx, to + ETHER_OAM_LOCAL_OUI, ft_u24be(v), v);
    ft_put_bytes(ctx, to + ETHER_OAM_LOCAL_VENDOR, ft_sub(v, 4));
    ft_group_end(ctx, group);
}

/* Widths of window, threshold, errors, and the total of errors by type. */
static void read_oam_event(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    static const uint8_t widths[][4] = {{8, 8, 8, 8}, {2, 4, 4, 8}, {4, 4, 4, 8}, {2, 2, 2, 4}};

    ft_group_begin(ctx, ETHER_OAM_EVENT);
    ft_put_uint(ctx, ETHER_OAM_EVENT_TYPE, type, NULL);
    if (type >= 1 && type <= 4) {
        const uint8_t *width = widths[type - 1];
        ft_put_uint(ctx, ETHER_OAM_EVENT_TIMESTAMP, ft_u16be(v), v);
        for (uint32_t i = 0; i < 4; i++)
            ft_put_uint(ctx, ETHER_OAM_EVENT_WINDOW + i, ft_uint_be(v, width[i]), v);
        ft_put_uint(ctx, ETHER_OAM_EVENT_TOTAL_EVENTS, ft_u32be(v), v);
    }
    ft_group_end(ctx, ETHER_OAM_EVENT);
}

/* Type 0 ends the list; what follows it is padding. */
static void read_oam_list(struct ft_context *ctx, uint8_t code, struct ft_view *v)
{
    while (v->len) {
        uint8_t type = ft_u8(v);
        if (!type)
            break;
        uint8_t length = ft_u8(v);
        if (length < TLV_HEADER) {
            ft_view_fail(v);
            return;
        }
        struct ft_view value = ft_sub(v, length - TLV_HEADER);
        if (code == OAM_EVENTS)
            read_oam_event(ctx, type, &value);
        else if (type == 1 || type == 2)
            read_oam_side(ctx, type == 1 ? ETHER_OAM_LOCAL : ETHER_OAM_REMOTE, &value);
        if (ft_view_is_malformed(&value))
            ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
    }
    if (code == OAM_EVENTS && ft_view_ok(v))
        ft_violation(ctx, ETHER_V_OAM_ERRORS, NULL);
}

/* A width with its top bit tells why there is no value. Branch 0 ends the list. */
static void read_variables(struct ft_context *ctx, bool is_response, struct ft_view *v)
{
    while (v->len) {
        uint8_t branch = ft_u8(v);
        if (!branch)
            break;
        ft_group_begin(ctx, ETHER_OAM_VARIABLE);
        ft_put_uint(ctx, ETHER_OAM_VARIABLE_BRANCH, branch, v);
        ft_put_uint(ctx, ETHER_OAM_VARIABLE_LEAF, ft_u16be(v), v);
        if (is_response) {
            uint8_t width = ft_u8(v);
            if (width & 0x80)
                ft_put_uint(ctx, ETHER_OAM_VARIABLE_INDICATION, width & 0x7fu, v);
            else
                ft_put_bytes(ctx, ETHER_OAM_VARIABLE_VALUE, ft_sub(v, width ? width : 128));
        }
        ft_group_end(ctx, ETHER_OAM_VARIABLE);
    }
}

static void read_loopback(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t command = ft_u8(v);
    ft_put_uint(ctx, ETHER_OAM_LOOPBACK, command, v);
    if (ft_view_ok(v) && command == OAM_ENABLE)
        ft_violation(ctx, ETHER_V_OAM_LOOPBACK, v);
}

/* What is said in every frame as long as it lasts is told once. */
static void check_flags(struct ft_context *ctx, uint8_t flags)
{
    struct ft_ethernet_flow *flow = ctx->flow_state;
    uint8_t raised = flags & (uint8_t)~flow->oam_flags;
    if (raised & OAM_LINK_FAULT)
        ft_violation(ctx, ETHER_V_OAM_LINK_FAULT, NULL);
    if (raised & OAM_DYING_GASP)
        ft_violation(ctx, ETHER_V_OAM_DYING_GASP, NULL);
    if (raised & OAM_CRITICAL)
        ft_violation(ctx, ETHER_V_OAM_CRITICAL, NULL);
    flow->oam_flags = flags;
}

static void read_oam(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t flags = ft_u16be(v);
    ft_put_uint(ctx, ETHER_OAM_FLAGS, flags, v);
    uint8_t code = ft_u8(v);
    ft_put_uint(ctx, ETHER_OAM_CODE, code, v);
    if (!ft_view_ok(v))
        return;
    check_flags(ctx, (uint8_t)flags);
    switch (code) {
    case OAM_EVENTS:
        ft_put_uint(ctx, ETHER_OAM_SEQUENCE, ft_u16be(v), v);
        read_oam_list(ctx, code, v);
        break;
    case OAM_INFORMATION:
        read_oam_list(ctx, code, v);
        break;
    case OAM_VARIABLE_REQUEST:
    case OAM_VARIABLE_RESPONSE:
        read_variables(ctx, code == OAM_VARIABLE_RESPONSE, v);
        break;
    case OAM_LOOPBACK:
        read_loopback(ctx, v);
        break;
    default:
        ft_put_uint(ctx, ETHER_OAM_OUI, ft_u24be(v), v);
    }
}

/* ---- others --------------------------------------------------------------------------------- */

static bool is_esmc(const struct ft_view *v)
{
    static const uint8_t itu[] = {OUI_ITU >> 16, OUI_ITU >> 8 & 0xff, OUI_ITU & 0xff, 0, ITU_ESMC};
    return ft_view_starts(v, itu, sizeof(itu));
}

/* Version (4 bits), event (1), reserved; type 1, length (2), quality (4 bits). */
static void read_esmc(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 5);
    uint8_t first = ft_u8(v);
    ft_put_uint(ctx, ETHER_ESMC_VERSION, first >> 4, v);
    ft_put_bool(ctx, ETHER_ESMC_EVENT, first & 8, v);
    ft_skip(v, 3 + 3);
    ft_put_uint(ctx, ETHER_ESMC_QUALITY, ft_u8(v) & 15u, v);
}

static void read_organisation(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, ETHER_ORGANISATION_OUI, ft_u24be(v), v);
    ft_put_bytes(ctx, ETHER_ORGANISATION_DATA, ft_rest(v));
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Behind the subtype: what tells the frames of a protocol apart. */
static int code_of(int subtype, struct ft_view v)
{
    ft_skip(&v, 1);
    int code = 0;
    if (subtype == MARKER)
        code = ft_peek_u8(&v, 1);
    else if (subtype == OAM)
        code = ft_peek_u8(&v, 2);
    else if (subtype == ORGANISATION)
        code = is_esmc(&v);
    if (subtype == MARKER && code != 1 && code != 2)
        return 0;
    return code < 0 ? 0 : code;
}

static enum ft_kind kind_of(int subtype, int code)
{
    bool is_question = (subtype == MARKER && code == 1) ||
                       (subtype == OAM && (code == OAM_VARIABLE_REQUEST || code == OAM_LOOPBACK));
    bool is_answer =
        (subtype == MARKER && code == 2) || (subtype == OAM && code == OAM_VARIABLE_RESPONSE);
    return is_question                            ? FT_KIND_REQUEST
           : is_answer                            ? FT_KIND_RESPONSE
           : subtype == OAM && code == OAM_EVENTS ? FT_KIND_UNSOLICITED
                                                  : FT_KIND_DATA;
}

/* Bridges keep what is sent to these: the neighbour's, and the nearest bridge's of two kinds. */
static bool is_slow_address(const struct ft_context *ctx)
{
    static const uint8_t first[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
    return !(ctx->dst_mac[0] & 1) || (!memcmp(ctx->dst_mac, first, 5) && ctx->dst_mac[5] < 0x10);
}

void ft_ethernet_slow(struct ft_context *ctx, struct ft_view *v)
{
    int subtype = ft_peek_u8(v, 0);
    int code = code_of(subtype, *v);

    ft_ethernet_begin(ctx, kind_of(subtype, code), ETHER_SLOW,
                      subtype < 0 ? subtype : ETHER_QUALIFIER(subtype, code));
    ft_put_uint(ctx, ETHER_SLOW_SUBTYPE, ft_u8(v), v);
    if (!ft_view_ok(v))
        return;
    if (!is_slow_address(ctx))
        ft_violation(ctx, ETHER_V_SLOW_ADDRESS, NULL);
    if (subtype == LACP)
        read_lacp(ctx, v);
    else if (subtype == MARKER)
        read_marker(ctx, v);
    else if (subtype == OAM)
        read_oam(ctx, v);
    else if (subtype == ORGANISATION && is_esmc(v))
        read_esmc(ctx, v);
    else if (subtype == ORGANISATION)
        read_organisation(ctx, v);
    else
        ft_violation(ctx, ETHER_V_SLOW_SUBTYPE, v);
}
