#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Outputs and programs that receive: rsyslog by UDP, TCP and TLS, nginx, sockets of this machine.
What they got is what the journal has, line by line.

usage: test_receivers.py FIELDTAP FIELDTAP_PLANT [unittest options]
"""

import contextlib
import json
import re
import socket
import subprocess
import time
import unittest

import eve_check
import sensor
from keeping import Keeping, healths
from receivers import HAS, NGINX, RSYSLOG, Authority, Datagrams, Nginx, Rsyslog, number_of
from sensor import run

PAIR = re.compile(r"(?:^| )([A-Za-z0-9_.]+)=((?:\\.|[^\\=])*?)(?= [A-Za-z0-9_.]+=|$)")


def cef(line):
    """Fields of the header, and pairs."""
    fields = re.split(r"(?<!\\)\|", line.decode(), maxsplit=7)
    return fields[:7], dict(PAIR.findall(fields[7]))


class Receiving(Keeping):
    """Receivers in the folder of the test."""

    def setUp(self):
        super().setUp()
        self.stack = contextlib.ExitStack()
        self.authority = None

    def tearDown(self):
        self.stack.close()
        super().tearDown()

    def begun(self, receiver):
        self.stack.callback(receiver.kill)
        return receiver

    def certificate(self):
        """Of a server on this machine: that of its authority, its own, its key."""
        self.authority = Authority(self.dir)
        return (self.authority.certificate,
                *self.authority.sign("localhost", "DNS:localhost", "IP:127.0.0.1"))

    def lines_kept(self):
        r = run("--read-journal", self.journal)
        self.assertEqual((r.code, r.err), (0, ""))
        return r.out.encode().splitlines()

    def deliver(self, *outputs, seconds=10):
        """A capture to outputs; what the journal has of it."""
        r = run("-r", self.plant(seconds=seconds), "-l", self.out, "-c", self.config(*outputs))
        self.assertEqual(r.code, 0, r.err)
        return self.lines_kept()

    def sinks(self):
        return {one["name"]: one for one in self.stats()["outputs"]}

    def check_json(self, lines):
        """By two programs that know nothing of it."""
        done = subprocess.run(["jq", "-c", "."], input=b"\n".join(lines), check=True,
                              capture_output=True)
        self.assertEqual(len(done.stdout.splitlines()), len(lines))
        validator = eve_check.make_validator()
        for line in lines if validator else ():
            self.assertEqual(list(validator.iter_errors(json.loads(line))), [], line)


@unittest.skipUnless(HAS[RSYSLOG], "rsyslog is not installed")
class Syslog(Receiving):
    """rsyslog, with JSON and CEF on the same port."""

    def check(self, transport, certificate=None, **more):
        """All of it arrives, in both formats, with the header of each."""
        one = self.begun(Rsyslog(transport, self.dir, transport, certificate, **more))
        both = dict(one.output(), name="cef", app_name="cef", format="cef", dialect="standard")
        kept = self.deliver(one.output(), both)
        one.until(lambda got: len(got) >= 2 * len(kept), "all")
        got = list(zip(one.headers(), one.received()))
        self.assertEqual([body for header, body in got if header[2] == "fieldtap"], kept)
        self.check_json(kept)
        for header, body in got:
            self.assertEqual(header[0], "9")  # user.alert
            if header[2] == "fieldtap":
                self.assertEqual(header[3], json.loads(body)["event_type"])
        self.check_cef([body for header, body in got if header[2] == "cef"], kept)
        return one

    def check_cef(self, bodies, kept):
        numbers = []
        for body in bodies:
            fields, pairs = cef(body)
            self.assertEqual(fields[:2], ["CEF:0", "fieldtap"], body)
            numbers.append(pairs["externalId"])
            self.assertIn(int(fields[6]), range(11))
        self.assertEqual(numbers, [json.loads(line)["fieldtap"]["event_uid"] for line in kept])

    def test_udp(self):
        self.check("udp", max_rate=5000)

    def test_tcp(self):
        self.check("tcp")

    def test_tls(self):
        self.check("tls", self.certificate())

    def test_incumbent(self):
        """Alerts as the incumbent forwards them, RFC 3164."""
        one = self.begun(Rsyslog("tcp", self.dir, "tcp", standard="rfc3164", format="cef",
                                 filter={"types": ["alert"]}))
        kept = [json.loads(line) for line in self.deliver(one.output(), seconds=60)]
        alerts = [e for e in kept if e["event_type"] == "alert"]
        self.assertGreater(len(alerts), 5)
        one.until(lambda got: len(got) >= len(alerts), "all")
        for header, body, alert in zip(one.headers(), one.received(), alerts):
            fields, pairs = cef(header[4].encode() + body)
            self.assertEqual(fields[0], "CEF:0")
            self.assertEqual(pairs["UUID"], alert["fieldtap"]["alert_id"])

    def refused(self, one, word, **more):
        """Nothing of it arrives, and why is said; the run is as always."""
        self.deliver(dict(one.output(), **more), seconds=2)
        self.assertEqual(one.received(), [])
        sink = self.sinks()[one.name]
        self.assertEqual(sink["sent"], 0)
        self.assertGreater(sink["failed"], 0)
        self.assertRegex(sink["last_error"], word)

    def test_other_authority(self):
        one = self.begun(Rsyslog("tls", self.dir, "tls", self.certificate()))
        other = Authority(self.dir, "other")
        self.refused(one, "certificate", ca_file=str(other.certificate))

    def test_other_name(self):
        one = self.begun(Rsyslog("tls", self.dir, "tls", self.certificate()))
        self.refused(one, "certificate", server_name="siem.example")

    def test_both_show_certificates(self):
        """rsyslog asks for that of the sensor."""
        one = self.begun(Rsyslog("tls", self.dir, "tls", self.certificate(), peer="sensor"))
        certificate, key = self.authority.sign("sensor")
        kept = self.deliver(dict(one.output(), certificate=str(certificate), key=str(key)))
        one.until(lambda got: len(got) >= len(kept), "all")
        self.assertEqual(one.received(), kept)

    def test_without_certificate(self):
        one = self.begun(Rsyslog("tls", self.dir, "tls", self.certificate(), peer="sensor"))
        self.refused(one, ".")


@unittest.skipUnless(HAS[NGINX], "nginx is not installed")
class Webhook(Receiving):
    """nginx."""

    def check(self, certificate=None):
        one = self.begun(Nginx("web", self.dir, certificate))
        kept = self.deliver(one.output())
        self.assertEqual(one.received(), kept)
        self.check_json(kept)
        self.assertEqual(self.sinks()["web"]["sent"], len(kept))

    def test_http(self):
        self.check()

    def test_https(self):
        self.check(self.certificate())

    def test_other_authority(self):
        one = self.begun(Nginx("web", self.dir, self.certificate()))
        other = Authority(self.dir, "other")
        self.deliver(dict(one.output(), ca_file=str(other.certificate)), seconds=2)
        self.assertEqual(one.received(), [])
        self.assertGreater(self.sinks()["web"]["failed"], 0)


class Unix(Receiving):
    """Sockets of this machine."""

    def test_datagrams(self):
        one = self.begun(Datagrams("local", self.dir))
        kept = self.deliver(one.output())
        self.assertEqual(one.received(), kept)
        self.check_json(kept)

    def connect(self, hello=b""):
        one = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        one.settimeout(20)
        while one.connect_ex(str(self.dir / "live")) != 0:
            time.sleep(0.02)
        one.sendall(hello)
        return one

    def begin(self, *options):
        """A run that goes on while its socket is read."""
        output = {"name": "live", "kind": "unix_stream", "path": str(self.dir / "live"),
                  "slow_ms": 300}
        # pylint: disable=consider-using-with
        process = sensor.start("-r", self.plant(seconds=20), "-c", self.config(output), *options,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.stack.callback(process.communicate)
        self.stack.callback(process.kill)
        while b"events are kept in" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        return process

    @staticmethod
    def take(one, lines):
        """So many lines and the rest of a line, or all."""
        data = b""
        while (lines is None or data.count(b"\n") < lines) and (more := one.recv(65536)):
            data += more
        return data[:data.rfind(b"\n") + 1].splitlines()

    def test_streams(self):
        """From now on, from the first, and from where one was when it broke off."""
        process = self.begin("--log", "transactions", "--loop", "100000", "--speed", "40")
        live, first = self.connect(), self.connect(b'{"from":1}\n')
        got = {"live": self.take(live, 500), "first": self.take(first, 500)}
        first.close()
        again = self.connect(b'{"from":%d}\n' % (number_of(got["first"][-1]) + 1))
        got["first"] += self.take(again, 500)
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        kept = self.lines_kept()
        self.assertEqual(got["first"], kept[:len(got["first"])])
        at = kept.index(got["live"][0])
        self.assertEqual(got["live"], kept[at:at + len(got["live"])])
        self.check_json(got["live"][:200])

    def test_slow_reader(self):
        """It is dropped, its connection closed; another one misses nothing."""
        process = self.begin("--log", "transactions", "--loop", "100000", "--speed", "400")
        slow, quick = self.connect(), self.connect(b'{"from":1}\n')
        numbers, rest, is_told = [], b"", False
        while not is_told:
            data = quick.recv(65536)
            self.assertTrue(data)
            *got, rest = (rest + data).split(b"\n")
            numbers += map(number_of, got)
            is_told = "sink_reader_dropped" in healths(
                [json.loads(line) for line in got if b"sink_reader" in line])
            self.assertLess(len(numbers), 1000000)
        self.take(slow, None)  # what was on its way, then the end
        process.terminate()
        while data := quick.recv(65536):
            *got, rest = (rest + data).split(b"\n")
            numbers += map(number_of, got)
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(rest, b"")
        self.assertEqual(numbers, list(range(1, len(self.lines_kept()) + 1)))


if __name__ == "__main__":
    sensor.main()
