"""The probes of `lab compare`: each uses a lab, and returns the answer that it observed.

A lab's test compares the observed answer with the one in labs/compare.toml.
"""

from labkit.compare.probes.base import Probe, check_answer, every_probe, probe, thorough_probe

__all__ = ["Probe", "check_answer", "every_probe", "probe", "thorough_probe"]
