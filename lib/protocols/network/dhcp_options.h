/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of DHCP: collected, put, and what they say of the client. */
#ifndef FT_DHCP_OPTIONS_H
#define FT_DHCP_OPTIONS_H

#include <fieldtap/dissector.h>

enum ft_dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
    DHCP_FORCERENEW,
    DHCP_LEASEQUERY,
    DHCP_LEASEUNASSIGNED,
    DHCP_LEASEUNKNOWN,
    DHCP_LEASEACTIVE,
};

enum ft_dhcp_option {
    DHCP_PAD = 0,
    DHCP_SUBNET_MASK = 1,
    DHCP_ROUTERS = 3,
    DHCP_DNS_SERVERS = 6,
    DHCP_LOG_SERVERS = 7,
    DHCP_HOST_NAME = 12,
    DHCP_DOMAIN = 15,
    DHCP_NTP_SERVERS = 42,
    DHCP_VENDOR_SPECIFIC = 43,
    DHCP_WINS_SERVERS = 44,
    DHCP_REQUESTED_IP = 50,
    DHCP_LEASE_TIME = 51,
    DHCP_OVERLOAD = 52,
    DHCP_MESSAGE_TYPE = 53,
    DHCP_SERVER_ID = 54,
    DHCP_PARAMETERS = 55,
    DHCP_MESSAGE = 56,
    DHCP_MAX_SIZE = 57,
    DHCP_RENEWAL_TIME = 58,
    DHCP_REBINDING_TIME = 59,
    DHCP_VENDOR_CLASS = 60,
    DHCP_CLIENT_IDENTIFIER = 61,
    DHCP_TFTP_NAME = 66,
    DHCP_FILE_NAME = 67,
    DHCP_USER_CLASS = 77,
    DHCP_FQDN = 81,
    DHCP_RELAY = 82,
    DHCP_ARCHITECTURE = 93,
    DHCP_UUID = 97,
    DHCP_URL = 114,
    DHCP_SEARCH = 119,
    DHCP_ROUTES = 121,
    DHCP_VENDOR_OPTIONS = 125,
    DHCP_TFTP_SERVERS = 150,
    DHCP_MUD = 161,
    DHCP_ROUTES_MICROSOFT = 249,
    DHCP_WPAD = 252,
    DHCP_END = 255,
};

enum {
    DHCP_FILE_OVERLOADED = 1,
    DHCP_SERVER_NAME_OVERLOADED = 2,
};

/* The keys of EVE's "dhcp" where it has them. */
enum ft_dhcp_field {
    DHCP_ROOT = 0,
    DHCP_OP,
    DHCP_ID,
    DHCP_HOPS,
    DHCP_SECONDS,
    DHCP_BROADCAST,
    DHCP_CLIENT_MAC,
    DHCP_ASSIGNED_IP,
    DHCP_CLIENT_IP,
    DHCP_NEXT_SERVER_IP,
    DHCP_RELAY_IP,
    DHCP_FIELD_TYPE,
    DHCP_FIELD_REQUESTED_IP,
    DHCP_FIELD_SERVER_ID,
    DHCP_FIELD_LEASE_TIME,
    DHCP_FIELD_RENEWAL_TIME,
    DHCP_FIELD_REBINDING_TIME,
    DHCP_FIELD_SUBNET_MASK,
    DHCP_FIELD_ROUTERS,
    DHCP_FIELD_DNS_SERVERS,
    DHCP_FIELD_LOG_SERVERS,
    DHCP_FIELD_NTP_SERVERS,
    DHCP_FIELD_WINS_SERVERS,
    DHCP_FIELD_TFTP_SERVERS,
    DHCP_FIELD_HOSTNAME,
    DHCP_FIELD_DOMAIN,
    DHCP_FIELD_FQDN,
    DHCP_FIELD_VENDOR_CLASS,
    DHCP_FIELD_CLIENT_ID,
    DHCP_FIELD_PARAMS,
    DHCP_FIELD_FINGERPRINT,
    DHCP_FIELD_MAX_SIZE,
    DHCP_FIELD_MESSAGE,
    DHCP_FIELD_USER_CLASS,
    DHCP_FIELD_ARCHITECTURE,
    DHCP_FIELD_UUID,
    DHCP_FIELD_RELAY,
    DHCP_FIELD_RELAY_CIRCUIT,
    DHCP_FIELD_RELAY_REMOTE,
    DHCP_FIELD_RELAY_SUBSCRIBER,
    DHCP_FIELD_TFTP_NAME,
    DHCP_FIELD_FILE_NAME,
    DHCP_FIELD_URL,
    DHCP_FIELD_SEARCH,
    DHCP_FIELD_ROUTES,
    DHCP_FIELD_VENDOR_SPECIFIC,
    DHCP_FIELD_VENDOR_OPTIONS,
    DHCP_FIELD_MUD,
    DHCP_FIELD_WPAD,
    DHCP_FIELD_OVERLOAD,
    DHCP_SERVER_NAME,
    DHCP_BOOT_FILE,
    DHCP_FIELDS
};

enum ft_dhcp_violation {
    DHCP_V_HARDWARE_LENGTH = 0,
    DHCP_V_OPTION,
    DHCP_V_NO_TYPE,
    DHCP_V_TYPE,
    DHCP_V_SERVERS,
    DHCP_V_FORGED,
    DHCP_V_INJECTION,
    DHCP_V_NO_ADDRESS,
    DHCP_V_FUNCTION,
    DHCP_VIOLATIONS
};

extern const struct ft_field ft_dhcp_fields[DHCP_FIELDS];

/** All options of a message by their codes; what came in pieces is put together. */
struct ft_dhcp_options {
    struct ft_view value[256]; /**< empty: not there, or without content */
    uint32_t used;             /**< of joined */
    uint8_t overload;          /**< option 52 */
    bool is_overrun;           /**< one is longer than what was left */
    uint8_t joined[2048];
};

/**
 * Collect the options behind the fixed part, which `pdu` begins with, and those in `file` and
 * `server_name` if they are said to hold some. `pdu` is read to its end.
 */
void ft_dhcp_options_read(struct ft_dhcp_options *o, struct ft_view file,
                          struct ft_view server_name, struct ft_view *pdu);

/** The message type, 0 of BOOTP. */
uint8_t ft_dhcp_type(const struct ft_dhcp_options *o);

/** Are there options that only DHCP has, and not BOOTP? */
bool ft_dhcp_has_own(const struct ft_dhcp_options *o);

/** Put all options that have a field; tell of shell commands in texts. */
void ft_dhcp_options_put(struct ft_context *ctx, const struct ft_dhcp_options *o);

/** DHCP_V_INJECTION or DHCP_V_FUNCTION when the text is more than a name. */
void ft_dhcp_check_text(struct ft_context *ctx, struct ft_view text);

/** State what a client says of itself; `mac` is its address. */
void ft_dhcp_state_client(struct ft_context *ctx, const struct ft_dhcp_options *o,
                          struct ft_view mac, uint8_t type);

#endif
