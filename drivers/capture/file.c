/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening a capture file, saying what it is when it is none, and all that does not depend on the
 * format. */
#include "capture/file.h"

#include "capture/file_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* LINKTYPE_RAW, and the numbers that BSDs gave the same thing; files carry those where the writer
 * stored its own DLT_ instead of the LINKTYPE_. */
#define LINKTYPE_RAW    101
#define DLT_RAW_MOST    12
#define DLT_RAW_OPENBSD 14

/* The longest beginning in the table below, thus what is looked at of a file that is no capture. */
#define BEGINNING 8

/* Files that people give by mistake, known by how they begin, and what to do about each. */
static const struct {
    const char *bytes;
    size_t size;
    const char *what;
} foreign_files[] = {
    {"\x1f\x8b", 2, "compressed (gzip); unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, "compressed (zstd); unpack it first"},
    {"\xfd"
     "7zXZ\0",
     6, "compressed (xz); unpack it first"},
    {"\x04\x22\x4d\x18", 4, "compressed (lz4); unpack it first"},
    {"BZh", 3, "compressed (bzip2); unpack it first"},
    {"PK\x03\x04", 4, "a ZIP archive; unpack it first"},
    {"7z\xbc\xaf\x27\x1c", 6, "a 7-Zip archive; unpack it first"},
    {"snoop\0\0\0", 8, "a snoop capture; convert it first (editcap -F pcapng)"},
    {"GMBU", 4, "a Network Monitor capture; convert it first (editcap -F pcapng)"},
    {"TRSNIFF ", 8, "a Sniffer capture; convert it first (editcap -F pcapng)"},
    {"XCP\0", 4, "a NetXRay capture; convert it first (editcap -F pcapng)"},
};

uint16_t ft_capture_linktype(uint32_t value)
{
    if (value == DLT_RAW_MOST || value == DLT_RAW_OPENBSD) {
        return LINKTYPE_RAW;
    }
    return value < FT_CAPTURE_LINKTYPE_UNKNOWN ? (uint16_t)value : FT_CAPTURE_LINKTYPE_UNKNOWN;
}

void ft_capture_note(struct ft_capture_file *file, const char *format, ...)
{
    va_list arguments;

    if (file->remark[0] != '\0') {
        return;
    }
    va_start(arguments, format);
    vsnprintf(file->remark, sizeof(file->remark), format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 0))) static int end_with(struct ft_capture_file *file,
                                                          const char *format, va_list arguments)
{
    vsnprintf(file->remark, sizeof(file->remark), format, arguments);
    return -1;
}

int ft_capture_end_damaged(struct ft_capture_file *file, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    end_with(file, format, arguments);
    va_end(arguments);
    file->is_incomplete = true;
    return -1;
}

/* The end as captures have it that were stopped. */
__attribute__((format(printf, 2, 3))) static int end_torn(struct ft_capture_file *file,
                                                          const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    end_with(file, format, arguments);
    va_end(arguments);
    return -1;
}

void ft_capture_leave_out(struct ft_capture_file *file, const char *format, ...)
{
    va_list arguments;

    file->is_incomplete = true;
    if (file->left_out++ > 0) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(file->left_out_first, sizeof(file->left_out_first), format, arguments);
    va_end(arguments);
}

/* Say at the end what was left out, before whatever else there is to say. */
static void remark_left_out(struct ft_capture_file *file)
{
    char rest[FT_CAPTURE_REMARK_SIZE];
    char others[64] = "";

    if (file->left_out > 1) {
        snprintf(others, sizeof(others), ", as were %llu others",
                 (unsigned long long)file->left_out - 1);
    }
    memcpy(rest, file->remark, sizeof(rest));
    snprintf(file->remark, sizeof(file->remark), "%s: left out%s%s%.200s", file->left_out_first,
             others, rest[0] == '\0' ? "" : "; ", rest);
}

int ft_capture_end_short(struct ft_capture_file *file, uint64_t offset, uint64_t size)
{
    uint64_t end = ft_source_position(&file->source) + ft_source_rest(&file->source);
    uint64_t there = end > offset ? end - offset : 0;

    if (file->source.error != 0) {
        ft_capture_end_damaged(file, "reading failed at byte %llu (%s): processed up to it",
                               (unsigned long long)end, strerror(file->source.error));
        file->is_incomplete = file->left_out > 0 || file->source.error != EINTR;
        return -1;
    }
    if (there == 0) {
        return file->remark[0] == '\0' ? 0 : -1;
    }
    if (there >= size) {
        return end_torn(file, "last record torn at byte %llu: processed up to it",
                        (unsigned long long)offset);
    }
    return end_torn(
        file, "last record torn at byte %llu (%llu of %llu bytes are there): processed up to it",
        (unsigned long long)offset, (unsigned long long)there, (unsigned long long)size);
}

struct ft_capture_source_interface *ft_capture_add_interface(struct ft_capture_file *file)
{
    if (file->interface_count == FT_CAPTURE_INTERFACES_MAX) {
        ft_capture_end_damaged(file, "more than %d interfaces: processed up to byte %llu",
                               FT_CAPTURE_INTERFACES_MAX,
                               (unsigned long long)ft_source_position(&file->source));
        return NULL;
    }

    if (file->interface_count == file->interface_capacity) {
        uint32_t capacity = file->interface_capacity == 0 ? 4 : file->interface_capacity * 2;
        void *grown = realloc(file->interfaces, capacity * sizeof(*file->interfaces));
        if (grown == NULL) {
            ft_capture_end_damaged(file, "out of memory");
            return NULL;
        }
        file->interfaces = grown;
        file->interface_capacity = capacity;
    }

    struct ft_capture_source_interface *interface = calloc(1, sizeof(*interface));
    if (interface == NULL) {
        ft_capture_end_damaged(file, "out of memory");
        return NULL;
    }
    interface->shown.file = file->path;
    file->interfaces[file->interface_count++] = interface;
    return interface;
}

const char *ft_capture_advice(int failure)
{
    switch (failure) {
    case ENOENT:
    case ENOTDIR:
        return "check the path";
    case EACCES:
    case EPERM:
        return "give this user the right to read it";
    case EISDIR:
        return "give a file of it";
    case EMFILE:
    case ENFILE:
        return "allow more open files (ulimit -n)";
    case ENOMEM:
        return "free some memory";
    default:
        return "copy it to another disk or check this one";
    }
}

static void forget_interfaces(struct ft_capture_file *file)
{
    for (uint32_t i = 0; i < file->interface_count; i++) {
        free((char *)(uintptr_t)file->interfaces[i]->shown.name);
        free((char *)(uintptr_t)file->interfaces[i]->shown.description);
        free(file->interfaces[i]);
    }
    file->interface_count = 0;
    file->section_first = 0;
}

/* Say what a file is that is no capture. Returns false. */
static bool refuse(struct ft_capture_file *file, const uint8_t *begin, size_t size)
{
    if (file->source.error != 0) {
        ft_capture_end_damaged(file, "%s", strerror(file->source.error));
        return false;
    }
    if (size == 0) {
        ft_capture_end_damaged(file, "empty file (0 bytes), expected a pcap or pcapng capture");
        return false;
    }
    for (size_t i = 0; i < sizeof(foreign_files) / sizeof(foreign_files[0]); i++) {
        if (size >= foreign_files[i].size &&
            memcmp(begin, foreign_files[i].bytes, foreign_files[i].size) == 0) {
            ft_capture_end_damaged(file, "%s", foreign_files[i].what);
            return false;
        }
    }

    char shown[3 * BEGINNING + 1] = "";
    size_t count = size < 4 ? size : 4;
    for (size_t i = 0; i < count; i++) {
        snprintf(shown + 3 * i, sizeof(shown) - 3 * i, " %02x", begin[i]);
    }
    ft_capture_end_damaged(file, "not a capture (begins with%s), expected pcap or pcapng", shown);
    return false;
}

/* Recognise the format and read the file's header. On failure the remark says why. */
static bool read_header(struct ft_capture_file *file)
{
    const uint8_t *begin = ft_source_need(&file->source, 4);

    if (begin != NULL && ft_pcap_is_magic(begin)) {
        return ft_pcap_open(file);
    }
    if (begin != NULL && ft_pcapng_is_magic(begin)) {
        return ft_pcapng_open(file);
    }

    size_t size = BEGINNING;
    begin = ft_source_need(&file->source, size);
    if (begin == NULL) {
        size = ft_source_rest(&file->source);
        begin = file->source.window == NULL ? NULL : file->source.window + file->source.at;
    }
    return refuse(file, begin, size);
}

/* Finish opening a file whose source is set up; takes it down again on failure. */
static struct ft_capture_file *begin_reading(struct ft_capture_file *file, const char *path,
                                             char *error, size_t error_size)
{
    file->path = strdup(path);
    if (file->path == NULL) {
        ft_capture_end_damaged(file, "out of memory");
    } else if (read_header(file)) {
        return file;
    }
    snprintf(error, error_size, "%s: %s", path, file->remark);
    ft_capture_file_close(file);
    return NULL;
}

struct ft_capture_file *ft_capture_file_open_window(const char *path, size_t window_max,
                                                    char *error, size_t error_size)
{
    struct ft_capture_file *file = calloc(1, sizeof(*file));
    int failure = file == NULL ? ENOMEM : ft_source_open(&file->source, path, window_max);

    if (failure != 0) {
        snprintf(error, error_size, "cannot read %s: %s: %s", path, strerror(failure),
                 ft_capture_advice(failure));
        free(file);
        return NULL;
    }
    return begin_reading(file, path, error, error_size);
}

struct ft_capture_file *ft_capture_file_open(const char *path, char *error, size_t error_size)
{
    return ft_capture_file_open_window(path, FT_SOURCE_WINDOW, error, error_size);
}

struct ft_capture_file *ft_capture_file_open_memory(const void *data, size_t size, const char *name,
                                                    char *error, size_t error_size)
{
    struct ft_capture_file *file = calloc(1, sizeof(*file));

    if (file == NULL) {
        snprintf(error, error_size, "%s: out of memory", name);
        return NULL;
    }
    ft_source_open_memory(&file->source, data, size);
    return begin_reading(file, name, error, error_size);
}

int ft_capture_file_next(struct ft_capture_file *file, struct ft_capture_record *record)
{
    if (file->is_ended) {
        return file->end;
    }

    int result = file->next(file, record);
    if (result != 1) {
        if (file->left_out > 0) {
            remark_left_out(file);
            result = -1;
        }
        file->is_ended = true;
        file->end = result;
    }
    return result;
}

const char *ft_capture_file_remark(const struct ft_capture_file *file)
{
    return file->remark[0] == '\0' ? NULL : file->remark;
}

bool ft_capture_file_is_incomplete(const struct ft_capture_file *file)
{
    return file->is_incomplete;
}

uint64_t ft_capture_file_left_out(const struct ft_capture_file *file)
{
    return file->left_out;
}

uint64_t ft_capture_file_size(const struct ft_capture_file *file)
{
    return file->source.size;
}

uint64_t ft_capture_file_position(const struct ft_capture_file *file)
{
    uint64_t position = ft_source_position(&file->source);

    return file->source.is_seekable && position > file->source.size ? file->source.size : position;
}

uint32_t ft_capture_file_interfaces(const struct ft_capture_file *file)
{
    return file->interface_count;
}

const struct ft_capture_interface *ft_capture_file_interface(const struct ft_capture_file *file,
                                                             uint32_t index)
{
    return index < file->interface_count ? &file->interfaces[index]->shown : NULL;
}

bool ft_capture_file_is_seekable(const struct ft_capture_file *file)
{
    return file->source.is_seekable;
}

bool ft_capture_file_rewind(struct ft_capture_file *file)
{
    file->remark[0] = '\0';
    file->left_out = 0;
    file->is_incomplete = false;
    if (!ft_source_rewind(&file->source)) {
        ft_capture_end_damaged(file, "a pipe cannot be read again");
        return false;
    }

    forget_interfaces(file);
    file->last_time_ns = 0;
    file->is_ended = !read_header(file);
    file->end = -1;
    return !file->is_ended;
}

void ft_capture_file_close(struct ft_capture_file *file)
{
    if (file == NULL) {
        return;
    }
    forget_interfaces(file);
    free(file->interfaces);
    ft_source_close(&file->source);
    free(file->path);
    free(file);
}
