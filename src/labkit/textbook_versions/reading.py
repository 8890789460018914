"""Read textbook versions from labs/textbook/NN.toml, and find a version by name."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from labkit.catalog import Catalog, Lab, read_lines
from labkit.sources import read_sources
from labkit.textbook_versions.steps import BROWSERS, FORMS, OPTIONS, VERBS, Step
from labkit.textbook_versions.version import FOLDER, Edit, Version, VersionError

NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")  # a version's name is also part of a host name

# Error messages; the tests look for them.
UNKNOWN_VERSION = "There is no {name}. Lab {number} has {names}."
NO_VERSIONS = "no textbook versions"
ONLY_COMPARED = (
    "{name} is a variant, a part of lab {number}. It can only be compared: lab diff {name}"
)
NOT_ONE_VERB = "a step needs one of {verbs}"
WRONG_VALUE = "{key} has the value {value!r}"
MISSING = "there is no {key}"
UNKNOWN_KEY = "{key} is not a key of {table}"


def read_versions(checkout: Catalog, lab: Lab) -> tuple[Version, ...]:
    """Return a lab's textbook versions in the order of its file, or () if it has no file.

    Raises VersionError, which names the file and the version, if the file is malformed.
    """
    path = checkout.root / FOLDER / f"{lab.number}.toml"
    try:
        data = tomllib.loads(read_lines(path))
    except tomllib.TOMLDecodeError as error:
        raise VersionError(f"{path} is not valid TOML: {error}.") from None
    found = []
    for name, table in data.items():
        try:
            found.append(_version(lab, name, table))
        except (ValueError, TypeError) as error:
            raise VersionError(f"{path}, {name}: {error}.") from None
    return tuple(found)


def all_versions(checkout: Catalog) -> tuple[Version, ...]:
    """Return all labs' versions, in teaching order. Raises VersionError if a file is malformed."""
    return tuple(v for lab in checkout.labs for v in read_versions(checkout, lab))


def is_part(name: str) -> bool:
    """Return whether this names a version or variant of a lab, such as 03:names-as-cookies."""
    return ":" in name and not Path(name).exists()


def find_version(checkout: Catalog, name: str) -> Version:
    """Return the version with this name, such as "03:names-as-cookies".

    Raises CatalogError if there is no such lab or version, or if this is the name of a variant.
    """
    lab_name, _, version_name = name.partition(":")
    lab = checkout.find(lab_name)
    versions = {version.name: version for version in read_versions(checkout, lab)}
    if version_name in versions:
        return versions[version_name]
    if version_name in lab.variants:
        full_name = f"{lab.number}:{version_name}"
        raise VersionError(ONLY_COMPARED.format(name=full_name, number=lab.number))
    parts = [*lab.variants, *versions]
    names = ", ".join(f"{lab.number}:{each}" for each in parts) or NO_VERSIONS
    full_name = f"{lab.number}:{version_name}"
    raise VersionError(UNKNOWN_VERSION.format(name=full_name, number=lab.number, names=names))


# The following functions read one version. read_versions() adds the names of the file and the
# version to their error messages.


def _version(lab: Lab, name: str, table: Any) -> Version:
    if not NAME.fullmatch(name):
        raise ValueError("a name has small letters, digits and single hyphens")
    check_keys(table, "a version", _VERSION, {"title", "symptom", "why", "sources", "edit"})
    texts = {key: read_value(table, key, str) for key in ("title", "symptom", "why")}
    flags = {key: read_value(table, key, bool) for key in _FLAGS if key in table}
    steps = tuple(_step(step) for step in table.get("see", ()))
    says = "" if flags.pop("starts", True) else read_value(table, "says", str)
    if bool(says) == bool(steps) or ("says" in table and not says):
        raise ValueError("it needs steps in `see`, or starts = false and `says`")
    return Version(
        lab,
        name,
        **texts,
        **flags,
        sources=read_sources(table["sources"]),
        edits=tuple(_edit(edit) for edit in table["edit"]),
        see=steps,
        pitfalls=tuple(table.get("pitfalls", ())),
        says=says,
    )


_FLAGS = ("starts", "apart", "in_chromium", "threads")
_VERSION = {"pitfalls", "title", "symptom", "why", "sources", "see", "says", "edit", *_FLAGS}


def _edit(table: Any) -> Edit:
    keys = {"file", "old", "new"}
    check_keys(table, "an edit", keys, keys)
    new = "" if table["new"] == "" else read_value(table, "new", str)
    edit = Edit(read_value(table, "file", str), read_value(table, "old", str), new)
    path = PurePosixPath(edit.file)
    if path.parts[0] != "lab" or ".." in path.parts or "\\" in edit.file:
        raise ValueError(f"an edit changes a file below lab/, not {edit.file}")
    # Leading and trailing line breaks are only layout in the TOML file.
    return replace(edit, old=edit.old.strip("\n"), new=edit.new.strip("\n"))


def _step(table: Any) -> Step:
    verbs = VERBS.keys() & table.keys()
    if len(verbs) != 1:
        raise ValueError(f"{NOT_ONE_VERB.format(verbs=', '.join(VERBS))}: {table}")
    verb = verbs.pop()
    own = OPTIONS.get(verb, set())
    rest = {key: value for key, value in table.items() if key not in {verb, "by"}}
    if verb not in FORMS:
        check_keys(rest, verb, own, {"value"} if verb == "edit_cookie" else set())
    by = table.get("by", BROWSERS[0])
    if by not in BROWSERS:
        raise ValueError(WRONG_VALUE.format(key="by", value=by))
    return Step(
        verb,
        read_value(table, verb, VERBS[verb]),
        {key: str(value) for key, value in rest.items() if key not in own},
        {key: value for key, value in rest.items() if key in own},
        by,
    )


def check_keys(table: Any, what: str, known: set[str], needed: set[str]) -> None:
    """Raise an error unless this is a table with all `needed` keys and only `known` ones."""
    if not isinstance(table, dict):
        raise TypeError(WRONG_VALUE.format(key=what, value=table))
    for key in sorted(table.keys() - known):
        raise ValueError(UNKNOWN_KEY.format(key=key, table=what))
    for key in sorted(needed - table.keys()):
        raise ValueError(MISSING.format(key=key))


def read_value(table: dict[str, Any], key: str, kind: type) -> Any:
    """Return a key's value. Raises ValueError if the value is empty or of another type."""
    value = table[key]
    if type(value) is not kind or value == "":
        raise ValueError(WRONG_VALUE.format(key=key, value=value))
    return value
