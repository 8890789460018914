from django import forms

from labkit.base.form_fields import PrintableText

REMEMBER = [("session", "until I close the browser"), ("3min", "for 3 minutes")]


class NameForm(forms.Form):
    name = PrintableText(
        label="Your name",
        max_length=40,
        widget=forms.TextInput({"autocomplete": "name"}),
    )


class GreetForm(NameForm):
    remember = forms.ChoiceField(
        label="Remember it",
        choices=REMEMBER,
        initial="session",
        widget=forms.RadioSelect,
    )
