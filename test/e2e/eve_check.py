#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds every line of an eve.json against doc/eve.schema.json and against what the programs that
read EVE demand (found in their sources; doc/output.md names them).

usage: eve_check.py [--schema FILE] [--sample N] EVE_JSON...
       --sample N  hold only every N-th line of each event type against the schema (it is slow);
                   the first of each type always, and all other checks on every line
Exit status: 0 fine, 1 something is wrong (the first 20 faults are printed), 77 no jsonschema.
"""

import argparse
import base64
import collections
import hashlib
import ipaddress
import json
import os
import re
import sys
from datetime import datetime

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/eve.schema.json")

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000\Z")
OWN_TYPES = {"alert", "anomaly", "flow", "stats", "asset", "operation", "message", "health",
             "rule"}
TOP = {
    "timestamp", "flow_id", "in_iface", "pcap_cnt", "event_type", "vlan", "src_ip", "src_port",
    "dest_ip", "dest_port", "proto", "ip_v", "icmp_type", "icmp_code", "ether", "tunnel",
    "community_id", "app_proto", "direction", "alert", "anomaly", "flow", "tcp", "stats", "asset",
    "operation", "message", "health", "rule", "host", "fieldtap",
}
# What names all lines about one finding.
IDS = {"alert": "alert_id", "anomaly": "anomaly_id", "rule": "event_id"}
# The order of Suricata's source for what comes before the event's own object.
HEADER = [
    "timestamp", "flow_id", "in_iface", "pcap_cnt", "event_type", "vlan", "src_ip", "src_port",
    "dest_ip", "dest_port", "proto", "ip_v", "icmp_type", "icmp_code", "ether", "tunnel",
    "community_id", "app_proto", "direction",
]


class Fault(Exception):
    """A line is not as it has to be."""


def demand(condition, text):
    if not condition:
        raise Fault(text)


def objects(value):
    """All objects in a value."""
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from objects(member)
    elif isinstance(value, list):
        for member in value:
            yield from objects(member)


def numbers(value):
    """All numbers in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from numbers(member)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def leaves(value):
    if isinstance(value, dict):
        return sum(leaves(member) for member in value.values())
    if isinstance(value, list):
        return sum(leaves(member) for member in value)
    return 1


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    demand(len(keys) == len(set(keys)), f"a key stands twice: {keys}")
    return dict(pairs)


def parse(raw):
    demand(raw.endswith(b"\n"), "the line does not end in a newline")
    line = raw[:-1]
    demand(line.startswith(b"{") and line.endswith(b"}"), "not one object a line")
    text = line.decode("utf-8", "strict")
    demand(not any(ord(c) < 0x20 for c in text), "a control character stands in the line")
    return json.loads(text, object_pairs_hook=no_duplicates,
                      parse_constant=lambda name: demand(False, f"{name} is no JSON"))


# Keys that Suricata's schema has, with the type they have there: an index that holds both must not
# have to choose. A list: each element. What only we write is not in here.
NUMBER, TEXT, TRUTH, OBJECT, TEXTS, NUMBERS = "number", "text", "truth", "object", "texts", "numbers"
EVE_TYPES = {
    "timestamp": TEXT, "flow_id": NUMBER, "in_iface": TEXT, "pcap_cnt": NUMBER, "event_type": TEXT,
    "vlan": NUMBERS, "src_ip": TEXT, "src_port": NUMBER, "dest_ip": TEXT, "dest_port": NUMBER,
    "proto": TEXT, "ip_v": NUMBER, "icmp_type": NUMBER, "icmp_code": NUMBER, "ether": OBJECT,
    "ether.src_mac": TEXT, "ether.dest_mac": TEXT, "ether.ether_type": NUMBER,
    "community_id": TEXT, "app_proto": TEXT, "direction": TEXT, "tx_id": NUMBER, "host": TEXT,
    "tunnel": OBJECT, "tunnel.src_ip": TEXT, "tunnel.src_port": NUMBER, "tunnel.dest_ip": TEXT,
    "tunnel.dest_port": NUMBER, "tunnel.proto": TEXT, "tunnel.depth": NUMBER,
    "tunnel.pkt_src": TEXT, "alert": OBJECT, "alert.action": TEXT, "alert.gid": NUMBER,
    "alert.signature_id": NUMBER, "alert.rev": NUMBER, "alert.signature": TEXT,
    "alert.category": TEXT, "alert.severity": NUMBER, "alert.metadata": OBJECT,
    "alert.source": OBJECT, "alert.source.ip": TEXT, "alert.source.port": NUMBER,
    "alert.target": OBJECT, "alert.target.ip": TEXT, "alert.target.port": NUMBER,
    "anomaly": OBJECT, "anomaly.type": TEXT, "anomaly.event": TEXT, "anomaly.layer": TEXT,
    "anomaly.code": NUMBER, "anomaly.app_proto": TEXT, "flow": OBJECT,
    "flow.pkts_toserver": NUMBER, "flow.pkts_toclient": NUMBER, "flow.bytes_toserver": NUMBER,
    "flow.bytes_toclient": NUMBER, "flow.start": TEXT, "flow.end": TEXT, "flow.age": NUMBER,
    "flow.state": TEXT, "flow.reason": TEXT, "flow.alerted": TRUTH, "flow.tx_cnt": NUMBER,
    "tcp": OBJECT, "tcp.tcp_flags": TEXT, "tcp.tcp_flags_ts": TEXT, "tcp.tcp_flags_tc": TEXT,
    "tcp.syn": TRUTH, "tcp.fin": TRUTH, "tcp.rst": TRUTH, "tcp.psh": TRUTH, "tcp.ack": TRUTH,
    "tcp.urg": TRUTH, "tcp.state": TEXT, "arp": OBJECT, "arp.hw_type": TEXT,
    "arp.proto_type": TEXT, "arp.opcode": TEXT, "arp.src_mac": TEXT, "arp.src_ip": TEXT,
    "arp.dest_mac": TEXT, "arp.dest_ip": TEXT, "modbus": OBJECT, "modbus.id": NUMBER,
    "modbus.request": OBJECT, "modbus.response": OBJECT, "dnp3": OBJECT, "dnp3.src": NUMBER,
    "dnp3.dst": NUMBER, "dnp3.type": TEXT, "dnp3.control": OBJECT, "dnp3.control.dir": TRUTH,
    "dnp3.control.pri": TRUTH, "dnp3.control.fcb": TRUTH, "dnp3.control.fcv": TRUTH,
    "dnp3.control.function_code": NUMBER, "dnp3.application": OBJECT,
    "dnp3.application.control": OBJECT, "dnp3.application.control.fir": TRUTH,
    "dnp3.application.control.fin": TRUTH, "dnp3.application.control.con": TRUTH,
    "dnp3.application.control.uns": TRUTH, "dnp3.application.control.sequence": NUMBER,
    "dnp3.application.function_code": NUMBER, "dnp3.application.complete": TRUTH,
    "dnp3.iin": OBJECT, "dnp3.iin.indicators": TEXTS, "enip": OBJECT, "enip.request": OBJECT,
    "enip.response": OBJECT,
}


def type_of(value):
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, (int, float)):
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if isinstance(value, dict):
        return OBJECT
    return {NUMBER: NUMBERS, TEXT: TEXTS, None: None}.get(type_of(value[0]) if value else None)


def check_suricata(event, raw):
    """Keys that EVE has keep the type, and the words, that they have there."""

    def walk(value, path):
        wanted = EVE_TYPES.get(path)
        if wanted and value != []:
            demand(type_of(value) == wanted, f"{path} is no {wanted}")
        if isinstance(value, dict):
            for key, member in value.items():
                walk(member, f"{path}.{key}" if path else key)

    walk(event, "")
    demand(0 <= event.get("flow_id", 0) < 1 << 51, "flow_id of more than 51 bits")
    if event["event_type"] == "anomaly":
        demand(event["anomaly"]["type"] in ("decode", "stream", "applayer"), "anomaly.type")
    if event["event_type"] == "flow":
        demand(event["flow"]["state"] in ("new", "established", "closed", "bypassed"), "flow.state")
        demand(event["flow"]["reason"] in ("timeout", "forced", "shutdown", "unknown", "tcp_reuse"),
               "flow.reason")


TWO_WAY = {1: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10},
           58: {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130,
                139: 140, 140: 139, 144: 145, 145: 144}}


def community_id(event):
    """Version 1, from what the line says."""
    number = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1, "IPv6-ICMP": 58, "IGMP": 2, "GRE": 47,
              "ESP": 50, "AH": 51}
    proto = number.get(event["proto"]) or int(event["proto"])
    ends = [[ipaddress.ip_address(event[side + "_ip"]).packed, event.get(side + "_port")]
            for side in ("src", "dest")]
    one_way = False
    if proto in TWO_WAY:
        other = TWO_WAY[proto].get(event["icmp_type"])
        one_way = other is None
        ends[0][1] = event["icmp_type"]
        ends[1][1] = event["icmp_code"] if one_way else other
    if not one_way:
        ends.sort(key=lambda end: (end[0], end[1] or 0))
    data = b"\0\0" + ends[0][0] + ends[1][0] + bytes([proto, 0])
    if ends[0][1] is not None:
        data += b"".join(end[1].to_bytes(2, "big") for end in ends)
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def check_community(event, raw):
    """Filebeat and Malcolm make the Community ID anew, from the line: it has to be the same."""
    if "community_id" in event:
        demand(event["community_id"] == community_id(event), "community_id of another flow")


def check_evebox(event, raw):
    """EveBox: a time stamp that parses, an event type, numeric flow id, alert.* of its list."""
    datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
    demand(isinstance(event["event_type"], str), "event_type is no string")
    demand(isinstance(event.get("flow_id", 0), int), "flow_id is no integer")
    demand(isinstance(event["host"], str), "host is no string")
    if event["event_type"] == "alert":
        for key in ("signature_id", "signature", "severity", "action"):
            demand(key in event["alert"], f"alert.{key} is missing")
        demand(event["alert"]["signature"], "a signature without text")
        demand("src_ip" in event and "dest_ip" in event or event["proto"] == "ETH", "addresses")
    if event["event_type"] == "stats":
        for path in ("decoder.bytes", "decoder.pkts", "flow.active", "flow.total", "flow.spare",
                     "flow.memuse", "tcp.memuse", "tcp.reassembly_memuse"):
            value = event["stats"]
            for key in path.split("."):
                value = value.get(key, {})
            demand(isinstance(value, int), f"stats.{path} is missing")


def check_arkime(event, raw):
    """Arkime's suricata plugin: fixed-position time stamp, line and object sizes; an alert that is
    to be shown has addresses and one of four protocols."""
    demand(50 <= len(raw) <= 16 << 20, f"line of {len(raw)} bytes")
    demand(len(event["timestamp"]) == 31 and event["timestamp"][26] in "+-", "time stamp position")
    demand(event["event_type"] == "alert" or not event["event_type"].startswith("alert"),
           "an event type that is taken for alert")
    for o in objects(event):
        demand(len(o) < 100, f"an object with {len(o)} keys")
    if event["event_type"] == "alert" and event["proto"] in ("TCP", "UDP", "ICMP"):
        ipaddress.ip_address(event["src_ip"])
        ipaddress.ip_address(event["dest_ip"])
        if event["proto"] != "ICMP":  # it finds the session by the five of them
            demand("src_port" in event and "dest_port" in event, "an alert without ports")
        demand(event["alert"]["category"], "an alert without category")
    if "vlan" in event:
        demand(all(isinstance(v, int) for v in event["vlan"]) and event["vlan"], "vlan")


def check_filebeat(event, raw):
    """Filebeat's suricata module and Elastic's integration: layout of the time, types of keys."""
    demand(TIME.match(event["timestamp"]), f"timestamp {event['timestamp']}")
    for key in ("src_ip", "dest_ip"):
        if key in event:
            ipaddress.ip_address(event[key])
    for key in ("src_port", "dest_port"):
        if key in event:
            demand(0 <= event[key] <= 65535, key)
            demand(event["proto"] in ("TCP", "UDP", "SCTP"), f"{key} of {event['proto']}")
    for key in ("event_type", "app_proto"):
        demand(event.get(key, "") == event.get(key, "").lower(), f"{key} is not lower case")
    if "ip_v" in event:
        demand(ipaddress.ip_address(event["src_ip"]).version == event["ip_v"], "ip_v")
    if event["event_type"] == "alert":
        demand(event["alert"]["severity"] in (1, 2, 3, 4), "severity")
        demand(event["alert"]["action"] == "allowed", "a passive sensor blocks nothing")
        demand(all(isinstance(v, list) and all(isinstance(x, str) for x in v)
                   for v in event["alert"]["metadata"].values()), "metadata holds lists of strings")
    if event["event_type"] == "flow":
        demand(TIME.match(event["flow"]["end"]), "flow.end")
        demand(event["flow"]["start"] <= event["flow"]["end"], "a flow ends before it starts")
        demand(isinstance(event["flow"]["age"], int), "flow.age")
    if "flow" in event:  # alerts of rules have the beginning of it
        demand(TIME.match(event["flow"]["start"]), "flow.start")
        for key in ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"):
            demand(isinstance(event["flow"][key], int), f"flow.{key}")
    # Integers of Elasticsearch are signed, 64 bits.
    demand(all(-(1 << 63) <= n < 1 << 63 for n in numbers(event) if isinstance(n, int)),
           "an integer over 63 bits")


def check_splunk(event, raw):
    """The Splunk add-ons: the time in front, at most 20,000 bytes a line."""
    demand(raw.startswith(b'{"timestamp":"'), "timestamp is not in front")
    demand(raw.count(b"\n") == 1, "not one line")
    demand(len(raw) <= 20000, f"line of {len(raw)} bytes")


def check_wazuh(event, raw):
    """Wazuh: both keys not empty; a line within its buffer."""
    demand(event["timestamp"] and event["event_type"], "empty timestamp or event_type")
    demand(len(raw) < 65536, "line over 64 KiB")


def check_telegraf(event, raw):
    """Telegraf: all of stats is numbers when flattened; keys join with _ without a clash."""
    if event["event_type"] != "stats":
        return
    flat = collections.Counter()

    def walk(value, path):
        if isinstance(value, dict):
            for key, member in value.items():
                walk(member, path + [key])
        else:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            demand(is_number, f"stats {path} is no number")
            flat["_".join(path)] += 1

    walk(event["stats"], [])
    demand(max(flat.values()) == 1, "two statistics have one flattened name")


def check_malcolm(event, raw):
    """Malcolm's Logstash: ether.*, vlan, app_proto, community_id under their names."""
    if "community_id" in event:
        demand(re.match(r"1:[A-Za-z0-9+/]{27}=\Z", event["community_id"]), "community_id")
    if "ether" in event:
        demand("src_mac" in event["ether"] and "dest_mac" in event["ether"], "ether")
    if event["event_type"] == "flow":
        demand("flow_id" in event and {"start", "end", "age"} <= set(event["flow"]), "flow")
        demand("ip_v" in event or event["proto"] == "ETH", "ip_v")


def check_ends(event):
    """source and target are src and dest, or dest and src, both or none of them."""
    ends = [event["alert"].get(key) for key in ("source", "target")]
    told = [{key: event[side + key] for key in ("ip", "port") if side + key in event}
            for side in ("src_", "dest_")]
    demand(ends in ([None, None], told, told[::-1]), "alert.source and .target are no ends")
    if "commands" in event["fieldtap"]:
        told, own = event["fieldtap"]["commands"], event["message"]["command"]
        if event["fieldtap"]["state"] == "new":
            demand(own == told[0], "the first command is not the alert's")
        demand(own in told or "aggregated" in event["fieldtap"]
               or "commands_truncated" in event["fieldtap"], "the message's command is not listed")


def check_own(event, raw):
    """Rules of our own that a schema cannot say."""
    kind = event["event_type"]
    order = [key for key in event if key in HEADER]
    demand(order == [key for key in HEADER if key in event], f"order of the header: {order}")
    extra = [key for key in event if key not in TOP]
    demand(all(key == event.get("app_proto") for key in extra), f"keys of no protocol: {extra}")
    if kind not in OWN_TYPES:
        demand(kind == event["app_proto"], "a transaction that is not named by its protocol")
    if event.get("proto") == "ETH":
        demand("src_port" not in event and "ip_v" not in event, "layer 2 with IP keys")
    fieldtap = event["fieldtap"]
    demand(fieldtap["sensor"] == event["host"], "sensor and host differ")
    demand(fieldtap["event_uid"].startswith(event["host"] + "-"), "event_uid")
    for key in extra:
        demand(leaves(event[key]) <= 2 * 200, f"{leaves(event[key])} leaves")
    if kind == "alert":
        names = {"critical": 1, "major": 2, "minor": 3, "warning": 4}
        demand(names[fieldtap["severity"]] == event["alert"]["severity"], "severities differ")
        demand(event["alert"]["metadata"]["fieldtap_title"] == [fieldtap["title"]], "titles differ")
        check_ends(event)
    if kind in IDS:
        own = fieldtap[IDS[kind]] == fieldtap["event_uid"]
        demand(own == (fieldtap["state"] == "new"), "id of a new finding")
        # What a rule tells may stand for several hits from the beginning.
        demand(fieldtap["state"] == "new" or fieldtap["count"] > 1, "count of an update")
        demand("rule" in fieldtap or fieldtap["state"] != "new" or fieldtap["count"] == 1, "count")
        demand(fieldtap["first_seen"] <= fieldtap["last_seen"], "seen last before first")


CONSUMERS = [check_suricata, check_community, check_evebox, check_arkime, check_filebeat, check_splunk, check_wazuh, check_telegraf,
             check_malcolm, check_own]


class File:
    """What holds between the lines of one file."""

    def __init__(self):
        self.numbers = {}
        self.opened = set()
        self.assets = set()

    def check(self, event):
        uid = event["fieldtap"]["event_uid"]
        sensor, number = uid.rsplit("-", 1)
        demand(int(number) > self.numbers.get(sensor, 0), f"event_uid {uid} does not go on")
        self.numbers[sensor] = int(number)
        for key in IDS.values():
            if key not in event["fieldtap"]:
                continue
            if event["fieldtap"]["state"] == "new":
                self.opened.add(event["fieldtap"][key])
            else:
                demand(event["fieldtap"][key] in self.opened, "an update of nothing")


def check_file(path, validator, sample, faults):
    """Check all lines; returns how many of each event type there were."""
    counts = collections.Counter()
    between = File()
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                event = parse(raw)
                for check in CONSUMERS:
                    check(event, raw)
                between.check(event)
                kind = event["event_type"]
                if validator and counts[kind] % sample == 0:
                    error = jsonschema.exceptions.best_match(validator.iter_errors(event))
                    demand(error is None, error and f"schema: {error.json_path}: {error.message}")
                counts[kind] += 1
            except (Fault, ValueError, KeyError, TypeError) as error:
                faults.append(f"{path}:{number}: {type(error).__name__}: {error}: "
                              f"{raw[:300].decode('utf-8', 'replace')}")
    return counts


def make_validator(path=SCHEMA):
    if jsonschema is None:
        return None
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--schema", default=SCHEMA)
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    validator = make_validator(options.schema)
    if validator is None:
        print("python3-jsonschema is not installed")
        return 77
    faults = []
    for path in options.files:
        counts = check_file(path, validator, options.sample, faults)
        print(f"{path}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    for fault in faults[:20]:
        print(fault)
    if len(faults) > 20:
        print(f"and {len(faults) - 20} more")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
