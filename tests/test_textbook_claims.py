"""Test the ledger of claims and pitfalls: its entries, proofs and generated pages."""

import json
import os
import re
import subprocess
import sys

import pytest

from labkit import sources
from labkit import textbook_claims as claims
from labkit.catalog import Catalog, CatalogError
from labkit.textbook_claims import Ledger

MANIFEST = """
[[lab]]
number = "03"
slug = "cart"
title = "A cart"
idea = "It keeps."
database = false
"""

LEDGER = """
[C01]
text = "Reading | keeps it alive."
verdict = "wrong"
evidence = "Reading renews nothing."
why = "Only a write saves it."
sources = ["sessions", "rfc"]
lab = "03"

[C02]
text = "Adding keeps it alive."
verdict = "holds"
evidence = "It does."
why = "A write saves it."
sources = ["sessions"]
lab = "03"

[B01]
text = "An item called path."
verdict = "crashes"
evidence = "CookieError."
instead = "Names are encoded."
why = "A name is a token."
sources = ["rfc"]
lab = "03"
"""

SOURCES = """
sessions = "Sessions: https://example.org/sessions/"
rfc = "RFC: https://example.org/rfc"
"""

TESTS = """
import pytest

@pytest.mark.claim("C01", "C02")
class TestCart:
    def test_adding(self): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.pitfall("B01"))])
def test_names(x): ...
"""

HANDOUT = "# 03 A cart\n\nIt keeps.\n\n## Questions\n\nWhy?\n\n## Twin\n\nNone.\n"


@pytest.fixture
def ledger(tmp_path):
    folder = tmp_path / "labs" / "03_cart"
    (folder / "tests").mkdir(parents=True)
    (tmp_path / "labs" / "labs.toml").write_text(MANIFEST)
    (tmp_path / "labs" / "claims.toml").write_text(LEDGER)
    (tmp_path / "labs" / "sources.toml").write_text(SOURCES)
    (folder / "tests" / "test_cart.py").write_text(TESTS)
    (folder / "README.md").write_text(HANDOUT)
    return Ledger(Catalog(tmp_path))


def test_marks_are_found_on_functions_on_classes_and_on_parameters(ledger):
    assert [(proof.id, str(proof)) for proof in ledger.proofs] == [
        ("C01", "labs/03_cart/tests/test_cart.py::TestCart"),
        ("C02", "labs/03_cart/tests/test_cart.py::TestCart"),
        ("B01", "labs/03_cart/tests/test_cart.py::test_names"),
    ]
    assert list(ledger.find_faults()) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        ("labs/03_cart/tests/test_cart.py", '"C01", ', "", f"C01 {claims.NO_TEST}"),
        ("labs/03_cart/tests/test_cart.py", "C01", "C99", f"C99, {claims.UNKNOWN}"),
        (
            "labs/03_cart/tests/test_cart.py",
            ".pitfall",
            ".claim",
            f"B01, {claims.UNKNOWN}",
        ),
        ("labs/claims.toml", '"holds"', '"true"', f"true, {claims.UNKNOWN}"),
        (
            "labs/claims.toml",
            'verdict = "crashes"',
            'verdict = "holds"',
            f"holds, {claims.UNKNOWN}",
        ),
        ("labs/claims.toml", 'instead = "Names are encoded."', "", claims.INSTEAD),
        ("labs/claims.toml", 'lab = "03"', 'lab = "33"', f"33, {claims.NO_LAB}"),
    ],
)
def test_what_is_wrong_with_the_ledger_is_told(ledger, path, old, new, complaint):
    broken = ledger.catalog.root / path
    assert old in broken.read_text()
    broken.write_text(broken.read_text().replace(old, new))
    assert any(complaint in found for found in Ledger(ledger.catalog).find_faults())


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        ("claims.toml", 'sources = ["rfc"]\n', "", f"B01 {sources.MISSING}"),
        ("claims.toml", '["rfc"]', "[]", f"B01 {sources.MISSING}"),
        ("claims.toml", '["rfc"]', '["cfr"]', f"B01 {sources.UNKNOWN}: cfr"),
        ("claims.toml", 'why = "A name is a token."\n', "", "'why'"),
        ("sources.toml", "https://example.org/rfc", "http://example.org/rfc", sources.MALFORMED),
        ("sources.toml", "RFC: ", "", sources.MALFORMED),
    ],
)
def test_an_entry_without_a_sound_source_is_refused(ledger, path, old, new, complaint):
    broken = ledger.catalog.root / "labs" / path
    assert old in broken.read_text()
    broken.write_text(broken.read_text().replace(old, new))
    with pytest.raises(CatalogError, match=re.escape(complaint)):
        _ = Ledger(ledger.catalog).entries


PASSED = {"tests": [{"test": "a", "outcome": "passed", "proves": ["C01", "C02", "B01"]}]}
FAILED = {"tests": [{"test": "b", "outcome": "failed", "proves": ["C01"]}]}
SKIPPED = {"tests": [{"test": "c", "outcome": "skipped", "proves": ["C01", "C02", "B01"]}]}
SESSION_SKIPPED = {"skipped": "Chromium not found"}


@pytest.mark.parametrize(
    ("ci", "results", "unproved"),
    [
        ("", [PASSED], []),
        ("1", [PASSED, SKIPPED], []),
        ("", [PASSED, FAILED], ["C01"]),
        ("", [], ["C01", "C02", "B01"]),
        ("", [SKIPPED], []),
        ("1", [SKIPPED], ["C01", "C02", "B01"]),
        ("", [SESSION_SKIPPED], []),
        ("1", [SESSION_SKIPPED], ["C01", "C02", "B01"]),
    ],
)
def test_what_no_test_has_proved_in_the_last_run_is_named(
    ledger, monkeypatch, ci, results, unproved
):
    monkeypatch.setenv("CI", ci)
    folder = ledger.catalog.root / ".lab" / "results"
    folder.mkdir(parents=True)
    for number, content in enumerate(results):
        (folder / f"{number}.json").write_text(json.dumps(content))
    assert [found.partition(":")[0] for found in ledger.find_unproved()] == unproved


def test_a_run_leaves_which_claims_its_tests_proved(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    (tmp_path / "test_it.py").write_text(
        """import pytest

@pytest.mark.claim("C01", "C02")
def test_one(): ...

@pytest.mark.pitfall("B01")
def test_two(): assert False

@pytest.mark.claim("C03")
def test_three(): pytest.skip("not here")

@pytest.mark.claim("C04")
@pytest.mark.xfail(strict=True, reason="it cannot")
def test_four(): assert False

@pytest.mark.claim("C05")
@pytest.mark.xfail(strict=True, reason="it cannot, they say")
def test_five(): ...

def test_of_no_claim(): ...
"""
    )
    results = tmp_path / "deep" / "results.json"
    environ = os.environ | {"LAB_RESULTS": str(results)}
    command = [sys.executable, "-m", "pytest", "-q"]
    subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
    found = json.loads(results.read_text())["tests"]
    assert [(f["outcome"], f["proves"]) for f in found] == [
        ("passed", ["C01", "C02"]),
        ("failed", ["B01"]),
        ("skipped", ["C03"]),
        ("failed", ["C05"]),  # C04's test failed as expected, which is neither a skip nor a proof
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "@pytest.mark.claim(ID)\ndef test_x(): ...",
            f"ID, {claims.NOT_QUOTED}",
        ),
        ("pytestmark = pytest.mark.claim('C01')", f"10 {claims.PYTESTMARK}"),
        (
            "class TestY:\n    pytestmark = [pytest.mark.pitfall('B01')]",
            f"11 {claims.PYTESTMARK}",
        ),
        ("CASES = [Case('x', shows=ID)]", f"ID, {claims.NOT_QUOTED}"),
        ("CASES = [Case('x', shows='C99')]", f"C99, {claims.UNKNOWN}"),
    ],
)
def test_a_mark_that_cannot_be_read_is_told(ledger, line, complaint):
    path = ledger.catalog.root / "labs/03_cart/tests/test_cart.py"
    path.write_text(TESTS + line)
    (found,) = ledger.find_faults()
    assert complaint in found


def test_a_table_of_cases_says_what_each_of_them_shows(ledger):
    path = ledger.catalog.root / "labs/03_cart/tests/cases.py"
    path.write_text('CASES = [Case("one", shows="C02"), *(Case("two", shows="") for _ in "ab")]')
    first = ledger.proofs[0]
    assert (first.id, str(first)) == ("C02", "labs/03_cart/tests/cases.py")
    assert list(ledger.find_faults()) == []


def test_a_proof_in_the_entrys_own_lab_comes_first(ledger):
    root = ledger.catalog.root
    for folder in ("labs/01_count/tests", "src/labkit/testing/contracts", "tests"):
        (root / folder).mkdir(parents=True)
        (root / folder / "test_more.py").write_text(TESTS)
    entry = ledger.entries[0]
    assert [proof.file.as_posix() for proof in ledger.proofs_of(entry)] == [
        "labs/03_cart/tests/test_cart.py",
        "src/labkit/testing/contracts/test_more.py",
        "tests/test_more.py",
        "labs/01_count/tests/test_more.py",
    ]
    assert "[TestCart](../labs/03_cart/tests/test_cart.py) and 3 more |" in ledger.page()


def test_the_handout_and_the_page_are_written_from_the_ledger(ledger):
    root = ledger.catalog.root
    assert [path.name for path in ledger.write()] == ["claims.md", "README.md"]
    handout = (root / "labs" / "03_cart" / "README.md").read_text()
    assert handout.startswith("# 03 A cart\n\nIt keeps.\n\n## Questions\n\nWhy?\n\n## Claims\n\n")
    assert "| C01 | Reading \\| keeps it alive. | Reading renews nothing. |" in handout
    assert "Adding keeps" not in handout  # it holds
    assert handout.endswith("\n\n## Twin\n\nNone.\n")
    page = (root / "docs" / "claims.md").read_text()
    row = "CookieError. | A name is a token. | Names are encoded. | [RFC](https://example.org/rfc)"
    assert f"| B01 | An item called path. | {row} | [test_names]" in page
    assert ledger.write() == []
    broken = root / "labs" / "claims.toml"
    broken.write_text(broken.read_text().replace("It does.", "It did.").replace("wrong", "holds"))
    assert len(Ledger(ledger.catalog).write()) == 2
    assert "C01" not in (root / "labs" / "03_cart" / "README.md").read_text()
