"""Tests that the pages open, whatever a session holds."""

from labkit.testing.contracts import OddEntriesContract


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_01"
    entries = ("testcookie", "visits")
    pages = ("/", "/check/", "/visits/")
    forms = ()
    # The page says that there is no test cookie, as it does for a visitor without one.
    test_an_unreadable_entry_is_reported = None
