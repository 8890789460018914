"""The base class of the Hypothesis state machines, with a clock, and a function to run them."""

from typing import Any

import time_machine
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from labkit.testing.clock import START, Clock

people = strategies.integers(0, 1)  # a visitor's number, 0 or 1


class Machine(RuleBasedStateMachine):
    """A state machine with a clock that only its rules move."""

    def __init__(self) -> None:
        super().__init__()
        self._travel = time_machine.travel(START, tick=False)
        self.clock = Clock(self._travel.start())

    def teardown(self) -> None:
        """Let time.time() return the real time again."""
        self._travel.stop()

    @property
    def now(self) -> float:
        """POSIX seconds."""
        return self.clock.now.timestamp()


def run(machine: type[Machine], examples: int | None, **attributes: Any) -> None:
    """Run a machine with a few fixed examples, or with `examples` random ones.

    attributes: class attributes to set on the machine.

    If the machine fails, raises AssertionError with the steps that lead to the failure. For random
    examples, the number of steps is reduced as far as possible.
    """
    thorough = examples is not None
    run_state_machine_as_test(
        type("Machine", (machine,), attributes),
        settings=settings(
            max_examples=examples or 8,
            derandomize=not thorough,
            stateful_step_count=30 if thorough else 16,
            # Finding the shortest sequence of steps that fails takes about a minute.
            phases=[Phase.generate, Phase.shrink] if thorough else [Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
