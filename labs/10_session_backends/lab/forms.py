from contextlib import suppress

from django import forms
from django.core.exceptions import ValidationError

from labkit.base.form_fields import PrintableText, WholeNumber

MAX_QUANTITY = 999


class AddForm(forms.Form):
    name = PrintableText(max_length=40)
    quantity = WholeNumber(min_value=1, max_value=MAX_QUANTITY, initial=1)


def valid_goods(stored):
    """Return the stored goods that the form would accept, {name: quantity}."""
    # A visitor, another program or an older version of this one may have stored anything.
    check, goods = AddForm.base_fields, {}
    for name, quantity in stored.items() if isinstance(stored, dict) else []:
        with suppress(ValidationError):
            goods[check["name"].clean(name)] = check["quantity"].clean(quantity)
    return goods
