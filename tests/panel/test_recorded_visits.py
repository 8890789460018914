"""Record visits in Chromium as tests that pass on the labs and fail on faulty versions."""

import http.client
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from textbook_runs import ROOT
from try_items import TRY, Tab

from labkit.catalog import MANIFEST, Catalog
from labkit.panel.visit.record_views import FORMATS
from labkit.testing.lab_server import LabServer
from labkit.testing.pytest_runner import run_tests
from labkit.textbook_versions import find_version

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("recorded visits")]
CHECKOUT = Catalog(ROOT)
FEWEST = 25  # the least number of items with a version
PASSWORD = "lovelace"  # noqa: S105 of lab 11's demo user; no text may contain it
AT_ONCE = 1  # the number of pytest runs while Chromium runs


@dataclass
class Recording:
    """The recorded visit for an item of a handout."""

    texts: dict[str, str] = field(default_factory=dict)  # {format: test or script}
    secrets: set[str] = field(default_factory=set)  # secrets that no text may contain


def get(server, path):
    """Return (status, text) of a page of the panel."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def record(item, browser, server):
    """Perform an item's steps in Chromium, and return the recording."""
    listed = json.loads(get(server, "/__lab__/exchanges.json?most=1&brief=1")[1])["exchanges"]
    first = listed[0]["number"] + 1 if listed else 1
    tab = Tab(browser, server)
    item.steps(tab)
    found = Recording(secrets=tab.secrets() | {PASSWORD})
    for name in FORMATS:
        path = f"/__lab__/visit/record.txt?from={first}&format={name}"
        status, found.texts[name] = get(server, path)
        assert status == 200
    if tab.has_moved:
        tab.open("/")
        tab.clock("now")
    tab.close()
    return found


def outcomes(name, recordings, folder):
    """Run recorded tests on a lab or version; return {id of the item: outcome and message}."""
    lab = CHECKOUT.find(name[:2])
    if ":" in name:
        copy = find_version(CHECKOUT, name).write(folder / "labs").folder
    else:
        ignored = shutil.ignore_patterns("__pycache__")
        copy = folder / "labs" / lab.folder.name
        shutil.copytree(lab.folder, copy, ignore=ignored)
    for manifest in (ROOT / MANIFEST).parent.glob("*.toml"):
        shutil.copyfile(manifest, folder / "labs" / manifest.name)
    files = {}
    for id_, recording in recordings.items():
        path = copy / "tests" / f"test_visit_{id_.replace('.', '_')}.py"
        path.write_text(recording.texts["pytest"], encoding="utf-8")
        files[path.name] = id_
    run = run_tests(
        copy,
        *(str(copy / "tests" / file) for file in files),
        "-q",
        f"--basetemp={folder / 'basetemp'}",
        checkout=ROOT,
        environ={"LAB_STATE_DIR": str(folder / ".lab"), "PYTHONDONTWRITEBYTECODE": ""},
        seconds=60,
    )
    assert run.stop is None, run.output
    assert run.uncollected == [], run.output
    found = {files[t.id.partition("::")[0].rpartition("/")[2]]: t for t in run.tests}
    return {id_: f"{test.outcome} {test.message}" for id_, test in found.items()}


def jobs(number, recordings):
    """Return {name of the lab or version: recordings to run on it} for one lab."""
    found = {}
    for item in TRY:
        if item.id.startswith(number):
            for name in [number, f"{number}:{item.version}"] if item.version else [number]:
                found.setdefault(name, {})[item.id] = recordings[item.id]
    return found


@pytest.fixture(scope="module")
def done(shared_chromium, tmp_path_factory, forked_runs):
    """Perform all items in Chromium, and run the tests of earlier labs at the same time.

    Return {id: Recording} and {(name of the lab or version, id): outcome and message}.
    """
    recordings, running = {}, {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in sorted({item.id[:2] for item in TRY}):
            lab = CHECKOUT.find(number)
            server = LabServer(lab.folder, migrate=lab.database, server="waitress")
            try:
                for item in TRY:
                    if item.id.startswith(number):
                        recordings[item.id] = record(item, shared_chromium, server)
            finally:
                server.stop()
            for name, tests in jobs(number, recordings).items():
                folder = tmp_path_factory.mktemp("run")
                running[name] = pool.submit(outcomes, name, tests, folder)
        results = {name: future.result() for name, future in running.items()}
    said = {(name, id_): text for name, found in results.items() for id_, text in found.items()}
    return recordings, said


@pytest.fixture
def recordings(done):
    return done[0]


@pytest.fixture
def replayed(done):
    return done[1]


def test_enough_items_have_a_version():
    assert sum(bool(item.version) for item in TRY) >= FEWEST
    assert all(item.version or item.why_none for item in TRY)


def test_every_item_is_in_its_handout():
    for item in TRY:
        number, _, place = item.id.partition(".")
        handout = (CHECKOUT.find(number).folder / "README.md").read_text(encoding="utf-8")
        listed = handout.partition("## Try\n")[2].partition("\n## ")[0]
        assert f"\n{place}. " in listed, item.id


def test_recorded_tests_pass_on_their_labs(replayed):
    failed = {id_: said for (name, id_), said in replayed.items() if ":" not in name}
    assert len(failed) == len(TRY)
    assert {id_: said for id_, said in failed.items() if not said.startswith("passed")} == {}


def test_recorded_tests_detect_faulty_versions(replayed):
    wanted = {(f"{item.id[:2]}:{item.version}", item.id) for item in TRY if item.version}
    unnoticed = {key for key in wanted if not replayed[key].startswith("failed")}
    assert unnoticed == set()


def test_recordings_contain_no_keys_tokens_or_passwords(recordings):
    for id_, recording in recordings.items():
        assert recording.texts.keys() == FORMATS.keys()
        for text in recording.texts.values():
            assert [secret for secret in recording.secrets if secret in text] == [], id_
