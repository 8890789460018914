"""Textbook versions: copies of labs, each with one fault from a textbook.

labs/textbook/NN.toml describes those of one lab. A version is a list of edits rather than a unified
diff, which fails if line endings differ and may need git. Its name has the form of a variant's:
`03:names-as-cookies`.
"""
# ruff: noqa: F401 other packages import all of these from here

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
