#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Half an hour at the highest rate that this machine holds: memory stays flat after the first third
of the time, the books close at the end, and whatever was lost is told. Another program, tcpreplay,
sends the simulated plant over and over into one end of a veth pair.

Flat: no more than 1 MiB is asked for, and no more than 4 MiB of what was asked for before are
touched for the first time. The tables have their size from the start and are touched on use; most
are full of what lives at a time, or have their turn, within the first minutes. What is left are
time-outs, a page of a wheel each 512 seconds, and address resolution, a line of 16,384 questions.
In a run of less than five minutes there is no warming up, and the bound is less than it seems.

usage: soak.py FIELDTAP FIELDTAP_PLANT [--minutes N] [--rate PACKETS_PER_SECOND] [--workers N]
       without --rate the rate is looked for first
Exit status: 0 fine, 1 something is wrong, 77 skipped.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

import live
import sensor
from live import ip, whole_lines

OPTIONS = argparse.Namespace()
LOOK_S = 5
TRY_S = 6
RATES = [25000 * 2**n for n in range(7)]
TAIL = 1 << 20

ASKED_KIB = 1 << 10
TOUCHED_KIB = 4 << 10


class Soak(live.Live):

    def figures(self):
        """The last statistics; the file is large."""
        with open(self.out / "eve.json", "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")[1:-1]
        told = [line for line in lines if b'"event_type":"stats"' in line]
        return json.loads(told[-1])["stats"] if told else {}

    def events(self, directory=None):
        return [e for kind in ("stats", "health") for e in whole_lines(self.out, kind)]

    def check_lines(self):
        """Other tests do."""

    def memory(self):
        """KiB that are mapped, KiB that are in use."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"^{name}:\s*(\d+)", status, re.M).group(1))
                     for name in ("VmSize", "VmRSS"))

    def sent(self):
        link, = json.loads(ip("-n", self.src, "-s", "-j", "link", "show", "src0"))
        return link["stats64"]["tx"]["packets"]

    def start(self, name):
        self.out = self.dir / name
        config = self.write("c.json", json.dumps({"stats": {"interval": 1}}).encode())
        self.begin("-c", config, "-w", OPTIONS.workers)
        self.until(lambda: "reader" in self.threads(), "all threads run")
        return self.sent()

    def replay(self, rate):
        words = ["ip", "netns", "exec", self.src, "tcpreplay", "-qK", "--loop=0",
                 f"--pps={rate}", "-i", "src0", str(self.path)]
        # pylint: disable=consider-using-with
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def halt(replay):
        replay.terminate()
        replay.wait()

    def close(self, before):
        """End the run; its books, in which are all that were sent, and how many were lost."""
        sent = self.sent() - before
        self.end()
        stats = self.books(sent, lost=True)
        lost = stats["capture"]["kernel_drops"] + stats["packets"]["buckets"]["shed.ring"]
        return sent, lost

    def find_rate(self):
        """The highest one of which nothing is lost for some seconds."""
        held = 0
        for rate in RATES:
            before = self.start(f"rate{rate}")
            replay = self.replay(rate)
            time.sleep(TRY_S)
            self.halt(replay)
            sent, lost = self.close(before)
            print(f"{rate} packets/s: {sent / TRY_S:.0f} sent, {lost} of {sent} lost", flush=True)
            if lost or sent < rate * TRY_S * 0.8:
                return held or min(rate, int(sent / TRY_S))
            held = rate
        return held

    def look(self, began, memory):
        figures = self.figures()
        if not figures:
            return
        memory.append(self.memory())
        port = figures["capture"]["interfaces"]["tap0"]
        print(f"{time.monotonic() - began:6.0f} s  {port['received']} packets  "
              f"{port['kernel_drops']} dropped  {port['shed']} shed  {memory[-1][1]} KiB in use of "
              f"{memory[-1][0]}", flush=True)

    def test_soak(self):
        if not shutil.which("tcpreplay"):
            self.skipTest("tcpreplay is not installed")
        self.path = self.plant(seconds=300)
        rate = OPTIONS.rate or self.find_rate()
        seconds = OPTIONS.minutes * 60
        print(f"{OPTIONS.minutes:g} minutes at {rate} packets/s", flush=True)
        before, memory, began = self.start("soak"), [], time.monotonic()
        replay = self.replay(rate)
        while time.monotonic() - began < seconds:
            time.sleep(LOOK_S)
            self.assertIsNone(replay.poll(), "tcpreplay goes on")
            self.look(began, memory)
        self.halt(replay)
        sent, lost = self.close(before)
        told = {event for event, _ in self.health() if not event.startswith("mirror_")}
        warm, last = memory[len(memory) // 3], memory[-1]
        print(f"{sent} packets in {seconds:.0f} s, {lost} of them lost and told; memory after "
              f"warming up {warm[1]} KiB of {warm[0]}, at the end {last[1]} of {last[0]}", flush=True)
        self.assertGreater(sent, 0.1 * rate * seconds)
        self.assertEqual(told, set())
        self.assertLess(last[0] - warm[0], ASKED_KIB)
        self.assertLess(last[1] - warm[1], TOUCHED_KIB)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("fieldtap")
    parser.add_argument("plant")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.parse_args(namespace=OPTIONS)
    sensor.FIELDTAP, sensor.PLANT = map(os.path.abspath, (OPTIONS.fieldtap, OPTIONS.plant))
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    if result.skipped:
        print(result.skipped[0][1])
        sys.exit(77)
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
