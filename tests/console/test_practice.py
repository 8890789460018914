"""The console's page Practice, and what students over the network see of it."""

import http.client

import pytest
from elements import find, links, texts
from serving import closed, copy_of, descendants, reachable, serving

from labkit.commands import serve
from labkit.testing.lab_server import START_LIMIT
from labkit.textbook_versions import all_versions, find_version

STUDENT = "127.0.0.2"  # this machine's address as `lab serve --lan` takes it in the tests
NAMES = "03:names-as-cookies"
PRACTICE = "/console/practice/"


@pytest.fixture(scope="module")
def lab(checkout, tmp_path_factory):
    """Lab 03 under `lab serve`, open to the network."""
    folder = copy_of(checkout, tmp_path_factory.mktemp("practice"))
    arguments = ["--only", "03", "--lan", "--address", STUDENT]
    with serving(folder, *arguments, environ={serve.LOOPBACK_TOO: "1"}) as served:
        yield served


@pytest.fixture(scope="module")
def started(lab):
    """The port of the version NAMES, which the console has started."""
    return start(lab, NAMES)


def start(lab, name):
    """Start a version in the console; return its port."""
    assert lab.press(f"{PRACTICE}version/{name}/start/") == 302
    (url,) = find(lab.page(PRACTICE), row(name) + "//a[@class='button']/@href")
    host, _, port = url.removesuffix("/").rpartition(":")
    assert host == f"http://{name.partition(':')[2]}.localhost"
    return int(port)


def row(name):
    return f"//li[@data-version='{name}']"


def test_versions_are_listed_in_teaching_order(lab, checkout):
    listed = find(lab.page(PRACTICE), "//@data-version")
    assert listed == [version.full_name for version in all_versions(checkout)]
    listed = find(lab.page(f"{PRACTICE}?lab=04"), "//@data-version")
    assert listed
    assert all(name.startswith("04:") for name in listed)


def test_a_version_runs_at_its_own_host(lab, started):
    assert find(lab.page(PRACTICE), row(NAMES) + "//@data-state") == ["running"]
    connection = http.client.HTTPConnection("127.0.0.1", started, timeout=START_LIMIT)
    connection.request("GET", "/add/", headers={"Host": f"names-as-cookies.localhost:{started}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_version_is_not_open_to_the_network(started):
    assert reachable(started)
    assert not reachable(started, STUDENT)


def test_a_version_that_is_stopped_has_ended(lab):
    other = "03:other-path"
    port = start(lab, other)
    assert lab.press(f"{PRACTICE}version/{other}/stop/") == 302
    closed(port)
    page = lab.page(PRACTICE)
    assert other not in find(page, "//@data-started")
    assert find(page, row(other) + "//form/@action") == [f"{PRACTICE}version/{other}/start/"]


def test_a_second_start_changes_nothing(lab, started):
    before = descendants(lab.process.pid)
    lab.press(f"{PRACTICE}version/{NAMES}/start/")
    assert descendants(lab.process.pid) == before


def test_a_version_that_cannot_start_is_refused(lab, checkout):
    name = next(v.full_name for v in all_versions(checkout) if not v.starts)
    assert lab.press(f"{PRACTICE}version/{name}/start/") == 409
    page = lab.page(f"{PRACTICE}version/{name}/")
    assert texts(page, "//pre") == [find_version(checkout, name).says]


def test_a_version_has_its_steps_and_its_diff(lab, checkout):
    page = lab.page(f"{PRACTICE}version/{NAMES}/")
    steps = find(page, "//ol[@class='steps']//li")
    assert len(steps) == len(find_version(checkout, NAMES).see)
    diff = links(page)["Compare"]
    assert find(lab.page(diff), "//*[contains(@class, 'change')]")


@pytest.mark.parametrize("path", ["version/03:nothing/", "version/nothing/"])
def test_an_unknown_name_is_not_found(lab, path):
    assert lab.ask(PRACTICE + path)[0] == 404


def test_practice_is_for_the_instructor(lab):
    assert lab.ask(PRACTICE, to=STUDENT)[0] == 403
