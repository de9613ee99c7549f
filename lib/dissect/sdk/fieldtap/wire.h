/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encodings that several protocols share: BER/DER, checksums. Plain functions on views, without
 * state; any thread.
 */
#ifndef FIELDTAP_WIRE_H
#define FIELDTAP_WIRE_H

#include <fieldtap/view.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One BER element (ITU-T X.690, 8.1). */
struct ft_ber {
    uint32_t tag;        /**< first identifier octet, and for high tag numbers the number << 8 */
    bool is_constructed; /**< bit 6 of the identifier octet */
    struct ft_view value;
};

/**
 * Read the next element: definite lengths of up to four octets, high tag numbers of up to three.
 * False at the end and when it is malformed (then the view's error sticks); a value that the view
 * ends within holds what is there of it. The last read of `v` is the value: the evidence of a put.
 */
bool ft_ber_next(struct ft_view *v, struct ft_ber *element);

/**
 * The content of an INTEGER, at most 8 octets and redundant leading ones; 0 when it is empty or
 * does not fit.
 */
int64_t ft_ber_int(struct ft_view value);
uint64_t ft_ber_uint(struct ft_view value);

/** CRC-16/DNP (IEEE 1815, reflected 0xA6BC, inverted) of n bytes at data. About 2 cycles a byte. */
uint16_t ft_crc16_dnp(const uint8_t *data, uint32_t n);

/** CRC-16/MODBUS (reflected 0xA001, initial 0xFFFF) of n bytes at data. About 2 cycles a byte. */
uint16_t ft_crc16_modbus(const uint8_t *data, uint32_t n);

#ifdef __cplusplus
}
#endif
#endif
