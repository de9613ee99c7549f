#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Names of numbers in lib/protocols/power/dnp3_tables.c and lib/protocols/industrial/s7_tables.c
beside those that tshark has for the same field.

usage: names.py FIELDTAP

A number must be known to both, and the two names of it must have a word in common, or stand below
with the reason. Exit status 77 (skipped, for meson) when tshark is absent.
"""

import collections
import re
import shutil
import subprocess
import sys

SKIPPED = 77

# Fields of fieldtap and of tshark.
FIELDS = {
    "dnp3.application.function": "dnp3.al.func",
    "dnp3.application.objects.points.status": "dnp3.al.ctrlstatus",
    "dnp3.application.objects.points.operation": "dnp3.ctl.op",
    "dnp3.application.objects.points.trip_close": "dnp3.ctl.trip",
    "dnp3.application.objects.points.file.mode": "dnp3.al.file.mode",
    "dnp3.application.objects.points.file.status": "dnp3.al.file.status",
    "s7comm.rosctr": "s7comm.header.rosctr",
    "s7comm.error_class": "s7comm.header.errcls",
    "s7comm.error": "s7comm.param.errcod",
    "s7comm.function": "s7comm.param.func",
    "s7comm.items.syntax": "s7comm.param.item.syntaxid",
    "s7comm.items.area": "s7comm.param.item.area",
    "s7comm.items.type": "s7comm.param.item.transp_size",
    "s7comm.items.nck_area": "s7comm.param.item.nck.area",
    "s7comm.items.result": "s7comm.data.returncode",
    "s7comm.items.data_type": "s7comm.data.transportsize",
    "s7comm.block_language": "s7comm.blockinfo.block_lang",
    "s7comm.ud_type": "s7comm.param.userdata.type",
    "s7comm.ud_group": "s7comm.param.userdata.funcgroup",
    "s7comm.trigger": "s7comm.varstat.trgevent",
    "s7comm.alarm_query": "s7comm.alarm.query.querytype",
    "s7comm.alarm_type": "s7comm.alarm.query.alarmtype",
}

# Field and number: why the two differ.
EXCEPTIONS = {
    ("dnp3.application.objects.points.status", 0): "success in IEEE 1815-2012; tshark describes it",
    **{("dnp3.application.objects.points.status", n): "of IEEE 1815-2012; older in tshark"
       for n in range(13, 19)},
    ("s7comm.error_class", 0): "none, no error",
    ("s7comm.error", 0): "none, no error",
    ("s7comm.items.syntax", 0x10): "s7_any, S7ANY",
    ("s7comm.items.syntax", 0xb0): "db_read, DBREAD",
    ("s7comm.items.area", 0x87): "known to the open libraries, not to tshark",
    ("s7comm.items.type", 9): "date, which tshark knows by another table only",
    ("s7comm.items.result", 5): "address out of range, invalid address",
    ("s7comm.items.result", 0xff): "ok, success",
}


def of_tshark():
    """By field: numbers and their names."""
    out = subprocess.run(["tshark", "-G", "values"], capture_output=True, text=True, check=True,
                         errors="replace").stdout
    names = collections.defaultdict(dict)
    for line in out.splitlines():
        parts = line.split("\t")
        if len(parts) == 4 and parts[0] == "V" and parts[1] in FIELDS.values():
            names[parts[1]][int(parts[2], 0)] = parts[3]
    return names


def of_fieldtap(binary, field):
    out = subprocess.run([binary, "--describe", field], capture_output=True, text=True,
                         check=True).stdout
    rows = re.findall(r"^ +(\d+) +(\S+)", out[out.index("NUMBER"):], re.M)
    return {int(number): name for number, name in rows}


def words(name):
    """Beginnings of words: "not_supported" and "Function not supported." have two in common."""
    small = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()
    return {word[:4] for word in re.findall(r"[a-z0-9]+", small)}


def complaints_of(field, ours, theirs):
    for number in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(number), theirs.get(number)
        if (field, number) in EXCEPTIONS:
            continue
        if mine is None or other is None:
            yield f"{field} {number:#x}: {mine or 'nothing'} here, {other or 'nothing'} in tshark"
        elif not words(mine) & words(other):
            yield f"{field} {number:#x}: {mine} here, {other} in tshark"


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    if not shutil.which("tshark"):
        return SKIPPED
    known = of_tshark()
    complaints = []
    count = 0
    for field, theirs in FIELDS.items():
        ours = of_fieldtap(sys.argv[1], field)
        count += len(ours)
        complaints += complaints_of(field, ours, known[theirs])
    for text in complaints:
        print(text)
    print(f"{count} names of {len(FIELDS)} fields, {len(complaints)} complaints")
    return 1 if complaints or not count else 0


if __name__ == "__main__":
    sys.exit(main())
