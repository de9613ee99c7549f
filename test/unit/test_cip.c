/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the CIP dissector with messages made by hand, inside EtherNet/IP. */
#include "enip_frames.h"
#include "protocols/industrial/cip_tables.h"

static int setup_session(void **state)
{
    int result = setup(state);

    if (!result)
        register_session();
    return result;
}

/* A service and its answer, unconnected, paired by the context. */
static const char *request(struct bytes cip)
{
    return ask(unconnected(1, cip));
}

static const char *response(struct bytes cip)
{
    return say(unconnected(1, cip));
}

static struct bytes tag_path(uint8_t service, const char *name)
{
    uint8_t length = (uint8_t)strlen(name);
    struct bytes b = BYTES(service, (uint8_t)((2 + length + 1) / 2), 0x91, length);

    put(&b, name, length);
    if (length & 1)
        put(&b, "", 1);
    return b;
}

/* ---- objects ------------------------------------------------------------------------------- */

static struct bytes identity_reply(uint16_t status)
{
    struct bytes b = BYTES(0x81, 0, 0, 0, 1, 0, 0x0e, 0, 0x36, 0, 16, 20, (uint8_t)status,
                           (uint8_t)(status >> 8));

    put32(&b, 0x0051823f);
    put(&b,
        "\x13"
        "1756-L61/B LOGIX556",
        20);
    return b;
}

static void test_identity(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    assert_has(s, "\"protocol\":\"cip\",\"command\":\"identify\",\"code\":1,\"qualifier\":1,"
                  "\"class\":\"diagnostic\",\"kind\":\"request\"");
    assert_has(s, "\"service\":\"Get Attributes All\",\"service_code\":1,"
                  "\"class_name\":\"Identity\",\"class_name_code\":1,\"instance\":1");
    assert_has(s, "\"path\":[{\"segment_type\":\"class\",\"segment_type_code\":2,\"value\":1}");
    s = response(identity_reply(0x3060));
    assert_has(s, "\"command\":\"identify\"");
    assert_has(s, "\"kind\":\"response\",\"direction\":\"to_client\",\"paired\":true");
    assert_has(s, "\"status\":\"Success\",\"status_code\":0");
    assert_has(s, "\"revision\":\"16.20\",\"status\":12384");
    assert_has(s, FACT("firmware", "16.20"));
    assert_has(s, FACT("serial", "0051823f"));
    assert_has(s, FACT("model", "1756-L61/B LOGIX556"));
    assert_has(s, FACT("mode", "remote_run"));
    assert_has_not(s, "violation");
}

static void test_key_switch(void **state)
{
    static const struct {
        uint16_t status;
        const char *mode;
    } modes[] = {
        {0x1060, "run"}, {0x3160, "remote_run"}, {0x2070, "program"}, {0x3170, "remote_program"}};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char fact[64];
        snprintf(fact, sizeof(fact), FACT("mode", "%s"), modes[i].mode);
        request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
        assert_has(response(identity_reply(modes[i].status)), fact);
    }
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    assert_has_not(response(identity_reply(0x0060)), "\"fact\":\"mode\"");
}

static void test_device_fault(void **state)
{
    (void)state;
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    const char *s = response(identity_reply(0x3460));
    assert_has(s, VIOLATION("device_fault"));
    assert_has(s, "\"fault\":[\"major_recoverable\"],\"fault_code\":1024");
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    assert_has_not(response(identity_reply(0x3160)), VIOLATION("device_fault"));
}

static void test_single_attributes(void **state)
{
    (void)state;
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x07));
    const char *s = response(BYTES(0x8e, 0, 0, 0, 4, 'E', 'N', 'B', 'T'));
    assert_has(s, FACT("model", "ENBT"));
    assert_has(s, "\"attribute\":7");
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x04));
    assert_has(response(BYTES(0x8e, 0, 0, 0, 28, 12)), FACT("firmware", "28.12"));
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x01));
    assert_has(response(BYTES(0x8e, 0, 0, 0, 0xf3, 0)), FACT("vendor", "Schneider Automation"));
    /* too short to say anything */
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x06));
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 1, 2)), "\"fact\"");
}

static void test_attribute_list(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x03, 0x02, 0x20, 0x01, 0x24, 0x01, 2, 0, 1, 0, 4, 0));
    assert_has(s, "\"count\":2,\"attributes\":[{\"id\":1},{\"id\":4}]");
    s = response(BYTES(0x83, 0, 0, 0, 2, 0, 1, 0, 0, 0, 47, 0, 4, 0, 0, 0, 3, 7));
    assert_has(s, "{\"id\":4,\"status\":\"Success\",\"status_code\":0,\"value\":\"0307\"}");
    assert_has(s, FACT("vendor", "Omron"));
    assert_has(s, FACT("firmware", "3.7"));
    /* of an object whose sizes are not known the first value takes the rest */
    request(BYTES(0x03, 0x02, 0x20, 0xac, 0x24, 0x01, 2, 0, 1, 0, 2, 0));
    s = response(BYTES(0x83, 0, 0, 0, 2, 0, 1, 0, 0, 0, 9, 9, 2, 0, 0, 0, 8, 8));
    assert_has(s, "\"attributes\":[{\"id\":1,\"status\":\"Success\",\"status_code\":0,"
                  "\"value\":\"0909020000000808\"}]");
    assert_has_not(s, "violation");
}

static void test_clock(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x04, 0x02, 0x20, 0x8b, 0x24, 0x01, 1, 0, 6, 0, 0x00, 0x40, 0x70,
                                  0x7a, 0xf0, 0x62, 0x06, 0x00));
    assert_has(s, "\"command\":\"set_clock\",\"code\":4,\"qualifier\":139,\"class\":\"config\"");
    assert_has(s, "\"clock\":\"20");
    s = request(BYTES(0x03, 0x02, 0x20, 0x8b, 0x24, 0x01, 1, 0, 6, 0));
    assert_has(s, "\"class\":\"read\"");
}

static void test_network_settings(void **state)
{
    struct bytes b =
        BYTES(0x10, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 0x05, 10, 1, 168, 192, 0, 255, 255, 255, 1,
              1, 168, 192, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 'l', 'a', 'b', 0);

    (void)state;
    const char *s = request(b);
    assert_has(s, "\"command\":\"set_tcpip_attribute\"");
    assert_has(s, "\"class\":\"config\"");
    assert_has(s, "\"tcpip\":{\"address\":\"192.168.1.10\",\"netmask\":\"255.255.255.0\","
                  "\"gateway\":\"192.168.1.1\",\"domain\":\"lab\"}");
    s = request(BYTES(0x10, 0x03, 0x20, 0xf6, 0x24, 0x01, 0x30, 0x06, 2, 0, 100, 0));
    assert_has(s, "\"ethernet_link\":{\"control\":2,\"speed\":100}");
    s = request(BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 0x06));
    assert_has(s, "\"class\":\"read\"");
    s = say(unconnected(1, BYTES(0x8e, 0, 0, 0, 3, 0, 'p', 'l', 'c')));
    assert_has_not(s, "violation");
}

static void test_host_name(void **state)
{
    (void)state;
    request(BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 0x06));
    const char *s = response(BYTES(0x8e, 0, 0, 0, 4, 0, 'm', 'i', 'l', 'l'));
    assert_has(s, FACT("name", "mill"));
    assert_has(s, "\"tcpip\":{\"host_name\":\"mill\"}");
}

static void test_project(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x01, 0x02, 0x20, 0x64, 0x24, 0x01));
    assert_has(s, "\"command\":\"read_project\"");
    s = response(BYTES(0x81, 0, 0, 0, 4, 0, 'L', 'i', 'n', 'e', 2, 0, 'a', 'b', 0, 0));
    assert_has(s, FACT("project", "Line"));
    assert_has(s, FACT("description", "ab"));
    assert_has(s, "\"project\":{\"name\":\"Line\",\"description\":\"ab\"}");
}

/* ---- tags ---------------------------------------------------------------------------------- */

static void test_tags(void **state)
{
    struct bytes b = tag_path(0x4c, "Pump");

    (void)state;
    /* Pump.Speed[3] */
    b.data[1] = 8;
    put(&b, "\x91\x05Speed\0\x28\x03", 10);
    put16(&b, 2);
    const char *s = request(b);
    assert_has(s, "\"command\":\"read_tag\",\"code\":76,\"qualifier\":107,\"class\":\"read\"");
    assert_has(s, "\"tag\":\"Pump.Speed[3]\"");
    assert_has(s, "\"element\":3");
    assert_has(s, "\"count\":2");
    s = response(BYTES(0xcc, 0, 0, 0, 0xc4, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff));
    assert_has(s, "\"command\":\"read_tag\"");
    assert_has(s, "\"tag\":\"Pump.Speed[3]\"");
    assert_has(s, "\"data_type\":\"DINT\",\"data_type_code\":196,\"count\":2,"
                  "\"data\":\"01000000ffffffff\",\"values\":[1,-1]");
    assert_has_not(s, "violation");

    b = tag_path(0x4d, "Level");
    put(&b, "\xca\x00\x01\x00\x00\x00\x20\x41", 8);
    s = request(b);
    assert_has(s, "\"command\":\"write_tag\"");
    assert_has(s, "\"class\":\"write\"");
    assert_has(s, "\"data_type\":\"REAL\"");
    assert_has(s, "\"values_real\":[10");
    s = response(BYTES(0xcd, 0, 0, 0));
    assert_has(s, "\"command\":\"write_tag\"");

    b = tag_path(0x4e, "Bits");
    put(&b, "\x02\x00\x01\x00\xfe\xff", 6);
    s = request(b);
    assert_has(s, "\"command\":\"modify_tag\"");
    assert_has(s, "\"values\":[1,65534]");
}

static void test_structures_and_strings(void **state)
{
    struct bytes b = tag_path(0x4c, "Recipe");

    (void)state;
    put16(&b, 1);
    request(b);
    const char *s = response(BYTES(0xcc, 0, 0, 0, 0xa0, 0x02, 0xce, 0x0f, 1, 2));
    assert_has(s, "\"data_type\":\"STRUCT\",\"data_type_code\":672,\"structure\":4046");
    request(b);
    s = response(BYTES(0xcc, 0, 0, 0, 0xda, 0, 3, 'a', 'b', 'c'));
    assert_has(s, "\"value_text\":\"abc\"");
}

static void test_fragments(void **state)
{
    struct bytes first = tag_path(0x53, "Big"), second = first, gap = first;

    (void)state;
    put(&first, "\xc3\x00\x0a\x00\x00\x00\x00\x00\x01\x02\x03\x04", 12);
    put(&second, "\xc3\x00\x0a\x00\x04\x00\x00\x00\x05\x06", 10);
    put(&gap, "\xc3\x00\x0a\x00\x0a\x00\x00\x00\x07\x08", 10);
    const char *s = request(first);
    assert_has(s, "\"command\":\"write_tag_fragment\"");
    assert_has_not(s, "violation");
    s = request(second);
    assert_has(s, "\"offset\":4");
    assert_has_not(s, "violation");
    assert_has_not(request(second), "violation"); /* again */
    assert_has(request(gap), VIOLATION("fragment_gap"));
    assert_has_not(request(first), "violation"); /* anew */

    struct bytes read = tag_path(0x52, "Big");
    put(&read, "\x0a\x00\x08\x00\x00\x00", 6);
    s = request(read);
    assert_has(s, "\"command\":\"read_tag_fragment\"");
    s = response(BYTES(0xd2, 0, 6, 0, 0xc3, 0, 1, 0));
    assert_has(s, "\"kind\":\"response\"");
    assert_has(s, "\"status\":\"Partial transfer\"");
    assert_has(s, "\"count\":10,\"offset\":8");
    assert_has_not(s, VIOLATION("access_failed"));
}

/* ---- services that change a controller ----------------------------------------------------- */

static void test_mode(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x07, 0x02, 0x20, 0x8e, 0x24, 0x01));
    assert_has(s, "\"command\":\"set_remote_program\",\"code\":7,\"qualifier\":142,"
                  "\"class\":\"mode\"");
    assert_has(s, "\"mode_change\":\"program\"");
    assert_has(s, "\"private_class\":true");
    assert_has(s, VIOLATION("controller_stop"));
    s = request(BYTES(0x06, 0x02, 0x20, 0x8e, 0x24, 0x01));
    assert_has(s, "\"mode_change\":\"run\"");
    assert_has(s, "\"class\":\"mode\"");
    assert_has_not(s, "violation");
    s = request(BYTES(0x07, 0x02, 0x20, 0x29, 0x24, 0x01));
    assert_has(s, "\"class\":\"operate\"");
    assert_has_not(s, "violation");
}

static void test_reset(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x05, 0x02, 0x20, 0x01, 0x24, 0x01, 0x01));
    assert_has(s, "\"command\":\"reset_device\"");
    assert_has(s, "\"class\":\"mode\"");
    assert_has(s, "\"reset_type\":\"factory_defaults\"");
    assert_has(s, VIOLATION("controller_reset"));
    s = request(BYTES(0x05, 0x02, 0x20, 0x72, 0x24, 0x01));
    assert_has_not(s, "violation");
}

static void test_semaphore(void **state)
{
    (void)state;
    const char *s =
        request(BYTES(0x4b, 0x04, 0x20, 0x8e, 0x24, 0x01, 0x20, 0x74, 0x24, 0x01, 0x01));
    assert_has(s, "\"command\":\"take_semaphore\",\"code\":75,\"qualifier\":116,"
                  "\"class\":\"admin\"");
    assert_has(s, "\"lock\":\"take\",\"lock_code\":75,\"lock_kind\":1");
    s = request(BYTES(0x4c, 0x04, 0x20, 0x8e, 0x24, 0x01, 0x20, 0x74, 0x24, 0x01));
    assert_has(s, "\"lock\":\"release\"");
}

static void test_firmware(void **state)
{
    struct bytes block = BYTES(0x4d, 0x02, 0x20, 0xa1, 0x24, 0x01, 0, 0, 0, 0, 1, 2, 3, 4);

    (void)state;
    const char *s =
        request(BYTES(0x4b, 0x02, 0x20, 0xa1, 0x24, 0x01, 0x00, 0x10, 0, 0, 0, 0, 0, 0));
    assert_has(s, "\"command\":\"firmware_start\"");
    assert_has(s, "\"class\":\"firmware\"");
    assert_has(s, "\"firmware\":{\"size\":4096}");
    s = response(BYTES(0xcb, 0, 0, 0, 0, 0, 0x7b, 0x14, 0x5e, 0x01, 4, 3, 0, 0, 0, 0));
    assert_has(s, "\"firmware\":{\"block\":350}");
    s = request(block);
    assert_has(s, "\"firmware\":{\"offset\":0,\"block\":4}");
    s = response(BYTES(0xcd, 0, 0, 0, 0, 0, 0, 0, 2, 0));
    assert_has(s, "\"command\":\"firmware_data\"");
    block.data[6] = 4;
    assert_has_not(request(block), "violation");
    block.data[6] = 12;
    assert_has(request(block), VIOLATION("fragment_gap"));
    s = request(BYTES(0x4c, 0x02, 0x20, 0x37, 0x24, 0x01, 1));
    assert_has(s, "\"command\":\"file_initiate_download\"");
    assert_has(s, "\"class\":\"firmware\"");
}

/* What a service is depends on the object: (service, class) -> class of action. */
static void test_classes(void **state)
{
    static const struct {
        uint8_t service;
        uint16_t object;
        const char *class_;
    } rows[] = {{0x08, 0x68, "program"},    {0x09, 0x6d, "program"},  {0x04, 0x70, "program"},
                {0x50, 0x6a, "program"},    {0x4b, 0x69, "upload"},   {0x4c, 0x6d, "upload"},
                {0x4f, 0x6a, "upload"},     {0x4c, 0x6c, "read"},     {0x4b, 0x32b, "read"},
                {0x08, 0x338, "program"},   {0x08, 0x72, "read"},     {0x10, 0x04, "write"},
                {0x10, 0xf5, "config"},     {0x04, 0x5d, "config"},   {0x04, 0x77, "operate"},
                {0x4b, 0x44, "read"},       {0x50, 0x44, "write"},    {0x4d, 0xac, "diagnostic"},
                {0x03, 0x8e, "diagnostic"}, {0x51, 0xa1, "firmware"}, {0x77, 0x68, "program"},
                {0x0e, 0x64, "read"},       {0x4b, 0x29, "unknown"}};

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char want[32];
        struct bytes b = BYTES(rows[i].service, 0x04, 0x21, 0x00, (uint8_t)rows[i].object,
                               (uint8_t)(rows[i].object >> 8), 0x25, 0x00, 0x01, 0x00);
        snprintf(want, sizeof(want), "\"class\":\"%s\",\"kind\":\"request\"", rows[i].class_);
        const char *s = request(b);
        if (!strstr(strstr(s, "\"protocol\":\"cip\""), want))
            fail_msg("service %02x class %x: no %s in\n%s", rows[i].service, rows[i].object, want,
                     s);
    }
}

/* The table of commands and the function that says what a service does are of one mind. */
static void test_table_agrees(void **state)
{
    const struct ft_command *c = ft_dissector_cip.commands.rows;

    (void)state;
    for (uint32_t i = 0; i < ft_dissector_cip.commands.count; i++) {
        if (c[i].qualifier == FT_ANY_QUALIFIER)
            continue;
        enum ft_class class_ = ft_cip_service_class((uint8_t)c[i].code, c[i].qualifier);
        if (class_ != c[i].class_)
            fail_msg("%s: the table says %u, the function %u", c[i].name, c[i].class_, class_);
    }
}

/* ---- services inside services -------------------------------------------------------------- */

static struct bytes two_services(void)
{
    return BYTES(0x0a, 0x02, 0x20, 0x02, 0x24, 0x01, 2, 0, 6, 0, 14, 0, 0x0e, 0x03, 0x20, 0x01,
                 0x24, 0x01, 0x30, 0x01, 0x03, 0x02, 0x20, 0x8b, 0x24, 0x01, 1, 0, 6, 0);
}

static void test_multiple(void **state)
{
    (void)state;
    const char *s = request(two_services());
    assert_int_equal(count_of(s, "\"protocol\":\"cip\""), 3);
    assert_has(s, "\"command\":\"multiple_service\"");
    assert_has(s, "\"embedded_count\":2");
    assert_has(s, "\"embedded_index\":1");
    s = response(BYTES(0x8a, 0, 0, 0, 2, 0, 6, 0, 12, 0, 0x8e, 0, 0, 0, 1, 0, 0x83, 0, 0, 0, 1, 0,
                       6, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
    assert_int_equal(count_of(s, "\"protocol\":\"cip\""), 3);
    assert_int_equal(count_of(s, "\"paired\":true"), 4);
    assert_has(s, "\"command\":\"get_attribute_list\",\"code\":3,\"qualifier\":139");
    assert_has(s, FACT("vendor", "Rockwell Automation"));
    assert_has_not(s, "violation");
}

static void test_multiple_fails_inside(void **state)
{
    (void)state;
    request(two_services());
    const char *s =
        response(BYTES(0x8a, 0, 0x1e, 0, 2, 0, 6, 0, 12, 0, 0x8e, 0, 0, 0, 1, 0, 0x83, 0, 5, 0));
    assert_int_equal(count_of(s, VIOLATION("access_failed")), 1);
}

/* What is refused: a read is an ordinary miss, a change is not. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        uint8_t service, class_id;
        bool is_change;
    } rows[] = {
        {0x01, 0x01, false}, {0x0e, 0x8b, false}, {0x03, 0x6b, false}, {0x4c, 0x6b, false},
        {0x52, 0x06, false}, {0x54, 0x06, false}, {0x4b, 0x68, false}, {0x10, 0x04, true},
        {0x4d, 0x6b, true},  {0x05, 0x01, true},  {0x08, 0x68, true},  {0x50, 0x68, true},
        {0x07, 0x8e, true},  {0x4d, 0xa1, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request(BYTES(rows[i].service, 0x02, 0x20, rows[i].class_id, 0x24, 0x01));
        const char *s = response(BYTES((uint8_t)(rows[i].service | 0x80), 0, 0x08, 0));
        assert_int_equal(count_of(s, VIOLATION("service_failed")), rows[i].is_change);
        assert_int_equal(count_of(s, VIOLATION("access_failed")), !rows[i].is_change);
    }
}

/* Only classes that are known to hold the project are uploads. */
static void test_uploads(void **state)
{
    (void)state;
    static const uint8_t known[] = {0x68, 0x69, 0x6a, 0x6b, 0x6d, 0x70};
    static const uint8_t others[] = {0x6e, 0x6f, 0x71, 0x75, 0x7e, 0x8c, 0x8d, 0xb0};
    for (size_t i = 0; i < sizeof(known); i++)
        assert_has(request(BYTES(0x4b, 0x02, 0x20, known[i], 0x24, 0x01)), "\"class\":\"upload\"");
    for (size_t i = 0; i < sizeof(others); i++)
        assert_has(request(BYTES(0x4b, 0x02, 0x20, others[i], 0x24, 0x01)), "\"class\":\"read\"");
}

static void test_multiple_offsets(void **state)
{
    struct bytes b = two_services();

    (void)state;
    b.data[10] = 200;
    assert_has(request(b), VIOLATION("multiple_offset"));
    b = two_services();
    b.data[8] = 5; /* into the table */
    assert_has(request(b), VIOLATION("multiple_offset"));
    b = two_services();
    b.data[10] = 6; /* two at one place */
    assert_has(request(b), VIOLATION("multiple_offset"));
    b = two_services();
    b.data[6] = 0xff;
    b.data[7] = 0xff;
    assert_has(request(b), VIOLATION("multiple_offset"));
}

static struct bytes wrap_multiple(struct bytes inner)
{
    return join(BYTES(0x0a, 0x02, 0x20, 0x02, 0x24, 0x01, 1, 0, 4, 0), inner);
}

static void test_nesting(void **state)
{
    struct bytes b = wrap_multiple(two_services());

    (void)state;
    const char *s = request(b);
    assert_has(s, VIOLATION("multiple_nested"));
    assert_int_equal(count_of(s, "\"protocol\":\"cip\",\"command\""), 4);
    for (unsigned i = 0; i < 10; i++)
        b = wrap_multiple(b);
    s = request(b);
    assert_has(s, VIOLATION("too_deep"));
    assert_int_equal(count_of(s, "\"protocol\":\"cip\",\"command\""), 5);
}

static void test_many_services(void **state)
{
    struct bytes b = BYTES(0x0a, 0x02, 0x20, 0x02, 0x24, 0x01, 100, 0);

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        put16(&b, 202 + 6 * i);
    for (uint32_t i = 0; i < 100; i++)
        put(&b, (uint8_t[]){0x01, 0x02, 0x20, 0x01, 0x24, 0x01}, 6);
    const char *s = request(b);
    assert_int_equal(count_of(s, "{\"message\""), FT_MAX_MESSAGES);
    assert_has_not(s, "violation");
}

/* Unconnected Send of a service to the device at `route`. */
static struct bytes routed(struct bytes cip, struct bytes route)
{
    struct bytes b = BYTES(0x52, 0x02, 0x20, 0x06, 0x24, 0x01, 0x06, 0x9a);

    put16(&b, cip.length);
    b = join(b, cip);
    if (cip.length & 1)
        put(&b, "", 1);
    put(&b, (uint8_t[]){(uint8_t)(route.length / 2), 0}, 2);
    return join(b, route);
}

static void test_unconnected_send(void **state)
{
    (void)state;
    const char *s = request(routed(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01), BYTES(0x01, 0x03)));
    assert_has(s, "\"command\":\"unconnected_send\",\"code\":82,\"qualifier\":6");
    assert_has(s, "\"timeout_ms\":9856,\"route\":\"1/3\"");
    assert_has(s, "\"command\":\"identify\"");
    assert_int_equal(count_of(s, "\"server_sub\":\"route 1/3\""), 1);
    s = response(identity_reply(0x3060));
    assert_has(s, "\"command\":\"identify\"");
    assert_has(s, "\"server_sub\":\"route 1/3\"");
    assert_has(s, "\"sub\":\"route 1/3\"," FACT("serial", "0051823f"));

    /* the router cannot deliver */
    request(routed(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01), BYTES(0x01, 0x03)));
    s = response(BYTES(0xd2, 0, 0x01, 1, 0x04, 0x02, 1));
    assert_has(s, "\"command\":\"unconnected_send\"");
    assert_has(s, "\"status_extended\":\"0402\","
                  "\"status_extended_meaning\":\"Unconnected request timed out\"");
    assert_has(s, "\"remaining_path_words\":1");
    assert_has(s, VIOLATION("access_failed"));
    assert_has_not(s, "server_sub");
}

static void test_routes(void **state)
{
    struct bytes service = BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01);
    struct bytes far = BYTES(0x01, 0x03, 0x12, 0x0b), very_far = far;

    (void)state;
    put(&far, "192.168.1.9\0\x01\x00", 14);
    const char *s = request(routed(service, far));
    assert_has(s, "\"server_sub\":\"route 1/3 2/192.168.1.9 1/0\"");
    s = response(identity_reply(0x3060));
    assert_has(s, "\"sub\":\"route 1/3 2/192.168.1.9 1/0\"," FACT("serial", "0051823f"));

    /* longer than what is kept: nothing may be said of the wrong device */
    put(&very_far,
        "192.168.1.9\0\x12\x0c"
        "192.168.22.9\x12\x0c"
        "192.168.33.9",
        40);
    s = request(routed(service, very_far));
    assert_has(s, "\"server_sub\":\"route 1/3 2/192.168.1.9 2/192.168.22.9 2/192.168.33.9\"");
    s = response(identity_reply(0x3060));
    assert_has(s, "\"command\":\"identify\"");
    assert_has_not(s, "\"fact\"");

    /* extended port, links that are no text */
    s = request(routed(service, BYTES(0x1f, 0x02, 0x10, 0x00, 0x01, 0x02)));
    assert_has(s, "\"route\":\"16/0102\"");
}

/* ---- connections --------------------------------------------------------------------------- */

#define O2T_ID 0x00a10001u
#define T2O_ID 0x00b20002u

/* Forward Open through slot 0; `transport` 0xa3: class 3 to the message router. */
static struct bytes forward_open(uint8_t transport, uint16_t parameters, uint32_t rpi)
{
    struct bytes b = BYTES(0x54, 0x02, 0x20, 0x06, 0x24, 0x01, 0x0a, 0x0e);

    put32(&b, 0);
    put32(&b, T2O_ID);
    put16(&b, 0x1234);
    put16(&b, 0x004d);
    put32(&b, 0xdeadbeef);
    put(&b, (uint8_t[]){1, 0, 0, 0}, 4);
    put32(&b, rpi);
    put16(&b, parameters);
    put32(&b, rpi);
    put16(&b, parameters);
    put(&b, (uint8_t[]){transport, 3, 0x01, 0x00, 0x20, 0x02, 0x24, 0x01}, 8);
    return b;
}

static struct bytes opened(void)
{
    struct bytes b = BYTES(0xd4, 0, 0, 0);

    put32(&b, O2T_ID);
    put32(&b, T2O_ID);
    put16(&b, 0x1234);
    put16(&b, 0x004d);
    put32(&b, 0xdeadbeef);
    put32(&b, 10000);
    put32(&b, 4000);
    put16(&b, 0);
    return b;
}

static struct bytes closing(uint8_t service)
{
    struct bytes b = service == 0x4e ? BYTES(0x4e, 0x02, 0x20, 0x06, 0x24, 0x01, 0x0a, 0x0e)
                                     : BYTES(0xce, 0, 0, 0);

    put16(&b, 0x1234);
    put16(&b, 0x004d);
    put32(&b, 0xdeadbeef);
    if (service == 0x4e)
        put(&b, (uint8_t[]){3, 0, 0x01, 0x00, 0x20, 0x02, 0x24, 0x01}, 8);
    else
        put16(&b, 0);
    return b;
}

static void test_forward_open(void **state)
{
    (void)state;
    const char *s = request(forward_open(0xa3, 0x43f4, 2000000));
    assert_has(s, "\"command\":\"forward_open\"");
    assert_has(s, "\"class\":\"session\"");
    assert_has(s, "\"serial\":4660,\"orig_vendor\":\"Rockwell Software\",\"orig_vendor_code\":77,"
                  "\"orig_serial\":3735928559,\"timeout_multiplier\":8,\"o2t_rpi_us\":2000000,"
                  "\"o2t_size\":500,\"o2t_type\":\"point_to_point\"");
    assert_has(s, "\"transport_class\":3,\"trigger\":\"application\",\"trigger_code\":2,"
                  "\"is_server\":true,\"large_forward_open\":false,"
                  "\"application\":\"Message Router\"");
    assert_has(s, "\"route\":\"1/0\"");
    assert_has(s, FACT("role", "workstation"));
    assert_has_not(s, "violation");
    s = response(opened());
    assert_has(s, "\"o2t_id\":10551297,\"t2o_id\":11665410");
    assert_has_not(s, "violation");

    /* a service over the connection goes to slot 0; ids differ, the count is the same */
    s = ask(connected(O2T_ID, 7, BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01)));
    assert_has(s, "\"connection_id\":10551297,\"seq_count\":7");
    assert_has(s, "\"server_sub\":\"route 1/0\"");
    s = say(connected(T2O_ID, 7, identity_reply(0x3060)));
    assert_has(s, "\"command\":\"identify\"");
    assert_has(s, "\"sub\":\"route 1/0\"," FACT("serial", "0051823f"));

    s = request(closing(0x4e));
    assert_has(s, "\"command\":\"forward_close\"");
    s = response(closing(0xce));
    assert_has(s, "\"connection\":{\"serial\":4660");
    s = ask(connected(O2T_ID, 8, BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01)));
    assert_has_not(s, "server_sub");
}

static void test_large_forward_open(void **state)
{
    struct bytes b = forward_open(0xa3, 0x43f4, 2000000), large = {.length = 0};

    (void)state;
    /* parameters of 32 bits instead of 16 */
    put(&large, b.data, 32);
    large.data[0] = 0x5b;
    put32(&large, 0x42000fa0);
    put32(&large, 2000000);
    put32(&large, 0x42000fa0);
    put(&large, b.data + 40, b.length - 40);
    const char *s = request(large);
    assert_has(s, "\"command\":\"large_forward_open\"");
    assert_has(s, "\"o2t_size\":4000");
    assert_has(s, "\"large_forward_open\":true");
    assert_has_not(s, "violation");
    large.data[32] = 0xe8;
    large.data[33] = 0xff;
    assert_has(request(large), VIOLATION("connection_too_large"));
}

static void test_connection_violations(void **state)
{
    (void)state;
    assert_has(request(forward_open(0xa3, 0x43f4, 0)), VIOLATION("rpi_zero"));
    assert_has_not(request(forward_open(0xa3, 0x03f4, 0)), VIOLATION("rpi_zero")); /* null */
    request(forward_open(0xa3, 0x43f4, 5000));
    response(opened());
    assert_has(request(forward_open(0xa3, 0x43f4, 5000)), VIOLATION("duplicate_connection"));
    response(opened());
    request(closing(0x4e));
    response(closing(0xce));
    assert_has_not(request(forward_open(0xa3, 0x43f4, 5000)), VIOLATION("duplicate_connection"));
    /* refused: not open, so the next attempt is no duplicate */
    const char *s = response(
        BYTES(0xd4, 0, 1, 1, 0x14, 0x01, 0x34, 0x12, 0x4d, 0, 0xef, 0xbe, 0xad, 0xde, 0, 0));
    assert_has(s, VIOLATION("key_mismatch"));
    assert_has(s, VIOLATION("access_failed"));
    assert_has(s, "\"status_extended_meaning\":\"Vendor ID or product code mismatch\"");
    assert_has_not(request(forward_open(0xa3, 0x43f4, 5000)), VIOLATION("duplicate_connection"));
}

static void test_electronic_key(void **state)
{
    struct bytes b = forward_open(0x01, 0x4420, 10000);

    (void)state;
    b.length -= 7;
    put(&b, (uint8_t[]){10,   0x01, 0x02, 0x34, 0x04, 1,    0,    7,    0,    0x21, 0,
                        0x83, 5,    0x20, 0x04, 0x24, 0x06, 0x2c, 0x02, 0x2c, 0x01},
        21);
    const char *s = request(b);
    assert_has(s, "\"electronic_key\":{\"vendor_id\":\"Rockwell Automation/Allen-Bradley\","
                  "\"vendor_id_code\":1,\"device_type\":\"General Purpose Discrete I/O\","
                  "\"device_type_code\":7,\"product_code\":33,\"compatible\":true,\"major\":3,"
                  "\"minor\":5}");
    assert_has(s, "\"connection_point\":[2,1]");
    assert_has(s, "\"application\":\"Assembly\",\"application_code\":4,\"application_instance\":6");
    assert_has(s, "\"transport_class\":1,\"trigger\":\"cyclic\"");
    assert_has_not(s, "violation");
}

/* I/O over UDP belongs to the connection that was opened over TCP. */
static void test_io_connection(void **state)
{
    (void)state;
    request(forward_open(0x01, 0x4420, 10000));
    response(opened());
    const char *s = feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, 1, 1, BYTES(1, 0, 0, 0, 9)));
    assert_has(s, "\"direction\":\"to_server\"");
    assert_has(s, "\"server_sub\":\"route 1/0\"");
    assert_has(s, "\"class1_seq\":1,\"run_idle\":true,\"size\":1,\"data\":\"09\",\"rpi_us\":10000");
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(T2O_ID, 1, 1, BYTES(1, 0, 0, 0, 9)));
    assert_has(s, "\"direction\":\"to_client\"");
    assert_has(s, "\"size\":5");
    assert_has_not(s, "run_idle");
}

static void test_io_idle(void **state)
{
    (void)state;
    request(forward_open(0x01, 0x4420, 10000));
    response(opened());
    for (uint32_t i = 1; i <= 99; i++)
        feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, i, (uint16_t)i, BYTES(1, 0, 0, 0, 9)));
    const char *s = feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, 100, 100, BYTES(0, 0, 0, 0)));
    assert_has_not(s, "violation"); /* too short a run to believe in the header */
    for (uint32_t i = 101; i <= 220; i++)
        feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, i, (uint16_t)i, BYTES(1, 0, 0, 0, 9)));
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, 221, 221, BYTES(0, 0, 0, 0, 9)));
    assert_has(s, VIOLATION("io_idle"));
    assert_has(s, "\"run_idle\":false");
}

static void test_io_sequence(void **state)
{
    (void)state;
    feed_to(&udp_io, FT_TO_SERVER, io_packet(77, 1000, 1, BYTES(1)));
    const char *s = feed_to(&udp_io, FT_TO_SERVER, io_packet(77, 1003, 2, BYTES(1)));
    assert_has_not(s, "violation");
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(77, 5000, 2, BYTES(1)));
    assert_has(s, VIOLATION("io_sequence_jump"));
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(77, 1004, 2, BYTES(1)));
    assert_has(s, VIOLATION("io_sequence_jump"));
    now += 5 * SECOND; /* a device may restart */
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(77, 1, 2, BYTES(1)));
    assert_has_not(s, "violation");
}

/* ---- PCCC ---------------------------------------------------------------------------------- */

static struct bytes pccc(uint8_t service, struct bytes message)
{
    static const uint8_t requester[] = {7, 0x4d, 0, 0x78, 0x56, 0x34, 0x12};
    struct bytes b =
        service == 0x4b ? BYTES(0x4b, 0x02, 0x20, 0x67, 0x24, 0x01) : BYTES(0xcb, 0, 0, 0);

    put(&b, requester, sizeof(requester));
    return join(b, message);
}

static void test_pccc_read(void **state)
{
    (void)state;
    const char *s = request(pccc(0x4b, BYTES(0x0f, 0, 0x34, 0x12, 0xa2, 4, 7, 0x89, 5, 0)));
    assert_has(s, "\"command\":\"execute_pccc\"");
    assert_has(s, "\"command\":\"pccc_logical_read_3\",\"code\":69538");
    assert_has(s, "\"requester_vendor\":\"Rockwell Software\",\"requester_vendor_code\":77,"
                  "\"requester_serial\":305419896");
    assert_has(s, "\"tns\":4660,\"fnc\":162,\"size\":4,\"file_no\":7,\"file_type\":\"integer\","
                  "\"file_type_code\":137,\"element\":5,\"sub_element\":0");
    s = response(pccc(0xcb, BYTES(0x4f, 0, 0x34, 0x12, 1, 0, 2, 0)));
    assert_has(s, "\"command\":\"pccc_logical_read_3\"");
    assert_int_equal(count_of(s, "\"paired\":true"), 3);
    assert_has(s, "\"file_no\":7,\"file_type\":\"integer\"");
    assert_has(s, "\"data\":\"01000200\"");
    assert_has_not(s, "violation");
}

static void test_pccc_program(void **state)
{
    (void)state;
    const char *s =
        request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xaa, 2, 0xff, 0x02, 0x01, 0x22, 5, 0, 9, 9)));
    assert_has(s, "\"command\":\"pccc_logical_write_3\",\"code\":69546,\"qualifier\":0,"
                  "\"class\":\"program\"");
    assert_has(s, "\"file_no\":258,\"file_type\":\"ladder\"");
    assert_has(s, "\"data\":\"0909\"");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xa2, 2, 2, 0x22, 5, 0)));
    assert_has(s, "\"code\":69538,\"qualifier\":0,\"class\":\"upload\"");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xab, 2, 7, 0x89, 5, 0, 0x0f, 0x00, 3, 0)));
    assert_has(s, "\"class\":\"write\"");
    assert_has(s, "\"mask\":15");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x50)));
    assert_has(s, "\"command\":\"pccc_download_all_request\"");
    assert_has(s, "\"class\":\"program\"");
}

static void test_pccc_mode(void **state)
{
    (void)state;
    const char *s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x80, 1)));
    assert_has(s, "\"command\":\"pccc_change_cpu_mode\"");
    assert_has(s, "\"class\":\"mode\"");
    assert_has(s, "\"mode\":\"remote_program\"");
    assert_has(s, VIOLATION("controller_stop"));
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x80, 6)));
    assert_has(s, "\"mode\":\"remote_run\"");
    assert_has_not(s, "violation");
    assert_has(request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x3a, 1))), VIOLATION("controller_stop"));
    assert_has_not(request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x3a, 2))), "violation");
    assert_has(request(pccc(0x4b, BYTES(0x07, 0, 1, 0, 0x00))), VIOLATION("controller_stop"));
    assert_has_not(request(pccc(0x4b, BYTES(0x07, 0, 1, 0, 0x01))), "violation");
    assert_has(request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x0a))), VIOLATION("controller_reset"));
}

static void test_pccc_basic(void **state)
{
    (void)state;
    const char *s = request(pccc(0x4b, BYTES(0x01, 0, 1, 0, 0x10, 0x00, 8)));
    assert_has(s, "\"command\":\"pccc_unprotected_read\",\"code\":65792");
    assert_has(s, "\"size\":8");
    assert_has(s, "\"address\":16");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x68, 0, 0, 4, 0, 7, 0, 4, 9)));
    assert_has(s, "\"command\":\"pccc_typed_read\"");
    assert_has(s, "\"offset\":0,\"size\":4,\"data\":\"07000409\"");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0x99)));
    assert_has(s, "\"code\":69529");
    assert_has(s, "\"class\":\"unknown\"");
}

static void test_pccc_failure(void **state)
{
    (void)state;
    request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xa2, 2, 7, 0x89, 5, 0)));
    const char *s = response(pccc(0xcb, BYTES(0x4f, 0xf0, 1, 0, 0x0b)));
    assert_has(s, VIOLATION("pccc_failed"));
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"ext_sts\":\"access_denied\"");
    request(pccc(0x4b, BYTES(0x0f, 0, 2, 0, 0xa2, 2, 7, 0x89, 5, 0)));
    s = response(pccc(0xcb, BYTES(0x0f, 0, 2, 0, 1, 0)));
    assert_has(s, VIOLATION("pccc_direction"));
    assert_has(request(pccc(0x4b, BYTES(0x4f, 0, 2, 0, 0xa2))), VIOLATION("pccc_direction"));
}

/* ---- violations ---------------------------------------------------------------------------- */

static void test_service_failed(void **state)
{
    (void)state;
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x09));
    const char *s = response(BYTES(0x8e, 0, 0x14, 0));
    assert_has(s, VIOLATION("access_failed"));
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"status\":\"Attribute not supported\",\"status_code\":20");
    assert_has(s, "\"command\":\"get_attribute_single\",\"code\":14,\"qualifier\":1");
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x01));
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 1, 0)), VIOLATION("access_failed"));
}

static void test_path_violations(void **state)
{
    (void)state;
    assert_has(request(BYTES(0x00, 0x02, 0x20, 0x01, 0x24, 0x01)), VIOLATION("service_zero"));
    assert_has(request(BYTES(0x01, 0x02, 0x20, 0x00, 0x24, 0x01)), VIOLATION("class_zero"));
    const char *s = request(BYTES(0x01, 0x02, 0xe0, 0x01, 0x24, 0x01));
    assert_has(s, VIOLATION("reserved_segment"));
    assert_has(s, "\"offset\":42,\"length\":4");
    assert_has(request(BYTES(0x01, 0x02, 0x23, 0x01, 0x24, 0x01)), VIOLATION("reserved_segment"));
    assert_has(request(BYTES(0x01, 0x09, 0x20, 0x01, 0x24, 0x01)), VIOLATION("malformed"));
    assert_has(request(BYTES(0x01, 0x01, 0x21, 0x00)), VIOLATION("malformed"));
    s = request(BYTES(0x01, 0x06, 0x21, 0x00, 0x01, 0x00, 0x26, 0x00, 1, 0, 0, 0, 0x43, 0x05));
    assert_has_not(s, "violation");
    assert_has(s, "\"class_name\":\"Identity\"");
}

static void test_unexpected_response(void **state)
{
    (void)state;
    /* the first response of a flow may belong to a request from before the capture */
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 1, 0)), VIOLATION("unexpected_response"));
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x01));
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 1, 0)), VIOLATION("unexpected_response"));
    const char *s = response(BYTES(0x8e, 0, 0, 0, 1, 0));
    assert_has(s, VIOLATION("unexpected_response"));
    assert_has(s, "\"paired\":false");
}

static void test_reply_reserved(void **state)
{
    (void)state;
    request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x01));
    assert_has(response(BYTES(0x8e, 1, 0, 0, 1, 0)), VIOLATION("reply_reserved"));
}

/* Only responses are seen: nothing is made up, nothing is alarmed. */
static void test_one_direction(void **state)
{
    (void)state;
    const char *s = response(identity_reply(0x3060));
    assert_has(s, "\"code\":1,\"class\":\"read\"");
    assert_has_not(s, "\"fact\"");
    assert_has_not(s, "violation");
    s = response(opened());
    assert_has(s, "\"command\":\"forward_open\"");
    assert_has(s, "\"o2t_id\":10551297");
    s = response(BYTES(0xcc, 0, 0, 0, 0xc4, 0, 1, 0, 0, 0));
    assert_has(s, "\"code\":76");
    assert_has(s, "\"data\":\"c40001000000\"");
}

static void test_connected_without_open(void **state)
{
    struct bytes read = tag_path(0x4c, "A");

    (void)state;
    put16(&read, 1);
    ask(connected(5, 9, read));
    const char *s = say(connected(6, 9, BYTES(0xcc, 0, 0, 0, 0xc1, 0, 1)));
    assert_has(s, "\"command\":\"read_tag\"");
    assert_has(s, "\"tag\":\"A\"");
}

/* Pairing is by context: answers may come in another order. */
static void test_order(void **state)
{
    (void)state;
    ask(unconnected(1, BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, 0x01)));
    ask(unconnected(2, BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 0x06)));
    const char *s = say(unconnected(2, BYTES(0x8e, 0, 0, 0, 1, 0, 'x')));
    assert_has(s, FACT("name", "x"));
    s = say(unconnected(1, BYTES(0x8e, 0, 0, 0, 1, 0)));
    assert_has(s, FACT("vendor", "Rockwell Automation"));
}

/* A client that never changes its context: a response that was lost must not shift all others. */
static void test_lost_response(void **state)
{
    (void)state;
    request(BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 0x06));
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    const char *s = response(identity_reply(0x3060));
    assert_has(s, "\"command\":\"identify\"");
    assert_has(s, FACT("serial", "0051823f"));
}

static void test_hostile(void **state)
{
    struct bytes b = BYTES(0x03, 0x02, 0x20, 0x01, 0x24, 0x01, 0xff, 0xff, 1, 0);

    (void)state;
    assert_has(request(b), VIOLATION("malformed"));
    b = tag_path(0x4d, "X");
    put(&b, "\xc4\x00\xff\xff", 4);
    assert_has_not(request(b), "\"values\"");
    b = tag_path(0x4e, "X");
    put(&b, "\xff\xff\x00", 3);
    assert_has(request(b), VIOLATION("malformed"));
    assert_has(request(BYTES(0x4b, 0x02, 0x20, 0x67, 0x24, 0x01, 0xff, 1)), VIOLATION("malformed"));
    assert_has(request(BYTES(0x52, 0x02, 0x20, 0x06, 0x24, 0x01, 1, 1, 0xff, 0xff)),
               VIOLATION("malformed"));
    assert_has(ask(unconnected(1, (struct bytes){.length = 0})), VIOLATION("malformed"));
}

static void test_truncation(void **state)
{
    const struct bytes whole[] = {two_services(), forward_open(0xa3, 0x43f4, 5000),
                                  routed(two_services(), BYTES(1, 3)),
                                  pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xa2, 2, 7, 0x89, 5, 0))};
    struct ft_harness_flow udp = tcp;

    (void)state;
    udp.id = 9;
    udp.transport = FT_TRANSPORT_UDP;
    for (uint32_t w = 0; w < 4; w++) {
        struct bytes b = unconnected(1, whole[w]);
        for (uint32_t n = 1; n < b.length; n++) {
            const char *s = ft_harness_feed_cut(h, &udp, FT_TO_SERVER, now, b.data, n);
            assert_has_not(s, "violation");
            s = ft_harness_feed(h, &udp, FT_TO_SERVER, now, b.data, n);
            assert_has(s, VIOLATION("malformed"));
        }
        assert_has_not(feed_to(&udp, FT_TO_SERVER, b), "violation");
    }
}

static void test_garbage(void **state)
{
    const struct bytes seeds[] = {
        unconnected(1, two_services()),
        unconnected(1, forward_open(0xa3, 0x43f4, 5000)),
        unconnected(1, routed(two_services(), BYTES(1, 3))),
        unconnected(1, pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xa2, 2, 7, 0x89, 5, 0))),
        unconnected(1, opened()),
        connected(O2T_ID, 7, wrap_multiple(two_services())),
        unconnected(1, identity_reply(0x3060)),
    };

    (void)state;
    feed_garbage(seeds, 7, 4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_session, teardown)

/*
 * ---- the files behind cip.c, at what the tests above leave out ---------------------------------
 *
 * cip_identity.c (facts of a device), cip_path.c (segments), cip_services.c (objects and tags),
 * cip_pccc.c, cip_connection.c, cip_tables.c.
 */

static const char *identify(uint16_t vendor, uint16_t type)
{
    struct bytes b = BYTES(0x81, 0, 0, 0);
    put16(&b, vendor);
    put16(&b, type);
    put(&b, "\1\0\2\3\0\0\0\0\0\0\2HM\3", 14);
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x01));
    return response(b);
}

/* cip_identity.c: what a device is by its type; software is a workstation whatever it says. */
static void test_roles(void **state)
{
    static const struct {
        uint16_t vendor, type;
        const char *role;
    } devices[] = {{1, 0x0e, "plc"},
                   {1, 0x18, "hmi"},
                   {1, 0x2c, "switch"},
                   {1, 0x0c, "gateway"},
                   {1, 0x28, "gateway"},
                   {1, 0x29, "gateway"},
                   {1, 0x35, "gateway"},
                   {1, 0x00, NULL},
                   {1, 0x2b, NULL},
                   {1, 0xc8, NULL},
                   {1, 0x07, "io"},
                   {1, 0x36, NULL},
                   {0x4d, 0x0e, "workstation"}};
    char want[64];
    (void)state;
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        const char *s = identify(devices[i].vendor, devices[i].type);
        snprintf(want, sizeof(want), FACT("role", "%s"), devices[i].role ? devices[i].role : "");
        if (devices[i].role)
            assert_has(s, want);
        else
            assert_has_not(s, "\"fact\":\"role\"");
        assert_has_not(s, "\"fact\":\"serial\""); /* a serial number of zero is none */
        assert_has(s, "\"state\":3");
    }
}

/* cip_identity.c: each attribute by itself, whole and one byte short. */
static void test_identity_attributes(void **state)
{
    static const struct {
        uint8_t attribute, size;
        const char *fact;
    } attributes[] = {{1, 2, "vendor"},   {2, 2, "role"}, {3, 2, NULL},
                      {4, 2, "firmware"}, {5, 2, NULL},   {6, 4, "serial"},
                      {7, 3, "model"},    {8, 1, NULL},   {0, 2, NULL}};
    static const uint8_t value[4] = {2, 0x0e, 'x', 'y'};
    char want[64];
    (void)state;
    for (unsigned i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        for (uint8_t size = 0; size <= attributes[i].size; size++) {
            struct bytes b = BYTES(0x8e, 0, 0, 0);
            put(&b, attributes[i].attribute == 2 ? (const uint8_t *)"\x0e" : value, size);
            if (attributes[i].attribute == 2 && size == 2)
                b.data[b.length - 1] = 0;
            request(BYTES(0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, attributes[i].attribute));
            const char *s = response(b);
            snprintf(want, sizeof(want), "\"fact\":\"%s\"",
                     attributes[i].fact ? attributes[i].fact : "");
            if (attributes[i].fact && size == attributes[i].size)
                assert_has(s, want);
            else
                assert_has_not(s, "\"fact\"");
        }
    }
}

/* cip_path.c: every kind of segment; where the form is unknown the rest of the path is too. */
static void test_every_segment(void **state)
{
    (void)state;
    const char *s = request(BYTES(0x0e, 4, 0x21, 0, 0x6b, 0, 0x26, 0, 1, 0, 0, 0));
    assert_has(s, VIOLATION("malformed"));
    s = request(BYTES(0x0e, 5, 0x21, 0, 0x6b, 0, 0x26, 0, 0x78, 0x56, 0x34, 0x12));
    assert_has(s, "\"instance\":305419896");
    s = request(BYTES(0x0e, 3, 0x20, 0x6b, 0x2d, 0, 0x34, 0x12));
    assert_has(s, "\"value\":4660");
    /* electronic keys of both formats, and of one that does not exist */
    s = request(BYTES(0x0e, 7, 0x34, 4, 1, 0, 0x0e, 0, 0x36, 0, 0x14, 1, 0x20, 1, 0x24, 1));
    assert_has(s, "\"class_name_code\":1,\"instance\":1");
    s = request(
        BYTES(0x0e, 9, 0x34, 5, 1, 0, 0x0e, 0, 0x36, 0, 0x14, 1, 1, 2, 3, 4, 0x20, 1, 0x24, 1));
    assert_has(s, "\"class_name_code\":1,\"instance\":1");
    s = request(BYTES(0x0e, 7, 0x34, 6, 1, 0, 0x0e, 0, 0x36, 0, 0x14, 1, 0x20, 1, 0x24, 1));
    assert_has_not(s, "\"instance\"");
    /* network segments of a byte and of words, data, a reserved logical form */
    s = request(BYTES(0x0e, 5, 0x43, 7, 0x51, 1, 9, 9, 0x20, 1, 0x24, 1));
    assert_has(s, "\"class_name_code\":1,\"instance\":1");
    s = request(BYTES(0x0e, 4, 0x20, 1, 0x24, 1, 0x80, 1, 9, 9));
    assert_has(s, "\"class_name_code\":1,\"instance\":1");
    s = request(BYTES(0x0e, 4, 0x20, 1, 0x23, 1, 0x24, 1, 0, 0));
    assert_has_not(s, "\"instance\"");
    /* the older symbols: with a length in the type, with double and triple characters, numeric */
    s = request(BYTES(0x4c, 2, 0x63, 'a', 'b', 'c', 1, 0));
    assert_has(s, "\"tag\":\"abc\"");
    s = request(BYTES(0x4c, 2, 0x62, 'a', 'b', 0, 1, 0));
    assert_has(s, "\"tag\":\"ab\"");
    request(BYTES(0x4c, 3, 0x60, 0x22, 'a', 0, 'b', 0, 1, 0));
    request(BYTES(0x4c, 3, 0x60, 0x41, 'a', 0, 0, 0, 1, 0));
    request(BYTES(0x4c, 2, 0x60, 0xc2, 1, 0, 1, 0));
    s = request(BYTES(0x4c, 2, 0x60, 0x00, 1, 0, 1, 0));
    assert_has_not(s, "\"tag\":\"");
    /* an array of two dimensions in a structure in an array */
    s = request(BYTES(0x4c, 8, 0x91, 1, 'A', 0, 0x28, 1, 0x28, 2, 0x91, 2, 'b', 'c', 0x29, 0, 0x2c,
                      1, 1, 0));
    assert_has(s, "\"tag\":\"A[1,2].bc[300]\"");
    s = request(BYTES(0x4c, 4, 0x91, 1, 'A', 0, 0x28, 1, 0x28, 2, 1, 0));
    assert_has(s, "\"tag\":\"A[1,2]\"");
    /* a path that ends inside of each of its segments */
    static const uint8_t path[] = {0x34, 5, 1,    0, 0x0e, 0, 0x36, 0,   0x14, 1,
                                   1,    2, 3,    4, 0x51, 1, 9,    9,   0x60, 0x22,
                                   'a',  0, 'b',  0, 0x91, 2, 'b',  'c', 0x29, 0,
                                   0x2c, 1, 0x80, 1, 9,    9, 0x15, 2,   '1',  '0'};
    for (uint8_t words = 0; words < 60; words++) {
        struct bytes b = BYTES(0x0e, words);
        put(&b, path, sizeof(path));
        request(b);
    }
}

/* cip_services.c: TCP/IP interface and Ethernet link, whole and by attribute, cut everywhere. */
static void test_interfaces(void **state)
{
    static const uint8_t tcpip[] = {1, 0,    0,    0,    0x34, 0,  0, 0,   2,   0,   0,   0,   2,
                                    0, 0x20, 0xf6, 0x24, 1,    10, 1, 168, 192, 0,   255, 255, 255,
                                    1, 1,    168,  192,  0,    0,  0, 0,   0,   0,   0,   0,   3,
                                    0, 'l',  'a',  'b',  0,    4,  0, 'm', 'i', 'l', 'l'};
    static const uint8_t link[] = {100, 0, 0, 0, 3, 0, 0, 0, 0, 0x1d, 0x9c, 1, 2, 3};
    (void)state;
    request(BYTES(0x01, 0x02, 0x20, 0xf5, 0x24, 0x01));
    struct bytes b = BYTES(0x81, 0, 0, 0);
    put(&b, tcpip, sizeof(tcpip));
    const char *s = response(b);
    assert_has(s, "\"address\":\"192.168.1.10\",\"netmask\":\"255.255.255.0\","
                  "\"gateway\":\"192.168.1.1\",\"domain\":\"lab\",\"host_name\":\"mill\"");
    assert_has(s, FACT("name", "mill"));
    assert_has_not(s, "violation");
    for (uint32_t n = 1; n < sizeof(tcpip); n++) {
        request(BYTES(0x01, 0x02, 0x20, 0xf5, 0x24, 0x01));
        b = BYTES(0x81, 0, 0, 0);
        put(&b, tcpip, n);
        assert_has_not(response(b), "\"fact\":\"name\"");
    }
    request(BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 3));
    assert_has(response(BYTES(0x8e, 0, 0, 0, 0x12, 0, 0, 0)), "\"tcpip\":{\"method\":");
    request(BYTES(0x0e, 0x03, 0x20, 0xf5, 0x24, 0x01, 0x30, 1));
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 0x12, 0, 0, 0)), "\"tcpip\"");
    /* the class itself has other attributes */
    request(BYTES(0x01, 0x02, 0x20, 0xf5, 0x24, 0x00));
    assert_has_not(response(BYTES(0x81, 0, 0, 0, 4, 0, 1, 0)), "\"tcpip\"");

    request(BYTES(0x01, 0x02, 0x20, 0xf6, 0x24, 0x01));
    b = BYTES(0x81, 0, 0, 0);
    put(&b, link, sizeof(link));
    s = response(b);
    assert_has(s, "\"ethernet_link\":{\"speed\":100,\"mac\":\"00:1d:9c:01:02:03\"}");
    request(BYTES(0x0e, 0x03, 0x20, 0xf6, 0x24, 0x01, 0x30, 1));
    assert_has(response(BYTES(0x8e, 0, 0, 0, 10, 0, 0, 0)), "\"ethernet_link\":{\"speed\":10}");
    request(BYTES(0x0e, 0x03, 0x20, 0xf6, 0x24, 0x01, 0x30, 3));
    s = response(BYTES(0x8e, 0, 0, 0, 0, 0x1d, 0x9c, 1, 2, 4));
    assert_has(s, "\"ethernet_link\":{\"mac\":\"00:1d:9c:01:02:04\"}");
    request(BYTES(0x0e, 0x03, 0x20, 0xf6, 0x24, 0x01, 0x30, 2));
    assert_has_not(response(BYTES(0x8e, 0, 0, 0, 10, 0, 0, 0)), "\"ethernet_link\"");
    request(BYTES(0x01, 0x02, 0x20, 0xf6, 0x24, 0x00));
    assert_has_not(response(BYTES(0x81, 0, 0, 0, 4, 0, 1, 0)), "\"ethernet_link\"");
    /* of the identity's class, and of an object that nobody knows */
    request(BYTES(0x01, 0x02, 0x20, 0x01, 0x24, 0x00));
    assert_has_not(response(BYTES(0x81, 0, 0, 0, 1, 0, 1, 0)), "\"identity\"");
    request(BYTES(0x01, 0x02, 0x20, 0x64, 0x24, 0x00));
    assert_has_not(response(BYTES(0x81, 0, 0, 0, 1, 0, 1, 0)), "\"project\":{");
    request(BYTES(0x01, 0x02, 0x20, 0x99, 0x24, 0x01));
    assert_has(response(BYTES(0x81, 0, 0, 0, 1, 2, 3)), "\"010203\"");
}

static const char *write_value(uint8_t type, const void *value, uint32_t size)
{
    struct bytes b = tag_path(0x4d, "x1");
    put16(&b, type);
    put16(&b, 1);
    put(&b, value, size);
    return request(b);
}

/* cip_services.c: a value of every type that a tag has; of others the bytes alone. */
static void test_values_of_all_types(void **state)
{
    static const struct {
        uint8_t type, size;
        const char *bytes, *want;
    } values[] = {{0xc1, 1, "\1", "\"values\":[1]"},
                  {0xc2, 1, "\xff", "\"values\":[-1]"},
                  {0xc3, 2, "\xfe\xff", "\"values\":[-2]"},
                  {0xc4, 4, "\xfd\xff\xff\xff", "\"values\":[-3]"},
                  {0xc5, 8, "\xfc\xff\xff\xff\xff\xff\xff\xff", "\"values\":[-4]"},
                  {0xc6, 1, "\xff", "\"values\":[255]"},
                  {0xc7, 2, "\xff\xff", "\"values\":[65535]"},
                  {0xc8, 4, "\xff\xff\xff\xff", "\"values\":[4294967295]"},
                  {0xc9, 8, "\1\0\0\0\0\0\0\0", "\"values\":[1]"},
                  {0xca, 4, "\0\0\xc0\x3f", "[1.5]"},
                  {0xcb, 8, "\0\0\0\0\0\0\xf8\xbf", "[-1.5]"},
                  {0xd0, 5, "\3\0abc", "\"abc\""},
                  {0xda, 4, "\3abc", "\"abc\""},
                  {0xd1, 1, "\x81", "\"values\":[129]"},
                  {0xd2, 2, "\x81\x80", "\"values\":[32897]"},
                  {0xd3, 4, "\1\0\0\x80", "\"values\":[2147483649]"},
                  {0xd4, 8, "\1\0\0\0\0\0\0\0", "\"values\":[1]"},
                  {0xcc, 4, "\1\2\3\4", NULL},
                  {0xc0, 4, "\1\2\3\4", NULL},
                  {0xbf, 4, "\1\2\3\4", NULL},
                  {0xe1, 4, "\1\2\3\4", NULL}};
    (void)state;
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *s = write_value(values[i].type, values[i].bytes, values[i].size);
        if (values[i].want)
            assert_has(s, values[i].want);
        else
            assert_has_not(s, "\"values");
        assert_has_not(write_value(values[i].type, values[i].bytes, 0), "\"values\"");
        /* more bytes than an element, fewer than two */
        s = write_value(values[i].type, values[i].bytes, values[i].size);
        assert_has_not(s, "malformed");
    }
}

/* cip_pccc.c: functions with addresses of two and three fields, stops, refusals, mixed replies. */
static void test_pccc_edges(void **state)
{
    (void)state;
    const char *s = request(pccc(0x4b, BYTES(0x0f, 0, 1, 0, 0xa1, 4, 7, 0x89, 5)));
    assert_has(s, "\"class\":\"read\"");
    assert_has(s, "\"command\":\"pccc_logical_read_2\"");
    s = response(pccc(0xcb, BYTES(0x4f, 0, 1, 0, 1, 0)));
    assert_has(s, "\"paired\":true");
    s = request(pccc(0x4b, BYTES(0x0f, 0, 2, 0, 0xa9, 2, 7, 0x89, 5, 1, 0)));
    assert_has(s, "\"command\":\"pccc_logical_write_2\"");
    /* the program is a program in both directions */
    assert_has(request(pccc(0x4b, BYTES(0x0f, 0, 3, 0, 0xa2, 2, 2, 0x22, 5, 0))),
               "\"class\":\"upload\"");
    assert_has(response(pccc(0xcb, BYTES(0x4f, 0, 3, 0, 1, 2))), "\"class\":\"upload\"");
    assert_has(request(pccc(0x4b, BYTES(0x0f, 0, 4, 0, 0xaa, 2, 2, 0x22, 5, 0, 1, 2))),
               "\"class\":\"program\"");
    assert_has(response(pccc(0xcb, BYTES(0x4f, 0, 4, 0))), "\"class\":\"program\"");
    assert_has(request(pccc(0x4b, BYTES(0x0f, 0, 5, 0, 0x07))), VIOLATION("controller_stop"));
    /* a reply to another command than was asked says nothing of it */
    request(pccc(0x4b, BYTES(0x0f, 0, 6, 0, 0xa2, 4, 7, 0x89, 5, 0)));
    s = response(pccc(0xcb, BYTES(0x41, 0, 6, 0, 1, 2)));
    assert_has_not(s, "\"file_no\":");
    /* a command that claims to be a reply, and the other way round */
    assert_has(request(pccc(0x4b, BYTES(0x4f, 0, 7, 0, 0xa2, 4, 7, 0x89, 5, 0))),
               VIOLATION("pccc_direction"));
    assert_has(response(pccc(0xcb, BYTES(0x0f, 0, 7, 0))), VIOLATION("pccc_direction"));
    /* an error without its second byte, and with it */
    request(pccc(0x4b, BYTES(0x0f, 0, 8, 0, 0x80, 6)));
    s = response(pccc(0xcb, BYTES(0x4f, 0xf0, 8, 0)));
    assert_has(s, "\"kind\":\"exception\"");
    request(pccc(0x4b, BYTES(0x0f, 0, 9, 0, 0x80, 6)));
    s = response(pccc(0xcb, BYTES(0x4f, 0xf0, 9, 0, 0x0b)));
    assert_has(s, "\"kind\":\"exception\"");
    assert_has_not(s, "malformed");
    /* a mode that is not there stops nothing */
    s = request(pccc(0x4b, BYTES(0x0f, 0, 10, 0, 0x80)));
    assert_has_not(s, VIOLATION("controller_stop"));
    assert_has(s, VIOLATION("malformed"));
}

static const char *catalog(const void *name, uint32_t length)
{
    struct bytes b = BYTES(0x46, 0, 1, 0, 0x21, 0xee, 0x31, 0x5b, 0x20);
    put(&b, name, length);
    request(pccc(0x4b, BYTES(0x06, 0, 1, 0, 0x03)));
    return response(pccc(0xcb, b));
}

/* cip_pccc.c: the catalog number of a status reply, and what is none. */
static void test_pccc_catalog(void **state)
{
    (void)state;
    assert_has(catalog("1763-L16BWA", 11), FACT("model", "1763-L16BWA"));
    assert_has(catalog("5/04       ", 11), FACT("model", "5/04"));
    assert_has_not(catalog("           ", 11), "\"fact\"");
    assert_has_not(catalog("1763-L16BW", 10), "\"fact\"");
    request(pccc(0x4b, BYTES(0x06, 0, 1, 0, 0x03)));
    assert_has_not(response(pccc(0xcb, BYTES(0x46, 0, 1, 0, 0x21, 0xef, 1, 2, 3, '1', '2', '3', '4',
                                             '5', '6', '7', '8', '9', 'a', 'b'))),
                   "\"fact\"");
}

/* cip_connection.c: to a tag, with a reply of the application, with a reserved segment, refused. */
static void test_connection_edges(void **state)
{
    struct bytes b = forward_open(0xa3, 0x43f4, 5000);
    (void)state;
    b.length -= 7;
    put(&b, (uint8_t[]){3, 0x91, 4, 'P', 'u', 'm', 'p'}, 7);
    const char *s = request(b);
    assert_has(s, "\"tag\":\"Pump\"");
    b = opened();
    b.data[b.length - 2] = 2;
    put(&b, (uint8_t[]){1, 2, 3, 4}, 4);
    s = response(b);
    assert_has(s, "\"data\":\"01020304\"");
    assert_has_not(s, "violation");
    b = closing(0x4e);
    b.data[b.length - 4] = 0xa0; /* a data type where a segment should be */
    assert_has(request(b), VIOLATION("reserved_segment"));
    b = closing(0xce);
    b.data[b.length - 2] = 1;
    put(&b, (uint8_t[]){7, 8}, 2);
    s = response(b);
    assert_has(s, "\"data\":\"0708\"");
    /* closed is closed: closing it again finds nothing, opening it again is no duplicate */
    request(closing(0x4e));
    response(closing(0xce));
    assert_has_not(request(forward_open(0xa3, 0x43f4, 5000)), VIOLATION("duplicate_connection"));
    b = forward_open(0xa3, 0x43f4, 5000);
    b.data[b.length - 4] = 0xa0;
    assert_has(request(b), VIOLATION("reserved_segment"));
    /* refusals: by the target with the triad, by a router without, both too short for it */
    s = response(
        BYTES(0xd4, 0, 1, 1, 0x00, 0x01, 0x34, 0x12, 0x4d, 0, 0xef, 0xbe, 0xad, 0xde, 3, 0));
    assert_has(s, "\"kind\":\"exception\"");
    assert_has(s, "\"remaining_path_words\":3");
    request(forward_open(0xa3, 0x43f4, 5000));
    s = response(BYTES(0xd4, 0, 1, 1, 0x00, 0x01, 0x34, 0x12));
    assert_has_not(s, "\"remaining_path_words\"");
    for (uint32_t n = 4; n < opened().length; n++) {
        request(forward_open(0xa3, 0x43f4, 5000));
        b = opened();
        b.length = n;
        response(b);
    }
    for (uint32_t n = 8; n < forward_open(0xa3, 0x43f4, 5000).length; n++) {
        b = forward_open(0xa3, 0x43f4, 5000);
        b.length = n;
        assert_has_not(request(b), VIOLATION("duplicate_connection"));
    }
}

/* cip_connection.c: outputs whose first word is no run flag have no such header, then or later. */
static void test_outputs_without_header(void **state)
{
    (void)state;
    request(forward_open(0x01, 0x4420, 10000));
    response(opened());
    const char *s = feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, 1, 1, BYTES(9, 9, 9, 9, 1)));
    assert_has_not(s, "\"run_idle\":");
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(O2T_ID, 2, 2, BYTES(1, 0, 0, 0, 1)));
    assert_has_not(s, "\"run_idle\":");
    s = feed_to(&udp_io, FT_TO_CLIENT, io_packet(T2O_ID, 1, 1, BYTES(1, 0, 0, 0, 1)));
    assert_has_not(s, "\"run_idle\":");
    /* three bytes are no header either */
    s = feed_to(&udp_io, FT_TO_SERVER, io_packet(0x77777777, 1, 1, BYTES(1, 0, 0)));
    assert_has_not(s, "\"run_idle\":");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_identity),
        TEST(test_key_switch),
        TEST(test_device_fault),
        TEST(test_single_attributes),
        TEST(test_attribute_list),
        TEST(test_clock),
        TEST(test_network_settings),
        TEST(test_host_name),
        TEST(test_project),
        TEST(test_tags),
        TEST(test_structures_and_strings),
        TEST(test_fragments),
        TEST(test_mode),
        TEST(test_reset),
        TEST(test_semaphore),
        TEST(test_firmware),
        TEST(test_classes),
        TEST(test_table_agrees),
        TEST(test_multiple),
        TEST(test_multiple_fails_inside),
        TEST(test_multiple_offsets),
        TEST(test_refusals),
        TEST(test_uploads),
        TEST(test_nesting),
        TEST(test_many_services),
        TEST(test_unconnected_send),
        TEST(test_routes),
        TEST(test_forward_open),
        TEST(test_large_forward_open),
        TEST(test_connection_violations),
        TEST(test_electronic_key),
        TEST(test_io_connection),
        TEST(test_io_idle),
        TEST(test_io_sequence),
        TEST(test_pccc_read),
        TEST(test_pccc_program),
        TEST(test_pccc_mode),
        TEST(test_pccc_basic),
        TEST(test_pccc_failure),
        TEST(test_service_failed),
        TEST(test_path_violations),
        TEST(test_unexpected_response),
        TEST(test_reply_reserved),
        TEST(test_one_direction),
        TEST(test_connected_without_open),
        TEST(test_order),
        TEST(test_lost_response),
        TEST(test_hostile),
        TEST(test_truncation),
        TEST(test_garbage),
        TEST(test_roles),
        TEST(test_identity_attributes),
        TEST(test_every_segment),
        TEST(test_interfaces),
        TEST(test_values_of_all_types),
        TEST(test_pccc_edges),
        TEST(test_pccc_catalog),
        TEST(test_connection_edges),
        TEST(test_outputs_without_header),
    };
    return cmocka_run_group_tests_name("cip", tests, NULL, NULL);
}
