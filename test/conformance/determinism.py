#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""eve.json is the same, byte for byte, for any number of workers.

usage: determinism.py SENSOR PLANT

Reads captures with 1, 2 and 4 workers and compares digests of eve.json, with all messages and
transactions logged and as it is by default. Captures beside the checkout: all when FT_LONG=yes,
else a sample with everything logged.
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
GENERATED = [
    ("plant seed 4", ["--seed", "4", "--seconds", "120"]),
    ("plant seed 5, many devices", ["--seed", "5", "--packets", "50000", "--flows", "2000"]),
]
EVERYTHING = ["--log", "messages", "--log", "transactions"]


def differences(capture, sensor, work):
    """Complaints about one capture."""
    folder = os.path.join(work, hashlib.sha256(capture.name.encode()).hexdigest()[:16])
    complaints = []
    is_thorough = cap.is_long() or capture.name.startswith("generated")
    for options in ([], EVERYTHING) if is_thorough else (EVERYTHING,):
        seen = {}
        for workers in WORKERS:
            status, said = cap.sensor(sensor, capture.path, folder, workers, options)
            if status != 0:
                complaints.append(f"{capture.name}: -w {workers} {' '.join(options)} ended with "
                                  f"{status}: {said.strip()}")
                continue
            seen.setdefault(cap.digest(os.path.join(folder, "eve.json")), []).append(workers)
        if len(seen) > 1:
            groups = " against ".join("-w " + ",".join(map(str, w)) for w in seen.values())
            complaints.append(f"{capture.name}: eve.json differs: {groups} {' '.join(options)}")
    shutil.rmtree(folder, ignore_errors=True)
    return complaints


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    sensor, plant = sys.argv[1:]
    found = cap.beside_the_checkout()
    chosen = found if cap.is_long() else cap.sample(found, SAMPLE)
    with tempfile.TemporaryDirectory() as work:
        chosen = chosen + cap.generated(plant, work, GENERATED)
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            results = list(pool.map(lambda c: differences(c, sensor, work), chosen))
    complaints = [text for result in results for text in result]
    for text in complaints:
        print(text)
    print(f"{len(chosen)} captures, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
