"""PYTHONOPTIMIZE=2, which removes docstrings, changes no page of a lab."""

import os
import re
import subprocess
import sys

import pytest

# A script that prints the start page and every page that it links to.
SHOW_PAGES = """
import re
import django
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.test import Client
if apps.is_installed("django.contrib.sessions"):
    call_command("migrate", verbosity=0)
client = Client(SERVER_NAME="localhost")
start = client.get("/").content.decode()
for path in ["/", *dict.fromkeys(re.findall('href="(/[^"]*/)"', start))]:
    page = client.get(path)
    print(path, page.status_code, page.content.decode())
"""
VARIES = re.compile(r'(<input type="hidden"[^>]* value)="[^"]*"|[0-9-]{10} [0-9:]{8}')
READ_THEM_ONCE = ["05", "08"]
READS_DOCSTRINGS = re.compile(r"\b(__doc__|getdoc|getsource|__debug__)\b")


def pages(lab, tmp_path, **environ):
    """Return the output of SHOW_PAGES for this lab, with tokens and times removed."""
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "lab.settings",
        "LAB_STATE_DIR": str(tmp_path),
        "LAB_DEBUG": "0",
        "LAB_PANEL": "0",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        **environ,
    }
    command = [sys.executable, "-c", SHOW_PAGES]
    done = subprocess.run(
        command, cwd=lab.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return VARIES.sub(r"\1", done.stdout)


@pytest.mark.parametrize("number", READ_THEM_ONCE)
def test_no_page_changes(checkout, tmp_path, number):
    lab = checkout.find(number)
    expected = pages(lab, tmp_path)
    assert "<h1>" in expected
    assert pages(lab, tmp_path, PYTHONOPTIMIZE="2") == expected


def test_no_other_lab_reads_docstrings(checkout):
    files = [
        path
        for folder in ("labs/*/lab", "src/labkit/base", "src/labkit/panel")
        for path in checkout.root.glob(f"{folder}/**/*.py")
    ]
    assert len(files) > 100
    reading = [path for path in files if READS_DOCSTRINGS.search(path.read_text(encoding="utf-8"))]
    assert {path.relative_to(checkout.root).parts[1][:2] for path in reading} <= {*READ_THEM_ONCE}
