"""Take the pictures in docs/images from the running labs: python docs/screenshots.py

Beside each picture, a text file has labels of the page: links, buttons, headings. Tests compare
them with the page, to notice that a picture is out of date.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from labkit.services.requirements import chromium

IMAGES = Path(__file__).parent / "images"
PORT = 9700
# The labels of each page, as CSS selectors.
LABELS = {
    "console": "header nav a, #lab-04 :is(a, button)",
    "panel": "nav[aria-label='Pages of this lab'] a, .summary-bar h2",
    "diff": "header nav a, nav[aria-label='These two'] a",
}


def wait(port: int) -> None:
    """Wait until a server responds at this port, for at most 60 seconds."""
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"No server responds at port {port}.")


def take(page: Page, name: str, width: int, height: int) -> None:
    """Take a picture of the page as it is now, and write its labels beside it."""
    page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=IMAGES / f"{name}.png")
    labels = [" ".join(text.split()) for text in page.locator(LABELS[name]).all_text_contents()]
    (IMAGES / f"{name}.txt").write_text("\n".join([*labels, ""]), "utf-8")


def take_all(page: Page) -> None:
    """Use lab 04 and the console, and take each picture."""
    page.set_viewport_size({"width": 1600, "height": 900})
    page.goto(f"http://127.0.0.1:{PORT + 4}/add/")
    page.get_by_label("Name").fill("red apple")
    page.get_by_label("Quantity").fill("3")
    page.keyboard.press("Enter")
    page.locator(".summary-row").click()
    page.locator(".summary-bar .diagram").wait_for()
    take(page, "panel", 1680, 1000)
    page.goto(f"http://127.0.0.1:{PORT}/console/diff/03/04/")
    page.set_viewport_size({"width": 1366, "height": 760})
    page.get_by_role("heading", name="lab/storage.py").evaluate("it => it.scrollIntoView()")
    take(page, "diff", 1366, 760)
    page.goto(f"http://127.0.0.1:{PORT}/console/")
    page.locator("[data-state=running]").nth(11).wait_for()
    take(page, "console", 1366, 650)


def main() -> None:
    """Start the console and its labs in a new state folder, and take the pictures."""
    command = [sys.executable, "-m", "labkit.cli", "serve", "--port", str(PORT)]
    with tempfile.TemporaryDirectory() as state:
        environ = os.environ | {"LAB_STATE_DIR": state}
        served = subprocess.Popen(
            command, cwd=IMAGES.parents[1], env=environ, stdout=subprocess.DEVNULL
        )
        try:
            wait(PORT)
            wait(PORT + 4)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium(), args=["--no-sandbox", "--hide-scrollbars"]
                )
                take_all(browser.new_page())
                browser.close()
        finally:
            served.terminate()
            served.wait()


if __name__ == "__main__":
    main()
