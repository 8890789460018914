"""Test the tests: they fail if the jar or a lab has a deliberate fault."""

import shutil

import pytest
import time_machine
from cookie_cases import CASES
from cookie_runs import runs_in_the_jar
from lab_copies import IGNORED, run_pytest

from labkit.http import jar, set_cookie
from labkit.testing import clock as labkit_clock
from labkit.testing import response_checks
from labkit.testing.failure_report import LAST_EXCHANGES, MOVED, STORE_HEADING


def ignoring_path(monkeypatch):
    monkeypatch.setattr(jar, "path_match", lambda path, cookie_path: True)


def ignoring_max_age(monkeypatch):
    expiry = set_cookie.read_expiry
    without = lambda a, now: expiry({k: v for k, v in a.items() if k != "max-age"}, now)  # noqa: E731
    monkeypatch.setattr(set_cookie, "read_expiry", without)


def ignoring_same_site(monkeypatch):
    monkeypatch.setattr(jar.Context, "same_site", lambda self, target: True)


def disagreeing():
    """Return the names of the cases on which the jar fails."""
    names = []
    for case in CASES:
        with time_machine.travel(labkit_clock.START, tick=False) as traveller:
            try:
                runs_in_the_jar(case, labkit_clock.Clock(traveller))
            except AssertionError:
                names.append(case.name)
    return names


def test_a_sound_jar_agrees_with_every_case():
    assert disagreeing() == []


@pytest.mark.parametrize(
    ("fault", "noticed_by"),
    [
        (ignoring_path, "Path ends at a slash"),
        (ignoring_max_age, "Max-Age holds until its last second"),
        (ignoring_same_site, "Strict and a link"),
    ],
)
def test_a_fault_in_the_jar_turns_cases_red(monkeypatch, fault, noticed_by):
    fault(monkeypatch)
    assert noticed_by in disagreeing()


# (lab, file, code, faulty code, failing test, message)
FAULTS = {
    "an illegal name": (
        "03_cookie_cart",
        "lab/storage.py",
        "cookie = cookie_name(PREFIX, name)",
        "cookie = PREFIX + name",
        "test_where_is_the_cart",
        "Illegal key",
    ),
    "a cookie of 5 kB": (
        "03_cookie_cart",
        "lab/storage.py",
        "    cookie = cookie_name(PREFIX, name)",
        "    response.set_cookie('padding_03', 'x' * 5000)\n    cookie = cookie_name(PREFIX, name)",
        "test_an_added_item_is_shown",
        "5010 bytes: 'padding_03=x",
    ),
    "a wrong expiry": (
        "03_cookie_cart",
        "lab/storage.py",
        "quantity, LIFETIME,",
        "quantity, LIFETIME + 1,",
        "test_the_cart_expires_on_time",
        "1 s left",
    ),
    "a wrong expiry in the session": (
        "04_session_cart",
        "lab/storage.py",
        "set_expiry(LIFETIME)",
        "set_expiry(LIFETIME + 1)",
        "test_the_cart_expires_on_time",
        "1 s left",
    ),
    "a change inside of an entry, not saved": (
        "04_session_cart",
        "lab/storage.py",
        'request.session["cart"] = {n: q for n, q in load(request).items() if n != name}',
        'del request.session["cart"][name]',
        "test_removing_one_item_keeps_the_others",
        "'cart': {'apple': 1, 'pear': 1, 'plum': 1}",
    ),
    "text that cannot be sent": (
        "04_session_cart",
        "lab/storage.py",
        "    request.session.set_expiry(LIFETIME)",
        "    request.session.set_expiry(LIFETIME)\n    response.set_cookie('last_04', name)",
        "test_how_many_of_the_longest_names_fit",
        f"{response_checks.HEADER}: Set-Cookie: 'last_04=",
    ),
    "a renewal that the manifest does not declare": (
        "04_session_cart",
        "tests/test_cart.py",
        "    capacity = 200\n",
        "    capacity = 200\n    renews = 'item'\n",
        "test_random_actions_agree_with_a_model",
        "state.add_two_a_minute_apart(",
    ),
    "emptying that empties nothing": (
        "04_session_cart",
        "lab/storage.py",
        'request.session.pop("cart", None)',
        "pass",
        "test_emptying_removes_every_item",
        "'cart': {'apple': 1, 'pear': 1}",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_a_lab_turns_a_test_red_that_says_what_happened(checkout, tmp_path, fault):
    name, path, sound, faulty, test, said = fault
    lab = tmp_path / name
    shutil.copytree(checkout.root / "labs" / name, lab, ignore=IGNORED)
    content = (lab / path).read_text(encoding="utf-8")
    assert sound in content
    (lab / path).write_text(content.replace(sound, faulty), encoding="utf-8")
    status, output = run_pytest(checkout, lab, "-k", test)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert said in output


def test_a_failing_test_prints_the_exchange_that_failed(checkout, tmp_path):
    lab = tmp_path / "04_session_cart"
    shutil.copytree(checkout.root / "labs" / "04_session_cart", lab, ignore=IGNORED)
    base = lab / "lab" / "templates" / "base.html"
    page = base.read_text(encoding="utf-8")
    main = '<main id="main">'
    assert main in page
    base.write_text(page.replace(main, f"{main}<p>the page of this test</p>"), encoding="utf-8")
    (lab / "tests" / "test_wrong.py").write_text(
        "from labkit.testing.contracts import table\n"
        "def test_the_cart_lives_for_three_minutes(visitor, clock):\n"
        "    visitor.submit('/add/', {'name': 'red apple', 'quantity': 3})\n"
        "    clock.forward(minutes=2)\n"
        "    assert table(visitor.get('/display/')) == {'red apple': 3}\n"
    )
    _, output = run_pytest(checkout, lab, "-k", "three_minutes")
    for line in (
        LAST_EXCHANGES.format("visitor"),
        "POST http://127.0.0.1/add/",
        "302 Found, text/html",
        "Location: /display/",
        "Max-Age=120; Path=/; SameSite=Lax",
        f"({jar.EXPIRED})",
        "| the page of this test",
        MOVED.format(seconds=120),
        STORE_HEADING,
        "0 s left  {'cart': {'red apple': 3}, '_session_expiry': 120}",
    ):
        assert line in output
