"""A browser rejects a stylesheet whose integrity hash is wrong; the labs use local files."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from django.urls import set_script_prefix

from labkit.base import assets
from labkit.base.templatetags.labkit import asset_url
from labkit.render import PALETTE

ADDRESS = "/__lab__/static/lab.css"


def hashes():
    """The hash of the labs' stylesheet, and two typical misprints of the hash."""
    content = (assets.ASSETS / "lab.css").read_bytes()
    right = base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert len(right) == 64
    other = "A" if right[10] != "A" else "B"
    return right, right[:30] + right[31:], right[:10] + other + right[11:]


@pytest.mark.pitfall("B45")
def test_a_stylesheet_with_a_mistyped_hash_is_not_applied(chromium, server):
    page = chromium.page
    page.goto(server.url("/"))
    rules = "[...document.styleSheets].map(sheet => sheet.cssRules.length > 0)"
    # Two stylesheets are loaded, those of the labs and of the panel.
    assert page.evaluate(rules) == [True, True]
    applied = []
    for value in hashes():
        integrity = f'integrity="sha384-{value}"'
        page.set_content(f'<link rel="stylesheet" href="{ADDRESS}" {integrity}><h1>x</h1>')
        applied.append(page.evaluate(rules))
    assert applied == [[True], [], []]


@pytest.mark.pitfall("B45")
def test_the_labs_stylesheet_is_their_own_and_has_no_hash(checkout, visitor):
    response = visitor.get(ADDRESS)
    assert response.getvalue() == (assets.ASSETS / "lab.css").read_bytes()
    response.close()
    for lab in checkout.labs:
        base = (lab.folder / "lab" / "templates" / "base.html").read_text(encoding="utf-8")
        assert "{% asset 'lab.css' %}" in base
        for path in (lab.folder / "lab" / "templates").rglob("*.html"):
            assert "integrity" not in path.read_text(encoding="utf-8")


def test_its_address_is_right_under_a_prefix_too():
    found = []
    for prefix in ("/", "/labs/", "/"):
        set_script_prefix(prefix)
        found.append(asset_url("lab.css"))
    assert found == ["/__lab__/static/lab.css", "/labs/__lab__/static/lab.css", found[0]]


def test_every_colour_comes_from_the_one_palette():
    """lab.css contains the palette, since an @import would need another request for each page."""
    palette = PALETTE.read_text(encoding="utf-8")
    lab_css = assets.ASSETS / "lab.css"
    assert lab_css.read_text(encoding="utf-8").startswith(palette)
    colours = set(re.findall(r"(--[\w-]+):", palette))
    used, others = set(), set()  # `others` are values that are computed from a colour or a length
    labkit = Path(assets.__file__).parents[1]
    for path in labkit.rglob("*.css"):
        if path not in {PALETTE, lab_css}:
            css = path.read_text(encoding="utf-8")
            assert "prefers-color-scheme" not in css, path
            used |= set(re.findall(r"var\((--[\w-]+)", css))
            others |= set(re.findall(r"(--[\w-]+): *(?:var\(|[0-9.]+%|calc\()", css))
    for path in labkit.rglob("*.html"):
        others |= set(re.findall(r"(--[\w-]+): {{ [^}]*floatformat", path.read_text("utf-8")))
    assert used - others <= colours
