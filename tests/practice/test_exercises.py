"""Test the exercises: their catalogue, starters, progress and commands."""

import json
import re
from itertools import groupby

import pytest

from labkit.catalog import Catalog, state_path
from labkit.commands import hint, practice, solution
from labkit.practice import progress, start
from labkit.practice.exercise import (
    DID_YOU_MEAN,
    KINDS,
    MANIFEST,
    NOT_WRITTEN,
    SOLUTIONS,
    ExerciseError,
    exercise_of,
    find_exercise,
    read_exercises,
    without_bodies,
)
from labkit.practice.progress import FILE, SOLVED, STARTED, Record, note_result, read_progress
from labkit.practice.score import CAUGHT, NO_TEST, Score, find_inheritance, score_tests
from labkit.practice.solution import compare_with_solution
from labkit.text_format import command_line

pytestmark = pytest.mark.usefixtures("forked_runs")

NAME = "red-apple"


@pytest.fixture
def exercises(checkout):
    return read_exercises(checkout)


@pytest.fixture
def mine(own_checkout):
    """Return a checkout whose state folder is empty."""
    return Catalog(own_checkout)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# The catalogue


def test_the_catalogue_has_every_kind_in_teaching_order(checkout, exercises):
    assert {exercise.kind for exercise in exercises} == set(KINDS)
    labs = [lab for lab, _ in groupby(exercise.lab for exercise in exercises)]
    assert labs == [lab for lab in checkout.labs if lab in labs]


def test_a_title_never_names_file_or_fault(exercises):
    for exercise in exercises:
        assert ".py" not in exercise.title, exercise.name
        assert exercise.version is None or exercise.title != exercise.version.title


def test_a_brief_has_every_part(exercises):
    for exercise in exercises:
        text = start.brief(exercise)
        for part in (exercise.goal, exercise.before, exercise.after, exercise.counts):
            assert part in text, exercise.name


def test_a_brief_has_the_cookie_names_of_its_copy(exercises, mine, said):
    exercise = next(each for each in exercises if each.name == "count-of-abc")
    said("practice", "start", exercise.name)
    copied = mine.copy_in(mine.root / "practice" / exercise.name)
    assert copied.number == exercise.number
    assert f"count_{copied.number}" in str(exercise.steps[1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "repair"', 'kind = "mend"'),
        ('lab = "03"', 'lab = "99"'),
        ('version = "names-as-cookies"', 'version = "nothing"'),
        ('title = "', 'titel = "'),
        ("goal = ", "gaol = "),
        ("[red-apple]", "[Red]"),
    ],
)
def test_a_fault_names_file_and_exercise(own_checkout, old, new):
    path = own_checkout / MANIFEST
    text = path.read_text(encoding="utf-8")
    before, table = text.split("[red-apple]")
    table = "[red-apple]" + table
    assert old in table
    path.write_text(before + table.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ExerciseError, match=r"exercises\.toml, (red-apple|Red)"):
        read_exercises(Catalog(own_checkout))


def test_an_unknown_exercise_says_where_they_are_listed(checkout):
    with pytest.raises(ExerciseError, match=re.escape("lab practice")):
        find_exercise(checkout, "nothing")


def test_an_exercise_is_found_from_inside_its_folder(mine):
    folder = mine.root / "practice"
    assert exercise_of(mine, folder / NAME / "lab").name == NAME
    assert exercise_of(mine, folder) is None
    assert exercise_of(mine, folder / "other") is None


def test_a_fingerprint_follows_code_and_not_its_comments(mine):
    storage = mine.root / "labs" / "03_cookie_cart" / "lab" / "storage.py"
    before = find_exercise(mine, NAME).fingerprint
    edit(storage, "LIFETIME = 120  # ", "LIFETIME = 120  # about ")
    edit(storage, 'def load(request):\n    """', 'def load(request):\n    """Quickly. ')
    storage.write_bytes(storage.read_bytes().replace(b"\n", b"\r\n"))
    assert find_exercise(mine, NAME).fingerprint == before
    edit(storage, "LIFETIME = 120", "LIFETIME = 121")
    assert find_exercise(mine, NAME).fingerprint != before


def test_functions_without_bodies_keep_their_docstrings():
    source = (
        'A = 1\n\n\ndef f(x):\n    """Do it."""\n    y = x\n    return y\n\n\ndef g():\n    pass\n'
    )
    left = without_bodies(source)
    f = f'def f(x):\n    """Do it."""\n    {NOT_WRITTEN}\n'
    assert left == f"A = 1\n\n\n{f}\n\ndef g():\n    {NOT_WRITTEN}\n"


# Starting


def test_starting_makes_a_folder_and_shows_the_brief(mine, said):
    status, text = said("practice", "start", NAME)
    assert status == 0
    exercise = find_exercise(mine, NAME)
    assert exercise.title in text
    assert "lab check red-apple" in text
    folder = mine.root / "practice" / NAME
    for name, content in exercise.changed_files().items():
        assert (folder / name).read_bytes() == content
    assert exercise.goal in (folder / "README.md").read_text(encoding="utf-8")
    copied = mine.copy_in(folder)
    assert (copied.number, copied.original) == (f"practice-{NAME}", "03")


def test_a_started_exercise_is_not_overwritten(mine, said):
    said("practice", "start", NAME)
    storage = mine.root / "practice" / NAME / "lab" / "storage.py"
    storage.write_text("mine")
    status, text = said("practice", "start", NAME)
    assert status == 1
    assert f"lab practice reset {NAME}" in text
    assert storage.read_text() == "mine"


def test_a_reset_keeps_old_files_and_empties_the_state(mine, said, monkeypatch):
    said("practice", "start", NAME)
    said("hint", NAME)
    folder = mine.root / "practice" / NAME
    state = mine.state / f"practice-{NAME}"
    for number in ("", "2"):
        (folder / "lab" / "storage.py").write_text("mine")
        state.mkdir(exist_ok=True)
        (state / "db.sqlite3").touch()
        monkeypatch.chdir(folder)
        # Refused, because files have changed and nobody can confirm it.
        assert said("practice", "reset")[0] == 1
        status, text = said("practice", "reset", "--yes")
        assert status == 0
        assert text.endswith(f"{practice.MOVED} {command_line('cd', str(folder))}")
        monkeypatch.chdir(folder.with_name(f"{NAME}.old{number}"))
        for command in ("hint", "check"):
            assert start.OLD_FILES.partition("{")[0] in said(command)[1]
        monkeypatch.chdir(mine.root)
        old = folder.with_name(f"{NAME}.old{number}")
        assert (old / "lab" / "storage.py").read_text() == "mine"
        assert (folder / "lab" / "storage.py").read_text() != "mine"
        assert not state.exists()
    record = read_progress(mine).of(find_exercise(mine, NAME))
    assert (record.state, record.hints_shown) == (STARTED, 0)


def test_a_reset_of_an_untouched_folder_does_not_ask(mine, said):
    said("practice", "start", NAME)
    (mine.root / "practice" / NAME / "lab" / "__pycache__").mkdir()
    assert said("practice", "reset", NAME)[0] == 0


def test_a_reset_exercise_stays_solved(mine, said):
    said("practice", "start", NAME)
    note_result(mine, find_exercise(mine, NAME), passed=True)
    said("practice", "reset", NAME)
    assert read_progress(mine).of(find_exercise(mine, NAME)).state == SOLVED
    edit(mine.root / "labs/03_cookie_cart/lab/storage.py", "LIFETIME = 120", "LIFETIME = 121")
    said("practice", "reset", NAME, "--yes")  # this starts the new version of the exercise
    assert read_progress(mine).of(find_exercise(mine, NAME)).state == STARTED


def test_the_next_exercise_follows_the_last_one(mine, said):
    names = [exercise.name for exercise in read_exercises(mine)]
    for name in (names[4], names[2]):
        note_result(mine, find_exercise(mine, name), passed=True)
    assert f"lab practice start {names[3]}" in said("practice")[1]
    note_result(mine, find_exercise(mine, names[4]), passed=False)  # a solved exercise stays solved
    assert f"lab practice start {names[5]}" in said("practice")[1]
    note_result(mine, find_exercise(mine, names[-1]), passed=True)
    assert f"lab practice start {names[0]}" in said("practice")[1]


@pytest.mark.parametrize(
    "command", [["practice", "start"], ["practice", "reset"], ["check"], ["hint"], ["solution"]]
)
def test_a_mistyped_exercise_is_guessed(own_checkout, said, command):
    status, text = said(*command, "red-aple")
    assert status == 1
    assert DID_YOU_MEAN.format(name="red-aple", close=NAME) in text


def test_a_checkout_that_cannot_be_written_is_no_obstacle(mine, said, monkeypatch, tmp_path):
    (mine.root / "practice").touch()  # a file here prevents a folder with this name
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "state"))
    assert said("practice", "start", NAME)[0] == 0
    folder = tmp_path / "state" / "practice" / NAME
    assert (folder / "manage.py").is_file()
    assert mine.copy_in(folder).number == f"practice-{NAME}"
    assert state_path(folder) == tmp_path / "state" / f"practice-{NAME}"
    monkeypatch.chdir(folder)
    assert start.choose_exercise(mine, None).name == NAME


def test_nothing_that_is_practised_is_committed(checkout):
    ignored = (checkout.root / ".gitignore").read_text().splitlines()
    assert {"/practice/", ".lab/"} <= set(ignored)


# Progress


def test_progress_survives_a_changed_catalogue(mine, said):
    said("practice", "start", NAME)
    note_result(mine, find_exercise(mine, NAME), passed=True)
    path = mine.state / FILE
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"of-the-past": known[NAME]}))
    edit(mine.root / MANIFEST, f"[{NAME}]", "[green-apple]")
    status, text = said("practice")
    assert status == 0
    assert practice.STATES[SOLVED] not in text.partition(practice.NEXT)[0]
    said("practice", "start", "green-apple")
    assert set(json.loads(path.read_text())) == {NAME, "of-the-past", "green-apple"}


def test_a_solved_exercise_that_changed_says_so(mine, said):
    said("practice", "start", NAME)
    note_result(mine, find_exercise(mine, NAME), passed=True)
    assert practice.OUTDATED not in said("practice")[1]
    storage = mine.root / "labs" / "03_cookie_cart" / "lab" / "storage.py"
    edit(storage, "LIFETIME = 120", "LIFETIME = 121")
    assert practice.OUTDATED in said("practice")[1]
    note_result(mine, find_exercise(mine, NAME), passed=True)
    assert practice.OUTDATED not in said("practice")[1]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"red-apple": {"state": 1}}'])
def test_damaged_progress_is_reported_once_and_kept(mine, said, content):
    mine.state.mkdir()
    (mine.state / FILE).write_bytes(content)
    kept = mine.state / f"{FILE}.damaged"
    notice = progress.DAMAGED.format(path=mine.state / FILE, kept=kept.name)
    assert notice in said("practice")[1]
    assert kept.read_bytes() == content
    assert notice not in said("practice")[1]


def test_undamaged_records_are_carried_over(mine):
    mine.state.mkdir()
    good = {"state": "solved", "hints_shown": 1, "fingerprint": "x", "attempts": 2}
    (mine.state / FILE).write_text(json.dumps({"good": good, "bad": {"state": "won"}}))
    assert read_progress(mine).records == {"good": Record(**good)}


def test_a_failed_check_leaves_an_exercise_solved(mine):
    exercise = find_exercise(mine, NAME)
    for passed in (False, True, False):
        note_result(mine, exercise, passed=passed)
    record = read_progress(mine).of(exercise)
    assert (record.state, record.attempts) == (SOLVED, 3)


# Hints and solutions


def test_hints_come_one_by_one_and_end(mine, said):
    said("practice", "start", NAME)
    exercise = find_exercise(mine, NAME)
    for number in range(3):
        text = said("hint", NAME)[1]
        assert hint.HINT.format(number=number + 1, count=3).strip() in text
        assert read_progress(mine).of(exercise).hints_shown == number + 1
    line = f"lab solution {NAME}"
    assert hint.NO_MORE.format(line=line) in said("hint", NAME)[1]
    shown = said("hint", "--shown", NAME)[1]
    assert [f"Hint {number} of 3" in shown for number in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize("command", ["hint", "solution"])
def test_an_exercise_that_was_not_started_says_how(own_checkout, said, command):
    status, text = said(command, NAME)
    assert status == 1
    assert f"lab practice start {NAME}" in text
    assert said(command)[1].endswith(start.NAME_ONE)


def test_a_solution_asks_until_the_exercise_is_solved(mine, said):
    said("practice", "start", NAME)
    exercise = find_exercise(mine, NAME)
    status, text = said("solution", NAME)
    assert status == 1
    assert solution.NOBODY_TO_ASK.format(line=f"lab solution {NAME} --yes") in text
    shown = said("solution", NAME, "--yes")[1]
    assert exercise.version.why in shown.replace("▌ ", "")  # shown as a note
    assert "lab diff" not in shown
    note_result(mine, exercise, passed=True)
    again = shown.replace(solution.OTHER_WAYS, solution.SOLVED_ALREADY)
    assert again != shown
    assert said("solution", NAME) == (0, again)


def test_a_solution_can_be_a_page(mine, said):
    said("practice", "start", "cookies-to-session")
    status, _ = said("solution", "cookies-to-session", "--yes", "--html", "solution.html")
    assert status == 0
    assert "SessionMiddleware" in (mine.root / "solution.html").read_text(encoding="utf-8")


def test_a_solution_of_tests_is_shown_as_it_is(mine, said):
    said("practice", "start", "test-the-count")
    tests = (mine.root / SOLUTIONS / "test-the-count.py").read_text(encoding="utf-8")
    shown = said("solution", "test-the-count", "--yes")[1]
    assert shown.endswith(" ".join(tests.split()))


def test_a_conversion_has_the_notes_of_its_labs(mine, said):
    said("practice", "start", "cookies-to-session")
    exercise = find_exercise(mine, "cookies-to-session")
    found = compare_with_solution(mine, exercise, mine.root / "practice" / exercise.name)
    notes = [hunk.note for part in found.parts if part.name == "code" for hunk in part.hunks]
    assert notes
    assert all(notes)


def test_only_fitting_notes_are_shown(mine, said):
    name = "count-on-the-server"
    said("practice", "start", name)
    exercise, folder = find_exercise(mine, name), mine.root / "practice" / name
    for file in ("settings", "views"):
        code = exercise.target.folder / "lab" / f"{file}.py"
        (folder / "lab" / f"{file}.py").write_bytes(code.read_bytes())
    settings = folder / "lab" / "settings.py"
    edit(settings, 'TIME_ZONE = "UTC"', 'TIME_ZONE = "UTC"\nSESSION_COOKIE_AGE = 300')
    edit(settings, '    "lab",\n    "labkit.base"', '    "labkit.base",\n    "lab"')
    edit(folder / "lab" / "views.py", "        request.session.set_expiry(300)", "        pass")
    found = compare_with_solution(mine, exercise, folder)
    notes = {
        line.text.strip(): bool(hunk.note)
        for hunk in found.hunks
        for line in hunk.changed
        if line.text.strip()
    }
    assert notes["SESSION_COOKIE_AGE = 300"] is False
    assert notes['"lab",'] is False  # this line was moved, not changed
    assert [noted for line, noted in notes.items() if "set_expiry" in line] == [True]


# Tests that a student writes


CONTRACT = "from labkit.testing.contracts import CartContract\n\n\n"


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        (f"{CONTRACT}class TestMine(CartContract):\n    lifetime = 120\n", True),
        ("import labkit.testing.contracts as c\n\n\nclass Test(c.CartPages):\n    pass\n", True),
        ("class Base:\n    pass\n\n\nclass TestMine(Base):\n    pass\n", False),
        ("def test_it(visitor):\n    pass\n", False),
        ("def test_it(", False),  # running the test reports the error
    ],
)
def test_a_class_that_inherits_a_contract_is_refused(tmp_path, source, refused):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mine.py").write_text(source)
    assert bool(find_inheritance(tmp_path / "tests")) == refused


def test_a_score_says_what_got_through(exercises):
    exercise = next(each for each in exercises if each.name == "test-the-cookie-cart")
    score = Score(exercise, caught=exercise.faults[:6])
    assert not score.passed
    text = score.lines()
    assert text[0] == CAUGHT.format(caught=6, count=11, needed=8)
    assert [version.symptom in "\n".join(text) for version in exercise.faults] == (
        [False] * 6 + [True] * 5
    )
    assert Score(exercise, caught=exercise.faults[:8]).passed
    assert not Score(exercise, "refused", exercise.faults).passed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", NO_TEST),
        ("def test_it(visitor):\n    assert visitor.get('/').status_code == 201\n", "test_it"),
        ("def test_it(visitor:\n", "SyntaxError"),
    ],
)
def test_tests_that_fail_on_the_lab_are_not_scored(checkout, exercises, tmp_path, source, reason):
    exercise = next(each for each in exercises if each.name == "test-the-count")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mine.py").write_text(source)
    score = score_tests(checkout, exercise, tmp_path)
    assert not score.passed
    assert reason in score.refusal
