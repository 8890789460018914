"""The imports that `lab serve` does once for all labs."""

import json
import os
import subprocess
import sys

import pytest

from labkit.serve.preload import START

LIMIT = 120  # in seconds; one second on an idle machine
# Print what the process has imported after the fork server has started.
PRELOADED = """
import gc, json, os, sys, threading
from django.conf import settings
from labkit.serve.preload import start_fork_server

if os.environ.get("OTHER_THREAD"):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
server = start_fork_server(mysql=False)
controls = sys.modules.get("labkit.panel.instructor_controls")
found = {"forks": server is not None, "configured": settings.configured}
found["collects"] = gc.isenabled()
found["form_keys"] = controls.form_key.cache_info().currsize if controls else None
print(json.dumps(found | {"threads": threading.active_count(), "modules": list(sys.modules)}))
if server:
    server.stop()
"""


def preloaded(environ):
    done = subprocess.run(
        [sys.executable, "-c", PRELOADED],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
        # A settings module that does not exist: reading a setting would raise ImportError.
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "no_such_settings"} | environ,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux")
def test_what_labs_share_depends_on_no_setting():
    found = preloaded({})
    assert (found["forks"], found["configured"], found["threads"]) == (True, False, 1)
    assert found["collects"]  # garbage, as before
    modules = found["modules"]
    assert {"django.core.handlers.wsgi", "waitress.server", "labkit.base.middleware"} <= {*modules}
    unwanted = {"lab", "pytest", "time_machine", "labkit.testing"}
    assert not unwanted & {*modules}
    assert found["form_keys"] == 0  # each lab's process makes its own


def test_a_process_with_threads_is_not_forked():
    found = preloaded({"OTHER_THREAD": "1"})
    assert (found["forks"], found["threads"]) == (False, 2)


def test_an_environment_variable_turns_it_off():
    found = preloaded({START: "spawn"})
    assert not found["forks"]
    assert "django.core.handlers.wsgi" not in found["modules"]
