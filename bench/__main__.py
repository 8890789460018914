"""Run all benchmarks one after the other, and print all results at the end.

python bench [--out DIR] [--tiny]
"""

import subprocess
import sys
import time
from pathlib import Path

import common
import report

# Run first the benchmarks whose results are most affected by load on the machine.
ORDER = ["burst", "hostile", "growth", "start", "cost", "panel", "visitor", "watch"]


def main() -> None:
    """Run all benchmarks; exit with status 1 if one of them failed."""
    options = common.parser(__doc__).parse_args()
    arguments = ["--out", str(options.out), *(["--tiny"] if options.tiny else [])]
    began, failed = time.monotonic(), []
    for number, name in enumerate(ORDER, 1):
        common.console.rule(f"{number} of {len(ORDER)}: python bench/{name}.py")
        script = Path(__file__).with_name(f"{name}.py")
        if subprocess.run([sys.executable, str(script), *arguments], check=False).returncode:
            failed.append(name)
    common.console.rule(f"All results, after {(time.monotonic() - began) / 60:.1f} minutes")
    report.show(options.out)
    if failed:
        sys.exit(f"These failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
