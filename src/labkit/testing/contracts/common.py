"""A base class of contracts, which sends requests that no browser sends."""

from collections.abc import Sequence
from typing import Any

import lxml.html

from labkit.testing.contracts.pages import says_why, text
from labkit.testing.malformed_requests import ACT, PAGE, TOKEN, Raw


class RawRequests:
    """Helpers that send requests that no browser sends, and check how a lab responds."""

    raw_requests: Sequence[Raw]  # requests to send to this lab in addition to those for every lab
    page: bytes  # a URL that shows the visitor's state
    act: bytes  # a URL that changes this state if a form is posted to it
    form = "/"  # a URL with a form

    def token(self, visitor: Any) -> str:
        """Open a form, and return its CSRF token."""
        form = lxml.html.document_fromstring(text(visitor.get(self.form))).forms[0]
        value: str = form.fields["csrfmiddlewaretoken"]
        return value

    def with_token(self, visitor: Any, **data: Any) -> dict[str, Any]:
        """Return these form fields, with a CSRF token added."""
        return {"csrfmiddlewaretoken": self.token(visitor), **data}

    def answer_to(self, raw: Raw, visitor: Any, token: bytes) -> Any:
        """Send a request and check the status. Refusals must give a reason and set no cookie."""
        sender = visitor.new_visitor() if raw.alone else visitor
        response = self._send(raw, sender, token)
        by_server = raw.except_on.get(visitor.server)
        assert response.status_code == (by_server or raw.status)
        if response.status_code >= 400:
            # Django may set its CSRF cookie in any response, so that cookie is allowed.
            lines = sender.exchanges[-1].set_cookies
            assert [line for line in lines if not line.startswith("csrftoken")] == []
            assert by_server or raw.method == "HEAD" or says_why(response)
        assert b"<script>alert" not in response.content
        if raw.alone:  # a visitor with an invalid cookie must still be able to use the lab
            assert sender.get(self.page.decode()).status_code == 200
        return response

    def _send(self, raw: Raw, visitor: Any, token: bytes) -> Any:
        headers = {n: value and value.replace(TOKEN, token) for n, value in raw.headers.items()}
        if raw.cookie is not None:
            own = visitor.jar.header(visitor.origin).encode()
            headers["Cookie"] = b"; ".join(filter(None, [own, raw.cookie]))
        path = raw.path.replace(PAGE, self.page).replace(ACT, self.act)
        return visitor.send(raw.method, path, raw.body.replace(TOKEN, token), headers)
