"""Run Django's tests of its test client on the visitor: `python tests/support/django_client.py`.

The tests are in Django's source distribution, which the script downloads once to
.lab/django-source. With --fetch, it only downloads the distribution, and prints any error.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

import django

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".lab" / "django-source" / f"django-{django.__version__}"
RESULTS = "DJANGO_CLIENT_RESULTS"  # an environment variable with the path of the file of results
DOWNLOAD_LIMIT = TEST_LIMIT = 600  # seconds
MODULES = [
    "auth_tests.test_admin_multidb",
    "auth_tests.test_auth_backends",
    "auth_tests.test_basic",
    "auth_tests.test_context_processors",
    "auth_tests.test_decorators",
    "auth_tests.test_login",
    "auth_tests.test_middleware",
    "auth_tests.test_remote_user",
    "auth_tests.test_signals",
    "auth_tests.test_templates",
    "auth_tests.test_views",  # the other modules of auth_tests do not use the client
    "messages_tests",
    "test_client",
    "test_client_regress",
]


def fetch() -> str:
    """Download Django's tests if they are missing. Return the error, or "" if there is none."""
    if FOLDER.is_dir():
        return ""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as name:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "1", "--dest", name]
        wanted = ["--no-deps", "--no-binary", "Django", f"Django=={django.__version__}"]
        try:
            done = subprocess.run(
                [*pip, *wanted], capture_output=True, text=True, check=False, timeout=DOWNLOAD_LIMIT
            )
        except subprocess.TimeoutExpired:
            return f"Django's source was not downloaded within {DOWNLOAD_LIMIT} seconds."
        archives = list(Path(name).glob("*.tar.gz"))
        if done.returncode or not archives:
            return f"pip cannot download the source of Django {django.__version__}: {done.stderr}"
        with tarfile.open(archives[0]) as archive:
            members = (each for each in archive.getmembers() if "/tests/" in f"{each.name}/")
            archive.extractall(name, members, filter="data")
        (unpacked,) = (each for each in Path(name).iterdir() if each.is_dir())
        unpacked.rename(FOLDER)
    return ""


def run() -> dict | None:
    """Run the tests; return the runner's results, or None if it did not finish."""
    with tempfile.TemporaryDirectory() as name:
        results = Path(name) / "results.json"
        environ = os.environ | {"PYTHONPATH": str(HERE), RESULTS: str(results)}
        command = [sys.executable, "runtests.py", "--settings=django_client_settings"]
        command += ["--parallel=1", "--verbosity=0", *MODULES]
        try:
            done = subprocess.run(
                command,
                cwd=FOLDER / "tests",
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=TEST_LIMIT,
            )
        except subprocess.TimeoutExpired:
            print(f"Django's tests did not end within {TEST_LIMIT} seconds.")
            return None
        if done.returncode not in {0, 1} or not results.is_file():
            print(done.stdout, done.stderr)
            return None
        return json.loads(results.read_text(encoding="utf-8"))


def judge(found: dict, declared: dict) -> list[str]:
    """Return failures that are not declared, and declared differences that no longer exist."""
    expected = {test for each in declared["difference"] for test in each["tests"]}
    failed = found["failed"]
    wrong = [f"{test} fails:\n{failed[test]}" for test in sorted(failed.keys() - expected)]
    wrong += [f"{test} passes, but is declared." for test in sorted(expected - failed.keys())]
    if found["ran"] < declared["least"]:
        wrong.append(f"Only {found['ran']} tests ran, of at least {declared['least']}.")
    return wrong


def main() -> int:
    """Return the exit status: 0 if exactly the declared tests fail."""
    if reason := fetch():
        print(reason)
        return 1
    if "--fetch" in sys.argv[1:]:
        return 0
    declared = tomllib.loads((HERE / "django_client.toml").read_text(encoding="utf-8"))
    found = run()
    if found is None:
        return 1
    wrong = judge(found, declared)
    print("\n\n".join(wrong))
    print(f"{found['ran']} tests of Django {django.__version__} ran, {len(found['failed'])} fail.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
