"""A cluster of three MariaDB nodes: every node stores all sessions, and one may be killed."""

import contextlib
import dataclasses
import os
import re
import signal
import tempfile
import threading
from pathlib import Path

import pytest
from adding import Adder, add_all
from serving import descendants, running, until

from labkit.clusters import galera
from labkit.clusters.galera import SUSPECT, Cluster
from labkit.clusters.galera_child import NODE_DIED
from labkit.commands.run import DB_IGNORED
from labkit.processes.start import NotInstalled, StartCancelled
from labkit.services import requirements
from labkit.testing.contracts import CartPages, table, text
from labkit.testing.fixtures import skip_or_fail
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
VISITORS, ADDS = 5, 12  # the number of concurrent visitors, and the adds of each
STARTED = 120  # how many seconds to wait until three nodes have started
pytestmark = [pytest.mark.mysql, pytest.mark.galera]


@pytest.fixture(scope="module", autouse=True)
def _installed():
    try:
        Cluster.check_installed()
    except NotInstalled as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="module")
def folder():
    """A temporary folder that other users can enter, unlike the ones that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o1777)  # as the usual one
        yield Path(name)


@contextlib.contextmanager
def lab_on_cluster(folder, state, end):
    """Run lab 10 on two servers and three nodes; check that nothing is left after this signal."""
    environ = {"LAB_STATE_DIR": str(state), "DATABASE_URL": "", "TMPDIR": str(folder)}
    before = {*folder.glob("labkit-*/haproxy.cfg")}
    arguments = ["10", "--db", "galera", "--servers", "2"]
    with running(*arguments, environ=environ, end=end, limit=STARTED) as lab:
        assert sum("mariadbd" in args for args in descendants(lab.pid).values()) == 3
        assert sum("haproxy" in args for args in descendants(lab.pid).values()) == 1
        (own,) = {*folder.glob("labkit-*/haproxy.cfg")} - before
        yield lab
    # At its end, running() has checked that all processes have ended.
    assert not own.exists()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, folder, _installed):
    """Lab 10 on three nodes, which SIGTERM ends. A node that a test kills is restarted."""
    with lab_on_cluster(folder, tmp_path_factory.mktemp("state"), signal.SIGTERM) as lab:
        yield lab


def nodes(lab):
    """Return {number: process ID} of the nodes, from the latest output."""
    told = re.findall(r"Node (\d) of 3 runs: process (\d+)\. To kill it", lab.said())
    return {number: int(pid) for number, pid in told}


def node(page):
    """Return the number of the node that a page names, or None if it names none."""
    found = re.search(r"Node (\d) of 3\.", text(page))
    return found and found[1]


def test_each_page_says_which_node_was_asked_and_all_are_by_turns(lab):
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "apple")
    asked = [node(visitor.get("/display/")) for _ in range(9)]
    assert {*asked} == {"1", "2", "3"}


def test_a_page_for_which_no_node_was_asked_names_none(lab):
    page = WireVisitor(lab.port).get("/")
    assert 'data-request="GET /" data-status="200"' in text(page)
    assert node(page) is None


def test_every_node_has_what_any_of_them_has_acknowledged(lab):
    visitor = WireVisitor(lab.port)
    put = {}
    for number in range(12):
        cart.put(visitor, f"item {number}")
        put[f"item {number}"] = 1
        assert cart.cart(visitor) == put


def test_a_node_is_killed_and_nothing_acknowledged_is_lost(lab):
    before = nodes(lab)
    adders = [Adder(lab.port) for _ in range(VISITORS)]
    add_all(adders, ADDS, lambda: os.kill(before["2"], signal.SIGKILL))
    # The other nodes have continued with all data, so the dead node is not needed.
    assert {len(adder.kept) for adder in adders} == {ADDS}
    until(lambda: nodes(lab)["2"] != before["2"], STARTED)
    assert NODE_DIED.format(number=2) in lab.said()
    assert {number: nodes(lab)[number] for number in "13"} == {n: before[n] for n in "13"}
    for adder in adders:
        assert all(shown == adder.kept for shown in adder.shown(3))


def test_a_node_that_comes_back_has_what_was_kept_meanwhile(lab):
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "before")
    before = nodes(lab)
    os.kill(before["3"], signal.SIGKILL)
    adder = Adder(lab.port)
    adder.client.jar = visitor.jar
    add_all([adder], 2, lambda: None)
    until(lambda: nodes(lab)["3"] != before["3"], STARTED)
    kept = {"before": 1, "item 0": 1, "item 1": 1}

    def asked():
        page = visitor.get("/display/")
        assert table(page) == kept
        return node(page)

    until(lambda: asked() == "3", STARTED)
    assert {asked() for _ in range(9)} == {"1", "2", "3"}


def test_killed_it_leaves_nothing_behind(folder, tmp_path):
    with lab_on_cluster(folder, tmp_path, signal.SIGKILL):
        pass


# The cluster by itself


@pytest.fixture(scope="module")
def cluster(_installed):
    cluster = Cluster.temporary()
    yield cluster
    cluster.stop()


def test_it_goes_on_without_a_node_after_the_time_that_it_was_told(cluster):
    cursor = cluster.nodes[0].connect().cursor()
    cursor.execute("SELECT @@wsrep_provider_options")
    (options,) = cursor.fetchone()
    assert f"evs.suspect_timeout = PT{SUSPECT}S;" in options
    cursor.connection.close()


def names_at(node):
    """Return the rows of the table cart on this node, in order."""
    with contextlib.closing(node.connect("kept")) as connection:
        connection.query("SELECT name FROM cart ORDER BY name")
        return connection.store_result().fetch_row(0)


def test_the_others_give_a_dead_node_up_and_it_comes_back_to_what_was_written(cluster):
    cluster.url("kept")
    connection = cluster.nodes[0].connect("kept")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE cart (name VARCHAR(40) PRIMARY KEY)")
    cursor.execute("INSERT INTO cart VALUES ('pear')")
    connection.commit()
    # A node that is killed while it creates a table may lack the table after its restart.
    assert names_at(cluster.nodes[2]) == (("pear",),)
    assert cluster.nodes[0].status("wsrep_cluster_size") == "3"
    os.kill(cluster.nodes[2].pid, signal.SIGKILL)
    assert until(cluster.dead) == [cluster.nodes[2]]
    cursor.execute("INSERT INTO cart VALUES ('apple')")
    connection.commit()
    until(lambda: cluster.nodes[0].status("wsrep_cluster_size") == "2")
    connection.close()
    cluster.nodes[2].join()
    assert cluster.dead() == []
    assert cluster.nodes[2].status("wsrep_cluster_size") == "3"
    assert names_at(cluster.nodes[2]) == (("apple",), ("pear",))


def test_a_node_that_lags_behind_does_not_show_what_was_before(cluster):
    cluster.url("lagging")
    first = cluster.nodes[0].connect("lagging").cursor()
    first.execute("CREATE TABLE cart (name VARCHAR(40) PRIMARY KEY)")
    observer, locker, reader = (cluster.nodes[1].connect("lagging").cursor() for _ in range(3))
    reader.execute("SELECT * FROM cart")  # it has the table
    reader.connection.commit()
    observer.execute("SET SESSION wsrep_sync_wait = 0")
    # This keeps the node from applying the others' changes.
    locker.execute("FLUSH TABLES WITH READ LOCK")
    first.execute("INSERT INTO cart VALUES ('apple')")
    first.connection.commit()
    reading = threading.Thread(target=reader.execute, args=["SELECT name FROM cart"])
    reading.start()

    def asks():
        observer.execute(
            "SELECT info FROM information_schema.processlist WHERE info = 'SELECT name FROM cart'"
        )
        return observer.fetchall() or not reading.is_alive()

    until(asks)
    locker.execute("UNLOCK TABLES")
    reading.join()
    assert reader.fetchall() == (("apple",),)
    for cursor in (first, observer, locker, reader):
        cursor.connection.close()


def test_it_is_open_to_nobody_else_and_not_roots(cluster):
    assert cluster.home.stat().st_mode & 0o077 == 0
    assert cluster.dead() == []
    for each in cluster.nodes:
        assert os.stat(f"/proc/{each.pid}").st_uid != 0 or os.geteuid() != 0
        assert each.folder.owner() == (galera.USER if os.geteuid() == 0 else each.home.owner())


def used(folder):
    """Return the folders of nodes in this folder, and the IDs of processes that use them."""
    pids = {pid for pid, args in descendants(os.getpid()).items() if str(folder) in args}
    return {*folder.glob("labkit-*/1")}, pids


def test_told_to_end_while_it_starts_it_leaves_nothing(folder, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = used(folder)
    ending = threading.Event()
    real = galera.Node.join

    def join(self, *, first=False):
        if self.number == 2:
            ending.set()
        return real(self, first=first)

    monkeypatch.setattr(galera.Node, "join", join)
    with pytest.raises(StartCancelled):
        Cluster.temporary(ending).stop()
    assert used(folder) == before


# What is missing


def test_without_its_programs_it_is_one_sentence(said, own_checkout, monkeypatch):
    absent_need = dataclasses.replace(requirements.TOOLS["galera"], found=lambda: None)
    monkeypatch.setitem(requirements.TOOLS, "galera", absent_need)
    monkeypatch.setattr(requirements, "program", lambda *names: "apt" * ("apt-get" in names))
    monkeypatch.setattr(requirements, "missing_tools", lambda names: [absent_need.missing()])
    status, output = said("run", "10", "--db", "galera")
    assert status == 1
    assert output.endswith(f"Error: {absent_need.missing()}")
    assert "sudo apt-get install galera-4 rsync lsof haproxy" in output


@pytest.mark.parametrize("lacks", ["rsync", "haproxy"])
def test_each_of_its_programs_is_looked_for(monkeypatch, lacks):
    assert requirements.TOOLS["galera"].found() in requirements.GALERA
    real = requirements.program
    monkeypatch.setattr(
        requirements, "program", lambda *names: None if lacks in names else real(*names)
    )
    assert requirements.TOOLS["galera"].found() is None


def test_a_lab_that_keeps_nothing_there_starts_none():
    with running("03", "--db", "galera") as lab:
        pass
    assert DB_IGNORED.format(number="03") in lab.output
    assert "cluster" not in lab.output
