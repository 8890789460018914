"""Read the claims and pitfalls in labs/claims.toml, and find the tests that prove them.

A test proves an entry if it is marked with `@pytest.mark.claim("C63")` or
`@pytest.mark.pitfall("B32")`. A case in tests/support/cookie_cases.py proves a claim if it has
`shows="C23"`. The IDs are read from the source code. The nox sessions write the results of the
tests to .lab/results.
"""

import ast
import json
import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from labkit.catalog import Catalog, CatalogError, Lab
from labkit.kept_files import write_whole
from labkit.sources import Source, find_sources, load_sources
from labkit.text_format import and_more, quantity

LEDGER = Path("labs", "claims.toml")
PAGE = Path("docs", "claims.md")
RESULTS = Path(".lab", "results")
MARKS = {"pytest.mark.claim": "C", "pytest.mark.pitfall": "B"}
# Claims with one of these verdicts are listed in the lab's handout.
NOT_SO = {"wrong", "outdated", "contradicted"}
# The possible verdicts on a claim, and on a pitfall's code.
CLAIM_VERDICTS = ["holds", "partly", "wrong", "outdated", "contradicted"]
PITFALL_VERDICTS = ["crashes", "silent", "outdated"]
VERDICTS = list(dict.fromkeys(CLAIM_VERDICTS + PITFALL_VERDICTS))

# Error messages; the tests look for them.
DAMAGED = "is damaged and cannot be read. To write it again: nox"
NO_TEST = "has no test with its mark"
NO_CLAIMS = "No textbook claim belongs to this lab yet. `lab claims` lists those of all labs."
NO_LAB = "which is not in labs.toml"
INSTEAD = "needs `instead` if it is a pitfall, and must not have it if it is a claim"
PYTESTMARK = "has pytestmark; mark each test or class separately"
NOT_QUOTED = "which is not an ID in quotes"
UNKNOWN = "which does not exist"


@dataclass(frozen=True)
class Entry:
    """A claim or a pitfall. Only pitfalls have `instead`."""

    id: str  # "C63", "B32"
    text: str  # what textbooks say; for a pitfall, what their code does
    verdict: str  # one of VERDICTS; it applies to current versions of Django and browsers
    evidence: str  # what actually happens
    why: str  # the reason for the verdict, in one or two sentences
    sources: tuple[Source, ...]  # the sections in which readers can check the reason
    lab: str  # the number of the lab that demonstrates it
    instead: str = ""  # what the labs do

    @property
    def is_claim(self) -> bool:
        """Return True for a claim, False for a pitfall."""
        return self.id.startswith("C")


@dataclass(frozen=True)
class Proof:
    """The location of a proof: a mark on a test, or a case that has `shows`."""

    id: str  # the ID in the mark, or the code of the mark's argument if it is not a string
    kind: str  # "C" for a claim, "B" for a pitfall
    file: Path  # relative to the checkout
    line: int
    test: str  # "TestClass::test_name"; empty for a case

    def __str__(self) -> str:
        return self.file.as_posix() + (f"::{self.test}" if self.test else "")


@dataclass(frozen=True)
class Ledger:
    """The claims and pitfalls of a checkout."""

    catalog: Catalog

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return all claims and then all pitfalls.

        Raises CatalogError if the file cannot be read, or if an entry has no source.
        """
        path = self.catalog.root / LEDGER
        try:
            known = load_sources(self.catalog.root)
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            return tuple(
                Entry(id=id_, sources=find_sources(known, rest.pop("sources", None), id_), **rest)
                for id_, rest in data.items()
            )
        except (OSError, TypeError, ValueError) as error:
            raise CatalogError(f"{path} cannot be read: {error}.") from None

    @cached_property
    def proofs(self) -> tuple[Proof, ...]:
        """Return all proofs in the tests of the labs and of labkit, and in the contracts."""
        root = self.catalog.root
        folders = ["labs/*/tests", "tests", "src/labkit/testing/contracts"]
        files = sorted(path for folder in folders for path in root.glob(f"{folder}/**/*.py"))
        return tuple(proof for path in files for proof in _read_marks(path, root))

    def proofs_of(self, entry: Entry) -> list[Proof]:
        """Return the proofs of this entry; those from the tests of its lab come first."""
        places = [f"labs/{entry.lab}_", "src/", "tests/", "labs/"]
        found = [proof for proof in self.proofs if proof.id == entry.id]
        return sorted(found, key=lambda p: [not str(p).startswith(place) for place in places])

    def of_lab(self, lab: Lab) -> list[Entry]:
        """Return the entries that belong to this lab."""
        return [entry for entry in self.entries if entry.lab == lab.number]

    def find_faults(self) -> Iterator[str]:
        """Yield a sentence for each error in labs/claims.toml or in the marks."""
        known = {entry.id for entry in self.entries}
        labs = {lab.number for lab in self.catalog.labs}
        for entry in self.entries:
            if not self.proofs_of(entry):
                yield f"{entry.id} {NO_TEST}"
            if entry.lab not in labs:
                yield f"{entry.id} belongs to lab {entry.lab}, {NO_LAB}"
            if entry.verdict not in (CLAIM_VERDICTS if entry.is_claim else PITFALL_VERDICTS):
                yield f"{entry.id} has the verdict {entry.verdict}, {UNKNOWN}"
            if bool(entry.instead) == entry.is_claim:
                yield f"{entry.id}: {INSTEAD}"
        for proof in self.proofs:
            if not proof.id:
                yield f"{proof}: line {proof.line} {PYTESTMARK}"
            elif not re.fullmatch(r"[BC]\d+", proof.id):
                yield f"{proof}: line {proof.line} has the mark {proof.id}, {NOT_QUOTED}"
            elif proof.id not in known or not proof.id.startswith(proof.kind):
                yield f"{proof}: line {proof.line} has a mark for {proof.id}, {UNKNOWN}"

    # The results of the last nox run

    def find_unproved(self) -> Iterator[str]:
        """Yield a sentence for each entry that the last run of nox did not prove.

        It is not an error if tests were skipped because a program is missing, unless CI is set.
        """
        outcomes: defaultdict[str, set[str]] = defaultdict(set)
        skipped = False
        for path in sorted((self.catalog.root / RESULTS).glob("*.json")):
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                skipped = skipped or "skipped" in found
                for outcome in found.get("tests", []):
                    for id_ in outcome["proves"]:
                        outcomes[id_].add(outcome["outcome"])
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                yield f"{path} {DAMAGED}"
        for entry in self.entries:
            got = outcomes[entry.id]
            lenient = not os.environ.get("CI") and (skipped or "skipped" in got)
            if "failed" in got:
                yield f"{entry.id}: a test that proves it failed"
            elif "passed" not in got and not lenient:
                yield f"{entry.id}: no test that proves it passed in the last run"

    # Pages

    def page(self) -> str:
        """Return the text of docs/claims.md: all entries, grouped by lab, with their tests."""
        claims, pitfalls = _split(self.entries)
        lines = [
            "# Claims and pitfalls",
            "",
            f"Textbooks on cookies and sessions make {len(claims)} claims, and their code has "
            f"{len(pitfalls)} pitfalls. This page says what happens with today's Django and "
            "browsers, and why. At least one test shows each entry, and `nox` fails if there is "
            "none. `lab claims --write` makes this page from "
            "[labs/claims.toml](../labs/claims.toml).",
        ]
        for lab in filter(self.of_lab, self.catalog.labs):
            lines += ["", f'<a id="lab-{lab.number}"></a>', "", f"## {lab.number} {lab.title}"]
            claims, pitfalls = _split(self.of_lab(lab))
            rows = [self._row(e, e.text, e.verdict, e.evidence, e.why) for e in claims]
            lines += _table("| | Claim | Verdict | What happens | Why | Source | Test |", rows)
            rows = [self._row(e, e.text, e.evidence, e.why, e.instead) for e in pitfalls]
            lines += _table(
                "| | The textbook's code | What happens | Why | In the lab | Source | Test |", rows
            )
        return "\n".join(lines) + "\n"

    def _row(self, entry: Entry, *texts: str) -> list[str]:
        link = ""
        if proofs := self.proofs_of(entry):
            name = proofs[0].test.rpartition("::")[2] or proofs[0].file.name
            link = f"[{name}](../{proofs[0].file.as_posix()}){and_more(len(proofs))}"
        sources = ", ".join(source.markdown for source in entry.sources)
        return [entry.id, *map(_escape, texts), sources, link]

    def section(self, lab: Lab) -> str:
        """Return the Claims section of a lab's handout: counts, and claims that are not true."""
        claims, pitfalls = _split(self.of_lab(lab))
        if not (claims or pitfalls):
            return f"{NO_CLAIMS}\n"
        counts = {"claim": len(claims), "pitfall": len(pitfalls)}
        met = " and ".join(quantity(count, noun) for noun, count in counts.items() if count)
        link = f"[{met}](../../{PAGE.as_posix()}#lab-{lab.number})"
        wrong = [
            [e.id, _escape(e.text), _escape(e.evidence)] for e in claims if e.verdict in NOT_SO
        ]
        lines = [
            f"This lab tests {link} from textbooks, with reasons and sources.",
            f"`lab claims --lab {lab.number}` shows them in the terminal.",
            *_table("| | What the textbook says | What happens |", wrong),
        ]
        return "\n".join(lines) + "\n"

    def handout(self, lab: Lab) -> str:
        """Return the text of a lab's README.md with an updated Claims section."""
        text = (lab.folder / "README.md").read_text(encoding="utf-8")
        old = r"\n## Claims\n.*?(?=\n## |\Z)"
        place = old if "\n## Claims\n" in text else r"(?=\n## Twin\n)|\Z"
        before, after = re.split(place, text, maxsplit=1, flags=re.DOTALL)
        return f"{before.rstrip()}\n\n## Claims\n\n{self.section(lab)}{after}"

    def write(self) -> list[Path]:
        """Update docs/claims.md and the handouts, and return the files that changed."""
        root = self.catalog.root
        wanted = {root / PAGE: self.page()}
        wanted |= {lab.folder / "README.md": self.handout(lab) for lab in self.catalog.labs}
        changed = [
            p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text
        ]
        for path in changed:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, wanted[path])
        return changed


def _split(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Split entries into claims and pitfalls."""
    return [e for e in entries if e.is_claim], [e for e in entries if not e.is_claim]


def _table(headings: str, rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table after an empty line, or [] if there are no rows."""
    if not rows:
        return []
    rule = "|---" * (headings.count("|") - 1) + "|"
    return ["", headings, rule, *(f"| {' | '.join(row)} |" for row in rows)]


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _read_marks(path: Path, root: Path) -> Iterator[Proof]:
    """Yield the proofs in this file: the marks of its tests, and its cases."""
    source = path.read_bytes()
    # Other files are not parsed, since that would take long.
    if b"pytest.mark." in source or b"shows=" in source:
        yield from _find_marks(ast.parse(source), "", path.relative_to(root))


def _find_marks(scope: ast.Module | ast.ClassDef, prefix: str, path: Path) -> Iterator[Proof]:
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{prefix}{node.name}"
            for call, kind in _marks(*node.decorator_list):
                for argument in call.args:
                    yield Proof(_id(argument), kind, path, call.lineno, name)
            if isinstance(node, ast.ClassDef):
                yield from _find_marks(node, f"{name}::", path)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            for call, kind in _marks(node.value):
                yield Proof("", kind, path, call.lineno, "")
        else:
            for call in _calls(node):
                for keyword in call.keywords:
                    if keyword.arg == "shows" and (id_ := _id(keyword.value)):
                        yield Proof(id_, "C", path, call.lineno, "")


def _marks(*nodes: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield each mark in these nodes, with the first letter of its IDs."""
    for call in _calls(*nodes):
        if kind := MARKS.get(ast.unparse(call.func)):
            yield call, kind


def _calls(*nodes: ast.AST) -> Iterator[ast.Call]:
    return (call for node in nodes for call in ast.walk(node) if isinstance(call, ast.Call))


def _id(node: ast.expr) -> str:
    """Return the value of a string literal, or the source code of any other expression."""
    text = node.value if isinstance(node, ast.Constant) else None
    return text if isinstance(text, str) else ast.unparse(node)
