/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small plant, a water works with a filling line and a substation, and the many more devices
 * of a benchmark. Vendors' address blocks are real, serial numbers and names are invented.
 */
#include "cast.h"

#include "dnp3.h"
#include "enip.h"
#include "modbus.h"
#include "s7.h"

#define OUI_CISCO     0x00000c
#define OUI_HP        0x3cd92b
#define OUI_DELL      0xf8b156
#define OUI_MOXA      0x0090e8
#define OUI_SCHNEIDER 0x0080f4
#define OUI_SIEMENS   0x001b1b
#define OUI_ROCKWELL  0x0000bc
#define OUI_ABB       0x000023
#define OUI_GE        0x00a0f4
#define OUI_SEL       0x0030a7
#define OUI_WISTRON   0xf0def1

enum {
    NET = 10 << 24 | 10 << 16 | 1 << 8,           /* 10.10.1.0/24 */
    FRONT_END_NET = 10 << 24 | 10 << 16 | 2 << 8, /* 10.10.2.0/24 and up */
    EXTRA_NET = 10 << 24 | 64 << 16,              /* 10.64.0.0 and up */
    PER_FRONT_END = 4096,
    PC_TTL = 128,
    DEVICE_TTL = 64,
    PC_MSS = 1460,
    PC_WINDOW = 64240,
};

static const struct {
    uint32_t oui;
    uint8_t last; /* octet of the address */
    uint16_t mss;
    uint16_t window;
} host_table[FT_HOST_COUNT] = {
    [FT_HOST_GATEWAY] = {OUI_CISCO, 1, 1460, 4128},
    [FT_HOST_SERVER] = {OUI_HP, 5, PC_MSS, PC_WINDOW},
    [FT_HOST_SCADA] = {OUI_DELL, 10, PC_MSS, PC_WINDOW},
    [FT_HOST_HMI1] = {OUI_DELL, 11, PC_MSS, PC_WINDOW},
    [FT_HOST_HMI2] = {OUI_HP, 12, PC_MSS, PC_WINDOW},
    [FT_HOST_ENGINEERING] = {OUI_DELL, 20, PC_MSS, PC_WINDOW},
    [FT_HOST_HISTORIAN] = {OUI_HP, 30, PC_MSS, PC_WINDOW},
    [FT_HOST_SWITCH] = {OUI_CISCO, 2, 1460, 4128},
    [FT_HOST_MODICON1] = {OUI_SCHNEIDER, 101, 1460, 8192},
    [FT_HOST_MODICON2] = {OUI_SCHNEIDER, 102, 1460, 8192},
    [FT_HOST_MODBUS_GATEWAY] = {OUI_SCHNEIDER, 103, 1460, 2920},
    [FT_HOST_SERIAL_SERVER] = {OUI_MOXA, 104, 1460, 2920},
    [FT_HOST_S7_LINE7] = {OUI_SIEMENS, 111, 1460, 8192},
    [FT_HOST_S7_LINE8] = {OUI_SIEMENS, 112, 1460, 4096},
    [FT_HOST_RTU1] = {OUI_SEL, 121, 536, 4288},
    [FT_HOST_RTU2] = {OUI_SEL, 122, 1024, 8192},
    [FT_HOST_RTU_UDP] = {OUI_GE, 123, 1460, 8192},
    [FT_HOST_LOGIX] = {OUI_ROCKWELL, 131, 1460, 8192},
    [FT_HOST_REMOTE_IO] = {OUI_ROCKWELL, 132, 1460, 4096},
    [FT_HOST_MICROLOGIX] = {OUI_ROCKWELL, 133, 1460, 4096},
    [FT_HOST_IED1] = {OUI_ABB, 141, 1460, 8192},
    [FT_HOST_IED2] = {OUI_GE, 142, 1460, 8192},
    [FT_HOST_LAPTOP] = {OUI_WISTRON, 66, PC_MSS, PC_WINDOW},
};

/* Normal operation of the small plant. Flag 0 with ARP: begins within the capture. */
static const struct {
    const struct ft_conv_kind *kind;
    uint8_t client;
    uint8_t server;
    uint8_t flags;
    uint32_t period_ms;
    uint32_t delay_ms;
} conv_table[] = {
    {&ft_modbus_scada, FT_HOST_SCADA, FT_HOST_MODICON1, FT_CONV_ARP, 500, 40},
    {&ft_modbus_hmi, FT_HOST_HMI1, FT_HOST_MODICON1, FT_CONV_MID_STREAM, 250, 10},
    {&ft_modbus_historian, FT_HOST_HISTORIAN, FT_HOST_MODICON1, FT_CONV_MID_STREAM, 5000, 700},
    {&ft_modbus_scada, FT_HOST_SCADA, FT_HOST_MODICON2, FT_CONV_MID_STREAM, 1000, 120},
    {&ft_modbus_gateway, FT_HOST_SCADA, FT_HOST_MODBUS_GATEWAY, FT_CONV_ARP, 400, 300},
    {&ft_modbus_serial, FT_HOST_SCADA, FT_HOST_SERIAL_SERVER, FT_CONV_ARP, 600, 350},
    {&ft_modbus_identify, FT_HOST_ENGINEERING, FT_HOST_MODICON1, FT_CONV_ARP, 300, 9000},

    {&ft_s7_hmi, FT_HOST_HMI2, FT_HOST_S7_LINE7, FT_CONV_ARP, 500, 200},
    {&ft_s7_scada, FT_HOST_SCADA, FT_HOST_S7_LINE7, FT_CONV_MID_STREAM, 1000, 90},
    {&ft_s7_scada, FT_HOST_SCADA, FT_HOST_S7_LINE8, FT_CONV_MID_STREAM, 1000, 130},
    {&ft_s7_identify, FT_HOST_ENGINEERING, FT_HOST_S7_LINE7, FT_CONV_ARP, 400, 13000},

    {&ft_dnp3_tcp, FT_HOST_SCADA, FT_HOST_RTU1, FT_CONV_ARP, 1500, 500},
    {&ft_dnp3_tcp, FT_HOST_SCADA, FT_HOST_RTU2, FT_CONV_MID_STREAM, 2000, 800},
    {&ft_dnp3_udp, FT_HOST_SCADA, FT_HOST_RTU_UDP, FT_CONV_ARP | FT_CONV_KEEP_PORT, 2500, 950},

    {&ft_enip_scada, FT_HOST_SCADA, FT_HOST_LOGIX, FT_CONV_ARP, 300, 600},
    {&ft_enip_hmi, FT_HOST_HMI1, FT_HOST_LOGIX, FT_CONV_ARP, 1000, 650},
    {&ft_enip_pccc, FT_HOST_SCADA, FT_HOST_MICROLOGIX, FT_CONV_ARP, 1000, 750},
    {&ft_enip_io_open, FT_HOST_LOGIX, FT_HOST_REMOTE_IO, FT_CONV_ARP, 50, 1100},
    {&ft_enip_io, FT_HOST_LOGIX, FT_HOST_REMOTE_IO, FT_CONV_KEEP_PORT, 100, 1200},
    {&ft_enip_identify, FT_HOST_ENGINEERING, FT_HOST_LOGIX, FT_CONV_ARP, 500, 17000},

    {&ft_it_dns, FT_HOST_HMI1, FT_HOST_SERVER, FT_CONV_REPEAT, 11000, 1300},
    {&ft_it_dns, FT_HOST_ENGINEERING, FT_HOST_SERVER, FT_CONV_REPEAT, 17000, 1700},
    {&ft_it_ntp, FT_HOST_SCADA, FT_HOST_SERVER, FT_CONV_KEEP_PORT, 16000, 2100},
    {&ft_it_ntp, FT_HOST_HISTORIAN, FT_HOST_SERVER, FT_CONV_KEEP_PORT, 32000, 2500},
    {&ft_it_http, FT_HOST_HMI2, FT_HOST_HISTORIAN, FT_CONV_REPEAT, 20000, 3000},
    {&ft_it_tls, FT_HOST_ENGINEERING, FT_HOST_HISTORIAN, FT_CONV_REPEAT, 23000, 5000},
    {&ft_it_snmp, FT_HOST_SERVER, FT_HOST_SWITCH, 0, 10000, 1900},
    {&ft_it_syslog, FT_HOST_SWITCH, FT_HOST_SERVER, 0, 7000, 2300},
};

/* What a device beyond the small plant is; taken in turn. */
static const struct {
    const struct ft_conv_kind *kind;
    uint32_t oui;
    uint32_t period_ms;
} extra_table[] = {
    {&ft_modbus_hmi, OUI_SCHNEIDER, 500},        {&ft_s7_hmi, OUI_SIEMENS, 1000},
    {&ft_modbus_scada, OUI_SCHNEIDER, 1000},     {&ft_enip_tags, OUI_ROCKWELL, 800},
    {&ft_modbus_historian, OUI_SCHNEIDER, 2000}, {&ft_dnp3_tcp, OUI_SEL, 3000},
    {&ft_s7_scada, OUI_SIEMENS, 2000},           {&ft_enip_tags, OUI_ROCKWELL, 2000},
    {&ft_modbus_gateway, OUI_MOXA, 1000},        {&ft_dnp3_udp, OUI_GE, 5000},
};

static void set_mac(struct ft_host *host, uint32_t oui, uint32_t number)
{
    host->mac[0] = (uint8_t)(oui >> 16);
    ft_store_be16(host->mac + 1, (uint16_t)oui);
    host->mac[3] = (uint8_t)(number >> 16);
    ft_store_be16(host->mac + 4, (uint16_t)number);
}

static void set_host(struct ft_host *host, uint32_t ip, uint32_t oui, uint64_t seed)
{
    host->ip = ip;
    host->ip_id = (uint16_t)ft_rng_hash(seed ^ ip);
    host->mss = PC_MSS;
    host->window = 8192;
    host->ttl = DEVICE_TTL;
    set_mac(host, oui, ip * 0x9e3779u); /* odd factor: no two of 2^24 addresses share one */
}

static void place_hosts(struct ft_plant *plant, struct ft_cast *cast)
{
    for (size_t i = 0; i < FT_HOST_COUNT; i++) {
        struct ft_host *host = &cast->hosts[i];
        bool is_pc = host_table[i].window == PC_WINDOW;

        set_host(host, (uint32_t)NET | host_table[i].last, host_table[i].oui, plant->seed);
        host->mss = host_table[i].mss;
        host->window = host_table[i].window;
        host->ttl = is_pc ? PC_TTL : DEVICE_TTL;
    }
}

/* Some devices were switched on just now and tell their address (RFC 5227). */
static void announce(struct ft_plant *plant, struct ft_cast *cast)
{
    static const uint8_t booting[] = {FT_HOST_MODBUS_GATEWAY, FT_HOST_REMOTE_IO};

    for (size_t i = 0; i < sizeof(booting); i++) {
        struct ft_host *host = &cast->hosts[booting[i]];

        ft_frame_arp_request(plant, (20 + 90 * i) * FT_MS, host, host->ip, host->ip);
    }
}

static void start_small_plant(struct ft_plant *plant, struct ft_cast *cast)
{
    for (size_t i = 0; i < sizeof(conv_table) / sizeof(conv_table[0]); i++) {
        ft_conv_start(plant, &cast->convs[cast->n_convs++], conv_table[i].kind,
                      &cast->hosts[conv_table[i].client], &cast->hosts[conv_table[i].server],
                      conv_table[i].flags, conv_table[i].period_ms * 1000,
                      conv_table[i].delay_ms * FT_MS);
    }
    ft_goose_start(plant, &cast->goose[0], &ft_goose_bay1, &cast->hosts[FT_HOST_IED1], 333 * FT_MS);
    ft_goose_start(plant, &cast->goose[1], &ft_goose_bay2, &cast->hosts[FT_HOST_IED2], 612 * FT_MS);
    ft_it_arp_start(plant, &cast->arp, 400 * FT_MS);
    ft_it_ping_start(plant, &cast->ping, &cast->hosts[FT_HOST_SCADA], &cast->hosts[FT_HOST_GATEWAY],
                     1500 * FT_MS);
    ft_enip_discover(plant, &cast->hosts[FT_HOST_ENGINEERING], 16 * FT_S);
}

/* What takes no part in load: a benchmark's packets are those of polled devices. */
static void start_network(struct ft_plant *plant, struct ft_cast *cast)
{
    struct ft_host *hosts = cast->hosts;

    ft_network_start(plant, &cast->network);
    ft_conv_start(plant, &cast->convs[cast->n_convs++], &ft_network_ssh,
                  &hosts[FT_HOST_ENGINEERING], &hosts[FT_HOST_SWITCH], FT_CONV_REPEAT, 40000000,
                  7 * FT_S);
    ft_conv_start(plant, &cast->convs[cast->n_convs++], &ft_network_web,
                  &hosts[FT_HOST_ENGINEERING], &hosts[FT_HOST_MODICON1], FT_CONV_REPEAT, 45000000,
                  10 * FT_S);
}

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p == NULL) {
        fprintf(stderr, "fieldtap-plant: out of memory for %zu flows\n", n);
        exit(1);
    }
    return p;
}

/* One in eight flows was there before the capture; their starts are spread over two seconds. */
static void start_extra(struct ft_plant *plant, struct ft_cast *cast, size_t n)
{
    size_t n_kinds = sizeof(extra_table) / sizeof(extra_table[0]);
    size_t n_front_ends = n / PER_FRONT_END + 1;
    uint64_t rng = ft_rng_hash(plant->seed + 77);

    cast->extra_hosts = allocate(n, sizeof(cast->extra_hosts[0]));
    cast->extra_convs = allocate(n, sizeof(cast->extra_convs[0]));
    cast->front_ends = allocate(n_front_ends, sizeof(cast->front_ends[0]));
    for (size_t i = 0; i < n_front_ends; i++) {
        set_host(&cast->front_ends[i], (uint32_t)FRONT_END_NET + 10 + (uint32_t)i, OUI_DELL,
                 plant->seed);
        cast->front_ends[i].window = PC_WINDOW;
        cast->front_ends[i].ttl = PC_TTL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t kind = i % n_kinds;
        unsigned flags = i % 8 == 7 ? FT_CONV_MID_STREAM : 0;

        set_host(&cast->extra_hosts[i], (uint32_t)EXTRA_NET + 1 + (uint32_t)i,
                 extra_table[kind].oui, plant->seed);
        ft_conv_start(plant, &cast->extra_convs[i], extra_table[kind].kind,
                      &cast->front_ends[i / PER_FRONT_END], &cast->extra_hosts[i], flags,
                      extra_table[kind].period_ms * 1000, ft_rng_below(&rng, 2 * FT_S));
    }
}

void ft_cast_start(struct ft_plant *plant, struct ft_cast *cast, size_t flows)
{
    plant->cast = cast;
    place_hosts(plant, cast);
    announce(plant, cast);
    start_small_plant(plant, cast);
    if (flows > FT_CAST_POLLED)
        start_extra(plant, cast, flows - FT_CAST_POLLED);
    else
        start_network(plant, cast);
}
