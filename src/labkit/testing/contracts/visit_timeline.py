"""Compare the expiries that a visit's timeline predicts with the jar and the session store."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies
from hypothesis.stateful import invariant, rule

from labkit.base.templatetags.labkit import this_lab
from labkit.panel import server_clock
from labkit.panel.exchange_log import log
from labkit.panel.visit.bars import Bar, Event
from labkit.panel.visit.timeline import Timeline, timeline
from labkit.panel.visit.visits import visits
from labkit.session_stores import has_sessions, rows
from labkit.testing.contracts.state_machines import CartMachine
from labkit.testing.state_machine import Machine, run
from labkit.testing.state_machine import people as numbers
from labkit.testing.visitor import Visitor

STOPPED = {Event.DELETED, Event.CLEARED, Event.GONE}
SET = {Event.SET, Event.RENEWED}


class TimelineMachine(Machine):
    """Check the timelines of two visitors after each step of another machine.

    LAB_PANEL must be 1. The server's clock can also be moved alone, as with the panel's control.
    The jar reads the server's clock, so the times of its cookies are then moved as well.
    """

    people: list[Any]  # each has a `visitor`
    # The number of expiries compared so far, for each of "cookie" and "row".
    compared: ClassVar[Counter[str]] = Counter()
    # In seconds; only the server's clock is moved by these amounts.
    steps: tuple[float, ...] = (60, 120, 86400)

    def __init__(self) -> None:
        super().__init__()
        self._moved = 0.0
        self._real_moved: Callable[[], float] = server_clock.moved
        server_clock.moved = lambda: self._moved
        log.clear()
        if has_sessions():
            rows().delete()
        for number, person in enumerate(self.people):
            person.visitor.defaults["HTTP_USER_AGENT"] = f"browser {number}"
        self._set_while_blocked: list[set[float]] = [set() for _ in self.people]

    def teardown(self) -> None:
        """Restore the real clocks."""
        server_clock.moved = self._real_moved
        super().teardown()

    def shift_jar(self, who: int, seconds: float) -> None:
        """Shift the times in a jar, so that they do not change by the browser's clock."""
        for cookie in self.people[who].visitor.jar:
            cookie.created += seconds
            cookie.accessed += seconds
            if cookie.expires is not None:
                cookie.expires += seconds

    @rule(data=strategies.data())
    def move_the_servers_clock(self, data: strategies.DataObject) -> None:
        """Move the server's clock, but not the browsers'."""
        seconds = data.draw(strategies.sampled_from(self.steps))
        for who in range(len(self.people)):
            self.shift_jar(who, seconds)
        self._moved += seconds
        self.clock.forward(seconds=seconds)

    @rule(who=numbers, data=strategies.data())
    def wait_for_a_predicted_end(self, who: int, data: strategies.DataObject) -> None:
        """Let time pass until a predicted end, and check that it comes at exactly that second."""
        shown = self._timeline(who)
        if shown is None:
            return
        left = {
            round(bar.predicted.server - self.now): bar
            for bar in (*shown.cookies, *shown.records)
            if bar.predicted is not None and self._exists(who, bar)
        }
        ahead = sorted(seconds for seconds in left if seconds > 1)
        if ahead:
            seconds = data.draw(strategies.sampled_from(ahead))
            bar = left[seconds]
            self.clock.forward(seconds=seconds - 1)
            assert self._exists(who, bar), bar
            self.clock.forward(seconds=1)
            assert not self._exists(who, bar), bar

    @invariant()
    def every_predicted_end_is_the_real_one(self) -> None:
        """Compare all timelines with the jars and the rows."""
        for who, person in enumerate(self.people):
            shown = self._timeline(who)
            if shown is not None:
                self._note_blocked(who, person.visitor, shown)
                self._compare_cookies(who, person.visitor, shown)
                self._compare_rows(shown)

    def _timeline(self, who: int) -> Timeline | None:
        for visit in visits(log):
            if visit.exchanges[0].agent == f"browser {who}":
                return timeline(visit, self.now, self._moved)
        return None

    def _exists(self, who: int, bar: Bar) -> bool:
        """Return whether the jar has this cookie now, or a load would find this session."""
        if bar.place == "browser":
            return self.people[who].visitor.jar.get(bar.name) is not None
        living = rows().filter(session_key=bar.name, expire_date__gt=self.clock.now)
        return bool(living.exists())

    def _note_blocked(self, who: int, visitor: Visitor, shown: Timeline) -> None:
        if visitor.jar.blocked:
            self._set_while_blocked[who].add(shown.now.real)

    def _compare_cookies(self, who: int, visitor: Visitor, shown: Timeline) -> None:
        bars = {bar.name: bar for bar in shown.cookies}
        assert len(bars) == len(shown.cookies)
        kept = {cookie.name: cookie for cookie in visitor.jar}
        for name, cookie in kept.items():
            bar = bars[name]
            if bar.marks[-1].event is not Event.NOT_SENT:
                end = None if cookie.expires is None else cookie.expires - self._moved
                predicted = None if bar.predicted is None else bar.predicted.real
                blocked = self._set_at(bar) in self._set_while_blocked[who]
                assert predicted == end or blocked, (bar, cookie)
                self.compared["cookie"] += 1
        for name in bars.keys() - kept.keys():
            predicted_end = bars[name].predicted
            if predicted_end is not None and predicted_end.real > shown.now.real:
                assert self._set_at(bars[name]) in self._set_while_blocked[who], bars[name]

    @staticmethod
    def _set_at(bar: Bar) -> float:
        return max(mark.point.real for mark in bar.marks if mark.event in SET)

    def _compare_rows(self, shown: Timeline) -> None:
        if not has_sessions():
            assert shown.records == []
            return
        kept = dict(rows().values_list("session_key", "expire_date"))
        for bar in shown.records:
            assert bar.kind == "row"
            ends = [m for m in bar.marks if m.event in {Event.PREDICTED, Event.EXPIRED}]
            if bar.name not in kept:
                assert bar.marks[-1].event in STOPPED, bar
            elif kept[bar.name].timestamp() > self.now:
                assert bar.predicted is not None, bar
                assert bar.predicted.server == kept[bar.name].timestamp(), bar
                self.compared["row"] += 1
            else:
                assert ends[-1].point.server == kept[bar.name].timestamp(), bar
                assert ends[-1].point.real <= shown.now.real, bar
                self.compared["row"] += 1


class CartVisits(TimelineMachine, CartMachine):
    """Check the timelines of visits to a cart (see CartMachine)."""

    def shift_jar(self, who: int, seconds: float) -> None:
        """Also shift the times of the cookies in the model of the cart."""
        super().shift_jar(who, seconds)
        if not has_sessions():
            for kept in self.people[who].cart.values():
                kept[1] += seconds


def compared_ends(examples: int | None) -> int:
    """Use this lab's cart in random steps; return how many predicted expiries were compared.

    LAB_PANEL must be 1. Raises AssertionError if a prediction is wrong.
    """
    CartVisits.compared.clear()
    run(CartVisits, examples, renews=this_lab().renews)
    return min(CartVisits.compared[kind] for kind in ["cookie", *["row"] * has_sessions()])
