"""Test the page that shows a whole visit: which requests it contains, and who may see them."""

from urllib.parse import urljoin

import lxml.html
import pytest
from django.conf import settings

from labkit.panel.exchange_log import Log
from labkit.panel.visit.views import MOST
from labkit.panel.visit.visits import Browser, own_visit, visit_of, visits
from labkit.testing.contracts import text
from labkit.testing.contracts.carts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
PROXY = {"via": "1.1 proxy"}  # a visitor on another machine, who is not the instructor
VISIT = "/__lab__/visit/"


@pytest.fixture(scope="module")
def shop(checkout):
    server = LabServer(checkout.find("04").folder, migrate=True)
    yield server
    server.stop()


@pytest.fixture
def visitor(shop):
    return WireVisitor(shop.port)


@pytest.fixture
def classmate(shop):
    return WireVisitor(shop.port)


def shown(visitor, path=VISIT, **headers):
    """Return the visit's page."""
    return lxml.html.document_fromstring(text(visitor.get(path, **headers)))


def links(page):
    """Return the links to exchanges in the table, in order."""
    return page.xpath("//tr[@data-exchange]//a/@href")


def add(log, path="/", cookies="", sets=(), **fields):
    """Log an exchange and return it."""
    request = {"method": "GET", "path": path, "peer": "10.0.0.9", "agent": "x", "host": "lab:8004"}
    exchange = log.begin(**request | {"cookie_header": cookies} | fields)
    exchange.set_cookies = list(sets)
    log.add(exchange)
    return exchange


def paths_of(visit):
    return [each.path for each in visit.exchanges]


# Which requests belong to a visit


def test_a_visit_has_one_browsers_exchanges_in_order():
    log = Log()
    for path, agent in (("/1", "x"), ("/2", "y"), ("/3", "x")):
        last = add(log, path, agent=agent)
    assert list(map(paths_of, visits(log))) == [["/1", "/3"], ["/2"]]
    assert paths_of(visit_of(log, last)) == ["/1", "/3"]


def test_secret_cookies_connect_a_students_requests():
    log, session, csrf = Log(), settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME
    add(log, "/first", sets=[f"{csrf}=tokenA; Path=/"])
    add(log, "/second", f"{csrf}=tokenA", [f"{session}=keyA; HttpOnly"])
    add(log, "/third", f"{session}=keyA")
    add(log, "/classmate", f"{csrf}=tokenB; {session}=keyB")
    add(log, "/nobody")
    add(log, "/elsewhere", f"{session}=keyA", peer="10.0.0.8")
    own = own_visit(log, Browser("10.0.0.9", "x", "lab:8004", f"{session}=keyA"))
    assert paths_of(own) == ["/first", "/second", "/third"]


def test_a_long_chain_of_cookies_connects_a_visit():
    log, session, csrf = Log(), settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME
    for number in range(50):
        add(log, f"/{number}", f"{session}=k{number}", [f"{csrf}=k{number}"])
        add(log, f"/and/{number}", f"{csrf}=k{number}; {session}=k{number + 1}")
    own = own_visit(log, Browser("10.0.0.9", "x", "lab:8004", f"{session}=k50"))
    assert len(own.exchanges) == 100


@pytest.mark.parametrize("cookies", ["", "theme=dark", f"{settings.SESSION_COOKIE_NAME}="])
def test_no_secret_cookie_means_no_visit(cookies):
    log = Log()
    add(log, "/", cookies, [cookies])
    assert own_visit(log, Browser("10.0.0.9", "x", "lab:8004", cookies)).exchanges == []


# Who may see a visit


def test_students_see_their_own_visit_alone(visitor, classmate):
    for each in (visitor, classmate):
        cart.add(each, "apple", 3)
    own = [each.removeprefix("../exchange/") for each in links(shown(visitor, headers=PROXY))]
    others = [each.removeprefix("../exchange/") for each in links(shown(classmate, headers=PROXY))]
    assert len(own) == len(others) == 3
    assert set(own).isdisjoint(others)
    page = shown(visitor, f"{VISIT}?visitor=A", headers=PROXY)
    assert not page.xpath("//a[contains(@href, 'visitor=')]")
    assert len(links(page)) == 3


def test_a_stranger_sees_no_requests(shop, visitor):
    cart.add(visitor, "apple", 3)
    page = shown(WireVisitor(shop.port), headers=PROXY)
    assert links(page) == []
    assert page.xpath("//*[@data-empty]")


def test_the_instructor_sees_all_visits(shop, visitor):
    cart.add(visitor, "apple", 3)
    WireVisitor(shop.port).get("/", headers={"user-agent": "another"})
    (link,) = shown(visitor).xpath("//nav[@class='visitors']/a[not(@aria-current)]/@href")[:1]
    page = shown(visitor, f"{VISIT}{link}")
    opened = shown(visitor, urljoin(VISIT, links(page)[-1]))
    for place in ("header", "main"):
        (link,) = opened.xpath(f"//{place}//a[contains(@href, '/visit/?')]/@href")
        assert links(shown(visitor, link)) == links(page)


def test_a_control_is_on_the_axis(visitor):
    cart.add(visitor, "apple", 3)
    opened = visitor.get(urljoin(VISIT, links(shown(visitor))[-1]))
    visitor.submit(f"{opened.request['PATH_INFO']}clock/", {"by": "120"}, opened)
    page = shown(visitor)
    assert len(page.xpath("//*[@data-jump]")) == len(page.xpath("//tr[@data-move]")) == 1
    assert page.xpath("//tr[@data-store='expired'] | //tr[@data-store='predicted']")
    opened = visitor.get(opened.request["PATH_INFO"])  # the panel now has the button "Back to now"
    visitor.submit(f"{opened.request['PATH_INFO']}clock/", {"by": "now"}, opened)
    assert len(shown(visitor).xpath("//*[@data-jump]")) == 2
    visitor.submit(f"{opened.request['PATH_INFO']}reset/", {}, opened)
    visitor.get("/")
    page = shown(visitor)
    assert page.xpath("//*[local-name()='path'][@data-control]")
    assert len(page.xpath("//tr[@data-control]")) == 1
    assert not page.xpath("//*[@data-jump]")


def test_a_changed_entry_is_on_the_axis(visitor):
    cart.add(visitor, "apple", 3)
    opened = visitor.get(urljoin(VISIT, links(shown(visitor))[-1]))
    before = shown(visitor).xpath("count(//tr[@data-control])")
    fields = {"entry": "cart", "value": "{}"}
    visitor.submit(f"{opened.request['PATH_INFO']}entry/", fields, opened)
    assert shown(visitor).xpath("count(//tr[@data-control])") == before + 1


def test_five_hundred_exchanges_take_less_than_200_kb(visitor):
    fields = cart.put(visitor, "apple", 1)
    for number in range(250):
        visitor.post("/add/", fields | {"name": f"item {number % 90}"})
        visitor.get("/display/")
    response = visitor.get(VISIT)
    page = lxml.html.document_fromstring(text(response))
    assert len(links(page)) == MOST == 500
    assert page.xpath("//@data-left-out")
    assert len(response.content) < 200_000, len(response.content)
