"""Compare the facts in the tables, claims and notes with those in an earlier revision.

    python tests/support/facts.py REV

Rewording must not change a fact: the IDs, verdicts and labs of claims and pitfalls, the questions,
answers and variants of the tables, what supports each conclusion, the number of notes on each file
(their keys quote code, which has comments), the names and steps of textbook versions, and the
measured figures. The exit status is 1 if a fact has changed, or if a number has disappeared from a
text. Numbers that were added to a text are listed.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CODE = {"old", "new"}  # fields of textbook versions; other tests compare their values with the labs
PROSE = {"text", "evidence", "instead", "why", "title", "symptom", "about", "sentence", "sources"}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:[ ,]\d{3})*(?:\.\d+)*")

Fact = tuple[str, Any]  # a place, such as "claims/C63/verdict", and the value there


def files_of(revision: str) -> dict[str, str]:
    """Return the text of each file that contains facts, at a revision; "" is the working tree."""
    folders = ["labs/", "docs/measured/"]
    listing = ["ls-tree", "-r", "--name-only", revision] if revision else ["ls-files"]
    names = _git(*listing, *folders).splitlines()
    wanted = [n for n in names if re.fullmatch(r"labs/[a-z/0-9]+\.toml|docs/measured/.+\.json", n)]
    if revision:
        return {name: _git("show", f"{revision}:{name}") for name in wanted}
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in wanted}


def facts_of(files: dict[str, str]) -> dict[str, Any]:
    """Return {place: fact} for all facts."""
    facts: dict[str, Any] = {}
    for name in ("claims", "compare", "notes"):
        facts |= dict(_walk(name, tomllib.loads(files[f"labs/{name}.toml"])))
    for name, text in files.items():
        if name.startswith("labs/textbook/"):
            facts |= dict(_walk(Path(name).stem, tomllib.loads(text)))
        elif name.startswith("docs/measured/"):
            facts[name] = list(_figures(json.loads(text)))
    return facts


def numbers_of(files: dict[str, str]) -> dict[str, Counter[str]]:
    """Return the numbers in the texts, by place: an entry, a question, a note or a version."""
    numbers: dict[str, Counter[str]] = {}
    for name in (n for n in files if re.match(r"labs/(claims|compare|notes|textbook/)", n)):
        for place, text in _texts(Path(name).stem, tomllib.loads(files[name])):
            found = (re.sub(r"[ ,]", "", number) for number in NUMBER.findall(text))
            numbers.setdefault(place, Counter()).update(found)
    return numbers


def _walk(place: str, value: Any) -> Iterator[Fact]:
    """Yield the facts of a table or list, without prose."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "notes":
                yield f"{place}/notes", {file: len(notes) for file, notes in inner.items()}
            elif key not in PROSE | CODE:
                yield from _walk(f"{place}/{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            label = inner.get("id", index) if isinstance(inner, dict) else index
            yield from _walk(f"{place}/{label}", inner)
    else:
        yield place, value


def _figures(value: Any) -> Iterator[float]:
    """Yield the numbers in a file of measured figures, in order."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _figures(inner)
    elif isinstance(value, int | float):
        yield value


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield each text with its place, without the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in CODE | {"sources"}:
                yield from _texts(place if key in PROSE else f"{place}/{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            label = inner.get("id", index) if isinstance(inner, dict) else index
            yield from _texts(f"{place}/{label}", inner)
    elif isinstance(value, str):
        yield place, value


def compare(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return a line for each fact that changed, and the numbers that were added to texts."""
    old, new = facts_of(before), facts_of(after)
    changed = [
        f"{place}: {old.get(place, 'nothing')} before, {new.get(place, 'nothing')} now"
        for place in sorted(old.keys() | new.keys())
        if old.get(place) != new.get(place)
    ]
    gained = []
    was, is_now = numbers_of(before), numbers_of(after)
    for place in sorted(was.keys() | is_now.keys()):
        earlier, later = set(was.get(place, ())), set(is_now.get(place, ()))
        changed += [f"{place}: lost the number {number}" for number in sorted(earlier - later)]
        gained += [f"{place}: {number}" for number in sorted(later - earlier)]
    return changed, gained


def main(revision: str) -> int:
    """Print the comparison of a revision with the working tree; return the exit status."""
    before, after = files_of(revision), files_of("")
    changed, gained = compare(before, after)
    facts = facts_of(after)
    counts = Counter(place.partition("/")[0] for place in facts)
    lines = [f"{len(facts)} facts in {len(after)} files, compared with {revision}: {dict(counts)}"]
    lines += ["Changed:", *changed] if changed else ["All facts are the same."]
    lines += ["Numbers that a text has gained:", *gained] if gained else []
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if changed else 0


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
