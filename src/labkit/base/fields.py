"""Form fields for what people type: a text that can be seen, a number in plain digits."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

# Unseen, yet part of words, spaces and flags in several scripts: joiners, fillers, wide spaces ...
_UNSEEN = "\u200c\u200d\ufe0e\ufe0f\u00a0\u3000\u115f\u1160\u3164\uffa0\u2800"
_UNSEEN += "".join(map(chr, range(0xE0020, 0xE0080)))
_WITHOUT_UNSEEN = str.maketrans("", "", _UNSEEN)


class PrintableText(forms.CharField):
    """A text in any script, with no control characters and something in it that can be seen.

    https://docs.djangoproject.com/en/5.2/ref/forms/fields/#charfield
    """

    def validate(self, value: str) -> None:
        """Raises ValidationError for a text that could not be shown, or not be told from none."""
        super().validate(value)
        visible = value.translate(_WITHOUT_UNSEEN)
        # U+FFFD is what Django reads where the bytes were not UTF-8.
        if value and (not visible.strip() or not visible.isprintable() or "\ufffd" in visible):
            raise ValidationError("Use characters that can be seen.")


class WholeNumber(forms.IntegerField):
    """A whole number, typed in the digits 0 to 9, after a minus or not.

    int(), and so Django's own field, also takes 1_0, +7 and the digits of every script.
    https://docs.djangoproject.com/en/5.2/ref/forms/fields/#integerfield
    """

    def to_python(self, value: Any) -> int | None:
        """The number. Raises ValidationError for anything but digits."""
        typed = str("" if value is None else value).strip()
        plain = typed.isascii() and typed.removeprefix("-").isdigit()
        if typed and not plain:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        number: int | None = super().to_python(value)
        return number
