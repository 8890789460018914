"""What axe finds wrong with a page, and what sticks out of it.

https://github.com/dequelabs/axe-core comes with the extra `browser`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# WCAG 2.2 at level AA, and what axe holds to be good practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: "Page") -> list[str]:
    """One line for each element that breaks a rule of axe on the page as it is now.

    Raises ModuleNotFoundError where axe-playwright-python is not installed.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # a click is over as soon as the next page begins

    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(map(str, node['target']))}"
        for rule in found
        for node in rule["nodes"]
    ]


def scrolls_sideways(page: "Page") -> list[str]:
    """What sticks out to the right of the window; empty where the page fits."""
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
