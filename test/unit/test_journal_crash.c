/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sensor that is killed, again and again, in the middle of writing, packing, removing and
 * recovering: what was said to be synced is there, in order, once; the chain holds; no sequence
 * comes twice; and a reader with a cursor misses nothing and is given nothing twice that it had
 * acknowledged durably.
 *
 * The writing process tells through shared memory what it was told. In half of the runs a power
 * failure is played as well: what was written to a file after its last sync is cut off or garbled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal_folder.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define RUNS  50u
#define FILES 64u

/* Between the processes. */
struct shared {
    uint64_t synced_through;
    uint64_t last_given; /* greatest sequence handed out */
    uint64_t count;      /* records appended with a sequence up to synced_through, or later */
    uint64_t acknowledged;
    uint64_t delivered; /* greatest sequence that the reader got */
    uint32_t faults;    /* of the reader: gaps, disorder */
    uint32_t file_count;
    struct written {
        uint64_t inode;
        uint64_t synced, size; /* durable is up to `synced`, but for what is written anew there: */
        uint64_t dirty_from, dirty_to;
    } files[FILES]; /* written since they were opened: for the power failure */
};

static struct shared *shared;

/* ---- a disk that remembers what it promised ---- */

/* Writer, keeper and reader all write files. */
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: there is no room to note it, so no power failure takes anything of it. What a file has when
 * it is first seen is from before this process, and durable. */
static struct written *written_of(const struct stat *st)
{
    uint32_t i = 0, count = shared->file_count;
    while (i < count && shared->files[i].inode != st->st_ino)
        i++;
    if (i == FILES)
        return NULL;
    if (i == count) {
        shared->files[i] =
            (struct written){st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_size, 0, 0};
        shared->file_count = count + 1;
    }
    return &shared->files[i];
}

/* Before it happens: killed in between, it may have happened. */
static void note_write(struct written *f, uint64_t begin, uint64_t end)
{
    if (begin < f->synced) { /* a cursor, whose two places are written in turn */
        bool is_clean = f->dirty_from == f->dirty_to;
        f->dirty_from = is_clean || begin < f->dirty_from ? begin : f->dirty_from;
        f->dirty_to = is_clean || end > f->dirty_to ? end : f->dirty_to;
    }
    if (end > f->size)
        f->size = end;
}

/* Behind it. */
static void note_sync(struct written *f)
{
    f->dirty_from = f->dirty_to = 0;
    f->synced = f->size;
}

static void note_file(int fd, bool is_sync, uint64_t begin, uint64_t end)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    pthread_mutex_lock(&files_lock);
    struct written *f = written_of(&st);
    if (f && is_sync)
        note_sync(f);
    else if (f)
        note_write(f, begin, end);
    pthread_mutex_unlock(&files_lock);
}

static int disk_open(int at, const char *name, int flags, mode_t mode)
{
    return openat(at, name, flags, mode);
}

static ssize_t disk_write(int fd, const void *data, size_t size, off_t offset)
{
    note_file(fd, false, (uint64_t)offset, (uint64_t)offset + size);
    return pwrite(fd, data, size, offset);
}

/* Some take long, so that it is killed within. */
static int disk_sync(int fd)
{
    if (random() % 8 == 0)
        usleep(10000);
    note_file(fd, true, 0, 0);
    return 0; /* the process dies, not the machine: what is synced is what was noted */
}

static const struct ft_journal_disk disk = {disk_open, disk_write, disk_sync, NULL};

/* ---- the process that is killed ---- */

static struct ft_journal *open_it(const char *folder, const struct ft_journal_disk *with)
{
    char error[256];
    struct ft_journal_options options = {
        .folder = folder, .sensor = "s", .segment_bytes = 60000, .disk = with};
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    if (!j)
        fprintf(stderr, "%s\n", error);
    return j;
}

static void read_some(struct ft_journal_reader *r)
{
    struct ft_journal_item item;
    for (unsigned i = 0; i < 200; i++) {
        ft_journal_reader_next(r, &item, 0);
        if (item.kind != FT_JOURNAL_RECORD && item.kind != FT_JOURNAL_GAP)
            break;
        if (item.kind == FT_JOURNAL_GAP || !is_record_right(&item) ||
            item.sequence <= shared->acknowledged)
            shared->faults++;
        shared->delivered = item.sequence;
    }
    if (shared->delivered)
        ft_journal_reader_ack(r, shared->delivered);
    if (ft_journal_reader_sync(r) && shared->delivered > shared->acknowledged)
        shared->acknowledged = shared->delivered;
}

static void write_until_killed(const char *folder, bool has_power_failure)
{
    char error[256];
    struct ft_journal *j = open_it(folder, has_power_failure ? &disk : NULL);
    struct ft_journal_reader_options options = {.name = "sink"};
    struct ft_journal_reader *r = j ? ft_journal_reader_open(j, &options, error, 256) : NULL;
    struct ft_journal_stats stats;
    if (!r)
        _exit(3);
    for (;;) {
        for (unsigned i = 0; i < 50; i++) {
            shared->last_given = ft_journal_next(j) + 1; /* of the record that follows */
            append_record(j, type_of(shared->last_given));
        }
        read_some(r);
        ft_journal_stats(j, &stats);
        shared->synced_through = stats.synced_through;
        usleep(200);
    }
}

/* ---- what is found ---- */

struct cut {
    uint32_t seed;
};

/* A number up to `most`. */
static uint64_t draw(struct cut *cut, uint64_t most)
{
    cut->seed = cut->seed * 1664525u + 1013904223u;
    return (cut->seed >> 8) % (most + 1);
}

static void put_zeros(const char *path, uint64_t from, uint64_t to)
{
    char zeros[FT_JOURNAL_RECORD_MAX] = {0};
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return;
    if (to - from > sizeof(zeros) || pwrite(fd, zeros, to - from, (off_t)from) < 0)
        abort();
    close(fd);
}

/* What was written behind the last sync is gone in part, and its end may be wrong. */
static void cut_end(const char *path, const struct written *f, uint64_t size, struct cut *cut)
{
    uint64_t kept = draw(cut, size - f->synced);
    if (truncate(path, (off_t)(f->synced + kept)) == 0 && kept)
        put_zeros(path, f->synced + kept - (kept < 64 ? kept : 64), f->synced + kept);
}

static void fail_power(const char *path, const char *name, void *user)
{
    struct stat st;
    (void)name;
    if (stat(path, &st) < 0)
        return;
    for (uint32_t i = 0; i < shared->file_count; i++) {
        const struct written *f = &shared->files[i];
        if (f->inode != st.st_ino)
            continue;
        if ((uint64_t)st.st_size > f->synced)
            cut_end(path, f, (uint64_t)st.st_size, user);
        uint64_t to = f->dirty_to < f->synced ? f->dirty_to : f->synced;
        if (f->dirty_from < to)
            put_zeros(path, f->dirty_from + draw(user, to - f->dirty_from), to);
    }
}

static unsigned wrong; /* findings that must not be */

static void note(void *user, const struct ft_journal_report *report)
{
    (void)user;
    if (report->finding == FT_JOURNAL_FOUND_UNCLEAN || report->finding == FT_JOURNAL_FOUND_TORN)
        return;
    fprintf(stderr, "%s\n", report->text);
    wrong++;
}

/* All that is there, in order, once; returns how many up to `through`. */
static uint64_t count_records(const char *folder, uint64_t through, uint64_t *last)
{
    char error[256];
    struct ft_journal_options options = {.folder = folder, .is_read_only = true};
    struct ft_journal_reader_options all = {0};
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    struct ft_journal_reader *r = ft_journal_reader_open(j, &all, error, sizeof(error));
    struct ft_journal_item item;
    uint64_t count = 0;
    *last = 0;
    for (;;) {
        ft_journal_reader_next(r, &item, 0);
        if (item.kind == FT_JOURNAL_END)
            break;
        if (item.kind == FT_JOURNAL_GAP)
            print_message("%llu of %s %s between %llu and %llu\n", (unsigned long long)item.count,
                          ft_journal_class_name(item.class), ft_journal_gap_name(item.gap),
                          (unsigned long long)item.first_sequence,
                          (unsigned long long)item.last_sequence);
        assert_int_equal(item.kind, FT_JOURNAL_RECORD);
        assert_true(is_record_right(&item));
        assert_true(item.sequence > *last);
        *last = item.sequence;
        count += item.sequence <= through;
    }
    ft_journal_reader_close(r);
    ft_journal_close(j, 0, NULL);
    return count;
}

/* Every other number up to it was given to a record: see write_until_killed(). */
static void check(const char *folder, uint64_t first, uint64_t *known, uint64_t *greatest)
{
    char error[256];
    struct ft_journal_verified sum;
    uint64_t through = shared->synced_through, last;
    uint64_t count = count_records(folder, through, &last);
    if (through >= first) {
        /* Sequences first, first + 2, ... in this run. */
        uint64_t expected = (through - first) / 2 + 1;
        assert_int_equal(count - *known, expected);
    }
    assert_true(last <= shared->last_given);
    assert_true(shared->acknowledged <= last);
    *known = count_records(folder, UINT64_MAX, &last);
    *greatest = shared->last_given;
    assert_true(ft_journal_verify(folder, note, NULL, &sum, error, sizeof(error)));
    assert_int_equal(wrong, 0);
    assert_int_equal(shared->faults, 0);
}

static void run_and_kill(const char *folder, unsigned run)
{
    bool has_power_failure = run % 2;
    shared->file_count = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        write_until_killed(folder, has_power_failure);
    usleep((useconds_t)(1000 + random() % 120000));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    struct cut cut = {.seed = run + 1};
    if (has_power_failure)
        each_file(folder, fail_power, &cut);
}

static void test_crash(void **state)
{
    (void)state;
    char folder[64];
    uint64_t known = 0, greatest = 0;
    make_folder(folder);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    srandom(7);
    for (unsigned run = 0; run < RUNS; run++) {
        struct ft_journal *j = open_it(folder, NULL);
        assert_non_null(j);
        uint64_t first = ft_journal_next(j);
        assert_true(first > greatest);
        /* Another process goes on: this one did not use its number. */
        assert_true(ft_journal_close(j, 5000, NULL));
        shared->synced_through = 0;
        run_and_kill(folder, run);
        check(folder, first + 2, &known, &greatest);
    }
    assert_true(known > 10000 && shared->acknowledged > 1000);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
