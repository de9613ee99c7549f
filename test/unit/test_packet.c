/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder against every kind of header it reads, each also cut at every byte (by the snap
 * length, and by the wire itself), mutated at random, and decoded both by the straight line and by
 * the loop, which must agree.
 */
#include "packet/packet.h"

#include "frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct ft_decode_config config;
static struct ft_decode_config verifying; /* sends every packet through the loop */

static uint64_t state = 88172645463325252ull;

static uint32_t next_random(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20) % below;
}

/* ---- a frame of every kind ----------------------------------------------------------------- */

static void modbus_over_tcp(struct frame *f)
{
    open_tcp(f, 1025, 502);
    put(f, "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a", 12);
}

static void dns_over_udp(struct frame *f)
{
    open_udp(f, 1025, 53);
    put_data(f, 24);
}

static void build_tcp(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_udp(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 17);
    dns_over_udp(f);
}

static void build_vlan_tcp(struct frame *f)
{
    ethernet(f, 0x8100);
    vlan(f, 3, 100, 0x0800);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_tag_stack(struct frame *f)
{
    ethernet(f, 0x88a8);
    vlan(f, 1, 10, 0x9100);
    vlan(f, 2, 20, 0x9200);
    vlan(f, 3, 30, 0x9300);
    vlan(f, 4, 40, 0x8100);
    vlan(f, 5, 50, 0x0800);
    open_ipv4(f, 17);
    dns_over_udp(f);
}

static void build_ipv4_options(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 6);
    f->bytes[14] = 0x47;
    put(f, "\x94\x04\x00\x00\x01\x01\x01\x00", 8);
    open_tcp(f, 1025, 502);
    f->bytes[f->len - 8] = 0x70;
    put(f, "\x02\x04\x05\xb4\x01\x01\x04\x02", 8);
    put_data(f, 5);
}

static void build_ipv6_tcp(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 6);
    modbus_over_tcp(f);
}

/* Hop-by-hop, destination options, routing (arrived), AH, atomic fragment, destination options. */
static void build_ipv6_extensions(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 0);
    put(f, "\x3c\x00\x05\x02\x00\x00\x01\x00", 8);
    put(f, "\x2b\x01\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    put(f, "\x33\x02\x04\x00\0\0\0\0", 8);
    put_zeros(f, 16);
    put(f, "\x2c\x04\x00\x00\0\0\0\1\0\0\0\2", 12);
    put_zeros(f, 12);
    put(f, "\x3c\x00\x00\x00\x00\x00\x00\x09", 8);
    put(f, "\x06\x00\x01\x04\0\0\0\0", 8);
    modbus_over_tcp(f);
}

static void build_ipv6_mobility(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 135);
    put(f, "\x3b\x01\x05\x00\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void build_ipv6_hip_and_shim6(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 139);
    put(f, "\x8c\x00\0\0\0\0\0\0", 8);
    put(f, "\x11\x00\0\0\0\0\0\0", 8);
    dns_over_udp(f);
}

static void build_icmp(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 1);
    open_icmp(f, OPEN_ICMP, 8, 0);
    put_data(f, 32);
}

static void build_icmpv6(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 58);
    open_icmp(f, OPEN_ICMPV6, 135, 0);
    put_data(f, 24);
}

static void build_sctp(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 132);
    put16(f, 2905);
    put16(f, 2906);
    put32(f, 1);
    put32(f, 0xabcdef01);
    put_data(f, 16);
}

static void build_udp_lite(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 136);
    put16(f, 7000);
    put16(f, 7001);
    put16(f, 8);
    put16(f, 0);
    put_data(f, 16);
}

static void build_ospf(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4_between(f, 89, 0x0a000001, 0xe0000005);
    put_data(f, 44);
}

static void build_llc(struct frame *f)
{
    ethernet(f, 3 + 20);
    put(f, "\x42\x42\x03", 3);
    put_data(f, 20);
}

static void build_llc_numbered(struct frame *f)
{
    ethernet(f, 4 + 20);
    put(f, "\xf0\xf1\x02\x04", 4);
    put_data(f, 20);
}

static void build_snap(struct frame *f)
{
    ethernet(f, 8 + 20);
    put(f, "\xaa\xaa\x03\x00\x00\x0c\x20\x00", 8);
    put_data(f, 20);
}

static void build_snap_ip(struct frame *f)
{
    ethernet(f, 8 + 20 + 20 + 12);
    put(f, "\xaa\xaa\x03\x00\x00\x00\x08\x00", 8);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_goose(struct frame *f)
{
    ethernet(f, 0x8100);
    memcpy(f->bytes, "\x01\x0c\xcd\x01\x00\x01", 6);
    vlan(f, 4, 1, 0x88b8);
    put_data(f, 60);
}

static void build_mpls_ip(struct frame *f)
{
    ethernet(f, 0x8847);
    put32(f, 0x00010000 | 0x40);
    put32(f, 0x00020000 | 0x140);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_mpls_pseudowire(struct frame *f)
{
    ethernet(f, 0x8847);
    put32(f, 0x00020000 | 0x140);
    put32(f, 7);
    build_vlan_tcp(f);
}

static void build_pppoe(struct frame *f)
{
    ethernet(f, 0x8864);
    open_pppoe(f);
    put16(f, 0x0021);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_hsr(struct frame *f)
{
    ethernet(f, 0x892f);
    put16(f, 0x1036);
    put16(f, 0x0007);
    put16(f, 0x0800);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_macsec_clear(struct frame *f)
{
    ethernet(f, 0x88e5);
    put(f, "\x20\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x0a\x00\x01", 14);
    put16(f, 0x88b8);
    put_data(f, 48);
    put_zeros(f, 16);
}

static void build_many_tags(struct frame *f)
{
    ethernet(f, 0x893f);
    put(f, "\x00\x00\x00\x01\x00\x00\x89\x26", 8); /* E-TAG */
    put(f, "\x00\x01\x00\x02\x89\x09", 6);         /* VN-Tag */
    put(f, "\x01\x01\x00\x01\x00\x10\xf1\xc1", 8); /* Cisco metadata */
    put(f, "\x00\x00\x00\x09\x08\x00", 6);         /* R-TAG */
    open_ipv4(f, 17);
    dns_over_udp(f);
}

static void build_frames_in_frames(struct frame *f)
{
    ethernet(f, 0x88e7);
    put32(f, 0x00000123);
    ethernet(f, 0x8903);
    put16(f, 0x0040);
    build_tcp(f);
}

static void outer_ipv4(struct frame *f, unsigned proto)
{
    ethernet(f, 0x0800);
    open_ipv4_between(f, proto, 0xc0a80001, 0xc0a80002);
}

static void build_gre_all_fields(struct frame *f)
{
    outer_ipv4(f, 47);
    put16(f, 0xf000);
    put16(f, 0x0800);
    put32(f, 0);          /* checksum, offset */
    put32(f, 0x00001234); /* key */
    put32(f, 5);          /* sequence */
    put(f, "\x08\x00\x00\x04\x0a\x00\x00\x01\0\0\0\0", 12);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_gre_ethernet(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x6558);
    build_vlan_tcp(f);
}

static void build_gre_mpls(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x8847);
    put32(f, 0x00020000 | 0x140);
    open_ipv6(f, 6);
    modbus_over_tcp(f);
}

static void build_pptp(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x3081880b);
    put16(f, 0); /* length, for the test to fill in */
    put16(f, 99);
    put32(f, 1);
    put32(f, 1);
    put16(f, 0xff03);
    put16(f, 0x0021);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_erspan1(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x88be);
    build_tcp(f);
}

static void erspan2_begin(struct frame *f, uint32_t header)
{
    ethernet(f, 0x8100);
    vlan(f, 0, 999, 0x0800);
    open_ipv4_between(f, 47, 0xc0a80001, 0xc0a80002);
    put32(f, 0x100088be);
    put32(f, 1);
    put32(f, header);
    put32(f, 0);
}

static void build_erspan2(struct frame *f)
{
    erspan2_begin(f, 0x1064a000 | 33);
    build_tcp(f);
}

static void build_erspan3(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x100022eb);
    put32(f, 1);
    put32(f, 0x20001800 | 34);
    put32(f, 0);
    put32(f, 0x00008001); /* frame, subheader follows */
    put32(f, 0);
    put32(f, 0);
    build_vlan_tcp(f);
}

static void build_erspan3_ip(struct frame *f)
{
    outer_ipv4(f, 47);
    put32(f, 0x100022eb);
    put32(f, 1);
    put32(f, 0x20000000 | 35);
    put32(f, 0);
    put32(f, 0x00008800);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void vxlan_begin(struct frame *f, uint32_t flags)
{
    outer_ipv4(f, 17);
    open_udp(f, 50000, 4789);
    put32(f, flags);
    put32(f, 0x123456 << 8);
}

static void build_vxlan(struct frame *f)
{
    vxlan_begin(f, 0x08000000);
    build_tcp(f);
}

static void build_vxlan_gpe(struct frame *f)
{
    vxlan_begin(f, 0x0c000001);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_geneve(struct frame *f)
{
    outer_ipv4(f, 17);
    open_udp(f, 50000, 6081);
    put32(f, 0x02006558);
    put32(f, 0x000abc << 8);
    put_zeros(f, 8);
    build_vlan_tcp(f);
}

static void build_6in4(struct frame *f)
{
    outer_ipv4(f, 41);
    open_ipv6(f, 6);
    modbus_over_tcp(f);
}

static void build_4in6(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 4);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_etherip(struct frame *f)
{
    outer_ipv4(f, 97);
    put16(f, 0x3000);
    build_tcp(f);
}

static void build_mpls_in_ip(struct frame *f)
{
    outer_ipv4(f, 137);
    put32(f, 0x00020000 | 0x140);
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_nested(struct frame *f)
{
    vxlan_begin(f, 0x08000000);
    outer_ipv4(f, 47);
    put32(f, 0x0800);
    open_ipv4(f, 41);
    open_ipv6(f, 17);
    dns_over_udp(f);
}

static void build_fragment(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 17);
    set16(f->bytes + 20, 0x2005);
    put_data(f, 64);
}

static void build_fragment_v6(struct frame *f)
{
    ethernet(f, 0x86dd);
    open_ipv6(f, 44);
    put(f, "\x11\x00\x00\x29\x00\x00\x00\x09", 8);
    put_data(f, 64);
}

static void build_esp(struct frame *f)
{
    ethernet(f, 0x0800);
    open_ipv4(f, 50);
    put_data(f, 40);
}

static void build_raw(struct frame *f)
{
    open_ipv4(f, 6);
    modbus_over_tcp(f);
}

static void build_raw_v6(struct frame *f)
{
    open_ipv6(f, 6);
    modbus_over_tcp(f);
}

static void build_null_little(struct frame *f)
{
    put(f, "\x02\x00\x00\x00", 4);
    build_raw(f);
}

static void build_null_big(struct frame *f)
{
    put(f, "\x00\x00\x00\x1e", 4);
    build_raw_v6(f);
}

static void build_sll(struct frame *f)
{
    put(f, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x0a\x00\x00\x08\x00", 16);
    build_raw(f);
}

static void build_sll_llc(struct frame *f)
{
    put(f, "\x00\x02\x00\x01\x00\x06\x02\x00\x00\x00\x00\x0a\x00\x00\x00\x04", 16);
    put(f, "\x42\x42\x03", 3);
    put_data(f, 20);
}

static void build_sll2(struct frame *f)
{
    put(f, "\x08\x00\x00\x00\x00\x00\x00\x03\x00\x01\x00\x06\x02\x00\x00\x00\x00\x0a\x00\x00", 20);
    build_raw(f);
}

/* What is inside, seen from outside: enough to tell a frame decoded from one half decoded. */
enum inside {
    TCP4,
    TCP6,
    UDP4,
    UDP6,
    OTHER
};

static const struct kind {
    const char *name;
    void (*build)(struct frame *f);
    uint16_t linktype;
    enum inside inside;
    enum ft_tunnel tunnel;
} kinds[] = {
    {"tcp", build_tcp, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"udp", build_udp, FT_LINKTYPE_ETHERNET, UDP4, FT_TUNNEL_NONE},
    {"vlan tcp", build_vlan_tcp, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"tag stack", build_tag_stack, FT_LINKTYPE_ETHERNET, UDP4, FT_TUNNEL_NONE},
    {"ipv4 options", build_ipv4_options, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"ipv6 tcp", build_ipv6_tcp, FT_LINKTYPE_ETHERNET, TCP6, FT_TUNNEL_NONE},
    {"ipv6 extensions", build_ipv6_extensions, FT_LINKTYPE_ETHERNET, TCP6, FT_TUNNEL_NONE},
    {"ipv6 mobility", build_ipv6_mobility, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"ipv6 hip, shim6", build_ipv6_hip_and_shim6, FT_LINKTYPE_ETHERNET, UDP6, FT_TUNNEL_NONE},
    {"icmp", build_icmp, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"icmpv6", build_icmpv6, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"sctp", build_sctp, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"udp-lite", build_udp_lite, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"ospf", build_ospf, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"llc", build_llc, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"llc numbered", build_llc_numbered, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"snap", build_snap, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"snap ip", build_snap_ip, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"goose", build_goose, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"mpls ip", build_mpls_ip, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"mpls pseudowire", build_mpls_pseudowire, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"pppoe", build_pppoe, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"hsr", build_hsr, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"macsec in clear", build_macsec_clear, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"many tags", build_many_tags, FT_LINKTYPE_ETHERNET, UDP4, FT_TUNNEL_NONE},
    {"frames in frames", build_frames_in_frames, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_NONE},
    {"gre, all fields", build_gre_all_fields, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_GRE},
    {"gre ethernet", build_gre_ethernet, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_GRE},
    {"gre mpls", build_gre_mpls, FT_LINKTYPE_ETHERNET, TCP6, FT_TUNNEL_GRE},
    {"erspan 1", build_erspan1, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_ERSPAN},
    {"erspan 2", build_erspan2, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_ERSPAN},
    {"erspan 3", build_erspan3, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_ERSPAN},
    {"erspan 3 ip", build_erspan3_ip, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_ERSPAN},
    {"vxlan", build_vxlan, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_VXLAN},
    {"vxlan gpe", build_vxlan_gpe, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_VXLAN},
    {"geneve", build_geneve, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_GENEVE},
    {"6in4", build_6in4, FT_LINKTYPE_ETHERNET, TCP6, FT_TUNNEL_IPIP},
    {"4in6", build_4in6, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_IPIP},
    {"etherip", build_etherip, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_ETHERIP},
    {"mpls in ip", build_mpls_in_ip, FT_LINKTYPE_ETHERNET, TCP4, FT_TUNNEL_IPIP},
    {"nested", build_nested, FT_LINKTYPE_ETHERNET, UDP6, FT_TUNNEL_IPIP},
    {"fragment", build_fragment, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"fragment v6", build_fragment_v6, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"esp", build_esp, FT_LINKTYPE_ETHERNET, OTHER, FT_TUNNEL_NONE},
    {"raw", build_raw, FT_LINKTYPE_RAW, TCP4, FT_TUNNEL_NONE},
    {"raw 12", build_raw, FT_LINKTYPE_RAW_BSD, TCP4, FT_TUNNEL_NONE},
    {"raw 14", build_raw_v6, FT_LINKTYPE_RAW_OPENBSD, TCP6, FT_TUNNEL_NONE},
    {"raw ipv4", build_raw, FT_LINKTYPE_IPV4, TCP4, FT_TUNNEL_NONE},
    {"raw ipv6", build_raw_v6, FT_LINKTYPE_IPV6, TCP6, FT_TUNNEL_NONE},
    {"null", build_null_little, FT_LINKTYPE_NULL, TCP4, FT_TUNNEL_NONE},
    {"null, other order", build_null_big, FT_LINKTYPE_NULL, TCP6, FT_TUNNEL_NONE},
    {"loop", build_null_big, FT_LINKTYPE_LOOP, TCP6, FT_TUNNEL_NONE},
    {"sll", build_sll, FT_LINKTYPE_LINUX_SLL, TCP4, FT_TUNNEL_NONE},
    {"sll llc", build_sll_llc, FT_LINKTYPE_LINUX_SLL, OTHER, FT_TUNNEL_NONE},
    {"sll2", build_sll2, FT_LINKTYPE_LINUX_SLL2, TCP4, FT_TUNNEL_NONE},
};

enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0])
};

static struct frame f;

static void build(void (*builder)(struct frame *))
{
    frame_begin(&f);
    builder(&f);
    frame_end(&f);
}

static enum ft_decode_result decode(struct ft_packet *p, unsigned linktype)
{
    *p = packet_on(f.bytes, f.len, f.len, linktype);

    enum ft_decode_result result = ft_packet_decode(&config, p);

    packet_free(p);
    return result;
}

static enum ft_decode_result decode_built(struct ft_packet *p, void (*builder)(struct frame *))
{
    build(builder);
    return decode(p, FT_LINKTYPE_ETHERNET);
}

static void expect_bucket(enum ft_bucket bucket)
{
    struct ft_packet p;

    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODE_FAILED);
    if (p.bucket != bucket)
        print_error("%s instead of %s\n", ft_bucket_name(p.bucket), ft_bucket_name(bucket));
    assert_int_equal(p.bucket, bucket);
    assert_int_equal(p.shard, 0);
}

/* ---- all kinds ----------------------------------------------------------------------------- */

static void expect_inside(const struct kind *kind, const struct ft_packet *p)
{
    static const uint32_t flags[] = {
        [TCP4] = FT_PACKET_IPV4 | FT_PACKET_TCP,
        [TCP6] = FT_PACKET_IPV6 | FT_PACKET_TCP,
        [UDP4] = FT_PACKET_IPV4 | FT_PACKET_UDP,
        [UDP6] = FT_PACKET_IPV6 | FT_PACKET_UDP,
    };
    uint32_t network = FT_PACKET_IPV4 | FT_PACKET_IPV6 | FT_PACKET_TCP | FT_PACKET_UDP;

    assert_int_equal(p->outer.tunnel, kind->tunnel);
    assert_int_equal(!!(p->flags & FT_PACKET_TUNNELLED), kind->tunnel != FT_TUNNEL_NONE);
    if (kind->inside == OTHER)
        return;
    assert_int_equal(p->flags & network, flags[kind->inside]);
    assert_int_equal(p->src_port, 1025);
    assert_int_equal(p->dst_port, p->flags & FT_PACKET_TCP ? 502 : 53);
    assert_int_equal(p->src.bytes[p->flags & FT_PACKET_IPV6 ? 15 : 3], 1);
    assert_int_equal(p->dst.bytes[p->flags & FT_PACKET_IPV6 ? 15 : 3], 2);
    assert_true(p->payload_len == (p->flags & FT_PACKET_TCP ? 12u : 24u) || p->payload_len == 5);
    assert_int_equal(p->payload + p->payload_len, p->caplen);
}

static void test_every_kind_decodes(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < KINDS; i++) {
        struct ft_packet p, q;

        build(kinds[i].build);

        enum ft_decode_result result = decode(&p, kinds[i].linktype);

        if (result == FT_DECODE_FAILED)
            print_error("%s: %s\n", kinds[i].name, ft_bucket_name(p.bucket));
        assert_int_not_equal(result, FT_DECODE_FAILED);
        assert_int_equal(result == FT_DECODE_FRAGMENT, !!(p.flags & FT_PACKET_FRAGMENT));
        assert_int_equal(p.seq, 7);
        assert_int_equal(p.interface, 3);
        expect_inside(&kinds[i], &p);

        /* All checksums are right, and known to be. */
        q = packet_on(f.bytes, f.len, f.len, kinds[i].linktype);
        ft_packet_decode(&verifying, &q);
        assert_int_equal(p.flags, q.flags);
        packet_free(&q);
    }
}

static void expect_sane(const struct ft_packet *p, enum ft_decode_result result)
{
    if (result == FT_DECODE_FAILED) {
        assert_in_range(p->bucket, FT_BUCKET_UNDECODABLE, FT_BUCKET_SHED - 1);
        return;
    }
    assert_true(p->bucket == FT_BUCKET_NONE || p->bucket == FT_BUCKET_ENCRYPTED ||
                p->bucket == FT_BUCKET_NO_PAYLOAD);
    assert_true(p->payload <= p->caplen);
    assert_true(p->payload_len <= p->caplen - p->payload);
    assert_true(p->payload_wirelen >= p->payload_len);
    assert_true(p->payload_wirelen == p->payload_len || p->flags & FT_PACKET_CUT);
    assert_true(p->shard < FT_SHARDS);
    assert_true(p->vlan_count <= FT_PACKET_VLANS);
    assert_true(p->l3 <= p->payload);
}

/* The same packet through the straight line and through the loop. */
static enum ft_decode_result decode_twice(struct ft_packet *p, const uint8_t *bytes,
                                          uint32_t caplen, uint32_t wirelen, unsigned linktype)
{
    struct ft_packet q = packet_on(bytes, caplen, wirelen, linktype);

    *p = packet_on(bytes, caplen, wirelen, linktype);

    enum ft_decode_result result = ft_packet_decode(&config, p);

    assert_int_equal(ft_packet_decode(&verifying, &q), result);
    q.flags &= ~(FT_PACKET_IP_CHECKSUM_BAD | FT_PACKET_L4_CHECKSUM_BAD);
    packet_free(&q);
    q.data = p->data;
    assert_memory_equal(p, &q, sizeof(q));
    expect_sane(p, result);
    return result;
}

/*
 * The snap length takes the end: nobody is to blame, so the packet decodes, marked CUT (unless it
 * took nothing but padding), or counts as cut.
 */
static void test_snap_length_at_every_byte(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < KINDS; i++) {
        build(kinds[i].build);
        for (uint32_t caplen = 0; caplen < f.len; caplen++) {
            struct ft_packet p;
            enum ft_decode_result result =
                decode_twice(&p, f.bytes, caplen, f.len, kinds[i].linktype);

            if (result == FT_DECODE_FAILED)
                assert_int_equal(p.bucket, FT_BUCKET_CUT);
            else if (p.payload_wirelen)
                assert_true(p.flags & FT_PACKET_CUT || kinds[i].build == build_macsec_clear);
            packet_free(&p);
        }
    }
}

/* The wire itself is too short: the packet is as it is, never "cut"; an IP length is then wrong. */
static void test_wire_short_at_every_byte(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < KINDS; i++) {
        build(kinds[i].build);
        for (uint32_t len = 0; len < f.len; len++) {
            struct ft_packet p;
            enum ft_decode_result result = decode_twice(&p, f.bytes, len, len, kinds[i].linktype);

            if (result == FT_DECODE_FAILED)
                assert_int_not_equal(p.bucket, FT_BUCKET_CUT);
            else
                assert_false(p.flags & FT_PACKET_CUT);
            if (kinds[i].inside != OTHER)
                assert_false(result == FT_DECODED && p.flags & (FT_PACKET_TCP | FT_PACKET_UDP) &&
                             p.src_port == 1025);
            packet_free(&p);
        }
    }
}

static void test_random_mutations(void **unused)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x04, 0x06, 0x11, 0x2c, 0x2f, 0x29, 0x45, 0x4f,
                                      0x60, 0x7f, 0x80, 0x81, 0x86, 0x88, 0xa8, 0xbe, 0xdd, 0xff};

    (void)unused;
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = 0; i < KINDS; i++) {
            struct ft_packet p;

            build(kinds[i].build);
            for (unsigned change = 1 + next_random(4); change > 0; change--) {
                uint32_t at = next_random(f.len);

                f.bytes[at] = next_random(2) ? telling[next_random(sizeof(telling))]
                                             : (uint8_t)(f.bytes[at] ^ 1u << next_random(8));
            }

            uint32_t caplen = next_random(3) ? f.len : next_random(f.len + 1);

            decode_twice(&p, f.bytes, caplen, next_random(2) ? f.len : caplen, kinds[i].linktype);
            packet_free(&p);
        }
    }
}

static void test_random_bytes(void **unused)
{
    static const uint16_t linktypes[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147};

    (void)unused;
    for (unsigned round = 0; round < 20000; round++) {
        struct ft_packet p;
        uint8_t bytes[128];
        uint32_t len = next_random(sizeof(bytes) + 1);

        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)next_random(256);
        if (len > 34 && next_random(2)) {
            memcpy(bytes + 12, "\x08\x00\x45", 3);
            set16(bytes + 16, next_random(len));
            set16(bytes + 20, 0);
            bytes[23] = next_random(2) ? 6 : 17;
        }
        decode_twice(&p, bytes, len, len, linktypes[round % 11]);
        packet_free(&p);
    }
}

/* ---- fields -------------------------------------------------------------------------------- */

static void test_tcp_fields(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_vlan_tcp), FT_DECODED);
    assert_int_equal(p.flags, FT_PACKET_ETHERNET | FT_PACKET_IPV4 | FT_PACKET_TCP);
    assert_int_equal(p.l3, 18);
    assert_int_equal(p.payload, 58);
    assert_int_equal(p.payload_len, 12);
    assert_int_equal(p.payload_wirelen, 12);
    assert_int_equal(p.proto, 6);
    assert_int_equal(p.ttl, 64);
    assert_int_equal(p.ethertype, 0x0800);
    assert_int_equal(p.vlan_count, 1);
    assert_int_equal(p.vlan[0], 100);
    assert_int_equal(p.priority, 3);
    assert_memory_equal(p.dst_mac, "\x02\x00\x00\x00\x00\x0b", 6);
    assert_memory_equal(p.src_mac, "\x02\x00\x00\x00\x00\x0a", 6);
    assert_memory_equal(p.src.bytes, "\x0a\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_memory_equal(p.dst.bytes, "\x0a\x00\x00\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(p.tcp_seq, 0x01020304);
    assert_int_equal(p.tcp_ack, 0x05060708);
    assert_int_equal(p.tcp_flags, FT_TCP_PSH | FT_TCP_ACK);
    assert_int_equal(p.tcp_window, 0x2000);
    assert_int_equal(p.shard, ft_shard_ip(&p.src, &p.dst, false));
}

static void test_tag_stack(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_tag_stack), FT_DECODED);
    assert_int_equal(p.vlan_count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(p.vlan[i], 10 * (i + 1));
    assert_int_equal(p.priority, 5);
}

static void test_padding_is_removed(void **unused)
{
    struct ft_packet p;

    (void)unused;
    frame_begin(&f);
    ethernet(&f, 0x0800);
    open_ipv4(&f, 6);
    open_tcp(&f, 1, 2);
    frame_end(&f);
    put_zeros(&f, 6);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 0);
    assert_int_equal(p.payload_wirelen, 0);
    assert_false(p.flags & FT_PACKET_CUT);

    build(build_llc);
    put_zeros(&f, 23);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 20);
}

static void test_total_length_zero(void **unused)
{
    struct ft_packet p;

    (void)unused;
    build(build_tcp);
    set16(f.bytes + 16, 0);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 12);
    build(build_ipv6_tcp);
    set16(f.bytes + 18, 0);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 12);
}

static void test_llc_and_snap_fields(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_llc), FT_DECODED);
    assert_int_equal(p.flags, FT_PACKET_ETHERNET | FT_PACKET_LLC);
    assert_int_equal(p.ethertype, 0x4242);
    assert_int_equal(p.payload, 17);
    assert_int_equal(p.shard, ft_shard_mac(p.src_mac, p.dst_mac));

    assert_int_equal(decode_built(&p, build_llc_numbered), FT_DECODED);
    assert_int_equal(p.ethertype, 0xf0f1);
    assert_int_equal(p.payload, 18);

    assert_int_equal(decode_built(&p, build_snap), FT_DECODED);
    assert_int_equal(p.flags, FT_PACKET_ETHERNET | FT_PACKET_LLC | FT_PACKET_SNAP);
    assert_int_equal(p.snap, 0x00000c2000);
    assert_int_equal(p.ethertype, 0xaaaa);
    assert_int_equal(p.payload, 22);

    assert_int_equal(decode_built(&p, build_snap_ip), FT_DECODED);
    assert_false(p.flags & FT_PACKET_LLC);
    assert_int_equal(p.ethertype, 0x0800);

    /* Novell's own, and a length that counts the header too. */
    frame_begin(&f);
    ethernet(&f, 30);
    put16(&f, 0xffff);
    put_data(&f, 28);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.ethertype, 0x8137);
    assert_int_equal(p.payload, 14);
    build(build_snap);
    set16(f.bytes + 12, f.len);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 20);
    set16(f.bytes + 12, f.len + 1);
    expect_bucket(FT_BUCKET_ETHERNET);
    set16(f.bytes + 12, 0x05dd);
    expect_bucket(FT_BUCKET_ETHERNET);
    set16(f.bytes + 12, 0x05ff);
    expect_bucket(FT_BUCKET_ETHERNET);
}

static void test_layer_2_payload(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_goose), FT_DECODED);
    assert_int_equal(p.flags, FT_PACKET_ETHERNET | FT_PACKET_MULTICAST);
    assert_int_equal(p.ethertype, 0x88b8);
    assert_int_equal(p.payload, 18);
    assert_int_equal(p.l3, 18);
    assert_int_equal(p.payload_len, 60);
    assert_int_equal(p.proto, 0);

    /* Integrity only: the type behind the tag, without ICV. Encrypted: nothing to read. */
    assert_int_equal(decode_built(&p, build_macsec_clear), FT_DECODED);
    assert_int_equal(p.ethertype, 0x88b8);
    assert_int_equal(p.payload_len, 48);
    assert_int_equal(p.bucket, FT_BUCKET_NONE);
    f.bytes[14] |= 0x0c;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.bucket, FT_BUCKET_ENCRYPTED);
    assert_int_equal(p.ethertype, 0x88e5);
    assert_int_equal(p.payload, 14);
}

static void test_prp_trailer(void **unused)
{
    (void)unused;
    for (unsigned fcs = 0; fcs <= 4; fcs += 4) {
        for (unsigned wrong = 0; wrong < 3; wrong++) {
            struct ft_packet p;

            build(build_goose);
            put16(&f, 7);
            put16(&f, 0xa000 | (60 + 6 + (wrong == 1)));
            put16(&f, wrong == 2 ? 0x88fa : 0x88fb);
            put_zeros(&f, fcs);
            assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
            assert_int_equal(!!(p.flags & FT_PACKET_PRP), !wrong);
            assert_int_equal(p.flags & FT_PACKET_PRP_B, 0);
            assert_int_equal(p.payload_len, wrong ? 66 + fcs : 60);

            /* Behind IP it is told too, though padding there is removed anyway. */
            build(build_tcp);
            put16(&f, 7);
            put16(&f, 0xb000 | (52 + 6 + (wrong == 1)));
            put16(&f, wrong == 2 ? 0x88fa : 0x88fb);
            put_zeros(&f, fcs);
            assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
            assert_int_equal(!!(p.flags & FT_PACKET_PRP), !wrong);
            assert_int_equal(!!(p.flags & FT_PACKET_PRP_B), !wrong);
            assert_int_equal(p.payload_len, 12);
        }
    }
}

static void test_hsr_flag(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_hsr), FT_DECODED);
    assert_true(p.flags & FT_PACKET_HSR);
}

static void test_mpls_payloads(void **unused)
{
    struct ft_packet p;

    (void)unused;
    /* A pseudowire without control word whose MAC address begins with the digit 4. */
    frame_begin(&f);
    ethernet(&f, 0x8847);
    put32(&f, 0x00020000 | 0x140);

    uint32_t at = f.len;

    build_tcp(&f);
    f.bytes[at] = 0x40;
    frame_end(&f);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.dst_port, 502);
    assert_int_equal(p.dst_mac[0], 0x40);

    /* An associated channel is nobody's frame: the payload is the label stack. */
    frame_begin(&f);
    ethernet(&f, 0x8847);
    put32(&f, 0x00020000 | 0x140);
    put32(&f, 0x10000021);
    put_data(&f, 40);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.ethertype, 0x8847);
    assert_int_equal(p.payload, 14);

    /* No label is the bottom of the stack. */
    frame_begin(&f);
    ethernet(&f, 0x8847);
    for (unsigned i = 0; i < 5; i++)
        put32(&f, 0x00020040);
    expect_bucket(FT_BUCKET_TAG);
}

static void test_pppoe_control_is_payload(void **unused)
{
    struct ft_packet p;

    (void)unused;
    frame_begin(&f);
    ethernet(&f, 0x8864);
    open_pppoe(&f);
    put16(&f, 0xc021);
    put_data(&f, 10);
    frame_end(&f);
    put_zeros(&f, 28);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.ethertype, 0x8864);
    assert_int_equal(p.payload, 14);
    assert_int_equal(p.payload_len, 18);
    f.bytes[14] = 0x21;
    expect_bucket(FT_BUCKET_TAG);
    f.bytes[14] = 0x11;
    set16(f.bytes + 18, 100);
    expect_bucket(FT_BUCKET_TAG);
}

static void test_ipv6_ends(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_ipv6_mobility), FT_DECODED);
    assert_int_equal(p.proto, 135);
    assert_int_equal(p.payload_len, 16);

    frame_begin(&f);
    ethernet(&f, 0x86dd);
    open_ipv6(&f, 59);
    put_data(&f, 10);
    frame_end(&f);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.bucket, FT_BUCKET_NO_PAYLOAD);
    assert_int_equal(p.payload_len, 0);

    assert_int_equal(decode_built(&p, build_esp), FT_DECODED);
    assert_int_equal(p.bucket, FT_BUCKET_ENCRYPTED);
    assert_int_equal(p.proto, 50);

    /* An extension that is longer than the packet. */
    build(build_ipv6_extensions);
    f.bytes[55] = 200;
    expect_bucket(FT_BUCKET_IPV6_EXTENSION);
}

static void test_jumbogram(void **unused)
{
    struct ft_packet p;
    uint32_t data = 66000;

    (void)unused;
    frame_begin(&f);
    ethernet(&f, 0x86dd);
    open_ipv6(&f, 0);
    put(&f, "\x11\x00\xc2\x04", 4);
    put32(&f, 8 + 8 + data);
    open_udp(&f, 1, 2);
    put_data(&f, data);
    frame_end(&f);
    set16(f.bytes + 18, 0);
    set16(f.bytes + 14 + 48 + 4, 0);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, data);
}

static void test_icmp_fields(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_icmpv6), FT_DECODED);
    assert_int_equal(p.src_port, 135);
    assert_int_equal(p.dst_port, 0);
    assert_int_equal(p.proto, 58);
    assert_int_equal(p.payload, 54);
    assert_int_equal(p.payload_len, 32);
    assert_int_equal(decode_built(&p, build_ospf), FT_DECODED);
    assert_int_equal(p.proto, 89);
    assert_int_equal(p.payload, 34);
    assert_int_equal(p.payload_len, 44);
    assert_true(p.flags & FT_PACKET_MULTICAST);
    assert_int_equal(decode_built(&p, build_sctp), FT_DECODED);
    assert_int_equal(p.src_port, 2905);
    assert_int_equal(p.payload_len, 16);
}

static void test_multicast(void **unused)
{
    struct ft_packet p;

    (void)unused;
    build(build_udp);
    memset(f.bytes + 30, 0xff, 4);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_MULTICAST);
    /* A directed broadcast is known by its MAC; a group MAC alone says nothing about IP. */
    build(build_udp);
    memset(f.bytes, 0xff, 6);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_MULTICAST);
    f.bytes[5] = 0xfe;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_MULTICAST);
    build(build_ipv6_tcp);
    f.bytes[38] = 0xff;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_MULTICAST);
}

/* ---- tunnels ------------------------------------------------------------------------------- */

static void test_outer_is_kept(void **unused)
{
    struct ft_packet p;

    (void)unused;
    assert_int_equal(decode_built(&p, build_vxlan), FT_DECODED);
    assert_memory_equal(p.outer.src.bytes, "\xc0\xa8\x00\x01", 4);
    assert_memory_equal(p.outer.dst.bytes, "\xc0\xa8\x00\x02", 4);
    assert_int_equal(p.outer.src_port, 50000);
    assert_int_equal(p.outer.dst_port, 4789);
    assert_int_equal(p.outer.proto, 17);
    assert_int_equal(p.outer.is_ipv6, 0);
    assert_int_equal(p.outer.depth, 1);
    assert_int_equal(p.outer.id, 0x123456);

    assert_int_equal(decode_built(&p, build_nested), FT_DECODED);
    assert_int_equal(p.outer.depth, 3);
    assert_int_equal(p.outer.proto, 17);
    assert_int_equal(p.outer.tunnel, FT_TUNNEL_IPIP);
    assert_memory_equal(p.outer.src.bytes, "\xc0\xa8\x00\x01", 4);

    assert_int_equal(decode_built(&p, build_4in6), FT_DECODED);
    assert_int_equal(p.outer.is_ipv6, 1);
    assert_int_equal(p.outer.proto, 4);

    assert_int_equal(decode_built(&p, build_gre_all_fields), FT_DECODED);
    assert_int_equal(p.outer.id, 0x1234);
    assert_int_equal(p.outer.proto, 47);
    assert_int_equal(decode_built(&p, build_geneve), FT_DECODED);
    assert_int_equal(p.outer.id, 0xabc);
    assert_int_equal(p.vlan[0], 100);
}

static void test_erspan(void **unused)
{
    struct ft_packet p;

    (void)unused;
    /* The tag that the switch took off is in the header; the one outside is the transport's. */
    assert_int_equal(decode_built(&p, build_erspan2), FT_DECODED);
    assert_int_equal(p.outer.id, 33);
    assert_int_equal(p.vlan_count, 1);
    assert_int_equal(p.vlan[0], 100);
    assert_int_equal(p.priority, 5);
    assert_int_equal(decode_built(&p, build_erspan3), FT_DECODED);
    assert_int_equal(p.outer.id, 34);
    assert_int_equal(p.vlan_count, 1);
    assert_int_equal(p.vlan[0], 100);

    /* Cut by the switch, and it says so: the inner length is the truth. */
    frame_begin(&f);
    erspan2_begin(&f, 0x10000400 | 33);

    uint32_t at = f.len;

    build_tcp(&f);
    frame_end(&f);
    set16(f.bytes + at + 16, 1500);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_CUT);
    assert_int_equal(p.payload_len, 12);
    assert_int_equal(p.payload_wirelen, 1460);

    /* The same without saying so is a lie; another version is no ERSPAN. */
    f.bytes[at - 8 + 2] &= ~4;
    expect_bucket(FT_BUCKET_IPV4_HEADER);
    f.bytes[at - 8] = 0x30;
    expect_bucket(FT_BUCKET_TUNNEL);

    /* Cut behind layer 2: what is there is the payload, its length unknown. */
    frame_begin(&f);
    erspan2_begin(&f, 0x10000400 | 33);
    build_goose(&f);
    frame_end(&f);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_CUT);
    assert_int_equal(p.payload_len, 60);
    assert_int_equal(p.payload_wirelen, 60);
}

static void test_gre_of_what_is_not_read(void **unused)
{
    struct ft_packet p;

    (void)unused;
    frame_begin(&f);
    outer_ipv4(&f, 47);
    put32(&f, 0x00fe);
    put_data(&f, 40);
    frame_end(&f);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_TUNNELLED);
    assert_int_equal(p.proto, 47);
    assert_int_equal(p.payload, 34);
    assert_int_equal(p.payload_len, 44);

    /* Version 2 does not exist; a source route that never ends. */
    f.bytes[35] = 2;
    expect_bucket(FT_BUCKET_TUNNEL);
    f.bytes[34] = 0x40;
    f.bytes[35] = 0;
    expect_bucket(FT_BUCKET_TUNNEL);
}

static void test_pptp(void **unused)
{
    struct ft_packet p;

    (void)unused;
    build(build_pptp);
    set16(f.bytes + 38, f.len - 34 - 16);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.outer.tunnel, FT_TUNNEL_GRE);
    assert_int_equal(p.outer.id, 99);
    assert_int_equal(p.dst_port, 502);
    set16(f.bytes + 38, f.len);
    expect_bucket(FT_BUCKET_TUNNEL);
}

static void test_vxlan_port_proves_nothing(void **unused)
{
    struct ft_packet p;
    const uint32_t header = 14 + 20 + 8;

    (void)unused;
    /* No VNI flag. */
    build(build_vxlan);
    f.bytes[header] = 0;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_TUNNELLED);
    assert_int_equal(p.dst_port, 4789);
    assert_int_equal(p.payload, header);

    /* Reserved bits over a frame that makes sense, then over one that does not. */
    build(build_vxlan);
    f.bytes[header + 7] = 1;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_TUNNELLED);
    f.bytes[header + 8 + 14] = 0x33;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_TUNNELLED);

    /* Group policy. */
    build(build_vxlan);
    memcpy(f.bytes + header, "\x88\x40\x00\x10", 4);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_TUNNELLED);

    /* Another port, until it is configured. */
    build(build_vxlan);
    set16(f.bytes + 36, 9999);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_TUNNELLED);
    config.vxlan_ports[3] = 9999;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_true(p.flags & FT_PACKET_TUNNELLED);
    ft_decode_config_init(&config);

    /* Port 0 is "unused", not a port. */
    set16(f.bytes + 36, 0);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_false(p.flags & FT_PACKET_TUNNELLED);
}

static void test_geneve_port_proves_nothing(void **unused)
{
    struct ft_packet p;
    const uint32_t header = 14 + 20 + 8;
    static const struct {
        uint8_t at, value;
    } changes[] = {{0, 0x42}, {0, 0x3f}, {1, 0x01}, {2, 0x12}, {7, 0x01}};

    (void)unused;
    for (unsigned i = 0; i < 5; i++) {
        build(build_geneve);
        f.bytes[header + changes[i].at] = changes[i].value;
        assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
        assert_false(p.flags & FT_PACKET_TUNNELLED);
        assert_int_equal(p.dst_port, 6081);
    }
}

static void test_too_many_layers(void **unused)
{
    struct ft_packet p;

    (void)unused;
    for (unsigned tags = 10; tags < 60; tags++) {
        frame_begin(&f);
        ethernet(&f, 0x8100);
        for (unsigned i = 0; i < tags; i++)
            vlan(&f, 0, i, i + 1 < tags ? 0x8100 : 0x88b8);
        put_data(&f, 10);
        if (1 + tags <= FT_PACKET_LAYERS)
            assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
        else
            expect_bucket(FT_BUCKET_TOO_MANY_LAYERS);
    }
    for (unsigned i = 0; i < 20; i++) {
        frame_begin(&f);
        ethernet(&f, 0x0800);
        for (unsigned k = 0; k <= i; k++)
            open_ipv4(&f, k < i ? 4 : 6);
        modbus_over_tcp(&f);
        frame_end(&f);
        /* Ethernet, i + 1 times IP, i times the tunnel between them, TCP. */
        if (3 + 2 * i <= FT_PACKET_LAYERS)
            assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
        else
            expect_bucket(FT_BUCKET_TOO_MANY_LAYERS);
    }
}

/* ---- hostile headers ----------------------------------------------------------------------- */

static void expect_change(void (*builder)(struct frame *), uint32_t at, unsigned value,
                          enum ft_bucket bucket)
{
    build(builder);
    f.bytes[at] = (uint8_t)value;
    expect_bucket(bucket);
}

static void test_hostile_headers(void **unused)
{
    (void)unused;
    expect_change(build_tcp, 14, 0x44, FT_BUCKET_IPV4_HEADER);      /* IHL 4 */
    expect_change(build_tcp, 14, 0x4f, FT_BUCKET_IPV4_HEADER);      /* IHL over total length */
    expect_change(build_tcp, 14, 0x65, FT_BUCKET_IPV4_HEADER);      /* version */
    expect_change(build_tcp, 16, 0x01, FT_BUCKET_IPV4_HEADER);      /* total over frame */
    expect_change(build_tcp, 17, 19, FT_BUCKET_IPV4_HEADER);        /* total under header */
    expect_change(build_tcp, 17, 39, FT_BUCKET_TCP_HEADER);         /* no room for TCP */
    expect_change(build_tcp, 46, 0x40, FT_BUCKET_TCP_HEADER);       /* data offset 4 */
    expect_change(build_tcp, 46, 0xf0, FT_BUCKET_TCP_HEADER);       /* beyond the segment */
    expect_change(build_udp, 17, 27, FT_BUCKET_UDP_HEADER);         /* no room for UDP */
    expect_change(build_udp, 39, 7, FT_BUCKET_UDP_HEADER);          /* length under 8 */
    expect_change(build_udp, 39, 0, FT_BUCKET_UDP_HEADER);          /* 0 is for IPv6 */
    expect_change(build_udp, 39, 33, FT_BUCKET_UDP_HEADER);         /* beyond IP */
    expect_change(build_icmp, 17, 27, FT_BUCKET_ICMP_HEADER);       /* seven bytes */
    expect_change(build_sctp, 17, 31, FT_BUCKET_SCTP_HEADER);       /* eleven bytes */
    expect_change(build_ipv6_tcp, 14, 0x50, FT_BUCKET_IPV6_HEADER); /* version */
    expect_change(build_ipv6_tcp, 18, 0x01, FT_BUCKET_IPV6_HEADER); /* length over frame */
    expect_change(build_fragment, 17, 83, FT_BUCKET_FRAGMENT);      /* not a multiple of 8 */
    expect_change(build_fragment, 17, 20, FT_BUCKET_FRAGMENT);      /* empty */
    expect_change(build_fragment_v6, 19, 71, FT_BUCKET_FRAGMENT);   /* not a multiple of 8 */
    expect_change(build_etherip, 34, 0x20, FT_BUCKET_TUNNEL);       /* version */
    expect_change(build_macsec_clear, 14, 0x80, FT_BUCKET_TAG);     /* version */

    struct ft_packet p;

    /* "Ping of death": the fragment ends beyond the largest datagram. */
    build(build_fragment);
    set16(f.bytes + 20, 0x3ff8);
    expect_bucket(FT_BUCKET_FRAGMENT);
    build(build_fragment_v6);
    set16(f.bytes + 56, 0xffc1);
    expect_bucket(FT_BUCKET_FRAGMENT);

    build(build_tcp);
    assert_int_equal(decode(&p, 147), FT_DECODE_FAILED);
    assert_int_equal(p.bucket, FT_BUCKET_LINKTYPE);
    build(build_null_little);
    f.bytes[0] = 99;
    assert_int_equal(decode(&p, FT_LINKTYPE_NULL), FT_DECODE_FAILED);
    assert_int_equal(p.bucket, FT_BUCKET_LINKTYPE);
}

/* A surplus behind the UDP length is not payload. */
static void test_udp_surplus(void **unused)
{
    struct ft_packet p;

    (void)unused;
    build(build_udp);
    f.bytes[39] = 20;
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p.payload_len, 12);
}

/* ---- checksums ----------------------------------------------------------------------------- */

static void expect_checksum(void (*builder)(struct frame *), uint32_t at, uint32_t flag,
                            enum ft_bucket bucket)
{
    struct ft_decode_config drop = config;
    struct ft_packet p;

    drop.checksum = FT_CHECKSUM_DROP;
    build(builder);
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&drop, &p), FT_DECODED);
    assert_false(p.flags & (FT_PACKET_IP_CHECKSUM_BAD | FT_PACKET_L4_CHECKSUM_BAD));
    packet_free(&p);

    f.bytes[at] ^= 0x01;
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&drop, &p), FT_DECODE_FAILED);
    assert_int_equal(p.bucket, bucket);
    packet_free(&p);
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&verifying, &p), FT_DECODED);
    assert_true(p.flags & flag);
    packet_free(&p);
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&config, &p), FT_DECODED);
    assert_false(p.flags & flag);
    packet_free(&p);
}

static void test_checksums(void **unused)
{
    const uint32_t l4 = FT_PACKET_L4_CHECKSUM_BAD;

    (void)unused;
    expect_checksum(build_tcp, 22, FT_PACKET_IP_CHECKSUM_BAD, FT_BUCKET_IPV4_CHECKSUM);
    expect_checksum(build_tcp, 60, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_udp, 60, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_ipv6_tcp, 80, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_ipv6_tcp, 30, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_icmp, 50, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_icmpv6, 60, l4, FT_BUCKET_L4_CHECKSUM);
    expect_checksum(build_ipv4_options, 66, l4, FT_BUCKET_L4_CHECKSUM);
}

static void test_checksums_that_cannot_be_known(void **unused)
{
    struct ft_packet p;

    (void)unused;
    /* None over IPv4. */
    build(build_udp);
    set16(f.bytes + 40, 0);
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&verifying, &p), FT_DECODED);
    assert_false(p.flags & FT_PACKET_L4_CHECKSUM_BAD);
    packet_free(&p);

    /* Cut by the snap length. */
    build(build_tcp);
    f.bytes[60] ^= 1;
    p = packet_on(f.bytes, f.len - 1, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&verifying, &p), FT_DECODED);
    assert_false(p.flags & FT_PACKET_L4_CHECKSUM_BAD);
    packet_free(&p);

    /* On its way along a route: the last destination is not the header's. */
    build(build_ipv6_extensions);
    f.bytes[14 + 40 + 8 + 16 + 3] = 1;
    f.bytes[14 + 39] ^= 1;
    p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&verifying, &p), FT_DECODED);
    assert_false(p.flags & FT_PACKET_L4_CHECKSUM_BAD);
    packet_free(&p);
}

/* The checksum at `at` is left to the NIC, over `length` bytes of `proto` behind an IPv4 header at
 * 14 or an IPv6 header with addresses at 22. */
static void leave_open(uint32_t at, unsigned proto, uint32_t length, bool is_v6)
{
    uint8_t tail[4] = {0, (uint8_t)proto, (uint8_t)(length >> 8), (uint8_t)length};
    uint64_t sum = ft_checksum_add(0, tail, 4);
    uint16_t partial = (uint16_t)~ft_checksum_finish(
        ft_checksum_add(sum, f.bytes + (is_v6 ? 22 : 26), is_v6 ? 32 : 8));

    memcpy(f.bytes + at, &partial, 2);
}

/* What the frame is under both policies: decoded, and its checksum neither right nor wrong. */
static void expect_open(bool is_open, uint32_t source)
{
    struct ft_decode_config dropping = config;
    const struct ft_decode_config *configs[] = {&verifying, &dropping};

    dropping.checksum = FT_CHECKSUM_DROP;
    for (unsigned i = 0; i < 2; i++) {
        struct ft_packet p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
        p.flags = source;
        bool is_decoded = ft_packet_decode(configs[i], &p) == FT_DECODED;
        assert_int_equal(is_decoded, is_open || i == 0);
        assert_int_equal(!!(p.flags & FT_PACKET_CHECKSUM_OPEN), is_open);
        assert_int_equal(!!(p.flags & (FT_PACKET_L4_CHECKSUM_BAD | FT_PACKET_IP_CHECKSUM_BAD)),
                         !is_open);
        packet_free(&p);
    }
}

static void test_open_checksums(void **unused)
{
    (void)unused;
    build(build_tcp);
    leave_open(14 + 20 + 16, 6, f.len - 34, false);
    expect_open(true, 0);
    leave_open(14 + 20 + 16, 6, 0, false); /* to be cut by the NIC */
    expect_open(true, 0);
    f.bytes[14 + 20 + 16] ^= 1;
    expect_open(false, 0);
    expect_open(true, FT_PACKET_CHECKSUM_OPEN); /* the source knows it */
    build(build_udp);
    leave_open(14 + 20 + 6, 17, f.len - 34, false);
    expect_open(true, 0);
    leave_open(14 + 20 + 6, 6, f.len - 34, false);
    expect_open(false, 0);
    build(build_ipv6_tcp);
    leave_open(14 + 40 + 16, 6, f.len - 54, true);
    expect_open(true, 0);
    build(build_icmpv6);
    leave_open(14 + 40 + 2, 58, f.len - 54, true);
    expect_open(true, 0);
    /* the header of IPv4: 0, which is hardly ever right */
    build(build_tcp);
    set16(f.bytes + 24, 0);
    expect_open(true, 0);
    set16(f.bytes + 24, 1);
    expect_open(false, 0);
    /* and that of layer 4 is still looked at */
    set16(f.bytes + 24, 0);
    f.bytes[60] ^= 1;
    struct ft_packet p = packet_on(f.bytes, f.len, f.len, FT_LINKTYPE_ETHERNET);
    assert_int_equal(ft_packet_decode(&verifying, &p), FT_DECODED);
    assert_true(p.flags & FT_PACKET_L4_CHECKSUM_BAD);
    packet_free(&p);
}

/* ---- hash ---------------------------------------------------------------------------------- */

/* Swap two fields of n bytes. */
static void swap(uint32_t a, uint32_t b, uint32_t n)
{
    uint8_t bytes[16];

    memcpy(bytes, f.bytes + a, n);
    memcpy(f.bytes + a, f.bytes + b, n);
    memcpy(f.bytes + b, bytes, n);
}

static void expect_same_hash(const struct ft_packet *p)
{
    struct ft_packet q;

    assert_int_equal(decode(&q, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_equal(p->flow_hash, q.flow_hash);
    assert_int_equal(p->shard, q.shard);
}

static void test_hash_is_symmetric(void **unused)
{
    struct ft_packet p, q;

    (void)unused;
    for (unsigned i = 0; i < 200; i++) {
        build(i & 1 ? build_tcp : build_vlan_tcp);

        uint32_t l3 = i & 1 ? 14 : 18;

        for (uint32_t k = 0; k < 12; k++)
            f.bytes[l3 + 12 + k] = (uint8_t)next_random(i < 100 ? 2 : 256);
        assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
        swap(l3 + 12, l3 + 16, 4);
        swap(l3 + 20, l3 + 22, 2);
        expect_same_hash(&p);

        build(build_ipv6_tcp);
        for (uint32_t k = 0; k < 36; k++)
            f.bytes[22 + k] = (uint8_t)next_random(i < 100 ? 2 : 256);
        assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
        swap(22, 38, 16);
        swap(54, 56, 2);
        expect_same_hash(&p);
    }

    /* Same addresses, ports swapped; MAC addresses; SAPs; type and code. */
    build(build_ipv6_tcp);
    memcpy(f.bytes + 22, f.bytes + 38, 16);
    assert_int_equal(decode(&p, FT_LINKTYPE_ETHERNET), FT_DECODED);
    swap(54, 56, 2);
    expect_same_hash(&p);
    assert_int_equal(decode_built(&p, build_goose), FT_DECODED);
    swap(0, 6, 6);
    expect_same_hash(&p);
    assert_int_equal(decode_built(&p, build_llc_numbered), FT_DECODED);
    swap(0, 6, 6);
    swap(14, 15, 1);
    expect_same_hash(&p);
    assert_int_equal(decode_built(&p, build_icmp), FT_DECODED);
    swap(26, 30, 4);
    f.bytes[34] = 0;
    expect_same_hash(&p);

    /* Other port, protocol or seed: another hash. The VLAN counts when configured. */
    assert_int_equal(decode_built(&p, build_vlan_tcp), FT_DECODED);
    f.bytes[38] ^= 1;
    assert_int_equal(decode(&q, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_not_equal(p.flow_hash, q.flow_hash);
    build(build_vlan_tcp);
    f.bytes[15] ^= 1;
    expect_same_hash(&p);
    config.vlan_in_flow_key = true;
    assert_int_equal(decode_built(&p, build_vlan_tcp), FT_DECODED);
    f.bytes[15] ^= 1;
    assert_int_equal(decode(&q, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_not_equal(p.flow_hash, q.flow_hash);
    config.vlan_in_flow_key = false;
    config.hash_seed = 1;
    assert_int_equal(decode(&q, FT_LINKTYPE_ETHERNET), FT_DECODED);
    assert_int_not_equal(p.flow_hash, q.flow_hash);
    ft_decode_config_init(&config);
}

static void test_bucket_names(void **unused)
{
    (void)unused;
    for (int i = 0; i < FT_BUCKET_COUNT; i++) {
        assert_non_null(ft_bucket_name(i));
        assert_int_equal(strncmp(ft_bucket_name(i), "undecodable.", 12) == 0,
                         i >= FT_BUCKET_UNDECODABLE && i < FT_BUCKET_SHED);
        assert_int_equal(strncmp(ft_bucket_name(i), "shed.", 5) == 0, i >= FT_BUCKET_SHED);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ft_bucket_name(i), ft_bucket_name(k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_decodes),
        cmocka_unit_test(test_snap_length_at_every_byte),
        cmocka_unit_test(test_wire_short_at_every_byte),
        cmocka_unit_test(test_random_mutations),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_tcp_fields),
        cmocka_unit_test(test_tag_stack),
        cmocka_unit_test(test_padding_is_removed),
        cmocka_unit_test(test_total_length_zero),
        cmocka_unit_test(test_llc_and_snap_fields),
        cmocka_unit_test(test_layer_2_payload),
        cmocka_unit_test(test_prp_trailer),
        cmocka_unit_test(test_hsr_flag),
        cmocka_unit_test(test_mpls_payloads),
        cmocka_unit_test(test_pppoe_control_is_payload),
        cmocka_unit_test(test_ipv6_ends),
        cmocka_unit_test(test_jumbogram),
        cmocka_unit_test(test_icmp_fields),
        cmocka_unit_test(test_multicast),
        cmocka_unit_test(test_outer_is_kept),
        cmocka_unit_test(test_erspan),
        cmocka_unit_test(test_gre_of_what_is_not_read),
        cmocka_unit_test(test_pptp),
        cmocka_unit_test(test_vxlan_port_proves_nothing),
        cmocka_unit_test(test_geneve_port_proves_nothing),
        cmocka_unit_test(test_too_many_layers),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_udp_surplus),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_checksums_that_cannot_be_known),
        cmocka_unit_test(test_open_checksums),
        cmocka_unit_test(test_hash_is_symmetric),
        cmocka_unit_test(test_bucket_names),
    };

    ft_decode_config_init(&config);
    verifying = config;
    verifying.verify_checksums = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
