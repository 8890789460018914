"""Test every cell of the table on the page /engines/."""

import re
from pathlib import Path
from random import Random

import lxml.html
import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lab import engines, storage
from labkit.compare.probes.observations import decode_cookie, yes_or_no
from labkit.compare.probes.servers import kill_and_restart, needs_table, second_process_sees
from labkit.testing.contracts import CartPages, table, text
from labkit.testing.lab_server import LabServer
from labkit.testing.response_checks import COOKIE_REFUSED, SET_COOKIE_SIZE
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
NOISE = "".join(map(chr, Random(10).choices(range(0x4E00, 0x9FA5), k=3000)))
ROWS = [
    pytest.param(
        (engine, cache),
        id=f"{engine} {cache}".strip(),
        marks=[pytest.mark.redis] if cache == "Redis" else [],
    )
    for engine, _, cache in (name.partition(", ") for name in engines.TABLE)
]
ON_SERVERS = ["migrate", "second", "restart"]
each_row = pytest.mark.parametrize("row", ROWS, scope="module", indirect=True)
# test_compared.py starts servers for the other rows, and compares its answers with this table.
each_redis_row = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.marks], scope="module", indirect=True
)


@pytest.fixture(scope="module")
def row(request):
    """Return (engine, cache, REDIS_URL)."""
    url = request.getfixturevalue("redis").url if request.param[1] == "Redis" else ""
    return (*request.param, url)


@pytest.fixture
def on(row, use):
    engine, _, url = row
    use(engine, url)


def cell(row, column):
    cells = engines.TABLE[", ".join(filter(None, row[:2]))].split(engines.SEPARATOR)
    return dict(zip(engines.COLUMNS, cells, strict=True))[column]


@each_row
class TestOneProcess:
    @pytest.fixture(autouse=True)
    def _on(self, on):
        pass

    def test_does_the_server_end_it_on_time(self, row, visitor, clock):
        cart.put(visitor, "apple", 3)
        cookie = visitor.jar.get("sessionid_10")
        if row[1] == "Redis":  # the test cannot move Redis's clock
            prefix = f"django.contrib.sessions.{row[0]}"
            key = caches["default"].make_key(prefix + cookie.value)
            left = caches["default"]._cache.get_client().ttl(key)
            assert cell(row, "end") == yes_or_no(0 < left <= 120)
            return
        clock.forward(seconds=120)
        later = table(visitor.get("/display/", headers={"cookie": cookie.pair}))
        assert cell(row, "end") == yes_or_no(later == {})

    @pytest.mark.claim("C48")
    def test_does_a_copied_cookie_bring_an_emptied_cart_back(self, row, visitor):
        cart.put(visitor, "apple", 3)
        copied = visitor.jar.get("sessionid_10").pair
        cart.empty(visitor)
        again = table(visitor.get("/display/", headers={"cookie": copied}))
        assert cell(row, "replay") == yes_or_no(again == {"apple": 3})

    @pytest.mark.claim("C34")
    def test_can_the_visitor_read_it(self, row, visitor):
        cart.put(visitor, "red apple", 3)
        found = decode_cookie(visitor.jar.get("sessionid_10").value)
        assert cell(row, "read") == yes_or_no(found.get("cart") == {"red apple": 3})

    @pytest.mark.claim("C29")
    @pytest.mark.pitfall("B39")
    def test_is_it_lost_beyond_4096_bytes(self, row, visitor, monkeypatch):
        fields = cart.put(visitor, "apple", 3)
        put = storage.put
        monkeypatch.setattr(
            storage, "put", lambda *a: (put(*a), a[0].session.update({"noise": NOISE}))
        )
        broken = [SET_COOKIE_SIZE, COOKIE_REFUSED] if cell(row, "bytes") == "yes" else []
        with visitor.expecting(*broken):
            assert visitor.post("/add/", fields | {"name": "pear"}).status_code == 302
        lost = cart.cart(visitor) == {"apple": 3}  # the item is lost, and Django raised no error
        assert cell(row, "bytes") == yes_or_no(lost)

    @pytest.mark.claim("C50")
    def test_how_many_queries_does_a_look_need(self, row, visitor):
        cart.put(visitor, "apple", 3)
        with CaptureQueriesContext(connection) as queries:
            cart.cart(visitor)
        assert cell(row, "queries") == str(len(queries))


@pytest.fixture(scope="module")
def seen(row):
    """Return {column: cell}, observed on two real servers that share a state folder."""
    engine, _, url = row
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}", "REDIS_URL": url}
    first = LabServer(django_settings.FOLDER, migrate=False, environ=environ)
    environ["LAB_STATE_DIR"] = str(first.state)
    second = LabServer(django_settings.FOLDER, migrate=False, environ=environ)
    yield {
        "migrate": yes_or_no(needs_table(first, lambda visitor: cart.put(visitor, "apple"))),
        "second": second_process_sees(
            WireVisitor(first.port), WireVisitor(second.port), cart.put, lambda v: [*cart.cart(v)]
        ),
        "restart": after_a_restart(first, WireVisitor(first.port)),
    }
    second.stop()
    first.stop()


def after_a_restart(server, visitor):
    cart.put(visitor, "apple")
    assert cart.cart(visitor) == {"apple": 1}
    kill_and_restart(server)
    return yes_or_no(cart.cart(visitor) == {"apple": 1})


@pytest.mark.thorough
@each_redis_row
@pytest.mark.claim("C49", "C86")
@pytest.mark.parametrize("column", ON_SERVERS)
def test_on_real_servers(row, seen, column):
    assert cell(row, column) == seen[column]


def test_every_cell_is_tested():
    asked = re.findall(r'cell\(row, "(\w+)"\)', Path(__file__).read_text(encoding="utf-8"))
    assert {*asked, *ON_SERVERS, "place"} == set(engines.COLUMNS)


def test_the_page_shows_the_table_and_marks_the_engine_in_use(engine, visitor):
    page = lxml.html.document_fromstring(text(visitor.get("/engines/")))
    (header,) = page.xpath("//thead/tr")
    assert [column.text_content() for column in header][1:] == list(engines.COLUMNS.values())[1:]
    shown = [[td.text_content() for td in row.iterfind("td")] for row in page.xpath("//tbody/tr")]
    assert shown == [row.split(engines.SEPARATOR)[1:] for row in engines.TABLE.values()]
    (marked,) = page.xpath("//tr[@aria-current]")
    cache = ", LocMem" * (engine in {"cached_db", "cache"})
    assert marked.find("th/b").text_content() == engine + cache
    assert bool(page.xpath("//*[@data-locmem]")) == bool(cache)


def engine_in_header(visitor, path):
    page = lxml.html.document_fromstring(text(visitor.get(path)))
    return [element.text_content() for element in page.xpath("//header//*[@data-engine]/b")]


@pytest.mark.parametrize("path", ["/", "/add/", "/display/", "/info/"])
def test_every_page_names_the_engine_in_its_header(engine, visitor, path):
    cache = ", LocMem" * (engine in {"cached_db", "cache"})
    assert engine_in_header(visitor, path) == [engine + cache]


def test_the_header_names_redis(visitor, use):
    use("cached_db", "redis://127.0.0.1:1/0")  # this visitor's pages do not connect to Redis
    assert engine_in_header(visitor, "/engines/") == ["cached_db, Redis"]


def test_the_page_says_when_the_cache_is_redis(visitor, use):
    use("cache", "redis://127.0.0.1:1/0")  # it gets no request
    page = lxml.html.document_fromstring(text(visitor.get("/engines/")))
    assert [cache.text_content() for cache in page.xpath("//b[@data-cache]")] == ["Redis"]
    assert page.xpath("//*[@data-locmem]") == []


@pytest.mark.thorough
def test_a_late_copy_that_is_added_to_undoes_what_the_other_process_added():
    environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"}
    first = LabServer(django_settings.FOLDER, migrate=True, environ=environ)
    environ["LAB_STATE_DIR"] = str(first.state)
    second = LabServer(django_settings.FOLDER, migrate=False, environ=environ)
    visitor, elsewhere = WireVisitor(first.port), WireVisitor(second.port)
    elsewhere.jar = visitor.jar
    cart.put(visitor, "apple")
    cart.cart(elsewhere)
    cart.put(visitor, "pear")
    cart.put(elsewhere, "plum")
    assert cart.cart(elsewhere) == {"apple": 1, "plum": 1}
    # The first server's copy is now out of date too.
    assert cart.cart(visitor) == {"apple": 1, "pear": 1}
    second.stop()
    first.stop()
