"""The lines of a lab's settings.py that are the same in every lab and are not its lesson."""

import os
import re
import secrets
import time
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from labkit.catalog import own_number, state_dir

# Without these a class of students sees "database is locked": readers no longer wait for the
# writer (WAL), a writer waits up to 20 s for the one before it, and a transaction takes the write
# lock when it begins, since one that first reads and then writes is refused without any waiting.
# https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def number(folder: Path) -> str:
    """The lab's number, which ends the names of its cookies: see `own_number`.

    A copy's tests ask for the cookies of the lab they were copied from. They have it run under that
    lab's number: the environment variable LAB_AS, which a lab with a number of its own does not
    heed.
    """
    own = own_number(folder)
    borrowed = os.environ.get("LAB_AS", "")
    takes = re.fullmatch("[0-9]{2}", borrowed) and not re.fullmatch("[0-9]{2}", own)
    return borrowed if takes else own


def secret_key(folder: Path) -> str:
    """This lab's SECRET_KEY: made at the first start, kept in its state folder with mode 0600.

    Raises ImproperlyConfigured where the file is there but stays empty.
    https://docs.djangoproject.com/en/5.2/ref/settings/#secret-key
    """
    path = state_dir(folder) / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        for _ in range(300):  # another process may be between making the file and writing it
            if key := path.read_text(encoding="ascii"):
                return key
            time.sleep(0.01)
        raise ImproperlyConfigured(f"{path} is empty. Delete it; a new key is made then.") from None
    with open(handle, "w", encoding="ascii") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key


def debug() -> bool:
    """On at a student's own desk; off in tests and where LAB_DEBUG=0 is set, as before a class."""
    return os.environ.get("LAB_DEBUG", "1") != "0"


def allowed_hosts() -> list[str]:
    """This machine by its loopback names, and the comma-separated hosts of LAB_HOSTS.

    https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
    """
    extra = os.environ.get("LAB_HOSTS", "")
    return [".localhost", "127.0.0.1", "[::1]", *filter(None, extra.split(","))]


def session_files(folder: Path) -> Path:
    """SESSION_FILE_PATH: where the engine `file` keeps sessions, .lab/NN/sessions, mode 0700.

    Django's own default is the system's temporary folder, which all labs would share. The
    environment variable LAB_SESSION_FOLDER names another one than "sessions": of several servers
    each has its own under `lab run --servers`, as on several machines.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-file-based-sessions
    """
    path = state_dir(folder) / os.environ.get("LAB_SESSION_FOLDER", "sessions")
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def caches(folder: Path) -> dict[str, dict[str, Any]]:
    """CACHES: the Redis that REDIS_URL names, else LocMem, the memory of the server's own process.

    In Redis all keys of a lab begin with lab_NN, so that nobody else's are touched. LocMem throws
    entries away when there are more than MAX_ENTRIES: Django's 300 would be a class of students.
    https://docs.djangoproject.com/en/5.2/ref/settings/#caches
    """
    if url := os.environ.get("REDIS_URL", ""):
        default: dict[str, Any] = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": f"lab_{number(folder)}",
        }
    else:
        default = {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    return {"default": default}


def databases(folder: Path) -> dict[str, dict[str, Any]]:
    """DATABASES: the one that DATABASE_URL names, else SQLite in this lab's state folder.

    A URL without a database name, such as mysql://teacher:secret@db.example/, gives each lab a
    database of its own, lab_03, lab_04 and so on.
    Raises ImproperlyConfigured where DATABASE_URL cannot be read.
    https://docs.djangoproject.com/en/5.2/ref/settings/#databases
    """
    url = os.environ.get("DATABASE_URL", "")
    if url:
        try:
            default: dict[str, Any] = dict(dj_database_url.parse(url))
        except ValueError:
            raise ImproperlyConfigured(
                "DATABASE_URL cannot be read. It looks like mysql://user:password@host:3306/name."
            ) from None
        default["NAME"] = default["NAME"] or f"lab_{number(folder)}"
    else:
        default = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": state_dir(folder) / "db.sqlite3",
        }
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default["OPTIONS"] = SQLITE_OPTIONS | default.get("OPTIONS", {})  # sqlite:///…?timeout=5
    return {"default": default}
