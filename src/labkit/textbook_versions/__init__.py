"""Textbook versions: copies of labs, each with one mistake that is common in textbooks.

labs/textbook/NN.toml describes the versions of one lab. A version is a list of edits rather than a
unified diff, because a diff fails if line endings differ, and applying a diff may need git.
Versions are named like variants: `03:names-as-cookies`.
"""
# ruff: noqa: F401 for import by other packages

from labkit.sources import Source, read_sources
from labkit.textbook_versions.reading import (
    MISSING,
    NAME,
    NO_VERSIONS,
    all_versions,
    check_keys,
    find_version,
    is_part,
    read_value,
    read_versions,
)
from labkit.textbook_versions.steps import BROWSERS, MANY, NO_RESPONSE, RANDOM, Step
from labkit.textbook_versions.version import (
    FOLDER,
    MOST_LINES,
    Version,
    VersionError,
    steps_in_markdown,
)
