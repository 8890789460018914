"""Find phrases for which there is a better wording, in all text that people read."""

import ast
import io
import re
import token
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "labs", "bench", "docs")
SUFFIXES = {".py", ".html", ".toml", ".md", ".txt", ".js", ".css"}
GENERATED = {".pytest_cache", "__pycache__", ".lab", "docs/claims.md"}  # paths, or folders
EXEMPT = {"tests/support/prose.py", "tests/test_prose.py"}  # these name the phrases


class Rule(NamedTuple):
    """A phrase to avoid, the pattern that finds it, and the better wording."""

    phrase: str
    pattern: str
    better: str
    match_case: bool = False


RULES = (
    Rule("anew", r"\banew\b", "again, from scratch"),
    Rule("is none", r"(?<![Tt]here )\bis none\b", "is not one, has none", True),
    Rule("is no …", r"(?<!there )\bis no (?!longer|more|less|better|worse)\b", "is not a …"),
    Rule("of its own", r"\bof (?:one's|its|their|his|her|your|my|our) own\b", "own, separate"),
    Rule("no row of this visitor's", r"\bis no \w+ of\b", "belongs to a different …"),
    Rule("opens nothing", r"\bopen(?:s|ed)? nothing\b", "matches no session"),
    Rule("Chinese signs", r"\bChinese signs?\b", "Chinese characters"),
    Rule("save over", r"\b(?:save|saves|saved|saving) over\b", "overwrite"),
    Rule("as ever", r"\bas ever\b", "as before, or nothing"),
    Rule("and no more", r"\band no more\b(?! than)", "only"),
    Rule("till", r"\btill\b", "until"),
    Rule("meanwhile", r"\bmeanwhile\b", "in the meantime, or name the time"),
    Rule("besides", r"\bbesides\b", "also, apart from"),
    Rule("Else, …", r"(?<=[.:?!] )Else\b", "Otherwise", True),
    Rule("whoever", r"\bwhoever\b", "name the person: the visitor, the reader"),
    Rule("somebody", r"\bsomebody\b", "a visitor, someone"),
    Rule("is told", r"\b(?:is|was|are|were|be|been|being) told\b", "name what is sent or printed"),
    Rule("nobody told", r"\bnobody (?:told|tells)\b", "name what is missing"),
    Rule("comes along", r"\b(?:come|comes|came|bring|brings|brought) along\b", "is sent, sends"),
    Rule("to be so", r"\bto be so\b", "confirmed"),
    Rule("too long an address", r"\btoo long an address\b", "URI too long"),
    Rule("lies in the …", r"\blies? (?:in|on) (?:the|a|an|its|their)\b", "is stored in"),
    Rule("the one wrote", r"\bwhat the one\b", "name the first and the second"),
    Rule("foretold", r"\bforetold\b", "expected, predicted"),
    Rule("so many", r"\bso many\b(?! that)", "the name of the limit, this many"),
    Rule("put back", r"\bput back\b", "restored"),
    Rule("in the end", r"\bin the end\b", "at the end, finally"),
    Rule("stands in the …", r"\bstands? (?:in|on) (?:the|a|an|its|their)\b", "is in"),
    Rule("makes of it", r"\bmakes? of (?:it|them|that)\b", "does with it"),
    Rule("What … (docstring)", r"\A\s*What\b", "Return …, Yield …, Start …", True),
    Rule("Whether … (docstring)", r"\A\s*Whether\b", "Return True if …", True),
    Rule("Where … (docstring)", r"\A\s*(?:Where|Which|Whose)\b", "name the thing", True),
    Rule("Have … (docstring)", r"\A\s*Have\b", "Make …", True),
)
OF_DOCSTRINGS = tuple(rule for rule in RULES if rule.phrase.endswith("(docstring)"))
_PATTERNS = {
    rule: re.compile(
        rule.pattern.replace(" ", r"\s+" if "(?<" not in rule.pattern else r"\s"),
        0 if rule.match_case else re.IGNORECASE,
    )
    for rule in RULES
}

_TEXT = {"COMMENT", "STRING", "FSTRING_START", "FSTRING_END"}


class Offence(NamedTuple):
    """A phrase found in a file. Its str() is `file:line: phrase: better wording`."""

    path: str
    line: int
    rule: Rule

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.rule.phrase}”: write “{self.rule.better}”"


def read_files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (path from the root, text) of each file with text that people read."""
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*")]
    for path in sorted([*found, *root.glob("*.md"), *root.glob("*.py"), *root.glob("*.toml")]):
        name = path.relative_to(root).as_posix()
        if path.suffix in SUFFIXES and not {name, *path.parts} & (EXEMPT | GENERATED):
            yield name, path.read_text(encoding="utf-8")


def find_offences(path: str, text: str) -> Iterator[Offence]:
    """Yield the offences in one file, in the order of the rules.

    Raises SyntaxError for a Python file that cannot be parsed.
    """
    prose = blank_code(text) if path.endswith(".py") else text
    for rule, pattern in _PATTERNS.items():
        if rule not in OF_DOCSTRINGS:
            for match in pattern.finditer(prose):
                yield Offence(path, prose.count("\n", 0, match.start()) + 1, rule)
    if path.endswith(".py"):
        for line, docstring in docstrings(text):
            for rule in OF_DOCSTRINGS:
                if _PATTERNS[rule].search(docstring):
                    yield Offence(path, line, rule)


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, docstring) of a module, its classes and its functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


def blank_code(source: str) -> str:
    """Return Python source with everything except comments and strings blanked out.

    Line numbers do not change. Quotes and # become spaces, so that a sentence may run over several
    lines. Code becomes NUL characters, so that no phrase is found across code.
    """
    blanked = [character if character.isspace() else "\0" for character in source]
    for kind, start, end in find_text(source):
        part = source[start:end]
        blanked[start:end] = part.replace("#", " ", 1) if kind == "COMMENT" else _unquote(part)
    return "".join(blanked)


def find_text(source: str) -> Iterator[tuple[str, int, int]]:
    """Yield ("COMMENT" or "STRING", start, end) for Python source; offsets are in characters.

    An f-string counts as one string, although newer versions of Python split it into tokens.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    opened, depth = 0, 0
    for found in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = token.tok_name[found.type]
        if kind not in _TEXT:
            continue
        start, end = (starts[row - 1] + column for row, column in (found.start, found.end))
        if kind == "FSTRING_START":
            opened = opened if depth else start
            depth += 1
        elif kind == "FSTRING_END":
            depth -= 1
            kind, start = "STRING", opened
        if depth == 0:
            yield kind, start, end


def _unquote(literal: str) -> str:
    """Return a string literal with its prefix and quotes replaced by spaces."""
    match = re.fullmatch(r"""([A-Za-z]*)("{3}|'{3}|"|')(.*)\2""", literal, re.DOTALL)
    assert match, literal
    prefix, quotes, inner = match.groups()
    return " " * len(prefix + quotes) + inner + " " * len(quotes)


def find_all_offences(root: Path) -> list[Offence]:
    """Return the offences in all files, in order of path."""
    return [offence for path, text in read_files(root) for offence in find_offences(path, text)]
