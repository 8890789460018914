"""Take the pictures in README.md from the running labs: python docs/screenshots.py"""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from labkit.services.requirements import chromium

HERE = Path(__file__).parent
PORT = 9700
SIZE = {"width": 1200, "height": 760}
CONSOLE_SIZE = {"width": 1366, "height": 650}
# In the picture of the console: its navigation, and the row of one lab.
LABELS = "header nav a, #lab-04 :is(a, button)"


def wait(port: int) -> None:
    """Wait until a server responds there, for at most 30 seconds."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"No server responds at port {port}.")


def main() -> None:
    """Start the console and its labs, use them, and take the pictures."""
    command = [sys.executable, "-m", "labkit.cli", "serve", "--port", str(PORT)]
    served = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.DEVNULL)
    try:
        wait(PORT)
        wait(PORT + 4)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--hide-scrollbars"]
            )
            page = browser.new_page(viewport=SIZE)
            page.goto(f"http://127.0.0.1:{PORT + 4}/add/")
            page.get_by_label("Name").fill("red apple")
            page.get_by_label("Quantity").fill("3")
            page.keyboard.press("Enter")
            page.locator(".summary-row").click()
            page.locator(".summary-bar .diagram").wait_for()
            page.locator(".diagram").screenshot(path=HERE / "images" / "diagram.png")
            page.set_viewport_size(CONSOLE_SIZE)
            page.goto(f"http://127.0.0.1:{PORT}/console/")
            page.locator("[data-state=running]").nth(11).wait_for()
            page.screenshot(path=HERE / "images" / "console.png")
            # tests/console compares them with the page, to notice that the picture is old.
            labels = page.locator(LABELS).all_inner_texts()
            (HERE / "images" / "console.txt").write_text("\n".join([*labels, ""]), "utf-8")
            browser.close()
    finally:
        served.terminate()
        served.wait()


if __name__ == "__main__":
    main()
