"""A clock for the server and the visitors, all of which read time.time()."""

from datetime import UTC, datetime, timedelta

import time_machine

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
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the clock by this amount of time; negative amounts move it back."""
        self._traveller.shift(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
