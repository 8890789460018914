"""The actions that repeat a visit: requests, pauses, and changes to cookies and sessions."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from labkit.panel.models import Exchange

TOKEN = "csrfmiddlewaretoken"  # noqa: S105 the name of a field


@dataclass(frozen=True)
class Pause:
    """A pause between two requests, or a move of the server's clock alone."""

    seconds: int
    server_only: bool = False  # whether only the server's clock was moved


@dataclass(frozen=True)
class CloseBrowser:
    """Close a browser and open it again."""

    browser: int


@dataclass(frozen=True)
class BlockCookies:
    """Block cookies in a browser."""

    browser: int


@dataclass(frozen=True)
class SetCookie:
    """Change or add a cookie, as with the developer tools."""

    browser: int
    name: str
    value: str
    is_new: bool  # whether the browser did not have this cookie before


@dataclass(frozen=True)
class DeleteCookie:
    """Delete a cookie, as with the developer tools."""

    browser: int
    name: str


@dataclass(frozen=True)
class ChangeSession:
    """Repeat a change or deletion of a stored session that no recorded request made."""

    browser: int
    data: dict[str, Any] | None  # the session's new entries, or None if it was deleted
    is_new: bool = False  # whether the session existed before the visit


@dataclass(frozen=True)
class LeftOut:
    """A request that cannot be repeated."""

    browser: int
    request: str
    why: str


@dataclass(eq=False)
class Request:
    """A request and the redirects that the browser followed after it."""

    browser: int
    exchanges: list[Exchange]
    form_page: "Request | None" = None  # the request whose page contained the form
    # The URL of the page with the form, if the page was requested before the first action.
    form_url: str = ""
    # The browser's cookies after the request, except the session cookie and the CSRF cookie.
    kept: dict[str, str] = field(default_factory=dict)
    # The session's entries in the store, if the request may have changed them.
    stored: dict[str, Any] | None = None

    @property
    def first(self) -> Exchange:
        """The request itself, before any redirects."""
        return self.exchanges[0]

    @property
    def last(self) -> Exchange:
        """The exchange whose page the browser shows."""
        return self.exchanges[-1]

    @property
    def has_page(self) -> bool:
        """True if the response is an HTML page, which may contain a form."""
        return self.last.content_type.startswith("text/html")

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The (name, value) pairs of the submitted form, without the CSRF token."""
        pairs = parse_qsl(self.first.form, keep_blank_values=True)
        return [pair for pair in pairs if pair[0] != TOKEN]


Action = (
    Pause
    | CloseBrowser
    | BlockCookies
    | SetCookie
    | DeleteCookie
    | ChangeSession
    | LeftOut
    | Request
)


@dataclass(frozen=True)
class Script:
    """The actions of a visit and the host names of its browsers."""

    actions: list[Action]
    hosts: list[str]  # the host name of each browser, without the port

    @property
    def requests(self) -> list[Request]:
        """The requests among the actions."""
        return [each for each in self.actions if isinstance(each, Request)]
