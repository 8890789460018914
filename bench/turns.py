"""Run a lab in a separate process, which requests batches of a page and returns their times.

Benchmarks send requests to several such processes alternately: with labkit, without its panel, and
without labkit. The benchmarks measure processor time, which does not depend on how busy the machine
is. The requests do not pass through a server.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
import types
from html import escape
from pathlib import Path
from typing import Any

import common

from labkit.catalog import Catalog, Lab
from labkit.serve.dispatcher import call_with_room

BATCH = 20  # requests
# The first requests of a batch are not counted: the other process has used the processor's caches.
WARM = 5
VISIT = 500  # the number of exchanges in a visit
KINDS = {
    "whole": "as it is",
    "quiet": "without the panel (LAB_PANEL=0)",
    "bare": "without labkit",
    "default": "without labkit, and with Django's own options for SQLite",
}
Forms = list[tuple[str, str, dict[str, str]]]


class Process:
    """A process for one lab; each needs its own state folder.

    forms: the forms to send first, so that the pages have content, as (page, action of its form,
    values).
    """

    def __init__(self, number: str, kind: str, state: str, forms: Forms) -> None:
        environ = common.environment(LAB_STATE_DIR=state)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(common.lab_folder(number)), kind],
            env=environ | {"LAB_PANEL": str(int(kind == "whole"))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(forms)
        # Readiness is checked later, so that several processes can start at the same time.
        self._ready = False

    def _tell(self, what: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(what)}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("a process ended early; its messages are above")
        return line

    def ask(self, question: str, *arguments: str) -> Any:
        """Call the function with this name in `serve`, and return its result.

        begin: send the forms again, because their data expire after two minutes. page: seconds,
        status and body. seconds: median of the processor times of a batch. calls: the functions of
        labkit that a page runs. paths: URLs without a variable part. opened_panel: seconds.
        visit_page: seconds for the page of a visit with VISIT exchanges.
        """
        if not self._ready:
            self._ready = bool(self._hear())
        self._tell([question, *arguments])
        return json.loads(self._hear())

    def stop(self) -> None:
        """Stop the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


# In the process


def strip(settings: types.ModuleType, lab: Lab) -> None:
    """Remove labkit from a lab, which leaves a plain Django project with the same views.

    The function removes labkit's apps and middleware from the settings, gives the forms Django's
    own fields, and writes the lab's title into the templates. A function that a view or a template
    calls, such as session_facts(), stays, because it is content of the page.
    """
    from django import forms

    settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if not a.startswith("labkit")]
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if not m.startswith("labkit")]
    plain = types.ModuleType("labkit.base.form_fields")
    plain.PrintableText, plain.WholeNumber = forms.CharField, forms.IntegerField
    sys.modules["labkit.base.form_fields"] = plain
    folder = lab.folder / "lab" / "templates"
    sources = {
        path.relative_to(folder).as_posix(): without_labkit(path.read_text(encoding="utf-8"), lab)
        for path in folder.rglob("*.html")
    }
    inner = [
        ("django.template.loaders.locmem.Loader", sources),
        "django.template.loaders.app_directories.Loader",
    ]
    (engine,) = settings.TEMPLATES
    options = engine.get("OPTIONS", {})
    # The name of the session engine is part of the content of lab 10's pages.
    options = options | {"builtins": ["labkit.base.templatetags.labkit"]}
    options = options | {"loaders": [("django.template.loaders.cached.Loader", inner)]}
    settings.TEMPLATES = [{"BACKEND": engine["BACKEND"], "OPTIONS": options}]


def without_labkit(template: str, lab: Lab) -> str:
    """Return a template of the lab, with labkit's tags replaced by their output.

    The mark of the current page and the links to handout and code are labkit's, so they are
    removed.
    """
    own = "load labkit|mark_current|endmark_current|reading_links"
    template = re.sub(f"{{% (?:{own}) %}}", "", template)
    template = re.sub(r"{% asset '([\w.]+)' %}", r"/static/\1", template)
    return re.sub(r"{% lab_(\w+) %}", lambda tag: escape(getattr(lab, tag[1])), template)


def prepare(folder: Path, kind: str) -> None:
    """Set this process up for a lab of this kind, and create its tables."""
    sys.path.insert(0, str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
    from lab import settings

    if kind in {"bare", "default"}:
        strip(settings, Catalog(common.ROOT).find(folder.name))
    if kind == "default" and hasattr(settings, "DATABASES"):
        del settings.DATABASES["default"]["OPTIONS"]
    import django
    from django.core.management import call_command

    django.setup()
    if hasattr(settings, "DATABASES"):
        call_command("migrate", verbosity=0)


def serve() -> None:
    """Process the calls on standard input, each of which is one line of JSON."""
    from django.core.wsgi import get_wsgi_application
    from django.test import RequestFactory
    from django.urls import get_resolver

    from labkit.testing import Visitor

    application, factory = get_wsgi_application(), RequestFactory(SERVER_NAME="127.0.0.1")
    visitor = Visitor()
    forms = json.loads(sys.stdin.readline())

    def begin() -> None:
        visitor.get("/")
        for opened, action, fields in forms:
            visitor.submit(action, fields, page=opened)
        factory.defaults["HTTP_COOKIE"] = visitor.jar.header(visitor.origin)

    def page(path: str) -> tuple[float, int, str]:
        environ, status = factory.get(path).environ, []
        started = time.process_time()
        response = application(environ, lambda said, _: status.append(int(said[:3])))
        body = b"".join(response)
        response.close()
        return time.process_time() - started, status[0], body.decode()

    def seconds(path: str) -> float:
        times = [page(path)[0] for _ in range(WARM + BATCH)]
        return statistics.median(times[WARM:])

    def calls(path: str) -> list[str]:
        seen = set()

        def note(frame: Any, event: str, _: Any) -> None:
            name = frame.f_globals.get("__name__", "")
            if event == "call" and name.startswith("labkit."):
                seen.add(f"{name}.{frame.f_code.co_name}")

        sys.setprofile(note)
        try:
            page(path)
        finally:
            sys.setprofile(None)
        return sorted(seen)

    def paths() -> list[str]:
        own = (p for p in get_resolver().url_patterns if not hasattr(p, "url_patterns"))
        return [f"/{p.pattern}" for p in own if "<" not in str(p.pattern)]

    def opened_panel() -> float:
        from labkit.panel.exchange_log import log

        return seconds(f"/__lab__/exchange/{log.newest()[0].token}/")

    def visit_page() -> float:
        for _ in range(VISIT):
            page("/display/")
        return min(page("/__lab__/visit/")[0] for _ in range(3))

    answers: dict[str, Any] = {f.__name__: f for f in (begin, page, seconds, calls, paths)}
    answers |= {"opened_panel": opened_panel, "visit_page": visit_page}
    begin()
    print(flush=True)  # noqa: T201
    for line in sys.stdin:
        question, *arguments = json.loads(line)
        print(json.dumps(answers[question](*arguments)), flush=True)  # noqa: T201


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), sys.argv[2])
    call_with_room(serve)  # as under `lab serve`
