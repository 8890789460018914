"""Takes the pictures of the README from the real thing: python docs/screenshots.py"""

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


def wait(port: int) -> None:
    """Until something answers there, for 30 seconds at most."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at port {port}")


def main() -> None:
    """Start the console and its labs, click, and look."""
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
            page.goto(f"http://127.0.0.1:{PORT}/console/")
            page.wait_for_timeout(1500)
            page.screenshot(path=HERE / "images" / "console.png")
            browser.close()
    finally:
        served.terminate()
        served.wait()


if __name__ == "__main__":
    main()
