/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the S7comm dissector share: numbers of the wire format, the fields, the state.
 *
 *   s7comm.c       the header, jobs and their answers
 *   s7_item.c      variables: their addresses and values
 *   s7_block.c     names and headers of program blocks
 *   s7_userdata.c  userdata: programmer, cyclic, block, CPU, security and time functions
 *   s7_szl.c       system status lists, and what they tell of the device
 *   s7_tables.c    fields, names, commands, violations, and the dissector's struct
 *
 * Everything here runs within dissect() of one message and obeys its rules.
 */
#ifndef FT_S7_H
#define FT_S7_H

#include <fieldtap/dissector.h>

#define S7_PROTOCOL_ID 0x32

enum s7_rosctr {
    S7_JOB = 1,
    S7_ACK = 2,
    S7_ACK_DATA = 3,
    S7_USERDATA = 7,
};

enum s7_function {
    S7_READ = 0x04,
    S7_WRITE = 0x05,
    S7_REQUEST_DOWNLOAD = 0x1a,
    S7_DOWNLOAD_BLOCK = 0x1b,
    S7_DOWNLOAD_ENDED = 0x1c,
    S7_START_UPLOAD = 0x1d,
    S7_UPLOAD = 0x1e,
    S7_END_UPLOAD = 0x1f,
    S7_PI_SERVICE = 0x28,
    S7_STOP = 0x29,
    S7_SETUP = 0xf0,
};

/*
 * Codes of commands: the function of a job; an answer whose job was not seen and that does not name
 * its function; userdata groups, with the subfunction as qualifier. The qualifier of a PI service
 * is its number in s7_pi_services, 0 for one that is not there.
 */
#define S7_CODE_ACK      0x600u
#define S7_CODE_USERDATA 0x700u

enum s7_group {
    S7_GROUP_MODE = 0x0,
    S7_GROUP_PROGRAMMER = 0x1,
    S7_GROUP_CYCLIC = 0x2,
    S7_GROUP_BLOCK = 0x3,
    S7_GROUP_CPU = 0x4,
    S7_GROUP_SECURITY = 0x5,
    S7_GROUP_PBC = 0x6,
    S7_GROUP_TIME = 0x7,
    S7_GROUP_NC = 0xf,
};

enum s7_cpu_function {
    S7_CPU_READ_SZL = 0x01,
    S7_CPU_MESSAGES = 0x02,
    S7_CPU_DIAGNOSTIC = 0x03,
    S7_CPU_ALARM_8 = 0x05,
    S7_CPU_NOTIFY = 0x06,
    S7_CPU_ALARM_LOCK = 0x07,
    S7_CPU_ALARM_UNLOCK = 0x08,
    S7_CPU_SCAN = 0x09,
    S7_CPU_ALARM_ACK = 0x0b,
    S7_CPU_ALARM_ACK_SEEN = 0x0c,
    S7_CPU_ALARM_LOCK_SEEN = 0x0d,
    S7_CPU_ALARM_UNLOCK_SEEN = 0x0e,
    S7_CPU_ALARM_SQ = 0x11,
    S7_CPU_ALARM_S = 0x12,
    S7_CPU_ALARM_QUERY = 0x13,
    S7_CPU_NOTIFY_8 = 0x16,
};

enum s7_syntax {
    S7_ANY = 0x10,
    S7_PBC_ID = 0x13,
    S7_ALARM_LOCK_FREE = 0x15,
    S7_ALARM_IND = 0x16,
    S7_ALARM_ACK = 0x19,
    S7_ALARM_QUERY = 0x1a,
    S7_NOTIFY_IND = 0x1c,
    S7_NCK = 0x82,
    S7_NCK_METRIC = 0x83,
    S7_NCK_INCH = 0x84,
    S7_DRIVE_ES = 0xa2,
    S7_DB_READ = 0xb0,
    S7_SYMBOLIC = 0xb2,
};

enum s7_area {
    S7_AREA_COUNTER = 0x1c,
    S7_AREA_TIMER = 0x1d,
    S7_AREA_COUNTER_200 = 0x1e,
    S7_AREA_TIMER_200 = 0x1f,
    S7_AREA_P = 0x80,
    S7_AREA_I = 0x81,
    S7_AREA_Q = 0x82,
    S7_AREA_M = 0x83,
    S7_AREA_DB = 0x84,
    S7_AREA_DI = 0x85,
    S7_AREA_L = 0x86,
    S7_AREA_V = 0x87,
};

/* Sizes of what an S7ANY item points at. */
enum s7_size {
    S7_BIT = 0x01,
    S7_BYTE = 0x02,
    S7_CHAR = 0x03,
    S7_WORD = 0x04,
    S7_INT = 0x05,
    S7_DWORD = 0x06,
    S7_DINT = 0x07,
    S7_REAL = 0x08,
};

/* Sizes in front of data; the length counts bits for the first three, else bytes. */
enum s7_data_size {
    S7_DATA_BIT = 3,
    S7_DATA_BYTE = 4,
    S7_DATA_INT = 5,
};

#define S7_DATA_OK 0xff /* return code of an item */

/* Operating modes as the field has them. */
enum s7_mode {
    S7_MODE_STOP_UPDATE = 1,
    S7_MODE_STOP_RESET = 2,
    S7_MODE_STOP_INITIALISING = 3,
    S7_MODE_STOP = 4,
    S7_MODE_WARM_RESTART = 5,
    S7_MODE_COLD_RESTART = 6,
    S7_MODE_HOT_RESTART = 7,
    S7_MODE_RUN = 8,
    S7_MODE_RUN_REDUNDANT = 9,
    S7_MODE_HOLD = 10,
    S7_MODE_LINK_UP = 11,
    S7_MODE_UPDATE = 12,
    S7_MODE_DEFECT = 13,
};

/** The fields of S7comm; the table is in s7_tables.c. */
enum s7_field {
    S7_ROOT,
    S7_F_ROSCTR,
    S7_F_REDUNDANCY_ID,
    S7_F_PDU_REF,
    S7_F_ERROR_CLASS,
    S7_F_ERROR,
    S7_F_FUNCTION,

    S7_F_MAX_CALLING,
    S7_F_MAX_CALLED,
    S7_F_PDU_SIZE,

    S7_F_ITEM_COUNT,
    S7_F_ITEMS,
    S7_F_ITEM_SYNTAX,
    S7_F_ITEM_ADDRESS,
    S7_F_ITEM_AREA,
    S7_F_ITEM_DB,
    S7_F_ITEM_BYTE,
    S7_F_ITEM_BIT,
    S7_F_ITEM_NUMBER,
    S7_F_ITEM_TYPE,
    S7_F_ITEM_ELEMENTS,
    S7_F_ITEM_NCK_AREA,
    S7_F_ITEM_NCK_UNIT,
    S7_F_ITEM_NCK_COLUMN,
    S7_F_ITEM_NCK_LINE,
    S7_F_ITEM_NCK_MODULE,
    S7_F_ITEM_PARAMETER,
    S7_F_ITEM_INDEX,
    S7_F_ITEM_CRC,
    S7_F_ITEM_R_ID,
    S7_F_ITEM_RESULT,
    S7_F_ITEM_DATA_TYPE,
    S7_F_ITEM_DATA,
    S7_F_ITEM_VALUE,

    S7_F_FILE,
    S7_F_BLOCK_TYPE,
    S7_F_BLOCK_NUMBER,
    S7_F_BLOCK_DESTINATION,
    S7_F_LOAD_SIZE,
    S7_F_CODE_SIZE,
    S7_F_UPLOAD_ID,
    S7_F_MORE,
    S7_F_BLOCK_DATA,
    S7_F_BLOCK_LANGUAGE,
    S7_F_BLOCK_PROTECTED,
    S7_F_BLOCK_CODE_TIME,
    S7_F_BLOCK_INTERFACE_TIME,
    S7_F_BLOCK_AUTHOR,
    S7_F_BLOCK_FAMILY,
    S7_F_BLOCK_NAME,
    S7_F_BLOCK_VERSION,
    S7_F_BLOCK_CHECKSUM,
    S7_F_BLOCKS,
    S7_F_BLOCKS_TYPE,
    S7_F_BLOCKS_COUNT,
    S7_F_BLOCKS_NUMBER,
    S7_F_BLOCKS_LANGUAGE,

    S7_F_PI_SERVICE,
    S7_F_PI_ARGUMENT,

    S7_F_UD_METHOD,
    S7_F_UD_TYPE,
    S7_F_UD_GROUP,
    S7_F_UD_SUBFUNCTION,
    S7_F_UD_SEQUENCE,
    S7_F_UD_UNIT,
    S7_F_UD_IS_LAST,
    S7_F_UD_RESULT,
    S7_F_UD_LENGTH,

    S7_F_MODE,
    S7_F_PREVIOUS_MODE,
    S7_F_PASSWORD,
    S7_F_PASSWORD_SEEN,
    S7_F_TIME,
    S7_F_JOB_ID,
    S7_F_INTERVAL,
    S7_F_TRIGGER,
    S7_F_EVENTS_WANTED,
    S7_F_USER,

    S7_F_SZL_ID,
    S7_F_SZL_INDEX,
    S7_F_SZL_RECORD_SIZE,
    S7_F_SZL_COUNT,
    S7_F_IDENTITIES,
    S7_F_IDENTITY_INDEX,
    S7_F_IDENTITY_ORDER,
    S7_F_IDENTITY_VERSION,
    S7_F_COMPONENTS,
    S7_F_COMPONENT_INDEX,
    S7_F_COMPONENT_TEXT,
    S7_F_LEVEL_KEY,
    S7_F_LEVEL_SET,
    S7_F_LEVEL,
    S7_F_SWITCH,
    S7_F_CHECKSUM_HARDWARE,
    S7_F_CHECKSUM_PROGRAM,
    S7_F_INTERFACES,
    S7_F_INTERFACE_IP,
    S7_F_INTERFACE_MASK,
    S7_F_INTERFACE_ROUTER,
    S7_F_INTERFACE_MAC,
    S7_F_MODULES,
    S7_F_MODULE_RACK,
    S7_F_MODULE_SLOT,
    S7_F_MODULE_ADDRESS,
    S7_F_MODULE_EXPECTED,
    S7_F_MODULE_ACTUAL,
    S7_F_MODULE_STATUS,
    S7_F_LEDS,
    S7_F_LED_ID,
    S7_F_LED_ON,
    S7_F_LED_BLINKS,
    S7_F_EVENTS,
    S7_F_EVENT_ID,
    S7_F_EVENT_PRIORITY,
    S7_F_EVENT_OB,
    S7_F_EVENT_INFO1,
    S7_F_EVENT_INFO2,
    S7_F_EVENT_TIME,

    S7_F_ALARM_COUNT,
    S7_F_ALARMS,
    S7_F_ALARM_SYNTAX,
    S7_F_ALARM_EVENT_ID,
    S7_F_ALARM_STATE,
    S7_F_ALARM_ACK_GOING,
    S7_F_ALARM_ACK_COMING,
    S7_F_ALARM_QUERY,
    S7_F_ALARM_TYPE,

    S7_FIELD_COUNT
};

/** Rows of the violations table. */
enum s7_violation {
    S7_V_ROSCTR,
    S7_V_REDUNDANCY_ID,
    S7_V_LENGTH,
    S7_V_ITEM_COUNT,
    S7_V_ITEM_LENGTH,
    S7_V_PDU_SIZE,
    S7_V_NO_SETUP,
    S7_V_NO_JOB,
    S7_V_TRANSFER,
    S7_V_STOP,
    S7_V_RESET,
    S7_V_SWITCH,
    S7_V_PASSWORD,
    S7_V_PROTECTED,
};

/** A PI service: its qualifier is its index. Index 0 is the one that is not known. */
struct s7_pi_service {
    const char *wire; /**< as on the wire */
    bool is_secret;   /**< its arguments hold a password */
};

extern const struct s7_pi_service s7_pi_services[];
extern const uint32_t s7_pi_service_count;

/** What a flow remembers. */
struct s7_flow {
    uint64_t open_units[4]; /**< userdata in parts: data unit references that are open */
    uint16_t pdu_size;      /**< agreed in the setup, 0 = not known */
    uint8_t is_setup_seen;
    uint8_t is_job_seen[2];   /**< jobs by direction: [0] to the server */
    uint8_t is_download_seen; /**< a download was requested */
    uint8_t is_upload_seen;   /**< an upload was requested */
    uint8_t is_block_open[2]; /**< a block is being collected: [0] download, [1] upload */
    uint8_t switch_position;  /**< of the mode switch, 0 = not known */
    uint8_t protection;       /**< level in force, 0 = not known */
};

_Static_assert(sizeof(struct s7_flow) <= FT_MAX_FLOW_STATE, "state of a flow");

/** One S7ANY item of a job, kept for its answer. */
struct s7_kept_item {
    uint8_t type;         /**< enum s7_size, 0: not an S7ANY item */
    uint8_t area;         /**< enum s7_area */
    uint8_t address_high; /**< bits 16 to 23 of the address: a byte << 3 and a bit, or a number */
    uint8_t reserved;
    uint16_t elements;
    uint16_t db;
    uint16_t address_low;
};

#define S7_KEPT_ITEMS 6u

/** What is kept with a request for its answer. */
struct s7_kept {
    uint8_t function;   /**< of a job */
    uint8_t count;      /**< items that are kept */
    uint16_t qualifier; /**< of a PI service */
    union {
        struct s7_kept_item items[S7_KEPT_ITEMS];
        struct {
            uint16_t id, index; /**< system status list asked for */
        } szl;
        struct {
            uint16_t type, number; /**< block that is transferred */
        } block;
    };
};

_Static_assert(sizeof(struct s7_kept) <= FT_MAX_PAIR_KEEP, "kept with a request");

/** The header of a PDU. */
struct s7_header {
    uint8_t rosctr;
    uint16_t redundancy_id;
    uint16_t reference;
    uint16_t error;       /**< class << 8 | code of an answer */
    uint32_t length;      /**< of the whole PDU */
    struct ft_view start; /**< at its first byte: evidence is read again from here */
};

/** Keys of ft_reassemble(): a block; userdata in parts, with the data unit reference. */
#define S7_KEY_BLOCK    0x200u
#define S7_KEY_USERDATA 0x100u

/** Key of a request and its answer in the flow. */
static inline uint64_t s7_pair_key(const struct s7_header *header)
{
    return (header->rosctr == S7_USERDATA ? 0x10000u : 0) | header->reference;
}

/* ---- s7comm.c ------------------------------------------------------------------------------ */

enum ft_verdict s7_probe(const struct ft_probe *where, struct ft_view payload);
void s7_dissect(struct ft_context *ctx, struct ft_view *pdu);

/** Put the fields of the header, after ft_command(). */
void s7_put_header(struct ft_context *ctx, const struct s7_header *header);

/** Violations that go with an error of the header or of userdata parameters. */
void s7_judge_error(struct ft_context *ctx, uint16_t error, const struct ft_view *at);

/* ---- s7_item.c ----------------------------------------------------------------------------- */

/**
 * Read `count` address items ("variable specifications") from `v`, put them, and keep the first of
 * them in `kept`. With `values` not NULL each item's data is read from there (a write).
 */
void s7_read_items(struct ft_context *ctx, struct ft_view *v, uint32_t count, struct s7_kept *kept,
                   struct ft_view *values);

/** Read `count` data items of an answer; `kept` is what was asked for, or NULL. */
void s7_read_results(struct ft_context *ctx, struct ft_view *v, uint32_t count,
                     const struct s7_kept *kept);

/** Read `count` return codes of a write; `kept` as above. */
void s7_read_return_codes(struct ft_context *ctx, struct ft_view *v, uint32_t count,
                          const struct s7_kept *kept);

/** Put one item by its address. The group of the item is open. */
void s7_put_item(struct ft_context *ctx, const struct s7_kept_item *item, const struct ft_view *at);

/** Read one value, data type and length before it, padded to even bytes unless `is_last`. */
void s7_read_value(struct ft_context *ctx, struct ft_view *v, bool is_last, bool is_result,
                   const struct s7_kept_item *item);

/* ---- s7_block.c ---------------------------------------------------------------------------- */

/**
 * Read the name of a block file: '_', type, number, destination (9 characters). The block goes to
 * `kept` unless that is NULL.
 */
void s7_read_file_name(struct ft_context *ctx, struct ft_view name, struct s7_kept *kept);

/** Read type (two characters) and number (five) of a block; `kept` as above. */
void s7_read_block_id(struct ft_context *ctx, struct ft_view *v, struct s7_kept *kept);

/**
 * Read the data of a download or upload answer, and the block when it is complete. `is_last`: no
 * more follows.
 */
void s7_read_block_data(struct ft_context *ctx, struct ft_view *data, bool is_last);

/** Read what "block info" tells of a block. */
void s7_read_block_info(struct ft_context *ctx, struct ft_view *v);

/** Take a decimal number of so many ASCII digits; 0 when there is another character. */
uint32_t s7_read_decimal(struct ft_view *v, uint32_t digits);

/** Put type (its two characters as a number) and number of a block. */
void s7_put_block(struct ft_context *ctx, uint16_t type, uint32_t number, const struct ft_view *at);

/** Nanoseconds since 1970 of days since 1984-01-01 and milliseconds of the day. */
uint64_t s7_time_1984(uint16_t days, uint32_t milliseconds);

/* ---- s7_userdata.c ------------------------------------------------------------------------- */

/** Read parameters and data of a userdata PDU whose header was read. */
void s7_read_userdata(struct ft_context *ctx, const struct s7_header *header,
                      struct ft_view *parameters, struct ft_view *data);

/**
 * Read a clock of 8 BCD bytes (DATE_AND_TIME): nanoseconds since 1970, 0 when it is no valid time.
 * The PLC's clock has no time zone; it is taken as UTC.
 */
uint64_t s7_read_clock(struct ft_view *v);

/** Read one event of the diagnostic buffer (20 bytes) into a group of events. */
void s7_read_event(struct ft_context *ctx, struct ft_view *v);

/* ---- s7_szl.c ------------------------------------------------------------------------------ */

/** Put the operating mode (enum of the field) and state it as a fact of the server. */
void s7_put_mode(struct ft_context *ctx, uint8_t mode, const struct ft_view *at);

/** Read a whole system status list answer: id, index, record size, count, records. */
void s7_read_szl(struct ft_context *ctx, struct ft_view *v);

#endif
