"""Test the pages on which a lab shows its own handout and code."""

import subprocess
import sys

import pytest
from elements import find, links, texts

from labkit.base.served_labs import ALL_LABS, CODE, HANDOUT
from labkit.panel import student_access
from labkit.render.handout import Answers, render_page
from labkit.testing.contracts import text
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor
from labkit.textbook_versions import read_versions

QUESTIONS = """\
# 04 A cart

<details><summary>Is `x` it?</summary>

No, [see](../03_cookie_cart/README.md).

- A list.
</details>

<details><summary>Short?</summary>Yes.</details>

The end.
"""


class NoLinks:
    """A site without pages."""

    def handout(self, number):
        return None

    code = claims = document = handout

    def lab(self, number, path):
        return None


@pytest.fixture(scope="module")
def shop(checkout):
    server = LabServer(checkout.find("04").folder, migrate=False)
    yield server
    server.stop()


@pytest.fixture
def visitor(shop):
    return WireVisitor(shop.port)


def page(visitor, path):
    response = visitor.get(path)
    assert response.status_code == 200
    assert visitor.exchanges[-1].set_cookies == []
    return text(response)


def test_the_header_leads_to_handout_and_code(visitor):
    front = text(visitor.get("/"))
    assert links(front, "//header/nav[@class='reading']/a") == {"Handout": HANDOUT, "Code": CODE}
    assert visitor.get(ALL_LABS).status_code == 404  # there is no console


@pytest.mark.parametrize("path", [HANDOUT, CODE])
def test_a_reading_page_has_the_labs_header(visitor, path):
    shown = page(visitor, path)
    assert find(shown, "//header//a[@aria-current]/@href") == [path]
    assert links(shown, "//header/nav[1]/a")["Cart"] == "/display/"


def test_the_handout_page_names_the_textbook_versions(visitor, checkout):
    names = [version.full_name for version in read_versions(checkout, checkout.find("04"))]
    shown = page(visitor, HANDOUT)
    assert find(shown, "//article//@data-version") == names
    assert not find(shown, "//*[@data-practice]")  # there is no console


def test_the_panel_does_not_record_reading(visitor):
    page(visitor, HANDOUT)
    page(visitor, CODE)
    assert HANDOUT not in page(visitor, "/__lab__/")


def test_the_code_page_has_every_file_highlighted(visitor, shop):
    shown = page(visitor, CODE)
    names = [words.partition(" ")[0] for words in texts(shown, "//h2[@id]")]
    package = shop.folder / "lab"
    present = [path for path in package.rglob("*.*") if "__pycache__" not in path.parts]
    assert sorted(names) == sorted(
        path.relative_to(shop.folder).as_posix() for path in present if path.stat().st_size
    )
    assert names.index("lab/storage.py") < names.index("lab/views.py")
    assert list(links(shown, "//nav[@class='files']/a")) == names
    assert texts(shown, "//*[@id='lab-views-py-1']/*[@class='k']") == ["from", "import"]


def test_answers_are_folded_on_this_machine(visitor):
    folded, opened = page(visitor, HANDOUT), page(visitor, f"{HANDOUT}?answers=open")
    assert not find(folded, "//details[@open]")
    assert len(find(opened, "//details[@open]")) == len(find(folded, "//article//details")) > 2


def test_hidden_answers_are_not_in_the_page():
    folder = "labs/04_session_cart"
    hidden = render_page(QUESTIONS, folder, NoLinks(), Answers.HIDDEN)
    assert texts(hidden.html, "//*[@class='question']/p") == ["Is x it?", "Short?"]
    assert not find(hidden.html, "//details | //summary | //li")
    for answer in ("see", "Yes"):
        assert answer not in hidden.html
    assert "The end." in hidden.html
    assert hidden.has_answers


def test_a_picture_becomes_its_description():
    page = render_page("# A\n\n![A chart](chart.svg)", "docs", NoLinks())
    assert find(page.html, "//img") == []
    assert "A chart" in page.html


def test_the_switch_is_a_private_file(tmp_path):
    off = student_access.Access()
    assert student_access.read_access(tmp_path) == off
    student_access.show_answers(tmp_path, shown=True)
    student_access.hide_code(tmp_path, ("03",))
    student_access.release_solution(tmp_path, "one", released=True)
    student_access.release_solution(tmp_path, "two", released=True)
    student_access.release_solution(tmp_path, "one", released=False)
    on = student_access.Access(answers=True, solutions=("two",), hidden_code=("03",))
    assert student_access.read_access(tmp_path) == on
    switches = tmp_path / student_access.SWITCHES
    assert switches.stat().st_mode & 0o777 == 0o600
    for damaged in (b"\xff", b"[]", b"null", b'{"answers": 1}'):
        switches.write_bytes(damaged)
        assert student_access.read_access(tmp_path) == off


LOADED = """\
import sys
from wsgiref.util import setup_testing_defaults
from django.core.wsgi import get_wsgi_application
sys.modules["pytest"] = None  # time_machine imports it where it is installed, and it Pygments
application = get_wsgi_application()

def loaded(path):
    environ = {"HTTP_HOST": "127.0.0.1", "PATH_INFO": path}
    setup_testing_defaults(environ)
    b"".join(application(environ, lambda status, headers: print(path, status)))
    return {"markdown_it", "pygments"} & set(sys.modules)

assert not loaded("/")
assert loaded("/__lab__/code/")
"""


def test_markdown_and_pygments_wait_for_a_reader(shop, tmp_path):
    environ = {"DJANGO_SETTINGS_MODULE": "lab.settings", "LAB_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", LOADED]
    lab = shop.folder.parent / "03_cookie_cart"
    done = subprocess.run(command, cwd=lab, env=environ, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr
