"""Find out why Django refused a form, and explain what to do.

https://docs.djangoproject.com/en/5.2/ref/csrf/#how-it-works
"""

from dataclasses import dataclass

from django.http import HttpRequest
from django.middleware import csrf


@dataclass(frozen=True)
class Cause:
    """The reason why Django refused a form: an explanation, and a name for `data-cause`."""

    name: str
    text: str


NO_COOKIE = Cause(
    "no-cookie", "Your browser sent no CSRF cookie. Does it block cookies for this site?"
)
BROKEN_COOKIE = Cause(
    "broken-cookie",
    "Your browser sent a CSRF cookie that Django did not create. This page has replaced it. Open "
    "the page with the form again.",
)
NO_TOKEN = Cause(
    "no-token",
    "The form sent no CSRF token. The pages of this lab add one to every form that needs it, with "
    "the template tag csrf_token.",
)
MALFORMED_TOKEN = Cause(
    "malformed-token",
    "The form sent a CSRF token that Django did not create, or that was changed. Open the page "
    "with the form again.",
)
OLD_TOKEN = Cause(
    "old-token",
    "The form's CSRF token does not belong to the CSRF cookie that your browser sent. A login "
    "replaces the secret in the cookie, so forms that were opened before the login are no "
    "longer valid. Open the page with the form again.",
)
FOREIGN_ORIGIN = Cause(
    "foreign-origin",
    "Another site sent this form: the Origin header is {header}, and this site is {host}.",
)
NO_ORIGIN = Cause(
    "no-origin",
    "Your browser does not say which site sent this form: the Origin header is null, as for a "
    "file, a sandboxed frame or a page with the policy no-referrer.",
)
NO_REFERER = Cause(
    "no-referer",
    "Over https, Django also checks where a form comes from. Your browser sent neither an Origin "
    "nor a Referer header.",
)
FOREIGN_REFERER = Cause(
    "foreign-referer",
    "A page of another site sent this form: the Referer header is {header}, and this site is "
    "{host}.",
)
BROKEN_REFERER = Cause(
    "broken-referer",
    "Over https, Django also checks where a form comes from. The Referer header that your browser "
    "sent is not an https URL: {header}.",
)
OTHER = Cause("other", "Open the page with the form again, then send it once more.")

_BY_START = {
    csrf.REASON_NO_CSRF_COOKIE: NO_COOKIE,
    csrf.REASON_CSRF_TOKEN_MISSING: NO_TOKEN,
    csrf.REASON_NO_REFERER: NO_REFERER,
    csrf.REASON_MALFORMED_REFERER: BROKEN_REFERER,
    csrf.REASON_INSECURE_REFERER: BROKEN_REFERER,
    csrf.REASON_BAD_REFERER.partition("%s")[0]: FOREIGN_REFERER,
    csrf.REASON_BAD_ORIGIN.partition("%s")[0]: FOREIGN_ORIGIN,
    "CSRF cookie ": BROKEN_COOKIE,
}
LONGEST = 200  # characters; the page truncates longer headers


def find_cause(request: HttpRequest, reason: str) -> Cause:
    """Return the cause that corresponds to the reason that CsrfViewMiddleware gives."""
    found = next((cause for start, cause in _BY_START.items() if reason.startswith(start)), None)
    if found is None and reason.startswith("CSRF token from "):
        found = OLD_TOKEN if reason.endswith(" incorrect.") else MALFORMED_TOKEN
    if found is None:
        return OTHER
    name = "HTTP_ORIGIN" if found is FOREIGN_ORIGIN else "HTTP_REFERER"
    header = request.META.get(name, "")[:LONGEST]
    if found is FOREIGN_ORIGIN and header == "null":
        return NO_ORIGIN
    host = f"{request.scheme}://{request.get_host()}"
    return Cause(found.name, found.text.format(header=header, host=host))
