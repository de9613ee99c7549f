#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules of a running sensor: read again under load, no packet and no hit lost or counted twice.

usage: test_live_rules.py FIELDTAP FIELDTAP_PLANT [unittest options]
"""

import json
import signal
import time

import sensor
from live import Live, Sender, whole_lines
from sensor import modbus_read

ALL = {"id": 9200001, "title": "Each request", "when": "protocol == modbus and port.dst == 502"}
HOSTS = 20


def other(number):
    """A rule that none of the packets fulfils, another one each time."""
    return {"id": 9200002, "title": f"Register {number}", "when":
            f"modbus.read.address == {1000 + number} or payload contains \"never {number}\""}


class Reload(Live):

    def rules(self, *rules):
        return self.write("rules.json", json.dumps({"rules": rules}).encode())

    def told(self):
        return [e["health"]["event"] for e in whole_lines(self.out, "health")
                if e["health"]["event"].startswith("rules_")]

    def reload(self, data):
        """The file is now so; what the sensor tells of it."""
        before = len(self.told())
        self.write("rules.json", data)
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: len(self.told()) > before, "the rules")
        return self.told()[-1]

    def hits(self, rule):
        """By the last line about each alert."""
        counts = {}
        for e in self.events():
            if e["event_type"] == "alert" and e["alert"]["signature_id"] == rule:
                counts[e["fieldtap"]["alert_id"]] = e["fieldtap"]["count"]
        return sum(counts.values())

    def test_under_load(self):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                self.out = self.dir / f"w{workers}"
                self.under_load(workers)

    def under_load(self, workers):
        path = self.rules(ALL, other(0))
        self.begin("--rules", path, "-w", workers)
        sender = Sender(self.socket(), [modbus_read(i, host=i % HOSTS + 1) for i in range(1000)],
                        rate=2000)
        for turn in range(1, 9):
            rules = json.dumps({"rules": [ALL, other(turn)]}).encode()
            self.assertEqual(self.reload(rules), "rules_changed")
            wrong = rules.replace(b"never", b"\\\\q")
            if turn % 3 == 0:
                self.assertEqual(self.reload(wrong), "rules_refused")
        sent = sender.end()
        said = self.end()
        self.assertIn(f"{path}:1:", said)
        self.assertEqual(said.count(" rules are at work now"), 8)
        stats = self.books(sent)
        self.assertEqual(stats["packets"]["read"], sent)
        self.assertEqual(self.hits(9200001), sent)
        self.assertEqual(self.hits(9200002), 0)
        changes = [e["health"] for e in self.events() if e["event_type"] == "health"
                   and e["health"]["event"].startswith("rule_")]
        self.assertEqual({c["event"] for c in changes}, {"rule_edited"})
        self.assertEqual([c["text"] for c in changes],
                         [f'Rule 9200002 (revision 1, "Register {n}") says something else now.'
                          for n in range(1, 9)])

    def test_flows_are_hit_once(self):
        """A rule about flows that stays as it is: not again for the flows that were there."""
        flow = {"id": 9200003, "title": "Talks to a controller", "when": "port.dst == 502"}
        self.begin("--rules", self.rules(flow, other(0)))
        for turn in range(1, 4):
            self.send([modbus_read(i, host=i % HOSTS + 1) for i in range(turn * 10, 100)])
            rules = json.dumps({"rules": [flow, other(turn)]}).encode()
            self.assertEqual(self.reload(rules), "rules_changed")
            self.send([modbus_read(i, host=HOSTS + turn) for i in range(10)])
            time.sleep(2.2)  # old flows are tested at ticks
        self.end()
        self.assertEqual(self.hits(9200003), HOSTS + 3)

    def test_what_is_there_is_tested_too(self):
        """Flows that are older than a rule about flows."""
        self.begin("--rules", self.rules(other(0)))
        self.send([modbus_read(i) for i in range(50)])
        flow = {"id": 9200003, "title": "Talks to a controller", "when": "port.dst == 502"}
        self.assertEqual(self.reload(json.dumps({"rules": [flow]}).encode()), "rules_changed")
        def is_told():
            return any(e["alert"]["signature_id"] == 9200003
                       for e in whole_lines(self.out, "alert"))
        self.until(is_told, "a hit of a flow that goes on", 20)
        changes = [e["health"]["event"] for e in whole_lines(self.out, "health")
                   if e["health"]["event"].startswith("rule_")]
        self.assertEqual(changes, ["rule_deleted", "rule_created"])
        self.end()


if __name__ == "__main__":
    sensor.main()
