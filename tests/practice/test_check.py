"""Test `lab check`: a copy's score, the next thing to do, and the reason."""

import ast
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from labkit.catalog import Catalog
from labkit.commands.check import (
    CHECKED_AS,
    GO_ON,
    LOOK_AT_SOLUTION,
    NOT_IN_COPY,
    OUTDATED,
    SOLVED,
    UNKNOWN_ORIGINAL,
    Checking,
)
from labkit.practice import (
    assertions,
    check_stage,
    diagnosis,
    failure_hints,
    score,
    settings_names,
    watch,
)
from labkit.practice.check import CheckResult, Report, check, find_syntax_error
from labkit.practice.check_summary import (
    ALL_HOLDS,
    CRASHED,
    DIFFERENT,
    INFORMATION,
    LOOKS_LIKE,
    MOST_LINES,
    NEXT_STEP,
    NOT_STARTING,
    ONE_CAUSE,
    SCORE,
    SHOW_ALL,
    all_results,
    summary,
)
from labkit.practice.diagnosis import Failure, failure_of, find_similar
from labkit.practice.exchanges import MOVED, exchanges_of
from labkit.practice.exercise import find_exercise, read_exercises
from labkit.practice.failure_hints import Explanation
from labkit.practice.progress import read_progress
from labkit.testing import contracts
from labkit.testing.pytest_runner import Outcome
from labkit.text_format import command_line
from labkit.textbook_versions import find_version

pytestmark = pytest.mark.usefixtures("forked_runs")

NAMES = {"name": "mine", "number": "04", "title": "A cart kept in a session"}
ONE_ROW = """
from labkit.testing.contracts import CartContract


class TestCart(CartContract):
    kept_in = "session"
    lifetime = 120
    capacity = 5
"""
ONE_PAGE = """
from tests.contract import Pages


class TestPages(Pages):
    pass
"""
CRASHING = """
def crash(request):
    return nothing

urlpatterns = [
    path("crash/", crash),"""
PAGES = """
class Pages:
    def test_the_page_opens(self, visitor):
        visitor.get("/")

    def test_it_opens_again(self, visitor):
        visitor.get("/")
"""


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def replace_tests(lab, **sources):
    """Make these the only test files of a lab in this checkout."""
    shutil.rmtree(lab / "tests")
    (lab / "tests").mkdir()
    for name, source in sources.items():
        (lab / "tests" / f"{name}.py").write_text(source, encoding="utf-8")


@pytest.fixture
def mine(own_checkout, said):
    """Return the folder mine/ with a copy of lab 03; it is in a separate checkout."""
    assert said("copy", "03", "mine/")[0] == 0
    return own_checkout / "mine"


@pytest.fixture
def quick(own_checkout, said):
    """Return the folder of a copy of lab 01, whose contract consists of two quick tests."""
    assert said("copy", "01", "mine/")[0] == 0
    lab = own_checkout / "labs" / "01_test_cookie"
    replace_tests(lab, contract=PAGES, test_pages=ONE_PAGE)
    return own_checkout / "mine"


# What counts


def test_an_untouched_copy_does_what_its_lab_does(own_checkout, said):
    said("copy", "02", "mine")
    before = sorted((own_checkout / "mine").rglob("*"))
    status, text = said("check", "mine/")
    assert status == 0, text
    names = {"name": "mine", "number": "02", "title": "A page count kept in a cookie"}
    assert CHECKED_AS.format_map(names) in text
    assert text.endswith(ALL_HOLDS.format_map(names))  # the output has no further information
    assert sorted((own_checkout / "mine").rglob("*")) == before
    assert not (own_checkout / ".lab" / "mine").exists()


def test_only_the_contract_decides(quick, own_checkout, said):
    tests = own_checkout / "labs" / "01_test_cookie" / "tests"
    question = "def test_a_question_of_this_lab():\n    assert 1 == 2\n"
    (tests / "test_questions.py").write_text(question, encoding="utf-8")
    status, text = said("check", "mine")
    assert status == 0
    assert SCORE.format(passed=2, counted=2) in text
    assert INFORMATION.format(tests="1 test", number="01", name="mine") in text
    assert "a question of this lab" not in text
    text = said("check", "mine", "--all")[1]
    different = DIFFERENT.format(number="01")
    assert f"{different}: - a question of this lab It is 1, but should be 2." in text


def test_an_error_of_the_server_always_counts(quick, own_checkout, said):
    tests = own_checkout / "labs" / "01_test_cookie" / "tests"
    question = "def test_another_page(visitor):\n    visitor.get('/crash/')\n"
    (tests / "test_questions.py").write_text(question, encoding="utf-8")
    edit(quick / "lab" / "urls.py", "urlpatterns = [", CRASHING)
    status, text = said("check", "mine")
    assert status == 1
    assert SCORE.format(passed=2, counted=2) in text
    assert CRASHED.format(count="1 other test") in text
    assert f"{NEXT_STEP} mine/lab/urls.py, line " in text


def test_tests_of_an_exercise_count_too(quick, own_checkout):
    checkout = Catalog(own_checkout)
    tests = own_checkout / "labs" / "01_test_cookie" / "tests"
    (tests / "test_asked.py").write_text("def test_it():\n    assert 1 == 2\n")
    (tests / "test_broken.py").write_text("import nothing\n")
    only = ["tests/test_asked.py::test_it", "tests/test_broken.py::test_it"]
    report = check(checkout, checkout.find("mine"), checkout.find("01"), only=only)
    assert report.score == (2, 4)
    assert not report.holds


@pytest.mark.parametrize("lab", [f"{number:02}" for number in range(1, 13)])
def test_each_contract_can_be_asked_by_itself(checkout, lab):
    target = checkout.find(lab)
    source = check_stage.contract_source(target)
    name = check_stage.find_contract(target)
    assert name
    assert any(isinstance(node, ast.ClassDef) for node in ast.parse(source).body)
    assert name in source


@pytest.mark.thorough
def test_the_exercise_checks_itself_from_step_to_step(mine, said, checkout):
    """Turn the cookie cart into a session cart; the check names each step until all tests pass."""
    settings = mine / "lab" / "settings.py"
    lab = mine.parent / "labs" / "04_session_cart"
    storage = lab / "lab" / "storage.py"
    end = '\nTIME_ZONE = "UTC"\n'
    replace_tests(lab, test_cart=ONE_ROW)
    edit(storage, "= 200", "= 5")  # filling the cart takes long

    def next_is(hint):
        status, text = said("check", "mine/", "--as", "04")
        assert status == 1
        assert f"{NEXT_STEP} {hint.meaning} {hint.advice}" in text

    next_is(failure_hints.NO_SESSIONS_APP)
    panel = '    "labkit.panel",\n'
    edit(settings, panel, f'{panel}    "django.contrib.sessions",\n')
    next_is(failure_hints.NO_DATABASE)
    edit(settings, end, f"{end}DATABASES = conf.databases(FOLDER)\n")
    shutil.copy(storage, mine / "lab")
    next_is(failure_hints.NO_SESSION_MIDDLEWARE)
    common = '    "django.middleware.common'
    middleware = '    "django.contrib.sessions.middleware.SessionMiddleware",\n'
    edit(settings, common, f"{middleware}{common}")
    status, text = said("check", "mine/", "--as", "04")
    assert status == 0, text


# The next thing to do


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("def index(request):", "def index(request:", "mine/lab/views.py, line 7: SyntaxError"),
        ("return render(", "return rendr(", "mine/lab/views.py, line 13: NameError"),
    ],
)
def test_a_mistake_is_named_with_its_place(quick, said, old, new, place):
    edit(quick / "lab" / "views.py", old, new)
    status, text = said("check", "mine")
    assert status == 1
    assert f"{NEXT_STEP} {place}" in text
    assert "labkit-" not in text  # the temporary folder of the test run would not help a student


def test_one_mistake_is_one_cause(quick, said):
    edit(quick / "lab" / "views.py", "return render(", "return rendr(")
    text = said("check", "mine")[1]
    assert ONE_CAUSE.format(count="2 tests") in text
    assert text.count("NameError") == 1
    assert "GET / → no response" in text  # the request that shows the failure


def test_settings_that_cannot_be_read_are_named(mine, said):
    edit(mine / "lab" / "settings.py", "INSTALLED_APPS = [", "INSTALLED_APPS = (")
    status, text = said("check", "mine")
    assert status == 1
    assert f"{NEXT_STEP} mine/lab/settings.py, line " in text
    assert "SyntaxError" in text


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("common.CommonM", "common.ComonM", "django.middleware.common.CommonMiddleware"),
        ('"labkit.panel",', '"labkit.panl",', "labkit.panel"),
    ],
)
def test_a_misspelt_name_stops_the_check_first(quick, said, old, new, hint):
    edit(quick / "lab" / "settings.py", old, new)
    text = said("check", "mine")[1]
    assert NOT_STARTING in text
    assert re.search(
        r"Next: mine/lab/settings\.py, line \d+, in (MIDDLEWARE|INSTALLED_APPS): ", text
    )
    assert settings_names.DID_YOU_MEAN.format(name=hint) in text


def test_a_function_without_code_is_named(tmp_path):
    (tmp_path / "lab").mkdir()
    path = tmp_path / "lab" / "storage.py"
    path.write_text(
        "def read():\n    pass\n\n\ndef sent(request):\n    raise NotImplementedError\n"
    )
    found = failure_hints.explain("NotImplementedError", [(str(path), 6)], tmp_path, "mine")
    assert found.reason == failure_hints.UNWRITTEN.format(name="sent", path="lab/storage.py")


def test_a_folder_that_names_no_lab_is_refused(mine, said):
    (mine / "README.md").write_text("# My shop\n")
    status, text = said("check", "mine")
    assert status == 1
    assert UNKNOWN_ORIGINAL.format(name="mine") in text


def test_inside_a_copy_no_name_is_needed(quick, said, monkeypatch, own_checkout):
    monkeypatch.chdir(quick / "lab")
    assert said("check")[0] == 0
    monkeypatch.chdir(own_checkout)
    assert NOT_IN_COPY in said("check")[1]


def failing(number, **fields):
    why = Explanation(f"Reason {number} " + "words " * 200, "advice " * 200, "code " * 200)
    exchange = [f"GET /{n} → 200 OK {'x' * 50}" for n in range(20)]
    fields = {"explanation": why, "exchanges": [exchange] * 3} | fields
    return CheckResult(f"test_{number}", "a sentence " * 9, "failed", **fields)


@pytest.mark.parametrize("causes", [1, 2, 90])
def test_a_summary_has_few_lines(checkout, causes):
    results = [failing(number) for number in range(causes)]
    version = find_version(checkout, "04:nested-change")
    report = Report("CartContract", [*results, failing(99, counts=False)], asked=90, expected=99)
    report.diagnosis = diagnosis.Diagnosis("text " * 300, version)
    for stop in (None, failing("stop")):
        report.stop = stop
        lines = summary(report, NAMES, "a folder/" * 30)
        assert len(lines) < MOST_LINES  # one more line says which copy was checked
        assert "\n" not in "".join(lines)
        assert LOOKS_LIKE.format(name=version.full_name, title=version.title) in " ".join(lines)


def test_lines_fit_in_the_terminal(monkeypatch):
    report = Report("CartContract", [failing(1)], asked=90, expected=99)
    report.diagnosis = diagnosis.Diagnosis("text " * 300)
    for columns in (80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = [*summary(report, NAMES, "mine/"), *all_results(report, NAMES)]
        assert max(map(len, lines)) <= min(columns, 100)


def test_all_results_are_pointed_to_once(quick, own_checkout, capsys):
    edit(quick / "lab" / "views.py", "return render(", "return rendr(")
    checkout = Catalog(own_checkout)
    copy, target = checkout.find("mine"), checkout.find("01")
    checking = Checking(checkout, copy, target, None, "mine", 20, show_all=False)
    report = Report("Pages", [failing(1)])
    for _ in range(2):
        checking.show(report)
    assert capsys.readouterr().out.count(SHOW_ALL.format(line="lab check mine --all")) == 1


ADD = "POST http://x/add/\n  Cookie: (none sent)\n  302 Found, text/html\n  Location: /display/"
DISPLAY = "GET http://x/display/\n  Cookie: cart=1\n  200 OK, text/html\n  | Your cart"


def test_a_change_and_a_moved_clock_are_shown():
    blocks = [ADD, DISPLAY, MOVED.format(seconds=100), DISPLAY, MOVED.format(seconds=21), DISPLAY]
    section = ("last exchanges of visitor", "\n\n".join([*blocks, "in the jar now:\n  nothing"]))
    shown = exchanges_of(Outcome("test_it", "failed", sections=[section]))
    assert shown == [
        ["POST /add/ → 302 Found to /display/"],
        ["The clock moved by 121 s."],
        ["GET /display/ → 200 OK", "  Cookie: cart=1", "  The page says: Your cart"],
    ]


def test_the_starter_of_an_exercise_is_not_named(checkout):
    version = find_version(checkout, "04:nested-change")
    report = Report("CartContract", [failing(1)])
    report.diagnosis = diagnosis.Diagnosis(version.why, version)
    shown = [" ".join(summary(report, NAMES, "", name)) for name in ("", version.full_name)]
    assert [version.full_name in text for text in shown] == [True, False]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("assert 422 == 302\n +  where 422 = x", "422 Unprocessable Entity"),
        ("AssertionError: assert {'a': 1} == {}", "It is {'a': 1}, but should be {}."),
        ("assert {'a': 1, ... 'c': 3} == {}", "It is {'a': 1, ... 'c': 3}, but should be {}."),
        ("AssertionError: assert False == True\n + where", assertions.NOT_SO),
        ("assert <Cookie x> is None", assertions.NOT_SO),
        ("assert 422 in {302, 303}", "should be 302 Found or 303 See Other."),
    ],
)
def test_no_assertion_is_shown_as_it_is(message, words, tmp_path):
    found = failure_hints.explain(message, [], tmp_path, "mine").reason
    assert words in found
    assert "assert" not in found.lower()


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("cookie.http_only", "assert False", "cookie.http_only is False, but should be true."),
        ("not has_table(page)", "assert not True", "has_table(page) is True, but should be false."),
        (
            "cookie.same_site in {'Lax'}",
            "assert None in {'Lax'}",
            "cookie.same_site is None, but should be one of 'Lax'.",
        ),
        (
            "(cookie.http_only, cookie.same_site) == (True, 'Lax')",
            "assert (True, None) == (True, 'Lax')",
            "cookie.same_site is None, but should be 'Lax'.",
        ),
        (
            "cookie.expires == now + 60",
            "assert 1894006920.0 == 1895216400.0",
            "cookie.expires is 2030-01-07 09:02:00, but should be 2030-01-21 09:00:00.",
        ),
        (
            "cart(visitor) == {'apple': 1}",
            "assert {'apple': 1, ... 1, 'plum': 1} == {'apple': 1}\n  Omitting 1 identical items"
            "\n  Left contains 2 more items:\n  {'pear': 1, 'plum': 1}\n  Use -v to get more diff",
            "It should not have {'pear': 1, 'plum': 1}.",
        ),
        ("len(names(page)) > 2", "assert 1 > 2", "Expected: len(names(page)) > 2"),
    ],
)
def test_what_was_compared_is_named(code, error, words, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(f"def test_it():\n    assert {code}\n")
    found = failure_hints.explain(error, [("tests/test_it.py", 2)], tmp_path, "mine").reason
    assert found == words


@pytest.mark.parametrize("hint", failure_hints.EXCEPTIONS)
def test_each_hint_can_be_read(hint):
    assert hint.meaning.rstrip().endswith(".")
    assert hint.meaning.format("a", "b", "c") + hint.advice.format("a", "b", "c")


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("ValueError: The view lab.views.add didn't return an HttpResponse object. It returned"
         " None instead.", "lab.views.add ends without a return"),
        ("django.template.exceptions.TemplateDoesNotExist: sow.html", "no template sow.html"),
        ("django.urls.exceptions.NoReverseMatch: Reverse for 'shop' not found.", "called shop"),
        ("http.cookies.CookieError: Illegal key 'red apple'", "cannot be a cookie's name"),
        ("django.utils.datastructures.MultiValueDictKeyError: 'name'", "the field name"),
        ("RuntimeError: dictionary changed size during iteration", "loop over a dictionary"),
        ("TypeError: Object of type set is not JSON serializable", "JSON has no set"),
        ("AttributeError: 'F' object has no attribute 'cleaned_data'", "Call is_valid() first"),
        ("KeyError: 'cart'", "the entry cart"),
        ("TypeError: put() missing 1 required positional argument: 'name'", "put() does not"),
        ("AttributeError: module 'lab.storage' has no attribute 'lod'", "nothing called lod"),
        ("ImportError: cannot import name 'lod' from 'lab.storage'", "called lod to import"),
        ("UnboundLocalError: cannot access local variable 'total' where", "called total"),
    ],
)  # fmt: skip
def test_an_exception_is_explained(error, hint, tmp_path):
    found = failure_hints.explain(error, [(str(tmp_path / "lab" / "views.py"), 3)], tmp_path, "x")
    assert hint.casefold() in found.advice.casefold()
    assert found.reason.startswith("x/lab/views.py, line 3: ")


# The diagnosis

CHANGED_IN_PLACE = """
from labkit.testing.contracts import CartPages


class Pages(CartPages):
    def test_removing(self, visitor):
        self.add(visitor, "apple")
        assert self.remove(visitor, "apple").status_code == 200
        assert self.cart(visitor) == {}


for name in [name for name in vars(CartPages) if name.startswith("test_")]:
    setattr(Pages, name, None)
"""

OTHER_RESPONSE = (
    'request.POST.get("name", ""))\n    return response',
    'request.POST.get("name", ""))\n    return redirect("display")',
)


@pytest.mark.parametrize(
    ("lab", "file", "old", "new", "version"),
    [
        (
            "04",
            "storage.py",
            'request.session["cart"] = {n: q for n, q in load(request).items() if n != name}',
            'request.session["cart"].pop(name)',
            "04:nested-change",
        ),
        ("04", "views.py", *OTHER_RESPONSE, None),  # the session is saved anyway
        ("03", "views.py", *OTHER_RESPONSE, "03:new-response"),
    ],
)
def test_work_without_effect_is_named(own_checkout, said, lab, file, old, new, version):
    said("copy", lab, "mine")
    edit(own_checkout / "mine" / "lab" / file, old, new)
    edit(own_checkout / "labs" / "labs.toml", 'contract = "CartContract"\n', "")
    folder = Catalog(own_checkout).find(lab).folder
    replace_tests(folder, contract=CHANGED_IN_PLACE, test_pages=ONE_PAGE)
    checkout = Catalog(own_checkout)
    report = check(checkout, checkout.find("mine"), checkout.find(lab))
    found = report.diagnosis
    assert (found and found.version.full_name) == version
    if found:
        assert "POST /remove/: cart" in found.text  # the changed entry, or the cookie that was set


def record(own_checkout, **failures):
    path = own_checkout / diagnosis.FAILURES
    found = {name.replace("__", ":").replace("_", "-"): each for name, each in failures.items()}
    path.write_text(json.dumps(found), encoding="utf-8")


def test_only_similar_failures_are_named(own_checkout):
    checkout = Catalog(own_checkout)
    known = [Failure(f"test_{n}", "AssertionError", f"assert {n} == 0") for n in range(10)]
    other = Failure("test_x", "AssertionError", "assert 5 == 6")

    def named(*failures):
        found = find_similar(checkout, checkout.find("04"), frozenset(failures))
        return found and found.full_name

    record(own_checkout, **{"04__nested_change": known, "04__if_session": [other]})
    assert named(*known[:7]) == "04:nested-change"
    assert named(*known[:6]) is None
    assert named(*known, other) == "04:nested-change"
    assert named() is None
    record(own_checkout, **{"04__nested_change": known, "04__if_session": known})
    assert named(*known) is None  # two versions have the same failures


def test_what_differs_between_runs_is_masked():
    messages = [
        f"AssertionError: assert '{'a1' * 16}' == 3\n + where 0x7f{n} /tmp/labkit-{n}/x"
        for n in (1, 2)
    ]
    one, other = (failure_of(Outcome("tests/test_a.py::test_b", "failed", m)) for m in messages)
    assert one == other
    assert (one.test, one.exception) == ("test_b", "AssertionError")


def test_each_recorded_test_is_still_there(checkout):
    """If this fails because a lab's test was renamed, run `nox -s textbook -- --write`."""
    folders = [checkout.root / "labs", Path(contracts.__file__).parent]
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    source = "".join(path.read_text("utf-8") for path in paths)
    defined = set(re.findall(r"def (test_\w+)", source))
    recorded = diagnosis.read_failures(checkout).values()
    names = {re.search(r"test_\w+", failure.test)[0] for found in recorded for failure in found}
    assert names <= defined


def test_the_recorded_failures_are_those_of_versions(checkout):
    recorded = diagnosis.read_failures(checkout)
    versions = {v.full_name for lab in checkout.labs for v in diagnosis.family(checkout, lab)}
    starting = {name for name in versions if find_version(checkout, name).starts}
    assert recorded.keys() == starting
    assert all(recorded.values())


# Watching


def test_a_save_leads_to_another_check(tmp_path):
    file = tmp_path / "views.py"
    file.write_text("one")
    (tmp_path / "__pycache__").mkdir()
    runs = []
    pressed = iter(["touch", "", "change", "", "q"])

    def press(seconds):
        key = next(pressed)
        if key == "touch":
            file.write_text("one")  # the same content as before
            (tmp_path / "__pycache__" / "views.pyc").write_text("x")
        elif key == "change":
            file.write_text("two")
        return key

    watch.watch(tmp_path, lambda changed, is_cancelled: runs.append(changed), press)
    assert runs == [[], ["views.py"]]


def test_a_save_or_a_key_ends_a_running_check(quick, own_checkout):
    """The view never returns, so only a save and then a key can end the two checks."""
    file = quick / "lab" / "views.py"
    edit(file, "def index(request):", "def index(request):\n    while True: pass")
    checkout = Catalog(own_checkout)
    runs = []

    def run(changed, is_cancelled):
        runs.append(changed)
        check(checkout, checkout.find("mine"), checkout.find("01"), is_cancelled=is_cancelled)

    def press(seconds):
        if len(runs) == 1:
            file.write_text(f"{file.read_text()}\n")
        return "q" if len(runs) == 2 else ""

    watch.watch(quick, run, press)
    assert runs == [[], ["lab/views.py"]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals of this kind")
def test_a_key_needs_no_enter(monkeypatch):
    import termios

    outside, inside = os.openpty()
    with open(inside, encoding="utf-8") as terminal, open(outside, "wb", buffering=0) as keyboard:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(terminal)
        with watch.keys() as wait_for_key:
            assert wait_for_key(0.1) == ""
            keyboard.write(b"q")
            assert wait_for_key(0.1) == "q"
        assert termios.tcgetattr(terminal) == before


def test_without_a_terminal_it_checks_once(quick, said):
    status, text = said("check", "mine", "--watch")
    assert status == 0
    assert "✓ the page opens" in text
    assert text.count(SCORE.format(passed=2, counted=2)) == 1


def test_a_syntax_error_is_found_without_a_run(quick):
    (quick / "lab" / "views.py").write_text("def index(request)\n    pass\n")
    copy = Catalog(quick.parent).find("mine")
    found = find_syntax_error(copy.folder)
    assert found.explanation.reason.startswith("mine/lab/views.py, line 1: SyntaxError")
    assert found.explanation.code == "def index(request)"


def test_the_test_that_failed_is_first(quick, own_checkout):
    checkout = Catalog(own_checkout)
    first = []
    check(
        checkout,
        checkout.find("mine"),
        checkout.find("01"),
        first=["tests/test_the_contract.py::TestPages::test_it_opens_again"],
        on_first=first.append,
    )
    assert [(result.sentence, result.outcome) for result in first] == [("it opens again", "passed")]


# Exercises


def test_an_exercise_is_checked_by_its_name(own_checkout, said):
    status, text = said("check", "red-apple")
    assert status == 1
    assert "lab practice start red-apple" in text
    lab = own_checkout / "labs" / "03_cookie_cart"
    edit(lab / "lab" / "storage.py", "= 50", "= 5")  # filling the cart takes long
    said("practice", "start", "red-apple")
    replace_tests(lab, test_cart=ONE_ROW.replace('"session"', '"cookies"'))
    status, text = said("check", "red-apple")
    assert status == 1
    assert "CookieError" in text
    # The hints of an exercise show this step by step.
    assert LOOKS_LIKE.partition("{")[0] not in text
    checkout = Catalog(own_checkout)
    progress = read_progress(checkout)
    assert progress.of(find_exercise(checkout, "red-apple")).attempts == 1
    shutil.copy(lab / "lab" / "storage.py", own_checkout / "practice" / "red-apple" / "lab")
    status, text = said("check", "practice/red-apple/")
    assert status == 0
    assert f"{SOLVED} {LOOK_AT_SOLUTION.format(line='lab solution red-apple')}" in text
    assert GO_ON.format(line="lab practice start empty-basket") in text
    assert read_progress(checkout).of(find_exercise(checkout, "red-apple")).state == "solved"


def test_a_changed_exercise_blames_nobody(own_checkout, said):
    said("practice", "start", "red-apple")
    path = own_checkout / ".lab" / "progress.json"
    path.write_text(path.read_text().replace('"fingerprint": "', '"fingerprint": "x'))
    replace_tests(own_checkout / "labs" / "03_cookie_cart", test_few=ONE_PAGE, contract=PAGES)
    line = command_line("lab", "practice", "reset", "red-apple")
    assert OUTDATED.format(name="red-apple", line=line) in said("check", "red-apple")[1]


def test_tests_of_a_student_are_scored(own_checkout, said, monkeypatch):
    checkout = Catalog(own_checkout)
    exercise = next(e for e in read_exercises(checkout) if e.kind == "test")
    said("practice", "start", exercise.name)
    folder = own_checkout / "practice" / exercise.name
    (folder / "tests" / "test_mine.py").write_text("def test_nothing():\n    assert 1 == 2\n")
    monkeypatch.chdir(folder / "tests")
    status, text = said("check")
    assert status == 1
    assert score.FAILS.format(test="test_nothing") in text
