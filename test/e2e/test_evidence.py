#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The packets of alerts: what is in the files, beside what tshark finds in the capture, and their
bounds.

usage: test_evidence.py FIELDTAP FIELDTAP_PLANT FIELDTAPCTL [unittest options]
"""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import unittest

import live
import sensor
import traffic
from sensor import Case, of_type, pcap, run
from traffic import C, S

CLIENT, PLC, OTHER = (10, 1, 3, 20), (10, 1, 1, 10), (10, 1, 1, 11)
TSHARK = shutil.which("tshark")
FIELDTAPCTL = ""


def polls(times, stop_at=None):
    """A Modbus connection that reads, once a second, and once stops the PLC (UMAS is 0x5a)."""
    turns = []
    for i in range(times):
        head = struct.pack(">HHHB", i, 0, 6, 1)
        if i == stop_at:
            turns += [(C, head + struct.pack(">BHH", 6, 40000, 7)), 0.01,
                      (S, head + struct.pack(">BHH", 6, 40000, 7))]
        else:
            turns += [(C, head + struct.pack(">BHH", 3, 40000, 1)), 0.01,
                      (S, struct.pack(">HHHBBBH", i, 0, 5, 1, 3, 2, 9))]
        turns.append(0.99)
    return traffic.tcp(502, *turns)


def capture(*talks):
    """(conversation, client, server): all from the same second on, in order of time."""
    packets = []
    for make, client, server in talks:
        at = 0.0
        for frame in make(client, server):
            if isinstance(frame, float):
                at += frame
                continue
            packets.append((at, frame))
            at += 0.001
    return pcap(sorted(packets, key=lambda p: p[0]))


RULES = """{"rules": [{"id": 9200001, "title": "Somebody writes", "revision": 1, "action": "ACTION",
  "evidence": EVIDENCE, "category": "policy", "severity": "minor",
  "message": "a write", "when": "protocol == modbus and command == write_single_register and direction == to_server"}]}"""


def frames(path, *fields, only=""):
    """What tshark says of each packet."""
    words = [TSHARK, "-r", str(path), "-T", "fields", "-Eseparator=|"]
    for field in fields:
        words += ["-e", field]
    if only:
        words += ["-Y", only]
    done = subprocess.run(words, check=True, capture_output=True, env=dict(os.environ, TZ="UTC"))
    return [line.split("|") for line in done.stdout.decode().splitlines()]


@unittest.skipIf(TSHARK is None, "tshark is not installed")
class Files(Case):
    config = {}

    def setUp(self):
        super().setUp()
        self.plant_file = self.write("in.pcap", capture(
            (polls(60, stop_at=30), CLIENT, PLC), (polls(60), CLIENT, OTHER)))

    def sensor(self, *options, out=None, rule=("alert", "true"), **evidence):
        text = RULES.replace("ACTION", rule[0]).replace("EVIDENCE", rule[1])
        rules = self.write("rules.json", text.encode())
        config = self.write("config.json", json.dumps(
            {"evidence": {"enabled": "on", **evidence}, "rules": [str(rules)],
             "alerts": {"built_in_rules": "off"}}).encode())
        self.assertOk(run("-c", config, "-r", self.plant_file, "-l", out or self.out, *options))

    def alert(self, out=None, kind="alert"):
        found = [e for e in of_type(self.events(out), kind)
                 if e["fieldtap"].get("rule", {}).get("id") == 9200001]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def file(self, out=None):
        name = self.alert(out)["fieldtap"]["evidence_file"]
        return (out or self.out) / "evidence" / name

    def assertBalance(self, out=None):
        e = self.stats(out)["evidence"]
        self.assertEqual(e["wanted"], e["written"] + sum(e["dropped"].values()))
        self.assertEqual(e["pending"], 0)
        return e

    def test_packets_of_the_flow(self):
        self.sensor(before_seconds=10, after_seconds=5)
        alert = self.alert()
        packet = alert["pcap_cnt"]
        mark = frames(self.file(), "frame.time_epoch", "frame.comment", only="frame.comment")
        self.assertEqual(len(mark), 1)
        at, comment = mark[0]
        for word in (alert["fieldtap"]["alert_id"], "Somebody writes", f"packet {packet}"):
            self.assertIn(word, comment)
        self.assertIn((at,), [tuple(f) for f in frames(
            self.plant_file, "frame.time_epoch", only=f"frame.number == {packet}")])
        # Beside the capture: the packets of that connection, in that time, byte by byte.
        fields = ("frame.time_epoch", "frame.len", "ip.src", "tcp.seq_raw", "tcp.payload")
        when = f"frame.time_epoch >= {float(at) - 10:.9f} && frame.time_epoch <= {float(at) + 5:.9f}"
        wanted = frames(self.plant_file, *fields, only=f"ip.addr == 10.1.1.10 && {when}")
        self.assertGreater(len(wanted), 25)
        self.assertEqual(frames(self.file(), *fields), wanted)
        e = self.assertBalance()
        self.assertEqual(e["incomplete"] + e["without_trigger"], 0)
        self.assertEqual(e["packets"], len(wanted))
        self.assertEqual(self.file().stat().st_mode & 0o777, 0o640)

    def test_limits(self):
        self.sensor(packets=10)
        self.assertEqual(len(frames(self.file(), "frame.number")), 10)
        marked = frames(self.file(), "frame.number", only="frame.comment")
        self.assertEqual(marked, [["5"]])
        self.sensor(out=self.dir / "small", bytes_per_alert=4096, snap_length=80)
        found = frames(self.file(self.dir / "small"), "frame.cap_len", "frame.len")
        self.assertGreater(len(found), 4)
        self.assertTrue(all(int(cap) <= 80 for cap, _ in found))
        self.assertLess(self.file(self.dir / "small").stat().st_size, 8192)

    def test_any_number_of_workers(self):
        self.plant_file = self.plant(seconds=60)
        wanted = None
        for workers in (1, 2, 3):
            out = self.dir / f"w{workers}"
            self.sensor("-w", workers, out=out, memory=4)
            found = {p.name: p.read_bytes() for p in (out / "evidence").iterdir()}
            self.assertBalance(out)
            self.assertGreater(len(found), 0)
            wanted = wanted or found
            self.assertEqual(found, wanted)

    def test_which_alerts(self):
        self.sensor(minimum_severity="critical")
        self.assertTrue(self.file().exists())
        self.sensor(out=self.dir / "other", rule=("alert", "false"), minimum_severity="critical")
        self.assertNotIn("evidence_file", self.alert(self.dir / "other")["fieldtap"])
        self.assertEqual(list((self.dir / "other/evidence").iterdir()), [])
        self.sensor(out=self.dir / "event", rule=("event", "true"), minimum_severity="critical")
        event = self.alert(self.dir / "event", "rule")
        self.assertTrue((self.dir / "event/evidence" / event["fieldtap"]["evidence_file"]).exists())

    def test_off(self):
        self.sensor(enabled="off")
        self.assertFalse((self.out / "evidence").exists())
        self.assertNotIn("evidence_file", self.alert()["fieldtap"])
        self.assertNotIn("evidence", self.stats())
        self.sensor(out=self.dir / "default", enabled="live")
        self.assertFalse((self.dir / "default/evidence").exists())

    def test_folder_and_bounds(self):
        folder = self.dir / "kept"
        folder.mkdir()
        for i in range(20):
            (folder / f"old-{i:02}.pcapng").write_bytes(bytes(10000))
            os.utime(folder / f"old-{i:02}.pcapng", (1600000000 + i, 1600000000 + i))
        (folder / "notes.txt").write_bytes(bytes(100000))
        self.sensor(folder=str(folder), total_bytes=65536, max_days=0)
        name = self.alert()["fieldtap"]["evidence_file"]
        left = sorted(p.name for p in folder.iterdir())
        self.assertIn(name, left)
        self.assertIn("notes.txt", left)
        self.assertNotIn("old-00.pcapng", left)
        self.assertIn("old-19.pcapng", left)
        self.assertLessEqual(sum(p.stat().st_size for p in folder.glob("*.pcapng")), 65536)
        self.assertGreater(self.assertBalance()["removed"], 12)
        self.assertFalse((self.out / "evidence").exists())
        (folder / name).unlink()  # else numbers go on after it, which is said
        self.sensor(out=self.dir / "days", folder=str(folder), max_days=30)
        self.assertEqual([p.name for p in folder.glob("old-*")], [])

    def test_folder_that_cannot_be(self):
        config = self.write("bad.json", json.dumps(
            {"evidence": {"enabled": "on", "folder": "/proc/no/such"}}).encode())
        self.assertFails(run("-c", config, "-r", self.plant_file, "-l", self.out), 2,
                         "/proc/no/such")

    def keeping(self):
        """Names of the files and what they hold, in a folder that runs share."""
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest()
                for f in (self.dir / "shared").iterdir()}

    def check_numbers_lost(self, lose, *options, **more):
        """Files of a run whose numbers are lost stay, and those of the next are beside them."""
        config = self.write("config.json", json.dumps(
            {"evidence": {"enabled": "on", "folder": str(self.dir / "shared"),
                          "minimum_severity": "minor"}, **more}).encode())
        before = {}
        for seed in (1, 3, 3):
            capture = self.plant("plant.pcap", seed=seed)
            r = run("-c", config, "-r", capture, *options)
            self.assertEqual(r.code, 0, r.err)
            after = self.keeping()
            self.assertEqual({name: after.get(name) for name in before}, before)
            self.assertGreater(len(after), len(before) + 10)
            self.assertEqual([name for name in after if ".2." in name], [])
            last = max((int(name[9:-7]) for name in before), default=0)
            self.assertEqual(r.err.count("numbers go on after"), bool(before), r.err)
            self.assertIn(f"numbers go on after {last}:" if before else "", r.err)
            before = after
            lose()

    def test_journal_is_lost(self):
        journal = self.dir / "journal"
        self.check_numbers_lost(lambda: shutil.rmtree(journal), journal={"folder": str(journal)})

    def test_lines_are_lost(self):
        self.check_numbers_lost((self.out / "eve.json").unlink, "-l", self.out)

    def test_no_lines(self):
        self.check_numbers_lost(lambda: None)

    def test_replay(self):
        self.sensor()
        again = self.dir / "again"
        self.plant_file = self.file()
        self.sensor(out=again, enabled="off")
        self.assertEqual(self.alert(again)["alert"], self.alert()["alert"])


@unittest.skipIf(TSHARK is None, "tshark is not installed")
class Running(live.Live):
    """A sensor that captures: the file is there while it runs, for who asks by the alert's id."""

    def ctl(self, *words, code=0):
        done = subprocess.run([FIELDTAPCTL, "-s", self.dir / "control.sock", "--json", *words],
                              check=False, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return json.loads(done.stdout) if not code else done.stderr

    def start(self, *ports, **evidence):
        text = RULES.replace("ACTION", "alert").replace("EVIDENCE", "true")
        rules = self.write("rules.json", text.encode())
        config = self.write("config.json", json.dumps(
            {"evidence": {"after_seconds": 1, "packets": 40, "minimum_severity": "critical",
                          **evidence},
             "rules": [str(rules)], "alerts": {"built_in_rules": "off"}}).encode())
        self.begin("-c", config, "-w", 2, "--control-socket", self.dir / "control.sock",
                   ports=ports)
        self.until(lambda: sensor.answers(self.dir / "control.sock"), "the socket")

    def talk(self, plc):
        """A connection that writes once, between others that only read."""
        one = [f for f in polls(20, stop_at=10)(CLIENT, plc) if not isinstance(f, float)]
        two = [f for f in polls(20)((10, 1, 3, 21), plc) if not isinstance(f, float)]
        self.send([f for pair in zip(one, two) for f in pair] + one[len(two):], 500)
        return one

    def evidence_of(self, plc):
        """The alert's id and file, once the file is there."""
        def alerts():
            return [e for e in live.whole_lines(self.out, "alert") if e["dest_ip"] == plc]
        self.until(alerts, "the alert")
        alert, = alerts()
        number = alert["fieldtap"]["alert_id"]
        path = self.out / "evidence" / alert["fieldtap"]["evidence_file"]
        self.until(path.exists, "the file")
        self.assertEqual(self.ctl("pcap", number),
                         {"file": str(path), "bytes": path.stat().st_size})
        return number, path

    def check_file(self, number, path, sent):
        """tshark finds the packet that raised the alert, and that connection's only."""
        comment, payload, function = frames(path, "frame.comment", "tcp.payload", "modbus.func_code",
                                            only="frame.comment")[0]
        self.assertIn(number, comment)
        self.assertIn("Somebody writes", comment)
        self.assertEqual((payload[14:16], function), ("06", "6"))
        found = [bytes.fromhex(p) for (p,) in frames(path, "tcp.payload") if p]
        wanted = [f[54:] for f in sent if len(f) > 54]
        self.assertEqual(found, wanted[-len(found):])
        self.assertGreater(len(found), 30)

    def check(self, *ports):
        self.start(*ports)
        self.check_file(*self.evidence_of_talk((10, 1, 1, 10)))
        # Held: what arrives is nobody's; then it goes on.
        self.assertEqual(self.ctl("capture", "stop")["state"], "held")
        self.talk((10, 1, 1, 11))
        self.assertEqual(self.ctl("capture", "start")["state"], "capturing")
        number, path, sent = self.evidence_of_talk((10, 1, 1, 12))
        self.check_file(number, path, sent)
        path.unlink()
        told = self.ctl("stats")["evidence"]
        self.assertEqual((told["wanted"], told["written"], told["dropped"]), (2, 2, 0))
        self.assertIn("there are no packets of this alert", self.ctl("pcap", number, code=1))
        self.end()
        e = self.stats()["evidence"]
        self.assertEqual((e["wanted"], e["written"], e["pending"], e["without_trigger"],
                          e["incomplete"]), (2, 2, 0, 0, 0))
        final = of_type(self.events(), "stats")[-1]["stats"]["evidence"]
        self.assertEqual((final["wanted"], final["written"], final["bytes"]), (2, 2, e["bytes"]))
        self.check_lines()
        told = [e["dest_ip"] for e in of_type(self.events(), "alert")]
        self.assertEqual(told, ["10.1.1.10", "10.1.1.12"])

    def evidence_of_talk(self, plc):
        sent = self.talk(plc)
        return (*self.evidence_of(".".join(map(str, plc))), sent)

    def told(self, event):
        return [e["health"]["text"] for e in live.whole_lines(self.out, "health")
                if e["health"]["event"] == event]

    def test_disk_full(self):
        """Which disk, why, and when it is over; the alerts in between have no file."""
        disk = self.dir / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
        try:
            self.fill(disk, disk / "evidence")
        finally:
            subprocess.run(["umount", "-l", disk], check=False)

    def fill(self, disk, kept):
        self.start("-i", "tap0", folder=str(kept))
        filler = disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for host in (1, 2):
            self.talk((10, 1, 1, host))
        self.until(lambda: self.told("evidence_not_written"), "that it is full")
        self.until(lambda: self.ctl("stats")["evidence"]["dropped"] == 2, "both have failed")
        filler.unlink()
        self.assertEqual(self.told("evidence_not_written_ended"), [])
        self.talk((10, 1, 1, 3))
        self.until(lambda: self.told("evidence_not_written_ended"), "that there is room", 15)
        said = self.end()
        trouble, = self.told("evidence_not_written")
        self.assertIn(f"cannot be written to {kept}: No space left on device.", trouble)
        over, = self.told("evidence_not_written_ended")
        self.assertIn("written again; 2 files were not", over)
        self.assertEqual(said.count(f"to {kept}: No space left on device"), 1, said)
        e = self.stats()["evidence"]
        self.assertEqual((e["wanted"], e["written"], e["dropped"]["disk"]), (3, 1, 2))
        self.assertEqual(len(list(kept.iterdir())), 1)

    def test_interface(self):
        self.check("-i", "tap0")

    def test_port(self):
        """Workers poll, and hand packets over to one another."""
        self.check("--port", "net_af_packet0,iface=tap0,framecnt=2048")


if __name__ == "__main__":
    FIELDTAPCTL = os.path.abspath(sys.argv.pop(3))
    sensor.main()
