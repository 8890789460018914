"""Read the documents of a checkout: their links, anchors and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
FILES = ("*.md", "docs/*.md", "docs/measured/*.md", "labs/*/README.md")

INLINE = r"(\w+=\S+ )*(lab|nox) \S+ \S"
PROGRAMS = {"lab", "nox", "pytest", "python", "pip", "sudo"}
# The first words of code blocks that are not commands.
OTHER_BLOCKS = {
    "import", "from", "def", "visitor.jar", "[last-one-wins]", "[red-apple]", "labs/labs.toml",
    "cli", "POST", "Caught",
}  # fmt: skip

# Rules for URLs of RFCs and of Django's documentation, which exist in several forms.
FORMS = {
    "www.rfc-editor.org": r"https://[^/]+/rfc/rfc\d{3,4}\.html(#((section|appendix)-[\dA-Z.]+|name-[\w-]+))?",
    "docs.djangoproject.com": r"https://[^/]+/en/5\.2/([\w.-]+/)+(#[\w.-]+)?",
    "datatracker.ietf.org": r"https://[^/]+/doc/html/[\w-]+(#((section|appendix)-[\dA-Z.]+|name-[\w-]+))?",
}
FILE_NAME = re.compile(r"(?:# |\{# )(\w+\.(?:py|html))\b")
URL = r"https://[\w-]+(\.[\w-]+)+/[\w./#+=?&%:-]*"


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Document":
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """Its path from the root of the checkout."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def _blocks(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def tokens(self) -> list[Token]:
        """Its Markdown tokens, including inline ones."""
        return [token for block in self._blocks for token in (block, *(block.children or []))]

    @cached_property
    def anchors(self) -> set[str]:
        """The IDs that GitHub gives its headings, and explicit IDs."""
        pairs = zip(self._blocks, self._blocks[1:], strict=False)
        headings = [text for token, text in pairs if token.type == "heading_open"]
        texts = ["".join(part.content for part in text.children or []) for text in headings]
        ids = {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}
        return ids | set(re.findall(r'<a id="([^"]+)">', self.text))

    @property
    def links(self) -> list[str]:
        """The targets of its links and images."""
        targets = (token.attrGet("href") or token.attrGet("src") for token in self.tokens)
        return [str(target) for target in targets if target]

    def broken_links(self) -> Iterator[str]:
        """Yield broken links and malformed URLs."""
        for link in self.links:
            path, _, anchor = link.partition("#")
            target = (self.path.parent / path).resolve() if path else self.path
            if re.match(r"[a-z]+:", link):
                if not re.fullmatch(FORMS.get(urlsplit(link).netloc, URL), link):
                    yield link
            elif not (target.exists() and target.is_relative_to(ROOT)) or (
                anchor and anchor not in (Document.read(target) if path else self).anchors
            ):
                yield link

    @property
    def code_blocks(self) -> list[str]:
        """The code blocks of the document."""
        return [token.content for token in self.tokens if token.type in {"code_block", "fence"}]

    def files(self) -> dict[str, str]:
        """Return the code blocks that begin with the name of a file, as {name: content}."""
        named = ((FILE_NAME.match(block), block) for block in self.code_blocks)
        return {found[1]: block for found, block in named if found}

    def block_commands(self) -> Iterator[tuple[str, ...]]:
        """Yield the words of each line in code blocks, except for OTHER_BLOCKS."""
        for block in self.code_blocks:
            lines = block.split("\n")
            first = [] if FILE_NAME.match(block) else lines[0].split()[:1]
            if first and first[0] not in OTHER_BLOCKS and not first[0].startswith("@"):
                parts = (part for line in lines if line.strip() for part in line.split(" && "))
                yield from map(words_of, parts)

    def inline_commands(self) -> Iterator[tuple[str, ...]]:
        """Yield the words of each `lab` and `nox` command in the text."""
        for token in self.tokens:
            if token.type == "code_inline" and re.match(
                r"(\w+=\S+ )*(lab|nox) \S+ \S", token.content
            ):
                yield words_of(token.content)


def words_of(line: str) -> tuple[str, ...]:
    """Return the words of a command, without comment, environment variables and program path.

    A command for Windows is returned as the corresponding command for Linux.
    """
    line = re.split(r"\s{2,}| # | > ", line.strip())[0]
    line = re.sub(r'^(\$env:)?\w+ = "[^"]*"; ', "", line)
    line = line.replace(".venv\\Scripts\\", ".venv/bin/")
    words = shlex.split(line)
    while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
        words = words[1:]
    program = words[0].removeprefix(".venv/bin/")
    return ({"py": "python", "python3": "python"}.get(program, program), *words[1:])


def read_documents() -> list[Document]:
    """Return all documents, by name."""
    return [Document.read(path) for path in sorted(p for f in FILES for p in ROOT.glob(f))]
