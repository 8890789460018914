"""Test one lab on two servers: the effect of each engine, and of killing a server."""

import asyncio
import copy
import os
import re
import signal
import socket

import pytest
from adding import Adder, add_all
from serving import closed, descendants, reachable, running, until

from labkit.base import error_pages
from labkit.commands.run import LOCMEM_PER_SERVER, OWN_SESSION_FOLDERS, TAKE_TURNS
from labkit.http.client import BrowserClient
from labkit.processes.ports import PortError, free_port
from labkit.services.database_choice import DatabaseKind
from labkit.testing.contracts import CartPages, notices, number, table, text, words
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
APPLE, BOTH = {"apple": 1}, {"apple": 1, "pear": 1}
VISITORS, ADDS = 6, 12  # the number of concurrent visitors, and the adds of each

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("own_checkout")]


def two(number="10", engine="db", **options):
    """`lab run NN --servers 2`. The first request goes to server A."""
    return running(number, "--servers", "2", "--engine", engine, **options)


def servers(lab):
    """Return {letter: (process ID, port)} of the servers, from the latest output."""
    told = re.findall(r"Server ([A-D]) is process (\d+)\. Its own URL is\s+\S+:(\d+)/", lab.said())
    return {letter: (int(pid), int(port)) for letter, pid, port in told}


def letter(response):
    """Return the server that a page names."""
    return re.search(r"Server ([A-D]) of 2\.", text(response))[1]


def panel_of(response):
    """Return the URL of the panel's page about this response's exchange."""
    return re.search(r'"(/__lab__/exchange/[^"]+)"', text(response))[1]


def seen(visitor):
    """Return the cart on four successive pages."""
    return [cart.cart(visitor) for _ in range(4)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Yield a lab on two servers, for tests that do not kill a server."""
    state = {"LAB_STATE_DIR": str(tmp_path_factory.mktemp("state"))}
    with two(environ=state | {"DATABASE_URL": "", "REDIS_URL": ""}) as lab:
        yield lab


def test_each_page_comes_from_the_other_server_and_says_so(lab):
    pages = [WireVisitor(lab.port).get("/") for _ in range(4)]
    assert "".join(letter(page) for page in pages) in {"ABAB", "BABA"}


def test_the_panel_opens_whichever_server_has_answered(lab):
    visitor = WireVisitor(lab.port)
    for wanted in "ABBA":
        page = visitor.get("/")
        if letter(page) != wanted:
            page = visitor.get("/")
        panel = words(visitor.get(panel_of(page)))
        assert f"Server {wanted} of 2. GET /" in panel


def test_a_page_does_not_tell_of_a_redirect_that_led_to_another_servers(lab):
    visitor = WireVisitor(lab.port)
    # The first request redirects to the URL that the third one requests. Both reach the same
    # server.
    answers = [visitor.get(path) for path in ("/add", "/", "/add/")]
    assert [answer.status_code for answer in answers] == [301, 200, 200]
    assert letter(answers[2]) != letter(answers[1])
    assert text(answers[2]).count("data-request=") == 1
    assert 'data-request="GET /add/" data-status="200"' in text(answers[2])


def test_behind_the_front_nobody_is_at_the_desk(lab):
    visitor = WireVisitor(lab.port)
    panel = text(visitor.get(panel_of(visitor.get("/"))))
    assert "For the instructor" not in panel
    assert "Move the server's clock" not in panel
    assert visitor.get("/__lab__/").status_code == 404
    assert visitor.get("/__lab__/exchanges.json").status_code == 404
    _, port = servers(lab)["A"]
    assert WireVisitor(port).get("/__lab__/").status_code == 200  # with nothing in between


def test_the_servers_run_as_before_a_class(lab):
    page = WireVisitor(lab.port).get("/nowhere/")
    # This is not the debug page with Django's URL patterns.
    assert error_pages.NO_PAGE in words(page)
    assert not any("runserver" in args for args in descendants(lab.pid).values())
    assert TAKE_TURNS in lab.said()


# Tests of the effect of each engine


def holds(lab):
    """Check that data stored by either server are visible on both immediately."""
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "apple")
    assert seen(visitor) == [APPLE] * 4
    visitor.get("/")  # after this request, it is the other server's turn to store the pear
    cart.put(visitor, "pear")
    assert seen(visitor) == [BOTH] * 4


def test_in_a_cookie_it_holds():
    with two(engine="signed_cookies") as lab:
        holds(lab)


IN_ONE_STORE = [
    pytest.param("db", "", id="in a table"),
    pytest.param("db", "mariadb", marks=pytest.mark.mysql, id="in MariaDB"),
    pytest.param("cache", "redis", marks=pytest.mark.redis, id="cache in Redis"),
    pytest.param("cached_db", "redis", marks=pytest.mark.redis, id="cached_db with Redis"),
]


@pytest.mark.parametrize(("engine", "server"), IN_ONE_STORE)
def test_in_one_store_it_holds_and_outlives_a_server(engine, server, request):
    environ = {}
    if server == "mariadb":
        environ["DATABASE_URL"] = request.getfixturevalue(server).url("lab_two_servers")
    elif server == "redis":
        environ["REDIS_URL"] = request.getfixturevalue(server).url
    with two(engine=engine, environ=environ) as lab:
        holds(lab)
        nothing_acknowledged_is_lost(lab)
    assert "Server A died (ended by SIGKILL)" in " ".join(lab.output.split())


def forgotten_at_once(lab):
    """Check that a server does not find the other server's session, and deletes its cookie."""
    visitor = WireVisitor(lab.port)
    for name in BOTH:
        cart.put(visitor, name)
        assert visitor.jar.get("sessionid_10") is not None
        page = visitor.get("/display/")
        assert notices(page)
        assert table(page) == {}
        assert visitor.jar.get("sessionid_10") is None
        assert seen(visitor) == [{}] * 4


def test_in_the_memory_of_each_process_it_is_forgotten_at_once():
    with two(engine="cache") as lab:
        forgotten_at_once(lab)
    assert LOCMEM_PER_SERVER in lab.output


def test_a_count_in_the_memory_of_each_process_stays_at_one():
    with two("06", engine="cache") as lab:
        visitor = WireVisitor(lab.port)
        assert [number(visitor.get("/")) for _ in range(4)] == [1, 1, 1, 1]


def test_in_two_folders_of_files_it_is_forgotten_at_once(own_checkout):
    with two(engine="file") as lab:
        forgotten_at_once(lab)
    for name in ("sessions-A", "sessions-B"):
        folder = own_checkout / ".lab" / "10" / name
        assert len(list(folder.iterdir())) == 1
        assert folder.stat().st_mode & 0o077 == 0
    folders = "sessions-A, sessions-B"
    assert OWN_SESSION_FOLDERS.format(number="10", folders=folders) in lab.output


def test_in_one_folder_of_files_it_holds(own_checkout):
    with two(engine="file", environ={"LAB_SESSION_FOLDER": "sessions"}) as lab:
        holds(lab)
    assert len(list((own_checkout / ".lab" / "10" / "sessions").iterdir())) == 1
    assert not (own_checkout / ".lab" / "10" / "sessions-A").exists()


def test_reset_empties_the_folders_of_all_servers(own_checkout, said):
    with two(engine="file") as lab:
        cart.put(WireVisitor(lab.port), "apple")
    state = own_checkout / ".lab" / "10"
    assert len(list(state.glob("sessions-*/*"))) == 1
    assert "session files" in said("reset", "10")[1]
    assert list(state.glob("sessions-*/*")) == []


def test_with_a_copy_in_the_memory_of_each_process_one_of_them_shows_an_old_cart():
    with two(engine="cached_db") as lab:
        visitor = WireVisitor(lab.port)
        cart.put(visitor, "apple")  # server B stores the apple; the form came from A
        assert cart.cart(visitor) == APPLE  # server A reads the table, and keeps a copy
        cart.put(visitor, "pear")  # server A stores the pear; B does not read the table again
        assert seen(visitor) == [APPLE, BOTH, APPLE, BOTH]


# One of them dies


def nothing_acknowledged_is_lost(lab):
    """Kill server A while visitors add items; they continue on B, and A is restarted."""
    before = servers(lab)
    adders = [Adder(lab.port) for _ in range(VISITORS)]
    add_all(adders, ADDS, lambda: os.kill(before["A"][0], signal.SIGKILL))
    # For each visitor, it is unknown whether the form being sent was processed. The same may hold
    # for the next form, since a killed process may accept connections for a moment after its old
    # ones are closed.
    assert {adder.unknown for adder in adders} <= {0, 1, 2}
    assert {adder.refused for adder in adders} == {0}
    until(lambda: servers(lab)["A"][0] != before["A"][0])
    assert servers(lab)["B"] == before["B"]
    for adder in adders:
        assert all(adder.kept <= shown for shown in adder.shown(2))


def test_with_memory_of_their_own_just_the_dead_servers_half_is_lost():
    with two(engine="cache") as lab:
        adders = [Adder(lab.port) for _ in range(VISITORS)]
        onlooker = WireVisitor(lab.port)
        for adder in adders:
            asyncio.run(adder.add("apple"))
            # After this request, the next visitor's form goes to the other server.
            onlooker.get("/")
        before = servers(lab)
        # A form that server A showed is sent to server B.
        halves = {"A": adders[1::2], "B": adders[0::2]}
        assert {name: known(lab, name, adders) for name in "AB"} == halves
        os.kill(before["A"][0], signal.SIGKILL)
        for _ in range(4):
            assert onlooker.get("/").status_code == 200
        until(lambda: servers(lab)["A"][0] != before["A"][0])
        assert known(lab, "A", adders) == []
        assert known(lab, "B", adders) == halves["B"]


def known(lab, name, adders):
    """Request this server directly, and return the visitors whose carts it has."""
    _, port = servers(lab)[name]
    clients = [BrowserClient(port, jar=copy.deepcopy(adder.client.jar)) for adder in adders]
    pages = [asyncio.run(client.get("/display/")).body for client in clients]
    return [adder for adder, page in zip(adders, pages, strict=True) if ">apple<" in page]


# Tests of how the pool starts and ends


ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_whatever_ends_it_no_server_stays_behind(end):
    with two("06", end=end) as lab:
        ports = [lab.port, *(port for _, port in servers(lab).values())]
        assert len(ports) == 3
        assert all(reachable(port) for port in ports)
    # At its end, running() has checked that all of its processes have ended. `lab run` itself waits
    # for this, unless it was killed.
    if end == signal.SIGKILL:
        closed(*ports)
    assert not any(reachable(port) for port in ports)
    ends = {signal.SIGINT: 0, signal.SIGTERM: 128 + end, signal.SIGHUP: 128 + end}
    assert lab.returncode == ends.get(end, -end)
    assert "Traceback" not in lab.output


@pytest.mark.usefixtures("mariadb")
def test_a_private_mariadb_serves_both_and_ends_with_them():
    with running("06", "--servers", "2", "--db", "mysql", end=signal.SIGTERM) as lab:
        assert any("mariadbd" in args for args in descendants(lab.pid).values())
        visitor = WireVisitor(lab.port)
        assert [number(visitor.get("/")) for _ in range(4)] == [1, 2, 3, 4]
    assert DatabaseKind.MARIADB.value in lab.output


def test_a_busy_port_is_one_sentence(said):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output = said("run", "10", "--servers", "2", "--port", str(port))
    assert status == 1
    assert output.startswith(f"Error: {PortError(port, privileged=False)}")


@pytest.mark.parametrize("count", ["0", "5", "many"])
def test_a_number_of_servers_that_cannot_be_is_one_sentence(said, count):
    status, output = said("run", "10", "--servers", count)
    assert status == 2
    assert "--servers" in output


def test_a_mistake_in_the_lab_is_one_sentence(own_checkout, said):
    views = own_checkout / "labs" / "03_cookie_cart" / "lab" / "views.py"
    views.write_text("def index(request:\n")
    status, output = said("run", "03", "--servers", "2", "--port", str(free_port()))
    assert status == 1
    assert "Error: " in output
    assert "SyntaxError:" in output
    assert "Traceback" not in output


def test_four_servers_take_turns_and_cookies_do_not_mind():
    with running("03", "--servers", "4") as lab:
        visitor = WireVisitor(lab.port)
        cart.put(visitor, "apple")
        assert seen(visitor) == [APPLE] * 4
        assert {*servers(lab)} == {*"ABCD"}
