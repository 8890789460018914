"""A pytest plugin with the fixture `servers` for the probes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from labkit.compare.probes.servers import Servers

pytest.register_assert_rewrite("labkit.compare.probes")


@pytest.fixture(scope="session")
def servers() -> "Iterator[Servers]":
    """Servers of the lab under test: a single one, two that share state, or one without tables."""
    from labkit.compare.probes.servers import Servers

    servers = Servers()
    yield servers
    servers.stop()
