"""Test in Chromium the versions whose symptom depends on the browser."""

import pytest
from textbook_runs import ROOT

from labkit.catalog import Catalog
from labkit.testing.lab_server import LabServer
from labkit.testing.textbook_steps import FAILED, check_cookie, check_page, numbered
from labkit.textbook_versions import all_versions

VERSIONS = [version for version in all_versions(Catalog(ROOT)) if version.in_chromium]


class Person:
    """A visitor that takes each step in a tab of Chromium, at the version's host name."""

    def __init__(self, chromium, server, host):
        self.chromium, self.page = chromium, chromium.page
        self.server, self.host = server, host
        self.status = None
        self.page.on("response", self._note)

    def _note(self, response):
        if response.request.is_navigation_request():
            self.status = response.status

    def do(self, step):
        getattr(self, f"_{step.verb}", self._look)(step)

    def _goto(self, path):
        self.page.goto(self.server.url(path, self.host))

    def _open(self, step):
        self._goto(step.value)

    def _submit(self, step):
        for number in range(1, step.times + 1):
            self._goto(step.options.get("page", step.value))
            button = None
            for name, value in numbered(step.fields, number).items():
                field = self.page.locator(f"main [name='{name}']").first
                if field.evaluate("field => field.tagName") == "BUTTON":
                    button = self.page.locator(f"main button[name='{name}'][value='{value}']")
                else:
                    field.fill(value)
            button = button or self.page.locator("main form button:not([name])").first
            # A form posts to the page itself, unless it names another URL.
            button.evaluate("button => { button.form.noValidate = true }")
            with self.page.expect_navigation():
                button.click()

    def _expect(self, step):
        assert str(self.status) == step.value

    def _look(self, step):
        if step.verb in {"cookie", "no_cookie"}:
            cookies = self.chromium.cookies().items()
            check_cookie(step, {name: cookie["value"] for name, cookie in cookies})
        elif step.verb == "script_cookie":
            assert step.value in self.page.evaluate("document.cookie")
        else:
            check_page(step, self.page.content())


@pytest.mark.browser
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.full_name)
def test_a_person_sees_the_symptom(version, chromium, tmp_path):
    lab = version.write(tmp_path / "labs")
    server = LabServer(lab.folder, migrate=lab.database, server="waitress")
    try:
        person = Person(chromium, server, version.host)
        for number, step in enumerate(version.see, start=1):
            try:
                person.do(step)
            except Exception as error:
                where = {"version": version.full_name, "number": number, "step": step}
                raise AssertionError(FAILED.format(**where, reason=error)) from error
    finally:
        server.stop()
