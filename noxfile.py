"""Sessions for labkit, and for each lab in the manifest.

`nox -l` lists them, and `nox -s test-03` runs one. Plain `nox` also tests all labs, several at a
time, in the sessions labs and labs-extras.
"""

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import nox

if sys.version_info < (3, 11):  # noqa: UP036 nox may run on an older Python
    sys.exit(f"This project needs Python 3.11 or later; this nox runs on {sys.version.split()[0]}.")
import tomllib

ROOT = Path(__file__).parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONSTRAINTS = ROOT / "constraints.txt"
LABS = tomllib.loads((ROOT / "labs" / "labs.toml").read_text(encoding="utf-8"))["lab"]
WITH_DATABASE = [lab for lab in LABS if lab["database"]]
WITH_REDIS = [lab for lab in LABS if lab.get("redis", False)]

# Other sessions run the tests that need a server or a browser.
IN_PROCESS = (
    "not browser and not differential and not mysql and not redis and not panel and not charts"
    " and not maintainer and not textbook and not package"
)
# Sessions with an extra: the tests, the extra and the required tools.
EXTRAS = {
    "galera": ("galera", "mysql", "headers", "mariadb", "galera"),
    "mysql-kit": ("(mysql and not galera)", "mysql", "headers", "mariadb"),
    "browser-kit": ("(browser or differential)", "browser", "chromium"),
    "redis-kit": ("redis", "redis", "redis-server"),
    "charts": ("charts", "charts"),
}
# The newest Pythons on which Django 6.0 and 6.1 run, and this project: 3.11 to 3.14.
SUPPORTED = range(11, 15)
# Tests of the checkout's files, which do not depend on installed versions.
READ_FILES = (
    "labs/test_layout.py",
    "test_conventions.py",
    "test_documented_sessions.py",
    "test_documents.py",
    "test_prose.py",
)
# Schemas that check-jsonschema has -> the files to check with them.
SCHEMAS = {
    "vendor.citation-file-format": "CITATION.cff",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/problem.yml",
    "vendor.github-workflows": ".github/workflows/tests.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/tests.yml",
}
# One process more than there are cores, since tests wait for servers. tests/conftest.py keeps tests
# together that share a server.
PROCESSES = min(4, (os.cpu_count() or 1) + 1)
SIDE_BY_SIDE = ("-n", str(PROCESSES), "--dist", "loadgroup", "--no-loadscope-reorder")

# The labs' responses, which the session labs records for the session panel.
RECORDINGS = ROOT / ".lab" / "recordings"
_recordings: dict[str, str] = {}  # the variable with its name, if this run made it

_complete: set[tuple[str, ...]] = set()  # the extras that this run has checked

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"  # all sessions share one environment


def environment(session: nox.Session, *extras: str) -> None:
    """Create the shared environment .venv if it is missing, and install missing packages."""
    if not PYTHON.exists():
        session.run(sys.executable, "-m", "venv", str(VENV), external=True)
    if extras in _complete:
        return
    if ask("extras", "dev", *extras):
        wanted = f"{ROOT}[{','.join(['dev', *extras])}]"
        pip = (str(PYTHON), "-m", "pip", "install", "-q")
        session.run(*pip, "-e", wanted, "-c", str(CONSTRAINTS), external=True)
    _complete.add(extras)


def script(name: str) -> str:
    """Return the path of a command in the shared environment: on Windows, it ends in .exe."""
    return str(PYTHON.with_name(name + PYTHON.suffix))


def ask(kind: str, *names: str) -> str:
    """Return what is missing according to labkit.services.requirements, in lines."""
    return capture("-m", "labkit.services.requirements", kind, *names)[1]


def capture(*arguments: str) -> tuple[bool, str]:
    """Run Python in the shared environment; return whether it succeeded, and its output.

    Python then writes UTF-8 on every system. On Windows, it otherwise fails to print some paths.
    """
    done = subprocess.run(
        [str(PYTHON), *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONUTF8": "1"},
        check=False,
        cwd=ROOT,
    )
    return done.returncode == 0, done.stdout + done.stderr


def need(session: nox.Session, extra: str, *tools: str) -> None:
    """Install an extra; skip the session if it or a tool is missing, fail it in CI."""
    if reason := find_missing(session, extra, *tools):
        absent(session, reason)


def find_missing(session: nox.Session, extra: str, *tools: str) -> str:
    """Install an extra; return why it or a tool is missing, or nothing."""
    environment(session)
    if tools and (missing := ask("tools", *tools)):
        return missing
    try:
        environment(session, extra)
    except nox.command.CommandFailed:
        return f"pip could not install the extra [{extra}], see above."
    return ""


def find_installed(session: nox.Session, wanted: dict[Any, Sequence[str]]) -> list[Any]:
    """Return those of `wanted` whose extra and tools are installed, and report what is missing.

    wanted: {anything: extra and tools}. Skip the session if all of them are missing, and fail it in
    CI if one is.
    """
    note = results(session.name)
    tools = {tool for _, *tools in wanted.values() for tool in tools}
    extras = {extra for extra, *_ in wanted.values()}
    if not ask("tools", *sorted(tools)) and not ask("extras", "dev", *sorted(extras)):
        return list(wanted)  # asking for each separately would take seconds
    missing = {each: find_missing(session, *needed) for each, needed in wanted.items()}
    reasons = list(dict.fromkeys(filter(None, missing.values())))
    for reason in reasons:
        session.warn(f"Left out: {reason}")
    if reasons and (all(missing.values()) or os.environ.get("CI")):
        absent(session, "\n".join(reasons))
    if reasons:
        note.write_text(json.dumps({"skipped": reasons}), encoding="utf-8")
    return [each for each, reason in missing.items() if not reason]


def absent(session: nox.Session, reason: str) -> None:
    """Skip the session with this reason, or fail it in CI, where a skip would hide a gap."""
    reason = ". ".join(reason.split("\n")).strip(" .")
    results(session.name).write_text(json.dumps({"skipped": reason}), encoding="utf-8")
    session.error(reason) if os.environ.get("CI") else session.skip(reason)


def results(name: str) -> Path:
    """Delete and return the file for the claims that a session's tests prove."""
    path = ROOT / ".lab" / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def environ_of(name: str) -> dict[str, str | None]:
    """Return the environment variables for a run of pytest with this name."""
    variables = {"PYTHONDONTWRITEBYTECODE": None, "LAB_RESULTS": str(results(name))}
    memory = Path("/dev/shm")  # noqa: S108 databases are fastest in memory, if there is enough of it
    if "TMPDIR" not in os.environ and memory.is_dir() and os.access(memory, os.W_OK):
        executable = not os.statvfs(memory).f_flag & os.ST_NOEXEC
        if executable and shutil.disk_usage(memory).free > 4 * 2**30:
            variables["TMPDIR"] = str(memory)
    return variables


def find_pythons() -> dict[tuple[int, int], str]:
    """Return {version: path} of the Pythons found here: nox's own, in the PATH, and pyenv's.

    Of Pythons with the same version, nox's own is preferred, then the first in the PATH.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    versions = [pyenv / "versions", pyenv / "pyenv-win" / "versions"]
    commands = [[sys.executable]]
    for minor in SUPPORTED:
        commands += [[f"python3.{minor}"], ["py", f"-3.{minor}"]]
        for folder in versions:
            commands += [[str(path)] for path in folder.glob(f"3.{minor}.*/bin/python")]
            commands += [[str(path)] for path in folder.glob(f"3.{minor}.*/python.exe")]
    found: dict[tuple[int, int], str] = {}
    for command in commands:
        code = "import sys; print(*sys.version_info[:2], sys.executable)"
        # A command in the PATH may be a link of pyenv that fails.
        with contextlib.suppress(OSError, ValueError):
            done = subprocess.run(
                [*command, "-c", code], capture_output=True, text=True, check=False
            )
            major, minor, path = done.stdout.strip().split(" ", 2)
            found.setdefault((int(major), int(minor)), path)
    return found


def separate_environment(session: nox.Session, python: str, pins: str, *packages: str) -> str:
    """Install labkit, the labs' tests and these packages for a session only; return its Python.

    pins: the lines of a constraints file for pip.
    """
    environment(session)
    folder = ROOT / ".nox" / session.name
    own = folder / PYTHON.relative_to(VENV)
    constraints = folder / "constraints.txt"
    config = folder / "pyvenv.cfg"
    home = f"home = {Path(python).parent}\n"
    if not config.is_file() or home not in config.read_text(encoding="utf-8"):
        session.run(python, "-m", "venv", "--clear", "--without-pip", str(folder), external=True)
    constraints.write_text(pins, encoding="utf-8")
    # This pip installs for the other Python, and leaves it to that Python to compile the modules
    # that it imports.
    pip = (str(PYTHON), "-m", "pip", "--python", str(own), "install", "-q", "--upgrade")
    pip += ("--disable-pip-version-check", "--no-compile")
    wanted = ("-e", f"{ROOT}[labs]", "pytest-xdist", "-c", str(constraints))
    session.run(*pip, *wanted, *packages, external=True)
    return str(own)


def test_everything(session: nox.Session, python: str) -> None:
    """Run the tests of the labs, and those of labkit that start no process, with this Python."""
    ignored = [f"--ignore=tests/{name}" for name in READ_FILES]
    # labkit's tests take longest, so they come first.
    runs = {f"{session.name}-kit": ["tests", *ignored, "-m", f"{IN_PROCESS} and not processes"]}
    runs |= {
        f"{session.name}-{lab['number']}": [folder_of(lab), "-m", f"{IN_PROCESS} and not thorough"]
        for lab in reversed(LABS)
    }
    pytest_at_once(session, runs, python=python)


def pytest(session: nox.Session, *arguments: str, **variables: str) -> None:
    """Run pytest in the shared environment; fail if no test is selected."""
    command = [str(PYTHON), "-m", "pytest", *arguments, *session.posargs]
    session.run(*command, external=True, env=environ_of(session.name) | variables)


def pytest_each_lab(session: nox.Session, kind: str, labs: list[dict], *arguments: str) -> None:
    """Run pytest for each of these labs, several at a time.

    A process has one settings module, so each lab has its own.
    """
    pytest_at_once(session, runs_of(kind, labs, *arguments))


def runs_of(kind: str, labs: list[dict], *arguments: str) -> dict[str, list[str]]:
    """Return the runs of these labs for `pytest_at_once`, with these arguments of pytest."""
    # The last labs have the most tests, so they come first.
    return {f"{kind}-{lab['number']}": [folder_of(lab), *arguments] for lab in reversed(labs)}


def pytest_at_once(
    session: nox.Session,
    runs: dict[str, list[str]],
    python: str = str(PYTHON),
    **variables: str,
) -> None:
    """Run pytest with each of these lists of arguments, several at a time.

    python: the Python that runs it. variables: additional environment variables.

    The output of a run is printed when it has ended. All runs continue if one fails. It is an error
    if no test is selected in any of them.
    """
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(PROCESSES):
        slots.put(slot)

    def run(name: str) -> str:
        slot, width = slots.get(), 22_000 // PROCESSES
        first = 10_000 + slot * width  # each has a separate range of ports
        environ = environ_of(name) | variables
        environ["LABKIT_PORTS"] = f"{first}-{first + width - 1}"
        command = [python, "-m", "pytest", *runs[name], *session.posargs]
        try:
            # -k may select tests of only one run.
            codes = [0, 5] if session.posargs else [0]
            return session.run(
                *command, external=True, env=environ, silent=True, success_codes=codes
            )
        finally:
            slots.put(slot)

    failed, some_ran = [], False
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {pool.submit(run, name): name for name in runs}
        for future in as_completed(running):
            try:
                output = future.result()
                print(output)  # noqa: T201
                some_ran = some_ran or " passed" in output
            except nox.command.CommandFailed:
                failed.append(running[future])
    if failed:
        session.error(f"Tests failed in: {', '.join(sorted(failed))}")
    if not some_ran:
        session.error("No test was selected.")


def files_with(mark: str) -> list[str]:
    """Return the files with a mark that only decorators and `pytestmark` set.

    pytest would spend seconds, in each of its processes, on loading all other files.
    """
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    found = [path for path in paths if f"pytest.mark.{mark}" in path.read_text(encoding="utf-8")]
    return [path.relative_to(ROOT).as_posix() for path in found]


def folder_of(lab: dict) -> str:
    return f"labs/{lab['number']}_{lab['slug']}"


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, types, and the layers of labkit (ruff, mypy, import-linter)"""
    environment(session)
    session.run(str(PYTHON), "-m", "ruff", "check", ".", external=True)
    session.run(str(PYTHON), "-m", "ruff", "format", "--check", ".", external=True)
    session.run(str(PYTHON), "-m", "mypy", external=True)
    session.run(script("lint-imports"), external=True)


@nox.session(name="project-files")
def project_files(session: nox.Session) -> None:
    """CITATION.cff, the issue form and the hosted CI (check-jsonschema, actionlint)"""
    need(session, "project-files")
    for schema, file in SCHEMAS.items():
        command = [script("check-jsonschema"), "--builtin-schema", schema, file]
        session.run(*command, external=True)
    session.run(script("actionlint"), external=True)


@nox.session
def kit(session: nox.Session) -> None:
    """labkit itself, the layout of the labs, and the labs on real servers"""
    environment(session)
    pytest(session, "tests", "-m", IN_PROCESS, *SIDE_BY_SIDE)


@nox.session(tags=["test"])
def labs(session: nox.Session) -> None:
    """Every lab, with random actions and requests that no browser sends"""
    environment(session)
    clear_thorough("thorough")
    shutil.rmtree(RECORDINGS, ignore_errors=True)
    # The last labs have the most tests, so they come first.
    runs = {f"test-{lab['number']}": recorded(lab) for lab in reversed(LABS)}
    if not session.posargs:  # they may select some of the tests
        _recordings["LAB_RECORDINGS"] = str(RECORDINGS)
    pytest_at_once(session, runs, PYTHONPATH=str(ROOT / "tests" / "support"))


def recorded(lab: dict) -> list[str]:
    """Return the arguments of pytest for a lab's tests, recorded for the session panel."""
    path = RECORDINGS / f"{lab['number']}.json"
    recorder = ["-p", "exchange_recording", "--lab-record", str(path)]
    return [folder_of(lab), "-m", IN_PROCESS, *recorder]


def on_mysql() -> dict[str, list[str]]:
    """Return the runs of all labs on MariaDB, for `pytest_at_once`."""
    clear_thorough("thorough-mysql")
    return runs_of("mysql", WITH_DATABASE, "--lab-db=mysql", "-m", IN_PROCESS)


def on_mysql_over_sockets() -> dict[str, list[str]]:
    """Return the runs of all labs over a socket with MariaDB, for `pytest_at_once`."""
    chosen = ("--lab-db=mysql", "--lab-server=waitress", "-m", f"not thorough and {IN_PROCESS}")
    return runs_of("sockets-mysql", WITH_DATABASE, *chosen)


def in_redis() -> dict[str, list[str]]:
    """Return the runs of all labs that can store sessions in Redis, for `pytest_at_once`."""
    return runs_of("redis", WITH_REDIS, "-m", "redis")


def in_chromium() -> dict[str, list[str]]:
    """Return the runs of all labs in Chromium, for `pytest_at_once`."""
    return runs_of("browser", LABS, "-m", "browser")


@nox.session(name="labs-extras")
def labs_extras(session: nox.Session) -> None:
    """Every lab on MariaDB, in Chromium and in Redis, if installed"""
    environment(session)
    wanted = {
        on_mysql: ("mysql", "headers", "mariadb"),
        in_chromium: ("browser", "chromium"),
        on_mysql_over_sockets: ("mysql", "headers", "mariadb"),
        in_redis: ("redis", "redis-server"),
    }
    runs = {}
    for make_runs in find_installed(session, wanted):
        runs |= make_runs()
    pytest_at_once(session, runs)


@nox.session(name="labs-mysql", tags=["mysql"], default=False)
def labs_mysql(session: nox.Session) -> None:
    """Every lab that has a database (on MariaDB)"""
    need(session, "mysql", "headers", "mariadb")
    pytest_at_once(session, on_mysql())


@nox.session(name="labs-redis", tags=["redis"], default=False)
def labs_redis(session: nox.Session) -> None:
    """Every lab that can store sessions in Redis"""
    need(session, "redis", "redis-server")
    pytest_at_once(session, in_redis())


@nox.session(name="labs-browser", tags=["browser"], default=False)
def labs_browser(session: nox.Session) -> None:
    """Every lab in Chromium"""
    need(session, "browser", "chromium")
    pytest_at_once(session, in_chromium())


def sessions_of(lab: dict) -> None:
    """Define the sessions of one lab: test-NN, browser-NN, and mysql-NN and redis-NN if used."""
    folder = folder_of(lab)

    def test(session: nox.Session) -> None:
        environment(session)
        pytest(session, folder)

    def mysql(session: nox.Session) -> None:
        need(session, "mysql", "headers", "mariadb")
        pytest(session, folder, "--lab-db=mysql")

    def in_redis(session: nox.Session) -> None:
        need(session, "redis", "redis-server")
        pytest(session, folder, "-m", "redis")

    def browser(session: nox.Session) -> None:
        need(session, "browser", "chromium")
        pytest(session, folder, "-m", "browser")

    bodies = {"test": test, "mysql": mysql, "redis": in_redis, "browser": browser}
    if lab not in WITH_DATABASE:
        del bodies["mysql"]
    if lab not in WITH_REDIS:
        del bodies["redis"]
    places = {"test": "", "mysql": " (on MariaDB)", "redis": " (in Redis)"}
    places["browser"] = " (in Chromium)"
    for kind, body in bodies.items():
        body.__doc__ = lab["title"] + places[kind]
        nox.session(body, name=f"{kind}-{lab['number']}", default=False)


for lab in LABS:
    sessions_of(lab)


@nox.session(default=False)
def thorough(session: nox.Session) -> None:
    """Every lab, with more random actions and requests that no browser sends"""
    environment(session)
    pytest_each_lab(session, "thorough", LABS, "-m", "thorough and not redis")


@nox.session
def sockets(session: nox.Session) -> None:
    """Every lab's tests over a socket, on waitress and partly on runserver"""
    environment(session)
    chosen = ("--lab-server=runserver", "-m", f"thorough and {IN_PROCESS}")
    every = ("--lab-server=waitress", "-m", IN_PROCESS)
    runs = runs_of("sockets-waitress", LABS, *every)
    pytest_at_once(session, runs | runs_of("sockets-runserver", LABS, *chosen))


@nox.session(name="sockets-mysql", tags=["mysql"], default=False)
def sockets_mysql(session: nox.Session) -> None:
    """Every lab's tests over a socket, on waitress with MariaDB"""
    need(session, "mysql", "headers", "mariadb")
    pytest_at_once(session, on_mysql_over_sockets())


@nox.session(name="thorough-mysql", default=False)
def thorough_mysql(session: nox.Session) -> None:
    """The session thorough, on MariaDB"""
    need(session, "mysql", "headers", "mariadb")
    chosen = ("-m", "thorough and not redis")
    pytest_each_lab(session, "thorough-mysql", WITH_DATABASE, "--lab-db=mysql", *chosen)


def clear_thorough(kind: str) -> None:
    """Delete the results of these sessions before another session runs their tests."""
    for lab in LABS:
        results(f"{kind}-{lab['number']}")


@nox.session(name="django-client", default=False)
def django_client(session: nox.Session) -> None:
    """Django's own tests of its test client, run with the visitor"""
    environment(session)
    program = str(ROOT / "tests" / "support" / "django_client.py")
    fetched, printed = capture(program, "--fetch")
    if not fetched:
        absent(session, printed)
    session.run(str(PYTHON), program, external=True)


@nox.session
def textbook(session: nox.Session) -> None:
    """Each textbook version fails a test, each exercise is solvable (-- --write records which)"""
    environment(session)
    if "--write" in session.posargs:
        script = ROOT / "tests" / "support" / "textbook_runs.py"
        session.run(str(PYTHON), str(script), *session.posargs, external=True)
        return
    pytest(session, "tests/textbook", "-m", "textbook", *SIDE_BY_SIDE)


@nox.session(default=False)
def html(session: nox.Session) -> None:
    """Valid HTML on all pages of the labs, the panel and the console (with vnu)"""
    environment(session)
    if missing := ask("tools", "java", "npm"):
        absent(session, missing)
    program = str(ROOT / "tests" / "support" / "html_check.py")
    fetched, printed = capture(program, "--fetch")
    if not fetched:
        absent(session, printed)
    session.run(str(PYTHON), program, external=True)


@nox.session
def panel(session: nox.Session) -> None:
    """Every lab's responses, which must be the same with and without the panel"""
    environment(session)
    pytest(session, *files_with("panel"), "-m", "panel", *SIDE_BY_SIDE, **_recordings)


@nox.session(name="kit-extras")
def kit_extras(session: nox.Session) -> None:
    """labkit with Chromium, MariaDB, Galera, Redis and charts, if installed"""
    environment(session)
    for name in EXTRAS:
        results(name)
    wanted = {expression: extra for expression, *extra in EXTRAS.values()}
    chosen = find_installed(session, wanted)
    # Two processes, because asyncio.run() fails while Playwright's event loop is running.
    runs = {}
    browser = EXTRAS["browser-kit"][0]
    if browser in chosen:
        runs["kit-extras-browser"] = ["tests", "-m", browser, *SIDE_BY_SIDE]
    if others := " or ".join(part for part in chosen if part != browser):
        runs["kit-extras-servers"] = ["tests", "-m", f"({others}) and not browser", *SIDE_BY_SIDE]
    pytest_at_once(session, runs)


@nox.session(default=False)
def charts(session: nox.Session) -> None:
    """Charts of measured figures (with matplotlib)"""
    need(session, "charts")
    pytest(session, "tests", "-m", "charts")


@nox.session(name="browser-kit", tags=["browser"], default=False)
def browser_kit(session: nox.Session) -> None:
    """labkit, and several labs together, in Chromium"""
    need(session, "browser", "chromium")
    pytest(session, "tests", "-m", EXTRAS["browser-kit"][0], *SIDE_BY_SIDE)


@nox.session(default=False)
def differential(session: nox.Session) -> None:
    """Random cookies in the jar and in Chromium (-- --lines 2000 draws new ones)"""
    need(session, "browser", "chromium")
    pytest(session, "tests/http/test_differential.py", "-m", "differential")


@nox.session(name="mysql-kit", tags=["mysql"], default=False)
def mysql_kit(session: nox.Session) -> None:
    """labkit with databases on MariaDB"""
    need(session, "mysql", "headers", "mariadb")
    pytest(session, "tests", "-m", "mysql and not galera", *SIDE_BY_SIDE)


@nox.session(tags=["mysql"], default=False)
def galera(session: nox.Session) -> None:
    """labkit with a Galera cluster of three MariaDB nodes"""
    need(session, "mysql", "headers", "mariadb", "galera")
    pytest(session, "tests", "-m", "galera")


@nox.session(name="redis-kit", tags=["redis"], default=False)
def redis_kit(session: nox.Session) -> None:
    """labkit with a Redis server"""
    need(session, "redis", "redis-server")
    pytest(session, "tests", "-m", "redis")


@nox.session
def claims(session: nox.Session) -> None:
    """Every claim and pitfall: a test that proves it passed in an earlier session"""
    environment(session)
    session.run(str(PYTHON), "-m", "labkit.cli", "claims", "--check", external=True)


@nox.session
def maintain(session: nox.Session) -> None:
    """The benchmarks and measurements, with a minimal amount of work"""
    environment(session)
    chosen = ("-m", "maintainer and not mysql")
    pytest(session, *files_with("maintainer"), *chosen, *SIDE_BY_SIDE)


@nox.session(default=False)
def package(session: nox.Session) -> None:
    """The wheel and the sdist, each installed in another project (with a package index)"""
    need(session, "package")
    download = ("pip", "download", "-q", "--no-deps", "-d", session.create_tmp(), "iniconfig")
    fetched, printed = capture("-m", *download)
    if not fetched:
        absent(session, f"pip cannot download packages: {printed}")
    pytest(session, "tests/test_package.py", "-m", "package")


@nox.session
def downloads(session: nox.Session) -> None:
    """The sessions html, package and django-client, which download programs, at the same time"""
    environment(session)
    find_missing(session, "package")  # pip must not change the environment while the others use it
    names = ("html", "package", "django-client")

    def run(name: str) -> None:
        command = [sys.executable, "-m", "nox", "--no-color", "-f", __file__, "-s", name]
        command += ["--", *session.posargs] if session.posargs else []
        print(session.run(*command, external=True, silent=True))  # noqa: T201

    failed = []
    with ThreadPoolExecutor(len(names)) as pool:
        for name, future in [(name, pool.submit(run, name)) for name in names]:
            try:
                future.result()
            except nox.command.CommandFailed:
                failed.append(name)
    if failed:
        session.error(f"These sessions failed: {', '.join(failed)}")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Benchmarks, in under ten minutes: ratios that are printed but not checked"""
    for extra in ("mysql", "charts", "bench"):  # each script says what it leaves out without them
        with contextlib.suppress(nox.command.CommandFailed):
            environment(session, extra)
    environment(session)
    session.run(str(PYTHON), str(ROOT / "bench"), *session.posargs, external=True)


def on_django(version: str, choose: Callable[..., tuple[int, int]]) -> None:
    """Define the session for a version of Django other than the default one.

    choose: min or max, which chooses from the Pythons if nox's own is too old.
    """

    def test(session: nox.Session) -> None:
        pythons = {found: path for found, path in find_pythons().items() if found >= (3, 12)}
        if not pythons:
            # Even in CI: a machine need not have a second Python.
            reason = f"Django {version} needs Python 3.12 or later, and none was found"
            results(session.name).write_text(json.dumps({"skipped": reason}), encoding="utf-8")
            session.skip(reason)
        own = sys.version_info[:2]
        python = pythons[own if own in pythons else choose(pythons)]
        session.log(f"Python: {python}")
        lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines(keepends=True)
        pins = "".join(line for line in lines if not line.startswith("django=="))
        test_everything(
            session, separate_environment(session, python, pins, f"Django=={version}.*")
        )

    test.__doc__ = f"The labs, and labkit without servers, on Django {version} (with Python 3.12+)"
    nox.session(test, name=f"django-{version}", default=False)


on_django("6.0", min)
on_django("6.1", max)


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """The labs, and labkit without servers, with the lowest versions that pyproject.toml allows"""
    pythons = find_pythons()
    python = pythons[min(version for version in pythons if version >= (3, 11))]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["testing"], *extras["labs"], *extras["dev"]]
    pins = [
        re.sub(r">=([\d.]+).*", r"==\1\n", line)
        for line in wanted
        if not line.startswith(project["name"])
    ]
    session.log(f"Python: {python}; {', '.join(pins)}".replace("\n", ""))
    test_everything(session, separate_environment(session, python, "".join(pins)))


@nox.session(default=False, venv_backend="virtualenv", reuse_venv=True)
def lock(session: nox.Session) -> None:
    """Write constraints.txt: the newest version of each package, for each Python and system"""
    session.install("-q", "uv")
    newest = ("--upgrade", "--universal", "--python-version", "3.11")
    chosen = ("pyproject.toml", "--all-extras", "--group", "lock")
    header = ("--no-annotate", "--custom-compile-command", "nox -s lock")
    output = ("--quiet", "--output-file", str(CONSTRAINTS))
    session.run("uv", "pip", "compile", *chosen, *newest, *header, *output)


@nox.session(default=False)
def reword(session: nox.Session) -> None:
    """No test may fail after 50 visible sentences are reworded in a copy"""
    environment(session)
    script = ROOT / "tests" / "support" / "reword.py"
    session.run(str(PYTHON), str(script), *session.posargs, external=True)
