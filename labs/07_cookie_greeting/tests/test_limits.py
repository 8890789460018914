"""Tests of the page on limits, and of what a browser does with its cookies."""

import lxml.html
import pytest

from lab.trials import HOST, TRIALS
from labkit.testing import Visitor, response_checks
from labkit.testing.contracts import notices, surprises, text

TOO_LARGE = (response_checks.SET_COOKIE_SIZE, response_checks.COOKIE_REFUSED)
OUTCOMES = {  # {trial: (cookies and bytes set, cookies and bytes sent, the surprise on the page)}
    "4096-bytes": ("1 4096", "1 4096", []),
    "4097-bytes": ("1 4097", "0 0", ["4097-bytes"]),
    "180-cookies": ("180 1800", "180 1800", []),
    "181-cookies": ("181 1810", "150 1500", ["181-cookies"]),
    "another-path": ("1 11", "1 11", ["another-path"]),
}


@pytest.fixture
def guest():
    """Return a visitor whose requests go to the host that the trials use."""
    return Visitor(HOST)


def try_out(visitor, trial):
    return visitor.get("/limits/give/", {"trial": trial}, follow=True)


def outcome(response):
    """Return what the page shows: cookies set, cookies sent, and the surprises that it explains."""
    page = lxml.html.document_fromstring(text(response))
    (given,), (sent,) = page.xpath("//@data-given"), page.xpath("//@data-sent")
    return given, sent, surprises(response)


def buttons(response):
    return lxml.html.document_fromstring(text(response)).xpath("//main//button/@value")


@pytest.mark.parametrize("trial", [trial for trial in TRIALS if trial != "4097-bytes"])
def test_each_trial_shows_what_came_back(guest, trial):
    assert outcome(try_out(guest, trial)) == OUTCOMES[trial]


def test_4097_bytes_are_refused_in_silence(guest):
    with guest.expecting(*TOO_LARGE):
        response = try_out(guest, "4097-bytes")
    assert response.redirect_chain == [("/limits/?trial=4097-bytes", 302)]
    assert outcome(response) == OUTCOMES["4097-bytes"]


def test_an_older_cookie_outlives_the_refused_one(guest):
    try_out(guest, "4096-bytes")
    with guest.expecting(*TOO_LARGE):
        assert outcome(try_out(guest, "4097-bytes"))[1] == "1 4096"


def test_one_trial_leaves_nothing_to_the_next(guest):
    try_out(guest, "4096-bytes")
    try_out(guest, "another-path")
    assert outcome(try_out(guest, "180-cookies")) == OUTCOMES["180-cookies"]


@pytest.mark.in_process  # this visitor sends a Host header without a port
def test_at_another_host_nothing_is_set(visitor):
    response = visitor.get("/limits/")
    assert buttons(response) == list(TRIALS)
    form = lxml.html.document_fromstring(text(response)).find(".//main//form")
    assert form.get("action") == f"//{HOST}/limits/give/"
    response = try_out(visitor, "181-cookies")
    assert response.redirect_chain == [("/limits/", 302)]
    assert list(visitor.jar) == []


def test_over_the_network_the_page_says_why_it_cannot(settings):
    settings.ALLOWED_HOSTS = ["192.168.1.7"]
    response = Visitor("192.168.1.7").get("/limits/?trial=181-cookies")
    assert buttons(response) == []
    assert HOST in notices(response)[0]


@pytest.mark.parametrize("trial", ["", "x", "4097", "<script>alert(7)</script>", "\x00"])
def test_an_unknown_trial_gives_nothing(guest, trial):
    response = try_out(guest, trial)
    assert surprises(response) == list(guest.jar) == []
    assert b"<script>alert" not in guest.get("/limits/", {"trial": trial}).content


def test_chromium_is_as_silent(chromium, server):
    page = chromium.page
    page.goto(server.url("/"))
    found = {}
    for trial in ["4097-bytes", "181-cookies", "another-path"]:
        page.goto(server.url("/limits/"))
        page.locator(f"button[value='{trial}']").click()
        page.locator(f"[data-surprise='{trial}']").wait_for()
        given, sent = (
            page.locator(f"[{name}]").get_attribute(name) for name in ("data-given", "data-sent")
        )
        found[trial] = (given, sent, [trial])
    assert found == {trial: OUTCOMES[trial] for trial in found}
    assert "csrftoken_07" in chromium.cookies()  # of 127.0.0.1
