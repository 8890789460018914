"""Simulate several tabs of one browser that send requests at the same time, for lab 12.

`run_race` sends the requests, and `Timeline` shows what each tab read and whose change was lost. No
view has to be changed: `tab_overlap` observes the sessions from outside.
"""

from labkit.race.simulated_tabs import Race, RaceUnderWay, run_race
from labkit.race.timeline import Add, Timeline

__all__ = ["Add", "Race", "RaceUnderWay", "Timeline", "run_race"]
