/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture filters, by libpcap. */
#include "capture/filter.h"

#include <ctype.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_RAW      101u

#define LINKTYPE_SLL  113u
#define LINKTYPE_SLL2 276u

#define PROGRAMS_MAX 32u /* one for each link type; the rest is not passed */
#define TAGS_MAX     16u /* as many headers as the decoder peels */
#define SNAPLEN      (256 * 1024)

struct program {
    uint16_t linktype;
    bool is_usable;
    struct bpf_program code;
};

struct ft_filter {
    char *expression;
    uint8_t *bare;  /* a packet without its tags */
    bool says_vlan; /* then tags are its own affair */
    struct program programs[PROGRAMS_MAX];
    uint32_t count, last; /* last: the one that the packet before used */
    char remark[320];
    bool has_remark;
};

/* libpcap counts link types (DLT) as captures do (LINKTYPE), but for raw IP. */
static int dlt_of(uint16_t linktype)
{
    return linktype == LINKTYPE_RAW ? DLT_RAW : linktype;
}

static bool compile(const char *text, uint16_t linktype, struct bpf_program *code, char *error,
                    size_t error_size)
{
    pcap_t *dead = pcap_open_dead(dlt_of(linktype), SNAPLEN);
    bool ok = dead && pcap_compile(dead, code, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!ok)
        snprintf(error, error_size, "%s", dead ? pcap_geterr(dead) : "out of memory");
    if (dead)
        pcap_close(dead);
    return ok;
}

static struct program *add_program(struct ft_filter *f, uint16_t linktype, char *error,
                                   size_t error_size)
{
    if (f->count == PROGRAMS_MAX)
        return NULL;
    struct program *p = &f->programs[f->count++];
    p->linktype = linktype;
    p->is_usable = compile(f->expression, linktype, &p->code, error, error_size);
    return p;
}

static bool is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !is_word_part(at[-1])) && !is_word_part(at[n]))
            return true;
    return false;
}

struct ft_filter *ft_filter_new(const char *expression, char *error, size_t error_size)
{
    struct ft_filter *f = calloc(1, sizeof(*f));
    char reason[PCAP_ERRBUF_SIZE] = "";
    if (f) {
        f->expression = strdup(expression);
        f->bare = malloc(SNAPLEN);
        f->says_vlan = has_word(expression, "vlan");
    }
    if (!f || !f->expression || !f->bare) {
        snprintf(error, error_size, "out of memory");
        ft_filter_free(f);
        return NULL;
    }
    if (!add_program(f, LINKTYPE_ETHERNET, reason, sizeof(reason))->is_usable) {
        snprintf(error, error_size, "\"%s\" is no filter: %s (man pcap-filter has the syntax)",
                 expression, reason);
        ft_filter_free(f);
        return NULL;
    }
    return f;
}

void ft_filter_free(struct ft_filter *f)
{
    for (uint32_t i = 0; f && i < f->count; i++)
        if (f->programs[i].is_usable)
            pcap_freecode(&f->programs[i].code);
    if (f) {
        free(f->expression);
        free(f->bare);
    }
    free(f);
}

/* Tags from `at` on, where the ethertype of the first is: those that the decoder peels. */
static uint32_t count_tags(const struct ft_capture_record *record, uint32_t at)
{
    uint32_t tags = 0;
    for (; at + 4 <= record->caplen && tags < TAGS_MAX; at += 4, tags++) {
        unsigned type = (unsigned)record->data[at] << 8 | record->data[at + 1];
        if (type != 0x8100 && type != 0x88a8 && type != 0x9100 && type != 0x9200 && type != 0x9300)
            break;
    }
    return tags;
}

/* The packet with the bytes [at, at + n) taken out. */
static void take_out(struct ft_filter *f, struct ft_capture_record *record, uint32_t at, uint32_t n)
{
    memcpy(f->bare, record->data, at);
    memcpy(f->bare + at, record->data + at + n, record->caplen - at - n);
    record->data = f->bare;
    record->caplen -= n;
    record->wirelen -= n;
}

/* Of SLL2 the ethertype stands at the front, those of tags behind the header of 20 bytes, each
 * behind its two bytes of content. */
static void take_out_of_sll2(struct ft_filter *f, struct ft_capture_record *record)
{
    uint8_t moved[4 * TAGS_MAX + 2] = {0};
    uint32_t tags, n = record->caplen < 20 ? 0 : record->caplen - 20;
    if (!n)
        return;
    memcpy(moved, record->data, 2);
    memcpy(moved + 2, record->data + 20, n < sizeof(moved) - 2 ? n : sizeof(moved) - 2);
    struct ft_capture_record types = {.data = moved,
                                      .caplen = n + 2 < sizeof(moved) ? n + 2 : sizeof(moved)};
    tags = count_tags(&types, 0);
    if (!tags || record->caplen < 20 + 4 * tags)
        return;
    take_out(f, record, 20, 4 * tags);
    memcpy(f->bare, moved + 4 * tags, 2);
}

static void take_out_tags(struct ft_filter *f, struct ft_capture_record *record)
{
    uint32_t at = record->linktype == LINKTYPE_ETHERNET ? 12 : 14;
    if (record->caplen > SNAPLEN)
        record->caplen = SNAPLEN;
    if (record->linktype == LINKTYPE_SLL2) {
        take_out_of_sll2(f, record);
    } else if (record->linktype == LINKTYPE_ETHERNET || record->linktype == LINKTYPE_SLL) {
        uint32_t tags = count_tags(record, at);
        if (tags)
            take_out(f, record, at, 4 * tags);
    }
}

static const struct program *program_for(struct ft_filter *f, uint16_t linktype)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    if (f->programs[f->last].linktype == linktype)
        return &f->programs[f->last];
    for (uint32_t i = 0; i < f->count; i++)
        if (f->programs[i].linktype == linktype) {
            f->last = i;
            return &f->programs[i];
        }
    const struct program *p = add_program(f, linktype, reason, sizeof(reason));
    if (p && !p->is_usable && !f->has_remark) {
        f->has_remark = true;
        snprintf(f->remark, sizeof(f->remark),
                 "the filter says nothing about link type %u, whose packets are left out: %s",
                 linktype, reason);
    }
    return p;
}

bool ft_filter_passes(struct ft_filter *f, const struct ft_capture_record *record)
{
    const struct program *p = program_for(f, record->linktype);
    struct ft_capture_record bare = *record;
    if (!p || !p->is_usable)
        return false;
    if (!f->says_vlan)
        take_out_tags(f, &bare);
    return bpf_filter(p->code.bf_insns, bare.data, bare.wirelen, bare.caplen) != 0;
}

const char *ft_filter_remark(struct ft_filter *f)
{
    return f->has_remark ? f->remark : NULL;
}

const char *ft_filter_library(void)
{
    return pcap_lib_version();
}
