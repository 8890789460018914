"""The questions about a wizard's carriers; pages and fields as in lab 05."""

from urllib.parse import urlencode, urlsplit

import lxml.html
import pytest

from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    forged,
    opened,
    own_cookies,
    own_jar,
    queries_in,
    yes,
)
from labkit.compare.probes.servers import restarted
from labkit.stores import count_records
from labkit.testing.contracts import WizardPages, step_of, text, told
from labkit.testing.wire_visitor import WireVisitor
from labkit.text import quantities

ALL = ["Anu", "30", "Bea"]


@pytest.fixture
def wizard(carrier):
    """The wizard by the carrier that the test is for."""
    found = WizardPages()
    found.carrier = carrier
    found.redirects = carrier != "hidden"
    return found


# How long it lives


@probe
def browser_closed(visitor, wizard):
    """Answer, close the browser, open it again, type the address of the results."""
    wizard.fill_in(visitor)
    visitor.close_browser()
    return yes(told(typed(visitor, wizard)) == ALL)


@probe
def address_typed(visitor, wizard):
    """Answer, go elsewhere, and type the address of the results."""
    wizard.fill_in(visitor)
    return yes(told(typed(visitor, wizard)) == ALL)


def typed(visitor, wizard):
    """The results, by an address that one knows by heart."""
    return visitor.get(f"/{wizard.carrier}/results/", follow=True)


@thorough_probe
def server_restarted(servers, wizard):
    """Answer one question, kill the server, start it again on the same state, answer the next."""
    server = servers.one()
    visitor = WireVisitor(server.port)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    restarted(server)
    return yes(told(wizard.answer(visitor, page, age=30)) == ["Anu", "30"])


@probe
def reading_prolongs(visitor, wizard, clock):
    """Answer, and look at the results every six minutes; after twelve they are there, or gone."""
    page = wizard.fill_in(visitor)
    clock.forward(minutes=6)
    page = wizard.again(visitor, page, "results")
    assert told(page) == ALL
    clock.forward(minutes=6)
    return yes(told(wizard.again(visitor, page, "results")) == ALL)


@probe
def server_ends_it(visitor, wizard, clock):
    """Send all that carried the answers once more, 601 seconds later; is it refused?"""
    page = wizard.fill_in(visitor)
    held = [cookie.pair for cookie in own_jar(visitor)]
    clock.forward(seconds=601)
    return yes(told(brought_back(visitor, wizard, page, held)) == [])


def brought_back(visitor, wizard, page, held: list[str]):
    """The results, by a page that was kept open and cookies that were copied."""
    for pair in held:
        visitor.jar.store(f"{pair}; Path=/", visitor.origin)
    return wizard.again(visitor, page, "results")


# Whose hands it is in


@probe
def visitor_can_read(visitor, wizard):
    """Look for an answer in the cookies, hidden fields and address, as they are and decoded."""
    carried = what_carries(visitor, wizard.fill_in(visitor)).values()
    return yes(any("Anu" in f"{value}{opened(value)}" for value in carried))


@probe
def visitor_can_change(visitor, wizard):
    """Write another name wherever the answers can be read; does it count?"""
    page = wizard.fill_in(visitor)
    for cookie in own_jar(visitor):
        visitor.edit_cookie(cookie.name, forged(cookie.value, "Anu", "Eve"))
    fields = {name: forged(value, "Anu", "Eve") for name, value in hidden_fields(page).items()}
    if fields:
        altered = visitor.post(form_of(page).action, fields | {"change": ""})
    else:
        altered = wizard.again(visitor, page, "results")
    return yes("Eve" in told(altered))


@probe
def replay(visitor, wizard):
    """Start again, then send all that carried the answers before."""
    page = wizard.fill_in(visitor)
    held = [cookie.pair for cookie in own_jar(visitor)]
    assert told(visitor.press("Start again", page)) == []
    return yes(told(brought_back(visitor, wizard, page, held)) == ALL)


@probe
def address_opens_it(visitor, classmate, wizard):
    """Send somebody the address of the results, as one does with a link."""
    page = wizard.fill_in(visitor)
    address = visitor.exchanges[-1].address
    assert told(page) == ALL
    return yes(told(classmate.get(address, follow=True)) == ALL)


@probe
def cookies_blocked(visitor, wizard):
    """Block cookies, then answer."""
    visitor.block_cookies()
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    return yes(told(page) == ["Anu"])


@probe
def needs_csrf_token(visitor, wizard):
    """Send an answer without Django's token; is it refused?"""
    answer = visitor.post(f"/{wizard.carrier}/name/", {"name": "Anu"})
    return yes(answer.status_code == 403)


# Several at once


@probe
def two_tabs(visitor, wizard):
    """Fill in the wizard in two tabs, in turns; does each have its own answers?"""
    one = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    two = wizard.answer(visitor, wizard.start(visitor), name="Ben")
    one = wizard.answer(visitor, one, age=30)
    two = wizard.answer(visitor, two, age=60)
    return yes(told(wizard.answer(visitor, one, gf="Bea")) == ALL)


@thorough_probe
def two_processes(servers, wizard):
    """Answer one question at one process, and the next at another."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    elsewhere.jar = here.jar  # one browser: cookies ignore ports
    page = wizard.answer(here, wizard.start(here), name="Anu")
    return yes(told(wizard.answer(elsewhere, page, age=30)) == ["Anu", "30"])


# What it takes


@thorough_probe
def without_migrate(servers, wizard):
    """Answer a question, on a server whose database has no tables."""

    def act(visitor):
        page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
        assert step_of(page) == "age"

    return yes(not servers.needs_migrate(act))


@probe
def bytes_that_carry(visitor, wizard):
    """What cookies, hidden fields and address bring along once all three answers are given."""
    page = wizard.fill_in(visitor)
    wizard.again(visitor, page, "results")
    cookies = "; ".join(own_cookies(visitor.exchanges[-1]))
    fields = urlencode(hidden_fields(page))
    query = urlsplit(form_of(page).action).query
    return f"{len(cookies) + len(fields) + len(query)} bytes"


@probe
def queries_to_look(visitor, wizard):
    """Look at the results once more."""
    page = wizard.fill_in(visitor)
    return str(queries_in(lambda: wizard.again(visitor, page, "results")))


@probe
def queries_to_answer(visitor, wizard):
    """Answer the second question, up to the page with the third."""
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    return str(queries_in(lambda: wizard.answer(visitor, page, age=30)))


@probe
def left_behind(visitor, wizard, clock):
    """Answer and never come back; what lies on the server a month later?"""
    wizard.fill_in(visitor)
    clock.forward(days=30)
    return quantities(**count_records())


def form_of(page):
    """The page's last form, which leads back to a question."""
    return lxml.html.document_fromstring(text(page)).forms[-1]


def hidden_fields(page):
    """What that form carries besides Django's token and the visitor's own answer."""
    inputs = form_of(page).iterfind(".//input[@type='hidden']")
    return {i.name: i.value for i in inputs if i.name != "csrfmiddlewaretoken"}


def what_carries(visitor, page):
    """All that brings the answers along: cookies, hidden fields, the query of the address."""
    cookies = {cookie.name: cookie.value for cookie in own_jar(visitor)}
    query = {"query": urlsplit(form_of(page).action).query}
    return cookies | hidden_fields(page) | query
