"""Check that constraints.txt has a version of each package, and Django 5.2 as the default."""

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from documents import Document
from packaging.markers import default_environment
from packaging.requirements import Requirement

from labkit import DISTRIBUTION

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

PYTHONS = ["3.11.0", "3.11.7", "3.12.1", "3.13.0", "3.14.0"]
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}

each_python = pytest.mark.parametrize("python", PYTHONS)
each_system = pytest.mark.parametrize("system", SYSTEMS)


def environment(python, system):
    """Return the values that markers are compared with, for this Python on this system."""
    name = {"sys_platform": system, "platform_system": SYSTEMS[system]}
    version = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    return {**default_environment(), **name, **version}


def locked(python, system):
    """Return {package: version} from constraints.txt for this Python on this system."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if not line.startswith("#")]
    values = environment(python, system)
    chosen = [r for r in found if r.marker is None or r.marker.evaluate(values)]
    versions = {r.name: str(r.specifier).removeprefix("==") for r in chosen}
    assert len(versions) == len(chosen), "two versions of one package"
    return versions


def declared():
    """Yield each requirement in pyproject.toml."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    groups = [*extras, *PROJECT["dependency-groups"].values()]
    for text in [*project["dependencies"], *(text for group in groups for text in group)]:
        requirement = Requirement(text)
        if requirement.name != DISTRIBUTION:
            yield requirement


@each_python
@each_system
def test_each_declared_range_contains_the_locked_version(python, system):
    versions = locked(python, system)
    values = environment(python, system)
    for requirement in declared():
        if requirement.marker is None or requirement.marker.evaluate(values):
            assert requirement.specifier.contains(versions[requirement.name.lower()]), requirement


@each_python
@each_system
def test_the_default_django_is_the_lts(python, system):
    assert locked(python, system)["django"].startswith("5.2.")


def test_constraints_name_no_package_index():
    text = CONSTRAINTS.read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text


def fake_wheel(folder, version):
    """Write a wheel of Django that has only its version."""
    name = f"django-{version}"
    metadata = f"Metadata-Version: 2.1\nName: Django\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}.dist-info/WHEEL", wheel)
        archive.writestr(f"{name}.dist-info/RECORD", "")


def chosen_django(folder, *constraints):
    """Return the version of Django that pip chooses from the wheels in this folder."""
    (django,) = (str(r) for r in declared() if r.name == "Django" and ">" in str(r.specifier))
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps"]
    options = ["--no-index", "--find-links", str(folder), "--quiet", "--report", "-"]
    done = subprocess.run(
        [*pip, *options, *constraints, django],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    (installed,) = json.loads(done.stdout)["install"]
    return installed["metadata"]["version"]


def test_the_readme_installs_django_lts(tmp_path):
    document = Document(ROOT / "README.md", (ROOT / "README.md").read_text(encoding="utf-8"))
    commands = [words[1:] for words in document.block_commands() if words[0] == "pip"]
    assert commands
    lts = locked("3.11.7", "linux")["django"]
    for version in (lts, "6.0.1", "6.1.1"):
        fake_wheel(tmp_path, version)
    assert chosen_django(tmp_path) == "6.1.1"
    for words in commands:
        constraints = words[words.index("-c") :][:2]
        assert chosen_django(tmp_path, *constraints) == lts
