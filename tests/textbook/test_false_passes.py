"""A copy that omits one part of what a conversion requires fails a test that counts for it."""

import shutil

import pytest
from textbook_runs import ROOT

from labkit.catalog import MANIFEST, Catalog
from labkit.practice.exercise import find_exercise
from labkit.testing.pytest_runner import run_tests

pytestmark = pytest.mark.usefixtures("forked_runs")

VIEWS, STORAGE, SETTINGS = "lab/views.py", "lab/storage.py", "lab/settings.py"
SESSION_NAME = 'SESSION_COOKIE_NAME = f"sessionid_{LAB}"'
FORGET = "request.session.pop(COUNT, None)"
EXPIRY = "request.session.set_expiry(LIFETIME)"
FIRST_EXPIRY = """from datetime import timedelta
    from django.utils import timezone
    if len(load(request)) == 1:
        request.session.set_expiry(timezone.now() + timedelta(seconds=LIFETIME))"""
FILE = {
    "count-on-the-server": "tests/test_pagecount.py",
    "cookies-to-session": "tests/test_cart.py",
}
CONTRACT = {"count-on-the-server": "TestPageCount", "cookies-to-session": "TestCart"}
# {exercise: (test that counts, file in the lab, the lab's code, the faulty copy's code)}
WRONG = {
    "count-on-the-server": [
        ("TestPageCount::test_only_get_counts", VIEWS, 'request.method == "GET"', "True"),
        ("TestPageCount::test_the_count_expires_on_time", VIEWS, "(300)", "(299)"),
        ("TestPageCount::test_it_outlives_the_browser_if_it_has_a_lifetime", VIEWS, "(300)", "(0)"),
        ("TestPageCount::test_forgetting_starts_again", VIEWS, FORGET, "pass"),
        (
            "TestOddEntries::test_forgetting_twice_is_no_error",
            VIEWS,
            FORGET,
            "del request.session[COUNT]",
        ),
        ("TestPageCount::test_an_unreadable_cookie_starts_again", VIEWS, "(COUNT, 0)", "(COUNT)"),
        (
            "TestOddEntries::test_an_entry_that_is_no_count_counts_as_none",
            VIEWS,
            "PLAIN.fullmatch(stored)",
            "stored",
        ),
        (
            "TestOddEntries::test_an_entry_that_is_no_count_counts_as_none",
            VIEWS,
            "else None",
            "else 0",
        ),
        (
            "TestPageCount::test_with_cookies_blocked_each_visit_is_the_first",
            VIEWS,
            "(COUNT, 0)",
            "(COUNT, 0 if request.COOKIES else 1)",
        ),
        (
            "TestOddEntries::test_the_browser_has_the_session_key_and_the_token",
            SETTINGS,
            SESSION_NAME,
            "",
        ),
        (
            "TestPageCount::test_its_cookie_has_the_protecting_attributes",
            SETTINGS,
            SESSION_NAME,
            f"{SESSION_NAME}\nSESSION_COOKIE_HTTPONLY = False",
        ),
    ],
    "cookies-to-session": [
        ("TestCart::test_a_full_cart_refuses_one_more_item", STORAGE, "= 200", "= 50"),
        ("TestCart::test_the_cart_expires_on_time", STORAGE, "= 120", "= 121"),
        ("test_does_adding_one_item_prolong_the_others", STORAGE, EXPIRY, FIRST_EXPIRY),
        (
            "TestCart::test_reading_does_not_extend_the_expiry",
            SETTINGS,
            SESSION_NAME,
            f"{SESSION_NAME}\nSESSION_SAVE_EVERY_REQUEST = True",
        ),
        (
            "test_what_is_there_before_the_first_add",
            STORAGE,
            "return valid_goods(request.session.get",
            "return valid_goods(request.session.setdefault",
        ),
        ("test_what_is_there_before_the_first_add", SETTINGS, SESSION_NAME, ""),
        (
            "TestCart::test_any_name_is_added_shown_and_removed_exactly",
            STORAGE,
            "{name: quantity}\n    request",
            "{name.lower(): quantity}\n    request",
        ),
        (
            "TestOddEntries::test_of_a_changed_cart_only_valid_items_are_shown",
            STORAGE,
            'return valid_goods(request.session.get("cart"))',
            'return request.session.get("cart", {})',
        ),
    ],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]


@pytest.mark.parametrize("name", WRONG)
def test_the_tests_that_fail_count(checkout, name):
    exercise = find_exercise(checkout, name)
    named = {f"{FILE[name]}::{test}" for test, *_ in WRONG[name]}
    assert {test for test in named if f"::{CONTRACT[name]}::" not in test} == (
        set(exercise.tests) & named
    )
    contract = exercise.target.folder / FILE[name]
    assert f"class {CONTRACT[name]}({exercise.target.contract})" in contract.read_text("utf-8")


@pytest.mark.textbook
@pytest.mark.parametrize(("name", "test", "file", "right", "wrong"), CASES)
def test_a_copy_without_one_thing_fails(tmp_path, name, test, file, right, wrong):
    checkout = Catalog(ROOT)
    lab = find_exercise(checkout, name).target
    folder = tmp_path / "labs" / lab.folder.name
    shutil.copytree(lab.folder, folder)
    shutil.copyfile(ROOT / MANIFEST, tmp_path / MANIFEST)
    code = (folder / file).read_text(encoding="utf-8")
    assert right in code
    (folder / file).write_text(code.replace(right, wrong), encoding="utf-8")
    found = run_tests(folder, f"{folder / FILE[name]}::{test}", "-q", checkout=ROOT, seconds=60)
    assert "failed" in {each.outcome for each in found.tests}, found.output
