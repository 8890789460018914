"""Test that a recorded visit becomes a test or a script without secrets."""

import ast
import re
import shlex
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from django.conf import settings

from labkit.panel.models import BLANKED, Exchange, StoreOperation, take_snapshot
from labkit.panel.session_memory import KeyFate
from labkit.panel.visit import reading
from labkit.panel.visit.actions import (
    TOKEN,
    BlockCookies,
    ChangeSession,
    CloseBrowser,
    DeleteCookie,
    LeftOut,
    Pause,
    Request,
    SetCookie,
)
from labkit.panel.visit.as_httpie import as_httpie
from labkit.panel.visit.as_pytest import as_pytest
from labkit.panel.visit.as_shell import as_shell
from labkit.panel.visit.python_source import lay_out, listed, quoted
from labkit.panel.visit.reading import read

SESSION, CSRF = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME
KEY, TOKEN_VALUE = "k" * 32, "t" * 64
CHROME, START = "Mozilla/5.0 (Chrome)", 1_800_000_000.0
CART = "cart_03_apple"


def exchange(number, path="/", method="GET", *, later=0.0, ahead=0.0, **fields):
    """Return an exchange `later` seconds after the start, with the server's clock `ahead`."""
    made = Exchange(number, f"token{number}", START + later + ahead, ahead, number * 1.0)
    defaults = {"status": 200, "content_type": "text/html", "host": "127.0.0.1:8003"}
    defaults |= {"agent": CHROME, "peer": "127.0.0.1", "scheme": "http", "duration": 0.1}
    fields = defaults | fields
    if "form" in fields and not isinstance(fields["form"], str):
        fields["form"] = urlencode(fields["form"])
    return replace(made, method=method, path=path, **fields)


def actions(*exchanges, kind=object, **limits):
    found = read(exchanges, **limits).actions
    return [each for each in found if isinstance(each, kind)]


def test_followed_redirects_belong_to_their_request():
    add = exchange(2, "/add/", "POST", status=302, location="/display/", form={"name": "apple"})
    found = actions(exchange(1, "/add/"), add, exchange(3, "/display/"))
    assert [[each.number for each in request.exchanges] for request in found] == [[1], [2, 3]]
    assert found[1].form_page is found[0]


def test_a_redirect_that_nobody_followed_is_not_followed():
    moved = exchange(1, "/old/", status=302, location="/new/")
    text = as_pytest(read([moved, exchange(2, "/other/")]))
    assert "follow" not in text
    assert '    page = visitor.get("/old/")\n' in text


def test_only_long_pauses_are_repeated():
    found = actions(exchange(1), exchange(2, later=2), exchange(3, later=90), kind=Pause)
    assert found == [Pause(90)]


def test_a_moved_clock_moves_only_the_server():
    moved = exchange(2, later=1, ahead=120)
    back = exchange(3, later=2)
    found = actions(exchange(1), moved, back, kind=Pause)
    assert found == [Pause(120, server_only=True), Pause(-120, server_only=True)]
    text = as_pytest(read([exchange(1), moved]))
    assert "clock.forward(minutes=2, server_only=True)" in text


def test_another_browser_is_a_classmate():
    text = as_pytest(read([exchange(1), exchange(2, agent="Mozilla/5.0 (Firefox)")]))
    assert "def test_visit(visitor, classmate):" in text
    assert 'classmate.get("/")' in text


def test_a_private_window_is_a_classmate():
    first = exchange(1, set_cookies=[f"{CART}=3; Max-Age=120; Path=/"])
    same = exchange(2, cookie_header=f"{CART}=3")
    found = actions(first, same, exchange(3), exchange(4, cookie_header=f"{CART}=3"))
    assert [each.browser for each in found] == [0, 0, 1, 0]


def test_cookies_that_never_come_back_are_blocked():
    first = exchange(1, set_cookies=[f"{CART}=3; Path=/"])
    assert actions(first, exchange(2), kind=BlockCookies) == [BlockCookies(0)]


def test_closing_the_browser_deletes_session_cookies():
    both = [f"{CART}=3; Path=/", f"{CSRF}={KEY}; Max-Age=3600; Path=/"]
    found = actions(exchange(1, set_cookies=both), exchange(2, cookie_header=f"{CSRF}={KEY}"))
    assert isinstance(found[1], CloseBrowser)


def test_an_edited_cookie_is_edited_again():
    first = exchange(1, set_cookies=[f"{CART}=3; Max-Age=120; Path=/"])
    changed = exchange(2, cookie_header=f"{CART}=-7")
    assert actions(first, changed, kind=SetCookie) == [SetCookie(0, CART, "-7", False)]
    assert f'visitor.edit_cookie("{CART}", "-7")' in as_pytest(read([first, changed]))


def test_a_cookie_that_is_missing_was_deleted():
    both = [f"{CART}=3; Max-Age=120; Path=/", "cart_03_pear=1; Max-Age=120; Path=/"]
    first = exchange(1, set_cookies=both)
    left = exchange(2, cookie_header="cart_03_pear=1")
    assert actions(first, left, kind=DeleteCookie) == [DeleteCookie(0, CART)]


def test_an_expired_cookie_was_not_deleted():
    first = exchange(1, set_cookies=[f"{CART}=3; Max-Age=120; Path=/"])
    assert actions(first, exchange(2, later=121), kind=DeleteCookie | BlockCookies) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"body_left_out": True}, reading.NO_BODY), ({"is_cut": True}, reading.CUT)],
)
def test_what_cannot_be_repeated_is_a_comment(fields, why):
    broken = exchange(1, "/add/", "POST", **fields)
    assert actions(broken, kind=LeftOut) == [LeftOut(0, "POST /add/", why)]
    for write in (as_pytest, as_shell, as_httpie):
        assert f"# POST /add/ is left out: {why}." in write(read([broken, exchange(2)]))


def test_requests_inside_another_request_are_left_out():
    outer = replace(exchange(1, "/race/"), duration=10.0)
    found = actions(outer, exchange(2, "/add/"), kind=LeftOut)
    assert [each.why for each in found] == [reading.NESTED]


def test_a_part_of_a_visit_begins_with_its_cookies():
    first = exchange(1, set_cookies=[f"{CART}=3; Max-Age=120; Path=/"])
    then = exchange(2, "/display/", cookie_header=f"{CART}=3")
    found = actions(first, then, first=2)
    assert found[0] == SetCookie(0, CART, "3", True)
    assert [each.first.number for each in found if isinstance(each, Request)] == [2]


def test_the_form_of_a_part_is_on_the_page_before():
    page = exchange(1, "/display/")
    sent = exchange(2, "/remove/", "POST", status=302, form={TOKEN: TOKEN_VALUE, "name": "pear"})
    text = as_pytest(read([page, sent], first=2))
    assert 'visitor.submit("/remove/", {"name": "pear"}, page="/display/")' in text


def session(number, kind, *, key=KEY, found=True, fate=None, after=None, **fields):
    """Return an exchange with an operation on the session."""
    operation = StoreOperation(
        kind, 1, key, take_snapshot(after), found=found, modified=True, key_fate=fate
    )
    fields |= {"engine": "django.contrib.sessions.backends.db", "operations": [operation]}
    made = exchange(number, store_id=1, session_after=take_snapshot(after), key=key, **fields)
    return replace(made, accesses={1: {("views.py", 1, False): True}})


def test_a_row_that_vanished_is_deleted():
    created = session(1, "create", after={"a": 1}, set_cookies=[f"{SESSION}={KEY}; Path=/"])
    lost = session(
        2, "load", found=False, fate=KeyFate.GONE, after={}, cookie_header=f"{SESSION}={KEY}"
    )
    assert actions(created, lost, kind=ChangeSession) == [ChangeSession(0, None)]
    assert "visitor.session.delete()" in as_pytest(read([created, lost]))


def test_a_session_from_before_the_visit_is_created():
    loaded = session(1, "load", after={"cart": {"apple": 3}}, cookie_header=f"{SESSION}={KEY}")
    text = as_pytest(read([loaded]))
    assert 'session.update({"cart": {"apple": 3}})' in text
    assert KEY not in text


def test_a_signed_cookie_is_put_back_as_a_copy():
    old, new = "a:1aaaaa:" + "x" * 43, "b:1bbbbb:" + "y" * 43
    created = session(1, "create", key=old, after={"a": 1}, set_cookies=[f"{SESSION}={old}"])
    saved = session(
        2,
        "save",
        key=new,
        after={},
        set_cookies=[f"{SESSION}={new}"],
        cookie_header=f"{SESSION}={old}",
    )
    back = session(3, "load", key=old, after={"a": 1}, cookie_header=f"{SESSION}={old}")
    text = as_pytest(read([created, saved, back]))
    assert f'edit_cookie("{SESSION}", copied)' in text
    assert "session.update" not in text


def test_times_and_hashes_are_not_compared():
    after = {"written": "2026-11-28T05:00:00+00:00", "_auth_user_hash": "5ecret", "count": 1}
    text = as_pytest(read([session(1, "create", after=after)]))
    assert '{"written": ANY, "_auth_user_hash": ANY, "count": 1}' in text


def login(**fields):
    form = {TOKEN: TOKEN_VALUE, "username": "ada", "password": BLANKED}
    sent = exchange(2, "/login/", "POST", status=302, form=form, has_secrets=True, **fields)
    return read([exchange(1, "/login/", set_cookies=[f"{CSRF}={KEY}; Path=/"]), sent])


def test_a_password_is_taken_from_the_lab_or_the_environment():
    known = as_pytest(login(), {"ada": 'lab.models:DEMO["password"]'})
    assert "from lab.models import DEMO\n" in known
    assert '"password": DEMO["password"]' in known
    assert '"password": os.environ["VISIT_PASSWORD"]' in as_pytest(login())
    assert "${VISIT_PASSWORD:?}" in as_shell(login())
    assert "${VISIT_PASSWORD:?}" in as_httpie(login())


@pytest.mark.parametrize(("write", "fields"), [(as_pytest, 0), (as_shell, 1), (as_httpie, 1)])
def test_tokens_are_followed(write, fields):
    text = write(login(cookie_header=f"{CSRF}={KEY}"))
    assert text.count(TOKEN) == fields
    assert TOKEN_VALUE not in text
    assert KEY not in text


def test_a_recorded_test_is_valid_python():
    values = ["plain", 'a "quote"', "it's", "back\\slash", "line\nbreak", "अनु", "{brace}"]
    sent = [exchange(2, "/add/", "POST", form={"name": each}) for each in values]
    tree = ast.parse(as_pytest(read([replace(e, number=n) for n, e in enumerate(sent, 2)])))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert strings >= set(values)


@pytest.mark.parametrize(
    ("write", "unescaped"),
    [(as_shell, str), (as_httpie, lambda word: re.sub(r"\\(.)", r"\1", word))],
)
def test_scripts_quote_what_they_send(write, unescaped):
    value = 'a\'b "c" $(d) `e` \\f =:@;'
    sent = exchange(2, "/add/", "POST", form={TOKEN: TOKEN_VALUE, "name": value})
    text = write(read([exchange(1, "/add/"), sent])).replace("\\\n", "")
    line = next(each for each in text.splitlines() if "name=" in each and "csrf" in each)
    assert f"name={value}" in map(unescaped, shlex.split(line))


def test_long_statements_are_broken_into_lines():
    names = [quoted(f"item number {number}") for number in range(10)]
    lines = lay_out("found = ", listed(names)).splitlines()
    assert max(map(len, lines)) <= 99
    assert ast.literal_eval("".join(lines).partition("= ")[2]) == [each[1:-1] for each in names]
