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

#define PROGRAMS_MAX 32u /* one for each link type and number of tags; the rest is not passed */
#define TAGS_MAX     3u  /* more are looked at as so many */
#define SNAPLEN      (256 * 1024)

struct program {
    uint16_t linktype;
    uint8_t tags;
    bool is_usable;
    struct bpf_program code;
};

struct ft_filter {
    char *expression;
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

/* Behind so many tags: "vlan" moves all that follows it behind one. */
static bool compile_behind(const char *expression, unsigned tags, uint16_t linktype,
                           struct bpf_program *code, char *error, size_t error_size)
{
    static const char *const prefixes[TAGS_MAX + 1] = {"", "vlan and ", "vlan and vlan and ",
                                                       "vlan and vlan and vlan and "};
    char *text = NULL;
    /* By itself first: brackets in wrong places must not make sense by being put together. */
    if (!compile(expression, linktype, code, error, error_size))
        return false;
    if (!tags || !*expression)
        return true;
    pcap_freecode(code);
    bool ok = asprintf(&text, "%s(%s)", prefixes[tags], expression) >= 0 &&
              compile(text, linktype, code, error, error_size);
    free(text);
    return ok;
}

static struct program *add_program(struct ft_filter *f, uint16_t linktype, unsigned tags,
                                   char *error, size_t error_size)
{
    if (f->count == PROGRAMS_MAX)
        return NULL;
    struct program *p = &f->programs[f->count++];
    p->linktype = linktype;
    p->tags = (uint8_t)tags;
    p->is_usable = compile_behind(f->expression, tags, linktype, &p->code, error, error_size);
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
        f->says_vlan = has_word(expression, "vlan");
    }
    if (!f || !f->expression) {
        snprintf(error, error_size, "out of memory");
        ft_filter_free(f);
        return NULL;
    }
    if (!add_program(f, LINKTYPE_ETHERNET, 0, reason, sizeof(reason))->is_usable) {
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
    if (f)
        free(f->expression);
    free(f);
}

/* Tags at the front of an Ethernet frame: the ethertypes that libpcap's "vlan" knows. */
static unsigned count_tags(const struct ft_capture_record *record)
{
    unsigned tags = 0;
    for (uint32_t at = 12; at + 4 <= record->caplen && tags < TAGS_MAX; at += 4, tags++) {
        unsigned type = (unsigned)record->data[at] << 8 | record->data[at + 1];
        if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
            break;
    }
    return tags;
}

static bool is_for(const struct program *p, uint16_t linktype, unsigned tags)
{
    return p->linktype == linktype && p->tags == tags;
}

static const struct program *program_for(struct ft_filter *f, uint16_t linktype, unsigned tags)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    if (is_for(&f->programs[f->last], linktype, tags))
        return &f->programs[f->last];
    for (uint32_t i = 0; i < f->count; i++)
        if (is_for(&f->programs[i], linktype, tags)) {
            f->last = i;
            return &f->programs[i];
        }
    const struct program *p = add_program(f, linktype, tags, reason, sizeof(reason));
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
    bool looks_behind = record->linktype == LINKTYPE_ETHERNET && !f->says_vlan;
    const struct program *p =
        program_for(f, record->linktype, looks_behind ? count_tags(record) : 0);
    return p && p->is_usable &&
           bpf_filter(p->code.bf_insns, record->data, record->wirelen, record->caplen) != 0;
}

const char *ft_filter_remark(struct ft_filter *f)
{
    return f->has_remark ? f->remark : NULL;
}

const char *ft_filter_library(void)
{
    return pcap_lib_version();
}
