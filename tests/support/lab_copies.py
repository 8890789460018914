"""Run pytest on a copy of a lab."""

import os
import shutil

from forked_pytest import run_forked

IGNORED = shutil.ignore_patterns("__pycache__", ".pytest_cache")


def run_pytest(checkout, lab, *arguments):
    """Run pytest on a copy of a lab with this checkout's configuration; return (exit status,
    output)."""
    configuration = checkout.root / "pyproject.toml"
    options = ["-q", "-p", "no:cacheprovider", "-c", configuration, "-m", "not browser"]
    environ = os.environ | {"LAB_STATE_DIR": str(lab.parent / "state")}
    return run_forked(*options, "--rootdir", lab, lab / "tests", *arguments, cwd=lab, env=environ)
