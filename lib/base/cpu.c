/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/cpu.h"

#include <stddef.h>

/* Here, and not in the program, which DPDK's options compile for another processor. */
const char *ft_cpu_missing(void)
{
#ifdef __AVX512F__
    if (!__builtin_cpu_supports("avx512f"))
        return "AVX-512";
#endif
#ifdef __AVX2__
    if (!__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
#ifdef __BMI2__
    if (!__builtin_cpu_supports("bmi2"))
        return "BMI2";
#endif
    return NULL;
}
