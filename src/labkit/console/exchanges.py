"""The last exchanges of running labs, as each lab tells them to this machine."""

import http.client
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.serving.supervisor import Served

ADDRESS = "/__lab__/exchanges.json"
LIMIT = 1  # seconds for one lab to answer
MOST_BYTES = 2_000_000
MOST_SHOWN = 50


@dataclass(frozen=True)
class Told:
    """One exchange, as a lab told it."""

    served: Served
    number: int
    at: datetime
    visitor: str
    method: str
    path: str
    status: int
    sentence: str
    url: str  # the whole of it, or "" where the lab named none of its own


def last_exchanges(labs: Iterable[Served]) -> list[Told]:
    """The newest exchanges in these labs, newest first; a lab that tells nothing has none."""
    running = [served for served in labs if served.state == "running"]
    if not running:
        return []
    with ThreadPoolExecutor(len(running)) as pool:
        told = [exchange for found in pool.map(_of_lab, running) for exchange in found]
    return sorted(told, key=lambda exchange: exchange.at, reverse=True)[:MOST_SHOWN]


def _of_lab(served: Served) -> list[Told]:
    try:
        entries = _fetch(served.port)["exchanges"]
        return [_told(served, entry) for entry in entries[:MOST_SHOWN]]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return []  # not there, too slow, or not the shape that was agreed


def _fetch(port: int) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("GET", ADDRESS)
        response = connection.getresponse()
        return (
            json.loads(response.read(MOST_BYTES)) if response.status == 200 else {"exchanges": []}
        )
    finally:
        connection.close()


def _told(served: Served, entry: dict[str, Any]) -> Told:
    url = str(entry.get("url") or "")
    return Told(
        served=served,
        number=int(entry["number"]),
        at=datetime.fromisoformat(entry["at"]).astimezone(),
        visitor=str(entry["visitor"]),
        method=str(entry["method"]),
        path=str(entry["path"]),
        status=int(entry["status"]),
        sentence=str(entry["sentence"]),
        url=f"http://127.0.0.1:{served.port}{url}" if url.startswith("/__lab__/") else "",
    )
