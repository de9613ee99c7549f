/* SPDX-License-Identifier: BSD-3-Clause */
/* Several captures read as one: in a row or merged, once or looped. */
#include "capture/set.h"

#include "capture/file_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Merging keeps a buffer per file. This is the most they may take together, and the least one gets.
 */
#define MERGE_WINDOWS    ((size_t)64 * 1024 * 1024)
#define MERGE_WINDOW_MIN ((size_t)64 * 1024)

/* The step from one loop to the next where the packets tell none: a single one, or all at one time.
 */
#define LOOP_GAP_NS UINT64_C(1000000)

#define UNMAPPED UINT32_MAX

/* One capture of the set. */
struct entry {
    char *path;
    struct ft_capture_file *file; /* NULL while not open */
    uint64_t size;
    bool is_seekable;
    bool is_remarked;              /* what there is to say about it has been said */
    struct ft_capture_record head; /* merging: its next record */
    uint32_t *interfaces;          /* index in the set by index in the file, or UNMAPPED */
    uint32_t interface_count;
};

/* What one reading of the set has seen, from which the time shift of the next follows. */
struct span {
    uint64_t first_ns;
    uint64_t last_ns;
    uint64_t timed; /* records with a time stamp */
    uint64_t records;
};

struct ft_capture_set {
    struct entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    struct ft_capture_set_options options;

    size_t current; /* in a row: the entry that is read */
    uint32_t *heap; /* merging: entries with a head, least first; ties by entry */
    uint32_t heap_count;
    bool is_head_given; /* merging: the head of heap[0] has been delivered */

    uint32_t loop; /* readings finished */
    struct span span;
    uint64_t step_ns;  /* from one reading to the next */
    uint64_t shift_ns; /* of this reading */
    uint64_t last_time_ns;

    struct ft_capture_interface **interfaces;
    uint32_t interface_count;
    uint32_t interface_capacity;

    uint64_t left_out;  /* what was left out of the middle of files, each file counted once */
    bool is_incomplete; /* not all of the set could be read */

    char **remarks;
    size_t remark_count;
    size_t remark_capacity;
    size_t remarks_taken;
};

/* Make room for one more element. Returns the array, moved or not, or NULL without memory. */
static void *room_for_one(void *array, size_t count, size_t *capacity, size_t element)
{
    if (count < *capacity) {
        return array;
    }
    size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = reallocarray(array, wanted, element);
    if (grown != NULL) {
        *capacity = wanted;
    }
    return grown;
}

/* Keep a sentence for the caller. One that finds no memory is lost; the reading goes on. */
static void add_remark(struct ft_capture_set *set, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_remark(struct ft_capture_set *set, const char *format, ...)
{
    char **remarks =
        room_for_one(set->remarks, set->remark_count, &set->remark_capacity, sizeof(*remarks));
    va_list arguments;

    if (remarks == NULL) {
        return;
    }
    set->remarks = remarks;
    va_start(arguments, format);
    if (vasprintf(&remarks[set->remark_count], format, arguments) >= 0) {
        set->remark_count++;
    }
    va_end(arguments);
}

static bool add_entry(struct ft_capture_set *set, const char *path, char *error, size_t error_size)
{
    struct entry *entries =
        room_for_one(set->entries, set->entry_count, &set->entry_capacity, sizeof(*entries));
    char *copy = strdup(path);

    if (entries != NULL) {
        set->entries = entries;
    }
    if (entries == NULL || copy == NULL) {
        free(copy);
        snprintf(error, error_size, "%s: out of memory", path);
        return false;
    }
    set->entries[set->entry_count++] = (struct entry){.path = copy};
    return true;
}

static size_t window_for(const struct ft_capture_set *set)
{
    if (!set->options.merge) {
        return FT_SOURCE_WINDOW;
    }
    size_t share = MERGE_WINDOWS / set->entry_count;
    share = share < FT_SOURCE_WINDOW ? share : FT_SOURCE_WINDOW;
    return share > MERGE_WINDOW_MIN ? share : MERGE_WINDOW_MIN;
}

static bool open_entry(struct ft_capture_set *set, struct entry *entry, char *error,
                       size_t error_size)
{
    entry->file = ft_capture_file_open_window(entry->path, window_for(set), error, error_size);
    return entry->file != NULL;
}

static void close_entry(struct entry *entry)
{
    ft_capture_file_close(entry->file);
    entry->file = NULL;
}

/* See that an entry is a capture; a pipe stays open, because what was read of it is gone. */
static bool check_entry(struct ft_capture_set *set, struct entry *entry, char *error,
                        size_t error_size)
{
    if (!open_entry(set, entry, error, error_size)) {
        return false;
    }
    entry->size = ft_capture_file_size(entry->file);
    entry->is_seekable = ft_capture_file_is_seekable(entry->file);
    if (set->options.loops > 1 && !entry->is_seekable) {
        snprintf(error, error_size, "%s: a pipe cannot be read %u times, give it as a file",
                 entry->path, set->options.loops);
        close_entry(entry);
        return false;
    }
    if (entry->is_seekable && strcmp(entry->path, "-") != 0) {
        close_entry(entry);
    }
    return true;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* By bytes and not by locale: the same order on every machine. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **list;
    size_t count;
    size_t capacity;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
}

/* The paths of the regular files (links to some included) of a folder, sorted. Returns 0 or an
 * errno. */
static int list_folder(const char *folder, struct names *names)
{
    DIR *directory = opendir(folder);
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    struct dirent *item;
    int failure = 0;

    if (directory == NULL) {
        return errno;
    }
    while (failure == 0 && (errno = 0, item = readdir(directory)) != NULL) {
        struct stat status;
        char **list = room_for_one(names->list, names->count, &names->capacity, sizeof(*list));
        char *path = NULL;

        if (list == NULL) {
            failure = ENOMEM;
            break;
        }
        names->list = list;
        if (fstatat(dirfd(directory), item->d_name, &status, 0) != 0 || !S_ISREG(status.st_mode)) {
            continue;
        }
        if (asprintf(&path, "%s%s%s", folder, slash, item->d_name) < 0) {
            failure = ENOMEM;
            break;
        }
        names->list[names->count++] = path;
    }
    if (failure == 0) {
        failure = errno;
    }
    closedir(directory);
    if (names->count > 0) {
        qsort(names->list, names->count, sizeof(*names->list), compare_names);
    }
    return failure;
}

/* Add the captures among the files of a folder. */
static bool add_files_of(struct ft_capture_set *set, const char *folder, const struct names *names,
                         char *error, size_t error_size)
{
    size_t before = set->entry_count;

    for (size_t i = 0; i < names->count; i++) {
        if (!add_entry(set, names->list[i], error, error_size)) {
            return false;
        }
        struct entry *entry = &set->entries[set->entry_count - 1];
        char why[512];
        if (!check_entry(set, entry, why, sizeof(why))) {
            add_remark(set, "%s: skipped", why);
            free(entry->path);
            set->entry_count--;
        }
    }
    if (set->entry_count == before) {
        snprintf(error, error_size,
                 "%s: no capture among the %zu files in this folder, expected pcap or pcapng",
                 folder, names->count);
        return false;
    }
    return true;
}

static bool add_folder(struct ft_capture_set *set, const char *folder, char *error,
                       size_t error_size)
{
    struct names names = {0};
    int failure = list_folder(folder, &names);
    bool is_ok = failure == 0;

    if (is_ok) {
        is_ok = add_files_of(set, folder, &names, error, error_size);
    } else {
        snprintf(error, error_size, "cannot read %s: %s: %s", folder, strerror(failure),
                 ft_capture_advice(failure));
    }
    free_names(&names);
    return is_ok;
}

static bool add_source(struct ft_capture_set *set, const char *source, char *error,
                       size_t error_size)
{
    if (source[0] != '\0' && is_folder(source)) {
        return add_folder(set, source, error, error_size);
    }
    for (size_t i = 0; strcmp(source, "-") == 0 && i < set->entry_count; i++) {
        if (strcmp(set->entries[i].path, "-") == 0) {
            snprintf(error, error_size, "-: standard input can be given only once");
            return false;
        }
    }
    return add_entry(set, source, error, error_size) &&
           check_entry(set, &set->entries[set->entry_count - 1], error, error_size);
}

/* Say what reading an entry has left to say, unless an earlier loop did. */
static void say_remark(struct ft_capture_set *set, struct entry *entry)
{
    const char *remark = ft_capture_file_remark(entry->file);

    if (remark != NULL && !entry->is_remarked) {
        add_remark(set, "%s: %s", entry->path, remark);
    }
    if (!entry->is_remarked) {
        set->left_out += ft_capture_file_left_out(entry->file);
        set->is_incomplete |= ft_capture_file_is_incomplete(entry->file);
    }
    entry->is_remarked = true;
}

/* Open an entry, or go back to its start; one that is gone since the set was opened is left out. */
static bool start_entry(struct ft_capture_set *set, struct entry *entry)
{
    char error[512];
    bool is_ok = true;

    if (entry->file == NULL) {
        is_ok = open_entry(set, entry, error, sizeof(error));
    } else if (set->loop > 0 && !ft_capture_file_rewind(entry->file)) {
        snprintf(error, sizeof(error), "%s: %s", entry->path, ft_capture_file_remark(entry->file));
        is_ok = false;
    }
    if (!is_ok && !entry->is_remarked) {
        add_remark(set, "%s: left out", error);
        set->is_incomplete = true;
        entry->is_remarked = true;
    }
    return is_ok;
}

/* Done with an entry in this reading; standard input is kept for the next one. */
static void end_entry(struct ft_capture_set *set, struct entry *entry)
{
    say_remark(set, entry);
    if (!entry->is_seekable) {
        entry->size = ft_capture_file_position(entry->file);
    }
    if (strcmp(entry->path, "-") != 0 || set->loop + 1 >= set->options.loops) {
        close_entry(entry);
    }
}

static int next_in_row(struct ft_capture_set *set, struct ft_capture_record *record,
                       struct entry **from)
{
    while (set->current < set->entry_count) {
        struct entry *entry = &set->entries[set->current];

        if (ft_capture_file_next(entry->file, record) == 1) {
            *from = entry;
            return 1;
        }
        end_entry(set, entry);
        set->current++;
        while (set->current < set->entry_count && !start_entry(set, &set->entries[set->current])) {
            set->current++;
        }
    }
    return 0;
}

static bool is_before(const struct ft_capture_set *set, uint32_t a, uint32_t b)
{
    uint64_t time_a = set->entries[a].head.time_ns;
    uint64_t time_b = set->entries[b].head.time_ns;

    return time_a < time_b || (time_a == time_b && a < b);
}

/* Let the entry at a place of the heap sink until none below it is earlier. */
static void sift_down(struct ft_capture_set *set, uint32_t place)
{
    for (;;) {
        uint32_t least = place;

        for (uint32_t child = 2 * place + 1; child <= 2 * place + 2; child++) {
            if (child < set->heap_count && is_before(set, set->heap[child], set->heap[least])) {
                least = child;
            }
        }
        if (least == place) {
            return;
        }
        uint32_t moved = set->heap[place];
        set->heap[place] = set->heap[least];
        set->heap[least] = moved;
        place = least;
    }
}

static void start_merge(struct ft_capture_set *set)
{
    set->heap_count = 0;
    set->is_head_given = false;
    for (size_t i = 0; i < set->entry_count; i++) {
        struct entry *entry = &set->entries[i];

        if (!start_entry(set, entry)) {
            continue;
        }
        if (ft_capture_file_next(entry->file, &entry->head) == 1) {
            set->heap[set->heap_count++] = (uint32_t)i;
        } else {
            end_entry(set, entry);
        }
    }
    for (uint32_t place = set->heap_count / 2; place > 0; place--) {
        sift_down(set, place - 1);
    }
}

static int next_merged(struct ft_capture_set *set, struct ft_capture_record *record,
                       struct entry **from)
{
    if (set->is_head_given) {
        struct entry *entry = &set->entries[set->heap[0]];

        /* only now: reading on overwrites the bytes that the caller was given */
        if (ft_capture_file_next(entry->file, &entry->head) != 1) {
            end_entry(set, entry);
            set->heap[0] = set->heap[--set->heap_count];
        }
        sift_down(set, 0);
    }
    set->is_head_given = set->heap_count > 0;
    if (!set->is_head_given) {
        return 0;
    }
    *from = &set->entries[set->heap[0]];
    *record = (*from)->head;
    return 1;
}

/* Begin a reading of the whole set. */
static void start_reading(struct ft_capture_set *set)
{
    set->current = 0;
    if (set->options.merge) {
        start_merge(set);
        return;
    }
    while (set->current < set->entry_count && !start_entry(set, &set->entries[set->current])) {
        set->current++;
    }
}

/* Move the time on for the next reading. */
static void shift_time(struct ft_capture_set *set)
{
    if (set->loop == 0) {
        uint64_t length = set->span.last_ns - set->span.first_ns;
        uint64_t gap = set->span.timed > 1 ? length / (set->span.timed - 1) : 0;

        if (__builtin_add_overflow(length, gap > 0 ? gap : LOOP_GAP_NS, &set->step_ns)) {
            set->step_ns = UINT64_MAX;
        }
    }
    if (__builtin_add_overflow(set->shift_ns, set->step_ns, &set->shift_ns)) {
        set->shift_ns = UINT64_MAX;
    }
}

static void widen_span(struct span *span, const struct ft_capture_record *record)
{
    span->records++;
    if (!record->is_timed) {
        return;
    }
    if (span->timed == 0 || record->time_ns < span->first_ns) {
        span->first_ns = record->time_ns;
    }
    if (span->timed == 0 || record->time_ns > span->last_ns) {
        span->last_ns = record->time_ns;
    }
    span->timed++;
}

/* Copy what the set shows of an interface, so that it outlives the file. NULL without memory. */
static struct ft_capture_interface *copy_interface(const struct entry *entry,
                                                   const struct ft_capture_interface *shown)
{
    struct ft_capture_interface *copy = malloc(sizeof(*copy));

    if (copy == NULL) {
        return NULL;
    }
    *copy = *shown;
    copy->file = entry->path;
    /* without memory for a name the interface goes without one */
    copy->name = shown->name == NULL ? NULL : strdup(shown->name);
    copy->description = shown->description == NULL ? NULL : strdup(shown->description);
    return copy;
}

/* Give an interface of a file, seen for the first time, its index in the set. */
static uint32_t map_interface(struct ft_capture_set *set, struct entry *entry, uint32_t index)
{
    const struct ft_capture_interface *shown = ft_capture_file_interface(entry->file, index);

    if (index >= entry->interface_count) {
        uint32_t count = ft_capture_file_interfaces(entry->file);
        if (count < 2 * entry->interface_count) {
            count = 2 * entry->interface_count;
        }
        uint32_t *grown = reallocarray(entry->interfaces, count, sizeof(*grown));
        if (grown == NULL) {
            return UNMAPPED;
        }
        for (uint32_t i = entry->interface_count; i < count; i++) {
            grown[i] = UNMAPPED;
        }
        entry->interfaces = grown;
        entry->interface_count = count;
    }

    size_t capacity = set->interface_capacity;
    struct ft_capture_interface **interfaces =
        room_for_one(set->interfaces, set->interface_count, &capacity, sizeof(*interfaces));
    if (interfaces == NULL) {
        return UNMAPPED;
    }
    set->interfaces = interfaces;
    set->interface_capacity = (uint32_t)capacity;
    interfaces[set->interface_count] = copy_interface(entry, shown);
    if (interfaces[set->interface_count] == NULL) {
        return UNMAPPED;
    }
    entry->interfaces[index] = set->interface_count;
    return set->interface_count++;
}

/* Turn a record of a file into one of the set: its interface, and its time in this loop. */
static void adapt(struct ft_capture_set *set, struct entry *entry, struct ft_capture_record *record)
{
    uint32_t index = record->interface;

    if (index < entry->interface_count && entry->interfaces[index] != UNMAPPED) {
        record->interface = entry->interfaces[index];
    } else {
        record->interface = map_interface(set, entry, index);
    }

    if (set->loop == 0) {
        widen_span(&set->span, record);
    }
    if (__builtin_add_overflow(record->time_ns, set->shift_ns, &record->time_ns)) {
        record->time_ns = UINT64_MAX;
    }
    if (!record->is_timed && record->time_ns < set->last_time_ns) {
        record->time_ns = set->last_time_ns;
    }
    set->last_time_ns = record->time_ns;
}

int ft_capture_set_next(struct ft_capture_set *set, struct ft_capture_record *record)
{
    struct entry *entry = NULL;

    for (;;) {
        int result = set->options.merge ? next_merged(set, record, &entry)
                                        : next_in_row(set, record, &entry);
        if (result == 1) {
            adapt(set, entry, record);
            return 1;
        }
        if (set->span.records == 0) {
            set->options.loops = 1; /* nothing to repeat */
        }
        if (set->loop + 1 >= set->options.loops) {
            return 0;
        }
        shift_time(set);
        set->loop++;
        start_reading(set);
    }
}

struct ft_capture_set *ft_capture_set_open(const char *const *sources, size_t count,
                                           const struct ft_capture_set_options *options,
                                           char *error, size_t error_size)
{
    struct ft_capture_set *set = calloc(1, sizeof(*set));
    bool is_ok = set != NULL;

    if (!is_ok) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    if (options != NULL) {
        set->options = *options;
    }
    if (count == 0) {
        snprintf(error, error_size, "no capture given");
        is_ok = false;
    }
    for (size_t i = 0; is_ok && i < count; i++) {
        is_ok = add_source(set, sources[i], error, error_size);
    }
    if (is_ok && set->options.merge) {
        set->heap = calloc(set->entry_count, sizeof(*set->heap));
        is_ok = set->heap != NULL;
        if (!is_ok) {
            snprintf(error, error_size, "out of memory");
        }
    }
    if (!is_ok) {
        ft_capture_set_close(set);
        return NULL;
    }
    start_reading(set);
    return set;
}

const char *ft_capture_set_remark(struct ft_capture_set *set)
{
    return set->remarks_taken < set->remark_count ? set->remarks[set->remarks_taken++] : NULL;
}

bool ft_capture_set_is_incomplete(const struct ft_capture_set *set)
{
    return set->is_incomplete;
}

uint64_t ft_capture_set_left_out(const struct ft_capture_set *set)
{
    return set->left_out;
}

/* Bytes of one reading of all files; 0 if one of them is a pipe. */
static uint64_t size_once(const struct ft_capture_set *set)
{
    uint64_t size = 0;

    for (size_t i = 0; i < set->entry_count; i++) {
        if (!set->entries[i].is_seekable) {
            return 0;
        }
        size += set->entries[i].size;
    }
    return size;
}

uint64_t ft_capture_set_size(const struct ft_capture_set *set)
{
    return size_once(set) * (set->options.loops > 1 ? set->options.loops : 1);
}

/* Bytes read of an entry in this reading. */
static uint64_t position_of(const struct ft_capture_set *set, size_t index)
{
    const struct entry *entry = &set->entries[index];

    if (!set->options.merge && index > set->current) {
        return 0;
    }
    if (entry->file == NULL || (!set->options.merge && index < set->current)) {
        return entry->size;
    }
    return ft_capture_file_position(entry->file);
}

uint64_t ft_capture_set_position(const struct ft_capture_set *set)
{
    uint64_t position = set->loop * size_once(set);

    for (size_t i = 0; i < set->entry_count; i++) {
        position += position_of(set, i);
    }
    return position;
}

const struct ft_capture_interface *ft_capture_set_interface(const struct ft_capture_set *set,
                                                            uint32_t index)
{
    return index < set->interface_count ? set->interfaces[index] : NULL;
}

void ft_capture_set_close(struct ft_capture_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->entry_count; i++) {
        close_entry(&set->entries[i]);
        free(set->entries[i].interfaces);
        free(set->entries[i].path);
    }
    for (uint32_t i = 0; i < set->interface_count; i++) {
        free((char *)(uintptr_t)set->interfaces[i]->name);
        free((char *)(uintptr_t)set->interfaces[i]->description);
        free(set->interfaces[i]);
    }
    for (size_t i = 0; i < set->remark_count; i++) {
        free(set->remarks[i]);
    }
    free(set->remarks);
    free(set->interfaces);
    free(set->heap);
    free(set->entries);
    free(set);
}
