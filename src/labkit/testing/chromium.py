"""A real Chromium: a window of a shared browser, or a browser with a separate profile."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.services.requirements import chromium as chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

# Some of these options keep Chromium from contacting other machines at startup.
ARGUMENTS = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--in-process-gpu",  # without a GPU, a separate process would keep the CPU busy
    # *.example resolves to this machine, as a site that is not loopback. Other names do not
    # resolve.
    "--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, "
    "EXCLUDE 127.0.0.1, EXCLUDE *localhost",
    *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),  # needed by root
]


def launch(playwright: "Playwright") -> "Browser":
    """Start a Chromium in which many windows, each with separate cookies, can be opened."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)


def page_says(page: "Page", part: str = "main") -> str:
    """Return the text of this part of a page once the page has loaded.

    Playwright's click() returns before the next page has loaded.
    """
    page.wait_for_load_state()
    return page.text_content(part) or ""


class Chromium:
    """A browser with one tab, `page`, which records script errors and external requests.

    With `shared`, this is a window of that browser. A window opens faster, but it cannot be closed
    and reopened, and its settings cannot be changed.
    """

    def __init__(
        self,
        playwright: "Playwright",
        profile: Path,
        *,
        shared: "Browser | None" = None,
        arguments: Sequence[str] = ARGUMENTS,
        third_party_cookies: bool = False,
    ) -> None:
        self._playwright = playwright
        self._shared = shared
        self._profile = profile
        self._arguments = arguments
        self._context: BrowserContext | None = None
        self.page: Page
        self.complaints: list[str] = []  # script errors, and requests to other machines
        if third_party_cookies:  # Chromium blocks third-party cookies by default
            self._prefer(cookie_controls_mode=0, block_third_party_cookies=False)
        self.open()

    def open(self) -> "Page":
        """Open the browser, which has the persistent cookies of its profile."""
        if self._shared is not None:
            self._context = self._shared.new_context(locale="en")
            self._context.new_page()
        else:
            self._context = self._playwright.chromium.launch_persistent_context(
                self._profile,
                executable_path=chromium_path(),
                args=self._arguments,
                locale="en",
            )
        self._context.set_default_timeout(30_000)  # milliseconds
        self._context.on("request", self._guard)
        self.page = self._context.pages[0]
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        return self.page

    def _guard(self, request: "Request") -> None:
        host = urlsplit(request.url).hostname  # None for URLs without a host, such as data: URLs
        if host and host.rpartition(".")[2] not in {"1", "localhost", "example"}:
            self.complaints.append(f"request to another machine: {request.url}")

    def close(self) -> None:
        """Close the browser, but keep its profile."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def close_and_reopen(self, **preferences: Any) -> "Page":
        """Close and reopen the browser with these preferences. Raises RuntimeError if shared."""
        if self._shared is not None:
            raise RuntimeError("This needs its own profile. Mark the test with own_profile.")
        self.close()
        self._prefer(**preferences)
        return self.open()

    def block_cookies(self, blocked: bool = True) -> "Page":
        """Reopen the browser with cookies blocked in its settings, or allowed again."""
        cookies = 2 if blocked else 1
        return self.close_and_reopen(default_content_setting_values={"cookies": cookies})

    def _prefer(self, **profile: Any) -> None:
        """Write preferences to the `profile` section of a closed browser's settings."""
        preferences = self._profile / "Default" / "Preferences"
        preferences.parent.mkdir(parents=True, exist_ok=True)
        content = json.loads(preferences.read_text()) if preferences.exists() else {}
        content.setdefault("profile", {}).update(profile)
        preferences.write_text(json.dumps(content))

    def cookies(self) -> dict[str, Any]:
        """Return all cookies, including HttpOnly ones, as {name: cookie}.

        Each cookie has value, domain, path, expires (POSIX seconds, -1 for a session cookie),
        httpOnly, secure and sameSite.
        """
        assert self._context is not None
        return {cookie["name"]: cookie for cookie in self._context.cookies()}
