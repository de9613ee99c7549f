/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of DNS data. Contract: dns_text.h. */
#include "dns_text.h"

#include <arpa/inet.h>
#include <stdio.h>

void ft_dns_text_add(struct ft_dns_text *t, const void *bytes, uint32_t n)
{
    uint32_t room = (uint32_t)sizeof(t->text) - t->length;
    uint32_t some = n < room ? n : room;
    memcpy(t->text + t->length, bytes, some);
    t->length += some;
}

bool ft_dns_text_is_full(const struct ft_dns_text *t)
{
    return t->length == sizeof(t->text);
}

void ft_dns_text_gap(struct ft_dns_text *t)
{
    if (t->length)
        ft_dns_text_add(t, " ", 1);
}

void ft_dns_text_word(struct ft_dns_text *t, const char *word)
{
    ft_dns_text_gap(t);
    ft_dns_text_add(t, word, (uint32_t)strlen(word));
}

void ft_dns_text_number(struct ft_dns_text *t, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    ft_dns_text_word(t, digits);
}

void ft_dns_text_string(struct ft_dns_text *t, struct ft_view string)
{
    ft_dns_text_gap(t);
    ft_dns_text_add(t, string.data, string.len);
}

void ft_dns_text_name(struct ft_dns_text *t, const struct ft_dns_name *name)
{
    ft_dns_text_gap(t);
    ft_dns_text_add(t, name->text, name->length);
}

/* Day, month and year of a number of days since 1970, by eras of 400 years that begin in March. */
static void date_of(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint32_t since = days + 719468; /* 0000-03-01 */
    uint32_t era = since / 146097, of_era = since % 146097;
    uint32_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * years + years / 4 - years / 100);
    uint32_t from_march = (5 * of_year + 2) / 153;

    *day = of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + years + (*month <= 2);
}

void ft_dns_text_time(struct ft_dns_text *t, uint32_t seconds)
{
    uint32_t year, month, day, rest = seconds % 86400;
    char text[48];

    date_of(seconds / 86400, &year, &month, &day);
    snprintf(text, sizeof(text), "%04u%02u%02u%02u%02u%02u", year, month, day, rest / 3600,
             rest / 60 % 60, rest % 60);
    ft_dns_text_word(t, text);
}

static const char *name_in(const struct ft_name *names, uint32_t value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

void ft_dns_text_type(struct ft_dns_text *t, uint16_t type)
{
    const char *name = name_in(ft_dns_type_names, type);
    char text[16];

    if (!name)
        snprintf(text, sizeof(text), "TYPE%u", type);
    ft_dns_text_word(t, name ? name : text);
}

void ft_dns_text_result(struct ft_dns_text *t, uint16_t result)
{
    /* The number is BADVERS elsewhere (RFC 8945, 8). */
    const char *name = result == 16 ? "BADSIG" : name_in(ft_dns_rcode_names, result);
    if (name)
        ft_dns_text_word(t, name);
    else
        ft_dns_text_number(t, result);
}

void ft_dns_text_hex(struct ft_dns_text *t, struct ft_view bytes)
{
    static const char digits[] = "0123456789abcdef";

    ft_dns_text_gap(t);
    if (!bytes.len)
        ft_dns_text_add(t, "-", 1);
    while (bytes.len) {
        uint8_t byte = ft_u8(&bytes);
        ft_dns_text_add(t, (const char[]){digits[byte >> 4], digits[byte & 15]}, 2);
    }
}

void ft_dns_text_base32(struct ft_dns_text *t, struct ft_view bytes)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint32_t held = 0, bits = 0;

    ft_dns_text_gap(t);
    while (bytes.len || bits) {
        if (bits < 5 && bytes.len) {
            held = held << 8 | ft_u8(&bytes);
            bits += 8;
        } else if (bits < 5) {
            held <<= 5 - bits;
            bits = 5;
        }
        bits -= 5;
        ft_dns_text_add(t, &digits[held >> bits & 31], 1);
    }
}

void ft_dns_text_address(struct ft_dns_text *t, struct ft_view address)
{
    char text[INET6_ADDRSTRLEN];

    if (address.len != 4 && address.len != 16)
        return;
    inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.data, text, sizeof(text));
    ft_dns_text_word(t, text);
}
