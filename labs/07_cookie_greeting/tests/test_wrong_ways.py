"""Additional pages, which store a name in the ways that textbooks do."""

import re
import socket
import threading
import time

import lxml.html
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.urls import path

from labkit.testing import response_checks
from tests.contract import GreetingPages, greeted

pages = GreetingPages()


def form(request):
    page = Template("<form action='/second'>{% csrf_token %}<input name='name'></form>")
    return HttpResponse(page.render(RequestContext(request)))


def second(request):
    response = HttpResponse("Hello")
    response.set_cookie("name", request.GET["name"])
    return response


def ten_years(request):
    response = HttpResponse("For ever!")
    response.set_cookie("ever", "x", max_age=10 * 365 * 24 * 3600)
    return response


def five_seconds(request):
    response = HttpResponse("Not for long.")
    response.set_cookie("brief", "x", max_age=5)
    return response


def sent(request):
    return HttpResponse(request.headers.get("Cookie", ""))


urlpatterns = [
    path("", form),
    path("second", second),
    path("ten-years", ten_years),
    path("five-seconds", five_seconds),
    path("sent", sent),
]


@pytest.fixture
def textbook(settings):
    """Serve this module's additional pages instead of the lab's."""
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def port(textbook):
    """Serve these pages on a socket with runserver's server class, and yield the port."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def received(port, address):
    """Return all bytes of the response to one GET."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        # Without this, the server would wait for the next request.
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.pitfall("B13")
def test_a_bare_name_in_another_script_tears_the_answer(port):
    torn = received(port, "/second?name=%E0%A4%85%E0%A4%A8%E0%A5%81")
    assert torn.startswith(b"HTTP/1.1 200 OK")
    assert b"\r\n\r\n" not in torn  # the headers never end, so a browser keeps waiting
    whole = received(port, "/second?name=Anu")
    assert re.search(rb"\r\nSet-Cookie: +name=Anu; Path=/\r\n", whole)
    assert whole.endswith(b"\r\n\r\nHello")


@pytest.mark.pitfall("B13")
def test_the_same_fault_is_noticed_before_it_is_sent(textbook, visitor):
    with visitor.expecting(response_checks.HEADER):
        visitor.get("/second", {"name": "अनु"})


@pytest.mark.claim("C32")
def test_for_ever_is_at_most_400_days(chromium, port):
    chromium.page.goto(f"http://127.0.0.1:{port}/ten-years")
    left = chromium.cookies()["ever"]["expires"] - time.time()
    assert left / 86_400 == pytest.approx(400, abs=0.01)


WATCH = """async () => {
    const sent = async () => (await fetch("/sent")).text()
    await fetch("/five-seconds")
    const seen = [await sent()]
    for (let tries = 0; tries < 100 && seen.at(-1); tries++) {
        await new Promise(done => setTimeout(done, 100))
        seen.push(await sent())
    }
    return [seen[0], seen.at(-1)]
}"""


@pytest.mark.claim("C21")
def test_max_age_is_in_seconds_and_chromium_ends_it_by_its_own_clock(chromium, port):
    page = chromium.page
    page.goto(f"http://127.0.0.1:{port}/sent")
    begun = time.time()
    assert page.evaluate(WATCH) == ["brief=x", ""]
    assert time.time() - begun >= 5  # whole hours, not minutes
    assert chromium.cookies() == {}


@pytest.mark.pitfall("B16")
def test_a_token_in_a_form_that_gets_ends_up_in_the_address(textbook, visitor):
    visitor.submit("/second", {"name": "Anu"}, page="/")
    token = visitor.jar.get("csrftoken_07").value
    assert token
    assert "csrfmiddlewaretoken=" in visitor.exchanges[-1].url


@pytest.mark.pitfall("B16")
def test_no_address_of_the_lab_ever_has_a_token_in_it(visitor):
    assert greeted(pages.greet(visitor, "Anu")) == "Anu"
    visitor.submit("/forget/", page="/result/")
    assert [e.method for e in visitor.exchanges].count("POST") == 2
    assert not any("csrf" in exchange.url for exchange in visitor.exchanges)
    forms = lxml.html.document_fromstring(visitor.get("/").content.decode()).forms
    assert {form.method for form in forms} == {"POST"}
