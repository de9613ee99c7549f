/* SPDX-License-Identifier: BSD-3-Clause */
/* EtherNet/IP and CIP: encoders and what is normally said. */
#ifndef FT_PLANT_ENIP_H
#define FT_PLANT_ENIP_H

#include "conv.h"

/* Normal operation. */
extern const struct ft_conv_kind ft_enip_scada;    /* Forward Open, then class 3 tag reads */
extern const struct ft_conv_kind ft_enip_hmi;      /* unconnected tag reads and writes */
extern const struct ft_conv_kind ft_enip_identify; /* identity of the controller and slot 0 */
extern const struct ft_conv_kind ft_enip_pccc;     /* PCCC inside CIP, for a small controller */
extern const struct ft_conv_kind ft_enip_io_open;  /* controller opens class 1 to its adapter */
extern const struct ft_conv_kind ft_enip_io;       /* class 1 data both ways on UDP 2222 */
extern const struct ft_conv_kind ft_enip_tags;     /* a plain poll of two tags, many devices */

enum {
    FT_ENIP_PORT = 44818,
    FT_ENIP_LIST_IDENTITY = 0x63,
    FT_ENIP_REGISTER = 0x65,
    FT_ENIP_UNREGISTER = 0x66,
    FT_ENIP_RR_DATA = 0x6f,
    FT_ENIP_UNIT_DATA = 0x70,
    FT_CIP_REPLY = 0x80,
};

/** What a device says of itself. */
struct ft_enip_identity {
    uint16_t device_type;
    uint16_t product_code;
    uint8_t major;
    uint8_t minor;
    uint16_t status;
    uint32_t serial;
    const char *name;
};

extern const struct ft_enip_identity ft_enip_controller; /* the bridge in front of it answers */
extern const struct ft_enip_identity ft_enip_adapter;
extern const struct ft_enip_identity ft_enip_small_plc;

/** Begin an encapsulated message; its data follows. Returns the place to give to ft_enip_end(). */
size_t ft_enip_begin(struct ft_buf *b, uint16_t command, uint32_t session, uint64_t context);

/** Fill in the length of the message that began at @at. */
void ft_enip_end(struct ft_buf *b, size_t at);

/** SendRRData with the CIP message @cip. */
void ft_enip_unconnected(struct ft_buf *b, uint32_t session, uint64_t context,
                         const struct ft_buf *cip);

/** First pair of a session: RegisterSession. The handle is ft_enip_session(). */
void ft_enip_register_talk(struct ft_conv *conv, struct ft_turn *turn);

/** The session handle that the server of @conv gives out. */
uint32_t ft_enip_session(const struct ft_conv *conv);

/** ListIdentity request (@identity NULL) or the answer of the device at @ip. */
void ft_enip_list_identity(struct ft_buf *b, const struct ft_enip_identity *identity, uint32_t ip);

/** CIP request to class and instance; its data follows. */
void ft_cip_request(struct ft_buf *b, uint8_t service, uint8_t class, uint8_t instance);

/** CIP answer without error; its data follows. */
void ft_cip_answer(struct ft_buf *b, uint8_t service);

/** The actor that broadcasts ListIdentity from @client and lets the three devices answer. */
void ft_enip_discover(struct ft_plant *plant, struct ft_host *client, uint64_t delay);

#endif
