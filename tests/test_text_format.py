"""Test counts and durations in English, and quoting commands for a shell."""

import subprocess
import sys

import pytest

from labkit import text_format
from labkit.text_format import Shell, command_line, current_shell


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("1 row", text_format.quantity(1, "row")),
        ("0 rows", text_format.quantity(0, "row")),
        ("2 entries", text_format.quantity(2, "entry", "entries")),
        ("1 row, 2 entries", text_format.quantities(row=1, entry=2, file=0)),
        ("nothing", text_format.quantities(row=0)),
        ("", text_format.and_more(0)),
        ("", text_format.and_more(1)),
        (" and 2 more", text_format.and_more(3)),
        ("03", text_format.either(["03"])),
        ("03, 04 or 05", text_format.either(["03", "04", "05"])),
        ("1 second", text_format.duration(1)),
        ("0 seconds", text_format.duration(-1)),
        ("1 minute 30 seconds", text_format.duration(90)),
        ("1 minute", text_format.duration(60)),
        ("2 minutes", text_format.duration(120)),
        ("2 hours 30 minutes", text_format.duration(9030)),
        ("2 days", text_format.duration(2 * 86_400 + 120)),
        ("14 days", text_format.duration(1_209_600)),
        ("", text_format.exact_duration(0)),
        ("1 day, 2 minutes", text_format.exact_duration(86_520)),
        ("2 weeks, 1 second", text_format.exact_duration(1_209_601)),
        ("90 of 120 seconds", text_format.remaining(90, 120)),
        ("3 of 14 days", text_format.remaining(3 * 86_400, 14 * 86_400)),
    ],
)
def test_counts_and_durations_read_as_english(words, found):
    assert found == words


HARMLESS = ["lab", "run", "mine/", "--as", "04", "05:cookie", "--out", "docs/measured"]
HOSTILE = [
    "mein Wagen",
    "it's",
    "$HOME",
    "a;b",
    "(x)",
    "`x`",
    "*",
    "[dev]",
    "",
    "a\nb",
    "ä",
    "~",
    "&",
    "#",
]


@pytest.mark.parametrize("shell", Shell)
def test_harmless_words_are_not_quoted(shell):
    assert command_line(*HARMLESS, shell=shell) == " ".join(HARMLESS)


@pytest.mark.parametrize("word", HOSTILE)
def test_a_posix_shell_reads_back_each_word(word):
    line = command_line(sys.executable, "-c", "import sys; print(ascii(sys.argv[1]))", word)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == f"{word!a}\n"


@pytest.mark.parametrize(
    ("word", "powershell", "cmd"),
    [
        ("mein Wagen/", "'mein Wagen/'", '"mein Wagen/"'),
        ("it's", "'it''s'", "it's"),
        ("Ada’s", "'Ada’’s'", '"Ada’s"'),
        ("$HOME", "'$HOME'", '"$HOME"'),
        ("a&b", "'a&b'", '"a&b"'),
        ("a b\\", "'a b\\'", '"a b\\\\"'),
        (".[dev]", "'.[dev]'", '".[dev]"'),
        ("-x.y", "'-x.y'", "-x.y"),
        ("", "''", '""'),
    ],
)
def test_the_shells_of_windows_are_quoted_their_way(word, powershell, cmd):
    assert command_line("lab", word, shell=Shell.POWERSHELL) == f"lab {powershell}"
    assert command_line("lab", word, shell=Shell.CMD) == f"lab {cmd}"


def test_powershell_runs_a_quoted_program():
    program = "C:\\My Python\\python.exe"
    assert command_line(program, "-m", "pip", shell=Shell.POWERSHELL) == f"& '{program}' -m pip"


@pytest.mark.parametrize(
    ("system", "environ", "shell"),
    [
        ("linux", {}, Shell.POSIX),
        ("linux", {"PSModulePath": "/opt"}, Shell.POWERSHELL),
        ("win32", {"PSModulePath": "C:"}, Shell.POWERSHELL),
        ("win32", {"PSModulePath": "C:", "PROMPT": "$P$G"}, Shell.CMD),
        ("win32", {"PSModulePath": "C:", "SHELL": "/usr/bin/bash"}, Shell.POSIX),
    ],
)
def test_the_environment_tells_the_shell(monkeypatch, system, environ, shell):
    for name in ("PSModulePath", "PROMPT", "SHELL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert current_shell() is shell
