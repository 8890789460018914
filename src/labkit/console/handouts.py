"""Render Markdown files of the checkout, with links that lead to pages of the console."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labkit.console.source_pages import anchor
from labkit.serve.supervisor import Supervisor

LAB_PAGE = re.compile(r"labs/([0-9]{2})_\w+(?:/README\.md)?/?")
LAB_FILE = re.compile(r"labs/([0-9]{2})_\w+/((?:lab|tests)/.+)")
DOCUMENT = re.compile(r"docs/([a-z-]+)\.md")
LAB_URL = re.compile(r"http://127\.0\.0\.1:80([0-9]{2})(/[\w/-]*)?")
SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A rendered file."""

    title: str
    html: SafeString
    has_answers: bool


def render_page(text: str, folder: str, supervisor: Supervisor, *, answers: bool = False) -> Page:
    """Return this Markdown as HTML, including any HTML in it: the files are labkit's own.

    `folder` is the file's folder in the checkout, for relative links. `answers` opens every
    <details>.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = list(_rewrite_links(token.children, folder, supervisor))
        elif token.type == "html_block":
            # Markdown leaves HTML alone, but a question in <summary> is Markdown, too.
            token.content = SUMMARY.sub(
                lambda found: f"<summary>{markdown.renderInline(found[1])}</summary>", token.content
            )
            if answers:
                token.content = token.content.replace("<details>", "<details open>")
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", _slug(content.content))
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        # An empty header cell confuses screen readers.
        if opening.type == "th_open" and not content.content:
            opening.tag = closing.tag = "td"
    title = next((t.content for t in tokens if t.type == "inline"), "")
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Page(title, mark_safe(html), "<details" in html)


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _rewrite_links(children: list[Token], folder: str, supervisor: Supervisor) -> Iterator[Token]:
    """Yield the tokens with each link leading to a page of the console, or without the link."""
    inside = dropped = False  # links do not nest
    for child in children:
        if child.type == "link_open":
            target = _target(str(child.attrs["href"]), folder, supervisor)
            inside, dropped = True, target is None
            child.attrSet("href", target or "")
        if child.type == "text" and not inside:
            yield from _link_lab_urls(child, supervisor)
        elif not dropped or child.type not in {"link_open", "link_close"}:
            yield child
        if child.type == "link_close":
            inside = dropped = False


def _target(link: str, folder: str, supervisor: Supervisor) -> str | None:
    """Return the console's URL for a link of a file in this folder; None if it has no page."""
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


def _link_lab_urls(text: Token, supervisor: Supervisor) -> Iterator[Token]:
    """Yield a text with the URLs of labs made links to the port that the lab now has."""
    end = 0
    for found in LAB_URL.finditer(text.content):
        served = supervisor.find(found[1])
        if served is None:
            continue
        yield text.copy(content=text.content[end : found.start()])
        url = f"http://127.0.0.1:{served.port}{found[2] or '/'}"
        yield Token("link_open", "a", 1, attrs={"href": url})
        yield text.copy(content=url)
        yield Token("link_close", "a", -1)
        end = found.end()
    yield text.copy(content=text.content[end:])
