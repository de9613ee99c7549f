/* SPDX-License-Identifier: BSD-3-Clause */
/* Address resolution over the whole network. */
#include "alert/neighbours.h"

#include "base/hash.h"
#include "base/index.h"
#include "inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

/* Questions are compared with their answers for so long; stacks repeat after one to five seconds.
 */
#define QUESTION_NS (10 * S)

/* More addresses than this asked for in QUESTION_NS, most of them without answer: a scan. Polling
 * masters ask for many, too, but these answer. */
#define SCAN_TARGETS 30u

/* An answer comes within milliseconds; so long after the last question of a suspect it is judged.
 */
#define SCAN_WAIT_NS S

/* More addresses than this that nobody has, in six minutes: a scan that takes its time. Addresses
 * whose device was ever heard do not count: of a mirrored port there may be questions only. */
#define SLOW_TARGETS 40u
#define SLOW_NS      (360 * S)

/* More than three answers without question in ten seconds (poisoners repeat each second or two). */
#define UNSOLICITED_MAX 3u
#define UNSOLICITED_NS  (10 * S)

/* More announcements of one address than this in ten seconds: keepalived, the most eager of
 * redundancy daemons, sends ten when it takes over. */
#define ANNOUNCEMENTS_MAX 20u

/* More messages of one sender in ten seconds: a router that is scanned from outside asks for a few
 * dozen a second. And of all: a thousand stations on one segment make about a hundred a second. */
#define FLOOD_NS     (10 * S)
#define FLOOD_SENDER 1000u
#define FLOOD_ALL    10000u

/* Both claim an address within a minute: neither has left. */
#define CONTEST_NS (60 * S)

/* While it is contested the inventory does not follow each change. */
#define FREEZE_NS (600 * S)

/* Addresses of so many devices within a minute. A cluster that fails over takes over the addresses
 * of one device, however many they are. */
#define TAKEOVER_DEVICES 3u
#define TAKEOVER_NS      (60 * S)

/* RFC 5227: probes go out within seven seconds before an address is taken. */
#define PROBE_NS (30 * S)

/* A statement of DHCP holds until the device speaks; leases of days begin with that. */
#define ASSIGNED_NS (86400 * S)

#define RENEW_NS (3600 * S)

#define SENDERS   8192u /* powers of two */
#define QUESTIONS 16384u
#define HOLDERS   65536u
#define WAITING                                                                                    \
    256u /* answers whose question may be on its way: ports of a TAP are not in order              \
          */
#define SUSPECTS 64u

/* A station that sends address resolution. */
struct sender {
    uint64_t mac;
    uint64_t asked_ns;                     /* last question, 0 = none */
    uint32_t asked, answered;              /* of its questions that are remembered */
    uint64_t flood_ns;                     /* begin of a window of FLOOD_NS */
    uint64_t flood;                        /* messages in it */
    uint64_t unasked[UNSOLICITED_MAX + 1]; /* times of its last answers without question */
    uint32_t next_unasked;
    uint64_t former[TAKEOVER_DEVICES]; /* devices whose addresses it claimed last, and when */
    uint64_t former_ns[TAKEOVER_DEVICES];
    bool is_suspect;
    uint64_t scan_ns;                   /* when it was last told as a scanner, 0 = never */
    uint64_t silent_ns;                 /* begin of a window of SLOW_NS */
    uint32_t silent_count, heard_count; /* what it asked for in it: nobody has it, answered */
    uint32_t silent[SLOW_TARGETS + 1];  /* hashes of the former */
};

struct question {
    uint64_t mac; /* who asks */
    union ft_ip target;
    uint64_t network; /* of the target, as of holders */
    uint8_t family;
    uint64_t since_ns, asked_ns; /* in the table, asked last */
    uint32_t sender;             /* its number in the table of senders */
    bool is_answered;
};

/* Whose an address is. */
struct holder {
    uint64_t network; /* VLAN tags, tunnel, interface */
    union ft_ip ip;
    uint64_t mac, former;
    uint64_t moved_ns, learned_ns, frozen_ns;
    uint64_t probe; /* who asked whether it is free and got no answer yet */
    uint64_t probe_ns;
    uint64_t announced_ns; /* begin of a window of ten seconds */
    uint32_t announced;    /* in it */
    uint8_t family;
};

struct suspect {
    uint64_t mac;
    uint64_t since_ns;
    struct ft_event event;
};

/* Entries in order of creation: the oldest at `first`; the number modulo size is the place. */
struct table {
    struct ft_index index;
    uint64_t first, next;
};

struct ft_neighbours {
    ft_neighbours_found_fn *found;
    void *user;
    uint64_t key[2];
    struct sender *senders;
    struct question *questions;
    struct holder *holders;
    struct table sender_table, question_table, holder_table;
    struct ft_event *waiting; /* WAITING */
    uint32_t waiting_count;
    struct suspect *suspects; /* SUSPECTS */
    uint32_t suspect_count;
    uint64_t flood_ns, flood; /* of all */
};

struct ft_neighbours *ft_neighbours_new(const uint64_t key[2], ft_neighbours_found_fn *found,
                                        void *user)
{
    struct ft_neighbours *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    memcpy(n->key, key, sizeof(n->key));
    n->found = found;
    n->user = user;
    n->senders = calloc(SENDERS, sizeof(*n->senders));
    n->questions = calloc(QUESTIONS, sizeof(*n->questions));
    n->holders = calloc(HOLDERS, sizeof(*n->holders));
    n->waiting = calloc(WAITING, sizeof(*n->waiting));
    n->suspects = calloc(SUSPECTS, sizeof(*n->suspects));
    if (n->senders && n->questions && n->holders && n->waiting && n->suspects)
        return n;
    ft_neighbours_free(n);
    return NULL;
}

void ft_neighbours_free(struct ft_neighbours *n)
{
    if (!n)
        return;
    ft_index_free(&n->sender_table.index);
    ft_index_free(&n->question_table.index);
    ft_index_free(&n->holder_table.index);
    free(n->senders);
    free(n->questions);
    free(n->holders);
    free(n->waiting);
    free(n->suspects);
    free(n);
}

/* ---- addresses ---- */

static uint64_t number_of(const uint8_t mac[6])
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 6; i++)
        number = number << 8 | mac[i];
    return number;
}

static void mac_of(uint8_t mac[6], uint64_t number)
{
    for (unsigned i = 6; i-- > 0; number >>= 8)
        mac[i] = (uint8_t)number;
}

static bool is_station(uint64_t mac)
{
    return mac && !(mac >> 40 & 1);
}

static bool is_virtual_router(uint64_t mac)
{
    return mac >> 16 == 0x00005e00 || mac >> 8 == 0x00000c07ac || mac >> 12 == 0x00000c9ff;
}

bool ft_neighbours_is_virtual_router(const uint8_t mac[6])
{
    return is_virtual_router(number_of(mac));
}

/* Ports of one adapter follow one another, and teams of them answer with one and another. So do
 * devices of one delivery: their strife for an address is told, but as the lesser thing. */
static bool may_be_one_device(uint64_t a, uint64_t b)
{
    uint64_t distance = a > b ? a - b : b - a;
    return a >> 8 == b >> 8 && distance < 8;
}

static uint64_t network_of(const struct ft_neighbours *n, const struct ft_event *e)
{
    return ft_event_network(n->key, e);
}

/* ---- senders ---- */

static uint64_t hash_sender(const struct ft_neighbours *n, uint64_t mac)
{
    return ft_siphash(n->key, &mac, sizeof(mac));
}

static struct sender *find_sender(const struct ft_neighbours *n, uint64_t mac)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&n->sender_table.index, hash_sender(n, mac));
    while ((entry = ft_index_next(&n->sender_table.index, &w)))
        if (n->senders[entry - 1].mac == mac)
            return &n->senders[entry - 1];
    return NULL;
}

/* The sender, made when it is new: the oldest gives way when there are too many. */
static struct sender *get_sender(struct ft_neighbours *n, uint64_t mac)
{
    struct table *t = &n->sender_table;
    struct sender *s = find_sender(n, mac);
    if (s || !ft_index_reserve(&t->index))
        return s;
    uint32_t place = (uint32_t)(t->next++ & (SENDERS - 1));
    s = &n->senders[place];
    if (t->next - t->first > SENDERS) {
        ft_index_remove(&t->index, hash_sender(n, s->mac), place + 1);
        t->first++;
    }
    *s = (struct sender){.mac = mac};
    ft_index_add(&t->index, hash_sender(n, mac), place + 1);
    return s;
}

/* ---- questions ---- */

static uint64_t hash_question(const struct ft_neighbours *n, uint64_t mac,
                              const union ft_ip *target)
{
    uint64_t words[3] = {mac, target->words[0], target->words[1]};
    return ft_siphash(n->key, words, sizeof(words));
}

static struct question *find_question(const struct ft_neighbours *n, uint64_t mac,
                                      const union ft_ip *target)
{
    uint32_t entry;
    struct ft_index_walk w = ft_index_walk(&n->question_table.index, hash_question(n, mac, target));
    while ((entry = ft_index_next(&n->question_table.index, &w))) {
        struct question *q = &n->questions[entry - 1];
        if (q->mac == mac && !memcmp(&q->target, target, sizeof(*target)))
            return q;
    }
    return NULL;
}

/* The sender that a question was counted for, unless it gave way. */
static struct sender *asker_of(struct ft_neighbours *n, const struct question *q)
{
    struct sender *s = &n->senders[q->sender];
    return s->mac == q->mac ? s : NULL;
}

static void uncount(struct ft_neighbours *n, const struct question *q)
{
    struct sender *s = asker_of(n, q);
    if (s && s->asked)
        s->asked--;
    if (s && q->is_answered && s->answered)
        s->answered--;
}

static void put_question(struct ft_neighbours *n, const struct question *q)
{
    struct table *t = &n->question_table;
    uint32_t place = (uint32_t)(t->next++ & (QUESTIONS - 1));
    n->questions[place] = *q;
    ft_index_add(&t->index, hash_question(n, q->mac, &q->target), place + 1);
}

static struct question take_question(struct ft_neighbours *n)
{
    struct table *t = &n->question_table;
    uint32_t place = (uint32_t)(t->first++ & (QUESTIONS - 1));
    struct question q = n->questions[place];
    ft_index_remove(&t->index, hash_question(n, q.mac, &q.target), place + 1);
    return q;
}

static struct holder *find_holder(const struct ft_neighbours *n, uint64_t network,
                                  const union ft_ip *ip, uint8_t family);

/* The time for an answer is over. */
static void count_silent(struct ft_neighbours *n, const struct question *q, uint64_t clock_ns)
{
    struct sender *s = asker_of(n, q);
    if (!s)
        return;
    if (clock_ns - s->silent_ns > SLOW_NS) {
        s->silent_count = s->heard_count = 0;
        s->silent_ns = clock_ns;
    }
    s->heard_count += q->is_answered;
    if (q->is_answered || find_holder(n, q->network, &q->target, q->family))
        return;
    uint32_t hash = (uint32_t)hash_question(n, q->mac, &q->target);
    for (uint32_t i = 0; i < s->silent_count; i++)
        if (s->silent[i] == hash)
            return;
    if (s->silent_count <= SLOW_TARGETS)
        s->silent[s->silent_count++] = hash;
}

/* Forget the questions of long ago; one that was asked again since stays for another time. */
static void forget_questions(struct ft_neighbours *n, uint64_t clock_ns)
{
    const struct table *t = &n->question_table;
    for (uint64_t left = t->next - t->first; left; left--) {
        const struct question *oldest = &n->questions[t->first & (QUESTIONS - 1)];
        if (clock_ns < oldest->since_ns || clock_ns - oldest->since_ns < QUESTION_NS)
            return;
        struct question q = take_question(n);
        if (clock_ns - q.asked_ns < QUESTION_NS) {
            q.since_ns = clock_ns;
            put_question(n, &q);
        } else {
            uncount(n, &q);
            count_silent(n, &q, clock_ns);
        }
    }
}

static void suspect(struct ft_neighbours *n, struct sender *s, const struct ft_event *e)
{
    if (s->is_suspect || n->suspect_count == SUSPECTS)
        return;
    s->is_suspect = true;
    n->suspects[n->suspect_count++] =
        (struct suspect){.mac = s->mac, .since_ns = e->clock_ns, .event = *e};
}

/* Told with the next question; of a scan that was told already nothing is left to tell. */
static void judge_silent(struct ft_neighbours *n, struct sender *s, const struct ft_event *e)
{
    if (s->silent_count <= SLOW_TARGETS || s->silent_count <= s->heard_count ||
        e->clock_ns - s->silent_ns > SLOW_NS)
        return;
    s->silent_ns = 0;
    if (e->clock_ns - s->scan_ns > SLOW_NS)
        n->found(n->user, FT_NEIGHBOURS_SLOW_SCAN, e, NULL);
}

static void ask(struct ft_neighbours *n, struct sender *s, const struct ft_event *e)
{
    struct table *t = &n->question_table;
    const union ft_ip *target = &e->resolution.target;
    struct question *known = find_question(n, s->mac, target);
    s->asked_ns = e->clock_ns;
    judge_silent(n, s, e);
    if (known)
        known->asked_ns = e->clock_ns;
    if (known || !ft_index_reserve(&t->index))
        return;
    if (t->next - t->first == QUESTIONS) {
        struct question q = take_question(n);
        uncount(n, &q);
    }
    put_question(n, &(struct question){.mac = s->mac,
                                       .target = *target,
                                       .network = network_of(n, e),
                                       .family = e->resolution.family,
                                       .since_ns = e->clock_ns,
                                       .asked_ns = e->clock_ns,
                                       .sender = (uint32_t)(s - n->senders)});
    s->asked++;
    if (s->asked > SCAN_TARGETS)
        suspect(n, s, e);
}

/* ---- answers ---- */

/* Without a question: of those the sender may have a few, from before the capture or lost. */
static void judge_answer(struct ft_neighbours *n, const struct ft_event *e)
{
    if (find_question(n, number_of(e->packet.dst_mac), &e->resolution.ip))
        return; /* it came behind its answer */
    struct sender *s = get_sender(n, number_of(e->resolution.mac));
    if (!s)
        return;
    s->unasked[s->next_unasked++ % (UNSOLICITED_MAX + 1)] = e->clock_ns;
    uint64_t oldest = s->unasked[s->next_unasked % (UNSOLICITED_MAX + 1)];
    if (oldest && e->clock_ns - oldest <= UNSOLICITED_NS)
        n->found(n->user, FT_NEIGHBOURS_UNSOLICITED, e, NULL);
}

static void judge_answers(struct ft_neighbours *n)
{
    for (uint32_t i = 0; i < n->waiting_count; i++)
        judge_answer(n, &n->waiting[i]);
    n->waiting_count = 0;
}

/*
 * Only answers to somebody whose questions are seen can be without: of a mirrored port there may be
 * one direction only.
 */
static void answer(struct ft_neighbours *n, const struct ft_event *e)
{
    uint64_t asker = number_of(e->packet.dst_mac);
    struct question *q = find_question(n, asker, &e->resolution.ip);
    if (q) {
        struct sender *s = asker_of(n, q);
        if (s && !q->is_answered)
            s->answered++;
        q->is_answered = true;
        return;
    }
    const struct sender *s = is_station(asker) ? find_sender(n, asker) : NULL;
    if (!s || !s->asked_ns)
        return;
    if (n->waiting_count == WAITING)
        judge_answers(n);
    n->waiting[n->waiting_count++] = *e;
}

/* ---- holders ---- */

static uint64_t hash_holder(const struct ft_neighbours *n, uint64_t network, const union ft_ip *ip,
                            uint8_t family)
{
    uint64_t words[4] = {network, ip->words[0], ip->words[1], family};
    return ft_siphash(n->key, words, sizeof(words));
}

static struct holder *find_holder(const struct ft_neighbours *n, uint64_t network,
                                  const union ft_ip *ip, uint8_t family)
{
    uint32_t entry;
    const struct ft_index *index = &n->holder_table.index;
    struct ft_index_walk w = ft_index_walk(index, hash_holder(n, network, ip, family));
    while ((entry = ft_index_next(index, &w))) {
        struct holder *h = &n->holders[entry - 1];
        if (h->network == network && h->family == family && !memcmp(&h->ip, ip, sizeof(*ip)))
            return h;
    }
    return NULL;
}

static struct holder *get_holder(struct ft_neighbours *n, uint64_t network, const union ft_ip *ip,
                                 uint8_t family)
{
    struct table *t = &n->holder_table;
    struct holder *h = find_holder(n, network, ip, family);
    if (h || !ft_index_reserve(&t->index))
        return h;
    uint32_t place = (uint32_t)(t->next++ & (HOLDERS - 1));
    h = &n->holders[place];
    if (t->next - t->first > HOLDERS) {
        ft_index_remove(&t->index, hash_holder(n, h->network, &h->ip, h->family), place + 1);
        t->first++;
    }
    *h = (struct holder){.network = network, .ip = *ip, .family = family};
    ft_index_add(&t->index, hash_holder(n, network, ip, family), place + 1);
    return h;
}

/* Statements of DHCP are of no network: a relay may have carried them over. */
#define ASSIGNMENTS 0u

void ft_neighbours_assigned(struct ft_neighbours *n, const union ft_ip *ip, uint8_t family,
                            const uint8_t mac[6], uint64_t clock_ns)
{
    struct holder *h = get_holder(n, ASSIGNMENTS, ip, family);
    if (!h)
        return;
    h->mac = number_of(mac);
    h->moved_ns = clock_ns;
}

static bool was_assigned(const struct ft_neighbours *n, const struct holder *h, uint64_t mac,
                         uint64_t clock_ns)
{
    const struct holder *a = find_holder(n, ASSIGNMENTS, &h->ip, h->family);
    return a && a->mac == mac && clock_ns - a->moved_ns <= ASSIGNED_NS;
}

/* Devices whose addresses the sender claimed within a minute, with this one. */
static unsigned count_former(struct sender *s, uint64_t former, uint64_t clock_ns)
{
    unsigned oldest = 0, count = 0;
    bool is_known = false;
    for (unsigned i = 0; i < TAKEOVER_DEVICES; i++) {
        if (s->former[i] == former) {
            s->former_ns[i] = clock_ns;
            is_known = true;
        }
        if (s->former_ns[i] < s->former_ns[oldest])
            oldest = i;
    }
    if (!is_known) {
        s->former[oldest] = former;
        s->former_ns[oldest] = clock_ns;
    }
    for (unsigned i = 0; i < TAKEOVER_DEVICES; i++)
        count += s->former[i] && clock_ns - s->former_ns[i] <= TAKEOVER_NS;
    return count;
}

static void tell_move(struct ft_neighbours *n, enum ft_neighbours_finding finding,
                      const struct ft_event *e, const struct holder *h)
{
    struct ft_neighbours_change change = {.ip = h->ip, .family = h->family};
    mac_of(change.before, h->former);
    mac_of(change.after, h->mac);
    n->found(n->user, finding, e, &change);
}

/* The address is another's than before. True when the inventory should follow. */
static bool moves(struct ft_neighbours *n, struct sender *s, struct holder *h,
                  const struct ft_event *e)
{
    uint64_t now = e->clock_ns;
    bool goes_back = h->former == s->mac && now - h->moved_ns <= CONTEST_NS;
    bool is_return = goes_back && !may_be_one_device(h->mac, s->mac);
    bool is_free = h->probe == s->mac && now - h->probe_ns <= PROBE_NS;
    bool is_expected = is_virtual_router(s->mac) || was_assigned(n, h, s->mac, now);
    h->former = h->mac;
    h->mac = s->mac;
    h->moved_ns = now;
    h->probe = 0;
    bool is_frozen = h->frozen_ns && now - h->frozen_ns < FREEZE_NS;
    if (is_expected && !(is_return && is_virtual_router(s->mac)))
        return !is_frozen;
    if (is_return)
        tell_move(n, FT_NEIGHBOURS_CONTESTED, e, h);
    if (goes_back && !is_frozen)
        h->frozen_ns = now;
    if (is_return)
        return !is_frozen;
    tell_move(n, is_free ? FT_NEIGHBOURS_REASSIGNED : FT_NEIGHBOURS_MOVED, e, h);
    if (count_former(s, h->former, now) >= TAKEOVER_DEVICES)
        tell_move(n, FT_NEIGHBOURS_TAKEOVER, e, h);
    return !is_frozen;
}

static bool claim(struct ft_neighbours *n, struct sender *s, const struct ft_event *e)
{
    const struct ft_event_resolution *r = &e->resolution;
    struct holder *h = get_holder(n, network_of(n, e), &r->ip, r->family);
    bool is_news = true;
    if (!h)
        return true;
    if (r->what == FT_RESOLUTION_ANNOUNCEMENT) {
        if (e->clock_ns - h->announced_ns > 10 * S) {
            h->announced_ns = e->clock_ns;
            h->announced = 0;
        }
        h->announced += r->count;
        if (h->announced > ANNOUNCEMENTS_MAX)
            n->found(n->user, FT_NEIGHBOURS_UNSOLICITED, e, NULL);
    }
    if (!h->mac) {
        h->mac = s->mac;
    } else if (h->mac != s->mac) {
        is_news = moves(n, s, h, e);
    } else {
        h->probe = 0; /* it defends its address */
        is_news = e->clock_ns - h->learned_ns >= RENEW_NS;
    }
    if (is_news)
        h->learned_ns = e->clock_ns;
    return is_news;
}

static void probe(struct ft_neighbours *n, const struct sender *s, const struct ft_event *e)
{
    const struct ft_event_resolution *r = &e->resolution;
    struct holder *h = find_holder(n, network_of(n, e), &r->target, r->family);
    if (!h || h->mac == s->mac)
        return;
    h->probe = s->mac;
    h->probe_ns = e->clock_ns;
}

/* ---- all of it ---- */

static void count_flood(struct ft_neighbours *n, struct sender *s, const struct ft_event *e)
{
    const struct ft_event_resolution *r = &e->resolution;
    if (e->clock_ns - s->flood_ns > FLOOD_NS) {
        s->flood_ns = e->clock_ns;
        s->flood = 0;
    }
    if (e->clock_ns - n->flood_ns > FLOOD_NS) {
        n->flood_ns = e->clock_ns;
        n->flood = 0;
    }
    s->flood += r->count;
    n->flood += (uint64_t)r->count + r->untold;
    if (s->flood <= FLOOD_SENDER && n->flood <= FLOOD_ALL)
        return;
    n->found(n->user, FT_NEIGHBOURS_FLOOD, e, NULL);
    s->flood = 0;
    n->flood = n->flood > FLOOD_ALL ? 0 : n->flood;
}

bool ft_neighbours_event(struct ft_neighbours *n, const struct ft_event *event)
{
    uint64_t mac = number_of(event->resolution.mac);
    struct sender *s = is_station(mac) ? get_sender(n, mac) : NULL;
    if (!s)
        return false;
    forget_questions(n, event->clock_ns);
    count_flood(n, s, event);
    switch (event->resolution.what) {
    case FT_RESOLUTION_QUESTION:
        ask(n, s, event);
        return claim(n, s, event);
    case FT_RESOLUTION_ANSWER:
        answer(n, event);
        return claim(n, s, event);
    case FT_RESOLUTION_ANNOUNCEMENT:
        return claim(n, s, event);
    case FT_RESOLUTION_PROBE:
        ask(n, s, event);
        probe(n, s, event);
        return false;
    default:
        return false;
    }
}

/* Most of what it asked for had time to answer. True: it stays under suspicion. */
static bool judge_suspect(struct ft_neighbours *n, const struct suspect *it, uint64_t clock_ns)
{
    struct sender *s = find_sender(n, it->mac);
    if (!s)
        return false;
    if (clock_ns != UINT64_MAX && clock_ns - it->since_ns < SCAN_WAIT_NS)
        return true;
    s->is_suspect = false;
    if (s->asked <= SCAN_TARGETS || 2 * (s->asked - s->answered) <= s->asked)
        return false;
    s->scan_ns = it->since_ns;
    n->found(n->user, FT_NEIGHBOURS_SCAN, &it->event, NULL);
    return false;
}

void ft_neighbours_tick(struct ft_neighbours *n, uint64_t clock_ns)
{
    uint32_t kept = 0;
    judge_answers(n);
    for (uint32_t i = 0; i < n->suspect_count; i++)
        if (judge_suspect(n, &n->suspects[i], clock_ns))
            n->suspects[kept++] = n->suspects[i];
    n->suspect_count = kept;
    if (clock_ns != UINT64_MAX)
        forget_questions(n, clock_ns);
}
