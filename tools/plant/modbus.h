/* SPDX-License-Identifier: BSD-3-Clause */
/* Modbus/TCP, Modbus RTU in TCP, and Schneider's UMAS: encoders and what is normally said. */
#ifndef FT_PLANT_MODBUS_H
#define FT_PLANT_MODBUS_H

#include "conv.h"

/* Normal operation. */
extern const struct ft_conv_kind ft_modbus_scada; /* reads of all tables, now and then a write */
extern const struct ft_conv_kind ft_modbus_hmi;   /* fast reads of one screen */
extern const struct ft_conv_kind ft_modbus_historian; /* slow reads of input registers */
extern const struct ft_conv_kind ft_modbus_gateway;   /* serial units behind one address */
extern const struct ft_conv_kind ft_modbus_serial;    /* RTU frames over TCP 4001 */
extern const struct ft_conv_kind ft_modbus_identify;  /* FC 43/14, then UMAS, then good-bye */

/** Units that answer behind the gateway. */
extern const uint8_t ft_modbus_gateway_units[4];

/** Begin an ADU; what follows up to ft_modbus_end() is its PDU. Returns the place to give there. */
size_t ft_modbus_begin(struct ft_buf *b, uint16_t transaction, uint8_t unit);

/** Fill in the length of the ADU that began at @at. */
void ft_modbus_end(struct ft_buf *b, size_t at);

/** PDU of a read (FC 1 to 4) or of a single write (5, 6: @value is the value). */
void ft_modbus_request(struct ft_buf *b, uint8_t function, uint16_t address, uint16_t value);

/** PDU of Write Multiple Registers; the values are process values of @key at @now. */
void ft_modbus_write_registers(struct ft_buf *b, uint16_t address, uint16_t count, uint64_t key,
                               uint64_t now);

/** PDU of a Read Device Identification request: @code 1 basic, 2 regular, 3 extended. */
void ft_modbus_identify_request(struct ft_buf *b, uint8_t code);

/** PDU of the answer: the invented PLC's name plate. */
void ft_modbus_identify_answer(struct ft_buf *b, uint8_t code, const char *product,
                               const char *revision);

/** Begin a UMAS PDU: session key, then function (request) or status (answer). */
void ft_umas_pdu(struct ft_buf *b, uint8_t key, uint8_t function);

/** What the engineering station asks a Modicon PLC first; @pair counts from 0. Ends @conv. */
void ft_umas_identify_talk(struct ft_conv *conv, struct ft_turn *turn, uint32_t pair);

enum {
    FT_UMAS_OK = 0xfe,
};

#endif
