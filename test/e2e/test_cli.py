#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The command line as a user sees it: every option, what is printed, exit codes.

usage: test_cli.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import time
import unittest

import sensor
from sensor import Case, modbus_read, modbus_stop, of_type, pcap, pcapng, run, tcp

ROOT = pathlib.Path(__file__).resolve().parents[2]


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


class Writing(Case):
    """-l, --log."""

    def test_files(self):
        self.assertOk(run("-r", self.plant(seconds=120), "-l", self.out))
        self.assertEqual(sorted(os.listdir(self.out)), ["assets.json", "eve.json", "rules.json", "stats.json"])
        assets = json.loads((self.out / "assets.json").read_text())
        self.assertGreater(len(assets), 15)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(sum(stats["packets"]["buckets"].values()), stats["packets"]["read"])
        self.assertEqual(stats["lines"]["written"], len(self.events()))
        self.assertEqual(stats["lines"]["lost"], 0)
        for kind in ("asset", "operation", "alert", "anomaly", "flow", "stats"):
            self.assertTrue(of_type(self.events(), kind), kind)

    def test_standard_output(self):
        path = self.plant(seconds=20)
        self.assertOk(run("-r", path, "-l", self.out))
        before = set(os.listdir(self.dir))
        r = run("-r", path, "-l", "-", cwd=self.dir)
        self.assertOk(r)
        self.assertEqual(r.out, (self.out / "eve.json").read_text())
        self.assertEqual(set(os.listdir(self.dir)), before)

    def test_append_after_torn_line(self):
        path = self.plant(seconds=10)
        self.assertOk(run("-r", path, "-l", self.out))
        first = (self.out / "eve.json").read_bytes()
        with open(self.out / "eve.json", "ab") as file:
            file.write(b'{"timestamp":"2025-03-04T08:00:')
        self.assertOk(run("-r", path, "-l", self.out))
        both = (self.out / "eve.json").read_bytes()
        self.assertTrue(both.startswith(first))
        events = self.events()
        self.assertEqual(len(events), 2 * first.count(b"\n"))
        uids = [e["fieldtap"]["event_uid"] for e in events if "fieldtap" in e]
        self.assertEqual(len(uids), len(set(uids)), "numbers go on")

    def test_log(self):
        path = self.plant(seconds=10)
        counts = {}
        for name, options in (("none", ()), ("messages", ("--log", "messages")),
                              ("transactions", ("--log", "transactions")),
                              ("both", ("--log", "messages", "--log", "transactions"))):
            self.assertOk(run("-r", path, "-l", self.dir / name, *options))
            events = self.events(self.dir / name)
            counts[name] = (len(of_type(events, "message")), len(of_type(events, "modbus")))
        self.assertEqual(counts["none"], (0, 0))
        self.assertGreater(counts["messages"][0], 100)
        self.assertEqual(counts["messages"][1], 0)
        self.assertEqual(counts["transactions"][0], 0)
        self.assertGreater(counts["transactions"][1], 50)
        self.assertEqual(counts["both"], (counts["messages"][0], counts["transactions"][1]))

    def test_workers(self):
        path = self.plant(seconds=60)
        outputs = set()
        for workers in (1, 2, 3, 5, 8):
            out = self.dir / str(workers)
            self.assertOk(run("-r", path, "-l", out, "-w", workers, "--log", "transactions"))
            outputs.add((out / "eve.json").read_bytes())
            outputs.add((out / "assets.json").read_bytes())
            self.assertEqual(len(self.stats(out)["workers"]), workers)
        self.assertEqual(len(outputs), 2, "the same for any number of workers")

    def test_books_that_do_not_close(self):
        path = self.write("a.pcap", pcap([(0, modbus_read(1))]))
        r = run("-r", path, "-l", self.out, env={"FIELDTAP_TEST_MISCOUNT": "1"})
        self.assertFails(r, 1, "books do not balance")
        self.assertIs(self.stats()["balanced"], False)
        health = of_type(self.events(), "health")
        self.assertEqual(len(health), 1)
        self.assertIn("books_do_not_balance", json.dumps(health[0]))
        r = run("-r", path, env={"FIELDTAP_TEST_MISCOUNT": "1"})
        self.assertEqual(r.code, 1)
        self.assertIn("DO NOT BALANCE", r.out)


class Asking(Case):
    """Options that only print."""

    def test_version(self):
        for option in ("-V", "--version"):
            r = run(option)
            self.assertOk(r)
            self.assertRegex(r.out, r"^fieldtap \d+\.\d+\.\d+, plugin interface \d+\n"
                                    r"DPDK [\d.]+\S*, Hyperscan [\d.]+, jansson [\d.]+, "
                                    r"(libpcap version [\d.]+.*|no libpcap)\n$")

    def test_help(self):
        for option in ("-h", "--help"):
            r = run(option)
            self.assertOk(r)
            self.assertTrue(all(len(line) <= 100 for line in r.out.splitlines()))
        source = (ROOT / "app/sensor/options_line.c").read_text()
        table = source[source.index("long_options[] = {"):source.index("{0},\n};")]
        for name in re.findall(r'\{"([a-z-]+)"', table):
            self.assertIn(f"--{name}", r.out)
        for heading in ("Usage", "Reading", "Writing", "Running", "Asking", "Files", "Signals",
                        "Exit code", "Examples"):
            self.assertIn(f"\n{heading}\n", r.out)
        for short in re.findall(r"no_argument, NULL, '(.)'|required_argument, NULL, '(.)'", table):
            self.assertRegex(r.out, rf"\n  -{''.join(short)}, --", short)

    def test_list_protocols(self):
        r = run("--list-protocols")
        self.assertOk(r)
        names = [line.split()[0] for line in r.out.splitlines()]
        self.assertEqual(names, sorted(names))
        for name in ("arp", "cip", "dnp3", "enip", "goose", "modbus", "modbus_rtu", "s7comm"):
            self.assertIn(name, names)
        for line in r.out.splitlines():
            self.assertEqual(len(re.split(r" {2,}", line)), 3, line)

    def test_describe(self):
        for line in run("--list-protocols").out.splitlines():
            r = run("--describe", line.split()[0])
            self.assertOk(r)
            self.assertIn("\nFields\n", r.out)
            self.assertIn("  carried by  ", r.out)
        r = run("--describe", "modbus")
        self.assertRegex(r.out, r"\n  43/14 +read_device_identification +diagnostic")
        self.assertIn("\nViolations\n", r.out)
        for heads in (("FIELD", "TYPE", "MEANING"), ("CODE", "COMMAND", "CLASS", "ATT&CK"),
                      ("VIOLATION", "SEVERITY", "ALERT", "MEANING")):
            self.assertRegex(r.out, r"\n  " + " +".join(heads) + r"\n")

    def test_describe_field(self):
        r = run("--describe", "modbus.exception.code")
        self.assertOk(r)
        self.assertRegex(r.out, r"^modbus.exception.code: Exception code\n  is +name or number\n"
                         r"\nValues\n  NUMBER +NAME\n  1 +IllegalFunction\n")
        r = run("--describe", "modbus.registers")
        self.assertOk(r)
        self.assertIn("there may be many", r.out)
        self.assertNotIn("Values", r.out)
        self.assertRegex(run("--describe", "command.class").out, r"\n  \d+ +firmware\n")
        self.assertFails(run("--describe", "modbus.exeption.code"), 2, "did you mean",
                         "modbus.exception.code?")
        self.assertFails(run("--describe", "modbas"), 2, "modbus")

    def test_describe_config(self):
        r = run("--describe-config")
        self.assertOk(r)
        self.assertIn("flow.max_flows", r.out)

    def test_list_formats(self):
        r = run("--list-formats")
        self.assertOk(r)
        self.assertRegex(r.out, r"\nkey  cef  alert \(defender\)  src_ip  @source\.ip  text  left out\n")
        self.assertRegex(r.out, r"\nsource  @message  ")
        for line in r.out.splitlines():
            self.assertIn(len(line.split("  ")), (3, 4, 7), line)

    def test_test(self):
        r = run("-T")
        self.assertOk(r)
        self.assertRegex(r.out, r"^configuration OK: \d+ protocols, \d+ rules\n$")
        self.assertOk(run("-T", "-r", "/nowhere", "-l", self.out))
        self.assertFalse(self.out.exists(), "-T reads and writes nothing")

    def test_verbose(self):
        path = self.write("a.pcap", pcap([(0, modbus_read(1))]))
        r = run("-v", "-r", path)
        self.assertEqual(r.code, 0)
        self.assertRegex(r.err, r"MB of packet memory")


class Configuration(Case):
    """-c."""

    def config(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return self.write("fieldtap.json", text.encode())

    def test_used(self):
        path = self.write("a.pcap", pcap([(0, modbus_read(1, port=15020)), (400, modbus_read(2))]))
        config = self.config({"sensor": {"name": "north"}, "bindings": {"modbus": ["udp/15020"]},
                              "stats": {"interval": 0}, "cores": {"workers": 3},
                              "flow": {"udp_ot_s": 100}})
        self.assertOk(run("-c", config, "-r", path, "-l", self.out))
        events = self.events()
        self.assertEqual({e["app_proto"] for e in of_type(events, "flow")}, {"modbus"})
        self.assertTrue(all("north" in json.dumps(e) for e in of_type(events, "operation")))
        self.assertEqual(len(of_type(events, "stats")), 1)
        self.assertEqual(len(self.stats()["workers"]), 3)
        self.assertOk(run("-c", config, "-w", 2, "-r", path, "-l", self.dir / "w2"))
        self.assertEqual(len(self.stats(self.dir / "w2")["workers"]), 2, "-w goes first")

    def test_errors_have_places(self):
        config = self.config('{\n  "sensor": {"nam": "x"},\n  "flow": {"udp_s": "5"}\n}\n')
        for action in (("-T",), ("-r", "x.pcap")):
            r = run("-c", config, *action)
            self.assertEqual(r.code, 2)
            self.assertEqual(r.err, f'{config}:2:14: unknown key "sensor.nam"; did you mean '
                             f'"name"?\n{config}:3:12: flow.udp_s: expected a whole number from 1 '
                             'to 86400\n')
            self.assertEqual(r.out, "")

    def test_unknown_protocol_in_bindings(self):
        config = self.config('{"bindings": {\n "modbos": ["tcp/5000"]}}')
        self.assertFails(run("-T", "-c", config), 2, f"{config}:2:", "modbos")

    def test_syntax(self):
        self.assertFails(run("-T", "-c", self.config('{"flow": {,}}')), 2, ":1:", "JSON")

    def test_plugin_missing(self):
        config = self.config({"plugins": ["/nowhere/x.so"]})
        self.assertFails(run("-T", "-c", config), 2, "/nowhere/x.so", "No such file")

    def test_config_missing(self):
        self.assertFails(run("-T", "-c", self.dir / "none.json"), 2, "none.json", "No such file")


class Running(Case):
    """Signals and progress."""

    def stop(self, number, **plant):
        """Send a signal to a run that takes an hour; how it ended."""
        path = self.plant(**plant)
        (self.out / "eve.json").unlink(missing_ok=True)  # its being there says: signals are caught
        with sensor.start("-r", path, "--speed", "0.03", "-l", self.out,
                          stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + 30
            while not (self.out / "eve.json").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.7)
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        return process.returncode, err.decode()

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            code, err = self.stop(number, seconds=120)
            self.assertEqual(code, 0, err)
            self.assertIn("stopped by a signal", err)
            self.assertTrue(self.events())
            self.assertIs(self.stats()["balanced"], True)
            json.loads((self.out / "assets.json").read_text())

    def wait_for_reader(self, pid):
        """Until a thread waits for the pipe with all packets taken; where the kernel does not tell
        what threads wait for, long enough."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
            waits = [(task / "wchan").read_text() for task in tasks]
            if len(tasks) > 2 and any("pipe" in wait for wait in waits):
                return
            time.sleep(0.05)

    def test_signal_while_waiting_for_input(self):
        data = pcap([(i, modbus_stop()) for i in range(3)])
        with sensor.start("-r", "-", "-l", self.out, stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
            process.stdin.write(data)
            process.stdin.flush()
            self.wait_for_reader(process.pid)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            code = process.wait(timeout=20)
            self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(code, 0)
        self.assertEqual(self.stats()["packets"]["read"], 3)
        self.assertTrue(of_type(self.events(), "alert"))

    def on_terminal(self, *options):
        """What a run prints to a terminal on standard error."""
        mine, its = pty.openpty()
        with sensor.start(*options, stdout=subprocess.DEVNULL, stderr=its) as process:
            os.close(its)
            said = b""
            while True:
                ready, _, _ = select.select([mine], [], [], 60)
                try:
                    part = os.read(mine, 4096) if ready else b""
                except OSError:
                    part = b""
                if not part:
                    break
                said += part
            self.assertEqual(process.wait(timeout=60), 0)
        os.close(mine)
        return said.decode()

    def test_progress(self):
        path = self.write("a.pcap", pcap([(i * 0.05, modbus_read(i)) for i in range(60)]))
        said = self.on_terminal("-r", path, "--speed", "1", "-l", self.out)
        self.assertRegex(said, r"\r *\d+\.\d %  \d+\.\d\d Mpps  \d+ s left")
        self.assertRegex(said, r"60 packets")
        self.assertTrue(said.endswith("\n"))
        self.assertEqual(self.on_terminal("-q", "-r", path, "--speed", "2", "-l", self.out), "")
        self.assertOk(run("-r", path, "--speed", "2", "-l", self.out))


if __name__ == "__main__":
    sensor.main()
