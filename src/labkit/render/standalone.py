"""A page in one file that opens offline: no script, no request, nothing beside it."""

import html
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import click


def document(title: str, made_by: str, style: str, body: Iterable[str]) -> str:
    """The whole page around what is between <body> and </body>; `style` follows the common one."""
    common = resources.files("labkit.render").joinpath("standalone.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta name="generator" content="{made_by}">',
            # Should anything ever get in here, it asks nobody for anything and runs nothing.
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            '<link rel="icon" href="data:,">',
            f"<style>\n{common}\n{style}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def write(path: Path, text: str, made_by: str) -> None:
    """Write the page. Raises ClickException where that would lose somebody's file."""
    command = made_by.partition(",")[0]
    try:
        if path.exists() and made_by not in path.read_text(encoding="utf-8")[:500]:
            raise click.ClickException(f"{path} is there and is no page of {command}. It stays.")
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is no page of {command}"
        raise click.ClickException(f"{path} cannot be written: {reason}.") from None
