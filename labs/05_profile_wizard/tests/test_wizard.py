from labkit.testing.contracts import WizardContract


class TestByCookie(WizardContract):
    carrier = "cookie"
    needs_cookies = True
    tabs_mix = True


class TestBySession(WizardContract):
    carrier = "session"
    needs_cookies = True
    tabs_mix = True


class TestByHiddenField(WizardContract):
    carrier = "hidden"
    needs_cookies = False
    tabs_mix = False
    redirects = False


class TestByAddress(WizardContract):
    carrier = "url"
    needs_cookies = False
    tabs_mix = False
