/* SPDX-License-Identifier: BSD-3-Clause */
/* What Linux says about a network interface. */
#include "capture/interface.h"

#include <dirent.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_RAW      101u

#define ARPHRD_RAW_IP 519 /* linux/if_arp.h, which cannot stand beside net/if_arp.h */

static bool ask(int fd, const char *name, unsigned long what, struct ifreq *request)
{
    memset(request, 0, sizeof(*request));
    snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
    return strlen(name) < sizeof(request->ifr_name) && ioctl(fd, what, request) == 0;
}

unsigned ft_interface_index(int fd, const char *name)
{
    struct ifreq request;
    return ask(fd, name, SIOCGIFINDEX, &request) ? (unsigned)request.ifr_ifindex : 0;
}

enum ft_port_state ft_interface_state(int fd, const char *name)
{
    struct ifreq request;
    if (!ask(fd, name, SIOCGIFFLAGS, &request))
        return FT_PORT_MISSING;
    return request.ifr_flags & IFF_UP && request.ifr_flags & IFF_RUNNING ? FT_PORT_UP
                                                                         : FT_PORT_DOWN;
}

static int hardware_type(int fd, const char *name)
{
    struct ifreq request;
    return ask(fd, name, SIOCGIFHWADDR, &request) ? request.ifr_hwaddr.sa_family : -1;
}

bool ft_interface_linktype(int fd, const char *name, uint16_t *linktype, char *error,
                           size_t error_size)
{
    int type = hardware_type(fd, name);
    switch (type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        *linktype = LINKTYPE_ETHERNET;
        return true;
    case ARPHRD_NONE:
    case ARPHRD_RAW_IP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
        *linktype = LINKTYPE_RAW;
        return true;
    default:
        snprintf(error, error_size,
                 "%s is no Ethernet, loopback or IP interface (ARPHRD %d): it cannot be read", name,
                 type);
        return false;
    }
}

bool ft_interface_is_loopback(int fd, const char *name)
{
    return hardware_type(fd, name) == ARPHRD_LOOPBACK;
}

bool ft_interface_stamps_packets(int fd, const char *name)
{
    struct hwtstamp_config config = {0};
    struct ifreq request = {.ifr_data = (void *)&config};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    return ioctl(fd, SIOCGHWTSTAMP, &request) == 0 && config.rx_filter == HWTSTAMP_FILTER_ALL;
}

static bool read_counter(const char *name, const char *which, uint64_t *value)
{
    char path[128];
    unsigned long long n;
    snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, which);
    FILE *f = fopen(path, "re");
    bool ok = f && fscanf(f, "%llu", &n) == 1;
    if (f)
        fclose(f);
    if (ok)
        *value = n;
    return ok;
}

/* Interfaces stand on each other this deep at most; more than that is none of Linux's. */
#define DEPTH_MAX 8u

static bool has_hardware(const char *folder, const char *name, unsigned depth)
{
    static const char lower[] = "lower_";
    char path[512];
    struct dirent *e;
    bool found = false;
    snprintf(path, sizeof(path), "%s/%s/device", folder, name);
    if (access(path, F_OK) == 0)
        return true;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    DIR *dir = depth ? opendir(path) : NULL;
    while (dir && !found && (e = readdir(dir)))
        found = strncmp(e->d_name, lower, strlen(lower)) == 0 &&
                has_hardware(folder, e->d_name + strlen(lower), depth - 1);
    if (dir)
        closedir(dir);
    return found;
}

bool ft_interface_has_hardware(const char *folder, const char *name)
{
    return has_hardware(folder, name, DEPTH_MAX);
}

bool ft_interface_counters(const char *name, bool with_sent, struct ft_interface_counters *counters)
{
    uint64_t sent = 0;
    bool ok = !with_sent || read_counter(name, "statistics/tx_packets", &sent);
    counters->packets = 0;
    ok = ok && read_counter(name, "statistics/rx_packets", &counters->packets) &&
         read_counter(name, "statistics/rx_missed_errors", &counters->missed) &&
         read_counter(name, "statistics/rx_errors", &counters->errors) &&
         read_counter(name, "carrier_changes", &counters->link_changes);
    counters->packets += sent;
    return ok;
}

static uint32_t ethtool_value(int fd, const char *name, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq request = {.ifr_data = (void *)&value};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    return ioctl(fd, SIOCETHTOOL, &request) == 0 ? value.data : 0;
}

static bool has_address(const char *name)
{
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *i = list; i; i = i->ifa_next)
        found |= strcmp(i->ifa_name, name) == 0 && i->ifa_addr &&
                 (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6);
    freeifaddrs(list);
    return found;
}

/* Nothing can be received from it as it is. */
static void warn_state(int fd, const char *name, void (*say)(void *user, const char *text),
                       void *user)
{
    struct ifreq request;
    char text[256];
    if (!ask(fd, name, SIOCGIFFLAGS, &request))
        snprintf(text, sizeof(text),
                 "%s: there is no interface %s yet (ip link lists them): a run waits for it if "
                 "capture.wait is true",
                 name, name);
    else if (!(request.ifr_flags & IFF_UP))
        snprintf(text, sizeof(text), "%s is switched off: nothing is received; ip link set %s up",
                 name, name);
    else if (!(request.ifr_flags & IFF_RUNNING))
        snprintf(text, sizeof(text),
                 "%s has no link: nothing is received until its cable is in and the other side on",
                 name);
    else
        return;
    say(user, text);
}

void ft_interface_warn(const char *name, void (*say)(void *user, const char *text), void *user)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[512];
    if (fd < 0)
        return;
    warn_state(fd, name, say, user);
    bool is_loopback = ft_interface_is_loopback(fd, name); /* owns its address, merges nothing */
    if (!is_loopback && ethtool_value(fd, name, ETHTOOL_GGRO)) {
        snprintf(text, sizeof(text),
                 "%s merges packets before they are seen (GRO); ethtool -K %s gro off", name, name);
        say(user, text);
    }
    if (!is_loopback && ethtool_value(fd, name, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) {
        snprintf(text, sizeof(text),
                 "%s merges packets before they are seen (LRO); ethtool -K %s lro off", name, name);
        say(user, text);
    }
    if (!is_loopback && has_address(name)) {
        snprintf(
            text, sizeof(text),
            "%s has an IP address, so this host sends on it; ip address flush dev %s && sysctl "
            "-w net.ipv6.conf.%s.disable_ipv6=1",
            name, name, name);
        say(user, text);
    }
    close(fd);
}
