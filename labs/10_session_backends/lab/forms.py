from django import forms

from labkit.base.fields import VisibleText, WholeNumber

MAX_QUANTITY = 999


class AddForm(forms.Form):
    name = VisibleText(max_length=40)
    quantity = WholeNumber(min_value=1, max_value=MAX_QUANTITY, initial=1)
