/* SPDX-License-Identifier: BSD-3-Clause */
/* DNP3 file objects: group 70, variations 2 to 8 (IEEE 1815, annex A.27). */
#include "dnp3_objects.h"

/* The string that stands `offset` octets from the start of the object; offsets are the sender's. */
static struct ft_view string_at(struct ft_view object, uint16_t offset, uint16_t size)
{
    if (!ft_skip(&object, offset))
        return ft_view_empty();

    struct ft_view text = ft_sub(&object, size);

    return ft_view_ok(&object) ? text : ft_view_empty();
}

static bool is_inside(struct ft_view object, uint16_t offset, uint16_t size)
{
    return (uint32_t)offset + size <= object.len;
}

/* Variation 2, authentication: user name and password in the clear. */
static void read_authentication(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view object = *v;
    uint16_t user_offset = ft_u16le(v);
    uint16_t user_size = ft_u16le(v);
    uint16_t password_offset = ft_u16le(v);
    uint16_t password_size = ft_u16le(v);

    ft_skip(v, 4); /* authentication key: zero in a request, a secret in a response */
    if (!is_inside(object, user_offset, user_size) ||
        !is_inside(object, password_offset, password_size)) {
        ft_view_fail(v);
        return;
    }
    if (user_size)
        ft_put_string(ctx, DNP3_F_FILE_USER, string_at(object, user_offset, user_size));
    if (password_size) {
        struct ft_view password = string_at(object, password_offset, password_size);

        ft_put_string(ctx, DNP3_F_FILE_PASSWORD, password);
        password.last_len = 0;
        ft_violation(ctx, DNP3_V_CLEARTEXT_PASSWORD, &password);
    }
}

/* Variation 3, command: what to open, create or delete, and how. */
static void read_command(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view object = *v;
    uint16_t name_offset = ft_u16le(v);
    uint16_t name_size = ft_u16le(v);

    ft_put_uint(ctx, DNP3_F_FILE_CREATED, ft_dnp3_time(ft_u48le(v)), v);
    ft_put_uint(ctx, DNP3_F_FILE_PERMISSIONS, ft_u16le(v), v);
    ft_skip(v, 4); /* authentication key */
    ft_put_uint(ctx, DNP3_F_FILE_SIZE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_MODE, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_MAX_BLOCK, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_REQUEST_ID, ft_u16le(v), v);
    if (is_inside(object, name_offset, name_size))
        ft_put_string(ctx, DNP3_F_FILE_NAME, string_at(object, name_offset, name_size));
    else
        ft_view_fail(v);
}

/* Variation 4, command status. */
static void read_command_status(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_FILE_HANDLE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_SIZE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_MAX_BLOCK, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_REQUEST_ID, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_STATUS, ft_u8(v), v);
    if (!ft_view_at_end(v))
        ft_put_string(ctx, DNP3_F_FILE_TEXT, ft_rest(v));
}

static void read_block_number(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, DNP3_F_FILE_HANDLE, ft_u32le(v), v);

    uint32_t block = ft_u32le(v);

    ft_put_uint(ctx, DNP3_F_FILE_BLOCK, block & 0x7fffffff, v);
    ft_put_bool(ctx, DNP3_F_FILE_IS_LAST, block >> 31, v);
}

/* Variation 7, descriptor: an entry of a directory. */
static void read_descriptor(struct ft_context *ctx, struct ft_view *v)
{
    struct ft_view object = *v;
    uint16_t name_offset = ft_u16le(v);
    uint16_t name_size = ft_u16le(v);

    ft_put_uint(ctx, DNP3_F_FILE_TYPE, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_SIZE, ft_u32le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_CREATED, ft_dnp3_time(ft_u48le(v)), v);
    ft_put_uint(ctx, DNP3_F_FILE_PERMISSIONS, ft_u16le(v), v);
    ft_put_uint(ctx, DNP3_F_FILE_REQUEST_ID, ft_u16le(v), v);
    if (is_inside(object, name_offset, name_size))
        ft_put_string(ctx, DNP3_F_FILE_NAME, string_at(object, name_offset, name_size));
    else
        ft_view_fail(v);
}

static bool read_variation(struct ft_context *ctx, uint8_t variation, struct ft_view *v)
{
    switch (variation) {
    case 2:
        read_authentication(ctx, v);
        break;
    case 3:
        read_command(ctx, v);
        break;
    case 4:
        read_command_status(ctx, v);
        break;
    case 5:
        read_block_number(ctx, v);
        ft_put_uint(ctx, DNP3_F_FILE_DATA_LENGTH, v->len, NULL);
        break;
    case 6:
        read_block_number(ctx, v);
        ft_put_uint(ctx, DNP3_F_FILE_STATUS, ft_u8(v), v);
        if (!ft_view_at_end(v))
            ft_put_string(ctx, DNP3_F_FILE_TEXT, ft_rest(v));
        break;
    case 7:
        read_descriptor(ctx, v);
        break;
    case 8:
        ft_put_string(ctx, DNP3_F_FILE_NAME, ft_rest(v));
        break;
    default:
        return false;
    }
    return true;
}

void ft_dnp3_file(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, uint8_t variation,
                  struct ft_view v)
{
    ft_group_begin(ctx, DNP3_F_FILE);
    if (!read_variation(ctx, variation, &v))
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_UNKNOWN, &v);
    ft_group_end(ctx, DNP3_F_FILE);
    if (ft_view_is_malformed(&v))
        ft_dnp3_bad_format(ctx, fragment, DNP3_V_OBJECT_DATA, &v);
}
