/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzing of conditions: the input is the text. What is refused must say where and why; what is
 * accepted must be a sound tree, become a sound program, and can be written for people.
 */
#include "protocols/protocols.h"
#include "rules/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ft_registry *registry; /* the vocabulary has a copy */
static struct ft_vocabulary vocabulary;
static struct ft_named_set sets[2];

static const struct ft_tag tags[] = {{.name = "level",
                                      .transport = FT_TRANSPORT_UDP,
                                      .port = 5,
                                      .length = 4,
                                      .type = FT_VALUE_TYPE_INT}};

static void expect(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static struct ft_set *make_set(enum ft_value_kind kind, const char *text)
{
    char error[256];
    struct ft_set *set = ft_set_new(ft_value_set_kind(kind));
    expect(set && ft_set_add_written(set, kind, text, strlen(text), error, sizeof(error)) &&
               ft_set_close(set),
           "a set can be made");
    return set;
}

static void open_vocabulary(void)
{
    char error[256];
    registry = ft_registry_new();
    for (unsigned i = 0; ft_protocols[i]; i++)
        expect(ft_registry_add(registry, ft_protocols[i], NULL, error, sizeof(error)),
               "the dissectors are right");
    ft_registry_finish(registry);
    sets[0] =
        (struct ft_named_set){"plc", FT_VALUE_IP, make_set(FT_VALUE_IP, "10.0.1.0/24"), false};
    sets[1] =
        (struct ft_named_set){"ot", FT_VALUE_PORT, make_set(FT_VALUE_PORT, "502..504"), false};
    vocabulary = (struct ft_vocabulary){
        .registry = registry, .tags = tags, .tag_count = 1, .sets = sets, .set_count = 2};
    expect(ft_vocabulary_open(&vocabulary), "the vocabulary can be opened");
}

struct told {
    uint32_t length, errors;
};

static void wrong(void *user, uint32_t at, uint32_t end, const char *text)
{
    struct told *told = user;
    told->errors++;
    expect(at <= end && end <= told->length, "an error stands in the text");
    expect(*text, "an error says what is wrong");
}

/* Nodes of a tree, each of which is in it once. */
static uint32_t check_node(const struct ft_expression *e, uint32_t node, uint32_t scope)
{
    const struct ft_expression_node *n = &e->nodes[node];
    char text[1024];
    uint32_t count = 1, children = 0;
    expect(node > 0 && node < e->count, "a node is one of the expression");
    expect(n->scope == scope, "a node knows the any around it");
    ft_test_text(&vocabulary, &n->test, text, sizeof(text));
    for (uint32_t child = n->child; child; child = e->nodes[child].next, children++) {
        expect(children < e->count, "brothers end");
        expect(e->nodes[child].kind != n->kind || n->kind == FT_EXPRESSION_ANY,
               "and has no and in it");
        count += check_node(e, child, n->kind == FT_EXPRESSION_ANY ? node : scope);
    }
    expect(n->kind == FT_EXPRESSION_TEST  ? children == 0
           : n->kind == FT_EXPRESSION_ANY ? children == 1
                                          : children >= 2,
           "a node has the children of its kind");
    return count;
}

/* What a worker decides, or the core: 0 is nothing. */
static uint32_t check_part(const struct ft_expression *e, uint32_t node)
{
    struct ft_patterns patterns = {0};
    struct ft_program program = {0};
    if (!node)
        return 0;
    expect(ft_program_make(&program, &vocabulary, e, node, &patterns),
           "a condition becomes a program");
    expect(ft_program_is_sound(&program, &patterns), "the program is sound");
    ft_program_free(&program);
    ft_patterns_free(&patterns);
    return check_node(e, node, 0);
}

static void check(const struct ft_expression *e)
{
    expect(e->worker || e->core, "a condition asks for something");
    expect(check_part(e, e->worker) + check_part(e, e->core) < e->count,
           "each node is in the tree once");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!vocabulary.registry)
        open_vocabulary();
    if (size > FT_EXPRESSION_TEXT_MAX + 1 || memchr(data, 0, size))
        return 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    struct told told = {.length = (uint32_t)size};
    struct ft_expression *e = ft_expression_read(&vocabulary, text, wrong, &told);
    expect((e == NULL) == (told.errors > 0), "what is refused says why");
    free(text);
    if (e)
        check(e);
    ft_expression_free(e);
    return 0;
}
