"""Read labs/textbook/NN.toml: versions of a lab as textbooks write them, each with one fault.

A version is a list of edits, not a unified diff: a diff fails on other line endings, and a student
may have no git. Its name is `03:names-as-cookies`, like that of a variant.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from labkit.catalog import Catalog, CatalogError, Lab, read_lines
from labkit.kept_files import make_private_folder, remove

FOLDER = Path("labs", "textbook")
STATE = "textbook"  # the folder of .lab in which versions are run
MOST_LINES = 15  # added plus removed
NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")  # it becomes a host name
SOURCE = re.compile(r"(.+): (https://\S+)")
# In a field: {5000 x} is 5000 times the letter x, {40 random} so many random characters.
MANY, RANDOM = re.compile(r"\{(\d+) (.)\}"), re.compile(r"\{(\d+) random\}")
LEFT_BEHIND = {"__pycache__", ".pytest_cache"}
BROWSERS = ("A", "B")  # B is another visitor, with another browser

# What a reader does, and what the reader then sees. The values are types.
ACTIONS: dict[str, type] = {
    "open": str,  # a URL
    "submit": str,  # the URL that a form goes to, filled in as a person does
    "post": str,  # a URL; only the named fields are sent, as by a program
    "head": str,  # a URL, by HEAD, as a link preview does
    "reload": bool,  # the last page; a form is sent again
    "wait": int,  # seconds, for server and browsers
    "close_browser": bool,
    "block_cookies": bool,
    "edit_cookie": str,  # its name; `value` replaces its value, as in developer tools
    "set_cookie": str,  # "name=value", set by another program on this host
    "copy_cookie": str,  # its name; browser A's cookie is copied into browser B
}
EXPECTATIONS: dict[str, type] = {
    # The status of the last response, or NO_RESPONSE; `because` is in the exception's text.
    "expect": str,
    "shows": str,  # text on the page
    "lacks": str,  # text that is not on the page
    "table": dict,  # the rows of the page's table: {"apple": 3}
    "source": str,  # text in the page's HTML
    "url": str,  # text in a URL that the last action opened
    "cookie": str,  # the name of a cookie that the browser keeps; `value` may say its value
    "script_cookie": str,  # the name of a cookie that a script on the page can read
    "no_cookie": str,  # the name of a cookie that the browser does not keep
}
VERBS = ACTIONS | EXPECTATIONS
OPTIONS = {  # by verb, beside `by`; a form has its fields as well
    "submit": {"page", "times"},
    "post": {"times"},
    "edit_cookie": {"value"},
    "cookie": {"value"},
    "expect": {"because"},
}
FORMS = {"submit", "post"}
NO_RESPONSE = "no response"  # the server cannot send the headers

# Faults of a file; tests find a fault by them.
UNKNOWN_VERSION = "There is no {name}. Lab {number} has {names}."
NO_VERSIONS = "no textbook versions"
ONLY_COMPARED = (
    "{name} is a variant: a part of lab {number}. It can only be compared, as in: lab diff {name}"
)
NOT_ONE_VERB = "a step needs one of {verbs}"
WRONG_VALUE = "{key} has the value {value!r}"
MISSING = "there is no {key}"
UNKNOWN_KEY = "{key} is not a key of {table}"
NOT_ONCE = "the text of an edit occurs {count} times in {file}, not once"
NO_FILE = "{file} is not a file of the lab"


class VersionError(CatalogError):
    """A version is not right, or there is none of this name. The message says where."""


@dataclass(frozen=True)
class Edit:
    """One change to a file: `old` occurs in it exactly once and becomes `new`."""

    file: str  # its path in the lab, with slashes
    old: str
    new: str


@dataclass(frozen=True)
class Source:
    """Where the reason for a fault can be checked."""

    title: str  # "RFC 6265, section 4.1.1"
    url: str


@dataclass(frozen=True)
class Step:
    """One thing that the reader does or sees."""

    verb: str  # a key of VERBS
    value: Any
    fields: dict[str, str] = field(default_factory=dict)  # of a form
    options: dict[str, Any] = field(default_factory=dict)  # those of OPTIONS
    by: str = BROWSERS[0]

    @property
    def is_action(self) -> bool:
        """True if the reader does something, False if the step says what the reader sees."""
        return self.verb in ACTIONS

    @property
    def times(self) -> int:
        """How often a form is sent; {n} in a field is the number, from 1."""
        return int(self.options.get("times", 1))

    def __str__(self) -> str:
        """Return the step as one sentence for a reader."""
        value = self.value
        if self.verb == "table":
            value = ", ".join(f"{name} {cell}" for name, cell in value.items()) or "no rows"
        form = ", ".join(f"{name}: {text}" for name, text in self.fields.items()) or "no fields"
        form = MANY.sub(r"\1 times “\2”", RANDOM.sub(r"\1 random Chinese characters", form))
        sentence = _SENTENCES[self.verb].format(value, form=form, **self.options)
        if "page" in self.options:
            sentence = f"On {self.options['page']}, send the form to {value} with {form}."
        if because := self.options.get("because"):
            sentence = sentence.removesuffix(".") + f", and the exception is {because}"
        if self.times > 1:
            sentence += f" Do so {self.times} times, with n from 1."
        return sentence if self.by == BROWSERS[0] else f"In another browser: {sentence}"


_SENTENCES = {
    "open": "Open {0}.",
    "submit": "Open {0}, fill in {form}, and send the form.",
    "post": "Send to {0}, as a program does: {form}.",
    "head": "Send a HEAD request to {0}, as a link preview or curl -I does.",
    "reload": "Reload the page. If the browser asks, send the form again.",
    "wait": "Move the clock {0} seconds forward.",
    "close_browser": "Close the browser and open it again.",
    "block_cookies": "Block cookies in the browser.",
    "edit_cookie": "Change the value of the cookie {0} to {value!r} in the developer tools.",
    "set_cookie": "Another program on this host sets the cookie {0}.",
    "copy_cookie": "Copy the cookie {0} into another browser.",
    "expect": "The response has status {0}.",
    "shows": "The page shows: {0}",
    "lacks": "The page does not show: {0}",
    "table": "The table has: {0}",
    "source": "The page's HTML contains: {0}",
    "url": "A URL contains: {0}",
    "cookie": "The browser keeps the cookie {0}.",
    "script_cookie": "In the browser's console, document.cookie contains {0}.",
    "no_cookie": "The browser does not keep the cookie {0}.",
}


@dataclass(frozen=True)
class Version:
    """A lab with the fault of a textbook in it."""

    lab: Lab
    name: str
    title: str
    symptom: str  # what one sees
    why: str  # one or two sentences to learn by heart
    sources: tuple[Source, ...]
    edits: tuple[Edit, ...]
    see: tuple[Step, ...] = ()
    pitfalls: tuple[str, ...] = ()  # IDs of labs/claims.toml; none for other surprises
    says: str = ""  # the error with which Django refuses to start it; "" if it starts
    apart: bool = True  # False: on a shared host it destroys or shows other labs' cookies
    in_chromium: bool = False  # whether the symptom depends on the browser
    threads: bool = False  # whether its server answers several requests at once

    @property
    def full_name(self) -> str:
        """Return the name with the lab's number: "03:names-as-cookies"."""
        return f"{self.lab.number}:{self.name}"

    @property
    def starts(self) -> bool:
        """Return False if Django does not start this version, and says why."""
        return not self.says

    @property
    def host(self) -> str:
        """Return its host name, so that its cookies stay apart from those of the labs.

        Browsers resolve names that end in .localhost to this machine: RFC 6761, section 6.3.
        """
        return f"{self.name}.localhost"

    def edited_files(self) -> dict[str, bytes]:
        """Return the content of each file that the edits change, by its path in the lab.

        Line endings and a byte order mark stay as they are. Raises VersionError if a file is
        missing, or the text of an edit does not occur exactly once.
        """
        found: dict[str, bytes] = {}
        for edit in self.edits:
            try:
                content = found.get(edit.file) or (self.lab.folder / edit.file).read_bytes()
            except OSError:
                raise self._error(NO_FILE.format(file=edit.file)) from None
            lines = map(re.escape, edit.old.encode().split(b"\n"))
            matches = list(re.finditer(rb"\r?\n".join(lines), content))
            if len(matches) != 1:
                reason = NOT_ONCE.format(count=len(matches), file=edit.file)
                raise self._error(f"{reason}: {edit.old!r}")
            start, end = matches[0].span()
            if not edit.new and content[:start].endswith(b"\n"):  # whole lines go with their end
                end += len(re.match(rb"(\r?\n)?", content[end:])[0])  # type: ignore[index]
            ending = b"\r\n" if b"\r\n" in content else b"\n"
            new = edit.new.encode().replace(b"\n", ending)
            found[edit.file] = content[:start] + new + content[end:]
        return found

    def diff_lines(self) -> list[str]:
        """Return the added and removed lines, each with its sign. Raises VersionError."""
        changed: list[str] = []
        for file, content in self.edited_files().items():
            sides = [(self.lab.folder / file).read_bytes(), content]
            old, new = (side.decode("utf-8-sig").splitlines() for side in sides)
            diff = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
            changed += [line for line in diff if not line.startswith("@@")]
        return changed

    def write(self, folder: Path) -> Lab:
        """Write the edited copy of the lab into a folder, and return it as a lab.

        The copy's folder has the lab's own name, and so its cookies have the lab's number. A file
        that is right already is not touched, and a file that the lab does not have is removed.
        Raises VersionError, and OSError if the folder cannot be written.
        """
        edited = self.edited_files()
        target = folder / self.lab.folder.name
        wanted = set()
        for path in _files(self.lab.folder):
            name = path.relative_to(self.lab.folder).as_posix()
            content = edited.get(name) or path.read_bytes()
            if name == "README.md":
                content = f"# {self.lab.number} {self.title}\n\n{self.symptom}\n".encode()
            copy = target / name
            wanted.add(copy)
            if not copy.is_file() or copy.read_bytes() != content:
                make_private_folder(copy.parent)
                copy.write_bytes(content)
        for path in set(_files(target)) - wanted:
            remove(path)
        return replace(self.lab, folder=target, title=self.title, variants={})

    def state(self, checkout: Catalog) -> Path:
        """Return the folder in which this version is run, with its copy and its state."""
        return checkout.state / STATE / f"{self.lab.number}-{self.name}"

    def _error(self, reason: str) -> VersionError:
        return VersionError(f"{FOLDER.as_posix()}/{self.lab.number}.toml, {self.name}: {reason}.")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not LEFT_BEHIND & set(path.parts) and path.suffix != ".pyc":
            yield path


def read_versions(checkout: Catalog, lab: Lab) -> tuple[Version, ...]:
    """Return the textbook versions of a lab, in the order of its file; none if it has no file.

    Raises VersionError, with the file and the version, if something in it is not right.
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
    """Return the versions of all labs, in teaching order. Raises VersionError."""
    return tuple(v for lab in checkout.labs for v in read_versions(checkout, lab))


def is_part(name: str) -> bool:
    """Return whether this names a part of a lab, such as 03:names-as-cookies, and not a folder."""
    return ":" in name and not Path(name).exists()


def find_version(checkout: Catalog, name: str) -> Version:
    """Return the version of this name, such as "03:names-as-cookies".

    Raises CatalogError if there is no such lab or version, and if it is a variant.
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


# Reading one version; the messages of these errors are completed by read_versions()


def _version(lab: Lab, name: str, table: Any) -> Version:
    if not NAME.fullmatch(name):
        raise ValueError("a name has small letters, digits and single hyphens")
    _check_keys(table, "a version", _VERSION, {"title", "symptom", "why", "sources", "edit"})
    texts = {key: _value(table, key, str) for key in ("title", "symptom", "why")}
    flags = {key: _value(table, key, bool) for key in _FLAGS if key in table}
    sources = [SOURCE.fullmatch(source) for source in table["sources"]]
    if not (sources and all(sources)):
        raise ValueError('a source is a title and a URL: "RFC 6265, section 4: https://…"')
    steps = tuple(_step(step) for step in table.get("see", ()))
    says = "" if flags.pop("starts", True) else _value(table, "says", str)
    if bool(says) == bool(steps) or ("says" in table and not says):
        raise ValueError("it needs steps in `see`, or starts = false with `says`")
    return Version(
        lab,
        name,
        **texts,
        **flags,
        sources=tuple(Source(match[1], match[2]) for match in sources if match),
        edits=tuple(_edit(edit) for edit in table["edit"]),
        see=steps,
        pitfalls=tuple(table.get("pitfalls", ())),
        says=says,
    )


_FLAGS = ("starts", "apart", "in_chromium", "threads")
_VERSION = {"pitfalls", "title", "symptom", "why", "sources", "see", "says", "edit", *_FLAGS}


def _edit(table: Any) -> Edit:
    keys = {"file", "old", "new"}
    _check_keys(table, "an edit", keys, keys)
    new = "" if table["new"] == "" else _value(table, "new", str)
    edit = Edit(_value(table, "file", str), _value(table, "old", str), new)
    path = PurePosixPath(edit.file)
    if path.parts[0] != "lab" or ".." in path.parts or "\\" in edit.file:
        raise ValueError(f"an edit changes a file below lab/, not {edit.file}")
    # A line break at either end is a matter of how the file is written.
    return replace(edit, old=edit.old.strip("\n"), new=edit.new.strip("\n"))


def _step(table: Any) -> Step:
    verbs = VERBS.keys() & table.keys()
    if len(verbs) != 1:
        raise ValueError(f"{NOT_ONE_VERB.format(verbs=', '.join(VERBS))}: {table}")
    verb = verbs.pop()
    own = OPTIONS.get(verb, set())
    rest = {key: value for key, value in table.items() if key not in {verb, "by"}}
    if verb not in FORMS:
        _check_keys(rest, verb, own, {"value"} if verb == "edit_cookie" else set())
    by = table.get("by", BROWSERS[0])
    if by not in BROWSERS:
        raise ValueError(WRONG_VALUE.format(key="by", value=by))
    return Step(
        verb,
        _value(table, verb, VERBS[verb]),
        {key: str(value) for key, value in rest.items() if key not in own},
        {key: value for key, value in rest.items() if key in own},
        by,
    )


def _check_keys(table: Any, what: str, known: set[str], needed: set[str]) -> None:
    if not isinstance(table, dict):
        raise TypeError(WRONG_VALUE.format(key=what, value=table))
    for key in sorted(table.keys() - known):
        raise ValueError(UNKNOWN_KEY.format(key=key, table=what))
    for key in sorted(needed - table.keys()):
        raise ValueError(MISSING.format(key=key))


def _value(table: dict[str, Any], key: str, kind: type) -> Any:
    value = table[key]
    if type(value) is not kind or value == "":
        raise ValueError(WRONG_VALUE.format(key=key, value=value))
    return value
