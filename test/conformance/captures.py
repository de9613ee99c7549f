# SPDX-License-Identifier: BSD-3-Clause
"""What the conformance tests share: where captures are, what the sensor says about one."""

import collections
import csv
import hashlib
import json
import os
import random
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEED = 20000
SKIPPED = 77

# tshark's protocols of which one makes a capture worth reading here.
FAMILIES = {"arp", "modbus", "mbtcp", "mbrtu", "dnp3", "tpkt", "cotp", "s7comm", "enip", "cip",
            "goose", "ftp", "http", "telnet", "ssdp", "stp", "lldp", "cdp", "loop", "eapol", "icmp", "icmpv6",
            "snmp", "ssh", "tls", "dtls", "dhcp", "dns", "llmnr", "mdns", "nbns", "ntp",
            "syslog", "tftp", "llc", "ftp-data", "cipio", "cippccc"}

# A capture: its name for people and lists, the file, and tshark's protocols in it (may be empty).
Capture = collections.namedtuple("Capture", "name path protocols")


def is_long():
    """True when everything is to be checked, not a sample."""
    return os.environ.get("FT_LONG") == "yes"


def beside_the_checkout():
    """The captures that lie beside the checkout, [] when there are none."""
    folder = os.environ.get("FT_CAPTURES")
    places = [folder] if folder else [os.path.join(ROOT, "..", "shared", "captures"),
                                      os.path.join(ROOT, "..", "..", "shared", "captures")]
    for place in places:
        index = os.path.join(place, "INDEX.tsv")
        if os.path.exists(index):
            return _of_index(place, index)
    return []


def _of_index(place, index):
    found = []
    with open(index, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = os.path.join(place, row["path"])
            if os.path.exists(path):
                names = {p.rsplit(":", 1)[0] for p in row["protocols_tshark_phs"].split()}
                found.append(Capture(row["path"], path, names))
    return found


def generated(plant, folder, runs):
    """Captures of the simulated plant. `runs`: a list of (name, options)."""
    found = []
    for name, options in runs:
        path = os.path.join(folder, name + ".pcap")
        subprocess.run([plant, *options, "-o", path], check=True)
        found.append(Capture("generated " + name, path, set()))
    return found


def sample(captures, count):
    """`count` captures, always the same ones, smaller ones first come by the size of a sample."""
    chosen = random.Random(SEED).sample(captures, min(count, len(captures)))
    return sorted(chosen)


def sensor(binary, paths, folder, workers=2, options=()):
    """Run the sensor over captures, one after another: its exit status and what it said."""
    os.makedirs(folder, exist_ok=True)
    for name in ("eve.json", "stats.json", "assets.json", "rules.json"):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    sources = [word for path in paths for word in ("-r", path)]
    done = subprocess.run([binary, *sources, "-l", folder, "-w", str(workers), "-q", *options],
                          capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


def messages(folder):
    """The message events in folder/eve.json."""
    with open(os.path.join(folder, "eve.json"), encoding="utf-8") as file:
        for line in file:
            if '"event_type":"message"' in line:
                yield json.loads(line)


def digest(path):
    """sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def report(marks, text, results, complaints, path):
    """Print a table and what is wrong; with a path, put the table between its marks in that
    document. Returns the exit status."""
    print(text)
    for complaint in complaints:
        print(complaint)
    print(f"{len(results)} captures, {len(complaints)} complaints")
    if path:
        with open(path, encoding="utf-8") as file:
            document = file.read()
        between = rf"(<!-- {marks}: begin -->\n).*?(<!-- {marks}: end -->)"
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(between, lambda m: m[1] + text + "\n" + m[2], document, flags=re.S))
    return 1 if complaints else 0
