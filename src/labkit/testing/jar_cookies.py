"""A visitor's `cookies`: those of its jar, as a SimpleCookie that is always current."""

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
NOT_STORED = {"comment", "version"}  # attributes of a Morsel that browsers ignore
NOT_REMOVED = "An attribute of a cookie is removed by setting it to an empty string."

if TYPE_CHECKING:  # for type checkers, a dictionary is a MutableMapping already

    class _Mapping: ...
else:
    _Mapping = MutableMapping


class JarCookies(_Mapping, SimpleCookie):
    """A jar as {name: Morsel}. Reading shows the jar as it is now; a change is one of the jar.

    Of several cookies with one name it has the one that the server would read on the site's first
    page, or the newest. Deleting deletes them all. Every change raises CookieRefusal if a browser
    would not store such a cookie. https://docs.python.org/3/library/http.cookies.html
    """

    def __init__(self, jar: Jar, origin: Origin) -> None:
        self._jar, self._origin = jar, origin

    def _by_name(self) -> dict[str, Cookie]:
        held = {id(each.cookie) for each in self._jar.held_back(self._origin)}
        # Of one name, the last counts: of those that are sent, Django reads the last as well.
        cookies = sorted(self._jar, key=lambda cookie: id(cookie) not in held)
        return {cookie.name: cookie for cookie in cookies}

    def __getitem__(self, name: str) -> "Morsel[str]":
        return _JarMorsel(self._by_name()[name], self)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a cookie to a Morsel, or to a value; other attributes stay as they are."""
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
        """Set the cookies of a mapping, or of a header's text. Raise CookieError if it has none."""
        if isinstance(rawdata, str):
            parsed = SimpleCookie(rawdata)
            if rawdata.strip() and not parsed:
                raise CookieError(f"No cookie can be read from {rawdata!r}.")
            rawdata = parsed
        self.update(rawdata)

    def copy(self) -> SimpleCookie:
        """Return the cookies as they are now; changes of the copy do not change the jar."""
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
        """Store a Set-Cookie line in place of this cookie; return what the jar returns.

        Its Priority and its partition stay, which a Morsel does not have.
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
    """A cookie of a jar as a Morsel; changing an attribute changes the jar's cookie."""

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
        if "expires" in changed:  # otherwise the old Max-Age would count
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
        """Return a Morsel that belongs to no jar."""
        copied: Morsel[str] = Morsel()
        _fill(copied, self.key, self.value, self.coded_value)
        dict.update(copied, self)
        return copied

    __copy__ = copy

    def _refuse(self, *args: Any) -> Any:
        raise TypeError(NOT_REMOVED)

    __delitem__ = pop = popitem = clear = __ior__ = _refuse


def _fill(morsel: "Morsel[str]", name: str, value: str, coded: str) -> None:
    """Name a Morsel. Unlike set(), take any name that browsers and servers send, such as a[b]."""
    morsel.__setstate__({"key": name, "value": value, "coded_value": coded})  # type: ignore[attr-defined]


def _attributes(cookie: Cookie) -> dict[str, Any]:
    """Return a cookie's attributes as a Morsel has them, once a server has set it."""
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
    """Return a Morsel as a Set-Cookie line, whatever its name, and without unset attributes.

    An `expires` that is a number counts seconds from now, as in Morsel.OutputString().
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
    """Return a Set-Cookie line as a Morsel, whatever its name; unknown attributes are left out."""
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

    max_age: seconds; None: until the browser closes.
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
    """Return the attributes of a cookie that a test sets by its value alone."""
    if name != settings.SESSION_COOKIE_NAME:
        return "; Path=/"
    age = None if settings.SESSION_EXPIRE_AT_BROWSER_CLOSE else settings.SESSION_COOKIE_AGE
    return "; " + session_cookie_line("key", age).partition("; ")[2]
