"""Run a lab's tests on its textbook versions, and record the tests that detect the fault.

`python tests/support/textbook_runs.py --write` writes two files. For each version,
labs/textbook/noticed.json lists the failing tests that carry the mark of one of its pitfalls; for a
version without pitfalls, it lists all failing tests. labs/textbook/failures.json lists all failures
of each version, and `lab check` compares those of a copy with them. If versions are named, such as
03:names-as-cookies, only their results are written.
"""

import json
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog
from labkit.kept_files import write_whole
from labkit.practice.diagnosis import FAILURES, failure_of
from labkit.practice.exercise import MY_TESTS, SOLUTIONS, read_exercises
from labkit.testing.pytest_runner import Outcome, Run, run_tests
from labkit.textbook_versions import FOLDER, Version, all_versions

ROOT = Path(__file__).parents[2]
NOTICED = FOLDER / "noticed.json"
PROCESSES = 2
IN_PROCESS = (
    "not browser and not differential and not mysql and not redis and not thorough and not panel"
    " and not charts and not maintainer"
)
SEE_SOURCE = """\
from pathlib import Path

from labkit.catalog import Catalog
from labkit.testing.textbook_steps import check_cookies_apart, follow_steps
from labkit.textbook_versions import find_version


def test_see({fixture}):
    version = find_version(Catalog(Path({root!r})), {name!r})
    check_cookies_apart(version, follow_steps(version, {clock}))
"""


def see_test(version: Version) -> str:
    """Return the node ID of the test that performs a version's steps.

    If several threads serve the lab, the test is in tests/, so that the lab's conftest.py applies.
    """
    return f"{'tests/' if version.threads else ''}test_see.py::test_see"


def solutions(checkout: Catalog, version: Version) -> list[Path]:
    """Return the test files that solve an exercise whose tests should detect this version."""
    exercises = read_exercises(checkout)
    names = [exercise.name for exercise in exercises if version in exercise.faults]
    return [checkout.root / SOLUTIONS / f"{name}.py" for name in names]


def stage(checkout: Catalog, version: Version, root: Path) -> Path:
    """Write this version, with its lab's tests and a test of its steps; return the lab's folder.

    The lab's folder also contains the tests that solve an exercise with this version.
    """
    lab = version.write(root / "labs")
    for solution in solutions(checkout, version):
        shutil.copyfile(solution, lab.folder / MY_TESTS)
    for manifest in (checkout.root / MANIFEST).parent.glob("*.toml"):
        shutil.copyfile(manifest, root / MANIFEST.parent / manifest.name)
    # The threads of this lab wait for each other, and have separate connections.
    fixture, clock = ("transactional_db", "None") if version.threads else ("clock", "clock")
    source = SEE_SOURCE.format(
        root=str(checkout.root), name=version.full_name, fixture=fixture, clock=clock
    )
    see = lab.folder / see_test(version).partition("::")[0]
    see.write_text(source, encoding="utf-8")
    return lab.folder


def run(checkout: Catalog, version: Version, *arguments: str) -> Run:
    """Run pytest in a version's folder; the arguments are options and node IDs in that folder."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        root = Path(temporary).resolve()
        folder = stage(checkout, version, root)
        full = [arg if arg.startswith("-") else str(folder / arg) for arg in arguments]
        return run_tests(
            folder,
            *full,
            "-q",
            # Use a separate folder: runs that end at the same time would delete the default one.
            f"--basetemp={root / 'basetemp'}",
            checkout=checkout.root,
            environ={"LAB_STATE_DIR": str(root / ".lab"), "PYTHONDONTWRITEBYTECODE": ""},
            seconds=60,
        )


def marks(test: Outcome) -> set[str]:
    """Return the IDs of the claims and pitfalls that mark a test."""
    return set(test.properties.get("proves", ()))


def failed_on(checkout: Catalog, version: Version) -> list[Outcome]:
    """Return the tests of its lab that fail on this version."""
    found = run(checkout, version, "tests", f"-m={IN_PROCESS}")
    others = (see_test(version), MY_TESTS)
    return [t for t in found.tests if t.outcome == "failed" and not t.id.startswith(others)]


def noticing(version: Version, failed: list[Outcome]) -> list[str]:
    """Return the node IDs of the tests that detect a version's fault; see the module docstring."""
    wanted = set(version.pitfalls)
    return sorted(test.id for test in failed if not wanted or wanted & marks(test))


def read_noticed() -> dict[str, list[str]]:
    """Return {version: tests} of labs/textbook/noticed.json."""
    found: dict[str, list[str]] = json.loads((ROOT / NOTICED).read_text(encoding="utf-8"))
    return found


def write(names: list[str]) -> None:
    """Write both files, with new results for these versions, or for all versions."""
    checkout = Catalog(ROOT)
    versions = [version for version in all_versions(checkout) if version.starts]
    chosen = [version for version in versions if not names or version.full_name in names]
    known = {version.full_name for version in versions}
    noticed, failures = (
        json.loads((ROOT / path).read_text(encoding="utf-8")) if (ROOT / path).exists() else {}
        for path in (NOTICED, FAILURES)
    )
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = pool.map(lambda version: failed_on(checkout, version), chosen)
        for version, failed in zip(chosen, results, strict=True):
            name = version.full_name
            noticed[name] = noticing(version, failed)
            failures[name] = sorted(map(failure_of, failed))
            print(f"{name}: {len(noticed[name])} of {len(failed)}", flush=True)
    for path, content in ((NOTICED, noticed), (FAILURES, failures)):
        kept = {name: content[name] for name in sorted(content) if name in known}
        lines = [
            f" {json.dumps(name)}: [\n"
            + ",\n".join(f"  {json.dumps(e, ensure_ascii=False)}" for e in found)
            + "\n ]"
            for name, found in kept.items()
        ]
        write_whole(ROOT / path, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    if "--write" not in sys.argv[1:]:
        sys.exit(__doc__)
    write([name for name in sys.argv[1:] if name != "--write"])
