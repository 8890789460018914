"""Test which data are lost when a Redis server is killed and its replica takes over."""

import os
import re
import signal
import threading

import pytest
from adding import Adder, add_all
from serving import descendants, running, until

from labkit.clusters.redis_child import PRIMARY, PRIMARY_DIED, REPLICA, RUNS_AS
from labkit.clusters.redis_failover import Member, RedisPair
from labkit.commands.run import NO_CACHE, REDIS_IGNORED
from labkit.processes.ports import LOOPBACK, free_port
from labkit.processes.start import StartCancelled
from labkit.testing.contracts import CartPages, words
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
VISITORS, ADDS = 5, 12  # the number of concurrent visitors, and the adds of each
pytestmark = [
    pytest.mark.redis,
    pytest.mark.usefixtures("redis"),
]  # the fixture `redis` skips these tests if Redis is missing


@pytest.fixture
def pair():
    pair = RedisPair.temporary()
    yield pair
    pair.stop()


def whoever_is_primary(pair):
    """A client that is connected to the current primary."""
    from redis import Redis

    return Redis.from_url(pair.url)


def cut_off(execute):
    """Disconnect a replica from its primary; it keeps the data that it has received."""
    execute("REPLICAOF", LOOPBACK, str(free_port()))


def heard(execute):
    """Wait until the replica has received all data from the primary.

    Redis's WAIT applies only to writes on the same connection.
    """
    all_of_it = execute("INFO", "replication")["master_repl_offset"]
    until(lambda: execute("INFO", "replication")["slave0"]["offset"] >= all_of_it)


def test_the_replica_has_what_the_primary_has_at_its_start_and_later(pair):
    with whoever_is_primary(pair) as client:
        client.set("a", "1")
        heard(pair.primary.execute)
        assert pair.replica.execute("GET", "a") == b"1"
        pair.replica.kill()
        client.set("b", "2")
        pair.revive_replica()
        assert pair.replica.execute("GET", "b") == b"2"


def test_what_the_replica_has_heard_is_kept_and_the_dead_one_comes_back_to_it(pair):
    first, second = pair.members
    with whoever_is_primary(pair) as client:
        client.set("a", "1")
        heard(pair.primary.execute)
        first.kill()
        pair.fail_over()
        assert (pair.primary, pair.replica) == (second, first)
        assert client.get("a") == b"1"  # at the same address
        client.set("b", "2")
        pair.revive_replica()
        assert [first.execute("GET", key) for key in "ab"] == [b"1", b"2"]
        second.kill()
        pair.fail_over()
        assert [client.get(key) for key in "ab"] == [b"1", b"2"]


def test_what_the_replica_had_not_heard_is_lost_and_nothing_else(pair):
    with whoever_is_primary(pair) as client:
        client.set("a", "1")
        heard(pair.primary.execute)
        cut_off(pair.replica.execute)
        assert client.set("b", "2")  # acknowledged
        pair.primary.kill()
        pair.fail_over()
        assert [client.get(key) for key in "ab"] == [b"1", None]


def test_it_listens_on_loopback_alone_and_leaves_nothing(pair):
    for member in pair.members:
        assert member.execute("CONFIG", "GET", "bind") == {b"bind": LOOPBACK.encode()}
    assert pair.home.stat().st_mode & 0o077 == 0
    pids = [member.pid for member in pair.members]
    pair.stop()
    assert not pair.home.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_told_to_end_while_it_starts_it_leaves_nothing(monkeypatch):
    ending, real, homes = threading.Event(), Member.start_as, []

    def start_as(self, primary):
        homes.append(self.folder.parent)
        if primary:
            ending.set()
        real(self, primary)

    monkeypatch.setattr(Member, "start_as", start_as)
    with pytest.raises(StartCancelled):
        RedisPair.temporary(ending).stop()
    assert len(homes) == 2
    assert not homes[0].exists()
    assert not any(str(homes[0]) in args for args in descendants(os.getpid()).values())


# Tests with lab 10 on two servers


@pytest.fixture(scope="module", params=["cache", "cached_db"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def lab(engine, tmp_path_factory):
    """Lab 10, in which tests kill the primary and then wait until it is back as the replica."""
    environ = {"LAB_STATE_DIR": str(tmp_path_factory.mktemp("state")), "DATABASE_URL": ""}
    arguments = ["--servers", "2", "--redis-pair", "--engine", engine]
    with running("10", *arguments, environ=environ) as lab:
        yield lab


def pid_of(lab, number):
    """Return the latest process ID of this server, once the lab has reported it."""
    lines = [re.escape(RUNS_AS.format(number=number, role=role)) for role in (PRIMARY, REPLICA)]
    found = until(lambda: re.findall(rf"(?:{'|'.join(lines)})\D+(\d+)", lab.said()))
    return int(found[-1])


def members(lab):
    """Return the numbers of the current primary and the current replica."""
    died = sum(lab.said().count(PRIMARY_DIED.format(dead=d, now=n)) for d, n in ((1, 2), (2, 1)))
    return (2, 1) if died % 2 else (1, 2)


def commands_to(lab):
    """Return functions that send commands to the current primary and to the current replica."""
    return [by_port(descendants(lab.pid)[pid_of(lab, number)]) for number in members(lab)]


def by_port(command):
    """Return a function that sends commands to the Redis server with this command line."""
    from redis import Redis

    port = int(re.search(rf"redis-server {LOOPBACK}:(\d+)", command)[1])

    def execute(*words):
        with Redis(port=port) as client:
            return client.execute_command(*words)

    return execute


def kill_primary(lab):
    """Kill the primary; return a function that waits until it is back as the replica."""
    dead, now = members(lab)
    before, seen = pid_of(lab, dead), lab.said().count(PRIMARY_DIED.format(dead=dead, now=now))
    os.kill(before, signal.SIGKILL)

    def wait():
        until(lambda: pid_of(lab, dead) != before)
        assert lab.said().count(PRIMARY_DIED.format(dead=dead, now=now)) == seen + 1
        assert members(lab) == (now, dead)

    return wait


def test_all_go_on_and_what_the_replica_has_heard_is_there(lab):
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "apple", 3)
    primary, _ = commands_to(lab)
    heard(primary)
    wait_for_a_replica = kill_primary(lab)
    wait_for_a_replica()
    assert [cart.cart(visitor) for _ in range(2)] == [{"apple": 3}] * 2


def test_killed_while_all_add_it_takes_with_it_at_most_what_was_under_way(lab, engine):
    adders = [Adder(lab.port) for _ in range(VISITORS)]
    primary, _ = commands_to(lab)
    waits = []

    def kill():
        heard(primary)  # on a busy machine, the replica may be seconds behind, so wait for it
        waits.append(kill_primary(lab))  # each visitor may have sent one request since the wait

    add_all(adders, ADDS, kill)
    assert {len(adder.kept) for adder in adders} == {ADDS}
    (wait_for_a_replica,) = waits
    wait_for_a_replica()
    for adder in adders:
        shown, again = adder.shown(2)
        assert shown == again
        missing = adder.kept - shown
        if engine == "cache":
            # If Django loads a session while Redis is down, the session is empty. If Django then
            # saves it after the failover, it gets a new key, and the old cart is lost.
            missing -= adder.before
        assert len(missing) <= 1  # only the last acknowledged item may be missing


def test_what_the_replica_had_not_heard_is_not_shown_any_more(lab, engine):
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "apple", 3)
    primary, replica = commands_to(lab)
    heard(primary)
    cut_off(replica)
    cart.put(visitor, "pear")
    assert cart.cart(visitor) == {"apple": 3, "pear": 1}
    wait_for_a_replica = kill_primary(lab)
    wait_for_a_replica()
    assert cart.cart(visitor) == {"apple": 3}
    # With cached_db, the row still contains the item until a visitor saves the old copy.
    assert ("'pear': 1" in words(visitor.get("/store/"))) == (engine == "cached_db")
    cart.put(visitor, "plum")
    assert cart.cart(visitor) == {"apple": 3, "plum": 1}
    assert "'pear'" not in words(visitor.get("/store/"))


def test_a_visitor_whom_the_replica_has_never_heard_of_begins_anew_with_cache_alone(lab, engine):
    visitor = WireVisitor(lab.port)
    _, replica = commands_to(lab)
    cut_off(replica)
    cart.put(visitor, "apple", 3)
    wait_for_a_replica = kill_primary(lab)
    wait_for_a_replica()
    # With cached_db, the server reads the row if the cache has no entry.
    assert cart.cart(visitor) == ({} if engine == "cache" else {"apple": 3})


@pytest.mark.usefixtures("own_checkout")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
def test_whatever_ends_it_nothing_stays_behind(end):
    with running("10", "--redis-pair", "--engine", "cache", end=end) as lab:
        started = [args for args in descendants(lab.pid).values() if "redis-server" in args]
        assert len(started) == 2
    # At its end, running() has checked that all processes have ended.


@pytest.mark.usefixtures("own_checkout")
def test_where_it_changes_nothing_it_says_so(started):
    printed, _ = started("04", "--redis-pair", "--engine", "cache")
    assert REDIS_IGNORED.format(number="04") in printed
    printed, environ = started("10", "--redis-pair")
    assert NO_CACHE in printed
    assert "REDIS_URL" not in environ
