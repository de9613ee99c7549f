/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A conversation between two hosts over TCP or UDP.
 *
 * The engine does the transport: ARP, handshake, sequence numbers, segmentation, acknowledgements,
 * the end. What is said comes from a talk function, which is asked for one message after the other.
 * Messages come in pairs: the first of a pair is normally the client's request, the second the
 * server's answer; a script turns a pair round when the server speaks first.
 */
#ifndef FT_PLANT_CONV_H
#define FT_PLANT_CONV_H

#include "frame.h"

struct ft_conv;

/** One message that is about to be sent. The engine presets everything; talk changes it. */
struct ft_turn {
    struct ft_plant *plant;
    struct ft_buf *out; /* empty; what talk writes here is sent, nothing written: nothing sent */
    uint32_t pair;      /* counts the pairs of this conversation from 0 */
    bool is_answer;     /* second message of the pair */
    bool from_server;   /* preset: is_answer */
    bool is_last;       /* close the conversation after this message */
    uint64_t wait;      /* ns to the next message; preset: latency, then the rest of the period */
};

typedef void ft_talk_fn(struct ft_conv *conv, struct ft_turn *turn);

/** What is common to all conversations of one kind; constant. */
struct ft_conv_kind {
    ft_talk_fn *talk;
    uint16_t port;       /* of the server */
    bool is_udp;         /* else TCP */
    uint32_t latency_us; /* from request to answer, about */
    const void *plan;    /* for talk: what to poll, for example */
};

enum {
    FT_CONV_NEW = 0,            /* begins with ARP and, on TCP, a handshake */
    FT_CONV_MID_STREAM = 1,     /* was there before the capture began */
    FT_CONV_KEEP_PORT = 2,      /* client uses a fixed port: the server's */
    FT_CONV_REPEAT = 4,         /* begins anew one period after its end */
    FT_CONV_ARP = 8,            /* resolves the address of the server first */
    FT_CONV_OWNED_BY_SELF = 16, /* frees itself at the end */
};

/** A conversation. Kept small: a benchmark has a million of them. */
struct ft_conv {
    struct ft_actor actor;
    const struct ft_conv_kind *kind;
    struct ft_host *client;
    struct ft_host *server;
    uint64_t rng;
    uint64_t delayed_wait; /* what is left to wait after a delayed acknowledgement */
    uint32_t client_seq;   /* next octet that the client sends */
    uint32_t server_seq;
    uint32_t period_us; /* from request to request */
    uint32_t turn;      /* messages so far */
    uint16_t client_port;
    uint8_t state;      /* enum conv_state */
    uint8_t flags;      /* FT_CONV_* */
    bool owes_ack;      /* the receiver of the last message has not acknowledged it yet */
    bool ack_by_server; /* who that receiver is */
    uint8_t memo8;      /* these belong to the talk function */
    uint16_t memo16;
    uint32_t memo32;
};

/**
 * Set up @conv and let it begin @delay ns from now. It must stay in place while it lives.
 * @seed makes its random numbers its own.
 */
void ft_conv_start(struct ft_plant *plant, struct ft_conv *conv, const struct ft_conv_kind *kind,
                   struct ft_host *client, struct ft_host *server, unsigned flags,
                   uint32_t period_us, uint64_t delay);

/** The same for a conversation that is allocated here and frees itself at its end. */
void ft_conv_open(struct ft_plant *plant, const struct ft_conv_kind *kind, struct ft_host *client,
                  struct ft_host *server, unsigned flags, uint32_t period_us, uint64_t delay);

/** One pair of a script: what is asked and what is answered. NULL: nothing is sent. */
struct ft_exchange {
    ft_talk_fn *ask;
    ft_talk_fn *answer;
};

/** Play pair number @i of @script (of @n pairs) as this turn; the last answer ends it. */
void ft_conv_play(struct ft_conv *conv, struct ft_turn *turn, const struct ft_exchange *script,
                  size_t n, size_t i);

/** A random number of this conversation in 0..@n - 1. */
static inline uint64_t ft_conv_random(struct ft_conv *conv, uint64_t n)
{
    return ft_rng_below(&conv->rng, n);
}

#endif
