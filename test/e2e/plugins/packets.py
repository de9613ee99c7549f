# SPDX-License-Identifier: BSD-3-Clause
"""Writing small captures by hand: Ethernet, IPv4, TCP and UDP with checksums, pcap files."""
import struct


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return bytes(int(part) for part in text.split("."))


def mac(text):
    """A made-up MAC address for an IPv4 address."""
    return b"\x02\x00" + address(text)


class Capture:
    """Packets in the order of their making, 10 ms apart."""

    def __init__(self):
        self.records = []
        self.time_us = 1700000000 * 1000000
        self.ident = 0

    def wait(self, seconds):
        self.time_us += int(seconds * 1000000)

    def ipv4(self, src, dst, proto, payload):
        self.ident = (self.ident + 1) & 0xFFFF
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), self.ident, 0x4000, 64,
                             proto, 0, address(src), address(dst))
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        frame = mac(dst) + mac(src) + b"\x08\x00" + header + payload
        self.records.append((self.time_us, frame.ljust(60, b"\0")))
        self.time_us += 10000

    def segment(self, src, dst, proto, make):
        """`make(checksum)` gives the transport header and payload."""
        body = make(0)
        pseudo = address(src) + address(dst) + struct.pack("!BBH", 0, proto, len(body))
        self.ipv4(src, dst, proto, make(checksum(pseudo + body)))

    def udp(self, src, sport, dst, dport, payload):
        self.segment(src, dst, 17, lambda c: struct.pack(
            "!HHHH", sport, dport, 8 + len(payload), c) + payload)

    def write(self, path):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for time_us, frame in self.records:
                f.write(struct.pack("<IIII", time_us // 1000000, time_us % 1000000, len(frame),
                                    len(frame)))
                f.write(frame)


SYN, ACK, PSH, FIN = 2, 16, 8, 1


class Tcp:
    """One connection; says bytes to either side in segments of at most `mss`."""

    def __init__(self, capture, client, cport, server, sport):
        self.capture = capture
        self.ends = [(client, cport), (server, sport)]
        self.next = [1000, 2000]

    def packet(self, sender, flags, payload=b""):
        (src, sport), (dst, dport) = self.ends[sender], self.ends[1 - sender]
        fields = struct.pack("!HHIIBBH", sport, dport, self.next[sender],
                             self.next[1 - sender] if flags & ACK else 0, 0x50, flags, 8192)
        self.capture.segment(src, dst, 6, lambda c: fields + struct.pack("!HH", c, 0) + payload)
        self.next[sender] += len(payload) + bool(flags & (SYN | FIN))

    def open(self):
        self.packet(0, SYN)
        self.packet(1, SYN | ACK)
        self.packet(0, ACK)
        return self

    def say(self, sender, data, mss=1460):
        for at in range(0, len(data), mss):
            self.packet(sender, ACK | PSH, data[at:at + mss])
        return self

    def client(self, data, mss=1460):
        return self.say(0, data, mss)

    def server(self, data, mss=1460):
        return self.say(1, data, mss)

    def close(self):
        self.packet(0, FIN | ACK)
        self.packet(1, FIN | ACK)
        self.packet(0, ACK)


def modbus(transaction, unit, pdu):
    return struct.pack("!HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def crc16_modbus(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def kilnlink(flags, zone, sequence, command, body=b""):
    frame = b"KLN2" + struct.pack("!HBBHH", len(body), flags, zone, sequence, command) + body
    return frame + struct.pack("!H", crc16_modbus(frame))


def short_string(text):
    return bytes([len(text)]) + text.encode()
