# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the journal and of outputs share."""

import json

from sensor import Case, of_type, run


def uid(event):
    return int(event["fieldtap"]["event_uid"].rsplit("-", 1)[1])


def healths(events):
    return [e["health"]["event"] for e in of_type(events, "health")]


class Keeping(Case):
    """A configuration with a journal in a folder of the test."""

    def setUp(self):
        super().setUp()
        self.journal = self.dir / "journal"

    def config(self, *outputs, name="fieldtap.json", **journal):
        text = {"journal": {"folder": str(self.journal), **journal}, "outputs": list(outputs)}
        return self.write(name, json.dumps(text).encode())

    def kept(self, folder=None):
        """The events that the journal holds; it has to be whole."""
        r = run("--read-journal", folder or self.journal)
        self.assertEqual((r.code, r.err), (0, ""))
        return [json.loads(line) for line in r.out.splitlines()]

    def check_books(self, stats):
        """What was made is what the journal has or gave up."""
        classes = stats["journal"]["classes"].values()
        appended = sum(c["appended"] for c in classes)
        given_up = sum(sum(c["given_up"].values()) for c in classes)
        self.assertIs(stats["balanced"], True)
        self.assertEqual(appended, sum(c["synced"] for c in classes) + given_up)
        self.assertEqual(stats["lines"]["made"], appended)
        self.assertEqual(stats["lines"]["written"], appended - given_up)
        return given_up
