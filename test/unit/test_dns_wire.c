/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of DNS messages and the look whether bytes can be a message: dns_wire.c, called directly.
 * Messages are made by hand from RFC 1035 (4.1), names of addresses from 3.5 and RFC 3596 (2.5).
 */
#include "feed.h"

#include "protocols/network/dns_wire.h"

#define HEADER "0000 0000 0000 0000 0000 0000 "
/* plc.example.com, 17 bytes; example.com begins 4 bytes behind */
#define NAME "03 706c63 07 6578616d706c65 03 636f6d 00 "

/* What reading a name gives: the name and where the view then stands. */
struct result {
    struct ft_dns_name name;
    uint32_t taken; /**< bytes */
    uint8_t error;  /**< of the view */
};

static struct result read_bytes(const uint8_t *bytes, uint32_t n, uint32_t from, bool is_cut)
{
    struct ft_view message = ft_view_make(bytes, n, is_cut), v = message;
    struct result r;

    memset(&r, 0xa5, sizeof(r)); /* nothing may be left of what was there */
    ft_skip(&v, from);
    const uint8_t *start = v.data;
    ft_dns_name_read(&message, &v, &r.name);
    r.taken = (uint32_t)(v.data - start);
    r.error = v.error;
    assert_true(r.name.length <= sizeof(r.name.text));
    return r;
}

static struct result read_at(const char *hex, uint32_t from)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return read_bytes(bytes, n, from, false);
}

static void assert_text(const struct ft_dns_name *name, const char *text)
{
    if (name->length != strlen(text) || memcmp(name->text, text, name->length) != 0)
        fail_msg("\"%.*s\", not \"%s\"", (int)name->length, name->text, text);
}

/* Read all right: the text, and how many bytes it took. */
static void assert_read(const struct result *r, const char *text, uint32_t taken)
{
    assert_text(&r->name, text);
    assert_int_equal(r->name.fault, FT_DNS_NAME_OK);
    assert_int_equal(r->error, FT_VIEW_OK);
    assert_int_equal(r->taken, taken);
}

static struct ft_dns_name name_of(const char *text)
{
    struct ft_dns_name name = {.length = (uint16_t)strlen(text)};
    memcpy(name.text, text, name.length);
    return name;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void plain(void **state)
{
    (void)state;
    struct result r = read_at(HEADER NAME "ff", 12);
    assert_read(&r, "plc.example.com", 17);
    assert_int_equal(r.name.labels, 3);
    assert_int_equal(r.name.longest, 7);
    assert_int_equal(r.name.first_label, 3);
    r = read_at(HEADER "00 ff", 12);
    assert_read(&r, "", 1);
    assert_int_equal(r.name.labels, 0);
    assert_int_equal(r.name.longest, 0);
    assert_int_equal(r.name.first_label, 0);
    /* Characters that separate: a.b\c + d */
    r = read_at(HEADER "05 612e625c63 01 64 00", 12);
    assert_read(&r, "a\\.b\\\\c.d", 9);
    assert_int_equal(r.name.longest, 5);
    assert_int_equal(r.name.first_label, 7);
    /* Any byte may be in a label. */
    r = read_at(HEADER "04 00ff200a 00", 12);
    assert_int_equal(r.name.length, 4);
    assert_memory_equal(r.name.text, "\0\xff\x20\x0a", 4);
}

static void compressed(void **state)
{
    (void)state;
    struct result r = read_at(HEADER NAME "c00c ff", 29);
    assert_read(&r, "plc.example.com", 2);
    r = read_at(HEADER NAME "03 777777 c010 ff", 29);
    assert_read(&r, "www.example.com", 6);
    assert_int_equal(r.name.labels, 3);
    assert_int_equal(r.name.first_label, 3);
    /* A pointer to a pointer: at 29 "c010", at 31 "a" and that. */
    r = read_at(HEADER NAME "c010 01 61 c01d ff", 31);
    assert_read(&r, "a.example.com", 4);
    /* To the root at the end of the first name */
    r = read_at(HEADER NAME "c01c ff", 29);
    assert_read(&r, "", 2);
    /* Behind offset 255 */
    char hex[2000] = HEADER;
    for (unsigned i = 12; i < 0x123; i++)
        strcat(hex, "00");
    strcat(hex, "01 62 00 c123");
    r = read_at(hex, 0x126);
    assert_read(&r, "b", 2);
}

/* RFC 1035, 4.1.4: a pointer leads to a prior occurrence. */
static void pointers_that_do_not_lead_back(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *text;
        uint32_t from, taken;
    } cases[] = {
        {HEADER "c00c ff", "", 12, 2},        /* itself */
        {HEADER "c00e 00 ff", "", 12, 2},     /* forward */
        {HEADER "c00d 00 ff", "", 12, 2},     /* into itself */
        {HEADER "c00b ff", "", 12, 2},        /* the last byte of the header */
        {HEADER "c000 ff", "", 12, 2},        /* its first */
        {HEADER "01 61 c00c ff", "a", 12, 4}, /* the start of this name */
        {HEADER "01 61 c00e ff", "a", 12, 4}, /* the pointer in it */
        {HEADER "01 61 c010 00", "a", 12, 4}, /* behind it */
        {HEADER "c00e c00c ff", "", 14, 2},   /* two at each other */
        {HEADER "01 61 c00e 01 62 c00c", "b.a", 16, 4} /* the target is at fault */,
        {HEADER "00 ffff", "", 13, 2}, /* the farthest there is */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result r = read_at(cases[i].hex, cases[i].from);
        assert_int_equal(r.name.fault, FT_DNS_NAME_POINTER);
        /* What follows the pointer is read on: its place is known. */
        assert_int_equal(r.error, FT_VIEW_OK);
        assert_int_equal(r.taken, cases[i].taken);
        assert_text(&r.name, cases[i].text);
    }
    /* Offset 12 is the first that may be. */
    struct result r = read_at(HEADER "00 c00c", 13);
    assert_read(&r, "", 2);
}

static void jumps(void **state)
{
    (void)state;
    uint8_t bytes[12 + 3 + 2 * (FT_DNS_JUMPS_MAX + 1)] = {[12] = 1, [13] = 'a', [14] = 0};
    uint32_t at = 15, to = 12;

    /* Each pointer leads to the one before it, the first to "a". */
    for (unsigned i = 0; i <= FT_DNS_JUMPS_MAX; i++, to = at, at += 2) {
        bytes[at] = (uint8_t)(0xc0 | to >> 8);
        bytes[at + 1] = (uint8_t)to;
    }
    struct result r = read_bytes(bytes, at, at - 4, false);
    assert_read(&r, "a", 2);
    r = read_bytes(bytes, at, at - 2, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_POINTER);
    assert_int_equal(r.taken, 2);
    assert_int_equal(r.error, FT_VIEW_OK);
}

static void label_kinds(void **state)
{
    (void)state;
    uint8_t bytes[200] = {0};

    memset(bytes + 13, 'x', 100);
    bytes[12] = 63;
    bytes[76] = 0;
    struct result r = read_bytes(bytes, sizeof(bytes), 12, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_OK);
    assert_int_equal(r.name.longest, 63);
    assert_int_equal(r.taken, 65);
    /* 01 and 10 in the top bits are no kinds of labels (RFC 6891 took 01 back). */
    static const uint8_t kinds[] = {0x40, 0x41, 0x7f, 0x80, 0xbf};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        bytes[12] = kinds[i];
        r = read_bytes(bytes, sizeof(bytes), 12, false);
        assert_int_equal(r.name.fault, FT_DNS_NAME_LABEL);
        assert_int_equal(r.name.length, 0);
        /* Where the name ends nobody knows. */
        assert_int_equal(r.error, FT_VIEW_MALFORMED);
    }
    /* Behind a pointer the end is known all the same. */
    r = read_at(HEADER "40 c00c ff", 13);
    assert_int_equal(r.name.fault, FT_DNS_NAME_LABEL);
    assert_int_equal(r.error, FT_VIEW_OK);
    assert_int_equal(r.taken, 2);
}

/* Labels that are `wire` bytes with their lengths and the root's. */
static uint32_t long_name(uint8_t *to, uint32_t wire)
{
    uint32_t n = 0;
    for (uint32_t left = wire - 1; left;) {
        uint32_t label = left > 64 ? 63 : left - 1;
        /* what would be left may not be a length alone */
        label -= left - label - 1 == 1;
        to[n] = (uint8_t)label;
        memset(to + n + 1, 'n', label);
        n += label + 1;
        left -= label + 1;
    }
    to[n++] = 0;
    assert_int_equal(n, wire);
    return n;
}

static void longest_name(void **state)
{
    (void)state;
    uint8_t bytes[600] = {0};

    uint32_t n = 12 + long_name(bytes + 12, FT_DNS_NAME_MAX);
    struct result r = read_bytes(bytes, n, 12, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_OK);
    assert_int_equal(r.name.length, FT_DNS_NAME_MAX - 2); /* no length, no root */
    assert_int_equal(r.taken, FT_DNS_NAME_MAX);
    n = 12 + long_name(bytes + 12, FT_DNS_NAME_MAX + 1);
    r = read_bytes(bytes, n, 12, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_LENGTH);
    assert_int_equal(r.error, FT_VIEW_MALFORMED);
    /* One byte too many by a pointer: the end of the name is known. */
    n = 12 + long_name(bytes + 12, FT_DNS_NAME_MAX - 1);
    memcpy(bytes + n, "\x01z\xc0\x0c", 4);
    r = read_bytes(bytes, n + 4, n, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_LENGTH);
    assert_int_equal(r.taken, 4);
    assert_int_equal(r.error, FT_VIEW_OK);
    /* and just not too many */
    n = 12 + long_name(bytes + 12, FT_DNS_NAME_MAX - 2);
    memcpy(bytes + n, "\x01z\xc0\x0c", 4);
    r = read_bytes(bytes, n + 4, n, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_OK);
    assert_int_equal(r.name.length, FT_DNS_NAME_MAX - 2);
}

/* The text of a name of dots is twice as long as the name, and has room. */
static void longest_text(void **state)
{
    (void)state;
    uint8_t bytes[300] = {0};

    uint32_t n = 12 + long_name(bytes + 12, FT_DNS_NAME_MAX);
    for (uint32_t i = 12; i < n; i++)
        if (bytes[i] == 'n')
            bytes[i] = '.';
    struct result r = read_bytes(bytes, n, 12, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_OK);
    /* 63 + 63 + 63 + 61 dots, each with a backslash, three between the labels */
    assert_int_equal(r.name.length, 2 * 250 + 3);
    assert_int_equal(r.name.first_label, 126);
    assert_int_equal(r.name.longest, 63);
    assert_int_equal(r.name.labels, 4);
    /* 127 labels of one character are the most. */
    for (uint32_t i = 0; i < 127; i++) {
        bytes[12 + 2 * i] = 1;
        bytes[13 + 2 * i] = '\\';
    }
    bytes[12 + 254] = 0;
    r = read_bytes(bytes, 12 + 255, 12, false);
    assert_int_equal(r.name.fault, FT_DNS_NAME_OK);
    assert_int_equal(r.name.labels, 127);
    assert_int_equal(r.name.length, 127 * 2 + 126);
}

/* Cut after each byte: malformed as sent, cut as captured; nothing of a label that is not whole. */
static void cut(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plc", "plc.example", "plc.example.com"};
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(HEADER NAME, bytes);

    for (uint32_t i = 12; i < n; i++) {
        const char *text = texts[(i >= 16) + (i >= 24) + (i >= 28)];
        for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
            struct result r = read_bytes(bytes, i, 12, is_cut);
            assert_int_equal(r.name.fault, FT_DNS_NAME_CUT);
            assert_int_equal(r.error, is_cut ? FT_VIEW_CUT : FT_VIEW_MALFORMED);
            assert_text(&r.name, text);
        }
    }
    /* Between the bytes of a pointer */
    n = feed_bytes(HEADER NAME "01 61 c00c", bytes);
    struct result r = read_bytes(bytes, n - 1, 29, true);
    assert_int_equal(r.name.fault, FT_DNS_NAME_CUT);
    assert_int_equal(r.error, FT_VIEW_CUT);
    assert_text(&r.name, "a");
}

/* Behind a pointer the name runs on to the end of the message, not beyond. */
static void cut_behind_pointer(void **state)
{
    (void)state;
    /* At 12 a label that is longer than what is there, before it the pointer is read. */
    struct result r = read_at(HEADER "05 61 c00c 62", 14);
    assert_int_equal(r.name.fault, FT_DNS_NAME_CUT);
    assert_int_equal(r.error, FT_VIEW_OK);
    assert_int_equal(r.taken, 2);
    /* A label may reach over the pointer, even to the end: what follows is no name's end. */
    r = read_at(HEADER "04 61 c00c 62", 14);
    assert_int_equal(r.name.fault, FT_DNS_NAME_CUT);
    assert_int_equal(r.name.labels, 1);
}

/* A name in the data of a record ends with them, unless a pointer leads out. */
static void within_data(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(HEADER NAME "02 6e73 c010 ffff", bytes);
    struct ft_view message = ft_view_make(bytes, n, false);
    struct ft_dns_name name;

    struct ft_view data = ft_view_make(bytes + 29, 5, false);
    ft_dns_name_read(&message, &data, &name);
    assert_text(&name, "ns.example.com");
    assert_true(ft_view_ok(&data));
    assert_int_equal(data.len, 0);
    data = ft_view_make(bytes + 29, 4, false);
    ft_dns_name_read(&message, &data, &name);
    assert_int_equal(name.fault, FT_DNS_NAME_CUT);
    assert_true(ft_view_is_malformed(&data));
    /* A view that failed stays so, and gives no name. */
    ft_dns_name_read(&message, &data, &name);
    assert_int_equal(name.fault, FT_DNS_NAME_CUT);
    assert_int_equal(name.length, 0);
    assert_true(ft_view_is_malformed(&data));
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void comparing(void **state)
{
    (void)state;
    struct ft_dns_name wpad = name_of("WPad.Local"), other = name_of("wpad.locaL");

    assert_true(ft_dns_is_same("Wpad.1", "wPAD.2", 5));
    assert_false(ft_dns_is_same("Wpad.1", "wPAD.2", 6));
    assert_true(ft_dns_is_same("a", "b", 0));
    assert_true(ft_dns_name_is(&wpad, "wpad.local", 10));
    assert_false(ft_dns_name_is(&wpad, "wpad.loca", 9));
    assert_false(ft_dns_name_is(&wpad, "wpad.locam", 10));
    assert_true(ft_dns_name_ends(&wpad, ".LOCAL"));
    assert_true(ft_dns_name_ends(&wpad, "wpad.local"));
    assert_false(ft_dns_name_ends(&wpad, "awpad.local"));
    assert_false(ft_dns_name_ends(&wpad, ".loca"));
    assert_true(ft_dns_name_hash(&wpad) == ft_dns_name_hash(&other));
    other = name_of("wpad.locak");
    assert_false(ft_dns_name_hash(&wpad) == ft_dns_name_hash(&other));
    /* FNV-1a of 64 bits over "wpad.local", and of nothing, by its published parameters. */
    assert_true(ft_dns_name_hash(&wpad) == 0x9fa6b96a0319e52aull);
    other = name_of("");
    assert_true(ft_dns_name_hash(&other) == 0xcbf29ce484222325ull);
    /* Only letters have a case: '@' and '[' stand beside them, '`' and '{' 32 above. */
    other = name_of("@[");
    assert_false(ft_dns_name_is(&other, "`{", 2));
    other = name_of("AZaz");
    assert_true(ft_dns_name_is(&other, "azAZ", 4));
}

/* ---- addresses ------------------------------------------------------------------------------ */

/* 2001:db8::123:4567:89ab */
#define NIBBLES "b.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t length;
        uint8_t address[16];
    } cases[] = {
        {"20.10.168.192.in-addr.arpa", 4, {192, 168, 10, 20}},
        {"255.0.0.1.IN-ADDR.ARPA", 4, {1, 0, 0, 255}},
        {"007.1.2.3.in-addr.arpa", 4, {3, 2, 1, 7}},
        {"256.1.2.3.in-addr.arpa", 0, {0}},
        {"1.2.3.256.in-addr.arpa", 0, {0}},
        {"0001.2.3.4.in-addr.arpa", 0, {0}},
        {"1.2.3.in-addr.arpa", 0, {0}}, /* a network */
        {"1.2.3.4.5.in-addr.arpa", 0, {0}},
        {"1.2.3.4..in-addr.arpa", 0, {0}},
        {"1..3.4.in-addr.arpa", 0, {0}},
        {"1.2.3..in-addr.arpa", 0, {0}},
        {".2.3.4.in-addr.arpa", 0, {0}},
        {"1,2.3.4.in-addr.arpa", 0, {0}},
        {"1.2.3.a.in-addr.arpa", 0, {0}},
        {"0/25.2.0.192.in-addr.arpa", 0, {0}}, /* RFC 2317 */
        {"1.2.3.4.in-addr.arpa.example", 0, {0}},
        {".in-addr.arpa", 0, {0}},
        {"in-addr.arpa", 0, {0}},
        {NIBBLES ".ip6.arpa",
         16,
         {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}},
        {"B.A.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.IP6.ARPA",
         16,
         {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}},
        {"f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.f.ip6.arpa",
         16,
         {0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f}},
        {NIBBLES ".0.ip6.arpa", 0, {0}},
        {NIBBLES "..ip6.arpa", 0, {0}},
        {"g.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}},
        {"/.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}},
        {":.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}},
        {"`.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}},
        {"b.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.g.ip6.arpa", 0, {0}},
        {"b.a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0-2.ip6.arpa", 0, {0}},
        {"b-a.9.8.7.6.5.4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}},
        {"8.b.d.0.1.0.0.2.ip6.arpa", 0, {0}}, /* a network */
        {NIBBLES, 0, {0}},
        {"plc.example.com", 0, {0}},
        {"", 0, {0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ft_dns_name name = name_of(cases[i].name);
        uint8_t address[16];
        uint32_t n = ft_dns_name_address(&name, address);
        if (n != cases[i].length || memcmp(address, cases[i].address, n) != 0)
            fail_msg("%s: %u bytes", cases[i].name, n);
    }
}

/* ---- recognition ---------------------------------------------------------------------------- */

static bool looks_right(const char *hex)
{
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(hex, bytes);
    return ft_dns_looks_right(ft_view_make(bytes, n, false));
}

#define QUESTION NAME "0001 0001 "
#define RECORD   "c00c 0001 0001 0000003c 0004 0a000001 "

static void messages(void **state)
{
    (void)state;
    assert_true(looks_right("0001 0100 0001 0000 0000 0000 " QUESTION));
    assert_true(looks_right("0001 8180 0001 0001 0000 0000 " QUESTION RECORD));
    assert_true(looks_right("0001 8180 0001 0001 0001 0001 " QUESTION RECORD RECORD RECORD));
    /* Each section counts: one record too few, one too many */
    assert_false(looks_right("0001 8180 0001 0001 0001 0001 " QUESTION RECORD RECORD));
    assert_false(looks_right("0001 8180 0001 0001 0000 0000 " QUESTION RECORD RECORD));
    assert_false(looks_right("0001 8180 0001 0000 0001 0000 " QUESTION RECORD "00"));
    assert_false(looks_right("0001 8180 0002 0000 0000 0000 " QUESTION));
    assert_true(looks_right("0001 8180 0002 0000 0000 0000 " QUESTION "c00c 0001 0001"));
    /* Nothing asked and nothing said; records without a question only in answers */
    assert_false(looks_right("0001 0100 0000 0000 0000 0000"));
    assert_false(looks_right("0001 0000 0000 0001 0000 0000 " NAME "0001 0001 0000003c 0000"));
    assert_true(looks_right("0001 8400 0000 0001 0000 0000 " NAME "0001 0001 0000003c 0000"));
    /* Operations 0 to 6 but for 3, the reserved bit, the number of questions */
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        char hex[200];
        snprintf(hex, sizeof(hex), "0001 %02x00 0001 0000 0000 0000 " QUESTION, opcode << 3);
        assert_int_equal(looks_right(hex), opcode <= 6 && opcode != 3);
    }
    assert_false(looks_right("0001 0140 0001 0000 0000 0000 " QUESTION));
    assert_true(looks_right("0001 01b0 0001 0000 0000 0000 " QUESTION));
    /* A name at fault, of a question and of a record */
    assert_false(looks_right("0001 0100 0001 0000 0000 0000 c00c 0001 0001"));
    assert_false(looks_right("0001 8100 0001 0001 0000 0000 " QUESTION
                             "c0ff 0001 0001 0000003c 0004 0a000001"));
}

static void least_sizes(void **state)
{
    (void)state;
    char hex[4000] = "0001 0100 0040 0000 0000 0000 ";
    for (unsigned i = 0; i < 64; i++)
        strcat(hex, "00 0001 0001 ");
    assert_true(looks_right(hex));
    hex[13] = '1'; /* 65 of them */
    strcat(hex, "00 0001 0001 ");
    assert_false(looks_right(hex));
    /* The shortest records there are: 11 bytes each */
    strcpy(hex, "0001 8400 0000 0014 0000 0000 ");
    for (unsigned i = 0; i < 20; i++)
        strcat(hex, "00 0001 0001 0000003c 0000 ");
    assert_true(looks_right(hex));
}

static void types_and_classes(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        bool is_known;
    } types[] = {{0, false},    {1, true},     {66, true},   {67, false},    {98, false},
                 {99, true},    {109, true},   {110, false}, {248, false},   {249, true},
                 {261, true},   {262, false},  {300, false}, {32767, false}, {32768, true},
                 {65399, true}, {65535, true}, {65, true},   {255, true}};
    static const struct {
        uint32_t class_;
        bool is_known;
    } classes[] = {{0, false},     {1, true},       {2, false},    {3, true},   {4, true},
                   {5, false},     {253, false},    {254, true},   {255, true}, {256, false},
                   {0x8001, true}, {0x8002, false}, {0x80ff, true}};
    char hex[400];

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        snprintf(hex, sizeof(hex), "0001 0100 0001 0000 0000 0000 " NAME "%04x 0001",
                 types[i].type);
        assert_int_equal(looks_right(hex), types[i].is_known);
        snprintf(hex, sizeof(hex),
                 "0001 8100 0001 0001 0000 0000 " QUESTION "c00c %04x 0001 0000003c 0002 0101",
                 types[i].type);
        assert_int_equal(looks_right(hex), types[i].is_known);
    }
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        snprintf(hex, sizeof(hex), "0001 0100 0001 0000 0000 0000 " NAME "0001 %04x",
                 classes[i].class_);
        assert_int_equal(looks_right(hex), classes[i].is_known);
        snprintf(hex, sizeof(hex),
                 "0001 8100 0001 0001 0000 0000 " QUESTION "c00c 0001 %04x 0000003c 0002 0101",
                 classes[i].class_);
        assert_int_equal(looks_right(hex), classes[i].is_known);
    }
    /* The class of EDNS is a size. */
    assert_true(
        looks_right("0001 0100 0001 0000 0000 0001 " QUESTION "00 0029 04d0 00000000 0000"));
}

/* A message cut by the snap length is one as far as it goes; one that is sent short is none. */
static void messages_cut(void **state)
{
    (void)state;
    uint8_t bytes[FEED_MAX];
    uint32_t n = feed_bytes(
        "0001 8180 0001 0001 0000 0001 " QUESTION RECORD "00 0029 04d0 00000000 0000", bytes);

    for (uint32_t i = 0; i < n; i++) {
        assert_false(ft_dns_looks_right(ft_view_make(bytes, i, false)));
        assert_int_equal(ft_dns_looks_right(ft_view_make(bytes, i, true)), i >= FT_DNS_HEADER);
    }
    assert_true(ft_dns_looks_right(ft_view_make(bytes, n, false)));
    /* What is wrong before the cut is wrong. */
    bytes[30] = 70; /* type of the question */
    assert_false(ft_dns_looks_right(ft_view_make(bytes, n - 1, true)));
}

/* Counts that nothing could hold cost no more than what is there. */
static void hostile_counts(void **state)
{
    (void)state;
    assert_false(looks_right("0001 8180 0001 ffff ffff ffff " QUESTION RECORD));
    assert_false(looks_right("0001 8180 ffff ffff ffff ffff " QUESTION RECORD));
    assert_false(looks_right("0001 8180 0001 0001 0000 0000 " QUESTION
                             "c00c 0001 0001 0000003c ffff 0a000001"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(compressed),
        cmocka_unit_test(pointers_that_do_not_lead_back),
        cmocka_unit_test(jumps),
        cmocka_unit_test(label_kinds),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(longest_text),
        cmocka_unit_test(cut),
        cmocka_unit_test(cut_behind_pointer),
        cmocka_unit_test(within_data),
        cmocka_unit_test(comparing),
        cmocka_unit_test(addresses),
        cmocka_unit_test(messages),
        cmocka_unit_test(least_sizes),
        cmocka_unit_test(types_and_classes),
        cmocka_unit_test(messages_cut),
        cmocka_unit_test(hostile_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
