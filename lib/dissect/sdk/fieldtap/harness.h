/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The harness: runs dissectors without a sensor, for unit tests and fuzzing. No EAL, no files, no
 * threads. It frames streams, dissects, keeps the state of flows, and gives back what a sensor
 * would emit with everything logged.
 *
 * One harness is used by one thread. Every function that returns text returns a buffer owned by the
 * harness, valid until the next call.
 */
#ifndef FIELDTAP_HARNESS_H
#define FIELDTAP_HARNESS_H

#include <fieldtap/dissector.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ft_harness;

/** A flow that a test feeds. Flows with the same `id` share state. */
struct ft_harness_flow {
    uint32_t id;          /**< names the flow; any number */
    uint8_t transport;    /**< enum ft_transport; FT_TRANSPORT_TCP is fed as a stream */
    const char *protocol; /**< name of the dissector of the flow; NULL: the one that another flow
                             told of by ft_expect_flow() */
    uint16_t client_port, server_port;
    uint8_t client_mac[6], server_mac[6];
    uint8_t is_midstream;                 /**< the start of the flow was not seen */
    uint8_t ttl;                          /**< of the packets that are fed */
    uint8_t ip_version;                   /**< 4 or 6; 0: the packets have no IP addresses */
    uint8_t client_ip[16], server_ip[16]; /**< network order */
    uint8_t lan; /**< of the packets that are fed: 10 or 11 with PRP, else 0 */
};

/** Make a harness with these dissectors (ended by NULL); NULL and a message in `error` if refused.
 */
struct ft_harness *ft_harness_new(const struct ft_dissector *const *dissectors, char *error,
                                  size_t error_size);
void ft_harness_free(struct ft_harness *h);

/**
 * Forget all flows and their state, as if the harness were new, in a hundredth of the time: for a
 * fuzzer's next input. False when memory is short; then the harness may only be freed.
 */
bool ft_harness_forget(struct ft_harness *h);

/**
 * Feed bytes of one direction at packet time `time_ns`: a datagram, a frame's payload, or the next
 * bytes of a TCP stream. Returns one JSON object a line, in the order of creation:
 *   {"message":{"protocol","command","code","qualifier","class","kind","direction","paired",
 *               "client_sub","server_sub"},"<protocol>":{fields}}
 *   {"violation":{"protocol","name","offset","length"}}
 *   {"fact":{"party","sub","fact","value"}}          {"address":{"ip","mac"}}
 *   {"fact":{"of","fact","value"}} of ft_asset_of()  {"address":{"ip","mac","lease"}}
 *   (of ft_asset_management() "management" in place of "lease")
 *   {"port":{"device","mac"}} of ft_asset_port()
 * A line that begins with {"error" tells of wrong use.
 */
const char *ft_harness_feed(struct ft_harness *h, const struct ft_harness_flow *flow,
                            enum ft_direction direction, uint64_t time_ns, const void *bytes,
                            uint32_t length);

/**
 * As ft_harness_feed() for bytes whose end was cut off by the snap length: no violation for it. On
 * a stream a gap of one byte follows them: the next bytes to give are those behind it.
 */
const char *ft_harness_feed_cut(struct ft_harness *h, const struct ft_harness_flow *flow,
                                enum ft_direction direction, uint64_t time_ns, const void *bytes,
                                uint32_t length);

/**
 * Let packet time go on to `time_ns`: fires ft_expect_within() and expires requests:
 *   {"violation":{"protocol","name"}}    {"unanswered":{"protocol","command"}}
 */
const char *ft_harness_tick(struct ft_harness *h, uint64_t time_ns);

/** What the probe of a dissector says to these bytes. */
enum ft_verdict ft_harness_probe(struct ft_harness *h, const struct ft_harness_flow *flow,
                                 enum ft_direction direction, const void *bytes, uint32_t length);

#ifdef __cplusplus
}
#endif
#endif
