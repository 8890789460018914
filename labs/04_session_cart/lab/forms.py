from django import forms
from django.core.exceptions import ValidationError

MAX_QUANTITY = 999
JOINERS = str.maketrans("", "", "\u200c\u200d")  # invisible, yet part of words in several scripts


def validate_visible(name):
    if not name.translate(JOINERS).isprintable() or not name.translate(JOINERS):
        raise ValidationError("Use characters that can be seen.")


class AddForm(forms.Form):
    name = forms.CharField(max_length=40, validators=[validate_visible])
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, initial=1)
