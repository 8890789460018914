from labkit.testing.contracts import OddCountEntries, PageCountContract, PageCountInChromium


class TestPageCount(PageCountContract):
    kept_in = "session"
    cookie = "sessionid_06"
    lifetime = 300
    says_what_was_unreadable = False


class TestOddEntries(OddCountEntries):
    session_cookie = "sessionid_06"


class TestPageCountInChromium(PageCountInChromium):
    lifetime = TestPageCount.lifetime
