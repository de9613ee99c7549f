/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the Ethernet dissector share: numbers of fields and violations, its state. */
#ifndef FT_PROTOCOLS_ETHERNET_H
#define FT_PROTOCOLS_ETHERNET_H

#include <fieldtap/dissector.h>

enum ft_ethernet_type {
    ETHER_WAKE = 0x0842,
    ETHER_CONTROL = 0x8808,
    ETHER_SLOW = 0x8809,
    ETHER_PPPOE_DISCOVERY = 0x8863,
    ETHER_PPPOE_SESSION = 0x8864,
    ETHER_EAPOL = 0x888e,
    ETHER_SUPERVISION = 0x88fb,
    ETHER_LOOPBACK = 0x9000,
};

enum ft_ethernet_field {
    ETHER = 0,
    ETHER_TYPE,
    ETHER_WAKE_GROUP,
    ETHER_WAKE_MAC,
    ETHER_WAKE_PASSWORD,
    ETHER_CONTROL_GROUP,
    ETHER_CONTROL_OPCODE,
    ETHER_CONTROL_QUANTA,
    ETHER_CONTROL_CLASSES,
    ETHER_CONTROL_TIMES,
    ETHER_CONTROL_TIMESTAMP,
    ETHER_LOOP_GROUP,
    ETHER_LOOP_SKIP,
    ETHER_LOOP_FUNCTION,
    ETHER_LOOP_RECEIPT,
    ETHER_LOOP_FORWARD,
    ETHER_PRP_GROUP,
    ETHER_PRP_PATH,
    ETHER_PRP_VERSION,
    ETHER_PRP_SEQUENCE,
    ETHER_PRP_LAN,
    ETHER_PRP_TLV,
    ETHER_PRP_TLV_TYPE,
    ETHER_PRP_TLV_MAC,
    ETHER_SLOW_SUBTYPE,
    ETHER_LACP,
    ETHER_LACP_VERSION,
    ETHER_LACP_ACTOR,
    ETHER_LACP_ACTOR_SYSTEM_PRIORITY,
    ETHER_LACP_ACTOR_SYSTEM,
    ETHER_LACP_ACTOR_KEY,
    ETHER_LACP_ACTOR_PORT_PRIORITY,
    ETHER_LACP_ACTOR_PORT,
    ETHER_LACP_ACTOR_STATE,
    ETHER_LACP_PARTNER, /* its members in the order of the actor's */
    ETHER_LACP_PARTNER_SYSTEM_PRIORITY,
    ETHER_LACP_PARTNER_SYSTEM,
    ETHER_LACP_PARTNER_KEY,
    ETHER_LACP_PARTNER_PORT_PRIORITY,
    ETHER_LACP_PARTNER_PORT,
    ETHER_LACP_PARTNER_STATE,
    ETHER_LACP_DELAY,
    ETHER_MARKER,
    ETHER_MARKER_VERSION,
    ETHER_MARKER_TYPE,
    ETHER_MARKER_PORT,
    ETHER_MARKER_SYSTEM,
    ETHER_MARKER_TRANSACTION,
    ETHER_OAM,
    ETHER_OAM_FLAGS,
    ETHER_OAM_CODE,
    ETHER_OAM_LOCAL,
    ETHER_OAM_LOCAL_VERSION,
    ETHER_OAM_LOCAL_REVISION,
    ETHER_OAM_LOCAL_STATE,
    ETHER_OAM_LOCAL_CONFIGURATION,
    ETHER_OAM_LOCAL_MAX_PDU,
    ETHER_OAM_LOCAL_OUI,
    ETHER_OAM_LOCAL_VENDOR,
    ETHER_OAM_REMOTE, /* its members in the order of the local ones */
    ETHER_OAM_REMOTE_VERSION,
    ETHER_OAM_REMOTE_REVISION,
    ETHER_OAM_REMOTE_STATE,
    ETHER_OAM_REMOTE_CONFIGURATION,
    ETHER_OAM_REMOTE_MAX_PDU,
    ETHER_OAM_REMOTE_OUI,
    ETHER_OAM_REMOTE_VENDOR,
    ETHER_OAM_SEQUENCE,
    ETHER_OAM_EVENT,
    ETHER_OAM_EVENT_TYPE,
    ETHER_OAM_EVENT_TIMESTAMP,
    ETHER_OAM_EVENT_WINDOW,
    ETHER_OAM_EVENT_THRESHOLD,
    ETHER_OAM_EVENT_ERRORS,
    ETHER_OAM_EVENT_TOTAL_ERRORS,
    ETHER_OAM_EVENT_TOTAL_EVENTS,
    ETHER_OAM_VARIABLE,
    ETHER_OAM_VARIABLE_BRANCH,
    ETHER_OAM_VARIABLE_LEAF,
    ETHER_OAM_VARIABLE_VALUE,
    ETHER_OAM_VARIABLE_INDICATION,
    ETHER_OAM_LOOPBACK,
    ETHER_OAM_OUI,
    ETHER_ESMC,
    ETHER_ESMC_VERSION,
    ETHER_ESMC_EVENT,
    ETHER_ESMC_QUALITY,
    ETHER_ORGANISATION,
    ETHER_ORGANISATION_OUI,
    ETHER_ORGANISATION_DATA,
    ETHER_PPPOE,
    ETHER_PPPOE_CODE,
    ETHER_PPPOE_SESSION_ID,
    ETHER_PPPOE_SERVICE,
    ETHER_PPPOE_AC_NAME,
    ETHER_PPPOE_HOST_UNIQ,
    ETHER_PPPOE_AC_COOKIE,
    ETHER_PPPOE_VENDOR,
    ETHER_PPPOE_RELAY,
    ETHER_PPPOE_MAX_PAYLOAD,
    ETHER_PPPOE_ERROR,
    ETHER_PPPOE_OTHER,
    ETHER_PPPOE_OTHER_TYPE,
    ETHER_PPPOE_OTHER_DATA,
    ETHER_PPP,
    ETHER_PPP_PROTOCOL,
    ETHER_PPP_CODE,
    ETHER_PPP_ID,
    ETHER_PPP_MRU,
    ETHER_PPP_MAGIC,
    ETHER_PPP_AUTHENTICATION,
    ETHER_PPP_ALGORITHM,
    ETHER_PPP_ADDRESS,
    ETHER_PPP_DNS,
    ETHER_PPP_INTERFACE,
    ETHER_PPP_REJECTED,
    ETHER_PPP_USER,
    ETHER_PPP_PASSWORD,
    ETHER_PPP_CHALLENGE,
    ETHER_PPP_RESPONSE,
    ETHER_PPP_MESSAGE,
    ETHER_PPP_OPTION,
    ETHER_PPP_OPTION_TYPE,
    ETHER_PPP_OPTION_DATA,
    ETHER_EAPOL_GROUP,
    ETHER_EAPOL_VERSION,
    ETHER_EAPOL_TYPE,
    ETHER_EAPOL_KEY,
    ETHER_EAP,
    ETHER_EAP_CODE,
    ETHER_EAP_ID,
    ETHER_EAP_TYPE,
    ETHER_EAP_IDENTITY,
    ETHER_EAP_MESSAGE,
    ETHER_EAP_WANTED,
    ETHER_MKA,
    ETHER_MKA_VERSION,
    ETHER_MKA_PRIORITY,
    ETHER_MKA_FLAGS,
    ETHER_MKA_SCI,
    ETHER_MKA_NUMBER,
    ETHER_MKA_KEY_NAME,
    ETHER_FIELDS,
};

enum ft_ethernet_violation {
    ETHER_V_WAKE_PATTERN = 0,
    ETHER_V_CONTROL_ADDRESS,
    ETHER_V_CONTROL_OPCODE,
    ETHER_V_LOOP_FUNCTION,
    ETHER_V_LOOP_GROUP,
    ETHER_V_PRP_SENDER,
    ETHER_V_PRP_LAN_LOST,
    ETHER_V_SLOW_ADDRESS,
    ETHER_V_SLOW_SUBTYPE,
    ETHER_V_LACP_LENGTH,
    ETHER_V_LACP_SYSTEM,
    ETHER_V_LACP_LOOP,
    ETHER_V_LACP_LOST,
    ETHER_V_OAM_LINK_FAULT,
    ETHER_V_OAM_DYING_GASP,
    ETHER_V_OAM_CRITICAL,
    ETHER_V_OAM_ERRORS,
    ETHER_V_OAM_LOOPBACK,
    ETHER_V_PPPOE_VERSION,
    ETHER_V_PPPOE_SESSION,
    ETHER_V_PPPOE_REFUSED,
    ETHER_V_CLEAR_TEXT,
    ETHER_V_LOGIN_FAILED,
    ETHER_V_WEAK_EAP,
    ETHER_VIOLATIONS,
};

/** Kept of two stations and one type of frame. */
struct ft_ethernet_flow {
    uint64_t heard_ns[2]; /**< supervision: last frame from LAN A and B, 0 = none */
    uint8_t is_lost;      /**< that one of them is silent was told */
    uint8_t lacp_state;   /**< of the actor, of the last frame */
    uint8_t oam_flags;    /**< of the last frame */
};

/** The qualifier of frames with two numbers that tell what they are. */
#define ETHER_QUALIFIER(first, second) ((first) << 8 | (second))

/**
 * Say what the frame is, before anything is put of it. `qualifier` tells the frames of a type
 * apart; negative: the frame ends before it.
 */
static inline void ft_ethernet_begin(struct ft_context *ctx, enum ft_kind kind,
                                     enum ft_ethernet_type type, int32_t qualifier)
{
    ft_set_kind(ctx, kind);
    ft_command(ctx, type, qualifier < 0 ? FT_ANY_QUALIFIER : (uint32_t)qualifier);
    ft_put_uint(ctx, ETHER_TYPE, type, NULL);
}

/** Slow protocols: aggregation, marker, OAM, synchronisation messages. */
void ft_ethernet_slow(struct ft_context *ctx, struct ft_view *v);

/** PPPoE discovery, and what a session carries besides IP. */
void ft_ethernet_discovery(struct ft_context *ctx, struct ft_view *v);
void ft_ethernet_session(struct ft_context *ctx, struct ft_view *v);

/** Port authentication (802.1X). */
void ft_ethernet_eapol(struct ft_context *ctx, struct ft_view *v);

/** An EAP packet, in EAPOL or PPP. */
void ft_ethernet_eap(struct ft_context *ctx, struct ft_view *v);

/** The kind of an EAP packet by its code. */
enum ft_kind ft_ethernet_eap_kind(int code);

#endif
