"""Write a visit as a shell script that uses HTTPie, with a session file for each browser."""

import re
from collections.abc import Iterator
from shlex import quote

from django.conf import settings

from labkit.panel.models import BLANKED
from labkit.panel.visit.actions import TOKEN, Request, Script
from labkit.panel.visit.as_shell import PASSWORD, describe
from labkit.panel.visit.effects import KEY
from labkit.panel.visit.values import is_secret_value

HEAD = """\
#!/bin/sh
# A visit to lab {lab}, recorded by its panel, for HTTPie (https://httpie.io/docs/cli).
# Usage: sh visit.sh [URL of the lab]
set -eu
site=${{1:-http://{host}}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# csrf BROWSER: print the CSRF token from the browser's session file.
csrf() {{ python3 -c '
import json, sys
cookies = json.load(open(sys.argv[1]))["cookies"]
print(next(c["value"] for c in cookies if c["name"] == "{csrf}"))' "$work/$1.json"; }}
"""


def as_httpie(script: Script) -> str:
    """Return the source of a shell script that uses HTTPie."""
    first = script.requests[0].first if script.requests else None
    host = first.host if first else ""
    head = HEAD.format(lab=settings.LAB, host=host, csrf=settings.CSRF_COOKIE_NAME)
    lines = list(describe(script, _request, has_jar=False))
    if not any("$(csrf " in line for line in lines):
        head = head[: head.index("\n# csrf ")] + "\n"
    return head + "\n" + "\n".join(lines) + "\n"


def _request(request: Request, blocked: bool) -> Iterator[str]:
    exchange, name = request.first, str(request.browser + 1)
    words = ["http", "--ignore-stdin", "--headers"]
    if not blocked:
        words.append(f'--session="$work/{name}.json"')
    if len(request.exchanges) > 1:
        words.append("--follow")
    if exchange.method == "POST":
        words.append("--form")
    words.append(exchange.method)
    words.append(f'"$site"{quote(KEY.sub("KEY", exchange.path))}')
    if exchange.method == "POST":
        words += _data(request, name)
    yield f"# {exchange.method} {KEY.sub('…', exchange.path)}: the last status was " + str(
        request.last.status
    )
    yield " ".join(words)


def _data(request: Request, name: str) -> Iterator[str]:
    if f"{TOKEN}=" in request.first.form:
        yield f'"{TOKEN}=$(csrf {name})"'
    for field, value in request.fields:
        if request.first.has_secrets and value == BLANKED:
            yield f'"{field}={PASSWORD}"'
        elif not is_secret_value("", value):
            yield quote(f"{_escaped(field)}={_escaped(value)}")


def _escaped(text: str) -> str:
    """Return the text with escapes for the characters that HTTPie treats as separators.

    https://httpie.io/docs/cli/escaping-rules
    """
    return re.sub(r"([\\=:@;])", r"\\\1", text)
