"""Simulates several tabs of one browser that send requests at the same time, for lab 12.

`run_race` sends the requests, and `Timeline` shows which tab read what and whose change was lost.
The views under test know nothing of it: `hooks` observes their sessions from outside.
"""

from labkit.race.simulated_tabs import Race, RaceUnderWay, run_race
from labkit.race.timeline import Add, Timeline

__all__ = ["Add", "Race", "RaceUnderWay", "Timeline", "run_race"]
