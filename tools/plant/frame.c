/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet builder: RFC 826 (ARP), 791 (IPv4), 792 (ICMP), 768 (UDP), 9293 (TCP), IEEE 802.1Q. */
#include "frame.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_MIN = 60, /* shorter frames are padded by the sender; the FCS is not captured */
    FRAME_MAX = 1600,
    IP_HEADER = 20,
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    ECHO_DATA = 56,
};

const uint8_t FT_MAC_BROADCAST[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* A packet that was built before its time. */
struct delayed_frame {
    struct ft_actor actor;
    size_t len;
    uint8_t bytes[];
};

static void commit(struct ft_plant *plant, size_t len)
{
    if (plant->n_packets >= plant->max_packets) {
        plant->is_over = true;
        return;
    }
    ft_pcap_commit(&plant->pcap, plant->now, len);
    plant->n_packets++;
}

static uint64_t send_delayed(struct ft_plant *plant, struct ft_actor *actor)
{
    struct delayed_frame *frame = (struct delayed_frame *)actor;

    memcpy(ft_pcap_room(&plant->pcap), frame->bytes, frame->len);
    commit(plant, frame->len);
    free(frame);
    return FT_ACTOR_DONE;
}

static struct ft_buf frame_open(struct ft_plant *plant)
{
    return (struct ft_buf){.data = ft_pcap_room(&plant->pcap), .len = 0, .cap = FRAME_MAX};
}

static void frame_close(struct ft_plant *plant, uint64_t delay, struct ft_buf *b)
{
    if (b->len < ETHERNET_MIN)
        ft_buf_fill(b, 0, ETHERNET_MIN - b->len);
    if (delay == 0) {
        commit(plant, b->len);
        return;
    }
    struct delayed_frame *frame = malloc(sizeof(*frame) + b->len);

    if (frame == NULL) {
        fprintf(stderr, "fieldtap-plant: out of memory for a delayed packet\n");
        exit(1);
    }
    frame->actor.act = send_delayed;
    frame->len = b->len;
    memcpy(frame->bytes, b->data, b->len);
    ft_plant_add(plant, delay, &frame->actor);
}

static void put_ethernet(struct ft_buf *b, const uint8_t dst[6], const uint8_t src[6],
                         uint16_t ethertype)
{
    ft_buf_bytes(b, dst, 6);
    ft_buf_bytes(b, src, 6);
    ft_buf_be16(b, ethertype);
}

/* The sum of RFC 1071, 32 bits at a time: the carries are folded in at the end. */
static uint64_t sum_words(const uint8_t *p, size_t len, uint64_t sum)
{
    for (; len >= 4; len -= 4, p += 4)
        sum += (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (; len >= 2; len -= 2, p += 2)
        sum += (uint64_t)p[0] << 8 | p[1];
    return len == 1 ? sum + ((uint64_t)p[0] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_ipv4(struct ft_buf *b, struct ft_host *src, const struct ft_host *dst,
                     uint8_t protocol, size_t payload_len)
{
    uint8_t *ip = ft_buf_grow(b, IP_HEADER);

    ip[0] = 0x45;
    ip[1] = 0;
    ft_store_be16(ip + 2, (uint16_t)(IP_HEADER + payload_len));
    ft_store_be16(ip + 4, src->ip_id++);
    ft_store_be16(ip + 6, 0x4000);
    ip[8] = src->ttl;
    ip[9] = protocol;
    ft_store_be16(ip + 10, 0);
    ft_store_be32(ip + 12, src->ip);
    ft_store_be32(ip + 16, dst->ip);
    ft_store_be16(ip + 10, fold(sum_words(ip, IP_HEADER, 0)));
}

/* Checksum of the transport layer with the pseudo header of RFC 9293 section 3.1. */
static uint16_t transport_checksum(const uint8_t *ip, uint8_t protocol, const uint8_t *data,
                                   size_t len)
{
    uint64_t sum = sum_words(ip + 12, 8, (uint64_t)protocol + len);

    return fold(sum_words(data, len, sum));
}

void ft_frame_tcp(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                  const struct ft_host *dst, const struct ft_tcp *tcp, const void *payload,
                  size_t len)
{
    bool has_mss = (tcp->flags & FT_TCP_SYN) != 0;
    size_t header = has_mss ? 24 : 20;
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst->mac, src->mac, FT_ETHERTYPE_IPV4);
    put_ipv4(&b, src, dst, IP_PROTO_TCP, header + len);

    uint8_t *p = ft_buf_grow(&b, header);

    ft_store_be16(p, tcp->src_port);
    ft_store_be16(p + 2, tcp->dst_port);
    ft_store_be32(p + 4, tcp->seq);
    ft_store_be32(p + 8, tcp->ack);
    p[12] = (uint8_t)(header / 4 << 4);
    p[13] = tcp->flags;
    ft_store_be16(p + 14, (tcp->flags & FT_TCP_RST) != 0 ? 0 : src->window);
    ft_store_be32(p + 16, 0); /* checksum and urgent pointer */
    if (has_mss)
        ft_store_be32(p + 20, 0x02040000u | src->mss);
    ft_buf_bytes(&b, payload, len);
    ft_store_be16(p + 16, transport_checksum(p - IP_HEADER, IP_PROTO_TCP, p, header + len));
    frame_close(plant, delay, &b);
}

void ft_frame_udp(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                  const struct ft_host *dst, uint16_t src_port, uint16_t dst_port,
                  const void *payload, size_t len)
{
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst->mac, src->mac, FT_ETHERTYPE_IPV4);
    put_ipv4(&b, src, dst, IP_PROTO_UDP, 8 + len);

    uint8_t *p = ft_buf_grow(&b, 8);

    ft_store_be16(p, src_port);
    ft_store_be16(p + 2, dst_port);
    ft_store_be16(p + 4, (uint16_t)(8 + len));
    ft_store_be16(p + 6, 0);
    ft_buf_bytes(&b, payload, len);

    uint16_t checksum = transport_checksum(p - IP_HEADER, IP_PROTO_UDP, p, 8 + len);

    ft_store_be16(p + 6, checksum == 0 ? 0xffff : checksum); /* 0 would mean "none" */
    frame_close(plant, delay, &b);
}

void ft_frame_echo(struct ft_plant *plant, uint64_t delay, struct ft_host *src,
                   const struct ft_host *dst, uint8_t type, uint16_t id, uint16_t seq)
{
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst->mac, src->mac, FT_ETHERTYPE_IPV4);
    put_ipv4(&b, src, dst, IP_PROTO_ICMP, 8 + ECHO_DATA);

    uint8_t *p = ft_buf_grow(&b, 8 + ECHO_DATA);

    ft_store_be16(p, (uint16_t)(type << 8));
    ft_store_be16(p + 2, 0);
    ft_store_be16(p + 4, id);
    ft_store_be16(p + 6, seq);
    for (unsigned i = 0; i < ECHO_DATA; i++)
        p[8 + i] = (uint8_t)('a' + i % 23);
    ft_store_be16(p + 2, fold(sum_words(p, 8 + ECHO_DATA, 0)));
    frame_close(plant, delay, &b);
}

static void put_arp(struct ft_buf *b, uint16_t op, const struct ft_host *src, uint32_t sender_ip,
                    const uint8_t target_mac[6], uint32_t target_ip)
{
    ft_buf_be16(b, 1);
    ft_buf_be16(b, FT_ETHERTYPE_IPV4);
    ft_buf_u8(b, 6);
    ft_buf_u8(b, 4);
    ft_buf_be16(b, op);
    ft_buf_bytes(b, src->mac, 6);
    ft_buf_be32(b, sender_ip);
    ft_buf_bytes(b, target_mac, 6);
    ft_buf_be32(b, target_ip);
}

void ft_frame_arp_request(struct ft_plant *plant, uint64_t delay, const struct ft_host *src,
                          uint32_t sender_ip, uint32_t target_ip)
{
    static const uint8_t unknown[6];
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, FT_MAC_BROADCAST, src->mac, FT_ETHERTYPE_ARP);
    put_arp(&b, 1, src, sender_ip, unknown, target_ip);
    frame_close(plant, delay, &b);
}

void ft_frame_arp_reply(struct ft_plant *plant, uint64_t delay, const struct ft_host *src,
                        const struct ft_host *dst)
{
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst->mac, src->mac, FT_ETHERTYPE_ARP);
    put_arp(&b, 2, src, src->ip, dst->mac, dst->ip);
    frame_close(plant, delay, &b);
}

void ft_frame_ethernet(struct ft_plant *plant, uint64_t delay, const uint8_t src[6],
                       const uint8_t dst[6], uint16_t type, const void *payload, size_t len)
{
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst, src, type);
    ft_buf_bytes(&b, payload, len);
    frame_close(plant, delay, &b);
}

void ft_frame_vlan(struct ft_plant *plant, uint64_t delay, const uint8_t src[6],
                   const uint8_t dst[6], uint16_t tci, uint16_t ethertype, const void *payload,
                   size_t len)
{
    struct ft_buf b = frame_open(plant);

    put_ethernet(&b, dst, src, FT_ETHERTYPE_VLAN);
    ft_buf_be16(&b, tci);
    ft_buf_be16(&b, ethertype);
    ft_buf_bytes(&b, payload, len);
    frame_close(plant, delay, &b);
}
