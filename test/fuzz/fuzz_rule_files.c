/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of rule files: the input is the file. It is accepted, or every line that is said is one
 * line that begins with the place; rules come in order of their ids.
 */
#include "protocols/protocols.h"
#include "rules/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ft_rule_environment environment;

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void open_environment(void)
{
    static const struct ft_schedule hours = {
        .range_count = 1, .ranges = {{.from_s = 8 * 3600, .to_s = 17 * 3600, .days = 31}}};
    char error[256];
    struct ft_registry *registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        expect(ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)),
               "the dissectors are right");
    ft_registry_finish(registry);
    environment.registry = registry;
    environment.working_hours = &hours;
}

static void say(void *user, bool is_error, const char *line)
{
    uint32_t *errors = user;
    *errors += is_error;
    expect(strlen(line) > 10 && strstr(line, ": ") && !strchr(line, '\n'),
           "one line with a place is said");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const char *paths[] = {path};
    uint32_t errors = 0;
    bool is_sound;
    if (!environment.registry)
        open_environment();
    int file = memfd_create("rules", MFD_CLOEXEC);
    expect(file >= 0 && write(file, data, size) == (ssize_t)size, "the input is written");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    struct ft_rule_files *files =
        ft_rule_files_read(paths, 1, &environment, say, &errors, &is_sound);
    expect(files, "there is memory");
    expect(is_sound == !errors && (!is_sound || !files->refused), "what is refused says why");
    for (uint32_t i = 0; i < files->count; i++) {
        const struct ft_rule *r = &files->rules[i];
        expect(!i || r->id > files->rules[i - 1].id, "rules come in order");
        expect(r->title && r->category && r->when && r->expression && r->place.line,
               "a rule is complete");
        expect(!r->part_count || r->message, "values stand in a message");
    }
    ft_rule_files_free(files);
    close(file);
    return 0;
}
