"""Test tab completion as a shell requests it."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from labkit import cli
from labkit.commands.completion import SHELLS, activation
from labkit.practice.exercise import read_exercises
from labkit.textbook_versions import read_versions


def completed(words, shell="bash"):
    """Return the completions of the last word: (type, value)."""
    count = len(words.split()) - (not words.endswith(" "))
    environ = {"_LAB_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    result = CliRunner().invoke(cli.main, env=environ, prog_name="lab")
    assert result.exit_code == 0
    return [tuple(line.split(",", 1)) for line in result.output.splitlines()]


def test_labs_and_folders_come_first(checkout):
    found = completed("lab run ")
    assert found == [("dir", ""), *(("plain", lab.number) for lab in checkout.labs)]
    assert completed("lab run --port 8100 ") == found


def test_a_lab_brings_its_versions(checkout):
    versions = read_versions(checkout, checkout.find("03"))
    names = [("plain", version.full_name) for version in versions]
    assert completed("lab run 03") == [("dir", "03"), ("plain", "03"), *names]


def test_bash_gets_what_follows_the_colon(checkout):
    names = [("plain", version.name) for version in read_versions(checkout, checkout.find("03"))]
    assert completed("lab run 03 :") == names
    assert completed("lab diff 03 : names") == [("plain", "names-as-cookies")]
    assert completed("lab diff 05 : cookie 05 : se") == [("plain", "session")]


def test_zsh_gets_the_whole_name(checkout):
    found = [value for (value, *_) in completed("lab run 03:names", "zsh")]
    assert r"03\:names-as-cookies" in found


@pytest.mark.parametrize("command", ["hint", "solution", "practice start", "practice reset"])
def test_exercises_are_completed(checkout, command):
    names = [("plain", exercise.name) for exercise in read_exercises(checkout)]
    assert completed(f"lab {command} ") == names


def test_options_and_other_commands_are_completed_as_before():
    assert ("plain", "--port") in completed("lab run --p")
    assert completed("lab run --db m") == [("plain", "mysql")]
    assert ("plain", "--lan") in completed("lab serve --l")
    assert completed("lab practice ") == [("plain", "reset"), ("plain", "start")]


def test_a_damaged_catalogue_breaks_no_shell(own_checkout):
    (own_checkout / "labs" / "labs.toml").write_text("[")
    assert completed("lab run 0") == [("dir", "0")]


@pytest.mark.parametrize("words", ["lab run 03", "lab practice start ", "lab check ", "lab diff "])
def test_no_completion_imports_anything_large(words):
    code = (
        "import atexit, json, sys\n"
        "large = {'django', 'pytest', 'waitress', 'rich', 'pygments', 'labkit.commands.run'}\n"
        "atexit.register(lambda: print(json.dumps(sorted(large & sys.modules.keys()))))\n"
        "from labkit.cli import main\n"
        "main(prog_name='lab')\n"
    )
    count = len(words.split()) - (not words.endswith(" "))
    environ = {"_LAB_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *printed, modules = run.stdout.splitlines()
    assert len(printed) > 1
    assert json.loads(modules) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_doctor_prints_the_line_for_the_shell(said, monkeypatch, shell):
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    line, file = activation(str(sys.executable.removesuffix("python") + "lab"))
    text = said("doctor")[1]
    assert line in text
    assert file in text


def test_an_unknown_shell_gets_no_line(monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert activation("lab") is None
