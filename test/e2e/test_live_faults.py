#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Live capture when things go wrong: overload, threads that stop, interfaces that come and go, a
clock that is set, interfaces that are not as they should be. Whatever it is, the books close, it is
told, and afterwards everything goes on.

usage: test_live_faults.py FIELDTAP FIELDTAP_PLANT SLOW_PLUGIN CLOCK [unittest options]
       CLOCK is the library of plugins/clock.c
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

import sensor
from live import Held, Live, Sender, ip, records, whole_lines
from sensor import modbus_read, of_type, udp

SLOW = CLOCK = ""


class Faults(Live):

    def begin_with(self, *options, ring=64, wait=False, **more):
        config = {"capture": {"ring": ring, "wait": wait}, "stats": {"interval": 1},
                  "decode": {"duplicates": "keep"}}
        self.begin("-c", self.write("c.json", json.dumps(config).encode()), *options, **more)

    def figures(self, interface="tap0"):
        """What the last statistics said about an interface."""
        told = whole_lines(self.out, "stats")
        return told[-1]["stats"]["capture"]["interfaces"][interface] if told else {}

    def until_taken(self, count, interface="tap0"):
        """Until all that the kernel had so far is booked, and that is so much."""
        def is_taken():
            port = self.figures(interface)
            return (port.get("kernel_packets", 0) >= count and
                    port["kernel_packets"] == port["received"] + port["kernel_drops"])
        self.until(is_taken, f"{count} packets are read")

    def until_sent(self, sender, more):
        goal = sender.sent + more
        self.until(lambda: sender.sent >= goal, f"{more} packets are sent")

    def assertGoesOn(self, before=0):
        """What is sent now is analysed to the last packet, and the run ends in order."""
        self.send([modbus_read(i, host=250) for i in range(100)])
        self.assertEqual(self.end(), "")
        flow, = [e for e in of_type(self.events(), "flow") if e.get("src_ip") == "10.0.0.250"]
        self.assertEqual(flow["flow"]["pkts_toserver"], before + 100)
        self.assertEqual(flow["app_proto"], "modbus")


class Rate(Faults):
    """At a rate that it can hold nothing is lost; at one that it cannot, that is said exactly."""

    def test_nothing_is_lost(self):
        path = self.plant(seconds=60)
        frames = list(records(path.read_bytes()))
        self.begin_with()
        sender = Sender(self.socket(), frames, 20000)
        time.sleep(2)
        sent = sender.end()
        self.assertEqual(self.end(), "")
        self.assertGreater(sent, 10000)
        stats = self.books(sent)
        self.assertEqual(stats["packets"]["read"], sent)
        self.assertEqual(stats["capture"]["interfaces"]["tap0"]["nic_packets"], sent)

    def test_flood(self):
        """As fast as another program can, into a ring that is too small: all is accounted for."""
        if not shutil.which("tcpreplay"):
            self.skipTest("tcpreplay is not installed")
        path = self.plant(seconds=120)
        count = sum(1 for _ in records(path.read_bytes()))
        self.begin_with("-w", 1, ring=2)
        self.within(self.src, "tcpreplay", "-qK", "--topspeed", "--loop=20", "-i", "src0", path,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until_taken(20 * count)
        self.assertGoesOn()
        self.books(20 * count + 100, lost=True)

    def test_slow_worker(self):
        """What a worker has no time for waits in its ring, then in the kernel's; when that is half
        full it is booked as shed. The kernel's is never empty meanwhile: no reason to doubt clocks."""
        self.begin_with("-w", 1, "--plugin", SLOW, ring=2)
        sender = Sender(self.socket(), [udp(b"S" + bytes(20), port=7798)] + [udp(bytes(20))] * 9)
        time.sleep(3)
        self.until(lambda: self.figures().get("shed", 0) > 500, "it sheds")
        sent = sender.end()
        self.until_taken(sent)
        self.assertGoesOn()
        stats = self.books(sent + 100, lost=True)
        buckets = stats["packets"]["buckets"]
        self.assertGreater(buckets["analysed"], 100)
        self.assertEqual(stats["clock_jumps"], 0)
        self.assertIn("shed by the sensor", self.check_loss_told("tap0"))
        self.assertEqual(stats["capture"]["interfaces"]["tap0"]["shed"], buckets["shed.ring"])

    def test_burst(self):
        """More than a worker's ring holds, at once, while it is busy: nothing is lost."""
        self.begin_with("-w", 1, "--plugin", SLOW)
        self.send([udp(b"S" + bytes(20), port=7798)] * 500 + [udp(bytes(20))] * 15000, 0)
        self.until_taken(15500)
        self.assertGoesOn()
        self.books(15600)


class Stopped(Faults):
    """All of it, or one thread, does not get to run for a second and more, under traffic. What that
    costs is lost where there is no more room, is said, and nobody is blamed for it."""

    FRAMES = [udp(bytes(900), host=i) for i in range(200)]

    def test_process(self):
        self.begin_with(ring=2)
        sender = Sender(self.socket(), self.FRAMES)
        self.until_sent(sender, 100)
        self.process.send_signal(signal.SIGSTOP)
        self.until_sent(sender, 8000)
        time.sleep(1)
        self.process.send_signal(signal.SIGCONT)
        sent = sender.end()
        self.until_taken(sent)
        self.assertGoesOn()
        stats = self.books(sent + 100, lost=True)
        self.assertGreater(stats["capture"]["kernel_drops"], 4000)
        self.assertGreater(stats["capture"]["interfaces"]["tap0"]["kernel_freezes"], 0)
        self.assertEqual((stats["clock_jumps"], stats["faults"]), (0, 0))
        text = self.check_loss_told("tap0")
        self.assertIn("dropped by the kernel", text)
        self.assertNotIn("shed", text)

    def test_loss_ends(self):
        """Told once when it begins and once when it has ended."""
        self.begin_with(ring=2)
        self.process.send_signal(signal.SIGSTOP)
        self.send(self.FRAMES * 40, 0)
        self.process.send_signal(signal.SIGCONT)
        self.until_taken(8000)
        self.until_told("packets_lost")
        self.send(self.FRAMES)
        self.until_told("packets_lost_ended")
        self.assertGoesOn()
        self.assertEqual(self.health(), [("packets_lost", "tap0"), ("packets_lost_ended", "tap0")])
        drops = self.books(8300, lost=True)["capture"]["kernel_drops"]
        self.assertIn(f"lost {drops} of 8000 packets", self.check_loss_told("tap0"))

    def held(self, name, *options, frames, count, **more):
        """Hold a thread for a second, and until so many packets were sent meanwhile."""
        self.begin_with("-w", 1, *options, **more)
        sender = Sender(self.socket(), frames)
        self.until_sent(sender, 100)
        self.until(lambda: "reader" in self.threads(), "all threads run")
        with Held(self.threads()[name]):
            time.sleep(1)
            self.until_sent(sender, count)
        sent = sender.end()
        self.until_taken(sent)
        self.assertGoesOn()
        stats = self.books(sent + 100, lost=True)
        self.assertEqual((stats["clock_jumps"], stats["faults"]), (0, 0))
        return stats

    def test_worker(self):
        stats = self.held("worker 0", frames=self.FRAMES, count=20000, ring=16)
        self.assertGreater(stats["packets"]["buckets"]["shed.ring"], 1000)
        self.assertIn("shed by the sensor", self.check_loss_told("tap0"))
        text, = self.rings()  # once, although it is full for seconds
        self.assertRegex(text, r"^Packets for worker 0: up to \d+ of \d+ waited \(([789].|100) %\)")

    def test_reader(self):
        stats = self.held("reader", frames=self.FRAMES, count=8000, ring=2)
        self.assertGreater(stats["capture"]["kernel_drops"], 4000)
        self.assertIn("dropped by the kernel", self.check_loss_told("tap0"))

    def test_alerting_loop(self):
        """Its events wait in the worker's ring, then those are left out that one can do without."""
        frames = [modbus_read(i, host=i % 200) for i in range(1000)]
        stats = self.held("fieldtap", "--log", "messages", frames=frames, count=12000)
        self.assertEqual(stats["capture"]["kernel_drops"], 0)
        self.assertGreater(stats["events"]["by_type"]["message"]["shed"], 1000)
        self.assertEqual(stats["events"]["by_type"]["operation"]["shed"], 0)
        if not stats["packets"]["buckets"]["shed.ring"]:  # a busy machine had no time for the worker
            self.assertEqual(self.health(), [], "events are no packets")
        self.assertIn("Bytes of events of worker 0", [t.split(":")[0] for t in self.rings()])


class Links(Faults):
    """Interfaces that come and go."""

    def up_and_down(self):
        """What was told, but for a state on the way up."""
        return [t for t in self.health() if t[0] != "interface_down"]

    def test_link(self):
        """The link goes; the interface is switched off; each is told, and comes back."""
        self.begin()
        self.send([modbus_read(i) for i in range(20)])
        for i, (namespace, interface) in enumerate(((self.src, "src0"), (self.tap, "tap0"))):
            ip("-n", namespace, "link", "set", interface, "down")
            self.until_told("interface_down", i + 1)
            ip("-n", namespace, "link", "set", interface, "up")
            self.until_told("interface_up", i + 1)
            self.send([modbus_read(i) for i in range(30)])
        self.end()
        stats = self.books(80)
        self.assertEqual(self.health(), [("interface_down", "tap0"), ("interface_up", "tap0")] * 2)
        self.assertGreaterEqual(stats["capture"]["interfaces"]["tap0"]["link_changes"], 2)

    def test_flapping_under_traffic(self):
        """At both ends, faster than it looks; what the kernel took for it is in the books."""
        self.begin_with()
        sender = Sender(self.socket(), [udp(bytes(100), host=i) for i in range(200)], 5000)
        for i in range(20):
            where = ((self.src, "src0"), (self.tap, "tap0"))[i % 2]
            for state in ("down", "up"):
                time.sleep(0.02)
                ip("-n", where[0], "link", "set", where[1], state)
        self.until_sent(sender, 500)
        sent = sender.end()
        self.until(lambda: self.figures().get("up") == 1, "it is up")
        self.assertGoesOn()
        stats = self.books()
        self.assertLessEqual(stats["packets"]["read"], sent + 100)
        self.assertGreater(stats["packets"]["read"], 500)
        self.assertGreaterEqual(stats["capture"]["interfaces"]["tap0"]["link_changes"], 20)
        told = self.health()
        if told:
            self.assertEqual(told[-1], ("interface_up", "tap0"))

    def test_removed_under_traffic(self):
        """One of two interfaces goes away twice; nothing of the other's is lost."""
        self.connect(1)
        self.begin_with(ports=("-i", "tap0", "-i", "tap1"))
        other = Sender(self.socket("src1"), [udp(bytes(100), host=i) for i in range(200)], 3000)
        sent = 0
        for again in range(1, 3):
            sender = Sender(self.socket("src0"), [modbus_read(i) for i in range(100)], 3000)
            self.until_sent(sender, 300)
            ip("-n", self.tap, "link", "del", "tap0")
            self.until_told("interface_missing", again)
            sent += sender.end()
            self.connect(0)
            self.until_told("interface_up", again)
        on_other = other.end()
        self.assertGoesOn()
        stats = self.books()
        ports = stats["capture"]["interfaces"]
        self.assertEqual(ports["tap1"]["received"], on_other)
        self.assertGreaterEqual(ports["tap0"]["received"], 600 + 100)
        self.assertLessEqual(ports["tap0"]["received"], sent + 100)
        self.assertLessEqual(ports["tap0"]["nic_packets"], sent + 100)
        self.assertEqual(self.up_and_down(),
                         [("interface_missing", "tap0"), ("interface_up", "tap0")] * 2)

    def test_renamed_and_moved(self):
        """It is there, but not under its name; then it is in another namespace."""
        self.begin_with()
        for i, (away, back) in enumerate((
                ((self.tap, "tap0", "name", "other0"), (self.tap, "other0", "name", "tap0")),
                ((self.tap, "tap0", "netns", self.src), (self.src, "tap0", "netns", self.tap)))):
            for number, (namespace, interface, *change) in enumerate((away, back)):
                ip("-n", namespace, "link", "set", interface, "down")
                ip("-n", namespace, "link", "set", interface, *change)
                if not number:
                    self.until_told("interface_missing", i + 1)
            ip("-n", self.tap, "link", "set", "tap0", "up")
            self.until_told("interface_up", i + 1)
            self.send([modbus_read(n) for n in range(30)])
        self.assertGoesOn()
        self.books(160)
        self.assertEqual(self.up_and_down(),
                         [("interface_missing", "tap0"), ("interface_up", "tap0")] * 2)

    def test_absent_at_start(self):
        """One comes later, one never."""
        self.begin_with(ports=("-i", "tap7", "-i", "tap8"), wait=True)
        self.until_told("interface_missing", 2)
        self.connect(7)
        self.until_told("interface_up")
        self.send([modbus_read(i) for i in range(30)], interface="src7")
        said = self.end()
        for name in ("tap7", "tap8"):
            self.assertIn(f"there is no interface {name} yet", said)
        ports = self.books(30)["capture"]["interfaces"]
        self.assertEqual(ports["tap7"]["received"], 30)
        self.assertEqual((ports["tap8"]["state"], ports["tap8"]["nic_packets"]),
                         ("missing", "unknown"))
        self.assertEqual(sorted(self.up_and_down()), [
            ("interface_missing", "tap7"), ("interface_missing", "tap8"), ("interface_up", "tap7")])


    def test_comes_with_an_address(self):
        """What is wrong with it is said when it comes, each time, and when it is switched on."""
        self.begin_with(ports=("-i", "tap7"), wait=True)
        for again in range(1, 3):
            self.until_told("interface_missing", again)
            self.connect(7)
            ip("-n", self.tap, "link", "set", "tap7", "down")
            ip("-n", self.tap, "address", "add", "192.0.2.1/24", "dev", "tap7")
            self.until_told("interface_down", 2 * again - 1)
            ip("-n", self.tap, "link", "set", "tap7", "up")
            self.until_told("interface_up", 2 * again - 1)
            ip("-n", self.tap, "link", "set", "tap7", "down")
            self.until_told("interface_down", 2 * again)
            ip("-n", self.tap, "link", "set", "tap7", "up")
            self.until_told("interface_up", 2 * again)
            if again == 1:
                ip("-n", self.tap, "link", "del", "tap7")
        self.assertEqual(self.end().count("tap7 has an IP address"), 2)


class Silence(Faults):
    """An interface on which nothing is seen any more, while another one goes on."""

    def check(self, *ports):
        self.connect(1)
        config = {"capture": {"silence": 1}, "stats": {"interval": 1}}
        self.begin("-c", self.write("c.json", json.dumps(config).encode()), ports=ports)
        sender = Sender(self.socket(), [modbus_read(i) for i in range(1000)], 50)
        self.send([modbus_read(i) for i in range(10)], interface="src1")
        self.until_told("interface_silent")
        time.sleep(1.2)  # it is not told again
        self.send([modbus_read(i) for i in range(10)], interface="src1")
        self.until_told("interface_heard")
        # One that is down is told as such only.
        ip("-n", self.src, "link", "set", "src1", "down")
        self.until_told("interface_down")
        time.sleep(1.5)
        sender.end()
        self.end()
        told = self.health()
        name = [n for n in self.stats()["capture"]["interfaces"] if "1" in n]
        self.assertEqual(told[:2], [("interface_silent", *name), ("interface_heard", *name)])
        self.assertIn(("interface_down", *name), told)  # a busy machine is silent again before
        self.assertNotIn(("interface_silent", *name), told[told.index(("interface_down", *name)):])
        of = {e["health"]["event"]: e["health"] for e in of_type(self.events(), "health")}
        self.assertEqual((of["interface_silent"]["severity"], of["interface_heard"]["severity"]),
                         ("critical", "warning"))
        self.assertRegex(of["interface_heard"]["text"], r"after [1-6] seconds")
        self.check_lines()

    def test_interface(self):
        self.check("-i", "tap0", "-i", "tap1")

    def test_port(self):
        self.check("--port", "net_af_packet0,iface=tap0", "--port", "net_af_packet1,iface=tap1")


class Clock(Faults):
    """The host's clock is set while nothing arrives."""

    def set_clock(self, seconds):
        with open(self.dir / "clock", "r+b") as file:
            file.write(struct.pack("=q", seconds))

    def test_set_and_set_back(self):
        """By two hours and back, by a minute back and again: no flow ends by that."""
        self.write("clock", bytes(8))
        env = dict(os.environ, LD_PRELOAD=CLOCK, FIELDTAP_TEST_CLOCK=str(self.dir / "clock"))
        self.begin_with(env=env)
        self.send([modbus_read(i, host=250) for i in range(20)])
        for jumps, seconds in enumerate((7200, 0), 1):
            self.set_clock(seconds)
            self.until_told("time_jump", jumps)
            self.send([modbus_read(i, host=250) for i in range(20)] if not seconds else [])
        self.set_clock(-60)
        self.until_told("time_jump", 3)
        self.set_clock(0)
        self.assertGoesOn(before=40)
        stats = self.books(140)
        self.assertEqual(stats["clock_jumps"], 3)


    def test_set_to_another_day(self):
        """Files are written on, and none is older by that than it is."""
        rules = self.write("rules.json", json.dumps({"rules": [
            {"id": 9200001, "title": "A message", "when": "protocol == modbus",
             "evidence": True}]}).encode())
        metrics, packets = self.dir / "metrics.prom", self.out / "evidence"
        config = self.write("c.json", json.dumps({
            "rules": [str(rules)], "metrics": {"file": str(metrics)},
            "evidence": {"enabled": "on", "after_seconds": 1, "max_days": 1}}).encode())
        self.write("clock", bytes(8))
        env = dict(os.environ, LD_PRELOAD=CLOCK, FIELDTAP_TEST_CLOCK=str(self.dir / "clock"))
        self.begin("-c", config, env=env)
        self.send([modbus_read(i, host=250) for i in range(3)])
        self.until(lambda: list(packets.glob("*.pcapng")), "the packets of an alert")
        first = {file.name for file in packets.glob("*.pcapng")}
        self.set_clock(3 * 86400)
        self.until_told("time_jump")
        self.send([modbus_read(i, host=251) for i in range(3)])
        self.until(lambda: len(list(packets.glob("*.pcapng"))) > len(first), "those of another")
        self.assertLessEqual(first, {file.name for file in packets.glob("*.pcapng")})
        written = metrics.stat().st_mtime_ns
        self.until(lambda: metrics.stat().st_mtime_ns != written, "new figures", 15)
        self.end()


class Start(Faults):
    """Interfaces that are not as they should be: one sentence with what to do."""

    def said_of(self, *words):
        self.begin()
        said = self.end()
        self.assertEqual(said.count("\n"), 1, said)
        for word in words:
            self.assertIn(word, said)
        self.books(0)

    def test_switched_off(self):
        ip("-n", self.tap, "link", "set", "tap0", "down")
        self.said_of("tap0 is switched off", "ip link set tap0 up")
        self.assertEqual(self.health(), [("interface_down", "tap0")])

    def test_no_link(self):
        ip("-n", self.src, "link", "set", "src0", "down")
        def is_down():
            link, = json.loads(ip("-n", self.tap, "-j", "link", "show", "tap0"))
            return link["operstate"] != "UP"
        self.until(is_down, "the kernel has noticed")  # at once, or with the next second
        self.said_of("tap0 has no link", "cable")
        self.assertEqual(self.health(), [("interface_down", "tap0")])

    def test_merging(self):
        if not shutil.which("ethtool"):
            self.skipTest("ethtool is not installed")
        self.within(self.tap, "ethtool", "-K", "tap0", "gro", "on")
        self.said_of("tap0 merges packets", "(GRO)", "ethtool -K tap0 gro off")

    def test_address(self):
        ip("-n", self.tap, "address", "add", "192.0.2.1/24", "dev", "tap0")
        self.said_of("tap0 has an IP address", "ip address flush dev tap0")


if __name__ == "__main__":
    SLOW, CLOCK = (os.path.abspath(sys.argv.pop(3)) for _ in range(2))
    sensor.main()
