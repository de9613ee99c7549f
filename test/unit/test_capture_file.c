/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of the capture reader. Captures are built byte by byte, so that each test says which field
 * of the format it is about; every variant is read from memory, from a file and from a pipe.
 */
#include "capture/file.h"
#include "capture/set.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --- building files --------------------------------------------------------------------------- */

#define SECOND UINT64_C(1000000000)

struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool is_big; /* byte order of what put() writes */
};

static void put_bytes(struct bytes *to, const void *from, size_t size)
{
    if (to->size + size > to->capacity) {
        to->capacity = 2 * (to->size + size);
        to->data = realloc(to->data, to->capacity);
        assert_non_null(to->data);
    }
    if (size > 0) {
        memcpy(to->data + to->size, from, size);
    }
    to->size += size;
}

static void put(struct bytes *to, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (to->is_big ? size - 1 - i : i));
        put_bytes(to, &byte, 1);
    }
}

static void put_at(struct bytes *to, size_t at, uint64_t value, unsigned size)
{
    size_t end = to->size;

    to->size = at;
    put(to, value, size);
    to->size = end;
}

/* Packet bytes that differ by position and seed, so that a shifted delivery is seen. */
static void put_packet(struct bytes *to, uint32_t size, uint32_t seed)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(seed * 37 + i);
        put_bytes(to, &byte, 1);
    }
}

static void clear(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

static void pcap_header_version(struct bytes *to, uint32_t magic, unsigned minor, uint32_t network)
{
    put(to, magic, 4);
    put(to, 2, 2);
    put(to, minor, 2);
    put(to, 0, 8);
    put(to, 65535, 4);
    put(to, network, 4);
}

static void pcap_header(struct bytes *to, uint32_t magic)
{
    pcap_header_version(to, magic, 4, 1);
}

static void pcap_record_head(struct bytes *to, uint32_t seconds, uint32_t fraction, uint32_t caplen,
                             uint32_t wirelen)
{
    put(to, seconds, 4);
    put(to, fraction, 4);
    put(to, caplen, 4);
    put(to, wirelen, 4);
}

static void pcap_record(struct bytes *to, uint32_t seconds, uint32_t fraction, uint32_t caplen,
                        uint32_t seed)
{
    pcap_record_head(to, seconds, fraction, caplen, caplen);
    put_packet(to, caplen, seed);
}

static size_t block_begin(struct bytes *to, uint32_t type)
{
    put(to, type, 4);
    put(to, 0, 4);
    return to->size - 8;
}

static void block_end(struct bytes *to, size_t begin)
{
    while (to->size % 4 != begin % 4) {
        put(to, 0, 1);
    }
    put(to, to->size - begin + 4, 4);
    put_at(to, begin + 4, to->size - begin, 4);
}

static void ng_section(struct bytes *to)
{
    size_t begin = block_begin(to, 0x0a0d0d0a);

    put(to, 0x1a2b3c4d, 4);
    put(to, 1, 2);
    put(to, 0, 2);
    put(to, UINT64_MAX, 8);
    block_end(to, begin);
}

static void put_option(struct bytes *to, uint16_t code, uint16_t size)
{
    put(to, code, 2);
    put(to, size, 2);
}

static size_t ng_interface_begin(struct bytes *to, uint16_t linktype, uint32_t snaplen)
{
    size_t begin = block_begin(to, 1);

    put(to, linktype, 2);
    put(to, 0, 2);
    put(to, snaplen, 4);
    return begin;
}

static void ng_interface(struct bytes *to, uint16_t linktype)
{
    block_end(to, ng_interface_begin(to, linktype, 0));
}

/* An interface whose clock is given. */
static void ng_interface_clock(struct bytes *to, uint8_t resolution, int64_t offset)
{
    size_t begin = ng_interface_begin(to, 1, 0);

    put_option(to, 9, 1);
    put(to, resolution, 4); /* padded; in the first byte whatever the byte order */
    if (to->is_big) {
        put_at(to, to->size - 4, (uint64_t)resolution << 24, 4);
    }
    put_option(to, 14, 8);
    put(to, (uint64_t)offset, 8);
    put_option(to, 0, 0);
    block_end(to, begin);
}

static size_t ng_packet_begin(struct bytes *to, uint32_t interface, uint64_t ticks, uint32_t caplen,
                              uint32_t wirelen)
{
    size_t begin = block_begin(to, 6);

    put(to, interface, 4);
    put(to, ticks >> 32, 4);
    put(to, ticks & UINT32_MAX, 4);
    put(to, caplen, 4);
    put(to, wirelen, 4);
    return begin;
}

static void ng_packet(struct bytes *to, uint32_t interface, uint64_t ticks, uint32_t caplen,
                      uint32_t seed)
{
    size_t begin = ng_packet_begin(to, interface, ticks, caplen, caplen);

    put_packet(to, caplen, seed);
    block_end(to, begin);
}

static void ng_simple(struct bytes *to, uint32_t caplen, uint32_t wirelen, uint32_t seed)
{
    size_t begin = block_begin(to, 3);

    put(to, wirelen, 4);
    put_packet(to, caplen, seed);
    block_end(to, begin);
}

static void ng_unknown(struct bytes *to, uint32_t type, size_t size)
{
    size_t begin = block_begin(to, type);

    for (size_t i = 0; i < size; i++) {
        put(to, 0xee, 1);
    }
    block_end(to, begin);
}

/* --- reading them ----------------------------------------------------------------------------- */

#define RECORDS_MAX 4096

static char folder[] = "/tmp/ft-capture-test-XXXXXX";

static char *path_of(const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static char *write_file(const char *name, const struct bytes *bytes)
{
    char *path = path_of(name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    if (bytes->size > 0) {
        assert_int_equal(fwrite(bytes->data, 1, bytes->size, file), bytes->size);
    }
    assert_int_equal(fclose(file), 0);
    return path;
}

/* What reading to the end gave; data are copies. */
struct reading {
    struct ft_capture_record records[RECORDS_MAX];
    size_t count;
    int end;
    char remark[512];
    bool is_incomplete;
    uint64_t left_out;
};

static void forget(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        free((void *)(uintptr_t)reading->records[i].data);
    }
    free(reading);
}

static void keep(struct reading *reading, const struct ft_capture_record *record)
{
    uint8_t *copy = malloc(record->caplen + 1);

    assert_non_null(copy);
    assert_true(reading->count < RECORDS_MAX);
    assert_true(record->caplen <= record->wirelen);
    assert_true(record->caplen <= FT_CAPTURE_RECORD_MAX);
    memcpy(copy, record->data, record->caplen);
    reading->records[reading->count] = *record;
    reading->records[reading->count++].data = copy;
}

static struct reading *read_all(struct ft_capture_file *file)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    struct ft_capture_record record;

    assert_non_null(reading);
    while ((reading->end = ft_capture_file_next(file, &record)) == 1) {
        keep(reading, &record);
        assert_non_null(ft_capture_file_interface(file, record.interface));
    }
    assert_int_equal(ft_capture_file_next(file, &record), reading->end);
    const char *remark = ft_capture_file_remark(file);
    assert_int_equal(remark != NULL, reading->end == -1);
    snprintf(reading->remark, sizeof(reading->remark), "%s", remark == NULL ? "" : remark);
    reading->is_incomplete = ft_capture_file_is_incomplete(file);
    reading->left_out = ft_capture_file_left_out(file);
    return reading;
}

/* Read from an exact block of memory, so that a sanitizer sees a byte too far. NULL: does not open.
 */
static struct reading *read_memory(const uint8_t *data, size_t size, char *error)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    struct reading *reading = NULL;

    assert_non_null(exact);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    struct ft_capture_file *file = ft_capture_file_open_memory(exact, size, "memory", error, 256);
    if (file != NULL) {
        reading = read_all(file);
        ft_capture_file_close(file);
    }
    free(exact);
    return reading;
}

static struct reading *read_path(const char *path, char *error)
{
    struct ft_capture_file *file = ft_capture_file_open(path, error, 256);
    struct reading *reading = NULL;

    if (file != NULL) {
        reading = read_all(file);
        ft_capture_file_close(file);
    }
    return reading;
}

/* A child that writes into a FIFO in pieces of `piece` bytes. */
static pid_t start_writer(const char *path, const struct bytes *bytes, size_t piece)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        FILE *fifo = fopen(path, "wb");

        for (size_t at = 0; fifo != NULL && at < bytes->size; at += piece) {
            size_t size = bytes->size - at < piece ? bytes->size - at : piece;
            fwrite(bytes->data + at, 1, size, fifo);
            fflush(fifo);
        }
        _exit(0);
    }
    return writer;
}

static void end_writer(pid_t writer, const char *path)
{
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_int_equal(unlink(path), 0);
}

static struct reading *read_pipe(const struct bytes *bytes, size_t piece, char *error)
{
    char *path = path_of("fifo");
    pid_t writer = start_writer(path, bytes, piece);
    struct reading *reading = read_path(path, error);

    end_writer(writer, path);
    return reading;
}

static void assert_same_record(const struct ft_capture_record *a, const struct ft_capture_record *b)
{
    assert_int_equal(a->time_ns, b->time_ns);
    assert_int_equal(a->caplen, b->caplen);
    assert_int_equal(a->wirelen, b->wirelen);
    assert_int_equal(a->interface, b->interface);
    assert_int_equal(a->linktype, b->linktype);
    assert_int_equal(a->fcs_len, b->fcs_len);
    assert_int_equal(a->is_timed, b->is_timed);
    assert_memory_equal(a->data, b->data, a->caplen);
}

static void assert_same(const struct reading *a, const struct reading *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_same_record(&a->records[i], &b->records[i]);
    }
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->is_incomplete, b->is_incomplete);
    assert_int_equal(a->left_out, b->left_out);
    assert_string_equal(a->remark, b->remark);
}

/* Read bytes in the three ways, which must agree, and return one of them. */
static struct reading *read_bytes(const struct bytes *bytes)
{
    char error[256];
    struct reading *memory = read_memory(bytes->data, bytes->size, error);
    struct reading *file = read_path(write_file("capture", bytes), error);
    struct reading *pipe = read_pipe(bytes, 1000, error);

    assert_non_null(memory);
    assert_non_null(file);
    assert_non_null(pipe);
    assert_same(memory, file);
    assert_same(memory, pipe);
    forget(file);
    forget(pipe);
    return memory;
}

static void assert_packet(const struct ft_capture_record *record, uint64_t time_ns, uint32_t caplen,
                          uint32_t seed)
{
    struct bytes expected = {0};

    put_packet(&expected, caplen, seed);
    assert_int_equal(record->time_ns, time_ns);
    assert_int_equal(record->caplen, caplen);
    if (caplen > 0) {
        assert_memory_equal(record->data, expected.data, caplen);
    }
    clear(&expected);
}

static void assert_has(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not contain \"%s\"", text == NULL ? "(none)" : text, part);
    }
}

/* --- pcap ------------------------------------------------------------------------------------- */

static void test_pcap_variants(void **state)
{
    static const struct {
        uint32_t magic;
        uint32_t fraction_ns;
        unsigned extra;
    } variants[] = {{0xa1b2c3d4, 1000, 0}, {0xa1b23c4d, 1, 0}, {0xa1b2cd34, 1000, 8}};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct bytes bytes = {.is_big = i >= 3};
        uint32_t fraction_ns = variants[i % 3].fraction_ns;

        pcap_header(&bytes, variants[i % 3].magic);
        for (uint32_t packet = 0; packet < 3; packet++) {
            pcap_record_head(&bytes, 1700000000 + packet, 123456, 60 + packet, 1000);
            put(&bytes, UINT64_MAX, variants[i % 3].extra);
            put_packet(&bytes, 60 + packet, packet);
        }

        struct reading *reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 3);
        assert_int_equal(reading->end, 0);
        for (uint32_t packet = 0; packet < 3; packet++) {
            const struct ft_capture_record *record = &reading->records[packet];
            assert_packet(record, (1700000000 + packet) * SECOND + 123456 * fraction_ns,
                          60 + packet, packet);
            assert_int_equal(record->wirelen, 1000);
            assert_int_equal(record->linktype, 1);
            assert_int_equal(record->interface, 0);
            assert_true(record->is_timed);
        }
        forget(reading);
        clear(&bytes);
    }
}

/* The lengths of a record under each version, first field 40 and second 50, and the other way
 * round. */
static void test_pcap_versions(void **state)
{
    static const struct {
        unsigned minor;
        uint32_t first, second, caplen, wirelen;
    } cases[] = {
        {4, 40, 50, 40, 50}, {4, 50, 40, 50, 50}, /* a caplen above wirelen raises the latter */
        {3, 40, 50, 40, 50}, {3, 50, 40, 40, 50}, {2, 50, 40, 40, 50}, {2, 40, 50, 50, 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes bytes = {0};

        pcap_header_version(&bytes, 0xa1b2c3d4, cases[i].minor, 1);
        pcap_record_head(&bytes, 1, 0, cases[i].first, cases[i].second);
        put_packet(&bytes, cases[i].caplen, 7);
        struct reading *reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 1);
        assert_int_equal(reading->end, 0);
        assert_packet(&reading->records[0], SECOND, cases[i].caplen, 7);
        assert_int_equal(reading->records[0].wirelen, cases[i].wirelen);
        forget(reading);
        clear(&bytes);
    }
}

static void test_pcap_link_types(void **state)
{
    static const struct {
        uint32_t network;
        uint16_t linktype;
        uint8_t fcs_len;
    } cases[] = {
        {1, 1, 0},          {0, 0, 0},          {12, 101, 0},
        {14, 101, 0},       {228, 228, 0},      {276, 276, 0},
        {0x24000001, 1, 4}, {0x20000001, 1, 0}, {0x10001, FT_CAPTURE_LINKTYPE_UNKNOWN, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes bytes = {0};

        pcap_header_version(&bytes, 0xa1b2c3d4, 4, cases[i].network);
        pcap_record(&bytes, 1, 0, 20, 0);
        struct reading *reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 1);
        assert_int_equal(reading->records[0].linktype, cases[i].linktype);
        assert_int_equal(reading->records[0].fcs_len, cases[i].fcs_len);
        forget(reading);
        clear(&bytes);
    }
}

static void test_pcap_header_only(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 0);
    assert_int_equal(reading->end, 0);
    forget(reading);
    clear(&bytes);
}

/* Some writers let the fraction exceed a second; it counts, as it does for every other tool. */
static void test_pcap_fraction_above_second(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    pcap_header(&bytes, 0xa1b23c4d);
    pcap_record(&bytes, UINT32_MAX, UINT32_MAX, 20, 0);
    struct reading *reading = read_bytes(&bytes);
    assert_packet(&reading->records[0], UINT32_MAX * SECOND + UINT32_MAX, 20, 0);
    forget(reading);
    clear(&bytes);
}

static void test_pcap_greatest_record(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    pcap_record(&bytes, 1, 0, FT_CAPTURE_RECORD_MAX, 1);
    pcap_record(&bytes, 2, 0, 0, 0);
    size_t damaged = bytes.size;
    pcap_record(&bytes, 3, 0, FT_CAPTURE_RECORD_MAX + 1, 2);
    pcap_record(&bytes, 4, 0, 60, 3);

    struct reading *reading = read_bytes(&bytes);
    char part[64];
    assert_int_equal(reading->count, 2);
    assert_int_equal(reading->end, -1);
    assert_packet(&reading->records[0], SECOND, FT_CAPTURE_RECORD_MAX, 1);
    assert_packet(&reading->records[1], 2 * SECOND, 0, 0);
    snprintf(part, sizeof(part), "byte %zu claims 262145 bytes", damaged);
    assert_has(reading->remark, part);
    assert_true(reading->is_incomplete);
    forget(reading);
    clear(&bytes);
}

/* --- pcapng ----------------------------------------------------------------------------------- */

static void test_pcapng_packets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct bytes bytes = {.is_big = i == 1};

        ng_section(&bytes);
        ng_interface(&bytes, 1);
        ng_interface(&bytes, 113);
        ng_packet(&bytes, 1, 1700000000123456, 61, 1);
        size_t begin = ng_packet_begin(&bytes, 0, 1700000001000000, 60, 1500);
        put_packet(&bytes, 60, 2);
        put_option(&bytes, 1, 3); /* a comment */
        put_bytes(&bytes, "abc", 4);
        put_option(&bytes, 0, 0);
        block_end(&bytes, begin);
        begin = block_begin(&bytes, 2); /* the obsolete Packet Block */
        put(&bytes, 1, 2);
        put(&bytes, 0xffff, 2);
        put(&bytes, UINT64_C(1700000002000000) >> 32, 4);
        put(&bytes, UINT64_C(1700000002000000) & UINT32_MAX, 4);
        put(&bytes, 33, 4);
        put(&bytes, 20, 4); /* less than captured */
        put_packet(&bytes, 33, 3);
        block_end(&bytes, begin);
        ng_simple(&bytes, 42, 42, 4);

        struct reading *reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 4);
        assert_int_equal(reading->end, 0);
        assert_packet(&reading->records[0], UINT64_C(1700000000123456000), 61, 1);
        assert_int_equal(reading->records[0].linktype, 113);
        assert_int_equal(reading->records[0].interface, 1);
        assert_packet(&reading->records[1], 1700000001 * SECOND, 60, 2);
        assert_int_equal(reading->records[1].wirelen, 1500);
        assert_int_equal(reading->records[1].linktype, 1);
        assert_packet(&reading->records[2], 1700000002 * SECOND, 33, 3);
        assert_int_equal(reading->records[2].wirelen, 33);
        assert_int_equal(reading->records[2].interface, 1);
        assert_packet(&reading->records[3], 1700000002 * SECOND, 42, 4);
        assert_false(reading->records[3].is_timed);
        forget(reading);
        clear(&bytes);
    }
}

static void test_pcapng_clocks(void **state)
{
    static const struct {
        uint64_t ticks;
        uint64_t time_ns;
        int64_t offset;
        uint8_t resolution;
    } cases[] = {
        {1700000000123456, UINT64_C(1700000000123456000), 0, 6},
        {1700000000123456789, UINT64_C(1700000000123456789), 0, 9},
        {1700000000123, UINT64_C(1700000000123000000), 0, 3},
        {1700000000, 1700000000 * SECOND, 0, 0},
        {5000000001999, 5000000001, 0, 12}, /* picoseconds, rounded down */
        {UINT64_MAX, 1, 0, 28},
        {UINT64_MAX, 0, 0, 29},
        {UINT64_MAX, 0, 0, 127},
        {UINT64_MAX, UINT64_MAX, 0, 6}, /* beyond what nanoseconds of 64 bits can say */
        {UINT64_MAX, UINT64_MAX, 0, 0x80},
        {1024 * 3 + 512, 3 * SECOND + SECOND / 2, 0, 0x80 | 10},
        {UINT64_C(1700000000) << 32 | UINT64_C(0x40000000), 1700000000 * SECOND + SECOND / 4, 0,
         0x80 | 32},
        {UINT64_C(1) << 63, SECOND, 0, 0x80 | 63},
        {UINT64_C(1) << 63, SECOND / 2, 0, 0x80 | 64},
        {UINT64_MAX, 0, 0, 0x80 | 127},
        {500000, 100 * SECOND + SECOND / 2, 100, 6},
        {200500000, 100 * SECOND + SECOND / 2, -100, 6},
        {500000, 0, -100, 6}, /* before 1970 */
        {500000, UINT64_MAX, INT64_MAX, 6},
        {500000, 0, INT64_MIN, 6},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes bytes = {.is_big = i % 2 == 1};

        ng_section(&bytes);
        ng_interface_clock(&bytes, cases[i / 2].resolution, cases[i / 2].offset);
        ng_packet(&bytes, 0, cases[i / 2].ticks, 20, 0);
        struct reading *reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 1);
        assert_packet(&reading->records[0], cases[i / 2].time_ns, 20, 0);
        forget(reading);
        clear(&bytes);
    }
}

static void test_pcapng_sections(void **state)
{
    struct bytes bytes = {0};
    static const uint16_t linktypes[] = {1, 101, 113, 0};

    (void)state;
    ng_section(&bytes);
    ng_interface(&bytes, linktypes[0]);
    ng_packet(&bytes, 0, 1000000, 30, 0);
    ng_interface(&bytes, linktypes[1]);
    ng_packet(&bytes, 1, 2000000, 31, 1);
    bytes.is_big = true;
    ng_section(&bytes);
    ng_interface_clock(&bytes, 9, 0);
    put_at(&bytes, bytes.size - 36, linktypes[2], 2);
    ng_packet(&bytes, 0, 3 * SECOND, 32, 2);
    bytes.is_big = false;
    ng_section(&bytes);
    ng_interface(&bytes, linktypes[3]);
    ng_packet(&bytes, 0, 4000000, 33, 3);

    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 4);
    assert_int_equal(reading->end, 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_packet(&reading->records[i], (i + 1) * SECOND, 30 + i, i);
        assert_int_equal(reading->records[i].interface, i);
        assert_int_equal(reading->records[i].linktype, linktypes[i]);
    }
    forget(reading);
    clear(&bytes);
}

static void test_pcapng_interface_options(void **state)
{
    struct bytes bytes = {0};
    char error[256];

    (void)state;
    ng_section(&bytes);
    size_t begin = ng_interface_begin(&bytes, 1, 96);
    put_option(&bytes, 2, 5);
    put_bytes(&bytes, "eth01\0\0", 8);
    put_option(&bytes, 3, 400); /* cut */
    put_packet(&bytes, 400, 1);
    memset(bytes.data + bytes.size - 400, 'd', 400);
    put_option(&bytes, 13, 1);
    put(&bytes, 32, 4);
    put_option(&bytes, 9, 2); /* of a wrong length: not given */
    put(&bytes, 3, 4);
    put_option(&bytes, 2988, 3); /* custom, unknown */
    put(&bytes, 0, 4);
    block_end(&bytes, begin);
    ng_packet(&bytes, 0, 1000000, 30, 0);

    struct ft_capture_file *file =
        ft_capture_file_open_memory(bytes.data, bytes.size, "name", error, sizeof(error));
    struct ft_capture_record record;
    assert_non_null(file);
    assert_null(ft_capture_file_interface(file, 0));
    assert_int_equal(ft_capture_file_next(file, &record), 1);
    assert_packet(&record, SECOND, 30, 0);
    assert_int_equal(record.fcs_len, 4);
    assert_int_equal(ft_capture_file_interfaces(file), 1);

    const struct ft_capture_interface *interface = ft_capture_file_interface(file, 0);
    assert_string_equal(interface->file, "name");
    assert_string_equal(interface->name, "eth01");
    assert_int_equal(strlen(interface->description), 255);
    assert_int_equal(interface->snaplen, 96);
    assert_int_equal(interface->fcs_len, 4);
    assert_null(ft_capture_file_interface(file, 1));
    assert_int_equal(ft_capture_file_next(file, &record), 0);
    ft_capture_file_close(file);
    clear(&bytes);
}

/* An option that claims more than its block has: what came before it counts, and it is told. */
static void test_pcapng_option_overrun(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    size_t begin = ng_interface_begin(&bytes, 1, 0);
    put_option(&bytes, 9, 1);
    put(&bytes, 9, 4);
    put_option(&bytes, 2, 5);
    put_bytes(&bytes, "eth0", 4);
    block_end(&bytes, begin);
    ng_packet(&bytes, 0, SECOND, 30, 0);

    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 1);
    assert_packet(&reading->records[0], SECOND, 30, 0);
    assert_int_equal(reading->end, -1);
    assert_has(reading->remark, "interface description at byte 28 has an option");
    forget(reading);
    clear(&bytes);
}

static void test_pcapng_simple_packets(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    block_end(&bytes, ng_interface_begin(&bytes, 1, 50));
    ng_simple(&bytes, 41, 41, 0);
    ng_simple(&bytes, 50, 1500, 1); /* cut by the snapshot length */
    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 2);
    assert_int_equal(reading->end, 0);
    assert_packet(&reading->records[0], 0, 41, 0);
    assert_int_equal(reading->records[0].wirelen, 41);
    assert_packet(&reading->records[1], 0, 50, 1);
    assert_int_equal(reading->records[1].wirelen, 1500);
    forget(reading);
    clear(&bytes);
}

static void test_pcapng_unknown_blocks(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    ng_unknown(&bytes, 4, 0);
    ng_interface(&bytes, 1);
    ng_unknown(&bytes, 0x80000001, 17);
    ng_packet(&bytes, 0, 1000000, 30, 0);
    ng_unknown(&bytes, 10, 3 * 1024 * 1024); /* longer than the window */
    ng_packet(&bytes, 0, 2000000, 31, 1);
    ng_unknown(&bytes, 5, 100);

    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 2);
    assert_int_equal(reading->end, 0);
    assert_packet(&reading->records[1], 2 * SECOND, 31, 1);
    forget(reading);

    /* the same, torn within the long block */
    bytes.size -= 1024 * 1024;
    reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 1);
    assert_int_equal(reading->end, -1);
    assert_has(reading->remark, "torn at byte");
    forget(reading);
    clear(&bytes);
}

static void test_pcapng_trailing_length(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    ng_interface(&bytes, 1);
    size_t begin = bytes.size;
    ng_packet(&bytes, 0, 1000000, 30, 0);
    put_at(&bytes, bytes.size - 4, 0, 4);
    ng_packet(&bytes, 0, 2000000, 31, 1);

    struct reading *reading = read_bytes(&bytes);
    char part[64];
    assert_int_equal(reading->count, 2);
    assert_int_equal(reading->end, -1);
    snprintf(part, sizeof(part), "block at byte %zu has length 64 at its front and 0 at", begin);
    assert_has(reading->remark, part);
    forget(reading);
    clear(&bytes);
}

/* Each kind of damage costs its block only; but for the version, which changes what blocks mean. */
enum damage {
    DAMAGE_INTERFACE,
    DAMAGE_CAPLEN,
    DAMAGE_CAPLEN_HUGE,
    DAMAGE_SIMPLE,
    DAMAGE_SHORT,
    DAMAGE_ODD,
    DAMAGE_TINY,
    DAMAGE_LONG,
    DAMAGE_IDB_SHORT,
    DAMAGE_IDB_LONG,
    DAMAGE_BYTE_ORDER,
    DAMAGE_VERSION,
    DAMAGE_NO_INTERFACE,
    DAMAGES,
};

static void put_damage(struct bytes *to, enum damage damage)
{
    size_t begin = to->size;

    switch (damage) {
    case DAMAGE_INTERFACE:
        ng_packet(to, 1, 2000000, 30, 0);
        break;
    case DAMAGE_CAPLEN:
        ng_packet(to, 0, 2000000, 32, 0);
        put_at(to, begin + 20, 33, 4);
        break;
    case DAMAGE_CAPLEN_HUGE:
        ng_packet(to, 0, 2000000, FT_CAPTURE_RECORD_MAX + 1, 0);
        break;
    case DAMAGE_SIMPLE:
        ng_simple(to, 32, 33, 0);
        break;
    case DAMAGE_SHORT:
        ng_unknown(to, 6, 16);
        break;
    case DAMAGE_ODD:
        ng_packet(to, 0, 2000000, 32, 0);
        put_at(to, begin + 4, 65, 4);
        break;
    case DAMAGE_TINY:
        ng_unknown(to, 77, 0);
        put_at(to, begin + 4, 8, 4);
        break;
    case DAMAGE_LONG:
        ng_packet(to, 0, 2000000, 32, 0);
        put_at(to, begin + 4, 0xfffffffc, 4);
        break;
    case DAMAGE_IDB_SHORT:
        ng_unknown(to, 1, 4);
        break;
    case DAMAGE_IDB_LONG:
        ng_unknown(to, 1, 1024 * 1024);
        break;
    case DAMAGE_BYTE_ORDER:
        ng_section(to);
        put_at(to, begin + 8, 0x1a2b3c4e, 4);
        break;
    case DAMAGE_VERSION:
        ng_section(to);
        put_at(to, begin + 12, 2, 2);
        break;
    case DAMAGE_NO_INTERFACE:
        ng_section(to);
        ng_simple(to, 30, 30, 0);
        break;
    case DAMAGES:
        break;
    }
}

static void test_pcapng_damage(void **state)
{
    (void)state;
    for (enum damage damage = 0; damage < DAMAGES; damage++) {
        struct bytes bytes = {0};

        ng_section(&bytes);
        ng_interface(&bytes, 1);
        ng_packet(&bytes, 0, 1000000, 30, 9);
        size_t begin = bytes.size + (damage == DAMAGE_NO_INTERFACE ? 28 : 0);
        put_damage(&bytes, damage);
        ng_packet(&bytes, 0, 3000000, 30, 0);

        bool is_section = damage == DAMAGE_BYTE_ORDER || damage == DAMAGE_NO_INTERFACE;
        if (is_section) { /* interfaces of the section before are none of this one's */
            ng_interface(&bytes, 101);
            ng_packet(&bytes, 0, 4000000, 30, 0);
        }

        struct reading *reading = read_bytes(&bytes);
        char part[64];
        assert_int_equal(reading->end, -1);
        assert_true(reading->is_incomplete);
        assert_packet(&reading->records[0], SECOND, 30, 9);
        if (damage == DAMAGE_VERSION) {
            assert_int_equal(reading->count, 1);
        } else {
            assert_int_equal(reading->count, 2);
            assert_packet(&reading->records[1], (is_section ? 4 : 3) * SECOND, 30, 0);
            assert_int_equal(reading->records[1].linktype, is_section ? 101 : 1);
            assert_int_equal(reading->left_out, is_section ? 2 : 1);
            assert_has(reading->remark, is_section ? "left out, as were 1 others" : "left out");
        }
        snprintf(part, sizeof(part), "at byte %zu", begin);
        assert_has(reading->remark, part);
        forget(reading);
        clear(&bytes);
    }
}

/* Bytes are missing or too many, so that nothing is aligned; and there is no next block. */
static void test_pcapng_find_block(void **state)
{
    (void)state;
    for (size_t odd = 1; odd < 12; odd++) {
        struct bytes bytes = {0};

        ng_section(&bytes);
        ng_interface(&bytes, 1);
        ng_packet(&bytes, 0, 1000000, 30, 9);
        for (size_t i = 0; i < odd; i++) {
            put(&bytes, 0xa5, 1);
        }
        size_t found = bytes.size;
        ng_packet(&bytes, 0, 2000000, 30, 1);
        struct reading *reading = read_bytes(&bytes);
        char part[64];
        assert_int_equal(reading->count, 2);
        assert_packet(&reading->records[1], 2 * SECOND, 30, 1);
        snprintf(part, sizeof(part), "the next one begins at byte %zu", found);
        assert_has(reading->remark, part);
        assert_true(reading->is_incomplete);
        forget(reading);

        bytes.size -= 1; /* torn: no block that is whole follows */
        reading = read_bytes(&bytes);
        assert_int_equal(reading->count, 1);
        assert_has(reading->remark, "processed up to it");
        forget(reading);
        clear(&bytes);
    }
}

static void test_pcapng_interface_limit(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    for (unsigned i = 0; i < FT_CAPTURE_INTERFACES_MAX; i++) {
        ng_interface(&bytes, 1);
    }
    ng_packet(&bytes, FT_CAPTURE_INTERFACES_MAX - 1, 1000000, 30, 9);
    ng_section(&bytes); /* the limit is one of the file */
    ng_interface(&bytes, 1);
    ng_packet(&bytes, 0, 2000000, 30, 9);

    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 1);
    assert_int_equal(reading->records[0].interface, FT_CAPTURE_INTERFACES_MAX - 1);
    assert_int_equal(reading->end, -1);
    assert_has(reading->remark, "more than 65536 interfaces");
    forget(reading);
    clear(&bytes);
}

/* --- what is no capture ------------------------------------------------------------------------
 */

static void assert_refused(const void *data, size_t size, const char *reason)
{
    struct bytes bytes = {0};
    char error[256] = "";

    put_bytes(&bytes, data, size);
    char *path = write_file("refused", &bytes);
    assert_null(read_path(path, error));
    assert_has(error, path);
    assert_has(error, reason);
    assert_null(read_memory(bytes.data, bytes.size, error));
    assert_has(error, "memory: ");
    assert_has(error, reason);
    assert_null(read_pipe(&bytes, 1, error));
    assert_has(error, reason);
    clear(&bytes);
}

static void test_refused(void **state)
{
    char error[256];

    (void)state;
    assert_refused("", 0, ": empty file (0 bytes), expected a pcap or pcapng capture");
    assert_refused("a", 1, ": not a capture (begins with 61), expected pcap or pcapng");
    assert_refused("\xd4\xc3\xb2", 3, "not a capture (begins with d4 c3 b2)");
    assert_refused("hello world", 11, "not a capture (begins with 68 65 6c 6c)");
    assert_refused("\x1f\x8b", 2, "compressed (gzip); unpack it first");
    assert_refused("\x1f\x8b\x08\0\0\0\0\0\0\3", 10, "compressed (gzip); unpack it first");
    assert_refused("\x28\xb5\x2f\xfd....", 8, "compressed (zstd); unpack it first");
    assert_refused("snoop\0\0\0....", 12, "snoop capture; convert it");
    assert_refused("\xd4\xc3\xb2\xa1", 4, "pcap header torn: 4 of 24 bytes");
    assert_refused("\xd4\xc3\xb2\xa1\3\0\0\0................", 24,
                   "pcap version 3.0, expected 2.4");
    assert_refused("\n\r\r\n", 4, "pcapng header torn: 4 of at least 28 bytes");

    assert_null(read_path(path_of("missing"), error));
    assert_has(error, "/missing: No such file or directory");
    assert_null(read_path(folder, error));
    assert_has(error, ": Is a directory");
}

/* What root may read, nobody may not. */
static void test_refused_unreadable(void **state)
{
    struct bytes bytes = {0};
    char error[256];
    uid_t user = geteuid();

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    char *path = write_file("unreadable", &bytes);
    assert_int_equal(chmod(path, 0), 0);
    assert_true(user != 0 || seteuid(65534) == 0);
    struct reading *reading = read_path(path, error);
    assert_int_equal(seteuid(user), 0);
    assert_null(reading);
    assert_has(error, "/unreadable: Permission denied: give this user the right to read it");
    clear(&bytes);
}

static void test_refused_pcapng(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    put_at(&bytes, 8, 0, 4);
    assert_refused(bytes.data, bytes.size, "without byte-order magic");
    put_at(&bytes, 8, 0x1a2b3c4d, 4);
    put_at(&bytes, 4, 24, 4);
    assert_refused(bytes.data, bytes.size, "impossible length");
    put_at(&bytes, 4, 32, 4);
    assert_refused(bytes.data, bytes.size, "pcapng header torn");
    put_at(&bytes, 4, 4000000, 4);
    assert_refused(bytes.data, bytes.size, "pcapng header torn");
    put_at(&bytes, 4, 28, 4);
    put_at(&bytes, 12, 7, 2);
    assert_refused(bytes.data, bytes.size, "pcapng version 7.0");
    clear(&bytes);
}

/* --- cuts, damage, refills ---------------------------------------------------------------------
 */

#define SAMPLES 6

/* Small files that have everything; *opens is the least size that is a capture, *ends where the
 * records end, closed by 0. */
static struct bytes sample(unsigned number, size_t *opens, size_t *ends)
{
    struct bytes bytes = {.is_big = number % 2 == 1};
    bool is_patched = number / 2 == 1;
    size_t count = 0;

    if (number / 2 < 2) {
        pcap_header(&bytes, is_patched ? 0xa1b2cd34 : 0xa1b2c3d4);
        *opens = bytes.size;
        for (uint32_t i = 0; i < 4; i++) {
            pcap_record_head(&bytes, i, 5, 10 * i, 2000);
            put(&bytes, 0, is_patched ? 8 : 0);
            put_packet(&bytes, 10 * i, i);
            ends[count++] = bytes.size;
        }
    } else {
        ng_section(&bytes);
        *opens = bytes.size;
        ng_interface_clock(&bytes, 0x80 | 20, 1000);
        ng_packet(&bytes, 0, 12345678, 21, 0);
        ends[count++] = bytes.size;
        ng_unknown(&bytes, 5, 20);
        ng_simple(&bytes, 19, 19, 1);
        ends[count++] = bytes.size;
        bytes.is_big = !bytes.is_big;
        ng_section(&bytes);
        ng_interface(&bytes, 101);
        ng_packet(&bytes, 0, 22345678, 23, 2);
        ends[count++] = bytes.size;
    }
    ends[count] = 0;
    return bytes;
}

static void check_cut(const struct bytes *bytes, const struct reading *whole, size_t opens,
                      const size_t *ends)
{
    char error[256];
    size_t complete = 0;
    struct reading *cut = read_memory(bytes->data, bytes->size, error);
    struct reading *file = read_path(write_file("cut", bytes), error);

    assert_int_equal(cut != NULL, bytes->size >= opens);
    assert_int_equal(file != NULL, bytes->size >= opens);
    if (cut == NULL) {
        return;
    }
    while (ends[complete] != 0 && ends[complete] <= bytes->size) {
        complete++;
    }
    assert_int_equal(cut->count, complete);
    for (size_t i = 0; i < cut->count; i++) {
        assert_same_record(&cut->records[i], &whole->records[i]);
    }
    if (bytes->size == opens || (complete > 0 && ends[complete - 1] == bytes->size)) {
        assert_int_equal(cut->end, 0);
    }
    if (cut->end == -1) {
        assert_has(cut->remark, "last record torn at byte");
    }
    assert_false(cut->is_incomplete);
    assert_same(cut, file);
    forget(cut);
    forget(file);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for (unsigned number = 0; number < SAMPLES; number++) {
        size_t opens;
        size_t ends[8];
        struct bytes bytes = sample(number, &opens, ends);
        struct reading *whole = read_bytes(&bytes);
        size_t torn = 0;

        for (size_t size = bytes.size; size > 0; size--) {
            struct bytes prefix = {.data = bytes.data, .size = size};
            check_cut(&prefix, whole, opens, ends);
            torn++;
        }
        assert_int_equal(torn, bytes.size);
        forget(whole);
        clear(&bytes);
    }
}

/* Seeded damage to every sample: no crash, the ways of reading agree, records lie in the file. */
static void test_damage(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (unsigned turn = 0; turn < 6000; turn++) {
        size_t opens;
        size_t ends[8];
        struct bytes bytes = sample(turn % SAMPLES, &opens, ends);
        char error[256];

        for (unsigned i = 0; i <= turn % 3; i++) {
            random = random * 1664525 + 1013904223;
            bytes.data[(random >> 8) % bytes.size] = (uint8_t)(turn % 5 == 0 ? 0xff : random >> 24);
        }
        struct reading *memory = read_memory(bytes.data, bytes.size, error);
        struct reading *file = read_path(write_file("damaged", &bytes), error);
        assert_int_equal(memory != NULL, file != NULL);
        if (memory != NULL) {
            assert_same(memory, file);
            forget(memory);
            forget(file);
        }
        clear(&bytes);
    }
}

/* Records of all sizes over several windows: none is lost or shifted where the window is refilled.
 */
static void test_refill(void **state)
{
    struct bytes bytes = {0};
    uint32_t random = 99;

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    for (uint32_t i = 0; i < 1500; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t size = i % 300 == 299 ? FT_CAPTURE_RECORD_MAX - (random >> 24) : random >> 20;
        pcap_record(&bytes, i, 0, size, i);
    }
    assert_true(bytes.size > 4 * 1024 * 1024);
    struct reading *reading = read_bytes(&bytes);
    assert_int_equal(reading->count, 1500);
    assert_int_equal(reading->end, 0);
    for (uint32_t i = 0; i < 1500; i++) {
        assert_packet(&reading->records[i], i * SECOND, reading->records[i].caplen, i);
    }
    forget(reading);
    clear(&bytes);
}

static void test_file_shrinks(void **state)
{
    struct bytes bytes = {0};
    struct ft_capture_record record;
    char error[256];
    size_t count = 0;

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    for (uint32_t i = 0; i < 4000; i++) {
        pcap_record(&bytes, i, 0, 1000, i);
    }
    char *path = write_file("shrinks", &bytes);
    struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
    assert_non_null(file);
    assert_int_equal(ft_capture_file_next(file, &record), 1);
    assert_int_equal(truncate(path, 24 + 1016 * 2000 + 500), 0);
    int end = 1;
    for (count = 1; (end = ft_capture_file_next(file, &record)) == 1; count++) {
        assert_packet(&record, count * SECOND, 1000, (uint32_t)count);
    }
    assert_int_equal(end, -1);
    assert_int_equal(count, 2000);
    assert_has(ft_capture_file_remark(file), "torn at byte 2032024 (500 of 1016 bytes are there)");
    assert_true(ft_capture_file_position(file) <= ft_capture_file_size(file));
    ft_capture_file_close(file);
    clear(&bytes);
}

static void test_rewind_and_progress(void **state)
{
    char error[256];

    (void)state;
    for (unsigned number = 0; number < SAMPLES; number++) {
        size_t opens;
        size_t ends[8];
        struct bytes bytes = sample(number, &opens, ends);
        char *path = write_file("rewind", &bytes);
        struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
        assert_non_null(file);
        assert_true(ft_capture_file_is_seekable(file));
        assert_int_equal(ft_capture_file_size(file), bytes.size);
        assert_int_equal(ft_capture_file_position(file), opens);

        struct reading *first = read_all(file);
        assert_int_equal(ft_capture_file_position(file), bytes.size);
        assert_true(ft_capture_file_rewind(file));
        assert_int_equal(ft_capture_file_position(file), opens);
        struct reading *second = read_all(file);
        assert_same(first, second);

        assert_int_equal(truncate(path, 3), 0);
        assert_false(ft_capture_file_rewind(file));
        assert_has(ft_capture_file_remark(file), "not a capture");
        forget(first);
        forget(second);
        ft_capture_file_close(file);
        clear(&bytes);
    }
}

static void test_pipe_has_no_size(void **state)
{
    struct bytes bytes = {0};
    char error[256];
    char *path = path_of("fifo");

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    pcap_record(&bytes, 1, 0, 100, 0);
    pid_t writer = start_writer(path, &bytes, 7);
    struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
    assert_non_null(file);
    assert_int_equal(ft_capture_file_size(file), 0);
    assert_false(ft_capture_file_is_seekable(file));
    struct reading *reading = read_all(file);
    assert_int_equal(reading->count, 1);
    assert_int_equal(ft_capture_file_position(file), bytes.size);
    assert_false(ft_capture_file_rewind(file));
    forget(reading);
    ft_capture_file_close(file);
    end_writer(writer, path);
    clear(&bytes);
}

static void on_alarm(int number)
{
    (void)number;
}

/* A sensor that waits for a pipe can be stopped: a handler without SA_RESTART ends the reading. */
static void test_pipe_interrupted(void **state)
{
    struct bytes bytes = {0};
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_value.tv_usec = 50000, .it_interval.tv_usec = 50000};
    struct itimerval off = {0};
    char error[256];
    char *path = path_of("waiting");

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    pcap_record(&bytes, 1, 0, 100, 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    int writer = open(path, O_RDWR | O_CLOEXEC); /* stays open: the end does not come */
    assert_true(writer >= 0);
    assert_int_equal(write(writer, bytes.data, bytes.size), bytes.size);
    struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
    assert_non_null(file);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
    struct reading *reading = read_all(file);
    assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
    assert_int_equal(reading->count, 1);
    assert_int_equal(reading->end, -1);
    assert_has(reading->remark, "reading failed at byte 140 (Interrupted system call)");
    assert_false(reading->is_incomplete);
    forget(reading);
    ft_capture_file_close(file);
    close(writer);
    clear(&bytes);
}

/* --- sets --------------------------------------------------------------------------------------
 */

/* A pcap file with packets at the given seconds, each with `mark` as its first byte. */
static char *pcap_at(const char *name, uint8_t mark, const uint32_t *seconds, size_t count)
{
    struct bytes bytes = {0};

    pcap_header(&bytes, 0xa1b2c3d4);
    for (size_t i = 0; i < count; i++) {
        pcap_record_head(&bytes, seconds[i], 0, 1, 60);
        put(&bytes, mark, 1);
    }
    char *path = write_file(name, &bytes);
    clear(&bytes);
    return path;
}

/* Read a set to its end and render it as "a1 b2 ..": mark and second of each packet. */
static void render(struct ft_capture_set *set, char *text, size_t size)
{
    struct ft_capture_record record;
    size_t used = 0;

    text[0] = '\0';
    while (ft_capture_set_next(set, &record) == 1) {
        assert_non_null(ft_capture_set_interface(set, record.interface));
        used += (size_t)snprintf(text + used, size - used, "%s%c%llu", used > 0 ? " " : "",
                                 record.data[0], (unsigned long long)(record.time_ns / SECOND));
        assert_true(used < size);
    }
    assert_int_equal(ft_capture_set_next(set, &record), 0);
}

static void assert_set(const char *const *sources, size_t count, bool merge, uint32_t loops,
                       const char *expected)
{
    struct ft_capture_set_options options = {.merge = merge, .loops = loops};
    char error[256] = "";
    char text[1024];
    struct ft_capture_set *set =
        ft_capture_set_open(sources, count, &options, error, sizeof(error));

    assert_string_equal(error, "");
    assert_non_null(set);
    render(set, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_null(ft_capture_set_remark(set));
    assert_int_equal(ft_capture_set_position(set), ft_capture_set_size(set));
    ft_capture_set_close(set);
}

static void assert_set_refused(const char *const *sources, size_t count, uint32_t loops,
                               const char *reason)
{
    struct ft_capture_set_options options = {.loops = loops};
    char error[256] = "";

    assert_null(ft_capture_set_open(sources, count, &options, error, sizeof(error)));
    assert_has(error, reason);
}

static void test_set_in_row(void **state)
{
    const char *a = pcap_at("a", 'a', (uint32_t[]){5, 6}, 2);
    const char *b = pcap_at("b", 'b', (uint32_t[]){1, 9}, 2);
    const char *empty = pcap_at("empty", 'x', NULL, 0);

    (void)state;
    assert_set((const char *[]){a, b}, 2, false, 0, "a5 a6 b1 b9");
    assert_set((const char *[]){b, empty, a, b}, 4, false, 1, "b1 b9 a5 a6 b1 b9");
    assert_set((const char *[]){empty}, 1, false, 1, "");
    assert_set((const char *[]){empty, empty}, 2, false, 1000000, "");
}

static void test_set_merged(void **state)
{
    const char *a = pcap_at("a", 'a', (uint32_t[]){1, 3, 3, 5}, 4);
    const char *b = pcap_at("b", 'b', (uint32_t[]){1, 3, 4, 5, 6}, 5);
    const char *c =
        pcap_at("c", 'c', (uint32_t[]){3, 0, 9}, 3); /* time goes back within the file */
    const char *empty = pcap_at("empty", 'x', NULL, 0);

    (void)state;
    assert_set((const char *[]){a, b}, 2, true, 0, "a1 b1 a3 a3 b3 b4 a5 b5 b6");
    assert_set((const char *[]){b, a}, 2, true, 0, "b1 a1 b3 a3 a3 b4 b5 a5 b6");
    assert_set((const char *[]){c, empty, a, b}, 4, true, 0, "a1 b1 c3 c0 a3 a3 b3 b4 a5 b5 b6 c9");
    assert_set((const char *[]){empty}, 1, true, 0, "");
}

/* Many files at once: the merge equals a stable sort. */
static void test_set_merged_many(void **state)
{
    enum {
        FILES = 50,
        PACKETS = 20
    };
    const char *sources[FILES];
    char expected[FILES * PACKETS * 8] = "";
    char text[FILES * PACKETS * 8];
    char error[256];
    uint32_t times[FILES][PACKETS];
    uint32_t random = 5;

    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        char name[16];
        uint32_t time = 0;

        for (unsigned j = 0; j < PACKETS; j++) {
            random = random * 1664525 + 1013904223;
            time += random >> 30;
            times[i][j] = time;
        }
        snprintf(name, sizeof(name), "m%u", i);
        sources[i] = strdup(pcap_at(name, (uint8_t)('A' + i), times[i], PACKETS));
    }
    size_t used = 0;
    for (uint32_t time = 0; time < 4 * PACKETS; time++) {
        for (unsigned i = 0; i < FILES; i++) {
            for (unsigned j = 0; j < PACKETS; j++) {
                if (times[i][j] == time) {
                    used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%c%u",
                                             used > 0 ? " " : "", 'A' + i, time);
                }
            }
        }
    }

    struct ft_capture_set_options options = {.merge = true};
    struct ft_capture_set *set =
        ft_capture_set_open(sources, FILES, &options, error, sizeof(error));
    assert_non_null(set);
    render(set, text, sizeof(text));
    assert_string_equal(text, expected);
    ft_capture_set_close(set);
    for (unsigned i = 0; i < FILES; i++) {
        free((void *)(uintptr_t)sources[i]);
    }
}

static void test_set_looped(void **state)
{
    const char *a = pcap_at("a", 'a', (uint32_t[]){10, 12}, 2);
    const char *b = pcap_at("b", 'b', (uint32_t[]){11, 16}, 2);

    (void)state;
    /* 10 to 16 with four packets: a mean gap of 2, thus a shift of 8 */
    assert_set((const char *[]){a, b}, 2, false, 3,
               "a10 a12 b11 b16 a18 a20 b19 b24 a26 a28 b27 b32");
    assert_set((const char *[]){a, b}, 2, true, 2, "a10 b11 a12 b16 a18 b19 a20 b24");
}

/* A single packet tells no gap: time goes on nevertheless. */
static void test_set_looped_single(void **state)
{
    const char *a = pcap_at("a", 'a', (uint32_t[]){10}, 1);
    struct ft_capture_set_options options = {.loops = 3};
    struct ft_capture_record record;
    char error[256];
    uint64_t last = 0;
    size_t count = 0;

    (void)state;
    struct ft_capture_set *set =
        ft_capture_set_open((const char *[]){a}, 1, &options, error, sizeof(error));
    assert_non_null(set);
    while (ft_capture_set_next(set, &record) == 1) {
        assert_true(record.time_ns > last);
        last = record.time_ns;
        count++;
    }
    assert_int_equal(count, 3);
    ft_capture_set_close(set);
}

/* Times at both ends of what 64 bits hold: the shift saturates. */
static void test_set_looped_saturates(void **state)
{
    struct bytes bytes = {0};
    struct ft_capture_set_options options = {.loops = 4};
    struct ft_capture_record record;
    char error[256];
    uint64_t last = 0;
    size_t count = 0;

    (void)state;
    ng_section(&bytes);
    ng_interface_clock(&bytes, 9, 0);
    ng_packet(&bytes, 0, 0, 20, 0);
    ng_packet(&bytes, 0, UINT64_MAX, 20, 0);
    const char *path = write_file("ends", &bytes);
    struct ft_capture_set *set = ft_capture_set_open(&path, 1, &options, error, sizeof(error));
    assert_non_null(set);
    for (; ft_capture_set_next(set, &record) == 1; count++) {
        assert_true(record.time_ns >= last);
        last = record.time_ns;
    }
    assert_int_equal(count, 8);
    ft_capture_set_close(set);
    clear(&bytes);
}

static void test_set_interfaces(void **state)
{
    static const uint32_t expected[] = {0, 1, 2, 0, 1, 2};
    struct bytes bytes = {0};
    struct ft_capture_set_options options = {.loops = 2};
    struct ft_capture_record record;
    char error[256];

    (void)state;
    ng_section(&bytes);
    ng_interface(&bytes, 1);
    size_t begin = ng_interface_begin(&bytes, 101, 0);
    put_option(&bytes, 2, 4);
    put_bytes(&bytes, "tap7", 4);
    block_end(&bytes, begin);
    ng_packet(&bytes, 1, 1000000, 30, 0);
    ng_packet(&bytes, 0, 2000000, 30, 0);
    const char *ng = write_file("two.pcapng", &bytes);
    const char *sources[] = {ng, pcap_at("a", 'a', (uint32_t[]){10}, 1)};

    struct ft_capture_set *set = ft_capture_set_open(sources, 2, &options, error, sizeof(error));
    assert_non_null(set);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(ft_capture_set_next(set, &record), 1);
        assert_int_equal(record.interface, expected[i]);
    }
    assert_int_equal(ft_capture_set_next(set, &record), 0);
    assert_string_equal(ft_capture_set_interface(set, 0)->name, "tap7");
    assert_int_equal(ft_capture_set_interface(set, 0)->linktype, 101);
    assert_string_equal(ft_capture_set_interface(set, 0)->file, ng);
    assert_null(ft_capture_set_interface(set, 1)->name);
    assert_string_equal(ft_capture_set_interface(set, 2)->file, sources[1]);
    assert_null(ft_capture_set_interface(set, 3));
    ft_capture_set_close(set);
    clear(&bytes);
}

/* A packet without time takes the last one of the set, also across files and loops. */
static void test_set_untimed(void **state)
{
    struct bytes bytes = {0};

    (void)state;
    ng_section(&bytes);
    ng_interface(&bytes, 1);
    size_t begin = block_begin(&bytes, 3);
    put(&bytes, 1, 4);
    put_bytes(&bytes, "s", 1);
    block_end(&bytes, begin);
    const char *simple = write_file("simple", &bytes);
    const char *a = pcap_at("a", 'a', (uint32_t[]){10, 20}, 2);
    assert_set((const char *[]){a, simple}, 2, false, 2, "a10 a20 s20 a30 a40 s40");
    clear(&bytes);
}

static void test_set_folder(void **state)
{
    char name[256];
    struct bytes text = {0};
    const char *remark;
    char error[256];
    char got[256];

    (void)state;
    snprintf(name, sizeof(name), "%s/folder", folder);
    assert_int_equal(mkdir(name, 0700), 0);
    assert_set_refused((const char *[]){name}, 1, 1, "no capture among the 0 files");
    put_bytes(&text, "not a capture\n", 14);
    write_file("folder/m.txt", &text);
    assert_set_refused((const char *[]){name}, 1, 1, "no capture among the 1 files");

    pcap_at("folder/b", 'b', (uint32_t[]){1}, 1);
    pcap_at("folder/B", 'B', (uint32_t[]){2}, 1);
    pcap_at("folder/a10", 'y', (uint32_t[]){3}, 1);
    pcap_at("folder/a9", 'z', (uint32_t[]){4}, 1);
    assert_int_equal(mkdir(path_of("folder/deeper"), 0700), 0);
    pcap_at("folder/deeper/c", 'c', (uint32_t[]){5}, 1);
    assert_int_equal(symlink("deeper/c", path_of("folder/link")), 0);
    assert_int_equal(mkfifo(path_of("folder/fifo"), 0600), 0);

    struct ft_capture_set *set =
        ft_capture_set_open((const char *[]){name}, 1, NULL, error, sizeof(error));
    assert_non_null(set);
    remark = ft_capture_set_remark(set);
    assert_non_null(remark);
    assert_has(remark, "/folder/m.txt: not a capture");
    assert_has(remark, ": skipped");
    assert_null(ft_capture_set_remark(set));
    render(set, got, sizeof(got));
    assert_string_equal(got, "B2 y3 z4 b1 c5");
    ft_capture_set_close(set);
    clear(&text);
}

static void test_set_remarks_once(void **state)
{
    struct bytes bytes = {0};
    struct ft_capture_record record;
    struct ft_capture_set_options options = {.loops = 3};
    char error[256];
    size_t count = 0;

    (void)state;
    pcap_header(&bytes, 0xa1b2c3d4);
    pcap_record(&bytes, 1, 0, 60, 0);
    pcap_record(&bytes, 2, 0, 60, 0);
    bytes.size--;
    for (unsigned merge = 0; merge < 2; merge++) {
        const char *path = write_file("torn", &bytes);
        options.merge = merge == 1;
        struct ft_capture_set *set = ft_capture_set_open(&path, 1, &options, error, sizeof(error));
        assert_non_null(set);
        for (count = 0; ft_capture_set_next(set, &record) == 1; count++) {}
        assert_int_equal(count, 3);
        const char *remark = ft_capture_set_remark(set);
        assert_non_null(remark);
        assert_has(remark, "/torn: last record torn at byte 100 (75 of 76 bytes are there)");
        assert_null(ft_capture_set_remark(set));
        ft_capture_set_close(set);
    }
    clear(&bytes);
}

/* A file that goes away between the opening of the set and its turn is left out, and told. */
static void test_set_file_gone(void **state)
{
    const char *sources[] = {pcap_at("a", 'a', (uint32_t[]){1}, 1),
                             pcap_at("gone", 'g', (uint32_t[]){2}, 1),
                             pcap_at("b", 'b', (uint32_t[]){3}, 1)};
    char error[256];
    char got[256];

    (void)state;
    struct ft_capture_set *set = ft_capture_set_open(sources, 3, NULL, error, sizeof(error));
    assert_non_null(set);
    assert_int_equal(unlink(sources[1]), 0);
    render(set, got, sizeof(got));
    assert_string_equal(got, "a1 b3");
    const char *remark = ft_capture_set_remark(set);
    assert_non_null(remark);
    assert_has(remark, "/gone: No such file or directory: check the path: left out");
    ft_capture_set_close(set);
}

/* The same between two loops. */
static void test_set_file_gone_later(void **state)
{
    (void)state;
    for (unsigned merge = 0; merge < 2; merge++) {
        const char *sources[] = {pcap_at("gone", 'g', (uint32_t[]){1}, 1),
                                 pcap_at("a", 'a', (uint32_t[]){2, 4}, 2)};
        struct ft_capture_set_options options = {.merge = merge == 1, .loops = 2};
        struct ft_capture_record record;
        char error[256];
        char got[256];

        struct ft_capture_set *set =
            ft_capture_set_open(sources, 2, &options, error, sizeof(error));
        assert_non_null(set);
        assert_int_equal(ft_capture_set_next(set, &record), 1);
        assert_int_equal(record.data[0], 'g');
        assert_int_equal(ft_capture_set_next(set, &record), 1);
        assert_int_equal(unlink(sources[0]), 0);
        render(set, got, sizeof(got));
        /* from 1 to 4 with three packets: the shift is 4.5 seconds */
        assert_string_equal(got, "a4 a6 a8");
        ft_capture_set_close(set);
    }
}

static void test_set_progress(void **state)
{
    const char *sources[] = {pcap_at("a", 'a', (uint32_t[]){1, 2}, 2),
                             pcap_at("b", 'b', (uint32_t[]){1, 2}, 2)};
    /* two files of a header and two records of 17 bytes, with the place after each record;
     * merged, the next record of each file has been read too */
    static const uint64_t in_row[] = {41, 58, 99, 116, 157, 174, 215, 232};
    static const uint64_t merged[] = {82, 99, 116, 116, 198, 215, 232, 232};

    (void)state;
    for (unsigned merge = 0; merge < 2; merge++) {
        struct ft_capture_set_options options = {.merge = merge == 1, .loops = 2};
        struct ft_capture_record record;
        char error[256];

        struct ft_capture_set *set =
            ft_capture_set_open(sources, 2, &options, error, sizeof(error));
        assert_non_null(set);
        assert_int_equal(ft_capture_set_size(set), 232);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal(ft_capture_set_next(set, &record), 1);
            assert_int_equal(ft_capture_set_position(set), merge == 1 ? merged[i] : in_row[i]);
        }
        ft_capture_set_close(set);
    }
}

/* Interfaces that turn up one by one keep apart, and keep their numbers in the second loop. */
static void test_set_many_interfaces(void **state)
{
    enum {
        INTERFACES = 300
    };
    struct bytes bytes = {0};
    struct ft_capture_set_options options = {.loops = 2};
    struct ft_capture_record record;
    char error[256];

    (void)state;
    ng_section(&bytes);
    for (uint32_t i = 0; i < INTERFACES; i++) {
        ng_interface(&bytes, (uint16_t)(1000 + i));
        ng_packet(&bytes, i, i, 20, 0);
        ng_packet(&bytes, i / 2, i, 20, 0);
    }
    const char *path = write_file("many", &bytes);
    struct ft_capture_set *set = ft_capture_set_open(&path, 1, &options, error, sizeof(error));
    assert_non_null(set);
    for (uint32_t i = 0; i < 2 * INTERFACES; i++) {
        assert_int_equal(ft_capture_set_next(set, &record), 1);
        assert_int_equal(record.interface, i % INTERFACES);
        assert_int_equal(ft_capture_set_next(set, &record), 1);
        assert_int_equal(record.interface, i % INTERFACES / 2);
        assert_int_equal(ft_capture_set_interface(set, record.interface)->linktype,
                         record.linktype);
    }
    assert_int_equal(ft_capture_set_next(set, &record), 0);
    ft_capture_set_close(set);
    clear(&bytes);
}

static void test_set_refused(void **state)
{
    struct bytes empty = {0};
    const char *a = pcap_at("a", 'a', (uint32_t[]){1}, 1);

    (void)state;
    assert_set_refused(NULL, 0, 1, "no capture given");
    assert_set_refused((const char *[]){a, path_of("missing")}, 2, 1, "/missing: No such file");
    assert_set_refused((const char *[]){a, write_file("zero", &empty)}, 2, 1, "/zero: empty file");
    assert_set_refused((const char *[]){""}, 1, 1, "No such file");
}

/* Put a file or a pipe in the place of standard input while a check runs. */
static void with_input(int input, void (*check)(void))
{
    int saved = dup(STDIN_FILENO);

    assert_true(input >= 0);
    assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
    close(input);
    check();
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
}

static void check_input_file(void)
{
    assert_set((const char *[]){"-"}, 1, false, 2, "i4 i6 i8 i10");
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    assert_set((const char *[]){"-", path_of("a")}, 2, true, 1, "i4 a5 i6");
    assert_set_refused((const char *[]){"-", "-"}, 2, 1, "standard input can be given only once");
}

static void check_input_pipe(void)
{
    char error[256];
    char got[64];
    struct ft_capture_set *set =
        ft_capture_set_open((const char *[]){path_of("a"), "-"}, 2, NULL, error, sizeof(error));

    assert_non_null(set);
    assert_int_equal(ft_capture_set_size(set), 0);
    render(set, got, sizeof(got));
    assert_string_equal(got, "a5 i4 i6");
    ft_capture_set_close(set);
}

static void check_input_pipe_looped(void)
{
    assert_set_refused((const char *[]){"-"}, 1, 2, "-: a pipe cannot be read 2 times");
}

static void test_set_standard_input(void **state)
{
    static const uint32_t seconds[] = {4, 6};

    (void)state;
    pcap_at("a", 'a', (uint32_t[]){5}, 1);
    FILE *file = fopen(pcap_at("input", 'i', seconds, 2), "rb");
    uint8_t bytes[256];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    rewind(file);
    with_input(dup(fileno(file)), check_input_file);
    fclose(file);

    for (unsigned i = 0; i < 2; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], bytes, size), size);
        close(ends[1]);
        with_input(ends[0], i == 0 ? check_input_pipe : check_input_pipe_looped);
    }
}

/* --- real captures -----------------------------------------------------------------------------
 */

static long count_packets(const char *path)
{
    char error[256];
    struct ft_capture_record record;
    struct ft_capture_file *file = ft_capture_file_open(path, error, sizeof(error));
    long count = 0;

    if (file == NULL) {
        print_message("%s\n", error);
        return -1;
    }
    while (ft_capture_file_next(file, &record) == 1) {
        count++;
    }
    ft_capture_file_close(file);
    return count;
}

/* The packet counts of the collection beside the checkout (or in FT_TEST_CAPTURES), when present.
 */
static void test_collection(void **state)
{
    const char *given = getenv("FT_TEST_CAPTURES");
    const char *root = given != NULL ? given : FT_SOURCE_ROOT "/../shared/captures";
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    unsigned differ = 0;

    (void)state;
    snprintf(path, sizeof(path), "%s/INDEX.tsv", root);
    FILE *index = fopen(path, "r");
    if (index == NULL) {
        skip();
    }
    while (getline(&line, &room, index) > 0) {
        char name[1024];
        long expected;

        if (sscanf(line, "%1023[^\t]\t%*[^\t]\t%ld", name, &expected) != 2) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", root, name);
        long count = count_packets(path);
        if (count != expected) {
            print_message("%s: %ld packets, expected %ld\n", name, count, expected);
            differ++;
        }
    }
    free(line);
    fclose(index);
    assert_int_equal(differ, 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_variants),
        cmocka_unit_test(test_pcap_versions),
        cmocka_unit_test(test_pcap_link_types),
        cmocka_unit_test(test_pcap_header_only),
        cmocka_unit_test(test_pcap_fraction_above_second),
        cmocka_unit_test(test_pcap_greatest_record),
        cmocka_unit_test(test_pcapng_packets),
        cmocka_unit_test(test_pcapng_clocks),
        cmocka_unit_test(test_pcapng_sections),
        cmocka_unit_test(test_pcapng_interface_options),
        cmocka_unit_test(test_pcapng_option_overrun),
        cmocka_unit_test(test_pcapng_simple_packets),
        cmocka_unit_test(test_pcapng_unknown_blocks),
        cmocka_unit_test(test_pcapng_trailing_length),
        cmocka_unit_test(test_pcapng_damage),
        cmocka_unit_test(test_pcapng_find_block),
        cmocka_unit_test(test_pcapng_interface_limit),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_unreadable),
        cmocka_unit_test(test_refused_pcapng),
        cmocka_unit_test(test_pipe_interrupted),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refill),
        cmocka_unit_test(test_file_shrinks),
        cmocka_unit_test(test_rewind_and_progress),
        cmocka_unit_test(test_pipe_has_no_size),
        cmocka_unit_test(test_set_in_row),
        cmocka_unit_test(test_set_merged),
        cmocka_unit_test(test_set_merged_many),
        cmocka_unit_test(test_set_looped),
        cmocka_unit_test(test_set_looped_single),
        cmocka_unit_test(test_set_looped_saturates),
        cmocka_unit_test(test_set_interfaces),
        cmocka_unit_test(test_set_untimed),
        cmocka_unit_test(test_set_folder),
        cmocka_unit_test(test_set_remarks_once),
        cmocka_unit_test(test_set_file_gone),
        cmocka_unit_test(test_set_file_gone_later),
        cmocka_unit_test(test_set_progress),
        cmocka_unit_test(test_set_many_interfaces),
        cmocka_unit_test(test_set_refused),
        cmocka_unit_test(test_set_standard_input),
        cmocka_unit_test(test_collection),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
