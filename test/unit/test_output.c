/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the sink: torn lines, locks, full disks, pipes. A small tmpfs-like limit is made with
 * RLIMIT_FSIZE: the kernel then takes part of a write and refuses the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/output.h"

static char directory[64], path[128], error[400];

static int begin(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/ft_output_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/eve.json", directory);
    error[0] = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    chmod(directory, 0700);
    unlink(path);
    rmdir(path);
    rmdir(directory);
    return 0;
}

static void put_file(const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static char *get_file(void)
{
    static char *text;
    struct stat st;
    free(text);
    FILE *f = fopen(path, "r");
    if (!f || fstat(fileno(f), &st) < 0)
        return NULL;
    text = calloc(1, (size_t)st.st_size + 1);
    size_t n = fread(text, 1, (size_t)st.st_size, f);
    fclose(f);
    assert_int_equal(n, st.st_size);
    return text;
}

static bool put_line(struct ft_output *out, const char *text)
{
    char *room = ft_output_reserve(out);
    if (!room)
        return false;
    int n = sprintf(room, "%s\n", text);
    ft_output_commit(out, (uint32_t)n, NULL);
    return true;
}

static void test_lines_are_appended(void **state)
{
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct ft_output *out = ft_output_open(directory, error, sizeof(error));
        assert_non_null(out);
        assert_string_equal(ft_output_last_line(out), run ? "{\"b\":2}" : "");
        assert_true(put_line(out, "{\"a\":1}"));
        assert_true(put_line(out, "{\"b\":2}"));
        struct ft_output_status status;
        assert_true(ft_output_close(out, &status, error, sizeof(error)));
        assert_int_equal(status.lines, 2);
        assert_int_equal(status.bytes, 16);
    }
    assert_string_equal(get_file(), "{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n{\"b\":2}\n");
}

static void test_directory_is_made(void **state)
{
    (void)state;
    char deeper[128], file[160];
    snprintf(deeper, sizeof(deeper), "%s/new", directory);
    snprintf(file, sizeof(file), "%s/eve.json", deeper);
    struct ft_output *out = ft_output_open(deeper, error, sizeof(error));
    assert_non_null(out);
    assert_true(ft_output_close(out, NULL, error, sizeof(error)));
    assert_int_equal(unlink(file), 0);
    rmdir(deeper);
}

static void test_torn_last_line_is_cut(void **state)
{
    (void)state;
    static const char *const files[][3] = {
        {"{\"a\":1}\n{\"torn", "{\"a\":1}", "{\"a\":1}\n{}\n"},
        {"{\"torn", "", "{}\n"},
        {"{\"a\":1}\n{\"b\":2}\n", "{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n{}\n"},
        {"", "", "{}\n"},
        {"\n", "", "\n{}\n"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        put_file(files[i][0]);
        struct ft_output *out = ft_output_open(directory, error, sizeof(error));
        assert_non_null(out);
        assert_string_equal(ft_output_last_line(out), files[i][1]);
        assert_true(put_line(out, "{}"));
        assert_true(ft_output_close(out, NULL, error, sizeof(error)));
        assert_string_equal(get_file(), files[i][2]);
    }
}

static void test_long_lines_are_found_whole(void **state)
{
    (void)state;
    static char text[20000];
    for (size_t length = 4090; length < 4100; length++) { /* around the size of a block */
        memset(text, 'x', length);
        memcpy(text, "{}\n", 3);
        text[length] = '\n';
        text[length + 1] = 0;
        put_file(text);
        struct ft_output *out = ft_output_open(directory, error, sizeof(error));
        assert_non_null(out);
        assert_int_equal(strlen(ft_output_last_line(out)), length - 3);
        assert_true(ft_output_close(out, NULL, error, sizeof(error)));
    }
}

static void test_a_file_that_is_no_lines_is_left_alone(void **state)
{
    (void)state;
    char *text = malloc(300001);
    memset(text, 'x', 300000);
    text[300000] = 0;
    put_file(text);
    assert_null(ft_output_open(directory, error, sizeof(error)));
    assert_non_null(strstr(error, "not a file of JSON lines"));
    assert_string_equal(get_file(), text);
    free(text);
}

static void test_other_kinds_of_file_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(ft_output_open(directory, error, sizeof(error)));
    assert_non_null(strstr(error, "eve.json"));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(ft_output_open(directory, error, sizeof(error)));
    rmdir(path);
    assert_null(ft_output_open("/proc/nothing", error, sizeof(error)));
    assert_non_null(strstr(error, "/proc/nothing"));
}

static void test_two_runs_cannot_write_one_directory(void **state)
{
    (void)state;
    struct ft_output *out = ft_output_open(directory, error, sizeof(error));
    assert_non_null(out);
    assert_null(ft_output_open(directory, error, sizeof(error)));
    assert_non_null(strstr(error, "another run"));
    assert_null(strchr(error, '\n'));
    assert_true(ft_output_close(out, NULL, error, sizeof(error)));
    out = ft_output_open(directory, error, sizeof(error));
    assert_non_null(out);
    assert_true(ft_output_close(out, NULL, error, sizeof(error)));
}

static void test_nowhere(void **state)
{
    (void)state;
    struct ft_output *out = ft_output_open(NULL, error, sizeof(error));
    assert_true(ft_output_is_nowhere(out));
    for (int i = 0; i < 100000; i++)
        assert_true(put_line(out, "{\"some\":\"line\"}"));
    assert_true(ft_output_close(out, NULL, error, sizeof(error)));
}

static void limit_file(uint64_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Every line whole, numbered in order: returns the last number, checks that none is torn. */
static unsigned check_lines(const char *text)
{
    unsigned last = 0;
    for (const char *at = text; *at;) {
        unsigned n;
        const char *newline = strchr(at, '\n');
        assert_non_null(newline);
        assert_int_equal(sscanf(at, "{\"line\":%u,", &n), 1);
        assert_true(n > last);
        assert_true(newline[-1] == '}');
        last = n;
        at = newline + 1;
    }
    return last;
}

static void number_line(char text[200], unsigned n)
{
    sprintf(text, "{\"line\":%u,\"filler\":\"%0*u\"}", n, 100 + (int)(n % 50), n);
}

static void test_full_disk(void **state)
{
    (void)state;
    char text[200];
    struct ft_output_status status;
    signal(SIGXFSZ, SIG_IGN);
    struct ft_output *out = ft_output_open(directory, error, sizeof(error));
    limit_file(1500007); /* in the middle of a line of the second mebibyte */
    unsigned taken = 0, n = 0;
    for (; n < 40000; n++) {
        number_line(text, n + 1);
        taken += put_line(out, text);
    }
    status = ft_output_status(out);
    assert_int_equal(status.error, EFBIG);
    assert_int_equal(status.lost, n - taken);
    assert_true(taken < n);
    check_lines(get_file()); /* while the disk is full there is no half line */

    limit_file(0); /* there is room again */
    ft_output_flush(out);
    for (; n < 41000; n++) {
        number_line(text, n + 1);
        taken += put_line(out, text);
    }
    assert_false(ft_output_close(out, &status, error, sizeof(error)));
    assert_int_equal(status.lines, taken);
    assert_int_equal(status.lost, n - taken);
    assert_non_null(strstr(error, "could not be written"));
    assert_int_equal(check_lines(get_file()), 41000);
    unsigned lines = 0;
    for (const char *at = get_file(); (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, taken);
    signal(SIGXFSZ, SIG_DFL);
}

static void test_disk_that_stays_full(void **state)
{
    (void)state;
    char text[200];
    struct ft_output_status status;
    signal(SIGXFSZ, SIG_IGN);
    struct ft_output *out = ft_output_open(directory, error, sizeof(error));
    limit_file(1000);
    for (unsigned n = 1; n <= 100; n++) {
        number_line(text, n);
        assert_true(put_line(out, text));
    }
    assert_false(ft_output_close(out, &status, error, sizeof(error)));
    limit_file(0);
    unsigned last = check_lines(get_file());
    assert_true(last > 0 && last < 100);
    assert_int_equal(status.lines, last);
    assert_int_equal(status.lost, 100 - last);
    signal(SIGXFSZ, SIG_DFL);
}

/* Standard output is a pipe that nobody reads for a while, and is not blocking. */
static void test_slow_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char text[200];
        close(ends[0]);
        dup2(ends[1], STDOUT_FILENO);
        fcntl(STDOUT_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
        struct ft_output *out = ft_output_open("-", error, sizeof(error));
        for (unsigned n = 1; n <= 20000; n++) {
            number_line(text, n);
            if (!put_line(out, text))
                _exit(1);
        }
        _exit(ft_output_close(out, NULL, error, sizeof(error)) ? 0 : 2);
    }
    close(ends[1]);
    char *all = calloc(1, 8 << 20);
    size_t used = 0;
    ssize_t n;
    usleep(50000);
    while ((n = read(ends[0], all + used, 30000)) > 0)
        used += (size_t)n;
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(check_lines(all), 20000);
    free(all);
    close(ends[0]);
}

static void test_broken_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char text[200];
        close(ends[0]);
        dup2(ends[1], STDOUT_FILENO);
        signal(SIGPIPE, SIG_IGN);
        struct ft_output *out = ft_output_open("-", error, sizeof(error));
        for (unsigned n = 1; n <= 20000; n++) {
            number_line(text, n);
            put_line(out, text);
        }
        _exit(ft_output_close(out, NULL, error, sizeof(error)) ? 1 : 0);
    }
    close(ends[0]);
    close(ends[1]);
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_are_appended),
        TEST(test_directory_is_made),
        TEST(test_torn_last_line_is_cut),
        TEST(test_long_lines_are_found_whole),
        TEST(test_a_file_that_is_no_lines_is_left_alone),
        TEST(test_other_kinds_of_file_are_refused),
        TEST(test_two_runs_cannot_write_one_directory),
        TEST(test_nowhere),
        TEST(test_full_disk),
        TEST(test_disk_that_stays_full),
        TEST(test_slow_pipe),
        TEST(test_broken_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
