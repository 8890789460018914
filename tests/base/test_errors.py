"""Error pages are in plain English, and name the storage error behind Django's own error."""

import pytest

from labkit.base import error_pages
from labkit.testing import Visitor, response_checks
from labkit.testing.contracts import words


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/nowhere/", 404, error_pages.NO_PAGE),
        ("/refuse/denied/", 403, error_pages.NOT_ALLOWED),
        ("/refuse/bad/", 400, error_pages.NOT_UNDERSTOOD),
        ("/refuse/deleted/", 400, error_pages.SESSION_DELETED),
        ("/only-post/", 405, "POST"),
        ("/__lab__/static/nothing.css", 404, error_pages.NO_PAGE),
        ("/__lab__/static/../errors.py", 400, error_pages.NOT_UNDERSTOOD),
    ],
)
def test_a_refusal_is_a_page_with_one_sentence_and_a_way_back(visitor, path, status, text):
    response = visitor.get(path)
    assert response.status_code == status
    assert text in words(response)
    assert 'href="/"' in response.content.decode()


def test_a_refusal_has_the_headers_that_every_page_has(visitor):
    refused, page = visitor.get("/only-post/"), visitor.get("/")
    assert refused["Allow"] == "POST"
    assert set(page.headers) <= set(refused.headers)
    assert int(refused["Content-Length"]) == len(refused.content)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/form/", "/nowhere/", "/crash/", "/refuse/absent/"])
def test_a_host_that_is_not_ours_is_refused(visitor, settings, path, debug):
    """With DNS rebinding, another site could read the environment from Django's debug pages."""
    settings.ALLOWED_HOSTS, settings.DEBUG = ["127.0.0.1"], debug
    visitor.get("/form/")
    for send in (visitor.get, visitor.post):
        response = send(path, headers={"host": "evil.example"})
        assert response.status_code == 400
        assert error_pages.UNKNOWN_HOST in words(response)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("address", ["/{}", "/nowhere/?w={}"])
def test_an_address_too_long_to_lead_back_to_is_refused(visitor, settings, debug, address):
    settings.DEBUG = debug
    # The first URL lacks a trailing slash, so Django would redirect.
    response = visitor.get(address.format("x" * 20_000))
    assert response.status_code == 414
    assert "16000" in words(response)
    assert visitor.get(address.format("x" * 15_900)).status_code in {301, 404}


def test_too_large_a_form_is_refused(visitor):
    visitor.get("/form/")
    for fields in ({"a": "x" * 3_000_000}, {f"f{number}": "x" for number in range(1500)}):
        response = visitor.post("/form/", fields)
        assert response.status_code == 400
        assert error_pages.TOO_LARGE in words(response)


def test_a_crash_is_a_page_without_a_traceback():
    visitor = Visitor()
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.get("/crash/")
    assert response.status_code == 500
    assert error_pages.LAB_FAULT in words(response)


@pytest.mark.parametrize("path", ["/refuse/absent/", "/masked/"])
def test_a_store_that_fails_is_a_503_whatever_django_calls_it(visitor, path):
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.get(path)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert error_pages.STORE_TITLE in words(response)
    assert "OperationalError" in words(response)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/refuse/no-table/", "/refuse/no-table-in-mariadb/"])
def test_a_missing_table_is_a_page_that_says_what_to_type(visitor, settings, path, debug):
    settings.DEBUG = debug
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.get(path)
    assert response.status_code == 503
    assert error_pages.MIGRATE_ADVICE in words(response)
    assert "Traceback" not in response.content.decode()


def test_a_crash_at_the_own_desk_keeps_its_traceback(visitor, settings):
    settings.DEBUG = True
    with visitor.expecting(response_checks.SERVER_ERROR, response_checks.TRACEBACK):
        assert visitor.get("/crash/").status_code == 500


def test_a_chain_of_exceptions_that_bites_its_tail_ends():
    first, second = ValueError(), ValueError()
    first.__context__, second.__context__ = second, first
    assert error_pages.store_fault(first) is None


def test_the_stylesheet_is_served_and_not_sent_twice(visitor):
    response = visitor.get("/__lab__/static/lab.css")
    assert response["Content-Type"] == "text/css"
    since = {"if-modified-since": response["Last-Modified"]}
    response.close()
    assert visitor.get("/__lab__/static/lab.css", headers=since).status_code == 304
