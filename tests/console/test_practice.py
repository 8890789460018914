"""Test the console's page Practice, and its pages for students on the network."""

import http.client
from contextlib import contextmanager

import pytest
from elements import find, links, texts
from serving import closed, copy_of, descendants, reachable, serving

from labkit.base.served_labs import CODE, HANDOUT
from labkit.commands import serve
from labkit.panel import student_access
from labkit.practice.exercise import read_exercises
from labkit.testing.lab_server import START_LIMIT
from labkit.textbook_versions import all_versions, find_version

STUDENT = "127.0.0.2"  # an address of this machine on the network, for tests of `lab serve --lan`
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
    """Start the version NAMES in the console, and return its port."""
    return start(lab, NAMES)


def start(lab, name):
    """Start a version from the console; return its port."""
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


def test_an_address_by_number_needs_safe_cookies(lab, started, checkout):
    page = lab.page(f"{PRACTICE}version/{NAMES}/")
    assert not find_version(checkout, NAMES).apart
    assert find(page, "//@data-apart") == ["no"]
    assert f"http://127.0.0.1:{started}" not in page


def test_a_version_that_is_stopped_has_ended(lab, checkout):
    other = "03:other-path"
    assert find_version(checkout, other).apart
    port = start(lab, other)
    page = lab.page(f"{PRACTICE}version/{other}/")
    assert find(page, "//*[@data-apart='yes']/a/@href") == [f"http://127.0.0.1:{port}/"]
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


@pytest.mark.parametrize(
    "path", [f"{PRACTICE}version/{NAMES}/start/", f"/console/class/release/{NAMES}/"]
)
def test_practice_is_for_the_instructor(lab, path):
    assert lab.ask(PRACTICE, to=STUDENT)[0] == 403
    fields = {"solution": student_access.SHOWN}
    assert lab.ask(path, to=STUDENT, method="POST", fields=fields)[0] == 403


# Exercises, for the instructor and for students


@pytest.fixture(scope="module")
def exercises(checkout):
    return read_exercises(checkout)


@contextmanager
def released(lab, name):
    """Let students read this solution until the block ends."""
    url = f"/console/class/release/{name}/"
    assert lab.press(url, solution=student_access.SHOWN, back=PRACTICE) == 302
    assert name in find(lab.page("/console/class/"), "//@data-released")[0].split()
    yield
    assert lab.press(url, solution=student_access.HIDDEN) == 302


def test_exercises_are_listed_in_teaching_order(lab, exercises):
    names = [exercise.name for exercise in exercises]
    assert find(lab.page(PRACTICE), "//@data-exercise") == names
    assert find(lab.page("/practice/", to=STUDENT), "//@data-exercise") == names


def test_every_exercise_has_a_page_and_a_solution(lab, exercises):
    for exercise in exercises:
        page = lab.page(f"{PRACTICE}exercise/{exercise.name}/")
        assert len(find(page, "//details[@data-hint][not(@open)]")) == 3
        assert find(page, "//*[@data-explanation]")
        solution = lab.page(f"{PRACTICE}solution/{exercise.name}/")
        assert find(solution, "//*[contains(@class, 'change')]")


def test_students_read_brief_and_hints_but_no_solution(lab, exercises):
    name = exercises[0].name
    page = lab.page(f"/practice/{name}/", to=STUDENT)
    assert len(find(page, "//details[@data-hint]")) == 3
    assert not find(page, "//*[@data-explanation]")
    assert find(page, "//@data-solution") == ["hidden"]
    assert not find(page, "//a[contains(@href, '/console/')] | //form")
    assert lab.ask(f"/practice/{name}/solution/", to=STUDENT)[0] == 403
    for path in (f"exercise/{name}/", f"solution/{name}/", f"version/{NAMES}/"):
        assert lab.ask(PRACTICE + path, to=STUDENT)[0] == 403


def test_students_read_a_solution_after_its_release(lab, exercises):
    name = exercises[0].name
    with released(lab, name):
        page = lab.page(f"/practice/{name}/", to=STUDENT)
        assert find(page, "//*[@data-explanation]")
        (link,) = find(page, "//*[@data-solution='released']/a/@href")
        assert find(lab.page(link, to=STUDENT), "//*[contains(@class, 'change')]")
        for path in find(page, "//link/@href"):
            assert lab.ask(path, to=STUDENT)[0] == 200
        assert lab.ask(f"/practice/{exercises[1].name}/solution/", to=STUDENT)[0] == 403
    assert lab.ask(link, to=STUDENT)[0] == 403


def test_students_see_released_versions_only(lab):
    assert not find(lab.page("/practice/", to=STUDENT), "//@data-version")
    with released(lab, NAMES):
        page = lab.page("/practice/", to=STUDENT)
        (link,) = find(page, row(NAMES) + "//a/@href")
        assert find(lab.page(link, to=STUDENT), "//*[contains(@class, 'change')]")
    assert lab.ask(link, to=STUDENT)[0] == 403


@pytest.mark.parametrize(
    ("address", "pages"),
    [("127.0.0.1", [f"{PRACTICE}?lab=03", "/practice/"]), (STUDENT, ["/practice/"])],
)
def test_a_labs_handout_leads_to_practice(lab, address, pages):
    page = lab.page(HANDOUT, number=3, to=address)
    found = find(page, "//*[@data-practice]/a/@href")
    assert found == [lab.url(path, host=address) for path in pages]
    for path in pages:
        assert lab.page(path, to=address)


@pytest.mark.parametrize("path", ["nothing/", "nothing/solution/", f"{NAMES}/"])
def test_students_find_no_other_page(lab, path):
    assert lab.ask(f"/practice/{path}", to=STUDENT)[0] == 404


def test_nothing_unknown_is_released(lab):
    assert lab.press("/console/class/release/nothing/", solution=student_access.SHOWN) == 404


def test_a_release_leads_back_to_this_site_only(lab):
    url = f"/console/class/release/{NAMES}/"
    for back, start in ((PRACTICE, PRACTICE), ("//evil.example/", "/console/class/")):
        headers = lab.submit(url, solution=student_access.HIDDEN, back=back).headers
        assert headers["Location"].startswith(start)


def test_the_code_of_a_lab_can_be_hidden(lab):
    assert lab.press("/console/class/code/") == 302
    assert not find(lab.page("/console/class/"), "//input[@name='lab'][@checked]")
    assert lab.ask(CODE, number=3, to=STUDENT)[0] == 403
    assert lab.ask(CODE, number=3)[0] == 200  # the instructor
    assert not find(lab.page("/", to=STUDENT), f"//a[contains(@href, '{CODE}')]")
    assert lab.press("/console/class/code/", lab="03") == 302
    assert lab.ask(CODE, number=3, to=STUDENT)[0] == 200
    assert find(lab.page("/", to=STUDENT), f"//a[contains(@href, '{CODE}')]")
