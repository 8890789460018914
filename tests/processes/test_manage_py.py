"""Test running a lab's manage.py in a separate process, because a copy's code may run forever."""

import pytest

from labkit.catalog import Catalog
from labkit.processes.manage_py import (
    NEVER_ENDED,
    DatabaseNotReady,
    lab_environment,
    run_manage_py,
)


def test_a_loop_is_ended_and_its_place_named(own_checkout):
    lab = Catalog(own_checkout).find("06")
    (lab.folder / "manage.py").write_text("while True: pass\n")
    with pytest.raises(DatabaseNotReady) as error:
        run_manage_py(lab, lab_environment(), "migrate", seconds=3)
    place = ": manage.py, line 1"
    expected = NEVER_ENDED.format(command="migrate", seconds=3, place=place)
    assert str(error.value).endswith(expected)


def test_a_question_finds_no_terminal(own_checkout):
    lab = Catalog(own_checkout).find("06")
    (lab.folder / "manage.py").write_text("input('Are you sure?')\n")
    with pytest.raises(DatabaseNotReady, match="EOFError"):
        run_manage_py(lab, lab_environment(), "flush")
