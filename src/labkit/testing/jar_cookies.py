"""A visitor's `cookies`: a SimpleCookie through which tests read and change the jar."""

import time
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.http import http_date

from labkit.http.cookie_header import set_cookie_lines
from labkit.http.jar import Jar
from labkit.http.origin import TYPED, Context, Origin
from labkit.http.set_cookie import Cookie, SameSite

FLAGS = {"secure", "httponly", "partitioned"}
NOT_STORED = {"comment", "version"}  # attributes of a Morsel that browsers do not store
NOT_REMOVED = "To remove a cookie's attribute, set it to an empty string."

if TYPE_CHECKING:  # type checkers already treat a SimpleCookie as a MutableMapping

    class _Mapping: ...
else:
    _Mapping = MutableMapping


class JarCookies(_Mapping, SimpleCookie):
    """A view of a jar as {name: Morsel}; changes to the view change the jar.

    If several cookies have the same name, the view contains the one that the server would read for
    the URL /, or else the newest. Deleting the name deletes all of them. A change raises
    CookieRefusal if a browser would not store the cookie.
    https://docs.python.org/3/library/http.cookies.html
    """

    def __init__(self, jar: Jar, origin: Origin) -> None:
        self._jar, self._origin = jar, origin

    def _by_name(self) -> dict[str, Cookie]:
        held = {id(each.cookie) for each in self._jar.held_back(self._origin)}
        # The last cookie with this name is used, because Django, too, reads the last one that is
        # sent.
        cookies = sorted(self._jar, key=lambda cookie: id(cookie) not in held)
        return {cookie.name: cookie for cookie in cookies}

    def __getitem__(self, name: str) -> "Morsel[str]":
        return _JarMorsel(self._by_name()[name], self)

    def __setitem__(self, name: str, value: Any) -> None:
        """Replace a cookie with a Morsel; or set its value, and keep its attributes."""
        if isinstance(value, Morsel):
            if value.key != name:
                raise CookieError(f"The key {name!r} is for a cookie named {value.key!r}.")
            self._jar.store(set_cookie_line(value), self._origin)
            return
        if not name or name != name.strip() or not name.isprintable() or set("=;") & set(name):
            raise CookieError(f"Illegal key {name!r}")
        _, coded = self.value_encode(value)
        if old := self._by_name().get(name):
            old.value = coded
        else:
            self._jar.store(f"{name}={coded}{_attributes_of_new(name)}", self._origin)

    def __delitem__(self, name: str) -> None:
        cookies = [cookie for cookie in self._jar if cookie.name == name]
        if not cookies:
            raise KeyError(name)
        for cookie in cookies:
            self._jar.delete(cookie)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def load(self, rawdata: Any) -> None:
        """Set cookies from a mapping or a header. Raise CookieError if a header contains none."""
        if isinstance(rawdata, str):
            parsed = SimpleCookie(rawdata)
            if rawdata.strip() and not parsed:
                raise CookieError(f"No cookie can be read from {rawdata!r}.")
            rawdata = parsed
        self.update(rawdata)

    def copy(self) -> SimpleCookie:
        """Return a copy of the cookies that is independent of the jar."""
        copied: SimpleCookie = SimpleCookie()
        for name, morsel in self.items():
            dict.__setitem__(copied, name, morsel.copy())
        return copied

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def __ior__(self, other: Any) -> "JarCookies":  # type: ignore[override]
        self.update(other)
        return self

    def replace_cookie(self, old: Cookie, line: str) -> Cookie | None:
        """Replace a cookie by a Set-Cookie line; return the new cookie, or None if there is none.

        The old cookie's Priority and partition are kept, since a Morsel has neither.
        """
        source = replace(self._origin, host=old.domain)
        if old.secure and not source.trustworthy:
            source = replace(source, scheme="https")
        line, context = f"{line}; Priority={old.priority}", TYPED
        if old.partition is not None:
            line += "; Partitioned"
            context = Context(initiator=Origin(*old.partition), top_level=False)
        new = self._jar.store(line, source, context)
        if new is None or new.key != old.key:
            self._jar.delete(old)
        return new


class _JarMorsel(Morsel):
    """A Morsel for a cookie in a jar; changing an attribute changes the jar's cookie."""

    def __init__(self, cookie: Cookie, cookies: JarCookies) -> None:
        super().__init__()
        value, coded = cookies.value_decode(cookie.value)
        _fill(self, cookie.name, value, coded)
        dict.update(self, _attributes(cookie))
        self._cookie: Cookie | None = cookie
        self._cookies = cookies

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, values: Any) -> None:  # type: ignore[override]
        changed = {name.lower(): value for name, value in dict(values).items()}
        if "expires" in changed:  # without this, the old Max-Age would take precedence
            changed.setdefault("max-age", "")
        super().update(changed)
        self._store()

    def set(self, key: str, val: Any, coded_val: str) -> None:
        super().set(key, val, coded_val)
        self._store()

    def _store(self) -> None:
        if self._cookie is None:
            raise CookieError(f"The cookie {self.key!r} is no longer in the jar.")
        self._cookie = self._cookies.replace_cookie(self._cookie, set_cookie_line(self))

    def copy(self) -> "Morsel[str]":
        """Return a Morsel that is independent of the jar."""
        copied: Morsel[str] = Morsel()
        _fill(copied, self.key, self.value, self.coded_value)
        dict.update(copied, self)
        return copied

    __copy__ = copy

    def _refuse(self, *args: Any) -> Any:
        raise TypeError(NOT_REMOVED)

    __delitem__ = pop = popitem = clear = __ior__ = _refuse


def _fill(morsel: "Morsel[str]", name: str, value: str, coded: str) -> None:
    """Set a Morsel's name and value. Unlike set(), accept any name, such as a[b]."""
    morsel.__setstate__({"key": name, "value": value, "coded_value": coded})  # type: ignore[attr-defined]


def _attributes(cookie: Cookie) -> dict[str, Any]:
    """Return a cookie's attributes as a Morsel would have them."""
    attributes: dict[str, Any] = {"path": cookie.path}
    if not cookie.host_only:
        attributes["domain"] = cookie.domain
    if cookie.expires is not None:
        attributes["expires"] = http_date(cookie.expires)
        attributes["max-age"] = max(0, round(cookie.expires - time.time()))
    attributes |= {"secure": cookie.secure or "", "httponly": cookie.http_only or ""}
    if cookie.same_site is not SameSite.DEFAULT:
        attributes["samesite"] = str(cookie.same_site)
    return attributes


def set_cookie_line(morsel: "Morsel[str]") -> str:
    """Convert a Morsel with any name to a Set-Cookie line, without unset attributes.

    If `expires` is a number, it counts seconds from now, as in Morsel.OutputString().
    """
    parts = [f"{morsel.key}={morsel.coded_value}"]
    for name, value in morsel.items():
        if value is None or value == "" or name in NOT_STORED:
            continue
        if name in FLAGS:
            parts += [name] if value else []
        elif name == "expires" and isinstance(value, int):
            parts.append(f"{name}={http_date(time.time() + value)}")
        else:
            parts.append(f"{name}={value}")
    return "; ".join(parts)


def read_set_cookie(line: str) -> "Morsel[str]":
    """Convert a Set-Cookie line to a Morsel with any name, without unknown attributes."""
    pair, *attributes = line.split(";")
    name, _, coded = pair.strip().partition("=")
    morsel: Morsel[str] = Morsel()
    _fill(morsel, name, SimpleCookie().value_decode(coded)[0], coded)
    for attribute in attributes:
        name, _, text = attribute.strip().partition("=")
        if name.lower() in morsel:
            morsel[name] = True if name.lower() in FLAGS else text
    return morsel


def session_cookie_line(key: str, max_age: int | None) -> str:
    """Return the Set-Cookie line that SessionMiddleware sends for a session key.

    max_age: seconds, or None for a session cookie.
    """
    response = HttpResponse()
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        key,
        max_age=max_age,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=settings.SESSION_COOKIE_HTTPONLY,
        samesite=settings.SESSION_COOKIE_SAMESITE,
    )
    return set_cookie_lines(response)[0]


def _attributes_of_new(name: str) -> str:
    """Return the attributes of a new cookie if a test sets only its value."""
    if name != settings.SESSION_COOKIE_NAME:
        return "; Path=/"
    age = None if settings.SESSION_EXPIRE_AT_BROWSER_CLOSE else settings.SESSION_COOKIE_AGE
    return "; " + session_cookie_line("key", age).partition("; ")[2]
