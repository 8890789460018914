"""Find the running servers of a lab, so that `lab reset` can use their own reset control.

Each server writes a record, a private file in the lab's state folder. The record contains the
server's URL and the key that the control requires.
"""

import contextlib
import http.client
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from labkit.kept_files import remove, write_whole
from labkit.processes.manage_py import DatabaseNotReady

RESET_PATH = "/__lab__/reset/"
PATTERN = "running-*.json"
SECONDS = 30  # in seconds, the time limit for a reset, which may wait for a locked database
REFUSED = "The running lab at {url} was not reset: {reason}"
FAILED = "{error}. Stop the lab, and try again."


@dataclass(frozen=True)
class RunningLab:
    """A server of a lab, as its record describes it."""

    url: str  # such as "http://127.0.0.1:8004"
    key: str
    # A description of the database that DATABASE_URL names, without its password; "" if none.
    database: str = ""

    def write(self, state: Path) -> Path:
        """Write the record to the lab's state folder, and return its path."""
        path = state / PATTERN.replace("*", str(urlsplit(self.url).port))
        write_whole(path, json.dumps(asdict(self)), private=True)
        return path

    def reset(self) -> bool:
        """Reset the lab through its own control; return False if it is no longer running.

        Raise DatabaseNotReady if the lab cannot be reset, or does not respond.
        """
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=SECONDS)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", RESET_PATH, urlencode({"key": self.key}), headers)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except ConnectionRefusedError:
            return False
        except (OSError, http.client.HTTPException) as error:
            raise self._refusal(FAILED.format(error=error)) from None
        finally:
            connection.close()
        if status in {403, 404}:  # the port now belongs to another program, or another lab
            return False
        if status == 409:
            raise self._refusal(str(json.loads(body)["error"]))
        if status != 200:
            raise self._refusal(FAILED.format(error=f"it responded with status {status}"))
        return True

    def _refusal(self, reason: str) -> DatabaseNotReady:
        return DatabaseNotReady(REFUSED.format(url=self.url, reason=reason))


def running_labs(state: Path) -> list[RunningLab]:
    """Return the servers with a record in this state folder. Some may no longer be running."""
    read = map(_read, sorted(state.glob(PATTERN)))
    return [server for server in read if server is not None]


def forget(state: Path, server: RunningLab) -> None:
    """Delete this server's record, unless another server on the same port has replaced it."""
    for path in state.glob(PATTERN):
        if _read(path) == server:
            remove(path)


def _read(path: Path) -> RunningLab | None:
    with contextlib.suppress(OSError, ValueError, TypeError):  # deleted or damaged
        return RunningLab(**json.loads(path.read_text(encoding="utf-8")))
    return None
