/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions compiled: values as text for people. */
#include "rules/program_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Bytes that are shown: of a payload for a message, and of what was found in it. */
#define SHOWN       32u
#define SHOWN_FOUND 64u

/* Two digits a byte, as many whole bytes as there is room for. */
static uint32_t hex_text(const uint8_t *bytes, uint32_t length, char *to, uint32_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t n = 0;
    for (uint32_t i = 0; i < length && n + 2 <= size; i++) {
        to[n++] = digits[bytes[i] >> 4];
        to[n++] = digits[bytes[i] & 15];
    }
    return n;
}

static uint32_t put_text(const char *text, uint32_t length, char *to, uint32_t size)
{
    length = length < size ? length : size;
    memcpy(to, text, length);
    return length;
}

static void address_text(struct ft_set_address a, char *to, uint32_t size)
{
    uint8_t bytes[16];
    bool is_v4 = !a.high && a.low >> 32 == 0xffff;
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(a.high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(a.low >> (56 - 8 * i));
    }
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? bytes + 12 : bytes, to, size);
}

uint32_t ft_program_value_text(const struct ft_subject *s, const struct ft_operand *o,
                               const struct ft_program_value *v, char *to, uint32_t size)
{
    char text[64] = "", scratch[32];
    const struct ft_message *m = s->message;
    if (o->type == FT_VALUE_TYPE_BYTES)
        return hex_text(v->bytes, v->length < SHOWN_FOUND ? v->length : SHOWN_FOUND, to, size);
    if (o->type == FT_VALUE_TYPE_TEXT)
        return put_text((const char *)v->bytes, v->length, to, size);
    if (o->type == FT_VALUE_TYPE_COMMAND && m) {
        const char *name = ft_command_name(m->protocol, m->code, m->qualifier, scratch);
        return put_text(name, (uint32_t)strlen(name), to, size);
    }
    if (o->type == FT_VALUE_TYPE_ADDRESS)
        address_text(v->address, text, sizeof(text));
    else
        ft_key_text(o, v->number, text, sizeof(text));
    return put_text(text, (uint32_t)strlen(text), to, size);
}

bool ft_operand_is_of_packet(const struct ft_operand *o)
{
    return o->is_tag || o->level == FT_LEVEL_CONNECTION || o->level == FT_LEVEL_PACKET ||
           o->level == FT_LEVEL_PAYLOAD;
}

uint32_t ft_program_text(const struct ft_vocabulary *v, const struct ft_subject *s,
                         const struct ft_operand *o, char *to, uint32_t size)
{
    struct ft_program_value value = {0};
    if (o->is_tag)
        return ft_value_of_tag(&v->tags[o->field], s, &value)
                   ? ft_program_value_text(s, o, &value, to, size)
                   : 0;
    if (o->level == FT_LEVEL_PACKET)
        return s->packet && s->packet(s->user, (enum ft_keyword)o->keyword, &value)
                   ? ft_program_value_text(s, o, &value, to, size)
                   : 0;
    value.number = s->connection;
    if (o->level == FT_LEVEL_CONNECTION)
        return s->connection ? ft_program_value_text(s, o, &value, to, size) : 0;
    if (s->payload && o->keyword == FT_KEYWORD_PAYLOAD_LENGTH)
        return (uint32_t)snprintf(to, size, "%u", s->payload_length);
    if (s->payload && o->keyword == FT_KEYWORD_PAYLOAD)
        return hex_text(s->payload, s->payload_length < SHOWN ? s->payload_length : SHOWN, to,
                        size);
    return 0;
}
