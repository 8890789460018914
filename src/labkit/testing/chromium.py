"""A real Chromium with a profile of its own, which can be closed and opened again."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.needs import chromium as chromium_path

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright, Request

# Chromium phones home at every start; in a room without a network that is noise at best.
QUIET = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    # No other machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *localhost",
]


class Chromium:
    """One browser with one tab, `page`. It finds no other machine, and notes any call for one."""

    def __init__(self, playwright: "Playwright", profile: Path) -> None:
        self._playwright = playwright
        self._profile = profile
        self._context: BrowserContext | None = None
        self.page: Page
        self.complaints: list[str] = []  # script errors, and requests that would leave this machine
        self.open()

    def open(self) -> "Page":
        """Open the browser; cookies of an earlier opening are there if they are persistent."""
        root = getattr(os, "geteuid", lambda: 1)() == 0
        self._context = self._playwright.chromium.launch_persistent_context(
            self._profile,
            executable_path=chromium_path(),
            args=[*QUIET, *(["--no-sandbox"] if root else [])],
            locale="en",
        )
        self._context.set_default_timeout(10_000)  # milliseconds
        self._context.on("request", self._guard)
        self.page = self._context.pages[0]
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        return self.page

    def _guard(self, request: "Request") -> None:
        host = urlsplit(request.url).hostname  # None for data: and the like
        if host and host != "127.0.0.1" and host.rpartition(".")[2] != "localhost":
            self.complaints.append(f"request to another machine: {request.url}")

    def close(self) -> None:
        """Close the browser; its profile stays."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def close_and_reopen(self) -> "Page":
        """Close the browser and open it again, as a person does at the end of the day."""
        self.close()
        return self.open()

    def block_cookies(self) -> "Page":
        """Reopen the browser with all cookies blocked in its settings."""
        self.close()
        preferences = self._profile / "Default" / "Preferences"
        preferences.parent.mkdir(parents=True, exist_ok=True)
        content = json.loads(preferences.read_text()) if preferences.exists() else {}
        values = content.setdefault("profile", {}).setdefault("default_content_setting_values", {})
        values["cookies"] = 2  # 1 allows, 2 blocks
        preferences.write_text(json.dumps(content))
        return self.open()

    def cookies(self) -> dict[str, Any]:
        """{name: cookie} of all that the browser holds, HttpOnly ones included.

        Each has value, domain, path, expires (POSIX seconds, -1 for a session cookie), httpOnly,
        secure and sameSite.
        """
        assert self._context is not None
        return {cookie["name"]: cookie for cookie in self._context.cookies()}
