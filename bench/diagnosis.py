"""Measure how `lab check` judges mistakes and correct solutions that its authors had not seen.

    python bench/diagnosis.py [--tiny] [--only 03,04] [--cases bench/diagnosis_cases/second]
    python bench/diagnosis.py --versions

bench/diagnosis_cases/NN.toml has edits of lab NN, written by someone who did not know the textbook
versions: pitfalls written in another way ("rewordings"), other mistakes, and correct copies. A
rewording counts as recognised if the check names a textbook version with the same pitfall, and as
wrong if it names another version. --tiny checks only two cases. These cases were used to tune the
rules of the diagnosis. The cases in bench/diagnosis_cases/second were written afterwards, by
someone else.

With --versions, the textbook versions themselves are checked. Each check may print 25 lines.
"""

import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import common
from rich.table import Table

from labkit.catalog import Catalog
from labkit.practice.check import Report, check
from labkit.practice.check_summary import MOST_LINES, summary
from labkit.textbook_versions import Version, all_versions
from labkit.textbook_versions.version import Edit

CASES = common.ROOT / "bench" / "diagnosis_cases"
KINDS = ("rewording", "other", "right", "version")
# {verdict: (the kind of case, the target for 25 rewordings, 25 other mistakes or 20 copies)}
AIMS = {
    "recognised": ("rewording", "at least 10 of 25"),
    "named wrongly": ("rewording", "none"),
    "others named": ("other", "at most 1 of 25"),
    "right passing": ("right", "at least 16 of 20"),
    "itself named": ("version", "no limit"),
    "another named": ("version", "none"),
}
PROCESSES = 2


@dataclass(frozen=True)
class Case:
    """One edited lab."""

    version: Version  # the lab with the case's edits, although it is not a textbook version
    kind: str  # of KINDS
    pitfall: str = ""  # the pitfall of which the case is a rewording, such as "B09"


@dataclass(frozen=True)
class Judgement:
    """The result of `lab check` for a case."""

    case: Case
    passed: bool
    named: str = ""  # the textbook version that the check named, or ""
    verdict: str = ""  # the key in AIMS of the target that the case counts towards, or ""
    lines: int = 0  # that `lab check` prints


def read_cases(checkout: Catalog, folder: Path = CASES) -> list[Case]:
    """Return the cases of all labs. An invalid case raises CatalogError, KeyError or ValueError."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        lab = checkout.find(path.stem)
        for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if table["kind"] not in KINDS or (table["kind"] == "rewording") != ("pitfall" in table):
                raise ValueError(f"{path.name}, {name}: wrong kind, or a pitfall missing")
            edits = [Edit(edit["file"], edit["old"], edit["new"]) for edit in table["edit"]]
            case = Version(lab, name, table["what"], "", "", (), tuple(edits))
            found.append(Case(case, table["kind"], table.get("pitfall", "")))
    return found


def judge(checkout: Catalog, case: Case) -> Judgement:
    """Check one case."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        copy = case.version.write(Path(temporary).resolve() / "labs")
        report = check(checkout, copy, case.version.lab, 60)
    name = copy.folder.name
    printed = summary(report, {"name": name, "number": case.version.lab.number}, name)
    heading = 1  # which copy is checked, and against which lab
    return replace(verdict(case, report), lines=heading + len(printed))


def verdict(case: Case, report: Report) -> Judgement:
    """Return what a report says about a case."""
    found = report.diagnosis.version if report.diagnosis else None
    named = found.full_name if found else ""
    word = ""
    if case.kind == "right":
        word = "right passing" if report.holds else ""
    elif case.kind == "version" and found:
        word = "itself named" if named == case.version.full_name else "another named"
    elif case.kind == "other":
        word = "others named" if found else ""
    elif found:
        word = "recognised" if case.pitfall in found.pitfalls else "named wrongly"
    return Judgement(case, report.holds, named, word)


def figures(judgements: list[Judgement]) -> dict[str, Any]:
    """Return the counts, and a row for each case."""
    kinds = Counter(judgement.case.kind for judgement in judgements)
    words = Counter(judgement.verdict for judgement in judgements)
    rows = [
        {
            "lab": one.case.version.lab.number,
            "case": one.case.version.name,
            "kind": one.case.kind,
            "pitfall": one.case.pitfall,
            "passed": one.passed,
            "named": one.named,
            "lines": one.lines,
        }
        for one in judgements
    ]
    return {
        "cases": {kind: kinds[kind] for kind in KINDS},
        "counts": {word: words[word] for word in AIMS},
        "most_lines": max(one.lines for one in judgements),
        "rows": rows,
    }


def show(found: dict[str, Any]) -> None:
    """Print a line for each case, and the counts."""
    table = Table("lab", "case", "kind", "pitfall", "passed", "named", "lines", box=None)
    for row in found["rows"]:
        table.add_row(*(str(value) if value != "" else "–" for value in row.values()))
    common.console.print(table)
    kinds = [kind for kind, count in found["cases"].items() if count]
    common.console.print(", ".join(f"{found['cases'][kind]} of the kind {kind}" for kind in kinds))
    for word, count in found["counts"].items():
        kind, aim = AIMS[word]
        if kind in kinds:
            common.console.print(f"{word}: {count} (aim: {aim})")
    common.console.print(f"lines: at most {found['most_lines']} (aim: at most {MOST_LINES})")


def main() -> None:
    """Check all cases, and print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--only", default="", help="labs, separated by commas")
    parser.add_argument("--cases", type=Path, default=CASES, help="the folder with the cases")
    parser.add_argument("--versions", action="store_true", help="check the textbook versions")
    options = parser.parse_args()
    checkout = Catalog(common.ROOT)
    only = set(filter(None, options.only.split(",")))
    if options.versions:
        cases = [Case(version, "version") for version in all_versions(checkout)]
    else:
        cases = read_cases(checkout, options.cases)
    cases = [case for case in cases if not only or case.version.lab.number in only]
    if options.tiny:
        cases = [next(case for case in cases if case.kind == kind) for kind in ("other", "right")]
    with ThreadPoolExecutor(PROCESSES) as pool, common.Steps(len(cases)) as steps:
        judgements = []
        for judgement in pool.map(lambda case: judge(checkout, case), cases):
            steps.begin(f"{judgement.case.version.full_name}: {judgement.verdict or 'silent'}")
            steps.done()
            judgements.append(judgement)
    found = figures(judgements)
    show(found)
    common.keep(options, "diagnosis", found, {}, "sqlite")


if __name__ == "__main__":
    main()
