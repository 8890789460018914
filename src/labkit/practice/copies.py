"""Make a student's copy of a lab, which runs alongside the original."""

import errno
import re
import shutil
from pathlib import Path

import click

from labkit.base.conf import own_number
from labkit.catalog import PRACTICE, Catalog, Lab, is_lab

LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".pytest_cache", "*.pyc")
RESERVED = {
    "bench",
    "compare",
    "mariadb",
    PRACTICE,
    "results",
    "textbook",
}  # names in .lab that do not belong to labs

# Reasons why a copy must not be made in a folder.
TARGET_EXISTS = "{target} already exists and is not changed. Name a new folder."
FOR_LABS = "{reserved}/ is only for the labs. Name a folder outside it, such as mine/."
INSIDE_LAB = "{target} is inside another lab. Name a folder outside it."
NUMBER_OF_LAB = (
    "A folder called {name} would have the same cookies as lab {number}. Choose a name without "
    "the number, such as mine/."
)
STATE_RESERVED = "A copy called {name} would write into .lab/{number}. Choose another name."


def copy(checkout: Catalog, lab: Lab, target: Path) -> Lab:
    """Copy a lab into a new or empty folder. Raises ClickException if the folder is unsuitable.

    The copy is named after its folder, see `own_number`. Its cookies and its state folder in .lab
    have this name, and its port is computed from it.
    """
    if reason := _refusal(checkout, target):
        raise click.ClickException(reason)
    is_new = not target.exists()
    try:
        copy_tree(lab.folder, target)
    except OSError as error:
        if is_new:
            shutil.rmtree(target, ignore_errors=True)
        reason = f"{error.filename}: {error.strerror}"
        raise click.ClickException(f"{target} was not made. {reason}.") from None
    return checkout.copy_in(target.resolve())


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder into a new or empty one, without bytecode; its owner can write to all files.

    Dangling symbolic links, such as the lock files of Emacs, are left out. Raises OSError, which
    names the file that cannot be copied.
    """
    try:
        shutil.copytree(
            source,
            target,
            ignore=LEFT_BEHIND,
            ignore_dangling_symlinks=True,
            dirs_exist_ok=True,
        )
    except shutil.Error as error:  # this OSError has no file name, but a list of failed files
        path, _, reason = error.args[0][0]
        raise OSError(errno.EIO, str(reason), str(path)) from None
    for path in (target, *target.rglob("*")):  # files from a read-only checkout are read-only too
        path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))


def _refusal(checkout: Catalog, target: Path) -> str:
    """Return why a copy must not be made in this folder, or "" if it may be."""
    folder = target.resolve()
    number = own_number(folder)
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        return TARGET_EXISTS.format(target=target)
    for reserved, path in {"labs": checkout.root / "labs", ".lab": checkout.state}.items():
        if folder.is_relative_to(path.resolve()):
            return FOR_LABS.format(reserved=reserved)
    if any(is_lab(above) for above in folder.parents):
        return INSIDE_LAB.format(target=target)
    if digits := re.match("([0-9]{2})(_|$)", folder.name):
        return NUMBER_OF_LAB.format(name=folder.name, number=digits[1])
    if number in RESERVED or number.startswith(f"{PRACTICE}-"):
        return STATE_RESERVED.format(name=folder.name, number=number)
    return ""
