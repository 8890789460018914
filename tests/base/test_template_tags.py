"""Test the template tags that every lab uses."""

import lxml.html
import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.html import escape

from labkit.base.templatetags.labkit import asset_url

LINKS = (
    '{% load labkit %}{% mark_current %}<a href="/">Start</a> <a href="/set/">Set</a> '
    '<a href="/cookie/name/">Cookies</a>{% endmark_current %}'
)


def marked(path):
    """Return the marked links on the page at this path: [(text, mark)]."""
    context = Context()
    context.request = RequestFactory().get(path)
    page = lxml.html.fragment_fromstring(Template(LINKS).render(context), create_parent=True)
    return [(link.text, link.get("aria-current")) for link in page.xpath(".//a[@aria-current]")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", [("Start", "page")]),
        ("/set/?first=1", [("Set", "page")]),
        ("/cookie/name/", [("Cookies", "page")]),
        ("/cookie/age/", [("Cookies", "true")]),
        ("/__lab__/code/", []),
        ('/"><b>/', []),
    ],
)
def test_the_link_to_this_page_is_marked(path, expected):
    assert marked(path) == expected


def test_without_a_request_no_link_is_marked():
    assert "aria-current" not in Template(LINKS).render(Context())


@pytest.mark.parametrize(
    "template",
    [
        "{% load labkit %}{% lab_number %}: {% lab_title %}. {% lab_idea %}",
        "{% load labkit %}{% this_lab as lab %}{{ lab.number }}: {{ lab.title }}. {{ lab.idea }}",
    ],
)
def test_a_template_names_its_lab(checkout, template):
    lab = checkout.find("03")
    shown = f"{lab.number}: {escape(lab.title)}. {escape(lab.idea)}"
    assert Template(template).render(Context()) == shown


@pytest.mark.parametrize("quoted", ["'lab.css'", '"lab.css"'])
def test_an_asset_is_named_in_either_quotes(quoted):
    template = Template(f"{{% load labkit %}}{{% asset {quoted} %}}")
    assert template.render(Context()) == asset_url("lab.css")
