"""Every page of every lab, and its panel: for everyone to use, on every screen."""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from labkit.catalog import Catalog
from labkit.testing.accessibility import complaints, scrolls_sideways
from labkit.testing.lab_server import LabServer

LABS = Catalog(Path(__file__).parents[2]).labs
LONG = "W" * 40
FIRST = {  # what to fill in first, so that there is something to see, and something wide
    "03": ("/add/", {"name": LONG, "quantity": "999"}),
    "04": ("/add/", {"name": LONG, "quantity": "999"}),
    "05": ("/url/name/", {"name": "Anu"}),
    "07": ("/", {"name": LONG}),
    "08": ("/student/set/", {"name": "Anu", "email": "anu@shop.example"}),
    "10": ("/add/", {"name": LONG, "quantity": "999"}),
    "11": ("/login/", {"username": "ada", "password": "lovelace"}),
}
MOST = 25  # pages of one lab


@pytest.fixture
def server(lab):
    server = LabServer(lab.folder, migrate=lab.database, server="waitress")
    yield server
    server.stop()


def pages(page, server):
    """Open every page that links lead to, from the start."""
    start = server.url("/")
    ahead, seen = [start, server.url("/nowhere/")], set()
    while ahead and len(seen) < MOST:
        address = ahead.pop(0)
        if urlsplit(address).path in seen:
            continue
        seen.add(urlsplit(address).path)
        page.goto(address)
        yield urlsplit(address).path
        links = [link.get_attribute("href") for link in page.locator("header a, main a").all()]
        found = [urljoin(page.url, link) for link in links if link]
        ahead += [link for link in found if link.startswith(start)]


@pytest.mark.parametrize(
    "lab",
    [
        pytest.param(lab, id=lab.number, marks=pytest.mark.xdist_group(f"pages of {lab.number}"))
        for lab in LABS
    ],
)
def test_every_page_is_accessible_and_fits_a_phone(chromium, server, lab):
    page = chromium.page
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    address, fields = FIRST.get(lab.number, ("/", {}))
    page.goto(server.url(address))
    for name, value in fields.items():
        page.locator(f"main [name={name}]").fill(value)
    if fields:
        page.locator("main form button").first.click()
        page.wait_for_load_state()
    found = {}
    # The panel with a redirect in it, with cookies given, and after one of its buttons.
    page.goto(server.url(page.locator(".summary-row").get_attribute("href")))
    found["panel"] = complaints(page)
    page.get_by_role("button", name="+1 minute").click()
    found["panel, clock moved"] = complaints(page)
    page.get_by_role("button", name="Back to now").click()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 640})
    for path in pages(page, server):
        found[path] = complaints(page) + scrolls_sideways(page)
    page.goto(server.url("/"))
    panel = page.locator(".summary-row").get_attribute("href")
    page.locator(".summary-row").click()
    page.locator(".summary-bar .panel").wait_for()
    found["opened below"] = complaints(page) + scrolls_sideways(page)
    # At 1280 px the panel has been looked at in light colours, at 320 px the front page in dark.
    for path, width, scheme in (
        (panel, 320, "light"),
        (panel, 1280, "dark"),
        ("/__lab__/", 320, "dark"),
        ("/", 1280, "light"),
    ):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.goto(server.url(path))
        found[path, width, scheme] = complaints(page) + scrolls_sideways(page)
    assert {where: what for where, what in found.items() if what} == {}
    assert [error for error in errors if "404" not in error] == []


def test_a_page_that_not_everyone_can_use_is_noticed(chromium):
    page = chromium.page
    page.set_content("<html><img src='data:,'><input><p style='width: 5000px'>wide</p></html>")
    assert {line.partition(" ")[0] for line in complaints(page)} >= {"image-alt", "label"}
    assert scrolls_sideways(page) != []
