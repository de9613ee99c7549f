/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of assets. */
#include "base/hash.h"
#include "inventory/inventory.h"

#include <arpa/inet.h>
#include <string.h>

struct ft_address ft_event_address(const struct ft_event *event, enum ft_party party)
{
    const struct ft_event_packet *p = &event->packet;
    struct ft_address a = {.family = p->family};
    if (p->family == 2)
        memcpy(a.ip.bytes, party == FT_SENDER ? p->src_mac : p->dst_mac, 6);
    else
        a.ip = party == FT_SENDER ? p->src : p->dst;
    return a;
}

bool ft_address_is_external(const struct ft_address *address)
{
    const uint8_t *b = address->ip.bytes;
    if (address->family == 6)
        return (b[0] & 0xe0) == 0x20; /* 2000::/3, all that is global (RFC 4291, 2.4) */
    return address->family == 4 && b[0] != 0 && b[0] != 10 && b[0] != 127 && b[0] < 224 &&
           !(b[0] == 100 && (b[1] & 0xc0) == 64) && !(b[0] == 169 && b[1] == 254) &&
           !(b[0] == 172 && (b[1] & 0xf0) == 16) && !(b[0] == 192 && b[1] == 168);
}

bool ft_address_is_device(const struct ft_address *address)
{
    static const uint8_t zero[16];
    const uint8_t *b = address->ip.bytes;
    switch (address->family) {
    case 4:
        return b[0] != 0 && b[0] != 127 && b[0] < 224;
    case 6:
        return b[0] != 0xff && memcmp(b, zero, 15) != 0;
    case 2:
        return !(b[0] & 1) && memcmp(b, zero, 6) != 0;
    default:
        return false;
    }
}

int ft_address_compare(const struct ft_address *a, const struct ft_address *b)
{
    static const uint8_t order[8] = {[4] = 0, [6] = 1, [2] = 2};
    if (a->family != b->family)
        return (int)order[a->family & 7] - (int)order[b->family & 7];
    return memcmp(a->ip.bytes, b->ip.bytes, sizeof(a->ip.bytes));
}

void ft_address_text(const struct ft_address *address, char text[64])
{
    const uint8_t *b = address->ip.bytes;
    if (address->family == 2)
        snprintf(text, 64, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    else
        inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, b, text, 64);
}

struct ft_address ft_address_of_mac(const uint8_t mac[6])
{
    struct ft_address a = {.family = 2};
    memcpy(a.ip.bytes, mac, 6);
    return a;
}

uint64_t ft_event_network(const uint64_t key[2], const struct ft_event *event)
{
    const struct ft_event_packet *p = &event->packet;
    uint32_t words[FT_PACKET_VLANS + 4] = {p->interface, p->vlan_count, p->outer.tunnel,
                                           p->outer.tunnel ? p->outer.id : 0};
    for (unsigned i = 0; i < p->vlan_count && i < FT_PACKET_VLANS; i++)
        words[4 + i] = p->vlan[i];
    return ft_siphash(key, words, sizeof(words)) | 1;
}
