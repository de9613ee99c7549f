/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the CIP dissector share: the numbers of its fields and violations, the
 * selectors under which EtherNet/IP hands over, and the functions of each file. Called from
 * dissect() only.
 */
#ifndef FT_CIP_H
#define FT_CIP_H

#include <fieldtap/dissector.h>

#include "cip_identity.h"
#include "cip_path.h"
#include "cip_tables.h"

/**
 * A selector says in its top 16 bits what the payload is, and in the others by what it is paired:
 *   FT_CIP_UNCONNECTED  hash of session handle and sender context
 *   FT_CIP_CONNECTED    connection id << 16 | sequence count
 *   FT_CIP_IO           connection id << 16 | low half of the encapsulation sequence number
 *   FT_CIP_CSP          hash of session and context; the payload is a PCCC command (CSPv4)
 */
enum ft_cip_selector {
    FT_CIP_UNCONNECTED = 0xb2,
    FT_CIP_CONNECTED = 0xb1,
    FT_CIP_IO = 0x8002,
    FT_CIP_CSP = 0x0101,
};

#define FT_CIP_SELECTOR(what, key) ((uint64_t)(what) << 48 | ((key)&0xffffffffffffull))

enum ft_cip_field {
    CIP_ROOT = 0,
    CIP_SERVICE,
    CIP_CLASS_NAME,
    CIP_INSTANCE,
    CIP_ATTRIBUTE,
    CIP_ELEMENT,
    CIP_CONNECTION_POINT,
    CIP_TAG,
    CIP_ROUTE,
    CIP_PRIVATE_CLASS,
    CIP_PATH,
    CIP_PATH_SEGMENT_TYPE,
    CIP_PATH_VALUE,
    CIP_PATH_TEXT,
    CIP_STATUS,
    CIP_STATUS_EXTENDED,
    CIP_STATUS_MEANING,
    CIP_REMAINING_PATH,
    CIP_EMBEDDED_INDEX,
    CIP_EMBEDDED_COUNT,
    CIP_TIMEOUT,
    CIP_ATTRIBUTES,
    CIP_ATTRIBUTES_ID,
    CIP_ATTRIBUTES_STATUS,
    CIP_ATTRIBUTES_VALUE,
    CIP_DATA_TYPE,
    CIP_STRUCTURE,
    CIP_COUNT,
    CIP_OFFSET,
    CIP_VALUES,
    CIP_VALUES_REAL,
    CIP_VALUE_TEXT,
    CIP_DATA,
    CIP_CONNECTION,
    CIP_CONNECTION_SERIAL,
    CIP_CONNECTION_VENDOR,
    CIP_CONNECTION_ORIGINATOR,
    CIP_CONNECTION_O2T_ID,
    CIP_CONNECTION_T2O_ID,
    CIP_CONNECTION_O2T_RPI,
    CIP_CONNECTION_T2O_RPI,
    CIP_CONNECTION_O2T_SIZE,
    CIP_CONNECTION_T2O_SIZE,
    CIP_CONNECTION_O2T_TYPE,
    CIP_CONNECTION_T2O_TYPE,
    CIP_CONNECTION_O2T_PRIORITY,
    CIP_CONNECTION_T2O_PRIORITY,
    CIP_CONNECTION_CLASS,
    CIP_CONNECTION_TRIGGER,
    CIP_CONNECTION_IS_SERVER,
    CIP_CONNECTION_MULTIPLIER,
    CIP_CONNECTION_IS_LARGE,
    CIP_CONNECTION_APPLICATION,
    CIP_CONNECTION_INSTANCE,
    CIP_CONNECTION_TAG,
    CIP_KEY,
    CIP_KEY_VENDOR,
    CIP_KEY_DEVICE_TYPE,
    CIP_KEY_PRODUCT_CODE,
    CIP_KEY_MAJOR,
    CIP_KEY_MINOR,
    CIP_KEY_COMPATIBLE,
    CIP_IDENTITY, /* and the rows of its group */
    CIP_IDENTITY_LAST = CIP_IDENTITY + FT_CIP_IDENTITY_FIELDS - 1,
    CIP_TCPIP,
    CIP_TCPIP_METHOD,
    CIP_TCPIP_ADDRESS,
    CIP_TCPIP_NETMASK,
    CIP_TCPIP_GATEWAY,
    CIP_TCPIP_DNS1,
    CIP_TCPIP_DNS2,
    CIP_TCPIP_DOMAIN,
    CIP_TCPIP_HOST_NAME,
    CIP_LINK,
    CIP_LINK_MAC,
    CIP_LINK_SPEED,
    CIP_LINK_CONTROL,
    CIP_PROJECT,
    CIP_PROJECT_NAME,
    CIP_PROJECT_DESCRIPTION,
    CIP_MODE_CHANGE,
    CIP_LOCK,
    CIP_LOCK_TARGET,
    CIP_RESET_TYPE,
    CIP_CLOCK,
    CIP_FIRMWARE,
    CIP_FIRMWARE_SIZE,
    CIP_FIRMWARE_OFFSET,
    CIP_FIRMWARE_BLOCK,
    CIP_PCCC,
    CIP_PCCC_VENDOR,
    CIP_PCCC_REQUESTER,
    CIP_PCCC_DESTINATION,
    CIP_PCCC_SOURCE,
    CIP_PCCC_CMD,
    CIP_PCCC_FNC,
    CIP_PCCC_STS,
    CIP_PCCC_EXT_STS,
    CIP_PCCC_TNS,
    CIP_PCCC_SIZE,
    CIP_PCCC_FILE_NO,
    CIP_PCCC_FILE_TYPE,
    CIP_PCCC_ELEMENT,
    CIP_PCCC_SUB_ELEMENT,
    CIP_PCCC_ADDRESS,
    CIP_PCCC_OFFSET,
    CIP_PCCC_MASK,
    CIP_PCCC_MODE,
    CIP_PCCC_CATALOG,
    CIP_PCCC_DATA,
    CIP_IO,
    CIP_IO_CONNECTION_ID,
    CIP_IO_SEQUENCE,
    CIP_IO_RUN,
    CIP_IO_SIZE,
    CIP_IO_RPI,
    CIP_IO_DATA,
    CIP_FIELDS
};

enum ft_cip_violation {
    CIP_SERVICE_FAILED = 0,
    CIP_SERVICE_ZERO,
    CIP_CLASS_ZERO,
    CIP_RESERVED_SEGMENT,
    CIP_UNEXPECTED_RESPONSE,
    CIP_REPLY_RESERVED,
    CIP_MULTIPLE_OFFSET,
    CIP_MULTIPLE_NESTED,
    CIP_TOO_DEEP,
    CIP_CONNECTION_TOO_LARGE,
    CIP_RPI_ZERO,
    CIP_DUPLICATE_CONNECTION,
    CIP_FRAGMENT_GAP,
    CIP_PCCC_DIRECTION,
    CIP_PCCC_FAILED,
    CIP_KEY_MISMATCH,
    CIP_DEVICE_FAULT,
    CIP_CONTROLLER_STOP,
    CIP_CONTROLLER_RESET,
    CIP_IO_IDLE,
    CIP_IO_JUMP,
    CIP_ACCESS_FAILED,
    CIP_VIOLATIONS
};

/** Services inside services that are followed. */
#define FT_CIP_MAX_DEPTH 4u

/** Where a service stands. */
struct ft_cip_where {
    uint64_t key;      /**< pairs requests with their responses */
    uint8_t depth;     /**< services around it */
    uint8_t multiples; /**< Multiple Service Packets around it */
    bool is_routed;    /**< inside an Unconnected Send */
    bool is_connected; /**< came over a connection */
    uint32_t index;    /**< in the Multiple Service Packet */
    uint32_t route_length;
    const char *route; /**< ports to the object's device, "" = the server itself */
};

enum ft_cip_keep_flag {
    FT_CIP_KEEP_ROUTED = 1,     /**< went through an Unconnected Send */
    FT_CIP_KEEP_ROUTE_LOST = 2, /**< the route is longer than there is room */
    FT_CIP_KEEP_SYMBOL = 4,     /**< addressed by symbol */
};

#define FT_CIP_KEEP_TEXT 44u

/** What a request leaves for its response. */
struct ft_cip_keep {
    uint8_t service;
    uint8_t flags; /**< enum ft_cip_keep_flag */
    uint16_t attribute;
    uint32_t class_id, instance;
    uint32_t offset; /**< of fragments */
    uint16_t count;
    uint8_t route_length, tag_length;
    char text[FT_CIP_KEEP_TEXT]; /**< route, then tag */
};

_Static_assert(sizeof(struct ft_cip_keep) <= FT_MAX_PAIR_KEEP, "kept with a request");

/** A service, read; given to whoever looks into its data. */
struct ft_cip_message {
    uint8_t service; /**< without the response bit */
    uint8_t status;  /**< of a response */
    bool is_response;
    bool is_addressed; /**< the device behind the message is known: facts may be stated */
    uint32_t class_id; /**< FT_ANY_QUALIFIER: not known */
    uint32_t instance, attribute;
    const struct ft_cip_path *path; /**< of a request */
    const struct ft_cip_keep *keep; /**< of a response: what its request left, or NULL */
};

/** Read one service, request or response, as the current message (cip.c). */
void ft_cip_service_read(struct ft_context *ctx, struct ft_view *v,
                         const struct ft_cip_where *where);

/** Derive the key of the `n`th thing inside. */
static inline uint64_t ft_cip_key_inside(uint64_t key, uint32_t n)
{
    uint64_t x = (key ^ (n + 1ull)) * 0x9e3779b97f4a7c15ull;
    return x ^ x >> 29;
}

/** Put the fields of a path; `tag` as composed by ft_cip_path_tag() (cip.c). */
void ft_cip_path_put(struct ft_context *ctx, const struct ft_cip_path *path, const char *tag,
                     uint32_t tag_length);

/** Read the data of a request or response that no carrier service has (cip_services.c). */
void ft_cip_data_read(struct ft_context *ctx, const struct ft_cip_message *m, struct ft_view *v);

/** FNV-1a of bytes, for keys of channels. */
uint64_t ft_cip_hash(struct ft_view bytes);

/* ---- connections (cip_connection.c) -------------------------------------------------------- */

/** State of one direction of a connection, and of the connection by its triad. */
struct ft_cip_connection {
    uint32_t o2t_id, t2o_id;
    uint32_t o2t_rpi, t2o_rpi; /**< microseconds */
    uint32_t originator;
    uint16_t serial, vendor;
    uint8_t is_known;  /**< the Forward Open's request was seen */
    uint8_t is_open;   /**< its success was seen */
    uint8_t role;      /**< enum ft_cip_connection_role */
    uint8_t transport; /**< transport class and trigger */
    uint32_t class_id, instance;
    uint64_t time_ns;      /**< I/O only: of the last packet */
    uint8_t is_resolved;   /**< I/O only: copied from the Forward Open's state */
    uint8_t is_header_out; /**< I/O only: data was seen that no run/idle header begins */
    uint8_t is_started;    /**< I/O only: `sequence` is set */
    uint8_t run;           /**< I/O only: last state of the header */
    uint32_t run_count;    /**< I/O only: packets in run without a break */
    uint16_t sequence;     /**< I/O only: low half of the last encapsulation sequence number */
    uint8_t route_length, tag_length;
    char route[64], tag[40];
};

enum ft_cip_connection_role {
    FT_CIP_ROLE_NONE = 0,
    FT_CIP_ROLE_O2T,   /**< originator to target: requests, outputs */
    FT_CIP_ROLE_T2O,   /**< target to originator */
    FT_CIP_ROLE_TRIAD, /**< by serial, vendor and originator */
};

_Static_assert(sizeof(struct ft_cip_connection) <= FT_MAX_CHANNEL_STATE, "a channel");

/** The connection of an id in that role, between these two hosts; NULL: not seen opening. */
struct ft_cip_connection *ft_cip_connection_find(struct ft_context *ctx, uint32_t id,
                                                 enum ft_cip_connection_role role);

/** Read the data of Forward Open, Large Forward Open and Forward Close. */
void ft_cip_connection_service(struct ft_context *ctx, const struct ft_cip_message *m,
                               struct ft_view *v);

/** Read the data of a class 0 or 1 connection, as the current message. */
void ft_cip_io_read(struct ft_context *ctx, struct ft_view *v);

/* ---- PCCC (cip_pccc.c) --------------------------------------------------------------------- */

/** Names of PCCC, for the table of fields. */
extern const struct ft_name ft_cip_pccc_cmd_names[];
extern const struct ft_name ft_cip_pccc_status_names[];
extern const struct ft_name ft_cip_pccc_ext_status_names[];
extern const struct ft_name ft_cip_pccc_file_names[];
extern const struct ft_name ft_cip_pccc_mode_names[];

/** Read DF1 nodes and PCCC message of CSPv4 as the current message. */
void ft_cip_pccc_csp_read(struct ft_context *ctx, struct ft_view *v, uint64_t key);

/** Read requester id and PCCC message of Execute PCCC, as a message of its own. */
void ft_cip_pccc_execute(struct ft_context *ctx, struct ft_view *v, uint64_t key, bool is_response,
                         bool is_addressed);

#endif
