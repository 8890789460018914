"""Test the state folder: one that is not writable, and LAB_STATE_DIR."""

import dataclasses
import json
import subprocess
import sys

import pytest
from serving import SERVE, free_base

from labkit.catalog import NOT_WRITABLE, Catalog, state_path
from labkit.compare import table_runner
from labkit.comparison_tables import Tables
from labkit.measure import report
from labkit.processes.ports import free_port
from labkit.services import database_choice

WAY_OUT = NOT_WRITABLE.partition(")")[2]


@pytest.fixture
def blocked(own_checkout):
    """A checkout in which .lab is a file, so that nothing can be written there."""
    (own_checkout / ".lab").touch()
    return own_checkout


@pytest.mark.parametrize(
    "command",
    [
        "run 03 --port {port}",
        "run 04 --port {port}",
        "run 04 --port {port} --db mysql",
        "reset 04",
        "reset --all",
        "compare counts",
        "compare counts --measure",
    ],
)
def test_a_command_that_cannot_write_names_a_way_out(blocked, said, command):
    status, text = said(*command.format(port=free_port()).split())
    assert status == 1
    assert text.endswith(" ".join(WAY_OUT.split()))
    assert str(blocked / ".lab") in text


def test_serving_names_the_way_out_as_well(blocked):
    command = [*SERVE, "--only", "03", "--port", str(free_base())]
    done = subprocess.run(command, cwd=blocked, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(WAY_OUT)
    assert "Traceback" not in done.stderr


def test_a_file_of_another_user_counts_as_well(own_checkout, said, monkeypatch):
    """Root can write everywhere, so the test replaces os.access()."""
    state = own_checkout / ".lab" / "04"
    state.mkdir(parents=True)
    (state / "secret_key").write_text("x" * 50)
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "secret_key")
    status, text = said("reset", "04")
    assert status == 1
    assert str(state / "secret_key") in text
    assert text.endswith(" ".join(WAY_OUT.split()))


def test_checks_and_copies_need_no_state_folder(blocked, said):
    assert said("copy", "02", "mine")[0] == 0
    assert said("diff", "02", "mine")[0] == 0


def test_other_files_that_cannot_be_written_are_one_sentence(own_checkout, said):
    (own_checkout / "docs").touch()
    status, text = said("claims", "--write")
    assert status == 1
    assert str(own_checkout / "docs") in text


def test_a_relative_state_folder_is_beside_the_command(own_checkout, said, monkeypatch):
    monkeypatch.setenv("LAB_STATE_DIR", "state")
    assert said("reset", "04")[0] == 0
    assert (own_checkout / "state" / "04").is_dir()
    assert not (own_checkout / ".lab").exists()


def test_all_that_is_kept_is_in_the_state_folder(own_checkout, monkeypatch):
    state = own_checkout / "elsewhere"
    monkeypatch.setenv("LAB_STATE_DIR", str(state))
    checkout = Catalog(own_checkout)
    lab = checkout.find("04")
    assert state_path(lab.folder) == state / "04"
    assert not database_choice.has_private_rows(checkout, lab)
    (state / "mariadb" / "data" / "lab_04").mkdir(parents=True)
    assert database_choice.has_private_rows(checkout, lab)
    assert report.places(own_checkout)["here"] == state / "compare"
    table = Tables(checkout).find("counts")
    result = table_runner.TableResult("counts", "2026-01-01", "3", "5", (), ())
    (state / "compare").mkdir()
    (state / "compare" / "counts.json").write_text(json.dumps(dataclasses.asdict(result)))
    assert table_runner.read_last_result(checkout, table) == result


def test_a_server_keeps_its_state_there(own_checkout, monkeypatch, tmp_path):
    """`manage.py` runs in the lab's folder, but writes nothing there."""
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "state"))
    lab = Catalog(own_checkout).find("04").folder
    before = sorted(lab.rglob("*"))
    subprocess.run([sys.executable, "-B", "manage.py", "check"], cwd=lab, check=True)
    assert (tmp_path / "state" / "04" / "secret_key").exists()
    assert sorted(lab.rglob("*")) == before
