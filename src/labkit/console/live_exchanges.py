"""Fetch the last exchanges of running labs, which each lab reports to this machine."""

import http.client
import json
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.panel import live_report
from labkit.panel.access import HOSTS
from labkit.serve.supervisor import LabProcess
from labkit.text_format import exact_duration

ADDRESS = "/__lab__/exchanges.json"
LIMIT = 1  # seconds within which a lab must respond
MOST_BYTES = 2_000_000
MOST_SHOWN = 50
MOST_OF_LAB = 200  # how many exchanges of a lab are searched for those of one visitor
PLACES = {"wire", "store", "browser"}
HIGHLIGHTS = {*live_report.HIGHLIGHTS.values(), ""}
# The exceptions that fetching and reading a report may raise: the lab may have ended, be slow, or
# send invalid data.
UNREADABLE = (
    OSError,
    http.client.HTTPException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
NOTHING: dict[str, Any] = {"exchanges": []}  # the words for a lab that responds with an error


@dataclass(frozen=True)
class Words:
    """A part of an exchange's summary, with its subject (`place`) and its highlighting."""

    text: str
    place: str  # one of PLACES
    highlight: str  # one of HIGHLIGHTS


@dataclass(frozen=True)
class LiveExchange:
    """One exchange, as a lab reported it, together with the redirect that led to it."""

    served: LabProcess
    number: int
    redirect: int | None  # the number of the redirect that led to this exchange, if any
    at: datetime
    visitor: str
    steps: list[list[Words]]
    # The URL of the exchange's page in the lab's panel, or "" if the lab did not report one.
    url: str


def last_exchanges(
    labs: Iterable[LabProcess], visitor: str = ""
) -> tuple[list[LiveExchange], list[str]]:
    """Return the newest exchanges in these labs, newest first, and the visitors to choose from.

    A redirect is shown with the page that it led to. `visitor`: return only this visitor's
    exchanges. Also updates the state of each lab, see `update_states`. A lab that does not respond
    has no exchanges.
    """
    found: list[LiveExchange] = []
    for reported in _fetch_all(labs, MOST_OF_LAB if visitor else MOST_SHOWN):
        followed = {exchange.redirect for exchange in reported}
        found += [exchange for exchange in reported if exchange.number not in followed]
    visitors = {exchange.visitor for exchange in found} | ({visitor} if visitor else set())
    chosen = [exchange for exchange in found if visitor in {"", exchange.visitor}]
    newest = sorted(chosen, key=lambda exchange: exchange.at, reverse=True)[:MOST_SHOWN]
    return newest, sorted(visitors, key=lambda name: (len(name.rstrip("0123456789")), name))


def update_states(labs: Iterable[LabProcess]) -> None:
    """Update each lab's clock, engine and number of active visitors."""
    _fetch_all(labs, 1)


def ahead(seconds: Any) -> str:
    """Return seconds as "1 day, 2 minutes ahead", or "" for 0 or a value that is not a number."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return ""
    distance = exact_duration(abs(round(seconds)))
    return f"{distance} {'ahead' if seconds > 0 else 'behind'}" if distance else ""


def _fetch_all(labs: Iterable[LabProcess], most: int) -> list[list[LiveExchange]]:
    """Return the exchanges of each running lab, at most `most` per lab."""
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
        # The lab may have ended, may be too slow, or may send an invalid report.
        with suppress(*UNREADABLE):
            report = fetch(served.port, f"{ADDRESS}?most={most}&brief=1") or NOTHING
            clock = ahead(report.get("moved", 0))
            engine = str(report.get("engine") or "")
            active = int(report["active"]) if "active" in report else None
            exchanges = [_read_exchange(served, entry) for entry in report["exchanges"][:most]]
    served.clock, served.active, served.engine = clock, active, engine
    return exchanges


def fetch(port: int, address: str, agent: str = "") -> Any:
    """Return the JSON at this path of a lab, or {} if the lab responds with an error.

    `agent`: the User-Agent to send. Raises one of UNREADABLE.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        connection.request("GET", address, headers={"User-Agent": agent} if agent else {})
        response = connection.getresponse()
        return json.loads(response.read(MOST_BYTES)) if response.status == 200 else {}
    finally:
        connection.close()


def _read_exchange(served: LabProcess, entry: dict[str, Any]) -> LiveExchange:
    url, redirect = str(entry.get("url") or ""), entry.get("redirect")
    # The link uses the host name that the visitor used, so it opens as the same visitor.
    host, _, port = str(entry.get("host")).rpartition(":")
    if host not in HOSTS or port != str(served.port):
        host = "127.0.0.1"
    return LiveExchange(
        served=served,
        number=int(entry["number"]),
        redirect=None if redirect is None else int(redirect),
        at=datetime.fromisoformat(entry["at"]).astimezone(),
        visitor=str(entry["visitor"]),
        steps=[[_read_words(words) for words in step] for step in entry["steps"]],
        url=f"http://{host}:{served.port}{url}" if url.startswith("/__lab__/") else "",
    )


def _read_words(words: dict[str, Any]) -> Words:
    place, highlight = words["place"], words["highlight"]
    if place not in PLACES or highlight not in HIGHLIGHTS:
        raise ValueError(f"not the words of an exchange: {words}")
    return Words(str(words["text"]), place, highlight)
