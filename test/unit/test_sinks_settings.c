/* SPDX-License-Identifier: BSD-3-Clause */
/* outputs[] of the configuration: what is right, and what is said of what is wrong. */
#include "sinks_world.h"

static const char *const protocols[] = {"modbus", "s7comm", NULL};

static void expect_error(const char *outputs, const char *wanted)
{
    struct world w;
    char error[2048] = "";
    memset(&w, 0, sizeof(w));
    w.options.sensor.name = "line3";
    w.options.protocols = protocols;
    if (configure(&w, outputs, error, sizeof(error))) {
        ft_sinks_free(w.sinks);
        fail_msg("taken: %s", outputs);
    }
    if (!strstr(error, wanted))
        fail_msg("%s\n  gives  %s\n  not    %s", outputs, error, wanted);
}

#define SINK(kind, more) "[{'name':'a','kind':'" kind "'," more "}]"
#define URL(url)         SINK("webhook", "'url':'" url "'"), "outputs[0].url: "
#define PROXY(proxy)     SINK("webhook", "'url':'http://h/','proxy':'" proxy "'"), "outputs[0].proxy: "
#define HOST(host)       SINK("syslog", "'host':'" host "'"), "outputs[0].host: "
#define HEADERS(headers)                                                                           \
    SINK("webhook", "'url':'http://h/','headers':{" headers "}"), "outputs[0].headers."

/* What no network would ever make work. */
static void test_never_there(void **state)
{
    static const char *const cases[][3] = {
        {URL("http://x y/"), "there is a blank or a control character"},
        {URL("http://x/a b"), "there is a blank or a control character"},
        {URL("http://x/\\u007f"), "there is a blank or a control character"},
        {URL("http://h:99999/"), "the port is no number from 1 to 65535"},
        {URL("http://h:0/"), "the port is no number from 1 to 65535"},
        {URL("http://h:80x/"), "the port is no number from 1 to 65535"},
        {URL("https://user:secret/x@h/"), "the port is no number from 1 to 65535; in a password"},
        {URL("http:///foo"), "there is no host in it"},
        {URL("http://:80/"), "there is no host in it"},
        {URL("http://u:secret@/"), "there is no host in it"},
        {URL("http://?x=1"), "there is no host in it"},
        {URL("http://h;x/"), "the host in it is neither a name"},
        {URL("http://[::1/"), "what is between [ ] is no address"},
        {URL("http://10.0.0.256/"), "\"10.0.0.256\" is no address of IPv4"},
        {URL("http://siem..example/"), "\"siem..example\" is no name: one part"},
        {URL("ftp.example/x"), "expected a URL that begins with http:// or https://"},
        {URL("http:/host/"), "expected a URL that begins with http:// or https://"},
        {URL("//host/path"), "expected a URL that begins with http:// or https://"},
        {PROXY("http://p q:3128"), "there is a blank"},
        {PROXY("proxy:99999"), "the port is no number from 1 to 65535"},
        {PROXY("ftp://proxy:3128"), "expected HOST:PORT or a URL that begins with http://, "},
        {PROXY("ftp.example:3128"), "expected HOST:PORT or a URL"},
        {PROXY("http:/proxy:3128"), "expected HOST:PORT or a URL"},
        {PROXY("http:///proxy"), "there is no host in it"},
        {PROXY(":3128"), "there is no host in it"},
        {HOST("siem example"),
         "\"siem example\" is neither a name, which has letters, digits, - _"},
        {HOST("siem;x"), "\"siem;x\" is neither a name"},
        {HOST("siem\\n"), "\"siem\\n\" is neither a name"},
        {HOST("10.0.0.0/8"), "\"10.0.0.0/8\" is neither a name"},
        {HOST("siem%eth0"), "\"siem%eth0\" is neither a name"},
        {HOST("siem:514"), "the port is a key of its own: \"host\": \"siem\", \"port\": 514"},
        {HOST("10.1.2.3:514"),
         "the port is a key of its own: \"host\": \"10.1.2.3\", \"port\": 514"},
        {HOST("[::1]:514"), "the port is a key of its own, and an address has no [ ]"},
        {HOST("[::1]"), "expected an address of IPv6 without [ ]"},
        {HOST("fe80::x"), "\"fe80::x\" is no address of IPv6"},
        {HOST("fe80::1%"), "\"fe80::1%\" is no address of IPv6"},
        {HOST("udp://siem"), "expected a name or an address, not a URL"},
        {HOST("10.0.0.256"), "\"10.0.0.256\" is no address of IPv4"},
        {HOST("1.2.3.4.5"), "\"1.2.3.4.5\" is no address of IPv4"},
        {HOST("siem..example"), "\"siem..example\" is no name: one part"},
        {HOST(".example"), "\".example\" is no name: one part of it is empty"},
        {HEADERS("'content-length':'5'"), "content-length: each request has a length of its own"},
        {HEADERS("'Transfer-Encoding':'chunked'"), "Transfer-Encoding: each request has a length"},
        {HEADERS("'CONNECTION':'close'"), "CONNECTION: it is about the connection"},
        {HEADERS("'Upgrade':'h2c'"), "Upgrade: it is about the connection"},
        {HEADERS("'Content-Encoding':'gzip'"), "Content-Encoding: whether bodies are packed is "},
        {HEADERS("'Expect':'100-continue'"), "Expect: receivers are not asked"},
        {HEADERS("'Content-MD5':'x'"), "Content-MD5: each body has a digest of its own"},
        {HEADERS("'X-Key':'1','x-key':'2'"), "x-key: it is there already"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wanted[256];
        snprintf(wanted, sizeof(wanted), "%s%s", cases[i][1], cases[i][2]);
        expect_error(cases[i][0], wanted);
    }
}

static void test_errors(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "outputs: expected a list"},
        {"[1]", "outputs[0]: expected an object"},
        {"[{'kind':'file','path':'a'}]", "outputs[0]: a sink needs a name"},
        {"[{'name':'a b','kind':'file','path':'a'}]", "outputs[0].name: expected 1 to 40 letters"},
        {"[{'name':'a','kind':'file','path':'a'},{'name':'a','kind':'file','path':'b'}]",
         "outputs[1].name: there is a sink \"a\" already"},
        {"[{'name':'a','kind':'file','path':'x'},{'name':'b','kind':'file','path':'x'}]",
         "outputs[1].path: is that of outputs[0], \"a\": each sink needs one of its own"},
        {"[{'name':'a','kind':'file','path':'x'},{'name':'b','kind':'unix_stream','path':'x'}]",
         "outputs[1].path: is that of outputs[0]"},
        {"[{'name':'a','kind':'file','path':'/dev/null'},{'name':'b','kind':'file',"
         "'path':'/dev/./null'}]",
         "outputs[1].path: is that of outputs[0]"},
        {"[{'name':'a','kind':'file','path':'no-such-file'},{'name':'b','kind':'file',"
         "'path':'./no-such-file'}]",
         "outputs[1].path: is that of outputs[0]"},
        {"[{'name':'a','kind':'file','path':'/tmp/no-such-file'},{'name':'b','kind':'file',"
         "'path':'/tmp/../tmp//no-such-file'}]",
         "outputs[1].path: is that of outputs[0]"},
        {"[{'name':'a','kind':'file','path':'x.12'},{'name':'b','kind':'file','path':'x'}]",
         "outputs[1].path: would be overwritten when files are moved on by outputs[0]"},
        {"[{'name':'a','kind':'syslog','host':'h'},{'name':'b','kind':'syslog','host':'h',"
         "'filter':{}}]",
         "outputs[1]: sends to the receiver of outputs[0], \"a\", which would get each event "
         "twice"},
        {"[{'name':'a','kind':'webhook','url':'http://h/','filter':{'types':['alert']}},"
         "{'name':'b','kind':'webhook','url':'http://h/','filter':{'types':['alert']}}]",
         "outputs[1]: sends to the receiver of outputs[0]"},
        {"[{'name':'a','kind':'syslog','host':'h','transport':'tls','ca_file':'/no/ca.pem'}]",
         "outputs[0].ca_file: /no/ca.pem: No such file or directory"},
        {"[{'name':'a','kind':'webhook','url':'https://h','certificate':'/dev/null/x'}]",
         "outputs[0].certificate: /dev/null/x: Not a directory"},
        {"[{'name':'a'}]", "outputs[0]: a sink needs a kind: \"file\""},
        {"[{'name':'a','kind':'sylog'}]", "unknown kind \"sylog\"; did you mean \"syslog\"?"},
        {"[{'name':'a','kind':'file'}]", "outputs[0]: \"path\" is missing: the file"},
        {"[{'name':'a','kind':'file','path':''}]", "outputs[0].path: expected a text of 1 to"},
        {"[{'name':'a','kind':'file','path':'a','pth':1}]", "did you mean \"path\"?"},
        {"[{'name':'a','kind':'file','path':'a','max_bytes':5}]",
         "outputs[0].max_bytes: expected 0 or at least 65536"},
        {"[{'name':'a','kind':'file','path':'a','mode':'rw'}]",
         "outputs[0].mode: expected permissions as octal text, such as \"0640\""},
        {"[{'name':'a','kind':'file','path':'a','format':'leaf'}]", "did you mean \"leef\"?"},
        {"[{'name':'a','kind':'file','path':'a','format':7}]",
         "outputs[0].format: expected \"json\", \"text\""},
        {"[{'name':'a','kind':'file','path':'a','delimiter':'|'}]", "outputs[0].delimiter:"},
        {"[{'name':'a','kind':'file','path':'a','time_zone':'Berlin/Europe'}]",
         "outputs[0].time_zone: "},
        {"[{'name':'a','kind':'file','path':'a','filter':{'severty':'major'}}]",
         "outputs[0].filter.severty"},
        {"[{'name':'a','kind':'file','path':'a','filter':{'protocols':['s7com']}}]",
         "did you mean \"s7comm\"?"},
        {"[{'name':'a','kind':'file','path':'a','enabled':1}]",
         "outputs[0].enabled: expected true or false"},
        {"[{'name':'a','kind':'file','path':'a','settle_ms':1000}]", "unknown key"},
        {"[{'name':'a','kind':'syslog','host':'h','port':70000}]",
         "outputs[0].port: expected a whole number from 1 to 65535"},
        {"[{'name':'a','kind':'syslog','host':'h','ca_file':'x'}]",
         "outputs[0].transport: certificates are used with \"tls\" only"},
        {"[{'name':'a','kind':'syslog','host':'h','facility':'local8'}]", "did you mean \"local"},
        {"[{'name':'a','kind':'webhook','url':'ftp://x.y'}]",
         "outputs[0].url: expected a URL that begins with http:// or https://"},
        {"[{'name':'a','kind':'webhook','url':'http://x','headers':{'a b':'c'}}]",
         "outputs[0].headers.a b: expected a name of letters"},
        {"[{'name':'a','kind':'webhook','url':'http://x','headers':{'a':'  c'}}]",
         "outputs[0].headers.a: expected"},
        {"[{'name':'a','kind':'webhook','url':'http://x','headers':{'a':'b\\r\\nc'}}]",
         "outputs[0].headers.a: expected"},
        {"[{'name':'a','kind':'unix_stream','path':'a','group':'no-such-group'}]",
         "there is no group \"no-such-group\""},
        {"[{'name':'a','kind':'unix_stream','path':'a','readers':65}]",
         "outputs[0].readers: expected a whole number from 1 to 64"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_error(cases[i][0], cases[i][1]);
}

/* Sinks that are not started; the caller frees them. */
static void expect_right(struct world *w, const char *outputs)
{
    char error[1024] = "";
    memset(w, 0, sizeof(*w));
    w->options.sensor.name = "line3";
    if (!configure(w, outputs, error, sizeof(error)))
        fail_msg("%s: %s", outputs, error);
}

/* Two of one receiver, when they send different events; two of one file, when one is off. */
static void test_together(void **state)
{
    static const char *const cases[] = {
        ("[{'name':'a','kind':'syslog','host':'h','filter':{'types':['alert']}},"
         "{'name':'b','kind':'syslog','host':'h','filter':{'types':['flow']}}]"),
        ("[{'name':'a','kind':'syslog','host':'h'},{'name':'b','kind':'syslog','host':'h',"
         "'port':515},{'name':'c','kind':'syslog','host':'h','format':'cef'}]"),
        ("[{'name':'a','kind':'file','path':'x'},{'name':'b','kind':'file','path':'x',"
         "'enabled':false},{'name':'c','kind':'file','path':'x.json'}]"),
        ("[{'name':'a','kind':'unix_datagram','path':'x','filter':{'types':['alert']}},"
         "{'name':'b','kind':'unix_datagram','path':'x','filter':{'types':['flow']}}]"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        expect_right(&w, cases[i]);
        ft_sinks_free(w.sinks);
    }
}

static void test_right(void **state)
{
    static const char *const cases[] = {
        "[]",
        "[{'name':'a','kind':'file','path':'a','enabled':false}]",
        "[{'name':'a','kind':'file','path':'a','keep':0,'max_bytes':0,'max_age_s':60}]",
        ("[{'name':'a','kind':'syslog','host':'h','transport':'tls','ca_file':'c',"
         "'certificate':'d','key':'e','server_name':'f','framing':'line','standard':'rfc3164',"
         "'format':'leef2','delimiter':'^','time_zone':'+02:00','settle_ms':200}]"),
        ("[{'name':'a','kind':'webhook','url':'https://u:p@h/p?q','headers':{'X-1_a':' b '},"
         "'format':'extended','single':true}]"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        expect_right(&w, cases[i]);
        assert_int_equal(ft_sinks_count(w.sinks), i >= 2);
        if (i == 4) /* passwords are told to nobody */
            assert_string_equal(stats_of(&w).target, "https://h/p");
        ft_sinks_free(w.sinks);
    }
}

/* What may work goes on being taken. */
static void test_may_be_there(void **state)
{
    static const char *const cases[] = {
        SINK("webhook", "'url':'http://[::1]:8080/'"),
        SINK("webhook", "'url':'http://[fe80::1%25eth0]/'"),
        SINK("webhook", "'url':'HTTPS://my_siem.example:8443/in?key=a%20b#x'"),
        SINK("webhook", "'url':'http://user:pass%2Fword@10.0.0.25:1/'"),
        SINK("webhook", "'url':'http://siem.example./'"),
        SINK("webhook", "'url':'http://h:/','proxy':''"),
        SINK("webhook", "'url':'http://h/a//b','proxy':'proxy:3128'"),
        SINK("webhook", "'url':'http://h','proxy':'10.0.0.2'"),
        SINK("webhook", "'url':'http://h','proxy':'socks5h://u:p@pro_xy:1080'"),
        SINK("webhook", "'url':'http://h','proxy':'socks4a://[::1]:1080/'"),
        SINK("webhook", "'url':'http://h','proxy':'https://proxy'"),
        SINK("webhook", "'url':'http://h','headers':{'X-Key':'','Host':'v','Content-Type':'a/b',"
                        "'X-Content-Length':'5','Date':'x'}"),
        SINK("syslog", "'host':'10.1.2.3'"),
        SINK("syslog", "'host':'127.1'"),
        SINK("syslog", "'host':'::1'"),
        SINK("syslog", "'host':'fe80::1:2%eth0.5'"),
        SINK("syslog", "'host':'::ffff:10.0.0.1'"),
        SINK("syslog", "'host':'Siem-1_a.Example.'"),
        SINK("syslog", "'host':'10.0.0.2.example'"),
        SINK("syslog", "'host':'mÃ¼nchen.example'"),
        SINK("syslog", "'host':'h','transport':'tls','server_name':'.siem.example'"),
        SINK("syslog", "'host':'h','hostname':'line 3','app_name':'field;tap'"),
        SINK("file", "'path':'/no-such-folder/of-a-disk/eve.json'"),
        SINK("file", "'path':'/dev/null'"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        expect_right(&w, cases[i]);
        assert_int_equal(ft_sinks_count(w.sinks), 1);
        ft_sinks_free(w.sinks);
    }
}

static void make_certificates(const char *folder)
{
    static const char script[] =
        "cd %s && exec 2>/dev/null && set -e\n"
        "for who in a b; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-days 2 -subj /CN=$who -keyout $who.key -out $who.pem; cat $who.key $who.pem >$who.both; "
        "done\n"
        "openssl pkey -aes256 -passout pass:x -in a.key -out locked.key\n"
        "openssl x509 -in a.pem -outform der -out a.der\n"
        "sed 3s/./?/ a.pem >torn.pem; cat a.pem b.pem >all.pem; : >empty.pem\n"
        "openssl pkey -in a.key -pubout -out a.pub\n"
        "mkdir sub; mkfifo pipe\n";
    char command[1024];
    snprintf(command, sizeof(command), script, folder);
    assert_int_equal(system(command), 0);
}

#define PEM_A "'certificate':'a.pem',"

/* Files that can be read have what they are for in them. */
static void test_certificates(void **state)
{
    static const char *const cases[][3] = {
        /* settings, key and what is wrong with it: NULL nothing */
        {"'ca_file':'a.pem'", NULL, NULL},
        {"'ca_file':'all.pem'", NULL, NULL},
        {"'ca_file':'a.both'", NULL, NULL},
        {"'ca_file':'pipe'", NULL, NULL}, /* who connects reads it */
        {"'ca_file':'a.key'", ".ca_file: ", "/a.key: no certificate in it; expected PEM"},
        {"'ca_file':'empty.pem'", ".ca_file: ", "/empty.pem: no certificate in it"},
        {"'ca_file':'a.der'", ".ca_file: ", "/a.der: no certificate in it"},
        {"'ca_file':'torn.pem'", ".ca_file: ", "/torn.pem: a certificate in it is damaged"},
        {"'ca_file':'sub'", ".ca_file: ", "/sub: Is a directory"},
        {PEM_A "'key':'a.key'", NULL, NULL},
        {"'certificate':'a.both'", NULL, NULL},
        {"'certificate':'a.both','key':'a.both'", NULL, NULL},
        {PEM_A "'key':'pipe'", NULL, NULL},
        {"'certificate':'a.pem'", ".certificate: ", "/a.pem: no private key in it; when it is in "},
        {"'certificate':'a.der','key':'a.key'", ".certificate: ", "/a.der: no certificate in it"},
        {PEM_A "'key':'b.key'", ".key: ", "certificate and private key do not belong together"},
        {PEM_A "'key':'locked.key'", ".key: ", "/locked.key: the private key is encrypted"},
        {PEM_A "'key':'a.pub'", ".key: ", "/a.pub: no private key in it; expected PEM"},
        {PEM_A "'key':'empty.pem'", ".key: ", "/empty.pem: no private key in it"},
    };
    static const char *const kinds[] = {
        "[{'name':'a','kind':'syslog','host':'h','transport':'tls',",
        "[{'name':'a','kind':'webhook','url':'https://h/',",
    };
    struct world w;
    char outputs[512], error[1024];
    (void)state;
    begin_world(&w);
    make_certificates(w.folder);
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        const char *key = cases[i / 2][1], *why = cases[i / 2][2];
        snprintf(outputs, sizeof(outputs), "%s%s}]", kinds[i % 2], cases[i / 2][0]);
        bool is_taken = configure(&w, outputs, error, sizeof(error));
        if (is_taken != !why || (why && (!strstr(error, key) || !strstr(error, why))))
            fail_msg("%s\n  gives  %s\n  not    %s%s", outputs, error, key, why);
        ft_sinks_free(w.sinks);
    }
    /* where they are not used */
    static const char *const unused[] = {
        SINK("webhook", "'url':'http://h/','certificate':'a.pem','key':'b.key'"),
        SINK("webhook", "'url':'https://h/','ca_file':'empty.pem','verify':false"),
    };
    for (size_t i = 0; i < 2; i++) {
        if (!configure(&w, unused[i], error, sizeof(error)))
            fail_msg("%s: %s", unused[i], error);
        ft_sinks_free(w.sinks);
    }
    w.sinks = NULL;
    snprintf(outputs, sizeof(outputs), "rmdir %s/sub", w.folder);
    assert_int_equal(system(outputs), 0);
    end_world(&w);
}

/* Folders in place of files; one that is not there yet is another thing. */
static void test_files(void **state)
{
    static const char *const cases[][2] = {
        {SINK("file", "'path':'/tmp'"), "outputs[0].path: expected the name of a file, not of a"},
        {SINK("file", "'path':'eve.json/'"), "outputs[0].path: expected the name of a file"},
        {SINK("file", "'path':'/dev/null/eve.json'"), "outputs[0].path: expected the name of a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_error(cases[i][0], cases[i][1]);
}

/* Places are those of the file. */
static void test_places(void **state)
{
    char path[] = "/tmp/ft_sinks_XXXXXX", error[512] = "", wanted[128];
    static const char text[] = "{\"sensor\": {},\n \"outputs\": [\n  {\"name\": \"a\",\n"
                               "   \"kind\": \"file\",\n   \"path\": \"p\", \"keep\": \"x\"}]}\n";
    struct ft_sinks_options options = {.sensor.name = "line3"};
    int fd = mkstemp(path);
    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_null(ft_sinks_read(path, &options, error, sizeof(error)));
    snprintf(wanted, sizeof(wanted), "%s:5:17: outputs[0].keep: expected a whole number", path);
    if (!strstr(error, wanted))
        fail_msg("%s, not %s", error, wanted);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "{}", 2, 0), 2);
    struct ft_sinks *none = ft_sinks_read(path, &options, error, sizeof(error));
    assert_non_null(none);
    assert_int_equal(ft_sinks_count(none), 0);
    ft_sinks_free(none);
    close(fd);
    unlink(path);
}

/* A key's row of doc/forwarding.md: | `NAME` | VALUES | DEFAULT | MEANING | */
static void expect_row(const char *doc, char *line)
{
    char row[1024];
    char *name = strchr(line, '.') + 1, *values = strstr(name, "  "), *meaning, *standard;
    meaning = strstr(values + 2, "  ");
    standard = strstr(meaning + 2, "  (default ");
    *values = *meaning = *standard = 0;
    standard += strlen("  (default ");
    standard[strlen(standard) - 1] = 0; /* the bracket */
    snprintf(row, sizeof(row), "\n| `%s` | %s | %s | %s |\n", name, values + 2, standard,
             meaning + 2);
    if (!strstr(doc, row))
        fail_msg("doc/forwarding.md lacks the row%s", row);
}

/* The guide has all keys, as they are. */
static void test_guide(void **state)
{
    char *text = NULL, *rest = NULL;
    size_t size = 0, doc_size;
    uint32_t rows = 0;
    FILE *to = open_memstream(&text, &size);
    char *doc = (char *)read_whole(FT_SOURCE_ROOT "/doc/forwarding.md", &doc_size);
    (void)state;
    assert_true(doc_size > 0);
    doc[doc_size] = 0;
    ft_sinks_describe(to);
    fclose(to);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), rows++)
        expect_row(doc, line);
    assert_true(rows > 40);
    free(text);
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_right),
        cmocka_unit_test(test_never_there),  cmocka_unit_test(test_may_be_there),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_files),
        cmocka_unit_test(test_together),     cmocka_unit_test(test_places),
        cmocka_unit_test(test_guide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
