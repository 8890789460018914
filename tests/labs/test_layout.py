"""Rules for the layout of the labs. Each rule yields its complaints.

The tests below the rules break each rule in a copy of the labs, and check that the rule complains.
"""

import ast
import difflib
import itertools
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from notes_check import note_complaints
from tables_check import table_complaints

from labkit.catalog import Catalog, Lab
from labkit.comparison_tables import Tables
from labkit.textbook_claims import NO_TEST, PAGE, UNKNOWN, Ledger
from labkit.textbook_versions import read_versions

IDENTICAL = ["manage.py", "lab/__init__.py", "lab/templates/base.html"]
REQUIRED = [*IDENTICAL, "README.md", "lab/settings.py", "lab/urls.py", "lab/views.py"]
HEADINGS = ["Run", "Look for", "Try", "Questions", "Practice", "Claims", "Twin"]
OPENING = "After this lab, you can explain:\n\n- "
OBSERVE = "*Observe:*"
SOURCE = re.compile(
    r"\]\(https://(docs\.djangoproject\.com/en/|www\.rfc-editor\.org/rfc/rfc\d+|datatracker\.ietf\.org/doc/"
    r"|(cheatsheetseries\.|)owasp\.org/|docs\.python\.org/|peps\.python\.org/|fetch\.spec\.whatwg\.org/)"
)
MOST_LINES = 60
CARRIERS_DIFFER = 40  # lines
LABKIT = re.compile(r"labkit(\.|\Z)")
PROTECTION = [
    "labkit.base.middleware.error_pages",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def files(lab: Lab) -> list[Path]:
    """Return the lab's files, relative to its folder, without caches."""
    found = (path.relative_to(lab.folder) for path in lab.folder.rglob("*") if path.is_file())
    return sorted(p for p in found if not {"__pycache__", ".pytest_cache"} & set(p.parts))


def text(lab: Lab, path: str | Path) -> str:
    return (lab.folder / path).read_text(encoding="utf-8")


def code(lab: Lab) -> Iterator[tuple[Path, ast.Module]]:
    """Return the parsed Python files of lab/."""
    for path in files(lab):
        if path.parts[0] == "lab" and path.suffix == ".py":
            yield path, ast.parse(text(lab, path))


# The rules


def manifest_and_folders_agree(checkout: Catalog) -> Iterator[str]:
    named = [lab.folder.name for lab in checkout.labs]
    there = sorted(path.parent.name for path in (checkout.root / "labs").glob("*/manage.py"))
    yield from (f"{name} is not in labs.toml" for name in there if name not in named)
    yield from (f"{name} is in labs.toml and not in labs/" for name in named if name not in there)
    if len(named) != len(set(named)):
        yield "labs.toml has a lab twice"
    meetings = [lab.meeting for lab in checkout.labs]
    if meetings != sorted(meetings) or set(meetings) != set(range(1, max(meetings) + 1)):
        yield f"the meetings in labs.toml are not in order: {meetings}"
    for lab in checkout.labs:
        settings = text(lab, "lab/settings.py") if lab.folder.name in there else ""
        if settings and lab.database != ("\nDATABASES =" in settings):
            yield f"{lab.number}: `database` in labs.toml and settings.py do not agree"
        if settings and lab.redis != ("\nCACHES =" in settings):
            yield f"{lab.number}: `redis` in labs.toml and settings.py do not agree"


def twins_name_each_other(checkout: Catalog) -> Iterator[str]:
    pairs = {tuple(sorted(twins.labs)) for twins in checkout.twins}
    for lab in checkout.labs:
        if lab.twin and checkout.find(lab.twin).twin != lab.number:
            yield f"{lab.number} names {lab.twin} as its twin, but not the other way round"
        if lab.twin and tuple(sorted((lab.number, lab.twin))) not in pairs:
            yield f"{lab.number} and {lab.twin} have no [[twins]] entry"


def every_lab_has_the_same_parts(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        for path in REQUIRED:
            if not (lab.folder / path).is_file():
                yield f"{lab.number}: {path} is missing"
        if not list((lab.folder / "tests").glob("test_*.py")):
            yield f"{lab.number}: there are no tests"


def boilerplate_is_identical(checkout: Catalog) -> Iterator[str]:
    first, *others = checkout.labs
    for lab, path in itertools.product(others, IDENTICAL):
        if text(lab, path) != text(first, path):
            yield f"{path} of {lab.number} is not the same as in {first.number}"


def no_file_is_long(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        for path in files(lab):
            lines = len(text(lab, path).splitlines())
            if path.parts[0] in {"lab", "manage.py"} and lines >= MOST_LINES:
                yield f"{lab.number}: {path} has {lines} lines; the most is {MOST_LINES - 1}"


def code_is_for_reading_aloud(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        for path, tree in code(lab):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and path.name != "forms.py":
                    yield f"{lab.number}: {path} has a class, {node.name}"
                if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
                    yield f"{lab.number}: {path}:{node.lineno} has a type hint"


def labs_import_no_more_of_labkit_than_base(checkout: Catalog) -> Iterator[str]:
    """Lab 12 may also import labkit.race, and settings.py may name labkit.panel."""
    for lab in checkout.labs:
        allowed = {"base", "race"} if lab.number == "12" else {"base"}
        for path, tree in code(lab):
            for node in ast.walk(tree):
                if package := imported_package(node) - allowed:
                    yield f"{lab.number}: {path}:{node.lineno} imports labkit.{package.pop()}"
                settings = path.name == "settings.py"
                if package := named_package(node) - ({"base", "panel"} if settings else {"base"}):
                    yield f"{lab.number}: {path}:{node.lineno} names labkit.{package.pop()}"


def imported_package(node: ast.AST) -> set[str]:
    """Return the packages of labkit that this node imports; "" for labkit itself."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module == "labkit":
        names = [f"labkit.{alias.name}" for alias in node.names]
    else:
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return {name.split(".")[1] if "." in name else "" for name in names if LABKIT.match(name)}


def named_package(node: ast.AST) -> set[str]:
    """Return the package of labkit that a string in this node names."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return {text.split(".")[1]} if LABKIT.match(text) and "." in text else set()


def settings_show_protection_and_no_number(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        settings = text(lab, "lab/settings.py")
        yield from (f"{lab.number}: no {name}" for name in PROTECTION if name not in settings)
        if lab.number in settings:
            yield f"{lab.number}: settings.py has its number in it; conf.number() knows it"
        if "CSRF_COOKIE_NAME" not in settings:
            yield f"{lab.number}: CSRF_COOKIE_NAME is Django's own, and every lab's"
        if ("SessionMiddleware" in settings) != ("SESSION_COOKIE_NAME" in settings):
            yield f"{lab.number}: SESSION_COOKIE_NAME and SessionMiddleware go together"


def pages_ask_no_other_machine(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        for path in files(lab):
            if path.suffix == ".html" and re.search(r"(src|href)=\"(https?:)?//", text(lab, path)):
                yield f"{lab.number}: {path} loads something from another machine"


def twins_differ_where_they_say(checkout: Catalog) -> Iterator[str]:
    for twins in checkout.twins:
        one, two = map(checkout.find, twins.labs)
        for path in sorted(set(files(one)) ^ set(files(two))):
            yield f"{path} is in {one.number} or {two.number} alone"
        shared = sorted(set(files(one)) & set(files(two)))
        differing = {p.as_posix() for p in shared if text(one, p) != text(two, p)} - {"README.md"}
        for path in sorted(differing - set(twins.differs_in)):
            yield f"{path} differs between {one.number} and {two.number}; labs.toml has no reason"
        for path in sorted(set(twins.differs_in) - differing):
            yield f"labs.toml says why {path} differs between {one.number} and {two.number}: same"
        changed = sum(
            changed_lines(text(one, p), text(two, p)) for p in shared if p.parts[0] == "lab"
        )
        if changed >= twins.lines:
            yield f"{one.number} and {two.number} differ in {changed} lines; under {twins.lines} is agreed"


def changed_lines(one: str, two: str) -> int:
    """Return the number of differing lines, as counted by `diff | grep -c '^[<>]'`."""
    diff = difflib.ndiff(one.splitlines(), two.splitlines())
    return sum(line[0] in "+-" for line in diff)


def twins_promise_and_ask_the_same(checkout: Catalog) -> Iterator[str]:
    for twins in checkout.twins:
        one, two = map(checkout.find, twins.labs)
        for path in twins.differs_in:
            if path.endswith(".py") and signatures(one, path) != signatures(two, path):
                yield f"{path}: functions or docstrings differ between {one.number} and {two.number}"


def signatures(lab: Lab, path: str) -> list[tuple[str, str, str | None]]:
    functions = (n for n in ast.walk(ast.parse(text(lab, path))) if isinstance(n, ast.FunctionDef))
    # The name of a test states its claim, so its arguments do not matter.
    return [
        (f.name, "" if path.startswith("tests/") else ast.unparse(f.args), ast.get_docstring(f))
        for f in functions
    ]


def carriers_differ_little(checkout: Catalog) -> Iterator[str]:
    """Complain if the wizard's storage modules, which are twins, differ too much."""
    for lab in checkout.labs:
        found = [path for path in files(lab) if path.parts[:2] == ("lab", "carriers")]
        modules = sorted(path for path in found if path.name != "__init__.py")
        for one, two in itertools.combinations(modules, 2):
            if signatures(lab, str(one)) != signatures(lab, str(two)):
                yield f"{lab.number}: functions or docstrings differ between {one} and {two}"
            if (changed := changed_lines(text(lab, one), text(lab, two))) >= CARRIERS_DIFFER:
                yield f"{one} and {two} differ in {changed} lines; under {CARRIERS_DIFFER} is agreed"


def handouts_have_the_same_headings(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        headings = re.findall(r"^## (.+)$", text(lab, "README.md"), re.MULTILINE)
        wanted = HEADINGS if lab.twin else HEADINGS[:-1]
        if headings != wanted:
            yield f"{lab.number}: README.md has the headings {headings}, not {wanted}"
        if lab.title not in text(lab, "README.md").splitlines()[0]:
            yield f"{lab.number}: README.md does not open with the lab's title"


def handouts_say_what_one_learns_and_observes(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        handout = text(lab, "README.md")
        if not handout.partition("\n\n")[2].startswith(OPENING):
            yield f"{lab.number}: README.md does not open with what the reader can explain afterwards"
        for item in re.split(r"^\d+\. ", section(handout, "Try"), flags=re.MULTILINE)[1:]:
            if OBSERVE not in item:
                yield f"{lab.number}: nothing to observe in the Try item {item[:40]!r}"
        for command in (f"lab run {lab.number}", "activate", "lab serve"):
            if command not in section(handout, "Run"):
                yield f"{lab.number}: the section Run does not have {command}"
        versions = [f"lab run {lab.number}:"] if read_versions(checkout, lab) else []
        for command in (f"lab list {lab.number}", *versions, "lab practice"):
            if command not in section(handout, "Practice"):
                yield f"{lab.number}: the section Practice does not have {command}"


def section(handout: str, heading: str) -> str:
    """Return the text below a heading, up to the next heading."""
    return handout.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def handouts_name_the_exercises_of_their_lab(checkout: Catalog) -> Iterator[str]:
    exercises = tomllib.loads((checkout.root / "labs" / "exercises.toml").read_text("utf-8"))
    for lab in checkout.labs:
        wanted = [(n, e["title"]) for n, e in exercises.items() if e["lab"] == lab.number]
        practice = section(text(lab, "README.md"), "Practice")
        if (named := re.findall(r"`lab practice start (\S+)`: (.+)", practice)) != wanted:
            yield f"{lab.number}: README.md has the exercises {named}, not {wanted}"


def every_answer_links_its_source(checkout: Catalog) -> Iterator[str]:
    """A source is an RFC, a page of Django's or Python's documentation, OWASP or a web standard."""
    for lab in checkout.labs:
        questions = section(text(lab, "README.md"), "Questions").split("<details>")[1:]
        if not questions:
            yield f"{lab.number}: README.md has no questions"
        for question in questions:
            if not SOURCE.search(question):
                yield f"{lab.number}: no source for the answer to {question[:60]!r}"


def every_claim_has_a_test(checkout: Catalog) -> Iterator[str]:
    yield from Ledger(checkout).find_faults()


def handouts_tell_what_the_ledger_tells(checkout: Catalog) -> Iterator[str]:
    ledger = Ledger(checkout)
    for lab in checkout.labs:
        if ledger.handout(lab) != text(lab, "README.md"):
            yield f"{lab.number}: README.md is behind labs/claims.toml; type: lab claims --write"
    page = checkout.root / PAGE
    if not page.exists() or page.read_text(encoding="utf-8") != ledger.page():
        yield f"{PAGE} is behind labs/claims.toml; type: lab claims --write"


def every_change_has_a_note(checkout: Catalog) -> Iterator[str]:
    """Every change in a pair with notes has a note, and every note belongs to a change."""
    yield from note_complaints(checkout)


def every_cell_is_asked_for(checkout: Catalog) -> Iterator[str]:
    """Every question has its cells, and cells support every conclusion."""
    yield from table_complaints(Tables(checkout))


def contracts_are_kept(checkout: Catalog) -> Iterator[str]:
    for lab in checkout.labs:
        tests = "".join(text(lab, p) for p in files(lab) if p.parts[0] == "tests")
        if lab.contract and not re.search(rf"^class Test\w*\({lab.contract}\):", tests, re.M):
            yield f"{lab.number}: no test subclasses {lab.contract}"
        if not re.search(r"^class Test\w*InChromium[(:]", tests, re.M):
            yield f"{lab.number}: no test runs in Chromium"


def the_readme_lists_every_lab(checkout: Catalog) -> Iterator[str]:
    readme = (checkout.root / "README.md").read_text(encoding="utf-8")
    for lab in checkout.labs:
        row = f"| [{lab.number}](labs/{lab.folder.name}) | {lab.title} | {lab.idea} | {lab.twin or ''} |"
        if row not in readme:
            yield f"README.md does not list {lab.number} {lab.title}"


def every_list_is_in_teaching_order(checkout: Catalog) -> Iterator[str]:
    """README.md and docs/teaching.md list the labs in the order of labs.toml."""
    wanted = [lab.number for lab in checkout.labs]
    readme = (checkout.root / "README.md").read_text(encoding="utf-8")
    if (listed := re.findall(r"^\| \[(\d\d)\]\(labs/", readme, re.MULTILINE)) != wanted:
        yield f"README.md lists {listed}, not in teaching order"
    teaching = (checkout.root / "docs" / "teaching.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:\d+ \| \[(\d\d) |\| \*\w+ meeting\*)", teaching, re.MULTILINE)
    planned, meeting = [], 1
    for number in rows:
        meeting += not number  # an empty number means a row that separates two meetings
        planned += [(number, meeting)] if number else []
    if planned != [(lab.number, lab.meeting) for lab in checkout.labs]:
        yield f"docs/teaching.md plans {planned}, not as in labs.toml"


RULES = [
    manifest_and_folders_agree,
    twins_name_each_other,
    every_lab_has_the_same_parts,
    boilerplate_is_identical,
    no_file_is_long,
    code_is_for_reading_aloud,
    labs_import_no_more_of_labkit_than_base,
    settings_show_protection_and_no_number,
    pages_ask_no_other_machine,
    twins_differ_where_they_say,
    twins_promise_and_ask_the_same,
    carriers_differ_little,
    handouts_have_the_same_headings,
    handouts_say_what_one_learns_and_observes,
    handouts_name_the_exercises_of_their_lab,
    every_answer_links_its_source,
    every_claim_has_a_test,
    handouts_tell_what_the_ledger_tells,
    every_change_has_a_note,
    every_cell_is_asked_for,
    contracts_are_kept,
    the_readme_lists_every_lab,
    every_list_is_in_teaching_order,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_layout(checkout, rule):
    assert list(rule(checkout)) == []


# Changes that each break a rule: (rule, file, text, replacement, complaint)

CART = "labs/03_cookie_cart/"
CARRIERS = "labs/05_profile_wizard/lab/carriers/"
BROKEN = [
    (manifest_and_folders_agree, "labs/labs.toml", 'slug = "cookie_cart"', 'slug = "x"', "not in labs/"),
    (manifest_and_folders_agree, "labs/labs.toml", 'number = "03"', 'number = "33"', "not in labs.toml"),
    (manifest_and_folders_agree, "labs/labs.toml", "database = true", "database = false", "not agree"),
    (manifest_and_folders_agree, "labs/labs.toml", 'number = "08"\nmeeting = 2', 'number = "08"\nmeeting = 4', "meetings"),
    (manifest_and_folders_agree, "labs/labs.toml", "redis = true", "redis = false", "not agree"),
    (twins_name_each_other, "labs/labs.toml", 'twin = "03"', 'twin = "04"', "other way round"),
    (twins_name_each_other, "labs/labs.toml", 'labs = ["03", "04"]', 'labs = ["03", "03"]', "no [[twins]]"),
    (every_lab_has_the_same_parts, CART + "README.md", None, None, "README.md is missing"),
    (every_lab_has_the_same_parts, CART + "tests", None, None, "no tests"),
    (boilerplate_is_identical, CART + "manage.py", "import os", "import os  # x", "manage.py of 03"),
    (no_file_is_long, CART + "lab/views.py", "\n\n\n", "\n" * 30, "lines; the most is 59"),
    (code_is_for_reading_aloud, CART + "lab/views.py", "def info", "class X: pass\ndef info", "class, X"),
    (code_is_for_reading_aloud, CART + "lab/views.py", "info(request)", "info(request: int)", "type hint"),
    (labs_import_no_more_of_labkit_than_base, CART + "lab/forms.py", "labkit.base.form_fields", "labkit.http.jar", "imports labkit.http"),
    (labs_import_no_more_of_labkit_than_base, CART + "lab/forms.py", "from labkit.base.form_fields", "import labkit.race\nfrom labkit.base.form_fields", "imports labkit.race"),
    (labs_import_no_more_of_labkit_than_base, CART + "lab/forms.py", "from labkit.base.form_fields", "from labkit import panel\nfrom labkit.base.form_fields", "imports labkit.panel"),
    (labs_import_no_more_of_labkit_than_base, CART + "lab/settings.py", "labkit.panel.middleware", "labkit.serve.worker", "names labkit.serve"),
    (labs_import_no_more_of_labkit_than_base, CART + "lab/urls.py", "labkit.base.urls", "labkit.panel.urls", "names labkit.panel"),
    (settings_show_protection_and_no_number, CART + "lab/settings.py", "{LAB}", "03", "its number"),
    (settings_show_protection_and_no_number, CART + "lab/settings.py", "csrf.Csrf", "x.X", "no django"),
    (settings_show_protection_and_no_number, CART + "lab/settings.py", "CSRF_COOKIE", "X", "own"),
    (
        settings_show_protection_and_no_number,
        "labs/04_session_cart/lab/settings.py",
        "SESSION_COOKIE_NAME",
        "X",
        "go together",
    ),
    (
        pages_ask_no_other_machine,
        CART + "lab/templates/base.html",
        "<link",
        '<link href="//cdn.example/x.css"><link',
        "another machine",
    ),
    (twins_differ_where_they_say, CART + "lab/views.py", "goods", "things", "no reason"),
    (twins_differ_where_they_say, CART + "lab/forms.py", None, None, "in 03 or 04 alone"),
    (twins_differ_where_they_say, "labs/labs.toml", "lab/settings.py", "lab/urls.py", "same"),
    (twins_differ_where_they_say, "labs/labs.toml", "lines = 60", "lines = 40", "under 40 is agreed"),
    (twins_promise_and_ask_the_same, CART + "lab/storage.py", "Remove one item", "Remove an item", "docstrings differ"),
    (twins_promise_and_ask_the_same, CART + "lab/storage.py", "def clear(", "def wipe(", "differ"),
    (twins_promise_and_ask_the_same, CART + "tests/test_cart.py", "def test_can", "def test_x", "differ"),
    (carriers_differ_little, CARRIERS + "key_in_url.py", "def forget(request,", "def forget(_,", "docstrings differ"),
    (carriers_differ_little, CARRIERS + "key_in_url.py", "\n\n\n", "\n#\n#\n#\n", "under 40 is agreed"),
    (handouts_have_the_same_headings, CART + "README.md", "## Try", "## Do", "headings"),
    (handouts_have_the_same_headings, CART + "README.md", "cart kept", "basket", "title"),
    (handouts_have_the_same_headings, CART + "README.md", "## Practice", "## Try", "headings"),
    (handouts_say_what_one_learns_and_observes, CART + "README.md", "After this lab", "Then", "open with"),
    (handouts_say_what_one_learns_and_observes, CART + "README.md", "*Observe:* whether", "See whether", "observe"),
    (handouts_say_what_one_learns_and_observes, CART + "README.md", "lab run 03\n", "run it\n", "Run does not"),
    (handouts_say_what_one_learns_and_observes, CART + "README.md", "lab list 03", "lab list", "Practice does not"),
    (handouts_name_the_exercises_of_their_lab, CART + "README.md", "start red-apple", "start apple", "exercises"),
    (every_answer_links_its_source, CART + "README.md", "www.rfc-editor.org/rfc/rfc6265.html#section-8.6", "x.example", "no source"),
    (every_claim_has_a_test, "labs/08_session_api/tests/test_api.py", '"C52"', '"C51"', f"C52 {NO_TEST}"),
    (every_claim_has_a_test, "labs/claims.toml", "[B47]", "[B48]", f"B47, {UNKNOWN}"),
    (handouts_tell_what_the_ledger_tells, "labs/claims.toml", "[C01]\ntext = \"", "[C01]\ntext = \"Not ", "behind"),
    (handouts_tell_what_the_ledger_tells, CART + "README.md", "## Claims\n", "## Claims\n\nNone.\n", "behind"),
    (every_change_has_a_note, CART + "lab/views.py", "@require_POST\ndef empty", "# Here alone.\n@require_POST\ndef empty", "has no note"),
    (every_change_has_a_note, "labs/notes.toml", '"stores the cart" =', '"cart" =', "take a longer one"),
    (every_change_has_a_note, "labs/notes.toml", '"def put" =', '"def putt" =', "no change has 'def putt' in it"),
    (every_change_has_a_note, "labs/notes.toml", '"def put" =', '"def put" = ""\n"def pot" =', "no change has 'def pot'"),
    (every_change_has_a_note, "labs/notes.toml", '"11:careless"]', '"11:careful"]', "no notes for 11:careful 11:careless"),
    (every_change_has_a_note, CARRIERS + "cookie.py", "sent", "came", "no change has 'sent = '"),
    (every_cell_is_asked_for, "labs/compare.toml", 'answer.cookie = "102 bytes"\n', "", "carts/bytes_down has answers for"),
    (every_cell_is_asked_for, "labs/compare.toml", 'id = "replay"', 'id = "played"', "carts/played has no probe"),
    (every_cell_is_asked_for, "labs/compare.toml", 'id = "replay"', 'id = "played"', "engines has no question replay"),
    (every_cell_is_asked_for, "labs/compare.toml", 'id = "replay"', 'id = "two_tabs"', "carts/two_tabs is defined twice"),
    (every_cell_is_asked_for, "labs/compare.toml", '["carts/replay",', '["carts/play",', "refers to carts/play: "),
    (every_cell_is_asked_for, "labs/compare.toml", 'cells = ["counts/bytes_up", ', 'cells = [] # ', "nothing supports the sentence"),
    (every_cell_is_asked_for, CART + "tests/test_compared.py", None, None, "of lab 03 does not run"),
    (every_cell_is_asked_for, CART + "tests/test_compared.py", '"carts"', '"counts"', "carts: tests/test_compared.py of lab 03"),
    (contracts_are_kept, CART + "tests/test_cart.py", "(CartContract)", "", "subclasses CartContract"),
    (contracts_are_kept, CART + "tests/test_browser.py", None, None, "Chromium"),
    (the_readme_lists_every_lab, "README.md", "[04]", "[4]", "does not list 04"),
    (every_list_is_in_teaching_order, "README.md", "| [06](labs/", "| 6 [06](labs/", "README.md lists"),
    (every_list_is_in_teaching_order, "docs/teaching.md", "| 5 | [03 A", "| 5 | [3 A", "plans"),
    (every_list_is_in_teaching_order, "docs/teaching.md", "*second meeting*", "*second*", "plans"),
    (every_list_is_in_teaching_order, "labs/labs.toml", 'number = "08"\nmeeting = 2', 'number = "08"\nmeeting = 3', "plans"),
]  # fmt: skip


@pytest.fixture(scope="module")
def copied(checkout, tmp_path_factory):
    """A copy of all files that the rules read. Each test restores the file that it breaks."""
    root = tmp_path_factory.mktemp("copied")
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    for folder in ("labs", "docs", "tests", "src/labkit/testing/contracts"):
        shutil.copytree(checkout.root / folder, root / folder, ignore=ignored)
    shutil.copy(checkout.root / "README.md", root)
    return root


@pytest.fixture
def break_file(copied, tmp_path):
    """Replace text in a file, or remove a file or folder; restore it after the test."""
    aside = tmp_path / "whole"

    def replace(path, old, new):
        nonlocal broken
        broken = copied / path
        broken.rename(aside)
        if old is not None:
            content = aside.read_text(encoding="utf-8")
            assert old in content
            broken.write_text(content.replace(old, new), encoding="utf-8")

    broken = None
    yield replace
    broken.unlink(missing_ok=True)
    aside.rename(broken)


@pytest.mark.parametrize(
    ("rule", "path", "old", "new", "complaint"),
    BROKEN,
    ids=[f"{number}-{rule.__name__}" for number, (rule, *_) in enumerate(BROKEN)],
)
def test_a_broken_layout_is_noticed(copied, break_file, rule, path, old, new, complaint):
    break_file(path, old, new)
    assert any(complaint in found for found in rule(Catalog(copied)))


def test_a_copy_is_whole_after_each_break(copied):
    assert all(list(rule(Catalog(copied))) == [] for rule in RULES)


def test_every_rule_has_been_seen_biting():
    assert {rule for rule, *_ in BROKEN} == set(RULES)
