"""Sources: sections of RFCs and documentation in which readers can check a statement.

labs/sources.toml lists each section once, as `id = "Title: https://…"`. The claims and the tables
refer to sections by these IDs; textbook versions state a source in full.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path("labs", "sources.toml")
FORM = re.compile(r"(.+): (https://[\w.-]+/[^\s<>\"]*)")

# Error messages; the tests look for them.
MALFORMED = 'a source is a title and a URL: "RFC 6265, section 4: https://…"'
MISSING = "has no sources"
UNKNOWN = "has a source that labs/sources.toml does not name"


@dataclass(frozen=True)
class Source:
    """A section in which readers can check a statement."""

    title: str  # "RFC 6265, section 4.1.1"
    url: str

    @property
    def markdown(self) -> str:
        """Return the source as a Markdown link."""
        return f"[{self.title}]({self.url})"


def parse_source(text: Any) -> Source:
    """Parse a source of the form "Title: https://…". Raises ValueError if it has another form."""
    match = FORM.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(MALFORMED)
    return Source(match[1], match[2])


def read_sources(texts: list[str]) -> tuple[Source, ...]:
    """Parse a list of sources. Raises ValueError if one is malformed, or if the list is empty."""
    if not texts:
        raise ValueError(MALFORMED)
    return tuple(map(parse_source, texts))


def load_sources(root: Path) -> dict[str, Source]:
    """Return the sources in a checkout's labs/sources.toml as {ID: source}.

    Raises OSError if the file cannot be read, and ValueError if an entry is malformed.
    """
    data = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    return {id_: parse_source(text) for id_, text in data.items()}


def find_sources(known: Mapping[str, Source], ids: Any, of: str) -> tuple[Source, ...]:
    """Return the sources with these IDs. `of`: the entry that refers to them, such as "C63".

    Raises ValueError if there are no IDs, or if one of them is unknown.
    """
    if not isinstance(ids, list) or not ids:
        raise ValueError(f"{of} {MISSING}")
    if unknown := [id_ for id_ in ids if id_ not in known]:
        raise ValueError(f"{of} {UNKNOWN}: {', '.join(map(str, unknown))}")
    return tuple(known[id_] for id_ in ids)
