/* SPDX-License-Identifier: BSD-3-Clause */
/* DNP3 secure authentication, version 5: objects of group 120 (IEEE 1815-2012, 7 and A.45). */
#include "dnp3_objects.h"

#define KEY_STATUS_AUTH_FAIL 4

static void put_sequence_and_user(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_AUTH_SEQUENCE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_USER, ft_u16le(v), v);
}

static void read_challenge(struct ft_context *ctx, struct ft_view *v)
{
    put_sequence_and_user(ctx, v);
    ft_put_uint(ctx, DNP3_F_AUTH_MAC_ALGORITHM, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_REASON, ft_u8(v), v);
    ft_put_bytes(ctx, DNP3_F_AUTH_CHALLENGE, ft_rest(v));
}

static void read_key_status(struct ft_context *ctx, struct ft_view *v)
{
    put_sequence_and_user(ctx, v);
    ft_put_uint(ctx, DNP3_F_AUTH_KEY_WRAP, ft_u8(v), v);

    uint8_t status = ft_u8(v);

    ft_put_uint(ctx, DNP3_F_AUTH_KEY_STATUS, status, v);
    if (status == KEY_STATUS_AUTH_FAIL)
        ft_violation(ctx, DNP3_V_AUTH_ERROR, v);
    ft_put_uint(ctx, DNP3_F_AUTH_MAC_ALGORITHM, ft_u8(v), v);

    struct ft_view challenge = ft_sub_u16le(v);

    ft_put_bytes(ctx, DNP3_F_AUTH_CHALLENGE, challenge);
    ft_put_bytes(ctx, DNP3_F_AUTH_MAC, ft_rest(v));
}

static void read_error(struct ft_context *ctx, struct ft_view *v)
{
    put_sequence_and_user(ctx, v);
    ft_put_uint(ctx, DNP3_F_AUTH_ASSOCIATION, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_ERROR, ft_u8(v), v);
    if (ft_view_ok(v))
        ft_violation(ctx, DNP3_V_AUTH_ERROR, v);
    ft_put_uint(ctx, DNP3_F_AUTH_TIME, ft_dnp3_time(ft_u48le(v)), v);
    if (!ft_view_at_end(v))
        ft_put_string(ctx, DNP3_F_AUTH_TEXT, ft_rest(v));
}

/* Variation 10, user status change: somebody gets, loses or changes a role. */
static void read_user_change(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_AUTH_METHOD, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_OPERATION, ft_u8(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_STATUS_SEQUENCE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_ROLE, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_AUTH_ROLE_EXPIRY, ft_u16le(v), v);

    uint16_t name = ft_u16le(v);

    ft_skip(v, 4); /* lengths of public key and certification data, which end the object */
    ft_put_string(ctx, DNP3_F_AUTH_NAME, ft_sub(v, name));
    if (ft_view_ok(v))
        ft_violation(ctx, DNP3_V_USER_CHANGE, v);
}

/* Variation 11: method, user name and challenge of the master. */
static void read_update_request(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_AUTH_METHOD, ft_u8(v), v);

    uint16_t name = ft_u16le(v);
    uint16_t challenge = ft_u16le(v);

    ft_put_string(ctx, DNP3_F_AUTH_NAME, ft_sub(v, name));
    ft_put_bytes(ctx, DNP3_F_AUTH_CHALLENGE, ft_sub(v, challenge));
}

static bool read_variation(struct ft_context *ctx, uint8_t variation, struct ft_view *v)
{
    switch (variation) {
    case 1:
        read_challenge(ctx, v);
        break;
    case 2:
        put_sequence_and_user(ctx, v);
        ft_put_bytes(ctx, DNP3_F_AUTH_MAC, ft_rest(v));
        break;
    case 3:
    case 6: /* the wrapped keys of a key change are nobody's business */
    case 12:
    case 13:
        put_sequence_and_user(ctx, v);
        break;
    case 4:
        ft_put_uint(ctx, DNP3_F_AUTH_USER, ft_u16le(v), v);
        break;
    case 5:
        read_key_status(ctx, v);
        break;
    case 7:
        read_error(ctx, v);
        break;
    case 9:
    case 15:
        ft_put_bytes(ctx, DNP3_F_AUTH_MAC, ft_rest(v));
        break;
    case 10:
        read_user_change(ctx, v);
        break;
    case 11:
        read_update_request(ctx, v);
        break;
    case 8: /* certificate and signature: binary, of no use here */
    case 14:
        break;
    default:
        return false;
    }
    return true;
}

void ft_dnp3_auth(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, uint8_t variation,
                  struct ft_view v)
{
    ft_group_begin(ctx, DNP3_F_AUTH);
    if (!read_variation(ctx, variation, &v))
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_UNKNOWN, &v);
    ft_group_end(ctx, DNP3_F_AUTH);
    if (ft_view_is_malformed(&v))
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_DATA, &v);
}
