"""Test `lab doctor` and `lab --version`, which say what this machine has."""

import dataclasses
import platform
import sys
from importlib import metadata

import django
from click.testing import CliRunner
from rich.console import Console

from labkit import DISTRIBUTION, cli
from labkit.commands import doctor
from labkit.services import requirements


def lacking(name):
    return dataclasses.replace(requirements.TOOLS[name], found=lambda: None)


def test_doctor_names_the_line_that_mends_what_is_missing(said, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "chromium", lacking("chromium"))
    status, text = said("doctor")
    assert status == 0
    assert f"Chromium: {requirements.TOOLS['chromium'].advice()}" in text
    assert doctor.SOME_MISSING in text


def test_doctor_names_each_port_that_is_taken(said, monkeypatch):
    monkeypatch.setattr(doctor, "port_error", lambda port: port in {8000, 8004})
    status, text = said("doctor")
    assert status == 0
    for port, line in ((8000, "lab serve --port 8100"), (8004, "lab run 04 --port 8104")):
        assert f"Port {port}, for" in text
        assert line in text
    assert "Port 8003" not in text


def test_doctor_wraps_paths_and_cuts_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / ("deep" * 15) / "python"))
    monkeypatch.setattr(doctor, "port_error", lambda port: None)
    # Not with COLUMNS, which a console reads when its module is imported.
    monkeypatch.setattr(doctor, "text_console", Console(width=60, highlight=False))
    monkeypatch.setattr(requirements, "missing_requirements", lambda extras: [])
    monkeypatch.setenv("SHELL", "/bin/dash")  # no completion
    path = f"/opt/{'a' * 70}"
    for name, tool in requirements.TOOLS.items():
        found = dataclasses.replace(tool, found=lambda: path)
        monkeypatch.setitem(requirements.TOOLS, name, found)
    output = CliRunner().invoke(cli.main, ["doctor"]).output
    assert max(len(line) for line in output.splitlines()) <= 60
    joined = "".join(output.split())
    assert sys.executable in joined
    assert joined.count(path) == len(requirements.TOOLS)
    assert doctor.ALL_WELL in output


def test_doctor_fails_where_no_lab_could_run(said, monkeypatch):
    monkeypatch.setattr(requirements, "missing_requirements", lambda extras: ["Django>=5.2"])
    status, text = said("doctor")
    assert status == 1
    assert "Django>=5.2" in text


def test_the_version_names_django_and_python(said):
    lab, python = metadata.version(DISTRIBUTION), platform.python_version()
    wanted = cli.VERSIONS.format(lab=lab, django=django.get_version(), python=python)
    assert said("--version") == (0, wanted)
