"""`lab new`: a new lab from an existing one, which passes all checks at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.catalog import Catalog, absence
from labkit.practice.new_lab import (
    HAS_VARIANTS,
    NOT_A_LAB,
    NOT_A_SLUG,
    NOT_ONE_CELL,
    NOT_TWO_DIGITS,
    NUMBER_TAKEN,
    SLUG_TAKEN,
    renumber,
)

# The tests also pass in a checkout with a new lab 13.
TAKEN = {lab.number for lab in Catalog(Path(__file__).parents[2]).labs}
FREE = next(number for number in map("{:02}".format, range(1, 100)) if number not in TAKEN)
TEST = "not broken_layout"  # leaves out a test that does not depend on the number of labs


@pytest.fixture
def whole_checkout(checkout, tmp_path):
    """A copy of the checkout, without files that Git ignores, but with its environment."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=checkout.root, capture_output=True, text=True, check=True)
    root = tmp_path / "checkout"
    for name in filter(None, names.stdout.split("\0")):
        if (source := checkout.root / name).is_file():  # not deleted
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    (root / ".venv").symlink_to(sys.prefix)
    for cache in checkout.root.glob(".*_cache"):  # of mypy, whose first run takes long, and others
        shutil.copytree(cache, root / cache.name)
    return root


def run_in(root: Path, *command):
    """Run a command in a checkout, with the labkit of that checkout; return its output."""
    # Nox must not install this copy into the environment of the original.
    environ = os.environ | {"PYTHONPATH": str(root / "src"), "PIP_DRY_RUN": "1"}
    for name in ("LAB_STATE_DIR", "DJANGO_SETTINGS_MODULE", "CI"):
        environ.pop(name, None)
    done = subprocess.run(
        command, cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return done.stdout


@pytest.mark.maintainer
@pytest.mark.xdist_group("new lab")
def test_a_new_lab_passes_lint_layout_and_its_tests(whole_checkout):
    root, python = whole_checkout, sys.executable
    run_in(root, python, "-m", "labkit.cli", "new", FREE, "trial", "--like", "04")
    run_in(root, python, "-m", "nox", "-s", "lint", f"test-{FREE}")
    rules = ["tests/labs/test_layout.py", "tests/labs/test_textbook_code.py", "tests/test_prose.py"]
    run_in(root, python, "-m", "pytest", *rules, "-p", "no:cacheprovider", "-k", TEST)
    # The rules of the layout also find a fault in the new lab.
    (root / f"labs/{FREE}_trial/lab/forms.py").write_text("class  Form: pass\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Form"):
        run_in(root, python, "-m", "nox", "-s", "lint")


@pytest.mark.parametrize("like", ["01", "03", "08"])
def test_any_lab_without_variants_can_be_the_model(own_checkout, said, like):
    status, text = said("new", FREE, "trial", "--like", like, "--title", 'A "demo"')
    assert status == 0, text
    lab, model = (Catalog(own_checkout).find(number) for number in (FREE, like))
    assert (lab.title, lab.database, lab.contract) == ('A "demo"', model.database, model.contract)
    assert (lab.twin, lab.meeting) == (None, 3)
    for path in lab.folder.rglob("*.*"):
        words = path.read_text(encoding="utf-8")
        assert f"_{like}" not in words.replace(f"_{like}_bare", ""), path
        assert "mark.claim(" not in words or "marks=" in words, path


POSSIBLE = "01, 02, 03, 04, 06, 07, 08"  # and others


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("1 trial --like 03", NOT_TWO_DIGITS.format(number="1", free=FREE)),
        ("04 trial --like 03", NUMBER_TAKEN.format(number="04", name="04_session_cart", free=FREE)),
        (f"{FREE} Trial --like 03", NOT_A_SLUG.format(slug="Trial")),
        (f"{FREE} cookie_cart --like 04", SLUG_TAKEN.format(number="03", slug="cookie_cart")),
        (f"{FREE} trial --like 05", HAS_VARIANTS.format(number="05", labs=POSSIBLE).rstrip(".")),
        (f"{FREE} trial --like 03 --title a|b", NOT_ONE_CELL),
        (f"{FREE} trial --like 99", absence("99")),
    ],
)
def test_a_lab_that_cannot_be_made_changes_nothing(own_checkout, said, words, sentence):
    before = sorted(own_checkout.rglob("*"))
    status, text = said("new", *words.split())
    assert (status, text.startswith(f"Error: {sentence}")) == (1, True), text
    assert sorted(own_checkout.rglob("*")) == before


def test_a_copy_cannot_be_the_model(own_checkout, said):
    said("copy", "06", "mine")
    status, text = said("new", FREE, "trial", "--like", "mine/")
    assert (status, text) == (1, f"Error: {NOT_A_LAB.format(folder='mine', number='06')}")
    assert not list(own_checkout.glob(f"labs/{FREE}_*"))


def test_a_number_is_replaced_where_it_names_the_lab():
    old = "sessionid_04=1; lab run 04; .lab/04/db; 127.0.0.1:8004/; 2004; 0.04; _0404; 04:00"
    new = "sessionid_13=1; lab run 13; .lab/13/db; 127.0.0.1:8013/; 2004; 0.04; _0404; 04:00"
    assert renumber(old, "04", "13") == new
