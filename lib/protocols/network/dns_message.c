/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole messages of DNS, mDNS and LLMNR. */
#include <stdio.h>

#include "dns_wire.h"

#define SECOND_NS 1000000000ull

/* A request waits so long for its response. */
#define PATIENCE_NS (10 * SECOND_NS)

enum {
    CLASS_TOP = 0x8000, /* mDNS: unicast wanted, cache flush */
    MDNS_PORT = 5353,
    SERVER_PORT = 53,
    EXPLICIT_EXTENDED = 4, /* bits of the result that the header holds */
};

/* The header, and what is found on the way. */
struct header {
    uint16_t id, flags;
    uint16_t counts[4];
    uint8_t opcode;
    bool is_response;
    /* the first question */
    uint16_t type;
    struct ft_dns_name name;
    uint32_t rcode;
    bool is_goodbye;
    bool is_doubtful; /* what nobody would believe states nothing */
};

static bool is_multicast(enum ft_dns_flavour flavour)
{
    return flavour == FT_DNS_MULTICAST;
}

static struct header read_header(struct ft_view *v)
{
    struct header h = {.id = ft_u16be(v)};
    h.flags = ft_u16be(v);
    for (unsigned i = 0; i < 4; i++)
        h.counts[i] = ft_u16be(v);
    h.opcode = h.flags >> 11 & 15;
    h.is_response = h.flags & FT_DNS_QR;
    h.rcode = h.flags & 15;
    return h;
}

/* ---- the command ---------------------------------------------------------------------------- */

/* Looks ahead: the first question, and whether the first record is taken back. */
static void look_ahead(struct header *h, const struct ft_view *message, struct ft_view v)
{
    struct ft_dns_name name;

    h->name.length = h->name.first_label = 0;
    h->name.labels = h->name.longest = 0;
    for (uint32_t i = 0; i < h->counts[0] && ft_view_ok(&v); i++) {
        ft_dns_name_read(message, &v, i ? &name : &h->name);
        uint16_t type = ft_u16be(&v);
        ft_skip(&v, 2);
        if (!i)
            h->type = type;
    }
    if (!h->is_response || !h->counts[1])
        return;
    ft_dns_name_read(message, &v, &name);
    ft_skip(&v, 4);
    uint32_t ttl = ft_u32be(&v);
    h->is_goodbye = ft_view_ok(&v) && ttl == 0;
}

/* Reflectors and sleep proxies send what others announced: addresses, of which none is theirs. */
static bool is_of_sender(const struct ft_context *ctx, const struct header *h,
                         const struct ft_view *message, struct ft_view v)
{
    uint16_t own = ctx->ip_version == 6 ? FT_DNS_AAAA : FT_DNS_A;
    uint32_t length = ctx->ip_version == 6 ? 16 : 4;
    uint32_t records = (uint32_t)h->counts[1] + h->counts[2] + h->counts[3];
    bool has_others = false;
    struct ft_dns_name name;

    for (uint32_t i = 0; i < h->counts[0] && ft_view_ok(&v); i++) {
        ft_dns_name_read(message, &v, &name);
        ft_skip(&v, 4);
    }
    for (uint32_t i = 0; i < records && ft_view_ok(&v); i++) {
        ft_dns_name_read(message, &v, &name);
        uint16_t type = ft_u16be(&v);
        ft_skip(&v, 6);
        struct ft_view rdata = ft_sub_u16be(&v);
        if (type != own || rdata.len != length || !ctx->src_ip)
            continue;
        if (ft_view_starts(&rdata, ctx->src_ip, length))
            return true;
        has_others = true;
    }
    return !has_others;
}

/* Types asked for that are an operation of their own. */
static uint32_t qualifier_of(enum ft_dns_flavour flavour, const struct header *h)
{
    if (is_multicast(flavour) && h->opcode == FT_DNS_QUERY) {
        if (h->is_response)
            return h->is_goodbye ? FT_DNS_GOODBYE : FT_DNS_ANNOUNCEMENT;
        return h->type == FT_DNS_ANY && h->counts[2] ? FT_DNS_PROBE : 0;
    }
    switch (h->type) {
    case FT_DNS_NULL:
    case FT_DNS_KEY:
    case FT_DNS_TXT:
    case FT_DNS_TKEY:
    case FT_DNS_IXFR:
    case FT_DNS_AXFR:
    case FT_DNS_ANY:
        return h->opcode == FT_DNS_QUERY ? h->type : 0;
    default:
        return 0;
    }
}

static enum ft_kind kind_of(const struct ft_context *ctx, enum ft_dns_flavour flavour,
                            const struct header *h)
{
    if (!h->is_response)
        return FT_KIND_REQUEST;
    if (is_multicast(flavour) && ctx->dst_port == MDNS_PORT)
        return FT_KIND_UNSOLICITED;
    return h->rcode == 0 || h->rcode == 3 ? FT_KIND_RESPONSE : FT_KIND_EXCEPTION;
}

/* ---- pairing -------------------------------------------------------------------------------- */

static uint64_t pair_key(const struct header *h)
{
    return ft_dns_name_hash(&h->name) * 31 + ((uint64_t)h->type << 16 | h->id);
}

static uint64_t hash_rest(struct ft_view v)
{
    uint64_t h = 0xcbf29ce484222325ull;
    while (v.len >= 8)
        h = (h ^ ft_u64be(&v)) * 0x100000001b3ull;
    while (v.len)
        h = (h ^ ft_u8(&v)) * 0x100000001b3ull;
    return h;
}

/* A capture may be one-sided or have holes: only of a flow whose queries are seen is it said that
 * nobody asked. A copy of an answer is no second answer. False when the answer is doubtful. */
static bool check_response(struct ft_context *ctx, struct ft_dns_flow *flow, uint64_t key,
                           uint64_t hash, bool is_paired, const struct ft_view *at)
{
    if (is_paired || !flow->query_ns || ctx->time_ns - flow->query_ns > PATIENCE_NS)
        return true;
    if (flow->answered == key && flow->answer_hash == hash)
        return true;
    ft_violation(ctx, flow->answered == key ? FT_DNS_V_ANSWERS_DIFFER : FT_DNS_V_UNSOLICITED, at);
    return false;
}

static void pair(struct ft_context *ctx, struct header *h, struct ft_view rest)
{
    struct ft_dns_flow *flow = ctx->flow_state;
    uint64_t key = pair_key(h);

    if (!h->is_response) {
        flow->query_ns = ctx->time_ns;
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
        return;
    }
    bool is_paired = ft_response(ctx, FT_SCOPE_FLOW, key) != NULL;
    /* Over a stream an answer may come in several messages (a zone). */
    if (ctx->transport != FT_TRANSPORT_UDP || !h->counts[0])
        return;
    uint64_t hash = hash_rest(rest);
    h->is_doubtful = !check_response(ctx, flow, key, hash, is_paired, &rest);
    if (is_paired) {
        flow->answered = key;
        flow->answer_hash = hash;
    }
}

/* ---- fields --------------------------------------------------------------------------------- */

static void put_header(struct ft_context *ctx, const struct header *h)
{
    static const struct {
        uint16_t field, flag;
    } bits[] = {{DNS_QR, FT_DNS_QR}, {DNS_AA, FT_DNS_AA}, {DNS_TC, FT_DNS_TC}, {DNS_RD, FT_DNS_RD},
                {DNS_RA, FT_DNS_RA}, {DNS_Z, FT_DNS_Z},   {DNS_AD, FT_DNS_AD}, {DNS_CD, FT_DNS_CD}};
    char flags[8];

    ft_put_uint(ctx, DNS_VERSION, 2, NULL);
    ft_put_uint(ctx, DNS_TYPE, h->is_response, NULL);
    ft_put_uint(ctx, DNS_ID, h->id, NULL);
    if (ft_wants(ctx, DNS_FLAGS)) {
        snprintf(flags, sizeof(flags), "%x", h->flags);
        ft_put_text(ctx, DNS_FLAGS, flags, (uint32_t)strlen(flags), NULL);
    }
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        ft_put_bool(ctx, bits[i].field, h->flags & bits[i].flag, NULL);
    ft_put_uint(ctx, DNS_OPCODE, h->opcode, NULL);
    ft_put_bool(ctx, DNS_TCP, ctx->transport == FT_TRANSPORT_TCP, NULL);
}

static double log2_of(uint32_t n)
{
    double x = n, result = 0, bit = 1;
    while (x >= 2) {
        x /= 2;
        result++;
    }
    for (unsigned i = 0; i < 20; i++) {
        x *= x;
        bit /= 2;
        if (x >= 2) {
            x /= 2;
            result += bit;
        }
    }
    return result;
}

/* Shannon's, in bits a character: tunnels put data into names. A backslash stands before what
 * would be read as a separator, and is none. */
static double entropy_of(const char *label, uint32_t length)
{
    uint8_t counts[256] = {0};
    uint32_t n = 0;
    double sum = 0;

    for (uint32_t i = 0; i < length; i++, n++) {
        i += label[i] == '\\';
        counts[(uint8_t)label[i]]++;
    }
    for (uint32_t c = 0; c < 256; c++)
        if (counts[c] > 1)
            sum += counts[c] * log2_of(counts[c]);
    return n ? log2_of(n) - sum / n : 0;
}

static void put_question(struct ft_context *ctx, const struct header *h)
{
    if (!h->counts[0])
        return;
    ft_put_text(ctx, DNS_RRNAME, h->name.text, h->name.length, NULL);
    ft_put_uint(ctx, DNS_RRTYPE, h->type, NULL);
    if (h->is_response)
        return;
    ft_put_uint(ctx, DNS_QUERY_LENGTH, h->name.length, NULL);
    ft_put_uint(ctx, DNS_LABEL_LENGTH, h->name.longest, NULL);
    if (ft_wants(ctx, DNS_LABEL_ENTROPY))
        ft_put_float(ctx, DNS_LABEL_ENTROPY, entropy_of(h->name.text, h->name.first_label), NULL);
}

/* Resolvers ask for others, with extensions (RFC 6891) or from the port of servers. */
static void check_question(struct ft_context *ctx, const struct header *h)
{
    bool is_own = h->flags & FT_DNS_RD && !h->counts[3] && ctx->src_port != SERVER_PORT;

    if (h->is_response || h->opcode != FT_DNS_QUERY || !h->counts[0])
        return;
    ft_dns_state_software(ctx, &h->name, is_own);
    if (ft_dns_is_tunnel(&h->name, h->type))
        ft_violation(ctx, FT_DNS_V_TUNNEL, NULL);
}

/* ---- DNS-SD --------------------------------------------------------------------------------- */

static bool is_service_name(const struct ft_dns_name *name)
{
    return ft_dns_name_ends(name, "._tcp.local") || ft_dns_name_ends(name, "._udp.local");
}

/* Kinds of service stand alone as names, instances before them. */
static void put_service(struct ft_context *ctx, const struct ft_dns_record *r)
{
    bool is_wanted = ft_wants(ctx, DNS_SERVICE) || ft_wants(ctx, DNS_INSTANCE) ||
                     ft_wants(ctx, DNS_HOST) || ft_wants(ctx, DNS_PORT) || ft_wants(ctx, DNS_TXT);
    if (!is_wanted || !r->is_whole)
        return;
    if (r->type == FT_DNS_PTR && is_service_name(&r->name)) {
        if (r->name.text[0] == '_' && !ft_dns_name_is(&r->name, "_services._dns-sd._udp.local", 28))
            ft_put_text(ctx, DNS_SERVICE, r->name.text, r->name.length, NULL);
        bool is_kind = r->target.length && r->target.text[0] == '_';
        ft_put_text(ctx, is_kind ? DNS_SERVICE : DNS_INSTANCE, r->target.text, r->target.length,
                    NULL);
    }
    if (r->type == FT_DNS_SRV) {
        ft_put_text(ctx, DNS_HOST, r->target.text, r->target.length, NULL);
        ft_put_uint(ctx, DNS_PORT, r->port, NULL);
    }
    if (r->type != FT_DNS_TXT || !is_service_name(&r->name))
        return;
    struct ft_view strings = r->text;
    while (strings.len)
        ft_put_bytes(ctx, DNS_TXT, ft_sub_u8(&strings));
}

/* ---- sections ------------------------------------------------------------------------------- */

static void read_questions(struct ft_context *ctx, enum ft_dns_flavour flavour,
                           const struct header *h, const struct ft_view *message, struct ft_view *v)
{
    struct ft_dns_name name;
    uint32_t count = ft_count(v, h->counts[0], 5);

    for (uint32_t i = 0; i < count && ft_view_ok(v); i++) {
        ft_dns_name_read(message, v, &name);
        ft_dns_name_check(ctx, &name, v);
        if (!ft_view_ok(v))
            return;
        ft_group_begin(ctx, DNS_QUERIES);
        ft_put_text(ctx, DNS_QUERY_NAME, name.text, name.length, v);
        ft_put_uint(ctx, DNS_QUERY_TYPE, ft_u16be(v), v);
        uint16_t class_ = ft_u16be(v);
        ft_put_uint(ctx, DNS_QUERY_CLASS,
                    is_multicast(flavour) ? class_ & (uint16_t)~CLASS_TOP : class_, v);
        if (is_multicast(flavour))
            ft_put_bool(ctx, DNS_QUERY_UNICAST, class_ & CLASS_TOP, v);
        ft_group_end(ctx, DNS_QUERIES);
    }
}

static void read_record(struct ft_context *ctx, enum ft_dns_flavour flavour,
                        const struct ft_view *message, struct ft_dns_record *r, struct ft_view *v)
{
    uint32_t group = r->first - 1;

    ft_dns_name_read(message, v, &r->name);
    ft_dns_name_check(ctx, &r->name, v);
    struct ft_view name_at = *v;
    r->type = ft_u16be(v);
    struct ft_view type_at = *v;
    r->class_ = ft_u16be(v);
    r->ttl = ft_u32be(v);
    struct ft_view ttl_at = *v;
    struct ft_view rdata = ft_sub_u16be(v);
    if (!ft_view_ok(v) && !rdata.is_cut)
        return;
    if (r->type == FT_DNS_OPT) {
        ft_dns_rdata_read(ctx, message, r, rdata);
        return;
    }
    bool flushes = is_multicast(flavour) && r->class_ & CLASS_TOP;
    if (is_multicast(flavour))
        r->class_ &= (uint16_t)~CLASS_TOP;
    ft_group_begin(ctx, group);
    ft_put_text(ctx, r->first + RR_NAME, r->name.text, r->name.length, &name_at);
    ft_put_uint(ctx, r->first + RR_TYPE, r->type, &type_at);
    ft_put_uint(ctx, r->first + RR_CLASS, r->class_, NULL);
    if (is_multicast(flavour))
        ft_put_bool(ctx, r->first + RR_FLUSH, flushes, NULL);
    ft_put_uint(ctx, r->first + RR_TTL, r->ttl, &ttl_at);
    ft_dns_rdata_read(ctx, message, r, rdata);
    ft_group_end(ctx, group);
}

/* Who states facts: answers without error, and what an update adds. */
static bool states(const struct header *h, unsigned section, const struct ft_dns_record *r)
{
    if (r->class_ != FT_DNS_CLASS_IN || h->is_doubtful)
        return false;
    if (h->opcode == FT_DNS_UPDATE)
        return !h->is_response && section == 2 && r->ttl;
    return h->is_response && h->opcode == FT_DNS_QUERY && h->rcode == 0 &&
           (section != 2 || ft_dns_names_server(r));
}

/* The name of the proxy configuration is nobody's: who answers for it lies. */
static bool is_wpad(enum ft_dns_flavour flavour, const struct ft_dns_record *r)
{
    bool is_address = r->type == FT_DNS_A || r->type == FT_DNS_AAAA;
    return flavour != FT_DNS_UNICAST && is_address &&
           (ft_dns_name_is(&r->name, "wpad", 4) || ft_dns_name_is(&r->name, "wpad.local", 10));
}

static void read_section(struct ft_context *ctx, struct ft_dns_facts *facts, struct header *h,
                         unsigned section, const struct ft_view *message, struct ft_view *v)
{
    static const uint16_t first[] = {0, DNS_ANSWER_FIRST, DNS_AUTHORITY_FIRST,
                                     DNS_ADDITIONAL_FIRST};
    struct ft_dns_record r = {.first = first[section]};
    uint32_t count = ft_count(v, h->counts[section], 11);

    for (uint32_t i = 0; i < count && ft_view_ok(v); i++) {
        read_record(ctx, facts->flavour, message, &r, v);
        if (!ft_view_ok(v))
            return;
        if (r.type == FT_DNS_OPT) {
            h->rcode |= r.ttl >> 24 << EXPLICIT_EXTENDED;
            continue;
        }
        if (facts->flavour == FT_DNS_MULTICAST)
            put_service(ctx, &r);
        if (!states(h, section, &r))
            continue;
        if (is_wpad(facts->flavour, &r))
            ft_violation(ctx, is_multicast(facts->flavour) ? FT_MDNS_V_WPAD : FT_LLMNR_V_WPAD, v);
        else if (r.ttl || facts->flavour == FT_DNS_UNICAST)
            ft_dns_state_record(ctx, facts, &r);
    }
}

/* DSO has no sections, but a list of type, length and value (RFC 8490, 5.4.1). */
static void read_session(struct ft_view *v)
{
    while (v->len) {
        ft_skip(v, 2);
        ft_sub_u16be(v);
    }
}

/* ---- checks of the header ------------------------------------------------------------------- */

/* Hosts send with one of these; routers take one away (RFC 6762, 11). */
static bool is_routed(const struct ft_context *ctx)
{
    return ctx->ttl && ctx->ttl != 255 && ctx->ttl != 1 && ctx->ttl != 64 && ctx->ttl != 128;
}

static void check_header(struct ft_context *ctx, enum ft_dns_flavour flavour, struct header *h,
                         const struct ft_view *at)
{
    bool is_query = h->opcode == FT_DNS_QUERY && !h->is_response;

    if (h->opcode > FT_DNS_DSO || h->opcode == 3)
        ft_violation(ctx, FT_DNS_V_OPCODE, at);
    if (h->flags & FT_DNS_Z)
        ft_violation(ctx, FT_DNS_V_Z_BIT, at);
    if (is_multicast(flavour)) {
        bool is_off_link = h->is_response && is_routed(ctx);
        if (is_off_link)
            ft_violation(ctx, FT_MDNS_V_OFF_LINK, at);
        /* Hosts have to ignore it (RFC 6762, 6). */
        h->is_doubtful = h->is_response && ctx->src_port != MDNS_PORT;
        if (h->is_doubtful)
            ft_violation(ctx, FT_MDNS_V_SOURCE_PORT, at);
        h->is_doubtful |= is_off_link;
        return;
    }
    if (h->flags & FT_DNS_TC && ctx->transport == FT_TRANSPORT_TCP)
        ft_violation(ctx, FT_DNS_V_TRUNCATED_TCP, at);
    if (h->counts[0] > 1 && h->opcode == FT_DNS_QUERY)
        ft_violation(ctx, FT_DNS_V_QUESTIONS, at);
    if (is_query && h->counts[1])
        ft_violation(ctx, FT_DNS_V_QUERY_WITH_ANSWERS, at);
}

void ft_dns_read(struct ft_context *ctx, enum ft_dns_flavour flavour, struct ft_view *pdu)
{
    struct ft_view message = *pdu;
    struct ft_dns_facts facts = {.flavour = flavour};
    struct header h = read_header(pdu);
    struct ft_view header_at = *pdu;

    if (!ft_view_ok(pdu))
        return;
    look_ahead(&h, &message, *pdu);
    facts.is_of_sender =
        is_multicast(flavour) && h.is_response && is_of_sender(ctx, &h, &message, *pdu);
    ft_set_direction(ctx, h.is_response ? FT_TO_CLIENT : FT_TO_SERVER);
    ft_set_kind(ctx, kind_of(ctx, flavour, &h));
    ft_command(ctx, h.opcode, qualifier_of(flavour, &h));
    if (flavour == FT_DNS_UNICAST)
        pair(ctx, &h, *pdu);
    check_header(ctx, flavour, &h, &header_at);
    put_header(ctx, &h);
    put_question(ctx, &h);
    if (flavour == FT_DNS_UNICAST)
        check_question(ctx, &h);
    if (is_multicast(flavour) && h.is_response)
        ft_put_bool(ctx, DNS_GOODBYE, h.is_goodbye, NULL);

    read_questions(ctx, flavour, &h, &message, pdu);
    for (unsigned section = 1; section < 4; section++)
        read_section(ctx, &facts, &h, section, &message, pdu);
    if (h.opcode == FT_DNS_DSO)
        read_session(pdu);
    if (h.is_response)
        ft_put_uint(ctx, DNS_RCODE, h.rcode, NULL);
    ft_expect_end(ctx, pdu);
    if (flavour == FT_DNS_UNICAST && h.is_response && h.opcode == FT_DNS_QUERY && h.counts[1] &&
        !h.is_doubtful)
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_SERVER);
}

/* ---- streams -------------------------------------------------------------------------------- */

void ft_dns_read_stream(struct ft_context *ctx, enum ft_dns_flavour flavour, struct ft_view *pdu)
{
    ft_skip(pdu, 2);
    struct ft_view message = ft_rest(pdu);
    ft_dns_read(ctx, flavour, &message);
    if (!ft_view_ok(&message))
        ft_view_fail(pdu);
}

struct ft_frame ft_dns_frame(struct ft_context *ctx, struct ft_view stream)
{
    (void)ctx;
    if (stream.len < 2)
        return ft_frame(FT_FRAME_NEED, 2);
    uint32_t length = ft_u16be(&stream);
    if (length < FT_DNS_HEADER)
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    if (stream.len >= 4) {
        ft_skip(&stream, 2);
        unsigned opcode = ft_u16be(&stream) >> 11 & 15;
        if (opcode > FT_DNS_DSO)
            return ft_frame(FT_FRAME_NOT_MINE, 0);
    }
    return ft_frame(FT_FRAME_PDU, length + 2);
}
