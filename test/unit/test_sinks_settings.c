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
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_right),
        cmocka_unit_test(test_together), cmocka_unit_test(test_places),
        cmocka_unit_test(test_guide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
