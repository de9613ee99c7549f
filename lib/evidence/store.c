/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder with the packets of alerts. */
#include "evidence/store.h"

#include "base/clock_ns.h"
#include "evidence/pcapng.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE 256u

/* A file being written: found at start, it is of a run that broke off. */
#define UNFINISHED ".evidence.tmp"

/* Interfaces of one file: an alert's flow seldom has more than one. */
#define INTERFACES_MAX 32u

#define DAY_S 86400u

/* Files of one name that are kept, and digits of a number that can be an alert's. */
#define BESIDE_MAX 1000u
#define DIGITS_MAX 18u

struct file {
    char *name;
    uint64_t bytes;
    time_t time;
};

struct ft_evidence_store {
    struct ft_evidence_store_config config; /* whose folder is a copy */
    int folder;
    int64_t clock_offset; /* of the system's clock, when it was opened, from CLOCK_BOOTTIME */
    struct file *files;   /* a ring, the oldest at `first` */
    size_t first, count, size;
    uint8_t *block; /* what is being written */
    size_t block_size;
    _Atomic uint64_t file_count, bytes, removed, beside;
};

/* ---- the files there are ---- */

static struct file *file_at(const struct ft_evidence_store *s, size_t i)
{
    return &s->files[(s->first + i) % s->size];
}

static bool grow(struct ft_evidence_store *s)
{
    size_t size = s->size ? s->size * 2 : 256;
    struct file *files = calloc(size, sizeof(*files));
    if (!files)
        return false;
    for (size_t i = 0; i < s->count; i++)
        files[i] = *file_at(s, i);
    free(s->files);
    s->files = files;
    s->size = size;
    s->first = 0;
    return true;
}

static bool add(struct ft_evidence_store *s, const char *name, uint64_t bytes, time_t time)
{
    char *copy = strdup(name);
    if (!copy || (s->count == s->size && !grow(s))) {
        free(copy);
        return false;
    }
    *file_at(s, s->count++) = (struct file){copy, bytes, time};
    atomic_store(&s->file_count, s->count);
    atomic_fetch_add(&s->bytes, bytes);
    return true;
}

static void forget_oldest(struct ft_evidence_store *s)
{
    struct file *f = file_at(s, 0);
    atomic_fetch_sub(&s->bytes, f->bytes);
    free(f->name);
    s->first = (s->first + 1) % s->size;
    s->count--;
    atomic_store(&s->file_count, s->count);
}

static int64_t up_s(void)
{
    return (int64_t)(ft_clock_ns(CLOCK_BOOTTIME) / 1000000000u);
}

/* Setting the clock makes no file older. */
static time_t now_of(const struct ft_evidence_store *s)
{
    return up_s() + s->clock_offset;
}

/* Make room for `bytes`, and remove what is too old. */
static void tidy(struct ft_evidence_store *s, uint64_t bytes)
{
    time_t now = now_of(s);
    uint64_t age = (uint64_t)s->config.max_days * DAY_S;
    while (s->count) {
        const struct file *f = file_at(s, 0);
        bool is_old = age && now > f->time && (uint64_t)(now - f->time) > age;
        if (!is_old && atomic_load(&s->bytes) + bytes <= s->config.total_bytes)
            return;
        if (unlinkat(s->folder, f->name, 0) == 0)
            atomic_fetch_add(&s->removed, 1);
        forget_oldest(s); /* also if somebody else has removed it */
    }
}

void ft_evidence_store_tidy(struct ft_evidence_store *s)
{
    tidy(s, 0);
}

static bool is_evidence(const char *name)
{
    size_t n = strlen(name), suffix = sizeof(FT_EVIDENCE_SUFFIX) - 1;
    return name[0] != '.' && n > suffix && strcmp(name + n - suffix, FT_EVIDENCE_SUFFIX) == 0;
}

static int by_age(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool look(struct ft_evidence_store *s)
{
    int copy = dup(s->folder);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    bool ok = dir != NULL;
    if (!dir && copy >= 0)
        close(copy);
    while (ok && (entry = readdir(dir))) {
        struct stat st;
        if (is_evidence(entry->d_name) &&
            fstatat(s->folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            ok = add(s, entry->d_name, (uint64_t)st.st_size, st.st_mtime);
    }
    if (dir)
        closedir(dir);
    if (s->count)
        qsort(s->files, s->count, sizeof(*s->files), by_age);
    return ok;
}

/* ---- open and close ---- */

/* The folder is made if there is none. False with errno. */
static bool open_folder(const struct ft_evidence_store *s, int *folder)
{
    if (mkdir(s->config.folder, 0750) < 0 && errno != EEXIST)
        return false;
    *folder = open(s->config.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *folder >= 0;
}

/* Somebody may remove the folder, move it away, or mount a disk over it. What is there then is what
 * is written to and kept within bounds. */
static void follow_folder(struct ft_evidence_store *s)
{
    struct stat here, there;
    int folder = -1;
    bool is_there = stat(s->config.folder, &there) == 0;
    if ((!is_there && errno != ENOENT) || fstat(s->folder, &here) < 0 ||
        (is_there && here.st_dev == there.st_dev && here.st_ino == there.st_ino) ||
        !open_folder(s, &folder))
        return; /* what cannot be written says why */
    close(s->folder);
    s->folder = folder;
    while (s->count)
        forget_oldest(s);
    look(s);
}

struct ft_evidence_store *ft_evidence_store_open(const struct ft_evidence_store_config *config,
                                                 char *error, size_t error_size)
{
    struct ft_evidence_store *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    s->config = *config;
    s->config.folder = strdup(config->folder);
    s->folder = -1;
    s->clock_offset = time(NULL) - up_s();
    if (!s->config.folder || !open_folder(s, &s->folder) ||
        faccessat(s->folder, ".", W_OK | X_OK, AT_EACCESS) < 0 || !look(s)) {
        snprintf(error, error_size, "cannot use %s for packets of alerts: %s", config->folder,
                 strerror(errno));
        ft_evidence_store_close(s);
        return NULL;
    }
    unlinkat(s->folder, UNFINISHED, 0);
    ft_evidence_store_tidy(s);
    return s;
}

void ft_evidence_store_close(struct ft_evidence_store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(file_at(s, i)->name);
    if (s->folder >= 0)
        close(s->folder);
    free(s->files);
    free(s->block);
    free((char *)s->config.folder);
    free(s);
}

struct ft_evidence_store_stats ft_evidence_store_stats(const struct ft_evidence_store *s)
{
    return (struct ft_evidence_store_stats){atomic_load(&s->file_count), atomic_load(&s->bytes),
                                            atomic_load(&s->removed), atomic_load(&s->beside)};
}

/* ---- writing ---- */

/* Interface blocks of the file so far: a number of them for each interface and link type. */
struct interfaces {
    struct {
        uint16_t interface, linktype;
    } rows[INTERFACES_MAX];
    uint32_t count;
};

static uint32_t interface_of(const struct ft_evidence_store *s, struct interfaces *known,
                             const struct ft_history_record *r, struct ft_pcapng *to)
{
    uint32_t i = 0;
    while (i < known->count &&
           (known->rows[i].interface != r->interface || known->rows[i].linktype != r->linktype))
        i++;
    if (i < known->count || i == INTERFACES_MAX)
        return i;
    const char *name = r->interface < s->config.interface_count && s->config.interfaces
                           ? s->config.interfaces[r->interface]
                           : NULL;
    ft_pcapng_interface(to, r->linktype, s->config.snap_length, name);
    known->rows[i].interface = r->interface;
    known->rows[i].linktype = r->linktype;
    return known->count++;
}

/* What the alert is, for whoever opens the file without the sensor at hand. */
static void alert_text(const struct ft_evidence_wish *w, char *text, size_t size)
{
    const struct ft_evidence_request *q = &w->request;
    snprintf(text, size, "alert %s: %s (%s), packet %llu", q->id, q->title, q->key,
             (unsigned long long)q->number);
}

static void section(const struct ft_evidence_store *s, const struct ft_evidence_wish *w,
                    const char *alert, struct ft_pcapng *to)
{
    char text[1024];
    snprintf(text, sizeof(text), "%s%s%s", alert,
             w->trigger == UINT32_MAX ? "; the packet itself is not among these" : "",
             w->is_lost ? "; packets are missing: they were overwritten before they were copied"
                        : "");
    ft_pcapng_section(to, s->config.hardware, s->config.os, s->config.application, text);
}

static void encode(const struct ft_evidence_store *s, const struct ft_evidence_wish *w,
                   struct ft_pcapng *to)
{
    struct interfaces known = {.count = 0};
    char alert[768];
    alert_text(w, alert, sizeof(alert));
    section(s, w, alert, to);
    uint32_t at = 0;
    for (uint32_t i = 0; i < w->packets; i++) {
        const struct ft_history_record *r = (const void *)(w->records + at);
        struct ft_pcapng_packet packet = {.interface = interface_of(s, &known, r, to),
                                          .stamp_ns = r->stamp_ns,
                                          .captured = r->captured,
                                          .length = r->length,
                                          .data = (const uint8_t *)(r + 1),
                                          .comment = i == w->trigger ? alert : NULL};
        at += r->size;
        if (packet.interface < INTERFACES_MAX)
            ft_pcapng_packet(to, &packet);
    }
}

static size_t room_of_text(const char *text)
{
    return text ? ft_pcapng_room(strlen(text)) : 0;
}

/* A record's header leaves room for that of its block. */
static bool make_block(struct ft_evidence_store *s, const struct ft_evidence_wish *w,
                       struct ft_pcapng *to)
{
    size_t size = w->used + 4096 + INTERFACES_MAX * ft_pcapng_room(NAME_SIZE) +
                  room_of_text(s->config.hardware) + room_of_text(s->config.os) +
                  room_of_text(s->config.application);
    if (size > s->block_size) {
        free(s->block);
        s->block = malloc(size);
        s->block_size = s->block ? size : 0;
    }
    if (!s->block)
        return false;
    *to = (struct ft_pcapng){.bytes = s->block, .size = s->block_size};
    encode(s, w, to);
    return !to->is_full;
}

static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR)
            return false;
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool write_file(struct ft_evidence_store *s, const char *name, const struct ft_pcapng *file)
{
    int fd =
        openat(s->folder, UNFINISHED, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && write_all(fd, file->bytes, file->used);
    int why = errno;
    if (fd >= 0 && close(fd) < 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && renameat(s->folder, UNFINISHED, s->folder, name) == 0)
        return true;
    why = ok ? errno : why;
    unlinkat(s->folder, UNFINISHED, 0);
    errno = why;
    return false;
}

/* A file of this name is of an alert that had this number before, or of a sensor whose name looks
 * the same in files. Nothing tells whose packets matter more: both stay. 0 = there are too many. */
static unsigned choose_name(const struct ft_evidence_store *s, char name[NAME_SIZE])
{
    size_t base = strlen(name) - (sizeof(FT_EVIDENCE_SUFFIX) - 1);
    unsigned n = 1;
    while (n < BESIDE_MAX && faccessat(s->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        if (snprintf(name + base, NAME_SIZE - base, ".%u" FT_EVIDENCE_SUFFIX, ++n) >=
            (int)(NAME_SIZE - base))
            n = BESIDE_MAX;
    errno = EEXIST;
    return n < BESIDE_MAX ? n : 0;
}

uint64_t ft_evidence_store_write(struct ft_evidence_store *s, const struct ft_evidence_wish *w)
{
    char name[NAME_SIZE];
    struct ft_pcapng file;
    if (!ft_evidence_file_name(w->request.id, name, sizeof(name))) {
        errno = EINVAL;
        return 0;
    }
    errno = ENOMEM;
    if (!make_block(s, w, &file))
        return 0;
    if (file.used > s->config.total_bytes) {
        errno = EFBIG;
        return 0;
    }
    follow_folder(s);
    tidy(s, file.used);
    unsigned number = choose_name(s, name);
    if (!number || !write_file(s, name, &file))
        return 0;
    if (add(s, name, file.used, now_of(s))) {
        atomic_fetch_add(&s->beside, number > 1);
        return file.used;
    }
    unlinkat(s->folder, name, 0); /* it could never be removed */
    errno = ENOMEM;
    return 0;
}

/* Behind `start` digits alone, up to a dot: NAME.pcapng, NAME.2.pcapng. */
static uint64_t number_in(const char *name, const char *start, size_t length)
{
    const char *digits = name + length;
    size_t n =
        is_evidence(name) && !strncmp(name, start, length) ? strspn(digits, "0123456789") : 0;
    return n && n <= DIGITS_MAX && digits[n] == '.' ? strtoull(digits, NULL, 10) : 0;
}

uint64_t ft_evidence_last(const char *folder, const char *sensor)
{
    char id[NAME_SIZE], start[NAME_SIZE];
    uint64_t last = 0;
    const struct dirent *entry;
    snprintf(id, sizeof(id), "%.100s-", sensor);
    DIR *dir = ft_evidence_file_name(id, start, sizeof(start)) ? opendir(folder) : NULL;
    while (dir && (entry = readdir(dir))) {
        uint64_t n = number_in(entry->d_name, start, strlen(id));
        last = n > last ? n : last;
    }
    if (dir)
        closedir(dir);
    return last;
}

int ft_evidence_open(const char *folder, const char *alert_id)
{
    char path[4096], name[NAME_SIZE];
    int n = ft_evidence_file_name(alert_id, name, sizeof(name))
                ? snprintf(path, sizeof(path), "%s/%s", folder, name)
                : -1;
    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = EINVAL;
        return -1;
    }
    return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}
