/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S7 communication: RFC 1006 (TPKT), ISO 8073 (COTP class 0), Siemens S7-300/400 PDUs as laid out
 * in public dissectors. All fields big-endian.
 */
#include "s7.h"

enum {
    TPKT_AND_COTP = 7,
    S7_SETUP = 0xf0,
    S7_READ = 0x04,
    S7_WRITE = 0x05,
    AREA_INPUT = 0x81,
    AREA_FLAG = 0x83,
    AREA_DB = 0x84,
    SIZE_BIT = 1,
    SIZE_BYTE = 2,
    RESULT_BITS = 3,
    RESULT_BYTES = 4,
    RESULT_OCTETS = 9,
    RESULT_OK = 0xff,
    PDU_SIZE = 480,
    SETUP_PAIRS = 2,
    TSAP_PG_SLOT2 = 0x0102,
    TSAP_OP_SLOT2 = 0x0202,
    TSAP_OTHER_SLOT3 = 0x0303,
    SZL_MODULE = 0x0011,
    SZL_COMPONENT = 0x001c,
    SZL_MODE = 0x0424,
};

/* One variable of a poll: bits when size is SIZE_BIT, else octets. */
struct s7_item {
    uint8_t size;
    uint8_t area;
    uint16_t db;
    uint16_t start;
    uint16_t count;
};

struct s7_plan {
    uint16_t tsap;
    const struct s7_item *reads; /* all in one PDU */
    const struct s7_item *writes;
    uint8_t n_reads;
    uint8_t n_writes;
    uint8_t write_every;
};

static void put_tpkt(struct ft_buf *b, size_t at)
{
    b->data[at] = 3;
    b->data[at + 1] = 0;
    ft_store_be16(b->data + at + 2, (uint16_t)(b->len - at));
}

size_t ft_s7_begin(struct ft_buf *b, enum ft_s7_rosctr rosctr, uint16_t reference)
{
    static const uint8_t cotp_data[] = {0x02, 0xf0, 0x80};
    size_t at = b->len;

    ft_buf_fill(b, 0, 4);
    ft_buf_bytes(b, cotp_data, sizeof(cotp_data));
    ft_buf_u8(b, 0x32);
    ft_buf_u8(b, rosctr);
    ft_buf_be16(b, 0);
    ft_buf_be16(b, reference);
    ft_buf_fill(b, 0, 4);
    if (rosctr == FT_S7_ACK || rosctr == FT_S7_ACK_DATA)
        ft_buf_be16(b, 0); /* error class and code: none */
    return at;
}

static size_t header_len(const struct ft_buf *b, size_t at)
{
    uint8_t rosctr = b->data[at + TPKT_AND_COTP + 1];

    return TPKT_AND_COTP + (rosctr == FT_S7_ACK || rosctr == FT_S7_ACK_DATA ? 12 : 10);
}

void ft_s7_end_parameter(struct ft_buf *b, size_t at)
{
    size_t len = b->len - at - header_len(b, at);

    ft_store_be16(b->data + at + TPKT_AND_COTP + 6, (uint16_t)len);
}

void ft_s7_end(struct ft_buf *b, size_t at)
{
    const uint8_t *len = b->data + at + TPKT_AND_COTP + 6;
    size_t parameter = (size_t)(len[0] << 8 | len[1]);
    size_t data = b->len - at - header_len(b, at) - parameter;

    ft_store_be16(b->data + at + TPKT_AND_COTP + 8, (uint16_t)data);
    put_tpkt(b, at);
}

void ft_s7_bare(struct ft_buf *b, enum ft_s7_rosctr rosctr, uint16_t reference,
                const void *parameter, size_t len)
{
    size_t at = ft_s7_begin(b, rosctr, reference);

    ft_buf_bytes(b, parameter, len);
    ft_s7_end_parameter(b, at);
    ft_s7_end(b, at);
}

/* COTP connection request or confirm; @called is (type << 8 | rack << 5 | slot). */
static void put_connect(struct ft_buf *b, bool is_confirm, uint16_t called)
{
    size_t at = b->len;

    ft_buf_fill(b, 0, 4);
    ft_buf_u8(b, 17);
    ft_buf_u8(b, is_confirm ? 0xd0 : 0xe0);
    ft_buf_be16(b, is_confirm ? 0x0001 : 0x0000); /* destination reference */
    ft_buf_be16(b, is_confirm ? 0x4431 : 0x0001);
    ft_buf_u8(b, 0);        /* class 0 */
    ft_buf_be16(b, 0xc001); /* TPDU size 1024 */
    ft_buf_u8(b, 0x0a);
    ft_buf_be16(b, 0xc102); /* calling TSAP */
    ft_buf_be16(b, 0x0100);
    ft_buf_be16(b, 0xc202); /* called TSAP */
    ft_buf_be16(b, called);
    put_tpkt(b, at);
}

static void put_setup(struct ft_buf *b, bool is_answer, uint16_t reference)
{
    size_t at = ft_s7_begin(b, is_answer ? FT_S7_ACK_DATA : FT_S7_JOB, reference);

    ft_buf_u8(b, S7_SETUP);
    ft_buf_u8(b, 0);
    ft_buf_be16(b, 1);
    ft_buf_be16(b, 1);
    ft_buf_be16(b, is_answer ? PDU_SIZE : 960);
    ft_s7_end_parameter(b, at);
    ft_s7_end(b, at);
}

void ft_s7_setup_talk(struct ft_turn *turn, uint16_t called, uint32_t pair)
{
    turn->wait = turn->is_answer ? 3 * FT_MS : 2 * FT_MS;
    if (pair == 0)
        put_connect(turn->out, turn->is_answer, called);
    else
        put_setup(turn->out, turn->is_answer, 0);
}

static void put_item(struct ft_buf *b, const struct s7_item *item)
{
    ft_buf_u8(b, 0x12);
    ft_buf_u8(b, 10);
    ft_buf_u8(b, 0x10); /* S7ANY */
    ft_buf_u8(b, item->size);
    ft_buf_be16(b, item->count);
    ft_buf_be16(b, item->db);
    ft_buf_be32(b, (uint32_t)item->area << 24 | (uint32_t)item->start << 3);
}

static void put_value(struct ft_buf *b, const struct s7_item *item, uint64_t key, uint64_t now)
{
    if (item->size == SIZE_BIT) {
        ft_buf_u8(b, ft_process_bit(key << 16 | item->start, now));
        return;
    }
    for (uint16_t i = 0; i + 1 < item->count; i += 2)
        ft_buf_be16(b, ft_process_value(key << 16 | (uint16_t)(item->start + i), now));
    if (item->count % 2 == 1)
        ft_buf_u8(b, ft_process_bit(key << 16 | item->start, now) ? 0x05 : 0x04);
}

static void put_result(struct ft_buf *b, const struct s7_item *item, uint8_t code, uint64_t key,
                       uint64_t now)
{
    bool is_bit = item->size == SIZE_BIT;

    ft_buf_u8(b, code);
    ft_buf_u8(b, is_bit ? RESULT_BITS : RESULT_BYTES);
    ft_buf_be16(b, is_bit ? item->count : item->count * 8u);
    put_value(b, item, key, now);
}

static void put_read(struct ft_conv *conv, struct ft_turn *turn, const struct s7_plan *plan)
{
    struct ft_buf *b = turn->out;
    size_t at = ft_s7_begin(b, turn->is_answer ? FT_S7_ACK_DATA : FT_S7_JOB, (uint16_t)turn->pair);

    ft_buf_u8(b, S7_READ);
    ft_buf_u8(b, plan->n_reads);
    if (!turn->is_answer) {
        for (unsigned i = 0; i < plan->n_reads; i++)
            put_item(b, &plan->reads[i]);
        ft_s7_end_parameter(b, at);
    } else {
        ft_s7_end_parameter(b, at);
        for (unsigned i = 0; i < plan->n_reads; i++) {
            bool is_odd = plan->reads[i].size == SIZE_BIT || plan->reads[i].count % 2 == 1;

            put_result(b, &plan->reads[i], RESULT_OK, conv->server->ip, turn->plant->now);
            if (is_odd && i + 1u < plan->n_reads)
                ft_buf_u8(b, 0);
        }
    }
    ft_s7_end(b, at);
}

static void put_write(struct ft_conv *conv, struct ft_turn *turn, const struct s7_item *item)
{
    struct ft_buf *b = turn->out;
    size_t at = ft_s7_begin(b, turn->is_answer ? FT_S7_ACK_DATA : FT_S7_JOB, (uint16_t)turn->pair);

    ft_buf_u8(b, S7_WRITE);
    ft_buf_u8(b, 1);
    if (!turn->is_answer)
        put_item(b, item);
    ft_s7_end_parameter(b, at);
    if (turn->is_answer)
        ft_buf_u8(b, RESULT_OK);
    else
        put_result(b, item, 0, conv->server->ip, turn->plant->now);
    ft_s7_end(b, at);
}

static void talk_poll(struct ft_conv *conv, struct ft_turn *turn)
{
    const struct s7_plan *plan = conv->kind->plan;
    uint32_t poll = turn->pair;

    if (turn->pair < SETUP_PAIRS) {
        ft_s7_setup_talk(turn, plan->tsap, turn->pair);
        return;
    }
    if (plan->write_every > 0 && poll % plan->write_every == plan->write_every - 1u)
        put_write(conv, turn, &plan->writes[poll / plan->write_every % plan->n_writes]);
    else
        put_read(conv, turn, plan);
}

static const struct s7_item hmi_reads[] = {
    {SIZE_BYTE, AREA_DB, 10, 0, 64},   {SIZE_BYTE, AREA_DB, 12, 20, 18},
    {SIZE_BYTE, AREA_FLAG, 0, 100, 5}, {SIZE_BIT, AREA_FLAG, 0, 20, 1},
    {SIZE_BYTE, AREA_INPUT, 0, 0, 4},
};
static const struct s7_item hmi_writes[] = {{SIZE_BYTE, AREA_DB, 20, 4, 4},
                                            {SIZE_BIT, AREA_FLAG, 0, 30, 1}};
static const struct s7_item scada_reads[] = {{SIZE_BYTE, AREA_DB, 100, 0, 200},
                                             {SIZE_BYTE, AREA_DB, 101, 0, 120}};

static const struct s7_plan hmi_plan = {
    .tsap = TSAP_OP_SLOT2,
    .reads = hmi_reads,
    .n_reads = 5,
    .writes = hmi_writes,
    .n_writes = 2,
    .write_every = 20,
};
static const struct s7_plan scada_plan = {
    .tsap = TSAP_OTHER_SLOT3, .reads = scada_reads, .n_reads = 2};

const struct ft_conv_kind ft_s7_hmi = {
    .talk = talk_poll, .port = 102, .latency_us = 6000, .plan = &hmi_plan};
const struct ft_conv_kind ft_s7_scada = {
    .talk = talk_poll, .port = 102, .latency_us = 9000, .plan = &scada_plan};

static void put_szl_request(struct ft_buf *b, uint16_t reference, uint16_t id, uint16_t index)
{
    static const uint8_t parameter[] = {0x00, 0x01, 0x12, 0x04, 0x11, 0x44, 0x01, 0x00};
    size_t at = ft_s7_begin(b, FT_S7_USERDATA, reference);

    ft_buf_bytes(b, parameter, sizeof(parameter));
    ft_s7_end_parameter(b, at);
    ft_buf_u8(b, RESULT_OK);
    ft_buf_u8(b, RESULT_OCTETS);
    ft_buf_be16(b, 4);
    ft_buf_be16(b, id);
    ft_buf_be16(b, index);
    ft_s7_end(b, at);
}

/* The list as records of equal length, already encoded in @records. */
static void put_szl_answer(struct ft_buf *b, uint16_t reference, uint16_t id, uint16_t index,
                           uint16_t record_len, const struct ft_buf *records)
{
    uint8_t parameter[] = {0x00, 0x01, 0x12, 0x08, 0x12, 0x84, 0x01, 0, 0, 0, 0, 0};
    size_t at = ft_s7_begin(b, FT_S7_USERDATA, reference);

    parameter[7] = (uint8_t)reference;
    ft_buf_bytes(b, parameter, sizeof(parameter));
    ft_s7_end_parameter(b, at);
    ft_buf_u8(b, RESULT_OK);
    ft_buf_u8(b, RESULT_OCTETS);
    ft_buf_be16(b, (unsigned)(8 + records->len));
    ft_buf_be16(b, id);
    ft_buf_be16(b, index);
    ft_buf_be16(b, record_len);
    ft_buf_be16(b, (unsigned)(records->len / record_len));
    ft_buf_append(b, records);
    ft_s7_end(b, at);
}

static void put_module_record(struct ft_buf *b, uint16_t index, const char *order,
                              const uint8_t version[4])
{
    ft_buf_be16(b, index);
    ft_buf_padded(b, order, 20, ' ');
    ft_buf_be16(b, 0x00c0);
    ft_buf_bytes(b, version, 4);
}

static void put_module_list(struct ft_buf *b)
{
    static const uint8_t hardware[4] = {0, 5, 0, 1};
    static const uint8_t firmware[4] = {'V', 3, 2, 17};
    static const uint8_t loader[4] = {'A', 9, 9, 9};

    put_module_record(b, 0x0001, "6ES7 315-2ZZ99-0AB0", hardware);
    put_module_record(b, 0x0006, "6ES7 315-2ZZ99-0AB0", hardware);
    put_module_record(b, 0x0007, "", firmware);
    put_module_record(b, 0x0081, "Boot Loader", loader);
}

static void put_component_list(struct ft_buf *b)
{
    static const struct {
        uint16_t index;
        const char *text;
    } records[] = {
        {1, "FILLING-LINE-7"},
        {2, "CPU 315-2 PN/DP"},
        {3, "BOTTLING"},
        {4, "Original Siemens Equipment"},
        {5, "S C-FT0123456789"},
        {7, "CPU 315-2 PN/DP"},
        {8, "MMC FT00C0DE"},
        {9, ""},
        {10, ""},
        {11, "HALL 3 CABINET 12"},
    };

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        ft_buf_be16(b, records[i].index);
        ft_buf_padded(b, records[i].text, 32, 0);
    }
}

static void put_mode_list(struct ft_buf *b)
{
    static const uint8_t run[20] = {0x51, 0x44, 0xff, 0x08}; /* 8 = RUN */

    ft_buf_bytes(b, run, sizeof(run));
}

static void talk_identify(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct {
        uint16_t id;
        uint16_t record_len;
        void (*put)(struct ft_buf *b);
    } lists[] = {
        {SZL_MODULE, 28, put_module_list},
        {SZL_COMPONENT, 34, put_component_list},
        {SZL_MODE, 20, put_mode_list},
    };
    size_t n = sizeof(lists) / sizeof(lists[0]);

    (void)conv;
    if (turn->pair < SETUP_PAIRS) {
        ft_s7_setup_talk(turn, TSAP_PG_SLOT2, turn->pair);
        return;
    }
    uint32_t i = turn->pair - SETUP_PAIRS;

    if (!turn->is_answer) {
        put_szl_request(turn->out, (uint16_t)turn->pair, lists[i].id, 0);
        return;
    }
    FT_BUF_LOCAL(records, 512);
    lists[i].put(&records);
    put_szl_answer(turn->out, (uint16_t)turn->pair, lists[i].id, 0, lists[i].record_len, &records);
    turn->is_last = i == n - 1;
}

const struct ft_conv_kind ft_s7_identify = {.talk = talk_identify, .port = 102, .latency_us = 8000};
