"""Test the rules, edits and commands of textbook versions."""

import codecs
import re
import shutil

import lxml.html
import pytest
from markdown_it import MarkdownIt
from textbook_runs import read_noticed

from labkit import textbook_versions
from labkit.catalog import Catalog, CatalogError
from labkit.textbook_claims import Ledger
from labkit.textbook_versions import (
    MOST_LINES,
    VersionError,
    all_versions,
    find_version,
    read_versions,
)

# Pitfalls that no version of a lab can show, and where they are shown instead.
ELSEWHERE = {
    "B02": "the command syncdb is gone; labs/01_test_cookie/tests/test_migrate.py runs it",
    "B45": "a stylesheet with a wrong hash is for a browser; tests/labs/test_stylesheets.py",
}


@pytest.fixture
def catalogue(own_checkout):
    """Write labs/textbook/03.toml in a copy of the labs, and return the versions in it."""

    def read(text):
        (own_checkout / "labs" / "textbook" / "03.toml").write_text(text, encoding="utf-8")
        checkout = Catalog(own_checkout)
        return read_versions(checkout, checkout.find("03"))

    return read


TABLE = """
[a-fault]
title = "A fault"
symptom = "It is seen."
why = "Because."
sources = ["A page: https://example.org/"]
see = [{ open = "/" }]
edit = [{ file = "lab/storage.py", old = "LIFETIME = 120", new = "LIFETIME = 0" }]
"""


# The rules


def test_every_edit_matches_once_in_few_lines(checkout, subtests):
    for version in all_versions(checkout):
        with subtests.test(version=version.full_name):
            assert 1 <= len(version.diff_lines()) <= MOST_LINES


def test_names_do_not_clash(checkout):
    hosts = [version.host for version in all_versions(checkout)]
    assert len(set(hosts)) == len(hosts)
    for version in all_versions(checkout):
        assert version.name not in version.lab.variants, version.full_name


def test_every_pitfall_is_known_and_nearly_all_are_covered(checkout):
    pitfalls = {entry.id for entry in Ledger(checkout).entries if not entry.is_claim}
    covered = {id_ for version in all_versions(checkout) for id_ in version.pitfalls}
    assert covered <= pitfalls
    assert pitfalls - covered == set(ELSEWHERE)


def test_every_version_that_starts_is_noticed(checkout):
    started = {version.full_name for version in all_versions(checkout) if version.starts}
    noticed = read_noticed()
    assert set(noticed) == started
    assert [name for name, tests in noticed.items() if not tests] == []


# Applying edits


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_endings_and_byte_order_mark_stay(own_checkout, checkout, mark, ending):
    name = "03:names-as-cookies"
    expected = find_version(checkout, name).edited_files()
    for path in (own_checkout / "labs").glob("03_*/lab/*.py"):
        path.write_bytes(mark + path.read_bytes().replace(b"\n", ending))
    toml = own_checkout / "labs" / "textbook" / "03.toml"
    toml.write_bytes(mark + toml.read_bytes().replace(b"\n", ending))
    version = find_version(Catalog(own_checkout), name)
    found = version.edited_files()
    assert found == {f: mark + c.replace(b"\n", ending) for f, c in expected.items()}
    assert version.diff_lines() == find_version(checkout, name).diff_lines()


def test_the_copy_keeps_the_number_and_follows_the_lab(checkout, tmp_path):
    version = find_version(checkout, "03:names-as-cookies")
    lab = version.write(tmp_path)
    assert lab.folder == tmp_path / version.lab.folder.name
    assert lab.number == "03"
    views = lab.folder / "lab" / "views.py"
    assert views.read_bytes() == (version.lab.folder / "lab" / "views.py").read_bytes()
    storage = (lab.folder / "lab" / "storage.py").read_bytes()
    assert storage == version.edited_files()["lab/storage.py"]
    views.write_text("changed")
    (lab.folder / "lab" / "more.py").write_text("more")
    times = (lab.folder / "lab" / "storage.py").stat().st_mtime_ns
    version.write(tmp_path)
    assert views.read_text() != "changed"
    assert not (lab.folder / "lab" / "more.py").exists()
    assert (lab.folder / "lab" / "storage.py").stat().st_mtime_ns == times


def test_the_handout_shows_every_step_as_it_is(checkout):
    for version in all_versions(checkout):
        page = lxml.html.document_fromstring(MarkdownIt().render(version.handout()))
        shown = " ".join(page.text_content().split())
        for text in (version.symptom, version.why, version.says, *map(str, version.see)):
            assert " ".join(text.split()) in shown, version.full_name


def test_a_removed_line_leaves_no_empty_one(catalogue):
    (version,) = catalogue(TABLE.replace("LIFETIME = 0", "").replace("= 120", "= 120  # seconds"))
    lines = version.diff_lines()
    assert [line[0] for line in lines] == ["-", "+"]  # the rest of the line is kept
    old = "MAX_ITEMS, MAX_BYTES = 50, 4000"
    (version,) = catalogue(TABLE.replace("LIFETIME = 120", old).replace("LIFETIME = 0", ""))
    assert version.diff_lines() == [f"-{old}"]


# Faults of a file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a-fault", "A fault", "not valid TOML"),
        ("a-fault", "A-fault", "small letters"),
        ('why = "Because."', "", textbook_versions.MISSING.format(key="why")),
        ('why = "Because."', 'why = ""', "why"),
        ('title = "A fault"', 'title = "A fault"\nmore = 1', "more"),
        ('["A page: https://example.org/"]', "[]", "source"),
        ('["A page: https://example.org/"]', '["A page"]', "source"),
        ('see = [{ open = "/" }]', "", "starts"),
        ("{ open =", "{ look =", "a step needs one of"),
        ("{ open =", '{ head = "/", open =', "a step needs one of"),
        ('open = "/"', "wait = true", "wait"),
        ('open = "/"', 'open = "/", by = "C"', "by"),
        ('open = "/"', 'open = "/", name = "x"', "name"),
        ("lab/storage.py", "tests/test_cart.py", "tests/test_cart.py"),
        ("lab/storage.py", "lab/../manage.py", "manage.py"),
    ],
)
def test_a_fault_names_file_and_version(catalogue, old, new, said):
    assert old in TABLE
    with pytest.raises(VersionError, match=re.escape(said)) as error:
        catalogue(TABLE.replace(old, new, 1))
    assert "03.toml" in str(error.value)


@pytest.mark.parametrize(
    ("old", "said"),
    [("LIFETIME = 12O", "0 times"), ("MAX_ITEMS", "3 times")],
)
def test_an_edit_that_does_not_match_once_is_named(catalogue, old, said):
    (version,) = catalogue(TABLE.replace("LIFETIME = 120", old))
    with pytest.raises(VersionError, match=said) as error:
        version.edited_files()
    assert "03.toml, a-fault" in str(error.value)


def test_an_edit_of_a_missing_file_is_named(catalogue):
    (version,) = catalogue(TABLE.replace("storage.py", "store.py"))
    with pytest.raises(VersionError, match=r"lab/store\.py"):
        version.edited_files()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("03:nothing", "03:names-as-cookies"),
        ("05:cookie", "only be compared"),
        ("99:x", "There is no lab 99"),
    ],
)
def test_an_unknown_version_says_which_there_are(checkout, name, said):
    with pytest.raises(CatalogError, match=said):
        find_version(checkout, name)


def test_a_lab_without_a_file_has_no_versions(own_checkout):
    shutil.rmtree(own_checkout / "labs" / "textbook")
    checkout = Catalog(own_checkout)
    assert all_versions(checkout) == ()
    with pytest.raises(VersionError, match=textbook_versions.NO_VERSIONS):
        find_version(checkout, "03:names-as-cookies")
