"""Probes that answer the questions about a wizard's carriers, using the contract's pages."""

from urllib.parse import urlencode, urlsplit

import lxml.html
import pytest

from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    count_queries,
    decode_cookie,
    forge,
    sent_cookies,
    stored_cookies,
    yes_or_no,
)
from labkit.compare.probes.servers import kill_and_restart
from labkit.session_stores import count_records
from labkit.testing.contracts import text
from labkit.testing.wire_visitor import WireVisitor
from labkit.text_format import quantities
from tests.contract import ANSWERS, WizardPages, step_of, told

ALL = list(ANSWERS.values())


@pytest.fixture
def wizard(carrier):
    """Return the wizard with the carrier under test."""
    found = WizardPages()
    found.carrier = carrier
    found.redirects = carrier != "hidden"
    return found


# How long the answers last


@probe
def browser_closed(visitor, wizard):
    """Answer all questions, restart the browser, and type the URL of the results."""
    wizard.fill_in(visitor)
    visitor.close_browser()
    return yes_or_no(told(typed(visitor, wizard)) == ALL)


@probe
def address_typed(visitor, wizard):
    """Answer all questions, visit another page, and type the URL of the results."""
    wizard.fill_in(visitor)
    return yes_or_no(told(typed(visitor, wizard)) == ALL)


def typed(visitor, wizard):
    """Open the results at a URL that a person can remember."""
    return visitor.get(f"/{wizard.carrier}/results/", follow=True)


@thorough_probe
def server_restarted(servers, wizard):
    """Answer a question, kill the server, restart it with its data, and answer the next
    question."""
    server = servers.one()
    visitor = WireVisitor(server.port)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    kill_and_restart(server)
    return yes_or_no(told(wizard.answer(visitor, page, age=30)) == ["Anu", "30"])


@probe
def reading_prolongs(visitor, wizard, clock):
    """Test whether the answers last twelve minutes if the results are opened after six."""
    page = wizard.fill_in(visitor)
    clock.forward(minutes=6)
    page = wizard.again(visitor, page, "results")
    assert told(page) == ALL
    clock.forward(minutes=6)
    return yes_or_no(told(wizard.again(visitor, page, "results")) == ALL)


@probe
def server_ends_it(visitor, wizard, clock):
    """Test whether everything that carried the answers is refused after 601 seconds."""
    page = wizard.fill_in(visitor)
    held = [cookie.pair for cookie in stored_cookies(visitor)]
    clock.forward(seconds=601)
    return yes_or_no(told(brought_back(visitor, wizard, page, held)) == [])


def brought_back(visitor, wizard, page, held: list[str]):
    """Open the results with copied cookies, from a page that was left open."""
    for pair in held:
        visitor.jar.store(f"{pair}; Path=/", visitor.origin)
    return wizard.again(visitor, page, "results")


# Who can read and change the answers


@probe
def visitor_can_read(visitor, wizard):
    """Look for an answer in the cookies, hidden fields and URL, both as sent and decoded."""
    carried = what_carries(visitor, wizard.fill_in(visitor)).values()
    return yes_or_no(any("Anu" in f"{value}{decode_cookie(value)}" for value in carried))


@probe
def visitor_can_change(visitor, wizard):
    """Test whether a changed name is accepted wherever the visitor can read the answers."""
    page = wizard.fill_in(visitor)
    for cookie in stored_cookies(visitor):
        visitor.edit_cookie(cookie.name, forge(cookie.value, "Anu", "Eve"))
    fields = {name: forge(value, "Anu", "Eve") for name, value in hidden_fields(page).items()}
    if fields:
        altered = visitor.post(form_of(page).action, fields | {"change": ""})
    else:
        altered = wizard.again(visitor, page, "results")
    return yes_or_no("Eve" in told(altered))


@probe
def replay(visitor, wizard):
    """Start again, then send everything that carried the old answers."""
    page = wizard.fill_in(visitor)
    held = [cookie.pair for cookie in stored_cookies(visitor)]
    assert told(visitor.press("Start again", page)) == []
    return yes_or_no(told(brought_back(visitor, wizard, page, held)) == ALL)


@probe
def address_opens_it(visitor, classmate, wizard):
    """Open the URL of the results in another person's browser, as if it had been sent to them."""
    page = wizard.fill_in(visitor)
    address = visitor.exchanges[-1].url
    assert told(page) == ALL
    return yes_or_no(told(classmate.get(address, follow=True)) == ALL)


@probe
def cookies_blocked(visitor, wizard):
    """Block cookies, and answer."""
    visitor.block_cookies()
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    return yes_or_no(told(page) == ["Anu"])


@probe
def needs_csrf_token(visitor, wizard):
    """Test whether an answer without Django's CSRF token is refused."""
    answer = visitor.post(f"/{wizard.carrier}/name/", {"name": "Anu"})
    return yes_or_no(answer.status_code == 403)


# Several tabs or processes


@probe
def two_tabs(visitor, wizard):
    """Fill in the wizard on two tabs alternately, and test whether their answers stay separate."""
    one = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    two = wizard.answer(visitor, wizard.start(visitor), name="Ben")
    one = wizard.answer(visitor, one, age=30)
    two = wizard.answer(visitor, two, age=60)
    return yes_or_no(told(wizard.answer(visitor, one, gf="Bea")) == ALL)


@thorough_probe
def two_processes(servers, wizard):
    """Answer one question in one server process, and the next question in another."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    elsewhere.jar = here.jar  # both servers get cookies from one jar, since cookies ignore ports
    page = wizard.answer(here, wizard.start(here), name="Anu")
    page.exchange.url = page.exchange.url.replace(f":{here.port}/", f":{elsewhere.port}/")
    return yes_or_no(told(wizard.answer(elsewhere, page, age=30)) == ["Anu", "30"])


# What the carrier needs


@thorough_probe
def without_migrate(servers, wizard):
    """Answer a question on a server without database tables."""

    def act(visitor):
        page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
        assert step_of(page) == "age"

    return yes_or_no(not servers.needs_migrate(act))


@probe
def bytes_that_carry(visitor, wizard):
    """Count the bytes of cookies, hidden fields and query after all three answers."""
    page = wizard.fill_in(visitor)
    wizard.again(visitor, page, "results")
    cookies = "; ".join(sent_cookies(visitor.exchanges[-1]))
    fields = urlencode(hidden_fields(page))
    query = urlsplit(form_of(page).action).query
    return f"{len(cookies) + len(fields) + len(query)} bytes"


@probe
def queries_to_look(visitor, wizard):
    """Open the results again."""
    page = wizard.fill_in(visitor)
    return str(count_queries(lambda: wizard.again(visitor, page, "results")))


@probe
def queries_to_answer(visitor, wizard):
    """Answer the second question, and follow the redirect to the third."""
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    return str(count_queries(lambda: wizard.answer(visitor, page, age=30)))


@probe
def left_behind(visitor, wizard, clock):
    """Answer all questions, and check what the server still stores a month later."""
    wizard.fill_in(visitor)
    clock.forward(days=30)
    return quantities(**count_records())


def form_of(page):
    """Return the last form on the page, which leads back to a question."""
    return lxml.html.document_fromstring(text(page)).xpath("//main//form")[-1]


def hidden_fields(page):
    """Return the hidden fields of the page's last form, without Django's CSRF token."""
    inputs = form_of(page).iterfind(".//input[@type='hidden']")
    return {i.name: i.value for i in inputs if i.name != "csrfmiddlewaretoken"}


def what_carries(visitor, page):
    """Return everything that carries the answers: cookies, hidden fields and the URL's query."""
    cookies = {cookie.name: cookie.value for cookie in stored_cookies(visitor)}
    query = {"query": urlsplit(form_of(page).action).query}
    return cookies | hidden_fields(page) | query
