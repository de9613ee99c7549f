/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalogue of findings. */
#include "alert/catalogue.h"

#include "alert/sids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what to do ---- */

static const struct {
    const char *category, *remediation;
} remediations[] = {
    {"Abnormal Communication Behavior",
     "Find out which program on the source sends this and whether it is meant to talk to the "
     "destination."},
    {"Authentication",
     "Ask whose login this was. If nobody's, block the source and change the credentials."},
    {"Buffer overflow", "Check that the device still works and that its events are being read."},
    {"Command Failures",
     "Compare the rejected command with the configuration of device and client; a client that "
     "probes commands is not a misconfigured one."},
    {"Configuration changes",
     "Check that the change was planned. If not, restore the device's configuration from backup."},
    {"Discovery", "Check that the device belongs here."},
    {"Firmware change",
     "Check that the update was planned and that the version is one the vendor released. If not, "
     "isolate the source and restore the device's firmware."},
    {"Illegal commands",
     "Check the software of the sender: the message does not follow its protocol. If the sender "
     "is not a known client of the destination, isolate it."},
    {"Operational issues", "Ask the plant's maintenance to look at the device."},
    {"Programming",
     "Check that engineering work was planned at this time from this station. If not, isolate the "
     "source and compare the controller's program with its backup."},
    {"Restart/Stop Commands",
     "Check with the operators that this was intended, and that the process is in a safe state."},
    {"Scan",
     "Check whether the source is a known scanner or inventory tool and was meant to run now. If "
     "not, isolate it."},
    {"Unresponsive", "Check the device and the network in between."},
};

const char *ft_catalogue_remediation(const char *category)
{
    for (size_t i = 0; i < sizeof(remediations) / sizeof(remediations[0]); i++)
        if (!strcmp(remediations[i].category, category))
            return remediations[i].remediation;
    return NULL;
}

/* ---- classes of commands, changes ---- */

#define FINDING(sid_, key_, title_, category_, severity_, engine_, mitre_, reference_)             \
    {                                                                                              \
        .sid = (sid_), .severity = FT_SEVERITY_##severity_, .engine = FT_ENGINE_##engine_,         \
        .key = (key_), .title = (title_), .category = (category_), .mitre = (mitre_),              \
        .reference = (reference_)                                                                  \
    }

const struct ft_eve_finding *ft_catalogue_class(enum ft_class class_)
{
    static const struct ft_eve_finding findings[] = {
        [FT_CLASS_FIRMWARE] = FINDING(FT_SID_CLASS_FIRMWARE, "class.firmware",
                                      "Firmware update of a device requested", "Firmware change",
                                      CRITICAL, POLICY, "T0857 T0839", "V2"),
        [FT_CLASS_PROGRAM] = FINDING(FT_SID_CLASS_PROGRAM, "class.program",
                                     "Program download to a controller requested", "Programming",
                                     CRITICAL, POLICY, "T0843 T0889", "P74"),
        [FT_CLASS_MODE] = FINDING(FT_SID_CLASS_MODE, "class.mode",
                                  "Start, stop or reset of a controller requested",
                                  "Restart/Stop Commands", MAJOR, OPERATIONAL, "T0858 T0814", "O7"),
        [FT_CLASS_UPLOAD] = FINDING(FT_SID_CLASS_UPLOAD, "class.upload",
                                    "Program upload from a controller requested", "Programming",
                                    MINOR, POLICY, "T0845", "P73"),
    };
    if ((size_t)class_ >= sizeof(findings) / sizeof(findings[0]) || !findings[class_].sid)
        return NULL;
    return &findings[class_];
}

const struct ft_eve_finding *ft_catalogue_firmware_changed(void)
{
    static const struct ft_eve_finding finding =
        FINDING(FT_SID_FIRMWARE_CHANGED, "asset.firmware_changed", "Firmware version changed",
                "Firmware change", MAJOR, POLICY, "T0857", "P7");
    return &finding;
}

const struct ft_eve_finding *ft_catalogue_address_moved(void)
{
    static const struct ft_eve_finding finding =
        FINDING(FT_SID_ADDRESS_MOVED, "asset.address_moved",
                "An IP address is claimed by another MAC address",
                "Abnormal Communication Behavior", MINOR, ANOMALY, "T0830", NULL);
    return &finding;
}

const struct ft_eve_finding *ft_catalogue_gateway_moved(void)
{
    static const struct ft_eve_finding finding =
        FINDING(FT_SID_GATEWAY_MOVED, "asset.gateway_moved",
                "The IP address of a router is claimed by another MAC address",
                "Abnormal Communication Behavior", MAJOR, ANOMALY, "T0830", NULL);
    return &finding;
}

const struct ft_eve_finding *ft_catalogue_neighbours(enum ft_neighbours_finding finding)
{
    static const struct ft_eve_finding findings[FT_NEIGHBOURS_FINDINGS] = {
        [FT_NEIGHBOURS_SCAN] = FINDING(FT_SID_RESOLUTION_SCAN, "resolution.scan",
                                       "A device asks for many addresses that do not answer",
                                       "Scan", MAJOR, ANOMALY, "T0846 T0842", "A9"),
        [FT_NEIGHBOURS_SLOW_SCAN] =
            FINDING(FT_SID_RESOLUTION_SLOW_SCAN, "resolution.slow_scan",
                    "A device asks, over minutes, for many addresses that nobody has", "Scan",
                    MAJOR, ANOMALY, "T0846 T0842", "A9"),
        [FT_NEIGHBOURS_UNSOLICITED] =
            FINDING(FT_SID_RESOLUTION_UNSOLICITED, "resolution.unsolicited",
                    "A device tells its address to others again and again, unasked",
                    "Abnormal Communication Behavior", MINOR, ANOMALY, "T0830", "A10"),
        [FT_NEIGHBOURS_FLOOD] =
            FINDING(FT_SID_RESOLUTION_FLOOD, "resolution.flood", "Flood of address resolution",
                    "Abnormal Communication Behavior", MAJOR, ANOMALY, "T0814", NULL),
        [FT_NEIGHBOURS_REASSIGNED] =
            FINDING(FT_SID_ADDRESS_REASSIGNED, "asset.address_reassigned",
                    "An IP address that was free is taken by another device",
                    "Abnormal Communication Behavior", WARNING, ANOMALY, "T0830", NULL),
        [FT_NEIGHBOURS_CONTESTED] =
            FINDING(FT_SID_ADDRESS_CONTESTED, "asset.address_contested",
                    "Two devices claim the same IP address", "Abnormal Communication Behavior",
                    MAJOR, ANOMALY, "T0830", NULL),
        [FT_NEIGHBOURS_TAKEOVER] =
            FINDING(FT_SID_ADDRESS_TAKEOVER, "asset.address_takeover",
                    "One device claims the IP addresses of several others",
                    "Abnormal Communication Behavior", MAJOR, ANOMALY, "T0830", NULL),
    };
    return finding == FT_NEIGHBOURS_MOVED ? ft_catalogue_address_moved() : &findings[finding];
}

const struct ft_eve_finding *ft_catalogue_mode_changed(void)
{
    static const struct ft_eve_finding finding =
        FINDING(FT_SID_MODE_CHANGED, "asset.mode_changed", "Operating mode of a controller changed",
                "Configuration changes", MINOR, OPERATIONAL, "T0858", "O30");
    return &finding;
}

/* ---- below the protocols ---- */

static const char *const anomaly_names[FT_ANOMALY_COUNT] = {
    [FT_ANOMALY_FRAGMENT_OVERLAP] = "fragment_overlap",
    [FT_ANOMALY_STREAM_OVERLAP] = "stream_overlap",
    [FT_ANOMALY_DATA_AFTER_CLOSE] = "data_after_close",
    [FT_ANOMALY_PORT_ZERO] = "port_zero",
    [FT_ANOMALY_LAND] = "land",
    [FT_ANOMALY_MAC_GROUP] = "mac_group",
    [FT_ANOMALY_MAC_SAME] = "mac_same",
    [FT_ANOMALY_VLAN_RESERVED] = "vlan_reserved",
};

const char *ft_anomaly_name(enum ft_anomaly anomaly)
{
    return (unsigned)anomaly < FT_ANOMALY_COUNT ? anomaly_names[anomaly] : "unknown";
}

#define BELOW(number, key_, title_, category_, severity_, engine_, mitre_, reference_)             \
    FINDING(FT_SID_ANOMALY + (number), key_, title_, category_, severity_, engine_, mitre_,        \
            reference_)

const struct ft_eve_finding *ft_catalogue_anomaly(enum ft_anomaly anomaly, const char **type,
                                                  bool *is_alert)
{
    static const struct {
        struct ft_eve_finding finding;
        const char *type;
        bool is_alert;
    } rows[FT_ANOMALY_COUNT] = {
        [FT_ANOMALY_FRAGMENT_OVERLAP] = {BELOW(FT_ANOMALY_FRAGMENT_OVERLAP,
                                               "decode.fragment_overlap",
                                               "Fragments overlap with different content",
                                               "Abnormal Communication Behavior", MINOR, ANOMALY,
                                               "T0830", NULL),
                                         "decode", false},
        [FT_ANOMALY_STREAM_OVERLAP] = {BELOW(FT_ANOMALY_STREAM_OVERLAP, "stream.overlap",
                                             "TCP segments overlap with different content",
                                             "Abnormal Communication Behavior", MINOR, ANOMALY,
                                             "T0830", NULL),
                                       "stream", false},
        [FT_ANOMALY_DATA_AFTER_CLOSE] = {BELOW(FT_ANOMALY_DATA_AFTER_CLOSE,
                                               "stream.data_after_close",
                                               "Data on a TCP connection that was closed",
                                               "Abnormal Communication Behavior", WARNING, ANOMALY,
                                               NULL, NULL),
                                         "stream", false},
        [FT_ANOMALY_PORT_ZERO] = {BELOW(FT_ANOMALY_PORT_ZERO, "decode.port_zero",
                                        "Connection attempt on port 0", "Illegal commands", MINOR,
                                        PROTOCOL, "T0855 T0836", "V5"),
                                  "decode", true},
        [FT_ANOMALY_LAND] = {BELOW(FT_ANOMALY_LAND, "decode.land",
                                   "Source and destination of a packet are the same",
                                   "Abnormal Communication Behavior", MINOR, ANOMALY, "T0814",
                                   NULL),
                             "decode", false},
        [FT_ANOMALY_MAC_GROUP] = {BELOW(FT_ANOMALY_MAC_GROUP, "decode.mac_group",
                                        "Frame from a group address, which no station has",
                                        "Abnormal Communication Behavior", MINOR, ANOMALY, "T0830",
                                        NULL),
                                  "decode", false},
        [FT_ANOMALY_MAC_SAME] = {BELOW(FT_ANOMALY_MAC_SAME, "decode.mac_same",
                                       "Frame from a station to itself",
                                       "Abnormal Communication Behavior", MINOR, ANOMALY, "T0830",
                                       NULL),
                                 "decode", false},
        [FT_ANOMALY_VLAN_RESERVED] = {BELOW(FT_ANOMALY_VLAN_RESERVED, "decode.vlan_reserved",
                                            "Frame with the reserved VLAN 4095",
                                            "Abnormal Communication Behavior", MINOR, ANOMALY,
                                            "T0830", NULL),
                                      "decode", false},
    };
    if ((unsigned)anomaly >= FT_ANOMALY_COUNT)
        return NULL;
    *type = rows[anomaly].type;
    *is_alert = rows[anomaly].is_alert;
    return &rows[anomaly].finding;
}

/* ---- violations ---- */

#define COMMON_COUNT (FT_VIOLATION_COMMON_END - FT_VIOLATION_COMMON)

struct of_protocol {
    struct ft_eve_finding *findings; /* rows, then the common ones */
    uint32_t rows;
};

/* A violation that gives an alert of a class its title; made when the first one is seen. */
struct titled {
    struct titled *next;
    const struct ft_eve_finding *of_class, *of_violation;
    struct ft_eve_finding finding;
};

struct ft_catalogue {
    const struct ft_registry *registry;
    struct titled *titled;
    struct of_protocol protocols[FT_MAX_PROTOCOLS];
};

static const char *engine_category(uint8_t engine)
{
    switch (engine) {
    case FT_ENGINE_MALWARE:
        return "Suspicion of Malware";
    case FT_ENGINE_ANOMALY:
        return "Abnormal Communication Behavior";
    case FT_ENGINE_POLICY:
        return "Unauthorized Communication Behavior";
    case FT_ENGINE_OPERATIONAL:
        return "Operational issues";
    default:
        return "Illegal commands";
    }
}

static bool make(struct ft_eve_finding *to, const struct ft_protocol *p, uint32_t violation)
{
    const struct ft_violation *v = ft_protocol_violation(p, violation);
    char *key;
    if (asprintf(&key, "%s.%s", p->name, v->name) < 0)
        return false;
    const char *category = v->category ? v->category : engine_category(v->engine);
    bool is_known = v->severity >= FT_SEVERITY_CRITICAL && v->severity <= FT_SEVERITY_WARNING;
    *to = (struct ft_eve_finding){.sid = ft_sid_of_violation(p, violation),
                                  .severity = is_known ? v->severity : FT_SEVERITY_WARNING,
                                  .engine = v->engine,
                                  .key = key,
                                  .title = v->title,
                                  .category = category,
                                  .mitre = v->mitre,
                                  .reference = v->reference};
    return true;
}

struct ft_catalogue *ft_catalogue_new(const struct ft_registry *registry)
{
    struct ft_catalogue *c = calloc(1, sizeof(*c));
    bool is_whole = c != NULL;
    if (c)
        c->registry = registry;
    for (uint32_t i = 0; is_whole && i < registry->count; i++) {
        const struct ft_protocol *p = registry->protocols[i];
        struct of_protocol *o = &c->protocols[i];
        o->findings = calloc(p->violation_count + COMMON_COUNT, sizeof(*o->findings));
        is_whole = o->findings != NULL;
        o->rows = is_whole ? p->violation_count : 0;
        for (uint32_t v = 0; is_whole && v < p->violation_count; v++)
            is_whole = make(&o->findings[v], p, v);
        for (uint32_t v = 0; is_whole && v < COMMON_COUNT; v++)
            is_whole = make(&o->findings[o->rows + v], p, FT_VIOLATION_COMMON + v);
    }
    if (is_whole)
        return c;
    ft_catalogue_free(c);
    return NULL;
}

void ft_catalogue_free(struct ft_catalogue *c)
{
    for (uint32_t i = 0; c && i < FT_MAX_PROTOCOLS; i++) {
        struct of_protocol *o = &c->protocols[i];
        for (uint32_t v = 0; o->findings && v < o->rows + COMMON_COUNT; v++)
            free((char *)(uintptr_t)o->findings[v].key);
        free(o->findings);
    }
    for (struct titled *t = c ? c->titled : NULL, *next; t; t = next) {
        next = t->next;
        free((char *)(uintptr_t)t->finding.mitre);
        free((char *)(uintptr_t)t->finding.reference);
        free(t);
    }
    free(c);
}

const struct ft_eve_finding *ft_catalogue_violation(const struct ft_catalogue *c, uint16_t protocol,
                                                    uint32_t violation)
{
    if (!protocol || protocol > c->registry->count)
        return NULL;
    const struct of_protocol *o = &c->protocols[protocol - 1];
    if (violation < o->rows)
        return &o->findings[violation];
    if (violation >= FT_VIOLATION_COMMON && violation < FT_VIOLATION_COMMON_END)
        return &o->findings[o->rows + violation - FT_VIOLATION_COMMON];
    return NULL;
}

/* ---- violations that are the title of a class ---- */

static bool has_word(const char *words, const char *word, size_t length)
{
    for (const char *at = words; at && *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && !memcmp(at, word, n))
            return true;
        at += n;
    }
    return false;
}

/* The words of `a`, then those of `b` that are not among them; allocated. NULL: no words. */
static char *join_words(const char *a, const char *b)
{
    size_t size = (a ? strlen(a) : 0) + (b ? strlen(b) : 0) + 2;
    char *to = calloc(1, size);
    if (to && a)
        strcpy(to, a);
    for (const char *at = b; to && at && *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (!has_word(a, at, n)) {
            if (*to)
                strcat(to, " ");
            strncat(to, at, n);
        }
        at += n;
    }
    if (to && !*to) {
        free(to);
        to = NULL;
    }
    return to;
}

const struct ft_eve_finding *ft_catalogue_titled(struct ft_catalogue *c, uint16_t protocol,
                                                 uint32_t violation, enum ft_class class_)
{
    const struct ft_eve_finding *of_class = ft_catalogue_class(class_);
    const struct ft_eve_finding *of_violation = ft_catalogue_violation(c, protocol, violation);
    if (!of_class || !of_violation || strcmp(of_class->category, of_violation->category) != 0 ||
        !ft_protocol_violation(c->registry->protocols[protocol - 1], violation)->is_alert)
        return NULL;
    for (struct titled *t = c->titled; t; t = t->next)
        if (t->of_class == of_class && t->of_violation == of_violation)
            return &t->finding;
    struct titled *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct titled){.next = c->titled,
                         .of_class = of_class,
                         .of_violation = of_violation,
                         .finding = *of_violation};
    if (of_class->severity < of_violation->severity)
        t->finding.severity = of_class->severity;
    t->finding.mitre = join_words(of_violation->mitre, of_class->mitre);
    t->finding.reference = join_words(of_violation->reference, of_class->reference);
    c->titled = t;
    return &t->finding;
}
