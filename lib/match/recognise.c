/* SPDX-License-Identifier: BSD-3-Clause */
/* Recognition of unknown flows by signatures and probes. */
#include "match/recognise.h"

#include "match/places.h"

#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TCP,
    UDP,
    TRANSPORTS
};

struct ft_recogniser {
    const struct ft_registry *registry;
    struct ft_places *places[TRANSPORTS];
    hs_database_t *databases[TRANSPORTS]; /* of those that are not for it; NULL: none */
};

struct ft_recogniser_scratch {
    hs_scratch_t *hs;
    const struct ft_protocol *asked;
    uint64_t hits[(FT_MAX_PROTOCOLS + 63) / 64];
};

/* Signatures of a database; the id of a pattern is the index of its protocol. */
struct patterns {
    const char **text;
    unsigned *flags, *ids;
    unsigned count;
};

static void patterns_free(struct patterns *p)
{
    free(p->text);
    free(p->flags);
    free(p->ids);
}

/* What goes into the database, and all others into `places`. */
static bool patterns_collect(struct patterns *p, struct ft_places *places,
                             const struct ft_registry *r, uint32_t transport)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < r->count; i++)
        total += r->protocols[i]->signature_count;
    *p = (struct patterns){.text = calloc(total + 1, sizeof(*p->text)),
                           .flags = calloc(total + 1, sizeof(*p->flags)),
                           .ids = calloc(total + 1, sizeof(*p->ids))};
    if (!p->text || !p->flags || !p->ids)
        return false;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct ft_protocol *proto = r->protocols[i];
        for (uint32_t s = 0; s < proto->signature_count; s++) {
            const struct ft_signature *signature = &proto->signatures[s];
            if (!(signature->flags & transport) || ft_places_add(places, signature->pattern, i))
                continue;
            p->text[p->count] = signature->pattern;
            p->flags[p->count] = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
            p->ids[p->count++] = i;
        }
    }
    return true;
}

static bool compile(struct ft_recogniser *to, int index, uint32_t transport, char *error,
                    size_t error_size)
{
    const struct ft_registry *r = to->registry;
    struct patterns p = {0};
    hs_compile_error_t *wrong = NULL;
    to->places[index] = ft_places_new();
    bool ok = to->places[index] && patterns_collect(&p, to->places[index], r, transport);
    if (!ok) {
        snprintf(error, error_size, "out of memory");
    } else if (p.count &&
               hs_compile_multi((const char *const *)p.text, p.flags, p.ids, p.count, HS_MODE_BLOCK,
                                NULL, &to->databases[index], &wrong) != HS_SUCCESS) {
        int n = wrong->expression;
        snprintf(error, error_size, "dissector \"%s\": signature \"%s\": %s",
                 n >= 0 ? r->protocols[p.ids[n]]->name : "?", n >= 0 ? p.text[n] : "?",
                 wrong->message);
        hs_free_compile_error(wrong);
        ok = false;
    }
    patterns_free(&p);
    return ok;
}

const char *ft_recogniser_version(void)
{
    return hs_version();
}

struct ft_recogniser *ft_recogniser_new(const struct ft_registry *registry, char *error,
                                        size_t error_size)
{
    struct ft_recogniser *r = calloc(1, sizeof(*r));
    if (!r) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    r->registry = registry;
    if (hs_valid_platform() != HS_SUCCESS) {
        snprintf(error, error_size, "this CPU lacks SSSE3, which Hyperscan needs");
        free(r);
        return NULL;
    }
    if (!compile(r, TCP, FT_SIGNATURE_TCP, error, error_size) ||
        !compile(r, UDP, FT_SIGNATURE_UDP, error, error_size)) {
        ft_recogniser_free(r);
        return NULL;
    }
    return r;
}

void ft_recogniser_free(struct ft_recogniser *r)
{
    for (int i = 0; r && i < TRANSPORTS; i++) {
        ft_places_free(r->places[i]);
        hs_free_database(r->databases[i]);
    }
    free(r);
}

struct ft_recogniser_scratch *ft_recogniser_scratch_new(const struct ft_recogniser *r)
{
    struct ft_recogniser_scratch *s = calloc(1, sizeof(*s));
    bool ok = s != NULL;
    for (int i = 0; ok && i < TRANSPORTS; i++)
        ok = !r->databases[i] || hs_alloc_scratch(r->databases[i], &s->hs) == HS_SUCCESS;
    if (ok)
        return s;
    ft_recogniser_scratch_free(s);
    return NULL;
}

void ft_recogniser_scratch_free(struct ft_recogniser_scratch *s)
{
    if (s)
        hs_free_scratch(s->hs);
    free(s);
}

static void note(void *user, uint32_t id)
{
    struct ft_recogniser_scratch *s = user;
    s->hits[id / 64] |= 1ull << (id % 64);
}

static int on_hit(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                  void *user)
{
    (void)from;
    (void)to;
    (void)flags;
    note(user, id);
    return 0;
}

const struct ft_protocol *ft_recogniser_asked(const struct ft_recogniser_scratch *s)
{
    return s->asked;
}

static enum ft_verdict ask(struct ft_recogniser_scratch *s, uint8_t shard,
                           const struct ft_protocol *p, const struct ft_probe *where,
                           const uint8_t *bytes, uint32_t length, bool is_cut)
{
    if (ft_protocol_is_off(p, shard) || !p->dissector->probe)
        return FT_NO;
    s->asked = p;
    return p->dissector->probe(where, ft_view_make(bytes, length, is_cut));
}

const struct ft_protocol *ft_recognise(const struct ft_recogniser *r,
                                       struct ft_recogniser_scratch *s, uint8_t shard,
                                       const struct ft_probe *where, const uint8_t *bytes,
                                       uint32_t length, bool is_cut, uint16_t *maybe)
{
    struct ft_protocol *const *protocols = r->registry->protocols;
    if (*maybe && ask(s, shard, protocols[*maybe - 1], where, bytes, length, is_cut) != FT_NO)
        return protocols[*maybe - 1];
    const int transport = where->transport == FT_TRANSPORT_TCP ? TCP : UDP;
    const uint32_t seen = length < FT_RECOGNISE_BYTES ? length : FT_RECOGNISE_BYTES;
    uint16_t first_maybe = 0;
    *maybe = 0;
    s->asked = NULL; /* whatever happens in the scan is nobody's fault */
    memset(s->hits, 0, sizeof(s->hits));
    ft_places_look(r->places[transport], bytes, seen, note, s);
    if (r->databases[transport])
        hs_scan(r->databases[transport], (const char *)bytes, seen, 0, s->hs, on_hit, s);
    for (unsigned word = 0; word < sizeof(s->hits) / sizeof(s->hits[0]); word++) {
        for (uint64_t bits = s->hits[word]; bits; bits &= bits - 1) {
            const struct ft_protocol *p = protocols[word * 64 + (unsigned)__builtin_ctzll(bits)];
            enum ft_verdict verdict = ask(s, shard, p, where, bytes, length, is_cut);
            if (verdict == FT_YES)
                return p;
            if (verdict == FT_MAYBE && !first_maybe)
                first_maybe = (uint16_t)(p->index + 1);
        }
    }
    *maybe = first_maybe;
    return NULL;
}
