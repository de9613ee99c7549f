/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets of this machine that a sensor makes, for programs that connect to it. */
#ifndef FT_LOCAL_SOCKET_H
#define FT_LOCAL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct ft_local_socket {
    const char *path; /**< at most 107 bytes */
    mode_t mode;      /**< permissions, such as 0660 */
    uid_t owner;      /**< (uid_t)-1: who makes it */
    gid_t group;      /**< (gid_t)-1: that of who makes it */
    int backlog;
};

/**
 * Make it and listen; the descriptor does not block. What a killed process left behind is replaced.
 * -1 with errno: EADDRINUSE when somebody listens there, EEXIST when there is a file that is no
 * socket. Nobody can connect before owner, group and mode are set. Changes the umask for a moment,
 * and owners: at the start of a process, before it gives up its rights.
 */
int ft_local_socket_listen(const struct ft_local_socket *what);

/** Why it failed, one phrase for people. */
const char *ft_local_socket_error(int error);

/** May this process give what it makes to that group? Root may, and members. */
bool ft_local_socket_may_give(gid_t group);

#endif
