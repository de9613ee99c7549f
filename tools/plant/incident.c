/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The script of the incident, step by step in the order of time. The steps that need only a few
 * packets are here; what is said on connections is in incident_<protocol>.c.
 */
#include "incident.h"

#include "cast.h"
#include "enip.h"

enum {
    SCRIPT_SECONDS = 40,
    SCAN_FIRST_PORT = 40001,
    PERIOD_US = 60000, /* of the laptop's tools */
};

static struct ft_host *laptop(struct ft_plant *plant)
{
    return &plant->cast->hosts[FT_HOST_LAPTOP];
}

static uint64_t hurried(const struct ft_incident *incident, uint64_t ns)
{
    return ns * incident->percent / 100;
}

static void attack(struct ft_plant *plant, const struct ft_conv_kind *kind,
                   enum ft_cast_host target)
{
    ft_conv_open(plant, kind, laptop(plant), &plant->cast->hosts[target], 0, PERIOD_US, 0);
}

/* The laptop is plugged in: three probes for a free address, then two announcements (RFC 5227). */
static void appear(struct ft_plant *plant, const struct ft_incident *incident)
{
    struct ft_host *self = laptop(plant);

    for (unsigned i = 0; i < 3; i++)
        ft_frame_arp_request(plant, hurried(incident, i * 400 * FT_MS), self, 0, self->ip);
    for (unsigned i = 3; i < 5; i++)
        ft_frame_arp_request(plant, hurried(incident, i * 400 * FT_MS), self, self->ip, self->ip);
}

static struct ft_host *host_at(struct ft_plant *plant, uint32_t ip)
{
    for (size_t i = 0; i < FT_HOST_LAPTOP; i++) {
        if (plant->cast->hosts[i].ip == ip)
            return &plant->cast->hosts[i];
    }
    return NULL;
}

/* ARP sweep: it asks for every address of the subnet; those who are there answer. */
static void sweep_arp(struct ft_plant *plant, const struct ft_incident *incident)
{
    struct ft_host *self = laptop(plant);
    uint32_t net = self->ip & 0xffffff00;

    for (uint32_t i = 1; i < 255; i++) {
        uint64_t delay = hurried(incident, i * 8 * FT_MS);
        struct ft_host *host = host_at(plant, net | i);

        if ((net | i) == self->ip)
            continue;
        ft_frame_arp_request(plant, delay, self, self->ip, net | i);
        if (host != NULL)
            ft_frame_arp_reply(plant, delay + 300 * FT_US, host, self);
    }
}

static bool is_open(enum ft_cast_host host, uint16_t port)
{
    switch (host) {
    case FT_HOST_MODICON1:
    case FT_HOST_MODICON2:
    case FT_HOST_MODBUS_GATEWAY:
        return port == 502;
    case FT_HOST_S7_LINE7:
    case FT_HOST_S7_LINE8:
    case FT_HOST_IED1:
    case FT_HOST_IED2:
        return port == 102;
    case FT_HOST_RTU1:
    case FT_HOST_RTU2:
        return port == 20000;
    case FT_HOST_LOGIX:
    case FT_HOST_REMOTE_IO:
    case FT_HOST_MICROLOGIX:
        return port == 44818;
    default:
        return false;
    }
}

/* One SYN; an open port answers and is reset at once, a closed one resets. */
static void scan_port(struct ft_plant *plant, enum ft_cast_host target, uint16_t port,
                      uint16_t from_port, uint64_t delay)
{
    struct ft_host *self = laptop(plant);
    struct ft_host *host = &plant->cast->hosts[target];
    uint32_t seq = (uint32_t)ft_rng_hash(plant->seed ^ from_port);
    uint32_t peer_seq = (uint32_t)ft_rng_hash(seq);
    struct ft_tcp syn = {.src_port = from_port, .dst_port = port, .seq = seq, .flags = FT_TCP_SYN};
    struct ft_tcp open = {.src_port = port,
                          .dst_port = from_port,
                          .seq = peer_seq,
                          .ack = seq + 1,
                          .flags = FT_TCP_SYN | FT_TCP_ACK};
    struct ft_tcp closed = {.src_port = port,
                            .dst_port = from_port,
                            .seq = 0,
                            .ack = seq + 1,
                            .flags = FT_TCP_RST | FT_TCP_ACK};
    struct ft_tcp reset = {
        .src_port = from_port, .dst_port = port, .seq = seq + 1, .flags = FT_TCP_RST};

    ft_frame_tcp(plant, delay, self, host, &syn, NULL, 0);
    if (is_open(target, port)) {
        ft_frame_tcp(plant, delay + 250 * FT_US, host, self, &open, NULL, 0);
        ft_frame_tcp(plant, delay + 310 * FT_US, self, host, &reset, NULL, 0);
    } else {
        ft_frame_tcp(plant, delay + 250 * FT_US, host, self, &closed, NULL, 0);
    }
}

/* TCP scan of the ports of the common industrial protocols on everyone who was found. */
static void scan_ports(struct ft_plant *plant, const struct ft_incident *incident)
{
    static const uint16_t ports[] = {102, 502, 20000, 44818};
    uint16_t from_port = SCAN_FIRST_PORT;
    uint64_t delay = 0;

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        for (unsigned host = 0; host < FT_HOST_LAPTOP; host++) {
            scan_port(plant, (enum ft_cast_host)host, ports[i], from_port++, delay);
            delay += hurried(incident, 12 * FT_MS);
        }
    }
}

/* ListIdentity to everyone: who speaks EtherNet/IP? */
static void discover_enip(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    ft_enip_discover(plant, laptop(plant), 0);
}

/* Device identification of every unit behind the Modbus gateway. */
static void sweep_units(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_modbus_sweep, FT_HOST_MODBUS_GATEWAY);
}

/* Valves and set points of the pumps are written by someone who never did so before. */
static void write_modbus(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_modbus_writes, FT_HOST_MODICON1);
}

/* The same PLC is reserved, stopped, gets another program, is started. */
static void change_modicon_program(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_umas, FT_HOST_MODICON1);
}

/* The filling line: CPU to STOP, a data block loaded and activated, CPU to RUN. */
static void change_s7_program(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_s7, FT_HOST_S7_LINE7);
}

/* The Logix controller: program mode, other firmware, reset. */
static void change_logix_firmware(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_logix, FT_HOST_LOGIX);
}

/* The outstation of the substation is restarted. */
static void restart_rtu(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_dnp3, FT_HOST_RTU2);
}

/* Fuzzing: PDUs that break the rules of their protocol, one device after the other. */
static void fuzz_modbus(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_modbus_malformed, FT_HOST_MODICON2);
}

static void fuzz_s7(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_s7_malformed, FT_HOST_S7_LINE8);
}

static void fuzz_enip(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_enip_malformed, FT_HOST_MICROLOGIX);
}

static void fuzz_dnp3(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    attack(plant, &ft_attack_dnp3_malformed, FT_HOST_RTU1);
}

/* A GOOSE frame of a known control block whose length field is too large. */
static void fuzz_goose(struct ft_plant *plant, const struct ft_incident *incident)
{
    (void)incident;
    ft_goose_send(plant, &plant->cast->goose[1], laptop(plant)->mac, 0, 64);
}

/* The laptop publishes a trip under the name of bay 1, state numbers ahead of the real IED. */
static void forge_trip(struct ft_plant *plant, const struct ft_incident *incident)
{
    struct ft_goose forged = plant->cast->goose[0];

    forged.state_number += 1;
    forged.changed_at = plant->now;
    forged.position = 1;
    for (uint32_t i = 0; i < 5; i++) {
        forged.sequence_number = i;
        ft_goose_send(plant, &forged, laptop(plant)->mac, hurried(incident, i * i * 6 * FT_MS), 0);
    }
}

static const struct {
    uint64_t at_ms; /* since the begin of the incident */
    void (*run)(struct ft_plant *plant, const struct ft_incident *incident);
} script[] = {
    {0, appear},
    {2500, sweep_arp},
    {5500, scan_ports},
    {8000, discover_enip},
    {9500, sweep_units},
    {13000, write_modbus},
    {16000, change_modicon_program},
    {20000, change_s7_program},
    {24000, change_logix_firmware},
    {29000, restart_rtu},
    {32000, fuzz_modbus},
    {33000, fuzz_s7},
    {34000, fuzz_dnp3},
    {35000, fuzz_enip},
    {36500, fuzz_goose},
    {38000, forge_trip},
};

static uint64_t run_step(struct ft_plant *plant, struct ft_actor *actor)
{
    struct ft_incident *incident = (struct ft_incident *)actor;
    size_t step = incident->step++;

    script[step].run(plant, incident);
    if (incident->step == sizeof(script) / sizeof(script[0]))
        return FT_ACTOR_DONE;
    return hurried(incident, (script[step + 1].at_ms - script[step].at_ms) * FT_MS);
}

void ft_incident_start(struct ft_plant *plant, struct ft_incident *incident, uint64_t left)
{
    uint64_t percent = left / (SCRIPT_SECONDS * FT_S / 90);

    *incident = (struct ft_incident){
        .actor.act = run_step,
        .percent = percent < 100 ? percent : 100,
    };
    ft_plant_add(plant, 0, &incident->actor);
}
