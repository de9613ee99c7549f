/* SPDX-License-Identifier: BSD-3-Clause */
/* What a device is, concluded from what it does. */
#include "inventory/inventory.h"

#include <string.h>

/* Protocols whose servers are not simply controllers, and whose clients are not simply HMIs. */
static const struct {
    const char *name;
    uint8_t server, client;
} by_protocol[] = {
    {"c37118", FT_ROLE_IED, FT_ROLE_SCADA},
    {"dnp3", FT_ROLE_RTU, FT_ROLE_SCADA},
    {"enip", FT_ROLE_UNKNOWN, FT_ROLE_UNKNOWN}, /* any computer with the tools; CIP tells more */
    {"ethercat", FT_ROLE_UNKNOWN, FT_ROLE_PLC},
    {"goose", FT_ROLE_IED, FT_ROLE_UNKNOWN},
    {"hart_ip", FT_ROLE_IO, FT_ROLE_SCADA},
    {"iccp", FT_ROLE_SCADA, FT_ROLE_SCADA},
    {"iec101", FT_ROLE_RTU, FT_ROLE_SCADA},
    {"iec103", FT_ROLE_IED, FT_ROLE_SCADA},
    {"iec104", FT_ROLE_RTU, FT_ROLE_SCADA},
    {"mms", FT_ROLE_IED, FT_ROLE_SCADA},
    {"mqtt", FT_ROLE_SERVER, FT_ROLE_UNKNOWN},
    {"opcua", FT_ROLE_SERVER, FT_ROLE_SCADA},
    {"profinet_rt", FT_ROLE_UNKNOWN, FT_ROLE_UNKNOWN},
    {"sv", FT_ROLE_IED, FT_ROLE_UNKNOWN},
};

static uint32_t bit(enum ft_role role)
{
    return role == FT_ROLE_UNKNOWN ? 0 : 1u << role;
}

/* Beginnings of order numbers and names, without blanks; the first that is found counts. */
static const struct {
    const char *name;
    uint8_t role;
} products[] = {
    {"6ES721", FT_ROLE_PLC},                                   /* S7-1200, S7-200 */
    {"6ES731", FT_ROLE_PLC},                                   /* S7-300 */
    {"6ES741", FT_ROLE_PLC},                                   /* S7-400 */
    {"6ES751", FT_ROLE_PLC},                                   /* S7-1500, ET 200SP CPU */
    {"6ES7151-7", FT_ROLE_PLC},                                /* ET 200S with CPU */
    {"6ES7151-8", FT_ROLE_PLC},    {"6ES7154-8", FT_ROLE_PLC}, /* ET 200pro with CPU */
    {"6AV2", FT_ROLE_HMI},         {"6AV6", FT_ROLE_HMI},        {"6AV7", FT_ROLE_HMI},
    {"6GK56", FT_ROLE_ROUTER}, /* SCALANCE S */
    {"6GK58", FT_ROLE_ROUTER}, /* SCALANCE M */
    {"6GK5", FT_ROLE_SWITCH},      {"6GK6", FT_ROLE_SWITCH},     {"SCALANCES", FT_ROLE_ROUTER},
    {"SCALANCEM", FT_ROLE_ROUTER}, {"SCALANCE", FT_ROLE_SWITCH}, {"RUGGEDCOM", FT_ROLE_SWITCH},
    {"1756-L", FT_ROLE_PLC},       {"1769-L", FT_ROLE_PLC},      {"5069-L", FT_ROLE_PLC},
    {"1763-L", FT_ROLE_PLC},       {"1766-L", FT_ROLE_PLC},      {"2080-LC", FT_ROLE_PLC},
    {"1783-", FT_ROLE_SWITCH},     {"Stratix", FT_ROLE_SWITCH},  {"BMXP34", FT_ROLE_PLC},
    {"BMEP58", FT_ROLE_PLC},
};

uint32_t ft_role_of_product(const char *text)
{
    char packed[256];
    size_t n = 0;
    for (; *text && n < sizeof(packed) - 1; text++)
        if (*text != ' ')
            packed[n++] = *text;
    packed[n] = 0;
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++)
        if (strstr(packed, products[i].name))
            return bit(products[i].role);
    return 0;
}

bool ft_role_is_network(const char *text)
{
    static const char *const words[] = {"switch",   "router",   "firewall", "Cisco",   "Hirschmann",
                                        "Westermo", "N-Tron",   "EDS-",     "Juniper", "Aruba",
                                        "Fortinet", "MikroTik", "Brocade",  "NETGEAR"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

uint32_t ft_role_of_server(const struct ft_protocol *protocol)
{
    for (size_t i = 0; i < sizeof(by_protocol) / sizeof(by_protocol[0]); i++)
        if (!strcmp(by_protocol[i].name, protocol->name))
            return bit(by_protocol[i].server);
    bool is_ot = protocol->flags & FT_DISSECTOR_OT && !(protocol->flags & FT_DISSECTOR_TRANSPORT);
    return is_ot ? bit(FT_ROLE_PLC) : 0;
}

uint32_t ft_role_of_client(const struct ft_protocol *protocol, enum ft_class class_)
{
    enum ft_role role = FT_ROLE_HMI;
    if (!(protocol->flags & FT_DISSECTOR_OT) || protocol->flags & FT_DISSECTOR_TRANSPORT)
        return 0;
    for (size_t i = 0; i < sizeof(by_protocol) / sizeof(by_protocol[0]); i++)
        if (!strcmp(by_protocol[i].name, protocol->name))
            role = by_protocol[i].client;
    switch (class_) {
    case FT_CLASS_FIRMWARE:
    case FT_CLASS_PROGRAM:
    case FT_CLASS_UPLOAD:
        return bit(FT_ROLE_ENGINEERING);
    case FT_CLASS_MODE:
        /* A master restarts its outstations; a controller is stopped from an engineering station.
         * Settings (FT_CLASS_CONFIG) say nothing: masters set clocks. */
        return role == FT_ROLE_HMI ? bit(FT_ROLE_ENGINEERING) : 0;
    case FT_CLASS_READ:
    case FT_CLASS_WRITE:
    case FT_CLASS_OPERATE:
        return bit(role);
    default:
        return 0; /* who only asks for identities may be a scanner */
    }
}

uint32_t ft_asset_roles(const struct ft_asset *asset)
{
    return asset->roles_product | asset->roles_said | asset->roles_forwards | asset->roles_derived;
}

enum ft_role ft_asset_role_of(const struct ft_asset *asset)
{
    /* What it was seen to be used for tells more than that it also asks others. */
    static const uint8_t order[] = {
        FT_ROLE_ENGINEERING, FT_ROLE_PLC,    FT_ROLE_RTU,        FT_ROLE_IED,       FT_ROLE_IO,
        FT_ROLE_SCADA,       FT_ROLE_HMI,    FT_ROLE_GATEWAY,    FT_ROLE_HISTORIAN, FT_ROLE_ROUTER,
        FT_ROLE_SWITCH,      FT_ROLE_SERVER, FT_ROLE_WORKSTATION};
    /* That a computer calls itself a server or a workstation says nothing of what it does here. */
    const uint32_t plain = 1u << FT_ROLE_SERVER | 1u << FT_ROLE_WORKSTATION;
    const uint32_t both = 1u << FT_ROLE_SWITCH | 1u << FT_ROLE_ROUTER;
    const uint32_t controllers = 1u << FT_ROLE_PLC | 1u << FT_ROLE_RTU | 1u << FT_ROLE_IED;
    bool serves = (asset->roles_said | asset->roles_derived) & controllers;
    uint32_t said = asset->roles_said & ~(serves ? 1u << FT_ROLE_SCADA : 0);
    uint32_t forwards = asset->roles_forwards;
    if ((forwards & both) == both)
        forwards &= ~(1u << FT_ROLE_ROUTER);
    const uint32_t ranks[] = {asset->roles_product,
                              asset->is_network_device ? forwards : 0,
                              said & ~plain,
                              asset->roles_derived & ~plain,
                              forwards,
                              asset->roles_said,
                              asset->roles_derived};
    for (size_t rank = 0; rank < sizeof(ranks) / sizeof(ranks[0]); rank++)
        for (size_t i = 0; i < sizeof(order); i++)
            if (ranks[rank] >> order[i] & 1)
                return (enum ft_role)order[i];
    return FT_ROLE_UNKNOWN;
}
