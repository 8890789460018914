"""The threads that handle requests."""

import subprocess
import sys

import pytest

from labkit.serve.dispatcher import call_with_room

LIMIT = 60  # in seconds; less than one on an idle machine
CALLS = 1000  # at each depth
# Print how many pages of memory the system gives to a process that makes many calls at each of 300
# depths of the stack. The first round makes room for everything else.
FAULTS = f"""
import resource
from labkit.serve.dispatcher import call_with_room

def leaf():
    pass

def go_deeper(depth):
    for _ in range({CALLS}):
        leaf()
    if depth:
        go_deeper(depth - 1)

def faults():
    go_deeper(300)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    go_deeper(300)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(call_with_room(faults))
"""


def test_calls_at_any_depth_need_no_new_memory():
    pytest.importorskip("resource", reason="Windows does not count page faults")
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert int(done.stdout) < CALLS  # otherwise, each call at some depth needs a page


def test_a_call_with_room_returns_what_the_function_returns():
    assert call_with_room(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call_with_room(divmod, 7, 0)
