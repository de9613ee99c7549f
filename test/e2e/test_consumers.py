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
            by_title[alert["fieldtap"]["title"]].add(alert["app_proto"])
            if alert["fieldtap"]["title"].startswith("class."):
                self.assertIn(LAPTOP, (alert["src_ip"], alert["dest_ip"]))
        self.assertLessEqual({"umas", "s7comm"}, by_title["class.program"])
        self.assertLessEqual({"umas", "s7comm", "dnp3"}, by_title["class.mode"])
        for title in ("s7comm.plc_stop", "cip.controller_stop", "cip.controller_reset"):
            self.assertIn(title, by_title)
        self.assertIn("cip", by_title["class.firmware"])

    def test_commands_are_one_alert(self):
        told = collections.Counter(
            (a["pcap_cnt"], a["app_proto"], a["message"]["command"])
            for a in self.by_type["alert"]
            if a["fieldtap"]["state"] == "new" and a.get("message", {}).get("class") in
            ("firmware", "program", "mode", "upload"))
        self.assertGreater(len(told), 10)
        self.assertEqual([key for key, n in told.items() if n > 1], [])

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

    def test_packets_of_flows_are_all_packets(self):
        packets = sum(f["flow"]["pkts_toserver"] + f["flow"]["pkts_toclient"]
                      for f in self.by_type["flow"])
        self.assertEqual(packets, self.by_type["stats"][-1]["stats"]["decoder"]["pkts"])


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

    def test_evebox(self):
        check = eve_check.check_evebox
        self.passes(check)
        alert, stats = self.by_type["alert"][0], self.by_type["stats"][0]
        self.fails(check, alert,
                   lambda e: e.update(timestamp="yesterday"),
                   lambda e: e.update(flow_id="12"),
                   lambda e: e["alert"].pop("signature_id"),
                   lambda e: e["alert"].pop("action"))
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
                   lambda e: e.update(vlan=[]),
                   lambda e: e.update({f"key{i}": i for i in range(100)}),
                   lambda e: b'{"event_type":"x"}')

    def test_arkime_takes_layer_2_with_the_option(self):
        configuration = os.path.join(self.folder.name, "arkime.json")
        with open(configuration, "w", encoding="utf-8") as file:
            json.dump({"output": {"arkime_addresses": True}}, file)
        for event in read(self.other_run("arkime", "-c", configuration)):
            if event.get("proto") == "ETH":
                self.assertEqual(event["src_ip"], "0.0.0.0")

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
                   lambda e: e["flow"].update(end="2001" + e["flow"]["end"][4:]))

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
                   lambda e: e["ether"].pop("src_mac"))

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
