"""A lab on a test server uses only its own data, and listens on the right address."""

import lxml.html

from labkit.processes.ports import free_port, free_ports
from labkit.testing.contracts import text
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor


def test_a_database_url_in_the_shell_is_not_followed(checkout, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://root@127.0.0.1:1/somebodys_own")
    lab = checkout.find("04")
    server = LabServer(lab.folder, migrate=True)
    assert (server.state / "04" / "db.sqlite3").exists()
    server.stop()
    assert not server.state.exists()


def test_a_redis_url_in_the_shell_is_not_followed(checkout, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
    server = LabServer(checkout.find("10").folder, migrate=False, environ=environ)
    page = lxml.html.document_fromstring(text(WireVisitor(server.port).get("/engines/")))
    assert page.xpath("string(//*[@data-cache])") == "LocMem"
    server.stop()


def test_a_free_port_is_one_of_those_that_the_environment_names(monkeypatch):
    monkeypatch.setenv("LABKIT_PORTS", "21000-21099")
    found = {free_port(*range(1, 13)) for _ in range(50)}
    assert min(found) >= 21000
    assert max(found) + 12 <= 21099
    assert len(found) > 1


def test_several_free_ports_are_different_and_leave_one_out(monkeypatch):
    first = free_port(1, 2)
    monkeypatch.setenv("LABKIT_PORTS", f"{first}-{first + 2}")
    assert sorted(free_ports(3)) == [first, first + 1, first + 2]
    for _ in range(20):  # repeated, because a wrong port might be chosen only sometimes
        assert sorted(free_ports(2, excluding=first + 1)) == [first, first + 2]
