"""Draw random pieces of the project's text for a reader to judge, mixed with old ones.

    python tests/support/text_sample.py --seed 1 --key key.json > sample.txt

A reader marks the pieces that an editor would rewrite, without knowing which ones are old. The key
records where each piece comes from. The sample has 20 pieces of each kind, and 20 pieces that only
the old version contains.
"""

import argparse
import ast
import io
import json
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prose import ROOT, docstrings

OLD = "d9b1191"  # a revision from before the text was rewritten
OF_EACH_KIND, OLD_ONES = 20, 20
FEWEST_WORDS = 5
PRIVATE = {".venv", ".nox", ".lab", "__pycache__", "node_modules"}
EXERCISES = "practice"  # the folder for started exercises, in the root
SENTENCE_END = re.compile(r"(?<=[.?!:])\s+(?=[A-Z“`*\[])")
INLINE_TAG = re.compile(r"</?(?:a|abbr|b|code|em|i|kbd|q|small|span|strong|sup|var|time)\b[^>]*>")
TAG = re.compile(r"<!--.*?-->|<(style|script|pre|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
DIRECTIVE = re.compile(
    r"(?:ruff:\s*)?(?:noqa|type|fmt):\s*(?:[A-Z]+\d+,?\s*|ignore\[[\w-]+\]|skip)+[\s#]*"
)
COMMENT_TAG = re.compile(r"\{%\s*comment.*?endcomment\s*%\}|\{#.*?#\}", re.DOTALL)
TEMPLATE_TAG = re.compile(r"(?:\{%.*?%\}|\{\{.*?\}\}|\s)*\{[%{].*?[%}]\}", re.DOTALL)
Piece = tuple[str, str]  # path, text


def is_prose(text: str) -> bool:
    """Return True if the text has enough words to be judged and is not code."""
    words = re.findall(r"(?<![\w/_.-])[A-Za-z][a-z’']*(?![\w/_(=])", text)
    return len(words) >= FEWEST_WORDS and len(" ".join(words)) > len(text) / 2


def files(root: Path, *patterns: str) -> Iterator[tuple[str, str]]:
    """Yield (path from the root, text) of the matching files, in order of path."""
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        name = path.relative_to(root)
        if not PRIVATE & set(name.parts) and name.parts[0] != EXERCISES:
            yield name.as_posix(), path.read_text(encoding="utf-8")


def handouts(root: Path) -> Iterator[Piece]:
    """Yield the sentences of the handouts."""
    for path, text in files(root, "labs/*/README.md"):
        for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
            if not re.match(r"    |#|\||```|!\[", block):
                plain = re.sub(r"^\s*(?:[-*]|\d+\.)\s+|</?(?:details|summary)>", " ", block)
                sentences = SENTENCE_END.split(" ".join(plain.split()))
                yield from ((path, each) for each in sentences)


def tables(root: Path) -> Iterator[Piece]:
    """Yield the text values in the tables, claims and notes."""
    for path, text in files(root, "labs/compare.toml", "labs/claims.toml", "labs/notes.toml"):
        yield from ((path, each) for each in strings(tomllib.loads(text)))


def strings(value: Any) -> Iterator[str]:
    """Yield all strings in a TOML value."""
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def pages(root: Path) -> Iterator[Piece]:
    """Yield the texts of all templates, and of the labs' forms."""
    for path, text in files(root, "labs/*/lab/**/*.html", "src/**/*.html"):
        shown = TAG.sub("\n\n", INLINE_TAG.sub("", COMMENT_TAG.sub("", text)))
        for each in re.split(r"\n\s*\n", TEMPLATE_TAG.sub("…", shown)):
            yield path, " ".join(each.split())
    for path, text in files(root, "labs/*/lab/forms.py"):
        yield from ((path, each) for each in literals(text))


def commands(root: Path) -> Iterator[Piece]:
    """Yield the help texts and messages of the command line."""
    for path, text in files(root, "src/labkit/cli*.py", "src/labkit/commands/*.py"):
        yield from ((path, each) for each in literals(text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and "click." in "".join(
                map(ast.unparse, node.decorator_list)
            ):
                help_text = ast.get_docstring(node) or ""
                yield from ((path, " ".join(part.split())) for part in help_text.split("\n\n"))


def literals(source: str) -> Iterator[str]:
    """Yield the strings of Python source except docstrings; an f-string's values become "…"."""
    tree = ast.parse(source)
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())
        elif isinstance(node, ast.JoinedStr):
            parts = (str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
            yield " ".join("".join(parts).split())


def code(root: Path) -> Iterator[Piece]:
    """Yield the paragraphs of docstrings, and comments."""
    for path, text in files(root, "src/**/*.py", "labs/**/*.py", "tests/**/*.py", "bench/*.py"):
        for _, docstring in docstrings(text):
            yield from ((path, " ".join(part.split())) for part in docstring.split("\n\n"))
        yield from ((path, each) for each in comments(text))


def comments(source: str) -> Iterator[str]:
    """Yield the comments of Python source; comments on consecutive lines are one piece.

    A comment after code is a separate piece.
    """
    lines: list[str] = []
    follows = 0  # the line on which the current comment may continue, or 0
    for found in tokenize.generate_tokens(io.StringIO(source).readline):
        if found.type == tokenize.COMMENT:
            own_line = not found.line[: found.start[1]].strip()
            if lines and not (own_line and found.start[0] == follows):
                yield " ".join(lines)
                lines = []
            lines.append(DIRECTIVE.sub("", found.string.lstrip("# ").strip()))
            follows = found.start[0] + 1 if own_line else 0
    if lines:
        yield " ".join(lines)


KINDS = {
    "handouts": handouts,
    "tables, claims and notes": tables,
    "pages and forms": pages,
    "command line": commands,
    "docstrings and comments": code,
}


def find_pieces(root: Path) -> dict[str, dict[str, str]]:
    """Return the pieces of every kind: kind -> {text: path}."""
    return {
        kind: {text: path for path, text in find(root) if is_prose(text)}
        for kind, find in KINDS.items()
    }


def draw(
    pieces: dict[str, dict[str, str]], each: int, chance: random.Random
) -> list[dict[str, str]]:
    """Return `each` different pieces of every kind."""
    return [
        {"kind": kind, "path": found[text], "text": text}
        for kind, found in pieces.items()
        for text in chance.sample(sorted(found), each)
    ]


def unpack(revision: str, folder: str) -> Path:
    """Return the folder with the files of a revision. Raises CalledProcessError."""
    archive = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return Path(folder)


def main() -> None:
    """Print the pieces, numbered, and write the key."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--old", default=OLD, help="the old version, a revision of Git")
    parser.add_argument("--key", type=Path, required=True, help="a file for the key, as JSON")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    new = find_pieces(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        old = find_pieces(unpack(options.old, folder))
    only_old = {
        kind: {text: path for text, path in found.items() if text not in new[kind]}
        for kind, found in old.items()
    }
    drawn = [piece | {"version": "new"} for piece in draw(new, OF_EACH_KIND, chance)]
    drawn += [
        piece | {"version": "old"} for piece in draw(only_old, OLD_ONES // len(KINDS), chance)
    ]
    chance.shuffle(drawn)
    options.key.write_text(json.dumps(dict(enumerate(drawn, 1)), indent=1), encoding="utf-8")
    for number, piece in enumerate(drawn, 1):
        sys.stdout.write(f"{number}. ({piece['kind']}) {piece['text']}\n\n")


if __name__ == "__main__":
    main()
