"""labkit.services.requirements finds missing packages and programs."""

import os
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from labkit import DISTRIBUTION
from labkit.services import requirements


def test_an_installation_with_old_plugins_lacks_labkit(monkeypatch):
    assert DISTRIBUTION not in requirements.missing_requirements(["dev"])
    monkeypatch.setattr(requirements.metadata, "entry_points", lambda group: ())
    assert DISTRIBUTION in requirements.missing_requirements(["dev"])


def test_an_extra_may_have_requirements_for_some_systems():
    project = {"dependencies": [], "optional-dependencies": {"a": ["b>=1; sys_platform == 'x'"]}}
    (requirement,) = requirements.requirements_of(project)
    assert requirement.marker.evaluate({"extra": "a", "sys_platform": "x"})
    assert not requirement.marker.evaluate({"extra": "a", "sys_platform": "y"})
    assert not requirement.marker.evaluate({"extra": "", "sys_platform": "x"})


def test_django_is_no_older_than_the_one_measured(checkout):
    project = tomllib.loads((checkout.root / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    (django,) = (
        each for each in map(Requirement, project["dependencies"]) if each.name == "Django"
    )
    (floor,) = (Version(each.version) for each in django.specifier if each.operator == ">=")
    page = (checkout.root / "docs/measured/README.md").read_text(encoding="utf-8")
    measured = {Version(version) for version in re.findall(r"Django (\d+\.\d+\.\d+)", page)}
    assert measured
    assert floor >= max(measured)


@pytest.mark.skipif(os.name == "nt", reason="needs a script that can be executed")
@pytest.mark.parametrize(("status", "is_found"), [(0, True), (1, False)])
def test_java_without_a_runtime_counts_as_missing(monkeypatch, tmp_path, status, is_found):
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
    java.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert requirements.TOOLS["java"].found() == (str(java) if is_found else None)


def test_chrome_is_looked_for_where_its_installers_put_it():
    environ = {"ProgramFiles": "C:/Program Files", "LocalAppData": "C:/Users/Anu/AppData/Local"}
    assert requirements.chrome_paths(environ) == [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
        "C:/Users/Anu/AppData/Local/Google/Chrome/Application/chrome.exe",
    ]
    assert len(requirements.chrome_paths({})) == 1
