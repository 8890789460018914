from django import forms

from labkit.base.fields import PrintableText, WholeNumber


class NameForm(forms.Form):
    name = PrintableText(label="Your name", max_length=40)


class AgeForm(forms.Form):
    age = WholeNumber(label="Your age", min_value=0, max_value=150)


class GfForm(forms.Form):
    gf = PrintableText(label="Your good friend's name", max_length=40)


FORMS = {"name": NameForm, "age": AgeForm, "gf": GfForm}  # one for each step, in order
STEPS = [*FORMS, "results"]
ANSWER_FIRST = "That comes later; this question comes first."
UNREADABLE = "The answers could not be read: they were altered, have expired, or are not from here."


def first_open_step(step, answers):
    """Return this step, or the first one before it that has no answer."""
    return next((s for s in STEPS[: STEPS.index(step)] if s not in answers), step)


def check_answers(sent):
    """Return the valid answers, and a sentence about the others, or None if all are valid."""
    if sent is None:
        return {}, UNREADABLE
    forms = {field: FORMS[field]({field: text}) for field, text in sent.items()}
    answers = {f: str(form.cleaned_data[f]) for f, form in forms.items() if form.is_valid()}
    if altered := [label(field) for field in sent if field not in answers]:
        return answers, f"Altered on the way, so it does not count: {', '.join(altered)}."
    return answers, None


def label(field):
    return FORMS[field].base_fields[field].label
