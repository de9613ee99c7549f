/* SPDX-License-Identifier: BSD-3-Clause */
/* The Identity object: its fields, and the facts about the device that it gives. */
#include <stdio.h>

#include "cip_identity.h"

enum {
    VENDOR_ROCKWELL = 1,
    VENDOR_ROCKWELL_SOFTWARE = 77,
    DEVICE_PLC = 0x0e,
};

const struct ft_name ft_cip_fault_names[] = {{0x0100, "minor_recoverable"},
                                             {0x0200, "minor_unrecoverable"},
                                             {0x0400, "major_recoverable"},
                                             {0x0800, "major_unrecoverable"},
                                             {0, NULL}};

/* Families of Logix controllers by the first letters of the product name. */
static const struct {
    const char *prefix;
    const char *family;
} families[] = {
    {"1756-L8", "5580"}, {"1756-L7", "5570"},     {"1756-L6", "5560"}, {"1756-L5", "5550"},
    {"1769-L1", "5370"}, {"1769-L2", "5370"},     {"1769-L3", "5370"}, {"5069-L3", "5380"},
    {"5069-L4", "5480"}, {"2080-LC", "micro800"},
};

static const char *family_of(struct ft_view name)
{
    for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (ft_view_starts(&name, families[i].prefix, (uint32_t)strlen(families[i].prefix)))
            return families[i].family;
    return NULL;
}

static void fact_vendor(struct ft_context *ctx, enum ft_party who, uint16_t vendor)
{
    const char *name = ft_cip_name(ft_cip_vendor_names, vendor);
    char text[48];

    /* The register adds divisions behind a slash; the maker stands before it. */
    if (name)
        snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "/"), name);
    else
        snprintf(text, sizeof(text), "ODVA vendor %u", vendor);
    ft_asset_text(ctx, who, FT_FACT_VENDOR, text);
}

static enum ft_role role_of(uint16_t vendor, uint16_t device_type)
{
    if (vendor == VENDOR_ROCKWELL_SOFTWARE)
        return FT_ROLE_WORKSTATION;
    switch (device_type) {
    case DEVICE_PLC:
        return FT_ROLE_PLC;
    case 0x18:
        return FT_ROLE_HMI;
    case 0x2c:
        return FT_ROLE_SWITCH;
    case 0x0c:
    case 0x28:
    case 0x29:
    case 0x35:
        return FT_ROLE_GATEWAY;
    case 0x00:
    case 0x2b:
    case 0xc8:
        return FT_ROLE_UNKNOWN;
    default:
        return device_type < 0x36 ? FT_ROLE_IO : FT_ROLE_UNKNOWN;
    }
}

static void fact_role(struct ft_context *ctx, enum ft_party who, uint16_t vendor, uint16_t type)
{
    enum ft_role role = role_of(vendor, type);

    if (role != FT_ROLE_UNKNOWN)
        ft_asset_role(ctx, who, role);
}

/* Logix CPUs tell in the vendor's bits of the status word where the key stands and what they do. */
static const char *key_switch_of(uint16_t status)
{
    bool is_run = (status & 0xf0) == 0x60;
    bool is_program = (status & 0xf0) == 0x70;

    if (!is_run && !is_program)
        return NULL;
    switch (status >> 12 & 3) {
    case 1:
        return is_run ? "run" : NULL;
    case 2:
        return is_program ? "program" : NULL;
    case 3:
        return is_run ? "remote_run" : "remote_program";
    default:
        return NULL;
    }
}

static void fact_key_switch(struct ft_context *ctx, enum ft_party who, uint16_t status)
{
    static const char *const keys[4] = {NULL, "key switch run", "key switch program",
                                        "key switch remote"};
    const char *mode = key_switch_of(status);

    if (!mode)
        return;
    ft_asset_text(ctx, who, FT_FACT_MODE, mode);
    ft_asset_text(ctx, who, FT_FACT_PROTECTION, keys[status >> 12 & 3]);
}

static void fact_revision(struct ft_context *ctx, enum ft_party who, uint8_t major, uint8_t minor)
{
    char text[16];

    snprintf(text, sizeof(text), "%u.%u", major & 0x7f, minor);
    ft_asset_text(ctx, who, FT_FACT_FIRMWARE, text);
}

static void fact_serial(struct ft_context *ctx, enum ft_party who, uint32_t serial)
{
    char text[16];

    snprintf(text, sizeof(text), "%08x", serial);
    ft_asset_text(ctx, who, FT_FACT_SERIAL, text);
}

static bool is_logix(const struct ft_cip_identity *identity)
{
    return identity->vendor == VENDOR_ROCKWELL && identity->device_type == DEVICE_PLC;
}

static struct ft_view trimmed(struct ft_view text)
{
    while (text.len && (text.data[text.len - 1] == 0 || text.data[text.len - 1] == ' '))
        text.len--;
    return text;
}

static void state_facts(struct ft_context *ctx, enum ft_party who,
                        const struct ft_cip_identity *identity)
{
    struct ft_view name = trimmed(identity->name);

    fact_vendor(ctx, who, identity->vendor);
    fact_role(ctx, who, identity->vendor, identity->device_type);
    fact_revision(ctx, who, identity->major, identity->minor);
    if (identity->serial)
        fact_serial(ctx, who, identity->serial);
    if (name.len)
        ft_asset(ctx, who, FT_FACT_MODEL, name);
    if (is_logix(identity))
        fact_key_switch(ctx, who, identity->status);
}

static void put_logix(struct ft_context *ctx, uint32_t group,
                      const struct ft_cip_identity *identity)
{
    const char *key = key_switch_of(identity->status);
    const char *family = family_of(identity->name);

    if (key)
        ft_put_text(ctx, group + FT_CIP_IDENTITY_KEY_SWITCH, key, (uint32_t)strlen(key), NULL);
    if (family)
        ft_put_text(ctx, group + FT_CIP_IDENTITY_LOGIX_FAMILY, family, (uint32_t)strlen(family),
                    NULL);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_LOGIX_MAJOR, identity->major & 0x7f, NULL);
}

void ft_cip_identity_read(struct ft_context *ctx, uint32_t group, enum ft_party who,
                          bool is_addressed, struct ft_view *v, struct ft_cip_identity *identity)
{
    char revision[16];

    identity->vendor = ft_u16le(v);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_VENDOR, identity->vendor, v);
    identity->device_type = ft_u16le(v);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_DEVICE_TYPE, identity->device_type, v);
    identity->product_code = ft_u16le(v);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_PRODUCT_CODE, identity->product_code, v);
    identity->major = ft_u8(v);
    identity->minor = ft_u8(v);
    int n = snprintf(revision, sizeof(revision), "%u.%u", identity->major & 0x7f, identity->minor);
    ft_put_text(ctx, group + FT_CIP_IDENTITY_REVISION, revision, (uint32_t)n, v);
    identity->status = ft_u16le(v);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_STATUS, identity->status, v);
    if (identity->status & 0x0f00)
        ft_put_uint(ctx, group + FT_CIP_IDENTITY_FAULT, identity->status & 0x0f00, v);
    identity->serial = ft_u32le(v);
    ft_put_uint(ctx, group + FT_CIP_IDENTITY_SERIAL, identity->serial, v);
    identity->name = ft_sub_u8(v);
    ft_put_string(ctx, group + FT_CIP_IDENTITY_PRODUCT_NAME, identity->name);

    if (!ft_view_ok(v))
        return;
    if (is_logix(identity))
        put_logix(ctx, group, identity);
    if (is_addressed)
        state_facts(ctx, who, identity);
}

void ft_cip_identity_attribute(struct ft_context *ctx, enum ft_party who, uint32_t attribute,
                               struct ft_view value)
{
    static const uint8_t sizes[8] = {0, 2, 2, 2, 2, 2, 4, 1};

    if (attribute < 1 || attribute > 7 || value.len < sizes[attribute])
        return;
    switch (attribute) {
    case 1:
        fact_vendor(ctx, who, ft_u16le(&value));
        break;
    case 2:
        fact_role(ctx, who, 0, ft_u16le(&value));
        break;
    case 4: {
        uint8_t major = ft_u8(&value);
        fact_revision(ctx, who, major, ft_u8(&value));
        break;
    }
    case 6:
        fact_serial(ctx, who, ft_u32le(&value));
        break;
    case 7: {
        struct ft_view name = trimmed(ft_sub_u8(&value));
        if (name.len && ft_view_ok(&value))
            ft_asset(ctx, who, FT_FACT_MODEL, name);
        break;
    }
    default:
        break;
    }
}
