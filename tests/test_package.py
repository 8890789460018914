"""Build the wheel and the sdist, and use the wheel in another project (nox -s package)."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from documents import ROOT, Document

from labkit import DISTRIBUTION

pytestmark = [pytest.mark.package, pytest.mark.xdist_group("package")]

# The packages that `pip install 'DIST[testing]'` installs. pytest itself needs Pygments, iniconfig
# and pluggy.
LIGHT = {
    *("ada-url", "cffi", "lxml", "publicsuffixlist", "pycparser", "python-dateutil", "six"),
    *("time-machine", "asgiref", "django", "sqlparse", "tzdata", DISTRIBUTION),
    *("colorama", "iniconfig", "packaging", "pluggy", "pygments", "pytest", "pytest-django"),
}
# These parts of a wheel depend on the version of setuptools that builds it.
BUILDER = ("dist-info/METADATA", "dist-info/RECORD", "dist-info/WHEEL")


def run(*command, folder):
    """Run a command without this environment's settings; return (exit status, output)."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "CI"}},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a wheel and an sdist, built from a copy of the checkout."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("dist")
    for name in ("src", "docs", "tests"):
        ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for file in (*ROOT.glob("*.md"), *(ROOT / n for n in ("LICENSE", "MANIFEST.in"))):
        shutil.copy(file, copy)
    shutil.copy(ROOT / "pyproject.toml", copy)
    # The sdist is built first, and the wheel is built from the sdist.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    status, output = run(*command, folder=copy)
    assert status == 0, output
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The python of a new environment, in which pip installed the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (file,) = built.glob("*.whl")
    wanted = f"{DISTRIBUTION}[testing] @ {file.as_uri()}"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    status, output = run(*pip, "install", "-q", "--no-compile", wanted, folder=folder)
    assert status == 0, output
    return python


def test_the_light_harness_brings_nothing_else(installed):
    pip = [sys.executable, "-m", "pip", "--python", str(installed)]
    status, output = run(*pip, "list", "--format=json", folder=installed.parent)
    assert status == 0, output
    found = {each["name"].lower() for each in json.loads(output.partition("\n")[0])}
    assert {DISTRIBUTION, "django", "pytest"} <= found
    assert found - LIGHT == set()


def test_the_recipes_run_in_another_project(installed, tmp_path):
    files = Document.read(ROOT / "docs" / "testing.md").files()
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    status, output = run(
        str(installed), "-m", "pytest", "-q", "-W", "error", "--ds=settings", folder=tmp_path
    )
    assert status == 0, output
    assert " passed" in output
    assert " skipped" not in output


def test_type_checkers_know_the_installed_clock(installed, tmp_path):
    code = "from labkit.testing import Clock\n\nClock.forward(day=1)\n"
    (tmp_path / "typed.py").write_text(code, encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--python-executable", str(installed), "typed.py"]
    status, output = run(*mypy, folder=tmp_path)
    assert status == 1
    assert "day" in output


def test_a_missing_browser_is_named_with_its_package(installed, tmp_path):
    test = "def test_it(chromium):\n    pass\n"
    (tmp_path / "test_browser.py").write_text(test, encoding="utf-8")
    status, output = run(str(installed), "-m", "pytest", "-rs", folder=tmp_path)
    assert status == 0, output
    assert "1 skipped" in output
    assert "pip install" in output
    assert "playwright>=" in output


def test_the_command_lab_names_its_extra(installed, tmp_path):
    lab = installed.with_name("lab.exe" if os.name == "nt" else "lab")
    status, output = run(str(lab), "list", folder=tmp_path)
    assert status == 1
    assert "[labs]" in output
    assert "Traceback" not in output


def test_the_wheel_has_the_right_contents(built):
    program = shutil.which("check-wheel-contents", path=str(Path(sys.executable).parent))
    (wheel,) = built.glob("*.whl")
    package = str(ROOT / "src" / "labkit")
    status, output = run(program, "--package", package, str(wheel), folder=built)
    assert status == 0, output
    with zipfile.ZipFile(wheel) as archive:
        assert "labkit/py.typed" in archive.namelist()


def metadata_of(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_pip_makes_the_same_wheel_of_the_sdist(built, tmp_path):
    """So all that the tests above show of an installed wheel is true of an installed sdist."""
    (sdist,) = built.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path)]
    status, output = run(*pip, str(sdist), folder=tmp_path)
    assert status == 0, output
    wheels = [next(folder.glob("*.whl")) for folder in (built, tmp_path)]
    with zipfile.ZipFile(wheels[0]) as ours, zipfile.ZipFile(wheels[1]) as pips:
        assert sorted(pips.namelist()) == sorted(ours.namelist())
        for name in ours.namelist():
            assert name.endswith(BUILDER) or pips.read(name) == ours.read(name), name
    ours, pips = map(metadata_of, wheels)
    for header in ("Name", "Version", "Requires-Python", "Requires-Dist", "Provides-Extra"):
        assert ours.get_all(header)
        assert pips.get_all(header) == ours.get_all(header)


def test_the_sdist_has_the_manual_and_no_tests(built):
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "docs/testing.md"} <= names
    assert not [name for name in names if name.startswith("tests")]


def test_the_metadata_say_what_it_is(built):
    from trove_classifiers import classifiers

    (wheel,) = built.glob("*.whl")
    metadata = metadata_of(wheel)
    assert metadata["Name"] == DISTRIBUTION
    named = set(metadata.get_all("Classifier"))
    assert {each for each in named if not each.startswith("Private ::")} <= classifiers
    assert "Typing :: Typed" in named
    assert len(metadata.get_all("Project-URL")) == len(project()["urls"]) > 0


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
