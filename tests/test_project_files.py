"""Check CITATION.cff, SECURITY.md, the dev container and the workflow of the hosted CI.

The session project-files checks their form. These tests compare them with the project.
"""

import json
import re
import subprocess
import sys
import tomllib

import pytest
from documents import ROOT, Document

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
FORM = (ROOT / ".github" / "ISSUE_TEMPLATE" / "problem.yml").read_text(encoding="utf-8")


def test_the_citation_has_the_projects_version_and_licence():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    facts = dict(re.findall(r"^(\w+): (.+)$", citation, re.MULTILINE))
    assert facts["version"] == PROJECT["version"]
    assert facts["license"] == PROJECT["license"]


def test_security_names_only_labs_that_exist(checkout):
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:Labs?|,|and) (\d\d)\b", text))
    assert named > {"02", "11"}
    assert named <= {lab.number for lab in checkout.labs}


def test_the_issue_form_asks_for_version_and_doctor():
    assert "lab --version" in FORM
    assert "lab doctor" in FORM


# The dev container


def test_the_dev_container_runs_the_command_of_the_readme():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    blocks = Document.read(ROOT / "README.md").code_blocks
    (line,) = (line for block in blocks for line in block.splitlines() if "python3 -m venv" in line)
    assert f"{container['postCreateCommand']} && {container['postAttachCommand']}" == line.strip()
    assert container["postAttachCommand"].endswith("lab serve")
    assert 8000 in container["forwardPorts"]


# The workflow


@pytest.fixture(scope="module")
def sessions():
    """Return the names of nox's sessions."""
    command = [sys.executable, "-m", "nox", "-l", "-f", str(ROOT / "noxfile.py")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^[*-] ([\w.-]+)", listed, re.MULTILINE))


def called_sessions(workflow):
    """Return the sessions in the matrices of a workflow."""
    lists = re.findall(r"\bsessions?: \[?([\w., -]+?)\]?(?: }|\n)", workflow)
    return {name for each in lists for name in re.split(r"[ ,]+", each)}


def test_the_workflow_calls_sessions_that_exist(sessions):
    called = called_sessions(WORKFLOW)
    assert called > {"lint", "labs", "kit", "django-6.0", "django-6.1", "lowest"}
    assert called <= sessions
    assert "no-session" in called_sessions(WORKFLOW.replace("lint labs", "lint no-session"))


def test_the_workflow_has_three_systems_and_each_python():
    (systems, *_) = re.findall(r"os: \[(.+)\]", WORKFLOW)
    families = {name.partition("-")[0] for name in systems.split(", ")}
    assert families == {"ubuntu", "macos", "windows"}
    pythons = re.findall(r'"(3\.\d+)"', WORKFLOW)
    assert PROJECT["requires-python"].removeprefix(">=") == pythons[0]
    assert "run: .ci/run\n" in WORKFLOW


def test_the_workflow_may_only_read_the_repository():
    assert re.search(r"^permissions:\n  contents: read\n\n", WORKFLOW, re.MULTILINE)
