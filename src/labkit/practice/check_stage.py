"""Assemble a copy's code and a lab's tests in one folder, so that the tests run on that code.

The folder has the lab's name, so the code runs under the lab's number. The copy itself is not
changed.
"""

import ast
import re
import shutil
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, Lab
from labkit.practice.copies import copy_tree

PROMISES = "test_the_contract.py"


def assemble(checkout: Catalog, copy: Lab, target: Lab, root: Path) -> Path:
    """Create and return the folder to test: the copy's code with the lab's name and tests."""
    stage = root / "labs" / target.folder.name
    copy_tree(copy.folder / "lab", stage / "lab")
    copy_tree(target.folder / "tests", stage / "tests")
    for name in ("manage.py", "README.md"):
        shutil.copyfile(target.folder / name, stage / name)
    for manifest in (checkout.root / MANIFEST).parent.glob("*.toml"):
        shutil.copyfile(manifest, root / MANIFEST.parent / manifest.name)
    # The contract has a separate file, since the lab's other tests may import a table that does not
    # exist yet.
    if contract := contract_source(target):
        (stage / "tests" / PROMISES).write_text(contract, encoding="utf-8")
    return stage


def arguments(target: Lab, stage: Path) -> list[str]:
    """Return pytest's arguments: first the contract, which runs only once, then the other tests."""
    promises = stage / "tests" / PROMISES
    if not promises.exists():
        return [str(stage / "tests")]
    twice = [
        f"--deselect={path.relative_to(stage).as_posix()}::{node.name}"
        for path, body in _test_modules(target, stage)
        for node in _contract_classes(target, body)
    ]
    others = [str(path) for path, _ in _test_modules(target, stage)]
    return [str(promises), *others, *twice]


def contract_source(target: Lab) -> str:
    """Return the source of the classes that inherit from the lab's contract, with their imports.

    A contract that no other lab uses is in the lab's tests/contract.py.
    """
    parts: list[ast.stmt] = []
    for _, body in _test_modules(target, target.folder):
        if classes := _contract_classes(target, body):
            parts += [*filter(_is_needed_import, body), *classes]
    return "\n\n".join(map(ast.unparse, parts))


def find_contract(target: Lab) -> str:
    """Return the name of the lab's contract, such as "CartContract", or "" if it has none."""
    found = re.search(r"^class \w+\((\w+)", contract_source(target), re.M)
    return target.contract or (found[1] if found else "")


def _test_modules(target: Lab, folder: Path) -> list[tuple[Path, list[ast.stmt]]]:
    paths = sorted((folder / "tests").glob("test_*.py"))
    return [
        (path, ast.parse(path.read_text(encoding="utf-8")).body)
        for path in paths
        if path.name != PROMISES
    ]


def _contract_classes(target: Lab, body: list[ast.stmt]) -> list[ast.ClassDef]:
    contracts = {target.contract} if target.contract else _own_contracts(body)
    return [
        node
        for node in body
        if isinstance(node, ast.ClassDef) and contracts & set(map(ast.unparse, node.bases))
    ]


def _own_contracts(body: list[ast.stmt]) -> set[str]:
    """Return the names of the contracts that a test module imports from tests/contract.py."""
    names = {
        alias.name
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module == "tests.contract"
        for alias in node.names
    }
    return {name for name in names if not name.endswith("InChromium")}


def _is_needed_import(node: ast.stmt) -> bool:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    return isinstance(node, ast.Import) or module.startswith(("labkit", "tests."))
