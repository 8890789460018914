"""Test the private MariaDB: a real server, isolated and temporary."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from serving import alive, until

from labkit.processes.start import NotInstalled
from labkit.services.mariadb import PrivateMariaDB
from labkit.services.requirements import TOOLS


def tables(server, database):
    with contextlib.closing(server.connect(database)) as connection:
        connection.query("SHOW TABLES")
        return connection.store_result().fetch_row(maxrows=0)


def test_it_listens_on_a_socket_and_on_no_port(mariadb):
    with contextlib.closing(mariadb.connect()) as connection:
        connection.query("SELECT @@skip_networking, @@port, @@socket")
        ((networking, _, socket),) = connection.store_result().fetch_row(maxrows=0)
    assert networking == 1
    assert socket == str(mariadb.socket)
    assert mariadb.socket.parent.stat().st_mode & 0o077 == 0


def test_its_url_makes_a_database_once(mariadb):
    assert mariadb.url("lab_99") == mariadb.url("lab_99")
    assert tables(mariadb, "lab_99") == ()


def test_a_killed_server_comes_back_with_its_data(mariadb):
    mariadb.url("lab_98")
    mariadb.kill()
    assert not mariadb.answers()
    mariadb.start()
    assert tables(mariadb, "lab_98") == ()


def test_a_persistent_server_lives_until_its_last_user_leaves(mariadb, tmp_path):
    first = PrivateMariaDB.persistent(tmp_path)
    first.url("lab_04")
    second = PrivateMariaDB.persistent(tmp_path)
    first.stop()
    assert second.answers()
    second.stop()
    assert not second.answers()
    third = PrivateMariaDB.persistent(tmp_path)
    assert tables(third, "lab_04") == ()
    third.stop()


def test_a_persistent_server_outlives_a_crash_of_its_users_and_is_found_again(mariadb, tmp_path):
    code = (
        "import os, pathlib, sys; from labkit.services.mariadb import PrivateMariaDB\n"
        "PrivateMariaDB.persistent(pathlib.Path(sys.argv[1])); os._exit(9)"
    )
    crashed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert crashed.returncode == 9
    heir = PrivateMariaDB.persistent(tmp_path)
    assert heir.pid is None  # another process started it
    heir.stop()
    assert not heir.answers()


def test_one_who_joined_revives_the_server_of_another(mariadb, tmp_path):
    starter = PrivateMariaDB.persistent(tmp_path)
    joined = PrivateMariaDB.persistent(tmp_path)
    joined.url("lab_04")
    starter.kill()
    joined.revive()
    assert tables(joined, "lab_04") == ()
    starter.stop()  # the server keeps running, because other programs still use it
    assert joined.answers()
    joined.stop()
    assert not joined.answers()


STARTER = (
    "import sys; from labkit.services.mariadb import PrivateMariaDB\n"
    "server = PrivateMariaDB.temporary(); print(server.pid, server.folder, flush=True)\n"
    "sys.stdin.read()"
)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_test_run_leaves_no_server(mariadb, end):
    command = [sys.executable, "-c", STARTER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        pid, folder = run.stdout.readline().decode().split()
        assert alive([int(pid)])
        run.send_signal(end)
    until(lambda: not alive([int(pid)]) and not os.path.exists(os.path.dirname(folder)))


def test_a_copy_that_failed_leaves_no_data_folder(mariadb, tmp_path, monkeypatch):
    def no_room(source, target):
        target.mkdir()
        raise OSError("no space left on device")

    monkeypatch.setattr(shutil, "copytree", no_room)
    with pytest.raises(OSError, match="no space"):
        PrivateMariaDB.persistent(tmp_path)
    assert not (tmp_path / "data").exists()


def test_on_windows_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(NotInstalled, match=TOOLS["mariadb"].lines[""]):
        PrivateMariaDB.persistent(tmp_path)


def test_one_who_joins_while_another_leaves_keeps_the_server(mariadb, tmp_path, monkeypatch):
    first = PrivateMariaDB.persistent(tmp_path)
    joined = []
    joining = threading.Thread(target=lambda: joined.append(PrivateMariaDB.persistent(tmp_path)))
    kill = os.kill

    def kill_while_another_joins(pid, number):
        if joining.ident is None:
            joining.start()
            joining.join(0.2)
        kill(pid, number)

    monkeypatch.setattr(os, "kill", kill_while_another_joins)
    first.stop()
    joining.join()
    assert joined[0].answers()
    joined[0].stop()


def test_without_a_server_the_install_line_is_the_message(monkeypatch):
    monkeypatch.setattr(
        "labkit.services.requirements.program", lambda *names: "apt" * ("apt-get" in names)
    )
    assert TOOLS["mariadb"].missing().endswith(f": {TOOLS['mariadb'].lines['apt-get']}")
