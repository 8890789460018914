"""Check a page with axe (https://github.com/dequelabs/axe-core), and for sideways scrolling."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# WCAG 2.2 at level AA, and axe's own recommendations.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: "Page") -> list[str]:
    """Return a line for each element of the page that breaks a rule of axe.

    Raises ModuleNotFoundError if axe-playwright-python is not installed, from the extra `browser`.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # click() returns as soon as the next page begins to arrive
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(map(str, node['target']))}"
        for rule in found
        for node in rule["nodes"]
    ]


def scrolls_sideways(page: "Page") -> list[str]:
    """Return the elements that extend beyond the right edge of the window."""
    script = """() => {
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        return [...document.querySelectorAll("body *")]
            .filter(element => element.getBoundingClientRect().right > width + 1)
            .map(element => element.tagName.toLowerCase() + "." + element.className);
    }"""
    page.wait_for_load_state()
    out: list[str] = page.evaluate(script)
    return out
