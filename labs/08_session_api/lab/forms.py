from django import forms

from labkit.base.fields import VisibleText


class StudentForm(forms.Form):
    name = VisibleText(max_length=40)
    email = forms.EmailField(max_length=100, label="E-mail")
