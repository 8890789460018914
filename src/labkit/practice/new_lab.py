"""Make a new lab from an existing one: its folder, and its entry in every list of the labs."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, CatalogError, Lab
from labkit.kept_files import write_whole
from labkit.practice.copies import copy_tree
from labkit.text_format import either
from labkit.textbook_claims import Ledger

NUMBER, SLUG = re.compile("[0-9]{2}"), re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
IDEA = "A copy of lab {number} to start from."
MARK = re.compile(r"^ *@pytest\.mark\.(claim|pitfall)\(.*\)\n", re.MULTILINE)
ONLY_PYTEST = re.compile(r"^import pytest\n", re.MULTILINE)
# The section "Practice" of a handout, for a lab that has no textbook versions and exercises yet.
PRACTICE = """
This lab has no textbook versions and no exercises yet. [Practice](../../docs/practice.md) says how
to write them. `lab list {number}` lists its versions, and `lab practice` lists all exercises.
"""
# The last row of each list in teaching order; the new lab's row is added after it.
README_ROW = re.compile(r"^\| \[\d\d\]\(labs/.*\n(?!\| \[\d\d\]\(labs/)", re.MULTILINE)
PLAN_ROW = re.compile(r"^\| (\d+) \| \[\d\d .*\n(?!\|)", re.MULTILINE)
PLAN_MINUTES = 30

# Reasons why a lab is not created.
NOT_TWO_DIGITS = "{number} cannot be a lab's number. Use two digits, such as {free}."
NUMBER_TAKEN = "Lab {number} already exists: {name}. The next free number is {free}."
NOT_A_SLUG = "{slug} cannot be a lab's name. Use lowercase letters and _, such as wish_list."
NOT_ONE_CELL = "A title or idea must be one line without | or <, because it is a cell of a table."
SLUG_TAKEN = "Lab {number} already has the name {slug}. Choose another one."
NOT_A_LAB = "{folder} is a copy. Start from a lab of this project, such as --like {number}."
HAS_VARIANTS = (
    "Lab {number} cannot be copied, because it has variants with their own notes and table. Use "
    "--like {labs}."
)


def make_lab(checkout: Catalog, number: str, slug: str, like: Lab, title: str, idea: str) -> Lab:
    """Make the lab labs/NUMBER_SLUG with the code and tests of `like`, and return it.

    title, idea: for the lists of labs; by default, they are made from the slug and from `like`.
    Raises CatalogError if the number, slug, title or idea cannot be used, or if `like` has
    variants. Raises OSError, and leaves no folder behind, if a file cannot be written.
    """
    if reason := _refusal(checkout, number, slug, like):
        raise CatalogError(reason)
    if re.search(r"[|<\n]", title + idea):
        raise CatalogError(NOT_ONE_CELL)
    folder = checkout.root / "labs" / f"{number}_{slug}"
    title = title or slug.replace("_", " ").capitalize()
    idea = idea or IDEA.format(number=like.number)
    try:
        copy_tree(like.folder, folder)
        for test in (folder / "tests").glob("**/*.py"):
            write_whole(test, _new_test(test.read_text(encoding="utf-8"), like.number, number))
        # No comparison table includes the new lab yet.
        (folder / "tests" / "test_compared.py").unlink(missing_ok=True)
        handout = folder / "README.md"
        write_whole(handout, _handout(handout.read_text(encoding="utf-8"), like, number, title))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _add_to_manifest(checkout.root / MANIFEST, _entry(checkout, number, slug, like, title, idea))
    _add_row(
        checkout.root / "README.md",
        README_ROW,
        lambda _: f"| [{number}](labs/{folder.name}) | {title} | {idea} |  |\n",
    )
    _add_row(
        checkout.root / "docs" / "teaching.md",
        PLAN_ROW,
        lambda last: (
            f"| {int(last[1]) + 1} | [{number} {title}](../labs/{folder.name}/README.md) "
            f"| {PLAN_MINUTES} | {idea} |\n"
        ),
    )
    made = Catalog(checkout.root)
    Ledger(made).write()
    return made.find(number)


def _refusal(checkout: Catalog, number: str, slug: str, like: Lab) -> str:
    """Return why this lab cannot be made, or ""."""
    taken = {lab.number: lab for lab in checkout.labs}
    free = next(n for n in (f"{each:02}" for each in range(1, 100)) if n not in taken)
    if not NUMBER.fullmatch(number) or number == "00":
        return NOT_TWO_DIGITS.format(number=number, free=free)
    if number in taken:
        return NUMBER_TAKEN.format(number=number, name=taken[number].folder.name, free=free)
    if not SLUG.fullmatch(slug):
        return NOT_A_SLUG.format(slug=slug)
    if same := [lab for lab in checkout.labs if lab.slug == slug]:
        return SLUG_TAKEN.format(number=same[0].number, slug=slug)
    if like not in checkout.labs:
        number = like.original or checkout.labs[0].number
        return NOT_A_LAB.format(folder=like.folder.name, number=number)
    if like.variants:
        possible = sorted(lab.number for lab in checkout.labs if not lab.variants)
        return HAS_VARIANTS.format(number=like.number, labs=either(possible))
    return ""


def renumber(text: str, old: str, new: str) -> str:
    """Return a text of lab `old` with the number of lab `new` in cookie names, ports and commands.

    Examples: sessionid_04, http://127.0.0.1:8004/, `lab run 04`, .lab/04, port 8004.
    """
    text = re.sub(rf"_{old}(?![0-9A-Za-z])", f"_{new}", text)
    text = re.sub(rf"(?<![0-9])80{old}(?![0-9])", f"80{new}", text)
    before = r"\blab [a-z]+ |\blab claims --lab |\.lab/"
    return re.sub(rf"({before}){old}(?![0-9])", rf"\g<1>{new}", text)


def _new_test(source: str, old: str, new: str) -> str:
    """Return a test file for the new lab, without claims, which the old lab's tests prove."""
    source = MARK.sub("", renumber(source, old, new))
    return source if "pytest." in source else ONLY_PYTEST.sub("", source)


def _handout(text: str, like: Lab, number: str, title: str) -> str:
    """Return the handout of the new lab, without the twin and the exercises of the old one."""
    _, _, text = renumber(text, like.number, number).partition("\n")
    text = re.sub(r"\n## (Twin|Claims)\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL)
    practice = f"\\g<1>{PRACTICE.format(number=number)}"
    text = re.sub(r"(\n## Practice\n).*?(?=\n## |\Z)", practice, text, flags=re.DOTALL)
    return f"# {number} {title}\n{text}"


def _entry(
    checkout: Catalog, number: str, slug: str, like: Lab, title: str, idea: str
) -> dict[str, object]:
    entry: dict[str, object] = {
        "number": number,
        "meeting": checkout.labs[-1].meeting,
        "slug": slug,
        "title": title,
        "idea": idea,
        "database": like.database,
    }
    optional = {"redis": like.redis, "contract": like.contract, "renews": like.renews}
    return entry | {key: value for key, value in optional.items() if value}


def _add_to_manifest(path: Path, entry: dict[str, object]) -> None:
    """Add an entry after the last lab, before the twins and the comment above them."""
    text = path.read_text(encoding="utf-8")
    # In TOML, a basic string, a number and a Boolean are written as in JSON.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entry.items()]
    end = re.search(r"(^#.*\n|\n)*^\[\[twins\]\]", text, re.MULTILINE)
    at = end.start() if end else len(text)
    write_whole(path, f"{text[:at].rstrip()}\n\n[[lab]]\n{''.join(lines)}\n{text[at:].lstrip()}")


def _add_row(path: Path, last_row: re.Pattern[str], row: Callable[[re.Match[str]], str]) -> None:
    """Add a row to the list in a document, if the checkout has this document and list."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if found := last_row.search(text):
        write_whole(path, text[: found.end()] + row(found) + text[found.end() :])
