"""Textbook versions: labs as textbooks write them, each with one fault.

labs/textbook/NN.toml has those of one lab. A version is a list of edits, not a unified diff: a diff
fails on other line endings, and a student may have no git. Its name is `03:names-as-cookies`, like
that of a variant.
"""
# ruff: noqa: F401 other packages import all of these from here

from labkit.textbook_versions.reading import (
    MISSING,
    NAME,
    NO_VERSIONS,
    all_versions,
    check_keys,
    find_version,
    is_part,
    read_sources,
    read_value,
    read_versions,
)
from labkit.textbook_versions.steps import BROWSERS, MANY, NO_RESPONSE, RANDOM, Step
from labkit.textbook_versions.version import FOLDER, MOST_LINES, Source, Version, VersionError
