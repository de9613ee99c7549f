/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without libcurl. */
#include "output/kinds.h"

const struct ft_sink_kind ft_sink_webhook = {
    .name = "webhook", .meaning = "HTTP POST to a URL", .lacks = "libcurl"};
