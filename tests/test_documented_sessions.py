"""Compare the nox sessions in README.md, CONTRIBUTING.md and docs/testing.md with what they run."""

import ast
import re
import subprocess
import sys

import pytest
from code_blocks import commands
from documents import ROOT
from nox_recorder import NoxRecorder

from labkit.testing import plugin


@pytest.fixture(scope="module")
def nox(tmp_path_factory):
    return NoxRecorder(tmp_path_factory.mktemp("nox"))


def folders(lines):
    return sorted({line.split()[1] for line in lines if line.startswith("pytest labs/")})


# {session: its commands, or the beginning of its command}
RUNS = {
    "nox -s test-03": "pytest labs/03_cookie_cart",
    "nox -s mysql-04": "pytest labs/04_session_cart --lab-db=mysql",
    "nox -s redis-10": "pytest labs/10_session_backends -m redis",
    "nox -s galera": "pytest tests -m galera",
    "nox -s browser-03": "pytest labs/03_cookie_cart -m browser",
    "nox -s textbook": "pytest tests/textbook -m textbook",
    "nox -s panel": "pytest tests/panel/test_panel_changes_nothing.py -m panel",
    "nox -s html": "tests/support/html_check.py",
    "nox -s charts": "pytest tests -m charts",
    "nox -s kit": "pytest tests -m not browser",
    "nox -s differential": "pytest tests/http/test_differential.py -m differential",
    "nox -s package": "pytest tests/test_package.py -m package",
    "nox -s claims": "labkit.cli claims --check",
    "nox -s maintain": "pytest tests/measure/test_measure.py tests/",
    "nox -s test-04 -- -k reading -x": "pytest labs/04_session_cart -k reading -x",
}
# These sessions run several commands. Each has a test below.
SEVERAL = {
    *("nox", "nox -l", "nox -s labs", "nox -s thorough", "nox -s sockets", "nox -s kit-extras"),
    *("nox -s labs-extras", "nox -s downloads", "nox -s project-files", "nox -t mysql"),
    "pytest labs/03_cookie_cart",
}


def test_each_session_runs_what_the_manual_says(nox):
    documented = set(commands("docs/testing.md", "nox"))
    assert set(RUNS) | SEVERAL <= documented
    for line in documented - SEVERAL:
        assert nox.chosen(line.split()[1:])
    wrong = {}
    for line, expected in RUNS.items():
        ran = nox.commands(line.split()[1:])
        if not (len(ran) == 1 and ran[0].startswith(expected)):
            wrong[line] = ran
    assert wrong == {}


def test_sessions_for_all_labs_leave_out_none(nox, checkout):
    every = [f"labs/{lab.folder.name}" for lab in checkout.labs]
    every.sort()
    for line in ("labs", "thorough", "sockets"):
        assert folders(nox.commands(["-s", line])) == every
    for server in ("waitress", "runserver"):
        ran = [c for c in nox.commands(["-s", "sockets"]) if f"--lab-server={server}" in c]
        assert folders(ran) == every
    assert not any("--lab-db" in line for line in nox.commands(["-s", "labs"]))
    parts = ["labs-mysql", "labs-browser", "sockets-mysql", "labs-redis"]
    together = nox.commands(["-s", "labs-extras"])
    assert sorted(together) == sorted(nox.commands(["-s", *parts]))
    with_database = nox.commands(["-t", "mysql"])
    assert all("mysql" in line or "galera" in line for line in with_database)
    assert folders(with_database) == sorted(
        f"labs/{lab.folder.name}" for lab in checkout.labs if lab.database
    )


def selects(expression, mark):
    """Return whether -m with this expression selects a test that has only this mark."""
    words = {word: word == mark for word in re.findall(r"\w+", expression)}
    for operator in ("and", "or", "not"):
        words.pop(operator, None)
    return eval(expression, {}, words)


def expressions(lines):
    for line in lines:
        if line.startswith("pytest ") and " -m " in line:
            yield re.split(r" -n | -p | --|$", line.partition(" -m ")[2])[0]


def downloads(nox):
    """Return the commands of the sessions that the session downloads runs."""
    started = nox.commands(["-s", "downloads"])
    names = [line.rpartition(" -s ")[2] for line in started if line.startswith("nox ")]
    assert len(names) == len(started)
    return nox.commands(["-s", *names])


def test_plain_nox_checks_html_and_packages(nox):
    ran = downloads(nox)
    for program in ("html_check.py", "django_client.py", "test_package.py"):
        assert any(program in line for line in ran)
    assert nox.sessions["downloads"].default


def test_plain_nox_runs_the_tests_of_every_mark(nox):
    lines = nox.commands([]) + downloads(nox)
    marks = {mark.partition(":")[0] for mark in plugin.MARKS} - {"claim(*ids)", "pitfall(*ids)"}
    unselected = {
        mark for mark in marks if not any(selects(each, mark) for each in expressions(lines))
    }
    assert unselected == set()
    extras = list(expressions(nox.commands(["-s", "kit-extras"])))
    for mark in ("browser", "mysql", "galera", "redis", "charts"):
        assert any(selects(each, mark) for each in extras)


def test_each_project_file_is_checked(nox):
    *schemas, workflows = nox.commands(["-s", "project-files"])
    assert "actionlint" in workflows
    checked = {line.split()[-1] for line in schemas}
    assert "CITATION.cff" in checked
    assert all((ROOT / name).is_file() for name in checked)


def test_the_list_has_each_lab_by_its_title(nox, checkout):
    for lab in checkout.labs:
        assert nox.sessions[f"test-{lab.number}"].func.__doc__ == lab.title


def test_pytest_alone_runs_what_nox_runs(nox):
    readme = commands("README.md", "nox")
    assert list(readme) == ["nox", "nox -s labs", "nox -s test-03", "pytest labs/03_cookie_cart"]
    assert nox.commands(["-s", "test-03"]) == ["pytest labs/03_cookie_cart"]


def test_the_commands_for_contributors_run_what_they_say(nox):
    found = list(commands("CONTRIBUTING.md", "python3 -m venv"))[2:]
    every, some, one_test, mysql, browser, package, benchmark = found
    assert (every, some) == ("nox", "nox -s lint kit test-03")
    assert [nox.sessions[name].default for name in some.split()[2:]] == [True, True, False]
    command = [sys.executable, "-m", *one_test.split(), "--collect-only", "-q"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert listed.count("::test_") == 1
    assert nox.commands(["-s", "mysql-04"]) == [mysql.replace("--lab-db ", "--lab-db=")]
    assert nox.commands(["-s", "browser-03"]) == [browser]
    assert (ROOT / "src" / "labkit" / package.rpartition("/")[2]).is_dir()
    assert benchmark in benchmarks().values()


def benchmarks():
    """Return {name: command} of the benchmarks that `nox -s bench` runs."""
    tree = ast.parse((ROOT / "bench" / "__main__.py").read_text(encoding="utf-8"))
    (names,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "ORDER"
    )
    return {name: f"python bench/{name}.py" for name in names}


def test_the_commands_for_benchmarks_run_what_they_say(nox):
    every, one, kept, report = commands("docs/testing.md", "nox -s bench")
    assert nox.commands(every.split()[1:]) == ["bench"]
    assert one in benchmarks().values()
    assert kept == "python bench --out docs/measured"
    assert (ROOT / "docs" / "measured" / "README.md").is_file()
    script = (ROOT / report.split()[1]).read_text(encoding="utf-8")
    assert f'"{report.split()[2]}"' in script
    text = " ".join((ROOT / "docs" / "testing.md").read_text(encoding="utf-8").split())
    (listed,) = re.findall(r"The benchmarks are ([\w, ]+)\.", text)
    assert sorted(re.split(r", | and ", listed)) == sorted(benchmarks())


def test_new_random_lines_reach_the_differential_test(nox):
    for line in commands("docs/testing.md", "nox -s differential -- --lines"):
        ran = nox.commands(line.split()[1:])
        assert ran == [f"{RUNS['nox -s differential']} {line.partition(' -- ')[2]}"]
