#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ports of DPDK, polled by the workers: virtual devices that read a capture, receive from one end of
a veth pair, make packets, or are a tap of the kernel. What needs root (CAP_NET_ADMIN) is skipped
without.

usage: test_ports.py FIELDTAP FIELDTAP_PLANT SLOW_PLUGIN [unittest options]
"""

import datetime
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

import live
import sensor
from sensor import Case, ethernet, ipv4, modbus_read, of_type, run, udp

SLOW = ""
CORES = len(os.sched_getaffinity(0))
WORKERS = range(1, min(CORES, 2) + 1)


def shard(*addresses):
    """Toeplitz over the addresses with the key 6d5a repeated: the low seven bits."""
    key = int.from_bytes(b"\x6d\x5a" * 20, "big")
    data = b"".join(map(bytes, addresses))
    value = 0
    for i in range(8 * len(data)):
        if data[i // 8] & 0x80 >> i % 8:
            value ^= key >> 320 - 32 - i & 0xFFFFFFFF
    return value % 128


def fragments(host):
    """A datagram of UDP with 3,000 bytes in three frames."""
    whole = struct.pack(">HHHH", 40000, 20000, 3008, 0) + bytes(3000)
    for offset in (0, 1480, 2960):
        part = ethernet(ipv4(17, (10, 0, 0, host), (10, 0, 0, 200), whole[offset:offset + 1480]))
        more = 0x2000 if offset < 2960 else 0
        head = part[14:34][:6] + struct.pack(">H", more | offset // 8) + part[22:24] \
            + b"\0\0" + part[26:34]
        total = sum(struct.unpack(">10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        yield (part[:14] + head[:10] + struct.pack(">H", total ^ 0xFFFF) + head[12:] + part[34:])


class Ports(live.Live):
    """A sensor in a network namespace, on a port of DPDK."""

    def begin_port(self, *devices, workers=1, config=None, options=(), **more):
        settings = {"stats": {"interval": 1}, **(config or {})}
        path = self.write("config.json", json.dumps(settings).encode())
        ports = [word for device in devices for word in ("--port", device)]
        self.begin("-c", path, "-w", workers, *options, ports=ports, **more)
        # the ports are open before the files are
        self.until(lambda: (self.out / "eve.json").exists(), "the ports are open")

    def until_taken(self, count):
        """Until statistics, which come each second, say that it took so many."""
        def taken():
            told = of_type(live.whole_lines(self.out), "stats")
            return told and sum(p["received"] for p in
                                told[-1]["stats"]["capture"]["interfaces"].values()) >= count
        self.until(taken, f"{count} packets", 30)

    def closed(self, sent=None, lost=False):
        """Books that close, those between the workers too."""
        stats = self.books(sent, lost) if sent is not None or not lost else self.stats()
        self.assertIs(stats["balanced"], True)
        workers, ports = stats["workers"], stats["capture"]["interfaces"].values()
        handed = sum(w["handed_over"] for w in workers)
        self.assertEqual(handed, sum(w["taken_over"] for w in workers))
        self.assertEqual(handed, sum(p["handed_over"] for p in ports))
        self.assertEqual(sum(w["packets"] for w in workers), stats["packets"]["read"])
        refused = sum(w["refused"] for w in workers)
        self.assertEqual(refused, sum(p["shed"] for p in ports))
        if not lost:
            self.assertEqual(refused, 0)
        return stats


class File(Ports):
    """net_pcap reads a capture as fast as it is polled."""

    def replay(self, path, workers, *options, count=None):
        self.out = self.dir / f"w{workers}"
        count = count or sum(1 for _ in live.records(path.read_bytes()))
        self.begin_port(f"net_pcap0,rx_pcap={path}", workers=workers, options=options)
        self.until_taken(count)
        self.assertEqual(self.end(), "")
        return self.closed(count)

    def test_same_as_offline(self):
        path = self.plant(seconds=30)
        self.assertOk(run("-r", path, "-l", self.dir / "offline", "--log", "messages"))
        offline = self.stats(self.dir / "offline")
        want, packets = live.comparable(
            e for e in self.events(self.dir / "offline") if e["event_type"] != "message")
        for workers in WORKERS:
            stats = self.replay(path, workers, "--log", "messages")
            self.assertEqual(stats["messages"], offline["messages"])
            self.assertEqual(stats["packets"]["buckets"], offline["packets"]["buckets"])
            self.assertEqual(stats["stream_bytes"], offline["stream_bytes"])
            got, got_packets = live.comparable(
                e for e in self.events() if e["event_type"] != "message")
            self.assertEqual(got_packets, packets)
            # A minute passes at once: what takes its time does not come about. Of two workers one
            # may tell a MAC address before the other tells the IP address behind it.
            differences = [key for key in want ^ got if "silence" not in key
                           and not (workers > 1 and key[0] == "asset" and ":" in str(key[1]))]
            self.assertEqual(differences, [])
            port = stats["capture"]["interfaces"]["net_pcap0"]
            self.assertEqual(port["queues"], 1)
            if workers > 1:
                self.assertGreater(port["handed_over"], port["received"] / 5)
            else:
                self.assertEqual(port["handed_over"], 0)

    def test_order_within_a_flow(self):
        """Handed over or not, a flow's packets are in order."""
        frames = [modbus_read(i, host=host) for i in range(200) for host in range(1, 30)]
        self.replay(self.capture(frames), max(WORKERS), "--log", "messages")
        seen = {}
        for e in of_type(self.events(), "message"):
            seen.setdefault(e["src_ip"], []).append(e["pcap_cnt"])
        self.assertEqual(len(seen), 29)
        for numbers in seen.values():
            self.assertEqual(len(numbers), 200)
            self.assertEqual(numbers, sorted(numbers))

    def test_long_packets_and_fragments(self):
        """In several buffers; fragments belong to the shard of their addresses."""
        frames = [udp(bytes(n)) for n in (1, 1400, 2100, 4000, 9000)]
        frames += [part for host in range(1, 20) for part in fragments(host)]
        path = self.capture(frames)
        for workers in WORKERS[-1:]:
            stats = self.replay(path, workers)
            self.assertEqual(stats["packets"]["bytes"], sum(map(len, frames)))
            self.assertEqual(stats["packets"]["buckets"]["fragment_held"], 38)
            self.assertEqual(stats["tables"]["fragments"]["datagrams"], 19)
            self.assertEqual(stats["bad_ip_checksums"], 0)
            flows = {e["src_ip"]: e["flow"] for e in of_type(self.events(), "flow")}
            self.assertEqual(flows["10.0.0.1"]["pkts_toserver"], 6)
            self.assertEqual(flows["10.0.0.7"]["pkts_toserver"], 1)

    def test_filter(self):
        path = self.plant(seconds=30)
        self.assertOk(run("-r", path, "--filter", "port 502", "-l", self.dir / "offline"))
        want = self.stats(self.dir / "offline")["packets"]["buckets"]
        self.assertGreater(want["filtered"], 100)
        for workers in WORKERS[-1:]:
            stats = self.replay(path, workers, "--filter", "port 502")
            self.assertEqual(stats["packets"]["buckets"], want)

    def test_ports_of_the_configuration(self):
        path = self.capture([modbus_read(i) for i in range(50)])
        other = self.capture([modbus_read(i, host=9) for i in range(30)], "other.pcap")
        self.begin_port(config={"ports": [f"net_pcap0,rx_pcap={path}",
                                          f"net_pcap1,rx_pcap={other}"]}, workers=max(WORKERS),
                        options=("--log", "messages"))
        self.until_taken(80)
        self.end()
        stats = self.closed(80)
        ports = stats["capture"]["interfaces"]
        self.assertEqual((ports["net_pcap0"]["received"], ports["net_pcap1"]["received"]), (50, 30))
        for kind in ("message", "flow"):
            names = {(e["src_ip"], e["in_iface"]) for e in of_type(self.events(), kind)}
            self.assertEqual(names, {("10.0.0.1", "net_pcap0"), ("10.0.0.9", "net_pcap1")}, kind)

    def test_queues_that_are_sources(self):
        """A device with two files has two queues: all are polled, by any number of workers."""
        paths = [self.capture([modbus_read(i, host=host) for i in range(50 * host)], f"{host}.pcap")
                 for host in (1, 2)]
        device = "net_pcap0," + ",".join(f"rx_pcap={path}" for path in paths)
        for workers in WORKERS:
            self.out = self.dir / f"w{workers}"
            self.begin_port(device, workers=workers)
            self.until_taken(150)
            self.end()
            stats = self.closed(150)
            self.assertEqual(stats["capture"]["interfaces"]["net_pcap0"]["queues"], 2)
            flows = {e["src_ip"]: e["flow"]["pkts_toserver"]
                     for e in of_type(self.events(), "flow")}
            self.assertEqual(flows, {"10.0.0.1": 50, "10.0.0.2": 100})

    def test_spread_that_is_none(self):
        """A NIC that was told how to spread packets and does not: counted, and told once."""
        if CORES < 2:
            self.skipTest("one core")
        paths = [self.capture([modbus_read(i, host=host) for i in range(2000)], f"{host}.pcap")
                 for host in (1, 2)]
        owners = [shard((10, 0, 0, host), (10, 0, 0, 200)) % 2 for host in (1, 2)]
        wrong = sum(2000 for queue, owner in enumerate(owners) if queue != owner)
        if not wrong:
            paths.reverse()
            wrong = 4000
        device = "net_pcap0," + ",".join(f"rx_pcap={path}" for path in paths)
        self.begin_port(device, workers=2, env=dict(os.environ, FIELDTAP_TEST_SPREAD="1"))
        self.until_taken(4000)
        self.until_told("packets_not_spread")
        said = self.end()
        # It is told when the books are looked at: of all packets, or of those that were there then.
        told = re.findall(r"(\d+) of (\d+) had to be handed over", said)
        self.assertEqual(len(told), 1, said)
        self.assertTrue(0 < int(told[0][0]) <= int(told[0][1]) <= 4000, said)
        port = self.closed(4000)["capture"]["interfaces"]["net_pcap0"]
        self.assertEqual((port["plain_ip"], port["plain_ip_handed_over"]), (4000, wrong))
        self.assertEqual(port["spreads_by"], "addresses")
        self.assertEqual(self.health(), [("packets_not_spread", "net_pcap0")])

    def test_plain_is_what_a_nic_sees(self):
        """Tunnels and what is no IP are handed over, and nobody's fault."""
        inner = ipv4(17, (192, 0, 2, 1), (192, 0, 2, 2), struct.pack(">HHHH", 1, 2, 12, 0) + b"abcd")
        gre = ethernet(ipv4(47, (10, 0, 0, 1), (10, 0, 0, 2), bytes.fromhex("00000800") + inner))
        lldp = ethernet(bytes(46), kind=0x88CC)
        stats = self.replay(self.capture([modbus_read(), gre, lldp] * 10), max(WORKERS))
        self.assertEqual(stats["capture"]["interfaces"]["net_pcap0"]["plain_ip"], 10)

    def test_pinned(self):
        path = self.plant(seconds=20)
        count = sum(1 for _ in live.records(path.read_bytes()))
        cpu = min(os.sched_getaffinity(0))
        self.begin_port(f"net_pcap0,rx_pcap={path}", config={"cores": {"workers": [cpu]}})
        self.until_taken(count)
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        status = [(task / "status").read_text() for task in tasks.iterdir()]
        said = self.end()
        self.closed(count)
        # what the machine lacks is said, as the doctor says it; how much may have changed
        config = self.write("pinned.json", json.dumps({"cores": {"workers": [cpu]}}).encode())
        rows = run("--doctor", "-c", config, "--port", "net_null0").out.splitlines()
        wrong = [row[7:].split(":")[0] for row in rows if row.startswith("to do  ")]
        self.assertEqual([line.split(":")[1].strip() for line in said.splitlines()], wrong)
        self.assertTrue(any(re.search(rf"Cpus_allowed_list:\t{cpu}\n", text) for text in status))


@unittest.skipUnless(shutil.which("dpdk-testpmd"), "testpmd sends through shared memory")
class Memory(Ports):
    """net_memif: another process with DPDK sends through memory that both share."""

    def begin_sender(self, path):
        socket = self.dir / "memif.sock"
        words = ["dpdk-testpmd", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "128",
                 "-l", ",".join(map(str, sorted(os.sched_getaffinity(0))[:2])),
                 "--vdev", f"net_pcap0,rx_pcap={path}",
                 "--vdev", f"net_memif0,role=client,socket={socket},socket-abstract=no,rsize=14",
                 "--", "--no-mlockall", "--no-flush-rx", "--total-num-mbufs=8192"]
        # pylint: disable=consider-using-with
        sender = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.STDOUT)
        self.addCleanup(sender.communicate)
        self.addCleanup(sender.kill)
        return sender

    def test_same_as_offline(self):
        if CORES < 2:
            self.skipTest("testpmd wants two cores")
        path = self.plant(seconds=60)
        self.assertOk(run("-r", path, "-l", self.dir / "offline"))
        want, packets = live.comparable(self.events(self.dir / "offline"))
        count = self.stats(self.dir / "offline")["packets"]["read"]
        device = f"net_memif0,role=server,socket={self.dir}/memif.sock,socket-abstract=no,rsize=14"
        self.begin_port(device, workers=2)
        self.until_told("interface_down")
        sender = self.begin_sender(path)
        self.until_taken(count)
        self.until_told("interface_up")
        sender.communicate(b"\n", timeout=30)
        self.until_told("interface_down", 2)
        said = self.end()
        self.assertIn("net_memif0: its driver insists on a transmit queue; it is never used", said)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"], count)
        self.assertEqual(stats["packets"]["buckets"],
                         self.stats(self.dir / "offline")["packets"]["buckets"])
        port = stats["capture"]["interfaces"]["net_memif0"]
        self.assertEqual((port["kernel_drops"], port["nic_packets"], port["link_changes"]),
                         ("unknown", "unknown", 2))
        got, got_packets = live.comparable(self.events())
        self.assertEqual(got_packets, packets)
        self.assertEqual([key for key in want ^ got if "silence" not in key
                          and not (key[0] == "asset" and ":" in str(key[1]))], [])

    def test_ring(self):
        """net_ring is for programs in one process: here nobody puts anything into it."""
        self.begin_port("net_ring0", workers=max(WORKERS))
        self.end()
        stats = self.closed(lost=True)
        self.assertEqual(stats["packets"]["read"], 0)
        self.assertEqual(stats["capture"]["interfaces"]["net_ring0"]["state"], "up")


class Wire(Ports):
    """Packets that arrive while it runs."""

    def test_both_ways_of_receiving(self):
        """net_pcap and net_af_packet on one end of a veth pair; tags are put back."""
        frames = []
        for i in range(150):  # of the same content one would be left out as a copy of the other
            other = modbus_read(1000 + i)
            frames += [modbus_read(i), other[:12] + bytes.fromhex("81000007") + other[12:]]
        for driver in ("net_pcap0,iface=tap0", "net_af_packet0,iface=tap0,framecnt=2048"):
            name = driver.split(",", maxsplit=1)[0]
            self.out = self.dir / name
            self.begin_port(driver, workers=max(WORKERS), options=("--log", "messages"))
            self.send(self.capture(frames), 300)  # libpcap's queue is short
            self.until_taken(300)
            self.end()
            stats = self.stats()
            self.assertIs(stats["balanced"], True)
            self.assertEqual(stats["packets"]["read"], 300)
            drops = stats["capture"]["interfaces"][name]["kernel_drops"]
            self.assertEqual(drops, 0 if "pcap" in name else "unknown")
            vlans = [str(e.get("vlan")) for e in of_type(self.events(), "message")]
            self.assertEqual((vlans.count("None"), vlans.count("[7]")), (150, 150), name)

    def test_stamps_of_the_kernel(self):
        """libpcap hands on when a packet arrived, not when it was fetched."""
        for driver, source in (("net_pcap0,iface=tap0", "kernel"),
                               ("net_af_packet0,iface=tap0", "host")):
            self.out = self.dir / source
            self.begin_port(driver, options=("--log", "messages"))
            time.sleep(0.3)
            self.process.send_signal(signal.SIGSTOP)
            self.send(self.capture([modbus_read(i) for i in range(10)]))
            sent = time.time()
            time.sleep(0.2)
            self.process.send_signal(signal.SIGCONT)
            self.until_taken(10)
            self.end()
            port, = self.closed(lost=True)["capture"]["interfaces"].values()
            self.assertEqual((port["timestamps"], port["odd_stamps"]), (source, 0))
            stamps = [datetime.datetime.fromisoformat(e["timestamp"]).timestamp()
                      for e in of_type(self.events(), "message")]
            self.assertEqual(len(stamps), 10)
            for stamp in stamps:
                self.assertIs(stamp < sent, source == "kernel", (stamp, sent))

    def test_nothing_is_sent(self):
        self.begin_port("net_pcap0,iface=tap0")
        self.send(self.plant(seconds=10))
        self.end()
        counter = self.within(self.tap, "cat", "/sys/class/net/tap0/statistics/tx_packets",
                              stdout=subprocess.PIPE).stdout
        self.assertEqual(int(counter), 0)

    def test_plant(self):
        path = self.plant(seconds=60)
        self.assertOk(run("-r", path, "-l", self.dir / "offline"))
        want, packets = live.comparable(self.events(self.dir / "offline"))
        self.begin_port("net_af_packet0,iface=tap0,framecnt=8192", workers=max(WORKERS))
        self.send(path, 2000)
        sent = self.stats(self.dir / "offline")["packets"]["read"]
        self.until_taken(sent)
        said = self.end()
        self.assertIn("of packets of more than 1982 bytes", said)
        self.assertEqual(said.count("\n"), 1, said)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"], sent)
        got, got_packets = live.comparable(self.events())
        self.assertEqual(packets, got_packets)
        self.assertTrue(all("silence" in key for key in want ^ got), want ^ got)

    def test_cut_by_the_driver(self):
        """net_af_packet takes the beginning of long packets, the kernel gives it whole datagrams:
        they are cut, not malformed, and read as far as they go."""
        for namespace, interface in ((self.tap, "tap0"), (self.src, "src0")):
            live.ip("-n", namespace, "link", "set", interface, "mtu", "9000")
        tag = bytes.fromhex("81000007")
        long, short = udp(bytes(4000)), udp(bytes(1982 - 42))
        frames = [long, long[:12] + tag + long[12:], ethernet(bytes(3000), kind=0x88CC),
                  short, short[:12] + tag + short[12:],
                  ethernet(struct.pack(">IHBB", 6 << 28, 3008, 17, 64) + bytes(31) + b"\1" +
                           struct.pack(">HHHH", 40000, 20000, 3008, 1) + bytes(3000), kind=0x86DD)]
        frames += [f for host in range(1, 20) for f in fragments(host)]
        for size, count in ((2048, 22), (1024, 24)):
            self.out = self.dir / str(size)
            self.begin_port(f"net_af_packet0,iface=tap0,framesz={size}")
            self.send(self.capture(frames))
            self.until_taken(6 + 19)
            self.assertIn(f"more than {size - 66} bytes", self.end())
            stats = self.closed(lost=True)
            buckets = stats["packets"]["buckets"]
            self.assertEqual((stats["packets"]["read"], stats["cut_records"]), (25, count))
            self.assertEqual({k for k in buckets if k.startswith("undecodable") and buckets[k]},
                             set())
            flows = {e["src_ip"]: e["flow"] for e in of_type(self.events(), "flow")
                     if e.get("proto") == "UDP"}
            self.assertEqual(flows["10.0.0.7"]["bytes_toserver"], 14 + 20 + 3008)

    def test_tap(self):
        """A driver that insists on a transmit queue, which is said."""
        self.begin_port("net_tap0,iface=dtap9")
        ip_of = self.within(self.tap, "ip", "link", "show", "dtap9", stdout=subprocess.PIPE).stdout
        self.assertIn(b"dtap9", ip_of)
        self.within(self.tap, "ip", "link", "set", "dtap9", "up")
        self.within(self.tap, sys.executable, os.path.abspath(live.__file__), "send", "dtap9",
                    self.capture([modbus_read(i) for i in range(300)]), 5000)
        self.until_taken(300)
        said = self.end()
        self.assertIn("net_tap0: its driver insists on a transmit queue; it is never used", said)
        stats = self.stats()
        self.assertIs(stats["balanced"], True)
        self.assertEqual(stats["packets"]["read"], 300)
        self.assertEqual(stats["capture"]["kernel_drops"], "unknown")

    def test_end_under_load(self):
        capture = self.capture([udp(bytes(100), host=i % 200) for i in range(200000)])
        self.begin_port("net_pcap0,iface=tap0", workers=max(WORKERS))
        words = ["ip", "netns", "exec", self.src, sys.executable, os.path.abspath(live.__file__),
                 "send", "src0", capture, "0"]
        with subprocess.Popen([str(w) for w in words]) as sender:
            self.until_taken(1000)
            self.assertEqual(self.end(), "")
            sender.kill()
        self.closed(lost=True)

    def test_signals_and_silence(self):
        """Time passes without packets; a request stays unanswered, and that is told."""
        self.begin_port("net_pcap0,iface=tap0", options=("--log", "transactions"))
        self.send(self.capture([modbus_read(1)]))
        def told():
            return [e for e in live.whole_lines(self.out) if e["event_type"] == "modbus"]
        self.until(told, "an unanswered request", 20)
        self.assertEqual(self.end(signal.SIGINT), "")
        self.closed(1)

    def test_status_line(self):
        mine, its = pty.openpty()
        self.begin_port("net_pcap0,iface=tap0", stderr=its)
        os.close(its)
        self.send(self.capture([modbus_read(i) for i in range(300)]), 100)
        self.check_status_lines(mine)


class Overload(Ports):
    """More than it can take: it says how much was lost and where, exactly."""

    def test_made_packets(self):
        """net_null makes as many as it is asked for; it spreads them, or says so."""
        for workers in WORKERS:
            self.out = self.dir / f"w{workers}"
            self.begin_port("net_null0,size=64", workers=workers)
            time.sleep(0.7)
            self.end()
            stats = self.closed(lost=True)
            port = stats["capture"]["interfaces"]["net_null0"]
            self.assertGreater(port["received"], 100000)
            self.assertEqual(port["queues"], workers)

    def test_slow_owner(self):
        """A worker that falls behind is handed over more than its ring holds."""
        if CORES < 2:
            self.skipTest("one core")
        hosts = [h for h in range(1, 200) if shard((10, 0, 0, h), (10, 0, 0, 200)) % 2 == 1]
        frames = [udp(b"S" + bytes(20), port=7798, host=hosts[i % len(hosts)])
                  for i in range(4000)]
        self.begin_port(f"net_pcap0,rx_pcap={self.capture(frames)}", workers=2,
                        config={"cores": {"ring": 300}}, options=("--plugin", SLOW))
        self.until_taken(4000)
        self.end()
        stats = self.closed(4000, lost=True)
        self.assertGreater(stats["packets"]["buckets"]["shed.ring"], 100)
        self.assertEqual(stats["workers"][0]["packets"], stats["packets"]["buckets"]["shed.ring"])
        self.assertEqual(stats["workers"][1]["refused"], 0, "it polls nothing")
        self.assertIn("shed by the sensor", self.check_loss_told("net_pcap0"))
        self.assertLessEqual(stats["workers"][1]["input_high_water"], 300)

    def test_endless(self):
        """The same packets again and again, as fast as they can be taken."""
        path = self.capture([modbus_read(i, host=i % 100) for i in range(200)])
        self.begin_port(f"net_pcap0,rx_pcap={path},infinite_rx=1", workers=max(WORKERS))
        time.sleep(0.7)
        self.end()
        stats = self.closed(lost=True)
        self.assertGreater(stats["packets"]["read"], 10000)

    def test_stopped_process(self):
        self.begin_port("net_pcap0,iface=tap0", workers=max(WORKERS))
        time.sleep(0.3)
        self.process.send_signal(signal.SIGSTOP)
        self.send(self.capture([udp(bytes(900), host=i % 200) for i in range(8000)]), 20000)
        time.sleep(1)
        self.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        self.send(self.capture([modbus_read(i) for i in range(100)]))
        self.until(lambda: of_type(live.whole_lines(self.out), "stats")[-1]["stats"]["capture"][
            "kernel_packets"] >= 8100, "all arrive")
        self.end()
        stats = self.closed(8100, lost=True)
        self.assertGreater(stats["capture"]["kernel_drops"], 100)
        text = self.check_loss_told("net_pcap0")
        self.assertIn("dropped by the NIC or its driver", text)
        self.assertIn("What helps: ", text)
        self.assertEqual(stats["packets"]["buckets"]["analysed"], 100)
        self.assertEqual(stats["clock_jumps"], 0)


class Unplugged(Ports):
    """Ports that go away and come back."""

    def test_removed_and_returned(self):
        self.begin_port("net_pcap0,iface=tap0", workers=max(WORKERS))
        self.send(self.capture([modbus_read(i) for i in range(20)]))
        self.until_taken(20)
        for again in range(2):
            live.ip("-n", self.tap, "link", "del", "tap0")
            self.until_told("interface_missing", again + 1)
            self.connect(0)
            self.until_told("interface_up", again + 1)
            self.send(self.capture([modbus_read(i) for i in range(30)]))
            self.until_taken(20 + 30 * (again + 1))
        self.end()
        port = self.closed(80)["capture"]["interfaces"]["net_pcap0"]
        self.assertEqual(port["nic_errors"], "unknown", "polls of what is gone are no errors")
        told = [t for t in self.health() if t[0] != "interface_down"]
        self.assertEqual(told, [("interface_missing", "net_pcap0"),
                                ("interface_up", "net_pcap0")] * 2)

    def test_link_flap(self):
        self.begin_port("net_pcap0,iface=tap0")
        live.ip("-n", self.src, "link", "set", "src0", "down")
        self.until_told("interface_down")
        live.ip("-n", self.src, "link", "set", "src0", "up")
        self.until_told("interface_up")
        self.send(self.capture([modbus_read(i) for i in range(30)]))
        self.until_taken(30)
        self.end()
        stats = self.closed(30)
        self.assertEqual(stats["capture"]["interfaces"]["net_pcap0"]["link_changes"], 2)

    def test_absent_at_start(self):
        self.begin_port("net_pcap0,iface=tap7", config={"capture": {"wait": True}})
        self.until_told("interface_missing")
        self.connect(7)
        self.until_told("interface_up")
        self.send(self.capture([modbus_read(i) for i in range(30)]), interface="src7")
        self.until_taken(30)
        self.assertIn("waiting for it", self.end())
        self.closed(30)


class Asking(Case):
    """What the machine has."""

    def test_core_map_is_a_configuration(self):
        r = run("--print-core-map")
        self.assertOk(r)
        cores = json.loads(r.out)["cores"]
        config = self.write("c.json", r.out.encode())
        self.assertOk(run("-T", "-c", config))
        if isinstance(cores["workers"], list):
            self.assertNotIn(cores.get("alerting"), cores["workers"])
            self.assertLess(len(cores["workers"]), max(CORES, 2))

    def test_core_map_of_a_port_that_is_not_there(self):
        for device in ("0000:ff:1f.7", "net_foo0"):
            r = run("--print-core-map", "--port", device)
            self.assertEqual((r.code, r.err.count("\n")), (0, 1), r.err)
            self.assertIn(f"port {device}: ", r.err)
            self.assertIn("assumed is that CPUs of any socket will do", r.err)
            proposal = json.loads(r.out)
            self.assertEqual(proposal.pop("ports"), [device])
            self.assertEqual(proposal, json.loads(run("--print-core-map").out))

    def test_core_map_of_more_workers_than_cores(self):
        r = run("--print-core-map", "-w", 127)
        self.assertEqual((r.code, r.err.count("\n")), (0, 1), r.err)
        self.assertIn("-w 127: only ", r.err)
        self.assertFalse("ports" in json.loads(r.out))

    def test_doctor(self):
        r = run("--doctor", "--port", "0000:ff:1f.7")
        self.assertEqual((r.code, r.err), (1, ""))
        rows = r.out.splitlines()
        self.assertTrue(all(row.startswith(("ok     ", "to do  ")) for row in rows), r.out)
        for word in ("cores", "hugepages", "frequency", "isolation", "interrupts", "sockets"):
            self.assertEqual(sum(row[7:].startswith(word) for row in rows), 1, word)
        self.assertTrue(any("to do  port 0000:ff:1f.7: there is no such" in row for row in rows))
        for device in ("net_foo0", "net_pcap0,iface=nope0"):
            self.assertIn(f"to do  port {device.split(',', maxsplit=1)[0]}: ",
                          run("--doctor", "--port", device).out)
        self.assertIn("ok     port net_null0", run("--doctor", "--port", "net_null0").out)
        self.assertIn("to do  port nope0: there is no interface nope0 yet",
                      run("--doctor", "-i", "nope0").out)
        self.assertIn("to do  cores: 128 workers on ",
                      run("--doctor", "-i", "lo", "-w", 128).out)


class Profiles(Case):
    """Configurations for classes of hardware."""

    def test_profiles(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        guide = (root / "doc" / "certified-hardware.md").read_text()
        paths = sorted((root / "profiles").glob("*.json"))
        self.assertEqual([p.stem for p in paths], ["C5600", "E1000", "E1800", "E500", "L100", "L500"])
        for path in paths:
            config = json.loads(path.read_text())
            workers, alerting = config["cores"]["workers"], config["cores"].get("alerting")
            needed = {alerting, *workers} if isinstance(workers, list) else set()
            r = run("-T", "-c", path)
            if needed - {None} <= os.sched_getaffinity(0):
                self.assertOk(r)
                self.assertIn("configuration OK", r.out)
            else:
                self.assertFails(r, 2, "cores.workers: there is no CPU")
                self.assertIn("to do  cores: ", run("--doctor", "-c", path).out)
            self.assertIn(f"(../profiles/{path.name})", guide)
            self.assertIn(path.name, (root / "profiles" / "meson.build").read_text())
            if isinstance(workers, list):
                self.assertNotIn(0, workers)
                self.assertNotIn(alerting, workers)
            # what the profile takes at most fits the smallest machine of its class by far
            ports = [word for i in range(15) for word in ("--port", f"net_null{i}")]
            needed = re.search(r"(\d+) are needed", run("--doctor", "-c", path, *ports).out)
            memory = 8192 if path.stem.startswith("L") else 32768
            self.assertLess(int(needed.group(1)) + config["flow"]["max_flows"] / 2048, memory / 4)


class Refusing(Case):
    """What cannot work is said in one sentence."""

    def test_devices(self):
        for device, words in (("0000:ff:1f.7", ("no such PCI device", "lspci")),
                              ("ff:1f.7", ("0000:ff:1f.7", "no such PCI device")),
                              ("net_nosuch0", ("net_nosuch0", "no such driver")),
                              ("net_afpacket0,iface=lo", ("did you mean net_af_packet?",)),
                              ("eth99", ("eth99", "net_pcap0,iface=eth1")),
                              ("lo", ("-i lo", "net_pcap0,iface=lo")),
                              ("net_pcap0,rx_pcap=/nothere", ("arguments", "-v -v")),
                              ("net_af_packet0,iface=lo,framesz=4096", ("framesz=4096", "-i lo")),
                              ("net_pcap0,iface=nothere", ("no interface nothere", "ip link"))):
            self.assertFails(run("--port", device, "-l", self.out), 1, *words)
            self.assertFalse(self.out.exists(), "nothing was begun")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to give it up")
    def test_no_permission(self):
        """To a user who may not listen; arguments that are wrong are another thing."""
        program = sensor.copy_to(self.dir)
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program]
        out = self.dir / "open"
        out.mkdir()
        os.chmod(out, 0o777)
        for driver in ("net_pcap0", "net_af_packet0"):
            said = subprocess.run([*words, "--port", f"{driver},iface=lo", "-l", out], check=False,
                                  capture_output=True, timeout=60)
            self.assertFails(sensor.Result(said), 1, f"port {driver},iface=lo: not permitted",
                             "root", "CAP_NET_RAW", "CAP_NET_ADMIN")
            self.assertEqual(list(out.iterdir()), [], "nothing was begun")
        self.assertFails(run("--port", "net_pcap0,iface=lo,nosuch=1", "-l", self.out), 1,
                         "its driver cannot make it", "arguments")
        said = subprocess.run([*words, "--port", "net_tap0,iface=fttap9", "-l", out], check=False,
                              capture_output=True, timeout=60)
        self.assertFails(sensor.Result(said), 1, "port net_tap0", "may need root", "CAP_NET_ADMIN")

    def test_of_the_kernel(self):
        root = "/sys/bus/pci/devices"
        devices = os.listdir(root) if os.path.isdir(root) else []
        for name in devices:
            if os.path.basename(os.path.realpath(f"{root}/{name}/driver")) not in (
                    "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core"):
                kind = pathlib.Path(f"{root}/{name}/class").read_text()
                words = ("dpdk-devbind.py -b vfio-pci", "-i") if kind.startswith("0x02") else (
                    "no network device", kind.strip())
                self.assertFails(run("--port", name), 1, name, *words)
        if not devices:
            self.skipTest("no PCI device")

    def test_usage(self):
        port = ("--port", "net_null0")
        for options in (("-r", "x.pcap"), ("-i", "lo"), ("--tap", "lo,eth9"), ("--loop", 2),
                        ("--speed", 1), ("--merge",)):
            self.assertFails(run(*port, *options), 2, options[0] if options[0] != "--tap" else "-i")
            self.assertFails(run(*options, *port), 2)
        self.assertFails(run(*port, *port), 2, "twice")
        self.assertFails(run("--port", ""), 2, "PCI address")
        self.assertFails(run(*port, "-w", 128), 2, "128 workers", "cores")

    def test_cores(self):
        port = ("--port", "net_null0")
        for cores, words in (({"workers": [1023]}, ("cores.workers", "1023")),
                             ({"alerting": 1023}, ("cores.alerting", "1023")),
                             ({"workers": [0, 0]}, ("cores.workers[1]",)),
                             ({"workers": []}, ("cores.workers",)),
                             ({"workers": [0], "alerting": 0}, ("both",))):
            config = self.write("c.json", json.dumps({"cores": cores}).encode())
            self.assertFails(run("-c", config, *port), 2, *words)
            self.assertFails(run("-T", "-c", config), 2, *words)
            self.assertFails(run("-T", "-c", config, "-r", "x.pcap"), 2, *words)
        config = self.write("c.json", json.dumps({"cores": {"workers": [0]}}).encode())
        self.assertFails(run("-c", config, *port, "-w", 2), 2, "-w 2", "1 CPU")
        config = self.write("c.json", b'{"cores": {"workers": 127}, "ports": ["net_null0"]}')
        for options in ((), ("-T",)):
            self.assertFails(run("-c", config, *options), 2, "127 workers", "cores")


if __name__ == "__main__":
    SLOW = os.path.abspath(sys.argv.pop(3))
    sensor.main()
