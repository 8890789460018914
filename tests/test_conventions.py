"""Check conventions that no linter checks. For each rule, a test shows that it can fail."""

import ast
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

PATCHES = {
    "setattr",
    "delattr",
    "setitem",
    "delitem",
    "object",
    "patch",
}  # monkeypatch's and mock's
LONGEST_FILE = 400  # lines


def find_private_patches(source: str) -> Iterator[str]:
    """Yield each private name that this code patches: `setattr(jar, "_expiry", …)`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name_of(node.func) in PATCHES:
            for argument in node.args[:2]:
                name = argument.value if isinstance(argument, ast.Constant) else ""
                last = str(name).rpartition(".")[2]
                if last.startswith("_") and not last.endswith("__"):
                    yield str(name)


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_no_test_patches_a_private_name(checkout):
    folders = [checkout.root / "tests", checkout.root / "src", *checkout.root.glob("labs/*/tests")]
    found = [
        f"{path.relative_to(checkout.root)}: {name}"
        for folder in folders
        for path in folder.rglob("*.py")
        for name in find_private_patches(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'monkeypatch.setattr(jar, "_expiry", None)',
        'monkeypatch.setattr("labkit.http.jar._expiry", None)',
        'monkeypatch.delattr(file.SessionStore, "_storage_path")',
        'setattr(jar, "_expiry", None)',
    ],
)
def test_patching_a_private_name_is_noticed(line):
    assert len(list(find_private_patches(line))) == 1


def test_no_file_of_labkit_is_long(checkout):
    for path in (checkout.root / "src" / "labkit").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LONGEST_FILE, path


def test_git_stores_text_with_line_feeds(checkout, tmp_path):
    """On every system, a copy of a lab must equal the lab byte by byte."""

    def git(*arguments):
        command = ["git", "-c", "core.autocrlf=true", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    git("init", "--quiet")
    shutil.copy(checkout.root / ".gitattributes", tmp_path)
    for name in ("views.py", "index.html", "README.md", "labs.toml", "chart.svg", "LICENSE"):
        (tmp_path / name).write_bytes(b"one\r\ntwo\r\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\r\n")
    git("add", "--all")
    lines = git("ls-files", "--eol").stdout.splitlines()
    assert {line.split()[-1]: line.split()[0] for line in lines if "i/lf" not in line} == {
        "photo.png": "i/-text"
    }
    (tmp_path / "views.py").unlink()
    git("checkout", "--", "views.py")
    assert (tmp_path / "views.py").read_bytes() == b"one\ntwo\n"


def find_asserts(source: str) -> Iterator[int]:
    """Yield the line of each assert that does more than narrow a type.

    With PYTHONOPTIMIZE, Python ignores all assert statements.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert) and not (
            isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.IsNot)
        ):
            yield node.lineno


def test_no_assert_of_labkit_decides_anything(checkout):
    package = checkout.root / "src" / "labkit"
    tests = [package / "testing", package / "compare" / "probes"]
    labs = checkout.root.glob("labs/*/lab/**/*.py")
    found = [
        f"{path.relative_to(checkout.root)}:{line}"
        for path in [*package.rglob("*.py"), *labs]
        if not any(path.is_relative_to(folder) for folder in tests)
        for line in find_asserts(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["assert row", "assert len(rows) == 2", "assert row is old"])
def test_an_assert_that_decides_is_noticed(line):
    assert list(find_asserts(line)) == [1]


def find_docstring_reads(source: str) -> Iterator[int]:
    """Yield the line of each docstring that code reads, since PYTHONOPTIMIZE=2 removes them."""
    for node in ast.walk(ast.parse(source)):
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if name in {"__doc__", "getdoc"}:
            yield node.lineno


def test_no_docstring_is_data(checkout):
    found = [
        f"{path.relative_to(checkout.root)}:{line}"
        for folder in (checkout.root / "src", checkout.root / "labs")
        for path in folder.rglob("*.py")
        for line in find_docstring_reads(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["view.__doc__", "inspect.getdoc(view)", "print(__doc__)"])
def test_reading_a_docstring_is_noticed(line):
    assert list(find_docstring_reads(line)) == [1]


MARKUP = ("rich.markup", "from_markup", "Console(highlight", "[/]", "[/b]", "markup=True")


def find_markup(source: str) -> list[str]:
    """Return uses of rich's markup, because a title such as "Cart [/done]" would cause an error."""
    return [sign for sign in MARKUP if sign in source]


def test_no_command_prints_markup(checkout):
    for path in (checkout.root / "src" / "labkit").rglob("*.py"):
        assert find_markup(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    "line",
    [
        'console.print(f"[b]{title}[/b]")',
        'console.print(f"[red]✗[/] {title}")',
        "from rich.markup import escape",
        'Text.from_markup(f"{title}")',
        "console = Console(highlight=False)",
    ],
)
def test_markup_is_seen(line):
    assert find_markup(line)


# Waits without a limit, for processes that a user or a supervisor ends.
ENDLESS = {
    "commands/run.py": 1,  # the server, until Ctrl-C
    "serve/supervisor.py": 1,  # for a lab, which runs until the supervisor closes its pipe
    "console/background_table_run.py": 1,  # for tests, which have their own time limits
    "clusters/galera.py": 1,  # Node.join, which makes a node join the cluster, has a time limit
    "clusters/galera_child.py": 1,
}


def find_endless_waits(source: str) -> list[int]:
    """Return the lines that wait for a process or thread without a time limit."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg for keyword in node.keywords}
            limited = bool(node.args) or bool(keywords & {"timeout", None})
            name = ast.unparse(node.func)
            if name == "subprocess.run":
                limited = bool(keywords & {"timeout", None})
            if (
                name.rpartition(".")[2] in {"wait", "join", "communicate"}
                or name == "subprocess.run"
            ):
                found += [] if limited else [node.lineno]
    return found


def test_every_wait_has_a_time_limit(checkout):
    home = checkout.root / "src" / "labkit"
    found = {
        path.relative_to(home).as_posix(): len(lines)
        for path in home.rglob("*.py")
        if (lines := find_endless_waits(path.read_text(encoding="utf-8")))
    }
    assert found == ENDLESS


@pytest.mark.parametrize(
    "line",
    [
        "process.wait()",
        "self._thread.join()",
        "subprocess.Popen([]).communicate()",
        "subprocess.run(command, check=True)",
    ],
)
def test_a_wait_without_a_limit_is_seen(line):
    assert find_endless_waits(line)


@pytest.mark.parametrize(
    "line", ["process.wait(5)", "thread.join(timeout=1)", '" ".join(words)', "run(timeout=1)"]
)
def test_a_wait_with_a_limit_is_allowed(line):
    assert find_endless_waits(line) == []


TO_PASTE = re.compile(r"\b(?:lab (?:run|serve|copy|check|diff|reset)|cd|pip install) [^`\n]*\0")


def find_unquoted_commands(source: str) -> list[int]:
    """Return the lines of f-strings that put a value into a command for the user to paste."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
            if TO_PASTE.search("".join(map(str, parts))):
                found.append(node.lineno)
    return found


def test_commands_to_paste_are_quoted(checkout):
    for path in (checkout.root / "src" / "labkit").rglob("*.py"):
        assert find_unquoted_commands(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    "line", ['f"To repair it: lab reset {name}"', 'f"{sys.executable} -m pip install {path}"']
)
def test_a_command_that_is_not_quoted_is_seen(line):
    assert find_unquoted_commands(line)


def test_tests_that_start_a_browser_are_marked(request):
    # Playwright's event loop would break other tests in the same process.
    started = [test for test in request.session.items if "playwright_driver" in test.fixturenames]
    assert [test.nodeid for test in started if not test.get_closest_marker("browser")] == []


NOT_IN_NAMES = re.compile(r'[<>:"|?*\\]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


def find_impossible_names(names: list[str]) -> list[str]:
    """Return the paths that Windows or macOS cannot have, or that differ only in case there."""
    parts = [(name, part) for name in names for part in name.split("/")]
    found = {name for name, part in parts if NOT_IN_NAMES.search(part)}
    lower = Counter(name.lower() for name in names)
    return sorted(found | {name for name in names if lower[name.lower()] > 1})


def test_file_names_are_possible_on_every_system(checkout):
    listing = ["git", "ls-files", "-z"]
    done = subprocess.run(listing, cwd=checkout.root, capture_output=True, text=True, check=True)
    names = done.stdout.rstrip("\0").split("\0")
    assert len(names) > 100
    assert find_impossible_names(names) == []


def test_a_name_impossible_on_windows_is_noticed():
    bad = ["a/x:y.py", "aux.py", "b/Nul", "c/end.", "docs/A.md", "docs/a.md"]
    assert find_impossible_names([*bad, "labs/auxiliary.py", "docs/b.md"]) == sorted(bad)


# Only on Linux and macOS. A module that uses them when it is imported could not run on Windows.
POSIX_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
POSIX_NAMES = {"AF_UNIX", "SIGCHLD", "SIGHUP", "SIGKILL", "WNOHANG", "fork", "geteuid", "killpg"}


def find_posix_at_import(source: str) -> set[str]:
    """Return the modules and names of POSIX that this code uses when it is imported."""
    waiting: list[ast.AST] = [ast.parse(source)]
    found = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & POSIX_MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} & POSIX_MODULES | {a.name for a in node.names} & POSIX_NAMES
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} & POSIX_NAMES
        waiting += ast.iter_child_nodes(node)
    return found


def test_no_module_needs_posix_to_be_imported(checkout):
    folders = [checkout.root / "src", *checkout.root.glob("labs/*/lab")]
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        assert find_posix_at_import(path.read_text(encoding="utf-8")) == set(), path


def test_posix_at_import_is_noticed():
    assert find_posix_at_import("import fcntl, os") == {"fcntl"}
    assert find_posix_at_import("from os import fork, path") == {"fork"}
    assert find_posix_at_import("class A:\n    END = signal.SIGHUP") == {"SIGHUP"}
    assert find_posix_at_import("def end():\n    import fcntl\n    os.killpg(0, 1)") == set()
