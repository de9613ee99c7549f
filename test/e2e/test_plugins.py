#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Plugins, as their authors and users meet them: the SDK is installed into an empty folder, the
example plugin is built and tested against it and run by the sensor; plugins that do not fit are
refused by name; plugins that go wrong are switched off while everything else goes on.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "plugins"))
from packets import Capture, Tcp, kilnlink, modbus, short_string, struct  # noqa: E402

OPTIONS = None
TEMP = None


def path(*parts):
    return os.path.join(TEMP, *parts)


def run(command, expect=0, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300, **options)
    if done.returncode != expect:
        raise AssertionError("%s: exit status %d, not %d\n%s%s" % (
            " ".join(command), done.returncode, expect, done.stdout, done.stderr))
    return done


def found(name):
    for folder, _, files in os.walk(path("sdk")):
        if name in files:
            return os.path.join(folder, name)
    raise AssertionError("%s is not installed" % name)


def build(source, to, sanitize):
    """Build a project against the installed SDK."""
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=path("sdk"), CC=OPTIONS.cc,
               PKG_CONFIG_PATH=os.path.dirname(found("fieldtap-sdk.pc")))
    run(["meson", "setup", path(to), source, "--werror", "-Db_sanitize=" + sanitize,
         "-Db_lundef=false"], env=env)
    run(["ninja", "-C", path(to)], env=env)


def setUpModule():
    global TEMP
    TEMP = tempfile.mkdtemp(prefix="fieldtap-plugins-")
    run(["meson", "install", "-C", OPTIONS.build, "--no-rebuild", "--tags", "devel", "--destdir",
         path("sdk")])
    build(os.path.join(SOURCE, "plugins", "kilnlink"), "kilnlink", OPTIONS.sanitize)
    # not sanitized: it would report the faults that are wanted here
    build(os.path.join(HERE, "plugins"), "hostile", "none")


def tearDownModule():
    shutil.rmtree(TEMP)


def sensor(capture, to, plugins, workers=1, expect=0):
    command = [OPTIONS.sensor, "-r", path(capture), "-l", path(to), "-w", str(workers),
               "--log", "messages"]
    for plugin in plugins:
        command += ["--plugin", plugin]
    return run(command, expect)


def events(folder):
    with open(path(folder, "eve.json"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def stats(folder):
    with open(path(folder, "stats.json"), encoding="utf-8") as f:
        return json.load(f)


KILNLINK = "kilnlink/kilnlink.so"
IDENTITY = b"".join(map(short_string, ["Acme", "KC-32", "3.1", "A-17"])) + b"\x08"
READINGS = b"\2" + struct.pack("!BhhBBhhB", 1, 12000, 12500, 1, 2, -5, 0, 0)


class Sdk(unittest.TestCase):
    """What `meson install` gives."""

    def test_headers_are_complete(self):
        header = found("dissector.h")
        for name in ("dissector.h", "harness.h", "view.h", "wire.h"):
            with open(path("one.c"), "w", encoding="utf-8") as f:
                f.write("#include <fieldtap/%s>\n" % name)
            for language in ("c", "c++"):
                run([OPTIONS.cc, "-x", language, "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                     "-isystem", os.path.dirname(os.path.dirname(header)), path("one.c")])

    def test_abi_is_told(self):
        with open(found("dissector.h"), encoding="utf-8") as f:
            version = re.search(r"#define FT_ABI_VERSION (\d+)u", f.read()).group(1)
        with open(found("fieldtap-sdk.pc"), encoding="utf-8") as f:
            self.assertIn("abi=%s\n" % version, f.read())

    def test_sensor_has_every_function(self):
        """Each function that the headers declare can be called by a plugin."""
        symbols = run(["nm", "-D", "--defined-only", OPTIONS.sensor]).stdout
        exported = {line.split()[-1] for line in symbols.splitlines()}
        declared = set()
        for name in ("dissector.h", "wire.h"):
            with open(found(name), encoding="utf-8") as f:
                text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
            declared |= set(re.findall(r"^\w[\w *]*?\b(ft_\w+)\([^;{}]*\);", text, flags=re.M))
        self.assertGreater(len(declared), 30)
        self.assertEqual(declared - exported, set())

    def test_plugin_links_no_copy_of_the_engine(self):
        symbols = run(["nm", "-D", path(KILNLINK)]).stdout
        self.assertRegex(symbols, r" U ft_node_uint\b")
        defined = [line.split()[-1] for line in symbols.splitlines()
                   if re.search(r" [TRDB] ft_", line)]
        self.assertEqual(defined, ["ft_plugin"])

    def test_unit_test_of_the_plugin(self):
        run(["meson", "test", "-C", path("kilnlink")])


class Example(unittest.TestCase):
    """The example plugin in the sensor."""

    @classmethod
    def setUpClass(cls):
        c = Capture()
        c.udp("10.7.0.5", 50000, "10.7.0.9", 7741, kilnlink(0, 0, 1, 1))
        c.udp("10.7.0.9", 7741, "10.7.0.5", 50000, kilnlink(1, 0, 1, 1, IDENTITY))
        t = Tcp(c, "10.7.0.5", 50001, "10.7.0.9", 7741).open()
        t.client(kilnlink(0, 0, 1, 0x10, b"\2\1\2"))
        t.server(kilnlink(1, 0, 1, 0x10, READINGS), mss=9)
        t.client(kilnlink(0, 3, 2, 0x20, struct.pack("!hH", 15000, 50)))
        t.server(kilnlink(1, 3, 2, 0x20))
        t.client(kilnlink(0, 0, 3, 0x30, struct.pack("!H", 7) + short_string("glaze") + b"\1" +
                          struct.pack("!HhB", 60, 10000, 1)))
        t.client(kilnlink(0, 0, 4, 0x40, b"\2"))
        t.close()
        # on another port it is found by its signature
        t = Tcp(c, "10.7.0.6", 50002, "10.7.0.9", 9999).open()
        t.client(kilnlink(0, 0, 1, 0x10, b"\1\1"))
        t.server(kilnlink(5, 0, 1, 0x11, b"\0\2" + READINGS))
        c.wait(20)
        t.close()
        c.write(path("kiln.pcap"))
        sensor("kiln.pcap", "kiln", [path(KILNLINK)])
        cls.events = events("kiln")

    def of_type(self, event_type, **match):
        return [e for e in self.events if e["event_type"] == event_type and
                all(e.get(key) == value for key, value in match.items())]

    def test_messages(self):
        got = [(e["direction"], e["message"]["command"], e["message"]["class"])
               for e in self.of_type("message", app_proto="kilnlink")]
        self.assertEqual(got, [
            ("to_server", "identify", "diagnostic"), ("to_client", "identify", "diagnostic"),
            ("to_server", "read_temperature", "read"), ("to_client", "read_temperature", "read"),
            ("to_server", "write_set_point", "operate"), ("to_client", "write_set_point", "operate"),
            ("to_server", "load_recipe", "program"), ("to_server", "halt", "mode"),
            ("to_server", "read_temperature", "read"), ("to_client", "report", "data")])
        answer = self.of_type("message", direction="to_client")[1]
        self.assertEqual(answer["kilnlink"]["reading"], [
            {"zone": 1, "temperature": 1200, "set_point": 1250, "state": "heating",
             "state_code": 1},
            {"zone": 2, "temperature": -0.5, "set_point": 0, "state": "idle", "state_code": 0}])
        answer = self.of_type("message", direction="to_client")[2]
        self.assertEqual(answer["kilnlink"]["set_point"], 1500)
        self.assertEqual(answer["message"]["response_time_us"], 10000)

    def test_alerts_by_class_and_by_violation(self):
        titles = {e["fieldtap"]["title"] for e in self.of_type("alert")}
        self.assertLessEqual({"class.program", "class.mode", "kilnlink.set_point",
                              "kilnlink.not_logged_in", "kilnlink.reports_stopped"}, titles)
        ids = {e["alert"]["signature_id"] for e in self.of_type("alert")
               if e["fieldtap"]["title"].startswith("kilnlink.")}
        self.assertTrue(all(9300000 <= i < 9400000 for i in ids), ids)

    def test_assets(self):
        with open(path("kiln", "assets.json"), encoding="utf-8") as f:
            text = f.read()
        for part in ("Acme", "KC-32", "A-17", "10.7.0.9/unit 3"):
            self.assertIn(part, text)

    def test_books(self):
        s = stats("kiln")
        self.assertTrue(s["balanced"])
        self.assertEqual(s["packets"]["buckets"]["unknown_protocol"], 0)

    def test_it_is_described(self):
        self.assertIn("kilnlink", run([OPTIONS.sensor, "--plugin", path(KILNLINK),
                                       "--list-protocols"]).stdout)
        self.assertIn("write_set_point", run([OPTIONS.sensor, "--plugin", path(KILNLINK),
                                              "--describe", "kilnlink"]).stdout)


class Refusals(unittest.TestCase):
    """A plugin that does not fit: one sentence with its name, exit status 2, nothing written."""

    def refused(self, plugin, *parts):
        Capture().write(path("empty.pcap"))
        done = sensor("empty.pcap", "refused", [plugin], expect=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in (plugin,) + parts:
            self.assertIn(part, done.stderr)
        self.assertFalse(os.path.exists(path("refused")))

    def test_missing(self):
        self.refused(path("none.so"), "No such file", "check the path")

    def test_no_shared_object(self):
        self.refused(os.path.abspath(__file__), "cannot be loaded")
        with open(path("empty.so"), "wb"):
            pass
        self.refused(path("empty.so"), "cannot be loaded")
        self.refused(TEMP, "cannot be loaded")

    def test_not_readable(self):
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        with open(path("secret.so"), "wb"):
            pass
        os.chmod(path("secret.so"), 0)
        self.refused(path("secret.so"), "Permission denied")

    def test_no_symbol(self):
        self.refused(path("hostile/refused_no_symbol.so"), 'no symbol "ft_plugin"')

    def test_other_interface(self):
        for name in ("other_abi", "other_dissector_abi"):
            self.refused(path("hostile/refused_%s.so" % name), "interface version 2",
                         "this sensor has 1")

    def test_function_of_a_later_version(self):
        self.refused(path("hostile/refused_unresolved.so"), "ft_function_of_a_later_version")

    def test_fails_to_register(self):
        self.refused(path("hostile/refused_bad_fields.so"), "field 0 (other)",
                     "row 0 must be a group")
        self.refused(path("hostile/refused_name_taken.so"), "of that name exists already")
        self.refused(path("hostile/refused_no_dissector.so"), "names no dissector")


class Guide(unittest.TestCase):
    """doc/writing-a-dissector.md shows the example plugin and the built-ins as they are."""

    def test_listings_are_from_the_example(self):
        with open(os.path.join(SOURCE, "doc", "writing-a-dissector.md"), encoding="utf-8") as f:
            listings = re.findall(r"^```c\n(.*?)^```$", f.read(), flags=re.M | re.S)
        code = ""
        for name in ("plugins/kilnlink/kilnlink.c", "plugins/kilnlink/test_kilnlink.c",
                     "test/unit/test_framer.c",  # that has a protocol of lines
                     "lib/protocols/it/ftp.c", "lib/protocols/network/dhcp.c",
                     "lib/protocols/network/dhcp_options.c", "lib/protocols/network/arp.c",
                     "lib/protocols/power/goose.c"):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
                code += f.read()
        self.assertGreater(len(listings), 15)
        for listing in listings:
            self.assertIn(listing, code)


def hostile(text):
    return b"H" + bytes([len(text)]) + text


HEALTHY = ("10.7.0.", "10.8.0.")


def make_hostile_capture(name):
    """Healthy polling, and beside it a protocol whose dissector goes wrong at '!boom'."""
    c = Capture()
    kiln = Tcp(c, "10.7.0.5", 50001, "10.7.0.9", 7741).open()
    plc = Tcp(c, "10.8.0.5", 50002, "10.8.0.9", 502).open()
    first = Tcp(c, "10.9.0.5", 51001, "10.9.0.9", 7799).open()
    second = Tcp(c, "10.9.0.5", 51002, "10.9.0.9", 7799).open()

    def poll(n):
        kiln.client(kilnlink(0, 0, n, 0x10, b"\2\1\2"))
        kiln.server(kilnlink(1, 0, n, 0x10, READINGS), mss=9)
        plc.client(modbus(n, 1, b"\3\0\1\0\2")).server(modbus(n, 1, b"\3\4\0\1\0\2"))

    poll(1)
    first.client(hostile(b"fine"))
    second.client(hostile(b"half")[:4])
    # what comes after a hole waits for it, and is read when it is given up
    second.next[1] += 100
    second.server(hostile(b"!boom late"))
    poll(2)
    first.server(hostile(b"fine too"))
    # the bad message is put together from segments, more follows in the last of them
    first.client(hostile(b"!boom") + hostile(b"more"), mss=5)
    poll(3)
    first.client(hostile(b"after"))
    second.client(b"lf" + hostile(b"after"))
    c.udp("10.9.0.5", 52000, "10.9.0.9", 7799, hostile(b"!boom"))
    third = Tcp(c, "10.9.0.5", 51003, "10.9.0.9", 7798).open()
    third.client(hostile(b"!boom") * 2)
    poll(4)
    c.wait(40)
    poll(5)
    for connection in (kiln, plc, first, second, third):
        connection.close()
    c.write(path(name))


def make_late_capture(name):
    """The bad message is read only when the capture ends, or at a tick."""
    c = Capture()
    plc = Tcp(c, "10.8.0.5", 50002, "10.8.0.9", 502).open()
    plc.client(modbus(1, 1, b"\3\0\1\0\2"))
    late = Tcp(c, "10.9.0.5", 51001, "10.9.0.9", 7799).open()
    late.client(hostile(b"fine"))
    late.next[0] += 10
    late.client(hostile(b"!boom"))
    plc.server(modbus(1, 1, b"\3\4\0\1\0\2"))
    c.write(path(name))


def make_wide_capture(name):
    """Twenty pairs of hosts whose flows all go wrong, in many shards."""
    c = Capture()
    flows = [Tcp(c, "10.9.0.%d" % i, 51000, "10.9.1.%d" % (7 * i), 7799).open()
             for i in range(1, 21)]
    for n in range(6):
        for i, flow in enumerate(flows):
            flow.client(hostile(b"fine") if (i + n) % 7 else hostile(b"!boom"))
    c.write(path(name))


def healthy_lines(folder):
    """Events of the healthy hosts, without what counts all events."""
    lines = []
    for e in events(folder):
        text = json.dumps([e.get(key) for key in ("src_ip", "dest_ip", "asset")])
        if e["event_type"] != "stats" and any(host in text for host in HEALTHY):
            del e["fieldtap"]["event_uid"]
            lines.append(json.dumps(e, sort_keys=True))
    return lines


class Hostile(unittest.TestCase):
    """A dissector that goes wrong is switched off, told of, and nobody else notices."""

    @classmethod
    def setUpClass(cls):
        make_hostile_capture("hostile.pcap")
        make_late_capture("late.pcap")
        sensor("hostile.pcap", "without", [path(KILNLINK)])
        cls.want = healthy_lines("without")

    def check(self, fault, event, capture="hostile.pcap"):
        plugin = path("hostile/hostile_%s.so" % fault)
        texts = []
        for workers in (1, 2):
            folder = "%s.%s.%d" % (capture, fault, workers)
            sensor(capture, folder, [path(KILNLINK), plugin], workers)
            s = stats(folder)
            self.assertTrue(s["balanced"])
            self.assertEqual(s["faults"], 1)
            health = [e["health"] for e in events(folder) if e["event_type"] == "health"]
            self.assertEqual([(h["event"], h["protocol"]) for h in health], [(event, "hostile")])
            if capture == "hostile.pcap":
                self.assertEqual(s["packets"]["buckets"]["shed.fault"], 1)
                self.assertEqual(healthy_lines(folder), self.want)
            with open(path(folder, "eve.json"), "rb") as f:
                texts.append(f.read())
        self.assertEqual(texts[0], texts[1])

    def test_what_is_healthy(self):
        self.assertEqual(sum('"app_proto": "kilnlink"' in line and '"message"' in line
                             for line in self.want), 10)
        self.assertEqual(sum('"app_proto": "modbus"' in line and '"message"' in line
                             for line in self.want), 10)

    def test_crash(self):
        self.check("null_write", "dissector_fault")

    def test_abort(self):
        self.check("abort", "dissector_fault")

    def test_loop(self):
        self.check("loop", "dissector_overrun")

    def test_recursion(self):
        self.check("recursion", "dissector_fault")

    def test_overrun_of_the_input(self):
        # ends at the first page that is not mapped, or by the watchdog before
        for workers in (1, 2):
            folder = "overrun.%d" % workers
            sensor("hostile.pcap", folder,
                   [path(KILNLINK), path("hostile/hostile_overrun.so")], workers)
            self.assertTrue(stats(folder)["balanced"])
            self.assertEqual(healthy_lines(folder), self.want)
            health = [e["health"]["event"] for e in events(folder) if e["event_type"] == "health"]
            self.assertEqual(len(health), 1)
            self.assertIn(health[0], ("dissector_fault", "dissector_overrun"))

    def test_crash_in_frame(self):
        self.check("in_frame", "dissector_fault")

    def test_loop_in_frame(self):
        self.check("loop_in_frame", "dissector_overrun")

    def test_crash_in_probe(self):
        self.check("in_probe", "dissector_fault")

    def test_bad_address_for_the_engine(self):
        self.check("in_state", "dissector_fault")

    def test_crashes_in_many_shards(self):
        make_wide_capture("wide.pcap")
        plugin = path("hostile/hostile_null_write.so")
        texts = []
        for workers in (1, 2, 4):
            folder = "wide.%d" % workers
            sensor("wide.pcap", folder, [plugin], workers)
            s = stats(folder)
            self.assertTrue(s["balanced"])
            self.assertGreater(s["faults"], 10)
            self.assertEqual(s["packets"]["buckets"]["shed.fault"], s["faults"])
            with open(path(folder, "eve.json"), "rb") as f:
                texts.append(f.read())
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(texts[0], texts[2])

    def test_crash_at_the_end(self):
        self.check("null_write", "dissector_fault", "late.pcap")
        self.check("loop", "dissector_overrun", "late.pcap")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="the build folder to install from")
    parser.add_argument("--sensor", required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--sanitize", default="none")
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0]] + rest, verbosity=2)
