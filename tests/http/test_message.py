"""Test the bytes of requests and responses."""

import http.client

import pytest

from labkit.http.message import build_request, parse_response


def test_a_request_has_exactly_the_given_headers():
    headers = {"Host": "lab.example", "Cookie": b"a=\xff", "Origin": None}
    request = build_request("POST", "/add/?a=b", headers, b"x=1")
    assert request == b"POST /add/?a=b HTTP/1.1\r\nHost: lab.example\r\nCookie: a=\xff\r\n\r\nx=1"


def test_nothing_in_a_request_is_escaped():
    request = build_request("GET", b"/\xe9\r\n", {"X": "a\r\nY: b"})
    assert request == b"GET /\xe9\r\n HTTP/1.1\r\nX: a\r\nY: b\r\n\r\n"


def test_a_header_beyond_latin_1_is_an_error():
    with pytest.raises(UnicodeEncodeError):
        build_request("GET", "/", {"Cookie": "a=ब"})


def test_a_response_keeps_all_its_cookies():
    received = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\npage"
    response = parse_response(received)
    assert response.status == 200
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert response.read() == b"page"


def test_a_chunked_response_is_put_together():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parse_response(head + b"2\r\nla\r\n1\r\nb\r\n0\r\n\r\n").read() == b"lab"


def test_a_response_to_head_has_no_body():
    received = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert parse_response(received, "HEAD").read() == b""


def test_a_short_body_is_an_error():
    response = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    with pytest.raises(http.client.IncompleteRead):
        response.read()


@pytest.mark.parametrize("received", [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0\r\n\r\n"])
def test_what_is_not_http_is_an_error(received):
    with pytest.raises(http.client.HTTPException):
        parse_response(received)
