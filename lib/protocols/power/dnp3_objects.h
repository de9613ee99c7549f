/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNP3: what the files of the dissector share. dnp3.c reads link, transport and application
 * headers; dnp3_objects.c walks the object headers and reads points; dnp3_files.c (group 70) and
 * dnp3_auth.c (group 120) read the two groups that are protocols of their own; dnp3_tables.c holds
 * the rows.
 */
#ifndef FT_DNP3_OBJECTS_H
#define FT_DNP3_OBJECTS_H

#include <fieldtap/dissector.h>

/** Application function codes that the code asks for by name (IEEE 1815, 4.2.2.5). */
enum ft_dnp3_function {
    DNP3_CONFIRM = 0,
    DNP3_READ = 1,
    DNP3_WRITE = 2,
    DNP3_SELECT = 3,
    DNP3_OPERATE = 4,
    DNP3_DIRECT_OPERATE = 5,
    DNP3_DIRECT_OPERATE_NO_ACK = 6,
    DNP3_FREEZE = 7,
    DNP3_FREEZE_NO_ACK = 8,
    DNP3_FREEZE_CLEAR = 9,
    DNP3_FREEZE_CLEAR_NO_ACK = 10,
    DNP3_FREEZE_AT_TIME = 11,
    DNP3_FREEZE_AT_TIME_NO_ACK = 12,
    DNP3_COLD_RESTART = 13,
    DNP3_WARM_RESTART = 14,
    DNP3_INITIALIZE_DATA = 15,
    DNP3_STOP_APPLICATION = 18,
    DNP3_SAVE_CONFIGURATION = 19,
    DNP3_ENABLE_UNSOLICITED = 20,
    DNP3_DISABLE_UNSOLICITED = 21,
    DNP3_ASSIGN_CLASS = 22,
    DNP3_DELAY_MEASUREMENT = 23,
    DNP3_RECORD_TIME = 24,
    DNP3_OPEN_FILE = 25,
    DNP3_DELETE_FILE = 27,
    DNP3_ACTIVATE_CONFIGURATION = 31,
    DNP3_AUTHENTICATE = 32,
    DNP3_AUTHENTICATE_NO_ACK = 33,
    DNP3_RESPONSE = 129,
    DNP3_UNSOLICITED = 130,
    DNP3_AUTHENTICATE_RESPONSE = 131,
};

/** Bit of a command code that tells a link function without user data from an application one. */
#define DNP3_LINK_COMMAND 0x100u

/** Qualifier of a read or write without any object (no group has that number). */
#define DNP3_NO_GROUP 255u

/** Rows of ft_dnp3_fields. */
enum ft_dnp3_field {
    DNP3_ROOT = 0,
    DNP3_F_SRC,
    DNP3_F_DST,
    DNP3_F_TYPE,
    DNP3_F_BROADCAST,
    DNP3_F_CRC_OK,
    DNP3_F_LENGTH,

    DNP3_F_CONTROL,
    DNP3_F_DIR,
    DNP3_F_PRI,
    DNP3_F_FCB,
    DNP3_F_FCV,
    DNP3_F_LINK_FUNCTION_CODE,
    DNP3_F_LINK_FUNCTION,

    DNP3_F_TRANSPORT,
    DNP3_F_TRANSPORT_FIR,
    DNP3_F_TRANSPORT_FIN,
    DNP3_F_TRANSPORT_SEQUENCE,

    DNP3_F_APPLICATION,
    DNP3_F_APP_CONTROL,
    DNP3_F_APP_FIR,
    DNP3_F_APP_FIN,
    DNP3_F_APP_CON,
    DNP3_F_APP_UNS,
    DNP3_F_APP_SEQUENCE,
    DNP3_F_FUNCTION,
    DNP3_F_REQUEST_FUNCTION,
    DNP3_F_COMPLETE,

    DNP3_F_IIN,
    DNP3_F_INDICATORS,

    DNP3_F_OBJECT,
    DNP3_F_GROUP,
    DNP3_F_VARIATION,
    DNP3_F_QUALIFIER,
    DNP3_F_PREFIX_CODE,
    DNP3_F_RANGE_CODE,
    DNP3_F_START,
    DNP3_F_STOP,
    DNP3_F_COUNT,

    DNP3_F_POINT,
    DNP3_F_PREFIX,
    DNP3_F_INDEX,
    DNP3_F_STATE,
    DNP3_F_VALUE,
    DNP3_F_FLAGS,
    DNP3_F_STATUS,
    DNP3_F_TIME,
    DNP3_F_RELATIVE_MS,
    DNP3_F_DELAY_MS,
    DNP3_F_OP_TYPE,
    DNP3_F_OPERATION,
    DNP3_F_QU,
    DNP3_F_CR,
    DNP3_F_TCC,
    DNP3_F_TRIP_CLOSE,
    DNP3_F_OP_COUNT,
    DNP3_F_ONTIME,
    DNP3_F_OFFTIME,
    DNP3_F_INTERVAL,
    DNP3_F_INTERVAL_UNITS,
    DNP3_F_ASSOCIATION,
    DNP3_F_FILL,
    DNP3_F_BUFFER_GROUP,
    DNP3_F_BUFFER_VARIATION,
    DNP3_F_ATTRIBUTE,
    DNP3_F_TEXT,
    DNP3_F_OCTETS,

    DNP3_F_FILE,
    DNP3_F_FILE_NAME,
    DNP3_F_FILE_MODE,
    DNP3_F_FILE_TYPE,
    DNP3_F_FILE_HANDLE,
    DNP3_F_FILE_SIZE,
    DNP3_F_FILE_CREATED,
    DNP3_F_FILE_PERMISSIONS,
    DNP3_F_FILE_MAX_BLOCK,
    DNP3_F_FILE_REQUEST_ID,
    DNP3_F_FILE_STATUS,
    DNP3_F_FILE_BLOCK,
    DNP3_F_FILE_IS_LAST,
    DNP3_F_FILE_DATA_LENGTH,
    DNP3_F_FILE_TEXT,
    DNP3_F_FILE_USER,
    DNP3_F_FILE_PASSWORD,

    DNP3_F_AUTH,
    DNP3_F_AUTH_SEQUENCE,
    DNP3_F_AUTH_USER,
    DNP3_F_AUTH_MAC_ALGORITHM,
    DNP3_F_AUTH_REASON,
    DNP3_F_AUTH_KEY_WRAP,
    DNP3_F_AUTH_KEY_STATUS,
    DNP3_F_AUTH_ERROR,
    DNP3_F_AUTH_ASSOCIATION,
    DNP3_F_AUTH_TIME,
    DNP3_F_AUTH_TEXT,
    DNP3_F_AUTH_METHOD,
    DNP3_F_AUTH_OPERATION,
    DNP3_F_AUTH_STATUS_SEQUENCE,
    DNP3_F_AUTH_ROLE,
    DNP3_F_AUTH_ROLE_EXPIRY,
    DNP3_F_AUTH_NAME,
    DNP3_F_AUTH_CHALLENGE,
    DNP3_F_AUTH_MAC,
    DNP3_F_FIELDS
};

/** Number of rows of ft_dnp3_commands. */
#define DNP3_COMMANDS 68u

/** Rows of ft_dnp3_violations. */
enum ft_dnp3_violation {
    DNP3_V_HEADER_CRC = 0,
    DNP3_V_BLOCK_CRC,
    DNP3_V_LINK_LENGTH,
    DNP3_V_LINK_FUNCTION,
    DNP3_V_LINK_FCV,
    DNP3_V_LINK_USER_DATA,
    DNP3_V_RESERVED_ADDRESS,
    DNP3_V_TRANSPORT_SEQUENCE,
    DNP3_V_TRANSPORT_RESTART,
    DNP3_V_APPLICATION_SHORT,
    DNP3_V_RESERVED_FUNCTION,
    DNP3_V_ILLEGAL_OPERATION,
    DNP3_V_UNSOLICITED_BIT,
    DNP3_V_MASTER_CONFIRM,
    DNP3_V_INITIALIZE_DATA,
    DNP3_V_SAVE_CONFIGURATION,
    DNP3_V_BROADCAST_COMMAND,
    DNP3_V_UNEXPECTED_OBJECTS,
    DNP3_V_QUALIFIER,
    DNP3_V_RANGE,
    DNP3_V_OBJECT_UNKNOWN,
    DNP3_V_OBJECT_DATA,
    DNP3_V_CONTROL_CODE,
    DNP3_V_OUTSTATION_FORMAT,
    DNP3_V_OPERATE_WITHOUT_SELECT,
    DNP3_V_IIN_FUNCTION,
    DNP3_V_IIN_OBJECT,
    DNP3_V_IIN_PARAMETER,
    DNP3_V_IIN_RESERVED,
    DNP3_V_IIN_OVERFLOW,
    DNP3_V_IIN_CONFIG_CORRUPT,
    DNP3_V_IIN_TROUBLE,
    DNP3_V_IIN_RESTART,
    DNP3_V_CONFIG_CHANGED,
    DNP3_V_AUTH_ERROR,
    DNP3_V_USER_CHANGE,
    DNP3_V_CLEARTEXT_PASSWORD,
    DNP3_V_FILE_WRITE,
    DNP3_V_FILE_DELETE,
    DNP3_V_COUNT
};

/**
 * State of a pair of link addresses: the channel. The one of the flow holds all but what outlives a
 * connection: `iin` (a copy) and `config_hash` are those of the host pair's. Index 0 outstation,
 * 1 master.
 */
struct ft_dnp3_pair {
    uint8_t is_open[2];      /**< a transport unit has begun and not ended */
    uint8_t sequence[2];     /**< of the last transport segment */
    uint8_t has_iin;         /**< iin is that of an earlier response */
    uint8_t has_requests;    /**< a request was seen before: what follows can be judged by it */
    uint8_t has_select;      /**< the last request was a select */
    uint8_t select_sequence; /**< application sequence of that select */
    uint16_t iin;            /**< IIN1 << 8 | IIN2 of the last response */
    uint8_t has_roles;       /**< the roles of both were stated */
    uint8_t reserved[5];
    uint64_t select_hash;    /**< of the objects of that select */
    uint64_t config_hash[2]; /**< of the attributes configuration id and version; 0 = not seen */
};

/** One application fragment while it is read. */
struct ft_dnp3_fragment {
    uint64_t pair_key; /**< of the channels of the two stations */
    uint8_t function;
    bool is_from_master;
    bool is_complete;     /**< all objects were read */
    bool is_format_told;  /**< DNP3_V_OUTSTATION_FORMAT was raised */
    bool has_common_time; /**< a common time of occurrence (group 51) came before */
    uint64_t common_time_ms;
};

/** One object header. */
struct ft_dnp3_object {
    uint8_t group, variation;
    uint8_t prefix_code; /**< 0 none, 1-3 index of 1, 2, 4 octets, 4-6 size of 1, 2, 4 octets */
    uint8_t range_code;
    bool is_all;    /**< range code 6: no range */
    uint32_t start; /**< index of the first point; 0 when the points carry theirs */
    uint64_t count; /**< points that the range announces */
};

extern const struct ft_field ft_dnp3_fields[DNP3_F_FIELDS];
extern const struct ft_violation ft_dnp3_violations[DNP3_V_COUNT];
extern const struct ft_command ft_dnp3_commands[DNP3_COMMANDS];

/** Milliseconds since 1970 as they are on the wire -> nanoseconds; saturates in the year 2554. */
uint64_t ft_dnp3_time(uint64_t milliseconds);

/** Raise a violation of form; one by an outstation counts as its improper formatting too. */
void ft_dnp3_bad_format(struct ft_context *ctx, struct ft_dnp3_fragment *fragment,
                        uint32_t violation, const struct ft_view *at);

/**
 * Walk the object headers of a fragment to the end of `v`, put what is wanted, raise what is wrong
 * (IEEE 1815, 4.2.2.7 and annex A). Headers are always walked; points only when somebody wants
 * them or when they can be wrong or name something.
 */
void ft_dnp3_objects(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, struct ft_view *v);

/** Read one object of group 70 (files), `variation` 2 to 8, of exactly the bytes of `v`. */
void ft_dnp3_file(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, uint8_t variation,
                  struct ft_view v);

/** Read one object of group 120 (secure authentication), variation 1 to 15. */
void ft_dnp3_auth(struct ft_context *ctx, struct ft_dnp3_fragment *fragment, uint8_t variation,
                  struct ft_view v);

#endif
