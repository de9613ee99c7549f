/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EtherNet/IP encapsulation (CIP Networks Library volume 2), CIP messages (volume 1), Logix tag
 * services (Rockwell 1756-PM020) and PCCC (1770-6.5.16). Little-endian but for socket addresses.
 */
#include "enip.h"

#include "cast.h"

enum {
    ITEM_NULL = 0x0000,
    ITEM_IDENTITY = 0x000c,
    ITEM_CONNECTED_ADDRESS = 0x00a1,
    ITEM_CONNECTED_DATA = 0x00b1,
    ITEM_UNCONNECTED_DATA = 0x00b2,
    ITEM_SEQUENCED_ADDRESS = 0x8002,
    CIP_GET_ALL = 0x01,
    CIP_MULTIPLE = 0x0a,
    CIP_EXECUTE_PCCC = 0x4b,
    CIP_READ_TAG = 0x4c,
    CIP_WRITE_TAG = 0x4d,
    CIP_UNCONNECTED_SEND = 0x52,
    CIP_FORWARD_OPEN = 0x54,
    CLASS_IDENTITY = 0x01,
    CLASS_MESSAGE_ROUTER = 0x02,
    CLASS_CONNECTION_MANAGER = 0x06,
    CLASS_PCCC = 0x67,
    TYPE_DINT = 0xc4,
    TYPE_REAL = 0xca,
    VENDOR_ROCKWELL = 1,
    CIP_MAX = 512,
    IO_PORT = 2222,
};

const struct ft_enip_identity ft_enip_controller = {.device_type = 0x0e,
                                                    .product_code = 0x0095,
                                                    .major = 30,
                                                    .minor = 11,
                                                    .status = 0x3060,
                                                    .serial = 0x00c0ffee,
                                                    .name = "1756-L8ZE/B"};
const struct ft_enip_identity ft_enip_adapter = {.device_type = 0x0c,
                                                 .product_code = 0x00c4,
                                                 .major = 5,
                                                 .minor = 12,
                                                 .status = 0x0030,
                                                 .serial = 0x60a1b2c3,
                                                 .name = "1734-AENZ/B"};
const struct ft_enip_identity ft_enip_small_plc = {.device_type = 0x0e,
                                                   .product_code = 0x005a,
                                                   .major = 1,
                                                   .minor = 7,
                                                   .status = 0x0000,
                                                   .serial = 0x4010beef,
                                                   .name = "1766-L32ZXB B/11.00"};

size_t ft_enip_begin(struct ft_buf *b, uint16_t command, uint32_t session, uint64_t context)
{
    size_t at = b->len;

    ft_buf_le16(b, command);
    ft_buf_le16(b, 0);
    ft_buf_le32(b, session);
    ft_buf_le32(b, 0);
    ft_buf_le32(b, (uint32_t)context);
    ft_buf_le32(b, (uint32_t)(context >> 32));
    ft_buf_le32(b, 0);
    return at;
}

void ft_enip_end(struct ft_buf *b, size_t at)
{
    ft_store_le16(b->data + at + 2, (uint16_t)(b->len - at - 24));
}

uint32_t ft_enip_session(const struct ft_conv *conv)
{
    return (uint32_t)ft_rng_hash((uint64_t)conv->server->ip << 16 | conv->client_port);
}

static void put_item(struct ft_buf *b, uint16_t type, const void *data, size_t len)
{
    ft_buf_le16(b, type);
    ft_buf_le16(b, (unsigned)len);
    ft_buf_bytes(b, data, len);
}

void ft_enip_unconnected(struct ft_buf *b, uint32_t session, uint64_t context,
                         const struct ft_buf *cip)
{
    size_t at = ft_enip_begin(b, FT_ENIP_RR_DATA, session, context);

    ft_buf_le32(b, 0);
    ft_buf_le16(b, 10); /* timeout in seconds */
    ft_buf_le16(b, 2);
    put_item(b, ITEM_NULL, NULL, 0);
    put_item(b, ITEM_UNCONNECTED_DATA, cip->data, cip->len);
    ft_enip_end(b, at);
}

/* SendUnitData with the CIP message @cip on connection @id. */
static void put_connected(struct ft_buf *b, uint32_t session, uint32_t id, uint16_t sequence,
                          const struct ft_buf *cip)
{
    size_t at = ft_enip_begin(b, FT_ENIP_UNIT_DATA, session, 0);

    ft_buf_le32(b, 0);
    ft_buf_le16(b, 0);
    ft_buf_le16(b, 2);
    ft_buf_le16(b, ITEM_CONNECTED_ADDRESS);
    ft_buf_le16(b, 4);
    ft_buf_le32(b, id);
    ft_buf_le16(b, ITEM_CONNECTED_DATA);
    ft_buf_le16(b, (unsigned)(2 + cip->len));
    ft_buf_le16(b, sequence);
    ft_buf_append(b, cip);
    ft_enip_end(b, at);
}

void ft_enip_register_talk(struct ft_conv *conv, struct ft_turn *turn)
{
    uint32_t session = turn->is_answer ? ft_enip_session(conv) : 0;
    size_t at = ft_enip_begin(turn->out, FT_ENIP_REGISTER, session, 0x31);

    ft_buf_le16(turn->out, 1);
    ft_buf_le16(turn->out, 0);
    ft_enip_end(turn->out, at);
    turn->wait = 3 * FT_MS;
}

void ft_cip_request(struct ft_buf *b, uint8_t service, uint8_t class, uint8_t instance)
{
    ft_buf_u8(b, service);
    ft_buf_u8(b, 2);
    ft_buf_u8(b, 0x20);
    ft_buf_u8(b, class);
    ft_buf_u8(b, 0x24);
    ft_buf_u8(b, instance);
}

void ft_cip_answer(struct ft_buf *b, uint8_t service)
{
    ft_buf_u8(b, service | FT_CIP_REPLY);
    ft_buf_fill(b, 0, 3);
}

static void put_tag_request(struct ft_buf *b, uint8_t service, const char *name)
{
    size_t len = strlen(name);

    ft_buf_u8(b, service);
    ft_buf_u8(b, (unsigned)(2 + len + len % 2) / 2);
    ft_buf_u8(b, 0x91);
    ft_buf_str8(b, name);
    ft_buf_fill(b, 0, len % 2);
}

/* The attributes of the identity object, as Get Attributes All gives them. */
static void put_identity(struct ft_buf *b, const struct ft_enip_identity *identity)
{
    ft_buf_le16(b, VENDOR_ROCKWELL);
    ft_buf_le16(b, identity->device_type);
    ft_buf_le16(b, identity->product_code);
    ft_buf_u8(b, identity->major);
    ft_buf_u8(b, identity->minor);
    ft_buf_le16(b, identity->status);
    ft_buf_le32(b, identity->serial);
    ft_buf_str8(b, identity->name);
}

static void put_sockaddr(struct ft_buf *b, uint32_t ip, uint16_t port)
{
    ft_buf_be16(b, 2);
    ft_buf_be16(b, port);
    ft_buf_be32(b, ip);
    ft_buf_fill(b, 0, 8);
}

void ft_enip_list_identity(struct ft_buf *b, const struct ft_enip_identity *identity, uint32_t ip)
{
    size_t at = ft_enip_begin(b, FT_ENIP_LIST_IDENTITY, 0, 0);

    if (identity != NULL) {
        FT_BUF_LOCAL(item, 128);
        ft_buf_le16(&item, 1);
        put_sockaddr(&item, ip, FT_ENIP_PORT);
        put_identity(&item, identity);
        ft_buf_u8(&item, 3); /* operational */
        ft_buf_le16(b, 1);
        put_item(b, ITEM_IDENTITY, item.data, item.len);
    }
    ft_enip_end(b, at);
}

/* The tags of the controller's program. */
static const char *const tag_names[] = {"Line3_Speed", "Oven_Temp", "Batch_Count", "Mixer_Level"};

static bool is_real(unsigned tag)
{
    return tag == 1;
}

static void put_tag_value(struct ft_buf *b, unsigned tag, uint64_t key, uint64_t now)
{
    uint32_t raw = ft_process_value(key << 8 | tag, now);

    ft_buf_le16(b, is_real(tag) ? TYPE_REAL : TYPE_DINT);
    /* 32768.0 to 65535.0: exponent 2^15, the raw value is the top of the mantissa */
    ft_buf_le32(b, is_real(tag) ? 0x47000000u | raw << 8 : raw);
}

static void put_read(struct ft_buf *cip, bool is_answer, unsigned tag, uint64_t key, uint64_t now)
{
    if (is_answer) {
        ft_cip_answer(cip, CIP_READ_TAG);
        put_tag_value(cip, tag, key, now);
    } else {
        put_tag_request(cip, CIP_READ_TAG, tag_names[tag]);
        ft_buf_le16(cip, 1);
    }
}

static void put_write(struct ft_buf *cip, bool is_answer, unsigned tag, uint64_t key, uint64_t now)
{
    if (is_answer) {
        ft_cip_answer(cip, CIP_WRITE_TAG);
        return;
    }
    put_tag_request(cip, CIP_WRITE_TAG, tag_names[tag]);
    ft_buf_le16(cip, is_real(tag) ? TYPE_REAL : TYPE_DINT);
    ft_buf_le16(cip, 1);
    ft_buf_le32(cip, is_real(tag) ? 0x47000000u : ft_process_value(key, now));
}

/* All tags at once. Offsets count from the field that says how many there are. */
static void put_multiple(struct ft_buf *cip, bool is_answer, uint64_t key, uint64_t now)
{
    enum {
        N_TAGS = 4
    };

    if (is_answer)
        ft_cip_answer(cip, CIP_MULTIPLE);
    else
        ft_cip_request(cip, CIP_MULTIPLE, CLASS_MESSAGE_ROUTER, 1);

    size_t at = cip->len;

    ft_buf_le16(cip, N_TAGS);
    ft_buf_fill(cip, 0, 2 * N_TAGS);
    for (unsigned tag = 0; tag < N_TAGS; tag++) {
        ft_store_le16(cip->data + at + 2 + 2 * tag, (uint16_t)(cip->len - at));
        put_read(cip, is_answer, tag, key, now);
    }
}

struct connection {
    uint32_t o2t_id;
    uint32_t t2o_id;
    uint16_t serial;
    uint16_t vendor;
    uint32_t originator;
    uint32_t rpi_us;
};

static struct connection connection_of(const struct ft_host *client, const struct ft_host *server,
                                       uint32_t rpi_us)
{
    uint64_t mix = ft_rng_hash((uint64_t)client->ip << 32 | server->ip);

    return (struct connection){
        .o2t_id = (uint32_t)mix | 1,
        .t2o_id = (uint32_t)(mix >> 32) | 1,
        .serial = (uint16_t)(mix >> 8),
        .vendor = 0x004d, /* Rockwell Software: the originator is a PC */
        .originator = client->ip,
        .rpi_us = rpi_us,
    };
}

static void put_triad(struct ft_buf *b, const struct connection *c)
{
    ft_buf_le16(b, c->serial);
    ft_buf_le16(b, c->vendor);
    ft_buf_le32(b, c->originator);
}

/* @parameters and @transport: 0x43f8 and 0xa3 for class 3, 0x4808 and 0x01 for class 1. */
static void put_forward_open(struct ft_buf *b, const struct connection *c, uint16_t parameters,
                             uint8_t transport, const uint8_t *path, size_t path_len)
{
    ft_cip_request(b, CIP_FORWARD_OPEN, CLASS_CONNECTION_MANAGER, 1);
    ft_buf_u8(b, 0x0a);
    ft_buf_u8(b, 0x0e);
    ft_buf_le32(b, 0); /* the target chooses */
    ft_buf_le32(b, c->t2o_id);
    put_triad(b, c);
    ft_buf_u8(b, 1);
    ft_buf_fill(b, 0, 3);
    ft_buf_le32(b, c->rpi_us);
    ft_buf_le16(b, parameters);
    ft_buf_le32(b, c->rpi_us);
    ft_buf_le16(b, parameters);
    ft_buf_u8(b, transport);
    ft_buf_u8(b, (unsigned)path_len / 2);
    ft_buf_bytes(b, path, path_len);
}

static void put_forward_open_answer(struct ft_buf *b, const struct connection *c)
{
    ft_cip_answer(b, CIP_FORWARD_OPEN);
    ft_buf_le32(b, c->o2t_id);
    ft_buf_le32(b, c->t2o_id);
    put_triad(b, c);
    ft_buf_le32(b, c->rpi_us);
    ft_buf_le32(b, c->rpi_us);
    ft_buf_le16(b, 0);
}

/* Class 3 to the message router of the controller in slot 0. */
static void talk_open_class3(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t path[] = {0x01, 0x00, 0x20, 0x02, 0x24, 0x01};
    struct connection c = connection_of(conv->client, conv->server, 2000000);

    FT_BUF_LOCAL(cip, CIP_MAX);
    if (turn->is_answer)
        put_forward_open_answer(&cip, &c);
    else
        put_forward_open(&cip, &c, 0x43f8, 0xa3, path, sizeof(path));
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair, &cip);
    turn->wait = 4 * FT_MS;
}

static void talk_scada(struct ft_conv *conv, struct ft_turn *turn)
{
    uint64_t key = conv->server->ip;
    uint64_t now = turn->plant->now;

    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    if (turn->pair == 1) {
        talk_open_class3(conv, turn);
        return;
    }
    struct connection c = connection_of(conv->client, conv->server, 2000000);

    FT_BUF_LOCAL(cip, CIP_MAX);
    if (turn->pair % 4 == 0)
        put_multiple(&cip, turn->is_answer, key, now);
    else if (turn->pair % 30 == 11)
        put_write(&cip, turn->is_answer, 0, key, now);
    else
        put_read(&cip, turn->is_answer, turn->pair % 4, key, now);
    put_connected(turn->out, ft_enip_session(conv), turn->is_answer ? c.t2o_id : c.o2t_id,
                  (uint16_t)turn->pair, &cip);
}

/* An unconnected message on its way to the controller in slot 0. */
static void put_routed(struct ft_buf *b, const struct ft_buf *inner)
{
    ft_cip_request(b, CIP_UNCONNECTED_SEND, CLASS_CONNECTION_MANAGER, 1);
    ft_buf_u8(b, 0x0a);
    ft_buf_u8(b, 0x0e);
    ft_buf_le16(b, (unsigned)inner->len);
    ft_buf_append(b, inner);
    ft_buf_fill(b, 0, inner->len % 2);
    ft_buf_u8(b, 1);
    ft_buf_u8(b, 0);
    ft_buf_be16(b, 0x0100); /* backplane, slot 0 */
}

static void talk_hmi(struct ft_conv *conv, struct ft_turn *turn)
{
    uint64_t key = conv->server->ip;
    uint64_t now = turn->plant->now;

    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    FT_BUF_LOCAL(cip, CIP_MAX);
    FT_BUF_LOCAL(routed, CIP_MAX);
    if (turn->pair % 25 == 24)
        put_write(&cip, turn->is_answer, 1, key, now);
    else
        put_read(&cip, turn->is_answer, turn->pair % 4, key, now);
    if (!turn->is_answer)
        put_routed(&routed, &cip);
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair,
                        turn->is_answer ? &cip : &routed);
}

static void talk_tags(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(cip, CIP_MAX);

    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    put_read(&cip, turn->is_answer, turn->pair % 2, conv->server->ip, turn->plant->now);
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair, &cip);
}

static void talk_identify(struct ft_conv *conv, struct ft_turn *turn)
{
    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    if (turn->pair == 3) {
        if (!turn->is_answer)
            ft_enip_end(turn->out,
                        ft_enip_begin(turn->out, FT_ENIP_UNREGISTER, ft_enip_session(conv), 0));
        turn->is_last = true; /* there is no answer to it */
        return;
    }
    FT_BUF_LOCAL(cip, CIP_MAX);
    FT_BUF_LOCAL(routed, CIP_MAX);
    if (turn->is_answer) {
        ft_cip_answer(&cip, CIP_GET_ALL);
        put_identity(&cip, &ft_enip_controller);
    } else {
        ft_cip_request(&cip, CIP_GET_ALL, CLASS_IDENTITY, 1);
        if (turn->pair == 2)
            put_routed(&routed, &cip);
    }
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair,
                        routed.len > 0 ? &routed : &cip);
}

/* Protected typed logical read of ten words of N7, with three address fields. */
static void talk_pccc(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t read_n7[] = {0xa2, 20, 7, 0x89, 0, 0};
    uint16_t transaction = (uint16_t)(turn->pair + 0x1000);

    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    FT_BUF_LOCAL(cip, CIP_MAX);
    if (turn->is_answer)
        ft_cip_answer(&cip, CIP_EXECUTE_PCCC);
    else
        ft_cip_request(&cip, CIP_EXECUTE_PCCC, CLASS_PCCC, 1);
    ft_buf_u8(&cip, 7); /* requester: length, vendor, serial number */
    ft_buf_le16(&cip, 0x004d);
    ft_buf_le32(&cip, conv->client->ip);
    ft_buf_u8(&cip, turn->is_answer ? 0x4f : 0x0f);
    ft_buf_u8(&cip, 0);
    ft_buf_le16(&cip, transaction);
    if (!turn->is_answer)
        ft_buf_bytes(&cip, read_n7, sizeof(read_n7));
    for (unsigned i = 0; turn->is_answer && i < 10; i++)
        ft_buf_le16(&cip, ft_process_value((uint64_t)conv->server->ip << 8 | i, turn->plant->now));
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair, &cip);
}

/* Input and output assemblies of the adapter; point to point, 50 ms. */
static void talk_io_open(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t path[] = {0x20, 0x04, 0x24, 0x7d, 0x2c, 0x96, 0x2c, 0x64};
    struct connection c = connection_of(conv->client, conv->server, 50000);

    if (turn->pair == 0) {
        ft_enip_register_talk(conv, turn);
        return;
    }
    if (turn->pair > 1) { /* the session stays open, silent */
        turn->wait = 3600 * FT_S;
        return;
    }
    FT_BUF_LOCAL(cip, CIP_MAX);
    c.vendor = VENDOR_ROCKWELL; /* the originator is the controller */
    if (turn->is_answer)
        put_forward_open_answer(&cip, &c);
    else
        put_forward_open(&cip, &c, 0x4812, 0x01, path, sizeof(path));
    ft_enip_unconnected(turn->out, ft_enip_session(conv), turn->pair, &cip);
}

/* Outputs one way (with the run/idle word), inputs the other, each with its own sequence. */
static void talk_io(struct ft_conv *conv, struct ft_turn *turn)
{
    struct connection c = connection_of(conv->client, conv->server, 50000);
    struct ft_buf *b = turn->out;
    uint64_t key = conv->server->ip + turn->is_answer;

    ft_buf_le16(b, 2);
    ft_buf_le16(b, ITEM_SEQUENCED_ADDRESS);
    ft_buf_le16(b, 8);
    ft_buf_le32(b, turn->is_answer ? c.t2o_id : c.o2t_id);
    ft_buf_le32(b, turn->pair + 1);
    ft_buf_le16(b, ITEM_CONNECTED_DATA);
    ft_buf_le16(b, 18);
    ft_buf_le16(b, turn->pair + 1);
    if (!turn->is_answer)
        ft_buf_le32(b, 1); /* run */
    while (b->len < 36)
        ft_buf_le16(b, ft_process_value(key << 8 | b->len, turn->plant->now));
}

const struct ft_conv_kind ft_enip_scada = {
    .talk = talk_scada, .port = FT_ENIP_PORT, .latency_us = 3000};
const struct ft_conv_kind ft_enip_hmi = {
    .talk = talk_hmi, .port = FT_ENIP_PORT, .latency_us = 4000};
const struct ft_conv_kind ft_enip_tags = {
    .talk = talk_tags, .port = FT_ENIP_PORT, .latency_us = 4000};
const struct ft_conv_kind ft_enip_identify = {
    .talk = talk_identify, .port = FT_ENIP_PORT, .latency_us = 4000};
const struct ft_conv_kind ft_enip_pccc = {
    .talk = talk_pccc, .port = FT_ENIP_PORT, .latency_us = 9000};
const struct ft_conv_kind ft_enip_io_open = {
    .talk = talk_io_open, .port = FT_ENIP_PORT, .latency_us = 2000};
const struct ft_conv_kind ft_enip_io = {
    .talk = talk_io, .port = IO_PORT, .is_udp = true, .latency_us = 7000};

void ft_enip_discover(struct ft_plant *plant, struct ft_host *client, uint64_t delay)
{
    static const struct {
        enum ft_cast_host host;
        const struct ft_enip_identity *identity;
    } devices[] = {
        {FT_HOST_LOGIX, &ft_enip_controller},
        {FT_HOST_REMOTE_IO, &ft_enip_adapter},
        {FT_HOST_MICROLOGIX, &ft_enip_small_plc},
    };
    struct ft_host everyone = *client;
    uint16_t port = 50321;

    FT_BUF_LOCAL(message, 256);
    ft_enip_list_identity(&message, NULL, 0);
    memcpy(everyone.mac, FT_MAC_BROADCAST, 6);
    everyone.ip = client->ip | 0xff;
    ft_frame_udp(plant, delay, client, &everyone, port, FT_ENIP_PORT, message.data, message.len);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        struct ft_host *device = &plant->cast->hosts[devices[i].host];

        message.len = 0;
        ft_enip_list_identity(&message, devices[i].identity, device->ip);
        delay += 3 * FT_MS + i * 900 * FT_US;
        ft_frame_udp(plant, delay, device, client, FT_ENIP_PORT, port, message.data, message.len);
    }
}
