#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""eve.json is the same, byte for byte, for any number of workers.

usage: determinism.py SENSOR PLANT

Reads captures with 1, 2 and 4 workers and compares digests of eve.json, with all messages and
transactions logged and as it is by default. Captures beside the checkout: all when FT_LONG=yes,
else a sample with everything logged. Several are read one after another in one run, for starting
costs more than most captures; what differs is then looked for in each of them alone.
"""

import concurrent.futures
import hashlib
import os
import shutil
import sys
import tempfile

import captures as cap

WORKERS = (1, 2, 4)
SAMPLE = 60
PROCESSES = 2
BATCH = 20
BATCH_BYTES = 4 << 20
GENERATED = [
    ("plant seed 4", ["--seed", "4", "--seconds", "120"]),
    ("plant seed 5, many devices", ["--seed", "5", "--packets", "50000", "--flows", "2000"]),
]
EVERYTHING = ["--log", "messages", "--log", "transactions"]


def compare(batch, sensor, folder, options):
    """Complaints about a batch of captures read in one run."""
    complaints, seen = [], {}
    name = f"{batch[0].name} and {len(batch) - 1} more" if batch[1:] else batch[0].name
    for workers in WORKERS:
        status, said = cap.sensor(sensor, [c.path for c in batch], folder, workers, options)
        if status != 0:
            complaints.append(f"{name}: -w {workers} {' '.join(options)} ended with {status}: "
                              f"{said.strip()}")
            continue
        seen.setdefault(cap.digest(os.path.join(folder, "eve.json")), []).append(workers)
    if len(seen) > 1:
        groups = " against ".join("-w " + ",".join(map(str, w)) for w in seen.values())
        complaints.append(f"{name}: eve.json differs: {groups} {' '.join(options)}")
    return complaints


def differences(batch, sensor, work):
    """Complaints about a batch of captures, alone where they can be told apart."""
    folder = os.path.join(work, hashlib.sha256(batch[0].name.encode()).hexdigest()[:16])
    complaints = []
    is_thorough = cap.is_long() or batch[0].name.startswith("generated")
    for options in ([], EVERYTHING) if is_thorough else (EVERYTHING,):
        found = compare(batch, sensor, folder, options)
        if found and batch[1:]:
            found = [text for c in batch for text in compare([c], sensor, folder, options)] or found
        complaints += found
    shutil.rmtree(folder, ignore_errors=True)
    return complaints


def batches(captures):
    """Lists of captures that are read in one run."""
    lists, size = [[]], 0
    for capture in captures:
        more = os.path.getsize(capture.path)
        if lists[-1] and (len(lists[-1]) == BATCH or size + more > BATCH_BYTES):
            lists.append([])
            size = 0
        lists[-1].append(capture)
        size += more
    return [batch for batch in lists if batch]


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    sensor, plant = sys.argv[1:]
    found = cap.beside_the_checkout()
    chosen = found if cap.is_long() else cap.sample(found, SAMPLE)
    with tempfile.TemporaryDirectory() as work:
        made = cap.generated(plant, work, GENERATED)
        lists = batches(chosen) + [[c] for c in made]
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            results = list(pool.map(lambda batch: differences(batch, sensor, work), lists))
    complaints = [text for result in results for text in result]
    for text in complaints:
        print(text)
    print(f"{len(chosen) + len(made)} captures in {len(lists)} runs each way, "
          f"{len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
