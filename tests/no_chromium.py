"""A pytest plugin for test_plugin.py: a machine without Chromium."""

import dataclasses

from labkit import needs

needs.NEEDS["chromium"] = dataclasses.replace(needs.NEEDS["chromium"], found=lambda: None)
