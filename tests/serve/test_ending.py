"""`lab serve` ends, whichever line of its code a signal interrupts."""

import subprocess
import sys

LIMIT = 120  # in seconds; usually one or two on an idle machine
# Send a signal at each line of Python that runs during a wait.
SIGNALLED = """
import os, signal, sys
from labkit.commands.serve import Ending

for at in range(60):
    ending, lines = Ending(), iter(range(1000))

    def trace(frame, event, argument):
        if event == "line" and next(lines) == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return trace

    sys.settrace(trace)
    ending.wait(0.001)
    sys.settrace(None)
    if next(lines) > at:
        assert ending.wait(0.001), at
"""


def test_a_signal_may_come_at_any_line():
    command = [sys.executable, "-c", SIGNALLED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
