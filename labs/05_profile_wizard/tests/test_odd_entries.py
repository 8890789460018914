"""Tests that the pages open, whatever a session holds."""

import pytest

from lab.carriers import key_in_url
from labkit.testing.contracts import OddEntriesContract
from labkit.testing.contracts.odd_entries import ODD_VALUES


class TestOddEntries(OddEntriesContract):
    session_cookie = "sessionid_05"
    entries = ("wizard",)
    pages = ("/session/name/", "/session/age/", "/session/results/")
    form = "/session/name/"
    forms = (("/session/name/", {"name": "Anu"}), ("/session/age/", {"forget": ""}))

    @pytest.mark.in_process
    def test_an_odd_entry_breaks_no_page_by_its_url(self, visitor):
        for value in ODD_VALUES:
            self.give(visitor, key_in_url.ENTRY, value)
            key = visitor.jar.get(self.session_cookie).value
            for path in ("/key_in_url/name/", "/key_in_url/results/"):
                response = visitor.get(path, {"w": key}, follow=True)
                assert response.status_code == 200, value
            answered = visitor.post(f"/key_in_url/name/?w={key}", {"name": "Anu"}, follow=True)
            assert answered.status_code == 200, value
