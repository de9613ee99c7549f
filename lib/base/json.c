/* SPDX-License-Identifier: BSD-3-Clause */
/* The append-only JSON writer. */
#include "base/json.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for a value of n bytes, behind the comma if there is to be one. */
static inline char *value_room(struct ft_json *j, uint32_t n)
{
    uint32_t comma = j->wants_comma;
    char *to = n < UINT32_MAX ? ft_json_room(j, n + comma) : ft_json_room(j, n);
    j->wants_comma = true;
    if (!to)
        return NULL;
    if (comma)
        *to = ',';
    j->length += comma;
    return to + comma;
}

static void append_value(struct ft_json *j, const char *text, uint32_t n)
{
    char *to = value_room(j, n);
    if (to) {
        memcpy(to, text, n);
        j->length += n;
    }
}

void ft_json_key2(struct ft_json *j, const char *key, const char *suffix)
{
    uint32_t n = (uint32_t)strlen(key), more = (uint32_t)strlen(suffix);
    char *to = ft_json_room(j, n + more + 4);
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

/* Eight bytes at a time: the high bit of a byte of the result is set where it is not printable
 * ASCII or is a quote or a backslash (or stands behind a byte that is). */
static inline uint64_t odd_bytes(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101ull, highs = 0x8080808080808080ull;
    uint64_t quotes = w ^ ones * '"', slashes = w ^ ones * '\\', deletes = w ^ ones * 0x7f;
    return (w | (w - ones * 0x20) | (quotes - ones) | (slashes - ones) | (deletes - ones)) & highs;
}

/* Copy n bytes; false when not all of them may stand in a string as they are. */
static inline bool copy_plain(char *to, const char *text, uint32_t n)
{
    uint64_t w = 0x2020202020202020ull, odd = 0;
    uint32_t half;
    if (n >= 8) {
        /* The last eight by themselves: some of them twice. */
        for (uint32_t i = 0; i < n - 8; i += 8) {
            memcpy(&w, text + i, 8);
            memcpy(to + i, &w, 8);
            odd |= odd_bytes(w);
        }
        memcpy(&w, text + n - 8, 8);
        memcpy(to + n - 8, &w, 8);
        return !(odd | odd_bytes(w));
    }
    if (n >= 4) {
        memcpy(&half, text, 4);
        memcpy(to, &half, 4);
        memcpy(&w, &half, 4);
        memcpy(&half, text + n - 4, 4);
        memcpy(to + n - 4, &half, 4);
        memcpy((char *)&w + 4, &half, 4);
        return !odd_bytes(w);
    }
    for (uint32_t i = 0; i < n; i++)
        ((char *)&w)[i] = to[i] = text[i];
    return !odd_bytes(w);
}

/* Bytes that a text takes with its quotes. */
static uint64_t escaped_length(const char *text, uint32_t n)
{
    char scratch[8];
    uint64_t length = 2;
    for (uint32_t i = 0; i < n;) {
        uint8_t c = (uint8_t)text[i];
        uint32_t of = ft_utf8_length((const uint8_t *)text + i, n - i);
        bool is_kept = of && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
        length += is_kept ? of : escape(scratch, c);
        i += is_kept ? of : 1;
    }
    return length;
}

static void escaped_text(struct ft_json *j, const char *text, uint32_t n)
{
    uint64_t length = escaped_length(text, n);
    char *to = value_room(j, length < UINT32_MAX ? (uint32_t)length : UINT32_MAX);
    if (!to)
        return;
    j->length += (uint32_t)length;
    *to++ = '"';
    for (uint32_t i = 0; i < n;) {
        uint8_t c = (uint8_t)text[i];
        uint32_t of = ft_utf8_length((const uint8_t *)text + i, n - i);
        if (of && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            memcpy(to, text + i, of);
            to += of;
            i += of;
        } else {
            to += escape(to, c);
            i++;
        }
    }
    *to = '"';
}

void ft_json_text(struct ft_json *j, const char *text, uint32_t n)
{
    uint32_t comma = j->wants_comma, room = j->is_full ? 0 : j->size - j->length;
    char *to = j->text + j->length;
    if (room <= n || room - n < comma + 2 || !copy_plain(to + comma + 1, text, n)) {
        escaped_text(j, text, n);
        return;
    }
    *to = ',';
    to[comma] = '"';
    to[comma + 1 + n] = '"';
    j->length += comma + n + 2;
    j->wants_comma = true;
}

void ft_json_string(struct ft_json *j, const char *text)
{
    ft_json_text(j, text, (uint32_t)strlen(text));
}

/* The digits of 00 to 99. */
static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* Four digits, with leading zeros. */
static inline char *four(char *to, unsigned value)
{
    memcpy(to, two_digits + value / 100 * 2, 2);
    memcpy(to + 2, two_digits + value % 100 * 2, 2);
    return to + 4;
}

/* Up to four digits, without. */
static inline char *some(char *to, unsigned value)
{
    if (value >= 100) {
        to = some(to, value / 100);
        value %= 100;
    } else if (value < 10) {
        *to = (char)('0' + value);
        return to + 1;
    }
    memcpy(to, two_digits + value * 2, 2);
    return to + 2;
}

char *ft_decimal(char *to, uint64_t value)
{
    if (value < 10000)
        return some(to, (unsigned)value);
    uint64_t upper = value / 10000;
    return four(ft_decimal(to, upper), (unsigned)(value - upper * 10000));
}

void ft_json_uint(struct ft_json *j, uint64_t value)
{
    char digits[FT_DECIMAL_MAX];
    if (__builtin_expect(!j->is_full && j->size - j->length > FT_DECIMAL_MAX, 1)) {
        char *to = j->text + j->length;
        *to = ',';
        j->length = (uint32_t)(ft_decimal(to + j->wants_comma, value) - j->text);
        j->wants_comma = true;
        return;
    }
    append_value(j, digits, (uint32_t)(ft_decimal(digits, value) - digits));
}

void ft_json_int(struct ft_json *j, int64_t value)
{
    if (value >= 0) {
        ft_json_uint(j, (uint64_t)value);
        return;
    }
    append_value(j, "-", 1);
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
    /* Whole numbers, and most values are, need no search for the shortest. */
    if (value > -1e6 && value < 1e6 && value == (double)(int32_t)value &&
        !(value == 0 && signbit(value))) {
        ft_json_int(j, (int32_t)value);
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
    append_value(j, text, (uint32_t)n);
}

void ft_json_bool(struct ft_json *j, bool value)
{
    append_value(j, value ? "true" : "false", value ? 4 : 5);
}

void ft_json_null(struct ft_json *j)
{
    append_value(j, "null", 4);
}

void ft_json_hex(struct ft_json *j, const uint8_t *bytes, uint32_t n)
{
    char *to = value_room(j, n < 0x40000000u ? 2 * n + 2 : UINT32_MAX);
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
    append_value(j, text, sizeof(text));
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
    append_value(j, text, n);
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

/* Everything but the microseconds. */
static void second_text(char text[32], uint64_t seconds)
{
    unsigned of_day = (unsigned)(seconds % 86400);
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
}

void ft_time_text(char text[32], uint64_t ns)
{
    /* Events come in the order of time: most are of the second before. */
    static _Thread_local uint64_t known = UINT64_MAX;
    static _Thread_local char of_known[32];
    uint64_t seconds = ns / 1000000000u;
    unsigned micro = (unsigned)(ns - seconds * 1000000000u) / 1000;
    if (seconds != known) {
        second_text(of_known, seconds);
        known = seconds;
    }
    memcpy(text, of_known, 32);
    memcpy(text + 20, two_digits + micro / 10000 * 2, 2);
    memcpy(text + 22, two_digits + micro / 100 % 100 * 2, 2);
    memcpy(text + 24, two_digits + micro % 100 * 2, 2);
}

void ft_json_time(struct ft_json *j, uint64_t ns)
{
    char text[34];
    ft_time_text(text + 1, ns);
    text[0] = text[32] = '"';
    append_value(j, text, 33);
}

void ft_json_raw(struct ft_json *j, const char *text, uint32_t n)
{
    append_value(j, text, n);
}
