from django import forms
from django.core.exceptions import ValidationError


def validate_visible(text):
    # U+FFFD is what Django reads where the bytes were not UTF-8.
    if not text.isprintable() or "\ufffd" in text:
        raise ValidationError("Use characters that can be seen.")


class StudentForm(forms.Form):
    name = forms.CharField(max_length=40, validators=[validate_visible])
    email = forms.EmailField(max_length=100, label="E-mail")
