"""The cookie cart, unlike lab 12, keeps all items that several tabs add at the same time."""

import asyncio
import re

import pytest

from labkit.http.client import BrowserClient
from labkit.testing.lab_server import LabServer


@pytest.fixture(scope="module")
def server(checkout):
    server = LabServer(checkout.find("03").folder, migrate=False, server="waitress")
    yield server
    server.stop()


async def wave(port, names):
    """Add each name in a separate tab; return the cart afterwards: {name: quantity}."""
    browser = BrowserClient(port)
    await browser.get("/add/")
    # Each tab reads its cookies before it waits, and therefore before any response arrives.
    tabs = [browser.tab() for _ in names]
    sent = [
        tab.post("/add/", {"name": name, "quantity": "1"})
        for tab, name in zip(tabs, names, strict=True)
    ]
    assert {answer.status for answer in await asyncio.gather(*sent)} == {302}
    page = (await browser.get("/display/")).body
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(\d+)</td>', page)
    return {name: int(quantity) for name, quantity in rows}


@pytest.mark.parametrize("tabs", [2, 10, 50])
def test_different_items_are_all_kept_since_each_is_a_cookie_of_its_own(server, tabs):
    names = [f"item {number:02}" for number in range(tabs)]
    assert asyncio.run(wave(server.port, names)) == dict.fromkeys(names, 1)


@pytest.mark.pitfall("B40")
@pytest.mark.parametrize("tabs", [2, 10, 50])
def test_of_the_same_item_one_add_is_kept_and_no_lock_could_help(server, tabs):
    assert asyncio.run(wave(server.port, ["apple"] * tabs)) == {"apple": 1}
