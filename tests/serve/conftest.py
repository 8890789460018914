"""Fixtures for the tests of `labkit.serve`."""

import sys
import warnings

import pytest

from labkit.processes.fork_server import ForkServer


@pytest.fixture(params=["spawn", "fork"])
def fork_server(request):
    """None, or a fork server whose children run a command `python -c CODE`."""
    if request.param == "spawn":
        yield None
        return
    if sys.platform != "linux":
        pytest.skip("only on Linux")
    with warnings.catch_warnings():
        # pytest-xdist has a thread, which waits for the next test. Python warns of threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        server = ForkServer(lambda command: exec(command[2], {}))  # noqa: S102
    yield server
    server.stop()
