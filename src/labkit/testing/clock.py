"""A clock for the server and the visitors, all of which read time.time()."""

from datetime import UTC, datetime, timedelta

import time_machine

from labkit.testing.base_visitor import visitors_of_this_test

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved. Tests use the fixture `clock`."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        """Return the current time as an aware datetime in UTC."""
        return datetime.now(UTC)

    def forward(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        server_only: bool = False,
    ) -> None:
        """Move the clock by this amount of time; negative amounts move it back.

        server_only: move only the server's clock, as the panel does. The browsers' cookies then
        last longer by the same amount, since no time has passed in the browsers. The server's clock
        is moved one millisecond more, because a click on the panel's button takes time. So a
        session of 120 seconds has expired after a move by 2 minutes.
        """
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        for visitor in visitors_of_this_test if server_only else ():
            for cookie in visitor.jar:
                if cookie.expires is not None:
                    cookie.expires += step.total_seconds()
        self._traveller.shift(step + timedelta(milliseconds=server_only))
