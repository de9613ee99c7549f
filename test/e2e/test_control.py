#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The control socket, fieldtapctl and the metrics, with a sensor that runs.

usage: test_control.py FIELDTAP FIELDTAP_PLANT FIELDTAPCTL [unittest options]
"""

import contextlib
import grp
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request

import live
import sensor
from sensor import Case, modbus_read

FIELDTAPCTL = ""


class Client:
    """A connection that asks line by line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, command, **arguments):
        self.send(json.dumps({"command": command, **arguments}).encode() + b"\n")
        return self.answer()

    def close(self):
        self.file.close()
        self.socket.close()


def samples(text):
    """OpenMetrics, strictly: {series: value}."""
    kinds, units, helps, series, family = {}, {}, {}, {}, None
    rows = text.split("\n")
    assert rows[-2:] == ["# EOF", ""], rows[-3:]
    for row in rows[:-2]:
        meta = re.fullmatch(r"# (TYPE|UNIT|HELP) ([a-z_]+) (.+)", row)
        if meta:
            what, family, value = meta.groups()
            table = {"TYPE": kinds, "UNIT": units, "HELP": helps}[what]
            assert family not in table, row
            table[family] = value
            assert what == "TYPE" or family in kinds, row
            continue
        sample = re.fullmatch(r'([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? (\d+(?:\.\d+)?)', row)
        assert sample, row
        suffix = {"counter": "_total", "info": "_info", "gauge": ""}[kinds[family]]
        assert sample.group(1) == family + suffix, row
        assert sample.group(1, 2) not in series, row
        series[sample.group(1, 2)] = float(sample.group(3))
    for name, unit in units.items():
        assert name.endswith("_" + unit), name
    assert set(helps) == set(kinds) and all(name.startswith("fieldtap_") for name in kinds)
    return series


class Control:
    """What all of them need; mixed into a case that can start a sensor."""

    def ctl(self, *words, code=0, **more):
        done = subprocess.run([FIELDTAPCTL, "-s", str(self.path), *map(str, words)], check=False,
                              capture_output=True, timeout=60, text=True, **more)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        self.assertEqual(bool(done.stderr), code != 0, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def json(self, *words):
        return json.loads(self.ctl("--json", *words))


class Captures(Control, Case):
    """A run on captures that lasts as long as the test."""

    def setUp(self):
        super().setUp()
        self.path = self.dir / "control.sock"
        self.process = None
        self.begin()

    def tearDown(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        super().tearDown()

    def begin(self, *options):
        capture = self.plant(seconds=20)
        # pylint: disable=consider-using-with
        self.process = sensor.start("-r", capture, "--loop", 1000000, "--speed", 20, "-w", 2, "-l",
                                    self.out, "--control-socket", self.path, *options,
                                    stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not sensor.answers(self.path):
            self.assertIsNone(self.process.poll(), self.process.stderr)
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_every_command(self):
        self.until(lambda: self.json("status")["alerts"] > 0)
        status = self.json("status")
        self.assertEqual((status["state"], status["mode"], status["workers"]),
                         ("reading", "captures", 2))
        self.assertEqual(status["pid"], self.process.pid)
        stats = self.json("stats")
        self.assertGreater(stats["packets"], status["packets"])
        self.assertEqual(len(self.json("workers")["workers"]), 2)
        self.assertEqual(self.json("ports"), {"ports": []})
        packets = self.json("ledger")["packets"]
        self.assertLessEqual(abs(packets.pop("received") - sum(packets.values())), 64)
        for by in ("bytes", "packets", "new"):
            flows = self.json("flows", "--by", by, "--top", "5")
            key = {"bytes": "bytes", "packets": "packets", "new": "first"}[by]
            values = [f[key] for f in flows["flows"]]
            self.assertEqual((len(values), values), (5, sorted(values, reverse=True)))
            self.assertGreaterEqual(flows["active"], 5)
        protocols = {p["name"]: p for p in self.json("protocols")["protocols"]}
        self.assertGreater(protocols["modbus"]["messages"], 0)
        # Assets in pieces are all of them, each once.
        after, seen = 0, []
        while after is not None:
            part = self.json("assets", "--limit", 5, "--after", after)
            seen += [a["id"] for a in part["assets"]]
            after = part.get("next")
        self.assertEqual(len(seen), len(set(seen)))
        self.assertGreaterEqual(len(seen), status["assets"])
        one = self.json("assets", seen[0])["assets"]
        self.assertEqual([a["id"] for a in one], seen[:1])
        self.ctl("assets", "203.0.113.9", code=1)
        rules = self.json("rules", "list")
        self.assertEqual(len(rules["rules"]), rules["count"])
        hits = self.json("rules", "stats")["rules"]
        self.assertEqual([r["hits"] for r in hits], sorted((r["hits"] for r in hits), reverse=True))
        number = rules["rules"][0]["id"]
        self.assertIn(f"rule {number}", self.ctl("rules", "explain", number))
        self.assertIn("no rule", self.ctl("rules", "explain", 1, code=1))
        self.assertIn("captures", self.ctl("rules", "reload", code=1))
        self.assertEqual(self.json("sinks"), {"sinks": []})
        self.ctl("sink", "test", "siem", code=1)
        self.assertEqual(self.json("filter"), {"filter": ""})
        self.assertIn("captures", self.ctl("filter", "port 502", code=1))
        self.assertEqual(self.json("log", "level")["level"], "notice")
        self.assertEqual(self.json("log", "level", "info")["level"], "info")
        self.assertIn("packets", self.ctl("pcap", "no-such-alert", code=1))
        # Tables for people say the same.
        for words in ("status", "stats", "ports", "workers", "ledger", "flows", "assets",
                      "protocols", "rules list", "rules stats", "sinks", "filter", "log level"):
            self.assertTrue(self.ctl(*words.split()).strip(), words)

    def test_pause(self):
        self.until(lambda: self.json("status")["packets"] > 100)
        self.assertEqual(self.json("capture", "stop")["state"], "held")
        before = self.json("status")
        self.assertEqual(before["state"], "held")
        time.sleep(0.5)
        self.assertEqual(self.json("status")["packets"], before["packets"])
        self.assertEqual(self.json("capture", "start")["state"], "reading")
        self.until(lambda: self.json("status")["packets"] > before["packets"])

    def test_usage(self):
        self.assertIn('"flows"', self.ctl("flow", code=2))
        self.assertIn("second word", self.ctl("rules", code=2))
        self.ctl("flows", "--top", "0", code=2)
        self.ctl("flows", "--top", code=2)
        self.assertIn('expected one of "bytes", "packets", "new"',
                      self.ctl("flows", "--by", "size", code=2))
        self.assertIn('"loud"', self.ctl("log", "level", "loud", code=2))
        self.assertIn("1 to 127 characters", self.ctl("pcap", "a" * 128, code=2))
        self.assertIn("from 1 to 1000", self.ctl("flows", "--top", "18446744073709551617", code=2))
        self.ctl("status", "more", code=2)
        self.ctl("pcap", code=2)
        self.ctl("status", "--watch", code=2)
        self.ctl(code=2)
        self.assertIn("flows", subprocess.run([FIELDTAPCTL, "--help"], check=True, text=True,
                                              capture_output=True).stdout)

    def test_watch(self):
        screens = self.ctl("stats", "--watch", "--count", 2, "--interval", 0.3)
        self.assertNotIn("\033", screens)
        self.assertEqual(len(re.findall(r"^  packets +\d+", screens, re.M)), 2)
        self.assertEqual(len(re.findall(r"^  packets +\d+ +[\d.]+ /s$", screens, re.M)), 1)

    def test_requests(self):
        client = Client(self.path)
        self.assertEqual(client.ask("status", id="mine")["id"], "mine")
        for line in (b"{", b"[]", b"7", b'{"command":7}', b'{"command":"x"}', b"\xff\xfe", b"\0",
                     b'{"command":"status","command":"stats"}', b"[" * 5000,
                     b'{"command":"flows","top":"5"}', b'{"command":"flows","tip":5}',
                     b'{"command":"status","id":{}}', b'{"command":"pcap"}'):
            client.send(line + b"\n")
            self.assertFalse(client.answer()["ok"], line)
        self.assertTrue(client.ask("status")["ok"])  # it goes on
        client.send(b'{"command":"log level","id":1}\r\n\n{"command":"log level","id":2}\n')
        self.assertEqual([client.answer()["id"], client.answer()["id"]], [1, 2])
        client.close()

    def test_hostile(self):
        half = Client(self.path)
        half.send(b'{"command"')
        large = Client(self.path)
        try:
            large.send(b"x" * (1 << 20))
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            self.assertIn("too long", large.answer()["error"])
            self.assertIsNone(large.answer())
        except ConnectionResetError:
            pass
        # One that asks and never reads: dropped, and nobody waits for it.
        deaf = socket.socket(socket.AF_UNIX)
        deaf.setblocking(False)
        try:
            for _ in range(100000):
                deaf.connect_ex(str(self.path))
                deaf.send(b'{"command":"rules list"}\n' * 100)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        many = []
        for _ in range(100):
            try:
                many.append(Client(self.path))
            except (BlockingIOError, ConnectionRefusedError, TimeoutError):
                break
        self.assertGreater(len(many), 30)
        time.sleep(0.5)
        for client in many:
            client.close()
        time.sleep(0.5)
        begin = time.monotonic()
        self.assertTrue(self.json("status")["packets"])
        self.assertLess(time.monotonic() - begin, 5)
        time.sleep(11)
        self.assertEqual(half.answer(), None)  # half a request is not waited for for ever
        for client in (half, large):
            client.close()
        deaf.close()
        self.ctl("shutdown")
        self.assertEqual(self.process.wait(timeout=5), 0)

    def test_shutdown(self):
        self.ctl("shutdown")
        begin = time.monotonic()
        self.assertEqual(self.process.wait(timeout=5), 0)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertTrue(self.stats()["balanced"])
        self.assertFalse(self.path.exists())
        self.assertIn("running", self.ctl("status", code=3))
        said = self.process.stderr.read().decode()
        self.assertIn(f"control: uid {os.getuid()}", said)
        self.assertIn("shutdown: done", said)


class Setting(Control, Case):
    """Permissions and places."""

    def setUp(self):
        super().setUp()
        self.path = self.dir / "control.sock"
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stderr.close()
        super().tearDown()

    def begin(self, config=None, out="out", wait=True, options=()):
        words = ["-c", self.write("sensor.json", json.dumps(config).encode())] if config else []
        # pylint: disable=consider-using-with
        process = sensor.start("-r", self.plant(seconds=20), "--loop", 1000000, "--speed", 20, "-l",
                               self.dir / out, *words, *options, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
        self.processes.append(process)
        deadline = time.monotonic() + 60
        while wait and not sensor.answers(self.path) and process.poll() is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return process

    def test_permissions(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        self.dir.chmod(0o755)
        group = next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534))
        self.begin({"control": {"socket": str(self.path), "mode": "0660", "group": group.gr_name}})
        is_so = self.path.stat()
        self.assertEqual((stat.S_IMODE(is_so.st_mode), is_so.st_gid), (0o660, group.gr_gid))
        program = self.dir / "fieldtapctl"
        program.write_bytes(pathlib.Path(FIELDTAPCTL).read_bytes())
        program.chmod(0o755)
        done = subprocess.run([program, "-s", self.path, "status"], check=False, user=65534,
                              group=65534, extra_groups=[], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(group.gr_name, done.stderr)
        done = subprocess.run([program, "-s", self.path, "status"], check=False, user=65534,
                              group=group.gr_gid, extra_groups=[], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)

    def test_places(self):
        first = self.begin(options=("--control-socket", self.path))
        second = self.begin(out="second", options=("--control-socket", self.path), wait=False)
        _, err = second.communicate(timeout=60)
        self.assertEqual(second.returncode, 2)
        self.assertIn(b"another sensor", err)
        first.kill()
        first.communicate()
        self.assertTrue(self.path.exists())
        self.assertIn("nobody listens", self.ctl("status", code=3))
        self.begin(out="third", options=("--control-socket", self.path))  # what is left is no hindrance
        self.assertEqual(self.json("status")["state"], "reading")

    def test_wrong_settings(self):
        for config, word in (({"control": {"mode": "0999"}}, "octal"),
                             ({"control": {"group": "no-such-group"}}, "no-such-group"),
                             ({"metrics": {"listen": "0.0.0.0:9469"}}, "127.0.0.1"),
                             ({"metrics": {"listen": "127.0.0.1"}}, "127.0.0.1")):
            result = sensor.run("-T", "-c", self.write("wrong.json", json.dumps(config).encode()))
            self.assertEqual(result.code, 2, config)
            self.assertIn(word, result.err)

    def test_metrics(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        path = self.dir / "fieldtap.prom"
        process = self.begin({"control": {"socket": str(self.path)},
                              "journal": {"folder": str(self.dir / "journal")},
                              "evidence": {"enabled": "on"},
                              "metrics": {"listen": f"127.0.0.1:{port}", "file": str(path)}})
        time.sleep(1)
        journal = self.json("status")["journal"]
        self.assertEqual((journal["folder"], journal["state"], journal["trouble"],
                          journal["given_up"]), (str(self.dir / "journal"), "writing", None, 0))
        self.assertLess(abs(time.time() - journal["since"]), 60)
        self.assertRegex(self.ctl("status"), r"since +20\d\d-\d\d-\d\d[ T]\d\d:\d\d")
        url = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
            self.assertIn("application/openmetrics-text; version=1.0.0",
                          answer.headers["Content-Type"])
            first = samples(answer.read().decode())
        time.sleep(0.5)
        with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
            second = samples(answer.read().decode())
        self.assertEqual(set(first), set(second))
        for name in first:
            if name[0].endswith("_total"):
                self.assertGreaterEqual(second[name], first[name], name)
        key = ("fieldtap_received_packets_total", None)
        self.assertGreater(second[key], first[key])
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(url + "/", timeout=10)
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(url + "/metrics", data=b"x" * 100000, timeout=10)
        self.ctl("shutdown")
        self.assertEqual(process.wait(timeout=5), 0)
        last = samples(path.read_text())
        stats = json.loads((self.dir / "out" / "stats.json").read_text())
        self.assertEqual(last[key], stats["packets"]["read"])
        self.assertEqual(last["fieldtap_journal_writes", None], 1)
        self.assertEqual(last["fieldtap_sink_up", '{sink="log-dir"}'], 1)
        self.assertGreater(last["fieldtap_sink_sent_total", '{sink="log-dir"}'], 0)
        for name, books in stats["journal"]["classes"].items():
            told = last["fieldtap_journal_appended_total", f'{{class="{name}"}}']
            self.assertLessEqual(books["appended"] - 100, told)
            self.assertLessEqual(told, books["appended"])
        self.assertGreater(last["fieldtap_evidence_wanted_total", None], 0)
        self.assertLessEqual(last["fieldtap_evidence_wanted_total", None],
                             stats["evidence"]["wanted"])
        self.assertEqual(last["fieldtap_evidence_dropped_total", '{why="disk"}'], 0)

    def test_metrics_file_lost(self):
        """The file that cannot be written any more is said, and that its figures are old."""
        folder = self.dir / "metrics"
        folder.mkdir()
        path = folder / "fieldtap.prom"
        process = self.begin({"control": {"socket": str(self.path)}, "metrics": {"file": str(path)}})
        deadline = time.monotonic() + 30
        while not path.exists():  # renamed to that: the next is written ten seconds later
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        shutil.rmtree(folder)
        self.ctl("shutdown")
        _, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(err.decode().count("metrics.file: cannot write"), 1, err)

    def test_metrics_file_of_another(self):
        """A start that fails leaves alone what the sensor that runs writes."""
        journal = {"folder": str(self.dir / "journal")}
        self.begin({"control": {"socket": str(self.path)}, "journal": journal})
        path = self.write("fieldtap.prom", b"of the first one")
        second = self.begin({"journal": journal, "metrics": {"file": str(path)}}, out="second",
                            wait=False)
        _, err = second.communicate(timeout=60)
        self.assertEqual(second.returncode, 1, err)
        self.assertIn(b"journal", err)
        self.assertEqual(path.read_bytes(), b"of the first one")
        self.assertEqual([one.name for one in self.dir.glob("*.prom*")], [path.name])

    def test_metrics_with_idlers(self):
        """Connections that begin a request and go no further keep nobody out."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = self.begin({"control": {"socket": str(self.path)},
                              "metrics": {"listen": f"127.0.0.1:{port}"}})
        idle = []
        give_up = time.monotonic() + 10
        while not idle:  # it listens a moment after it answers
            with contextlib.suppress(ConnectionRefusedError):
                idle.append(socket.create_connection(("127.0.0.1", port), timeout=10))
            self.assertLess(time.monotonic(), give_up)
        for _ in range(200):
            idle.append(socket.create_connection(("127.0.0.1", port), timeout=10))
            with contextlib.suppress(OSError):
                idle[-1].sendall(b"G")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            self.assertTrue(samples(answer.read().decode()))
        deadline = time.monotonic() + 6
        for one in idle:
            one.settimeout(max(0.1, deadline - time.monotonic()))
            with contextlib.suppress(ConnectionError):
                self.assertEqual(one.recv(1), b"")  # closed, those that are left after a while
            one.close()
        self.ctl("shutdown")
        self.assertEqual(process.wait(timeout=5), 0)

    def test_sink_test_holds_nobody(self):
        """A receiver that takes the connection and says nothing: who tests it waits, others do
        not; nor does a second one who tests."""
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
            process = self.begin({"control": {"socket": str(self.path)},
                                  "journal": {"folder": str(self.dir / "journal")},
                                  "outputs": [{"name": "hook", "kind": "webhook", "url": url,
                                               "timeout_ms": 800, "filter": {"types": ["stats"]}},
                                              {"name": "eve", "kind": "file", "path": "eve.json"}]})
            one, two, three = (Client(self.path) for _ in range(3))
            for client in (one, two):
                client.send(b'{"command":"sink test","name":"hook"}\n')
            for _ in range(20):
                begin = time.monotonic()
                self.assertTrue(three.ask("status")["ok"])
                self.assertLess(time.monotonic() - begin, 1)
            self.assertIn("eve.json", self.ctl("sink", "test", "eve"))
            for client in (one, two):
                answer = client.answer()
                self.assertFalse(answer["ok"])
                self.assertIn(url, answer["error"])
            self.assertIn('no sink "heve"', self.ctl("sink", "test", "heve", code=1))
            states = {s["name"]: s["state"] for s in self.json("sinks")["sinks"]}
            self.assertEqual(states["eve"], "up")
            self.assertNotEqual(states["hook"], "up")
            for client in (one, two, three):
                client.close()
            self.ctl("shutdown")
            self.assertEqual(process.wait(timeout=5), 0)


class Made(Case):
    """What is made from --help: completion for bash, manual pages."""

    def make(self, program, section):
        path = self.dir / f"{pathlib.Path(program).name}.{section}"
        subprocess.run([pathlib.Path(__file__).parents[2] / "tools" / "gen-man", program,
                        pathlib.Path(program).name, section, "1.2.3", path], check=True)
        return path

    def offered(self, *words, script):
        """The words that are offered for the last of a line."""
        text = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; ' \
            'echo "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", text, "bash", script, *map(str, words)], check=True,
                              capture_output=True, text=True, cwd=self.dir,
                              env=dict(os.environ, PATH=f"{self.dir}:{os.environ['PATH']}"))
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion(self):
        script = self.make(FIELDTAPCTL, "bash")
        for line, wanted in (("ru", ["rules"]), ("rules ", ["list", "stats", "explain", "reload"]),
                             ("rules list ", []), ("log level d", ["debug"]), ("status ", []),
                             ("log level info ", []), ("flows --by ", ["bytes", "packets", "new"]),
                             ("flows --by new --t", ["--timeout", "--top"]), ("status --w", []),
                             ("stats --w", ["--watch"]), ("stats --watch --c", ["--count"]),
                             ("--json capture st", ["stop", "start"]), ("flows --top ", [])):
            with self.subTest(line=line):
                got = self.offered("fieldtapctl", *line.split(" "), script=script)
                self.assertEqual(got, wanted)
        self.assertIn("status", self.offered("fieldtapctl", "", script=script))
        asked = self.write("fieldtapctl", b"#!/bin/sh\n"
                           b"[ \"$*\" = \"-s here -t 2 --json sinks\" ] && "
                           b"echo '{\"sinks\":[{\"name\":\"siem\"},{\"name\":\"eve\"}]}'\n")
        asked.chmod(0o755)
        self.assertEqual(self.offered("fieldtapctl", "-s", "here", "sink", "test", "",
                                      script=script), ["siem", "eve"])
        self.assertEqual(self.offered("fieldtapctl", "-s", "fieldtapctl.", script=script),
                         ["fieldtapctl.bash"])

    def test_completion_of_the_sensor(self):
        script = self.make(sensor.FIELDTAP, "bash")
        (self.dir / "folder").mkdir()
        for line, wanted in (("--secc", ["--seccomp"]), ("--seccomp ", ["on", "log", "off"]),
                             ("--log ", ["transactions", "messages"]), ("-w ", []),
                             ("-l fo", ["folder"]), ("-c fi", ["fieldtap.bash"])):
            with self.subTest(line=line):
                self.assertEqual(self.offered("fieldtap", *line.split(" "), script=script), wanted)
        self.assertIn("lo", self.offered("fieldtap", "-i", "", script=script))

    def test_manual_pages(self):
        for program, section, words in ((FIELDTAPCTL, "1", ("rules reload", "\\-\\-watch")),
                                        (sensor.FIELDTAP, "8", ("\\-\\-log\\-dir", ".SH FILES"))):
            page = self.make(program, section)
            for word in words:
                self.assertIn(word, page.read_text())
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", page], check=True,
                                      capture_output=True, text=True)
                self.assertEqual(done.stderr, "")
                self.assertIn("fieldtap 1.2.3", done.stdout)


class LiveControl(Control, live.Live):
    """With a live interface."""

    def setUp(self):
        super().setUp()
        self.path = self.dir / "control.sock"

    def test_live(self):
        good = {"id": 9200001, "title": "Each", "when": "protocol == modbus and port.dst == 502"}
        rules = self.write("rules.json", json.dumps({"rules": [good]}).encode())
        self.begin("--rules", rules, "--control-socket", self.path)
        self.until(lambda: sensor.answers(self.path), "the socket")
        self.send([modbus_read(i) for i in range(20)])
        self.until(lambda: self.json("status")["packets"] == 20, "the packets")
        port, = self.json("ports")["ports"]
        self.assertEqual((port["name"], port["state"], port["packets"], port["dropped"]),
                         ("tap0", "up", 20, 0))
        before = self.json("rules", "list")
        more = dict(good, id=9200002, title="Another")
        self.write("rules.json", json.dumps({"rules": [good, more]}).encode())
        self.assertEqual(self.json("rules", "reload")["count"], before["count"] + 1)
        self.write("rules.json", json.dumps({"rules": [dict(good, when="protocl == x")]}).encode())
        self.assertIn(f"{rules}:1:", self.ctl("rules", "reload", code=1))
        self.assertEqual(self.json("rules", "list")["count"], before["count"] + 1)
        # Another filter: nothing passes, and then all again; one that is none changes nothing.
        self.assertEqual(self.json("filter", "not port 502")["filter"], "not port 502")
        self.send([modbus_read(i) for i in range(5)])
        self.until(lambda: self.json("ledger")["packets"].get("filtered") == 5, "the filter")
        self.ctl("filter", "no such filter", code=1)
        self.assertEqual(self.json("filter"), {"filter": "not port 502"})
        self.assertEqual(self.json("filter", "")["filter"], "")
        # Held: nothing arrives.
        self.assertEqual(self.json("capture", "stop")["state"], "held")
        self.send([modbus_read(i) for i in range(7)])
        self.assertEqual(self.json("status")["packets"], 25)
        self.assertEqual(self.json("capture", "start")["state"], "capturing")
        self.send([modbus_read(i) for i in range(3)])
        self.until(lambda: self.json("status")["packets"] == 28, "packets again")
        self.ctl("shutdown")
        self.assertEqual(self.process.wait(timeout=5), 0)
        self.assertTrue(self.stats()["balanced"])
        self.assertEqual(self.stats()["packets"]["read"], 28)

    def test_log_is_not_forged(self):
        """What a request says stays in its line."""
        self.begin("--control-socket", self.path)
        self.until(lambda: sensor.answers(self.path), "the socket")
        self.json("filter", "port\n502\r\n")
        self.ctl("shutdown")
        _, log = self.process.communicate(timeout=10)
        self.assertIn(b'filter is now "port\\n502\\r\\n"\n', log)
        self.assertFalse([line for line in log.splitlines() if not line.startswith(b"fieldtap: ")])

    def test_telemetry(self):
        """DPDK's own socket, of a sensor that has given up its rights; all counters are those of
        the metrics."""
        self.dir.chmod(0o777)
        config = self.write("sensor.json", json.dumps({"metrics": {
            "telemetry": True, "file": str(self.dir / "fieldtap.prom")}}).encode())
        former, sensor.FIELDTAP = sensor.FIELDTAP, sensor.copy_to(self.dir / "program")
        try:
            self.begin("-c", config, "--user", "nobody", "--control-socket", self.path,
                       env=dict(os.environ, RUNTIME_DIRECTORY=str(self.dir)))
        finally:
            sensor.FIELDTAP = former
        self.until(lambda: sensor.answers(self.path), "the socket")
        self.send([modbus_read(i) for i in range(20)])
        self.until(lambda: self.json("status")["packets"] == 20, "the packets")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(10)
            client.connect(str(self.dir / "dpdk/rte/dpdk_telemetry.v2"))
            limit = json.loads(client.recv(4096))["max_output_len"]

            def ask(command):
                client.send(command.encode())
                return json.loads(client.recv(limit))[command.split(",", maxsplit=1)[0]]

            self.assertIn("/fieldtap/counters", ask("/"))
            self.assertIn("/fieldtap/counters", ask("/help,/fieldtap/counters"))
            told = {}
            self.until(lambda: told.update(ask("/fieldtap/counters")) or told["flows"] == 1,
                       "the books of the worker")
        self.assertEqual(told["received_packets"], 20)
        self.end()
        metrics = samples((self.dir / "fieldtap.prom").read_text())
        self.assertEqual(set(told), {re.sub("^fieldtap_|_total$", "", name) for name, label in metrics
                                     if not label} - {"uptime_seconds"})


if __name__ == "__main__":
    FIELDTAPCTL = os.path.abspath(sys.argv.pop(3))
    sensor.main()
