/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the S7comm dissector with PDUs made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fieldtap/harness.h>

#define SECOND 1000000000ull

extern const struct ft_dissector ft_dissector_tpkt, ft_dissector_cotp, ft_dissector_s7comm;

static struct ft_harness_flow flow;
static struct ft_harness *h;
static uint64_t now;

static int setup(void **state)
{
    const struct ft_dissector *const all[] = {&ft_dissector_tpkt, &ft_dissector_cotp,
                                              &ft_dissector_s7comm, NULL};
    char error[256] = "";
    (void)state;
    now = SECOND;
    flow = (struct ft_harness_flow){.id = 1,
                                    .transport = FT_TRANSPORT_TCP,
                                    .protocol = "tpkt",
                                    .client_port = 50000,
                                    .server_port = 102};
    h = ft_harness_new(all, error, sizeof(error));
    if (!h)
        fprintf(stderr, "%s\n", error);
    return h ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ft_harness_free(h);
    return 0;
}

/* ---- making PDUs --------------------------------------------------------------------------- */

struct bytes {
    uint8_t data[2048];
    uint32_t length;
};

#define BYTES(...)                                                                                 \
    ((struct bytes){.data = {__VA_ARGS__}, .length = sizeof((uint8_t[]){__VA_ARGS__})})
static const struct bytes none;

static void add(struct bytes *to, const void *bytes, uint32_t length)
{
    memcpy(to->data + to->length, bytes, length);
    to->length += length;
}

static struct bytes join(struct bytes a, struct bytes b)
{
    add(&a, b.data, b.length);
    return a;
}

static struct bytes text(const char *s)
{
    struct bytes b = {.length = 0};
    add(&b, s, (uint32_t)strlen(s));
    return b;
}

/* A text filled up to a width with blanks. */
static struct bytes padded(const char *s, uint32_t width)
{
    struct bytes b = {.length = width};
    memset(b.data, ' ', width);
    memcpy(b.data, s, strlen(s));
    return b;
}

/* TPKT and COTP around what is there. */
static struct bytes packet(struct bytes tsdu)
{
    uint32_t length = tsdu.length + 7;
    return join(BYTES(3, 0, (uint8_t)(length >> 8), (uint8_t)length, 2, 0xf0, 0x80), tsdu);
}

static struct bytes pdu(uint8_t rosctr, uint16_t reference, uint16_t error, struct bytes parameters,
                        struct bytes data)
{
    struct bytes b = BYTES(0x32, rosctr, 0, 0, (uint8_t)(reference >> 8), (uint8_t)reference,
                           (uint8_t)(parameters.length >> 8), (uint8_t)parameters.length,
                           (uint8_t)(data.length >> 8), (uint8_t)data.length);
    if (rosctr == 2 || rosctr == 3)
        b = join(b, BYTES((uint8_t)(error >> 8), (uint8_t)error));
    return join(join(b, parameters), data);
}

static const char *feed(enum ft_direction direction, struct bytes b)
{
    now += SECOND / 100;
    return ft_harness_feed(h, &flow, direction, now, b.data, b.length);
}

static const char *job(uint16_t reference, struct bytes parameters, struct bytes data)
{
    return feed(FT_TO_SERVER, packet(pdu(1, reference, 0, parameters, data)));
}

static const char *answer(uint16_t reference, struct bytes parameters, struct bytes data)
{
    return feed(FT_TO_CLIENT, packet(pdu(3, reference, 0, parameters, data)));
}

/* Data of userdata: return code, octet string, length. */
static struct bytes with_head(struct bytes data)
{
    return join(BYTES(0xff, 9, (uint8_t)(data.length >> 8), (uint8_t)data.length), data);
}

static const char *request(uint16_t reference, uint8_t group, uint8_t sub, struct bytes data)
{
    return feed(FT_TO_SERVER,
                packet(pdu(7, reference, 0, BYTES(0, 1, 0x12, 4, 0x11, 0x40 | group, sub, 0),
                           with_head(data))));
}

static const char *part(uint16_t reference, uint8_t group, uint8_t sub, uint8_t unit, uint8_t more,
                        uint16_t error, struct bytes data)
{
    return feed(FT_TO_CLIENT, packet(pdu(7, reference, 0,
                                         BYTES(0, 1, 0x12, 8, 0x12, 0x80 | group, sub, 1, unit,
                                               more, (uint8_t)(error >> 8), (uint8_t)error),
                                         with_head(data))));
}

static const char *response(uint16_t reference, uint8_t group, uint8_t sub, struct bytes data)
{
    return part(reference, group, sub, 0, 0, 0, data);
}

static const char *push(uint8_t group, uint8_t sub, struct bytes data)
{
    return feed(FT_TO_CLIENT,
                packet(pdu(7, 0, 0, BYTES(0, 1, 0x12, 4, 0x11, group, sub, 0), with_head(data))));
}

static const char *call(void)
{
    return feed(FT_TO_SERVER, BYTES(3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 5, 0, 0xc0, 1, 10, 0xc1, 2, 1,
                                    0, 0xc2, 2, 1, 2));
}

static const char *accept_call(void)
{
    return feed(FT_TO_CLIENT, BYTES(3, 0, 0, 14, 9, 0xd0, 0, 5, 0, 9, 0, 0xc0, 1, 10));
}

/* A connection with a PDU size of 480. */
static void connect(void)
{
    call();
    accept_call();
    job(1, BYTES(0xf0, 0, 0, 1, 0, 1, 1, 0xe0), none);
    answer(1, BYTES(0xf0, 0, 0, 1, 0, 1, 1, 0xe0), none);
}

#define assert_has(text_, what)                                                                    \
    do {                                                                                           \
        const char *out_ = (text_);                                                                \
        if (!strstr(out_, (what)))                                                                 \
            fail_msg("no %s in\n%s", (what), out_);                                                \
    } while (0)
#define assert_has_not(text_, what)                                                                \
    do {                                                                                           \
        const char *out_ = (text_);                                                                \
        if (strstr(out_, (what)))                                                                  \
            fail_msg("%s in\n%s", (what), out_);                                                   \
    } while (0)

#define DB_ITEM(type, count, db, byte, bit)                                                        \
    0x12, 10, 0x10, (type), 0, (count), 0, (db), 0x84, 0, (byte) >> 5,                             \
        (uint8_t)((byte) << 3 | (bit))

/* ---- jobs ---------------------------------------------------------------------------------- */

static void test_setup(void **state)
{
    (void)state;
    call();
    accept_call();
    const char *out = job(1, BYTES(0xf0, 0, 0, 1, 0, 2, 3, 0xc0), none);
    assert_has(out, "\"protocol\":\"s7comm\",\"command\":\"setup_communication\",\"code\":240,"
                    "\"qualifier\":0,\"class\":\"session\",\"kind\":\"request\","
                    "\"direction\":\"to_server\",\"paired\":false,\"server_sub\":\"slot 0/2\"");
    assert_has(out, "\"rosctr\":\"job\"");
    assert_has(out, "\"max_calling\":1,\"max_called\":2,\"negotiated_pdu\":960");
    assert_has(out, "\"value\":\"engineering\"");
    out = answer(1, BYTES(0xf0, 0, 0, 1, 0, 1, 0, 0xf0), none);
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(out, "\"negotiated_pdu\":240");
    assert_has(out, "\"sub\":\"slot 0/2\",\"fact\":\"role\",\"value\":\"plc\"");
    assert_has(out, "\"fact\":\"vendor\",\"value\":\"Siemens\"");
    assert_has_not(out, "violation");
}

static void test_read(void **state)
{
    (void)state;
    connect();
    const char *out =
        job(2,
            BYTES(0x04, 4, DB_ITEM(1, 1, 7, 40, 3), DB_ITEM(5, 1, 8, 2, 0), 0x12, 10, 0x10, 0x1d, 0,
                  1, 0, 0, 0x1d, 0, 0, 5, 0x12, 10, 0x10, 4, 0, 3, 0, 0, 0x83, 0, 0, 0x50),
            none);
    assert_has(out, "\"command\":\"read_var\",\"code\":4,\"qualifier\":0,\"class\":\"read\"");
    assert_has(out, "\"item_count\":4");
    assert_has(out, "\"address\":\"DB7.DBX40.3\",\"area\":\"db\",\"area_code\":132,\"db\":7,"
                    "\"start_byte\":40,\"bit\":3,\"type\":\"bit\",\"type_code\":1,\"count\":1");
    assert_has(out, "\"address\":\"DB8.DBW2\"");
    assert_has(out, "\"address\":\"T5\"");
    assert_has(out, "\"number\":5");
    assert_has(out, "\"address\":\"MW10\"");
    assert_has_not(out, "violation");

    out = answer(2, BYTES(0x04, 4),
                 BYTES(0xff, 3, 0, 1, 1, 0, 0xff, 4, 0, 16, 0xff, 0xfe, 0x0a, 0, 0, 0, 0xff, 4, 0,
                       48, 1, 2, 3, 4, 5, 6));
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(out, "\"address\":\"DB7.DBX40.3\"");
    assert_has(out, "\"result\":\"ok\",\"result_code\":255,\"data_type\":\"bit\","
                    "\"data_type_code\":3,\"data\":\"01\",\"value\":1");
    assert_has(out, "\"data\":\"fffe\",\"value\":-2");
    assert_has(out, "\"result\":\"object_missing\"");
    assert_has(out, "\"data\":\"010203040506\"}");
    assert_has_not(out, "violation");
}

static void test_write(void **state)
{
    (void)state;
    connect();
    const char *out = job(3, BYTES(0x05, 2, DB_ITEM(2, 1, 1, 0, 0), DB_ITEM(8, 1, 1, 4, 0)),
                          BYTES(0, 4, 0, 8, 0x2a, 0, 0, 7, 0, 4, 0x41, 0x20, 0, 0));
    assert_has(out, "\"command\":\"write_var\",\"code\":5,\"qualifier\":0,\"class\":\"write\"");
    assert_has(out, "\"address\":\"DB1.DBB0\"");
    assert_has(out, "\"data\":\"2a\",\"value\":42");
    assert_has(out, "\"address\":\"DB1.DBD4\"");
    assert_has(out, "\"data\":\"41200000\",\"value\":10");
    assert_has_not(out, "violation");
    out = answer(3, BYTES(0x05, 2), BYTES(0xff, 0x05));
    assert_has(out, "\"address\":\"DB1.DBB0\"");
    assert_has(out, "\"result\":\"out_of_range\"");
    assert_has_not(out, "violation");
}

static void test_many_items(void **state)
{
    struct bytes items = BYTES(0x04, 20);
    struct bytes values = none;
    (void)state;
    connect();
    for (uint8_t i = 0; i < 20; i++) {
        items = join(items, BYTES(DB_ITEM(2, 1, 1, i, 0)));
        values = join(values, BYTES(0xff, 4, 0, 8, i));
        if (i < 19)
            values = join(values, BYTES(0));
    }
    assert_has_not(job(4, items, none), "violation");
    const char *out = answer(4, BYTES(0x04, 20), values);
    assert_has_not(out, "violation");
    assert_has(out, "\"address\":\"DB1.DBB5\"");
    assert_has_not(out, "\"address\":\"DB1.DBB6\""); /* six are kept with the job */
    assert_has(out, "\"data\":\"13\"");
}

static void test_other_syntaxes(void **state)
{
    (void)state;
    connect();
    const char *out = job(5, BYTES(0x04, 1, 0x12, 8, 0x82, 0x41, 0, 2, 0, 3, 0x7f, 1), none);
    assert_has(out, "\"syntax\":\"nck\"");
    assert_has(out, "\"nck_area\":\"channel\",\"nck_area_code\":2,\"nck_unit\":1,"
                    "\"nck_column\":2,\"nck_line\":3,\"nck_module\":127");
    out = job(6, BYTES(0x04, 1, 0x12, 10, 0xa2, 0, 0, 0, 0, 0, 0, 9, 0, 4), none);
    assert_has(out, "\"parameter\":9,\"index\":4");
    out = job(7, BYTES(0x04, 1, 0x12, 12, 0xb0, 2, 10, 0, 68, 1, 0x66, 4, 0, 72, 0, 50), none);
    assert_has(out, "\"syntax\":\"db_read\"");
    assert_has(out, "\"address\":\"DB68.DBB358\"");
    assert_has(out, "\"address\":\"DB72.DBB50\"");
    out = job(8,
              BYTES(0x04, 1, 0x12, 14, 0xb2, 0xff, 0x8a, 0x0e, 0, 5, 0x11, 0x22, 0x33, 0x44, 0x20,
                    0, 0, 9),
              none);
    assert_has(out, "\"db\":5,\"symbol_crc\":287454020");
    out = job(
        9,
        BYTES(0x04, 1, 0x12, 14, 0xb2, 0xff, 0, 0, 0, 0x52, 0x11, 0x22, 0x33, 0x44, 0x20, 0, 0, 9),
        none);
    assert_has(out, "\"area\":\"flag\"");
    assert_has_not(out, "violation");
}

static void test_stop(void **state)
{
    struct bytes stop = join(BYTES(0x29, 0, 0, 0, 0, 0, 9), text("P_PROGRAM"));
    (void)state;
    connect();
    const char *out = job(10, stop, none);
    assert_has(out, "\"command\":\"plc_stop\",\"code\":41,\"qualifier\":0,\"class\":\"mode\"");
    assert_has(out, "\"violation\":{\"protocol\":\"s7comm\",\"name\":\"plc_stop\"");
    assert_has(out, "\"pi_service\":\"P_PROGRAM\"");
    out = answer(10, BYTES(0x29), none);
    assert_has(out, "\"class\":\"mode\",\"kind\":\"response\"");
    assert_has(out, "\"fact\":\"mode\",\"value\":\"stop\"");
    assert_has_not(out, "violation");
    job(11, stop, none);
    out = feed(FT_TO_CLIENT, packet(pdu(3, 11, 0xd0a1, BYTES(0x29), none)));
    assert_has_not(out, "\"fact\"");
}

static struct bytes pi(struct bytes argument, const char *name)
{
    struct bytes b = BYTES(0x28, 0, 0, 0, 0, 0, 0, 0xfd, 0, (uint8_t)argument.length);
    b = join(b, argument);
    b = join(b, BYTES((uint8_t)strlen(name)));
    return join(b, text(name));
}

static void test_pi_services(void **state)
{
    (void)state;
    connect();
    const char *out = job(11, pi(none, "P_PROGRAM"), none);
    assert_has(out, "\"command\":\"plc_start\",\"code\":40,\"qualifier\":4,\"class\":\"mode\"");
    assert_has_not(out, "violation");
    assert_has(answer(11, BYTES(0x28), none), "\"command\":\"plc_start\"");
    assert_has(job(12, pi(text("C "), "P_PROGRAM"), none), "\"pi_argument\":\"C\"");

    out = job(13, pi(join(BYTES(1, 0), text("0A00001P")), "_INSE"), none);
    assert_has(out, "\"command\":\"activate_block\"");
    assert_has(out, "\"class\":\"program\"");
    assert_has(out, "\"blocks\":[{\"type\":\"db\",\"type_code\":12353,\"number\":1}]");
    assert_has(job(14, pi(join(BYTES(1, 0), text("0800035B")), "_DELE"), none),
               "\"command\":\"delete_block\"");
    out = job(15, pi(text("EP"), "_MODU"), none);
    assert_has(out, "\"command\":\"copy_ram_to_rom\"");
    assert_has(out, "\"pi_argument\":\"EP\"");
    out = job(16, pi(none, "_WHAT"), none);
    assert_has(out, "\"command\":\"pi_service\",\"code\":40,\"qualifier\":0");
    assert_has(out, "\"pi_service\":\"_WHAT\"");
    out = job(17, pi(join(BYTES(4), text("P01 ")), "_N_SELECT"), none);
    assert_has(out, "\"command\":\"nc_select_program\"");
    assert_has(out, "\"pi_argument\":\"P01\"");
    /* Without its job an answer does not say which service. */
    assert_has(answer(99, BYTES(0x28), none), "\"qualifier\":0");
}

static void test_secrets(void **state)
{
    (void)state;
    connect();
    const char *out = job(18, pi(join(BYTES(7), text("SUNRISE")), "_N_LOGIN_"), none);
    assert_has(out, "\"class\":\"auth\"");
    assert_has(out, "\"password_seen\":true");
    assert_has_not(out, "SUNRISE");
    assert_has_not(out, "53554e52495345");
    out = request(19, 5, 1, BYTES(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88));
    assert_has(out, "\"command\":\"plc_password\"");
    assert_has(out, "\"class\":\"auth\"");
    assert_has(out, "\"password_seen\":true");
    assert_has(out, "\"password\":");
    assert_has_not(out, "1122334455667788");
    out = part(19, 5, 1, 0, 0, 0xd602, none);
    assert_has(out, "\"kind\":\"exception\"");
    assert_has(out, "\"error\":\"password_wrong\"");
    assert_has(out, "\"name\":\"wrong_password\",\"offset\":27,\"length\":2");
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* A data block of 80 bytes with know-how protection. */
static struct bytes block(void)
{
    struct bytes b = BYTES(0x70, 0x70, 1, 1, 5, 10, 0, 1, 0, 0, 0, 80, 0, 0, 0, 3,
                           /* a millisecond of 1984-01-02, a day later */
                           0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 8);
    b = join(b, BYTES(1, 2, 3, 4, 5, 6, 7, 8));
    b = join(b, padded("ANNA", 8));
    b = join(b, padded("PUMPS", 8));
    b = join(b, padded("LEVEL", 8));
    return join(b, BYTES(0x12, 0, 0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, 0));
}

static struct bytes transfer(struct bytes bytes)
{
    return join(BYTES((uint8_t)(bytes.length >> 8), (uint8_t)bytes.length, 0, 0xfb), bytes);
}

static struct bytes slice(struct bytes b, uint32_t from, uint32_t to)
{
    struct bytes s = {.length = to - from};
    memcpy(s.data, b.data + from, to - from);
    return s;
}

static void test_download(void **state)
{
    struct bytes name = join(BYTES(0, 0, 0, 0, 0, 0, 0, 9), text("_0A00001P"));
    (void)state;
    connect();
    const char *out = job(20, join(join(BYTES(0x1a), name), text("\r1000080000008")), none);
    assert_has(out, "\"command\":\"request_download\",\"code\":26,\"qualifier\":0,"
                    "\"class\":\"program\"");
    assert_has(out, "\"file\":\"_0A00001P\",\"block_type\":\"db\",\"block_type_code\":12353,"
                    "\"block_number\":1,\"block_destination\":\"passive\"");
    assert_has(out, "\"load_size\":80,\"code_size\":8");
    answer(20, BYTES(0x1a), none);

    /* The controller asks for the block. */
    out = feed(FT_TO_CLIENT, packet(pdu(1, 0x7001, 0, join(BYTES(0x1b), name), none)));
    assert_has(out, "\"command\":\"download_block\"");
    assert_has(out, "\"kind\":\"request\",\"direction\":\"to_client\"");
    out = feed(FT_TO_SERVER,
               packet(pdu(3, 0x7001, 0, BYTES(0x1b, 1), transfer(slice(block(), 0, 50)))));
    assert_has(out, "\"kind\":\"response\",\"direction\":\"to_server\",\"paired\":true");
    assert_has(out, "\"more\":true");
    assert_has(out, "\"block_type\":\"db\"");
    assert_has_not(out, "block_author");
    feed(FT_TO_CLIENT, packet(pdu(1, 0x7002, 0, join(BYTES(0x1b), name), none)));
    out = feed(FT_TO_SERVER,
               packet(pdu(3, 0x7002, 0, BYTES(0x1b, 0), transfer(slice(block(), 50, 80)))));
    assert_has(out, "\"more\":false");
    assert_has(out, "\"block_language\":\"db\"");
    assert_has(out, "\"block_protected\":true");
    assert_has(out,
               "\"block_author\":\"ANNA\",\"block_family\":\"PUMPS\",\"block_name\":\"LEVEL\"");
    assert_has(out, "\"block_version\":\"1.2\",\"block_checksum\":43981");
    assert_has(out, "\"block_code_time\":\"1984-01-02T00:00:00.001");
    out = feed(FT_TO_CLIENT, packet(pdu(1, 0x7003, 0, join(BYTES(0x1c), name), none)));
    assert_has(out, "\"command\":\"download_ended\"");
    assert_has_not(out, "violation");
}

static void test_upload(void **state)
{
    (void)state;
    connect();
    const char *out = job(30, join(BYTES(0x1d, 0, 0, 0, 0, 0, 0, 0, 9), text("_0E00004A")), none);
    assert_has(out,
               "\"command\":\"start_upload\",\"code\":29,\"qualifier\":0,\"class\":\"upload\"");
    assert_has(out, "\"block_type\":\"fb\",\"block_type_code\":12357,\"block_number\":4,"
                    "\"block_destination\":\"active\"");
    out = answer(30, join(BYTES(0x1d, 0, 1, 0, 0, 0, 0, 7, 7), text("0000080")), none);
    assert_has(out, "\"upload_id\":7");
    assert_has(out, "\"load_size\":80");
    out = job(31, BYTES(0x1e, 0, 0, 0, 0, 0, 0, 7), none);
    assert_has(out, "\"upload_id\":7");
    out = answer(31, BYTES(0x1e, 0), transfer(block()));
    assert_has(out, "\"block_data_length\":80");
    assert_has(out, "\"block_author\":\"ANNA\"");
    out = job(32, BYTES(0x1f, 0, 0, 0, 0, 0, 0, 7), none);
    assert_has(out, "\"command\":\"end_upload\"");
    assert_has_not(out, "violation");
}

static void test_transfer_out_of_order(void **state)
{
    struct bytes name = join(BYTES(0, 0, 0, 0, 0, 0, 0, 9), text("_0A00001P"));
    (void)state;
    connect();
    assert_has(job(33, BYTES(0x1e, 0, 0, 0, 0, 0, 0, 7), none), "transfer_out_of_order");
    assert_has(feed(FT_TO_CLIENT, packet(pdu(1, 0x7001, 0, join(BYTES(0x1b), name), none))),
               "transfer_out_of_order");
    job(34, join(BYTES(0x1a), name), none);
    assert_has_not(feed(FT_TO_CLIENT, packet(pdu(1, 0x7001, 0, join(BYTES(0x1b), name), none))),
                   "transfer_out_of_order");
}

static void test_block_functions(void **state)
{
    (void)state;
    connect();
    assert_has(request(40, 3, 1, none), "\"command\":\"list_blocks\"");
    const char *out = response(40, 3, 1, BYTES('0', '8', 0, 3, '0', 'A', 0, 9));
    assert_has(out, "\"blocks\":[{\"type\":\"ob\",\"type_code\":12344,\"count\":3},"
                    "{\"type\":\"db\",\"type_code\":12353,\"count\":9}]");
    assert_has(request(41, 3, 2, text("0A")), "\"block_type\":\"db\"");
    /* In two parts. */
    out = part(41, 3, 2, 9, 1, 0, BYTES(0, 1, 0x22));
    assert_has(out, "\"ud_data_unit\":9,\"ud_is_last\":false");
    assert_has_not(out, "\"blocks\"");
    out = part(42, 3, 2, 9, 0, 0, BYTES(5, 0, 2, 0x22, 4));
    assert_has(out, "\"blocks\":[{\"number\":1,\"language\":\"db\",\"language_code\":5},"
                    "{\"number\":2,\"language\":\"scl\",\"language_code\":4}]");
    out = request(43, 3, 3, text("0B32768B"));
    assert_has(out, "\"block_type\":\"sdb\",\"block_type_code\":12354,\"block_number\":32768,"
                    "\"block_destination\":\"both\"");
    struct bytes info = join(BYTES(1, 0, 0, 74, 0, 0), slice(block(), 0, 36));
    out = response(43, 3, 3, join(info, slice(block(), 44, 80)));
    assert_has(out, "\"block_author\":\"ANNA\"");
    out = part(44, 3, 3, 0, 0, 0xd241, none);
    assert_has(out, "\"name\":\"protected\"");
}

/* ---- userdata ------------------------------------------------------------------------------ */

static struct bytes identity(uint8_t index, const char *order, uint32_t version)
{
    struct bytes b = join(BYTES(0, index), padded(order, 20));
    return join(b, BYTES(0, 0xc0, (uint8_t)(version >> 24), (uint8_t)(version >> 16),
                         (uint8_t)(version >> 8), (uint8_t)version));
}

static void test_identity(void **state)
{
    (void)state;
    connect();
    const char *out = request(50, 4, 1, BYTES(0, 0x11, 0, 0));
    assert_has(out, "\"command\":\"read_szl\",\"code\":1796,\"qualifier\":1,"
                    "\"class\":\"diagnostic\"");
    assert_has(out, "\"szl_id\":17,\"szl_index\":0");
    struct bytes list = BYTES(0, 0x11, 0, 0, 0, 28, 0, 3);
    list = join(list, identity(1, "6ES7 317-2AJ10-0AB0", 0x00020001));
    list = join(list, identity(6, "6ES7 317-2AJ10-0AB0", 0x00030001));
    list = join(list, identity(7, "", 0x56020608));
    out = response(50, 4, 1, list);
    assert_has(out, "\"order_number\":\"6ES7 317-2AJ10-0AB0\",\"version\":\"2\"");
    assert_has(out, "\"fact\":\"model\",\"value\":\"6ES7 317-2AJ10-0AB0\"");
    assert_has(out, "\"fact\":\"hardware\",\"value\":\"3\"");
    assert_has(out, "\"fact\":\"firmware\",\"value\":\"V2.6.8\"");
    assert_has(out, "\"sub\":\"slot 0/2\"");
    assert_has(out, "\"paired\":true");
}

static void test_components_in_parts(void **state)
{
    static const char *const names[12] = {NULL,        "STATION_A", "CPU_A", "PLANT",
                                          "COPYRIGHT", "S C-X123",  NULL,    "CPU 317",
                                          "MMC 1",     NULL,        NULL,    ""};
    struct bytes list = BYTES(0, 0x1c, 0, 0, 0, 34, 0, 8);
    (void)state;
    connect();
    for (uint8_t i = 1; i < 12; i++)
        if (names[i])
            list = join(list, join(BYTES(0, i), padded(names[i], 32)));
    request(51, 4, 1, BYTES(0, 0x1c, 0, 0));
    assert_has_not(part(51, 4, 1, 6, 1, 0, slice(list, 0, 100)), "\"fact\"");
    /* The rest is fetched by a request that names nothing. */
    feed(FT_TO_SERVER, packet(pdu(7, 52, 0, BYTES(0, 1, 0x12, 8, 0x12, 0x44, 1, 1, 0, 0, 0, 0),
                                  BYTES(0x0a, 0, 0, 0))));
    assert_has_not(part(52, 4, 1, 6, 1, 0, slice(list, 100, 200)), "\"fact\"");
    const char *out = part(53, 4, 1, 6, 0, 0, slice(list, 200, list.length));
    assert_has(out, "\"fact\":\"name\",\"value\":\"STATION_A\"");
    assert_has(out, "\"fact\":\"serial\",\"value\":\"S C-X123\"");
    assert_has(out, "\"fact\":\"description\",\"value\":\"CPU 317\"");
    assert_has(out, "\"fact\":\"location\",\"value\":\"PLANT\"");
    assert_has(out, "\"index\":8,\"text\":\"MMC 1\"");
    assert_has_not(out, "\"value\":\"\"");
}

static void test_part_without_start(void **state)
{
    (void)state;
    connect();
    /* Opens a unit; the gap is the sensor's affair. A new first part replaces nothing. */
    part(54, 4, 1, 7, 1, 0, BYTES(0, 0x11, 0, 0, 0, 28, 0, 1));
    const char *out = part(55, 4, 1, 7, 0, 0, identity(1, "6ES7", 0));
    assert_has(out, "\"value\":\"6ES7\"");
    assert_has_not(out, "violation");
}

static void test_state_lists(void **state)
{
    (void)state;
    connect();
    const char *out = response(60, 4, 1,
                               BYTES(0x04, 0x24, 0, 0, 0, 20, 0, 1, 0x51, 0x42, 0xff, 0x48, 0, 0, 0,
                                     0, 0, 0, 0, 0, 0x14, 8, 0x20, 0x12, 0, 0x49, 0x54, 0x84));
    assert_has(out, "\"mode\":\"run\",\"mode_code\":8");
    assert_has(out, "\"previous_mode\":\"stop\"");
    assert_has(out, "\"fact\":\"mode\",\"value\":\"run\"");

    struct bytes status = BYTES(0x01, 0x32, 0, 4, 0, 40, 0, 1, 0, 4, 0, 1, 0, 0, 0, 3, 0, 2, 0, 0,
                                0, 0, 0x56, 0x56, 0, 0, 0, 1, 0, 0, 0, 2);
    out = response(61, 4, 1, join(status, padded("", 16)));
    assert_has(out, "\"protection_key\":1,\"protection_set\":0,\"protection\":3,"
                    "\"switch\":\"run_p\"");
    assert_has(out, "\"hardware_checksum\":1,\"program_checksum\":2");
    assert_has(out, "\"value\":\"level 3, switch run_p\"");

    struct bytes ethernet = BYTES(0, 0x37, 0, 0, 0, 48, 0, 1, 7, 0xff, 10, 0, 0, 5, 255, 255, 255,
                                  0, 10, 0, 0, 1, 0, 0x1b, 0x1b, 1, 2, 3);
    out = response(62, 4, 1, join(ethernet, padded("", 28)));
    assert_has(out, "\"ip\":\"10.0.0.5\"");
    assert_has(out, "\"address\":{\"ip\":\"10.0.0.5\",\"mac\":\"00:1b:1b:01:02:03\"}");

    out = response(63, 4, 1,
                   BYTES(0x0d, 0x91, 0, 0, 0, 16, 0, 2, 0, 0, 4, 0, 0, 1, 0xc1, 0x23, 0xc1, 0x23, 0,
                         0, 0, 2, 0, 0, 0x80, 1, 5, 0, 0, 9, 0xc1, 0x24, 0xc1, 0x24, 0, 0, 0, 2, 0,
                         0));
    assert_has(out, "\"rack\":0,\"slot\":4,\"address\":1");
    assert_has(out, "\"sub\":\"slot 0/4\",\"fact\":\"description\",\"value\":\"module type c123\"");
    assert_has_not(out, "c124\"}}"); /* a station of a bus is another device */

    out = response(64, 4, 1, BYTES(0, 0x19, 0, 0, 0, 4, 0, 1, 0, 5, 1, 2));
    assert_has(out, "\"leds\":[{\"id\":5,\"on\":true,\"blinks\":2}]");
    out = response(65, 4, 1,
                   BYTES(0x01, 0xa0, 0, 1, 0, 20, 0, 1, 0x43, 0x04, 0xff, 0x84, 0, 0, 0, 1, 0, 0, 0,
                         2, 0x94, 1, 9, 0x21, 0x53, 0x42, 0x15, 0x23));
    assert_has(out, "\"id\":17156,\"priority\":255,\"ob\":132,\"info1\":1,\"info2\":2,"
                    "\"time\":\"1994-01-09T21:53:42.152");
    /* An extract of the header only, and a count that is not there. */
    assert_has_not(response(66, 4, 1, BYTES(0x0f, 0x11, 0, 0, 0, 28, 0, 1)), "identities");
    assert_has_not(response(67, 4, 1, BYTES(0, 0x11, 0, 0, 0, 28, 0xff, 0xff)), "identities");
}

static const char *protection(uint8_t level, uint8_t position)
{
    struct bytes status = BYTES(0x01, 0x32, 0, 4, 0, 40, 0, 1, 0, 4, 0, 1, 0, 0, 0, level, 0,
                                position, 0, 0, 0, 0, 0x56, 0x56, 0, 0, 0, 1, 0, 0, 0, 2);
    return response(61, 4, 1, join(status, padded("", 16)));
}

static void test_protection_lowered(void **state)
{
    (void)state;
    connect();
    assert_has_not(protection(1, 2), "violation");
    assert_has_not(protection(2, 1), "violation");
    assert_has_not(protection(2, 1), "violation");
    assert_has(protection(2, 2), "protection_lowered");
    assert_has_not(protection(2, 2), "violation");
    assert_has_not(protection(3, 3), "violation");
    assert_has(protection(1, 3), "protection_lowered");
}

static void test_refused_list(void **state)
{
    (void)state;
    connect();
    request(68, 4, 1, BYTES(0x02, 0x22, 0, 0x50));
    const char *out = part(68, 4, 1, 0, 0, 0xd401, none);
    assert_has(out, "\"kind\":\"exception\"");
    assert_has(out, "\"error\":\"information_unavailable\"");
    assert_has(out, "\"szl_id\":546,\"szl_index\":80");
}

static void test_mode_transition(void **state)
{
    (void)state;
    connect();
    const char *out =
        feed(FT_TO_CLIENT, packet(pdu(7, 0, 0, BYTES(1, 0, 0x10, 0x10, 0, 0, 0, 0), none)));
    assert_has(out, "\"command\":\"mode_transition\",\"code\":1792,\"qualifier\":0,"
                    "\"class\":\"event\",\"kind\":\"unsolicited\",\"direction\":\"to_client\"");
    assert_has(out, "\"mode\":\"stop\"");
    assert_has(out, "\"fact\":\"mode\",\"value\":\"stop\"");
    out = feed(FT_TO_CLIENT, packet(pdu(7, 0, 0, BYTES(1, 0, 0x10, 0x10, 0, 0, 2, 0), none)));
    assert_has(out, "\"value\":\"run\"");
}

static void test_clock(void **state)
{
    (void)state;
    connect();
    const char *out =
        request(70, 7, 2, BYTES(0, 0x19, 0x14, 0x08, 0x20, 0x11, 0x59, 0x33, 0x04, 0));
    assert_has(out, "\"command\":\"set_clock\",\"code\":1799,\"qualifier\":2,\"class\":\"config\"");
    assert_has(out, "\"time\":\"2014-08-20T11:59:33.040");
    out = response(71, 7, 1, BYTES(0, 0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x59, 0x99, 0x94));
    assert_has(out, "\"time\":\"2024-02-29T23:59:59.999");
    out = response(72, 7, 1, BYTES(0, 0x20, 0x24, 0x13, 0x29, 0x23, 0x59, 0x59, 0x99, 0x94));
    assert_has_not(out, "\"time\":\"2");
}

static void test_programmer(void **state)
{
    struct bytes test = BYTES(0, 20, 0, 28, 0, 0, 0, 1, 0, 1, 0, 6, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2,
                              0, 0, 2, 2, 1, 0, 0, 0, 4, 0x10, 1, 0, 0, 0, 8);
    (void)state;
    connect();
    const char *out =
        request(80, 1, 8, join(test, BYTES(0, 9, 0, 2, 0xde, 0xad, 0, 9, 0, 1, 1, 0)));
    assert_has(out, "\"command\":\"modify_variable\"");
    assert_has(out, "\"class\":\"write\"");
    assert_has(out, "\"trigger\":\"cycle_start\"");
    assert_has(out, "\"address\":\"MW4\"");
    assert_has(out, "\"data\":\"dead\",\"value\":57005");
    assert_has(out, "\"address\":\"I8.1\"");
    assert_has_not(out, "violation");
    out = request(81, 1, 0x0c, none);
    assert_has(out, "\"class\":\"mode\"");
    assert_has(out, "\"name\":\"memory_reset\"");
    assert_has_not(response(81, 1, 0x0c, none), "violation");
    assert_has(request(82, 1, 0x09, none), "\"command\":\"force\"");
    assert_has(request(83, 1, 0x16, none), "\"command\":\"flash_led\"");
    assert_has(push(1, 2, none), "\"class\":\"data\",\"kind\":\"unsolicited\"");
}

static void test_cyclic(void **state)
{
    (void)state;
    connect();
    const char *out = request(90, 2, 1, BYTES(0, 1, 1, 5, DB_ITEM(4, 1, 30, 4, 0)));
    assert_has(out, "\"command\":\"cyclic_read\"");
    assert_has(out, "\"class\":\"read\"");
    assert_has(out, "\"interval_ms\":5000");
    assert_has(out, "\"address\":\"DB30.DBW4\"");
    out = push(2, 1, BYTES(0, 2, 0xff, 4, 0, 8, 1, 0, 0xff, 4, 0, 16, 1, 2));
    assert_has(out, "\"class\":\"data\",\"kind\":\"unsolicited\"");
    assert_has(out, "\"data\":\"01\"");
    assert_has(out, "\"data\":\"0102\"");
    out = request(91, 2, 4, BYTES(1, 2));
    assert_has(out, "\"command\":\"cyclic_unsubscribe\"");
    assert_has(out, "\"job_id\":2");
}

static void test_alarms(void **state)
{
    (void)state;
    connect();
    const char *out = push(4, 5,
                           BYTES(0x94, 1, 6, 0, 0x47, 0x42, 0x69, 0x75, 0x40, 2, 0x12, 10, 0x16, 1,
                                 0, 0, 0, 0xaf, 1, 2, 3, 4, 0xff, 9, 0, 1, 7, 0, 0x12, 10, 0x16, 0,
                                 0, 0, 0, 0xb0, 0, 0, 0xff, 0xfe));
    assert_has(out, "\"command\":\"alarm_8_indication\"");
    assert_has(out, "\"class\":\"event\"");
    assert_has(out, "\"time\":\"1994-01-06T00:47:42.697");
    assert_has(out, "\"event_id\":175,\"state\":2,\"ack_going\":3,\"ack_coming\":4");
    assert_has(out, "\"event_id\":176");
    out = request(100, 4, 0x0b, BYTES(9, 1, 0x12, 8, 0x19, 0, 0, 0, 0, 0xaf, 1, 2));
    assert_has(out, "\"command\":\"alarm_ack\"");
    assert_has(out, "\"event_id\":175,\"ack_going\":1,\"ack_coming\":2");
    out = request(101, 4, 7, BYTES(9, 1, 0x12, 6, 0x15, 0, 0, 0, 0, 0xaf));
    assert_has(out, "\"command\":\"alarm_lock\"");
    assert_has(out, "\"class\":\"config\"");
    assert_has(out, "\"event_id\":175");
    out = request(102, 4, 0x13, BYTES(0, 1, 0x12, 8, 0x1a, 0, 1, 0x34, 0, 0, 0, 4));
    assert_has(out, "\"alarm_query\":\"by_type\"");
    assert_has(out, "\"alarm_type\":\"alarm_s\"");
    out = request(103, 4, 2, join(BYTES(3, 0), padded("asmess", 8)));
    assert_has(out, "\"events_wanted\":[\"mode_transition\",\"system_diagnostics\"]");
    assert_has(out, "\"user\":\"asmess\"");
    out = push(4, 3,
               BYTES(0x43, 0x04, 0xff, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0x94, 1, 9, 0x21, 0x53, 0x42,
                     0x15, 0x23));
    assert_has(out, "\"command\":\"diagnostic_message\"");
    assert_has(out, "\"id\":17156");
}

static void test_block_send(void **state)
{
    struct bytes data = BYTES(0x12, 8, 0x13, 0, 0, 0, 0, 9, 0, 2, 0xaa, 0xbb);
    (void)state;
    connect();
    const char *out = request(110, 6, 1, data);
    assert_has(out, "\"command\":\"block_send\"");
    assert_has(out, "\"r_id\":9");
    /* Both sides may send. */
    out = feed(FT_TO_CLIENT,
               packet(pdu(7, 5, 0, BYTES(0, 1, 0x12, 4, 0x11, 0x46, 1, 0), with_head(data))));
    assert_has(out, "\"kind\":\"request\",\"direction\":\"to_client\"");
}

/* ---- violations and hard cases ------------------------------------------------------------- */

static void test_header_violations(void **state)
{
    struct bytes read = pdu(1, 2, 0, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none);
    (void)state;
    connect();
    struct bytes b = read;
    b.data[1] = 5;
    assert_has(feed(FT_TO_SERVER, packet(b)), "unknown_rosctr");
    b = read;
    b.data[3] = 1;
    assert_has(feed(FT_TO_SERVER, packet(b)), "\"name\":\"redundancy_id\"");
    assert_has(feed(FT_TO_SERVER, packet(join(read, BYTES(0)))), "\"name\":\"length\"");
    b = read;
    b.data[7]++;
    assert_has(feed(FT_TO_SERVER, packet(b)), "\"name\":\"malformed\"");
    b = read;
    b.data[0] = 0x31;
    assert_has(feed(FT_TO_SERVER, packet(b)), "\"name\":\"unexpected_content\"");
    assert_has_not(feed(FT_TO_SERVER, packet(read)), "violation");
}

static void test_item_violations(void **state)
{
    (void)state;
    connect();
    assert_has(job(2, BYTES(0x04, 0), none), "item_count");
    assert_has(job(3, BYTES(0x04, 21), none), "item_count");
    assert_has(job(4, BYTES(0x04, 1, 0x12, 9, 0x10, 2, 0, 1, 0, 1, 0x84, 0, 0), none),
               "item_length");
    assert_has(job(5, BYTES(0x04, 1, 0x11, 10, 0x10, 2, 0, 1, 0, 1, 0x84, 0, 0, 0), none),
               "item_length");
    assert_has_not(job(6, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none), "violation");
    /* Two promised, one there. */
    assert_has(job(7, BYTES(0x04, 2, DB_ITEM(2, 1, 1, 0, 0)), none), "\"name\":\"length\"");
    assert_has(job(8, BYTES(0x05, 1, DB_ITEM(2, 1, 1, 0, 0)), BYTES(0, 4, 0, 80, 1)),
               "\"name\":\"length\"");
}

static void test_pdu_size(void **state)
{
    struct bytes data = BYTES(0, 9, 1, 0xc0);
    (void)state;
    connect();
    data.length = 480 - 10 - 14;
    data.data[2] = (uint8_t)((data.length - 4) >> 8);
    data.data[3] = (uint8_t)(data.length - 4);
    assert_has_not(job(2, BYTES(0x05, 1, DB_ITEM(2, 1, 1, 0, 0)), data), "violation");
    data.length++;
    data.data[3]++;
    assert_has(job(3, BYTES(0x05, 1, DB_ITEM(2, 1, 1, 0, 0)), data), "\"name\":\"pdu_size\"");
}

static void test_sequence_violations(void **state)
{
    struct bytes read = BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0));
    (void)state;
    call();
    accept_call();
    assert_has(job(2, read, none), "no_setup");
    assert_has(answer(3, BYTES(0x04, 1), BYTES(0xff, 4, 0, 8, 1)), "answer_without_job");
    assert_has_not(answer(2, BYTES(0x04, 1), BYTES(0xff, 4, 0, 8, 1)), "answer_without_job");
}

static void test_midstream(void **state)
{
    struct bytes read = packet(pdu(1, 2, 0, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none));
    (void)state;
    flow.is_midstream = 1;
    assert_has_not(feed(FT_TO_SERVER, join(read, read)), "violation");
    struct bytes value = packet(pdu(3, 7, 0, BYTES(0x04, 1), BYTES(0xff, 4, 0, 8, 1)));
    const char *out = feed(FT_TO_CLIENT, join(value, value));
    assert_has(out, "\"paired\":false");
    assert_has(out, "\"data\":\"01\"");
    assert_has_not(out, "violation");
}

static void test_direction_from_content(void **state)
{
    struct bytes read = packet(pdu(1, 2, 0, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none));
    (void)state;
    flow.is_midstream = 1;
    const char *out = feed(FT_TO_CLIENT, join(read, read)); /* the engine guessed wrong */
    assert_has(out, "\"command\":\"read_var\",\"code\":4,\"qualifier\":0,\"class\":\"read\","
                    "\"kind\":\"request\",\"direction\":\"to_server\"");
}

static void test_one_direction(void **state)
{
    (void)state;
    accept_call();
    const char *out = answer(1, BYTES(0xf0, 0, 0, 1, 0, 1, 1, 0xe0), none);
    assert_has_not(out, "violation");
    out = answer(2, BYTES(0x04, 1), BYTES(0xff, 4, 0, 8, 1));
    assert_has(out, "\"data\":\"01\"");
    assert_has_not(out, "violation");
}

/*
 * ---- the files behind s7comm.c, at what the tests above leave out ------------------------------
 *
 * s7_szl.c (system status lists), s7_item.c (addresses and values), s7_userdata.c (programmer,
 * clock, CPU functions), s7_block.c (blocks).
 */

static const char *modes_now_and_before(uint8_t modes)
{
    return response(60, 4, 1,
                    BYTES(0x04, 0x24, 0, 0, 0, 20, 0, 1, 0x51, 0x42, 0xff, modes, 0, 0, 0, 0, 0, 0,
                          0, 0, 0x14, 8, 0x20, 0x12, 0, 0x49, 0x54, 0x84));
}

/* s7_szl.c: each nibble of a mode, by name, code and as a fact; the ones without meaning. */
static void test_all_modes(void **state)
{
    static const struct {
        const char *field, *fact;
    } modes[16] = {[1] = {"stop_update", "stop"},
                   [2] = {"stop_memory_reset", "stop"},
                   [3] = {"stop_initialising", "stop"},
                   [4] = {"stop", "stop"},
                   [5] = {"warm_restart", "startup"},
                   [7] = {"hot_restart", "startup"},
                   [8] = {"run", "run"},
                   [9] = {"run_redundant", "run"},
                   [10] = {"hold", "hold"},
                   [11] = {"link_up", "update"},
                   [12] = {"update", "update"},
                   [13] = {"defect", "defect"}};
    char want[64];
    (void)state;
    connect();
    for (uint8_t i = 0; i < 16; i++) {
        const char *out = modes_now_and_before(i);
        if (!modes[i].field) {
            assert_has_not(out, "\"mode\"");
            assert_has_not(out, "\"fact\"");
        } else {
            snprintf(want, sizeof(want), "\"mode\":\"%s\",\"mode_code\":%u", modes[i].field, i);
            assert_has(out, want);
            snprintf(want, sizeof(want), "\"fact\":\"mode\",\"value\":\"%s\"", modes[i].fact);
            assert_has(out, want);
        }
        assert_has_not(out, "previous_mode");
        out = modes_now_and_before((uint8_t)(i << 4));
        assert_has_not(out, "\"mode\"");
        snprintf(want, sizeof(want), "\"previous_mode\":\"%s\"",
                 modes[i].field ? modes[i].field : "");
        if (modes[i].field)
            assert_has(out, want);
        else
            assert_has_not(out, "previous_mode");
    }
}

/* s7_userdata.c: the mode in the subfunction of a push. */
static void test_all_mode_transitions(void **state)
{
    static const char *const modes[] = {
        "stop", "warm_restart",  "run", "hot_restart", "hold",   NULL, "cold_restart", NULL,
        NULL,   "run_redundant", NULL,  "link_up",     "update", NULL, NULL,           NULL};
    char want[64];
    (void)state;
    connect();
    for (uint8_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        const char *out =
            feed(FT_TO_CLIENT, packet(pdu(7, 0, 0, BYTES(1, 0, 0x10, 0x10, 0, 0, i, 0), none)));
        if (modes[i]) {
            snprintf(want, sizeof(want), "\"mode\":\"%s\"", modes[i]);
            assert_has(out, want);
        } else {
            assert_has_not(out, "\"mode\":");
        }
    }
}

/* s7_szl.c: levels and positions out of their range are told as they are and judge nothing. */
static void test_protection_out_of_range(void **state)
{
    (void)state;
    connect();
    const char *out = protection(0, 2);
    assert_has(out, "\"protection\":0");
    assert_has_not(out, "\"fact\":\"protection\"");
    out = protection(4, 9);
    assert_has_not(out, "\"fact\":\"protection\"");
    assert_has_not(out, "violation");
    assert_has(protection(2, 0), "\"fact\":\"protection\",\"value\":\"level 2\"}");
    assert_has(protection(2, 5), "\"fact\":\"protection\",\"value\":\"level 2\"}");
    assert_has(protection(3, 4), "\"value\":\"level 3, switch mres\"");
    /* level 0 says nothing, so it is not lower than 3 */
    assert_has_not(protection(0, 4), "violation");
    /* another index of the same list has another layout */
    struct bytes other = BYTES(0x01, 0x32, 0, 5, 0, 40, 0, 1, 0, 5, 0, 1, 0, 0, 0, 3, 0, 2, 0, 0, 0,
                               0, 0x56, 0x56, 0, 0, 0, 1, 0, 0, 0, 2);
    assert_has_not(response(61, 4, 1, join(other, padded("", 16))), "protection");
}

/* s7_szl.c: texts of components that are none, or not for people; versions of other forms. */
static void test_identity_edges(void **state)
{
    struct bytes list = BYTES(0, 0x1c, 0, 0, 0, 34, 0, 3);
    (void)state;
    connect();
    list = join(list, join(BYTES(0, 9), padded("\x01\x02", 32)));
    list = join(list, join(BYTES(0, 10), padded("COPYRIGHT ACME", 32)));
    list = join(list, join(BYTES(0, 11), padded("HALL 3", 32)));
    list.data[8 + 34 + 2 + 26] = 0x80; /* the numbers of the OEM entry */
    const char *out = response(51, 4, 1, list);
    assert_has(out, "{\"index\":9}");
    assert_has(out, "\"index\":10,\"text\":\"COPYRIGHT ACME");
    assert_has_not(out, "\\u0080");
    assert_has(out, "\"fact\":\"location\",\"value\":\"HALL 3\"");

    list = BYTES(0, 0x11, 0, 0, 0, 28, 0, 3);
    list = join(list, identity(1, "", 0));
    list = join(list, identity(6, "6ES7", 0));
    list = join(list, identity(7, "6ES7", 0x000000ff));
    out = response(50, 4, 1, list);
    assert_has_not(out, "\"version\":\"");
    assert_has_not(out, "\"fact\":\"model\"");
    assert_has_not(out, "\"fact\":\"hardware\"");
    assert_has_not(out, "\"fact\":\"firmware\"");
    /* a record that is shorter than its kind is left alone, one that is longer is read */
    assert_has_not(response(52, 4, 1, BYTES(0, 0x19, 0, 0, 0, 3, 0, 1, 0, 5, 1)), "leds");
    assert_has(response(53, 4, 1, BYTES(0, 0x19, 0, 0, 0, 5, 0, 1, 0, 5, 0, 0, 9)),
               "\"leds\":[{\"id\":5,\"on\":false,\"blinks\":0}]");
    /* no address yet: no fact; the own processor and a subslot are no modules of their own */
    struct bytes ethernet = BYTES(0, 0x37, 0, 0, 0, 20, 0, 1, 7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                  0, 0, 0, 0x1b, 0x1b, 1, 2, 3);
    assert_has_not(response(54, 4, 1, ethernet), "\"address\":{");
    out = response(55, 4, 1,
                   BYTES(0x0d, 0x91, 0, 0, 0, 16, 0, 3, 0, 0, 2, 0, 0, 1, 0, 0xc0, 0, 0xc0, 0, 0, 0,
                         2, 0, 0, 0, 0, 4, 1, 0, 1, 0xc1, 0x23, 0xc1, 0x23, 0, 0, 0, 2, 0, 0, 0, 0,
                         5, 0, 0, 1, 0xc1, 0x25, 0xc1, 0x25, 0, 0, 0, 0, 0, 0));
    assert_has(out, "\"slot\":4");
    assert_has_not(out, "module type");
}

#define ITEM(type, count, db, area, byte, bit)                                                     \
    0x12, 10, 0x10, (type), 0, (count), 0, (db), (area), 0, (byte) >> 5,                           \
        (uint8_t)((byte) << 3 | (bit))

/* s7_item.c: every area by the letter that people use, and those without one. */
static void test_addresses_of_all_areas(void **state)
{
    static const struct {
        uint8_t type, area;
        const char *address;
    } items[] = {{1, 0x80, "P6.5"},   {2, 0x81, "IB6"},      {3, 0x82, "QB6"},
                 {6, 0x83, "MD6"},    {7, 0x84, "DB3.DBD6"}, {1, 0x85, "DI3.DIX6.5"},
                 {4, 0x86, "LW6"},    {8, 0x87, "VD6"},      {0x1c, 0x1c, "C53"},
                 {0x1d, 0x1d, "T53"}, {0x1e, 0x1e, "C53"},   {0x1f, 0x1f, "T53"},
                 {2, 0x06, NULL},     {2, 0x88, NULL}};
    char want[64];
    (void)state;
    connect();
    for (unsigned i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        const char *out = job((uint16_t)(300 + i),
                              BYTES(0x04, 1, ITEM(items[i].type, 1, 3, items[i].area, 6, 5)), none);
        snprintf(want, sizeof(want), "\"address\":\"%s\"",
                 items[i].address ? items[i].address : "");
        if (items[i].address)
            assert_has(out, want);
        else
            assert_has_not(out, "\"address\"");
    }
}

/* s7_item.c: a value of each plain type; none of several, of another size, of other types. */
static void test_values_of_all_types(void **state)
{
    static const struct {
        uint8_t type, data[4];
        uint32_t length;
        const char *value;
    } items[] = {{1, {1}, 1, "\"value\":1}"},
                 {3, {'A'}, 1, "\"value\":65}"},
                 {4, {0xff, 0xfe}, 2, "\"value\":65534}"},
                 {5, {0xff, 0xfe}, 2, "\"value\":-2}"},
                 {6, {0xff, 0xff, 0xff, 0xfe}, 4, "\"value\":4294967294}"},
                 {7, {0xff, 0xff, 0xff, 0xfe}, 4, "\"value\":-2}"},
                 {8, {0xc1, 0x20, 0, 0}, 4, "\"value\":-10}"},
                 {8, {0xc1, 0x20}, 2, NULL},
                 {4, {1, 2, 3, 4}, 4, NULL},
                 {0x13, {1, 2}, 2, NULL}};
    (void)state;
    connect();
    for (unsigned i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        struct bytes data = {.length = items[i].length};
        uint8_t type = items[i].type, size = type == 1 ? 3 : type == 8 ? 7 : 4;
        uint8_t length = (uint8_t)(size == 4 ? items[i].length * 8 : items[i].length);
        memcpy(data.data, items[i].data, 4);
        const char *out = job((uint16_t)(320 + i), BYTES(0x05, 1, ITEM(type, 1, 1, 0x84, 0, 0)),
                              join(BYTES(0, size, 0, length), data));
        if (items[i].value)
            assert_has(out, items[i].value);
        else
            assert_has_not(out, "\"value\":");
        out = job((uint16_t)(340 + i), BYTES(0x05, 1, ITEM(type, 2, 1, 0x84, 0, 0)),
                  join(BYTES(0, size, 0, length), data));
        assert_has_not(out, "\"value\":");
    }
}

/* s7_userdata.c: addresses of a test job, with values (force) and without (status). */
static void test_programmer_items(void **state)
{
    struct bytes head =
        BYTES(0, 20, 0, 32, 0, 0, 0, 1, 0, 1, 0, 6, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 0);
    struct bytes items = BYTES(0, 5, 0x50, 1, 0, 0, 0, 5, 0x60, 1, 0, 0, 0, 6, 0x72, 1, 0, 9, 0, 2,
                               0x23, 2, 0, 0, 0, 4, 0x30, 3, 0, 0, 0, 7);
    (void)state;
    connect();
    const char *out = request(400, 1, 2, join(head, items));
    assert_has(out, "\"item_count\":5");
    assert_has(out, "\"address\":\"T5\"");
    assert_has(out, "\"address\":\"C6\"");
    assert_has(out, "\"address\":\"DB9.DBW2\"");
    assert_has(out, "\"address\":\"QD4\"");
    assert_has(out, "\"address\":\"P7.3\"");
    assert_has_not(out, "\"data\":\"");
    assert_has_not(out, "violation");
    /* an answer has another layout; a part of two bytes names no items */
    assert_has_not(response(400, 1, 2, join(head, items)), "\"item_count\"");
    assert_has_not(request(401, 1, 2, BYTES(0, 0, 0, 1, 7)), "\"item_count\"");
    /* more items than there are bytes for */
    out = request(402, 1, 2, BYTES(0, 0, 0, 8, 0xff, 0xff, 0x02, 1, 0, 0, 0, 4));
    assert_has(out, "\"item_count\":65535");
    assert_has(out, "\"address\":\"MW4\"");
    request(403, 1, 9, BYTES(0, 0, 0, 8, 0, 1, 0x02, 1, 0, 0, 0, 4));
}

/* s7_userdata.c: what is too short for its function says nothing of it. */
static void test_userdata_too_short(void **state)
{
    (void)state;
    connect();
    for (uint8_t group = 0; group < 16; group++)
        for (uint8_t sub = 0; sub < 20; sub++)
            for (uint8_t n = 0; n < 24; n++) {
                struct bytes some = {.length = n};
                memset(some.data, 0x12, n);
                request(500, group, sub, some);
                response(500, group, sub, some);
                push(group, sub, some);
            }
    assert_has_not(request(501, 7, 2, BYTES(0, 0x19, 0x14, 0x08, 0x20, 0x11, 0x59, 0x33, 0x04)),
                   "\"time\":\"");
    assert_has_not(request(501, 7, 1, BYTES(0, 0x19, 0x14, 8, 0x20, 0x11, 0x59, 0x33, 4, 0)),
                   "\"time\":\"");
    assert_has_not(request(502, 4, 2, BYTES(3, 0, 'a', 's', 'm', 'e', 's', 's')), "\"user\"");
    assert_has_not(request(503, 4, 1, BYTES(0, 0x11, 0)), "szl_id");
    assert_has_not(response(503, 4, 1, BYTES(0, 0x11, 0, 0, 0, 28, 0)), "szl_id");
}

/* s7_userdata.c: each part of a clock out of its range, one by one. */
static void test_clock_out_of_range(void **state)
{
    static const uint8_t good[8] = {0x24, 0x12, 0x31, 0x23, 0x59, 0x59, 0x12, 0x30};
    static const struct {
        uint8_t at, value;
    } bad[] = {{1, 0}, {1, 0x13}, {2, 0}, {2, 0x32}, {3, 0x24}, {4, 0x60}, {5, 0x60}};
    (void)state;
    connect();
    for (unsigned i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        struct bytes clock = BYTES(0, 0x20);
        add(&clock, good, 8);
        if (i < sizeof(bad) / sizeof(bad[0])) {
            clock.data[2 + bad[i].at] = bad[i].value;
            assert_has_not(response(71, 7, 1, clock), "\"time\":\"");
        } else {
            assert_has(response(71, 7, 1, clock), "\"time\":\"2024-12-31T23:59:59.123");
        }
    }
}

static void test_errors(void **state)
{
    (void)state;
    connect();
    job(2, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none);
    const char *out = feed(FT_TO_CLIENT, packet(pdu(3, 2, 0x8500, BYTES(0x04, 0), none)));
    assert_has(out, "\"kind\":\"exception\"");
    assert_has(out,
               "\"error_class\":\"supplies\",\"error_class_code\":133,\"error\":\"wrong_pdu\"");
    job(3, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none);
    out = feed(FT_TO_CLIENT, packet(pdu(2, 3, 0x8104, none, none)));
    assert_has(out, "\"command\":\"read_var\"");
    assert_has(out, "\"error\":\"service_not_implemented\"");
    out = feed(FT_TO_CLIENT, packet(pdu(2, 99, 0, none, none)));
    assert_has(out, "\"command\":\"acknowledge\"");
    job(4, pi(none, "P_PROGRAM"), none);
    out = feed(FT_TO_CLIENT, packet(pdu(3, 4, 0xd241, BYTES(0x28), none)));
    assert_has(out, "\"name\":\"protected\",\"offset\":17,\"length\":2");
}

static void test_unknown_function(void **state)
{
    (void)state;
    connect();
    const char *out = job(2, BYTES(0x77, 1, 2), none);
    assert_has(out, "\"command\":\"code_119\",\"code\":119");
    assert_has(out, "\"class\":\"unknown\"");
    assert_has(request(3, 9, 5, none), "\"code\":1801,\"qualifier\":5");
    assert_has(request(4, 1, 0x77, none), "\"command\":\"programmer_function\"");
}

static void test_cotp_fragments(void **state)
{
    struct bytes read = pdu(1, 2, 0, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none);
    (void)state;
    connect();
    struct bytes first = join(BYTES(3, 0, 0, 7 + 8, 2, 0xf0, 0), slice(read, 0, 8));
    assert_has_not(feed(FT_TO_SERVER, first), "s7comm");
    assert_has(feed(FT_TO_SERVER, packet(slice(read, 8, read.length))), "\"address\":\"DB1.DBB0\"");
}

static void test_one_byte_segments(void **state)
{
    struct bytes b = packet(pdu(1, 2, 0, BYTES(0x04, 1, DB_ITEM(2, 1, 1, 0, 0)), none));
    (void)state;
    connect();
    for (uint32_t i = 0; i + 1 < b.length; i++)
        assert_string_equal(feed(FT_TO_SERVER, slice(b, i, i + 1)), "");
    assert_has(feed(FT_TO_SERVER, slice(b, b.length - 1, b.length)), "\"address\":\"DB1.DBB0\"");
}

/* Some of each kind, for the tests below. */
static struct bytes sample(unsigned i)
{
    switch (i) {
    case 0:
        return pdu(1, 2, 0, BYTES(0x05, 1, DB_ITEM(8, 1, 1, 0, 0)), BYTES(0, 7, 0, 4, 1, 2, 3, 4));
    case 1:
        return pdu(3, 2, 0, BYTES(0x04, 1), BYTES(0xff, 4, 0, 16, 1, 2));
    case 2:
        return pdu(1, 2, 0, pi(join(BYTES(1, 0), text("0A00001P")), "_INSE"), none);
    case 3:
        return pdu(7, 2, 0, BYTES(0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 0, 0, 0, 0),
                   with_head(join(BYTES(0, 0x11, 0, 0, 0, 28, 0, 1), identity(1, "6ES7", 2))));
    case 4:
        return pdu(7, 0, 0, BYTES(0, 1, 0x12, 4, 0x11, 4, 5, 0),
                   with_head(BYTES(0x94, 1, 6, 0, 0x47, 0x42, 0x69, 0x75, 0x40, 1, 0x12, 10, 0x16,
                                   1, 0, 0, 0, 0xaf, 1, 2, 3, 4, 0xff, 9, 0, 1, 7)));
    case 5:
        return pdu(3, 2, 0, BYTES(0x1e, 0), transfer(block()));
    case 6:
        return pdu(
            7, 2, 0, BYTES(0, 1, 0x12, 4, 0x11, 0x42, 1, 0),
            with_head(BYTES(0, 1, 1, 5, 0x12, 12, 0xb0, 2, 10, 0, 68, 1, 0x66, 4, 0, 72, 0, 50)));
    default:
        return pdu(1, 2, 0, BYTES(0x29, 0, 0, 0, 0, 0, 9, 'P', '_', 'P'), none);
    }
}

#define SAMPLES 8u

/* Every sample cut at every byte, by its sender and by the sensor. */
static void test_truncation(void **state)
{
    static const struct ft_harness_flow bare = {
        .id = 50, .transport = FT_TRANSPORT_UDP, .protocol = "s7comm", .is_midstream = 1};
    (void)state;
    for (unsigned i = 0; i + 1 < SAMPLES; i++) {
        struct bytes b = sample(i);
        for (uint32_t n = 0; n < b.length; n++) {
            const char *out = ft_harness_feed(h, &bare, FT_TO_SERVER, now, b.data, n);
            assert_has(out, "violation");
            out = ft_harness_feed_cut(h, &bare, FT_TO_SERVER, now, b.data, n);
            assert_has_not(out, "\"name\":\"malformed\"");
            assert_has_not(out, "\"name\":\"length\"");
            assert_has_not(out, "\"name\":\"item_length\"");
        }
        assert_has_not(ft_harness_feed(h, &bare, FT_TO_SERVER, now, b.data, b.length), "violation");
    }
}

static void test_mutations(void **state)
{
    uint32_t seed = 7;
    (void)state;
    connect();
    for (unsigned i = 0; i < 20000; i++) {
        struct bytes b = sample(i % SAMPLES);
        for (unsigned k = 0; k < 1 + i % 4; k++) {
            seed = seed * 1664525 + 1013904223;
            b.data[(seed >> 8) % b.length] = (uint8_t)(seed >> 24);
        }
        feed(i & 8 ? FT_TO_CLIENT : FT_TO_SERVER, packet(b));
    }
}

static enum ft_verdict probe(struct bytes b)
{
    static const struct ft_harness_flow bare = {
        .id = 51, .transport = FT_TRANSPORT_UDP, .protocol = "s7comm"};
    return ft_harness_probe(h, &bare, FT_TO_SERVER, b.data, b.length);
}

static void test_probe(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++)
        assert_int_equal(probe(sample(i)), FT_YES);
    struct bytes b = sample(0);
    b.data[0] = 0x72;
    assert_int_equal(probe(b), FT_NO);
    b = sample(0);
    b.data[1] = 4;
    assert_int_equal(probe(b), FT_NO);
    b = sample(0);
    b.data[9]++;
    assert_int_equal(probe(b), FT_MAYBE);
    assert_int_equal(probe(slice(sample(0), 0, 9)), FT_NO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_setup),
        TEST(test_read),
        TEST(test_write),
        TEST(test_many_items),
        TEST(test_other_syntaxes),
        TEST(test_stop),
        TEST(test_pi_services),
        TEST(test_secrets),
        TEST(test_download),
        TEST(test_upload),
        TEST(test_transfer_out_of_order),
        TEST(test_block_functions),
        TEST(test_identity),
        TEST(test_components_in_parts),
        TEST(test_part_without_start),
        TEST(test_state_lists),
        TEST(test_protection_lowered),
        TEST(test_refused_list),
        TEST(test_mode_transition),
        TEST(test_clock),
        TEST(test_programmer),
        TEST(test_cyclic),
        TEST(test_alarms),
        TEST(test_block_send),
        TEST(test_header_violations),
        TEST(test_item_violations),
        TEST(test_pdu_size),
        TEST(test_sequence_violations),
        TEST(test_midstream),
        TEST(test_direction_from_content),
        TEST(test_one_direction),
        TEST(test_all_modes),
        TEST(test_all_mode_transitions),
        TEST(test_protection_out_of_range),
        TEST(test_identity_edges),
        TEST(test_addresses_of_all_areas),
        TEST(test_values_of_all_types),
        TEST(test_programmer_items),
        TEST(test_userdata_too_short),
        TEST(test_clock_out_of_range),
        TEST(test_errors),
        TEST(test_unknown_function),
        TEST(test_cotp_fragments),
        TEST(test_one_byte_segments),
        TEST(test_truncation),
        TEST(test_mutations),
        TEST(test_probe),
    };
    return cmocka_run_group_tests_name("s7comm", tests, NULL, NULL);
}
