"""A pytest plugin for test_plugin.py that simulates a machine without the Redis server."""

import dataclasses

from labkit.services.requirements import TOOLS

TOOLS["redis-server"] = dataclasses.replace(TOOLS["redis-server"], found=lambda: None)
