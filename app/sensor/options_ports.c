/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces and ports to capture from, whoever names them. */
#include "options_internal.h"

#include "capture/ethdev.h"

#include <string.h>

/* By name, of --port the device. */
static bool take_port(struct options *o, const char *option, const char *name, size_t length)
{
    if (!length || length >= sizeof(o->ports[0].name))
        return wrong("%s: expected the name of a network interface (ip link lists them)", option);
    if (o->port_count == OPTIONS_PORTS)
        return wrong("%s: at most %u interfaces", option, OPTIONS_PORTS);
    struct options_port *port = &o->ports[o->port_count];
    memcpy(port->name, name, length);
    port->name[length] = 0;
    port->link = (uint16_t)o->link_count;
    for (uint32_t i = 0; i < o->port_count; i++)
        if (strcmp(o->ports[i].name, port->name) == 0)
            return wrong("%s %s: is named twice; its packets would count double", option,
                         port->name);
    o->port_count++;
    return true;
}

/* One link: an interface, or the two of a TAP. */
bool options_take_link(struct options *o, const char *option, const char *text, unsigned ports)
{
    const char *comma = strchr(text, ',');
    if (ports == 2 && (!comma || strchr(comma + 1, ',')))
        return wrong("%s %s: expected two interfaces, such as eth1,eth2", option, text);
    if (ports == 2 && (!take_port(o, option, text, (size_t)(comma - text)) ||
                       !take_port(o, option, comma + 1, strlen(comma + 1))))
        return false;
    if (ports == 1 && !take_port(o, option, text, strlen(text)))
        return false;
    o->links[o->link_count++] = text;
    return true;
}

bool options_take_device(struct options *o, const char *option, const char *device)
{
    char name[sizeof(o->ports[0].name)];
    struct options_port *port = &o->ports[o->port_count];
    if (!ft_ethdev_name(device, name, sizeof(name)))
        return wrong("%s %s: expected a PCI address or a virtual device with its arguments, such "
                     "as 0000:3b:00.0 or net_pcap0,iface=eth1",
                     option, device);
    if (!take_port(o, option, name, strlen(name)))
        return false;
    port->device = device;
    o->is_polled = true;
    o->links[o->link_count++] = port->name;
    return true;
}

bool options_have_nic(const struct options *o)
{
    for (uint32_t i = 0; o->is_polled && i < o->port_count; i++)
        if (ft_ethdev_is_pci(o->ports[i].name))
            return true;
    return false;
}
