/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNP3 (IEEE 1815): link frames with CRCs, transport segments, application fragments. All fields
 * little-endian.
 */
#include "dnp3.h"

enum {
    LINK_HEADER = 8,
    LINK_BLOCK = 16,
    LINK_USER_MAX = 250,
    CTRL_DIR = 0x80,
    CTRL_PRM = 0x40,
    CTRL_UNCONFIRMED = 4,
    TRANSPORT_FIN = 0x80,
    TRANSPORT_FIR = 0x40,
    QUALIFIER_RANGE8 = 0x00,
    QUALIFIER_RANGE16 = 0x01,
    QUALIFIER_ALL = 0x06,
    QUALIFIER_COUNT8 = 0x07,
    QUALIFIER_INDEX8 = 0x17,
    QUALIFIER_INDEX16 = 0x28,
    FLAG_ONLINE = 0x01,
    IIN1_CLASS1 = 0x02,
    IIN1_NEED_TIME = 0x10,
    IIN1_RESTART = 0x80,
    APP_MAX = 2048,
    N_BINARY = 40,
    N_ANALOG = 180, /* makes the integrity answer longer than four link frames */
    N_COUNTER = 12,
};

/* Poll numbers modulo CYCLE choose what is said; periods are in the cast. */
enum {
    START_PAIRS = 6,
    CYCLE = 42,          /* a multiple of 3: no confirm falls on a poll chosen below */
    RESTART_SEEN = 0x80, /* in memo8 */
};

static uint16_t crc_table[256];

__attribute__((constructor)) static void fill_crc_table(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint16_t crc = (uint16_t)i;

        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0xa6bc : crc >> 1);
        crc_table[i] = crc;
    }
}

static void put_crc(struct ft_buf *b, size_t from)
{
    uint16_t crc = 0;

    for (size_t i = from; i < b->len; i++)
        crc = (uint16_t)(crc >> 8 ^ crc_table[(crc ^ b->data[i]) & 0xff]);
    ft_buf_le16(b, (uint16_t)~crc);
}

struct ft_dnp3_link ft_dnp3_link_of(const struct ft_conv *conv)
{
    return (struct ft_dnp3_link){
        .master = FT_DNP3_MASTER,
        .outstation = (uint16_t)(10 + (conv->server->ip & 0x7fff)),
    };
}

static void put_link_header(struct ft_buf *b, struct ft_dnp3_link link, bool from_master,
                            size_t user_len)
{
    size_t at = b->len;

    ft_buf_be16(b, 0x0564);
    ft_buf_u8(b, (unsigned)(5 + user_len));
    ft_buf_u8(b, (from_master ? CTRL_DIR : 0u) | CTRL_PRM | CTRL_UNCONFIRMED);
    ft_buf_le16(b, from_master ? link.outstation : link.master);
    ft_buf_le16(b, from_master ? link.master : link.outstation);
    put_crc(b, at);
}

static void put_link_data(struct ft_buf *b, const uint8_t *data, size_t len)
{
    for (size_t off = 0; off < len; off += LINK_BLOCK) {
        size_t at = b->len;

        ft_buf_bytes(b, data + off, len - off < LINK_BLOCK ? len - off : LINK_BLOCK);
        put_crc(b, at);
    }
}

uint8_t ft_dnp3_frames(struct ft_buf *b, struct ft_dnp3_link link, bool from_master,
                       uint8_t sequence, const struct ft_buf *app)
{
    size_t step = LINK_USER_MAX - 1;

    for (size_t off = 0; off < app->len; off += step, sequence++) {
        bool is_last = app->len - off <= step;
        size_t len = is_last ? app->len - off : step;
        uint8_t user[LINK_USER_MAX];

        user[0] = (uint8_t)((off == 0 ? TRANSPORT_FIR : 0) | (is_last ? TRANSPORT_FIN : 0) |
                            (sequence & 0x3f));
        memcpy(user + 1, app->data + off, len);
        put_link_header(b, link, from_master, len + 1);
        put_link_data(b, user, len + 1);
    }
    return sequence;
}

static void put_object_all(struct ft_buf *b, uint8_t group, uint8_t variation)
{
    ft_buf_u8(b, group);
    ft_buf_u8(b, variation);
    ft_buf_u8(b, QUALIFIER_ALL);
}

static void put_range8(struct ft_buf *b, uint8_t group, uint8_t variation, uint8_t first,
                       uint8_t last)
{
    ft_buf_u8(b, group);
    ft_buf_u8(b, variation);
    ft_buf_u8(b, QUALIFIER_RANGE8);
    ft_buf_u8(b, first);
    ft_buf_u8(b, last);
}

/* Every point of the outstation, as an integrity poll wants them. */
static void put_static_data(struct ft_buf *b, uint64_t key, uint64_t now)
{
    put_range8(b, 1, 2, 0, N_BINARY - 1);
    for (unsigned i = 0; i < N_BINARY; i++)
        ft_buf_u8(b, FLAG_ONLINE | (unsigned)ft_process_bit(key << 16 | i, now) << 7);
    put_range8(b, 30, 1, 0, N_ANALOG - 1);
    for (unsigned i = 0; i < N_ANALOG; i++) {
        ft_buf_u8(b, FLAG_ONLINE);
        ft_buf_le32(b, ft_process_value(key << 16 | i, now));
    }
    put_range8(b, 20, 1, 0, N_COUNTER - 1);
    for (unsigned i = 0; i < N_COUNTER; i++) {
        ft_buf_u8(b, FLAG_ONLINE);
        ft_buf_le32(b, (uint32_t)(now / FT_S) * (i + 1));
    }
    put_range8(b, 10, 2, 0, 3);
    for (unsigned i = 0; i < 4; i++)
        ft_buf_u8(b, FLAG_ONLINE | (unsigned)ft_process_bit(key << 16 | (900 + i), now) << 7);
}

/* Two binary and three analog events. */
static void put_events(struct ft_buf *b, uint64_t key, uint64_t now)
{
    ft_buf_u8(b, 2);
    ft_buf_u8(b, 2);
    ft_buf_u8(b, QUALIFIER_INDEX8);
    ft_buf_u8(b, 2);
    for (unsigned i = 0; i < 2; i++) {
        unsigned index = (unsigned)(ft_rng_hash(key + i + now / FT_S) % N_BINARY);

        ft_buf_u8(b, index);
        ft_buf_u8(b, FLAG_ONLINE | (unsigned)ft_process_bit(key << 16 | index, now) << 7);
        ft_buf_le48(b, (now - (i + 1) * 300 * FT_MS) / FT_MS);
    }
    ft_buf_u8(b, 32);
    ft_buf_u8(b, 1);
    ft_buf_u8(b, QUALIFIER_INDEX16);
    ft_buf_le16(b, 3);
    for (unsigned i = 0; i < 3; i++) {
        ft_buf_le16(b, i * 7);
        ft_buf_u8(b, FLAG_ONLINE);
        ft_buf_le32(b, ft_process_value(key << 16 | i * 7, now));
    }
}

/* The name plate: group 0, one object a variation, answered to a read of g0v254. */
static void put_attributes(struct ft_buf *b)
{
    static const struct {
        uint8_t variation;
        const char *text;
    } attributes[] = {
        {242, "R113-V2"},      {243, "HW 4"},      {245, "SUBSTATION NORTH"},    {247, "FEEDER-12"},
        {248, "FT3001234567"}, {250, "RTU-2000X"}, {252, "Example Relays Inc."},
    };

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        put_range8(b, 0, attributes[i].variation, 0, 0);
        ft_buf_u8(b, 1); /* visible string */
        ft_buf_str8(b, attributes[i].text);
    }
}

/* Control relay output block: pulse the breaker of point @index, @close or trip. */
static void put_crob(struct ft_buf *b, uint8_t index, bool close)
{
    ft_buf_u8(b, 12);
    ft_buf_u8(b, 1);
    ft_buf_u8(b, QUALIFIER_INDEX8);
    ft_buf_u8(b, 1);
    ft_buf_u8(b, index);
    ft_buf_u8(b, close ? 0x41 : 0x81);
    ft_buf_u8(b, 1);
    ft_buf_le32(b, 250);
    ft_buf_le32(b, 0);
    ft_buf_u8(b, 0);
}

static void put_classes(struct ft_buf *b, bool with_static)
{
    put_object_all(b, 60, 2);
    put_object_all(b, 60, 3);
    put_object_all(b, 60, 4);
    if (with_static)
        put_object_all(b, 60, 1);
}

static void put_app(struct ft_buf *b, unsigned control, uint8_t sequence, uint8_t function)
{
    ft_buf_u8(b, control | (sequence & 0x0f));
    ft_buf_u8(b, function);
}

/* Internal indications: a restarted outstation says so until the master clears the bit. */
static void put_indications(struct ft_buf *b, const struct ft_turn *turn, struct ft_conv *conv)
{
    bool restarted = turn->plant->restarted == conv->server;

    if (restarted)
        conv->memo8 |= RESTART_SEEN;

    ft_buf_u8(b, restarted ? IIN1_RESTART | IIN1_NEED_TIME : 0);
    ft_buf_u8(b, 0);
}

/* What this poll is about. */
enum poll {
    POLL_EVENTS,
    POLL_INTEGRITY,
    POLL_DISABLE_UNSOLICITED,
    POLL_ENABLE_UNSOLICITED,
    POLL_TIME,
    POLL_ATTRIBUTES,
    POLL_SELECT,
    POLL_OPERATE,
    POLL_UNSOLICITED,
    POLL_CLEAR_RESTART,
    POLL_CONFIRM, /* of the events in the answer before */
};

static void put_request_objects(struct ft_buf *b, enum poll poll, uint32_t pair, uint64_t now)
{
    switch (poll) {
    case POLL_EVENTS:
    case POLL_INTEGRITY:
        put_classes(b, poll == POLL_INTEGRITY);
        break;
    case POLL_DISABLE_UNSOLICITED:
    case POLL_ENABLE_UNSOLICITED:
        put_classes(b, false);
        break;
    case POLL_TIME:
        ft_buf_bytes(b, (const uint8_t[]){50, 1, QUALIFIER_COUNT8, 1}, 4);
        ft_buf_le48(b, now / FT_MS);
        break;
    case POLL_ATTRIBUTES:
        put_range8(b, 0, 254, 0, 0);
        break;
    case POLL_CLEAR_RESTART:
        put_range8(b, 80, 1, 7, 7);
        ft_buf_u8(b, 0);
        break;
    default:
        put_crob(b, 3, pair / CYCLE % 2 == 0);
        break;
    }
}

static bool has_events(uint32_t pair)
{
    return pair % 3 == 0;
}

static void put_answer_objects(struct ft_buf *b, enum poll poll, const struct ft_conv *conv,
                               uint32_t pair, uint64_t now)
{
    uint64_t key = conv->server->ip;

    switch (poll) {
    case POLL_EVENTS:
        if (has_events(pair))
            put_events(b, key, now);
        break;
    case POLL_INTEGRITY:
        put_static_data(b, key, now);
        break;
    case POLL_ATTRIBUTES:
        put_attributes(b);
        break;
    case POLL_SELECT:
    case POLL_OPERATE:
        put_crob(b, 3, pair / CYCLE % 2 == 0);
        break;
    default:
        break;
    }
}

static uint8_t function_of(enum poll poll)
{
    switch (poll) {
    case POLL_DISABLE_UNSOLICITED:
        return FT_DNP3_DISABLE_UNSOLICITED;
    case POLL_ENABLE_UNSOLICITED:
        return FT_DNP3_ENABLE_UNSOLICITED;
    case POLL_TIME:
    case POLL_CLEAR_RESTART:
        return FT_DNP3_WRITE;
    case POLL_SELECT:
        return FT_DNP3_SELECT;
    case POLL_OPERATE:
        return FT_DNP3_OPERATE;
    case POLL_CONFIRM:
        return FT_DNP3_CONFIRM;
    default:
        return FT_DNP3_READ;
    }
}

/* memo32 keeps what the last poll was (low octet) and the application sequence number. */
static enum poll last_poll(const struct ft_conv *conv)
{
    return (enum poll)(conv->memo32 & 0xff);
}

static uint8_t last_sequence(const struct ft_conv *conv)
{
    return (uint8_t)(conv->memo32 >> 8 & 0x0f);
}

static void next_poll(struct ft_conv *conv, enum poll poll)
{
    bool is_request = poll != POLL_UNSOLICITED && poll != POLL_CONFIRM;
    uint32_t sequence = last_sequence(conv) + (is_request ? 1u : 0u);

    conv->memo32 = (sequence & 0x0f) << 8 | poll;
}

static enum poll choose_poll(const struct ft_conv *conv, const struct ft_turn *turn)
{
    static const uint8_t start[START_PAIRS] = {
        POLL_DISABLE_UNSOLICITED, POLL_INTEGRITY,          POLL_TIME,
        POLL_ATTRIBUTES,          POLL_ENABLE_UNSOLICITED, POLL_EVENTS,
    };

    if (last_poll(conv) == POLL_EVENTS && turn->pair > 0 && has_events(turn->pair - 1))
        return POLL_CONFIRM;
    if (conv->kind->is_udp && turn->pair == 0)
        return POLL_INTEGRITY;
    if (!conv->kind->is_udp && turn->pair < START_PAIRS)
        return start[turn->pair];
    if ((conv->memo8 & RESTART_SEEN) != 0)
        return POLL_CLEAR_RESTART;
    switch (turn->pair % CYCLE) {
    case 9:
    case 21:
    case 33:
        return conv->kind->is_udp ? POLL_EVENTS : POLL_UNSOLICITED;
    case 15:
        return POLL_SELECT;
    case 16:
        return last_poll(conv) == POLL_SELECT ? POLL_OPERATE : POLL_EVENTS;
    case 30:
        return POLL_INTEGRITY;
    default:
        return POLL_EVENTS;
    }
}

/* The pair is turned round: the outstation reports by itself, the master confirms. */
static void put_unsolicited(struct ft_conv *conv, struct ft_turn *turn, struct ft_buf *app)
{
    uint8_t control = FT_DNP3_APP_SINGLE | FT_DNP3_APP_UNSOLICITED;

    turn->from_server = !turn->is_answer;
    if (turn->is_answer) {
        put_app(app, control, conv->memo8, FT_DNP3_CONFIRM);
        conv->memo8 = (uint8_t)((conv->memo8 & RESTART_SEEN) | ((conv->memo8 + 1) & 0x0f));
        return;
    }
    put_app(app, control | FT_DNP3_APP_CONFIRM, conv->memo8, FT_DNP3_UNSOLICITED);
    ft_buf_u8(app, IIN1_CLASS1);
    ft_buf_u8(app, 0);
    put_events(app, conv->server->ip, turn->plant->now);
}

static void put_request(struct ft_conv *conv, struct ft_turn *turn, enum poll poll,
                        struct ft_buf *app)
{
    put_app(app, FT_DNP3_APP_SINGLE, last_sequence(conv), function_of(poll));
    if (poll != POLL_CONFIRM)
        put_request_objects(app, poll, turn->pair, turn->plant->now);
}

static void put_answer(struct ft_conv *conv, struct ft_turn *turn, enum poll poll,
                       struct ft_buf *app)
{
    bool wants_confirm = poll == POLL_EVENTS && has_events(turn->pair);

    if (poll == POLL_CLEAR_RESTART) {
        turn->plant->restarted = NULL;
        conv->memo8 &= (uint8_t)~RESTART_SEEN;
    }
    put_app(app, FT_DNP3_APP_SINGLE | (wants_confirm ? FT_DNP3_APP_CONFIRM : 0u),
            last_sequence(conv), FT_DNP3_RESPONSE);
    put_indications(app, turn, conv);
    put_answer_objects(app, poll, conv, turn->pair, turn->plant->now);
    if (wants_confirm)
        turn->wait = 4 * FT_MS;
    if (poll == POLL_SELECT)
        turn->wait = 300 * FT_MS; /* operate must follow select soon */
}

/* memo8 counts unsolicited responses; memo16 keeps the transport sequence numbers: the master's
 * low, the outstation's high. */
static void send_app(struct ft_conv *conv, struct ft_turn *turn, const struct ft_buf *app)
{
    uint8_t sequence = (uint8_t)(turn->from_server ? conv->memo16 >> 8 : conv->memo16);

    sequence = ft_dnp3_frames(turn->out, ft_dnp3_link_of(conv), !turn->from_server, sequence, app);
    if (turn->from_server)
        conv->memo16 = (uint16_t)((conv->memo16 & 0xff) | sequence << 8);
    else
        conv->memo16 = (uint16_t)((conv->memo16 & 0xff00) | sequence);
}

static void talk_poll(struct ft_conv *conv, struct ft_turn *turn)
{
    FT_BUF_LOCAL(app, APP_MAX);

    if (!turn->is_answer)
        next_poll(conv, choose_poll(conv, turn));

    enum poll poll = last_poll(conv);

    if (poll == POLL_CONFIRM && turn->is_answer)
        return; /* nothing answers a confirm */
    if (poll == POLL_UNSOLICITED)
        put_unsolicited(conv, turn, &app);
    else if (turn->is_answer)
        put_answer(conv, turn, poll, &app);
    else
        put_request(conv, turn, poll, &app);
    send_app(conv, turn, &app);
}

const struct ft_conv_kind ft_dnp3_tcp = {.talk = talk_poll, .port = 20000, .latency_us = 12000};
const struct ft_conv_kind ft_dnp3_udp = {
    .talk = talk_poll, .port = 20000, .is_udp = true, .latency_us = 15000};
