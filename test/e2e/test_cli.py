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
import subprocess
import time

import sensor
from sensor import Case, modbus_read, modbus_stop, of_type, pcap, run, tcp

ROOT = pathlib.Path(__file__).resolve().parents[2]


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

    def test_address(self):
        for address in "north", "10.1.2", "10.1.2.3/8", "fe80::1%eth0":
            config = self.config(f'{{"sensor":\n {{"address": "{address}"}}}}')
            self.assertFails(run("-T", "-c", config), 2, f'{config}:2:3: sensor.address "{address}"',
                             "expected an IP address")
        for address in "10.1.2.3", "2001:db8::7":
            self.assertOk(run("-T", "-c", self.config({"sensor": {"address": address}})))

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
