"""Keep what a student has done in progress.json, in the state folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, writable
from labkit.kept_files import write_whole
from labkit.practice.exercise import Exercise

FILE = "progress.json"
DAMAGED = (
    "{path} was damaged. It is kept as {kept}, and entries that could not be read start again."
)
STARTED, SOLVED = "started", "solved"


@dataclass(frozen=True)
class Record:
    """How far one exercise is."""

    state: str = ""  # STARTED or SOLVED; "" if not started
    hints_shown: int = 0
    # Of the exercise as it was when the starter was made or, once solved, when it passed.
    fingerprint: str = ""
    attempts: int = 0  # checks

    def is_current(self, exercise: Exercise) -> bool:
        """Return False if the exercise has changed since it was started or solved."""
        return not self.state or self.fingerprint == exercise.fingerprint


@dataclass(frozen=True)
class Progress:
    """The records of all exercises, by name; `notice` says if the file was damaged."""

    records: dict[str, Record]  # the one that was worked on last is the last one
    notice: str = ""

    def of(self, exercise: Exercise) -> Record:
        """Return the record of an exercise; an empty one if it was not started."""
        return self.records.get(exercise.name, Record())

    def find_next(self, exercises: Sequence[Exercise]) -> Exercise | None:
        """Return the exercise to go on with, None if all are solved.

        It is the one worked on last if that is not solved, or else the next open one after it.
        """
        known = [exercise.name for exercise in exercises]
        worked_on = [name for name in self.records if name in known]
        first = known.index(worked_on[-1]) if worked_on else 0
        in_order = [*exercises[first:], *exercises[:first]]
        return next((each for each in in_order if self.of(each).state != SOLVED), None)


def read_progress(checkout: Catalog) -> Progress:
    """Return the progress. A damaged file is set aside, so it is reported once.

    Raises CatalogError if a damaged file cannot be set aside.
    """
    path = checkout.state / FILE
    try:
        content = path.read_bytes()
    except OSError:  # not written yet
        return Progress({})
    try:
        data = json.loads(content)
    except ValueError:
        data = None
    tables = data if isinstance(data, dict) else {}
    records = {name: record for name, table in tables.items() if (record := _record(table))}
    if isinstance(data, dict) and len(records) == len(data):
        return Progress(records)
    kept = path.with_name(f"{FILE}.damaged")
    writable(checkout.state)
    path.replace(kept)
    _write(checkout, records)
    return Progress(records, DAMAGED.format(path=path, kept=kept.name))


def _record(table: Any) -> Record | None:
    """Return the record in this JSON value, None if it is not one."""
    values = table if isinstance(table, dict) else {}
    known = {key: value for key, value in values.items() if key in Record.__annotations__}
    types_match = all(type(value) is type(getattr(Record, key)) for key, value in known.items())
    return Record(**known) if types_match and known.get("state") in {STARTED, SOLVED} else None


def note_start(checkout: Catalog, exercise: Exercise) -> None:
    """Note that a student starts an exercise, from the beginning.

    An exercise that has been solved stays solved, unless it has changed since then.
    """

    def change(record: Record) -> Record:
        solved = record.state == SOLVED and record.is_current(exercise)
        return Record(SOLVED if solved else STARTED, fingerprint=exercise.fingerprint)

    _change(checkout, exercise, change)


def note_hint(checkout: Catalog, exercise: Exercise, shown: int) -> None:
    """Record the number of hints that have been shown."""
    _change(checkout, exercise, lambda record: replace(record, hints_shown=shown))


def note_result(checkout: Catalog, exercise: Exercise, passed: bool) -> None:
    """Note a check. An exercise that has been solved stays solved."""

    def change(record: Record) -> Record:
        record = replace(record, state=record.state or STARTED, attempts=record.attempts + 1)
        if passed:
            return replace(record, state=SOLVED, fingerprint=exercise.fingerprint)
        return replace(record, fingerprint=record.fingerprint or exercise.fingerprint)

    _change(checkout, exercise, change)


def _change(checkout: Catalog, exercise: Exercise, change: Callable[[Record], Record]) -> None:
    progress = read_progress(checkout)
    record = change(progress.of(exercise))
    others = {name: each for name, each in progress.records.items() if name != exercise.name}
    _write(checkout, others | {exercise.name: record})  # at the end: see Progress.records


def _write(checkout: Catalog, records: dict[str, Record]) -> None:
    """Write all records. Raises CatalogError if the state folder cannot be written."""
    folder: Path = writable(checkout.state)
    text = json.dumps({name: asdict(record) for name, record in records.items()}, indent=1)
    write_whole(folder / FILE, text + "\n", private=True)
