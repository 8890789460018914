"""Markdown files of the checkout as pages of the console, with links that lead to such pages."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labkit.console.source_code import anchor
from labkit.serve.supervisor import Supervisor

LAB_PAGE = re.compile(r"labs/([0-9]{2})_\w+(?:/README\.md)?/?")
LAB_FILE = re.compile(r"labs/([0-9]{2})_\w+/((?:lab|tests)/.+)")
DOCUMENT = re.compile(r"docs/([a-z-]+)\.md")
LAB_ADDRESS = re.compile(r"http://127\.0\.0\.1:80([0-9]{2})(/[\w/-]*)?")
SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A rendered file."""

    title: str
    html: SafeString
    has_answers: bool


def render_page(text: str, folder: str, supervisor: Supervisor, *, answers: bool = False) -> Page:
    """This Markdown as HTML; `folder` is where its file lies in the checkout, for its links.

    HTML in the text stays: these are our own files. `answers` opens every <details>.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = list(_relinked(token.children, folder, supervisor))
        elif token.type == "html_block":
            # Markdown leaves HTML alone, but a question in <summary> is meant to be read as it.
            token.content = SUMMARY.sub(
                lambda found: f"<summary>{markdown.renderInline(found[1])}</summary>", token.content
            )
            if answers:
                token.content = token.content.replace("<details>", "<details open>")
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", _slug(content.content))
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not content.content:  # it is the head of nothing
            opening.tag = closing.tag = "td"
    title = next((t.content for t in tokens if t.type == "inline"), "")
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Page(title, mark_safe(html), "<details" in html)


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _relinked(children: list[Token], folder: str, supervisor: Supervisor) -> Iterator[Token]:
    """The same tokens, with each link leading to a page of the console, or taken out."""
    dropped = 0
    inside = 0
    for child in children:
        if child.type == "link_open":
            target = _target(str(child.attrs["href"]), folder, supervisor)
            inside += 1
            if target is None:
                dropped += 1
                continue
            child.attrSet("href", target)
        elif child.type == "link_close":
            inside -= 1
            if dropped:
                dropped -= 1
                continue
        elif child.type == "text" and not inside:
            yield from _with_addresses(child, supervisor)
            continue
        yield child


def _target(link: str, folder: str, supervisor: Supervisor) -> str | None:
    """Where a link of a file in this folder leads in the console; None where there is no page."""
    path, _, fragment = link.partition("#")
    if re.match(r"[a-z]+:", link) or not path:
        return link
    path = posixpath.normpath(posixpath.join(folder, path))
    if found := LAB_PAGE.fullmatch(path):
        return reverse("handout", args=[found[1]]) if supervisor.find(found[1]) else None
    if found := LAB_FILE.fullmatch(path):
        page = reverse("code", args=[found[1]]) if supervisor.find(found[1]) else None
        return page and f"{page}#{anchor(found[2])}"
    if path == "docs/claims.md":
        lab = fragment.removeprefix("lab-") if fragment.startswith("lab-") else ""
        return reverse("claims") + (f"?lab={lab}" if lab else "")
    found = DOCUMENT.fullmatch(path)
    if found and (supervisor.checkout.root / path).is_file():
        return reverse("document", args=[found[1]]) + (f"#{fragment}" if fragment else "")
    return None


def _with_addresses(text: Token, supervisor: Supervisor) -> Iterator[Token]:
    """A text with the addresses of labs in it made links, to the port where the lab is now."""
    end = 0
    for found in LAB_ADDRESS.finditer(text.content):
        served = supervisor.find(found[1])
        if served is None:
            continue
        yield _like(text, text.content[end : found.start()])
        address = escape(f"http://127.0.0.1:{served.port}{found[2] or '/'}")
        link = Token("html_inline", "", 0)
        link.content = f'<a href="{address}">{address}</a>'
        yield link
        end = found.end()
    yield _like(text, text.content[end:])


def _like(text: Token, content: str) -> Token:
    return text.copy(content=content)
