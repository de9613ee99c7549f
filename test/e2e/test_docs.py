#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the documentation tells people to write works: examples of outputs, commands of fieldtapctl.

usage: test_docs.py FIELDTAP FIELDTAP_PLANT FIELDTAPCTL [unittest options]
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import sensor
from receivers import Authority
from sensor import Case, run

DOC = pathlib.Path(__file__).resolve().parents[2] / "doc"
PAGES = ("splunk", "elastic", "wazuh", "sentinel", "qradar")


def examples(text):
    """Outputs in indented or fenced blocks: objects that begin a line with their name."""
    for at in re.finditer(r'^ *(?=\{"name": )', text, re.M):
        yield json.JSONDecoder().raw_decode(text, at.end())[0]


class Docs(Case):
    """Pages of doc/."""

    def test_outputs_of_receivers(self):
        certificate = str(Authority(self.dir).certificate)
        for page in PAGES:
            found = list(examples((DOC / "forwarding" / f"{page}.md").read_text()))
            self.assertTrue(found, page)
            for one in found:
                if "ca_file" in one:
                    one["ca_file"] = certificate
                with self.subTest(page=page, name=one["name"]):
                    config = self.write("c.json", json.dumps({"outputs": [one]}).encode())
                    result = run("-T", "-c", config)
                    self.assertEqual((result.code, result.err), (0, ""))
                    self.assertIn("1 outputs", result.out)

    def test_commands(self):
        """Each `fieldtapctl WORD [WORD]` is one that --help has."""
        text = subprocess.run([FIELDTAPCTL, "--help"], check=True, capture_output=True,
                              text=True).stdout
        listed = text.split("\nCommands\n")[1].split("\n\n")[0]
        known = [words.split() for words in re.findall(r"^  ([a-z]+(?: [a-z]+)?)\b", listed, re.M)]
        pairs = {tuple(words) for words in known if len(words) == 2}
        for page in DOC.rglob("*.md"):
            for first, second in re.findall(r"fieldtapctl ([a-z]+)(?: ([a-z]+))?\b",
                                            page.read_text()):
                with self.subTest(page=page.name, command=f"{first} {second}".strip()):
                    is_pair = any(first == pair[0] for pair in pairs)
                    self.assertTrue([first] in known or (is_pair and (first, second) in pairs))


if __name__ == "__main__":
    FIELDTAPCTL = os.path.abspath(sys.argv.pop(3))
    sensor.main()
