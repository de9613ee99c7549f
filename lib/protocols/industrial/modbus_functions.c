/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of each Modbus function before its PDU is read: names, category, lengths of request
 * and response, and from these which of the two a PDU can be.
 */
#include "modbus_pdu.h"

enum {
    COILS_READ = 2000,
    REGISTERS_READ = 125,
    DIAGNOSTICS = 8,
    MEI = 43,
    MEI_CANOPEN = 13,
    MEI_DEVICE_ID = 14,
};

/* What EVE calls access type: bits, named by their combinations. */
enum access {
    READS = 1,
    WRITES = 2,
    DISCRETES = 4,
    COILS = 8,
    INPUT = 16,
    HOLDING = 32,
    SINGLE = 64,
    MULTIPLE = 128,
};

#define PUBLIC   FT_MODBUS_PUBLIC_ASSIGNED
#define RESERVED FT_MODBUS_RESERVED

/* Length of a PDU: fixed, plus the byte at count_at unless that is 0. fixed 0: no rule. */
struct length {
    uint8_t fixed;
    uint8_t count_at;
};

struct function {
    struct length request, response;
    uint8_t access;
    uint8_t category;
};

/* clang-format off */
static const struct function functions[128] = {
    [1]  = {{5, 0}, {2, 1}, READS | COILS, PUBLIC},
    [2]  = {{5, 0}, {2, 1}, READS | DISCRETES, PUBLIC},
    [3]  = {{5, 0}, {2, 1}, READS | HOLDING, PUBLIC},
    [4]  = {{5, 0}, {2, 1}, READS | INPUT, PUBLIC},
    [5]  = {{5, 0}, {5, 0}, WRITES | COILS | SINGLE, PUBLIC},
    [6]  = {{5, 0}, {5, 0}, WRITES | HOLDING | SINGLE, PUBLIC},
    [7]  = {{1, 0}, {2, 0}, 0, PUBLIC},
    [8]  = {{5, 0}, {5, 0}, 0, PUBLIC},
    [9]  = {.category = RESERVED},
    [10] = {.category = RESERVED},
    [11] = {{1, 0}, {5, 0}, 0, PUBLIC},
    [12] = {{1, 0}, {2, 1}, 0, PUBLIC},
    [13] = {.category = RESERVED},
    [14] = {.category = RESERVED},
    [15] = {{6, 5}, {5, 0}, WRITES | COILS | MULTIPLE, PUBLIC},
    [16] = {{6, 5}, {5, 0}, WRITES | HOLDING | MULTIPLE, PUBLIC},
    [17] = {{1, 0}, {2, 1}, 0, PUBLIC},
    [18] = {.category = RESERVED},
    [19] = {.category = RESERVED},
    [20] = {{2, 1}, {2, 1}, 0, PUBLIC},
    [21] = {{2, 1}, {2, 1}, 0, PUBLIC},
    [22] = {{7, 0}, {7, 0}, WRITES | HOLDING, PUBLIC},
    [23] = {{10, 9}, {2, 1}, READS | WRITES | HOLDING | MULTIPLE, PUBLIC},
    [24] = {{3, 0}, {3, 2}, 0, PUBLIC},
    [40] = {.category = RESERVED},
    [41] = {.category = RESERVED},
    [42] = {.category = RESERVED},
    [MEI] = {.category = PUBLIC},
    [FT_MODBUS_UMAS] = {.category = RESERVED},
    [91] = {.category = RESERVED},
    [125] = {.category = RESERVED},
    [126] = {.category = RESERVED},
    [127] = {.category = RESERVED},
};

const struct ft_name ft_modbus_function_names[] = {
    {1, "RdCoils"}, {2, "RdDiscreteInputs"}, {3, "RdHoldRegs"}, {4, "RdInputRegs"},
    {5, "WrSingleCoil"}, {6, "WrSingleReg"}, {7, "RdExcStatus"}, {8, "Diagnostic"},
    {9, "Program484"}, {10, "Poll484"}, {11, "GetCommEventCtr"}, {12, "GetCommEventLog"},
    {13, "ProgramController"}, {14, "PollController"}, {15, "WrMultCoils"}, {16, "WrMultRegs"},
    {17, "ReportServerID"}, {18, "Program884"}, {19, "ResetCommLink"}, {20, "RdFileRec"},
    {21, "WrFileRec"}, {22, "MaskWrReg"}, {23, "RdWrMultRegs"}, {24, "RdFIFOQueue"},
    {40, "ProgramConcept"}, {43, "MEI"}, {90, "UMAS"}, {125, "FirmwareReplacement"},
    {126, "ProgramModicon"}, {127, "ReportLocalAddress"}, {0, NULL},
};

const struct ft_name ft_modbus_access_names[] = {
    {READS | COILS, "READ | COILS"},
    {READS | DISCRETES, "READ | DISCRETES"},
    {READS | HOLDING, "READ | HOLDING"},
    {READS | INPUT, "READ | INPUT"},
    {WRITES | COILS | SINGLE, "WRITE | COILS | SINGLE"},
    {WRITES | HOLDING | SINGLE, "WRITE | HOLDING | SINGLE"},
    {WRITES | COILS | MULTIPLE, "WRITE | COILS | MULTIPLE"},
    {WRITES | HOLDING | MULTIPLE, "WRITE | HOLDING | MULTIPLE"},
    {WRITES | HOLDING, "WRITE | HOLDING"},
    {READS | WRITES | HOLDING | MULTIPLE, "READ | WRITE | HOLDING | MULTIPLE"},
    {0, NULL},
};

const struct ft_name ft_modbus_category_names[] = {
    {PUBLIC, "PUBLIC_ASSIGNED"}, {FT_MODBUS_PUBLIC_UNASSIGNED, "PUBLIC_UNASSIGNED"},
    {FT_MODBUS_USER_DEFINED, "USER_DEFINED"}, {RESERVED, "RESERVED"}, {0, NULL},
};

const struct ft_name ft_modbus_diagnostic_names[] = {
    {0, "RetQueryData"}, {1, "RestartCommOpt"}, {2, "RetDiagReg"}, {3, "ChangeInputDelimiter"},
    {4, "ForceListenOnlyMode"}, {10, "ClearCtrDiagReg"}, {11, "RetBusMsgCount"},
    {12, "RetBusCommErrCount"}, {13, "RetBusExcErrCount"}, {14, "RetServerMsgCount"},
    {15, "RetServerNoRespCount"}, {16, "RetServerNAKCount"}, {17, "RetServerBusyCount"},
    {18, "RetBusCharOverrunCount"}, {19, "RetOverrunErrCount"}, {20, "ClearOverrunCounterFlag"},
    {21, "GetClearPlusStats"}, {0, NULL},
};

const struct ft_name ft_modbus_mei_names[] = {
    {MEI_CANOPEN, "CANOpenGenRefReqResp"}, {MEI_DEVICE_ID, "RdDevId"}, {0, NULL},
};

const struct ft_name ft_modbus_exception_names[] = {
    {1, "IllegalFunction"}, {2, "IllegalDataAddr"}, {3, "IllegalDataValue"},
    {4, "ServerDeviceFail"}, {5, "Ack"}, {6, "ServerDeviceBusy"}, {7, "NegAck"},
    {8, "MemParityErr"}, {10, "GatewayPathUnavailable"}, {11, "GatewayTargetFailToResp"},
    {0, NULL},
};

const struct ft_name ft_modbus_run_names[] = {
    {0x00, "off"}, {0xFF, "on"}, {0, NULL},
};

const struct ft_name ft_modbus_read_code_names[] = {
    {1, "basic"}, {2, "regular"}, {3, "extended"}, {4, "individual"}, {0, NULL},
};

const struct ft_name ft_modbus_conformity_names[] = {
    {0x01, "basic_stream"}, {0x02, "regular_stream"}, {0x03, "extended_stream"},
    {0x81, "basic"}, {0x82, "regular"}, {0x83, "extended"}, {0, NULL},
};
/* clang-format on */

/* ---- lengths and shapes --------------------------------------------------------------------- */

static int32_t device_id_length(const struct ft_view *stream, bool is_request)
{
    if (is_request)
        return 4;
    if (stream->len < 7)
        return -7;

    struct ft_view v = *stream;
    ft_skip(&v, 6);
    uint32_t length = 7;
    for (uint32_t left = ft_u8(&v); left; left--) {
        ft_skip(&v, 1);
        uint32_t size = ft_u8(&v);
        length += 2 + size;
        if (length > FT_MODBUS_MAX_PDU)
            return 0;
        if (!ft_view_ok(&v) || !ft_skip(&v, size))
            return -(int32_t)length;
    }
    return (int32_t)length;
}

int32_t ft_modbus_length(const struct ft_view *stream, bool is_request)
{
    if (!stream->len)
        return -1;
    int function = ft_peek_u8(stream, 0);
    if (function & FT_MODBUS_EXCEPTION_BIT)
        return is_request ? 0 : 2;

    if (function == MEI) {
        int mei = ft_peek_u8(stream, 1);
        return mei < 0 ? -2 : mei == MEI_DEVICE_ID ? device_id_length(stream, is_request) : 0;
    }
    const struct function *f = &functions[function];
    struct length rule = is_request ? f->request : f->response;
    if (!rule.count_at)
        return rule.fixed;
    int count = ft_peek_u8(stream, rule.count_at);
    return count < 0 ? -(rule.count_at + 1) : rule.fixed + count;
}

/* A read request whose quantity no device could answer is more likely something else. */
static bool is_plausible(const struct ft_view *pdu, bool is_request)
{
    int function = ft_peek_u8(pdu, 0);
    int quantity = ft_peek_u16be(pdu, 3);
    switch (function) {
    case 1:
    case 2:
        return !is_request || (quantity >= 1 && quantity <= COILS_READ);
    case 3:
    case 4:
        return is_request ? quantity >= 1 && quantity <= REGISTERS_READ
                          : ft_peek_u8(pdu, 1) > 0 && ft_peek_u8(pdu, 1) % 2 == 0;
    case 23:
        return is_request || (ft_peek_u8(pdu, 1) > 0 && ft_peek_u8(pdu, 1) % 2 == 0);
    default:
        return true;
    }
}

static unsigned umas_shape(const struct ft_view *pdu)
{
    int code = ft_peek_u8(pdu, 2); /* after function and session key: UMAS function or status */
    if (code < 0)
        return 0;
    return code == 0xFE || code == 0xFD ? FT_MODBUS_RESPONSE : FT_MODBUS_REQUEST;
}

unsigned ft_modbus_shape(const struct ft_view *pdu)
{
    int function = ft_peek_u8(pdu, 0);
    int sub = ft_peek_u16be(pdu, 1);
    unsigned shape = 0;

    if (function == FT_MODBUS_UMAS)
        return umas_shape(pdu);
    if (function == DIAGNOSTICS && sub >= 0 && pdu->len != 5)
        return FT_MODBUS_REQUEST | FT_MODBUS_RESPONSE;
    if (function == MEI && sub >> 8 == MEI_CANOPEN)
        return FT_MODBUS_REQUEST | FT_MODBUS_RESPONSE;
    if (ft_modbus_length(pdu, true) == (int32_t)pdu->len && is_plausible(pdu, true))
        shape |= FT_MODBUS_REQUEST;
    if (ft_modbus_length(pdu, false) == (int32_t)pdu->len && is_plausible(pdu, false))
        shape |= FT_MODBUS_RESPONSE;
    return shape;
}

uint8_t ft_modbus_access(uint8_t function)
{
    return functions[function & ~FT_MODBUS_EXCEPTION_BIT].access;
}

enum ft_modbus_category ft_modbus_category(uint8_t function)
{
    uint8_t code = function & (uint8_t)~FT_MODBUS_EXCEPTION_BIT;
    uint8_t category = functions[code].category;

    if (category)
        return (enum ft_modbus_category)category;
    return (code >= 65 && code <= 72) || (code >= 100 && code <= 110) ? FT_MODBUS_USER_DEFINED
                                                                      : FT_MODBUS_PUBLIC_UNASSIGNED;
}
