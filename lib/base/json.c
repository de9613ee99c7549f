/* SPDX-License-Identifier: BSD-3-Clause */
/* The append-only JSON writer. */
#include "base/json.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *reserve(struct ft_json *j, uint32_t n)
{
    if (j->is_full || j->size - j->length < n) {
        j->is_full = true;
        return NULL;
    }
    return j->text + j->length;
}

static void append(struct ft_json *j, const char *text, uint32_t n)
{
    char *to = reserve(j, n);
    if (to) {
        memcpy(to, text, n);
        j->length += n;
    }
}

static void before_value(struct ft_json *j)
{
    if (j->wants_comma)
        append(j, ",", 1);
    j->wants_comma = true;
}

static void open_with(struct ft_json *j, char bracket)
{
    before_value(j);
    append(j, &bracket, 1);
    j->wants_comma = false;
}

static void close_with(struct ft_json *j, char bracket)
{
    append(j, &bracket, 1);
    j->wants_comma = true;
}

void ft_json_object(struct ft_json *j)
{
    open_with(j, '{');
}

void ft_json_object_end(struct ft_json *j)
{
    close_with(j, '}');
}

void ft_json_array(struct ft_json *j)
{
    open_with(j, '[');
}

void ft_json_array_end(struct ft_json *j)
{
    close_with(j, ']');
}

void ft_json_key2(struct ft_json *j, const char *key, const char *suffix)
{
    uint32_t n = (uint32_t)strlen(key), more = (uint32_t)strlen(suffix);
    char *to = reserve(j, n + more + 4);
    if (!to)
        return;
    j->length += n + more + 3 + j->wants_comma;
    if (j->wants_comma)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, key, n);
    memcpy(to + n, suffix, more);
    memcpy(to + n + more, "\":", 2);
    j->wants_comma = false;
}

void ft_json_key(struct ft_json *j, const char *key)
{
    ft_json_key2(j, key, "");
}

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7), 0 if there is none. */
static uint32_t utf8_length(const uint8_t *p, uint32_t n)
{
    if (p[0] < 0x80)
        return 1;
    uint32_t length = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                      : (p[0] & 0xf0) == 0xe0        ? 3
                      : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                     : 0;
    if (!length || n < length)
        return 0;
    for (uint32_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

static const char hex_digit[] = "0123456789abcdef";

/* Write the escape of a character that may not stand in a JSON string; its length. */
static uint32_t escape(char *to, uint8_t c)
{
    static const char with[] = "btn\0fr"; /* \b \t \n - \f \r */
    to[0] = '\\';
    if (c == '"' || c == '\\') {
        to[1] = (char)c;
        return 2;
    }
    if (c >= 8 && c <= 13 && c != 11) {
        to[1] = with[c - 8];
        return 2;
    }
    if (c < 0x80) {
        memcpy(to + 1, "u00", 3);
        to[4] = hex_digit[c >> 4];
        to[5] = hex_digit[c & 15];
        return 6;
    }
    memcpy(to + 1, "\\x", 2);
    to[3] = hex_digit[c >> 4];
    to[4] = hex_digit[c & 15];
    return 5;
}

/* Are the next eight bytes printable ASCII without quote and backslash? Eight at a time: the high
 * bit of a byte of `odd` is set where it is not so (or behind a byte that is not). */
static inline bool is_plain(const char *text)
{
    const uint64_t ones = 0x0101010101010101ull, highs = 0x8080808080808080ull;
    uint64_t w, quotes, slashes, deletes;
    memcpy(&w, text, 8);
    quotes = w ^ ones * '"';
    slashes = w ^ ones * '\\';
    deletes = w ^ ones * 0x7f;
    uint64_t odd = w | (w - ones * 0x20) | (quotes - ones) | (slashes - ones) | (deletes - ones);
    return !(odd & highs);
}

void ft_json_text(struct ft_json *j, const char *text, uint32_t n)
{
    before_value(j);
    uint32_t worst = n < 0x10000000u ? 6 * n + 2 : UINT32_MAX;
    char *to = NULL, *start;
    if (j->size - j->length < worst) {
        /* Near the end of the buffer: count exactly, so that text that fits is not refused. */
        char scratch[8];
        uint64_t exact = 2;
        for (uint32_t i = 0; i < n;) {
            uint8_t c = (uint8_t)text[i];
            uint32_t length = utf8_length((const uint8_t *)text + i, n - i);
            bool is_kept = length && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
            exact += is_kept ? length : escape(scratch, c);
            i += is_kept ? length : 1;
        }
        worst = exact < UINT32_MAX ? (uint32_t)exact : UINT32_MAX;
    }
    to = start = reserve(j, worst);
    if (!to)
        return;
    *to++ = '"';
    for (uint32_t i = 0; i < n;) {
        if (n - i >= 8 && is_plain(text + i)) {
            memcpy(to, text + i, 8);
            to += 8;
            i += 8;
            continue;
        }
        uint8_t c = (uint8_t)text[i];
        uint32_t length = utf8_length((const uint8_t *)text + i, n - i);
        if (length && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            memcpy(to, text + i, length);
            to += length;
            i += length;
        } else {
            to += escape(to, c);
            i++;
        }
    }
    *to++ = '"';
    j->length += (uint32_t)(to - start);
}

void ft_json_string(struct ft_json *j, const char *text)
{
    ft_json_text(j, text, (uint32_t)strlen(text));
}

void ft_json_uint(struct ft_json *j, uint64_t value)
{
    char digits[20];
    uint32_t n = sizeof(digits);
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    before_value(j);
    append(j, digits + n, (uint32_t)sizeof(digits) - n);
}

void ft_json_int(struct ft_json *j, int64_t value)
{
    if (value >= 0) {
        ft_json_uint(j, (uint64_t)value);
        return;
    }
    before_value(j);
    append(j, "-", 1);
    j->wants_comma = false;
    ft_json_uint(j, -(uint64_t)value);
}

void ft_json_double(struct ft_json *j, double value)
{
    char text[40];
    if (!isfinite(value)) {
        ft_json_null(j);
        return;
    }
    int n = 0;
    /* Seven to nine digits say a binary32, fifteen to seventeen any binary64. */
    bool is_single = (double)(float)value == value;
    for (int digits = is_single ? 6 : 15; digits <= 17; digits += digits == 9 ? 6 : 1) {
        n = snprintf(text, sizeof(text), "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back == value || (is_single && digits <= 9 && (float)back == (float)value))
            break;
    }
    before_value(j);
    append(j, text, (uint32_t)n);
}

void ft_json_bool(struct ft_json *j, bool value)
{
    before_value(j);
    append(j, value ? "true" : "false", value ? 4 : 5);
}

void ft_json_null(struct ft_json *j)
{
    before_value(j);
    append(j, "null", 4);
}

void ft_json_hex(struct ft_json *j, const uint8_t *bytes, uint32_t n)
{
    before_value(j);
    char *to = reserve(j, n < 0x40000000u ? 2 * n + 2 : UINT32_MAX);
    if (!to)
        return;
    *to++ = '"';
    for (uint32_t i = 0; i < n; i++) {
        *to++ = hex_digit[bytes[i] >> 4];
        *to++ = hex_digit[bytes[i] & 15];
    }
    *to = '"';
    j->length += 2 * n + 2;
}

void ft_json_mac(struct ft_json *j, const uint8_t mac[6])
{
    char text[19];
    for (int i = 0; i < 6; i++) {
        text[1 + 3 * i] = hex_digit[mac[i] >> 4];
        text[2 + 3 * i] = hex_digit[mac[i] & 15];
        text[3 + 3 * i] = ':';
    }
    text[0] = text[18] = '"';
    before_value(j);
    append(j, text, sizeof(text));
}

void ft_json_ip(struct ft_json *j, const uint8_t *address, bool is_ipv6)
{
    char text[INET6_ADDRSTRLEN + 2] = "\"";
    uint32_t n = 1;
    if (is_ipv6) {
        inet_ntop(AF_INET6, address, text + 1, INET6_ADDRSTRLEN);
        n = (uint32_t)strlen(text);
    } else {
        for (int i = 0; i < 4; i++) {
            uint8_t b = address[i];
            if (b >= 100)
                text[n++] = (char)('0' + b / 100);
            if (b >= 10)
                text[n++] = (char)('0' + b / 10 % 10);
            text[n++] = (char)('0' + b % 10);
            text[n++] = '.';
        }
        n--;
    }
    text[n++] = '"';
    before_value(j);
    append(j, text, n);
}

/* Days since 1970 to year, month, day (proleptic Gregorian, H. Hinnant's days algorithm). */
static void civil(int64_t days, int *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * of_year + 2) / 153;
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int)(year_of_era + era * 400) + (*month <= 2);
}

static void digits(char *to, unsigned value, int count)
{
    for (int i = count; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
}

void ft_time_text(char text[32], uint64_t ns)
{
    uint64_t seconds = ns / 1000000000u;
    unsigned of_day = (unsigned)(seconds % 86400), micro = (unsigned)(ns % 1000000000u / 1000);
    int year;
    unsigned month, day;
    civil((int64_t)(seconds / 86400), &year, &month, &day);
    memcpy(text, "0000-00-00T00:00:00.000000+0000", 32);
    digits(text, (unsigned)year, 4);
    digits(text + 5, month, 2);
    digits(text + 8, day, 2);
    digits(text + 11, of_day / 3600, 2);
    digits(text + 14, of_day / 60 % 60, 2);
    digits(text + 17, of_day % 60, 2);
    digits(text + 20, micro, 6);
}

void ft_json_time(struct ft_json *j, uint64_t ns)
{
    char text[34];
    ft_time_text(text + 1, ns);
    text[0] = text[32] = '"';
    before_value(j);
    append(j, text, 33);
}

void ft_json_raw(struct ft_json *j, const char *text, uint32_t n)
{
    before_value(j);
    append(j, text, n);
}

void ft_json_put_string(struct ft_json *j, const char *key, const char *value)
{
    ft_json_key(j, key);
    ft_json_string(j, value);
}

void ft_json_put_uint(struct ft_json *j, const char *key, uint64_t value)
{
    ft_json_key(j, key);
    ft_json_uint(j, value);
}

void ft_json_put_bool(struct ft_json *j, const char *key, bool value)
{
    ft_json_key(j, key);
    ft_json_bool(j, value);
}
