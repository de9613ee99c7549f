/* SPDX-License-Identifier: BSD-3-Clause */
/* Journal and sinks of a run: from the configuration to the exit. */
#include "outputs.h"

#include "confine.h"
#include "sensor.h"

#include "base/clock_ns.h"
#include "base/say.h"
#include "output/file_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The end of a live run takes 5 s at most: with a disk that hangs the journal needs up to 1.5 s
 * more than it is given, and what was read last is still to be analysed. */
#define FLUSH_MS    600u
#define SINKS_MS    1500u
#define CLOSE_MS    600u
#define PATIENCE_MS 60000u /* of a run on captures, which nobody waits for at a service manager */

#define LOG_DIR "log-dir" /* the sink that -l is */

_Static_assert(FT_CONFIG_JOURNAL_CLASSES == FT_JOURNAL_CLASSES, "each class has its section");

static bool fail(const char *what)
{
    return ft_say("fieldtap", "%s", what);
}

/* ---- which ---- */

const char *outputs_state_folder(void)
{
    const char *folder = getenv("STATE_DIRECTORY");
    return folder && *folder == '/' && !strchr(folder, ':') ? folder : NULL;
}

bool outputs_have_journal(const struct options *o)
{
    const struct ft_config *c = &o->config;
    bool writes_folder = o->log_dir && strcmp(o->log_dir, "-") != 0;
    if (c->journal.is_given)
        return true;
    return o->port_count && (c->has_outputs || (writes_folder && outputs_state_folder()));
}

/* ---- configuration ---- */

static char *read_text(const char *file)
{
    char *text = NULL;
    size_t size = 0;
    FILE *from = fopen(file, "r"), *to = open_memstream(&text, &size);
    for (int c; from && to && (c = getc(from)) != EOF;)
        putc(c, to);
    if (from)
        fclose(from);
    if (to)
        fclose(to);
    return text;
}

/* Is it the same, as a way to a file: from the working folder, and however many slashes? */
static bool is_same_path(const char *a, const char *b)
{
    char folder[4096] = "", whole[2][8200], text[2][8200];
    const char *paths[2] = {a, b};
    if (!getcwd(folder, sizeof(folder)))
        return strcmp(a, b) == 0;
    for (unsigned i = 0; i < 2; i++) {
        size_t n = 0;
        snprintf(text[i], sizeof(text[i]), "%s/%s", *paths[i] == '/' ? "" : folder, paths[i]);
        for (const char *p = text[i]; *p; p++)
            if (p[0] == '/' && p[1] == '.' && (p[2] == '/' || !p[2]))
                p++;
            else if (p[0] != '/' || p[1] != '/')
                whole[i][n++] = *p;
        whole[i][n] = 0;
    }
    return strcmp(whole[0], whole[1]) == 0;
}

/* Does one of them write DIR/eve.json? Relative paths begin in DIR. */
static bool has_eve(const json_t *outputs, const char *dir)
{
    char eve[4096 + 16], path[8200];
    const json_t *one;
    size_t i;
    snprintf(eve, sizeof(eve), "%s/eve.json", dir);
    json_array_foreach((json_t *)(uintptr_t)outputs, i, one)
    {
        const char *kind = json_string_value(json_object_get(one, "kind"));
        const char *other = json_string_value(json_object_get(one, "path"));
        if (!kind || !other || strcmp(kind, "file") != 0)
            continue;
        snprintf(path, sizeof(path), "%s%s%s", *other == '/' ? "" : dir, *other == '/' ? "" : "/",
                 other);
        if (is_same_path(path, eve))
            return true;
    }
    return false;
}

static bool has_name(const json_t *outputs, const char *name)
{
    const json_t *one;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)outputs, i, one)
    {
        const char *other = json_string_value(json_object_get(one, "name"));
        if (other && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

/* -l DIR is an output, too: DIR/eve.json, which grows until somebody moves it away. */
static bool add_log_dir(json_t *outputs, const char *dir)
{
    if (!dir || strcmp(dir, "-") == 0)
        return true;
    if (strlen(dir) + sizeof("/eve.json") > 4096)
        return fail("-l: the name is too long");
    if (has_eve(outputs, dir))
        return true;
    if (has_name(outputs, LOG_DIR))
        return fail("-l: its eve.json is the sink \"" LOG_DIR "\", and the configuration has "
                    "another one of this name: give that another");
    return json_array_append_new(outputs, json_pack("{s:s, s:s, s:s, s:i}", "name", LOG_DIR, "kind",
                                                    "file", "path", "eve.json", "max_bytes", 0)) ==
               0 ||
           fail("out of memory");
}

static bool make_protocols(struct sensor *s)
{
    s->outputs.protocols = calloc(s->registry->count + 1u, sizeof(*s->outputs.protocols));
    for (uint32_t i = 0; s->outputs.protocols && i < s->registry->count; i++)
        s->outputs.protocols[i] = s->registry->protocols[i]->name;
    return s->outputs.protocols || fail("out of memory");
}

static bool make_sinks(struct sensor *s, const json_t *outputs, const char *text)
{
    const struct options *o = s->options;
    char *error = calloc(1, RELOAD_ERROR_MAX);
    s->outputs.options = (struct ft_sinks_options){
        .sensor = {.name = o->config.sensor_name,
                   .version = FIELDTAP_VERSION,
                   .address = o->config.sensor_address,
                   .zone = o->config.sensor_zone,
                   .site = o->config.sensor_site},
        .folder = o->log_dir && strcmp(o->log_dir, "-") != 0 ? o->log_dir : NULL,
        .protocols = s->outputs.protocols,
    };
    if (error)
        s->outputs.sinks = ft_sinks_new(outputs, o->config_file ? o->config_file : "fieldtap", text,
                                        &s->outputs.options, error, RELOAD_ERROR_MAX);
    if (!s->outputs.sinks)
        fprintf(stderr, "%s\n", error && *error ? error : "fieldtap: out of memory");
    free(error);
    return s->outputs.sinks;
}

/* Nothing but DIR/eve.json, which a run without a journal writes itself. */
static bool is_eve_only(const struct options *o, const json_t *outputs)
{
    return o->log_dir && json_array_size(outputs) == 1 && has_eve(outputs, o->log_dir);
}

static bool is_sensible(const struct options *o, const json_t *outputs)
{
    bool is_stdout = o->log_dir && strcmp(o->log_dir, "-") == 0;
    if (outputs_have_journal(o) && is_stdout)
        return fail("-l - writes events past the journal and the outputs of the configuration: "
                    "leave out one of both");
    if (o->action == ACTION_RUN && o->config.has_outputs && !outputs_have_journal(o) &&
        !is_eve_only(o, outputs))
        fputs("fieldtap: outputs are for live runs, and for captures when the configuration has "
              "the section \"journal\": nothing is sent\n",
              stderr);
    return true;
}

bool outputs_read(struct sensor *s)
{
    const struct options *o = s->options;
    bool is_run = o->action == ACTION_RUN;
    s->outputs.is_used = is_run && outputs_have_journal(o);
    if ((!is_run && o->action != ACTION_TEST) || (!o->config.has_outputs && !s->outputs.is_used))
        return true;
    char *text = o->config_file ? read_text(o->config_file) : NULL;
    const char *json = text && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
    json_t *root = json ? json_loads(json, 0, NULL) : NULL;
    json_t *outputs = json_deep_copy(json_object_get(root, "outputs"));
    outputs = outputs ? outputs : json_array();
    bool ok = is_sensible(o, outputs) &&
              (!outputs_have_journal(o) || add_log_dir(outputs, o->log_dir)) && make_protocols(s) &&
              make_sinks(s, outputs, json);
    json_decref(outputs);
    json_decref(root);
    free(text);
    return ok;
}

/* ---- opening ---- */

static uint64_t next_number(void *user)
{
    struct outputs *o = user;
    return ft_journal_next(o->journal);
}

/* Captures are read faster than disks write: nobody loses anything if they are waited for. */
static void wait_for_disk(struct outputs *o, uint32_t length)
{
    o->since_flush += length;
    if (o->since_flush < o->flush_bytes)
        return;
    o->since_flush = 0;
    if (ft_journal_state(o->journal).is_ok)
        ft_journal_flush(o->journal, PATIENCE_MS);
}

static bool keep(void *user, const struct ft_output_line *line, const char *text, uint32_t length)
{
    struct outputs *o = user;
    o->appended++;
    bool is_kept = ft_journal_append(o->journal, ft_journal_type_of(line->event_type), line->uid,
                                     line->severity, line->time_ns, text, length);
    if (o->waits)
        wait_for_disk(o, length);
    return is_kept;
}

static void say_found(void *user, const struct ft_journal_report *report)
{
    (void)user;
    ft_say("fieldtap", "journal: %s", report->text);
}

/* The folder that is asked for, or `journal` in the state folder. */
static bool choose_folder(struct sensor *s)
{
    const char *wanted = s->options->config.journal.folder, *state = outputs_state_folder();
    if (strcmp(wanted, FT_CONFIG_JOURNAL_FOLDER) != 0 || !state)
        s->outputs.folder = strdup(wanted);
    else if (asprintf(&s->outputs.folder, "%s/journal", state) < 0)
        s->outputs.folder = NULL;
    return s->outputs.folder || fail("out of memory");
}

bool outputs_give_folders(struct sensor *s)
{
    if (!s->outputs.is_used)
        return true;
    if (!choose_folder(s))
        return false;
    char *copy = strdup(s->outputs.folder), *parent = copy ? dirname(copy) : NULL;
    bool ok = confine_give_folder(parent);
    if (ok && parent)
        mkdir(parent, 0750); /* where that is not possible the journal says what is wrong */
    free(copy);
    return ok && confine_give_folder(s->outputs.folder);
}

/* In a file of lines of the sensor's own; what is no number of ours is above this. */
#define NUMBER_MAX 999999999999999999ull

static uint64_t last_in_file(const struct options *o)
{
    char path[4096];
    bool is_file = o->log_dir && strcmp(o->log_dir, "-") != 0 &&
                   snprintf(path, sizeof(path), "%s/eve.json", o->log_dir) < (int)sizeof(path);
    int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0)
        return 0;
    uint64_t last = ft_file_tail_sequence(fd, o->config.sensor_name);
    close(fd);
    return last <= NUMBER_MAX ? last : 0;
}

uint64_t outputs_numbers_after(const struct sensor *s)
{
    uint64_t in_file = last_in_file(s->options), of_packets = evidence_last(s);
    return in_file > of_packets ? in_file : of_packets;
}

/* Relative paths of sockets begin in the folder of -l: it is made here, as the output would. */
bool outputs_listen(struct sensor *s, char *error, size_t error_size)
{
    struct outputs *o = &s->outputs;
    uid_t owner;
    gid_t group;
    if (!o->is_used || !ft_sinks_will_listen(o->sinks))
        return true;
    if (o->options.folder && confine_give_folder(o->options.folder))
        mkdir(o->options.folder, 0755); /* else bind(2) says why */
    confine_user(&owner, &group);
    return ft_sinks_listen(o->sinks, owner, group, error, error_size);
}

static bool open_journal(struct sensor *s)
{
    const struct ft_config_journal *c = &s->options->config.journal;
    char error[512], name[FT_JOURNAL_NAME_SIZE];
    struct ft_journal_options options = {.folder = s->outputs.folder,
                                         .sensor = name,
                                         .total_bytes = c->total_bytes,
                                         .segment_bytes = c->segment_bytes,
                                         .memory_bytes = c->memory_bytes,
                                         .numbers_after = outputs_numbers_after(s),
                                         .report = say_found};
    snprintf(name, sizeof(name), "%s", s->options->config.sensor_name);
    for (unsigned i = 0; i < FT_JOURNAL_CLASSES; i++)
        options.limits[i] = (struct ft_journal_limits){.max_bytes = c->classes[i].max_bytes,
                                                       .max_days = c->classes[i].max_days,
                                                       .sync_ms = c->classes[i].sync_ms,
                                                       .sync_every = c->classes[i].sync_every};
    s->outputs.journal = ft_journal_open(&options, error, sizeof(error));
    s->outputs.waits = !s->is_live;
    s->outputs.flush_bytes = c->memory_bytes / 4;
    return s->outputs.journal || fail(error);
}

/* What -l names has to be a folder that can be written to; said now and not by a sink. A file that
 * was not there is left to the sink, which makes it with the mode that it is given. */
static bool try_log_dir(const struct options *o)
{
    char error[512], path[4096];
    if (!o->log_dir)
        return true;
    bool is_file = strcmp(o->log_dir, "-") != 0 &&
                   snprintf(path, sizeof(path), "%s/eve.json", o->log_dir) < (int)sizeof(path);
    bool was_there = !is_file || faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    struct ft_output *out = ft_output_open(o->log_dir, error, sizeof(error));
    if (!out)
        return fail(error);
    ft_output_close(out, NULL, error, sizeof(error));
    if (!was_there)
        unlink(path);
    return true;
}

bool outputs_open(struct sensor *s)
{
    struct ft_output_keeper keeper = {.next = next_number, .keep = keep, .user = &s->outputs};
    if (!try_log_dir(s->options) || !open_journal(s))
        return false;
    s->output = ft_output_keep(&keeper);
    return s->output || fail("out of memory");
}

bool outputs_start(struct sensor *s)
{
    char error[512];
    struct outputs *o = &s->outputs;
    if (!o->journal)
        return true;
    fprintf(stderr, "fieldtap: events are kept in %s", o->folder);
    struct ft_sink_stats sink;
    for (uint32_t i = 0; ft_sinks_stats(o->sinks, i, &sink); i++)
        fprintf(stderr, "%s %s (%s)", i ? "," : "; from there to", sink.name, sink.target);
    fputc('\n', stderr);
    o->is_running = ft_sinks_start(o->sinks, o->journal, error, sizeof(error));
    o->is_stuck = !o->is_running && !ft_sinks_have_ended(o->sinks);
    return o->is_running || fail(error);
}

/* ---- the end ---- */

struct outputs_sum outputs_sum(const struct ft_journal_stats *stats)
{
    struct outputs_sum sum = {0};
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        sum.appended += stats->classes[c].appended;
        sum.synced += stats->classes[c].synced;
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            sum.given_up += stats->classes[c].given_up[i];
    }
    return sum;
}

bool outputs_balance(const struct sensor *s)
{
    struct ft_journal_stats stats = s->outputs.journal_stats;
    if (!s->outputs.is_used)
        return true;
    if (s->outputs.journal)
        ft_journal_stats(s->outputs.journal, &stats);
    struct outputs_sum sum = outputs_sum(&stats);
    return sum.appended == s->outputs.appended &&
           (s->outputs.journal || sum.synced + sum.given_up == sum.appended);
}

/* Lines that no disk has: of the books of lines they are lost. */
static bool close_books(struct sensor *s)
{
    struct outputs_sum sum = outputs_sum(&s->outputs.journal_stats);
    uint64_t made = s->written.lines + s->written.lost;
    s->written.lines = sum.synced;
    s->written.lost = made - sum.synced;
    if (!outputs_balance(s))
        return fail("the books of the journal do not balance; this is a fault of fieldtap, please "
                    "report it");
    if (!s->written.lost)
        return true;
    fprintf(stderr, "fieldtap: %llu of %llu events are not in the journal: stats.json says which\n",
            (unsigned long long)s->written.lost, (unsigned long long)made);
    return false;
}

/* A sink that hangs in a call of the system, the look-up of a name for instance, is left behind. */
static void stop_sinks(struct outputs *o, uint32_t timeout_ms)
{
    ft_sinks_stop(o->sinks, timeout_ms);
    o->is_running = false;
    o->is_stuck = !ft_sinks_have_ended(o->sinks);
}

/* The sink reads the journal: nothing of it may go. What is not on disk now counts as lost; the
 * next run recovers what is. */
static void leave_behind(struct outputs *o)
{
    struct ft_journal_stats *stats = &o->journal_stats;
    ft_journal_stats(o->journal, stats);
    for (unsigned c = 0; c < FT_JOURNAL_CLASSES; c++) {
        uint64_t n = stats->classes[c].appended - stats->classes[c].synced;
        for (unsigned i = 0; i < FT_JOURNAL_LOSSES; i++)
            n -= stats->classes[c].given_up[i];
        stats->classes[c].given_up[FT_JOURNAL_LOSS_CLOSED] += n;
    }
}

bool outputs_close(struct sensor *s)
{
    struct outputs *o = &s->outputs;
    bool is_patient = !s->is_live && !atomic_load(&s->stop);
    if (!o->journal)
        return true;
    o->state = ft_journal_state(o->journal);
    ft_journal_flush(o->journal, is_patient ? PATIENCE_MS : FLUSH_MS);
    stop_sinks(o, is_patient ? PATIENCE_MS : SINKS_MS);
    if (o->is_stuck)
        leave_behind(o);
    else
        ft_journal_close(o->journal, is_patient ? PATIENCE_MS : CLOSE_MS, &o->journal_stats);
    o->journal = NULL;
    return close_books(s);
}

bool outputs_free(struct sensor *s)
{
    struct outputs *o = &s->outputs;
    if (o->is_running)
        stop_sinks(o, 0);
    if (o->is_stuck || !ft_sinks_free(o->sinks)) {
        if (o->journal)
            ft_journal_flush(o->journal, FLUSH_MS);
        return false;
    }
    if (o->journal)
        ft_journal_close(o->journal, CLOSE_MS, NULL);
    free(o->protocols);
    free(o->folder);
    return true;
}
