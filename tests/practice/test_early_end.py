"""Test that `lab check` says why and where a copy's code ends the tests early, or never ends."""

import os
import shutil
import subprocess

import pytest
from serving import LAB, alive, until

from labkit.practice.check_summary import ALL_FAIL, ALL_HOLDS, NEXT_STEP, NOT_ALL, SCORE
from labkit.testing.pytest_runner import NO_TESTS, STOPS, TIME

pytestmark = pytest.mark.usefixtures("forked_runs")

CONTRACT = """
class Pages:
    def test_the_page_opens(self, visitor):
        visitor.get("/")

    def test_it_opens_again(self, visitor):
        visitor.get("/")
"""
TESTS = """
from tests.contract import Pages


class TestPages(Pages):
    pass
"""
VIEW = "def index(request):\n"
FIRST_LINE = "mine/lab/views.py, line {line}"


@pytest.fixture
def mine(own_checkout, said):
    """Return the folder of a copy of lab 02, which has two quick tests."""
    assert said("copy", "02", "mine")[0] == 0
    tests = own_checkout / "labs" / "02_cookie_pagecount" / "tests"
    shutil.rmtree(tests)
    tests.mkdir()
    (tests / "contract.py").write_text(CONTRACT, encoding="utf-8")
    (tests / "test_few.py").write_text(TESTS, encoding="utf-8")
    manifest = own_checkout / "labs" / "labs.toml"
    text = manifest.read_text(encoding="utf-8")
    first = 'contract = "PageCountContract"\n'
    # Here, lab 02 has a separate contract.
    manifest.write_text(text.replace(first, "", 1), encoding="utf-8")
    return own_checkout / "mine"


@pytest.fixture
def check_fails(said, mine):
    """Return a function that checks mine/, expects a failure, and returns the output."""

    def run(*arguments):
        status, text = said("check", "mine", *arguments)
        assert status == 1
        assert ALL_HOLDS.partition(".")[0] not in text
        assert NEXT_STEP in text
        # The temporary folder of the test run would not help a student.
        assert "labkit-" not in text
        return text

    return run


def break_view(mine, code):
    """Insert this line at the beginning of the view, and return its place."""
    path = mine / "lab" / "views.py"
    before, view, after = path.read_text(encoding="utf-8").partition(VIEW)
    assert view
    path.write_text(f"{before}{view}    {code}\n{after}", encoding="utf-8")
    return f"mine/lab/views.py, line {before.count(chr(10)) + 2}, in index"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("__import__('os')._exit(0)", "os._exit"),
    ],
)
def test_an_early_end_names_its_place(mine, check_fails, code, cause):
    place = break_view(mine, code)
    text = check_fails()
    assert f"{NEXT_STEP} {place}: {STOPS[cause].format(text=0)}" in text
    assert NOT_ALL.format(asked=0, expected=2) in text


def test_an_endless_view_is_named(mine, check_fails):
    place = break_view(mine, "while True: pass")
    text = check_fails("--limit", "2")
    assert f"{place}: {STOPS[TIME].format(text=2)}" in text


def test_an_endless_template_names_its_view(mine, check_fails):
    break_view(mine, "return render(request, 'endless.html', {'all': iter(int, 1)})")
    template = mine / "lab" / "templates" / "endless.html"
    template.write_text("{% for one in all %}{% endfor %}", encoding="utf-8")
    assert "mine/lab/views.py, line" in check_fails("--limit", "2").partition(NEXT_STEP)[2]


def test_an_endless_helper_names_its_caller(mine, check_fails):
    path = mine / "lab" / "views.py"
    helper = "\n\ndef wait():\n    __import__('time').sleep(1000)\n"
    path.write_text(path.read_text(encoding="utf-8") + helper, encoding="utf-8")
    place = break_view(mine, "wait()")
    assert f", in wait, called from {place}" in check_fails("--limit", "2")


def test_an_endless_import_is_named(mine, check_fails):
    path = mine / "lab" / "settings.py"
    loop = "import time\nwhile True: time.sleep(1)\n"
    path.write_text(loop + path.read_text(encoding="utf-8"), encoding="utf-8")
    text = check_fails("--limit", "2")
    assert f"{NEXT_STEP} mine/lab/settings.py, line 2: {STOPS[TIME].format(text=2)}" in text


def test_an_exit_in_the_settings_is_named(mine, check_fails):
    path = mine / "lab" / "settings.py"
    path.write_text("raise SystemExit(0)\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    text = check_fails()
    assert f"{NEXT_STEP} mine/lab/settings.py, line 1: {STOPS['SystemExit']}" in text


def test_a_thread_that_never_ends_is_named(mine, check_fails):
    thread = "import threading, time; threading.Thread(target=time.sleep, args=[1000]).start()"
    break_view(mine, thread)
    text = check_fails("--limit", "2")
    assert SCORE.format(passed=2, counted=2) in text
    assert NOT_ALL.format(asked=2, expected=2) not in text


def test_a_breakpoint_is_a_failure_with_its_place(mine, check_fails):
    place = break_view(mine, "breakpoint()")
    text = check_fails()
    assert f"{NEXT_STEP} {place.rpartition(',')[0]}: RuntimeError" in text
    assert ALL_FAIL in text


def test_links_to_nowhere_do_no_harm(mine, said):
    """Emacs creates such a link beside each file with unsaved changes."""
    (mine / "lab" / ".#views.py").symlink_to("ada@desk.1234")
    assert said("check", "mine")[0] == 0


def test_a_file_that_cannot_be_copied_is_named(mine, said):
    os.mkfifo(mine / "lab" / "pipe")
    status, text = said("check", "mine")
    assert status == 1
    assert "mine/lab/pipe" in text


def test_a_check_that_is_ended_leaves_nothing(mine, own_checkout, tmp_path):
    break_view(mine, "open('started', 'w').write(str(__import__('os').getpid()))\n    while 1: 0")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [*LAB, "check", "mine"],
        cwd=own_checkout,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
    )
    try:
        (started,) = until(lambda: [p for p in temporary.rglob("started") if p.read_text()])
        pid = int(started.read_text())
        process.terminate()
        until(lambda: process.poll() is not None)
    finally:
        process.kill()
        process.wait()
    until(lambda: not alive([pid]))
    assert list(temporary.iterdir()) == []


def test_a_check_without_tests_does_not_hold(mine, check_fails, own_checkout):
    (own_checkout / "labs" / "02_cookie_pagecount" / "tests" / "test_few.py").write_text("")
    assert STOPS[NO_TESTS] in check_fails()


def test_a_check_that_skips_everything_does_not_hold(mine, check_fails, own_checkout):
    tests = own_checkout / "labs" / "02_cookie_pagecount" / "tests" / "test_few.py"
    tests.write_text("import pytest\n\n\n@pytest.mark.skip\ndef test_it(): ...\n")
    assert STOPS[NO_TESTS] in check_fails()
