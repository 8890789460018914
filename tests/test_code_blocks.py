"""Compare each code block of README.md, CONTRIBUTING.md and docs/testing.md with what it does.

Blocks that are files of a project run in tests/testing/test_bare_project.py. For every other block
there is a test here. tests/test_documents.py checks the commands of all documents more briefly.
"""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from urllib.parse import urlsplit

import pytest
from code_blocks import BLOCKS, TESTED, block, commands
from distributions import normalized, required_by
from django.http import HttpResponse
from django.urls import path
from documents import ROOT
from packaging.requirements import Requirement
from serving import page, running

from labkit import DISTRIBUTION, cli
from labkit.practice.exercise import find_exercise, read_exercises
from labkit.testing import Visitor
from labkit.textbook_claims import Ledger
from labkit.textbook_versions import all_versions, find_version

pytestmark = pytest.mark.usefixtures("forked_runs")

NAMES = ("README.md", "CONTRIBUTING.md", "docs/testing.md")


def test_every_block_has_a_test():
    for name, starts in TESTED.items():
        tested = [block(name, start) for start in starts]
        assert sorted(BLOCKS[name]) == sorted(tested), name


# Setting up


def imported(*folders):
    """Return the top-level modules that the code in these folders imports."""
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    yield node.module.partition(".")[0]


def test_the_first_command_installs_what_the_code_imports():
    first = ["python -m venv .venv", "pip install -e .[dev] -c constraints.txt"]
    assert list(commands("README.md", "python3 -m venv")) == [*first, "lab serve", "nox"]
    assert list(commands("README.md", "py -m venv")) == [*first, "lab serve", "nox"]
    assert list(commands("CONTRIBUTING.md", "python3 -m venv"))[:2] == first
    # Other extras are for servers, Chromium, charts and packaging.
    others = {"mysqlclient", "redis", "matplotlib", "playwright", "axe-playwright-python"}
    wanted = required_by(DISTRIBUTION, "dev") | others | {"trove-classifiers"}
    owners = metadata.packages_distributions()
    modules = set(imported("src", "labs", "tests", "bench")) & set(owners)
    assert {"django", "waitress", "nox", "lxml"} <= modules
    lacking = {m for m in modules if not {normalized(n) for n in owners[m]} & wanted}
    assert lacking == set()


def defaults(*arguments):
    command = cli.main.get_command(None, arguments[0])
    return command.make_context(command.name, list(arguments[1:])).params


def test_the_console_is_at_the_documented_port():
    found = commands("README.md", "lab serve")
    assert list(found) == [
        *("lab serve", "lab serve --lan", "lab serve --only 03,04"),
        *("lab reset --all", "lab doctor"),
    ]
    (url,) = re.findall(r"http://\S+", found["lab serve"])
    assert urlsplit(url).port == defaults("serve")["port"] == 8000
    assert defaults("serve", "--lan")["lan"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"console at {url}" in " ".join(text.split())


# The command lab


@pytest.fixture
def scratch(own_checkout, monkeypatch):
    """A checkout with an empty state folder."""
    monkeypatch.setenv("LAB_STATE_DIR", str(own_checkout / "state"))
    return own_checkout


def test_the_documented_lab_runs_at_its_port(started, checkout):
    found = commands("README.md", "lab run 03")
    (url,) = re.findall(r"http://\S+", found["lab run 03"])
    assert urlsplit(url).port == checkout.find("03").port
    printed, _ = started("03")
    assert "http://127.0.0.1:" in printed


def test_the_commands_for_students_do_what_they_say(scratch, said, checkout):
    found = [line.split()[1:] for line in commands("README.md", "lab run 03")]
    assert [words[0] for words in found] == ["run", "diff", "diff", "compare", "claims"]
    results = [said(*words) for words in found[1:]]
    assert [status for status, _ in results] == [0] * 4
    diff, _, advice, claims = (text for _, text in results)
    assert "lab/storage.py" in diff
    html = (scratch / found[2][-1]).read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#|data:|https://)|url\((?!["\']?data:)', html)
    assert not re.search(r'<(script|img|link)[^>]+(src|href)="(?!data:)', html)
    assert "session" in advice
    ids = {entry.id for entry in Ledger(checkout).entries if entry.lab == "03"}
    assert ids <= set(re.findall(r"\b[CB]\d\d\b", claims))


def test_the_commands_for_versions_do_what_they_say(scratch, said, checkout):
    found = [line.split()[1:] for line in commands("README.md", "lab list 03")]
    assert [words[0] for words in found] == ["list", "run", "diff"]
    status, listed = said(*found[0])
    names = {each.name for each in all_versions(checkout) if each.lab == "03"}
    assert (status, names <= set(listed.split())) == (0, True)
    status, repair = said(*found[2])
    assert status == 0
    assert " ".join(find_version(checkout, found[2][1]).symptom.split()) in repair
    with running(found[1][1]) as process:
        assert "<h1" in page(process.url)


def test_the_commands_for_exercises_do_what_they_say(scratch, said, checkout):
    found = [line.split()[1:] for line in commands("README.md", "lab practice")]
    assert [words[0] for words in found] == ["practice", "practice", "check", "hint"]
    listed = said(*found[0])[1]
    assert all(exercise.name in listed for exercise in read_exercises(checkout))
    assert said(*found[1])[0] == 0
    name = found[1][-1]
    assert (scratch / "practice" / name / "manage.py").is_file()
    status, report = said(*found[2])
    assert status == 1  # not solved yet
    assert re.search(r"\d+ of \d+", report)
    assert f"lab check {name} --all" in report
    status, hint = said(*found[3])
    assert status == 0
    first = find_exercise(checkout, name).hints[0].replace("`", "")
    assert " ".join(first.split()) in hint


# The map of the code


def test_the_map_has_every_manifest_and_folder(checkout):
    named = {
        line.split()[0].rstrip("/")
        for line in block("CONTRIBUTING.md", "labs/labs.toml").splitlines()
    }
    named.remove("labs/NN_name")
    assert all((ROOT / name).exists() for name in named)
    manifests = {f"labs/{path.name}" for path in (ROOT / "labs").glob("*.toml")}
    assert manifests <= named
    for lab in checkout.labs:
        assert all((lab.folder / name).exists() for name in ("README.md", "manage.py", "lab"))


def test_the_map_has_the_layers_of_import_linter():
    lines = block("CONTRIBUTING.md", "cli").splitlines()
    layers = [re.split(r"(?<=\w) {2,}|(?<=processes) ", line)[0] for line in lines if line.strip()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (wanted,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    assert [layer for layer in layers if not layer.startswith(" ")] == wanted


def test_the_script_for_the_pictures_exists():
    (line,) = commands("CONTRIBUTING.md", ".venv/bin/python docs/screenshots.py")
    compile((ROOT / line.split()[1]).read_text(encoding="utf-8"), line, "exec")


def test_the_example_of_a_test_passes_in_its_lab(own_checkout):
    lab = own_checkout / "labs" / "04_session_cart"
    example = block("CONTRIBUTING.md", "def test_reading_does_not_extend_the_expiry")
    (lab / "tests" / "test_example.py").write_text(example, encoding="utf-8")
    config = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={own_checkout}"]
    command = [sys.executable, "-m", "pytest", *config, str(lab / "tests" / "test_example.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=own_checkout, timeout=120
    )
    assert " 1 passed" in done.stdout, done.stdout + done.stderr


# The manual of the harness


def test_the_wheel_is_built_with_the_documented_packages():
    light = commands("docs/testing.md", "pip install 'path")
    build = list(commands("docs/testing.md", "pip install build"))
    assert [Requirement(line.rpartition("/")[2]).extras for line in light] == [{"testing"}]
    assert build == ["pip install build", "python -m build path/to/this/checkout"]


def hello(request):
    response = HttpResponse("hello")
    if request.path == "/shop/":
        response.set_cookie("count", "3", path="/shop/")
        response.set_cookie("sessionid", "key")
        response.set_cookie("theme", "dark", max_age=60)
    return response


urlpatterns = [path("shop/", hello), path("account/", hello)]


def test_each_line_of_the_visitor_does_what_it_says(settings, clock):
    settings.ROOT_URLCONF = __name__
    lines = block("docs/testing.md", "visitor.jar").strip().splitlines()
    steps = [line.split("  #")[0].strip() for line in lines[:-2]] + ["\n".join(lines[-2:])]
    jar, expires, close, blocked, edit, held, coming = steps
    visitor = Visitor("https://shop.example")

    def run(line):
        return eval(line, {"visitor": visitor})

    visitor.get("/shop/")
    assert sorted(cookie.name for cookie in run(jar)) == ["count", "sessionid", "theme"]
    assert run(expires) is None
    later = expires.replace("sessionid", "theme")
    assert run(later) == clock.now.timestamp() + 60
    clock.forward(seconds=61)
    assert sorted(cookie.name for cookie in run(jar)) == ["count", "sessionid"]
    run(edit)
    assert visitor.get("/shop/").exchange.cookie_bytes.startswith(b"count=-7")
    run(blocked)
    visitor.get("/account/")
    assert visitor.get("/account/").exchange.cookie_bytes == b""
    (again,) = re.findall(r"block_cookies\(\w+\)", lines[3])
    run(f"visitor.{again}")
    assert visitor.get("/account/").exchange.cookie_bytes
    assert run(held) == []
    elsewhere = run(held.replace("/shop/", "/account/"))
    assert [(each.cookie.name, bool(each.reason)) for each in elsewhere] == [("count", True)]
    with_block = compile(coming.replace("visitor.get", "sent = visitor.get"), "manual", "exec")
    names = {"visitor": visitor}
    exec(with_block, names)  # noqa: S102
    assert names["sent"].exchange.came_from == "https://evil.example"
    run(close)
    assert list(run(jar)) == [cookie for cookie in run(jar) if cookie.expires]
