"""One session per lab, from the manifest. `nox -l` lists them, `nox -s test-03` runs one."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import nox

if sys.version_info < (3, 11):  # noqa: UP036 nox itself may run on an older one
    sys.exit(f"This project needs Python 3.11 or later; this nox runs on {sys.version.split()[0]}.")
import tomllib

ROOT = Path(__file__).parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LABS = tomllib.loads((ROOT / "labs" / "labs.toml").read_text(encoding="utf-8"))["lab"]

# Many servers and few shared fixtures: one process for each core, a class or module to each.
SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadscope")

_complete: set[tuple[str, ...]] = set()  # the extras that are installed, as this run has seen

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"  # one environment, ours, for all sessions


def environment(session: nox.Session, *extras: str) -> None:
    """Make the one environment at .venv if it is missing, and install what it lacks."""
    if not PYTHON.exists():
        session.run(sys.executable, "-m", "venv", str(VENV), external=True)
    if extras in _complete:
        return
    if ask("extras", "dev", *extras):
        wanted = f"{ROOT}[{','.join(['dev', *extras])}]"
        session.run(str(PYTHON), "-m", "pip", "install", "-q", "-e", wanted, external=True)
    _complete.add(extras)


def ask(kind: str, *names: str) -> str:
    """What labkit.services.requirements says is missing, one line each; empty where nothing is."""
    command = [str(PYTHON), "-m", "labkit.services.requirements", kind, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout + done.stderr


def need(session: nox.Session, extra: str, *tools: str) -> None:
    """Install an extra; skip the session where it or a tool cannot be had, fail it in CI."""
    environment(session)
    if missing := ask("tools", *tools):
        absent(session, missing)
    try:
        environment(session, extra)
    except nox.command.CommandFailed:
        absent(session, f"pip could not install the extra [{extra}], see above.")


def absent(session: nox.Session, reason: str) -> None:
    """Skip with this reason, but fail where CI is set: there a skip would hide a gap."""
    reason = ". ".join(reason.split("\n")).strip(" .")
    results(session).write_text(json.dumps({"skipped": reason}), encoding="utf-8")
    session.error(reason) if os.environ.get("CI") else session.skip(reason)


def results(session: nox.Session, part: str = "") -> Path:
    """Where a session leaves which claims its tests have proved; of its last run, none yet."""
    path = ROOT / ".lab" / "results" / f"{session.name}{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def pytest(session: nox.Session, *arguments: str, part: str = "") -> None:
    """Run pytest of the shared environment; no test at all is an error (its exit status 5)."""
    command = [str(PYTHON), "-m", "pytest", *arguments, *session.posargs]
    environ = {"PYTHONDONTWRITEBYTECODE": None, "LAB_RESULTS": str(results(session, part))}
    session.run(*command, external=True, env=environ)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, types, and the layers of labkit (ruff, mypy, import-linter)"""
    environment(session)
    session.run(str(PYTHON), "-m", "ruff", "check", ".", external=True)
    session.run(str(PYTHON), "-m", "ruff", "format", "--check", ".", external=True)
    session.run(str(PYTHON), "-m", "mypy", external=True)
    session.run(str(PYTHON.parent / "lint-imports"), external=True)


@nox.session
def kit(session: nox.Session) -> None:
    """labkit itself, the layout of the labs, and the labs on real servers"""
    environment(session)
    apart = ("browser", "mysql", "redis", "panel", "charts")
    pytest(session, "tests", "-m", " and ".join(f"not {mark}" for mark in apart), *SIDE_BY_SIDE)


def sessions_of(number: str, slug: str, title: str, database: bool, redis: bool) -> None:
    """The sessions of one lab: test-NN, browser-NN, mysql-NN and redis-NN where it uses them."""
    folder = f"labs/{number}_{slug}"

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
    if not database:
        del bodies["mysql"]
    if not redis:
        del bodies["redis"]
    places = {"test": "", "mysql": " (on MariaDB)", "redis": " (in Redis)"}
    places["browser"] = " (in Chromium)"
    for kind, body in bodies.items():
        body.__doc__ = title + places[kind]
        nox.session(body, name=f"{kind}-{number}", tags=[kind])


for lab in LABS:
    sessions_of(lab["number"], lab["slug"], lab["title"], lab["database"], lab.get("redis", False))


@nox.session
def thorough(session: nox.Session) -> None:
    """Every lab driven at random, and by requests that no browser sends"""
    environment(session)
    for lab in LABS:
        number = lab["number"]
        pytest(
            session,
            f"labs/{number}_{lab['slug']}",
            "-m",
            "thorough and not redis",
            part=f"-{number}",
        )


@nox.session(name="thorough-mysql", tags=["mysql"])
def thorough_mysql(session: nox.Session) -> None:
    """The same on MariaDB"""
    need(session, "mysql", "headers", "mariadb")
    for lab in LABS:
        if lab["database"]:
            folder, number = f"labs/{lab['number']}_{lab['slug']}", lab["number"]
            marked = ("-m", "thorough and not redis")
            pytest(session, folder, "--lab-db=mysql", *marked, part=f"-{number}")


@nox.session
def panel(session: nox.Session) -> None:
    """Every lab's tests with the exchange panel and without: it changes nothing"""
    environment(session)
    pytest(session, "tests", "-m", "panel")


@nox.session
def charts(session: nox.Session) -> None:
    """Charts of what is measured (with matplotlib)"""
    need(session, "charts")
    pytest(session, "tests", "-m", "charts")


@nox.session(name="browser-kit", tags=["browser"])
def browser_kit(session: nox.Session) -> None:
    """labkit and several labs together (in Chromium)"""
    need(session, "browser", "chromium")
    pytest(session, "tests", "-m", "browser", *SIDE_BY_SIDE)


@nox.session(name="mysql-kit", tags=["mysql"])
def mysql_kit(session: nox.Session) -> None:
    """labkit with real databases (on MariaDB)"""
    need(session, "mysql", "headers", "mariadb")
    pytest(session, "tests", "-m", "mysql and not galera", *SIDE_BY_SIDE)


@nox.session(tags=["mysql"])
def galera(session: nox.Session) -> None:
    """labkit with a cluster of three nodes (on MariaDB)"""
    need(session, "mysql", "headers", "mariadb", "galera")
    pytest(session, "tests", "-m", "galera")


@nox.session(name="redis-kit", tags=["redis"])
def redis_kit(session: nox.Session) -> None:
    """labkit with a real Redis"""
    need(session, "redis", "redis-server")
    pytest(session, "tests", "-m", "redis")


@nox.session
def claims(session: nox.Session) -> None:
    """Every claim and every pitfall is proved by a test that passed in the sessions before"""
    environment(session)
    session.run(str(PYTHON), "-m", "labkit.cli", "claims", "--check", external=True)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Benchmarks: ratios measured side by side, in under ten minutes; printed and not judged"""
    for extra in ("mysql", "charts"):  # what is missing is left out, and each script says so
        with contextlib.suppress(nox.command.CommandFailed):
            environment(session, extra)
    environment(session)
    session.run(str(PYTHON), str(ROOT / "bench"), *session.posargs, external=True)
