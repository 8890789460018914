"""Pages in one file that open offline: without scripts, requests or other files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from django.utils.safestring import mark_safe

from labkit.render import PALETTE
from labkit.render.template_engine import render_template

COMMON = [PALETTE, PALETTE.with_name("standalone.css")]


def render_page(
    template: str, title: str, made_by: str, styles: Iterable[Path], context: dict[str, Any]
) -> str:
    """Return a page that extends render/standalone.html; `styles` follow the common ones."""
    css = "\n".join(path.read_text(encoding="utf-8") for path in (*COMMON, *styles))
    frame = {"title": title, "made_by": made_by, "css": mark_safe(css)}  # labkit's own files
    return render_template(template, frame | context)


def write(path: Path, text: str, made_by: str) -> None:
    """Write the page. Raises ClickException rather than overwrite another kind of file."""
    command = made_by.partition(",")[0]
    try:
        if path.exists() and made_by not in path.read_text(encoding="utf-8")[:500]:
            raise click.ClickException(f"{path} is there and is no page of {command}. It stays.")
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is no page of {command}"
        raise click.ClickException(f"{path} cannot be written: {reason}.") from None
