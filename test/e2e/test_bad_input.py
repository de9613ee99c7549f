#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bad input and bad surroundings: one clear sentence, the defined exit code, never half a line.

usage: test_bad_input.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import time
import unittest

import sensor
from sensor import Case, modbus_read, pcap, run

IS_ROOT = os.geteuid() == 0


def as_nobody():
    """Run before the sensor: root may read and write everything."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def can_mount():
    """May this process mount a small disk? Containers often may not."""
    return IS_ROOT and shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


class Usage(Case):
    """Exit code 2."""

    def test_unknown_options(self):
        self.assertFails(run("--bogus"), 2, "no option --bogus", "--help")
        self.assertFails(run("-x", "-r", "a"), 2, "no option -x", "--help")
        self.assertFails(run("-qx"), 2, "no option -x", "--help")
        self.assertFails(run("--merge", "-xv"), 2, "no option -x", "--help")
        self.assertFails(run("--merge=1"), 2, "--merge takes no value")
        self.assertFails(run("--test=1"), 2, "--test takes no value")
        self.assertFails(run("--de"), 2, "--de could be --describe or --describe-config")
        self.assertFails(run("--merge=5", "-r", "a"), 2, "--merge=5")

    def test_missing_arguments(self):
        for option in ("-r", "-l", "-w", "-c", "--describe", "--loop", "--speed", "--log"):
            self.assertFails(run(option), 2, option, "argument")

    def test_nothing_to_do(self):
        self.assertFails(run(), 2, "-r FILE")
        self.assertFails(run("-l", self.out), 2, "-r FILE")
        self.assertFalse(self.out.exists())
        self.assertFails(run("a.pcap"), 2, "-r a.pcap")

    def test_numbers(self):
        path = self.write("a.pcap", pcap([]))
        for option, values in (("-w", ("0", "129", "x", "", "-1", "+1", " 1", "1x", "1e9")),
                               ("--loop", ("0", "-1", "x", "99999999999999999999")),
                               ("--speed", ("0", "-1", "x", "", "nan", "inf", "1x"))):
            for value in values:
                self.assertFails(run(option, value, "-r", path), 2, option, "expected")

    def test_names(self):
        self.assertFails(run("--describe", "nope"), 2, '"nope"', "--list-protocols")
        self.assertFails(run("--describe", "modbsu"), 2, 'did you mean "modbus"?')
        self.assertFails(run("--log", "all", "-r", "x"), 2, "--log all", "messages")
        self.assertFails(run("-l", "", "-r", "x"), 2, "-l")

    def test_given_twice(self):
        for option, value in (("-l", "a"), ("-w", "2"), ("-c", "a"), ("--filter", "tcp"),
                              ("--speed", "2"), ("--loop", "1")):
            self.assertFails(run(option, value, option, value, "-r", "x"), 2, option,
                             "given twice")
        self.assertFails(run("--log", "messages", "-r", "x"), 2, "--log", "-l DIR")

    def test_bindings(self):
        def fails(bindings, *words):
            path = self.write("b.json", json.dumps({"bindings": bindings}).encode())
            self.assertFails(run("-T", "-c", path), 2, "b.json:1:", *words)
        fails({"modbsu": ["tcp/7"]}, 'did you mean "modbus"?')
        fails({"arp": ["tcp/7"]}, "arp has no ports")
        fails({"s7comm": ["tcp/7"]}, "bind tpkt, which carries it")
        fails({"modbus": ["tcp/7"], "dnp3": ["tcp/7"]}, "tcp/7 is bound to modbus already")

    def test_places_of_what_is_tried_later(self):
        """Plugins and filters turn out to be wrong after the configuration was read."""
        path = self.write("p.json", b'{"plugins": [\n "none.so"]}')
        self.assertFails(run("-T", "-c", path), 2, "p.json:2:2: plugins[0]", "none.so")
        if "built without libpcap" in run("--filter", "ip", "-T").err:
            return
        path = self.write("f.json", b'{"capture":\n {"filter": "udp prot 5"}}')
        self.assertFails(run("-T", "-c", path), 2, "f.json:2:3: capture.filter", "udp prot 5")

    def test_plugins(self):
        text = self.write("text.so", b"no library")
        self.assertFails(run("-T", "--plugin", self.dir / "none.so"), 2, "none.so", "No such file")
        self.assertFails(run("-T", "--plugin", text), 2, "text.so")
        self.assertFails(run("-T", "--plugin", self.dir), 2, str(self.dir))

    def test_values_that_the_machine_judges(self):
        """All of them at once, each with its place."""
        path = self.write("m.json", b'{"control": {"mode": "0999",\n "group": "nogroupx"},\n'
                          b'"metrics": {"listen": "0.0.0.0:99999"},\n'
                          b'"service": {"user": "nouserx"}}')
        r = run("-T", "-c", path)
        self.assertEqual((r.code, r.err.count("\n")), (2, 4), r.err)
        for wanted in ('m.json:1:14: control.mode "0999"', 'm.json:2:2: control.group "nogroupx"',
                       'm.json:3:13: metrics.listen "0.0.0.0:99999"',
                       'm.json:4:13: service.user "nouserx"'):
            self.assertIn(wanted, r.err)

    def test_outputs_that_are_no_list(self):
        for value in ("{}", '"x"', "5", "null", '{"name": "s", "kind": "file", "path": "a"}'):
            path = self.write("o.json", f'{{"journal": {{}},\n "outputs": {value}}}'.encode())
            self.assertFails(run("-T", "-c", path), 2, "o.json:2:2: outputs: expected a list")

    def test_outputs_behind_a_byte_order_mark(self):
        path = self.write("o.json", b'\xef\xbb\xbf{"outputs":\n [{"name": "s", "kind": "fil"}]}')
        self.assertFails(run("-T", "-c", path), 2, "o.json:2:17: outputs[0].kind", '"file"')

    def test_outputs_that_never_work(self):
        """All of them at once, each with its place; nothing that may be secret is told."""
        path = self.dir / "o.json"
        key = self.write("a.key", b"no key")
        key.chmod(0o644)
        tls = {"kind": "syslog", "host": "h", "transport": "tls"}
        sinks = [{"name": "url", "kind": "webhook", "url": "http://u:secret@x y/"},
                 {"name": "header", "kind": "webhook", "url": "http://h/",
                  "headers": {"content-length": "5"}},
                 {"name": "port", "kind": "syslog", "host": "siem:514"},
                 {"name": "ca", "ca_file": str(key), **tls},
                 {"name": "folder", "kind": "file", "path": str(self.dir)},
                 {"name": "key", "kind": "file", "path": "a", "filter": {"minimum_severity": 1}}]
        lines = ",\n".join(json.dumps(s) for s in sinks)
        path.write_text('{"outputs": [\n' + lines + "]}")
        r = run("-T", "-c", path)
        if "built without" in r.err:
            return
        self.assertEqual((r.code, r.err.count("\n")), (2, len(sinks)), r.err)
        for i, (at, text) in enumerate((
                ("url", "there is a blank"), ("headers.content-length", "each request has a length"),
                ("host", 'the port is a key of its own: "host": "siem", "port": 514'),
                ("ca_file", f"{key}: no certificate in it"), ("path", "expected the name of a file"),
                ("filter.minimum_severity", 'did you mean "severity"?'))):
            line = r.err.splitlines()[i]
            self.assertRegex(line, rf"o\.json:{i + 2}:\d+: ")
            self.assertIn(f"outputs[{i}].{at}", line)
            self.assertIn(text, line)
        self.assertNotIn("secret", r.err)

    @unittest.skipUnless(IS_ROOT, "needs root to become somebody who may not read")
    def test_certificates_that_only_the_sensor_may_read(self):
        os.chmod(self.dir, 0o755)
        key = self.write("a.key", b"no key")
        path = self.write("o.json", json.dumps({"outputs": [{
            "name": "a", "kind": "webhook", "url": "https://h/", "ca_file": str(key)}]}).encode())
        path.chmod(0o644)
        key.chmod(0o600)
        r = run("-T", "-c", path, preexec_fn=as_nobody)
        if "built without" not in r.err:
            self.assertEqual((r.code, r.err), (0, ""))
            self.assertFails(run("-T", "-c", path), 2, "outputs[0].ca_file", "no certificate in it")

    def test_configuration(self):
        self.assertFails(run("-T", "-c", self.dir / "none.json"), 2, "none.json", "No such file",
                         "give a file of JSON")
        self.assertFails(run("-T", "-c", self.dir), 2, str(self.dir), "is a directory")


class Captures(Case):
    """What cannot be read: exit code 1."""

    def fails(self, source, *words, **more):
        r = run("-r", source, "-l", self.out, **more)
        self.assertFails(r, 1, *words)
        self.assertFalse(self.out.exists(), "nothing is begun for a source that cannot be read")

    def test_files(self):
        self.fails(self.dir / "none.pcap", "none.pcap", "No such file")
        self.fails(self.write("zero.pcap", b""), "zero.pcap", "empty")
        self.fails(self.write("text.pcap", b"this is no capture\n" * 50), "text.pcap",
                   "not a capture")
        self.fails(self.write("head.pcap", pcap([])[:20]), "head.pcap")
        self.fails("/dev/null", "/dev/null")
        self.assertFails(run("-r", "", "-l", self.out), 2, "-r", "standard input")

    def test_one_of_several(self):
        good = self.write("good.pcap", pcap([(0, modbus_read(1))]))
        self.assertFails(run("-r", good, "-r", self.dir / "none.pcap", "-l", self.out), 1,
                         "none.pcap")

    def test_folders(self):
        empty = self.dir / "empty"
        empty.mkdir()
        self.fails(empty, "no capture")
        (empty / "a.txt").write_text("no capture")
        (empty / "b.pcap").write_bytes(b"")
        self.fails(empty, "no capture")

    def test_standard_input(self):
        self.fails("-", "-", "empty")
        with open("/dev/zero", "rb") as zero:
            self.fails("-", "not a capture", stdin=zero)
        data = self.write("a.pcap", pcap([(0, modbus_read(1))]))
        with subprocess.Popen(["cat", data], stdout=subprocess.PIPE) as cat:
            self.assertFails(run("-r", "-", "--loop", "2", stdin=cat.stdout), 1, "pipe", "2 times")
        with open(data, "rb") as file:
            self.assertFails(run("-r", "-", "-r", "-", stdin=file), 1, "once")

    @unittest.skipUnless(IS_ROOT, "needs root to become somebody who may not read")
    def test_unreadable(self):
        os.chmod(self.dir, 0o755)
        path = self.write("secret.pcap", pcap([]))
        path.chmod(0o600)
        self.fails(path, "secret.pcap", "Permission denied", preexec_fn=as_nobody)
        config = self.write("secret.json", b"{}")
        config.chmod(0o600)
        self.assertFails(run("-T", "-c", config, preexec_fn=as_nobody), 2, "secret.json",
                         "Permission denied")

    def test_garbage_after_the_header(self):
        noise = bytes((i * 7919 >> 3) & 255 for i in range(50000))
        for name, head in (("a.pcap", pcap([(0, modbus_read(1))])),
                           ("b.pcap", pcap([]))):
            r = run("-r", self.write(name, head + noise), "-l", self.dir / name[0])
            self.assertIn(r.code, (0, 1))
            self.assertLessEqual(r.err.count("\n"), 2)
            self.assertIn(name, r.err)
            self.assertIs(self.stats(self.dir / name[0])["balanced"], True)


class Output(Case):
    """Where the events should go."""

    def setUp(self):
        super().setUp()
        self.capture = self.write("a.pcap", pcap([(i, modbus_read(i)) for i in range(5)]))

    def test_one_level_is_made(self):
        self.assertEqual(run("-r", self.capture, "-l", self.dir / "new").code, 0)
        self.assertFails(run("-r", self.capture, "-l", self.dir / "x" / "y"), 1, "x/y",
                         f"{self.dir}/x does not exist", "make that first")
        self.assertFalse((self.dir / "x").exists())
        self.assertFails(run("-r", self.capture, "-l", "x/y/", cwd=self.dir), 1,
                         "x does not exist")

    def test_where_nothing_can_be_made(self):
        for folder in ("/proc", "/sys"):
            if os.path.isdir(folder):
                self.assertFails(run("-r", self.capture, "-l", f"{folder}/nodir"), 1,
                                 f"cannot make the directory {folder}/nodir: ", ": give a")
        self.assertFails(run("-r", self.capture, "-l", self.dir / ("x" * 300)), 1,
                         "File name too long", "give another directory")

    def test_not_a_directory(self):
        for file in (self.capture, "/dev/null", "/dev/full"):
            self.assertFails(run("-r", self.capture, "-l", file), 1,
                             f"{file} is a file and not a directory")
        self.assertFails(run("-r", self.capture, "-l", self.capture / "x"), 1, "a.pcap/x",
                         "Not a directory")
        (self.dir / "dangling").symlink_to("nowhere")
        self.assertFails(run("-r", self.capture, "-l", self.dir / "dangling"), 1, "dangling",
                         "leads nowhere")
        self.assertFalse((self.dir / "nowhere").exists())

    def test_link_to_a_directory(self):
        (self.dir / "real").mkdir()
        (self.dir / "link").symlink_to("real")
        self.assertEqual(run("-r", self.capture, "-l", self.dir / "link").code, 0)
        self.assertTrue((self.dir / "real" / "eve.json").exists())

    def test_results_of_another_kind(self):
        """What is only written at the end is looked at before anything is read."""
        for name in ("assets.json", "stats.json", "rules.json"):
            out = self.dir / name[0]
            (out / name).mkdir(parents=True)
            self.assertFails(run("-r", self.capture, "-l", out), 1, f"{name} is a directory",
                             "move it away")
            self.assertFalse((out / "eve.json").exists())

    def test_eve_json_of_another_kind(self):
        self.out.mkdir()
        (self.out / "eve.json").mkdir()
        self.assertFails(run("-r", self.capture, "-l", self.out), 1, "eve.json", "Is a directory",
                         "move it away")
        (self.out / "eve.json").rmdir()
        os.mkfifo(self.out / "eve.json")
        self.assertFails(run("-r", self.capture, "-l", self.out), 1, "eve.json", "regular")

    @unittest.skipUnless(IS_ROOT, "needs root to become somebody who may not write")
    def test_read_only(self):
        os.chmod(self.dir, 0o755)
        self.out.mkdir(mode=0o555)
        os.chmod(self.capture, 0o644)
        self.assertFails(run("-r", self.capture, "-l", self.out, preexec_fn=as_nobody), 1,
                         f"cannot write to {self.out}", "Permission denied", "you may write to")
        self.assertFails(run("-r", self.capture, "-l", self.dir / "new", preexec_fn=as_nobody), 1,
                         "new", "Permission denied", "you may write to")

    @unittest.skipUnless(IS_ROOT, "needs root to become somebody who may not write")
    def test_eve_json_of_somebody_else(self):
        os.chmod(self.dir, 0o755)
        os.chmod(self.capture, 0o644)
        self.out.mkdir()
        os.chmod(self.out, 0o777)
        (self.out / "eve.json").write_bytes(b"")
        os.chmod(self.out / "eve.json", 0o600)
        self.assertFails(run("-r", self.capture, "-l", self.out, preexec_fn=as_nobody), 1,
                         "eve.json", "Permission denied", "you may write to")

    def test_two_runs_one_directory(self):
        with sensor.start("-r", self.capture, "--speed", "0.2", "-l", self.out,
                          stderr=subprocess.DEVNULL) as first:
            deadline = time.monotonic() + 20
            while not (self.out / "eve.json").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.2)
            r = run("-r", self.capture, "-l", self.out)
            self.assertFails(r, 1, str(self.out), "another run")
            self.assertIsNone(first.poll())
            first.terminate()
            self.assertEqual(first.wait(timeout=20), 0)
        self.assertTrue(self.events())

    def test_parallel_runs(self):
        plant = self.plant(seconds=20)
        runs = [sensor.start("-r", plant, "-l", self.dir / f"p{i}", "-w", "2") for i in range(6)]
        self.assertEqual([r.wait(timeout=120) for r in runs], [0] * 6)
        written = {(self.dir / f"p{i}" / "eve.json").read_bytes() for i in range(6)}
        self.assertEqual(len(written), 1)

    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            for options in (("-l", "-"), ()):
                r = subprocess.run([sensor.FIELDTAP, "-r", self.capture, *options], stdout=full,
                                   stderr=subprocess.PIPE, check=False)
                self.assertEqual(r.returncode, 1)
                self.assertIn(b"No space left on device", r.stderr)
                self.assertEqual(r.stderr.count(b"\n"), 1)

    def test_closed_pipe(self):
        plant = self.plant(seconds=60)
        read, write = os.pipe()
        with sensor.start("-r", plant, "-l", "-", "--log", "messages", stdout=write,
                          stderr=subprocess.PIPE) as process:
            os.close(write)
            got = os.read(read, 100)
            os.close(read)
            err = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 1)
        self.assertIn("Broken pipe", err)
        self.assertTrue(got.startswith(b"{"))

    def check_lost(self, r, directory):
        """Analysed to the end, whole lines, the lost ones counted, exit code 1."""
        self.assertEqual(r.code, 1, r.err)
        self.assertRegex(r.err, r"\d+ of \d+ lines could not be written")
        return sensor.lines(directory / "eve.json")

    def test_file_size_limit(self):
        plant = self.plant(seconds=60)
        self.assertEqual(run("-r", plant, "-l", self.dir / "all", "--log", "messages").code, 0)
        limit = 300_001

        def set_limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        r = run("-r", plant, "-l", self.out, "--log", "messages", preexec_fn=set_limit)
        events = self.check_lost(r, self.out)
        everything = self.events(self.dir / "all")
        self.assertGreater(len(events), 100)
        self.assertLess(len(events), len(everything))
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"],
                         self.stats(self.dir / "all")["packets"]["read"])
        self.assertEqual(stats["lines"]["written"], len(events))
        self.assertEqual(stats["lines"]["made"], stats["lines"]["written"] + stats["lines"]["lost"])

    def on_small_disk(self, *script):
        """Run a shell script with a disk of 256 KiB at self.out, in a mount space of its own."""
        self.out.mkdir(exist_ok=True)
        text = f"mount -t tmpfs -o size=256k none {self.out} && " + " ".join(map(str, script))
        return sensor.Result(subprocess.run(["unshare", "-m", "sh", "-c", text], check=False,
                                            capture_output=True, timeout=120))

    def test_disk_fills(self):
        if not can_mount():
            self.skipTest("may not mount")
        plant = self.plant(seconds=60)
        saved = self.dir / "saved"
        r = self.on_small_disk(sensor.FIELDTAP, "-r", plant, "-l", self.out, "--log", "messages",
                               "; code=$?; cp -r", self.out, saved, "; exit $code")
        if "mount" in r.err:
            self.skipTest("may not mount")
        events = self.check_lost(r, saved)
        self.assertGreater(len(events), 50)

    def test_disk_is_full_or_read_only_at_start(self):
        if not can_mount():
            self.skipTest("may not mount")
        fill = f"cat /dev/zero >{self.out}/filler 2>/dev/null; "
        r = self.on_small_disk(fill, sensor.FIELDTAP, "-r", self.capture, "-l", self.out)
        if "mount" in r.err:
            self.skipTest("may not mount")
        self.assertFails(r, 1, "full", str(self.out))
        r = self.on_small_disk("mount -o remount,ro", self.out, "&&", sensor.FIELDTAP, "-r",
                               self.capture, "-l", self.out)
        self.assertFails(r, 1, str(self.out), "Read-only file system", "another directory")

    def test_huge_eve_json_that_is_none(self):
        self.out.mkdir()
        (self.out / "eve.json").write_bytes(b"x" * 1_000_000)
        self.assertFails(run("-r", self.capture, "-l", self.out), 1, "not a file of JSON lines")
        self.assertEqual((self.out / "eve.json").stat().st_size, 1_000_000, "left as it was")


class Machine(Case):
    """Any machine will do."""

    def test_without_privileges(self):
        if not IS_ROOT:
            self.skipTest("is so anyway")
        os.chmod(self.dir, 0o777)
        path = self.write("a.pcap", pcap([(0, modbus_read(1))]))
        os.chmod(path, 0o644)
        folder = pathlib.Path("/tmp/fieldtap-e2e-copy")
        self.addCleanup(shutil.rmtree, folder)
        program = sensor.copy_to(folder)
        r = sensor.Result(subprocess.run([program, "-r", path, "-l", self.out], check=False,
                                         capture_output=True, preexec_fn=as_nobody, cwd="/"))
        self.assertOk(r)
        self.assertIs(json.loads((self.out / "stats.json").read_text())["balanced"], True)

    def test_one_cpu(self):
        path = self.plant(seconds=10)

        def one_cpu():
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.assertOk(run("-r", path, "-w", "4", "-l", self.out, preexec_fn=one_cpu))

    def test_most_workers(self):
        self.assertOk(run("-r", self.plant(seconds=5), "-w", "128", "-l", self.out))


if __name__ == "__main__":
    sensor.main()
