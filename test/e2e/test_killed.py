#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The sensor and its receivers are killed at random, under load: nothing that was acknowledged is
missing, all is in order, and what comes twice has the same number.

usage: test_killed.py FIELDTAP FIELDTAP_PLANT [unittest options]

With FT_LONG=yes they are killed 200 times instead of 5.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import time
import unittest

import eve_check
import receivers
import sensor
from keeping import Keeping
from receivers import HAS, NGINX, RSYSLOG, Authority, Datagrams, Nginx, Rsyslog, number_of
from sensor import run

ROUNDS = 200 if os.environ.get("FT_LONG") == "yes" else 5
# The schema is slow: of lines that differ in nothing but digits one is held against it.
SHAPE = bytes.maketrans(b"123456789", b"000000000")


class Got:
    """What a receiver got until now; of lines their hash."""

    def __init__(self, receiver):
        self.receiver, self.name = receiver, receiver.name
        self.seen, self.last, self.lines = {}, 0, 0
        # Nobody tells a sender by UDP what a receiver that is killed had not read.
        self.is_told = receiver.name != "udp"

    def take(self):
        """In order, but for what comes once more, which is the same as before. What is new."""
        lines, fresh = self.receiver.received_since(), {}
        for line in lines:
            number = number_of(line)
            if number is None:
                continue  # of the output's own
            self.lines += 1
            if number in self.seen:
                if self.seen[number] != hash(line):
                    raise AssertionError(f"{self.name}: two lines with number {number}")
                continue
            if number < self.last and self.is_told:
                raise AssertionError(f"{self.name}: {number} comes behind {self.last}")
            self.last = number
            self.seen[number] = fresh[number] = hash(line)
        return lines, fresh


@unittest.skipUnless(HAS[RSYSLOG] and HAS[NGINX], "rsyslog and nginx are not installed")
class Killed(Keeping):
    """All of them are processes; all are killed with -9."""

    # Between them the load is small enough that the journal never removes anything.
    OPTIONS = ("--log", "transactions", "--loop", "100000", "--speed", "30")

    def setUp(self):
        super().setUp()
        self.random = random.Random(5)
        self.stack = contextlib.ExitStack()
        self.synced = {}

    def tearDown(self):
        self.stack.close()
        super().tearDown()

    def receivers(self):
        authority = Authority(self.dir)
        certificate = (authority.certificate, *authority.sign("localhost", "IP:127.0.0.1"))
        # Sooner than by default, since the sensor seldom lives for longer.
        settles = {"settle_ms": 300}
        made = [Rsyslog("tcp", self.dir, "tcp", **settles),
                Rsyslog("tls", self.dir, "tls", certificate, **settles),
                Rsyslog("udp", self.dir, "udp", **settles),
                Nginx("web", self.dir), Datagrams("local", self.dir)]
        for one in made:
            self.stack.callback(one.kill)
        return made

    def begin(self, capture, config, waits):
        """Back when it has begun: what it says then comes before the first packet."""
        # pylint: disable=consider-using-with
        process = sensor.start("-r", capture, "-c", config, *self.OPTIONS,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while waits and b"events are kept in" not in process.stderr.readline():
            self.assertIsNone(process.poll(), "it does not begin")
        return process

    def lines_kept(self):
        """Numbers and hashes."""
        r = run("--read-journal", self.journal)
        self.assertEqual((r.code, r.err), (0, ""))
        return {number_of(line): hash(line) for line in r.out.encode().splitlines()}

    def check(self, got, through=None):
        """Of what was acknowledged, or up to a number, it has all; and nothing that is not kept."""
        lines, fresh = got.take()
        self.assertLessEqual(fresh.items(), self.synced.items(), f"{got.name}: not in the journal")
        self.check_jq(lines)
        if got.is_told:
            through = through or receivers.acknowledged(self.journal, got.name)
            missing = [n for n in self.synced if n <= through and n not in got.seen]
            self.assertEqual(missing, [], f"{got.name}: acknowledged and not received")

    def load(self, made, seconds):
        """Receivers are killed and started again for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(self.random.uniform(0.1, 0.4))
            one = self.random.choice(made)
            if self.random.random() < 0.5:
                one.kill()
            one.start()

    def test_killed(self):
        capture, made = self.plant(seconds=20), self.receivers()
        file = {"name": "file", "kind": "file", "path": str(self.dir / "file.json")}
        lines = {"name": "cef", "kind": "file", "path": str(self.dir / "file.cef"), "format": "cef",
                 "dialect": "standard"}
        config = self.config(*[one.output() for one in made], file, lines)
        got = [Got(one) for one in made]
        for number in range(ROUNDS):
            # Now and then it is killed while it starts, which is while it recovers.
            process = self.begin(capture, config, number % 8 != 7)
            self.load(made, self.random.uniform(0.1, 0.4 if number % 8 == 7 else 2))
            self.assertIsNone(process.poll(), "it ended by itself")
            process.kill()
            self.assertNotIn(b"Sanitizer", process.communicate()[1])
            kept = self.lines_kept()
            self.assertLessEqual(self.synced.items(), kept.items(),
                                 f"round {number}: synced and gone")
            self.synced = kept
            for one in got:
                self.check(one)
        self.end(config, got)

    def end(self, config, got):
        """With everybody there, all of it arrives."""
        for one in got:
            one.receiver.start()
        capture = self.plant("last.pcap", seconds=2)
        self.assertEqual(run("-r", capture, "-c", config).code, 0)
        self.synced = self.lines_kept()
        self.assertGreater(len(self.synced), 100 * ROUNDS)
        last = max(self.synced)
        for one in got:
            one.receiver.until_number(last)
            self.check(one, last)
            print(f"{one.name}: killed {one.receiver.kills} times, {one.lines} lines, "
                  f"{len(one.seen)} of {len(self.synced)} numbers")
        # A file has no doubles.
        file = (self.dir / "file.json").read_bytes().splitlines()
        self.assertEqual([hash(line) for line in file], list(self.synced.values()))
        self.check_schema()
        self.check_cef()

    def check_cef(self):
        """A file of a format that does not say how far it came: as any receiver, and no line is
        torn."""
        seen, last_new, doubles = {}, 0, 0
        for line in (self.dir / "file.cef").read_bytes().splitlines():
            number = int(re.search(rb" externalId=\S*-(\d+)", line).group(1))
            self.assertTrue(line.startswith(b"CEF:0|fieldtap|"), line)
            if number in seen:
                doubles += 1
                self.assertEqual(seen[number], line)
                continue
            self.assertGreater(number, last_new, "not in order")
            last_new, seen[number] = number, line
        self.assertEqual(seen.keys(), self.synced.keys())
        print(f"cef: {doubles} of {len(seen) + doubles} lines come twice")

    def check_jq(self, lines):
        done = subprocess.run(["jq", "-c", ".event_type"], input=b"\n".join(lines), check=False,
                              capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(len(done.stdout.splitlines()), len(lines))

    def check_schema(self):
        """Of all lines: what receivers got is the same as what is in the file."""
        faults, validator = [], eve_check.make_validator()
        counts = eve_check.check_file(self.dir / "file.json", None, 1, faults)
        self.assertEqual([fault for fault in faults if "an update of nothing" not in fault], [])
        lines = (self.dir / "file.json").read_bytes().splitlines()
        shapes = {line.translate(SHAPE): line for line in lines}
        for line in shapes.values() if validator else ():
            self.assertEqual(list(validator.iter_errors(json.loads(line))), [], line)
        print(f"{sum(counts.values())} lines checked, {len(shapes)} with the schema")


if __name__ == "__main__":
    sensor.main()
