/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule files: finding them, and reading all of them as one rule set. */
#include "rules/load_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is wrong ---- */

/* One line, whatever stands in the names that it holds. */
static void tell(struct ft_loader *l, bool is_error, const char *where, const char *text)
{
    char *line = NULL;
    l->errors += is_error;
    if (asprintf(&line, "%s: %s", where, text) < 0) {
        l->is_out_of_memory = true;
        return;
    }
    for (char *p = line; *p; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f)
            *p = '?';
    l->say(l->user, is_error, line);
    free(line);
}

__attribute__((format(printf, 4, 0))) static void tell_format(struct ft_loader *l, bool is_error,
                                                              const char *where, const char *format,
                                                              va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, format, ap) < 0) {
        l->is_out_of_memory = true;
        return;
    }
    tell(l, is_error, where, text);
    free(text);
}

void ft_load_tell(struct ft_loader *l, bool is_error, const char *where, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell_format(l, is_error, where, format, ap);
    va_end(ap);
}

__attribute__((format(printf, 3, 0))) static void tell_place(struct ft_loader *l,
                                                             struct ft_place place,
                                                             const char *format, va_list ap)
{
    char where[PATH_MAX + 32];
    snprintf(where, sizeof(where), "%s:%u:%u", l->source->path, place.line, place.column);
    tell_format(l, true, where, format, ap);
}

void ft_load_wrong(struct ft_loader *l, uint32_t at, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell_place(l, ft_outline_place(&l->source->outline, at), format, ap);
    va_end(ap);
}

uint32_t ft_load_at(const struct ft_loader *l, uint32_t node)
{
    return l->source->outline.nodes[node].at;
}

struct ft_said ft_load_say(const struct ft_loader *l, uint32_t node)
{
    return (struct ft_said){l->source, ft_outline_place(&l->source->outline, ft_load_at(l, node))};
}

const char *ft_load_said(const struct ft_said *said, char *to, size_t size)
{
    snprintf(to, size, "%s:%u:%u", said->source->path, said->place.line, said->place.column);
    return to;
}

const char *ft_load_keep(struct ft_loader *l, char *string)
{
    struct ft_rule_store *s = l->store;
    char **grown = NULL;
    if (string && (s->string_count & (s->string_count - 1)) == 0)
        grown = reallocarray(s->strings, s->string_count ? s->string_count * 2 : 1, sizeof(*grown));
    else if (string)
        grown = s->strings;
    if (!grown) {
        free(string);
        l->is_out_of_memory = true;
        return "";
    }
    s->strings = grown;
    return s->strings[s->string_count++] = string;
}

/* ---- files ---- */

/* The whole of a file; NULL and why. Not blocking: a pipe that nobody writes to is refused. */
static char *slurp(const char *path, size_t *length, uint64_t *modified_ns, char *error,
                   size_t error_size)
{
    struct stat about = {0};
    char *text = NULL;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *length = 0;
    if (fd < 0 || fstat(fd, &about) != 0)
        snprintf(error, error_size, "cannot be read: %s", strerror(errno));
    else if (!S_ISREG(about.st_mode))
        snprintf(error, error_size, "is no file of rules");
    else if (about.st_size > (off_t)FT_LOAD_FILE_MAX)
        snprintf(error, error_size, "is larger than %u MiB: split it", FT_LOAD_FILE_MAX >> 20);
    else if (!(text = malloc((size_t)about.st_size + 1)))
        snprintf(error, error_size, "cannot be read: out of memory");
    *modified_ns = (uint64_t)about.st_mtim.tv_sec * 1000000000ull + (uint64_t)about.st_mtim.tv_nsec;
    while (text && *length < (size_t)about.st_size &&
           (got = read(fd, text + *length, (size_t)about.st_size - *length)) > 0)
        *length += (size_t)got;
    if (got < 0) {
        snprintf(error, error_size, "cannot be read: %s", strerror(errno));
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (text)
        text[*length] = 0;
    return text;
}

/* Named twice, in the configuration and on the command line, it is one file all the same. */
static bool is_there(struct ft_rule_store *s, const char *path)
{
    struct stat one, other;
    for (uint32_t i = 0; stat(path, &one) == 0 && i < s->source_count; i++)
        if (!s->sources[i].is_configuration && stat(s->sources[i].path, &other) == 0 &&
            one.st_dev == other.st_dev && one.st_ino == other.st_ino) {
            s->sources[i].is_named = true;
            return true;
        }
    return false;
}

/* A file more. Its members are filled in by read_file(). */
static struct ft_source *add_source(struct ft_loader *l, const char *path)
{
    struct ft_rule_store *s = l->store;
    if (is_there(s, path))
        return NULL;
    struct ft_source *grown = reallocarray(s->sources, s->source_count + 1, sizeof(*grown));
    char *copy = strdup(path);
    if (grown)
        s->sources = grown;
    if (!grown || !copy) {
        free(copy);
        l->is_out_of_memory = true;
        return NULL;
    }
    s->sources[s->source_count] = (struct ft_source){.path = copy};
    return &s->sources[s->source_count++];
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_rule_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static void not_read(struct ft_loader *l, const char *path)
{
    ft_load_tell(l, true, path, "cannot be read: %s", strerror(errno));
    l->files->broken++;
}

static void add_folder(struct ft_loader *l, const char *folder)
{
    struct dirent **entries = NULL;
    size_t length = strlen(folder);
    int count = scandir(folder, &entries, is_rule_file, by_name);
    if (count < 0)
        not_read(l, folder);
    else if (count == 0)
        ft_load_tell(l, false, folder, "no rule files (*.json) in this folder");
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s%s%s", folder,
                 length && folder[length - 1] == '/' ? "" : "/", entries[i]->d_name);
        add_source(l, path);
        free(entries[i]);
    }
    free(entries);
}

static void add_path(struct ft_loader *l, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        not_read(l, path);
    else if (S_ISDIR(about.st_mode))
        add_folder(l, path);
    else
        add_source(l, path);
}

static void keep_rules(struct ft_loader *l, const json_t *value, uint32_t node, void *to)
{
    struct ft_source *s = to;
    if (!json_is_array(value)) {
        ft_load_wrong(l, ft_load_at(l, node), "rules: expected a list of rules: [{...}, {...}]");
        return;
    }
    s->rules = value;
    s->rules_node = node;
}

static const struct ft_load_key file_keys[] = {
    {.name = "sets", .kind = FT_LOAD_OWN, .own = ft_load_sets},
    {.name = "tags", .kind = FT_LOAD_OWN, .own = ft_load_tags},
    {.name = "rules", .kind = FT_LOAD_OWN, .own = keep_rules},
};

/* What was probably done: the words of who reads JSON are those of its grammar. */
static const char *meant_by(const char *wrong)
{
    static const char *const meant[][2] = {
        {"'[' or '{' expected near end of file", ": there is nothing in it"},
        {"near end of file", "; is a } or ] missing?"},
        {"'}' expected near '\"", "; is a comma missing before it?"},
        {"']' expected near", "; is a comma missing before it?"},
        {"unexpected token near ']'", "; there is no comma behind the last of a list"},
        {"string or '}' expected near '}'", "; there is no comma behind the last of an object"},
        {"expected near '/'", "; JSON has no comments"},
        {"expected near '''", "; texts stand in double quotes"},
        {"invalid escape", "; a backslash is written \\\\"},
        {"control character", "; a text does not go over the end of a line"},
        {"unable to decode byte", "; the file has to be UTF-8"},
        {"too big", ": whole numbers are from -9223372036854775808 to 9223372036854775807"},
    };
    for (unsigned i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
        if (strstr(wrong, meant[i][0]))
            return meant[i][1];
    return "";
}

static void not_json(struct ft_loader *l, const char *path, const json_error_t *where)
{
    char place[PATH_MAX + 32];
    bool is_nul = json_error_code(where) == json_error_null_character;
    snprintf(place, sizeof(place), "%s:%d:%d", path, where->line > 0 ? where->line : 1,
             where->column > 0 ? where->column : 1);
    if (is_nul)
        ft_load_tell(l, true, place,
                     "\\u0000 stands in no text here; the byte 0 is written \\\\x00 in conditions");
    else
        ft_load_tell(l, true, place, "cannot be read as JSON: %s%s", where->text,
                     meant_by(where->text));
}

static void not_text(struct ft_loader *l, const char *path, const char *text)
{
    char place[PATH_MAX + 32];
    struct ft_place end = ft_locate_end(text);
    snprintf(place, sizeof(place), "%s:%u:%u", path, end.line, end.column);
    ft_load_tell(l, true, place, FT_LOCATE_NUL);
}

/* Read a file as JSON, and all of it but the rules. */
static void read_file(struct ft_loader *l, struct ft_source *s)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put before UTF-8 */
    char error[256];
    json_error_t where;
    size_t length;
    s->text = slurp(s->path, &length, &s->modified_ns, error, sizeof(error));
    if (!s->text) {
        ft_load_tell(l, true, s->path, "%s", error);
        return;
    }
    size_t skipped = strncmp(s->text, mark, 3) == 0 ? 3 : 0;
    if (memchr(s->text, 0, length)) {
        not_text(l, s->path, s->text + skipped);
        return;
    }
    s->root = json_loadb(s->text + skipped, length - skipped, 0, &where);
    if (!s->root) {
        not_json(l, s->path, &where);
    } else if (!ft_outline_open(&s->outline, s->text + skipped, length - skipped)) {
        l->is_out_of_memory = true;
    } else {
        l->source = s;
        if (s->is_configuration)
            ft_load_environment(l);
        else
            ft_load_object(l, "a rule file", file_keys, sizeof(file_keys) / sizeof(file_keys[0]),
                           s->root, 0, s);
    }
}

/* ---- the rule set ---- */

static void read_rules(struct ft_loader *l, struct ft_source *s)
{
    if (!s->rules)
        return;
    l->source = s;
    struct ft_outline_walk w = ft_outline_walk(&s->outline, s->rules, s->rules_node);
    bool goes_on = true;
    while (ft_outline_next(&s->outline, &w)) {
        goes_on = goes_on && ft_load_rule(l, w.value, w.node);
        l->files->refused += !goes_on; /* there are too many */
    }
}

/* The sets of the configuration go before those of the files. */
static bool open_vocabulary(struct ft_loader *l)
{
    const struct ft_rule_environment *e = &l->environment;
    struct ft_rule_store *s = l->store;
    s->foreign_sets = s->set_count = e->set_count;
    s->sets = calloc(e->set_count + 1, sizeof(*s->sets));
    s->sets_said = calloc(e->set_count + 1, sizeof(*s->sets_said));
    if (!s->sets || !s->sets_said)
        return false;
    if (e->set_count)
        memcpy(s->sets, e->sets, e->set_count * sizeof(*s->sets));
    return true;
}

static bool close_vocabulary(struct ft_loader *l)
{
    struct ft_rule_store *s = l->store;
    bool has_areas = s->area_count;
    l->files->vocabulary =
        (struct ft_vocabulary){.registry = l->environment.registry,
                               .tags = s->tags,
                               .tag_count = s->tag_count,
                               .sets = s->sets,
                               .set_count = s->set_count,
                               .zones = has_areas ? s->areas : l->environment.zones,
                               .zone_count = has_areas ? s->area_count : l->environment.zone_count};
    s->set_hashes = calloc(s->set_count + 1, sizeof(*s->set_hashes));
    s->sets_told = calloc(s->set_count + 1, sizeof(*s->sets_told));
    return s->set_hashes && s->sets_told && ft_vocabulary_open(&l->files->vocabulary);
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct ft_rule *)a)->id, y = ((const struct ft_rule *)b)->id;
    return (x > y) - (x < y);
}

static bool read_all(struct ft_loader *l, const char *const *paths, uint32_t count)
{
    struct ft_rule_store *s = l->store;
    struct ft_source *configuration =
        l->environment.configuration ? add_source(l, l->environment.configuration) : NULL;
    if (configuration)
        configuration->is_configuration = true;
    if (l->environment.built_in)
        add_path(l, l->environment.built_in);
    for (uint32_t i = 0; i < s->source_count; i++)
        s->sources[i].is_built_in = !s->sources[i].is_configuration;
    for (uint32_t i = 0; i < count; i++)
        add_path(l, paths[i]);
    if (!open_vocabulary(l))
        return false;
    for (uint32_t i = 0; i < s->source_count; i++) {
        uint64_t errors = l->errors;
        uint32_t broken = l->files->broken;
        read_file(l, &s->sources[i]);
        l->files->broken += l->errors != errors && l->files->broken == broken;
    }
    if (!close_vocabulary(l))
        return false;
    for (uint32_t i = 0; i < s->source_count; i++)
        read_rules(l, &s->sources[i]);
    if (l->files->count)
        qsort(l->files->rules, l->files->count, sizeof(*l->files->rules), by_id);
    ft_load_find_after(l);
    for (uint32_t i = 0; i < s->source_count; i++) {
        ft_outline_close(&s->sources[i].outline);
        free(s->sources[i].text);
        s->sources[i].text = NULL;
    }
    return !l->is_out_of_memory;
}

struct ft_rule_files *ft_rule_files_read(const char *const *paths, uint32_t count,
                                         const struct ft_rule_environment *environment,
                                         ft_rule_say_fn *say, void *user, bool *is_sound)
{
    struct ft_rule_files *files = calloc(1, sizeof(*files));
    struct ft_rule_store *store = calloc(1, sizeof(*store));
    struct ft_loader l = {
        .files = files,
        .store = store,
        .environment = *environment,
        .say = say,
        .user = user,
        .ids = calloc(FT_RULE_ID_LAST - FT_RULE_ID_BUILT_IN + 1, sizeof(*l.ids)),
    };
    *is_sound = false;
    bool ok = files && store && l.ids;
    if (files)
        files->private_ = store;
    else
        free(store);
    ok = ok && read_all(&l, paths, count);
    free(l.ids);
    if (!ok) {
        ft_rule_files_free(files);
        return NULL;
    }
    *is_sound = !l.errors;
    return files;
}

static void free_store(struct ft_rule_store *s)
{
    for (uint32_t i = 0; i < s->source_count; i++) {
        ft_outline_close(&s->sources[i].outline);
        json_decref(s->sources[i].root);
        free(s->sources[i].text);
        free(s->sources[i].path);
    }
    for (uint32_t i = 0; i < s->string_count; i++)
        free(s->strings[i]);
    for (uint32_t i = 0; i < s->zone_count; i++)
        ft_time_zone_free(s->zones[i].zone);
    for (uint32_t i = s->foreign_sets; i < s->set_count; i++)
        ft_set_free(s->sets[i].set);
    for (uint32_t i = 0; i < s->area_count; i++)
        ft_set_free(s->areas[i].networks);
    free(s->areas);
    free(s->sources);
    free(s->strings);
    free(s->zones);
    free(s->sets);
    free(s->sets_said);
    free(s->set_hashes);
    free(s->sets_told);
    free(s->tags);
    free(s->tags_said);
    free(s);
}

void ft_rule_files_free(struct ft_rule_files *files)
{
    if (!files)
        return;
    for (uint32_t i = 0; i < files->count; i++) {
        ft_expression_free(files->rules[i].expression);
        free(files->rules[i].test_places);
        free(files->rules[i].parts);
    }
    free(files->rules);
    ft_vocabulary_close(&files->vocabulary);
    if (files->private_)
        free_store(files->private_);
    free(files);
}
