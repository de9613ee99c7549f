/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of the tables in dnp3_tables.c and s7_tables.c, and of the commands of Modbus and UMAS:
 * what can harm a plant is of the class that says so, and has the techniques of MITRE ATT&CK for
 * ICS that the protocol's description gives it, whatever else stands there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/industrial/s7.h"
#include "protocols/power/dnp3_objects.h"

extern const struct ft_dissector ft_dissector_dnp3;
extern const struct ft_dissector ft_dissector_modbus;
extern const struct ft_dissector ft_dissector_s7comm;
extern const struct ft_dissector ft_dissector_umas;

#define ANY FT_ANY_QUALIFIER

struct danger {
    uint32_t code, qualifier;
    enum ft_class class_;
    const char *techniques; /* with a space between them */
};

/* Functions of IEEE 1815; writes by the group of their first object, files by how they open. */
static const struct danger dnp3[] = {
    {3, ANY, FT_CLASS_OPERATE, "T0855"},
    {4, ANY, FT_CLASS_OPERATE, "T0855"},
    {5, ANY, FT_CLASS_OPERATE, "T0855"},
    {6, ANY, FT_CLASS_OPERATE, "T0855"},
    {2, 12, FT_CLASS_OPERATE, "T0855"},
    {2, 41, FT_CLASS_OPERATE, "T0855"},
    {2, 34, FT_CLASS_CONFIG, "T0836"},
    {2, 50, FT_CLASS_CONFIG, "T0836"},
    {2, 80, FT_CLASS_CONFIG, "T0836"},
    {13, ANY, FT_CLASS_MODE, "T0816"},
    {14, ANY, FT_CLASS_MODE, "T0816"},
    {16, ANY, FT_CLASS_MODE, "T0858 T0881"},
    {17, ANY, FT_CLASS_MODE, "T0858"},
    {18, ANY, FT_CLASS_MODE, "T0858 T0881"},
    {21, ANY, FT_CLASS_CONFIG, "T0804 T0878"},
    {22, ANY, FT_CLASS_CONFIG, "T0804 T0878"},
    {25, 2, FT_CLASS_PROGRAM, "T0839 T0857 T0889"},
    {25, 3, FT_CLASS_PROGRAM, "T0839 T0857 T0889"},
    {27, ANY, FT_CLASS_PROGRAM, "T0809"},
    {31, ANY, FT_CLASS_CONFIG, "T0889"},
    {32, 10, FT_CLASS_ADMIN, "T0892"},
};

/* Functions, then groups of user data (0x700 and up) by subfunction. */
static const struct danger s7comm[] = {
    {0x05, ANY, FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x1a, ANY, FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1b, ANY, FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1c, ANY, FT_CLASS_PROGRAM, "T0843 T0889"},
    {0x1d, ANY, FT_CLASS_UPLOAD, "T0845"},
    {0x1e, ANY, FT_CLASS_UPLOAD, "T0845"},
    {0x1f, ANY, FT_CLASS_UPLOAD, "T0845"},
    {0x29, ANY, FT_CLASS_MODE, "T0858 T0816"},
    {0x701, 0x08, FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x701, 0x09, FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x701, 0x0c, FT_CLASS_MODE, "T0858 T0816"},
    {0x704, 0x07, FT_CLASS_CONFIG, "T0878"},
    {0x705, 0x01, FT_CLASS_AUTH, "T0859"},
    {0x707, 0x02, FT_CLASS_CONFIG, "T0836"},
    {0x707, 0x04, FT_CLASS_CONFIG, "T0836"},
};

/* Program invocations by their names on the wire. */
static const struct {
    const char *wire;
    struct danger danger;
} s7_services[] = {
    {"P_PROGRAM", {.class_ = FT_CLASS_MODE, .techniques = "T0858 T0816"}},
    {"_INSE", {.class_ = FT_CLASS_PROGRAM, .techniques = "T0843 T0889"}},
    {"_DELE", {.class_ = FT_CLASS_PROGRAM, .techniques = "T0843 T0889"}},
    {"_MODU", {.class_ = FT_CLASS_PROGRAM, .techniques = "T0843 T0889"}},
    {"_GARB", {.class_ = FT_CLASS_PROGRAM, .techniques = "T0843 T0889"}},
    {"_N_NEWPWD", {.class_ = FT_CLASS_ADMIN, .techniques = ""}},
    {"_N_NCKMOD", {.class_ = FT_CLASS_MODE, .techniques = ""}},
};

/* Functions; 8 is diagnostics, by subfunction. */
static const struct danger modbus[] = {
    {5, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {6, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {15, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {16, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {22, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {23, ANY, FT_CLASS_WRITE, "T0855 T0836 T0831"},
    {8, 1, FT_CLASS_MODE, "T0816"},
    {8, 4, FT_CLASS_MODE, "T0814"},
    {8, 10, FT_CLASS_ADMIN, "T0872"},
    {8, 20, FT_CLASS_ADMIN, "T0872"},
    {21, ANY, FT_CLASS_WRITE, "T0843 T0889"},
    {126, ANY, FT_CLASS_PROGRAM, "T0843 T0889"},
};

static const struct danger umas[] = {
    {0x10, ANY, FT_CLASS_ADMIN, "T0848 T0859"},
    {0x21, ANY, FT_CLASS_WRITE, "T0855 T0836"},
    {0x23, ANY, FT_CLASS_WRITE, "T0855 T0836"},
    {0x25, ANY, FT_CLASS_WRITE, "T0855 T0836"},
    {0x29, ANY, FT_CLASS_WRITE, "T0855 T0836"},
    {0x71, ANY, FT_CLASS_WRITE, "T0855 T0835 T0836"},
    {0x30, ANY, FT_CLASS_PROGRAM, "T0843 T0889 T0821"},
    {0x31, ANY, FT_CLASS_PROGRAM, "T0843 T0889 T0821"},
    {0x32, ANY, FT_CLASS_PROGRAM, "T0843 T0889 T0821"},
    {0x36, ANY, FT_CLASS_PROGRAM, "T0843"},
    {0x42, ANY, FT_CLASS_PROGRAM, "T0843"},
    {0x43, ANY, FT_CLASS_PROGRAM, "T0843"},
    {0x33, ANY, FT_CLASS_UPLOAD, "T0845 T0882"},
    {0x34, ANY, FT_CLASS_UPLOAD, "T0845 T0882"},
    {0x35, ANY, FT_CLASS_UPLOAD, "T0845 T0882"},
    {0x40, ANY, FT_CLASS_MODE, "T0858 T0816"},
    {0x41, ANY, FT_CLASS_MODE, "T0858 T0816"},
    {0x60, ANY, FT_CLASS_MODE, "T0821"},
    {0x64, ANY, FT_CLASS_MODE, "T0821"},
};

static const struct ft_command *command_of(const struct ft_dissector *d, uint32_t code,
                                           uint32_t qualifier)
{
    const struct ft_command *commands = d->commands.rows;
    for (uint32_t i = 0; i < d->commands.count; i++)
        if (commands[i].code == code && commands[i].qualifier == qualifier)
            return &commands[i];
    fail_msg("%s has no command %#x, %#x", d->name, code, qualifier);
    return NULL;
}

static void assert_danger(const struct ft_dissector *d, const struct danger *row)
{
    const struct ft_command *c = command_of(d, row->code, row->qualifier);
    if (c->class_ != row->class_)
        fail_msg("%s %s is of class %u, not %u", d->name, c->name, c->class_, row->class_);
    for (const char *t = row->techniques; *t; t += strcspn(t, " "), t += *t == ' ') {
        char technique[8];
        snprintf(technique, sizeof(technique), "%.*s", (int)strcspn(t, " "), t);
        if (!c->mitre || !strstr(c->mitre, technique))
            fail_msg("%s %s is without %s", d->name, c->name, technique);
    }
}

static void assert_dangers(const struct ft_dissector *d, const struct danger *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_danger(d, &rows[i]);
}

#define ASSERT_DANGERS(dissector, rows)                                                            \
    assert_dangers(dissector, rows, sizeof(rows) / sizeof((rows)[0]))

static void test_commands(void **state)
{
    (void)state;
    ASSERT_DANGERS(&ft_dissector_dnp3, dnp3);
    ASSERT_DANGERS(&ft_dissector_s7comm, s7comm);
    ASSERT_DANGERS(&ft_dissector_modbus, modbus);
    ASSERT_DANGERS(&ft_dissector_umas, umas);
}

static uint32_t service_of(const char *wire)
{
    for (uint32_t i = 0; i < s7_pi_service_count; i++)
        if (!strcmp(s7_pi_services[i].wire, wire))
            return i;
    fail_msg("%s is no service", wire);
    return 0;
}

static void test_program_invocations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(s7_services) / sizeof(s7_services[0]); i++) {
        struct danger row = s7_services[i].danger;
        row.code = S7_PI_SERVICE;
        row.qualifier = service_of(s7_services[i].wire);
        assert_danger(&ft_dissector_s7comm, &row);
    }
    assert_true(s7_pi_services[service_of("_N_LOGIN_")].is_secret);
    assert_true(s7_pi_services[service_of("_N_NEWPWD")].is_secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_program_invocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
