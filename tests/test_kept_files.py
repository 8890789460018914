"""Files are written completely or not at all, and only the owner can read private files."""

import os
import stat
import subprocess
import sys

import pytest

from labkit import kept_files

# Make writing a file fail after `size` bytes, as on a full disk.
NO_ROOM = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from labkit import kept_files
try:
    kept_files.{call}
except OSError:
    sys.exit(3)
"""
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither modes nor limits")


@pytest.fixture
def lax_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
@pytest.mark.parametrize(
    "call", ["write_whole(Path(sys.argv[1]), 'x' * 1000)", "make_key(Path(sys.argv[1]))"]
)
@pytest.mark.parametrize("before", [None, "as it was"])
def test_a_failed_write_leaves_what_was_there(tmp_path, call, before):
    path = tmp_path / "kept"
    if before is not None:
        path.write_text(before)
    code = NO_ROOM.format(call=call).replace("(100, 100)", "(10, 10)")
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == 3
    assert [child.name for child in tmp_path.iterdir()] == ([] if before is None else ["kept"])
    assert before is None or path.read_text() == before


def test_a_text_that_cannot_be_encoded_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        kept_files.write_whole(tmp_path / "kept", "\ud800")
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_lax_umask_opens_nothing(tmp_path, lax_umask):
    folder = kept_files.make_private_folder(tmp_path / "a" / "b")
    assert mode(folder) == 0o700
    folder.chmod(0o755)
    assert mode(kept_files.make_private_folder(folder)) == 0o700
    kept_files.make_key(folder / "key")
    kept_files.write_whole(folder / "private", "x", private=True)
    with kept_files.private_files():
        (folder / "within").touch()
    assert {mode(path) for path in folder.iterdir()} == {0o600}


@posix
def test_a_page_for_others_keeps_its_mode(tmp_path, lax_umask):
    page = tmp_path / "page.html"
    kept_files.write_whole(page, "one")
    assert mode(page) == 0o666
    page.chmod(0o640)
    kept_files.write_whole(page, "two")
    assert (mode(page), page.read_text()) == (0o640, "two")


@posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("one")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    kept_files.write_whole(link, "two")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "two"


@pytest.mark.parametrize("content", [b"", b"\xff\x00" * 40, b"short", b"x" * 30 + b"\n" * 30])
def test_what_is_no_key_is_not_read_as_one(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    assert kept_files.read_key(path) is None
    kept_files.remove(path)
    kept_files.make_key(path)
    first = kept_files.read_key(path)
    kept_files.make_key(path)
    assert kept_files.read_key(path) == first is not None
