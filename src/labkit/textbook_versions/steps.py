"""The steps in which a reader sees the symptom of a textbook version."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

# In a field, {5000 x} stands for the letter x 5000 times; {40 random}, for 40 random characters.
MANY, RANDOM = re.compile(r"\{(\d+) (.)\}"), re.compile(r"\{(\d+) random\}")
BROWSERS = ("A", "B")  # B belongs to another visitor

# The reader's actions and observations, with the type of the value of each.
ACTIONS: dict[str, type] = {
    "open": str,  # a URL
    "submit": str,  # the action URL of a form, which is filled in and sent
    "post": str,  # a URL to which only these fields are sent, as by a program
    "head": str,  # the URL of a HEAD request, as a program sends it for a link preview
    # The last page is reloaded; if it is the response to a form, the form is sent again.
    "reload": bool,
    "wait": int,  # how many seconds to move the clock of the server and the browsers
    "close_browser": bool,
    "block_cookies": bool,
    "edit_cookie": str,  # a cookie's name; its value is changed to `value`, as in developer tools
    "set_cookie": str,  # "name=value" of a cookie that another program on this host sets
    "copy_cookie": str,  # a cookie's name; the cookie is copied from browser A to B
}
EXPECTATIONS: dict[str, type] = {
    # The status of the last response, or NO_RESPONSE. After a server error, the exception's text
    # must contain `because`.
    "expect": str,
    "shows": str,  # text on the page
    "lacks": str,  # a text that must not be on the page
    "table": dict,  # the rows of the page's table, such as {"apple": 3}
    "source": str,  # text in the page's HTML
    "url": str,  # text in one of the URLs that the last action opened
    "cookie": str,  # the name of a stored cookie; the key `value` can state the cookie's value
    "script_cookie": str,  # the name of a cookie that scripts must be able to read
    "no_cookie": str,  # the name of a cookie that must not be stored
}
VERBS = ACTIONS | EXPECTATIONS
OPTIONS = {  # {verb: further keys that it allows}; every verb allows `by`, and forms allow fields
    "submit": {"page", "times"},
    "post": {"times"},
    "edit_cookie": {"value"},
    "cookie": {"value"},
    "expect": {"because"},
}
FORMS = {"submit", "post"}
# The server cannot send the response, because a header contains invalid characters.
NO_RESPONSE = "no response"


@dataclass(frozen=True)
class Step:
    """An action of the reader, or something that the reader should see."""

    verb: str  # a key of VERBS
    value: Any
    fields: dict[str, str] = field(default_factory=dict)  # of a form
    options: dict[str, Any] = field(default_factory=dict)  # those of OPTIONS
    by: str = BROWSERS[0]

    @property
    def is_action(self) -> bool:
        """Return True for an action of the reader, False for an observation."""
        return self.verb in ACTIONS

    @property
    def times(self) -> int:
        """Return how many times a form is sent; {n} in a field is the submission's number."""
        return int(self.options.get("times", 1))

    def renamed(self, old: str, new: str) -> "Step":
        """Return a copy of the step in which `old` is replaced with `new` in every string."""

        def rename(value: Any) -> Any:
            if isinstance(value, dict):
                return {rename(key): rename(each) for key, each in value.items()}
            return value.replace(old, new) if isinstance(value, str) else value

        options, fields = rename(self.options), rename(self.fields)
        return replace(self, value=rename(self.value), options=options, fields=fields)

    def __str__(self) -> str:
        """Return the step as a sentence for a reader."""
        value = self.value
        if self.verb == "table":
            value = ", ".join(f"{name} {cell}" for name, cell in value.items()) or "no rows"
        form = ", ".join(f"{name}: {text}" for name, text in self.fields.items()) or "no fields"
        form = MANY.sub(r"\1 times “\2”", RANDOM.sub(r"\1 random Chinese characters", form))
        sentence = _SENTENCES[self.verb].format(value, form=form, **self.options)
        if "page" in self.options:
            sentence = f"On {self.options['page']}, send the form to {value} with {form}."
        if because := self.options.get("because"):
            sentence = sentence.removesuffix(".") + f", and the exception is {because}"
        if self.times > 1:
            sentence += f" Repeat this {self.times} times, with n from 1."
        return sentence if self.by == BROWSERS[0] else f"In another browser: {sentence}"


_SENTENCES = {
    "open": "Open {0}.",
    "submit": "Open {0}, fill in {form}, and send the form.",
    "post": "Send {form} to {0}, as a program would.",
    "head": "Send a HEAD request to {0}, as for a link preview or with curl -I.",
    "reload": "Reload the page. If the browser asks, send the form again.",
    "wait": "Move the clock {0} seconds forward.",
    "close_browser": "Close the browser and open it again.",
    "block_cookies": "Block cookies in the browser.",
    "edit_cookie": "In the developer tools, change the value of the cookie {0} to {value!r}.",
    "set_cookie": "Another program on this host sets the cookie {0}.",
    "copy_cookie": "Copy the cookie {0} into another browser.",
    "expect": "The response has status {0}.",
    "shows": "The page shows: {0}",
    "lacks": "The page does not show: {0}",
    "table": "The table has: {0}",
    "source": "The page's HTML contains: {0}",
    "url": "A URL contains: {0}",
    "cookie": "The browser keeps the cookie {0}.",
    "script_cookie": "In the browser's console, document.cookie contains {0}.",
    "no_cookie": "The browser does not keep the cookie {0}.",
}
