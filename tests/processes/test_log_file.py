"""Logs with a limited size."""

import subprocess
import sys

import pytest

from labkit.processes import log_file
from labkit.processes.log_file import (
    BEGINNING_LEFT_OUT,
    KEPT_LOG,
    LARGEST_LOG,
    LONGEST_ENTRY,
    LONGEST_LINE,
    LogFile,
    last_text,
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "server.log"
    with path.open("a+b") as opened, LogFile(opened.fileno(), "w", closefd=False) as file:
        file.path = path
        yield file


def test_what_is_short_stays_as_it_is(log):
    log.write(b"one\ntwo\n")
    assert log.path.read_bytes() == b"one\ntwo\n"


def test_a_long_line_loses_its_middle(log):
    log.write(b"begin " + b"x" * 200_000 + b" end\nnext\n")
    line, following = log.path.read_bytes().splitlines()
    assert len(line) <= LONGEST_LINE
    assert line.startswith(b"begin ")
    assert line.endswith(b" end")
    assert following == b"next"


def test_a_long_entry_loses_its_middle(log):
    log.write(b"begin\n" + b"x\n" * 200_000 + b"end\n")
    written = log.path.read_bytes()
    assert len(written) <= LONGEST_ENTRY
    assert written.startswith(b"begin\n")
    assert written.endswith(b"end\n")


def test_a_log_keeps_its_end(log):
    entry = b"x" * 99 + b"\n"
    for _ in range(LARGEST_LOG // len(entry)):
        log.write(entry)
    log.write(b"last\n")
    written = log.path.read_bytes()
    assert len(written) < KEPT_LOG + 1000
    assert written.startswith(BEGINNING_LEFT_OUT)
    assert written.endswith(entry + b"last\n")
    log.write(b"after\n")
    assert log.path.read_bytes().endswith(b"last\nafter\n")


def test_a_log_opened_for_writing_only_is_shortened_too(tmp_path, monkeypatch):
    monkeypatch.setattr(log_file, "LARGEST_LOG", 1000)
    path = tmp_path / "server.log"
    with path.open("ab") as opened, LogFile(opened.fileno(), "w", closefd=False) as file:
        for _ in range(100):
            file.write(b"x" * 99 + b"\n")
    assert path.stat().st_size <= 1000


@pytest.mark.parametrize(
    ("most", "since", "expected"),
    [
        (100, 0, "0123456789"),
        (4, 0, "6789"),
        (100, 8, "89"),
        (4, 2, "6789"),
        (100, 50, "0123456789"),
    ],
)
def test_the_end_is_read(tmp_path, most, since, expected):
    path = tmp_path / "log"
    path.write_text("0123456789")
    assert last_text(path, most, since) == expected


def test_all_that_a_process_prints_is_limited(tmp_path):
    code = (
        "import logging, sys\n"
        "from labkit.processes.log_file import limit_log\n"
        "limit_log()\n"
        "logging.basicConfig()\n"
        "for number in range(300): logging.error('x' * 50_000); print('y' * 50_000)\n"
        "raise SystemExit('z' * 50_000)\n"
    )
    path = tmp_path / "log"
    with path.open("a+b") as output:
        subprocess.run([sys.executable, "-c", code], stdout=output, stderr=output, check=False)
    written = path.read_text()
    assert path.stat().st_size <= LARGEST_LOG
    assert max(map(len, written.splitlines())) <= LONGEST_LINE
    assert written.rstrip().endswith("z")
