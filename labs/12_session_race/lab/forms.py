import re

from django import forms

# What may be in the cart. In a race for different items, the seventh tab adds "tab 7".
ITEM = re.compile(r"\A(apple|pear|tab [0-9]{1,2})\Z")
DELAYS = [(0, "0 ms"), (20, "20 ms"), (200, "200 ms")]
BY_HAND = (4000, "4 seconds (for two tabs, by hand)")


def number(label, choices, initial):
    """Return a form field for a number, with these (number, text) pairs as its choices."""
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, initial=initial)


class AddForm(forms.Form):
    # This is not a ChoiceField, since a race also sends names that the form does not offer.
    name = forms.RegexField(
        ITEM, widget=forms.Select(choices=[("apple", "apple"), ("pear", "pear")])
    )
    delay = number("The view takes", [*DELAYS, BY_HAND], 4000)


class RaceForm(forms.Form):
    tabs = number("Tabs at once", [(2, "2"), (10, "10"), (50, "50")], 2)
    delay = number("The view takes", DELAYS, 20)
    adds = number("Adds in all", [(50, "50"), (100, "100")], 100)
    which_items = forms.ChoiceField(
        label="What they add",
        choices=[("same", "the same item"), ("different", "different items")],
    )

    def __init__(self, data=None):
        # Both forms on the page have a field "delay", and no id may occur twice.
        super().__init__(data, auto_id="race_%s")
