"""Files and folders that the labs keep: written whole or not at all, and for their owner alone."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

OWNER_ONLY = 0o077  # a umask: no access for others


def make_private_folder(path: Path) -> Path:
    """Return this folder, which only its owner may enter; make it, and those above, if missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # it belongs to someone else, who decides
        if path.stat().st_mode & OWNER_ONLY:
            path.chmod(0o700)
    return path


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Within this block, this process and those it starts make files for their owner alone."""
    before = os.umask(OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file, so that nobody ever sees half of it. Raises OSError.

    The text goes to a temporary file beside it, which then takes its name. Line ends stay as they
    are. `private`: only its owner may read it. Otherwise its mode is that of the old file, or
    follows the umask.
    """
    path = path.resolve()  # what a symbolic link names is replaced, not the link
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
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
    """Return the secret key in this file; None if there is none, or the file is damaged."""
    try:
        key = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return key if len(key) >= 50 and key.isprintable() and " " not in key else None


def make_key(path: Path) -> None:
    """Write a new secret key to this file, unless it is there already. Raises OSError.

    Processes that start at the same time may all try; the first one's key is in the file then.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        write_whole(temporary, secrets.token_urlsafe(50), private=True)
        try:
            os.link(temporary, path)
        except OSError:
            if not path.exists():  # a file system without hard links
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that is in it; nothing if it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
