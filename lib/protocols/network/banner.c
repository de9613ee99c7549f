/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading self-descriptions. The habits:
 *
 *   Siemens, SIMATIC NET, SCALANCE X212-2, 6GK5 212-2BB00-2AA3, HW: 7, FW: V4.02, SVPLN128756
 *   Siemens AG SIMATIC S7 MULTIPORT SCALANCE X 200 FAM
 *   Hirschmann MAR - SW: L2P-09.0.00
 *   Cisco IOS Software, C3560 Software (C3560-IPBASE-M), Version 12.2(44)SE, RELEASE ...
 *   Aruba JL259A 2930F-24G-4SFP Switch, revision WC.16.07.0003, ROM WC.16.01.0005
 *   Ubuntu 14.04.5 LTS Linux 3.13.0-106-generic #153-Ubuntu SMP ...
 *   Dell Inc. OptiPlex 990,01,G22XB2S + HMI
 */
#include "banner.h"

#define TEXT_MAX  255u
#define MODEL_MAX 64u

static const char *const vendors[] = {
    "ABB",
    "Allen-Bradley",
    "Aruba",
    "ASUSTeK COMPUTER INC.",
    "Beckhoff",
    "Belden",
    "Brocade",
    "Cisco",
    "D-Link",
    "Dell Inc.",
    "Extreme",
    "Fortinet",
    "FUJITSU",
    "Hewlett-Packard",
    "Hirschmann",
    "HP",
    "innotek GmbH",
    "Juniper",
    "Lantronix",
    "LENOVO",
    "Microsoft Corporation",
    "MikroTik",
    "Moxa",
    "MOXA",
    "N-Tron",
    "NETGEAR",
    "Phoenix Contact",
    "Red Lion",
    "Rockwell",
    "RuggedCom",
    "RUGGEDCOM",
    "Schneider",
    "Siemens",
    "TP-Link",
    "TP-LINK",
    "Ubiquiti",
    "VMware, Inc.",
    "WAGO",
    "Weidmueller",
    "Westermo",
    "Zyxel",
};

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int32_t ft_banner_find(struct ft_view text, const char *part)
{
    uint32_t n = (uint32_t)strlen(part);
    for (int32_t at = 0; text.len >= n; at++) {
        if (ft_view_starts(&text, part, n))
            return at;
        ft_skip(&text, 1);
    }
    return -1;
}

/* What is behind `part`, without blanks before it; empty when it is not there. */
static struct ft_view behind(struct ft_view text, const char *part)
{
    int32_t at = ft_banner_find(text, part);
    if (at < 0)
        return ft_view_empty();
    ft_skip(&text, (uint32_t)at + (uint32_t)strlen(part));
    while (is_blank(ft_peek_u8(&text, 0)))
        ft_skip(&text, 1);
    return text;
}

/* The bytes up to the first of `ends`. */
static struct ft_view until(struct ft_view text, const char *ends)
{
    uint32_t n = 0;
    while (n < text.len && !strchr(ends, ft_peek_u8(&text, n)))
        n++;
    return ft_sub(&text, n);
}

static struct ft_view word(struct ft_view text)
{
    return until(text, " ,;()\t\r\n");
}

struct ft_view ft_banner_version(struct ft_view text)
{
    static const char *const marks[] = {"FW:", "SW:", "Version ", "revision ", "SW.V "};
    for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct ft_view version = behind(text, marks[i]);
        if (ft_view_starts(&version, "Version ", 8))
            ft_skip(&version, 8);
        /* "12.2(44)SE" is one word; "7.4e.1 (Build 5)" is not. */
        version = until(version, " ,;\t\r\n");
        if (version.len)
            return version;
    }
    return ft_view_empty();
}

void ft_banner_say(struct ft_context *ctx, struct ft_view of, enum ft_fact fact,
                   struct ft_view text)
{
    if (of.len)
        ft_asset_of(ctx, of, fact, text);
    else
        ft_asset(ctx, FT_SENDER, fact, text);
}

void ft_banner_say_text(struct ft_context *ctx, struct ft_view of, enum ft_fact fact,
                        const char *text)
{
    ft_banner_say(ctx, of, fact, ft_view_make(text, (uint32_t)strlen(text), false));
}

/* Facts are single values: what the caller states itself is not stated here. */
struct telling {
    struct ft_context *ctx;
    struct ft_view of;
    uint32_t known; /* bit per enum ft_fact */
};

static void fact(const struct telling *t, enum ft_fact fact, struct ft_view text)
{
    if (text.len && !(t->known >> fact & 1))
        ft_banner_say(t->ctx, t->of, fact, text);
}

static void fact_text(const struct telling *t, enum ft_fact what, const char *text)
{
    fact(t, what, ft_view_make(text, (uint32_t)strlen(text), false));
}

/* The next part of a list whose parts are divided by ", ". */
static struct ft_view part(struct ft_view *text)
{
    struct ft_view p = until(*text, ",");
    ft_skip(text, p.len < text->len ? p.len + 1 : p.len);
    while (is_blank(ft_peek_u8(text, 0)))
        ft_skip(text, 1);
    return p;
}

/* Vendor, family, type, order number, versions, serial number. */
static void tell_siemens(const struct telling *t, struct ft_view text)
{
    struct ft_view p = ft_view_empty();
    fact_text(t, FT_FACT_VENDOR, "Siemens");
    part(&text);
    for (unsigned i = 0; i < 3 && text.len; i++)
        p = part(&text);
    fact(t, FT_FACT_MODEL, p);
    while (text.len) {
        p = part(&text);
        if (ft_peek_u8(&p, 0) == 'S' && ft_banner_find(p, "SW") != 0)
            fact(t, FT_FACT_SERIAL, p);
    }
}

/* "OptiPlex 990,01,G22XB2S + HMI": a PC's product, version and serial number, without blanks. */
static void tell_computer(const struct telling *t, struct ft_view text)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ft_view before = until(text, ",\r\n");
        if (!before.len || !ft_skip(&text, before.len + 1) || is_blank(ft_peek_u8(&text, 0)))
            return;
    }
    struct ft_view serial = until(text, " ,\r\n");
    if (serial.len >= 4) /* a virtual machine says 0, or None */
        fact(t, FT_FACT_SERIAL, serial);
}

/* Step over a word of a firm's name that stands behind the part it is known by. */
static bool skip_firm(struct ft_view *text)
{
    static const char *const words[] = {
        "AG",       "Automation",  "Canada", "Co.,", "Corp.", "Corporation",
        "Electric", "Electronics", "GmbH",   "Inc.", "Ltd.",  "Networks",
    };
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint32_t n = (uint32_t)strlen(words[i]);
        if (ft_view_starts(text, words[i], n) && is_blank(ft_peek_u8(text, n)))
            return ft_skip(text, n + 1);
    }
    return false;
}

static void tell_vendor(const struct telling *t, struct ft_view text)
{
    for (unsigned i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
        uint32_t n = (uint32_t)strlen(vendors[i]);
        if (!ft_view_starts(&text, vendors[i], n) || !is_blank(ft_peek_u8(&text, n)))
            continue;
        fact_text(t, FT_FACT_VENDOR, vendors[i]);
        ft_skip(&text, n + 1);
        while (skip_firm(&text))
            continue;
        tell_computer(t, text);
        break;
    }
    /* Cisco's begins with the software. */
    int32_t dash = ft_banner_find(text, " - ");
    struct ft_view model = until(text, ",(\r\n");
    if (dash >= 0 && (uint32_t)dash < model.len)
        model = ft_sub(&text, (uint32_t)dash);
    if (model.len && model.len <= MODEL_MAX && ft_banner_find(model, "Software") < 0 &&
        ft_banner_find(model, "Linux") < 0 && ft_banner_find(model, "Windows") < 0)
        fact(t, FT_FACT_MODEL, model);
}

static void tell_system(const struct telling *t, struct ft_view text)
{
    if (ft_banner_find(text, "Linux ") >= 0)
        fact(t, FT_FACT_OS, until(text, "#\r\n"));
    else if (ft_banner_find(text, "Windows") >= 0)
        fact_text(t, FT_FACT_OS, "Windows");
    else if (ft_banner_find(text, "Cisco IOS") >= 0)
        fact_text(t, FT_FACT_OS, "Cisco IOS");
    if (ft_banner_find(text, " + HMI") >= 0)
        ft_banner_say_text(t->ctx, t->of, FT_FACT_ROLE, "hmi");
}

void ft_banner_tell(struct ft_context *ctx, struct ft_view of, struct ft_view text, uint32_t known)
{
    const struct telling telling = {ctx, of, known}, *t = &telling;
    text = ft_sub(&text, text.len < TEXT_MAX ? text.len : TEXT_MAX);
    fact(t, FT_FACT_DESCRIPTION, text);
    if (ft_view_starts(&text, "Siemens, ", 9))
        tell_siemens(t, text);
    else
        tell_vendor(t, text);
    if (ft_banner_find(text, "Linux ") < 0)
        fact(t, FT_FACT_FIRMWARE, ft_banner_version(text));
    struct ft_view hardware = behind(text, "HW:");
    if (ft_view_starts(&hardware, "Version ", 8))
        ft_skip(&hardware, 8);
    fact(t, FT_FACT_HARDWARE, word(hardware));
    tell_system(t, text);
}
