"""Check a page with axe (https://github.com/dequelabs/axe-core), and find cut-off content."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# WCAG 2.2, level AA, and recommendations by axe.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def complaints(page: "Page", rule: str = "") -> list[str]:
    """Return a line for each element that breaks this rule of axe; by default, any rule.

    Raises ModuleNotFoundError if axe-playwright-python, from the extra `browser`, is not installed.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # Playwright's click() returns before the next page has loaded
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    only = [rule] if rule else {"type": "tag", "values": TAGS}
    found: list[str] = page.evaluate(VIOLATIONS, only)
    return found


# axe's whole result has over 100 kB, so the browser returns only one line for each element.
VIOLATIONS = """async (runOnly) => {
    const {violations} = await axe.run({runOnly, resultTypes: ["violations"]});
    return violations.flatMap((rule) => rule.nodes.map((node) =>
        `${rule.id} (${rule.impact}): ${rule.help}: ${node.target.join(" ")}`));
}"""


def complaints_at_both_ends(page: "Page") -> list[str]:
    """Check a page at 1280 px in light mode and at 320 px in dark mode; return the complaints.

    At 320 px, axe checks only the contrast, because the other rules do not depend on colours.
    Raises ModuleNotFoundError as complaints() does.
    """
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    found = complaints(page) + cut_off(page)
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    return found + complaints(page, "color-contrast") + cut_off(page)


def cut_off(page: "Page") -> list[str]:
    """Return the elements with content that is cut off and cannot be scrolled into view.

    A page must not be wider than its window. Content may be wider than its element only if the
    element can be scrolled. Elements meant only for screen readers are ignored.
    """
    page.wait_for_load_state()
    out: list[str] = page.evaluate(CUT_OFF)
    return out


CUT_OFF = """() => {
    const width = document.documentElement.clientWidth;
    const name = e => e.tagName.toLowerCase() + (e.id && "#" + e.id) + "." + e.className;
    const wide = document.scrollingElement.scrollWidth > width;
    const found = wide ? [`the page is ${document.scrollingElement.scrollWidth} px wide`] : [];
    const scrolls = e => e && e !== document.documentElement
        && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    const unseen = e => e && (getComputedStyle(e).clipPath !== "none" || unseen(e.parentElement));
    for (const e of document.querySelectorAll("body *:not(svg *, input, select, textarea)")) {
        const box = e.getBoundingClientRect();
        if (!e.checkVisibility() || box.width <= 1 || box.right <= 0) continue;
        const clips = ["hidden", "clip"].includes(getComputedStyle(e).overflowX);
        const cut = clips && e.scrollWidth > e.clientWidth + 1;
        const beyond = box.right > width + 1 || box.left < -1;
        if ((cut || beyond) && !scrolls(e) && !unseen(e)) found.push(name(e));
    }
    return found;
}"""
