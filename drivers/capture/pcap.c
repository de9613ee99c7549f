/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pcap format (draft-ietf-opsawg-pcap, before that pcap-savefile(5)): a file header of 24
 * bytes, then records of 16 bytes of header and the packet. Kuznetzov's "modified" variant has the
 * magic a1b2cd34 and 8 more bytes in each record header (interface number, protocol, packet type),
 * which say nothing that the packet does not.
 */
#include "capture/file_internal.h"

#define FILE_HEADER           24
#define RECORD_HEADER         16
#define RECORD_HEADER_PATCHED 24

#define MAGIC_MICRO   0xa1b2c3d4
#define MAGIC_NANO    0xa1b23c4d
#define MAGIC_PATCHED 0xa1b2cd34

/* DG/UX tcpdump wrote this as major version, with the lengths as in versions before 2.3 */
#define MAJOR_DGUX 543

/* Offsets in a record header; the two lengths are swapped in old versions. */
#define AT_SECONDS  0
#define AT_FRACTION 4
#define AT_CAPLEN   8
#define AT_WIRELEN  12

static uint32_t read_magic(const uint8_t *from, bool is_big_endian)
{
    uint32_t value;

    memcpy(&value, from, sizeof(value));
    return is_big_endian ? be32toh(value) : le32toh(value);
}

static bool is_magic(uint32_t magic)
{
    return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_PATCHED;
}

bool ft_pcap_is_magic(const uint8_t *magic)
{
    return is_magic(read_magic(magic, false)) || is_magic(read_magic(magic, true));
}

/* Put the lengths in order where the version does not promise it. */
static void order_lengths(const struct ft_capture_file *file, uint32_t *caplen, uint32_t *wirelen)
{
    if (file->lengths == FT_PCAP_LENGTHS_SWAPPED ||
        (file->lengths == FT_PCAP_LENGTHS_GUESSED && *caplen > *wirelen)) {
        uint32_t first = *caplen;

        *caplen = *wirelen;
        *wirelen = first;
    }
}

static int pcap_next(struct ft_capture_file *file, struct ft_capture_record *record)
{
    struct ft_source *source = &file->source;
    const uint8_t *header = ft_source_need(source, file->record_header);

    if (header == NULL) {
        return ft_capture_end_short(file, ft_source_position(source), file->record_header);
    }
    uint32_t caplen = ft_capture_u32(file, header + AT_CAPLEN);
    uint32_t wirelen = ft_capture_u32(file, header + AT_WIRELEN);
    if (file->lengths != FT_PCAP_LENGTHS_NORMAL) {
        order_lengths(file, &caplen, &wirelen);
    }
    if (caplen > FT_CAPTURE_RECORD_MAX) {
        return ft_capture_end_damaged(
            file,
            "record at byte %llu claims %u bytes, more than %d: the file is "
            "damaged there, processed up to it",
            (unsigned long long)ft_source_position(source), caplen, FT_CAPTURE_RECORD_MAX);
    }

    size_t size = (size_t)file->record_header + caplen;
    header = ft_source_need(source, size);
    if (header == NULL) {
        return ft_capture_end_short(file, ft_source_position(source), size);
    }
    ft_source_advance(source, size);

    *record = file->template;
    record->time_ns = ft_capture_u32(file, header + AT_SECONDS) * FT_NS_PER_SECOND +
                      (uint64_t)ft_capture_u32(file, header + AT_FRACTION) * file->fraction_ns;
    record->data = header + file->record_header;
    record->caplen = caplen;
    record->wirelen = wirelen > caplen ? wirelen : caplen;
    return 1;
}

static bool read_version(struct ft_capture_file *file, const uint8_t *header)
{
    uint16_t major = ft_capture_u16(file, header + 4);
    uint16_t minor = ft_capture_u16(file, header + 6);

    if (major != 2 && major != MAJOR_DGUX) {
        ft_capture_end_damaged(file, "pcap version %u.%u, expected 2.4", major, minor);
        return false;
    }
    if (major == MAJOR_DGUX || minor < 3) {
        file->lengths = FT_PCAP_LENGTHS_SWAPPED;
    } else if (minor == 3) {
        /* both orders are about under this number */
        file->lengths = FT_PCAP_LENGTHS_GUESSED;
    } else {
        file->lengths = FT_PCAP_LENGTHS_NORMAL;
    }
    return true;
}

bool ft_pcap_open(struct ft_capture_file *file)
{
    const uint8_t *header = ft_source_need(&file->source, FILE_HEADER);

    if (header == NULL) {
        ft_capture_end_damaged(file, "pcap header torn: %zu of %d bytes",
                               ft_source_rest(&file->source), FILE_HEADER);
        return false;
    }
    file->is_big_endian = is_magic(read_magic(header, true));
    if (!read_version(file, header)) {
        return false;
    }

    uint32_t magic = ft_capture_u32(file, header);
    file->record_header = magic == MAGIC_PATCHED ? RECORD_HEADER_PATCHED : RECORD_HEADER;
    file->fraction_ns = magic == MAGIC_NANO ? 1 : 1000;

    struct ft_capture_source_interface *interface = ft_capture_add_interface(file);
    if (interface == NULL) {
        return false;
    }
    uint32_t network = ft_capture_u32(file, header + 20);
    interface->shown.snaplen = ft_capture_u32(file, header + 16);
    /* the upper bits: four of length in 16-bit units, one unused, one that says the length is given
     */
    interface->shown.linktype = ft_capture_linktype(network & 0x03ffffff);
    interface->shown.fcs_len = (network & 0x04000000) != 0 ? (uint8_t)((network >> 28) * 2) : 0;
    file->template = (struct ft_capture_record){
        .linktype = interface->shown.linktype,
        .fcs_len = interface->shown.fcs_len,
        .is_timed = true,
    };

    ft_source_advance(&file->source, FILE_HEADER);
    file->next = pcap_next;
    return true;
}
