"""What contracts are made of: reading a page as a person does, and requests no browser sends."""

from collections.abc import Sequence
from typing import Any

import lxml.html
from django.http import HttpResponseBase

from labkit.testing.malformed import ACT, PAGE, TOKEN, Raw


def text(response: HttpResponseBase) -> str:
    """The page as it was sent, decoded."""
    return response.content.decode(response.charset)


def words(response: HttpResponseBase) -> str:
    """The text of a page as a person reads it, with single spaces."""
    body = lxml.html.document_fromstring(text(response)).find(".//main")
    return " ".join(body.text_content().split())


def says_why(response: HttpResponseBase) -> bool:
    """Whether a page of the lab's own says in words what was wrong."""
    page = lxml.html.document_fromstring(text(response)).find(".//main")
    said = page is not None and (page.findall("p") + page.find_class("errorlist"))
    return bool(said and page.find("h1") is not None)


class RawRequests:
    """What every lab promises of requests that no browser sends."""

    raw_requests: Sequence[Raw]  # for this lab, besides those for all
    page: bytes  # an address that shows the visitor's state
    act: bytes  # one that changes it, by POST
    form = "/"  # one with a form

    def token(self, visitor: Any) -> str:
        """The CSRF token of a form that this visitor has open."""
        form = lxml.html.document_fromstring(text(visitor.get(self.form))).forms[0]
        value: str = form.fields["csrfmiddlewaretoken"]
        return value

    def with_token(self, visitor: Any, **data: Any) -> dict[str, Any]:
        """These fields, and that token."""
        return {"csrfmiddlewaretoken": self.token(visitor), **data}

    def answer_to(self, raw: Raw, visitor: Any, token: bytes) -> Any:
        """Send it; its status is as foretold, its page says why, it sets no cookie if refused."""
        sender = visitor.new_visitor() if raw.alone else visitor
        response = self._send(raw, sender, token)
        by_server = raw.except_on.get(visitor.server)
        assert response.status_code == (by_server or raw.status)
        if response.status_code >= 400:
            # Django sends its own CSRF cookie again with every form.
            lines = sender.exchanges[-1].set_cookies
            assert [line for line in lines if not line.startswith("csrftoken")] == []
            assert by_server or raw.method == "HEAD" or says_why(response)
        assert b"<script>alert" not in response.content
        if raw.alone:  # this visitor, too, goes on
            assert sender.get(self.page.decode()).status_code == 200
        return response

    def _send(self, raw: Raw, visitor: Any, token: bytes) -> Any:
        headers = {n: value and value.replace(TOKEN, token) for n, value in raw.headers.items()}
        if raw.cookie is not None:
            own = visitor.jar.header(visitor.origin).encode()
            headers["Cookie"] = b"; ".join(filter(None, [own, raw.cookie]))
        path = raw.path.replace(PAGE, self.page).replace(ACT, self.act)
        return visitor.send(raw.method, path, raw.body.replace(TOKEN, token), headers)
