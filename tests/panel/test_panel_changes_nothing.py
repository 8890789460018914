"""Each lab's responses are the same with and without the exchange panel."""

import os
from pathlib import Path

import pytest
from exchange_recording import differences
from forked_pytest import run_forked

from labkit.catalog import Catalog

ROOT = Path(__file__).parents[2]
LABS = Catalog(ROOT).labs

pytestmark = pytest.mark.panel


def record(lab, path, *options):
    """Run the lab's tests with these options; return the recording, which is written to `path`."""
    environ = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "support"), "LAB_RESULTS": ""}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    recorder = ("-p", "exchange_recording", "--lab-record", path, "-p", "no:cacheprovider")
    _, output = run_forked("-q", lab.folder, *options, *recorder, cwd=ROOT, env=environ)
    assert path.exists(), output[-2000:]
    assert " failed" not in output, output[-2000:]
    return path


def without_panel(lab, tmp_path):
    """Return the recording from the nox session `labs`, or make one if there is none."""
    recorded = Path(os.environ.get("LAB_RECORDINGS", tmp_path), f"{lab.number}.json")
    return recorded if recorded.exists() else record(lab, tmp_path / "without.json")


# pytest-xdist may test each lab in a different process.
@pytest.mark.parametrize(
    "lab",
    [pytest.param(lab, id=lab.number, marks=pytest.mark.xdist_group(lab.number)) for lab in LABS],
)
def test_the_panel_changes_nothing(lab, tmp_path):
    one = without_panel(lab, tmp_path)
    two = record(lab, tmp_path / "with.json", "--lab-panel", "--lab-recorded", str(one))
    assert list(differences(one, two)) == []


def test_a_single_access_of_the_session_is_noticed(tmp_path):
    lab = next(lab for lab in LABS if lab.number == "06")
    one = without_panel(lab, tmp_path)
    spoilt = ("--lab-panel", "-p", "spoilt_panel", "--lab-recorded", str(one))
    found = list(differences(one, record(lab, tmp_path / "spoilt.json", *spoilt)))
    assert any("accessed: 'False' became 'True'" in sentence for sentence in found)
