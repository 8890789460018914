"""`lab copy`: a student's copy of a lab, which runs beside the original."""

import re
import shutil
from pathlib import Path

import click

from labkit.base.conf import own_number
from labkit.catalog import Catalog, Lab, is_lab

LEFT_BEHIND = ["__pycache__", ".pytest_cache", "*.pyc"]
TAKEN = {"mariadb", "results"}  # folders of .lab that are no lab's


def copy(checkout: Catalog, lab: Lab, target: Path) -> Lab:
    """Copy a lab into a folder that is not there yet. Raises ClickException where it must not be.

    The copy is its folder's name to everybody: its cookies end in it, what it writes lies in the
    folder of that name in .lab beside it, and its port is made from it.
    """
    if reason := _refusal(checkout, target):
        raise click.ClickException(reason)
    try:
        shutil.copytree(
            lab.folder,
            target,
            ignore=shutil.ignore_patterns(*LEFT_BEHIND),
            dirs_exist_ok=True,  # an empty one
        )
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
    return checkout.copy_in(target.resolve())


def _refusal(checkout: Catalog, target: Path) -> str:
    folder = target.resolve()
    number = own_number(folder)
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        return f"{target} is there already, and stays as it is. Name a folder that is not."
    for kept in ("labs", ".lab"):
        if folder.is_relative_to((checkout.root / kept).resolve()):
            return f"{kept}/ is for the labs themselves. Name a folder outside of it, as mine/."
    if any(is_lab(above) for above in folder.parents):
        return f"{target} would lie inside of another lab. Name a folder outside of it."
    if re.fullmatch("[0-9]{2}", number):
        return (
            f"A folder called {folder.name} would be lab {number} to every browser, and share its "
            "cookies. Name it without the number, as mine/."
        )
    if number in TAKEN:
        return f"A copy called {folder.name} would write into .lab/{number}. Take another name."
    return ""
