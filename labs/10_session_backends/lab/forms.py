from django import forms
from django.core.exceptions import ValidationError

MAX_QUANTITY = 999
# Unseen, yet part of words, spaces and flags in several scripts: joiners, fillers, wide spaces ...
UNSEEN = "\u200c\u200d\ufe0e\ufe0f\u00a0\u3000\u115f\u1160\u3164\uffa0\u2800"
UNSEEN += "".join(map(chr, range(0xE0020, 0xE0080)))


def validate_visible(name):
    visible = name.translate(str.maketrans("", "", UNSEEN))
    # U+FFFD is what Django reads where the bytes were not UTF-8.
    if not visible.strip() or not visible.isprintable() or "\ufffd" in visible:
        raise ValidationError("Use characters that can be seen.")


class AddForm(forms.Form):
    name = forms.CharField(max_length=40, validators=[validate_visible])
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, initial=1)

    def clean_quantity(self):
        # int() takes 1_0 and the digits of every script for a number.
        typed = str(self.data["quantity"]).strip()
        if not (typed.isascii() and typed.isdigit()):
            raise ValidationError("Enter a whole number.")
        return self.cleaned_data["quantity"]
