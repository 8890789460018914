"""Fixtures for the tests of `labkit.serve`."""

import sys
import warnings

import pytest

from labkit.processes.fork_server import ForkServer
from labkit.serve import preload


@pytest.fixture(scope="module", params=["fork", "spawn"])
def start(request):
    """`lab serve` starts the labs both as copies of one process and as new processes."""
    if request.param == "fork" and sys.platform != "linux":
        pytest.skip("only on Linux")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(preload.START, request.param)
        yield request.param


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
