"""Write a visit as a shell script that sends its requests with curl and a cookie jar."""

import re
from collections.abc import Callable, Iterator
from shlex import quote

from django.conf import settings

from labkit.panel.models import BLANKED
from labkit.panel.visit.actions import (
    TOKEN,
    Action,
    BlockCookies,
    ChangeSession,
    CloseBrowser,
    DeleteCookie,
    LeftOut,
    Pause,
    Request,
    Script,
    SetCookie,
)
from labkit.panel.visit.effects import KEY
from labkit.panel.visit.values import is_secret_value
from labkit.text_format import exact_duration

HEAD = """\
#!/bin/sh
# A visit to lab {lab}, recorded by its panel. The script stops if a status differs.
# Usage: sh visit.sh [URL of the lab]
set -eu
site=${{1:-http://{host}}}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# request BROWSER STATUS PATH [CURL OPTIONS]: send a request with the browser's cookie jar.
request() {{
    jar=$work/$1 page=$work/$1.html expected=$2 path=$3
    shift 3
    status=$(curl -sS -o "$page" -w '%{{http_code}}' -b "$jar" -c "$jar" "$@" "$site$path")
    echo "$status $path"
    [ "$status" = "$expected" ] || {{ echo "The status should be $expected." >&2; exit 1; }}
}}
# csrf BROWSER: print the CSRF token from the browser's cookie jar.
csrf() {{ awk '$6 == "{csrf}" {{ print $7 }}' "$work/$1"; }}
# field BROWSER NAME: print the value of a hidden field on the browser's page.
field() {{ sed -n 's/.*name="'"$2"'" value="\\([^"]*\\)".*/\\1/p' "$work/$1.html" | head -n 1; }}
# key BROWSER: print the session key in a URL on the browser's page.
key() {{ grep -o '[?]w=[0-9a-z]*' "$work/$1.html" | head -n 1 | cut -c 4-; }}
"""
Writer = Callable[[Request, bool], Iterator[str]]
PASSWORD = "${VISIT_PASSWORD:?}"  # noqa: S105 the name of an environment variable


def as_shell(script: Script) -> str:
    """Return the source of a shell script that uses curl."""
    first = script.requests[0].first if script.requests else None
    host = first.host if first else ""
    lines = [HEAD.format(lab=settings.LAB, host=host, csrf=settings.CSRF_COOKIE_NAME)]
    lines += describe(script, _request)
    text = "\n".join(lines) + "\n"
    return _without_unused(text)


def describe(script: Script, request: Writer, *, has_jar: bool = True) -> Iterator[str]:
    """Yield the lines of a script.

    request: a function that yields the lines for a request. has_jar: whether cookies are in curl's
    cookie jars, which the script can edit.
    """
    blocked = {each.browser for each in script.actions if isinstance(each, BlockCookies)}
    for action in script.actions:
        if isinstance(action, Request):
            yield from request(action, action.browser in blocked)
        elif isinstance(action, Pause) and not action.server_only:
            yield f"sleep {action.seconds}"
        elif has_jar and (line := _jar_edit(action)):
            yield line
        elif words := _by_hand(action):
            yield f"# {words}"


def _jar_edit(action: Action) -> str:
    """Return a command that performs a cookie action in curl's jar; "" if there is none."""
    if not isinstance(action, CloseBrowser | DeleteCookie | SetCookie):
        return ""
    jar, edit = f'"$work/{action.browser + 1}"', ""
    if isinstance(action, CloseBrowser):
        edit = "$5 != 0"  # in the jar, a session cookie has the expiry 0
    elif isinstance(action, DeleteCookie):
        edit = f'$6 != "{action.name}"'
    elif not is_secret_value(action.name, action.value):
        value = re.sub(r'(["\\])', r"\\\1", action.value).replace("'", r"\047")
        edit = f'$6 == "{action.name}" {{ $7 = "{value}" }} 1'
    return (
        f"awk -F '\\t' -v OFS='\\t' '{edit}' {jar} > {jar}.new && mv {jar}.new {jar}"
        if edit
        else ""
    )


def _by_hand(action: Action) -> str:
    """Return a sentence about what to do by hand, or about what is left out; "" if neither."""
    if isinstance(action, Pause):
        direction = "back" if action.seconds < 0 else "forward"
        text = exact_duration(abs(action.seconds))
        return f"By hand: move the server's clock {direction} by {text}."
    if isinstance(action, LeftOut):
        return f"{KEY.sub('…', action.request)} is left out: {action.why}."
    if isinstance(action, CloseBrowser):
        return f"By hand: delete the session cookies of browser {action.browser + 1}."
    if isinstance(action, DeleteCookie | SetCookie):
        verb = "delete" if isinstance(action, DeleteCookie) else "change"
        return f"By hand: {verb} the cookie {action.name} of browser {action.browser + 1}."
    if isinstance(action, ChangeSession):
        verb = "deleted" if action.data is None else "changed"
        return f"The session in the store was {verb}, but not by a request."
    return ""


def _request(request: Request, blocked: bool) -> Iterator[str]:
    exchange, name = request.first, str(request.browser + 1)
    path, options = exchange.path, []
    if len(request.exchanges) > 1:
        options.append("-L")
    if blocked:
        options.append("-b ''")
    if exchange.method == "HEAD":
        options.append("-I")
    elif exchange.method not in {"GET", "POST"}:
        options.append(f"-X {quote(exchange.method)}")
    if exchange.method == "POST":
        options += _data(request, name) or ["-X POST"]
    url = quote(path)
    if KEY.search(path):
        url = '"' + KEY.sub(f"$(key {name})", path) + '"'
    line = f"request {name} {request.last.status} {url}"
    yield " \\\n    ".join([line, *options]) if len(options) > 1 else " ".join([line, *options])


def _data(request: Request, name: str) -> list[str]:
    """Return the curl options that send the form."""
    options = []
    if f"{TOKEN}=" in request.first.form:
        options.append(f'--data-urlencode "{TOKEN}=$(csrf {name})"')
    for field, value in request.fields:
        if request.first.has_secrets and value == BLANKED:
            options.append(f'--data-urlencode "{field}={PASSWORD}"')
        elif is_secret_value("", value):
            options.append(f'--data-urlencode "{field}=$(field {name} {field})"')
        else:
            options.append(f"--data-urlencode {quote(f'{field}={value}')}")
    return options


def _without_unused(text: str) -> str:
    """Return the script without the helper functions that it does not call."""
    for name in ("csrf", "field", "key"):
        if f"$({name} " not in text:
            text = re.sub(rf"# {name} .*\n{name}\(\) .*\n", "", text)
    return text
