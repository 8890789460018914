from tests.contract import CookieCheckInChromium


class TestTheTestCookieInChromium(CookieCheckInChromium):
    pass
