/* SPDX-License-Identifier: BSD-3-Clause */
/* The pcap writer; format: draft-ietf-opsawg-pcap. */
#include "pcap.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    RECORD_HEADER = 16,
    LINKTYPE_ETHERNET = 1
};

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

bool ft_pcap_open(struct ft_pcap *pcap, const char *path)
{
    bool is_stdout = strcmp(path, "-") == 0;

    pcap->name = is_stdout ? "standard output" : path;
    pcap->fd =
        is_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (pcap->fd < 0)
        return false;
    pcap->buffer = malloc(FT_PCAP_BUFFER);
    if (pcap->buffer == NULL)
        return false;

    struct ft_buf header = {.data = pcap->buffer, .len = 0, .cap = FT_PCAP_BUFFER};

    ft_buf_le32(&header, 0xa1b23c4du);
    ft_buf_le16(&header, 2);
    ft_buf_le16(&header, 4);
    ft_buf_fill(&header, 0, 8);
    ft_buf_le32(&header, FT_PCAP_SNAPLEN);
    ft_buf_le32(&header, LINKTYPE_ETHERNET);
    pcap->used = header.len;
    return true;
}

uint8_t *ft_pcap_room(struct ft_pcap *pcap)
{
    if (pcap->used + RECORD_HEADER + FT_PCAP_SNAPLEN > FT_PCAP_BUFFER) {
        if (!write_all(pcap->fd, pcap->buffer, pcap->used)) {
            fprintf(stderr, "fieldtap-plant: cannot write %s: %s\n", pcap->name, strerror(errno));
            exit(1);
        }
        pcap->used = 0;
    }
    return pcap->buffer + pcap->used + RECORD_HEADER;
}

void ft_pcap_commit(struct ft_pcap *pcap, uint64_t ns, size_t len)
{
    uint8_t *record = pcap->buffer + pcap->used;

    ft_store_le32(record, (uint32_t)(ns / 1000000000u));
    ft_store_le32(record + 4, (uint32_t)(ns % 1000000000u));
    ft_store_le32(record + 8, (uint32_t)len);
    ft_store_le32(record + 12, (uint32_t)len);
    pcap->used += RECORD_HEADER + len;
}

bool ft_pcap_close(struct ft_pcap *pcap)
{
    bool written = write_all(pcap->fd, pcap->buffer, pcap->used);

    free(pcap->buffer);
    pcap->buffer = NULL;
    return close(pcap->fd) == 0 && written;
}
