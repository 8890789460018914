"""What the instructor may do from the panel: move the clock, reset, and change what is kept."""

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from labkit import stores
from labkit.panel import clock
from labkit.panel.access import is_local_instructor
from labkit.panel.cookies import edited, whose
from labkit.panel.log import log

STEPS = {  # seconds
    "60": "+1 minute",
    "120": "+2 minutes",
    "300": "+5 minutes",
    "86400": "+1 day",
    "1209600": "+2 weeks",
}
# A form of the panel proves by this that it is ours. It is no cookie, since the panel sets none.
KEY = secrets.token_urlsafe(24)


class NotAllowed(Exception):
    """The message says why, in a sentence."""


def check(request: HttpRequest) -> None:
    """Raises NotAllowed unless this is a form of the panel's own, sent from this machine."""
    if not is_local_instructor(request):
        raise NotAllowed("Only the machine that runs the lab may do this, under its own name.")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and urlsplit(origin).netloc != request.META.get("HTTP_HOST"):
        raise NotAllowed("This form came from another site.")
    if not secrets.compare_digest(request.POST.get("key", "").encode(), KEY.encode()):
        raise NotAllowed("Open the panel again, then send this form once more.")


def move_clock(by: str) -> str:
    """Move the server's clock by one of STEPS, or back to the real time; what was done."""
    if by == "now":
        clock.back_to_now()
        return "The server's clock is back at the real time."
    if by not in STEPS:
        raise NotAllowed("The clock does not move by that.")
    clock.forward(int(by))
    return (
        f"The server's clock moved by {STEPS[by]}. The browser's did not: it keeps and sends its "
        "cookies as before."
    )


def reset(request: HttpRequest, response: HttpResponse) -> None:
    """Empty what this lab keeps: rows, files, cache entries, and its cookies in this browser."""
    if settings.DATABASES.get("default", {}).get("NAME"):
        from django.core.management import call_command

        call_command("flush", interactive=False, verbosity=0)
    stores.wipe_cache()
    if folder := getattr(settings, "SESSION_FILE_PATH", None):
        stores.wipe_files(folder)
    for name in request.COOKIES:
        if whose(name)[1]:
            _give(response, name, None)
    clock.back_to_now()
    log.clear()


def change_cookie(request: HttpRequest, response: HttpResponse) -> str:
    """Change or delete one of this lab's cookies in this browser; what was done."""
    name = request.POST.get("cookie", "")
    if name not in request.COOKIES or not whose(name)[1]:
        raise NotAllowed("Your browser has no cookie of this lab by that name.")
    if "delete" in request.POST:
        _give(response, name, None)
        return f"The cookie {name} is deleted."
    value = request.POST.get("value", "")
    if not value.isascii() or not value.isprintable() or set(value) & set(' ",;\\'):
        raise NotAllowed("A cookie's value has no spaces, quotes, commas, semicolons or accents.")
    if len(name) + len(value) > 4096:
        raise NotAllowed("A cookie has at most 4096 bytes.")
    _give(response, name, value)
    return f"The cookie {name} is now {value or 'empty'}, until the browser closes."


def _give(response: HttpResponse, name: str, value: str | None) -> None:
    response.cookies.update(edited(name, value))


def entries(request: HttpRequest) -> list[str]:
    """The names of what is in this browser's session; none where there is none, or no answer."""
    if not stores.has_sessions():
        return []
    try:
        return list(_session_of(request).keys())
    except Exception:  # the panel opens also where the store fails
        return []


def _session_of(request: HttpRequest) -> Any:
    return stores.session_store()(request.COOKIES.get(settings.SESSION_COOKIE_NAME))


def change_entry(request: HttpRequest) -> str:
    """Change or delete one entry of this browser's session, in the store; what was done."""
    store = _session_of(request)
    if "cookie" in stores.kinds():
        raise NotAllowed("With this engine the session is the cookie, and the cookie is signed.")
    if not store.keys():
        raise NotAllowed("Your browser has no session.")
    entry = request.POST.get("entry", "")
    if "delete" in request.POST:
        store.pop(entry, None)
        store.save()
        return f"The entry {entry} is deleted."
    try:
        store[entry] = json.loads(request.POST.get("value", ""))
    except ValueError:
        raise NotAllowed('A value is JSON, such as 5, "five" or {"apple": 5}.') from None
    try:
        store.save()
    except (ValueError, TypeError, OverflowError) as error:
        raise NotAllowed(f"With that the session cannot be saved: {error}.") from None
    return f"The entry {entry} is now {store[entry]!r}. That was a write."
