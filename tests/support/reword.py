"""Reword visible sentences in a copy of the checkout, and check that no test there fails.

A test that then fails depends on the wording of a page or message, so editing the text would break
the test. `nox -s reword` draws 50 sentences, and `nox -s reword -- --seed 7 --count 500` draws 500
others.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import prose

ROOT = prose.ROOT
COPIED = ("src", "tests", "labs", "docs", "bench")
IN_PROCESS = (
    "not browser and not differential and not mysql and not redis and not panel and not charts"
    " and not thorough"
)
WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?[,.;:!?]?")
SEVERAL_WORDS = re.compile(rf"(?:(?<![-\w]){WORD.pattern}\s+){{3}}")
# The separators of a template's text: tags, template tags, variables and comments.
MARKUP = re.compile(
    r"<!--.*?-->|<(style|script)\b.*?</\1>|\{%\s*comment.*?endcomment\s*%\}"
    r"|<[^>]*>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}",
    re.DOTALL,
)
# A manifest's value is text if it contains spaces: names of fields, files and tests contain none.
# Titles of labs are left out, because handouts and the README repeat them on purpose.
TOML_VALUE = re.compile(r'^(?:(?!title\b)\w+ = |"[^"\n]*" = )"(?P<text>[^"\n]*)"', re.MULTILINE)
# Strings that are not text: SQL, expressions of pytest marks, commands and configuration.
COMMAND = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|SET|BEGIN|SHOW|GRANT)\b"
    r"| --?[a-z]|\blab [a-z]+ \{|\bnot [a-z]+ and not\b"
)


class Sentence(NamedTuple):
    """A piece of visible text, and where it is."""

    path: str
    line: int
    start: int  # the position in the file, in characters
    text: str


# Which text is visible


def find_sentences(root: Path) -> Iterator[Sentence]:
    """Yield the visible sentences of templates, code, manifests and handouts."""
    quoted = _read_quotes(root)
    for path, text in prose.read_files(root):
        for start, end in _find_spans(path, text):
            part = text[start:end]
            if any(quote in part for quote in quoted):
                continue
            if SEVERAL_WORDS.search(f"{part} "):
                yield Sentence(path, text.count("\n", 0, start) + 1, start, part)


def _read_quotes(root: Path) -> set[str]:
    """Return the keys in notes.toml, which quote the lines of code that changed."""
    path = root / "labs/notes.toml"
    manifest = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    pairs = manifest.get("pair", [])
    titles = {file.partition(", ")[2] for pair in pairs for file in pair["notes"]}
    lines = {key for pair in pairs for notes in pair["notes"].values() for key in notes}
    return {quote for quote in titles | lines if " " in quote}


def _find_spans(path: str, text: str) -> Iterator[tuple[int, int]]:
    if not path.startswith(("src/", "labs/")) or "/tests/" in path or "/contracts/" in path:
        return
    if path.endswith(".html"):
        ahead = 0
        for match in MARKUP.finditer(text):
            yield ahead, match.start()
            ahead = match.end()
        yield ahead, len(text)
    elif path.endswith(".py"):
        yield from _find_strings(text)
    elif path.startswith("labs/") and path.endswith(".toml"):
        for match in TOML_VALUE.finditer(text):
            yield match.span("text")
    elif path.startswith("labs/") and path.endswith("README.md"):
        # Headings, tables and code are left out, since tests and `lab` read them.
        for match in re.finditer(r"^(?=[A-Z])(?:.+\n?)+", text, re.MULTILINE):
            yield match.span()


def _find_strings(source: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of strings that may be printed or rendered, except docstrings and SQL."""
    docstring_lines = {line for line, _ in prose.docstrings(source)}
    for kind, start, end in prose.find_text(source):
        literal = source[start:end]
        line = source.count("\n", 0, start) + 1
        if kind != "STRING" or literal[0] in "rbRB" or line in docstring_lines:
            continue
        if not COMMAND.search(literal):
            yield start, end


# Rewording


def reword(text: str) -> str:
    """Return the text with adjacent words swapped; markup, names and placeholders stay.

    If the text has at least three words, no two words that were adjacent are still adjacent
    afterwards.
    """
    parts = re.split(r"(\{[^{}]*\}|`[^`]*`|\[[^\]]*\]\([^)]*\)|\\.|%\(?\w+\)?[sd]?|\s+)", text)
    words = [index for index, part in enumerate(parts) if WORD.fullmatch(part)]
    ahead = iter(words)
    for index in ahead:
        after = index + 2  # a space lies between
        if after in words and parts[index + 1].isspace() and "\n" not in parts[index + 1]:
            parts[index], parts[after] = parts[after], parts[index]
            next(ahead, None)
    return "".join(parts)


def reword_in(root: Path, sentences: list[Sentence]) -> list[Sentence]:
    """Reword all occurrences of these sentences; return the sentences that changed.

    Twin labs share most of their text, so all occurrences are changed in the same way.
    """
    texts = {sentence.text: reword(sentence.text) for sentence in sentences}
    everywhere = [found for found in find_sentences(root) if found.text in texts]
    for path in {found.path for found in everywhere}:
        content = (root / path).read_text(encoding="utf-8")
        for found in sorted((f for f in everywhere if f.path == path), key=lambda f: -f.start):
            end = found.start + len(found.text)
            content = content[: found.start] + texts[found.text] + content[end:]
        if path.endswith(".py"):
            ast.parse(content)
        (root / path).write_text(content, encoding="utf-8")
    return [sentence for sentence in sentences if texts[sentence.text] != sentence.text]


# The tests


def copy_checkout(folder: Path) -> None:
    ignored = shutil.ignore_patterns(*prose.GENERATED, ".lab")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("*.toml"), ROOT / ".ci"]:
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)


def run_tests(root: Path, chosen: list[str]) -> Iterator[str]:
    """Yield the node ID of each failing test in this checkout, with the first line of its error."""
    environ = os.environ | {"PYTHONPATH": str(root / "src"), "LAB_RESULTS": ""}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    # The files that these commands generate quote the sentences.
    for generated in ("claims", "compare"):
        write = [sys.executable, "-m", "labkit.cli", generated, "--write"]
        subprocess.run(write, cwd=root, env=environ, check=True, capture_output=True)
    folders = chosen or ["tests", *sorted(str(p.parent) for p in root.glob("labs/*/manage.py"))]
    for folder in folders:
        # test_prose.py checks the wording itself.
        command = [sys.executable, "-m", "pytest", folder, "-q", "-rfE", "--tb=no"]
        command += ["--ignore=tests/test_prose.py", "-m", IN_PROCESS, "-p", "no:cacheprovider"]
        command += ["-n", "logical", "--dist", "loadscope"] if folder == "tests" else []
        done = subprocess.run(
            command, cwd=root, env=environ, check=False, capture_output=True, text=True
        )
        yield from re.findall(r"^(?:FAILED|ERROR) .+", done.stdout, re.MULTILINE)
        if done.returncode not in (0, 1):
            yield f"{folder}: pytest ended with {done.returncode}: {done.stdout[-2000:]}"


def main() -> int:
    """Reword, run the tests, and print each sentence and each failing test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50, help="how many sentences (50)")
    parser.add_argument("tests", nargs="*", help="files or folders of tests; all if none is given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reword-") as folder:
        root = Path(folder)
        copy_checkout(root)
        every = sorted(find_sentences(root))
        drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
        changed = reword_in(root, sorted(drawn))
        for sentence in changed:
            print(f"{sentence.path}:{sentence.line}: {' '.join(sentence.text.split())}")
        print(f"{len(changed)} of {len(every)} sentences, seed {options.seed}", flush=True)
        failed = 0
        for line in run_tests(root, options.tests):
            print(line, flush=True)
            failed += 1
    print(f"{failed} tests failed." if failed else "No test failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
