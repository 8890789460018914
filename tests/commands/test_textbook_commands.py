"""`lab run`, `lab diff` and `lab list` with textbook versions."""

import json
import os
import re

import pytest

from labkit.commands import list as list_command
from labkit.commands import textbook_version
from labkit.diff.data_classes import SAME_FILES
from labkit.processes.ports import free_port
from labkit.textbook_versions import all_versions, find_version

NAMES = "03:names-as-cookies"
# A replacement for a lab's manage.py, which prints its arguments, folder and environment.
MANAGE_PY = """\
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]), file=calls)
"""


@pytest.fixture
def run(own_checkout, said, monkeypatch):
    """Run `lab run` with MANAGE_PY instead of a server; return (output, calls)."""
    monkeypatch.setattr("labkit.commands.run.exit_on_signals", lambda: None)
    calls = own_checkout / "calls.json"
    monkeypatch.setenv("CALLS", str(calls))
    for path in own_checkout.glob("labs/*/manage.py"):
        path.write_text(MANAGE_PY)

    def start(*arguments):
        status, printed = said("run", *arguments)
        assert status == 0, printed
        assert "textbook" not in os.environ.get("LAB_STATE_DIR", "")
        found = [json.loads(line) for line in calls.read_text().splitlines()]
        calls.unlink()
        return printed, found

    return start


def test_a_version_runs_in_a_state_folder_of_its_own(run, own_checkout):
    printed, [(server, folder, environ)] = run(NAMES)
    state = own_checkout / ".lab" / "textbook" / "03-names-as-cookies"
    assert folder == str(state / "03_cookie_cart")
    assert environ["LAB_STATE_DIR"] == str(state)
    port = re.fullmatch(r"127\.0\.0\.1:([0-9]+)", server[1])[1]
    assert int(port) != 8003
    assert f"http://names-as-cookies.localhost:{port}/" in printed


def test_it_has_a_database_of_its_own_on_sqlite(run, monkeypatch, own_checkout):
    monkeypatch.setenv("DATABASE_URL", "mysql://db.example/")
    monkeypatch.setenv("LAB_STATE_DIR", "elsewhere")
    port = str(free_port())
    _, calls = run("04:nested-change", "--port", port, "--engine", "file")
    assert [call[0] for call in calls] == [
        ["migrate", "--verbosity=0"],
        ["runserver", f"127.0.0.1:{port}"],
    ]
    for _, _, environ in calls:
        assert "DATABASE_URL" not in environ
        assert environ["SESSION_ENGINE"].endswith(".file")
        elsewhere = own_checkout / "elsewhere" / "textbook" / "04-nested-change"
        assert environ["LAB_STATE_DIR"] == str(elsewhere)


def test_it_says_what_to_try_and_where_to_look(run, checkout):
    printed, _ = run(NAMES)
    version = find_version(checkout, NAMES)
    for text in (*map(str, version.see), version.symptom, version.why, version.sources[0].url):
        assert " ".join(text.split()) in printed
    assert f"lab diff {NAMES} 03" in printed


@pytest.mark.parametrize("apart", [True, False])
def test_an_address_by_number_is_offered_where_cookies_stay_apart(run, checkout, apart):
    name = next(v.full_name for v in all_versions(checkout) if v.starts and v.apart is apart)
    port = str(free_port())
    printed, _ = run(name, "--port", port)
    assert (f"http://127.0.0.1:{port}/" in printed) is apart


def test_a_version_that_does_not_start_blames_no_database(own_checkout, said, checkout):
    version = next(v for v in all_versions(checkout) if not v.starts)
    status, printed = said("run", version.full_name)
    assert status == 1
    assert textbook_version.DOES_NOT_START in printed
    assert version.says in printed
    assert version.why in printed
    assert "database" not in printed


@pytest.mark.parametrize(
    "arguments", [["--db", "mysql"], ["--servers", "2"], ["--redis-pair"]], ids=" ".join
)
def test_an_option_that_it_cannot_have_is_refused(own_checkout, said, arguments):
    status, printed = said("run", NAMES, *arguments)
    assert status == 2
    assert textbook_version.ONE_SERVER.format(option=arguments[0]) in printed


def test_a_variant_can_only_be_compared(said):
    status, printed = said("run", "05:cookie")
    assert status == 1
    assert "lab diff 05:cookie" in printed


@pytest.mark.parametrize("other", [["03"], []], ids=["named", "its own lab"])
def test_a_version_is_compared_with_its_lab(said, checkout, other):
    status, printed = said("diff", NAMES, *other)
    assert status == 0
    version = find_version(checkout, NAMES)
    assert version.title in printed
    assert version.symptom in printed
    assert version.why.split(":")[0] in printed
    assert "[-name-]" in printed


def test_every_version_can_be_compared(said, checkout):
    for version in all_versions(checkout):
        status, printed = said("diff", version.full_name)
        assert status == 0, version.full_name
        assert "lab/" in printed.partition(SAME_FILES)[0]


def test_the_list_of_a_lab_names_versions_and_variants(said, checkout):
    status, printed = said("list", "03")
    assert status == 0
    for version in all_versions(checkout):
        assert (version.full_name in printed) == (version.lab.number == "03")
    assert list_command.ONLY_COMPARED not in printed
    assert list_command.ONLY_COMPARED in said("list", "05")[1]


def test_a_version_is_reset_alone(own_checkout, said):
    states = [own_checkout / ".lab" / path / "04" for path in ("textbook/04-nested-change", ".")]
    for state in states:
        (state / "sessions").mkdir(parents=True)
        (state / "sessions" / "sessionid_04x").write_text("x")
    assert said("reset", "04:nested-change")[0] == 0
    left = [len(list((state / "sessions").iterdir())) for state in states]
    assert left == [0, 1]
