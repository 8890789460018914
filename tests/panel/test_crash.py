"""The panel shows an exception of the lab to the instructor, and hides it from students."""

import pytest
from elements import find, texts

from labkit.panel.crash import LONGEST_MESSAGE, current_crash
from labkit.testing.contracts import text
from labkit.testing.lab_server import LabServer
from labkit.testing.response_checks import SERVER_ERROR, TRACEBACK
from labkit.testing.wire_visitor import WireVisitor
from labkit.textbook_versions import find_version

STUDENT = {"via": "1.1 a-proxy"}  # with this header, the panel does not recognize the instructor


# The checks of the visitor that the error page does not pass, for each value of DEBUG.
EXPECTED = {False: [SERVER_ERROR], True: [SERVER_ERROR, TRACEBACK]}


@pytest.fixture(scope="module", params=["0", "1"], ids=["DEBUG off", "DEBUG on"])
def server(request, checkout, tmp_path_factory):
    """The version that crashes on "red apple", run as `lab serve` and `lab run` do."""
    lab = find_version(checkout, "03:names-as-cookies").write(tmp_path_factory.mktemp("crash"))
    server = LabServer(lab.folder, migrate=False, environ={"LAB_DEBUG": request.param})
    server.debug = request.param == "1"
    yield server
    server.stop()


def crash(server, headers=None):
    """Add "red apple"; return the error page and the page of its exchange."""
    visitor = WireVisitor(server.port, headers=headers)
    with visitor.expecting(*EXPECTED[server.debug]):
        page = visitor.submit("/add/", {"name": "red apple", "quantity": 1})
    assert page.status_code == 500
    (link,) = find(text(page), "//a[@class='summary-row']/@href")
    return text(page), text(visitor.get(link))


def test_the_instructor_sees_exception_and_line(server):
    page, panel = crash(server)
    for shown in (page, panel):
        assert find(shown, "//@data-crash") == ["CookieError"]
    (line,) = texts(panel, "//*[@data-crash]//pre")
    assert line in (server.folder / "lab" / "storage.py").read_text()
    assert "set_cookie(name" in line
    assert any("lab/storage.py" in each for each in texts(page, "//*[@data-crash]//code"))


def test_the_bar_has_its_colours_on_any_page(server):
    page, _ = crash(server)
    colours = find(page, "//link[contains(@href, 'palette.css')]/@href")
    assert len(colours) == server.debug
    for path in colours:
        assert WireVisitor(server.port).get(path).headers["Content-Type"] == "text/css"


@pytest.mark.parametrize("server", ["0"], indirect=True)  # students cannot connect if DEBUG is on
def test_students_do_not_see_the_exception(server):
    page, panel = crash(server, STUDENT)
    assert find(page, "//@data-crash") == []
    assert find(panel, "//@data-crash") == [""]
    for shown in (page, panel):
        assert "CookieError" not in shown
        assert "Illegal key" not in shown


def test_a_request_without_a_crash_shows_none(server):
    visitor = WireVisitor(server.port)
    page = text(visitor.get("/add/"))
    (link,) = find(page, "//a[@class='summary-row']/@href")
    assert not find(page, "//@data-crash")
    assert not find(text(visitor.get(link)), "//@data-crash")


class Unprintable(Exception):
    """An exception whose str() raises."""

    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "message"), [(Unprintable(), ""), (KeyError("x" * 9999), None), (None, None)]
)
def test_any_exception_is_recorded_within_limits(error, message):
    try:
        if error:
            raise error
    except Exception:
        found = current_crash()
        assert found.name == type(error).__name__
        assert found.message == message or len(found.message) == LONGEST_MESSAGE
        assert found.place == ""  # "" means that the crash was not in the lab's code
    else:
        assert current_crash() is None
