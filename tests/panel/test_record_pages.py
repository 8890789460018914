"""Test `lab record` and the page "Copy as test", and repeat recorded visits with curl."""

import json
import os
import stat
import subprocess
import sys

import lxml.html
import pytest
from click.testing import CliRunner
from code_blocks import RECORDED, block, commands
from documents import ROOT
from lab_copies import run_pytest

from labkit.catalog import Catalog
from labkit.cli import main
from labkit.commands import record
from labkit.panel.visit.record_views import FORMATS
from labkit.processes.ports import free_port
from labkit.testing.contracts import text
from labkit.testing.contracts.carts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
PAGE, TEXT = "/__lab__/visit/record/", record.RECORD_PATH
PROXY = {"via": "1.1 proxy"}  # a visitor who is not on the instructor's machine
# A stand-in for HTTPie. It accepts the options that scripts use, and writes a session file.
HTTP = """\
#!{python}
import argparse, json, re, sys
parser = argparse.ArgumentParser()
for flag in ("--ignore-stdin", "--headers", "--follow", "--form"):
    parser.add_argument(flag, action="store_true")
parser.add_argument("--session", required=True)
parser.add_argument("method", choices=["GET", "HEAD", "POST"])
parser.add_argument("url")
parser.add_argument("items", nargs="*")
found = parser.parse_args()
assert all(re.match(r"([^=:@;\\\\]|\\\\.)+=([^=:@;\\\\]|\\\\.)*$", item) for item in found.items)
cookies = [{{"name": "csrftoken_04", "value": "abc"}}]
json.dump({{"cookies": cookies}}, open(found.session, "w"))
json.dump(sys.argv[1:], open({calls!r}, "a"))
"""


@pytest.fixture(scope="module")
def shop(checkout):
    server = LabServer(checkout.find("04").folder, migrate=True, server="waitress")
    yield server
    server.stop()


def browser(shop, name="Chrome"):
    return WireVisitor(shop.port, headers={"user-agent": f"Mozilla/5.0 ({name})"})


@pytest.fixture
def visitor(shop, request):
    """A visitor whose browser has made no other visit to the shop."""
    visitor = browser(shop, request.node.name)
    cart.put(visitor, "red apple", 3)
    visitor.get("/display/")
    return visitor


def lab_record(shop, *options):
    command = ["record", "04", "--port", str(shop.port), *options]
    return CliRunner().invoke(main, command)


def numbers(visitor):
    page = lxml.html.document_fromstring(text(visitor.get(PAGE)))
    return [int(number) for number in page.xpath("//select[@name='from']/option/@value")]


def newest_visitor(shop):
    report = json.loads(text(WireVisitor(shop.port).get("/__lab__/exchanges.json?most=1")))
    return report["exchanges"][0]["visitor"]


def test_the_command_writes_what_the_page_shows(shop, visitor):
    name = newest_visitor(shop)
    for chosen in FORMATS:
        query = {"format": chosen, "visitor": name}
        page = lxml.html.document_fromstring(text(visitor.get(PAGE, query)))
        result = lab_record(shop, "--format", chosen, "--visitor", name)
        assert result.exit_code == 0, result.output
        assert page.xpath(f"string(//pre[@data-record='{chosen}'])") == result.output
        assert "red apple" in result.output


def test_the_panel_links_to_the_record_of_the_visit(shop, visitor):
    page = lxml.html.document_fromstring(text(visitor.get("/display/")))
    (opened,) = page.xpath("//a[@class='summary-row']/@href")
    panel = lxml.html.document_fromstring(text(visitor.get(opened)))
    (link,) = panel.xpath(f"//main//a[starts-with(@href, '{PAGE}')]/@href")
    recorded = lxml.html.document_fromstring(text(visitor.get(link)))
    assert "red apple" in recorded.xpath("string(//pre[@data-record='pytest'])")


def test_the_formats_of_command_and_page_are_the_same():
    assert list(FORMATS) == record.FORMATS


def test_each_documented_command_has_a_documented_option(said):
    found = [line.split() for line in commands("docs/testing.md", "lab record 04")]
    options = {word for words in found for word in words if word.startswith("--")}
    assert options == {"--format", "--visitor", "--from", "--to"}
    assert {words[-1] for words in found if "--format" in words} == {*FORMATS} - {"pytest"}
    _, usage = said("record", "--help")
    assert all(option in usage for option in options)


def test_the_documented_example_passes_in_its_lab(own_checkout):
    lab = own_checkout / "labs" / "04_session_cart"
    (lab / "tests" / "test_visit.py").write_text(block("docs/testing.md", RECORDED))
    status, output = run_pytest(Catalog(ROOT), lab, "-k", "test_visit.py")
    assert status == 0, output
    assert "1 passed" in output


def test_a_range_leaves_out_the_rest(shop, visitor):
    first, *_, last = numbers(visitor)
    whole = lab_record(shop, "--from", str(first)).output
    end = lab_record(shop, "--from", str(last)).output
    assert 'visitor.get("/display/")' in end
    assert "/add/" in whole
    assert "/add/" not in end
    assert "/display/" not in lab_record(shop, "--from", str(first), "--to", str(first)).output


def test_students_see_only_their_own_visit(shop, visitor):
    stranger = browser(shop, "another browser")
    cart.put(stranger, "pear")
    own = text(stranger.get(TEXT, headers=PROXY))
    assert "pear" in own
    assert "red apple" not in own
    name = newest_visitor(shop)
    theirs = text(visitor.get(TEXT, {"visitor": name}, headers=PROXY))
    assert "pear" not in theirs


def test_without_a_visit_there_is_nothing_to_copy(shop):
    stranger = browser(shop, "nobody")
    assert stranger.get(TEXT, headers=PROXY).status_code == 404
    page = lxml.html.document_fromstring(text(stranger.get(PAGE, headers=PROXY)))
    assert page.xpath("//*[@data-empty]")
    result = lab_record(shop, "--from", "999999")
    assert result.exit_code == 1
    assert record.NO_VISIT.format(number="04") in result.output


def test_a_lab_that_is_not_running_cannot_be_recorded():
    port = free_port()
    result = CliRunner().invoke(main, ["record", "04", "--port", str(port)])
    assert result.exit_code == 1
    url = f"http://127.0.0.1:{port}"
    assert record.NOT_RUNNING.format(number="04", url=url) in result.output


def test_another_server_is_not_recorded(checkout):
    server = LabServer(checkout.find("02").folder, migrate=False, environ={"LAB_PANEL": "0"})
    try:
        result = CliRunner().invoke(main, ["record", "04", "--port", str(server.port)])
    finally:
        server.stop()
    url = f"http://127.0.0.1:{server.port}"
    assert record.NO_PANEL.format(number="04", url=url) in result.output


def run_script(source, shop, folder, **environ):
    script = folder / "visit.sh"
    script.write_text(source)
    return subprocess.run(
        ["sh", str(script), shop.url("")],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_curl_repeats_the_visit(shop, visitor, tmp_path):
    cart.empty(visitor)
    name = newest_visitor(shop)
    script = lab_record(shop, "--format", "curl", "--visitor", name).output
    done = run_script(script, shop, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 /empty/" in done.stdout
    listed = json.loads(text(visitor.get("/__lab__/exchanges.json?most=2")))["exchanges"]
    assert [each["path"] for each in listed] == ["/display/", "/empty/"]
    assert listed[1]["session"] == "saved"
    wrong = script.replace(" 200 /add/", " 404 /add/")
    assert run_script(wrong, shop, tmp_path).returncode == 1


def test_the_script_for_httpie_runs(shop, visitor, tmp_path):
    name = newest_visitor(shop)
    calls = tmp_path / "calls"
    program = tmp_path / "http"
    program.write_text(HTTP.format(python=sys.executable, calls=str(calls)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    script = lab_record(shop, "--format", "httpie", "--visitor", name).output
    done = run_script(script, shop, tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stdout + done.stderr
    sent = calls.read_text()
    assert '"csrfmiddlewaretoken=abc"' in sent
    assert '"name=red apple"' in sent
