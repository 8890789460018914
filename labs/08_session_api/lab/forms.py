from django import forms

from labkit.base.form_fields import PrintableText


class StudentForm(forms.Form):
    name = PrintableText(max_length=40)
    email = forms.EmailField(max_length=100, label="E-mail")
