"""Tests that the pages open, whatever a session holds."""

from labkit.testing.contracts import OddEntriesContract


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_09"
    entries = ("written", "policy")
    pages = ("/", "/read/", "/rows/")
    forms = (("/policy/", {"policy": "120"}), ("/touch/", {}), ("/clear-expired/", {}))

    def give(self, visitor, entry, value):
        """Store this entry in the visitor's session, with the others that the lab needs."""
        others = {"written": "2026-11-21T10:00:00+00:00", "policy": "120", "_session_expiry": 120}
        self.give_entries(visitor, others | {entry: value})
