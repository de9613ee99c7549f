/* SPDX-License-Identifier: BSD-3-Clause */
/* The sink `syslog` against receivers of the test's own: UDP, TCP and TLS. */
#include "sinks_world.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>

enum trick {
    NO_TRICK,
    DIES_UNREAD, /* ends each connection after some bytes, with unread ones in its buffer */
};

/* A receiver of a stream, in a thread: octet counting or lines, TLS or not. */
struct receiver {
    struct seen seen;
    pthread_t thread;
    int listener;
    uint16_t port;
    bool is_lines;
    atomic_int trick;
    SSL_CTX *tls;
    atomic_bool is_over;
    atomic_uint connections, refused, bad_frames;
    char last[2048];
};

static void take_message(struct receiver *r, char *message, size_t n)
{
    char kept = message[n];
    message[n] = 0;
    if (strncmp(message, "<9>1 ", 5) != 0)
        atomic_fetch_add(&r->bad_frames, 1);
    see(&r->seen, message);
    pthread_mutex_lock(&r->seen.lock);
    snprintf(r->last, sizeof(r->last), "%s", message);
    pthread_mutex_unlock(&r->seen.lock);
    message[n] = kept;
}

/* Whole messages at the front of the room; returns how many bytes they took. */
static size_t take_messages(struct receiver *r, char *room, size_t used)
{
    size_t at = 0;
    for (;;) {
        char *end;
        if (r->is_lines) {
            end = memchr(room + at, '\n', used - at);
            if (!end)
                return at;
            take_message(r, room + at, (size_t)(end - room) - at);
            at = (size_t)(end - room) + 1;
            continue;
        }
        room[used] = 0;
        unsigned long length = strtoul(room + at, &end, 10);
        if (used - at < 8)
            return at;
        if (*end != ' ' || !length || length > 8192) {
            atomic_fetch_add(&r->bad_frames, 1);
            return used;
        }
        size_t begin = (size_t)(end - room) + 1;
        if (begin + length > used)
            return at;
        take_message(r, room + begin, length);
        at = begin + length;
    }
}

static void serve(struct receiver *r, int fd)
{
    static char room[65536 + 1];
    size_t used = 0, all = 0;
    SSL *ssl = r->tls ? SSL_new(r->tls) : NULL;
    struct timeval patience = {.tv_usec = 50000};
    if (ssl && (!SSL_set_fd(ssl, fd) || SSL_accept(ssl) != 1)) {
        atomic_fetch_add(&r->refused, 1);
        SSL_free(ssl);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while (!atomic_load(&r->is_over)) {
        ssize_t n = ssl ? SSL_read(ssl, room + used, (int)(65536 - used))
                        : recv(fd, room + used, 65536 - used, 0);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0)
            break;
        used += (size_t)n;
        all += (size_t)n;
        size_t done = take_messages(r, room, used);
        memmove(room, room + done, used - done);
        used -= done;
        if (r->trick == DIES_UNREAD && all > 20000) {
            nap(20); /* so that something waits that nobody will read */
            break;
        }
    }
    SSL_free(ssl);
}

static void *receive(void *user)
{
    struct receiver *r = user;
    while (!atomic_load(&r->is_over)) {
        struct pollfd p = {r->listener, POLLIN, 0};
        if (poll(&p, 1, 20) <= 0)
            continue;
        int fd = accept(r->listener, NULL, NULL);
        atomic_fetch_add(&r->connections, 1);
        serve(r, fd);
        close(fd);
    }
    close(r->listener);
    return NULL;
}

static void start_receiver(struct receiver *r)
{
    pthread_mutex_init(&r->seen.lock, NULL);
    atomic_store(&r->is_over, false);
    r->listener = listen_on(&r->port);
    assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void stop_receiver(struct receiver *r)
{
    atomic_store(&r->is_over, true);
    pthread_join(r->thread, NULL);
}

/* A receiver, and a journal for the sink that will send to it. */
static void begin(struct world *w, struct receiver *r, bool is_lines, enum trick trick)
{
    memset(r, 0, sizeof(*r));
    r->is_lines = is_lines;
    r->trick = trick;
    begin_world(w);
    open_journal(w, 0);
    start_receiver(r);
}

/* All has been delivered, in order. */
static void end(struct world *w, struct receiver *r)
{
    WAIT_FOR(stats_of(w).lag == 0);
    assert_true(stop_sinks(w, 3000));
    stop_receiver(r);
    assert_false(r->seen.is_disordered);
    end_world(w);
}

static void test_tcp(void **state)
{
    static struct receiver r;
    struct world w;
    char text[256];
    (void)state;
    for (int lines = 0; lines < 2; lines++) {
        begin(&w, &r, lines, NO_TRICK);
        start_sinks(&w,
                    "[{'name':'siem','kind':'syslog','host':'localhost','port':%u,'framing':'%s',"
                    "'settle_ms':100}]",
                    r.port, lines ? "line" : "octets");
        append_events(&w, 2000);
        WAIT_FOR(seen_count(&r.seen) == 2000);
        if (!test_sink(&w, "siem", 5000, text, sizeof(text)))
            fail_msg("%s", text);
        end(&w, &r);
        assert_int_equal(r.seen.tests, 1);
        assert_int_equal(r.bad_frames, 0);
        assert_int_equal(r.connections, 1);
    }
}

/* Connections are taken and nothing is ever read: told when the time is over, not when the kernel
 * gives up. */
static void test_hanging(void **state)
{
    struct world w;
    uint16_t port = 0;
    int small = 4096, listener = listen_on(&port);
    (void)state;
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'transport':'tcp',"
                "'timeout_ms':1000}]",
                port);
    append_events(&w, 2000);
    WAIT_FOR(stats_of(&w).failed >= 1);
    assert_non_null(strstr(stats_of(&w).last_error, "takes nothing since 1000 ms"));
    WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
    assert_true(stats_of(&w).lag > 1000);
    end_world(&w);
    close(listener);
}

static _Atomic uint64_t said; /* bytes */

/* Connections are taken, and what is sent is read; the receiver itself talks without end. */
static void *talk(void *arg)
{
    static char words[65536];
    int fd = accept((int)(intptr_t)arg, NULL, NULL);
    ssize_t n = fd;
    while (n >= 0) {
        while (recv(fd, words, sizeof(words), MSG_DONTWAIT) > 0) {}
        n = send(fd, words, sizeof(words), MSG_NOSIGNAL);
        said += n > 0 ? (uint64_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void test_talking(void **state)
{
    struct world w;
    pthread_t thread;
    uint16_t port = 0;
    int listener = begin_receiver(&thread, talk, &port);
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'transport':'tcp'}]",
                port);
    append_events(&w, 100);
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_in_range(said, 65536, 50000000); /* some 300 MB if all that comes were read */
    assert_int_equal(stats_of(&w).failed, 0);
    end_world(&w);
    pthread_join(thread, NULL);
    close(listener);
}

static void test_cef(void **state)
{
    static struct receiver r;
    struct world w;
    (void)state;
    begin(&w, &r, false, NO_TRICK);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'format':'cef',"
                "'settle_ms':100,'filter':{'severity':'critical'}}]",
                r.port);
    append_events(&w, 8);
    end(&w, &r);
    if (!strstr(r.last, " line3 fieldtap ") || !strstr(r.last, "CEF:0|"))
        fail_msg("%s", r.last);
}

/* A receiver that goes and comes back; the one that comes back gets all that the first had not. */
static void test_outage(void **state)
{
    static struct receiver r;
    struct world w;
    (void)state;
    begin(&w, &r, false, NO_TRICK);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'retry_ms':300,"
                "'settle_ms':100}]",
                r.port);
    append_events(&w, 500);
    WAIT_FOR(seen_count(&r.seen) == 500);
    stop_receiver(&r);
    append_events(&w, 500);
    WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
    append_events(&w, 500);
    start_receiver(&r);
    WAIT_FOR(seen_count(&r.seen) == 1500);
    WAIT_FOR(stats_of(&w).state == FT_SINK_UP);
    end(&w, &r);
}

/* TCP says that it has what nobody has read yet: nothing of that may count as delivered. */
static void test_dying(void **state)
{
    static struct receiver r;
    struct world w;
    (void)state;
    begin(&w, &r, false, DIES_UNREAD);
    append_events(&w, 1000);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'retry_ms':100,"
                "'settle_ms':200,'batch':20}]",
                r.port);
    WAIT_FOR(atomic_load(&r.connections) >= 3);
    r.trick = NO_TRICK;
    WAIT_FOR(seen_count(&r.seen) == 1000);
    end(&w, &r);
}

static void test_udp(void **state)
{
    static struct seen seen;
    static char room[65536];
    struct world w;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    struct timeval patience = {.tv_sec = 1};
    int big = 4 << 20, fd = socket(AF_INET, SOCK_DGRAM, 0);
    (void)state;
    memset(&seen, 0, sizeof(seen));
    pthread_mutex_init(&seen.lock, NULL);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w,
                "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'transport':'udp',"
                "'settle_ms':200,'retry_ms':100,'standard':'rfc3164'}]",
                ntohs(at.sin_port));
    append_events(&w, 100);
    for (ssize_t n; seen.count < 100 && (n = recv(fd, room, sizeof(room) - 1, 0)) > 0;) {
        room[n] = 0;
        assert_int_equal(strncmp(room, "<9>", 3), 0);
        see(&seen, room);
    }
    assert_int_equal(seen.count, 100);
    assert_false(seen.is_disordered);
    WAIT_FOR(stats_of(&w).lag == 0);
    /* nobody there: the host says so, if late, and then all comes again */
    close(fd);
    append_events(&w, 10);
    WAIT_FOR(stats_of(&w).failed > 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (ssize_t n; seen.count < 110 && (n = recv(fd, room, sizeof(room) - 1, 0)) > 0;) {
        room[n] = 0;
        see(&seen, room);
    }
    assert_int_equal(seen.count, 110);
    close(fd);
    end_world(&w);
}

/* ---- TLS ---- */

static void make_certificates(const char *folder)
{
    static const char script[] =
        "cd %s && exec 2>openssl.log && set -e\n"
        "for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
        "-nodes -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem; done\n"
        "for who in siem sensor; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-subj /CN=$who -keyout $who.key -out $who.csr; "
        "printf 'subjectAltName=DNS:localhost,DNS:*.siem.example,DNS:ACME Syslog' >$who.ext; "
        "openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
        "-extfile $who.ext -out $who.pem; done\n";
    char command[2048];
    snprintf(command, sizeof(command), script, folder);
    assert_int_equal(system(command), 0);
}

static SSL_CTX *server_context(const char *folder, bool wants_client)
{
    char cert[128], key[128], ca[128];
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    snprintf(cert, sizeof(cert), "%s/siem.pem", folder);
    snprintf(key, sizeof(key), "%s/siem.key", folder);
    snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(c, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_load_verify_locations(c, ca, NULL), 1);
    if (wants_client)
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return c;
}

static void replace(const char *folder, const char *name)
{
    char from[128], to[128];
    snprintf(from, sizeof(from), "%s/other.key", folder);
    snprintf(to, sizeof(to), "%s/%s", folder, name ? name : "");
    if (name && (unlink(to) || link(from, to)))
        fail_msg("%s: %s", to, strerror(errno));
}

static void test_tls(void **state)
{
    static struct receiver r;
    static const struct {
        const char *host, *settings, *why; /* NULL: it works */
        bool wants_client;
        const char *replaced; /* by other.key, once the settings were read */
    } cases[] = {
        {"localhost", "'ca_file':'ca.pem'", NULL, false, NULL},
        {"localhost", "'ca_file':'ca.pem','certificate':'sensor.pem','key':'sensor.key'", NULL,
         true, NULL},
        {"127.0.0.1", "'ca_file':'ca.pem','server_name':'localhost'", NULL, false, NULL},
        {"127.0.0.1", "'ca_file':'ca.pem','server_name':'*.siem.example'", NULL, false, NULL},
        {"127.0.0.1", "'ca_file':'ca.pem','server_name':'ACME Syslog'", NULL, false, NULL},
        {"127.0.0.1", "'ca_file':'other.pem','verify':false", NULL, false, NULL},
        {"localhost", "'ca_file':'other.pem'", "its certificate is refused", false, NULL},
        {"127.0.0.1", "'ca_file':'ca.pem'", "IP address mismatch", false, NULL},
        {"localhost", "'ca_file':'ca.pem','server_name':'other.example'", "ostname mismatch", false,
         NULL},
        {"localhost", "'ca_file':'ca.pem'", "the receiver ", true, NULL},
        {"localhost", "'ca_file':'ca.pem','certificate':'sensor.pem','key':'sensor.key'",
         "sensor.key: no key of sensor.pem in it", false, "sensor.key"},
        {"localhost", "'ca_file':'other.pem'", "other.pem: no certificates", false, "other.pem"},
    };
    char text[512], error[512];
    struct world w;
    (void)state;
    begin_world(&w);
    make_certificates(w.folder);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&r, 0, sizeof(r));
        r.tls = server_context(w.folder, cases[i].wants_client);
        start_receiver(&r);
        remove_folder(w.journal_folder);
        open_journal(&w, 0);
        snprintf(text, sizeof(text),
                 "[{'name':'siem','kind':'syslog','transport':'tls','host':'%s','port':%u,"
                 "'settle_ms':200,'retry_ms':100,%s}]",
                 cases[i].host, r.port, cases[i].settings);
        if (!configure(&w, text, error, sizeof(error)))
            fail_msg("%s", error);
        replace(w.folder, cases[i].replaced);
        assert_true(ft_sinks_start(w.sinks, w.journal, error, sizeof(error)));
        append_events(&w, 200);
        if (cases[i].why) {
            WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
            if (!strstr(stats_of(&w).last_error, cases[i].why))
                fail_msg("%zu: %s", i, stats_of(&w).last_error);
        } else {
            WAIT_FOR(seen_count(&r.seen) == 200);
            WAIT_FOR(stats_of(&w).lag == 0);
        }
        assert_int_equal(stop_sinks(&w, 1000), !cases[i].why);
        stop_receiver(&r);
        assert_int_equal(r.seen.count, cases[i].why ? 0 : 200);
        SSL_CTX_free(r.tls);
        ft_journal_close(w.journal, 3000, NULL);
        w.journal = NULL;
    }
    end_world(&w);
}

static void remove_segment(const char *path, const char *name, void *user)
{
    (void)user;
    if (strstr(name, ".ftj"))
        unlink(path);
}

/* A receiver that never was there: what the journal could not keep for it is counted and told. */
static void test_never_there(void **state)
{
    static struct receiver r;
    struct world w;
    (void)state;
    for (int is_folder = 0; is_folder < 2; is_folder++) {
        struct ft_sink_notice notice = {0};
        begin(&w, &r, false, NO_TRICK);
        stop_receiver(&r); /* the port is nobody's now */
        start_sinks(&w,
                    "[{'name':'siem','kind':'syslog','host':'127.0.0.1','port':%u,'settle_ms':100,"
                    "'retry_ms':200}]",
                    r.port);
        append_events(&w, 100);
        WAIT_FOR(stats_of(&w).failed >= 2 && stats_of(&w).lag == 100);
        if (is_folder)
            remove_folder(w.journal_folder);
        else
            each_file(w.journal_folder, remove_segment, NULL);
        append_events(&w, 50);
        WAIT_FOR(stats_of(&w).lag == 150);
        uint64_t failed = stats_of(&w).failed;
        WAIT_FOR(stats_of(&w).failed >= failed + 2);
        start_receiver(&r);
        WAIT_FOR(seen_count(&r.seen) + stats_of(&w).missed == 150);
        assert_true(stats_of(&w).missed >= 100);
        while (ft_sinks_next_notice(w.sinks, &notice) && notice.kind != FT_SINK_NOTICE_MISSED)
            ;
        assert_int_equal(notice.kind, FT_SINK_NOTICE_MISSED);
        assert_true(notice.count >= 100);
        end(&w, &r);
        assert_true(r.seen.gaps > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),         cmocka_unit_test(test_hanging),
        cmocka_unit_test(test_talking),     cmocka_unit_test(test_cef),
        cmocka_unit_test(test_outage),      cmocka_unit_test(test_dying),
        cmocka_unit_test(test_udp),         cmocka_unit_test(test_tls),
        cmocka_unit_test(test_never_there),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
