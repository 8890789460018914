"""The labs over real sockets: runserver and waitress, SQLite and MariaDB, hostile input included.

What a contract asks of the visitor in the labs' own tests it asks here of a server: the same
requests get the same answers.
"""

import contextlib
import itertools
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from labkit.catalog import Catalog
from labkit.testing.contracts import CartPages, PageCountPages, WizardRequests, table, words
from labkit.testing.contracts.api import SessionApiPages
from labkit.testing.contracts.cookie_checks import CookieCheckPages
from labkit.testing.contracts.expiry import ExpiryPages
from labkit.testing.contracts.greetings import GreetingPages
from labkit.testing.contracts.logins import LoginPages
from labkit.testing.contracts.races import RacePages
from labkit.testing.contracts.stores import StorePages
from labkit.testing.lab_server import LabServer
from labkit.testing.malformed import spoilt_cookies, unknown_session_ids
from labkit.testing.wire_visitor import WireVisitor


@dataclass(frozen=True)
class Place:
    """A lab on a server with a database."""

    lab: str
    server: str
    database: str = ""

    def __str__(self):
        return "-".join(filter(None, (self.lab, self.server, self.database)))


SERVERS = ["runserver", "waitress"]
# Real passwords are slow to check on purpose; see tests/support/quick_login.py.
QUICK_LOGIN = {
    "DJANGO_SETTINGS_MODULE": "quick_login",
    "PYTHONPATH": str(Path(__file__).parents[1] / "support"),
}
CHECKOUT = Catalog(Path(__file__).parents[2])


def places(*labs):
    """Where a class's tests run: on each server, and on MariaDB too if the lab has a database."""
    found = []
    for number in labs:
        databases = ["sqlite", "mariadb"] if CHECKOUT.find(number).database else [""]
        for database, server in itertools.product(databases, SERVERS):
            marks = [pytest.mark.mysql] if database == "mariadb" else []
            found.append(pytest.param(Place(number, server, database), marks=marks))
    return pytest.mark.parametrize("place", found, ids=str, indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(request):
    return request.param


@pytest.fixture(scope="module")
def server(place, checkout, request):
    environ = QUICK_LOGIN if place.lab == "11" else {}
    if place.database == "mariadb":
        mariadb = request.getfixturevalue("mariadb")
        environ = environ | {"DATABASE_URL": mariadb.url(f"lab_{place.lab}_{place.server}")}
    lab = checkout.find(place.lab)
    server = LabServer(lab.folder, migrate=lab.database, server=place.server, environ=environ)
    yield server
    server.stop()


@pytest.fixture
def visitor(server):
    return WireVisitor(server.port)


@pytest.fixture
def classmate(server):
    return WireVisitor(server.port)


class AtAServer:
    """A contract's visitors are at the server of this place."""

    @pytest.fixture(autouse=True)
    def _at(self, place, server):
        self.server_name = place.server
        self.visitor_arguments = {"port": server.port}


@places("01")
class TestTheTestCookie(AtAServer, CookieCheckPages):
    pass


@places("02", "06")
class TestTheCount(AtAServer, PageCountPages):
    @pytest.fixture(autouse=True)
    def _answers(self, place):
        self.cookie = {"02": "count_02", "06": "sessionid_06"}[place.lab]
        self.lifetime = {"02": None, "06": 300}[place.lab]
        self.says_what_was_unreadable = place.lab == "02"


@places("03", "04", "10")
class TestTheCart(AtAServer, CartPages):
    @pytest.fixture(autouse=True)
    def _answers(self, place):
        if place.lab == "03":
            self.capacity = 50
            self.raw_requests = spoilt_cookies("cart_03_")
        else:
            self.capacity = 200
            self.raw_requests = unknown_session_ids(f"sessionid_{place.lab}")


@places("05")
class TestTheWizardByCookie(AtAServer, WizardRequests):
    carrier, needs_cookies = "cookie", True


@places("05")
class TestTheWizardBySession(AtAServer, WizardRequests):
    carrier, needs_cookies = "session", True


@places("05")
class TestTheWizardByHiddenField(AtAServer, WizardRequests):
    carrier, needs_cookies, redirects = "hidden", False, False


@places("05")
class TestTheWizardByAddress(AtAServer, WizardRequests):
    carrier, needs_cookies = "url", False


@places("07")
class TestTheGreeting(AtAServer, GreetingPages):
    pass


@places("08")
class TestTheSessionApi(AtAServer, SessionApiPages):
    raw_requests = unknown_session_ids("sessionid_08")


@places("09")
class TestTheEnd(AtAServer, ExpiryPages):
    raw_requests = unknown_session_ids("sessionid_09")


@places("10")
class TestTheStorePage(AtAServer, StorePages):
    raw_requests = unknown_session_ids("sessionid_10")


@places("11")
class TestTheLogin(AtAServer, LoginPages):
    session_cookie = "sessionid_11"
    raw_requests = unknown_session_ids(session_cookie)


@places("12")
class TestTheTabs(AtAServer, RacePages):
    raw_requests = unknown_session_ids("sessionid_12")


@pytest.fixture
def execute(place, server, request):
    """Run SQL on the database of the lab under test, from outside."""

    def execute(sql):
        if place.database == "mariadb":
            mariadb = request.getfixturevalue("mariadb")
            connection = mariadb.connect(f"lab_{place.lab}_{place.server}")
        else:
            connection = sqlite3.connect(server.state / place.lab / "db.sqlite3", timeout=10)
        with contextlib.closing(connection):
            cursor = connection.cursor()
            cursor.execute(sql)
            connection.commit()

    return execute


LOST = {
    "deleted": "DELETE FROM django_session",
    "expired": "UPDATE django_session SET expire_date = '2001-01-01 00:00:00'",
    "empty": "UPDATE django_session SET session_data = ''",
    "damaged": "UPDATE django_session SET session_data = 'a:b:c'",
}


@places("03", "04")
class TestTheStore:
    @pytest.fixture
    def cart(self):
        return CartPages()

    @pytest.mark.parametrize("how", LOST)
    def test_a_cart_that_the_server_has_lost_is_empty_and_can_be_filled(
        self, place, visitor, execute, cart, how
    ):
        cart.put(visitor, "apple", 3)
        if place.lab == "04":
            execute(LOST[how])
        response = visitor.get("/display/")
        assert table(response) == ({} if place.lab == "04" else {"apple": 3})
        assert ("a session key that opens nothing" in words(response)) == (place.lab == "04")
        cart.put(visitor, "pear")
        assert cart.cart(visitor) == ({"pear": 1} | ({} if place.lab == "04" else {"apple": 3}))

    def test_a_session_key_that_the_server_did_not_make_is_never_taken_over(
        self, place, visitor, classmate, cart
    ):
        planted = "a" * 32
        visitor.jar.store(f"sessionid_04={planted}; Path=/", visitor.origin)
        cart.put(visitor, "apple", 3)
        key = visitor.jar.get("sessionid_04").value
        assert (key != planted) == (place.lab == "04")  # the cookie cart does not look at it
        classmate.jar.store(f"sessionid_04={planted}; Path=/", classmate.origin)
        assert cart.cart(classmate) == {}

    def test_large_letters_open_the_same_session_on_mariadb_alone(self, place, visitor, cart):
        cart.put(visitor, "apple", 3)
        if place.lab == "04":
            visitor.edit_cookie("sessionid_04", visitor.jar.get("sessionid_04").value.upper())
        same = place.lab == "03" or place.database == "mariadb"
        assert cart.cart(visitor) == ({"apple": 3} if same else {})

    def test_a_killed_server_comes_back_with_every_cart(self, visitor, server, cart):
        cart.put(visitor, "apple", 3)
        server.kill()
        server.start()
        assert cart.cart(visitor) == {"apple": 3}
