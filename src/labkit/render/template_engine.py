"""Render the templates that the console shares with pages in one file, without Django's settings.

The console has the folder of these templates among its own.
"""

from pathlib import Path
from typing import Any

from django.template import Context, Engine

FOLDER = Path(__file__).parent / "templates"
FILTERS = "labkit.render.template_filters"  # a library that these templates use without loading it

_engine = Engine(dirs=[FOLDER], builtins=[FILTERS])


def render_template(name: str, context: dict[str, Any]) -> str:
    """Return the template of this name as text; numbers and dates are not localized."""
    return _engine.get_template(name).render(Context(context, use_l10n=False, use_tz=False))
