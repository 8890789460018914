from django import forms
from django.core.exceptions import ValidationError

REMEMBER = [("session", "until I close the browser"), ("3min", "for 3 minutes")]
# Unseen, yet part of words, spaces and flags in several scripts: joiners, fillers, wide spaces ...
UNSEEN = "\u200c\u200d\ufe0e\ufe0f\u00a0\u3000\u115f\u1160\u3164\uffa0\u2800"
UNSEEN += "".join(map(chr, range(0xE0020, 0xE0080)))


def validate_visible(name):
    visible = name.translate(str.maketrans("", "", UNSEEN))
    # U+FFFD is what Django reads where the bytes were not UTF-8.
    if not visible.strip() or not visible.isprintable() or "\ufffd" in visible:
        raise ValidationError("Use characters that can be seen.")


class NameForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=40,
        validators=[validate_visible],
        widget=forms.TextInput({"autocomplete": "name"}),
    )


class GreetForm(NameForm):
    remember = forms.ChoiceField(
        label="Remember it",
        choices=REMEMBER,
        initial="session",
        widget=forms.RadioSelect,
    )
