"""A state machine that compares each visit's timeline with the cookies and the rows."""

from labkit.testing.contracts.visit_timeline import TimelineMachine
from tests.expiry_machine import ExpiryMachine


class VisitMachine(TimelineMachine, ExpiryMachine):
    """Visits to this lab, with a server's clock that moves forward and back."""

    steps = (60, 120, 86400, -60, -120, -86400)

    def shift_jar(self, who, seconds):
        """Move the expiry of the model's cookies too."""
        super().shift_jar(who, seconds)
        self.people[who].cookie_end += seconds
