/* SPDX-License-Identifier: BSD-3-Clause */
/* The sink `webhook` against an HTTP server of the test's own. */
#include "sinks_world.h"

#include <stdatomic.h>
#include <zlib.h>

/* Answers each request on a connection of its own by what the test wants. */
struct server {
    struct seen seen;
    pthread_t thread;
    int listener;
    uint16_t port;
    atomic_bool is_over;
    atomic_int status;    /* of every answer, unless: */
    atomic_uint poisoned; /* a request with this number in it is answered 400 */
    atomic_uint requests, events_most;
    atomic_ulong plain_bytes; /* of bodies, unpacked */
    atomic_uint retry_after;  /* seconds; 0: nothing is said of it */
    char head[4096], body[65536];
};

static uint32_t see_body(struct server *s, char *body)
{
    uint32_t n = 0;
    for (char *line = body, *end; *line; line = end + (*end != 0), n++) {
        end = strchrnul(line, '\n');
        char kept = *end;
        *end = 0;
        see(&s->seen, line);
        *end = kept;
    }
    return n;
}

static int judge(struct server *s, char *body)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "\"line3-%u\"", atomic_load(&s->poisoned));
    if (strstr(body, wanted))
        return 400;
    int status = atomic_load(&s->status);
    if (status == 200) {
        uint32_t n = see_body(s, body);
        if (n > atomic_load(&s->events_most))
            atomic_store(&s->events_most, n);
    }
    return status;
}

/* As gunzip does; it must be whole. */
static char *unpack(const char *bytes, size_t length)
{
    static char room[4u << 20];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes,
                  .avail_in = (unsigned)length,
                  .next_out = (unsigned char *)room,
                  .avail_out = sizeof(room) - 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    room[z.total_out] = 0;
    inflateEnd(&z);
    return room;
}

static void answer(struct server *s, int fd)
{
    static char room[1u << 20];
    size_t used = 0, length = 0;
    char *body = NULL, reply[192], more[64] = "";
    while (!body || used < (size_t)(body - room) + length) {
        ssize_t n = recv(fd, room + used, sizeof(room) - 1 - used, 0);
        if (n <= 0)
            return;
        used += (size_t)n;
        room[used] = 0;
        if (!body && (body = strstr(room, "\r\n\r\n"))) {
            const char *at = strcasestr(room, "content-length:");
            length = at ? strtoul(at + 15, NULL, 10) : 0;
            body += 4;
        }
    }
    if (strcasestr(room, "Content-Encoding: gzip"))
        body = unpack(body, length);
    pthread_mutex_lock(&s->seen.lock);
    snprintf(s->head, sizeof(s->head), "%.*s", (int)(strstr(room, "\r\n\r\n") + 4 - room), room);
    snprintf(s->body, sizeof(s->body), "%.65535s", body);
    pthread_mutex_unlock(&s->seen.lock);
    atomic_fetch_add(&s->plain_bytes, strlen(body));
    int status = judge(s, body);
    atomic_fetch_add(&s->requests, 1);
    if (status != 200 && atomic_load(&s->retry_after))
        snprintf(more, sizeof(more), "Retry-After: %u\r\n", atomic_load(&s->retry_after));
    int n = snprintf(reply, sizeof(reply),
                     "HTTP/1.1 %d X\r\n%sContent-Length: 4\r\nConnection: close\r\n\r\nwhy?",
                     status, more);
    if (send(fd, reply, (size_t)n, MSG_NOSIGNAL) < 0)
        return;
}

static void *serve(void *user)
{
    struct server *s = user;
    while (!atomic_load(&s->is_over)) {
        struct pollfd p = {s->listener, POLLIN, 0};
        if (poll(&p, 1, 20) <= 0)
            continue;
        int fd = accept(s->listener, NULL, NULL);
        answer(s, fd);
        close(fd);
    }
    close(s->listener);
    return NULL;
}

static void start_server(struct server *s)
{
    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->seen.lock, NULL);
    atomic_store(&s->status, 200);
    s->listener = listen_on(&s->port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop_server(struct server *s)
{
    atomic_store(&s->is_over, true);
    pthread_join(s->thread, NULL);
}

static struct server server;

static void test_batches(void **state)
{
    struct world w;
    char text[256];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 1000);
    start_server(&server);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/in?key=secret',"
                "'headers':{'X-Key':'abc'},'batch':100,'linger_ms':50}]",
                server.port);
    WAIT_FOR(seen_count(&server.seen) == 1000);
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_non_null(strstr(server.head, "POST /in?key=secret HTTP/1.1\r\n"));
    assert_non_null(strstr(server.head, "X-Key: abc\r\n"));
    assert_non_null(strstr(server.head, "Content-Type: application/x-ndjson\r\n"));
    if (!test_sink(&w, "hook", 3000, text, sizeof(text)))
        fail_msg("%s", text);
    assert_null(strstr(text, "secret"));
    stop_sinks(&w, 2000);
    stop_server(&server);
    assert_int_equal(server.events_most, 100);
    assert_int_equal(server.seen.tests, 1);
    assert_false(server.seen.is_disordered);
    end_world(&w);
}

/* Records that are refused are left out, each alone, and counted; all others arrive. */
static void test_refused(void **state)
{
    struct world w;
    struct ft_sink_notice notice;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 100);
    start_server(&server);
    atomic_store(&server.poisoned, 42);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','batch':20,"
                "'linger_ms':0}]",
                server.port);
    WAIT_FOR(seen_count(&server.seen) == 99);
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_int_equal(stats_of(&w).refused, 1);
    assert_int_equal(stats_of(&w).sent, 99);
    assert_int_equal(stats_of(&w).failed, 0);
    assert_int_equal(server.seen.times[42], 0);
    assert_true(ft_sinks_next_notice(w.sinks, &notice));
    assert_int_equal(notice.kind, FT_SINK_NOTICE_REFUSED);
    assert_string_equal(ft_sink_notice_name(notice.kind), "sink_refused");
    assert_non_null(strstr(notice.text, "HTTP 400: why?"));
    end_world(&w);
    stop_server(&server);
}

static void test_packed(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 500);
    start_server(&server);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','gzip':true,"
                "'batch':100,'linger_ms':50,'headers':{'content-type':'text/x-own'}}]",
                server.port);
    WAIT_FOR(seen_count(&server.seen) == 500);
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_non_null(strstr(server.head, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(server.head, "content-type: text/x-own\r\n"));
    assert_null(strstr(server.head, "Content-Type:"));
    assert_true(stats_of(&w).bytes < atomic_load(&server.plain_bytes) / 2); /* as sent */
    /* One that does not take it is misconfigured: nothing is left out. */
    atomic_store(&server.status, 415);
    append_events(&w, 10);
    WAIT_FOR(stats_of(&w).failed >= 1);
    atomic_store(&server.status, 200);
    WAIT_FOR(seen_count(&server.seen) == 510);
    assert_int_equal(stats_of(&w).refused, 0);
    assert_false(server.seen.is_disordered);
    end_world(&w);
    stop_server(&server);
}

/* Who says when it wants to be asked again is asked then, however short the back-off is. */
static void test_retry_after(void **state)
{
    struct world w;
    struct timespec begin, end;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_server(&server);
    atomic_store(&server.status, 429);
    atomic_store(&server.retry_after, 2);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','retry_ms':100,"
                "'linger_ms':0}]",
                server.port);
    append_events(&w, 10);
    WAIT_FOR(atomic_load(&server.requests) == 1);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    atomic_store(&server.status, 200);
    WAIT_FOR(atomic_load(&server.requests) >= 2);
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    assert_in_range(ms, 1800, 3500);
    WAIT_FOR(seen_count(&server.seen) == 10);
    assert_int_equal(stats_of(&w).failed, 1);
    end_world(&w);
    stop_server(&server);
}

/* A server in trouble, one that is overrun, a token that expired: nothing is lost. */
static void test_away(void **state)
{
    static const int statuses[] = {500, 503, 429, 408, 401, 404, 302};
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_server(&server);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','retry_ms':100,"
                "'linger_ms':0}]",
                server.port);
    for (uint32_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        uint64_t failed = stats_of(&w).failed;
        char wanted[32];
        atomic_store(&server.status, statuses[i]);
        append_events(&w, 10);
        WAIT_FOR(stats_of(&w).failed >= failed + 2);
        snprintf(wanted, sizeof(wanted), "HTTP %d", statuses[i]);
        assert_non_null(strstr(stats_of(&w).last_error, wanted));
        atomic_store(&server.status, 200);
        WAIT_FOR(seen_count(&server.seen) == 10 * (i + 1));
    }
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_int_equal(stats_of(&w).refused, 0);
    assert_false(server.seen.is_disordered);
    end_world(&w);
    stop_server(&server);
}

/* What the incumbent's "webhook extended" has. */
static void test_extended(void **state)
{
    static const char *const members[] = {
        "\"sensorName\"",
        "\"siteName\"",
        "\"handled\"",
        "\"additionalInformation\"",
    };
    struct world w;
    (void)state;
    begin_world(&w);
    w.options.sensor.site = "Plant 1";
    open_journal(&w, 0);
    start_server(&server);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','single':true,"
                "'format':'extended','filter':{'types':['alert']}}]",
                server.port);
    append_events(&w, 8);
    WAIT_FOR(stats_of(&w).lag == 0);
    WAIT_FOR(atomic_load(&server.requests) == 2);
    end_world(&w);
    stop_server(&server);
    assert_int_equal(server.body[0], '{');
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!strstr(server.body, members[i]))
            fail_msg("no %s in %s", members[i], server.body);
}

/* It takes what is sent, and its answer has no end. */
static void *answer_without_end(void *arg)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                      chunk[] = "0008\r\nno end, \r\n";
    char request[65536];
    int fd = accept((int)(intptr_t)arg, NULL, NULL);
    if (fd < 0)
        return NULL;
    if (recv(fd, request, sizeof(request), 0) > 0 &&
        send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) > 0)
        while (send(fd, chunk, sizeof(chunk) - 1, MSG_NOSIGNAL) > 0) {}
    close(fd);
    return NULL;
}

static void test_endless(void **state)
{
    struct world w;
    pthread_t thread;
    uint16_t port = 0;
    int listener = begin_receiver(&thread, answer_without_end, &port);
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 10);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','linger_ms':1,"
                "'timeout_ms':60000}]",
                port);
    pthread_join(thread, NULL); /* long before the time is over */
    WAIT_FOR(stats_of(&w).lag == 0);
    assert_int_equal(stats_of(&w).failed, 0);
    end_world(&w);
    close(listener);
}

/* Connections are taken and nothing is ever answered: behind, and not up. */
static void test_hanging(void **state)
{
    struct world w;
    uint16_t port = 0;
    int listener = listen_on(&port);
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w,
                "[{'name':'hook','kind':'webhook','url':'http://127.0.0.1:%u/','linger_ms':1,"
                "'timeout_ms':60000}]",
                port);
    WAIT_FOR(stats_of(&w).state == FT_SINK_UP);
    append_events(&w, 10);
    assert_int_equal(stats_of(&w).lag, 10);
    nap(500); /* it is in its first request */
    append_events(&w, 200);
    assert_int_equal(stats_of(&w).lag, 210);
    assert_int_equal(stats_of(&w).state, FT_SINK_UP);
    WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
    assert_non_null(strstr(stats_of(&w).last_error, "taken nothing for 5 s"));
    assert_false(ft_sinks_stop(w.sinks, 500));
    assert_int_equal(stats_of(&w).lag, 210);
    end_world(&w);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_packed),  cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_away),    cmocka_unit_test(test_extended),
        cmocka_unit_test(test_hanging), cmocka_unit_test(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
