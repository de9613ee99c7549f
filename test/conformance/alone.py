#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fields that nobody asks for but one. See alone.c.

usage: alone.py ALONE PLANT

A capture of the simulated plant always; beside the checkout one capture of each folder (a protocol
each), with FT_LONG=yes all of them.
"""

import concurrent.futures
import sys
import tempfile

import captures as cap
from rules_differential import PROCESSES, judge, one_of_each


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    binary, plant = sys.argv[1:]
    chosen = cap.beside_the_checkout()
    if not cap.is_long():
        chosen = one_of_each(chosen)
    options = ["--frames", "4000" if cap.is_long() else "200"]
    with tempfile.TemporaryDirectory() as work:
        chosen += cap.generated(plant, work, [("plant", ["--seed", "11", "--packets", "2000"])])
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            results = list(pool.map(lambda c: judge(binary, c, options)[0], chosen))
    complaints = [text for result in results for text in result]
    for text in complaints:
        print(text)
    print(f"{len(chosen)} captures, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
