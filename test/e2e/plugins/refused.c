/* SPDX-License-Identifier: BSD-3-Clause */
/* Plugins that a sensor refuses: built once for each reason, as refused_<reason>.so. */
#include <fieldtap/dissector.h>

/* The preprocessor compares them, so they are no enum; meson.build counts in this order. */
#define NO_SYMBOL           1
#define OTHER_ABI           2 /* of the plugin */
#define OTHER_DISSECTOR_ABI 3 /* of the dissector in it */
#define BAD_FIELDS          4 /* the schema's first row is wrong */
#define NAME_TAKEN          5 /* there is such a protocol */
#define NO_DISSECTOR        6
#define UNRESOLVED          7 /* calls a function that this sensor does not have */

static const struct ft_field fields[] = {
    {REASON == BAD_FIELDS   ? "other"
     : REASON == NAME_TAKEN ? "modbus"
                            : "refused",
     "Refused", NULL, 0, FT_TYPE_GROUP, 0, 0},
};

#if REASON == UNRESOLVED
void ft_function_of_a_later_version(struct ft_context *ctx);
#endif

static void dissect(struct ft_context *ctx, struct ft_view *pdu)
{
    (void)pdu;
    ft_command(ctx, 1, 0);
#if REASON == UNRESOLVED
    ft_function_of_a_later_version(ctx);
#endif
}

__attribute__((unused)) static const struct ft_dissector refused = {
    .size = sizeof(struct ft_dissector),
    .abi = REASON == OTHER_DISSECTOR_ABI ? FT_ABI_VERSION + 1 : FT_ABI_VERSION,
    .name = REASON == NAME_TAKEN ? "modbus" : "refused",
    .title = "Refused",
    .fields = FT_TABLE(fields),
    .dissect = dissect,
};

#if REASON != NO_SYMBOL
__attribute__((visibility("default"))) extern const struct ft_plugin ft_plugin;
const struct ft_plugin ft_plugin = {
    .size = sizeof(struct ft_plugin),
    .abi = REASON == OTHER_ABI ? FT_ABI_VERSION + 1 : FT_ABI_VERSION,
    .dissectors = {REASON == NO_DISSECTOR ? NULL : &refused},
};
#endif
