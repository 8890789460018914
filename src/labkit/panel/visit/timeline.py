"""Combine a visit's requests, cookies, stored sessions and controls into one timeline."""

from dataclasses import dataclass

from labkit.panel.models import ControlUse, Exchange
from labkit.panel.visit.bars import Bar
from labkit.panel.visit.clocks import Clocks, Point
from labkit.panel.visit.cookie_bars import CookieBars
from labkit.panel.visit.store_bars import StoreBars
from labkit.panel.visit.visits import Visit, session_keys


@dataclass(frozen=True)
class Timeline:
    """Everything that is known about a visit up to the point `now`."""

    clocks: Clocks
    now: Point
    requests: list[tuple[Exchange, Point]]
    controls: list[tuple[ControlUse, Point]]  # each point is before any move of the clock
    cookies: list[Bar]
    records: list[Bar]
    engine: str  # the session engine's dotted path; "" if the lab has no sessions


def timeline(visit: Visit, now: float, ahead: float) -> Timeline:
    """Return the timeline of a visit with at least one exchange.

    now: POSIX seconds, by the server's clock. ahead: seconds by which that clock is ahead.
    """
    controls = {id(use.exchange): use for use in visit.controls}
    own = {id(each) for each in visit.exchanges}
    events = [*visit.exchanges, *visit.others, *(use.exchange for use in visit.controls)]
    events.sort(key=lambda each: each.monotonic)
    moments = []
    for each in events:
        moved = controls[id(each)].moved if id(each) in controls else 0.0
        moments.append((each.at - each.clock_ahead, each.clock_ahead, each.clock_ahead + moved))
    if id(events[0]) in controls:  # the visit begins after this reset
        real, _, after = moments[0]
        moments[0] = (real, after, after)
    clocks = Clocks([*moments, (now - ahead, ahead, ahead)])
    points = dict(zip(map(id, events), clocks.points, strict=False))
    engine = visit.exchanges[-1].engine
    cookies = CookieBars(clocks)
    records = StoreBars(clocks, engine, session_keys(visit.exchanges))
    for each in events:
        point, use = points[id(each)], controls.get(id(each))
        if id(each) in own or use is not None:
            cookies.add(each, point, sends=use is None)
        records.add(each, point)
        if use is not None and use.name == "reset":
            records.reset(point)
    end = clocks.points[-1]
    return Timeline(
        clocks,
        end,
        [(each, points[id(each)]) for each in visit.exchanges],
        [(use, points[id(use.exchange)]) for use in visit.controls],
        cookies.finish(),
        records.finish(end),
        engine,
    )
