"""Write files either completely or not at all; make private files readable only by their owner."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

OWNER_ONLY = 0o077  # with this umask, other users have no access to new files


def make_private_folder(path: Path) -> Path:
    """Make a folder accessible only to its owner, and return it; create missing folders."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The folder belongs to another user, so its mode cannot be changed.
    with contextlib.suppress(OSError):
        if path.stat().st_mode & OWNER_ONLY:
            path.chmod(0o700)
    return path


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Within this block, make every new file of this process and its children private."""
    before = os.umask(OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file atomically, so that other processes never read an incomplete file.

    The text is written to a temporary file in the same folder, which is then renamed. Line endings
    are kept. `private`: only the owner can read the file. Otherwise, the file keeps its old mode;
    the mode of a new file depends on the umask. Raises OSError if the file cannot be written.
    """
    path = path.resolve()  # if the path is a symbolic link, its target is replaced
    if path.exists() and not path.is_file():  # devices and pipes cannot be replaced
        path.write_text(text, encoding="utf-8", newline="")
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
    temporary = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if not private:
            temporary.chmod(_usual_mode(path))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _usual_mode(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def read_key(path: Path) -> str | None:
    """Return the secret key in this file, or None if the file is missing or damaged."""
    try:
        key = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return key if len(key) >= 50 and key.isprintable() and " " not in key else None


def make_key(path: Path) -> None:
    """Write a new secret key to this file, unless it exists. Raises OSError if that fails.

    If several processes write a key at the same time, the first one is kept.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        write_whole(temporary, secrets.token_urlsafe(50), private=True)
        try:
            os.link(temporary, path)
        except OSError:
            if not path.exists():  # the file system may not support hard links
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a file, or a folder with its contents; do nothing if the path does not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
