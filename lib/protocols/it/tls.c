/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS, SSL 2 and 3, and DTLS: what two sides say before they encrypt.
 *
 *   record:    type1 version2 [DTLS: epoch2 sequence6] length2, then length bytes
 *   handshake: type1 length3 [DTLS: sequence2 offset3 length3], then the message
 *
 * A handshake message may span records, and a record may hold several; each is a message. From the
 * first encrypted record on a direction of a stream is opaque: it costs nothing more. Encrypted are
 * all application data, and in TLS 1.2 and older all that follows ChangeCipherSpec; in TLS 1.3 that
 * record means nothing, and a hello may follow it.
 *
 * The answer to a ClientHello is the message that ends what is in clear: ServerHello in TLS 1.3 and
 * when a session is resumed, else the server's Certificate. It repeats name and fingerprints, so
 * that one transaction tells of the connection, as in EVE.
 *
 * Specification: RFC 8446, 5246, 4346, 2246, 6101 (SSL 3), 6347 and 9147 (DTLS), 6520 (heartbeat).
 */
#include "tls_schema.h"

enum {
    RECORD_HEADER = 5,
    DATAGRAM_HEADER = 13,
    RECORD_MAX = 16384 + 2048,
    HANDSHAKE_MAX = FT_MAX_REASSEMBLY,
    SSL_2_HEADER = 2,
    SSL_2_CLIENT_HELLO = 1,
    SSL_2_SERVER_HELLO = 4,
    KEY = 0, /* of requests, reassembly and the channel: there is one of each */
};

enum part {
    PART_NONE = 0,
    PART_COLLECTED,
    PART_DROPPED, /* there was no room: its bytes are counted */
};

/* One direction of a flow. */
struct half {
    uint32_t left;      /* bytes of the open handshake message that are to come */
    uint32_t offset;    /* DTLS: bytes of it that are here */
    uint8_t header[4];  /* of the open message */
    uint8_t have;       /* bytes of the header that are here */
    uint8_t part;       /* enum part: what became of the bytes of the open message so far */
    uint8_t is_changed; /* ChangeCipherSpec was seen */
    uint8_t is_proved;  /* a record without fault was seen */
};

/* Flow state. */
struct flow {
    struct half halves[2]; /* to the server, to the client */
    uint32_t session;      /* hash of the session id that the client offers, 0 = none */
    uint16_t offered, version, cipher;
    uint16_t heartbeat; /* bytes of the last heartbeat request */
    uint8_t has_client_hello, has_server_hello, has_key_exchange;
    uint8_t is_waiting; /* a ClientHello has no answer yet */
    uint8_t is_resumed;
};

/* What is kept of hellos for the answer, when somebody wants it. */
struct session {
    uint8_t ja3[16], ja3s[16];
    char ja4[TLS_JA4_LENGTH];
    uint8_t has_ja3, has_ja3s, has_ja4;
    uint8_t sni_length; /* 0 also when it is too long to be kept */
    char sni[112];
};

_Static_assert(sizeof(struct flow) <= FT_MAX_FLOW_STATE, "flow state");
_Static_assert(sizeof(struct session) <= FT_MAX_CHANNEL_STATE, "channel state");

/* What one call of dissect() works with. */
struct walk {
    struct ft_context *ctx;
    struct flow *flow;
    unsigned messages;
    uint16_t version, epoch; /* of the record */
    bool is_datagram;
    bool keeps_sni, keeps_ja3, keeps_ja3s, keeps_ja4; /* wanted of some message, if not of this */
};

/* The random of a ServerHello that asks for another ClientHello (RFC 8446, 4.1.3). */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* ---- recognition ---------------------------------------------------------------------------- */

static bool is_content_type(int type)
{
    return type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_HEARTBEAT;
}

static bool is_handshake_type(uint8_t type)
{
    return type <= 26 || type == 67 || type == 254;
}

static bool is_version(int32_t version)
{
    return version >= TLS_SSL_3 && version <= TLS_1_3;
}

static bool is_datagram_version(int32_t version)
{
    return version == DTLS_1_0 || version == DTLS_1_2;
}

/* SSL 2 ClientHello: lengths of ciphers, session id and challenge add up to the record. */
static bool is_ssl2_client_hello(const struct ft_view *v)
{
    int32_t length = ft_peek_u16be(v, 0) & 0x7fff, version = ft_peek_u16be(v, 3);
    int32_t ciphers = ft_peek_u16be(v, 5), id = ft_peek_u16be(v, 7), dare = ft_peek_u16be(v, 9);

    return v->len >= 11 && v->data[0] & 0x80 && v->data[2] == SSL_2_CLIENT_HELLO &&
           (version == TLS_SSL_2 || is_version(version)) && ciphers && ciphers % 3 == 0 &&
           (id == 0 || id == 16) && dare >= 16 && dare <= 32 && length == 9 + ciphers + id + dare;
}

/* SSL 2 ServerHello: certificate, ciphers and connection id likewise. */
static bool is_ssl2_server_hello(const struct ft_view *v)
{
    int32_t length = ft_peek_u16be(v, 0) & 0x7fff, certificate = ft_peek_u16be(v, 7);
    int32_t ciphers = ft_peek_u16be(v, 9), id = ft_peek_u16be(v, 11);

    return v->len >= 13 && v->data[0] & 0x80 && v->data[2] == SSL_2_SERVER_HELLO &&
           v->data[3] <= 1 && ft_peek_u16be(v, 5) == TLS_SSL_2 && ciphers % 3 == 0 &&
           length == 11 + certificate + ciphers + id;
}

/* The length in a record header that may be one, else -1. */
static int32_t record_length(const struct ft_view *v)
{
    int32_t length = ft_peek_u16be(v, 3);

    if (v->len < RECORD_HEADER || !is_content_type(v->data[0]) || !is_version(ft_peek_u16be(v, 1)))
        return -1;
    if (length > RECORD_MAX || (length == 0 && v->data[0] != TLS_APPLICATION_DATA))
        return -1;
    if (v->data[0] == TLS_CHANGE_CIPHER_SPEC && length != 1)
        return -1;
    return length;
}

/* As record_length() for a record of a datagram. */
static int32_t datagram_record_length(const struct ft_view *v)
{
    if (v->len < DATAGRAM_HEADER || !is_content_type(v->data[0]) ||
        !is_datagram_version(ft_peek_u16be(v, 1)))
        return -1;
    return ft_peek_u16be(v, 11);
}

/* A record that begins a handshake: a hello whose length fits. */
static bool is_hello(const struct ft_view *v, uint32_t header, uint32_t length)
{
    int type = ft_peek_u8(v, header);
    int32_t message = (ft_peek_u8(v, header + 1) << 16) + ft_peek_u16be(v, header + 2);

    return v->len >= header + 4 && v->data[0] == TLS_HANDSHAKE && length >= 4 &&
           (type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO) && message >= 34 &&
           message <= HANDSHAKE_MAX;
}

static enum ft_verdict probe_datagram(struct ft_view v)
{
    bool is_any = false;

    while (v.len) {
        int32_t length = datagram_record_length(&v);

        if (length < 0 || v.len < DATAGRAM_HEADER + (uint32_t)length)
            return v.is_cut && is_any ? FT_YES : FT_NO;
        ft_skip(&v, DATAGRAM_HEADER + (uint32_t)length);
        is_any = true;
    }
    return is_any ? FT_YES : FT_NO;
}

/* The first bytes of a record header, fewer than a header. */
static bool may_begin(const struct ft_view *v)
{
    return is_content_type(ft_peek_u8(v, 0)) && (v->len < 2 || v->data[1] == 3) &&
           (v->len < 3 || v->data[2] <= 4);
}

/*
 * Records must follow one another as their lengths say. What stands alone is believed when it is a
 * hello, or a whole record on a port of TLS.
 */
static enum ft_verdict probe(const struct ft_probe *where, struct ft_view v)
{
    bool is_any = false;

    if (where->transport == FT_TRANSPORT_UDP)
        return probe_datagram(v);
    if (is_ssl2_client_hello(&v) || is_ssl2_server_hello(&v))
        return FT_YES;
    if (v.len < RECORD_HEADER)
        return may_begin(&v) ? FT_MAYBE : FT_NO;
    while (v.len >= RECORD_HEADER) {
        int32_t length = record_length(&v);

        if (length < 0)
            return FT_NO;
        if (is_hello(&v, RECORD_HEADER, (uint32_t)length))
            return FT_YES;
        if (v.len < RECORD_HEADER + (uint32_t)length)
            return is_any || where->is_bound ? FT_YES : FT_MAYBE;
        ft_skip(&v, RECORD_HEADER + (uint32_t)length);
        is_any = true;
    }
    return v.len == 0 || may_begin(&v) ? FT_YES : FT_NO;
}

/* ---- framing -------------------------------------------------------------------------------- */

static struct half *half_of(struct flow *flow, const struct ft_context *ctx)
{
    return &flow->halves[ctx->direction == FT_TO_CLIENT];
}

/*
 * ChangeCipherSpec was seen, and a record follows. In TLS 1.3, or when nobody knows the version, it
 * is in clear if it is a hello (behind a HelloRetryRequest) or another such record.
 */
static bool is_clear(const struct flow *flow, const struct ft_view *v)
{
    if (flow->version && !ft_tls_is_13(flow->version))
        return false;
    return v->data[0] == TLS_CHANGE_CIPHER_SPEC ||
           is_hello(v, RECORD_HEADER, (uint32_t)ft_peek_u16be(v, 3));
}

static struct ft_frame frame_ssl2(const struct flow *flow, const struct ft_view *v)
{
    if (flow->version == TLS_SSL_2)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (v->len < 13)
        return ft_frame(FT_FRAME_NEED, 13);
    if (!is_ssl2_client_hello(v) && !is_ssl2_server_hello(v))
        return ft_frame(FT_FRAME_NOT_MINE, 0);
    return ft_frame(FT_FRAME_PDU, SSL_2_HEADER + (uint32_t)(ft_peek_u16be(v, 0) & 0x7fff));
}

static struct ft_frame frame(struct ft_context *ctx, struct ft_view stream)
{
    struct flow *flow = ctx->flow_state;
    const struct half *half = half_of(flow, ctx);

    if (stream.data[0] & 0x80 || flow->version == TLS_SSL_2)
        return frame_ssl2(flow, &stream);
    if (stream.len < RECORD_HEADER)
        return may_begin(&stream) ? ft_frame(FT_FRAME_NEED, RECORD_HEADER)
                                  : ft_frame(FT_FRAME_NOT_MINE, 0);
    uint32_t length = (uint32_t)ft_peek_u16be(&stream, 3);
    if (record_length(&stream) < 0) {
        /* On a stream that has shown itself to be TLS a record too long is one to be told of. */
        if (length <= RECORD_MAX || !half->is_proved || !is_content_type(stream.data[0]) ||
            !is_version(ft_peek_u16be(&stream, 1)))
            return ft_frame(FT_FRAME_NOT_MINE, 0);
        return ft_frame(FT_FRAME_PDU, RECORD_HEADER + length);
    }
    if (stream.data[0] == TLS_APPLICATION_DATA)
        return ft_frame(FT_FRAME_OPAQUE, 0);
    if (half->is_changed && stream.data[0] == TLS_HANDSHAKE && stream.len < RECORD_HEADER + 4 &&
        length >= 4)
        return ft_frame(FT_FRAME_NEED, RECORD_HEADER + 4);
    if (half->is_changed && !is_clear(flow, &stream))
        return ft_frame(FT_FRAME_OPAQUE, 0);
    return ft_frame(FT_FRAME_PDU, RECORD_HEADER + length);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* The first message of a PDU is the PDU's own; false: no room for another. */
static bool begin_message(struct walk *w)
{
    return w->messages++ == 0 || ft_message_begin(w->ctx);
}

static void end_message(const struct walk *w)
{
    if (w->messages > 1)
        ft_message_end(w->ctx);
}

static void put_record(const struct walk *w, enum tls_content type)
{
    ft_put_uint(w->ctx, TLS_CONTENT_TYPE, type, NULL);
    ft_put_uint(w->ctx, TLS_RECORD_VERSION, w->version, NULL);
    if (w->is_datagram)
        ft_put_uint(w->ctx, TLS_EPOCH, w->epoch, NULL);
}

/* A hello says who is who; what was collected stays with the side that sent it. */
static void set_direction(const struct walk *w, enum ft_direction direction)
{
    bool is_swapped = w->ctx->direction != FT_DIRECTION_NONE && w->ctx->direction != direction;

    if (w->ctx->direction == direction && w->ctx->confidence >= FT_CONFIDENCE_DISSECTOR)
        return;
    ft_set_direction(w->ctx, direction);
    if (is_swapped) {
        struct half other = w->flow->halves[0];
        w->flow->halves[0] = w->flow->halves[1];
        w->flow->halves[1] = other;
    }
}

/* ---- answers -------------------------------------------------------------------------------- */

/* The message in hand is the answer to the ClientHello, if one waits: before ft_command(). */
static bool take_answer(const struct walk *w, enum ft_kind kind)
{
    if (!w->flow->is_waiting || w->ctx->direction == FT_TO_SERVER)
        return false;
    w->flow->is_waiting = false;
    ft_set_kind(w->ctx, kind);
    ft_response(w->ctx, FT_SCOPE_FLOW, KEY);
    return true;
}

static void put_hash(struct ft_context *ctx, uint32_t field, const uint8_t hash[16])
{
    char text[33];

    if (!ft_wants(ctx, field))
        return;
    ft_hex(text, hash, 16);
    ft_put_text(ctx, field, text, 32, NULL);
}

/* What the hellos said, once more: in the answer. */
static void put_session(const struct walk *w, bool has_server_hello)
{
    const struct session *s = ft_channel_find(w->ctx, FT_SCOPE_FLOW, KEY);

    if (!has_server_hello) {
        ft_put_uint(w->ctx, TLS_VERSION, w->flow->version, NULL);
        ft_put_uint(w->ctx, TLS_CIPHER, w->flow->cipher, NULL);
    }
    if (w->flow->is_resumed)
        ft_put_bool(w->ctx, TLS_RESUMED, true, NULL);
    if (!s)
        return;
    if (s->sni_length)
        ft_put_text(w->ctx, TLS_SNI, s->sni, s->sni_length, NULL);
    if (s->has_ja3)
        put_hash(w->ctx, TLS_JA3_HASH, s->ja3);
    if (s->has_ja3s && !has_server_hello)
        put_hash(w->ctx, TLS_JA3S_HASH, s->ja3s);
    if (s->has_ja4)
        ft_put_text(w->ctx, TLS_JA4, s->ja4, TLS_JA4_LENGTH, NULL);
}

/* ---- hellos --------------------------------------------------------------------------------- */

static void put_list16(struct ft_context *ctx, uint32_t field, struct ft_view list)
{
    while (ft_wants(ctx, field) && list.len >= 2) {
        uint16_t value = ft_u16be(&list);
        ft_put_uint(ctx, field, value, &list);
    }
}

static void put_extensions(struct ft_context *ctx, uint32_t field, struct ft_view v)
{
    while (ft_wants(ctx, field) && v.len >= 4) {
        uint16_t type = ft_u16be(&v);
        ft_put_uint(ctx, field, type, &v);
        ft_sub_u16be(&v);
    }
}

static void put_alpns(struct ft_context *ctx, uint32_t field, struct ft_view list)
{
    while (ft_wants(ctx, field) && list.len) {
        struct ft_view name = ft_sub_u8(&list);
        if (ft_view_ok(&list))
            ft_put_bytes(ctx, field, name);
    }
}

static uint32_t session_hash(struct ft_view id)
{
    uint32_t hash = 2166136261u; /* FNV-1a; never 0 for an id, which has 1 to 32 bytes */

    for (uint32_t i = 0; i < id.len; i++)
        hash = (hash ^ id.data[i]) * 16777619u;
    return id.len ? hash | 1 : 0;
}

static void put_ja3(const struct walk *w, const struct tls_hello *h, uint32_t hash_field,
                    struct session *keep)
{
    char text[TLS_JA3_TEXT_MAX];
    uint8_t hash[16];
    uint32_t length = 0;
    struct ft_context *ctx = w->ctx;
    bool wants_text = ft_wants(ctx, hash_field + 1);
    bool is_kept = keep && (h->is_client ? w->keeps_ja3 : w->keeps_ja3s);

    if (!wants_text && !is_kept && !ft_wants(ctx, hash_field))
        return;
    ft_tls_ja3(h, hash, wants_text ? text : NULL, &length);
    put_hash(ctx, hash_field, hash);
    if (length)
        ft_put_text(ctx, hash_field + 1, text, length, NULL);
    if (!keep)
        return;
    memcpy(h->is_client ? keep->ja3 : keep->ja3s, hash, 16);
    keep->has_ja3 |= h->is_client;
    keep->has_ja3s |= !h->is_client;
}

static void put_ja4(const struct walk *w, const struct tls_hello *h, struct session *keep)
{
    char ja4[TLS_JA4_LENGTH + 1], raw[TLS_JA4_RAW_MAX];
    uint32_t length = 0;
    struct ft_context *ctx = w->ctx;
    bool wants_raw = ft_wants(ctx, TLS_JA4_RAW), is_kept = keep && w->keeps_ja4;

    if (!wants_raw && !is_kept && !ft_wants(ctx, TLS_JA4))
        return;
    if (!ft_tls_ja4(h, ja4, wants_raw ? raw : NULL, &length))
        return;
    ft_put_text(ctx, TLS_JA4, ja4, TLS_JA4_LENGTH, NULL);
    if (wants_raw && length)
        ft_put_text(ctx, TLS_JA4_RAW, raw, length, NULL);
    if (keep)
        memcpy(keep->ja4, ja4, TLS_JA4_LENGTH);
    if (keep)
        keep->has_ja4 = true;
}

/* Where the answer finds what the hellos said; NULL when nobody wants it. */
static struct session *session_of(const struct walk *w, bool is_first)
{
    struct ft_context *ctx = w->ctx;
    bool is_kept = w->keeps_sni || w->keeps_ja3 || w->keeps_ja3s || w->keeps_ja4;

    if (!is_kept && !ft_wants(ctx, TLS_SNI) && !ft_wants(ctx, TLS_JA3_HASH) &&
        !ft_wants(ctx, TLS_JA3S_HASH) && !ft_wants(ctx, TLS_JA4))
        return NULL;
    struct session *s = ft_channel(ctx, FT_SCOPE_FLOW, KEY);
    if (s && is_first)
        memset(s, 0, sizeof(*s));
    return s;
}

static void put_client_hello(const struct walk *w, const struct tls_hello *h)
{
    struct ft_context *ctx = w->ctx;
    struct session *keep = session_of(w, true);

    ft_put_uint(ctx, TLS_OFFERED_VERSION, h->offered, NULL);
    if (h->sni.len)
        ft_put_bytes(ctx, TLS_SNI, h->sni);
    if (keep && h->sni.len && h->sni.len <= sizeof(keep->sni)) {
        memcpy(keep->sni, h->sni.data, h->sni.len);
        keep->sni_length = (uint8_t)h->sni.len;
    }
    put_alpns(ctx, TLS_CLIENT_ALPNS, h->alpn);
    if (h->session_id.len)
        ft_put_bytes(ctx, TLS_SESSION_ID, h->session_id);
    if (h->has_ech)
        ft_put_bool(ctx, TLS_ECH, true, NULL);
    put_ja3(w, h, TLS_JA3_HASH, keep);
    put_ja4(w, h, keep);
    put_list16(ctx, TLS_CLIENT_CIPHERS, h->ciphers);
    put_extensions(ctx, TLS_CLIENT_EXTENSIONS, h->extensions);
    put_list16(ctx, TLS_CLIENT_SIGNATURES, h->signatures);
    put_list16(ctx, TLS_CLIENT_GROUPS, h->groups);
    put_list16(ctx, TLS_CLIENT_VERSIONS, h->versions);
    ft_group_end(ctx, TLS_CLIENT_HANDSHAKE);
}

/* A new handshake begins: nothing of an older one holds. */
static void note_client_hello(struct flow *flow, const struct tls_hello *h)
{
    flow->session = session_hash(h->session_id);
    flow->offered = h->offered;
    flow->version = 0;
    flow->has_client_hello = true;
    flow->has_server_hello = flow->has_key_exchange = flow->is_resumed = false;
}

static void read_client_hello(const struct walk *w, struct ft_view *body)
{
    struct tls_hello h = {.is_client = true, .is_datagram = w->is_datagram};
    struct ft_view at = *body;
    bool is_whole = ft_tls_read_hello(body, &h);

    ft_set_kind(w->ctx, FT_KIND_REQUEST);
    ft_command(w->ctx, TLS_HANDSHAKE, TLS_CLIENT_HELLO);
    put_record(w, TLS_HANDSHAKE);
    ft_put_uint(w->ctx, TLS_HANDSHAKE_TYPE, TLS_CLIENT_HELLO, NULL);
    if (!is_whole)
        return;
    note_client_hello(w->flow, &h);
    /* One that is sent again, or once more because the server asked so, is the same request. */
    if (!w->flow->is_waiting)
        ft_request(w->ctx, FT_SCOPE_FLOW, KEY, NULL, 0);
    w->flow->is_waiting = true;
    if (h.is_sni_broken)
        ft_violation(w->ctx, TLS_V_SNI, &at);
    put_client_hello(w, &h);
}

static void put_server_hello(const struct walk *w, const struct tls_hello *h, bool is_retry)
{
    struct ft_context *ctx = w->ctx;
    struct session *keep = is_retry ? NULL : session_of(w, false);

    ft_put_uint(ctx, TLS_VERSION, h->offered, NULL);
    ft_put_uint(ctx, TLS_CIPHER, h->cipher, NULL);
    ft_put_uint(ctx, TLS_COMPRESSION, h->compression, NULL);
    put_alpns(ctx, TLS_SERVER_ALPNS, h->alpn);
    if (h->session_id.len)
        ft_put_bytes(ctx, TLS_SESSION_ID, h->session_id);
    if (is_retry)
        ft_put_bool(ctx, TLS_RETRY, true, NULL);
    put_ja3(w, h, TLS_JA3S_HASH, keep);
    ft_put_uint(ctx, TLS_SERVER_CIPHER, h->cipher, NULL);
    put_extensions(ctx, TLS_SERVER_EXTENSIONS, h->extensions);
    ft_group_end(ctx, TLS_SERVER_HANDSHAKE);
}

static bool is_old(uint16_t version)
{
    return version < TLS_1_2 || version == DTLS_1_0;
}

static void check_server_hello(const struct walk *w, const struct tls_hello *h,
                               const struct ft_view *at)
{
    const struct flow *flow = w->flow;

    if (is_old(h->offered))
        ft_violation(w->ctx, TLS_V_OLD_VERSION, at);
    if (ft_tls_is_weak_cipher(h->cipher))
        ft_violation(w->ctx, TLS_V_WEAK_CIPHER, at);
    if (h->compression)
        ft_violation(w->ctx, TLS_V_COMPRESSION, at);
    if (!flow->has_client_hello || !flow->offered)
        return;
    if (h->offered != flow->offered && ft_tls_is_newer(h->offered, flow->offered))
        ft_violation(w->ctx, TLS_V_VERSION_NOT_OFFERED, at);
    /* A server that knows a newer version marks its random (RFC 8446, 4.1.3). */
    if (h->random.len == 32 && memcmp(h->random.data + 24, "DOWNGRD", 7) == 0 &&
        h->random.data[31] <= 1 && !ft_tls_is_13(h->offered) && h->offered != flow->offered &&
        ft_tls_is_newer(flow->offered, h->random.data[31] ? TLS_1_2 : TLS_1_1))
        ft_violation(w->ctx, TLS_V_DOWNGRADE, at);
}

/* With the session id that the client offered, or the key of before, a session goes on. */
static bool is_resumed(const struct flow *flow, const struct tls_hello *h)
{
    if (ft_tls_is_13(h->offered))
        return h->has_psk;
    return flow->session && session_hash(h->session_id) == flow->session;
}

static void read_server_hello(const struct walk *w, struct ft_view *body)
{
    struct tls_hello h = {.is_client = false, .is_datagram = w->is_datagram};
    struct flow *flow = w->flow;
    struct ft_view at = *body;
    bool is_whole = ft_tls_read_hello(body, &h), is_answer = false;
    bool is_retry = h.random.len == 32 && memcmp(h.random.data, retry_random, 32) == 0;

    if (is_whole) {
        flow->version = h.offered;
        flow->has_server_hello = true;
        flow->is_resumed = is_resumed(flow, &h);
        flow->cipher = h.cipher;
        if (!is_retry && (flow->is_resumed || ft_tls_is_13(h.offered)))
            is_answer = take_answer(w, FT_KIND_RESPONSE);
    }
    ft_command(w->ctx, TLS_HANDSHAKE, TLS_SERVER_HELLO);
    put_record(w, TLS_HANDSHAKE);
    ft_put_uint(w->ctx, TLS_HANDSHAKE_TYPE, TLS_SERVER_HELLO, NULL);
    if (!is_whole)
        return;
    check_server_hello(w, &h, &at);
    put_server_hello(w, &h, is_retry);
    if (is_answer)
        put_session(w, true);
}

/* ---- other handshake messages --------------------------------------------------------------- */

static void read_other(const struct walk *w, uint8_t type, struct ft_view *body)
{
    bool is_certificate = type == TLS_CERTIFICATE && !ft_tls_is_13(w->flow->version);
    bool is_of_client = w->ctx->direction == FT_TO_SERVER;
    bool is_answer = false;

    if (type == TLS_CLIENT_KEY_EXCHANGE)
        w->flow->has_key_exchange = true;
    if (is_certificate || type == TLS_SERVER_HELLO_DONE)
        is_answer = take_answer(w, FT_KIND_RESPONSE);
    ft_command(w->ctx, TLS_HANDSHAKE, type);
    put_record(w, TLS_HANDSHAKE);
    ft_put_uint(w->ctx, TLS_HANDSHAKE_TYPE, type, NULL);
    if (is_certificate)
        ft_tls_certificates(w->ctx, body,
                            is_of_client ? TLS_CLIENT_CERTIFICATE : TLS_SERVER_CERTIFICATE);
    if (is_answer)
        put_session(w, false);
}

/* A whole handshake message. */
static void read_message(struct walk *w, uint8_t type, struct ft_view body)
{
    if (type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO)
        set_direction(w, type == TLS_CLIENT_HELLO ? FT_TO_SERVER : FT_TO_CLIENT);
    if (!begin_message(w))
        return;
    if (type == TLS_CLIENT_HELLO)
        read_client_hello(w, &body);
    else if (type == TLS_SERVER_HELLO)
        read_server_hello(w, &body);
    else
        read_other(w, type, &body);
    if (ft_view_is_malformed(&body))
        ft_violation(w->ctx, FT_VIOLATION_MALFORMED, &body);
    end_message(w);
}

/* ---- putting handshake messages together ---------------------------------------------------- */

/* Collect bytes of the open message; `whole` is it when these are its last. */
static enum ft_reassembly_result collect(const struct walk *w, struct half *half,
                                         struct ft_view part, struct ft_view *whole)
{
    uint32_t flags = half->part == PART_NONE ? FT_REASSEMBLY_FIRST : 0;

    if (half->part == PART_DROPPED)
        return FT_REASSEMBLY_FULL;
    if (part.len == half->left)
        flags |= FT_REASSEMBLY_LAST;
    enum ft_reassembly_result result = ft_reassemble(w->ctx, KEY, part, flags, whole);
    half->part = result == FT_REASSEMBLY_FULL ? PART_DROPPED : PART_COLLECTED;
    return result;
}

/* The next bytes of the open message: false when the engine has dropped those before, at a hole. */
static bool add_part(struct walk *w, struct half *half, struct ft_view part)
{
    struct ft_view whole;
    enum ft_reassembly_result result = collect(w, half, part, &whole);

    if (result == FT_REASSEMBLY_NO_START)
        return false;
    half->left -= part.len;
    if (half->left)
        return true;
    uint8_t type = half->header[0];
    half->have = half->part = PART_NONE;
    if (result != FT_REASSEMBLY_FULL)
        read_message(w, type, whole);
    return true;
}

/* The header of the next message, which may span records, too. False: not all of it is here. */
static bool read_header(struct half *half, struct ft_view *body)
{
    while (half->have < 4 && body->len)
        half->header[half->have++] = ft_u8(body);
    if (half->have < 4)
        return false;
    half->left = (uint32_t)half->header[1] << 16 | (uint32_t)half->header[2] << 8 | half->header[3];
    half->part = PART_NONE;
    return true;
}

/*
 * A header that cannot be one is encrypted, or from behind a hole. Told of is only a length that is
 * wrong where a stream is known to be in clear.
 */
static bool is_message(const struct walk *w, const struct half *half, const struct ft_view *body)
{
    if (is_handshake_type(half->header[0]) && half->left <= HANDSHAKE_MAX)
        return true;
    if (is_handshake_type(half->header[0]) && half->is_proved && !half->is_changed)
        ft_violation(w->ctx, TLS_V_HANDSHAKE_LENGTH, body);
    return false;
}

/* What there was of the open message is lost. */
static void forget_message(struct half *half)
{
    half->have = half->part = PART_NONE;
    half->left = 0;
}

/* The messages of a record, those that begin before it and end behind it included. */
static void read_handshake(struct walk *w, struct ft_view body)
{
    struct half *half = half_of(w->flow, w->ctx);
    bool is_complete = half->have == 4;

    while (body.len || is_complete) {
        if (!is_complete && !read_header(half, &body))
            return;
        if (!is_complete && !is_message(w, half, &body)) {
            forget_message(half);
            return;
        }
        is_complete = false;
        if (half->part == PART_NONE && half->left <= body.len) {
            uint8_t type = half->header[0];
            half->have = 0;
            read_message(w, type, ft_sub(&body, half->left));
        } else if (!body.len) {
            return;
        } else if (!add_part(w, half,
                             ft_sub(&body, half->left < body.len ? half->left : body.len))) {
            forget_message(half);
            return;
        }
        half = half_of(w->flow, w->ctx); /* a hello may have turned the sides round */
    }
}

/* Fragments of DTLS have headers of their own; those out of order are left out. */
static void read_datagram_handshake(struct walk *w, struct ft_view body)
{
    while (body.len >= 12) {
        struct half *half = half_of(w->flow, w->ctx);
        uint8_t type = ft_u8(&body);
        uint32_t length = ft_u24be(&body);
        ft_skip(&body, 2);
        uint32_t offset = ft_u24be(&body), size = ft_u24be(&body);
        struct ft_view part = ft_sub(&body, size);

        if (!is_handshake_type(type) || length > HANDSHAKE_MAX || offset + size > length ||
            !ft_view_ok(&body))
            return;
        if (size == length) {
            read_message(w, type, part);
        } else if (offset == 0 || (half->header[0] == type && half->offset == offset)) {
            half->header[0] = type;
            half->left = length - offset;
            half->part = offset ? half->part : PART_NONE;
            half->offset = offset + size;
            if (!add_part(w, half, part))
                forget_message(half);
        }
    }
}

/* ---- other records -------------------------------------------------------------------------- */

/* CVE-2014-0224: keys that are changed before they were exchanged are keys that everybody knows. */
static bool is_early_change(const struct walk *w)
{
    const struct flow *flow = w->flow;

    return w->ctx->direction == FT_TO_SERVER && flow->has_client_hello && flow->has_server_hello &&
           !ft_tls_is_13(flow->version) && !flow->is_resumed && !flow->has_key_exchange &&
           !flow->halves[1].is_changed && !w->ctx->is_midstream && !w->is_datagram;
}

static void read_change(const struct walk *w)
{
    /* Without a certificate before it, what goes on is a session of before. */
    bool is_answer = false;

    if (w->flow->has_server_hello && w->flow->is_waiting && !ft_tls_is_13(w->flow->version)) {
        is_answer = take_answer(w, FT_KIND_RESPONSE);
        w->flow->is_resumed |= is_answer;
    }
    ft_command(w->ctx, TLS_CHANGE_CIPHER_SPEC, 0);
    put_record(w, TLS_CHANGE_CIPHER_SPEC);
    if (is_early_change(w))
        ft_violation(w->ctx, TLS_V_CCS_ORDER, NULL);
    half_of(w->flow, w->ctx)->is_changed = true;
    if (is_answer)
        put_session(w, false);
}

static void read_alert(const struct walk *w, struct ft_view *body)
{
    uint8_t level = ft_u8(body);
    struct ft_view at = *body;
    uint8_t description = ft_u8(body);

    if (level == 2)
        take_answer(w, FT_KIND_EXCEPTION);
    ft_command(w->ctx, TLS_ALERT, level);
    put_record(w, TLS_ALERT);
    ft_put_uint(w->ctx, TLS_ALERT_LEVEL, level, &at);
    ft_put_uint(w->ctx, TLS_ALERT_DESCRIPTION, description, body);
}

static void read_heartbeat(const struct walk *w, struct ft_view *body)
{
    uint32_t size = body->len;
    bool is_cut = body->is_cut;
    uint8_t type = ft_u8(body);
    struct ft_view at = *body;
    uint16_t length = ft_u16be(body);

    ft_set_kind(w->ctx, type == 1 ? FT_KIND_REQUEST : FT_KIND_RESPONSE);
    ft_command(w->ctx, TLS_HEARTBEAT, type);
    put_record(w, TLS_HEARTBEAT);
    ft_put_uint(w->ctx, TLS_HEARTBEAT_TYPE, type, &at);
    ft_put_uint(w->ctx, TLS_HEARTBEAT_LENGTH, length, body);
    if (is_cut || !ft_view_ok(body))
        return;
    if (type == 1 && length > body->len)
        ft_violation(w->ctx, TLS_V_HEARTBLEED, body);
    if (type == 2 && w->flow->heartbeat && size > w->flow->heartbeat)
        ft_violation(w->ctx, TLS_V_HEARTBLEED_LEAK, body);
    if (type == 1)
        w->flow->heartbeat = (uint16_t)size;
}

static void read_small(struct walk *w, enum tls_content type, struct ft_view *body)
{
    if (!begin_message(w))
        return;
    if (type == TLS_CHANGE_CIPHER_SPEC)
        read_change(w);
    else if (type == TLS_ALERT)
        read_alert(w, body);
    else
        read_heartbeat(w, body);
    end_message(w);
}

/* ---- SSL 2 ---------------------------------------------------------------------------------- */

/* type1 version2 ciphers_length2 id_length2 challenge_length2 */
static void read_ssl2_client_hello(const struct walk *w, struct ft_view *v)
{
    ft_skip(v, 1);
    uint16_t version = ft_u16be(v), ciphers = ft_u16be(v);

    set_direction(w, FT_TO_SERVER);
    ft_set_kind(w->ctx, FT_KIND_REQUEST);
    ft_command(w->ctx, TLS_HANDSHAKE, TLS_CLIENT_HELLO);
    ft_put_uint(w->ctx, TLS_CONTENT_TYPE, TLS_HANDSHAKE, NULL);
    ft_put_uint(w->ctx, TLS_RECORD_VERSION, TLS_SSL_2, NULL);
    ft_put_uint(w->ctx, TLS_HANDSHAKE_TYPE, TLS_CLIENT_HELLO, NULL);
    ft_put_uint(w->ctx, TLS_OFFERED_VERSION, version, NULL);
    ft_skip(v, 4);
    for (uint32_t i = 0; i < ft_count(v, ciphers / 3u, 3) && ft_view_ok(v); i++) {
        uint32_t cipher = ft_u24be(v);
        ft_put_uint(w->ctx, TLS_CLIENT_CIPHERS, cipher, v);
    }
    ft_rest(v);
    w->flow->offered = version;
    w->flow->has_client_hello = true;
    if (!w->flow->is_waiting)
        ft_request(w->ctx, FT_SCOPE_FLOW, KEY, NULL, 0);
    w->flow->is_waiting = true;
}

/* type1 hit1 certificate_type1 version2 certificate_length2 ciphers_length2 id_length2 */
static void read_ssl2_server_hello(const struct walk *w, struct ft_view *v)
{
    ft_skip(v, 1);
    bool is_hit = ft_u8(v) != 0;
    ft_skip(v, 1);
    uint16_t version = ft_u16be(v);
    struct ft_view at = *v;
    uint16_t length = ft_u16be(v);

    set_direction(w, FT_TO_CLIENT);
    w->flow->version = TLS_SSL_2;
    w->flow->is_resumed = is_hit;
    take_answer(w, FT_KIND_RESPONSE);
    ft_command(w->ctx, TLS_HANDSHAKE, TLS_SERVER_HELLO);
    ft_put_uint(w->ctx, TLS_CONTENT_TYPE, TLS_HANDSHAKE, NULL);
    ft_put_uint(w->ctx, TLS_RECORD_VERSION, TLS_SSL_2, NULL);
    ft_put_uint(w->ctx, TLS_HANDSHAKE_TYPE, TLS_SERVER_HELLO, NULL);
    ft_put_uint(w->ctx, TLS_VERSION, version, NULL);
    ft_violation(w->ctx, TLS_V_OLD_VERSION, &at);
    if (is_hit)
        ft_put_bool(w->ctx, TLS_RESUMED, true, NULL);
    ft_skip(v, 4);
    struct ft_view der = ft_sub(v, length);
    if (der.len && ft_view_ok(v))
        ft_tls_one_certificate(w->ctx, der, TLS_SERVER_CERTIFICATE, v);
    ft_rest(v);
}

static void read_ssl2(const struct walk *w, struct ft_view *pdu)
{
    ft_skip(pdu, SSL_2_HEADER);
    if (ft_peek_u8(pdu, 0) == SSL_2_CLIENT_HELLO)
        read_ssl2_client_hello(w, pdu);
    else
        read_ssl2_server_hello(w, pdu);
}

/* ---- records -------------------------------------------------------------------------------- */

/* True when what the record holds can be read. */
static bool is_readable(const struct walk *w, enum tls_content type, const struct ft_view *body)
{
    switch (type) {
    case TLS_HANDSHAKE:
        return w->epoch == 0;
    case TLS_CHANGE_CIPHER_SPEC:
        return body->len == 1;
    case TLS_ALERT: /* encrypted ones are longer */
        return w->epoch == 0 && body->len == 2;
    case TLS_HEARTBEAT:
        return w->epoch == 0 && body->len >= 3;
    default:
        return false;
    }
}

/* One record; false when what is here is none, or its end is not here. */
static bool read_record(struct walk *w, struct ft_view *pdu)
{
    int32_t version = ft_peek_u16be(pdu, 1);

    if (pdu->len >= 3 && (!is_content_type(pdu->data[0]) ||
                          !(w->is_datagram ? is_datagram_version(version) : is_version(version))))
        return false; /* DTLS shares ports with STUN and RTP */
    uint8_t type = ft_u8(pdu);
    w->version = ft_u16be(pdu);
    w->epoch = w->is_datagram ? ft_u16be(pdu) : 0;
    if (w->is_datagram)
        ft_skip(pdu, 6);
    uint16_t length = ft_u16be(pdu);
    if (length > RECORD_MAX)
        ft_violation(w->ctx, TLS_V_RECORD_LENGTH, pdu);
    struct ft_view body = ft_sub(pdu, length);
    if (is_readable(w, (enum tls_content)type, &body)) {
        if (type != TLS_HANDSHAKE)
            read_small(w, (enum tls_content)type, &body);
        else if (w->is_datagram)
            read_datagram_handshake(w, body);
        else
            read_handshake(w, body);
    }
    if (ft_view_ok(pdu))
        half_of(w->flow, w->ctx)->is_proved = true;
    else /* the end of the record is not here: a message in it does not go on */
        forget_message(half_of(w->flow, w->ctx));
    if (!w->messages)
        put_record(w, (enum tls_content)type);
    return ft_view_ok(pdu);
}

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    /* No command is known yet: what is wanted now is wanted of any message. */
    struct walk w = {.ctx = ctx,
                     .flow = ctx->flow_state,
                     .is_datagram = ctx->transport == FT_TRANSPORT_UDP,
                     .keeps_sni = ft_wants(ctx, TLS_SNI),
                     .keeps_ja3 = ft_wants(ctx, TLS_JA3_HASH),
                     .keeps_ja3s = ft_wants(ctx, TLS_JA3S_HASH),
                     .keeps_ja4 = ft_wants(ctx, TLS_JA4)};

    if (!w.is_datagram && ft_peek_u8(pdu, 0) >= 0x80) {
        read_ssl2(&w, pdu);
        return;
    }
    while (pdu->len && read_record(&w, pdu))
        ;
}

const struct ft_dissector ft_dissector_tls = {
    .size = sizeof(struct ft_dissector),
    .abi = FT_ABI_VERSION,
    .name = "tls",
    .title = "TLS",
    .specification = "RFC 8446, 5246, 6347, 9147, 6520; RFC 5280 (certificates)",
    .carried_by = FT_TABLE(carriers),
    .signatures = FT_TABLE(signatures),
    .fields = FT_TABLE(fields),
    .commands = FT_TABLE(commands),
    .violations = FT_TABLE(violations),
    .max_pdu = RECORD_HEADER + RECORD_MAX,
    .flow_state_size = sizeof(struct flow),
    .channel_size = sizeof(struct session),
    .probe = probe,
    .frame = frame,
    .dissect = dissect,
};
