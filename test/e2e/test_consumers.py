#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the sensor writes of a simulated plant, held against the schema and against each program
that reads EVE; and each of those checks against lines made wrong on purpose.

usage: test_consumers.py PATH_OF_FIELDTAP PATH_OF_FIELDTAP_PLANT
"""

import collections
import copy
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import unittest

import eve_check
import sensor

FIELDTAP = ""
PLANT = ""
LAPTOP = "10.10.1.66"


def run(capture, directory, *options):
    subprocess.run([FIELDTAP, "-q", "-r", capture, "-l", directory, *options], check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(directory, "eve.json")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def raw_of(event):
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


class Output(unittest.TestCase):
    """One capture, run with all logs; the lines by event type."""

    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory(prefix="fieldtap-consumers-")
        cls.capture = os.path.join(cls.folder.name, "plant.pcap")
        subprocess.run([PLANT, "--seed", "7", "--seconds", "30", "-o", cls.capture], check=True)
        cls.path = run(cls.capture, os.path.join(cls.folder.name, "out"),
                       "--log", "transactions", "--log", "messages")
        cls.events = read(cls.path)
        cls.by_type = collections.defaultdict(list)
        for event in cls.events:
            cls.by_type[event["event_type"]].append(event)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def other_run(self, name, *options):
        return run(self.capture, os.path.join(self.folder.name, name), *options)


class TestLines(Output):
    """All of them, together."""

    def test_every_line(self):
        validator = eve_check.make_validator()
        if validator is None:
            self.skipTest("python3-jsonschema is not installed")
        faults = []
        counts = eve_check.check_file(self.path, validator, 7, faults)
        self.assertEqual(faults, [])
        self.assertEqual(sum(counts.values()), len(self.events))

    def test_every_type_is_there(self):
        for kind in ("alert", "anomaly", "flow", "stats", "asset", "operation", "message",
                     "modbus", "dnp3", "s7comm", "umas"):
            self.assertTrue(self.by_type[kind], kind)

    def test_default_run_has_no_messages(self):
        kinds = {event["event_type"] for event in read(self.other_run("default"))}
        self.assertEqual(kinds, {"alert", "anomaly", "flow", "stats", "asset", "operation"})

    def test_second_run_goes_on(self):
        first = read(self.other_run("twice"))
        both = read(self.other_run("twice"))
        self.assertEqual(both[:len(first)], first)
        self.assertEqual(len(both), 2 * len(first))
        faults = []
        eve_check.check_file(os.path.join(self.folder.name, "twice", "eve.json"), None, 1, faults)
        self.assertEqual(faults, [])  # the numbers of uids too

    def test_workers_change_nothing(self):
        with open(self.path, "rb") as one:
            for workers in ("1", "3"):
                other = self.other_run("w" + workers, "-w", workers, "--log", "transactions",
                                       "--log", "messages")
                with open(other, "rb") as two:
                    one.seek(0)
                    self.assertEqual(one.read(), two.read())

    def test_incident_is_told(self):
        by_title = collections.defaultdict(set)
        for alert in self.by_type["alert"]:
            by_title[alert["fieldtap"]["title"]].add(alert.get("app_proto"))
            if alert["fieldtap"]["title"].startswith("class."):
                self.assertIn(LAPTOP, (alert["src_ip"], alert["dest_ip"]))
        self.assertLessEqual({"umas", "s7comm"}, by_title["class.program"])
        self.assertLessEqual({"umas", "s7comm", "dnp3"}, by_title["class.mode"])
        for title in ("s7comm.plc_stop", "cip.controller_stop", "cip.controller_reset"):
            self.assertIn(title, by_title)
        self.assertIn("cip", by_title["class.firmware"])
        ruled = {(a["alert"]["signature_id"], a["src_ip"]) for a in self.by_type["alert"]
                 if a["fieldtap"]["title"].startswith("rule.")}
        self.assertEqual(ruled, {(9150094, LAPTOP), (9150095, LAPTOP)})  # it looks for devices

    def test_what_goes_over_many_hosts_is_told(self):
        scans = [a for a in self.by_type["alert"] if a["fieldtap"]["title"] == "resolution.scan"]
        self.assertEqual([a["fieldtap"]["state"] for a in scans][:1], ["new"])
        self.assertEqual({a["fieldtap"]["resolution"]["ip"] for a in scans}, {LAPTOP})
        forged = [a for a in self.by_type["alert"]
                  if a["fieldtap"]["title"] == "goose.second_publisher"
                  and a["fieldtap"]["state"] == "new"]
        self.assertEqual({a["fieldtap"]["change"]["asset"].split("/")[0] for a in forged},
                         {"name BAY1Q01LD0", "name BAY2F650LD0"})
        for a in forged:
            self.assertEqual(a["fieldtap"]["change"]["after"], scans[0]["ether"]["src_mac"])
        # Nothing else of address resolution is wrong in the plant.
        numbers = {a["alert"]["signature_id"] for a in self.by_type["alert"]}
        self.assertEqual(numbers & set(range(9100012, 9100020)), {9100017})

    def test_commands_are_one_alert(self):
        told = collections.Counter(
            (a["pcap_cnt"], a["app_proto"], a["message"]["command"])
            for a in self.by_type["alert"]
            if a["fieldtap"]["state"] == "new" and a.get("message", {}).get("class") in
            ("firmware", "program", "mode", "upload"))
        self.assertGreater(len(told), 5)
        self.assertEqual([key for key, n in told.items() if n > 1], [])

    def test_a_download_is_one_alert(self):
        """Whatever commands it is made of, and whoever of the two asks for its parts."""
        new = collections.Counter(
            (a["fieldtap"]["title"], a["app_proto"], a["alert"]["source"]["ip"],
             a["alert"]["target"]["ip"], json.dumps(a["fieldtap"].get("sub_addresses")))
            for a in self.by_type["alert"]
            if a["fieldtap"]["state"] == "new" and a["fieldtap"]["title"].startswith("class."))
        self.assertEqual([key for key, n in new.items() if n > 1], [])
        self.assertEqual({key[2] for key in new}, {LAPTOP})
        blocks = [a["fieldtap"]["commands"] for a in self.by_type["alert"]
                  if a["fieldtap"]["title"] == "class.program" and a["app_proto"] == "s7comm"
                  and a["fieldtap"]["state"] == "updated"]
        self.assertTrue(blocks)
        self.assertLessEqual({"request_download", "download_block", "download_ended"},
                             set(blocks[-1]))

    def test_flows_have_the_innermost_protocol(self):
        told = {f["app_proto"] for f in self.by_type["flow"] if "app_proto" in f}
        self.assertLessEqual({"s7comm", "modbus"}, told)
        self.assertFalse({"tpkt", "cotp"} & told)

    def test_carriers_are_no_operations(self):
        told = {(e["app_proto"], e["operation"]["command"]) for e in self.by_type["operation"]}
        self.assertLessEqual({("cip", "read_tag"), ("umas", "stop_plc")}, told)
        self.assertFalse({("enip", "send_rr_data"), ("enip", "send_unit_data"),
                          ("modbus", "umas")} & told)

    def test_operations_are_told_once(self):
        seen = collections.Counter(
            (e["app_proto"], e.get("src_ip"), e["ether"]["src_mac"], e.get("dest_ip"),
             e["ether"]["dest_mac"], json.dumps(e["operation"].get("qualifier")),
             e["operation"].get("code"), json.dumps(e["fieldtap"].get("sub_addresses")))
            for e in self.by_type["operation"])
        self.assertEqual([key for key, n in seen.items() if n > 1], [])

    def test_statistics_add_up(self):
        stats = self.by_type["stats"][-1]["stats"]
        self.assertEqual(stats["ledger"]["balanced"], 1)
        self.assertEqual(stats["detect"]["alert"], len(self.by_type["alert"]))
        self.assertEqual(stats["flow"]["total"], len(self.by_type["flow"]))
        self.assertEqual(stats["core"]["operations"], len(self.by_type["operation"]))
        self.assertEqual(sum(stats["app_layer"]["flow"].values()), len(self.by_type["flow"]))

    def test_requests_are_answered_told_or_counted(self):
        with open(os.path.join(self.folder.name, "out", "stats.json"), encoding="utf-8") as file:
            requests = json.load(file)["requests"]
        self.assertGreater(requests["answered"], 100)
        self.assertGreater(requests["unanswered"], 0)
        self.assertEqual(requests["asked"], sum(n for k, n in requests.items() if k != "asked"))
        told = [e for e in self.events if e.get("message", {}).get("answered") is False]
        self.assertEqual(len(told), requests["unanswered"])
        del requests["waiting"]
        self.assertEqual(self.by_type["stats"][-1]["stats"]["ledger"]["requests"], requests)

    def test_packets_of_flows_are_all_packets(self):
        packets = sum(f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"]
                      for f in self.by_type["flow"])
        self.assertEqual(packets, self.by_type["stats"][-1]["stats"]["decoder"]["pkts"])


class TestRare(unittest.TestCase):
    """Lines that the plant's traffic has none of, against the schema."""

    def check(self, packets, *wanted):
        validator = eve_check.make_validator()
        if validator is None:
            self.skipTest("python3-jsonschema is not installed")
        with tempfile.TemporaryDirectory(prefix="fieldtap-consumers-") as folder:
            capture = os.path.join(folder, "a.pcap")
            with open(capture, "wb") as file:
                file.write(sensor.pcap(packets))
            path = run(capture, os.path.join(folder, "out"), "--log", "messages")
            faults = []
            eve_check.check_file(path, validator, 1, faults)
            self.assertEqual(faults, [])
            events = read(path)
        for one in wanted:
            self.assertTrue(any(one(e) for e in events), events)

    def test_address_moves_to_another_device(self):
        def says(mac):
            body = b"\0\1\x08\0\6\4\0\2" + mac + bytes((10, 0, 0, 1)) + mac + bytes((10, 0, 0, 1))
            return b"\2\0\0\0\0\x09" + mac + b"\x08\6" + body + bytes(18)
        self.check([(0, says(b"\2\0\0\0\0\1")), (700, says(b"\2\0\0\0\0\2"))],
                   lambda e: e["fieldtap"].get("change", {}).get("fact") == "mac")

    def test_tunnel(self):
        """A flow in GRE: its outer addresses are on the flow too, turned as the client sees them."""
        def gre(inner, forth):
            ends = ((192, 168, 0, 1), (192, 168, 0, 2))[::1 if forth else -1]
            return sensor.ethernet(sensor.ipv4(47, *ends, b"\0\0\x08\0" + inner[14:]))
        request = sensor.modbus_read(1)
        answer = sensor.ethernet(sensor.ipv4(
            17, (10, 0, 0, 200), (10, 0, 0, 1), b"\x01\xf6\x9c\x40\0\x13\0\0"
            b"\0\1\0\0\0\5\1\3\2\0\7"))
        outer = {"src_ip": "192.168.0.1", "dest_ip": "192.168.0.2", "proto": "GRE",
                 "pkt_src": "gre"}

        def is_outer(event):
            return outer.items() <= event.get("tunnel", {}).items()
        for packets in ([(0, gre(request, True)), (1, gre(answer, False))],
                        [(0, gre(answer, False)), (1, gre(request, True))]):
            self.check(packets, lambda e: e["event_type"] == "flow" and is_outer(e)
                       and e["src_ip"] == "10.0.0.1")
        self.check([(0, request)], lambda e: e["event_type"] == "flow" and "tunnel" not in e)


    def test_flows_of_icmp(self):
        """Type and code are the first packet's; a reply that came first is turned with its ends.
        (eve_check makes the Community ID anew from each line.)"""
        def icmp(kind, code, forth):
            ends = ((10, 0, 0, 1), (10, 0, 0, 200))[::1 if forth else -1]
            body = bytes((kind, code)) + b"\0\0\0\1\0\2" + b"x" * 8
            total = sum(int.from_bytes(body[i:i + 2], "big") for i in range(0, len(body), 2))
            total = 0xffff - (total % 0xffff)
            return sensor.ethernet(sensor.ipv4(1, *ends, body[:2] + total.to_bytes(2, "big")
                                               + body[4:]))

        def is_flow(kind, code, *ends):
            return lambda e: (e["event_type"] == "flow" and e["icmp_type"] == kind
                              and e["icmp_code"] == code and (not ends or e["src_ip"] == ends[0]))
        ask, answer = icmp(8, 0, True), icmp(0, 0, False)
        self.check([(0, ask), (1, answer)], is_flow(8, 0, "10.0.0.1"))
        self.check([(0, answer), (1, ask)], lambda e: e["event_type"] == "flow" and (
            e["src_ip"], e["icmp_type"]) in (("10.0.0.1", 8), ("10.0.0.200", 0)))
        self.check([(0, icmp(3, 1, False)), (1, ask)], is_flow(3, 1, "10.0.0.200"))
        self.check([(0, icmp(3, 1, True))], is_flow(3, 1, "10.0.0.1"))

    def test_failed(self):
        """Every flow with payload that nobody read, and no other."""
        def datagram(kind, payload):
            return sensor.ethernet(sensor.ipv4(kind, (10, 0, 0, 1), (10, 0, 0, 200), payload))
        one = sensor.udp(b"\xa5\x5a" * 20, 40000, 40001)

        def has(name):
            return lambda e: e["event_type"] == "flow" and e.get("app_proto") == name
        self.check([(0, one)], has("failed"))
        self.check([(0, datagram(89, b"\xa5" * 40))], has("failed"))
        self.check([(0, sensor.udp(b"", 40000, 40001))], has(None))
        self.check([(0, sensor.modbus_read(1))], has("modbus"))


class TestRules(Output):
    """What rules write: every kind of it, against the schema and all demands."""

    RULES = {
        "tags": [{"name": "tpkt_version", "transport": "tcp", "port": 102, "offset": 0,
                  "type": "uint8"}],
        "rules": [
            {"id": 9200001, "title": "Somebody writes", "revision": 4, "severity": "major",
             "mitre": ["T0836", "T0855"], "reference": "SOP 7", "remediation": "Ask the shift.",
             "when": "command.class == write and modbus.write.address >= 0",
             "message": "{ip.src} wrote {modbus.write.address} of {modbus.unit_id} with {command}"},
            {"id": 9200002, "title": "Somebody reads", "action": "event",
             "when": "command.class == read", "threshold": {"limit": 3, "seconds": 5}},
            {"id": 9200003, "title": "S7", "when": "protocol == s7comm and tpkt.length > 7",
             "message": "{tpkt.length} bytes of version {tag.tpkt_version}, {s7comm.rosctr}"},
            {"id": 9200004, "title": "Bytes", "when": "payload contains \"\\x03\\x00\\x00\"",
             "message": "{payload.length} bytes"},
            {"id": 9200005, "title": "Many", "when": "protocol == modbus",
             "threshold": {"at_least": 20, "seconds": 10, "by": "asset"}},
            {"id": 9200006, "title": "Of a maker",
             "when": "protocol == modbus and asset.vendor.dst contains \"Schneider\"",
             "message": "to {asset.model.dst} of {asset.vendor.dst}, a {asset.type.dst}"},
            {"id": 9200007, "title": "Connected", "when": "port.dst == 502"},
            {"id": 9200008, "title": "Code", "when": "modbus.function_code == 3",
             "evidence": True},
            {"id": 9200009, "title": "Value", "when": "modbus.registers in 1..65535",
             "message": "{modbus.registers}"},
            {"id": 9200010, "title": "Tag", "when": "tag.tpkt_version == 3 and port.dst == 102"},
            {"id": 9200011, "title": "Name", "when": "dns.rrname contains \"plant\""},
            {"id": 9200012, "title": "Command", "when":
             "command.class == write and ip.src != 192.0.2.1 and direction == to_server"},
        ],
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = os.path.join(cls.folder.name, "rules.json")
        with open(cls.rules, "w", encoding="utf-8") as file:
            json.dump(cls.RULES, file)
        cls.out = os.path.join(cls.folder.name, "ruled")
        cls.path = run(cls.capture, cls.out, "--rules", cls.rules)
        cls.events = read(cls.path)

    def of_rule(self, number, state="new"):
        return [e for e in self.events if e["fieldtap"].get("rule", {}).get("id") == number
                and e["fieldtap"]["state"] == state]

    def test_every_line(self):
        faults = []
        eve_check.check_file(self.path, eve_check.make_validator(), 1, faults)
        self.assertEqual(faults, [])
        for rule in self.RULES["rules"]:
            told = self.of_rule(rule["id"])
            self.assertTrue(told, rule["id"])
            kind = rule.get("action", "alert")
            kind = "rule" if kind == "event" else kind
            for e in told:
                self.assertEqual(e["event_type"], kind)
                self.assertEqual(e[kind]["signature"], rule["title"])
                self.assertEqual(e["fieldtap"]["rule"]["file"], self.rules)
                self.assertIn("own organisation", e["fieldtap"]["remark"])
                self.assertNotIn("?", e["fieldtap"]["message"], e["fieldtap"])

    def test_evidence(self):
        for e in self.of_rule(9200001):
            evidence = e["fieldtap"]["evidence"]
            self.assertEqual(evidence["field"], "write.address")
            self.assertEqual(evidence["value"], str(e["modbus"]["write"]["address"]))
            self.assertEqual(evidence["packet"], e["pcap_cnt"])
            self.assertEqual(e["alert"]["rev"], 4)
        for e in self.of_rule(9200003):
            self.assertEqual(e["fieldtap"]["evidence"]["field"], "tpkt.length")
            self.assertTrue(e["fieldtap"]["message"].startswith(
                e["fieldtap"]["evidence"]["value"] + " bytes of version 3, "))

    def test_evidence_is_what_was_asked_for(self):
        """Of each way to ask: which field or word, which element, its value, its bytes."""
        def of(rule, **expected):
            told = self.of_rule(rule) + self.of_rule(rule, "updated")
            self.assertTrue(told, rule)
            for e in told:
                evidence = e["fieldtap"]["evidence"]
                self.assertEqual({k: evidence.get(k) for k in expected}, expected)
                # Hits within a second are told together, with the evidence of the first.
                self.assertLessEqual(evidence["packet"], e["pcap_cnt"])
                if e["fieldtap"]["state"] == "new":
                    self.assertEqual(evidence["packet"], e["pcap_cnt"])
            return told
        # Not function_raw, which has the same byte.
        for e in of(9200008, field="function_code", value="RdHoldRegs", offset=7, length=1):
            self.assertIs(e["fieldtap"]["rule"]["evidence"], True)
        self.assertNotIn("evidence", self.of_rule(9200009)[0]["fieldtap"]["rule"])
        for e in self.of_rule(9200009):
            evidence = e["fieldtap"]["evidence"]
            element = int(evidence["element"][len("registers["):-1])
            self.assertEqual(evidence["field"], "registers")
            self.assertEqual(evidence["value"], str(e["modbus"]["registers"][element]))
            if e["message"]["class"] == "read":
                self.assertEqual((evidence["offset"], evidence["length"]), (9 + 2 * element, 2))
        of(9200010, field="tag.tpkt_version", value="3", offset=0, length=1)
        of(9200004, field="payload", value="030000", length=3)
        for e in of(9200011, field="rrname"):
            self.assertIn("plant", e["fieldtap"]["evidence"]["value"])
        for e in self.of_rule(9200011):
            self.assertEqual(e["fieldtap"]["evidence"]["value"], e["dns"]["rrname"])
        of(9200012, field="command.class", value="write", offset=None)
        of(9200007, field="port.dst", value="502", offset=None)

    def test_keys_of_suricata(self):
        """An alert of a rule has what an alert of Suricata has, of the same type."""
        for e in self.events:
            if e["event_type"] != "alert" or "rule" not in e["fieldtap"]:
                continue
            alert, flow = e["alert"], e["flow"]
            self.assertEqual((alert["action"], alert["gid"]), ("allowed", 1))
            for key, kind in (("signature_id", int), ("rev", int), ("severity", int),
                              ("signature", str), ("category", str), ("metadata", dict)):
                self.assertIsInstance(alert[key], kind, key)
            ends = () if e["proto"] == "ETH" else ("src_ip", "dest_ip", "community_id")
            for key in ("timestamp", "flow_id", "pcap_cnt", "proto", *ends):
                self.assertIn(key, e)
            # Who sends to a group is no client of it.
            expected = ("none",) if e["proto"] == "ETH" else ("to_server", "to_client", "none")
            self.assertIn(e["direction"], expected)
            self.assertGreater(flow["pkts_toserver"] + flow["pkts_toclient"], 0)
            self.assertGreater(flow["bytes_toserver"] + flow["bytes_toclient"], 0)
            self.assertLessEqual(flow["start"], e["timestamp"])
        # What was counted up to the last alert of a flow is not more than the flow had in all.
        flows = {e["flow_id"]: e["flow"] for e in self.events if e["event_type"] == "flow"}
        for e in self.of_rule(9200009):
            whole = flows[e["flow_id"]]
            if e["direction"] == "to_client":
                self.assertGreater(e["flow"]["pkts_toclient"], 0)
            for key in ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"):
                self.assertLessEqual(e["flow"][key], whole[key])
            self.assertEqual(e["flow"]["start"], whole["start"])

    def test_numbers_close(self):
        stats = [e for e in self.events if e["event_type"] == "stats"][-1]["stats"]["rules"]
        self.assertEqual(stats["hits"], stats["hits_received"])
        self.assertEqual(stats["hits"], stats["hits_told"] + stats["hits_repeated"])
        self.assertGreater(stats["hits_repeated"], 0)
        for key in ("hits_waiting", "hits_untold", "hits_shed", "refused"):
            self.assertEqual(stats[key], 0, key)
        self.assertEqual(stats["hits"], stats["told"] + stats["held_back"] + stats["other_assets"])
        self.assertGreater(stats["held_back"], 0)
        with open(os.path.join(self.out, "rules.json"), encoding="utf-8") as file:
            rules = {r["id"]: r for r in json.load(file)["rules"]}
        self.assertEqual(stats["hits"], sum(r["run"]["hits"] for r in rules.values()))
        self.assertEqual(stats["hits"] - stats["other_assets"],
                         sum(r["hits"] for r in rules.values()))
        for rule in rules.values():
            self.assertEqual(rule["hits"], sum(rule["days"].values()))
            self.assertEqual(rule["last_hit"] is None, rule["hits"] == 0)
        # Without a threshold every hit is in a count.
        last = {}
        for e in self.events:
            if e["fieldtap"].get("rule", {}).get("id") == 9200001:
                last[e["fieldtap"]["alert_id"]] = e["fieldtap"]["count"]
        self.assertEqual(sum(last.values()), rules[9200001]["hits"])

    def test_any_number_of_workers(self):
        with open(self.path, "rb") as file:
            expected = file.read()
        for workers in ("1", "3"):
            path = run(self.capture, os.path.join(self.folder.name, "w" + workers), "--rules",
                       self.rules, "-w", workers)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), expected)

    def test_days_go_on(self):
        """A second run into the same folder goes on, a damaged file begins anew."""
        def hits(directory):
            with open(os.path.join(directory, "rules.json"), encoding="utf-8") as file:
                return {r["id"]: r["hits"] for r in json.load(file)["rules"]}
        directory = os.path.join(self.folder.name, "again")
        once = hits(self.out)
        run(self.capture, directory, "--rules", self.rules)
        run(self.capture, directory, "--rules", self.rules)
        self.assertEqual(hits(directory), {i: 2 * n for i, n in once.items()})
        with open(os.path.join(directory, "rules.json"), "w", encoding="utf-8") as file:
            file.write("[")
        run(self.capture, directory, "--rules", self.rules)
        self.assertEqual(hits(directory), once)

    def test_the_schema_finds_faults(self):
        validator = eve_check.make_validator()
        if validator is None:
            self.skipTest("python3-jsonschema is not installed")
        event = self.of_rule(9200002)[0]
        self.assertTrue(validator.is_valid(event))
        for change in (lambda e: e.pop("rule"), lambda e: e["fieldtap"].pop("rule"),
                       lambda e: e["fieldtap"].pop("message"),
                       lambda e: e["fieldtap"].pop("event_id"),
                       lambda e: e["fieldtap"].update(title="rule.1"),
                       lambda e: e["fieldtap"].update(remark="else"),
                       lambda e: e["fieldtap"]["rule"].update(line=1),
                       lambda e: e["fieldtap"]["evidence"].update(value=1),
                       lambda e: e["flow"].pop("pkts_toserver"),
                       lambda e: e["fieldtap"]["evidence"].update(element=1)):
            wrong = json.loads(json.dumps(event))
            change(wrong)
            self.assertFalse(validator.is_valid(wrong), wrong)


class TestAssets(Output):
    """assets.json beside the events."""

    def assets(self):
        with open(os.path.join(self.folder.name, "out", "assets.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_sorted_and_unique(self):
        assets = self.assets()

        def key(asset):
            if "ip" in asset:
                ip = ipaddress.ip_address(asset["ip"])
                return (ip.version, ip.packed)
            return (9, asset["mac"])

        self.assertEqual([key(a) for a in assets], sorted(key(a) for a in assets))
        ids = [n["id"] for a in assets for n in [a] + a.get("nested", [])]
        self.assertEqual(len(ids), len(set(ids)))

    def test_events_lead_to_it(self):
        last = {e["asset"]["id"]: e["asset"] for e in self.by_type["asset"]}
        for asset in self.assets():
            for one in [asset] + asset.get("nested", []):
                told = last[one["id"]]
                for key in ("mac", "vendor", "model", "firmware", "serial", "name", "role"):
                    self.assertEqual(told.get(key), one.get(key), (one["id"], key))
        merged = {i for i, a in last.items() if a["changes"] == ["merged"]}
        self.assertTrue(merged, "some publish before they state an address")
        self.assertTrue(all(last[i]["into"] in last for i in merged))
        self.assertEqual({n["id"] for a in self.assets() for n in [a] + a.get("nested", [])},
                         set(last) - merged, "no more, no less")

    def test_plant_is_recognised(self):
        assets = {a["id"]: a for a in self.assets()}
        self.assertEqual(assets["10.10.1.101"]["role"], "plc")
        self.assertEqual(assets["10.10.1.101"]["firmware"], "V02.70")
        self.assertEqual(assets["10.10.1.121"]["role"], "rtu")
        self.assertEqual(assets["10.10.1.141"]["role"], "ied")
        self.assertEqual(assets["10.10.1.20"]["role"], "engineering")
        self.assertGreaterEqual(len(assets["10.10.1.103"]["nested"]), 5)
        self.assertFalse(any(a["id"].endswith(".255") for a in assets.values()))


class TestConsumers(Output):
    """Each program's demands; a line made wrong must be found."""

    def fails(self, check, event, change, *also):
        for one in (change, *also):
            wrong = copy.deepcopy(event)
            result = one(wrong)
            raw = result if isinstance(result, bytes) else raw_of(wrong)
            with self.assertRaises((eve_check.Fault, ValueError, KeyError, TypeError)):
                check(json.loads(raw), raw)

    def passes(self, check):
        with open(self.path, "rb") as file:
            for raw in file:
                check(json.loads(raw), raw)

    def test_suricata(self):
        check = eve_check.check_suricata
        self.passes(check)
        message = next(e for e in self.by_type["message"] if "dnp3" in e)
        self.fails(check, message,
                   lambda e: e["dnp3"].update(src="4"),
                   lambda e: e.update(vlan=["1"]),
                   lambda e: e.update(flow_id=1 << 51),
                   lambda e: e["dnp3"].update(control=7))
        self.fails(check, self.by_type["flow"][0],
                   lambda e: e["flow"].update(state="begun"),
                   lambda e: e["flow"].update(alerted=1),
                   lambda e: e["flow"].update(reason="eof"))
        self.fails(check, self.by_type["anomaly"][0],
                   lambda e: e["anomaly"].update(type="protocol"))

    def test_community_id(self):
        check = eve_check.check_community
        self.passes(check)
        # the specification's own vector, so that the check is not our code's echo
        self.assertEqual(eve_check.community_id(
            {"proto": "TCP", "src_ip": "128.232.110.120", "src_port": 34855,
             "dest_ip": "66.35.250.204", "dest_port": 80}), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=")
        self.assertEqual(eve_check.community_id(
            {"proto": "ICMP", "src_ip": "192.168.0.89", "dest_ip": "192.168.0.1", "icmp_type": 8,
             "icmp_code": 0}), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")
        tcp = next(e for e in self.by_type["flow"] if e["proto"] == "TCP")
        self.fails(check, tcp, lambda e: e.update(src_port=e["src_port"] ^ 1))
        self.assertTrue(any(e["proto"] == "ICMP" for e in self.by_type["flow"]))

    def test_evebox(self):
        check = eve_check.check_evebox
        self.passes(check)
        alert, stats = self.by_type["alert"][0], self.by_type["stats"][0]
        self.fails(check, alert,
                   lambda e: e.update(timestamp="yesterday"),
                   lambda e: e.update(flow_id="12"),
                   lambda e: e["alert"].pop("signature_id"),
                   lambda e: e["alert"].pop("action"),
                   lambda e: e["alert"].update(signature=""),
                   lambda e: e.pop("host"),
                   lambda e: e.pop("dest_ip"))
        self.fails(check, stats, lambda e: e["stats"]["flow"].pop("memuse"),
                   lambda e: e["stats"].pop("tcp"))

    def test_arkime(self):
        check = eve_check.check_arkime
        self.passes(check)
        tcp = next(e for e in self.by_type["alert"] if e["proto"] == "TCP")
        self.fails(check, tcp,
                   lambda e: e.update(timestamp=e["timestamp"][:-5] + "Z"),
                   lambda e: e.update(event_type="alerting"),
                   lambda e: e.pop("src_ip"),
                   lambda e: e.pop("src_port"),
                   lambda e: e["alert"].update(category=""),
                   lambda e: e.update(vlan=[]),
                   lambda e: e.update({f"key{i}": i for i in range(100 - len(e))}),
                   lambda e: b'{"event_type":"x"}')

    def test_addresses_for_layer_2_with_the_option(self):
        configuration = os.path.join(self.folder.name, "arkime.json")
        with open(configuration, "w", encoding="utf-8") as file:
            json.dump({"output": {"arkime_addresses": True}}, file)
        events = [e for e in read(self.other_run("arkime", "-c", configuration))
                  if e.get("proto") == "ETH"]
        self.assertTrue(events)
        for event in events:
            self.assertEqual((event["src_ip"], event["dest_ip"]), ("0.0.0.0", "0.0.0.0"))
        self.assertFalse(any("src_ip" in e for e in self.events if e.get("proto") == "ETH"))

    def test_filebeat(self):
        check = eve_check.check_filebeat
        self.passes(check)
        self.fails(check, self.by_type["alert"][0],
                   lambda e: e.update(timestamp=e["timestamp"].replace("+0000", "+00:00")),
                   lambda e: e.update(src_ip="10.0.0.256"),
                   lambda e: e.update(src_port=65536),
                   lambda e: e["alert"].update(severity=5),
                   lambda e: e["alert"]["metadata"].update(x="no list"),
                   lambda e: e.update(flow_id=1 << 63))
        self.fails(check, self.by_type["flow"][0],
                   lambda e: e["flow"].update(end="2001" + e["flow"]["end"][4:]),
                   lambda e: e["flow"].pop("age"),
                   lambda e: e.update(app_proto="Modbus"))

    def test_splunk(self):
        check = eve_check.check_splunk
        self.passes(check)
        self.fails(check, self.by_type["alert"][0],
                   lambda e: e.update(host="x" * 20000),
                   lambda e: raw_of({"host": "h", **e}))

    def test_wazuh(self):
        check = eve_check.check_wazuh
        self.passes(check)
        self.fails(check, self.by_type["alert"][0], lambda e: e.update(timestamp=""),
                   lambda e: e.update(host="x" * 70000))

    def test_telegraf(self):
        check = eve_check.check_telegraf
        self.passes(check)
        self.fails(check, self.by_type["stats"][0],
                   lambda e: e["stats"].update(name="text"),
                   lambda e: e["stats"].update(flag=True),
                   lambda e: e["stats"].update({"flow_active": 1}))

    def test_malcolm(self):
        check = eve_check.check_malcolm
        self.passes(check)
        self.fails(check, self.by_type["flow"][0],
                   lambda e: e.update(community_id="1:short"),
                   lambda e: e["ether"].pop("src_mac"),
                   lambda e: e.pop("flow_id"),
                   lambda e: e["flow"].pop("start"))

    def test_own_rules(self):
        check = eve_check.check_own
        self.passes(check)
        self.fails(check, self.by_type["alert"][0],
                   lambda e: e.update(another={}),
                   lambda e: e["fieldtap"].update(severity="fatal"),
                   lambda e: e["fieldtap"].update(event_uid="other-1"),
                   lambda e: e["fieldtap"].update(state="updated"),
                   lambda e: raw_of({**{"timestamp": e["timestamp"], "proto": e["proto"]},
                                     **e}))

    def test_tenzir_and_vector(self):
        """ndjson: one object a line, UTF-8, no key twice."""
        with open(self.path, "rb") as file:
            for raw in file:
                eve_check.parse(raw)
        for wrong in (b'{"a":1}', b'{"a":1,"a":2}\n', b'[1]\n', b'{"a":NaN}\n', b'{"a":"\xff"}\n',
                      b'{"a":1}{"b":2}\n'):
            with self.assertRaises((eve_check.Fault, ValueError)):
                eve_check.parse(wrong)

    def test_schema_finds_what_is_wrong(self):
        validator = eve_check.make_validator()
        if validator is None:
            self.skipTest("python3-jsonschema is not installed")
        alert = self.by_type["alert"][0]
        changes = [
            lambda e: e.update(surprise=1),
            lambda e: e.pop("fieldtap"),
            lambda e: e.pop("alert"),
            lambda e: e["alert"].update(signature_id=1),
            lambda e: e["fieldtap"].pop("alert_id"),
            lambda e: e["fieldtap"].update(mitre=["initial access"]),
            lambda e: e.pop("dest_ip"),
            lambda e: e.update(flow_id=1 << 51),
            lambda e: e["ether"].update(src_mac="00:0E:8C:00:00:01"),
            lambda e: e.update(timestamp="2025-03-04T08:00:00.010000Z"),
        ]
        self.assertIsNone(next(validator.iter_errors(alert), None))
        for change in changes:
            wrong = copy.deepcopy(alert)
            change(wrong)
            self.assertIsNotNone(next(validator.iter_errors(wrong), None), raw_of(wrong))


if __name__ == "__main__":
    FIELDTAP, PLANT = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
