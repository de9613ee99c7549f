/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Identity object (CIP Volume 1, 5-2): who a device is. The same block answers ListIdentity of
 * EtherNet/IP and GetAttributesAll of class 1, so both dissectors have the same group of fields and
 * state the same facts.
 */
#ifndef FT_CIP_IDENTITY_H
#define FT_CIP_IDENTITY_H

#include <fieldtap/dissector.h>

#include "cip_tables.h"

/** The fields of the group, in the order of FT_CIP_IDENTITY_ROWS; numbers relative to the group. */
enum ft_cip_identity_field {
    FT_CIP_IDENTITY_GROUP = 0,
    FT_CIP_IDENTITY_VENDOR,
    FT_CIP_IDENTITY_DEVICE_TYPE,
    FT_CIP_IDENTITY_PRODUCT_CODE,
    FT_CIP_IDENTITY_REVISION,
    FT_CIP_IDENTITY_STATUS,
    FT_CIP_IDENTITY_SERIAL,
    FT_CIP_IDENTITY_PRODUCT_NAME,
    FT_CIP_IDENTITY_STATE,
    FT_CIP_IDENTITY_KEY_SWITCH,
    FT_CIP_IDENTITY_FAULT,
    FT_CIP_IDENTITY_LOGIX_FAMILY,
    FT_CIP_IDENTITY_LOGIX_MAJOR,
    FT_CIP_IDENTITY_FIELDS
};

/** Bits of the status word: what is wrong with the device. */
extern const struct ft_name ft_cip_fault_names[];

/** The rows of the group whose own number is `g`, for a table of fields. */
#define FT_CIP_IDENTITY_ROWS(g)                                                                    \
    [(g)] = {"identity", "Identity of the device", NULL, 0, FT_TYPE_GROUP, 0, 0},                  \
    [(g) + FT_CIP_IDENTITY_VENDOR] = {"vendor_id",                                                 \
                                      "Vendor, as registered with ODVA",                           \
                                      ft_cip_vendor_names,                                         \
                                      (g),                                                         \
                                      FT_TYPE_ENUM,                                                \
                                      0,                                                           \
                                      16},                                                         \
    [(g) + FT_CIP_IDENTITY_DEVICE_TYPE] =                                                          \
        {"device_type", "Device profile", ft_cip_device_type_names, (g), FT_TYPE_ENUM, 0, 16},     \
    [(g) + FT_CIP_IDENTITY_PRODUCT_CODE] =                                                         \
        {"product_code", "Product code of the vendor", NULL, (g), FT_TYPE_UINT, 0, 16},            \
    [(g) + FT_CIP_IDENTITY_REVISION] =                                                             \
        {"revision", "Firmware revision, major.minor", NULL, (g), FT_TYPE_STRING, 0, 0},           \
    [(g) + FT_CIP_IDENTITY_STATUS] = {"status", "Status word", NULL, (g), FT_TYPE_UINT, 0, 16},    \
    [(g) + FT_CIP_IDENTITY_SERIAL] = {"serial", "Serial number", NULL, (g), FT_TYPE_UINT, 0, 32},  \
    [(g) + FT_CIP_IDENTITY_PRODUCT_NAME] =                                                         \
        {"product_name", "Product name", NULL, (g), FT_TYPE_STRING, 0, 0},                         \
    [(g) +                                                                                         \
        FT_CIP_IDENTITY_STATE] = {"state", "State of the device", NULL, (g), FT_TYPE_UINT, 0, 8},  \
    [(g) + FT_CIP_IDENTITY_KEY_SWITCH] =                                                           \
        {"key_switch", "Key switch and mode of a Logix CPU", NULL, (g), FT_TYPE_STRING, 0, 0},     \
    [(g) + FT_CIP_IDENTITY_FAULT] = {"fault",                                                      \
                                     "Faults that the status word tells of",                       \
                                     ft_cip_fault_names,                                           \
                                     (g),                                                          \
                                     FT_TYPE_FLAGS,                                                \
                                     0,                                                            \
                                     12},                                                          \
    [(g) + FT_CIP_IDENTITY_LOGIX_FAMILY] =                                                         \
        {"logix_family", "Family of the Logix controller", NULL, (g), FT_TYPE_STRING, 0, 0},       \
    [(g) + FT_CIP_IDENTITY_LOGIX_MAJOR] = {"logix_fw_major",                                       \
                                           "Major firmware revision of the Logix controller",      \
                                           NULL,                                                   \
                                           (g),                                                    \
                                           FT_TYPE_UINT,                                           \
                                           0,                                                      \
                                           7}

/** An identity, as far as it was read. */
struct ft_cip_identity {
    uint16_t vendor, device_type, product_code, status;
    uint8_t major, minor;
    uint32_t serial;
    struct ft_view name;
};

/**
 * Read an identity from `v` (vendor first, product name last), put its fields into the group whose
 * number is `group`, which the caller has begun, and state the facts about `who`. What does not fit
 * makes the view's error stick; then no fact is stated. `is_addressed` false: the party behind the
 * message is not known, no facts.
 */
void ft_cip_identity_read(struct ft_context *ctx, uint32_t group, enum ft_party who,
                          bool is_addressed, struct ft_view *v, struct ft_cip_identity *identity);

/** State what single attributes (1..7) of class 1 say about `who`. */
void ft_cip_identity_attribute(struct ft_context *ctx, enum ft_party who, uint32_t attribute,
                               struct ft_view value);

/** True when the status word tells of a major fault. */
static inline bool ft_cip_identity_is_faulty(const struct ft_cip_identity *identity)
{
    return identity->status & 0x0c00;
}

#endif
