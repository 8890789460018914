"""Use any lab in Chromium until it has set a cookie."""

from urllib.parse import urljoin

LOGIN = {"username": "ada", "password": "lovelace"}
FIELDS = "input[type=text], input[type=number], input[type=password], input:not([type]), textarea"


def use(page, url, wanted):
    """Open the lab's pages and submit their forms, until the browser has a `wanted` cookie.

    `wanted` is a predicate of (host, name, path).
    """
    page.goto(url)
    links = page.locator("header nav a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    for path in links:
        if any(map(wanted, cookies_of(page))):
            return
        page.goto(urljoin(url, path))
        submit_one(page)


def submit_one(page):
    """Fill in and submit the page's first form that has a button."""
    form = page.locator("main form", has=page.locator("button")).first
    if form.count():
        for field in form.locator(FIELDS).all():
            kind, name = field.get_attribute("type"), field.get_attribute("name")
            field.fill("3" if kind == "number" else LOGIN.get(name, "apple"))
        form.locator("button").first.click()
        page.wait_for_load_state()


def cookies_of(page):
    """Return all cookies of the browser as {(host, name, path): value}."""
    jar = page.context.cookies()
    return {(each["domain"], each["name"], each["path"]): each["value"] for each in jar}
