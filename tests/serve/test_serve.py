"""Test that `lab serve` runs all labs at once in separate processes, and stops them all."""

import os
import re
import signal
import socket
import threading

import pytest
from click.testing import CliRunner
from django.test import RequestFactory
from elements import find
from serving import alive, closed, copy_of, reachable, serving, until

from labkit import cli
from labkit.base.served_labs import CODE, HANDOUT
from labkit.commands import serve
from labkit.panel import student_access
from labkit.panel.access import is_local_instructor
from labkit.processes.ports import PortError
from labkit.serve import lan_address
from labkit.serve.worker import without_opener_policy
from labkit.services.database_choice import ONE_DATABASE, DatabaseKind
from labkit.testing.contracts import CartContract, table
from labkit.testing.lab_server import free_port
from labkit.testing.wire_visitor import WireVisitor

pytestmark = pytest.mark.usefixtures("start")
cart = CartContract()
OWN_ADDRESS = lan_address.own_address()
ADDRESS = OWN_ADDRESS or "127.0.0.2"
OPENER_POLICY = "Cross-Origin-Opener-Policy"


@pytest.fixture
def said():
    """Run `lab serve` in this process; return (exit status, output)."""

    def run(*arguments):
        result = CliRunner().invoke(cli.main, ["serve", *arguments])
        return result.exit_code, " ".join(result.output.split())

    return run


@pytest.fixture(scope="module")
def carts(checkout, tmp_path_factory, start):
    """Labs 03 and 04, open to the network."""
    folder = copy_of(checkout, tmp_path_factory.mktemp("carts"))
    arguments = ["--only", "03,04", "--lan", "--address", ADDRESS]
    with serving(folder, *arguments, environ={serve.LOOPBACK_TOO: "1"}) as served:
        yield served


def follow(served, number, text):
    """Open a link from a lab's header as a student on the network; return (page, headers)."""
    front = served.page("/", number=int(number), to=ADDRESS)
    (path,) = find(front, f"//header//a[.='{text}']/@href")
    status, page, headers = served.ask(path, number=int(number), to=ADDRESS)
    if status == 302:
        assert headers["Location"] == served.url("/", host=ADDRESS)
    else:
        assert (status, headers["Set-Cookie"]) == (200, None)
    return page


# Starting and ending


def test_every_lab_answers_and_ctrl_c_ends_them_all(checkout, tmp_path, start):
    options = ["--lan", "--address", ADDRESS]
    labs = checkout.labs
    if start == "spawn":  # starting all labs takes long; a lab's pages do not depend on its start
        labs = [checkout.find(number) for number in ("03", "04", "10")]
        options += ["--only", "03,04,10"]
    environ = {serve.LOOPBACK_TOO: "1"}
    with serving(copy_of(checkout, tmp_path), *options, environ=environ) as served:
        assert served.url("/") in served.output
        for lab in labs:
            for text in ("Handout", "Code", "All labs"):
                follow(served, lab.number, text)
            told = f"✓ {lab.number} {lab.title} {served.url('/', int(lab.number))}"
            until(lambda told=told: told in served.output)
            assert served.state(lab.number) == "running"
            assert lab.title in served.page("/", number=int(lab.number))
        assert len(served.children) == len(labs) + (start == "fork")
        # Lab 10 is about session engines, so its row names the current engine.
        until(lambda: re.findall('data-engine="([^"]*)"', served.page()) == ["db"])
    assert served.process.returncode == 0
    assert not any(reachable(served.port + int(lab.number)) for lab in checkout.labs)
    assert not reachable(served.port)
    assert "Traceback" not in served.output
    assert [p for p in (tmp_path / "labs").rglob("*") if p.suffix in {".sqlite3", ".log"}] == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_nothing_stays_behind(checkout, tmp_path, start, end):
    with serving(copy_of(checkout, tmp_path), "--only", "cookie_cart", end=end) as served:
        assert served.state("03") == "running"
        assert len(served.children) == 1 + (start == "fork")
    closed(served.port, served.port + 3)


def test_on_mysql_each_lab_has_a_database_and_all_is_gone_after_a_crash(
    checkout, tmp_path, mariadb
):
    arguments = ["--only", "03,04,06", "--db", "mysql"]
    with serving(copy_of(checkout, tmp_path), *arguments, end=signal.SIGKILL) as served:
        visitor = WireVisitor(served.port + 4)
        cart.put(visitor, "apple", 3)
        assert cart.cart(visitor) == {"apple": 3}
        assert DatabaseKind.MARIADB.value in served.output
        assert any("mariadbd" in command for command in served.children.values())
        assert served.press("/console/reset/", lab="04", confirmed="1") == 302
        assert cart.cart(visitor) == {}
    kept = tmp_path / ".lab" / "mariadb" / "data"
    assert sorted(path.name for path in kept.glob("lab_*")) == ["lab_04", "lab_06"]
    assert not (tmp_path / ".lab" / "04" / "db.sqlite3").exists()


def test_a_lab_that_cannot_start_says_why_and_the_others_run(checkout, tmp_path):
    views = copy_of(checkout, tmp_path) / "labs" / "03_cookie_cart" / "lab" / "views.py"
    whole = views.read_text()
    views.write_text(whole + "\nimport shopping\n")
    with serving(tmp_path, "--only", "3, session_pagecount", "--engine", "file") as served:
        reason = "ModuleNotFoundError: No module named 'shopping'"
        assert f"failed: {reason}" in served.output
        assert served.state("03") == "failed"
        assert reason in served.says("03")
        assert served.state("06") == "running"
        WireVisitor(served.port + 6).get("/")
        assert len(list((tmp_path / ".lab" / "06" / "sessions").iterdir())) == 1
        assert reason in served.page("/console/lab/03/log/").replace("&#x27;", "'")
        views.write_text(whole)
        assert served.press("/console/restart/", lab="03") == 302
        assert served.state("03") == "running"
        assert table(WireVisitor(served.port + 3).get("/display/")) == {}


def test_a_lab_that_dies_is_restarted_and_shown_so(carts):
    os.kill(carts.worker(4), signal.SIGKILL)
    # The order matters: the console says "running" until it notices that the process has ended.
    until(lambda: "SIGKILL" in carts.says("04"))
    until(lambda: reachable(carts.port + 4))
    until(lambda: carts.state("04") == "running")
    assert 'class="state restarted"' in carts.page()
    assert "died (ended by SIGKILL)" in carts.output
    assert carts.state("03") == "running"
    assert carts.press("/console/reset/", lab="04", confirmed="1") == 302
    assert carts.state("04") == "running"
    assert "SIGKILL" not in carts.says("04")


def test_a_restart_loads_changed_code(checkout, tmp_path):
    views = copy_of(checkout, tmp_path) / "labs" / "02_cookie_pagecount" / "lab" / "views.py"
    with serving(tmp_path, "--only", "02") as served:
        log = tmp_path / ".lab" / "02" / "server.log"
        assert "changed code" not in log.read_text()
        views.write_text(views.read_text() + "\nimport logging\nlogging.error('changed code')\n")
        assert served.press("/console/restart/", lab="02") == 302
        assert served.state("02") == "running"
        assert "changed code" in log.read_text()


def test_a_killed_fork_server_ends_no_lab(checkout, tmp_path, start):
    if start == "spawn":
        pytest.skip("there is no fork server")
    with serving(copy_of(checkout, tmp_path), "--only", "02,03") as served:
        before = served.worker(2), served.worker(3)
        os.kill(served.fork_server, signal.SIGKILL)
        until(lambda: served.fork_server is None)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: served.worker(2) not in {None, before[0]})
        until(lambda: served.state("02") == "running")
        assert served.worker(3) == before[1]
        assert served.press("/console/restart/", lab="03") == 302
        assert served.state("03") == "running"
        assert served.worker(3) != before[1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_no_other_user_can_read_what_is_kept(checkout, tmp_path):
    before = os.umask(0)
    try:
        folder = copy_of(checkout, tmp_path)
        with serving(folder, "--only", "04", "--engine", "file") as served:
            cart.put(WireVisitor(served.port + 4), "apple", 3)
            state = folder / ".lab" / "04"
            kept = [state, *state.rglob("*")]
            assert {path.name for path in kept} >= {"db.sqlite3", "secret_key", "server.log"}
            assert len(list((state / "sessions").iterdir())) == 1
            assert [path for path in kept if path.stat().st_mode & 0o077] == []
    finally:
        os.umask(before)


def test_a_damaged_database_is_named_and_the_console_repairs_it(checkout, tmp_path):
    state = copy_of(checkout, tmp_path) / ".lab" / "04"
    state.mkdir(parents=True)
    (state / "db.sqlite3").write_bytes(b"x" * 5000)
    with serving(tmp_path, "--only", "04") as served:
        assert served.state("04") == "failed"
        assert str(state / "db.sqlite3") in served.says("04")
        assert "lab reset 04" in served.says("04")
        assert served.press("/console/reset/", lab="04", confirmed="1") == 302
        assert served.state("04") == "running"
        cart.put(WireVisitor(served.port + 4), "apple", 3)


# Wrong ways to start


def test_an_unknown_lab_is_one_sentence(said):
    status, text = said("--only", "03,99")
    assert status == 1
    assert text.startswith("Error: ")
    assert "99" in text
    assert said("--only", ",")[0] == 2


@pytest.mark.parametrize("words", [["--only", "03,", "04"], ["03", "4"], ["--only", "03", ",04,"]])
def test_labs_after_a_space_are_refused_with_the_right_line(said, words):
    status, text = said(*words)
    assert status == 2
    line = f"lab serve --only {'03,4' if words[-1] == '4' else '03,04'}"
    assert text.endswith(f"Error: {serve.NO_ARGUMENTS.format(line=line)}")


def test_a_comma_at_the_end_is_understood(checkout):
    assert [lab.number for lab in serve.chosen_labs(checkout, "03,")] == ["03"]
    assert [lab.number for lab in serve.chosen_labs(checkout, " 4, ,03,")] == ["03", "04"]


def test_busy_ports_are_a_sentence_each_with_a_way_out(said):
    port = free_port(3, 4)
    with socket.socket() as one, socket.socket() as other:
        for taken, number in ((one, 0), (other, 4)):
            # Free_port() may return a port in the state TIME_WAIT, which needs this option.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port + number))
            taken.listen()
        status, text = said("--only", "03,04", "--port", str(port))
    assert status == 1
    assert [f"Port {port + number}" in text for number in (0, 3, 4)] == [True, False, True]
    assert "lab serve --port" in text


def test_a_port_that_browsers_refuse_is_one_sentence(said):
    status, text = said("--only", "06", "--port", "6660")
    assert status == 1
    assert str(PortError(6666))[:-1] in text
    assert text.endswith("lab serve --port 8100")


@pytest.mark.parametrize("address", ["192.0.2.7", "nonsense"])
def test_an_address_that_is_not_ours_is_one_sentence(said, address):
    sentence = serve.NO_ADDRESS_OF_OURS.format(address=address)
    assert said("--lan", "--address", address) == (1, f"Error: {sentence}")


def test_an_address_goes_with_lan(said):
    assert said("--address", "127.0.0.2")[0] == 2


def test_a_machine_without_a_network_is_one_sentence(said, monkeypatch):
    monkeypatch.setattr(lan_address, "own_address", lambda: None)
    assert said("--lan") == (1, f"Error: {serve.NO_NETWORK}")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("0.0.0.0", serve.ALL_ADDRESSES),  # noqa: S104
        ("127.0.0.1", serve.OWN_MACHINE_ONLY),
        ("127.0.0.2", serve.OWN_MACHINE_ONLY),
        ("::1", serve.OWN_MACHINE_ONLY),
    ],
)
def test_an_address_that_lets_nobody_in_is_one_sentence(said, address, sentence):
    assert said("--lan", "--address", address) == (1, f"Error: {sentence.format(address=address)}")


def test_one_database_for_all_labs_is_refused(said, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///all.sqlite3")
    status, text = said("--only", "04,06", "--port", str(free_port()))
    assert status == 1
    assert text == f"Error: {ONE_DATABASE}"


# A class at work


@pytest.mark.skipif(OWN_ADDRESS is None, reason="this machine is in no network")
def test_a_header_that_browsers_ignore_is_not_sent_to_them(carts):
    for number in (3, 4):
        assert OPENER_POLICY in carts.ask("/", number=number)[2]
        assert OPENER_POLICY not in carts.ask("/", number=number, to=ADDRESS)[2]


@pytest.mark.parametrize(
    ("scheme", "host", "sent"),
    [
        ("http", "127.0.0.1:8003", True),
        ("http", "127.0.0.2", True),
        ("http", "localhost:8003", True),
        ("http", "[::1]:8003", True),
        ("https", "192.168.1.20:8003", True),
        ("http", "192.168.1.20:8003", False),
        ("http", "[fe80::1]:8003", False),
        ("http", "127.0.0.1.example:8003", False),
        ("http", "[", False),
        ("http", "", False),
    ],
)
def test_the_opener_policy_goes_where_browsers_heed_it(scheme, host, sent):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), (OPENER_POLICY, "same-origin")])
        return [b"all of it"]

    got = []
    answer = without_opener_policy(application)(
        {"wsgi.url_scheme": scheme, "HTTP_HOST": host}, lambda *start: got.append(start)
    )
    assert list(answer) == [b"all of it"]
    ((status, headers),) = got
    assert status == "200 OK"
    assert ("Content-Type", "text/plain") in headers
    assert ((OPENER_POLICY, "same-origin") in headers) is sent


def test_a_class_at_the_same_moment_is_served(carts):
    """The test measures no times; for figures, see bench/burst.py."""
    answers = []
    everybody = threading.Barrier(100)

    def student():
        everybody.wait()
        answers.append(carts.ask("/add/", number=3)[0])

    students = [threading.Thread(target=student) for _ in range(100)]
    for thread in students:
        thread.start()
    for thread in students:
        thread.join()
    assert answers == [200] * 100


def test_the_class_gets_a_list_of_labs_and_no_more(carts):
    front = carts.page("/", to=ADDRESS)
    for number in (3, 4):
        for path in ("/", HANDOUT, CODE):
            assert f'href="{carts.url(path, number, ADDRESS)}"' in front
    assert "<form" not in front
    assert "/console/" not in front
    for path in ("/console/", "/console/live/", "/console/lab/04/log/", "/console/class/answers/"):
        status, _, headers = carts.ask(path, to=ADDRESS)
        assert (status, headers["Set-Cookie"]) == (403, None)
    for path in ("/console/reset/", "/console/class/answers/", "/console/lab/03/"):
        assert carts.ask(path, to=ADDRESS, method="POST", fields={"lab": "all"})[0] == 403


@pytest.mark.parametrize(("end", "page"), [("", HANDOUT), ("code/", CODE)])
def test_the_consoles_reading_pages_lead_to_the_labs(carts, end, page):
    status, _, headers = carts.ask(f"/console/lab/03/{end}", to=ADDRESS)
    assert (status, headers["Location"]) == (302, carts.url(page, 3, ADDRESS))
    assert carts.ask(f"/console/lab/03/{end}")[0] == 200
    assert carts.ask(f"/console/lab/99/{end}", to=ADDRESS)[0] == 403


@pytest.mark.parametrize("path", ["/nothing/", "/console/nothing/", "/console/lab/03/cod/"])
def test_a_mistyped_url_is_not_found(carts, path):
    assert carts.ask(path, to=ADDRESS)[0] == 404


def test_students_see_answers_only_when_switched_on(carts):
    def questions():
        page = follow(carts, "04", "Handout")
        opened = carts.page(f"{HANDOUT}?answers=open", number=4, to=ADDRESS)
        assert len(find(page, "//article//details")) == len(find(opened, "//article//details"))
        return len(find(page, "//details")), len(find(page, "//*[@class='question']"))

    count = len(find(carts.page(HANDOUT, number=4), "//article//details"))  # on this machine
    assert count > 2
    assert questions() == (0, count)
    assert carts.press("/console/class/answers/", answers=student_access.SHOWN) == 302
    assert find(carts.page("/console/class/"), "//form/@data-answers") == ["shown"]
    assert questions() == (count, 0)
    carts.press("/console/class/answers/", answers=student_access.HIDDEN)
    assert questions() == (0, count)


def test_links_of_a_labs_handout_stay_open_to_students(carts):
    page = follow(carts, "04", "Handout")
    assert find(page, f"//article//a[@href='{carts.url(HANDOUT, 3, ADDRESS)}']")  # the twin
    assert find(page, f"//article//a[@href='{carts.url('/', 4, ADDRESS)}']")
    assert not find(page, "//article//a[contains(@href, '/console/')]")
    own = carts.page(HANDOUT, number=4)
    assert find(own, f"//article//a[@href='{carts.url('/console/claims/?lab=04')}']")


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"]
)
def test_a_proxy_is_not_the_instructor(carts, header):
    assert carts.ask("/console/")[0] == 200
    assert carts.ask("/console/", **{header: "for=192.0.2.1"})[0] == 403


@pytest.mark.skipif(OWN_ADDRESS is None, reason="this machine has no network")
def test_another_machine_is_not_the_instructor_whatever_host_it_names(carts):
    for host in (f"127.0.0.1:{carts.port}", "localhost", "[::1]"):
        assert carts.ask("/console/", to=ADDRESS, Host=host)[0] == 403
        assert carts.ask("/console/", Host=host)[0] == 200
    assert carts.ask("/console/", Host="192.0.2.1")[0] == 400
    assert carts.ask("/", Host="192.0.2.1")[0] == 400
    # A request from the network must not write to the instructor's terminal.
    assert "192.0.2.1" not in carts.output


@pytest.mark.parametrize(
    ("peer", "host", "at_desk"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("::1", "[::1]:8000", True),
        ("::ffff:127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "names-as-cookies.localhost:8000", True),
        ("192.168.1.7", "names-as-cookies.localhost", False),
        ("192.168.1.7", "127.0.0.1:8000", False),
        ("127.0.0.1", "192.168.1.20:8000", False),
        ("127.0.0.1", "localhost.example", False),
        ("127.0.0.1", "", False),
        ("", "localhost", False),
    ],
)
def test_who_is_at_the_desk(peer, host, at_desk):
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_HOST=host)
    assert is_local_instructor(request) is at_desk


def test_the_labs_take_the_class_and_keep_debug_off(carts):
    for number in (3, 4):
        carts.page("/", number=number, to=ADDRESS)
        assert carts.ask("/", number=number, Host="elsewhere.example")[0] == 400
        status, page, _ = carts.ask("/nothing/", number=number, to=ADDRESS)
        assert status == 404
        assert "DEBUG" not in page


def test_a_cart_works_over_the_network_by_plain_http(carts):
    visitor = WireVisitor(carts.port + 4, host=ADDRESS)
    cart.put(visitor, "apple", 3)
    assert cart.cart(visitor) == {"apple": 3}
    assert sorted(cookie.name for cookie in visitor.jar) == ["csrftoken_04", "sessionid_04"]


def test_the_address_is_printed_large_and_as_a_qr_code(carts):
    assert f"┃ http://{ADDRESS}:{carts.port}/ ┃" in carts.output
    assert "▀" in carts.output
    page = carts.page("/console/class/")
    assert f"http://{ADDRESS}:{carts.port}/" in page
    assert '<svg class="qr"' in page or 'class="qr"' in page


def test_reset_in_the_console_empties_one_lab(carts):
    visitor = WireVisitor(carts.port + 4)
    cart.put(visitor, "apple", 3)
    before = carts.worker(4), carts.worker(3)
    assert carts.press("/console/reset/", lab="04", confirmed="1") == 302
    assert carts.state("04") == "running"
    assert cart.cart(visitor) == {}
    after = carts.worker(4), carts.worker(3)
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)  # LocMem is empty too
    assert not alive([before[0]])


def test_reset_all_empties_all(carts):
    visitor = WireVisitor(carts.port + 4)
    cart.put(visitor, "pear")
    assert carts.press("/console/reset/", lab="all", confirmed="1") == 302
    assert cart.cart(visitor) == {}
    assert [carts.state(number) for number in ("03", "04")] == ["running", "running"]
    assert carts.press("/console/reset/", lab="05") == 404
