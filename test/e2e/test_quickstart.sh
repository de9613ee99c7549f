#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The README's first command in a fresh copy of the sources, twice; then an installation.
# usage: test_quickstart.sh SOURCE_ROOT. Exit status 77 (skipped) where packages cannot be installed.
set -euo pipefail

root=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/fieldtap-quickstart-XXXXXX")
trap 'rm -rf "$work"' EXIT

if ! "$root/tools/install-deps" >/dev/null 2>&1; then
    echo "packages are missing and cannot be installed"
    exit 77
fi

fail() { echo "FAILED: $*"; exit 1; }
expect() { grep -qE -e "$1" "$work/said" || { cat "$work/said"; fail "no line like: $1"; }; }

# Sources only: no build folders, no captures, no history.
tar -C "$root" --exclude='./build*' --exclude='./quickstart.out' --exclude=./.git -cf - . |
    tar -C "$work" -xf -
cd "$work"

for turn in first second; do
    begin=$SECONDS
    ./tools/quickstart >said 2>&1 || { cat said; fail "the $turn quickstart ended with $?"; }
    took=$((SECONDS - begin))
    echo "$turn quickstart: $took s"
    [ "$took" -le 300 ] || fail "more than five minutes"

    expect '^Assets \([0-9]+\)$'
    expect 'ADDRESS +MAC +NAME +VENDOR +MODEL +FIRMWARE +ROLE'
    expect '10\.10\.1\.101 .*Schneider El[^ ]* +BMX P34 2020X +V02\.70 +plc'
    expect '^Who talks to whom'
    expect '10\.10\.1\.10 +-> +10\.10\.1\.101 +modbus'
    expect '^Alerts \([0-9]+\)$'
    expect 'TIME \(UTC\) +SEVERITY +ALERT +PROTOCOL .*SOURCE +DESTINATION +COUNT'
    expect 'critical +Program download[^ ]* .*s7comm .*10\.10\.1\.66'
    expect '^Ledger: [0-9,]+ packets received = .*are balanced$'
    expect '^Events as JSON lines: +quickstart.out/eve.json \([0-9]+ lines\)$'
    expect '^now yours: fieldtap -r your.pcap$'
    [ "$(grep -c '^Ledger:' said)" = 1 ] || fail "one ledger line"
    for file in eve.json assets.json stats.json; do
        [ -s "quickstart.out/$file" ] || fail "quickstart.out/$file"
    done
    python3 - <<'PY'
import json
events = [json.loads(line) for line in open("quickstart.out/eve.json")]
assert any(e["event_type"] == "alert" for e in events)
assert len(json.load(open("quickstart.out/assets.json"))) > 15
assert json.load(open("quickstart.out/stats.json"))["balanced"] is True
PY
    [ "$turn" = first ] && cp quickstart.out/eve.json first.json
done
cmp first.json quickstart.out/eve.json || fail "the second run differs"
! grep -iE 'warning:' build/quickstart.log || fail "warnings"

meson install -C build --destdir "$work/root" >said 2>&1 || { cat said; fail "meson install"; }
installed=$(cd root && find . -type f | sort)
for file in bin/fieldtap include/fieldtap/dissector.h include/fieldtap/view.h \
    include/fieldtap/harness.h; do
    echo "$installed" | grep -q "$file\$" || { echo "$installed"; fail "$file is not installed"; }
done
for program in fieldtap fieldtapctl; do
    "$(find root -path "*/bin/$program")" --version | grep -q "^$program " || fail "the installed $program"
done
echo "$installed" | grep -qE 'test_|fuzz_|fieldtap-bench|fieldtap-plant' && fail "test programs are installed"
echo fine
