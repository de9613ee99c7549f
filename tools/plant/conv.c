/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport of a conversation: TCP as RFC 9293 and common stacks do it, or plain UDP. */
#include "conv.h"

/* What the conversation does when it acts next. */
enum conv_state {
    CONV_ARP_REQUEST,
    CONV_ARP_REPLY,
    CONV_SYN,
    CONV_SYN_ACK,
    CONV_ACK,
    CONV_TALK,
    CONV_DELAYED_ACK,
    CONV_FIN,
    CONV_FIN_ANSWER,
    CONV_LAST_ACK,
    CONV_END,
};

enum {
    JITTER_PERCENT = 8,
    MID_STREAM_PAIRS = 100, /* said before the capture, so that no set-up is said again */
    EPHEMERAL_FIRST = 49152,
    EPHEMERAL_COUNT = 16384,
};

/* A receiver with nothing to say acknowledges after this time, as most stacks do. */
static const uint64_t DELAYED_ACK = 40 * FT_MS;
/* Gap between segments of one message: a full frame on 100 Mbit/s. */
static const uint64_t SEGMENT_GAP = 122 * FT_US;
/* A receiver acknowledges every second full segment this much later. */
static const uint64_t STREAM_ACK = 60 * FT_US;

static void send_tcp(struct ft_plant *plant, struct ft_conv *conv, bool from_server, uint8_t flags,
                     uint64_t delay, const void *payload, size_t len)
{
    struct ft_host *src = from_server ? conv->server : conv->client;
    struct ft_host *dst = from_server ? conv->client : conv->server;
    uint32_t *seq = from_server ? &conv->server_seq : &conv->client_seq;
    uint32_t peer_seq = from_server ? conv->client_seq : conv->server_seq;
    struct ft_tcp tcp = {
        .src_port = from_server ? conv->kind->port : conv->client_port,
        .dst_port = from_server ? conv->client_port : conv->kind->port,
        .seq = *seq,
        .ack = (flags & FT_TCP_ACK) != 0 ? peer_seq : 0,
        .flags = flags,
    };

    ft_frame_tcp(plant, delay, src, dst, &tcp, payload, len);
    *seq += (uint32_t)len + ((flags & (FT_TCP_SYN | FT_TCP_FIN)) != 0);
}

/* The smaller MSS of the two bounds both directions, as it does in most embedded stacks. */
static size_t segment_size(const struct ft_conv *conv)
{
    return conv->client->mss < conv->server->mss ? conv->client->mss : conv->server->mss;
}

/* Send a message in segments; return after what time the line is free again. */
static uint64_t send_stream(struct ft_plant *plant, struct ft_conv *conv, bool from_server,
                            const struct ft_buf *message)
{
    size_t mss = segment_size(conv);
    uint64_t delay = 0;
    size_t unacked = 0;

    for (size_t off = 0; off < message->len; off += mss, delay += SEGMENT_GAP) {
        bool is_last = message->len - off <= mss;
        size_t len = is_last ? message->len - off : mss;
        uint8_t flags = is_last ? FT_TCP_ACK | FT_TCP_PSH : FT_TCP_ACK;

        send_tcp(plant, conv, from_server, flags, delay, message->data + off, len);
        if (++unacked == 2 && !is_last) {
            send_tcp(plant, conv, !from_server, FT_TCP_ACK, delay + STREAM_ACK, NULL, 0);
            unacked = 0;
        }
    }
    return delay;
}

static void send_message(struct ft_plant *plant, struct ft_conv *conv, struct ft_turn *turn)
{
    if (!conv->kind->is_udp) {
        conv->owes_ack = true;
        conv->ack_by_server = !turn->from_server;
        turn->wait += send_stream(plant, conv, turn->from_server, turn->out);
    } else if (turn->from_server) {
        ft_frame_udp(plant, 0, conv->server, conv->client, conv->kind->port, conv->client_port,
                     turn->out->data, turn->out->len);
    } else {
        ft_frame_udp(plant, 0, conv->client, conv->server, conv->client_port, conv->kind->port,
                     turn->out->data, turn->out->len);
    }
}

static uint64_t preset_wait(struct ft_conv *conv, bool is_answer)
{
    uint64_t latency = conv->kind->latency_us * FT_US;
    uint64_t period = conv->period_us * FT_US;

    if (!is_answer)
        return ft_rng_jitter(&conv->rng, latency, 40);
    return ft_rng_jitter(&conv->rng, period > latency ? period - latency : period, JITTER_PERCENT);
}

static uint64_t talk(struct ft_plant *plant, struct ft_conv *conv)
{
    bool is_answer = (conv->turn & 1) != 0;
    struct ft_turn turn = {
        .plant = plant,
        .out = &plant->payload,
        .pair = conv->turn >> 1,
        .is_answer = is_answer,
        .from_server = is_answer,
        .wait = preset_wait(conv, is_answer),
    };

    plant->payload.len = 0;
    conv->turn++;
    conv->kind->talk(conv, &turn);
    if (turn.out->len > 0)
        send_message(plant, conv, &turn);
    conv->state = turn.is_last ? CONV_FIN : CONV_TALK;
    if (!conv->owes_ack || turn.is_last || turn.wait <= DELAYED_ACK)
        return turn.wait;
    conv->delayed_wait = turn.wait - DELAYED_ACK;
    conv->state = CONV_DELAYED_ACK;
    return DELAYED_ACK;
}

static uint64_t delayed_ack(struct ft_plant *plant, struct ft_conv *conv)
{
    send_tcp(plant, conv, conv->ack_by_server, FT_TCP_ACK, 0, NULL, 0);
    conv->owes_ack = false;
    conv->state = CONV_TALK;
    return conv->delayed_wait;
}

static void begin(struct ft_conv *conv)
{
    bool is_stream = !conv->kind->is_udp;

    conv->turn = (conv->flags & FT_CONV_MID_STREAM) != 0
                     ? 2 * (uint32_t)(MID_STREAM_PAIRS + ft_conv_random(conv, MID_STREAM_PAIRS))
                     : 0;
    conv->client_seq = (uint32_t)ft_rng_next(&conv->rng);
    conv->server_seq = (uint32_t)ft_rng_next(&conv->rng);
    if ((conv->flags & FT_CONV_ARP) != 0)
        conv->state = CONV_ARP_REQUEST;
    else
        conv->state = is_stream && (conv->flags & FT_CONV_MID_STREAM) == 0 ? CONV_SYN : CONV_TALK;
}

static uint64_t end(struct ft_conv *conv)
{
    if ((conv->flags & FT_CONV_REPEAT) != 0) {
        if ((conv->flags & FT_CONV_KEEP_PORT) == 0)
            conv->client_port =
                (uint16_t)(EPHEMERAL_FIRST + (conv->client_port + 1) % EPHEMERAL_COUNT);
        conv->flags &= (uint8_t)~FT_CONV_ARP;
        begin(conv);
        return ft_rng_jitter(&conv->rng, conv->period_us * FT_US, JITTER_PERCENT);
    }
    if ((conv->flags & FT_CONV_OWNED_BY_SELF) != 0)
        free(conv);
    return FT_ACTOR_DONE;
}

/* One step outside of the talk; returns the wait and leaves the next state in @conv. */
static uint64_t step_transport(struct ft_plant *plant, struct ft_conv *conv)
{
    uint64_t round_trip = 150 * FT_US + ft_conv_random(conv, 400 * FT_US);

    switch (conv->state++) {
    case CONV_ARP_REQUEST:
        ft_frame_arp_request(plant, 0, conv->client, conv->client->ip, conv->server->ip);
        return round_trip;
    case CONV_ARP_REPLY:
        ft_frame_arp_reply(plant, 0, conv->server, conv->client);
        if (conv->kind->is_udp || (conv->flags & FT_CONV_MID_STREAM) != 0)
            conv->state = CONV_TALK;
        return round_trip / 2;
    case CONV_SYN:
        send_tcp(plant, conv, false, FT_TCP_SYN, 0, NULL, 0);
        return round_trip;
    case CONV_SYN_ACK:
        send_tcp(plant, conv, true, FT_TCP_SYN | FT_TCP_ACK, 0, NULL, 0);
        return round_trip / 2;
    case CONV_ACK:
        send_tcp(plant, conv, false, FT_TCP_ACK, 0, NULL, 0);
        return round_trip;
    case CONV_FIN:
        if (conv->kind->is_udp)
            return end(conv);
        send_tcp(plant, conv, false, FT_TCP_FIN | FT_TCP_ACK, 0, NULL, 0);
        return round_trip;
    case CONV_FIN_ANSWER:
        send_tcp(plant, conv, true, FT_TCP_FIN | FT_TCP_ACK, 0, NULL, 0);
        return round_trip / 2;
    case CONV_LAST_ACK:
        send_tcp(plant, conv, false, FT_TCP_ACK, 0, NULL, 0);
        return round_trip;
    default:
        return end(conv);
    }
}

static uint64_t act(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_conv *conv = (struct ft_conv *)actor;

    switch (conv->state) {
    case CONV_TALK:
        return talk(plant, conv);
    case CONV_DELAYED_ACK:
        return delayed_ack(plant, conv);
    default:
        return step_transport(plant, conv);
    }
}

void ft_conv_start(struct ft_plant *plant, struct ft_conv *conv, const struct ft_conv_kind *kind,
                   struct ft_host *client, struct ft_host *server, unsigned flags,
                   uint32_t period_us, uint64_t delay)
{
    uint64_t identity = (uint64_t)client->ip << 32 ^ server->ip ^ (uint64_t)kind->port << 16;

    *conv = (struct ft_conv){
        .actor.act = act,
        .kind = kind,
        .client = client,
        .server = server,
        .rng = ft_rng_hash(plant->seed ^ ft_rng_hash(identity) ^ plant->sched.next_order),
        .period_us = period_us,
        .flags = (uint8_t)flags,
    };
    conv->client_port = (flags & FT_CONV_KEEP_PORT) != 0
                            ? kind->port
                            : (uint16_t)(EPHEMERAL_FIRST + ft_conv_random(conv, EPHEMERAL_COUNT));
    begin(conv);
    ft_plant_add(plant, delay, &conv->actor);
}

void ft_conv_open(struct ft_plant *plant, const struct ft_conv_kind *kind, struct ft_host *client,
                  struct ft_host *server, unsigned flags, uint32_t period_us, uint64_t delay)
{
    struct ft_conv *conv = malloc(sizeof(*conv));

    if (conv == NULL) {
        fprintf(stderr, "fieldtap-plant: out of memory for a conversation\n");
        exit(1);
    }
    ft_conv_start(plant, conv, kind, client, server, flags | FT_CONV_OWNED_BY_SELF, period_us,
                  delay);
}

void ft_conv_play(struct ft_conv *conv, struct ft_turn *turn, const struct ft_exchange *script,
                  size_t n, size_t i)
{
    ft_talk_fn *say = turn->is_answer ? script[i].answer : script[i].ask;

    if (say != NULL)
        say(conv, turn);
    if (i == n - 1 && turn->is_answer)
        turn->is_last = true;
}
