"""The panel's middleware, which observes each exchange and adds the summary bar."""

import os
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.signals import got_request_exception
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from labkit.base.error_pages import refuse_unknown_host
from labkit.http.connection import REQUEST_NUMBER
from labkit.http.cookie_header import set_cookie_lines
from labkit.panel import summary_bar
from labkit.panel.crash import current_crash
from labkit.panel.exchange_log import log
from labkit.panel.models import BLANKED, Exchange, take_snapshot
from labkit.panel.session_recorder import current, observe_sessions, store_id
from labkit.session_stores import has_sessions, session_store

PANEL_URLS = "/__lab__/"  # these URLs are handled here, before any session is accessed
# Limits for the recorded text, in characters.
LONGEST_FORM, LONGEST_PATH, LONGEST_COOKIES = 2000, 2000, 16_000
LONGEST_HOST, LONGEST_VALUE = 260, 500
# Fields whose name contains one of these words or ends in "password" are not recorded.
SECRET_WORDS = {"pass", "passcode", "passphrase", "passwd", "password", "pin", "pwd", "secret"}
REDIRECTS = {301, 302, 303, 307, 308}
PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")  # matches a path that needs no quoting
QUERY_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))  # characters that need no quoting
Respond = Callable[[HttpRequest], HttpResponse]


def observe(get_response: Respond) -> Respond:
    """Return middleware that records each exchange and adds the summary bar to each page.

    List it first in MIDDLEWARE. Raises MiddlewareNotUsed if LAB_PANEL is 0.
    """
    if os.environ.get("LAB_PANEL") == "0":
        raise MiddlewareNotUsed
    got_request_exception.connect(_note_crash)
    engine = settings.SESSION_ENGINE if has_sessions() else ""
    clustered = bool(os.environ.get("LAB_NODES"))
    if engine:
        observe_sessions(session_store(engine))

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PANEL_URLS):
            return _panel_page(request, get_response)
        exchange = _begin(request)
        started = time.perf_counter()
        token = current.set(exchange)
        try:
            response = get_response(request)
        finally:
            current.reset(token)
        exchange.duration = time.perf_counter() - started
        exchange.engine = engine
        exchange.node = _node() if clustered else ""
        content = None if response.streaming else response.content
        exchange.length = None if content is None else len(content)
        _end(exchange, request, response)
        log.add(exchange)
        summary_bar.append_to(request, response, content, exchange)
        return response

    return middleware


def _panel_page(request: HttpRequest, get_response: Respond) -> HttpResponse:
    """Return a page of the panel, without calling other middleware, which could use a session."""
    if refusal := refuse_unknown_host(request):  # as for every page
        return refusal
    try:
        match = resolve(request.path_info, "labkit.panel.urls")
    except Resolver404:
        return get_response(request)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    response.headers.setdefault("Referrer-Policy", "same-origin")  # the panel's URLs are secret
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _note_crash(sender: object, **_: object) -> None:
    """Record the exception that Django is handling, if it is the first in this request.

    https://docs.djangoproject.com/en/5.2/ref/signals/#got-request-exception
    """
    exchange = current.get()
    if exchange is not None and exchange.crash is None:
        exchange.crash = current_crash()


def _begin(request: HttpRequest) -> Exchange:
    meta = request.META
    path, cookies = _path(request), meta.get("HTTP_COOKIE", "")
    return log.begin(
        method=(request.method or "")[:LONGEST_VALUE],
        path=path[:LONGEST_PATH],
        peer=meta.get("REMOTE_ADDR", ""),
        agent=meta.get("HTTP_USER_AGENT", "")[:LONGEST_VALUE],
        host=(meta.get("HTTP_HOST", "") or meta.get("SERVER_NAME", ""))[:LONGEST_HOST],
        scheme=request.scheme or "http",
        request_number=meta.get(REQUEST_NUMBER, 0),
        cookie_header=cookies[:LONGEST_COOKIES],
        is_cut=len(path) > LONGEST_PATH or len(cookies) > LONGEST_COOKIES,
    )


def _end(exchange: Exchange, request: HttpRequest, response: HttpResponse) -> None:
    """Record the response and the state of the session, without accessing the session."""
    exchange.status, exchange.reason = response.status_code, response.reason_phrase[:LONGEST_VALUE]
    if response.status_code in REDIRECTS:
        exchange.location = response.headers.get("Location", "")[:LONGEST_PATH]
    exchange.content_type = response.headers.get("Content-Type", "")[:LONGEST_VALUE]
    if response.cookies or "Set-Cookie" in response.headers:
        exchange.set_cookies = set_cookie_lines(response)
    if "_post" in request.__dict__:
        exchange.form = _form(request.__dict__["_post"])
        exchange.has_secrets = bool(exchange.form) and any(
            map(is_secret, request.__dict__["_post"])
        )
    body = request.META.get("CONTENT_LENGTH") not in {None, "", "0"}
    exchange.body_left_out = body and (not exchange.form or bool(request.__dict__.get("_files")))
    session: Any = request.__dict__.get("session")
    if session is not None:
        exchange.store_id = store_id(session)
        exchange.modified = session.modified
        exchange.key = session.session_key or ""
        if "_session_cache" in session.__dict__:
            exchange.session_after = take_snapshot(session.__dict__["_session_cache"])


def _node() -> str:
    """Return the number of the database node that handled this request, from its version string."""
    driver: Any = connection.connection  # None if there was no query
    found = re.search("-node-([0-9])", driver.get_server_info()) if driver else None
    return found[1] if found else ""


def _form(post: Any) -> str:
    """Return the submitted form, URL-encoded and without secrets; "" if it is too long."""
    fields = [(name, value) for name, values in post.lists() for value in values]
    if sum(len(name) + len(value) for name, value in fields) > LONGEST_FORM:
        return ""
    form = urlencode([(name, BLANKED if is_secret(name) else value) for name, value in fields])
    return form if len(form) <= LONGEST_FORM else ""


def is_secret(field: str) -> bool:
    """Return whether a field's name means that its value is secret, such as userPin or PWD."""
    words = [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", field)]
    return any(word in SECRET_WORDS or word.endswith("password") for word in words)


def _path(request: HttpRequest) -> str:
    """Return a request's path and query, percent-encoded to represent the received bytes."""
    path = request.path
    if not PLAIN_PATH.fullmatch(path):  # quoting is slow
        path = quote(path, safe="/:@!$&'()*+,;=~")
        path = re.sub("%25([89A-F][0-9A-F])", r"%\1", path)  # bytes that are not UTF-8
    query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    return f"{path}?{quote(query, safe=QUERY_CHARACTERS)}" if query else path
