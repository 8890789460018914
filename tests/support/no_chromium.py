"""A pytest plugin for test_plugin.py: a machine without Chromium."""

import dataclasses

from labkit.services.requirements import NEEDS

NEEDS["chromium"] = dataclasses.replace(NEEDS["chromium"], found=lambda: None)
