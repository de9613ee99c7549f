#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fields that nobody asks for but one. See alone.c.

usage: alone.py ALONE PLANT

A capture of the simulated plant always; beside the checkout one capture of each folder (a protocol
each), with FT_LONG=yes all of them.
"""

import sys

import captures as cap
from rules_differential import judge_all


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    options = ["--frames", "4000" if cap.is_long() else "200"]
    results = judge_all(*sys.argv[1:], options, [("plant", ["--seed", "11", "--packets", "2000"])])
    complaints = sum(len(result) for result, _ in results)
    print(f"{len(results)} captures, {complaints} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
