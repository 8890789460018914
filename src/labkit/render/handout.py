"""Render a checkout's Markdown files, such as handouts, with links that work on the site."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Protocol

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labkit.render.source_files import anchor

LAB_PAGE = re.compile(r"labs/([0-9]{2})_\w+(?:/README\.md)?/?")
LAB_FILE = re.compile(r"labs/([0-9]{2})_\w+/((?:lab|tests)/.+)")
DOCUMENT = re.compile(r"docs/([a-z-]+)\.md")
LAB_URL = re.compile(r"http://127\.0\.0\.1:80([0-9]{2})(/[\w/-]*)?")
SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


class Answers(StrEnum):
    """The ways in which a page can show the answers to its questions."""

    FOLDED = "folded"  # a click opens one
    OPEN = "open"
    HIDDEN = "hidden"  # the page does not contain the answers


class Links(Protocol):
    """The URLs of a site's pages, for links in Markdown files; None for missing pages."""

    def handout(self, number: str) -> str | None:
        """Return the URL of a lab's handout."""

    def code(self, number: str) -> str | None:
        """Return the URL of the page with a lab's code."""

    def claims(self, number: str) -> str | None:
        """Return the URL of a lab's claims, or of the claims of all labs if `number` is ""."""

    def document(self, name: str) -> str | None:
        """Return the URL of docs/NAME.md."""

    def lab(self, number: str, path: str) -> str | None:
        """Return the URL of a path in a running lab."""


@dataclass(frozen=True)
class Page:
    """A rendered file."""

    title: str
    html: SafeString
    has_answers: bool


def render_page(text: str, folder: str, links: Links, answers: Answers = Answers.FOLDED) -> Page:
    """Render Markdown as HTML. HTML in the Markdown is kept, since labkit's files are trusted.

    `folder` is the file's folder in the checkout, for resolving relative links. Each <details>
    element contains a question and its answer.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    has_answers = any(_is_question(token) for token in tokens)
    if answers is Answers.HIDDEN:
        tokens = list(_without_answers(tokens))
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = list(_rewrite_links(token.children, folder, links))
        elif token.type == "html_block":
            # Markdown parsers do not process text in HTML, but the question in <summary> is
            # Markdown.
            token.content = SUMMARY.sub(
                lambda found: f"<summary>{markdown.renderInline(found[1])}</summary>", token.content
            )
            if answers is Answers.OPEN:
                token.content = token.content.replace("<details>", "<details open>")
            elif answers is Answers.HIDDEN:
                token.content = token.content.replace("summary>", "p>")
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", _slug(content.content))
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        # An empty header cell confuses screen readers.
        if opening.type == "th_open" and not content.content:
            opening.tag = closing.tag = "td"
    title = next((t.content for t in tokens if t.type == "inline"), "")
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Page(title, mark_safe(html), has_answers)


def _is_question(token: Token) -> bool:
    return token.type == "html_block" and "<details" in token.content


def _without_answers(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the tokens; of each <details> element, keep only the <summary>.

    If a <details> element is not closed, the rest of the file is treated as the answer.
    """
    inside = False
    for token in tokens:
        if not inside and _is_question(token):
            inside = "</details>" not in token.content
            questions = "".join(found[0] for found in SUMMARY.finditer(token.content))
            yield token.copy(content=f'<div class="question">{questions}</div>\n')
        elif inside:
            inside = token.type != "html_block" or "</details>" not in token.content
        else:
            yield token


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _rewrite_links(children: list[Token], folder: str, links: Links) -> Iterator[Token]:
    """Yield the tokens, with links to the site's pages; drop links for which there is no page."""
    inside = dropped = False  # links do not nest
    for child in children:
        if child.type == "image" and not re.match(r"[a-z]+:", str(child.attrs["src"])):
            # The site does not serve image files.
            yield Token("text", "", 0, content=f"Picture: {child.content}")
            continue
        if child.type == "link_open":
            target = _target(str(child.attrs["href"]), folder, links)
            inside, dropped = True, target is None
            child.attrSet("href", target or "")
        if child.type == "text" and not inside:
            yield from _link_lab_urls(child, links)
        elif not dropped or child.type not in {"link_open", "link_close"}:
            yield child
        if child.type == "link_close":
            inside = dropped = False


def _target(link: str, folder: str, links: Links) -> str | None:
    """Return the site's URL for a link from a file in this folder, or None if there is no page."""
    path, _, fragment = link.partition("#")
    if re.match(r"[a-z]+:", link) or not path:
        return link
    path = posixpath.normpath(posixpath.join(folder, path))
    if found := LAB_PAGE.fullmatch(path):
        return links.handout(found[1])
    if found := LAB_FILE.fullmatch(path):
        page = links.code(found[1])
        return page and f"{page}#{anchor(found[2])}"
    if path == "docs/claims.md":
        return links.claims(fragment.removeprefix("lab-") if fragment.startswith("lab-") else "")
    if (found := DOCUMENT.fullmatch(path)) and (page := links.document(found[1])):
        return page + (f"#{fragment}" if fragment else "")
    return None


def _link_lab_urls(text: Token, links: Links) -> Iterator[Token]:
    """Yield the tokens of some text. URLs of labs become links to the labs' current ports."""
    end = 0
    for found in LAB_URL.finditer(text.content):
        url = links.lab(found[1], found[2] or "/")
        if url is None:
            continue
        yield text.copy(content=text.content[end : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": url})
        yield text.copy(content=url)
        yield Token("link_close", "a", -1)
        end = found.end()
    yield text.copy(content=text.content[end:])
