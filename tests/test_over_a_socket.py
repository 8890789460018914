"""The labs over real sockets: runserver and waitress, SQLite and MariaDB, hostile input included.

What a contract asks of the visitor in the labs' own tests it asks here of a server: the same
requests get the same answers.
"""

from dataclasses import dataclass

import pytest

from labkit.testing.contracts import CartPages, PageCountPages
from labkit.testing.raw import spoilt_cookies, unknown_session_ids
from labkit.testing.server import LabServer
from labkit.testing.wire import WireVisitor


@dataclass(frozen=True)
class Place:
    """A lab on a server with a database."""

    lab: str
    server: str
    database: str = ""

    def __str__(self):
        return "-".join(filter(None, (self.lab, self.server, self.database)))


SERVERS = ["runserver", "waitress"]


def places(cookie_lab, session_lab):
    """Where the tests of a class run: its two labs on each server, the session's on MariaDB too."""
    found = [Place(cookie_lab, server) for server in SERVERS]
    found += [Place(session_lab, server, "sqlite") for server in SERVERS]
    real = [Place(session_lab, server, "mariadb") for server in SERVERS]
    params = [*found, *(pytest.param(place, marks=pytest.mark.mysql) for place in real)]
    return pytest.mark.parametrize("place", params, ids=str, indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(request):
    return request.param


@pytest.fixture(scope="module")
def server(place, checkout, request):
    environ = {"DATABASE_URL": ""}
    if place.database == "mariadb":
        mariadb = request.getfixturevalue("mariadb")
        environ["DATABASE_URL"] = mariadb.url(f"lab_{place.lab}_{place.server}")
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


@places("03", "04")
class TestTheCart(CartPages):
    @pytest.fixture(autouse=True)
    def _at(self, place, server):
        self.server_name = place.server
        self.visitor_arguments = {"port": server.port}
        if place.lab == "03":
            self.capacity = 50
            self.raw_requests = spoilt_cookies("cart_03_")
        else:
            self.capacity = 200
            self.raw_requests = unknown_session_ids("sessionid_04")


@places("02", "06")
class TestTheCount(PageCountPages):
    @pytest.fixture(autouse=True)
    def _at(self, place, server):
        self.server_name = place.server
        self.visitor_arguments = {"port": server.port}
        self.cookie = {"02": "count_02", "06": "sessionid_06"}[place.lab]
        self.lifetime = {"02": None, "06": 300}[place.lab]
        self.says_what_was_unreadable = place.lab == "02"
