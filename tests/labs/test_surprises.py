"""Test that each surprise in docs/teaching.md is at most three clicks from the console."""

import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import copy_of, serving

ROOT = Path(__file__).parents[2]
MOST = 3  # clicks
TYPE = re.compile(r'type "(?P<text>.+)" as (?P<field>.+)')
CHOOSE = re.compile(r'choose "(?P<option>.+)"')
SCREEN = {"width": 1366, "height": 768}  # the screen of a laptop, and of many projectors


def table():
    """Return {key: steps} of the table in docs/teaching.md."""
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    section = text.partition("\n## Surprises\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines()]
    return {
        row[2].strip("`"): row[1].split(" → ") for row in rows if len(row) == 3 and "`" in row[2]
    }


SURPRISES = table()


@pytest.fixture(scope="module")
def house(checkout, tmp_path_factory):
    labs = sorted({re.search("[0-9]{2}", steps[0])[0] for steps in SURPRISES.values()})
    folder = copy_of(checkout, tmp_path_factory.mktemp("surprises"))
    with serving(folder, "--only", ",".join(labs)) as house:
        yield house


@pytest.fixture(scope="module")
def console(shared_chromium, house):
    """The console in a window of Chromium."""
    context = shared_chromium.new_context(viewport=SCREEN, locale="en")
    context.set_default_timeout(30_000)  # milliseconds
    page = context.new_page()
    page.goto(house.url())
    yield page
    context.close()


def follow(page, step):
    """Take one step; return the resulting page."""
    if typed := TYPE.fullmatch(step):
        page.get_by_label(typed["field"]).fill(typed["text"])
    elif chosen := CHOOSE.fullmatch(step):
        page.get_by_role("combobox").select_option(label=chosen["option"])
    else:
        return click(page, step)
    return page


def click(page, name):
    """Press this button, or follow the link with this text."""
    button = page.get_by_role("button", name=name, exact=True)
    target = (button if button.count() else page.get_by_role("link", name=name, exact=True)).first
    if target.get_attribute("target") == "_blank":
        with page.context.expect_page() as opened:
            target.click()
        page = opened.value
    else:
        target.click()
    page.wait_for_load_state()
    return page


@contextmanager
def walk(console, steps):
    """Take all steps from the console as a new visitor; yield the resulting page."""
    console.context.clear_cookies()
    page = console
    for step in steps:
        page = follow(page, step)
    yield page
    page.close()


def test_the_table_has_what_the_pages_explain():
    templates = ROOT.glob("labs/*/lab/templates/*.html")
    text = "".join(path.read_text(encoding="utf-8") for path in templates)
    assert set(SURPRISES) == set(re.findall('data-surprise="([^"]+)"', text))
    assert len(SURPRISES) >= 14


@pytest.mark.parametrize("key", SURPRISES)
def test_a_surprise_is_three_clicks_away(key):
    clicks = [step for step in SURPRISES[key] if not TYPE.fullmatch(step)]
    assert len(clicks) <= MOST


def test_each_surprise_is_found_by_its_clicks(console, subtests):
    for key, steps in SURPRISES.items():
        with subtests.test(surprise=key), walk(console, steps) as page:
            page.locator(f"[data-surprise='{key}']").first.wait_for()


# The most important parts of each lab: where they are on a page, and the steps from the console to
# it.
FIRST_SCREEN = {
    "[data-fact=left] dd": ["Open lab 09 as visitor A", "Set"],
    "[data-fact=age] dd": ["Open lab 09 as visitor A", "Set"],
    "[formaction='/naive/race/']": ["Open lab 12 as visitor A"],
    "main .number": ["Open lab 12 as visitor A", "Race, naive"],
    "tr[data-returns]": ["Open lab 08 as visitor A", "bool(session)"],
}


def test_the_first_screen_has_what_a_lab_is_about(console, subtests):
    for selector, steps in FIRST_SCREEN.items():
        with subtests.test(selector=selector), walk(console, steps) as page:
            bar = page.locator(".summary-bar").bounding_box()
            found = page.locator(selector).bounding_box()
            assert found["y"] >= 0
            assert found["y"] + found["height"] <= min(bar["y"], SCREEN["height"])


def test_lab_12_begins_with_one_primary_button(console):
    with walk(console, ["Open lab 12 as visitor A"]) as page:
        primary = page.locator("main button:not(.second)")
        assert primary.all_text_contents() == ["Race, naive"]
