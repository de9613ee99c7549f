#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Live capture: the sensor on one end of a veth pair, a sender on the other. See live.py; what goes
wrong on the way is in test_live_faults.py.

usage: test_live.py FIELDTAP FIELDTAP_PLANT [unittest options]
"""

import collections
import ctypes
import ctypes.util
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import sensor
from live import Live, Sender, comparable, ip, packet_socket, records, send_all, whole_lines
from sensor import Case, modbus_read, of_type, pcap, run, tcp, udp


class Same(Live):
    """What arrives live is told as what is read from a file."""

    def replay(self, path, speed):
        if shutil.which("tcpreplay"):
            self.within(self.src, "tcpreplay", "-q", "-i", "src0", f"--multiplier={speed}", path,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        else:
            self.send(path, 2000)

    def test_plant(self):
        """VLAN tags included, which the kernel takes out and the sensor puts back."""
        path = self.plant(seconds=120)
        self.assertOk(run("-r", path, "-l", self.dir / "offline"))
        self.begin()
        self.replay(path, 40)
        self.assertEqual(self.end(), "")
        sent = self.stats(self.dir / "offline")["packets"]["read"]
        stats = self.books(sent)
        self.assertEqual(stats["capture"]["interfaces"]["tap0"]["nic_packets"], sent)
        want, packets = comparable(self.events(self.dir / "offline"))
        got, got_packets = comparable(self.events())
        self.assertEqual(packets, got_packets)
        # time is what differs: a replay is faster, so what takes a minute does not come about
        self.assertLessEqual(len(want ^ got), 2, want ^ got)
        self.assertTrue(all("anomaly" in k for k in want ^ got), want ^ got)
        names = {e.get("in_iface") for e in of_type(self.events(), "operation")}
        self.assertEqual(names, {"tap0"})
        self.assertTrue([e for e in self.events() if e.get("vlan")], "GOOSE has tags")

    def test_tags_are_on_the_wire(self):
        frames = []
        for i, tags in enumerate(("", "81000007", "8100e000", "88a80064" "81000005")):
            plain = modbus_read(i)
            frames.append(plain[:12] + bytes.fromhex(tags) + plain[12:])
        self.begin("--log", "messages")
        self.send(frames)
        self.end()
        self.books(4)
        self.assertEqual([e.get("vlan") for e in of_type(self.events(), "message")],
                         [None, [7], [0], [100, 5]])

    def test_long_packets(self):
        for name, where in ((self.tap, "tap0"), (self.src, "src0")):
            ip("-n", name, "link", "set", where, "mtu", "9000")
        self.begin()
        self.send([udp(bytes(n)) for n in (1, 1400, 2100, 4000, 8950)])
        self.end()
        stats = self.books(5)
        self.assertEqual(stats["packets"]["bytes"], 5 * 42 + 1 + 1400 + 2100 + 4000 + 8950)
        flow, = of_type(self.events(), "flow")
        self.assertEqual(flow["flow"]["pkts_toserver"], 5)

    def test_loopback_is_seen_once(self):
        ip("-n", self.tap, "link", "set", "lo", "up")
        self.begin(ports=("-i", "lo"))
        self.within(self.tap, sys.executable, "-c",
                    "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                    "for i in range(10): s.sendto(b'x', ('127.0.0.1', 20000))")
        self.end()
        flows = [e for e in of_type(self.events(), "flow") if e["proto"] == "UDP"]
        self.assertEqual([f["flow"]["pkts_toserver"] for f in flows], [10])

    def test_both_directions_of_a_virtual_interface(self):
        """What leaves by it is a mirror's copy, or for whoever is on the other side."""
        self.begin()
        self.send([modbus_read(i) for i in range(20)])
        with packet_socket("tap0", self.tap) as out:
            send_all(out, [modbus_read(i, host=9) for i in range(30)], 5000)
        self.end()
        port = self.books(50)["capture"]["interfaces"]["tap0"]
        self.assertEqual((port["received"], port["nic_packets"]), (50, 50))

    def test_nothing_is_sent(self):
        self.begin()
        self.send(self.plant(seconds=20))
        self.end()
        counter = self.within(self.tap, "cat", "/sys/class/net/tap0/statistics/tx_packets",
                              stdout=subprocess.PIPE).stdout
        self.assertEqual(int(counter), 0)

    def test_promiscuous_only_while_it_runs(self):
        def flags():
            text = ip("-n", self.tap, "-d", "link", "show", "tap0").decode()
            return re.search(r"promiscuity (\d+)", text).group(1)
        self.assertEqual(flags(), "0")
        self.begin()
        self.assertEqual(flags(), "1")
        self.end()
        self.assertEqual(flags(), "0")


class Several(Live):
    """More than one interface."""

    def frames(self, count):
        """Requests and responses of one Modbus session over UDP, in turn."""
        for i in range(count):
            yield 0, udp(struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 0, 1), 40000, 502)
            answer = struct.pack(">HHHBBBH", i, 0, 5, 1, 3, 2, i)
            request = udp(answer, 502, 40000)
            yield 1, request[:26] + request[30:34] + request[26:30] + request[34:]

    def exchange(self, count):
        """Both ends of a TAP, half a millisecond apart."""
        with self.socket("src0") as one, self.socket("src1") as other:
            for port, frame in self.frames(count):
                (one, other)[port].send(frame)
                time.sleep(0.0005)

    def test_tap_is_one_link_in_order(self):
        self.connect(1)
        self.begin("--log", "messages", ports=("--tap", "tap0,tap1"))
        self.exchange(300)
        self.end()
        stats = self.books(600)
        self.assertEqual(sorted(stats["capture"]["interfaces"]), ["tap0", "tap1"])
        messages = of_type(self.events(), "message")
        self.assertEqual({e["in_iface"] for e in messages}, {"tap0,tap1"})
        stamps = [e["timestamp"] for e in messages]
        self.assertEqual(len(stamps), 600)
        self.assertEqual(stamps, sorted(stamps), "the two ports are read in order of time")
        self.assertEqual(stats["requests"]["answered"], 300)

    def test_two_interfaces(self):
        self.connect(1)
        self.begin("--log", "messages", ports=("-i", "tap0", "-i", "tap1"))
        self.send([modbus_read(i) for i in range(50)])
        self.send([modbus_read(i, host=2) for i in range(70)], interface="src1")
        self.end()
        stats = self.books(120)
        self.assertEqual(stats["capture"]["interfaces"]["tap0"]["received"], 50)
        self.assertEqual(stats["capture"]["interfaces"]["tap1"]["received"], 70)
        self.assertEqual({e["fieldtap"]["timestamp_source"] for e in of_type(self.events(), "message")},
                         {"kernel"})
        seen = collections.Counter((e["in_iface"], e["src_ip"])
                                   for e in of_type(self.events(), "message"))
        self.assertEqual(seen, {("tap0", "10.0.0.1"): 50, ("tap1", "10.0.0.2"): 70})


class Before(Live):
    """What the mirror lost."""

    def test_acknowledged_but_never_seen(self):
        """By link; what the receiver missed as well is not the mirror's."""
        self.connect(1)
        self.begin(ports=("-i", "tap0", "-i", "tap1"))
        a, b = (10, 0, 0, 1), (10, 0, 0, 2)

        def connection(port, acknowledged):
            yield tcp(a, b, (port, 9999), 1000, 1, bytes(100))
            yield tcp(b, a, (9999, port), 1, 1100)
            for i in range(4):  # 300 bytes from 1100 on are missing
                yield tcp(a, b, (port, 9999), 1400 + 100 * i, 1, bytes(100))
                yield tcp(b, a, (9999, port), 1, 1500 + 100 * i if acknowledged else 1100)
        self.send([*connection(5001, True), *connection(5002, True)], interface="src1")
        self.send([*connection(5003, True), *connection(5004, False)])
        self.end()
        stats = self.books(40)
        self.assertEqual(stats["capture"]["unseen_bytes"], {"tap0": 300, "tap1": 600})
        self.assertEqual(stats["stream_bytes"]["unseen"], 900)
        self.assertEqual(stats["stream_bytes"]["lost"], 1200)
        final = of_type(self.events(), "stats")[-1]["stats"]["capture"]
        self.assertEqual(final["unseen_bytes"], {"tap0": 300, "tap1": 600})


def polls(port, count, lost=0, one_way=False):
    """A session of many polls, of whose responses every `lost`-th is missing."""
    a, b = (10, 0, 0, 1), (10, 0, 0, 2)
    for i in range(count):
        yield tcp(a, b, (port, 9999), 1000 + 10 * i, 1 + 100 * i, bytes(10))
        if not one_way and not (lost and i % lost == 1):
            yield tcp(b, a, (9999, port), 1 + 100 * i, 1010 + 10 * i, bytes(100))


class Mirrors(Case):
    """What captures tell of the mirror that made them."""

    def told(self, frames, *options):
        """Names and texts of the health events, the last statistics of the mirror, the summary."""
        path = self.write("a.pcap", pcap([(i * 0.01, f) for i, f in enumerate(frames)]))
        written = set()
        for workers in (1, 3):
            self.assertOk(run("-r", path, "-w", workers, "-l", self.out, *options))
            written.add((self.out / "eve.json").read_bytes())
            shutil.copy(self.out / "eve.json", self.dir / "eve.json")
            (self.out / "eve.json").unlink()
        self.assertEqual(len(written), 1)
        events = self.events(self.dir)
        health = {e["health"]["event"]: e["health"]["text"] for e in of_type(events, "health")}
        return health, of_type(events, "stats")[-1]["stats"]["mirror"], run("-r", path).out

    def test_nothing_to_tell(self):
        health, mirror, summary = self.told(polls(5001, 2000))
        self.assertEqual(health, {})
        self.assertEqual(mirror, {"copies": 0, "copies_routed": 0, "unseen_bytes": 0, "one_way": 0})
        self.assertNotIn("Mirror", summary)

    def test_loss(self):
        frames = [tagged(f, 12) for f in polls(5001, 2000, lost=20)]
        health, mirror, summary = self.told(frames)
        self.assertEqual(mirror["unseen_bytes"], 10000)
        self.assertEqual(mirror["unseen_by_place"], {"capture:12": 10000})
        self.assertEqual(list(health), ["mirror_loss"])
        self.assertIn("(VLAN 12)", health["mirror_loss"])
        self.assertIn("Mirror: 4.5 % of the bytes of TCP (10000) were acknowledged and never seen",
                      summary)
        stats = self.stats()["mirror"]
        self.assertEqual(stats["unseen"], [{"at": {"vlan": 12}, "bytes": 10000, "holes": 100}])

    def test_loss_ends(self):
        config = self.write("c.json", b'{"stats": {"interval": 10}}')
        frames = [*polls(5001, 2000, lost=20), *polls(5002, 2000)]
        health, _, _ = self.told(frames, "-c", config)
        self.assertEqual(list(health), ["mirror_loss", "mirror_loss_ended"])

    def test_one_direction_is_not_loss(self):
        frames = [f for port in range(6) for f in polls(5001 + port, 100, one_way=True)]
        health, mirror, summary = self.told(frames)
        self.assertEqual((mirror["unseen_bytes"], mirror["one_way"]), (0, 6))
        self.assertEqual(mirror["one_way_by_place"], {"capture:untagged": 6})
        self.assertEqual(list(health), ["mirror_one_way"])
        self.assertIn("Mirror: of 6 TCP connections one direction only is delivered (untagged)",
                      summary)

    def test_a_filter_is_not_the_mirror(self):
        health, _, _ = self.told([f for port in range(6) for f in polls(5001 + port, 100)],
                                 "--filter", "tcp dst port 9999")
        self.assertEqual(health, {})


def sum16(data):
    """The one's complement sum of 16-bit words."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def with_checksum(frame, kind):
    """A UDP datagram over IPv4 whose checksum is right, wrong, or left to the NIC."""
    datagram = frame[34:40] + b"\0\0" + frame[42:]
    pseudo = sum16(frame[26:34] + struct.pack(">HH", 17, len(datagram)))
    right = sum16(datagram + struct.pack(">H", pseudo)) ^ 0xFFFF
    stored = {"right": right or 0xFFFF, "wrong": right ^ 0x0101, "open": pseudo}[kind]
    return frame[:40] + struct.pack(">H", stored) + frame[42:]


class Checksums(Case):
    """What becomes of wrong ones."""

    def run_with(self, policy):
        kinds = ["right"] * 50 + ["wrong"] * 30 + ["open"] * 20
        path = self.write("a.pcap", pcap([(i * 0.1, with_checksum(modbus_read(i), kind))
                                          for i, kind in enumerate(kinds)]))
        config = self.write("c.json", json.dumps({"decode": {"checksum": policy}}).encode())
        out = self.dir / policy
        self.assertOk(run("-c", config, "-r", path, "-l", out))
        stats = self.stats(out)
        self.assertIs(stats["balanced"], True)
        ledger = of_type(self.events(out), "stats")[-1]["stats"]["ledger"]
        for key in ("bad_ip_checksums", "bad_l4_checksums", "open_checksums"):
            self.assertEqual(ledger[key], stats[key])
        return stats

    def test_accept(self):
        stats = self.run_with("accept")
        self.assertEqual((stats["bad_l4_checksums"], stats["open_checksums"]), (30, 20))
        self.assertEqual(stats["packets"]["buckets"]["analysed"], 100)

    def test_drop(self):
        stats = self.run_with("drop")
        self.assertEqual((stats["bad_l4_checksums"], stats["open_checksums"]), (30, 20))
        self.assertEqual(stats["packets"]["buckets"]["analysed"], 70)
        self.assertEqual(stats["packets"]["buckets"]["undecodable.l4_checksum"], 30)


class Vlans(Case):
    """Tags are no part of a flow, unless the configuration says so."""

    def flows(self, frames, is_key):
        path = self.write("a.pcap", pcap([(i * 0.1, f) for i, f in enumerate(frames)]))
        config = self.write("c.json", json.dumps({"decode": {"vlan_in_flow_key": is_key}}).encode())
        written = set()
        for workers in (1, 3):
            out = self.dir / f"{is_key}{workers}"
            self.assertOk(run("-c", config, "-r", path, "-w", workers, "-l", out))
            written.add((out / "eve.json").read_bytes())
        self.assertEqual(len(written), 1)
        return sorted((e.get("vlan"), e["flow"]["pkts_toserver"]) for e in
                      of_type(self.events(out), "flow"))

    def test_flow_key(self):
        frames = [tagged(modbus_read(i), *tags) for i, tags in
                  enumerate([(10,), (20,), (), (10,), (10, 5)])]
        self.assertEqual(self.flows(frames, False), [([10], 5)])
        self.assertEqual(sorted(self.flows([tagged(modbus_read(i), 10 + i % 3) for i in range(9)],
                                           True)), [([10], 3), ([11], 3), ([12], 3)])


class OwnHost(Live):
    """Packets of the host that the sensor runs on, seen before a NIC had them."""

    def test_checksums_left_to_the_nic(self):
        config = self.write("c.json", b'{"decode": {"checksum": "drop"}}')
        self.begin("-c", config)
        ip("-n", self.src, "addr", "add", "10.9.0.1/24", "dev", "src0")
        ip("-n", self.src, "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:09", "dev", "src0")
        script = self.write("talk.py", b"""
import socket
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(50):
    out.sendto(b"%d of a few" % i, ("10.9.0.2", 7777))
""")
        self.within(self.src, sys.executable, script)
        self.end()
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["open_checksums"], 50)
        self.assertEqual(stats["bad_l4_checksums"], 0)
        self.assertEqual(stats["packets"]["buckets"]["undecodable.l4_checksum"], 0)


def tagged(frame, *tags):
    """The frame in these VLANs, outermost first."""
    return frame[:12] + b"".join(struct.pack(">HH", 0x8100, t) for t in tags) + frame[12:]


def with_head(frame, start, value):
    """The IPv4 header's bytes from `start` on replaced; its checksum follows."""
    head = bytearray(frame[14:34])
    head[start:start + len(value)] = value
    head[10:12] = b"\0\0"
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head[10:12] = struct.pack(">H", total + (total >> 16) & 0xFFFF ^ 0xFFFF)
    return frame[:14] + bytes(head) + frame[34:]


def routed(frame):
    """The packet behind a router: other MAC addresses, TTL, checksum of the header."""
    frame = with_head(frame, 8, bytes([frame[22] - 1]))
    return b"\2\0\0\0\0\x22\2\0\0\0\0\x11" + frame[12:]


def copied(count):
    """Requests in VLAN 10, each again behind a router in VLAN 20, and every third exactly as it
    was; 2 of 10 are sent again by their sender, under another number."""
    for i in range(count):
        first = with_head(modbus_read(i), 4, struct.pack(">H", i + 1))
        yield tagged(first, 10)
        yield tagged(routed(first), 20)
        if i % 3 == 0:
            yield tagged(first, 10)
        if i % 10 < 2:
            yield tagged(with_head(first, 4, struct.pack(">H", i + 30001)), 10)


class Copies(Live):
    """What the mirror delivers twice."""

    def test_left_out_live(self):
        self.begin("--log", "messages", "-q")
        frames = list(copied(1200))
        self.send(frames, 20000)
        self.end()
        stats = self.books(len(frames))
        buckets = stats["packets"]["buckets"]
        copies = buckets["duplicate"]
        self.assertEqual(buckets["analysed"] + copies, len(frames))
        self.assertIn(copies, range(1400, 1601))  # a sender may be held up for longer than 2 ms
        rows = {(c["first"]["vlan"], c["copy"]["vlan"]): (c["packets"], c["routed"])
                for c in stats["mirror"]["copies"]}
        self.assertEqual(rows[10, 20][0], rows[10, 20][1])
        self.assertEqual(rows[10, 10][1], 0)
        self.assertIn(rows[10, 20][0], range(1050, 1201))
        self.assertIn(rows[10, 10][0], range(350, 401))
        mirror = of_type(self.events(), "stats")[-1]["stats"]["mirror"]
        self.assertEqual(mirror["copies"], copies)
        self.assertEqual(mirror["copies_by_place"]["tap0:10+tap0:20"], rows[10, 20][0])
        hint, = [e["health"] for e in of_type(self.events(), "health")
                 if e["health"]["event"] == "mirror_copies"]
        self.assertRegex(hint["text"], "(5[0-3]|4.) % of packets are copies.*"
                                       "VLAN 10 and tap0 VLAN 20")
        self.assertEqual(len(of_type(self.events(), "message")), buckets["analysed"])

    def test_kept_if_asked_for(self):
        config = self.write("c.json", b'{"decode": {"duplicates": "keep"}}')
        self.begin("-c", config)
        frames = list(copied(100))
        self.send(frames, 20000)
        self.end()
        stats = self.books(len(frames))
        self.assertEqual(stats["packets"]["buckets"]["duplicate"], 0)
        self.assertEqual(stats["mirror"]["copies"], [])

    def test_two_mirrors(self):
        """The same at both interfaces; tags on one of them only."""
        self.connect(1)
        self.begin(ports=("-i", "tap0", "-i", "tap1"))
        frames = [modbus_read(i) for i in range(300)]
        with self.socket("src0") as one, self.socket("src1") as other:
            for frame in frames:
                one.send(frame)
                other.send(tagged(frame, 7))
        self.end()
        stats = self.books(600)
        self.assertIn(stats["packets"]["buckets"]["duplicate"], range(250, 301))
        pairs = {(c["first"]["interface"], c["first"]["vlan"], c["copy"]["interface"],
                  c["copy"]["vlan"]) for c in stats["mirror"]["copies"]}
        self.assertLessEqual(pairs, {("tap0", None, "tap1", 7), ("tap1", 7, "tap0", None)})


class CopiesInCaptures(Case):
    """Captures are read as they are, unless the configuration says otherwise."""

    def test_only_if_asked_for(self):
        path = self.write("a.pcap", pcap([(i * 1e-4, f) for i, f in enumerate(copied(200))]))
        self.assertOk(run("-r", path, "-l", self.dir / "as_it_is"))
        self.assertEqual(self.stats(self.dir / "as_it_is")["packets"]["buckets"]["duplicate"], 0)
        config = self.write("c.json", b'{"decode": {"duplicates": "drop"}}')
        written = []
        for workers in (1, 2, 5):
            out = self.dir / f"w{workers}"
            self.assertOk(run("-c", config, "-r", path, "-w", workers, "-l", out))
            written.append((out / "eve.json").read_bytes())
            stats = self.stats(out)
            self.assertIs(stats["balanced"], True)
            self.assertEqual(stats["packets"]["buckets"]["duplicate"], 267)
        self.assertEqual(len(set(written)), 1)
        summary = run("-c", config, "-r", path).out
        self.assertRegex(summary, r"Mirror: \d+ % of packets are copies, which were left out "
                                  r"\(VLAN 10 and VLAN 20, and 1 other\)")


class Reload(Live):
    """SIGHUP: the configuration's filter is taken over."""

    PORTS = ("-i", "tap0")

    def change(self, text):
        """The configuration is now so; what the sensor tells of it."""
        before = len(self.told())
        self.write("c.json", text.encode())
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: len(self.told()) > before, "the filter")
        return self.told()[-1]

    def told(self):
        return [e["health"]["event"] for e in whole_lines(self.out, "health")
                if e["health"]["event"].startswith("filter_")]

    def test_filter(self):
        filters = self.skip_without_libpcap()
        config = self.write("c.json", json.dumps({"capture": {"filter": filters[0]}}).encode())
        self.begin("-c", config, "-w", 2, ports=self.PORTS)
        self.until((self.out / "eve.json").exists, "ports are open")
        frames = [modbus_read(i) for i in range(60)] + [udp(b"x", port=9, host=i) for i in range(40)]
        wanted = 0
        for i, (expression, passed) in enumerate(zip(filters, (60, 40, 100, 60))):
            if i:
                self.assertEqual(self.change(json.dumps({"capture": {"filter": expression}})),
                                 "filter_changed")
            self.send([with_head(f, 4, struct.pack(">H", 1 + i)) for f in frames])
            wanted += passed
            time.sleep(0.5)  # for all of it to pass the filter of this moment
        self.process.send_signal(signal.SIGHUP)  # nothing is told of what stays as it was
        time.sleep(0.5)
        # What is wrong leaves the last one in use.
        for wrong in ('{"capture": {"filter": "port prot"}}', '{"capture": ', '{"captur": {}}'):
            self.assertEqual(self.change(wrong), "filter_refused")
        self.send([with_head(f, 4, b"\0\x77") for f in frames])
        said = self.end()
        self.assertIn('filter is now "port 9"', said)
        self.assertIn('"port prot" is no filter', said)
        self.assertIn("c.json:1:", said)
        self.assertEqual(self.told(), ["filter_changed"] * 3 + ["filter_refused"] * 3)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"], 500)
        self.assertEqual(stats["packets"]["buckets"]["filtered"], 500 - wanted - 60)

    def skip_without_libpcap(self):
        if "built without libpcap" in run("--filter", "ip", "-T").err:
            self.skipTest("built without libpcap")
        return "port 502", "port 9", "", "port 502"

    def test_command_line_goes_first(self):
        self.skip_without_libpcap()
        config = self.write("c.json", b'{"capture": {"filter": "port 9"}}')
        self.begin("-c", config, "--filter", "port 502", ports=self.PORTS)
        self.until((self.out / "eve.json").exists, "ports are open")
        self.assertEqual(self.change("{}"), "filter_refused")
        self.send([modbus_read(i) for i in range(20)])
        self.assertIn("command line", self.end())
        self.assertEqual(self.stats()["packets"]["buckets"]["filtered"], 0)

    def test_without_configuration_it_ends(self):
        self.begin(ports=self.PORTS)
        self.end(signal.SIGHUP)


class ReloadPolled(Reload):
    """The same where workers poll."""

    PORTS = ("--port", "net_af_packet0,iface=tap0")


class Time(Live):
    """Time passes without packets, too."""

    def test_silence(self):
        """That requests stay unanswered is told although nothing else arrives; so are stats."""
        config = self.write("c.json", json.dumps({"stats": {"interval": 1}}).encode())
        self.begin("-c", config, "--log", "transactions")
        self.until(lambda: whole_lines(self.out, "stats"), "stats")
        self.send([modbus_read(i) for i in range(300)], 100)

        def told():
            return whole_lines(self.out, "modbus")
        self.until(lambda: len(told()) == 300, "unanswered requests")
        self.end()
        for event in told():
            self.assertIn('"answered":false', json.dumps(event).replace(" ", ""))
        counts = [e["stats"]["capture"]["interfaces"]["tap0"]["received"]
                  for e in of_type(self.events(), "stats")]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(len(set(counts)), 2, counts)
        self.assertGreaterEqual(len(counts), 8)
        self.assertEqual(self.books(300)["requests"]["unanswered"], 300)


class Ending(Live):
    """Signals; nothing that arrived before is lost."""

    def test_signals(self):
        for i, number in enumerate((signal.SIGINT, signal.SIGTERM)):
            self.out = self.dir / f"out{i}"
            self.begin()
            self.send([modbus_read(i) for i in range(500)], 0)
            self.assertEqual(self.end(number), "")
            self.books(500)

    def test_end_under_load(self):
        """Stopped in the middle of it: what the kernel counted as ours is in the books."""
        self.begin()
        sender = Sender(self.socket(), [udp(bytes(100), host=i) for i in range(200)])
        time.sleep(0.4)
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=60)
        self.assertGreater(sender.end(), 1000)
        self.assertEqual((self.process.returncode, err), (0, b""))
        self.books(lost=True)

    def test_summary(self):
        words = ["ip", "netns", "exec", self.tap, sensor.FIELDTAP, "-i", "tap0"]
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.until(self.is_ready, "the sensor starts")
        self.send(self.plant(seconds=30))
        time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        self.assertEqual((self.process.returncode, err), (0, b""))
        for word in (b"Assets (", b"Alerts (", b"are balanced", b"tap0 (up): ", b"0 dropped by the"):
            self.assertIn(word, out)

    def test_status_line(self):
        mine, its = pty.openpty()
        self.begin(stderr=its)
        os.close(its)
        self.send([modbus_read(i) for i in range(200)], 100)
        self.check_status_lines(mine)


class Refusing(Live):
    """What cannot work is said in one sentence."""

    def on_tap(self, *words):
        done = subprocess.run(["ip", "netns", "exec", self.tap, *map(str, words)], check=False,
                              capture_output=True, timeout=60)
        return sensor.Result(done)

    def test_absent(self):
        self.assertFails(self.on_tap(sensor.FIELDTAP, "-i", "nothere"), 1, "no interface nothere",
                         "ip link")

    def test_no_such_kind(self):
        done = subprocess.run(["ip", "-n", self.tap, "link", "add", "can0", "type", "vcan"],
                              check=False, capture_output=True)
        if done.returncode != 0:
            self.skipTest("this kernel has no vcan")
        self.assertFails(self.on_tap(sensor.FIELDTAP, "-i", "can0"), 1, "can0", "Ethernet")

    def as_nobody(self, *capabilities):
        """The sensor in a place where nobody may run it."""
        program = sensor.copy_to(self.dir)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for name in capabilities:
            words += [f"--inh-caps=+{name}", f"--ambient-caps=+{name}"]
        return [*words, program]

    def test_no_permission(self):
        r = self.on_tap(*self.as_nobody(), "-i", "tap0")
        self.assertFails(r, 1, "no permission", "root", "setcap cap_net_raw")

    def test_one_capability_is_enough(self):
        words = ["ip", "netns", "exec", self.tap, *self.as_nobody("net_raw"), "-i", "tap0"]
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.until(self.is_ready, "the sensor starts")
        self.send([modbus_read(i) for i in range(50)])
        time.sleep(0.2)
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        self.assertEqual((self.process.returncode, err), (0, b""))
        self.assertIn(b"tap0 (up): 50 packets received, 0 shed by the sensor, 0 dropped", out)


class Usage(Case):
    """Wrong options: exit code 2, nothing opened."""

    def test_not_with_captures(self):
        for options in (("-r", "x.pcap"), ("--loop", 2), ("--speed", 1), ("--merge",)):
            self.assertFails(run("-i", "lo", *options), 2, options[0])

    def test_names(self):
        self.assertFails(run("-i", ""), 2, "-i", "ip link")
        self.assertFails(run("-i", "lo", "-i", "lo"), 2, "lo", "twice")
        self.assertFails(run("--tap", "lo,lo"), 2, "lo", "twice")
        for text in ("lo", "a,b,c", ",b", "a,"):
            self.assertFails(run("--tap", text), 2, "--tap")

    def test_more_workers_than_cores(self):
        self.assertFails(run("-i", "lo", "-w", 128), 2, "128 workers", "cores", "-w ")

    def test_filter(self):
        self.assertFails(run("--filter", "udp prot 5", "-r", "x.pcap"), 2, "--filter", "udp prot 5",
                         "pcap-filter")


class Bpf(ctypes.Structure):
    """struct bpf_program"""
    _fields_ = [("len", ctypes.c_uint), ("insns", ctypes.c_void_p)]


class Filter(Case):
    """--filter takes what libpcap's own filter takes of packets without their tags."""

    def setUp(self):
        super().setUp()
        if "built without libpcap" in run("--filter", "ip", "-T").err:
            self.skipTest("built without libpcap")

    def expected(self, frames, expression):
        """How many frames without their tags pass, by libpcap itself."""
        name = ctypes.util.find_library("pcap")
        if not name:
            self.skipTest("no libpcap to compare with")
        library = ctypes.CDLL(name)
        library.pcap_open_dead.restype = ctypes.c_void_p
        handle, program = ctypes.c_void_p(library.pcap_open_dead(1, 262144)), Bpf()
        self.assertEqual(library.pcap_compile(handle, ctypes.byref(program), expression.encode(), 1,
                                              0xFFFFFFFF), 0)
        count = 0
        for frame in frames:
            while frame[12:14] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
                frame = frame[:12] + frame[16:]
            count += library.bpf_filter(ctypes.c_void_p(program.insns), frame, len(frame),
                                        len(frame)) != 0
        return count

    def test_counts(self):
        path = self.plant(seconds=20)
        frames = list(records(path.read_bytes()))
        for i, expression in enumerate(("tcp port 502", "not port 22", "arp or icmp", "not tcp",
                                        "host 10.10.1.101", "ether multicast", "ether proto 0x88b8",
                                        "tcp[tcpflags] & tcp-syn != 0", "less 100", "ip6", "")):
            out = self.dir / f"out{i}"
            self.assertOk(run("-r", path, "--filter", expression, "-l", out))
            stats = self.stats(out)
            self.assertIs(stats["balanced"], True)
            wanted = self.expected(frames, expression)
            self.assertEqual(stats["packets"]["read"], len(frames))
            self.assertEqual(stats["packets"]["buckets"]["filtered"], len(frames) - wanted,
                             expression)

    def test_from_the_configuration(self):
        path = self.write("a.pcap", pcap([(0, modbus_read()), (1, udp(b"x", port=9))]))
        config = self.write("c.json", json.dumps({"capture": {"filter": "port 502"}}).encode())
        self.assertOk(run("-c", config, "-r", path, "-l", self.out))
        self.assertEqual(self.stats()["packets"]["buckets"]["filtered"], 1)
        flow, = of_type(self.events(), "flow")
        self.assertEqual(flow["app_proto"], "modbus")
        self.assertOk(run("-c", config, "--filter", "port 9", "-r", path, "-l", self.dir / "two"))
        flow, = of_type(self.events(self.dir / "two"), "flow")
        self.assertEqual(flow["dest_port"], 9)

    def test_same_for_any_number_of_workers(self):
        path = self.plant(seconds=20)
        written = []
        for workers in (1, 3):
            out = self.dir / f"w{workers}"
            self.assertOk(run("-r", path, "--filter", "not host 10.10.1.102", "-w", workers,
                              "-l", out))
            written.append((out / "eve.json").read_bytes())
        self.assertEqual(*written)


if __name__ == "__main__":
    sensor.main()
