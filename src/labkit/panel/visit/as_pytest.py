"""Write a visit as a pytest test that uses the labs' visitor, clock and checks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from labkit.http.set_cookie import MAX_NAME_VALUE
from labkit.panel.cookie_explanations import CookieEffect, cookie_effects, response_cookies
from labkit.panel.models import BLANKED
from labkit.panel.visit.actions import (
    TOKEN,
    Action,
    BlockCookies,
    ChangeSession,
    CloseBrowser,
    DeleteCookie,
    LeftOut,
    Pause,
    Request,
    Script,
    SetCookie,
)
from labkit.panel.visit.effects import KEY, Effect, effect_of
from labkit.panel.visit.python_source import Node, call, lay_out, listed, mapped, quoted
from labkit.panel.visit.values import (
    ANY,
    Copies,
    Made,
    is_secret_value,
    source_of,
)
from labkit.session_stores import engine_name

BROWSERS = ("visitor", "classmate", "third", "fourth", "fifth")
FIXTURES = ("visitor", "classmate")  # further visitors come from visitor.new_visitor()
HELPERS = ("Effect", "effects", "key_in", "kept", "stored")
PASSWORD = "VISIT_PASSWORD"  # noqa: S105 the name of an environment variable
MOST_KEPT = 50  # the maximum number of cookies to compare
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
HEAD = '''\
"""A visit to lab {lab}, recorded by its panel.

To run it, save it in labs/{folder}/tests/.
"""'''


def as_pytest(script: Script, logins: Mapping[str, str] | None = None) -> str:
    """Return the source of a test file.

    logins: {username: "module:expression"} for each password that the lab's code contains.
    """
    return _Writer(script, logins or {}).source()


class _Writer:
    """Write the lines of a test, and note the imports and variables that they need."""

    def __init__(self, script: Script, logins: Mapping[str, str]) -> None:
        self._script = script
        self._logins = logins
        self._names = [_browser_name(number) for number in range(len(script.hosts))]
        self._requests = script.requests
        self._merged = {id(each.form_page) for each in self._requests if self._merges(each)}
        self._pages = self._named_pages()
        self._copies = Copies(script, self._names)
        self._kept: dict[int, dict[str, str]] = {}
        self._imports: set[str] = set()

    def source(self) -> str:
        """Return the whole file."""
        body = [*self._set_up()]
        for action in self._script.actions:
            body += self._write(action)
        text = "\n".join(body)
        fixtures = [name for name in FIXTURES if re.search(rf"\b{name}\b", text)]
        fixtures = [name for name in fixtures if f"    {name} = Visitor(" not in text]
        for name in ("clock", "use_engine", "settings"):
            fixtures += [name] if re.search(rf"\b{name}[.(]", text) else []
        lines = [
            HEAD.format(lab=settings.LAB, folder=settings.FOLDER.name),
            "",
            *self._import_lines(text),
            "",
            "",
            '@pytest.mark.usefixtures("exchange_panel")',
            f"def test_visit({', '.join(fixtures)}):",
            *(body or ["    pass"]),
        ]
        return "\n".join(lines) + "\n"

    def _import_lines(self, text: str) -> Iterator[str]:
        standard = ["import os"] if "os.environ" in text else []
        standard += ["from unittest.mock import ANY"] if re.search(r"\bANY\b", text) else []
        yield from [*standard, ""] if standard else []
        yield "import pytest"
        if "get_user_model" in text:
            yield "from django.contrib.auth import get_user_model"
        yield ""
        yield from sorted(self._imports)
        helpers = [name for name in HELPERS if re.search(rf"\b{name}\(", text)]
        if "response_checks." in text:
            yield "from labkit.testing import response_checks"
        if helpers:
            yield f"from labkit.testing.effects import {', '.join(helpers)}"
        if "Visitor(" in text:
            yield "from labkit.testing.visitor import Visitor"

    def _set_up(self) -> Iterator[str]:
        first = self._requests[0].first if self._requests else None
        if first and first.engine and engine_name(first.engine) != "db":
            yield f"    use_engine({quoted(engine_name(first.engine))})"
        if first and first.engine and settings.SESSION_SAVE_EVERY_REQUEST:
            yield "    settings.SESSION_SAVE_EVERY_REQUEST = True"
        for name, host in zip(self._names, self._script.hosts, strict=True):
            if host.endswith(".localhost"):
                yield f"    {name} = Visitor({quoted(host)})"
            elif name not in FIXTURES:
                yield f"    {name} = visitor.new_visitor()"

    # Find the pages that need a variable, and the requests that submit() sends by itself.

    def _merges(self, request: Request) -> bool:
        """Return whether submit() can open the page of a form, because nothing there is checked."""
        page = request.form_page
        if page is None or len(page.exchanges) > 1 or page.first.method != "GET":
            return False
        actions = self._script.actions
        if actions.index(request) != actions.index(page) + 1:
            return False
        if sum(each.form_page is page for each in self._requests) > 1:
            return False
        effect = effect_of(page.first)
        if effect.session not in {"", "read"} or effect.status != 200:
            return False
        same_url = page.first.path == request.first.path
        return same_url and not (effect.sets or effect.deletes or effect.ignored)

    def _named_pages(self) -> dict[int, str]:
        """Return {id of a request: variable} for each page whose form is sent later."""
        found: dict[int, str] = {}
        visible = [each for each in self._requests if id(each) not in self._merged]
        for request in visible:
            page = request.form_page
            if page is None or id(page) in self._merged or id(page) in found:
                continue
            users = [each for each in visible if each.form_page is page]
            place = visible.index(page)
            if users == [request] and visible.index(request) == place + 1:
                found[id(page)] = "page"
            else:
                words = re.findall("[a-z]+", page.last.path.partition("?")[0])
                name = "_".join([*words, "page"]) if words else "start_page"
                taken = sum(re.sub("_[0-9]+$", "", each) == name for each in found.values())
                found[id(page)] = f"{name}_{taken + 1}" if taken else name
        return found

    # Actions

    def _write(self, action: Action) -> Iterator[str]:
        if isinstance(action, Request):
            if id(action) not in self._merged:
                yield from self._write_request(action)
            return
        if isinstance(action, Pause):
            parts = dict(_units(action.seconds))
            named = {name: str(count) for name, count in parts.items()}
            only = {"server_only": "True"} if action.server_only else {}
            yield lay_out("", call("clock.forward", **named, **only))
            return
        name = self._names[action.browser]
        if isinstance(action, LeftOut):
            yield f"    # {KEY.sub('…', action.request)} is left out: {action.why}."
        elif isinstance(action, CloseBrowser):
            yield f"    {name}.close_browser()"
        elif isinstance(action, BlockCookies):
            yield f"    {name}.block_cookies()"
        elif isinstance(action, DeleteCookie):
            yield f"    del {name}.cookies[{quoted(action.name)}]"
        elif isinstance(action, SetCookie):
            yield from self._set_cookie(action, name)
        elif isinstance(action, ChangeSession):
            yield from self._change_session(action, name)

    def _set_cookie(self, action: SetCookie, name: str) -> Iterator[str]:
        value = self._copies.find(action)
        if value is None and is_secret_value(action.name, action.value):
            yield "    # No recorded response set this key, so the test uses an invented one."
            value = Made("0" * 32)
        if not action.is_new:
            source = quoted(action.value) if value is None else value.source
            yield f"    {name}.edit_cookie({quoted(action.name)}, {source})"
        elif value is None or value.text:
            text = action.value if value is None else value.text
            line = quoted(f"{action.name}={text}; Path=/")
            yield f"    {name}.jar.store({line}, {name}.origin)"
        else:
            variable = value.source
            if not variable.isidentifier():
                yield f"    copied = {variable}"
                variable = "copied"
            line = f'f"{action.name}={{{variable}}}; Path=/"'
            yield f"    {name}.jar.store({line}, {name}.origin)"

    def _change_session(self, action: ChangeSession, name: str) -> Iterator[str]:
        if action.data is None:
            yield f"    {name}.session.delete()  # no recorded request did this"
            return
        entries = {k: v for k, v in action.data.items() if not k.startswith("_auth_user_")}
        if action.is_new and "_auth_user_id" in action.data:
            user = quoted(str(action.data["_auth_user_id"]))
            yield f"    {name}.force_login(get_user_model().objects.get(pk={user}))"
        why = (
            "the session from before the visit" if action.is_new else "no recorded request did this"
        )
        yield f"    session = {name}.session  # {why}"
        if not action.is_new:
            yield "    session.clear()"
        yield lay_out("session.update(", source_of(entries, exact=True), ")")
        yield "    session.save()"

    # Requests

    def _write_request(self, request: Request) -> Iterator[str]:
        name = self._names[request.browser]
        variable = self._pages.get(id(request), "page")
        broken = _broken_promises(request)
        indent = 4
        if "SERVER_ERROR" in broken:
            yield f"    {name}.raise_request_exception = False"
        if broken:
            promises = ", ".join(f"response_checks.{each}" for each in broken)
            yield f"    with {name}.expecting({promises}):"
            indent = 8
        yield lay_out(f"{variable} = ", self._sending(request, name), indent=indent)
        effects = [self._effect(each) for each in map(effect_of, request.exchanges)]
        yield lay_out(f"assert effects({variable}) == ", listed(effects))
        if request.stored is not None:
            yield lay_out(f"assert stored({variable}) == ", source_of(request.stored))
        if request.kept != self._kept.get(request.browser, {}) and len(request.kept) <= MOST_KEPT:
            yield lay_out(f"assert kept({name}) == ", source_of(request.kept))
        self._kept[request.browser] = request.kept
        yield from (f"    {line}" for line in self._copies.note_request(request, variable))

    def _sending(self, request: Request, name: str) -> Node:
        """Return the call that sends a request."""
        exchange = request.first
        url = self._copies.url(exchange.path)
        follow = {"follow": "True"} if len(request.exchanges) > 1 else {}
        if exchange.method in {"GET", "HEAD"}:
            return call(f"{name}.{exchange.method.lower()}", url, **follow)
        if exchange.method != "POST":
            return call(f"{name}.generic", quoted(exchange.method), url)
        data = mapped(self._form_data(request))
        by_form = request.form_page is not None or request.form_url
        if not by_form:
            if TOKEN in exchange.form:
                cookie = quoted(settings.CSRF_COOKIE_NAME)
                token = f"{name}.cookies[{cookie}].value"
                data = mapped(self._form_data(request) | {TOKEN: token})
            return call(f"{name}.post", url, data, **follow)
        action = quoted(exchange.path.partition("?")[0])
        page: dict[str, Node] = {}
        if request.form_url and request.form_url != exchange.path:
            page = {"page": quoted(request.form_url)}
        elif request.form_page is not None and id(request.form_page) not in self._merged:
            page = {"page": self._pages[id(request.form_page)]}
        sent = [] if data[1] == [] else [data]
        return call(f"{name}.submit", action, *sent, **page)

    def _form_data(self, request: Request) -> dict[str, Node]:
        several: dict[str, list[str]] = {}
        for field, value in request.fields:
            several.setdefault(field, []).append(value)
        found: dict[str, Node] = {}
        for field, values in several.items():
            if request.first.has_secrets and values == [BLANKED]:
                found[field] = self._password(request)
            elif not any(is_secret_value("", value) for value in values):
                nodes = [quoted(value) for value in values]
                found[field] = nodes[0] if len(nodes) == 1 else listed(nodes)
        return found

    def _password(self, request: Request) -> str:
        """Return the source of the password for a login, since the panel records no passwords."""
        known = self._logins.get(dict(request.fields).get("username", ""))
        if request.first.status not in {301, 302, 303}:
            return quoted("not the password")
        if known is None:
            return f"os.environ[{quoted(PASSWORD)}]"
        module, _, name = known.partition(":")
        self._imports.add(f"from {module} import {re.split('[^A-Za-z_]', name)[0]}")
        return name

    def _effect(self, effect: Effect) -> Node:
        named: dict[str, Node] = {}
        if effect.session:
            named["session"] = quoted(effect.session)
        if effect.sets:
            ages = {n: ANY if self._varies(n) else repr(age) for n, age in effect.sets.items()}
            named["sets"] = mapped(ages)
        for key in ("deletes", "ignored"):
            if names := getattr(effect, key):
                named[key] = listed(map(quoted, names))
        return call("Effect", quoted(effect.request), str(effect.status), **named)

    def _varies(self, cookie: str) -> bool:
        """Return whether a cookie's Max-Age varies, because its session expires at a fixed time."""
        if cookie != settings.SESSION_COOKIE_NAME:
            return False
        stored = [each.stored or {} for each in self._requests]
        return any(isinstance(each.get("_session_expiry"), str) for each in stored)


def _browser_name(number: int) -> str:
    return BROWSERS[number] if number < len(BROWSERS) else f"visitor_{number + 1}"


def _units(seconds: int) -> Iterator[tuple[str, int]]:
    sign, rest = (-1, -seconds) if seconds < 0 else (1, seconds)
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            yield unit, sign * count


def _broken_promises(request: Request) -> list[str]:
    """Return the names of the checks in labkit.testing.response_checks that would fail."""
    found: dict[str, Any] = {}
    for exchange in request.exchanges:
        if exchange.status >= 500:
            found["SERVER_ERROR"] = True
        if CookieEffect.REFUSED in cookie_effects(exchange):
            found["COOKIE_REFUSED"] = True
        if any(cookie.size > MAX_NAME_VALUE for cookie in response_cookies(exchange)):
            found["SET_COOKIE_SIZE"] = True
    return list(found)
