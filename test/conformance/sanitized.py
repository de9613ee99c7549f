#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads captures with a sensor built with sanitizers; called by test/e2e/captures-sanitized.

usage: sanitized.py SENSOR CUTS PLANT
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import captures as cap

PROCESSES = 2
SAMPLE = 150
BATCH = 25  # captures in one process of the sensor: starting it costs more than a small capture
CUTS_SAMPLE = 12
GENERATED = [("plant seed 8", ["--seed", "8", "--packets", "20000"])]
REPORTS = ("Sanitizer", "runtime error:")


def reports(text):
    """The lines of a sanitizer's report."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if any(word in line for word in REPORTS):
            return lines[i:i + 40]
    return []


def read(sensor, batch, folder):
    """Complaints about one run of the sensor over a batch of captures."""
    os.makedirs(folder)
    arguments = [sensor, "-l", folder, "-w", "2", "-q", "--log", "messages"]
    for capture in batch:
        arguments += ["-r", capture.path]
    done = subprocess.run(arguments, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    names = " ".join(c.name for c in batch)
    if done.returncode != 0 or reports(said):
        if len(batch) > 1:
            return [text for i, c in enumerate(batch)
                    for text in read(sensor, [c], f"{folder}-{i}")] or \
                   [f"exit status {done.returncode} of all these together: {names}",
                    *said.splitlines()[:40]]
        return [f"{names}: exit status {done.returncode}", *(reports(said) or said.splitlines())]
    with open(os.path.join(folder, "stats.json"), encoding="utf-8") as file:
        books = json.load(file)
    if not books["balanced"] or books["faults"]:
        return [f"{names}: balanced {books['balanced']}, faults {books['faults']}"]
    return []


def cut(binary, capture):
    """Complaints about one capture of which many parts are read. Only sanitizers are asked here:
    what is found in the parts is judged by the tests of the ordinary build."""
    many = ["--first", "60", "--more", "40"] if cap.is_long() else ["--first", "10", "--more", "5"]
    done = subprocess.run([binary, *many, "--window", "200", capture.path], capture_output=True,
                          text=True, errors="replace")
    said = done.stdout + done.stderr
    if done.returncode not in (0, 1) or reports(said):
        return [f"cuts {capture.name}: exit status {done.returncode}", *reports(said)]
    return []


def main():
    if len(sys.argv) != 4:
        print(__doc__)
        return 2
    sensor, cuts, plant = sys.argv[1:]
    found = cap.beside_the_checkout()
    fuzzed = [c for c in found if c.name.startswith("malformed-fuzz/")]
    others = [c for c in found if not c.name.startswith("malformed-fuzz/")]
    chosen = fuzzed + (others if cap.is_long() else cap.sample(others, SAMPLE))
    with tempfile.TemporaryDirectory() as work:
        made = cap.generated(plant, work, GENERATED)
        chosen += made
        small = [c for c in chosen if os.path.getsize(c.path) < 1 << 20]
        cut_ones = chosen if cap.is_long() else cap.sample(small, CUTS_SAMPLE) + made
        batches = [chosen[i:i + BATCH] for i in range(0, len(chosen), BATCH)]
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            jobs = [pool.submit(read, sensor, b, os.path.join(work, f"batch{i}"))
                    for i, b in enumerate(batches)]
            jobs += [pool.submit(cut, cuts, c) for c in cut_ones]
            complaints = [text for job in jobs for text in job.result()]
    for text in complaints:
        print(text)
    print(f"{len(chosen)} captures read, {len(cut_ones)} cut under sanitizers, "
          f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
