"""A pytest plugin for test_plugin.py: a machine without Redis's server."""

import dataclasses

from labkit.services.requirements import NEEDS

NEEDS["redis-server"] = dataclasses.replace(NEEDS["redis-server"], found=lambda: None)
