/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S7comm system status lists ("SZL"; Siemens, "System Software for S7-300/400, System and Standard
 * Functions"): what a controller tells about itself. The low byte of the id is the list, the high
 * byte the extract of it.
 */
#include <stdio.h>

#include "s7.h"

enum szl_list {
    SZL_MODULE_IDENTIFICATION = 0x11,
    SZL_LEDS = 0x19,
    SZL_COMPONENT_IDENTIFICATION = 0x1c,
    SZL_MODES = 0x24,
    SZL_COMMUNICATION_STATUS = 0x32,
    SZL_ETHERNET = 0x37,
    SZL_LEDS_REDUNDANT = 0x74,
    SZL_MODULE_STATUS = 0x91,
    SZL_DIAGNOSTIC_BUFFER = 0xa0,
};

#define SZL_ONLY_HEADER 0x0f /* extract that has no records */

enum identification {
    IDENTIFY_MODULE = 1,
    IDENTIFY_HARDWARE = 6,
    IDENTIFY_FIRMWARE = 7,
};

enum component {
    COMPONENT_STATION = 1,
    COMPONENT_MODULE = 2,
    COMPONENT_PLANT = 3,
    COMPONENT_SERIAL = 5,
    COMPONENT_TYPE = 7,
    COMPONENT_CARD = 8,
    COMPONENT_MANUFACTURER = 9,
    COMPONENT_OEM = 10,
    COMPONENT_LOCATION = 11,
};

/* How a record of each list begins to make sense: shorter ones are left alone. */
#define RECORD_MODULE_IDENTIFICATION 28u
#define RECORD_COMPONENT             34u
#define RECORD_MODES                 20u
#define RECORD_COMMUNICATION         24u
#define RECORD_ETHERNET              20u
#define RECORD_LEDS                  4u
#define RECORD_MODULE_STATUS         16u
#define RECORD_EVENT                 20u

#define PROTECTION_INDEX 4

/* Positions of the mode switch. */
enum mode_switch {
    SWITCH_RUN = 1,
    SWITCH_RUN_P = 2,
    SWITCH_STOP = 3,
    SWITCH_MRES = 4,
};

/* Without trailing blanks and zeros. */
static struct ft_view trim(struct ft_view text)
{
    uint32_t length = text.len;
    while (length && (text.data[length - 1] == ' ' || text.data[length - 1] == 0))
        length--;
    return ft_sub(&text, length);
}

static void tell(struct ft_context *ctx, enum ft_fact fact, struct ft_view text)
{
    text = trim(text);
    if (text.len)
        ft_asset(ctx, FT_SERVER, fact, text);
}

static const char *mode_text(uint8_t mode)
{
    switch (mode) {
    case S7_MODE_RUN:
    case S7_MODE_RUN_REDUNDANT:
        return "run";
    case S7_MODE_HOLD:
        return "hold";
    case S7_MODE_DEFECT:
        return "defect";
    case S7_MODE_WARM_RESTART:
    case S7_MODE_COLD_RESTART:
    case S7_MODE_HOT_RESTART:
        return "startup";
    case S7_MODE_LINK_UP:
    case S7_MODE_UPDATE:
        return "update";
    default:
        return mode ? "stop" : NULL;
    }
}

void s7_put_mode(struct ft_context *ctx, uint8_t mode, const struct ft_view *at)
{
    const char *text = mode_text(mode);
    ft_put_uint(ctx, S7_F_MODE, mode, at);
    if (text)
        ft_asset_text(ctx, FT_SERVER, FT_FACT_MODE, text);
}

/* ---- identity ------------------------------------------------------------------------------ */

/* 'V' and three numbers; or a version in the high word alone. */
static uint32_t version_text(char *text, size_t size, uint32_t version)
{
    if (version >> 24 == 'V')
        return (uint32_t)snprintf(text, size, "V%u.%u.%u", version >> 16 & 255, version >> 8 & 255,
                                  version & 255);
    return (uint32_t)snprintf(text, size, "%u", version >> 16);
}

static void read_identity(struct ft_context *ctx, struct ft_view *v)
{
    char text[24];
    ft_group_begin(ctx, S7_F_IDENTITIES);
    uint16_t index = ft_u16be(v);
    ft_put_uint(ctx, S7_F_IDENTITY_INDEX, index, v);
    struct ft_view order = ft_sub(v, 20);
    ft_put_string(ctx, S7_F_IDENTITY_ORDER, order);
    ft_skip(v, 2);
    uint32_t version = ft_u32be(v);
    uint32_t length = version_text(text, sizeof(text), version);
    if (version >> 16)
        ft_put_text(ctx, S7_F_IDENTITY_VERSION, text, length, v);
    ft_group_end(ctx, S7_F_IDENTITIES);

    if (index == IDENTIFY_MODULE) {
        tell(ctx, FT_FACT_MODEL, order);
        ft_asset_text(ctx, FT_SERVER, FT_FACT_VENDOR, "Siemens");
    }
    if (index == IDENTIFY_HARDWARE && version >> 16)
        ft_asset_text(ctx, FT_SERVER, FT_FACT_HARDWARE, text);
    if (index == IDENTIFY_FIRMWARE && version >> 16)
        ft_asset_text(ctx, FT_SERVER, FT_FACT_FIRMWARE, text);
}

static void read_component(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t index = ft_u16be(v);
    struct ft_view text = ft_sub(v, 32);

    ft_group_begin(ctx, S7_F_COMPONENTS);
    ft_put_uint(ctx, S7_F_COMPONENT_INDEX, index, NULL);
    if (index == COMPONENT_OEM)
        text = ft_sub(&text, 26); /* two numbers follow */
    if (index != COMPONENT_MANUFACTURER)
        ft_put_string(ctx, S7_F_COMPONENT_TEXT, text);
    ft_group_end(ctx, S7_F_COMPONENTS);

    switch (index) {
    case COMPONENT_STATION:
        tell(ctx, FT_FACT_NAME, text);
        break;
    case COMPONENT_SERIAL:
        tell(ctx, FT_FACT_SERIAL, text);
        break;
    case COMPONENT_TYPE:
        tell(ctx, FT_FACT_DESCRIPTION, text);
        break;
    case COMPONENT_PLANT:
    case COMPONENT_LOCATION:
        tell(ctx, FT_FACT_LOCATION, text);
        break;
    default:
        break;
    }
}

/* ---- state --------------------------------------------------------------------------------- */

/* Event, cause, mode now and before in one byte, start information, clock. */
static void read_modes(struct ft_context *ctx, struct ft_view *v)
{
    static const uint8_t modes[16] = {
        [1] = S7_MODE_STOP_UPDATE, [2] = S7_MODE_STOP_RESET,    [3] = S7_MODE_STOP_INITIALISING,
        [4] = S7_MODE_STOP,        [5] = S7_MODE_WARM_RESTART,  [7] = S7_MODE_HOT_RESTART,
        [8] = S7_MODE_RUN,         [9] = S7_MODE_RUN_REDUNDANT, [10] = S7_MODE_HOLD,
        [11] = S7_MODE_LINK_UP,    [12] = S7_MODE_UPDATE,       [13] = S7_MODE_DEFECT,
    };
    ft_skip(v, 3);
    uint8_t mode = ft_u8(v);
    if (modes[mode & 15])
        s7_put_mode(ctx, modes[mode & 15], v);
    if (modes[mode >> 4])
        ft_put_uint(ctx, S7_F_PREVIOUS_MODE, modes[mode >> 4], v);
}

static void tell_protection(struct ft_context *ctx, uint16_t level, uint16_t position)
{
    static const char *const positions[] = {[SWITCH_RUN] = "run",
                                            [SWITCH_RUN_P] = "run_p",
                                            [SWITCH_STOP] = "stop",
                                            [SWITCH_MRES] = "mres"};
    char text[48];
    if (level < 1 || level > 3)
        return;
    if (position >= SWITCH_RUN && position <= SWITCH_MRES)
        snprintf(text, sizeof(text), "level %u, switch %s", level, positions[position]);
    else
        snprintf(text, sizeof(text), "level %u", level);
    ft_asset_text(ctx, FT_SERVER, FT_FACT_PROTECTION, text);
}

/*
 * A connection has one processor at its end, so what it said before is of the same one: the switch
 * left RUN, or the protection went down.
 */
static void judge_protection(struct ft_context *ctx, uint16_t level, uint16_t position,
                             const struct ft_view *at)
{
    struct s7_flow *flow = ctx->flow_state;
    bool is_unlocked = flow->switch_position == SWITCH_RUN && position > SWITCH_RUN;
    if (is_unlocked || (level && level < flow->protection))
        ft_violation(ctx, S7_V_SWITCH, at);
    flow->switch_position = position <= SWITCH_MRES ? (uint8_t)position : 0;
    flow->protection = level <= 3 ? (uint8_t)level : 0;
}

/* Index 4: protection levels, mode switch, checksums of configuration and program. */
static void read_protection(struct ft_context *ctx, struct ft_view *v)
{
    if (ft_u16be(v) != PROTECTION_INDEX)
        return;
    ft_put_uint(ctx, S7_F_LEVEL_KEY, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_LEVEL_SET, ft_u16be(v), v);
    uint16_t level = ft_u16be(v);
    ft_put_uint(ctx, S7_F_LEVEL, level, v);
    uint16_t position = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SWITCH, position, v);
    judge_protection(ctx, level, position, v);
    ft_skip(v, 6);
    ft_put_uint(ctx, S7_F_CHECKSUM_HARDWARE, ft_u32be(v), v);
    ft_put_uint(ctx, S7_F_CHECKSUM_PROGRAM, ft_u32be(v), v);
    tell_protection(ctx, level, position);
}

static void read_interface(struct ft_context *ctx, struct ft_view *v)
{
    ft_skip(v, 2);
    struct ft_view copy = *v;
    struct ft_view ip = ft_sub(&copy, 4);
    ft_group_begin(ctx, S7_F_INTERFACES);
    uint32_t address = ft_u32be(v);
    ft_put_uint(ctx, S7_F_INTERFACE_IP, address, v);
    ft_put_uint(ctx, S7_F_INTERFACE_MASK, ft_u32be(v), v);
    ft_put_uint(ctx, S7_F_INTERFACE_ROUTER, ft_u32be(v), v);
    struct ft_view mac = ft_sub(v, 6);
    ft_put_bytes(ctx, S7_F_INTERFACE_MAC, mac);
    ft_group_end(ctx, S7_F_INTERFACES);
    if (address)
        ft_asset_address(ctx, ip, mac);
}

static void read_led(struct ft_context *ctx, struct ft_view *v)
{
    ft_group_begin(ctx, S7_F_LEDS);
    ft_put_uint(ctx, S7_F_LED_ID, ft_u16be(v), v);
    ft_put_bool(ctx, S7_F_LED_ON, ft_u8(v) & 1, v);
    ft_put_uint(ctx, S7_F_LED_BLINKS, ft_u8(v), v);
    ft_group_end(ctx, S7_F_LEDS);
}

/*
 * What is plugged into a slot of a central rack; parts of a module have a subslot. The processor
 * (a type below 256) describes itself better in other lists.
 */
static void tell_module(struct ft_context *ctx, uint32_t rack, uint16_t place, uint16_t type)
{
    char text[24];
    snprintf(text, sizeof(text), "module type %04x", type);
    if (!(place & 255) && type > 255)
        ft_asset_behind(ctx, FT_SERVER, FT_SUB_SLOT, rack << 8 | place >> 8, FT_FACT_DESCRIPTION,
                        text);
}

/*
 * A module: rack (a number below 256; else a station of a bus), slot and subslot, address, types
 * configured and plugged in, status (bit 1: it exists).
 */
static void read_module(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t rack = ft_u16be(v);
    uint16_t place = ft_u16be(v);

    ft_group_begin(ctx, S7_F_MODULES);
    if (rack < 256) {
        ft_put_uint(ctx, S7_F_MODULE_RACK, rack, v);
        ft_put_uint(ctx, S7_F_MODULE_SLOT, place >> 8, v);
    }
    ft_put_uint(ctx, S7_F_MODULE_ADDRESS, ft_u16be(v), v);
    ft_put_uint(ctx, S7_F_MODULE_EXPECTED, ft_u16be(v), v);
    uint16_t type = ft_u16be(v);
    ft_put_uint(ctx, S7_F_MODULE_ACTUAL, type, v);
    ft_skip(v, 2);
    uint16_t status = ft_u16be(v);
    ft_put_uint(ctx, S7_F_MODULE_STATUS, status, v);
    ft_group_end(ctx, S7_F_MODULES);
    if (rack < 256 && status & 2)
        tell_module(ctx, rack, place, type);
}

struct szl_reader {
    uint8_t list;
    uint8_t size; /* of the shortest record that makes sense */
    void (*read)(struct ft_context *ctx, struct ft_view *record);
};

static const struct szl_reader *find_reader(uint16_t id, uint32_t size)
{
    static const struct szl_reader readers[] = {
        {SZL_MODULE_IDENTIFICATION, RECORD_MODULE_IDENTIFICATION, read_identity},
        {SZL_LEDS, RECORD_LEDS, read_led},
        {SZL_COMPONENT_IDENTIFICATION, RECORD_COMPONENT, read_component},
        {SZL_MODES, RECORD_MODES, read_modes},
        {SZL_COMMUNICATION_STATUS, RECORD_COMMUNICATION, read_protection},
        {SZL_ETHERNET, RECORD_ETHERNET, read_interface},
        {SZL_LEDS_REDUNDANT, RECORD_LEDS, read_led},
        {SZL_MODULE_STATUS, RECORD_MODULE_STATUS, read_module},
        {SZL_DIAGNOSTIC_BUFFER, RECORD_EVENT, s7_read_event},
    };
    for (uint32_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (readers[i].list == (id & 255) && size >= readers[i].size)
            return &readers[i];
    return NULL;
}

void s7_read_szl(struct ft_context *ctx, struct ft_view *v)
{
    uint16_t id = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SZL_ID, id, v);
    ft_put_uint(ctx, S7_F_SZL_INDEX, ft_u16be(v), v);
    uint32_t size = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SZL_RECORD_SIZE, size, v);
    uint32_t count = ft_u16be(v);
    ft_put_uint(ctx, S7_F_SZL_COUNT, count, v);

    const struct szl_reader *reader = find_reader(id, size);
    if (!reader || (id >> 8 & 15) == SZL_ONLY_HEADER)
        return;
    uint32_t n = ft_count(v, count, size);
    for (uint32_t i = 0; i < n && v->len >= size; i++) {
        struct ft_view record = ft_sub(v, size);
        reader->read(ctx, &record);
    }
}
