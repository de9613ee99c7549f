/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What messages of DNS, mDNS and LLMNR say of hosts, and what is not believed: dns_facts.c; what
 * software asks so, and tunnels: dns_software.c; and who is asked, by dns_message.c. Messages are
 * made by hand from RFC 1035, 2136, 2782, 6762 and 6763.
 */
#include "dns_feed.h"

#define NAMED(address, name)                                                                       \
    "{\"fact\":{\"of\":\"" address "\",\"fact\":\"name\",\"value\":\"" name "\"}}"
#define SENDER(fact, value)                                                                        \
    "{\"fact\":{\"party\":\"sender\",\"fact\":\"" fact "\",\"value\":\"" value "\"}}"

static unsigned facts(const char *s)
{
    return feed_count(s, "{\"fact\":");
}

/* Each message in a flow of its own: what is told once is told again. */
static const char *from_server(const char *hex)
{
    feed_next_flow(&f);
    return to_client(&f, hex);
}

static const char *from_client(const char *hex)
{
    feed_next_flow(&f);
    return to_server(&f, hex);
}

/* ---- DNS: names of addresses ---------------------------------------------------------------- */

static void addresses(void **state)
{
    (void)state;
    const char *s = from_server("0001 8180 0001 0001 0000 0000 " QUESTION RECORD);
    assert_has(s, NAMED("10.0.0.1", "plc.example.com"));
    assert_has(s, SENDER("role", "server"));
    assert_int_equal(facts(s), 2);
    s = from_server("0001 8180 0001 0001 0000 0000 " QUESTION
                    "c00c 001c 0001 0000003c 0010 20010db8000000000000000000000007");
    assert_has(s, NAMED("2001:db8::7", "plc.example.com"));
    /* The name is that of the record, not what was asked: an alias has another. */
    s = from_server("0001 8180 0001 0002 0000 0000 " QUESTION
                    "c00c 0005 0001 0000003c 0004 01 61 c010 "
                    "c02d 0001 0001 0000003c 0004 0a000002");
    assert_has(s, NAMED("10.0.0.2", "a.example.com"));
    assert_int_equal(facts(s), 2);
    /* Of the additional section too, not of authorities */
    s = from_server("0001 8180 0001 0000 0000 0001 " QUESTION RECORD);
    assert_has(s, NAMED("10.0.0.1", "plc.example.com"));
    s = from_server("0001 8180 0001 0000 0001 0000 " QUESTION RECORD);
    assert_int_equal(facts(s), 0);
}

/* 20.10.168.192.in-addr.arpa */
#define REVERSE "02 3230 02 3130 03 313638 03 313932 07 696e2d61646472 04 61727061 00 "

static void reverse_names(void **state)
{
    (void)state;
    const char *s = from_server("0001 8180 0001 0001 0000 0000 " REVERSE "000c 0001 "
                                "c00c 000c 0001 0000003c 0005 03 706c63 00");
    assert_has(s, NAMED("192.168.10.20", "plc"));
    s = from_server(
        "0001 8180 0000 0001 0000 0000 "
        "0162 0161 0139 0138 0137 0136 0135 0134 0133 0132 0131 0130 0130 0130 0130 0130 "
        "0130 0130 0130 0130 0130 0130 0130 0130 0138 0162 0164 0130 0131 0130 0130 0132 "
        "03 697036 04 61727061 00 000c 0001 0000003c 0005 03 706c63 00");
    assert_has(s, NAMED("2001:db8::123:4567:89ab", "plc"));
    /* To what has no label, to services, to what is at fault; of names that are no addresses */
    static const char *const nobody[] = {
        "0001 8180 0001 0001 0000 0000 " REVERSE "000c 0001 c00c 000c 0001 0000003c 0001 00",
        "0001 8180 0001 0001 0000 0000 " REVERSE
        "000c 0001 c00c 000c 0001 0000003c 0006 04 5f697070 00",
        "0001 8180 0001 0001 0000 0000 " REVERSE
        "000c 0001 c00c 000c 0001 0000003c 0004 01 61 c03e",
        "0001 8180 0001 0001 0000 0000 " QUESTION "c00c 000c 0001 0000003c 0005 03 706c63 00",
    };
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        s = from_server(nobody[i]);
        assert_has(s, SENDER("role", "server"));
        assert_int_equal(facts(s), 1);
    }
}

/* An update (RFC 2136) adds what has a TTL and the zone's class, in its third section. */
static void updates(void **state)
{
    (void)state;
#define UPDATE(flags, counts)                                                                      \
    "0001 " flags " 0001 " counts " 07 6578616d706c65 03 636f6d 00 0006 0001 "
#define HOST "03 706c63 c00c "
    const char *s =
        from_client(UPDATE("2800", "0000 0001 0000") HOST "0001 0001 000004b0 0004 0a000002");
    assert_has(s, NAMED("10.0.0.2", "plc.example.com"));
    assert_int_equal(facts(s), 1);
    static const char *const nothing[] = {
        /* deleted: class ANY; one of several: class NONE; TTL 0 */
        UPDATE("2800", "0000 0001 0000") HOST "0001 00ff 00000000 0000",
        UPDATE("2800", "0000 0001 0000") HOST "0001 00fe 000004b0 0004 0a000002",
        UPDATE("2800", "0000 0001 0000") HOST "0001 0001 00000000 0004 0a000002",
        /* conditions, additional data, the answer, a refusal */
        UPDATE("2800", "0001 0000 0000") HOST "0001 0001 000004b0 0004 0a000002",
        UPDATE("2800", "0000 0000 0001") HOST "0001 0001 000004b0 0004 0a000002",
        UPDATE("a800", "0000 0001 0000") HOST "0001 0001 000004b0 0004 0a000002",
        UPDATE("a805", "0000 0001 0000") HOST "0001 0001 000004b0 0004 0a000002",
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        s = from_client(nothing[i]);
        assert_clean(s);
        assert_int_equal(facts(s), 0);
    }
}

/* What states nothing: who asks, who knows of none, other classes and operations. */
static void not_answers(void **state)
{
    (void)state;
    static const char *const nothing[] = {
        "0001 0100 0001 0001 0000 0000 " QUESTION RECORD,
        "0001 2400 0001 0001 0000 0000 " QUESTION RECORD, /* a notification */
        "0001 a400 0001 0001 0000 0000 " QUESTION RECORD, /* and its answer */
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        assert_int_equal(facts(from_server(nothing[i])), 0);
    assert_int_equal(facts(from_server("0001 8180 0001 0000 0000 0000 " QUESTION)), 0);
    static const char *const server_only[] = {
        "0001 8183 0001 0001 0000 0000 " QUESTION RECORD, /* there is no such name */
        "0001 8182 0001 0001 0000 0000 " QUESTION RECORD,
        "0001 8180 0001 0001 0000 0000 " QUESTION "c00c 0001 0003 0000003c 0004 0a000001",
        "0001 8180 0001 0001 0000 0000 " QUESTION "c00c 0010 0001 0000003c 0004 03 706c63",
        "0001 8180 0001 0001 0000 0000 " QUESTION "00 0001 0001 0000003c 0004 0a000001",
        /* *.example.com, _x.example.com */
        "0001 8180 0001 0001 0000 0000 " QUESTION "012a c010 0001 0001 0000003c 0004 0a000001",
        "0001 8180 0001 0001 0000 0000 " QUESTION "025f78 c010 0001 0001 0000003c 0004 0a000001",
        /* a name at fault, data that do not fit */
        "0001 8180 0001 0001 0000 0000 " QUESTION "0161 c021 0001 0001 0000003c 0004 0a000001",
        "0001 8180 0001 0001 0000 0000 " QUESTION "c00c 0001 0001 0000003c 0005 0a00000100",
        "0001 8180 0001 0001 0000 0000 " QUESTION "c00c 001c 0001 0000003c 0004 0a000001",
    };
    for (size_t i = 0; i < sizeof(server_only) / sizeof(server_only[0]); i++) {
        const char *s = from_server(server_only[i]);
        assert_has(s, SENDER("role", "server"));
        assert_int_equal(facts(s), 1);
    }
}

/* Services, texts and hardware are of mDNS: who forwards an answer of DNS is not what it tells. */
static void forwarded(void **state)
{
    (void)state;
    const char *s = from_server("0001 8180 0000 0003 0000 0000 "
                                "03 63616d 05 6c6f63616c 00 000d 0001 00000078 000a "
                                "03 41524d 05 4c494e5558 "
                                "01 61 04 5f697070 04 5f746370 05 6c6f63616c 00 0010 0001 00000078 "
                                "0006 05 74793d4142 "
                                "01 61 04 5f736d62 04 5f746370 05 6c6f63616c 00 0021 0001 00000078 "
                                "0008 0000 0000 01bd c00c");
    assert_clean(s);
    assert_has(s, SENDER("role", "server"));
    assert_int_equal(facts(s), 1);
}

/* An answer that nobody asked for, and a second that says something else. */
static void spoofed(void **state)
{
    (void)state;
    to_server(&f, "0001 0100 0001 0000 0000 0000 " QUESTION);
    const char *s = to_client(&f, "0002 8180 0001 0001 0000 0000 " QUESTION
                                  "c00c 0001 0001 0000003c 0004 0a000066");
    assert_violation(s, "unsolicited");
    assert_int_equal(facts(s), 0);
    s = to_client(&f, "0001 8180 0001 0001 0000 0000 " QUESTION RECORD);
    assert_has(s, NAMED("10.0.0.1", "plc.example.com"));
    s = to_client(&f, "0001 8180 0001 0001 0000 0000 " QUESTION RECORD); /* a copy */
    assert_has(s, NAMED("10.0.0.1", "plc.example.com"));
    s = to_client(&f, "0001 8180 0001 0001 0000 0000 " QUESTION
                      "c00c 0001 0001 0000003c 0004 0a000066");
    assert_violation(s, "answers_differ");
    assert_int_equal(facts(s), 0);
}

/* ---- DNS: domain controllers ---------------------------------------------------------------- */

#define CONTROLLER(address)                                                                        \
    "{\"fact\":{\"of\":\"" address "\",\"fact\":\"description\","                                  \
    "\"value\":\"domain controller\"}}"

static const char *controller(const char *service, const char *target, const char *host)
{
    char hex[600];
    snprintf(hex, sizeof(hex),
             "0001 8580 0000 0001 0000 0001 %s 0021 0001 00000258 %04x 0000 0064 0185 %s "
             "%s 0001 0001 00000e10 0004 0a000001",
             service, 6 + (unsigned)(strlen(target) + 1) / 2, target, host);
    return from_server(hex);
}

static void domain_controllers(void **state)
{
    (void)state;
    /* _ldap._tcp.dc._msdcs.ot; dc1 */
#define LDAP     "055f6c646170045f746370026463065f6d73646373026f7400"
#define KERBEROS "095f6b65726265726f73045f746370026463065f6d73646373026f7400"
    static const struct {
        const char *service, *target, *host;
        bool is_controller;
    } cases[] = {
        {LDAP, "0364633100", "0364633100", true},
        {KERBEROS, "0364633100", "0364633100", true},
        /* whatever the case: _LDAP, _MSDCS, DC1 */
        {"055f4c444150045f746370026463065f4d53444353026f7400", "0364633100", "0344433100", true},
        /* another host; a service that others have too; no service */
        {LDAP, "0364633100", "0364633200", false},
        {"055f6c646170045f746370026f7400", "0364633100", "0364633100", false},
        {"055f68747470045f746370026463065f6d73646373026f7400", "0364633100", "0364633100", false},
        {"046c646170045f746370026463065f6d73646373026f7400", "0364633100", "0364633100", false},
        /* _ldapx, and a label that only ends as that of the directory */
        {"065f6c64617078045f746370026463065f6d73646373026f7400", "0364633100", "0364633100", false},
        {"055f6c646170045f746370026463077a5f6d73646373026f7400", "0364633100", "0364633100", false},
        /* _kerberosx; _msdcsx */
        {"0a5f6b65726265726f7378045f746370026463065f6d73646373026f7400", "0364633100", "0364633100",
         false},
        {"055f6c646170045f746370026463075f6d7364637378026f7400", "0364633100", "0364633100", false},
        /* the service is not offered: RFC 2782 */
        {LDAP, "00", "0364633100", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = controller(cases[i].service, cases[i].target, cases[i].host);
        assert_clean(s);
        if (feed_count(s, CONTROLLER("10.0.0.1")) != cases[i].is_controller)
            fail_msg("case %zu:\n%s", i, s);
        assert_int_equal(feed_count(s, "{\"fact\":{\"of\":\"10.0.0.1\",\"fact\":\"role\","
                                       "\"value\":\"server\"}}"),
                         cases[i].is_controller);
    }
}

/* What else names a host: time and OPC by their services, name servers by NS and SOA. */
static void other_servers(void **state)
{
    (void)state;
    static const struct {
        const char *service, *said;
    } cases[] = {
        /* _ntp._udp.ot, _opcua-tcp._tcp.ot, _OPC-DA._tcp.ot */
        {"045f6e7470045f756470026f7400", "time server"},
        {"0a5f6f706375612d746370045f746370026f7400", "OPC server"},
        {"075f4f50432d4441045f746370026f7400", "OPC server"},
        /* _ntp._tcp, _op: nobody's */
        {"045f6e7470045f746370026f7400", NULL},
        {"035f6f70045f746370026f7400", NULL},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = controller(cases[i].service, "0364633100", "0364633100");
        assert_clean(s);
        snprintf(expected, sizeof(expected), "\"description\",\"value\":\"%s\"}",
                 cases[i].said ? cases[i].said : "");
        assert_int_equal(feed_count(s, "\"description\""), cases[i].said != NULL);
        if (cases[i].said)
            assert_has(s, expected);
    }
    /* A delegation: the server among the authorities, its address among the additional records. */
    const char *s = from_server("0001 8000 0001 0000 0001 0001 " QUESTION
                                "c010 0002 0001 00000e10 0005 02 6e73 c010 "
                                "c02d 0001 0001 00000e10 0004 0a000035");
    assert_has(s, NAMED("10.0.0.53", "ns.example.com"));
    assert_has(s, "{\"of\":\"10.0.0.53\",\"fact\":\"role\",\"value\":\"server\"}");
    assert_has(s, "\"value\":\"name server\"");
    /* The primary server of a zone */
    s = from_server("0001 8580 0001 0001 0000 0001 " QUESTION
                    "c010 0006 0001 00000e10 001d 02 6e73 c010 01 61 c010 "
                    "00000001 00000002 00000003 00000004 00000005 "
                    "c02d 0001 0001 00000e10 0004 0a000035");
    assert_clean(s);
    assert_has(s, "\"value\":\"name server\"");
    /* Authorities state nothing else. */
    s = from_server("0001 8000 0001 0000 0002 0000 " QUESTION
                    "c010 0002 0001 00000e10 0005 02 6e73 c010 "
                    "c02d 0001 0001 00000e10 0004 0a000035");
    assert_int_equal(facts(s), 0);
}

/* A query for a name, perhaps with an additional record. */
static const char *asked_for(const char *name, const char *flags, const char *more)
{
    char hex[600];
    int n =
        snprintf(hex, sizeof(hex), "0001 %s 0001 0000 0000 %s ", flags, *more ? "0001" : "0000");
    while (*name) {
        uint32_t length = (uint32_t)strcspn(name, ".");
        n += snprintf(hex + n, sizeof(hex) - (size_t)n, "%02x", length);
        for (uint32_t i = 0; i < length; i++)
            n += snprintf(hex + n, sizeof(hex) - (size_t)n, "%02x", (uint8_t)name[i]);
        name += length + (name[length] == '.');
    }
    snprintf(hex + n, sizeof(hex) - (size_t)n, "00 0001 0001 %s", more);
    return from_client(hex);
}

/* What names that are asked for tell of who asks. */
static void software(void **state)
{
    (void)state;
    static const struct {
        const char *name, *software, *os;
    } cases[] = {
        {"ctldl.windowsupdate.com", "Windows Update", "Windows"},
        {"TIME.WINDOWS.COM", "Windows time service", "Windows"},
        {"2.debian.pool.ntp.org", "Debian time service", "Debian"},
        {"router7.teamviewer.com", "TeamViewer", NULL},
        {"windowsupdate.com", "Windows Update", "Windows"},
        {"xwindowsupdate.com", NULL, NULL},
        {"windowsupdate.com.example", NULL, NULL},
        {"plc.example.com", NULL, NULL},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = asked_for(cases[i].name, "0100", "");
        assert_clean(s);
        assert_int_equal(feed_count(s, "\"software\""), cases[i].software != NULL);
        assert_int_equal(facts(s), cases[i].os != NULL);
        if (cases[i].software) {
            snprintf(expected, sizeof(expected), "\"software\":\"%s\"", cases[i].software);
            assert_has(s, expected);
        }
        if (cases[i].os) {
            snprintf(expected, sizeof(expected), SENDER("os", "%s"), cases[i].os);
            assert_has(s, expected);
        }
    }
    /* Who asks for others: with extensions, without recursion, from the port of servers */
    const char *s = asked_for("time.windows.com", "0100", "00 0029 04d0 00000000 0000");
    assert_has(s, "\"software\":\"Windows time service\"");
    assert_int_equal(facts(s), 0);
    assert_int_equal(facts(asked_for("time.windows.com", "0000", "")), 0);
    /* A notification, and an answer, which repeats the question */
    assert_has_not(asked_for("time.windows.com", "2100", ""), "\"software\"");
    assert_has_not(asked_for("time.windows.com", "8180", ""), "\"software\"");
    f.flow.client_port = 53;
    assert_int_equal(facts(asked_for("time.windows.com", "0100", "")), 0);
}

/* Names that only tunnels ask for: dns2tcp, dnscat2, iodine. */
static void tunnels(void **state)
{
    (void)state;
    assert_violation(asked_for("hAAAAAA.=auth.t.example.com", "0100", ""), "tunnel");
    assert_violation(asked_for("AAAAAA.=resource.example.com", "0100", ""), "tunnel");
    assert_violation(asked_for("AAAAAA.=connect.example.com", "0100", ""), "tunnel");
    assert_violation(asked_for("dnscat.0123456789abcdef", "0100", ""), "tunnel");
    assert_no_violation(asked_for("AAAAAA.=authx.example.com", "0100", ""), "tunnel");
    assert_no_violation(asked_for("AAAAAA.x=auth.example.com", "0100", ""), "tunnel");
    assert_no_violation(asked_for("dnscat", "0100", ""), "tunnel");
    assert_no_violation(asked_for("dnscat2.example.com", "0100", ""), "tunnel");
    assert_no_violation(asked_for("hAAAAAA.=auth.t.example.com", "8180", ""), "tunnel");
    /* Of type NULL and of iodine's own, 39 and 40 characters */
    char hex[200];
    static const struct {
        const char *type;
        uint32_t length;
        bool is_tunnel;
    } cases[] = {{"000a", 40, true},
                 {"ff77", 40, true},
                 {"000a", 39, false},
                 {"0001", 40, false},
                 {"ff78", 40, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int n =
            snprintf(hex, sizeof(hex), "0001 0100 0001 0000 0000 0000 01 74 %02x", cases[i].length);
        for (uint32_t j = 0; j < cases[i].length; j++)
            n += snprintf(hex + n, sizeof(hex) - (size_t)n, "7a");
        snprintf(hex + n, sizeof(hex) - (size_t)n, "00 %s 0001", cases[i].type);
        assert_int_equal(feed_count(from_client(hex), "\"name\":\"tunnel\""), cases[i].is_tunnel);
    }
}

/* All that a domain has: 16 of them are remembered. */
static void many_controllers(void **state)
{
    (void)state;
    char hex[FEED_MAX] = "0001 8580 0000 0012 0000 0012 ";
    char one[100];
    for (unsigned i = 0; i < 18; i++) {
        snprintf(one, sizeof(one), LDAP " 0021 0001 00000258 0009 0000 0064 0185 01 %02x 00 ",
                 'a' + i);
        strcat(hex, one);
    }
    for (unsigned i = 0; i < 18; i++) {
        snprintf(one, sizeof(one), "01 %02x 00 0001 0001 00000e10 0004 0a0000%02x ", 'a' + i, i);
        strcat(hex, one);
    }
    const char *s = from_server(hex);
    assert_clean(s);
    assert_has(s, CONTROLLER("10.0.0.0"));
    assert_has(s, CONTROLLER("10.0.0.15"));
    assert_int_equal(feed_count(s, "\"domain controller\""), 16);
}

/* ---- mDNS ----------------------------------------------------------------------------------- */

/* cam.local at offset 12 */
#define CAM "03 63616d 05 6c6f63616c 00 "

static void announced(void **state)
{
    (void)state;
    const char *s =
        from_client("0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009");
    assert_has(s, NAMED("10.0.0.9", "cam.local"));
    assert_int_equal(facts(s), 1);
    s = from_client("0000 8400 0000 0001 0000 0000 " CAM
                    "000d 8001 00000078 000a 03 41524d 05 4c494e5558");
    assert_has(s, SENDER("os", "LINUX"));
    assert_has(s, SENDER("hardware", "ARM"));
    assert_int_equal(facts(s), 2);
    s = from_client("0000 8400 0000 0001 0000 0000 " CAM "000d 8001 00000078 0005 03 41524d 00");
    assert_has(s, SENDER("hardware", "ARM"));
    assert_int_equal(facts(s), 1);
    static const char *const nothing[] = {
        /* HINFO without a system; taken back; asked; claimed; known */
        "0000 8400 0000 0001 0000 0000 " CAM "000d 8001 00000078 0004 03 41524d",
        "0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000000 0004 0a000009",
        "0000 8400 0000 0001 0000 0000 " CAM "000d 8001 00000000 000a 03 41524d 05 4c494e5558",
        "0000 0000 0001 0000 0000 0000 " CAM "0001 0001",
        "0000 0000 0001 0000 0001 0000 " CAM "00ff 0001 c00c 0001 0001 00000078 0004 0a000009",
        "0000 0000 0001 0001 0000 0000 " CAM "0001 0001 c00c 0001 0001 00000078 0004 0a000009",
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        assert_int_equal(facts(from_client(nothing[i])), 0);
}

/* A text of service `labels` under _tcp.local, an instance "a". */
static const char *service_text(const char *labels, const char *const *strings)
{
    char hex[2000], data[1000] = "";
    for (; *strings; strings++) {
        snprintf(data + strlen(data), 4, "%02x", (unsigned)strlen(*strings));
        for (const char *c = *strings; *c; c++)
            snprintf(data + strlen(data), 4, "%02x", (uint8_t)*c);
    }
    snprintf(hex, sizeof(hex),
             "0000 8400 0000 0001 0000 0000 01 61 %s 04 5f746370 05 6c6f63616c 00 "
             "0010 8001 00001194 %04x %s",
             labels, (unsigned)strlen(data) / 2, data);
    return from_client(hex);
}

static char *hex_label(char hex[100], const char *label)
{
    snprintf(hex, 100, "%02x", (unsigned)strlen(label));
    for (; *label; label++)
        snprintf(hex + strlen(hex), 4, "%02x", (uint8_t)*label);
    return hex;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* RFC 6763, 6: key=value; what the keys of each kind of service stand for. */
static void properties(void **state)
{
    (void)state;
    static const struct {
        const char *service, *text, *fact, *value;
    } cases[] = {
        {"_device-info", "model=J132", "model", "J132"},
        {"_ipp", "usb_MFG=Zebra", "vendor", "Zebra"},
        {"_ipp", "usb_MDL=ZD420", "model", "ZD420"},
        {"_ipps", "ty=ZD 420", "model", "ZD 420"},
        {"_printer", "product=(ZD420)", "model", "(ZD420)"},
        {"_pdl-datastream", "note=Hall 3", "location", "Hall 3"},
        {"_http", "vendor=ACME", "vendor", "ACME"},
        {"_http", "manufacturer=ACME", "vendor", "ACME"},
        {"_http", "serialNumber=17", "serial", "17"},
        {"_hap", "md=Plug", "model", "Plug"},
        {"_googlecast", "fn=Canteen", "description", "Canteen"},
        {"_airplay", "srcvers=366.0", "firmware", "366.0"},
        {"_airplay", "fv=p20.1", "firmware", "p20.1"},
        {"_raop", "am=AppleTV6,2", "model", "AppleTV6,2"},
        {"_axis-video", "model=P1448", "model", "P1448"},
        {"_esphomelib", "version=2023.1", "firmware", "2023.1"},
        {"_esphomelib", "board=esp32dev", "model", "esp32dev"},
        {"_modbus", "model=PM5", "model", "PM5"},
        {"_opcua-tcp", "model=LDS", "model", "LDS"},
        {"_mqtt", "vendor=X", "vendor", "X"},
        {"_smb", "model=N", "model", "N"},
        {"_nut", "model=U", "model", "U"},
        {"_workstation", "model=W", "model", "W"},
    };
    char label[100], expected[200];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = service_text(hex_label(label, cases[i].service), TEXTS(cases[i].text));
        snprintf(expected, sizeof(expected), SENDER("%s", "%s"), cases[i].fact, cases[i].value);
        assert_has(s, expected);
        assert_int_equal(facts(s), 1);
        /* The same of a service that nobody knows */
        assert_int_equal(facts(service_text("02 5f78", TEXTS(cases[i].text))), 0);
    }
    static const struct {
        const char *service, *text;
    } nothing[] = {
        {"_ipp", "ty"},          {"_ipp", "ty="},      {"_ipp", "typ=A"}, {"_ipp", "xty=A"},
        {"_ipp", "=A"},          {"_ipp", "t"},        {"_ipp", "ty:A"},  {"_ipp", "model=A"},
        {"_esphomelib", "ty=A"}, {"_http", "board=A"}, {"x_ipp", "ty=A"},
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        assert_int_equal(
            facts(service_text(hex_label(label, nothing[i].service), TEXTS(nothing[i].text))), 0);
}

static void several_properties(void **state)
{
    (void)state;
    static const char ipp[] = "04 5f697070";
    /* What names the model best counts, wherever it stands */
    const char *s = service_text(
        ipp, TEXTS("ty=A", "product=B", "usb_MDL=C", "usb_MFG=D", "note=E", "usb_mdl=F"));
    assert_has(s, SENDER("model", "C"));
    assert_has(s, SENDER("vendor", "D"));
    assert_has(s, SENDER("location", "E"));
    assert_int_equal(facts(s), 3);
    s = service_text(ipp, TEXTS("product=B", "ty=A"));
    assert_has(s, SENDER("model", "A"));
    assert_int_equal(facts(s), 1);
    /* The first of a key counts, whatever the case (RFC 6763, 6.4); empty, it says nothing. */
    s = service_text(ipp, TEXTS("Ty=A", "ty=B"));
    assert_has(s, SENDER("model", "A"));
    assert_int_equal(facts(s), 1);
    s = service_text(ipp, TEXTS("", "ty=", "ty=B", "product=C"));
    assert_has(s, SENDER("model", "C"));
    assert_int_equal(facts(s), 1);
    /* Strings that do not fit state nothing. */
    s = from_client("0000 8400 0000 0001 0000 0000 01 61 04 5f697070 04 5f746370 05 6c6f63616c 00 "
                    "0010 8001 00001194 0006 04 74793d41 05");
    assert_violation(s, "rdata");
    assert_int_equal(facts(s), 0);
    /* Nor does a service whose name is at fault. */
    s = from_client("0000 8400 0000 0001 0000 0000 01 61 04 5f697070 04 5f746370 05 6c6f63616c "
                    "c00c 0010 8001 00001194 0005 04 74793d41");
    assert_violation(s, "pointer");
    assert_int_equal(facts(s), 0);
}

/* An instance "a" of a service under _tcp.local, of a type whose data are those of SRV. */
static const char *service_record(const char *service, unsigned type)
{
    char label[100], hex[500];
    snprintf(hex, sizeof(hex),
             "0000 8400 0000 0001 0000 0000 01 61 %s 04 5f746370 05 6c6f63616c 00 "
             "%04x 8001 00000078 0009 0000 0000 12c0 01 62 00",
             hex_label(label, service), type);
    return from_client(hex);
}

/* Some services tell what kind of host it is that offers them. */
static void roles(void **state)
{
    (void)state;
    static const struct {
        const char *service, *role;
    } cases[] = {
        {"_opcua-tcp", "server"},
        {"_mqtt", "server"},
        {"_smb", "server"},
        {"_nut", "server"},
        {"_workstation", "workstation"},
        {"_ipp", NULL},
        {"_http", NULL},
        {"_modbus", NULL},
        {"_other", NULL},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *s = service_record(cases[i].service, FT_DNS_SRV);
        assert_int_equal(facts(s), cases[i].role != NULL);
        snprintf(expected, sizeof(expected), SENDER("role", "%s"),
                 cases[i].role ? cases[i].role : "");
        if (cases[i].role)
            assert_has(s, expected);
        assert_int_equal(facts(service_record(cases[i].service, FT_DNS_NULL)), 0);
    }
}

#define OWN_MAC                                                                                    \
    "{\"address\":{\"ip\":\"10.0.0.9\",\"mac\":\"00:1b:1b:0a:0b:0c\",\"management\":true}}"

/* Services tell the MAC address of the sender, in their names or their texts. */
static void mac_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *service, *text;
        bool is_mac;
    } texts[] = {
        {"_axis-video", "macaddress=001B1B0A0B0C", true},
        {"_airplay", "deviceid=00:1B:1B:0A:0B:0C", true},
        {"_esphomelib", "mac=001b1b0a0b0c", true},
        {"_axis-video", "macaddress=00-1b-1b-0a-0b-0c", true},
        {"_axis-video", "macaddress=001B1B0A0B0", false},
        {"_axis-video", "macaddress=001B1B0A0B0C0D", false},
        {"_axis-video", "macaddress=001B1B0A0B0G", false},
        {"_axis-video", "macaddress=", false},
        {"_axis-video", "macaddress=011B1B0A0B0C", false}, /* a group's */
        {"_other", "macaddress=001B1B0A0B0C", false},
    };
    static const struct {
        const char *name;
        bool is_mac;
    } names[] = {
        {"pc1 [00:1b:1b:0a:0b:0c]", true}, {"[00:1b:1b:0a:0b:0c]", true},
        {"pc1 [00:1b:1b:0a:0b:0c", false}, {"pc1 [00:1b:1b:0a:0b]", false},
        {"pc1 00:1b:1b:0a:0b:0c]", false}, {"pc1", false},
    };
    char label[100], instance[100], hex[500];
    f.flow.ip_version = 4;
    memcpy(f.flow.client_ip, "\x0a\0\0\x09", 4);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *s = service_text(hex_label(label, texts[i].service), TEXTS(texts[i].text));
        if (feed_count(s, OWN_MAC) != texts[i].is_mac)
            fail_msg("text %zu:\n%s", i, s);
        assert_int_equal(feed_count(s, "\"mac\":"), texts[i].is_mac);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(hex, sizeof(hex),
                 "0000 8400 0000 0001 0000 0000 %s %s 04 5f746370 05 6c6f63616c 00 "
                 "0021 8001 00000078 0009 0000 0000 0009 01 62 00",
                 hex_label(instance, names[i].name), hex_label(label, "_workstation"));
        const char *s = from_client(hex);
        if (feed_count(s, OWN_MAC) != names[i].is_mac)
            fail_msg("name %zu:\n%s", i, s);
        assert_has(s, SENDER("role", "workstation"));
    }
}

/* cam.local with an address, and what its hardware is */
#define WITH_ADDRESS(address)                                                                      \
    "0000 8400 0000 0002 0000 0000 " CAM "000d 8001 00000078 000a 03 41524d 05 4c494e5558 "        \
    "c00c 0001 8001 00000078 0004 " address

/* Reflectors and sleep proxies send what others say: the addresses are not theirs. */
static void reflected(void **state)
{
    (void)state;
    f.flow.ip_version = 4;
    memcpy(f.flow.client_ip, "\x0a\0\0\x09", 4);
    const char *s = from_client(WITH_ADDRESS("0a000009"));
    assert_has(s, SENDER("os", "LINUX"));
    assert_has(s, NAMED("10.0.0.9", "cam.local"));
    s = from_client(WITH_ADDRESS("0a000008"));
    assert_has(s, NAMED("10.0.0.8", "cam.local"));
    assert_int_equal(facts(s), 1);
    /* A host with several addresses has the sender's among them, in any section. */
    s = from_client("0000 8400 0001 0002 0000 0002 " CAM "000d 0001 "
                    "c00c 000d 8001 00000078 000a 03 41524d 05 4c494e5558 "
                    "c00c 0001 8001 00000078 0004 0a000008 "
                    "c00c 001c 8001 00000078 0010 fe800000000000000000000000000001 "
                    "c00c 0001 8001 00000078 0004 0a000009");
    assert_has(s, SENDER("os", "LINUX"));
    assert_int_equal(facts(s), 5);
    s = from_client("0000 8400 0002 0002 0000 0000 " CAM "000d 0001 c00c 0001 0001 "
                    "c00c 000d 8001 00000078 000a 03 41524d 05 4c494e5558 "
                    "c00c 0001 8001 00000078 0004 0a000008");
    assert_int_equal(facts(s), 1);
    /* Addresses of the other kind say nothing of it. */
    s = from_client("0000 8400 0000 0002 0000 0000 " CAM
                    "000d 8001 00000078 000a 03 41524d 05 4c494e5558 "
                    "c00c 001c 8001 00000078 0010 fe800000000000000000000000000001");
    assert_has(s, SENDER("os", "LINUX"));
    /* The same of IPv6 */
    f.flow.ip_version = 6;
    memcpy(f.flow.client_ip, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    s = from_client("0000 8400 0000 0002 0000 0000 " CAM
                    "000d 8001 00000078 000a 03 41524d 05 4c494e5558 "
                    "c00c 001c 8001 00000078 0010 fe800000000000000000000000000001");
    assert_has(s, SENDER("os", "LINUX"));
    s = from_client("0000 8400 0000 0002 0000 0000 " CAM
                    "000d 8001 00000078 000a 03 41524d 05 4c494e5558 "
                    "c00c 001c 8001 00000078 0010 fe800000000000000000000000000002");
    assert_has(s, NAMED("fe80::2", "cam.local"));
    assert_int_equal(facts(s), 1);
    assert_has(from_client(WITH_ADDRESS("0a000008")), SENDER("os", "LINUX"));
}

/* RFC 6762, 6: what does not come from port 5353 is ignored, and so are its facts. */
static void from_another_port(void **state)
{
    (void)state;
    f.flow.client_port = 40000;
    const char *s =
        from_client("0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009");
    assert_violation(s, "source_port");
    assert_int_equal(facts(s), 0);
}

/* RFC 6762, 11: who answers is on the link. */
static void from_afar(void **state)
{
    (void)state;
    static const uint8_t near[] = {0, 1, 64, 128, 255}, far[] = {2, 63, 65, 127, 254};
    for (unsigned i = 0; i < sizeof(near); i++) {
        f.flow.ttl = near[i];
        const char *s =
            from_client("0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009");
        assert_clean(s);
        assert_int_equal(facts(s), 1);
        f.flow.ttl = far[i];
        s = from_client("0000 8400 0000 0001 0000 0000 " CAM "0001 8001 00000078 0004 0a000009");
        assert_violation(s, "off_link");
        assert_int_equal(facts(s), 0);
        assert_clean(from_client("0000 0000 0001 0000 0000 0000 " CAM "0001 0001"));
    }
}

/* The name of the proxy configuration is nobody's. */
static void wpad(void **state)
{
    (void)state;
    const char *s = from_client("0000 8400 0000 0002 0000 0000 04 77706164 05 6c6f63616c 00 "
                                "0001 8001 00000078 0004 0a000009 "
                                "01 62 c011 0001 8001 00000078 0004 0a00000a");
    assert_violation(s, "wpad");
    assert_has(s, NAMED("10.0.0.10", "b.local"));
    assert_int_equal(facts(s), 1);
}

/* ---- LLMNR ---------------------------------------------------------------------------------- */

static void link_local(void **state)
{
    (void)state;
    /* hmi */
    const char *s = from_server("0102 8000 0001 0001 0000 0000 03 686d69 00 0001 0001 "
                                "c00c 0001 0001 0000001e 0004 0a000003");
    assert_has(s, NAMED("10.0.0.3", "hmi"));
    assert_int_equal(facts(s), 1); /* who answers for itself is no server */
    s = from_server("0102 8000 0001 0001 0000 0000 04 57504144 00 0001 0001 "
                    "c00c 0001 0001 0000001e 0004 0a000003");
    assert_violation(s, "wpad");
    assert_int_equal(facts(s), 0);
    assert_int_equal(facts(from_client("0102 0000 0001 0000 0000 0000 03 686d69 00 0001 0001")), 0);
    /* TTL 0 is not kept. */
    assert_int_equal(facts(from_server("0102 8000 0001 0001 0000 0000 03 686d69 00 0001 0001 "
                                       "c00c 0001 0001 00000000 0004 0a000003")),
                     0);
}

#define DNS(test)   cmocka_unit_test_setup_teardown(test, open_dns, close_feed)
#define MDNS(test)  cmocka_unit_test_setup_teardown(test, open_mdns, close_feed)
#define LLMNR(test) cmocka_unit_test_setup_teardown(test, open_llmnr, close_feed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DNS(addresses),
        DNS(reverse_names),
        DNS(updates),
        DNS(not_answers),
        DNS(forwarded),
        DNS(spoofed),
        DNS(domain_controllers),
        DNS(many_controllers),
        MDNS(announced),
        MDNS(properties),
        MDNS(several_properties),
        MDNS(roles),
        MDNS(reflected),
        MDNS(from_another_port),
        MDNS(wpad),
        LLMNR(link_local),
        DNS(other_servers),
        DNS(software),
        DNS(tunnels),
        MDNS(mac_addresses),
        MDNS(from_afar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
