"""Find the distributions that an extra installs, from pyproject.toml and the environment."""

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from labkit import DISTRIBUTION

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def required_by(name: str, extra: str = "") -> set[str]:
    """Return the names of a distribution and of all its requirements, in lower case."""
    found: set[tuple[str, str]] = set()
    waiting = {(name, extra)}
    while waiting:
        name, extra = waiting.pop()
        found.add((name, extra))
        for each in map(Requirement, _requirements(name)):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                waiting |= {(normalized(each.name), own) for own in each.extras or {""}}
        waiting -= found
    return {name for name, _ in found}


def _requirements(name: str) -> list[str]:
    if name != DISTRIBUTION:
        return metadata.requires(name) or []
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    own = [
        f'{text}{" and" if ";" in text else ";"} extra == "{extra}"'  # may have a marker
        for extra, texts in extras
        for text in texts
    ]
    return [*project["dependencies"], *own]


def normalized(name: str) -> str:
    """Return the name of a distribution as in required_by()."""
    return name.lower().replace("_", "-")
