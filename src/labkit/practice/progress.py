"""Record a student's progress in progress.json, in the state folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, writable
from labkit.kept_files import write_whole
from labkit.practice.exercise import Exercise

FILE = "progress.json"
DAMAGED = "{path} was damaged. It was renamed to {kept}. Progress that could not be read is lost."
STARTED, SOLVED = "started", "solved"


@dataclass(frozen=True)
class Record:
    """A student's progress in one exercise."""

    state: str = ""  # STARTED or SOLVED; "" if the exercise was not started
    hints_shown: int = 0
    # The exercise's fingerprint when its starter was made or, once it is solved, when it passed.
    fingerprint: str = ""
    attempts: int = 0  # the number of checks

    def is_current(self, exercise: Exercise) -> bool:
        """Return whether the exercise is still the same as when it was started or solved."""
        return not self.state or self.fingerprint == exercise.fingerprint


@dataclass(frozen=True)
class Progress:
    """The records of all exercises by name. If the file was damaged, `notice` says so."""

    records: dict[str, Record]  # in the order of work; the exercise worked on last is at the end
    notice: str = ""

    def of(self, exercise: Exercise) -> Record:
        """Return the record of an exercise; it is empty if the exercise was not started."""
        return self.records.get(exercise.name, Record())

    def find_next(self, exercises: Sequence[Exercise]) -> Exercise | None:
        """Return the exercise to work on next, or None if all are solved.

        This is the one worked on last or, if it is solved, the next unsolved one after it.
        """
        known = [exercise.name for exercise in exercises]
        worked_on = [name for name in self.records if name in known]
        first = known.index(worked_on[-1]) if worked_on else 0
        in_order = [*exercises[first:], *exercises[:first]]
        return next((each for each in in_order if self.of(each).state != SOLVED), None)


def read_progress(checkout: Catalog) -> Progress:
    """Return the progress. A damaged file is renamed, so that it is reported only once.

    Raises CatalogError if a damaged file cannot be renamed.
    """
    path = checkout.state / FILE
    try:
        content = path.read_bytes()
    except OSError:  # the file has not been written yet
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
    """Return the record in this JSON value, or None if it does not contain a valid record."""
    values = table if isinstance(table, dict) else {}
    known = {key: value for key, value in values.items() if key in Record.__annotations__}
    types_match = all(type(value) is type(getattr(Record, key)) for key, value in known.items())
    return Record(**known) if types_match and known.get("state") in {STARTED, SOLVED} else None


def note_start(checkout: Catalog, exercise: Exercise) -> None:
    """Record that a student starts an exercise, or starts it again.

    A solved exercise stays solved, unless it has changed since it was solved.
    """

    def change(record: Record) -> Record:
        solved = record.state == SOLVED and record.is_current(exercise)
        return Record(SOLVED if solved else STARTED, fingerprint=exercise.fingerprint)

    _change(checkout, exercise, change)


def note_hint(checkout: Catalog, exercise: Exercise, shown: int) -> None:
    """Record how many hints have been shown."""
    _change(checkout, exercise, lambda record: replace(record, hints_shown=shown))


def note_result(checkout: Catalog, exercise: Exercise, passed: bool) -> None:
    """Record the result of a check. A solved exercise stays solved."""

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
    _write(checkout, others | {exercise.name: record})  # must be last: see Progress.records


def _write(checkout: Catalog, records: dict[str, Record]) -> None:
    """Write all records. Raises CatalogError if the state folder is not writable."""
    folder: Path = writable(checkout.state)
    text = json.dumps({name: asdict(record) for name, record in records.items()}, indent=1)
    write_whole(folder / FILE, text + "\n", private=True)
