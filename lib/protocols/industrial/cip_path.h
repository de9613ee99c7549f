/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EPATH: how CIP addresses an object (ODVA, The CIP Networks Library, Volume 1, Appendix C).
 *
 * A padded EPATH is a chain of segments: ports to leave through, class, instance, attribute,
 * member, connection points, symbolic names, keys. Plain functions on views; any thread; nothing
 * allocates.
 */
#ifndef FT_CIP_PATH_H
#define FT_CIP_PATH_H

#include <fieldtap/dissector.h>

/** Longest route and tag that are composed as text; longer ones end there. */
#define FT_CIP_TEXT_SIZE 128u

/** What a segment is. */
enum ft_cip_segment_kind {
    FT_CIP_SEGMENT_PORT = 1,
    FT_CIP_SEGMENT_CLASS,
    FT_CIP_SEGMENT_INSTANCE,
    FT_CIP_SEGMENT_MEMBER,
    FT_CIP_SEGMENT_POINT,
    FT_CIP_SEGMENT_ATTRIBUTE,
    FT_CIP_SEGMENT_KEY,
    FT_CIP_SEGMENT_SERVICE,
    FT_CIP_SEGMENT_NETWORK,
    FT_CIP_SEGMENT_SYMBOL,
    FT_CIP_SEGMENT_DATA,
    FT_CIP_SEGMENT_RESERVED, /**< of a type that the specification keeps back; the path ends here */
};

/** One segment. */
struct ft_cip_segment {
    uint8_t type;        /**< the segment's first byte as it was sent */
    uint8_t kind;        /**< enum ft_cip_segment_kind */
    uint32_t value;      /**< logical value, or the number of the port */
    struct ft_view data; /**< link address, name, key or data; empty otherwise */
};

/** Which parts a path has. */
enum ft_cip_path_part {
    FT_CIP_HAS_CLASS = 1,
    FT_CIP_HAS_INSTANCE = 2,
    FT_CIP_HAS_ATTRIBUTE = 4,
    FT_CIP_HAS_MEMBER = 8,
    FT_CIP_HAS_SYMBOL = 16,
    FT_CIP_HAS_PORT = 32,
    FT_CIP_HAS_KEY = 64,
    FT_CIP_HAS_RESERVED = 128,
};

/** A path, read. Where a part repeats, the last counts: it is the object that is addressed. */
struct ft_cip_path {
    struct ft_view bytes; /**< the whole path */
    struct ft_view key;   /**< data of the electronic key */
    uint32_t class_id, instance, attribute, member;
    uint32_t points[2]; /**< connection points: consumed (O->T), produced (T->O) */
    uint8_t point_count;
    uint8_t parts; /**< enum ft_cip_path_part */
    bool is_malformed;
};

/** Read the next segment of a padded EPATH; false at the end or when it does not fit. */
bool ft_cip_segment_next(struct ft_view *path, struct ft_cip_segment *segment);

/** Read all of `bytes` as a padded EPATH. Cost: some ten cycles a segment. */
void ft_cip_path_read(struct ft_view bytes, struct ft_cip_path *path);

/**
 * Compose the ports of the path, "1/0" or "2/192.168.1.10 1/3", into `text` of FT_CIP_TEXT_SIZE
 * bytes; returns its length, 0 when the path stays in the device.
 */
uint32_t ft_cip_path_route(const struct ft_cip_path *path, char *text);

/**
 * Compose the symbolic name, "Program:Main.Recipe[3].Setpoint", into `text` of FT_CIP_TEXT_SIZE
 * bytes; returns its length, 0 when the path has no symbol.
 */
uint32_t ft_cip_path_tag(const struct ft_cip_path *path, char *text);

#endif
