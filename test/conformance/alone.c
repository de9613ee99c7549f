/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * alone: fields are there when nobody asks for any other.
 *
 * Each capture goes through the whole inspection with all fields wanted, then once for each field
 * of its protocols, with this one wanted alone: it must have the same values in the same messages.
 * A dissector that puts one field only where another is wanted fails.
 *
 *   alone [--frames N] CAPTURE...
 *
 * reads the first `frames` frames of each. One line a capture; exit status 1 when something
 * differs. It looks at each call when it is done, before its results are gone: ft_call_done() is
 * taken over by the linker (--wrap).
 */
#include "base/hash.h"
#include "captures.h"
#include "flow/inspect_internal.h"

#include <getopt.h>

/* Of a field: how many values, and their sum as hashes with their places. */
struct values {
    uint64_t count, sum;
};

static struct look {
    struct values *all, *alone; /* FIELDS a protocol */
    struct values *to;          /* of the two the one of this run */
    uint64_t calls;             /* of this run */
    uint8_t *is_full; /* by call: so many fields that some were dropped when all were wanted */
    uint64_t full_size;
} look;

#define FIELDS FT_MAX_FIELDS

void __real_ft_call_done(struct ft_call *call);
void __wrap_ft_call_done(struct ft_call *call);

static uint64_t hash_of(const struct ft_node *n)
{
    bool is_number = n->type != FT_TYPE_STRING && n->type != FT_TYPE_BYTES &&
                     n->type != FT_TYPE_IPV6 && n->type != FT_TYPE_MAC;
    return is_number ? ft_hash_mix(n->type, n->u) : ft_hash_bytes(n->type, n->bytes, n->length);
}

static void see_message(const struct ft_call *call, uint32_t message)
{
    const struct ft_message *m = &call->messages[message];
    for (uint32_t n = m->first; n; n = call->nodes[n].next) {
        const struct ft_node *at = &call->nodes[n];
        if (at->type == FT_NODE_END || at->type == FT_TYPE_GROUP)
            continue;
        struct values *v = &look.to[m->protocol->index * FIELDS + at->field];
        v->count++;
        v->sum += ft_hash_mix(look.calls << 8 | message, hash_of(at));
    }
}

static bool is_full(const struct ft_call *call)
{
    if (look.to == look.alone)
        return look.calls < look.full_size && look.is_full[look.calls];
    if (look.calls >= look.full_size) {
        look.full_size = look.full_size ? look.full_size * 2 : 4096;
        look.is_full = must(realloc(look.is_full, look.full_size));
    }
    return (look.is_full[look.calls] = call->dropped || call->node_count == FT_MAX_FIELDS ||
                                       call->message_count == FT_MAX_MESSAGES);
}

void __wrap_ft_call_done(struct ft_call *call)
{
    if (!is_full(call))
        for (uint32_t i = 0; i < call->message_count; i++)
            see_message(call, i);
    look.calls++;
    __real_ft_call_done(call);
}

static bool drain(void *user)
{
    return forget_events(user);
}

/* ---- a run ---- */

/* What is wanted of all protocols: of each one field, the groups around it, and the root. */
struct demand {
    uint64_t fields[FT_MAX_PROTOCOLS][FT_MAX_FIELDS / 64];
    struct ft_demand of[FT_MAX_PROTOCOLS];
    struct ft_demand_row *rows[FT_MAX_PROTOCOLS];
};

static void demand_make(struct demand *d, const struct ft_registry *registry)
{
    for (uint32_t p = 0; p < registry->count; p++) {
        uint32_t rows = registry->protocols[p]->command_count + 1;
        const struct ft_wanted wanted = {.fields = d->fields[p]};
        d->rows[p] = must(aligned_alloc(64, rows * sizeof(*d->rows[p])));
        for (uint32_t row = 0; row < rows; row++)
            d->rows[p][row] = (struct ft_demand_row){.all = wanted, .of_flow = wanted};
        d->of[p] =
            (struct ft_demand){.before = wanted, .before_of_flow = wanted, .rows = d->rows[p]};
    }
}

static void demand_free(struct demand *d, const struct ft_registry *registry)
{
    for (uint32_t p = 0; p < registry->count; p++)
        free(d->rows[p]);
    free(d);
}

static void want_alone(uint64_t *fields, const struct ft_protocol *p, uint32_t field)
{
    memset(fields, 0, FT_MAX_FIELDS / 8);
    if (!field)
        return;
    fields[0] = 1;
    for (uint32_t up = field; up; up = p->fields[up].parent)
        fields[up / 64] |= 1ull << (up % 64);
}

static void inspect(struct engine *engine, const struct capture *c, const struct demand *demand)
{
    static const struct ft_flow_wants no_flow;
    struct run *r = run_new(engine, false);
    struct ft_call *call = &r->inspector->call;
    look.calls = 0;
    look.to = demand ? look.alone : look.all;
    call->wants_all = !demand;
    call->raise = NULL; /* of what is new all is wanted */
    call->demand = demand ? demand->of : NULL;
    call->flow_wants = &no_flow;
    call->wanted_of_all = UINT64_MAX;
    play(r, c);
    run_free(r);
}

/* The k-th field of a protocol that was seen; 0: there are not so many. */
static uint32_t seen_field(const struct ft_protocol *p, uint32_t k)
{
    for (uint32_t i = 1; i < p->field_count; i++)
        if (look.all[p->index * FIELDS + i].count && k-- == 0)
            return i;
    return 0;
}

/* One field of each protocol, alone. False: no protocol has so many. */
static bool check(struct engine *engine, const struct capture *c, struct demand *d, uint32_t k,
                  const char *name, uint32_t *wrong)
{
    const struct ft_registry *registry = engine->registry;
    bool is_any = false;
    for (uint32_t i = 0; i < registry->count; i++) {
        uint32_t field = seen_field(registry->protocols[i], k);
        want_alone(d->fields[i], registry->protocols[i], field);
        is_any |= field != 0;
    }
    if (!is_any)
        return false;
    memset(look.alone, 0, registry->count * FIELDS * sizeof(*look.alone));
    inspect(engine, c, d);
    for (uint32_t i = 0; i < registry->count; i++) {
        const struct ft_protocol *p = registry->protocols[i];
        uint32_t field = seen_field(p, k);
        const struct values *all = &look.all[i * FIELDS + field];
        const struct values *alone = &look.alone[i * FIELDS + field];
        if (!field || (all->count == alone->count && all->sum == alone->sum))
            continue;
        printf("%s: %s.%s has %llu values alone, and %llu with all others%s\n", name, p->name,
               p->fields[field].name, (unsigned long long)alone->count,
               (unsigned long long)all->count,
               all->count == alone->count ? ", which are others" : "");
        ++*wrong;
    }
    return true;
}

static bool check_capture(struct engine *engine, const char *path, uint32_t frames)
{
    struct capture c;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    uint32_t k = 0, wrong = 0;
    if (!capture_load(&c, path, frames))
        return false;
    struct demand *d = must(aligned_alloc(64, sizeof(*d)));
    demand_make(d, engine->registry);
    memset(look.all, 0, engine->registry->count * FIELDS * sizeof(*look.all));
    inspect(engine, &c, NULL);
    while (check(engine, &c, d, k, name, &wrong))
        k++;
    printf("%s %s: %u packets, %u fields at most: %u differences\n", wrong ? "FAIL" : "ok  ", name,
           c.count, k, wrong);
    demand_free(d, engine->registry);
    capture_free(&c);
    return !wrong;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"frames", required_argument, NULL, 'f'}, {0}};
    static struct engine engine;
    uint32_t frames = 500;
    int c, failed = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'f')
            return 2;
        frames = (uint32_t)strtoul(optarg, NULL, 10);
    }
    if (!engine_make(&engine))
        return 1;
    look.all = must(calloc(engine.registry->count * FIELDS, sizeof(*look.all)));
    look.alone = must(calloc(engine.registry->count * FIELDS, sizeof(*look.alone)));
    for (int i = optind; i < argc; i++)
        failed += !check_capture(&engine, argv[i], frames);
    free(look.all);
    free(look.alone);
    free(look.is_full);
    ft_ring_free(&engine.ring);
    ft_recogniser_free(engine.recogniser);
    ft_registry_free(engine.registry);
    return failed != 0;
}
