"""Writes a curl command that sends the bytes of a request again."""

import re
from collections.abc import Iterator

from labkit.http.cookie_header import from_wire
from labkit.panel.models import BLANKED, Exchange
from labkit.text_format import Shell, command_line, current_shell

# How the command differs from the request. Pages carry the key as data-curl-lacks.
MISSING = {
    "body": "It has no body, or not all of it: the panel keeps short forms only, without files.",
    "secrets": f"A secret value of the form is replaced by {BLANKED}",
    "cut": "The request was longer than what the panel keeps of it.",
    "bytes": "Some bytes of its cookies cannot be typed in this shell.",
}


def command(exchange: Exchange, shell: Shell | None = None) -> str:
    """Return a curl command that sends the same target, cookies and form; see missing().

    shell: by default the current one.
    """
    shell = shell or current_shell()
    words = ["curl", "-I" if exchange.method == "HEAD" else "-i"]
    url = f"{exchange.scheme}://{exchange.host}{exchange.path}"
    if re.search(r"[][{}]", url):
        words.append("--globoff")
    if re.search(r"/\.", url):
        words.append("--path-as-is")
    implied = {"GET", "HEAD", "POST"} if exchange.form else {"GET", "HEAD"}
    if exchange.method not in implied:
        words += ["-X", exchange.method]
    rest = ["--data", exchange.form, url] if exchange.form else [url]
    if not exchange.cookie_header:
        return command_line(*words, *rest, shell=shell)
    header = f"Cookie: {exchange.cookie_header}"
    if shell is Shell.POSIX and not _can_be_typed(header):
        printed = f'-H "$(printf {_printf_format(header)})"'
        return f"{command_line(*words, shell=shell)} {printed} {command_line(*rest, shell=shell)}"
    text = header.encode("latin-1", "replace").decode("utf-8", "replace")
    return command_line(*words, "-H", text, *rest, shell=shell)


def missing(exchange: Exchange, shell: Shell | None = None) -> Iterator[tuple[str, str]]:
    """Yield the key and text of each of MISSING that applies to the command."""
    shell = shell or current_shell()
    applies = {
        "body": exchange.body_left_out,
        "secrets": exchange.has_secrets,
        "cut": exchange.is_cut,
        "bytes": shell is not Shell.POSIX and not _can_be_typed(exchange.cookie_header),
    }
    yield from ((key, text) for key, text in MISSING.items() if applies[key])


def _can_be_typed(header: str) -> bool:
    """Return whether the bytes of a header, decoded as Latin-1, are printable UTF-8."""
    return from_wire(header).isprintable()


def _printf_format(header: str) -> str:
    """Return a quoted format from which the printf of a POSIX shell makes these bytes."""
    raw = header.encode("latin-1")
    escaped = re.sub(rb"[^\w=;:., -]", lambda each: b"\\%03o" % each[0][0], raw)
    return f"'{escaped.decode('ascii')}'"
