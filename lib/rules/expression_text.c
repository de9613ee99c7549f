/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions of rules: tests as text. */
#include "rules/expression_internal.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

/* An address as people write it. */
static void address_text(struct ft_set_address a, char to[INET6_ADDRSTRLEN])
{
    uint64_t words[2] = {htobe64(a.high), htobe64(a.low)};
    bool is_v4 = !a.high && a.low >> 32 == 0xffff;
    const char *bytes = (const char *)words;
    inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes + (is_v4 ? 12 : 0), to, INET6_ADDRSTRLEN);
}

static void addresses_text(const struct ft_test *t, char *to, size_t size)
{
    char low[INET6_ADDRSTRLEN], high[INET6_ADDRSTRLEN];
    address_text(t->address_low, low);
    address_text(t->address_high, high);
    if (memcmp(&t->address_low, &t->address_high, sizeof(t->address_low)) == 0)
        snprintf(to, size, " %s %s", t->is_none ? "!=" : "==", low);
    else
        snprintf(to, size, " %sin %s..%s", t->is_none ? "not " : "", low, high);
}

/* A text in quotes, with the escapes that conditions know; an expression has its own. */
static void quoted_text(const char *before, const struct ft_test *t, char *to, size_t size)
{
    bool is_raw = t->kind == FT_TEST_MATCHES;
    size_t used = (size_t)snprintf(to, size, " %s \"", before);
    for (uint32_t i = 0; i < t->length && used + 6 < size; i++) {
        uint8_t c = (uint8_t)t->text[i];
        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(to + used, size - used, "\\x%02x", c);
        else
            used += (size_t)snprintf(to + used, size - used, "%s%c",
                                     c == '"' || (c == '\\' && !is_raw) ? "\\" : "", c);
    }
    snprintf(to + used, size - used, "\"");
}

static void value_text(const struct ft_test *t, char *to, size_t size)
{
    static const char *const sames[] = {"==", "<", "<=", ">", ">="};
    char low[64], high[64];
    switch (t->kind) {
    case FT_TEST_RANGE:
        ft_key_text(&t->left, t->low, low, sizeof(low));
        ft_key_text(&t->left, t->high, high, sizeof(high));
        if (t->low == t->high)
            snprintf(to, size, " %s %s", t->is_none ? "!=" : "==", low);
        else if (!t->low && !t->is_none)
            snprintf(to, size, " <= %s", high);
        else if (t->high == UINT64_MAX && !t->is_none)
            snprintf(to, size, " >= %s", low);
        else
            snprintf(to, size, " %sin %s..%s", t->is_none ? "not " : "", low, high);
        return;
    case FT_TEST_TEXT:
        quoted_text(t->is_none ? "!=" : "==", t, to, size);
        return;
    case FT_TEST_CONTAINS:
    case FT_TEST_MATCHES:
        quoted_text(t->kind == FT_TEST_CONTAINS ? "contains" : "matches", t, to, size);
        return;
    case FT_TEST_ADDRESS:
        addresses_text(t, to, size);
        return;
    case FT_TEST_NUMBERS:
    case FT_TEST_ADDRESSES:
    case FT_TEST_TEXTS:
        snprintf(to, size, " %sin a set of %llu", t->is_none ? "not " : "",
                 (unsigned long long)ft_set_size(t->set));
        return;
    case FT_TEST_SAME:
        snprintf(to, size, " %s", t->is_none ? "!=" : sames[t->same]);
        return;
    default:
        *to = 0;
    }
}

char *ft_test_text(const struct ft_vocabulary *v, const struct ft_test *t, char *to, size_t size)
{
    char name[256], value[512], right[256] = "", mask[32] = "";
    bool is_lower = t->ignores_case;
    ft_vocabulary_name(v, &t->left, name, sizeof(name));
    value_text(t, value, sizeof(value));
    if (t->kind == FT_TEST_SAME)
        ft_vocabulary_name(v, &t->right, right, sizeof(right));
    if (t->has_mask)
        snprintf(mask, sizeof(mask), " & 0x%llx", (unsigned long long)t->mask);
    snprintf(to, size, "%s%s%s%s%s%s%s%s", t->is_negated ? "not " : "", is_lower ? "lower(" : "",
             name, is_lower ? ")" : "", mask, value, *right ? " " : "", right);
    return to;
}
