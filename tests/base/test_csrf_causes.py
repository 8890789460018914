"""The error page for an invalid CSRF token names the right cause."""

import lxml.html
import pytest
from django.conf import settings
from django.middleware.csrf import get_token, rotate_token
from django.test import Client, RequestFactory

from labkit.base import csrf_causes
from labkit.base.error_pages import csrf_failure

PATH = "/form/"
OTHER_SITE = "http://evil.example"


def fresh_token():
    """Return a CSRF token, and the secret for the cookie."""
    request = RequestFactory().get(PATH)
    token = get_token(request)
    return token, request.META["CSRF_COOKIE"]


def cause(*, cookie=None, token=None, secure=False, **headers):
    """Return the cause that the error page names for a request with these values."""
    client = Client(enforce_csrf_checks=True)
    if cookie is not None:
        client.cookies[settings.CSRF_COOKIE_NAME] = cookie
    fields = {} if token is None else {"csrfmiddlewaretoken": token}
    response = client.post(PATH, fields, secure=secure, headers=headers)
    assert response.status_code == 403
    (element,) = lxml.html.document_fromstring(response.content).xpath("//*[@data-cause]")
    return element.get("data-cause"), element.text_content()


def test_no_cookie_is_told_from_a_broken_one():
    token, _ = fresh_token()
    assert cause(token=token)[0] == csrf_causes.NO_COOKIE.name
    assert cause(cookie="x", token=token)[0] == csrf_causes.BROKEN_COOKIE.name


def test_no_token_is_told_from_a_malformed_one():
    _, secret = fresh_token()
    assert cause(cookie=secret)[0] == csrf_causes.NO_TOKEN.name
    for token in ("x", "x" * 63, "!" * 64):
        assert cause(cookie=secret, token=token)[0] == csrf_causes.MALFORMED_TOKEN.name


def test_a_token_from_before_a_login_is_an_old_one():
    request = RequestFactory().get(PATH)
    token = get_token(request)
    rotate_token(request)  # as login() does
    found, text = cause(cookie=request.META["CSRF_COOKIE"], token=token)
    assert (found, text) == (csrf_causes.OLD_TOKEN.name, csrf_causes.OLD_TOKEN.text)


def test_another_site_is_named_and_none_is_not():
    token, secret = fresh_token()
    found, text = cause(cookie=secret, token=token, origin=OTHER_SITE)
    assert found == csrf_causes.FOREIGN_ORIGIN.name
    assert OTHER_SITE in text
    assert cause(cookie=secret, token=token, origin="null")[0] == csrf_causes.NO_ORIGIN.name
    assert "<script>" in cause(cookie=secret, token=token, origin="<script>")[1]  # as text


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, csrf_causes.NO_REFERER),
        ({"referer": "https://evil.example/x"}, csrf_causes.FOREIGN_REFERER),
        ({"referer": "http://testserver/"}, csrf_causes.BROKEN_REFERER),
        ({"referer": "nonsense"}, csrf_causes.BROKEN_REFERER),
    ],
)
def test_over_https_the_referer_counts(headers, expected):
    token, secret = fresh_token()
    assert cause(cookie=secret, token=token, secure=True, **headers)[0] == expected.name


def test_a_reason_of_another_django_has_a_page():
    response = csrf_failure(RequestFactory().post(PATH), "Mars is retrograde.")
    assert response.status_code == 403
    assert csrf_causes.OTHER.name in response.content.decode()
