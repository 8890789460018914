"""The textbook versions that the console starts, with small child processes as servers."""

import os
import signal
import sys

import pytest
from serving import alive, until

from labkit.catalog import CatalogError
from labkit.processes.ports import LOOPBACK
from labkit.serve import worker
from labkit.serve.version_servers import MOST, VersionServers
from labkit.textbook_versions import all_versions, find_version

NAME = "03:names-as-cookies"
# A child process that records its environment, and runs until its pipe is closed, or fails.
CHILD = """\
import json, os, sys
json.dump(dict(os.environ), open("environ.json", "w"))
os.path.exists(os.environ["BROKEN"]) and sys.exit("no such module")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def commands(monkeypatch):
    """Return a list that receives (port, addresses) at each start."""
    started = []

    def command(port, addresses):
        started.append((port, addresses))
        return [sys.executable, "-c", CHILD]

    monkeypatch.setattr(worker, "command", command)
    return started


@pytest.fixture
def servers(checkout, tmp_path, monkeypatch, commands, fork_server):
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    environ = {"DATABASE_URL": "mysql://db.example/", "LAB_HOSTS": "192.0.2.1"}
    environ["BROKEN"] = str(tmp_path / "broken")
    found = VersionServers(
        checkout, os.environ | environ, lambda process, sentence: None, fork_server
    )
    yield found
    found.stop_all()
    assert found.all == []


@pytest.fixture
def version(checkout):
    return find_version(checkout, NAME)


def test_a_version_has_state_and_address_apart(servers, version, commands, tmp_path):
    process = servers.start(version).process
    [(port, addresses)] = commands
    assert addresses == [LOOPBACK]
    assert process.url == f"http://names-as-cookies.localhost:{port}/"
    state = tmp_path / "textbook" / "03-names-as-cookies"
    assert process.log == state / "03" / "server.log"
    environ = (state / "03_cookie_cart" / "environ.json").read_text()
    assert "192.0.2.1" not in environ
    assert "db.example" not in environ
    assert str(state) in environ


def test_a_version_that_dies_is_restarted(servers, version):
    process = servers.start(version).process
    before = process.pid
    os.kill(before, signal.SIGKILL)
    until(lambda: process.stable.is_set() and process.pid not in {None, before})
    assert process.state == "running"


def test_a_version_that_runs_is_not_started_twice(servers, version, commands):
    assert servers.start(version) is servers.start(version)
    assert len(commands) == 1


def test_a_version_that_failed_can_be_started(servers, version, commands, tmp_path):
    broken = tmp_path / "broken"
    broken.touch()
    assert servers.start(version).process.state == "failed"
    broken.unlink()
    assert servers.start(version).process.state == "running"
    assert servers.find(NAME).process.state == "running"
    assert len(commands) == 2


def test_only_so_many_run_at_once(servers, checkout):
    startable = [version for version in all_versions(checkout) if version.starts]
    for version in startable[:MOST]:
        servers.start(version)
    with pytest.raises(CatalogError):
        servers.start(startable[MOST])
    servers.stop(startable[0].full_name)
    assert servers.start(startable[MOST]).process.state == "running"


def test_all_end_with_the_console(servers, checkout):
    startable = [version for version in all_versions(checkout) if version.starts]
    pids = [servers.start(version).process.pid for version in startable[:2]]
    servers.stop_all()
    assert not alive(pids)


def test_a_version_that_cannot_start_is_refused(servers, checkout, commands):
    with pytest.raises(CatalogError):
        servers.start(next(v for v in all_versions(checkout) if not v.starts))
    assert commands == []
