"""All pages of all labs, and the panel, are accessible and fit on all screens."""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from labkit.catalog import Catalog
from labkit.testing.accessibility import complaints, cut_off
from labkit.testing.lab_server import LabServer

LABS = Catalog(Path(__file__).parents[2]).labs
LONG = "W" * 40
FIRST = {  # the forms to send first, so that pages have content, some of which is wide
    "03": ("/add/", {"name": LONG, "quantity": "999"}),
    "04": ("/add/", {"name": LONG, "quantity": "999"}),
    "05": ("/key_in_url/name/", {"name": "Anu"}),
    "07": ("/", {"name": LONG}),
    "08": ("/student/set/", {"name": "Anu", "email": "anu@shop.example"}),
    "10": ("/add/", {"name": LONG, "quantity": "999"}),
    "11": ("/login/", {"username": "ada", "password": "lovelace"}),
}
MOST = 25  # pages of one lab
# The statuses of /nowhere/, and of a link in a handout to a URL that does not accept GET.
REFUSED = ("404", "405")
WIDTHS = (1920, 1366, 390)
HREFS = "all => all.map(link => link.getAttribute('href'))"
TALL = 3000  # in pixels; the window is so tall that no part of a page is below the summary bar


@pytest.fixture
def server(lab):
    server = LabServer(lab.folder, migrate=lab.database, server="waitress")
    yield server
    server.stop()


def pages(page, server):
    """Open all pages that can be reached through links, and the panel's page about one exchange."""
    start = server.url("/")
    ahead, seen = [start, server.url("/nowhere/")], set()
    while ahead and len(seen) < MOST:
        address = ahead.pop(0)
        path = urlsplit(address).path
        kind = re.sub(r"(?<=/exchange/)\w+", "", path)
        if kind in seen:
            continue
        seen.add(kind)
        page.goto(address)
        yield path
        links = page.locator("header a, main a").evaluate_all(HREFS)
        found = [urljoin(page.url, link) for link in links if link]
        ahead += [link for link in found if link.startswith(start)]


def faults(page):
    """Return the complaints about the open page, in both colour schemes and at each width.

    The contrast of colours is checked at only one width, because it does not depend on the width
    and axe is slow at it.
    """
    page.set_viewport_size({"width": 390, "height": TALL})
    page.emulate_media(color_scheme="dark")
    found = complaints(page)
    page.emulate_media(color_scheme="light")
    found += complaints(page, "color-contrast")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 768})
        found += [f"{width} px: {element}" for element in cut_off(page)]
    return found


@pytest.mark.parametrize(
    "lab",
    [
        pytest.param(lab, id=lab.number, marks=pytest.mark.xdist_group(f"pages of {lab.number}"))
        for lab in LABS
    ],
)
def test_every_page_is_accessible_and_fits_each_screen(chromium, server, lab):
    page = chromium.page
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type in {"error", "warning"} else None)
    address, fields = FIRST.get(lab.number, ("/", {}))
    page.goto(server.url(address))
    for name, value in fields.items():
        page.locator(f"main [name={name}]").fill(value)
    if fields:
        page.locator("main form button").first.click()
        page.wait_for_load_state()
    # The panel after a redirect, with cookies that were set, and after a control was used.
    panel = page.locator(".summary-row").get_attribute("href")
    page.goto(server.url(panel))
    page.get_by_role("button", name="+1 minute").click()
    page.wait_for_load_state()
    found = {"panel": faults(page)}
    page.goto(server.url("/__lab__/visit/"))
    found["visit"] = faults(page)
    page.goto(server.url("/__lab__/visit/record/"))
    found["visit as a test"] = faults(page)
    page.goto(server.url(panel))
    page.get_by_role("button", name="Back to now").click()
    for path in pages(page, server):
        found[path] = faults(page)
    page.goto(server.url("/"))
    page.locator(".summary-row").click()
    page.locator(".summary-bar .panel").wait_for()
    found["panel, opened on the page"] = faults(page)
    assert {where: what for where, what in found.items() if what} == {}
    assert [error for error in errors if not any(status in error for status in REFUSED)] == []


def test_a_page_that_not_everyone_can_use_is_noticed(chromium):
    page = chromium.page
    page.set_content("<html><img src='data:,'><input><p style='color: #ddd'>pale</p></html>")
    wrong = {line.partition(" ")[0] for line in complaints(page)}
    assert wrong >= {"image-alt", "label", "color-contrast"}
    assert {line.partition(" ")[0] for line in complaints(page, "label")} == {"label"}


LONG = "<pre style='width: 5000px'>long</pre>"


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (LONG, True),
        (f"<div style='overflow-x: auto'>{LONG}</div>", False),
        (f"<div style='overflow-x: hidden'>{LONG}</div>", True),
        (f"<div style='overflow-x: clip'>{LONG}</div>", True),
        (f"<div style='position: fixed; left: 0'>{LONG}</div>", True),
        (f"<div style='overflow: hidden; clip-path: inset(50%); width: 2px'>{LONG}</div>", False),
        ("<p style='overflow: hidden; white-space: nowrap; width: 3em'>cut within</p>", True),
        (f"<details><summary>more</summary>{LONG}</details>", False),
    ],
)
def test_content_that_is_cut_off_is_noticed(chromium, body, cut):
    chromium.page.set_content(f"<body style='margin: 0'>{body}</body>")
    assert bool(cut_off(chromium.page)) == cut
