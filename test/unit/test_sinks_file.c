/* SPDX-License-Identifier: BSD-3-Clause */
/* The sink `file`, and what all sinks have in common: order, filter, gaps, pace, being killed. */
#include "sinks_world.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct seen seen;

static void read_lines(const char *path)
{
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    char *at = (char *)bytes, *end;
    at[size] = 0;
    for (; (end = memchr(at, '\n', size - (size_t)(at - (char *)bytes))); at = end + 1) {
        *end = 0;
        if (*at != '{' || end[-1] != '}')
            fail_msg("torn line: %s", at);
        see(&seen, at);
    }
    assert_int_equal(at - (char *)bytes, size); /* no tail */
    free(bytes);
}

static void forget(void)
{
    memset(&seen, 0, sizeof(seen));
    pthread_mutex_init(&seen.lock, NULL);
}

/* All files of a sink, oldest first. Returns how many. */
static uint32_t read_all(const struct world *w, const char *name)
{
    char path[128];
    uint32_t found = 0;
    for (int i = 99; i >= 0; i--) {
        snprintf(path, sizeof(path), i ? "%s/%s.%d" : "%s/%s", w->folder, name, i);
        if (access(path, F_OK))
            continue;
        read_lines(path);
        found++;
    }
    return found;
}

static void test_lines(void **state)
{
    struct world w;
    struct stat st;
    char path[128];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 500);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    append_events(&w, 1500);
    WAIT_FOR(stats_of(&w).sent == 2000);
    WAIT_FOR(stats_of(&w).lag == 0);
    struct ft_sink_stats stats = stats_of(&w);
    assert_int_equal(stats.state, FT_SINK_UP);
    assert_int_equal(stats.refused + stats.failed + stats.missed + stats.filtered, 0);
    assert_true(stop_sinks(&w, 2000));
    forget();
    assert_int_equal(read_all(&w, "eve.json"), 1);
    assert_int_equal(seen.count, 2000);
    assert_false(seen.is_disordered);
    snprintf(path, sizeof(path), "%s/eve.json", w.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640 & ~umask(022));
    end_world(&w);
}

static void test_filter(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 800);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json',"
                    "'filter':{'severity':'major','types':['alert']}}]");
    WAIT_FOR(stats_of(&w).lag == 0 && stats_of(&w).sent == 100);
    assert_int_equal(stats_of(&w).filtered, 700);
    stop_sinks(&w, 2000);
    forget();
    read_all(&w, "eve.json");
    assert_int_equal(seen.count, 100);
    for (uint32_t n = 1; n <= 800; n++)
        assert_int_equal(seen.times[n], n % 8 == 0);
    end_world(&w);
}

static void test_rotation(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','max_bytes':65536,'keep':20}]");
    append_events(&w, 3000);
    WAIT_FOR(stats_of(&w).sent == 3000);
    stop_sinks(&w, 2000);
    forget();
    uint32_t files = read_all(&w, "eve.json");
    assert_true(files > 5 && files < 20);
    assert_int_equal(seen.count, 3000);
    assert_false(seen.is_disordered);
    /* those that are too many go */
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','max_bytes':65536,'keep':2}]");
    append_events(&w, 1000);
    WAIT_FOR(stats_of(&w).sent == 1000);
    stop_sinks(&w, 2000);
    char path[128];
    size_t size;
    snprintf(path, sizeof(path), "%s/eve.json.2", w.folder);
    uint8_t *bytes = read_whole(path, &size);
    assert_true(size > 60000 && size <= 65536);
    free(bytes);
    end_world(&w);
}

/* As logrotate does it: the file is moved away, then the sensor is told. */
static void test_reopen(void **state)
{
    struct world w;
    char path[128], away[128];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    append_events(&w, 100);
    WAIT_FOR(stats_of(&w).sent == 100);
    snprintf(path, sizeof(path), "%s/eve.json", w.folder);
    snprintf(away, sizeof(away), "%s/eve.json.1", w.folder);
    assert_int_equal(rename(path, away), 0);
    ft_sinks_reopen(w.sinks);
    WAIT_FOR(access(path, F_OK) == 0);
    append_events(&w, 100);
    WAIT_FOR(stats_of(&w).sent == 200);
    stop_sinks(&w, 2000);
    forget();
    read_lines(away);
    assert_int_equal(seen.count, 100);
    read_lines(path);
    assert_int_equal(seen.count, 200);
    end_world(&w);
}

/* Another process has the file: nothing is written to it, and all of it later. */
static void test_lock(void **state)
{
    struct world w;
    char path[128];
    struct stat st;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    snprintf(path, sizeof(path), "%s/eve.json", w.folder);
    int other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    append_events(&w, 100);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','max_bytes':65536,"
                    "'retry_ms':250}]");
    WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
    assert_true(strstr(stats_of(&w).last_error, "another process") != NULL);
    assert_int_equal(fstat(other, &st), 0);
    assert_int_equal(st.st_size, 0);
    close(other);
    WAIT_FOR(stats_of(&w).sent == 100);
    for (int i = 0; i < 3; i++) { /* as it is; turned over by size; opened again */
        other = open(path, O_RDWR | O_CLOEXEC);
        assert_true(flock(other, LOCK_EX | LOCK_NB) < 0);
        close(other);
        append_events(&w, 500);
        WAIT_FOR(stats_of(&w).sent == 600 + 500 * (unsigned)i);
        if (i)
            ft_sinks_reopen(w.sinks);
    }
    stop_sinks(&w, 2000);
    forget();
    assert_true(read_all(&w, "eve.json") > 1);
    assert_int_equal(seen.count, 1600);
    other = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
    end_world(&w);
}

/* A sensor that was killed behind writing and before acknowledging, with half a line behind. */
static void test_tail(void **state)
{
    struct world w;
    char path[128], line[512];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 100);
    snprintf(path, sizeof(path), "%s/eve.json", w.folder);
    FILE *f = fopen(path, "w");
    for (int i = 1; i <= 40; i++)
        fprintf(f,
                "{\"timestamp\":\"2026-01-31T10:20:30.000000+0000\",\"event_type\":\"modbus\","
                "\"fieldtap\":{\"event_uid\":\"line3-%d\"}}\n",
                i);
    snprintf(line, sizeof(line), "{\"timestamp\":\"2026-01-31T10:2");
    fputs(line, f);
    fclose(f);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    WAIT_FOR(stats_of(&w).sent == 60 && stats_of(&w).lag == 0);
    stop_sinks(&w, 2000);
    forget();
    read_all(&w, "eve.json");
    assert_int_equal(seen.count, 100);
    for (uint32_t n = 1; n <= 100; n++)
        assert_int_equal(seen.times[n], 1);
    end_world(&w);
}

/* Down, told once, and back without losing anything. */
static void test_outage(void **state)
{
    struct world w;
    struct ft_sink_notice notice;
    char path[128], text[256];
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'sub/eve.json','retry_ms':300}]");
    append_events(&w, 100);
    WAIT_FOR(stats_of(&w).state == FT_SINK_DOWN);
    assert_true(strstr(stats_of(&w).last_error, "No such file") != NULL);
    WAIT_FOR(stats_of(&w).lag == 100);
    assert_true(ft_sinks_next_notice(w.sinks, &notice));
    assert_int_equal(notice.kind, FT_SINK_NOTICE_DOWN);
    assert_string_equal(ft_sink_notice_name(notice.kind), "sink_down");
    assert_false(ft_sinks_next_notice(w.sinks, &notice));
    assert_false(test_sink(&w, "eve", 2000, text, sizeof(text)));
    assert_false(test_sink(&w, "other", 2000, text, sizeof(text)));
    snprintf(path, sizeof(path), "%s/sub", w.folder);
    assert_int_equal(mkdir(path, 0755), 0);
    WAIT_FOR(stats_of(&w).sent == 100 && stats_of(&w).state == FT_SINK_UP);
    assert_true(ft_sinks_next_notice(w.sinks, &notice));
    assert_int_equal(notice.kind, FT_SINK_NOTICE_UP);
    if (!test_sink(&w, "eve", 2000, text, sizeof(text)))
        fail_msg("%s", text);
    stop_sinks(&w, 2000);
    forget();
    read_all(&w, "sub/eve.json");
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.tests, 1);
    remove_folder(path);
    end_world(&w);
}

/* Events that cannot be compressed away. */
static void append_noise(struct world *w, uint32_t count)
{
    char line[4096];
    uint64_t x = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = ft_journal_next(w->journal);
        int length = snprintf(line, sizeof(line),
                              "{\"event_type\":\"modbus\",\"fieldtap\":{\"event_uid\":"
                              "\"line3-%llu\"},\"noise\":\"",
                              (unsigned long long)n);
        while (length < 4000) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            line[length++] = (char)('0' + (x >> 60) * 5);
            line[length - 1] = line[length - 1] == '\\' ? 'z' : line[length - 1];
        }
        memcpy(line + length, "\"}", 2);
        ft_journal_append(w->journal, FT_JOURNAL_TYPE_TRANSACTION, n, 4, n * 1000, line,
                          (uint32_t)length + 2);
        if (i % 500 == 0)
            ft_journal_flush(w->journal, 5000);
    }
    assert_true(ft_journal_flush(w->journal, 5000));
}

/* What the journal had to remove before a sink came back, the receiver is told. */
static void test_gap(void **state)
{
    struct world w;
    struct ft_journal_stats stats;
    struct ft_sink_notice notice;
    (void)state;
    begin_world(&w);
    open_journal(&w, 3u << 20);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    append_events(&w, 50);
    WAIT_FOR(stats_of(&w).sent == 50);
    assert_true(stop_sinks(&w, 2000));
    append_noise(&w, 4000);
    ft_journal_stats(w.journal, &stats);
    for (int i = 0; i < 500 && !stats.classes[FT_JOURNAL_TRANSACTION].removed; i++) {
        nap(10);
        ft_journal_stats(w.journal, &stats);
    }
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].removed > 0);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    WAIT_FOR(stats_of(&w).lag == 0 && stats_of(&w).sent > 0);
    struct ft_sink_stats sink = stats_of(&w);
    assert_true(sink.missed > 0);
    assert_true(ft_sinks_next_notice(w.sinks, &notice));
    assert_int_equal(notice.kind, FT_SINK_NOTICE_MISSED);
    assert_string_equal(ft_sink_notice_name(notice.kind), "sink_missed");
    assert_int_equal(notice.count, sink.missed);
    stop_sinks(&w, 2000);
    forget();
    read_all(&w, "eve.json");
    assert_true(seen.gaps > 0);
    assert_int_equal(seen.missed, sink.missed);
    assert_int_equal(seen.count + seen.missed, 4050); /* all is there, or told */
    end_world(&w);
}

static void test_pace(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 600);
    uint64_t begin = now_ms();
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','max_rate':500}]");
    WAIT_FOR(stats_of(&w).sent == 600);
    uint64_t took = now_ms() - begin;
    if (took < 900 || took > 4000)
        fail_msg("600 records at 500 a second took %llu ms", (unsigned long long)took);
    end_world(&w);
}

static void test_newest(void **state)
{
    struct world w;
    (void)state;
    begin_world(&w);
    open_journal(&w, 0);
    append_events(&w, 100);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','start':'newest'}]");
    append_events(&w, 10);
    WAIT_FOR(stats_of(&w).sent == 10);
    stop_sinks(&w, 1000);
    append_events(&w, 10); /* a second start is no first one */
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json','start':'newest'}]");
    WAIT_FOR(stats_of(&w).sent == 10);
    stop_sinks(&w, 1000);
    forget();
    read_all(&w, "eve.json");
    assert_int_equal(seen.count, 20);
    end_world(&w);
}

/* ---- kill -9 ---- */

#define KILLS 20u

/* A sensor in a process of its own; it writes until it is killed. `written` is shared with who
 * kills it. */
static void be_killed(struct world *w, atomic_uint *written)
{
    open_journal(w, 0);
    start_sinks(w, "[{'name':'eve','kind':'file','path':'eve.json','max_bytes':300000,"
                   "'keep':90,'batch':50}]");
    for (;;) {
        for (int i = 0; i < 100; i++)
            append_event(w);
        atomic_fetch_add(written, 100);
        nap(2);
    }
}

static void test_killed(void **state)
{
    struct world w;
    uint32_t doubles = 0;
    atomic_uint *written =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)state;
    begin_world(&w);
    for (uint32_t i = 0; i < KILLS; i++) {
        uint32_t before = atomic_load(written);
        pid_t child = fork();
        if (!child) {
            be_killed(&w, written);
            _exit(1);
        }
        WAIT_FOR(atomic_load(written) > before);
        nap(10 + i * 13 % 70);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    open_journal(&w, 0);
    start_sinks(&w, "[{'name':'eve','kind':'file','path':'eve.json'}]");
    nap(100);
    WAIT_FOR(stats_of(&w).lag == 0 && stats_of(&w).state == FT_SINK_UP);
    stop_sinks(&w, 3000);
    forget();
    read_all(&w, "eve.json");
    assert_false(seen.is_disordered);
    /* all that the journal has is there */
    struct ft_journal_item item;
    struct ft_journal_reader_options o = {.name = NULL};
    char error[128];
    struct ft_journal_reader *r = ft_journal_reader_open(w.journal, &o, error, sizeof(error));
    uint32_t records = 0;
    for (;;) {
        ft_journal_reader_next(r, &item, 100);
        if (item.kind == FT_JOURNAL_NOTHING)
            break;
        if (item.kind != FT_JOURNAL_RECORD || item.sequence >= SEEN_MAX)
            continue;
        records++;
        if (!seen.times[item.sequence])
            fail_msg("%llu is lost", (unsigned long long)item.sequence);
        doubles += seen.times[item.sequence] - 1u;
    }
    ft_journal_reader_close(r);
    if (records < 10 * KILLS)
        fail_msg("%u records, %u seen", records, seen.count);
    assert_int_equal(seen.count, records);
    assert_int_equal(doubles, 0);
    munmap(written, 4096);
    end_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_filter),
        cmocka_unit_test(test_rotation), cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_lock),     cmocka_unit_test(test_tail),
        cmocka_unit_test(test_outage),   cmocka_unit_test(test_gap),
        cmocka_unit_test(test_pace),     cmocka_unit_test(test_newest),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
