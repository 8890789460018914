from django import forms

POLICIES = [
    ("120", "120: two minutes after the last write"),
    ("300", "300: five minutes after the last write"),
    ("0", "0: when the browser closes"),
    ("none", "None: according to the settings"),
    ("datetime", "a datetime: three minutes from now, rounded down to a full minute"),
    ("timedelta", "a timedelta: three minutes from now"),
]


class PolicyForm(forms.Form):
    policy = forms.ChoiceField(
        label="Argument of set_expiry()",
        choices=POLICIES,
        error_messages={"invalid_choice": "Choose an expiry from the list."},
    )
