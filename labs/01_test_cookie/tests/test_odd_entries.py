"""Whatever is in a session, the pages open."""

from labkit.testing.contracts import OddEntriesContract


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_01"
    entries = ("testcookie", "visits")
    pages = ("/", "/check/", "/visits/")
    forms = ()
    # The page says that it has not found the test cookie, as for a visitor without one.
    test_an_unreadable_entry_is_said_to_be_so = None
