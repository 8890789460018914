"""Several tabs of one browser at once, driven by the server itself: what lab 12 shows.

A lab's views say what a tab does (`asks`, `read`, `take_a_while`), `run` lets the tabs loose, and
`timeline` tells who read what and who saved over whom.
"""

from labkit.race.hooks import asks, read, take_a_while
from labkit.race.tabs import Busy, Race, run
from labkit.race.timeline import Add, Timeline

__all__ = ["Add", "Busy", "Race", "Timeline", "asks", "read", "run", "take_a_while"]
