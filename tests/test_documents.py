"""Check that links in the documents resolve, their commands work, and README.md is short."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest
from documents import PROGRAMS, ROOT, Document, read_documents, words_of
from packaging.requirements import Requirement
from serving import page, running, serving

import labkit.base
from labkit import DISTRIBUTION, cli
from labkit.comparison_tables import Tables
from labkit.textbook_versions import find_version

pytestmark = pytest.mark.usefixtures("forked_runs")

DOCUMENTS = read_documents()
# The changelog is left out, because it shows commands of older versions.
WITH_COMMANDS = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda it: it.name)


def documented(program):
    """Return the distinct commands of a program in all documents, without the program's name."""
    found = {c for one in WITH_COMMANDS for c in [*one.block_commands(), *one.inline_commands()]}
    return sorted(arguments for first, *arguments in found if first == program)


def test_the_readme_fits_on_120_lines():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


# Links


@each_document
def test_every_link_leads_somewhere(document):
    assert list(document.broken_links()) == []


def test_a_broken_link_is_noticed():
    good = [
        "#a-b",
        "docs/claims.md#lab-04",
        "https://www.rfc-editor.org/rfc/rfc6265.html#section-8",
    ]
    bad = [
        "#c",
        "docs/nothing.md",
        "docs/servers.md#nothing",
        "../outside.md",
        "http://insecure.example/",
        "https://no-domain/",
        "https://www.rfc-editor.org/rfc/rfc6265#section-8",
        "https://docs.djangoproject.com/en/4.2/ref/settings/",
    ]
    text = "# A b\n\n" + "\n".join(f"[link]({link})" for link in [*good, *bad])
    assert list(Document(ROOT / "README.md", text).broken_links()) == bad


# Commands


def test_every_code_block_is_known():
    """If it fails: a new program, or a block for OTHER_BLOCKS in tests/support/documents.py."""
    for document in WITH_COMMANDS:
        unknown = {words[0] for words in document.block_commands()} - PROGRAMS
        assert not unknown, document.name


def test_a_command_is_read_without_its_comment():
    assert words_of("lab run 03    the cart in cookies") == ("lab", "run", "03")
    assert words_of('.venv\\Scripts\\pip install -e ".[dev]"')[-1] == ".[dev]"
    assert words_of("REDIS_URL=redis://x lab run 10 # a comment") == ("lab", "run", "10")


def parse(arguments):
    """Return the parameters of a lab command. Raises click.UsageError."""
    command, parent = cli.main, None
    while isinstance(command, click.Group) and arguments:
        parent = click.Context(command, parent=parent)
        if not (found := command.get_command(parent, arguments[0])):
            raise click.UsageError(f"no command {arguments[0]}")
        command, arguments = found, arguments[1:]
    return command.make_context(command.name, list(arguments), parent=parent).params


def test_every_lab_command_can_be_parsed(own_checkout):
    wrong = []
    for arguments in documented("lab"):
        try:
            parse(arguments)
        except click.UsageError as error:
            wrong.append(f"lab {' '.join(arguments)}: {error.format_message()}")
    assert wrong == []


@pytest.mark.parametrize(
    "arguments", [["rum", "03"], ["run", "03", "--serve"], ["serve", "--db", "x"]]
)
def test_a_wrong_lab_command_is_noticed(arguments):
    with pytest.raises(click.UsageError):
        parse(arguments)


def test_every_lab_that_runs_exists(checkout):
    for command, name, *_ in (each for each in documented("lab") if len(each) > 1):
        if command == "run" and name[0].isdigit():
            assert find_version(checkout, name) if ":" in name else checkout.find(name)


# These commands start servers, tests or exercises, or make a lab; tests below run some of them.
SLOW = {"run", "serve", "record", "check", "practice", "hint", "solution", "new"}


def is_quick(arguments):
    command, *rest = arguments
    return command not in SLOW and "--write" not in rest and (command != "compare" or not rest)


@pytest.fixture
def scratch(own_checkout, monkeypatch):
    """A checkout whose state folder is empty."""
    monkeypatch.setenv("LAB_STATE_DIR", str(own_checkout / "state"))
    return own_checkout


def test_every_quick_lab_command_works(scratch, said):
    quick = [arguments for arguments in documented("lab") if is_quick(arguments)]
    assert len(quick) > 15
    quick.sort(key=lambda arguments: arguments[0] != "copy")  # others use the copy
    results = {" ".join(arguments): said(*arguments) for arguments in quick}
    assert {name: output for name, (status, output) in results.items() if status} == {}


def test_the_documented_copy_is_checked(scratch, said):
    assert ["check", "mine/", "--as", "04"] in documented("lab")
    assert said("copy", "03", "mine/")[0] == 0
    status, output = said("check", "mine/", "--as", "04")
    # The check fails, because the cart is still in cookies.
    assert (status, "lab/" in output) == (1, True), output


def test_the_documented_lab_runs(scratch):
    assert ["run", "04"] in documented("lab")
    with running("04") as process:
        assert "<h1" in page(process.url)


def test_the_documented_labs_are_served(scratch):
    arguments = ["serve", "--only", "03,04"]
    assert arguments in documented("lab")
    with serving(scratch, *arguments[1:]) as served:
        assert all("<h1" in served.page("/", number=number) for number in (3, 4))
        assert served.page()


# nox and pytest


@pytest.fixture(scope="module")
def sessions():
    """The sessions of nox, and their tags."""
    command = [sys.executable, "-m", "nox", "-l", "-f", str(ROOT / "noxfile.py")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^[*-] ([\w.-]+)(?: \[([\w, ]+)\])? -> ", listed, re.MULTILINE)
    return {name for name, _ in found} | {tag for _, tags in found for tag in tags.split(", ")}


@pytest.fixture(scope="module")
def pytest_options():
    """The options that pytest has with the project's plugins."""
    command = [sys.executable, "-m", "pytest", "--help", "tests/conftest.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(re.findall(r"(?<![\w-])--?\w[\w-]*", done.stdout))


def options(arguments):
    return {word.partition("=")[0] for word in arguments if word.startswith("-")}


def test_every_nox_session_exists(sessions, pytest_options):
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for arguments in documented("nox"):
        end = arguments.index("--") if "--" in arguments else len(arguments)
        own, rest = arguments[:end], arguments[end + 1 :]
        assert options(own) <= {"-s", "-t", "-l"}, arguments
        assert set(own) - options(own) <= sessions, arguments
        for option in options(rest):
            assert option in pytest_options or f'"{option}"' in noxfile, arguments


def test_every_pytest_command_finds_its_files(pytest_options):
    for path, *rest in documented("pytest"):
        assert path == "mine/" or (ROOT / path).exists()
        assert options(rest) <= pytest_options
        if "-k" in rest:
            word = rest[rest.index("-k") + 1]
            folders = [ROOT / path, ROOT / "src" / "labkit" / "testing" / "contracts"]
            files = [file for folder in folders for file in folder.rglob("*.py")]
            assert any(word in file.read_text(encoding="utf-8") for file in files)


# python, pip and apt-get


def check_python(arguments):
    """Check that a script or a management command exists and has these options."""
    first, *rest = arguments
    if first == "-m":
        assert rest in (["venv", ".venv"], ["build", "path/to/this/checkout"])
    elif first == "manage.py":
        management = Path(labkit.base.__file__).parent / "management" / "commands"
        own = {path.stem for path in management.glob("*.py")}
        assert rest[0] in own | {"shell", "runserver", "clearsessions", "migrate"}
        if "-c" in rest:
            ast.parse(rest[rest.index("-c") + 1])
    else:
        script = ROOT / first / "__main__.py" if (ROOT / first).is_dir() else ROOT / first
        text = script.read_text("utf-8") + (ROOT / "bench" / "common.py").read_text("utf-8")
        for option in options(rest):
            assert f'"{option}"' in text


def test_every_python_command_has_its_script(subtests):
    for arguments in documented("python"):
        with subtests.test(arguments=arguments):
            check_python(arguments)


@pytest.mark.parametrize("arguments", [["bench/x.py"], ["bench", "--far"], ["manage.py", "clear"]])
def test_a_wrong_python_command_is_noticed(arguments):
    with pytest.raises((AssertionError, OSError)):
        check_python(arguments)


@cache
def extras():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return set(tomllib.loads(text)["project"]["optional-dependencies"])


def test_every_pip_command_names_extras_that_exist():
    for action, *rest in documented("pip"):
        assert action in {"install", "download"}
        assert options(rest) <= {"-e", "-d", "-c", "--no-index", "--find-links"}
        named = [word for word in rest if "[" in word]
        assert named or rest == ["build"]
        in_checkout = action == "download" or "-e" in rest
        assert in_checkout == ("-c" in rest)  # with the versions that were tested
        assert "-c" not in rest or rest[rest.index("-c") + 1] == "constraints.txt"
        for word in named:
            assert Requirement(f"{DISTRIBUTION}{word[word.index('[') :]}").extras <= extras()


def test_every_debian_package_is_installed_in_ci():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for arguments in documented("sudo"):
        assert arguments[:2] == ["apt-get", "install"]
        assert all(re.search(rf"\b{re.escape(name)}\b", script) for name in arguments[2:])


# From one machine to many

VISITORS, DAY = 10_000_000, 86_400


def figures(name):
    path = ROOT / "docs" / "measured" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["figures"]


def with_ten_items(way):
    sizes = figures("carts-sqlite")["variants"][way]["sizes"]
    return next(size for size in sizes if size["size"] == 10)


def milliseconds(db):
    """The times to load, save and create one of a million sessions."""
    operations = figures("growth")[db]["operations"]
    times = (operations[kind]["milliseconds"] for kind in ("read", "write", "new visitor"))
    return (round(each["1000000"], 2) for each in times)


def seconds_to_clear(db, way):
    found = figures("growth")[db]["clearing"][way]
    return f"{VISITORS * found['seconds'] / found['gone']:,.0f} s"


def queries(checkout, engine):
    """The number of queries for a page, for the first add and for each further add."""
    table = Tables(checkout).find("engines")
    names = ("queries_to_look", "queries_of_the_first_add", "queries_to_add")
    return [int(table.question(name).cells[engine].answer) for name in names]


def calculated(checkout):
    """Yield what docs/servers.md must say."""
    per_second = VISITORS / DAY
    yield f"| {20 * per_second:,.0f} on average, {60 * per_second:,.0f} at peak |"
    for engine in ("db", "cached_db", "cache", "file", "signed_cookies"):
        look, first, further = queries(checkout, engine)
        average = per_second * (10 * look + first + 9 * further)
        yield f"| {engine} | {look}, {first}, {further} | {average:,.0f}, {3 * average:,.0f} |"
    stored = with_ten_items("session")["stored"]
    yield f"| V × 14 × {stored} | {VISITORS * 14 * stored / 1e9:.0f} GB |"
    load, save, create = milliseconds("mysql")
    each = 19 * load + create + 9 * save
    busy = per_second * each / 1000
    yield f"loading one takes {load:.2f} ms, creating one {create:.2f} ms, and saving"
    yield f"saving one {save:.2f} ms"
    yield f"{each:.1f} ms for each visitor, so {busy:.1f} connections are in use on average"
    yield f"| {busy:.1f} on average, {3 * busy:.1f} at peak |"
    _, save, create = milliseconds("sqlite")
    writing = create + 9 * save
    share = per_second * writing / 10
    yield f"({create:.2f} ms to create, {save:.2f} ms to save) take {writing:.1f} ms for each"
    yield f"{share:.0f} % of the day on average and {3 * share:.0f} % at peak"
    for way in ("clearsessions", "clearexpired"):
        mysql, sqlite = seconds_to_clear("mysql", way), seconds_to_clear("sqlite", way)
        yield f"takes {mysql} on MariaDB and {sqlite} on SQLite"
    clearing = figures("growth")["sqlite"]["clearing"]
    yield f"write waited {clearing['clearsessions']['worst']['write']:.2f} s"
    sent = [with_ten_items(way)["page"]["up"] for way in ("cookie", "session")]
    more = sent[0] - sent[1]
    yield f"sends {more} bytes more"
    yield f"({sent[0]} and {sent[1]})"
    yield f"at most {VISITORS * 20 * more / 1e9:.0f} GB a day"
    yield f"{per_second * 20 * more * 8 / 1e6:.1f} Mbit/s"


def test_the_costs_of_a_large_site_are_calculated(checkout):
    """If it fails, docs/servers.md has to follow docs/measured and labs/compare.toml."""
    text = " ".join((ROOT / "docs" / "servers.md").read_text(encoding="utf-8").split())
    assert [words for words in calculated(checkout) if words not in text] == []
