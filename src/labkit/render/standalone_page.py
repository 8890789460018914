"""Write pages that work offline: a single file, without scripts or requests.

The console uses these pages' templates too.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from django.template import Context, Engine
from django.utils.safestring import mark_safe

from labkit.kept_files import write_whole
from labkit.render import PALETTE

FOLDER = Path(__file__).parent / "templates"
FILTERS = "labkit.render.template_filters"  # templates can use these filters without {% load %}
COMMON = [PALETTE, PALETTE.with_name("standalone.css")]

_engine = Engine(dirs=[FOLDER], builtins=[FILTERS])  # needs no settings


def render_template(name: str, context: dict[str, Any]) -> str:
    """Render the template with this name. Numbers and dates are not localized."""
    return _engine.get_template(name).render(Context(context, use_l10n=False, use_tz=False))


def render_page(
    template: str, title: str, made_by: str, styles: Iterable[Path], context: dict[str, Any]
) -> str:
    """Render a page whose template extends render/standalone.html, with additional `styles`."""
    css = "\n".join(path.read_text(encoding="utf-8") for path in (*COMMON, *styles))
    frame = {"title": title, "made_by": made_by, "css": mark_safe(css)}  # labkit's own files
    return render_template(template, frame | context)


def write(path: Path, text: str, made_by: str) -> None:
    """Write a page. Raises ClickException if the file exists and was not made by this command."""
    command = made_by.partition(",")[0]
    try:
        if path.exists() and made_by not in path.read_text(encoding="utf-8")[:500]:
            raise click.ClickException(f"{path} was not changed: {command} did not write it.")
        write_whole(path, text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{command} did not write it"
        raise click.ClickException(f"{path} cannot be written: {reason}.") from None
