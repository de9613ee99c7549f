/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions over Ethernet and who may have one: PPPoE, PPP, EAP, 802.1X.
 *
 * PPPoE: version and type (1) 11, code (1), session (2), length (2); of discovery tags of type (2)
 * and length (2), of a session PPP: protocol (2, or 1 when that is odd). What sets PPP up has code
 * (1), id (1), length (2) and options of type (1) and length (1), which counts both.
 *
 * EAPOL: version (1), type (1), length (2), then an EAP packet, a key descriptor, or MKA.
 * EAP: code (1), id (1), length (2), type (1) in requests and responses.
 *
 * Specification: RFC 1661, 1332, 1334, 1994, 2516, 3748, 5072; IEEE 802.1X.
 */
#include "ethernet.h"

#include "repeated.h"

enum {
    PPPOE_VERSION = 0x11,
    PADI = 0x09,
    PADO = 0x07,
    PADR = 0x19,
    PADS = 0x65,
    PADT = 0xa7,
    TAG_END = 0x0000,
    TAG_SERVICE = 0x0101,
    TAG_AC_NAME = 0x0102,
    TAG_HOST_UNIQ = 0x0103,
    TAG_AC_COOKIE = 0x0104,
    TAG_VENDOR = 0x0105,
    TAG_RELAY = 0x0110,
    TAG_MAX_PAYLOAD = 0x0120,
    TAG_ERROR_FIRST = 0x0201,
    TAG_ERROR_LAST = 0x0203,
    PPP_LCP = 0xc021,
    PPP_PAP = 0xc023,
    PPP_CHAP = 0xc223,
    PPP_EAP = 0xc227,
    PPP_IPCP = 0x8021,
    PPP_IPV6CP = 0x8057,
    CONFIGURE_REQUEST = 1,
    CONFIGURE_ACK = 2,
    CONFIGURE_REJECT = 4,
    TERMINATE_REQUEST = 5,
    TERMINATE_ACK = 6,
    CODE_REJECT = 7,
    PROTOCOL_REJECT = 8,
    ECHO_REQUEST = 9,
    ECHO_REPLY = 10,
    DISCARD_REQUEST = 11,
    PAP_REQUEST = 1,
    PAP_NAK = 3,
    CHAP_CHALLENGE = 1,
    CHAP_RESPONSE = 2,
    CHAP_FAILURE = 4,
    OPTION_MRU = 1,
    OPTION_AUTHENTICATION = 3,
    OPTION_MAGIC = 5,
    OPTION_ADDRESS = 3,
    OPTION_DNS = 129,
    OPTION_DNS_2 = 131,
    OPTION_INTERFACE = 1,
    EAPOL_EAP = 0,
    EAPOL_LAST_KEY = 3,
    EAPOL_MKA = 5,
    EAP_REQUEST = 1,
    EAP_RESPONSE = 2,
    EAP_SUCCESS = 3,
    EAP_FAILURE = 4,
    EAP_IDENTITY = 1,
    EAP_NOTIFICATION = 2,
    EAP_NAK = 3,
    EAP_MD5 = 4,
    EAP_LEAP = 17,
    MAC_LENGTH = 6,
};

/* ---- PPPoE discovery ------------------------------------------------------------------------ */

/* What the tags say. */
struct tags {
    struct ft_view ac_name, host_uniq;
    bool is_refused;
};

static void read_tag(struct ft_context *ctx, struct tags *said, uint16_t type, struct ft_view *v)
{
    struct ft_view all = *v;
    switch (type) {
    case TAG_SERVICE:
        ft_put_string(ctx, ETHER_PPPOE_SERVICE, all);
        break;
    case TAG_AC_NAME:
        said->ac_name = all;
        ft_put_string(ctx, ETHER_PPPOE_AC_NAME, all);
        break;
    case TAG_HOST_UNIQ:
        said->host_uniq = all;
        ft_put_bytes(ctx, ETHER_PPPOE_HOST_UNIQ, all);
        break;
    case TAG_AC_COOKIE:
        ft_put_bytes(ctx, ETHER_PPPOE_AC_COOKIE, all);
        break;
    case TAG_VENDOR:
        ft_put_bytes(ctx, ETHER_PPPOE_VENDOR, all);
        break;
    case TAG_RELAY:
        ft_put_bytes(ctx, ETHER_PPPOE_RELAY, all);
        break;
    case TAG_MAX_PAYLOAD:
        ft_put_uint(ctx, ETHER_PPPOE_MAX_PAYLOAD, ft_u16be(v), v);
        break;
    default:
        if (type >= TAG_ERROR_FIRST && type <= TAG_ERROR_LAST) {
            said->is_refused = true;
            ft_put_string(ctx, ETHER_PPPOE_ERROR, all);
            break;
        }
        ft_group_begin(ctx, ETHER_PPPOE_OTHER);
        ft_put_uint(ctx, ETHER_PPPOE_OTHER_TYPE, type, NULL);
        ft_put_bytes(ctx, ETHER_PPPOE_OTHER_DATA, all);
        ft_group_end(ctx, ETHER_PPPOE_OTHER);
    }
}

static void read_tags(struct ft_context *ctx, struct tags *said, struct ft_view v)
{
    while (v.len) {
        uint16_t type = ft_u16be(&v);
        struct ft_view value = ft_sub_u16be(&v);
        if (type == TAG_END || !ft_view_ok(&v))
            break;
        read_tag(ctx, said, type, &value);
        if (ft_view_is_malformed(&value))
            ft_violation(ctx, FT_VIOLATION_MALFORMED, &v);
    }
    if (ft_view_is_malformed(&v))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, &v);
}

static enum ft_kind discovery_kind(int code, int32_t session)
{
    switch (code) {
    case PADI:
    case PADR:
        return FT_KIND_REQUEST;
    case PADO:
        return FT_KIND_RESPONSE;
    case PADS:
        return session ? FT_KIND_RESPONSE : FT_KIND_EXCEPTION;
    case PADT:
        return FT_KIND_UNSOLICITED;
    default:
        return FT_KIND_DATA;
    }
}

/* PADI goes to everybody, so its offers are of other flows; the other two are between two. */
static void pair(struct ft_context *ctx, int code, struct ft_view host_uniq)
{
    uint64_t key = repeated_hash(host_uniq);
    if (code == PADR)
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    else if (code == PADS)
        ft_response(ctx, FT_SCOPE_FLOW, key);
}

static void conclude(struct ft_context *ctx, int code, int32_t session, const struct tags *said)
{
    bool is_before = code == PADI || code == PADO || code == PADR;
    if (is_before && session)
        ft_violation(ctx, ETHER_V_PPPOE_SESSION, NULL);
    if (said->is_refused || (code == PADS && !session))
        ft_violation(ctx, ETHER_V_PPPOE_REFUSED, NULL);
    if (code == PADO || code == PADS) {
        ft_asset_role(ctx, FT_SENDER, FT_ROLE_ROUTER);
        if (said->ac_name.len)
            ft_asset(ctx, FT_SENDER, FT_FACT_NAME, said->ac_name);
    }
    pair(ctx, code, said->host_uniq);
}

/* Version and type, code, session; then the view is what the length bounds, without padding. */
static struct ft_view read_pppoe(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t version = ft_u8(v);
    if (ft_view_ok(v) && version != PPPOE_VERSION)
        ft_violation(ctx, ETHER_V_PPPOE_VERSION, v);
    ft_put_uint(ctx, ETHER_PPPOE_CODE, ft_u8(v), v);
    ft_put_uint(ctx, ETHER_PPPOE_SESSION_ID, ft_u16be(v), v);
    return ft_sub_u16be(v);
}

void ft_ethernet_discovery(struct ft_context *ctx, struct ft_view *v)
{
    struct tags said = {.ac_name = ft_view_empty(), .host_uniq = ft_view_empty()};
    int code = ft_peek_u8(v, 1);
    int32_t session = ft_peek_u16be(v, 2);

    if (code == PADI || code == PADR)
        ft_set_direction(ctx, FT_TO_SERVER);
    else if (code == PADO || code == PADS)
        ft_set_direction(ctx, FT_TO_CLIENT);
    ft_ethernet_begin(ctx, discovery_kind(code, session), ETHER_PPPOE_DISCOVERY, code);
    struct ft_view tags = read_pppoe(ctx, v);
    if (!ft_view_ok(v) && !tags.len)
        return;
    read_tags(ctx, &said, tags);
    if (ft_view_ok(v))
        conclude(ctx, code, session, &said);
}

/* ---- PPP ------------------------------------------------------------------------------------ */

/* The header of PPP and of the packet in it. */
struct packet {
    uint16_t protocol;
    int code, id;
};

static bool is_setup(uint16_t protocol)
{
    return protocol >> 12 == 8 || protocol == PPP_LCP;
}

static bool has_code(uint16_t protocol)
{
    return is_setup(protocol) || protocol == PPP_PAP || protocol == PPP_CHAP || protocol == PPP_EAP;
}

static uint16_t read_protocol(struct ft_view *v)
{
    if (ft_peek_u16be(v, 0) == 0xff03)
        ft_skip(v, 2);
    int first = ft_peek_u8(v, 0);
    return first >= 0 && first & 1 ? ft_u8(v) : ft_u16be(v);
}

static struct packet peek_packet(struct ft_view v)
{
    struct packet p;
    ft_skip(&v, 6);
    p.protocol = read_protocol(&v);
    p.code = has_code(p.protocol) ? ft_peek_u8(&v, 0) : 0;
    p.id = has_code(p.protocol) ? ft_peek_u8(&v, 1) : 0;
    return p;
}

static enum ft_kind setup_kind(int code)
{
    switch (code) {
    case CONFIGURE_REQUEST:
    case TERMINATE_REQUEST:
    case ECHO_REQUEST:
        return FT_KIND_REQUEST;
    case CONFIGURE_ACK:
    case CONFIGURE_ACK + 1:
    case TERMINATE_ACK:
    case ECHO_REPLY:
        return FT_KIND_RESPONSE;
    case CONFIGURE_REJECT:
    case CODE_REJECT:
    case PROTOCOL_REJECT:
        return FT_KIND_EXCEPTION;
    default:
        return FT_KIND_DATA;
    }
}

static enum ft_kind packet_kind(const struct packet *p)
{
    if (is_setup(p->protocol))
        return setup_kind(p->code);
    if (p->protocol == PPP_EAP)
        return ft_ethernet_eap_kind(p->code);
    if (p->protocol != PPP_PAP && p->protocol != PPP_CHAP)
        return FT_KIND_DATA;
    if (p->code == 1)
        return FT_KIND_REQUEST;
    bool is_refusal = p->code == (p->protocol == PPP_PAP ? PAP_NAK : CHAP_FAILURE);
    return is_refusal ? FT_KIND_EXCEPTION : FT_KIND_RESPONSE;
}

/* Each side asks in its turn, with numbers of its own. */
static void pair_setup(struct ft_context *ctx, const struct packet *p)
{
    static const uint8_t answers[] = {
        [2] = 1, [3] = 1, [4] = 1, [TERMINATE_ACK] = 5, [ECHO_REPLY] = 9};
    bool is_answer = (size_t)p->code < sizeof(answers) && answers[p->code];
    uint32_t asked = is_answer ? answers[p->code] : (uint32_t)p->code;
    uint64_t key = (uint64_t)p->protocol << 16 | (uint64_t)asked << 8 | (uint64_t)p->id;
    if (is_answer)
        ft_response(ctx, FT_SCOPE_FLOW, key);
    else if (setup_kind(p->code) == FT_KIND_REQUEST)
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
}

static void put_option(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    ft_group_begin(ctx, ETHER_PPP_OPTION);
    ft_put_uint(ctx, ETHER_PPP_OPTION_TYPE, type, NULL);
    ft_put_bytes(ctx, ETHER_PPP_OPTION_DATA, ft_rest(v));
    ft_group_end(ctx, ETHER_PPP_OPTION);
}

static void put_authentication(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t protocol = ft_u16be(v);
    ft_put_uint(ctx, ETHER_PPP_AUTHENTICATION, protocol, v);
    if (protocol == PPP_CHAP)
        ft_put_uint(ctx, ETHER_PPP_ALGORITHM, ft_u8(v), v);
}

static void read_lcp_option(struct ft_context *ctx, uint8_t type, struct ft_view *v)
{
    if (type == OPTION_MRU)
        ft_put_uint(ctx, ETHER_PPP_MRU, ft_u16be(v), v);
    else if (type == OPTION_MAGIC)
        ft_put_uint(ctx, ETHER_PPP_MAGIC, ft_u32be(v), v);
    else if (type == OPTION_AUTHENTICATION)
        put_authentication(ctx, v);
    else
        put_option(ctx, type, v);
}

/* What one side confirms to the other is that one's address from now on. */
static void read_ip_option(struct ft_context *ctx, int code, uint8_t type, struct ft_view *v)
{
    struct ft_view ip = ft_sub(v, 4), number = ip;
    uint32_t address = ft_u32be(&number);
    ft_put_uint(ctx, type == OPTION_ADDRESS ? ETHER_PPP_ADDRESS : ETHER_PPP_DNS, address, v);
    if (type == OPTION_ADDRESS && code == CONFIGURE_ACK && address && ft_view_ok(v))
        ft_asset_lease(ctx, ip, ft_view_make(ctx->dst_mac, MAC_LENGTH, false));
}

static void read_option(struct ft_context *ctx, const struct packet *p, uint8_t type,
                        struct ft_view *v)
{
    bool is_ip = type == OPTION_ADDRESS || type == OPTION_DNS || type == OPTION_DNS_2;
    if (p->protocol == PPP_LCP)
        read_lcp_option(ctx, type, v);
    else if (p->protocol == PPP_IPCP && is_ip)
        read_ip_option(ctx, p->code, type, v);
    else if (p->protocol == PPP_IPV6CP && type == OPTION_INTERFACE)
        ft_put_bytes(ctx, ETHER_PPP_INTERFACE, ft_rest(v));
    else
        put_option(ctx, type, v);
}

static void read_options(struct ft_context *ctx, const struct packet *p, struct ft_view *v)
{
    while (v->len) {
        uint8_t type = ft_u8(v), length = ft_u8(v);
        if (length < 2) {
            ft_view_fail(v);
            return;
        }
        struct ft_view value = ft_sub(v, length - 2u);
        read_option(ctx, p, type, &value);
        if (ft_view_is_malformed(&value) && ft_view_ok(v))
            ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
    }
}

static void read_setup(struct ft_context *ctx, const struct packet *p, struct ft_view *v)
{
    if (p->code >= CONFIGURE_REQUEST && p->code <= CONFIGURE_REJECT) {
        read_options(ctx, p, v);
    } else if (p->code == PROTOCOL_REJECT) {
        ft_put_uint(ctx, ETHER_PPP_REJECTED, ft_u16be(v), v);
    } else if (p->code >= ECHO_REQUEST && p->code <= DISCARD_REQUEST) {
        ft_put_uint(ctx, ETHER_PPP_MAGIC, ft_u32be(v), v);
    }
    if (ft_view_ok(v))
        pair_setup(ctx, p);
}

static void read_pap(struct ft_context *ctx, const struct packet *p, struct ft_view *v)
{
    if (p->code != PAP_REQUEST) {
        ft_put_string(ctx, ETHER_PPP_MESSAGE, ft_sub_u8(v));
        if (p->code == PAP_NAK)
            ft_violation(ctx, ETHER_V_LOGIN_FAILED, NULL);
        ft_response(ctx, FT_SCOPE_FLOW, (uint64_t)PPP_PAP << 16 | (uint64_t)p->id);
        return;
    }
    ft_put_string(ctx, ETHER_PPP_USER, ft_sub_u8(v));
    struct ft_view password = ft_sub_u8(v);
    ft_put_bytes(ctx, ETHER_PPP_PASSWORD, password);
    if (password.len)
        ft_violation(ctx, ETHER_V_CLEAR_TEXT, v);
    ft_request(ctx, FT_SCOPE_FLOW, (uint64_t)PPP_PAP << 16 | (uint64_t)p->id, NULL, 0);
}

static void read_chap(struct ft_context *ctx, const struct packet *p, struct ft_view *v)
{
    uint64_t key = (uint64_t)PPP_CHAP << 16 | (uint64_t)p->id;
    if (p->code == CHAP_CHALLENGE || p->code == CHAP_RESPONSE) {
        bool is_challenge = p->code == CHAP_CHALLENGE;
        struct ft_view value = ft_sub_u8(v);
        ft_put_bytes(ctx, is_challenge ? ETHER_PPP_CHALLENGE : ETHER_PPP_RESPONSE, value);
        ft_put_string(ctx, ETHER_PPP_USER, ft_rest(v));
    } else {
        ft_put_string(ctx, ETHER_PPP_MESSAGE, ft_rest(v));
        if (p->code == CHAP_FAILURE)
            ft_violation(ctx, ETHER_V_LOGIN_FAILED, NULL);
    }
    if (p->code == CHAP_CHALLENGE)
        ft_request(ctx, FT_SCOPE_FLOW, key, NULL, 0);
    else if (p->code == CHAP_RESPONSE)
        ft_response(ctx, FT_SCOPE_FLOW, key);
}

/* Who is asked for a password is who wants in. */
static void set_direction(struct ft_context *ctx, const struct packet *p)
{
    bool is_user = (p->protocol == PPP_PAP && p->code == PAP_REQUEST) ||
                   (p->protocol == PPP_CHAP && p->code == CHAP_RESPONSE);
    if (p->protocol == PPP_PAP || p->protocol == PPP_CHAP)
        ft_set_direction(ctx, is_user ? FT_TO_SERVER : FT_TO_CLIENT);
}

static void read_packet(struct ft_context *ctx, const struct packet *p, struct ft_view *v)
{
    ft_put_uint(ctx, ETHER_PPP_CODE, ft_u8(v), v);
    ft_put_uint(ctx, ETHER_PPP_ID, ft_u8(v), v);
    uint16_t length = ft_u16be(v);
    if (ft_view_ok(v) && length < 4)
        ft_view_fail(v);
    struct ft_view data = ft_sub(v, length < 4 ? 0 : length - 4u);
    if (!ft_view_ok(v) && !data.len)
        return;
    if (is_setup(p->protocol))
        read_setup(ctx, p, &data);
    else if (p->protocol == PPP_PAP)
        read_pap(ctx, p, &data);
    else
        read_chap(ctx, p, &data);
    if (ft_view_is_malformed(&data))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
}

void ft_ethernet_session(struct ft_context *ctx, struct ft_view *v)
{
    struct packet p = peek_packet(*v);

    set_direction(ctx, &p);
    ft_ethernet_begin(ctx, packet_kind(&p), ETHER_PPPOE_SESSION,
                      ETHER_QUALIFIER(p.protocol, p.code < 0 ? 0 : p.code));
    struct ft_view ppp = read_pppoe(ctx, v);
    if (!ft_view_ok(v) && !ppp.len)
        return;
    ft_put_uint(ctx, ETHER_PPP_PROTOCOL, read_protocol(&ppp), &ppp);
    if (p.protocol == PPP_EAP)
        ft_ethernet_eap(ctx, &ppp);
    else if (has_code(p.protocol))
        read_packet(ctx, &p, &ppp);
    if (ft_view_is_malformed(&ppp))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
}

/* ---- EAP ------------------------------------------------------------------------------------ */

enum ft_kind ft_ethernet_eap_kind(int code)
{
    return code == EAP_REQUEST                           ? FT_KIND_REQUEST
           : code == EAP_FAILURE                         ? FT_KIND_EXCEPTION
           : code == EAP_RESPONSE || code == EAP_SUCCESS ? FT_KIND_RESPONSE
                                                         : FT_KIND_DATA;
}

/* Computers log in as host/name, or as DOMAIN\name$. */
static void tell_name(struct ft_context *ctx, struct ft_view identity)
{
    static const char prefix[] = "host/";
    if (!ft_view_starts(&identity, prefix, sizeof(prefix) - 1))
        return;
    ft_skip(&identity, sizeof(prefix) - 1);
    if (identity.len)
        ft_asset(ctx, FT_SENDER, FT_FACT_NAME, identity);
}

static void read_method(struct ft_context *ctx, uint8_t code, uint8_t type, struct ft_view *v)
{
    struct ft_view all = ft_rest(v);
    if (type == EAP_IDENTITY && code == EAP_RESPONSE) {
        ft_put_string(ctx, ETHER_EAP_IDENTITY, all);
        tell_name(ctx, all);
    } else if ((type == EAP_IDENTITY || type == EAP_NOTIFICATION) && all.len) {
        ft_put_string(ctx, ETHER_EAP_MESSAGE, all);
    } else if (type == EAP_NAK && ft_wants(ctx, ETHER_EAP_WANTED)) {
        while (all.len)
            ft_put_uint(ctx, ETHER_EAP_WANTED, ft_u8(&all), &all);
    } else if ((type == EAP_MD5 || type == EAP_LEAP) && code == EAP_RESPONSE) {
        ft_violation(ctx, ETHER_V_WEAK_EAP, v);
    }
}

void ft_ethernet_eap(struct ft_context *ctx, struct ft_view *v)
{
    uint8_t code = ft_u8(v);
    ft_put_uint(ctx, ETHER_EAP_CODE, code, v);
    uint8_t id = ft_u8(v);
    ft_put_uint(ctx, ETHER_EAP_ID, id, v);
    uint16_t length = ft_u16be(v);
    if (ft_view_ok(v) && length < 4)
        ft_view_fail(v);
    struct ft_view data = ft_sub(v, length < 4 ? 0 : length - 4u);
    if (!ft_view_ok(v))
        return;
    if (code == EAP_REQUEST || code == EAP_RESPONSE) {
        uint8_t type = ft_u8(&data);
        ft_put_uint(ctx, ETHER_EAP_TYPE, type, &data);
        if (ft_view_ok(&data))
            read_method(ctx, code, type, &data);
    }
    if (ft_view_is_malformed(&data))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
    if (code == EAP_FAILURE)
        ft_violation(ctx, ETHER_V_LOGIN_FAILED, NULL);
    if (code == EAP_REQUEST)
        ft_request(ctx, FT_SCOPE_FLOW, (uint64_t)PPP_EAP << 16 | id, NULL, 0);
    else if (code == EAP_RESPONSE)
        ft_response(ctx, FT_SCOPE_FLOW, (uint64_t)PPP_EAP << 16 | id);
}

/* ---- 802.1X --------------------------------------------------------------------------------- */

/*
 * The basic parameter set: version (1), priority (1), flags and length (2), SCI (8), member (12),
 * number (4), algorithm (4), name of the key.
 */
static void read_mka(struct ft_context *ctx, struct ft_view *v)
{
    ft_put_uint(ctx, ETHER_MKA_VERSION, ft_u8(v), v);
    ft_put_uint(ctx, ETHER_MKA_PRIORITY, ft_u8(v), v);
    uint16_t flags = ft_u16be(v);
    ft_put_uint(ctx, ETHER_MKA_FLAGS, flags >> 8 & 0xc0u, v);
    struct ft_view body = ft_sub(v, flags & 0xfffu);
    ft_put_bytes(ctx, ETHER_MKA_SCI, ft_sub(&body, 8));
    ft_skip(&body, 12);
    ft_put_uint(ctx, ETHER_MKA_NUMBER, ft_u32be(&body), &body);
    ft_skip(&body, 4);
    ft_put_bytes(ctx, ETHER_MKA_KEY_NAME, ft_rest(&body));
    if (ft_view_is_malformed(&body))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
}

void ft_ethernet_eapol(struct ft_context *ctx, struct ft_view *v)
{
    int type = ft_peek_u8(v, 1);
    int code = type == EAPOL_EAP ? ft_peek_u8(v, 4) : 0;

    /* The port that is authenticated at is the server. */
    if (type == EAPOL_EAP && (code == EAP_REQUEST || code == EAP_SUCCESS || code == EAP_FAILURE))
        ft_set_direction(ctx, FT_TO_CLIENT);
    else if ((type == EAPOL_EAP && code == EAP_RESPONSE) || type == 1 || type == 2)
        ft_set_direction(ctx, FT_TO_SERVER);
    ft_ethernet_begin(ctx, type == EAPOL_EAP ? ft_ethernet_eap_kind(code) : FT_KIND_DATA,
                      ETHER_EAPOL, type < 0 ? type : ETHER_QUALIFIER(type, code < 0 ? 0 : code));
    ft_put_uint(ctx, ETHER_EAPOL_VERSION, ft_u8(v), v);
    ft_put_uint(ctx, ETHER_EAPOL_TYPE, ft_u8(v), v);
    struct ft_view body = ft_sub_u16be(v);
    if (!ft_view_ok(v) && !body.len)
        return;
    if (type == EAPOL_EAP)
        ft_ethernet_eap(ctx, &body);
    else if (type == EAPOL_LAST_KEY)
        ft_put_uint(ctx, ETHER_EAPOL_KEY, ft_u8(&body), &body);
    else if (type == EAPOL_MKA)
        read_mka(ctx, &body);
    if (ft_view_is_malformed(&body))
        ft_violation(ctx, FT_VIOLATION_MALFORMED, v);
}
