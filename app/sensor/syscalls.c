/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of system calls, see syscalls.h. By name, so that libraries and kernels of several ages
 * will do: a name that libseccomp does not know is passed over. */
#include "syscalls.h"

#include <errno.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names of anonymous memory, which allocators give. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* What any thread does: memory, waiting, time, its end, text on standard error. */
static const char *const everywhere[] = {
    "brk",          "clock_getres",    "clock_gettime", "clock_nanosleep",
    "exit",         "exit_group",      "fstat",         "futex",
    "getcpu",       "getpid",          "getrandom",     "gettid",
    "gettimeofday", "madvise",         "membarrier",    "mremap",
    "munmap",       "nanosleep",       "newfstatat",    "restart_syscall",
    "rseq",         "rt_sigprocmask",  "rt_sigreturn",  "sched_getaffinity",
    "sched_yield",  "set_robust_list", "sigaltstack",   "tgkill",
    "time",         "write",           "writev"};

/* What drivers of DPDK do when their queues are polled, net_pcap and net_af_packet among them; and
 * capset, since capabilities that one thread keeps are given up by the others when all run. */
static const char *const polling[] = {
    "capset", "epoll_pwait", "epoll_wait", "getsockopt", "getsockname", "ioctl",   "poll",
    "ppoll",  "read",        "readv",      "recvfrom",   "recvmmsg",    "recvmsg", "sendto"};

/* The rest of the process: files. */
static const char *const files[] = {"access",
                                    "chdir",
                                    "chmod",
                                    "close",
                                    "close_range",
                                    "copy_file_range",
                                    "creat",
                                    "dup",
                                    "dup2",
                                    "dup3",
                                    "faccessat",
                                    "faccessat2",
                                    "fadvise64",
                                    "fallocate",
                                    "fchmod",
                                    "fchmodat",
                                    "fchown",
                                    "fchownat",
                                    "fcntl",
                                    "fdatasync",
                                    "flock",
                                    "fstatfs",
                                    "fsync",
                                    "ftruncate",
                                    "getcwd",
                                    "getdents",
                                    "getdents64",
                                    "inotify_add_watch",
                                    "inotify_init",
                                    "inotify_init1",
                                    "inotify_rm_watch",
                                    "link",
                                    "linkat",
                                    "lseek",
                                    "lstat",
                                    "mkdir",
                                    "mkdirat",
                                    "open",
                                    "openat",
                                    "pipe",
                                    "pipe2",
                                    "pread64",
                                    "preadv",
                                    "pwrite64",
                                    "pwritev",
                                    "read",
                                    "readahead",
                                    "readlink",
                                    "readlinkat",
                                    "readv",
                                    "rename",
                                    "renameat",
                                    "renameat2",
                                    "rmdir",
                                    "sendfile",
                                    "stat",
                                    "statfs",
                                    "statx",
                                    "symlinkat",
                                    "sync_file_range",
                                    "syncfs",
                                    "truncate",
                                    "umask",
                                    "unlink",
                                    "unlinkat",
                                    "utimensat"};

/* Sockets of the domains below, and waiting for them. */
static const char *const sockets[] = {
    "accept",          "accept4",        "bind",        "connect",      "epoll_create",
    "epoll_create1",   "epoll_ctl",      "epoll_pwait", "epoll_pwait2", "epoll_wait",
    "eventfd",         "eventfd2",       "getpeername", "getsockname",  "getsockopt",
    "listen",          "poll",           "ppoll",       "pselect6",     "recvfrom",
    "recvmmsg",        "recvmsg",        "select",      "sendmmsg",     "sendmsg",
    "sendto",          "setsockopt",     "shutdown",    "signalfd4",    "timerfd_create",
    "timerfd_gettime", "timerfd_settime"};

/* Threads, signals between them, placing of memory and threads, who am I, giving up rights. */
static const char *const housekeeping[] = {"alarm",
                                           "capget",
                                           "capset",
                                           "get_mempolicy",
                                           "getegid",
                                           "geteuid",
                                           "getgid",
                                           "getgroups",
                                           "getpgrp",
                                           "getppid",
                                           "getpriority",
                                           "getresgid",
                                           "getresuid",
                                           "getrlimit",
                                           "getrusage",
                                           "getuid",
                                           "get_robust_list",
                                           "mbind",
                                           "mincore",
                                           "mlock",
                                           "mlock2",
                                           "move_pages",
                                           "msync",
                                           "munlock",
                                           "pause",
                                           "prlimit64",
                                           "rt_sigpending",
                                           "rt_sigqueueinfo",
                                           "rt_sigsuspend",
                                           "rt_sigtimedwait",
                                           "sched_get_priority_max",
                                           "sched_get_priority_min",
                                           "sched_getparam",
                                           "sched_getscheduler",
                                           "sched_setaffinity",
                                           "seccomp",
                                           "set_mempolicy",
                                           "set_tid_address",
                                           "setitimer",
                                           "sysinfo",
                                           "timer_create",
                                           "timer_delete",
                                           "timer_settime",
                                           "times",
                                           "uname"};

/* What opening a port of DPDK again takes besides: memory for its queues. */
static const char *const reopening[] = {"memfd_create", "setpriority", "sched_setscheduler"};

/* Asked for by libraries that can do without: refused, not punished. */
static const struct {
    const char *name;
    int error;
} refused[] = {
    {"clone3", ENOSYS},       {"io_uring_setup", ENOSYS},
    {"openat2", ENOSYS},      {"landlock_create_ruleset", ENOSYS},
    {"sched_setattr", EPERM}, {"pkey_alloc", ENOSYS},
};

static const int domains[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
static const int prctls[] = {PR_SET_NAME,         PR_SET_VMA,      PR_SET_NO_NEW_PRIVS,
                             PR_GET_NO_NEW_PRIVS, PR_SET_DUMPABLE, PR_GET_DUMPABLE,
                             PR_CAP_AMBIENT,      PR_CAPBSET_READ, PR_CAPBSET_DROP};

/* The macros of libseccomp leave out the second datum of an argument that has none. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what is told of a call that is in no list ---- */

/* Names are found out beforehand: the handler may not allocate. */
#define NAMES 512
static char *names[NAMES];

static void learn_names(void)
{
    for (int i = 0; i < NAMES; i++)
        names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
}

/* Then the signal is as it was (SA_RESETHAND), and ends the process. */
static void on_refusal(int signal, siginfo_t *info, void *context)
{
    char thread[16] = "", text[256];
    int call = info->si_syscall;
    (void)context;
    prctl(PR_GET_NAME, thread);
    int n = snprintf(text, sizeof(text),
                     "fieldtap: thread \"%s\" made the system call %s (%d), which fieldtap never "
                     "makes, and was stopped: please report it; --seccomp log goes on\n",
                     thread, call >= 0 && call < NAMES && names[call] ? names[call] : "?", call);
    if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(1);
    raise(signal);
}

static void install_handler(void)
{
    struct sigaction sa = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    learn_names();
    sigaction(SIGSYS, &sa, NULL);
}

/* ---- building ---- */

/* One filter under construction; the first failure is kept. */
struct filter {
    scmp_filter_ctx context;
    int failure;
};

static void keep(struct filter *f, int result)
{
    if (result < 0 && !f->failure)
        f->failure = result;
}

/* With conditions on arguments, or none. */
static void add(struct filter *f, uint32_t action, const char *name, unsigned count,
                const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number >= 0)
        keep(f, seccomp_rule_add_array(f->context, action, number, count, conditions));
}

static void allow(struct filter *f, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(f, SCMP_ACT_ALLOW, list[i], 0, NULL);
}

static void allow_when(struct filter *f, const char *name, struct scmp_arg_cmp condition)
{
    add(f, SCMP_ACT_ALLOW, name, 1, &condition);
}

/* Memory is data: nothing that is mapped can be run. */
static void allow_data(struct filter *f)
{
    allow_when(f, "mmap", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    allow_when(f, "mprotect", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Any signal but the one that tells of refusals. */
static void allow_signals(struct filter *f)
{
    allow_when(f, "rt_sigaction", SCMP_A0(SCMP_CMP_NE, SIGSYS));
}

static bool begin(struct filter *f, const struct syscalls_needs *needs)
{
    *f = (struct filter){
        .context = seccomp_init(needs->mode == SYSCALLS_LOGGED ? SCMP_ACT_LOG : SCMP_ACT_TRAP)};
    if (!f->context)
        return false;
    /* A kernel before 5.16 would slow down all that follows, for what matters to browsers. */
    seccomp_attr_set(f->context, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(f->context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    allow(f, everywhere, COUNT(everywhere));
    allow_signals(f);
    allow_when(f, "prctl", SCMP_A0_32(SCMP_CMP_EQ, PR_GET_NAME)); /* to tell of a refusal */
    return true;
}

static bool end(struct filter *f, char *error, size_t error_size)
{
    if (!f->failure)
        keep(f, seccomp_load(f->context));
    seccomp_release(f->context);
    if (f->failure)
        snprintf(error, error_size, "the kernel takes no filter of system calls (%s)",
                 strerror(-f->failure));
    return !f->failure;
}

/* ---- the lists ---- */

bool syscalls_can_filter(void)
{
    return true;
}

/* Threads, no processes. clone3 hides its flags from filters, so libc goes without it. */
static void allow_threads(struct filter *f)
{
    allow_when(f, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, 0x10000 /* CLONE_THREAD */, 0x10000));
    for (size_t i = 0; i < COUNT(prctls); i++)
        allow_when(f, "prctl", SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)prctls[i]));
}

static void allow_domains(struct filter *f, bool opens_raw)
{
    for (size_t i = 0; i < COUNT(domains); i++) {
        allow_when(f, "socket", SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)domains[i]));
        allow_when(f, "socketpair", SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)domains[i]));
    }
    if (opens_raw)
        allow_when(f, "socket", SCMP_A0_32(SCMP_CMP_EQ, AF_PACKET));
}

/*
 * Libraries that want to load others (modules of the name service) are told no, and do without.
 * Regular expressions are compiled to machine code, in memory without a file, when rules are read.
 */
static void refuse_code(struct filter *f, bool compiles)
{
    const struct scmp_arg_cmp without_file[] = {
        SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC),
        SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)};
    const struct scmp_arg_cmp with_file[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC),
                                             SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0)};
    const struct scmp_arg_cmp later[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)};
    add(f, SCMP_ACT_ERRNO(EACCES), "mmap", 2, with_file);
    add(f, compiles ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), "mmap", 2, without_file);
    add(f, SCMP_ACT_ERRNO(EACCES), "mprotect", 1, later);
}

bool syscalls_filter_process(const struct syscalls_needs *needs, char *error, size_t error_size)
{
    struct filter f;
    if (!begin(&f, needs)) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    install_handler();
    keep(&f, seccomp_attr_set(f.context, SCMP_FLTATR_CTL_TSYNC, 1));
    allow(&f, files, COUNT(files));
    allow(&f, sockets, COUNT(sockets));
    allow(&f, housekeeping, COUNT(housekeeping));
    if (needs->polls)
        allow(&f, reopening, COUNT(reopening));
    allow_data(&f);
    refuse_code(&f, needs->compiles);
    allow_threads(&f);
    allow_domains(&f, needs->opens_raw);
    allow_when(&f, "ioctl",
               SCMP_A1_32(SCMP_CMP_NE, TIOCSTI)); /* typing for whoever has the terminal */
    for (size_t i = 0; i < COUNT(refused); i++)
        add(&f, SCMP_ACT_ERRNO((uint16_t)refused[i].error), refused[i].name, 0, NULL);
    return end(&f, error, error_size);
}

bool syscalls_filter_worker(const struct syscalls_needs *needs, char *error, size_t error_size)
{
    struct filter f;
    if (!begin(&f, needs)) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    if (needs->polls)
        allow(&f, polling, COUNT(polling));
    allow_data(&f);
    return end(&f, error, error_size);
}
