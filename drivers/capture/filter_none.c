/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture filters, in a build without libpcap: there are none, and who wants one is told. */
#include "capture/filter.h"

#include <stdio.h>

struct ft_filter *ft_filter_new(const char *expression, char *error, size_t error_size)
{
    snprintf(error, error_size,
             "\"%s\": this fieldtap was built without libpcap and has no filters (meson "
             "configure -Dlibpcap=enabled)",
             expression);
    return NULL;
}

void ft_filter_free(struct ft_filter *filter)
{
    (void)filter;
}

bool ft_filter_passes(struct ft_filter *filter, const struct ft_capture_record *record)
{
    (void)filter;
    (void)record;
    return true;
}

const char *ft_filter_remark(struct ft_filter *filter)
{
    (void)filter;
    return NULL;
}

const char *ft_filter_library(void)
{
    return "no libpcap";
}
