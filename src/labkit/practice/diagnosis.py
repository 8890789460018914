"""Say which textbook version a failing copy looks like; say nothing if it looks like none.

The evidence counts in this order: the error with which Django does not start, work that never
reached the browser or the store, the similarity of all failures with those that a version has, and
the exception of the next thing to do, together with the line of code that raised it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from labkit.catalog import Catalog, Lab, read_lines
from labkit.practice.failure_hints import Explanation, error_line
from labkit.testing.lost_changes import DISCARDED, UNSAVED
from labkit.testing.pytest_runner import Outcome
from labkit.textbook_versions import FOLDER, Version, read_versions

FAILURES = FOLDER / "failures.json"  # {version: [[test, exception, masked message], …]}
SIMILAR = 0.7  # from which a version is named
LONGEST = 200  # characters of a message
# What differs from run to run: keys and tokens, addresses of objects, folders
RANDOM = re.compile(r"\b[0-9A-Za-z_-]{20,}\b|0x[0-9a-f]+|/\S+/|expires=[^;]+;")
# (the exception, the line of code, the version that shows the same mistake)
EXCEPTIONS = (
    (r"didn't return an HttpResponse object\. It returned None", "", "04:forgotten-return"),
    (r"TemplateDoesNotExist: ", "", "04:other-template"),
    (r"CookieError: (Illegal key|Attempt to set)", r"\bset_cookie\(", "03:names-as-cookies"),
    (r"MultiValueDictKeyError: ", r"\bPOST\b", "04:raw-post"),
    (r"MultiValueDictKeyError: ", r"\bGET\b", "05:parameter-that-must-exist"),
    (r"\bKeyError: ", r"\bCOOKIES\[", "05:cookies-that-must-exist"),
    (r"\bKeyError: ", r"\bdel .*\bsession\[", "08:deleted-twice"),
    (r"\bKeyError: ", r"\bsession\[", "08:get-before-set"),
    (r"dictionary (changed size|keys changed) during iteration", "", "04:delete-in-a-loop"),
    (r"ValueError: invalid literal for int\(\)", r"\bCOOKIES\b", "02:trusted-count"),
    (r"is not JSON serializable", "", "09:pickled-sessions"),
)
UNSAVED_TEXT = (
    "The code changes something inside an entry of the session ({what}). Django does not notice "
    "that and saves nothing. Assign to the entry, or set request.session.modified = True."
)
DISCARDED_TEXT = (
    "The code sets a cookie on one response and returns another one ({what}). Set-Cookie is a "
    "header of one response. Return the response that got the cookie."
)
# Sections of a failing test: the text, and the version that shows the same mistake
WITHOUT_ERROR = {
    UNSAVED: (UNSAVED_TEXT, "nested-change"),
    DISCARDED: (DISCARDED_TEXT, "new-response"),
}


class Failure(NamedTuple):
    """A failing test, without what differs from run to run."""

    test: str  # the node ID without its file
    exception: str  # "AssertionError"
    message: str


@dataclass(frozen=True)
class Diagnosis:
    """The fault that a failing copy seems to have."""

    text: str  # what is wrong, and why
    version: Version | None = None  # that has the same fault


def failure_of(test: Outcome) -> Failure:
    """Return the failure of a test, or of a file that cannot be imported."""
    error = error_line(test.message)
    exception, separator, message = error.partition(": ")
    if not separator or " " in exception:
        exception, message = "AssertionError", error
    name = test.id.partition("::")[2] or test.id
    return Failure(name, exception.rpartition(".")[2], RANDOM.sub("…", message)[:LONGEST])


def diagnose(
    checkout: Catalog,
    target: Lab,
    failures: Iterable[Failure],
    tests: Iterable[Outcome],
    next_step: Explanation | None = None,
    output: str = "",
) -> Diagnosis | None:
    """Return what the failures of a copy look like, None if they look like nothing known.

    failures: of the tests, in the same order.
    next_step: why the test fails that should be mended first.
    output: what the run printed, if it ended early.
    """
    tests = list(tests)
    versions = family(checkout, target)
    for version in versions:
        if version.says and version.says in output:
            return Diagnosis(version.why, version)
    if found := _work_without_effect(tests, versions):
        return found
    found_version = find_similar(checkout, target, frozenset(failures))
    if found_version is None and next_step:
        found_version = _version_of_exception(versions, next_step)
    return Diagnosis(found_version.why, found_version) if found_version else None


def family(checkout: Catalog, target: Lab) -> list[Version]:
    """Return the versions of a lab, then those of other labs that keep the same contract."""
    others = [lab for lab in checkout.labs if lab.contract and lab.contract == target.contract]
    labs = [target, *(lab for lab in others if lab.number != target.number)]
    return [version for lab in labs for version in read_versions(checkout, lab)]


def _version_of_exception(versions: list[Version], why: Explanation) -> Version | None:
    """Return the version that shows this exception, if it is one of these."""
    known = {version.full_name: version for version in versions}
    for error, line, name in EXCEPTIONS:
        if name in known and re.search(error, why.reason) and re.search(line, why.code):
            return known[name]
    return None


def _work_without_effect(tests: list[Outcome], versions: list[Version]) -> Diagnosis | None:
    """Return a diagnosis if at least half of the failing tests have one of these sections."""
    found: dict[str, list[str]] = {}
    for test in tests:
        for title, text in test.sections:
            if title in WITHOUT_ERROR:
                found.setdefault(title, []).append(text.partition("\n")[0])
    for title, places in found.items():
        if 2 * len(places) >= len(tests):
            text, name = WITHOUT_ERROR[title]
            place = Counter(places).most_common(1)[0][0]
            same = next((version for version in versions if version.name == name), None)
            return Diagnosis(text.format(what=place), same)
    return None


def read_failures(checkout: Catalog) -> dict[str, frozenset[Failure]]:
    """Return the recorded failures of each version; none if they have not been recorded."""
    data = json.loads(read_lines(checkout.root / FAILURES) or "{}")
    return {name: frozenset(Failure(*each) for each in found) for name, found in data.items()}


def find_similar(checkout: Catalog, target: Lab, failures: frozenset[Failure]) -> Version | None:
    """Return the only version that is similar enough, None if there are several or none."""
    recorded = read_failures(checkout)
    scores = []
    for version in family(checkout, target):
        known = recorded.get(version.full_name, frozenset())
        own = version.lab.number == target.number
        score = similarity(failures, known) if own else _similarity_of_contract(failures, known)
        scores.append((score, own, version))
    scores = [each for each in scores if each[0] >= SIMILAR]
    best = max(((score, own) for score, own, _ in scores), default=None)
    found = [version for score, own, version in scores if (score, own) == best]
    return found[0] if len(found) == 1 else None


def similarity(one: frozenset[Failure], other: frozenset[Failure]) -> float:
    """Return how much two sets of failures have in common, from 0 to 1.

    This is the Jaccard index of their tests, but a test that fails with the same exception and
    another message counts half.
    """
    equal = {failure.test for failure in one & other}
    alike = {f[:2] for f in one} & {f[:2] for f in other}
    tests = {failure.test for failure in one | other}
    half = {test for test, _ in alike} - equal
    return (len(equal) + len(half) / 2) / len(tests) if tests else 0.0


def _similarity_of_contract(one: frozenset[Failure], other: frozenset[Failure]) -> float:
    """Return the similarity of the tests that two labs share: those in a class."""
    return similarity(*(frozenset(f for f in side if "::" in f.test) for side in (one, other)))
