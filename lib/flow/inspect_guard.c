/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guard: a dissector that faults or does not come to an end is left, disabled and told of. What
 * it was called with is marked by ft_inspect_guard_begin() and ft_inspect_guard_end() of
 * inspect_internal.h.
 */
#include "flow/inspect_internal.h"

#include <pthread.h>
#include <time.h>

/* Computing time after which one call of a dissector has gone astray. */
#define OVERRUN_NS 200000000ull

/* The inspector whose dissector runs on this thread, for the signal handlers. */
static _Thread_local struct ft_inspector *guarded;

void ft_inspect_after_fault(struct ft_inspector *ins, struct ft_packet *p)
{
    const struct ft_protocol *called =
        ins->call.protocol ? ins->call.protocol : ft_recogniser_asked(ins->scratch);
    struct ft_protocol *culprit = called ? ins->shards->registry->protocols[called->index] : NULL;
    struct ft_ledger *l = &ins->ledger;
    int signal = ins->fault_signal;
    ft_inspect_guard_end(ins);
    ins->framer_call = NULL;
    ft_call_abandon(&ins->call);
    if (culprit)
        ft_protocol_switch_off(culprit, ins->wait ? ins->packet->shard : FT_ALL_SHARDS);
    uint64_t most = p ? p->payload_len : 0; /* bytes that were in the dissector's hands */
    if (ins->flow) {
        const struct ft_framer_pools *pools = &ins->call.state->pools;
        most += pools->lent ? ft_buffer_size(pools->lent) : 0;
        most += pools->rest ? ft_buffer_size(pools->rest) : 0;
        most += ins->flow->half[0].held_bytes + ins->flow->half[1].held_bytes;
        ft_framer_abandon(&ins->call.state->pools);
        ft_inspect_reset_framers(ins, ins->flow);
        l->stream.held -= ins->flow->half[0].held_bytes + ins->flow->half[1].held_bytes;
        ft_stream_release(ins->shards->flows, ins->flow);
        ft_inspect_give_up(ins, ins->flow);
    }
    /* Nobody's any more; but no more than there were, so that books which were wrong stay so. */
    uint64_t missing = l->stream_received - ft_stream_bytes_booked(&l->stream);
    l->stream.abandoned += missing < most ? missing : most;
    l->faults++;
    ft_inspect_tell_health(
        ins, culprit, signal == SIGUSR2 ? FT_HEALTH_DISSECTOR_OVERRUN : FT_HEALTH_DISSECTOR_FAULT,
        signal);
    ins->held_number = 0; /* what was being read is */
    if (p) {
        p->bucket = FT_BUCKET_SHED_FAULT;
        l->packets[FT_BUCKET_SHED_FAULT]++;
    }
}

static void on_fault(int signal, siginfo_t *info, void *user)
{
    struct ft_inspector *ins = guarded;
    (void)info;
    (void)user;
    bool is_overrun = signal == SIGUSR2;
    /* The call that was meant may have come to its end, and be changing shared state right now. */
    bool is_late = is_overrun && ins &&
                   (atomic_load_explicit(&ins->call.is_changing, memory_order_relaxed) ||
                    atomic_load_explicit(&ins->overrun_serial, memory_order_relaxed) !=
                        atomic_load_explicit(&ins->call_serial, memory_order_relaxed));
    if (ins && ins->is_guarded && !is_late) {
        ins->fault_signal = signal;
        siglongjmp(ins->escape, 1);
    }
    if (is_overrun)
        return;
    /* Not in a dissector: the default action, a core dump, is what is wanted. */
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal, &standard, NULL);
    raise(signal);
}

void ft_inspect_install_guard(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGUSR2};
    /* Not deferred: the handler leaves by a jump that does not restore the signal mask. */
    struct sigaction sa = {.sa_sigaction = on_fault,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &sa, NULL);
}

bool ft_inspect_guard_thread(struct ft_inspector *ins)
{
    stack_t stack = {.ss_sp = ins->alternate_stack, .ss_size = ALTERNATE_STACK};
    guarded = ins;
    return sigaltstack(&stack, &ins->former_stack) == 0;
}

void ft_inspect_unguard_thread(struct ft_inspector *ins)
{
    /* A sanitizer has one of its own for each thread, and frees whatever is set at the end. */
    sigaltstack(&ins->former_stack, NULL);
    guarded = NULL;
}

/* Time that a thread has been computing: a machine that is busy with other things slows no clock.
 */
static uint64_t cpu_ns(pthread_t thread)
{
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void ft_inspect_watch(struct ft_inspector *ins, unsigned long thread)
{
    uint64_t serial = atomic_load_explicit(&ins->call_serial, memory_order_relaxed);
    uint64_t now = cpu_ns((pthread_t)thread);
    if (!ins->is_guarded || serial != ins->watch_serial) {
        ins->watch_serial = serial;
        ins->watch_cpu_ns = now;
    } else if (now - ins->watch_cpu_ns >= OVERRUN_NS) {
        atomic_store_explicit(&ins->overrun_serial, serial, memory_order_relaxed);
        pthread_kill((pthread_t)thread, SIGUSR2);
    }
}
