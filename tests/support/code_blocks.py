"""Find the code blocks of README.md, CONTRIBUTING.md and docs/testing.md that are not files."""

import re

from documents import FILE_NAME, ROOT, Document, words_of

RECORDED = "import pytest\n\nfrom labkit.testing.effects"
# The first words of each block that has a test.
TESTED = {
    "README.md": [
        *("python3 -m venv", "py -m venv", "lab serve", "lab run 03", "lab list 03"),
        *("lab practice", "nox"),
    ],
    "CONTRIBUTING.md": [
        *("python3 -m venv", "labs/labs.toml", "cli", ".venv/bin/python docs/screenshots.py"),
        "def test_reading_does_not_extend_the_expiry",
    ],
    "docs/testing.md": [
        *("nox", "nox -s bench", "pip install 'path", "pip install build", "visitor.jar"),
        *("nox -s differential -- --lines", "lab record 04", RECORDED),
    ],
}
BLOCKS = {
    name: [text for text in Document.read(ROOT / name).code_blocks if not FILE_NAME.match(text)]
    for name in TESTED
}


def block(name: str, start: str) -> str:
    """Return the block of a document that begins with these words from TESTED."""
    longest = sorted(TESTED[name], key=len, reverse=True)
    firsts = [next(filter(text.startswith, longest), None) for text in BLOCKS[name]]
    assert firsts.count(start) == 1, (name, start)
    return BLOCKS[name][firsts.index(start)]


def commands(name: str, start: str) -> dict[str, str]:
    """Return the commands of a block as {words joined by spaces: comment}."""
    found = {}
    for line in block(name, start).strip().splitlines():
        *others, last = line.split(" && ")
        comment = re.split(r"\s{2,}#? ?", last, maxsplit=1)[1:]
        found |= {" ".join(words_of(part)): "" for part in others}
        found[" ".join(words_of(last))] = "".join(comment)
    return found
