"""A pytest plugin for test_plugin.py: a machine without Redis's server."""

import dataclasses

from labkit import needs

needs.NEEDS["redis-server"] = dataclasses.replace(needs.NEEDS["redis-server"], found=lambda: None)
