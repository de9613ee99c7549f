/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LLDP (IEEE 802.1AB), rapid spanning tree (802.1D), LACP (802.1AX), DHCP (RFC 2131), SSH (RFC
 * 4253) up to the choice of algorithms, HTTP of a device.
 */
#include "network.h"

#include "cast.h"

enum {
    LLDP_PERIOD_S = 30,
    STP_PERIOD_S = 2,
    LACP_PERIOD_S = 30,
    LEASE_S = 90,
    DHCP_REQUEST = 3,
    DHCP_ACK = 5,
    SSH_KEXINIT = 20,
};

/* ---- the switch to its neighbours ---- */

static void put_tlv(struct ft_buf *b, unsigned type, const struct ft_buf *value)
{
    ft_buf_be16(b, type << 9 | (unsigned)value->len);
    ft_buf_append(b, value);
}

static void put_text_tlv(struct ft_buf *b, unsigned type, const char *text)
{
    FT_BUF_LOCAL(value, 256);
    ft_buf_str(&value, text);
    put_tlv(b, type, &value);
}

static void put_lldp(struct ft_buf *b, const struct ft_host *host)
{
    FT_BUF_LOCAL(chassis, 8);
    FT_BUF_LOCAL(port, 32);
    FT_BUF_LOCAL(management, 16);
    ft_buf_u8(&chassis, 4); /* MAC address */
    ft_buf_bytes(&chassis, host->mac, 6);
    ft_buf_u8(&port, 5); /* name of the interface */
    ft_buf_str(&port, "Gi1/0/24");
    ft_buf_be16(&management, 0x0501); /* five bytes, IPv4 */
    ft_buf_be32(&management, host->ip);
    ft_buf_u8(&management, 2); /* number of the interface */
    ft_buf_be32(&management, 1);
    ft_buf_u8(&management, 0);
    put_tlv(b, 1, &chassis);
    put_tlv(b, 2, &port);
    ft_buf_be32(b, 3 << 25 | 2 << 16 | 4 * LLDP_PERIOD_S);
    put_text_tlv(b, 4, "mirror of the plant");
    put_text_tlv(b, 5, "SW-OT-01");
    put_text_tlv(b, 6, "Cisco IOS Software, IE3000 Software (IE3000-LANBASE-M), Version 15.2(4)E");
    ft_buf_be16(b, 7 << 9 | 4);
    ft_buf_be32(b, 0x00140004); /* can bridge and route, does bridge */
    put_tlv(b, 8, &management);
    ft_buf_be16(b, 0);
}

static uint64_t send_lldp(struct ft_plant *plant, struct ft_actor *actor)
{
    static const uint8_t nearest[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};
    const struct ft_host *host = &plant->cast->hosts[FT_HOST_SWITCH];

    (void)actor;
    FT_BUF_LOCAL(b, 512);
    put_lldp(&b, host);
    ft_frame_ethernet(plant, 0, host->mac, nearest, 0x88cc, b.data, b.len);
    return LLDP_PERIOD_S * FT_S;
}

/* The switch is the root. */
static uint64_t send_stp(struct ft_plant *plant, struct ft_actor *actor)
{
    static const uint8_t bridges[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};
    static const uint8_t head[] = {0x42, 0x42, 0x03, 0, 0, 2, 2, 0x3c};
    const struct ft_host *host = &plant->cast->hosts[FT_HOST_SWITCH];

    (void)actor;
    FT_BUF_LOCAL(b, 64);
    ft_buf_bytes(&b, head, sizeof(head));
    for (unsigned i = 0; i < 2; i++) { /* root, then bridge */
        ft_buf_be16(&b, 0x8000);
        ft_buf_bytes(&b, host->mac, 6);
        if (i == 0)
            ft_buf_be32(&b, 0);
    }
    ft_buf_be16(&b, 0x8018);
    ft_buf_be32(&b, 0x00001400); /* age, maximum */
    ft_buf_be32(&b, 0x02000f00); /* hello, forward delay */
    ft_buf_u8(&b, 0);
    ft_frame_ethernet(plant, 0, host->mac, bridges, (uint16_t)b.len, b.data, b.len);
    return STP_PERIOD_S * FT_S;
}

static void put_lacp_side(struct ft_buf *b, unsigned type, const struct ft_host *host)
{
    ft_buf_be16(b, type << 8 | 20);
    ft_buf_be16(b, 0x8000);
    ft_buf_bytes(b, host->mac, 6);
    ft_buf_be16(b, 1);
    ft_buf_be32(b, 0x80000001); /* priority and number of the port */
    ft_buf_be32(b, 0x3d000000); /* active, aggregates, in step, collects and distributes */
}

static void send_lacp_of(struct ft_plant *plant, const struct ft_host *actor,
                         const struct ft_host *partner)
{
    static const uint8_t slow[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x02};

    FT_BUF_LOCAL(b, 128);
    ft_buf_be16(&b, 0x0101);
    put_lacp_side(&b, 1, actor);
    put_lacp_side(&b, 2, partner);
    ft_buf_be16(&b, 0x0310);
    ft_buf_fill(&b, 0, 14);
    ft_buf_fill(&b, 0, 2 + 50);
    ft_frame_ethernet(plant, 0, actor->mac, slow, 0x8809, b.data, b.len);
}

static uint64_t send_lacp(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_host *hosts = plant->cast->hosts;
    bool is_switch = actor == &plant->cast->network.lacp[0];

    send_lacp_of(plant, &hosts[is_switch ? FT_HOST_SWITCH : FT_HOST_GATEWAY],
                 &hosts[is_switch ? FT_HOST_GATEWAY : FT_HOST_SWITCH]);
    return LACP_PERIOD_S * FT_S;
}

/* ---- a lease ---- */

static void put_option32(struct ft_buf *b, unsigned type, uint32_t value)
{
    ft_buf_be16(b, type << 8 | 4);
    ft_buf_be32(b, value);
}

static void put_dhcp(struct ft_buf *b, const struct ft_host *client, const struct ft_host *hosts,
                     uint32_t transaction, unsigned type)
{
    static const char name[] = "HMI-LINE2", class_[] = "MSFT 5.0";
    bool is_ack = type == DHCP_ACK;

    ft_buf_be32(b, is_ack ? 0x02010600 : 0x01010600);
    ft_buf_be32(b, transaction);
    ft_buf_be32(b, 0);
    ft_buf_be32(b, client->ip);
    ft_buf_be32(b, is_ack ? client->ip : 0);
    ft_buf_fill(b, 0, 8);
    ft_buf_bytes(b, client->mac, 6);
    ft_buf_fill(b, 0, 10 + 64 + 128);
    ft_buf_be32(b, 0x63825363);
    ft_buf_bytes(b, (const uint8_t[]){53, 1}, 2);
    ft_buf_u8(b, type);
    if (is_ack) {
        put_option32(b, 54, hosts[FT_HOST_SERVER].ip);
        put_option32(b, 51, LEASE_S);
        put_option32(b, 1, 0xffffff00);
        put_option32(b, 3, hosts[FT_HOST_GATEWAY].ip);
        put_option32(b, 6, hosts[FT_HOST_SERVER].ip);
    } else {
        ft_buf_bytes(b, (const uint8_t[]){61, 7, 1}, 3);
        ft_buf_bytes(b, client->mac, 6);
        ft_buf_u8(b, 12);
        ft_buf_str8(b, name);
        ft_buf_u8(b, 60);
        ft_buf_str8(b, class_);
        ft_buf_bytes(b, (const uint8_t[]){55, 5, 1, 15, 3, 6, 44}, 7);
    }
    ft_buf_u8(b, 255);
}

static uint64_t renew_lease(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_host *hosts = plant->cast->hosts;
    struct ft_host *client = &hosts[FT_HOST_HMI2], *server = &hosts[FT_HOST_SERVER];
    uint32_t transaction = (uint32_t)ft_rng_hash(plant->seed ^ plant->now);

    (void)actor;
    FT_BUF_LOCAL(request, 400);
    FT_BUF_LOCAL(ack, 400);
    put_dhcp(&request, client, hosts, transaction, DHCP_REQUEST);
    put_dhcp(&ack, client, hosts, transaction, DHCP_ACK);
    ft_frame_udp(plant, 0, client, server, 68, 67, request.data, request.len);
    ft_frame_udp(plant, 1200 * FT_US, server, client, 67, 68, ack.data, ack.len);
    return LEASE_S / 2 * FT_S;
}

/* ---- who looks after devices ---- */

static void put_list(struct ft_buf *b, const char *names)
{
    ft_buf_be32(b, (uint32_t)strlen(names));
    ft_buf_str(b, names);
}

/* Length, padding to a multiple of eight, message number, cookie, ten lists. */
static void put_kexinit(struct ft_buf *b, struct ft_conv *conv, bool is_server)
{
    const char *lists[10] = {
        is_server ? "diffie-hellman-group14-sha1" : "curve25519-sha256,diffie-hellman-group14-sha1",
        is_server ? "ssh-rsa" : "rsa-sha2-512,ssh-rsa",
        "aes256-ctr,aes128-ctr",
        "aes256-ctr,aes128-ctr",
        "hmac-sha1",
        "hmac-sha1",
        "none",
        "none",
        "",
        "",
    };

    FT_BUF_LOCAL(body, 512);
    ft_buf_u8(&body, SSH_KEXINIT);
    for (unsigned i = 0; i < 16; i++)
        ft_buf_u8(&body, (unsigned)ft_conv_random(conv, 256));
    for (unsigned i = 0; i < 10; i++)
        put_list(&body, lists[i]);
    ft_buf_fill(&body, 0, 5);
    unsigned padding = 8 - (body.len + 5) % 8;
    padding += padding < 4 ? 8 : 0;
    ft_buf_be32(b, (uint32_t)(1 + body.len + padding));
    ft_buf_u8(b, padding);
    ft_buf_append(b, &body);
    ft_buf_fill(b, 0, padding);
}

/* A manager looks whether the switch answers and what it offers, as ssh-keyscan does. */
static void talk_ssh(struct ft_conv *conv, struct ft_turn *turn)
{
    if (turn->pair == 0)
        ft_buf_str(turn->out,
                   turn->is_answer ? "SSH-2.0-Cisco-1.25\r\n" : "SSH-2.0-OpenSSH_8.4p1\r\n");
    else
        put_kexinit(turn->out, conv, turn->is_answer);
    turn->wait = 30 * FT_MS;
    turn->is_last = turn->pair == 1 && turn->is_answer;
}

static void talk_web(struct ft_conv *conv, struct ft_turn *turn)
{
    static const char page[] = "<html><head><title>PLC 1</title></head>"
                               "<body><h1>Filling line</h1><p>RUN</p></body></html>\r\n";
    char header[160];

    (void)conv;
    if (!turn->is_answer) {
        ft_buf_str(turn->out, "GET /index.htm HTTP/1.1\r\nHost: 10.10.1.101\r\n"
                              "User-Agent: PlantBrowser/4.2\r\nAccept: text/html\r\n\r\n");
        return;
    }
    snprintf(header, sizeof(header),
             "HTTP/1.1 200 OK\r\nServer: PLC-Web/2.3\r\nContent-Type: text/html\r\n"
             "Content-Length: %zu\r\n\r\n",
             sizeof(page) - 1);
    ft_buf_str(turn->out, header);
    ft_buf_str(turn->out, page);
    turn->wait = 50 * FT_MS;
    turn->is_last = true;
}

const struct ft_conv_kind ft_network_ssh = {.talk = talk_ssh, .port = 22, .latency_us = 8000};
const struct ft_conv_kind ft_network_web = {.talk = talk_web, .port = 80, .latency_us = 30000};

void ft_network_start(struct ft_plant *plant, struct ft_network *network)
{
    *network = (struct ft_network){
        .lldp.act = send_lldp,
        .stp.act = send_stp,
        .lacp = {{.act = send_lacp}, {.act = send_lacp}},
        .dhcp.act = renew_lease,
    };
    ft_plant_add(plant, 1050 * FT_MS, &network->stp);
    ft_plant_add(plant, 3210 * FT_MS, &network->lldp);
    ft_plant_add(plant, 4400 * FT_MS, &network->lacp[0]);
    ft_plant_add(plant, 4900 * FT_MS, &network->lacp[1]);
    ft_plant_add(plant, 12340 * FT_MS, &network->dhcp);
}
