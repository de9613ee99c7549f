/* SPDX-License-Identifier: BSD-3-Clause */
/* What a sensor gives up, see confine.h: user, capabilities, core dumps, system calls. */
#include "confine.h"

#include "base/say.h"
#include "sensor.h"
#include "syscalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Built for sanitizers, which start processes and trace themselves at the end. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* Who does what with other threads is asked by this signal, once or twice at the start. */
#define ASK_SIGNAL (SIGRTMAX - 1)
#define ASK_MS     1000u

#define CAPABILITIES 64u

/* Whom the sensor becomes; one a process. */
static struct {
    bool changes;
    char name[64];
    uid_t uid;
    gid_t gid;
} user;

/* Capabilities that stay, bits; and the only thread that has them in the end. */
static uint64_t kept;
static struct syscalls_needs needs;

/* ---- the user ---- */

/* --user, service.user; started as root by a service manager, one of our own. */
static const char *wanted_user(const struct options *o)
{
    if (o->user)
        return o->user;
    if (*o->config.user)
        return o->config.user;
    return geteuid() == 0 && getenv("NOTIFY_SOCKET") && getpwnam("fieldtap") ? "fieldtap" : NULL;
}

static bool tell_no_user(const struct options *o, const char *name)
{
    static const char format[] = "%s \"%s\": there is no such user; useradd --system --shell "
                                 "/usr/sbin/nologin %s makes one";
    return o->user ? ft_say("fieldtap", format, "--user", name, name)
                   : options_wrong_at(o, o->config.user_at, format, "service.user", name, name);
}

bool confine_find_user(const struct options *o)
{
    const char *name = wanted_user(o);
    if (!name)
        return true;
    errno = 0;
    const struct passwd *p = getpwnam(name);
    if (!p) {
        return tell_no_user(o, name);
    }
    snprintf(user.name, sizeof(user.name), "%s", name);
    user.uid = p->pw_uid;
    user.gid = p->pw_gid;
    user.changes = geteuid() == 0 && p->pw_uid != 0;
    if (geteuid() != 0 && geteuid() != p->pw_uid && o->user)
        ft_say("fieldtap", "--user %s: only root can become another user; it goes on as it is",
               name);
    return true;
}

/* ---- folders ---- */

/* A plain file that root left in a folder of the user: nothing that a link could lead away from. */
static void give_file(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == 0 &&
        fchown(fd, user.uid, user.gid) < 0)
        ft_say("fieldtap", "cannot give %s to %s: %s", name, user.name, strerror(errno));
    close(fd);
}

static void give_files(int folder)
{
    struct dirent *e;
    int copy = dup(folder);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    while (dir && (e = readdir(dir)))
        give_file(folder, e->d_name);
    if (dir)
        closedir(dir);
    else if (copy >= 0)
        close(copy);
}

bool confine_give_folder(const char *path)
{
    struct stat st;
    if (!user.changes || !path || strcmp(path, "-") == 0)
        return true;
    bool is_new = mkdir(path, 0750) == 0;
    if (!is_new && errno != EEXIST) {
        ft_say("fieldtap", "cannot make the directory %s: %s", path, strerror(errno));
        return false;
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_new ? O_NOFOLLOW : 0));
    if (folder < 0)
        return true; /* who opens it says what is wrong with it */
    if (is_new && fchown(folder, user.uid, user.gid) < 0)
        ft_say("fieldtap", "cannot give %s to %s: %s", path, user.name, strerror(errno));
    if (fstat(folder, &st) == 0 && st.st_uid == user.uid)
        give_files(folder);
    close(folder);
    return true;
}

bool confine_give_path(const char *path)
{
    return !user.changes || chown(path, user.uid, user.gid) == 0;
}

void confine_user(uid_t *owner, gid_t *group)
{
    *owner = user.changes ? user.uid : (uid_t)-1;
    *group = user.changes ? user.gid : (gid_t)-1;
}

/* ---- all threads ---- */

/* What is asked, and how many did it. */
static void (*_Atomic question)(void);
static _Atomic uint32_t answers;

static void on_question(int signal)
{
    int before = errno;
    (void)signal;
    atomic_load (&question)();
    atomic_fetch_add(&answers, 1);
    errno = before;
}

/* Ask each thread but this one; how many were asked. */
static uint32_t ask_others(void)
{
    uint32_t asked = 0;
    struct dirent *e;
    DIR *dir = opendir("/proc/self/task");
    while (dir && (e = readdir(dir))) {
        pid_t id = (pid_t)strtol(e->d_name, NULL, 10);
        if (id > 0 && id != gettid() && tgkill(getpid(), id, ASK_SIGNAL) == 0)
            asked++;
    }
    if (!dir)
        ft_say("fieldtap", "/proc is not there: threads of libraries keep their capabilities");
    else
        closedir(dir);
    return asked;
}

/* Capabilities are of threads: each has to give up its own. This one does so last. */
static void do_everywhere(void (*what)(void))
{
    struct sigaction sa = {.sa_handler = on_question, .sa_flags = SA_RESTART}, before;
    atomic_store(&question, what);
    atomic_store(&answers, 0);
    sigaction(ASK_SIGNAL, &sa, &before);
    uint32_t asked = ask_others(), waited = 0;
    while (atomic_load(&answers) < asked && waited++ < ASK_MS)
        usleep(1000);
    if (atomic_load(&answers) < asked)
        ft_say("fieldtap", "%u threads did not give up their capabilities",
               asked - atomic_load(&answers));
    else
        sigaction(ASK_SIGNAL, &before, NULL);
}

/* ---- capabilities ---- */

static bool has_capability(unsigned c)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    return syscall(SYS_capget, &header, data) == 0 && data[c / 32].permitted >> (c % 32) & 1;
}

static void limit_to(uint64_t mask)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)mask, .permitted = (uint32_t)mask},
        {.effective = (uint32_t)(mask >> 32), .permitted = (uint32_t)(mask >> 32)}};
    syscall(SYS_capset, &header, data);
}

/* What programs that it starts could get; it starts none. */
static void empty_bounds(void)
{
    for (unsigned c = 0; c < CAPABILITIES; c++)
        if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) > 0)
            prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void drop_all(void)
{
    limit_to(0);
}

/*
 * A port of DPDK on an interface of the kernel is opened anew when the interface is back: a packet
 * socket, CAP_NET_RAW; and those drivers switch the interface to promiscuous mode by a flag of it,
 * CAP_NET_ADMIN, but net_pcap. The sockets of -i are bound again, which takes nothing; a NIC that
 * was pulled out needs root and a new start.
 */
static uint64_t needed_later(const struct sensor *s)
{
    uint64_t needed = 0;
    char interface[64];
    for (uint32_t i = 0; s->is_polled && i < s->options->port_count; i++) {
        const char *device = s->options->ports[i].device;
        ft_ethdev_interface(device, interface, sizeof(interface));
        if (!*interface && strncmp(device, "net_tap", 7) != 0)
            continue;
        needed |= 1ull << CAP_NET_RAW;
        if (strncmp(device, "net_pcap", 8) != 0)
            needed |= 1ull << CAP_NET_ADMIN;
    }
    for (unsigned c = 0; c < CAPABILITIES; c++)
        if (needed >> c & 1 && !has_capability(c))
            needed &= ~(1ull << c);
    return needed;
}

/* ---- becoming the user ---- */

static bool change_user(void)
{
    if (!user.changes)
        return true;
    umask(027);
    prctl(PR_SET_KEEPCAPS, kept != 0, 0, 0, 0);
    if (initgroups(user.name, user.gid) == 0 && setresgid(user.gid, user.gid, user.gid) == 0 &&
        setresuid(user.uid, user.uid, user.uid) == 0)
        return true;
    if (geteuid() == 0 && errno == EPERM) { /* a container's root without CAP_SETUID */
        ft_say("fieldtap",
               "not permitted to become %s here: it goes on as root, with what root may do here",
               user.name);
        return true;
    }
    ft_say("fieldtap", "cannot become %s: %s", user.name, strerror(errno));
    return false;
}

/* Memory of a sensor is full of what it saw. */
static void choose_core_dumps(const struct options *o)
{
    struct rlimit limit = {0, 0};
    bool is_service = user.changes || getenv("NOTIFY_SOCKET");
    if (o->config.core_dumps) {
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* taken away with the change of user */
        getrlimit(RLIMIT_CORE, &limit);
        limit.rlim_cur = limit.rlim_max;
    }
    if (o->config.core_dumps || is_service)
        setrlimit(RLIMIT_CORE, &limit);
}

static enum syscalls_mode mode_of(const struct options *o)
{
    return (enum syscalls_mode)(o->has_seccomp ? o->seccomp : o->config.seccomp);
}

static void filter_calls(const struct sensor *s)
{
    char error[256];
    needs = (struct syscalls_needs){.mode = mode_of(s->options),
                                    .polls = s->is_polled,
                                    .opens_raw = s->is_polled,
                                    .compiles = s->is_live && s->rules.quiescent};
    bool is_asked = s->options->has_seccomp || s->options->config.seccomp == SYSCALLS_LOGGED;
    if (needs.mode == SYSCALLS_FREE)
        return;
    if (IS_SANITIZED || !syscalls_can_filter()) {
        needs.mode = SYSCALLS_FREE;
        if (is_asked || s->options->verbose || (user.changes && !IS_SANITIZED))
            ft_say("fieldtap", "system calls are not filtered: this fieldtap was built %s",
                   IS_SANITIZED ? "with sanitizers" : "without libseccomp");
        return;
    }
    if (syscalls_filter_process(&needs, error, sizeof(error)))
        return;
    needs.mode = SYSCALLS_FREE;
    ft_say("fieldtap", "system calls are not filtered: %s", error);
}

/* First what takes capabilities itself. */
static bool give_up_capabilities(void)
{
    do_everywhere(empty_bounds);
    empty_bounds();
    if (!change_user())
        return false;
    do_everywhere(drop_all);
    limit_to(kept);
    return true;
}

bool confine(struct sensor *s)
{
    bool stays = geteuid() == 0 && !user.changes; /* root by hand stays what it is */
    kept = stays ? 0 : needed_later(s);
    if (!stays && !give_up_capabilities())
        return false;
    choose_core_dumps(s->options);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    filter_calls(s);
    return true;
}

void confine_worker(const struct worker *w)
{
    char error[256];
    if (kept)
        drop_all();
    if (needs.mode != SYSCALLS_FREE && !syscalls_filter_worker(&needs, error, sizeof(error)))
        ft_say("fieldtap", "worker %u: %s", w->index, error);
}

void confine_all_others(const struct sensor *s)
{
    (void)s;
    if (kept)
        do_everywhere(drop_all);
}
