/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNS (RFC 1035), NTP (RFC 5905), HTTP/1.1 (RFC 9112), TLS 1.3 (RFC 8446), SNMPv2c (RFC 3416),
 * syslog (RFC 5424): the background that a sensor meets in every plant.
 */
#include "it.h"

#include "cast.h"

static void put_name(struct ft_buf *b, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        ft_buf_u8(b, (unsigned)len);
        ft_buf_bytes(b, name, len);
        name += len + (name[len] == '.');
    }
    ft_buf_u8(b, 0);
}

static void talk_dns(struct ft_conv *conv, struct ft_turn *turn)
{
    static const char *const names[] = {"historian.plant.example", "scada1.plant.example",
                                        "update.vendor.example", "ntp.plant.example"};
    struct ft_buf *b = turn->out;

    if (!turn->is_answer) {
        conv->memo16 = (uint16_t)ft_conv_random(conv, 65536);
        conv->memo8 = (uint8_t)ft_conv_random(conv, 4);
    }
    bool is_known = conv->memo8 != 2; /* the vendor is not reachable from inside the plant */

    ft_buf_be16(b, conv->memo16);
    ft_buf_be16(b, !turn->is_answer ? 0x0100 : is_known ? 0x8580 : 0x8183);
    ft_buf_be16(b, 1);
    ft_buf_be16(b, turn->is_answer && is_known);
    ft_buf_be32(b, 0);
    put_name(b, names[conv->memo8]);
    ft_buf_be32(b, 0x00010001); /* A, IN */
    if (turn->is_answer && is_known) {
        ft_buf_be16(b, 0xc00c);
        ft_buf_be32(b, 0x00010001);
        ft_buf_be32(b, 3600);
        ft_buf_be16(b, 4);
        ft_buf_be32(b, turn->plant->cast->hosts[FT_HOST_HISTORIAN].ip);
    }
    turn->is_last = turn->is_answer;
}

/* NTP time: seconds since 1900 and a 32-bit fraction. */
static void put_ntp_time(struct ft_buf *b, uint64_t ns)
{
    ft_buf_be32(b, (uint32_t)(ns / FT_S + 2208988800u));
    ft_buf_be32(b, (uint32_t)(((ns % FT_S) << 32) / FT_S));
}

static void talk_ntp(struct ft_conv *conv, struct ft_turn *turn)
{
    struct ft_buf *b = turn->out;
    uint64_t now = turn->plant->now;

    ft_buf_be32(b, turn->is_answer ? 0x240206e9 : 0x230006e9);
    ft_buf_be32(b, turn->is_answer ? 0x00000a10 : 0); /* root delay */
    ft_buf_be32(b, turn->is_answer ? 0x00000b20 : 0); /* root dispersion */
    ft_buf_be32(b, turn->is_answer ? conv->server->ip ^ 0xff : 0);
    if (!turn->is_answer) {
        conv->delayed_wait = now; /* UDP has no delayed acknowledgement: the place is free */
        ft_buf_fill(b, 0, 24);
        put_ntp_time(b, now);
        return;
    }
    put_ntp_time(b, now - 13 * FT_S);
    put_ntp_time(b, conv->delayed_wait);
    put_ntp_time(b, now - 60 * FT_US);
    put_ntp_time(b, now);
}

static void put_html(struct ft_buf *b)
{
    ft_buf_str(b, "<!DOCTYPE html><html><head><title>Trends</title></head><body><table>\n");
    for (unsigned row = 0; row < 96; row++) {
        char line[80];

        snprintf(line, sizeof(line), "<tr><td>%02u:%02u</td><td>%u</td></tr>\n", row / 4,
                 row % 4 * 15, 1000 + row * 37 % 211);
        ft_buf_str(b, line);
    }
    ft_buf_str(b, "</table></body></html>\n");
}

static void talk_http(struct ft_conv *conv, struct ft_turn *turn)
{
    char header[160];

    (void)conv;
    if (!turn->is_answer) {
        ft_buf_str(turn->out, "GET /trends?unit=3 HTTP/1.1\r\nHost: historian.plant.example\r\n"
                              "User-Agent: PlantBrowser/4.2\r\nAccept: text/html\r\n\r\n");
        return;
    }
    FT_BUF_LOCAL(html, 8192);
    put_html(&html);
    snprintf(header, sizeof(header),
             "HTTP/1.1 200 OK\r\nServer: TrendServer/7.1\r\nContent-Type: text/html\r\n"
             "Content-Length: %zu\r\n\r\n",
             html.len);
    ft_buf_str(turn->out, header);
    ft_buf_append(turn->out, &html);
    turn->wait = 50 * FT_MS;
    turn->is_last = true;
}

static void put_random(struct ft_buf *b, struct ft_conv *conv, size_t n)
{
    while (n-- > 0)
        ft_buf_u8(b, (unsigned)ft_conv_random(conv, 256));
}

/* Extensions that both hellos share: TLS 1.3 and an X25519 key. */
static void put_client_extensions(struct ft_buf *b, struct ft_conv *conv)
{
    static const char host[] = "historian.plant.example";
    unsigned len = sizeof(host) - 1;

    ft_buf_be16(b, 0); /* server name */
    ft_buf_be16(b, len + 5);
    ft_buf_be16(b, len + 3);
    ft_buf_u8(b, 0);
    ft_buf_be16(b, len);
    ft_buf_str(b, host);
    ft_buf_bytes(b, (const uint8_t[]){0, 10, 0, 6, 0, 4, 0, 29, 0, 23}, 10); /* groups */
    ft_buf_bytes(b, (const uint8_t[]){0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 8, 7}, 12);
    ft_buf_bytes(b, (const uint8_t[]){0, 16, 0, 11, 0, 9, 8}, 7); /* ALPN */
    ft_buf_str(b, "http/1.1");
    ft_buf_bytes(b, (const uint8_t[]){0, 43, 0, 5, 4, 3, 4, 3, 3}, 9); /* versions */
    ft_buf_bytes(b, (const uint8_t[]){0, 51, 0, 38, 0, 36, 0, 29, 0, 32}, 10);
    put_random(b, conv, 32);
}

static void put_server_extensions(struct ft_buf *b, struct ft_conv *conv)
{
    ft_buf_bytes(b, (const uint8_t[]){0, 43, 0, 2, 3, 4}, 6);
    ft_buf_bytes(b, (const uint8_t[]){0, 51, 0, 36, 0, 29, 0, 32}, 8);
    put_random(b, conv, 32);
}

static void put_tls_record(struct ft_buf *b, uint8_t type, const struct ft_buf *data)
{
    ft_buf_u8(b, type);
    ft_buf_be16(b, 0x0303);
    ft_buf_be16(b, (unsigned)data->len);
    ft_buf_append(b, data);
}

static void put_hello(struct ft_buf *b, struct ft_conv *conv, bool is_server)
{
    FT_BUF_LOCAL(extensions, 512);
    FT_BUF_LOCAL(hello, 768);
    if (is_server)
        put_server_extensions(&extensions, conv);
    else
        put_client_extensions(&extensions, conv);
    ft_buf_u8(&hello, is_server ? 2 : 1);
    ft_buf_u8(&hello, 0);
    ft_buf_be16(&hello, (unsigned)(extensions.len + (is_server ? 72 : 79)));
    ft_buf_be16(&hello, 0x0303);
    put_random(&hello, conv, 32);
    ft_buf_u8(&hello, 32);
    for (uint8_t i = 0; i < 32; i++) /* the session id, which the server repeats */
        ft_buf_u8(&hello, (unsigned)ft_rng_hash((unsigned)conv->client_port << 8 | i));
    if (is_server)
        ft_buf_bytes(&hello, (const uint8_t[]){0x13, 0x01, 0}, 3);
    else
        ft_buf_bytes(&hello, (const uint8_t[]){0, 6, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f, 1, 0}, 10);
    ft_buf_be16(&hello, (unsigned)extensions.len);
    ft_buf_append(&hello, &extensions);
    put_tls_record(b, 22, &hello);
}

static void put_tls_data(struct ft_buf *b, struct ft_conv *conv, size_t len)
{
    FT_BUF_LOCAL(data, 4096);
    put_random(&data, conv, len);
    put_tls_record(b, 23, &data);
}

static void talk_tls(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t change_cipher[] = {20, 3, 3, 0, 1, 1};
    struct ft_buf *b = turn->out;

    turn->wait = 15 * FT_MS;
    if (turn->pair == 0)
        put_hello(b, conv, turn->is_answer);
    if ((turn->pair == 0) == turn->is_answer)
        ft_buf_bytes(b, change_cipher, turn->pair < 2 ? sizeof(change_cipher) : 0);
    if (turn->pair > 0 || turn->is_answer)
        put_tls_data(b, conv, turn->is_answer ? 2200 : 74);
    turn->is_last = turn->pair == 3 && turn->is_answer;
}

static void put_tlv(struct ft_buf *b, uint8_t tag, const struct ft_buf *value)
{
    ft_buf_u8(b, tag);
    ft_buf_u8(b, (unsigned)value->len); /* all of them are short */
    ft_buf_append(b, value);
}

/* sysUpTime.0, asked for and answered. */
static void talk_snmp(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t oid[] = {0x06, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0};

    (void)conv;
    FT_BUF_LOCAL(binding, 64);
    FT_BUF_LOCAL(bindings, 64);
    FT_BUF_LOCAL(pdu, 96);
    FT_BUF_LOCAL(message, 120);
    ft_buf_bytes(&binding, oid, sizeof(oid));
    if (turn->is_answer) {
        ft_buf_be16(&binding, 0x4304); /* TimeTicks */
        ft_buf_be32(&binding, (uint32_t)((turn->plant->now - turn->plant->start) / (10 * FT_MS)) +
                                  0x01000000);
    } else {
        ft_buf_be16(&binding, 0x0500);
    }
    put_tlv(&bindings, 0x30, &binding);
    ft_buf_bytes(&pdu, (const uint8_t[]){2, 2, 0x11}, 3); /* request id */
    ft_buf_u8(&pdu, turn->pair);
    ft_buf_bytes(&pdu, (const uint8_t[]){2, 1, 0, 2, 1, 0}, 6);
    put_tlv(&pdu, 0x30, &bindings);
    ft_buf_bytes(&message, (const uint8_t[]){2, 1, 1}, 3); /* version 2c */
    ft_buf_u8(&message, 0x04);
    ft_buf_str8(&message, "plant-ro");
    put_tlv(&message, turn->is_answer ? 0xa2 : 0xa0, &pdu);
    put_tlv(turn->out, 0x30, &message);
}

static void talk_syslog(struct ft_conv *conv, struct ft_turn *turn)
{
    char text[96];

    if (turn->is_answer)
        return;
    snprintf(text, sizeof(text), "<134>1 - SW-OT-01 portd 311 LINK - port %u utilisation %u %%",
             (unsigned)(turn->pair % 24 + 1), (unsigned)ft_conv_random(conv, 60));
    ft_buf_str(turn->out, text);
}

const struct ft_conv_kind ft_it_dns = {
    .talk = talk_dns, .port = 53, .is_udp = true, .latency_us = 900};
const struct ft_conv_kind ft_it_ntp = {
    .talk = talk_ntp, .port = 123, .is_udp = true, .latency_us = 700};
const struct ft_conv_kind ft_it_http = {.talk = talk_http, .port = 80, .latency_us = 20000};
const struct ft_conv_kind ft_it_tls = {.talk = talk_tls, .port = 443, .latency_us = 15000};
const struct ft_conv_kind ft_it_snmp = {
    .talk = talk_snmp, .port = 161, .is_udp = true, .latency_us = 1500};
const struct ft_conv_kind ft_it_syslog = {
    .talk = talk_syslog, .port = 514, .is_udp = true, .latency_us = 1000};

static uint64_t refresh_arp(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_it_arp *arp = (struct ft_it_arp *)actor;
    struct ft_host *hosts = plant->cast->hosts;
    size_t n_pcs = FT_HOST_FIRST_DEVICE;
    size_t n_devices = FT_HOST_LAPTOP - FT_HOST_FIRST_DEVICE;
    struct ft_host *client = &hosts[ft_rng_below(&arp->rng, n_pcs)];
    struct ft_host *server = &hosts[n_pcs + ft_rng_below(&arp->rng, n_devices)];

    ft_frame_arp_request(plant, 0, client, client->ip, server->ip);
    ft_frame_arp_reply(plant, 200 * FT_US + ft_rng_below(&arp->rng, FT_MS), server, client);
    return ft_rng_jitter(&arp->rng, 1500 * FT_MS, 60);
}

void ft_it_arp_start(struct ft_plant *plant, struct ft_it_arp *arp, uint64_t delay)
{
    *arp = (struct ft_it_arp){.actor.act = refresh_arp, .rng = ft_rng_hash(plant->seed + 826)};
    ft_plant_add(plant, delay, &arp->actor);
}

static uint64_t ping(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_it_ping *p = (struct ft_it_ping *)actor;

    p->sequence++;
    ft_frame_echo(plant, 0, p->client, p->target, 8, 0x77, p->sequence);
    ft_frame_echo(plant, 600 * FT_US, p->target, p->client, 0, 0x77, p->sequence);
    return 5 * FT_S;
}

void ft_it_ping_start(struct ft_plant *plant, struct ft_it_ping *p, struct ft_host *client,
                      struct ft_host *target, uint64_t delay)
{
    *p = (struct ft_it_ping){.actor.act = ping, .client = client, .target = target};
    ft_plant_add(plant, delay, &p->actor);
}
