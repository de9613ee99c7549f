/* SPDX-License-Identifier: BSD-3-Clause */
/* fieldtap: the sensor. */
#include "sensor.h"

#include "base/cpu.h"
#include "core_map.h"
#include "doctor.h"
#include "formats.h"
#include "output/sinks.h"
#include "read_journal.h"

#include <errno.h>
#include <jansson.h>
#include <rte_version.h>
#include <stdio.h>
#include <string.h>

/* What was printed has to arrive, or the exit code tells; a reader that has seen enough is fine. */
static bool is_printed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (errno == EPIPE)
        return true;
    fprintf(stderr, "fieldtap: cannot write to standard output: %s\n", strerror(errno));
    return false;
}

static void print_version(void)
{
    printf("fieldtap %s, plugin interface %u\n", FIELDTAP_VERSION, FT_ABI_VERSION);
    const char *hyperscan = ft_recogniser_version();
    printf("%s, Hyperscan %.*s, jansson %s, %s\n", rte_version(), (int)strcspn(hyperscan, " "),
           hyperscan, jansson_version_str(), ft_filter_library());
    if (*FIELDTAP_LACKING)
        printf("built without %s\n", FIELDTAP_LACKING);
}

int main(int argc, char **argv)
{
    static struct options options;
    int code = 0;
    const char *missing = ft_cpu_missing();
    if (missing) {
        fprintf(stderr,
                "fieldtap: this build needs %s, which this processor lacks: build it here, or with "
                "meson's -Dcpu=x86-64-v2\n",
                missing);
        return 1;
    }
    if (!options_read(&options, argc, argv)) {
        options_free(&options);
        return 2;
    }
    if (options.action == ACTION_HELP)
        options_help();
    else if (options.action == ACTION_VERSION)
        print_version();
    else if (options.action == ACTION_DESCRIBE_CONFIG) {
        ft_config_describe(stdout);
        ft_sinks_describe(stdout);
    } else if (options.action == ACTION_LIST_KEYWORDS)
        rules_list_keywords();
    else if (options.action == ACTION_LIST_FORMATS)
        list_formats();
    else if (options.action == ACTION_READ_JOURNAL)
        code = read_journal(options.journal);
    else if (options.action == ACTION_PRINT_CORE_MAP)
        core_map_print(stdout, stderr, "", &options);
    else if (options.action == ACTION_DOCTOR)
        code = doctor_print(stdout, "", &options, eal_megabytes(&options)) ? 1 : 0;
    else
        code = sensor_run(&options);
    options_free(&options);
    if (!is_printed() && code == 0)
        code = 1;
    return code;
}
