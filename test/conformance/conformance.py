#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the messages of fieldtap with the PDUs of tshark, capture by capture.

usage: conformance.py [--write FILE.md] [--only TEXT] [--explain] [--list] [--cache DIR] SENSOR PLANT

For each protocol the number of PDUs for each (source, destination, code) must be tshark's. What
differs must stand in known.tsv with its reason, and everything in known.tsv must still differ so.
Of captures beside the checkout a sample is taken unless FT_LONG=yes; without them only captures
of the simulated plant are compared. --explain tells the frames that differ, --list prints what
known.tsv lacks as lines for it, --cache keeps what tshark said. Exit status 77 (skipped, for meson) when tshark is absent.

What is compared, and how:
  - messages of ours without the field that tshark counts (a DNP3 link frame without application
    layer, a cut Modbus header) are left out;
  - a port on which tshark found none of these protocols, and we did, is told to it by "decode as":
    so it judges what we read, on our word for where;
  - what an ICMP error quotes is not traffic and left out;
  - PDUs in a segment that tshark calls a retransmission count only if we read them in that frame
    too: tshark leaves most of these segments out, but reads fast retransmissions again.
"""

import argparse
import collections
import concurrent.futures
import csv
import hashlib
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile

import captures as cap

HERE = os.path.dirname(os.path.abspath(__file__))
KNOWN = os.path.join(HERE, "known.tsv")
TSHARK = shutil.which("tshark")
SAMPLE = 80
# tshark reads files of any size but holds its state in memory: two at a time.
PROCESSES = 2

# tshark asks the dissector of the lower port first: a client's port that is IDMP's hides EtherNet/IP.
DISABLED = ["idmp"]

GENERATED = [
    ("plant seed 1", ["--seed", "1", "--seconds", "300"]),
    ("plant seed 2, without incident", ["--seed", "2", "--seconds", "120", "--incident", "no"]),
    ("plant seed 3, many devices", ["--seed", "3", "--packets", "60000", "--flows", "600"]),
]


class Protocol:
    """One protocol: where tshark has its PDUs, and what a message of ours is to compare.

    `inside`: a name in tshark's frame.protocols that must be there. `code(message, object)`: the
    value tshark's field has for a message of ours, None to leave it out. `decode_as`: tshark's name
    for "decode as" when it can be told a port. `keep(value)`: filters tshark's values. `number(text)`:
    the number of a value of tshark's. `of`: the protocol's name where that is not the row's.
    `quotes`: its messages have packets of others in them, which tshark reads too. `outside`: names
    that must not be in frame.protocols.
    """

    def __init__(self, name, field, code, inside=None, decode_as=None, keep=lambda value: True,
                 number=None, of=None, quotes=False, outside=frozenset()):
        self.name = name
        self.field = field
        self.code = code
        self.inside = inside
        self.decode_as = decode_as
        self.keep = keep
        self.number = number or (lambda text: int(text, 16 if text.startswith("0x") else 10))
        self.of = of or name
        self.quotes = quotes
        self.outside = outside


def member(*names):
    """A code that is a member of the protocol's object, nested by `names`."""
    def code(_message, of):
        for name in names:
            of = of.get(name) if isinstance(of, dict) else None
        return of
    return code


def cip_service(message, of):
    """tshark's service is the byte on the wire: with the bit of responses."""
    service = of.get("service_code")
    is_answer = message["kind"] in ("response", "exception")
    return None if service is None else service | (0x80 if is_answer else 0)


def word(text):
    """A word as a number, for protocols whose commands are words."""
    return int.from_bytes(text.strip().upper().encode()[:8], "big")


def http_method(_message, of):
    """Responses repeat the method of their request."""
    return word(of["http_method"]) if "http_method" in of and "status" not in of else None


def handshake(is_datagram):
    """tshark has two fields for handshake messages."""
    def code(_message, of):
        return of.get("handshake_type_code") if ("epoch" in of) == is_datagram else None
    return code


def ssh_message(_message, of):
    """Message numbers; identification lines and SSH 1 have codes of ours."""
    code = of.get("message_code")
    return code if code is not None and code < 256 else None


def snmp_pdu(_message, of):
    """tshark numbers PDUs from 0; of what is encrypted neither knows the PDU."""
    code = of.get("pdu_type_code")
    return code - 0xa0 if code else None


def flag(name):
    """A bit, which tshark gives as a number."""
    def code(_message, of):
        return int(of[name]) if name in of else None
    return code


PROTOCOLS = [
    Protocol("arp", "arp.opcode", member("opcode_code")),
    # Exceptions: both have the function code without its top bit.
    Protocol("modbus", "modbus.func_code", member("function_code_code"), inside="mbtcp",
             decode_as="mbtcp"),
    Protocol("modbus_rtu", "modbus.func_code", member("function_code_code"), inside="mbrtu",
             decode_as="mbrtu"),
    Protocol("umas", "modbus.func_code", lambda message, of: 90, keep=lambda value: value == 90),
    Protocol("dnp3", "dnp3.al.func", member("application", "function_code"), decode_as="dnp3"),
    Protocol("tpkt", "tpkt.version", member("version"), decode_as="tpkt"),
    Protocol("cotp", "cotp.type", member("type_code")),
    Protocol("s7comm", "s7comm.header.rosctr", member("rosctr_code")),
    Protocol("enip", "enip.command", member("command_code"), decode_as="enip"),
    Protocol("cip", "cip.service", cip_service),
    Protocol("loopback", "loop.function", member("loopback", "function_code"), of="ethernet"),
    Protocol("eapol", "eapol.type", member("eapol", "type_code"), of="ethernet"),
    # Sessions of IP are decoded, and are no messages.
    Protocol("pppoe", "pppoe.code", lambda message, of: of.get("pppoe", {}).get("code_code") or None,
             of="ethernet", keep=lambda value: value != 0),
    Protocol("lacp", "lacp.version", member("lacp", "version"), of="ethernet"),
    Protocol("oam", "oampdu.code", member("oam", "code_code"), of="ethernet"),
    Protocol("mac_control", "macc.opcode", member("control", "opcode_code"), of="ethernet"),
    Protocol("supervision", "hsr_prp_supervision.version", member("supervision", "version"),
             of="ethernet"),
    Protocol("stp", "stp.type", member("type_code")),
    # Frames of what nothing is bound to.
    Protocol("llc", "llc.dsap", member("dsap_code"), outside={"stp", "cdp", "arp", "ip", "ipv6"}),
    Protocol("lldp", "lldp.chassis.subtype", member("chassis", "subtype_code")),
    Protocol("cdp", "cdp.version", member("version")),
    Protocol("icmp", "icmp.type", member("type_code"), quotes=True),
    Protocol("icmpv6", "icmpv6.type", member("type_code"), quotes=True),
    # The number itself is content; that there is one makes it a GOOSE PDU.
    Protocol("goose", "goose.stNum", lambda message, of: 0 if "st_num" in of else None),
    Protocol("ftp", "ftp.response.code", lambda message, of: int(of["completion_code"][0])
             if "completion_code" in of else None, decode_as="ftp"),
    Protocol("ftp_request", "ftp.request.command", lambda message, of: word(of["command"])
             if "command" in of and "completion_code" not in of else None, number=word, of="ftp"),
    # tshark counts the end of a sub-negotiation, too.
    Protocol("telnet", "telnet.cmd", lambda message, of: message.get("code", 300)
             if message.get("code", 300) < 256 else None, decode_as="telnet",
             keep=lambda value: value != 240),
    Protocol("http", "http.response.code", member("status"), decode_as="http"),
    Protocol("http_request", "http.request.method", http_method, number=word, of="http"),
    Protocol("snmp", "snmp.data", snmp_pdu, decode_as="snmp"),
    Protocol("ssh", "ssh.message_code", ssh_message, decode_as="ssh"),
    Protocol("tls", "tls.handshake.type", handshake(False), decode_as="tls"),
    Protocol("dtls", "dtls.handshake.type", handshake(True), decode_as="dtls", of="tls"),
    Protocol("dhcp", "dhcp.type", member("type_code")),
    Protocol("dns", "dns.flags.response", flag("qr"), inside="dns"),
    Protocol("mdns", "dns.flags.response", flag("qr"), inside="mdns"),
    Protocol("llmnr", "dns.flags.response", flag("qr"), inside="llmnr"),
    Protocol("nbns", "nbns.flags.response", flag("r")),
    Protocol("ntp", "ntp.flags.mode", member("mode_code")),
    Protocol("syslog", "syslog.facility", member("facility_code")),
    Protocol("tftp", "tftp.opcode", member("packet_code")),
]
# Protocols without a row. tshark tells data connections of FTP segment by segment, and has for each
# kind of frame of Ethernet itself a protocol of its own.
NOT_COMPARED = {"ethernet", "ftp_data"}
BY_NAME = collections.defaultdict(list)
for row in PROTOCOLS:
    BY_NAME[row.of].append(row)

# ---- tshark ----

ADDRESSES = ["eth.src", "eth.dst", "sll.src.eth", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
             "tcp.dstport", "udp.srcport", "udp.dstport"]
AGAIN = ["tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
         "tcp.analysis.spurious_retransmission"]
FIELDS = sorted({p.field for p in PROTOCOLS})
COLUMNS = ["frame.number", "frame.protocols", *ADDRESSES, *AGAIN, *FIELDS]

# What an error message quotes of a packet is a field of it here, not traffic.
QUOTING = {"icmp", "icmpv6"}

# Counts by frame: what[protocol][(source, destination, code)][frame number] = PDUs.
def counts():
    return {p.name: collections.defaultdict(collections.Counter) for p in PROTOCOLS}


class Reading:
    """What one of the two read in a capture."""

    def __init__(self):
        self.pdus = counts()
        self.again = set()  # frames that carry a retransmission
        self.ports = collections.defaultdict(set)  # protocol: {(transport, port)}
        self.failed = ""


def innermost(row):
    """Addresses and ports of the innermost packet of a frame."""
    names = row["frame.protocols"].split(":")
    def last(*fields):
        return [row[f].rsplit(",", 1)[-1] for f in fields]
    v4 = max((i for i, n in enumerate(names) if n == "ip"), default=-1)
    v6 = max((i for i, n in enumerate(names) if n == "ipv6"), default=-1)
    # Cooked captures have no destination.
    ether = ([row["sll.src.eth"], "00:00:00:00:00:00"] if row["sll.src.eth"] else
             last("eth.src", "eth.dst"))
    source, destination = (ether if v4 == v6 else
                           last("ip.src", "ip.dst") if v4 > v6 else last("ipv6.src", "ipv6.dst"))
    ports = []
    for transport in ("tcp", "udp"):
        if transport in names:
            ports = [(transport, int(p)) for p in
                     last(transport + ".srcport", transport + ".dstport") if p]
    return source, destination, ports, names


def around(row, names, name):
    """Addresses of the packet whose payload is `name`, not of one that an error message quotes."""
    inside = names[:names.index(name)]
    version = max(("ip", "ipv6"), key=lambda v: max((i for i, n in enumerate(inside) if n == v),
                                                    default=-1))
    return [row[f"{version}.{end}"].split(",")[inside.count(version) - 1] for end in ("src", "dst")]


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def read_by_tshark(path, decode_as, cache):
    """What tshark reads; the environment has no preferences of the user."""
    arguments = [TSHARK, "-r", path, "-n", "-Y", " or ".join(sorted({p.field for p in PROTOCOLS})),
                 "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=/t"]
    for name in DISABLED:
        arguments += ["--disable-protocol", name]
    for rule in decode_as:
        arguments += ["-d", rule]
    for column in COLUMNS:
        arguments += ["-e", column]
    key = None
    if cache:
        text = "\0".join(arguments[3:]) + cap.digest(path)
        key = os.path.join(cache, hashlib.sha256(text.encode()).hexdigest())
        if os.path.exists(key):
            with open(key, "rb") as file:
                return take_tshark(pickle.load(file))
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(arguments, capture_output=True, text=True, errors="replace",
                              env={**os.environ, "WIRESHARK_CONFIG_DIR": empty, "LC_ALL": "C.UTF-8"})
    if key:
        with open(key, "wb") as file:
            pickle.dump(done.stdout, file)
    return take_tshark(done.stdout)


def take_tshark(output):
    read = Reading()
    for line in output.splitlines():
        row = dict(zip(COLUMNS, line.split("\t")))
        if len(row) < len(COLUMNS):
            continue
        frame = int(row["frame.number"])
        source, destination, ports, names = innermost(row)
        if any(row[a] for a in AGAIN):
            read.again.add(frame)
        for p in PROTOCOLS:
            if not row[p.field] or (p.inside and p.inside not in names) or \
                    not p.outside.isdisjoint(names) or (not p.quotes and QUOTING & set(names)):
                continue
            if p.quotes:
                source, destination = around(row, names, p.name)
                row[p.field] = row[p.field].split(",")[0]
            for text in row[p.field].split(","):
                value = p.number(text)
                if p.keep(value):
                    code = 0 if p.name == "goose" else value
                    read.pdus[p.name][source, destination, code][frame] += 1
                    read.ports[p.name].update(ports)
    return read


# ---- fieldtap ----

def read_by_sensor(sensor, path, folder):
    read = Reading()
    status, said = cap.sensor(sensor, [path], folder, options=["--log", "messages"])
    if status != 0:
        read.failed = f"the sensor ended with {status}: {said.strip()}"
        return read
    for event in cap.messages(folder):
        counted = [(p, p.code(event["message"], event.get(p.of, {})))
                   for p in BY_NAME.get(event["app_proto"], [])]
        counted = [(p, code) for p, code in counted if code is not None]
        if not counted:
            continue
        ether = event.get("ether", {})
        source = event.get("src_ip") or ether.get("src_mac", "")
        destination = event.get("dest_ip") or ether.get("dest_mac", "")
        for p, code in counted:
            read.pdus[p.name][source, destination, code][event["pcap_cnt"]] += 1
            if event.get("proto") in ("TCP", "UDP"):
                server = "src_port" if event["direction"] == "to_client" else "dest_port"
                read.ports[p.name].add((event["proto"].lower(), event[server]))
    return read


# ---- comparing ----

Difference = collections.namedtuple("Difference", "capture protocol source destination code ours "
                                                  "theirs only_ours only_theirs")
Result = collections.namedtuple("Result", "capture totals differences failed decode_as")


def compare(name, ours, theirs):
    """Differences and, for each protocol, [PDUs by tshark, PDUs by us, agreeing]."""
    differences, totals = [], {}
    for p in PROTOCOLS:
        mine, other = ours.pdus[p.name], theirs.pdus[p.name]
        total = [0, 0, 0]
        for key in sorted(set(mine) | set(other)):
            m, t = mine.get(key, collections.Counter()), other.get(key, collections.Counter())
            t = collections.Counter({f: min(n, m[f]) if f in theirs.again else n
                                     for f, n in t.items()})
            a, b = sum(m.values()), sum(t.values())
            total = [total[0] + b, total[1] + a, total[2] + min(a, b)]
            if a != b:
                differences.append(Difference(name, p.name, *key, a, b, m - t, t - m))
        if total[0] or total[1]:
            totals[p.name] = total
    return differences, totals


def decode_as(ours, theirs):
    """Ports on which we found a protocol and tshark found none."""
    rules, known = [], set().union(*theirs.ports.values())
    for p in PROTOCOLS:
        if p.decode_as:
            for transport, port in sorted(ours.ports[p.name] - known):
                rules.append(f"{transport}.port=={port},{p.decode_as}")
    return rules


def check(capture, sensor, work, cache):
    folder = os.path.join(work, hashlib.sha256(capture.name.encode()).hexdigest()[:16])
    ours = read_by_sensor(sensor, capture.path, folder)
    shutil.rmtree(folder, ignore_errors=True)
    if ours.failed:
        return Result(capture.name, {}, [], ours.failed, [])
    theirs = read_by_tshark(capture.path, [], cache)
    rules = decode_as(ours, theirs)
    if rules:
        theirs = read_by_tshark(capture.path, rules, cache)
    differences, totals = compare(capture.name, ours, theirs)
    return Result(capture.name, totals, differences, "", rules)


# ---- the list of what is known ----

# `whose` is "tshark" where tshark's reading is wrong, else "".
Known = collections.namedtuple("Known", "capture protocol code ours theirs reason whose",
                               defaults=("",))


def read_known():
    """known.tsv: a line for each difference summed over directions, and its reason."""
    with open(KNOWN, encoding="utf-8", newline="") as file:
        rows = [r for r in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if r and not r[0].startswith("#")]
    known = {}
    for row in rows:
        k = Known(*row)
        known[k.capture, k.protocol, int(k.code)] = k
    return known


def summed(differences):
    """Differences of a capture by (protocol, code): (ours, tshark's)."""
    sums = collections.defaultdict(lambda: [0, 0])
    for d in differences:
        sums[d.protocol, d.code][0] += d.ours
        sums[d.protocol, d.code][1] += d.theirs
    return sums


def judge(results, known):
    """Complaints, and the number of explained PDUs of each (protocol, whose)."""
    complaints, explained = [], collections.Counter()
    for r in results:
        if r.failed:
            complaints.append(f"{r.capture}: {r.failed}")
        sums = summed(r.differences)
        for (protocol, code), (ours, theirs) in sorted(sums.items()):
            k = known.get((r.capture, protocol, code))
            if k and k.ours in ("*", str(ours)) and k.theirs in ("*", str(theirs)):
                explained[protocol, k.whose] += sum(abs(d.ours - d.theirs) for d in r.differences
                                                    if (d.protocol, d.code) == (protocol, code))
            else:
                complaints.append(f"{r.capture}: {protocol} code {code}: {ours} by us, {theirs} by "
                                  f"tshark" + (f" (known: {k.ours} and {k.theirs})" if k else ""))
        for (capture, protocol, code) in known:
            if capture == r.capture and (protocol, code) not in sums:
                complaints.append(f"{capture}: {protocol} code {code}: known.tsv lists a difference"
                                  " that is no more")
    return complaints, explained


def not_compared(sensor):
    """A complaint for each protocol of the sensor that has no row here."""
    listed = subprocess.run([sensor, "--list-protocols"], capture_output=True, text=True, check=True)
    names = {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}
    return [f"{name}: not compared with tshark" for name in sorted(names - set(BY_NAME) - NOT_COMPARED)]


# ---- telling ----

def frames(counter):
    text = " ".join(f"{f}" + (f"x{n}" if n > 1 else "") for f, n in sorted(counter.items())[:12])
    return text + (" ..." if len(counter) > 12 else "")


def explain(results):
    for r in results:
        if r.differences:
            print(f"-- {r.capture} {' '.join(r.decode_as)}")
        for d in r.differences:
            print(f"   {d.protocol} {d.code} {d.source} > {d.destination}: {d.ours} by us, {d.theirs}"
                  f" by tshark; frames only of ours [{frames(d.only_ours)}], only of tshark's "
                  f"[{frames(d.only_theirs)}]")


def list_unknown(results, known):
    for r in results:
        for (protocol, code), (ours, theirs) in sorted(summed(r.differences).items()):
            if (r.capture, protocol, code) not in known:
                print(f"{r.capture}\t{protocol}\t{code}\t{ours}\t{theirs}\t")


def table(results, explained):
    rows = ["| protocol | tshark's field | captures | PDUs by tshark | PDUs by fieldtap | agreeing "
            "| differences | explained | of these tshark's errors | agreeing but for these |",
            "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for p in PROTOCOLS:
        of = [r.totals[p.name] for r in results if p.name in r.totals]
        theirs, ours, same = (sum(t[i] for t in of) for i in range(3))
        most = max(theirs, ours, 1)
        differing = sum(abs(d.ours - d.theirs) for r in results for d in r.differences
                        if d.protocol == p.name)
        errors = explained[p.name, "tshark"]
        rows.append(f"| {p.name} | `{p.field}` | {len(of)} | {theirs} | {ours} | "
                    f"{percent(same if of else 1, most)} | {differing} | "
                    f"{errors + explained[p.name, '']} | {errors} | "
                    f"{percent(most - (differing - errors), most)} |")
    return "\n".join(rows)


def percent(part, whole):
    return f"{100 * part / whole:.3f} %"


def choose(only):
    """Captures to compare."""
    found = [c for c in cap.beside_the_checkout() if c.protocols & cap.FAMILIES or only]
    if only:
        return [c for c in found if only in c.name]
    return found if cap.is_long() else cap.sample(found, SAMPLE)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("--write")
    parser.add_argument("--only")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--cache")
    parser.add_argument("sensor")
    parser.add_argument("plant")
    options = parser.parse_args()
    if not TSHARK:
        print("skipped: tshark is not installed")
        return cap.SKIPPED
    with tempfile.TemporaryDirectory() as work:
        if options.cache:
            os.makedirs(options.cache, exist_ok=True)
        chosen = choose(options.only)
        if not options.only or options.only.startswith("generated"):
            chosen += cap.generated(options.plant, work, GENERATED)
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            results = list(pool.map(lambda c: check(c, options.sensor, work, options.cache), chosen))
    known = read_known()
    complaints, explained = judge(results, known)
    complaints += not_compared(options.sensor)
    if options.explain:
        explain(results)
    if options.list:
        list_unknown(results, known)
    return cap.report("table", table(results, explained), results, complaints, options.write)


if __name__ == "__main__":
    sys.exit(main())
