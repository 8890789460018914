"""Exercises: the catalogue, starters, progress and the commands."""

import re

import pytest

from labkit.catalog import Catalog
from labkit.practice.exercise import (
    ExerciseError,
    exercise_of,
    find_exercise,
    read_exercises,
)


@pytest.fixture
def exercises(checkout):
    return read_exercises(checkout)


# The catalogue


def test_every_exercise_is_complete(exercises):
    for exercise in exercises:
        assert exercise.changed_files() or exercise.kind in {"convert", "test"}, exercise.name
        assert exercise.fingerprint


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
    path = own_checkout / "labs" / "exercises.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ExerciseError, match=r"exercises\.toml, (red-apple|Red)"):
        read_exercises(Catalog(own_checkout))


def test_an_unknown_exercise_says_where_they_are_listed(checkout):
    with pytest.raises(ExerciseError, match=re.escape("lab practice")):
        find_exercise(checkout, "nothing")


def test_an_exercise_is_found_from_inside_its_folder(own_checkout):
    checkout = Catalog(own_checkout)
    inside = own_checkout / "practice" / "red-apple" / "lab"
    assert exercise_of(checkout, inside).name == "red-apple"
    assert exercise_of(checkout, own_checkout / "practice") is None
    assert exercise_of(checkout, own_checkout / "practice" / "other") is None
