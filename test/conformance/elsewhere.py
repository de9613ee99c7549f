#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""False positives: flows recognised where nobody put them.

usage: elsewhere.py [--write FILE.md] [--only TEXT] [--list] [--cache DIR] CUTS

Reads each capture with all dissectors and looks at those flows of TCP and UDP whose protocol was
found where none was expected: in a capture that lies in a folder of another protocol, or on ports
that are not its own. Each such flow must be the same to tshark, left to its own devices, or stand in
elsewhere.tsv with its reason; and everything in that must still be so. What only an EtherType, an IP
protocol or an LLC address tells is left out: it cannot be mistaken.

Of the captures beside the checkout a sample is taken unless FT_LONG=yes. --list prints what
elsewhere.tsv lacks as lines for it, --cache keeps what tshark said. Exit status 77 (skipped, for
meson) when tshark or the captures are absent.
"""

import argparse
import collections
import concurrent.futures
import csv
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile

import captures as cap
import conformance

HERE = os.path.dirname(os.path.abspath(__file__))
EXPLAINED = os.path.join(HERE, "elsewhere.tsv")
SAMPLE = 100
PROCESSES = 2
BATCH = 50

# The protocols that a folder of captures is for; the others are for protocols that are not read.
FOLDERS = {
    "cdp": {"cdp"}, "dhcp-ntp-radius": {"dhcp", "ntp"}, "dnp3": {"dnp3"}, "dns": {"dns"},
    "enip-cip": {"enip", "cip"}, "ftp": {"ftp", "ftp_data"}, "http": {"http"},
    "iccp-tase2": {"tpkt", "cotp"}, "iec61850-mms": {"tpkt", "cotp"},
    "mdns-llmnr": {"mdns", "llmnr"}, "modbus-tcp": {"modbus", "modbus_rtu"},
    "modbus-umas": {"modbus", "umas"}, "netbios": {"nbns"}, "s7comm": {"s7comm", "tpkt", "cotp"},
    "s7comm-plus": {"tpkt", "cotp"}, "snmp": {"snmp"}, "ssh": {"ssh"}, "syslog": {"syslog"},
    "telnet": {"telnet"}, "tftp": {"tftp"}, "tls": {"tls"},
}

# What a port is bound to where that is not the protocol itself but what carries it.
CARRIER = {"cip": "enip", "cotp": "tpkt", "s7comm": "tpkt", "umas": "modbus"}

# tshark's names where they are others than ours.
NAMES = {"cip": {"cip", "enip"}, "enip": {"enip", "cipio"}, "ftp_data": {"ftp-data"},
         "http": {"http", "ssdp"}, "modbus": {"mbtcp"}, "modbus_rtu": {"mbrtu"},
         "tls": {"tls", "dtls"}, "umas": {"mbtcp", "mbrtu"}}

Flow = collections.namedtuple("Flow", "protocol transport ends bound")
# Of a capture: all flows, those found where none was expected, and those that tshark calls
# otherwise; what failed.
Result = collections.namedtuple("Result", "capture flows elsewhere odd")
Reason = collections.namedtuple("Reason", "capture protocol flows reason")


def flows_of(cuts, batch):
    """The flows of TCP and UDP of some captures that were recognised, by path, and complaints."""
    done = subprocess.run([cuts, "--flows", *(c.path for c in batch)], capture_output=True,
                          text=True, errors="replace")
    found = collections.defaultdict(list)
    for row in csv.reader(done.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        path, what, protocol, transport, source, sport, destination, dport, bound = row[:9]
        if what == "flow" and transport in ("tcp", "udp"):
            ends = tuple(sorted(((source, int(sport)), (destination, int(dport)))))
            found[path].append(Flow(protocol, transport, ends, bound))
    failed = [f"cuts --flows: exit status {done.returncode}: {done.stderr.strip()}"]
    return found, failed if done.returncode else []


def names_by_tshark(path, cache):
    """tshark's protocols of each (transport, ends)."""
    columns = ["frame.protocols", *conformance.ADDRESSES]
    arguments = [conformance.TSHARK, "-r", path, "-n", "-Y", "tcp or udp", "-T", "fields",
                 "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=/t"]
    for column in columns:
        arguments += ["-e", column]
    key = cache and os.path.join(cache, "names-" + cap.digest(path))
    if key and os.path.exists(key):
        with open(key, "rb") as file:
            return pickle.load(file)
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(arguments, capture_output=True, text=True, errors="replace",
                              env={**os.environ, "WIRESHARK_CONFIG_DIR": empty})
    names = collections.defaultdict(set)
    for line in done.stdout.splitlines():
        row = dict(zip(columns, line.split("\t")))
        source, destination, ports, inside = conformance.innermost(row)
        if len(ports) == 2:
            ends = sorted(((source, ports[0][1]), (destination, ports[1][1])))
            names[ports[0][0], tuple(ends)].update(inside)
    if key:
        with open(key, "wb") as file:
            pickle.dump(names, file)
    return names


def is_expected(flow, folder):
    return (flow.protocol in FOLDERS.get(folder, set()) and
            flow.bound == CARRIER.get(flow.protocol, flow.protocol))


def check(capture, flows, cache):
    folder = capture.name.split("/", 1)[0]
    elsewhere = [f for f in flows if not is_expected(f, folder)]
    names = names_by_tshark(capture.path, cache) if elsewhere else {}
    odd = [f for f in elsewhere
           if not NAMES.get(f.protocol, {f.protocol}) & names.get((f.transport, f.ends), set())]
    return Result(capture.name, *(collections.Counter(f.protocol for f in of)
                                  for of in (flows, elsewhere)), odd)


def read_reasons():
    """elsewhere.tsv by (capture, protocol)."""
    with open(EXPLAINED, encoding="utf-8", newline="") as file:
        rows = [Reason(*r) for r in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if r and not r[0].startswith("#")]
    return {(r.capture, r.protocol): r for r in rows}


def judge(results, reasons):
    """Complaints, and the number of flows of each protocol that have a reason."""
    complaints, explained = [], collections.Counter()
    for r in results:
        odd = collections.Counter(f.protocol for f in r.odd)
        for protocol, count in sorted(odd.items()):
            reason = reasons.get((r.capture, protocol))
            if reason and int(reason.flows) == count:
                explained[protocol] += count
            else:
                complaints.append(f"{r.capture}: {count} flows of {protocol} that tshark calls "
                                  "otherwise" + (f" (known: {reason.flows})" if reason else ""))
        complaints += [f"{r.capture}: elsewhere.tsv lists flows of {protocol} that are no more"
                       for capture, protocol in reasons
                       if capture == r.capture and protocol not in odd]
    return complaints, explained


def list_unknown(results, reasons):
    for r in results:
        for protocol, count in sorted(collections.Counter(f.protocol for f in r.odd).items()):
            if (r.capture, protocol) not in reasons:
                print(f"{r.capture}\t{protocol}\t{count}\t")
                for f in [f for f in r.odd if f.protocol == protocol][:8]:
                    print(f"#   {f.transport} {f.ends} {f.bound}")


def table(results, explained):
    rows = ["| protocol | captures | flows | where none was expected | tshark agrees | explained "
            "| wrong |", "|---|---:|---:|---:|---:|---:|---:|"]
    for protocol in sorted({p for r in results for p in r.flows}):
        of = [r for r in results if r.flows[protocol]]
        elsewhere = sum(r.elsewhere[protocol] for r in of)
        odd = sum(f.protocol == protocol for r in of for f in r.odd)
        rows.append(f"| {protocol} | {len(of)} | {sum(r.flows[protocol] for r in of)} | {elsewhere} "
                    f"| {elsewhere - odd} | {explained[protocol]} | {odd - explained[protocol]} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("--write")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--cache")
    parser.add_argument("cuts")
    options = parser.parse_args()
    chosen = [c for c in cap.beside_the_checkout() if options.only in c.name]
    if not conformance.TSHARK or not chosen:
        print("skipped: tshark is not installed, or no captures are here")
        return cap.SKIPPED
    if not cap.is_long() and not options.only:
        chosen = cap.sample(chosen, SAMPLE)
    if options.cache:
        os.makedirs(options.cache, exist_ok=True)
    batches = [chosen[i:i + BATCH] for i in range(0, len(chosen), BATCH)]
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        flows, failed = {}, []
        for found, complaints in pool.map(lambda b: flows_of(options.cuts, b), batches):
            flows.update(found)
            failed += complaints
        results = list(pool.map(lambda c: check(c, flows.get(c.path, []), options.cache), chosen))
    reasons = read_reasons()
    complaints, explained = judge(results, reasons)
    complaints += failed
    if options.list:
        list_unknown(results, reasons)
    return cap.report("elsewhere", table(results, explained), results, complaints, options.write)


if __name__ == "__main__":
    sys.exit(main())
