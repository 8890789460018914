"""A real Chromium: a window of one that is open, or one with a profile that can be closed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.services.requirements import chromium as chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

# Chromium phones home at every start; in a room without a network that is noise at best.
QUIET = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    # No other machine has an address; *.example is this one, as a site that is not loopback.
    "--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, "
    "EXCLUDE 127.0.0.1, EXCLUDE *localhost",
]


def launch(playwright: "Playwright") -> "Browser":
    """A Chromium for many windows, each with cookies of its own, which starts only once."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=_arguments())


def page_says(page: "Page", part: str = "main") -> str:
    """What this part of the page says, when all of it is there.

    Playwright's click is over as soon as the next page begins to arrive: what is read without
    waiting may be the first half of it, and its stylesheets and scripts may still be under way.
    """
    page.wait_for_load_state()
    return page.text_content(part) or ""


def _arguments() -> list[str]:
    root = getattr(os, "geteuid", lambda: 1)() == 0
    return [*QUIET, *(["--no-sandbox"] if root else [])]


class Chromium:
    """One browser with one tab, `page`. It finds no other machine, and notes any call for one.

    With `shared`, a browser that is running already, it is a window of that one: quick, but it
    cannot be closed and reopened, nor its settings changed.
    """

    def __init__(
        self,
        playwright: "Playwright",
        profile: Path,
        *,
        shared: "Browser | None" = None,
        third_party_cookies: bool = False,
    ) -> None:
        self._playwright = playwright
        self._shared = shared
        self._profile = profile
        self._context: BrowserContext | None = None
        self.page: Page
        self.complaints: list[str] = []  # script errors, and requests that would leave this machine
        if third_party_cookies:  # which Chromium blocks in an automated profile
            self._prefer(cookie_controls_mode=0, block_third_party_cookies=False)
        self.open()

    def open(self) -> "Page":
        """Open the browser; cookies of an earlier opening are there if they are persistent."""
        if self._shared is not None:
            self._context = self._shared.new_context(locale="en")
            self._context.new_page()
        else:
            self._context = self._playwright.chromium.launch_persistent_context(
                self._profile, executable_path=chromium_path(), args=_arguments(), locale="en"
            )
        self._context.set_default_timeout(30_000)  # milliseconds
        self._context.on("request", self._guard)
        self.page = self._context.pages[0]
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        return self.page

    def _guard(self, request: "Request") -> None:
        host = urlsplit(request.url).hostname  # None for data: and the like
        if host and host.rpartition(".")[2] not in {"1", "localhost", "example"}:
            self.complaints.append(f"request to another machine: {request.url}")

    def close(self) -> None:
        """Close the browser; its profile stays."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def close_and_reopen(self) -> "Page":
        """Close the browser and open it again, as a person does at the end of the day."""
        self._need_profile()
        self.close()
        return self.open()

    def block_cookies(self, blocked: bool = True) -> "Page":
        """Reopen the browser with all cookies blocked in its settings, or allowed again."""
        self._need_profile()
        self.close()
        self._prefer(default_content_setting_values={"cookies": 2 if blocked else 1})
        return self.open()

    def _need_profile(self) -> None:
        if self._shared is not None:
            raise RuntimeError("only a browser with a profile: mark the test own_profile")

    def _prefer(self, **profile: Any) -> None:
        """Write these into the `profile` section of a closed browser's settings."""
        preferences = self._profile / "Default" / "Preferences"
        preferences.parent.mkdir(parents=True, exist_ok=True)
        content = json.loads(preferences.read_text()) if preferences.exists() else {}
        content.setdefault("profile", {}).update(profile)
        preferences.write_text(json.dumps(content))

    def cookies(self) -> dict[str, Any]:
        """{name: cookie} of all that the browser holds, HttpOnly ones included.

        Each has value, domain, path, expires (POSIX seconds, -1 for a session cookie), httpOnly,
        secure and sameSite.
        """
        assert self._context is not None
        return {cookie["name"]: cookie for cookie in self._context.cookies()}
