/* SPDX-License-Identifier: BSD-3-Clause */
/* fieldtapctl: asks a running sensor over its control socket. */
#include "ctl.h"

#include "base/nearest.h"
#include "base/say.h"
#include "control/request.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (32u << 20)

struct ctl {
    const char *path;
    bool is_json, is_watching;
    double interval;
    uint64_t screens; /* 0 = until interrupted */
    uint64_t timeout_s;
    enum ft_control_id command;
    json_t *request;
    int fd;
    char *buffer; /* what came behind the last answer */
    size_t used, size;
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* Say what is wrong with the command line; the exit code for that. */
#define usage(...) (ft_say("fieldtapctl", __VA_ARGS__), CTL_USAGE)

/* ---- the command line ---- */

static bool number(const char *text, double low, double high, double *to)
{
    char *end;
    *to = strtod(text, &end);
    return *text && !*end && *to >= low && *to <= high;
}

/* The command of one or two words at argv[at]; how many words it took, 0: there is none. */
static int find_command(int argc, char **argv, int at, enum ft_control_id *id)
{
    for (int words = 2; words >= 1; words--) {
        char name[64];
        if (at + words > argc)
            continue;
        int n = snprintf(name, sizeof(name), words == 2 ? "%s %s" : "%s", argv[at],
                         words == 2 ? argv[at + 1] : "");
        if (n >= (int)sizeof(name))
            continue;
        for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++)
            if (strcmp(ft_control_commands[i].name, name) == 0) {
                *id = (enum ft_control_id)i;
                return words;
            }
    }
    return 0;
}

static int unknown_command(const char *word)
{
    size_t length = strlen(word);
    struct ft_nearest n = ft_nearest_begin(word);
    char group[160] = "";
    for (unsigned i = 0; i < FT_CONTROL_COMMANDS; i++) {
        const char *name = ft_control_commands[i].name;
        size_t used = strlen(group);
        if (strncmp(name, word, length) == 0 && name[length] == ' ')
            snprintf(group + used, sizeof(group) - used, "%s\"%s\"", used ? ", " : "", name);
        ft_nearest_offer(&n, name);
    }
    if (*group)
        return usage("\"%.40s\" wants a second word: %s", word, group);
    if (n.best)
        return usage("there is no command \"%.40s\"; did you mean \"%s\"?", word, n.best);
    return usage("there is no command \"%.40s\"; fieldtapctl --help lists them", word);
}

/* Put an argument into the request. */
static int put_argument(struct ctl *c, const struct ft_control_argument *a, const char *text)
{
    char error[256], *end;
    json_t *value = json_string(text);
    if (!value)
        return usage("%s: expected text in UTF-8", a->name);
    json_object_set_new(c->request, a->name, value);
    if (a->kind == FT_CONTROL_NUMBER && *text >= '0' && *text <= '9') {
        unsigned long long n = strtoull(text, &end, 10);
        if (!*end && n <= INT64_MAX)
            json_object_set_new(c->request, a->name, json_integer((json_int_t)n));
    }
    if (!ft_control_check(a, json_object_get(c->request, a->name), error, sizeof(error)))
        return usage("\"%.40s\": %s", text, error);
    return CTL_OK;
}

/* The next argument that has no name before it. */
static int put_plain(struct ctl *c, const char *text)
{
    const struct ft_control_command *command = &ft_control_commands[c->command];
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && command->arguments[i].name; i++) {
        const struct ft_control_argument *a = &command->arguments[i];
        if (a->is_plain && !json_object_get(c->request, a->name))
            return put_argument(c, a, text);
    }
    return usage("\"%s\" takes no \"%.40s\"; fieldtapctl --help lists its arguments", command->name,
                 text);
}

/* Options of fieldtapctl itself. How many words it took, 0: it is none, -1: it is wrong. */
static int take_option(struct ctl *c, char **argv, int left)
{
    static const struct {
        const char *name, *letter;
        bool has_value;
    } options[] = {{"--socket", "-s", true}, {"--timeout", "-t", true}, {"--interval", "", true},
                   {"--count", "", true},    {"--json", "-j", false},   {"--watch", "-w", false}};
    double n;
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t length = strlen(options[i].name);
        bool is_joined = strncmp(argv[0], options[i].name, length) == 0 && argv[0][length] == '=';
        if (strcmp(argv[0], options[i].name) != 0 && strcmp(argv[0], options[i].letter) != 0 &&
            !is_joined)
            continue;
        const char *value = is_joined ? argv[0] + length + 1 : left > 1 ? argv[1] : NULL;
        int words = options[i].has_value && !is_joined ? 2 : 1;
        if (options[i].has_value && !value)
            return -usage("%s needs an argument", options[i].name);
        if (!options[i].has_value && is_joined)
            return -usage("%s takes no value", options[i].name);
        switch (i) {
        case 0:
            c->path = value;
            return words;
        case 1:
            if (!number(value, 1, 3600, &n))
                return -usage("--timeout %s: expected seconds from 1 to 3600", value);
            c->timeout_s = (uint64_t)n;
            return words;
        case 2:
            if (!number(value, 0.2, 3600, &c->interval))
                return -usage("--interval %s: expected seconds from 0.2 to 3600", value);
            return words;
        case 3:
            if (!number(value, 1, 1e9, &n))
                return -usage("--count %s: expected a number from 1", value);
            c->screens = (uint64_t)n;
            return words;
        case 4:
            c->is_json = true;
            return words;
        default:
            c->is_watching = true;
            return words;
        }
    }
    return 0;
}

/* --top N of a command; as take_option(). */
static int take_named(struct ctl *c, bool has_command, char **argv, int left)
{
    const struct ft_control_command *command = &ft_control_commands[c->command];
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    for (unsigned i = 0; has_command && i < FT_CONTROL_ARGUMENTS && command->arguments[i].name;
         i++) {
        const struct ft_control_argument *a = &command->arguments[i];
        size_t length = strlen(a->name);
        if (strncmp(name, a->name, length) != 0 || (name[length] && name + length != equals))
            continue;
        if (!equals && left < 2)
            return -usage("--%s needs an argument", a->name);
        return put_argument(c, a, equals ? equals + 1 : argv[1]) ? -1 : equals ? 1 : 2;
    }
    ft_say("fieldtapctl", "there is no option %.40s%s; fieldtapctl --help lists them", argv[0],
           has_command ? " of this command" : " before the command");
    return -1;
}

static int read_words(struct ctl *c, int argc, char **argv)
{
    bool has_command = false, is_plain = false;
    for (int i = 1; i < argc;) {
        int words = 0;
        if (!is_plain && strcmp(argv[i], "--") == 0) {
            is_plain = true;
            i++;
            continue;
        }
        if (!is_plain && argv[i][0] == '-' && argv[i][1]) {
            words = take_option(c, argv + i, argc - i);
            if (!words)
                words = take_named(c, has_command, argv + i, argc - i);
        } else if (!has_command) {
            words = find_command(argc, argv, i, &c->command);
            has_command = words;
            if (!words)
                return unknown_command(argv[i]);
        } else {
            words = put_plain(c, argv[i]) ? -1 : 1;
        }
        if (words < 0)
            return CTL_USAGE;
        i += words;
    }
    if (!has_command)
        return usage("which command? fieldtapctl --help lists them");
    return CTL_OK;
}

static int check(struct ctl *c)
{
    const struct ft_control_command *command = &ft_control_commands[c->command];
    if ((c->is_watching && c->command != FT_CONTROL_STATS) || (c->screens && !c->is_watching))
        return usage(c->is_watching ? "--watch goes with stats" : "--count goes with --watch");
    for (unsigned i = 0; i < FT_CONTROL_ARGUMENTS && command->arguments[i].name; i++)
        if (command->arguments[i].is_needed &&
            !json_object_get(c->request, command->arguments[i].name))
            return usage("\"%s\" needs an argument: %s", command->name,
                         command->arguments[i].title);
    json_object_set_new(c->request, "command", json_string(command->name));
    return CTL_OK;
}

/* ---- the connection ---- */

static int no_permission(const char *path)
{
    struct stat st;
    const struct group *g = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;
    const struct passwd *owner = g ? getpwuid(st.st_uid) : NULL;
    fprintf(stderr, "fieldtapctl: no permission for %s: ", path);
    if (g && (st.st_mode & 0020) && st.st_gid != 0)
        fprintf(stderr, "become a member of group %s (usermod -aG %s USER), or use sudo\n",
                g->gr_name, g->gr_name);
    else
        fprintf(stderr, "run as %s (sudo), or give it a group with control.group\n",
                owner ? owner->pw_name : "its owner");
    return CTL_UNREACHABLE;
}

static int unreachable(const char *path, int reason)
{
    if (reason == EACCES || reason == EPERM)
        return no_permission(path);
    if (reason == ENOENT)
        fprintf(
            stderr,
            "fieldtapctl: no sensor listens at %s: is it running (systemctl status fieldtap), and "
            "is its socket another one (--socket, control.socket)?\n",
            path);
    else if (reason == ECONNREFUSED)
        fprintf(stderr,
                "fieldtapctl: nobody listens at %s any more: the sensor has ended without removing "
                "it; start it again\n",
                path);
    else
        fprintf(stderr, "fieldtapctl: cannot connect to %s: %s\n", path, strerror(reason));
    return CTL_UNREACHABLE;
}

static int connect_to(struct ctl *c)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = (time_t)c->timeout_s};
    if (strlen(c->path) >= sizeof(a.sun_path))
        return usage("--socket: a path of at most %zu bytes", sizeof(a.sun_path) - 1);
    strcpy(a.sun_path, c->path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return unreachable(c->path, errno);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return CTL_OK;
}

static bool send_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        text += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* One line of the answer in c->buffer, its length; 0 after saying why there is none. */
static size_t receive_line(struct ctl *c)
{
    char *end;
    while (!(end = memchr(c->buffer, '\n', c->used))) {
        if (c->used == c->size) {
            char *larger = c->size < ANSWER_MAX ? realloc(c->buffer, c->size * 2) : NULL;
            if (!larger) {
                fprintf(stderr, "fieldtapctl: the answer is too long\n");
                return 0;
            }
            c->buffer = larger;
            c->size *= 2;
        }
        ssize_t n = recv(c->fd, c->buffer + c->used, c->size - c->used, 0);
        if (n < 0 && errno == EINTR && !is_interrupted)
            continue;
        if (n <= 0) {
            if (!is_interrupted)
                fprintf(stderr, "fieldtapctl: %s\n",
                        n == 0 ? "the sensor has closed the connection"
                               : "the sensor has not answered in time (--timeout)");
            return 0;
        }
        c->used += (size_t)n;
    }
    return (size_t)(end - c->buffer) + 1;
}

/* Send the request; the result is the caller's. */
static int ask(struct ctl *c, json_t **result)
{
    char *text = json_dumps(c->request, JSON_COMPACT);
    bool is_sent = text && send_all(c->fd, text, strlen(text)) && send_all(c->fd, "\n", 1);
    free(text);
    size_t length = is_sent ? receive_line(c) : 0;
    if (!is_sent)
        fprintf(stderr, "fieldtapctl: the sensor has closed the connection\n");
    if (!length)
        return CTL_UNREACHABLE;
    json_t *answer = json_loadb(c->buffer, length, 0, NULL);
    memmove(c->buffer, c->buffer + length, c->used - length);
    c->used -= length;
    if (json_is_true(json_object_get(answer, "ok"))) {
        *result = json_incref(json_object_get(answer, "result"));
        json_decref(answer);
        return CTL_OK;
    }
    const char *error = json_string_value(json_object_get(answer, "error"));
    size_t n = error ? strlen(error) : 0;
    if (c->is_json && answer)
        json_dumpf(answer, stdout, JSON_COMPACT), putchar('\n');
    fprintf(stderr, "fieldtapctl: %s%s", error ? error : "what answers there is no sensor",
            n && error[n - 1] == '\n' ? "" : "\n");
    json_decref(answer);
    return error ? CTL_REFUSED : CTL_UNREACHABLE;
}

/* ---- */

static void print(const struct ctl *c, const json_t *result)
{
    if (c->is_json) {
        json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(16));
        putchar('\n');
    } else {
        show(c->command, result, stdout);
    }
}

static void sleep_for(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

/* A terminal is cleared before each screen; in a pipe they follow one another. */
static int watch(struct ctl *c)
{
    json_t *before = NULL, *now = NULL;
    bool is_terminal = isatty(STDOUT_FILENO);
    int code = CTL_OK;
    for (uint64_t n = 0; !is_interrupted && (!c->screens || n < c->screens); n++) {
        if (n)
            sleep_for(c->interval);
        if (is_interrupted || (code = ask(c, &now)) != CTL_OK)
            break;
        if (is_terminal && !c->is_json)
            fputs("\033[H\033[J", stdout);
        if (c->is_json)
            print(c, now);
        else
            show_live(before, now, stdout);
        if (fflush(stdout) != 0)
            break;
        json_decref(before);
        before = now;
    }
    json_decref(before);
    return is_interrupted ? CTL_OK : code;
}

static int run(struct ctl *c)
{
    json_t *result = NULL;
    int code = connect_to(c);
    c->size = 65536;
    c->buffer = malloc(c->size);
    if (code == CTL_OK && c->buffer && c->is_watching)
        return watch(c);
    if (code == CTL_OK)
        code = c->buffer ? ask(c, &result) : CTL_UNREACHABLE;
    if (result)
        print(c, result);
    json_decref(result);
    return code;
}

static bool has_word(int argc, char **argv, const char *name, const char *letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], name) == 0 || strcmp(argv[i], letter) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    const char *path = getenv("FIELDTAP_CONTROL");
    struct ctl c = {.path = path && *path ? path : FT_CONTROL_SOCKET,
                    .interval = 1,
                    .timeout_s = 130,
                    .fd = -1};
    struct sigaction sa = {.sa_handler = on_signal};
    if (has_word(argc, argv, "--help", "-h")) {
        print_help(stdout);
        return fflush(stdout) == 0 ? CTL_OK : CTL_REFUSED;
    }
    if (has_word(argc, argv, "--version", "-V")) {
        printf("fieldtapctl %s\n", FIELDTAP_VERSION);
        return CTL_OK;
    }
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    c.request = json_object();
    int code = read_words(&c, argc, argv);
    code = code ? code : check(&c);
    code = code ? code : run(&c);
    json_decref(c.request);
    free(c.buffer);
    if (c.fd >= 0)
        close(c.fd);
    if (fflush(stdout) != 0 && errno != EPIPE && code == CTL_OK) {
        fprintf(stderr, "fieldtapctl: cannot write to standard output: %s\n", strerror(errno));
        code = CTL_REFUSED;
    }
    return code;
}
