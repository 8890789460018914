"""Check a page with axe (https://github.com/dequelabs/axe-core), and for sideways scrolling."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

# WCAG 2.2 at level AA, and axe's own recommendations.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: "Page", rule: str = "") -> list[str]:
    """Return a line for each element of the page that breaks a rule of axe, or this rule.

    Raises ModuleNotFoundError if axe-playwright-python is not installed, from the extra `browser`.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # click() returns as soon as the next page begins to arrive
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    options["runOnly"] = [rule] if rule else {"type": "tag", "values": TAGS}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(map(str, node['target']))}"
        for rule in found
        for node in rule["nodes"]
    ]


def complaints_at_both_ends(page: "Page") -> list[str]:
    """Return what is wrong at 1280 px in light colours, and at 320 px in dark ones.

    What axe finds in a page's structure does not depend on the colours, so it looks for it once.
    Raises ModuleNotFoundError as complaints() does.
    """
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    found = complaints(page) + scrolls_sideways(page)
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    return found + complaints(page, "color-contrast") + scrolls_sideways(page)


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
