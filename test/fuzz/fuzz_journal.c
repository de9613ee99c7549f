/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of the journal's files. A segment of twelve records, open, closed or packed, has its
 * bytes from some place on replaced by the input; or the input is the whole file, the state or a
 * cursor. Whatever it is: all records before that place are read, right and in order, by a reader
 * of the folder and after recovery; and the journal goes on.
 *
 * input: byte 0: what is replaced (enum what) and whether it is recovered; bytes 1, 2: from where;
 * byte 3: how much of the old bytes stays behind the new ones.
 */
#include "base/crc32c.h"
#include "journal/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS 12u
#define NAME    "alert-0000000000000001.ftj"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum what {
    OPEN,
    CLOSED,
    PACKED,
    STATE,
    CURSOR,
    WHATS
};

static struct {
    uint8_t bytes[64 << 10];
    size_t size;
    size_t ends[RECORDS]; /* behind each record; packed: behind its block */
} files[3];

static char folder[64];
static int at;

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void put_file(const char *name, const uint8_t *bytes, size_t size)
{
    int file = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    expect(file >= 0 && write(file, bytes, size) == (ssize_t)size, "a file is written");
    close(file);
}

static void empty_folder(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    while (d && (e = readdir(d)))
        unlinkat(at, e->d_name, 0);
    if (d)
        closedir(d);
}

static void remove_folder(void)
{
    empty_folder();
    rmdir(folder);
}

static void fill(uint8_t *bytes, uint64_t sequence)
{
    memset(bytes, 'a' + (int)(sequence % 26), 100);
}

#define LENGTH 100u

static void make_plain(void)
{
    struct ft_journal_header h = {
        .class = FT_JOURNAL_ALERT, .first_sequence = 1, .first_number = 1};
    struct ft_journal_footer f = {
        .count = RECORDS, .last_sequence = RECORDS, .last_number = RECORDS};
    size_t end = FT_JOURNAL_HEADER;
    ft_journal_put_header(files[OPEN].bytes, &h);
    for (uint64_t i = 1; i <= RECORDS; i++) {
        struct ft_journal_record r = {FT_JOURNAL_TYPE_ALERT, 1, LENGTH, i, i, i, 0};
        fill(files[OPEN].bytes + end + FT_JOURNAL_RECORD_HEAD, i);
        ft_journal_put_record(files[OPEN].bytes + end, &r);
        end += FT_JOURNAL_RECORD_HEAD + LENGTH;
        files[OPEN].ends[i - 1] = end;
    }
    files[OPEN].size = end;
    f.data_bytes = end;
    EVP_Digest(files[OPEN].bytes, end, f.hash, NULL, EVP_sha256(), NULL);
    files[CLOSED] = files[OPEN];
    ft_journal_put_footer(files[CLOSED].bytes + end, &f);
    files[CLOSED].size = end + FT_JOURNAL_FOOTER;
}

static int system_open(int from, const char *name, int flags, mode_t mode)
{
    return openat(from, name, flags, mode);
}

static void make_packed(void)
{
    static const struct ft_journal_disk disk = {system_open, pwrite, fsync, NULL};
    atomic_bool stops = false;
    struct ft_segment s;
    uint64_t size;
    put_file(NAME, files[CLOSED].bytes, files[CLOSED].size);
    expect(ft_segment_init(&s) && ft_segment_pack(&s, at, NAME, 0600, &disk, &stops, &size) == 1,
           "a segment is packed");
    ft_segment_free(&s);
    int file = openat(at, NAME, O_RDONLY);
    ssize_t n = read(file, files[PACKED].bytes, sizeof(files[PACKED].bytes));
    close(file);
    expect(n > 0 && (uint64_t)n == size, "it is read");
    files[PACKED].size = (size_t)n;
    /* One frame has all, behind a header of six bytes; a block each (RFC 8878, 3.1.1.2). */
    size_t end = 2 * FT_JOURNAL_SKIPPABLE + FT_JOURNAL_HEADER + FT_JOURNAL_FRAME_HEAD + 6;
    for (unsigned i = 0; i < RECORDS; i++) {
        const uint8_t *head = files[PACKED].bytes + end;
        uint32_t word = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16;
        end += 3 + ((word >> 1 & 3) == 1 ? 1 : word >> 3);
        files[PACKED].ends[i] = end;
    }
    expect(end + 3 + 4 + FT_JOURNAL_SKIPPABLE + FT_JOURNAL_FOOTER == (size_t)n, "a block a record");
}

static void begin(void)
{
    strcpy(folder, access("/dev/shm", W_OK) ? "/tmp/ft_fuzz_XXXXXX" : "/dev/shm/ft_fuzz_XXXXXX");
    expect(mkdtemp(folder) != NULL, "a folder is made");
    at = open(folder, O_RDONLY | O_DIRECTORY);
    atexit(remove_folder);
    make_plain();
    make_packed();
}

/* Everything in order; the first `whole` records are as they were made. */
static void read_all(struct ft_journal *j, unsigned whole)
{
    struct ft_journal_reader_options options = {.name = "x"};
    struct ft_journal_item item;
    char error[256];
    uint8_t wanted[LENGTH];
    uint64_t last = 0, found = 0;
    struct ft_journal_reader *r = ft_journal_reader_open(j, &options, error, sizeof(error));
    expect(r != NULL, error);
    uint64_t start = ft_journal_reader_status(r).acknowledged;
    for (ft_journal_reader_next(r, &item, 0);
         item.kind == FT_JOURNAL_RECORD || item.kind == FT_JOURNAL_GAP;
         ft_journal_reader_next(r, &item, 0)) {
        if (item.kind == FT_JOURNAL_GAP)
            continue;
        /* Records that the input itself is made of may come in any order. */
        if (item.sequence == last + 1 && item.sequence <= whole) {
            fill(wanted, item.sequence);
            expect(item.length == LENGTH && !memcmp(item.bytes, wanted, LENGTH),
                   "a record is as it was");
            found++;
            last = item.sequence;
        }
    }
    if (!start)
        expect(found >= whole, "no record before the place is lost");
    ft_journal_reader_close(r);
}

static struct ft_journal *open_it(bool is_read_only)
{
    char error[256];
    struct ft_journal_options options = {
        .folder = folder, .sensor = "f", .memory_bytes = 4 << 20, .is_read_only = is_read_only};
    struct ft_journal *j = ft_journal_open(&options, error, sizeof(error));
    expect(j != NULL, error);
    return j;
}

/* Make a structure of the first bytes: its mark, and its checksum at its end. */
static void seal(uint8_t *bytes, size_t have, const char *mark, size_t size)
{
    if (have < size)
        return;
    memcpy(bytes, mark, strlen(mark));
    uint32_t crc = ft_crc32c(bytes, size - 4);
    for (unsigned i = 0; i < 4; i++)
        bytes[size - 4 + i] = (uint8_t)(crc >> 8 * i);
}

static void seal_record(uint8_t *bytes, size_t have)
{
    if (have < FT_JOURNAL_RECORD_HEAD)
        return;
    uint32_t crc = 0;
    size_t length = bytes[4] | (size_t)bytes[5] << 8 | (size_t)bytes[6] << 16;
    if (length <= have - FT_JOURNAL_RECORD_HEAD)
        crc = ft_crc32c(bytes + FT_JOURNAL_RECORD_HEAD, length);
    for (unsigned i = 0; i < 4; i++)
        bytes[32 + i] = (uint8_t)(crc >> 8 * i);
    seal(bytes, have, "\x1e\xf7", FT_JOURNAL_RECORD_HEAD);
}

static void put_small(enum what what, const uint8_t *data, size_t size, bool is_sealed)
{
    uint8_t bytes[2 * FT_JOURNAL_SECTOR] = {0};
    if (size > sizeof(bytes))
        size = sizeof(bytes);
    memcpy(bytes, data, size);
    if (is_sealed) {
        bytes[4] = FT_JOURNAL_VERSION;
        bytes[5] = 0;
        seal(bytes, sizeof(bytes), what == STATE ? "FTJS" : "FTJC",
             what == STATE ? FT_JOURNAL_SAVED : FT_JOURNAL_POSITION);
        size = sizeof(bytes);
    }
    put_file(what == STATE ? "state" : "cursor-x", bytes, size);
}

/* The folder as the input has it; returns how many records it must not touch. */
static unsigned lay_out(const uint8_t *data, size_t size)
{
    static uint8_t bytes[sizeof(files[0].bytes) + (64 << 10)];
    enum what what = (data[0] & 0x3f) % WHATS;
    size_t from = (size_t)data[1] << 8 | data[2], skip = data[3];
    bool is_sealed = data[0] & 0x40;
    unsigned whole = 0, source = what <= PACKED ? what : CLOSED;
    empty_folder();
    put_file(NAME, files[source].bytes, files[source].size);
    data += 4;
    size -= 4;
    if (what == STATE || what == CURSOR) {
        put_small(what, data, size, is_sealed);
        return RECORDS;
    }
    from = from >> 8 == 255 ? files[what].ends[from % RECORDS] : from % (files[what].size + 1);
    while (whole < RECORDS && files[what].ends[whole] <= from)
        whole++;
    memcpy(bytes, files[what].bytes, from);
    memcpy(bytes + from, data, size);
    if (is_sealed && what == PACKED && size > FT_JOURNAL_SKIPPABLE)
        seal(bytes + from + FT_JOURNAL_SKIPPABLE, size - FT_JOURNAL_SKIPPABLE, "FTJF",
             FT_JOURNAL_FRAME_HEAD);
    else if (is_sealed)
        seal_record(bytes + from, size);
    size_t end = from + size, rest = files[what].size - from;
    if (skip < 255 && size + skip < rest) {
        memcpy(bytes + end, files[what].bytes + end + skip, rest - size - skip);
        end += rest - size - skip;
    }
    put_file(NAME, bytes, end);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!folder[0])
        begin();
    if (size < 4 || size > 32 << 10)
        return 0;
    unsigned whole = lay_out(data, size);
    struct ft_journal *j = open_it(true);
    read_all(j, whole);
    ft_journal_close(j, 0, NULL);
    if (data[0] & 0x80) {
        j = open_it(false);
        uint64_t sequence = ft_journal_next(j);
        bool is_taken = ft_journal_append(j, FT_JOURNAL_TYPE_FLOW, sequence, 1, 1, "x", 1);
        expect(is_taken && ft_journal_flush(j, 10000), "the journal goes on");
        read_all(j, whole);
        expect(ft_journal_close(j, 10000, NULL), "the journal is closed");
    }
    return 0;
}
