from django import forms

from labkit.base.form_fields import PrintableText, WholeNumber

MAX_QUANTITY = 999


class AddForm(forms.Form):
    name = PrintableText(max_length=40)
    quantity = WholeNumber(min_value=1, max_value=MAX_QUANTITY, initial=1)
