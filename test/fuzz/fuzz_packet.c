/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of the packet path: decoder and defragmenter.
 *
 * The input is a link type (1 byte), then packets: two bytes of length and flags, then the bytes.
 * Each is decoded by the straight line and by the loop, which must agree; a fragment goes to the
 * defragmenter, and what that puts together is decoded again, as a worker does.
 */
#include "packet/decoder.h"
#include "packet/defrag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t linktypes[] = {1, 1, 1, 0, 12, 14, 101, 108, 113, 228, 229, 276};

static uint8_t buffer[2][140000];

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void check(const struct ft_packet *p, enum ft_decode_result result)
{
    if (result == FT_DECODE_FAILED) {
        expect(p->bucket >= FT_BUCKET_UNDECODABLE && p->bucket < FT_BUCKET_SHED, "a reason");
        return;
    }
    expect(p->payload <= p->caplen && p->payload_len <= p->caplen - p->payload, "payload is here");
    expect(p->payload_wirelen >= p->payload_len, "the wire has no less than is here");
    expect(p->payload_wirelen == p->payload_len || p->flags & FT_PACKET_CUT, "less is cut");
    expect(p->shard < FT_SHARDS && p->vlan_count <= FT_PACKET_VLANS, "bounds");
    expect((result == FT_DECODE_FRAGMENT) == !!(p->flags & FT_PACKET_FRAGMENT), "fragment flag");
}

static enum ft_decode_result decode(const struct ft_decode_config *config, struct ft_packet *p)
{
    struct ft_decode_config verifying = *config;
    struct ft_packet q = *p, r = *p;
    enum ft_decode_result result = ft_packet_decode(config, p);
    uint32_t checksums =
        FT_PACKET_IP_CHECKSUM_BAD | FT_PACKET_L4_CHECKSUM_BAD | FT_PACKET_CHECKSUM_OPEN;

    verifying.verify_checksums = true;
    expect(ft_packet_decode_loop(&verifying, &q) == result, "line and loop end alike");
    expect(ft_packet_decode(&verifying, &r) == result, "with and without checksums");
    expect(memcmp(&r, &q, sizeof(q)) == 0, "line and loop agree about checksums");
    q.flags &= ~checksums;
    expect(memcmp(p, &q, sizeof(q)) == 0, "line and loop agree");
    check(p, result);
    return result;
}

/* A packet in heap memory of its exact size, then whatever it completes, in turns of two buffers.
 */
static void run_packet(struct ft_defrag *defrag, const struct ft_decode_config *config,
                       struct ft_packet p)
{
    enum ft_decode_result result = decode(config, &p);

    for (unsigned turn = 0; result == FT_DECODE_FRAGMENT; turn ^= 1) {
        struct ft_packet whole;

        if (ft_defrag_add(defrag, &p, buffer[turn], sizeof(buffer[turn]), &whole) != FT_DEFRAG_DONE)
            return;
        expect(whole.flags & FT_PACKET_REASSEMBLED, "marked as put together");
        p = whole;
        result = decode(config, &p);
    }
}

static void forget_all(struct ft_defrag *defrag)
{
    for (unsigned shard = 0; shard < FT_SHARDS; shard++)
        ft_defrag_tick(defrag, (uint8_t)shard, UINT64_MAX);

    struct ft_defrag_stats s = ft_defrag_stats(defrag);

    expect(s.held == 0, "nothing is held after the timeout");
    expect(s.fragments == s.completed + s.expired + s.evicted + s.impossible + s.refused,
           "every fragment is accounted for");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ft_defrag *defrag;
    struct ft_decode_config config;

    if (!defrag)
        defrag = ft_defrag_new(3);
    if (size < 1)
        return 0;
    ft_decode_config_init(&config);

    uint16_t linktype = linktypes[data[0] % (sizeof(linktypes) / sizeof(linktypes[0]))];

    for (data++, size--; size >= 2;) {
        uint32_t head = (uint32_t)data[0] << 8 | data[1];
        uint32_t len = head & 0x7fff;

        data += 2;
        size -= 2;
        len = len < size ? len : (uint32_t)size;

        uint8_t *copy = malloc(len ? len : 1);
        struct ft_packet p = {.data = copy,
                              .caplen = len,
                              .wirelen = head & 0x8000 ? 2 * len : len,
                              .linktype = linktype};

        memcpy(copy, data, len);
        run_packet(defrag, &config, p);
        free(copy);
        data += len;
        size -= len;
    }
    forget_all(defrag);
    return 0;
}
