from labkit.testing.contracts import PageCountContract, PageCountInChromium


class TestPageCount(PageCountContract):
    cookie = "sessionid_06"
    lifetime = 300
    says_what_was_unreadable = False


class TestPageCountInChromium(PageCountInChromium):
    lifetime = TestPageCount.lifetime
