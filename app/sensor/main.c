/* SPDX-License-Identifier: BSD-3-Clause */
/* fieldtap: the sensor. */
#include "sensor.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static struct options options;
    int code = 0;
    if (!options_read(&options, argc, argv)) {
        options_free(&options);
        return 2;
    }
    if (options.action == ACTION_HELP)
        options_help();
    else if (options.action == ACTION_VERSION)
        printf("fieldtap %s, plugin interface %u\n", FIELDTAP_VERSION, FT_ABI_VERSION);
    else
        code = sensor_run(&options);
    options_free(&options);
    return code;
}
