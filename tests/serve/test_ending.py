"""`lab serve` ends on a signal that interrupts any line."""

import subprocess
import sys

LIMIT = 120  # seconds; one or two on an idle machine
# For each line of Python in a wait, send a signal at that line.
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
