#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The guide to rules: each of its examples is read from doc/rules.md, checked, and run on traffic
that fires it and on traffic that nearly does.

usage: test_rules.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import json
import pathlib
import re
import struct
from random import Random

import sensor
import traffic
from sensor import Case, of_type, pcap, run
from traffic import C, S, dns, http, repeat, tcp, tls, udp

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "doc/rules.md"
PLC, SAFETY, LOGIX = (10, 1, 1, 10), (10, 1, 1, 50), (10, 1, 1, 11)
ENGINEERING, SCADA, OFFICE = (10, 1, 3, 20), (10, 1, 3, 9), (10, 2, 0, 7)
NIGHT, DAY = 0.0, 12 * 3600.0  # START_S is on a Tuesday, 23:13 in Berlin


def write_register(register, value, unit=1):
    return traffic.modbus(struct.pack(">BHH", 6, register, value), unit=unit)


def operate(*points):
    """DNP3: direct operate with one header for each (group, index)."""
    block = struct.pack("<BBIIB", 1, 1, 100, 100, 0)  # pulse on, once, for 100 ms
    analog = struct.pack("<hB", 7, 0)
    objects = b"".join(
        struct.pack("<BBBBB", group, 1 if group == 12 else 2, 0x17, 1, index)
        + (block if group == 12 else analog) for group, index in points)
    return tcp(20000, (C, traffic.dnp3(b"\xc0\5" + objects)))


def goose(mac):
    def tlv(tag, value):
        return bytes([tag, len(value)]) + value
    body = (tlv(0x80, b"BAY1/LLN0$GO$gcb1") + tlv(0x81, struct.pack(">H", 2000))
            + tlv(0x82, b"BAY1/LLN0$ds") + tlv(0x84, bytes(8)) + tlv(0x85, b"\1")
            + tlv(0x86, b"\1") + tlv(0x87, b"\0") + tlv(0x88, b"\1") + tlv(0x89, b"\0")
            + tlv(0x8A, b"\1") + tlv(0xAB, tlv(0x83, b"\1")))
    apdu = b"\x61\x81" + bytes([len(body)]) + body
    return lambda client, server: [b"\1\x0c\xcd\1\0\1" + mac + b"\x88\xb8"
                                   + struct.pack(">HHHH", 1, 8 + len(apdu), 0, 0) + apdu]


def modbus_answers(times, answer, pause=0.0):
    """Requests on one connection, each with its answer after a pause."""
    turns = []
    for i in range(times):
        turns += [(C, struct.pack(">HHHBBHH", i, 0, 6, 1, 3, 40000, 1)), pause,
                  (S, struct.pack(">HHHB", i, 0, len(answer) + 1, 1) + answer)]
    return tcp(502, *turns)


def behind(mac, make):
    """The same with the server's frames from and to this MAC address."""
    def frames(client, server):
        for frame in make(client, server):
            is_from = frame[26:30] == bytes(server)
            yield frame[:6] + mac + frame[12:] if is_from else mac + frame[6:]
    return frames


def telnet():
    return tcp(23, (S, b"login: "), (C, b"root\r\n"), (S, b"\r\nPassword: "), (C, b"x\r\n"))


def ports(count, answer, first=100):
    return repeat(count, lambda i: traffic.attempt(first + i, answer, 40000 + i))


def ftp_users(*names):
    turns = [(S, b"220 ready\r\n")]
    for name in names:
        turns += [(C, f"USER {name}\r\n".encode()), (S, b"331 password\r\n")]
    return tcp(21, *turns)


def logins(*codes):
    return repeat(len(codes), lambda i: tcp(
        21, (S, b"220 ready\r\n"), (C, b"USER a\r\n"), (S, b"331 password\r\n"),
        (C, b"PASS b\r\n"), (S, b"%d so\r\n" % codes[i]), source=40000 + i))


def later(_client, _server):
    """Time goes by, and something comes."""
    yield 40.0
    yield sensor.udp(b"x")


SIEMENS = b"\0\x0e\x8c\1\2\3"
WRITE_AT_50 = write_register(7, 1)
STOP = traffic.s7_talk((C, traffic.s7_job(b"\x29\0\0\0\0\0\x09P_PROGRAM", reference=2)))
READ = traffic.s7_talk((C, traffic.s7_job(b"\4\1\x12\x0a\x10\2\0\1\0\1\x84\0\0\0", reference=2)))
DOWNLOAD = traffic.s7_talk((C, traffic.s7_job(
    b"\x1a\0\1\0\0\0\0\0\x09_0800001P\x0d1000312000084", reference=2)))
UPDATE = traffic.modbus(b"\x7d\0\1\0\0")
ABSENT, VALUE = b"\x83\2", b"\3\2\0\7"

# heading: (what fires it, what nearly does), each (client, server, begin, conversation) or several
ROWS = {
    "A register above its limit outside working hours": (
        [(SCADA, PLC, NIGHT, write_register(107, 801))],
        [(SCADA, PLC, NIGHT, write_register(107, 800)), (SCADA, LOGIX, NIGHT,
                                                       write_register(108, 900)),
         (SCADA, SAFETY, DAY, write_register(107, 900))]),
    "Commands to a safety controller from anywhere but two hosts": (
        [(SCADA, SAFETY, NIGHT, WRITE_AT_50)],
        [(ENGINEERING, SAFETY, NIGHT, WRITE_AT_50), (SCADA, PLC, NIGHT, WRITE_AT_50),
         (SCADA, SAFETY, NIGHT, traffic.modbus(b"\3\0\0\0\1", source=40001))]),
    "An S7 controller is stopped or gets another program": (
        [(SCADA, PLC, NIGHT, STOP), (SCADA, LOGIX, NIGHT, DOWNLOAD)],
        [(SCADA, PLC, NIGHT, READ), (ENGINEERING, PLC, NIGHT, STOP)]),
    "Direct operation of one DNP3 point": (
        [(SCADA, PLC, NIGHT, operate((12, 4), (12, 5)))],
        [(SCADA, PLC, NIGHT, operate((12, 4), (41, 5)))]),
    "A CIP tag gets a value that it must not have": (
        [(SCADA, LOGIX, NIGHT, traffic.cip_talk(traffic.write_tag("MixerSpeed", 1501)))],
        [(SCADA, LOGIX, NIGHT, traffic.cip_talk(traffic.write_tag("MixerSpeed", 1500),
                                                traffic.write_tag("Mixer", 1600)))]),
    "GOOSE from a device that is no relay": (
        [(SCADA, PLC, NIGHT, goose(b"\2\0\0\0\0\x99"))],
        [(SCADA, PLC, NIGHT, goose(b"\0\x30\xa7\1\2\3")),
         (SCADA, PLC, NIGHT, goose(b"\0\x21\xc1\x12\x34\x56"))]),
    "A protocol that does not belong into a zone": (
        [(SCADA, PLC, NIGHT, http())],
        [(SCADA, PLC, NIGHT, READ), (SCADA, ENGINEERING, NIGHT, http())]),
    "Settings of a controller changed over its web page": (
        [(OFFICE, PLC, NIGHT, http(method="POST", url="/Config/ip", body=b"a=1"))],
        [(OFFICE, PLC, NIGHT, http(url="/config/ip")),
         (OFFICE, (10, 1, 1, 200), NIGHT, http(method="POST", url="/config/ip", body=b"a=1")),
         (OFFICE, LOGIX, NIGHT, http(method="POST", url="/reconfig/", body=b"a=1"))]),
    "New firmware, whoever sends it": (
        [(ENGINEERING, PLC, NIGHT, UPDATE)], [(ENGINEERING, PLC, NIGHT, WRITE_AT_50)]),
    "A value in a protocol that nobody knows": (
        [(PLC, SCADA, NIGHT, udp(5100, (C, b"..LVL\0" + struct.pack("<H", 4500))))],
        [(PLC, SCADA, NIGHT, udp(5100, (C, b"..LVL\0" + struct.pack("<H", 4499)))),
         (PLC, SCADA, NIGHT, udp(5101, (C, b"..LVL\0" + struct.pack("<H", 4500)))),
         (PLC, SCADA, NIGHT, udp(5100, (C, b"..LVL\0\xff")))]),
    "A device that answers too slowly": (
        [(SCADA, PLC, NIGHT, modbus_answers(5, VALUE, 0.6))],
        [(SCADA, PLC, NIGHT, modbus_answers(4, VALUE, 0.6)),
         (SCADA, LOGIX, NIGHT, modbus_answers(5, VALUE, 0.4))]),
    "Somebody gropes for registers": (
        [(SCADA, PLC, NIGHT, modbus_answers(20, ABSENT))],
        [(SCADA, PLC, NIGHT, modbus_answers(19, ABSENT)),
         (OFFICE, PLC, NIGHT, modbus_answers(19, ABSENT))]),
    "Somebody searches for open ports": (
        [(OFFICE, PLC, NIGHT, repeat(3, lambda i: (
            ports(5, traffic.RST | traffic.ACK), ports(5, None, 200), later)[i]))],
        [(OFFICE, PLC, NIGHT, ports(8, traffic.RST | traffic.ACK)),
         (OFFICE, LOGIX, NIGHT, ports(20, traffic.SYN | traffic.ACK)),
         (OFFICE, ENGINEERING, NIGHT, ports(20, traffic.RST | traffic.ACK)),
         (OFFICE, PLC, NIGHT, repeat(30, lambda i: traffic.attempt(80, None, 41000 + i))),
         (SCADA, PLC, NIGHT, later)]),
    "Somebody looks for devices": (
        [(OFFICE, (10, 1, 1, 0), NIGHT, repeat(8, lambda i: lambda client, server: (
            traffic.attempt(502)(client, server[:3] + (i,)))))],
        [(OFFICE, (10, 1, 1, i), NIGHT, traffic.attempt(502)) for i in range(7)]
        + [((10, 1, 3, 30), (10, 1, 1, i), NIGHT, traffic.attempt(502)) for i in range(20)]
        + [(SCADA, (10, 1, 1, i), NIGHT, traffic.attempt(80)) for i in range(20)]),
    "One user name after another": (
        [(OFFICE, PLC, NIGHT, ftp_users("a", "b", "c", "d", "e"))],
        [(OFFICE, PLC, NIGHT, ftp_users("a", "b", "c", "d", "d", "a", "b"))]),
    "A password was guessed": (
        [(OFFICE, PLC, NIGHT, logins(530, 530, 530, 230))],
        [(OFFICE, PLC, NIGHT, logins(530, 530, 230)), (SCADA, PLC, NIGHT, logins(530, 230))]),
    "Names from a list of a million": (
        [(SCADA, OFFICE, NIGHT, dns("c2.example")), (SCADA, OFFICE, NIGHT, tls("bad.example"))],
        [(SCADA, OFFICE, NIGHT, dns("www.c2.example"))]),
    "Remote login to the devices of one vendor": (
        [(OFFICE, PLC, NIGHT, behind(SIEMENS, telnet()))],
        [(SCADA, PLC, NIGHT, behind(SIEMENS, telnet())), (OFFICE, LOGIX, NIGHT, telnet()),
         (OFFICE, PLC, NIGHT, behind(SIEMENS, http()))]),
}


def blocks():
    """(heading, JSON) of the guide, in its order."""
    heading, found = "", []
    for part in re.split(r"^(#+ .*)$", GUIDE.read_text(encoding="utf-8"), flags=re.M):
        if part.startswith("#"):
            heading = part.lstrip("# ")
        found += [(heading, text) for text in re.findall(r"```json\n(.*?)```", part, re.S)]
    return found


def examples():
    """After the heading "Examples"."""
    text = GUIDE.read_text(encoding="utf-8")
    after = text[text.index("\n## Examples\n"):]
    return [(heading, block) for heading, block in blocks() if f"\n### {heading}\n" in after]


def packets(parts):
    frames, at = [], 0.0
    for client, server, begin, make in parts:
        at = max(at, begin)
        for item in make(client, server):
            at += item if isinstance(item, float) else 0.001
            if not isinstance(item, float):
                frames.append((at, item))
    return frames


class Segments(Case):
    """Patterns in streams that no dissector reads."""

    TEXT = b"xxPATTERN-Across7yy"
    CONDITIONS = {
        9200001: 'port.dst == 9700 and payload contains "PATTERN-Across7"',
        9200002: 'payload contains "PATTERN-Across7"',
        9200003: 'port in {9700, 9701} and payload matches "N-[A-Z]cro.{2}[0-9]"',
        9200004: 'lower(payload) contains "pattern-aCROSS"',
        9200005: 'port.dst == 9700 and payload contains "PATTERN" and payload contains "7yy"',
        9200006: 'port.dst == 9700 and payload matches "^PATTERN"',
        9200007: 'port.dst == 9700 and payload.length > 30',
        9200008: 'port.dst == 9700 and not payload contains "a"',
        9200009: 'port.dst == 9700 and payload contains "yyxx"',
    }

    def hits(self, *conversations):
        """How often each rule held."""
        rules = self.write("split.json", json.dumps({"rules": [
            {"id": i, "title": "t", "when": when}
            for i, when in self.CONDITIONS.items()]}).encode())
        capture = self.write("split.pcap", pcap(packets(
            [(SCADA, PLC, 0.0, make) for make in conversations])))
        out = self.dir / f"out{len(list(self.dir.glob('out*')))}"
        config = self.write("none.json", b'{"alerts": {"built_in_rules": "off"}}')
        r = run("-q", "-c", config, "-r", capture, "-l", out, "--rules", rules)
        self.assertEqual(r.code, 0, r.err)
        counted = json.loads((out / "rules.json").read_text())["rules"]
        return [next((c["hits"] for c in counted if c["id"] == i), 0) for i in self.CONDITIONS]

    def test_cut_anywhere(self):
        """Found once, wherever the text is cut; what no joining makes true is not."""
        text, cuts = self.TEXT, range(1, len(self.TEXT))
        split = [tcp(9700, (C, text[:cut]), (C, text[cut:]), source=40000 + cut) for cut in cuts]
        told = self.hits(*split)
        n = len(cuts)
        self.assertEqual(told[:5], [n] * 5)
        self.assertEqual(told[5:7], [1, 0])  # the text begins a payload where it was cut at 2
        self.assertEqual(told[7:], [2 * n, 0])

    def test_whole(self):
        self.assertEqual(self.hits(tcp(9700, (C, self.TEXT)))[:5], [1] * 5)

    def test_byte_by_byte(self):
        turns = [(C, self.TEXT[i:i + 1]) for i in range(len(self.TEXT))]
        self.assertEqual(self.hits(tcp(9700, *turns))[:5], [1] * 5)

    def test_each_time(self):
        """Text behind text, cut at any place."""
        whole = self.TEXT * 4
        for size in (1, 7, 10, 19, 23):
            turns = [(C, whole[i:i + size]) for i in range(0, len(whole), size)]
            told = self.hits(tcp(9700, *turns))
            with self.subTest(size):
                self.assertEqual(told[0], 4)

    def test_not_joined(self):
        """Neither the two directions, nor two connections, nor what a gap parts."""
        half, rest = self.TEXT[:9], self.TEXT[9:]
        self.assertEqual(self.hits(tcp(9700, (C, half), (S, rest)))[:5], [0] * 5)
        self.assertEqual(self.hits(tcp(9700, (C, half)), tcp(9700, (C, rest), source=40001))[:5],
                         [0] * 5)
        whole = tcp(9700, (C, half), (C, b"gap"), (C, rest))

        def lossy(client, server):
            return [frame for frame in whole(client, server)
                    if isinstance(frame, float) or b"gap" not in frame]
        self.assertEqual(self.hits(lossy)[:5], [0] * 5)

    def test_whole_in_a_segment(self):
        """A PDU of several segments, one of which has all of the text: that is once."""
        self.CONDITIONS = {9200001: 'port.dst == 80 and payload contains "PATTERN-Across7"',
                           9200002: 'port.dst == 80 and payload contains "PATTERN-Across7" '
                                    'and payload contains "BEHIND-it9"',
                           9200003: 'port.dst == 80 and payload.length > 20'}
        body = traffic.http_request("/" + self.TEXT.decode(), more="X: BEHIND-it9\r\n")
        end = body.index(b"Across7") + 7
        one = body.index(b"BEHIND")
        self.assertEqual(self.hits(tcp(80, (C, body[:end]), (C, body[end:]))), [1, 1, 2])
        self.assertEqual(self.hits(tcp(80, (C, body[:3]), (C, body[3:end]), (C, body[end:one + 3]),
                                       (C, body[one + 3:])))[:2], [1, 1])
        # Twice: in a request, and in the next, whose end has it.
        self.assertEqual(self.hits(tcp(80, (C, body[:end]), (C, body[end:]), (C, body[:end - 3]),
                                       (C, body[end - 3:])))[:2], [2, 2])

    def test_pipelined(self):
        """PDUs side by side: what one has is found once, in the segments and in it as a whole."""
        self.CONDITIONS = {9200001: 'port.dst == 80 and payload contains "PATTERN-Across7"',
                           9200002: 'port.dst == 80 and payload matches "PATT[A-Z]+-A[a-z]+7"'}
        other, one = traffic.http_request("/a"), traffic.http_request("/" + self.TEXT.decode())
        begin, end = one.index(b"PATT"), one.index(b"7") + 1
        for requests in ((one, other), (other, one), (other, other, one), (other, one, other)):
            whole, at = b"".join(requests), len(other) * requests.index(one)
            for cut in (0, at + begin, at + begin + 3, at + end, at + len(one) - 1, at + len(one)):
                turns = [(C, part) for part in (whole[:cut], whole[cut:]) if part]
                with self.subTest((requests.index(one), len(requests), cut - at)):
                    self.assertEqual(self.hits(tcp(80, *turns)), [1, 1])

    def test_dissected(self):
        """A PDU is put together by its dissector: it is found once, too."""
        body = traffic.http_request("/" + self.TEXT.decode())
        cuts = range(8, 21)  # through the pattern
        self.CONDITIONS = {9200001: 'port.dst == 80 and payload contains "PATTERN-Across7"'}
        split = [tcp(80, (C, body[:cut]), (C, body[cut:]), source=40000 + cut) for cut in cuts]
        self.assertEqual(self.hits(*split), [len(cuts)])


    def test_between_messages(self):
        """Across two messages, and in a body that is passed over: found once, too."""
        self.CONDITIONS = {9200001: 'port.dst == 80 and payload contains "PATTERN-Across7"'}
        text = self.TEXT
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (len(text) + 20)
        cuts = range(1, len(text))
        split = [tcp(80, (C, head + b"0123456789" + text[:cut]), (C, text[cut:] + b"9876543210"),
                     source=40000 + cut) for cut in cuts]
        self.assertEqual(self.hits(*split), [len(cuts)])
        first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nPATT"
        self.assertEqual(self.hits(tcp(80, (C, first), (C, b"ERN-Across7 / HTTP/1.1\r\n\r\n"))), [1])
        self.assertEqual(self.hits(tcp(80, (C, first), (S, b"ERN-Across7"))), [0])


class Alternatives(Case):
    """A condition holds for whatever message it says, also one of no protocol that it names."""

    CONDITIONS = [
        # (a condition, one that holds for as many messages)
        ('payload contains "Oven_Temp"', 'payload contains "Oven_Temp" or modbus.unit_id == 77'),
        ("protocol == s7comm and tpkt.version == 3 and command == read_var",
         "tpkt.version == 3 and command == read_var"),
        ("protocol == cip and enip.session and command.class == read",
         "enip.session and command.class == read"),
        ("protocol == umas and modbus.unit_id", "protocol != modbus and modbus.unit_id"),
        ("protocol == dns and transport == udp",
         "protocol == dns and not (modbus.unit_id == 255)"),
    ]

    def test_of_protocols(self):
        wholes = [("protocol == dns", "protocol == dns or port == 502"),
                  ("command.class == diagnostic",
                   "command.class == diagnostic or command == read_var")]
        texts = [text for pair in self.CONDITIONS + wholes for text in pair]
        rules = [{"id": 9200001 + i, "title": f"Rule {i}", "when": text}
                 for i, text in enumerate(texts)]
        path = self.write("rules.json", json.dumps({"rules": rules}).encode())
        self.assertOk(run("-r", self.plant(seconds=40), "--rules", path, "-l", self.out))
        told = json.loads((self.out / "rules.json").read_text())["rules"]
        hits = {rule["id"]: rule["run"]["hits"] for rule in told}
        hits = [hits[rule["id"]] for rule in rules]
        for i in range(0, 2 * len(self.CONDITIONS), 2):
            self.assertGreater(hits[i], 0, texts[i])
            self.assertEqual(hits[i], hits[i + 1], texts[i + 1])
        for i in range(2 * len(self.CONDITIONS), len(hits), 2):
            self.assertGreater(hits[i], 0, texts[i])
            self.assertGreater(hits[i + 1], hits[i], texts[i + 1])


class Unread(Case):
    """What no dissector reads is a message of the protocol "unknown"."""

    CONDITIONS = {
        9200001: 'direction == to_server and payload contains "PATTERN"',
        9200002: 'direction == to_client and payload contains "PATTERN"',
        9200003: "ip.dst == 10.1.1.10 and protocol not in {modbus, dns}",
        9200004: "protocol == unknown and port.dst == 9700",
        9200005: "not (protocol == modbus) and port.src == 9700",
        9200006: 'protocol == modbus and payload contains "PATTERN"',
        9200007: "direction == to_server and port.dst == 9701 and transport == udp",
    }
    hits = Segments.hits

    def test_conversation(self):
        """Each payload counts, in its direction, also where a pattern is cut."""
        talk = tcp(9700, (C, b"a PATTERN b"), (S, b"a PAT"), (S, b"TERN b"), (C, b"PATTER"), (C, b"N"))
        self.assertEqual(self.hits(talk), [2, 1, 3, 3, 2, 0, 0])

    def test_datagrams(self):
        self.assertEqual(self.hits(udp(9701, (C, b"PATTERN"), (S, b"PATTERN"), (C, b"x"))),
                         [1, 1, 2, 0, 0, 0, 2])

    def test_known(self):
        """What is read is none; nor are packets without payload."""
        self.assertEqual(self.hits(traffic.modbus(b"\3\0\0\0\1"), tcp(9700), dns("a.example")),
                         [0] * 7)

    def test_foreign(self):
        """Other content on a port that is bound; what is found later is unknown before."""
        self.assertEqual(self.hits(tcp(502, (C, b"a PATTERN b"), (S, b"x"))), [1, 0, 1, 0, 0, 0, 0])

    def test_told(self):
        """Its alert says so, and the message of the rule can name both."""
        capture = self.write("a.pcap", pcap(packets([(SCADA, PLC, 0.0, tcp(9700, (C, b"hello")))])))
        rules = self.write("a.json", json.dumps({"rules": [{
            "id": 9200001, "title": "Unknown", "when": "protocol == unknown and direction == to_server",
            "message": "{protocol} {direction} {payload}"}]}).encode())
        self.assertOk(run("-q", "-r", capture, "-l", self.out, "--rules", rules))
        alert, = [a for a in of_type(self.events(), "alert")
                  if a["alert"]["signature_id"] == 9200001]
        self.assertEqual(alert["fieldtap"]["message"], "unknown to_server 68656c6c6f")


class Secrets(Case):
    """{payload} in a message."""

    def messages(self, when, conversation):
        capture = self.write("a.pcap", pcap(packets([(SCADA, PLC, 0.0, conversation)])))
        rules = self.write("a.json", json.dumps({"rules": [{
            "id": 9200001, "title": "t", "when": when, "message": "{payload}"}]}).encode())
        out = self.dir / f"out{len(list(self.dir.glob('out*')))}"
        self.assertOk(run("-q", "-r", capture, "-l", out, "--rules", rules))
        return [a["fieldtap"]["message"] for a in of_type(self.events(out), "alert")
                if a["alert"]["signature_id"] == 9200001]

    def test_of_messages(self):
        """What the dissector says is secret is stars, and nothing else."""
        ftp = tcp(21, (S, b"220 ready\r\n"), (C, b"PASS secret\r\n"), (S, b"230 in\r\n"))
        told = self.messages('protocol == ftp and payload contains "PASS"', ftp)
        self.assertEqual([bytes.fromhex(t.replace("**", "2a")) for t in told], [b"PASS ******\r\n"])

    def test_of_packets(self):
        """Nobody has read them: they are told by their length."""
        ftp = tcp(21, (S, b"220 ready\r\n"), (C, b"PASS secret\r\n"))
        told = self.messages('payload contains "PASS"', ftp)
        self.assertEqual(told, ["(13 bytes, maybe with a password)"])
        told = self.messages('payload contains "PASS"', tcp(9700, (C, b"PASS x")))
        self.assertEqual(told, ["504153532078"])

    def test_of_what_nobody_reads(self):
        """Ports of which it is known that clients log in there; what servers say is shown."""
        for port, told in ((389, "(14 bytes, maybe with a password)"), (390, "cn=a passw0rd\n")):
            bind = tcp(port, (C, b"cn=a passw0rd\n"), (S, b"no passw0rd of yours\n"))
            for when in ('payload contains "passw0rd"',
                         'protocol == unknown and payload contains "passw0rd"'):
                for side, text in (("dst", told), ("src", "no passw0rd of yours\n")):
                    texts = {t if t[0] == "(" else bytes.fromhex(t).decode()
                             for t in self.messages(f"port.{side} == {port} and {when}", bind)}
                    self.assertEqual(texts, {text}, (port, when))
            capture = self.write("a.pcap", pcap(packets([(SCADA, PLC, 0.0, bind)])))
            rules = self.write("a.json", json.dumps({"rules": [
                {"id": 9200000 + i, "title": "t", "when": f'{more}payload matches "cn=. [a-z]+0rd"'}
                for i, more in enumerate(("", "protocol == unknown and "))]}).encode())
            out = self.dir / f"evidence{port}"
            self.assertOk(run("-q", "-r", capture, "-l", out, "--rules", rules))
            self.assertEqual(len(of_type(self.events(out), "alert")), 2)
            text = (out / "eve.json").read_text()
            self.assertEqual("passw0rd" in text or b"passw0rd".hex() in text, port == 390)

    def test_of_carriers(self):
        """What is carried has a password that the rule about the carrier knows nothing of."""
        talk = traffic.s7_talk((C, traffic.s7_userdata(5, 1, b"\x55" * 8)), 2.0,
                               (C, traffic.s7_userdata(5, 1, b"\x56" * 8)))
        told = self.messages('protocol == cotp and payload contains "VVVV"', talk)
        self.assertEqual(told, ["(37 bytes, maybe with a password)"])

    def test_evidence(self):
        """Bytes that an expression finds may be the password, of the first login or of a later."""
        logins = [turn for i in range(3) for turn in
                  ((C, b"PASS hunter%d\r\n" % i), (S, b"530 no\r\n"), 2.0)]
        capture = self.write("ftp.pcap", pcap(packets(
            [(SCADA, PLC, 0.0, tcp(21, (S, b"220 ready\r\n"), *logins))])))
        rules = self.write("ftp.json", json.dumps({"rules": [
            {"id": 9200000 + 10 * i + k, "title": "t", "when": f'{more}payload matches "S [a-z]+{i}"'}
            for i in range(3) for k, more in enumerate(("", "protocol == ftp and "))]}).encode())
        self.assertOk(run("-q", "-r", capture, "-l", self.out, "--rules", rules))
        told = {a["alert"]["signature_id"] for a in of_type(self.events(), "alert")}
        self.assertLessEqual({9200000 + 10 * i + k for i in range(3) for k in range(2)}, told)
        text = (self.out / "eve.json").read_text()
        self.assertFalse("hunter" in text or b"hunter".hex() in text)


class Elements(Case):
    """Which element of a list it was, though the others are not kept."""

    @staticmethod
    def read(*blocks):
        items = b"".join(struct.pack(">BBBBHHB", 0x12, 10, 0x10, 2, 1, db, 0x84) + b"\0\0\x50"
                         for db in blocks)
        return C, traffic.s7_job(bytes((4, len(blocks))) + items)

    def test_of_a_list(self):
        """The first is new, and has all its fields; of the second rules alone want some."""
        turns = (self.read(1, 2, 9, 3), 2.0, self.read(1, 2, 8, 3))
        capture = self.write("s7.pcap", pcap(packets([(SCADA, PLC, 0.0,
                                                       traffic.s7_talk(*turns))])))
        rules = self.write("s7.json", json.dumps({"rules": [
            {"id": 9200000 + db, "title": "t", "when": f"s7comm.items.db == {db}"}
            for db in (8, 9)]}).encode())
        self.assertOk(run("-q", "-r", capture, "-l", self.out, "--rules", rules))
        told = {a["alert"]["signature_id"] - 9200000: a
                for a in of_type(self.events(), "alert") if a["alert"]["signature_id"] >= 9200000}
        for db, blocks in ((9, [1, 2, 9, 3]), (8, [8])):
            self.assertEqual(told[db]["fieldtap"]["evidence"]["element"], "items[2].db")
            self.assertEqual([item["db"] for item in told[db]["s7comm"]["items"]], blocks)


class Evidence(Case):
    """Where what was found stands."""

    def evidence(self, frames, when):
        capture = self.write("a.pcap", pcap([(i * 0.01, frame) for i, frame in enumerate(frames)]))
        rules = self.write("r.json", json.dumps({"rules": [
            {"id": 9200001, "title": "t", "when": when}]}).encode())
        self.assertOk(run("-q", "-r", capture, "-l", self.out, "--rules", rules))
        found = next(a for a in of_type(self.events(), "alert") if a["alert"]["signature_id"] == 9200001)
        return {key: found["fieldtap"]["evidence"].get(key)
                for key in ("value", "offset", "length", "packet")} | {"pcap_cnt": found["pcap_cnt"]}

    def test_object_of_snmp(self):
        """What is decoded has its bytes, too."""
        oid = bytes.fromhex("2b06010201")
        binding = b"\x30\x09\x06\x05" + oid + b"\x05\x00"
        pdu = bytes.fromhex("020101020100020100") + bytes([0x30, len(binding)]) + binding
        message = b"\x02\x01\x01\x04\x06public\xa0" + bytes([len(pdu)]) + pdu
        message = bytes([0x30, len(message)]) + message
        self.assertEqual(
            self.evidence([sensor.udp(message, port=161)], "snmp.varbind.oid == \"1.3.6.1.2.1\""),
            {"value": "1.3.6.1.2.1", "offset": message.index(oid), "length": 5, "packet": 1, "pcap_cnt": 1})

    def test_message_behind_a_hole(self):
        """It is of the packet that brought it, whatever fills the hole."""
        def write(number, address):
            return struct.pack(">HHHBBHH", number, 0, 6, 1, 6, address, 5)
        frames = [sensor.tcp(SCADA, PLC, (40000, 502), 1 + 12 * n, 1, write(n, address))
                  for n, address in ((0, 1), (1, 2), (3, 107), (4, 3), (2, 4), (5, 5))]
        expected = {"value": "107", "offset": 8, "length": 2, "packet": 3, "pcap_cnt": 3}
        self.assertEqual(self.evidence(frames, "modbus.write.address == 107"), expected)


class Guide(Case):
    """doc/rules.md."""

    def setUp(self):
        super().setUp()
        self.write("bad-names.txt", b"# of the block list\nc2.example\nbad.example  # since May\n")
        whole = next(json.loads(text) for heading, text in blocks() if "working_hours" in text)
        whole["alerts"] = {"built_in_rules": "off"}
        self.config = self.write("fieldtap.json", json.dumps(whole).encode())

    def alerts(self, parts, rules):
        capture = self.write("a.pcap", pcap(packets(parts)))
        out = self.dir / f"out{len(list(self.dir.glob('out*')))}"
        self.assertOk(run("-q", "-c", self.config, "-r", capture, "-l", out, "--rules", rules))
        return [a for a in of_type(self.events(out), "alert")
                if 9200000 < a["alert"]["signature_id"] < 9300000]

    def test_every_example_has_its_row(self):
        self.assertEqual([heading for heading, _ in examples()], list(ROWS))

    def check(self, where, count):
        r = run("-c", self.config, "--check-rules", where)
        self.assertOk(r)
        self.assertEqual(r.out, f"rules: {count} accepted, 0 refused\n")

    def test_all_examples_are_one_rule_set(self):
        folder = self.dir / "rules"
        folder.mkdir()
        (self.dir / "bad-names.txt").rename(folder / "bad-names.txt")
        for number, (_, text) in enumerate(examples()):
            (folder / f"{number:02}.json").write_text(text)
        self.check(folder, sum(len(json.loads(text)["rules"]) for _, text in examples()))

    def test_other_blocks(self):
        """All that is JSON is right, wherever it stands."""
        others = [block for block in blocks() if block not in examples()]
        self.assertEqual(len(others), 3)
        for heading, text in others:
            whole = json.loads(text)
            if "working_hours" not in whole:
                with self.subTest(heading):
                    self.check(self.write("block.json", text.encode()),
                               len(whole.get("rules", [])))

    def test_what_never_holds(self):
        """Each condition of the lists of what is refused is refused for that."""
        text = GUIDE.read_text(encoding="utf-8")
        part = text[text.index("\nWhat can never hold is known"):text.index("\nValues that a test names")]
        conditions = [line.split("  #")[0].strip()
                      for line in re.findall(r"^    (\S.*)$", part, flags=re.M)]
        self.assertGreaterEqual(len(conditions), 30)
        rules = {"sets": {"plc": {"type": "ip", "values": ["10.1.1.0/25"]}},
                 "tags": [{"name": "text", "transport": "udp", "port": 5, "type": "text", "length": 4}],
                 "rules": [{"id": 9200001 + i, "title": "t", "when": when}
                           for i, when in enumerate(conditions)]}
        said = run("-c", self.config, "--check-rules",
                   self.write("never.json", json.dumps(rules, indent=1).encode()))
        self.assertEqual(said.out, f"rules: 0 accepted, {len(conditions)} refused\n")
        for line in said.err.splitlines():
            self.assertRegex(line, "can never hold|can never be|has no such value|are from 0 to 5")

    def test_conditions_in_the_text(self):
        """They stand in the guide as they are here, and are conditions."""
        conditions = (
            "protocol == modbus and "
            "(modbus.write.address == 107 or modbus.write.address in 200..299)",
            "command.class == firmware",
            "umas.function == 65 and modbus.unit_id == 3", "modbus.exception",
            "not modbus.exception", "modbus.read.byte_count != modbus.write.byte_count",
            "modbus.write.address != 107", "not (modbus.write.address == 107)",
            "modbus.registers > 800", "ip.addr != 10.0.0.1", "port.dst in {80, 8080}",
            "any dnp3.application.objects (group == 12 and any points (index == 5))")
        words = " ".join(GUIDE.read_text(encoding="utf-8").split())
        for condition in conditions:
            self.assertIn(condition, words)
        self.check(self.write("text.json", json.dumps({"rules": [
            {"id": 9200100 + i, "title": condition, "when": condition}
            for i, condition in enumerate(conditions)]}).encode()), len(conditions))

    def test_what_can_never_hold(self):
        """Each line of both blocks in the guide is refused, with the place in the file; all at once."""
        lines = []
        for before in ("is in flows of certain transports.\n\n", "and a part beside `not` the same:\n\n"):
            block = GUIDE.read_text(encoding="utf-8").split(before)[1].split("\n\n")[0]
            lines += [line.split("#")[0].strip() for line in block.splitlines()]
        self.assertGreater(len(lines), 12)
        rules = self.write("never.json", json.dumps({
            "sets": {"plc": {"type": "ip", "values": ["10.0.0.1"]}},
            "tags": [{"name": "text", "transport": "udp", "port": 5, "type": "text", "length": 4}],
            "rules": [{"id": 9200100 + i, "title": "never", "when": line}
                      for i, line in enumerate(lines)]}, indent=0).encode())
        r = run("--check-rules", "never.json", cwd=rules.parent)
        self.assertEqual((r.code, r.out), (2, f"rules: 0 accepted, {len(lines)} refused\n"))
        told = re.findall(r"^never\.json:(\d+):\d+: when: .* never hold", r.err, re.M)
        written = [n for n, line in enumerate(rules.read_text().splitlines(), 1) if '"when"' in line]
        self.assertEqual(sorted({int(n) for n in told}), written, r.err)

    def test_remarks_beside_errors(self):
        """What a rule costs is said, though another is wrong."""
        rules = self.write("both.json", json.dumps({"rules": [
            {"id": 9200100, "title": "t", "when": "payload contains \"abcdef\""},
            {"id": 9200101, "title": "t", "when": "port == 65536"}]}).encode())
        r = run("--check-rules", rules)
        self.assertEqual((r.code, r.out), (2, "rules: 1 accepted, 1 refused\n"))
        self.assertIn("rule 9200100 searches every payload", r.err)
        self.assertEqual(r.err.count("(a remark)"), 1)

    def test_errors_outside_rules(self):
        """They count as refused, and so does the rule that names what is wrong."""
        rule = {"id": 9200100, "title": "t", "when": "port in $ports"}
        for ports, when, counts in (("x", "port in $ports", "0 accepted, 2 refused"),
                                    ("x", "port == 1", "1 accepted, 1 refused"),
                                    ("1", "port in $ports", "1 accepted, 0 refused")):
            rules = self.write("sets.json", json.dumps({
                "sets": {"ports": {"type": "port", "values": [ports]}},
                "rules": [{**rule, "when": when}]}).encode())
            r = run("--check-rules", rules)
            self.assertEqual((r.code, r.out), (2 if ports == "x" else 0, f"rules: {counts}\n"))
            self.assertEqual(r.err.count("\n"), ports == "x")

    def test_explain(self):
        """How a rule is found is told as it is."""
        for when, tested, found, costs in (
                ("transport == tcp", "the first packet of a flow in each direction",
                 "nothing: it is tested each time", "every flow"),
                ("port == 502", "the first packet of a flow in each direction", "port == 502",
                 "by value"),
                ("protocol == modbus", "each message of modbus", "its protocol", "by command"),
                ("command == plc_stop", "each message of s7comm", "its protocol and command",
                 "by command"),
                ("command.class == firmware", "each message of any protocol",
                 "its command or class", "every message"),
                ("payload.length > 1400", "each payload", "nothing: it is tested each time",
                 "every message"),
                ("lower(http.url) == \"/A\"", "each message of http", "lower(http.url)", "by value")):
            rules = self.write("one.json", json.dumps({"rules": [
                {"id": 9200100, "title": "t", "when": when}]}).encode())
            r = run("--explain", "9200100", "--rules", rules)
            self.assertEqual(r.code, 0, r.err)
            for word, is_ in (("tested on", tested), ("found by", found), ("costs", costs)):
                self.assertIn(f"  {word:11} {is_}\n", r.out)

    def test_first_rule(self):
        text = next(text for heading, text in blocks() if heading == "A first rule")
        rules = self.write("my.json", text.encode())
        self.assertEqual(len(self.alerts([(SCADA, PLC, 0.0, write_register(107, 1))], rules)), 1)
        self.assertEqual(self.alerts([(SCADA, PLC, 0.0, write_register(106, 1))], rules), [])
        for out, hits in (("out0", 1), ("out1", 0)):
            counted = json.loads((self.dir / out / "rules.json").read_text())["rules"]
            self.assertEqual([(r["id"], r["hits"]) for r in counted], [(9200001, hits)])

    def test_error_of_the_guide(self):
        """The sentence that the guide shows is what is said."""
        text = next(text for heading, text in blocks() if heading == "A first rule")
        rules = self.write("my.json", text.replace("modbus.write", "modbus.wirte").encode())
        r = run("--check-rules", "my.json", cwd=rules.parent)
        self.assertEqual(r.code, 2)
        shown = re.search(r"^    (my\.json:.*)\n    (rules: .*)$", GUIDE.read_text(), re.M)
        self.assertEqual((r.err, r.out), (shown.group(1) + "\n", shown.group(2) + "\n"))

    def test_examples(self):
        for heading, text in examples():
            fires, near = ROWS[heading]
            rules = self.write("example.json", text.encode())
            rule = json.loads(text)["rules"][-1]  # others are what it counts after
            with self.subTest(heading):
                told = self.alerts(fires, rules)
                self.assertEqual({a["alert"]["signature_id"] for a in told}, {rule["id"]})
                new = [a for a in told if a["fieldtap"]["state"] == "new"]
                self.assertEqual(len(new), len(fires), "one for each deed")
                if "tag." in rule["message"]:
                    self.assertEqual(new[0]["fieldtap"]["message"], "10.1.1.10: level 4500 mm")
                for a in new:
                    self.assertEqual(a["alert"]["signature"], rule["title"])
                    for sign in "{?":
                        self.assertNotIn(sign, a["fieldtap"]["message"])
            with self.subTest(heading + ", nearly"):
                self.assertEqual(self.alerts(near, rules), [])


class Flows(Case):
    """Which flows have an alert."""

    def alerted(self, **more):
        rules = self.write("r.json", json.dumps({"rules": [
            dict(id=9200001, title="t", when="modbus.write.address == 7", **more)]}).encode())
        capture = self.write("a.pcap", pcap(packets([(SCADA, PLC, NIGHT, WRITE_AT_50)])))
        out = self.dir / f"out{len(list(self.dir.glob('out*')))}"
        self.assertOk(run("-q", "-r", capture, "-l", out, "--rules", rules))
        events = self.events(out)
        flow, = of_type(events, "flow")
        told = [a for a in of_type(events, "alert") if a["alert"]["signature_id"] == 9200001]
        self.assertEqual(flow["flow"]["alerted"], bool(told))
        return flow["flow"]["alerted"]

    def test_alerted(self):
        self.assertTrue(self.alerted())
        self.assertTrue(self.alerted(threshold={"limit": 1, "seconds": 9}))
        self.assertTrue(self.alerted(schedule={"at": ["22:00-23:00"]}))
        self.assertFalse(self.alerted(schedule={"at": ["23:00-24:00"]}))
        self.assertFalse(self.alerted(threshold={"at_least": 2, "seconds": 9}))
        self.assertFalse(self.alerted(action="event"))


class Packets(Case):
    """Headers of single packets, and how connections came out."""

    OPTIONS = bytes.fromhex("020405b4")
    # rule: (condition, packets that it holds for)
    ROWS = {
        9200001: ("tcp.flags == syn", "syn scan"),
        9200002: ("tcp.flags & syn", "syn scan synack ecn"),
        9200003: ("tcp.flags & 0x3f == syn", "syn scan ecn"),
        9200004: ("tcp.flags in {none, xmas, syn_fin}", "null xmas"),
        9200005: ("tcp.flags == ack and flow.first", "ack"),
        9200006: ("tcp.window == 1024 and tcp.options == 020405b4 and tcp.flags == syn", "scan"),
        9200007: ("not tcp.options == 020405b4 and tcp.flags == syn", "syn"),
        9200008: ('tcp.options contains "\\x05\\xb4"', "scan"),
        9200009: ("ip.id == 54321", "scan"),
        9200010: ("ip.ttl == 64 and flow.first and transport == tcp",
                  "syn scan ecn null xmas ack data"),
        9200011: ("ip.protocol == gre", "gre"),
        9200012: ("ip.protocol not in {tcp, udp}", "gre"),
        9200013: ("tcp.flags & rst", "rst"),
        9200014: ('tcp.flags == psh_ack and payload contains "data"', "data"),
        9200015: ("connection == refused", "syn"),
        9200016: ("connection == accepted", "scan"),
        9200017: ("connection == unanswered and transport == tcp", "ecn"),
        9200018: ("connection == unanswered and transport == udp and ip.src == 10.0.0.1", "gre"),
        9200019: ("tcp.flags == psh_ack", "data"),
        9200020: ("not flow.first and transport == tcp", "rst synack"),
    }

    def frames(self):
        """(name, frame): each with a client port of its own, so that hits can be told apart."""
        def at(n, flags, back=False, **header):
            ends = (SCADA, PLC, (40000 + n, 80)) if not back else (PLC, SCADA, (80, 40000 + n))
            return traffic.segment(*ends, flags, **header)
        return [
            ("syn", at(0, 2)), ("rst", at(0, 0x14, True)),
            ("scan", at(1, 2, window=1024, options=self.OPTIONS, number=54321)),
            ("synack", at(1, 0x12, True)), ("ecn", at(2, 0xC2)), ("null", at(3, 0)),
            ("xmas", at(4, 0x29)), ("ack", at(5, 0x10)),
            ("data", sensor.tcp(SCADA, PLC, (40006, 80), 1, 1, b"some data")),
            ("", sensor.tcp(SCADA, PLC, (40006, 80), 10, 1, b"more")),
            ("gre", sensor.ethernet(sensor.ipv4(47, SCADA, PLC, b"\0\0\x99\x99"))),
            ("", sensor.udp(b"x"))]

    def test_each(self):
        frames = self.frames()
        rules = self.write("r.json", json.dumps({"rules": [
            {"id": i, "title": "t", "when": when, "action": "event",
             "message": "{ip.protocol} {connection} {protocol} {direction}" if "connection" in when else
                        "{tcp.flags} {tcp.window} {tcp.options} {ip.id} {ip.ttl} {flow.first} {ip.protocol}"}
            for i, (when, _) in self.ROWS.items()]}).encode())
        capture = self.write("a.pcap", pcap(
            [(i * 0.01, frame) for i, (_, frame) in enumerate(frames)] + [(9, sensor.udp(b"y", host=2))]))
        config = self.write("none.json", b'{"alerts": {"built_in_rules": "off"}}')
        self.assertOk(run("-q", "-c", config, "-r", capture, "-l", self.out, "--rules", rules))
        counted = json.loads((self.out / "rules.json").read_text())["rules"]
        told = of_type(self.events(), "rule")
        for i, (when, names) in self.ROWS.items():
            with self.subTest(when):
                hits = next((c["hits"] for c in counted if c["id"] == i), 0)
                self.assertEqual(hits, len(names.split()))
        messages = {t["rule"]["signature_id"]: t["fieldtap"]["message"] for t in reversed(told)}
        self.assertEqual(messages[9200006], "syn 1024 020405b4 54321 64 true 6")
        self.assertEqual(messages[9200015], "6 refused ? to_server")
        self.assertEqual(messages[9200011], "? ? ? 0 64 true 47")
        refused = next(t for t in told if t["rule"]["signature_id"] == 9200015)
        self.assertEqual((refused["src_ip"], refused["dest_port"]), ("10.1.3.9", 80))

    def test_what_does_not_go_together(self):
        for when, why in (
                ("connection == refused and tcp.flags & rst", "connection goes with addresses"),
                ("connection == refused and protocol == modbus", "connection goes with addresses"),
                ("connection == closed", "there is no value closed here"),
                ("tcp.flags == sin", "there is no value sin here; did you mean fin?"),
                ("tcp.flags == 256", "256 can never be: tcp.flags is at most 255"),
                ("tcp.flags == syn and transport == udp", "can never hold"),
                ("flow.first == false", "flow.first is true or not there: write not flow.first"),
                ("ip.ttl == 300", "300 can never be: ip.ttl is at most 255"),
                ("tcp.window == 1024 and tcp.window == 2048", "can never hold both")):
            with self.subTest(when):
                rules = self.write("r.json", json.dumps(
                    {"rules": [{"id": 9200001, "title": "t", "when": when}]}).encode())
                r = run("--check-rules", rules)
                self.assertEqual(r.code, 2)
                self.assertIn(why, r.err)


class Times(Case):
    """Thresholds and `after` beside a naive count, with some hits closer to each other than the
    second in which workers put together what repeats."""

    SECONDS, COUNT = 3, 3
    PAUSES = (0.001, 0.01, 0.05, 0.3, 0.6, 1.0, 2.0, 2.999999, 3.0)
    RULES = (("A", None), ("B", ("after", {"rule": 9200001, "at_least": 2})),
             ("A", ("threshold", {"at_least": COUNT})), ("A", ("threshold", {"limit": 2})))

    def rules(self):
        made = []
        for i, (word, more) in enumerate(self.RULES):
            made.append({"id": 9200001 + i, "title": f"rule {i}",
                         "when": f'port.dst == 7001 and payload contains "HIT{word}"'})
            if more:
                made[-1][more[0]] = {**more[1], "seconds": self.SECONDS, "by": "source"}
        return self.write("times.json", json.dumps({"rules": made}).encode())

    def recent(self, times, now):
        """Of what came up to now: a full three seconds ago is too long ago."""
        return [t for t in times if t <= now and round(now - t, 6) < self.SECONDS]

    def expected(self, hits):
        a, b = ([t for t, kind in hits if kind == word] for word in "AB")
        reached, told = set(), []
        for now in a:
            recent = self.recent(a, now)
            if len(recent) >= self.COUNT:
                reached.update(recent)
            if len(self.recent(told, now)) < 2:
                told.append(now)
        return {9200002: sum(len(self.recent(a, now)) >= 2 for now in b), 9200003: len(reached),
                9200004: len(told)}

    def test_beside_a_naive_count(self):
        random = Random(1)
        sources, all_packets = {}, []
        for host in range(1, 121):
            now, sources[host] = random.random(), []
            for i in range(random.randint(2, 14)):
                now = round(now + random.choice(self.PAUSES), 6)
                kind = random.choice("AB")
                sources[host].append((now, kind))
                all_packets.append((now, sensor.udp(b"HIT%s %d" % (kind.encode(), i), port=7001,
                                                    host=host)))
        capture = self.write("times.pcap", pcap(sorted(all_packets)))
        rules = self.rules()
        config = self.write("none.json", b'{"alerts": {"built_in_rules": "off"}}')
        for workers in "1", "2":
            out = self.dir / f"out{workers}"
            self.assertOk(run("-q", "-c", config, "-w", workers, "-r", capture, "-l", out,
                              "--rules", rules))
            told = {}
            for alert in of_type(sensor.lines(out / "eve.json"), "alert"):
                key = alert["src_ip"], alert["alert"]["signature_id"]
                told[key] = max(told.get(key, 0), alert["fieldtap"]["count"])
            for host, hits in sources.items():
                for rule, times in self.expected(hits).items():
                    self.assertEqual(told.get((f"10.0.0.{host}", rule), 0), times, (rule, hits))
            self.assertEqual({rule for _, rule in told}, set(range(9200001, 9200005)))


class Alone(Case):
    """Fields are there when nobody asks for others beside them: not only in the first message, which
    is told with all of its fields."""

    SERVICE = (bytes.fromhex("0000 8400 0000 0002 0000 0000") + b"\2P1\4_ipp\4_tcp\5local\0"
               + bytes.fromhex("0021 8001 00000078 0011 0000 0000 0277")
               + b"\3cam\5local\0" + bytes.fromhex("c00c 0010 8001 00001194 0004") + b"\3a=b")

    def test_service(self):
        capture = self.write("alone.pcap", pcap(packets(
            [(SCADA, PLC, 0.0, udp(5353, (C, self.SERVICE), (C, self.SERVICE), (C, self.SERVICE),
                                   source=5353))])))
        config = self.write("none.json", b'{"alerts": {"built_in_rules": "off"}}')
        for i, when in enumerate(('mdns.host == "cam.local"', "mdns.port == 631",
                                  'mdns.txt contains "a=b"')):
            with self.subTest(when=when):
                out = self.dir / f"out{i}"
                rules = self.write("alone.json", json.dumps({"rules": [
                    {"id": 9200001, "title": "t", "when": when}]}).encode())
                self.assertOk(run("-q", "-c", config, "-r", capture, "-l", out, "--rules", rules))
                counted = json.loads((out / "rules.json").read_text())["rules"]
                self.assertEqual([rule["hits"] for rule in counted], [3])


class Tags(Case):
    """Values of tags in messages."""

    TYPES = {"uint16": (b"\x11\x94", "4500"), "int8": (b"\xd8", "-40"),
             "float": (struct.pack(">f", 21.5), "21.5"), "ip": (bytes((10, 0, 0, 7)), "10.0.0.7"),
             "ipv6": (bytes.fromhex("fe80") + bytes(13) + b"\1", "fe80::1"),
             "mac": (b"\0\x0e\x8c\1\2\3", "00:0e:8c:01:02:03"), "text": (b"A {x}", "A {x}"),
             "bytes": (b"\0\xff", "00ff")}

    def rule(self, when, message):
        tags, at = [], 1
        for kind, (data, _) in self.TYPES.items():
            tags.append({"name": kind, "transport": "udp", "port": 5100, "offset": at,
                         "type": kind})
            if kind in ("text", "bytes"):
                tags[-1]["length"] = len(data)
            at += len(data)
        return self.write("tags.json", json.dumps({"tags": tags, "rules": [
            {"id": 9200001, "title": "t", "when": when, "message": message}]}).encode())

    def told(self, rules, payload):
        capture = self.write("a.pcap", pcap(packets([(SCADA, PLC, 0.0, udp(5100, (C, payload)))])))
        self.assertOk(run("-q", "-r", capture, "-l", self.out, "--rules", rules))
        return [a["fieldtap"]["message"] for a in of_type(self.events(), "alert")
                if a["alert"]["signature_id"] == 9200001]

    def test_all_types(self):
        message = " ".join("{tag.%s}" % kind for kind in self.TYPES)
        payload = b"\7" + b"".join(data for data, _ in self.TYPES.values())
        self.assertEqual(self.told(self.rule("tag.uint16", message), payload),
                         [" ".join(text for _, text in self.TYPES.values())])

    def test_what_is_not_there(self):
        self.assertEqual(self.told(self.rule("tag.uint16 == 4500", "{tag.uint16} {tag.mac}"),
                                   b"\7\x11\x94"), ["4500 ?"])


if __name__ == "__main__":
    sensor.main()
