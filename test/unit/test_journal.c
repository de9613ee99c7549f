/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the journal: what was synced is read, once and in order, whatever became of the disk;
 * and what is missing is told to the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal/format.h"
#include "journal_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <zstd.h>

static char folder[64], other[64], error[256];

static int begin(void **state)
{
    (void)state;
    make_folder(folder);
    make_folder(other);
    error[0] = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    remove_folder(folder);
    remove_folder(other);
    return 0;
}

/* ---- a disk that does what it is told ---- */

static atomic_int write_error, sync_error, open_error, read_error;
static atomic_int bad_page = -1; /* of every file; cannot be read, ever */
static atomic_bool packs_nothing;
static atomic_bool is_hanging, is_packing_slowly;
static atomic_int hanging, packing;

static int disk_open(int at, const char *name, int flags, mode_t mode)
{
    bool is_packing = strstr(name, ".ftj.new");
    if (open_error || (packs_nothing && is_packing)) {
        errno = open_error ? open_error : EACCES;
        return -1;
    }
    packing += is_packing;
    while (is_packing && is_packing_slowly)
        usleep(500);
    packing -= is_packing;
    return openat(at, name, flags, mode);
}

static ssize_t disk_write(int fd, const void *data, size_t size, off_t offset)
{
    hanging++;
    while (is_hanging)
        usleep(500);
    hanging--;
    if (write_error) {
        errno = write_error;
        return size > 100 ? pwrite(fd, data, size / 3, offset) : -1;
    }
    return pwrite(fd, data, size, offset);
}

static int disk_sync(int fd)
{
    if (sync_error) {
        errno = sync_error;
        return -1;
    }
    return fdatasync(fd);
}

static ssize_t disk_read(int fd, void *data, size_t size, off_t offset)
{
    off_t bad = (off_t)bad_page * 4096;
    if (read_error || (bad >= 0 && offset < bad + 4096 && offset + (off_t)size > bad)) {
        errno = EIO;
        return -1;
    }
    return pread(fd, data, size, offset);
}

static const struct ft_journal_disk disk = {disk_open, disk_write, disk_sync, disk_read};

/* ---- opening and reading ---- */

static struct {
    unsigned count[8];
    char last[8][256];
} told;

static void note(void *user, const struct ft_journal_report *report)
{
    (void)user;
    told.count[report->finding]++;
    snprintf(told.last[report->finding], 256, "%s", report->text);
}

static struct ft_journal_options options_for(const char *path)
{
    memset(&told, 0, sizeof(told));
    return (struct ft_journal_options){
        .folder = path, .sensor = "s1", .report = note, .disk = &disk};
}

static struct ft_journal *open_at(const char *path)
{
    struct ft_journal_options options = options_for(path);
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    if (!j)
        print_message("%s\n", error);
    assert_non_null(j);
    return j;
}

static struct ft_journal *open_to_read(const char *path)
{
    struct ft_journal_options options = options_for(path);
    options.is_read_only = true;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    assert_non_null(j);
    return j;
}

static struct ft_journal_reader *open_reader(struct ft_journal *j, const char *name)
{
    struct ft_journal_reader_options options = {.name = name};
    struct ft_journal_reader *r = ft_journal_reader_open(j, &options, error, sizeof(error));
    assert_non_null(r);
    return r;
}

/* What a reader got until there was nothing more. */
struct got {
    uint64_t records, skipped, gaps, first, last;
    uint64_t reasons[4];
    bool is_right, is_in_order;
};

static struct got read_all(struct ft_journal_reader *r, uint32_t timeout_ms)
{
    struct got got = {.is_right = true, .is_in_order = true};
    struct ft_journal_item item;
    for (;;) {
        ft_journal_reader_next(r, &item, timeout_ms);
        if (item.kind == FT_JOURNAL_NOTHING || item.kind == FT_JOURNAL_END)
            return got;
        if (item.kind == FT_JOURNAL_GAP) {
            got.gaps++;
            got.skipped += item.count;
            got.reasons[item.gap] += item.count;
            got.is_in_order &= item.count > 0 && item.first_sequence <= item.last_sequence;
            continue;
        }
        got.records++;
        got.is_right &= is_record_right(&item) && item.class == ft_journal_class_of(item.type);
        got.is_in_order &= item.sequence > got.last;
        got.first = got.first ? got.first : item.sequence;
        got.last = item.sequence;
    }
}

static struct got read_folder(const char *path)
{
    struct ft_journal *j = open_to_read(path);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct got got = read_all(r, 0);
    ft_journal_reader_close(r);
    ft_journal_close(j, 0, NULL);
    return got;
}

static void append_many(struct ft_journal *j, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_true(append_record(j, type_of(ft_journal_next(j) + 1)));
}

static void flush(struct ft_journal *j)
{
    assert_true(ft_journal_flush(j, 10000));
}

static uint64_t findings(const char *path)
{
    struct ft_journal_verified sum;
    memset(&told, 0, sizeof(told));
    assert_true(ft_journal_verify(path, note, NULL, &sum, error, sizeof(error)));
    return sum.findings;
}

/* ---- the file that a test is about ---- */

struct file {
    char path[512], name[256];
    uint8_t *bytes;
    size_t size;
    const char *wanted;
    unsigned skip;
};

static void find_visited(const char *path, const char *name, void *user)
{
    struct file *f = user;
    if (strncmp(name, f->wanted, strlen(f->wanted)) || !strstr(name, ".ftj"))
        return;
    if (f->name[0] && strcmp(name, f->name) > 0)
        return;
    snprintf(f->path, sizeof(f->path), "%s", path);
    snprintf(f->name, sizeof(f->name), "%s", name);
}

/* The oldest segment of a class. */
static struct file load_file(const char *path, const char *class)
{
    struct file f = {.wanted = class};
    each_file(path, find_visited, &f);
    assert_true(f.name[0]);
    f.bytes = read_whole(f.path, &f.size);
    return f;
}

static unsigned count_files(const char *path, const char *start)
{
    unsigned count = 0;
    DIR *d = opendir(path);
    struct dirent *e;
    while ((e = readdir(d)))
        count += !strncmp(e->d_name, start, strlen(start));
    closedir(d);
    return count;
}

static void wait_packed(struct ft_journal *j, uint64_t wanted)
{
    struct ft_journal_stats stats = {0};
    for (unsigned i = 0; i < 5000 && stats.compressed < wanted; i++) {
        usleep(1000);
        ft_journal_stats(j, &stats);
    }
    assert_true(stats.compressed >= wanted);
}

/* ---- what is written is read ---- */

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(ft_journal_type_of("alert"), FT_JOURNAL_TYPE_ALERT);
    assert_int_equal(ft_journal_type_of("modbus"), FT_JOURNAL_TYPE_TRANSACTION);
    assert_int_equal(ft_journal_type_of("stats"), FT_JOURNAL_TYPE_STATS);
    assert_int_equal(ft_journal_class_of(FT_JOURNAL_TYPE_HEALTH), FT_JOURNAL_ALERT);
    assert_int_equal(ft_journal_class_of(FT_JOURNAL_TYPE_ASSET), FT_JOURNAL_INVENTORY);
    assert_int_equal(ft_journal_class_of(FT_JOURNAL_TYPE_STATS), FT_JOURNAL_FLOW);
    assert_string_equal(ft_journal_class_name(FT_JOURNAL_INVENTORY), "inventory");
}

static void test_write_and_read(void **state)
{
    (void)state;
    struct ft_journal_stats stats;
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, NULL);
    assert_int_equal(ft_journal_next(j), 1);
    append_many(j, 1000);
    flush(j);
    struct got got = read_all(r, 0);
    assert_int_equal(got.records, 1000);
    assert_int_equal(got.gaps, 0);
    assert_true(got.is_right && got.is_in_order);
    ft_journal_stats(j, &stats);
    assert_int_equal(stats.next_sequence, 2002);
    assert_int_equal(stats.synced_through, 2001);
    assert_int_equal(stats.readers, 1);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, &stats));
    uint64_t synced = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        synced += stats.classes[c].synced;
    assert_int_equal(synced, 1000);
    assert_int_equal(findings(folder), 0);

    j = open_at(folder);
    assert_int_equal(told.count[FT_JOURNAL_FOUND_UNCLEAN], 0);
    assert_int_equal(ft_journal_next(j), 2002);
    append_many(j, 100);
    assert_true(ft_journal_close(j, 5000, NULL));
    got = read_folder(folder);
    assert_int_equal(got.records, 1100);
    assert_int_equal(got.gaps, 0);
    assert_true(got.is_right && got.is_in_order);
}

/* Closed segments are packed, what any tool of Zstandard unpacks is the records. */
static void test_packed(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    options.segment_bytes = 200000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    for (unsigned i = 0; i < 6000; i++)
        append_record(j, FT_JOURNAL_TYPE_FLOW);
    flush(j);
    wait_packed(j, 2);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct got got = read_all(r, 0);
    ft_journal_reader_close(r);
    assert_int_equal(got.records, 6000);
    assert_true(got.is_right && got.is_in_order);
    assert_true(ft_journal_close(j, 5000, NULL));
    assert_int_equal(findings(folder), 0);

    struct file f = load_file(folder, "flow");
    struct ft_journal_record record;
    uint8_t *plain = malloc(1 << 20);
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {f.bytes, f.size, 0};
    ZSTD_outBuffer out = {plain, 1 << 20, 0};
    while (in.pos < in.size)
        assert_false(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
    assert_true(f.size < 110000 && out.pos > 150000);
    assert_true(ft_journal_get_record(plain, &record) && record.sequence == 1);
    ZSTD_freeDCtx(context);
    free(plain);
    free(f.bytes);
}

static void test_options(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    struct ft_journal *j = open_at(folder);
    assert_null(ft_journal_open(&options, error, sizeof(error)));
    assert_non_null(strstr(error, "in use by another sensor"));
    struct ft_journal_reader_options reader = {.name = "a/b"};
    assert_null(ft_journal_reader_open(j, &reader, error, sizeof(error)));
    reader.name = "";
    assert_null(ft_journal_reader_open(j, &reader, error, sizeof(error)));
    struct ft_journal_reader *r = open_reader(j, "siem");
    reader.name = "siem";
    assert_null(ft_journal_reader_open(j, &reader, error, sizeof(error)));
    assert_non_null(strstr(error, "already"));
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
    options.folder = "/nowhere/at/all";
    assert_null(ft_journal_open(&options, error, sizeof(error)));
    assert_non_null(strstr(error, "/nowhere/at/all"));
    options.folder = folder;
    options.limits[FT_JOURNAL_FLOW].max_bytes = 1000;
    assert_null(ft_journal_open(&options, error, sizeof(error)));
    assert_non_null(strstr(error, "flow"));
    options = options_for(folder);
    options.memory_bytes = 1000;
    assert_null(ft_journal_open(&options, error, sizeof(error)));
    options = options_for(folder);
    options.sensor = "a name that is far too long for what a segment's header has room for";
    assert_null(ft_journal_open(&options, error, sizeof(error)));
}

static void test_refused(void **state)
{
    (void)state;
    static char big[FT_JOURNAL_RECORD_MAX + 1];
    struct ft_journal_stats stats;
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct ft_journal_item item;
    uint64_t s = ft_journal_next(j);
    assert_true(ft_journal_append(j, FT_JOURNAL_TYPE_ALERT, s, 9, 1, big, FT_JOURNAL_RECORD_MAX));
    assert_false(ft_journal_append(j, FT_JOURNAL_TYPE_ALERT, s, 1, 1, big, 1));
    s = ft_journal_next(j);
    assert_false(ft_journal_append(j, FT_JOURNAL_TYPE_ALERT, s, 1, 1, big, sizeof(big)));
    s = ft_journal_next(j);
    assert_true(ft_journal_append(j, FT_JOURNAL_TYPE_ALERT, s, 1, 1, big, 0));
    flush(j);
    ft_journal_reader_next(r, &item, 1000);
    assert_int_equal(item.length, FT_JOURNAL_RECORD_MAX);
    assert_int_equal(item.severity, 4);
    ft_journal_reader_next(r, &item, 1000);
    assert_int_equal(item.kind, FT_JOURNAL_GAP);
    assert_int_equal(item.count, 2);
    assert_int_equal(item.gap, FT_JOURNAL_GAP_GIVEN_UP);
    ft_journal_reader_next(r, &item, 1000);
    assert_int_equal(item.kind, FT_JOURNAL_RECORD);
    assert_int_equal(item.sequence, 3);
    assert_int_equal(item.length, 0);
    ft_journal_stats(j, &stats);
    assert_int_equal(stats.classes[0].given_up[FT_JOURNAL_LOSS_INVALID], 2);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
}

/* ---- readers ---- */

static void test_cursor(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, "siem");
    struct ft_journal_item item;
    append_many(j, 100);
    flush(j);
    for (unsigned i = 0; i < 40; i++)
        ft_journal_reader_next(r, &item, 0);
    ft_journal_reader_ack(r, item.sequence);
    uint64_t acknowledged = item.sequence;
    for (unsigned i = 0; i < 20; i++)
        ft_journal_reader_next(r, &item, 0);
    assert_true(ft_journal_reader_sync(r));
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);

    j = open_at(folder);
    r = open_reader(j, "siem");
    struct ft_journal_reader_status status = ft_journal_reader_status(r);
    assert_int_equal(status.cursor, FT_JOURNAL_CURSOR_RESUMED);
    assert_int_equal(status.acknowledged, acknowledged);
    assert_true(status.lag > 0);
    struct got got = read_all(r, 0);
    assert_int_equal(got.records, 60);
    assert_int_equal(got.gaps, 0);
    ft_journal_reader_ack(r, got.last);
    ft_journal_reader_close(r);

    char path[128];
    snprintf(path, sizeof(path), "%s/cursor-siem", folder);
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    assert_true(size >= FT_JOURNAL_SECTOR + FT_JOURNAL_POSITION);
    /* The newest generation is the third, one was written when the reader was new: with it damaged
     * some come twice, with both all do. */
    bytes[20] ^= 1;
    write_whole(path, bytes, size);
    r = open_reader(j, "siem");
    assert_int_equal(ft_journal_reader_status(r).cursor, FT_JOURNAL_CURSOR_OLDER);
    assert_int_equal(read_all(r, 0).records, 60);
    ft_journal_reader_close(r);
    bytes[FT_JOURNAL_SECTOR + 20] ^= 1;
    write_whole(path, bytes, size);
    r = open_reader(j, "siem");
    assert_int_equal(ft_journal_reader_status(r).cursor, FT_JOURNAL_CURSOR_DAMAGED);
    assert_int_equal(read_all(r, 0).records, 100);
    ft_journal_reader_ack(r, 60);
    ft_journal_reader_close(r);
    r = open_reader(j, "siem");
    assert_int_equal(ft_journal_reader_status(r).acknowledged, 60);
    ft_journal_reader_close(r);
    free(bytes);
    ft_journal_close(j, 1000, NULL);
}

static void remove_segment(const char *path, const char *name, void *user)
{
    (void)user;
    if (strstr(name, ".ftj"))
        unlink(path);
}

/* A reader that has acknowledged nothing yet has a place all the same: what the journal held when
 * it was made and what came since is given or told, also behind a restart and in a folder made
 * anew.
 */
static void test_new_reader_misses(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    append_many(j, 100);
    flush(j);
    struct ft_journal_reader *r = open_reader(j, "new"), *nameless = open_reader(j, NULL);
    struct ft_journal_reader_status status = ft_journal_reader_status(nameless);
    each_file(folder, remove_segment, NULL);
    append_many(j, 50);
    flush(j);
    struct got got = read_all(r, 0);
    assert_int_equal(got.records + got.skipped, 150);
    assert_int_equal(got.reasons[FT_JOURNAL_GAP_MISSING], got.skipped);
    assert_in_range(got.skipped, 100, 150);
    ft_journal_reader_close(r);
    ft_journal_reader_close(nameless);
    /* A place that was kept elsewhere. */
    struct ft_journal_reader_options options = {.start = FT_JOURNAL_START_SEQUENCE,
                                                .start_sequence = status.acknowledged + 1};
    memcpy(options.start_numbers, status.numbers, sizeof(status.numbers));
    r = ft_journal_reader_open(j, &options, error, sizeof(error));
    assert_int_equal(read_all(r, 0).skipped, got.skipped);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);

    each_file(folder, remove_segment, NULL);
    j = open_at(folder);
    append_many(j, 50);
    flush(j);
    r = open_reader(j, "new");
    assert_int_equal(ft_journal_reader_status(r).cursor, FT_JOURNAL_CURSOR_RESUMED);
    got = read_all(r, 0);
    assert_int_equal(got.records + got.skipped, 200);
    assert_in_range(got.skipped, 150, 200);
    ft_journal_reader_close(r);
    /* One that is made now is entitled to what is there now. */
    r = open_reader(j, "newer");
    assert_int_equal(read_all(r, 0).skipped, 0);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
}

static void test_starts(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    append_many(j, 100);
    flush(j);
    struct ft_journal_reader_options options = {.name = "new", .start = FT_JOURNAL_START_NEWEST};
    struct ft_journal_reader *r = ft_journal_reader_open(j, &options, error, sizeof(error));
    assert_int_equal(read_all(r, 0).records, 0);
    append_many(j, 10);
    flush(j);
    assert_int_equal(read_all(r, 0).records, 10);
    ft_journal_reader_close(r);
    /* Not acknowledged: the same ten once more, though it began with "newest". */
    r = ft_journal_reader_open(j, &options, error, sizeof(error));
    struct got got = read_all(r, 0);
    assert_int_equal(got.records, 10);
    assert_int_equal(got.gaps, 0);
    ft_journal_reader_close(r);
    options = (struct ft_journal_reader_options){.start = FT_JOURNAL_START_SEQUENCE,
                                                 .start_sequence = 101};
    r = ft_journal_reader_open(j, &options, error, sizeof(error));
    got = read_all(r, 0);
    assert_true(got.first >= 101 && got.is_right);
    assert_int_equal(got.gaps, 0);
    ft_journal_reader_close(r);
    options = (struct ft_journal_reader_options){.classes = 1u << FT_JOURNAL_ALERT};
    r = ft_journal_reader_open(j, &options, error, sizeof(error));
    got = read_all(r, 0);
    assert_true(got.records > 5 && got.records < 50);
    assert_int_equal(got.gaps, 0);
    ft_journal_reader_wake(r);
    assert_int_equal(read_all(r, 60000).records, 0);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
}

struct fast_reader {
    struct ft_journal *journal;
    pthread_t thread;
    uint64_t wanted;
    struct got got;
};

static void *read_in_thread(void *user)
{
    struct fast_reader *f = user;
    struct ft_journal_reader_options options = {0};
    char text[128];
    struct ft_journal_reader *r = ft_journal_reader_open(f->journal, &options, text, sizeof(text));
    f->got = (struct got){.is_right = true, .is_in_order = true};
    for (unsigned idle = 0; r && f->got.records < f->wanted && idle < 50; idle++) {
        struct got got = read_all(r, 200);
        f->got.is_right &= got.is_right;
        f->got.is_in_order &= got.is_in_order && (!got.first || got.first > f->got.last);
        f->got.records += got.records;
        f->got.gaps += got.gaps;
        f->got.last = got.last ? got.last : f->got.last;
        if (got.records)
            idle = 0;
    }
    ft_journal_reader_close(r);
    return NULL;
}

/* Readers in their own threads while segments are written, closed and packed under them. */
static void test_many_readers(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    options.segment_bytes = 100000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    struct fast_reader readers[4];
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct fast_reader){.journal = j, .wanted = 40000};
        pthread_create(&readers[i].thread, NULL, read_in_thread, &readers[i]);
    }
    for (unsigned i = 0; i < 40; i++) {
        append_many(j, 1000);
        usleep(1000);
    }
    flush(j);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].got.records, 40000);
        assert_int_equal(readers[i].got.gaps, 0);
        assert_true(readers[i].got.is_right && readers[i].got.is_in_order);
    }
    assert_true(ft_journal_close(j, 5000, NULL));
    assert_int_equal(findings(folder), 0);
}

/* ---- damage ---- */

/* Ends of records in a plain segment, from the header on. */
static unsigned ends_of(const struct file *f, size_t *ends, unsigned room)
{
    struct ft_journal_record r;
    unsigned count = 0;
    size_t at = FT_JOURNAL_HEADER;
    while (at + FT_JOURNAL_RECORD_HEAD <= f->size && count < room &&
           ft_journal_get_record(f->bytes + at, &r))
        ends[count++] = at += FT_JOURNAL_RECORD_HEAD + r.length;
    return count;
}

/* An open segment cut at every byte of the last records and at every ninth before: what is whole is
 * there, and writing goes on behind it. */
static void test_torn(void **state)
{
    (void)state;
    size_t ends[32];
    struct ft_journal *j = open_at(folder);
    for (unsigned i = 0; i < 5; i++)
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    flush(j);
    struct file f = load_file(folder, "alert");
    assert_int_equal(ends_of(&f, ends, 32), 5);
    copy_folder(folder, other);
    ft_journal_close(j, 1000, NULL);
    struct file state_file = {0};
    char state_path[128], path[700];
    snprintf(state_path, sizeof(state_path), "%s/state", other);
    snprintf(path, sizeof(path), "%s/%s", other, f.name);
    state_file.bytes = read_whole(state_path, &state_file.size);
    for (size_t cut = 0; cut<f.size; cut += cut> FT_JOURNAL_HEADER && cut < ends[2] ? 9 : 1) {
        unsigned whole = 0;
        while (whole < 5 && ends[whole] <= cut)
            whole++;
        empty_folder(other);
        write_whole(state_path, state_file.bytes, state_file.size);
        write_whole(path, f.bytes, cut);
        bool is_at_end = !cut || cut == FT_JOURNAL_HEADER || (whole && ends[whole - 1] == cut);
        struct got got = read_folder(other);
        assert_int_equal(got.records, whole);
        j = open_at(other);
        assert_int_equal(told.count[FT_JOURNAL_FOUND_TORN], !is_at_end);
        assert_int_equal(told.count[FT_JOURNAL_FOUND_UNCLEAN], 1);
        struct ft_journal_reader *r = open_reader(j, NULL);
        got = read_all(r, 0);
        assert_int_equal(got.records, whole);
        assert_true(got.is_right && got.is_in_order);
        assert_true(append_record(j, FT_JOURNAL_TYPE_ALERT));
        flush(j);
        got = read_all(r, 0);
        assert_int_equal(got.records, 1);
        assert_int_equal(got.gaps, 0);
        assert_true(got.first > 5);
        ft_journal_reader_close(r);
        ft_journal_close(j, 1000, NULL);
        assert_int_equal(findings(other), 0);
    }
    free(f.bytes);
    free(state_file.bytes);
}

/* Each byte of the bytes of `f` changed, then the file cut there: `lost` says what that may cost.
 */
static void damage_everywhere(struct file *f, uint64_t all,
                              void (*lost)(const struct file *f, size_t at, uint64_t *before,
                                           uint64_t *behind))
{
    for (size_t at = 0; at < f->size; at++) {
        uint64_t before = 0, behind = 0;
        lost(f, at, &before, &behind);
        f->bytes[at] ^= (uint8_t)(1u << at % 8);
        write_whole(f->path, f->bytes, f->size);
        f->bytes[at] ^= (uint8_t)(1u << at % 8);
        struct got got = read_folder(folder);
        assert_true(got.is_right && got.is_in_order);
        assert_true(got.records >= before + behind);
        /* Records before the first one and behind the last one that are whole are not known of. */
        assert_true(got.records + got.skipped == all || !before || !behind);
        write_whole(f->path, f->bytes, at);
        got = read_folder(folder);
        assert_true(got.is_right && got.is_in_order);
        assert_true(got.records >= before);
    }
    write_whole(f->path, f->bytes, f->size);
}

static void lost_plain(const struct file *f, size_t at, uint64_t *before, uint64_t *behind)
{
    size_t ends[64];
    unsigned count = ends_of(f, ends, 64);
    while (*before < count && ends[*before] <= at)
        ++*before;
    *behind = count - *before;
    if (*behind && at >= FT_JOURNAL_HEADER)
        --*behind;
}

/* A segment as it is while it is written, and one that was closed. */
static void test_flipped_plain(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    for (unsigned i = 0; i < 12; i++)
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    flush(j);
    copy_folder(folder, other);
    packs_nothing = true;
    ft_journal_close(j, 60000, NULL);
    packs_nothing = false;
    for (unsigned is_open = 0; is_open < 2; is_open++) {
        if (is_open)
            copy_folder(other, folder);
        struct file f = load_file(folder, "alert");
        damage_everywhere(&f, 12, lost_plain);
        free(f.bytes);
    }
}

/* Records of a packed segment that may not be lost when the byte `at` is wrong: those of frames
 * before and behind, and those of its own frame whose blocks (RFC 8878, 3.1.1.2) are before it. */
static void lost_packed(const struct file *f, size_t at, uint64_t *before, uint64_t *behind)
{
    size_t offset = FT_JOURNAL_SKIPPABLE + FT_JOURNAL_HEADER;
    struct ft_journal_frame frame;
    while (offset + 56 < f->size && ft_journal_get_frame(f->bytes + offset + 8, &frame)) {
        size_t next = offset + 56 + frame.packed, block = offset + 56 + 6;
        assert_int_equal(f->bytes[offset + 56 + 4], 0x04); /* a checksum, no length */
        for (uint32_t i = 0; i < frame.count; i++) {
            const uint8_t *head = f->bytes + block;
            uint32_t word = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16;
            assert_false(word & 1);
            block += 3 + ((word >> 1 & 3) == 1 ? 1 : word >> 3);
            *before += block <= at;
        }
        assert_int_equal(block + 3 + 4, next); /* an empty block, the checksum */
        if (offset > at)
            *behind += frame.count;
        offset = next;
    }
}

/* One of four is long and packs to almost nothing: a few frames, a small file. */
static uint32_t make_text(char *text, uint64_t sequence)
{
    if (sequence % 4 == 1) {
        memset(text, 'a' + (int)(sequence % 26), 30000);
        return 30000;
    }
    return (uint32_t)sprintf(text, "{\"number\":%" PRIu64 ",\"twice\":%" PRIu64 "}", sequence,
                             2 * sequence);
}

static void test_flipped_packed(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    options.segment_bytes = 400000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    static char text[FT_JOURNAL_RECORD_MAX];
    uint64_t all = 0;
    for (; all < 56; all++) {
        uint64_t s = ft_journal_next(j);
        ft_journal_append(j, FT_JOURNAL_TYPE_FLOW, s, 1, 1, text, make_text(text, s));
    }
    flush(j);
    wait_packed(j, 1);
    struct file f = load_file(folder, "flow");
    copy_folder(folder, other);
    ft_journal_close(j, 1000, NULL);
    copy_folder(other, folder);
    uint64_t before = 0, behind = 0;
    lost_packed(&f, 0, &before, &behind);
    assert_int_equal(behind, 52); /* the next segment has four more */
    for (size_t at = 0; at < f.size; at += 1) {
        before = behind = 0;
        lost_packed(&f, at, &before, &behind);
        for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
            f.bytes[at] ^= (uint8_t)(1u << at % 8);
            write_whole(f.path, f.bytes, is_cut ? at : f.size);
            f.bytes[at] ^= (uint8_t)(1u << at % 8);
            struct ft_journal *reading = open_to_read(folder);
            struct ft_journal_reader *r = open_reader(reading, NULL);
            struct ft_journal_item item;
            uint64_t first = 0, last = 0, skipped = 0, records = 0;
            for (ft_journal_reader_next(r, &item, 0); item.kind != FT_JOURNAL_END;
                 ft_journal_reader_next(r, &item, 0)) {
                if (item.kind == FT_JOURNAL_GAP) {
                    assert_int_equal(item.gap, FT_JOURNAL_GAP_DAMAGED);
                    skipped += item.count;
                    continue;
                }
                assert_true(item.sequence > last);
                assert_int_equal(item.length, make_text(text, item.sequence));
                assert_memory_equal(item.bytes, text, item.length);
                first = first ? first : item.sequence;
                last = item.sequence;
                records++;
            }
            assert_int_equal(last, 56);
            assert_true(!before || first == 1);
            assert_true(records + skipped == 56 || (is_cut && !before));
            assert_true(records >= 4 + before + (is_cut ? 0 : behind));
            ft_journal_reader_close(r);
            ft_journal_close(reading, 0, NULL);
        }
    }
    free(f.bytes);
}

static struct ft_journal *open_small(const char *path)
{
    struct ft_journal_options options = options_for(path);
    options.segment_bytes = 10000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    assert_non_null(j);
    return j;
}

static void test_missing_segment(void **state)
{
    (void)state;
    struct ft_journal *j = open_small(folder);
    for (unsigned i = 0; i < 1000; i++)
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    assert_true(ft_journal_close(j, 60000, NULL));
    assert_int_equal(findings(folder), 0);
    struct file first = load_file(folder, "alert");
    char away[128];
    snprintf(away, sizeof(away), "%s/away", other);
    assert_int_equal(rename(first.path, away), 0);
    struct file second = load_file(folder, "alert");
    unlink(second.path);
    assert_int_equal(rename(away, first.path), 0);
    assert_int_equal(findings(folder), 1);
    assert_int_equal(told.count[FT_JOURNAL_FOUND_CHAIN], 1);
    struct got got = read_folder(folder);
    assert_true(got.is_right && got.is_in_order);
    assert_int_equal(got.gaps, 1);
    assert_int_equal(got.records + got.skipped, 1000);
    assert_int_equal(got.reasons[FT_JOURNAL_GAP_MISSING], got.skipped);
    free(first.bytes);
    free(second.bytes);
}

/* The newest segment removed: only the state file knows it. */
static void test_missing_newest(void **state)
{
    (void)state;
    struct ft_journal *j = open_small(folder);
    for (unsigned i = 0; i < 500; i++)
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    ft_journal_close(j, 5000, NULL);
    char newest[512] = "";
    DIR *d = opendir(folder);
    struct dirent *e;
    while ((e = readdir(d)))
        if (!strncmp(e->d_name, "alert", 5) && strcmp(e->d_name, newest) > 0)
            snprintf(newest, sizeof(newest), "%s", e->d_name);
    closedir(d);
    char path[700];
    snprintf(path, sizeof(path), "%s/%s", folder, newest);
    unlink(path);
    assert_int_equal(findings(folder), 1);
    assert_int_equal(told.count[FT_JOURNAL_FOUND_CHAIN], 1);
    j = open_at(folder);
    assert_true(ft_journal_next(j) > 500);
    ft_journal_close(j, 1000, NULL);
}

/* A record changed by somebody who knows how to make checksums. */
static void test_changed(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    for (unsigned i = 0; i < 10; i++)
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    packs_nothing = true;
    ft_journal_close(j, 60000, NULL);
    packs_nothing = false;
    assert_int_equal(findings(folder), 0);
    struct file f = load_file(folder, "alert");
    struct ft_journal_record r;
    assert_true(ft_journal_get_record(f.bytes + FT_JOURNAL_HEADER, &r));
    f.bytes[FT_JOURNAL_HEADER + FT_JOURNAL_RECORD_HEAD + 3] ^= 1;
    ft_journal_put_record(f.bytes + FT_JOURNAL_HEADER, &r);
    write_whole(f.path, f.bytes, f.size);
    free(f.bytes);
    assert_int_equal(findings(folder), 1);
    assert_int_equal(told.count[FT_JOURNAL_FOUND_HASH], 1);
}

static void test_strangers(void **state)
{
    (void)state;
    char path[128];
    static const char *const names[] = {"notes.txt", "alert-12.ftj", "alert-000000000000000g.ftj",
                                        "cursor-x", "alert-0000000000000001.ftj.bak"};
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        write_whole(path, "hello", 5);
    }
    struct ft_journal *j = open_at(folder);
    append_many(j, 10);
    assert_true(ft_journal_close(j, 1000, NULL));
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        size_t size;
        uint8_t *bytes = read_whole(path, &size);
        assert_int_equal(size, 5);
        free(bytes);
    }
    assert_int_equal(read_folder(folder).records, 10);
}

/* ---- sequences ---- */

/* After kill -9 no number comes again that any file can hold, with the state file or without. */
static void test_sequence(void **state)
{
    (void)state;
    char path[128];
    struct ft_journal *j = open_at(folder);
    append_many(j, 50);
    flush(j);
    uint64_t synced = ft_journal_next(j);
    append_many(j, 50);
    copy_folder(folder, other);
    uint64_t last = ft_journal_next(j);
    ft_journal_close(j, 1000, NULL);
    assert_true(last > synced);

    for (unsigned is_lost = 0; is_lost < 2; is_lost++) {
        if (is_lost) {
            snprintf(path, sizeof(path), "%s/state", other);
            unlink(path);
        }
        j = open_at(other);
        assert_int_equal(told.count[FT_JOURNAL_FOUND_STATE], is_lost);
        assert_int_equal(told.count[FT_JOURNAL_FOUND_UNCLEAN], !is_lost);
        uint64_t next = ft_journal_next(j);
        assert_true(next > last);
        append_many(j, 5);
        flush(j);
        copy_folder(other, folder);
        last = ft_journal_next(j);
        ft_journal_close(j, 1000, NULL);
        copy_folder(folder, other);
    }
}

/* A folder that is new, and one that knows less than the caller, go on above what is in use. */
static void test_numbers_in_use(void **state)
{
    (void)state;
    static const struct {
        uint64_t after, first;
        unsigned told;
    } runs[] = {{443, 444, 1}, {443, 455, 0}, {465, 466, 0}, {1000, 1001, 1}, {0, 1012, 0}};
    for (unsigned i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct ft_journal_options options = options_for(folder);
        options.numbers_after = runs[i].after;
        struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
        assert_non_null(j);
        assert_int_equal(told.count[FT_JOURNAL_FOUND_USED], runs[i].told);
        struct ft_journal_reader *r = open_reader(j, NULL);
        for (unsigned n = 0; n < 10; n++)
            assert_true(append_record(j, FT_JOURNAL_TYPE_ALERT));
        flush(j);
        assert_int_equal(ft_journal_next(j), runs[i].first + 10);
        struct got got = read_all(r, 0);
        assert_int_equal(got.records, 10 * (i + 1));
        assert_int_equal(got.gaps, 0);
        ft_journal_reader_close(r);
        assert_true(ft_journal_close(j, 5000, NULL));
    }
}

static void count_first(const char *path, const char *name, void *user)
{
    static const uint8_t none[FT_JOURNAL_HASH];
    struct ft_journal_header header;
    size_t size;
    if (!strstr(name, ".ftj"))
        return;
    uint8_t *bytes = read_whole(path, &size);
    assert_true(ft_journal_get_header(bytes, &header));
    *(unsigned *)user += memcmp(header.previous, none, sizeof(none)) == 0;
    free(bytes);
}

/* Without the state file the chain of hashes goes on from the segments that are there. */
static void test_chain_without_state(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/state", folder);
    packs_nothing = true;
    for (unsigned i = 0; i < 3; i++) {
        unsigned first = 0;
        struct ft_journal *j = open_at(folder);
        append_many(j, 50);
        assert_true(ft_journal_close(j, 60000, NULL));
        assert_int_equal(findings(folder), 0);
        each_file(folder, count_first, &first);
        assert_int_equal(first, FT_JOURNAL_CLASSES);
        assert_int_equal(unlink(path), 0);
    }
    packs_nothing = false;
}

/* ---- retention ---- */

static void test_retention(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    struct ft_journal_stats stats;
    options.limits[FT_JOURNAL_TRANSACTION].max_bytes = 2200000;
    options.segment_bytes = 100000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    struct ft_journal_reader *r = open_reader(j, "slow");
    struct ft_journal_item item;
    uint8_t noise[1000];
    uint64_t appended = 0, alerts = 0;
    append_record(j, FT_JOURNAL_TYPE_TRANSACTION);
    flush(j);
    ft_journal_reader_next(r, &item, 1000); /* stands in the first segment from now on */
    assert_int_equal(item.kind, FT_JOURNAL_RECORD);
    ft_journal_reader_ack(r, item.sequence);
    for (; appended < 8000; appended++) {
        for (unsigned i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)random();
        uint64_t s = ft_journal_next(j);
        assert_true(ft_journal_append(j, FT_JOURNAL_TYPE_TRANSACTION, s, 4, s, noise, 1000));
        if (appended % 1000 == 0) {
            append_record(j, FT_JOURNAL_TYPE_ALERT);
            alerts++;
        }
        if (appended % 500 == 0)
            flush(j);
    }
    flush(j);
    for (unsigned i = 0; i < 3000; i++) {
        ft_journal_stats(j, &stats);
        if (stats.classes[FT_JOURNAL_TRANSACTION].disk_bytes < 2200000)
            break;
        usleep(1000);
    }
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].disk_bytes < 2200000);
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].removed > 4000);
    assert_int_equal(stats.classes[FT_JOURNAL_ALERT].removed, 0);
    /* The reader is told exactly how many are gone. */
    struct got got = {0};
    uint64_t bytes_right = 1;
    for (ft_journal_reader_next(r, &item, 0); item.kind != FT_JOURNAL_NOTHING;
         ft_journal_reader_next(r, &item, 0)) {
        if (item.kind == FT_JOURNAL_GAP) {
            assert_int_equal(item.gap, FT_JOURNAL_GAP_REMOVED);
            assert_int_equal(item.class, FT_JOURNAL_TRANSACTION);
            got.skipped += item.count;
        } else {
            bytes_right &= item.sequence > got.last;
            got.last = item.sequence;
            got.records++;
        }
    }
    assert_true(bytes_right && got.skipped > 4000);
    assert_int_equal(got.records + got.skipped, appended + alerts);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, NULL));
    /* Also when it comes back after a restart. */
    j = open_at(folder);
    r = open_reader(j, "slow");
    got = read_all(r, 0);
    assert_true(got.skipped > 4000 && got.reasons[FT_JOURNAL_GAP_REMOVED] == got.skipped);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
}

static void test_total(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    struct ft_journal_stats stats = {0};
    options.total_bytes = 9000000;
    options.segment_bytes = 200000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    uint8_t noise[2000];
    for (unsigned i = 0; i < 6000; i++) {
        static const enum ft_journal_type types[] = {FT_JOURNAL_TYPE_ALERT, FT_JOURNAL_TYPE_ASSET,
                                                     FT_JOURNAL_TYPE_FLOW,
                                                     FT_JOURNAL_TYPE_TRANSACTION};
        for (unsigned k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t)random();
        uint64_t s = ft_journal_next(j);
        ft_journal_append(j, types[i % 4], s, 4, s, noise, sizeof(noise));
        if (i % 200 == 0)
            flush(j);
    }
    flush(j);
    uint64_t bytes = UINT64_MAX;
    for (unsigned i = 0; i < 3000 && bytes > options.total_bytes; i++) {
        usleep(1000);
        ft_journal_stats(j, &stats);
        bytes = 0;
        for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
            bytes += stats.classes[c].disk_bytes;
    }
    assert_true(bytes <= options.total_bytes);
    assert_int_equal(stats.classes[FT_JOURNAL_ALERT].removed, 0);
    assert_int_equal(stats.classes[FT_JOURNAL_INVENTORY].removed, 0);
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].removed > 1000);
    assert_true(stats.classes[FT_JOURNAL_FLOW].removed > 0);
    ft_journal_close(j, 5000, NULL);
}

/* What was closed eight days ago is gone with a limit of seven; the clock is in the footer. */
static void test_days(void **state)
{
    (void)state;
    struct ft_journal *j = open_small(folder);
    for (unsigned i = 0; i < 300; i++) {
        append_record(j, FT_JOURNAL_TYPE_TRANSACTION);
        append_record(j, FT_JOURNAL_TYPE_ALERT);
    }
    assert_true(ft_journal_close(j, 60000, NULL));
    unsigned before = count_files(folder, "transaction");
    assert_true(before > 2);
    static const char *const classes[] = {"transaction", "alert"};
    for (unsigned i = 0; i < 2; i++) {
        struct file f = load_file(folder, classes[i]);
        struct ft_journal_footer footer;
        uint8_t *at = f.bytes + f.size - FT_JOURNAL_FOOTER;
        assert_true(ft_journal_get_footer(at, &footer));
        footer.closed_ns -= 8 * 86400ull * 1000000000u;
        ft_journal_put_footer(at, &footer);
        write_whole(f.path, f.bytes, f.size);
        free(f.bytes);
    }
    j = open_at(folder);
    struct ft_journal_stats stats = {0};
    for (unsigned i = 0; i < 3000 && !stats.classes[FT_JOURNAL_TRANSACTION].removed; i++) {
        usleep(1000);
        ft_journal_stats(j, &stats);
    }
    ft_journal_close(j, 5000, NULL);
    assert_int_equal(count_files(folder, "transaction"), before - 1);
    assert_int_equal(count_files(folder, "alert"), before);
    assert_int_equal(findings(folder), 0);
}

/* ---- a disk in trouble ---- */

static void wait_for_state(struct ft_journal *j, bool is_ok)
{
    for (unsigned i = 0; i < 8000 && ft_journal_state(j).is_ok != is_ok; i++)
        usleep(1000);
    assert_int_equal(ft_journal_state(j).is_ok, is_ok);
}

/* The writer hangs in a write: alerts push transactions out of memory, and everybody is told. */
static void test_queue_full(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    struct ft_journal_stats stats;
    options.memory_bytes = 4u << 20;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    struct ft_journal_reader *r = open_reader(j, NULL);
    append_many(j, 100);
    flush(j);
    assert_int_equal(read_all(r, 0).records, 100);
    is_hanging = true;
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    for (unsigned i = 0; i < 5000 && !hanging; i++)
        usleep(1000);
    assert_int_equal(hanging, 1);
    for (unsigned i = 0; i < 60000; i++)
        append_record(j, FT_JOURNAL_TYPE_TRANSACTION);
    for (unsigned i = 0; i < 10000; i++)
        assert_true(append_record(j, FT_JOURNAL_TYPE_ALERT));
    ft_journal_stats(j, &stats);
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].given_up[FT_JOURNAL_LOSS_SLOW] > 10000);
    assert_int_equal(stats.classes[FT_JOURNAL_ALERT].given_up[FT_JOURNAL_LOSS_SLOW], 0);
    assert_true(stats.memory_high <= 4u << 20);
    wait_for_state(j, false); /* five seconds */
    assert_int_equal(ft_journal_state(j).error, 0);
    assert_non_null(strstr(ft_journal_state(j).text, "has not answered for 5 s"));
    is_hanging = false;
    wait_for_state(j, true);
    flush(j);
    struct got got = read_all(r, 0);
    assert_true(got.is_right && got.is_in_order);
    assert_int_equal(got.records + got.skipped, 70001);
    assert_int_equal(got.skipped,
                     stats.classes[FT_JOURNAL_TRANSACTION].given_up[FT_JOURNAL_LOSS_SLOW]);
    assert_int_equal(got.reasons[FT_JOURNAL_GAP_GIVEN_UP], got.skipped);
    ft_journal_reader_close(r);
    ft_journal_close(j, 5000, NULL);
}

/* Within a class the severe stay; and a flood of alerts itself is given up oldest first. */
static void test_severity(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    options.memory_bytes = 4u << 20;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct ft_journal_item item;
    char text[1000] = "";
    uint64_t by_severity[5] = {0};
    is_hanging = true;
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    for (unsigned i = 0; i < 5000 && !hanging; i++)
        usleep(1000);
    for (unsigned i = 0; i < 12000; i++)
        ft_journal_append(j, FT_JOURNAL_TYPE_ALERT, ft_journal_next(j), i % 8 ? 4 : 1, 1, text,
                          sizeof(text));
    is_hanging = false;
    flush(j);
    for (ft_journal_reader_next(r, &item, 0); item.kind != FT_JOURNAL_NOTHING;
         ft_journal_reader_next(r, &item, 0))
        if (item.kind == FT_JOURNAL_RECORD)
            by_severity[item.severity]++;
    assert_true(by_severity[1] >= 1500);
    assert_true(by_severity[4] < 4000 && by_severity[4] > 1000);
    ft_journal_reader_close(r);
    ft_journal_close(j, 5000, NULL);
}

/* Nothing comes behind what was given up: the reader is told all the same. */
static void test_gap_at_end(void **state)
{
    (void)state;
    static char big[FT_JOURNAL_RECORD_MAX + 1];
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, "x");
    struct ft_journal_item item;
    append_record(j, FT_JOURNAL_TYPE_FLOW);
    flush(j);
    ft_journal_reader_next(r, &item, 1000);
    ft_journal_append(j, FT_JOURNAL_TYPE_FLOW, ft_journal_next(j), 1, 1, big, sizeof(big));
    ft_journal_reader_next(r, &item, 5000);
    assert_int_equal(item.kind, FT_JOURNAL_GAP);
    assert_int_equal(item.class, FT_JOURNAL_FLOW);
    assert_int_equal(item.count, 1);
    assert_int_equal(item.last_sequence, 2);
    ft_journal_reader_close(r);
    ft_journal_close(j, 1000, NULL);
}

struct trouble_row {
    atomic_int *where;
    int error;
};

static void go_through(struct ft_journal *j, const struct trouble_row *rows, unsigned count)
{
    struct ft_journal_reader *r = open_reader(j, NULL);
    uint64_t seen = 0;
    for (unsigned i = 0; i < count; i++) {
        append_many(j, 500);
        flush(j);
        assert_true(ft_journal_state(j).is_ok);
        *rows[i].where = rows[i].error;
        append_many(j, 500);
        wait_for_state(j, false);
        struct ft_journal_state is = ft_journal_state(j);
        assert_int_equal(is.error, rows[i].error);
        assert_non_null(strstr(is.text, folder));
        assert_true(is.since_ns > 0);
        struct got got = read_all(r, 0);
        assert_true(got.is_right && got.is_in_order && !got.gaps);
        seen += got.records;
        *rows[i].where = 0;
        wait_for_state(j, true);
        flush(j);
        got = read_all(r, 0);
        assert_true(got.is_right && got.is_in_order && !got.gaps);
        seen += got.records;
        assert_int_equal(seen, 1000 * (i + 1));
    }
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 60000, NULL));
    assert_int_equal(findings(folder), 0);
    assert_int_equal(read_folder(folder).records, 1000 * count);
}

static void test_trouble(void **state)
{
    (void)state;
    static const struct trouble_row rows[] = {
        {&write_error, EIO}, {&sync_error, EIO}, {&open_error, EROFS}, {&write_error, EROFS}};
    static const struct trouble_row full[] = {{&write_error, ENOSPC}, {&sync_error, ENOSPC}};
    go_through(open_small(folder), rows, 4);
    empty_folder(folder);
    go_through(open_at(folder), full, 2);
}

/* In trouble memory keeps the important; loss is counted as the disk's. */
static void test_trouble_long(void **state)
{
    (void)state;
    struct ft_journal_options options = options_for(folder);
    struct ft_journal_stats stats;
    options.memory_bytes = 4u << 20;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    write_error = ENOSPC;
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    wait_for_state(j, false);
    for (unsigned i = 0; i < 100000; i++)
        append_record(j, i % 50 ? FT_JOURNAL_TYPE_FLOW : FT_JOURNAL_TYPE_ALERT);
    ft_journal_stats(j, &stats);
    assert_true(stats.classes[FT_JOURNAL_FLOW].given_up[FT_JOURNAL_LOSS_TROUBLE] > 10000);
    assert_int_equal(stats.classes[FT_JOURNAL_ALERT].given_up[FT_JOURNAL_LOSS_TROUBLE], 0);
    write_error = 0;
    flush(j);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct got got = read_all(r, 0);
    assert_true(got.is_right && got.is_in_order);
    ft_journal_stats(j, &stats);
    assert_int_equal(got.records, stats.classes[FT_JOURNAL_FLOW].synced + 2001);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, NULL));
}

static void test_close_in_trouble(void **state)
{
    (void)state;
    struct ft_journal_stats stats;
    struct ft_journal *j = open_at(folder);
    append_many(j, 10);
    flush(j);
    write_error = EIO;
    for (unsigned i = 0; i < 30; i++)
        append_record(j, FT_JOURNAL_TYPE_FLOW);
    assert_false(ft_journal_close(j, 300, &stats));
    write_error = 0;
    assert_int_equal(stats.classes[FT_JOURNAL_FLOW].given_up[FT_JOURNAL_LOSS_CLOSED], 30);
    assert_int_equal(read_folder(folder).records, 10);
}

/* A place that cannot be read now is read later; one that never can costs what is there. */
static void test_unreadable(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct ft_journal_item item;
    for (unsigned i = 0; i < 2000; i++)
        append_record(j, i % 20 ? FT_JOURNAL_TYPE_FLOW : FT_JOURNAL_TYPE_ALERT);
    flush(j);
    ft_journal_reader_next(r, &item, 0);
    assert_int_equal(item.sequence, 1);
    read_error = EIO; /* what is in memory still comes, nothing out of order */
    struct got got = read_all(r, 0);
    read_error = 0;
    struct got more = read_all(r, 0);
    assert_int_equal(1 + got.records + more.records, 2000);
    assert_int_equal(got.gaps + more.gaps, 0);
    ft_journal_reader_close(r);

    bad_page = 10;
    r = open_reader(j, NULL);
    got = (struct got){0};
    for (unsigned i = 0; i < 30; i++) {
        more = read_all(r, 0);
        assert_true(more.is_right && more.is_in_order);
        assert_true(!more.records || more.first > got.last);
        got.last = more.last ? more.last : got.last;
        got.records += more.records;
        got.skipped += more.reasons[FT_JOURNAL_GAP_DAMAGED];
    }
    bad_page = -1;
    assert_int_equal(got.records + got.skipped, 2000);
    assert_true(got.skipped >= 30 && got.skipped < 150);
    ft_journal_reader_close(r);
    ft_journal_close(j, 5000, NULL);
}

static uint64_t lost(const struct ft_journal_stats *stats)
{
    uint64_t n = 0;
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++)
        n += stats->classes[c].lost;
    return n;
}

static void test_folder_gone(void **state)
{
    (void)state;
    struct ft_journal_stats stats;
    struct ft_journal *j = open_small(folder);
    struct ft_journal_reader *r = open_reader(j, "siem");
    append_many(j, 500);
    flush(j);
    assert_int_equal(read_all(r, 0).records, 500);
    append_many(j, 500);
    flush(j);
    remove_folder(folder);
    append_many(j, 300);
    flush(j);
    struct got got = read_all(r, 0);
    assert_true(got.is_right && got.is_in_order);
    assert_int_equal(got.records + got.skipped, 800);
    assert_true(got.records >= 300);
    ft_journal_reader_ack(r, got.last);
    assert_true(ft_journal_reader_sync(r));
    ft_journal_stats(j, &stats);
    assert_int_equal(stats.folders_made, 1);
    assert_int_equal(stats.files_gone, 0);
    assert_int_equal(lost(&stats), 1000);
    assert_true(ft_journal_state(j).is_ok);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, NULL));
    assert_int_equal(findings(folder), 0);
    assert_int_equal(read_folder(folder).records, 300);
}

/* The folder is removed while a segment of it is being packed: none of it comes into the new one.
 */
static void test_folder_gone_packing(void **state)
{
    (void)state;
    struct ft_journal_stats stats;
    is_packing_slowly = true;
    struct ft_journal *j = open_small(folder);
    append_many(j, 500);
    flush(j);
    for (unsigned i = 0; i < 5000 && !packing; i++)
        usleep(1000);
    assert_int_equal(packing, 1);
    remove_folder(folder);
    append_many(j, 300);
    flush(j);
    is_packing_slowly = false;
    wait_packed(j, 1);
    ft_journal_stats(j, &stats);
    assert_int_equal(stats.folders_made, 1);
    assert_true(ft_journal_close(j, 5000, NULL));
    assert_int_equal(findings(folder), 0);
    assert_int_equal(read_folder(folder).records, 300);
}

/* Somebody removes the file that is being written. */
static void test_file_gone(void **state)
{
    (void)state;
    struct ft_journal *j = open_at(folder);
    struct ft_journal_reader *r = open_reader(j, NULL);
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    flush(j);
    assert_int_equal(read_all(r, 0).records, 1);
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    flush(j);
    struct file f = load_file(folder, "alert");
    unlink(f.path);
    free(f.bytes);
    append_record(j, FT_JOURNAL_TYPE_ALERT);
    flush(j);
    struct ft_journal_stats stats;
    ft_journal_stats(j, &stats);
    assert_int_equal(stats.files_gone, 1);
    assert_int_equal(lost(&stats), 2);
    struct got got = read_all(r, 0);
    assert_int_equal(got.records + got.skipped, 2);
    assert_int_equal(got.last, 3);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, NULL));
    got = read_folder(folder);
    assert_int_equal(got.records, 1);
}

/* A file system of 1 MiB that is really full. */
static void test_full_disk(void **state)
{
    (void)state;
    if (mount("none", other, "tmpfs", 0, "size=1m") < 0) {
        print_message("[ skipped: file systems cannot be mounted here ]\n");
        return;
    }
    char path[128], filler[128];
    snprintf(path, sizeof(path), "%s/journal", other);
    snprintf(filler, sizeof(filler), "%s/filler", other);
    struct ft_journal_options options = options_for(path);
    options.disk = NULL;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    append_many(j, 100);
    flush(j);
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    static char zeros[4096];
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    close(fd);
    append_many(j, 3000);
    wait_for_state(j, false);
    assert_int_equal(ft_journal_state(j).error, ENOSPC);
    unlink(filler);
    wait_for_state(j, true);
    flush(j);
    struct ft_journal_reader *r = open_reader(j, NULL);
    struct got got = read_all(r, 0);
    assert_true(got.is_right && got.is_in_order);
    assert_int_equal(got.records, 3100);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 5000, NULL));
    assert_int_equal(umount(other), 0);
}

/* A disk that is smaller than the limits: transactions make room, alerts stay. */
static void test_small_disk(void **state)
{
    (void)state;
    if (mount("none", other, "tmpfs", 0, "size=3m") < 0) {
        print_message("[ skipped: file systems cannot be mounted here ]\n");
        return;
    }
    struct ft_journal_options options = options_for(other);
    struct ft_journal_stats stats;
    uint8_t noise[1000];
    options.segment_bytes = 200000;
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    for (unsigned i = 0; i < 8000; i++) {
        for (unsigned k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t)random();
        uint64_t s = ft_journal_next(j);
        ft_journal_append(j, FT_JOURNAL_TYPE_TRANSACTION, s, 4, s, noise, sizeof(noise));
        if (i % 100 == 0)
            append_record(j, FT_JOURNAL_TYPE_ALERT);
    }
    assert_true(ft_journal_flush(j, 60000));
    wait_for_state(j, true);
    ft_journal_stats(j, &stats);
    assert_true(stats.classes[FT_JOURNAL_TRANSACTION].removed > 3000);
    struct ft_journal_reader_options alerts = {.classes = 1u << FT_JOURNAL_ALERT};
    struct ft_journal_reader *r = ft_journal_reader_open(j, &alerts, error, sizeof(error));
    struct got got = read_all(r, 0);
    assert_int_equal(got.records, 80);
    assert_int_equal(got.gaps, 0);
    ft_journal_reader_close(r);
    assert_true(ft_journal_close(j, 60000, NULL));
    assert_int_equal(umount(other), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_types),
        TEST(test_write_and_read),
        TEST(test_packed),
        TEST(test_options),
        TEST(test_refused),
        TEST(test_cursor),
        TEST(test_new_reader_misses),
        TEST(test_starts),
        TEST(test_many_readers),
        TEST(test_torn),
        TEST(test_flipped_plain),
        TEST(test_flipped_packed),
        TEST(test_missing_segment),
        TEST(test_missing_newest),
        TEST(test_changed),
        TEST(test_strangers),
        TEST(test_sequence),
        TEST(test_numbers_in_use),
        TEST(test_chain_without_state),
        TEST(test_retention),
        TEST(test_total),
        TEST(test_days),
        TEST(test_queue_full),
        TEST(test_severity),
        TEST(test_gap_at_end),
        TEST(test_trouble),
        TEST(test_trouble_long),
        TEST(test_close_in_trouble),
        TEST(test_unreadable),
        TEST(test_folder_gone),
        TEST(test_folder_gone_packing),
        TEST(test_file_gone),
        TEST(test_full_disk),
        TEST(test_small_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
