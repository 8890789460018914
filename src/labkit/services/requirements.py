"""The packages and programs that the project uses, and how to install missing ones.

The noxfile runs `python -m labkit.services.requirements extras dev mysql`, or `tools mariadb`. The
command prints a line for each missing item, and exits with status 1 if anything is missing.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement

from labkit import DISTRIBUTION
from labkit.processes.start import NotInstalled
from labkit.text_format import command_line

NOT_FOUND = "{} not found. To install it:"
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"

# Servers are installed here, but these folders are often not in the PATH.
SYSTEM_PATHS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]

CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"]
GALERA = [
    f"/usr/{lib}/libgalera_smm.so" for lib in ("lib/galera", "lib64/galera-4", "lib64/galera")
]


def pip_line(extra: str) -> str:
    """Return the command that installs this extra into the current environment."""
    pip = (sys.executable, "-m", "pip", "install")
    if not PYPROJECT.is_file():  # labkit may be installed without -e, in another project
        found = [r for r in _requirements() if _applies(r, {extra}) and not _applies(r, set())]
        return command_line(*pip, *(f"{r.name}{r.specifier}" for r in found))
    return command_line(*pip, "-e", f".[{extra}]", "-c", "constraints.txt")


def program(*names: str) -> str | None:
    """Return the path of the first of these programs that is installed, or None."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_PATHS])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


@dataclass(frozen=True)
class Tool:
    """A program or package that a part of the project needs."""

    label: str
    use: str  # what it is for
    # Returns the version or path, or None if the requirement is missing.
    found: Callable[[], str | None]
    # {package manager: the command that installs it}; "" stands for any package manager
    lines: dict[str, str]
    extra: str = ""  # the extra that installs it, if it is a Python package

    def advice(self) -> str:
        """Return the command that installs the requirement on this machine."""
        if self.extra:
            return pip_line(self.extra)
        managers = [manager for manager in ("apt-get", "dnf", "brew", "winget") if program(manager)]
        line = next((self.lines[m] for m in managers if m in self.lines), None)
        return line or self.lines.get("", "see docs/servers.md")

    def missing(self) -> str | None:
        """Return a sentence with the command that installs it, or None if it is installed."""
        return None if self.found() else f"{NOT_FOUND.format(self.label)} {self.advice()}"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _package(name: str, use: str, extra: str) -> Tool:
    return Tool(name, use, partial(_version, name), {}, extra)


def _headers() -> str | None:
    tool = program("pkg-config") or ""
    for library in ("mysqlclient", "mariadb", "libmariadb") if tool else ():
        done = subprocess.run(
            [tool, "--modversion", library],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    # A wheel (on Windows) or an installed driver does not need these.
    return "no longer needed" if _version("mysqlclient") else None


def _galera() -> str | None:
    """Return the path of Galera's library if all programs for a local cluster are installed."""
    # MariaDB's script for copying all data to another node needs rsync, and lsof or ss.
    if not (program("rsync") and program("lsof", "ss") and program("haproxy")):
        return None
    return next((path for path in GALERA if os.path.isfile(path)), None)


def _java() -> str | None:
    """Return the path of Java if it runs, because macOS has a placeholder named java."""
    path = program("java")
    if path is None:
        return None
    done = subprocess.run([path, "-version"], capture_output=True, check=False, timeout=60)
    return None if done.returncode else path


def chromium() -> str | None:
    """Return the path of Chromium or Chrome; the variable CHROMIUM names another program."""
    if named := os.environ.get("CHROMIUM"):
        return program(named)
    return program(*CHROMIUM_NAMES, *chrome_paths(os.environ))


def chrome_paths(environ: Mapping[str, str]) -> list[str]:
    """Return the paths where installers for macOS and Windows put Chrome, outside the PATH."""
    variables = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")
    folders = [environ[name] for name in variables if name in environ]
    # Windows accepts slashes, too.
    windows = [f"{folder}/Google/Chrome/Application/chrome.exe" for folder in folders]
    return ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", *windows]


TOOLS = {
    "headers": Tool(
        "MariaDB's headers",
        "building mysqlclient",
        _headers,
        {
            "apt-get": "sudo apt-get install libmariadb-dev pkg-config gcc python3-dev",
            "dnf": "sudo dnf install mariadb-connector-c-devel pkgconf gcc python3-devel",
            "brew": "brew install mariadb-connector-c pkg-config",
            "": "none needed: pip has a wheel for Windows",
        },
    ),
    "mysqlclient": _package("mysqlclient", "MySQL and MariaDB", "mysql"),
    "mariadb": Tool(
        "MariaDB's server",
        "a private MariaDB server",
        lambda: program("mariadbd") if program("mariadb-install-db") else None,
        {
            "apt-get": "sudo apt-get install mariadb-server",
            "dnf": "sudo dnf install mariadb-server",
            "brew": "brew install mariadb",
            "": "none for this system; set DATABASE_URL=mysql://user:password@host:3306/name",
        },
    ),
    "galera": Tool(
        "Galera with rsync and HAProxy",
        "a private MariaDB cluster",
        _galera,
        {
            "apt-get": "sudo apt-get install galera-4 rsync lsof haproxy",
            "dnf": "sudo dnf install galera rsync lsof haproxy",
            "": "none for this system; use --db mysql",
        },
    ),
    "redis-py": Tool("redis-py", "Redis", partial(_version, "redis"), {}, "redis"),
    "redis-server": Tool(
        "Redis's server",
        "a private Redis server",
        lambda: program("redis-server"),
        {
            "apt-get": "sudo apt-get install redis-server",
            "dnf": "sudo dnf install redis",
            "brew": "brew install redis",
            "": "none for this system; set REDIS_URL=redis://host:6379/0",
        },
    ),
    "matplotlib": _package("matplotlib", "charts of what is measured", "charts"),
    "playwright": _package("playwright", "driving Chromium in tests", "browser"),
    "chromium": Tool(
        "Chromium",
        "the browser tests",
        chromium,
        {
            "apt-get": "sudo apt-get install chromium",
            "dnf": "sudo dnf install chromium",
            "brew": "brew install --cask chromium",
            "winget": "winget install Google.Chrome",
            "": "install Chromium or Chrome; CHROMIUM=/path/to/it names one elsewhere",
        },
    ),
    "java": Tool(
        "Java",
        "checking HTML with nox -s html",
        _java,
        {
            "apt-get": "sudo apt-get install default-jre-headless",
            "dnf": "sudo dnf install java-latest-openjdk-headless",
            "brew": "brew install openjdk",
            "": "install a Java runtime",
        },
    ),
    "npm": Tool(
        "npm",
        "downloading the HTML checker of nox -s html",
        lambda: program("npm"),
        {
            "apt-get": "sudo apt-get install npm",
            "dnf": "sudo dnf install npm",
            "brew": "brew install node",
            "": "install Node.js",
        },
    ),
}


def missing_tools(names: Iterable[str]) -> list[str]:
    """Return a sentence for each missing tool. Raise KeyError for an unknown name."""
    return [sentence for name in names if (sentence := TOOLS[name].missing())]


def require_tools(*names: str) -> None:
    """Raise NotInstalled, with the commands to install them, if any of these TOOLS is missing."""
    if missing := missing_tools(names):
        raise NotInstalled(". ".join(missing))


def require_server(name: str, *tools: str) -> None:
    """Raise NotInstalled if no private server can run here; the last tool is the server."""
    if sys.platform == "win32":
        line = TOOLS[tools[-1]].lines[""]
        raise NotInstalled(f"There is no private {name} on Windows: {line}")
    require_tools(*tools)


def missing_requirements(extras: Iterable[str]) -> list[str]:
    """Return the requirements of labkit and these extras that this environment lacks.

    The distribution itself is included if its installed pytest plugins differ from those in
    pyproject.toml.
    """
    wanted = _with_included(set(extras))
    lacking = [str(r) for r in _requirements() if _applies(r, wanted) and not _met(r)]
    return lacking if _plugins_are_installed() else [*lacking, DISTRIBUTION]


def _with_included(extras: set[str]) -> set[str]:
    """Return these extras and those that they include: `dev` includes `labs`, and so on."""
    own = (r for r in _requirements() if r.name == DISTRIBUTION and _applies(r, extras))
    found = extras.union(*(requirement.extras for requirement in own))
    return extras if found == extras else _with_included(found)


def _plugins_are_installed() -> bool:
    if not PYPROJECT.is_file():
        return True
    wanted = _project()["entry-points"]["pytest11"]
    found = metadata.entry_points(group="pytest11")
    return wanted.items() <= {(point.name, point.value) for point in found}


@cache
def _project() -> dict[str, Any]:
    # The installed metadata of labkit may be older than pyproject.toml.
    project: dict[str, Any] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return project


@cache
def _requirements() -> list[Requirement]:
    if not PYPROJECT.is_file():  # after `pip install` without -e
        return [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
    return requirements_of(_project())


def requirements_of(project: dict[str, Any]) -> list[Requirement]:
    """Return a project's requirements; those of an extra have a marker that names the extra.

    project: the table [project] of a pyproject.toml.
    """
    found = [Requirement(text) for text in project["dependencies"]]
    for extra, texts in project["optional-dependencies"].items():
        for requirement in map(Requirement, texts):
            own = f"({requirement.marker}) and " if requirement.marker else ""
            requirement.marker = Marker(f'{own}extra == "{extra}"')
            found.append(requirement)
    return found


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def _met(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def main(arguments: list[str]) -> int:
    """Print what is missing, as the module's docstring describes; return the exit status."""
    kind, *names = arguments
    missing = {"extras": missing_requirements, "tools": missing_tools}[kind](names)
    sys.stdout.writelines(f"{line}\n" for line in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
