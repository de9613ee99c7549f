#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules compiled and rules judged plainly, on captures. See rules_differential.c.

usage: rules_differential.py RULES_DIFFERENTIAL PLANT

Captures of the simulated plant always; beside the checkout one capture of each folder (a protocol
each), with FT_LONG=yes all of them and more rules. FT_RULES_SEED=N makes other rules.
"""

import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

import captures as cap

PROCESSES = 2
SHORT = ["--rules", "300", "--few", "6", "--frames", "400"]
LONG = ["--rules", "1000", "--few", "20", "--frames", "4000"]
GENERATED = [("plant seed 11", ["--seed", "11", "--packets", "3000"]),
             ("plant seed 12", ["--seed", "12", "--packets", "3000"])]


def one_of_each(captures):
    """One capture of each folder, always the same one."""
    folders = {}
    for capture in sorted(captures):
        folders.setdefault(os.path.dirname(capture.name), []).append(capture)
    return [random.Random(cap.SEED).choice(of) for of in folders.values()]


def judge(binary, capture, options):
    """What is wrong with one capture, and all lines about it."""
    done = subprocess.run([binary, *options, capture.path], capture_output=True, text=True,
                          errors="replace")
    lines = (done.stdout + done.stderr).splitlines()
    return (lines + [f"{capture.name}: exit status {done.returncode}"]) if done.returncode else [], \
        lines


def judge_all(binary, plant, options, generated):
    """What judge() says of each capture, after all complaints were printed."""
    chosen = cap.beside_the_checkout()
    if not cap.is_long():
        chosen = one_of_each(chosen)
    with tempfile.TemporaryDirectory() as work:
        chosen += cap.generated(plant, work, generated)
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            results = list(pool.map(lambda c: judge(binary, c, options), chosen))
    for complaints, _ in results:
        for text in complaints:
            print(text)
    return results


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    options = (LONG if cap.is_long() else SHORT) + ["--seed", os.environ.get("FT_RULES_SEED", "1")]
    results = judge_all(*sys.argv[1:], options, GENERATED)
    complaints = sum(len(result) for result, _ in results)
    totals = {word: sum(int(before) for _, lines in results for line in lines[-1:]
                        for before, after in zip(line.split(), line.split()[1:])
                        if after.strip(",") == word)
              for word in ("messages", "rules", "evaluations", "hits")}
    print(f"{len(results)} captures, "
          f"{', '.join(f'{count} {word}' for word, count in totals.items())}, "
          f"{complaints} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
