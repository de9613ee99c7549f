/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The names of CIP: objects, services, status codes, data types, vendors, kinds of device; and what
 * a service does to a plant, which in CIP depends on the object it is sent to. Constant tables; any
 * thread.
 */
#ifndef FT_CIP_TABLES_H
#define FT_CIP_TABLES_H

#include <fieldtap/dissector.h>

/** Services that the dissectors look into. Numbers from 0x4B on mean something else per object. */
enum ft_cip_service {
    FT_CIP_GET_ATTRIBUTES_ALL = 0x01,
    FT_CIP_SET_ATTRIBUTES_ALL = 0x02,
    FT_CIP_GET_ATTRIBUTE_LIST = 0x03,
    FT_CIP_SET_ATTRIBUTE_LIST = 0x04,
    FT_CIP_RESET = 0x05,
    FT_CIP_START = 0x06,
    FT_CIP_STOP = 0x07,
    FT_CIP_CREATE = 0x08,
    FT_CIP_DELETE = 0x09,
    FT_CIP_MULTIPLE_SERVICE = 0x0a,
    FT_CIP_APPLY_ATTRIBUTES = 0x0d,
    FT_CIP_GET_ATTRIBUTE_SINGLE = 0x0e,
    FT_CIP_SET_ATTRIBUTE_SINGLE = 0x10,
    FT_CIP_FIND_NEXT = 0x11,
    FT_CIP_RESTORE = 0x15,
    FT_CIP_SAVE = 0x16,
    FT_CIP_NOP = 0x17,
    FT_CIP_GET_MEMBER = 0x18,
    FT_CIP_SET_MEMBER = 0x19,
    FT_CIP_INSERT_MEMBER = 0x1a,
    FT_CIP_REMOVE_MEMBER = 0x1b,
    FT_CIP_GROUP_SYNC = 0x1c,
    FT_CIP_EXECUTE_PCCC = 0x4b,
    FT_CIP_READ_TAG = 0x4c,
    FT_CIP_WRITE_TAG = 0x4d,
    FT_CIP_MODIFY_TAG = 0x4e,
    FT_CIP_FORWARD_CLOSE = 0x4e,
    FT_CIP_READ_TAG_FRAGMENT = 0x52,
    FT_CIP_UNCONNECTED_SEND = 0x52,
    FT_CIP_WRITE_TAG_FRAGMENT = 0x53,
    FT_CIP_FORWARD_OPEN = 0x54,
    FT_CIP_GET_INSTANCES = 0x55,
    FT_CIP_LARGE_FORWARD_OPEN = 0x5b,
};

/** Objects that the dissectors know by number. */
enum ft_cip_class {
    FT_CIP_IDENTITY = 0x01,
    FT_CIP_MESSAGE_ROUTER = 0x02,
    FT_CIP_ASSEMBLY = 0x04,
    FT_CIP_CONNECTION_MANAGER = 0x06,
    FT_CIP_FILE = 0x37,
    FT_CIP_PROJECT = 0x64,
    FT_CIP_PCCC = 0x67,
    FT_CIP_PROGRAM = 0x68,
    FT_CIP_SYMBOL = 0x6b,
    FT_CIP_TEMPLATE = 0x6c,
    FT_CIP_SEMAPHORE = 0x74,
    FT_CIP_WALL_CLOCK = 0x8b,
    FT_CIP_CONTROLLER = 0x8e,
    FT_CIP_FIRMWARE = 0xa1,
    FT_CIP_TCPIP = 0xf5,
    FT_CIP_ETHERNET_LINK = 0xf6,
};

/** The command code of a PCCC message: beyond all services. `fnc` is 0 for commands without one. */
#define FT_CIP_PCCC_CODE(cmd, fnc) (0x10000u | (uint32_t)(cmd) << 8 | (fnc))

/** The command code of the data of a class 0 or 1 connection. */
#define FT_CIP_IO_CODE 0x20000u

extern const struct ft_name ft_cip_class_names[];
extern const struct ft_name ft_cip_service_names[];
extern const struct ft_name ft_cip_status_names[];
extern const struct ft_name ft_cip_extended_status_names[];
extern const struct ft_name ft_cip_data_type_names[];
extern const struct ft_name ft_cip_vendor_names[];
extern const struct ft_name ft_cip_device_type_names[];
extern const struct ft_name ft_cip_segment_names[];

/** The name of `value` in a table of names, or NULL. Linear: for identity messages only. */
const char *ft_cip_name(const struct ft_name *names, uint64_t value);

/**
 * What service `service` does when it is sent to an object of class `class_id`; FT_CLASS_UNKNOWN
 * when neither tells. Cost: two table look-ups.
 */
enum ft_class ft_cip_service_class(uint8_t service, uint32_t class_id);

/** True for the objects of Logix controllers that no public document describes. */
bool ft_cip_is_private_class(uint32_t class_id);

#endif
