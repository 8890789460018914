"""Every benchmark runs with a minimal amount of work, and returns all of its figures.

pytest-xdist may run each benchmark in a different process, since the times do not matter.
"""

import json
import subprocess
import sys

import pytest

KINDS = {"read", "write", "new visitor"}


@pytest.fixture
def python(checkout):
    """Run a script in bench/ as a person would; return (exit status, output)."""

    def run(script, *arguments):
        done = subprocess.run(
            [sys.executable, str(checkout.root / "bench" / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def figures(python, tmp_path):
    """Return the figures of a benchmark with --tiny, after checking its file."""

    def run(name, *arguments):
        status, output = python(f"{name}.py", "--tiny", "--out", tmp_path, *arguments)
        assert status == 0, output
        content = json.loads((tmp_path / f"{name}.json").read_text())
        assert content["stamp"]["command"] == f"python bench/{name}.py"
        assert content["charts"]
        status, output = python("report.py", "--out", tmp_path)
        assert status == 0, output
        return content["figures"]

    return run


def of_one_database(growth):
    operations = growth["operations"]
    assert set(operations) == KINDS
    for found in operations.values():
        assert list(found["milliseconds"]) == ["100", "300", "1000"]
        assert min(found["milliseconds"].values()) > 0
        assert found["ratio"] > 0
    assert set(growth["clearing"]) == {"clearsessions", "clearexpired"}
    for found in growth["clearing"].values():
        assert set(found["worst"]) == KINDS
        assert found["peak"] >= found["before"] > 0
        # `gone` also includes the sessions deleted while measuring
        assert found["rows"] <= found["gone"]
        assert (found["rows"], found["failures"], found["lost"]) == (1000, {}, 0)


@pytest.mark.maintainer
@pytest.mark.xdist_group("growth")
def test_growth_is_measured_and_clearing_loses_nothing(figures):
    found = figures("growth", "--db", "sqlite")
    assert list(found) == ["sqlite"]
    of_one_database(found["sqlite"])


@pytest.mark.mysql
def test_growth_is_measured_on_mariadb_too(figures, mariadb):
    found = figures("growth", "--db", "mysql")
    assert list(found) == ["mysql"]
    of_one_database(found["mysql"])


@pytest.mark.maintainer
@pytest.mark.xdist_group("burst")
def test_a_class_is_served_and_stands_beside_a_textbooks_project(figures):
    found = figures("burst")
    assert [row["lab"] for row in found][:2] == ["03", "04"]
    for row in found:
        for side in (row["served"], row["textbook"], *row["gunicorn"].values()):
            assert (side["adds"], side["answered"], side["failures"]) == (12, 12, {})
            assert side["wrong_carts"] == 0
            assert 0 < side["p50"] <= side["p99"] <= side["max"]


@pytest.mark.maintainer
@pytest.mark.xdist_group("hostile")
def test_others_are_answered_beside_every_attack(figures):
    found = figures("hostile")
    assert len(found) == 5
    for row in found:
        assert (row["visits"], row["failed"]) == (5, 0)
        assert row["ratio"] > 0
        assert 5_000_000 < row["memory"] < 100_000_000


@pytest.mark.maintainer
@pytest.mark.xdist_group("cost")
def test_a_page_is_compared_with_one_that_has_nothing_of_labkit(figures):
    found = figures("cost", "--only", "04")
    calls = {row["path"]: row["calls"] for row in found}
    assert calls == {
        "/": [],
        "/add/": [],
        "/display/": [],
        # Labkit generates this text, so a page without labkit would differ.
        "/info/": [
            "labkit.base.session_expiry._expiry_facts",
            "labkit.base.session_expiry.clock_time",
            "labkit.base.session_expiry.is_expiry_readable",
            "labkit.base.session_expiry.session_facts",
            "labkit.session_stores.engine_name",
            "labkit.session_stores.kinds",
            "labkit.session_stores.rows",
            "labkit.session_stores.session_store",
            "labkit.text_format.duration",
            "labkit.text_format.quantity",
        ],
    }
    for row in found:
        assert set(row["milliseconds"]) == {"whole", "bare", "quiet", "default"}
        assert set(row["ratios"]) == {"whole", "quiet", "default"}


@pytest.mark.maintainer
@pytest.mark.xdist_group("start")
def test_a_start_is_measured_with_the_memory_of_every_lab(figures, checkout):
    found = figures("start")
    numbers = {lab.number for lab in checkout.labs}
    assert {"console", *numbers} <= set(found["memory"]) <= {"console", "fork server", *numbers}
    assert min(found["memory"].values()) > 2_000_000
    assert min(found["seconds"], found["first_seconds"], found["bare_seconds"]) > 0
    assert [row["ratio"] > 0 for row in found["commands"].values()] == [True] * 3
    assert found["ratio"] == pytest.approx(found["seconds"] / found["bare_seconds"])


@pytest.mark.maintainer
@pytest.mark.xdist_group("small_costs_are_measured")
@pytest.mark.parametrize(("name", "rows"), [("panel", 5), ("visitor", 8)])
def test_small_costs_are_measured(figures, name, rows):
    found = figures(name)
    pages = found["pages"] if name == "panel" else found
    assert len(pages) == rows
    assert all(row["ratio"] > 0 for row in pages)


@pytest.mark.maintainer
@pytest.mark.xdist_group("watch")
def test_the_first_answer_after_a_save_is_measured(figures):
    found = figures("watch")
    assert found["ratio"] == pytest.approx(found["seconds"] / found["single_seconds"])


@pytest.mark.maintainer
@pytest.mark.xdist_group("diagnosis")
def test_two_cases_of_the_diagnosis_are_judged(python, tmp_path):
    status, output = python("diagnosis.py", "--tiny", "--out", tmp_path)
    assert status == 0, output
    found = json.loads((tmp_path / "diagnosis.json").read_text())["figures"]
    assert found["cases"] == {"rewording": 0, "other": 1, "right": 1, "version": 0}
    assert 0 < found["most_lines"] <= 25
    assert [row["passed"] for row in found["rows"]] == [False, True]


def test_the_cases_of_the_diagnosis_are_complete(checkout):
    """Each edit matches once, and there are enough cases of each kind."""
    script = (
        "from collections import Counter\n"
        "import common, diagnosis\n"
        "from labkit.catalog import Catalog\n"
        "cases = diagnosis.read_cases(Catalog(common.ROOT))\n"
        "second = diagnosis.read_cases(Catalog(common.ROOT), diagnosis.CASES / 'second')\n"
        "assert all(case.version.edited_files() for case in cases + second)\n"
        "assert all(case.version.title for case in cases)\n"
        "names = [case.version.full_name for case in cases]\n"
        "assert len(set(names)) == len(names)\n"
        "kinds = Counter(case.kind for case in cases)\n"
        "assert kinds['rewording'] >= 25 <= kinds['other'] and kinds['right'] >= 18, kinds\n"
    )
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=checkout.root / "bench", check=True)


def test_the_page_has_what_was_measured(python):
    assert python("report.py", "--check") == (0, "")


def test_a_page_with_other_words_or_tags_is_another(checkout):
    ask = (
        "from cost import sense\n"
        "page = '<main><p>Key <b>{}</b> lives</p></main>'\n"
        "assert sense(page.format('a1')) == sense(page.format('b2'))\n"
        "assert sense(page.format('a1')) != sense(page.format('never'))\n"
        "assert sense(page.format('a1')) != sense(page.format('<i>a1</i>'))\n"
    )
    subprocess.run([sys.executable, "-c", ask], cwd=checkout.root / "bench", check=True)
