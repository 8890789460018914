"""The carts over real sockets: runserver and waitress, SQLite and MariaDB, hostile input included.

What the contract asks of the visitor in the labs' own tests it asks here of a server: the same
requests get the same answers.
"""

from dataclasses import dataclass

import pytest

from labkit.testing.contracts import CartPages
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


PLACES = [
    Place("03", "runserver"),
    Place("03", "waitress"),
    Place("04", "runserver", "sqlite"),
    Place("04", "waitress", "sqlite"),
    pytest.param(Place("04", "runserver", "mariadb"), marks=pytest.mark.mysql),
    pytest.param(Place("04", "waitress", "mariadb"), marks=pytest.mark.mysql),
]


@pytest.fixture(scope="module", params=PLACES, ids=str)
def place(request):
    return request.param


@pytest.fixture(scope="module")
def server(place, checkout, request):
    environ = {"DATABASE_URL": ""}
    if place.database == "mariadb":
        mariadb = request.getfixturevalue("mariadb")
        environ["DATABASE_URL"] = mariadb.url(f"lab_04_{place.server}")
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
