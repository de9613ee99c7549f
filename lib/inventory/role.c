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
