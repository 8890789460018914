"""Run pytest on a copy of a lab."""

import os
import shutil
import subprocess
import sys

IGNORED = shutil.ignore_patterns("__pycache__", ".pytest_cache")


def run_pytest(checkout, lab, *arguments):
    """Run pytest on a copy of a lab with this checkout's configuration; return (exit status,
    output)."""
    configuration = str(checkout.root / "pyproject.toml")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", configuration]
    command += ["-m", "not browser"]
    done = subprocess.run(
        [*command, "--rootdir", str(lab), str(lab / "tests"), *arguments],
        cwd=lab,
        env=os.environ | {"LAB_STATE_DIR": str(lab.parent / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
