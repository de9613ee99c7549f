# SPDX-License-Identifier: BSD-3-Clause
"""Conversations for tests, made byte by byte: functions of (client, server) that give frames."""

import struct

import sensor

C, S = "client", "server"


# ---- carriers ----

def tcp(port, *turns, source=40000):
    """A connection; turns are (C or S, bytes), or seconds of silence, which are handed on."""
    def frames(client, server):
        ends = {C: (client, server, (source, port)), S: (server, client, (port, source))}
        seq = {C: 1000, S: 5000}
        yield sensor.tcp(*ends[C], 999, 0, flags=2)
        yield sensor.tcp(*ends[S], 4999, 1000, flags=0x12)
        yield sensor.tcp(*ends[C], 1000, 5000, flags=0x10)
        for turn in turns:
            if isinstance(turn, float):
                yield turn
                continue
            who, data = turn
            for at in range(0, len(data), 1400):
                part = data[at:at + 1400]
                other = S if who == C else C
                yield sensor.tcp(*ends[who], seq[who], seq[other], part)
                seq[who] += len(part)
    return frames


FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def segment(source, destination, ports, flags, window=64240, options=b"", number=0):
    """TCP without a payload: its flags, window and options are what it is about."""
    head = struct.pack(">HHIIBBHHH", *ports, 999, 5000 if flags & ACK else 0,
                       (20 + len(options)) << 2, flags, window, 0, 0)
    packet = bytearray(sensor.ipv4(6, source, destination, head + options))
    packet[4:6] = struct.pack(">H", number)
    packet[10:12] = bytes(2)
    packet[10:12] = struct.pack(">H", checksum(packet[:20]))
    return sensor.ethernet(bytes(packet))


def attempt(port, answer=None, source=40000, flags=SYN, **header):
    """One packet to a port, and what comes back: flags, or nothing."""
    def frames(client, server):
        yield segment(client, server, (source, port), flags, **header)
        if answer is not None:
            yield segment(server, client, (port, source), answer)
    return frames


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16) ^ 0xFFFF


def icmp(kind, code=0, rest=bytes(4), data=b""):
    """From the client; `rest` are the four bytes behind the checksum."""
    body = bytes([kind, code, 0, 0]) + rest + data
    body = body[:2] + struct.pack(">H", checksum(body + bytes(len(body) % 2))) + body[4:]
    return lambda client, server: [sensor.ethernet(sensor.ipv4(1, client, server, body))]


def others(times, make):
    """make(i) with each of so many servers."""
    def frames(client, server):
        for i in range(times):
            yield from make(i)(client, server[:3] + (server[3] + i,))
    return frames


def datagram(source, destination, ports, data):
    head = struct.pack(">HHHH", *ports, 8 + len(data), 0)
    return sensor.ethernet(sensor.ipv4(17, source, destination, head + data))


def udp(port, *turns, source=40000):
    def frames(client, server):
        for who, data in turns:
            if who == C:
                yield datagram(client, server, (source, port), data)
            else:
                yield datagram(server, client, (port, source), data)
    return frames


def broadcast(port, data, source=40000):
    return lambda client, server: [datagram(client, (255, 255, 255, 255), (source, port), data)]


def repeat(times, make):
    """The same again, or other: make(i) gives the conversation."""
    def frames(client, server):
        for i in range(times):
            yield from make(i)(client, server)
    return frames


# ---- protocols ----

def dns_query(name, kind=1, number=1, klass=1):
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    return (struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + question + b"\0"
            + struct.pack(">HH", kind, klass))


def dns(name, kind=1, klass=1):
    return udp(53, (C, dns_query(name, kind, 1, klass)))


def http_request(url="/", host="plc.example", agent="Mozilla/5.0", method="GET", more="", body=b""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return (f"{method} {url} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{more}{length}\r\n"
            .encode() + body)


def http_response(status="200 OK", body=b"", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def http(port=80, **request):
    return tcp(port, (C, http_request(**request)), (S, http_response()))


def tls_record(kind, body):
    return b"\x16\3\3" + struct.pack(">H", len(body) + 4) + bytes([kind]) + struct.pack(
        ">I", len(body))[1:] + body


def client_hello(name):
    name = name.encode()
    server_name = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack(">HH", 0, len(server_name)) + server_name
    return tls_record(1, b"\3\3" + bytes(range(32)) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0"
                      + struct.pack(">H", len(extensions)) + extensions)


def tls(name, port=443):
    return tcp(port, (C, client_hello(name)))


def der(tag, *parts):
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + size + body


def certificate(serial, **subject):
    """X.509 as far as it is read: a key and a signature that are none."""
    oids = {"C": 6, "L": 7, "ST": 8, "O": 10, "OU": 11, "CN": 3}
    name = der(0x30, *(der(0x31, der(0x30, der(6, b"\x55\4" + bytes([oids[key]])),
                                     der(0x0C, value.encode()))) for key, value in subject.items()))
    sha256 = der(0x30, der(6, b"\x2a\x86\x48\x86\xf7\x0d\1\1\x0b"), b"\5\0")
    key = der(0x30, der(0x30, der(6, b"\x2a\x86\x48\x86\xf7\x0d\1\1\1"), b"\5\0"),
              der(3, b"\0", der(0x30, der(2, b"\0" + b"\xc1" * 256), der(2, b"\1\0\1"))))
    times = der(0x30, der(0x17, b"230101000000Z"), der(0x17, b"330101000000Z"))
    body = der(0x30, der(0xA0, der(2, b"\2")), der(2, serial), sha256, name, times, name, key)
    return der(0x30, body, sha256, der(3, b"\0" + b"\x5a" * 256))


def tls_server(cert, port=443):
    hello = b"\3\3" + bytes(range(32)) + b"\0" + b"\xc0\x2f" + b"\0"
    chain = struct.pack(">I", len(cert))[1:] + cert
    chain = struct.pack(">I", len(chain))[1:] + chain
    return tcp(port, (C, client_hello("a.example")),
               (S, tls_record(2, hello) + tls_record(11, chain)))


def modbus(pdu, unit=1, transaction=1, source=40000):
    return tcp(502, (C, struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu),
               source=source)


def tpkt(body):
    return struct.pack(">BBH", 3, 0, len(body) + 4) + body


def s7(pdu):
    """In COTP data."""
    return tpkt(b"\2\xf0\x80" + pdu)


def s7_job(parameters, data=b"", reference=1):
    return s7(struct.pack(">BBHHHH", 0x32, 1, 0, reference, len(parameters), len(data))
              + parameters + data)


def s7_userdata(group, function, data):
    parameters = bytes((0, 1, 0x12, 4, 0x11, 0x40 | group, function, 0))
    data = b"\xff\x09" + struct.pack(">H", len(data)) + data
    return s7(struct.pack(">BBHHHH", 0x32, 7, 0, 1, len(parameters), len(data)) + parameters + data)


def cotp_connect():
    return tpkt(b"\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2")


def cotp_confirm():
    return tpkt(b"\x11\xd0\0\1\0\2\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2")


def s7_talk(*turns):
    setup = s7_job(b"\xf0\0\0\1\0\1\1\xe0", reference=0)
    return tcp(102, (C, cotp_connect()), (S, cotp_confirm()), (C, setup), *turns)


def dnp3_crc(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA6BC if crc & 1 else 0)
    return struct.pack("<H", crc ^ 0xFFFF)


def dnp3(application, destination=10, source=1):
    """A request of a master: one frame."""
    user = b"\xc0" + application
    head = struct.pack("<HBBHH", 0x6405, len(user) + 5, 0xC4, destination, source)
    blocks = [user[i:i + 16] for i in range(0, len(user), 16)]
    return head + dnp3_crc(head) + b"".join(b + dnp3_crc(b) for b in blocks)


def cip_path(tag):
    tag = tag.encode()
    return b"\x91" + bytes([len(tag)]) + tag + bytes(len(tag) % 2)


def enip(command, data, session=0):
    return struct.pack("<HHII8sI", command, len(data), session, 0, b"fieldtap", 0) + data


def cip(message, session=7):
    """A request without a connection (UCMM)."""
    items = struct.pack("<IHHHHHH", 0, 10, 2, 0, 0, 0xB2, len(message)) + message
    return enip(0x6F, items, session)


def cip_talk(*messages):
    register = struct.pack("<HH", 1, 0)
    return tcp(44818, (C, enip(0x65, register)), (S, enip(0x65, register, 7)),
               *((C, cip(message)) for message in messages))


def write_tag(tag, value):
    path = cip_path(tag)
    return bytes((0x4D, len(path) // 2)) + path + struct.pack("<HHh", 0xC3, 1, value)


def wide(text):
    return text.encode("utf-16-le")
