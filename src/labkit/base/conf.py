"""Helpers for the settings that are the same in every lab."""

import os
import re
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from labkit import environment
from labkit.base.foreign_database import has_foreign_tables
from labkit.catalog import database_name, own_number, state_dir
from labkit.kept_files import make_key, read_key
from labkit.text_format import command_line

# These options prevent the error "database is locked": with WAL, readers do not wait for the
# writer, a writer waits up to 20 s, and a transaction takes the write lock when it begins rather
# than at its first write.
# https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
SQLITE = "django.db.backends.sqlite3"
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def number(folder: Path) -> str:
    """Return the lab's number, which is part of its cookies' names; see `own_number`.

    Tests of a copy expect the original lab's cookies, so they set the environment variable LAB_AS
    to the original's number. A lab with its own number ignores the variable.
    """
    own, borrowed = own_number(folder), os.environ.get("LAB_AS", "")
    takes = re.fullmatch("[0-9]{2}", borrowed) and not re.fullmatch("[0-9]{2}", own)
    return borrowed if takes else own


def secret_key(folder: Path) -> str:
    """Return this lab's SECRET_KEY from a file with mode 0600, which the first start creates.

    Raises ImproperlyConfigured if the file is damaged or cannot be written.
    https://docs.djangoproject.com/en/5.2/ref/settings/#secret-key
    """
    path = state_dir(folder) / "secret_key"
    if not path.exists():
        try:
            make_key(path)
        except OSError as error:
            raise ImproperlyConfigured(f"{path} cannot be written: {error.strerror}.") from None
    if (key := read_key(path)) is None:
        raise ImproperlyConfigured(_damaged(path, folder, "contains no secret key"))
    return key


def _damaged(path: Path, folder: Path, what: str) -> str:
    number = own_number(folder)
    name = number if re.fullmatch("[0-9]{2}", number) else folder
    return f"{path} {what}. To repair it: {command_line('lab', 'reset', str(name))}"


def debug() -> bool:
    """Return the setting DEBUG: True, or False if the environment variable LAB_DEBUG is 0."""
    return os.environ.get("LAB_DEBUG", "1") != "0"


def allowed_hosts() -> list[str]:
    """Return ALLOWED_HOSTS: loopback names, and the comma-separated hosts in LAB_HOSTS.

    https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
    """
    extra = os.environ.get("LAB_HOSTS", "")
    return [".localhost", "127.0.0.1", "[::1]", *filter(None, extra.split(","))]


def session_files(folder: Path) -> Path:
    """Return SESSION_FILE_PATH for the engine `file`: .lab/NN/sessions, with mode 0700.

    Without this setting, Django stores session files in the system's temporary folder, which all
    labs would share. The environment variable LAB_SESSION_FOLDER replaces the name "sessions". `lab
    run --servers` uses it to give each server its own folder, as on separate machines.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-file-based-sessions
    """
    path = state_dir(folder) / (os.environ.get("LAB_SESSION_FOLDER") or "sessions")
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ImproperlyConfigured(_damaged(path, folder, "is not a folder")) from None
    return path


def session_engine(default: str) -> str:
    """Return SESSION_ENGINE from the environment, or `default`.

    SESSION_ENGINE may be set for another project, so a value that is not one of Django's engines is
    ignored.
    https://docs.djangoproject.com/en/5.2/ref/settings/#session-engine
    """
    return environment.session_engine(default)


def caches(folder: Path) -> dict[str, dict[str, Any]]:
    """Return CACHES: Redis at REDIS_URL, or LocMem, which uses the memory of the server's process.

    In Redis, a lab's keys begin with lab_NN, which keeps them apart from other keys. LocMem keeps
    at most MAX_ENTRIES entries, because Django's default of 300 is too small for a class.
    https://docs.djangoproject.com/en/5.2/ref/settings/#caches
    """
    if url := environment.redis_url():
        backend, prefix = "django.core.cache.backends.redis.RedisCache", f"lab_{number(folder)}"
        return {"default": {"BACKEND": backend, "LOCATION": url, "KEY_PREFIX": prefix}}
    backend = "django.core.cache.backends.locmem.LocMemCache"
    return {"default": {"BACKEND": backend, "OPTIONS": {"MAX_ENTRIES": 10_000}}}


def databases(folder: Path) -> dict[str, dict[str, Any]]:
    """Return DATABASES: the database at DATABASE_URL, or SQLite in this lab's state folder.

    If the URL does not name a database, as in mysql://teacher:secret@db.example/, each lab has its
    own database: lab_03, lab_04 and so on. A relative path to an SQLite file is relative to this
    lab's state folder. In-memory SQLite is replaced with the default file, so that other processes
    can read it. Raises ImproperlyConfigured if DATABASE_URL is malformed.
    https://docs.djangoproject.com/en/5.2/ref/settings/#databases
    """
    default: dict[str, Any]
    sqlite_file = state_dir(folder) / "db.sqlite3"
    if url := environment.database_url():
        try:
            default = dict(dj_database_url.parse(url))
        except ValueError:
            raise ImproperlyConfigured(
                "DATABASE_URL is not valid. Example: mysql://user:password@host:3306/name"
            ) from None
        default["NAME"] = default["NAME"] or database_name(number(folder))
    else:
        default = {"ENGINE": SQLITE, "NAME": sqlite_file}
    if default["ENGINE"] == SQLITE:
        if default["NAME"] == ":memory:":
            default["NAME"] = sqlite_file
        if not Path(default["NAME"]).is_absolute():
            default["NAME"] = sqlite_file.with_name(Path(default["NAME"]).name)
        options = dict(SQLITE_OPTIONS)
        if url and has_foreign_tables(Path(default["NAME"])):
            del options["init_command"]  # switching to WAL would modify another project's file
        default["OPTIONS"] = options | default.get("OPTIONS", {})  # sqlite:///…?timeout=5
    return {"default": default}
