#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The sensor as a service: an unprivileged user, no capabilities, system calls filtered in every
thread, and all that comes later works all the same; what a service manager is told; its end.

usage: test_service.py FIELDTAP FIELDTAP_PLANT [unittest options]
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import receivers
import sensor
from live import Held, Live, Sender, whole_lines
from sensor import Case, modbus_read

USER = "nobody"
ALL = {"id": 9200001, "title": "Each request", "when": "protocol == modbus and port.dst == 502"}
# Needs PCRE2, whose machine code is made when rules are read.
BACK_REFERENCE = {"id": 9200002, "title": "Twice", "when":
                  "protocol == modbus and payload matches \"(x[a-f]+)y\\\\1z\""}


def status_of(thread):
    """The lines of /proc/PID/task/TID/status."""
    text = (thread / "status").read_text()
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


class Manager:
    """A service manager's socket."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o777)
        self.told = []

    def environment(self, watchdog_s=0):
        more = {"WATCHDOG_USEC": str(round(watchdog_s * 1e6))} if watchdog_s else {}
        return dict(os.environ, NOTIFY_SOCKET=str(self.path), **more)

    def take(self, seconds=0.0):
        """What came until now, or within some seconds."""
        end = time.monotonic() + seconds
        fresh = []
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                fresh += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        self.told += fresh
        return fresh

    def has(self, line):
        self.take()
        return line in self.told


class Confined(Live):
    """Started by root, as a service manager does."""

    def setUp(self):
        super().setUp()
        self.dir.chmod(0o755)
        self.manager = Manager(self.dir)
        self.former = sensor.FIELDTAP
        sensor.FIELDTAP = sensor.copy_to(self.dir / "program")

    def tearDown(self):
        sensor.FIELDTAP = self.former
        self.manager.socket.close()
        super().tearDown()

    def start(self, *options, watchdog_s=0, **more):
        self.manager.take()
        self.manager.told = []
        self.begin("--user", USER, *options, env=self.manager.environment(watchdog_s), **more)
        self.until(lambda: self.manager.has("READY=1"), "READY=1")

    def config(self, **sections):
        path = self.write("sensor.json", json.dumps(sections).encode())
        path.chmod(0o644)
        return path

    def statuses(self):
        """Of all threads; those that look up names come and go."""
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield status_of(thread)

    def check_threads(self, allowed=0, keeper=""):
        """No thread has any right left; of one the capabilities are known."""
        user = pwd.getpwnam(USER)
        seen = set()
        # Each worker gives up the rest itself, when it begins.
        self.until(lambda: all(s["Seccomp_filters"] == "2" for s in self.statuses()
                               if "worker" in s["Name"]), "workers begin")
        for s in self.statuses():
            name = s["Name"]
            seen.add(name)
            rights = allowed if name == keeper else 0
            with self.subTest(thread=name):
                self.assertEqual(s["Uid"].split(), [str(user.pw_uid)] * 4)
                self.assertEqual(s["Gid"].split(), [str(user.pw_gid)] * 4)
                self.assertEqual(set(s["Groups"].split()) - {str(user.pw_gid)}, set())
                for which in ("CapInh", "CapBnd", "CapAmb"):
                    self.assertEqual(int(s[which], 16), 0, which)
                for which in ("CapPrm", "CapEff"):
                    self.assertEqual(int(s[which], 16), rights, which)
                self.assertEqual((s["NoNewPrivs"], s["Seccomp"]), ("1", "2"))
                # Who reads packets has a list of its own on top.
                self.assertEqual(s["Seccomp_filters"], "2" if "worker" in name else "1")
        return seen

    def check_files(self):
        """Of the user, and of nobody else's concern."""
        owner = pwd.getpwnam(USER)
        for path in (self.out, *self.out.iterdir()):
            st = path.stat()
            self.assertEqual((st.st_uid, st.st_gid), (owner.pw_uid, owner.pw_gid), path)
            self.assertEqual(st.st_mode & 0o027, 0, path)

    def rules(self, *rules):
        path = self.write("rules.json", json.dumps({"rules": rules}).encode())
        path.chmod(0o644)
        return path

    def reload(self):
        before = sum(line == "READY=1" for line in self.manager.told)
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.manager.take() is not None and
                   sum(line == "READY=1" for line in self.manager.told) > before, "READY=1")

    def listen_and_reload(self, *options, ports=("-i", "tap0"), **threads):
        path = self.rules(ALL)
        config = self.config(stats={"interval": 1}, capture={"filter": "tcp"})
        self.start("--rules", path, "-c", config, "-w", 2, *options, ports=ports)
        names = self.check_threads(**threads)
        self.assertLessEqual({"worker 0", "worker 1", "rules"}, names)
        self.send([modbus_read(i) for i in range(100)])
        self.until(lambda: (self.out / "rules.json").exists(), "rules.json")
        self.rules(ALL, BACK_REFERENCE)
        self.config(stats={"interval": 1}, capture={"filter": "tcp port 502"})
        self.reload()
        self.until_told("rules_changed")
        self.until_told("filter_changed")
        self.assertLess(self.manager.told.index("READY=1"), self.manager.told.index("RELOADING=1"))
        self.send([modbus_read(i) for i in range(100)])
        self.check_threads(**threads)
        said = self.end()
        self.assertIn(" rules are at work now", said)
        self.assertIn("STOPPING=1", self.manager.take(0.2) and self.manager.told)
        self.check_files()

    def test_interface(self):
        """All of it, with rules and filter read again, and files replaced."""
        self.listen_and_reload()
        self.books(200)

    def test_interface_comes_back(self):
        """Nothing that was given up is needed for it."""
        self.start()
        self.ends_and_comes_back(self.check_threads)

    def ends_and_comes_back(self, check):
        subprocess.run(["ip", "-n", self.tap, "link", "del", "tap0"], check=True)
        self.until_told("interface_missing")
        self.connect(0)
        self.until_told("interface_up")
        self.send([modbus_read(i) for i in range(50)])
        check()
        self.end()
        self.assertEqual(self.stats()["packets"]["read"], 50)

    def test_port(self):
        """A port of DPDK on an interface: one thread can still open it again."""
        port = ("--port", "net_pcap0,iface=tap0")
        keeper = {"allowed": 1 << 13, "keeper": "ports"}  # CAP_NET_RAW
        self.listen_and_reload(ports=port, **keeper)
        self.out = self.dir / "again"
        self.start(ports=port)
        self.ends_and_comes_back(lambda: self.check_threads(**keeper))

    def test_folder_of_root(self):
        """What a run of root left in the user's folder is given to the user; other folders are
        left as they are, and told."""
        self.out.mkdir()
        os.chown(self.out, pwd.getpwnam(USER).pw_uid, -1)
        (self.out / "eve.json").write_text('{"event_type":"old"}\n')
        os.link(self.write("other", b"of root"), self.out / "hard")
        os.symlink(self.dir / "other", self.out / "soft")
        self.start()
        self.end()
        self.assertEqual((self.out / "eve.json").stat().st_uid, pwd.getpwnam(USER).pw_uid)
        self.assertEqual((self.dir / "other").stat().st_uid, 0)
        closed = self.dir / "closed"
        closed.mkdir(mode=0o755)
        done = subprocess.run(["ip", "netns", "exec", self.tap, sensor.FIELDTAP, "-i", "tap0",
                               "--user", USER, "-l", closed], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn(f"cannot write to {closed}: Permission denied", done.stderr)

    def test_wrong_configuration(self):
        """Nothing is begun: no folder, no READY."""
        for config, option in ((b'{"service": {"user": "no-such-user"}}', ""),
                               (b'{"capture": {"filter": "no filter"}}', ""),
                               (b'{"rules": ["/nowhere.json"]}', "")):
            with self.subTest(config=config):
                done = subprocess.run(
                    ["ip", "netns", "exec", self.tap, sensor.FIELDTAP, "-i", "tap0", "-l",
                     self.out, "-c", self.write("wrong.json", config)], capture_output=True,
                    text=True, check=False, env=self.manager.environment())
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertFalse(self.out.exists())
                self.assertEqual(self.manager.take(), [])

    def test_watchdog(self):
        """Fed while everything goes on; not while one worker does not."""
        self.start("-w", 2, watchdog_s=2)
        self.assertGreaterEqual(self.manager.take(3).count("WATCHDOG=1"), 3)
        with Held(self.threads()["worker 1"]):
            self.manager.take(1)
            held = self.manager.take(3)
            self.assertNotIn("WATCHDOG=1", held)
        self.assertIn("STATUS=worker 1 makes no progress", self.manager.told)
        self.assertIn("WATCHDOG=1", self.manager.take(2))
        with Held(self.threads()["reader"]):
            self.manager.take(1)
            self.assertNotIn("WATCHDOG=1", self.manager.take(2))
        with Held(self.threads()["fieldtap"]):
            self.manager.take(1)
            self.assertNotIn("WATCHDOG=1", self.manager.take(2))
        self.assertIn("the watchdog is not fed", self.end())

    def test_end_under_load(self):
        self.start("-w", 2)
        sender = Sender(self.socket(), [modbus_read(i) for i in range(1000)], rate=20000)
        time.sleep(2)
        begin = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - begin, 5)
        self.assertGreater(sender.end(), 1000)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertGreater(stats["packets"]["read"], 1000)
        self.assertEqual(whole_lines(self.out, "stats")[-1]["event_type"], "stats")

    @unittest.skipUnless(os.environ.get("FT_LONG") == "yes", "of the long run")
    def test_end_while_rules_are_compiled(self):
        """They are not waited for: all is written before, and the exit code is that of it."""
        self.start("--rules", self.rules(ALL))
        many = [{"id": 9210000 + i, "title": f"Rule {i}", "when":
                 f"protocol == modbus and payload matches \"x{i}[a-f]{{2,9}}.*y{i % 97}z\""}
                for i in range(20000)]
        self.rules(ALL, *many)
        self.process.send_signal(signal.SIGHUP)
        self.send([modbus_read(i) for i in range(1000)])
        time.sleep(0.5)
        begin = time.monotonic()
        self.assertNotIn("rules are at work now", self.end())
        self.assertLess(time.monotonic() - begin, 5)
        self.books(1000)

    def test_end_with_output_that_hangs(self):
        """Whoever should read standard output does not: it ends all the same, and says so."""
        out, self.out = self.out, "-"
        self.start("--log", "messages", stderr=subprocess.PIPE)
        self.out = out
        self.send([modbus_read(i) for i in range(5000)])
        time.sleep(1)
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(self.process.returncode, 1)
        said = self.process.stderr.read().decode()
        self.assertIn("has not ended 4 seconds after SIGTERM", said)
        self.assertIn("hanging?", said)
        self.process.stdout.close()
        self.process.stderr.close()

    @unittest.skipUnless(all(receivers.HAS.values()), "rsyslog and nginx are not installed")
    def test_sinks(self):
        """TLS, HTTPS and names of hosts, with no rights left and system calls filtered; an
        outage, too."""
        within = ("ip", "netns", "exec", self.tap)
        self.within(self.tap, "ip", "link", "set", "lo", "up")
        authority = receivers.Authority(self.dir)
        signed = (authority.certificate, *authority.sign("localhost"))
        authority.certificate.chmod(0o644)
        with contextlib.ExitStack() as stack:
            some = [receivers.Rsyslog("tls", self.dir, "tls", signed, prefix=within,
                                      host="localhost"),
                    receivers.Nginx("https", self.dir, signed, prefix=within)]
            for one in some:
                stack.callback(one.kill)
            self.send_to(some)

    def send_to(self, some):
        config = self.config(journal={"folder": str(self.dir / "state")},
                             outputs=[one.output() for one in some])
        self.start("-c", config, "--log", "messages")
        names = self.check_threads()
        self.assertLessEqual({"journal-writer", "sink-tls", "sink-https"}, names)
        for count in (100, 200):
            self.send([modbus_read(count + i) for i in range(100)])
            for one in some:
                one.start()  # if it was killed
                one.until(lambda got, n=count: n <= len({line for line in got
                                                         if b'"message"' in line}), "messages")
                one.kill()
        self.check_threads()
        self.end()

    def test_trouble_of_the_journal(self):
        """The manager hears of it at once, not with the next figures."""
        folder = self.dir / "state"  # which the user of the sensor cannot make again
        self.start("-c", self.config(journal={"folder": str(folder)}), "--log", "messages")

        def is_told():
            self.send([modbus_read(i) for i in range(10)])
            self.manager.take(0.1)
            return any(re.match("STATUS=The journal cannot write: .*Permission denied", line)
                       for line in self.manager.told)

        self.assertFalse(is_told())
        folder.rename(self.dir / "moved")
        self.until(is_told, "the trouble", 20)
        self.end(code=1)

    def test_by_hand(self):
        """Who starts it stays who it is; its system calls are filtered."""
        self.begin(env=self.manager.environment(), stderr=subprocess.DEVNULL)
        self.until(lambda: self.manager.has("READY=1"), "READY=1")
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            s = status_of(thread)
            self.assertEqual((s["Uid"].split()[0], s["NoNewPrivs"], s["Seccomp"]), ("0", "1", "2"))
        self.end()
        self.begin("--seccomp", "off")
        self.assertEqual(status_of(pathlib.Path(f"/proc/{self.process.pid}"))["Seccomp"], "0")
        self.end()


class Unit(Case):
    """The unit as systemd reads it; tools/packaging/test-unit boots one with it."""

    def setUp(self):
        super().setUp()
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        packaging = pathlib.Path(__file__).parents[2] / "tools" / "packaging"
        self.text = (packaging / "fieldtap.service").read_text()
        self.unit = self.dir / "fieldtap.service"
        self.unit.write_text(self.text.replace("/usr/bin/fieldtap ", f"{sensor.FIELDTAP} "))

    def analyze(self, *words):
        done = subprocess.run(["systemd-analyze", *words, self.unit], check=False, text=True,
                              capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def test_it_is_right(self):
        code, said = self.analyze("verify", "--man=no")
        self.assertEqual(code, 0, said)
        self.assertNotIn(str(self.unit), said)

    def test_exposure(self):
        code, said = self.analyze("security", "--offline=true", "--threshold=40")
        self.assertEqual(code, 0, said)

    def test_folders_and_signals(self):
        """The sensor is another user's than root's: root without CAP_KILL cannot signal it; and the
        sandbox of the main process is made of folders that are there."""
        self.assertIn("ExecReload=+", self.text)
        self.assertIn("ExecStartPre=-+/usr/bin/systemd-tmpfiles", self.text)
        self.assertIn("STATE_DIRECTORY=/var/lib/fieldtap\n", self.text)


class Unprivileged(Case):
    """Captures, as anybody."""

    def run_as(self, user, *options):
        self.dir.chmod(0o755)
        out = self.dir / f"of-{user}"
        if not out.exists():
            out.mkdir()
            os.chown(out, pwd.getpwnam(user).pw_uid, -1)
        program = self.dir / "program"
        if not program.exists():
            sensor.copy_to(program)
        return subprocess.run([program / "fieldtap", "-r", self.plant(), "-l", out, *options],
                              user=user, extra_groups=[], capture_output=True, text=True,
                              check=False), out

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_as_nobody(self):
        done, out = self.run_as(USER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIs(self.stats(out)["balanced"], True)
        done, _ = self.run_as(USER, "--user", "root")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, "fieldtap: --user root: only root can become another user; "
                                      "it goes on as it is\n")

    def test_options(self):
        for words, said in ((("--seccomp", "no"), 'expected "on", "log" or "off"'),
                            (("--user", ""), "expected the name of a user"),
                            (("--user", "no-such-user"), "there is no such user")):
            done = subprocess.run([sensor.FIELDTAP, "-r", self.plant(), *words], check=False,
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(said, done.stderr)

    def test_same_output(self):
        """With and without the filter."""
        for word in ("on", "log", "off"):
            self.assertOk(sensor.run("-r", self.plant(), "-l", self.dir / word, "--seccomp", word))
        self.assertEqual(self.read("on"), self.read("off"))

    def read(self, name):
        return [{**e, "timestamp": None} for e in self.events(self.dir / name)]


if __name__ == "__main__":
    sensor.main()
