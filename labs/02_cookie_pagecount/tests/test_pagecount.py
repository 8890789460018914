from labkit.testing.contracts import PageCountContract, PageCountInChromium


class TestPageCount(PageCountContract):
    kept_in = "cookies"
    cookie = "count_02"
    lifetime = None  # until the browser closes
    says_what_was_unreadable = True


class TestPageCountInChromium(PageCountInChromium):
    lifetime = TestPageCount.lifetime
