"""The actions that repeat a visit: requests, pauses, and changes to cookies and sessions."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from labkit.panel.models import Exchange

TOKEN = "csrfmiddlewaretoken"  # noqa: S105 the name of a field


@dataclass(frozen=True)
class Pause:
    """Time that passed, in seconds."""

    seconds: int
    server_only: bool = False  # whether only the server's clock was moved


@dataclass(frozen=True)
class CloseBrowser:
    """The browser was closed and opened again."""

    browser: int


@dataclass(frozen=True)
class BlockCookies:
    """Cookies were blocked in this browser."""

    browser: int


@dataclass(frozen=True)
class SetCookie:
    """A cookie was changed or added, as in the developer tools."""

    browser: int
    name: str
    value: str
    is_new: bool  # whether the browser had no such cookie


@dataclass(frozen=True)
class DeleteCookie:
    """A cookie was deleted, as in the developer tools."""

    browser: int
    name: str


@dataclass(frozen=True)
class ChangeSession:
    """A session was changed or deleted in the store, but not by a recorded request."""

    browser: int
    data: dict[str, Any] | None  # the session's new entries, or None if it was deleted
    is_new: bool = False  # whether the visit began with this session


@dataclass(frozen=True)
class LeftOut:
    """A request that cannot be repeated."""

    browser: int
    request: str
    why: str


@dataclass(eq=False)
class Request:
    """A request, with the redirects that the browser then followed."""

    browser: int
    exchanges: list[Exchange]
    form_page: "Request | None" = None  # the request whose page has the form
    form_url: str = ""  # the URL of the form's page, if it was requested before the first action
    kept: dict[str, str] = field(default_factory=dict)  # the lab's own cookies after the request
    # The session's entries after the request, if they may differ.
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
        """True if the response is a page, which may have a form."""
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
    """The actions of a visit, and the browsers that take part."""

    actions: list[Action]
    hosts: list[str]  # the host name of each browser, without the port

    @property
    def requests(self) -> list[Request]:
        """The requests among the actions."""
        return [each for each in self.actions if isinstance(each, Request)]
