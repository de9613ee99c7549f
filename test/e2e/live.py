#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What tests of live capture share: a sensor at one end of veth pairs, a sender at the other, each
in a network namespace of its own. Needs root (CAP_NET_ADMIN); what needs it is skipped without.

usage: live.py send INTERFACE CAPTURE PACKETS_PER_SECOND
"""

import collections
import ctypes
import functools
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import eve_check
import sensor
from sensor import Case, of_type, pcap

CLONE_NEWNET = 0x40000000
ENOBUFS = 105


# ---- sending ----

def records(data):
    """The frames of a pcap of this machine's byte order."""
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def send_one(out, frame):
    while True:
        try:
            out.send(frame)
            return
        except OSError as error:
            if error.errno != ENOBUFS:  # the queue of the interface is full
                raise
            time.sleep(0.001)


def send_all(out, frames, rate=0):
    begin = time.monotonic()
    for i, frame in enumerate(frames):
        if rate and i % 16 == 0:
            time.sleep(max(0.0, begin + i / rate - time.monotonic()))
        send_one(out, frame)


def packet_socket(interface, namespace=None):
    """A socket that sends on an interface, of another network namespace if one is named."""
    if not namespace:
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind((interface, 0))
        return out
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as own, \
            open(f"/run/netns/{namespace}", "rb") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            return packet_socket(interface)
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)


class Sender(threading.Thread):
    """Sends frames again and again until it is ended, whatever becomes of the interface."""

    def __init__(self, out, frames, rate=0):
        super().__init__(daemon=True)
        self.out, self.frames, self.rate = out, frames, rate
        self.stopped = threading.Event()
        self.sent = self.failed = 0
        self.start()

    def run(self):
        begin = time.monotonic()
        while not self.stopped.is_set():
            if self.rate and self.sent % 16 == 0:
                time.sleep(max(0.0, begin + self.sent / self.rate - time.monotonic()))
            try:
                send_one(self.out, self.frames[self.sent % len(self.frames)])
                self.sent += 1
            except OSError:
                self.failed += 1
                time.sleep(0.001)

    def end(self):
        """How many were sent."""
        self.stopped.set()
        self.join()
        self.out.close()
        return self.sent


class Held:
    """One thread of a process does not go on; the others do."""

    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, thread):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.thread = thread

    def call(self, request):
        if self.libc.ptrace(request, self.thread, None, None) != 0:
            number = ctypes.get_errno()
            raise OSError(number, "ptrace: " + os.strerror(number))

    def __enter__(self):
        self.call(self.SEIZE)
        self.call(self.INTERRUPT)
        os.waitpid(self.thread, self.WALL)

    def __exit__(self, *_):
        self.call(self.DETACH)


# ---- what is told while the sensor runs ----

def whole_lines(folder, kind=""):
    """The events of a run that goes on, of one type if it is named."""
    if not (folder / "eve.json").exists():
        return []
    data = (folder / "eve.json").read_bytes()
    lines = data[:data.rfind(b"\n") + 1].splitlines()
    return [json.loads(line) for line in lines if b'"event_type":"' + kind.encode() in line]


def key_of(event):
    """What an event says, without when and in which order."""
    kind = event["event_type"]
    talk = tuple(event.get(k) for k in ("src_ip", "src_port", "dest_ip", "dest_port", "proto",
                                        "app_proto"))
    extra = {
        "alert": lambda: (event["alert"]["signature_id"],),
        "anomaly": lambda: (event["anomaly"].get("event"),),
        "operation": lambda: (event["operation"].get("command"), event["operation"].get("class")),
        "flow": lambda: (),
        "asset": lambda: (event["asset"]["id"],),
    }[kind]()
    if kind == "asset":
        return (kind, *extra)
    return (kind, *talk, str(event.get("vlan")), *extra)


@functools.lru_cache(maxsize=1)
def counting_rules():
    """Those that come with the sensor and hold for so many within a time."""
    folder = pathlib.Path(sensor.FIELDTAP).parent / "rules"
    files = [json.loads(path.read_text())["rules"] for path in folder.rglob("*.json")]
    return {rule["id"] for rules in files for rule in rules if "threshold" in rule}


def comparable(events):
    """What was told, and how many packets each pair of ends had. In a replay that is faster more
    is within a time, and clocks that NTP compares with it run wrong."""
    keys = set()
    packets = collections.Counter()
    for event in events:
        if event["event_type"] in ("stats", "health") or \
                event.get("anomaly", {}).get("event") == "time_jump" or \
                event.get("alert", {}).get("signature_id") in counting_rules():
            continue
        keys.add(key_of(event))
        if event["event_type"] == "flow":
            flow = event["flow"]
            ends = tuple(sorted([(event.get("src_ip"), event.get("src_port") or 0),
                                 (event.get("dest_ip"), event.get("dest_port") or 0)], key=str))
            packets[ends] += flow["pkts_toserver"] + flow["pkts_toclient"]
    return keys, packets


@functools.lru_cache(maxsize=1)
def validator():
    return eve_check.make_validator()


# ---- two namespaces ----

def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True).stdout


def has_net_admin():
    name = f"ft{os.getpid()}x"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


HAS_NET_ADMIN = has_net_admin()


@unittest.skipUnless(HAS_NET_ADMIN, "network namespaces need CAP_NET_ADMIN")
class Live(Case):
    """A sensor at tap0 (and tap1), a sender at src0 (and src1). The namespaces are those of all
    tests of a script, the interfaces are made for each."""

    tap, src = f"ft{os.getpid()}t", f"ft{os.getpid()}s"
    has_namespaces = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if Live.has_namespaces:
            return
        Live.has_namespaces = True
        for name in (cls.tap, cls.src):
            ip("netns", "add", name)
            unittest.addModuleCleanup(ip, "netns", "del", name)
            cls.within(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                       "net.ipv6.conf.default.disable_ipv6=1")

    def setUp(self):
        super().setUp()
        self.process = None
        self.connect(0)

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        for name in (self.tap, self.src):
            for link in json.loads(ip("-n", name, "-j", "link")):
                if link["ifname"] != "lo":
                    subprocess.run(["ip", "-n", name, "link", "del", link["ifname"]], check=False,
                                   capture_output=True)
        super().tearDown()

    @staticmethod
    def within(name, *words, **more):
        return subprocess.run(["ip", "netns", "exec", name, *map(str, words)], check=True, **more)

    def connect(self, n):
        ip("-n", self.tap, "link", "add", f"tap{n}", "up", "type", "veth",
           "peer", "name", f"src{n}", "netns", self.src)
        ip("-n", self.src, "link", "set", f"src{n}", "up")

    def begin(self, *options, ports=("-i", "tap0"), out=None, **more):
        """Start the sensor; back when it captures."""
        out = out or self.out
        words = ["ip", "netns", "exec", self.tap, sensor.FIELDTAP, *ports, "-l", out, *options]
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE,
                                        stderr=more.pop("stderr", subprocess.PIPE), **more)
        self.until(self.is_ready, "the sensor starts")

    def is_ready(self):
        """It captures, and ends in order at a signal: it does that once its sockets are open."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except FileNotFoundError:
            return False
        caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.M).group(1), 16)
        return "Name:\tfieldtap\n" in status and bool(caught >> (signal.SIGTERM - 1) & 1)

    def threads(self):
        """Ids of the sensor's threads by name."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return {(t / "comm").read_text().strip(): int(t.name) for t in tasks}

    def until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                said = self.process.communicate()[1] if self.process.poll() is not None else b""
                self.fail(f"{what}: not within {seconds} s; {said}")
            time.sleep(0.02)

    def end(self, number=signal.SIGTERM, code=0):
        """Stop it; what it said."""
        time.sleep(0.1)  # packets on their way through the kernel
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, code, err)
        return (err or b"").decode()

    def check_status_lines(self, terminal):
        """End the sensor; what it showed on a terminal until then, seen from its other end."""
        self.process.send_signal(signal.SIGTERM)
        said = b""
        while select.select([terminal], [], [], 30)[0]:
            try:
                said += os.read(terminal, 4096)
            except OSError:  # the sensor closed its end
                break
        os.close(terminal)
        self.process.communicate(timeout=30)
        line = r"\r\d+\.\d{3} Mpps  \d+ packets  0 dropped  \d+ al"
        self.assertGreaterEqual(len(re.findall(line, said.decode())), 2, said)

    def socket(self, interface="src0"):
        return packet_socket(interface, self.src)

    def send(self, what, rate=5000, interface="src0"):
        """Frames, or those of a capture."""
        frames = list(records(what.read_bytes()) if isinstance(what, pathlib.Path) else what)
        with self.socket(interface) as out:
            send_all(out, frames, rate)

    def capture(self, frames, name="sent.pcap"):
        return self.write(name, pcap([(i * 0.001, frame) for i, frame in enumerate(frames)]))

    def health(self):
        """Without rings that were nearly full, of which rings() tells."""
        return [(e["health"]["event"], e["health"].get("interface"))
                for e in of_type(self.events(), "health")
                if e["health"]["event"] != "ring_high_water"]

    def rings(self):
        return [e["health"]["text"] for e in of_type(self.events(), "health")
                if e["health"]["event"] == "ring_high_water"]

    def check_loss_told(self, interface):
        """That it lost packets itself, and where, in turns with that it does no more."""
        told = [e["health"] for e in of_type(self.events(), "health")
                if e["health"]["event"] != "ring_high_water"]
        self.assertGreater(len(told), 0)
        for i, one in enumerate(told):
            self.assertEqual((one["event"], one.get("interface")),
                             (("packets_lost", "packets_lost_ended")[i % 2], interface))
            self.assertIn(f"packets of {interface}", one["text"])
        return told[0]["text"]

    def until_told(self, event, times=1):
        """Until a health event has been written so often, which takes a second or two."""
        def is_told():
            told = [e["health"]["event"] for e in whole_lines(self.out, "health")]
            return told.count(event) >= times
        self.until(is_told, event)

    def books(self, sent=None, lost=False):
        """Stats that close, without loss unless it is expected."""
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        packets, capture = stats["packets"], stats["capture"]
        self.assertEqual(sum(packets["buckets"].values()), packets["read"])
        ports = capture["interfaces"].values()
        self.assertEqual(sum(p["received"] for p in ports), packets["read"])
        self.assertEqual(capture["kernel_packets"], packets["read"] + capture["kernel_drops"])
        self.assertEqual(sum(p["shed"] for p in ports), packets["buckets"]["shed.ring"])
        if sent is not None:
            self.assertEqual(capture["kernel_packets"], sent)
        if not lost:
            self.assertEqual((capture["kernel_drops"], packets["buckets"]["shed.ring"]), (0, 0))
        final = of_type(self.events(), "stats")[-1]["stats"]["capture"]
        self.assertEqual(final["kernel_packets"], capture["kernel_packets"])
        self.assertEqual(final["kernel_drops"], capture["kernel_drops"])
        for name, port in final["interfaces"].items():
            for key, value in port.items():
                if key != "up":
                    self.assertEqual(value, capture["interfaces"][name][key], (name, key))
        self.check_lines()
        return stats

    def check_lines(self):
        """Against the schema and what consumers demand; some of each kind."""
        if validator():
            faults = []
            eve_check.check_file(self.out / "eve.json", validator(), 50, faults)
            self.assertEqual(faults, [])


if __name__ == "__main__":
    if sys.argv[1:2] != ["send"] or len(sys.argv) != 5:
        sys.exit(__doc__)
    with packet_socket(sys.argv[2]) as to, open(sys.argv[3], "rb") as file:
        send_all(to, list(records(file.read())), float(sys.argv[4]))
