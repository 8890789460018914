"""The lab on a running server whose clock the panel moves forwards and back."""

import lxml.html
import pytest
from django.conf import settings

from labkit.testing.contracts import text
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor
from tests.contract import ExpiryPages, what_holds

pages = ExpiryPages()


@pytest.fixture(params=["db", "file", "signed_cookies"])
def port(request):
    """The port of the lab on a server, with one of these session engines."""
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{request.param}"}
    server = LabServer(settings.FOLDER, migrate=True, server="worker", environ=environ)
    yield server.port
    server.stop()


def press(visitor, *buttons):
    """Press these buttons of the panel, which move the clock of the server."""
    page = lxml.html.document_fromstring(text(visitor.get("/")))
    (address,) = page.xpath("//aside[@class='lab-line']/a/@href")
    opened = visitor.get(address)
    for button in buttons:
        opened = visitor.press(button, opened)


def test_the_clock_of_a_running_server_may_jump(port):
    visitor, later = WireVisitor(port), WireVisitor(port)
    pages.choose(visitor, "none")  # as the settings say: two weeks
    press(visitor, *["+1 day"] * 13)
    assert what_holds(visitor.get("/"))
    press(visitor, *["+1 day"] * 2)
    assert not what_holds(visitor.get("/"))
    press(visitor, "Back to now", "+1 day", "+1 day")
    pages.choose(later, "120")
    assert what_holds(later.get("/"))
    press(later, "Back to now")  # two days back
    assert what_holds(later.get("/"))
    pages.write(later)
    assert what_holds(later.get("/"))
