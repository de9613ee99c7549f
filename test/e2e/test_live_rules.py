#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules of a running sensor: read again under load, no packet and no hit lost or counted twice.

usage: test_live_rules.py FIELDTAP FIELDTAP_PLANT [unittest options]
"""

import calendar
import json
import signal
import time

import sensor
from live import Held, Live, Sender, whole_lines
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
            self.assertLessEqual(self.statistics().get(9200001, {"hits": 0})["hits"], sender.sent)
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
        self.assertEqual(self.statistics()[9200001]["hits"], sent)
        self.assertEqual(self.statistics()[9200001]["run"]["hits"], sent)
        changes = [e["health"] for e in self.events() if e["event_type"] == "health"
                   and e["health"]["event"].startswith("rule_")]
        self.assertEqual({c["event"] for c in changes}, {"rule_edited"})
        self.assertEqual([c["text"] for c in changes],
                         [f'Rule 9200002 (revision 1, "Register {n}") says something else now.'
                          for n in range(1, 9)])

    def statistics(self):
        """rules.json, which is whole whenever it is looked at; without what the sensor brings."""
        path = self.out / "rules.json"
        if not path.exists():
            return {}
        return {r["id"]: r for r in json.loads(path.read_text())["rules"]
                if r["id"] >= 9200000}

    def every_second(self):
        return self.write("sensor.json", b'{"stats": {"interval": 1}}')

    def test_statistics_over_reloads(self):
        """What is counted of a rule goes on: unchanged, with a new revision, deleted."""
        each = {"revision": 1, "when": "protocol == modbus and port.dst == 502"}
        as_is, edited, deleted = (dict(each, id=9200010 + i, title=f"Rule {i}") for i in range(3))
        requests = [modbus_read(i, host=i % HOSTS + 1) for i in range(200)]
        self.begin("--rules", self.rules(as_is, edited, deleted), "-c", self.every_second())
        self.send(requests)
        self.until(lambda: all(r["hits"] == 200 for r in self.statistics().values()) and
                   len(self.statistics()) == 3, "rules.json")
        before = int(time.time())
        edited = dict(edited, revision=2, title="Rule 1, edited")
        self.assertEqual(self.reload(json.dumps({"rules": [as_is, edited]}).encode()),
                         "rules_changed")
        self.until(lambda: "deleted" in self.statistics()[9200012], "the deleted rule")
        self.send(requests[:100])
        # A reload that is refused changes nothing of it.
        self.assertEqual(self.reload(b"{"), "rules_refused")
        self.send(requests[:50])
        self.end()
        rules = self.statistics()
        self.assertEqual([r["title"] for r in rules.values()],
                         ["Rule 0", "Rule 1, edited", "Rule 2"])
        self.assertEqual([r["revision"] for r in rules.values()], [1, 2, 1])
        self.assertEqual([r["hits"] for r in rules.values()], [350, 350, 200])
        self.assertEqual(["deleted" in r for r in rules.values()], [False, False, True])
        when = time.strptime(rules[9200012]["deleted"][:19], "%Y-%m-%dT%H:%M:%S")
        self.assertLessEqual(abs(calendar.timegm(when) - before), 30)
        for r in rules.values():
            self.assertEqual(r["hits"], sum(r["days"].values()))
            self.assertEqual(r["hits"], r["run"]["hits"])
            self.assertGreaterEqual(r["run"]["evaluations"], r["hits"])
            self.assertGreater(r["run"]["cycles"], 0)
            self.assertEqual(r["run"], r["ever"])
        # Another run goes on with all of it, and counts its own anew.
        self.begin("--rules", self.rules(as_is, edited), "-c", self.every_second())
        self.send(requests[:10])
        self.end()
        again = self.statistics()
        self.assertEqual([r["hits"] for r in again.values()], [360, 360, 200])
        self.assertEqual(again[9200012]["deleted"], rules[9200012]["deleted"])
        self.assertEqual(again[9200012]["title"], "Rule 2")
        for number in (9200010, 9200011):
            run, ever, was = again[number]["run"], again[number]["ever"], rules[number]["ever"]
            self.assertEqual(run["hits"], 10)
            for key in ("hits", "evaluations", "timed", "cycles"):
                self.assertEqual(ever[key], was[key] + run[key])

    def test_nobody_waits_for_the_file(self):
        """The thread that writes rules.json stands still: alerts go on, and nothing is lost."""
        self.begin("--rules", self.rules(ALL), "-c", self.every_second())
        self.send([modbus_read(i, host=1) for i in range(10)])
        self.until(self.statistics, "rules.json")
        with Held(self.threads()["rules"]):
            written = (self.out / "rules.json").stat().st_ino
            stats = len(whole_lines(self.out, "stats"))
            self.send([modbus_read(i, host=2) for i in range(10)])
            self.until(lambda: len(whole_lines(self.out, "stats")) > stats + 3, "statistics")
            self.assertEqual(len(whole_lines(self.out, "alert")), 2)
            self.assertEqual((self.out / "rules.json").stat().st_ino, written)
        self.until(lambda: (self.out / "rules.json").stat().st_ino != written, "rules.json")
        self.end()
        self.books(20)
        self.assertEqual(self.statistics()[9200001]["hits"], 20)

    def test_a_file_that_cannot_be_written(self):
        """Is told once, and the run goes on."""
        (self.dir / "out").mkdir(exist_ok=True)
        (self.out / "rules.json.new").mkdir()  # where it is written first
        self.begin("--rules", self.rules(ALL), "-c", self.every_second())
        self.until(lambda: "rule_statistics_unwritten" in
                   [e["health"]["event"] for e in whole_lines(self.out, "health")], "the event")
        self.send([modbus_read(i) for i in range(10)])
        time.sleep(2.2)
        (self.out / "rules.json.new").rmdir()
        self.until(self.statistics, "rules.json")
        said = self.end()
        self.assertEqual(said.count("cannot write"), 1)
        self.books(10)

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

    def test_a_rule_of_fieldtap_is_switched_off(self):
        """As at a start: others stay, what is wrong changes nothing."""
        self.begin("--rules", self.rules(other(0)))
        for data, event in (({"id": 9150107, "enabled": False}, "rules_changed"),
                            ({"id": 9150107, "enabled": "no"}, "rules_refused"),
                            ({"id": 9150107, "severity": "minor"}, "rules_changed")):
            self.assertEqual(self.reload(json.dumps({"rules": [other(0), data]}).encode()), event)
        self.end()
        self.assertEqual([(e["health"]["event"], e["health"]["text"].split()[1])
                          for e in whole_lines(self.out, "health")
                          if e["health"]["event"].startswith("rule_")],
                         [("rule_deleted", "9150107"), ("rule_created", "9150107")])

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
