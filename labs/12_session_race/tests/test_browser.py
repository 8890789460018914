from tests.contract import RaceInChromium


class TestRaceInChromium(RaceInChromium):
    pass
