/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fieldtap-plant: writes the traffic of a simulated industrial plant to a pcap file, for trying
 * out the sensor, for its tests and for its benchmark. Equal options give equal bytes.
 */
#include "cast.h"
#include "incident.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>

enum {
    DEFAULT_SECONDS = 120,
    MAX_SECONDS = 100000000, /* over three years: well inside what 64 bits of ns hold */
    MAX_FLOWS = 2000000,     /* the address range of the devices ends a little above */
    INCIDENT_PERCENT = 60,
    EXIT_USAGE = 2,
};

/* 2025-03-04 08:00:00 UTC, the begin of an early shift. */
static const uint64_t DEFAULT_START = 1741075200;

static const char usage[] =
    "Usage: fieldtap-plant [options] -o FILE\n"
    "Write the traffic of a simulated industrial plant as pcap (Ethernet, ns).\n"
    "\n"
    "  -o, --output FILE    file to write, - for standard output\n"
    "      --seed N         other numbers, same plant (default 1)\n"
    "      --seconds N      simulated time (default 120 unless --packets is given)\n"
    "      --packets N      end after this many packets\n"
    "      --flows N        polled devices, 12 to 2000000 (default 12)\n"
    "      --incident WHAT  yes or no: an intruder attacks at 60 % of the run (default yes)\n"
    "      --start EPOCH    time of the begin, seconds since 1970 (default 1741075200)\n"
    "  -h, --help           show this help\n"
    "\n"
    "Equal options give byte-identical files on every machine.\n";

struct options {
    const char *output;
    uint64_t seed;
    uint64_t seconds; /* 0: no limit */
    uint64_t packets; /* 0: no limit */
    uint64_t flows;
    uint64_t start;
    bool has_incident;
};

/* The number in @text or, with a message, the end of the program. */
static uint64_t parse_number(const char *option, const char *text, uint64_t min, uint64_t max)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);

    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || value < min ||
        value > max) {
        fprintf(stderr, "fieldtap-plant: --%s %s: must be a whole number from %llu to %llu\n",
                option, text, (unsigned long long)min, (unsigned long long)max);
        exit(EXIT_USAGE);
    }
    return value;
}

static bool parse_yes_no(const char *option, const char *text)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        fprintf(stderr, "fieldtap-plant: --%s %s: must be yes or no\n", option, text);
        exit(EXIT_USAGE);
    }
    return text[0] == 'y';
}

static void check_options(struct options *o, int argc, char **argv)
{
    if (optind < argc) {
        fprintf(stderr, "fieldtap-plant: %s: unexpected argument, see --help\n", argv[optind]);
        exit(EXIT_USAGE);
    }
    if (o->output == NULL) {
        fprintf(stderr, "fieldtap-plant: -o FILE is missing (- is standard output), see --help\n");
        exit(EXIT_USAGE);
    }
    if (o->seconds == 0 && o->packets == 0)
        o->seconds = DEFAULT_SECONDS;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"output", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 't'},
        {"packets", required_argument, NULL, 'p'},
        {"flows", required_argument, NULL, 'f'},
        {"incident", required_argument, NULL, 'i'},
        {"start", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {
        .seed = 1, .flows = FT_CAST_POLLED, .start = DEFAULT_START, .has_incident = true};
    int c;

    while ((c = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
        switch (c) {
        case 'o':
            o.output = optarg;
            break;
        case 's':
            o.seed = parse_number("seed", optarg, 0, UINT64_MAX);
            break;
        case 't':
            o.seconds = parse_number("seconds", optarg, 1, MAX_SECONDS);
            break;
        case 'p':
            o.packets = parse_number("packets", optarg, 1, UINT64_MAX / 100);
            break;
        case 'f':
            o.flows = parse_number("flows", optarg, FT_CAST_POLLED, MAX_FLOWS);
            break;
        case 'i':
            o.has_incident = parse_yes_no("incident", optarg);
            break;
        case 'b': /* the time stamps of a pcap file have 32 bits */
            o.start = parse_number("start", optarg, 1000, UINT32_MAX - MAX_SECONDS);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default: /* getopt_long has told what is wrong */
            exit(EXIT_USAGE);
        }
    }
    check_options(&o, argc, argv);
    return o;
}

uint16_t ft_process_value(uint64_t key, uint64_t ns)
{
    uint64_t mix = ft_rng_hash(key);
    uint64_t ms = ns / FT_MS;
    uint64_t period = 40000 + mix % 160000;
    uint64_t phase = (ms + (mix >> 20)) % period;
    uint64_t ramp = phase * 2 < period ? phase : period - phase;
    uint64_t noise = (mix ^ ms / 800 * 0x9e3779b9u) >> 7 & 15;

    return (uint16_t)(2000 + ramp * 2 * 25000 / period + noise);
}

bool ft_process_bit(uint64_t key, uint64_t ns)
{
    uint64_t mix = ft_rng_hash(key);
    uint64_t period = (10 + mix % 60) * FT_S;

    return ((ns + (mix >> 30)) / period & 1) != 0;
}

/* Has the run reached the time of the incident? */
static bool is_incident_due(const struct ft_plant *plant, const struct options *o)
{
    if (o->packets != 0 && plant->n_packets >= o->packets * INCIDENT_PERCENT / 100)
        return true;
    return o->seconds != 0 &&
           plant->now >= plant->start + o->seconds * FT_S / 100 * INCIDENT_PERCENT;
}

/* Simulated time that is left for the incident: of a run limited by packets, as far as its pace so
 * far tells and without those of the incident itself. */
static uint64_t time_left(const struct ft_plant *plant, const struct options *o)
{
    uint64_t left = o->seconds == 0 ? UINT64_MAX : plant->end - plant->now;
    uint64_t packets_left = plant->max_packets - plant->n_packets;
    uint64_t pace = (plant->now - plant->start) / (plant->n_packets + 1);

    if (packets_left < FT_INCIDENT_PACKETS)
        return 0;
    packets_left -= FT_INCIDENT_PACKETS;
    return pace > 0 && packets_left < left / pace ? packets_left * pace : left;
}

static void run(struct ft_plant *plant, const struct options *o)
{
    struct ft_incident incident;
    bool is_pending = o->has_incident;

    while (!plant->is_over && plant->sched.count > 0) {
        struct ft_sched_entry first = plant->sched.heap[0];

        if (first.time >= plant->end)
            break;
        plant->now = first.time;
        uint64_t wait = first.actor->act(plant, first.actor);

        if (wait == FT_ACTOR_DONE)
            ft_sched_drop_first(&plant->sched);
        else
            ft_sched_delay_first(&plant->sched, plant->now + wait);
        if (is_pending && is_incident_due(plant, o)) {
            is_pending = false;
            ft_incident_start(plant, &incident, time_left(plant, o));
        }
    }
}

static void set_up(struct ft_plant *plant, const struct options *o)
{
    *plant = (struct ft_plant){
        .now = o->start * FT_S,
        .start = o->start * FT_S,
        .end = o->seconds == 0 ? UINT64_MAX : (o->start + o->seconds) * FT_S,
        .seed = ft_rng_hash(o->seed),
        .max_packets = o->packets == 0 ? UINT64_MAX : o->packets,
        .payload = {.data = malloc(FT_PAYLOAD_MAX), .cap = FT_PAYLOAD_MAX},
    };
    if (plant->payload.data == NULL) {
        fprintf(stderr, "fieldtap-plant: out of memory\n");
        exit(1);
    }
    if (!ft_pcap_open(&plant->pcap, o->output)) {
        fprintf(stderr, "fieldtap-plant: cannot write %s: %s\n", plant->pcap.name, strerror(errno));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct ft_cast cast;
    static struct ft_plant plant;
    struct options o = parse_options(argc, argv);

    set_up(&plant, &o);
    ft_cast_start(&plant, &cast, o.flows);
    run(&plant, &o);
    if (!ft_pcap_close(&plant.pcap)) {
        fprintf(stderr, "fieldtap-plant: cannot write %s: %s\n", plant.pcap.name, strerror(errno));
        return 1;
    }
    return 0; /* what is still scheduled goes with the process */
}
