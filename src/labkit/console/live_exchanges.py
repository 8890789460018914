"""Fetch the last exchanges of running labs, as each lab reports them to this machine."""

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
from labkit.text_format import exact_duration

ADDRESS = "/__lab__/exchanges.json"
LIMIT = 1  # seconds for one lab to answer
MOST_BYTES = 2_000_000
MOST_SHOWN = 50
NOTHING: dict[str, Any] = {"exchanges": []}  # of a lab that responds with an error


@dataclass(frozen=True)
class LiveExchange:
    """One exchange, as a lab reported it."""

    served: LabProcess
    number: int
    at: datetime
    visitor: str
    sentence: str
    url: str  # of its page in the lab's panel, or "" if the lab gave none


def last_exchanges(labs: Iterable[LabProcess]) -> list[LiveExchange]:
    """Return the newest exchanges in these labs, newest first.

    Also updates the state of each lab, see `update_states`. A lab that does not respond has no
    exchanges.
    """
    exchanges = [exchange for found in _fetch_all(labs, MOST_SHOWN) for exchange in found]
    return sorted(exchanges, key=lambda exchange: exchange.at, reverse=True)[:MOST_SHOWN]


def update_states(labs: Iterable[LabProcess]) -> None:
    """Update each lab's clock, engine and number of active visitors."""
    _fetch_all(labs, 1)


def ahead(seconds: Any) -> str:
    """Return seconds as "1 day, 2 minutes ahead", or "" for 0 and for anything but a number."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return ""
    distance = exact_duration(abs(round(seconds)))
    return f"{distance} {'ahead' if seconds > 0 else 'behind'}" if distance else ""


def _fetch_all(labs: Iterable[LabProcess], most: int) -> list[list[LiveExchange]]:
    """Return the exchanges of each running lab, at most `most` of each."""
    labs = list(labs)
    if not labs:
        return []
    with ThreadPoolExecutor(len(labs)) as pool:
        return list(pool.map(lambda served: _fetch_lab(served, most), labs))


def _fetch_lab(served: LabProcess, most: int) -> list[LiveExchange]:
    clock, engine, exchanges = "", served.engine, []
    active: int | None = 0
    if served.state == "running":
        active = None
        # The lab may have ended, be too slow, or report anything.
        with suppress(
            OSError,
            http.client.HTTPException,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ):
            report = _fetch(served.port, most)
            clock = ahead(report.get("moved", 0))
            engine = str(report.get("engine") or "")
            active = int(report["active"]) if "active" in report else None
            exchanges = [_read_exchange(served, entry) for entry in report["exchanges"][:most]]
    served.clock, served.active, served.engine = clock, active, engine
    return exchanges


def _fetch(port: int, most: int) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("GET", f"{ADDRESS}?most={most}")
        response = connection.getresponse()
        return json.loads(response.read(MOST_BYTES)) if response.status == 200 else NOTHING
    finally:
        connection.close()


def _read_exchange(served: LabProcess, entry: dict[str, Any]) -> LiveExchange:
    url = str(entry.get("url") or "")
    # An exchange opens under the host name that its visitor used, so as the same visitor.
    host, _, port = str(entry.get("host")).rpartition(":")
    if host not in HOSTS or port != str(served.port):
        host = "127.0.0.1"
    return LiveExchange(
        served=served,
        number=int(entry["number"]),
        at=datetime.fromisoformat(entry["at"]).astimezone(),
        visitor=str(entry["visitor"]),
        sentence=str(entry["sentence"]),
        url=f"http://{host}:{served.port}{url}" if url.startswith("/__lab__/") else "",
    )
