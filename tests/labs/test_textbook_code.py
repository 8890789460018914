"""Test the effects of code from textbooks, and that no lab contains such code."""

import ast
import re

import pytest
from django.template import Context, Engine, TemplateDoesNotExist
from django.template.backends.django import get_installed_libraries
from django.template.base import TextNode

BRACKETS = ("{{", "}}", "{%", "%}", "{#", "#}")


def python_files(lab):
    return [lab.folder / "manage.py", *sorted((lab.folder / "lab").rglob("*.py"))]


def engine(lab):
    folder = lab.folder / "lab" / "templates"
    return Engine(dirs=[folder], libraries=get_installed_libraries())


def templates(lab):
    """Return all templates of a lab: {name: parsed template}."""
    folder = lab.folder / "lab" / "templates"
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.html")]
    assert "base.html" in names
    return {name: engine(lab).get_template(name) for name in names}


def left_over(template):
    """Return template brackets that Django treats as plain text."""
    texts = [node.s for node in template.nodelist.get_nodes_by_type(TextNode)]
    return [bracket for bracket in BRACKETS for text in texts if bracket in text]


# Python


@pytest.mark.pitfall("B24", "B25")
@pytest.mark.parametrize(
    ("printed", "error"),
    [
        ("def show(request):\nreturn page\n", IndentationError),
        ("def show(request):\n    a = 1\n      b = 2\n", IndentationError),
        ("def show(request):\n    a = 1\n  return a\n", IndentationError),
        ("a = 1\nreturn a\n", SyntaxError),
        ("def show(request):\n    pass\n\nreturn page\n", SyntaxError),
        ("1 def show(request):\n2     pass\n", SyntaxError),
    ],
)
def test_code_that_lost_its_indentation_or_kept_its_line_numbers_does_not_compile(printed, error):
    with pytest.raises(error):
        compile(printed, "printed.py", "exec")


@pytest.mark.pitfall("B24", "B25")
def test_every_file_of_every_lab_compiles(checkout):
    for lab in checkout.labs:
        for path in python_files(lab):
            compile(path.read_bytes(), str(path), "exec")


@pytest.mark.claim("C93")
@pytest.mark.pitfall("B01")
def test_there_is_no_url_to_import_any_more():
    with pytest.raises(ImportError, match="cannot import name 'url'"):
        from django.conf.urls import url  # noqa: F401


@pytest.mark.claim("C93")
@pytest.mark.pitfall("B01")
def test_every_lab_writes_its_routes_with_path(checkout):
    for lab in checkout.labs:
        tree = ast.parse((lab.folder / "lab" / "urls.py").read_text(encoding="utf-8"))
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert "path" in called
        assert "url" not in called


# Templates


@pytest.mark.pitfall("B22")
def test_every_template_that_a_lab_names_is_there_and_no_other(checkout):
    for lab in checkout.labs:
        named = {"base.html"}
        for path in python_files(lab):
            constants = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            values = (node.value for node in constants if isinstance(node, ast.Constant))
            named |= {v for v in values if isinstance(v, str) and re.fullmatch(r"[\w/]+\.html", v)}
        for path in (lab.folder / "lab" / "templates").rglob("*.html"):
            source = path.read_text(encoding="utf-8")
            named |= set(re.findall(r'{% (?:extends|include) "([^"]+)"', source))
        assert named == set(templates(lab)), lab.number


@pytest.mark.pitfall("B22")
def test_a_template_by_another_name_does_not_exist(checkout):
    (lab,) = (lab for lab in checkout.labs if lab.number == "04")
    assert engine(lab).get_template("display.html")
    with pytest.raises(TemplateDoesNotExist):
        engine(lab).get_template("displayitems.html")


@pytest.mark.pitfall("B23")
def test_a_wrong_bracket_is_printed_as_it_stands():
    values = Context({"name": "apple", "quantity": 3})
    right = Engine().from_string("<li>{{name}} {{quantity}}")
    wrong = Engine().from_string("<li>{{name}] {{quantity}]")
    assert right.render(values) == "<li>apple 3"
    assert wrong.render(values) == "<li>{{name}] {{quantity}]"
    assert (left_over(right), left_over(wrong)) == ([], ["{{"])


@pytest.mark.pitfall("B23")
def test_no_template_of_a_lab_has_brackets_left_over(checkout):
    for lab in checkout.labs:
        for name, template in templates(lab).items():
            assert left_over(template) == [], f"{lab.number}: {name}"
