"""Each lab responds the same with the exchange panel and without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from exchange_recording import differences

from labkit.catalog import Catalog

ROOT = Path(__file__).parents[2]
LABS = Catalog(ROOT).labs

pytestmark = pytest.mark.panel


def record(lab, folder, **runs):
    """Run the lab's tests with the arguments of each run, all at once; return the recordings."""
    environ = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "support"), "LAB_RESULTS": ""}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    processes = []
    for name, options in runs.items():
        command = [sys.executable, "-m", "pytest", "-q", str(lab.folder), *options]
        command += ["-p", "exchange_recording", "--lab-record", str(folder / name)]
        command += ["-p", "no:cacheprovider"]
        with (folder / f"{name}.log").open("w") as output:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output))
    for process in processes:
        process.wait(timeout=600)
    for name in runs:
        assert (folder / name).exists(), (folder / f"{name}.log").read_text()[-2000:]
    return [folder / name for name in runs]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_the_panel_changes_nothing(lab, tmp_path):
    recordings = record(lab, tmp_path, without=[], with_panel=["--lab-panel"])
    assert list(differences(*recordings)) == []
    for name in ("without.log", "with_panel.log"):
        assert " failed" not in (tmp_path / name).read_text()


def test_a_single_access_of_the_session_is_noticed(tmp_path):
    lab = next(lab for lab in LABS if lab.number == "06")
    spoilt = ["--lab-panel", "-p", "spoilt_panel"]
    found = list(differences(*record(lab, tmp_path, without=[], spoilt=spoilt)))
    assert any("accessed: 'False' became 'True'" in sentence for sentence in found)
