"""Tests that the pages open, whatever a session holds."""

from labkit.testing.contracts import OddEntriesContract

OPERATIONS = ["items", "cycle_key", "change_and_say_so"]


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_08"
    entries = ("sname", "cart")
    pages = ("/api/", "/student/get/")
    form = "/api/"
    forms = (
        *(("/api/", {"operation": name}) for name in OPERATIONS),
        ("/student/set/", {"name": "Anu", "email": "anu@example.com"}),
        ("/student/delete/", {}),
    )
    # The lab shows each entry unchanged.
    test_an_unreadable_entry_is_reported = None
