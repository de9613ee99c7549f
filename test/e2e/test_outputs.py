#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The journal and the outputs behind it: nothing that was kept is lost, whatever is killed, full or
gone. What needs a mount or an interface of its own needs root.

usage: test_outputs.py FIELDTAP FIELDTAP_PLANT HANG.so [unittest options]
"""

import contextlib
import grp
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

import live
import sensor
from keeping import Keeping, healths, uid
from live import Live, Sender, whole_lines
from sensor import lines, modbus_read, modbus_stop, of_type, run

IS_LONG = os.environ.get("FT_LONG") == "yes"


class Captures(Keeping):
    """Captures through a journal, which a configuration has to ask for."""

    def test_same_lines(self):
        capture = self.plant(seconds=20)
        self.assertOk(run("-r", capture, "-l", self.dir / "direct"))
        r = run("-r", capture, "-l", self.out, "-c", self.config())
        self.assertEqual(r.code, 0, r.err)
        self.assertIn("events are kept in", r.err)
        kept, direct = self.kept(), self.events(self.dir / "direct")
        self.assertEqual(self.events(), kept)
        self.assertEqual([uid(e) for e in kept], list(range(1, len(kept) + 1)))
        for event in kept + direct:
            event["fieldtap"].pop("event_uid")
            event.get("stats", {}).pop("journal", None)
            event.get("stats", {}).pop("outputs", None)
        self.assertEqual(kept, direct)
        stats = self.stats()
        self.assertEqual(self.check_books(stats), 0)
        self.assertEqual([(o["name"], o["lag"], o["sent"]) for o in stats["outputs"]],
                         [("log-dir", 0, len(kept))])

    def test_relative_folder(self):
        """-l of a folder below the one that the sensor was started in."""
        r = run("-r", self.plant(seconds=5), "-l", "out", "-c", self.config(), cwd=self.dir)
        self.assertEqual(r.code, 0, r.err)
        self.assertEqual(self.events(), self.kept())
        self.assertEqual([one["target"] for one in self.stats()["outputs"]], ["out/eve.json"])

    def test_one_folder_in_other_words(self):
        """An output of -l's eve.json is that one, however the folder is spelled; its mode holds."""
        own = {"name": "own", "kind": "file", "path": str(self.out / "eve.json"), "mode": "0600"}
        two = {"name": "two", "kind": "file", "path": str(self.out / "two.json"), "mode": "0640"}
        for words in f"{self.out}/", f"{self.dir}//./out", "out":
            config = self.config(own, two)
            self.assertOk(run("-T", "-c", config, "-l", words, cwd=self.dir))
            r = run("-r", self.plant(seconds=2), "-l", words, "-c", config, cwd=self.dir)
            self.assertEqual(r.code, 0, r.err)
            self.assertEqual([one["name"] for one in self.stats()["outputs"]], ["own", "two"])
            modes = [stat.S_IMODE((self.out / name).stat().st_mode)
                     for name in ("eve.json", "two.json")]
            self.assertEqual(modes, [0o600, 0o640])
        shutil.rmtree(self.out)
        for path in "./eve.json", "eve.json":  # of an output they begin in the folder of -l
            config = self.config({**own, "path": path}, two)
            for _ in range(2):
                r = run("-r", self.plant(seconds=2), "-l", self.out, "-c", config)
                self.assertEqual(r.code, 0, r.err)
                self.assertEqual([one["name"] for one in self.stats()["outputs"]], ["own", "two"])
        refused = run("-T", "-c", self.config({**two, "name": "log-dir"}), "-l", self.out)
        self.assertEqual((refused.code, refused.err.count("give that another")), (2, 1), refused.err)
        other = {**own, "path": str(self.dir / "other" / ".." / "out" / "eve.json")}
        (self.dir / "other").mkdir()
        refused = run("-T", "-c", self.config(other), "-l", self.out)
        self.assertEqual(refused.code, 2, "the same by way of another folder")

    def test_where_the_sensor_is(self):
        """Its address is in the origin of structured data, and the host name of the body object."""
        with contextlib.ExitStack() as stack:
            outputs, receivers = [], []
            for more in {"structured_data": True}, {"format": "object"}:
                one = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                one.bind(("127.0.0.1", 0))
                one.settimeout(10)
                receivers.append(one)
                outputs.append({"name": f"siem{len(outputs)}", "kind": "syslog", "port":
                                one.getsockname()[1], "host": "127.0.0.1", "transport": "udp",
                                **more})
            config = self.write("where.json", json.dumps({
                "journal": {"folder": str(self.journal)}, "outputs": outputs,
                "sensor": {"address": "10.1.2.3", "zone": "Hall 4"}}).encode())
            r = run("-r", self.plant(seconds=2), "-l", self.out, "-c", config)
            self.assertEqual(r.code, 0, r.err)
            data, body = (one.recv(65536) for one in receivers)
            self.assertIn(b'[origin ip="10.1.2.3" software="fieldtap"', data)
            self.assertRegex(body, rb"^<\d+>1 \S+ 10\.1\.2\.3 fieldtap ")

    def test_name_with_escapes(self):
        """A name that JSON writes with escapes: outputs choose, and numbers go on, all the same."""
        name = 'PLANT\\no"rth'
        config = self.write("name.json", json.dumps({
            "journal": {"folder": str(self.journal)}, "sensor": {"name": name},
            "outputs": [{"name": "alerts", "kind": "file", "path": str(self.dir / "alerts.json"),
                         "filter": {"types": ["alert"]}}]}).encode())
        capture = self.plant(seconds=20)
        self.assertEqual(run("-r", capture, "-l", self.out, "-c", config).code, 0)
        last, alerts = uid(self.events()[-1]), of_type(self.events(), "alert")
        self.assertGreater(len(alerts), 0)
        self.assertEqual(lines(self.dir / "alerts.json"), alerts)
        self.assertTrue(alerts[0]["fieldtap"]["event_uid"].startswith(name + "-"))
        self.journal.rename(self.dir / "away")
        again = run("-r", capture, "-l", self.out, "-c", config)
        self.assertIn(f"numbers go on after {last}:", again.err)
        numbers = [uid(e) for e in self.events()]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_numbers_go_on(self):
        capture, config = self.plant(seconds=5), self.config()
        for _ in range(3):
            self.assertEqual(run("-r", capture, "-l", self.out, "-c", config).code, 0)
        numbers = [uid(e) for e in self.events()]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(self.events(), self.kept())

    def test_journal_lost(self):
        """Its numbers are known from eve.json: none comes twice, and it is said once."""
        capture, config = self.plant(seconds=5), self.config()
        first = run("-r", capture, "-l", self.out, "-c", config)
        self.assertNotIn("numbers go on", first.err)
        last = uid(self.events()[-1])
        self.journal.rename(self.dir / "away")
        again = run("-r", capture, "-l", self.out, "-c", config)
        self.assertEqual(again.err.count(f"numbers go on after {last}:"), 1, again.err)
        self.assertNotIn("numbers go on", run("-r", capture, "-l", self.out, "-c", config).err)
        numbers = [uid(e) for e in self.events()]
        self.assertEqual(numbers[:2 * last], list(range(1, 2 * last + 1)))
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(self.kept(), self.events()[last:])
        # Nothing is left of it: that is a sensor's first day.
        self.journal.rename(self.dir / "gone")
        (self.out / "eve.json").unlink()
        self.assertNotIn("numbers go on", run("-r", capture, "-l", self.out, "-c", config).err)
        self.assertEqual(uid(self.events()[0]), 1)

    def test_without_journal_nothing_is_kept(self):
        capture = self.plant(seconds=5)
        config = self.write("c.json", json.dumps({"outputs": [
            {"name": "a", "kind": "file", "path": str(self.dir / "a.json")}]}).encode())
        r = run("-r", capture, "-l", self.out, "-c", config)
        self.assertEqual(r.code, 0)
        self.assertIn("nothing is sent", r.err)
        self.assertFalse((self.dir / "a.json").exists())
        self.assertNotIn("journal", self.stats())
        # The file that is written anyway is no reason to say so.
        config = self.write("c.json", json.dumps({"outputs": [
            {"name": "eve", "kind": "file", "path": str(self.out / "eve.json")}]}).encode())
        self.assertOk(run("-r", self.plant(seconds=2), "-l", self.out, "-c", config))

    def test_no_journal(self):
        (self.dir / "empty").mkdir()
        self.assertFails(run("--read-journal", self.dir / "empty"), 1, "is no journal")
        self.assertFails(run("--read-journal", self.dir / "away"), 1, "cannot open")

    def test_folder_in_use_or_impossible(self):
        capture = self.plant(seconds=2)
        self.write("file", b"")
        config = self.write("c.json", json.dumps(
            {"journal": {"folder": str(self.dir / "file")}}).encode())
        self.assertFails(run("-r", capture, "-c", config), 1, "file")

    def test_one_file_one_writer(self):
        """A second run into the same folder, with a journal or without one, writes nothing."""
        capture, config = self.plant(seconds=2), self.config()
        other = self.write("other.json", json.dumps(
            {"journal": {"folder": str(self.dir / "other")}}).encode())
        # pylint: disable=consider-using-with
        first = sensor.start("-r", self.plant("long.pcap", seconds=20), "--loop", 1000000,
                             "--speed", 20, "-l", self.out, "-c", config,
                             stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not whole_lines(self.out):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            self.assertFails(run("-r", capture, "-l", self.out), 1, "by another run")
            self.assertFails(run("-r", capture, "-l", self.out, "-c", other), 1, "by another run")
        finally:
            first.send_signal(signal.SIGTERM)
            first.wait(timeout=30)
        numbers = [uid(e) for e in self.events()]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_configuration(self):
        ok = run("-T", "-c", self.config({"name": "a", "kind": "file", "path": "a.json"}))
        self.assertEqual(ok.code, 0, ok.err)
        self.assertIn("1 outputs", ok.out)
        for outputs, word in (([{"name": "a", "kind": "fil"}], 'did you mean "file"?'),
                              ([{"name": "a", "kind": "file", "pth": "x"}], '"path"')):
            r = run("-T", "-c", self.config(*outputs))
            self.assertEqual(r.code, 2)
            self.assertRegex(r.err, r"fieldtap\.json:\d+:\d+: ")
            self.assertIn(word, r.err)

    def test_standard_output_goes_past_it(self):
        self.assertFails(run("-r", self.plant(seconds=2), "-l", "-", "-c", self.config()), 2, "-l -")


@unittest.skipUnless(live.HAS_NET_ADMIN, "network namespaces need CAP_NET_ADMIN")
class Sockets(Keeping):
    """Of the sensor's own: made before the journal is begun and before rights are given up."""

    def setUp(self):
        super().setUp()
        self.live = self.dir / "live.sock"

    def output(self, **more):
        return {"name": "live", "kind": "unix_stream", "path": str(self.live), **more}

    @staticmethod
    def some_group():
        return next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534))

    def check_group(self, *options, owner):
        """The group lets in, nobody else."""
        group = self.some_group()
        config = self.config(self.output(group=group.gr_name))
        self.dir.chmod(0o755)
        config.chmod(0o644)
        # pylint: disable=consider-using-with
        process = sensor.start("-r", self.plant(seconds=20), "-c", config, "-l", self.out,
                               "--loop", "100000", "--speed", "40", *options,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            while not sensor.listens(self.live):
                self.assertIsNone(process.poll(), process.stderr)
                time.sleep(0.02)
            status = self.live.stat()
            self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid),
                             (0o660, owner, group.gr_gid))
            for gid, code in ((group.gr_gid, 0), (65534, 1)):
                done = subprocess.run(["test", "-w", self.live], check=False, user=65533,
                                      group=gid, extra_groups=[])
                self.assertEqual(done.returncode, code)
            with socket.socket(socket.AF_UNIX) as reader:
                reader.settimeout(20)
                reader.connect(str(self.live))
                self.assertEqual(reader.recv(1), b"{")
            process.terminate()
            self.assertEqual(process.wait(20), 0)
        finally:
            process.kill()
            process.communicate()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_group(self):
        self.check_group(owner=0)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_group_of_user(self):
        """The user is no member of it: root gives the socket away before it becomes the user."""
        self.check_group("--user", "nobody", owner=pwd.getpwnam("nobody").pw_uid)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_group_of_others(self):
        """Who may not give the socket to the group is told by -T."""
        group = self.some_group()
        config = self.config(self.output(group=group.gr_name))
        self.dir.chmod(0o755)
        config.chmod(0o644)
        program = self.dir / "fieldtap"
        shutil.copy(sensor.FIELDTAP, program)
        program.chmod(0o755)
        for gid, code in ((65534, 2), (group.gr_gid, 0)):
            done = subprocess.run([program, "-T", "-c", config], check=False, user=65534,
                                  group=gid, extra_groups=[], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual("only root and members of the group" in done.stderr, code == 2)

    def test_taken(self):
        """A wrong configuration, exit code 2; nothing is begun: no journal, no output."""
        with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as local:
            tcp.bind(("127.0.0.1", 0))
            tcp.listen()
            local.bind(str(self.dir / "taken"))
            local.listen()
            metrics = {"listen": f"127.0.0.1:{tcp.getsockname()[1]}"}
            for more, word in (
                    ({"metrics": metrics, "outputs": [self.output()]}, "metrics.listen: cannot"),
                    ({"outputs": [self.output(path=str(self.dir / "taken"))]}, "sink live: "),
                    ({"control": {"socket": str(self.dir / "taken")}}, "control socket "),
                    ({"metrics": {"file": str(self.dir / "none" / "x.prom")}},
                     "metrics.file: cannot write")):
                config = self.write("taken.json", json.dumps(
                    {"journal": {"folder": str(self.journal)}, **more}).encode())
                r = run("-r", self.plant(seconds=1), "-l", self.out, "-c", config)
                self.assertFails(r, 2, word)
                self.assertFalse(self.journal.exists())
                self.assertFalse((self.out / "eve.json").exists())
                self.assertFalse(self.live.exists())


class Running(Live, Keeping):
    """Live, with a journal."""

    def setUp(self):
        super().setUp()
        self.within(self.tap, "ip", "link", "set", "lo", "up")
        self.mounts = contextlib.ExitStack()

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.mounts.close()
        super().tearDown()

    def load(self, rate=2000):
        """Requests of ever new clients: each is told."""
        frames = [modbus_read(n, host=1 + n % 200) for n in range(20000)]
        sender = Sender(self.socket(), frames, rate)
        self.addCleanup(lambda: sender.stopped.is_set() or sender.end())
        return sender

    def small_disk(self, mebibytes=24):
        folder = self.dir / "disk"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder],
                       check=True)
        self.mounts.callback(subprocess.run, ["umount", "-l", folder], check=False)
        return folder

    def told(self, event):
        return event in healths(whole_lines(self.out, "health"))

    @unittest.skipUnless(IS_LONG, "of the long run")
    def test_far_behind(self):
        """A receiver that takes little: told after half a minute, once; and when it has all."""
        slow = {"name": "slow", "kind": "file", "path": str(self.dir / "slow.json"),
                "max_rate": 1000, "filter": {"types": ["message"]}}
        self.begin("-c", self.config(slow), "--log", "messages")
        self.send([modbus_read(n, host=1 + n % 200) for n in range(60000)], 15000)
        self.until(lambda: self.told("sink_lag"), "it is told", 60)
        self.until(lambda: self.told("sink_lag_ended"), "it has caught up", 60)
        self.end()
        told = [e["health"] for e in of_type(self.events(), "health")]
        lag, = [e["text"] for e in told if e["event"] == "sink_lag"]
        self.assertRegex(lag, r"The output slow is \d{5} events behind")
        ended, = [e["text"] for e in told if e["event"] == "sink_lag_ended"]
        self.assertEqual(ended, "The output slow has caught up.")

    def test_in_time_and_whole(self):
        self.begin("-c", self.config(), "--log", "messages")
        self.send([modbus_read(n) for n in range(1000)])
        self.until(lambda: len(whole_lines(self.out, "message")) == 1000, "events", 5)
        begin = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - begin, 5)
        self.books(1000)
        self.assertEqual(self.check_books(self.stats()), 0)
        self.assertEqual(self.events(), self.kept())
        stats = of_type(self.events(), "stats")[-1]["stats"]
        self.assertEqual(stats["journal"]["ok"], 1)
        self.assertIn("log-dir", stats["outputs"])

    def test_a_service_has_one(self):
        state = self.dir / "state"
        self.begin(env=dict(os.environ, STATE_DIRECTORY=str(state)))
        self.send([modbus_read(n) for n in range(10)])
        self.assertIn(str(state / "journal"), self.end())
        self.assertEqual(self.events(), self.kept(state / "journal"))

    def test_by_hand_there_is_none(self):
        self.begin()
        self.send([modbus_read(n) for n in range(10)])
        self.assertEqual(self.end(), "")
        self.assertNotIn("journal", self.stats())

    def test_logrotate(self):
        self.begin("-c", self.config(), "--log", "messages")
        self.send([modbus_read(n) for n in range(100)])
        self.until(lambda: len(whole_lines(self.out, "message")) == 100, "events", 10)
        (self.out / "eve.json").rename(self.out / "eve.json.1")
        self.process.send_signal(signal.SIGHUP)
        self.until((self.out / "eve.json").exists, "a new file", 10)
        self.send([modbus_read(n) for n in range(100)])
        self.until(lambda: len(whole_lines(self.out, "message")) == 100, "events", 10)
        self.end()
        both = lines(self.out / "eve.json.1") + self.events()
        self.assertEqual(both, self.kept())

    def test_file_removed(self):
        """What comes after it is in a new one, and that it was removed is told."""
        self.begin("-c", self.config(), "--log", "messages")
        self.send([modbus_read(n) for n in range(100)])
        self.until(lambda: len(whole_lines(self.out, "message")) == 100, "events", 10)
        before = self.events()
        (self.out / "eve.json").unlink()
        self.send([modbus_read(n) for n in range(100)])
        self.until((self.out / "eve.json").exists, "a new file", 10)
        self.until(lambda: len(whole_lines(self.out, "message")) == 100, "events", 10)
        self.end()
        kept, numbers = self.kept(), [uid(e) for e in self.events()]
        self.assertEqual(self.events(), kept[-len(numbers):])
        # Only what was written between the last look and the removal is gone with the file.
        self.assertLessEqual(numbers[0], uid(before[-1]) + 5)
        self.assertIn("was removed", next(e["health"]["text"] for e in of_type(kept, "health")
                                          if e["health"]["event"] == "sink_file_removed"))

    def test_file_removed_without_journal(self):
        self.begin("--log", "messages")
        self.send([modbus_read(n) for n in range(100)])
        self.until(lambda: len(whole_lines(self.out, "message")) == 100, "events", 10)
        (self.out / "eve.json").unlink()
        self.send([modbus_read(n) for n in range(100)])
        self.until((self.out / "eve.json").exists, "a new file", 10)
        said = self.end()
        self.assertEqual(said.count("eve.json was removed: a new one is begun"), 1, said)
        self.assertEqual(len(of_type(self.events(), "message")), 100)
        self.assertEqual([e["health"]["event"] for e in of_type(self.events(), "health")],
                         ["sink_file_removed"])
        self.books(200)

    def test_dead_receiver(self):
        """Nothing waits for it, neither the core nor the end."""
        dead = {"name": "dead", "kind": "syslog", "host": "127.0.0.1", "port": 9,
                "transport": "tcp"}
        self.begin("-c", self.config(dead), "--log", "messages")
        self.load()
        self.until(lambda: self.told("sink_down"), "sink_down", 20)
        begin = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - begin, 5)
        stats = self.stats()
        self.assertEqual(self.check_books(stats), 0)
        sinks = {o["name"]: o for o in stats["outputs"]}
        self.assertGreater(sinks["dead"]["failed"], 1)
        self.assertEqual(sinks["dead"]["sent"], 0)
        self.assertGreater(sinks["dead"]["lag"], 100)
        self.assertLess(healths(self.events()).count("sink_down"), 3, "told once")

    def full(self, folder):
        with contextlib.suppress(OSError), open(folder / "filler", "wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass

    def test_disk_full(self):
        folder = self.small_disk()
        self.journal = folder / "journal"
        self.begin("-c", self.config(memory_bytes=4 << 20), "--log", "messages")
        sender = self.load(4000)
        self.until(lambda: len(whole_lines(self.out, "message")) > 1000, "events", 20)
        self.full(folder)
        # Nothing reaches the file while nothing is on disk; it is told when it is over.
        time.sleep(4)
        self.send([modbus_stop(host=n) for n in range(1, 21)], rate=20)
        time.sleep(4)
        (folder / "filler").unlink()
        self.until(lambda: self.told("journal_recovered"), "journal_recovered", 30)
        sender.end()
        time.sleep(0.5)
        before = len(whole_lines(self.out))
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=20)[1].decode()
        self.assertGreaterEqual(len(self.events()), before)
        self.assertIn("The journal cannot write: ", said)
        self.assertIn("The journal writes again.", said)
        stats, events = self.stats(), self.events()
        given_up = self.check_books(stats)
        self.assertEqual(self.process.returncode, 1 if given_up else 0)
        self.assertLess(healths(events).index("journal_trouble"),
                        healths(events).index("journal_recovered"))
        self.assertEqual(healths(events).count("journal_trouble"), 1)
        if given_up:
            self.assertIn("journal_given_up", healths(events))
            lost = {name: sum(c["given_up"].values())
                    for name, c in stats["journal"]["classes"].items()}
            self.assertEqual(lost["alert"], 0, "the least important goes first")
            self.assertGreater(lost["transaction"], 0)
        stopped = {e["src_ip"] for e in of_type(events, "alert") if e["app_proto"] == "umas"}
        self.assertLessEqual({f"10.0.0.{n}" for n in range(1, 21)}, stopped)

    # Whether a file is on the disk that hangs is asked with a call that the sensor never makes.
    ON_DISK = ("--seccomp", "off", "--log", "messages")

    def on_disk(self, hanging, disk="", **more):
        """The environment in which syncs of files below `disk` hang while there is a file."""
        return dict(os.environ, LD_PRELOAD=HANG, FIELDTAP_TEST_HANG=str(hanging),
                    FIELDTAP_TEST_DISK=str(disk), **more)

    def stop(self):
        """By SIGTERM, in time; what it said."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=20)[1].decode()
        self.assertLess(time.monotonic() - begin, 5)
        return said

    def messages(self):
        return len(whole_lines(self.out, "message"))

    def test_disk_hangs(self):
        """Analysis goes on and the end comes in time; what is not on disk is lost and said."""
        hanging = self.dir / "hanging"
        self.begin("-c", self.config(), "--log", "messages", env=self.on_disk(hanging))
        self.send([modbus_read(n) for n in range(500)])
        self.until(lambda: self.messages() == 500, "events", 20)
        hanging.touch()
        self.send([modbus_read(n) for n in range(500)])
        time.sleep(1)
        said = self.stop()
        hanging.unlink()
        self.assertEqual(self.process.returncode, 1, said)
        self.assertIn("are not in the journal", said)
        stats = self.stats()
        self.assertEqual(stats["packets"]["read"], 1000)
        self.assertGreaterEqual(self.check_books(stats), 500)
        self.assertEqual(self.events(), self.kept()[:len(self.events())])

    @unittest.skipUnless(IS_LONG, "of the long run")
    def test_disk_answers_again(self):
        """After seconds; all of it was kept in memory."""
        hanging = self.dir / "hanging"
        self.begin("-c", self.config(), *self.ON_DISK,
                   env=self.on_disk(hanging, disk=self.journal))
        self.send([modbus_read(n) for n in range(100)])
        self.until(lambda: self.messages() == 100, "events", 10)
        hanging.touch()
        self.send([modbus_read(n) for n in range(900)])
        time.sleep(7)
        hanging.unlink()
        self.until(lambda: self.told("journal_recovered"), "journal_recovered", 20)
        self.assertIn("journal_trouble", healths(self.events()))
        self.end()
        self.books(1000)
        self.assertEqual(self.check_books(self.stats()), 0)
        self.assertEqual(self.events(), self.kept())

    @unittest.skipUnless(IS_LONG, "of the long run")
    def test_disk_slow(self):
        """Each sync takes half a second: later, and nothing else."""
        self.begin("-c", self.config(), *self.ON_DISK,
                   env=self.on_disk("", disk=self.journal, FIELDTAP_TEST_SLOW_MS="500"))
        self.send([modbus_read(n) for n in range(5000)], rate=2500)
        self.until(lambda: self.messages() == 5000, "events", 10)
        self.stop()
        self.assertEqual(self.process.returncode, 0)
        self.assertEqual(self.stats()["packets"]["read"], 5000)
        self.assertEqual(self.check_books(self.stats()), 0)
        # The last of them the output may get at the next start.
        self.assertEqual(self.events(), self.kept()[:len(self.events())])

    def test_disk_of_an_output_hangs(self):
        """The journal is kept whole and the end comes in time, though a thread is in a call of the
        system; the next run goes on where it was."""
        hanging, other = self.dir / "hanging", self.dir / "other"
        other.mkdir()
        config = self.config({"name": "far", "kind": "file", "path": str(other / "far.json")})
        hanging.touch()
        self.begin("-c", config, *self.ON_DISK, env=self.on_disk(hanging, disk=other))
        self.send([modbus_read(n) for n in range(500)])
        self.until(lambda: self.messages() == 500, "events", 10)
        self.stop()
        self.assertEqual(self.process.returncode, 0)
        self.books(500)
        self.assertEqual(self.check_books(self.stats()), 0)
        far = next(o for o in self.stats()["outputs"] if o["name"] == "far")
        self.assertEqual(far["sent"], 0)
        hanging.unlink()
        self.out = self.dir / "again"
        self.begin("-c", config)
        self.end()
        self.assertEqual(lines(other / "far.json"), self.kept())

    def ext4(self):
        """An image of a disk, mounted."""
        folder, image = self.dir / "disk", self.dir / "image"
        folder.mkdir()
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        if subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, folder],
                          check=False, capture_output=True).returncode:
            self.skipTest("no loop device")
        self.mounts.callback(subprocess.run, ["umount", "-l", folder], check=False)
        source = subprocess.run(["findmnt", "-no", "SOURCE", folder], check=True,
                                capture_output=True, text=True).stdout.strip()
        return folder, image, pathlib.Path("/sys/fs/ext4") / pathlib.Path(source).name

    def test_disk_becomes_read_only(self):
        """As the kernel makes it when the disk has a fault; then another one is there, to which
        what could be read was copied."""
        folder, image, fault = self.ext4()
        self.journal = folder / "journal"
        self.begin("-c", self.config(), "--log", "messages")
        sender = self.load(1000)
        self.until(lambda: self.messages() > 500, "events", 20)
        (fault / "trigger_fs_error").write_text("1")
        time.sleep(2)
        subprocess.run(["cp", image, self.dir / "copy"], check=True)
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", "sh", "-ec",
                        f"umount -l {folder}; mount -o loop {self.dir}/copy {folder}"], check=True)
        self.until(lambda: self.told("journal_recovered"), "journal_recovered", 30)
        sender.end()
        events = self.events()
        self.stop()
        self.assertIn("Read-only file system", next(
            e["health"]["text"] for e in events if "journal_trouble" in healths([e])))
        self.assertEqual(self.process.returncode, 0)
        self.assertEqual(self.check_books(self.stats()), 0)
        numbers = [uid(e) for e in self.events()]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_disk_read_only(self):
        """Nothing is begun that could not be kept."""
        folder = self.small_disk()
        self.journal = folder / "journal"
        self.assertEqual(run("-r", self.plant(seconds=2), "-c", self.config()).code, 0)
        before = self.kept()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        self.assertFails(run("-r", self.plant(seconds=2), "-c", self.config()), 1, "Read-only")
        self.assertEqual(self.kept(), before)

    def gone(self, remove):
        """A folder is made again, and all that comes goes there."""
        self.begin("-c", self.config(), "--log", "messages")
        self.load(500)
        self.until(lambda: self.messages() > 100, "events", 20)
        remove()
        self.until(self.journal.exists, "a new folder", 20)
        at = self.messages()
        self.until(lambda: self.messages() > at + 100, "events", 20)
        self.until(lambda: self.told("journal_trouble"), "that it was gone", 20)
        self.end()
        self.assertEqual(self.check_books(self.stats()), 0)

    @unittest.skipUnless(IS_LONG, "of the long run")
    def test_folder_moved(self):
        self.gone(lambda: self.journal.rename(self.dir / "moved"))

    def test_folder_removed(self):
        """Of what no output had yet, each is told."""
        def remove():
            while self.journal.exists():
                shutil.rmtree(self.journal, ignore_errors=True)
        self.gone(remove)
        numbers = [uid(e) for e in self.events() if "records_missed" not in healths([e])]
        missed = sum(e["health"]["count"] for e in self.events()
                     if "records_missed" in healths([e]))
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual("sink_missed" in healths(self.events()), missed > 0)
        stats = self.stats()
        self.assertEqual(len(numbers) + missed, stats["lines"]["made"])
        self.assertEqual(stats["journal"]["folders_made"], 1)
        told = [e["health"]["text"] for e in self.events() if "journal_trouble" in healths([e])]
        self.assertEqual(len(told), 1, told)
        self.assertIn("removed, moved away", told[0])
        self.assertIn(f"transaction {stats['journal']['classes']['transaction']['lost']}", told[0])

    def test_files_removed(self):
        """The folder stays: what it held is told, and that it is over."""
        self.begin("-c", self.config(), "--log", "messages")
        self.load(500)
        self.until(lambda: self.messages() > 100, "events", 20)
        for segment in self.journal.glob("*.ftj"):
            segment.unlink()
        self.until(lambda: self.told("journal_trouble"), "that files are gone", 20)
        self.until(lambda: self.told("journal_recovered"), "that it writes again", 20)
        self.end()
        self.assertEqual(healths(self.events()).count("journal_trouble"), 1)
        self.assertGreater(self.stats()["journal"]["classes"]["transaction"]["lost"], 0)


if __name__ == "__main__":
    HANG = os.path.abspath(sys.argv.pop(3))
    sensor.main()
