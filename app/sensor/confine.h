/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sensor gives up once it has what it needs.
 *
 * A sensor starts with the rights that ports and hugepages need. When it has them, and before it
 * opens what it writes, it becomes an unprivileged user (--user, service.user), gives up all
 * capabilities, can gain no new ones, and tells the kernel which system calls it will ever make
 * (syscalls.h). All that comes later (outputs, journal, sinks, control, rules read again) is done
 * with what is left.
 *
 * For whoever adds a thread: one that is made after confine() inherits everything and has nothing
 * to call. That is everything from run_make_core() in run_core.c on. Only threads that read packets
 * call confine_worker() at their beginning, which leaves them hardly any system call. A call that a
 * new thread needs and that the filter refuses ends the process and is named on standard error: add
 * it to the list in syscalls.c, with what it is for.
 *
 * For whoever adds a folder or file: with --user it is opened by that user. Folders beside -l that
 * have to be there are named to confine_give_folder().
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "options.h"

#include <stdbool.h>
#include <sys/types.h>

struct sensor;
struct worker;

/**
 * Find the user that the options name, before anything is opened: an unknown one is a wrong
 * configuration. False after saying so. Who is not root stays who it is, which is told when the
 * command line asked for somebody else.
 */
bool confine_find_user(const struct options *o);

/**
 * Make a folder if it is not there, for the user that the sensor is about to become; what the
 * sensor as root left in a folder of that user becomes the user's. Nothing without another user, or
 * for NULL and "-". A folder that is there and somebody else's stays as it is. False after saying
 * why it cannot be made. Before confine().
 */
bool confine_give_folder(const char *path);

/** Give a path that was just made to the user that the sensor is about to become. False with errno.
 * Before confine(). */
bool confine_give_path(const char *path);

/** That user and its group, for what is made before; -1 each when the sensor stays who it is. */
void confine_user(uid_t *owner, gid_t *group);

/**
 * Become the user, give up what is not needed any more. By the main thread, when all ports are
 * open; reaches threads that exist. What this machine does not allow is told, and the sensor goes
 * on. False after saying why when it must not.
 */
bool confine(struct sensor *s);

/** At the beginning of a thread that reads packets: only what that takes. */
void confine_worker(const struct worker *w);

/**
 * When all threads run: what confine() kept for ports that may have to be opened again is given up
 * by all but the calling thread, which is the one that opens them. Nothing when nothing was kept.
 */
void confine_all_others(const struct sensor *s);

#endif
