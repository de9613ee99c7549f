/* SPDX-License-Identifier: BSD-3-Clause */
/* The simple types of fields, one of each: how protocols that are made for a test begin. */
#ifndef FT_TEST_FIELD_TYPES_H
#define FT_TEST_FIELD_TYPES_H

#include "dissect/registry.h"

/** In the enum of fields, behind the root. */
#define SIMPLE_FIELDS NUMBER, SIGNED, REAL, FLAG, CHOICE, BITS, TEXT, RAW, V4, V6, WHEN

/** In the table of fields; `choices` are the names of the test. */
#define SIMPLE_FIELD_ROWS                                                                          \
    [NUMBER] = {.name = "number", .type = FT_TYPE_UINT},                                           \
    [SIGNED] = {.name = "signed", .type = FT_TYPE_INT},                                            \
    [REAL] = {.name = "real", .type = FT_TYPE_FLOAT},                                              \
    [FLAG] = {.name = "flag", .type = FT_TYPE_BOOL},                                               \
    [CHOICE] = {.name = "choice", .type = FT_TYPE_ENUM, .names = choices},                         \
    [BITS] = {.name = "bits", .type = FT_TYPE_FLAGS, .names = bits},                               \
    [TEXT] = {.name = "text", .type = FT_TYPE_STRING},                                             \
    [RAW] = {.name = "raw", .type = FT_TYPE_BYTES}, [V4] = {.name = "v4", .type = FT_TYPE_IPV4},   \
    [V6] = {.name = "v6", .type = FT_TYPE_IPV6}, [WHEN] = {.name = "when", .type = FT_TYPE_TIME}

static const struct ft_name bits[] = {{1, "low"}, {6, "both"}, {0x80, "high"}, {0, NULL}};

#endif
