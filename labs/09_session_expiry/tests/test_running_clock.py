"""Test the lab on a server whose clock the panel moves forward and back."""

from urllib.parse import urlsplit

import lxml.html
import pytest
from django.conf import settings

from labkit.testing.contracts import text
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor
from tests.contract import ExpiryPages, what_holds

pages = ExpiryPages()
DAY = "86400"  # seconds


@pytest.fixture(params=["db", "file", "signed_cookies"])
def port(request):
    """Serve the lab with the session engine that the test names, and yield the port."""
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{request.param}"}
    server = LabServer(settings.FOLDER, migrate=True, server="worker", environ=environ)
    yield server.port
    server.stop()


def move_clock(visitor, *steps):
    """Move the server's clock with the panel: by seconds, or to the real time with "now"."""
    page = lxml.html.document_fromstring(text(visitor.get("/")))
    (address,) = page.xpath("//a[@class='summary-row']/@href")
    # Open it only once, because the controls redirect to the lab's page.
    opened = visitor.get(address)
    for step in steps:
        visitor.submit(f"{urlsplit(address).path}clock/", {"by": step}, page=opened)


def test_the_clock_of_a_running_server_may_jump(port):
    visitor, later = WireVisitor(port), WireVisitor(port)
    pages.choose(visitor, "none")  # Django's default: two weeks
    move_clock(visitor, *[DAY] * 13)
    assert what_holds(visitor.get("/"))
    move_clock(visitor, *[DAY] * 2)
    assert not what_holds(visitor.get("/"))
    move_clock(visitor, "now", DAY, DAY)
    pages.choose(later, "120")
    assert what_holds(later.get("/"))
    move_clock(later, "now")  # two days back
    assert what_holds(later.get("/"))
    pages.write(later)
    assert what_holds(later.get("/"))
