"""A pytest plugin that writes all exchanges of a test run to a file, to compare two runs.

`-p exchange_recording` loads the plugin, and the option --lab-record names the file. Random values,
such as session keys and tokens, are recorded as *, so that two runs of the same tests are equal.
Thorough tests are not recorded. With --lab-recorded, only the tests in that recording run.
"""

import json
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
import time_machine

# Session keys, CSRF tokens and signatures are long strings of base64 characters.
RANDOM = re.compile(r"[A-Za-z0-9_.:-]{20,}|[a-z0-9]{6}(?=…)")
# The panel's additions to a page: the summary bar, and links to the panel's pages.
PANEL = re.compile(
    r'<link rel="stylesheet" href="/__lab__/static/panel.css">.*?</script>'
    r'|<nav class="reading".*?</nav>',
    re.S,
)
HEADERS = ["Vary", "Location", "Allow", "Retry-After", "Content-Type", "Cache-Control"]


class Recorder:
    """A plugin that records the visitors' requests and responses under each test's node ID."""

    def __init__(self, path, only):
        self.path = path
        self.only = None if only is None else json.loads(only.read_text(encoding="utf-8"))
        self.exchanges = {}
        self.test = ""  # None while a thorough test runs

    def pytest_sessionstart(self):
        from django.test import Client

        from labkit.testing.visitor import Visitor

        send = Client.request

        def record(client, **request):
            if not self.test or not isinstance(client, Visitor):
                return send(client, **request)
            with count_queries() as queries:
                response = send(client, **request)
            sent = client.exchanges[-1]
            if "/__lab__/" in sent.url:  # only the panel has links to these URLs
                return response
            found = describe(f"{sent.method} {sent.url}", response, queries[0])
            self.exchanges.setdefault(self.test, []).append(found)
            return response

        Client.request = record

    def pytest_collection_modifyitems(self, config, items):
        if self.only is not None:
            others = [item for item in items if item.nodeid not in self.only]
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if item.nodeid in self.only]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        self.test = "" if item.get_closest_marker("thorough") else item.nodeid

    def pytest_sessionfinish(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.exchanges, indent=1), encoding="utf-8")


def pytest_addoption(parser):
    parser.addoption("--lab-record", type=Path, help="write every exchange to this file")
    parser.addoption("--lab-recorded", type=Path, help="run only the tests in this recording")


def pytest_configure(config):
    only = config.getoption("lab_recorded")
    config.pluginmanager.register(Recorder(config.getoption("lab_record"), only))


@pytest.fixture(autouse=True)
def _stopped_clock(request):
    """Stop the clock of a recorded test that does not use `clock`, so that runs can be compared.

    The clock stops in the past, because the engine `file` compares the time with the file's time.
    """
    if "clock" in request.fixturenames or request.node.get_closest_marker("thorough"):
        yield
        return
    with time_machine.travel("2020-01-06 09:00 +0000", tick=False):
        yield


@contextmanager
def count_queries():
    """Yield an empty list; after the block it contains the number of database queries."""
    from django.db import connections

    count = [0]

    def wrapper(execute, *arguments):
        count[0] += 1
        return execute(*arguments)

    # Without initialized_only, this would open the other connections.
    opened = connections.all(initialized_only=True)
    for connection in opened:
        connection.execute_wrappers.append(wrapper)
    try:
        yield count
    finally:
        for connection in opened:
            connection.execute_wrappers.remove(wrapper)


def describe(request, response, queries):
    """Return a response as JSON data, without random values and the panel's additions."""
    session = getattr(getattr(response, "wsgi_request", None), "__dict__", {}).get("session")
    body = "" if response.streaming else response.content.decode("utf-8", "replace")
    return {
        "request": mask(request),
        "status": response.status_code,
        "headers": {name: mask(response[name]) for name in HEADERS if response.has_header(name)},
        "cookies": sorted(mask(morsel.OutputString()) for morsel in response.cookies.values()),
        "accessed": getattr(session, "accessed", None),
        "modified": getattr(session, "modified", None),
        "queries": queries,
        "body": mask(PANEL.sub("", body)),
    }


def mask(text):
    return RANDOM.sub("*", text)


def differences(one, two):
    """Yield a sentence for each difference between two recordings of the same tests."""
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    for test in sorted(first.keys() | second.keys()):
        left, right = first.get(test, []), second.get(test, [])
        if len(left) != len(right):
            yield f"{test}: {len(left)} exchanges, and {len(right)}"
        for before, after in zip(left, right, strict=False):
            for key in before:
                if before[key] != after[key]:
                    change = f"{str(before[key])[:300]!r} became {str(after[key])[:300]!r}"
                    yield f"{test}: {before['request']}: {key}: {change}"
