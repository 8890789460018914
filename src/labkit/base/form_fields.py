"""Form fields for printable text, and for numbers that consist of the digits 0 to 9."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

# Some scripts and emoji need these joiners, fillers and wide spaces, which are invisible.
_INVISIBLE = "\u200c\u200d\ufe0e\ufe0f\u00a0\u3000\u115f\u1160\u3164\uffa0\u2800"
_INVISIBLE += "".join(map(chr, range(0xE0020, 0xE0080)))
_WITHOUT_INVISIBLE = str.maketrans("", "", _INVISIBLE)

# int() refuses longer numbers.
_INTEGER = re.compile(r"-?[0-9]{1,4000}")


class PrintableText(forms.CharField):
    """A field for text in any script: no control characters, and at least one visible character.

    https://docs.djangoproject.com/en/5.2/ref/forms/fields/#charfield
    """

    def validate(self, value: str) -> None:
        """Raise ValidationError for text that cannot be displayed or that looks empty."""
        super().validate(value)
        visible = value if value.isascii() else value.translate(_WITHOUT_INVISIBLE)
        # Django decodes bytes that are not valid UTF-8 as U+FFFD.
        if value and (not visible.strip() or not visible.isprintable() or "\ufffd" in visible):
            raise ValidationError("Use visible characters.")


class WholeNumber(forms.IntegerField):
    """A field for an integer: the digits 0 to 9, with an optional minus sign.

    Django's own field uses int(), which also accepts 1_0, +7 and the digits of other scripts.
    https://docs.djangoproject.com/en/5.2/ref/forms/fields/#integerfield
    """

    def to_python(self, value: Any) -> int | None:
        """Return the number that was entered. Raises ValidationError for anything else."""
        typed = str("" if value is None else value).strip()
        if not typed:
            return None
        if not _INTEGER.fullmatch(typed):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(typed)
