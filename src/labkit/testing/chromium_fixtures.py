"""The plugin's fixture `chromium`: a real browser, started once per run where a test allows it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labkit.testing.fixtures import skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from labkit.testing.chromium import Chromium

# A test that calls one of these changes the browser for the tests after it.
PROFILE_METHODS = {"close", "close_and_reopen", "block_cookies"}


@pytest.fixture(scope="session")
def playwright_driver() -> "Iterator[Playwright]":
    """Playwright, which starts browsers."""
    from labkit.services.requirements import missing_tools

    if missing := missing_tools(["playwright", "chromium"]):
        skip_or_fail(". ".join(missing))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def shared_chromium(playwright_driver: "Playwright") -> "Iterator[Browser]":
    """The Chromium in which most tests open a window."""
    from labkit.testing.chromium import launch

    with launch(playwright_driver) as browser:
        yield browser


@pytest.fixture
def chromium(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Chromium]":
    """A real Chromium without cookies; a script error in it fails the test.

    A test that closes it or changes its settings gets one with a separate profile, which takes
    longer to start. Where a helper does it for the test, the mark own_profile says so.
    """
    from labkit.testing.chromium import Chromium

    playwright = request.getfixturevalue("playwright_driver")
    called = PROFILE_METHODS & set(request.function.__code__.co_names)
    separate = called or request.node.get_closest_marker("own_profile")
    shared = None if separate else request.getfixturevalue("shared_chromium")
    browser = Chromium(playwright, tmp_path / "profile", shared=shared)
    yield browser
    browser.close()
    assert browser.complaints == []
