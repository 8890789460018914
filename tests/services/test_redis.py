"""Test the private Redis: a real server, isolated and temporary."""

import os

import pytest

from labkit.processes.start import NotInstalled
from labkit.services.redis import PrivateRedis
from labkit.services.requirements import TOOLS


@pytest.fixture
def client(redis):
    from redis import Redis

    with Redis.from_url(redis.url) as client:
        yield client


def test_it_listens_on_a_socket_and_on_no_port(redis, client):
    assert client.config_get("port") == {"port": "0"}
    assert client.config_get("unixsocket") == {"unixsocket": str(redis.socket)}
    assert redis.socket.parent.stat().st_mode & 0o077 == 0


def test_it_writes_nothing_to_the_disk(redis, client):
    client.set("a", "b")
    assert client.config_get("save") == {"save": ""}
    assert client.config_get("appendonly") == {"appendonly": "no"}
    assert {path.name for path in redis.folder.iterdir()} == {"socket", "server.log"}


def test_stopped_it_leaves_nothing(redis):
    another = PrivateRedis.temporary()
    assert another.url != redis.url
    pid = another.pid
    another.stop()
    assert not another.answers()
    assert not another.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert redis.answers()


def test_a_killed_server_comes_back_empty(redis):
    from redis import Redis

    another = PrivateRedis.temporary()
    with Redis.from_url(another.url) as client:
        client.set("a", "b")
        another.kill()
        assert not another.answers()
        another.start()
        assert client.dbsize() == 0
    another.stop()


def test_without_a_server_the_install_line_is_the_message(monkeypatch):
    monkeypatch.setattr(
        "labkit.services.requirements.program", lambda *names: "apt" * ("apt-get" in names)
    )
    assert TOOLS["redis-server"].missing().endswith(f": {TOOLS['redis-server'].lines['apt-get']}")


def test_what_is_missing_is_said_before_anything_is_started(monkeypatch):
    monkeypatch.setattr(
        "labkit.services.requirements.missing_tools", lambda names: [f"no {names[0]}"]
    )
    with pytest.raises(NotInstalled, match="no redis-py"):
        PrivateRedis.temporary()


def test_on_windows_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(NotInstalled, match=TOOLS["redis-server"].lines[""]):
        PrivateRedis.temporary()
