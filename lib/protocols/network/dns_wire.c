/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of DNS messages, and whether bytes can be a message at all. */
#include "dns_wire.h"

#define POINTER 0xc0u

/* A name being read. */
struct walk {
    struct ft_view at;
    const uint8_t *limit; /* pointers must lead before this */
    uint32_t wire, jumps;
};

static void append(struct ft_dns_name *name, struct ft_view label)
{
    uint32_t n = name->length;

    if (name->labels)
        name->text[n++] = '.';
    name->longest = label.len > name->longest ? (uint8_t)label.len : name->longest;
    while (label.len) {
        char c = (char)ft_u8(&label);
        if (c == '.' || c == '\\')
            name->text[n++] = '\\';
        name->text[n++] = c;
    }
    if (!name->labels)
        name->first_label = (uint16_t)n;
    name->labels++;
    name->length = (uint16_t)n;
}

/* Go to where the pointer leads whose first byte was taken. */
static bool follow(const struct ft_view *message, struct walk *w, uint8_t first,
                   struct ft_dns_name *name)
{
    uint32_t target = (uint32_t)(first & ~POINTER) << 8 | ft_u8(&w->at);

    if (!ft_view_ok(&w->at)) {
        name->fault = FT_DNS_NAME_CUT;
        return false;
    }
    if (target < FT_DNS_HEADER || target >= (uint32_t)(w->limit - message->data) ||
        ++w->jumps > FT_DNS_JUMPS_MAX) {
        name->fault = FT_DNS_NAME_POINTER;
        return false;
    }
    w->at = *message;
    ft_skip(&w->at, target);
    w->limit = w->at.data;
    return true;
}

/* The next label; false at the end of the name, or of what can be read of it. */
static bool step(struct walk *w, uint8_t length, struct ft_dns_name *name)
{
    if (!ft_view_ok(&w->at)) {
        name->fault = FT_DNS_NAME_CUT;
        return false;
    }
    if (!length)
        return false;
    if (length > FT_DNS_LABEL_MAX) {
        name->fault = FT_DNS_NAME_LABEL;
        return false;
    }
    w->wire += length + 1u;
    if (w->wire >= FT_DNS_NAME_MAX) {
        name->fault = FT_DNS_NAME_LENGTH;
        return false;
    }
    struct ft_view label = ft_sub(&w->at, length);
    if (!ft_view_ok(&w->at)) {
        name->fault = FT_DNS_NAME_CUT;
        return false;
    }
    append(name, label);
    return true;
}

void ft_dns_name_read(const struct ft_view *message, struct ft_view *v, struct ft_dns_name *name)
{
    struct walk w = {.at = *v, .limit = v->data};
    struct ft_view end = *v;
    bool is_away = false, goes_on = true;

    name->length = name->first_label = 0;
    name->labels = name->longest = 0;
    name->fault = FT_DNS_NAME_OK;
    while (goes_on) {
        uint8_t length = ft_u8(&w.at);
        if ((length & POINTER) == POINTER) {
            if (!is_away) {
                end = w.at;
                ft_skip(&end, 1);
            }
            is_away = true;
            goes_on = follow(message, &w, length, name);
        } else {
            goes_on = step(&w, length, name);
            if (!is_away)
                end = w.at;
        }
    }
    if (name->fault == FT_DNS_NAME_OK || name->fault == FT_DNS_NAME_POINTER ||
        (is_away && ft_view_ok(&end)))
        ft_skip(v, (uint32_t)(end.data - v->data));
    else
        ft_view_fail(v);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool ft_dns_is_same(const char *a, const char *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool ft_dns_name_is(const struct ft_dns_name *name, const char *text, uint32_t length)
{
    return name->length == length && ft_dns_is_same(name->text, text, length);
}

bool ft_dns_name_ends(const struct ft_dns_name *name, const char *suffix)
{
    uint32_t n = (uint32_t)strlen(suffix);
    return name->length >= n && ft_dns_is_same(name->text + name->length - n, suffix, n);
}

uint64_t ft_dns_name_hash(const struct ft_dns_name *name)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (uint32_t i = 0; i < name->length; i++)
        h = (h ^ (uint8_t)lower(name->text[i])) * 0x100000001b3ull;
    return h ? h : 1;
}

/* ---- reverse look-up ------------------------------------------------------------------------ */

static uint32_t ipv4_of(const char *text, uint32_t length, uint8_t address[16])
{
    uint32_t at = 0;
    for (unsigned i = 4; i-- > 0;) {
        uint32_t value = 0, digits = 0;
        while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 3) {
            value = value * 10 + (uint32_t)(text[at++] - '0');
            digits++;
        }
        if (!digits || value > 255 || (i && (at >= length || text[at++] != '.')))
            return 0;
        address[i] = (uint8_t)value;
    }
    return at == length ? 4 : 0;
}

static int digit_of(char c)
{
    c = lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits with a dot between each. */
static uint32_t ipv6_of(const char *text, uint32_t length, uint8_t address[16])
{
    if (length != 63)
        return 0;
    for (uint32_t i = 0; i < 32; i++) {
        int digit = digit_of(text[2 * i]);
        if (digit < 0 || (i < 31 && text[2 * i + 1] != '.'))
            return 0;
        uint8_t *to = &address[15 - i / 2];
        *to = i % 2 ? (uint8_t)(*to | digit << 4) : (uint8_t)digit;
    }
    return 16;
}

uint32_t ft_dns_name_address(const struct ft_dns_name *name, uint8_t address[16])
{
    if (ft_dns_name_ends(name, ".in-addr.arpa"))
        return ipv4_of(name->text, name->length - 13u, address);
    if (ft_dns_name_ends(name, ".ip6.arpa"))
        return ipv6_of(name->text, name->length - 9u, address);
    return 0;
}

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_known_type(uint16_t type)
{
    return (type >= 1 && type <= 66) || (type >= 99 && type <= 109) ||
           (type >= 249 && type <= 261) || type >= 32768;
}

static bool is_known_class(uint16_t class_)
{
    class_ &= 0x7fff;
    return class_ == 1 || class_ == 3 || class_ == 4 || class_ == 254 || class_ == 255;
}

static bool walk_question(const struct ft_view *message, struct ft_view *v)
{
    struct ft_dns_name name;
    ft_dns_name_read(message, v, &name);
    uint16_t type = ft_u16be(v);
    uint16_t class_ = ft_u16be(v);
    return ft_view_ok(v) && name.fault == FT_DNS_NAME_OK && is_known_type(type) &&
           is_known_class(class_);
}

static bool walk_record(const struct ft_view *message, struct ft_view *v)
{
    struct ft_dns_name name;
    ft_dns_name_read(message, v, &name);
    uint16_t type = ft_u16be(v);
    uint16_t class_ = ft_u16be(v);
    ft_skip(v, 4);
    ft_skip(v, ft_u16be(v));
    return ft_view_ok(v) && name.fault == FT_DNS_NAME_OK &&
           (type == FT_DNS_OPT || (is_known_type(type) && is_known_class(class_)));
}

bool ft_dns_looks_right(struct ft_view payload)
{
    struct ft_view message = payload;
    ft_skip(&payload, 2);
    uint16_t flags = ft_u16be(&payload);
    uint32_t questions = ft_u16be(&payload);
    uint32_t records = ft_u16be(&payload);
    records += ft_u16be(&payload);
    records += ft_u16be(&payload);
    unsigned opcode = flags >> 11 & 15;

    if (!ft_view_ok(&payload) || opcode > FT_DNS_DSO || opcode == 3 || flags & FT_DNS_Z ||
        questions > 64 || !(questions + records) || (records && !questions && !(flags & FT_DNS_QR)))
        return false;
    questions = ft_count(&payload, questions, 5);
    while (questions-- > 0)
        if (!walk_question(&message, &payload))
            return !ft_view_ok(&payload) && !ft_view_is_malformed(&payload);
    records = ft_count(&payload, records, 11);
    while (records-- > 0)
        if (!walk_record(&message, &payload))
            return !ft_view_ok(&payload) && !ft_view_is_malformed(&payload);
    return payload.len == 0;
}
