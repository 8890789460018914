from labkit.testing.contracts.races import RaceInChromium


class TestRaceInChromium(RaceInChromium):
    pass
