"""The page Cookie, which shows what `lab cookie` says about a Set-Cookie header."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labkit.cookie_report import describe_cause, explain_cookie
from labkit.http.origin import Context, Origin

LONGEST = 8000  # characters of a field
EXAMPLE = {
    "set_cookie": "cart=3; Path=/; Secure; SameSite=Lax",
    "source": "https://shop.example/cart/",
    "target": "https://shop.example/add/",
    "initiator": "https://other.example/",
    "cause": "form",
}


class UrlField(forms.CharField):
    """A field for an absolute http or https URL; its value is an Origin, or None if it is empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST, widget=forms.URLInput, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return Origin.of(text) if text else None
        except ValueError:
            message = "Enter a full URL, such as https://shop.example/cart/."
            raise forms.ValidationError(message) from None

    def run_validators(self, value: Any) -> None:
        super().run_validators("" if value is None else str(value))


class CookieForm(forms.Form):
    """A form for a Set-Cookie header, the response that contains it, and a later request."""

    set_cookie = forms.CharField(
        label="Set-Cookie", max_length=LONGEST, widget=forms.TextInput(attrs={"size": 60})
    )
    source = UrlField(label="In the response from")
    target = UrlField(label="Later request to", required=False)
    cause = forms.ChoiceField(
        label="Caused by",
        choices=[
            ("typed", "the address bar"),
            ("link", "a link"),
            ("form", "a form (POST)"),
            ("embedded", "an image, a frame or fetch()"),
        ],
    )
    initiator = UrlField(label="On a page at", required=False)

    def context(self) -> Context:
        """Return the cause of the later request."""
        cause, page = self.cleaned_data["cause"], self.cleaned_data["initiator"]
        method = "POST" if cause == "form" else "GET"
        if cause == "typed" or page is None:
            return Context(method)
        return Context(method, page, top_level=cause != "embedded")


@require_safe
def cookie(request: HttpRequest) -> HttpResponse:
    """Show the form, which is sent with GET so that it can be bookmarked, and then the answer."""
    submitted = "set_cookie" in request.GET
    form = CookieForm(request.GET if submitted else EXAMPLE)
    context: dict[str, Any] = {"form": form, "here": "claims"}
    if form.is_valid():
        data = form.cleaned_data
        target = data["target"] or data["source"]
        report = explain_cookie(data["set_cookie"], data["source"], [(target, form.context())])
        context |= {"report": report, "source": data["source"], "asks": bool(data["target"])}
        context["requests"] = [(each, describe_cause(each.context)) for each in report.later]
    return render(request, "cookie.html", context, status=200 if form.is_valid() else 422)
