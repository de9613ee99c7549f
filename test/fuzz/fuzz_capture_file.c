/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of the capture reader, both formats: the input is the file. It is read from memory, where
 * a sanitizer sees every byte beyond it, and from a descriptor through the smallest window, where
 * refilling, growing and seeking happen all the time; the two must agree in every record and in the
 * remark.
 */
#include "capture/file_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More is not needed to reach every line, and keeps the executions short. */
#define INPUT_MAX ((size_t)1024 * 1024)

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* Put the input into a file without a name, at *path. Returns its descriptor. */
static int make_file(const uint8_t *data, size_t size, char *path, size_t path_size)
{
    int descriptor = memfd_create("capture", MFD_CLOEXEC);

    expect(descriptor >= 0, "memfd_create works");
    expect(write(descriptor, data, size) == (ssize_t)size, "the input is written");
    snprintf(path, path_size, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

static void check_record(const struct ft_capture_file *file, const struct ft_capture_record *record,
                         const uint8_t *data, size_t size)
{
    expect(record->caplen <= FT_CAPTURE_RECORD_MAX, "caplen is bounded");
    expect(record->caplen <= record->wirelen, "caplen is at most wirelen");
    expect(record->data >= data && record->data + record->caplen <= data + size,
           "the packet lies in the file");

    const struct ft_capture_interface *interface =
        ft_capture_file_interface(file, record->interface);
    expect(interface != NULL && interface->linktype == record->linktype, "the interface is known");
}

static void check_same(const struct ft_capture_record *a, const struct ft_capture_record *b)
{
    expect(a->time_ns == b->time_ns && a->caplen == b->caplen && a->wirelen == b->wirelen &&
               a->interface == b->interface && a->linktype == b->linktype &&
               a->fcs_len == b->fcs_len && a->is_timed == b->is_timed,
           "both ways give the same record");
    expect(memcmp(a->data, b->data, a->caplen) == 0, "both ways give the same packet");
}

/* Read both to the end. */
static void compare(struct ft_capture_file *memory, struct ft_capture_file *file,
                    const uint8_t *data, size_t size)
{
    struct ft_capture_record a;
    struct ft_capture_record b;
    int result = 1;

    while (result == 1) {
        result = ft_capture_file_next(memory, &a);
        expect(result == ft_capture_file_next(file, &b), "both ways end together");
        if (result == 1) {
            check_record(memory, &a, data, size);
            check_same(&a, &b);
        }
    }
    expect(strcmp(memory->remark, file->remark) == 0, "both ways say the same");
    expect((result == -1) == (memory->remark[0] != '\0'), "-1 comes with a remark, 0 without");
    expect(ft_capture_file_position(memory) <= size, "the position lies in the file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error_memory[256] = "";
    char error_file[256] = "";
    char path[64];

    if (size > INPUT_MAX) {
        return 0;
    }
    int descriptor = make_file(data, size, path, sizeof(path));
    struct ft_capture_file *memory =
        ft_capture_file_open_memory(data, size, path, error_memory, sizeof(error_memory));
    struct ft_capture_file *file =
        ft_capture_file_open_window(path, 1, error_file, sizeof(error_file));
    expect((memory == NULL) == (file == NULL), "both ways open");
    expect(strcmp(error_memory, error_file) == 0, "both ways refuse with the same sentence");
    if (memory != NULL) {
        compare(memory, file, data, size);
        expect(ft_capture_file_rewind(memory), "memory can be read again");
        expect(ft_capture_file_rewind(file), "the file can be read again");
        compare(memory, file, data, size);
    }
    ft_capture_file_close(memory);
    ft_capture_file_close(file);
    close(descriptor);
    return 0;
}
