/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a file of events. */
#include "output/file_tail.h"

#include "forward/event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL (256u << 10) /* more than the longest event and those of gaps behind it */

/* The last bytes of a file, at most TAIL; NULL when they cannot be read. */
static char *read_tail(int fd, uint64_t *offset, uint32_t *length)
{
    struct stat st;
    char *bytes = malloc(TAIL);
    if (!bytes || fstat(fd, &st) < 0) {
        free(bytes);
        return NULL;
    }
    uint64_t size = (uint64_t)st.st_size;
    *offset = size > TAIL ? size - TAIL : 0;
    *length = 0;
    while (*length < size - *offset) {
        ssize_t n =
            pread(fd, bytes + *length, size - *offset - *length, (off_t)(*offset + *length));
        if (n <= 0)
            break;
        *length += (uint32_t)n;
    }
    return bytes;
}

bool ft_file_tail_mend(int fd, uint64_t *size)
{
    uint64_t offset;
    uint32_t length;
    char *bytes = read_tail(fd, &offset, &length);
    if (!bytes)
        return false;
    const char *last = memrchr(bytes, '\n', length);
    uint64_t whole = last ? offset + (uint64_t)(last - bytes) + 1 : 0;
    bool ok = true;
    *size = offset + length;
    if (!last && offset) {
        ok = write(fd, "\n", 1) == 1;
        *size += 1;
    } else if (whole < *size) {
        ok = ftruncate(fd, (off_t)whole) == 0;
        *size = whole;
    }
    free(bytes);
    return ok;
}

/* SENSOR-NUMBER; 0 = another one. */
static uint64_t sequence_of(const char *line, size_t length, const char *sensor)
{
    struct ft_forward_event event = {0};
    size_t n = strlen(sensor);
    uint64_t number = 0;
    bool is_event = ft_forward_event_skim(&event, line, length);
    const char *uid = event.uid.text;
    if (is_event && event.uid.length > n + 1 && event.uid.length <= n + 20 &&
        !memcmp(uid, sensor, n) && uid[n] == '-')
        for (size_t i = n + 1; i < event.uid.length; i++) {
            if (uid[i] < '0' || uid[i] > '9') {
                number = 0;
                break;
            }
            number = number * 10 + (uint64_t)(uid[i] - '0');
        }
    ft_forward_event_free(&event);
    return number;
}

uint64_t ft_file_tail_sequence(int fd, const char *sensor)
{
    uint64_t offset, found = 0;
    uint32_t length;
    char *bytes = read_tail(fd, &offset, &length);
    while (bytes && length && !found) {
        /* bytes[length - 1] ends a line */
        const char *before = memrchr(bytes, '\n', length - 1);
        uint32_t begin = before ? (uint32_t)(before - bytes) + 1 : 0;
        if (bytes[length - 1] == '\n')
            found = sequence_of(bytes + begin, length - 1 - begin, sensor);
        length = begin;
    }
    free(bytes);
    return found;
}
