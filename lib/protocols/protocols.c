/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of the dissectors that are built in: one line a protocol, in the order of names. */
#include "protocols.h"

/* clang-format off */
#define FT_BUILT_IN(X) \
    X(arp) \
    X(cdp) \
    X(cip) \
    X(cotp) \
    X(dhcp) \
    X(dnp3) \
    X(dns) \
    X(enip) \
    X(ethernet) \
    X(ftp) \
    X(ftp_data) \
    X(goose) \
    X(http) \
    X(icmp) \
    X(icmpv6) \
    X(llc) \
    X(lldp) \
    X(llmnr) \
    X(mdns) \
    X(modbus) \
    X(modbus_rtu) \
    X(nbns) \
    X(ntp) \
    X(s7comm) \
    X(snmp) \
    X(ssh) \
    X(stp) \
    X(syslog) \
    X(telnet) \
    X(tftp) \
    X(tls) \
    X(tpkt) \
    X(umas)

#define DECLARE(name) extern const struct ft_dissector ft_dissector_##name;
#define REFER(name) &ft_dissector_##name,
/* clang-format on */

FT_BUILT_IN(DECLARE)

const struct ft_dissector *const ft_protocols[] = {FT_BUILT_IN(REFER) NULL};
