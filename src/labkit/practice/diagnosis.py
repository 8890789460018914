"""Name the textbook version whose failures resemble those of a failing copy, if there is one.

The following evidence is used, in this order: an error with which Django does not start; changes
that never reached the browser or the store; the similarity of all failures to those of a version;
and the exception that is to be fixed first, with the line of code that raised it.
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

# {version: a list of its failures, each [test, exception, masked message]}
FAILURES = FOLDER / "failures.json"
SIMILAR = 0.7  # the similarity from which a version is named
LONGEST = 200  # characters of a message that are compared
# Text that differs from run to run: keys and tokens, addresses of objects, and folders.
RANDOM = re.compile(r"\b[0-9A-Za-z_-]{20,}\b|0x[0-9a-f]+|/\S+/|expires=[^;]+;")
# (pattern of the exception, pattern of the line of code, version with the same mistake)
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
# {title of a section in a failed test's report: (text, version with the same mistake)}
WITHOUT_ERROR = {
    UNSAVED: (UNSAVED_TEXT, "nested-change"),
    DISCARDED: (DISCARDED_TEXT, "new-response"),
}


class Failure(NamedTuple):
    """A failed test, without details that differ from run to run."""

    test: str  # the node ID without the file
    exception: str  # such as "AssertionError"
    message: str


@dataclass(frozen=True)
class Diagnosis:
    """The fault that a failing copy seems to have."""

    text: str  # what is wrong, and why
    version: Version | None = None  # a version with the same fault


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
    """Return a diagnosis of a copy's failures, or None if they resemble no known ones.

    failures: the failures of `tests`, in the same order.
    next_step: the explanation of the failure to fix first.
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
    """Return the versions of a lab, and then those of other labs with the same contract."""
    others = [lab for lab in checkout.labs if lab.contract and lab.contract == target.contract]
    labs = [target, *(lab for lab in others if lab.number != target.number)]
    return [version for lab in labs for version in read_versions(checkout, lab)]


def _version_of_exception(versions: list[Version], why: Explanation) -> Version | None:
    """Return the version among these that raises the explained exception, or None."""
    known = {version.full_name: version for version in versions}
    for error, line, name in EXCEPTIONS:
        if name in known and re.search(error, why.reason) and re.search(line, why.code):
            return known[name]
    return None


def _work_without_effect(tests: list[Outcome], versions: list[Version]) -> Diagnosis | None:
    """Return a diagnosis if at least half of the failed tests report changes without an effect."""
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
    """Return the recorded failures of each version, {name: failures}."""
    data = json.loads(read_lines(checkout.root / FAILURES) or "{}")
    return {name: frozenset(Failure(*each) for each in found) for name, found in data.items()}


def find_similar(checkout: Catalog, target: Lab, failures: frozenset[Failure]) -> Version | None:
    """Return the version that is most similar, or None if none is similar enough or several tie."""
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
    """Return the similarity of two sets of failures, from 0 to 1.

    This is the Jaccard index of the failed tests, but a test counts half if it fails with the same
    exception and a different message.
    """
    equal = {failure.test for failure in one & other}
    alike = {f[:2] for f in one} & {f[:2] for f in other}
    tests = {failure.test for failure in one | other}
    half = {test for test, _ in alike} - equal
    return (len(equal) + len(half) / 2) / len(tests) if tests else 0.0


def _similarity_of_contract(one: frozenset[Failure], other: frozenset[Failure]) -> float:
    """Return the similarity of the failures in contracts: of the tests that are in a class."""
    return similarity(*(frozenset(f for f in side if "::" in f.test) for side in (one, other)))
