"""The visitor's jar and a real Chromium do the same with every case of cookie_cases.py."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit, urlunsplit

import pytest
from cookie_cases import CASES, Age, Reopen, Request, Script, Set, Wait
from cookie_runs import runs_in_the_jar

from labkit.testing.chromium import Chromium

LIMIT = 10  # seconds
NO_ICON = '<title>a page</title><link rel="icon" href="data:,">'
every_case = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.claim(case.shows)] * bool(case.shows))
        for case in CASES
    ],
)


def test_there_are_at_least_sixty_cases_with_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES) >= 60


# The jar


@every_case
def test_the_jar(case, clock):
    runs_in_the_jar(case, clock)


# Chromium


class Server:
    """A server for any host that answers with the Set-Cookie lines and the page it is told to."""

    def __init__(self):
        self.lines = ()
        self.body = ""
        self.seen = {}  # (host, path) -> Cookie header of the last such request
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                cookies = "; ".join(self.headers.get_all("Cookie") or [])
                host = self.headers["Host"].partition(":")[0]
                outer.seen[host, self.path] = cookies.encode("latin-1").decode()
                body = outer.body.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if self.path != "/favicon.ico":
                    for line in outer.lines:
                        self._headers_buffer.append(b"Set-Cookie: " + line.encode() + b"\r\n")
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *args: None  # a page left before it was read
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, url):
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{self.port}"))

    def cookie_header(self, url):
        """The Cookie header that the request to this address carried; waits until it is there."""
        parts = urlsplit(url)
        deadline = time.monotonic() + LIMIT
        while (parts.hostname, parts.path) not in self.seen:
            assert time.monotonic() < deadline, f"no request to {url} arrived"
            time.sleep(0.005)
        return self.seen[parts.hostname, parts.path]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser(playwright_driver, tmp_path_factory):
    browser = Chromium(
        playwright_driver, tmp_path_factory.mktemp("profile"), third_party_cookies=True
    )
    yield browser
    browser.close()


@pytest.fixture
def browser_for(case, request, browser):
    """The browser that the cases share, emptied; one of its own for a case that reopens it."""
    if any(isinstance(step, Reopen) for step in case.steps):
        yield request.getfixturevalue("chromium")
        return
    browser.page.context.clear_cookies()
    yield browser


@pytest.mark.browser
@every_case
def test_chromium(case, browser_for, server):
    browser = browser_for
    for step in case.steps:
        server.lines, server.body = (), NO_ICON
        server.seen.clear()
        match step:
            case Set(url, lines):
                server.lines = lines
                browser.page.goto(server.url(url), wait_until="commit")
            case Script(url, line):
                browser.page.goto(server.url(url))
                browser.page.evaluate("line => { document.cookie = line }", line)
            case Request(url, header, by, page):
                assert see(browser.page, server, url, by, page) == header
            case Age(seconds):
                age_cookies(browser.page.context, seconds)
            case Wait(seconds):
                browser.page.wait_for_timeout(seconds * 1000)
            case Reopen(blocked):
                browser.block_cookies(blocked)


def age_cookies(context, seconds):
    """Make every cookie this much older: Chromium's own clock cannot be moved."""
    cookies = context.cookies()
    context.clear_cookies()
    for cookie in cookies:
        if cookie["expires"] != -1:  # -1: a session cookie
            cookie["expires"] -= seconds
    now = time.time()
    context.add_cookies([c for c in cookies if c["expires"] == -1 or c["expires"] > now])


def see(page, server, url, by, from_page):
    """Cause a request to `url` in this way; the cookies it carried."""
    target = server.url(url)
    if by == "person":
        page.goto(target, wait_until="commit")
    elif by == "script":
        page.goto(target)
        return page.evaluate("document.cookie")
    else:
        server.body = (
            NO_ICON
            + {
                "link": f'<a href="{target}">go</a>',
                "form": f'<form method="post" action="{target}"><button>go</button></form>',
                "image": f'<img src="{target}">',
            }[by]
        )
        page.goto(server.url(from_page))
        if by == "link":
            page.get_by_role("link").click()
        elif by == "form":
            page.get_by_role("button").click()
    return server.cookie_header(url)
