"""Write a curl command that sends the same bytes as a browser's request."""

import re
from collections.abc import Iterator

from labkit.http.cookie_header import from_wire
from labkit.panel.models import BLANKED, Exchange
from labkit.text_format import Shell, command_line, current_shell

# Possible differences between the command and the request. Pages contain the key as
# data-curl-lacks.
MISSING = {
    "body": "Its body is missing or incomplete: the panel stores only short forms without files.",
    "secrets": f"A secret value of the form is replaced by {BLANKED}",
    "cut": "The request was too long, so the panel stored only part of it.",
    "bytes": "Some bytes in its cookies cannot be typed in this shell.",
}


def command(exchange: Exchange, shell: Shell | None = None) -> str:
    """Return a curl command with this request's URL, cookies and form; see also missing().

    shell: the shell in which the command is to run; by default the current one.
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
    """Yield the key and text of each entry in MISSING that applies to the command."""
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
    """Return a quoted printf format that prints these bytes in a POSIX shell."""
    raw = header.encode("latin-1")
    escaped = re.sub(rb"[^\w=;:., -]", lambda each: b"\\%03o" % each[0][0], raw)
    return f"'{escaped.decode('ascii')}'"
