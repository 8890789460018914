from labkit.testing.contracts.cookie_checks import CookieCheckInChromium


class TestTheTestCookieInChromium(CookieCheckInChromium):
    pass
