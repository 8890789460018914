"""A pytest plugin for test_plugin.py that simulates a machine without Chromium."""

import dataclasses

from labkit.services.requirements import TOOLS

TOOLS["chromium"] = dataclasses.replace(TOOLS["chromium"], found=lambda: None)
