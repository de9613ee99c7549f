#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What is read, and that protocols are recognised in it: -r, --merge, --loop, --speed.

usage: test_reading.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import json
import os
import struct
import subprocess
import time

import sensor
from sensor import Case, modbus_read, of_type, pcap, pcapng, run, tcp


def two_captures(case):
    """Two files whose packets are interleaved in time."""
    a = case.write("a.pcap", pcap([(i, modbus_read(i, host=1)) for i in range(0, 10, 2)]))
    b = case.write("b.pcap", pcap([(i, modbus_read(i, host=2)) for i in range(1, 10, 2)]))
    return a, b


def requests(events):
    """(client, time stamp) of the messages, in order."""
    return [(e["src_ip"], e["timestamp"]) for e in of_type(events, "message")]


class Reading(Case):
    """-r, --merge, --loop, --speed."""

    def test_summary_only(self):
        before = set(os.listdir(self.dir)) | {"plant.pcap"}
        r = run("-r", self.plant(seconds=30), cwd=self.dir)
        self.assertOk(r)
        for word in ("Assets (", "ADDRESS", "VENDOR", "MODEL", "FIRMWARE", "ROLE",
                     "Who talks to whom (", "Alerts (", "Ledger: ", "are balanced",
                     "Schneider El", "anomalies: ", "modbus", "s7comm", "critical"):
            self.assertIn(word, r.out)
        self.assertEqual(set(os.listdir(self.dir)), before, "nothing is written without -l")

    def test_summary_of_public_addresses(self):
        hmi, plc, resolver = (134, 249, 53, 130), (134, 249, 61, 182), (8, 8, 8, 8)

        def packet(source, port, to, to_port, payload):
            head = struct.pack(">HHHH", port, to_port, 8 + len(payload), 0)
            return sensor.ethernet(sensor.ipv4(17, source, to, head + payload))
        query = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + b"\1a\0" + struct.pack(">HH", 1, 1)
        read = modbus_read()[42:]
        packets = [packet(hmi, 40000, plc, 502, read),
                   packet(plc, 502, hmi, 40000, read[:5] + b"\5\1\3\2\0\0"),
                   packet(hmi, 40000, resolver, 53, query),
                   packet(resolver, 53, hmi, 40000, query[:2] + b"\x81\x83" + query[4:])]
        r = run("-r", self.write("a.pcap", pcap(enumerate(packets))))
        self.assertOk(r)
        self.assertIn("Assets (2)", r.out, "what controls and what is controlled is the plant's")
        self.assertIn("Left out: 1 with addresses of the Internet", r.out)

    def test_formats(self):
        packets = [(i * 0.5, modbus_read(i)) for i in range(4)]
        files = [pcap(packets), pcap(packets, nano=True), pcap(packets, order=">"),
                 pcapng(packets), pcapng(packets, order=">"),
                 pcap([(t, p[14:]) for t, p in packets], linktype=101),
                 pcap([(t, struct.pack("<I", 2) + p[14:]) for t, p in packets], linktype=0)]
        for i, data in enumerate(files):
            out = self.dir / f"out{i}"
            self.assertOk(run("-r", self.write(f"{i}.cap", data), "-l", out))
            self.assertEqual(self.stats(out)["packets"]["buckets"]["analysed"], 4, i)
            self.assertEqual(len(of_type(self.events(out), "flow")), 1)

    def test_repeated_one_after_another(self):
        a, b = two_captures(self)
        self.assertOk(run("-r", b, "-r", a, "-l", self.out, "--log", "messages"))
        clients = [c for c, _ in requests(self.events())]
        self.assertEqual(clients, ["10.0.0.2"] * 5 + ["10.0.0.1"] * 5)

    def test_merge(self):
        a, b = two_captures(self)
        self.assertOk(run("-r", b, "-r", a, "--merge", "-l", self.out, "--log", "messages"))
        seen = requests(self.events())
        self.assertEqual([c for c, _ in seen], ["10.0.0.1", "10.0.0.2"] * 5)
        self.assertEqual(sorted(t for _, t in seen), [t for _, t in seen])

    def test_folder(self):
        folder = self.dir / "captures"
        (folder / "inner").mkdir(parents=True)
        a, b = two_captures(self)
        b.rename(folder / "1.pcap")
        (folder / "2.pcapng").write_bytes(pcapng([(20, modbus_read(1, host=3))]))
        a.rename(folder / "inner" / "0.pcap")
        (folder / "notes.txt").write_text("no capture")
        r = run("-r", folder, "-l", self.out, "--log", "messages")
        self.assertEqual(r.code, 0)
        self.assertIn("notes.txt", r.err)
        self.assertEqual([c for c, _ in requests(self.events())], ["10.0.0.2"] * 5 + ["10.0.0.3"])

    def test_standard_input(self):
        path = self.plant(seconds=20)
        self.assertOk(run("-r", path, "-l", self.out))
        with open(path, "rb") as file:
            self.assertOk(run("-r", "-", "-l", self.dir / "file", stdin=file))
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
            self.assertOk(run("-r", "-", "-l", self.dir / "pipe", stdin=cat.stdout))
        expected = (self.out / "eve.json").read_bytes()
        self.assertEqual((self.dir / "file" / "eve.json").read_bytes(), expected)
        self.assertEqual((self.dir / "pipe" / "eve.json").read_bytes(), expected)

    def test_flows_carry_over(self):
        one = self.write("1.pcap", pcap([(0, modbus_read(1))]))
        two = self.write("2.pcap", pcap([(1, modbus_read(2))]))
        self.assertOk(run("-r", one, "-r", two, "-l", self.out))
        flows = of_type(self.events(), "flow")
        self.assertEqual([f["flow"]["pkts_toserver"] for f in flows], [2])

    def test_loop(self):
        path = self.write("a.pcap", pcap([(i, modbus_read(i)) for i in range(5)]))
        self.assertOk(run("-r", path, "--loop", 7, "-l", self.out, "--log", "messages"))
        events = self.events()
        stamps = [t for _, t in requests(events)]
        self.assertEqual(len(stamps), 35)
        self.assertEqual(sorted(set(stamps)), stamps, "time goes on")
        flows = of_type(events, "flow")
        self.assertEqual(sum(f["flow"]["pkts_toserver"] for f in flows), 35)
        self.assertEqual(len(flows), 1, "one flow set")
        self.assertEqual(self.stats()["packets"]["read"], 35)

    def test_speed(self):
        path = self.write("a.pcap", pcap([(i * 0.5, modbus_read(i)) for i in range(9)]))
        times = {}
        for speed in ("1000", "4", "2"):
            begin = time.monotonic()
            self.assertOk(run("-r", path, "--speed", speed, "-l", self.dir / speed))
            times[speed] = time.monotonic() - begin
        # 4 s of packets; a loaded machine may take longer, never less
        self.assertGreaterEqual(times["4"], 1.0)
        self.assertGreaterEqual(times["2"], 2.0)
        self.assertLess(times["2"], 12)
        self.assertLess(times["1000"], times["2"])
        self.assertEqual((self.dir / "2" / "eve.json").read_bytes(),
                         (self.dir / "1000" / "eve.json").read_bytes())

    def test_header_only(self):
        for data in (pcap([]), pcapng([])):
            r = run("-r", self.write("empty.cap", data))
            self.assertOk(r)
            self.assertIn("Assets (0)", r.out)
            self.assertIn("0 packets received", r.out)

    def test_header_only_has_no_time(self):
        """A line needs a time stamp, and there is none: the books are in stats.json alone."""
        r = run("-r", self.write("empty.cap", pcap([])), "-l", self.out)
        self.assertOk(r)
        self.assertEqual((self.out / "eve.json").read_bytes(), b"")
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"], 0)
        self.assertEqual(json.loads((self.out / "assets.json").read_text()), [])

    def test_stats_are_of_the_last_packet(self):
        """Also when no packet made an event."""
        r = run("-r", self.write("odd.cap", pcap([(5, b"too short"), (7, b"as well")])),
                "-l", self.out)
        self.assertOk(r)
        event, = self.events()
        self.assertEqual(event["event_type"], "stats")
        self.assertEqual(event["timestamp"][11:], "22:13:27.000000+0000")
        self.assertEqual(event["pcap_cnt"], 2)

    def test_torn_last_record(self):
        for name, data in (("a.pcap", pcap([(0, modbus_read(1)), (1, modbus_read(2))])),
                           ("a.pcapng", pcapng([(0, modbus_read(1)), (1, modbus_read(2))]))):
            for cut in (1, 30, 61):
                out = self.dir / f"{name}{cut}"
                r = run("-r", self.write(name, data[:-cut]), "-l", out)
                self.assertEqual(r.code, 0, r.err)
                self.assertIn("torn", r.err)
                self.assertIn(name, r.err)
                self.assertEqual(r.err.count("\n"), 1)
                self.assertEqual(self.stats(out)["packets"]["read"], 1)


    def test_damage_in_the_middle(self):
        """What can be read is, what cannot is said, and the exit code tells."""
        packets = [(i, modbus_read(i + 1)) for i in range(3)]
        block = len(pcapng(packets[1:])) - len(pcapng(packets[2:]))
        second = len(pcapng([])) + block
        for name, at, value in (("interface", 8, 5), ("length", 4, 7), ("caplen", 20, 5000)):
            data = bytearray(pcapng(packets))
            struct.pack_into("<I", data, second + at, value)
            r = run("-r", self.write(f"{name}.pcapng", data), "-l", self.dir / name)
            self.assertEqual(r.code, 1, r.err)
            self.assertIn(f"{name}.pcapng: block at byte {second} ", r.err)
            self.assertIn("left out", r.err)
            self.assertEqual(r.err.count("\n"), 1)
            self.assertEqual(self.stats(self.dir / name)["packets"]["read"], 2)
            self.assertEqual(self.stats(self.dir / name)["damaged_blocks"], 1)
        data = bytearray(pcap(packets))
        struct.pack_into("<I", data, 24 + (len(data) - 24) // 3 + 8, 0x7FFFFFFF)
        r = run("-r", self.write("damaged.pcap", data), "-l", self.out)
        self.assertEqual(r.code, 1, r.err)
        self.assertIn("damaged.pcap: record at byte", r.err)
        self.assertEqual(self.stats()["packets"]["read"], 1)

    def fragments(self, seconds):
        """A request in two fragments that far apart; the statistics of the run over both."""
        whole = modbus_read()[14:]
        body, parts = whole[20:], []
        for offset, data in ((0, body[:8]), (8, body[8:])):
            head = bytearray(whole[:20])
            struct.pack_into(">H", head, 2, 20 + len(data))
            struct.pack_into(">H", head, 6, (0x2000 if offset == 0 else 0) | offset // 8)
            parts.append(sensor.ethernet(bytes(head) + data))
        # packets in between: time passes for the others too
        between = [(second, modbus_read(host=9)) for second in range(1, seconds)]
        path = self.write("fragments.pcap", pcap([(0, parts[0]), *between, (seconds, parts[1])]))
        self.assertOk(sensor.run("-r", path, "-l", self.out))
        return self.stats()["tables"]["fragments"]

    def test_fragments_wait_for_half_a_minute(self):
        near, far = self.fragments(29), self.fragments(31)
        self.assertEqual((near["datagrams"], near["expired"]), (1, 0))
        self.assertEqual((far["datagrams"], far["expired"]), (0, 1))


class Recognising(Case):
    """Other content than the port promises."""

    def test_ssh_on_ports_of_others(self):
        """A reserved port is no place for it; one that SSH is often moved to is."""
        a, b = (10, 0, 0, 1), (10, 0, 0, 2)
        for port, told in ((502, ["modbus"]), (44818, ["enip"]), (2222, [])):
            frames = [tcp(a, b, (40000, port), 99, 0, flags=2), tcp(b, a, (port, 40000), 199, 100,
                                                                   flags=0x12)]
            frames += [tcp(b, a, (port, 40000), 200, 100, b"SSH-2.0-OpenSSH_9.2\r\n"),
                       tcp(a, b, (40000, port), 100, 221, b"SSH-2.0-OpenSSH_9.6\r\n")]
            path = self.write("ssh.pcap", pcap([(i, f) for i, f in enumerate(frames)]))
            out = self.dir / str(port)
            self.assertOk(run("-r", path, "-l", out))
            events = self.events(out)
            self.assertEqual([e["app_proto"] for e in of_type(events, "flow")], ["ssh"])
            self.assertEqual([e["anomaly"]["app_proto"] for e in of_type(events, "anomaly")
                              if e["anomaly"]["event"] == "unexpected_content"], told)


if __name__ == "__main__":
    sensor.main()
