"""The private MariaDB of `lab serve`, held by a child so that it ends even if the parent is killed.

`python -m labkit.serving.database FOLDER NAME...` starts the server or joins it, makes the
databases, and writes one line of JSON: {"urls": {name: DATABASE_URL}}, or {"error": sentence}.
"""

import json
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from labkit.mariadb import PrivateMariaDB, kept_server
from labkit.private import Failed, Missing
from labkit.serving.lifeline import cut, reserve_stdout, spawn, when_cut


class HeldDatabase:
    """A private MariaDB for as long as the with block lasts; `urls` names its databases.

    Raises Missing, Failed.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        PrivateMariaDB.need()
        command = [sys.executable, "-m", "labkit.serving.database", str(folder), *names]
        self._process = spawn(command)
        assert self._process.stdout is not None
        try:
            answer = json.loads(self._process.stdout.readline() or b'{"error": "It gave up."}')
        except BaseException:
            self.end()
            raise
        if "error" in answer:
            self.end()
            raise Failed(answer["error"])
        self.urls: dict[str, str] = answer["urls"]

    def end(self) -> None:
        """Leave the server, which ends if nobody else uses it."""
        cut(self._process)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> "HeldDatabase":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def main(folder: Path, names: list[str]) -> None:
    """See the module's docstring."""
    parent = reserve_stdout()
    ended = threading.Event()
    when_cut(ended.set)
    try:
        with kept_server(folder) as server:
            _answer(parent, urls={name: server.url(name) for name in names})
            while not ended.wait(1):
                server.revive()
    except (Missing, Failed) as error:
        _answer(parent, error=str(error))


def _answer(parent: object, **content: object) -> None:
    import contextlib

    with contextlib.suppress(OSError, ValueError):  # the parent is gone, or was told before
        parent.write(json.dumps(content).encode() + b"\n")  # type: ignore[attr-defined]
        parent.flush()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
