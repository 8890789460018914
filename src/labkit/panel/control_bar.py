"""The part of the summary bar that belongs to the controls: clock, buttons and messages."""

import functools
import re
import time
from html import escape

from labkit.panel import instructor_controls
from labkit.panel.control_messages import Message
from labkit.panel.exchange_words import time_of_day
from labkit.text_format import exact_duration

_BUTTONS = "".join(
    f'<button name="by" value="{seconds}" aria-label="{words}">'
    f"{re.sub('minutes?', 'min', words)}</button> "
    for seconds, words in instructor_controls.STEPS.items()
)
_FORM = '<form class="clock" id="lab-clock" method="post" action="/__lab__/exchange/'
_BACK = ' <button form="lab-clock" name="by" value="now">Back to now</button>'


def clock_form(token: str) -> str:
    """Return the form that moves the clock, as HTML. `token` identifies the page's exchange."""
    return _FORM + token + _fields()


@functools.cache
def _fields() -> str:
    return (
        '/clock/">'
        f'<input type="hidden" name="key" value="{instructor_controls.form_key()}">'
        f"<fieldset><legend>Server clock:</legend> {_BUTTONS}</fieldset></form>"
    )


def clock_text(ahead: float) -> str:
    """Return the moved clock's time, such as "23:09:03 (+2 minutes)", or "" if `ahead` is 0."""
    distance = exact_duration(abs(round(ahead)))
    sign = "+" if ahead > 0 else "-"
    return f"{time_of_day(time.time())} ({sign}{distance})" if distance else ""


def state(
    ahead: float,
    instructor: bool,
    message: Message | None = None,
    next_step: tuple[str, str] = ("", ""),
) -> str:
    """Return the moved clock's time and a control's message as HTML; "" if there is neither.

    ahead: in seconds. next_step: a URL and its link text; both are empty if the page has been
    reloaded since.
    """
    if not ahead and not instructor:
        return ""
    parts = []
    if ahead:
        back = _BACK if instructor else ""
        parts.append(f"<p data-server-clock>Server clock: <b>{clock_text(ahead)}</b>{back}</p>")
    if message is not None:
        url, text = next_step
        link = f' <a href="{escape(url)}">{text}</a>' if url else ""
        parts.append(
            f'<p role="status" data-message="{message.control}">{escape(message.text)}{link}</p>'
        )
    return f'<div class="control-state" data-clock-ahead="{ahead:.0f}">{"".join(parts)}</div>'
