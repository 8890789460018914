"""Several labs in one real browser: different names, not ports, keep their cookies apart."""

import pytest

from labkit.testing.contracts import CartInChromium
from labkit.testing.lab_server import LabServer

cart = CartInChromium()


@pytest.fixture(scope="module")
def servers(checkout):
    labs = [checkout.find("03"), checkout.find("04")]
    running = [LabServer(lab.folder, migrate=lab.database) for lab in labs]
    yield running
    for server in running:
        server.stop()


def test_no_lab_disturbs_anothers_cart(chromium, servers):
    cookie_lab, session_lab = servers
    page = chromium.page
    cart.add(page, cookie_lab, "apple", 3)
    cart.add(page, session_lab, "pear", 1)
    for server, path in [(s, path) for path in ("/", "/info/", "/display/") for s in servers]:
        page.goto(server.url(path))
    page.get_by_role("button", name="Remove pear").click()
    page.goto(cookie_lab.url("/display/"))
    assert cart.goods(page) == {"apple": 3}
    cart.add(page, session_lab, "plum", 2)
    page.goto(cookie_lab.url("/display/"))
    page.get_by_role("button", name="Empty the cart").click()
    page.goto(session_lab.url("/display/"))
    assert cart.goods(page) == {"plum": 2}


def test_every_cookie_says_whose_it_is(chromium, servers):
    for server in servers:
        cart.add(chromium.page, server, "apple", 1)
    assert sorted(chromium.cookies()) == [
        "cart_03_apple",
        "csrftoken_03",
        "csrftoken_04",
        "sessionid_04",
    ]
