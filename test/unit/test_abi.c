/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The binary interface of plugins, version 1, as plugins that exist were compiled: sizes, offsets,
 * numbers, signatures. What fails here breaks them: put it back, or raise FT_ABI_VERSION. Members
 * and numbers at the end may be added, and get a line here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fieldtap/dissector.h>
#include <fieldtap/wire.h>

_Static_assert(FT_ABI_VERSION == 1, "this is version 1");
_Static_assert(sizeof(void *) == 8, "offsets are those of 64-bit machines");

#define AT(type, member, offset)                                                                   \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

/* Read by inline functions, so by plugins. */
SIZE(ft_view, 24);
AT(ft_view, data, 0);
AT(ft_view, len, 8);
AT(ft_view, last_len, 12);
AT(ft_view, error, 16);
AT(ft_view, is_cut, 17);

AT(ft_context, size, 0);
AT(ft_context, transport, 4);
AT(ft_context, direction, 5);
AT(ft_context, confidence, 6);
AT(ft_context, is_truncated, 7);
AT(ft_context, src_port, 8);
AT(ft_context, dst_port, 10);
AT(ft_context, pdu_length, 12);
AT(ft_context, time_ns, 16);
AT(ft_context, demand, 24);
AT(ft_context, flow_state, 32);
AT(ft_context, selector, 40);
AT(ft_context, src_mac, 48);
AT(ft_context, dst_mac, 54);
AT(ft_context, vlan, 60);
AT(ft_context, ethertype, 62);
AT(ft_context, priority, 64);
AT(ft_context, is_midstream, 65);
AT(ft_context, ttl, 66);
AT(ft_context, ip_version, 67);
AT(ft_context, scanned, 68);
AT(ft_context, src_ip, 72);
AT(ft_context, dst_ip, 80);
AT(ft_context, lan, 88);
SIZE(ft_context, 96);

AT(ft_probe, size, 0);
AT(ft_probe, transport, 4);
AT(ft_probe, is_bound, 5);
AT(ft_probe, is_to_server, 6);
AT(ft_probe, src_port, 8);
AT(ft_probe, dst_port, 10);

SIZE(ft_ber, 32);
AT(ft_ber, value, 8);

/* Given back by plugins by value. */
SIZE(ft_frame, 16);
AT(ft_frame, length, 4);
AT(ft_frame, protocol, 8);

/* Tables of plugins: rows may grow, for they carry their size; what is there stays. */
SIZE(ft_table, 16);
AT(ft_table, count, 8);
AT(ft_table, row_size, 12);
SIZE(ft_name, 16); /* read without a row size: ended by a name that is NULL */
AT(ft_field, title, 8);
AT(ft_field, names, 16);
AT(ft_field, parent, 24);
AT(ft_field, type, 26);
AT(ft_field, flags, 27);
AT(ft_command, qualifier, 4);
AT(ft_command, name, 8);
AT(ft_command, class_, 16);
AT(ft_command, mitre, 24);
AT(ft_violation, title, 8);
AT(ft_violation, reference, 16);
AT(ft_violation, category, 24);
AT(ft_violation, mitre, 32);
AT(ft_violation, severity, 40);
AT(ft_violation, engine, 41);
AT(ft_violation, is_alert, 42);
AT(ft_carrier, value, 8);
AT(ft_carrier, last, 16);
AT(ft_carrier, parent, 24);
AT(ft_signature, flags, 8);
SIZE(ft_sync, 16); /* inside struct ft_dissector */
AT(ft_sync, length, 8);
AT(ft_sync, offset, 9);

AT(ft_dissector, abi, 4);
AT(ft_dissector, name, 8);
AT(ft_dissector, title, 16);
AT(ft_dissector, specification, 24);
AT(ft_dissector, carried_by, 32);
AT(ft_dissector, signatures, 48);
AT(ft_dissector, fields, 64);
AT(ft_dissector, commands, 80);
AT(ft_dissector, violations, 96);
AT(ft_dissector, sync, 112);
AT(ft_dissector, max_pdu, 128);
AT(ft_dissector, flow_state_size, 132);
AT(ft_dissector, channel_size, 136);
AT(ft_dissector, flags, 140);
AT(ft_dissector, probe, 144);
AT(ft_dissector, frame, 152);
AT(ft_dissector, dissect, 160);
AT(ft_plugin, abi, 4);
AT(ft_plugin, dissectors, 8);

/* The last number of each enumeration, and of what has gaps the others too. */
_Static_assert(FT_CLASS_EVENT == 15 && FT_KIND_UNSOLICITED == 4 && FT_TO_CLIENT == 2, "message");
_Static_assert(FT_CONFIDENCE_DISSECTOR == 3 && FT_TRANSPORT_TCP == 4, "context");
_Static_assert(FT_TYPE_GROUP == 1 && FT_TYPE_TIME == 13 && FT_FIELD_SECRET == 2, "fields");
_Static_assert(FT_SEVERITY_WARNING == 4 && FT_ENGINE_OPERATIONAL == 4, "violations");
_Static_assert(FT_VIOLATION_MALFORMED == 0x8000 && FT_VIOLATION_TOO_LONG == 0x8003, "common");
_Static_assert(FT_CARRIER_TCP == 1 && FT_CARRIER_PARENT == 7, "carriers");
_Static_assert(FT_FRAME_NOT_MINE == 0 && FT_FRAME_SWITCH == 7 && FT_YES == 2, "framing");
_Static_assert(FT_DISSECTOR_CYCLIC == 4 && FT_SIGNATURE_UDP == 2, "flags");
_Static_assert(FT_SUB_NAME == 8 && FT_SERVER == 3 && FT_SCOPE_HOST_PAIR == 1, "parties");
_Static_assert(FT_REASSEMBLY_FULL == 4 && FT_REASSEMBLY_LAST == 2, "reassembly");
_Static_assert(FT_FACT_VENDOR == 1 && FT_FACT_DESCRIPTION == 13 && FT_FACT_MANAGEMENT == 14,
               "facts");
_Static_assert(FT_ROLE_WORKSTATION == 13, "roles");
_Static_assert(FT_VIEW_CUT == 1 && FT_VIEW_MALFORMED == 2, "views");

/* Limits that plugins have compiled in may grow only. */
_Static_assert(FT_MAX_FLOW_STATE >= 64 && FT_MAX_CHANNEL_STATE >= 192 && FT_MAX_PAIR_KEEP >= 64 &&
                   FT_MAX_REASSEMBLY >= 65536 && FT_MAX_PDU >= 65536,
               "limits");

#define CONTEXT struct ft_context *

/* A function by its signature: another one does not compile. */
#define FUNCTION(name, result, ...)                                                                \
    {                                                                                              \
        result (*function)(__VA_ARGS__) = name;                                                    \
        assert_non_null(function);                                                                 \
    }

static void test_functions(void **state)
{
    (void)state;
    FUNCTION(ft_node_uint, void, CONTEXT, uint32_t, uint64_t, const uint8_t *, uint32_t)
    FUNCTION(ft_node_int, void, CONTEXT, uint32_t, int64_t, const uint8_t *, uint32_t)
    FUNCTION(ft_node_float, void, CONTEXT, uint32_t, double, const uint8_t *, uint32_t)
    FUNCTION(ft_node_bytes, void, CONTEXT, uint32_t, const uint8_t *, uint32_t)
    FUNCTION(ft_node_text, void, CONTEXT, uint32_t, const char *, uint32_t, const uint8_t *,
             uint32_t)
    FUNCTION(ft_node_utf16, void, CONTEXT, uint32_t, const uint8_t *, uint32_t, bool)
    FUNCTION(ft_node_group, void, CONTEXT, uint32_t)
    FUNCTION(ft_node_group_end, void, CONTEXT, uint32_t)
    FUNCTION(ft_set_kind, void, CONTEXT, enum ft_kind)
    FUNCTION(ft_set_direction, void, CONTEXT, enum ft_direction)
    FUNCTION(ft_set_class, void, CONTEXT, enum ft_class)
    FUNCTION(ft_subaddress, void, CONTEXT, enum ft_party, enum ft_subaddress_kind, uint64_t)
    FUNCTION(ft_subaddress_text, void, CONTEXT, enum ft_party, enum ft_subaddress_kind,
             const char *, uint32_t)
    FUNCTION(ft_command, void, CONTEXT, uint32_t, uint32_t)
    FUNCTION(ft_message_begin, bool, CONTEXT)
    FUNCTION(ft_message_end, void, CONTEXT)
    FUNCTION(ft_child_bytes, bool, CONTEXT, uint64_t, const uint8_t *, uint32_t, bool)
    FUNCTION(ft_child_named_bytes, bool, CONTEXT, const char *, const uint8_t *, uint32_t, bool)
    FUNCTION(ft_child_probe_bytes, bool, CONTEXT, uint64_t, const uint8_t *, uint32_t, bool)
    FUNCTION(ft_violation_at, void, CONTEXT, uint32_t, const uint8_t *, uint32_t)
    FUNCTION(ft_channel, void *, CONTEXT, enum ft_scope, uint64_t)
    FUNCTION(ft_channel_find, void *, CONTEXT, enum ft_scope, uint64_t)
    FUNCTION(ft_channel_close, void, CONTEXT, enum ft_scope, uint64_t)
    FUNCTION(ft_expect_flow, void, CONTEXT, enum ft_transport, uint16_t, const char *, const void *,
             uint32_t)
    FUNCTION(ft_expect_within, void, CONTEXT, enum ft_scope, uint64_t, uint32_t, uint32_t)
    FUNCTION(ft_request, void, CONTEXT, enum ft_scope, uint64_t, const void *, uint32_t)
    FUNCTION(ft_response, const void *, CONTEXT, enum ft_scope, uint64_t)
    FUNCTION(ft_reassemble, enum ft_reassembly_result, CONTEXT, uint64_t, struct ft_view, uint32_t,
             struct ft_view *)
    FUNCTION(ft_asset, void, CONTEXT, enum ft_party, enum ft_fact, struct ft_view)
    FUNCTION(ft_asset_text, void, CONTEXT, enum ft_party, enum ft_fact, const char *)
    FUNCTION(ft_asset_role, void, CONTEXT, enum ft_party, enum ft_role)
    FUNCTION(ft_asset_behind, void, CONTEXT, enum ft_party, enum ft_subaddress_kind, uint64_t,
             enum ft_fact, const char *)
    FUNCTION(ft_asset_address, void, CONTEXT, struct ft_view, struct ft_view)
    FUNCTION(ft_asset_lease, void, CONTEXT, struct ft_view, struct ft_view)
    FUNCTION(ft_asset_management, void, CONTEXT, struct ft_view, struct ft_view)
    FUNCTION(ft_asset_port, void, CONTEXT, struct ft_view, struct ft_view)
    FUNCTION(ft_asset_of, void, CONTEXT, struct ft_view, enum ft_fact, struct ft_view)
    FUNCTION(ft_resolution, void, CONTEXT, enum ft_resolution, struct ft_view, struct ft_view,
             struct ft_view)
    FUNCTION(ft_claim, void, CONTEXT, uint64_t, uint64_t, uint32_t, uint32_t, uint32_t)
    FUNCTION(ft_ber_next, bool, struct ft_view *, struct ft_ber *)
    FUNCTION(ft_ber_int, int64_t, struct ft_view)
    FUNCTION(ft_ber_uint, uint64_t, struct ft_view)
    FUNCTION(ft_oid_text, uint32_t, char *, uint32_t, struct ft_view)
    FUNCTION(ft_crc16_dnp, uint16_t, const uint8_t *, uint32_t)
    FUNCTION(ft_crc16_modbus, uint16_t, const uint8_t *, uint32_t)
    FUNCTION(ft_digest_begin, void, struct ft_digest *, enum ft_digest_kind)
    FUNCTION(ft_digest_add, void, struct ft_digest *, const void *, uint32_t)
    FUNCTION(ft_digest_end, uint32_t, struct ft_digest *, uint8_t *)
    FUNCTION(ft_hex, void, char *, const uint8_t *, uint32_t)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
