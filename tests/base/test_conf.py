"""Test the settings that all labs share."""

import os
import re
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from labkit.base import conf
from labkit.catalog import state_dir
from labkit.environment import SHARED


@pytest.fixture(autouse=True)
def _own_state(monkeypatch):
    unset = {"LAB_STATE_DIR", "LAB_DEBUG", "LAB_HOSTS", *SHARED} - {"DJANGO_SETTINGS_MODULE"}
    for name in unset:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lab(tmp_path):
    folder = tmp_path / "labs" / "04_session_cart"
    folder.mkdir(parents=True)
    (tmp_path / "labs" / "labs.toml").touch()
    return folder


@pytest.mark.parametrize(
    ("folder", "number"),
    [
        ("03_cookie_cart", "03"),
        ("11_session_login", "11"),
        ("mine", "mine"),
        ("my-cart", "my-cart"),
        ("a_b", "ab-28cb39ea"),
    ],
)
def test_a_lab_is_numbered_by_its_folder(lab, folder, number):
    assert conf.number(lab.parents[1] / folder) == number


COPIES = (
    "a-b a_b a.b ab a;b ab_ _ab a__b A_B 03-x 03.x 0 mine mine-2 mine_2 x ä_x ä खाता कार्ट ०३_x ;"
)
TWO_PLACES = ("monday/mine", "tuesday/mine", "a b", "labs/x")


def test_no_two_copies_share_a_number(lab):
    names = [*COPIES.split(), *TWO_PLACES, "x" * 200, "x" * 201]
    numbers = [conf.number(lab.parents[1] / name) for name in names]
    assert len({*numbers, "03", "04"}) == len(names) + 2
    # A lab's number in a cookie's name is between underscores, so it is never part of another
    # number.
    assert all(re.fullmatch("[A-Za-z0-9-]{1,49}", number) for number in numbers)


def test_a_lab_writes_beside_labs_and_never_into_its_folder(lab, tmp_path):
    assert state_dir(lab) == tmp_path / ".lab" / "04"


def test_a_copy_elsewhere_writes_beside_itself(tmp_path):
    folder = tmp_path / "mine"
    assert state_dir(folder) == tmp_path / ".lab" / conf.number(folder)


def test_the_state_folder_can_be_named(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "elsewhere"))
    assert state_dir(lab) == tmp_path / "elsewhere" / "04"


def test_a_key_is_made_once_and_for_its_owner_alone(lab, tmp_path):
    key = conf.secret_key(lab)
    assert len(key) > 50
    assert conf.secret_key(lab) == key
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / ".lab" / "04" / "secret_key").stat().st_mode) == 0o600


def test_two_labs_have_two_keys(lab):
    assert conf.secret_key(lab) != conf.secret_key(lab.with_name("03_cookie_cart"))


def test_several_processes_that_start_at_once_have_one_key(lab):
    code = (
        "import sys, pathlib, labkit.base.conf as c; print(c.secret_key(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(lab)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    keys = {process.communicate()[0] for process in started}
    assert len(keys) == 1
    assert len(keys.pop()) > 50


def test_debug_is_on_at_ones_own_desk_alone(monkeypatch):
    assert conf.debug()
    monkeypatch.setenv("LAB_DEBUG", "0")
    assert not conf.debug()


def test_only_this_machine_is_a_host_unless_told(monkeypatch):
    assert conf.allowed_hosts() == [".localhost", "127.0.0.1", "[::1]"]
    monkeypatch.setenv("LAB_HOSTS", "10.0.0.7,lab.example")
    assert conf.allowed_hosts()[3:] == ["10.0.0.7", "lab.example"]


def test_a_cache_is_local_memory_with_room_for_a_class(lab):
    cache = conf.caches(lab)["default"]
    assert cache["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache"
    assert cache["OPTIONS"]["MAX_ENTRIES"] >= 10_000  # Django's default is 300


def test_a_url_names_a_redis_in_which_each_lab_has_keys_of_its_own(lab, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/0")
    cache = conf.caches(lab)["default"]
    assert cache["BACKEND"] == "django.core.cache.backends.redis.RedisCache"
    assert cache["LOCATION"] == "redis://cache.example:6379/0"
    assert cache["KEY_PREFIX"] == "lab_04"


def test_sqlite_waits_instead_of_failing(lab, tmp_path):
    database = conf.databases(lab)["default"]
    assert database["NAME"] == tmp_path / ".lab" / "04" / "db.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "WAL" in database["OPTIONS"]["init_command"]


def test_a_url_names_the_database(lab, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://anu:p%40ss@db.example:3307/cart")
    database = conf.databases(lab)["default"]
    assert database["ENGINE"] == "django.db.backends.mysql"
    assert (database["USER"], database["PASSWORD"]) == ("anu", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 3307, "cart")
    assert database["CONN_MAX_AGE"] == 0


def test_a_url_without_a_name_gives_each_lab_its_own(lab, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://anu@db.example/")
    assert conf.databases(lab)["default"]["NAME"] == "lab_04"


@pytest.mark.parametrize("url", ["", " ", "sqlite://", "sqlite://:memory:"])
def test_a_blank_url_and_memory_mean_the_usual_file(lab, tmp_path, monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    assert conf.databases(lab)["default"]["NAME"] == tmp_path / ".lab" / "04" / "db.sqlite3"


@pytest.mark.parametrize("path", ["db.sqlite3", "data/db.sqlite3", "../db.sqlite3"])
def test_a_relative_file_is_in_the_state_folder(lab, tmp_path, monkeypatch, path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    assert conf.databases(lab)["default"]["NAME"] == tmp_path / ".lab" / "04" / "db.sqlite3"


DB, FILE = (f"django.contrib.sessions.backends.{engine}" for engine in ("db", "file"))


@pytest.mark.parametrize(
    ("named", "engine"), [(None, DB), ("", DB), (" ", DB), ("shop.sessions", DB), (FILE, FILE)]
)
def test_only_an_engine_of_django_counts(monkeypatch, named, engine):
    if named is not None:
        monkeypatch.setenv("SESSION_ENGINE", named)
    assert conf.session_engine(DB) == engine


@pytest.mark.parametrize("url", ["nonsense", "db://x/y", "mysql://host:99999999/x"])
def test_a_url_that_cannot_be_read_is_one_sentence(lab, monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="mysql://"):
        conf.databases(lab)
