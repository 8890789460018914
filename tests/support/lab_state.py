"""Use labs, reset them, and print a hash of each part of their state before and after.

`python lab_state.py` reads {lab folder: {"engines": [...], "url": DATABASE_URL or ""}} from stdin,
and prints {lab folder: {stage: {part: hash}}} as JSON. Each stage runs in a separate process, since
a process has only one settings module. Forking saves the time to import Django again.
"""

import gc
import hashlib
import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).parents[2]
SCRIPT = {"x-requested-with": "fetch"}
LOGIN = {"username": "ada", "password": "lovelace"}
FAST = {"delay": "0"}  # instead of the four seconds that a view of lab 12 takes by default


# These functions run in the process of one lab.


def hashes():
    """Return {part of the state: hash}."""
    parts = {"rows": _rows, "files": _files, "cache": _cache, "log": _log, "clock": _clock}
    parts["key"] = (_state() / "secret_key").read_text
    return {name: hashlib.sha256(repr(part()).encode()).hexdigest() for name, part in parts.items()}


def _state():
    from django.conf import settings

    from labkit.catalog import state_dir

    return state_dir(settings.FOLDER)


def _rows():
    """Return {table: rows}, without times and password hashes."""
    from django.conf import settings
    from django.db import connection

    if not settings.DATABASES.get("default", {}).get("NAME"):
        return {}
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            columns = [
                connection.ops.quote_name(each.name)
                for each in connection.introspection.get_table_description(cursor, table)
                if each.name != "password" and not _is_time(connection, each)
            ]
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


def _is_time(connection, column):
    return connection.introspection.get_field_type(column.type_code, column) == "DateTimeField"


def _files():
    """Return {path: content} of all files, except the key, the database and the log."""
    paths = [path for path in _state().rglob("*") if path.is_file()]
    own = ("secret_key", "db.sqlite3")
    return {str(p): p.read_bytes() for p in sorted(paths) if not p.name.startswith(own)}


def _cache():
    from django.core.cache import cache

    return sorted(getattr(cache, "_cache", {}).items())


def _log():
    """Return the exchanges, visitors and controls, except for the record of the reset."""
    from labkit.panel.exchange_log import log

    exchanges = [(each.number, each.path) for each in log.newest()]
    controls = [use.name for use in log.controls if use.name != "reset"]
    return exchanges, log.active_visitors(1e9), repr(log._numbers), controls


def _clock():
    from labkit.panel import server_clock

    return server_clock.moved()


def use(visitor):
    """Open the pages in the lab's header, press a button on each, and move the clock."""
    page = visitor.get("/")
    for path in _parse(page).xpath("//header//nav//a/@href"):
        if path.startswith("/__lab__/"):
            continue  # the panel's reading pages, which are slow and store nothing
        page = visitor.get(urljoin("/", path))
        for form in _parse(page).xpath("//main//form[not(@class='race')][.//button]")[:1]:
            fields = {name: value or _value(form, name) for name, value in form.fields.items()}
            data = fields | {name: FAST[name] for name in FAST.keys() & fields}
            button = form.xpath(".//button")[0]
            data |= {button.get("name"): button.get("value")} if button.get("name") else {}
            action = button.get("formaction") or form.get("action") or path
            if action.startswith("/") and not action.startswith("//"):  # a URL on this host
                visitor.post(action, data, follow=True)
    control(visitor, "clock", by="60")


def _value(form, name):
    number = form.inputs[name].get("type") == "number"
    return "3" if number else LOGIN.get(name, "apple")


def _parse(page):
    import lxml.html

    return lxml.html.document_fromstring(page.content)


def control(visitor, name, **fields):
    """Use one of the panel's controls, as the panel's script does."""
    from labkit.panel.instructor_controls import form_key

    url = f"/__lab__/exchange/none/{name}/"
    assert visitor.post(url, {"key": form_key(), **fields}, headers=SCRIPT).status_code == 200


def start():
    """Start the lab in the current folder, with a migrated database."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    if settings.DATABASES.get("default", {}).get("NAME") and not _is_migrated():
        call_command("migrate", verbosity=0)


def _is_migrated():
    from django.db import connection

    return "django_session" in connection.introspection.table_names()


def use_and_reset():
    """Return the hashes of the new lab, after its use, and after a reset in the panel."""
    from labkit.testing.visitor import Visitor

    start()
    visitor = Visitor(headers={"host": "127.0.0.1"})
    found = {"new": hashes()}
    use(visitor)
    found["used"] = hashes()
    control(visitor, "reset")
    return found | {"reset": hashes()}


def use_only():
    """Store something that `lab reset` must delete."""
    from labkit.testing.visitor import Visitor

    start()
    use(Visitor(headers={"host": "127.0.0.1"}))
    return {"used": hashes()}


def look():
    start()
    return {"reset": hashes()}


# These functions run in the parent process.


def in_child(folder, environ, work):
    """Run `work` in the lab in this folder, in a new process; return its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            os.chdir(folder)
            os.environ.update(environ)
            sys.path.insert(0, str(folder))
            with os.fdopen(writing, "w") as result:
                json.dump(work(), result)
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as result:
        text = result.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{folder} {environ}: failed")
    return json.loads(text)


def run(folder, engines, url):
    """Return {stage: hashes} of one lab: for each engine, and for `lab reset`.

    Before `lab reset`, the first and the last engine leave something.
    """
    from labkit.catalog import Catalog
    from labkit.services import lab_reset

    found = {}
    with tempfile.TemporaryDirectory(prefix="labkit-state-") as state:
        environ = {"LAB_STATE_DIR": state, "DATABASE_URL": url, "LAB_PANEL": "1"}
        environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
        settings = [environ | {"SESSION_ENGINE": engine} for engine in engines]
        for one in settings:
            name = one["SESSION_ENGINE"].rpartition(".")[2]
            stages = in_child(folder, one, use_and_reset)
            found |= {f"{name} {stage}": parts for stage, parts in stages.items()}
        for one in settings[:1] + settings[-1:]:
            found["left"] = in_child(folder, one, use_only)["used"]
        os.environ.update(environ)
        lab = Catalog(ROOT).find(Path(folder).name)
        lab_reset.reset(Catalog(ROOT), lab, named=bool(url))
        found["lab reset"] = in_child(folder, settings[0], look)["reset"]
    return found


def main():
    import lxml.html  # noqa: F401

    import labkit.testing.visitor  # noqa: F401
    from labkit.serve import preload

    for name in preload.MODULES.split():
        import_module(name)
    gc.freeze()  # otherwise, each copy of this process would copy most of its memory

    wanted = json.load(sys.stdin)
    json.dump({folder: run(folder, **how) for folder, how in wanted.items()}, sys.stdout)


if __name__ == "__main__":
    main()
