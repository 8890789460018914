"""Fixtures for the tests of `labkit.serve`."""

import sys
import warnings

import pytest

from labkit.processes.fork_server import ForkServer


@pytest.fixture(params=["spawn", "fork"])
def fork_server(request):
    """Either None, or a fork server whose children run `python -c CODE`."""
    if request.param == "spawn":
        yield None
        return
    if sys.platform != "linux":
        pytest.skip("only on Linux")
    with warnings.catch_warnings():
        # Python warns about a fork if there are other threads, and pytest-xdist has one.
        warnings.simplefilter("ignore", DeprecationWarning)
        server = ForkServer(lambda command: exec(command[2], {}))  # noqa: S102
    yield server
    server.stop()
