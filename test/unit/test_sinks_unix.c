/* SPDX-License-Identifier: BSD-3-Clause */
/* The sinks of sockets on this machine: streams that programs connect to, and datagrams. */
#include "sinks_world.h"

#include <sys/stat.h>
#include <sys/un.h>

static struct seen seen;

static void forget(void)
{
    memset(&seen, 0, sizeof(seen));
    pthread_mutex_init(&seen.lock, NULL);
}

static int connect_to(const struct world *w, const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 3};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", w->folder, name);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until `count` events were seen, or nothing comes. */
static void read_until(int fd, uint32_t count)
{
    static char room[65536 + 1];
    size_t used = 0;
    while (seen.count < count) {
        ssize_t n = recv(fd, room + used, 65536 - used, 0);
        if (n <= 0)
            return;
        used += (size_t)n;
        room[used] = 0;
        char *at = room, *end;
        for (; (end = memchr(at, '\n', used - (size_t)(at - room))); at = end + 1) {
            *end = 0;
            assert_int_equal(*at, '{');
            assert_int_equal(end[-1], '}');
            see(&seen, at);
        }
        used -= (size_t)(at - room);
        memmove(room, at, used);
    }
}

static void test_stream(void **state)
{
    struct world w;
    struct stat st;
    char path[128], text[256];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 300);
    start_sinks(&w, "[{'name':'live','kind':'unix_stream','path':'live.sock','mode':'0600'}]");
    snprintf(path, sizeof(path), "%s/live.sock", w.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(test_sink(&w, "live", 2000, text, sizeof(text)));
    /* live: what comes from now on */
    int live = connect_to(&w, "live.sock");
    WAIT_FOR(stats_of(&w).readers == 1);
    append_events(&w, 200);
    forget();
    read_until(live, 200);
    assert_int_equal(seen.count, 200);
    assert_int_equal(seen.times[300], 0);
    assert_int_equal(seen.times[301], 1);
    assert_false(seen.is_disordered);
    assert_true(test_sink(&w, "live", 2000, text, sizeof(text)));
    /* from a number */
    int from = connect_to(&w, "live.sock");
    say(from, "{\"from\":251}\n");
    forget();
    read_until(from, 250);
    assert_int_equal(seen.count, 250);
    assert_int_equal(seen.times[250], 0);
    assert_int_equal(seen.times[251], 1);
    /* nonsense */
    int strange = connect_to(&w, "live.sock");
    say(strange, "GET / HTTP/1.0\n");
    assert_true(recv(strange, text, sizeof(text), 0) <= 0);
    close(strange);
    close(from);
    WAIT_FOR(stats_of(&w).readers == 1);
    stop_sinks(&w, 1000);
    assert_int_not_equal(access(path, F_OK), 0);
    close(live);
    end_world(&w);
}

static void test_slow_reader(void **state)
{
    struct world w;
    struct ft_sink_notice notice;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'live','kind':'unix_stream','path':'live.sock','slow_ms':300}]");
    int slow = connect_to(&w, "live.sock"), fast = connect_to(&w, "live.sock");
    WAIT_FOR(stats_of(&w).readers == 2);
    append_events(&w, 5000);
    forget();
    read_until(fast, 5000);
    assert_int_equal(seen.count, 5000);
    WAIT_FOR(stats_of(&w).dropped == 1);
    assert_int_equal(stats_of(&w).readers, 1);
    assert_true(ft_sinks_next_notice(w.sinks, &notice));
    assert_int_equal(notice.kind, FT_SINK_NOTICE_DROPPED);
    append_events(&w, 100);
    read_until(fast, 5100);
    assert_int_equal(seen.count, 5100);
    close(slow);
    close(fast);
    end_world(&w);
}

static void test_many_readers(void **state)
{
    struct world w;
    char byte;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'live','kind':'unix_stream','path':'live.sock','readers':2}]");
    int a = connect_to(&w, "live.sock"), b = connect_to(&w, "live.sock");
    WAIT_FOR(stats_of(&w).readers == 2);
    int c = connect_to(&w, "live.sock");
    assert_int_equal(recv(c, &byte, 1, 0), 0);
    close(a);
    close(b);
    close(c);
    end_world(&w);
}

/* What a killed sensor left behind is replaced, what others use is not. */
static void test_left_behind(void **state)
{
    struct world w;
    char path[128], error[512];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    snprintf(path, sizeof(path), "%s/live.sock", w.folder);
    memcpy(at.sun_path, path, sizeof(at.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    const char *live = "[{'name':'live','kind':'unix_stream','path':'live.sock'}]";
    assert_true(configure(&w, live, error, sizeof(error)));
    assert_false(ft_sinks_start(w.sinks, w.journal, error, sizeof(error)));
    assert_non_null(strstr(error, "somebody listens there already"));
    close(fd);
    assert_true(ft_sinks_start(w.sinks, w.journal, error, sizeof(error)));
    end_world(&w);
}

/* ---- datagrams ---- */

static int bind_datagram(const struct world *w)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 3};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/d.sock", w->folder);
    unlink(at.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void receive_until(int fd, uint32_t count)
{
    static char room[65536 + 1];
    ssize_t n;
    while (seen.count < count && (n = recv(fd, room, 65536, 0)) > 0) {
        room[n] = 0;
        see(&seen, room);
    }
}

static void test_datagram(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 300);
    int fd = bind_datagram(&w);
    start_sinks(&w, "[{'name':'d','kind':'unix_datagram','path':'d.sock','retry_ms':100}]");
    forget();
    receive_until(fd, 300);
    assert_int_equal(seen.count, 300);
    WAIT_FOR(stats_of(&w).lag == 0);
    /* a receiver that ends with datagrams unread: the next one gets them */
    append_events(&w, 5);
    nap(50);
    close(fd);
    WAIT_FOR(stats_of(&w).failed > 0);
    fd = bind_datagram(&w);
    append_events(&w, 5);
    receive_until(fd, 310);
    assert_int_equal(seen.count, 310);
    assert_false(seen.is_disordered);
    WAIT_FOR(stats_of(&w).lag == 0);
    close(fd);
    end_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),       cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_many_readers), cmocka_unit_test(test_left_behind),
        cmocka_unit_test(test_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
