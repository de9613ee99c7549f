/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of alerts in a running sensor. */
#include "evidence.h"

#include "base/clock_ns.h"
#include "base/say.h"
#include "sensor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#define TIDY_NS (60ull * 1000000000ull)
#define TELL_NS (5ull * 1000000000ull) /* between two events about trouble and its end */

bool evidence_folder(const struct options *o, char *path, size_t size)
{
    const char *own = o->config.evidence_folder, *dir = o->log_dir;
    const char *journal = o->config.journal.folder, *last = strrchr(journal, '/');
    const char *state = outputs_have_journal(o) ? outputs_state_folder() : NULL;
    bool is_file = dir && strcmp(dir, "-") != 0;
    int n = -1;
    bool is_on = o->config.evidence == FT_CONFIG_EVIDENCE_ON ||
                 (o->config.evidence == FT_CONFIG_EVIDENCE_LIVE && o->port_count > 0);
    if (!is_on)
        return false;
    if (*own)
        n = snprintf(path, size, "%s", own);
    else if (state || is_file)
        n = snprintf(path, size, "%s/evidence", state ? state : dir);
    else if (outputs_have_journal(o) && last && last > journal)
        n = snprintf(path, size, "%.*s/evidence", (int)(last - journal), journal);
    return n > 0 && (size_t)n < size;
}

/* ---- what the core asks for ---- */

static bool wants_packets(void *user, const struct ft_core_wish *wish)
{
    struct sensor *s = user;
    const struct ft_eve_finding *f = wish->finding;
    const struct ft_event *e = wish->event;
    bool is_wanted = (f->rule && f->rule->wants_packets) ||
                     f->severity <= s->options->config.evidence_severity + 1;
    if (!is_wanted || s->evidence.is_over)
        return false;
    struct ft_evidence_request request = {.shard = e->shard,
                                          .flow = e->packet.record,
                                          .seq = e->seq,
                                          .number = e->number,
                                          .time_ns = e->clock_ns,
                                          .stamp_ns = e->time_ns,
                                          .now_seq =
                                              wish->now_seq > e->seq ? wish->now_seq : e->seq};
    snprintf(request.id, sizeof(request.id), "%s", wish->id);
    snprintf(request.title, sizeof(request.title), "%s", f->title ? f->title : f->key);
    snprintf(request.key, sizeof(request.key), "%s", f->key);
    return ft_evidence_wish(s->evidence.wishes, &request);
}

void evidence_ask(struct sensor *s, struct ft_core_config *config)
{
    if (!s->evidence.wishes)
        return;
    config->wants_packets = wants_packets;
    config->wants_user = s;
}

/* What lasts shorter than the pause is told as well: it shows by what is lost. */
void evidence_tick(struct sensor *s)
{
    struct evidence_state *e = &s->evidence;
    char text[1024];
    if (!e->wishes)
        return;
    /* In this order: what fails in between is told the next time. */
    uint64_t lost = ft_evidence_stats(e->wishes).dropped[FT_EVIDENCE_DISK];
    bool is_failing = atomic_load(&e->is_failing);
    uint64_t now = ft_clock_ns(CLOCK_MONOTONIC);
    if ((e->is_told ? is_failing : lost == e->told_lost) ||
        (e->told_ns && now - e->told_ns < TELL_NS))
        return;
    e->told_ns = now;
    e->is_told = !e->is_told;
    if (e->is_told) {
        snprintf(text, sizeof(text),
                 "Packets of alerts cannot be written to %.512s: %s. Analysis goes on; each alert "
                 "tries again.",
                 e->folder, strerror(atomic_load(&e->why)));
        outputs_tell(s, "evidence_not_written", FT_SEVERITY_MINOR, text);
        return;
    }
    snprintf(text, sizeof(text), "Packets of alerts are written again; %llu files were not.",
             (unsigned long long)(lost - e->told_lost));
    e->told_lost = lost;
    outputs_tell(s, "evidence_not_written_ended", FT_SEVERITY_WARNING, text);
}

/* Numbers only, as in all of a stats event. Of captures in stats.json alone: how far the writer is
 * at a moment would differ from run to run. */
void evidence_put_stats(const struct sensor *s, struct ft_json *j)
{
    if (!s->evidence.store || !s->is_live)
        return;
    struct ft_evidence_stats e = ft_evidence_stats(s->evidence.wishes);
    struct ft_evidence_store_stats folder = ft_evidence_store_stats(s->evidence.store);
    ft_json_key(j, "evidence");
    ft_json_object(j);
    ft_json_put_uint(j, "wanted", e.wanted);
    ft_json_put_uint(j, "written", e.written);
    ft_json_put_uint(j, "pending", e.pending);
    ft_json_key(j, "dropped");
    ft_json_object(j);
    for (unsigned i = 0; i < FT_EVIDENCE_DROPS; i++)
        ft_json_put_uint(j, ft_evidence_drop_name((enum ft_evidence_drop)i), e.dropped[i]);
    ft_json_object_end(j);
    ft_json_put_uint(j, "incomplete", e.incomplete);
    ft_json_put_uint(j, "without_trigger", e.without);
    ft_json_put_uint(j, "packets", e.packets);
    ft_json_put_uint(j, "bytes", e.bytes);
    ft_json_put_uint(j, "files", folder.files);
    ft_json_put_uint(j, "files_bytes", folder.bytes);
    ft_json_put_uint(j, "removed", folder.removed);
    ft_json_object_end(j);
}

/* ---- workers ---- */

void evidence_turn(struct worker *w)
{
    if (w->sensor->evidence.wishes)
        ft_evidence_turn(w->sensor->evidence.wishes, w->index, w->now_ns);
}

/* ---- the writer ---- */

/* Trouble is said when it begins; the alerting loop tells it, and its end. */
static void note_trouble(struct evidence_state *e, int why)
{
    if (!atomic_load(&e->is_failing))
        ft_say("fieldtap", "cannot write packets of alerts to %s: %s", e->folder, strerror(why));
    atomic_store(&e->why, why);
    atomic_store(&e->is_failing, true);
}

static void note_file(struct evidence_state *e)
{
    atomic_store(&e->is_failing, false);
    if (e->was_beside || !ft_evidence_store_stats(e->store).beside)
        return;
    e->was_beside = true;
    ft_say(
        "fieldtap",
        "%s has files of the names of alerts already: they stay, and packets are kept beside them, "
        "as NAME.2.pcapng",
        e->folder);
}

static void write_one(struct sensor *s, struct ft_evidence_wish *wish)
{
    bool has_packets = wish->packets;
    uint64_t bytes = has_packets ? ft_evidence_store_write(s->evidence.store, wish) : 0;
    if (bytes)
        note_file(&s->evidence);
    else if (has_packets)
        note_trouble(&s->evidence, errno); /* before it is counted */
    ft_evidence_release(s->evidence.wishes, wish, bytes,
                        has_packets ? FT_EVIDENCE_DISK : FT_EVIDENCE_NO_PACKET);
}

/* What is done when it is told to end, it still writes. */
static void *writer_main(void *arg)
{
    static const struct timespec nap = {.tv_nsec = 5000000};
    struct sensor *s = arg;
    uint64_t tidied = ft_clock_ns(CLOCK_MONOTONIC);
    bool is_last = false;
    while (!is_last) {
        is_last = atomic_load_explicit(&s->evidence.is_ending, memory_order_acquire);
        struct ft_evidence_wish *wish = ft_evidence_take(s->evidence.wishes), *next;
        for (; wish; wish = next) {
            next = wish->next;
            write_one(s, wish);
        }
        if (ft_clock_ns(CLOCK_MONOTONIC) - tidied > TIDY_NS) {
            tidied = ft_clock_ns(CLOCK_MONOTONIC);
            ft_evidence_store_tidy(s->evidence.store);
        }
        if (!is_last)
            nanosleep(&nap, NULL);
    }
    return NULL;
}

/* ---- from start to end ---- */

bool evidence_make(struct sensor *s, char *error, size_t error_size)
{
    const struct ft_config *c = &s->options->config;
    struct ft_evidence_config config;
    char path[4096];
    if (!evidence_folder(s->options, path, sizeof(path)))
        return true;
    ft_evidence_config_init(&config);
    config.memory = (uint64_t)c->evidence_memory << 20;
    config.snap_length = c->evidence_snap_length;
    config.before_ns = c->evidence_before_s * 1000000000ull;
    config.after_ns = c->evidence_after_s * 1000000000ull;
    config.packets = c->evidence_packets;
    config.bytes = c->evidence_bytes;
    config.burst = WORKER_BURST;
    config.is_live = s->is_live;
    s->evidence.wishes = ft_evidence_new(&config, s->worker_count, error, error_size);
    return s->evidence.wishes != NULL;
}

uint64_t evidence_last(const struct sensor *s)
{
    char path[4096];
    return s->evidence.wishes && evidence_folder(s->options, path, sizeof(path))
               ? ft_evidence_last(path, s->options->config.sensor_name)
               : 0;
}

/* The machine, as its own kernel names it. */
static void describe_machine(struct evidence_state *e)
{
    struct utsname u;
    if (uname(&u) < 0)
        return;
    snprintf(e->hardware, sizeof(e->hardware), "%s", u.machine);
    snprintf(e->os, sizeof(e->os), "%s %s", u.sysname, u.release);
}

bool evidence_open(struct sensor *s, char *error, size_t error_size)
{
    const struct options *o = s->options;
    struct evidence_state *e = &s->evidence;
    char path[4096];
    if (!e->wishes || !evidence_folder(o, path, sizeof(path)))
        return true;
    describe_machine(e);
    e->folder = strdup(path);
    struct ft_evidence_store_config config = {.folder = path,
                                              .total_bytes = o->config.evidence_total,
                                              .max_days = o->config.evidence_days,
                                              .hardware = e->hardware,
                                              .os = e->os,
                                              .application = "fieldtap " FIELDTAP_VERSION,
                                              .interfaces = o->links,
                                              .interface_count = o->link_count,
                                              .snap_length =
                                                  ft_evidence_history(e->wishes)->snap_length};
    if (!e->folder) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    e->store = ft_evidence_store_open(&config, error, error_size);
    if (!e->store)
        return false;
    e->has_thread = pthread_create(&e->thread, NULL, writer_main, s) == 0;
    if (!e->has_thread)
        snprintf(error, error_size, "cannot start threads");
    else
        pthread_setname_np(e->thread, "evidence");
    return e->has_thread;
}

void evidence_end(struct sensor *s)
{
    struct evidence_state *e = &s->evidence;
    e->is_over = true;
    if (!e->has_thread)
        return;
    ft_evidence_finish(e->wishes);
    atomic_store_explicit(&e->is_ending, true, memory_order_release);
    pthread_join(e->thread, NULL);
    e->has_thread = false;
}

void evidence_free(struct sensor *s)
{
    evidence_end(s); /* of a run that could not begin */
    ft_evidence_store_close(s->evidence.store);
    ft_evidence_free(s->evidence.wishes);
    free(s->evidence.folder);
}
