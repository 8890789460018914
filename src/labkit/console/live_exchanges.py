"""The last exchanges of running labs, as each lab tells them to this machine."""

import http.client
import json
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.panel.access import HOSTS
from labkit.serve.supervisor import LabProcess
from labkit.text import exact_duration

ADDRESS = "/__lab__/exchanges.json"
LIMIT = 1  # seconds for one lab to answer
MOST_BYTES = 2_000_000
MOST_SHOWN = 50


@dataclass(frozen=True)
class Told:
    """One exchange, as a lab told it."""

    served: LabProcess
    number: int
    at: datetime
    visitor: str
    method: str
    path: str
    status: int
    sentence: str
    url: str  # the whole of it, or "" where the lab named none of its own


def last_exchanges(labs: Iterable[LabProcess]) -> list[Told]:
    """The newest exchanges in these labs, newest first; a lab that tells nothing has none.

    Notes beside each lab how far its clock is ahead.
    """
    told = [exchange for found in _ask_all(labs, MOST_SHOWN) for exchange in found]
    return sorted(told, key=lambda exchange: exchange.at, reverse=True)[:MOST_SHOWN]


def note_clocks(labs: Iterable[LabProcess]) -> None:
    """Note beside each lab how far its clock is ahead, and ask it for next to nothing else."""
    _ask_all(labs, 1)


def ahead(seconds: Any) -> str:
    """This number of seconds as "1 day, 2 minutes ahead"; empty for none, and for nonsense."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return ""
    distance = exact_duration(abs(round(seconds)))
    return f"{distance} {'ahead' if seconds > 0 else 'behind'}" if distance else ""


def _ask_all(labs: Iterable[LabProcess], most: int) -> list[list[Told]]:
    """What each running lab tells, at most so many exchanges of each."""
    labs = list(labs)
    if not labs:
        return []
    with ThreadPoolExecutor(len(labs)) as pool:
        return list(pool.map(lambda served: _of_lab(served, most), labs))


def _of_lab(served: LabProcess, most: int) -> list[Told]:
    clock, told = "", []
    if served.state == "running":
        # It may not be there, be too slow, or tell what was not agreed.
        with suppress(
            OSError,
            http.client.HTTPException,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ):
            answer = _fetch(served.port, most)
            clock = ahead(answer.get("moved", 0))
            told = [_told(served, entry) for entry in answer["exchanges"][:most]]
    served.clock = clock
    return told


def _fetch(port: int, most: int) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("GET", f"{ADDRESS}?most={most}")
        response = connection.getresponse()
        return (
            json.loads(response.read(MOST_BYTES)) if response.status == 200 else {"exchanges": []}
        )
    finally:
        connection.close()


def _told(served: LabProcess, entry: dict[str, Any]) -> Told:
    url = str(entry.get("url") or "")
    # Visitor A's exchange is opened as visitor A, and B's as B, by the name that they used.
    hosts = {f"{name}:{served.port}" for name in HOSTS}
    host = str(entry.get("host"))
    host = host if host in hosts else f"127.0.0.1:{served.port}"
    return Told(
        served=served,
        number=int(entry["number"]),
        at=datetime.fromisoformat(entry["at"]).astimezone(),
        visitor=str(entry["visitor"]),
        method=str(entry["method"]),
        path=str(entry["path"]),
        status=int(entry["status"]),
        sentence=str(entry["sentence"]),
        url=f"http://{host}{url}" if url.startswith("/__lab__/") else "",
    )
