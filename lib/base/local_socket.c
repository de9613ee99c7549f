/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets of this machine, see local_socket.h. */
#include "base/local_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* EAGAIN: more wait there than are let in. */
static bool is_in_use(const struct sockaddr_un *at)
{
    int fd = new_socket();
    bool answers =
        fd >= 0 && (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    return answers;
}

/* False with errno. */
static bool clear_path(const struct sockaddr_un *at)
{
    struct stat st;
    if (lstat(at->sun_path, &st) < 0)
        return errno == ENOENT;
    bool is_socket = S_ISSOCK(st.st_mode);
    if (!is_socket || is_in_use(at)) {
        errno = is_socket ? EADDRINUSE : EEXIST;
        return false;
    }
    return unlink(at->sun_path) == 0;
}

/* The mode by way of the umask and the owner without following links: in a folder of somebody else
 * the name may be another file by then. */
static bool make_at(int fd, const struct sockaddr_un *at, const struct ft_local_socket *what)
{
    mode_t before = umask(~what->mode & 0777);
    bool ok = bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;
    umask(before);
    bool stays = what->owner == (uid_t)-1 && what->group == (gid_t)-1;
    return ok && (stays || lchown(at->sun_path, what->owner, what->group) == 0) &&
           listen(fd, what->backlog) == 0;
}

int ft_local_socket_listen(const struct ft_local_socket *what)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(what->path) >= sizeof(at.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(at.sun_path, what->path, strlen(what->path));
    if (!clear_path(&at))
        return -1;
    int fd = new_socket();
    if (fd >= 0 && make_at(fd, &at, what))
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

const char *ft_local_socket_error(int error)
{
    return error == EADDRINUSE ? "somebody listens there already"
           : error == EEXIST   ? "there is a file that is no socket"
                               : strerror(error);
}

bool ft_local_socket_may_give(gid_t group)
{
    gid_t groups[1024];
    int n = getgroups(1024, groups);
    bool may = geteuid() == 0 || getegid() == group;
    for (int i = 0; i < n && !may; i++)
        may = groups[i] == group;
    return may;
}
