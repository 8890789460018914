"""Tests that the pages open, whatever a session holds."""

from labkit.testing.contracts import OddEntriesContract

ADD = {"name": "apple", "delay": 0}


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_12"
    entries = ("cart",)
    pages = ("/", "/naive/", "/locked/", "/cart/")
    forms = (("/naive/add/", ADD), ("/locked/add/", ADD), ("/empty/", {}))
