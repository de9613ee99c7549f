# SPDX-License-Identifier: BSD-3-Clause
"""What the end-to-end tests share: running the sensor, captures made byte by byte, reading what it
wrote. A test script ends with main(): it takes the paths of fieldtap and fieldtap-plant."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

FIELDTAP = ""
PLANT = ""
START_S = 1_700_000_000


def copy_to(folder):
    """The sensor with its rules where anybody may run it; its path."""
    folder = pathlib.Path(folder)
    shutil.copytree(pathlib.Path(FIELDTAP).parent / "rules", folder / "rules")
    program = folder / "fieldtap"
    shutil.copy(FIELDTAP, program)
    for path, mode in ((folder, 0o755), (program, 0o755)):
        path.chmod(mode)
    return program


class Result:
    """How a run ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")


def run(*options, stdin=subprocess.DEVNULL, env=None, **more):
    return Result(subprocess.run([FIELDTAP, *map(str, options)], stdin=stdin, check=False,
                                 env=dict(os.environ, **(env or {})), capture_output=True,
                                 timeout=120, **more))


def start(*options, **more):
    return subprocess.Popen([FIELDTAP, *map(str, options)], **more)


# ---- captures ----

def listens(path):
    """Does somebody listen at this socket? Its name is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def answers(path):
    """Does a sensor answer at this control socket? It listens before all of it has begun."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(60)
        try:
            probe.connect(str(path))
            probe.sendall(b'{"command":"status"}\n')
            return bool(probe.recv(1))
        except OSError:
            return False


def ipv4(protocol, source, destination, payload):
    # No identification: packets may be equal without being copies of a mirror.
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0,
                       bytes(source), bytes(destination))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack(">H", total ^ 0xFFFF) + head[12:] + payload


def ethernet(payload, kind=0x0800):
    return b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1" + struct.pack(">H", kind) + payload


def udp(payload, source_port=40000, port=20000, host=1):
    datagram = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    return ethernet(ipv4(17, (10, 0, 0, host), (10, 0, 0, 200), datagram))


def tcp(source, destination, ports, sequence, acknowledged, payload=b"", flags=0x18):
    """A segment, of an established connection unless its flags say otherwise."""
    return ethernet(ipv4(6, source, destination, struct.pack(
        ">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 4096, 0, 0) + payload))


def modbus_read(transaction=1, host=1, port=502):
    """A request to read registers, as UDP: one packet is one complete message."""
    return udp(struct.pack(">HHHBBHH", transaction, 0, 6, 1, 3, 0, 1), port=port, host=host)


def modbus_stop(host=1):
    """UMAS: stop the controller."""
    return udp(struct.pack(">HHHBBBBB", 1, 0, 5, 0, 0x5A, 0, 0x41, 0xFF), port=502, host=host)


def pcap(packets, nano=False, order="<", linktype=1):
    """packets: (seconds after START_S, bytes)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    data = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, linktype)]
    for at, frame in packets:
        stamp = START_S * 10**9 + round(at * 10**9)
        fraction = stamp % 10**9 // (1 if nano else 1000)
        data.append(struct.pack(order + "IIII", stamp // 10**9, fraction, len(frame), len(frame)))
        data.append(frame)
    return b"".join(data)


def pcapng(packets, order="<", linktype=1):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = 12 + len(body)
        return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)
    data = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
            block(1, struct.pack(order + "HHI", linktype, 0, 0))]
    for at, frame in packets:
        stamp = START_S * 10**6 + round(at * 10**6)
        data.append(block(6, struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF,
                                         len(frame), len(frame)) + frame))
    return b"".join(data)


# ---- what was written ----

def lines(path):
    """All events; every line has to be whole and JSON."""
    data = pathlib.Path(path).read_bytes()
    if data and not data.endswith(b"\n"):
        raise AssertionError(f"half a line at the end of {path}: {data[-80:]!r}")
    return [json.loads(line) for line in data.splitlines()]


def of_type(events, kind):
    return [e for e in events if e["event_type"] == kind]


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    has_run = False

    def setUp(self):
        Case.has_run = True
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory(prefix="fieldtap-e2e-")
        self.dir = pathlib.Path(self.folder.name)
        self.out = self.dir / "out"

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def plant(self, name="plant.pcap", **options):
        path = self.dir / name
        words = [w for key, value in options.items() for w in (f"--{key}", str(value))]
        subprocess.run([PLANT, *words, "-o", path], check=True)
        return path

    def events(self, directory=None):
        return lines((directory or self.out) / "eve.json")

    def stats(self, directory=None):
        return json.loads(((directory or self.out) / "stats.json").read_text())

    def assertOk(self, result):
        self.assertEqual((result.code, result.err), (0, ""))

    def assertFails(self, result, code, *words):
        """One sentence on standard error, nothing on standard output, this exit code."""
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertEqual(result.out, "")
        for word in words:
            self.assertIn(word, result.err)


# What a machine on which everything is installed may lack.
MAY_LACK = ("this kernel has no vcan", "one core", "testpmd wants two cores", "no PCI device",
            "root reads everything", "is so anyway", "no loop device")


def exit_code(result):
    """Of a script's tests: 77, which meson takes for skipped, when none could run. In the long run
    each has to."""
    wrong = [] if os.environ.get("FT_LONG") != "yes" else [
        (test, why) for test, why in result.skipped if why not in MAY_LACK]
    for test, why in wrong:
        print(f"skipped in the long run: {test}: {why}", file=sys.stderr)
    if wrong or not result.wasSuccessful():
        return 1
    return 77 if result.skipped and not Case.has_run else 0


def main():
    global FIELDTAP, PLANT
    FIELDTAP, PLANT = (os.path.abspath(path) for path in sys.argv[1:3])
    result = unittest.main(argv=sys.argv[:1] + sys.argv[3:], exit=False).result
    sys.exit(exit_code(result))
