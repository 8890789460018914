import pytest

from tests.contract import WizardContract
from tests.malformed_answers import malformed_answers


@pytest.mark.no_database
class TestByCookie(WizardContract):
    carrier = "cookie"
    raw_requests = malformed_answers("cookie")
    needs_cookies = True
    tabs_mix = True


class TestBySession(WizardContract):
    carrier = "session"
    raw_requests = malformed_answers("session")
    needs_cookies = True
    tabs_mix = True


@pytest.mark.no_database
class TestByHiddenField(WizardContract):
    carrier = "hidden"
    raw_requests = malformed_answers("hidden")
    needs_cookies = False
    tabs_mix = False
    redirects = False


class TestByAddress(WizardContract):
    carrier = "key_in_url"
    raw_requests = malformed_answers("key_in_url")
    needs_cookies = False
    tabs_mix = False
