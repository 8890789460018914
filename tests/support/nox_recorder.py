"""Run sessions of the noxfile without running their commands, to see which commands they run."""

import importlib.util
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nox.registry

ROOT = Path(__file__).parents[2]


class RecordingSession:
    """A nox session that records its commands, each as one line without the path of Python."""

    def __init__(self, name: str, posargs: list[str], folder: Path) -> None:
        self.name, self.posargs, self._folder = name, posargs, folder
        self.lines: list[str] = []

    def run(self, *command: str, **options: Any) -> str:
        """Record a command, and return output that says that a test passed."""
        words = [word.removeprefix(f"{ROOT}/") for word in command]
        if Path(words[0]).stem == "python":
            words = words[2:] if words[1] == "-m" else words[1:]
        self.lines.append(" ".join(words))
        return "1 passed"

    def warn(self, message: str) -> None:
        """Do nothing, because the recorder installs nothing."""

    def error(self, message: str) -> None:
        """Fail the test."""
        raise AssertionError(message)

    skip = error

    def create_tmp(self) -> str:
        """Return a temporary folder."""
        return str(self._folder)


class NoxRecorder:
    """The sessions of the noxfile."""

    def __init__(self, folder: Path) -> None:
        """Load the noxfile. folder: where sessions write files."""
        spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
        assert spec
        assert spec.loader
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        fetched = subprocess.CompletedProcess([], 0, "", "")
        # Pretend that everything is installed, and keep the files of earlier sessions.
        module.environment = lambda session, *extras: None
        module.ask = lambda kind, *names: ""
        module.results = lambda name: folder / f"{name}.json"
        module.RECORDINGS = folder / "recordings"
        module.subprocess = SimpleNamespace(run=lambda *command, **options: fetched)
        module.print = lambda *values: None
        self._folder = folder
        self.sessions: dict[str, Any] = dict(nox.registry.get())

    def chosen(self, arguments: list[str]) -> list[str]:
        """Return the names of the sessions that `nox` with these arguments runs."""
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        if not own:
            return [name for name, session in self.sessions.items() if session.default]
        option, *names = own
        if option == "-t":
            tagged = self.sessions.items()
            return [name for name, session in tagged if set(names) & set(session.tags)]
        assert option == "-s", arguments
        assert set(names) <= set(self.sessions), arguments
        return names

    def commands(self, arguments: list[str]) -> list[str]:
        """Return the commands that `nox` with these arguments runs, as lines."""
        posargs = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
        lines = []
        for name in self.chosen(arguments):
            session = RecordingSession(name, posargs, self._folder)
            self.sessions[name](session)
            lines += session.lines
        return lines
