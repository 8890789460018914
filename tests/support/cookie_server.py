"""A server for all host names that sends the Set-Cookie bytes that a test chooses."""

import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from labkit.http.cookie_header import from_wire, to_wire
from labkit.http.origin import Origin
from labkit.testing.chromium import ARGUMENTS

LIMIT = 30  # seconds
ADDRESSES = ("127.0.0.1", "127.0.0.3", "::1")
ATTEMPTS = 10
PAGE = '<title>a page</title><link rel="icon" href="data:,">'
# Host names and addresses that labkit.testing.chromium does not resolve to this machine.
MAPPED = ("*.example.", "*.co.uk", "localhost.", "*.localhost.")
RULES = ", ".join([*(f"MAP {host} 127.0.0.1" for host in MAPPED), "EXCLUDE 127.*", "EXCLUDE ::1"])
BROWSER_ARGUMENTS = [
    argument.replace("=MAP", f"={RULES}, MAP") if "host-resolver" in argument else argument
    for argument in ARGUMENTS
] + ["--ignore-certificate-errors"]
TLS = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
TLS.load_cert_chain(Path(__file__).with_name("cookie_server.pem"))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    scheme = "http"

    def handle_error(self, request, client_address):
        pass  # the tab left the page before it had loaded


class ServerOfIPv6(Server):
    address_family = socket.AF_INET6


class SecureServer(Server):
    scheme = "https"

    def get_request(self):
        connection, address = super().get_request()
        # The connection's thread does the TLS handshake, because some clients never begin it.
        return TLS.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


def start_servers(handler):
    """Return (port, servers on that port at each address). Raises OSError if no port is free."""
    for attempt in range(1, ATTEMPTS + 1):
        servers = [Server((ADDRESSES[0], 0), handler)]
        port = servers[0].server_address[1]
        try:
            for address in ADDRESSES[1:]:
                kind = ServerOfIPv6 if ":" in address else Server
                servers.append(kind((address, port), handler))
        except OSError:  # another process uses the port at one of the addresses
            for server in servers:
                server.server_close()
            if attempt == ATTEMPTS:
                raise
            continue
        return port, servers


class CookieServer:
    """A server that responds for any host, over http and https.

    The server sends no Date header, because Chromium would use it to adjust Expires.
    """

    def __init__(self):
        self._lines = {}  # {(scheme, host, path): Set-Cookie lines of the next response}
        self.body = PAGE
        self._seen = {}  # {(scheme, host, path): Cookie header of the last request}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                cookies = "; ".join(self.headers.get_all("Cookie") or [])
                host = self.headers["Host"].rpartition(":")[0].strip("[]")
                place = self.server.scheme, host, self.path.partition("?")[0]
                lines = outer._lines.pop(place, ())
                body = outer.body.encode()
                head = [
                    b"HTTP/1.1 200 OK",
                    b"Content-Type: text/html; charset=utf-8",
                    b"Content-Length: %d" % len(body),
                    *(b"Set-Cookie: " + to_wire(line) for line in lines),
                ]
                outer._seen[place] = from_wire(cookies)
                self.wfile.write(b"\r\n".join([*head, b"", body]))

            do_POST = do_GET

            def log_message(self, *args):
                pass

        port, self._servers = start_servers(Handler)
        self._servers.append(SecureServer((ADDRESSES[0], 0), Handler))
        self._ports = {"http": port, "https": self._servers[-1].server_address[1]}
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def url(self, url):
        """Return the URL with the port of this server."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{self._ports[parts.scheme]}"))

    def answer(self, url, lines):
        """Send these Set-Cookie lines in the next response for this URL."""
        self._lines[place_of(url)] = lines

    def forget(self):
        """Delete the planned responses and the recorded requests."""
        self._lines.clear()
        self._seen.clear()
        self.body = PAGE

    def cookie_header(self, url):
        """Wait until this URL is requested, and return the request's Cookie header."""
        deadline = time.monotonic() + LIMIT
        while place_of(url) not in self._seen:
            assert time.monotonic() < deadline, f"no request for {url} among {sorted(self._seen)}"
            time.sleep(0.005)
        return self._seen[place_of(url)]

    def close(self):
        for server in self._servers:
            server.shutdown()
            server.server_close()


class Tab:
    """A tab of Chromium that makes requests to the server."""

    FETCH = "url => fetch(url, {cache: 'no-store'}).then(response => response.text())"

    def __init__(self, page, server):
        self.page = page
        self._server = server
        self._here = None  # the scheme and host of the page that is loaded

    def open(self, url, body=PAGE):
        """Open this page with this content, and wait for its images."""
        self._server.body = body
        self.page.goto(self._server.url(url))
        self._here = site_of(url)

    def request(self, url, by="person", page=""):
        """Request a URL as a page or a person would; see cookie_steps.Request.

        If the tab is already on the right host, use a script, which is quicker.
        """
        target = self._server.url(url)
        if by == "person" and self._here == site_of(url):
            self.page.evaluate(self.FETCH, target)
        elif by == "person":
            self.page.goto(target, wait_until="commit")
            self._here = site_of(url)
        elif by == "image":
            self.open(page, f'{PAGE}<img src="{target}">')
        elif by == "link":
            self.open(page, f'{PAGE}<a href="{target}">go</a>')
            self._click("link")
        else:
            form = f'<form method="post" action="{target}"><button>go</button></form>'
            self.open(page, PAGE + form)
            self._click("button")

    def _click(self, role):
        self.page.get_by_role(role).click()
        self._here = None  # unknown until the next page has loaded


def site_of(url):
    return Origin.of(url).scheme, Origin.of(url).host


def place_of(url):
    """Return (scheme, host, path) of a URL, as a browser would send them."""
    origin = Origin.of(url)
    return origin.scheme, origin.host, origin.path
